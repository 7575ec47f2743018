/** The tolerant mode, beside the strict one, for what other clients send. */
import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { type Emulator, startEmulator } from 'crm-emulator';
import { CALLBACK, Client, formOf, get, type Json, send } from './client.js';

/** As jsforce makes it: 128 random bytes. */
const LONG_VERIFIER = Buffer.alloc(128, 'jsforce').toString('base64url');
const LONG_CHALLENGE = createHash('sha256').update(LONG_VERIFIER).digest('base64url');

describe('crm-emulator: the tolerant mode', () => {
  let strict: Emulator;
  let tolerant: Emulator;

  before(async function () {
    this.timeout(60_000);
    [strict, tolerant] = await Promise.all([startEmulator(), startEmulator({ tolerant: true })]);
  });

  after(() => Promise.all([strict.close(), tolerant.close()]));

  const profileURL = (client: Client, tokens: Json) =>
    ({
      salesloft: `${client.origin}/v2/me.json`,
      salesos: `${client.origin}/userinfo`,
      salesforce: String(tokens['id']),
    })[client.name];

  for (const name of ['salesloft', 'salesos', 'salesforce'] as const) {
    it(`${name} — takes an access token in the query; the strict mode refuses it`, async () => {
      const statuses = [];
      for (const emulator of [tolerant, strict]) {
        const client = new Client(emulator, name);
        const tokens = await client.login();
        for (const parameter of ['access_token', 'oauth_token']) {
          const query = formOf({ format: 'json', [parameter]: String(tokens['access_token']) });
          const { status } = await get(`${profileURL(client, tokens)}?${query}`);
          statuses.push(status >= 400 ? 'refused' : status);
        }
      }
      expect(statuses).to.deep.equal([200, 200, 'refused', 'refused']);
    });

    it(`${name} — takes credentials and code in the query of a POST without a body`, async () => {
      const exchange = async (emulator: Emulator) => {
        const client = new Client(emulator, name);
        const { searchParams } = await client.callback('Suri');
        const query = formOf({
          ...client.credentials,
          grant_type: 'authorization_code',
          code: String(searchParams.get('code')),
          redirect_uri: CALLBACK,
          code_verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
        });
        return send(`${client.url('token')}?${query}`, { method: 'POST' });
      };
      expect((await exchange(tolerant)).json).to.have.property('access_token');
      expect((await exchange(strict)).status).to.equal(400);
    });

    it(`${name} — takes a code verifier above 128 characters, if it is the right one`, async () => {
      expect(LONG_VERIFIER).to.have.lengthOf(171);
      const exchange = async (emulator: Emulator, code_verifier: string) => {
        const client = new Client(emulator, name);
        const { searchParams } = await client.callback('Suri', { code_challenge: LONG_CHALLENGE });
        return client.exchange(searchParams.get('code'), { code_verifier });
      };
      expect((await exchange(tolerant, LONG_VERIFIER)).status).to.equal(200);
      expect((await exchange(tolerant, `${LONG_VERIFIER}x`)).status).to.be.oneOf([400, 403]);
      expect((await exchange(strict, LONG_VERIFIER)).status).to.be.oneOf([400, 403]);
    });
  }

  it('is as strict as before about a secret, a token, a media type and the host', async () => {
    const client = new Client(tolerant, 'salesforce');
    const query = formOf({
      ...client.credentials,
      client_secret: 'x',
      grant_type: 'refresh_token',
    });
    const wrong = await send(`${client.url('token')}?${query}`, { method: 'POST' });
    expect(wrong.json).to.include({ error: 'invalid_client' });
    const json = { 'content-type': 'application/json' };
    const asJSON = await send(client.url('token'), {
      headers: json,
      body: JSON.stringify({ grant_type: 'refresh_token' }),
    });
    expect(asJSON.json).to.include({ error: 'unsupported_grant_type' });
    const unknown = await get(`${client.origin}/services/oauth2/userinfo?access_token=x`);
    expect(unknown.text).to.equal('Bad_OAuth_Token');
    const foreign = await send(client.origin, { headers: { host: 'evil.example' } });
    expect(foreign.status).to.equal(421);
  });
});
