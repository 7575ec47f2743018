/**
 * A person's tokens, kept alive for months, by any number of callers in any number of processes.
 *
 * Refresh tokens rotate: each is good for one use, and a second use ends the person's grant. So one
 * refresh at a time: callers of a process share it, processes take the store's lock. The new pair is
 * stored before anybody gets it, and a refresh of unknown outcome is not repeated until it can do no
 * harm: after the access token has ended, and after the provider has surely finished with it.
 *
 *     fresh? ── yes ─────────────────────────────────────────────▶ use it
 *       │ no
 *     lock ── held by another ── wait, read again ── fresh? ─────▶ use it
 *       │
 *     read again ── fresh? another was faster ───────────────────▶ use it
 *       │
 *     write "a refresh has begun" ── ask the provider ── write the new pair ── unlock ──▶ use it
 */
import type { OAuth2Client } from '../client';
import { Deadline } from '../wire/deadline';
import { Problem, TokenError, bareCause, isOAuth2Error, located } from '../errors/oauth2-error';
import type { Stage } from '../errors/oauth2-error';
import { requireString } from '../values/options';
import type { ProviderDescription } from '../provider/description';
import type { TokenSet } from '../protocol/token-set';
import { isAlive, isFresh } from './freshness';
import { parseRecord, serialize } from './token-record';
import type { TokenRecord } from './token-record';
import type { GetTokenOptions, TokenSource } from './token-source';
import type { TokenStore } from './token-store';

export interface UserTokensOptions {
  store: TokenStore;
  /** Of the person, at this provider: `profile.id` does well. */
  key: string;
}

/** A record as it was read, and what a store needs to replace just that one. */
interface Read {
  record: TokenRecord;
  version: string;
}

/** What goes on in this process, by key; shared by all who use the same store. */
interface Work {
  /** Renewals under way. */
  renewing: Map<string, Promise<TokenSet>>;
  /** New pairs that the store has not taken yet. */
  saving: Map<string, Promise<Read>>;
}

const WORK = new WeakMap<TokenStore, Work>();

/** A lock of ours. */
interface Lock {
  readonly end: Deadline;
  /** A refresh token was sent under it, and what became of that is not known and stored. */
  isNeeded: boolean;
}

/** Beyond the client's timeout: no request outlives the lock it was sent under. */
const LOCK_BEYOND_TIMEOUT = 5000;

/** A new pair that cannot be stored is offered to the store again for this long. */
const SAVING_LIMIT = 60_000;

/** A store that was away gets a new pair within this, from the process that has it. */
const RETURN_OF_A_STORE = 1500;
const SAVING_INTERVAL = 1000;

/** Whoever gets the lock of a killed process waits for the store's return, then asks the provider. */
const TAKING_OVER = RETURN_OF_A_STORE + 1000;

/** Rounds of one renewal: reading again after somebody else has written, or is being answered. */
const MAX_ROUNDS = 5;

/** What a store gets over. */
const PASSING: readonly string[] = ['store_unavailable', 'store_timeout'];

/** Codes of a refresh that was answered with tokens not to be used: the refresh token is used up. */
const USED_UP = /^(?:id_token_|subject_mismatch$|signature_)/;

/** After a refusal the provider is not asked again for this long; a login ends it. */
const REFUSAL_LASTS = 60_000;

/** Codes of a refresh that never reached the provider, or that it refused without looking. */
const UNUSED: readonly string[] = [
  'dns_error',
  'tls_error',
  'connection_refused',
  'agent_unusable',
  'rate_limited',
];

/**
 * The tokens of one person, from a store, refreshed when they need it. Cheap to make: for every
 * request if you like.
 *
 * @example
 * const tokens = userTokens(strategy.client, { store, key: profile.id });
 * await tokens.save(grant); // once, after the login
 * const accessToken = await tokens.getAccessToken(); // for months
 */
export function userTokens(client: RefreshClient, options: UserTokensOptions): UserTokens {
  return new UserTokens(client, options);
}

/** What is used of an {@link OAuth2Client}, whatever its provider. */
export type RefreshClient = Pick<
  OAuth2Client,
  'clientID' | 'timeout' | 'endpoints' | 'refreshTokenGrant' | 'revokeToken'
