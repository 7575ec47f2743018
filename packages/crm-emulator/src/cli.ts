#!/usr/bin/env node
/** The command `crm-emulator`: starts the emulator and prints what an application needs. */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { startEmulator } from './index.js';

const USAGE = `Usage: crm-emulator [options]

Plays Salesloft, SalesOS and Salesforce on this machine, for development only.

  --port N        the first of three ports in a row (default: three free ports)
  --host ADDRESS  the address to listen on (default 127.0.0.1)
  --callback URL  registers a redirect URI that is not of this machine; may be repeated
  --origins       gives Salesforce's org and a sandbox origins of their own
  --tolerant      accepts tokens and credentials in a query, and long code verifiers
  --help          prints this text
  --version       prints the version
`;

/** The exit status of a command line that cannot be read, as in most commands. */
const MISUSE_EXIT_STATUS = 2;

interface Command {
  port: number;
  host: string;
  callbackURLs: string[];
  origins: boolean;
  tolerant: boolean;
}

function parse(argv: string[]): Command | 'help' | 'version' {
  const { values } = parseArgs({
    args: argv,
    options: {
      port: { type: 'string', default: '0' },
      host: { type: 'string', default: '127.0.0.1' },
      callback: { type: 'string', multiple: true, default: [] },
      origins: { type: 'boolean', default: false },
      tolerant: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      version: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  if (values.version) return 'version';
  const port = /^\d+$/.test(values.port) ? Number(values.port) : NaN;
  if (!(port <= 65_533))
    throw new TypeError(`--port: must be a whole number up to 65533, not ${values.port}`);
  for (const url of values.callback) {
    if (!URL.canParse(url)) throw new TypeError(`--callback: must be a whole URL, not ${url}`);
  }
  const { host, callback: callbackURLs, origins, tolerant } = values;
  return { port, host, callbackURLs, origins, tolerant };
}

async function version(): Promise<string> {
  const file = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(file) as { version: string }).version;
}

async function serve(command: Command): Promise<void> {
  const emulator = await startEmulator(command);
  const stop = () => void emulator.close();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);

  const lines = [
    'For development only: everyone who can reach these ports can sign in as any person.',
    '',
  ];
  for (const name of ['salesloft', 'salesos', 'salesforce'] as const) {
    const { origin, options } = emulator[name];
    lines.push(`${name}  ${origin}`, `  ${JSON.stringify(options)}`, '');
  }
  const { sandbox, ...origins } = emulator.salesforce.origins;
  if (sandbox)
    lines.push('origins of salesforce', `  ${JSON.stringify({ ...origins, sandbox })}`, '');
  lines.push('Stop with Ctrl+C.');
  console.log(lines.join('\n'));
}

async function main(): Promise<void> {
  let command: ReturnType<typeof parse>;
  try {
    command = parse(process.argv.slice(2));
  } catch (error) {
    console.error(`crm-emulator: ${(error as Error).message}\n\n${USAGE}`);
    process.exitCode = MISUSE_EXIT_STATUS;
    return;
  }
  if (command === 'help') return console.log(USAGE);
  if (command === 'version') return console.log(await version());
  try {
    await serve(command);
  } catch (error) {
    console.error(`crm-emulator: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}

await main();
