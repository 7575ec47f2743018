/** Tenants: each login has the registration of its tenant, at its start and at its callback. */
import { expect } from 'chai';
import { inspect } from 'node:util';
import nock = require('nock');
import type OAuth2Strategy = require('passport-oauth2');
import type { OAuth2Client } from '../../dist/client';
import { isOAuth2Error } from '../../dist/errors/oauth2-error';
import { CookieStateStore } from '../../dist/passport';
import type { PassportRequest, Tenant } from '../../dist/passport';
import type { TokenSet } from '../../dist/protocol/token-set';
import { originOf } from '../regions';
import type { RegionOptions } from '../regions';
import {
  CALLBACK,
  ORIGIN,
  httpServer,
  mockTheNetwork,
  openSockets,
  rejection,
  thrown,
  useRealSockets,
} from '../support';
import {
  answer,
  errorOf,
  finish,
  make as makeStrategy,
  pendingIn,
  refusalOf,
  signIn,
} from './many-support';
import { callback, request, run, runOn, start } from './support';
import type { AcmeStrategy } from './support';

type Resolve = (req: PassportRequest, boundKey?: string) => unknown;
type Given = Tenant<RegionOptions>;

const SECRETS = ['secret-of-a', 'secret-of-b', 'secret-rotated'] as const;
const A: Given = { key: 'a', clientID: 'client-a', clientSecret: SECRETS[0] };
const B: Given = { key: 'b', clientID: 'client-b', clientSecret: SECRETS[1] };
const UNKNOWN = {
  code: 'tenant_unknown',
  message: 'acme: there is no such tenant',
  status: 403,
} as const;
const never = new Promise<never>(() => {});

function make(tenant: Resolve, options: object = {}): AcmeStrategy {
  return makeStrategy({ tenant, ...options });
}

/** A strategy whose tenant is the one that a test says at each moment. */
function changing(first: unknown = A, options: object = {}) {
  const current = { tenant: first };
  const strategy = make(() => current.tenant, options);
  return { strategy, become: (next: unknown) => (current.tenant = next) };
}

/** It is protected in the types only. */
function oauth2Of(strategy: AcmeStrategy): OAuth2Strategy['_oauth2'] {
  return Reflect.get(strategy, '_oauth2') as OAuth2Strategy['_oauth2'];
}

const idOf = (url: URL) => url.searchParams.get('client_id');
const sentTo = (url: URL) => url.searchParams.get('redirect_uri');