> & {
  readonly provider: Pick<
    ProviderDescription,
    'name' | 'hints' | 'rateLimit' | 'refreshTokenLifetime'
  >;
};

/** Made by {@link userTokens}. */
export class UserTokens implements TokenSource {
  readonly provider: RefreshClient['provider'];
  readonly #client: RefreshClient;
  readonly #store: TokenStore;
  readonly #key: string;
  readonly #work: Work;

  /** @throws {TypeError} without a store, or a key */
  constructor(client: RefreshClient, { store, key }: UserTokensOptions) {
    if (typeof Reflect.get(Object(store), 'lock') !== 'function') {
      throw new TypeError('userTokens: option "store" must be a token store');
    }
    this.#client = client;
    this.provider = client.provider;
    this.#store = store;
    // A refresh token belongs to the client it was given to.
    this.#key = JSON.stringify([
      client.provider.name,
      client.clientID,
      requireString('userTokens', 'key', key),
    ]);
    this.#work = WORK.get(store) ?? { renewing: new Map(), saving: new Map() };
    WORK.set(store, this.#work);
  }

  /**
   * An access token that is good now: the stored one until five minutes before it ends, then a new
   * one, stored before it is returned.
   *
   * @throws {InternalOAuthError} `reauthorization_required`: the person must sign in again;
   * `store_unavailable`, `store_timeout`, `store_corrupt`, `lock_timeout`; and what
   * {@link OAuth2Client.refreshTokenGrant} throws
   */
  async getAccessToken(options?: GetTokenOptions): Promise<string> {
    return (await this.getTokens(options)).accessToken;
  }

  /** The same, with what came along: `response.instance_url`, `scope`, `expiresAt`. */
  async getTokens({ rejected }: GetTokenOptions = {}): Promise<TokenSet> {
    const { record } = (await this.#saved()) ?? (await this.#read());
    if (isSettled(record, rejected)) return record.tokens;
    try {
      const tokens = await this.#renew(rejected);
      // A renewal that had begun before these were refused may have found them good.
      return tokens.accessToken === rejected ? await this.#renew(rejected) : tokens;
    } catch (error) {
      // That there is no newer one is nobody's error yet; that this one was deleted is.
      const isPassing = isOAuth2Error(error) && error.code !== 'reauthorization_required';
      if (isPassing && isAlive(record, rejected)) return record.tokens;
      throw error;
    }
  }

  /**
   * Refreshes now, however fresh the tokens are: before a refresh token ends because nobody has used
   * it. See {@link planRefreshes}. While nobody knows what became of an earlier refresh, and the
   * access token is good, they stay as they are.
   */
  async refresh(): Promise<TokenSet> {
    const newerThan = Date.now();
    const { renewing } = this.#work;
    // One that is under way may end with the tokens it found.
    while (renewing.has(this.#key)) await renewing.get(this.#key)?.catch(() => undefined);
    return await this.#renew(undefined, newerThan);
  }

  /**
   * Keeps the tokens of a login, in place of any earlier ones; or tokens that were kept elsewhere so
   * far. A field that is `null` is one that is not there.
   *
   * @throws {TypeError} unless there is an access token, and `expiresAt` is in epoch milliseconds
   */
  async save(
    tokens: Pick<TokenSet, 'accessToken'> & { [Field in keyof TokenSet]?: TokenSet[Field] | null },
  ): Promise<void> {
    const record = newRecord(tokens);
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const stored = await this.#ask(() => this.#store.get(this.#key)).catch(
        async (error: unknown) => {
          if (!isOAuth2Error(error) || error.code !== 'store_corrupt') throw error;
          // Nobody can read it: the tokens of a login are worth more.
          await this.delete();
          return undefined;
        },
      );
      if (await this.#write(record, stored?.version)) return;
    }
    throw await this.#problem(new Problem('store_unavailable', 'the store never took the tokens'));
  }

  /** When they came, and when the person signed in (epoch ms); nothing when nothing is kept. */
  async age(): Promise<{ since: number; signedInAt: number } | undefined> {
    const read = await this.#find();
    return read && { since: read.record.since, signedInAt: read.record.signedInAt };
  }

  /** Forgets the tokens here, and leaves them alone at the provider. */
  async delete(): Promise<void> {
    await this.#ask(() => this.#store.delete(this.#key));
  }

  /** Ends the grant at the provider (RFC 7009), then forgets the tokens. */
  async revoke(): Promise<void> {
    await this.#locked(async () => {
      const read = (await this.#saved()) ?? (await this.#find());
      if (!read) return;
      const { tokens } = read.record;
      await this.#client.revokeToken(tokens.refreshToken ?? tokens.accessToken, {
        tokens,
        tokenTypeHint: tokens.refreshToken === undefined ? 'access_token' : 'refresh_token',
      });
      await this.delete();
    });
  }

  /** One renewal at a time in this process; who comes meanwhile gets its outcome. */
  async #renew(rejected?: string, newerThan?: number): Promise<TokenSet> {
    const { renewing } = this.#work;
    let renewal = renewing.get(this.#key);
    if (!renewal) {
      renewal = this.#renewAlone(rejected, newerThan).finally(() => renewing.delete(this.#key));
      renewing.set(this.#key, renewal);
    }
    return await renewal;
  }

  /**
   * One renewal at a time in all processes.
   *
   * @param newerThan epoch ms: tokens that came later are wanted, however fresh the present ones are
   */
  async #renewAlone(rejected?: string, newerThan?: number): Promise<TokenSet> {
    const isDone = (record: TokenRecord) =>
      newerThan === undefined
        ? isSettled(record, rejected)
        : isFresh(record) && record.since > newerThan;
    // Who has the lock is done in a moment, or was killed: a good token need not wait for that.
    const moment = new Deadline(this.#client.timeout / 5);
    const isEnough = (record: TokenRecord) =>
      newerThan === undefined && moment.remaining() === 0 && isAlive(record, rejected);
    return await this.#locked(
      (lock) => this.#refresh(lock, isDone, rejected),
      async () => {
        const { record } = await this.#read();
        return isDone(record) || isEnough(record) ? record.tokens : undefined;
      },
    );
  }

  /** Under the lock: looks again, refreshes, and stores. */
  async #refresh(
    lock: Lock,
    isDone: (record: TokenRecord) => boolean,
    rejected: string | undefined,
  ): Promise<TokenSet> {
    let read = (await this.#saved()) ?? (await this.#read());
    let waited = false;
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const { record } = read;
      const { refreshToken } = record.tokens;
      if (isDone(record)) return record.tokens;
      if (isInDoubt(record) && isAlive(record, rejected)) {
        // It may be used up: not sent again while there is a good access token to lose.
        return (await this.#note(read, 'unknown')).record.tokens;
      }
      if (refreshToken === undefined) {
        throw await this.#reauthorization('there is no refresh token');
      }
      if (isRefused(record)) {
        throw await this.#reauthorization('the provider no longer accepts the refresh token');
      }
      if (record.refresh === 'begun' && !waited) {
        // Who began it may have a new pair that the store, away until now, is about to get.
        waited = true;
        await pause(RETURN_OF_A_STORE);
        read = await this.#read();
        continue;
      }
      const version = await this.#write({ ...record, refresh: 'begun' }, read.version);
      if (version === undefined) {
        read = await this.#read();
        continue;
      }
      if (lock.end.remaining() < this.#client.timeout) {
        throw await this.#problem(lock.end.problem('store_timeout'));
      }
      let tokens: TokenSet;
      lock.isNeeded = true;
      try {
        tokens = await this.#client.refreshTokenGrant(refreshToken, { previous: record.tokens });
      } catch (error) {
        lock.isNeeded = !isOutcomeKnown(error);
        const code = isOAuth2Error(error) ? error.code : undefined;
        const isBusy = code === 'token_request_in_progress';
        if (isBusy) await pause(250 * 2 ** Math.min(round, 2));
        // Another worker, or a login, may have replaced them.
        read = await this.#read();
        if (!isSame(read.record.tokens, record.tokens)) {
          lock.isNeeded = false;
          continue;
        }
        // In the provider's own words one code says so; the others are ours.
        const isOver =
          error instanceof TokenError ? code === 'invalid_grant' : USED_UP.test(code ?? '');
        if (isOver) lock.isNeeded = false;
        read = await this.#note(read, isOver ? 'refused' : lock.isNeeded ? 'unknown' : 'failed');
        if (isDone(read.record)) return read.record.tokens;
        if (isBusy && round + 1 < MAX_ROUNDS) continue;
        if (code !== 'invalid_grant') throw error;
        throw await this.#reauthorization(
          'the provider no longer accepts the refresh token',
          error,
        );
      }
      const renewed = { tokens, since: Date.now(), signedInAt: record.signedInAt };
      return (await this.#keep(renewed, { record, version }, lock)).record.tokens;
    }
    throw await this.#problem(new Problem('lock_timeout', 'others keep renewing these tokens'));
  }

  /** Writes how a refresh has ended, so that not every caller tries; if it cannot, they do. */
  async #note({ record, version }: Read, refresh: 'failed' | 'unknown' | 'refused'): Promise<Read> {
    const noted = { ...record, refresh, ...(refresh === 'refused' && { notedAt: Date.now() }) };
    const next = await this.#write(noted, version).catch(() => undefined);
    return { record: noted, version: next ?? version };
  }

  /**
   * Stores a new pair: nobody gets what is not stored. While the store fails it is offered again, also
   * after the caller has been told: this process holds the only copy of a refresh token.
   */
  async #keep(record: TokenRecord, replaced: Read, lock: Lock): Promise<Read> {
    const { saving } = this.#work;
    const saved = this.#persist(record, replaced).finally(() => {
      saving.delete(this.#key);
      lock.isNeeded = false;
    });
    saving.set(this.#key, saved);
    // Told to whoever waits for it; to nobody, if nobody does.
    saved.catch(() => undefined);
    return await this.#ask(() => saved);
  }

  async #persist(record: TokenRecord, replaced: Read): Promise<Read> {
    const limit = new Deadline(SAVING_LIMIT);
    let { version } = replaced;
    for (let round = 0; ; round += 1) {
      try {
        const next = await this.#write(record, version);
        if (next !== undefined) return { record, version: next };
        // Somebody was faster: an earlier try of ours that was not answered, a new login, or one who
        // took us for dead, and has begun to refresh what we have replaced.
        const read = await this.#read();
        if (!isSame(read.record.tokens, replaced.record.tokens)) return read;
        ({ version } = read);
        throw await this.#problem(new Problem('store_unavailable', 'the store takes no tokens'));
      } catch (error) {
        const isPassing = isOAuth2Error(error) && PASSING.includes(error.code);
        if (!isPassing || limit.remaining() === 0) throw error;
        await pause(Math.min(100 * 2 ** round, SAVING_INTERVAL, limit.remaining()));
      }
    }
  }

  /** The pair that is being stored, if one is. */
  async #saved(): Promise<Read | undefined> {
    const saving = this.#work.saving.get(this.#key);
    return saving && (await this.#ask(() => saving));
  }

  /** Runs under the lock; or gives what is found while somebody else has it. */
  async #locked<T>(
    work: (lock: Lock) => Promise<T>,
    find?: () => Promise<T | undefined>,
  ): Promise<T> {
    const deadline = new Deadline(this.#lockFor + TAKING_OVER);
    for (let round = 0; ; round += 1) {
      const lock = { end: new Deadline(this.#lockFor), isNeeded: false };
      const unlock = await this.#ask(() => this.#store.lock(this.#key, this.#lockFor));
      if (unlock) {
        try {
          return await work(lock);
        } finally {
          // A refresh whose outcome is unknown keeps the lock until the provider has finished with
          // it. A lock that cannot be given back ends by itself.
          if (!lock.isNeeded) await this.#ask(unlock).catch(() => undefined);
        }
      }
      // Jitter, so that those who wait do not all come at once.
      await pause((0.5 + Math.random()) * Math.min(20 * 2 ** round, 200));
      const found = await find?.();
      if (found !== undefined) return found;
      if (deadline.remaining() === 0) throw await this.#problem(deadline.problem('lock_timeout'));
    }
  }

  get #lockFor(): number {
    return this.#client.timeout + LOCK_BEYOND_TIMEOUT;
  }

  /** @throws `reauthorization_required` when there is nothing */
  async #read(): Promise<Read> {
    const read = await this.#find();
    if (read) return read;
    throw await this.#reauthorization('no tokens are kept under this key');
  }

  async #find(): Promise<Read | undefined> {
    const stored = await this.#ask(() => this.#store.get(this.#key));
    if (stored === undefined) return undefined;
    const record = await this.#at('store', () => parseRecord(stored.value));
    return { record, version: stored.version };
  }

  async #write(record: TokenRecord, version: string | undefined): Promise<string | undefined> {
    const { accessToken, refreshToken } = record.tokens;
    const value = serialize(record);
    return await this.#ask(
      () => this.#store.set(this.#key, value, version),
      [accessToken, refreshToken],
    );
  }

  /**
   * A store is somebody else's code over somebody else's network: it has until the timeout.
   *
   * @param secrets what it was given, and may quote in an error
   */
  async #ask<T>(
    operation: () => Promise<T>,
    secrets?: readonly (string | undefined)[],
  ): Promise<T> {
    return await this.#at('store', async () => {
      try {
        return await new Deadline(this.#client.timeout).wait(operation(), 'store_timeout');
      } catch (error) {
        if (error instanceof Problem || isOAuth2Error(error)) throw error;
        throw new Problem('store_unavailable', 'the token store failed', {
          cause: bareCause(error, secrets),
        });
      }
    });
  }

  async #reauthorization(message: string, cause?: unknown): Promise<unknown> {
    return await this.#problem(
      new Problem('reauthorization_required', message, { cause }),
      'refresh',
    );
  }

  /** A problem of this file as an error to throw. */
  async #problem(problem: Problem, stage: Stage = 'store'): Promise<unknown> {
    return await this.#at(stage, () => {
      throw problem;
    }).catch((error: unknown) => error);
  }

  async #at<T>(stage: Stage, step: () => T | Promise<T>): Promise<T> {
    const host =
      stage === 'refresh' ? new URL(this.#client.endpoints.tokenEndpoint).host : undefined;
    return await located({ provider: this.provider, stage, host }, step);
  }
}

