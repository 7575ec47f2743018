/** The processes of a run: each ends with this program, and each wait for one has an end. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProviderLog } from './evidence';
import type { ProviderMessage, ProviderOptions, ProviderOrder } from './provider';

export const START_LIMIT_MS = 60_000;
/** A call of a worker may wait for two locks, on a machine that is busy. */
export const STOP_LIMIT_MS = 60_000;
/** A kill that waits for its moment in a token request gives up after this time. */
const MOMENT_LIMIT_MS = 3000;

/** Aborted at the end of the run, with the reason if it ends early. */
export const stop = new AbortController();
const children = new Set<ChildProcess>();

export const pause = async (milliseconds: number): Promise<void> =>
  await sleep(milliseconds, undefined, { signal: stop.signal });

/** Makes sure that a child ends with this program. */
export function own<C extends ChildProcess>(child: C): C {
  children.add(child);
  child.once('exit', () => children.delete(child));
  child.on('error', () => child.pid === undefined && children.delete(child));
  return child;
}

export const program = (name: string, options: object): ChildProcess =>
  own(fork(join(__dirname, name), [JSON.stringify(options)]));

export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

export function killAll(): void {
  for (const child of children) child.kill('SIGKILL');
}

export async function endAll(): Promise<void> {
  stop.abort();
  killAll();
  await Promise.all([...children].map(ended));
}

/** A wait that has taken too long. */
export class LateError extends Error {}

export async function within<T>(limit: number, title: string, work: Promise<T>): Promise<T> {
  const late = new AbortController();
  const timeout = sleep(limit, undefined, { signal: AbortSignal.any([late.signal, stop.signal]) });
  try {
    return await Promise.race([
      work,
      timeout.then(() => {
        throw new LateError(`${title}: not within ${limit} ms`);
      }),
    ]);
  } finally {
    late.abort();
    timeout.catch(() => undefined);
  }
}

/** The process of the provider. */
export class Provider {
  readonly #child: ChildProcess;
  /** The origins of its token endpoint and of its API. */
  readonly tokens: string;
  readonly api: string;

  static async start(options: ProviderOptions): Promise<Provider> {
    const child = program('provider.js', options);
    const { origins } = await next(child, START_LIMIT_MS, ({ origins: all }) => all !== undefined);
    return new Provider(child, origins?.tokens ?? '', origins?.api ?? '');
  }

  private constructor(child: ChildProcess, tokens: string, api: string) {
    this.#child = child;
    this.tokens = tokens;
    this.api = api;
  }

  #tell(order: ProviderOrder): void {
    this.#child.send(order);
  }

  /** @returns the worker whose token request is at this moment */
  async moment(name: string): Promise<string> {
    this.#tell({ await: name });
    const { answering = '' } = await next(
      this.#child,
      MOMENT_LIMIT_MS,
      ({ moment }) => moment === name,
    );
    return answering;
  }

  /** From this time on no refresh meets a fault. */
  calmAt(time: number): void {
    this.#tell({ calmAt: time });
  }

  async drain(): Promise<void> {
    this.#tell({ drain: true });
    await next(this.#child, STOP_LIMIT_MS, ({ drained }) => drained === true);
  }

  async log(): Promise<ProviderLog> {
    this.#tell({ tell: true });
    const { log } = await next(this.#child, STOP_LIMIT_MS, (message) => message.log !== undefined);
    if (!log) throw new Error('the provider has no log');
    return log;
  }

  async end(): Promise<void> {
    this.#child.disconnect();
    await within(STOP_LIMIT_MS, 'provider', ended(this.#child));
  }
}

async function next(
  child: ChildProcess,
  limit: number,
  is: (message: ProviderMessage) => boolean,
): Promise<ProviderMessage> {
  let found = (_message: ProviderMessage) => undefined as void;
  const answer = new Promise<ProviderMessage>((resolve) => {
    found = (message) => {
      if (is(message)) resolve(message);
    };
    child.on('message', found);
  });
  try {
    return await within(limit, 'provider', answer);
  } finally {
    child.off('message', found);
  }
}
