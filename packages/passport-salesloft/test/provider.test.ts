import { expect } from 'chai';
import { OAuth2Client } from 'crm-oauth2';
import { completeLogin, providerChecks, rejection } from 'crm-oauth2/testing';
import nock from 'nock';
import SalesloftStrategy from '../dist/index';
import { salesloft } from '../dist/provider';

const CALLBACK = 'https://app.example.com/auth/callback';
const CREDENTIALS = { clientID: 'client-1', clientSecret: 'secret-1' };
const TOKENS = {
  access_token: 'slat_1',
  token_type: 'Bearer',
  expires_in: 7200,
  refresh_token: 'slrt_1',
  scope: 'accounts:read people:read',
  created_at: 1767225600,
};
const ME = { data: { id: 49067, name: 'Int User', email: 'somebody@withampersand.com' } };

function createClient(options: object = {}) {
  return new OAuth2Client(salesloft, { ...CREDENTIALS, ...options });
}

const accounts = () => nock('https://accounts.salesloft.com');

describe('Salesloft', () => {
  const sample = {
    options: CREDENTIALS,
    tokenResponse: () => TOKENS,
    profileAnswer: ME,
    profile: { id: '49067', displayName: 'Int User' },
  };
  for (const { title, run } of providerChecks(salesloft, sample)) it(title, run);

  describe('endpoints', () => {
    it('salesloft 1.1 — has the documented endpoints by default', () => {
      expect(createClient().endpoints).to.deep.equal({
        authorizationEndpoint: 'https://accounts.salesloft.com/oauth/authorize',
        tokenEndpoint: 'https://accounts.salesloft.com/oauth/token',
        userInfoEndpoint: 'https://api.salesloft.com/v2/me.json',
        revocationEndpoint: 'https://accounts.salesloft.com/oauth/revoke',
        issuer: 'https://accounts.salesloft.com',
      });
    });

    it('salesloft 1.4 — derives revocation from tokenURL and issuer from authorizationURL', () => {
      const client = createClient({
        authorizationURL: 'https://a.example.com/oauth/authorize',
        tokenURL: 'https://t.example.com/oauth/token',
      });
      expect(client.endpoints).to.include({
        revocationEndpoint: 'https://t.example.com/oauth/revoke',
        issuer: 'https://a.example.com',
        userInfoEndpoint: 'https://api.salesloft.com/v2/me.json',
      });
    });

    const right = {
      authorizationURL: 'https://accounts.salesloft.com/oauth/authorize',
      tokenURL: 'https://accounts.salesloft.com/oauth/token',
      profileURL: 'https://api.salesloft.com/v2/me.json',
    };
    for (const [option, url] of [
      ['authorizationURL', 'https://app.salesloft.com/app'],
      ['authorizationURL', 'https://accounts.salesloft.com'],
      ['authorizationURL', 'https://accounts.salesloft.com/oauth/applications'],
      ['tokenURL', 'https://accounts.salesloft.com/oauth/authorize'],
      ['tokenURL', 'https://api.salesloft.com/v2'],
      ['profileURL', 'https://api.salesloft.com'],
      ['profileURL', 'https://api.salesloft.com/v2/'],
      ['profileURL', 'https://app.salesloft.com/app/settings/me'],
      ['profileURL', 'https://accounts.salesloft.com/v2/me.json'],
      ['profileURL', 'https://developers.salesloft.com/docs/api/me'],
      ['profileURL', 'https://developer.salesloft.com/docs/api/me'],
      ['profileURL', 'https://api.salesloft.com/v2/me.json/more'],
      ['profileURL', 'https://app.salesloft.com/https://api.salesloft.com/v2/me.json'],
      ['authorizationURL', 'https://salesloft.com/'],
      ['authorizationURL', 'https://accounts.salesloft.com/oauth/authorize/more'],
      [
        'authorizationURL',
        'https://app.salesloft.com/https://accounts.salesloft.com/oauth/authorize',
      ],
      ['tokenURL', 'https://accounts.salesloft.com/oauth/token/more'],
      ['tokenURL', 'https://app.salesloft.com/https://accounts.salesloft.com/oauth/token'],
    ] as const) {
      it(`salesloft 1.1 — says what to write in place of the ${option} ${url}`, () => {
        expect(() => createClient({ [option]: url })).to.throw(
          TypeError,
          `Salesloft: option "${option}" is another address of Salesloft; write ${right[option]}`,
        );
      });
    }

    for (const options of [
      { profileURL: 'https://api.salesloft.com/v2/users/me' },
      { profileURL: 'https://salesloft.example.com/' },
      { tokenURL: 'https://accounts.salesloft.com.example.com/' },
      { tokenURL: 'https://other-salesloft.com/' },
    ]) {
      it(`salesloft 1.1 — takes ${JSON.stringify(options)} as it is`, () => {
        expect(Object.values(createClient(options).endpoints)).to.include(
          Object.values(options)[0],
        );
      });
    }

    it('RFC 6749 §3.1 — says what to write in place of an address without its scheme', () => {
      expect(() => createClient({ tokenURL: 'accounts.salesloft.com/oauth/token' })).to.throw(
        TypeError,
        'Salesloft: option "tokenURL" must be an absolute URL: write https://accounts.salesloft.com/oauth/token',
      );
    });

    for (const option of ['authorizationURL', 'tokenURL', 'profileURL']) {
      it(`contract 2 — refuses plain http in ${option}, except on a loopback host`, () => {
        expect(() => createClient({ [option]: 'http://salesloft.example/x' })).to.throw(
          TypeError,
          option,
        );
        expect(() => createClient({ [option]: 'http://127.0.0.1:4000/x' })).not.to.throw();
      });
    }
  });

  describe('authorization request', () => {
    it('salesloft 2 — sends no scope by default, and neither nonce nor audience', () => {
      const client = createClient();
      const { url: href, attempt } = client.beginLogin({ redirectUri: CALLBACK });
      const url = new URL(href);
      expect(url.origin + url.pathname).to.equal('https://accounts.salesloft.com/oauth/authorize');
      expect(Object.fromEntries(url.searchParams)).to.have.all.keys(
        'response_type',
        'client_id',
        'redirect_uri',
        'state',
        'code_challenge',
        'code_challenge_method',
      );
      expect(attempt).not.to.have.property('nonce');
    });

    it('OIDC Core §3.1.2.1 — sends prompt and login_hint when the application asks for them', () => {
      const extras = { prompt: 'login', loginHint: 'zoe@example.com' };
      const { url } = createClient().beginLogin({ redirectUri: CALLBACK, extras });
      expect(Object.fromEntries(new URL(url).searchParams)).to.include({
        prompt: 'login',
        login_hint: 'zoe@example.com',
      });
    });

    it('salesloft 2.1 — joins scopes with a space', () => {
      const client = createClient({ scope: ['accounts:read', 'people:read'] });
      const url = new URL(client.beginLogin({ redirectUri: CALLBACK }).url);
      expect(url.searchParams.get('scope')).to.equal('accounts:read people:read');
    });
  });

  describe('token request', () => {
    it('salesloft 4.1 — posts JSON to the real host, credentials in the body', async () => {
      let body: unknown;
      accounts()
        .post('/oauth/token', (sent: unknown) => {
          body = sent;
          return true;
        })
        .matchHeader('content-type', 'application/json')
        .matchHeader('accept', 'application/json')
        .reply(200, TOKENS);
      const client = createClient();
      const { attempt } = client.beginLogin({ redirectUri: CALLBACK });
      const tokens = await completeLogin(client, { attempt });
      expect(body).to.deep.equal({
        grant_type: 'authorization_code',
        code: 'a-code',
        redirect_uri: CALLBACK,
        code_verifier: attempt.codeVerifier,
        client_id: 'client-1',
        client_secret: 'secret-1',
      });
      expect(tokens).to.include({
        accessToken: 'slat_1',
        refreshToken: 'slrt_1',
        tokenType: 'Bearer',
        scope: 'accounts:read people:read',
      });
      expect(tokens.expiresAt).to.be.within(Date.now() + 7_190_000, Date.now() + 7_200_000);
    });

    it('salesloft 3 — tolerates context and scope on the callback, and forwards neither', async () => {
      let body: unknown;
      accounts()
        .post('/oauth/token', (sent: unknown) => {
          body = sent;
          return true;
        })
        .reply(200, TOKENS);
      await completeLogin(createClient(), {
        callback: { context: 'dGVhbQ', scope: 'accounts:read' },
      });
      expect(body).not.to.have.any.keys('context', 'scope');
    });

    it('salesloft 10 — tolerates bearer in lower case and expires_in as a string', async () => {
      accounts()
        .post('/oauth/token')
        .reply(200, { ...TOKENS, token_type: 'bearer', expires_in: '7200' });
      const { tokenType, expiresAt } = await completeLogin(createClient());
      expect(tokenType).to.equal('Bearer');
      expect(expiresAt).to.be.within(Date.now() + 7_190_000, Date.now() + 7_200_000);
    });

    it('salesloft 4.3 — refreshes by JSON and hands out the rotated refresh token', async () => {
      accounts()
        .post('/oauth/token', {
          grant_type: 'refresh_token',
          refresh_token: 'slrt_1',
          client_id: 'client-1',
          client_secret: 'secret-1',
        })
        .reply(200, { ...TOKENS, access_token: 'slat_2', refresh_token: 'slrt_2' });
      const tokens = await createClient().refreshTokenGrant('slrt_1');
      expect(tokens).to.include({ accessToken: 'slat_2', refreshToken: 'slrt_2' });
    });

    it('salesloft 4.4 — asks for client credentials with scopes joined by a space', async () => {
      accounts()
        .post('/oauth/token', {
          grant_type: 'client_credentials',
          scope: 'accounts:read people:read',
          client_id: 'client-1',
          client_secret: 'secret-1',
        })
        .reply(200, { ...TOKENS, refresh_token: undefined });
      const tokens = await createClient().clientCredentialsGrant({
        scope: ['accounts:read', 'people:read'],
      });
      expect(tokens).to.include({ accessToken: 'slat_1' });
      expect(tokens).not.to.have.property('refreshToken');
    });

    it('salesloft 7.1 — names invalid_client with its remedy', async () => {
      accounts()
        .post('/oauth/token')
        .reply(
          401,
          { error: 'invalid_client', error_description: 'Client authentication failed' },
          { 'www-authenticate': 'Bearer realm="Doorkeeper", error="invalid_client"' },
        );
      const error = await rejection(completeLogin(createClient()));
      expect(error).to.include({
        reportedIn: 'token response',
        code: 'invalid_client',
        provider: 'salesloft',
        stage: 'token',
        host: 'accounts.salesloft.com',
        status: 401,
      });
      expect(error.hint).to.contain('Your Applications');
    });

    it('salesloft 7.1 — takes a web page with 200 as a wrong host', async () => {
      accounts()
        .post('/oauth/token')
        .reply(200, '<!doctype html>', { 'content-type': 'text/html' });
      expect(await rejection(completeLogin(createClient()))).to.include({
        code: 'unexpected_content_type',
        stage: 'token',
      });
    });
  });

  describe('authorization response', () => {
    it('RFC 9207 §2.4 — accepts the iss of accounts.salesloft.com and refuses another', async () => {
      accounts().post('/oauth/token').reply(200, TOKENS);
      await completeLogin(createClient(), { callback: { iss: 'https://accounts.salesloft.com' } });
      const mixedUp = completeLogin(createClient(), {
        callback: { iss: 'https://mcp.salesloft.com' },
      });
      expect(await rejection(mixedUp)).to.include({ code: 'issuer_mismatch', refusal: 403 });
    });
  });

  it('salesloft 7.1 — a redirect URI that is not registered has the shared code, and says where to register it', async () => {
    accounts().post('/oauth/token').reply(400, { error: 'invalid_redirect_uri' });
    const error = await rejection(completeLogin(createClient()));
    expect(error).to.include({ code: 'redirect_uri_mismatch', stage: 'token' });
    expect(error.message).to.contain('(invalid_redirect_uri)');
    expect(error.hint).to.contain('Your Applications > OAuth Applications');
  });

  describe('profile', () => {
    const tokens = { accessToken: 'slat_1', tokenType: 'Bearer', response: {} };

    it('salesloft 5 — asks me.json with the token in the header only', async () => {
      nock('https://api.salesloft.com', { reqheaders: { authorization: 'Bearer slat_1' } })
        .get('/v2/me.json')
        .query({})
        .reply(200, ME);
      const profile = await createClient().fetchProfile(tokens);
      expect(profile).to.include({ provider: 'salesloft', id: '49067' });
      expect(profile._raw).to.equal(JSON.stringify(ME));
    });

    it('salesloft 1.1 — asks /v2/me when profileURL says so', async () => {
      nock('https://api.salesloft.com').get('/v2/me').reply(200, ME);
      const client = createClient({ profileURL: 'https://api.salesloft.com/v2/me' });
      expect((await client.fetchProfile(tokens)).id).to.equal('49067');
    });

    const refusals: [number, unknown, object, string][] = [
      [401, { error: 'Invalid Bearer token' }, {}, 'invalid_token'],
      [403, { error: 'Forbidden' }, {}, 'insufficient_scope'],
      [404, { error: 'Not found' }, {}, 'unexpected_status'],
      [429, { error: 'Too many' }, { 'retry-after': '17' }, 'rate_limited'],
      [503, '<html></html>', { 'content-type': 'text/html' }, 'provider_unavailable'],
      [200, '<html></html>', { 'content-type': 'text/html' }, 'unexpected_content_type'],
      [200, { error: 'odd' }, {}, 'invalid_profile'],
    ];
    for (const [status, body, headers, code] of refusals) {
      it(`salesloft 7.3 — says ${code} for ${status} ${JSON.stringify(body)}`, async () => {
        nock('https://api.salesloft.com')
          .get('/v2/me.json')
          .reply(status, body as nock.Body, headers as Record<string, string>);
        const error = await rejection(createClient().fetchProfile(tokens));
        expect(error).to.include({ code, stage: 'profile', host: 'api.salesloft.com' });
        expect(error.hint).to.be.a('string');
        expect(error.retryAfterSeconds).to.equal(code === 'rate_limited' ? 17 : undefined);
      });
    }

    it('contract 4 — follows no redirect with the token', async () => {
      nock('https://api.salesloft.com')
        .get('/v2/me.json')
        .reply(302, '', { location: 'https://api.salesloft.com/v2/me' });
      expect(await rejection(createClient().fetchProfile(tokens))).to.include({
        code: 'unexpected_redirect',
        status: 302,
      });
    });
  });

  describe('revocation', () => {
    it('salesloft 9 — posts a form to the host of tokenURL', async () => {
      nock('https://t.example.com')
        .post(
          '/oauth/revoke',
          'token=slrt_1&token_type_hint=refresh_token&client_id=client-1&client_secret=secret-1',
        )
        .matchHeader('content-type', 'application/x-www-form-urlencoded')
        .reply(200, {});
      const client = createClient({ tokenURL: 'https://t.example.com/oauth/token' });
      await client.revokeToken('slrt_1', { tokenTypeHint: 'refresh_token' });
    });

    it('salesloft 9 — says so when the client may not revoke the token', async () => {
      accounts().post('/oauth/revoke').reply(403, {
        error: 'unauthorized_client',
        error_description: 'You are not authorized to revoke this token',
      });
      expect(await rejection(createClient().revokeToken('slrt_1'))).to.include({
        code: 'unauthorized_client',
        stage: 'revoke',
        status: 403,
      });
    });
  });

  describe('module', () => {
    it('contract 1 — is the class, with every export as its own static', () => {
      for (const name of ['Strategy', 'SalesloftStrategy', 'default']) {
        expect(Object.getOwnPropertyDescriptor(SalesloftStrategy, name)?.value).to.equal(
          SalesloftStrategy,
        );
      }
      expect(SalesloftStrategy.salesloft).to.equal(salesloft);
      expect(new SalesloftStrategy({ ...CREDENTIALS }, () => undefined).name).to.equal('salesloft');
    });

    it('contract 1 — is frozen, so that no application bends it for another', () => {
      expect(salesloft).to.be.frozen;
      expect(salesloft.hints).to.be.frozen;
      expect(salesloft.scope).to.be.frozen;
    });
  });
});
