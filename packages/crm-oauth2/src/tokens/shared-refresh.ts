/** One refresh in this process: its callers share it, and are told when the provider is slow. */
import { Deadline } from '../wire/deadline';

/**
 * A refresh goes on when the provider is slow: its answer may hold the only refresh token that is
 * still good. The callers wait no longer than the timeout.
 */
export class SharedRefresh<T> {
  /** True once the provider has taken longer than the timeout. */
  isLate = false;
  readonly #timeout: number;
  readonly #outcome: Promise<T>;
  readonly #late: Promise<never>;
  #tellCallers!: (reason: unknown) => void;

  /** @param timeout milliseconds that a caller waits for the provider */
  constructor(timeout: number, work: (shared: SharedRefresh<T>) => Promise<T>) {
    this.#timeout = timeout;
    this.#late = new Promise((_resolve, reject) => (this.#tellCallers = reject));
    this.#outcome = work(this);
    // Avoids an unhandled rejection: the callers may have been told before it ends.
    this.#outcome.catch(() => undefined);
    this.#late.catch(() => undefined);
  }

  /** @throws {Problem} `timeout` */
  async join(): Promise<T> {
    return await (this.isLate
      ? new Deadline(this.#timeout).wait(this.#outcome)
      : Promise.race([this.#outcome, this.#late]));
  }

  /** Waits for an answer to its end, and tells the callers when it is late. */
  async awaitAnswer<A>(answer: Promise<A>): Promise<A> {
    const tooLong = new Deadline(this.#timeout).problem();
    const timer = setTimeout(() => {
      this.isLate = true;
      this.#tellCallers(tooLong);
    }, this.#timeout);
    try {
      return await answer;
    } finally {
      clearTimeout(timer);
    }
  }
}
