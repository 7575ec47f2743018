/**
 * Door 3: what every {@link TokenStore} must do, as checks for any test runner. A store that lets two
 * hold one lock, or forgets who wrote last, ends people's grants; so try yours before they do.
 */
import { equal, notEqual, ok } from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { TokenStore, Unlock } from '../tokens/token-store';

export interface TokenStoreCheck {
  title: string;
  /** Rejects with an `AssertionError` when the store does otherwise. */
  run: () => Promise<void>;
}

/**
 * @param open a view of the same data each time: another connection, or at least another instance
 *
 * @example
 * for (const { title, run } of tokenStoreChecks(open)) it(title, run);
 */
export function tokenStoreChecks(
  open: () => TokenStore | Promise<TokenStore>,
): readonly TokenStoreCheck[] {
  return Object.entries(CHECKS).map(([title, check]) => ({
    title,
    run: async () => {
      const one = await open();
      const other = await open();
      // Of its own, so that checks run beside one another, and beside whatever else is there.
      const key = `conformance ${randomUUID()}`;
      await check(one, other, key);
      await one.delete(key);
    },
  }));
}

type Check = (one: TokenStore, other: TokenStore, key: string) => Promise<void>;

const MANY = 50;
/** No check holds a lock for that long. */
const LONG = 30_000;
/** Of a lock that is waited for; a fraction, since a timeout may be one. */
const SHORT = 80.5;
/** How much later than promised a lock may end. */
const GRACE = 2000;

/** What databases, and those who ask them, change on the way. */
const TEXTS = [
  '',
  ' spaces around ',
  '007',
  'null',
  `'; -- "quotes" \`and\` \\ % _ $1 {}`,
  'Zoë Ångström 雪 👩‍🚀 e\u0301',
  Array.from({ length: 33 }, (_, code) => String.fromCharCode(code)).join(''),
  'x'.repeat(64 * 1024),
];

