/** Records that were read a moment ago, for callers that need no other look at the store. */
import { LruMap } from '../values/lru-map';
import type { StoredRecord, TokenRecord } from './token-record';
import type { TokenStore } from './token-store';

/** Records that are remembered for each store. */
const MAX_RECENT = 10_000;

const RECENT = new WeakMap<TokenStore, RecentRecords>();

export class RecentRecords {
  readonly #records = new LruMap<string, { record: TokenRecord; readAt: number }>(MAX_RECENT);
  /** A new object for each change. */
  #lastChange = {};

  /** Those of one store, which all its users in this process share. */
  static of(store: TokenStore): RecentRecords {
    const known = RECENT.get(store) ?? new RecentRecords();
    RECENT.set(store, known);
    return known;
  }

  /** @param maxAgeMs milliseconds since the record was read */
  find(key: string, maxAgeMs: number): TokenRecord | undefined {
    const recent = this.#records.get(key);
    return recent && performance.now() - recent.readAt < maxAgeMs ? recent.record : undefined;
  }

  /** Remembers what is read, unless this process has changed a record meanwhile. */
  async read(
    key: string,
    read: () => Promise<StoredRecord | undefined>,
  ): Promise<StoredRecord | undefined> {
    const before = this.#lastChange;
    const readAt = performance.now();
    const stored = await read();
    if (stored && before === this.#lastChange)
      this.#records.set(key, { record: stored.record, readAt });
    return stored;
  }

  /** The record is about to change, or has just changed. */
  forget(key: string): void {
    this.#lastChange = {};
    this.#records.delete(key);
  }
}
