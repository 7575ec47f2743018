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
import type { LoginAttempt } from '../../dist/protocol/login-attempt';
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

const DELAYED = Symbol('delayed');

describe('tabs that start at the same moment', () => {
  let store: SlowStore;
  let origin: string;
  let cookie: string;
  /** Between the session of a request and its start. */
  const delays = new EventEmitter();

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
    app.use(async (req, _res, next) => {
      if (req.query.delayed !== undefined) {
        delays.emit(DELAYED);
        await once(delays, 'over');
      }
      next();
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

  it('finish also when one ends after the session of the other has been loaded', async () => {
    const delayed = visit('/auth/acme?delayed');
    await once(delays, DELAYED);
    const starts = [await visit('/auth/other')];
    delays.emit('over');
    starts.push(await delayed);
    for (const [index, answer] of starts.entries()) {
      const path = `/auth/${['other', 'acme'][index]}/callback?code=code-1&state=${stateOf(answer)}`;
      expect(await (await visit(path)).text()).to.equal('signed in');
    }
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

  /** Starts in one session, as a session library carries them out: each has a copy of its own. */
  class Starts {
    readonly #store = new SessionStateStore('key');
    #stored: { key?: LoginAttempt[] } = {};
    reads = 0;
    readonly sessionStore = {
      get: (_id: string, done: (error: unknown, stored: unknown) => void) => {
        this.reads += 1;
        done(null, this.#stored);
      },
    };

    /** @param version of the session: before any start, or as it is stored now */
    begin(state: string, res: object | undefined, version: 'old' | 'new' = 'old') {
      const copy = version === 'old' ? {} : structuredClone(this.#stored);
      const { sessionStore } = this;
      const req = { headers: {}, session: copy, sessionStore, sessionID: 'a', res };
      const begun = this.#store.begin(req, attemptOf({ state }));
      return { begun, copy };
    }

    save(copy: { key?: LoginAttempt[] }): void {
      this.#stored = structuredClone(copy);
    }
  }

  const statesOf = ({ key = [] }: { key?: LoginAttempt[] }) => key.map(({ state }) => state);
  const open = () => Object.assign(new EventEmitter(), { writableEnded: false });

  it('wait for the one just before, also when an earlier one has ended', async () => {
    const starts = new Starts();
    const [one, two, three] = [open(), open(), open()];
    const first = starts.begin('a', one);
    const second = starts.begin('b', two);
    expect(first.begun).to.equal(undefined);
    await pause(0);
    expect(statesOf(second.copy)).to.deep.equal([]);
    starts.save(first.copy);
    one.emit('finish');
    await pause(0);
    expect(statesOf(second.copy)).to.deep.equal(['a', 'b']);
    const third = starts.begin('c', three);
    await pause(0);
    expect(statesOf(third.copy)).to.deep.equal([]);
    starts.save(second.copy);
    // The browser has broken it off.
    two.emit('close');
    await third.begun;
    expect(statesOf(third.copy)).to.deep.equal(['a', 'b', 'c']);
  });

  it('wait behind one that is broken off while it waits itself', async () => {
    const starts = new Starts();
    const [one, two, three] = [open(), open(), open()];
    const first = starts.begin('a', one);
    const second = starts.begin('b', Object.assign(two, { closed: true }));
    const third = starts.begin('c', three);
    await pause(0);
    expect([second, third].map(({ copy }) => statesOf(copy))).to.deep.equal([[], []]);
    starts.save(first.copy);
    one.emit('finish');
    await third.begun;
    expect(statesOf(second.copy)).to.deep.equal(['a', 'b']);
    expect(statesOf(third.copy)).to.deep.equal(['a', 'c']);
  });

  it('wait three seconds at most, however many wait before them', async () => {
    const starts = new Starts();
    const responses = [open(), open(), open(), open()];
    const begun = responses.map((res, index) => starts.begin(`state-${index}`, res).begun);
    let over = 0;
    for (const turn of begun.slice(1)) void Promise.resolve(turn).then(() => (over += 1));
    await begun[1];
    await pause(100);
    expect(over).to.equal(3);
  });

  it('wait for one that does not end, but not for long', async () => {
    const starts = new Starts();
    const response = open();
    starts.save(starts.begin('a', response).copy);
    const { begun, copy } = starts.begin('b', open());
    await pause(0);
    expect(statesOf(copy)).to.deep.equal([]);
    await begun;
    expect(statesOf(copy)).to.deep.equal(['a', 'b']);
  });

  /** A response that has ended, of Node itself over a socket that is none. */
  const ended = async (socket: object) => {
    const res = new ServerResponse({ method: 'GET' } as IncomingMessage);
    res.assignSocket(socket as Socket);
    res.end();
    await pause(0);
    return res;
  };
  const brokenOff = () => {
    const socket = new PassThrough();
    const res = new ServerResponse({ method: 'GET' } as IncomingMessage);
    res.assignSocket(socket as unknown as Socket);
    socket.emit('close');
    return res;
  };
  /** As serverless adapters make one: it lacks most fields of a socket. */
  const bareSocket = () => {
    const write = (_chunk: unknown, _encoding: unknown, done?: () => void) => {
      done?.();
      return true;
    };
    const bare = { write, writable: true, cork: noop, uncork: noop, _writableState: {} };
    return Object.assign(new EventEmitter(), bare);
  };
  const noop = () => undefined;
  const over: [string, () => object | Promise<object>][] = [
    ['has ended', () => ended(new PassThrough())],
    ['has ended in a serverless adapter', () => ended(bareSocket())],
    ['was broken off', brokenOff],
    ['was broken off in HTTP/2', () => Object.assign(open(), { writableFinished: true })],
    ['does not say whether it has ended', () => new EventEmitter()],
    ['has no events', () => ({ writableEnded: false })],
  ];
  for (const [title, make] of over) {
    it(`wait for no response that ${title}, and get its login all the same`, async () => {
      const starts = new Starts();
      const response = await make();
      const { begun, copy } = starts.begin('a', response);
      expect(begun).to.equal(undefined);
      starts.save(copy);
      const second = starts.begin('b', open());
      await pause(0);
      expect(statesOf(second.copy)).to.deep.equal(['a', 'b']);
    });
  }

  it('ask for no session that has the login of the one before', () => {
    const starts = new Starts();
    const responses = [open(), open()];
    starts.save(starts.begin('a', responses[0]).copy);
    const { begun, copy } = starts.begin('b', responses[1], 'new');
    expect(begun).to.equal(undefined);
    expect(statesOf(copy)).to.deep.equal(['a', 'b']);
    expect(starts.reads).to.equal(0);
  });

  it('need a response, and a session with an id and a store', () => {
    const sessionStore = { get: () => expect.fail('not asked') };
    for (const parts of [
      { sessionStore, sessionID: 'a' },
      { sessionID: 'a', res: open() },
      { sessionStore, sessionID: 7, res: open() },
      { sessionStore: {}, sessionID: 'a', res: open() },
    ]) {
      const states = new SessionStateStore('key');
      for (const state of ['a', 'b']) {
        const req = { headers: {}, session: {}, ...parts } as unknown as PassportRequest;
        expect(states.begin(req, attemptOf({ state }))).to.equal(undefined);
      }
    }
  });

  it('CWE-770 — are forgotten when thousands have followed', () => {
    const states = new SessionStateStore('key');
    const sessionStore = { get: (_id: string, done: () => void) => done() };
    const res = open();
    const begin = (id: number) => {
      const req = { headers: {}, session: {}, sessionStore, sessionID: `session-${id}`, res };
      return states.begin(req, attemptOf());
    };
    for (let id = 0; id < 1000; id += 1) expect(begin(id)).to.equal(undefined);
    expect(begin(0)).to.be.a('promise');
    for (let id = 1000; id < 3000; id += 1) expect(begin(id)).to.equal(undefined);
    expect(begin(0)).to.equal(undefined);
    expect(begin(2000)).to.be.a('promise');
  });
});
