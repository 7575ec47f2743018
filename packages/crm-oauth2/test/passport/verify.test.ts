import { expect } from 'chai';
import { Deadline } from '../../dist/wire/deadline';
import { classicVerify, typedVerify } from '../../dist/passport/verify';
import type { AnyVerifyFunction, Request, TypedVerify, Verified } from '../../dist/passport/verify';
import { rejection } from '../support';

const REQ = { headers: {} } as Request;
const PROFILE = { provider: 'acme', id: '7', displayName: 'Zoë', _raw: '', _json: {} };
const TOKENS = {
  accessToken: 'at',
  refreshToken: 'rt',
  tokenType: 'Bearer',
  response: { access_token: 'at', extra: 1 },
};
const CONTEXT = { tokens: TOKENS, profile: PROFILE, req: REQ, state: { returnTo: '/' } };
const USER = { id: 7 };

type Done = (error?: unknown, user?: unknown, info?: object) => void;

async function classic(
  verify: unknown,
  passReqToCallback = false,
  timeout = 2000,
): Promise<Verified> {
  return await classicVerify(verify as AnyVerifyFunction, passReqToCallback)(
    CONTEXT,
    new Deadline(timeout),
  );
}

async function typed(verify: unknown, timeout = 2000): Promise<Verified> {
  return await typedVerify(verify as TypedVerify)(CONTEXT, new Deadline(timeout));
}

