/** The logout of SalesOS and of Salesforce. */
import { expect } from 'chai';
import { type Emulator, startEmulator } from 'crm-emulator';
import { claimsOf, Client, type Fields, formOf, get, type Json, send } from './client.js';

const AFTER = 'http://localhost:3000/bye?from=crm';

describe('crm-emulator: logout', () => {
  let emulator: Emulator;
  let client: Client;
  let tokens: Json;

  before(async function () {
    this.timeout(60_000);
    emulator = await startEmulator({
      origins: { org: true, issuer: 'org', myDomain: true },
      logoutURLs: ['https://app.example/bye'],
    });
    client = new Client(emulator, 'salesos');
  });

  beforeEach(async () => {
    tokens = await client.login();
  });

  after(() => emulator.close());

  const hint = () => String(claimsOf(tokens['id_token'])['sid']);
  const url = () => `${emulator.salesos.origin}/oidc/logout`;
  const logOut = (fields: Fields) => send(`${url()}?${formOf(fields)}`);
  const withClient = (fields: Fields) =>
    logOut({ client_id: client.credentials.client_id, ...fields });

  describe('SalesOS', () => {
    it('is in the metadata, and ID Tokens carry a sid, which a refresh keeps', async () => {
      const { json } = await get(`${emulator.salesos.origin}/.well-known/openid-configuration`);
      expect(json).to.include({ end_session_endpoint: url() });
      const refreshed = await client.refresh(tokens);
      expect(claimsOf(refreshed.json['id_token'])['sid']).to.equal(hint());
      expect(claimsOf((await client.login())['id_token'])['sid']).to.not.equal(hint());
    });

    it('RP-Initiated Logout §2, §3 — goes to an allowed URI, with the state', async () => {
      const { status, headers } = await withClient({
        logout_hint: hint(),
        post_logout_redirect_uri: AFTER,
        state: 'a b',
      });
      expect([status, headers['location']]).to.deep.equal([302, `${AFTER}&state=a+b`]);
    });

    it('§2 — takes a posted form with an ID Token, also one that has expired', async () => {
      emulator.salesos.fail('id-token-expired');
      tokens = await client.login();
      const form = {
        id_token_hint: String(tokens['id_token']),
        post_logout_redirect_uri: 'https://app.example/bye',
      };
      const { status, headers } = await send(url(), { form });
      expect([status, headers['location']]).to.deep.equal([302, 'https://app.example/bye']);
    });

    it('shows a page where no URI is given', async () => {
      const { status, text } = await withClient({ logout_hint: hint() });
      expect(status).to.equal(200);
      expect(text).to.include('You are logged out');
    });

    it('asks first where no session is named, or one that has ended', async () => {
      await withClient({ logout_hint: hint() });
      for (const fields of [{}, { logout_hint: 'unknown' }, { logout_hint: hint() }]) {
        const { status, text } = await withClient({ ...fields, post_logout_redirect_uri: AFTER });
        expect(status).to.equal(200);
        expect(text).to.include('Do you want to log out?');
        const hidden = [...text.matchAll(/name="(\w+)" value="([^"]*)"/g)];
        const form = Object.fromEntries(hidden.map(([, name, value]) => [name, value]));
        expect((await send(url(), { form })).headers['location']).to.equal(AFTER);
      }
    });

    it('keeps the tokens: only the session at the provider ends', async () => {
      await withClient({ logout_hint: hint() });
      expect((await client.refresh(tokens)).status).to.equal(200);
    });

    const refusals: Record<string, () => Fields> = {
      'a URI that is not allowed': () => ({
        post_logout_redirect_uri: 'https://app.example/bye?next=1',
      }),
      'an unknown client': () => ({ client_id: 'unknown' }),
      'an ID Token with another signature': () => ({
        id_token_hint: `${String(tokens['id_token'])}x`,
      }),
      'an ID Token and a sid of two sessions': () => ({
        id_token_hint: String(tokens['id_token']),
        logout_hint: 'another',
      }),
    };
    for (const [what, fields] of Object.entries(refusals)) {
      it(`refuses ${what}, on a page`, async () => {
        const { status, headers, text } = await withClient({ logout_hint: hint(), ...fields() });
        expect(status).to.equal(400);
        expect(headers['location']).to.equal(undefined);
        expect(text).to.include('invalid_request');
      });
    }
  });

  it('Salesforce — an org has a logout, which ignores where to go; a login host has none', async () => {
    const { login, org, myDomain } = emulator.salesforce.origins;
    const path = '/services/auth/idp/oidc/logout';
    for (const origin of [org, myDomain]) {
      const { json } = await get(`${origin}/.well-known/openid-configuration`);
      expect(json).to.include({ end_session_endpoint: origin + path });
      const { status, headers } = await get(`${origin}${path}?post_logout_redirect_uri=${AFTER}`);
      expect([status, headers['location']]).to.deep.equal([200, undefined]);
    }
    expect((await get(login + path)).status).to.equal(404);
    const { json } = await get(`${login}/.well-known/openid-configuration`);
    expect(json).to.not.have.property('end_session_endpoint');
  });
});
