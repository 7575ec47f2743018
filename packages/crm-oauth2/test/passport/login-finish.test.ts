/** The second half of a login: what it tells beside the user. */
import { expect } from 'chai';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import nock = require('nock');
import { HINTS } from '../../dist/errors/codes';
import type { DiagnosticsEvent } from '../../dist/errors/diagnostics';
import { loginId } from '../../dist/errors/diagnostics';
import { CookieStateStore, strategyFor } from '../../dist/passport';
import type { AuthenticateOptions } from '../../dist/passport';
import { originOf, regionsWith } from '../regions';
import { CALLBACK, ORIGIN, mockTheNetwork } from '../support';
import { answer, errorOf, finish, make as makeStrategy, refusalOf, signIn } from './many-support';
import { callback, request, run, start } from './support';
import type { AcmeStrategy } from './support';

const make = (options: object = {}) => makeStrategy({ clientID: 'client-1', ...options });
const WITHOUT = { tokens: { refresh_token: undefined } };

const warning = (message: string, hint: string = HINTS.refresh_token_missing) => ({
  code: 'refresh_token_missing',
  message: `acme: ${message}`,
  hint,
});

/** The events of one piece of work. */
async function eventsOf(work: () => Promise<unknown>): Promise<DiagnosticsEvent[]> {
  const events: DiagnosticsEvent[] = [];
  const note = (event: unknown) => events.push(event as DiagnosticsEvent);
  subscribe('crm-oauth2', note);
  try {
    await work();
  } finally {
    unsubscribe('crm-oauth2', note);
  }
  return events;
}

