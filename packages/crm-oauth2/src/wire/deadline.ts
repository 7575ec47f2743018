import { loginId } from '../errors/diagnostics';
import { Problem } from '../errors/oauth2-error';

/**
 * The moment by which one exchange must be over: connecting, waiting, reading, and every request
 * of it. One deadline is made per login and handed down, so that three slow steps cannot add up.
 */
export class Deadline {
  readonly #at: number;
  readonly #state: string | undefined;
  readonly timeout: number;

  /**
   * @param timeout milliseconds from now
   * @param state of the login that the exchange belongs to, when there is one
   */
  constructor(timeout: number, state?: string) {
    this.timeout = timeout;
    this.#state = state;
    this.#at = performance.now() + timeout;
  }

  /** The name of the login in diagnostics. */
  get login(): string | undefined {
    return this.#state === undefined ? undefined : loginId(this.#state);
  }

  /** Milliseconds since the exchange began. */
  elapsed(): number {
    return Math.round(performance.now() - this.#at + this.timeout);
  }

  /** Milliseconds left, never negative. */
  remaining(): number {
    return Math.max(0, this.#at - performance.now());
  }

  problem(code = 'timeout'): Problem {
    return new Problem(code, `not finished within ${this.timeout} ms`);
  }

  /** Waits for work that cannot be aborted (a store, a verify function), but no longer than this. */
  async wait<T>(work: T | PromiseLike<T>, code?: string): Promise<T> {
    // What is there need not be waited for.
    if (typeof Reflect.get(Object(work), 'then') !== 'function') return work;
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(this.problem(code)), this.remaining());
      void Promise.resolve(work)
        .then(resolve, reject)
        .then(() => clearTimeout(timer));
    });
  }
}