describe('registrations', () => {
  mockTheNetwork();

  describe('a tenant is found', () => {
    for (const [how, resolve] of [
      ['at once', () => A],
      ['later', async () => await Promise.resolve(A)],
    ] as [string, Resolve][]) {
      it(`${how}, for both halves of the login`, async () => {
        const strategy = make(resolve);
        const session = {};
        const { url, state } = await start(strategy, session);
        expect(idOf(url)).to.equal('client-a');
        const asked = answer();
        const { verb, values } = await finish(strategy, session, state);
        expect(verb).to.equal('success');
        expect(values[1]).to.deep.equal({ tenant: 'a' });
        expect(values[0]).to.include({ tenant: 'a' });
        expect(asked[0]).to.include({ client_id: 'client-a', client_secret: SECRETS[0] });
      });
    }

    it('by the request, and at the callback by the bound key too', async () => {
      const calls: [PassportRequest, ...unknown[]][] = [];
      const strategy = make((...parameters) => {
        calls.push(parameters);
        return A;
      });
      const session = {};
      const { state } = await start(strategy, session);
      answer();
      await finish(strategy, session, state);
      expect(calls.map(([{ url }, key]) => [url, key])).to.deep.equal([
        ['/auth/acme', undefined],
        ['/auth/acme/callback', 'a'],
      ]);
    });

    it('with options of its own in place of those of the strategy, one by one', async () => {
      const own = { scope: ['write'], callbackURL: 'https://a.app.test/cb', region: 'eu' };
      const strategy = make(() => ({ ...A, ...own }), { clientID: 'client-1', clientSecret: 's1' });
      const { url } = await start(strategy, {});
      expect(url.origin).to.equal(originOf('eu'));
      expect(sentTo(url)).to.equal(own.callbackURL);
      expect(url.searchParams.get('scope')).to.equal('write');
      const plain = make(() => A, { scope: ['usual'], region: 'us' });
      const { url: usual } = await start(plain, {});
      expect([
        usual.origin,
        sentTo(usual),
        usual.searchParams.get('scope'),
        idOf(usual),
      ]).to.deep.equal([originOf('us'), CALLBACK, 'usual', 'client-a']);
    });

    it('with a callbackURL that is relative to the request', async () => {
      const strategy = make(() => ({ ...A, callbackURL: '/a/cb' }));
      const session = {};
      const parts = { session, headers: { host: 'a.app.test' }, protocol: 'https' };
      const { values } = await run(strategy, request(parts));
      const url = new URL(values[0] as string);
      expect(sentTo(url)).to.equal('https://a.app.test/a/cb');
      const asked = answer();
      const state = url.searchParams.get('state') ?? '';
      const at = { url: '/a/cb' };
      expect((await finish(strategy, session, state, at)).verb).to.equal('success');
      expect(asked[0]?.redirect_uri).to.equal('https://a.app.test/a/cb');
    });

    it('with the credentials of the strategy where it has none', async () => {
      const strategy = make(() => ({ key: 'a', scope: 'write' }), {
        clientID: 'client-1',
        clientSecret: 's-1',
      });
      const session = {};
      const { url, state } = await start(strategy, session);
      expect(idOf(url)).to.equal('client-1');
      const asked = answer();
      expect((await finish(strategy, session, state)).verb).to.equal('success');
      expect(asked[0]).to.include({ client_id: 'client-1', client_secret: 's-1' });
    });

    it('RFC 6749 §2.3.1 — a client id without a secret is not sent with the secret of another', async () => {
      const strategy = make(() => ({ key: 'a', clientID: 'client-a' }), {
        clientID: 'client-1',
        clientSecret: 's-1',
      });
      const session = {};
      const { state } = await start(strategy, session);
      const asked = answer();
      await finish(strategy, session, state);
      expect(asked[0]?.client_id).to.equal('client-a');
      expect(asked[0]).not.to.have.property('client_secret');
    });

    describe('with the credentials of the strategy', () => {
      const APP = { clientID: 'client-1', clientSecret: 's-1' } as const;
      const begin = async (tenant: object, options: object = {}) =>
        await run(
          make(() => ({ key: 'a', ...tenant }), { ...APP, ...options }),
          request(),
        );

      for (const [tenant, options] of [
        [{ tokenURL: 'https://evil.test/token' }],
        [{ tokenURL: 'https://evil.test/token', region: 'eu' }],
        // A list of its own would let its logins choose any of them.
        [{ allowedRegions: ['xx'] }, { allowedRegions: ['eu'] }],
        [{ allowedRegions: ['xx'], region: 'xx' }, { allowedRegions: ['eu'] }],
      ] as [object, object?][]) {
        it(`CWE-522 — they go to no server that the tenant names: ${JSON.stringify(tenant)}`, async () => {
          const error = errorOf(await begin(tenant, options));
          expect(error).to.be.instanceOf(TypeError);
          expect(error.message).to.equal(
            'Acme, tenant "a": the client id and secret of the strategy must not go to a server that a tenant names; give the tenant a "clientID" of its own',
          );
        });
      }

      it('CWE-522 — they go where every login may go, and nowhere else', async () => {
        const options = { allowedRegions: ['eu'] };
        const { values } = await begin({ region: 'eu' }, options);
        expect(new URL(values[0] as string).origin).to.equal(originOf('eu'));
        expect(refusalOf(await begin({ region: 'xx' }, options))).to.deep.equal({
          code: 'region_not_allowed',
          message: 'acme: the region is not allowed',
          status: 400,
        });
      });

      it('CWE-1321 — a polluted prototype takes the secret from none', async () => {
        const strategy = make(() => ({ key: 'a' }), APP);
        const session = {};
        Object.assign(Object.prototype, { clientID: 'evil' });
        try {
          const { state } = await start(strategy, session);
          const asked = answer();
          expect((await finish(strategy, session, state)).verb).to.equal('success');
          expect(asked[0]).to.include({ client_id: 'client-1', client_secret: 's-1' });
        } finally {
          Reflect.deleteProperty(Object.prototype, 'clientID');
        }
      });
    });

    it('offline: a tenant may ask for a refresh token, and one may not', async () => {
      const scopeOf = async (tenant: object, options: object) =>
        (
          await start(
            make(() => tenant, options),
            {},
          )
        ).url.searchParams.get('scope');
      expect(await scopeOf({ ...A, offline: true }, {})).to.equal('read offline refresh');
      expect(await scopeOf(A, { offline: true })).to.equal('read offline refresh');
      expect(await scopeOf({ ...A, offline: false }, { offline: true })).to.equal('read');
    });

    it('offline: a tenant is warned by its own option', async () => {
      for (const [tenant, options, isWarned] of [
        [{ ...A, offline: true }, {}, true],
        [A, { offline: true }, true],
        [{ ...A, offline: false }, { offline: true }, false],
        [A, {}, false],
      ] as const) {
        answer({ tokens: { refresh_token: undefined } });
        const { info } = await signIn(make(() => tenant, options));
        expect('warnings' in info, inspect([tenant, options])).to.equal(isWarned);
      }
    });
  });

  describe('a tenant is not found', () => {
    for (const nothing of [undefined, null]) {
      for (const [how, wrap] of [
        ['at once', (value: unknown) => value],
        ['later', async (value: unknown) => await Promise.resolve(value)],
      ] as const) {
        it(`${String(nothing)}, ${how}: tenant_unknown, before and after the redirect`, async () => {
          const current: { tenant: unknown } = { tenant: nothing };
          const strategy = make(() => wrap(current.tenant));
          const session = {};
          const first = await run(strategy, request({ session }));
          expect(refusalOf(first)).to.deep.equal(UNKNOWN);
          expect(session).to.deep.equal({});
          current.tenant = A;
          const { state } = await start(strategy, session);
          current.tenant = nothing;
          const last = await finish(strategy, session, state);
          expect(refusalOf(last)).to.deep.equal(UNKNOWN);
        });
      }
    }

    for (const [how, fail] of [
      [
        'throws',
        (error: Error) => {
          throw error;
        },
      ],
      ['rejects', async (error: Error) => await Promise.reject(error)],
    ] as const) {
      it(`${how}: the login ends with that very error`, async () => {
        const reason = new Error('the database is down');
        const current: { resolve: Resolve } = { resolve: () => fail(reason) };
        const strategy = make((...parameters) => current.resolve(...parameters));
        const session = {};
        expect(errorOf(await run(strategy, request({ session })))).to.equal(reason);
        current.resolve = () => A;
        const { state } = await start(strategy, session);
        current.resolve = () => fail(reason);
        expect(errorOf(await finish(strategy, session, state))).to.equal(reason);
      });
    }

    it('hangs: tenant_timeout, within the time of the login', async () => {
      const current: { tenant: unknown } = { tenant: never };
      const strategy = make(() => current.tenant, { timeout: 60 });
      const session = {};
      const begun = performance.now();
      const first = errorOf(await run(strategy, request({ session })));
      expect(first).to.include({ code: 'tenant_timeout', stage: 'authorize' });
      expect(first.message).to.equal('acme: not finished within 60 ms');
      current.tenant = A;
      const { state } = await start(strategy, session);
      current.tenant = never;
      const last = errorOf(await finish(strategy, session, state));
      expect(last).to.include({ code: 'tenant_timeout', stage: 'authorize' });
      expect(performance.now() - begun).to.be.below(5000);
    });
  });

  describe('a tenant is wrong', () => {
    for (const [title, tenant, message] of [
      ['without a key', { ...A, key: undefined }, 'Acme: option "tenant.key" is required'],
      ['with an empty key', { ...A, key: '' }, 'Acme: option "tenant.key" is required'],
      ['whose key is a number', { ...A, key: 7 }, 'Acme: option "tenant.key" is required'],
      [
        'whose key is a variable without a value',
        { ...A, key: 'undefined' },
        'was probably not set',
      ],
      ['whose key has white space around it', { ...A, key: 'a\n' }, 'has white space around it'],
      [
        'whose key is long',
        { ...A, key: 'k'.repeat(129) },
        'Acme: "tenant.key" has more than 128 characters',
      ],
      ['that is a text', 'a', 'Acme: option "tenant.key" is required'],
      ['that is false', false, 'Acme: option "tenant.key" is required'],
      [
        'with an unknown option',
        { ...A, clientId: 'x' },
        'Acme, tenant "a": unknown option "clientId"; did you mean "clientID"?',
      ],
      ['with an option of the strategy', { ...A, store: {} }, 'Acme, tenant "a": unknown option'],
      ['with an option of all clients', { ...A, timeout: 5 }, 'Acme, tenant "a": unknown option'],
      [
        'with a relative path for callbackURL that leads elsewhere',
        { ...A, callbackURL: '//evil.test/cb' },
        'Acme, tenant "a": option "callbackURL" must be an absolute URL',
      ],
      [
        'with a function as callbackURL',
        { ...A, callbackURL: () => CALLBACK },
        'Acme, tenant "a": option "callbackURL" is required',
      ],
      [
        'with an organization that cannot be one',
        { ...A, allowedOrganizations: ['x'] },
        'Acme, tenant "a": option "allowedOrganizations" has "x"',
      ],
      [
        'with no organization at all',
        { ...A, allowedOrganizations: [] },
        'Acme, tenant "a": option "allowedOrganizations" is empty',
      ],
      ['without a client id', { key: 'a' }, 'option "clientID" is required'],
      ['whose secret is missing', { ...A, clientSecret: undefined }, 'option "clientSecret"'],
      ['whose secret is empty', { ...A, clientSecret: '' }, 'option "clientSecret"'],
      ['whose scope has commas', { ...A, scope: 'a,b' }, 'option "scope"'],
      [
        'whose offline is a text',
        { ...A, offline: 'yes' },
        'option "offline" must be true or false',
      ],
      ['whose region is a function', { ...A, region: () => 'eu' }, 'option "region"'],
    ] as [string, unknown, string][]) {
      it(`${title}: a TypeError that says so`, async () => {
        const error = errorOf(
          await run(
            make(() => tenant),
            request(),
          ),
        );
        expect(error).to.be.instanceOf(TypeError);
        expect(error.message).to.include(message);
        for (const secret of SECRETS) expect(inspect(error)).not.to.include(secret);
      });
    }

    it('a key of 128 characters is kept as it is', async () => {
      const key = 'k'.repeat(128);
      const session = {};
      await start(
        make(() => ({ ...A, key })),
        session,
      );
      expect(pendingIn(session).tenant).to.equal(key);
    });

    it('CWE-117 — a message quotes 40 characters of the key, on one line', async () => {
      const wrong = { ...A, key: `a\u001b[2J\n${'k'.repeat(100)}`, x: 1 };
      const { message } = errorOf(
        await run(
          make(() => wrong),
          request(),
        ),
      );
      expect(message).to.match(/^Acme, tenant "a \[2J k+…": unknown option "x"/);
      expect(message.split('"')[1]).to.have.lengthOf(41);
    });

    it('the option must be a function', () => {
      for (const tenant of [A, 'a', null, true]) {
        const error: unknown = thrown(() => make(tenant as never));
        expect(error).to.be.instanceOf(TypeError);
        expect((error as Error).message).to.equal(
          'Acme: option "tenant" must be a function of the request',
        );
      }
    });
  });

  describe('between the start and the callback', () => {
    it('RFC 6749 §2.3.1 — a changed secret is used', async () => {
      const { strategy, become } = changing();
      const session = {};
      const { state } = await start(strategy, session);
      become({ ...A, clientSecret: 'secret-rotated' });
      const asked = answer();
      expect((await finish(strategy, session, state)).verb).to.equal('success');
      expect(asked[0]?.client_secret).to.equal('secret-rotated');
    });

    it('RFC 6749 §2.3.1 — a changed secret is used in an environment too', async () => {
      const { strategy, become } = changing();
      const session = {};
      const { state } = await start(strategy, session, { region: 'eu' });
      become({ ...A, clientSecret: 'secret-rotated' });
      const asked = answer({ origin: originOf('eu') });
      expect((await finish(strategy, session, state)).verb).to.equal('success');
      expect(asked[0]?.client_secret).to.equal('secret-rotated');
    });

    for (const [what, before, after] of [
      ['client id', A, { ...A, clientID: 'client-x' }],
      ['address', A, { ...A, tokenURL: 'https://evil.test/token' }],
      ['region', { ...A, region: 'eu' }, { ...A, region: 'us' }],
      ['callbackURL', { ...A, callbackURL: CALLBACK }, { ...A, callbackURL: 'https://b.test/cb' }],
      ['callbackURL, which came', A, { ...A, callbackURL: CALLBACK }],
      ['callbackURL, which went', { ...A, callbackURL: CALLBACK }, A],
    ] as [string, Given, Given][]) {
      it(`RFC 9700 §4.4 — a changed ${what} is refused: tenant_changed`, async () => {
        for (const options of [{}, { region: 'eu' }]) {
          if (what === 'region' && options.region) continue;
          const { strategy, become } = changing(before);
          const session = {};
          const { state } = await start(strategy, session, options);
          become(after);
          const outcome = await finish(strategy, session, state);
          expect(refusalOf(outcome)).to.deep.equal({
            code: 'tenant_changed',
            message: 'acme: the tenant has changed',
            status: 403,
          });
        }
      });
    }

    describe('RFC 9700 §4.4.2.2 — a tenant with a callbackURL of its own', () => {
      const tenants: Record<string, Given> = {
        a: { ...A, callbackURL: 'https://app.test/cb/a' },
        b: { ...B, callbackURL: 'https://app.test/cb/b', region: 'eu' },
      };
      const strategy = make((req, boundKey) => tenants[boundKey ?? String(req.headers.host)]);
      const begin = async (session: object) => {
        const req = request({ session, headers: { host: 'a' } });
        const { values } = await run(strategy, req);
        return new URL(values[0] as string).searchParams.get('state') ?? '';
      };

      it('gets no code that came to the callback of another: tenant_mismatch', async () => {
        for (const query of [{}, { code: undefined, error: 'access_denied' }]) {
          const session = {};
          const state = await begin(session);
          const parts = { url: '/cb/b', query: { code: 'code-of-b', state, ...query } };
          const { code, message, status } = refusalOf(
            await finish(strategy, session, state, parts),
          );
          expect({ code, status }).to.deep.equal({ code: 'tenant_mismatch', status: 403 });
          expect(message).to.include('the answer came to another path than that of the tenant');
        }
      });

      for (const path of ['/cb/a', '/CB/A/', '/a']) {
        it(`gets its own, also where a router or a proxy wrote the path: ${path}`, async () => {
          const session = {};
          const state = await begin(session);
          answer();
          expect((await finish(strategy, session, state, { url: path })).verb).to.equal('success');
        });
      }
    });

    for (const [what, after] of [
      ['scope', { ...A, scope: 'write' }],
      ['list of organizations', { ...A, allowedOrganizations: ['org-1'] }],
      ['secret', { ...A, clientSecret: 'other' }],
    ] as [string, Given][]) {
      it(`a changed ${what} is none that a login is bound to`, async () => {
        const { strategy, become } = changing();
        const session = {};
        const { state } = await start(strategy, session);
        become(after);
        answer({ profile: { organization: 'org-1' } });
        expect((await finish(strategy, session, state)).verb).to.equal('success');
      });
    }

    it('RFC 9700 §4.4 — the answer for another tenant is refused: tenant_mismatch', async () => {
      const { strategy, become } = changing();
      const session = {};
      const { state } = await start(strategy, session);
      become(B);
      const outcome = await finish(strategy, session, state);
      expect(refusalOf(outcome)).to.deep.equal({
        code: 'tenant_mismatch',
        message: 'acme: the answer is for another tenant',
        status: 403,
      });
      // Even one with the same client: its users are others.
      const { state: next } = await start(strategy, session);
      become({ ...B, key: 'B' });
      const other = await finish(strategy, session, next);
      expect(refusalOf(other).code).to.equal('tenant_mismatch');
    });

    it('RFC 6749 §10.12 — a login that was refused is over: its answer finds nothing more', async () => {
      const { strategy, become } = changing();
      const session = {};
      const { state } = await start(strategy, session);
      become(undefined);
      await finish(strategy, session, state);
      become(A);
      expect(refusalOf(await finish(strategy, session, state)).status).to.equal(403);
    });

    it('RFC 9700 §4.4 — a login without a tenant is none of a strategy with tenants', async () => {
      const session = {};
      const { state } = await start(makeStrategy({ clientID: 'client-a' }), session);
      let isAsked = false;
      const strategy = make(() => {
        isAsked = true;
        return A;
      });
      const outcome = await finish(strategy, session, state);
      expect(refusalOf(outcome)).to.deep.include({ code: 'state_of_another_client', status: 403 });
      expect(refusalOf(outcome).message).to.include('the pending login is of no tenant');
      expect(isAsked).to.equal(false);
    });

    it('RFC 9700 §4.4 — a login of a tenant is none of a strategy without tenants', async () => {
      for (const tenant of [A, { ...A, callbackURL: CALLBACK }]) {
        const session = {};
        const { state } = await start(
          make(() => tenant),
          session,
        );
        const strategy = makeStrategy({ clientID: 'client-a', clientSecret: SECRETS[0] });
        const outcome = await finish(strategy, session, state);
        expect(refusalOf(outcome)).to.deep.include({
          code: 'state_of_another_client',
          status: 403,
        });
      }
    });

    it('RFC 9700 §4.4 — a login in an environment of another provider is refused', async () => {
      for (const strategy of [make(() => A), makeStrategy({ clientID: 'client-a' })]) {
        const session: Record<string, unknown> = {};
        const { state } = await start(strategy, session);
        const foreign = { ...pendingIn(session), environment: { loginURL: 'https://x.test' } };
        session['oauth2:acme'] = [foreign];
        const outcome = await finish(strategy, session, state);
        expect(refusalOf(outcome)).to.deep.include({
          code: 'state_of_another_client',
          status: 403,
        });
        expect(refusalOf(outcome).message).to.include('of another provider');
      }
    });

    it('CWE-1321 — a polluted prototype lends a login no tenant, environment or returnTo', async () => {
      const polluted = { tenant: 'evil', environment: { region: 'eu' }, returnTo: '//evil.test' };
      const strategy = makeStrategy({ clientID: 'client-a' });
      const tenants = make(() => A);
      const session = {};
      const { state } = await start(strategy, session);
      const foreign = {};
      const { state: other } = await start(strategy, foreign);
      answer();
      Object.assign(Object.prototype, polluted);
      try {
        const { verb, values } = await finish(strategy, session, state);
        expect(verb).to.equal('success');
        expect(Object.keys(values[1] as object)).to.deep.equal([]);
        expect(refusalOf(await finish(tenants, foreign, other)).code).to.equal(
          'state_of_another_client',
        );
        const next = {};
        await start(strategy, next);
        expect(Object.keys(pendingIn(next))).not.to.include.any.members(Object.keys(polluted));
      } finally {
        for (const name of Object.keys(polluted)) Reflect.deleteProperty(Object.prototype, name);
      }
    });
  });

  describe('the client of a tenant', () => {
    const of = async (strategy: AcmeStrategy, key = 'a') => await strategy.clientFor(key);

    for (const [what, before, after] of [
      ['the same object', A, A],
      ['an equal object', A, { ...A }],
      ['fields in another order', A, Object.fromEntries(Object.entries(A).toReversed())],
      ['an equal list', { ...A, scope: ['a', 'b'] }, { ...A, scope: ['a', 'b'] }],
      [
        'an equal list of organizations',
        { ...A, allowedOrganizations: ['org-1'] },
        { ...A, allowedOrganizations: ['org-1'] },
      ],
    ] as [string, unknown, unknown][]) {
      it(`is kept for ${what}`, async () => {
        const { strategy, become } = changing(before);
        const client = await of(strategy);
        become(after);
        expect(await of(strategy)).to.equal(client);
      });
    }

    for (const [what, before, after] of [
      ['secret', A, { ...A, clientSecret: 'x' }],
      ['client id', A, { ...A, clientID: 'x' }],
      ['list', { ...A, scope: ['a', 'b'] }, { ...A, scope: ['a', 'c'] }],
      ['longer list', { ...A, scope: ['a'] }, { ...A, scope: ['a', 'b'] }],
      ['shorter list', { ...A, scope: ['a', 'b'] }, { ...A, scope: ['a'] }],
      ['list in place of a text', { ...A, scope: 'a' }, { ...A, scope: ['a'] }],
      ['text in place of a list', { ...A, scope: ['a'] }, { ...A, scope: 'a' }],
      ['option more', A, { ...A, offline: true }],
      ['option less', { ...A, offline: true }, A],
      [
        'option in place of one without a value',
        { ...A, scope: undefined },
        { ...A, offline: true },
      ],
      ['callbackURL', A, { ...A, callbackURL: CALLBACK }],
    ] as [string, unknown, unknown][]) {
      it(`is made anew for another ${what}`, async () => {
        const { strategy, become } = changing(before);
        const client = await of(strategy);
        become(after);
        const next = await of(strategy);
        expect(next).not.to.equal(client);
        expect(await of(strategy)).to.equal(next);
      });
    }

    it('is made anew for a list that the application has changed in place', async () => {
      const organizations = ['org-1', 'org-2'];
      const strategy = make(() => ({ ...A, allowedOrganizations: organizations }));
      const profile = { organization: 'org-2' };
      answer({ profile });
      await signIn(strategy);
      organizations.pop();
      answer({ profile });
      const session = {};
      const { state } = await start(strategy, session);
      const outcome = await finish(strategy, session, state);
      expect(refusalOf(outcome).code).to.equal('organization_not_allowed');
    });

    it('CWE-770 — is one of a thousand that are kept, those that were used last', async () => {
      const strategy = make((_req, key) => ({ ...A, key: key ?? 'a' }));
      const first = await of(strategy, 'tenant-0');
      const second = await of(strategy, 'tenant-1');
      for (let number = 2; number < 1000; number += 1) await of(strategy, `tenant-${number}`);
      expect(await of(strategy, 'tenant-0')).to.equal(first);
      expect(await of(strategy, 'tenant-1')).to.equal(second);
      for (let number = 1000; number < 3000; number += 1) {
        await of(strategy, `tenant-${number}`);
        expect(await of(strategy, 'tenant-0')).to.equal(first);
      }
      expect(await of(strategy, 'tenant-1')).not.to.equal(second);
    });

    it('has the endpoints of the tenant', async () => {
      const { endpoints } = await of(make(() => ({ ...A, region: 'eu' })));
      expect(endpoints.tokenEndpoint).to.equal(`${originOf('eu')}/token`);
    });
  });

  describe('clientFor', () => {
    it('asks for the key, with a request that has headers and no more', async () => {
      const calls: unknown[][] = [];
      const strategy = make((...parameters) => {
        calls.push(parameters);
        return A;
      });
      const client = await strategy.clientFor('a');
      expect(client.clientID).to.equal('client-a');
      // The environments of a tenant are the tenant's.
      const there = client.forEnvironment({ region: 'eu' });
      expect([client.tenant, there.tenant]).to.deep.equal(['a', 'a']);
      expect(calls).to.deep.equal([[{ headers: {} }, 'a']]);
    });

    it('gives the client that refreshes the tokens of a login, with the secret of today', async () => {
      const { strategy, become } = changing({ ...A, region: 'eu' });
      answer({ origin: originOf('eu') });
      const { user } = await signIn(strategy);
      const { refreshToken } = user.tokens as TokenSet;
      become({ ...A, region: 'eu', clientSecret: 'secret-rotated' });
      const asked = answer({ origin: originOf('eu') });
      const client = await strategy.clientFor('a');
      await client.refreshTokenGrant(refreshToken ?? '');
      expect(asked[0]).to.include({
        grant_type: 'refresh_token',
        client_id: 'client-a',
        client_secret: 'secret-rotated',
      });
    });

    for (const [code, answerOf] of [
      ['tenant_unknown', () => undefined],
      ['tenant_mismatch', () => B],
      ['tenant_timeout', () => never],
    ] as [string, Resolve][]) {
      it(`rejects with ${code}`, async () => {
        const error = await rejection(make(answerOf, { timeout: 50 }).clientFor('a'));
        expect(isOAuth2Error(error)).to.equal(true);
        expect(error).to.include({ code, stage: 'authorize', provider: 'acme' });
        expect(error.hint).to.be.a('string');
      });
    }

    it('rejects with the error of the resolver', async () => {
      const reason = new Error('the database is down');
      const strategy = make(() => {
        throw reason;
      });
      expect(await rejection(strategy.clientFor('a'))).to.equal(reason);
    });

    it('needs the option tenant', async () => {
      const error = await rejection(makeStrategy({ clientID: 'client-1' }).clientFor('a'));
      expect(error).to.be.instanceOf(TypeError);
      expect(error.message).to.equal('Acme: clientFor(key) needs the option "tenant"');
    });

    for (const key of [undefined, null, '', 7]) {
      it(`needs a key, without which the answer could be any tenant: ${JSON.stringify(key)}`, async () => {
        const error = await rejection(make(() => A).clientFor(key as never));
        expect(error).to.be.instanceOf(TypeError);
        expect(error.message).to.include('Acme: option "key" is required');
      });
    }
  });

  describe('a strategy without a client of its own', () => {
    const PLACEHOLDER = /given(?: |%20|\+)by(?: |%20|\+)the(?: |%20|\+)tenant/;

    it('has no client, and says where there is one', () => {
      const strategy = make(() => A);
      for (const owner of [strategy, Object.create(strategy) as AcmeStrategy]) {
        const error: unknown = thrown(() => owner.client);
        expect(error).to.be.instanceOf(TypeError);
        expect((error as Error).message).to.equal(
          'Acme: every login has the client of its tenant; call clientFor(key)',
        );
      }
      expect(Object.keys(strategy)).not.to.include('client');
      expect(inspect(strategy, { depth: 5 })).to.be.a('string');
      expect(JSON.stringify(strategy)).to.be.a('string');
    });

    it('has one beside its tenants when it has a client id', () => {
      const { client } = make(() => A, { clientID: 'client-1' });
      expect((client as OAuth2Client).clientID).to.equal('client-1');
    });

    for (const clientID of ['', 7, ' x']) {
      it(`takes no client id that is ${JSON.stringify(clientID)}`, () => {
        expect(thrown(() => make(() => A, { clientID })).message).to.include('"clientID"');
      });
    }

    for (const params of [
      { grant_type: 'refresh_token' },
      { grant_type: 'authorization_code' },
      {},
    ]) {
      it(`_oauth2 sends no request: ${JSON.stringify(params)}`, async () => {
        const oauth2 = oauth2Of(make(() => A));
        const error = await new Promise<unknown>((resolve) => {
          oauth2.getOAuthAccessToken('code-1', params, (...results) => resolve(results));
        });
        expect(error).to.have.lengthOf(1);
        const [reason] = error as unknown[];
        expect(reason).to.be.instanceOf(TypeError);
        expect((reason as Error).message).to.include('call clientFor(key)');
      });
    }

    it('_oauth2 keeps its transport for the tenants', async () => {
      const strategy = make(() => A);
      Reflect.set(oauth2Of(strategy), '_customHeaders', { 'x-trace': '7' });
      const session = {};
      const { state } = await start(strategy, session);
      nock(ORIGIN, { reqheaders: { 'x-trace': '7' } })
        .post('/token')
        .reply(200, { access_token: 'at-1' });
      nock(ORIGIN).get('/me').reply(200, { sub: 'zoe' });
      expect((await finish(strategy, session, state)).verb).to.equal('success');
    });

    it('RFC 6749 §2.2 — sends no id that stands for one', async () => {
      const strategy = make(() => ({ key: 'a' }));
      expect(errorOf(await run(strategy, request())).message).to.include('"clientID" is required');
      expect(await rejection(strategy.clientFor('a'))).to.be.instanceOf(TypeError);
      const oauth2 = oauth2Of(strategy);
      expect(oauth2.getAuthorizeUrl({})).not.to.match(PLACEHOLDER);
      expect(inspect(oauth2, { showHidden: true, depth: 5 })).not.to.match(PLACEHOLDER);
    });
  });

  describe('many tenants at one strategy', () => {
    it('RFC 9700 §4.4 — logins of two that overlap keep to their own', async () => {
      const byKey: Record<string, Given> = {
        a: { ...A, allowedOrganizations: ['org-a'], callbackURL: 'https://a.app.test/cb' },
        b: { ...B, allowedOrganizations: ['org-b'], region: 'eu' },
      };
      const waits = { a: 30, b: 0 };
      const strategy = make(async (req, boundKey) => {
        const key = boundKey ?? String(req.headers.host);
        await new Promise((resolve) => setTimeout(resolve, waits[key as 'a' | 'b']));
        return byKey[key];
      });
      const session = {};
      const begin = async (host: string) =>
        await runOn(strategy, request({ session, headers: { host } }));
      const [first, second] = await Promise.all([begin('a'), begin('b')]);
      const [a, b] = [first, second].map(({ values }) => new URL(values[0] as string));
      if (!a || !b) throw new Error('no address');
      expect([idOf(a), idOf(b)]).to.deep.equal(['client-a', 'client-b']);
      expect([sentTo(a), sentTo(b)]).to.deep.equal(['https://a.app.test/cb', CALLBACK]);
      const asked = [
        answer({ profile: { sub: 'ann', organization: 'org-a' } }),
        answer({ origin: originOf('eu'), profile: { sub: 'bea', organization: 'org-b' } }),
      ];
      const end = async (url: URL) =>
        await runOn(strategy, {
          ...callback(session, { code: 'code-1', state: url.searchParams.get('state') }),
          url: new URL(sentTo(url) ?? '').pathname,
        });
      const ended = await Promise.all([end(a), end(b)]);
      expect(ended.map(({ verb }) => verb)).to.deep.equal(['success', 'success']);
      expect(ended.map(({ values }) => values[1])).to.deep.equal([
        { tenant: 'a' },
        { tenant: 'b' },
      ]);
      expect(
        ended.map(({ values }) => Reflect.get(values[0] as object, 'profile').id),
      ).to.deep.equal(['ann', 'bea']);
      expect(asked.map(([form]) => form?.client_secret)).to.deep.equal([SECRETS[0], SECRETS[1]]);
      expect(asked.map(([form]) => form?.redirect_uri)).to.deep.equal([
        'https://a.app.test/cb',
        CALLBACK,
      ]);
    });

    for (const [title, tenant, options, organization, verb] of [
      ['admits its own', { ...A, allowedOrganizations: ['ORG-a'] }, {}, 'org-a', 'success'],
      ['refuses others', { ...A, allowedOrganizations: ['org-a'] }, {}, 'org-b', 'fail'],
      ['has those of the strategy', A, { allowedOrganizations: ['org-s'] }, 'org-a', 'fail'],
      ['has them, and admits', A, { allowedOrganizations: ['org-s'] }, 'org-s', 'success'],
      [
        'has its own in place of them',
        { ...A, allowedOrganizations: ['org-a'] },
        { allowedOrganizations: ['org-s'] },
        'org-s',
        'fail',
      ],
      ['admits everyone', A, {}, 'org-x', 'success'],
    ] as [string, Given, object, string, string][]) {
      it(`each ${title}: ${organization}`, async () => {
        answer({ profile: { organization } });
        const strategy = make(() => tenant, options);
        const session = {};
        const { state } = await start(strategy, session);
        const outcome = await finish(strategy, session, state);
        expect(outcome.verb).to.equal(verb);
        if (verb === 'fail') {
          expect(refusalOf(outcome)).to.deep.include({
            code: 'organization_not_allowed',
            status: 403,
          });
        }
      });
    }

    it('RFC 9700 §4.3 — no secret is in a session, a cookie or an address', async () => {
      const strategy = make(() => A);
      const session = {};
      const { url } = await start(strategy, session, { region: 'eu', state: 'x', returnTo: '/r' });
      const cookies: unknown[] = [];
      const response = {
        getHeader: () => undefined,
        setHeader: (_name: string, value: unknown) => cookies.push(value),
      };
      const store = new CookieStateStore({
        secrets: ['a cookie secret of at least 32 characters'],
      });
      const stateless = make(() => A, { store });
      await run(stateless, request(), { response: response as never });
      expect(cookies).to.have.lengthOf(1);
      const printed = JSON.stringify([session, url.href, cookies]);
      for (const secret of SECRETS) expect(printed).not.to.include(secret);
      expect(Object.keys(pendingIn(session)).toSorted()).to.deep.equal(
        [
          'state',
          'codeVerifier',
          'client',
          'redirectUri',
          'expiresAt',
          'appState',
          'environment',
          'tenant',
          'returnTo',
        ].toSorted(),
      );
    });
  });
});

describe('registrations on real sockets', () => {
  useRealSockets();

  it('the clients of all tenants and environments have the same connections', async () => {
    const origin = await httpServer((_request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ access_token: 'at-1' }));
    });
    const strategy = make((_req, key = '') => ({
      key,
      clientID: `client-${key}`,
      tokenURL: `${origin}/token`,
    }));
    for (let number = 0; number < 20; number += 1) {
      const client = await strategy.clientFor(`tenant-${number}`);
      await client.refreshTokenGrant('rt-1');
      await client.forEnvironment({ region: `r${number}` }).refreshTokenGrant('rt-1');
    }
    expect(openSockets()).to.equal(1);
    (await strategy.clientFor('tenant-0')).close();
  });
});
