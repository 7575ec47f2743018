import { createHash, createHmac, generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { OAuth2Client } from 'crm-oauth2';
import type { JsonObject, LoginAttempt, LoginRequest } from 'crm-oauth2';
import { completeLogin, providerChecks, rejection } from 'crm-oauth2/testing';
import { SignJWT } from 'jose';
import nock from 'nock';
import SalesforceStrategy from '../dist/index';
import { salesforce } from '../dist/provider';

const CALLBACK = 'https://app.example.com/auth/callback';
const CREDENTIALS = { clientID: '3MVG9client', clientSecret: 'some consumer secret' };
const LOGIN = 'https://login.salesforce.com';
const INSTANCE = 'https://acme.my.salesforce.com';
const ACCESS_TOKEN = '00DB0000000ToZ3!AQ.a_b';
const PATH = '/id/00DB0000000ToZ3MAK/005B0000005V71XIAS';
const OTHER_PATH = '/id/00DB0000000ToZ3MAK/005x0000001S2b9AAC';
const QUERY = { format: 'json', version: 'latest' };
const IDENTITY = {
  id: LOGIN + PATH,
  asserted_user: true,
  user_id: '005B0000005V71XIAS',
  organization_id: '00DB0000000ToZ3MAK',
  username: 'wmathurin@gs0.mobilesdk.com',
  display_name: 'Wolfgang Mathurin',
};

function createClient(options: object = {}) {
  return new OAuth2Client(salesforce, { ...CREDENTIALS, ...options });
}

/** A token response as Salesforce signs it; `undefined` leaves a field out. */
function answer(fields: JsonObject = {}, secret = CREDENTIALS.clientSecret): JsonObject {
  const signed = { id: LOGIN + PATH, issued_at: '1767225600123', ...fields };
  return {
    access_token: ACCESS_TOKEN,
    instance_url: INSTANCE,
    token_type: 'Bearer',
    scope: 'openid id profile email',
    signature: createHmac('sha256', secret)
      .update(`${signed.id}${signed.issued_at}`)
      .digest('base64'),
    ...signed,
  };
}

const TOKEN = '/services/oauth2/token';
const tokenReply = (fields: JsonObject = {}, host = LOGIN) =>
  nock(host).post(TOKEN).reply(200, answer(fields));

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const KEY = { kid: 'key-1', alg: 'RS256' };
const JWKS = { keys: [{ ...publicKey.export({ format: 'jwk' }), ...KEY }] };

/** OpenID Connect Core §3.1.3.6. */
const atHash = (accessToken: string) =>
  createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url');

async function idToken(attempt: LoginAttempt | undefined, claims: object = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const own = {
    iss: LOGIN,
    sub: LOGIN + PATH,
    aud: CREDENTIALS.clientID,
    iat: now,
    exp: now + 120,
    nonce: attempt?.nonce,
    at_hash: atHash(ACCESS_TOKEN),
  };
  return await new SignJWT({ ...own, ...claims }).setProtectedHeader(KEY).sign(privateKey);
}

/** Identity requests have to carry the token in the header, and nothing of it in the URL. */
const identity = (host: string) =>
  nock(host, { reqheaders: { authorization: `Bearer ${ACCESS_TOKEN}` } })
    .get(PATH)
    .query(QUERY);

/** A whole login: token response, then profile. */
async function login(fields: JsonObject = {}, client = createClient()) {
  tokenReply(fields);
  return await client.fetchProfile(await completeLogin(client));
}

describe('Salesforce', () => {
  const sample = {
    options: CREDENTIALS,
    // The identity URL of a site has the path of the site before `/id`.
    tokenResponse: (origin: string) =>
      answer({ id: `${origin}/userInfoEndpoint${PATH}`, instance_url: origin }),
    idTokenClaims: { sub: LOGIN + PATH },
    profileAnswer: IDENTITY,
    profile: { id: '00DB0000000ToZ3MAK/005B0000005V71XIAS', displayName: 'Wolfgang Mathurin' },
    deadRefreshToken: {
      status: 400,
      body: { error: 'invalid_grant', error_description: 'expired access/refresh token' },
    },
  };
  for (const { title, run } of providerChecks(salesforce, sample)) it(title, run);

  describe('loginURL', () => {
    const bases: [string | undefined, string][] = [
      [undefined, 'https://login.salesforce.com'],
      ['https://test.salesforce.com', 'https://test.salesforce.com'],
      ['https://acme.my.salesforce.com', 'https://acme.my.salesforce.com'],
      [
        'https://acme--uat.sandbox.my.salesforce.com/',
        'https://acme--uat.sandbox.my.salesforce.com',
      ],
      ['https://acme.my.site.com/customers', 'https://acme.my.site.com/customers'],
      ['https://acme.my.site.com/customers//', 'https://acme.my.site.com/customers'],
      ['https://login.acme.example', 'https://login.acme.example'],
      ['https://acme.lightning.force.com/lightning/page/home', 'https://acme.my.salesforce.com'],
    ];
    for (const [loginURL, base] of bases) {
      it(`salesforce 1.2 — derives every endpoint from ${loginURL ?? 'the default'}`, () => {
        const { endSessionEndpoint: _, ...endpoints } = createClient({ loginURL }).endpoints;
        expect(endpoints).to.deep.equal({
          issuer: base,
          authorizationEndpoint: `${base}/services/oauth2/authorize`,
          tokenEndpoint: `${base}/services/oauth2/token`,
          userInfoEndpoint: `${base}/services/oauth2/userinfo`,
          revocationEndpoint: `${base}/services/oauth2/revoke`,
          introspectionEndpoint: `${base}/services/oauth2/introspect`,
          jwksUri: `${base}/id/keys`,
        });
      });
    }

    it('contract 2 — says whose option it is that is wrong', () => {
      expect(() => createClient({ clientID: undefined })).to.throw(TypeError, /^Salesforce: /);
    });

    it('contract 2 — refuses plain http, except on a loopback host', () => {
      expect(() => createClient({ loginURL: 'http://login.salesforce.com' })).to.throw(
        TypeError,
        'Salesforce: option "loginURL" must be https; write https://login.salesforce.com',
      );
      expect(() => createClient({ loginURL: 'http://127.0.0.1:4002' })).not.to.throw();
    });

    it('contract 2 — lets each endpoint be overridden', () => {
      const overrides = {
        authorizationURL: 'https://a.example.com/authorize',
        tokenURL: 'https://t.example.com/token',
        userInfoURL: 'https://u.example.com/userinfo',
        jwksURL: 'https://k.example.com/keys',
      };
      expect(createClient(overrides).endpoints).to.include({
        authorizationEndpoint: overrides.authorizationURL,
        tokenEndpoint: overrides.tokenURL,
        userInfoEndpoint: overrides.userInfoURL,
        jwksUri: overrides.jwksURL,
        revocationEndpoint: 'https://t.example.com/revoke',
        introspectionEndpoint: 'https://t.example.com/introspect',
      });
    });

    for (const option of ['authorizationURL', 'tokenURL', 'userInfoURL', 'jwksURL']) {
      it(`salesforce 1.2 — refuses the address of a page as ${option}`, () => {
        const page = 'https://acme.lightning.force.com/services';
        expect(() => createClient({ [option]: page })).to.throw(
          TypeError,
          `Salesforce: option "${option}" is at a host of pages; write https://acme.my.salesforce.com/services`,
        );
      });
    }

    it('RFC 7009 §2 — a token is revoked where tokenURL gave it, not at the default host', async () => {
      const tokenURL = 'https://test.salesforce.com/services/oauth2/token';
      nock('https://test.salesforce.com').post('/services/oauth2/revoke').reply(200, '');
      await createClient({ tokenURL }).revokeToken(ACCESS_TOKEN);
    });
  });

  describe('authorization request', () => {
    function query(params: Partial<LoginRequest> = {}, client = createClient()) {
      return new URL(client.beginLogin({ redirectUri: CALLBACK, ...params }).url).searchParams;
    }

    it('salesforce 2.1 — asks for openid id profile email, with a nonce and S256', () => {
      expect(query().get('scope')).to.equal('openid id profile email');
      expect(query().get('nonce')).to.match(/^[\w-]{32}$/);
      expect(query().get('code_challenge_method')).to.equal('S256');
    });

    it('salesforce 2.1 — asks for the scopes it is given, without openid when not wanted', () => {
      const api = query({ scope: 'api refresh_token' });
      expect(api.get('scope')).to.equal('api refresh_token');
      expect(api.has('nonce')).to.equal(false);
    });

    it('salesforce 2 — writes the typed extras by their wire names', () => {
      const extras = {
        prompt: 'login consent',
        loginHint: 'wmathurin@gs0.mobilesdk.com',
        display: 'popup',
        immediate: true,
        ssoProvider: 'Okta',
      };
      expect(Object.fromEntries(query({ extras }))).to.include({
        prompt: 'login consent',
        login_hint: 'wmathurin@gs0.mobilesdk.com',
        display: 'popup',
        immediate: 'true',
        sso_provider: 'Okta',
      });
    });
  });

  describe('authorization response', () => {
    for (const error of [
      'access_denied',
      'access-denied',
      'immediate_unsuccessful',
      'inactive_user',
      'OAUTH_APP_BLOCKED',
    ]) {
      it(`salesforce 7.1 — takes ${error} for a refusal`, async () => {
        expect(
          await rejection(completeLogin(createClient(), { callback: { code: undefined, error } })),
        ).to.include({
          code: error.replace('-', '_'),
          refusal: 401,
        });
      });
    }

    for (const error of ['invalid_client_id', 'invalid_scope', 'login_error']) {
      it(`salesforce 7.1 — takes ${error} for a fault`, async () => {
        const refused = await rejection(
          completeLogin(createClient(), { callback: { code: undefined, error } }),
        );
        expect(refused).to.include({ code: error, stage: 'authorize', provider: 'salesforce' });
        expect(refused.refusal).to.equal(undefined);
      });
    }

    it('salesforce 3 — ignores sfdc_community_url and sfdc_community_id', async () => {
      tokenReply();
      const tokens = await completeLogin(createClient(), {
        callback: {
          sfdc_community_url: 'https://acme.my.site.com/customers',
          sfdc_community_id: '0DB000000000001',
        },
      });
      expect(tokens.accessToken).to.equal(ACCESS_TOKEN);
    });
  });

  describe('iss in the authorization response', () => {
    it('RFC 9207 §2.4 — may be the My Domain that the token response then names', async () => {
      for (const fields of [{}, { id: INSTANCE + PATH, instance_url: undefined }]) {
        tokenReply(fields);
        const tokens = await completeLogin(createClient(), { callback: { iss: INSTANCE } });
        expect(tokens.accessToken).to.equal(ACCESS_TOKEN);
      }
    });

    it('RFC 9207 §2.4 — may be the login host where the login began at the My Domain', async () => {
      tokenReply({}, INSTANCE);
      const client = createClient({ loginURL: INSTANCE });
      await completeLogin(client, { callback: { iss: LOGIN } });
    });

    it('RFC 9207 §2.4 — of an org that the token response does not name is refused', async () => {
      tokenReply();
      const callback = { iss: 'https://other.my.salesforce.com' };
      expect(await rejection(completeLogin(createClient(), { callback }))).to.include({
        code: 'issuer_mismatch',
        refusal: 403,
        stage: 'token',
      });
    });

    const CUSTOM = 'https://login.acme.example';
    for (const [what, iss, options] of [
      ['a foreign host', 'https://evil.test', {}],
      ['a host that ends like one of Salesforce', 'https://evilsalesforce.com', {}],
      ['an org, with a slash', `${INSTANCE}/`, {}],
      ['an org, with a path', `${INSTANCE}/customers`, {}],
      ['an org over http', 'http://acme.my.salesforce.com', {}],
      ['an org at another port', `${INSTANCE}:8443`, {}],
      ['this machine', 'http://127.0.0.1:4002', {}],
      ['no URL', 'acme', {}],
      ['an org, while a custom domain is configured', INSTANCE, { loginURL: CUSTOM }],
      ['an org, while tokens come from elsewhere', INSTANCE, { tokenURL: `${CUSTOM}/token` }],
      ['an org, while an emulator is configured', INSTANCE, { loginURL: 'http://127.0.0.1:4002' }],
    ] as const) {
      it(`RFC 9700 §4.4 — is refused before the code is sent, when it is ${what}`, async () => {
        const refused = completeLogin(createClient(options), { callback: { iss } });
        expect(await rejection(refused)).to.include({
          code: 'issuer_mismatch',
          refusal: 403,
          stage: 'authorize',
        });
      });
    }

    it('RFC 9207 §2.4 — may be another port of this machine while an emulator is configured', async () => {
      const [local, org] = ['http://127.0.0.1:4002', 'http://127.0.0.1:4003'];
      tokenReply({ id: local + PATH, instance_url: org }, local);
      await completeLogin(createClient({ loginURL: local }), { callback: { iss: org } });
    });
  });

  it('salesforce 7 — has a remedy for each code of its own, a sentence at least', () => {
    for (const [code, hint] of Object.entries(salesforce.hints)) {
      expect(hint, code).to.match(/^[A-Z].{20,}\.$/);
    }
  });

  describe('token request', () => {
    function sent(method: string, reply: JsonObject = answer()): Promise<Record<string, string>> {
      return new Promise((resolve) => {
        nock(LOGIN)
          .post(`/services/oauth2/${method}`, (body: Record<string, string>) => {
            resolve(body);
            return true;
          })
          .query({})
          .matchHeader('content-type', 'application/x-www-form-urlencoded')
          .reply(200, reply);
      });
    }

    it('salesforce 3 — sends the code as the framework decoded it, encoded once', async () => {
      let raw = '';
      nock(LOGIN)
        .post(TOKEN, (body: Record<string, string>) => {
          raw = new URLSearchParams(body).toString();
          return body.code === 'aPrxABC.def==';
        })
        .reply(200, answer());
      await completeLogin(createClient(), { callback: { code: 'aPrxABC.def==' } });
      expect(raw).to.contain('code=aPrxABC.def%3D%3D');
    });

    it('salesforce 4.1 — redeems by a form without scope, secret and verifier in the body', async () => {
      const client = createClient({ scope: ['openid', 'api'] });
      const { attempt } = client.beginLogin({ redirectUri: CALLBACK });
      const body = sent('token');
      await completeLogin(client, { attempt });
      expect(await body).to.deep.equal({
        grant_type: 'authorization_code',
        code: 'a-code',
        redirect_uri: CALLBACK,
        code_verifier: attempt.codeVerifier,
        client_id: CREDENTIALS.clientID,
        client_secret: CREDENTIALS.clientSecret,
      });
    });

    it('salesforce 4.1 — refreshes without scope, even when one is asked for', async () => {
      const body = sent('token');
      await createClient().refreshTokenGrant('5Aep861', { scope: ['api'] });
      expect(await body).to.deep.equal({
        grant_type: 'refresh_token',
        refresh_token: '5Aep861',
        client_id: CREDENTIALS.clientID,
        client_secret: CREDENTIALS.clientSecret,
      });
    });

    it('salesforce 4.1 — asks for client credentials without scope', async () => {
      const body = sent('token');
      await createClient().clientCredentialsGrant({ scope: 'api' });
      expect(await body).not.to.have.property('scope');
    });

    it('salesforce 9 — revokes by a form', async () => {
      nock(LOGIN)
        .post('/services/oauth2/revoke', {
          token: ACCESS_TOKEN,
          client_id: CREDENTIALS.clientID,
          client_secret: CREDENTIALS.clientSecret,
        })
        .reply(200, '');
      await createClient().revokeToken(ACCESS_TOKEN);
    });

    it('RFC 7009 §2.2 — counts a token that Salesforce does not know as revoked', async () => {
      nock(LOGIN)
        .post('/services/oauth2/revoke')
        .reply(400, { error: 'invalid_token', error_description: 'invalid token' });
      await createClient().revokeToken('unknown');
    });

    const FORM = 'application/x-www-form-urlencoded';
    const revocation = (body: string, type = FORM) =>
      nock(LOGIN).post('/services/oauth2/revoke').reply(400, body, { 'content-type': type });

    for (const type of [FORM, `${FORM};charset=UTF-8`]) {
      it(`RFC 7009 §2.2 — counts it as revoked also when told by a form (${type})`, async () => {
        revocation('error=invalid_token&error_description=invalid%20token%3A+unknown', type);
        await createClient().revokeToken('unknown');
      });
    }

    it('salesforce 9 — understands a refusal that is a form, and repeats no token', async () => {
      revocation('error=unsupported_token_type&error_description=this+type+is+not%20supported');
      expect(await rejection(createClient().revokeToken('x'))).to.include({
        message: 'salesforce: unsupported_token_type: this type is not supported',
        code: 'unsupported_token_type',
        stage: 'revoke',
        status: 400,
      });
      revocation(`error=invalid_client&error_description=${encodeURIComponent(ACCESS_TOKEN)}`);
      const error = await rejection(createClient().revokeToken(ACCESS_TOKEN));
      expect(error).to.include({ code: 'invalid_client', stage: 'revoke' });
      expect(error.message).to.equal('salesforce: invalid_client: [redacted]');
    });

    it('salesforce 9 — believes no form that says nothing', async () => {
      for (const body of ['', 'error=', 'invalid_token', 'status=invalid_token']) {
        revocation(body);
        expect(await rejection(createClient().revokeToken('x')), body).to.include({
          code: 'unexpected_status',
          stage: 'revoke',
        });
      }
    });

    it('salesforce 9 — says so when the token type cannot be revoked', async () => {
      nock(LOGIN).post('/services/oauth2/revoke').reply(400, { error: 'unsupported_token_type' });
      expect(await rejection(createClient().revokeToken('x'))).to.include({
        code: 'unsupported_token_type',
        stage: 'revoke',
      });
    });

    const errors: [string, string][] = [
      ['invalid_grant', 'authentication failure - Invalid Password'],
      ['invalid_grant', 'expired access/refresh token'],
      ['invalid_client', 'invalid client credentials'],
      ['redirect_uri_mismatch', 'redirect_uri must match configuration'],
      ['invalid_request', 'scope parameter not supported'],
    ];
    for (const [error, description] of errors) {
      it(`salesforce 7.2 — says ${error} (${description}) with a remedy`, async () => {
        nock(LOGIN).post(TOKEN).reply(400, { error, error_description: description });
        const refused = await rejection(completeLogin(createClient()));
        expect(refused).to.include({
          reportedIn: 'token response',
          code: error,
          stage: 'token',
          status: 400,
        });
        expect(refused.message).to.contain(description);
        expect(refused.hint).to.be.a('string').and.not.empty;
      });
    }

    it('salesforce 7.2 — takes a redirect or a web page for the wrong host', async () => {
      nock(LOGIN).post(TOKEN).reply(302, '', { location: 'https://acme.lightning.force.com/' });
      const redirected = await rejection(completeLogin(createClient()));
      expect(redirected).to.include({ code: 'unexpected_redirect', stage: 'token' });
      expect(redirected.hint).to.contain('loginURL');
      nock(LOGIN).post(TOKEN).reply(200, '<html></html>', { 'content-type': 'text/html' });
      const page = await rejection(completeLogin(createClient()));
      expect(page).to.include({ code: 'unexpected_content_type', stage: 'token' });
      expect(page.hint).to.contain('loginURL');
    });
  });

  describe('token response', () => {
    it('salesforce 4.2 — assumes two hours, or what the option says, since no expiry is sent', async () => {
      for (const [assumedLifetime, seconds] of [
        [undefined, 7200],
        [900, 900],
      ] as const) {
        tokenReply();
        const before = Date.now();
        const client = createClient(assumedLifetime === undefined ? {} : { assumedLifetime });
        const tokens = await completeLogin(client);
        expect(tokens.expiresAt).to.be.within(before + seconds * 1000, Date.now() + seconds * 1000);
        expect(tokens.response).to.include({ issued_at: '1767225600123' });
        expect(tokens.response).not.to.have.property('expires_in');
      }
    });

    it('salesforce 4.2 — tolerates a missing token_type', async () => {
      tokenReply({ token_type: undefined });
      expect((await completeLogin(createClient())).tokenType).to.equal('Bearer');
    });

    const lies: [string, JsonObject, string][] = [
      ['is signed with another secret', answer({}, 'another secret'), 'signature_mismatch'],
      ['is not signed', answer({ signature: undefined }), 'signature_missing'],
      ['has issued_at as a number', answer({ issued_at: 1767225600123 }), 'signature_missing'],
      ['has no issued_at', answer({ issued_at: undefined }), 'signature_missing'],
      ['has no id', answer({ id: undefined }), 'signature_missing'],
      ['names another id', { ...answer(), id: LOGIN + OTHER_PATH }, 'signature_mismatch'],
    ];
    for (const [what, response, code] of lies) {
      it(`salesforce 6 — refuses an answer that ${what}, and asks nothing further`, async () => {
        nock(LOGIN).post(TOKEN).reply(200, response);
        expect(await rejection(completeLogin(createClient()))).to.include({
          code,
          stage: 'token',
          host: 'login.salesforce.com',
        });
      });
    }

    it('salesforce 6 — believes an unsigned answer without a secret to check it with', async () => {
      nock(LOGIN)
        .post(TOKEN)
        .reply(200, answer({ signature: 'made-with-some-secret' }));
      const tokens = await completeLogin(
        new OAuth2Client(salesforce, { clientID: CREDENTIALS.clientID }),
      );
      expect(tokens.accessToken).to.equal(ACCESS_TOKEN);
    });

    it('salesforce 5.3 — needs an id even without a secret', async () => {
      nock(LOGIN)
        .post(TOKEN)
        .reply(200, answer({ id: undefined }));
      expect(
        await rejection(
          completeLogin(new OAuth2Client(salesforce, { clientID: CREDENTIALS.clientID })),
        ),
      ).to.include({
        message: 'salesforce: the token response has no "id"',
        code: 'identity_url_missing',
        stage: 'token',
      });
    });
  });

  describe('refresh', () => {
    const refresh = async (response: JsonObject) => {
      nock(LOGIN).post(TOKEN).reply(200, response);
      return await createClient().refreshTokenGrant('5Aep861');
    };

    it('salesforce 6 — accepts a refresh without a signature, and keeps the refresh token', async () => {
      const tokens = await refresh({ access_token: ACCESS_TOKEN, instance_url: INSTANCE });
      expect(tokens).to.include({ accessToken: ACCESS_TOKEN, refreshToken: '5Aep861' });
    });

    it('salesforce 6 — accepts a refresh with the right signature, and takes a rotated token', async () => {
      const tokens = await refresh(answer({ refresh_token: '5Aep862' }));
      expect(tokens.refreshToken).to.equal('5Aep862');
    });

    for (const [name, url] of [
      ['instance_url', 'https://evil.test'],
      ['instance_url', 'http://acme.my.salesforce.com'],
      ['instance_url', null],
      ['api_instance_url', 'https://evilsalesforce.com'],
    ] as const) {
      it(`salesforce 1.3 — keeps the new tokens and the old host when ${name} is ${url}`, async () => {
        tokenReply({ api_instance_url: 'https://api.salesforce.com' });
        const client = createClient();
        const previous = await completeLogin(client);
        tokenReply({ access_token: '00D!new', refresh_token: '5Aep862', [name]: url });
        const tokens = await client.refreshTokenGrant('5Aep861', { previous });
        expect(tokens).to.include({ accessToken: '00D!new', refreshToken: '5Aep862' });
        expect(tokens.response).to.include({
          instance_url: INSTANCE,
          api_instance_url: 'https://api.salesforce.com',
        });
        tokenReply({ [name]: url });
        const alone = await client.refreshTokenGrant('5Aep861');
        expect(alone.response).not.to.have.property(name);
      });
    }

    it('salesforce 1.3 — takes a new host of Salesforce, when the org has moved', async () => {
      tokenReply();
      const client = createClient();
      const previous = await completeLogin(client);
      const moved = 'https://acme-new.my.salesforce.com';
      tokenReply({ instance_url: moved });
      const tokens = await client.refreshTokenGrant('5Aep861', { previous });
      expect(tokens.response.instance_url).to.equal(moved);
    });

    it('salesforce 1.3 — refuses a token of the app itself when its host is foreign', async () => {
      tokenReply({ instance_url: 'https://evil.test' });
      expect(await rejection(createClient().clientCredentialsGrant())).to.include({
        code: 'untrusted_host',
        stage: 'client_credentials',
      });
    });

    it('salesforce 6 — refuses a refresh with a wrong signature', async () => {
      expect(await rejection(refresh(answer({}, 'another secret')))).to.include({
        code: 'signature_mismatch',
        stage: 'refresh',
      });
      expect(await rejection(refresh(answer({ issued_at: 5 })))).to.include({
        code: 'signature_missing',
        stage: 'refresh',
      });
    });

    it('salesforce 7.2 — names a refresh token that was rotated away', async () => {
      nock(LOGIN).post(TOKEN).reply(400, {
        error: 'invalid_grant',
        error_description: 'expired access/refresh token',
      });
      expect(await rejection(createClient().refreshTokenGrant('5Aep861'))).to.include({
        code: 'invalid_grant',
        stage: 'refresh',
      });
    });
  });

  describe('identity request', () => {
    it('salesforce 5.3 — asks the instance host for the path of the id', async () => {
      identity(INSTANCE).reply(200, IDENTITY);
      const profile = await login();
      expect(profile).to.include({
        id: '00DB0000000ToZ3MAK/005B0000005V71XIAS',
        instanceUrl: INSTANCE,
      });
    });

    it('salesforce 5.3 — asks the host of the id when there is no instance_url', async () => {
      identity(LOGIN).reply(200, IDENTITY);
      const profile = await login({ instance_url: undefined });
      expect(profile).not.to.have.property('instanceUrl');
    });

    const SITE = 'https://acme.my.site.com';
    it('salesforce 5.3 — leaves the path of a site behind where the instance is another host', async () => {
      identity(INSTANCE).reply(200, IDENTITY);
      await login({ id: `${SITE}/customers${PATH}` });
    });

    it('salesforce 5.3 — keeps the path of a site at its own host', async () => {
      for (const instance of [SITE, `${SITE}/`, `${SITE}/customers`]) {
        nock(SITE, { reqheaders: { authorization: `Bearer ${ACCESS_TOKEN}` } })
          .get(`/customers${PATH}`)
          .query(QUERY)
          .reply(200, IDENTITY);
        const profile = await login({ id: `${SITE}/customers${PATH}`, instance_url: instance });
        expect(profile.displayName).to.equal('Wolfgang Mathurin');
      }
    });

    it('salesforce 5.3 — takes of instance_url nothing but the host', async () => {
      identity(INSTANCE).reply(200, IDENTITY);
      await login({ instance_url: `${INSTANCE}/services/oauth2/echo?to=https://evil.test#x` });
    });

    it('salesforce 5.3 — leaves the query of the id behind', async () => {
      identity(INSTANCE).reply(200, IDENTITY);
      await login({ id: `${LOGIN}${PATH}?oauth_token=x&format=xml` });
    });

    it('salesforce 5.3 — follows a redirect to another host of Salesforce, token in the header', async () => {
      identity(INSTANCE).reply(302, '', {
        location: `https://eu5.salesforce.com${PATH}?format=json`,
      });
      nock('https://eu5.salesforce.com', {
        reqheaders: { authorization: `Bearer ${ACCESS_TOKEN}` },
      })
        .get(PATH)
        .query({ format: 'json' })
        .reply(200, IDENTITY);
      expect((await login()).displayName).to.equal('Wolfgang Mathurin');
    });

    it('salesforce 5.3 — follows a relative redirect', async () => {
      identity(INSTANCE).reply(307, '', { location: `/site${PATH}` });
      nock(INSTANCE).get(`/site${PATH}`).reply(200, IDENTITY);
      expect((await login()).displayName).to.equal('Wolfgang Mathurin');
    });

    /** The redirect ends the login, and its target is not asked. */
    async function refusesRedirect(location: string, client = createClient()): Promise<void> {
      identity(INSTANCE).reply(302, '', { location });
      const { tokenEndpoint } = client.endpoints;
      tokenReply({}, new URL(tokenEndpoint).origin);
      const tokens = await completeLogin(client);
      const asked: string[] = [];
      const watch = (request: { options?: { hostname?: string | null } }) =>
        asked.push(String(request.options?.hostname));
      nock.emitter.on('no match', watch);
      try {
        expect(await rejection(client.fetchProfile(tokens))).to.include({
          code: 'untrusted_host',
          stage: 'profile',
          host: 'acme.my.salesforce.com',
        });
      } finally {
        nock.emitter.off('no match', watch);
      }
      expect(asked).to.deep.equal([]);
    }

    const elsewhere: [string, string][] = [
      ['another person', OTHER_PATH],
      ['another organization', '/id/00DB0000000ToZ4MAK/005B0000005V71XIAS'],
      ['a person of another case', PATH.toLowerCase()],
      ['UserInfo', '/services/oauth2/userinfo'],
      ['a page', '/secur/frontdoor.jsp'],
      ['a path below', `${PATH}/photo`],
      ['a path in a query', `/echo?path=${PATH}`],
      ['a path in a fragment', `/echo#${PATH}`],
      ['the root', '/'],
    ];
    for (const [what, path] of elsewhere) {
      for (const host of ['https://eu5.salesforce.com', INSTANCE, LOGIN]) {
        it(`salesforce 5.3 — never takes the token to ${what} at ${host} by a redirect`, async () => {
          await refusesRedirect(host + path);
        });
      }

      it(`salesforce 5.3 — nor to ${what} at the My Domain that is configured`, async () => {
        await refusesRedirect(path, createClient({ loginURL: INSTANCE }));
      });
    }

    it('salesforce 5.3 — follows a redirect to the same person in 15 characters', async () => {
      const path = '/id/00DB0000000ToZ3/005B0000005V71X';
      identity(INSTANCE).reply(302, '', { location: `https://eu5.salesforce.com${path}` });
      nock('https://eu5.salesforce.com').get(path).reply(200, IDENTITY);
      expect((await login()).displayName).to.equal('Wolfgang Mathurin');
    });

    const foreign = [
      'https://evil.test',
      'https://evilsalesforce.com',
      'https://salesforce.com.evil.test',
      'https://evilcrmforce.mil',
      'http://acme.my.salesforce.com',
      'https://acme.my.salesforce.com:8443',
      'https://jane:secret@acme.my.salesforce.com',
      'https://acme.file.force.com',
      'https://acme.my.salesforce.com.',
      '//evil.test',
    ];
    for (const target of foreign) {
      it(`salesforce 5.3 — never takes the token to ${target} by a redirect`, async () => {
        await refusesRedirect(target + PATH);
      });

      it(`salesforce 1.3 — never takes the token to instance_url ${target}`, async () => {
        expect(await rejection(login({ instance_url: target }))).to.include({
          code: 'untrusted_host',
          stage: 'token',
        });
      });

      it(`salesforce 1.3 — never takes the token to id ${target}`, async () => {
        expect(await rejection(login({ id: target + PATH }))).to.include({
          code: 'untrusted_host',
          stage: 'profile',
        });
      });
    }

    it('salesforce 5.3 — gives up after a few redirects', async () => {
      nock(INSTANCE)
        .get(PATH)
        .query(true)
        .times(4)
        .reply(302, '', { location: INSTANCE + PATH });
      expect(await rejection(login())).to.include({ code: 'unexpected_redirect' });
    });

    for (const id of ['https://login.salesforce.com/id/x/y', `${LOGIN}${PATH}1`, 'not a URL']) {
      it(`salesforce 1.3 — refuses the id ${id}, signed or not`, async () => {
        expect(await rejection(login({ id }))).to.include({
          message: 'salesforce: the identity URL is not one of Salesforce',
          code: 'untrusted_host',
        });
      });
    }

    for (const url of [5, null, 'not a URL', {}, [INSTANCE]]) {
      it(`salesforce 1.3 — refuses the instance_url ${JSON.stringify(url)}`, async () => {
        expect(await rejection(login({ instance_url: url }))).to.include({
          message:
            'salesforce: the token response names a host that must not receive a token: instance_url',
          code: 'untrusted_host',
        });
      });
    }

    it('salesforce 1.3 — trusts the host that is configured, on its own port only', async () => {
      const loginURL = 'https://login.acme.example:8443';
      const client = createClient({ loginURL });
      const profileOf = async (instance: string) => {
        tokenReply({ id: loginURL + PATH, instance_url: instance }, loginURL);
        return await client.fetchProfile(await completeLogin(client));
      };
      identity(loginURL).reply(200, IDENTITY);
      expect((await profileOf(loginURL)).displayName).to.equal('Wolfgang Mathurin');
      expect(await rejection(profileOf('https://login.acme.example:9443'))).to.include({
        code: 'untrusted_host',
      });
    });

    it('salesforce 5.1 — refuses an identity that is not asserted, or of another person', async () => {
      identity(INSTANCE).reply(200, { ...IDENTITY, asserted_user: false });
      expect(await rejection(login())).to.include({ code: 'not_asserted', stage: 'profile' });
      identity(INSTANCE).reply(200, { ...IDENTITY, user_id: '005x0000001S2b9AAC' });
      expect(await rejection(login())).to.include({ code: 'subject_mismatch', stage: 'profile' });
    });

    const refusals: [number, string, string][] = [
      [403, 'Bad_OAuth_Token', 'invalid_token'],
      [403, 'Missing_OAuth_Token', 'invalid_token'],
      [403, 'Wrong_Org', 'insufficient_scope'],
      [403, 'No_Access', 'insufficient_scope'],
      [404, 'Bad_Id', 'unexpected_status'],
      [404, 'Inactive', 'inactive_user'],
      [401, '', 'invalid_token'],
      [500, 'oops', 'provider_unavailable'],
    ];
    for (const [status, body, code] of refusals) {
      it(`salesforce 7.3 — understands ${status} ${body} as ${code}`, async () => {
        identity(INSTANCE).reply(status, body, { 'content-type': 'text/plain' });
        const error = await rejection(login());
        expect(error).to.include({ code, status, host: 'acme.my.salesforce.com' });
        if (status === 403) expect(error.message).to.contain(body);
        expect(error.refusal).to.equal(code === 'inactive_user' ? 401 : undefined);
      });
    }
  });

  describe('UserInfo', () => {
    it('salesforce 5.4 — is asked when all there is is an access token', async () => {
      nock(LOGIN, { reqheaders: { authorization: `Bearer ${ACCESS_TOKEN}` } })
        .get('/services/oauth2/userinfo')
        .query({})
        .reply(200, { ...IDENTITY, asserted_user: undefined, sub: LOGIN + PATH });
      const tokens = { accessToken: ACCESS_TOKEN, tokenType: 'Bearer', response: {} };
      expect((await createClient().fetchProfile(tokens)).id).to.equal(
        '00DB0000000ToZ3MAK/005B0000005V71XIAS',
      );
    });
  });

  describe('ID Token', () => {
    const publishKeys = (host = LOGIN) => nock(host).get('/id/keys').reply(200, JWKS);

    async function loginWith(claims: object, fields: JsonObject = {}, client = createClient()) {
      const { attempt } = client.beginLogin({ redirectUri: CALLBACK });
      tokenReply({ id_token: await idToken(attempt, claims), ...fields });
      return { client, tokens: await completeLogin(client, { attempt }) };
    }

    it('salesforce 5.4 — is verified when it is there', async () => {
      publishKeys();
      const { client, tokens } = await loginWith({});
      expect(tokens.claims).to.include({ iss: LOGIN, sub: LOGIN + PATH });
      identity(INSTANCE).reply(200, IDENTITY);
      expect((await client.fetchProfile(tokens)).displayName).to.equal('Wolfgang Mathurin');
    });

    it('salesforce 5.4 — is not needed', async () => {
      tokenReply();
      expect(await completeLogin(createClient())).not.to.have.property('claims');
    });

    it('salesforce 5.4 — may be issued by the My Domain that the signed id names', async () => {
      publishKeys(INSTANCE);
      const { tokens } = await loginWith(
        { iss: INSTANCE, sub: INSTANCE + PATH },
        { id: INSTANCE + PATH },
      );
      expect(tokens.claims?.iss).to.equal(INSTANCE);
    });

    it('salesforce 5.4 — begun at login.salesforce.com, it may be of the org of instance_url', async () => {
      publishKeys(INSTANCE);
      const { client, tokens } = await loginWith({ iss: INSTANCE, sub: INSTANCE + PATH });
      expect(tokens.claims?.iss).to.equal(INSTANCE);
      expect(tokens.subject).to.equal('00DB0000000ToZ3MAK/005B0000005V71XIAS');
      // The keys of the org are kept like those of the login host.
      await loginWith({ iss: INSTANCE }, {}, client);
      identity(INSTANCE).reply(200, IDENTITY);
      expect((await client.fetchProfile(tokens)).displayName).to.equal('Wolfgang Mathurin');
    });

    it('salesforce 5.4 — of an org is believed by its own keys only', async () => {
      nock(INSTANCE).get('/id/keys').reply(200, { keys: [] });
      expect(await rejection(loginWith({ iss: INSTANCE }))).to.include({
        code: 'id_token_unknown_key',
        stage: 'id_token',
        host: 'acme.my.salesforce.com',
      });
    });

    it('salesforce 5.4 — of an org is verified by jwksURL where the application names one', async () => {
      publishKeys('https://keys.example.com');
      const client = createClient({ jwksURL: 'https://keys.example.com/id/keys' });
      const { tokens } = await loginWith({ iss: INSTANCE }, {}, client);
      expect(tokens.claims?.iss).to.equal(INSTANCE);
    });

    it('salesforce 5.4 — of an org must name the person of the signed id', async () => {
      publishKeys(INSTANCE);
      const other = loginWith({ iss: INSTANCE, sub: INSTANCE + OTHER_PATH });
      expect(await rejection(other)).to.include({ code: 'subject_mismatch', stage: 'id_token' });
    });

    it('salesforce 5.4 — of an org is refused where no id says who the person is', async () => {
      publishKeys();
      const client = createClient();
      nock(LOGIN)
        .post(TOKEN)
        .reply(200, {
          access_token: ACCESS_TOKEN,
          instance_url: INSTANCE,
          id_token: await idToken(undefined, { iss: INSTANCE }),
        });
      expect(await rejection(client.refreshTokenGrant('5Aep861'))).to.include({
        code: 'id_token_issuer',
      });
    });

    it('salesforce 5.4 — may be issued by a site with its path', async () => {
      const loginURL = 'https://acme.my.site.com/customers';
      nock('https://acme.my.site.com').get('/customers/id/keys').reply(200, JWKS);
      const client = createClient({ loginURL });
      const { attempt } = client.beginLogin({ redirectUri: CALLBACK });
      nock('https://acme.my.site.com')
        .post('/customers/services/oauth2/token')
        .reply(200, answer({ id_token: await idToken(attempt, { iss: loginURL }) }));
      expect((await completeLogin(client, { attempt })).claims?.iss).to.equal(loginURL);
    });

    const issuers: [string, object, JsonObject][] = [
      ['a foreign issuer', { iss: 'https://evil.test' }, {}],
      ['another org of Salesforce', { iss: 'https://other.my.salesforce.com' }, {}],
      ['the org, with a slash', { iss: `${INSTANCE}/` }, {}],
      ['a slash at the end', { iss: `${LOGIN}/` }, {}],
      ['a foreign id', { iss: 'https://evil.test' }, { id: `https://evil.test${PATH}` }],
    ];
    for (const [what, claims, fields] of issuers) {
      it(`salesforce 5.4 — is refused when its iss is ${what}`, async () => {
        publishKeys();
        expect(await rejection(loginWith(claims, fields))).to.include({
          code: 'id_token_issuer',
          stage: 'id_token',
        });
      });
    }

    const refusals: [string, object, string][] = [
      ['is for another consumer key', { aud: '3MVG9other' }, 'id_token_audience'],
      ['has another nonce', { nonce: 'another' }, 'id_token_nonce'],
      ['expired two minutes ago', { exp: 1311281970 }, 'id_token_expired'],
      ['belongs to another access token', { at_hash: atHash('other') }, 'id_token_access_token'],
    ];
    for (const [what, claims, code] of refusals) {
      it(`OIDC Core §3.1.3.7 — is refused when it ${what}`, async () => {
        publishKeys();
        expect(await rejection(loginWith(claims))).to.include({ code, stage: 'id_token' });
      });
    }

    for (const sub of [LOGIN + OTHER_PATH, '005B0000005V71XIAS', 'https://evil.test']) {
      it(`salesforce 5.1 — is refused when its sub is ${sub}`, async () => {
        publishKeys();
        expect(await rejection(loginWith({ sub }))).to.include({
          message: 'salesforce: the ID Token is of another person than the identity URL',
          code: 'subject_mismatch',
          stage: 'id_token',
        });
      });
    }

    it('salesforce 5.4 — names the same person under another host and another length', async () => {
      publishKeys();
      const { client, tokens } = await loginWith({
        sub: `${INSTANCE}/id/00DB0000000ToZ3/005B0000005V71X`,
      });
      identity(INSTANCE).reply(200, IDENTITY);
      expect((await client.fetchProfile(tokens)).displayName).to.equal('Wolfgang Mathurin');
    });

    it('salesforce 5.4 — of a refresh is verified without a nonce', async () => {
      publishKeys();
      tokenReply({ id_token: await idToken(undefined) });
      const client = createClient();
      expect((await client.refreshTokenGrant('5Aep861')).claims?.sub).to.equal(LOGIN + PATH);
      tokenReply({ id_token: await idToken(undefined, { iss: 'https://evil.test' }) });
      expect(await rejection(client.refreshTokenGrant('5Aep861'))).to.include({
        code: 'id_token_issuer',
      });
    });
  });

  describe('profileFrom', () => {
    /** Standard claims, as Salesforce puts them into an ID Token when the app includes them. */
    const CLAIMS = {
      name: 'Wolfgang Mathurin',
      given_name: 'Wolfgang',
      family_name: 'Mathurin',
      preferred_username: 'wmathurin@gs0.mobilesdk.com',
      email: 'wmathurin@salesforce.com',
      email_verified: true,
      zoneinfo: 'America/Los_Angeles',
      locale: 'en_US',
    };

    async function profileOf(
      claims: object,
      options: object = { profileFrom: 'id_token' },
      client = createClient(options),
    ) {
      nock(LOGIN).get('/id/keys').reply(200, JWKS);
      const { attempt } = client.beginLogin({ redirectUri: CALLBACK });
      tokenReply({ id_token: await idToken(attempt, claims) });
      return await client.fetchProfile(await completeLogin(client, { attempt }));
    }
    const asksIdentity = () => identity(INSTANCE).reply(200, IDENTITY);

    it('salesforce 5.4 — id_token: a verified ID Token with name and email makes the profile, without a request', async () => {
      const { _raw, _json, ...profile } = await profileOf(CLAIMS);
      expect(profile).to.deep.equal({
        provider: 'salesforce',
        id: '00DB0000000ToZ3MAK/005B0000005V71XIAS',
        displayName: 'Wolfgang Mathurin',
        username: 'wmathurin@gs0.mobilesdk.com',
        name: { givenName: 'Wolfgang', familyName: 'Mathurin' },
        emails: [{ value: 'wmathurin@salesforce.com', verified: true }],
        organizationId: '00DB0000000ToZ3MAK',
        userId: '005B0000005V71XIAS',
        instanceUrl: INSTANCE,
        locale: 'en_US',
        timeZone: 'America/Los_Angeles',
      });
      expect(_json).to.include({ ...CLAIMS, sub: LOGIN + PATH });
      expect(JSON.parse(_raw)).to.deep.equal(_json);
    });

    it('salesforce 5.5 — id_token: has the same id as the identity URL gives', async () => {
      const sub = `${LOGIN}/id/00DB0000000ToZ3/005B0000005V71X`;
      const { id } = await profileOf({ ...CLAIMS, sub });
      asksIdentity();
      expect((await profileOf(CLAIMS, {})).id).to.equal(id);
    });

    for (const [what, claims] of [
      ['lacks the name', { ...CLAIMS, name: undefined }],
      ['lacks the email', { ...CLAIMS, email: undefined }],
      ['has an empty email', { ...CLAIMS, email: '' }],
      ['has a name that is not a text', { ...CLAIMS, name: { first: 'Wolfgang' } }],
      ['is not bound to the access token', { ...CLAIMS, at_hash: undefined }],
    ] as const) {
      it(`salesforce 5.4 — id_token: the identity URL is asked when the ID Token ${what}`, async () => {
        asksIdentity();
        expect(await profileOf(claims)).to.include({ displayName: 'Wolfgang Mathurin' });
        expect(nock.isDone()).to.equal(true);
      });
    }

    it('salesforce 4.4 — id_token: the identity URL is asked when no secret can prove the token response', async () => {
      asksIdentity();
      const { clientID } = CREDENTIALS;
      const publicClient = new OAuth2Client(salesforce, { clientID, profileFrom: 'id_token' });
      await profileOf(CLAIMS, {}, publicClient);
      expect(nock.isDone()).to.equal(true);
    });

    it('salesforce 5.4 — id_token: UserInfo is asked when the token response, which the secret proves, names no person', async () => {
      const { user_id, organization_id } = IDENTITY;
      const person = { sub: LOGIN + PATH, user_id, organization_id, name: 'of UserInfo' };
      nock(LOGIN).get('/services/oauth2/userinfo').reply(200, person);
      const claims = { iss: LOGIN, sub: LOGIN + PATH, ...CLAIMS, at_hash: 'hash-1' };
      const tokens = { accessToken: '00D!1', tokenType: 'Bearer', response: {}, claims };
      const client = createClient({ profileFrom: 'id_token' });
      expect(await client.fetchProfile(tokens)).to.include({ displayName: 'of UserInfo' });
    });

    it('salesforce 5.4 — id_token: the identity URL is asked when there is no ID Token', async () => {
      tokenReply();
      asksIdentity();
      const client = createClient({ profileFrom: 'id_token' });
      await client.fetchProfile(await completeLogin(client));
      expect(nock.isDone()).to.equal(true);
    });

    for (const profileFrom of [undefined, 'identity_url']) {
      it(`salesforce 5.1 — ${profileFrom ?? 'default'}: the identity URL is asked, whatever the ID Token says`, async () => {
        asksIdentity();
        await profileOf(CLAIMS, { profileFrom });
        expect(nock.isDone()).to.equal(true);
      });
    }

    for (const [what, claims, code] of [
      ['another person', { sub: LOGIN + OTHER_PATH }, 'subject_mismatch'],
      ['another access token', { at_hash: atHash('other') }, 'id_token_access_token'],
      ['another login', { nonce: 'another' }, 'id_token_nonce'],
    ] as const) {
      it(`OIDC Core §3.1.3.7 — id_token: an ID Token of ${what} is refused`, async () => {
        const error = await rejection(profileOf({ ...CLAIMS, ...claims }));
        expect(error).to.include({ code, stage: 'id_token' });
      });
    }

    it('salesforce 4.4 — id_token: a token response with a wrong signature is refused', async () => {
      const client = createClient({ profileFrom: 'id_token' });
      const { attempt } = client.beginLogin({ redirectUri: CALLBACK });
      const fields = { id_token: await idToken(attempt, CLAIMS) };
      nock(LOGIN).post(TOKEN).reply(200, answer(fields, 'another secret'));
      const error = await rejection(completeLogin(client, { attempt }));
      expect(error.code).to.equal('signature_mismatch');
    });

    for (const profileFrom of ['userinfo', 'ID_TOKEN', 'true']) {
      it(`TypeError for ${profileFrom}`, () => {
        expect(() => createClient({ profileFrom })).to.throw(
          TypeError,
          'Salesforce: option "profileFrom" must be "identity_url" or "id_token"',
        );
      });
    }
  });

  it('contract 1 — is the class, with every export as its own static', () => {
    for (const name of ['Strategy', 'SalesforceStrategy', 'default']) {
      expect(Object.getOwnPropertyDescriptor(SalesforceStrategy, name)?.value).to.equal(
        SalesforceStrategy,
      );
    }
    expect(SalesforceStrategy.salesforce).to.equal(salesforce).and.to.be.frozen;
    expect(new SalesforceStrategy({ ...CREDENTIALS }, () => undefined).name).to.equal('salesforce');
  });
});
