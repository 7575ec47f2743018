/** Starts the worker processes, passes on their messages, and ends each of them in time. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Job } from './accounts';
import type { Message } from './worker';

export interface Team {
  /** Every worker works, or has ended. */
  ready: Promise<unknown>;
  /** Every worker has ended. */
  ended: Promise<unknown>;
  /**
   * Lets each worker finish the request that it has begun, and kills it when that takes longer.
   *
   * @returns how many were killed at their work
   */
  end: (limitMs: number) => Promise<number>;
}

type Hear = (message: Message, worker: number) => void;

export function startTeam(job: Job, size: number, hear: Hear): Team {
  const numbers = Array.from({ length: size }, (_, index) => index + 1);
  const workers = numbers.map((number) => startWorker(job, number, hear));
  // Also when the parent ends early. A worker whose parent is killed ends by itself.
  process.once('exit', () => workers.forEach(({ kill }) => kill()));
  const ended = Promise.all(workers.map((worker) => worker.ended));
  return {
    ready: Promise.all(workers.map((worker) => worker.ready)),
    ended,
    end: async (limitMs) => {
      for (const worker of workers) worker.stop();
      await Promise.race([ended, sleep(limitMs, undefined, { ref: false })]);
      const killed = workers.filter(({ kill }) => kill());
      await ended;
      return killed.filter(({ hasBegun }) => hasBegun()).length;
    },
  };
}

function startWorker(job: Job, number: number, hear: Hear) {
  const child = fork(join(__dirname, 'worker.js'));
  let hasBegun = false;
  const isReady = new Promise<void>((resolve) => {
    child.on('message', (message: Message) => {
      if (message.event === 'ready') hasBegun = true;
      if (hasBegun) resolve();
      hear(message, number);
    });
  });
  // After this event, all messages have been heard.
  const ended = once(child, 'close').then(([status, signal]) => {
    if (status === 0 || child.killed) return;
    const text = `Worker ${number} ended early (${String(signal ?? status)})`;
    hear({ event: 'failure', text }, number);
  });
  const kill = () => isRunning(child) && child.kill('SIGKILL');
  // The callback takes the error of a worker that ends just now.
  const stop = () => child.connected && child.send('stop', () => undefined);
  child.send(job, () => undefined);
  return { ended, ready: Promise.race([isReady, ended]), hasBegun: () => hasBegun, kill, stop };
}

const isRunning = ({ exitCode, signalCode }: ChildProcess) =>
  exitCode === null && signalCode === null;
