/** Decides what to do with the stored tokens of a person. `user-tokens.ts` does it. */
import { isFresh, isUsable } from './freshness';
import type { TokenRecord } from './token-record';

/**
 * - `use`: return these tokens.
 * - `use to the end`: return them, and note that the outcome of their last refresh is unknown.
 * - `wait`: another process refreshes, or was killed while it did. Read again later.
 * - `refresh`: send the refresh token.
 * - `sign in`: only a login brings new tokens.
 * - `fail`: the last refresh failed, and the provider is not asked again yet. Tell why.
 */
export type NextStep = 'use' | 'use to the end' | 'wait' | 'refresh' | 'sign in' | 'fail';

/** The tokens that a caller asks for. */
export interface Wanted {
  /** An access token that the API has answered with 401. */
  readonly rejected?: string;
  /** Epoch ms: the tokens must have come later, however fresh the stored ones are. */
  readonly newerThan?: number;
}

/**
 * True when the caller gets the stored tokens as they are, also without the lock.
 *
 * @param hasWaited true once the process that holds the lock has had time to finish. It may have been
 * killed, and a good token need not wait for it long
 * @param now epoch ms
 */
export function isGoodEnough(
  record: TokenRecord,
  { rejected, newerThan }: Wanted,
  hasWaited = false,
  now = Date.now(),
): boolean {
  const isFreshNow = isFresh(record, now, rejected);
  if (newerThan !== undefined) return isFreshNow && record.since > newerThan;
  return isFreshNow || (isUsable(record, now, rejected) && (hasWaited || isSettled(record)));
}

/**
 * Decides what the process that holds the lock does. `use`, `sign in` and `fail` need no lock.
 *
 * @param hasWaited true once the process that was refreshing has had time to store its tokens
 * @param now epoch ms
 */
export function nextStep(
  record: TokenRecord,
  wanted: Wanted,
  hasWaited: boolean,
  now = Date.now(),
): NextStep {
  const { tokens, refresh } = record;
  if (isGoodEnough(record, wanted, false, now)) return 'use';
  // The refresh token may be used up. It is not sent while there is a good access token to lose.
  if ((refresh === 'begun' || refresh === 'unknown') && isUsable(record, now, wanted.rejected)) {
    return refresh === 'begun' ? 'use to the end' : 'use';
  }
  if (tokens.refreshToken === undefined) return 'sign in';
  if (pauseLeft(record, now) > 0) return refresh === 'refused' ? 'sign in' : 'fail';
  // The process that began may have the new pair, and store it as soon as the store is back.
  return refresh === 'begun' && !hasWaited ? 'wait' : 'refresh';
}

/** Milliseconds for which the provider is not asked again; the last refresh has failed. */
export function pauseLeft({ refresh, failure }: TokenRecord, now = Date.now()): number {
  if (!failure || refresh === 'begun') return 0;
  // The clock of the process that noted it may be a little ahead, or have been set back since.
  return Math.max(0, failure.pause - Math.abs(now - failure.at));
}

/** True when a refresh has ended without new tokens, or is impossible: a good token is used to its end. */
function isSettled({ tokens, refresh }: TokenRecord): boolean {
  return tokens.refreshToken === undefined || (refresh !== undefined && refresh !== 'begun');
}
