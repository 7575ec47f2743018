/**
 * Many logins at once, and many that never end: each ends as its own person, memory does not grow, and a
 * code is redeemed once.
 *
 * The tests run in one process. Two processes that share a session store cannot see that the other one
 * has just taken the same login: there, the provider's single-use codes remain as the protection.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { startEmulator } from 'crm-emulator';
import type { Emulator, ProviderName } from 'crm-emulator';
import type { Profile, TokenSet } from 'crm-oauth2';
import { CookieStateStore } from 'crm-oauth2/passport';
import type { StateStore, VerifyContext } from 'crm-oauth2/passport';
import express from 'express';
import session from 'express-session';
import { Passport } from 'passport';
import type { Strategy } from 'passport';
import SalesforceStrategy from 'passport-salesforce-oauth2';
import SalesloftStrategy from 'passport-salesloft';
import SalesosStrategy from 'passport-salesos';
import { Browser } from './support/browser';
import { requestFor } from './support/passport-run';
import type { FakeRequest, RunnableStrategy } from './support/passport-run';
import { straysOf } from './support/strays';

const CALLBACK = 'http://127.0.0.1:3000/auth/callback';
const LOGINS = 1000;
const EMULATED_LOGINS = 60;
const ABANDONED = 10_000;

type TestStrategy = RunnableStrategy & {
  client: { close(): void; fetchProfile(tokens: TokenSet): Promise<Profile> };
};

/** The argument of verify, which is also the user that it returns. */
interface LoggedIn {
  tokens: TokenSet;
  profile: Profile;
  state: unknown;
}

const verify = ({ tokens, profile, state }: VerifyContext): LoggedIn => ({
  tokens,
  profile,
  state,
});

/** Numbers that look random, and are the same in every run. */
function delays(most: number): () => number {
  let seed = 20_260_801;
  return () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed % most;
  };
}

/**
 * A provider that speaks like Salesloft, with any number of people. It answers no token request before
 * `everybody` has sent one, so that all logins are under way at the same moment.
 */
class Crowd {
  origin = '';
  tokenRequests = 0;
  readonly #everybody: number;
  readonly #pause = delays(25);
  readonly #codes = new Map<string, { person: number; challenge: string }>();
  readonly #waiting: (() => void)[] = [];
  readonly #server = http.createServer((req, res) => void this.#answer(req, res));

  constructor(everybody = 1) {
    this.#everybody = everybody;
  }

  async start(): Promise<this> {
    this.#server.listen({ port: 0, host: '127.0.0.1', backlog: 2 * LOGINS });
    await once(this.#server, 'listening');
    this.origin = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  /** The callback URL that the browser of this person visits. */
  signIn(authorizationUrl: string, person: number): string {
    const { searchParams } = new URL(authorizationUrl);
    const code = `code-of-${person}`;
    this.#codes.set(code, { person, challenge: searchParams.get('code_challenge') ?? '' });
    const back = new URL(searchParams.get('redirect_uri') ?? '');
    back.searchParams.set('code', code);
    back.searchParams.set('state', searchParams.get('state') ?? '');
    return back.href;
  }

  connections(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
    });
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(req: http.IncomingMessage, res: http.ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const [status, body] =
      req.url === '/token'
        ? await this.#redeem(Buffer.concat(chunks).toString())
        : this.#profileOf(req.headers.authorization);
    await sleep(this.#pause());
    res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }

  async #redeem(body: string): Promise<[number, object]> {
    this.tokenRequests += 1;
    const asked = JSON.parse(body) as Record<string, string>;
    const known = this.#codes.get(asked.code ?? '');
    this.#codes.delete(asked.code ?? '');
    const challenge = createHash('sha256')
      .update(asked.code_verifier ?? '')
      .digest('base64url');
    // A client that mixes two logins up mixes their verifiers up.
    if (known?.challenge !== challenge) return [400, { error: 'invalid_grant' }];
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length >= this.#everybody) for (const go of this.#waiting) go();
    });
    const tokens = { access_token: `at-${known.person}`, refresh_token: `rt-${known.person}` };
    return [200, { ...tokens, token_type: 'Bearer', expires_in: 7200 }];
  }

  #profileOf(authorization: string | undefined): [number, object] {
    const [, person] = /^Bearer at-(\d+)$/.exec(authorization ?? '') ?? [];
    if (person === undefined) return [401, { error: 'invalid_token' }];
    return [200, { data: { id: Number(person), name: `Person ${person}` } }];
  }

  strategy(store?: StateStore): SalesloftStrategy {
    return new SalesloftStrategy({
      clientID: 'client-1',
      clientSecret: 'secret-1',
      callbackURL: CALLBACK,
      authorizationURL: `${this.origin}/authorize`,
      tokenURL: `${this.origin}/token`,
      profileURL: `${this.origin}/me`,
      timeout: 50_000,
      verify,
      ...(store && { store }),
    });
  }
}

