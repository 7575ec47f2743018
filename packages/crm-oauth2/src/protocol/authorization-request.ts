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

/**
 * The extras of a provider, our name → the wire name. `maxAge` is every provider's: where there is no
 * ID Token to obey it, a login with it is refused (OpenID Connect Core §3.1.2.1).
 */
export function extrasOf(provider: {
  authorizationParameters: Readonly<Record<string, string>>;
}): Readonly<Record<string, string>> {
  return { maxAge: 'max_age', ...provider.authorizationParameters };
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
  const { attempt } = request;
  const { origin, pathname, search } = request.authorizationEndpoint;
  const protocol = {
    response_type: 'code',
    client_id: request.clientID,
    redirect_uri: request.redirectUri,
    state: attempt.state,
    code_challenge: codeChallenge(attempt.codeVerifier),
    code_challenge_method: 'S256',
    scope: request.scope.length > 0 ? request.scope : undefined,
    nonce: attempt.nonce,
    // RFC 9101 §5: with one of these a server would ignore everything above.
    request: undefined,
    request_uri: undefined,
  };
  // Apart from its URL, which would be written anew after each change.
  const query = new URLSearchParams(search);
  const put = (name: string, value: unknown) => {
    if (Array.isArray(value)) query.set(name, value.join(' '));
    else if (['string', 'number', 'boolean'].includes(typeof value)) query.set(name, String(value));
  };
  for (const [name, value] of Object.entries(request.parameters ?? {})) put(name, value);
  for (const [name, value] of Object.entries(protocol)) {
    if (value === undefined) query.delete(name);
    else put(name, value);
  }
  return { url: `${origin}${pathname}?${query.toString()}`, query };
}
