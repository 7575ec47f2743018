import type { LoginAttempt } from './login-attempt';
import { codeChallenge } from './pkce';

/** What one authorization request consists of (RFC 6749 §4.1.1, RFC 7636 §4.3). */
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
 * The URL the browser is sent to. Protocol parameters are written last: an extra parameter can
 * neither replace them nor stand beside them.
 */
export function buildAuthorizationUrl(request: AuthorizationRequest): string {
  const { attempt, scope } = request;
  const { origin, pathname, search } = request.authorizationEndpoint;
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
  return `${origin}${pathname}?${query.toString()}`;
}

function set(query: URLSearchParams, name: string, value: string | undefined): void {
  if (value === undefined) query.delete(name);
  else query.set(name, value);
}