const CHECKS: Readonly<Record<string, Check>> = {
  'get — finds nothing where nothing was written': async (one, _other, key) => {
    equal(await one.get(key), undefined);
  },
  'get — reads any text as it was written': async (one, other, key) => {
    let version: string | undefined;
    for (const text of TEXTS) {
      version = await one.set(key, text, version);
      await holds(other, key, text, version);
    }
  },
  'keys — are told apart, whatever they are made of': async (one, other, key) => {
    const long = 'x'.repeat(1024);
    const ends = ['', ' ', 'a', 'A', 'á', 'a\u0301', '/', '//', '/../', '%', '*', '"', "'", '\\'];
    const keys = [...ends, '\0', '\n', '雪', long, `${long}x`].map((end) => key + end);
    for (const each of keys) ok(await one.set(each, each, undefined), 'a new key was refused');
    for (const each of keys) {
      equal((await other.get(each))?.value, each);
      await other.delete(each);
      equal(await one.get(each), undefined);
    }
  },
  'set — without a version, creates only': async (one, other, key) => {
    const version = await one.set(key, 'first', undefined);
    equal(await other.set(key, 'second', undefined), undefined);
    await holds(other, key, 'first', version);
  },
  'set — with the version that was read, replaces': async (one, other, key) => {
    await one.set(key, 'first', undefined);
    const version = await other.set(key, 'second', (await other.get(key))?.version);
    await holds(one, key, 'second', version);
  },
  'set — refuses an old version, and leaves the value alone': async (one, other, key) => {
    const old = await one.set(key, 'first', undefined);
    const version = await other.set(key, 'second', old);
    equal(await one.set(key, 'third', old), undefined);
    await holds(one, key, 'second', version);
  },
  'set — notices a value that was changed, and changed back': async (one, other, key) => {
    const old = await one.set(key, 'A', undefined);
    const same = await other.set(key, 'A', await other.set(key, 'B', old));
    notEqual(same, old);
    equal(await one.set(key, 'C', old), undefined);
    await holds(one, key, 'A', same);
  },
  'set — refuses the version of a key deleted since': async (one, other, key) => {
    const old = await one.set(key, 'A', undefined);
    await other.delete(key);
    equal(await one.set(key, 'B', old), undefined);
    const version = await other.set(key, 'A', undefined);
    equal(await one.set(key, 'B', old), undefined);
    await holds(one, key, 'A', version);
  },
  'set — of many who write at once, lets one': async (one, other, key) => {
    let version: string | undefined;
    for (const what of ['created', 'replaced']) {
      const tries = await many((index) =>
        (index % 2 ? one : other).set(key, `${what} by ${index}`, version),
      );
      const winners = [...tries.keys()].filter((index) => tries[index] !== undefined);
      equal(winners.length, 1);
      version = tries[winners[0]!];
      await holds(one, key, `${what} by ${winners[0]}`, version);
    }
  },
  'delete — removes, and does not mind what is gone': async (one, other, key) => {
    await one.delete(key);
    await one.set(key, 'A', undefined);
    await other.delete(key);
    await one.delete(key);
    equal(await one.get(key), undefined);
  },
  'lock — is held by one at a time': async (one, other, key) => {
    const unlock = await taken(one, key);
    equal(await other.lock(key, LONG), undefined);
    equal(await one.lock(key, LONG), undefined);
    await unlock();
    await (
      await taken(other, key)
    )();
  },
  'lock — of many who try at once, lets one': async (one, other, key) => {
    const tryAll = async () => {
      const tries = await many((index) => (index % 2 ? one : other).lock(key, LONG));
      const [unlock, ...more] = tries.filter((each) => each !== undefined);
      equal(more.length, 0);
      return unlock;
    };
    const first = await tryAll();
    ok(first, 'nobody got a free lock');
    await first();
    await taken(one, key, SHORT);
    // Left by one who was killed, it is taken over by one as well.
    await (
      await soon(tryAll)
    )();
  },
  'lock — leaves other keys alone': async (one, other, key) => {
    const unlock = await taken(one, key);
    await (
      await taken(other, `${key} `)
    )();
    await unlock();
  },
  'lock — and value of a key do not touch each other': async (one, other, key) => {
    const first = await taken(one, key);
    equal(await one.get(key), undefined);
    const version = await other.set(key, 'A', undefined);
    equal(await other.lock(key, LONG), undefined);
    await first();
    await holds(other, key, 'A', version);
    const second = await taken(one, key);
    await other.delete(key);
    equal(await other.lock(key, LONG), undefined);
    await second();
  },
  'lock — ends by itself after its time, and not before': async (one, other, key) => {
    const start = performance.now();
    await taken(one, key, SHORT);
    const unlock = await soon(() => other.lock(key, LONG));
    ok(performance.now() - start > 0.9 * SHORT, 'the lock ended before its time');
    await unlock();
  },
  'unlock — after its time, leaves the lock of the next holder alone': async (one, other, key) => {
    const late = await taken(one, key, SHORT);
    const unlock = await soon(() => other.lock(key, LONG));
    await late();
    equal(await one.lock(key, LONG), undefined);
    await unlock();
  },
  'unlock — a second time, does nothing': async (one, other, key) => {
    const first = await taken(one, key);
    await first();
    await first();
    const second = await taken(other, key);
    await first();
    equal(await one.lock(key, LONG), undefined);
    await second();
  },
};

async function holds(store: TokenStore, key: string, value: string, version: string | undefined) {
  ok(version, 'the value was not written');
  const stored = await store.get(key);
  equal(stored?.value, value);
  equal(stored?.version, version, 'get and set name different versions');
}

async function many<T>(work: (index: number) => Promise<T>): Promise<T[]> {
  return await Promise.all(Array.from({ length: MANY }, (_, index) => work(index)));
}

async function taken(store: TokenStore, key: string, milliseconds = LONG): Promise<Unlock> {
  const unlock = await store.lock(key, milliseconds);
  ok(unlock, 'a free lock was refused');
  return unlock;
}

/** What is there once a short lock has ended. */
async function soon<T>(look: () => Promise<T | undefined>): Promise<T> {
  const limit = performance.now() + SHORT + GRACE;
  for (;;) {
    const found = await look();
    if (found) return found;
    ok(performance.now() < limit, 'the lock did not end by itself');
    await pause(5);
  }
}
