/** The contract of a store of pending logins. */
import type { MissingAttempt } from '../protocol/authorization-response';
import type { LoginAttempt } from '../protocol/login-attempt';
import type { PassportRequest, PassportResponse } from './request';

/** At most this many pending logins per browser; the oldest makes room. */
export const MAX_ATTEMPTS = 10;

/**
 * Where pending logins wait for the browser to come back. Another store, say on Redis, is `begin`
 * and `take`. An attempt is found by its `state`, handed out once, and forgotten when it expires.
 */
export interface StateStore {
  /** Keeps one attempt beside the others of the same browser. */
  begin(
    req: PassportRequest,
    attempt: LoginAttempt,
    response?: PassportResponse,
  ): void | Promise<void>;
  /** Removes the attempt of this `state` and returns it, or the reason why there is none. */
  take(
    req: PassportRequest,
    state: string,
    response?: PassportResponse,
  ): LoginAttempt | MissingAttempt | Promise<LoginAttempt | MissingAttempt>;
  /**
   * The attempts of this browser, none of them removed. With it, an answer whose parameters were lost on
   * the way is told from the start of a login in more cases.
   */
  pending?(req: PassportRequest): readonly LoginAttempt[] | Promise<readonly LoginAttempt[]>;
}

/** @throws {TypeError} for anything else, stores of passport-oauth2's own form included */
export function requireStateStore(owner: string, store: unknown): StateStore {
  const has = (name: string) => typeof Reflect.get(Object(store), name) === 'function';
  if (has('begin') && has('take')) return store as StateStore;
  throw new TypeError(
    has('store') && has('verify')
      ? `${owner}: option "store" has the store/verify form of passport-oauth2, which cannot hold several logins at once; give it begin(req, attempt) and take(req, state)`
      : `${owner}: option "store" must have the methods begin(req, attempt) and take(req, state)`,
  );
}