describe('the end of a login', () => {
  mockTheNetwork();

  describe('without the refresh token that was asked for', () => {
    for (const [title, tokens, message] of [
      ['where no scope is told', {}, 'no refresh token came'],
      ['where all were granted', { scope: 'refresh read offline' }, 'no refresh token came'],
      ['where one is missing', { scope: 'read offline' }, 'the scope refresh was not granted'],
      ['where both are missing', { scope: 'read' }, 'the scope offline, refresh was not granted'],
      [
        'where a longer word has it',
        { scope: 'offline_x refreshing' },
        'the scope offline, refresh was not granted',
      ],
    ] as const) {
      it(`RFC 6749 §5.1 — says so, ${title}: ${message}`, async () => {
        answer({ tokens: { ...tokens, refresh_token: undefined } });
        const { user, info } = await signIn(make({ offline: true }));
        expect(info.warnings).to.deep.equal([warning(message)]);
        expect(user.warnings).to.deep.equal([warning(message)]);
      });
    }

    it('has the remedy of the provider, where it has a better one', async () => {
      const hints = { refresh_token_missing: 'Acme says: ask again.' };
      class Strategy extends strategyFor(regionsWith({ hints })) {}
      const options = { clientID: 'c', callbackURL: CALLBACK, offline: true, verify: () => ({}) };
      answer(WITHOUT);
      const { info } = await signIn(new Strategy(options));
      expect(info.warnings).to.deep.equal([
        warning('no refresh token came', hints.refresh_token_missing),
      ]);
    });

    it('publishes login.warned, with code, remedy and the name of the login', async () => {
      const strategy = make({ offline: true });
      const session = {};
      const { state } = await start(strategy, session);
      answer(WITHOUT);
      const events = await eventsOf(async () => await finish(strategy, session, state));
      expect(events.filter(({ event }) => event === 'login.warned')).to.deep.equal([
        {
          event: 'login.warned',
          login: loginId(state),
          provider: 'acme',
          code: 'refresh_token_missing',
          hint: HINTS.refresh_token_missing,
        },
      ]);
      expect(events.at(-1)).to.include({ event: 'login.ended', outcome: 'success' });
    });

    for (const [title, options, tokens] of [
      ['when it came', { offline: true }, {}],
      ['when it was not asked for', {}, { refresh_token: undefined }],
      ['when it was not wanted', { offline: false }, { refresh_token: undefined }],
    ] as const) {
      it(`says nothing ${title}`, async () => {
        answer({ tokens });
        const events = await eventsOf(async () => {
          const { user, info } = await signIn(make(options));
          expect(info).not.to.have.property('warnings');
          expect(user).not.to.have.property('warnings');
        });
        expect(events.map(({ event }) => event)).not.to.include('login.warned');
      });
    }

    it('does not admit a person that verify refuses', async () => {
      answer(WITHOUT);
      const strategy = make({ offline: true, verify: () => false });
      const session = {};
      const { state } = await start(strategy, session);
      const { verb, values } = await finish(strategy, session, state);
      expect([verb, values[0]]).to.deep.equal(['fail', {}]);
    });
  });

  describe('req.authInfo', () => {
    it('has each thing only where there is something to say', async () => {
      answer();
      const { user, info } = await signIn(make());
      expect(info).to.deep.equal({});
      expect(Object.keys(user)).to.have.members(['tokens', 'profile', 'req', 'state', 'signal']);
    });

    it('has state, returnTo, tenant and warnings beside each other', async () => {
      answer(WITHOUT);
      const tenant = () => ({ key: 'a', clientID: 'client-a' });
      const { user, info } = await signIn(make({ tenant, offline: true }), {
        state: { cart: 7 },
        returnTo: 'https://app.test/reports?year=2026',
      });
      const told = {
        state: { cart: 7 },
        returnTo: '/reports?year=2026',
        tenant: 'a',
        warnings: [warning('no refresh token came')],
      };
      expect(info).to.deep.equal(told);
      expect(user).to.deep.include(told);
    });

    for (const state of [null, 0, '', false]) {
      it(`has a state that is ${JSON.stringify(state)}`, async () => {
        answer();
        const { info } = await signIn(make(), { state, returnTo: '/r' });
        expect(info).to.deep.equal({ state, returnTo: '/r' });
      });
    }

    it('has what done() says too, and our own fields win', async () => {
      answer();
      class Info {
        message = 'Welcome';
        returnTo = '//evil.test';
      }
      const given = new Info();
      const strategy = Reflect.construct(class extends strategyFor(regionsWith({})) {}, [
        { clientID: 'client-1', callbackURL: CALLBACK },
        (_a: unknown, _r: unknown, _p: unknown, done: (...rest: unknown[]) => void) =>
          done(null, { id: 'zoe' }, given),
      ]) as AcmeStrategy;
      const { info } = await signIn(strategy, { state: 's', returnTo: '/r' });
      expect(info).to.be.instanceOf(Info);
      expect(info).to.include({ message: 'Welcome', state: 's', returnTo: '/r' });
      expect(Object.entries(given)).to.deep.equal([
        ['message', 'Welcome'],
        ['returnTo', '//evil.test'],
      ]);
    });

    it('leaves an info of done() alone that is a text', async () => {
      answer();
      const strategy = Reflect.construct(class extends strategyFor(regionsWith({})) {}, [
        { clientID: 'client-1', callbackURL: CALLBACK },
        (_a: unknown, _r: unknown, _p: unknown, done: (...rest: unknown[]) => void) =>
          done(null, { id: 'zoe' }, 'Welcome'),
      ]) as AcmeStrategy;
      expect((await signIn(strategy, { returnTo: '/r' })).info).to.equal('Welcome');
    });
  });

  describe('of a refused login', () => {
    const chosen = { returnTo: '/reports', region: 'eu' };
    const asked = { returnTo: '/reports', environment: { region: 'eu' } };

    /** The first argument of `fail`. */
    async function refused(strategy: AcmeStrategy, query: object = {}, options?: object) {
      const session = {};
      const { state } = await start(strategy, session, options as AuthenticateOptions);
      const { verb, values } = await run(strategy, callback(session, { state, ...query }));
      expect(verb).to.equal('fail');
      return values[0];
    }
    const refusing = (info: unknown) =>
      Reflect.construct(class extends strategyFor(regionsWith({})) {}, [
        { clientID: 'client-1', callbackURL: CALLBACK },
        (_a: unknown, _r: unknown, _p: unknown, done: (...rest: unknown[]) => void) =>
          done(null, false, info),
      ]) as AcmeStrategy;

    it('info says what was asked, so that a page can offer the same again', async () => {
      const info = await refused(make(), { error: 'access_denied' }, chosen);
      expect(info).to.deep.include({ code: 'access_denied', ...asked });
    });

    for (const [given, expected] of [
      [{ message: 'No seat' }, { message: 'No seat', ...asked }],
      ['No seat', 'No seat'],
    ] as const) {
      it(`info of verify has it too, unless it is a text: ${JSON.stringify(given)}`, async () => {
        answer({ origin: originOf('eu') });
        const info = await refused(refusing(given), { code: 'code-1' }, chosen);
        expect(info).to.deep.equal(expected);
      });
    }

    it('info of verify is the very object where nothing was asked', async () => {
      answer();
      const given = { message: 'No seat' };
      expect(await refused(refusing(given), { code: 'code-1' })).to.equal(given);
    });
  });

  describe('returnTo', () => {
    it('RFC 9700 §4.11 — of another origin is left out, and the login goes on', async () => {
      answer();
      const { info } = await signIn(make(), { returnTo: 'https://evil.test/' });
      expect(info).to.deep.equal({});
    });

    it('CWE-770 — of a stranger, with a state beside it, fits in a cookie', async () => {
      const store = new CookieStateStore({
        secrets: ['a cookie secret of at least 32 characters'],
      });
      const tenant = () => ({ key: 'é'.repeat(128), clientID: 'client-a' });
      const strategy = make({ store, tenant });
      for (const returnTo of [
        `/${'a'.repeat(1023)}`,
        `/${'é'.repeat(170)}`,
        `/${'é'.repeat(1000)}`,
      ]) {
        const cookies: string[] = [];
        const response = {
          getHeader: () => undefined,
          setHeader: (_name: string, lines: string[]) => cookies.push(...lines),
        };
        const { verb } = await run(strategy, request(), {
          response: response as never,
          region: 'eu',
          returnTo,
          state: { cart: 'x'.repeat(300) },
        });
        expect(verb).to.equal('redirect');
        expect(cookies).to.have.lengthOf(1);
        expect(cookies[0]?.length).to.be.below(4096);
      }
    });
  });

  describe('redirect_uri_mismatch', () => {
    const MISMATCH = 'redirect_uri_mismatch';
    const tenants = () =>
      make({
        tenant: () => ({ key: 'a', clientID: 'client-a', callbackURL: 'https://a.app.test/cb' }),
      });

    for (const [title, strategyOf, options, origin, sent] of [
      ['of the options', make, {}, ORIGIN, CALLBACK],
      ['of authenticate', make, { callbackURL: 'https://x.test/cb' }, ORIGIN, 'https://x.test/cb'],
      [
        'of a function',
        () => make({ callbackURL: () => 'https://f.test/cb' }),
        {},
        ORIGIN,
        'https://f.test/cb',
      ],
      ['of an environment', make, { region: 'eu' }, originOf('eu'), CALLBACK],
      ['of a tenant', tenants, {}, ORIGIN, 'https://a.app.test/cb'],
    ] as [string, () => AcmeStrategy, AuthenticateOptions, string, string][]) {
      it(`RFC 6749 §4.1.2.1 — names the sent URI ${title}, in the authorization response`, async () => {
        const strategy = strategyOf();
        const session = {};
        const { state } = await start(strategy, session, options);
        const query = { error: MISMATCH, error_description: 'no match', state };
        const error = errorOf(
          await finish(strategy, session, state, { query, url: new URL(sent).pathname }),
        );
        expect(error).to.include({ code: MISMATCH, stage: 'authorize' });
        expect(error.message).to.match(/; sent: \S+$/);
        expect(error.message.split('; sent: ')[1]).to.equal(sent);
      });

      it(`RFC 6749 §5.2 — names the sent URI ${title}, in the token response`, async () => {
        const strategy = strategyOf();
        const session = {};
        const { state } = await start(strategy, session, options);
        nock(origin).post('/token').reply(400, { error: MISMATCH });
        const error = errorOf(
          await finish(strategy, session, state, { url: new URL(sent).pathname }),
        );
        expect(error).to.include({ code: MISMATCH, stage: 'token' });
        expect(error.message.split('; sent: ')[1]).to.equal(sent);
      });
    }

    it('names none to a stranger, whose login it is not', async () => {
      const query = { error: MISMATCH, state: 'x' };
      const outcome = await finish(make(), {}, 'x', { query });
      expect(refusalOf(outcome).message).not.to.include(CALLBACK);
    });
  });
});
