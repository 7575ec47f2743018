/**
 * Attacks of docs/internals/threat-model.md that involve several parts: an attacker in the middle of a whole login,
 * against the emulator. Attacks on one part are in the tests of that part.
 */
import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { startEmulator } from 'crm-emulator';
import type { Emulator, Fault, ProviderName, RequestRecord } from 'crm-emulator';
import { isOAuth2Error } from 'crm-oauth2';
import type { OAuth2Error, Profile, TokenSet } from 'crm-oauth2';
import { CookieStateStore } from 'crm-oauth2/passport';
import type { StateStore, VerifyContext } from 'crm-oauth2/passport';
import SalesforceStrategy from 'passport-salesforce-oauth2';
import SalesloftStrategy from 'passport-salesloft';
import SalesosStrategy from 'passport-salesos';
import { CALLBACK, expectSilence } from './describe-provider';
import { startExample } from './e2e/example';
import type { Example } from './e2e/example';
import { Browser } from './support/browser';
import { startApp } from './support/express-app';
import { expectVerb, requestFor, run } from './support/passport-run';
import type { FakeRequest, Outcome, RunnableStrategy } from './support/passport-run';

const NAMES = ['salesloft', 'salesos', 'salesforce'] as const;

type Parameters = Record<string, unknown>;

/** Changes to a good callback, and the code that each is refused with. */
const POLLUTED: readonly [string, (good: Parameters) => Parameters, string][] = [
  ['state twice', twice('state'), 'repeated_parameter'],
  ['code twice', twice('code'), 'repeated_parameter'],
  ['iss twice', twice('iss', 'https://evil.test'), 'repeated_parameter'],
  ['error twice', twice('error', 'access_denied'), 'repeated_parameter'],
  [
    'state as a list of one',
    ({ state, ...rest }) => ({ ...rest, state: [state] }),
    'repeated_parameter',
  ],
  ['code as an object', ({ code, ...rest }) => ({ ...rest, code: { code } }), 'repeated_parameter'],
  ['an over-long state', (good) => ({ ...good, state: 'a'.repeat(4097) }), 'parameter_too_long'],
  ['an over-long code', (good) => ({ ...good, code: 'a'.repeat(4097) }), 'parameter_too_long'],
  [
    'a state that is encoded twice',
    ({ state, ...rest }) => ({ ...rest, state: percentEncoded(String(state)) }),
    'state_unknown',
  ],
  [
    'a state that is padded',
    ({ state, ...rest }) => ({ ...rest, state: `${String(state)} ` }),
    'state_unknown',
  ],
];

function twice(name: string, value?: string): (good: Parameters) => Parameters {
  return (good) => ({ ...good, [name]: [value ?? good[name], value ?? good[name]] });
}

/** Every character as %XX, as if a client encoded the value twice. */
function percentEncoded(text: string): string {
  return Buffer.from(text).toString('hex').replace(/../g, '%$&');
}

/** The page at which a link would have the login end, and how it is disguised. */
const ELSEWHERE = [
  ['another site', 'https://evil.test/'],
  ['another site, without a scheme', '//evil.test/'],
  ['another site, behind a backslash', '/\\evil.test/'],
  ['another site, behind a tab', '/\t/evil.test/'],
  ['another site, behind a dot', '/.//evil.test/'],
  ['another site, encoded twice', '%2F%2Fevil.test%2F'],
  ['another site, behind user info', 'http://localhost@evil.test/'],
  ['a script', 'javascript:alert(1)'],
] as const;

type Session = Record<string, unknown>;

interface User {
  tokens: TokenSet;
  profile: Profile;
}

interface ThreatenedStrategy extends RunnableStrategy {
  client: { close(): void };
}

interface Settings {
  callbackURL?: string;
  store?: StateStore;
}

const CREATE: Record<ProviderName, (emulator: Emulator, settings: object) => ThreatenedStrategy> = {
  salesloft: ({ salesloft }, settings) =>
    new SalesloftStrategy({ ...salesloft.options, ...own(settings) }),
  salesos: ({ salesos }, settings) =>
    // UserInfo is asked too, so that every provider has a profile to be lied in.
    new SalesosStrategy({ ...salesos.options, userInfo: true, ...own(settings) }),
  salesforce: ({ salesforce }, settings) =>
    new SalesforceStrategy({ ...salesforce.options, ...own(settings) }),
};

const own = (settings: Settings) => ({
  callbackURL: CALLBACK,
  verify: ({ tokens, profile }: VerifyContext): User => ({ tokens, profile }),
  ...settings,
});

