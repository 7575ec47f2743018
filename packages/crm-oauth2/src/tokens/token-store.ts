/** Where tokens are kept: four operations that any database has. */

/** A value as it was read. */
export interface StoredValue {
  value: string;
  /** Names the write that stored the value, in a form that the store chooses. */
  version: string;
}

/** Releases a lock, unless it has expired. */
export type Unlock = () => Promise<void>;

/**
 * A store knows nothing of OAuth: `key` and `value` are texts. It is right when it passes every check
 * of `crm-oauth2/testing`; `docs/token-stores.md` shows one for SQL. It rejects when it cannot answer,
 * and it needs no time limit, because its caller sets one.
 */
export interface TokenStore {
  /** @returns the last value that was written, or nothing */
  get(key: string): Promise<StoredValue | undefined>;
  /**
   * Writes only if the key has not been written since `version` was read; without `version`, only if
   * the key does not exist. This is one step: of two writers at once, one succeeds.
   *
   * @returns the new version, or nothing when another writer was faster
   */
  set(key: string, value: string, version: string | undefined): Promise<string | undefined>;
  /** Removes the key, if it exists. */
  delete(key: string): Promise<void>;
  /**
   * Takes the lock of a key, which may have no value. It expires after `milliseconds`, so that the
   * lock of a killed process does not last. Does not wait.
   *
   * @returns how to release it, or nothing while another holder has it
   */
  lock(key: string, milliseconds: number): Promise<Unlock | undefined>;
}

/**
 * Tokens in the memory of one process, lost when it ends. For several processes, or to outlive a
 * restart, use {@link RedisTokenStore}.
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
