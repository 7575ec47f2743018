/** `npm run worker`: the hourly work in a process of its own, beside instances that share a database. */
import { resolve, join } from 'node:path';
import { Accounts } from './accounts';
import { ConfigError, readConfig } from './config';
import { openDatabase } from './database';
import { loadEnv, runProgram } from './program';
import { startWork } from './keep-alive';
import { createLog, observeLogins } from './log';
import { Metrics } from './metrics';
import { readSecrets } from './secrets';
import { createPassport } from './strategies';

async function main(): Promise<void> {
  loadEnv();
  const config = readConfig(process.env);
  if (config.databaseURL === undefined) {
    throw new ConfigError(
      'The worker needs DATABASE_URL. With the embedded database, the application does its work.',
    );
  }
  const { salesloft, salesos, salesforce } = config.providers;
  if (!salesloft || !salesos || !salesforce) {
    throw new ConfigError(
      'The worker needs the credentials of all providers. Those of an emulator: npx --no -- crm-emulator --env',
    );
  }
  const folder = resolve(config.dataFolder ?? join(__dirname, '../.data'));
  const secrets = readSecrets({ session: config.sessionSecret, token: config.tokenSecret }, folder);
  const log = createLog(config.logLevel);
  const { db, client, close } = await openDatabase(config.databaseURL, folder, log);
  const accounts = new Accounts(db);
  // No login comes here, so the address is not used.
  const baseURL = config.baseURL ?? 'http://localhost';
  const providers = { salesloft, salesos, salesforce };
  const logins = createPassport(providers, { baseURL, secrets, accounts, client });
  const unobserve = observeLogins(log, new Metrics());
  const end = startWork({ logins, accounts, db, log, refreshEarlyDays: config.refreshEarlyDays });
  const stop = () => void end().then(unobserve).then(close);
  process.once('SIGINT', stop).once('SIGTERM', stop);
  console.log('The worker keeps tokens alive. Stop with Ctrl+C.');
}

runProgram(main);
