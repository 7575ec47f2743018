/** The faults that have a name: each is queued by it, and answers in the words of its provider. */
import { expect } from 'chai';
import { type Emulator, type NamedFault, startEmulator } from 'crm-emulator';
import { CALLBACK, Client, type Json } from './client.js';

const NAMES = ['salesloft', 'salesos', 'salesforce'] as const;

describe('crm-emulator: named faults', () => {
  let emulator: Emulator;
  let clients: Record<(typeof NAMES)[number], Client>;

  before(async function () {
    this.timeout(60_000);
    emulator = await startEmulator();
    clients = {
      salesloft: new Client(emulator, 'salesloft'),
      salesos: new Client(emulator, 'salesos'),
      salesforce: new Client(emulator, 'salesforce'),
    };
  });

  afterEach(() => NAMES.forEach((name) => emulator[name].clearFaults()));
  after(() => emulator.close());

  describe('refusals', () => {
    const rowsOf = (name: (typeof NAMES)[number], prefix: string, kind: string) =>
      Object.entries<NamedFault>(emulator[name].faults).filter(
        ([key, { fault }]) => key.startsWith(prefix) && fault.kind === kind,
      );

    for (const name of NAMES) {
      it(`${name} — the callback carries each refusal, the state, and no code`, async () => {
        const client = clients[name];
        const rows = rowsOf(name, 'callback-', 'patch').filter(
          ([key]) => !/-(other-iss|iss-of-org)$/.test(key),
        );
        expect(rows.length).to.be.at.least(5);
        for (const [key, { fault }] of rows) {
          const { merge } = fault as { merge: Json };
          emulator[name].fail(key as never);
          const { searchParams } = await client.callback();
          expect(Object.fromEntries(searchParams), key).to.deep.equal({
            error: merge['error'],
            error_description: merge['error_description'],
            state: 'a-state',
          });
        }
      });

      it(`${name} — the token endpoint says each refusal to a code and to a refresh`, async () => {
        const client = clients[name];
        const tokens = await client.login();
        for (const step of ['token', 'refresh'] as const) {
          const rows = rowsOf(name, `${step}-`, 'json');
          expect(rows.length).to.be.at.least(4);
          for (const [key, { fault }] of rows) {
            const { status, body } = fault as { status: number; body: Json };
            emulator[name].fail(key as never);
            const answer = await (step === 'token'
              ? client.exchange('a-code')
              : client.refresh(tokens));
            expect(answer, key).to.deep.include({ status, json: body });
          }
        }
        expect((await client.refresh(tokens)).status).to.equal(200);
      });
    }

    const offline = { salesos: 'offline_access', salesforce: 'refresh_token' } as const;
    for (const name of ['salesos', 'salesforce'] as const) {
      it(`${name} — gives no refresh token unless ${offline[name]} is asked for and allowed`, async () => {
        const client = clients[name];
        const tokensOf = (scope: string) => client.login('Suri', { scope });
        const asked = `openid ${offline[name]}`;
        expect(await tokensOf('openid')).to.not.have.property('refresh_token');
        expect(await tokensOf(asked))
          .to.include({ scope: asked })
          .and.have.property('refresh_token');
        emulator[name].fail('token-no-refresh-token');
        const refused = await tokensOf(asked);
        expect(refused).to.include({ scope: 'openid' }).and.have.property('id_token');
        expect(refused).to.not.have.property('refresh_token');
      });
    }

    it('salesos — a blocked person, an unverified address and a missing organization', async () => {
      const expected = {
        'callback-blocked': ['unauthorized', 'user is blocked'],
        'callback-email-unverified': [
          'unauthorized',
          'Please verify your email before logging in.',
        ],
        'callback-organization-required': [
          'invalid_request',
          'parameter organization is required for this client',
        ],
        'callback-service-not-found': ['access_denied', 'Service not found: https://wrong.example'],
      } as const;
      for (const [key, words] of Object.entries(expected)) {
        emulator.salesos.fail(key as keyof typeof expected);
        const { searchParams } = await clients.salesos.callback();
        expect([searchParams.get('error'), searchParams.get('error_description')]).to.deep.equal(
          words,
        );
      }
    });

    it('salesforce — nine descriptions of invalid_grant, and inactive_user on both legs', () => {
      const said = Object.values<NamedFault>(emulator.salesforce.faults)
        .map(({ fault }) => ('body' in fault ? (fault.body as Json) : {}))
        .filter((body) => body['error'] === 'invalid_grant')
        .map((body) => body['error_description']);
      expect([...new Set(said)]).to.include.members([
        'expired authorization code',
        'invalid authorization code',
        'invalid code verifier',
        'authentication failure',
        'inactive user',
        'inactive organization',
        'ip restricted',
        'invalid login hours',
        "user hasn't approved this consumer",
        'expired access/refresh token',
      ]);
      expect(emulator.salesforce.faults).to.include.keys(
        'callback-user-inactive',
        'token-user-inactive',
        'refresh-inactive-user',
        'callback-approval-error',
        'callback-app-blocked',
        'callback-app-blocked-by-admin',
        'callback-flow-disabled',
        'callback-app-not-installed',
      );
    });
  });

  describe('accidents of transport', () => {
    for (const name of NAMES) {
      it(`${name} — a callback loses its parameters`, async () => {
        emulator[name].fail('callback-no-parameters');
        expect((await clients[name].callback()).href).to.equal(CALLBACK);
      });

      it(`${name} — a callback has its parameters in the fragment`, async () => {
        emulator[name].fail('callback-fragment');
        const { search, hash } = await clients[name].callback();
        expect(search).to.equal('');
        const params = new URLSearchParams(hash.slice(1));
        expect(params.get('state')).to.equal('a-state');
        expect((await clients[name].exchange(params.get('code'))).status).to.equal(200);
      });

      it(`${name} — a callback comes late, by the delay of the caller`, async () => {
        emulator[name].fail('callback-late', { delayMs: 120 });
        const started = Date.now();
        expect((await clients[name].callback()).searchParams.get('code')).to.be.a('string');
        expect(Date.now() - started).to.be.at.least(115);
      });

      it(`${name} — the token endpoint answers 302, 502, 503, 503 with Retry-After, 403`, async () => {
        const expected = {
          'token-redirect': [302, undefined, 'Moved'],
          'token-502': [502, undefined, '<title>502 Bad Gateway</title>'],
          'token-503': [503, undefined, 'Service Unavailable'],
          'token-503-retry': [503, '30', 'Service Unavailable'],
          'token-firewall': [403, undefined, '<title>Request blocked</title>'],
        } as const;
        for (const [key, [status, retryAfter, text]] of Object.entries(expected)) {
          emulator[name].fail(key as keyof typeof expected);
          const answer = await clients[name].exchange('a-code');
          expect(answer.status, key).to.equal(status);
          expect(answer.headers['retry-after'], key).to.equal(retryAfter);
          expect(answer.text, key).to.include(text);
        }
        emulator[name].fail('token-503-retry', { retryAfter: 7 });
        expect((await clients[name].exchange('a-code')).headers['retry-after']).to.equal('7');
      });

      it(`${name} — a refresh has its effect, although its answer comes late`, async () => {
        const tokens = await clients[name].login();
        const { length } = emulator[name].requests;
        emulator[name].fail('refresh-late', { delayMs: 5_000 });
        const late = clients[name].refresh(tokens).catch((error: Error) => error);
        // The second refresh is not late: it meets a token that the first one has used up already.
        for (let round = 0; round < 200 && emulator[name].requests.length === length; round += 1) {
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        await new Promise((resolve) => setTimeout(resolve, 200));
        const rotates = name !== 'salesforce';
        expect((await clients[name].refresh(tokens)).status >= 400).to.equal(rotates);
        emulator[name].clearFaults();
        expect(await late).to.be.an('error');
      });
    }

    it('salesforce — the callback names the org in iss', async () => {
      emulator.salesforce.fail('callback-iss-of-org');
      const { searchParams } = await clients.salesforce.callback();
      expect(searchParams.get('iss')).to.equal(emulator.salesforce.origin);
      expect(searchParams.get('code')).to.be.a('string');
    });
  });

  describe('the queue', () => {
    it('refuses a name, a step or a kind that the provider does not have', () => {
      const { salesloft, salesos } = emulator;
      expect(() => salesloft.fail('id-token-nonce' as never)).to.throw(
        TypeError,
        'salesloft has no fault named "id-token-nonce"',
      );
      expect(() => salesloft.fail('toString' as never)).to.throw(TypeError);
      expect(() => salesloft.fault({ step: 'jwks', kind: 'silent' })).to.throw(
        TypeError,
        'salesloft has no step "jwks"',
      );
      expect(() => salesloft.fault({ step: 'token', kind: 'id-token' })).to.throw(TypeError);
      expect(() => salesos.fault({ step: 'token', kind: 'wrong-signature' })).to.throw(TypeError);
    });

    it('refuses a change that the fault does not have', () => {
      const { salesos } = emulator;
      expect(() => salesos.fail('token-500', { delayMs: 1 })).to.throw(TypeError, 'delayMs');
      expect(() => salesos.fail('token-silent', { retryAfter: 1 })).to.throw(TypeError);
      expect(() => salesos.fail('token-silent', { times: 0 })).to.throw(TypeError, 'times');
    });

    it('keeps a fault of refresh for refreshes, and lets one of token meet both', async () => {
      const client = clients.salesos;
      const tokens = await client.login();
      emulator.salesos.fail('refresh-blocked');
      expect(await client.login()).to.have.property('access_token');
      expect((await client.refresh(tokens)).json).to.deep.equal({
        error: 'invalid_grant',
        error_description: 'user is blocked',
      });
      emulator.salesos.fail('token-500');
      expect((await client.refresh(tokens)).status).to.equal(500);
    });
  });
});
