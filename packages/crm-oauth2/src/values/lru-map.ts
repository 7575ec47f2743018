/** A map of bounded size, which keeps what was used lately. */

/**
 * Keeps the entries that were used last: as many as it is told, and less than twice as many. They are kept
 * by generation. To find the oldest entry of a single map, V8 walks past every place that a deleted entry
 * has left, which makes each new one of ten thousand about ten times slower.
 */
export class LruMap<Key, Value> {
  readonly #size: number;
  #newer = new Map<Key, Value>();
  #older = new Map<Key, Value>();

  /** @param size how many entries are kept in any case */
  constructor(size: number) {
    this.#size = size;
  }

  get(key: Key): Value | undefined {
    const value = this.#newer.get(key);
    if (value !== undefined) return value;
    const older = this.#older.get(key);
    if (older !== undefined) this.set(key, older);
    return older;
  }

  delete(key: Key): void {
    this.#newer.delete(key);
    this.#older.delete(key);
  }

  set(key: Key, value: Value): void {
    // A value that is replaced may be a secret, and must not stay in memory.
    this.#older.delete(key);
    this.#newer.set(key, value);
    if (this.#newer.size < this.#size) return;
    this.#older = this.#newer;
    this.#newer = new Map();
  }
}
