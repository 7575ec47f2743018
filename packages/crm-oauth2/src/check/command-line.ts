/** The command line: its options, its help, and how it is read. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs, parseEnv } from 'node:util';
import type { Environment } from './variables';

/** Each option: its argument, if it has one, and what it does. */
const OPTIONS = {
  'env-file': ['FILE', 'reads variables from a file too, such as .env'],
  prefix: ['NAME', 'begins the names of the variables (default: name of the provider)'],
  callback: ['URL', 'the callback URL, in place of its variable'],
  provider: ['NAME', 'one of several providers that the package describes'],
  public: ['', 'the app has no client secret'],
  timeout: ['SECONDS', 'for each request (default 10)'],
  login: ['', 'also runs one real login, and reports the shape of the answers'],
  wait: ['SECONDS', 'for the person who logs in (default 300)'],
  json: ['', 'prints the report as JSON'],
  help: ['', 'prints this text'],
  version: ['', 'prints the version'],
} as const satisfies Record<string, readonly [argument: string, meaning: string]>;

export const USAGE = `Usage: crm-oauth2 check PACKAGE [options]

Checks a set-up: PACKAGE is a strategy package, or the path of one. Its provider decides the names of the
variables that are read: NAME_CLIENT_ID, NAME_CLIENT_SECRET, NAME_CALLBACK_URL, and one for each of its options.
The provider is asked what it answers without a person. No secret is printed.

${Object.entries(OPTIONS)
  .map(([name, [argument, meaning]]) => `  ${`--${name} ${argument}`.padEnd(20)} ${meaning}`)
  .join('\n')}

Exit status: 0 if nothing is wrong, 1 if something is, 2 if the command line cannot be used.
`;

/** Words that explain a command line that cannot be used. They repeat no value. */
export class UsageError extends Error {}

export interface Command {
  package: string;
  /** The environment, over the variables of `--env-file`. */
  environment: Environment;
  prefix: string | undefined;
  callbackURL: string | undefined;
  provider: string | undefined;
  isPublic: boolean;
  isLogin: boolean;
  isJson: boolean;
  timeoutMs: number;
  waitMs: number;
}

/** The longest wait, in seconds: a login is over after ten minutes. */
const MAX_SECONDS = 600;

/** @throws {UsageError} */
export function readCommandLine(
  argv: readonly string[],
  environment: Environment,
  folder: string,
): Command | 'help' | 'version' {
  const { values, positionals } = parse(argv);
  if (values.help) return 'help';
  if (values.version) return 'version';
  const [command, name, ...more] = positionals;
  if (command !== 'check') throw new UsageError('the command is "check".');
  if (name === undefined) throw new UsageError('a package is missing, such as passport-acme.');
  if (more.length > 0) throw new UsageError('one package at a time.');
  const file = text(values['env-file']);
  return {
    package: name,
    environment: { ...(file !== undefined && readEnvFile(resolve(folder, file))), ...environment },
    prefix: prefix(text(values.prefix)),
    callbackURL: text(values.callback),
    provider: text(values.provider),
    isPublic: values.public === true,
    isLogin: values.login === true,
    isJson: values.json === true,
    timeoutMs: seconds('timeout', text(values.timeout), 10) * 1000,
    waitMs: seconds('wait', text(values.wait), 300) * 1000,
  };
}

function parse(argv: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries(OPTIONS).map(([name, [argument]]) => [
      name,
      { type: argument === '' ? 'boolean' : 'string' } as const,
    ]),
  );
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true });
  } catch (error) {
    // Node's sentence, whose advice about positional arguments is left out.
    throw new UsageError(`${(error as Error).message.split('. ')[0]}.`);
  }
}

const text = (value: string | boolean | undefined) =>
  typeof value === 'string' && value !== '' ? value : undefined;

function prefix(value: string | undefined): string | undefined {
  if (value === undefined || /^[A-Za-z_]\w*$/.test(value)) return value?.replace(/_$/, '');
  throw new UsageError('--prefix must be the beginning of a name, such as ACME.');
}

function seconds(name: keyof typeof OPTIONS, value: string | undefined, usual: number): number {
  if (value === undefined) return usual;
  const number = /^\d{1,3}$/.test(value) ? Number(value) : 0;
  if (number >= 1 && number <= MAX_SECONDS) return number;
  throw new UsageError(`--${name} must be a number of seconds from 1 to ${MAX_SECONDS}.`);
}

function readEnvFile(file: string): Environment {
  try {
    return parseEnv(readFileSync(file, 'utf8'));
  } catch (error) {
    const code = String(Reflect.get(Object(error), 'code'));
    throw new UsageError(`--env-file: ${file} cannot be read (${code}).`);
  }
}
