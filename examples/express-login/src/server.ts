/** The program of `npm start`: configuration, database, emulator if it is needed, application, a clean end. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { Accounts } from './accounts';
import { createApp } from './app';
import { readConfig } from './config';
import type { Config } from './config';
import { openDatabase } from './database';
import { completeProviders } from './emulator';
import type { Played } from './emulator';
import { startWork } from './keep-alive';
import { createLog, observeLogins } from './log';
import type { Logger } from './log';
import { Metrics } from './metrics';
import { loadEnv, runProgram } from './program';
import { PROVIDERS, TITLES } from './providers';
import { readSecrets } from './secrets';
import { seeTheLogin } from './see-the-login';
import { createPassport } from './strategies';
import type { Logins } from './strategies';

/** Requests that take longer after the signal to end are cut off. */
const GRACE_MS = 10_000;
const IDLE_CHECK_MS = 100;

async function main(): Promise<void> {
  loadEnv();
  const config = readConfig(process.env);
  const folder = resolve(config.dataFolder ?? join(__dirname, '../.data'));
  const secrets = readSecrets({ session: config.sessionSecret, token: config.tokenSecret }, folder);
  const log = createLog(config.logLevel);
  const metrics = new Metrics();
  // First, because it refuses a second process on the same folder.
  const database = await openDatabase(config.databaseURL, folder, log);
  const { close: closeEmulator, ...played } = await completeProviders(
    config,
    join(folder, 'emulator'),
  );

  // Listen last, and attach the application in the same turn: every request that is accepted finds it.
  // The emulator signs in every visitor as any person, so other machines are kept out.
  const isEmulated = Object.keys(played.emulated).length > 0;
  const server = createServer().listen(
    config.port,
    config.host ?? (isEmulated ? '127.0.0.1' : undefined),
  );
  await once(server, 'listening');
  const baseURL = config.baseURL ?? `http://localhost:${(server.address() as AddressInfo).port}`;
  const { db, client } = database;
  const accounts = new Accounts(db);
  const logins = createPassport(played.providers, { baseURL, secrets, accounts, client });
  const unobserve = observeLogins(log, metrics);
  void warmUp(logins, config, log);
  let isStopping = false;
  const { proxies, metricsToken } = config;
  const parts = { ...played, baseURL, secrets, database, accounts, logins, log, proxies };
  server.on(
    'request',
    createApp({
      ...parts,
      metrics,
      metricsToken,
      isStopping: () => isStopping,
      forDevelopers: config.showLogins ? seeTheLogin(db, log) : undefined,
    }),
  );

  // Several instances leave the work to a worker of its own.
  const endWork = config.databaseURL
    ? undefined
    : startWork({ logins, accounts, db, log, refreshEarlyDays: config.refreshEarlyDays });
  const stop = async () => {
    isStopping = true;
    await Promise.all([drain(server), endWork?.()]);
    unobserve();
    await Promise.all([closeEmulator(), database.close()]);
  };
  const stopOnce = () => {
    if (!isStopping) void stop();
  };
  process.on('SIGINT', stopOnce).on('SIGTERM', stopOnce);
  printStart(baseURL, played, config, folder);
}

/** Makes the first login at a provider with credentials as fast as the next. One that is away delays nothing. */
async function warmUp({ strategies }: Logins, { providers }: Config, log: Logger): Promise<void> {
  const configured = PROVIDERS.filter((provider) => providers[provider]);
  await Promise.all(
    configured.map(async (provider) => {
      const problem = await strategies[provider].client.warm();
      if (problem) log.warn({ provider, code: problem.code }, 'not ready for logins');
    }),
  );
}

/** Accepts no more connections, and waits for the answers that are under way. */
async function drain(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  // A connection that is kept after its answer would hold the process.
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
  const late = setTimeout(() => server.closeAllConnections(), GRACE_MS);
  await closed;
  clearInterval(idle);
  clearTimeout(late);
}

function printStart(
  baseURL: string,
  { emulated, samples }: Played,
  { databaseURL }: Config,
  folder: string,
): void {
  console.log(`\nExpress login example: ${baseURL}\n`);
  for (const name of PROVIDERS) {
    const origin = emulated[name];
    console.log(`  ${TITLES[name].padEnd(11)} ${origin ? `emulated at ${origin}` : 'real'}`);
  }
  for (const [name, origin] of Object.entries(samples.salesforce ?? {})) {
    console.log(`    ${name.padEnd(9)} at ${origin}`);
  }
  console.log(
    databaseURL
      ? '\nAccounts, tokens and sessions are kept in the database of DATABASE_URL.'
      : `\nAccounts, tokens and sessions are kept in ${folder}. Remove it to start afresh.`,
  );
  console.log('\nStop with Ctrl+C.');
}

runProgram(main);
