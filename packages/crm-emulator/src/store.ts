import type { Stored } from 'oidc-provider/lib/provider.js';

const PRUNE_ABOVE = 5_000;
const KEEP_EXPIRED_SECONDS = 3_600;

/** Kept nowhere: the emulator asks who signs in at every request. */
const FORGOTTEN = new Set(['Session']);

/**
 * Everything one provider remembers: codes, tokens, grants, pending sign-ins. Expired entries stay for
 * an hour, so that a refusal can say "expired" instead of "unknown".
 */
export class Store {
  readonly #entries = new Map<string, Stored>();
  readonly #forgetsConsumed: ReadonlySet<string>;

  /** @param forgetsConsumed models whose used entries are dropped, so that a replay harms nobody else */
  constructor(forgetsConsumed: string[] = []) {
    this.#forgetsConsumed = new Set(forgetsConsumed);
  }

  find(model: string, id: string): Stored | undefined {
    return this.#entries.get(`${model}:${id}`);
  }

  /** The entry, unless it has expired or was used up. */
  findLive(model: string, id: string): Stored | undefined {
    const entry = this.find(model, id);
    if (!entry || entry['consumed'] !== undefined) return undefined;
    return typeof entry['exp'] === 'number' && entry['exp'] <= Date.now() / 1000
      ? undefined
      : entry;
  }

  save(model: string, id: string, payload: Stored): void {
    if (FORGOTTEN.has(model)) return;
    if (this.#entries.size > PRUNE_ABOVE) this.#prune();
    this.#entries.set(`${model}:${id}`, payload);
  }

  consume(model: string, id: string): void {
    if (this.#forgetsConsumed.has(model)) return this.destroy(model, id);
    const entry = this.find(model, id);
    if (entry) entry['consumed'] = Math.floor(Date.now() / 1000);
  }

  destroy(model: string, id: string): void {
    this.#entries.delete(`${model}:${id}`);
  }

  /** Removes whatever was issued on one consent; a single model's, if named. */
  revokeGrant(grantId: unknown, model = ''): void {
    if (typeof grantId !== 'string') return;
    for (const [key, entry] of this.#entries) {
      if (entry['grantId'] === grantId && key.startsWith(model)) this.#entries.delete(key);
    }
  }

  /** The storage interface the engine asks for, one per model. */
  adapter(model: string) {
    const settled = <T>(value: T) => Promise.resolve(value);
    return {
      upsert: (id: string, payload: Stored) => settled(this.save(model, id, payload)),
      find: (id: string) => settled(this.find(model, id)),
      findByUid: () => settled(undefined),
      findByUserCode: () => settled(undefined),
      consume: (id: string) => settled(this.consume(model, id)),
      destroy: (id: string) => settled(this.destroy(model, id)),
      revokeByGrantId: (grantId: string) => settled(this.revokeGrant(grantId, `${model}:`)),
    };
  }

  #prune(): void {
    const oldest = Date.now() / 1000 - KEEP_EXPIRED_SECONDS;
    for (const [key, { exp }] of this.#entries) {
      if (typeof exp === 'number' && exp < oldest) this.#entries.delete(key);
    }
  }
}
