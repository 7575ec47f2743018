/** Several registered clients: each has a secret, redirect URIs, codes and tokens of its own. */
import { expect } from 'chai';
import { type Emulator, startEmulator } from 'crm-emulator';
import { CALLBACK, Client, get, NAMES, send } from './client.js';

const OWN_CALLBACK = 'https://tenant.example/callback';
const clientOf = (name: (typeof NAMES)[number], number: number) => ({
  provider: name,
  clientID: `${name}-tenant-${number}`,
  clientSecret: `secret-of-${name}-tenant-${number}`,
});

describe('crm-emulator: clients', () => {
  let emulator: Emulator;

  before(async function () {
    this.timeout(60_000);
    const many = Array.from({ length: 500 }, (_, index) => clientOf('salesloft', index));
    const others = [clientOf('salesos', 1), clientOf('salesforce', 1)];
    const strict = NAMES.map((name) => ({
      ...clientOf(name, 1_000),
      callbackURLs: [OWN_CALLBACK],
    }));
    emulator = await startEmulator({ clients: [...many, ...others, ...strict] });
  });

  after(() => emulator.close());

  for (const name of NAMES) {
    it(`${name} — RFC 6749 §4.1.3, §6: codes and refresh tokens are of one client`, async () => {
      const first = new Client(emulator, name);
      const tenant = new Client(emulator, name, clientOf(name, 1));
      const refusal = name === 'salesos' ? 403 : 400;

      const { searchParams } = await tenant.callback();
      const foreign = await first.exchange(searchParams.get('code'));
      expect([foreign.status, foreign.json['error']]).to.deep.equal([refusal, 'invalid_grant']);

      const tokens = await tenant.login();
      const refused = await first.refresh(tokens);
      expect([refused.status, refused.json['error']]).to.deep.equal([refusal, 'invalid_grant']);
      if (name !== 'salesforce') {
        const url = first.url('revoke');
        const token = String(tokens['refresh_token']);
        const revoked = await send(url, { form: { ...first.credentials, token } });
        expect(revoked.status).to.equal(name === 'salesloft' ? 403 : 200);
      }
      expect((await tenant.refresh(tokens)).status).to.equal(200);
    });

    it(`${name} — a secret is of one client`, async () => {
      const { clientID } = clientOf(name, 1);
      const { clientSecret } = emulator[name];
      const mixed = new Client(emulator, name, { clientID, clientSecret });
      const { searchParams } = await mixed.callback();
      const { json } = await mixed.exchange(searchParams.get('code'));
      expect(json).to.include({ error: 'invalid_client' });
    });

    it(`${name} — a client with redirect URIs has no others, and they are of no other client`, async () => {
      const strict = new Client(emulator, name, clientOf(name, 1_000));
      const { href } = await strict.callback('Suri', { redirect_uri: OWN_CALLBACK });
      expect(href.startsWith(`${OWN_CALLBACK}?`)).to.equal(true);
      const authorize = async (client: Client, redirectURI: string) =>
        (await send(client.authorizationURL({ redirect_uri: redirectURI }))).status;
      expect(await authorize(strict, CALLBACK)).to.equal(400);
      expect(await authorize(new Client(emulator, name), OWN_CALLBACK)).to.equal(400);
    });
  }

  it('Salesforce — introspects the tokens of one client, and signs with its secret', async () => {
    const first = new Client(emulator, 'salesforce');
    const tenant = new Client(emulator, 'salesforce', clientOf('salesforce', 1));
    const tokens = await tenant.login();
    const introspect = async ({ credentials, origin }: Client) =>
      (
        await send(`${origin}/services/oauth2/introspect`, {
          form: { ...credentials, token: String(tokens['access_token']) },
        })
      ).json;
    expect(await introspect(tenant)).to.include({
      active: true,
      client_id: tenant.credentials.client_id,
    });
    expect(await introspect(first)).to.deep.equal({ active: false });
    const { createHmac } = await import('node:crypto');
    const signed = String(tokens['id']) + String(tokens['issued_at']);
    const signature = createHmac('sha256', tenant.credentials.client_secret).update(signed);
    expect(tokens['signature']).to.equal(signature.digest('base64'));
  });

  it('Salesloft — 500 clients sign in; the last one like the first', async () => {
    for (const number of [0, 250, 499]) {
      const tokens = await new Client(emulator, 'salesloft', clientOf('salesloft', number)).login();
      const me = await get(`${emulator.salesloft.origin}/v2/me.json`, tokens['access_token']);
      expect(me.status).to.equal(200);
    }
  });

  it('refuses a client twice, without a secret or of an unknown provider', async () => {
    const one = clientOf('salesos', 1);
    for (const [clients, message] of [
      [[one, one], /^clients\[1\]\.clientID: "salesos-tenant-1" is registered already/],
      [[{ ...one, clientSecret: '' }], /^clients\[0\]: clientID and clientSecret/],
      [[{ ...one, provider: 'hubspot' }], /^clients\[0\]\.provider: must be one of/],
    ] as const) {
      const error = await startEmulator({ clients: clients as never }).then(
        (started) => started.close(),
        (reason: Error) => reason,
      );
      expect(error).to.be.instanceOf(TypeError).and.have.property('message').that.matches(message);
    }
  });
});