/** Every action of Passport on one request, in order. */
interface Handled {
  events: string[];
  location?: string;
  user?: unknown;
  authInfo?: unknown;
}

/** Runs one request through Passport's own middleware, with the parts of a framework that it needs. */
type Handle = (request: FakeRequest, options?: object) => Promise<Handled>;

function through(passport: InstanceType<typeof Passport>, which: string | object): Handle {
  return (request, options = {}) =>
    new Promise((resolve) => {
      const handled: Handled = { events: [] };
      const note = (event: string) => {
        handled.events.push(event);
        resolve(handled);
      };
      const headers = new Map<string, string>();
      const res = {
        statusCode: 200,
        setHeader: (name: string, value: string) => headers.set(name.toLowerCase(), value),
        end: () => {
          handled.location = headers.get('location');
          note(`ended with ${res.statusCode}`);
        },
      };
      const next = (error?: Error) => {
        Object.assign(handled, {
          user: Reflect.get(request, 'user'),
          authInfo: Reflect.get(request, 'authInfo'),
        });
        note(error === undefined ? 'next' : `error ${error.message}`);
      };
      const middleware: unknown = passport.authenticate(which as string, {
        session: false,
        ...options,
      });
      (middleware as (...parameters: unknown[]) => void)(request, res, next);
    });
}

function passportWith(strategy: object): InstanceType<typeof Passport> {
  const passport = new Passport();
  passport.use(strategy as Strategy);
  return passport;
}

