/** The workers: started, killed, held up, and ended. */
import type { ChildProcess } from 'node:child_process';
import type { Death } from './evidence';
import { START_LIMIT_MS, STOP_LIMIT_MS, ended, program, stop, within } from './processes';
import type { Moment } from './library';
import type { Paused, WorkerMessage, WorkerOptions, WorkerOrder } from './worker';

/** A brief run kills the workers that still wait for a lock after this time at its end. */
const GRACE_MS = 1500;

/** An order to stand still is taken back after this time. */
const PAUSE_LIMIT_MS = 3000;

/** Between the message of a meeting and the meeting. */
const MEETING_NOTICE_MS = 60;

export class Workers {
  /**
   * By name: when each was killed, and when it had ended. A worker that replaces another one has a name of
   * its own.
   */
  readonly killed = new Map<string, Death>();
  killedAtMoment = 0;
  readonly #options: Omit<WorkerOptions, 'name'>;
  readonly #onLost: (person: number) => void;
  readonly #running = new Map<string, ChildProcess>();
  /** Those that have connected. */
  readonly #ready = new Set<string>();
  #onReady: () => void = () => undefined;
  /** Until when a worker stands still. */
  readonly #paused = new Map<string, number>();
  #started = 0;
  #pauses = 0;
  #isOver = false;

  #onPaused: (paused: Paused) => void = () => undefined;

  constructor(options: Omit<WorkerOptions, 'name'>, onLost: (person: number) => void) {
    this.#options = options;
    this.#onLost = onLost;
  }

  /** Those that take part, and do not stand still. */
  get names(): string[] {
    const now = Date.now();
    return [...this.#ready].filter((name) => (this.#paused.get(name) ?? 0) < now);
  }

  /** Starts this many, and waits until they take part. */
  async startAll(count: number): Promise<void> {
    const ready = new Promise<void>((resolve) => {
      this.#onReady = () => {
        if (this.#ready.size >= count) resolve();
      };
    });
    for (let started = 0; started < count; started += 1) this.#start();
    await within(START_LIMIT_MS, 'workers', ready);
  }

  #start(): void {
    if (stop.signal.aborted) return;
    this.#started += 1;
    const name = `worker-${this.#started}`;
    const child = program('worker.js', { ...this.#options, name });
    this.#running.set(name, child);
    child.on('message', ({ ready, lost, paused }: WorkerMessage) => {
      if (ready) this.#ready.add(name);
      if (ready) this.#onReady();
      if (lost !== undefined) this.#onLost(lost);
      if (paused === undefined) return;
      this.#paused.set(name, paused.until);
      this.#onPaused(paused);
    });
    child.once('exit', (code) => {
      this.#running.delete(name);
      this.#ready.delete(name);
      const death = this.killed.get(name);
      if (death) {
        death.endedAt = Date.now();
        if (!this.#isOver) this.#start();
      } else if (!this.#isOver || code !== 0) {
        stop.abort(new Error(`${name} has ended by itself`));
      }
    });
  }

  kill(name: string, isMoment: boolean): void {
    const child = this.#running.get(name);
    if (!child || this.killed.has(name) || (this.#paused.get(name) ?? 0) > Date.now()) return;
    this.#ready.delete(name);
    this.killed.set(name, { at: Date.now(), endedAt: Infinity });
    if (isMoment) this.killedAtMoment += 1;
    child.kill('SIGKILL');
  }

  /** Lets all workers ask for one person's token at the same moment. */
  meet(person: number): void {
    const at = Date.now() + MEETING_NOTICE_MS;
    for (const child of this.#running.values()) tell(child, { meet: person, at });
  }

  /** Lets the first worker that refreshes at a meeting stand still at this moment of it. */
  async pauseOne(moment: Moment): Promise<Paused | undefined> {
    const order = (at: WorkerOrder['pause']) => {
      for (const child of this.#running.values()) tell(child, { pause: at });
    };
    this.#pauses += 1;
    const paused = new Promise<Paused>((resolve) => {
      this.#onPaused = resolve;
    });
    order({ moment, number: this.#pauses });
    const one = await within(PAUSE_LIMIT_MS, 'pause', paused).catch(() => undefined);
    stop.signal.throwIfAborted();
    order(null);
    return one;
  }

  /** Lets the workers finish their calls, and end. A brief run does not wait for locks. */
  async end(isBrief: boolean): Promise<void> {
    this.#isOver = true;
    const running = [...this.#running];
    for (const [, child] of running) tell(child, { end: true });
    const all = Promise.all(running.map(([, child]) => ended(child)));
    if (isBrief) {
      await within(GRACE_MS, 'workers', all).catch(() => undefined);
      stop.signal.throwIfAborted();
      for (const name of this.#running.keys()) this.kill(name, false);
    }
    await within(STOP_LIMIT_MS, 'workers', all);
  }
}

/** A worker that is about to end takes no message. */
function tell(child: ChildProcess, message: WorkerOrder): void {
  if (child.connected) child.send(message, () => undefined);
}
