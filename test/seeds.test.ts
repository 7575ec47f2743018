/** The code of the three documents that began this project, block by block, written with these packages. */
import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { startEmulator } from 'crm-emulator';
import type { Emulator } from 'crm-emulator';
import {
  MemoryTokenStore,
  OAuth2Client,
  authorizedFetch,
  clientCredentials,
  staticToken,
  userTokens,
} from 'crm-oauth2';
import type { Profile, TokenSet, TokenSource } from 'crm-oauth2';
import { rejection } from 'crm-oauth2/testing';
import { salesforce } from 'passport-salesforce-oauth2';
import { salesloft } from 'passport-salesloft';
import { salesos } from 'passport-salesos';
import { Browser } from './support/browser';

const CALLBACK = 'http://localhost:3000/callback';
const API_KEY = `ak${randomBytes(32).toString('hex')}`;

interface Me {
  data: { name: string; email: string };
}

/** Sends a person to the provider, and validates the callback. */
async function returned<Options extends object, P extends Profile>(
  client: OAuth2Client<Options, P>,
  scope?: readonly string[],
) {
  const { url, attempt } = client.beginLogin({ redirectUri: CALLBACK, scope });
  const callback = new URL(await new Browser().signIn(url, 'Zoë Ångström'));
  const query = Object.fromEntries(callback.searchParams);
  return {
    url: new URL(url),
    query,
    response: await client.validateAuthorizationResponse(query, () => attempt),
  };
}

async function login<Options extends object, P extends Profile>(
  client: OAuth2Client<Options, P>,
  scope?: readonly string[],
): Promise<TokenSet> {
  const { response } = await returned(client, scope);
  return await client.authorizationCodeGrant(response);
}

