/** The real Passport, Express and express-session, and a provider on a loopback socket. */
import { expect } from 'chai';
import express = require('express');
import session = require('express-session');
import { Passport } from 'passport';
import { CookieStateStore } from '../../dist/passport';
import { CREDENTIALS, httpServer, useRealSockets } from '../support';
import { AcmeStrategy } from './support';

interface Answer {
  status: number;
  location: string | null;
  body: string;
}

/** A browser with a cookie jar that follows nothing by itself. */
class Browser {
  readonly cookies = new Map<string, string>();

  async get(url: string): Promise<Answer> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { redirect: 'manual', headers: cookie ? { cookie } : {} });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      const at = pair.indexOf('=');
      if (line.includes('Max-Age=0')) this.cookies.delete(pair.slice(0, at));
      else this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    const { status, headers } = response;
    return { status, location: headers.get('location'), body: await response.text() };
  }
}

/** Its codes are names of people: a code logs in the person it names. */
async function provider(): Promise<string> {
  return await httpServer((req, res) => {
    res.setHeader('content-type', 'application/json');
    if (req.url === '/token') {
      let body = '';
      req.setEncoding('utf8');
      req.on('data', (chunk: string) => (body += chunk));
      req.on('end', () => {
        const code = new URLSearchParams(body).get('code');
        res.end(JSON.stringify({ access_token: `at-${code}` }));
      });
      return;
    }
    res.end(JSON.stringify({ sub: req.headers.authorization?.replace('Bearer at-', '') }));
  });
}

describe('Passport', () => {
  useRealSockets();
  const strategies: AcmeStrategy[] = [];
  afterEach(() => {
    for (const strategy of strategies.splice(0)) strategy.client.close();
  });

  async function application(
    options: { verify?: unknown; byInstance?: boolean; cookies?: boolean } = {},
  ): Promise<string> {
    const origin = await provider();
    const strategy = Reflect.construct(AcmeStrategy, [
      {
        ...CREDENTIALS,
        tokenURL: `${origin}/token`,
        userInfoURL: `${origin}/me`,
        callbackURL: '/auth/acme/callback',
        ...(options.cookies && {
          store: new CookieStateStore({ secrets: ['x'.repeat(32)], secure: false }),
        }),
      },
      options.verify ??
        ((_a: string, _r: string, profile: { id: string }, done: (...all: unknown[]) => void) =>
          done(null, { id: profile.id })),
    ]) as AcmeStrategy;
    strategies.push(strategy);

    const passport = new Passport();
    passport.use(strategy);
    passport.serializeUser((user, done) => done(null, user));
    passport.deserializeUser((user: Express.User, done) => done(null, user));
    const authenticate = (extra: object = {}) =>
      passport.authenticate(
        options.byInstance ? strategy : 'acme',
        extra,
      ) as express.RequestHandler;

    const app = express();
    app.use(session({ secret: 'x', resave: false, saveUninitialized: false }));
    app.use(passport.session());
    app.get('/auth/acme', (req, res, next) => {
      authenticate({ state: { returnTo: req.query.returnTo } })(req, res, next);
    });
    app.get('/auth/acme/callback', authenticate(), (req, res) => {
      res.json({ user: req.user ?? 'no person', info: req.authInfo });
    });
    app.get('/me', (req, res) => {
      res.json(req.user ?? null);
    });
    const failed: express.ErrorRequestHandler = (error: unknown, _req, res, _next) => {
      res.status(500).send(error instanceof Error ? error.message : 'no error');
    };
    app.use(failed);
    return await httpServer(app);
  }

  async function begin(browser: Browser, app: string, returnTo: string): Promise<string> {
    const { status, location } = await browser.get(`${app}/auth/acme?returnTo=${returnTo}`);
    expect(status).to.equal(302);
    return new URL(location ?? '').searchParams.get('state') ?? '';
  }

  function comeBack(browser: Browser, app: string, code: string, state: string): Promise<Answer> {
    return browser.get(`${app}/auth/acme/callback?code=${code}&state=${state}`);
  }

  for (const [title, options] of [
    ['by name', {}],
    ['by instance', { byInstance: true }],
    ['with cookies in place of the session', { cookies: true }],
  ] as const) {
    it(`logs a person in, ${title}`, async () => {
      const app = await application(options);
      const browser = new Browser();
      const state = await begin(browser, app, '/deals');
      const { status, body } = await comeBack(browser, app, 'zoe', state);
      expect(status).to.equal(200);
      expect(JSON.parse(body)).to.deep.equal({
        user: { id: 'zoe' },
        info: { state: { returnTo: '/deals' } },
      });
      expect((await browser.get(`${app}/me`)).body).to.equal('{"id":"zoe"}');
    });
  }

  it('other tabs survive the session that Passport regenerates at a login', async () => {
    const app = await application();
    const browser = new Browser();
    const states = [await begin(browser, app, '/1'), await begin(browser, app, '/2')];
    for (const [index, person] of ['zoe', 'ada'].entries()) {
      const { status, body } = await comeBack(browser, app, person, states[index] ?? '');
      expect(status, body).to.equal(200);
      expect(JSON.parse(body)).to.have.nested.property('user.id', person);
    }
  });

  it('two people at once on one instance end as two different users', async () => {
    const app = await application({ byInstance: true });
    const people = await Promise.all(
      ['zoe', 'ada', 'eve'].map(async (person) => {
        const browser = new Browser();
        const state = await begin(browser, app, '/');
        return { person, browser, state };
      }),
    );
    const answers = await Promise.all(
      people.map(({ person, browser, state }) => comeBack(browser, app, person, state)),
    );
    expect(answers.map(({ body }) => (JSON.parse(body) as { user: unknown }).user)).to.deep.equal([
      { id: 'zoe' },
      { id: 'ada' },
      { id: 'eve' },
    ]);
  });

  it('answers 401 for a refusal of the person, 403 for a foreign state', async () => {
    const app = await application();
    const browser = new Browser();
    const state = await begin(browser, app, '/');
    const denied = await browser.get(
      `${app}/auth/acme/callback?error=access_denied&state=${state}`,
    );
    expect(denied.status).to.equal(401);
    expect((await comeBack(browser, app, 'zoe', 'foreign')).status).to.equal(403);
    expect((await browser.get(`${app}/me`)).body).to.equal('null');
  });

  for (const reason of [undefined, 'route', 'router']) {
    it(`a verify that rejects with ${reason} is an error, and lets no request pass`, async () => {
      const verify = () =>
        new Promise((_resolve, reject) => {
          Reflect.apply(reject, undefined, [reason]);
        });
      const app = await application({ verify });
      const browser = new Browser();
      const state = await begin(browser, app, '/');
      const { status, body } = await comeBack(browser, app, 'zoe', state);
      expect(status).to.equal(500);
      expect(body).not.to.include('no person');
      expect((await browser.get(`${app}/me`)).body).to.equal('null');
    });
  }
});
