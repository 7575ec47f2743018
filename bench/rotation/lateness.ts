/**
 * Measures how long this process did not run: the lateness of its timers, the delay of its event loop, and
 * the time that its thread pool, which encrypts for the library, takes for a small task.
 */
import { randomBytes } from 'node:crypto';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Delay } from './evidence';

/** Between two looks at the clock. */
const BEAT_MS = 50;

/** A beat that is later than this counts as a stall. */
const STALL_MS = 50;

/** A clock that differs by this much from one that is never set has been set. */
const CLOCK_MS = 250;

const RESOLUTION_MS = 10;
const NANOSECONDS_PER_MS = 1e6;

export class Lateness {
  /** True if the clock was set during the run: the times of the processes cannot be compared then. */
  isClockSet = false;
  #last = Date.now();
  #from = 0;
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor(onStall: (from: number, to: number) => void, onBeat?: (at: number) => void) {
    this.#delay.enable();
    setInterval(() => {
      const now = Date.now();
      if (now - this.#last - BEAT_MS > STALL_MS) onStall(this.#last, now);
      if (isClockSet()) this.isClockSet = true;
      this.#last = now;
      randomBytes(1, () => {
        const done = Date.now();
        if (done - now > STALL_MS && now >= this.#from) onStall(now, done);
      });
      onBeat?.(now);
    }, BEAT_MS).unref();
  }

  /** Leaves out the time until now, in which this process stood still on purpose. */
  leaveOut(): void {
    this.#last = Date.now();
    this.#from = this.#last;
    this.#delay.reset();
  }

  /** Milliseconds of the event loop. */
  get delay(): Delay {
    const ms = (value: number) =>
      Math.max(0, Math.round(value / NANOSECONDS_PER_MS - RESOLUTION_MS));
    if (this.#delay.count === 0) return { p99: 0, max: 0 };
    return { p99: ms(this.#delay.percentile(99)), max: ms(this.#delay.max) };
  }
}

/** Compares the wall clock with the clock that is never set. A stall between the two looks is left out. */
function isClockSet(): boolean {
  const before = performance.now();
  const difference = Date.now() - performance.timeOrigin;
  const after = performance.now();
  return difference < before - CLOCK_MS || difference > after + CLOCK_MS;
}
