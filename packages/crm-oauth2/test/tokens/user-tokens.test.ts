import { expect } from 'chai';
import { once } from 'node:events';
import { inspect } from 'node:util';
import { HINTS } from '../../dist/errors/codes';
import { describe as described } from '../../dist/errors/oauth2-error';
import { Problem } from '../../dist/errors/problem';
import { MemoryTokenStore, isOAuth2Error, userTokens } from '../../dist/index';
import type { OAuth2Error, TokenSet, TokenStore } from '../../dist/index';
import type { TokenRecord } from '../../dist/tokens/token-record';
import { freePort, pause, rejection, useRealSockets } from '../support';
import {
  FOREVER,
  HOUR,
  SHORT_WAIT_SECONDS,
  TIMEOUT,
  World,
  atAnotherTime,
  clientOf,
  pausesOf,
  replacing,
  skipping,
  withoutLongPauses,
} from './support';
import type { Fault } from './support';

/** The age of an hour's token that is no longer fresh, and still usable for three minutes. */
const SOON = HOUR - 200_000;

/** Words of the message after a refused refresh. */
const REFUSED = 'no longer accepts the refresh token';

/** The error of a call that must fail. It shows no token, however it is printed. */
async function failure(
  work: Promise<unknown>,
  code: string,
  { words = '', ...fields }: Partial<OAuth2Error> & { words?: string } = {},
): Promise<OAuth2Error> {
  const error = await rejection(work);
  expect(isOAuth2Error(error), String(error)).to.equal(true);
  expect(error).to.include({ provider: 'acme', code, ...fields });
  expect(error.message).to.include(words);
  expect(error.hint).to.be.a('string').that.is.not.empty;
  const printed = inspect(error, { depth: 10, showHidden: true }) + JSON.stringify(error);
  expect(printed).not.to.match(/access-\d|refresh-\d|s3cret/);
  return error;
}

/** An operation that fails with this message. */
const failing = (message: string) => () => Promise.reject(new Error(message));

/** An operation that is replaced for its first few calls. */
function atFirst(times: number, fault: (work: () => Promise<unknown>) => unknown) {
  let calls = 0;
  return (work: () => Promise<unknown>) => {
    calls += 1;
    return calls > times ? work() : fault(work);
  };
}