/** Keys that reach Object.prototype if they are merged into an object. JSON.parse makes them own keys. */
const POLLUTION = JSON.parse(
  '{"__proto__": {"admin": true}, "constructor": {"prototype": {"admin": true}}}',
) as Record<string, unknown>;

describe('threats', () => {
  let emulator: Emulator;
  let created: ThreatenedStrategy[] = [];
  before(async () => {
    emulator = await startEmulator({ port: 0 });
  });
  afterEach(() => {
    for (const { client } of created) client.close();
    created = [];
    for (const name of NAMES) emulator[name].clearFaults();
  });
  after(() => emulator.close());

  function create(name: ProviderName, settings: Settings = {}): ThreatenedStrategy {
    const strategy = CREATE[name](emulator, settings);
    created.push(strategy);
    return strategy;
  }

  async function begin(strategy: ThreatenedStrategy, session: Session): Promise<string> {
    const request = requestFor(CALLBACK.replace('/callback', ''), session);
    return expectVerb(await run(strategy, request), 'redirect').url;
  }

  /** Runs a login up to its callback, which is not visited. */
  async function until(
    strategy: ThreatenedStrategy,
    session: Session,
    who = 'Marta Quill',
  ): Promise<URL> {
    return new URL(await new Browser().signIn(await begin(strategy, session), who));
  }

  /** The requests to the provider while `work` runs. */
  async function asked(name: ProviderName, work: () => Promise<void>): Promise<RequestRecord[]> {
    const before = emulator[name].requests.length;
    await work();
    return emulator[name].requests.slice(before);
  }

  for (const name of NAMES) {
    const profileStep = name === 'salesos' ? 'userinfo' : 'profile';

    describe(name, () => {
      for (const [what, spoil, code] of POLLUTED) {
        it(`RFC 6749 §3.1 — refuses a callback with ${what}, before any request`, async () => {
          const strategy = create(name);
          const session: Session = {};
          const callback = await until(strategy, session);
          const requests = await asked(name, async () => {
            for (const form of [false, true]) {
              const parameters = spoil(Object.fromEntries(callback.searchParams));
              const request = withParameters(callback, session, parameters, form);
              const { info, status } = expectVerb(await run(strategy, request), 'fail');
              expect(status).to.equal(403);
              expect(info).to.include({ code });
            }
          });
          expect(requests).to.deep.equal([]);
          // Nothing was used up: the true answer still logs its person in.
          expectVerb(await run(strategy, requestFor(callback.href, session)), 'success');
        });
      }

      it('RFC 6749 §4.1.2 — decodes a code once: one that is encoded twice is not the code', async () => {
        const strategy = create(name);
        const session: Session = {};
        const callback = await until(strategy, session);
        const code = callback.searchParams.get('code') ?? '';
        callback.searchParams.set('code', percentEncoded(code));
        const error = faultOf(await run(strategy, requestFor(callback.href, session)));
        expect(error).to.include({ code: 'invalid_grant', stage: 'token' });
        expectSilence(error, [code]);
      });

      it('RFC 9700 §4.5 — redeems no code of another login, because the verifier is its own', async () => {
        const strategy = create(name);
        const stolen = await until(strategy, {}, 'Zoë Ångström');
        const thief: Session = {};
        const injected = await until(strategy, thief, 'Marta Quill');
        injected.searchParams.set('code', stolen.searchParams.get('code') ?? '');
        const error = faultOf(await run(strategy, requestFor(injected.href, thief)));
        expect(error).to.include({ code: 'invalid_grant', stage: 'token' });
      });

      it('RFC 9700 §4.5 — a copied cookie in another process meets a code that is used up', async () => {
        const store = () => new CookieStateStore({ secrets: ['s'.repeat(32)], secure: false });
        const [first, second] = [
          create(name, { store: store() }),
          create(name, { store: store() }),
        ];
        const cookies: string[] = [];
        const res = {
          getHeader: () => undefined,
          setHeader: (_: string, set: string[]) => cookies.push(...set),
        };
        const start = { ...requestFor(CALLBACK.replace('/callback', '')), res };
        const { url } = expectVerb(await run(first, start), 'redirect');
        const cookie = cookies[0]?.split(';')[0] ?? '';
        const callback = requestFor(await new Browser().signIn(url, 'Suri'));
        const replay = { ...callback, headers: { ...callback.headers, cookie }, res };
        expectVerb(await run(first, replay), 'success');
        expect(expectVerb(await run(first, replay), 'fail').info).to.include({
          code: 'already_completed',
        });
        expect(faultOf(await run(second, replay))).to.include({ code: 'invalid_grant' });
      });

      it('RFC 9700 §4.7 — a link to the start decides nothing about the login it begins', async () => {
        const app = await startApp(name, create(name, { callbackURL: '/auth/callback' }));
        try {
          const link = new URL('/auth', app.origin);
          const planted = {
            redirect_uri: 'https://evil.test/callback',
            code_challenge: 'planted-challenge',
            code_challenge_method: 'plain',
            client_id: 'planted-client',
            nonce: 'planted-nonce',
            response_type: 'token',
            scope: 'planted-scope',
            callbackURL: 'https://evil.test/callback',
          };
          for (const [parameter, value] of Object.entries(planted)) {
            link.searchParams.set(parameter, value);
          }
          const { headers } = await new Browser().visit(link.href);
          const sent = new URL(headers.get('location') ?? '');
          expect(sent.origin).to.equal(emulator[name].origin);
          expect(decodeURIComponent(sent.search)).not.to.match(/planted|evil/);
          expect(sent.searchParams.get('response_type')).to.equal('code');
          expect(sent.searchParams.get('code_challenge_method')).to.equal('S256');
        } finally {
          await app.close();
        }
      });

      it('RFC 9700 §4.7 — a session that an attacker fixed is worth nothing after the login', async () => {
        const app = await startApp(name, create(name, { callbackURL: '/auth/callback' }));
        try {
          const browser = new Browser();
          const started = await browser.visit(`${app.origin}/auth`);
          const known = started.headers.getSetCookie()[0]?.split(';')[0] ?? '';
          expect(known).to.match(/^connect\.sid=/);
          const url = started.headers.get('location') ?? '';
          const ended = await browser.visit(await browser.signIn(url, 'Zoë Ångström'));
          expect(ended.status, await ended.clone().text()).to.equal(200);
          expect(ended.headers.getSetCookie()[0]).to.be.a('string').and.not.contain(known);
          const thief = await fetch(`${app.origin}/me`, { headers: { cookie: known } });
          expect(await thief.json()).to.deep.equal({ user: null });
        } finally {
          await app.close();
        }
      });

      it('RFC 9700 §4.8 — challenge, pending login and token request belong to one verifier', async () => {
        const strategy = create(name);
        const session: Session = {};
        const url = new URL(await begin(strategy, session));
        const { codeVerifier } = pendingOf(session, name);
        expect(url.searchParams.get('code_challenge_method')).to.equal('S256');
        expect(url.searchParams.get('code_challenge')).to.equal(
          createHash('sha256').update(codeVerifier).digest('base64url'),
        );
        expect(url.href).not.to.contain(codeVerifier);
        // The server compares what it was shown with what it is given now.
        const callback = await new Browser().signIn(url.href, 'Marta Quill');
        expectVerb(await run(strategy, requestFor(callback, session)), 'success');
      });

      it('JSON of the provider — pollutes no prototype, wherever it comes', async () => {
        emulator[name].fault({ step: 'token', kind: 'patch', merge: POLLUTION });
        if (name !== 'salesloft') {
          emulator[name].fault({ step: 'token', kind: 'id-token', claims: POLLUTION });
        }
        emulator[name].fault({ step: profileStep, kind: 'patch', merge: POLLUTION });
        let delivered = 0;
        for (let login = 0; login < 2; login += 1) {
          const strategy = create(name);
          const session: Session = {};
          const callback = await until(strategy, session);
          const outcome = await run(strategy, requestFor(callback.href, session));
          const { tokens, profile } = expectVerb(outcome, 'success').user as User;
          for (const json of [tokens.response, tokens.claims ?? {}, profile._json]) {
            if (Object.hasOwn(json, '__proto__')) delivered += 1;
          }
          for (const value of [{}, tokens, tokens.response, tokens.claims ?? {}, profile]) {
            expect(Reflect.get(value, 'admin')).to.equal(undefined);
            expect(Object.getPrototypeOf(value)).to.equal(Object.prototype);
          }
        }
        expect(delivered).to.equal(name === 'salesloft' ? 2 : 3);
      });

      it('secrets — an error tells none of them, whatever the provider echoes, at every stage', async () => {
        const { clientSecret } = emulator[name];
        const accessToken = 'planted-access-token-0123456789';
        for (const stage of ['token', 'profile'] as const) {
          const strategy = create(name);
          const session: Session = {};
          const callback = await until(strategy, session);
          const { codeVerifier } = pendingOf(session, name);
          const code = callback.searchParams.get('code') ?? '';
          const secrets = [clientSecret, code, codeVerifier, accessToken];
          const echo = secrets.flatMap((secret) => [secret, encodeURIComponent(secret)]).join(' ');
          if (stage === 'profile') {
            emulator[name].fault({
              step: 'token',
              kind: 'patch',
              // Without its ID Token, whose at_hash is of the token that was replaced.
              merge: {
                access_token: accessToken,
                ...(name === 'salesforce' && { id_token: null }),
              },
            });
          }
          if (stage === 'token' || name !== 'salesos') {
            const step = stage === 'token' ? 'token' : profileStep;
            const body = {
              error: 'invalid_request',
              error_description: stage === 'token' ? echo : accessToken,
            };
            emulator[name].fault({ step, kind: 'json', status: 400, body });
          }
          const error = faultOf(await run(strategy, requestFor(callback.href, session)));
          expect(error.provider).to.equal(name);
          expectSilence(
            error,
            secrets.filter((secret) => (stage === 'token' ? secret !== accessToken : true)),
          );
        }
      });

      it('log injection — words of a callback are one line, without control characters', async () => {
        const strategy = create(name);
        const session: Session = {};
        const callback = await until(strategy, session, 'deny');
        callback.searchParams.set(
          'error_description',
          'No\r\n[info] Zo\u00eb logged in\u2028\u001b[2J\u0000\u009b31m',
        );
        const { info } = expectVerb(
          await run(strategy, requestFor(callback.href, session)),
          'fail',
        );
        const { message } = info as { message: string };
        expect(message).to.contain('No [info] Zo\u00eb logged in');
        // oxlint-disable-next-line no-control-regex -- control characters are what must not be there
        expect(message).not.to.match(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
      });

      it('RFC 9700 §4.2 — nothing that the browser is sent to holds a token or a secret', async () => {
        const app = await startApp(name, create(name, { callbackURL: '/auth/callback' }));
        try {
          const browser = new Browser();
          const { headers } = await browser.visit(`${app.origin}/auth`);
          const url = headers.get('location') ?? '';
          const requests = await asked(name, async () => {
            const callback = await browser.signIn(url, 'Marta Quill');
            expect(callback).not.to.contain(emulator[name].clientSecret);
            const answer = (await (await browser.visit(callback)).json()) as { user: User };
            const { accessToken } = answer.user.tokens;
            expect(accessToken).to.be.a('string');
            expect(url + callback).not.to.contain(accessToken);
          });
          const ours = requests.filter(({ headers: sent }) => sent['user-agent'] === 'crm-oauth2');
          expect(ours.length).to.be.above(0);
          for (const { headers: sent } of ours) {
            expect(sent).not.to.have.any.keys('referer', 'origin', 'cookie');
          }
        } finally {
          await app.close();
        }
      });
    });
  }

  describe('ID Token of Salesforce', () => {
    const now = Math.floor(Date.now() / 1000);
    const HOUR = 3600;
    const both = ['another-client', 'a-third-client'];
    type Lie = Omit<Extract<Fault, { kind: 'id-token' }>, 'step' | 'kind'>;
    const lies: [string, Lie, string][] = [
      ['that is not signed (alg none)', { alg: 'none' }, 'id_token_algorithm'],
      ['that is signed with the public key (HS256)', { alg: 'HS256' }, 'id_token_algorithm'],
      ['that names an unknown key', { alg: 'unknown-kid' }, 'id_token_unknown_key'],
      ['that names no key, of several', { alg: 'no-kid' }, 'id_token_unknown_key'],
      ['that brings its own key', { alg: 'embedded-jwk' }, 'id_token_unknown_key'],
      ['with another nonce', { claims: { nonce: 'another' } }, 'id_token_nonce'],
      ['without the nonce', { claims: { nonce: null } }, 'id_token_nonce'],
      ['for another client', { claims: { aud: 'another-client' } }, 'id_token_audience'],
      ['for several others', { claims: { aud: both } }, 'id_token_audience'],
      [
        'that has expired',
        { claims: { exp: now - HOUR, iat: now - 2 * HOUR } },
        'id_token_expired',
      ],
      ['from the future', { claims: { iat: now + HOUR } }, 'id_token_not_yet_valid'],
      ['without a subject', { claims: { sub: null } }, 'id_token_claim'],
      [
        'of another access token',
        { claims: { at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' } },
        'id_token_access_token',
      ],
    ];
    for (const [what, lie, code] of lies) {
      it(`OIDC Core §3.1.3.7 — refuses the login with one ${what}`, async () => {
        emulator.salesforce.fault({ step: 'token', kind: 'id-token', ...lie });
        const strategy = create('salesforce');
        const session: Session = {};
        const callback = await until(strategy, session);
        const requests = await asked('salesforce', async () => {
          const error = faultOf(await run(strategy, requestFor(callback.href, session)));
          expect(error).to.include({ code, stage: 'id_token' });
        });
        // The access token of such an answer goes nowhere.
        expect(requests.map(({ headers }) => headers.authorization)).not.to.include('Bearer');
      });
    }

    it('OIDC Core §3.1.3.7 — refuses the login with one for us among others, without azp', async () => {
      const aud = [emulator.salesforce.clientID, 'another-client'];
      emulator.salesforce.fault({ step: 'token', kind: 'id-token', claims: { aud, azp: null } });
      const strategy = create('salesforce');
      const session: Session = {};
      const callback = await until(strategy, session);
      expect(faultOf(await run(strategy, requestFor(callback.href, session)))).to.include({
        code: 'id_token_audience',
      });
    });
  });

  describe('keys', () => {
    it('OIDC Core §10.1.1 — twenty ID Tokens with unknown keys make two requests for keys, not twenty', async () => {
      const strategy = create('salesos');
      const requests = await asked('salesos', async () => {
        emulator.salesos.fault({ step: 'token', kind: 'id-token', alg: 'unknown-kid', times: 20 });
        for (let login = 0; login < 20; login += 1) {
          const session: Session = {};
          const callback = await until(strategy, session);
          expect(faultOf(await run(strategy, requestFor(callback.href, session)))).to.include({
            code: 'id_token_unknown_key',
          });
        }
      });
      const forKeys = requests.filter(({ path }) => path === '/.well-known/jwks.json');
      expect(forKeys.length).to.be.within(1, 2);
    });
  });

  describe('example', () => {
    let example: Example;
    before(async () => {
      example = await startExample();
    });
    after(() => example.close());

    it('RFC 9700 §4.16 — no page may be framed, the callback neither', async () => {
      for (const path of [
        '/',
        '/profile',
        '/nowhere',
        '/auth/salesforce/callback?code=a&state=b',
      ]) {
        const { headers } = await fetch(example.baseURL + path, { redirect: 'manual' });
        expect(headers.get('content-security-policy'), path).to.contain("frame-ancestors 'none'");
        expect(headers.get('x-frame-options'), path).to.match(/^(DENY|SAMEORIGIN)$/);
      }
    });

    it('RFC 9700 §4.2 — no page tells another site where it was, nor loads anything of one', async () => {
      for (const path of ['/', '/profile', '/auth/salesforce/callback?code=a&state=b']) {
        const { headers } = await fetch(example.baseURL + path, { redirect: 'manual' });
        expect(headers.get('referrer-policy'), path).to.equal('same-origin');
        expect(headers.get('content-security-policy'), path).to.contain("default-src 'none'");
      }
    });

    for (const [what, returnTo] of ELSEWHERE) {
      it(`RFC 9700 §4.11 — a login ends here when its link asks for ${what}`, async () => {
        const browser = new Browser();
        const link = `${example.baseURL}/auth/salesloft?returnTo=${encodeURIComponent(returnTo)}`;
        const started = await browser.visit(link);
        const location = started.headers.get('location') ?? '';
        const ended = await browser.visit(await browser.signIn(location, 'Suri'));
        const target = new URL(ended.headers.get('location') ?? '', example.baseURL);
        expect(target.href).to.equal(`${example.baseURL}/profile`);
      });
    }
  });
});

/** The callback as a framework hands it over: parsed from the query, or from a form. */
function withParameters(
  callback: URL,
  session: Session,
  parameters: Parameters,
  form: boolean,
): FakeRequest & { body?: Parameters } {
  const request = requestFor(callback.href, session);
  return form
    ? { ...request, method: 'POST', url: callback.pathname, query: {}, body: parameters }
    : { ...request, query: parameters };
}

function faultOf(outcome: Outcome): OAuth2Error {
  const { error } = expectVerb(outcome, 'error');
  if (!isOAuth2Error(error)) throw error;
  return error;
}

/** The only pending login of a session. */
function pendingOf(session: Session, name: ProviderName): { codeVerifier: string } {
  const pending = session[`oauth2:${name}`] as { codeVerifier: string }[];
  expect(pending).to.have.lengthOf(1);
  return pending[0] as { codeVerifier: string };
}
