/** Logs in without a session in each framework of docs/frameworks.md: the cookie of the pending login is all there is. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { startEmulator } from 'crm-emulator';
import type { Emulator } from 'crm-emulator';
import { CookieStateStore, loginHandler } from 'crm-oauth2/passport';
import type { LoginResponse, PassportResponse } from 'crm-oauth2/passport';
import SalesloftStrategy from 'passport-salesloft';
import { Browser } from '../support/browser';
import { ROOT } from '../support/packages';
import type { RunnableStrategy } from '../support/passport-run';

const FRAMEWORKS = join(ROOT, 'test', 'packaging', 'frameworks');
const INSTALL_LIMIT_MS = 300_000;

const { install } = require(join(ROOT, 'examples', 'frameworks', 'run.js')) as {
  install(): void;
};

// The repository does not depend on the frameworks, so their types are not here.
const load = createRequire(join(FRAMEWORKS, 'package.json'));
const loadModule = async (name: string): Promise<Record<string, unknown>> =>
  (await import(pathToFileURL(load.resolve(name)).href)) as Record<string, unknown>;

interface App {
  origin: string;
  close(): Promise<void>;
}
/** Serves a login at `/auth` and `/auth/callback`. The options are for a framework that makes the strategy itself. */
type StartApp = (strategy: SalesloftStrategy, options: object) => Promise<App>;

interface WithUser {
  user: unknown;
}
type Next = () => Promise<void>;

async function listening(server: Server): Promise<App> {
  if (!server.listening) await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

const express4: StartApp = async (strategy) => {
  const { Passport } = load('passport');
  const passport = new Passport();
  passport.use(strategy);
  const app = load('express')();
  const authenticate = passport.authenticate('salesloft', { session: false });
  app.get('/auth', authenticate);
  app.get(
    '/auth/callback',
    authenticate,
    ({ user }: WithUser, res: { json(body: unknown): void }) => res.json({ user }),
  );
  return await listening(app.listen(0, '127.0.0.1'));
};

/** The classes are decorated by hand, as a compiler does it. */
const nestjs: StartApp = async (_strategy, options) => {
  load('reflect-metadata');
  const { Controller, Get, Module, Req, UseGuards } = load('@nestjs/common');
  const { AuthGuard, PassportStrategy } = load('@nestjs/passport');

  class Login extends PassportStrategy(SalesloftStrategy, 'crm') {
    constructor() {
      super(options);
    }
    validate(_accessToken: string, _refreshToken: string, profile: { displayName: string }) {
      return profile.displayName;
    }
  }
  class Auth {
    start() {}
    callback({ user }: WithUser) {
      return { user };
    }
  }
  for (const [name, path] of [
    ['start', '/auth'],
    ['callback', '/auth/callback'],
  ] as const) {
    const method = Object.getOwnPropertyDescriptor(Auth.prototype, name);
    for (const decorate of [Get(path), UseGuards(AuthGuard('crm'))]) {
      decorate(Auth.prototype, name, method);
    }
  }
  Req()(Auth.prototype, 'callback', 0);
  Controller()(Auth);
  const Application = function () {};
  Module({ controllers: [Auth], providers: [Login] })(Application);
  const app = await load('@nestjs/core').NestFactory.create(Application, { logger: false });
  await app.listen(0, '127.0.0.1');
  return { origin: await app.getUrl(), close: async () => await app.close() };
};

interface Reply {
  raw: PassportResponse;
  send(body: unknown): unknown;
}
interface FastifyRequest extends WithUser {
  session: { set(name: string, value: unknown): void };
}

/** @param responseOf the option `response`, of Fastify's reply */
const fastify =
  (responseOf: (reply: Reply) => LoginResponse | undefined): StartApp =>
  async (strategy) => {
    const { Authenticator } = load('@fastify/passport');
    const passport = new Authenticator();
    passport.use(strategy);
    const app = load('fastify')();
    // The plugin wants a session to be registered.
    app.register(load('@fastify/secure-session'), { key: Buffer.alloc(32, 1) });
    app.register(passport.initialize());
    const preValidation = (request: object, reply: Reply): unknown =>
      passport
        .authenticate('salesloft', { session: false, response: responseOf(reply) })
        .call(app, request, reply);
    app.get('/auth', { preValidation }, () => undefined);
    app.get(
      '/auth/callback',
      { preValidation },
      ({ user, session }: FastifyRequest, reply: Reply) => {
        // The session sets a cookie of its own, in the same answer.
        if (responseOf(reply) === reply) session.set('user', user);
        return reply.send({ user });
      },
    );
    const origin: string = await app.listen({ port: 0, host: '127.0.0.1' });
    return { origin, close: async () => await app.close() };
  };

interface KoaContext {
  res: PassportResponse;
  response: { res: PassportResponse };
  body: unknown;
  state: WithUser;
}

/** @param responseOf the option `response`, of Koa's context */
const koa =
  (responseOf: (ctx: KoaContext) => LoginResponse | undefined): StartApp =>
  async (strategy) => {
    const Koa = load('koa');
    const { KoaPassport } = load('koa-passport');
    const passport = new KoaPassport();
    passport.use(strategy);
    const app = new Koa();
    app.use(passport.initialize());
    app.use((ctx: KoaContext, next: Next): unknown => {
      const options = { session: false, response: responseOf(ctx) };
      return passport.authenticate('salesloft', options)(ctx, next);
    });
    app.use((ctx: KoaContext) => {
      ctx.body = { user: ctx.state.user };
    });
    return await listening(app.listen(0, '127.0.0.1'));
  };

const hono: StartApp = async (strategy) => {
  const { Hono } = (await loadModule('hono')) as { Hono: new () => ReturnType<typeof load> };
  const { serve } = (await loadModule('@hono/node-server')) as { serve: (o: object) => Server };
  const login = loginHandler(strategy, { success: ({ user }) => Response.json({ user }) });
  const app = new Hono();
  const paths = ['/auth', '/auth/callback'];
  app.on(['GET', 'POST'], paths, (c: { req: { raw: Request } }) => login(c.req.raw));
  return await listening(serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }));
};

