/** The cores that a measurement runs on: the app alone on one, everything else on another. */
import { execFileSync } from 'node:child_process';

export interface Cores {
  app: number;
  others: number;
}

const taskset = (...parameters: string[]) =>
  execFileSync('taskset', parameters, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

/** The members of a list like `0,2-4`. */
function membersOf(list: string): number[] {
  return list.split(',').flatMap((part) => {
    const [from = 0, to = from] = part.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
}

/**
 * Moves this process, and those that it starts from now on, to the second of its cores.
 *
 * @returns nothing where the system has no `taskset` (util-linux), or gives one core
 */
export function moveToOwnCore(): Cores | undefined {
  try {
    const pid = String(process.pid);
    const [, list = ''] = /:\s*([\d,-]+)\s*$/.exec(taskset('-cp', pid)) ?? [];
    const [app, others] = membersOf(list);
    if (app === undefined || others === undefined) return undefined;
    taskset('-acp', String(others), pid);
    return { app, others };
  } catch {
    return undefined;
  }
}

export function describeCores(cores: Cores | undefined): string {
  return cores
    ? `app on core ${cores.app}, provider and driver on core ${cores.others}, by taskset`
    : 'not pinned: taskset is missing, or there is one core';
}
