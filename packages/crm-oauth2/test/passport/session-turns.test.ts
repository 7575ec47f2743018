/** Tabs that start at the same moment, over a slow session store. */
import { expect } from 'chai';
import express = require('express');
import session = require('express-session');
import { EventEmitter, once } from 'node:events';
import { ServerResponse, createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { Passport } from 'passport';
import { SessionStateStore } from '../../dist/passport';
import type { PassportRequest } from '../../dist/passport';
import { closeServers, httpServer, pause } from '../support';
import { AcmeStrategy, OPTIONS, attemptOf } from './support';

const DELAY_MS = 50;

/** Counts its calls, and takes its time. */
class SlowStore extends session.MemoryStore {
  calls: string[] = [];
  /** How many reads succeed from now on. */
  reads = Infinity;

  override get = (id: string, done: (error: unknown, data?: session.SessionData | null) => void) =>
    this.#later('get', () => {
      this.reads -= 1;
      if (this.reads < 0) done(new Error('out of order'));
      else super.get(id, done as never);
    });

  override set = (id: string, data: session.SessionData, done?: (error?: unknown) => void) => {
    const copy = JSON.parse(JSON.stringify(data)) as session.SessionData;
    this.#later('set', () => super.set(id, copy, done));
  };

  override touch = (id: string, data: session.SessionData, done?: () => void) =>
    this.#later('touch', () => super.touch(id, data, done));

  #later(call: string, act: () => void): void {
    this.calls.push(call);
    setTimeout(act, DELAY_MS);
  }
}

/** That of another library, which has the older field only. */
const response = () => Object.assign(new EventEmitter(), { writableEnded: false });