/** The resources that keep the process alive, counted by kind. */
async function resources(): Promise<Map<string, number>> {
  // A timer counts until its callback is over. The runner starts its own after the test.
  await turn();
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

/** Waits for an event that the other side of a socket sees a little later. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let turns = 0; turns < 2000 && !(await holds()); turns += 1) await sleep(2);
}

/** Expects no more resources than before. Handles take a turn or two to close. */
async function expectNoMoreThan(before: ReadonlyMap<string, number>): Promise<void> {
  const surplus = async () =>
    [...(await resources())].filter(([kind, count]) => count > (before.get(kind) ?? 0));
  await until(async () => (await surplus()).length === 0);
  expect(await surplus()).to.deep.equal([]);
}

/** The heap in use after a garbage collection. */
function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

describe('concurrency and scale', () => {
  describe('contract 3 — a login never sees another one', () => {
    for (const [title, choose] of [
      ['by name', (strategy: object) => (strategy as { name: string }).name],
      ['by instance', (strategy: object) => strategy],
    ] as const) {
      it(`keeps ${LOGINS} overlapping logins apart, ${title} through Passport`, async () => {
        const before = await resources();
        const crowd = await new Crowd(LOGINS).start();
        const strategy = crowd.strategy();
        const handle = through(passportWith(strategy), choose(strategy));
        const pause = delays(15);
        const login = async (person: number): Promise<[Handled, Handled]> => {
          const state = { person, returnTo: `/deals/${person}` };
          const own = {};
          await sleep(pause());
          const start = requestFor(CALLBACK.replace('/callback', ''), own);
          const started = await handle(start, { state });
          await sleep(pause());
          const callback = crowd.signIn(started.location ?? '', person);
          return [started, await handle(requestFor(callback, own))];
        };
        let logins: [Handled, Handled][] = [];
        const strays = await straysOf(async () => {
          logins = await Promise.all(Array.from({ length: LOGINS }, (_, index) => login(index)));
        });
        expect(strays).to.deep.equal([]);

        for (const [person, [started, finished]] of logins.entries()) {
          const state = { person, returnTo: `/deals/${person}` };
          const user = finished.user as LoggedIn;
          expect(started.events).to.deep.equal(['ended with 302']);
          expect(finished.events).to.deep.equal(['next']);
          expect(user.profile).to.include({ id: `${person}`, displayName: `Person ${person}` });
          expect(user.tokens).to.include({
            accessToken: `at-${person}`,
            refreshToken: `rt-${person}`,
          });
          expect(user.state).to.deep.equal(state);
          expect(finished.authInfo).to.deep.equal({ state });
        }
        expect(new Set(logins.map(([{ location }]) => location)).size).to.equal(LOGINS);
        expect(crowd.tokenRequests).to.equal(LOGINS);

        strategy.client.close();
        await until(async () => (await crowd.connections()) === 0);
        expect(await crowd.connections()).to.equal(0);
        await crowd.close();
        await expectNoMoreThan(before);
      });
    }
  });

  describe('against the emulator', () => {
    const names = Array.from({ length: EMULATED_LOGINS }, (_, index) => `Person Number${index}`);
    let emulator: Emulator;
    before(async () => {
      emulator = await startEmulator({ port: 0, people: names.map((name) => ({ name })) });
    });
    after(() => emulator.close());

    interface Settings {
      callbackURL?: string;
      store?: StateStore;
    }
    const strategies: Record<ProviderName, (settings?: Settings) => TestStrategy> = {
      salesloft: (settings) =>
        new SalesloftStrategy({ ...emulator.salesloft.options, ...common, ...settings }),
      salesos: (settings) =>
        new SalesosStrategy({ ...emulator.salesos.options, ...common, ...settings }),
      salesforce: (settings) =>
        new SalesforceStrategy({ ...emulator.salesforce.options, ...common, ...settings }),
    };
    const common = { callbackURL: CALLBACK, timeout: 50_000, verify };

    for (const provider of ['salesloft', 'salesos', 'salesforce'] as const) {
      it(`contract 3 — ${provider} keeps ${EMULATED_LOGINS} overlapping logins apart`, async () => {
        const strategy = strategies[provider]();
        const handle = through(passportWith(strategy), provider);
        const pause = delays(40);
        const login = async (name: string): Promise<Handled> => {
          const own = {};
          const start = requestFor(CALLBACK.replace('/callback', ''), own);
          const { location = '' } = await handle(start, { state: { name } });
          const callback = await new Browser().signIn(location, name);
          await sleep(pause());
          return await handle(requestFor(callback, own));
        };
        const finished = await Promise.all(names.map(login));
        const users = finished.map(({ user }) => user as LoggedIn);
        for (const [index, { events, authInfo }] of finished.entries()) {
          const state = { name: names[index] };
          expect(events).to.deep.equal(['next']);
          expect(users[index]?.profile.displayName).to.equal(names[index]);
          expect(users[index]?.state).to.deep.equal(state);
          expect(authInfo).to.deep.equal({ state });
        }
        for (const value of ['id', 'displayName'] as const) {
          expect(new Set(users.map(({ profile }) => profile[value])).size).to.equal(names.length);
        }
        // The provider says that the tokens are the person's own.
        const owners = await Promise.all(
          users.map(({ tokens }) => strategy.client.fetchProfile(tokens)),
        );
        expect(owners.map(({ id }) => id)).to.deep.equal(users.map(({ profile }) => profile.id));
        strategy.client.close();
      });
    }

    describe('a callback that is opened more than once', () => {
      interface Answer {
        status: number;
        user?: string;
        info?: { code: string; hint: string; message: string };
      }

      /**
       * express-session's MemoryStore hands each request a copy of the session. With `crowd` at 2,
       * neither of two callbacks goes on before both have their copy.
       */
      async function startApp(strategy: TestStrategy, crowd: number) {
        const passport = passportWith(strategy);
        passport.serializeUser((user, done) => done(null, user));
        passport.deserializeUser((user: Express.User, done) => done(null, user));
        const app = express();
        app.use(session({ secret: 'test only', resave: false, saveUninitialized: false }));
        app.use(passport.session());
        app.get('/auth', passport.authenticate(strategy.name ?? '') as express.RequestHandler);
        const waiting: (() => void)[] = [];
        app.get('/auth/callback', (_req, _res, next) => {
          waiting.push(next);
          if (waiting.length >= crowd) for (const go of waiting.splice(0)) go();
        });
        app.get('/auth/callback', (req, res, next) => {
          const done = (
            error: unknown,
            user?: LoggedIn | false,
            info?: object,
            status?: number,
          ): void => {
            if (error) next(error);
            else if (!user) res.status(status ?? 401).json({ info });
            else {
              const { displayName } = user.profile;
              req.logIn({ displayName }, (failed: unknown) => {
                if (failed) next(failed);
                else res.json({ user: displayName });
              });
            }
          };
          const middleware: unknown = passport.authenticate(strategy.name ?? '', done);
          (middleware as express.RequestHandler)(req, res, next);
        });
        app.get('/me', (req, res) => {
          res.json({ user: Reflect.get(req.user ?? {}, 'displayName') });
        });
        const server = app.listen(0, '127.0.0.1');
        await once(server, 'listening');
        const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
        return {
          origin,
          open: async (browser: Browser, url: string): Promise<Answer> => {
            const response = await browser.visit(url);
            return { status: response.status, ...((await response.json()) as object) };
          },
          /** A browser that has just been sent back, and where to. */
          comeBack: async (who = names[0] ?? ''): Promise<[Browser, string]> => {
            const browser = new Browser();
            const { headers } = await browser.visit(`${origin}/auth`);
            return [browser, await new Browser().signIn(headers.get('location') ?? '', who)];
          },
          close: async () => {
            const closed = once(server, 'close');
            server.close();
            server.closeAllConnections();
            await closed;
            strategy.client.close();
          },
        };
      }

      const tokenRequests = (provider: ProviderName) =>
        emulator[provider].requests.filter(
          ({ method, path }) => method === 'POST' && path.endsWith('/token'),
        ).length;

      function expectWayBack({ status, info }: Answer): void {
        expect(status).to.equal(403);
        expect(info).to.have.all.keys('message', 'code', 'hint');
        expect(info?.code).to.equal('already_completed');
        expect(info?.hint).to.contain('start the login again from its button');
      }

      for (const provider of ['salesloft', 'salesos', 'salesforce'] as const) {
        const callbackURL = '/auth/callback';
        const kept: [string, () => TestStrategy][] = [
          ['the session', () => strategies[provider]({ callbackURL })],
          [
            'cookies',
            () => {
              const store = new CookieStateStore({ secrets: ['x'.repeat(32)], secure: false });
              return strategies[provider]({ callbackURL, store });
            },
          ],
        ];
        for (const [where, make] of kept) {
          it(`RFC 9700 §4.5 — ${provider}: a double click redeems the code once, kept in ${where}`, async () => {
            const app = await startApp(make(), 2);
            try {
              const [browser, callback] = await app.comeBack();
              const before = tokenRequests(provider);
              const answers = await Promise.all([
                app.open(browser, callback),
                app.open(browser, callback),
              ]);
              const [first, second] = answers.toSorted((a, b) => a.status - b.status);
              expect(first).to.deep.equal({ status: 200, user: names[0] });
              if (second) expectWayBack(second);
              expect(tokenRequests(provider) - before).to.equal(1);
              // The second answer does not sign the person out again.
              expect((await app.open(browser, `${app.origin}/me`)).user).to.equal(names[0]);
            } finally {
              await app.close();
            }
          });
        }

        it(`RFC 9700 §4.5 — ${provider}: a reload and the back button redeem nothing`, async () => {
          const app = await startApp(kept[0]?.[1]() ?? strategies[provider](), 1);
          try {
            const [browser, callback] = await app.comeBack();
            const before = tokenRequests(provider);
            expect((await app.open(browser, callback)).status).to.equal(200);
            expectWayBack(await app.open(browser, callback));
            expect((await app.open(browser, `${app.origin}/me`)).user).to.equal(names[0]);
            expectWayBack(await app.open(browser, callback));
            // A callback whose login began in another browser is refused too.
            const [, foreign] = await app.comeBack(names[1]);
            expect((await app.open(browser, foreign)).status).to.equal(403);
            expect(tokenRequests(provider) - before).to.equal(1);
            expect((await app.open(browser, `${app.origin}/me`)).user).to.equal(names[0]);
          } finally {
            await app.close();
          }
        });

        it(`RFC 9700 §4.5 — ${provider}: a reload after a refusal says so as well`, async () => {
          const app = await startApp(kept[0]?.[1]() ?? strategies[provider](), 1);
          try {
            const before = tokenRequests(provider);
            const [browser, callback] = await app.comeBack('deny');
            expect(await app.open(browser, callback)).to.nested.include({
              status: 401,
              'info.code': 'access_denied',
            });
            expectWayBack(await app.open(browser, callback));
            expect(tokenRequests(provider)).to.equal(before);
          } finally {
            await app.close();
          }
        });
      }
    });
  });

  describe('logins that are started and abandoned', () => {
    const common = {
      clientID: 'client-1',
      clientSecret: 'secret-1',
      callbackURL: CALLBACK,
      verify: () => false,
    };
    const makers: readonly [string, () => TestStrategy][] = [
      ['salesloft', () => new SalesloftStrategy(common)],
      ['salesos', () => new SalesosStrategy(common)],
      ['salesforce', () => new SalesforceStrategy(common)],
    ];

    for (const [provider, make] of makers) {
      it(`contract 3 — ${provider}: ${ABANDONED} in one session leave ten, of 300 bytes at most`, async () => {
        const handle = through(passportWith(make()), provider);
        // Between two requests, the store keeps the session as JSON.
        let stored = '{}';
        let largest = 0;
        const states: string[] = [];
        for (let index = 0; index < ABANDONED; index += 1) {
          const own = JSON.parse(stored) as Record<string, unknown>;
          const { location = '' } = await handle(requestFor('http://127.0.0.1:3000/auth', own));
          states.push(new URL(location).searchParams.get('state') ?? '');
          stored = JSON.stringify(own);
          largest = Math.max(largest, Buffer.byteLength(stored));
        }
        const kept = JSON.parse(stored) as Record<string, { state: string }[]>;
        const pending = kept[`oauth2:${provider}`] ?? [];
        expect(pending.map(({ state }) => state)).to.deep.equal(states.slice(-10));
        expect(largest).to.be.at.most(10 * 300);
        expect(new Set(states).size).to.equal(ABANDONED);
      });

      it(`contract 3 — ${provider}: ${ABANDONED} in as many sessions leave nothing in the process`, async () => {
        const handle = through(passportWith(make()), provider);
        const abandon = async (times: number) => {
          for (let index = 0; index < times; index += 1) {
            const { events } = await handle(requestFor('http://127.0.0.1:3000/auth', {}));
            expect(events).to.deep.equal(['ended with 302']);
          }
        };
        // Fills every cache, and the bounded memory of recent logins.
        await abandon(ABANDONED);
        const before = await resources();
        const heap = heapUsed();
        await abandon(ABANDONED);
        await expectNoMoreThan(before);
        // One pending login of them each would be more than 3 MB.
        expect(heapUsed() - heap).to.be.below(2 * 1024 * 1024);
      });
    }
  });
});
