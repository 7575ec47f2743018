/** The program of `npm start`: configuration, the emulator if it is needed, the application, a clean end. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { loadEnvFile } from 'node:process';
import { createApp } from './app';
import { ConfigError, readConfig } from './config';
import { openDatabase } from './database';
import { completeProviders } from './emulator';
import { PROVIDERS, TITLES } from './providers';
import { readSecrets } from './secrets';

async function main(): Promise<void> {
  const envFile = join(__dirname, '../.env');
  if (existsSync(envFile)) loadEnvFile(envFile);
  const config = readConfig(process.env);

  const folder = resolve(config.dataFolder ?? join(__dirname, '../.data'));
  const secrets = readSecrets({ session: config.sessionSecret, token: config.tokenSecret }, folder);
  // First, because it refuses a second process on the same folder.
  const database = await openDatabase(config.databaseURL, folder);
  const { close, ...played } = await completeProviders(config, join(folder, 'emulator'));
  const { emulated, samples } = played;
  const isEmulated = Object.keys(emulated).length > 0;

  // Listen last, and attach the application in the same turn: every request that is accepted finds it.
  // The emulator signs in every visitor as any person, so other machines are kept out.
  const host = config.host ?? (isEmulated ? '127.0.0.1' : undefined);
  const server = createServer().listen(config.port, host);
  await once(server, 'listening');
  const baseURL = config.baseURL ?? `http://localhost:${(server.address() as AddressInfo).port}`;
  server.on('request', createApp({ ...played, baseURL, secrets, database }));

  const stop = () => {
    server.close(() => void Promise.all([close(), database.close()]));
    server.closeAllConnections();
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);

  console.log(`\nExpress login example: ${baseURL}\n`);
  for (const name of PROVIDERS) {
    const origin = emulated[name];
    console.log(`  ${TITLES[name].padEnd(11)} ${origin ? `emulated at ${origin}` : 'real'}`);
  }
  for (const [name, origin] of Object.entries(samples.salesforce ?? {})) {
    console.log(`    ${name.padEnd(9)} at ${origin}`);
  }
  console.log(
    config.databaseURL
      ? '\nAccounts, tokens and sessions are kept in the database of DATABASE_URL.'
      : `\nAccounts, tokens and sessions are kept in ${folder}. Remove it to start afresh.`,
  );
  console.log('\nStop with Ctrl+C.');
}

main().catch((error: unknown) => {
  if (error instanceof ConfigError) console.error(error.message);
  else if (Reflect.get(Object(error), 'code') === 'EADDRINUSE') {
    console.error('The port is in use. Set PORT to another one.');
  } else console.error(error);
  // Setting exitCode would not end the process: the emulator may be listening already.
  process.exit(1);
});
