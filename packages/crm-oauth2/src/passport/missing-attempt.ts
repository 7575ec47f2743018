/** Explains why a callback finds no pending login; the request itself shows most of it. */
import { HINTS } from '../errors/codes';
import { Problem } from '../errors/problem';
import { MISSING_ATTEMPT } from '../protocol/authorization-response';
import type { MissingAttempt } from '../protocol/authorization-response';
import type { PassportRequest } from './request';

/** The reasons of a store, and those that only the request shows. */
const SENTENCES = {
  ...MISSING_ATTEMPT,
  session_empty: 'the session of this browser is empty',
  cookie_missing: 'the browser sent no cookie back',
  other_browser: 'the login was begun here, but not in this session',
} as const;

type Reason = keyof typeof SENTENCES;

/**
 * @param reason what the store said
 * @param begunHere `true` when this process began a login with that `state`
 */
export function missingAttempt(
  req: PassportRequest,
  reason: MissingAttempt,
  begunHere: boolean,
): Problem {
  const refined = refine(req, reason, begunHere);
  const hint = refined === 'cookie_missing' ? HINTS[cookieHint(req)] : undefined;
  return new Problem(refined, SENTENCES[refined], { refusal: 403, hint });
}

function refine(req: PassportRequest, reason: MissingAttempt, begunHere: boolean): Reason {
  if (reason !== 'state_unknown') return reason;
  const { session } = req;
  const empty = typeof session !== 'object' || session === null || isEmpty(session);
  if (req.headers.cookie === undefined && empty) return 'cookie_missing';
  if (begunHere) return 'other_browser';
  return typeof session === 'object' && empty ? 'session_empty' : reason;
}

/** Notes of session libraries: the settings of the cookie; koa-session, which has private ones too. */
const NOTES = ['cookie', 'isNew'];

function isEmpty(session: object): boolean {
  // @fastify/secure-session shows its content by a function alone.
  const data: unknown = Reflect.get(session, 'data');
  const content: unknown = typeof data === 'function' ? Reflect.apply(data, session, []) : session;
  return Object.entries(Object(content) as object).every(
    ([key, value]) => NOTES.includes(key) || key.startsWith('_') || value === undefined,
  );
}

/** The remedy of the likely reason, as its key in the table. */
function cookieHint(req: PassportRequest): keyof typeof HINTS {
  // The provider's page posts the form: browsers hold back Lax cookies from another site's POST.
  if (req.method === 'POST') return 'cookie_missing.form_post';
  // TLS ends at a proxy that the framework does not trust: for it the request is plain http, and
  // the session middleware withholds a Secure cookie.
  const forwarded = String(req.headers['x-forwarded-proto'] ?? '');
  if (forwarded.startsWith('https') && req.protocol !== 'https') return 'cookie_missing.proxy';
  // A browser that comes from another site sends Lax cookies, so these are Strict.
  if (req.headers['sec-fetch-site'] === 'cross-site') return 'cookie_missing.strict';
  return 'cookie_missing';
}
