/** A person who is deactivated, and an org that moves to another origin. */
import { expect } from 'chai';
import { type Emulator, startEmulator } from 'crm-emulator';
import { Client, get } from './client.js';

describe('crm-emulator: people and orgs', () => {
  let emulator: Emulator;

  before(async function () {
    this.timeout(60_000);
    emulator = await startEmulator();
  });

  afterEach(() => {
    for (const name of ['salesloft', 'salesos', 'salesforce'] as const) {
      for (const person of ['Marta Quill', 'Suri']) emulator[name].setActive(person, true);
    }
  });

  after(() => emulator.close());

  describe('a person who is deactivated', () => {
    const refused = {
      salesloft: {
        status: 400,
        error: 'invalid_grant',
        words: /^The provided authorization grant/,
      },
      salesos: { status: 403, error: 'invalid_grant', words: /^user is blocked$/ },
      salesforce: { status: 400, error: 'invalid_grant', words: /^inactive user$/ },
    } as const;

    for (const [key, { status, error, words }] of Object.entries(refused)) {
      const name = key as keyof typeof refused;

      it(`${name} — is refused at a refresh in the provider's words, until active again`, async () => {
        const client = new Client(emulator, name);
        const [marta, suri] = [await client.login(), await client.login('Suri')];
        emulator[name].setActive('Marta Quill', false);
        const answer = await client.refresh(marta);
        expect(answer.status).to.equal(status);
        expect(answer.json['error']).to.equal(error);
        expect(answer.json['error_description']).to.match(words);
        expect((await client.refresh(suri)).status).to.equal(200);
        emulator[name].setActive('marta.quill@example.com', true);
        expect((await client.refresh(marta)).status).to.equal(200);
      });
    }

    it('ends the sessions at Salesloft and Salesforce', async () => {
      const salesloft = await new Client(emulator, 'salesloft').login();
      const salesforce = await new Client(emulator, 'salesforce').login();
      const profile = () =>
        get(`${emulator.salesloft.origin}/v2/me.json`, salesloft['access_token']);
      const api = () =>
        get(`${emulator.salesforce.origin}/services/data/v66.0/limits`, salesforce['access_token']);
      expect([(await profile()).status, (await api()).status]).to.deep.equal([200, 200]);
      emulator.salesloft.setActive('Marta Quill', false);
      emulator.salesforce.setActive('Marta Quill', false);
      expect([(await profile()).status, (await api()).status]).to.deep.equal([401, 401]);
    });

    it('is refused between the callback and the token request, where sign-ins are refused', async () => {
      for (const name of ['salesos', 'salesforce'] as const) {
        const client = new Client(emulator, name);
        const { searchParams } = await client.callback('Suri');
        emulator[name].setActive('Suri', false);
        const { json } = await client.exchange(searchParams.get('code'));
        expect(json['error_description']).to.match(refused[name].words);
      }
    });

    it('must be known', () => {
      expect(() => emulator.salesos.setActive('Nobody', false)).to.throw(TypeError, 'Nobody');
    });
  });

  describe('an org that moves', () => {
    it('is named by a refresh, and serves identity and API at its new origin alone', async () => {
      const client = new Client(emulator, 'salesforce');
      const tokens = await client.login();
      const api = (origin: unknown) =>
        get(`${String(origin)}/services/data/v66.0/query?q=x`, tokens['access_token']);
      const old = tokens['instance_url'];
      expect((await api(old)).status).to.equal(200);

      const moved = await emulator.salesforce.moveOrg();
      expect(emulator.salesforce.origins).to.deep.equal({
        login: emulator.salesforce.origin,
        org: moved,
        issuer: emulator.salesforce.origin,
        sandbox: undefined,
      });
      const gone = await api(old);
      expect(gone.status).to.equal(404);
      expect(gone.headers['content-type']).to.match(/^text\/html/);
      const { json } = await client.refresh(tokens);
      expect(json).to.include({ instance_url: moved, id: tokens['id'] });
      expect((await api(moved)).status).to.equal(200);

      const identity = await get(String(tokens['id']), tokens['access_token']);
      expect(identity.status).to.equal(302);
      const location = String(identity.headers['location']);
      expect(new URL(location).origin).to.equal(moved);
      expect((await get(location, tokens['access_token'])).json).to.include({
        asserted_user: true,
        id: tokens['id'],
      });
    });

    it('leaves nothing behind at an origin of its own', async function () {
      this.timeout(60_000);
      const other = await startEmulator({ origins: { org: true, issuer: 'org' } });
      try {
        const { org } = other.salesforce.origins;
        const moved = await other.salesforce.moveOrg();
        expect(other.salesforce.origins).to.include({ org: moved, issuer: moved });
        const error = await get(`${org}/services/data`).catch((reason: Error) => reason);
        expect(error).to.have.property('code', 'ECONNREFUSED');
        expect((await get(`${moved}/services/data`)).status).to.equal(200);
      } finally {
        await other.close();
      }
    });
  });
});
