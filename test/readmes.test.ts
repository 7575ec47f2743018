/** The code of the documents: calls to an API, and a handler of logins, run as they are written there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { startEmulator } from 'crm-emulator';
import type { Emulator } from 'crm-emulator';
import { MemoryTokenStore, OAuth2Client } from 'crm-oauth2';
import type { Profile, TokenSet } from 'crm-oauth2';
import { salesforce } from 'passport-salesforce-oauth2';
import { salesloft } from 'passport-salesloft';
import { salesos } from 'passport-salesos';
import { Browser } from './support/browser';
import { blocks, run } from './support/pages';
import { RedisServer, describeWithRedis } from './support/redis';

async function login<Options extends object, P extends Profile>(
  client: OAuth2Client<Options, P>,
): Promise<{ strategy: { client: typeof client }; tokens: TokenSet; profile: P }> {
  const redirectUri = 'http://localhost:3000/callback';
  const { url, attempt } = client.beginLogin({ redirectUri });
  const callback = new URL(await new Browser().signIn(url, 'Suri'));
  const query = Object.fromEntries(callback.searchParams);
  const response = await client.validateAuthorizationResponse(query, () => attempt);
  const tokens = await client.authorizationCodeGrant(response);
  return { strategy: { client }, tokens, profile: await client.fetchProfile(tokens) };
}

let emulator: Emulator;
const start = async () => {
  emulator = await startEmulator();
};
const stop = async () => await emulator.close();

/** Puts the emulator in place of the providers. */
const here = (code: string) =>
  code
    .replace('https://api.salesloft.com', emulator.salesloft.origin)
    .replace('https://api.play2sell.com', emulator.salesos.origin);

describe('pages — Call the API', () => {
  before(start);
  after(stop);

  const block = (name: string) =>
    here(blocks(`packages/${name}/README.md`, 'Call the API')[0] ?? '');

  it('passport-salesloft', async () => {
    const client = new OAuth2Client(salesloft, emulator.salesloft.options);
    const scope = { ...(await login(client)), store: new MemoryTokenStore() };
    expect(await run(block('passport-salesloft'), 'data.name', scope)).to.equal('Suri');
  });

  it('passport-salesos', async () => {
    const scopes = ['openid', 'profile', 'offline_access', 'leads:read'];
    const client = new OAuth2Client(salesos, { ...emulator.salesos.options, scope: scopes });
    const scope = { ...(await login(client)), store: new MemoryTokenStore() };
    expect(await run(block('passport-salesos'), 'data.length', scope)).to.be.greaterThan(0);
  });

  it('passport-salesforce-oauth2', async () => {
    const scopes = ['openid', 'id', 'profile', 'refresh_token', 'api'];
    const client = new OAuth2Client(salesforce, { ...emulator.salesforce.options, scope: scopes });
    const scope = { ...(await login(client)), store: new MemoryTokenStore() };
    expect(await run(block('passport-salesforce-oauth2'), 'name', scope)).to.equal('Suri');
  });
});

describe('pages — From a Request to a Response', () => {
  before(start);
  after(stop);

  it('loginHandler — logs in with the cookie alone', async () => {
    const page = readFileSync(join(__dirname, '../docs/frameworks.md'), 'utf8');
    const [, code = ''] = /## Next, Hono[^]*?```js\n([^]*?)```/.exec(page) ?? [];
    const callbackURL = 'http://127.0.0.1:3000/auth/salesloft/callback';
    const handler = (await run(code, 'login', {
      options: { ...emulator.salesloft.options, callbackURL },
      process: { env: { LOGIN_SECRET: 's'.repeat(32) } },
      console: { error() {} },
      sessionCookie: ({ name }: { name: string }) => `person=${name}`,
    })) as (request: Request) => Promise<Response>;

    const origin = 'http://127.0.0.1:3000';
    /** Starts a login, signs in, and comes back with the cookie. */
    const comeBack = async (who: string, query = ''): Promise<Response> => {
      const started = await handler(new Request(`${origin}/auth/salesloft${query}`));
      const cookie = started.headers.getSetCookie()[0]?.split(';')[0] ?? '';
      const location = started.headers.get('location') ?? '';
      const callback = await new Browser().signIn(location, who);
      return await handler(new Request(callback, { headers: { cookie } }));
    };
    const signedIn = await comeBack('Suri', '?returnTo=/reports');
    expect(signedIn.status).to.equal(303);
    expect(signedIn.headers.get('location')).to.equal('/reports');
    expect(signedIn.headers.getSetCookie()).to.include('person=Suri').and.have.lengthOf(2);
    expect((await comeBack('Suri')).headers.get('location')).to.equal('/');
    const refused = await comeBack('deny');
    expect(refused.status).to.equal(401);
    expect(await refused.json()).to.include({ code: 'access_denied' });
    emulator.salesloft.fault({ step: 'token', kind: 'status', status: 500 });
    const failed = await comeBack('Suri');
    expect(failed.status).to.equal(502);
    expect(await failed.text()).to.equal('The login failed (provider_unavailable).');
  });
});

describeWithRedis('pages — Tokens that stay alive', () => {
  const redis = new RedisServer();
  before(start);
  after(stop);
  before(async () => await redis.start());
  after(async () => await redis.close());

  it('crm-oauth2 — at the login, and for months after', async () => {
    const [atLogin = '', after = ''] = blocks(
      'packages/crm-oauth2/README.md',
      'Tokens that stay alive',
    ).map(here);
    const client = new OAuth2Client(salesloft, emulator.salesloft.options);
    const person = await login(client);
    const env = { REDIS_URL: redis.url, TOKEN_SECRET: 's'.repeat(32) };
    const scope = { ...person, process: { env }, log: () => undefined };
    const kept = (await run(atLogin, '{ store, redis }', scope)) as {
      store: object;
      redis: { close: () => Promise<void> };
    };
    const later = { client, store: kept.store, key: person.profile.id };
    expect(await run(after, 'data.name', later)).to.equal('Suri');
    await kept.redis.close();
  });
});