describe('user tokens', () => {
  useRealSockets();
  withoutLongPauses();

  let world: World;
  beforeEach(async () => {
    world = await World.make();
  });
  const asked = () => world.provider.asked;
  const patient = () => clientOf(world.provider, { timeout: 60_000 });
  /** A client with another refreshTokenGrant, which never reaches the provider. */
  const granting = (refreshTokenGrant: () => Promise<TokenSet>) =>
    Object.assign(clientOf(world.provider), { refreshTokenGrant });
  /** A process that finds tokens of this age. */
  const processWith = async (
    age: number,
    changes: Partial<TokenRecord> = {},
    client = clientOf(world.provider),
  ) => {
    await world.keep(age, changes);
    return world.process(client);
  };

  describe('options', () => {
    const client = clientOf({ origin: 'https://acme.test' });
    const wrong: [string, object][] = [
      ['no store', { key: 'zoe' }],
      ['a store that cannot lock', { store: { get: () => undefined }, key: 'zoe' }],
      ['no key', { store: new MemoryTokenStore() }],
      ['an empty key', { store: new MemoryTokenStore(), key: '' }],
    ];
    for (const [title, options] of wrong) {
      it(`TypeError — ${title}`, () => {
        expect(() => userTokens(client, options as { store: TokenStore; key: string })).to.throw(
          TypeError,
          /^userTokens: option "(store|key)"/,
        );
      });
    }

    it('RFC 6749 §6 — a refresh token belongs to the client it was issued to', async () => {
      await world.keep(0);
      const other = world.process(clientOf(world.provider, { clientID: 'client-2' }));
      await failure(other.tokens.getAccessToken(), 'reauthorization_required');
    });

    it('RFC 9700 §4.4 — the tokens of a tenant are not those of another with the same client id', async () => {
      const of = (tenant: string) =>
        world.process(Object.assign(clientOf(world.provider), { tenant })).tokens;
      await of('a').save(world.provider.grant());
      expect(await of('a').getAccessToken()).to.equal('access-0');
      await failure(of('b').getAccessToken(), 'reauthorization_required');
      await failure(world.process().tokens.getAccessToken(), 'reauthorization_required');
    });
  });

  describe('good tokens', () => {
    it('RFC 6749 §5.1 — are used as they are, with the rest of the token response', async () => {
      const { tokens } = world.process();
      const granted = world.provider.grant();
      await tokens.save(granted);
      expect(await tokens.getTokens()).to.deep.equal(granted);
      expect(await tokens.getAccessToken()).to.equal('access-0');
      expect(asked()).to.deep.equal([]);
    });

    it('RFC 6749 §5.1 — cost one read, and no lock', async () => {
      const { tokens, store } = await processWith(0);
      await tokens.getAccessToken();
      expect(store.calls).to.deep.equal(['get']);
    });

    it('RFC 6749 §5.1 — without a refresh token, are used to their end', async () => {
      const { tokens } = await processWith(SOON);
      const { tokens: granted, ...rest } = await world.kept();
      const { refreshToken: _, ...others } = granted;
      await world.put({ ...rest, tokens: others });
      expect(await tokens.getAccessToken()).to.equal('access-0');
      await world.age(HOUR);
      await failure(tokens.getAccessToken(), 'reauthorization_required', { stage: 'refresh' });
    });

    it('reauthorization_required — when nothing is kept', async () => {
      const { tokens } = world.process();
      for (const work of [tokens.getAccessToken(), tokens.refresh()]) {
        await failure(work, 'reauthorization_required', {
          stage: 'refresh',
          host: new URL(world.provider.origin).host,
          hint: HINTS['reauthorization_required'],
          words: 'no tokens are kept',
        });
      }
    });

    it('age — says when they came, and when the person signed in', async () => {
      const { tokens } = world.process();
      expect(await tokens.age()).to.equal(undefined);
      const before = Date.now();
      await tokens.save(world.provider.grant());
      const age = await tokens.age();
      expect(age?.since).to.be.within(before, Date.now());
      expect(age?.signedInAt).to.equal(age?.since);
      await pause(2);
      await tokens.refresh();
      expect(await tokens.age()).to.include({ signedInAt: age?.signedInAt });
      expect((await tokens.age())?.since).to.be.above(age?.since ?? Infinity);
    });

    it('save — takes the place of any earlier tokens', async () => {
      const { tokens } = await processWith(2 * HOUR, { refresh: 'unknown' });
      await tokens.save(world.provider.grant({ accessToken: 'access-9' }));
      expect(await tokens.getAccessToken()).to.equal('access-9');
      expect(await world.kept()).not.to.have.property('refresh');
    });

    it('save — tries again when another process writes meanwhile, and gives up in the end', async () => {
      const { tokens, store } = await processWith(HOUR);
      store.faults.set = atFirst(1, async (work) => {
        await world.keep(HOUR);
        return await work();
      });
      await tokens.save(world.provider.grant({ accessToken: 'access-9' }));
      expect((await world.kept()).tokens.accessToken).to.equal('access-9');

      store.faults.set = () => undefined;
      const began = performance.now();
      await failure(tokens.save(world.provider.grant()), 'store_unavailable', {
        stage: 'store',
        words: 'the store did not take the tokens of the login',
      });
      expect(performance.now() - began).to.be.at.least(TIMEOUT);
    });

    it('save — logins of one person that end at the same moment at several processes all succeed', async () => {
      const logins = Array.from({ length: 12 }, (_, index) => {
        const { tokens, store } = world.process(patient());
        // Between the look at the record and the write, the others write.
        store.faults.set = async (work) => (await pause(2), await work());
        return tokens.save(world.provider.grant({ accessToken: `access-${index}` }));
      });
      await Promise.all(logins);
      expect((await world.kept()).tokens.accessToken).to.match(/^access-\d+$/);
    });

    it('save — pauses between its attempts, longer each time and at most 0.2 seconds', async () => {
      const { tokens, store } = await processWith(HOUR);
      const pauses = await skipping((skip) => {
        store.faults.set = () => skip(TIMEOUT / 6);
        return pausesOf(
          () => failure(tokens.save(world.provider.grant()), 'store_unavailable'),
          0.5,
        );
      });
      expect(pauses).to.deep.equal([20, 40, 80, 160, 200]);
    });

    it('save — a field that is null counts as absent', async () => {
      const { tokens } = world.process();
      await tokens.save({
        accessToken: 'access-0',
        refreshToken: null,
        expiresAt: null,
        scope: null,
        subject: null,
        response: null,
      });
      expect(await tokens.getTokens()).to.deep.equal({
        accessToken: 'access-0',
        tokenType: 'Bearer',
        response: {},
      });
    });

    const wrong: [string, object][] = [
      ['no access token', { refreshToken: 'refresh-0' }],
      ['an access token that is null', { accessToken: null }],
      ['an end that is not a number', { accessToken: 'access-0', expiresAt: new Date() }],
      ['an end that is not finite', { accessToken: 'access-0', expiresAt: Infinity }],
      ['a refresh token that is not a text', { accessToken: 'access-0', refreshToken: 7 }],
    ];
    for (const [title, given] of wrong) {
      it(`save — TypeError for ${title}, and nothing is written`, async () => {
        const { tokens, store } = world.process();
        const error = await rejection(tokens.save(given as TokenSet));
        expect(error).to.be.an.instanceOf(TypeError);
        expect(error.message).to.match(/^userTokens: tokens to save have an accessToken, and/);
        expect(store.calls).to.deep.equal([]);
      });
    }
  });

  describe('one refresh at a time', () => {
    it('RFC 6749 §6 — from five minutes before the end', async () => {
      const { tokens } = await processWith(HOUR - 310_000);
      expect(await tokens.getAccessToken()).to.equal('access-0');
      await world.age(10_000);
      expect(await tokens.getAccessToken()).to.equal('access-1');
      expect(asked()).to.deep.equal(['refresh-0']);
      expect(await world.kept()).to.deep.include({
        tokens: await tokens.getTokens(),
      });
    });

    it('RFC 6749 §5.1 — tokens that end as they come (expires_in: 0) are not refreshed at every call', async () => {
      world.provider.expiresIn = 0;
      const { tokens } = await processWith(HOUR);
      for (let call = 0; call < 5; call += 1) {
        expect(await tokens.getAccessToken()).to.equal('access-1');
      }
      expect(asked()).to.have.length(1);
      expect(await atAnotherTime(6000, () => tokens.getAccessToken())).to.equal('access-2');
    });

    it('RFC 6749 §6 — costs two reads, a lock and two writes', async () => {
      const { tokens, store } = await processWith(2 * HOUR);
      await tokens.getAccessToken();
      expect(store.calls).to.deep.equal(['get', 'lock', 'get', 'set', 'set']);
    });

    it('RFC 9700 §4.14.2 — is noted before it begins, for the processes after a killed one', async () => {
      await world.keep(2 * HOUR);
      let meanwhile: string | undefined;
      world.provider.meanwhile = async () => {
        meanwhile = (await world.kept()).refresh;
      };
      await world.process().tokens.getAccessToken();
      expect(meanwhile).to.equal('begun');
      expect(await world.kept()).not.to.have.property('refresh');
    });

    it('RFC 9700 §4.14.2 — does not begin with tokens that were replaced just before', async () => {
      const { tokens, store } = await processWith(2 * HOUR);
      store.faults.set = atFirst(1, async (work) => {
        await world.keep(0);
        return await work();
      });
      expect(await tokens.getAccessToken()).to.equal('access-0');
      expect(asked()).to.deep.equal([]);
      expect(world.backing.locks).to.equal(0);
    });

    it('lock_timeout — when other processes keep writing, in spite of the lock', async () => {
      const { tokens, store } = await processWith(2 * HOUR);
      store.faults.set = async (work) => {
        await world.keep(2 * HOUR);
        return await work();
      };
      await failure(tokens.getAccessToken(), 'lock_timeout', {
        stage: 'store',
        words: 'other processes keep changing these tokens',
      });
      expect(store.calls.filter((call) => call === 'set')).to.have.length(5);
      expect(asked()).to.deep.equal([]);
    });

    it('reauthorization_required — without a refresh token, sends no request', async () => {
      await world.keep(2 * HOUR);
      const { tokens, ...times } = await world.kept();
      const { refreshToken: _none, ...rest } = tokens;
      await world.put({ ...times, tokens: rest });
      await failure(world.process().tokens.getAccessToken(), 'reauthorization_required', {
        stage: 'refresh',
        words: 'there is no refresh token',
      });
      expect(asked()).to.deep.equal([]);
    });

    it('RFC 9700 §4.14.2 — for a thousand callers of a process', async () => {
      const { tokens } = await processWith(2 * HOUR);
      const all = await Promise.all(Array.from({ length: 1000 }, () => tokens.getAccessToken()));
      expect(new Set(all)).to.deep.equal(new Set(['access-1']));
      expect(asked()).to.deep.equal(['refresh-0']);
    });

    it('RFC 9700 §4.14.2 — for all objects of one store, also with clients of their own', async () => {
      await world.keep(2 * HOUR);
      const { store } = world.process();
      const tokens = () => userTokens(clientOf(world.provider), { store, key: 'zoe' });
      await Promise.all(Array.from({ length: 20 }, () => tokens().getAccessToken()));
      expect(store.calls.filter((call) => call === 'lock')).to.have.length(1);
    });

    it('RFC 9700 §4.14.2 — for many processes, by the lock of the store', async () => {
      await world.keep(2 * HOUR);
      const processes = Array.from({ length: 8 }, () => world.process().tokens);
      const all = await Promise.all(
        processes.flatMap((tokens) => [tokens.getAccessToken(), tokens.getAccessToken()]),
      );
      expect(new Set(all)).to.deep.equal(new Set(['access-1']));
      expect(asked()).to.deep.equal(['refresh-0']);
      expect(world.backing.locks).to.equal(0);
    });

    it('RFC 9700 §4.14.2 — a process that got the lock late finds the work done', async () => {
      const [one, other] = [await processWith(2 * HOUR), world.process()];
      // It has read the old tokens, and asks for the lock when the other process is done.
      other.store.faults.lock = async (work) => {
        await one.tokens.getAccessToken();
        return await work();
      };
      expect(await other.tokens.getAccessToken()).to.equal('access-1');
      expect(asked()).to.deep.equal(['refresh-0']);
    });

    it('RFC 6749 §6 — no caller gets a token before it is stored', async () => {
      const [one, other] = [await processWith(2 * HOUR), world.process()];
      let isStored = false;
      let sets = 0;
      one.store.faults.set = async (work) => {
        sets += 1;
        if (sets === 2) await pause(30);
        const done = await work();
        isStored = sets === 2;
        return done;
      };
      await Promise.all(
        [one, one, other].map(async ({ tokens }) => {
          expect(await tokens.getAccessToken()).to.equal('access-1');
          expect(isStored).to.equal(true);
        }),
      );
    });

    it('RFC 6749 §6 — keeps the old refresh token only if no new one came', async () => {
      world.provider.rotates = false;
      const { tokens } = await processWith(2 * HOUR);
      await tokens.getAccessToken();
      expect((await world.kept()).tokens).to.include({
        accessToken: 'access-1',
        refreshToken: 'refresh-0',
        subject: 'zoe',
      });
      expect((await world.kept()).tokens.response).to.include({
        instance_url: 'https://zoe.acme.test',
      });
      await world.age(2 * HOUR);
      await tokens.getAccessToken();
      expect(asked()).to.deep.equal(['refresh-0', 'refresh-0']);
    });

    it('RFC 6749 §6 — keeps the new address of an organization that has moved', async () => {
      const { tokens } = await processWith(2 * HOUR);
      const instance = 'https://moved.acme.test';
      const body = {
        access_token: 'access-1',
        expires_in: 3600,
        sub: 'zoe',
        instance_url: instance,
      };
      world.provider.faults.push({ status: 200, body });
      expect((await tokens.getTokens()).response).to.include({ instance_url: instance });
      expect((await world.kept()).tokens.response).to.include({ instance_url: instance });
    });

    it('lock_timeout — when another process never releases the lock', async () => {
      const { tokens, store } = await processWith(2 * HOUR);
      store.faults.lock = () => undefined;
      await skipping(async (skip) => {
        setTimeout(skip, 50, 60_000);
        await failure(tokens.getAccessToken(), 'lock_timeout', { stage: 'store' });
      });
      expect(asked()).to.deep.equal([]);
    });

    it('lock_timeout — not before the successor of a killed process may be done', async () => {
      const { tokens, store } = await processWith(2 * HOUR);
      await skipping(async (skip) => {
        // A lock lasts 5 seconds longer than a request, and its next holder needs a little more.
        store.faults.lock = atFirst(1, () => skip(TIMEOUT + 7000));
        expect(await tokens.getAccessToken()).to.equal('access-1');
      });
    });

    for (const [random, expected] of [
      [0.25, [15, 30, 60, 120, 150, 150]],
      [0.75, [25, 50, 100, 200, 250, 250]],
    ] as const) {
      it(`RFC 9700 §4.14.2 — pauses between two tries for the lock grow, with jitter (random: ${random})`, async () => {
        const { tokens, store } = await processWith(2 * HOUR, {}, patient());
        store.faults.lock = atFirst(6, () => undefined);
        const pauses = await pausesOf(() => tokens.getAccessToken(), random);
        expect(pauses).to.deep.equal(expected);
        expect(asked()).to.deep.equal(['refresh-0']);
      });
    }

    it('RFC 9700 §4.14.2 — a refresh under way is awaited, also with a usable token', async () => {
      await world.keep(SOON);
      const other = world.process(patient());
      let second: Promise<string> | undefined;
      world.provider.meanwhile = async () => {
        second = other.tokens.getAccessToken();
        await pause(20);
      };
      expect(await world.process().tokens.getAccessToken()).to.equal('access-1');
      expect(await second).to.equal('access-1');
    });

    it('lock_timeout — a usable token is returned all the same', async () => {
      const { tokens, store } = await processWith(SOON);
      store.faults.lock = () => undefined;
      const began = performance.now();
      expect(await tokens.getAccessToken()).to.equal('access-0');
      expect(performance.now() - began).to.be.below(TIMEOUT * 2);
    });
  });

  describe('a token that the API has refused', () => {
    it('RFC 6750 §3.1 — is replaced, once for all callers that held it', async () => {
      const [one, other] = [await processWith(HOUR / 2), world.process()];
      const all = await Promise.all(
        [one, one, other].map(({ tokens }) => tokens.getAccessToken({ rejected: 'access-0' })),
      );
      expect(all).to.deep.equal(['access-1', 'access-1', 'access-1']);
      expect(await one.tokens.getAccessToken({ rejected: 'access-0' })).to.equal('access-1');
      expect(asked()).to.deep.equal(['refresh-0']);
    });

    it('RFC 6750 §3.1 — is kept when it has only just come', async () => {
      const { tokens } = await processWith(1000);
      expect(await tokens.getAccessToken({ rejected: 'access-0' })).to.equal('access-0');
      expect(asked()).to.deep.equal([]);
    });

    it('RFC 6750 §3.1 — and each newer one too: thirty calls in half an hour refresh five times', async () => {
      const { tokens } = await processWith(HOUR / 4);
      let held = await tokens.getAccessToken();
      for (let minute = 0; minute < 30; minute += 1) {
        held = await atAnotherTime(minute * 60_500, () =>
          tokens.getAccessToken({ rejected: held }),
        );
      }
      expect(asked()).to.have.length(5);
    });

    it('RFC 6750 §3.1 — when its session had lasted, is replaced every time', async () => {
      const { tokens } = await processWith(0);
      let held = await tokens.getAccessToken();
      for (let session = 1; session <= 5; session += 1) {
        held = await atAnotherTime(session * 1_000_000, () =>
          tokens.getAccessToken({ rejected: held }),
        );
      }
      expect(asked()).to.have.length(5);
    });

    it('RFC 6750 §3.1 — is not the outcome of a refresh that other callers had begun', async () => {
      const { tokens } = await processWith(SOON);
      world.provider.faults.push({ status: 429 });
      const [first, second] = await Promise.all([
        tokens.getAccessToken(),
        tokens.getAccessToken({ rejected: 'access-0' }),
      ]);
      expect([first, second]).to.deep.equal(['access-0', 'access-1']);
      expect(asked()).to.have.length(2);
    });

    it('RFC 6750 §3.1 — is not used to its end when the provider fails', async () => {
      await world.keep(SOON);
      world.provider.faults.push({ status: 429, headers: { 'retry-after': '7' } });
      const work = world.process().tokens.getAccessToken({ rejected: 'access-0' });
      await failure(work, 'rate_limited', { stage: 'refresh', retryAfterSeconds: 7 });
    });
  });

  describe('refresh()', () => {
    it('RFC 6749 §6 — refreshes fresh tokens, also in the millisecond they were saved', async () => {
      const { tokens } = world.process();
      const now = Date.now();
      await replacing(
        Date,
        'now',
        () => now,
        async () => {
          await tokens.save(world.provider.grant());
          expect((await tokens.refresh()).accessToken).to.equal('access-1');
        },
      );
      expect(await tokens.getAccessToken()).to.equal('access-1');
    });

    it('RFC 9700 §4.14.2 — two calls at once, beside a refresh under way, send one request', async () => {
      const { tokens } = await processWith(2 * HOUR);
      const found = tokens.getTokens();
      world.provider.meanwhile = () => pause(20);
      while (asked().length === 0) await pause(1);
      const all = await Promise.all([found, tokens.refresh(), tokens.refresh()]);
      expect(all.map(({ accessToken }) => accessToken)).to.deep.equal([
        'access-1',
        'access-1',
        'access-1',
      ]);
      expect(asked()).to.deep.equal(['refresh-0']);
    });

    it('RFC 9700 §4.14.2 — does not take the outcome of a refresh that found fresh tokens', async () => {
      const { tokens, store } = await processWith(2 * HOUR);
      store.faults.lock = atFirst(1, async (work) => {
        await world.keep(1000);
        forced = tokens.refresh();
        return await work();
      });
      let forced: Promise<TokenSet> | undefined;
      expect((await tokens.getTokens()).accessToken).to.equal('access-0');
      expect((await forced)?.accessToken).to.equal('access-1');
    });

    it('RFC 9700 §4.14.2 — takes the tokens that another process has refreshed since the call', async () => {
      const [one, other] = [(await processWith(HOUR / 2)).tokens, world.process().tokens];
      world.provider.meanwhile = () => pause(20);
      const all = await Promise.all([one.refresh(), other.refresh()]);
      expect(all.map(({ accessToken }) => accessToken)).to.deep.equal(['access-1', 'access-1']);
      expect(asked()).to.have.length(1);
    });

    it('RFC 9700 §4.14.2 — waits for the lock, also with a good token', async () => {
      const { tokens, store } = await processWith(HOUR / 2);
      await skipping(async (skip) => {
        store.faults.lock = atFirst(1, () => skip(TIMEOUT));
        expect((await tokens.refresh()).accessToken).to.equal('access-1');
      });
    });

    it('provider_unavailable — fails, and leaves a good token to its end', async () => {
      const { tokens } = await processWith(HOUR / 2);
      world.provider.faults.push({ status: 503 });
      await failure(tokens.refresh(), 'provider_unavailable', { status: 503 });
      expect(await tokens.getAccessToken()).to.equal('access-0');
      expect((await tokens.refresh()).accessToken).to.equal('access-0');
      expect(asked(), 'the refresh token may be used up').to.have.length(1);
    });

    it('rate_limited — fails, and tries again when it is called again', async () => {
      const { tokens } = await processWith(HOUR / 2);
      world.provider.faults.push({ status: 429 });
      await failure(tokens.refresh(), 'rate_limited');
      expect((await tokens.refresh()).accessToken).to.equal('access-1');
    });
  });

  describe('a refused refresh', () => {
    it('RFC 6749 §5.2 — invalid_grant means that the person must sign in again', async () => {
      await world.keep(2 * HOUR);
      const before = await world.kept();
      world.provider.isRevoked = true;
      const work = world.process().tokens.getAccessToken();
      const error = await failure(work, 'reauthorization_required', {
        stage: 'refresh',
        host: new URL(world.provider.origin).host,
        hint: HINTS['reauthorization_required'],
        words: REFUSED,
      });
      expect(error.cause).to.include({ code: 'invalid_grant', status: 400 });
      expect((await world.kept()).tokens).to.deep.equal(before.tokens);
      expect(world.backing.locks).to.equal(0);
    });

    it('RFC 6749 §5.2 — every caller and process is told why the grant ended, until a login', async () => {
      await world.keep(2 * HOUR);
      const [one, other] = [world.process().tokens, world.process().tokens];
      const body = { error: 'invalid_grant', error_description: 'revoked by zoe' };
      world.provider.faults.push({ status: 400, body });
      for (const tokens of [one, one, other]) {
        const error = await failure(tokens.getAccessToken(), 'reauthorization_required');
        expect(error.cause).to.include({
          code: 'invalid_grant',
          status: 400,
          message: 'acme: invalid_grant: revoked by zoe',
        });
      }
      expect(asked()).to.have.length(1);
      await other.save(world.provider.grant());
      expect(await one.getAccessToken()).to.equal('access-0');
      expect(await world.kept()).not.to.have.property('failure');
    });

    it('RFC 6749 §5.2 — every caller and process is told the remedy of the provider’s words', async () => {
      await world.keep(2 * HOUR);
      const [one, other] = [world.process().tokens, world.process().tokens];
      const body = { error: 'invalid_grant', error_description: 'not approved' };
      world.provider.faults.push({ status: 400, body });
      for (const tokens of [one, one, other]) {
        const { cause } = await failure(tokens.getAccessToken(), 'reauthorization_required');
        expect(cause).to.include({ code: 'invalid_grant', hint: 'Approve the app.' });
      }
    });

    it('RFC 9110 §10.2.3 — a provider that puts refreshes off is asked once more, and then when it wants', async () => {
      const { tokens } = await processWith(2 * HOUR);
      const fault = { status: 429, headers: { 'retry-after': '30' } };
      world.provider.faults.push(fault, fault);
      for (let call = 0; call < 40; call += 1) {
        const error = await failure(tokens.getAccessToken(), 'rate_limited', { status: 429 });
        expect(error.retryAfterSeconds).to.be.within(20, 30);
      }
      expect(asked()).to.have.length(2);
      expect(world.backing.locks).to.equal(0);
      expect(await atAnotherTime(31_000, () => tokens.getAccessToken())).to.equal('access-1');
    });

    it('inactive_user — a person who is blocked for a while keeps the grant, and is not asked about at every call', async () => {
      await world.keep(2 * HOUR);
      const [one, other] = [world.process().tokens, world.process().tokens];
      const body = { error: 'invalid_grant', error_description: 'inactive user' };
      world.provider.faults.push({ status: 400, body });
      const fields = {
        stage: 'refresh',
        hint: 'Ask an administrator.',
        message: 'acme: inactive_user: inactive user (invalid_grant)',
      } as const;
      for (const tokens of [one, one, other]) {
        const error = await failure(tokens.getAccessToken(), 'inactive_user', fields);
        expect(error.retryAfterSeconds).to.be.within(50, 60);
      }
      expect(asked()).to.have.length(1);
      expect(world.backing.locks).to.equal(0);
      expect(await atAnotherTime(61_000, () => one.getAccessToken())).to.equal('access-1');
    });

    it('RFC 6749 §5.2 — invalid_grant ends no access token that is still good', async () => {
      const { tokens } = await processWith(SOON);
      world.provider.isRevoked = true;
      expect(await tokens.getAccessToken()).to.equal('access-0');
      expect(await tokens.getAccessToken()).to.equal('access-0');
      expect(asked()).to.have.length(1);
      await world.age(200_000);
      await failure(tokens.getAccessToken(), 'reauthorization_required');
    });

    for (const rotates of [true, false]) {
      it(`RFC 9700 §4.14.2 — after invalid_grant, tokens that another process has stored are used${rotates ? '' : ', also without rotation'}`, async () => {
        await world.keep(2 * HOUR);
        world.provider.faults.push({ status: 400, body: { error: 'invalid_grant' } });
        world.provider.meanwhile = async () => {
          const { tokens } = await world.kept();
          const { refreshToken } = tokens;
          const now = Date.now();
          await world.put({
            tokens: world.provider.grant({
              accessToken: 'access-7',
              refreshToken: rotates ? 'refresh-7' : (refreshToken ?? ''),
            }),
            since: now,
            signedInAt: now,
          });
        };
        expect(await world.process().tokens.getAccessToken()).to.equal('access-7');
        expect(asked()).to.have.length(1);
        expect(await world.kept()).not.to.have.property('refresh');
      });
    }

    it('RFC 9700 §4.14.2 — after invalid_grant, a refresh token that another process has stored is sent', async () => {
      await world.keep(2 * HOUR);
      world.provider.faults.push(
        { status: 400, body: { error: 'invalid_grant' } },
        { status: 200, body: { access_token: 'access-8', expires_in: 3600, sub: 'zoe' } },
      );
      world.provider.meanwhile = async () => {
        if (asked().length > 1) return;
        // The access token is the same: some providers repeat one that is still good.
        const { tokens, ...rest } = await world.kept();
        await world.put({ ...rest, tokens: { ...tokens, refreshToken: 'refresh-7' } });
      };
      expect(await world.process().tokens.getAccessToken()).to.equal('access-8');
      expect(asked()).to.deep.equal(['refresh-0', 'refresh-7']);
    });

    it('store_unavailable — no person has to sign in before the store is read again', async () => {
      const { tokens, store } = await processWith(2 * HOUR);
      world.provider.isRevoked = true;
      world.provider.meanwhile = () => {
        store.faults.get = failing('away');
      };
      await failure(tokens.getAccessToken(), 'store_unavailable');
      expect(world.backing.locks).to.equal(0);
    });

    it('RFC 9110 §10.2.3 — a provider that asks for a short wait is asked again after it', async () => {
      await world.keep(2 * HOUR);
      world.provider.faults.push('busy', 'busy');
      expect(await world.process().tokens.getAccessToken()).to.equal('access-1');
      expect(asked()).to.deep.equal(['refresh-0', 'refresh-0', 'refresh-0']);
    });

    it('RFC 9110 §10.2.3 — after a short wait, tokens that another process has stored are used', async () => {
      await world.keep(2 * HOUR);
      world.provider.faults.push('busy');
      world.provider.meanwhile = () => {
        setTimeout(() => void world.keep(0, {}), 20);
      };
      world.provider.rotates = false;
      const tokens = world.process().tokens.getTokens();
      await world.provider.meanwhile();
      await tokens;
      expect(asked()).to.have.length(1);
    });

    it('RFC 9110 §10.2.3 — waits as long as the provider asks, with jitter, four times at most', async () => {
      const { tokens } = await processWith(2 * HOUR, {}, patient());
      world.provider.faults.push(...Array.from({ length: 9 }, () => 'busy' as const));
      const fields = { stage: 'refresh', status: 400 } as const;
      const pauses = await pausesOf(
        () => failure(tokens.getAccessToken(), 'still_in_progress', fields),
        0.5,
      );
      expect(pauses).to.deep.equal(Array(4).fill(1125 * SHORT_WAIT_SECONDS));
      expect(asked()).to.have.length(5);
      expect((await world.kept()).refresh).to.equal('failed');
      expect(world.backing.locks).to.equal(0);
    });

    it('RFC 9110 §10.2.3 — does not wait longer than the lock lasts', async () => {
      const { tokens } = await processWith(2 * HOUR, {}, patient());
      world.provider.faults.push('busy');
      await skipping(async (skip) => {
        world.provider.meanwhile = () => skip(4950);
        await failure(tokens.getAccessToken(), 'still_in_progress');
      });
      expect(asked()).to.have.length(1);
      expect(world.backing.locks).to.equal(0);
    });

    it('invalid_client — said by another error, stops one person and not the others', async () => {
      const client = clientOf(world.provider);
      const { tokens, store } = await processWith(2 * HOUR, {}, client);
      const body = { error: 'access_denied', error_description: 'Unauthorized' };
      world.provider.faults.push({ status: 401, body });
      for (let call = 0; call < 40; call += 1) {
        await failure(tokens.getAccessToken(), 'invalid_client', { stage: 'refresh', status: 401 });
      }
      expect(asked()).to.have.length(1);
      const other = userTokens(client, { store, key: 'suri' });
      await other.save(world.provider.grant({ expiresAt: Date.now() }));
      expect(await other.getAccessToken()).to.equal('access-1');
    });

    it('RFC 6749 §5.2 — invalid_client is reported to forty calls, and asked about once in half a minute', async () => {
      const client = clientOf(world.provider);
      const { tokens } = await processWith(2 * HOUR, {}, client);
      world.provider.faults.push({ status: 401, body: { error: 'invalid_client' } });
      for (let call = 0; call < 40; call += 1) {
        await failure(tokens.getAccessToken(), 'invalid_client', { stage: 'refresh', status: 401 });
      }
      expect(asked()).to.have.length(1);
      // Another client may have another secret.
      expect(await world.process().tokens.getAccessToken()).to.equal('access-1');
      await skipping(async (skip) => {
        skip(30_001);
        expect((await tokens.refresh()).accessToken).to.equal('access-2');
      });
    });

    it('invalid_client — said in one environment, does not stop another', async () => {
      const client = clientOf(world.provider);
      const { tokens, store } = await processWith(2 * HOUR, {}, client);
      const there = userTokens(client, { store, key: 'suri' });
      const environment = { region: 'eu' };
      await there.save(world.provider.grant({ expiresAt: Date.now(), environment }));
      world.provider.faults.push({ status: 401, body: { error: 'invalid_client' } });
      for (const ask of ['getAccessToken', 'refresh'] as const) {
        await failure(there[ask](), 'invalid_client', { stage: 'refresh', status: 401 });
      }
      expect(asked()).to.have.length(1);
      expect(await tokens.getAccessToken()).to.equal('access-1');
    });

    it('RFC 6749 §5.2 — any other failure is reported at once', async () => {
      const { tokens } = await processWith(2 * HOUR, {}, patient());
      world.provider.faults.push({ status: 400, body: { error: 'invalid_scope' } });
      const pauses = await pausesOf(() => failure(tokens.getAccessToken(), 'invalid_scope'));
      expect(pauses).to.deep.equal([]);
    });

    for (const code of [
      'unknown_id_token_hint',
      'subject_mismatch_likely',
      'bad_signature_used',
      'id_token_expired',
      'subject_mismatch',
      'signature_mismatch',
    ]) {
      it(`RFC 6749 §5.2 — ${code}, reported by the provider, does not use up the refresh token`, async () => {
        const { tokens } = await processWith(2 * HOUR);
        world.provider.faults.push({ status: 400, body: { error: code } });
        expect(await rejection(tokens.getAccessToken())).to.include({ code, stage: 'refresh' });
        expect((await world.kept()).refresh).to.equal('failed');
        expect(await tokens.getAccessToken()).to.equal('access-1');
      });
    }

    it('rate_limited — is not asked again at every call while the token is good', async () => {
      const { tokens } = await processWith(SOON);
      world.provider.faults.push({ status: 429 });
      expect(await tokens.getAccessToken()).to.equal('access-0');
      expect(await tokens.getAccessToken()).to.equal('access-0');
      expect(asked()).to.have.length(1);
      await world.age(200_000);
      expect(await tokens.getAccessToken()).to.equal('access-1');
    });

    for (const code of ['dns_error', 'tls_error', 'agent_unusable'] as const) {
      it(`${code} — nothing was sent: the next call tries again`, async () => {
        const where = { provider: { name: 'acme', hints: {} }, stage: 'refresh' } as const;
        const error = described(new Problem(code, 'not sent'), where);
        const client = granting(() => Promise.reject(error));
        const { tokens } = await processWith(2 * HOUR, {}, client);
        await failure(tokens.getAccessToken(), code);
        expect((await world.kept()).refresh).to.equal('failed');
        expect(world.backing.locks).to.equal(0);
        expect(await world.process().tokens.getAccessToken()).to.equal('access-1');
      });
    }

    const unread: [string, Fault, string][] = [
      [
        'sends the request elsewhere',
        { status: 302, headers: { location: '/' } },
        'unexpected_redirect',
      ],
      ['does not know the path', { status: 404 }, 'unexpected_status'],
      ['asks to wait', { status: 503, headers: { 'retry-after': '7' } }, 'provider_unavailable'],
      ['asks to wait by 429', { status: 429, headers: { 'retry-after': '7' } }, 'rate_limited'],
      [
        'says that it is unavailable',
        { status: 503, body: { error: 'temporarily_unavailable' } },
        'temporarily_unavailable',
      ],
    ];
    for (const [title, fault, code] of unread) {
      it(`RFC 9110 §15 — a provider that ${title} has not looked at the refresh token: the next call tries again`, async () => {
        const { tokens } = await processWith(2 * HOUR);
        world.provider.faults.push(fault);
        await failure(tokens.getAccessToken(), code, { stage: 'refresh' });
        expect(world.backing.locks).to.equal(0);
        expect(await tokens.getAccessToken()).to.equal('access-1');
      });
    }

    it('connection_refused — nothing was sent: the next call tries again', async () => {
      await world.keep(2 * HOUR);
      const away = clientOf({ origin: `http://127.0.0.1:${await freePort()}` });
      world = await World.make();
      await world.keep(2 * HOUR);
      const { tokens } = world.process(away);
      await failure(tokens.getAccessToken(), 'connection_refused');
      expect(world.backing.locks).to.equal(0);
      expect(await world.process().tokens.getAccessToken()).to.equal('access-1');
    });
  });

  describe('a refresh whose outcome is unknown', () => {
    const faults: [string, Fault, string][] = [
      ['ends in a reset', 'reset', 'connection_failed'],
      ['succeeds, and its answer is lost', 'lost', 'connection_failed'],
      ['is answered by a web page', 'html', 'unexpected_content_type'],
      ['is answered by 503', { status: 503, body: {} }, 'provider_unavailable'],
      [
        'is answered by 500, with an error of the RFC',
        { status: 500, body: { error: 'server_error' } },
        'server_error',
      ],
    ];
    for (const [title, fault, code] of faults) {
      it(`RFC 9700 §4.14.2 — that ${title}: the access token is used to its end`, async () => {
        await world.keep(SOON);
        const before = await world.kept();
        const [one, other] = [world.process().tokens, world.process().tokens];
        world.provider.faults.push(fault);
        expect(await one.getAccessToken()).to.equal('access-0');
        expect(await other.getAccessToken()).to.equal('access-0');
        expect(await one.getAccessToken()).to.equal('access-0');
        expect(asked()).to.have.length(1);
        expect(world.backing.locks, 'the lock is kept').to.equal(1);
        expect(await world.kept()).to.deep.include({ ...before, refresh: 'unknown' });

        await world.age(200_000);
        await failure(other.getAccessToken(), code, { stage: 'refresh' });
        expect(asked(), 'not before the lock ends').to.have.length(1);
        await world.endPause();
        await other.getAccessToken().catch((error: unknown) => error);
        expect(asked(), 'there is nothing left to lose').to.have.length(2);
      });

      it(`RFC 9700 §4.14.2 — that ${title}: without a good access token, says ${code}`, async () => {
        await world.keep(2 * HOUR);
        const before = await world.kept();
        world.provider.faults.push(fault);
        const fields = { stage: 'refresh', host: new URL(world.provider.origin).host } as const;
        const first = await failure(world.process().tokens.getAccessToken(), code, fields);
        expect(first.retryAfterSeconds).to.be.within(1, 6);
        expect(world.backing.locks, 'the lock is kept').to.equal(1);
        expect(await world.kept()).to.deep.include({ ...before, refresh: 'unknown' });
        // No process waits for a lock under which nothing happens.
        const began = performance.now();
        const { tokens } = world.process();
        for (const work of [tokens.getAccessToken(), tokens.refresh()]) {
          const later = await failure(work, code, { ...fields, message: first.message });
          expect(later.retryAfterSeconds).to.be.within(1, 6);
        }
        expect(performance.now() - began).to.be.below(2000);
        expect(asked()).to.have.length(1);
      });
    }

    it('OIDC Core §12.2 — that brings tokens of another person has used up the refresh token', async () => {
      await world.keep(2 * HOUR);
      const before = await world.kept();
      world.provider.faults.push({ person: 'eve' });
      const { tokens } = world.process();
      await failure(tokens.getAccessToken(), 'subject_mismatch', { stage: 'refresh' });
      expect(await world.kept()).to.deep.include({ ...before, refresh: 'refused' });
      expect(world.backing.locks).to.equal(0);
      // To send it again would be a replay.
      await failure(tokens.getAccessToken(), 'reauthorization_required');
      expect(asked()).to.have.length(1);
      await atAnotherTime(61_000, () => tokens.getAccessToken()).catch(() => undefined);
      expect(asked(), 'a refusal may have been lifted').to.have.length(2);
    });

    it('RFC 6749 §5.2 — after a refusal, calls send no request until a login', async () => {
      const { tokens } = await processWith(2 * HOUR);
      world.provider.faults.push({ status: 400, body: { error: 'invalid_grant' } });
      for (let call = 0; call < 5; call += 1) {
        await failure(tokens.getAccessToken(), 'reauthorization_required', { words: REFUSED });
      }
      expect(asked()).to.have.length(1);
      await tokens.save(world.provider.grant());
      expect(await tokens.getAccessToken()).to.be.a('string');
    });

    it('RFC 6749 §5.2 — a refusal lasts a minute', async () => {
      const now = Date.now();
      await replacing(
        Date,
        'now',
        () => now,
        async () => {
          const refusal = { code: 'invalid_grant', message: 'revoked', pause: 60_000 } as const;
          const refused = (at: number) =>
            world.keep(2 * HOUR, { refresh: 'refused', failure: { ...refusal, at } });
          await refused(now - 59_999);
          const { tokens } = world.process();
          await failure(tokens.getAccessToken(), 'reauthorization_required');
          expect(asked()).to.deep.equal([]);
          await refused(now - 60_000);
          expect(await tokens.getAccessToken()).to.equal('access-1');
        },
      );
    });

    it('RFC 9700 §4.14.2 — an error of the application’s own code leaves the outcome unknown', async () => {
      // A hook may run after the answer, and send a request of its own.
      const thrown = Object.assign(new Error('of a hook'), { code: 'rate_limited' });
      const client = granting(() => Promise.reject(thrown));
      const { tokens } = await processWith(2 * HOUR, {}, client);
      expect(await rejection(tokens.getAccessToken())).to.equal(thrown);
      expect((await world.kept()).refresh).to.equal('unknown');
      expect(world.backing.locks, 'the lock is kept').to.equal(1);
    });

    it('RFC 9700 §4.14.2 — does not matter when a login has replaced the tokens', async () => {
      const { tokens } = await processWith(2 * HOUR);
      world.provider.faults.push('reset');
      world.provider.meanwhile = () =>
        tokens.save(world.provider.grant({ accessToken: 'access-9', refreshToken: 'refresh-9' }));
      expect(await tokens.getAccessToken()).to.equal('access-9');
      expect(await world.kept()).not.to.have.property('refresh');
      expect(world.backing.locks).to.equal(0);
    });

    it('RFC 9700 §4.14.2 — that succeeded ends the grant when it is repeated', async () => {
      const { tokens } = await processWith(2 * HOUR);
      world.provider.faults.push('lost');
      await failure(tokens.getAccessToken(), 'connection_failed');
      await world.endPause();
      await failure(tokens.getAccessToken(), 'reauthorization_required');
    });

    it('RFC 9700 §4.14.2 — whose process was killed: the access token is used to its end', async () => {
      const { tokens } = await processWith(SOON, { refresh: 'begun' });
      expect(await tokens.getAccessToken()).to.equal('access-0');
      expect((await tokens.refresh()).accessToken).to.equal('access-0');
      expect(await world.kept()).to.include({ refresh: 'unknown' });
      expect(asked()).to.deep.equal([]);
      expect(world.backing.locks).to.equal(0);
    });

    it('RFC 9700 §4.14.2 — whose process was killed: is repeated when no good token is left', async () => {
      await world.keep(2 * HOUR, { refresh: 'begun' });
      expect(await world.process().tokens.getAccessToken()).to.equal('access-1');
      expect(await world.kept()).not.to.have.property('refresh');
    });

    it('RFC 9700 §4.14.2 — whose process still has the new pair is awaited', async () => {
      const { tokens, store } = await processWith(2 * HOUR, { refresh: 'begun' });
      let reads = 0;
      store.faults.get = async (work) => {
        reads += 1;
        // The first read comes with the call, the second under the lock. Then the new tokens come.
        if (reads === 3) await world.keep(0);
        return await work();
      };
      await tokens.getAccessToken();
      expect(reads).to.equal(3);
      expect(asked()).to.deep.equal([]);
    });

    it('RFC 9700 §4.14.2 — is not sent under a lock that expires before the answer', async () => {
      const { tokens, store } = await processWith(2 * HOUR);
      await skipping(async (skip) => {
        store.faults.set = atFirst(1, async (work) => {
          skip(5001);
          return await work();
        });
        await failure(tokens.getAccessToken(), 'store_timeout', { stage: 'store' });
      });
      expect(asked()).to.deep.equal([]);
      expect(world.backing.locks).to.equal(0);
      expect(await tokens.getAccessToken()).to.equal('access-1');
    });
  });

  describe('a store that fails', () => {
    type StoreFault = (work: () => Promise<unknown>) => unknown;
    const faults: [string, StoreFault, 'store_unavailable' | 'store_timeout'][] = [
      ['rejects', failing('ECONNREFUSED'), 'store_unavailable'],
      [
        'throws',
        () => {
          throw new TypeError('no driver');
        },
        'store_unavailable',
      ],
      [
        'rejects with a text',
        async () => {
          // oxlint-disable-next-line no-throw-literal, only-throw-error -- drivers do
          throw await Promise.resolve('away');
        },
        'store_unavailable',
      ],
      ['does not answer', FOREVER, 'store_timeout'],
    ];
    for (const [title, fault, code] of faults) {
      for (const operation of ['get', 'lock', 'set'] as const) {
        it(`${code} — when "${operation}" ${title}, no request is sent, and no token is lost`, async () => {
          const { tokens, store } = await processWith(2 * HOUR);
          const before = await world.kept();
          store.faults[operation] = fault;
          const fields = { stage: 'store', hint: HINTS[code] } as const;
          const error = await failure(tokens.getAccessToken(), code, fields);
          expect(error, 'the store is not the provider').not.to.have.property('host');
          expect(asked()).to.deep.equal([]);
          expect(await world.kept()).to.deep.equal(before);
          delete store.faults[operation];
          expect(await tokens.getAccessToken()).to.equal('access-1');
        });
      }
    }

    it('store_unavailable — a usable token is returned all the same', async () => {
      const { tokens, store } = await processWith(SOON);
      store.faults.lock = failing('away');
      expect(await tokens.getAccessToken()).to.equal('access-0');
      delete store.faults.lock;
      store.faults.set = failing('away');
      expect(await tokens.getAccessToken()).to.equal('access-0');
      expect(asked()).to.deep.equal([]);
    });

    it('store_corrupt — a value that cannot be read is left as it is', async () => {
      for (const value of ['', 'hello', '{}', 'null', '{"accessToken":"access-1"']) {
        await world.write(value);
        const { tokens } = world.process();
        for (const work of [tokens.getAccessToken(), tokens.refresh(), tokens.age()]) {
          await failure(work, 'store_corrupt', { stage: 'store' });
        }
        await world.forget();
      }
      expect(asked()).to.deep.equal([]);
    });

    it('store_corrupt — a login replaces the value', async () => {
      await world.write('hello');
      const { tokens } = world.process();
      await tokens.save(world.provider.grant());
      expect(await tokens.getAccessToken()).to.equal('access-0');
    });

    it('store_corrupt — a login replaces the value, also when the store itself reports it', async () => {
      const { tokens, store } = await processWith(0);
      store.faults.get = () => Promise.reject(new Problem('store_corrupt', 'sealed for another'));
      const warned = once(process, 'warning');
      await tokens.save(world.provider.grant({ accessToken: 'access-9' }));
      const [warning] = (await warned) as [Error];
      expect(warning.message).to.match(
        /^userTokens: a login replaces stored tokens that cannot be/,
      );
      delete store.faults.get;
      expect(await tokens.getAccessToken()).to.equal('access-9');
    });

    it('store_unavailable — a login deletes nothing when the store does not answer', async () => {
      const { tokens, store } = await processWith(0);
      const before = await world.kept();
      store.faults.get = failing('away');
      await failure(tokens.save(world.provider.grant()), 'store_unavailable');
      expect(store.calls).to.deep.equal(['get']);
      expect(await world.kept()).to.deep.equal(before);
    });

    it('store_timeout — a lock that is granted too late is given back', async () => {
      const { tokens, store } = await processWith(2 * HOUR);
      let wake!: () => void;
      const awake = new Promise<void>((resolve) => (wake = resolve));
      store.faults.lock = (work) => awake.then(work);
      await failure(tokens.getAccessToken(), 'store_timeout');
      delete store.faults.lock;
      wake();
      while (!store.calls.includes('lock') || world.backing.locks > 0) await pause(1);
      expect(await tokens.getAccessToken()).to.equal('access-1');
    });

    it('store_timeout — a lock that is refused too late needs nothing', async () => {
      const { tokens, store } = await processWith(2 * HOUR);
      let wake!: () => void;
      const awake = new Promise<void>((resolve) => (wake = resolve));
      let late = 0;
      store.faults.lock = async () => {
        await awake;
        late += 1;
        if (late === 1) throw new Error('away');
      };
      await failure(tokens.getAccessToken(), 'store_timeout');
      await failure(tokens.getAccessToken(), 'store_timeout');
      wake();
      await pause(5);
      expect(late).to.equal(2);
    });

    it('a lock that cannot be released is left to expire', async () => {
      const { tokens, store } = await processWith(2 * HOUR);
      store.faults.lock = async (work) => (await work()) && failing('away');
      expect(await tokens.getAccessToken()).to.equal('access-1');
    });

    it('RFC 9700 §4.14 — an error of the store shows no token', async () => {
      const { tokens, store } = await processWith(2 * HOUR);
      store.faults.set = () => Promise.reject(new Error('duplicate ("access-0","refresh-0")'));
      const message = 'acme: the token store failed';
      const error = await failure(tokens.getAccessToken(), 'store_unavailable', { message });
      expect(String(error.cause)).to.equal('Error: duplicate ("[redacted]","[redacted]")');
      await failure(tokens.save(world.provider.grant()), 'store_unavailable');
    });

    it('store_corrupt — the store itself may report it', async () => {
      const { tokens, store } = world.process();
      store.faults.get = () => Promise.reject(new Problem('store_corrupt', 'sealed for another'));
      await failure(tokens.getAccessToken(), 'store_corrupt', {
        stage: 'store',
        message: 'acme: sealed for another',
      });
    });
  });

  describe('a new pair that cannot be stored', () => {
    it('RFC 9700 §4.14.2 — is offered again, to a store that was away briefly', async () => {
      const [one, other] = [await processWith(2 * HOUR), world.process()];
      world.provider.meanwhile = () => {
        one.store.faults.set = atFirst(1, failing('away'));
      };
      const [first, second] = await Promise.all([
        one.tokens.getAccessToken(),
        other.tokens.getAccessToken(),
      ]);
      expect([first, second]).to.deep.equal(['access-1', 'access-1']);
      expect(asked()).to.deep.equal(['refresh-0']);
      expect(world.backing.locks).to.equal(0);
    });

    for (const [code, fault] of [
      ['store_unavailable', failing('away')],
      ['store_timeout', () => Promise.reject(new Problem('store_timeout', 'its own limit'))],
    ] as const) {
      it(`${code} — is offered ever less often, and at least every second`, async () => {
        const { tokens, store } = await processWith(2 * HOUR, {}, patient());
        world.provider.meanwhile = () => {
          store.faults.set = atFirst(6, fault);
        };
        const pauses = await pausesOf(async () => {
          expect(await tokens.getAccessToken()).to.equal('access-1');
        });
        expect(pauses).to.deep.equal([100, 200, 400, 800, 1000, 1000]);
        expect(asked()).to.deep.equal(['refresh-0']);
      });
    }

    it('store_unavailable — is offered for a minute, and no longer', async () => {
      const { tokens, store } = await processWith(2 * HOUR);
      await skipping(async (skip) => {
        world.provider.meanwhile = () => {
          store.faults.set = () => skip(61_000);
        };
        await failure(tokens.getAccessToken(), 'store_unavailable', {
          stage: 'store',
          words: 'the store did not take the tokens',
        });
      });
      const tries = store.calls.filter((call) => call === 'set');
      expect(tries, 'the note, and one offer').to.have.length(2);
      expect(world.backing.locks).to.equal(0);
    });

    it('RFC 9700 §4.14.2 — reaches no caller before it is stored, and is not requested twice', async () => {
      const { tokens, store } = await processWith(2 * HOUR);
      world.provider.meanwhile = () => {
        store.faults.set = failing('away');
      };
      await failure(tokens.getAccessToken(), 'store_timeout');
      await failure(tokens.getAccessToken(), 'store_timeout');
      expect(world.backing.locks, 'the lock is kept').to.equal(1);
      delete store.faults.set;
      await pause(30);
      expect(await tokens.getAccessToken()).to.equal('access-1');
      expect(asked()).to.deep.equal(['refresh-0']);
    });

    it('store_timeout — a write that succeeded, and was not answered, is found', async () => {
      const { tokens, store } = await processWith(2 * HOUR);
      world.provider.meanwhile = () => {
        store.faults.set = atFirst(1, async (work) => {
          await work();
          throw new Error('the answer is lost');
        });
      };
      expect(await tokens.getAccessToken()).to.equal('access-1');
      expect((await world.kept()).tokens.refreshToken).to.equal('refresh-1');
    });

    it('RFC 9700 §4.14.2 — is stored over the note of a process that took this one for dead', async () => {
      const { tokens } = await processWith(2 * HOUR);
      world.provider.meanwhile = async () => {
        await world.put({ ...(await world.kept()), refresh: 'begun' });
      };
      expect(await tokens.getAccessToken()).to.equal('access-1');
      expect((await world.kept()).tokens.refreshToken).to.equal('refresh-1');
    });

    it('store_corrupt — ends the offer at once: another program has written the key', async () => {
      const { tokens } = await processWith(2 * HOUR);
      world.provider.meanwhile = () => world.write('hello');
      await failure(tokens.getAccessToken(), 'store_corrupt', { stage: 'store' });
      expect(world.backing.locks).to.equal(0);
    });

    it('save — a login during a refresh prevails', async () => {
      const { tokens } = await processWith(2 * HOUR);
      world.provider.meanwhile = () =>
        tokens.save(world.provider.grant({ accessToken: 'access-9', refreshToken: 'refresh-9' }));
      expect(await tokens.getAccessToken()).to.equal('access-9');
      expect((await world.kept()).tokens.refreshToken).to.equal('refresh-9');
    });

    it('delete — during a refresh, nothing is stored again', async () => {
      const { tokens } = await processWith(2 * HOUR);
      world.provider.meanwhile = () => tokens.delete();
      const began = performance.now();
      await failure(tokens.getAccessToken(), 'reauthorization_required');
      expect(performance.now() - began).to.be.below(TIMEOUT);
      expect(await tokens.age()).to.equal(undefined);
      expect(world.backing.locks).to.equal(0);
    });

    it('delete — during a refresh, a usable token is deleted, too', async () => {
      const { tokens } = await processWith(SOON);
      world.provider.meanwhile = () => tokens.delete();
      await failure(tokens.getAccessToken(), 'reauthorization_required');
    });
  });

  describe('a clock that jumps', () => {
    it('forward — refreshes, and again when it jumps back', async () => {
      const { tokens } = await processWith(0);
      expect(await atAnotherTime(5 * HOUR, () => tokens.getAccessToken())).to.equal('access-1');
      expect(await tokens.getAccessToken()).to.equal('access-2');
      expect(await tokens.getAccessToken()).to.equal('access-2');
    });

    it('back by hours — refreshes once, and again only when the new tokens end', async () => {
      const { tokens } = await processWith(0);
      const early = await atAnotherTime(-5 * HOUR, async () => [
        await tokens.getAccessToken(),
        await tokens.getAccessToken(),
        await tokens.getAccessToken({ rejected: 'access-1' }),
      ]);
      expect(early).to.deep.equal(['access-1', 'access-1', 'access-1']);
      expect(await atAnotherTime(-4 * HOUR - 10_000, () => tokens.getAccessToken())).to.equal(
        'access-2',
      );
      expect(asked()).to.have.length(2);
    });

    it('back by hours — a refusal from the future is not believed for ever', async () => {
      const refusal = { code: 'invalid_grant', message: 'revoked', pause: 60_000 } as const;
      const { tokens } = await processWith(2 * HOUR, {
        refresh: 'refused',
        failure: { ...refusal, at: Date.now() + 5 * HOUR },
      });
      expect(await tokens.getAccessToken()).to.equal('access-1');
    });

    it('back by a little — changes nothing, and a refused token is replaced all the same', async () => {
      const { tokens } = await processWith(0);
      const early = await atAnotherTime(-60_000, async () => [
        await tokens.getAccessToken(),
        await tokens.getAccessToken({ rejected: 'access-0' }),
      ]);
      expect(early).to.deep.equal(['access-0', 'access-1']);
    });
  });

  describe('revoke()', () => {
    it('RFC 7009 §2.1 — revokes the refresh token, then forgets', async () => {
      const { tokens } = await processWith(0);
      await tokens.revoke();
      expect(world.provider.revoked).to.have.length(1);
      expect(world.provider.revoked[0]).to.include({
        token: 'refresh-0',
        token_type_hint: 'refresh_token',
      });
      expect(await tokens.age()).to.equal(undefined);
      expect(world.backing.locks).to.equal(0);
    });

    it('RFC 7009 §2.1 — revokes the access token where it is the only one', async () => {
      const { tokens } = world.process();
      const { refreshToken: _, ...others } = world.provider.grant();
      await tokens.save(others);
      await tokens.revoke();
      expect(world.provider.revoked[0]).to.include({
        token: 'access-0',
        token_type_hint: 'access_token',
      });
    });

    it('RFC 7009 §2.2 — keeps the tokens when the revocation fails', async () => {
      const { tokens } = await processWith(0);
      world.provider.faults.push({ status: 503 });
      await failure(tokens.revoke(), 'provider_unavailable', { stage: 'revoke' });
      expect(await tokens.getAccessToken()).to.equal('access-0');
      expect(world.backing.locks).to.equal(0);
    });

    it('RFC 7009 §2 — sends nothing when no tokens are kept', async () => {
      await world.process().tokens.revoke();
      expect(world.provider.revoked).to.deep.equal([]);
    });

    it('RFC 7009 §2.1 — waits for the lock of a killed process', async () => {
      const { tokens, store } = await processWith(0);
      await skipping(async (skip) => {
        store.faults.lock = atFirst(1, () => skip(TIMEOUT + 7000));
        await tokens.revoke();
      });
      expect(world.provider.revoked).to.have.length(1);
    });

    it('RFC 9700 §4.14.2 — waits for a refresh, and revokes its tokens', async () => {
      const [one, other] = [(await processWith(2 * HOUR)).tokens, world.process().tokens];
      let revoking: Promise<void> | undefined;
      world.provider.meanwhile = async () => {
        revoking = other.revoke();
        await pause(30);
      };
      await one.getAccessToken();
      await revoking;
      expect(world.provider.revoked.map(({ token }) => token)).to.deep.equal(['refresh-1']);
    });
  });
});
