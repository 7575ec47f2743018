/** A login without a browser, for tests: begin, come back with a code, redeem it. */
import type { OAuth2Client } from '../client';
import type { CallOptions } from '../client-requests';
import { isOAuth2Error } from '../errors/oauth2-error';
import type { OAuth2Error } from '../errors/oauth2-error';
import type { LoginAttempt } from '../protocol/login-attempt';
import type { TokenSet } from '../protocol/token-set';
import type { Profile } from '../provider/standard-claims';

/** Where test logins come back. */
export const CALLBACK = 'https://app.example.com/auth/callback';

export interface CompleteLoginOptions extends CallOptions {
  /** A login that was begun already; by default one with the client's own scopes. */
  attempt?: LoginAttempt;
  /** Parameters of the callback beside `code` and `state`, or in their place. */
  callback?: Readonly<Record<string, unknown>>;
}

/**
 * Comes back from the provider as a browser would, and redeems the code.
 *
 * @example
 * const { attempt } = client.beginLogin({ redirectUri, extras: { prompt: 'login' } });
 * const tokens = await completeLogin(client, { attempt });
 */
export async function completeLogin<Options extends object, P extends Profile>(
  client: OAuth2Client<Options, P>,
  { attempt, callback, ...options }: CompleteLoginOptions = {},
): Promise<TokenSet> {
  const begun = attempt ?? client.beginLogin({ redirectUri: CALLBACK }).attempt;
  const { authorizationResponseIssParameterSupported: names, issuer: iss } = client.endpoints;
  const response = await client.validateAuthorizationResponse(
    { code: 'a-code', state: begun.state, ...(names && { iss }), ...callback },
    () => begun,
  );
  return await client.authorizationCodeGrant(response, options);
}

/** The error that a promise is rejected with. Any other outcome is thrown. */
export async function rejection(promise: Promise<unknown>): Promise<OAuth2Error> {
  try {
    await promise;
  } catch (error) {
    if (isOAuth2Error(error)) return error;
    throw error;
  }
  throw new Error('the promise was expected to be rejected');
}
