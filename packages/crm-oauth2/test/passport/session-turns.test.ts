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
    const res = { once: () => res, closed: true, getHeader: () => '', setHeader: () => res };
    for (const parts of [
      { sessionStore, sessionID: 'a' },
      { sessionStore, sessionID: 'a', res },
      { sessionID: 'a', res: { ...res, closed: false } },
      { sessionStore, sessionID: 7, res: { ...res, closed: false } },
      { sessionStore: {}, sessionID: 'a', res: { ...res, closed: false } },
    ]) {
      const req = { headers: {}, session: data, ...parts } as unknown as PassportRequest;
      for (const state of ['a', 'b']) {
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
      let end!: () => void;
      const res = { once: (_event: string, listener: () => void) => (end = listener) };
      const req = { headers: {}, session: data, sessionStore, sessionID: 'a', res };
      const begun = states.begin(req, attemptOf({ state }));
      return { begun, end };
    };
    const first = begin('a');
    const second = begin('b');
    first.end();
    await second.begun;
    const third = begin('c');
    expect(data.key).to.have.lengthOf(2);
    second.end();
    await third.begun;
    expect(data.key).to.have.lengthOf(3);
  });

  it('CWE-1321 — end without what a polluted prototype lends', () => {
    const states = new SessionStateStore('key');
    const sessionStore = { get: () => expect.fail('not asked') };
    const res = new EventEmitter();
    const req = { headers: {}, session: {}, sessionStore, sessionID: 'a', res };
    const { prototype } = Object;
    Object.defineProperty(prototype, 'whenOver', { value: 'polluted', configurable: true });
    try {
      expect(states.begin(req, attemptOf())).to.equal(undefined);
      expect(res.emit('finish')).to.equal(true);
    } finally {
      Reflect.deleteProperty(prototype, 'whenOver');
    }
  });

  it('wait for one that does not end, but not for long', async () => {
    const states = new SessionStateStore('key');
    const res = { once: () => res };
    const data = {};
    const sessionStore = { get: (_id: string, done: () => void) => done() };
    const req = { headers: {}, session: data, sessionStore, sessionID: 'a', res };
    const begin = (state: string) => states.begin(req, attemptOf({ state }));
    expect(begin('a')).to.equal(undefined);
    await begin('b');
    expect(Object.values(data)[0]).to.have.lengthOf(2);
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

  it('wait for no response that a serverless adapter has finished, and never closes', async () => {
    const states = new SessionStateStore('key');
    const res = new ServerResponse({ method: 'GET' } as IncomingMessage);
    expect(states.begin(alone('adapter', res), attemptOf())).to.equal(undefined);
    res.assignSocket(new PassThrough() as unknown as Socket);
    res.end();
    await once(res, 'finish');
    await pause(0);
    expect(states.begin(alone('adapter', { once: () => res }), attemptOf())).to.equal(undefined);
  });

  it('wait for no response that the browser broke off, which never finishes', async () => {
    const states = new SessionStateStore('key');
    const res = new EventEmitter();
    expect(states.begin(alone('broken-off', res), attemptOf())).to.equal(undefined);
    res.emit('close');
    await pause(0);
    expect(states.begin(alone('broken-off', { once: () => res }), attemptOf())).to.equal(undefined);
  });

  it('are forgotten beyond ten thousand responses that never end', () => {
    const states = new SessionStateStore('key');
    const res = { once: () => res };
    for (let index = 0; index < 10_001; index += 1) {
      void states.begin(alone(`s${index}`, res), attemptOf());
    }
    expect(states.begin(alone('s0', res), attemptOf())).to.equal(undefined);
    expect(states.begin(alone('s10000', res), attemptOf())).to.be.a('promise');
  });
});
