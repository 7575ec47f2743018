#!/usr/bin/env node
/** The command `crm-emulator`: starts the emulator and prints what an application needs. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { LAST_FIRST_PORT } from './ports.js';
import { shownPath } from './requests.js';
import { PROVIDERS, start } from './start.js';
import type { EmulatorOptions, Person, ProviderPlace, RequestRecord } from './types.js';
import { isObject, parseJson, textOf } from './values.js';

/** Each option of the command: its argument, if it has one, and what it does. */
const OPTIONS = {
  port: ['N', 'the first of the ports in a row (default: free ports)'],
  host: ['ADDRESS', 'the address to listen on (default 127.0.0.1)'],
  only: ['PROVIDER', 'starts salesloft, salesos or salesforce alone; may be repeated'],
  client: ['PROVIDER=ID:SECRET', 'registers the client of your app; may be repeated'],
  callback: ['URL', 'registers a redirect URI that is not of this machine; may be repeated'],
  people: ['FILE', 'the people who can sign in, as JSON: [{ "name": "Ida Berg" }]'],
  organization: ['ID=NAME', 'an organization of SalesOS, such as org_1=bakery; may be repeated'],
  'token-ttl': ['SECONDS', 'how long an access token lives'],
  rotate: ['', 'rotates refresh tokens at Salesforce too'],
  state: ['FILE', 'keeps ports, keys and tokens, so that they survive a restart'],
  origins: ['', "gives Salesforce's org and a sandbox origins of their own"],
  sandbox: ['', 'adds a sandbox of Salesforce'],
  'my-domain': ['', 'adds a My Domain of Salesforce'],
  tolerant: ['', 'accepts tokens and credentials in a query, and long code verifiers'],
  verbose: ['', 'prints a line for each request, without its query'],
  env: ['', 'prints lines for a .env'],
  help: ['', 'prints this text'],
  version: ['', 'prints the version'],
} as const;

const USAGE = `Usage: crm-emulator [options]

Plays Salesloft, SalesOS and Salesforce on this machine, for development only.

${Object.entries(OPTIONS)
  .map(([name, [argument, meaning]]) => `  ${`--${name} ${argument}`.padEnd(29)} ${meaning}`)
  .join('\n')}
`;

/** The exit status of a command line that cannot be read, as in most commands. */
const MISUSE_EXIT_STATUS = 2;

type Name = keyof typeof OPTIONS;

function parse(argv: string[]) {
  const types = Object.entries(OPTIONS).map(([name, [argument]]) => [
    name,
    { type: argument ? 'string' : 'boolean', multiple: true },
  ]);
  const config = Object.fromEntries(types) as Record<Name, { type: 'string'; multiple: true }>;
  const given = parseArgs({ args: argv, options: config }).values as Partial<
    Record<Name, string[]>
  >;
  if (given.help) return 'help';
  if (given.version) return 'version';

  /** Reads each value of an option. A message repeats no value, because one may be a secret. */
  function each<T>(name: Name, read: (text: string) => T | undefined): T[] | undefined {
    return given[name]?.map((text) => {
      const value = read(text);
      if (value === undefined) throw new TypeError(`--${name}: must be ${OPTIONS[name][0]}`);
      return value;
    });
  }
  const number = (text: string) => (/^\d+$/.test(text) ? Number(text) : undefined);
  const firstPort = (text: string) => (Number(text) <= LAST_FIRST_PORT ? number(text) : undefined);
  const provider = (text?: string) => PROVIDERS.find((name) => name === text);
  const has = (name: Name) => given[name] !== undefined;
  const options: EmulatorOptions = {
    people: each('people', readPeople)?.at(-1),
    accessTokenTTL: each('token-ttl', (text) => number(text) || undefined)?.at(-1),
    organizations: each('organization', (text) => {
      const [, id, name] = /^(\w+)=(.+)$/.exec(text) ?? [];
      return id && name ? { id, name } : undefined;
    }),
    port: each('port', firstPort)?.at(-1),
    host: given.host?.at(-1),
    callbackURLs: each('callback', (url) => (URL.canParse(url) ? url : undefined)),
    clients: each('client', (text) => {
      const [, name, clientID = '', clientSecret = ''] = /^(\w+)=([^:]+):(.+)$/.exec(text) ?? [];
      const known = provider(name);
      return known && { provider: known, clientID, clientSecret };
    }),
    origins: {
      ...(has('origins') && ({ org: true, issuer: 'org', sandbox: true } as const)),
      ...(has('sandbox') && { sandbox: true }),
      ...(has('my-domain') && { myDomain: true }),
    },
    tolerant: has('tolerant'),
    state: given.state?.at(-1),
    refreshTokenRotation: has('rotate') ? { salesos: true, salesforce: true } : undefined,
    onRequest: has('verbose') ? printRequest : undefined,
  };
  return { options, names: each('only', provider) ?? PROVIDERS, isEnv: has('env') };
}

