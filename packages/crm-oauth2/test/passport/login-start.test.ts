/** The first half of a login: what is chosen for it, by functions of the request, by its link and by the call. */
import { expect } from 'chai';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { HINTS } from '../../dist/errors/codes';
import type { DiagnosticsEvent } from '../../dist/errors/diagnostics';
import { loginId } from '../../dist/errors/diagnostics';
import { isOAuth2Error } from '../../dist/errors/oauth2-error';
import { CookieStateStore } from '../../dist/passport';
import type { AuthenticateOptions, PassportRequest } from '../../dist/passport';
import { REGION_REFUSED, originOf } from '../regions';
import { CALLBACK, ORIGIN, mockTheNetwork, thrown } from '../support';
import {
  answer,
  errorOf,
  finish,
  make as makeStrategy,
  pendingIn,
  refusalOf,
} from './many-support';
import { request, run, start } from './support';
import type { AcmeStrategy, Outcome } from './support';

const make = (options: object = {}) => makeStrategy({ clientID: 'client-1', ...options });
const never = new Promise<never>(() => {});
const PATH = '/auth/acme/callback';
const LOST = 'callback_without_parameters';

/** The query of the authorization request. */
async function asked(
  strategy: AcmeStrategy,
  parts: object = {},
  options?: AuthenticateOptions,
): Promise<Record<string, string>> {
  const { verb, values } = await run(strategy, request(parts), options);
  if (verb !== 'redirect') throw Object.assign(new Error(verb), { values });
  return Object.fromEntries(new URL(values[0] as string).searchParams);
}

async function startedAt(
  strategy: AcmeStrategy,
  options?: AuthenticateOptions,
  parts: object = {},
): Promise<string> {
  const { verb, values } = await run(strategy, request(parts), options);
  if (verb !== 'redirect') throw Object.assign(new Error(verb), { values });
  return new URL(values[0] as string).origin;
}

/** A request without `code`, `error` or `state`, at the path of a callback. */
const arrive = async (
  strategy: AcmeStrategy,
  session: object,
  parts: object = {},
): Promise<Outcome> => await run(strategy, request({ session, url: PATH, ...parts }));