/** The five functions of "Any other framework". */
const none: StartApp = async (strategy) => {
  const server = createServer((request, response) => {
    const json = (status: number, body: unknown) => {
      response.writeHead(status).end(JSON.stringify(body));
    };
    const login = Object.assign(Object.create(strategy) as RunnableStrategy, {
      redirect: (url: string) => response.writeHead(302, { location: url }).end(),
      success: (user: unknown) => json(200, { user }),
      fail: (challenge: unknown, status = 401) => json(status, challenge),
      error: (error: unknown) => json(500, String(error)),
      pass: () => json(404, 'passed'),
    });
    login.authenticate(request, { response });
  });
  return await listening(server.listen(0, '127.0.0.1'));
};

const APPS: Readonly<Record<string, StartApp>> = {
  'Express 4': express4,
  NestJS: nestjs,
  'Fastify, with `reply`': fastify((reply) => reply),
  'Fastify, with `reply.raw`': fastify(({ raw }) => raw),
  'Koa, with the stand-in of koa-passport': koa(() => undefined),
  'Koa, with `ctx`': koa((ctx) => ctx),
  'Koa, with `ctx.response`': koa(({ response }) => response),
  'Koa, with `ctx.res`': koa(({ res }) => res),
  Hono: hono,
  'node:http': none,
};

describe('frameworks without a session', () => {
  let emulator: Emulator;

  before('install the frameworks', async function () {
    this.timeout(INSTALL_LIMIT_MS);
    install();
    emulator = await startEmulator({ port: 0 });
  });
  after(async () => {
    await emulator?.close();
  });

  for (const [framework, startApp] of Object.entries(APPS)) {
    it(`${framework} — logs in from two tabs, each of them once`, async () => {
      const options = {
        ...emulator.salesloft.options,
        callbackURL: '/auth/callback',
        store: new CookieStateStore({ secrets: ['s'.repeat(32)], secure: false }),
      };
      const verify = ({ profile }: { profile: { displayName: string } }) => profile.displayName;
      const strategy = new SalesloftStrategy({ ...options, verify });
      const app = await startApp(strategy, options);
      try {
        const browser = new Browser();
        const begin = async (): Promise<string> => {
          const { status, headers } = await browser.visit(`${app.origin}/auth`);
          expect(status).to.equal(302);
          const cookies = headers.getSetCookie();
          expect(cookies.map((cookie) => cookie.split('.')[0])).to.deep.equal(['crm-login']);
          return headers.get('location') ?? '';
        };
        const tabs = [await begin(), await begin()];
        for (const [index, who] of ['Suri', 'Marta Quill'].entries()) {
          const callback = await new Browser().signIn(tabs[index] ?? '', who);
          const response = await browser.visit(callback);
          expect(await response.json()).to.deep.equal({ user: who });
          expect(response.headers.getSetCookie().join()).to.include('Max-Age=0');
          // NestJS makes 401 of every refusal.
          expect((await browser.visit(callback)).status).to.be.oneOf([401, 403]);
        }
      } finally {
        await app.close();
        strategy.client.close();
      }
    }).timeout(30_000);
  }

  it('Fastify, without a response — the error says what to pass', async () => {
    const strategy = new SalesloftStrategy({
      ...emulator.salesloft.options,
      callbackURL: '/auth/callback',
      store: new CookieStateStore({ secrets: ['s'.repeat(32)], secure: false }),
      verify: ({ profile }) => profile.displayName,
    });
    const app = await fastify(() => undefined)(strategy, {});
    const ended: { code?: string; hint?: string }[] = [];
    const note = (message: unknown) => ended.push(message as object);
    subscribe('crm-oauth2', note);
    try {
      const response = await new Browser().visit(`${app.origin}/auth`);
      expect(response.status).to.equal(500);
      const { code, hint } = ended.find((message) => message.code !== undefined) ?? {};
      expect(code).to.equal('response_missing');
      expect(hint).to.include('`reply` of Fastify').and.include('`ctx` of Koa');
    } finally {
      unsubscribe('crm-oauth2', note);
      await app.close();
      strategy.client.close();
    }
  });
});
