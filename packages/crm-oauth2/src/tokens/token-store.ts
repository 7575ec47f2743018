/**
 * Where people's tokens are kept: four operations that any database has. A store knows no OAuth:
 * `key` and `value` are texts to it.
 */

/** A value as read. */
export interface StoredValue {
  value: string;
  /** Says which writing of the key this is; of the store's own making. */
  version: string;
}

/** Gives a lock back, if it is still ours. */
export type Unlock = () => Promise<void>;

/**
 * A store is right when it passes every check of `crm-oauth2/conformance`; `docs/token-stores.md`
 * has one for SQL. It rejects when it cannot answer, and it need not hurry: who asks sets the limit.
 */
export interface TokenStore {
  /** @returns what was last written, or nothing */
  get(key: string): Promise<StoredValue | undefined>;
  /**
   * Writes only if the key has not been written since `version` was read; without `version`, only if
   * there is no such key. In one step: of two who try, one succeeds.
   *
   * @returns the new version, or nothing when somebody was faster
   */
  set(key: string, value: string, version: string | undefined): Promise<string | undefined>;
  /** Removes the key, if it is there. */
  delete(key: string): Promise<void>;
  /**
   * Takes the lock of a key, which may have no value. It ends by itself after `milliseconds`, so that
   * one whose holder was killed does not last. Does not wait.
   *
   * @returns how to give it back, or nothing while somebody else has it
   */
  lock(key: string, milliseconds: number): Promise<Unlock | undefined>;
}

/**
 * Tokens in memory: for one process, and gone with it. For several processes, or to outlive a restart,
 * use {@link RedisTokenStore}.
 */
export class MemoryTokenStore implements TokenStore {
  readonly #values = new Map<string, StoredValue>();
  readonly #locks = new Map<string, { endsAt: number }>();
  #writes = 0;

  async get(key: string): Promise<StoredValue | undefined> {
    const stored = this.#values.get(key);
    return await Promise.resolve(stored && { ...stored });
  }

  async set(key: string, value: string, version: string | undefined): Promise<string | undefined> {
    if (this.#values.get(key)?.version !== version) return await Promise.resolve(undefined);
    this.#writes += 1;
    const next = String(this.#writes);
    this.#values.set(key, { value, version: next });
    return next;
  }

  async delete(key: string): Promise<void> {
    this.#values.delete(key);
    await Promise.resolve();
  }

  async lock(key: string, milliseconds: number): Promise<Unlock | undefined> {
    const held = this.#locks.get(key);
    if (held && held.endsAt > performance.now()) return await Promise.resolve(undefined);
    const lock = { endsAt: performance.now() + milliseconds };
    this.#locks.set(key, lock);
    return async () => {
      if (this.#locks.get(key) === lock) this.#locks.delete(key);
      await Promise.resolve();
    };
  }
}