describe('the start of a login', () => {
  mockTheNetwork();

  describe('callbackURL, as a function', () => {
    const host = 'shop.test';
    const headers = { host };

    for (const [title, callbackURL, expected] of [
      ['absolute', () => 'https://f.test/cb', 'https://f.test/cb'],
      ['later', async () => await Promise.resolve('https://f.test/cb'), 'https://f.test/cb'],
      [
        'by the request',
        (req: PassportRequest) => `https://${req.headers.host}/cb`,
        `https://${host}/cb`,
      ],
      ['relative', () => '/cb', `http://${host}/cb`],
    ] as [string, (req: PassportRequest) => unknown, string][]) {
      it(`RFC 6749 §4.1.3 — answers ${title}: both requests have that URI`, async () => {
        const strategy = make({ callbackURL });
        const session = {};
        expect((await asked(strategy, { session, headers })).redirect_uri).to.equal(expected);
        const { state, redirectUri } = pendingIn(session);
        expect(redirectUri).to.equal(expected);
        const forms = answer();
        // The callback comes to another address than the one the function would name now.
        await finish(strategy, session, String(state), { headers: { host: 'other.test' } });
        expect(forms[0]?.redirect_uri).to.equal(expected);
      });
    }

    it('is called once for a login', async () => {
      let calls = 0;
      const strategy = make({ callbackURL: () => `https://f.test/${(calls += 1)}` });
      expect((await asked(strategy)).redirect_uri).to.equal('https://f.test/1');
      expect(calls).to.equal(1);
    });

    it('a callbackURL of authenticate wins, and the function is not called', async () => {
      const callbackURL = () => {
        throw new Error('called');
      };
      const options = { callbackURL: 'https://x.test/cb' };
      expect((await asked(make({ callbackURL }), {}, options)).redirect_uri).to.equal(
        options.callbackURL,
      );
    });

    it('a callbackURL of the tenant wins', async () => {
      const tenant = () => ({ key: 'a', clientID: 'a', callbackURL: 'https://t.test/cb' });
      const strategy = make({ tenant, callbackURL: () => 'https://f.test/cb' });
      expect((await asked(strategy)).redirect_uri).to.equal('https://t.test/cb');
      const options = { callbackURL: 'https://x.test/cb' };
      expect((await asked(strategy, {}, options)).redirect_uri).to.equal(options.callbackURL);
    });

    for (const value of [
      'localhost:3000/cb',
      '//evil.test/cb',
      'https://undefined/cb',
      '',
      7,
      null,
      {},
    ]) {
      it(`names the option for an answer of ${JSON.stringify(value)}`, async () => {
        const error = errorOf(await run(make({ callbackURL: () => value }), request()));
        expect(error).to.be.instanceOf(TypeError);
        expect(error.message).to.include('Acme: option "callbackURL"');
      });
    }

    it('without an answer there is no callbackURL', async () => {
      const error = errorOf(await run(make({ callbackURL: () => undefined }), request()));
      expect(error).to.include({ code: 'callback_url_missing', stage: 'authorize' });
    });

    it('relative, without a Host, cannot be resolved', async () => {
      const error = errorOf(await run(make({ callbackURL: () => '/cb' }), request()));
      expect(error.code).to.equal('callback_url_unresolvable');
    });

    it('throws or rejects: the login ends with that very error', async () => {
      const reason = new Error('no address');
      const functions = [
        () => {
          throw reason;
        },
        async () => await Promise.reject(reason),
      ];
      for (const callbackURL of functions) {
        expect(errorOf(await run(make({ callbackURL }), request()))).to.equal(reason);
      }
    });

    it('hangs: the login ends in time', async () => {
      const error = errorOf(await run(make({ callbackURL: () => never, timeout: 50 }), request()));
      expect(error).to.include({ code: 'timeout', stage: 'authorize' });
    });

    it('a request with a state alone is an answer, wherever it comes', async () => {
      const strategy = make({ callbackURL: () => CALLBACK });
      for (const url of ['/auth/acme', PATH]) {
        const outcome = await run(strategy, request({ url, query: { state: 'x' } }));
        expect(refusalOf(outcome).status).to.equal(403);
      }
      // A text says where answers come, so that the state is one of the application.
      const own = await run(make(), request({ query: { state: 'x' } }));
      expect(own.verb).to.equal('redirect');
      const answered = await run(make(), request({ url: PATH, query: { state: 'x' } }));
      expect(answered.verb).to.equal('fail');
    });

    it('a request with a state alone is an answer where only tenants have a callbackURL', async () => {
      const tenant = () => ({ key: 'a', clientID: 'a', callbackURL: CALLBACK });
      const strategy = makeStrategy({ tenant, callbackURL: undefined });
      const outcome = await run(strategy, request({ query: { state: 'x' } }));
      expect(refusalOf(outcome).status).to.equal(403);
    });
  });

  describe('an answer that has lost its parameters', () => {
    const secrets = ['a cookie secret of at least 32 characters'];
    const tenantAt = (callbackURL?: string) => () => ({
      key: 'a',
      clientID: 'client-a',
      callbackURL,
    });

    for (const [title, options, call] of [
      ['of a function', { callbackURL: () => CALLBACK }, {}],
      ['of an environment', {}, { region: 'eu' }],
      ['of a tenant', { tenant: tenantAt() }, {}],
      ['of a tenant in an environment', { tenant: tenantAt() }, { region: 'eu' }],
      [
        'of a tenant with a callbackURL',
        { tenant: tenantAt(CALLBACK), callbackURL: undefined },
        {},
      ],
      [
        'of a tenant with another callbackURL than the strategy',
        { tenant: tenantAt(CALLBACK), callbackURL: 'https://app.test/other' },
        {},
      ],
      [
        'of an environment, where authenticate names the callbackURL',
        { callbackURL: undefined },
        { region: 'eu', callbackURL: CALLBACK },
      ],
    ] as [string, object, AuthenticateOptions][]) {
      it(`${title} starts no login`, async () => {
        const strategy = make(options);
        const session = {};
        await start(strategy, session, call);
        const outcome = await arrive(strategy, session);
        expect(refusalOf(outcome)).to.deep.equal({
          code: LOST,
          message: 'acme: the callback was called without the answer',
          status: 403,
        });
        // A click on an own page is the start of the next one.
        const click = { headers: { 'sec-fetch-site': 'same-origin', host: 'app.test' } };
        const next = await run(strategy, request({ session, url: PATH, ...click }), call);
        expect(next.verb).to.equal('redirect');
      });

      it(`${title} starts no login in another process, where a cookie says it`, async () => {
        const lines: string[] = [];
        const res = {
          getHeader: () => undefined,
          setHeader: (_name: string, value: string[]) => lines.push(...value),
        };
        const begin = make({ ...options, store: new CookieStateStore({ secrets }) });
        await run(begin, request({ session: undefined, res }), call);
        const cookie = lines.map((line) => line.split(';')[0]).join('; ');
        const next = make({ ...options, store: new CookieStateStore({ secrets }) });
        const outcome = await arrive(next, {}, { headers: { cookie }, session: undefined });
        expect(refusalOf(outcome)).to.deep.include({ code: LOST, status: 403 });
      });
    }

    it('is none at another path: the next login starts', async () => {
      const strategy = make({ tenant: tenantAt(CALLBACK) });
      const session = {};
      await start(strategy, session);
      expect((await run(strategy, request({ session }))).verb).to.equal('redirect');
    });

    it('is told before a tenant is looked for', async () => {
      let isAsked = false;
      const strategy = make({
        tenant: () => {
          isAsked = true;
          return { key: 'a', clientID: 'a' };
        },
      });
      const session = {};
      await start(strategy, session);
      isAsked = false;
      expect(refusalOf(await arrive(strategy, session)).code).to.equal(LOST);
      expect(isAsked).to.equal(false);
    });

    it('of a login of another client does not count', async () => {
      const session: Record<string, unknown> = {};
      await start(make(), session);
      const other = make({ clientID: 'client-2' });
      expect((await arrive(other, session)).verb).to.equal('redirect');
    });
  });

  describe('the environment', () => {
    it('is chosen by authenticate', async () => {
      const strategy = make();
      const session = {};
      const { url } = await start(strategy, session, { region: ' EU ' });
      expect(url.origin).to.equal(originOf('eu'));
      expect(pendingIn(session).environment).to.deep.equal({ region: 'eu' });
      expect(await startedAt(strategy)).to.equal(ORIGIN);
    });

    for (const [how, region] of [
      ['at once', ({ headers }: PassportRequest) => headers['x-region']],
      ['later', async ({ headers }: PassportRequest) => await Promise.resolve(headers['x-region'])],
    ] as const) {
      it(`is chosen by a function of the request, ${how}`, async () => {
        const strategy = make({ region });
        expect(await startedAt(strategy, {}, { headers: { 'x-region': 'eu' } })).to.equal(
          originOf('eu'),
        );
        expect(await startedAt(strategy, {}, { headers: { 'x-region': 'us' } })).to.equal(
          originOf('us'),
        );
        expect(await startedAt(strategy)).to.equal(ORIGIN);
        expect(strategy.client.endpoints.tokenEndpoint).to.equal(`${ORIGIN}/token`);
      });
    }

    it('is not chosen by an empty field', async () => {
      expect(await startedAt(make(), { region: '' })).to.equal(ORIGIN);
      expect(await startedAt(make({ region: () => '' }))).to.equal(ORIGIN);
    });

    it('authenticate wins over the function, which is not called', async () => {
      const region = () => {
        throw new Error('called');
      };
      expect(await startedAt(make({ region }), { region: 'eu' })).to.equal(originOf('eu'));
      for (const none of [undefined, null]) {
        const outcome = await run(make({ region }), request(), { region: none });
        expect(errorOf(outcome).message).to.equal('called');
      }
    });

    it('authenticate wins over the options of the strategy and of a tenant', async () => {
      const tenant = () => ({ key: 'a', clientID: 'a', region: 'us' });
      for (const options of [{ region: 'us' }, { tenant }, { tenant, region: 'jp' }]) {
        expect(await startedAt(make(options))).to.equal(originOf('us'));
        expect(await startedAt(make(options), { region: 'eu' })).to.equal(originOf('eu'));
      }
    });

    it('one option by the call, and another by a function', async () => {
      const session = {};
      await start(make({ zone: () => 'z' }), session, { region: 'eu' });
      expect(pendingIn(session).environment).to.deep.equal({ region: 'eu', zone: 'z' });
    });

    it('ends where it began, without the function', async () => {
      let calls = 0;
      const strategy = make({
        region: () => {
          calls += 1;
          return 'eu';
        },
      });
      const session = {};
      const { state } = await start(strategy, session);
      const forms = answer({ origin: originOf('eu') });
      const { verb, values } = await finish(strategy, session, state);
      expect(verb).to.equal('success');
      expect(Reflect.get(values[0] as object, 'tokens')).to.deep.include({
        environment: { region: 'eu' },
      });
      expect(forms).to.have.lengthOf(1);
      expect(calls).to.equal(1);
    });

    for (const region of ['evil.test', 7, ['eu', 'us'], { toString: () => 'eu' }]) {
      it(`is refused before the browser is sent anywhere: ${JSON.stringify(region)}`, async () => {
        for (const [strategy, options] of [
          [make(), { region }],
          [make({ region: () => region }), {}],
        ] as const) {
          const session = {};
          const outcome = await run(strategy, request({ session }), options);
          expect(refusalOf(outcome)).to.deep.equal({
            code: REGION_REFUSED,
            message: 'acme: the region is not allowed',
            status: 400,
          });
          expect(session).to.deep.equal({});
        }
      });
    }

    for (const none of [undefined, null, '']) {
      it(`is that of the strategy for a choice of ${JSON.stringify(none)}, as a form sends it`, async () => {
        const session = {};
        const strategies = [make({ region: () => none }), make()];
        for (const strategy of strategies) {
          const { url } = await start(strategy, session, { region: none });
          expect(url.origin).to.equal(ORIGIN);
          expect(pendingIn(session)).not.to.have.property('environment');
        }
      });
    }

    it('is refused at the callback when it is allowed no more', async () => {
      const session = {};
      const { state } = await start(make(), session, { region: 'eu' });
      const strategy = make({ allowedRegions: ['us'] });
      const outcome = await finish(strategy, session, state);
      expect(refusalOf(outcome)).to.deep.include({ code: REGION_REFUSED, status: 400 });
    });

    it('of a function that throws: the login ends with that very error', async () => {
      const reason = new Error('no region');
      for (const region of [
        () => {
          throw reason;
        },
        async () => await Promise.reject(reason),
      ]) {
        expect(errorOf(await run(make({ region }), request()))).to.equal(reason);
      }
    });

    it('of a function that hangs: the login ends in time', async () => {
      const error = errorOf(await run(make({ region: () => never, timeout: 50 }), request()));
      expect(isOAuth2Error(error)).to.equal(true);
      expect(error).to.include({ code: 'timeout', stage: 'authorize' });
    });

    it('CWE-1321 — a polluted prototype lends no function, and takes no option away', async () => {
      const polluted = { region: () => 'eu', clientID: 'evil', clientSecret: 'evil' };
      Object.assign(Object.prototype, polluted);
      const session = {};
      try {
        const strategy = make({ clientSecret: 's-1' });
        const { url, state } = await start(strategy, session);
        expect(url.origin).to.equal(ORIGIN);
        expect(url.searchParams.get('client_id')).to.equal('client-1');
        const forms = answer();
        expect((await finish(strategy, session, state)).verb).to.equal('success');
        expect(forms[0]).to.include({ client_id: 'client-1', client_secret: 's-1' });
      } finally {
        for (const name of Object.keys(polluted)) Reflect.deleteProperty(Object.prototype, name);
      }
    });

    it('only its own options may be functions', () => {
      for (const name of ['tokenURL', 'allowedRegions', 'clientID', 'scope']) {
        expect(thrown(() => make({ [name]: () => 'x' }))).to.be.instanceOf(TypeError);
      }
    });
  });

  describe('extrasFromQuery', () => {
    const INVITED = { organization: 'org-1', invitation: 'inv-1' };
    const strategyOf = (...extrasFromQuery: string[]) => make({ extrasFromQuery });

    it('takes those that are named from the query of the link, and no others', async () => {
      const query = { ...INVITED, login_hint: 'zoe', prompt: 'none', max_age: '1', x: 'y' };
      const sent = await asked(strategyOf('organization', 'invitation'), { query });
      expect(sent).to.include(INVITED);
      expect(sent).not.to.have.any.keys('login_hint', 'loginHint', 'prompt', 'max_age', 'x');
      expect(await asked(make(), { query })).not.to.have.any.keys('organization', 'invitation');
    });

    it('takes them from the address where the framework parses no query', async () => {
      const url = '/auth/acme?organization=org-1&invitation=inv%20&x=y';
      const sent = await asked(strategyOf('organization'), { url, query: undefined });
      expect(sent.organization).to.equal('org-1');
      expect(sent).not.to.have.property('invitation');
    });

    it('takes them from a form', async () => {
      const parts = { method: 'POST', body: INVITED, query: { organization: 'org-2' } };
      expect(await asked(strategyOf('organization'), parts)).to.include({ organization: 'org-1' });
    });

    it('are named as in the options, and read by their wire names', async () => {
      const query = { login_hint: 'zoe', loginHint: 'eve' };
      expect((await asked(strategyOf('loginHint'), { query })).login_hint).to.equal('zoe');
      expect(
        await asked(strategyOf('loginHint'), { query: { loginHint: 'eve' } }),
      ).not.to.have.any.keys('login_hint', 'loginHint');
    });

    it('those of authenticate win', async () => {
      const strategy = strategyOf('organization', 'invitation');
      const sent = await asked(strategy, { query: INVITED }, { organization: 'org-2' });
      expect(sent).to.include({ organization: 'org-2', invitation: 'inv-1' });
    });

    it('those of authenticate count only where they have a value', async () => {
      const strategy = strategyOf('organization', 'invitation');
      const sent = await asked(strategy, { query: INVITED }, { organization: undefined });
      expect(sent).to.include(INVITED);
    });

    it('an empty one asks for nothing', async () => {
      const query = { organization: '', invitation: 'inv-1' };
      const sent = await asked(strategyOf('organization', 'invitation'), { query });
      expect(sent).to.include({ invitation: 'inv-1' });
      expect(sent).not.to.have.property('organization');
    });

    for (const [title, organization, code] of [
      ['twice', ['org-1', 'org-2'], 'repeated_parameter'],
      ['nested', { x: 'org-1' }, 'repeated_parameter'],
      ['as a number', 7, 'repeated_parameter'],
      ['in more than 4096 characters', 'x'.repeat(4097), 'parameter_too_long'],
    ] as const) {
      it(`RFC 6749 §3.1 — ${title}: ${code}`, async () => {
        for (const parts of [
          { query: { organization } },
          { method: 'POST', body: { organization } },
        ]) {
          const session = {};
          const outcome = await run(strategyOf('organization'), request({ session, ...parts }));
          expect(refusalOf(outcome)).to.deep.include({ code, status: 403 });
          expect(session).to.deep.equal({});
        }
        // It is none of ours unless it is named.
        expect(await asked(make(), { query: { organization } })).to.include({ scope: 'read' });
      });
    }

    it('takes 4096 characters', async () => {
      const organization = 'x'.repeat(4096);
      const sent = await asked(strategyOf('organization'), { query: { organization } });
      expect(sent.organization).to.equal(organization);
    });

    it('RFC 6749 §4.1.1 — adds no parameter of its own, whatever a stranger writes', async () => {
      const organization = 'org-1&client_id=evil&redirect_uri=https://evil.test#x';
      const sent = await asked(strategyOf('organization'), { query: { organization } });
      expect(sent).to.include({ organization, client_id: 'client-1', redirect_uri: CALLBACK });
    });

    it('CWE-1321 — a polluted prototype lends none', async () => {
      Reflect.set(Object.prototype, 'organization', 'evil');
      try {
        expect(await asked(strategyOf('organization'))).not.to.have.ownProperty('organization');
      } finally {
        Reflect.deleteProperty(Object.prototype, 'organization');
      }
    });

    for (const name of [
      'org',
      'login_hint',
      'maxAge',
      'scope',
      'state',
      'toString',
      'constructor',
      '__proto__',
    ]) {
      it(`refuses the name ${name}`, () => {
        const error: unknown = thrown(() => strategyOf('organization', name));
        expect(error).to.be.instanceOf(TypeError);
        expect((error as Error).message).to.equal(
          `Acme: option "extrasFromQuery" has "${name}"; known: loginHint, organization, invitation`,
        );
      });
    }

    for (const extrasFromQuery of ['organization', true, null, [7], [''], { 0: 'organization' }]) {
      it(`is a list of names, and not ${JSON.stringify(extrasFromQuery)}`, () => {
        const { message } = thrown(() => make({ extrasFromQuery }));
        expect(message).to.include('option "extrasFromQuery"');
      });
    }

    it('may be empty', async () => {
      expect(await asked(strategyOf(), { query: INVITED })).not.to.have.any.keys('organization');
    });
  });

  describe('returnTo', () => {
    async function begun(options: AuthenticateOptions) {
      const events: DiagnosticsEvent[] = [];
      const note = (event: unknown) => events.push(event as DiagnosticsEvent);
      const session = {};
      subscribe('crm-oauth2', note);
      try {
        const { url, state } = await start(make(), session, options);
        return { url, state, events, attempt: pendingIn(session) };
      } finally {
        unsubscribe('crm-oauth2', note);
      }
    }

    it('is kept with the attempt, out of the URL', async () => {
      const { url, events, attempt } = await begun({ returnTo: '/reports?secret=7' });
      expect(attempt.returnTo).to.equal('/reports?secret=7');
      expect(url.href).not.to.include('reports');
      expect(events.map(({ event }) => event)).to.deep.equal(['login.started']);
      expect(JSON.stringify(events)).not.to.include('reports');
    });

    for (const returnTo of ['https://evil.test/', '//evil.test', '', ['/a', '/b'], null, 7]) {
      it(`RFC 9700 §4.11 — is left out, and login.warned says so: ${JSON.stringify(returnTo)}`, async () => {
        const { state, events, attempt } = await begun({ returnTo: returnTo as never });
        expect(attempt).not.to.have.property('returnTo');
        expect(events.map(({ event }) => event)).to.deep.equal(['login.started', 'login.warned']);
        expect(events[1]).to.deep.equal({
          event: 'login.warned',
          login: loginId(state),
          provider: 'acme',
          code: 'return_to_refused',
          hint: HINTS.return_to_refused,
        });
        expect(JSON.stringify(events)).not.to.include('evil');
      });
    }

    it('is of the origin of the redirect URI of this login', async () => {
      const callbackURL = 'https://shop.test/cb';
      const { attempt } = await begun({ callbackURL, returnTo: 'https://shop.test/cart' });
      expect(attempt.returnTo).to.equal('/cart');
      const other = await begun({ callbackURL, returnTo: 'https://app.test/cart' });
      expect(other.attempt).not.to.have.property('returnTo');
    });

    it('says nothing where there is none', async () => {
      const { events, attempt } = await begun({});
      expect(attempt).not.to.have.property('returnTo');
      expect(events.map(({ event }) => event)).to.deep.equal(['login.started']);
    });
  });

  it('login.started names the host of the environment, and the redirect URI that was sent', async () => {
    const events: DiagnosticsEvent[] = [];
    const note = (event: unknown) => events.push(event as DiagnosticsEvent);
    subscribe('crm-oauth2', note);
    try {
      await start(make(), {}, { region: 'eu' });
    } finally {
      unsubscribe('crm-oauth2', note);
    }
    expect(events[0]).to.include({ host: 'eu.acme.test', redirectUri: CALLBACK });
  });
});
