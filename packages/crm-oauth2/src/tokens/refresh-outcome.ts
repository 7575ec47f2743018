/** Judges a failed refresh: what became of the refresh token, and whether to send it again at once. */
import { isOAuth2Error } from '../errors/oauth2-error';
import type { ErrorCode } from '../errors/codes';
import { withoutUndefined } from '../values/json';
import { pauseForPeople } from './refused-clients';
import type { Failure } from './token-record';

/**
 * - `unused`: the request did not reach the provider, or the provider refused it, put it off, or sent
 *   it elsewhere, and left the refresh token as it was.
 * - `used up`: the provider no longer accepts it, or its answer held tokens that must not be used.
 * - `unknown`: the request was sent, and its answer is missing, cannot be read, or tells of an outage.
 */
export type RefreshOutcome = 'unused' | 'used up' | 'unknown';

/** Nothing was sent, or the provider refused the request before it looked at it. */
const UNUSED_CODES: readonly ErrorCode[] = [
  'dns_error',
  'tls_error',
  'connection_refused',
  'agent_unusable',
  'rate_limited',
];

/** The answer did not arrive whole, or is not a token response. */
const NO_ANSWER_CODES: readonly ErrorCode[] = [
  'timeout',
  'connection_failed',
  'incomplete_response',
  'response_too_large',
  'unexpected_content_encoding',
  'unexpected_content_type',
  'unexpected_redirect',
  'unexpected_status',
  'provider_unavailable',
  'invalid_json',
  'invalid_token_response',
  'unsupported_token_type',
  'keys_unavailable',
];

/** After the provider has refused a refresh token, or its person, it is not asked again for this long. */
const REFUSAL_LASTS_MS = 60_000;

/** The client is refused, perhaps for this person alone. */
const CLIENT_REFUSALS: readonly string[] = ['invalid_client', 'unauthorized_client'];

/** A provider that puts refreshes off again and again is believed for this long, at most. */
const LONGEST_PAUSE_MS = 60_000;

/** A provider that asks for a shorter wait is asked again after this. */
const SHORTEST_WAIT_SECONDS = 0.25;

/** So many characters of the message of a failure are kept. */
const LONGEST_MESSAGE = 300;

/** A provider that asks for a longer wait is not asked again by the same call. */
const LONGEST_WAIT_SECONDS = 2;

export function refreshOutcome(error: unknown): RefreshOutcome {
  if (!isOAuth2Error(error)) return 'unknown';
  const { code, reportedIn, stage, status = 0, retryAfterSeconds } = error;
  if (reportedIn === 'token response') {
    // RFC 6749 §5.2: invalid, expired, revoked, or issued to another client.
    if (code === 'invalid_grant') return 'used up';
    return status < 500 || code === 'temporarily_unavailable' ? 'unused' : 'unknown';
  }
  // RFC 9110 §15.4, §15.5 and §15.6.4: asked at a wrong place, refused, or put off.
  const isPutOff = status === 503 && retryAfterSeconds !== undefined;
  const isUnread = isPutOff || (status >= 300 && status < 500);
  if (stage === 'refresh' && isUnread) return 'unused';
  if (UNUSED_CODES.includes(code)) return 'unused';
  if (NO_ANSWER_CODES.includes(code)) return 'unknown';
  // Every other check of these stages judges tokens that have come.
  return stage === 'refresh' || stage === 'id_token' ? 'used up' : 'unknown';
}

/**
 * The failure to note, where the next refresh must wait: after a refusal, while an answer may still
 * come, and when the provider puts off one refresh after the other.
 *
 * @param lockLasts milliseconds until the lock of the refresh ends
 * @param refusals codes by which the provider refuses the person: inactive, or outside the login hours.
 * The refresh token stays good, and only an administrator or time lifts the refusal
 * @param hasFailedBefore true when the refresh before this one left the refresh token as it was, too
 */
export function failureOf(
  error: unknown,
  lockLasts: number,
  refusals: readonly string[],
  hasFailedBefore = false,
): Failure | undefined {
  if (!isOAuth2Error(error)) return undefined;
  const { code, status, provider, hint, retryAfterSeconds = 0 } = error;
  const isRefused = [...CLIENT_REFUSALS, ...refusals].includes(code) && pauseForPeople(error) === 0;
  const putOff = hasFailedBefore ? Math.min(retryAfterSeconds * 1000, LONGEST_PAUSE_MS) : 0;
  const unused = isRefused ? REFUSAL_LASTS_MS : putOff;
  const pauses = { unused, 'used up': REFUSAL_LASTS_MS, unknown: lockLasts };
  const pause = pauses[refreshOutcome(error)];
  if (pause === 0) return undefined;
  const message = error.message.replace(`${provider}: `, '').slice(0, LONGEST_MESSAGE);
  return withoutUndefined<Failure>({ code, message, hint, status, at: Date.now(), pause });
}

/**
 * Milliseconds after which the same refresh token may be sent again, when the provider itself has
 * asked for a short wait: it has not looked at the token.
 */
export function repeatAfter(error: unknown): number | undefined {
  if (!isOAuth2Error(error) || error.reportedIn !== 'token response') return undefined;
  const { retryAfterSeconds: seconds = Infinity } = error;
  const isShort = seconds >= 0 && seconds <= LONGEST_WAIT_SECONDS;
  if (!isShort || refreshOutcome(error) !== 'unused') return undefined;
  return Math.max(seconds, SHORTEST_WAIT_SECONDS) * 1000;
}
