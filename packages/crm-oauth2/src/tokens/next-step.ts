/** Decides what to do with the stored tokens of a person. `user-tokens.ts` does it. */
import { isFresh, isUsable } from './freshness';
import type { TokenRecord } from './token-record';

/**
 * - `use`: return these tokens.
 * - `use to the end`: return them, and note that the outcome of their last refresh is unknown. The
 *   refresh token may be used up. It is not sent again while there is a good access token to lose.
 * - `wait`: another process refreshes, or was killed while it did. Read again later.
 * - `refresh`: send the refresh token.
 * - `sign in`: only a login brings new tokens.
 */
export type NextStep = 'use' | 'use to the end' | 'wait' | 'refresh' | 'sign in';

/** The tokens that a caller asks for. */
export interface Wanted {
  /** An access token that the API has answered with 401. */
  readonly rejected?: string;
  /** Epoch ms: the tokens must have come later, however fresh the stored ones are. */
  readonly newerThan?: number;
}

export interface Situation extends Wanted {
  /** Epoch ms. */
  readonly now: number;
  /** True while this process holds the lock of these tokens. */
  readonly isLocked: boolean;
  /** True once the process that was refreshing has had time to finish. */
  readonly hasWaited: boolean;
}

/** The provider is not asked again for this long after it refused a refresh token. */
const REFUSAL_LASTS_MS = 60_000;

export function nextStep(record: TokenRecord, situation: Situation): NextStep {
  const { now, rejected, newerThan, isLocked, hasWaited } = situation;
  const isGood = isUsable(record, now, rejected);

  if (newerThan !== undefined) {
    if (record.since > newerThan && isFresh(record, now, rejected)) return 'use';
  } else if (isFresh(record, now, rejected) || (isGood && isSettled(record))) return 'use';

  if (!isLocked) {
    // The holder of the lock may have been killed. A good token need not wait for it long.
    return isGood && hasWaited && newerThan === undefined ? 'use' : 'wait';
  }

  if (isGood && isInDoubt(record)) return 'use to the end';
  if (record.tokens.refreshToken === undefined || isRefused(record, now)) return 'sign in';
  // The process that began may have the new pair, and store it as soon as the store is back.
  if (record.refresh === 'begun' && !hasWaited) return 'wait';
  return 'refresh';
}

/** True when a refresh has ended without new tokens, or is impossible: a good token is used to its end. */
function isSettled({ tokens, refresh }: TokenRecord): boolean {
  return tokens.refreshToken === undefined || (refresh !== undefined && refresh !== 'begun');
}

/** True when the refresh token may have been used already. */
function isInDoubt({ refresh }: TokenRecord): boolean {
  return refresh === 'begun' || refresh === 'unknown';
}

/** True when the provider refused the refresh token lately, also by a clock that is a little ahead. */
function isRefused({ refresh, notedAt = 0 }: TokenRecord, now: number): boolean {
  return refresh === 'refused' && Math.abs(now - notedAt) < REFUSAL_LASTS_MS;
}
