/**
 * The contract of a provider, proved against the emulator over real sockets. Each provider's own test
 * calls it, and adds the tests of its own oddities.
 */
import { inspect } from 'node:util';
import { expect } from 'chai';
import { startEmulator } from 'crm-emulator';
import type { Emulator, Fault, ProviderName, RequestRecord, Step } from 'crm-emulator';
import { isOAuth2Error } from 'crm-oauth2';
import type { Endpoints, OAuth2Error, Profile, TokenSet } from 'crm-oauth2';
import { CookieStateStore, TokenError } from 'crm-oauth2/passport';
import type { StateStore, TypedVerify, VerifyContext } from 'crm-oauth2/passport';
import { rejection } from 'crm-oauth2/testing';
import OAuth2Strategy from 'passport-oauth2';
import { AuthTokenRefresh } from 'passport-oauth2-refresh';
import { Browser } from './support/browser';
import { startApp } from './support/express-app';
import { expectVerb, requestFor, run } from './support/passport-run';
import { straysOf } from './support/strays';
import type { Stray } from './support/strays';
import type { Outcome, RunnableStrategy } from './support/passport-run';

export const CALLBACK = 'http://127.0.0.1:3000/auth/callback';

const isForKeys = (path: string) => /jwks|keys$/.test(path);

/** The argument of verify, which is also the user that it returns. */
export interface LoggedIn {
  tokens: TokenSet;
  profile: Profile;
  state: unknown;
}

/** The options that a test may set beside those of the emulator. */
export interface Settings {
  callbackURL: string;
  verify: TypedVerify;
  clientID?: string;
  clientSecret?: string;
  scope?: readonly string[];
  timeout?: number;
  store?: StateStore;
  /** SalesOS only. */
  userInfo?: boolean;
}

/** A strategy with as much of its type as the providers have in common. */
export interface StrategyUnderTest extends RunnableStrategy {
  client: {
    readonly endpoints: Readonly<Endpoints>;
    refreshTokenGrant(refreshToken: string): Promise<TokenSet>;
    clientCredentialsGrant(): Promise<TokenSet>;
    revokeToken(token: string): Promise<void>;
    fetchProfile(tokens: TokenSet): Promise<Profile>;
    close(): void;
  };
}

export interface Persona {
  create: (emulator: Emulator, settings: Settings) => StrategyUnderTest;
  /** Requests of a login after its callback, once the keys are known. */
  requestsPerLogin: number;
  /** True if the first login asks for signing keys too. */
  keys: boolean;
  /** The scopes that get a refresh token, and true if it changes with every use. */
  refresh: { scope?: readonly string[]; rotates: boolean };
  clientCredentials: boolean;
  /** The step of the emulator that answers for the profile, and the settings with which a login asks for it. */
  profile: { step: Step; settings?: Partial<Settings>; redirected: string };
}

/** The tools of the tests that a provider adds. */
export interface Suite {
  emulator(): Emulator;
  create(settings?: Partial<Settings>): StrategyUnderTest;
  begin(strategy: StrategyUnderTest, session: object, options?: object): Promise<string>;
  finish(strategy: StrategyUnderTest, callback: string, session?: object): Promise<Outcome>;
  /** Signs in and comes back. */
  attempt(
    strategy: StrategyUnderTest,
    who: string,
    options?: object,
  ): Promise<{ outcome: Outcome; requests: RequestRecord[] }>;
  login(strategy: StrategyUnderTest, who?: string, options?: object): Promise<LoggedIn>;
  /** The error that a login ends with. */
  failure(strategy: StrategyUnderTest, who?: string): Promise<OAuth2Error>;
}

type Spoil = { kind: Fault['kind'] } & Record<string, unknown>;

/** Each fault, and its code at the token endpoint and at the profile. */
const FAULTS: readonly [string, Spoil, string, string][] = [
  ['resets the connection', { kind: 'reset' }, 'connection_failed', 'connection_failed'],
  [
    'resets the connection after the headers',
    { kind: 'reset-after-headers' },
    'incomplete_response',
    'incomplete_response',
  ],
  ['stops half-way', { kind: 'cut' }, 'incomplete_response', 'incomplete_response'],
  ['never ends', { kind: 'endless' }, 'response_too_large', 'response_too_large'],
  ['answers 16 MiB', { kind: 'huge' }, 'response_too_large', 'response_too_large'],
  [
    'answers compressed',
    { kind: 'gzip' },
    'unexpected_content_encoding',
    'unexpected_content_encoding',
  ],
  [
    'answers with a web page',
    { kind: 'html' },
    'unexpected_content_type',
    'unexpected_content_type',
  ],
  [
    'answers with a wrong content type',
    { kind: 'wrong-content-type' },
    'unexpected_content_type',
    'unexpected_content_type',
  ],
  ['answers with nothing', { kind: 'empty' }, 'invalid_json', 'invalid_json'],
  ['answers with broken JSON', { kind: 'not-json' }, 'invalid_json', 'invalid_json'],
  ['answers {}', { kind: 'json', body: {} }, 'invalid_token_response', 'invalid_profile'],
  ['answers null', { kind: 'json', body: null }, 'invalid_token_response', 'invalid_profile'],
  ['answers a list', { kind: 'json', body: [] }, 'invalid_token_response', 'invalid_profile'],
  [
    'answers 500',
    { kind: 'status', status: 500, body: 'Internal Server Error' },
    'provider_unavailable',
    'provider_unavailable',
  ],
  [
    'answers 503 with a web page',
    { kind: 'status', status: 503, body: '<html></html>' },
    'provider_unavailable',
    'provider_unavailable',
  ],
  ['answers 429', { kind: 'status', status: 429, retryAfter: 30 }, 'rate_limited', 'rate_limited'],
  [
    'answers 401',
    { kind: 'status', status: 401, body: 'No' },
    'unexpected_status',
    'invalid_token',
  ],
  [
    'answers 403',
    { kind: 'status', status: 403, body: 'No' },
    'unexpected_status',
    'insufficient_scope',
  ],
  [
    'answers 404',
    { kind: 'status', status: 404, body: 'No' },
    'unexpected_status',
    'unexpected_status',
  ],
];

