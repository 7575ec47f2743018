/** The program of `npm start`: configuration, the emulator if it is needed, the application, a clean end. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { loadEnvFile } from 'node:process';
import { createApp } from './app';
import { ConfigError, readConfig } from './config';
import { completeProviders } from './emulator';
import { PROVIDERS, TITLES } from './strategies';

async function main(): Promise<void> {
  const envFile = join(__dirname, '../.env');
  if (existsSync(envFile)) loadEnvFile(envFile);
  const config = readConfig(process.env);

  const { providers, emulated, samples, close } = await completeProviders(config);
  const sessionSecret = config.sessionSecret ?? randomBytes(32).toString('hex');

  // Listen last, and attach the application in the same turn: every request that is accepted finds it.
  const server = createServer().listen(config.port);
  await once(server, 'listening');
  const baseURL = config.baseURL ?? `http://localhost:${(server.address() as AddressInfo).port}`;
  server.on('request', createApp({ baseURL, sessionSecret, providers, emulated, samples }));

  const stop = () => {
    server.close();
    server.closeAllConnections();
    void close();
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
  if (!config.sessionSecret) {
    console.log('\nSESSION_SECRET is not set: all people are logged out when this process ends.');
  }
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
