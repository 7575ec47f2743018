import { createHash, generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { OAuth2Client } from 'crm-oauth2';
import type { LoginAttempt, LoginRequest } from 'crm-oauth2';
import { completeLogin, providerChecks, rejection } from 'crm-oauth2/testing';
import { SignJWT, UnsecuredJWT } from 'jose';
import type { JWTHeaderParameters } from 'jose';
import nock from 'nock';
import SalesosStrategy from '../dist/index';
import { salesos } from '../dist/provider';

const CALLBACK = 'https://app.example.com/auth/callback';
const CREDENTIALS = { clientID: 'client-1', clientSecret: 'secret-1' };
const ISSUER = 'https://auth.play2sell.com/';
const AUDIENCE = 'https://api.play2sell.com';
const SUB = 'auth0|6553da60a54af58e29493993';
const PERSON = { name: 'Zoë Ångström', email: 'zoe@example.com', email_verified: false };

function createClient(options: object = {}) {
  return new OAuth2Client(salesos, { ...CREDENTIALS, ...options });
}

const auth = () => nock('https://auth.play2sell.com');
const publishKeys = () => auth().get('/.well-known/jwks.json').reply(200, JWKS);

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const KEY = { kid: 'key-1', alg: 'RS256' };
const JWKS = { keys: [{ ...publicKey.export({ format: 'jwk' }), ...KEY }] };

/** OpenID Connect Core §3.1.3.6. */
const atHash = (accessToken: string) =>
  createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url');

function claimsOf(attempt: LoginAttempt, claims: object = {}) {
  const now = Math.floor(Date.now() / 1000);
  return {
    iss: ISSUER,
    sub: SUB,
    aud: 'client-1',
    iat: now,
    exp: now + 36_000,
    nonce: attempt.nonce,
    at_hash: atHash('access-1'),
    ...PERSON,
    ...claims,
  };
}

async function idToken(attempt: LoginAttempt, claims: object = {}, header = {}): Promise<string> {
  const signed: JWTHeaderParameters = { ...KEY, ...header };
  const jwt = new SignJWT(claimsOf(attempt, claims)).setProtectedHeader(signed);
  // RFC 8725 §2.1: the published key, used as the secret of an HMAC.
  const pem = Buffer.from(publicKey.export({ type: 'spki', format: 'pem' }));
  return await jwt.sign(signed.alg === 'HS256' ? pem : privateKey);
}

function answer(fields: object) {
  return { access_token: 'access-1', token_type: 'Bearer', expires_in: 86_400, ...fields };
}

/** A login whose ID Token has these claims. */
async function login(
  {
    claims = {},
    header = {},
    options = {},
    request = {},
  }: { claims?: object; header?: object; options?: object; request?: Partial<LoginRequest> },
  client = createClient(options),
) {
  const { attempt } = client.beginLogin({ redirectUri: CALLBACK, ...request });
  auth()
    .post('/oauth/token')
    .reply(200, answer({ id_token: await idToken(attempt, claims, header) }));
  return { client, tokens: await completeLogin(client, { attempt }) };
}

function authorizationQuery(
  client = createClient(),
  request: Partial<LoginRequest> = {},
): URLSearchParams {
  return new URL(client.beginLogin({ redirectUri: CALLBACK, ...request }).url).searchParams;
}

describe('SalesOS', () => {
  const sample = {
    options: CREDENTIALS,
    tokenResponse: () => answer({ refresh_token: 'v1.of-the-sample' }),
    idTokenClaims: { sub: SUB, ...PERSON },
    profile: { id: SUB, displayName: PERSON.name },
  };
  for (const { title, run } of providerChecks(salesos, sample)) it(title, run);

  describe('with userInfo: true', () => {
    const options = { ...CREDENTIALS, userInfo: true };
    const asking = { ...sample, options, profileAnswer: { sub: SUB, ...PERSON } };
    for (const { title, run } of providerChecks(salesos, asking)) it(title, run);
  });

  describe('endpoints', () => {
    it('salesos 1 — derives every endpoint from the default issuer', () => {
      expect(createClient().endpoints).to.deep.equal({
        issuer: ISSUER,
        authorizationEndpoint: 'https://auth.play2sell.com/authorize',
        tokenEndpoint: 'https://auth.play2sell.com/oauth/token',
        userInfoEndpoint: 'https://auth.play2sell.com/userinfo',
        jwksUri: 'https://auth.play2sell.com/.well-known/jwks.json',
        revocationEndpoint: 'https://auth.play2sell.com/oauth/revoke',
        endSessionEndpoint: 'https://auth.play2sell.com/oidc/logout',
      });
    });

    for (const issuer of [
      'https://p2s.eu.auth0.com/',
      'https://p2s.eu.auth0.com',
      'https://P2S.eu.auth0.com//',
      'https://p2s.eu.auth0.com/authorize?client_id=client-1',
      'https://p2s.eu.auth0.com/oauth/token',
      'https://p2s.eu.auth0.com/.well-known/openid-configuration',
      'https://p2s.eu.auth0.com/u/login?state=hKFo2SBB',
      'https://p2s.eu.auth0.com?tenant=1',
    ]) {
      it(`salesos 1.1 — understands the issuer ${issuer}, and derives every endpoint from it`, () => {
        expect(createClient({ issuer }).endpoints).to.deep.equal({
          issuer: 'https://p2s.eu.auth0.com/',
          authorizationEndpoint: 'https://p2s.eu.auth0.com/authorize',
          tokenEndpoint: 'https://p2s.eu.auth0.com/oauth/token',
          userInfoEndpoint: 'https://p2s.eu.auth0.com/userinfo',
          jwksUri: 'https://p2s.eu.auth0.com/.well-known/jwks.json',
          revocationEndpoint: 'https://p2s.eu.auth0.com/oauth/revoke',
          endSessionEndpoint: 'https://p2s.eu.auth0.com/oidc/logout',
        });
      });
    }

    it('contract 2 — lets each endpoint be overridden', () => {
      const overrides = {
        authorizationURL: 'https://a.example.com/authorize',
        tokenURL: 'https://t.example.com/oauth/token',
        userInfoURL: 'https://u.example.com/userinfo',
        jwksURL: 'https://k.example.com/jwks.json',
      };
      expect(createClient(overrides).endpoints).to.include({
        issuer: ISSUER,
        authorizationEndpoint: overrides.authorizationURL,
        tokenEndpoint: overrides.tokenURL,
        userInfoEndpoint: overrides.userInfoURL,
        jwksUri: overrides.jwksURL,
        revocationEndpoint: 'https://t.example.com/oauth/revoke',
        endSessionEndpoint: `${ISSUER}oidc/logout`,
      });
    });

    for (const [issuer, right] of [
      ['auth.play2sell.com', 'https://auth.play2sell.com'],
      ['auth.play2sell.com/authorize', 'https://auth.play2sell.com/authorize'],
      ['localhost:4001', 'http://localhost:4001'],
      ['https://api.play2sell.com', 'https://auth.play2sell.com/'],
      ['https://app.play2sell.com/settings', 'https://auth.play2sell.com/'],
      ['https://docs.play2sell.com/api/authentication', 'https://auth.play2sell.com/'],
      ['https://play2sell.com/', 'https://auth.play2sell.com/'],
      ['https://manage.auth0.com/dashboard', 'https://auth.play2sell.com/'],
    ] as const) {
      it(`salesos 1.1 — says what to write in place of the issuer ${issuer}`, () => {
        expect(() => createClient({ issuer })).to.throw(
          TypeError,
          /^SalesOS: option "issuer" .*write (.*)$/,
        );
        expect(() => createClient({ issuer })).to.throw(right);
      });
    }

    it('salesos 1.1 — refuses an issuer over plain http, except on a loopback host', () => {
      expect(() => createClient({ issuer: 'http://auth.play2sell.com/' })).to.throw(
        TypeError,
        'issuer',
      );
      expect(() => createClient({ issuer: 'http://localhost:4001/' })).not.to.throw();
    });
  });

  describe('authorization request', () => {
    it('salesos 2 — asks for the seed scopes, the audience, a nonce and S256', () => {
      const query = authorizationQuery();
      expect(query.get('scope')).to.equal('openid profile email');
      expect(query.get('audience')).to.equal(AUDIENCE);
      expect(query.get('nonce')).to.match(/^[\w-]{32}$/);
      expect(query.get('code_challenge_method')).to.equal('S256');
    });

    it('OIDC Core §3.1.2.1 — always asks for openid, once', () => {
      const scopes: [object, string][] = [
        [{ scope: 'leads:read' }, 'openid leads:read'],
        [{ scope: ['email', 'openid'] }, 'email openid'],
        [{ scope: 'openid openid' }, 'openid'],
        [{ scope: [] }, 'openid'],
        [{ scope: '' }, 'openid'],
      ];
      for (const [options, expected] of scopes) {
        expect(authorizationQuery(createClient(options)).get('scope')).to.equal(expected);
        expect(authorizationQuery(createClient(), options).get('scope')).to.equal(expected);
      }
    });

    it('salesos 2 — takes another audience from the options, and from one call', () => {
      const audience = 'https://api.example.com';
      expect(authorizationQuery(createClient({ audience })).get('audience')).to.equal(audience);
      expect(authorizationQuery(createClient(), { extras: { audience } }).get('audience')).to.equal(
        audience,
      );
    });

    it('salesos 2 — writes the typed extras by their wire names', () => {
      const query = authorizationQuery(createClient(), {
        extras: {
          prompt: 'login',
          loginHint: 'zoe@example.com',
          maxAge: 60,
          organization: 'org_1',
          invitation: 'inv_1',
          connection: 'google-oauth2',
          screenHint: 'signup',
          uiLocales: ['sv', 'en'],
          acrValues: 'mfa',
        },
      });
      expect(Object.fromEntries(query)).to.include({
        prompt: 'login',
        login_hint: 'zoe@example.com',
        max_age: '60',
        organization: 'org_1',
        invitation: 'inv_1',
        connection: 'google-oauth2',
        screen_hint: 'signup',
        ui_locales: 'sv en',
        acr_values: 'mfa',
      });
    });
  });

  describe('token request', () => {
    function bodyOf(reply: object): Promise<unknown> {
      return new Promise((resolve) => {
        auth()
          .post('/oauth/token', (body: unknown) => {
            resolve(body);
            return true;
          })
          .matchHeader('content-type', 'application/json')
          .reply(200, reply);
      });
    }

    it('salesos 4.1 — redeems a code by JSON, without the audience', async () => {
      const client = createClient();
      const { attempt } = client.beginLogin({ redirectUri: CALLBACK });
      const sent = bodyOf(answer({ id_token: await idToken(attempt) }));
      publishKeys();
      await completeLogin(client, { attempt });
      expect(await sent).to.deep.equal({
        grant_type: 'authorization_code',
        code: 'a-code',
        redirect_uri: CALLBACK,
        code_verifier: attempt.codeVerifier,
        client_id: 'client-1',
        client_secret: 'secret-1',
      });
    });

    it('salesos 4.1 — refreshes without the audience, and may narrow the scope', async () => {
      const sent = bodyOf(answer({}));
      const tokens = await createClient().refreshTokenGrant('v1.abc123', { scope: 'openid' });
      expect(await sent).to.deep.equal({
        grant_type: 'refresh_token',
        refresh_token: 'v1.abc123',
        scope: 'openid',
        client_id: 'client-1',
        client_secret: 'secret-1',
      });
      expect(tokens.refreshToken).to.equal('v1.abc123');
    });

    it('salesos 4.1 — sends the audience with client credentials', async () => {
      const sent = bodyOf(answer({}));
      await createClient().clientCredentialsGrant();
      expect(await sent).to.deep.equal({
        grant_type: 'client_credentials',
        audience: AUDIENCE,
        client_id: 'client-1',
        client_secret: 'secret-1',
      });
    });

    it('salesos 4.1 — takes another audience for one grant', async () => {
      const sent = bodyOf(answer({}));
      const audience = 'https://api.example.com';
      await createClient().clientCredentialsGrant({ parameters: { audience } });
      expect(await sent).to.include({ audience });
    });

    for (const status of [400, 403]) {
      it(`salesos 7.2 — reads invalid_grant from its body, whatever the status (${status})`, async () => {
        auth().post('/oauth/token').reply(status, {
          error: 'invalid_grant',
          error_description: 'Invalid authorization code',
        });
        const error = await rejection(completeLogin(createClient()));
        expect(error).to.include({
          reportedIn: 'token response',
          code: 'invalid_grant',
          stage: 'token',
          status,
        });
        expect(error.message).to.contain('Invalid authorization code');
      });
    }

    const shapes: [string, number, nock.Body, string][] = [
      [
        'error alone, with free text in it',
        400,
        { error: 'Something went wrong.' },
        'invalid_request',
      ],
      ['a legacy body', 400, { name: 'Oops', code: 'x', statusCode: 400 }, 'unexpected_status'],
      ['plain text', 403, 'Forbidden', 'unexpected_status'],
      ['a rate limit', 429, { error: 'too_many_requests' }, 'rate_limited'],
      ['an outage', 503, 'Unavailable', 'provider_unavailable'],
    ];
    for (const [what, status, body, code] of shapes) {
      it(`salesos 7.1 — understands ${what} as ${code}`, async () => {
        auth().post('/oauth/token').reply(status, body);
        expect(await rejection(completeLogin(createClient()))).to.include({ code, status });
      });
    }
  });

  describe('ID Token', () => {
    it('salesos 5.1 — reads the profile from verified claims, without asking UserInfo', async () => {
      publishKeys();
      const { client, tokens } = await login({});
      expect(tokens.claims).to.include({ iss: ISSUER, sub: SUB });
      const profile = await client.fetchProfile(tokens);
      expect(profile).to.deep.include({
        provider: 'salesos',
        id: SUB,
        displayName: 'Zoë Ångström',
        emails: [{ value: 'zoe@example.com', verified: false }],
        connection: 'auth0',
      });
      expect(JSON.parse(profile._raw)).to.deep.equal(tokens.claims);
      expect(profile._json).to.deep.equal(tokens.claims);
    });

    it('salesos 5.1 — fetches the keys once for many logins', async () => {
      publishKeys();
      const { client } = await login({});
      for (let count = 0; count < 3; count += 1) await login({}, client);
    });

    it('salesos 8 — fails without an ID Token, and names the tpc_ cause', async () => {
      auth().post('/oauth/token').reply(200, answer({}));
      const error = await rejection(completeLogin(createClient()));
      expect(error).to.include({ code: 'id_token_missing', stage: 'id_token' });
      expect(error.hint).to.contain('tpc_');
    });

    it('salesos 4.3 — never takes the access token for an ID Token', async () => {
      const client = createClient();
      const { attempt } = client.beginLogin({ redirectUri: CALLBACK });
      auth()
        .post('/oauth/token')
        .reply(200, answer({ access_token: await idToken(attempt) }));
      expect(await rejection(completeLogin(client, { attempt }))).to.include({
        code: 'id_token_missing',
      });
    });

    const now = Math.floor(Date.now() / 1000);
    const refusals: [string, object, string][] = [
      ['iss without the trailing slash', { iss: 'https://auth.play2sell.com' }, 'id_token_issuer'],
      ['iss of the canonical domain', { iss: 'https://p2s.us.auth0.com/' }, 'id_token_issuer'],
      ['another aud', { aud: 'client-2' }, 'id_token_audience'],
      ['several aud and no azp', { aud: ['client-1', 'client-2'] }, 'id_token_audience'],
      [
        'several aud and the azp of another',
        { aud: ['client-1', 'client-2'], azp: 'client-2' },
        'id_token_audience',
      ],
      ['the azp of another', { azp: 'client-2' }, 'id_token_audience'],
      ['another nonce', { nonce: 'another' }, 'id_token_nonce'],
      ['no nonce', { nonce: undefined }, 'id_token_nonce'],
      ['an exp long ago', { exp: 1311281970 }, 'id_token_expired'],
      ['an exp 61 seconds ago', { exp: now - 61 }, 'id_token_expired'],
      ['an iat in the future', { iat: now + 3_600 }, 'id_token_not_yet_valid'],
      ['no exp', { exp: undefined }, 'id_token_claim'],
      ['no iat', { iat: undefined }, 'id_token_claim'],
      ['no sub', { sub: undefined }, 'id_token_claim'],
      ['an empty sub', { sub: '' }, 'id_token_claim'],
      ['no aud', { aud: undefined }, 'id_token_audience'],
      ['the at_hash of another token', { at_hash: atHash('access-2') }, 'id_token_access_token'],
    ];
    for (const [what, claims, code] of refusals) {
      it(`OIDC Core §3.1.3.7 — refuses an ID Token with ${what}`, async () => {
        publishKeys();
        expect(await rejection(login({ claims }))).to.include({
          code,
          stage: 'id_token',
          host: 'auth.play2sell.com',
        });
      });
    }

    it('OIDC Core §3.1.3.7 — accepts what is right: exp just over, several aud with azp', async () => {
      for (const claims of [
        { exp: Math.floor(Date.now() / 1000) - 30 },
        { aud: ['client-1', 'https://api.play2sell.com'], azp: 'client-1' },
        { at_hash: undefined },
      ]) {
        publishKeys();
        expect((await login({ claims })).tokens.claims?.sub).to.equal(SUB);
      }
    });

    const headers: [string, object, string][] = [
      ['alg HS256 over the public key', { alg: 'HS256' }, 'id_token_algorithm'],
      ['an unknown kid', { kid: 'key-2' }, 'id_token_unknown_key'],
    ];
    for (const [what, header, code] of headers) {
      it(`RFC 8725 §3.1 — refuses an ID Token with ${what}`, async () => {
        if (code === 'id_token_unknown_key') publishKeys();
        expect(await rejection(login({ header }))).to.include({ code, stage: 'id_token' });
      });
    }

    it('RFC 8725 §3.1 — refuses an ID Token with alg none', async () => {
      const client = createClient();
      const { attempt } = client.beginLogin({ redirectUri: CALLBACK });
      const unsigned = new UnsecuredJWT(claimsOf(attempt)).encode();
      auth()
        .post('/oauth/token')
        .reply(200, answer({ id_token: unsigned }));
      expect(await rejection(completeLogin(client, { attempt }))).to.include({
        code: 'id_token_algorithm',
        stage: 'id_token',
      });
    });

    it('salesos 10.1 — accepts a header without kid while one key is published', async () => {
      publishKeys();
      expect((await login({ header: { kid: undefined } })).tokens.claims?.sub).to.equal(SUB);
    });

    it('salesos 1.1 — accepts exactly the issuer that is configured', async () => {
      const issuer = 'https://p2s.eu.auth0.com/';
      nock('https://p2s.eu.auth0.com').get('/.well-known/jwks.json').reply(200, JWKS);
      const client = createClient({ issuer });
      const { attempt } = client.beginLogin({ redirectUri: CALLBACK });
      nock('https://p2s.eu.auth0.com')
        .post('/oauth/token')
        .reply(200, answer({ id_token: await idToken(attempt, { iss: issuer }) }));
      expect((await completeLogin(client, { attempt })).claims?.iss).to.equal(issuer);
    });

    it('salesos 1.1 — says how issuer is spelt when it does not match', async () => {
      publishKeys();
      const error = await rejection(login({ claims: { iss: 'https://auth.play2sell.com' } }));
      expect(error.hint).to.contain('https://auth.play2sell.com/');
    });

    it('OIDC Core §12.2 — verifies the ID Token of a refresh, without a nonce', async () => {
      publishKeys();
      const client = createClient();
      const { attempt } = client.beginLogin({ redirectUri: CALLBACK });
      const reply = answer({ id_token: await idToken(attempt, { nonce: undefined }) });
      auth().post('/oauth/token').reply(200, reply);
      expect((await client.refreshTokenGrant('v1.abc')).claims?.sub).to.equal(SUB);
      auth()
        .post('/oauth/token')
        .reply(200, answer({ id_token: await idToken(attempt, { aud: 'client-2' }) }));
      expect(await rejection(client.refreshTokenGrant('v1.abc'))).to.include({
        code: 'id_token_audience',
      });
    });

    it('salesos 5.1 — says so when the keys cannot be had', async () => {
      auth().get('/.well-known/jwks.json').reply(500, 'down');
      expect(await rejection(login({}))).to.include({
        code: 'keys_unavailable',
        stage: 'id_token',
        status: 500,
      });
    });
  });

  describe('organization', () => {
    const asks = (organization: unknown): Partial<LoginRequest> => ({ extras: { organization } });

    it('salesos 5.1 — is asked for, and kept with the attempt', () => {
      for (const request of [asks('org_1'), { parameters: { organization: 'org_1' } }]) {
        const client = createClient();
        const { url, attempt } = client.beginLogin({ redirectUri: CALLBACK, ...request });
        expect(new URL(url).searchParams.get('organization')).to.equal('org_1');
        expect(attempt.asked).to.deep.equal({ organization: 'org_1' });
      }
    });

    for (const organization of [undefined, null]) {
      it(`salesos 5.1 — asks for no organization where there is none: ${organization}`, () => {
        const client = createClient();
        const { url, attempt } = client.beginLogin({
          redirectUri: CALLBACK,
          ...asks(organization),
        });
        expect(attempt).not.to.have.property('asked');
        expect(new URL(url).searchParams.has('organization')).to.equal(false);
      });
    }

    for (const [organization, message] of [
      [['org_1'], 'must be a string'],
      [7, 'must be a string'],
      [true, 'must be a string'],
      [{ id: 'org_1' }, 'must be a string'],
      ['', 'must be one non-empty value'],
    ] as const) {
      it(`salesos 5.1 — asks for no organization that cannot be checked: ${JSON.stringify(organization)}`, () => {
        expect(() => authorizationQuery(createClient(), asks(organization))).to.throw(
          TypeError,
          `SalesOS: "organization" ${message}`,
        );
      });
    }

    const answered: [string, object][] = [
      ['org_1', { org_id: 'org_1' }],
      ['org_Ab1', { org_id: 'org_Ab1' }],
      ['acme', { org_name: 'acme' }],
      // Auth0 writes names in lower case.
      ['Acme-Sales', { org_name: 'acme-sales' }],
      ['org', { org_name: 'org' }],
    ];
    for (const [organization, claims] of answered) {
      it(`salesos 5.1 — ${organization} is answered by ${JSON.stringify(claims)}`, async () => {
        publishKeys();
        const { tokens } = await login({ claims, request: asks(organization) });
        expect(tokens.claims).to.include(claims);
      });
    }

    const wrong: [string, string, object, string][] = [
      ['another organization', 'org_1', { org_id: 'org_2' }, 'org_2'],
      ['another case of the id', 'org_ab1', { org_id: 'org_Ab1' }, 'org_Ab1'],
      ['no organization', 'org_1', {}, 'no organization'],
      ['an organization by name for one by id', 'org_1', { org_name: 'org_1' }, 'no organization'],
      ['an organization by id for one by name', 'acme', { org_id: 'acme' }, 'no organization'],
      ['another organization by name', 'acme', { org_name: 'other' }, 'other'],
      ['a long name', 'acme', { org_name: 'x'.repeat(101) }, 'another organization'],
      ['a name with control characters', 'acme', { org_name: 'a\nb' }, 'another organization'],
      ['an id that is a list', 'org_1', { org_id: ['org_1'] }, 'no organization'],
    ];
    for (const [what, organization, claims, came] of wrong) {
      it(`salesos 5.1 — refuses ${what}: id_token_organization`, async () => {
        publishKeys();
        const error = await rejection(login({ claims, request: asks(organization) }));
        expect(error).to.include({
          code: 'id_token_organization',
          stage: 'id_token',
          host: 'auth.play2sell.com',
          message: `salesos: the login asked for ${organization}, and the ID Token is of ${came}`,
        });
        expect(error.hint).to.contain('choose that organization');
        // The person has chosen.
        expect(error.refusal).to.equal(403);
      });
    }

    it('salesos 5.1 — a person of any organization may sign in when none is asked for', async () => {
      publishKeys();
      const { client, tokens } = await login({ claims: { org_id: 'org_2' } });
      expect((await client.fetchProfile(tokens)).organizationId).to.equal('org_2');
    });

    it('OIDC Core §12.2 — a refresh is not asked again', async () => {
      publishKeys();
      const { client, tokens } = await login({
        claims: { org_id: 'org_1' },
        request: asks('org_1'),
      });
      const { attempt } = client.beginLogin({ redirectUri: CALLBACK });
      const claims = { nonce: undefined, org_id: undefined };
      auth()
        .post('/oauth/token')
        .reply(200, answer({ id_token: await idToken(attempt, claims) }));
      const refreshed = await client.refreshTokenGrant('v1.abc', { previous: tokens });
      expect(refreshed.claims?.sub).to.equal(SUB);
    });
  });

  describe('UserInfo', () => {
    const userInfo = (body: nock.Body, status = 200) =>
      nock('https://auth.play2sell.com', { reqheaders: { authorization: 'Bearer access-1' } })
        .get('/userinfo')
        .query({})
        .reply(status, body);

    it('salesos 5.2 — is asked when userInfo is true', async () => {
      publishKeys();
      userInfo({ sub: SUB, name: 'Zoë from UserInfo', updated_at: 1700058600 });
      const { client, tokens } = await login({ options: { userInfo: true } });
      const profile = await client.fetchProfile(tokens);
      expect(profile.displayName).to.equal('Zoë from UserInfo');
      expect(profile.emails).to.deep.equal([{ value: 'zoe@example.com', verified: false }]);
    });

    it('OIDC Core §5.7 — does not lend the flag of the ID Token to another address', async () => {
      publishKeys();
      userInfo({ sub: SUB, email: 'b@example.com' });
      const { client, tokens } = await login({
        claims: { email: 'a@example.com', email_verified: true },
        options: { userInfo: true },
      });
      const profile = await client.fetchProfile(tokens);
      expect(profile.emails).to.deep.equal([{ value: 'b@example.com' }]);
    });

    it('OIDC Core §5.7 — leaves address and flag to the ID Token when it has no address', async () => {
      publishKeys();
      userInfo({ sub: SUB, name: 'Zoë', email_verified: true });
      const { client, tokens } = await login({
        claims: { email: 'a@example.com', email_verified: false },
        options: { userInfo: true },
      });
      const profile = await client.fetchProfile(tokens);
      expect(profile.emails).to.deep.equal([{ value: 'a@example.com', verified: false }]);
    });

    it('salesos 5.2 — is asked when the claims have no profile', async () => {
      publishKeys();
      userInfo({ sub: SUB, name: 'Zoë from UserInfo', updated_at: '2023-11-15T14:30:00.000Z' });
      const claims = { name: undefined, email: undefined };
      const { client, tokens } = await login({ claims });
      expect((await client.fetchProfile(tokens)).displayName).to.equal('Zoë from UserInfo');
    });

    it('salesos 5.2 — is asked when all there is is an access token', async () => {
      userInfo({ sub: SUB, name: 'Zoë' });
      const tokens = { accessToken: 'access-1', tokenType: 'Bearer', response: {} };
      expect((await createClient().fetchProfile(tokens)).id).to.equal(SUB);
    });

    it('OIDC Core §5.3.2 — is refused when its sub differs from the ID Token', async () => {
      publishKeys();
      userInfo({ sub: 'auth0|mallory', name: 'Mallory' });
      const { client, tokens } = await login({ options: { userInfo: true } });
      expect(await rejection(client.fetchProfile(tokens))).to.include({
        code: 'subject_mismatch',
        stage: 'profile',
      });
    });

    it('OIDC Core §5.3.2 — is refused without a sub', async () => {
      publishKeys();
      userInfo({ name: 'Mallory' });
      const { client, tokens } = await login({ options: { userInfo: true } });
      expect(await rejection(client.fetchProfile(tokens))).to.include({ code: 'invalid_profile' });
    });

    for (const body of [{ error: 'invalid_token', error_description: 'expired' }, 'Unauthorized']) {
      it(`salesos 5.2 — understands 401 ${JSON.stringify(body)}`, async () => {
        userInfo(body, 401);
        const tokens = { accessToken: 'access-1', tokenType: 'Bearer', response: {} };
        expect(await rejection(createClient().fetchProfile(tokens))).to.include({
          code: 'invalid_token',
          status: 401,
        });
      });
    }
  });

  describe('authorization response', () => {
    it('RFC 9207 §2.4 — accepts iss with its trailing slash, and refuses it without', async () => {
      publishKeys();
      const client = createClient();
      const { attempt } = client.beginLogin({ redirectUri: CALLBACK });
      auth()
        .post('/oauth/token')
        .reply(200, answer({ id_token: await idToken(attempt) }));
      await completeLogin(client, { attempt, callback: { iss: ISSUER } });
      const callback = { iss: 'https://auth.play2sell.com' };
      expect(await rejection(completeLogin(client, { callback }))).to.include({
        code: 'issuer_mismatch',
        refusal: 403,
      });
    });

    for (const error of [
      'access_denied',
      'login_required',
      'consent_required',
      'interaction_required',
    ]) {
      it(`salesos 7.3 — takes ${error} for a refusal of the person`, async () => {
        expect(
          await rejection(completeLogin(createClient(), { callback: { code: undefined, error } })),
        ).to.include({
          code: error,
          refusal: 401,
        });
      });
    }

    for (const error of ['unauthorized_client', 'invalid_request', 'server_error']) {
      it(`salesos 7.3 — takes ${error} for a fault`, async () => {
        const refused = await rejection(
          completeLogin(createClient(), { callback: { code: undefined, error } }),
        );
        expect(refused).to.include({ code: error, stage: 'authorize' });
        expect(refused.refusal).to.equal(undefined);
      });
    }
  });

  it('salesos 9 — revokes refresh tokens by a form', async () => {
    auth()
      .post('/oauth/revoke', 'token=v1.abc&client_id=client-1&client_secret=secret-1')
      .reply(200, 'OK', { 'content-type': 'text/plain' });
    await createClient().revokeToken('v1.abc');
  });

  it('contract 1 — is the class, with every export as its own static', () => {
    for (const name of ['Strategy', 'SalesosStrategy', 'default']) {
      expect(Object.getOwnPropertyDescriptor(SalesosStrategy, name)?.value).to.equal(
        SalesosStrategy,
      );
    }
    expect(SalesosStrategy.salesos).to.equal(salesos).and.to.be.frozen;
    expect(new SalesosStrategy({ ...CREDENTIALS }, () => undefined).name).to.equal('salesos');
  });
});