describe('verify', () => {
  describe('passport-oauth2 — the arguments by arity', () => {
    const at = 'at';
    const rt = 'rt';
    const { response } = TOKENS;
    const seen: unknown[][] = [];
    beforeEach(() => seen.splice(0));
    function record(parameters: unknown[]): void {
      seen.push(parameters.slice(0, -1));
      (parameters.at(-1) as Done)(null, USER);
    }
    const of0 = (...all: unknown[]) => record(all);
    const of3 = (a: unknown, b: unknown, c: unknown, ...rest: unknown[]) =>
      record([a, b, c, ...rest]);
    const of4 = (a: unknown, b: unknown, c: unknown, d: unknown) => record([a, b, c, d]);
    const of5 = (a: unknown, b: unknown, c: unknown, d: unknown, e: unknown) =>
      record([a, b, c, d, e]);
    const of6 = (a: unknown, b: unknown, c: unknown, d: unknown, e: unknown, f: unknown) =>
      record([a, b, c, d, e, f]);

    const cases: [string, (...parameters: never[]) => void, number, boolean, unknown[]][] = [
      ['0', of0, 0, false, [at, rt, PROFILE]],
      ['3', of3, 3, false, [at, rt, PROFILE]],
      ['4', of4, 4, false, [at, rt, PROFILE]],
      ['5', of5, 5, false, [at, rt, response, PROFILE]],
      ['0 with the request', of0, 0, true, [REQ, at, rt, PROFILE]],
      ['5 with the request', of5, 5, true, [REQ, at, rt, PROFILE]],
      ['6 with the request', of6, 6, true, [REQ, at, rt, response, PROFILE]],
    ];
    for (const [title, verify, arity, withRequest, expected] of cases) {
      it(`arity ${title}`, async () => {
        expect(verify.length).to.equal(arity);
        expect((await classic(verify, withRequest)).user).to.equal(USER);
        expect(seen).to.deep.equal([expected]);
      });
    }
  });

  it('passport-oauth2 — params are a copy that verify may change as it likes', async () => {
    const response = Object.freeze({ access_token: 'at', scope: 'read', nested: { deep: [1] } });
    const before = structuredClone(response);
    const seen: unknown[] = [];
    const verify = (
      _accessToken: unknown,
      _refreshToken: unknown,
      params: { access_token?: string; scope: string; added?: boolean; nested: { deep: number[] } },
      _profile: unknown,
      done: Done,
    ) => {
      seen.push(structuredClone(params));
      delete params.access_token;
      params.scope = 'write';
      params.added = true;
      params.nested.deep.push(2);
      done(null, params);
    };
    const { user } = await classicVerify(verify as unknown as AnyVerifyFunction, false)(
      { ...CONTEXT, tokens: { ...TOKENS, response } },
      new Deadline(2000),
    );
    expect(seen).to.deep.equal([before]);
    expect(user).to.deep.equal({ scope: 'write', added: true, nested: { deep: [1, 2] } });
    expect(response).to.deep.equal(before);
  });

  describe('the callback form', () => {
    it('passes user and info on', async () => {
      const info = { message: 'hello' };
      const verified = await classic((_a: unknown, _r: unknown, _p: unknown, done: Done) =>
        done(null, USER, info),
      );
      expect(verified).to.deep.equal({ user: USER, info });
    });

    for (const user of [false, null, undefined]) {
      it(`refuses with ${user}`, async () => {
        const verified = await classic((_a: unknown, _r: unknown, _p: unknown, done: Done) =>
          done(null, user, { message: 'no' }),
        );
        expect(verified).to.deep.equal({ user, info: { message: 'no' } });
      });
    }

    it('fails with the very error', async () => {
      const error = new Error('database');
      const failing = (_a: unknown, _r: unknown, _p: unknown, done: Done) => done(error);
      expect(await rejection(classic(failing))).to.equal(error);
    });

    it('fails with what it throws', async () => {
      const error = new TypeError('a bug');
      expect(
        await rejection(
          classic(() => {
            throw error;
          }),
        ),
      ).to.equal(error);
    });

    it('counts the first call only', async () => {
      const verified = await classic((_a: unknown, _r: unknown, _p: unknown, done: Done) => {
        done(null, USER);
        done(new Error('second'));
        done(null, false);
        throw new Error('third');
      });
      expect(verified.user).to.equal(USER);
    });

    it('ignores a value it returns that is not a promise', async () => {
      const verified = await classic((_a: unknown, _r: unknown, _p: unknown, done: Done) => {
        setTimeout(done, 5, null, USER);
        return 'not a user';
      });
      expect(verified.user).to.equal(USER);
    });

    it('is over in time: verify_timeout', async () => {
      expect((await rejection(classic(() => {}, false, 30))).code).to.equal('verify_timeout');
    });
  });

  describe('the promise form', () => {
    for (const user of [USER, false, null, 0, '']) {
      it(`takes ${JSON.stringify(user)} for the user`, async () => {
        expect(await classic(() => Promise.resolve(user))).to.deep.equal({ user });
      });
    }

    it('leaves a thenable alone that is not a promise: a database query would run again', async () => {
      let runs = 0;
      const query = {};
      Reflect.set(query, 'then', () => {
        runs += 1;
      });
      const verified = await classic((_a: unknown, _r: unknown, _p: unknown, done: Done) => {
        setTimeout(done, 5, null, USER);
        return query;
      });
      expect(verified.user).to.equal(USER);
      expect(runs).to.equal(0);
    });

    it('says at once that nothing came of an async function that cannot call done', async () => {
      const verify = async (_accessToken: unknown, _refreshToken: unknown, profile: unknown) => {
        await Promise.resolve(profile);
      };
      const error = await rejection(classic(verify, false, 60_000));
      expect(error.code).to.equal('verify_returned_nothing');
      expect(error.message).to.equal('the verify function returned undefined');
    });

    it('says the same of one that takes the request, and no done after it', async () => {
      const verify = async (_req: unknown, _a: unknown, _r: unknown, profile: unknown) => {
        await Promise.resolve(profile);
      };
      const error = await rejection(classic(verify, true, 60_000));
      expect(error.code).to.equal('verify_returned_nothing');
    });

    it('waits for done, with the request and with params, when it resolves to undefined', async () => {
      const later = async (done: Done) => {
        setTimeout(done, 5, null, USER);
        await Promise.resolve();
      };
      const of5 = (_1: unknown, _2: unknown, _3: unknown, _4: unknown, done: Done) => later(done);
      const of6 = (_1: unknown, _2: unknown, _3: unknown, _4: unknown, _5: unknown, done: Done) =>
        later(done);
      expect((await classic(of5)).user).to.equal(USER);
      expect((await classic(of5, true)).user).to.equal(USER);
      expect((await classic(of6, true)).user).to.equal(USER);
    });

    it('waits for done when it resolves to undefined', async () => {
      const verified = await classic(async (_a: unknown, _r: unknown, _p: unknown, done: Done) => {
        setTimeout(done, 10, null, USER);
        await Promise.resolve();
      });
      expect(verified.user).to.equal(USER);
    });

    it('is over in time when it resolves to undefined and done never comes', async () => {
      const work = classic(() => Promise.resolve(), false, 30);
      expect((await rejection(work)).code).to.equal('verify_timeout');
    });

    it('fails with what it rejects with', async () => {
      const error = new Error('database');
      expect(await rejection(classic(() => Promise.reject(error)))).to.equal(error);
    });

    it('counts done before a later rejection, and a rejection before a later done', async () => {
      const first = await classic(async (_a: unknown, _r: unknown, _p: unknown, done: Done) => {
        done(null, USER);
        await Promise.reject(new Error('late'));
      });
      expect(first.user).to.equal(USER);
      const error = new Error('early');
      const second = classic(async (_a: unknown, _r: unknown, _p: unknown, done: Done) => {
        setTimeout(done, 5, null, USER);
        await Promise.reject(error);
      });
      expect(await rejection(second)).to.equal(error);
    });

    it('counts the resolved user before a later done', async () => {
      const verified = await classic((_a: unknown, _r: unknown, _p: unknown, done: Done) => {
        setTimeout(done, 5, null, { id: 8 });
        return Promise.resolve(USER);
      });
      expect(verified.user).to.equal(USER);
    });
  });

  describe('the form without done', () => {
    const form = (result: unknown) => (_a: unknown, _r: unknown, _p: unknown) => result;
    const withRequest = (result: unknown) => (_q: unknown, _a: unknown, _r: unknown, _p: unknown) =>
      result;
    const both = (result: unknown) => [classic(form(result)), classic(withRequest(result), true)];

    for (const user of [USER, false, null, 0, '']) {
      it(`takes ${JSON.stringify(user)}, returned at once, for the user`, async () => {
        for (const verified of both(user)) expect(await verified).to.deep.equal({ user });
      });
    }

    it('must return something: verify_returned_nothing, at once', async () => {
      for (const result of [undefined, Promise.resolve()]) {
        for (const work of both(result)) {
          expect((await rejection(work)).code).to.equal('verify_returned_nothing');
        }
      }
    });

    it('runs a query that it returns, once: nothing else would', async () => {
      let runs = 0;
      const query = {};
      Reflect.set(query, 'then', (resolve: (user: unknown) => void) => {
        runs += 1;
        resolve(USER);
      });
      expect(await classic(form(query))).to.deep.equal({ user: USER });
      expect(runs).to.equal(1);
    });

    it('is not that of a function with as many rest arguments as it likes', async () => {
      const verified = await classic((...all: unknown[]) => {
        setTimeout(all.at(-1) as Done, 5, null, USER);
        return { id: 8 };
      });
      expect(verified.user).to.equal(USER);
    });
  });

  it('a timer or a user that is returned beside done does not count', async () => {
    for (const result of [setTimeout(() => {}, 1), { id: 8 }, false]) {
      const verified = await classic((_a: unknown, _r: unknown, _p: unknown, done: Done) => {
        setTimeout(done, 5, null, USER);
        return result;
      });
      expect(verified.user).to.equal(USER);
    }
  });

  describe('the typed form', () => {
    it('is given one object', async () => {
      const seen: unknown[] = [];
      const verified = await typed((...parameters: unknown[]) => {
        seen.push(...parameters);
        return USER;
      });
      expect(verified).to.deep.equal({ user: USER });
      const [{ signal, ...context }] = seen as [{ signal: AbortSignal }];
      expect(context).to.deep.equal(CONTEXT);
      expect(signal.aborted).to.equal(false);
    });

    for (const user of [false, null]) {
      it(`refuses with ${user}`, async () => {
        expect(await typed(() => Promise.resolve(user))).to.deep.equal({ user });
      });
    }

    it('must return something: verify_returned_nothing', async () => {
      for (const verify of [() => {}, async () => {}]) {
        const error = await rejection(typed(verify));
        expect(error.code).to.equal('verify_returned_nothing');
        expect(error.message).to.equal('the verify function returned undefined');
      }
    });

    it('fails with what it throws or rejects with', async () => {
      const error = new Error('database');
      const throwing = () => {
        throw error;
      };
      expect(await rejection(typed(throwing))).to.equal(error);
      expect(await rejection(typed(() => Promise.reject(error)))).to.equal(error);
    });

    it('is over in time: verify_timeout', async () => {
      const never = () => new Promise(() => {});
      expect((await rejection(typed(never, 30))).code).to.equal('verify_timeout');
    });

    it('is told by its signal when the time is over, so that it can stop', async () => {
      const reasons: unknown[] = [];
      const verify = ({ signal }: { signal: AbortSignal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reasons.push(signal.reason);
            reject(signal.reason as Error);
          });
        });
      const error = await rejection(typed(verify, 30));
      expect(error.code).to.equal('verify_timeout');
      expect(reasons).to.deep.equal([error]);
    });
  });
});