/** Faults that only a deadline ends. */
const STALLS: readonly [string, Spoil][] = [
  ['never answers', { kind: 'silent' }],
  ['answers too late', { kind: 'slow', delayMs: 60_000 }],
  ['answers byte by byte', { kind: 'drip', intervalMs: 60 }],
];
const STALL_TIMEOUT = 250;

/** A wrong value in a token response that is otherwise right. */
const PATCHES: readonly [string, Record<string, unknown>, string][] = [
  ['has no access_token', { access_token: null }, 'invalid_token_response'],
  ['has a number for an access_token', { access_token: 5 }, 'invalid_token_response'],
  ['has a line feed in its access_token', { access_token: 'a\r\nb: c' }, 'invalid_token_response'],
  ['has another token_type', { token_type: 'mac' }, 'unsupported_token_type'],
];

export function describeProvider(
  name: ProviderName,
  persona: Persona,
  more: (suite: Suite) => void = () => undefined,
): void {
  let emulator: Emulator;
  let created: StrategyUnderTest[] = [];

  const verify = ({ tokens, profile, state }: VerifyContext): LoggedIn => ({
    tokens,
    profile,
    state,
  });

  function create(settings: Partial<Settings> = {}): StrategyUnderTest {
    const strategy = persona.create(emulator, { callbackURL: CALLBACK, verify, ...settings });
    created.push(strategy);
    return strategy;
  }

  async function begin(
    strategy: StrategyUnderTest,
    session: object,
    options: object = {},
  ): Promise<string> {
    const request = requestFor(CALLBACK.replace('/callback', ''), session as Session);
    return expectVerb(await run(strategy, request, options), 'redirect').url;
  }

  async function finish(
    strategy: StrategyUnderTest,
    callback: string,
    session?: object,
  ): Promise<Outcome> {
    return await run(strategy, requestFor(callback, session as Session | undefined));
  }

  async function attempt(strategy: StrategyUnderTest, who: string, options: object = {}) {
    const session: Session = {};
    const url = await begin(strategy, session, options);
    const callback = await new Browser().signIn(url, who);
    const before = emulator[name].requests.length;
    const outcome = await finish(strategy, callback, session);
    return { outcome, requests: emulator[name].requests.slice(before) };
  }

  async function login(strategy: StrategyUnderTest, who = 'Marta Quill', options: object = {}) {
    const { outcome } = await attempt(strategy, who, options);
    return expectVerb(outcome, 'success').user as LoggedIn;
  }

  async function failure(strategy: StrategyUnderTest, who = 'Marta Quill'): Promise<OAuth2Error> {
    const { error } = expectVerb((await attempt(strategy, who)).outcome, 'error');
    if (!isOAuth2Error(error)) throw error;
    return error;
  }

  /** The request of a callback that must end before the provider is asked. */
  async function refusedAtOnce(
    strategy: StrategyUnderTest,
    callback: string,
    session: object | undefined,
    code: string,
  ): Promise<void> {
    const before = emulator[name].requests.length;
    const outcome = expectVerb(await finish(strategy, callback, session), 'fail');
    expect(outcome.status).to.equal(403);
    expect(outcome.info).to.include({ code });
    expect(outcome.info).to.have.all.keys('message', 'code', 'hint');
    expect(emulator[name].requests.length - before).to.equal(0);
  }

  const host = () => new URL(emulator[name].origin).host;

  describe(`${name} against the emulator`, () => {
    before(async () => {
      emulator = await startEmulator({ port: 0 });
    });
    afterEach(() => {
      emulator[name].clearFaults();
      for (const strategy of created) strategy.client.close();
      created = [];
    });
    after(() => emulator.close());

    describe('a login', () => {
      it('Passport — ends with the profile and the tokens', async () => {
        const { profile, tokens } = await login(create());
        expect(profile).to.include({ provider: name, displayName: 'Marta Quill' });
        expect(profile.emails?.[0]?.value).to.equal('marta.quill@example.com');
        expect(profile.name).to.deep.equal({ givenName: 'Marta', familyName: 'Quill' });
        expect(profile._json).to.be.an('object');
        expect(profile._raw).to.be.a('string').and.contain('Marta Quill');
        expect(tokens.tokenType).to.equal('Bearer');
        expect(tokens.accessToken).to.equal(tokens.response.access_token);
      });

      it('Passport — keeps a name beyond ASCII', async () => {
        const { profile } = await login(create(persona.profile.settings), 'Zoë Ångström');
        expect(profile.displayName).to.equal('Zoë Ångström');
        expect(profile.name).to.deep.equal({ givenName: 'Zoë', familyName: 'Ångström' });
        expect(profile._raw).to.contain('Zoë Ångström');
      });

      it('Passport — has no emails for a person without an address', async () => {
        const { profile } = await login(create(), 'Tobias Fenn');
        expect(profile.displayName).to.equal('Tobias Fenn');
        expect(profile).not.to.have.property('emails');
      });

      it('Passport — knows a person who has one name', async () => {
        const { profile } = await login(create(), 'Suri');
        expect(profile.displayName).to.equal('Suri');
        expect(profile.name?.familyName).to.equal('Suri');
        expect(profile.name).not.to.have.property('givenName');
      });

      it('Passport — gives each person an id, and always the same one', async () => {
        const strategy = create();
        const people = ['Marta Quill', 'Zoë Ångström', 'Tobias Fenn', 'Suri', 'Marta Quill'];
        const ids: string[] = [];
        for (const who of people) ids.push((await login(strategy, who)).profile.id);
        expect(new Set(ids).size).to.equal(4);
        expect(ids[4]).to.equal(ids[0]);
      });

      it(`performance — asks the provider ${persona.requestsPerLogin} times`, async () => {
        const strategy = create();
        const start = emulator[name].requests.length;
        for (const who of ['Marta Quill', 'Zoë Ångström', 'Tobias Fenn']) {
          const { requests } = await attempt(strategy, who);
          const asked = requests.filter(({ path }) => !isForKeys(path));
          expect(asked.length).to.equal(persona.requestsPerLogin);
          expect(requests.every(({ status }) => status === 200)).to.equal(true);
        }
        // The keys come while the first person is away, and stay.
        const all = emulator[name].requests.slice(start);
        expect(all.filter(({ path }) => isForKeys(path))).to.have.lengthOf(persona.keys ? 1 : 0);
      });

      it('RFC 6750 §2.1 — sends the access token in the header, and for the profile only', async () => {
        const { requests } = await attempt(create(persona.profile.settings), 'Marta Quill');
        const schemes = requests.map(({ method, headers }) => `${method} ${headers.authorization}`);
        expect(schemes.filter((scheme) => scheme === 'GET Bearer')).to.have.lengthOf(1);
        expect(schemes.filter((scheme) => scheme.startsWith('POST'))).to.deep.equal([
          'POST undefined',
        ]);
      });

      it('contract 3 — brings the state of the application back, and keeps it out of the URL', async () => {
        const strategy = create();
        const state = { returnTo: '/deals/42', nested: ['ü'] };
        const session: Session = {};
        const url = await begin(strategy, session, { state });
        expect(new URL(url).searchParams.get('state')).to.match(/^[\w-]{32}$/);
        expect(decodeURIComponent(url)).not.to.contain('deals');
        const callback = await new Browser().signIn(url, 'Marta Quill');
        const outcome = expectVerb(await finish(strategy, callback, session), 'success');
        expect(outcome.info).to.deep.equal({ state });
        expect((outcome.user as LoggedIn).state).to.deep.equal(state);
      });

      it('contract 3 — leaves nothing behind in the session', async () => {
        const strategy = create();
        const session: Session = { cart: 1 };
        const url = await begin(strategy, session);
        expect(Object.keys(session)).to.deep.equal(['cart', `oauth2:${name}`]);
        const callback = await new Browser().signIn(url, 'Marta Quill');
        await finish(strategy, callback, session);
        expect(JSON.parse(JSON.stringify(session))).to.deep.equal({ cart: 1 });
      });
    });

    describe('refusals', () => {
      it('RFC 6749 §4.1.2.1 — fails with 401 when the person denies', async () => {
        const { outcome, requests } = await attempt(create(), 'deny');
        const { info, status } = expectVerb(outcome, 'fail');
        expect(status).to.equal(401);
        expect(info).to.include({ code: 'access_denied' });
        expect(requests).to.deep.equal([]);
      });

      it('RFC 6749 §4.1.2 — fails when state is missing', async () => {
        const session: Session = {};
        const strategy = create();
        const callback = new URL(
          await new Browser().signIn(await begin(strategy, session), 'Marta Quill'),
        );
        callback.searchParams.delete('state');
        await refusedAtOnce(strategy, callback.href, session, 'state_missing');
      });

      it('RFC 6749 §10.12 — fails when state is forged', async () => {
        const session: Session = {};
        const strategy = create();
        const callback = new URL(
          await new Browser().signIn(await begin(strategy, session), 'Marta Quill'),
        );
        for (const state of ['x'.repeat(32), '__proto__', 'constructor', 'toString']) {
          callback.searchParams.set('state', state);
          await refusedAtOnce(strategy, callback.href, session, 'state_unknown');
        }
      });

      it('RFC 6749 §10.12 — fails when the login was begun in another browser', async () => {
        const strategy = create();
        const callback = await new Browser().signIn(await begin(strategy, {}), 'Marta Quill');
        const victim: Session = {};
        await begin(strategy, victim);
        await refusedAtOnce(strategy, callback, victim, 'other_browser');
        await refusedAtOnce(strategy, callback, {}, 'cookie_missing');
        await refusedAtOnce(strategy, callback, undefined, 'session_missing');
      });

      it('RFC 9700 §4.4 — fails when the login was begun by another client', async () => {
        const session: Session = {};
        const callback = await new Browser().signIn(await begin(create(), session), 'Marta Quill');
        const other = create({ clientID: 'another-client' });
        await refusedAtOnce(other, callback, session, 'state_of_another_client');
      });

      it('contract 3 — fails when the login took longer than ten minutes', async () => {
        const session: Session = {};
        const strategy = create();
        const callback = await new Browser().signIn(await begin(strategy, session), 'Marta Quill');
        for (const pending of pendingIn(session, name)) pending.expiresAt = Date.now() - 1;
        await refusedAtOnce(strategy, callback, session, 'state_expired');
      });

      it('RFC 6749 §4.1.2 — fails on state before an error is believed', async () => {
        await refusedAtOnce(
          create(),
          `${CALLBACK}?error=access_denied&state=forged`,
          {},
          'cookie_missing',
        );
      });

      it('RFC 9700 §4.5 — fails when the callback is visited again', async () => {
        const session: Session = {};
        const strategy = create();
        const callback = await new Browser().signIn(await begin(strategy, session), 'Marta Quill');
        expectVerb(await finish(strategy, callback, session), 'success');
        await refusedAtOnce(strategy, callback, session, 'already_completed');
      });

      it('RFC 9700 §4.5 — reports a code that was redeemed before', async () => {
        const strategy = create();
        const used: Session = {};
        const callback = new URL(
          await new Browser().signIn(await begin(strategy, used), 'Marta Quill'),
        );
        expectVerb(await finish(strategy, callback.href, used), 'success');
        const session: Session = {};
        const state = new URL(await begin(strategy, session)).searchParams.get('state');
        callback.searchParams.set('state', state ?? '');
        const { error } = expectVerb(await finish(strategy, callback.href, session), 'error');
        expect(error).to.be.instanceOf(TokenError);
        expect(error).to.include({ code: 'invalid_grant', stage: 'token', host: host() });
      });

      it('RFC 9207 §2.4 — fails when iss names another authorization server', async () => {
        const session: Session = {};
        const strategy = create();
        const callback = new URL(
          await new Browser().signIn(await begin(strategy, session), 'Marta Quill'),
        );
        callback.searchParams.set('iss', 'https://evil.example');
        await refusedAtOnce(strategy, callback.href, session, 'issuer_mismatch');
      });
    });

    describe('several logins at once', () => {
      it('contract 3 — finishes two tabs of one browser, in either order', async () => {
        const strategy = create();
        const session: Session = {};
        const urls = [await begin(strategy, session), await begin(strategy, session)] as const;
        const first = await new Browser().signIn(urls[0], 'Marta Quill');
        const second = await new Browser().signIn(urls[1], 'Zoë Ångström');
        expect(nameOf(await finish(strategy, second, session))).to.equal('Zoë Ångström');
        expect(nameOf(await finish(strategy, first, session))).to.equal('Marta Quill');
      });

      it('Passport — two overlapping logins by one instance end as two different users', async () => {
        const strategy = create();
        const begun = await Promise.all(
          ['Marta Quill', 'Zoë Ångström'].map(async (who) => {
            const session: Session = {};
            const url = await begin(strategy, session);
            return requestFor(await new Browser().signIn(url, who), session);
          }),
        );
        // The first one waits, so that the second overtakes it.
        emulator[name].fault({ step: 'token', kind: 'slow', delayMs: 100 });
        const outcomes = await Promise.all(
          begun.map((request) => run(strategy, request, {}, { onInstance: true })),
        );
        expect(outcomes.map(nameOf)).to.deep.equal(['Marta Quill', 'Zoë Ångström']);
      });

      it('contract 3 — keeps twelve overlapping logins apart', async () => {
        const strategy = create();
        const people = Array.from({ length: 12 }, (_, index) =>
          index % 2 === 0 ? 'Tobias Fenn' : 'Zoë Ångström',
        );
        const users = await Promise.all(people.map((who) => login(strategy, who)));
        expect(users.map(({ profile }) => profile.displayName)).to.deep.equal(people);
        const owners = new Map(
          users.map(({ tokens, profile }) => [tokens.accessToken, profile.id]),
        );
        for (const { tokens, profile } of users) {
          expect(owners.get(tokens.accessToken)).to.equal(profile.id);
        }
      });
    });

    describe('the token request', () => {
      it('RFC 6749 §5.2 — reports a wrong secret without repeating it', async () => {
        const clientSecret = 'a-wrong-secret-to-be-hidden';
        const error = await failure(create({ clientSecret }));
        expect(error).to.be.instanceOf(TokenError);
        expect(error).to.be.instanceOf(OAuth2Strategy.TokenError);
        expect(error).to.include({
          code: 'invalid_client',
          provider: name,
          stage: 'token',
          host: host(),
        });
        expect(error.hint).to.match(/secret/i);
        expectSilence(error, [clientSecret]);
      });

      it('RFC 7636 §4.6 — is refused when the code verifier is another one', async () => {
        const strategy = create();
        const session: Session = {};
        const callback = await new Browser().signIn(await begin(strategy, session), 'Marta Quill');
        const verifier = 'v'.repeat(43);
        for (const pending of pendingIn(session, name)) pending.codeVerifier = verifier;
        const { error } = expectVerb(await finish(strategy, callback, session), 'error');
        expect(error).to.include({ code: 'invalid_grant', stage: 'token' });
        expectSilence(error, [verifier]);
      });

      for (const [what, merge, code] of PATCHES) {
        it(`RFC 6749 §5.1 — refuses a token response that ${what}`, async () => {
          emulator[name].fault({ step: 'token', kind: 'patch', merge });
          expect(await failure(create())).to.include({ code, stage: 'token', host: host() });
        });
      }

      it('RFC 6749 §5.2 — passes an unknown error code on, with its status', async () => {
        const body = { error: 'brand_new', error_description: 'Said\nover two lines' };
        emulator[name].fault({ step: 'token', kind: 'json', status: 418, body });
        const error = await failure(create());
        expect(error).to.be.instanceOf(TokenError);
        expect(error).to.include({ code: 'brand_new', status: 418 });
        expect(error.message).to.contain('Said over two lines');
      });

      it('contract 6 — follows no redirect, and sends the code to the token endpoint alone', async () => {
        const other = emulator[name === 'salesos' ? 'salesloft' : 'salesos'];
        const before = other.requests.length;
        const location = `${other.origin}/elsewhere`;
        for (const status of [302, 307, 308]) {
          emulator[name].fault({ step: 'token', kind: 'redirect', location, status });
          expect(await failure(create())).to.include({ code: 'unexpected_redirect', status });
        }
        expect(other.requests.length - before).to.equal(0);
      });
    });

    function spoiled(
      stage: 'token' | 'profile',
      step: Step,
      settings: Partial<Settings> | undefined,
    ): void {
      for (const [what, spoil, tokenCode, profileCode] of FAULTS) {
        const code = stage === 'token' ? tokenCode : profileCode;
        it(`contract 6 — says ${code} when it ${what}`, async () => {
          // A GET is tried once more when a kept connection breaks, hence twice.
          emulator[name].fault({ ...spoil, step, times: 2 } as Fault);
          const started = performance.now();
          const error = await failure(create({ ...settings, timeout: 5_000 }));
          expect(performance.now() - started).to.be.below(5_000);
          expect(error).to.include({ code, provider: name, stage, host: host() });
          expect(error.hint).to.be.a('string');
          expect(error.retryAfterSeconds).to.equal(code === 'rate_limited' ? 30 : undefined);
          expectSilence(error, [emulator[name].clientSecret, 'cut-off-in-the-mid']);
        });
      }

      for (const [what, spoil] of STALLS) {
        it(`contract 3 — says timeout, in time, when it ${what}`, async () => {
          emulator[name].fault({ ...spoil, step } as Fault);
          const strategy = create({ ...settings, timeout: STALL_TIMEOUT });
          const session: Session = {};
          const url = await begin(strategy, session);
          const callback = await new Browser().signIn(url, 'Marta Quill');
          const started = performance.now();
          const { error } = expectVerb(await finish(strategy, callback, session), 'error');
          expect(performance.now() - started).to.be.within(
            STALL_TIMEOUT - 20,
            STALL_TIMEOUT + 1_000,
          );
          expect(error).to.include({ code: 'timeout', provider: name, stage, host: host() });
        });
      }
    }

    describe('a token endpoint', () => spoiled('token', 'token', undefined));

    describe('a profile', () => {
      const { step, settings, redirected } = persona.profile;
      spoiled('profile', step, settings);

      it(`contract 4 — says ${redirected} when it redirects to a foreign host`, async () => {
        const location = 'http://127.0.0.2:9/elsewhere';
        emulator[name].fault({ step, kind: 'redirect', location });
        expect(await failure(create(settings))).to.include({ code: redirected, stage: 'profile' });
      });
    });

    if (persona.keys) {
      describe('signing keys', () => {
        const faults: [string, Spoil][] = [
          ['resets the connection', { kind: 'reset' }],
          ['stops half-way', { kind: 'cut' }],
          ['answers 16 MiB', { kind: 'huge' }],
          ['answers compressed', { kind: 'gzip' }],
          ['answers with a web page', { kind: 'html' }],
          ['answers with nothing', { kind: 'empty' }],
          ['answers {}', { kind: 'json', body: {} }],
          ['answers 500', { kind: 'status', status: 500 }],
          ['redirects', { kind: 'redirect', location: 'http://127.0.0.2:9/keys' }],
        ];
        for (const [what, spoil] of faults) {
          it(`OIDC Core §10.1 — says keys_unavailable when the key set ${what}`, async () => {
            emulator[name].fault({ ...spoil, step: 'jwks', times: 8 } as Fault);
            const error = await failure(create());
            expect(error).to.include({ code: 'keys_unavailable', stage: 'id_token', host: host() });
          });
        }

        it('contract 3 — says timeout, in time, when the key set never answers', async () => {
          emulator[name].fault({ step: 'jwks', kind: 'silent', times: 8 });
          const error = await failure(create({ timeout: STALL_TIMEOUT }));
          expect(error).to.include({ code: 'timeout', stage: 'id_token', host: host() });
        });

        it('OIDC Core §10.1 — recovers at the next login', async () => {
          const strategy = create();
          emulator[name].fault({ step: 'jwks', kind: 'status', status: 500, times: 8 });
          expect((await failure(strategy)).code).to.equal('keys_unavailable');
          emulator[name].clearFaults();
          expect((await login(strategy)).profile.displayName).to.equal('Marta Quill');
        });
      });
    }

    describe('the life of tokens', () => {
      const { scope, rotates } = persona.refresh;

      it(`RFC 6749 §6 — refreshes, and ${rotates ? 'hands out the new' : 'keeps the old'} refresh token`, async () => {
        const strategy = create({ scope });
        const { tokens, profile } = await login(strategy, 'Zoë Ångström');
        const refreshToken = tokens.refreshToken ?? '';
        const fresh = await strategy.client.refreshTokenGrant(refreshToken);
        expect(fresh.accessToken).not.to.equal(tokens.accessToken);
        expect(fresh.refreshToken === refreshToken).to.equal(!rotates);
        expect((await strategy.client.fetchProfile(fresh)).id).to.equal(profile.id);
        const next = await strategy.client.refreshTokenGrant(fresh.refreshToken ?? '');
        expect(next.refreshToken === fresh.refreshToken).to.equal(!rotates);
        if (!rotates) return;
        const error = await rejection(strategy.client.refreshTokenGrant(refreshToken));
        expect(error).to.include({ code: 'invalid_grant', stage: 'refresh', host: host() });
        expectSilence(error, [refreshToken]);
      });

      it('RFC 7009 §2.1 — revokes a refresh token', async () => {
        const strategy = create({ scope });
        const refreshToken = (await login(strategy)).tokens.refreshToken ?? '';
        await strategy.client.revokeToken(refreshToken);
        const error = await rejection(strategy.client.refreshTokenGrant(refreshToken));
        expect(error).to.include({ code: 'invalid_grant', stage: 'refresh' });
      });

      it('RFC 7009 §2.2 — treats revoking an unknown token as success', async () => {
        await create().client.revokeToken('an-unknown-token');
      });

      it('contract 6 — names the stage and the host of a failed revocation', async () => {
        emulator[name].fault({ step: 'revoke', kind: 'status', status: 500, body: 'down' });
        const error = await rejection(create().client.revokeToken('a-token'));
        expect(error).to.include({ code: 'provider_unavailable', stage: 'revoke', host: host() });
      });

      if (persona.clientCredentials) {
        it('RFC 6749 §4.4 — gets a token for the app, without a refresh token', async () => {
          const tokens = await create().client.clientCredentialsGrant();
          expect(tokens.accessToken).to.be.a('string').and.not.equal('');
          expect(tokens).not.to.have.any.keys('refreshToken', 'idToken', 'claims');
          expect(tokens.expiresAt).to.be.above(Date.now());
        });
      }

      it('passport-oauth2-refresh — registers the strategy and refreshes', async () => {
        const strategy = create({ scope });
        const refreshToken = (await login(strategy)).tokens.refreshToken ?? '';
        const refresh = new AuthTokenRefresh();
        refresh.use(strategy);
        expect(refresh.has(name)).to.equal(true);
        const fresh = await new Promise<(string | undefined)[]>((resolve, reject) => {
          refresh.requestNewAccessToken(name, refreshToken, (error, access, renewed) =>
            error ? reject(error) : resolve([access, renewed]),
          );
        });
        expect(fresh[0]).to.be.a('string').and.not.equal('');
        expect(fresh[1] === refreshToken).to.equal(!rotates);
      });

      it('passport-oauth2-refresh — reports a refusal by its code', async () => {
        const refresh = new AuthTokenRefresh();
        refresh.use(create());
        const error = await new Promise((resolve) => {
          refresh.requestNewAccessToken(name, 'not-a-refresh-token', resolve);
        });
        expect(error).to.include({ code: 'invalid_grant', stage: 'refresh' });
      });

      it('passport-oauth2-refresh — has the status under the name that the oauth package uses', async () => {
        const refresh = new AuthTokenRefresh();
        refresh.use(create());
        const ask = () =>
          new Promise((resolve) => {
            refresh.requestNewAccessToken(name, 'not-a-refresh-token', resolve);
          });
        const refused = await ask();
        if (!isOAuth2Error(refused)) throw refused;
        expect(refused.status).to.be.oneOf([400, 401, 403]);
        expect(refused).to.have.property('statusCode', refused.status);
        emulator[name].fault({ step: 'token', kind: 'status', status: 503, body: 'down' });
        expect(await ask()).to.include({ code: 'provider_unavailable', statusCode: 503 });
      });

      it('passport-oauth2-refresh — leaves an error of the callback uncaught, and calls it once', async () => {
        const strategy = create({ scope });
        const refreshToken = (await login(strategy)).tokens.refreshToken ?? '';
        const refresh = new AuthTokenRefresh();
        refresh.use(strategy);
        for (const token of [refreshToken, 'not-a-refresh-token']) {
          const bug = new Error('of the callback');
          let calls = 0;
          const strays = await straysOf(
            () =>
              new Promise((resolve) => {
                refresh.requestNewAccessToken(name, token, () => {
                  calls += 1;
                  resolve();
                  throw bug;
                });
              }),
          );
          expect(strays).to.deep.equal([{ kind: 'uncaughtException', error: bug }]);
          expect(calls).to.equal(1);
        }
      });
    });

    describe('as a strategy of passport-oauth2', () => {
      it('contract 1 — is an instance of its class', () => {
        const strategy = create();
        expect(strategy).to.be.instanceOf(OAuth2Strategy);
        expect(strategy.name).to.equal(name);
      });

      it('contract 2 — has _oauth2 with the same URLs', () => {
        const strategy = create();
        const oauth2 = Reflect.get(strategy, '_oauth2') as Record<string, unknown>;
        const { authorizationEndpoint, tokenEndpoint } = strategy.client.endpoints;
        expect(oauth2).to.include({
          _clientId: emulator[name].clientID,
          _authorizeUrl: authorizationEndpoint,
          _accessTokenUrl: tokenEndpoint,
        });
      });
    });

    describe('in an Express 5 app', () => {
      it('Express — signs in over HTTP, and knows the person on the next page', async () => {
        const strategy = create({ callbackURL: '/auth/callback' });
        const app = await startApp(name, strategy, { start: { state: { returnTo: '/deals' } } });
        try {
          const browser = new Browser();
          const started = await browser.visit(`${app.origin}/auth`);
          expect(started.status).to.equal(302);
          const url = started.headers.get('location') ?? '';
          expect(new URL(url).searchParams.get('redirect_uri')).to.equal(
            `${app.origin}/auth/callback`,
          );
          const answer = await visitJson(browser, await browser.signIn(url, 'Zoë Ångström'));
          expect(answer).to.have.nested.property('user.profile.displayName', 'Zoë Ångström');
          expect(answer).to.have.deep.property('info', { state: { returnTo: '/deals' } });
          expect(await visitJson(browser, `${app.origin}/me`)).to.have.nested.property(
            'user.profile.displayName',
            'Zoë Ångström',
          );
        } finally {
          await app.close();
        }
      });

      it('Express — answers 401 when the person denies, and 403 to a forged callback', async () => {
        const app = await startApp(name, create({ callbackURL: '/auth/callback' }));
        try {
          const browser = new Browser();
          const started = await browser.visit(`${app.origin}/auth`);
          const url = started.headers.get('location') ?? '';
          const denied = await browser.visit(await browser.signIn(url, 'deny'));
          expect(denied.status).to.equal(401);
          const forged = await browser.visit(`${app.origin}/auth/callback?code=x&state=y`);
          expect(forged.status).to.equal(403);
        } finally {
          await app.close();
        }
      });

      it('Express — finishes a second tab after Passport has renewed the session', async () => {
        const app = await startApp(name, create({ callbackURL: '/auth/callback' }));
        try {
          const browser = new Browser();
          const tabs: string[] = [];
          for (const tab of ['first', 'second']) {
            const { headers } = await browser.visit(`${app.origin}/auth?tab=${tab}`);
            tabs.push(headers.get('location') ?? '');
          }
          const people = ['Marta Quill', 'Zoë Ångström'];
          for (const [index, who] of people.entries()) {
            const callback = await browser.signIn(tabs[index] ?? '', who);
            expect(await visitJson(browser, callback)).to.have.nested.property(
              'user.profile.displayName',
              who,
            );
          }
        } finally {
          await app.close();
        }
      });

      for (const [title, trustProxy, origin] of [
        ['believes its proxy under `trust proxy`', true, 'https://crm.example'],
        ['ignores forwarded headers without `trust proxy`', false, undefined],
        ['ignores forwarded headers by default', undefined, undefined],
      ] as const) {
        it(`Express — ${title}, when it resolves a relative callbackURL`, async () => {
          const strategy = create({ callbackURL: '/auth/callback' });
          const app = await startApp(name, strategy, { trustProxy });
          try {
            const { headers } = await new Browser().visit(`${app.origin}/auth`, {
              headers: { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'crm.example' },
            });
            const sent = new URL(headers.get('location') ?? '').searchParams.get('redirect_uri');
            expect(sent).to.equal(`${origin ?? app.origin}/auth/callback`);
          } finally {
            await app.close();
          }
        });
      }

      it('Express — begins at a link with iss alone, and refuses one with state alone', async () => {
        const app = await startApp(name, create({ callbackURL: '/auth/callback' }));
        try {
          const issuer = encodeURIComponent(emulator[name].origin);
          const started = await new Browser().visit(`${app.origin}/auth?iss=${issuer}`);
          expect(started.status).to.equal(302);
          expect(new URL(started.headers.get('location') ?? '').host).to.equal(host());
          // At the start, it is a parameter of the application.
          const own = await new Browser().visit(`${app.origin}/auth?state=x`);
          expect(own.status).to.equal(302);
          const refused = await new Browser().visit(`${app.origin}/auth/callback?state=x`);
          expect(refused.status).to.equal(403);
        } finally {
          await app.close();
        }
      });

      /** Visits an app without sessions, and returns the errors that reached the process uncaught. */
      async function withoutSessions(
        settings: Omit<Parameters<typeof startApp>[2] & object, 'sessions'>,
        visits: (app: {
          origin: string;
          signIn: (who: string) => Promise<Response>;
        }) => Promise<void>,
      ): Promise<Stray[]> {
        const store = new CookieStateStore({ secrets: ['s'.repeat(32)], secure: false });
        const strategy = create({ callbackURL: '/auth/callback', store });
        const app = await startApp(name, strategy, { ...settings, sessions: false });
        const signIn = async (who: string) => {
          const browser = new Browser();
          const { headers } = await browser.visit(`${app.origin}/auth`);
          return await browser.visit(await browser.signIn(headers.get('location') ?? '', who));
        };
        try {
          return await straysOf(() => visits({ origin: app.origin, signIn }));
        } finally {
          await app.close();
        }
      }

      it('Passport — failureMessage, which needs a session, is an error without one', async () => {
        const strays = await withoutSessions(
          { finish: { failureMessage: true } },
          async ({ origin, signIn }) => {
            const denied = await signIn('deny');
            expect(denied.status).to.equal(500);
            expect(await denied.text()).to.contain('TypeError');
            const forged = await fetch(`${origin}/auth/callback?code=x&state=y`);
            expect(forged.status).to.equal(500);
            expect(await forged.text()).to.contain('TypeError');
            expect((await signIn('Suri')).status).to.equal(200);
          },
        );
        expect(strays).to.deep.equal([]);
      });

      it('Passport — a custom callback that throws is an error', async () => {
        const told: unknown[] = [];
        const callback = (next: (error: unknown) => void) => (error: unknown, user?: unknown) => {
          told.push(user);
          if (error) return next(error);
          throw new Error('a bug of the callback');
        };
        const strays = await withoutSessions({ callback }, async ({ signIn }) => {
          for (const who of ['Suri', 'deny']) {
            const answer = await signIn(who);
            expect(answer.status).to.equal(500);
            expect(await answer.text()).to.contain('a bug of the callback');
          }
        });
        expect(strays).to.deep.equal([]);
        expect(told[0]).to.have.nested.property('profile.displayName', 'Suri');
        expect(told.slice(1)).to.deep.equal([undefined, false, undefined]);
      });

      it('Passport — a custom callback that always throws is an uncaught exception, not a rejection', async () => {
        const bugs: Error[] = [];
        let twice = (): void => undefined;
        const callback = () => () => {
          const bug = new Error(`bug ${bugs.length}`);
          bugs.push(bug);
          if (bugs.length === 2) twice();
          throw bug;
        };
        const strays = await withoutSessions({ callback }, async ({ origin }) => {
          const thrown = new Promise<void>((resolve) => {
            twice = resolve;
          });
          const gone = new AbortController();
          const visit = fetch(`${origin}/auth/callback?code=x&state=y`, { signal: gone.signal });
          await thrown;
          gone.abort();
          await visit.catch(() => undefined);
        });
        expect(strays).to.deep.equal([{ kind: 'uncaughtException', error: bugs[1] }]);
      });

      it('Express — signs in without any session, by a cookie for the pending login', async () => {
        const store = new CookieStateStore({ secrets: ['s'.repeat(32)], secure: false });
        const strategy = create({ callbackURL: '/auth/callback', store });
        const app = await startApp(name, strategy, { sessions: false });
        try {
          const browser = new Browser();
          const { headers } = await browser.visit(`${app.origin}/auth`);
          const callback = await browser.signIn(headers.get('location') ?? '', 'Tobias Fenn');
          expect(await visitJson(browser, callback)).to.have.nested.property(
            'user.profile.displayName',
            'Tobias Fenn',
          );
          expect((await browser.visit(callback)).status).to.equal(403);
        } finally {
          await app.close();
        }
      });
    });

    more({ emulator: () => emulator, create, begin, finish, attempt, login, failure });
  });
}

type Session = Record<string, unknown>;

/** The pending logins of a session, to be tampered with. */
function pendingIn(session: Session, name: string): Record<string, unknown>[] {
  const attempts = session[`oauth2:${name}`] as Record<string, unknown>[] | undefined;
  expect(attempts).to.have.property('length').above(0);
  return attempts ?? [];
}

function nameOf(outcome: Outcome): string {
  return (expectVerb(outcome, 'success').user as LoggedIn).profile.displayName;
}

async function visitJson(browser: Browser, url: string): Promise<unknown> {
  const response = await browser.visit(url);
  expect(response.status, await response.clone().text()).to.equal(200);
  return await response.json();
}

/** Expects that an error shows none of these values, however it is printed. */
export function expectSilence(error: unknown, secrets: readonly string[]): void {
  const { message, stack } = error as Error;
  const printed = [
    message,
    stack,
    String(error),
    JSON.stringify(error),
    inspect(error, { depth: 10, showHidden: true, getters: true }),
  ].join('\n');
  for (const secret of secrets) {
    expect(secret).to.have.length.above(5);
    expect(printed).not.to.contain(secret);
  }
}
