/** One person's record in a token store: each operation has a time limit, and each failure a code. */
import { setTimeout as pause } from 'node:timers/promises';
import { describe, isOAuth2Error } from '../errors/oauth2-error';
import { Problem, isProblem } from '../errors/problem';
import { bareCause } from '../errors/redaction';
import { Deadline } from '../wire/deadline';
import { RecentRecords } from './recent-records';
import { hasSameTokens, serialize } from './token-record';
import type { StoredRecord, TokenRecord } from './token-record';
import type { TokenStore, Unlock } from './token-store';

/** A lock that this process holds. */
export interface Lock {
  readonly end: Deadline;
  /**
   * True while the outcome of a refresh is unknown, or its new tokens are not stored. The lock is then
   * not released, and other processes wait until it expires.
   */
  keepUntilExpiry: boolean;
}

/** A lock lasts this much longer than the client's timeout, so that no request outlives its lock. */
const LOCK_BEYOND_TIMEOUT_MS = 5000;

/** Within this time, a process offers its new pair again to a store that was away. */
export const PAIR_ARRIVES_MS = 1500;

/** Time for another process to take over the lock of a killed one, wait for its pair, and refresh. */
const TAKE_OVER_MS = PAIR_ARRIVES_MS + 1000;

/** Pauses between two attempts at a record that others use too grow from the first to the longest. */
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 200;

/** While the store fails, a new record is offered to it again for this long. */
const OFFER_LIMIT_MS = 60_000;

/** Pauses between two offers grow from the first to the longest. */
const FIRST_OFFER_PAUSE_MS = 100;
const LONGEST_OFFER_PAUSE_MS = 1000;

/** Store errors worth retrying. */
const PASSING_ERRORS: readonly string[] = ['store_unavailable', 'store_timeout'];

type Where = Parameters<typeof describe>[1];
type Offer = Promise<StoredRecord | undefined>;

/** The offers under way in this process, by store and key. Callers get these tokens, not the old ones. */
const OFFERS = new WeakMap<TokenStore, Map<string, Offer>>();

/** With jitter, so that the processes that wait do not all ask at once. */
export async function pauseForOthers(round: number): Promise<void> {
  const longest = Math.min(FIRST_PAUSE_MS * 2 ** round, LONGEST_PAUSE_MS);
  await pause((0.5 + Math.random()) * longest);
}

export class RecordStore {
  readonly #store: TokenStore;
  readonly #key: string;
  readonly #timeout: number;
  readonly #where: Where;
  readonly #offers: Map<string, Offer>;
  readonly #recent: RecentRecords;
  readonly #cacheMs: number;

