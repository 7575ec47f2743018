/** Calls between the runner and its processes, over the channel that `fork` opens. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';

/** The calls that a child answers: functions of one parameter at most, of values that JSON keeps. */
export type Handlers = Record<string, (parameters: never) => unknown>;

interface Call {
  id: number;
  name: string;
  parameters?: unknown;
}

interface Answer {
  id: number;
  result?: unknown;
  error?: string;
}

/** In a child: answers calls, and ends when the runner ends for any reason. */
export function serve(handlers: Handlers): void {
  const answer = (message: Answer) => {
    if (process.connected) process.send?.(message);
  };
  process.on('message', ({ id, name, parameters }: Call) => {
    const call = async () => await handlers[name]?.((parameters ?? {}) as never);
    call().then(
      (result) => answer({ id, result }),
      (error: unknown) =>
        answer({ id, error: error instanceof Error ? error.stack : String(error) }),
    );
  });
  process.on('disconnect', () => process.exit());
  // Ctrl-C reaches the whole group. The runner decides when its processes end.
  process.on('SIGINT', () => undefined);
}

export interface ChildOptions {
  env?: Record<string, string>;
  execArgv?: string[];
  /** The core that it alone runs on, by `taskset`. */
  core?: number;
}

interface Waiting {
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
}

/** In the runner: a process that answers calls. */
export class Child<H extends Handlers> {
  static readonly #running = new Set<Child<Handlers>>();

  /** Ends the processes that still run. */
  static stopAll(): void {
    for (const child of Child.#running) child.stop();
  }

  readonly #process: ChildProcess;
  readonly #calls = new Map<number, Waiting>();
  #last = 0;

  constructor(
    file: string,
    parameters: string[] = [],
    { env = {}, execArgv = [], core }: ChildOptions = {},
  ) {
    this.#process = fork(file, parameters, {
      env: { ...process.env, NODE_ENV: 'production', ...env },
      ...(core === undefined
        ? { execArgv }
        : { execPath: 'taskset', execArgv: ['-c', String(core), process.execPath, ...execArgv] }),
      // Their output matters only when they fail, and then it comes as an error.
      stdio: ['ignore', 'ignore', process.env.BENCH_DEBUG ? 'inherit' : 'ignore', 'ipc'],
    });
    Child.#running.add(this);
    this.#process.on('message', ({ id, result, error }: Answer) => {
      const call = this.#calls.get(id);
      this.#calls.delete(id);
      if (error === undefined) call?.resolve(result);
      else call?.reject(new Error(error));
    });
    this.#process.on('error', () => undefined);
    this.#process.on('exit', (code, signal) => {
      Child.#running.delete(this);
      for (const { reject } of this.#calls.values()) {
        reject(new Error(`${parameters[0] ?? file} ended (${signal ?? code})`));
      }
    });
  }

  async call<K extends keyof H & string>(
    name: K,
    ...[parameters]: Parameters<H[K]>
  ): Promise<Awaited<ReturnType<H[K]>>> {
    this.#last += 1;
    const id = this.#last;
    const result = await new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject });
      this.#process.send({ id, name, parameters }, (error) => error && reject(error));
    });
    return result as Awaited<ReturnType<H[K]>>;
  }

  stop(): void {
    if (this.#process.connected) this.#process.disconnect();
  }
}
