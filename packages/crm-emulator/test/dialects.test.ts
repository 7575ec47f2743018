/** How each provider answers when nothing is wrong: pages, callbacks, tokens, profiles and keys. */
import { createHash, createHmac, createPublicKey, type JsonWebKey, verify } from 'node:crypto';
import { expect } from 'chai';
import { type Emulator, startEmulator } from 'crm-emulator';
import {
  AUDIENCE,
  CALLBACK,
  claimsOf,
  Client,
  get,
  headerOf,
  type Json,
  NAMES,
  send,
  VERIFIER,
} from './client.js';

const ENDPOINTS = {
  salesloft: [
    '/oauth/authorize',
    '/oauth/token',
    '/v2/me.json',
    '/oauth/revoke',
    '/v2/cadences.json',
    '/v2/cadence_exports/:id.json',
    '/v2/cadence_imports.json',
  ],
  salesos: [
    '/.well-known/openid-configuration',
    '/authorize',
    '/oauth/token',
    '/.well-known/jwks.json',
    '/userinfo',
    '/photos/:number.svg',
    '/oauth/revoke',
    '/oidc/logout',
    '/v1/leads',
  ],
  salesforce: [
    '/.well-known/openid-configuration',
    '/services/oauth2/authorize',
    '/services/oauth2/token',
    '/id/keys',
    '/id/:organization/:user',
    '/services/oauth2/userinfo',
    '/services/oauth2/revoke',
    '/services/oauth2/introspect',
    '/services/auth/idp/oidc/logout',
    '/services/data',
  ],
} as const;

const API_KEY = `ak${'7f'.repeat(32)}`;

