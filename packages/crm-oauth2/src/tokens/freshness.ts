/** Judges an access token by the clock: fresh, or at least usable. */
import type { TokenRecord } from './token-record';

/** Tokens, and when they came (epoch ms). */
export type DatedTokens = Pick<TokenRecord, 'tokens' | 'since' | 'refusals'>;

/** A token is fresh until this long before its end; a short-lived one, for half its life. */
const REFRESH_EARLY_MS = 300_000;

/** A token that ends within this time is not sent, because it must still be good when it arrives. */
const END_MARGIN_MS = 10_000;

/** An API that refuses a token this young would refuse the next one too. */
const JUST_ISSUED_MS = 5000;

/** A token that the API refuses at this age has never been good. Real sessions last longer. */
const NEVER_GOOD_MS = 600_000;

/** After tokens that were never good, the next one is kept for so long, doubled by each of them. */
const FIRST_PATIENCE_MS = 60_000;
const LONGEST_PATIENCE_MS = 3_600_000;

/** The clocks of two machines may differ by this much. */
const CLOCK_DIFFERENCE_MS = 300_000;

/** True when no other token is needed: more than five minutes, or half its life, remain. */
export function isFresh(dated: DatedTokens, now: number, rejected?: string): boolean {
  // The clock may have been set back a little, so an age may be negative.
  const isTooYoung = Math.abs(now - dated.since) <= patience(dated);
  if (dated.tokens.accessToken === rejected && !isTooYoung) return false;
  return livesLongerThan(Math.min(REFRESH_EARLY_MS, lifetime(dated) / 2), dated, now);
}

/** True when the token may still be sent, for want of a newer one. */
export function isUsable(dated: DatedTokens, now: number, rejected?: string): boolean {
  if (dated.tokens.accessToken === rejected) return false;
  return livesLongerThan(Math.min(END_MARGIN_MS, lifetime(dated) / 10), dated, now);
}

/**
 * How many tokens in a row the API has refused while they were new, when this one is replaced. It may
 * refuse the next one, too: for want of a licence, or because the app may not use it.
 */
export function countRefusals(
  dated: DatedTokens,
  now: number,
  rejected?: string,
): number | undefined {
  if (dated.tokens.accessToken !== rejected) return undefined;
  const wasGood = now - dated.since > Math.max(NEVER_GOOD_MS, 2 * patience(dated));
  return wasGood ? 1 : (dated.refusals ?? 0) + 1;
}

/** Milliseconds for which a refused token is not replaced. */
function patience({ refusals = 0 }: DatedTokens): number {
  if (refusals === 0) return JUST_ISSUED_MS;
  return Math.min(FIRST_PATIENCE_MS * 2 ** (refusals - 1), LONGEST_PATIENCE_MS);
}

function livesLongerThan(margin: number, dated: DatedTokens, now: number): boolean {
  const age = now - dated.since;
  // A clock that was set back by hours cannot tell how old the token is.
  return age >= -CLOCK_DIFFERENCE_MS && age < lifetime(dated) - margin;
}

/** Milliseconds from when the tokens came until they end; infinite when the provider names no end. */
function lifetime({ tokens, since }: DatedTokens): number {
  // With `expires_in: 0` every token would end as it comes. It is fresh while it is young.
  const { expires_in: seconds } = tokens.response;
  if (seconds === 0 || seconds === '0') return 2 * JUST_ISSUED_MS;
  return Math.max(0, (tokens.expiresAt ?? Number.POSITIVE_INFINITY) - since);
}
