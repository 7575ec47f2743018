import { Problem } from './errors';

/**
 * The moment by which one exchange must be over: connecting, waiting, reading, and every request
 * of it. One deadline is made per login and handed down, so that three slow steps cannot add up.
 */
export class Deadline {
  readonly #at: number;
  readonly timeout: number;

  /** @param timeout milliseconds from now */
  constructor(timeout: number) {
    this.timeout = timeout;
    this.#at = performance.now() + timeout;
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
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(this.problem(code)), this.remaining());
    });
    try {
      return await Promise.race([work, over]);
    } finally {
      clearTimeout(timer);
    }
  }
}
