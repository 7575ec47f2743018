/** Sixteen logins a second for ten minutes; beyond that the oldest are forgotten early. */
const LIMIT = 10_000;

/**
 * The `state` of logins this process has lately begun, or finished, until they would have expired.
 *
 * Stores cannot tell that a login was finished: two copies of one callback (a double click) each load
 * the session as it was before, and a cookie can be sent again. The code must be redeemed once all
 * the same.
 */
export class RecentLogins {
  readonly #until = new Map<string, number>();

  has(state: string): boolean {
    return (this.#until.get(state) ?? 0) > Date.now();
  }

  /** Makes room first: those in the front are the oldest. */
  add(state: string, expiresAt: number): void {
    for (const [oldest, until] of this.#until) {
      if (until > Date.now() && this.#until.size < LIMIT) break;
      this.#until.delete(oldest);
    }
    this.#until.set(state, expiresAt);
  }
}
