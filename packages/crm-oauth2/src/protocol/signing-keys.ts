/** The keys that ID Tokens are signed with: fetched when they are needed, kept for ten minutes. */
import type { webcrypto } from 'node:crypto';
import { loadJose } from '../values/jose';
import { LruMap } from '../values/lru-map';
import { isSuccess, parseJson, statusProblem } from '../wire/answers';
import type { HttpResponse } from '../wire/http';

/** Milliseconds for which fetched keys are used. */
const KEYS_LIFETIME_MS = 600_000;

/** Keys are fetched again at most this often, so that forged tokens cannot make us flood the provider. */
const COOLDOWN_MS = 5000;

/** Key sets that are kept: organizations may sign with keys of their own. */
const MAX_KEY_SETS = 500;

/** Sends the request for the keys. With `isBackground`, it does not keep the process alive. */
export type FetchKeys = (request: { isBackground?: true }) => Promise<HttpResponse>;

/** Finds the key that signed a token, by the header of the token. */
type FindKey = (header: object) => Promise<webcrypto.CryptoKey>;

/** The keys of each issuer, by their address. */
export class KeySets {
  readonly #sets = new LruMap<string, SigningKeys>(MAX_KEY_SETS);

  has(jwksUri: string): boolean {
    return this.#sets.get(jwksUri) !== undefined;
  }

  /** @param fetchKeys asks this address */
  at(jwksUri: string, fetchKeys: FetchKeys): SigningKeys {
    const set = this.#sets.get(jwksUri) ?? new SigningKeys(fetchKeys);
    this.#sets.set(jwksUri, set);
    return set;
  }
}

/**
 * The keys of one issuer. When a token names an unknown `kid`, the keys are fetched again, so that the
 * provider can change its keys while the application runs.
 */
export class SigningKeys {
  readonly #fetchKeys: FetchKeys;
  #current: { find: FindKey; fetchedAt: number; isAhead: boolean } | undefined;
  #fetching: Promise<void> | undefined;
  #askedAheadAt = Number.NEGATIVE_INFINITY;

  constructor(fetchKeys: FetchKeys) {
    this.#fetchKeys = fetchKeys;
  }

  /** The key that signed a token. */
  readonly find: FindKey = async (header) => {
    if (!this.#isFresh()) await this.#fetchOrJoin();
    const { fetchedAt = 0, isAhead } = this.#current ?? {};
    try {
      return (await this.#current?.find(header)) as webcrypto.CryptoKey;
    } catch (error) {
      const isUnknown = Reflect.get(Object(error), 'code') === 'ERR_JWKS_NO_MATCHING_KEY';
      // A provider may make its key when it first signs, and then the keys fetched ahead lack it.
      if (!isUnknown || (!isAhead && isWithin(COOLDOWN_MS, fetchedAt))) throw error;
      await this.#fetchOrJoin();
      return (await this.#current?.find(header)) as webcrypto.CryptoKey;
    }
  };

  /** Fetches the keys before a login needs them. Skipped while they are fresh, or just after a call. */
  async fetchAhead(): Promise<void> {
    if (this.#isFresh() || isWithin(COOLDOWN_MS, this.#askedAheadAt)) return;
    this.#askedAheadAt = Date.now();
    await this.#fetch({ isBackground: true }, true);
  }

  /** The same for a caller that waits for them. Skipped while they are fresh. */
  async prepare(): Promise<void> {
    if (!this.#isFresh()) await this.#fetch({}, true);
  }

  #isFresh(): boolean {
    return this.#current !== undefined && isWithin(KEYS_LIFETIME_MS, this.#current.fetchedAt);
  }

  /**
   * Shares one request among all logins that need the keys. A shared request may fail at the earlier
   * deadline of the login that began it. A login that joined it then tries once more.
   */
  async #fetchOrJoin(): Promise<void> {
    const hasJoined = this.#fetching !== undefined;
    await this.#fetch({}).catch((error: unknown) => {
      if (!hasJoined) throw error;
      return this.#fetch({});
    });
  }

  /** One request at a time. */
  #fetch(request: Parameters<FetchKeys>[0], isAhead = false): Promise<void> {
    this.#fetching ??= this.#load(request, isAhead).finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #load(request: Parameters<FetchKeys>[0], isAhead: boolean): Promise<void> {
    const response = await this.#fetchKeys(request);
    if (!isSuccess(response)) throw statusProblem(response);
    // Some servers label their keys with another content type, so the header is ignored.
    const json = parseJson(response.body, 'application/json') as unknown as KeySet;
    const { createLocalJWKSet } = await loadJose();
    const find = createLocalJWKSet(json) as FindKey;
    this.#current = { find, fetchedAt: Date.now(), isAhead };
    if (isAhead) await importAhead(json, find);
  }
}

interface KeySet {
  keys: { alg?: string; kid?: string }[];
}

/** Issuers publish two or three. */
const MAX_IMPORTED_AHEAD = 10;

/** jose imports a key when a token first names it, which takes longer than to verify the token. */
async function importAhead({ keys }: KeySet, find: FindKey): Promise<void> {
  const named = keys.slice(0, MAX_IMPORTED_AHEAD).map(({ alg, kid }) => find({ alg, kid }));
  // The login that needs a key meets its failure, and tells it.
  await Promise.allSettled(named);
}

/** False also for a moment that lies ahead, because the clock was set back since. */
function isWithin(milliseconds: number, moment: number): boolean {
  const age = Date.now() - moment;
  return age >= 0 && age < milliseconds;
}
