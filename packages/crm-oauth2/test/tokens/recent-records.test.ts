/** The cache of user tokens: when the store is asked, and when it is not. */
import { expect } from 'chai';
import { MemoryTokenStore, SealedValues, userTokens } from '../../dist/index';
import type { UserTokens } from '../../dist/index';
import { RecentRecords } from '../../dist/tokens/recent-records';
import { Seal } from '../../dist/values/seal';
import { rejection, thrown, useRealSockets } from '../support';
import { HOUR, World, clientOf, skipping } from './support';

const KEY = 'zoe';

describe('user tokens cache', () => {
  useRealSockets();

  let world: World;
  beforeEach(async () => {
    world = await World.make();
    await world.keep(0);
  });

  /** A process with a cache, and without. */
  function processOf(cache = 30) {
    const { store, tokens: others } = world.process();
    const tokens = userTokens(clientOf(world.provider), { store, key: KEY, cache });
    return { store, tokens, others };
  }
  const token = async (tokens: UserTokens) => await tokens.getAccessToken();

  it('a fresh token — the store is asked once in the time given, by all objects of one key', async () => {
    const { store, tokens } = processOf(30);
    await skipping(async (skip) => {
      for (let use = 0; use < 100; use += 1) expect(await token(tokens)).to.equal('access-0');
      const again = userTokens(clientOf(world.provider), { store, key: KEY, cache: 30 });
      expect(await token(again)).to.equal('access-0');
      skip(29_000);
      await token(tokens);
      expect(store.calls).to.deep.equal(['get']);
      skip(1001);
      await token(tokens);
      expect(store.calls).to.deep.equal(['get', 'get']);
    });
  });

  it('default — the store is asked at each use', async () => {
    const { store, others } = processOf();
    await token(others);
    await token(others);
    expect(store.calls).to.deep.equal(['get', 'get']);
  });

  it('RFC 6750 §3.1 — a token that the API has rejected is not taken from the cache', async () => {
    const { store, tokens } = processOf();
    await token(tokens);
    await world.forget();
    await world.put({
      tokens: world.provider.grant({ accessToken: 'access-9' }),
      since: Date.now(),
      signedInAt: Date.now(),
    });
    expect(await token(tokens)).to.equal('access-0');
    expect(await tokens.getAccessToken({ rejected: 'access-0' })).to.equal('access-9');
    expect(await token(tokens)).to.equal('access-9');
    expect(store.calls).to.deep.equal(['get', 'get']);
  });

  it('RFC 6749 §6 — a token that is no longer fresh is refreshed, and the new one is used', async () => {
    const { tokens } = processOf(60);
    expect(await token(tokens)).to.equal('access-0');
    const now = Date.now;
    Date.now = () => now() + HOUR;
    try {
      expect(await token(tokens)).to.equal('access-1');
      expect(await token(tokens)).to.equal('access-1');
    } finally {
      Date.now = now;
    }
  });

  for (const [what, change, expected] of [
    ['save', (one: UserTokens, to: object) => one.save(to as never), 'access-9'],
    ['refresh', (one: UserTokens) => one.refresh(), 'access-1'],
  ] as const) {
    it(`${what} — by any object of this process, is seen at once`, async () => {
      const { tokens, others } = processOf();
      await token(tokens);
      await change(others, world.provider.grant({ accessToken: 'access-9' }));
      expect(await token(tokens)).to.equal(expected);
    });
  }

  for (const what of ['delete', 'revoke'] as const) {
    it(`${what} — by any object of this process, is seen at once`, async () => {
      const { tokens, others } = processOf();
      await token(tokens);
      await others[what]();
      expect((await rejection(token(tokens))).code).to.equal('reauthorization_required');
    });
  }

  it('delete — while a read is under way, the record that it brings is not remembered', async () => {
    const { store, tokens } = processOf();
    let arrive!: () => void;
    const arrived = new Promise<void>((resolve) => (arrive = resolve));
    store.faults.get = async (work) => {
      const stored = await work();
      await arrived;
      return stored;
    };
    const early = token(tokens);
    await new Promise(setImmediate);
    delete store.faults.get;
    await tokens.delete();
    arrive();
    expect(await early).to.equal('access-0');
    expect((await rejection(token(tokens))).code).to.equal('reauthorization_required');
  });

  it('another person of the same store has a record of their own', async () => {
    const { store, tokens } = processOf();
    await token(tokens);
    const other = userTokens(clientOf(world.provider), { store, key: 'yann', cache: 30 });
    expect((await rejection(token(other))).code).to.equal('reauthorization_required');
  });

  it('a store that fails is told, once the time is over', async () => {
    const { store, tokens } = processOf();
    await skipping(async (skip) => {
      await token(tokens);
      store.faults.get = () => Promise.reject(new Error('away'));
      expect(await token(tokens)).to.equal('access-0');
      skip(30_001);
      expect((await rejection(token(tokens))).code).to.equal('store_unavailable');
    });
  });

  for (const cache of [-1, 61, Number.NaN, '30', null]) {
    it(`TypeError for a cache of ${JSON.stringify(cache)}`, () => {
      const error = thrown(() =>
        userTokens(clientOf(world.provider), {
          store: new MemoryTokenStore(),
          key: KEY,
          cache: cache as number,
        }),
      );
      expect(error).to.be.instanceOf(TypeError);
      expect(error.message).to.include('option "cache" must be a number from 0 to 60');
    });
  }

  it('CWE-770 — remembers the last ten thousand people, and forgets those before', async () => {
    const recent = RecentRecords.of(new MemoryTokenStore());
    const record = await world.kept();
    for (let person = 0; person < 20_000; person += 1) {
      await recent.read(`person ${person}`, () => Promise.resolve({ record, version: '1' }));
    }
    expect(recent.find('person 0', 1000)).to.equal(undefined);
    expect(recent.find('person 10000', 1000)).to.equal(record);
  });
});

