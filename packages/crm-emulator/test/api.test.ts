/** The APIs, and their faults, with the bodies and headers of each provider. */
import { expect } from 'chai';
import { type Emulator, startEmulator } from 'crm-emulator';
import { bearer, Client, get, type Json, send } from './client.js';

describe('crm-emulator: APIs', () => {
  let emulator: Emulator;
  const tokens: Record<string, Json> = {};

  before(async function () {
    this.timeout(60_000);
    emulator = await startEmulator();
    for (const name of ['salesloft', 'salesos', 'salesforce'] as const) {
      tokens[name] = await new Client(emulator, name).login();
    }
  });

  after(() => emulator.close());

  const PATHS = {
    salesloft: '/v2/cadence_exports/7.json',
    salesos: '/v1/leads',
    salesforce: '/services/data/v66.0/query?q=SELECT+Id+FROM+Account',
  } as const;

  const call = (name: keyof typeof PATHS) =>
    get(emulator[name].origin + PATHS[name], tokens[name]?.['access_token']);

  describe('Salesforce', () => {
    it('answers queries, limits and versions, and counts the requests of the day', async () => {
      const { origin } = emulator.salesforce;
      const answer = await call('salesforce');
      expect(answer.status).to.equal(200);
      expect(answer.json).to.include({ totalSize: 1, done: true });
      expect(answer.headers['sforce-limit-info']).to.match(/^api-usage=\d+\/15000$/);
      expect((await get(`${origin}/services/data`)).text).to.include('/services/data/v66.0');
      const lost = await get(
        `${origin}/services/data/v66.0/sobjects/Nothing`,
        tokens['salesforce']?.['access_token'],
      );
      expect(lost.status).to.equal(404);
      expect(lost.json).to.have.nested.property('[0].errorCode', 'NOT_FOUND');
    });

    it('refuses a session that is unknown, or that lacks the scope', async () => {
      const url = emulator.salesforce.origin + PATHS.salesforce;
      const narrow = await new Client(emulator, 'salesforce').login('Suri', { scope: 'openid id' });
      for (const token of ['00DxxxxxxxxxxxxX!AQEA.x', narrow['access_token']]) {
        const { status, json } = await get(url, token);
        expect(status).to.equal(401);
        expect(json).to.deep.equal([
          { message: 'Session expired or invalid', errorCode: 'INVALID_SESSION_ID' },
        ]);
      }
    });

    it('names the field that is missing', async () => {
      const url = `${emulator.salesforce.origin}/services/data/v66.0/sobjects/Contact`;
      const headers = bearer(tokens['salesforce']?.['access_token']);
      const refused = await send(url, { headers, form: { FirstName: 'Ida' } });
      expect(refused.status).to.equal(400);
      expect(refused.json).to.deep.equal([
        {
          message: 'Required fields are missing: [LastName]',
          errorCode: 'REQUIRED_FIELD_MISSING',
          fields: ['LastName'],
        },
      ]);
      expect((await send(url, { headers, form: { LastName: 'Berg' } })).status).to.equal(201);
    });

    it('faults — the daily limit, a locked row and an API that is off come as an array', async () => {
      const expected = {
        'api-daily-limit': [403, 'REQUEST_LIMIT_EXCEEDED'],
        'api-locked-row': [400, 'UNABLE_TO_LOCK_ROW'],
        'api-field-errors': [400, 'REQUIRED_FIELD_MISSING'],
        'api-disabled': [403, 'API_DISABLED_FOR_ORG'],
      } as const;
      for (const [key, [status, errorCode]] of Object.entries(expected)) {
        emulator.salesforce.fail(key as keyof typeof expected);
        const answer = await call('salesforce');
        expect(answer.status).to.equal(status);
        expect(answer.json).to.be.an('array').with.nested.property('[0].errorCode', errorCode);
        expect(answer.json).to.have.nested.property('[0].message').that.is.a('string');
      }
      expect((await call('salesforce')).status).to.equal(200);
    });
  });

  describe('Salesloft', () => {
    const list = (query = '') =>
      get(
        `${emulator.salesloft.origin}/v2/cadences.json${query}`,
        tokens['salesloft']?.['access_token'],
      );

    it('cadences — come in pages of 25, which say where the next one is', async () => {
      const { status, headers, json } = await list();
      expect(status).to.equal(200);
      expect(headers).to.include({ 'x-ratelimit-endpoint-cost': '1' });
      expect(json['data']).to.be.an('array').with.length(25);
      expect(json).to.have.nested.property('data[0]').that.includes({
        id: 1,
        name: 'Cadence 1',
        current_state: 'active',
        archived_at: null,
        draft: false,
      });
      expect(json).to.have.nested.property('metadata.paging').that.deep.equals({
        per_page: 25,
        current_page: 1,
        next_page: 2,
        prev_page: null,
      });
      const last = await list('?page=5&per_page=10&include_paging_counts=true');
      expect(last.json['data']).to.have.length(10);
      expect(last.json).to.have.nested.property('metadata.paging').that.deep.equals({
        per_page: 10,
        current_page: 5,
        next_page: null,
        prev_page: 4,
        total_pages: 5,
        total_count: 50,
      });
    });

    it('cadences — a page beyond the last is empty, and one that cannot be is refused by field', async () => {
      expect((await list('?page=9')).json['data']).to.deep.equal([]);
      for (const [query, field] of [
        ['?page=0', 'page'],
        ['?per_page=101', 'per_page'],
        ['?per_page=many', 'per_page'],
      ] as const) {
        const { status, json } = await list(query);
        expect(status, query).to.equal(422);
        expect(json['errors'], query).to.have.all.keys(field);
      }
    });

    it('cadences — are refused without the scope, and one that is not there is not found', async () => {
      const narrow = await new Client(emulator, 'salesloft').login('Suri', {
        scope: 'people:read',
      });
      const { origin } = emulator.salesloft;
      const refused = await get(`${origin}/v2/cadences`, narrow['access_token']);
      expect([refused.status, refused.json]).to.deep.equal([
        403,
        { error: 'Missing scope: cadences:read' },
      ]);
      const token = tokens['salesloft']?.['access_token'];
      const lost = await get(`${origin}/v2/cadence_exports/4242.json`, token);
      expect([lost.status, lost.json]).to.deep.equal([404, { error: 'Not Found' }]);
    });

    it('faults — the spent budget of a minute is told by its headers, without Retry-After', async () => {
      emulator.salesloft.fail('api-minute-budget');
      const { status, headers, json } = await call('salesloft');
      expect(status).to.equal(429);
      expect(headers).to.include({
        'x-ratelimit-remaining-minute': '0',
        'x-ratelimit-endpoint-cost': '1',
      });
      expect(headers).not.to.have.property('retry-after');
      expect(json).to.have.property('error');
    });

    it('faults — errors come by field, with 422', async () => {
      emulator.salesloft.fail('api-field-errors');
      const { status, json } = await call('salesloft');
      expect(status).to.equal(422);
      expect(json).to.have.nested.property('errors.email_address').that.is.an('array');
    });
  });

  describe('SalesOS', () => {
    it('faults — the rate limit is told by three headers, in epoch seconds', async () => {
      emulator.salesos.fail('api-rate-limit');
      const { status, headers } = await call('salesos');
      expect(status).to.equal(429);
      expect(headers).to.include({ 'x-ratelimit-remaining': '0' });
      expect(Number(headers['x-ratelimit-reset'])).to.be.closeTo(Date.now() / 1000 + 60, 5);
    });
  });

  describe('a session that is never accepted', () => {
    for (const name of ['salesloft', 'salesos', 'salesforce'] as const) {
      it(`${name} — is refused until the faults are cleared, although it can be renewed`, async () => {
        const client = new Client(emulator, name);
        emulator[name].fail('api-never-accepted');
        for (let round = 0; round < 5; round += 1) expect((await call(name)).status).to.equal(401);
        const renewed = await client.refresh(tokens[name] ?? {});
        expect(renewed.status).to.equal(200);
        tokens[name] = { ...tokens[name], ...renewed.json };
        expect((await call(name)).status).to.equal(401);
        emulator[name].clearFaults();
        expect((await call(name)).status).to.equal(200);
      });
    }

    it('a failure of the API chosen at the sign-in leaves the profile of the login alone', async () => {
      const client = new Client(emulator, 'salesloft');
      const login = await client.login('Suri', {}, 'API accepts no session');
      const { origin } = emulator.salesloft;
      expect((await get(`${origin}/v2/me.json`, login['access_token'])).status).to.equal(200);
      expect((await get(`${origin}/v2/people.json`, login['access_token'])).status).to.equal(401);
      await client.login('Suri');
      expect((await get(`${origin}/v2/people.json`, login['access_token'])).status).to.equal(404);
    });
  });
});
