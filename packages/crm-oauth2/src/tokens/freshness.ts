/**
 * How long a token is used. The clock only says when to ask for the next one; whether a token is
 * good is the API's to say, by its 401.
 */
import type { TokenSet } from '../protocol/token-set';

/** Tokens, and when they came (epoch ms). */
export interface Kept {
  readonly tokens: TokenSet;
  readonly since: number;
}

/** The next token is asked for this long before the present one ends, at most: five minutes. */
const EARLY = 300_000;

/** The last moments of a token are not used: it must still be good when it arrives. */
const MOMENT = 10_000;

/** A token so young is not replaced because an API refuses it: another one would be refused too. */
const YOUNG = 5000;

/** How far the clocks of several machines may differ, or one may be set back. */
const CLOCKS = 300_000;

/** Milliseconds of life: as the provider says, counted from when the tokens came. */
function lifetime({ tokens, since }: Kept): number {
  return Math.max(0, (tokens.expiresAt ?? Number.POSITIVE_INFINITY) - since);
}

/** Set back by hours, the clock no longer says how long the token has been there. */
function isOfTheFuture({ since }: Kept): boolean {
  return since > Date.now() + CLOCKS;
}

/** Whether there is no need for another one: five minutes or more to live, or half its life. */
export function isFresh(kept: Kept, rejected?: string): boolean {
  const age = Date.now() - kept.since;
  if (isOfTheFuture(kept)) return false;
  // The clock may have been set back a little: that makes no token young.
  const isYoung = Math.abs(age) <= YOUNG;
  if (kept.tokens.accessToken === rejected && !isYoung) return false;
  return age < lifetime(kept) - Math.min(EARLY, lifetime(kept) / 2);
}

/** Whether it can still be used, when the next one is not to be had. */
export function isAlive(kept: Kept, rejected?: string): boolean {
  const { tokens } = kept;
  if (isOfTheFuture(kept) || tokens.accessToken === rejected) return false;
  const age = Date.now() - kept.since;
  return age < lifetime(kept) - Math.min(MOMENT, lifetime(kept) / 10);
}
