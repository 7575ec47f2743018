import { LOGIN_ATTEMPT_LIFETIME } from '../protocol/login-attempt';

/** Of each generation. Sixteen logins a second for ten minutes; beyond that they are forgotten early. */
const LIMIT = 10_000;

/**
 * The `state` of logins this process has lately begun, or finished, until they would have expired.
 *
 * Stores cannot tell that a login was finished: two copies of one callback (a double click) each load
 * the session as it was before, and a cookie can be sent again. The code must be redeemed once all
 * the same.
 *
 * They are kept by generation, so that the old ones are dropped together instead of one by one.
 */
export class RecentLogins {
  #older = new Map<string, number>();
  #newer = new Map<string, number>();
  #turn = Number.POSITIVE_INFINITY;

  has(state: string): boolean {
    return (this.#newer.get(state) ?? this.#older.get(state) ?? 0) > Date.now();
  }

  add(state: string, expiresAt: number): void {
    const now = Date.now();
    if (this.#newer.size >= LIMIT || now >= this.#turn) {
      this.#older = this.#newer;
      this.#newer = new Map();
    }
    // After as long again, all of them have expired.
    if (this.#newer.size === 0) this.#turn = now + LOGIN_ATTEMPT_LIFETIME;
    this.#newer.set(state, expiresAt);
  }
}
