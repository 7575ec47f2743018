/**
 * Why a callback finds no pending login: the most asked question of all logins. The request itself
 * tells most of it.
 */
import { HINTS } from '../errors/codes';
import { Problem } from '../errors/oauth2-error';
import type { MissingAttempt } from '../protocol/authorization-response';
import type { LoginRequest } from './request';

/** What the store could not know. */
type Reason = MissingAttempt | 'cookie_missing' | 'session_empty' | 'other_browser';

const SENTENCES: Readonly<Record<Reason, string>> = {
  session_missing: 'there is no session to find the pending login in',
  session_empty: 'the session of this browser is empty',
  cookie_missing: 'the browser sent no cookie back',
  state_unknown: 'no pending login has this state',
  state_expired: 'the pending login has expired',
  already_completed: 'this login was finished already',
  other_browser: 'the login was begun here, but not in this session',
};

/**
 * @param reason what the store said
 * @param begunHere whether this process began a login with that `state`
 */
export function missingAttempt(
  req: LoginRequest,
  reason: MissingAttempt,
  begunHere: boolean,
): Problem {
  const refined = refine(req, reason, begunHere);
  const hint = refined === 'cookie_missing' ? HINTS[cookieHint(req)] : undefined;
  return new Problem(refined, SENTENCES[refined], { refusal: 403, hint });
}

function refine(req: LoginRequest, reason: MissingAttempt, begunHere: boolean): Reason {
  if (reason !== 'state_unknown') return reason;
  const { session } = req;
  const empty = typeof session !== 'object' || session === null || isEmpty(session);
  if (req.headers.cookie === undefined && empty) return 'cookie_missing';
  if (begunHere) return 'other_browser';
  return typeof session === 'object' && empty ? 'session_empty' : reason;
}

/** express-session keeps the cookie's own settings in the session. */
function isEmpty(session: object): boolean {
  return Object.entries(session).every(([key, value]) => key === 'cookie' || value === undefined);
}

/** The likely reason, from what the request shows, as a key of the table of remedies. */
function cookieHint(req: LoginRequest): string {
  // The provider's page posts the form: a request from another site, for which Lax is too strict.
  if (req.method === 'POST') return 'cookie_missing.form_post';
  // TLS ends at a proxy that the framework does not trust: for it the request is plain http, and
  // the session middleware withholds a Secure cookie.
  const forwarded = String(req.headers['x-forwarded-proto'] ?? '');
  if (forwarded.startsWith('https') && req.protocol !== 'https') return 'cookie_missing.proxy';
  // A browser that does come from another site, and has something to send, would send Lax cookies.
  if (req.headers['sec-fetch-site'] === 'cross-site') return 'cookie_missing.strict';
  return 'cookie_missing';
}
