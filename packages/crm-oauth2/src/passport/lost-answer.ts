/** Tells a request that starts a login from an answer of the provider that has lost its parameters. */
import type { ErrorCode } from '../errors/codes';
import { LOGIN_ATTEMPT_LIFETIME_MS } from '../protocol/login-attempt';
import type { LoginAttempt } from '../protocol/login-attempt';
import { isForm } from './request';
import type { PassportRequest } from './request';

/** A request at the path of the callback, without `code`, `error` and `state`. */
export interface Arrival {
  req: Pick<PassportRequest, 'method' | 'headers' | 'body'>;
  parameters: Readonly<Record<string, unknown>>;
  /** The origin of the redirect URI. */
  ownOrigin: string;
  authorizationOrigin: string;
  /** The pending logins of this browser whose answers come to this path. */
  pending: readonly LoginAttempt[];
  /** This process has begun logins, and all of them at other paths. */
  beginsElsewhere: boolean;
}

/** Parameters that come beside `code` or `error`, never with a link that starts a login. */
const COMPANIONS = ['iss', 'error_description', 'error_uri', 'session_state', 'scope'] as const;

/** OpenID Connect Core §4: with `iss`, another party asks for a login to be started. */
const THIRD_PARTY_START = ['target_link_uri', 'login_hint'] as const;

/** A browser that begins twice at one path within this time, without a click, goes in circles. */
const CIRCLE_MS = 60_000;

/** The code of an answer that has lost its parameters; `undefined` for the start of a login. */
export function lostAnswer(arrival: Arrival): ErrorCode | undefined {
  const { req, parameters, pending } = arrival;
  const { headers } = req;
  const isOwnPage =
    headers['sec-fetch-site'] === 'same-origin' || headers.origin === arrival.ownOrigin;
  // Browsers tell of each redirect on the way, so that a click on an own page cannot be an answer.
  if (isOwnPage) return undefined;
  if (isUnreadForm(req)) return 'form_not_parsed';
  const has = (name: string) => parameters[name] !== undefined;
  const begunSince = Date.now() + LOGIN_ATTEMPT_LIFETIME_MS - CIRCLE_MS;
  const circles = pending.filter(({ expiresAt }) => expiresAt > begunSince).length >= 2;
  const isLost =
    (COMPANIONS.some(has) && !THIRD_PARTY_START.some(has)) ||
    originOf(headers.referer) === arrival.authorizationOrigin ||
    pending.some(({ sameRoute }) => !sameRoute) ||
    arrival.beginsElsewhere ||
    circles;
  return isLost ? 'callback_without_parameters' : undefined;
}

/** The form of `response_mode=form_post`, where no body parser is mounted. */
function isUnreadForm({ method, headers, body }: Arrival['req']): boolean {
  const type = headers['content-type'] ?? '';
  const hasBody =
    Number(headers['content-length']) > 0 || headers['transfer-encoding'] !== undefined;
  const isRead = isForm(body) && Object.keys(body).length > 0;
  const isFormType = /^(application\/x-www-form-urlencoded|multipart\/form-data)\b/i.test(type);
  return method === 'POST' && hasBody && isFormType && !isRead;
}

function originOf(url: string | undefined): string | undefined {
  return url !== undefined && URL.canParse(url) ? new URL(url).origin : undefined;
}
