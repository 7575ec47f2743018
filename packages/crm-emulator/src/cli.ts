#!/usr/bin/env node
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { startEmulator } from './index.js';

const USAGE = `Usage: crm-emulator [options]

Runs local stand-ins of Salesloft, SalesOS and Salesforce, for development only.

  --port N        the first of three ports; without it, three free ones
  --host ADDRESS  the address to listen on (default 127.0.0.1)
  --callback URL  a registered redirect URI beyond the loopback ones; may be repeated
  --help          shows this text
  --version       shows the version
`;

/** Exit status for a command line that makes no sense. */
const MISUSE = 2;

interface Command {
  port: number;
  host: string;
  callbackURLs: string[];
}

function parse(argv: string[]): Command | 'help' | 'version' {
  const { values } = parseArgs({
    args: argv,
    options: {
      port: { type: 'string', default: '0' },
      host: { type: 'string', default: '127.0.0.1' },
      callback: { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', default: false },
      version: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  if (values.version) return 'version';
  const port = /^\d+$/.test(values.port) ? Number(values.port) : NaN;
  if (!(port <= 65_533))
    throw new TypeError(`--port: a whole number up to 65533, not ${values.port}`);
  for (const url of values.callback) {
    if (!URL.canParse(url)) throw new TypeError(`--callback: not a URL: ${url}`);
  }
  return { port, host: values.host, callbackURLs: values.callback };
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
    'For development only: anybody who reaches these ports can sign in as anybody.',
    '',
  ];
  for (const name of ['salesloft', 'salesos', 'salesforce'] as const) {
    const { origin, options } = emulator[name];
    lines.push(`${name}  ${origin}`, `  ${JSON.stringify(options)}`, '');
  }
  lines.push('Stop with Ctrl+C.');
  console.log(lines.join('\n'));
}

async function main(): Promise<void> {
  let command: ReturnType<typeof parse>;
  try {
    command = parse(process.argv.slice(2));
  } catch (error) {
    console.error(`crm-emulator: ${(error as Error).message}\n\n${USAGE}`);
    process.exitCode = MISUSE;
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