  /** @param limits milliseconds for each operation, and for which a record is used as it was read */
  constructor(
    store: TokenStore,
    key: string,
    provider: Where['provider'],
    limits: { timeoutMs: number; cacheMs: number },
  ) {
    this.#store = store;
    this.#key = key;
    this.#timeout = limits.timeoutMs;
    this.#cacheMs = limits.cacheMs;
    this.#where = { provider, stage: 'store' };
    this.#offers = OFFERS.get(store) ?? new Map<string, Offer>();
    OFFERS.set(store, this.#offers);
    this.#recent = RecentRecords.of(store);
  }

  async find(): Promise<StoredRecord | undefined> {
    return await this.#limited(async () => {
      const stored = await this.#store.get(this.#key);
      const record = stored && this.#recent.parse(this.#key, stored.value);
      return record && { record, version: stored.version };
    });
  }

  /** The record that this process is offering to the store, if there is one; else the stored record. */
  async findLatest(): Promise<StoredRecord | undefined> {
    const offer = this.#offers.get(this.#key);
    if (offer) return await this.#limited(() => offer);
    const find = () => this.find();
    return await (this.#cacheMs === 0 ? find() : this.#recent.read(this.#key, find));
  }

  /** The record as it was read a moment ago: see `UserTokensOptions.cache`. */
  findRecent(): TokenRecord | undefined {
    return this.#cacheMs === 0 ? undefined : this.#recent.find(this.#key, this.#cacheMs);
  }

  /** The version of the stored value, even if the value cannot be read as a record. */
  async version(): Promise<string | undefined> {
    return (await this.#limited(() => this.#store.get(this.#key)))?.version;
  }

  /** @returns the new version, or nothing when the stored value has another version by now */
  async write(record: TokenRecord, version: string | undefined): Promise<string | undefined> {
    const { accessToken, refreshToken } = record.tokens;
    const value = serialize(record);
    const set = () => this.#store.set(this.#key, value, version);
    try {
      return await this.#limited(set, [accessToken, refreshToken]);
    } finally {
      this.#recent.forget(this.#key);
    }
  }

  /**
   * Writes a new pair of tokens over the old pair. While the store fails, this process offers the new
   * pair again, even after the caller got an error: it holds the only copy of the refresh token.
   *
   * @param lock is not released during these offers, but may expire
   * @returns the stored record: the new one, or one that was saved meanwhile; nothing when the record
   * was deleted meanwhile
   */
  async replace(old: StoredRecord, record: TokenRecord, lock: Lock): Offer {
    lock.keepUntilExpiry = true;
    const offer = this.#offerUntilStored(old, record).finally(() => {
      this.#offers.delete(this.#key);
      lock.keepUntilExpiry = false;
    });
    this.#offers.set(this.#key, offer);
    // Avoids an unhandled rejection: the wait below may end before the offer does.
    offer.catch(() => undefined);
    return await this.#limited(() => offer);
  }

  async #offerUntilStored(old: StoredRecord, record: TokenRecord): Offer {
    const limit = new Deadline(OFFER_LIMIT_MS);
    let { version } = old;
    let failure: unknown;
    for (let round = 0; ; round += 1) {
      try {
        const next = await this.write(record, version);
        if (next !== undefined) return { record, version: next };
        // Another write came first. Tokens from an earlier offer whose answer was lost, or from a login,
        // stay. A process that took this one for dead writes only a mark, and keeps the old tokens: the
        // next round replaces them.
        const stored = await this.find();
        if (!stored || !hasSameTokens(stored.record, old.record)) return stored;
        ({ version } = stored);
        failure = this.error(new Problem('store_unavailable', 'the store did not take the tokens'));
      } catch (error) {
        if (!isOAuth2Error(error) || !PASSING_ERRORS.includes(error.code)) throw error;
        failure = error;
      }
      if (limit.remaining() === 0) throw failure;
      const longest = Math.min(LONGEST_OFFER_PAUSE_MS, limit.remaining());
      await pause(Math.min(FIRST_OFFER_PAUSE_MS * 2 ** round, longest));
    }
  }

  async delete(): Promise<void> {
    try {
      await this.#limited(() => this.#store.delete(this.#key));
    } finally {
      this.#recent.forget(this.#key);
    }
  }

  /**
   * Runs `work` under the lock of this record.
   *
   * @param meanwhile asked now and then while another process holds the lock; a result ends the wait
   */
  async locked<T>(
    work: (lock: Lock) => Promise<T>,
    meanwhile?: () => Promise<T | undefined>,
  ): Promise<T> {
    const duration = this.#timeout + LOCK_BEYOND_TIMEOUT_MS;
    const deadline = new Deadline(duration + TAKE_OVER_MS);
    for (let round = 0; ; round += 1) {
      const lock = { end: new Deadline(duration), keepUntilExpiry: false };
      const unlock = await this.#takeLock(duration);
      if (unlock) {
        try {
          return await work(lock);
        } finally {
          // A lock that cannot be released expires.
          if (!lock.keepUntilExpiry) await this.#limited(unlock).catch(() => undefined);
        }
      }
      await pauseForOthers(round);
      const found = await meanwhile?.();
      if (found !== undefined) return found;
      if (deadline.remaining() === 0) throw this.error(deadline.problem('lock_timeout'));
    }
  }

  /** A lock that comes after the time limit is given back when it comes. */
  async #takeLock(duration: number): Promise<Unlock | undefined> {
    let lock: Promise<Unlock | undefined> | undefined;
    try {
      return await this.#limited(() => (lock = this.#store.lock(this.#key, duration)));
    } catch (error) {
      void lock?.then((unlock) => unlock?.()).catch(() => undefined);
      throw error;
    }
  }

  /** The error to throw for a problem with the store. */
  error(problem: unknown): unknown {
    return describe(problem, this.#where);
  }

  /**
   * Runs one operation of the store within the time limit. The application supplies the store, often
   * over a network, so that an operation may never end.
   *
   * @param secrets values that the store was given; they are removed from the text of its error
   */
  async #limited<T>(operation: () => Promise<T>, secrets?: (string | undefined)[]): Promise<T> {
    try {
      return await new Deadline(this.#timeout).wait(operation(), 'store_timeout');
    } catch (error) {
      // A store may state a problem of its own, such as `store_corrupt`.
      if (isProblem(error) || isOAuth2Error(error)) throw this.error(error);
      const cause = bareCause(error, secrets);
      throw this.error(new Problem('store_unavailable', 'the token store failed', { cause }));
    }
  }
}
