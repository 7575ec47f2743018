/** Remembers the logins this process has lately begun, or finished. */
import { LOGIN_ATTEMPT_LIFETIME_MS } from '../protocol/login-attempt';

/** Logins of each generation: sixteen a second for ten minutes. Beyond that the oldest are forgotten early. */
const MAX_LOGINS = 10_000;

/**
 * The `state` of logins, until they would have expired.
 *
 * Stores cannot tell that a login was finished: two copies of one callback (a double click) each load
 * the session as it was before, and a cookie can be sent again. The code must be redeemed once all
 * the same. They are kept by generation, so that the old ones are dropped together.
 */
export class RecentLogins {
  #older = new Map<string, number>();
  #newer = new Map<string, number>();
  #turnsAt = Number.POSITIVE_INFINITY;

  has(state: string): boolean {
    return (this.#newer.get(state) ?? this.#older.get(state) ?? 0) > Date.now();
  }

  add(state: string, expiresAt: number): void {
    const now = Date.now();
    if (this.#newer.size >= MAX_LOGINS || now >= this.#turnsAt) {
      this.#older = this.#newer;
      this.#newer = new Map();
    }
    // After as long again, all of them have expired.
    if (this.#newer.size === 0) this.#turnsAt = now + LOGIN_ATTEMPT_LIFETIME_MS;
    this.#newer.set(state, expiresAt);
  }
}
