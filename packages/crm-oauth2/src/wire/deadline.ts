/** Limits the time of an exchange with the provider, however many requests it takes. */
import { Problem } from '../errors/problem';
import { loginId } from '../errors/diagnostics';
import type { ErrorCode } from '../errors/codes';

/**
 * The time by which an exchange must be over, with all its requests: connecting, waiting and reading.
 * A login makes one deadline and hands it down, so that three slow steps cannot add up.
 */
export class Deadline {
  readonly timeout: number;
  readonly #beganAt = performance.now();
  readonly #state: string | undefined;

  /**
   * @param timeout milliseconds from now
   * @param state the `state` of the login that the exchange belongs to, when there is one
   */
  constructor(timeout: number, state?: string) {
    this.timeout = timeout;
    this.#state = state;
  }

  /** The name of the login in diagnostics. */
  get login(): string | undefined {
    return this.#state === undefined ? undefined : loginId(this.#state);
  }

  /** Milliseconds since the exchange began. */
  elapsed(): number {
    return Math.round(performance.now() - this.#beganAt);
  }

  /** Milliseconds left, never negative. */
  remaining(): number {
    return Math.max(0, this.#beganAt + this.timeout - performance.now());
  }

  /**
   * Calls back when the time is over. A busy process runs its timers late, before it reads what has arrived
   * in time; therefore the event loop reads first.
   */
  startTimer(act: () => void): NodeJS.Timeout {
    return setTimeout(() => setImmediate(act), this.remaining());
  }

  problem(code: ErrorCode = 'timeout'): Problem {
    return new Problem(code, `not finished within ${this.timeout} ms`);
  }

  /**
   * Waits for work that cannot be aborted (a store, a verify function), but not after the deadline.
   *
   * @throws {Problem} `timeout`, or the code that is given
   */
  wait<T>(work: T | PromiseLike<T>, code?: ErrorCode): T | Promise<T> {
    // A plain value is returned as it is, at once, and also after the deadline.
    if (typeof Reflect.get(Object(work), 'then') !== 'function') return work as T;
    return new Promise((resolve, reject) => {
      const timer = this.startTimer(() => reject(this.problem(code)));
      const settle =
        <V>(act: (value: V) => void) =>
        (value: V) => {
          clearTimeout(timer);
          act(value);
        };
      Promise.resolve(work).then(settle(resolve), settle(reject));
    });
  }
}
