import { expect } from 'chai';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { inspect } from 'node:util';
import nock = require('nock');
import OAuth2Strategy = require('passport-oauth2');
import { OAuth2Client } from '../../dist/client';
import { loginId } from '../../dist/errors/diagnostics';
import type { DiagnosticsEvent } from '../../dist/errors/diagnostics';
import { isOAuth2Error } from '../../dist/errors/oauth2-error';
import type { OAuth2Error } from '../../dist/errors/oauth2-error';
import {
  CookieStateStore,
  InternalOAuthError,
  ProviderStrategy,
  TokenError,
  strategyFor,
} from '../../dist/passport';
import type { AuthenticateOptions } from '../../dist/passport';
import {
  CALLBACK,
  CREDENTIALS,
  ORIGIN,
  SECRET,
  acme,
  acmeWith,
  formOf,
  httpServer,
  mockTheNetwork,
  pause,
  thrown,
  useRealSockets,
} from '../support';
import {
  AcmeStrategy,
  OPTIONS,
  answerLogin,
  callback,
  login,
  request,
  run,
  runOn,
  start,
} from './support';
import type { Outcome } from './support';

interface AnyProfile {
  id: string;
}

/** The pending login that was begun last in a session. */
function pendingIn(session: Record<string, unknown>): Record<string, unknown> {
  return (session['oauth2:acme'] as Record<string, unknown>[]).at(-1) ?? {};
}

const never = new Promise<never>(() => {});

/** The classic verify function: each person is the user of their profile. */
const accept = (
  _accessToken: string,
  _refreshToken: string | undefined,
  profile: AnyProfile,
  done: (error: unknown, user?: object, info?: object) => void,
) => done(null, { id: profile.id });

function make(options: object = {}, verify: unknown = accept): AcmeStrategy {
  return Reflect.construct(AcmeStrategy, [{ ...OPTIONS, ...options }, verify]) as AcmeStrategy;
}

function withVerify(verify: unknown, options: object = {}): AcmeStrategy {
  return make(options, verify);
}

function errorOf({ verb, values }: Outcome): OAuth2Error {
  expect(verb).to.equal('error');
  const [error] = values;
  expect(isOAuth2Error(error), inspect(error)).to.equal(true);
  const printed = `${(error as Error).stack} ${JSON.stringify(error)} ${inspect(error, { depth: 9 })}`;
  for (const secret of [SECRET, 'code-1', 'at-zoe', 'rt-zoe'])
    expect(printed).not.to.include(secret);
  expect(error).to.include({ provider: 'acme' });
  return error as OAuth2Error;
}

function refusalOf({ verb, values }: Outcome): { code: string; status: unknown } {
  expect(verb).to.equal('fail');
  const [info, status] = values;
  expect(Object.keys(info as object)).to.have.members(['message', 'code', 'hint']);
  return { code: (info as { code: string }).code, status };
}

