import { randomTexts } from './pkce';

/** A login that takes longer than this is over (milliseconds). */
export const LOGIN_ATTEMPT_LIFETIME = 10 * 60 * 1000;

/**
 * One login between its start and its callback. It is kept on our side only, taken (removed) when
 * the browser comes back, and good for one answer of one authorization server to one client.
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
  /** The `redirect_uri` sent, when it is not the one the client is configured with. */
  readonly redirectUri?: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  /** `max_age` asked for, in seconds. */
  readonly maxAge?: number;
  /** Auth0 organization asked for. */
  readonly organization?: string;
  /** The application's own state: kept here, never in the URL. */
  readonly appState?: unknown;
}

/** What a caller decides about an attempt; the rest is random. */
export type LoginAttemptDetails = Pick<
  LoginAttempt,
  'client' | 'redirectUri' | 'maxAge' | 'organization' | 'appState'
> & { idToken: boolean };

export function createLoginAttempt(details: LoginAttemptDetails): LoginAttempt {
  const { client, redirectUri, maxAge, organization, appState, idToken } = details;
  const { state, nonce, codeVerifier } = randomTexts();
  return {
    state,
    codeVerifier,
    client,
    expiresAt: Date.now() + LOGIN_ATTEMPT_LIFETIME,
    ...(idToken && { nonce }),
    ...(redirectUri !== undefined && { redirectUri }),
    ...(maxAge !== undefined && { maxAge }),
    ...(organization !== undefined && { organization }),
    ...(appState !== undefined && { appState }),
  };
}
