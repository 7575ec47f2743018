/** The provider checks: they pass a good provider, and each notices what it is for. */
import { channel } from 'node:diagnostics_channel';
import { expect } from 'chai';
import { Problem, defineProvider, mapStandardClaims, text } from '../../dist/provider/index';
import type { ProviderDescription } from '../../dist/provider/index';
import { providerChecks } from '../../dist/testing/index';
import type { ProviderSample } from '../../dist/testing/index';

const PERSON = { sub: 'person-1', name: 'Ada Byron', email: 'ada@example.com' };

const PLAIN: ProviderDescription = {
  name: 'plain',
  title: 'Plain',
  endpoints: () => ({
    authorizationEndpoint: 'https://plain.test/authorize?tenant=1',
    tokenEndpoint: 'https://plain.test/token',
    userInfoEndpoint: 'https://plain.test/me',
    jwksUri: 'https://plain.test/keys',
    issuer: 'https://plain.test',
  }),
  scope: ['read'],
};

const SAMPLE: ProviderSample<object> = {
  options: { clientID: 'a client', clientSecret: 'a secret + more' },
  tokenResponse: () => ({
    access_token: 'an-access-token-of-some-length',
    refresh_token: 'a-refresh-token-of-some-length',
    token_type: 'bearer',
    expires_in: 3600,
  }),
  profileAnswer: PERSON,
  profile: { id: 'person-1', displayName: 'Ada Byron' },
};

/** The titles of the checks that fail. */
async function failures(
  changes: Partial<ProviderDescription> = {},
  sample: Partial<ProviderSample<object>> = {},
): Promise<string[]> {
  const failed: string[] = [];
  const checks = providerChecks(defineProvider({ ...PLAIN, ...changes }), { ...SAMPLE, ...sample });
  for (const { title, run } of checks) {
    await run().catch(() => failed.push(title));
  }
  return failed;
}

describe('provider checks', () => {
  it('pass a plain OAuth 2.0 provider', async () => {
    expect(await failures()).to.deep.equal([]);
  });

  for (const algorithm of ['RS256', 'ES256', 'PS256', 'EdDSA'] as const) {
    it(`pass an OpenID provider whose ID Tokens are signed with ${algorithm}`, async () => {
      const openid = {
        idToken: 'required',
        idTokenAlgorithms: [algorithm],
        clientAuthentication: 'client_secret_basic',
      } as const;
      const sample = { idTokenClaims: PERSON, profileAnswer: undefined };
      expect(await failures(openid, sample)).to.deep.equal([]);
    });
  }

  it('RFC 9207 §3 — pass a provider that names itself in each authorization response', async () => {
    const endpoints = () => ({
      ...PLAIN.endpoints({}),
      authorizationResponseIssParameterSupported: true,
    });
    expect(await failures({ endpoints })).to.deep.equal([]);
  });

  it('pass a public client, and an API that takes the token in its path', async () => {
    const inPath: Partial<ProviderDescription> = {
      profileRequest: ({ accessToken }, { endpoints }) => ({
        url: `${endpoints.userInfoEndpoint}/${accessToken}`,
        tokenIn: 'path',
      }),
    };
    expect(await failures(inPath, { options: { clientID: 'public' } })).to.deep.equal([]);
  });

  it('notice a name with a space, and an http endpoint', async () => {
    expect(await failures({ name: 'two words' })).to.include(
      'description — has a name, a title, and endpoints that are https',
    );
    const endpoints = () => ({
      ...PLAIN.endpoints({}),
      userInfoEndpoint: 'http://localhost:1/me',
    });
    expect(await failures({ endpoints })).to.include(
      'description — has a name, a title, and endpoints that are https',
    );
  });

  it('notice a title without a letter', async () => {
    expect(await failures({ title: ' ' })).to.deep.equal([
      'description — has a name, a title, and endpoints that are https',
    ]);
  });

  it('RFC 6750 §5.3 — notice an API that gets the token in its path and in the header', async () => {
    const profileRequest: ProviderDescription['profileRequest'] = (
      { accessToken },
      { endpoints },
    ) => ({ url: `${endpoints.userInfoEndpoint}/${accessToken}` });
    expect(await failures({ profileRequest })).to.include(
      'RFC 6750 §5.3 — sends the access token in one place only',
    );
  });

  it('notice a token that a mapping puts into an event', async () => {
    const mapProfile: ProviderDescription['mapProfile'] = (json, context) => {
      channel('crm-oauth2').publish({ token: context.tokens.accessToken });
      return mapStandardClaims(json, context);
    };
    expect(await failures({ mapProfile })).to.deep.equal([
      'secrets — are in no profile, event or error',
    ]);
  });

  it('CWE-1321 — notice an endpoint that a polluted prototype lends', async () => {
    const options = { tokenURL: 'url' } as const;
    const endpoints = ({ ...urls }: { tokenURL?: string }) => ({
      ...PLAIN.endpoints({}),
      tokenEndpoint: urls.tokenURL ?? 'https://plain.test/token',
    });
    expect(await failures({ options, endpoints })).to.deep.equal([
      'CWE-1321 — takes no endpoint from a polluted prototype',
    ]);
    expect(Object.keys(Object.prototype)).to.deep.equal([]);
  });

  it('notice another person, and an id that changes', async () => {
    const title = 'profile — is the person of the sample, with a stable id';
    expect(await failures({}, { profile: { id: 'other', displayName: 'x' } })).to.include(title);
    let count = 0;
    const mapProfile: ProviderDescription['mapProfile'] = (json, context) => {
      count += 1;
      return { ...mapStandardClaims(json, context), id: String(count) };
    };
    expect(await failures({ mapProfile })).to.include(title);
  });

  it('notice a mapping that takes any answer for a person', async () => {
    const mapProfile: ProviderDescription['mapProfile'] = (json, { raw }) => ({
      provider: 'plain',
      id: 'person-1',
      displayName: 'Ada Byron',
      _raw: raw,
      _json: json as object as never,
    });
    expect(await failures({ mapProfile })).to.include(
      'profile — refuses an answer that holds no person',
    );
  });

  it('notice a refresh token whose end is told in words that are not understood', async () => {
    const deadRefreshToken = { status: 400, body: { status: 'BAD_REFRESH_TOKEN' } };
    const title = 'RFC 6749 §5.2 — knows a refresh token that has ended';
    expect(await failures({}, { deadRefreshToken })).to.include(title);
    const tokenError: ProviderDescription['tokenError'] = ({ status }) =>
      text(status) === 'BAD_REFRESH_TOKEN' ? { code: 'invalid_grant' } : undefined;
    expect(await failures({ tokenError }, { deadRefreshToken })).to.deep.equal([]);
  });

  it('notice a token that a mapping puts deep into a profile, or into an error', async () => {
    const mapProfile: ProviderDescription['mapProfile'] = (json, context) => {
      const profile = mapStandardClaims(json, context);
      const echo = { a: { b: { c: { d: context.tokens.accessToken } } } };
      return { ...profile, _json: { sub: 'person-1', echo } };
    };
    const title = 'secrets — are in no profile, event or error';
    expect(await failures({ mapProfile })).to.include(title);
    const checkTokenResponse: ProviderDescription['checkTokenResponse'] = (response) => {
      if (response.scope === undefined) {
        throw new Problem('invalid_token_response', `no scope for ${JSON.stringify(response)}`);
      }
    };
    expect(await failures({ checkTokenResponse })).to.include(title);
  });
});