describe('strategy', () => {
  describe('constructor', () => {
    it('Passport — is an OAuth2Strategy of passport-oauth2, under its own name', () => {
      const strategy = make();
      expect(strategy).to.be.instanceOf(OAuth2Strategy);
      expect(strategy).to.be.instanceOf(ProviderStrategy);
      expect(strategy.name).to.equal('acme');
      expect(strategy.client).to.be.instanceOf(OAuth2Client);
    });

    const cases: [string, object, string][] = [
      ['state: false', { state: false }, 'option "state" cannot be turned off'],
      ['state: text', { state: 'x' }, 'option "state" cannot be turned off'],
      ['pkce: false', { pkce: false }, 'option "pkce" cannot be turned off or weakened'],
      ['pkce: "plain"', { pkce: 'plain' }, 'option "pkce" cannot be turned off or weakened'],
      ['scopeSeparator: ","', { scopeSeparator: ',' }, 'option "scopeSeparator" must be a space'],
      [
        'an unknown option',
        { callbackUrl: 'x' },
        'unknown option "callbackUrl"; did you mean "callbackURL"?',
      ],
      ['a misspelt own option', { regions: 'x' }, 'did you mean "region"?'],
      ['a callbackURL that is not text', { callbackURL: 7 }, 'option "callbackURL"'],
      [
        'a store of the old form',
        { store: { store: () => {}, verify: () => {} } },
        'option "store" has',
      ],
      ['a store that is none', { store: {} }, 'option "store" must have'],
      ['no clientID', { clientID: undefined }, 'option "clientID" is required'],
      ['a tokenURL in plain http', { tokenURL: 'http://acme.test' }, 'must be https'],
    ];
    for (const [title, options, message] of cases) {
      it(`RFC 9700 §2.1.1 — refuses ${title}`, () => {
        const error: unknown = thrown(() => make(options));
        expect(error).to.be.instanceOf(TypeError);
        expect((error as Error).message).to.match(/^Acme: /);
        expect((error as Error).message).to.include(message);
      });
    }

    for (const [callbackURL, message] of [
      ['localhost:3000/cb', 'such as "http://localhost:3000/cb", or a path that begins with'],
      ['app.test/cb', 'such as "https://app.test/cb"'],
      ['127.0.0.1:3000', 'such as "http://127.0.0.1:3000"'],
      ['auth/cb', 'must be an absolute URL'],
      ['//evil.test/cb', 'must be an absolute URL'],
      ['/\\evil.test/cb', 'must be an absolute URL'],
      ['com.app:/cb', 'must be an absolute URL'],
      ['javascript:alert(1)', 'must be an absolute URL'],
      ['undefined', 'is the text "undefined": a variable was probably not set'],
      ['undefined/cb', 'has a part "undefined"'],
      ['https://undefined/cb', 'has a part "undefined"'],
      ['http://localhost:undefined/cb', 'has a part "undefined"'],
      ['undefined://app.test/cb', 'has a part "undefined"'],
      ['https://app.test/auth/null/cb', 'has a part "null"'],
      ['[object Object]', 'is the text "[object Object]"'],
      ['[object Object]/cb', 'has a part "[object Object]"'],
      ['https://app.test/cb#', 'must have no fragment'],
      ['/cb#top', 'must have no fragment'],
      ['https://zoe:pw@app.test/cb', 'must have no user info'],
      ['https://app.test/a b', 'must have no white space in it'],
      ['https://app.test/cb\n', 'has white space around it'],
      ['', 'is required and must be a non-empty string'],
    ] as const) {
      it(`refuses the callbackURL ${JSON.stringify(callbackURL)}, from authenticate too`, async () => {
        expect(thrown(() => make({ callbackURL })).message).to.include(
          `Acme: option "callbackURL" ${message}`.replace(
            '" such',
            '" must be an absolute URL, such',
          ),
        );
        const { verb, values } = await run(make(), request(), { callbackURL });
        expect(verb).to.equal('error');
        expect(values[0]).to.be.instanceOf(TypeError);
        expect((values[0] as Error).message).not.to.include('pw');
      });
    }

    for (const callbackURL of ['http://app.test', 'HTTPS://app.test/cb?x=1', '/cb', '/']) {
      it(`takes the callbackURL ${callbackURL}`, () => {
        expect(make({ callbackURL }).name).to.equal('acme');
      });
    }

    for (const name of ['clientID', 'clientSecret', 'region', 'sessionKey']) {
      it(`refuses a ${name} of a variable that was not set, or of a file with its newline`, () => {
        for (const value of ['undefined', 'null', `${SECRET}\n`, ` ${SECRET}`]) {
          const { message } = thrown(() => make({ [name]: value }));
          expect(message).to.match(/^Acme: option "\w+" (is the text|has white space)/);
          expect(message).not.to.include(SECRET);
        }
      });
    }

    it('refuses a sessionKey that is a part of the session itself', () => {
      for (const sessionKey of ['cookie', 'save', 'passport', 'maxAge', '__proto__', 'toString']) {
        const { message } = thrown(() => make({ sessionKey }));
        expect(message).to.equal(
          'Acme: option "sessionKey" is the name of a part of the session itself',
        );
      }
    });

    it('refuses an address whose host is a variable that was not set', () => {
      for (const tokenURL of ['https://undefined/token', 'https://acme.test/token\n']) {
        expect(thrown(() => make({ tokenURL })).message).to.match(/is the text|has white space/);
      }
    });

    const kinds: [string, readonly unknown[]][] = [
      ['passReqToCallback', ['true', 'false', 1, 0, null, {}]],
      ['proxy', ['true', 1, null, []]],
      ['skipUserProfile', ['true', 1, null, {}]],
      ['sessionKey', ['', 7, true, null, Symbol('key'), ['key']]],
      ['verifyTimeout', ['50', 0, -1, Infinity, 3_600_000]],
    ];
    for (const [name, values] of kinds) {
      it(`names the option ${name} when it is of another kind`, () => {
        for (const value of values) {
          const error: unknown = thrown(() => make({ [name]: value }));
          expect(error, inspect(value)).to.be.instanceOf(TypeError);
          expect((error as Error).message).to.match(new RegExp(`^Acme: option "${name}" `));
        }
      });
    }

    for (const options of [
      { passReqToCallback: true },
      { passReqToCallback: false },
      { proxy: true },
      { proxy: false },
      { skipUserProfile: true },
      { skipUserProfile: () => true },
      { sessionKey: 'mine' },
      {
        passReqToCallback: undefined,
        proxy: undefined,
        skipUserProfile: undefined,
        sessionKey: undefined,
      },
    ]) {
      it(`takes ${inspect(options, { breakLength: Infinity })}`, () => {
        expect(make(options).name).to.equal('acme');
      });
    }

    for (const options of [
      { state: true },
      { pkce: true },
      { pkce: 'S256' },
      { scopeSeparator: ' ' },
    ]) {
      it(`accepts ${JSON.stringify(options)}, which changes nothing`, () => {
        expect(make(options).name).to.equal('acme');
      });
    }

    it('needs options', () => {
      for (const options of [undefined, null, 'text']) {
        const error = thrown(() => Reflect.construct(AcmeStrategy, [options, accept]) as unknown);
        expect(error).to.be.instanceOf(TypeError);
        expect(error.message).to.equal('Acme: the first argument must be the options');
      }
    });

    it('needs one verify function, in one place', () => {
      const without = thrown(() => Reflect.construct(AcmeStrategy, [OPTIONS]) as unknown);
      expect(without.message).to.include('a verify function is required');
      const twice = thrown(() => make({ verify: () => false }));
      expect(twice.message).to.include('not both');
      const wrong = thrown(
        () => Reflect.construct(AcmeStrategy, [{ ...OPTIONS, verify: 7 }]) as unknown,
      );
      expect(wrong.message).to.include('a verify function is required');
    });

    it('does not change the options', () => {
      const options = Object.freeze({
        ...OPTIONS,
        scope: Object.freeze(['read']),
        customHeaders: Object.freeze({ 'X-Trace': '1' }),
      });
      const copy = structuredClone(options);
      expect(make(options).name).to.equal('acme');
      expect(options).to.deep.equal(copy);
    });
  });

  describe('the start of a login', () => {
    it('RFC 6749 §4.1.1 — redirects with state and PKCE, and keeps the attempt', async () => {
      const session: Record<string, unknown> = {};
      const { url, state } = await start(make({ scope: ['read', 'write'] }), session);
      expect(url.origin + url.pathname).to.equal(`${ORIGIN}/authorize`);
      const { code_challenge: challenge, ...query } = Object.fromEntries(url.searchParams);
      expect(challenge).to.match(/^[\w-]{43}$/);
      expect(query).to.deep.equal({
        response_type: 'code',
        client_id: 'client-1',
        redirect_uri: CALLBACK,
        scope: 'read write',
        state,
        code_challenge_method: 'S256',
      });
      expect(Object.keys(session)).to.deep.equal(['oauth2:acme']);
      expect(pendingIn(session)).to.have.property('state', state);
    });

    it('keeps it under sessionKey', async () => {
      const session = {};
      await start(make({ sessionKey: 'mine' }), session);
      expect(Object.keys(session)).to.deep.equal(['mine']);
    });

    it('sends scope and typed extras of authenticate', async () => {
      const { url } = await start(
        make(),
        {},
        {
          scope: 'write',
          prompt: 'login',
          loginHint: 'zoe@example.com',
        },
      );
      expect(Object.fromEntries(url.searchParams)).to.include({
        scope: 'write',
        prompt: 'login',
        login_hint: 'zoe@example.com',
      });
    });

    it('RFC 9700 §4.7 — has another state and challenge each time', async () => {
      const strategy = make();
      const session = {};
      const urls = [await start(strategy, session), await start(strategy, session)];
      expect(urls[0]?.state).not.to.equal(urls[1]?.state);
      expect(urls[0]?.url.searchParams.get('code_challenge')).not.to.equal(
        urls[1]?.url.searchParams.get('code_challenge'),
      );
    });

    for (const state of ['app-state-text', { returnTo: '/app-state-object' }]) {
      it(`keeps the application's state (${typeof state}) out of the URL`, async () => {
        const { url, state: wire } = await start(make(), {}, { state });
        expect(url.href).not.to.include('app-state');
        expect(wire).to.match(/^[\w-]{32}$/);
      });
    }

    it('RFC 6749 §4.1.3 — keeps the redirect URI with the attempt', async () => {
      const session: Record<string, unknown> = {};
      await start(make(), session);
      expect(pendingIn(session)).to.have.property('redirectUri', CALLBACK);
    });

    it('keeps a pending login in at most 400 bytes', async () => {
      const session: Record<string, unknown> = {};
      await start(make(), session);
      expect(JSON.stringify(session).length).to.be.at.most(400);
    });

    it('takes the callbackURL of authenticate before its own, and keeps it', async () => {
      const session: Record<string, unknown> = {};
      const callbackURL = 'https://app.test/other/callback';
      const { url } = await start(make(), session, { callbackURL });
      expect(url.searchParams.get('redirect_uri')).to.equal(callbackURL);
      expect(pendingIn(session)).to.have.property('redirectUri', callbackURL);
    });

    it('resolves a relative callbackURL', async () => {
      const strategy = make({ callbackURL: '/auth/acme/callback' });
      const session = {};
      const parts = { session, headers: { host: 'app.test:8080' }, protocol: 'https' };
      const { values } = await run(strategy, request(parts));
      const url = new URL(values[0] as string);
      expect(url.searchParams.get('redirect_uri')).to.equal(
        'https://app.test:8080/auth/acme/callback',
      );
    });

    it('believes proxies only under proxy: true, or where Express does', async () => {
      const headers = {
        host: 'inner.test',
        'x-forwarded-proto': 'https',
        'x-forwarded-host': 'outer.test',
      };
      const redirectUri = async (options: object, parts: object = {}) => {
        const strategy = make({ callbackURL: '/cb', ...options });
        const { values } = await run(strategy, request({ headers, ...parts }));
        return new URL(values[0] as string).searchParams.get('redirect_uri');
      };
      expect(await redirectUri({})).to.equal('http://inner.test/cb');
      expect(await redirectUri({ proxy: true })).to.equal('https://outer.test/cb');
      const app = { get: () => () => true };
      expect(await redirectUri({}, { app })).to.equal('https://outer.test/cb');
    });

    it('RFC 9207 §2 — begins also where a link brings iss alone', async () => {
      const req = request({ query: { iss: `${ORIGIN}/`, returnTo: '/' } });
      const { verb, values } = await run(make(), req);
      expect(verb).to.equal('redirect');
      expect(new URL(values[0] as string).searchParams.has('iss')).to.equal(false);
    });

    it('RFC 9101 §5 — carries no request object of a hook, nor of the endpoint', async () => {
      class Sub extends AcmeStrategy {
        override authorizationParams(): object {
          return { request: 'a.b.c', request_uri: 'https://evil.test/object' };
        }
      }
      const authorizationURL = `${ORIGIN}/authorize?tenant=7&request=a.b.c&request_uri=x`;
      const { url } = await start(new Sub({ ...OPTIONS, authorizationURL }, accept), {});
      expect(url.searchParams.has('request')).to.equal(false);
      expect(url.searchParams.has('request_uri')).to.equal(false);
      expect(url.searchParams.get('tenant')).to.equal('7');
    });

    it('RFC 6265bis §5.6 — fails with a state that no cookie can hold, and sets none', async () => {
      const store = new CookieStateStore({ secrets: ['x'.repeat(32)] });
      const set: unknown[] = [];
      const res = { getHeader: () => undefined, setHeader: (...all: unknown[]) => set.push(all) };
      const begin = (length: number) =>
        run(make({ store }), request({ session: undefined, res }), { state: 'x'.repeat(length) });
      const error = errorOf(await begin(5000));
      expect(error).to.include({ code: 'state_too_large', stage: 'authorize' });
      expect(error.hint).to.include('2 KB');
      expect(set).to.deep.equal([]);
      expect((await begin(2048)).verb).to.equal('redirect');
      expect(set).to.have.lengthOf(1);
    });

    const circular: Record<string, unknown> = {};
    circular.self = circular;
    for (const [title, state] of [
      ['a BigInt', { id: 7n }],
      ['an object that contains itself', circular],
      ['a function', () => '/'],
      ['a function inside', { next: { to: () => '/' } }],
      ['a symbol', Symbol('x')],
      ['a Map', new Map([['a', 1]])],
      ['an error', { last: new Error('x') }],
      ['a regular expression', [/x/]],
    ] as const) {
      it(`says at once that no session can hold a state with ${title}`, async () => {
        const session = {};
        const { verb, values } = await run(make(), request({ session }), { state });
        expect(verb).to.equal('error');
        expect(values[0]).to.be.instanceOf(TypeError);
        expect((values[0] as Error).message).to.match(
          /^Acme: option "state" must be data that JSON/,
        );
        expect(session).to.deep.equal({});
      });
    }

    for (const state of [0, '', null, { a: [1, { b: null }], at: new Date(0), no: undefined }]) {
      it(`takes the state ${JSON.stringify(state)}`, async () => {
        await start(make(), {}, { state });
      });
    }

    it('CWE-1321 — a polluted prototype lends no option', async () => {
      const polluted: Record<string, unknown> = {
        clientSecret: 'stolen',
        callbackURL: 'https://evil.test/cb',
        scope: 'admin',
        state: { admin: true },
        proxy: true,
        store: {},
        verify: () => ({}),
        passReqToCallback: true,
        skipUserProfile: true,
        agent: {},
        tokenURL: 'https://evil.test/token',
        prompt: 'none',
        maxAge: 60,
        extras: { prompt: 'none' },
        appState: 'x',
      };
      const names = Object.keys(polluted);
      const session: Record<string, unknown> = {};
      try {
        for (const name of names) {
          Reflect.set(Object.prototype, name, polluted[name]);
        }
        const strategy = make();
        expect(strategy.client.endpoints.tokenEndpoint).to.equal(`${ORIGIN}/token`);
        const { url } = await start(strategy, session, {});
        const query = Object.fromEntries(url.searchParams);
        expect([query.redirect_uri, query.scope]).to.deep.equal([CALLBACK, 'read']);
        expect([...url.searchParams.keys()]).not.to.include.members(['prompt']);
        expect(Object.hasOwn(pendingIn(session), 'appState')).to.equal(false);
        const publicClient = new AcmeStrategy({
          clientID: 'client-1',
          callbackURL: CALLBACK,
          verify: () => false,
        });
        const oauth2 = Reflect.get(publicClient, '_oauth2') as object;
        expect(Reflect.get(oauth2, '_clientSecret')).to.equal('');
      } finally {
        for (const name of names) Reflect.deleteProperty(Object.prototype, name);
      }
    });

    it('fails without a callbackURL, a session, or a response', async () => {
      const none = await run(make({ callbackURL: undefined }), request());
      expect(errorOf(none)).to.include({
        code: 'callback_url_missing',
        stage: 'authorize',
        message: 'acme: there is no callbackURL',
      });
      const relative = await run(make({ callbackURL: '/cb' }), request());
      expect(errorOf(relative).code).to.equal('callback_url_unresolvable');
      const sessionless = await run(make(), request({ session: undefined }));
      expect(errorOf(sessionless).code).to.equal('session_missing');
      const store = new CookieStateStore({ secrets: ['x'.repeat(32)] });
      expect(errorOf(await run(make({ store }), request())).code).to.equal('response_missing');
    });

    it('fails with a TypeError for a scope that is none', async () => {
      const { verb, values } = await run(make(), request(), { scope: 7 as unknown as string });
      expect(verb).to.equal('error');
      expect(values[0]).to.be.instanceOf(TypeError);
    });

    it('calls authorizationParams of a subclass, whose parameters never win', async () => {
      class Sub extends AcmeStrategy {
        override authorizationParams(options: AuthenticateOptions): object {
          return { display: options.display, state: 'mine', redirect_uri: 'https://evil.test' };
        }
      }
      const { url } = await start(new Sub(OPTIONS, accept), {}, { display: 'popup' });
      expect(url.searchParams.get('display')).to.equal('popup');
      expect(url.searchParams.get('state')).to.match(/^[\w-]{32}$/);
      expect(url.searchParams.get('redirect_uri')).to.equal(CALLBACK);
    });
  });

  describe('the callback', () => {
    mockTheNetwork();

    it('logs the person in', async () => {
      answerLogin('zoe');
      const { verb, values } = await login(make());
      expect(verb).to.equal('success');
      expect(values).to.deep.equal([{ id: 'zoe' }, {}]);
      expect(nock.isDone()).to.equal(true);
    });

    it('RFC 7636 §4.5 — sends the verifier of its own attempt', async () => {
      const bodies: Record<string, string>[] = [];
      nock(ORIGIN)
        .post('/token', (body) => bodies.push(formOf(body)) > 0)
        .reply(200, { access_token: 'at-zoe' });
      nock(ORIGIN).get('/me').reply(200, { sub: 'zoe' });
      const strategy = make();
      const session: Record<string, unknown> = {};
      await start(strategy, session);
      const { state } = await start(strategy, session);
      const verifier = pendingIn(session).codeVerifier;
      await run(strategy, callback(session, { code: 'code-1', state }));
      expect(bodies[0]).to.include({
        code: 'code-1',
        code_verifier: verifier,
        redirect_uri: CALLBACK,
      });
    });

    it('RFC 6749 §4.1.3 — sends the redirect URI of the start, at whatever host it comes back', async () => {
      const bodies: Record<string, string>[] = [];
      nock(ORIGIN)
        .post('/token', (body) => bodies.push(formOf(body)) > 0)
        .reply(200, { access_token: 'at-zoe' });
      nock(ORIGIN).get('/me').reply(200, { sub: 'zoe' });
      const strategy = make({ callbackURL: '/cb' });
      const session = {};
      const { values } = await run(strategy, request({ session, headers: { host: 'one.test' } }));
      const state = new URL(values[0] as string).searchParams.get('state');
      const req = {
        ...callback(session, { code: 'code-1', state }),
        headers: { host: 'two.test' },
      };
      expect((await run(strategy, req)).verb).to.equal('success');
      expect(bodies[0]).to.include({ redirect_uri: 'http://one.test/cb' });
    });

    for (const [title, options, atCallback] of [
      ['the callback has another callbackURL', {}, { callbackURL: 'https://app.test/other' }],
      ['another strategy without a callbackURL finishes it', { callbackURL: undefined }, {}],
      [
        'another strategy with another callbackURL finishes it',
        { callbackURL: 'https://app.test/other' },
        {},
      ],
    ] as [string, object, AuthenticateOptions][]) {
      it(`RFC 6749 §4.1.3 — sends the redirect URI of the start, even when ${title}`, async () => {
        const bodies: Record<string, string>[] = [];
        nock(ORIGIN)
          .post('/token', (body) => bodies.push(formOf(body)) > 0)
          .times(2)
          .reply(200, { access_token: 'at-zoe' });
        nock(ORIGIN).get('/me').times(2).reply(200, { sub: 'zoe' });
        for (const callbackURL of [undefined, 'https://app.test/of-the-start']) {
          const session = {};
          const { state, url } = await start(make(), session, { callbackURL });
          const req = callback(session, { code: 'code-1', state });
          expect((await run(make(options), req, atCallback)).verb).to.equal('success');
          expect(url.searchParams.get('redirect_uri')).to.equal(callbackURL ?? CALLBACK);
          expect(bodies.at(-1)?.redirect_uri).to.equal(callbackURL ?? CALLBACK);
        }
      });
    }

    it('reads a form_post', async () => {
      answerLogin('zoe');
      const session = {};
      const strategy = make();
      const { state } = await start(strategy, session);
      const body = { code: 'code-1', state };
      const { verb } = await run(strategy, request({ session, method: 'POST', body }));
      expect(verb).to.equal('success');
    });

    it('reads the URL where no framework parsed it', async () => {
      answerLogin('zoe');
      const session = {};
      const strategy = make();
      const { state } = await start(strategy, session);
      const req = { session, headers: {}, method: 'GET', url: `/cb?code=code-1&state=${state}` };
      expect((await run(strategy, req)).verb).to.equal('success');
    });

    for (const state of ['text', { returnTo: '/deals' }, 0, null]) {
      it(`hands the application's state back in info: ${JSON.stringify(state)}`, async () => {
        answerLogin('zoe');
        const strategy = withVerify(
          (_a: string, _r: string, profile: AnyProfile, done: (...all: unknown[]) => void) =>
            done(null, { id: profile.id }, { scope: 'read', state: 'of verify' }),
        );
        const { verb, values } = await login(strategy, { state });
        expect(verb).to.equal('success');
        expect(values[1]).to.deep.equal({ scope: 'read', state });
      });
    }

    describe('info', () => {
      beforeEach(() => answerLogin('zoe'));

      class Notice {
        readonly message: string;
        constructor(message: string) {
          this.message = message;
        }
        get loud(): string {
          return this.message.toUpperCase();
        }
      }

      const infoOf = async (info: unknown, options?: AuthenticateOptions) => {
        const strategy = withVerify(
          (_a: string, _r: string, p: AnyProfile, done: (...all: unknown[]) => void) =>
            done(null, { id: p.id }, info),
        );
        const { verb, values } = await login(strategy, options);
        expect(verb).to.equal('success');
        return values[1];
      };

      it('passport-oauth2 — that is text is left alone, whatever the state', async () => {
        expect(await infoOf('welcome', { state: 'mine' })).to.equal('welcome');
      });

      it('passport-oauth2 — that is null is left alone', async () => {
        expect(await infoOf(null, { state: 'mine' })).to.equal(null);
      });

      it('passport-oauth2 — that is an instance keeps its class, and gets the state', async () => {
        const notice = Object.freeze(new Notice('welcome'));
        const info = await infoOf(notice, { state: { toReturn: '/' } });
        expect(info).to.be.instanceOf(Notice);
        expect(info).to.deep.include({ message: 'welcome', state: { toReturn: '/' } });
        expect((info as Notice).loud).to.equal('WELCOME');
        expect(notice).not.to.have.property('state');
      });

      it('that is an instance stays one without a state', async () => {
        const info = await infoOf(new Notice('welcome'));
        expect(info).to.be.instanceOf(Notice);
        expect(info).not.to.have.property('state');
      });

      for (const info of [undefined, {}]) {
        it(`passport-oauth2 — is the state alone beside ${JSON.stringify(info)}`, async () => {
          expect(await infoOf(info, { state: 'mine' })).to.deep.equal({ state: 'mine' });
        });
      }

      it('without a prototype stays without one', async () => {
        const info = await infoOf(Object.assign(Object.create(null) as object, { a: 1 }), {
          state: 'mine',
        });
        expect(Object.getPrototypeOf(info)).to.equal(null);
        expect({ ...(info as object) }).to.deep.equal({ a: 1, state: 'mine' });
      });
    });

    describe('diagnostics', () => {
      const events: DiagnosticsEvent[] = [];
      const listen = (event: unknown) => events.push(event as DiagnosticsEvent);
      beforeEach(() => {
        events.length = 0;
        subscribe('crm-oauth2', listen);
      });
      afterEach(() => {
        unsubscribe('crm-oauth2', listen);
      });

      it('tell where the browser is sent', async () => {
        const { state } = await start(make(), {});
        expect(events).to.deep.equal([
          {
            event: 'login.started',
            login: loginId(state),
            provider: 'acme',
            host: 'acme.test',
            redirectUri: CALLBACK,
          },
        ]);
      });

      it('tell the names of the parameters it came back with, where they are names', async () => {
        const names = ['code', 'state', 'session_state', 'x-1', 'n'.repeat(40)];
        const others = ['', ' code', 'code ', 'a b', 'a=b', 'n'.repeat(41), 'a\nb'];
        const query = Object.fromEntries([...others, ...names].map((name) => [name, 'x']));
        await run(make(), request({ query }));
        expect(events[0]).to.deep.equal({
          event: 'login.returned',
          login: loginId('x'),
          provider: 'acme',
          parameters: names,
        });
      });
    });

    describe('refusals', () => {
      const cases: [string, (state: string) => object, string, number][] = [
        ['RFC 6749 §4.1.2 — no state', () => ({ code: 'code-1' }), 'state_missing', 403],
        [
          'RFC 6749 §10.12 — unknown state',
          () => ({ code: 'code-1', state: 'x' }),
          'state_unknown',
          403,
        ],
        [
          'RFC 6749 §10.12 — an error with an unknown state',
          () => ({ error: 'access_denied', state: 'x' }),
          'state_unknown',
          403,
        ],
        [
          'RFC 6749 §3.1 — two codes',
          (state) => ({ code: ['code-1', 'code-2'], state }),
          'repeated_parameter',
          403,
        ],
        [
          'a state called __proto__',
          () => ({ code: 'code-1', state: '__proto__' }),
          'state_unknown',
          403,
        ],
        [
          'RFC 9207 §2.4 — another iss',
          (state) => ({ code: 'code-1', state, iss: 'x' }),
          'issuer_mismatch',
          403,
        ],
        ['RFC 6749 §4.1.2 — no code', (state) => ({ state }), 'code_missing', 403],
        ['RFC 6749 §10.12 — a foreign state alone', () => ({ state: 'x' }), 'state_unknown', 403],
        [
          'RFC 6749 §4.1.2.1 — access_denied',
          (state) => ({ error: 'access_denied', state }),
          'access_denied',
          401,
        ],
        [
          "the provider's own refusal",
          (state) => ({ error: 'account_locked', state }),
          'account_locked',
          401,
        ],
      ];
      for (const [title, query, code, status] of cases) {
        it(`${title}: fail, ${code}, ${status}`, async () => {
          const session = {};
          const strategy = make();
          const { state } = await start(strategy, session);
          const outcome = await run(strategy, callback(session, query(state)));
          expect(refusalOf(outcome)).to.deep.equal({ code, status });
        });
      }

      it('RFC 6749 §4.1.2.1 — a fault of the provider is an error', async () => {
        const session = {};
        const strategy = make();
        const { state } = await start(strategy, session);
        const outcome = await run(strategy, callback(session, { error: 'server_error', state }));
        expect(errorOf(outcome)).to.include({ name: 'AuthorizationError', code: 'server_error' });
      });

      it('a repeated parameter takes nothing: the good answer still logs in', async () => {
        const session = {};
        const strategy = make();
        const { state } = await start(strategy, session);
        await run(strategy, callback(session, { code: ['a', 'b'], state }));
        answerLogin('zoe');
        const { verb } = await run(strategy, callback(session, { code: 'code-1', state }));
        expect(verb).to.equal('success');
      });

      it('CWE-1321 — a polluted prototype skips no profile', async () => {
        answerLogin('zoe');
        const strategy = new AcmeStrategy({
          ...OPTIONS,
          verify: ({ profile }) => ({ id: String(Object(profile).id) }),
        });
        try {
          Reflect.set(Object.prototype, 'skipUserProfile', true);
          const { verb, values } = await login(strategy);
          expect(verb, String(values[0])).to.equal('success');
          expect(nock.isDone()).to.equal(true);
        } finally {
          Reflect.deleteProperty(Object.prototype, 'skipUserProfile');
        }
      });

      it('RFC 9700 §4.5 — refuses a code when the attempt was already taken', async () => {
        answerLogin('zoe');
        const session = {};
        const strategy = make();
        const { state } = await start(strategy, session);
        const before = structuredClone(session);
        const query = { code: 'code-1', state };
        expect((await run(strategy, callback(session, query))).verb).to.equal('success');
        for (const replayed of [session, before]) {
          const outcome = await run(strategy, callback(replayed, query));
          expect(refusalOf(outcome)).to.deep.equal({ code: 'already_completed', status: 403 });
        }
      });

      it('RFC 9700 §4.5 — redeems once when the same callback comes twice at once', async () => {
        answerLogin('zoe');
        const session = {};
        const strategy = make();
        const { state } = await start(strategy, session);
        const query = { code: 'code-1', state };
        const outcomes = await Promise.all(
          [structuredClone(session), structuredClone(session)].map((copy) =>
            run(strategy, callback(copy, query)),
          ),
        );
        expect(outcomes.map(({ verb }) => verb).toSorted()).to.deep.equal(['fail', 'success']);
        const refused = outcomes.filter(({ verb }) => verb === 'fail');
        expect(refused.map(refusalOf)).to.deep.equal([{ code: 'already_completed', status: 403 }]);
      });

      it('RFC 6749 §10.12 — refuses the attempt of another browser', async () => {
        const strategy = make();
        const { state } = await start(strategy, {});
        const query = { code: 'code-1', state };
        const bare = await run(strategy, callback({}, query));
        expect(refusalOf(bare)).to.deep.equal({ code: 'cookie_missing', status: 403 });
        const visited = await run(strategy, callback({ cart: 1 }, query));
        expect(refusalOf(visited)).to.deep.equal({ code: 'other_browser', status: 403 });
      });

      it('RFC 9700 §4.4 — refuses the attempt of another client', async () => {
        const session = {};
        const { state } = await start(make({ clientID: 'client-2' }), session);
        const outcome = await run(make(), callback(session, { code: 'code-1', state }));
        expect(refusalOf(outcome)).to.deep.equal({ code: 'state_of_another_client', status: 403 });
      });

      it('RFC 9700 §4.7 — refuses an attempt that has expired', async () => {
        const session: Record<string, unknown> = {};
        const strategy = make();
        const { state } = await start(strategy, session);
        pendingIn(session).expiresAt = Date.now() - 1;
        const outcome = await run(strategy, callback(session, { code: 'code-1', state }));
        expect(refusalOf(outcome)).to.deep.equal({ code: 'state_expired', status: 403 });
      });

      it('a session that is gone: session_missing, 403', async () => {
        const req = request({ session: undefined, query: { code: 'c', state: 's' } });
        expect(refusalOf(await run(make(), req))).to.deep.equal({
          code: 'session_missing',
          status: 403,
        });
      });
    });

    describe('faults', () => {
      it('RFC 6749 §5.2 — of the token endpoint', async () => {
        nock(ORIGIN)
          .post('/token')
          .reply(403, { error: 'invalid_grant', error_description: 'code-1' });
        const error = errorOf(await login(make()));
        expect(error).to.be.instanceOf(TokenError);
        expect(error).to.include({ code: 'invalid_grant', status: 403, stage: 'token' });
      });

      it('of the profile', async () => {
        nock(ORIGIN).post('/token').reply(200, { access_token: 'at-zoe' });
        nock(ORIGIN).get('/me').reply(503);
        const error = errorOf(await login(make()));
        expect(error).to.be.instanceOf(InternalOAuthError);
        expect(error).to.include({ code: 'provider_unavailable', stage: 'profile' });
      });

      it('of a connection', async () => {
        nock(ORIGIN)
          .post('/token')
          .replyWithError(Object.assign(new Error('x'), { code: 'ECONNRESET' }));
        expect(errorOf(await login(make())).code).to.equal('connection_failed');
      });
    });

    describe('verify', () => {
      beforeEach(() => answerLogin('zoe', { instance: 'na1' }));

      it('passport-oauth2 — is given tokens and profile', async () => {
        const seen: unknown[] = [];
        await login(
          withVerify((a: string, r: string, p: AnyProfile, done: (...all: unknown[]) => void) => {
            seen.push(a, r, p.id);
            done(null, {});
          }),
        );
        expect(seen).to.deep.equal(['at-zoe', 'rt-zoe', 'zoe']);
      });

      it('passport-oauth2 — is given params, and the request first', async () => {
        const seen: unknown[] = [];
        const verify = (
          req: { session: object },
          a: string,
          _r: string,
          params: { instance: string },
          p: AnyProfile,
          done: (...all: unknown[]) => void,
        ) => {
          seen.push(JSON.stringify(req.session), a, params.instance, p.id);
          done(null, {});
        };
        await login(withVerify(verify, { passReqToCallback: true }));
        expect(seen).to.deep.equal(['{}', 'at-zoe', 'na1', 'zoe']);
      });

      it('passport-oauth2 — is given params to change, as older code does', async () => {
        const verify = (
          _a: string,
          _r: string,
          params: { instance: string; added?: boolean },
          _p: AnyProfile,
          done: (...all: unknown[]) => void,
        ) => {
          params.instance = 'na2';
          params.added = true;
          done(null, params);
        };
        const { verb, values } = await login(withVerify(verify));
        expect(verb).to.equal('success');
        expect(values[0]).to.include({ instance: 'na2', added: true, access_token: 'at-zoe' });
      });

      it('as an option is given one typed object', async () => {
        const seen: unknown[] = [];
        const strategy = new AcmeStrategy({
          ...OPTIONS,
          verify: ({ tokens, profile, req, state }) => {
            seen.push(tokens.response.instance, profile.id, req.url, state);
            return { id: profile.id };
          },
        });
        const { verb, values } = await login(strategy, { state: 'mine' });
        expect(verb).to.equal('success');
        expect(values).to.deep.equal([{ id: 'zoe' }, { state: 'mine' }]);
        expect(seen).to.deep.equal(['na1', 'zoe', '/auth/acme/callback', 'mine']);
      });

      for (const user of [false, null, undefined]) {
        it(`refuses with ${user}: fail with its info, and no status`, async () => {
          const strategy = withVerify(
            (_a: string, _r: string, _p: AnyProfile, done: (...all: unknown[]) => void) =>
              done(null, user, { message: 'not invited' }),
          );
          const { verb, values } = await login(strategy);
          expect(verb).to.equal('fail');
          expect(values).to.deep.equal([{ message: 'not invited' }, undefined]);
        });
      }

      it('a promise of false is a refusal', async () => {
        const { verb, values } = await login(withVerify(() => Promise.resolve(false)));
        expect(verb).to.equal('fail');
        expect(values).to.deep.equal([{}, undefined]);
      });

      it('fails with the very error of the application', async () => {
        const error = new Error('database');
        const { verb, values } = await login(withVerify(() => Promise.reject(error)));
        expect(verb).to.equal('error');
        expect(values).to.deep.equal([error]);
      });

      it('fails with what it throws', async () => {
        const error = new TypeError('a bug');
        const outcome = await login(
          withVerify(() => {
            throw error;
          }),
        );
        expect(outcome).to.deep.equal({ verb: 'error', values: [error] });
      });

      // Passport hands an error to next(): a falsy one, and 'route' or 'router', would let the
      // request pass on as if it had been authenticated.
      for (const reason of [undefined, null, false, 0, '', 'route', 'router']) {
        it(`Passport — a rejection with ${JSON.stringify(reason)} is still an error`, async () => {
          const { verb, values } = await login(withVerify(() => rejectWith(reason)));
          expect(verb).to.equal('error');
          expect(values[0]).to.be.instanceOf(Error);
        });
      }

      it('ignores a second outcome', async () => {
        const { verb, values } = await login(
          withVerify((_a: string, _r: string, p: AnyProfile, done: (...all: unknown[]) => void) => {
            done(null, { id: p.id });
            done(new Error('second'));
            return Promise.resolve({ id: 'third' });
          }),
        );
        expect(verb).to.equal('success');
        expect(values[0]).to.deep.equal({ id: 'zoe' });
      });

      it('is over in time: verify_timeout', async () => {
        const outcome = await login(withVerify(() => {}, { timeout: 1000 }));
        expect(errorOf(outcome)).to.include({ code: 'verify_timeout', stage: 'verify' });
      });

      it('has a limit of its own: verifyTimeout, beside that of the exchange', async () => {
        const slow = async () => {
          await pause(1300);
          return { id: 'zoe' };
        };
        const patient = await login(withVerify(slow, { timeout: 1000, verifyTimeout: 5000 }));
        expect(patient.verb).to.equal('success');
        answerLogin('zoe');
        const error = errorOf(await login(withVerify(() => {}, { verifyTimeout: 50 })));
        expect(error).to.include({ code: 'verify_timeout', stage: 'verify' });
        expect(error.message).to.equal('acme: not finished within 50 ms');
        expect(error.hint).to.include('`verifyTimeout`');
      });

      it('done() without a user refuses, and tells the slip where the application says nothing', async () => {
        const outcomeOf = async (...values: unknown[]) => {
          nock.cleanAll();
          answerLogin('zoe');
          type AnyDone = (...all: unknown[]) => void;
          return await login(
            withVerify((_a: unknown, _r: unknown, _p: unknown, done: AnyDone) => done(...values)),
          );
        };
        for (const values of [[], [null], [null, undefined, undefined]]) {
          const outcome = await outcomeOf(...values);
          expect(refusalOf(outcome)).to.deep.equal({
            code: 'verify_returned_nothing',
            status: undefined,
          });
        }
        const info = { message: 'not invited' };
        expect((await outcomeOf(null, undefined, info)).values[0]).to.equal(info);
        for (const user of [false, null]) {
          expect(await outcomeOf(null, user)).to.deep.equal({
            verb: 'fail',
            values: [{}, undefined],
          });
        }
      });
    });

    describe('skipUserProfile', () => {
      const profileOf = async (skipUserProfile: unknown) => {
        let seen: unknown = 'not called';
        const strategy = withVerify(
          (_a: string, _r: string, p: unknown, done: (...all: unknown[]) => void) => {
            seen = p;
            done(null, {});
          },
          { skipUserProfile },
        );
        const outcome = await login(strategy);
        if (outcome.verb !== 'success') throw outcome.values[0] as Error;
        return seen as AnyProfile | undefined;
      };
      beforeEach(() => answerLogin('zoe'));

      const skipping: [string, unknown][] = [
        ['true', true],
        ['a function', () => true],
        ['an async function', () => Promise.resolve(true)],
        ['a function of the token', (token: string) => token === 'at-zoe'],
        [
          'a function that calls back',
          (token: string, done: (...all: unknown[]) => void) => done(null, token === 'at-zoe'),
        ],
      ];
      for (const [title, value] of skipping) {
        it(`passport-oauth2 — ${title} asks for no profile`, async () => {
          expect(await profileOf(value)).to.equal(undefined);
          expect(nock.pendingMocks()).to.deep.equal([`GET ${ORIGIN}:443/me`]);
        });
      }

      const loading: [string, unknown][] = [
        ['false', false],
        ['a function', () => false],
        ['an async function', () => Promise.resolve(false)],
        [
          'a function that calls back',
          (_t: string, done: (...all: unknown[]) => void) => done(null, false),
        ],
      ];
      for (const [title, value] of loading) {
        it(`passport-oauth2 — ${title} of false asks for it`, async () => {
          expect((await profileOf(value))?.id).to.equal('zoe');
        });
      }

      it('fails with its error', async () => {
        const error = new Error('mine');
        const failing = (_t: string, done: (...all: unknown[]) => void) => done(error);
        const outcome = await login(make({ skipUserProfile: failing }));
        expect(outcome).to.deep.equal({ verb: 'error', values: [error] });
      });

      it('is over in time', async () => {
        const hanging = (_t: string, _done: () => void) => {};
        const outcome = await login(make({ skipUserProfile: hanging, timeout: 1000 }));
        expect(errorOf(outcome)).to.include({ code: 'timeout', stage: 'profile' });
      });
    });

    describe('hooks of a subclass', () => {
      it('tokenParams adds parameters, and replaces none of the protocol', async () => {
        class Sub extends AcmeStrategy {
          override tokenParams(options: AuthenticateOptions): object {
            return { resource: options.resource, code: 'mine', client_secret: 'mine' };
          }
        }
        const bodies: Record<string, string>[] = [];
        nock(ORIGIN)
          .post('/token', (body) => bodies.push(formOf(body)) > 0)
          .reply(200, { access_token: 'at-zoe' });
        nock(ORIGIN).get('/me').reply(200, { sub: 'zoe' });
        const strategy = new Sub(OPTIONS, accept);
        const session = {};
        const { state } = await start(strategy, session);
        await run(strategy, callback(session, { code: 'code-1', state }), { resource: 'r' });
        expect(bodies[0]).to.include({ resource: 'r', code: 'code-1', client_secret: SECRET });
      });

      it('userProfile gives the profile by callback', async () => {
        class Sub extends AcmeStrategy {
          override userProfile(
            accessToken: string,
            done: (error?: unknown, profile?: never) => void,
          ): void {
            done(null, { id: `own of ${accessToken}` } as never);
          }
        }
        answerLogin('zoe');
        const { values } = await login(new Sub(OPTIONS, accept));
        expect(values[0]).to.deep.equal({ id: 'own of at-zoe' });
      });

      for (const [title, fail] of [
        ['calls back with an error', (done: (error: unknown) => void, error: Error) => done(error)],
        ['rejects', (_done: unknown, error: Error) => Promise.reject(error)],
        [
          'throws',
          (_done: unknown, error: Error) => {
            throw error;
          },
        ],
      ] as const) {
        it(`userProfile fails when it ${title}`, async () => {
          const error = new Error('mine');
          class Sub extends AcmeStrategy {
            override userProfile(_accessToken: string, done: (error?: unknown) => void): void {
              return fail(done, error) as void;
            }
          }
          answerLogin('zoe');
          expect(await login(new Sub(OPTIONS, accept))).to.deep.equal({
            verb: 'error',
            values: [error],
          });
        });
      }

      it('userProfile that never answers is over in time', async () => {
        class Sub extends AcmeStrategy {
          override userProfile(): void {}
        }
        answerLogin('zoe');
        const outcome = await login(new Sub({ ...OPTIONS, timeout: 150 }, accept));
        expect(errorOf(outcome)).to.include({ code: 'timeout', stage: 'profile' });
      });

      it('userProfile may call super, which sees the whole token response', async () => {
        const provider = acmeWith({
          profileRequest: ({ response }) => ({
            url: `${ORIGIN}/me/${response.instance as string}`,
          }),
        });
        class Base extends strategyFor(provider) {}
        class Sub extends Base {
          override userProfile(
            accessToken: string,
            done: (error?: unknown, profile?: never) => void,
          ): void {
            super.userProfile(accessToken, (error, profile) => {
              done(error, { ...profile, id: `super ${profile?.id}` } as never);
            });
          }
        }
        nock(ORIGIN).post('/token').reply(200, { access_token: 'at-zoe', instance: 'na1' });
        nock(ORIGIN).get('/me/na1').reply(200, { sub: 'zoe' });
        const { values } = await login(new Sub(OPTIONS, accept));
        expect(values[0]).to.deep.equal({ id: 'super zoe' });
      });

      it('userProfile may be called without a login', async () => {
        nock(ORIGIN).get('/me').reply(200, { sub: 'zoe' });
        const profile = await new Promise<AnyProfile | undefined>((resolve, reject) => {
          make().userProfile('at-zoe', (error, value) => (error ? reject(error) : resolve(value)));
        });
        expect(profile?.id).to.equal('zoe');
      });

      it('userProfile without a login calls back with the error of passport-oauth2', async () => {
        nock(ORIGIN).get('/me').reply(503);
        const error = await new Promise((resolve) => {
          make().userProfile('at-zoe', resolve);
        });
        expect(error).to.be.instanceOf(InternalOAuthError);
        expect(error).to.include({ code: 'provider_unavailable', stage: 'profile' });
      });

      it('userProfile calls super within the deadline of the login', async () => {
        class Sub extends AcmeStrategy {
          override userProfile(
            accessToken: string,
            done: (error?: unknown, profile?: never) => void,
          ): void {
            super.userProfile(accessToken, (error, profile) => done(error, profile as never));
          }
        }
        const logins: unknown[] = [];
        const listen = (message: unknown) => {
          const { event, path, login: name } = message as DiagnosticsEvent & { path?: string };
          if (event === 'request' && path === '/me') logins.push(name);
        };
        subscribe('crm-oauth2', listen);
        try {
          answerLogin();
          await login(new Sub(OPTIONS, accept));
        } finally {
          unsubscribe('crm-oauth2', listen);
        }
        expect(logins).to.have.lengthOf(1);
        expect(logins[0], 'the name of the login').to.be.a('string');
      });

      it('parseErrorResponse judges an error of the token endpoint', async () => {
        const seen: unknown[] = [];
        const own = new Error('own');
        class Sub extends AcmeStrategy {
          override parseErrorResponse(body: string, status: number): Error | null {
            seen.push(body, status);
            return own;
          }
        }
        nock(ORIGIN).post('/token').reply(418, 'teapot');
        const outcome = await login(new Sub(OPTIONS, accept));
        expect(outcome).to.deep.equal({ verb: 'error', values: [own] });
        expect(seen).to.deep.equal(['teapot', 418]);
      });

      it('parseErrorResponse of null leaves it to us, and super reads RFC 6749 §5.2', async () => {
        const read: (Error | null)[] = [];
        class Sub extends AcmeStrategy {
          override parseErrorResponse(body: string, status: number): Error | null {
            read.push(super.parseErrorResponse(body, status));
            read.push(super.parseErrorResponse('<html>', 500));
            return null;
          }
        }
        nock(ORIGIN).post('/token').reply(400, { error: 'invalid_grant' });
        expect(errorOf(await login(new Sub(OPTIONS, accept))).code).to.equal('invalid_grant');
        expect(read[0]).to.be.instanceOf(TokenError);
        expect(read[0]).to.include({ code: 'invalid_grant', stage: 'token', status: 400 });
        expect(read[1]).to.equal(null);
      });
    });

    describe('parseErrorResponse, when the provider echoes what it was sent', () => {
      /** Answers with code, verifier and secret in it: as sent, percent-encoded, JSON-escaped. */
      function echo(answer: (words: string) => [number, string, Record<string, string>]): string[] {
        const secrets: string[] = [];
        const hex = (text: string, before: string) =>
          text.replace(/./g, (c) => before + c.charCodeAt(0).toString(16).padStart(2, '0'));
        nock(ORIGIN)
          .post('/token')
          .reply((_uri, body) => {
            const sent = formOf(body);
            for (const name of ['code', 'code_verifier', 'client_secret']) {
              const secret = sent[name] ?? '';
              expect(secret).to.have.length.above(5);
              secrets.push(secret, hex(secret, '%'), hex(secret, '\\u00'));
            }
            return answer(secrets.join(' '));
          });
        return secrets;
      }

      const json = (words: string): [number, string, Record<string, string>] => [
        400,
        `{"error":"invalid_grant","error_description":"no: ${words}","error_uri":"https://acme.test/?${words}"}`,
        { 'content-type': 'application/json' },
      ];
      const page = (words: string): [number, string, Record<string, string>] => [
        400,
        `<html><pre>${words}</pre></html>`,
        { 'content-type': 'text/html' },
      ];

      function expectSilence(error: unknown, secrets: readonly string[]): void {
        expect(secrets).to.have.lengthOf(9);
        const printed = [
          (error as Error).message,
          (error as Error).stack,
          String(error),
          JSON.stringify(error),
          inspect(error, { depth: 10, showHidden: true, getters: true }),
        ].join('\n');
        for (const secret of secrets) expect(printed).not.to.include(secret);
      }

      class CallsSuper extends AcmeStrategy {
        override parseErrorResponse(body: string, status: number): Error | null {
          return super.parseErrorResponse(body, status);
        }
      }
      class ReadsJson extends AcmeStrategy {
        override parseErrorResponse(body: string, status: number): Error | null {
          const { error_description: words } = JSON.parse(body) as Record<string, string>;
          return new Error(`${status} ${words}`, { cause: body });
        }
      }

      it('RFC 6749 §5.2 — tells none of it through super', async () => {
        const secrets = echo(json);
        const { verb, values } = await login(new CallsSuper(OPTIONS, accept));
        expect(verb).to.equal('error');
        expect(values[0]).to.be.instanceOf(TokenError);
        expect(values[0]).to.include({ code: 'invalid_grant', provider: 'acme', stage: 'token' });
        expect((values[0] as Error).message).to.include('no: [redacted]');
        expectSilence(values[0], secrets);
      });

      it('tells none of it through an error of its own', async () => {
        const secrets = echo(json);
        const { verb, values } = await login(new ReadsJson(OPTIONS, accept));
        expect(verb).to.equal('error');
        expect((values[0] as Error).message).to.include('400 no: [redacted]');
        expectSilence(values[0], secrets);
      });

      for (const Sub of [CallsSuper, ReadsJson]) {
        it(`a web page ends as our own error, also where it ${Sub.name}`, async () => {
          const secrets = echo(page);
          const outcome = await login(new Sub(OPTIONS, accept));
          const error = errorOf(outcome);
          expect(error).to.be.instanceOf(InternalOAuthError);
          expect(error).to.include({ code: 'unexpected_status', status: 400, stage: 'token' });
          expectSilence(error, secrets);
        });
      }
    });

    describe('overlapping logins', () => {
      it('Passport — two on one instance end as two different users', async () => {
        const strategy = make();
        const session = {};
        const zoe = await start(strategy, session);
        const ada = await start(strategy, session);
        for (const [person, delay] of [
          ['zoe', 40],
          ['ada', 5],
        ] as const) {
          nock(ORIGIN)
            .post('/token', (body) => formOf(body).code === person)
            .delay(delay)
            .reply(200, { access_token: `at-${person}` });
          nock(ORIGIN, { reqheaders: { authorization: `Bearer at-${person}` } })
            .get('/me')
            .reply(200, { sub: person });
        }
        // The same instance, on which each call replaces the verbs of the one before.
        const [first, second] = await Promise.all([
          runOn(strategy, callback(session, { code: 'zoe', state: zoe.state }), {}),
          runOn(strategy, callback(session, { code: 'ada', state: ada.state }), {}),
        ]);
        expect(first).to.deep.equal({ verb: 'success', values: [{ id: 'zoe' }, {}] });
        expect(second).to.deep.equal({ verb: 'success', values: [{ id: 'ada' }, {}] });
      });

      it('all tabs of one browser finish, in any order', async () => {
        const strategy = make();
        const session = {};
        const tabs = [];
        for (let i = 0; i < 4; i += 1) tabs.push(await start(strategy, session, { state: i }));
        for (const [index, { state }] of [...tabs.entries()].toReversed()) {
          answerLogin(`person-${index}`);
          const { values } = await run(strategy, callback(session, { code: 'code-1', state }));
          expect(values).to.deep.equal([{ id: `person-${index}` }, { state: index }]);
        }
      });
    });

    describe('a store', () => {
      it('may be asynchronous', async () => {
        const attempts = new Map<string, unknown>();
        const store = {
          begin: async (_req: unknown, attempt: { state: string }) => {
            await pause(1);
            attempts.set(attempt.state, attempt);
          },
          take: async (_req: unknown, state: string) => {
            await pause(1);
            return attempts.get(state) ?? 'state_unknown';
          },
        };
        answerLogin('zoe');
        expect((await login(make({ store }))).verb).to.equal('success');
      });

      for (const method of ['begin', 'take'] as const) {
        it(`whose ${method} never answers ends in an error in time`, async () => {
          const store = {
            begin: () => (method === 'begin' ? never : undefined),
            take: () => never,
          };
          const strategy = make({ store, timeout: 60 });
          const req =
            method === 'begin' ? request() : request({ query: { code: 'c', state: 's' } });
          expect(errorOf(await run(strategy, req))).to.include({
            code: 'timeout',
            stage: 'authorize',
          });
        });

        it(`whose ${method} fails ends in that error`, async () => {
          const error = new Error('redis');
          const failing = () => {
            throw error;
          };
          const store = { begin: failing, take: failing };
          const req =
            method === 'begin' ? request() : request({ query: { code: 'c', state: 's' } });
          expect(await run(make({ store }), req)).to.deep.equal({ verb: 'error', values: [error] });
        });
      }

      for (const nothing of [undefined, null]) {
        it(`whose take returns ${nothing} has no such login: 403`, async () => {
          for (const take of [() => nothing, () => Promise.resolve(nothing)]) {
            const strategy = make({ store: { begin: () => {}, take } });
            for (const query of [
              { code: 'code-1', state: 's' },
              { error: 'x', state: 's' },
            ]) {
              const req = request({ query, session: { cart: 1 } });
              expect(refusalOf(await run(strategy, req))).to.deep.equal({
                code: 'state_unknown',
                status: 403,
              });
            }
          }
        });
      }

      it('of cookies serves a login without a session', async () => {
        const store = new CookieStateStore({ secrets: ['x'.repeat(32)] });
        const headers = new Map<string, unknown>();
        const res = {
          getHeader: (name: string) => headers.get(name.toLowerCase()),
          setHeader: (name: string, value: unknown) => headers.set(name.toLowerCase(), value),
        };
        const strategy = make({ store });
        const { values } = await run(strategy, request({ session: undefined, res }));
        const [line = ''] = headers.get('set-cookie') as string[];
        const cookie = line.split(';')[0];
        const state = new URL(values[0] as string).searchParams.get('state');
        const back = () =>
          request({
            session: undefined,
            res,
            headers: { cookie },
            query: { code: 'code-1', state },
          });
        answerLogin('zoe');
        expect((await run(strategy, back())).verb).to.equal('success');
        // The browser may have kept a copy.
        expect(refusalOf(await run(strategy, back()))).to.deep.equal({
          code: 'already_completed',
          status: 403,
        });
      });

      it('RFC 9700 §4.7 — of cookies gives back an expired attempt, and the login is refused', async () => {
        const store = new CookieStateStore({ secrets: ['x'.repeat(32)] });
        const strategy = make({ store });
        const lines: string[] = [];
        const res = {
          getHeader: () => undefined,
          setHeader: (_name: string, value: string[]) => lines.push(...value),
        };
        const realNow = Date.now;
        try {
          const { values } = await run(strategy, request({ session: undefined, res }));
          const state = new URL(values[0] as string).searchParams.get('state');
          Date.now = () => realNow() + 600_000;
          const [cookie] = (lines[0] ?? '').split(';');
          const back = { headers: { cookie }, query: { code: 'code-1', state } };
          const outcome = await run(strategy, request({ session: undefined, res, ...back }));
          expect(refusalOf(outcome)).to.deep.equal({ code: 'state_expired', status: 403 });
        } finally {
          Date.now = realNow;
        }
      });
    });

    describe('_oauth2', () => {
      type Refresh = (
        token: string,
        params: object,
        done: (
          error: unknown,
          accessToken?: string,
          refreshToken?: string,
          params?: object,
        ) => void,
      ) => void;

      it('passport-oauth2 — has its fields', () => {
        const customHeaders = { 'X-Trace': '1' };
        const strategy = make({ scope: 'read write', customHeaders });
        expect(Reflect.get(strategy, '_callbackURL')).to.equal(CALLBACK);
        expect(Reflect.get(strategy, '_scope')).to.deep.equal(['read', 'write']);
        const headers: unknown = Reflect.get(oauth2Of(strategy), '_customHeaders');
        expect(headers).to.deep.include(customHeaders);
        expect(headers, 'a copy').not.to.equal(customHeaders);
        const chosen = make({ callbackURL: () => CALLBACK });
        expect(Reflect.get(chosen, '_callbackURL')).to.equal(undefined);
      });

      it('passport-oauth2-refresh — has the same URLs, and refreshes through the client', async () => {
        const strategy = make({ customHeaders: { 'X-Trace': '1' } });
        const oauth2 = oauth2Of(strategy);
        expect(Reflect.get(oauth2, '_clientId')).to.equal('client-1');
        expect(Reflect.get(oauth2, '_accessTokenUrl')).to.equal(`${ORIGIN}/token`);
        expect(Reflect.get(oauth2, '_authorizeUrl')).to.equal(`${ORIGIN}/authorize`);
        const bodies: Record<string, string>[] = [];
        nock(ORIGIN, { reqheaders: { 'x-trace': '1' } })
          .post('/token', (body) => bodies.push(formOf(body)) > 0)
          .reply(200, { access_token: 'at-2' });
        const refresh = oauth2.getOAuthAccessToken.bind(oauth2) as unknown as Refresh;
        const results = await new Promise((resolve) => {
          refresh('rt-1', { grant_type: 'refresh_token', scope: 'read' }, (...values) =>
            resolve(values),
          );
        });
        expect(results).to.deep.equal([null, 'at-2', 'rt-1', { access_token: 'at-2' }]);
        expect(bodies[0]).to.include({
          grant_type: 'refresh_token',
          refresh_token: 'rt-1',
          scope: 'read',
        });
      });

      it('RFC 6750 §2.3 — sends no token in a URL', async () => {
        const oauth2 = oauth2Of(make());
        nock(ORIGIN, { reqheaders: { authorization: 'Bearer at-1' } })
          .get('/anything')
          .query({})
          .reply(200, 'ok');
        const body = await new Promise((resolve, reject) => {
          oauth2.get(`${ORIGIN}/anything`, 'at-1', (error, result) =>
            error ? reject(new Error(JSON.stringify(error))) : resolve(result),
          );
        });
        expect(body).to.equal('ok');
      });
    });
  });

  describe('on real sockets', () => {
    useRealSockets();
    const strategies: AcmeStrategy[] = [];
    afterEach(() => {
      for (const strategy of strategies.splice(0)) strategy.client.close();
    });

    it('one deadline covers token and profile together', async () => {
      // Each answer alone is in time; both together are not.
      const origin = await httpServer((req, res) => {
        res.setHeader('content-type', 'application/json');
        const body = req.url === '/token' ? { access_token: 'at-zoe' } : { sub: 'zoe' };
        setTimeout(() => res.end(JSON.stringify(body)), 200);
      });
      const strategy = make({
        tokenURL: `${origin}/token`,
        userInfoURL: `${origin}/me`,
        timeout: 300,
      });
      strategies.push(strategy);
      expect(errorOf(await login(strategy))).to.include({ code: 'timeout' });
    });

    it('a provider that says nothing ends in an error', async () => {
      const origin = await httpServer(() => {});
      const strategy = make({ tokenURL: `${origin}/token`, timeout: 80 });
      strategies.push(strategy);
      expect(errorOf(await login(strategy))).to.include({ code: 'timeout', stage: 'token' });
    });
  });

  it('a verb that throws is told to Passport as an error', async () => {
    const own = Object.create(make()) as AcmeStrategy;
    const error = new Error('headers already sent');
    const told = await new Promise((resolve) => {
      Object.assign(own, {
        success: () => {},
        fail: () => {},
        pass: () => {},
        redirect: () => {
          throw error;
        },
        error: resolve,
      });
      own.authenticate(request());
    });
    expect(told).to.equal(error);
  });

  it('describes acme as it was given', () => {
    expect(make().client.provider).to.equal(acme);
    expect(make({ ...CREDENTIALS }).client.clientID).to.equal(CREDENTIALS.clientID);
  });
});

/** Older code uses it; it is protected in the types only. */
function oauth2Of(strategy: AcmeStrategy): OAuth2Strategy['_oauth2'] {
  return Reflect.get(strategy, '_oauth2') as OAuth2Strategy['_oauth2'];
}

/** A promise rejected with whatever an application may reject with. */
function rejectWith(reason: unknown): Promise<never> {
  return new Promise((_resolve, reject) => {
    Reflect.apply(reject, undefined, [reason]);
  });
}
