/** The authorization request: the URL that the browser is sent to (RFC 6749 §4.1.1, RFC 7636 §4.3). */
import type { Advice } from '../values/options';
import type { LoginAttempt } from './login-attempt';
import { codeChallenge } from './pkce';

/** The parts of one authorization request. */
export interface AuthorizationRequest {
  authorizationEndpoint: URL;
  clientID: string;
  redirectUri: string;
  scope: readonly string[];
  attempt: Pick<LoginAttempt, 'state' | 'codeVerifier' | 'nonce'>;
  /** Further parameters by wire name. */
  parameters?: Readonly<Record<string, unknown>>;
}

/** The same advice for both names of each extra. */
export function adviceOnExtras(
  extras: Readonly<Record<string, string>>,
  advise: (name: string) => string,
): Advice {
  const pairs = Object.entries(extras).flatMap(([name, wireName]) => [
    [wireName, advise(name)],
    [name, advise(name)],
  ]);
  return Object.fromEntries(pairs) as Advice;
}

/**
 * Builds the URL, and gives its query for what must be read from it. An extra parameter, or one of the
 * endpoint's own query, can neither replace those of the protocol nor stand beside them.
 */
export function buildAuthorizationRequest(request: AuthorizationRequest) {
  const { authorizationEndpoint, attempt, scope, parameters = {} } = request;
  const { origin, pathname, search } = authorizationEndpoint;
  // Apart from its URL, which would be written anew after each change.
  const query = new URLSearchParams(search);
  for (const name of Object.keys(parameters)) {
    const value = written(parameters[name]);
    if (value !== undefined) query.set(name, value);
  }
  query.set('response_type', 'code');
  query.set('client_id', request.clientID);
  query.set('redirect_uri', request.redirectUri);
  query.set('state', attempt.state);
  query.set('code_challenge', codeChallenge(attempt.codeVerifier));
  query.set('code_challenge_method', 'S256');
  setOrDelete(query, 'scope', scope.length > 0 ? scope.join(' ') : undefined);
  setOrDelete(query, 'nonce', attempt.nonce);
  // RFC 9101 §5: with one of these a server would ignore everything above.
  query.delete('request');
  query.delete('request_uri');
  return { url: `${origin}${pathname}?${query.toString()}`, query };
}

/** A value as a query has it; nothing for one that no query can have. */
function written(value: unknown): string | undefined {
  if (Array.isArray(value)) return value.join(' ');
  return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined;
}

function setOrDelete(query: URLSearchParams, name: string, value: string | undefined): void {
  if (value === undefined) query.delete(name);
  else query.set(name, value);
}