describe('crm-emulator: dialects', () => {
  let emulator: Emulator;
  let salesloft: Client;
  let salesos: Client;
  let salesforce: Client;

  before(async () => {
    emulator = await startEmulator({ apiKeys: [API_KEY] });
    salesloft = new Client(emulator, 'salesloft');
    salesos = new Client(emulator, 'salesos');
    salesforce = new Client(emulator, 'salesforce');
  });

  after(() => emulator.close());

  /** Verifies with node:crypto and the published keys only; returns the claims. */
  async function verifiedClaims(token: unknown, jwksURL: string): Promise<Json> {
    const [header = '', payload = '', signature = ''] = String(token).split('.');
    const { json } = await get(jwksURL);
    const keys = json['keys'] as (JsonWebKey & { kid: string })[];
    const jwk = keys.find(({ kid }) => kid === headerOf(token)['kid']);
    expect(jwk, 'a published key').to.be.an('object');
    const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
    const signed = Buffer.from(`${header}.${payload}`);
    expect(verify('sha256', signed, key, Buffer.from(signature, 'base64url'))).to.equal(true);
    return claimsOf(token);
  }

  const hashOf = (token: unknown) =>
    createHash('sha256').update(String(token)).digest().subarray(0, 16).toString('base64url');

  describe('start page', () => {
    for (const name of NAMES) {
      it(`${name} — names every endpoint, the client, the callback rule and the options`, async () => {
        const { origin, options } = emulator[name];
        const { status, text, headers } = await get(`${origin}/`);
        expect(status).to.equal(200);
        expect(headers['content-type']).to.equal('text/html; charset=utf-8');
        expect(headers['content-security-policy']).to.include("default-src 'none'");
        const page = text.replace(/&#39;/g, "'");
        for (const [option, value] of Object.entries(options)) {
          expect(page).to.include(`${option}: '${value}'`);
        }
        for (const path of ENDPOINTS[name]) expect(page).to.include(`>${origin}${path}<`);
        expect(page).to.include('127.0.0.1').and.include('[::1]').and.include('--callback');
        expect(page).to.include(`emulator.${name}.options`).and.include('Zoë Ångström');
      });

      it(`${name} — lists only endpoints that exist`, async () => {
        const { origin } = emulator[name];
        const { text } = await get(`${origin}/`);
        const listed = /Endpoints<.*/s
          .exec(text)?.[0]
          .matchAll(/>(GET|POST)[^<]*<.*?>(http[^<]+)</gs);
        const urls = [...(listed ?? [])].map(([, method = '', url = '']) => ({
          method,
          url: url.replace(':number', '48201').replace(/\/:\w+/g, '/1'),
        }));
        expect(urls).to.have.length(ENDPOINTS[name].length);
        for (const { method, url } of urls) {
          const { json } = await get(url, undefined, { method });
          expect(json['error'], url).not.to.equal('Not found');
        }
      });
    }

    it('registered callback URLs — are listed and escaped', async () => {
      const url = 'https://app.example/callback?a=1&b=<2>';
      const own = await startEmulator({ callbackURLs: [url] });
      try {
        const { text } = await get(own.salesos.origin);
        expect(text).to.include('https://app.example/callback?a=1&#38;b=&#60;2&#62;');
      } finally {
        await own.close();
      }
    });
  });

  describe('Salesloft', () => {
    it('callback — carries context and scope, but no iss', async () => {
      const params = await salesloft.signIn();
      expect(params).to.have.all.keys('code', 'state', 'context', 'scope');
      expect(params['state']).to.equal('a-state');
      expect(params['scope']).to.include('people:read');
    });

    it('callback — has no state when none was sent', async () => {
      const params = await salesloft.signIn('Suri', { state: undefined });
      expect(params).to.have.all.keys('code', 'context', 'scope');
    });

    for (const encoding of ['JSON', 'form'] as const) {
      it(`token endpoint — accepts a ${encoding} body`, async () => {
        const params = await salesloft.signIn();
        const fields = {
          ...salesloft.credentials,
          grant_type: 'authorization_code',
          code: params['code'] ?? '',
          context: params['context'] ?? '',
          scope: params['scope'] ?? '',
          redirect_uri: CALLBACK,
          code_verifier: VERIFIER,
        };
        const { status, json, headers } = await salesloft.token(
          {},
          encoding === 'JSON'
            ? { body: JSON.stringify(fields), headers: { 'content-type': 'application/json' } }
            : { form: fields },
        );
        expect(status).to.equal(200);
        expect(headers['cache-control']).to.include('no-store');
        expect(Object.keys(json)).to.deep.equal([
          'access_token',
          'token_type',
          'expires_in',
          'refresh_token',
          'scope',
          'created_at',
        ]);
        expect(json).to.include({ token_type: 'Bearer', expires_in: 7200 });
        expect(json['created_at']).to.be.closeTo(Date.now() / 1000, 5);
      });
    }

    it('token endpoint — accepts HTTP Basic', async () => {
      const tokens = await salesloft.login();
      const { client_id, client_secret } = salesloft.credentials;
      const basic = Buffer.from(`${client_id}:${client_secret}`).toString('base64');
      const { status } = await send(salesloft.url('token'), {
        headers: { authorization: `Basic ${basic}` },
        form: { grant_type: 'refresh_token', refresh_token: String(tokens['refresh_token']) },
      });
      expect(status).to.equal(200);
    });

    it('PKCE — needs no verifier when no challenge was sent', async () => {
      const none = { code_challenge: undefined, code_challenge_method: undefined };
      const { code } = await salesloft.signIn('Suri', none);
      const { status } = await salesloft.exchange(code, { code_verifier: undefined });
      expect(status).to.equal(200);
    });

    it('refresh — issues a new access token and a new refresh token each time', async () => {
      const first = await salesloft.login();
      const { json: second } = await salesloft.refresh(first);
      const { status, json: third } = await salesloft.refresh(second);
      expect(status).to.equal(200);
      const pairs = [first, second, third].flatMap((t) => [t['access_token'], t['refresh_token']]);
      expect(new Set(pairs).size).to.equal(6);
    });

    it('client credentials — act as the administrator, without a refresh token', async () => {
      const { json } = await salesloft.token({ grant_type: 'client_credentials' });
      expect(json).not.to.have.property('refresh_token');
      const { json: me } = await salesloft.profile(json);
      expect(me['data']).to.include({ name: 'Marta Quill', team_admin: true });
    });

    it('/v2/me — answers with or without .json, in an envelope, with rate limit headers', async () => {
      const { access_token: token } = await salesloft.login('Zoë Ångström');
      for (const path of ['/v2/me.json', '/v2/me']) {
        const { status, json, headers } = await get(salesloft.provider.origin + path, token);
        expect(status).to.equal(200);
        expect(json['data']).to.include({
          name: 'Zoë Ångström',
          first_name: 'Zoë',
          email: 'zoe.angstrom@example.com',
          active: true,
        });
        expect((json['data'] as Json)['id']).to.be.a('number');
        expect(headers['x-ratelimit-endpoint-cost']).to.equal('1');
        expect(Number(headers['x-ratelimit-remaining-minute'])).to.be.within(0, 599);
      }
    });

    it('/v2/me — has a null e-mail address for a person without one', async () => {
      const { json } = await salesloft.profile(await salesloft.login('Tobias Fenn'));
      expect(json['data']).to.include({ email: null });
    });

    it('/v2/me — accepts a listed API key', async () => {
      expect((await get(salesloft.profileURL({}), API_KEY)).status).to.equal(200);
    });

    it('cadences — imports what it exported', async () => {
      const { access_token: token } = await salesloft.login();
      const { origin } = salesloft.provider;
      const exported = await get(`${origin}/v2/cadence_exports/7.json`, token);
      const { status, json } = await get(`${origin}/v2/cadence_imports.json`, token, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          cadence_content: exported.json['data'],
          settings: { name: 'Imported', shared: false },
        }),
      });
      expect(status).to.equal(200);
      expect((json['data'] as Json)['cadence']).to.include({ name: 'Imported' });

      const { id } = (json['data'] as { cadence: { id: number } }).cadence;
      const again = await get(`${origin}/v2/cadence_exports/${id}.json`, token);
      expect(again.json).to.have.nested.property('data.cadence_content.settings.name', 'Imported');
      expect(again.json).to.have.nested.property(
        'data.cadence_content.step_groups[0].steps[0].name',
        'Introduction',
      );
      const list = await get(`${origin}/v2/cadences.json?per_page=1`, token);
      expect(list.json)
        .to.have.nested.property('data[0]')
        .that.includes({ id, name: 'Imported', current_state: 'draft', shared: false });
    });

    it('RFC 7009 §2.2 — revokes, and answers {} for an unknown token too', async () => {
      const tokens = await salesloft.login();
      for (const token of [String(tokens['refresh_token']), 'unknown']) {
        const form = { ...salesloft.credentials, token };
        const { status, json } = await send(salesloft.url('revoke'), { form });
        expect(status).to.equal(200);
        expect(json).to.deep.equal({});
      }
      expect((await salesloft.refresh(tokens)).status).to.equal(400);
      expect((await salesloft.profile(tokens)).status).to.equal(401);
    });

    it('metadata — is a web page with status 200 instead of JSON', async () => {
      const url = `${salesloft.provider.origin}/.well-known/openid-configuration`;
      const { status, headers } = await get(url);
      expect(status).to.equal(200);
      expect(headers['content-type']).to.match(/^text\/html/);
    });
  });

  describe('SalesOS', () => {
    it('callback — carries code and state only', async () => {
      expect(await salesos.signIn()).to.have.all.keys('code', 'state');
    });

    it('RFC 9207 §2 — sends iss when the option sendIss is set', async () => {
      const other = await startEmulator({ sendIss: true });
      try {
        const client = new Client(other, 'salesos');
        expect(await client.signIn()).to.include({ iss: other.salesos.options.issuer });
        const denied = await client.signIn('Deny');
        expect(denied).to.include({ error: 'access_denied', iss: other.salesos.options.issuer });
      } finally {
        await other.close();
      }
    });

    it('form_post — returns a page whose form posts the callback', async () => {
      const { url, html } = await salesos.page({ response_mode: 'form_post' });
      const person = /name="person"\s+value="(\d+)"/.exec(html)?.[1] ?? '';
      const chosen = await fetch(url, { method: 'POST', body: new URLSearchParams({ person }) });
      const page = await chosen.text();
      expect(page).to.include(`action="${CALLBACK}"`);
      expect(page)
        .to.match(/name="code" value="[^"]+"/)
        .and.to.include('name="state"');
      expect(page).not.to.include('name="iss"');
    });

    it('OIDC Core §2 — signs an ID Token with claims by scope, nonce and at_hash', async () => {
      const tokens = await salesos.login('Zoë Ångström');
      const claims = await verifiedClaims(
        tokens['id_token'],
        `${salesos.provider.origin}/.well-known/jwks.json`,
      );
      expect(claims).to.include({
        iss: `${salesos.provider.origin}/`,
        aud: salesos.provider.clientID,
        nonce: 'a-nonce',
        name: 'Zoë Ångström',
        email: 'zoe.angstrom@example.com',
        email_verified: false,
        at_hash: hashOf(tokens['access_token']),
      });
      expect(claims['sub']).to.match(/^auth0\|[0-9a-f]{24}$/);
      expect(Number(claims['exp']) - Number(claims['iat'])).to.equal(36_000);
      const bare = claimsOf((await salesos.login('Suri', { scope: 'openid' }))['id_token']);
      expect(bare).not.to.have.any.keys('name', 'email');
    });

    it('audience — makes the access token a JWT for the API and UserInfo', async () => {
      const { access_token: token, expires_in } = await salesos.login();
      const { origin, clientID } = salesos.provider;
      const claims = await verifiedClaims(token, `${origin}/.well-known/jwks.json`);
      expect(claims['aud']).to.deep.equal([AUDIENCE, `${origin}/userinfo`]);
      expect(claims).to.include({ iss: `${origin}/`, azp: clientID });
      expect(claims['scope']).to.equal('openid profile email offline_access leads:read');
      expect(Number(claims['exp']) - Number(claims['iat'])).to.equal(expires_in);
      expect(expires_in).to.equal(86_400);
    });

    it('audience — without one, the access token is opaque', async () => {
      const tokens = await salesos.login('Suri', { audience: undefined });
      expect(String(tokens['access_token']).split('.')).to.have.lengthOf(1);
      expect((await salesos.profile(tokens)).status).to.equal(200);
    });

    it('refresh — needs offline_access', async () => {
      const without = await salesos.login('Suri', { scope: 'openid' });
      expect(without).not.to.have.property('refresh_token');
      const withIt = await salesos.login('Suri', { scope: 'openid offline_access' });
      expect(withIt['refresh_token']).to.match(/^v1\./);
    });

    it('refresh — returns a new ID Token of the same person', async () => {
      const tokens = await salesos.login('Suri');
      const { json } = await salesos.refresh(tokens);
      const { sub } = claimsOf(tokens['id_token']);
      expect(claimsOf(json['id_token'])['sub']).to.equal(sub);
      expect(json['refresh_token']).not.to.equal(tokens['refresh_token']);
    });

    it('refresh — keeps the token when rotation is off', async () => {
      const other = await startEmulator({ refreshTokenRotation: { salesos: false } });
      try {
        const client = new Client(other, 'salesos');
        const tokens = await client.login();
        const { json } = await client.refresh(tokens);
        expect(json).not.to.have.property('refresh_token');
        expect((await client.refresh(tokens)).status).to.equal(200);
      } finally {
        await other.close();
      }
    });

    it('/userinfo — returns the same person, without an e-mail address when there is none', async () => {
      const tokens = await salesos.login('Tobias Fenn');
      const { json } = await salesos.profile(tokens);
      expect(json['sub']).to.equal(claimsOf(tokens['id_token'])['sub']);
      expect(json).to.include({ name: 'Tobias Fenn' });
      expect(json).not.to.have.any.keys('email', 'email_verified');
    });

    it('client credentials — issue a token whose subject is the client', async () => {
      const grant = { grant_type: 'client_credentials', audience: AUDIENCE };
      const { json } = await salesos.token(grant);
      expect(json).not.to.have.any.keys('refresh_token', 'id_token');
      expect(claimsOf(json['access_token'])).to.include({
        sub: `${salesos.provider.clientID}@clients`,
        gty: 'client-credentials',
        aud: AUDIENCE,
      });
      const created = await get(`${salesos.provider.origin}/v1/leads`, json['access_token'], {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'Quiet Mill' }),
      });
      expect(created.status).to.equal(201);
    });

    it('photo — is an SVG of this origin, without scripts or other addresses, and cacheable', async () => {
      const { id_token } = await salesos.login('Zoë Ångström');
      const { picture } = claimsOf(id_token);
      expect(picture).to.match(new RegExp(`^${salesos.provider.origin}/photos/\\d+\\.svg$`));
      const { status, text, headers } = await get(String(picture));
      expect(status).to.equal(200);
      expect(headers['content-type']).to.equal('image/svg+xml');
      expect(headers['cache-control']).to.match(/^public, max-age=\d+$/);
      expect(headers['content-security-policy']).to.equal("default-src 'none'");
      expect(headers['x-content-type-options']).to.equal('nosniff');
      expect(text)
        .to.match(/^<svg /)
        .and.to.match(/>\s*ZÅ\s*</);
      expect(text.replace('http://www.w3.org/2000/svg', '')).not.to.match(/script|href|http|url\(/);
    });

    it('photo — differs for each person, and is not found for an unknown number', async () => {
      const { origin } = salesos.provider;
      const pictures = await Promise.all(
        ['Marta Quill', 'Tobias Fenn', 'Suri'].map(async (name) => {
          const { id_token } = await salesos.login(name);
          return (await get(String(claimsOf(id_token)['picture']))).text;
        }),
      );
      expect(new Set(pictures).size).to.equal(3);
      expect((await get(`${origin}/photos/1.svg`)).status).to.equal(404);
    });

    it('RFC 8414 §3.2 — publishes metadata whose issuer ends in a slash', async () => {
      const { origin } = salesos.provider;
      const { json } = await get(`${origin}/.well-known/openid-configuration`);
      expect(json).to.include({ issuer: `${origin}/`, token_endpoint: `${origin}/oauth/token` });
    });

    it('keys — rotate, and the old key stays published unless it is retired', async () => {
      const jwks = async () => {
        const { json } = await get(`${salesos.provider.origin}/.well-known/jwks.json`);
        return (json['keys'] as { kid: string }[]).map(({ kid }) => kid);
      };
      const first = await jwks();
      expect(first).to.have.lengthOf(2);
      await emulator.salesos.rotateKeys();
      const { id_token: token } = await salesos.login();
      expect(first).not.to.include(headerOf(token)['kid']);
      expect(await jwks()).to.include.members(first);
      await emulator.salesos.rotateKeys({ retireOld: true });
      expect(await jwks()).not.to.include(headerOf(token)['kid']);
    });
  });

  describe('Salesforce', () => {
    it('code — ends in ==', async () => {
      const { code } = await salesforce.signIn();
      expect(code).to.match(/==$/);
    });

    it('token response — is signed, has no expires_in, and issued_at is a string', async () => {
      const tokens = await salesforce.login();
      const { origin, clientSecret } = salesforce.provider;
      expect(tokens).to.have.all.keys(
        'access_token',
        'refresh_token',
        'signature',
        'scope',
        'id_token',
        'instance_url',
        'id',
        'token_type',
        'issued_at',
      );
      const { id, issued_at } = tokens;
      expect(issued_at)
        .to.be.a('string')
        .and.to.match(/^\d{13}$/);
      expect(tokens).to.include({ instance_url: origin, token_type: 'Bearer' });
      expect(tokens['access_token']).to.match(/^00D\w{12}!/);
      const signature = createHmac('sha256', clientSecret)
        .update(String(id) + String(issued_at))
        .digest('base64');
      expect(tokens['signature']).to.equal(signature);
    });

    it('OIDC Core §2 — signs an ID Token whose subject is the identity URL', async () => {
      const tokens = await salesforce.login();
      const { origin, clientID } = salesforce.provider;
      expect(await verifiedClaims(tokens['id_token'], `${origin}/id/keys`)).to.include({
        iss: origin,
        sub: tokens['id'],
        aud: clientID,
        nonce: 'a-nonce',
        at_hash: hashOf(tokens['access_token']),
      });
    });

    it('scope — decides whether a refresh token and an ID Token come; none means the assigned ones', async () => {
      const api = await salesforce.login('Suri', { scope: 'api', nonce: undefined });
      expect(api).not.to.have.any.keys('refresh_token', 'id_token');
      const all = await salesforce.login('Suri', { scope: undefined });
      expect(all).to.include.keys('refresh_token', 'id_token');
    });

    it('ids — carry the check suffix of their first 15 characters', async () => {
      const { id } = await salesforce.login();
      const [, organization = '', user = ''] = /\/id\/(\w{18})\/(\w{18})$/.exec(String(id)) ?? [];
      for (const id18 of [organization, user]) {
        let suffix = '';
        for (const block of [0, 5, 10]) {
          let bits = 0;
          for (let i = 0; i < 5; i += 1) {
            if (/[A-Z]/.test(id18.charAt(block + i))) bits |= 1 << i;
          }
          suffix += 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345'.charAt(bits);
        }
        expect(id18.slice(15)).to.equal(suffix);
      }
      expect([organization.slice(0, 3), user.slice(0, 3)]).to.deep.equal(['00D', '005']);
    });

    it('identity URL — describes the person, with a null first name or without urls for some', async () => {
      const zoe = await salesforce.profile(await salesforce.login('Zoë Ångström'));
      expect(zoe.json).to.include({
        asserted_user: true,
        display_name: 'Zoë Ångström',
        email: 'zoe.angstrom@example.com',
        email_verified: false,
      });
      expect(zoe.json).to.include.keys('urls', 'photos', 'status');
      const suri = await salesforce.profile(await salesforce.login('Suri'));
      expect(suri.json).to.include({ first_name: null, last_name: 'Suri' });
      const tobias = await salesforce.profile(await salesforce.login('Tobias Fenn'));
      expect(tobias.json).not.to.have.any.keys('urls', 'email');
    });

    it('identity URL — sets asserted_user to false for another person', async () => {
      const scope = 'openid api';
      const mine = await salesforce.login('Marta Quill', { scope });
      const theirs = await salesforce.login('Suri', { scope });
      const { json } = await get(String(theirs['id']), mine['access_token']);
      expect(json).to.include({ asserted_user: false, display_name: 'Suri' });
    });

    it('refresh — keeps the token unless rotation is on', async () => {
      const tokens = await salesforce.login();
      const { status, json } = await salesforce.refresh(tokens);
      expect(status).to.equal(200);
      expect(json).not.to.have.property('refresh_token');
      expect(json['id']).to.equal(tokens['id']);
      expect((await salesforce.profile(json)).status).to.equal(200);
    });

    for (const method of ['POST', 'GET'] as const) {
      it(`RFC 7009 §2.1 — revokes by ${method}, and with a refresh token its sessions too`, async () => {
        const tokens = await salesforce.login();
        const token = String(tokens['refresh_token']);
        const url = salesforce.url('revoke');
        const { status, text } =
          method === 'GET'
            ? await get(`${url}?token=${encodeURIComponent(token)}`)
            : await send(url, { form: { token } });
        expect([status, text]).to.deep.equal([200, '']);
        expect((await salesforce.profile(tokens)).text).to.equal('Bad_OAuth_Token');
        expect((await salesforce.refresh(tokens)).status).to.equal(400);
      });
    }

    it('RFC 7662 §2.2 — introspects an access token, and calls an unknown one inactive', async () => {
      const tokens = await salesforce.login();
      const introspect = async (token: string) => {
        const form = { ...salesforce.credentials, token };
        return (await send(`${salesforce.origin}/services/oauth2/introspect`, { form })).json;
      };
      expect(await introspect(String(tokens['access_token']))).to.include({
        active: true,
        sub: tokens['id'],
        token_type: 'access_token',
      });
      expect(await introspect('unknown')).to.deep.equal({ active: false });
    });

    it('OIDC Core §5.3.2 — returns UserInfo with the subject of the ID Token', async () => {
      const tokens = await salesforce.login();
      const url = `${salesforce.provider.origin}/services/oauth2/userinfo`;
      const { json } = await get(url, tokens['access_token']);
      expect(json).to.include({ sub: tokens['id'], name: 'Marta Quill' });
    });
  });
});
