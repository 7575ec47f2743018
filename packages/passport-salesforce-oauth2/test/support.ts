import { expect } from 'chai';
import { isOAuth2Error } from 'crm-oauth2';
import type { CallOptions, LoginAttempt, OAuth2Error, TokenSet } from 'crm-oauth2';
import type { OAuth2Client, Profile } from 'crm-oauth2';
import nock from 'nock';

// nock takes hold of node:http when it is loaded. The other suites of the same process use real
// sockets, so it lets go until one of these tests needs it.
nock.restore();

export const CALLBACK = 'https://app.example.com/auth/callback';

/** In this suite no request leaves the process, and every expected request has to be made. */
export function withoutNetwork(): void {
  before(() => {
    if (!nock.isActive()) nock.activate();
    nock.disableNetConnect();
  });
  afterEach(() => {
    const unasked = nock.pendingMocks();
    nock.cleanAll();
    expect(unasked).to.deep.equal([]);
  });
  after(() => {
    nock.enableNetConnect();
    nock.restore();
  });
}

/** Begins a login and comes back with a code, as a browser would. */
export async function redeem<Options extends object, P extends Profile>(
  client: OAuth2Client<Options, P>,
  callback: Readonly<Record<string, unknown>> = {},
  attempt: LoginAttempt = client.createLoginAttempt(),
  options: CallOptions = {},
): Promise<TokenSet> {
  const response = await client.validateAuthorizationResponse(
    { code: 'a-code', state: attempt.state, ...callback },
    () => attempt,
  );
  return await client.authorizationCodeGrant(response, { redirectUri: CALLBACK, ...options });
}

/** The error a promise is rejected with; it has to be one of the family. */
export async function rejection(promise: Promise<unknown>): Promise<OAuth2Error> {
  try {
    await promise;
  } catch (error) {
    if (isOAuth2Error(error)) return error;
    throw error;
  }
  throw new Error('was expected to be rejected');
}