describe('tabs that start at the same moment', () => {
  let store: SlowStore;
  let origin: string;
  let cookie: string;

  const visit = async (path: string) =>
    await fetch(origin + path, { headers: { cookie }, redirect: 'manual' });
  const stateOf = (answer: Response) =>
    new URL(answer.headers.get('location') ?? '').searchParams.get('state');

  beforeEach(async () => {
    const provider = await httpServer((req, res) => {
      res.setHeader('content-type', 'application/json');
      res.end(JSON.stringify(req.url === '/me' ? { sub: 'zoe' } : { access_token: 'at-zoe' }));
    });
    store = new SlowStore();
    cookie = '';
    const passport = new Passport();
    for (const name of ['acme', 'other']) {
      const strategy = new AcmeStrategy({
        ...OPTIONS,
        sessionKey: `oauth2:${name}`,
        tokenURL: `${provider}/token`,
        userInfoURL: `${provider}/me`,
        verify: ({ profile }) => ({ id: profile.id }),
      });
      passport.use(name, strategy as never);
    }
    const app = express();
    app.use(session({ store, secret: 'x', resave: false, saveUninitialized: false }));
    app.get('/visit', (req, res) => {
      Object.assign(req.session, { cart: 1 });
      res.send('welcome');
    });
    for (const name of ['acme', 'other']) {
      const login = passport.authenticate(name, { session: false }) as express.RequestHandler;
      app.get(`/auth/${name}`, login);
      app.get(`/auth/${name}/callback`, login, (_req, res) => void res.send('signed in'));
    }
    origin = await httpServer(app as never, createServer());
    const answer = await visit('/visit');
    cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    store.calls = [];
  });
  afterEach(closeServers);

  it('all finish, at one provider or at two', async () => {
    const names = ['acme', 'acme', 'other', 'acme'];
    const starts = await Promise.all(names.map((name) => visit(`/auth/${name}`)));
    for (const [index, answer] of starts.entries()) {
      const path = `/auth/${names[index]}/callback?code=code-1&state=${stateOf(answer)}`;
      const back = await visit(path);
      expect(await back.text()).to.equal('signed in');
    }
    const stored = Object.values(Reflect.get(store, 'sessions') as Record<string, string>)[0];
    expect(JSON.parse(stored ?? '')).to.include({ cart: 1 });
  });

  it('cost a start on its own no more than the session library does', async () => {
    await visit('/auth/acme');
    expect(store.calls).to.deep.equal(['get', 'set']);
    await visit('/auth/acme');
    expect(store.calls).to.deep.equal(['get', 'set', 'get', 'set']);
  });

  it('start all the same when the store fails in between', async () => {
    // One for the session of each request; the next is that of the start that waited.
    store.reads = 2;
    const starts = [visit('/auth/acme'), visit('/auth/acme')];
    for (const answer of await Promise.all(starts)) expect(answer.status).to.equal(302);
  });

  it('need a response whose end shows, and a session that has an id', () => {
    const data = {};
    const states = new SessionStateStore('key');
    const sessionStore = { get: () => expect.fail('not asked') };
    const ending = {
      once: () => undefined,
      writableEnded: false,
      getHeader: () => '',
      setHeader: () => undefined,
    };
    for (const { res, ...parts } of [
      { sessionStore, sessionID: 'a' },
      { sessionStore, sessionID: 'a', res: { ...ending, once: undefined } },
      { sessionStore, sessionID: 'b', res: { ...ending, writableEnded: undefined } },
      { sessionStore, sessionID: 'c', res: { ...ending, writableEnded: true } },
      { sessionID: 'a', res: ending },
      { sessionStore, sessionID: 7, res: ending },
      { sessionStore: {}, sessionID: 'a', res: ending },
    ]) {
      for (const state of ['a', 'b']) {
        const own = { ...parts, res: res && { ...res } };
        const req = { headers: {}, session: data, ...own } as unknown as PassportRequest;
        expect(states.begin(req, attemptOf({ state }))).to.equal(undefined);
      }
    }
    expect(Object.values(data)[0]).to.have.lengthOf(10);
  });

  it('wait for the one just before, also when an earlier one has ended', async () => {
    const states = new SessionStateStore('key');
    const data: Record<string, unknown> = {};
    const sessionStore = { get: (_id: string, done: () => void) => done() };
    const begin = (state: string) => {
      const res = response();
      const req = { headers: {}, session: data, sessionStore, sessionID: 'a', res };
      return { begun: states.begin(req, attemptOf({ state })), res };
    };
    const first = begin('a');
    const second = begin('b');
    first.res.emit('finish');
    await pause(0);
    expect(data.key).to.have.lengthOf(2);
    const third = begin('c');
    // The browser has broken it off.
    second.res.emit('close');
    await pause(0);
    expect(data.key).to.have.lengthOf(3);
    await Promise.all([second.begun, third.begun]);
  });

  it('wait for one that does not end, but not for long', async () => {
    const states = new SessionStateStore('key');
    const data = {};
    const sessionStore = { get: (_id: string, done: () => void) => done() };
    const req = { headers: {}, session: data, sessionStore, sessionID: 'a' };
    const responses = [response(), response()];
    const [first, second] = responses.map((res, index) =>
      states.begin({ ...req, res }, attemptOf({ state: `state-${index}` })),
    );
    expect(first).to.equal(undefined);
    await second;
    expect(Object.values(data)[0]).to.have.lengthOf(2);
  });

  it('do not wait for their own response, when one request starts two logins', () => {
    const states = new SessionStateStore('key');
    const req = alone('twice', response());
    for (const state of ['a', 'b']) {
      expect(states.begin(req, attemptOf({ state }))).to.equal(undefined);
    }
  });

  const alone = (sessionID: string, res: object) =>
    ({
      headers: {},
      session: {},
      sessionStore: STORE,
      sessionID,
      res,
    }) as unknown as PassportRequest;
  const STORE = { get: (_id: string, done: () => void) => done() };

  /** As a server has it, over a socket that is none. */
  const responseOn = (socket: PassThrough) => {
    const res = new ServerResponse({ method: 'GET' } as IncomingMessage);
    res.assignSocket(socket as unknown as Socket);
    return res;
  };

  it('wait for no response that a serverless adapter has finished, and never closes', async () => {
    const states = new SessionStateStore('key');
    const res = responseOn(new PassThrough());
    expect(states.begin(alone('adapter', res), attemptOf())).to.equal(undefined);
    res.end();
    await once(res, 'finish');
    await pause(0);
    expect(states.begin(alone('adapter', response()), attemptOf())).to.equal(undefined);
  });

  it('wait for no response that the browser broke off, which never finishes', () => {
    const states = new SessionStateStore('key');
    const socket = new PassThrough();
    const res = responseOn(socket);
    expect(states.begin(alone('broken-off', res), attemptOf())).to.equal(undefined);
    socket.emit('close');
    expect(res.writableFinished).to.equal(false);
    expect(states.begin(alone('broken-off', response()), attemptOf())).to.equal(undefined);
  });

  it('CWE-770 — are forgotten when thousands have followed', () => {
    const states = new SessionStateStore('key');
    const responses: EventEmitter[] = [];
    const begin = (id: number) => {
      const res = response();
      responses.push(res);
      return states.begin(alone(`session-${id}`, res), attemptOf());
    };
    for (let id = 0; id < 1000; id += 1) expect(begin(id)).to.equal(undefined);
    expect(begin(0)).to.be.a('promise');
    for (let id = 1000; id < 3000; id += 1) expect(begin(id)).to.equal(undefined);
    expect(begin(0)).to.equal(undefined);
    expect(begin(2000)).to.be.a('promise');
  });
});
