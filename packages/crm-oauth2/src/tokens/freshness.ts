/** Judges an access token by the clock: fresh, or at least usable. */
import type { TokenRecord } from './token-record';

/** Tokens, and when they came (epoch ms). */
export type DatedTokens = Pick<TokenRecord, 'tokens' | 'since'>;

/** A token is fresh until this long before its end; a short-lived one, for half its life. */
const REFRESH_EARLY_MS = 300_000;

/** A token that ends within this time is not sent, because it must still be good when it arrives. */
const END_MARGIN_MS = 10_000;

/** An API that refuses a token this young would refuse the next one too. */
const JUST_ISSUED_MS = 5000;

/** The clocks of two machines may differ by this much. */
const CLOCK_DIFFERENCE_MS = 300_000;

/** True when no other token is needed: more than five minutes, or half its life, remain. */
export function isFresh(dated: DatedTokens, now: number, rejected?: string): boolean {
  // The clock may have been set back a little, so an age may be negative.
  const isJustIssued = Math.abs(now - dated.since) <= JUST_ISSUED_MS;
  if (dated.tokens.accessToken === rejected && !isJustIssued) return false;
  return livesLongerThan(Math.min(REFRESH_EARLY_MS, lifetime(dated) / 2), dated, now);
}

/** True when the token may still be sent, for want of a newer one. */
export function isUsable(dated: DatedTokens, now: number, rejected?: string): boolean {
  if (dated.tokens.accessToken === rejected) return false;
  return livesLongerThan(Math.min(END_MARGIN_MS, lifetime(dated) / 10), dated, now);
}

function livesLongerThan(margin: number, dated: DatedTokens, now: number): boolean {
  const age = now - dated.since;
  // A clock that was set back by hours cannot tell how old the token is.
  return age >= -CLOCK_DIFFERENCE_MS && age < lifetime(dated) - margin;
}

/** Milliseconds from when the tokens came until they end; infinite when the provider names no end. */
function lifetime({ tokens, since }: DatedTokens): number {
  return Math.max(0, (tokens.expiresAt ?? Number.POSITIVE_INFINITY) - since);
}