describe('records, parsed again', () => {
  const valueOf = (accessToken: string) =>
    JSON.stringify({ accessToken, response: {}, since: 1, signedInAt: 1 });
  const recordsOfStore = () => RecentRecords.of(new MemoryTokenStore());

  it('a value is parsed once, and another value of the same key anew', () => {
    const records = recordsOfStore();
    const one = records.parse('zoe', valueOf('one'));
    expect(records.parse('zoe', valueOf('one'))).to.equal(one);
    expect(records.parse('zoe', valueOf('two')).tokens.accessToken).to.equal('two');
    expect(records.parse('zoe', valueOf('one')).tokens.accessToken).to.equal('one');
  });

  it('another key has a record of its own', () => {
    const records = recordsOfStore();
    const one = records.parse('zoe', valueOf('one'));
    expect(records.parse('yann', valueOf('one'))).not.to.equal(one);
  });

  it('a record that changes is forgotten', () => {
    const records = recordsOfStore();
    const one = records.parse('zoe', valueOf('one'));
    records.forget('zoe');
    expect(records.parse('zoe', valueOf('one'))).not.to.equal(one);
  });

  it('a value that is not a record is refused each time', () => {
    const records = recordsOfStore();
    for (let use = 0; use < 2; use += 1) {
      expect(thrown(() => records.parse('zoe', 'garbage'))).to.include({ code: 'store_corrupt' });
    }
  });

  it('CWE-770 — the records of the last thousand keys are remembered, and others are forgotten', () => {
    const records = recordsOfStore();
    const parsed: unknown[] = [];
    for (let key = 0; key < 2000; key += 1) {
      parsed.push(records.parse(String(key), valueOf('one')));
    }
    expect(records.parse('1000', valueOf('one'))).to.equal(parsed[1000]);
    expect(records.parse('0', valueOf('one'))).not.to.equal(parsed[0]);
  });
});

describe('sealed values, opened again', () => {
  const SECRET = 'a secret of at least 32 characters!!';

  /** Counts how often something is decrypted. */
  async function decrypting(work: () => Promise<unknown>): Promise<number> {
    let opened = 0;
    const { open } = Seal.prototype;
    Seal.prototype.open = async function counted(this: Seal, text) {
      opened += 1;
      return await open.call(this, text);
    };
    try {
      await work();
    } finally {
      Seal.prototype.open = open;
    }
    return opened;
  }

  it('a text is decrypted once, and another text of the same key anew', async () => {
    const values = new SealedValues([SECRET]);
    const one = await values.seal('zoe', 'one');
    const two = await values.seal('zoe', 'two');
    const opened = await decrypting(async () => {
      for (let use = 0; use < 10; use += 1) expect(await values.open('zoe', one)).to.equal('one');
      expect(await values.open('zoe', two)).to.equal('two');
      expect(await values.open('zoe', one)).to.equal('one');
    });
    expect(opened).to.equal(3);
  });

  it('RFC 7516 §11 — a text that was opened for one key does not open for another', async () => {
    const values = new SealedValues([SECRET]);
    const sealed = await values.seal('zoe', 'one');
    await values.open('zoe', sealed);
    expect((await rejection(values.open('yann', sealed))).code).to.equal('store_corrupt');
  });

  it('a text that does not open is not remembered', async () => {
    const values = new SealedValues([SECRET]);
    const opened = await decrypting(async () => {
      for (let use = 0; use < 2; use += 1) await rejection(values.open('zoe', 'garbage'));
    });
    expect(opened).to.equal(2);
  });

  it('CWE-770 — the texts of the last thousand keys are remembered, and others are forgotten', async () => {
    const values = new SealedValues([SECRET]);
    const texts: string[] = [];
    for (let key = 0; key < 2000; key += 1) texts.push(await values.seal(String(key), 'value'));
    for (const [key, sealed] of texts.entries()) await values.open(String(key), sealed);
    const again = (key: number) => decrypting(() => values.open(String(key), texts[key] ?? ''));
    expect(await again(1000)).to.equal(0);
    expect(await again(0)).to.equal(1);
  });
});