/** Whether they are used as they are: fresh, or good while newer ones are not to be had. */
function isSettled(record: TokenRecord, rejected?: string): boolean {
  const { tokens, refresh } = record;
  const isLast =
    tokens.refreshToken === undefined || (refresh !== undefined && refresh !== 'begun');
  return isFresh(record, rejected) || (isLast && isAlive(record, rejected));
}

/** Whether the provider has lately said no: it is not asked at every call what it answered already. */
function isRefused({ refresh, notedAt = 0 }: TokenRecord): boolean {
  return refresh === 'refused' && Math.abs(Date.now() - notedAt) < REFUSAL_LASTS;
}

/** @throws {TypeError} for what could not be read again */
function newRecord(tokens: object): TokenRecord {
  const now = Date.now();
  const given = Object.entries(tokens).filter(([, value]: [string, unknown]) => value !== null);
  try {
    const record = { response: {}, ...Object.fromEntries(given) } as TokenSet;
    return parseRecord(serialize({ tokens: record, since: now, signedInAt: now }));
  } catch {
    throw new TypeError(
      'userTokens: tokens to save have an accessToken, and expiresAt, if any, in epoch milliseconds',
    );
  }
}

/** Whether the refresh token may have been used already. */
function isInDoubt({ refresh }: TokenRecord): boolean {
  return refresh === 'begun' || refresh === 'unknown';
}

function isSame(a: TokenSet, b: TokenSet): boolean {
  return a.accessToken === b.accessToken && a.refreshToken === b.refreshToken;
}

/** Whether a failed refresh has surely left the refresh token unused, or surely used it up. */
function isOutcomeKnown(error: unknown): boolean {
  if (!isOAuth2Error(error)) return false;
  const refused = error instanceof TokenError && (error.status ?? 0) < 500;
  return refused || UNUSED.includes(error.code);
}

async function pause(milliseconds: number): Promise<void> {
  await new Promise<void>((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
