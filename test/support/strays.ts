import { setImmediate as turn } from 'node:timers/promises';

/** What would have ended a process, in the order it came. */
export interface Stray {
  kind: 'unhandledRejection' | 'uncaughtException';
  error: unknown;
}

/**
 * Runs `work`, and tells what nobody has caught meanwhile. The runner's own listeners, which would
 * fail the test at hand, are put aside until then.
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
    // Both are told once the work at hand is done.
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
