/** The beginning and the end of a program: its environment, and the message of a start that fails. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadEnvFile } from 'node:process';
import { ConfigError } from './config-error';

export function loadEnv(): void {
  const file = join(__dirname, '../.env');
  if (existsSync(file)) loadEnvFile(file);
}

export function runProgram(main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    if (error instanceof ConfigError) console.error(error.message);
    else if (Reflect.get(Object(error), 'code') === 'EADDRINUSE') {
      console.error('The port is in use. Set PORT to another one.');
    } else console.error(error);
    // Setting exitCode would not end the process: the emulator may be listening already.
    process.exit(1);
  });
}
