import { expect } from 'chai';
import { MemoryTokenStore, OAuth2Client, planRefreshes, userTokens } from '../../dist/index';
import type { TokenSet } from '../../dist/index';
import { CREDENTIALS, acmeWith, rejection } from '../support';
import { Connection, atAnotherTime } from './support';

const DAY = 86_400_000;
const TOKENS: TokenSet = {
  accessToken: 'access',
  refreshToken: 'refresh',
  tokenType: 'Bearer',
  response: {},
};

/** A provider whose refresh tokens live so long, in seconds. */
const clientWith = (refreshTokenLifetime?: { idle?: number; absolute?: number }) =>
  new OAuth2Client(acmeWith(refreshTokenLifetime ? { refreshTokenLifetime } : {}), CREDENTIALS);

describe('refresh plan', () => {
  const NOW = Date.now();
  const { now } = Date;
  beforeEach(() => {
    Date.now = () => NOW;
  });
  afterEach(() => {
    Date.now = now;
  });

  const idle = clientWith({ idle: 30 * 86_400 });

  /** Keeps tokens of these ages, in days. */
  async function keep(ages: Record<string, number>, store = new Connection()) {
    for (const [key, age] of Object.entries(ages)) {
      await atAnotherTime(-age * DAY, () => userTokens(idle, { store, key }).save(TOKENS));
    }
    store.calls.length = 0;
    return store;
  }

  it('salesforce 4.3 — 30 days without use: the most urgent first', async () => {
    const store = await keep({ zoe: 1, ana: 29, suri: 29, eve: 31 });
    const plan = await planRefreshes(idle, { store, keys: ['zoe', 'suri', 'ana', 'eve'] });
    expect(plan).to.deep.equal([
      { key: 'eve', refreshBy: NOW - DAY },
      { key: 'ana', refreshBy: NOW + DAY },
      { key: 'suri', refreshBy: NOW + DAY },
      { key: 'zoe', refreshBy: NOW + 29 * DAY },
    ]);
  });

  it('salesos 4.2 — 30 days from the login: says when the person must sign in', async () => {
    const store = await keep({ zoe: 1, ana: 29 });
    const client = clientWith({ absolute: 30 * 86_400 });
    expect(await planRefreshes(client, { store, keys: ['zoe', 'ana'] })).to.deep.equal([
      { key: 'ana', signInBy: NOW + DAY },
      { key: 'zoe', signInBy: NOW + 29 * DAY },
    ]);
  });

  it('dueBefore — leaves out what ends then or later, and keeps what is missing', async () => {
    const store = await keep({ zoe: 1, ana: 29, suri: 28 });
    const keys = ['zoe', 'suri', 'ana', 'eve'];
    const plan = await planRefreshes(idle, { store, keys, dueBefore: NOW + 2 * DAY });
    expect(plan).to.deep.equal([
      { key: 'eve', missing: true },
      { key: 'ana', refreshBy: NOW + DAY },
    ]);
  });

  it('dueBefore — leaves out tokens without an end', async () => {
    const store = await keep({ zoe: 1 });
    const plan = await planRefreshes(clientWith(), { store, keys: ['zoe'], dueBefore: NOW });
    expect(plan).to.deep.equal([]);
  });

  it('keys — may come one after the other, and are read no further ahead than fifty', async () => {
    const store = await keep({ 'person 7': 29 });
    let asked = 0;
    let most = 0;
    let reads = 0;
    store.faults.get = async (work) => {
      reads += 1;
      most = Math.max(most, asked - reads + 1);
      return await work();
    };
    async function* keys() {
      while (asked < 120) {
        await Promise.resolve();
        asked += 1;
        yield `person ${asked}`;
      }
    }
    const plan = await planRefreshes(idle, { store, keys: keys() });
    expect(plan).to.have.lengthOf(120);
    expect(plan.at(-1)).to.deep.equal({ key: 'person 7', refreshBy: NOW + DAY });
    expect(most).to.equal(50);
  });

  it('lifetime — of the app replaces the provider’s', async () => {
    const store = await keep({ zoe: 1, ana: 2 });
    const lifetime = { idle: 10 * 86_400, absolute: 9 * 86_400 };
    expect(await planRefreshes(idle, { store, keys: ['zoe', 'ana'], lifetime })).to.deep.equal([
      { key: 'ana', refreshBy: NOW + 8 * DAY, signInBy: NOW + 7 * DAY },
      { key: 'zoe', refreshBy: NOW + 9 * DAY, signInBy: NOW + 8 * DAY },
    ]);
  });

  it('salesloft 4.2 — no known end: by key, without dates', async () => {
    const store = await keep({ zoe: 1, ana: 2 });
    expect(await planRefreshes(clientWith(), { store, keys: ['zoe', 'ana'] })).to.deep.equal([
      { key: 'ana' },
      { key: 'zoe' },
    ]);
  });

  it('missing — comes first', async () => {
    const store = await keep({ ana: 31 });
    expect(await planRefreshes(idle, { store, keys: new Set(['ana', 'bob']) })).to.deep.equal([
      { key: 'bob', missing: true },
      { key: 'ana', refreshBy: NOW - DAY },
    ]);
  });

  it('store_corrupt — of one person, leaves the plan of the others', async () => {
    const store = await keep({ zoe: 1, ana: 2 });
    const name = JSON.stringify(['acme', CREDENTIALS.clientID, 'zoe']);
    await store.set(name, 'hello', (await store.get(name))?.version);
    const [first, second] = await planRefreshes(idle, { store, keys: ['ana', 'zoe'] });
    expect(first).to.include({ key: 'zoe' }).and.to.have.nested.include({
      'error.code': 'store_corrupt',
    });
    expect(second).to.deep.equal({ key: 'ana', refreshBy: NOW + 28 * DAY });
  });

  it('store_unavailable — the plan fails', async () => {
    const store = await keep({ zoe: 1 });
    store.faults.get = () => Promise.reject(new Error('away'));
    expect((await rejection(planRefreshes(idle, { store, keys: ['zoe'] }))).code).to.equal(
      'store_unavailable',
    );
  });

  it('the store — is asked for fifty keys at once, and for each key once', async () => {
    const keys = Array.from({ length: 120 }, (_, index) => `person-${index}`);
    const store = new Connection(new MemoryTokenStore());
    let open = 0;
    let most = 0;
    store.faults.get = async (work) => {
      open += 1;
      most = Math.max(most, open);
      await new Promise((resolve) => setImmediate(resolve));
      open -= 1;
      return await work();
    };
    expect(await planRefreshes(idle, { store, keys })).to.have.length(120);
    expect(most).to.equal(50);
    expect(store.calls).to.have.length(120);
  });
});
