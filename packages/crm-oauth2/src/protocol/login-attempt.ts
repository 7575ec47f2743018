/** A login between its start and its callback: what was sent, and what the answer must match. */
import { hash } from 'node:crypto';
import { ownFields } from '../values/json';

/** A login that takes longer than ten minutes is over. */
export const LOGIN_ATTEMPT_LIFETIME_MS = 10 * 60 * 1000;

/** Options that one login chose, such as Salesforce's `loginURL`, by name. */
export type Environment = Readonly<Record<string, string>>;

/**
 * Kept on the application's side only, taken (removed) when the browser comes back, and good for one
 * answer of one authorization server to one client. `client.beginLogin` makes it together with the URL.
 */
export interface LoginAttempt {
  /** Random, one per attempt: the key it is found by (RFC 6749 §10.12). */
  readonly state: string;
  /** RFC 7636 §4.1. */
  readonly codeVerifier: string;
  /** OpenID Connect Core §3.1.2.1; only when an ID Token is asked for. */
  readonly nonce?: string;
  /** {@link OAuth2Client.fingerprint} of the client that began it. */
  readonly client: string;
  /** The `redirect_uri` sent; the token request repeats it (RFC 6749 §4.1.3). */
  readonly redirectUri: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  /** `max_age` asked for, in seconds: the ID Token must obey it. */
  readonly maxAge?: number;
  /** Other questions that the ID Token must answer, by wire name: see `boundParameters`. */
  readonly asked?: Readonly<Record<string, string>>;
  /** The application's own state: kept here, never in the URL. */
  readonly appState?: unknown;
  /** The options that this login chose: see {@link OAuth2Client.forEnvironment}. */
  readonly environment?: Environment;
  /** The `key` of the tenant that it was begun for. */
  readonly tenant?: string;
  /** A path of the application, for after the login. */
  readonly returnTo?: string;
  /** Set when the login was begun at the path to which its answer comes. */
  readonly sameRoute?: true;
}

/**
 * Names a client and the places that a login of it involves, so that an answer comes back to the very
 * client that began it. Kept with each attempt.
 *
 * @param binding any other text that must stay the same
 */
export function fingerprintOf(
  provider: string,
  clientID: string,
  places: Readonly<
    Record<'authorizationEndpoint' | 'tokenEndpoint', string> &
      Partial<Record<'issuer' | 'jwksUri', string>>
  >,
  binding?: string,
): string {
  const { authorizationEndpoint, tokenEndpoint, issuer, jwksUri } = places;
  const urls = [authorizationEndpoint, tokenEndpoint, issuer, jwksUri];
  const names = JSON.stringify([provider, clientID, ...urls, binding]);
  return hash('sha256', names, 'base64url').slice(0, 22);
}

/** Milliseconds by which the clocks of two processes may differ. */
const CLOCK_TOLERANCE_MS = 60_000;

/** False also for a login that begins in the future: the clock was set back since, and it may be old. */
export function isPending({ expiresAt }: Pick<LoginAttempt, 'expiresAt'>): boolean {
  const left = expiresAt - Date.now();
  return left > 0 && left <= LOGIN_ATTEMPT_LIFETIME_MS + CLOCK_TOLERANCE_MS;
}

/**
 * Reads from the finished authorization request what its ID Token must answer. The request itself is
 * the source, so that nothing is asked that is not checked.
 *
 * @param boundParameters wire names, see `ProviderDescription.boundParameters`
 * @throws {TypeError} for a `max_age` that is not a whole number of seconds, for an empty or repeated
 * question, and for a question without an ID Token (`openid`) to answer it
 */
export function questionsOf(
  query: URLSearchParams,
  asksIdToken: boolean,
  { title, boundParameters }: { title: string; boundParameters: readonly string[] },
): Pick<LoginAttempt, 'maxAge' | 'asked'> {
  const names = ['max_age', ...boundParameters].filter((name) => query.has(name));
  if (names.length === 0) return {};
  const asked: Record<string, string> = ownFields({});
  for (const name of names) {
    const [value = '', ...more] = query.getAll(name);
    if (value === '' || more.length > 0) {
      throw new TypeError(`${title}: "${name}" must be one non-empty value`);
    }
    if (!asksIdToken) {
      throw new TypeError(
        `${title}: "${name}" is checked in the ID Token, and this login asks for none (scope "openid")`,
      );
    }
    asked[name] = value;
  }
  const { max_age: maxAge, ...rest } = asked;
  if (maxAge !== undefined && !/^\d{1,15}$/.test(maxAge)) {
    throw new TypeError(`${title}: "max_age" must be a whole number of seconds`);
  }
  return {
    ...(maxAge !== undefined && { maxAge: Number(maxAge) }),
    ...(Object.keys(rest).length > 0 && { asked: rest }),
  };
}
