/** Keeps a person's tokens good for months, for any number of callers and processes. */
/*
 * A refresh token that rotates is good for one use, and a second use ends the person's grant
 * (RFC 9700 §4.14.2). So there is one refresh at a time: the callers of a process share it, and
 * processes take the store's lock. The new pair is stored before any caller gets it. A refresh whose
 * outcome is unknown is not repeated until it can do no harm: after the access token has ended, and
 * after the provider has surely finished with it.
 *
 *     read ── use? ───────────────────────────────────────────────▶ use it
 *       │   └─ fail? the last refresh failed, too recently ───────▶ the same error
 *       │ no
 *     lock ── held by another process ── pause, read again ── use? ▶ use it
 *       │ ours
 *     read again ── use? another process was faster ──────────────▶ use it
 *       │        └─ sign in? ─────────────────────────────▶ reauthorization_required
 *       │ refresh
 *     write "a refresh has begun" ── ask the provider ── write the new pair ── unlock ──▶ use it
 *
 * `next-step.ts` answers each question mark, and `refresh-outcome.ts` judges a refresh that fails.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { OAuth2Client } from '../client';
import { assignFields, describe, isOAuth2Error, located } from '../errors/oauth2-error';
import { Problem } from '../errors/problem';
import type { ProblemDetails } from '../errors/problem';
import type { TokenSet } from '../protocol/token-set';
import type { Provider } from '../provider/description';
import { withoutUndefined } from '../values/json';
import { optionalNumber, requireString } from '../values/options';
import { Deadline } from '../wire/deadline';
import { countRefusals, isFresh, isUsable } from './freshness';
import { isGoodEnough, nextStep, pauseLeft } from './next-step';
import type { NextStep, Wanted } from './next-step';
import { PAIR_ARRIVES_MS, RecordStore, pauseForOthers } from './record-store';
import type { Lock } from './record-store';
import { failureOf, refreshOutcome, repeatAfter } from './refresh-outcome';
import { pauseForPeople, unlessRefused } from './refused-clients';
import { hasSameTokens, newRecord } from './token-record';
import type { Failure, StoredRecord, TokenRecord, TokensToSave } from './token-record';
import { SharedRefresh } from './shared-refresh';
import type { GetTokenOptions, TokenSource } from './token-source';
import type { TokenStore } from './token-store';

export interface UserTokensOptions {
  store: TokenStore;
  /** Names the person at this provider: `profile.id` does well. */
  key: string;
  /**
   * Seconds for which this process uses a fresh access token without another look at the store; 0 to 60,
   * default 0. So long may it use one that another process has revoked or replaced. A `rejected` token
   * and a refresh look at the store at once.
   */
  cache?: number;
}

/** Seconds. */
const CACHE_RANGE = [0, 60] as const;

/** The part of an {@link OAuth2Client} that is used, whatever its provider. */
export type RefreshClient = Pick<
  OAuth2Client,
  'clientID' | 'timeout' | 'endpoints' | 'refreshTokenGrant' | 'revokeToken'
> &
  Partial<Pick<OAuth2Client, 'forEnvironment' | 'tenant'>> & {
    readonly provider: Pick<
      Provider,
      'name' | 'hints' | 'rateLimit' | 'refreshTokenLifetime' | 'refusals'
    >;
  };

type Refreshes = Map<string, SharedRefresh<TokenSet>>;

/** The refreshes under way in this process, by store and key: their callers share one. */
const REFRESHES = new WeakMap<TokenStore, Refreshes>();

/** How often one call looks at the record, when other processes keep changing it. */
const MAX_ROUNDS = 5;

/** Why only a login brings new tokens. */
const NO_REFRESH_TOKEN = 'there is no refresh token';
const NOT_ACCEPTED = 'the provider no longer accepts the refresh token';

const REPLACED =
  'userTokens: a login replaces stored tokens that cannot be read. Deployments that share a store need the same secrets, or a prefix for each.';

/** The note in the record after a refresh that failed, by its outcome. */
const NOTES = { unused: 'failed', 'used up': 'refused', unknown: 'unknown' } as const;

/**
 * The tokens of one person, from a store, refreshed when they need it. The object is cheap: an
 * application may make one for every request.
 *
 * @param client an {@link OAuth2Client}
 * @example
 * const tokens = userTokens(strategy.client, { store, key: profile.id });
 * await tokens.save(grant); // once, after the login
 * const accessToken = await tokens.getAccessToken(); // for months
 */
export function userTokens(client: RefreshClient, options: UserTokensOptions): UserTokens {
  return new UserTokens(client, options);
}

/** Made by {@link userTokens}. */
export class UserTokens implements TokenSource {
  readonly provider: RefreshClient['provider'];
  readonly kind = 'person';
  readonly #client: RefreshClient;
  readonly #records: RecordStore;
  readonly #key: string;
  readonly #refreshes: Refreshes;

