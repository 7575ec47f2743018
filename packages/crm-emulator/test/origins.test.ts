/** Salesforce with an org, an issuer and a sandbox at origins of their own. */
import { createPublicKey, type JsonWebKey, verify } from 'node:crypto';
import { expect } from 'chai';
import { type Emulator, startEmulator } from 'crm-emulator';
import { claimsOf, Client, get, type Json, send } from './client.js';

/** Tells whether the keys published at an origin verify the token. */
async function areKeysOf(origin: string, token: unknown): Promise<boolean> {
  const { json } = await get(`${origin}/id/keys`);
  const [header = '', payload = '', signature = ''] = String(token).split('.');
  return (json['keys'] as JsonWebKey[]).some((key) =>
    verify(
      'sha256',
      Buffer.from(`${header}.${payload}`),
      createPublicKey({ key, format: 'jwk' }),
      Buffer.from(signature, 'base64url'),
    ),
  );
}

describe('crm-emulator: origins', () => {
  let emulator: Emulator;
  let client: Client;
  let tokens: Json;
  let origins: { login: string; org: string; issuer: string; sandbox: string };

  before(async function () {
    this.timeout(60_000);
    emulator = await startEmulator({ origins: true });
    client = new Client(emulator, 'salesforce');
    tokens = await client.login();
    origins = emulator.salesforce.origins as typeof origins;
  });

  after(() => emulator.close());

  it('default — one origin is all of them, and there is no sandbox', async () => {
    const other = await startEmulator();
    try {
      const { origin, sandbox } = other.salesforce;
      expect(other.salesforce.origins).to.deep.equal({
        login: origin,
        org: origin,
        issuer: origin,
        sandbox: undefined,
      });
      expect(sandbox).to.equal(undefined);
    } finally {
      await other.close();
    }
  });

  it('true — org and sandbox have a port each, the org is the issuer; options name the login host', () => {
    expect(new Set(Object.values(origins))).to.have.lengthOf(3);
    expect(origins.issuer).to.equal(origins.org);
    expect(emulator.salesforce.origin).to.equal(origins.login);
    expect(emulator.salesforce.options.loginURL).to.equal(origins.login);
  });

  it('login — is the host of id; the org is instance_url', () => {
    expect(new URL(String(tokens['id'])).origin).to.equal(origins.login);
    expect(tokens['instance_url']).to.equal(origins.org);
  });

  it('org — answers the identity URL, UserInfo and the API; the login host does not', async () => {
    const { pathname } = new URL(String(tokens['id']));
    const token = tokens['access_token'];
    const identity = await get(origins.org + pathname, token);
    expect(identity.json).to.include({ asserted_user: true, id: tokens['id'] });
    expect(identity.json).to.have.nested.property('urls.custom_domain', origins.org);
    expect((await get(`${origins.org}/services/data/v66.0/limits`, token)).status).to.equal(200);
    expect((await get(`${origins.login}/services/data/v66.0/limits`, token)).status).to.equal(404);
    const moved = await get(`${origins.login}${pathname}?version=latest`, token);
    expect(moved).to.have.property('status', 302);
    expect(moved.headers['location']).to.equal(`${origins.org}${pathname}?version=latest`);
  });

  it('org — refreshes tokens too', async () => {
    const atOrg = new Client(emulator, 'salesforce', { origin: origins.org });
    expect((await atOrg.refresh(tokens)).json).to.include({ id: tokens['id'] });
  });

  it("issuer — is the org's where My Domain is, and signs ID Tokens; sub is id", async () => {
    expect(claimsOf(tokens['id_token'])).to.include({ iss: origins.org, sub: tokens['id'] });
    expect(await areKeysOf(origins.org, tokens['id_token'])).to.equal(true);
    expect(await areKeysOf(origins.login, tokens['id_token'])).to.equal(false);
    emulator.salesforce.fail('callback-iss-of-org');
    const { searchParams } = await client.callback();
    expect(searchParams.get('iss')).to.equal(origins.org);
  });

  it('issuer: true — has a port too, and publishes the keys of ID Tokens alone', async function () {
    this.timeout(60_000);
    const other = await startEmulator({ origins: { org: true, issuer: true } });
    try {
      const { login, org, issuer } = other.salesforce.origins;
      expect(new Set([login, org, issuer])).to.have.lengthOf(3);
      const json = await new Client(other, 'salesforce').login();
      expect(claimsOf(json['id_token'])).to.include({ iss: issuer, sub: json['id'] });
      for (const origin of [login, org, issuer]) {
        expect(await areKeysOf(origin, json['id_token']), origin).to.equal(origin === issuer);
      }
      const discovery = await get(`${issuer}/.well-known/openid-configuration`);
      expect(discovery.json).to.include({
        issuer,
        jwks_uri: `${issuer}/id/keys`,
        token_endpoint: `${login}/services/oauth2/token`,
      });
      expect((await get(`${issuer}/services/oauth2/userinfo`)).status).to.equal(404);
    } finally {
      await other.close();
    }
  });

  it('sandbox, myDomain — have people with the same ids in other orgs, and what is of one is refused at another', async function () {
    this.timeout(60_000);
    const other = await startEmulator({ origins: { sandbox: true, myDomain: true } });
    try {
      const { salesforce } = other;
      const { sandbox, myDomain } = salesforce;
      expect(salesforce.origins).to.include({
        sandbox: sandbox?.origin,
        myDomain: myDomain?.options.loginURL,
      });
      const environments = await Promise.all(
        [salesforce, sandbox!, myDomain!].map(async ({ origin }) => {
          const at = new Client(other, 'salesforce', { origin });
          const json = await at.login();
          const { html } = await at.page();
          const { searchParams } = await at.callback();
          return { at, origin, json, code: searchParams.get('code'), html };
        }),
      );
      const ids = environments.map(({ json }) => new URL(String(json['id'])).pathname.split('/'));
      expect(environments.map(({ html }) => /emulator of ([^<]+)</.exec(html)?.[1])).to.deep.equal([
        'Salesforce',
        'Salesforce sandbox',
        'Salesforce My Domain',
      ]);
      expect(new Set(ids.map(([, , org]) => org))).to.have.lengthOf(3);
      expect(new Set(ids.map(([, , , user]) => user))).to.have.lengthOf(1);
      for (const { at, origin } of environments) {
        for (const own of environments) {
          const isHere = own.origin === origin;
          const { json } = own;
          const where = `${own.origin} at ${origin}`;
          expect(await areKeysOf(origin, json['id_token']), where).to.equal(isHere);
          const identity = origin + new URL(String(json['id'])).pathname;
          expect((await get(identity, json['access_token'])).status, where).to.equal(
            isHere ? 200 : 403,
          );
          expect((await at.refresh(json)).status, where).to.equal(isHere ? 200 : 400);
          const introspected = await send(`${origin}/services/oauth2/introspect`, {
            form: { ...at.credentials, token: String(json['access_token']) },
          });
          expect(introspected.json['active'], where).to.equal(isHere);
          if (isHere) continue;
          expect((await at.exchange(own.code)).json, where).to.include({ error: 'invalid_grant' });
          const form = { token: String(json['refresh_token']) };
          const revoked = await send(`${origin}/services/oauth2/revoke`, { form });
          expect(revoked.json, where).to.include({ error: 'invalid_token' });
        }
      }
      for (const { at, json } of environments) {
        expect((await at.refresh(json)).status, 'still alive').to.equal(200);
        expect(claimsOf(json['id_token'])).to.include({ iss: at.origin, sub: json['id'] });
      }
    } finally {
      await other.close();
    }
  });

  it('refuses an unknown part, and a value that is not a port', async () => {
    for (const [wrong, message] of [
      [{ instance: true }, 'origins.instance'],
      [{ org: 'org.example' }, 'origins.org'],
      [{ sandbox: 70_000 }, 'origins.sandbox'],
      [{ org: 'org' }, 'origins.org'],
    ] as const) {
      const error = await startEmulator({ origins: wrong as never }).then(
        (started) => started.close(),
        (reason: Error) => reason,
      );
      expect(error).to.be.instanceOf(TypeError).and.have.property('message').that.includes(message);
    }
  });
});