function readPeople(file: string): Person[] {
  const people = parseJson(readFileSync(file, 'utf8'));
  const isPerson = (one: unknown) => isObject(one) && textOf(one['name']) !== '';
  if (Array.isArray(people) && people.length > 0 && people.every(isPerson))
    return people as Person[];
  throw new TypeError(`--people: ${file} must be a JSON list of people, each with a name`);
}

/** On the other stream than the options, so that those can go to a file. */
function printRequest(request: RequestRecord, { title }: ProviderPlace): void {
  const { at, method, status, error = '' } = request;
  const time = new Date(at).toTimeString().slice(0, 8);
  const answer = status === 0 ? 'no answer' : status;
  console.error([time, title, method, shownPath(request), answer, error].join(' ').trimEnd());
}

/** `clientID` of "Salesforce sandbox" → `SALESFORCE_SANDBOX_CLIENT_ID`. */
const variableOf = (title: string, option: string) =>
  `${title} ${option.replace(/([a-z])([A-Z])/g, '$1_$2')}`.toUpperCase().replaceAll(' ', '_');

type Command = Exclude<ReturnType<typeof parse>, string>;

async function serve({ options, names, isEnv }: Command): Promise<void> {
  const emulator = await start(options, names);
  const stop = () => void emulator.close();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);

  const { salesloft, salesos, salesforce } = emulator;
  const started = {
    salesloft,
    salesos,
    salesforce,
    'salesforce sandbox': salesforce?.sandbox,
    'salesforce my domain': salesforce?.myDomain,
  };
  const note = (text: string) => (isEnv && text ? `# ${text}` : text);
  const lines = [
    note('For development only: everyone who can reach these ports can sign in as any person.'),
    '',
  ];
  for (const [title, one] of Object.entries(started)) {
    if (!one) continue;
    const own = options.clients?.findLast(({ provider }) => title.startsWith(provider));
    const { clientID, clientSecret } = own ?? one;
    const printed = { ...one.options, clientID, clientSecret };
    lines.push(note(`${title}  ${one.origin}`));
    const variables = Object.entries(printed).map(
      ([option, value]) => `${variableOf(title, option)}=${value}`,
    );
    lines.push(...(isEnv ? variables : [`  ${JSON.stringify(printed)}`]), '');
  }
  const origins = salesforce?.origins;
  if (origins && !isEnv && new Set(Object.values(origins).filter(Boolean)).size > 1) {
    lines.push('origins of salesforce', `  ${JSON.stringify(origins)}`, '');
  }
  lines.push(note('Stop with Ctrl+C.'));
  console.log(lines.join('\n'));
}

/** A port that is taken: tells which one, and what to do. */
function explain(error: unknown, { state }: EmulatorOptions): string {
  const { code, port, message } = error as NodeJS.ErrnoException & { port?: number };
  if (code !== 'EADDRINUSE') return message;
  const remedy = state === undefined ? 'choose others with --port' : `remove ${state}`;
  return `port ${port} is taken. Stop the program that listens there ("lsof -i :${port}" names it), or ${remedy}.`;
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
  if (command === 'version') {
    const file = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
    return console.log((JSON.parse(file) as { version: string }).version);
  }
  try {
    await serve(command);
  } catch (error) {
    console.error(`crm-emulator: ${explain(error, command.options)}`);
    process.exitCode = 1;
  }
}

await main();
