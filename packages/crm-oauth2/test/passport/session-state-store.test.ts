import { expect } from 'chai';
import { SessionStateStore } from '../../dist/passport';
import type { PassportRequest } from '../../dist/passport';
import type { LoginAttempt } from '../../dist/protocol/login-attempt';
import { thrown } from '../support';
import { attemptOf } from './support';

const KEY = 'oauth2:acme';
const store = new SessionStateStore(KEY);

type Session = Record<string, unknown>;

function request(session: unknown): PassportRequest {
  return { headers: {}, session };
}

function begin(session: Session, ...states: string[]): LoginAttempt[] {
  return states.map((state) => {
    const attempt = attemptOf({ state, codeVerifier: `verifier of ${state}` });
    void store.begin(request(session), attempt);
    return attempt;
  });
}

/** The session as a library writes it and reads it again. */
function stored(session: Session): Session {
  return JSON.parse(JSON.stringify(session)) as Session;
}

const statesIn = (session: Session) =>
  (session[KEY] as readonly LoginAttempt[]).map(({ state }) => state);

describe('session state store', () => {
  it('RFC 9700 §4.7 — hands an attempt out once', () => {
    const session: Session = { user: 'zoe' };
    const [attempt] = begin(session, 'a');
    expect(store.take(request(stored(session)), 'a')).to.deep.equal(attempt);
    expect(store.take(request(session), 'a')).to.deep.equal(attempt);
    expect(store.take(request(session), 'a')).to.equal('state_unknown');
    expect(stored(session)).to.deep.equal({ user: 'zoe' });
  });

  it('keeps the attempts of several tabs apart', () => {
    const session: Session = {};
    const [a, b, c] = begin(session, 'a', 'b', 'c');
    expect(store.take(request(session), 'b')).to.deep.equal(b);
    expect(store.take(request(session), 'a')).to.deep.equal(a);
    expect(store.take(request(session), 'x')).to.equal('state_unknown');
    expect(store.take(request(session), 'c')).to.deep.equal(c);
  });

  it('keeps at most ten, and drops the oldest', () => {
    const session: Session = {};
    const states = Array.from({ length: 12 }, (_, index) => `state-${index}`);
    begin(session, ...states);
    expect(statesIn(session)).to.deep.equal(states.slice(2));
    expect(store.take(request(session), 'state-1')).to.equal('state_unknown');
    expect(store.take(request(session), 'state-2')).to.include({ state: 'state-2' });
  });

  it('drops the expired when another one begins', () => {
    const session: Session = {};
    void store.begin(request(session), attemptOf({ state: 'old', expiresAt: Date.now() - 1 }));
    void store.begin(
      request(session),
      attemptOf({ state: 'back', expiresAt: Date.now() + 4_200_000 }),
    );
    begin(session, 'new');
    expect(statesIn(session)).to.deep.equal(['new']);
  });

  it('uses its own key only', () => {
    const session: Session = {};
    begin(session, 'a');
    const other = new SessionStateStore('oauth2:other');
    expect(other.take(request(session), 'a')).to.equal('state_unknown');
    expect(store.take(request(session), 'a')).to.include({ state: 'a' });
  });

  it('writes by one assignment to the session itself', () => {
    const writes: string[] = [];
    const session = new Proxy<Session>(
      {},
      {
        set: (target, name, value) => {
          writes.push(`set ${String(name)}`);
          return Reflect.set(target, name, value);
        },
        deleteProperty: (target, name) => {
          writes.push(`delete ${String(name)}`);
          return Reflect.deleteProperty(target, name);
        },
      },
    );
    begin(session, 'a', 'b');
    store.take(request(session), 'a');
    store.take(request(session), 'b');
    // Never a delete, which not every session library notices.
    expect(writes).to.deep.equal(Array.from({ length: 4 }, () => `set ${KEY}`));
  });

  it('never changes a record that it has stored', () => {
    const session: Session = {};
    begin(session, 'a');
    const first = session[KEY];
    const before = JSON.stringify(first);
    begin(session, 'b');
    store.take(request(session), 'a');
    expect(session[KEY]).not.to.equal(first);
    expect(JSON.stringify(first)).to.equal(before);
  });

  describe('without a session', () => {
    for (const session of [undefined, null, 'text']) {
      it(`refuses to begin, and has nothing to take (${String(session)})`, () => {
        expect(thrown(() => store.begin(request(session), attemptOf())).code).to.equal(
          'session_missing',
        );
        expect(store.take(request(session), 'a')).to.equal('session_missing');
      });
    }
  });

  describe('something else under the key', () => {
    for (const name of ['state', 'codeVerifier', 'client', 'redirectUri', 'expiresAt'] as const) {
      it(`RFC 9700 §4.7 — an attempt without ${name}, as another version may have left it, is unknown`, () => {
        const whole = attemptOf({ state: 'a' });
        const session: Session = { [KEY]: [whole] };
        expect(store.take(request(stored(session)), 'a')).to.include({ state: 'a' });
        const { [name]: _, ...rest } = whole;
        session[KEY] = [rest];
        expect(store.take(request(session), 'a')).to.equal('state_unknown');
      });
    }

    for (const garbage of [
      'text',
      7,
      null,
      [],
      ['a'],
      [null, undefined, { state: 'a' }],
      [{ state: 'b', codeVerifier: 7, expiresAt: 8 }],
      [{ state: 'c', codeVerifier: 'x' }],
      [{ state: 7, codeVerifier: 'x', expiresAt: 9e15 }],
      { 0: { state: 'd', codeVerifier: 'x', expiresAt: 8 }, length: 1 },
      { state: 'handle' },
      { state: { handle: 'a', code_verifier: 'b' } },
      { a: null, b: {}, c: { codeVerifier: 7, expiresAt: 8 }, d: { codeVerifier: 'x' } },
    ]) {
      it(`counts as nothing: ${JSON.stringify(garbage)}`, () => {
        const session: Session = { [KEY]: garbage };
        for (const state of ['a', 'b', 'c', 'd', 'state', '0', 'handle']) {
          expect(store.take(request(session), state)).to.equal('state_unknown');
        }
        begin(session, 'new');
        expect(statesIn(session)).to.deep.equal(['new']);
        expect(store.take(request(session), 'new')).to.include({ state: 'new' });
      });
    }
  });

  for (const name of ['__proto__', 'constructor', 'hasOwnProperty', 'toString']) {
    it(`knows no state called ${name}`, () => {
      const session: Session = {};
      begin(session, 'a');
      const before = session[KEY];
      expect(store.take(request(session), name)).to.equal('state_unknown');
      expect(session[KEY]).to.equal(before);
    });
  }

  describe('when Passport regenerates the session', () => {
    /** Sessions of a library: `regenerate` puts a new one on the request. */
    function sessionOf(
      req: PassportRequest,
      style: 'callback' | 'promise',
      fresh: Session = {},
    ): Session {
      const regenerate =
        style === 'callback'
          ? (done: (...results: unknown[]) => void) => {
              req.session = fresh;
              setImmediate(done, null, 'more');
            }
          : async () => {
              await Promise.resolve();
              req.session = fresh;
              return 'value';
            };
      return Object.create({ regenerate }) as Session;
    }

    function call(session: Session, ...parameters: unknown[]): unknown {
      return Reflect.apply(session.regenerate as () => unknown, session, parameters);
    }

    it('carries the other tabs over (callback form), and passes the results on', async () => {
      const req = request(undefined);
      const session = sessionOf(req, 'callback');
      req.session = session;
      const [, b] = begin(session, 'a', 'b');
      store.take(req, 'a');
      const results = await new Promise((resolve) => {
        call(session, (...values: unknown[]) => resolve(values));
      });
      expect(results).to.deep.equal([null, 'more']);
      expect(req.session).not.to.equal(session);
      expect(store.take(req, 'b')).to.deep.equal(b);
    });

    it('carries the other tabs over (promise form)', async () => {
      const req = request(undefined);
      const session = sessionOf(req, 'promise');
      req.session = session;
      const [, b] = begin(session, 'a', 'b');
      store.take(req, 'a');
      await (call(session) as Promise<unknown>);
      expect(store.take(req, 'b')).to.deep.equal(b);
    });

    it("carries other providers' tabs over, and nothing else of the old session", async () => {
      const req = request(undefined);
      const fresh: Session = {};
      const session = sessionOf(req, 'promise', fresh);
      req.session = session;
      begin(session, 'a');
      const other = new SessionStateStore('oauth2:other');
      void other.begin(req, attemptOf({ state: 'b' }));
      session.cart = { codeVerifier: 'x' };
      session.user = 'mallory';
      store.take(req, 'a');
      await (call(session) as Promise<unknown>);
      expect(Object.keys(fresh)).to.deep.equal(['oauth2:other']);
      expect(other.take(req, 'b')).to.include({ state: 'b' });
    });

    it('carries nothing over for a single tab', async () => {
      const req = request(undefined);
      const fresh: Session = {};
      const session = sessionOf(req, 'promise', fresh);
      req.session = session;
      begin(session, 'a');
      store.take(req, 'a');
      await (call(session) as Promise<unknown>);
      expect(fresh).to.deep.equal({});
    });

    it('carries no attempt that was taken', async () => {
      const req = request(undefined);
      const session = sessionOf(req, 'promise');
      req.session = session;
      begin(session, 'a', 'b');
      store.take(req, 'a');
      await (call(session) as Promise<unknown>);
      expect(store.take(req, 'a')).to.equal('state_unknown');
    });

    it('replaces nothing that the new session already has', async () => {
      const req = request(undefined);
      const fresh: Session = {};
      begin(fresh, 'c');
      const session = sessionOf(req, 'promise', fresh);
      req.session = session;
      begin(session, 'a', 'b');
      store.take(req, 'a');
      await (call(session) as Promise<unknown>);
      expect(store.take(req, 'c')).to.include({ state: 'c' });
    });

    it('leaves nothing in the session that a store would serialize', () => {
      const req = request(undefined);
      const session = sessionOf(req, 'callback');
      req.session = session;
      begin(session, 'a', 'b');
      store.take(req, 'a');
      expect(Object.keys(session)).to.deep.equal([KEY]);
    });

    it('takes the attempt also where the session forbids it', () => {
      const req = request(undefined);
      const session = sessionOf(req, 'callback');
      begin(session, 'a', 'b');
      req.session = new Proxy(session, {
        defineProperty: (target, name, descriptor) =>
          name !== 'regenerate' && Reflect.defineProperty(target, name, descriptor),
      });
      expect(store.take(req, 'a')).to.include({ state: 'a' });
    });
  });
});
