/** The start page of an origin: what it shows, what it never shows, and its buttons. */
import { expect } from 'chai';
import { type Emulator, type RequestRecord, startEmulator } from 'crm-emulator';
import { controlRefusal } from '../dist/guards.js';
import {
  type Answer,
  AUDIENCE,
  Client,
  type Fields,
  get,
  type Json,
  NAMES,
  send,
} from './client.js';

describe('crm-emulator: start page', () => {
  let emulator: Emulator;
  const seen: [string, RequestRecord][] = [];

  before(async function () {
    this.timeout(60_000);
    const clients = NAMES.map((provider) => ({
      provider,
      clientID: 'own-client',
      clientSecret: 'own-secret',
      callbackURLs: ['https://own.example/callback'],
    }));
    const onRequest = (request: RequestRecord, { name }: { name: string }) =>
      seen.push([name, request]);
    emulator = await startEmulator({ clients, onRequest });
  });

  after(() => emulator.close());

  /** Presses a button as a browser does on this page. */
  async function press(
    origin: string,
    form: Fields,
    headers?: Record<string, string>,
  ): Promise<Answer> {
    const sent = headers ?? { origin, 'sec-fetch-site': 'same-origin' };
    return send(`${origin}/emulator/control`, { form, headers: sent });
  }

  /** The handle of the newest token with this button, by the title of the token. */
  async function handleOf(origin: string, action: string, title: string): Promise<string> {
    const { text } = await get(origin);
    const buttons = text.matchAll(
      /<button name="(\w+)" value="([^"]+)">[^<:]+<span class="unseen">:\s+([^<]+)</g,
    );
    const found = [...buttons].find(
      ([, name, , label]) => name === action && label?.startsWith(title),
    );
    return found?.[2] ?? '';
  }

  for (const name of NAMES) {
    describe(name, () => {
      let client: Client;
      let origin: string;

      before(() => {
        client = new Client(emulator, name);
        ({ origin } = client);
      });

      it('lists people, clients with their callbacks, requests with their errors, and tokens', async () => {
        await client.login('Suri');
        await client.exchange('an-invented-code');
        await client.signIn('Deny');
        const { text, status } = await get(origin);
        expect(status).to.equal(200);
        expect(text).to.include('Zoë Ångström').and.include('inactive');
        expect(text).to.include('own-client').and.include('https://own.example/callback');
        expect(text).to.match(/POST<\/span> <code>[\w/]+\/token<.*?invalid_grant<.*?40[03]</s);
        expect(text).to.match(/access_denied<.*?302</s);
        expect(text).to.match(/Access token\s.*?Suri · issued \d+ s ago · expires in/s);
      });

      it('shows no token, code, query, pending sign-in or secret of a client of the caller', async () => {
        const pending = new URL((await client.page()).url).pathname;
        const { code } = await client.signIn('Suri');
        const tokens = (await client.exchange(code)).json;
        await get(`${client.profileURL(tokens)}?access_token=in-the-query`);
        const { text } = await get(origin);
        const secrets = ['access_token', 'refresh_token', 'id_token'].map((key) => tokens[key]);
        for (const secret of [...secrets, code, pending, 'in-the-query', 'own-secret']) {
          if (typeof secret === 'string') expect(text).not.to.include(secret);
        }
      });

      it('Expire now — the access token is refused, and a refresh gives a new one', async () => {
        const tokens = await client.login('Suri');
        expect((await client.profile(tokens)).status).to.equal(200);
        const { status, headers } = await press(origin, {
          expire: await handleOf(origin, 'expire', 'Access token of Suri'),
        });
        expect([status, headers['location']]).to.deep.equal([303, '/#tokens']);
        expect((await client.profile(tokens)).status).to.be.oneOf([401, 403]);
        expect((await get(origin)).text).to.include('expired');
        const renewed = await client.refresh(tokens);
        expect((await client.profile({ ...tokens, ...renewed.json })).status).to.equal(200);
      });

      it('Revoke — the refresh token is refused', async () => {
        const tokens = await client.login('Suri');
        await press(origin, { revoke: await handleOf(origin, 'revoke', 'Refresh token of Suri') });
        expect((await client.refresh(tokens)).json).to.include({ error: 'invalid_grant' });
        expect((await client.profile(tokens)).status).to.be.oneOf(
          name === 'salesos' ? [200] : [401, 403],
        );
      });

      it('Queue and Clear all — a failure waits for its step, and is forgotten', async () => {
        await press(origin, { fail: 'token-503' });
        const queued = await get(origin);
        expect(queued.text).to.match(/Token endpoint answers 503<.*?Token endpoint,\s+once/s);
        expect((await client.exchange('x')).status).to.equal(503);
        await press(origin, { fail: 'token-503' });
        expect((await press(origin, { clear: '1' })).headers['location']).to.equal('/#failures');
        expect((await client.exchange('x')).status).to.be.oneOf([400, 403]);
        expect((await press(origin, { fail: 'no-such-failure' })).status).to.equal(303);
      });

      it('a POST of another site, of no page or by GET — is refused, and changes nothing', async () => {
        const tokens = await client.login('Suri');
        const expire = await handleOf(origin, 'expire', 'Access token of Suri');
        const refused: Record<string, string>[] = [
          { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
          { origin: 'https://evil.example' },
          { origin: 'http://localhost:1', 'sec-fetch-site': 'same-site' },
          { origin, 'sec-fetch-site': 'cross-site' },
          { origin: 'null' },
          { 'sec-fetch-site': 'none' },
          {},
        ];
        for (const headers of refused) {
          expect((await press(origin, { expire }, headers)).status).to.equal(403);
        }
        expect((await get(`${origin}/emulator/control?expire=${expire}`)).status).to.equal(405);
        const host = `evil.example:${new URL(origin).port}`;
        const rebound = { host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' };
        expect((await press(origin, { expire }, rebound)).status).to.equal(421);
        expect((await client.profile(tokens)).status).to.equal(200);
      });
    });
  }

  it('Expire now — ends a JWT of SalesOS at the API too', async () => {
    const client = new Client(emulator, 'salesos');
    const own = { grant_type: 'client_credentials', audience: AUDIENCE };
    const { json } = await client.token(own);
    const call = (tokens: Json) => get(`${client.origin}/v1/leads`, tokens['access_token']);
    expect((await call(json)).status).to.equal(200);
    await press(client.origin, { expire: await handleOf(client.origin, 'expire', 'The client') });
    expect((await call(json)).status).to.equal(401);
    expect((await call((await client.token(own)).json)).status).to.equal(200);
  });

  it('another machine — is refused, whatever it says of its page', () => {
    const headers = { host: '10.0.0.1:4000', origin: 'http://10.0.0.1:4000' };
    const from = (remoteAddress: string) =>
      controlRefusal('POST', { headers, socket: { remoteAddress } } as never)?.status;
    expect(['10.0.0.7', '::ffff:10.0.0.7', 'fe80::1', ''].map(from)).to.deep.equal([
      403, 403, 403, 403,
    ]);
    expect(['127.0.0.1', '::1', '::ffff:127.0.0.1'].map(from)).to.deep.equal([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('onRequest — tells of each request when it was answered, or was left unanswered', async () => {
    const client = new Client(emulator, 'salesloft');
    await client.exchange('an-invented-code');
    const [name, request] = seen.at(-1)!;
    expect(name).to.equal('salesloft');
    expect(request).to.include({
      method: 'POST',
      path: '/oauth/token',
      status: 400,
      error: 'invalid_grant',
    });
    emulator.salesloft.fail('profile-reset');
    await get(`${client.origin}/v2/me`).catch(() => undefined);
    expect(seen.at(-1)?.[1])
      .to.include({ path: '/v2/me', status: 0 })
      .and.not.have.property('error');
  });

  it('favicon — is an image of each origin, and no request that is recorded', async () => {
    const { length } = emulator.salesos.requests;
    const { status, headers, text } = await get(`${emulator.salesos.origin}/favicon.ico`);
    expect([status, headers['content-type']]).to.deep.equal([200, 'image/svg+xml']);
    expect(text).to.match(/^<svg/);
    expect(emulator.salesos.requests).to.have.lengthOf(length);
  });
});