  /** @throws {TypeError} without a store, or a key, and for a `cache` that is out of range */
  constructor(client: RefreshClient, { store, key, cache }: UserTokensOptions) {
    if (typeof Reflect.get(Object(store), 'lock') !== 'function') {
      throw new TypeError('userTokens: option "store" must be a token store');
    }
    const person = requireString('userTokens', 'key', key);
    const cacheMs = optionalNumber('userTokens', 'cache', cache, 0, CACHE_RANGE) * 1000;
    this.#client = client;
    this.provider = client.provider;
    // RFC 6749 §6: a refresh token is bound to the client it was issued to.
    const { clientID, tenant } = client;
    // A tenant with a server of its own may name the client of another one.
    const owner = tenant === undefined ? [clientID] : [clientID, tenant];
    this.#key = JSON.stringify([client.provider.name, ...owner, person]);
    this.#records = new RecordStore(store, this.#key, client.provider, {
      timeoutMs: client.timeout,
      cacheMs,
    });
    this.#refreshes = REFRESHES.get(store) ?? (new Map() as Refreshes);
    REFRESHES.set(store, this.#refreshes);
  }

  /**
   * An access token that is good now: the stored one until five minutes before it ends, then a new
   * one, stored before it is returned.
   *
   * @throws {OAuth2Error} `reauthorization_required`: the person must sign in again;
   * `store_unavailable`, `store_timeout`, `store_corrupt`, `lock_timeout`; and the errors of
   * {@link OAuth2Client.refreshTokenGrant}. With `retryAfterSeconds`, no process asks the provider
   * earlier. After `timeout` the refresh goes on: ask again later
   */
  async getAccessToken(options?: GetTokenOptions): Promise<string> {
    return (await this.getTokens(options)).accessToken;
  }

  /** The same, with the rest of the tokens: `response.instance_url`, `scope`, `expiresAt`. */
  async getTokens({ rejected }: GetTokenOptions = {}): Promise<TokenSet> {
    const recent = rejected === undefined ? this.#records.findRecent() : undefined;
    if (recent && isFresh(recent, Date.now())) return recent.tokens;
    const { record } = this.#required(await this.#records.findLatest());
    const isLate = this.#refreshes.get(this.#key)?.isLate;
    if (isGoodEnough(record, { rejected }, isLate)) return record.tokens;
    this.#conclude(record, nextStep(record, { rejected }, false));
    try {
      const tokens = await this.#shareRefresh({ rejected }, record);
      const now = Date.now();
      // A refresh that other callers had begun may have found the rejected token still good. A late
      // answer may bring tokens that have ended on their way.
      if (isUsable({ tokens, since: now }, now, rejected)) return tokens;
      return await this.#shareRefresh({ rejected }, record);
    } catch (error) {
      // Fall back to the present token, unless it was deleted.
      const mayPass = isOAuth2Error(error) && error.code !== 'reauthorization_required';
      if (mayPass && isGoodEnough(record, { rejected }, true)) return record.tokens;
      throw error;
    }
  }

  /**
   * Refreshes now, however fresh the tokens are: before an unused refresh token ends. See
   * {@link planRefreshes}. While the outcome of an earlier refresh is unknown, and the access token
   * is good, the tokens stay as they are.
   */
  async refresh(): Promise<TokenSet> {
    const newerThan = Date.now();
    // A refresh that is under way may end with the tokens it found.
    for (
      let other = this.#refreshes.get(this.#key);
      other;
      other = this.#refreshes.get(this.#key)
    ) {
      const error = await this.#join(other).catch((reason: unknown) => reason);
      if (this.#refreshes.get(this.#key) === other) throw error;
    }
    const { record } = this.#required(await this.#records.findLatest());
    return await this.#shareRefresh({ newerThan }, record);
  }

  /**
   * Keeps the tokens of a login, in place of any earlier ones; or tokens that were kept elsewhere so
   * far. A field that is `null` counts as absent.
   *
   * @throws {TypeError} unless there is an access token, and `expiresAt` is in epoch milliseconds
   * @throws {OAuth2Error} `store_unavailable`, `store_timeout`
   */
  async save(tokens: TokensToSave): Promise<void> {
    const record = newRecord(tokens);
    // One person may end several logins at the same moment, at several processes.
    const deadline = new Deadline(this.#client.timeout);
    for (let round = 0; ; round += 1) {
      const version = await this.#records.version().catch(async (error: unknown) => {
        if (!isOAuth2Error(error) || error.code !== 'store_corrupt') throw error;
        // The stored value is lost here, and the tokens of a login can replace it.
        process.emitWarning(REPLACED);
        await this.delete();
        return undefined;
      });
      if ((await this.#records.write(record, version)) !== undefined) return;
      if (deadline.remaining() === 0) {
        const words = 'the store did not take the tokens of the login';
        throw this.#records.error(new Problem('store_unavailable', words));
      }
      await pauseForOthers(round);
    }
  }

  /** When the tokens came, and when the person signed in (epoch ms); nothing when none are kept. */
  async age(): Promise<{ since: number; signedInAt: number } | undefined> {
    const stored = await this.#records.find();
    return stored && { since: stored.record.since, signedInAt: stored.record.signedInAt };
  }

  /** Forgets the tokens here. They stay valid at the provider. */
  async delete(): Promise<void> {
    await this.#records.delete();
  }

  /**
   * Ends the grant at the provider (RFC 7009), then forgets the tokens. When the provider cannot be
   * asked, the tokens are kept, so that it can be asked again; {@link delete} forgets them all the same.
   */
  async revoke(): Promise<void> {
    await this.#records.locked(async () => {
      const stored = await this.#records.findLatest();
      if (!stored) return;
      const { tokens } = stored.record;
      await this.#client.revokeToken(tokens.refreshToken ?? tokens.accessToken, {
        tokens,
        tokenTypeHint: tokens.refreshToken === undefined ? 'access_token' : 'refresh_token',
      });
      await this.delete();
    });
  }

  /** One refresh at a time in this process. A caller that comes meanwhile gets its outcome. */
  async #shareRefresh(wanted: Wanted, { tokens }: TokenRecord): Promise<TokenSet> {
    let refresh = this.#refreshes.get(this.#key);
    if (!refresh) {
      refresh = new SharedRefresh(this.#client.timeout, async (shared) => {
        const work = () => this.#lockAndRefresh(wanted, shared);
        try {
          const { environment } = tokens;
          // An organization that refuses the client says nothing about the others.
          const refusable = environment && this.#client.forEnvironment?.(environment);
          return await unlessRefused(refusable ?? this.#client, pauseForPeople, work);
        } finally {
          this.#refreshes.delete(this.#key);
        }
      });
      this.#refreshes.set(this.#key, refresh);
    }
    return await this.#join(refresh);
  }

  async #join(refresh: SharedRefresh<TokenSet>): Promise<TokenSet> {
    return await located(this.#where(), () => refresh.join());
  }

  /** One refresh at a time in all processes. */
  async #lockAndRefresh(wanted: Wanted, shared: SharedRefresh<TokenSet>): Promise<TokenSet> {
    // Another process needs this long for a refresh, unless it was killed.
    const otherProcess = new Deadline(this.#client.timeout / 5);
    return await this.#records.locked(
      (lock) => this.#refreshUnderLock({ lock, wanted, shared }),
      async () => {
        const { record } = await this.#read();
        const hasWaited = otherProcess.remaining() === 0;
        if (isGoodEnough(record, wanted, hasWaited)) return record.tokens;
        return this.#conclude(record, nextStep(record, wanted, false));
      },
    );
  }

  /** Does what {@link nextStep} says, until it ends with tokens or an error. */
  async #refreshUnderLock(task: Omit<Attempt, 'round'>): Promise<TokenSet> {
    const { wanted } = task;
    let stored = this.#required(await this.#records.findLatest());
    let hasWaited = false;
    for (let round = 1; round <= MAX_ROUNDS; round += 1) {
      const { record } = stored;
      const step = nextStep(record, wanted, hasWaited);
      const tokens = this.#conclude(record, step);
      if (tokens) return tokens;
      if (step === 'use to the end') {
        await this.#note(stored, 'unknown');
        return record.tokens;
      }
      if (step === 'wait') {
        hasWaited = true;
        await pause(PAIR_ARRIVES_MS);
        stored = await this.#read();
        continue;
      }
      const result = await this.#refreshOnce(stored, { ...task, round });
      if ('accessToken' in result) return result;
      stored = result;
    }
    const problem = new Problem('lock_timeout', 'other processes keep changing these tokens');
    throw this.#records.error(problem);
  }

  /** @returns the new tokens; or the record as it is now, to be judged again */
  async #refreshOnce(stored: StoredRecord, attempt: Attempt): Promise<TokenSet | StoredRecord> {
    const { record } = stored;
    const { lock, shared, wanted } = attempt;
    // Written over the very record that was read: of two processes that both hold a lock, one goes on.
    const version = await this.#records.write({ ...record, refresh: 'begun' }, stored.version);
    if (version === undefined) return await this.#read();
    if (lock.end.remaining() < this.#client.timeout) {
      throw this.#records.error(lock.end.problem('store_timeout'));
    }
    let tokens: TokenSet;
    try {
      // There is one, else the next step would be another.
      const refreshToken = record.tokens.refreshToken as string;
      const options = { previous: record.tokens, deadline: lock.end };
      tokens = await shared.awaitAnswer(this.#client.refreshTokenGrant(refreshToken, options));
    } catch (error) {
      return await this.#afterFailure(error, record, attempt);
    }
    const now = Date.now();
    const refusals = countRefusals(record, now, wanted.rejected);
    const next = { tokens, since: now, signedInAt: record.signedInAt, refusals };
    // Stored before any caller gets it.
    const latest = await this.#records.replace({ record, version }, next, lock);
    return this.#required(latest).record.tokens;
  }

  /** @returns tokens that are good enough; or the record as it is now, to be judged again */
  async #afterFailure(
    error: unknown,
    sent: TokenRecord,
    { lock, wanted, round }: Attempt,
  ): Promise<TokenSet | StoredRecord> {
    const outcome = refreshOutcome(error);
    lock.keepUntilExpiry = outcome === 'unknown';
    const delay = this.#delayBeforeRepeat(error, lock, round);
    if (delay !== undefined) await pause(delay);

    const stored = await this.#read();
    if (!hasSameTokens(stored.record, sent)) {
      // Another process, or a login, has replaced the tokens.
      lock.keepUntilExpiry = false;
      return stored;
    }
    const hasFailedBefore = delay === undefined && sent.refresh === 'failed';
    const { refusals } = this.provider;
    const failure = failureOf(error, lock.end.remaining(), refusals, hasFailedBefore);
    const noted = await this.#note(stored, NOTES[outcome], failure);
    if (isGoodEnough(noted.record, wanted)) return noted.record.tokens;
    if (delay !== undefined) return noted;
    if (isOAuth2Error(error) && error.code === 'invalid_grant') {
      throw this.#signInAgain(NOT_ACCEPTED, error);
    }
    if (failure && isOAuth2Error(error)) {
      // Nothing is asked before.
      const seconds = Math.max(error.retryAfterSeconds ?? 0, secondsLeft(noted.record));
      assignFields(error, { retryAfterSeconds: seconds });
    }
    throw error;
  }

  /** Milliseconds, when the provider asks to repeat the request, and the lock lasts for it. */
  #delayBeforeRepeat(error: unknown, lock: Lock, round: number): number | undefined {
    const least = repeatAfter(error);
    if (least === undefined || round === MAX_ROUNDS) return undefined;
    // Jitter, so that the processes that were refused together do not come again together.
    const delay = least * (1 + Math.random() / 4);
    return lock.end.remaining() - delay < this.#client.timeout ? undefined : delay;
  }

  /** Notes how a refresh ended, so that not every call tries again. A note that fails is left out. */
  async #note(
    { record, version }: StoredRecord,
    refresh: 'failed' | 'unknown' | 'refused',
    failure?: Failure,
  ): Promise<StoredRecord> {
    const noted = withoutUndefined<TokenRecord>({ ...record, refresh, failure });
    const next = await this.#records.write(noted, version).catch(() => undefined);
    return { record: noted, version: next ?? version };
  }

  async #read(): Promise<StoredRecord> {
    return this.#required(await this.#records.find());
  }

  /** @throws {OAuth2Error} `reauthorization_required` when nothing is stored */
  #required(stored: StoredRecord | undefined): StoredRecord {
    if (stored === undefined) throw this.#signInAgain('no tokens are kept under this key');
    return stored;
  }

  /**
   * The tokens, or the error, of a step that needs no lock; nothing for the other steps.
   *
   * @throws {OAuth2Error} why the last refresh failed
   */
  #conclude(record: TokenRecord, step: NextStep): TokenSet | undefined {
    const { tokens, failure } = record;
    if (step === 'use') return tokens;
    if (step !== 'sign in' && step !== 'fail') return undefined;
    if (!failure || tokens.refreshToken === undefined) throw this.#signInAgain(NO_REFRESH_TOKEN);
    const { code, message, hint, status } = failure;
    const retryAfterSeconds = step === 'fail' ? secondsLeft(record) : undefined;
    const details = withoutUndefined<ProblemDetails>({ hint, status, retryAfterSeconds });
    const error = describe(new Problem(code, message, details), this.#where());
    throw step === 'fail' ? error : this.#signInAgain(NOT_ACCEPTED, error);
  }

  #signInAgain(message: string, cause?: unknown): unknown {
    return describe(new Problem('reauthorization_required', message, { cause }), this.#where());
  }

  #where() {
    const { host } = new URL(this.#client.endpoints.tokenEndpoint);
    return { provider: this.provider, stage: 'refresh', host } as const;
  }
}

/** Whole seconds for which the provider is not asked again. */
function secondsLeft(record: TokenRecord): number {
  return Math.ceil(pauseLeft(record) / 1000);
}

/** One sending of a refresh token. */
interface Attempt {
  readonly lock: Lock;
  readonly wanted: Wanted;
  readonly shared: SharedRefresh<TokenSet>;
  readonly round: number;
}
