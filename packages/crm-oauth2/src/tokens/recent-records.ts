/** Records that were read a moment ago: they are not parsed again, and some callers need no other look at the store. */
import { LruMap } from '../values/lru-map';
import { parseRecord } from './token-record';
import type { StoredRecord, TokenRecord } from './token-record';
import type { TokenStore } from './token-store';

/** Records that are remembered for each store. */
const MAX_RECENT = 10_000;

/** Parsed records that are remembered for each store. */
const MAX_PARSED = 1000;

const RECENT = new WeakMap<TokenStore, RecentRecords>();

export class RecentRecords {
  readonly #records = new LruMap<string, { record: TokenRecord; readAt: number }>(MAX_RECENT);
  readonly #parsed = new LruMap<string, { value: string; record: TokenRecord }>(MAX_PARSED);
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

  /** The record of a stored value. @throws {Problem} `store_corrupt` */
  parse(key: string, value: string): TokenRecord {
    const known = this.#parsed.get(key);
    if (known?.value === value) return known.record;
    const record = parseRecord(value);
    this.#parsed.set(key, { value, record });
    return record;
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
    this.#parsed.delete(key);
  }
}
