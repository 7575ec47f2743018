/** The memory of one provider: codes, tokens, grants and pending sign-ins. */
import type { Stored } from 'oidc-provider/lib/provider.js';

const PRUNE_ABOVE_ENTRIES = 5_000;
const KEEP_EXPIRED_SECONDS = 3_600;

/** The engine's models that are never saved: the emulator asks who signs in at every request. */
const UNSAVED_MODELS = new Set(['Session']);

/** Expired entries stay for an hour, so that a refusal can say "expired" instead of "unknown". */
export class Store {
  readonly #entries = new Map<string, Stored>();
  #pruneAbove = PRUNE_ABOVE_ENTRIES;
  readonly #modelsDeletedOnUse: ReadonlySet<string>;

  /**
   * @param modelsDeletedOnUse models whose entries are deleted when they are used. A replay is then
   *   refused as unknown, and the engine does not revoke the other tokens of the grant.
   */
  constructor(modelsDeletedOnUse: string[] = []) {
    this.#modelsDeletedOnUse = new Set(modelsDeletedOnUse);
  }

  find(model: string, id: string): Stored | undefined {
    return this.#entries.get(`${model}:${id}`);
  }

  /** Finds an entry that is neither expired nor used. */
  findLive(model: string, id: string): Stored | undefined {
    const entry = this.find(model, id);
    if (!entry || entry['consumed'] !== undefined) return undefined;
    return typeof entry['exp'] === 'number' && entry['exp'] <= Date.now() / 1000
      ? undefined
      : entry;
  }

  save(model: string, id: string, payload: Stored): void {
    if (UNSAVED_MODELS.has(model)) return;
    if (this.#entries.size > this.#pruneAbove) this.#prune();
    this.#entries.set(`${model}:${id}`, payload);
  }

  consume(model: string, id: string): void {
    if (this.#modelsDeletedOnUse.has(model)) return this.destroy(model, id);
    const entry = this.find(model, id);
    if (entry) entry['consumed'] = Math.floor(Date.now() / 1000);
  }

  destroy(model: string, id: string): void {
    this.#entries.delete(`${model}:${id}`);
  }

  /** Deletes everything that was issued on one grant, or only the entries of one model. */
  revokeGrant(grantId: unknown, keyPrefix = ''): void {
    if (typeof grantId !== 'string') return;
    for (const [key, entry] of this.#entries) {
      if (entry['grantId'] === grantId && key.startsWith(keyPrefix)) this.#entries.delete(key);
    }
  }

  /** Deletes the access tokens of one account; its refresh tokens stay. */
  endSessions(accountId: string): void {
    for (const [key, entry] of this.#entries) {
      if (entry['accountId'] === accountId && key.startsWith('AccessToken:')) {
        this.#entries.delete(key);
      }
    }
  }

  /** The storage interface that the engine asks for, one per model. */
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
    // Doubled, so that a store of many live entries is not searched at each save.
    this.#pruneAbove = Math.max(PRUNE_ABOVE_ENTRIES, 2 * this.#entries.size);
  }
}
