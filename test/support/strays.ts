/** Errors that reach the process, because the code under test does not catch them. */
import { setImmediate as turn } from 'node:timers/promises';

/** An error that would have ended the process. */
export interface Stray {
  kind: 'unhandledRejection' | 'uncaughtException';
  error: unknown;
}

/**
 * Runs `work`, and returns the errors that reached the process meanwhile. The runner's own listeners,
 * which would fail the test, are removed for that time.
 */
export async function straysOf(work: () => Promise<void>): Promise<Stray[]> {
  const strays: Stray[] = [];
  const rejections = process.listeners('unhandledRejection');
  const exceptions = process.listeners('uncaughtException');
  process.removeAllListeners('unhandledRejection');
  process.removeAllListeners('uncaughtException');
  process.on('unhandledRejection', (error) => strays.push({ kind: 'unhandledRejection', error }));
  process.on('uncaughtException', (error) => strays.push({ kind: 'uncaughtException', error }));
  try {
    await work();
    // Node reports both after the current work.
    await turn();
    await turn();
  } finally {
    process.removeAllListeners('unhandledRejection');
    process.removeAllListeners('uncaughtException');
    for (const listener of rejections) process.on('unhandledRejection', listener);
    for (const listener of exceptions) process.on('uncaughtException', listener);
  }
  return strays;
}