describe('the documents that began this project', () => {
  let emulator: Emulator;
  before(async () => {
    emulator = await startEmulator({ apiKeys: [API_KEY] });
  });
  after(async () => {
    await emulator.close();
  });

  describe('Salesloft documentation', () => {
    const client = () => new OAuth2Client(salesloft, emulator.salesloft.options);
    const api = (source: TokenSource) =>
      authorizedFetch(source, { baseURL: `${emulator.salesloft.origin}/v2` });

    it('builds the authorization URL', () => {
      const real = new OAuth2Client(salesloft, { clientID: 'my-id', clientSecret: 'my-secret' });
      const begun = real.beginLogin({ redirectUri: CALLBACK });
      const url = new URL(begun.url);
      expect(url.origin + url.pathname).to.equal('https://accounts.salesloft.com/oauth/authorize');
      expect(Object.fromEntries(url.searchParams)).to.include({
        client_id: 'my-id',
        redirect_uri: CALLBACK,
        response_type: 'code',
        state: begun.attempt.state,
        code_challenge_method: 'S256',
      });
      expect(real.endpoints.tokenEndpoint).to.equal('https://accounts.salesloft.com/oauth/token');
    });

    it('exchanges a code', async () => {
      const tokens = await login(client());
      expect(tokens.accessToken).to.be.a('string').and.not.equal('');
      expect(tokens.refreshToken).to.be.a('string').and.not.equal('');
      expect(tokens.response.expires_in).to.equal(7200);
    });

    it('gets a token for the app itself, without a refresh token', async () => {
      const tokens = await client().clientCredentialsGrant();
      expect(tokens.accessToken).to.be.a('string').and.not.equal('');
      expect(tokens).not.to.have.property('refreshToken');
    });

    it('reads the profile of the administrator of the app', async () => {
      const { data } = await api(clientCredentials(client())).json<Me>('me.json');
      expect(`Authenticated as: ${data.name} (${data.email})`).to.equal(
        'Authenticated as: Marta Quill (marta.quill@example.com)',
      );
    });

    it('refreshes, and gets two new tokens', async () => {
      const before = await login(client());
      const after = await client().refreshTokenGrant(before.refreshToken ?? '');
      expect(after.accessToken).not.to.equal(before.accessToken);
      expect(after.refreshToken).to.be.a('string').and.not.equal(before.refreshToken);
      expect(after.expiresAt).to.be.greaterThan(Date.now());
    });

    it('errors — 401: refresh or sign in again', async () => {
      const error = await rejection(api(staticToken(`ak${'0'.repeat(64)}`)).json('me.json'));
      expect(error).to.include({ code: 'invalid_token', stage: 'api', status: 401 });
      expect(error.hint).to.be.a('string');
    });

    it('errors — 403: a permission of the app is missing', async () => {
      const source = clientCredentials(client(), { scope: ['people:read'] });
      const error = await rejection(api(source).json('cadence_exports/1.json'));
      expect(error).to.include({ code: 'insufficient_scope', stage: 'api', status: 403 });
      expect(error.message).to.contain('cadences:read');
      expect(error.hint).to.contain('developer portal');
    });

    it('errors — invalid_grant: a code is good for one use', async () => {
      const { response } = await returned(client());
      await client().authorizationCodeGrant(response);
      const error = await rejection(client().authorizationCodeGrant(response));
      expect(error).to.include({ code: 'invalid_grant', stage: 'token' });
      expect(error.hint).to.contain('Start the login again');
    });

    it('errors — invalid_client: id or secret is wrong', async () => {
      const wrong = new OAuth2Client(salesloft, {
        ...emulator.salesloft.options,
        clientSecret: 'not-the-secret',
      });
      const error = await rejection(wrong.clientCredentialsGrant());
      expect(error).to.include({ code: 'invalid_client', stage: 'client_credentials' });
      expect(error.hint).to.contain('OAuth Applications');
    });

    describe('migration', () => {
      const nameBy = async (source: TokenSource) => {
        const request = api(source);
        return (await request.json<Me>('me.json')).data.name;
      };

      it('from an API key to OAuth — changes one line, the source of the token', async () => {
        const person = userTokens(client(), { store: new MemoryTokenStore(), key: 'zoe' });
        await person.save(await login(client()));
        expect(await nameBy(staticToken(API_KEY))).to.equal('Marta Quill');
        expect(await nameBy(clientCredentials(client()))).to.equal('Marta Quill');
        expect(await nameBy(person)).to.equal('Zoë Ångström');
      });

      it('refreshes before a token ends, once for all callers', async () => {
        const short = await startEmulator({ accessTokenTTL: 2 });
        try {
          const brief = new OAuth2Client(salesloft, short.salesloft.options);
          const source = userTokens(brief, { store: new MemoryTokenStore(), key: 'zoe' });
          await source.save(await login(brief));
          const request = authorizedFetch(source, { baseURL: `${short.salesloft.origin}/v2` });
          const app = clientCredentials(brief);
          const first = await app.getAccessToken();
          // Half their life is over: before the tokens end.
          await new Promise((resolve) => setTimeout(resolve, 1100));
          const begun = short.salesloft.requests.length;
          await Promise.all(Array.from({ length: 5 }, () => request.json<Me>('me.json')));
          const paths = short.salesloft.requests.slice(begun).map(({ path }) => path);
          expect(paths.filter((path) => path === '/oauth/token')).to.have.length(1);
          expect(paths.filter((path) => path === '/v2/me.json')).to.have.length(5);
          // There is no refresh token for the app: it just asks again.
          expect(await app.getAccessToken()).not.to.equal(first);
        } finally {
          await short.close();
        }
      });

      it('exports a cadence and imports it into another instance', async () => {
        const other = await startEmulator();
        try {
          const { data } = await api(clientCredentials(client())).json<{ data: object }>(
            'cadence_exports/42.json',
          );
          const there = clientCredentials(new OAuth2Client(salesloft, other.salesloft.options));
          const imported = await authorizedFetch(there, {
            baseURL: `${other.salesloft.origin}/v2`,
          }).json<{ data: { cadence: { id: number; name: string } } }>('cadence_imports.json', {
            method: 'POST',
            json: { ...data, settings: { name: 'Imported: Cadence 42', shared: false } },
          });
          expect(imported.data.cadence.id).to.be.a('number');
          expect(imported.data.cadence.name).to.equal('Imported: Cadence 42');
        } finally {
          await other.close();
        }
      });

      it('errors — 404 for an old path, 422 for a field that is missing', async () => {
        const request = api(clientCredentials(client()));
        expect(await rejection(request.json('renamed.json'))).to.include({ status: 404 });
        const post = { method: 'POST', json: {} };
        expect(await rejection(request.json('cadence_imports.json', post))).to.include({
          code: 'unexpected_status',
          status: 422,
        });
      });

      it('errors — 429 says how long to wait', async () => {
        emulator.salesloft.fault({ step: 'api', kind: 'status', status: 429, retryAfter: 60 });
        const source = staticToken(API_KEY);
        const baseURL = `${emulator.salesloft.origin}/v2`;
        const request = authorizedFetch(source, { baseURL, timeout: 5000, provider: salesloft });
        const error = await rejection(request.json('cadence_exports/1.json'));
        expect(error).to.include({ code: 'rate_limited', status: 429, retryAfterSeconds: 60 });
        expect(error.hint).to.contain('600');
      });
    });
  });

  describe('SalesOS documentation', () => {
    const client = () => new OAuth2Client(salesos, emulator.salesos.options);
    const api = (source: TokenSource) =>
      authorizedFetch(source, { baseURL: `${emulator.salesos.origin}/v1` });
    const SCOPES = ['openid', 'profile', 'email', 'offline_access', 'leads:read'];
    const claimsOf = (token: string) =>
      JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<
        string,
        unknown
      >;

    it('gets a token for the app itself, for the API', async () => {
      const tokens = await client().clientCredentialsGrant();
      expect(tokens).not.to.have.property('refreshToken');
      expect(tokens.response).to.include({ token_type: 'Bearer', expires_in: 86_400 });
      expect(claimsOf(tokens.accessToken).aud).to.equal('https://api.play2sell.com');
    });

    it('builds the authorization URL, with audience and scopes', () => {
      const real = new OAuth2Client(salesos, { clientID: 'my-id', clientSecret: 'my-secret' });
      const begun = real.beginLogin({ redirectUri: CALLBACK });
      const url = new URL(begun.url);
      expect(url.origin + url.pathname).to.equal('https://auth.play2sell.com/authorize');
      expect(Object.fromEntries(url.searchParams)).to.include({
        response_type: 'code',
        client_id: 'my-id',
        redirect_uri: CALLBACK,
        audience: 'https://api.play2sell.com',
        scope: 'openid profile email',
      });
      expect(real.endpoints.tokenEndpoint).to.equal('https://auth.play2sell.com/oauth/token');
    });

    it('exchanges a code: access token, refresh token and a verified ID Token', async () => {
      const { url, response } = await returned(client(), SCOPES);
      expect(url.searchParams.get('scope')).to.equal(SCOPES.join(' '));
      const tokens = await client().authorizationCodeGrant(response);
      expect(tokens.refreshToken).to.be.a('string');
      expect(tokens.response).to.include({ token_type: 'Bearer', expires_in: 86_400 });
      expect(tokens.claims).to.include({ name: 'Zoë Ångström' });
    });

    it('reads leads with the token', async () => {
      const { data } = await api(clientCredentials(client())).json<{ data: { name: string }[] }>(
        'leads',
      );
      expect(data.map(({ name }) => name)).to.include('Harbour Bakery');
      const { headers } =
        emulator.salesos.requests.findLast(({ path }) => path === '/v1/leads') ?? {};
      expect(headers).to.have.property('authorization', 'Bearer');
    });

    it('creates a lead with the token', async () => {
      const source = clientCredentials(client(), { scope: ['leads:write'] });
      const json = { name: 'Corner Flowers' };
      const { data } = await api(source).json<{ data: object }>('leads', { method: 'POST', json });
      expect(data).to.include({ name: 'Corner Flowers', status: 'new' });
    });

    it('refreshes', async () => {
      const before = await login(client(), SCOPES);
      const after = await client().refreshTokenGrant(before.refreshToken ?? '');
      expect(after.accessToken).not.to.equal(before.accessToken);
      expect(after.expiresAt).to.be.greaterThan(Date.now());
    });

    it('errors — 401 for a token that has ended; a new one is fetched', async () => {
      const short = await startEmulator({ accessTokenTTL: 1 });
      try {
        const brief = new OAuth2Client(salesos, short.salesos.options);
        const { accessToken } = await brief.clientCredentialsGrant();
        await new Promise((resolve) => setTimeout(resolve, 1100));
        const baseURL = `${short.salesos.origin}/v1`;
        const error = await rejection(
          authorizedFetch(staticToken(accessToken), { baseURL }).json('leads'),
        );
        expect(error).to.include({ code: 'invalid_token', stage: 'api', status: 401 });
        expect(error.message).to.contain('expired');
        await authorizedFetch(clientCredentials(brief), { baseURL }).json('leads');
      } finally {
        await short.close();
      }
    });

    it('errors — 403: a scope is missing, and the hint names where to add it', async () => {
      const source = clientCredentials(client(), { scope: ['deals:read'] });
      const error = await rejection(api(source).json('leads'));
      expect(error).to.include({ code: 'insufficient_scope', stage: 'api', status: 403 });
      expect(error.message).to.contain('leads:read');
      expect(error.hint).to.contain('Admin > Integrations > API Keys');
    });

    it('errors — invalid_client: id or secret is wrong', async () => {
      const wrong = new OAuth2Client(salesos, {
        ...emulator.salesos.options,
        clientSecret: 'wrong',
      });
      const error = await rejection(wrong.clientCredentialsGrant());
      expect(error).to.include({ code: 'invalid_client' });
      expect(error.hint).to.contain('API Keys');
    });

    it('errors — invalid_grant: a code is good for one use', async () => {
      const { response } = await returned(client());
      await client().authorizationCodeGrant(response);
      const error = await rejection(client().authorizationCodeGrant(response));
      expect(error).to.include({ code: 'invalid_grant', stage: 'token' });
      expect(error.hint).to.contain('Start the login again');
    });
  });

  describe('Salesforce example', () => {
    const client = () => new OAuth2Client(salesforce, emulator.salesforce.options);
    const SCOPES = ['api', 'id', 'openid', 'refresh_token'];

    it('builds the authorization URL, with the scope api', () => {
      const real = new OAuth2Client(salesforce, { clientID: 'my-key', clientSecret: 'my-secret' });
      const url = new URL(real.beginLogin({ redirectUri: CALLBACK, scope: 'api' }).url);
      expect(url.origin + url.pathname).to.equal(
        'https://login.salesforce.com/services/oauth2/authorize',
      );
      expect(Object.fromEntries(url.searchParams)).to.include({
        response_type: 'code',
        client_id: 'my-key',
        redirect_uri: CALLBACK,
        scope: 'api',
      });
    });

    it('exchanges a code, and verifies the signature', async () => {
      const tokens = await login(client(), SCOPES);
      expect(tokens.refreshToken).to.be.a('string');
      expect(tokens.response).to.include.keys('id', 'issued_at', 'instance_url', 'signature');
      expect(tokens.subject).to.match(/^00D\w{15}\/005\w{15}$/);
    });

    it('refuses a signature that was made with another secret', async () => {
      const { response } = await returned(client(), SCOPES);
      emulator.salesforce.fault({ step: 'token', kind: 'wrong-signature' });
      const error = await rejection(client().authorizationCodeGrant(response));
      expect(error).to.include({ code: 'signature_mismatch', stage: 'token' });
      expect(error.hint).to.contain('clientSecret');
    });

    it('asks the instance with the token in the header', async () => {
      const source = userTokens(client(), { store: new MemoryTokenStore(), key: 'zoe' });
      const tokens = await login(client(), SCOPES);
      await source.save(tokens);
      const { instanceUrl } = await client().fetchProfile(tokens);
      const answer = await authorizedFetch(source, { baseURL: instanceUrl ?? '' }).json<{
        name: string;
      }>('services/oauth2/userinfo');
      expect(answer.name).to.equal('Zoë Ångström');
    });

    it('a sandbox — is one option, from which every endpoint follows', () => {
      const { endpoints } = new OAuth2Client(salesforce, {
        clientID: 'my-key',
        clientSecret: 'my-secret',
        loginURL: 'https://test.salesforce.com',
      });
      for (const url of Object.values(endpoints)) {
        expect(new URL(url ?? '').origin).to.equal('https://test.salesforce.com');
      }
      expect(endpoints).to.include({
        authorizationEndpoint: 'https://test.salesforce.com/services/oauth2/authorize',
        tokenEndpoint: 'https://test.salesforce.com/services/oauth2/token',
      });
    });
  });
});
