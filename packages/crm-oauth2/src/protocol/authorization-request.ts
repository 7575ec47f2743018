/** The authorization request: the URL that the browser is sent to (RFC 6749 §4.1.1, RFC 7636 §4.3). */
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

/**
 * The extras of a provider, our name → the wire name. `maxAge` is every provider's: where there is no
 * ID Token to obey it, a login with it is refused (OpenID Connect Core §3.1.2.1).
 */
export function extrasOf(provider: {
  authorizationParameters: Readonly<Record<string, string>>;
}): Readonly<Record<string, string>> {
  return { maxAge: 'max_age', ...provider.authorizationParameters };
}

/**
 * Builds the URL, and gives its query for what must be read from it. Protocol parameters are written last: an extra parameter can neither replace them nor stand beside
 * them.
 */
export function buildAuthorizationRequest(request: AuthorizationRequest): {
  url: string;
  query: URLSearchParams;
} {
  const { attempt, scope } = request;
  const { origin, pathname, search } = request.authorizationEndpoint;
  // Apart from its URL, which would be written anew after each change.
  const query = new URLSearchParams(search);
  for (const [name, value] of Object.entries(request.parameters ?? {})) {
    if (typeof value === 'string') query.set(name, value);
    else if (Array.isArray(value)) query.set(name, value.join(' '));
    else if (typeof value === 'number' || typeof value === 'boolean') query.set(name, `${value}`);
  }
  query.set('response_type', 'code');
  query.set('client_id', request.clientID);
  query.set('redirect_uri', request.redirectUri);
  query.set('state', attempt.state);
  query.set('code_challenge', codeChallenge(attempt.codeVerifier));
  query.set('code_challenge_method', 'S256');
  set(query, 'scope', scope.length > 0 ? scope.join(' ') : undefined);
  set(query, 'nonce', attempt.nonce);
  // RFC 9101 §5: with one of these a server would ignore everything above.
  query.delete('request');
  query.delete('request_uri');
  return { url: `${origin}${pathname}?${query.toString()}`, query };
}

function set(query: URLSearchParams, name: string, value: string | undefined): void {
  if (value === undefined) query.delete(name);
  else query.set(name, value);
}
