/** The command `crm-oauth2`: reads the command line, runs the check, prints the report. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OAuth2Client } from '../client';
import { isLoopback } from '../values/options';
import { checkSetUp } from './check';
import type { Checked } from './check';
import { USAGE, UsageError, readCommandLine } from './command-line';
import type { Command } from './command-line';
import { failureOf, findingsOf } from './finding';
import type { Finding } from './finding';
import { LoginError, logInOnce } from './login';
import { describeLogin } from './login-report';
import type { LoginReport } from './login-report';
import { PackageError, findProvider } from './package';
import { asJson, asText, wrongsOf } from './report';
import { prefixOf, variableOf, withVariables } from './variables';
import type { Environment } from './variables';

/** The world of the command; a test has its own. */
export interface World {
  environment: Environment;
  /** Packages and files are looked for here. */
  folder: string;
  print(text: string): void;
  printError(text: string): void;
  /** Epoch milliseconds. */
  now(): number;
}

/** The exit statuses. */
const RIGHT = 0;
const WRONG = 1;
const MISUSE = 2;

/** @returns the exit status */
export async function main(
  argv: readonly string[],
  world: World = {
    environment: process.env,
    folder: process.cwd(),
    print: (text) => process.stdout.write(text),
    printError: (text) => process.stderr.write(text),
    now: Date.now,
  },
): Promise<number> {
  try {
    const command = readCommandLine(argv, world.environment, world.folder);
    if (typeof command === 'object') return await run(command, world);
    world.print(command === 'help' ? USAGE : `${ownVersion()}\n`);
    return RIGHT;
  } catch (error) {
    if (error instanceof UsageError) {
      world.printError(`crm-oauth2: ${error.message}\n\n${USAGE}`);
    } else if (error instanceof PackageError) world.printError(`crm-oauth2: ${error.message}\n`);
    else throw error;
    return MISUSE;
  }
}

/** Shorter texts stand in words by chance. */
const SHORTEST_SECRET = 4;

async function run(command: Command, world: World): Promise<number> {
  const { provider, version } = await findProvider(command.package, world.folder, command.provider);
  const prefix = command.prefix ?? prefixOf(provider.name);
  const { callbackURL, isPublic, timeoutMs } = command;
  const given = callbackURL && { [variableOf(prefix, 'callbackURL')]: callbackURL };
  const environment = { ...command.environment, ...given };
  const { now } = world;
  const checked = await checkSetUp({ provider, prefix, environment, isPublic, timeoutMs, now });
  const secret = checked.setUp.options.clientSecret ?? '';
  const secrets = secret.length < SHORTEST_SECRET ? [] : [secret];
  const name = [command.package, version].filter(Boolean).join(' ');
  const login = command.isLogin
    ? await logIn(checked, command, world, name, secrets)
    : { findings: [] };
  const report = {
    provider: provider.name,
    title: provider.title,
    package: name,
    findings: [...checked.findings, ...login.findings],
    login: login.report,
  };
  world.print((command.isJson ? asJson : asText)(report, secrets));
  return wrongsOf(report) === 0 ? RIGHT : WRONG;
}

const { right, wrong, unknown } = findingsOf('login');

async function logIn(
  { setUp, findings, agent }: Checked,
  { waitMs }: Command,
  { printError, now }: World,
  packageName: string,
  secrets: readonly string[],
): Promise<{ findings: Finding[]; report?: LoginReport }> {
  if (wrongsOf({ findings }) > 0) {
    return { findings: [unknown('No login was tried: mend first what is wrong.')] };
  }
  const { provider, prefix, options } = setUp;
  const usual = `http://localhost:3000/auth/${provider.name}/callback`;
  const callbackURL = setUp.callbackURL ?? usual;
  const { protocol, hostname } = new URL(callbackURL, 'https://relative.invalid');
  if (protocol !== 'http:' || !isLoopback(hostname)) {
    const words = `No login was tried: ${variableOf(prefix, 'callbackURL')} is not an http address of this machine.`;
    const mend = `Register ${usual} in the app too, and pass it with --callback.`;
    return { findings: [unknown(words, { mend })] };
  }
  const client = new OAuth2Client(provider, { ...options, ...(agent && { agent }) });
  try {
    const loggedIn = await logInOnce(client, callbackURL, waitMs, (url) =>
      printError(`Open this address in a browser, and log in:\n\n${url}\n\n`),
    );
    const about = { package: packageName, now: now(), secrets };
    const words = `A login ended well. Its tokens are not kept. The report has no value of the person; read it before you publish it.`;
    return { findings: [right(words)], report: describeLogin(client, loggedIn, about) };
  } catch (error) {
    if (error instanceof LoginError)
      return { findings: [wrong(`The login did not end: ${error.message}.`)] };
    const { words, rest } = failureOf(error);
    const mend = rest.mend && withVariables(rest.mend, setUp);
    return { findings: [wrong(`The login failed: ${words}.`, { ...rest, mend })] };
  } finally {
    client.close();
  }
}

/** From `lib`, or from `dist/check`. */
function ownVersion(): string {
  const files = ['..', '../..'].map((up) => join(__dirname, up, 'package.json'));
  const file = files.find((one) => existsSync(one)) ?? '';
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
