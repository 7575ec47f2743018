/** The rules of a {@link TokenStore}, as checks for any test runner. */
import { equal, notEqual, ok } from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { TokenStore, Unlock } from '../tokens/token-store';

export interface TokenStoreCheck {
  title: string;
  /** Rejects with an `AssertionError` when the store breaks the rule of the title. */
  run: () => Promise<void>;
}

/**
 * A store that lets two holders have one lock, or forgets which write came last, ends people's grants.
 * Run these checks against it first.
 *
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
      // A key of its own, so that checks run at the same time, and in a store that is in use.
      const key = `token store check ${randomUUID()}`;
      await check(one, other, key);
      await one.delete(key);
    },
  }));
}

type Check = (one: TokenStore, other: TokenStore, key: string) => Promise<void>;

const CALLS_AT_ONCE = 50;
/** Longer than any check. */
const LONG_LOCK_MS = 30_000;
/** A lock whose end is awaited. It has a fraction, as the timeout of a client may have. */
const SHORT_LOCK_MS = 80.5;
/** A lock may expire this much late. */
const LATE_MS = 2000;

/** Texts that databases and their drivers may change. */
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
  'get — finds nothing under a new key': async (one, _other, key) => {
    equal(await one.get(key), undefined);
  },
  'get — reads any text as it was written': async (one, other, key) => {
    let version: string | undefined;
    for (const text of TEXTS) {
      version = await one.set(key, text, version);
      await holds(other, key, text, version);
    }
  },
  'keys — are told apart, also by case, space and accent': async (one, other, key) => {
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
  'set — of many writers at once, lets one through': async (one, other, key) => {
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
  'delete — removes the key, also a second time': async (one, other, key) => {
    await one.delete(key);
    await one.set(key, 'A', undefined);
    await other.delete(key);
    await one.delete(key);
    equal(await one.get(key), undefined);
  },
  'lock — is held by one at a time': async (one, other, key) => {
    const unlock = await taken(one, key);
    equal(await other.lock(key, LONG_LOCK_MS), undefined);
    equal(await one.lock(key, LONG_LOCK_MS), undefined);
    await unlock();
    await released(taken(other, key));
  },
  'lock — of many callers at once, goes to one': async (one, other, key) => {
    const tryAll = async () => {
      const tries = await many((index) => (index % 2 ? one : other).lock(key, LONG_LOCK_MS));
      const [unlock, ...more] = tries.filter((each) => each !== undefined);
      equal(more.length, 0);
      return unlock;
    };
    const first = await tryAll();
    ok(first, 'no caller got a free lock');
    await first();
    await taken(one, key, SHORT_LOCK_MS);
    // The expired lock of a killed process goes to one caller, too.
    await released(soon(tryAll));
  },
  'lock — leaves other keys alone': async (one, other, key) => {
    const unlock = await taken(one, key);
    await released(taken(other, `${key} `));
    await unlock();
  },
  'lock — and value of a key leave each other alone': async (one, other, key) => {
    const first = await taken(one, key);
    equal(await one.get(key), undefined);
    const version = await other.set(key, 'A', undefined);
    equal(await other.lock(key, LONG_LOCK_MS), undefined);
    await first();
    await holds(other, key, 'A', version);
    const second = await taken(one, key);
    await other.delete(key);
    equal(await other.lock(key, LONG_LOCK_MS), undefined);
    await second();
  },
  'lock — expires after its time, and not before': async (one, other, key) => {
    const start = performance.now();
    await taken(one, key, SHORT_LOCK_MS);
    const unlock = await soon(() => other.lock(key, LONG_LOCK_MS));
    ok(performance.now() - start > 0.9 * SHORT_LOCK_MS, 'the lock expired before its time');
    await unlock();
  },
  'unlock — after its time, leaves the lock of the next holder alone': async (one, other, key) => {
    const late = await taken(one, key, SHORT_LOCK_MS);
    const unlock = await soon(() => other.lock(key, LONG_LOCK_MS));
    await late();
    equal(await one.lock(key, LONG_LOCK_MS), undefined);
    await unlock();
  },
  'unlock — a second time, does nothing': async (one, other, key) => {
    const first = await taken(one, key);
    await first();
    await first();
    const second = await taken(other, key);
    await first();
    equal(await one.lock(key, LONG_LOCK_MS), undefined);
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
  return await Promise.all(Array.from({ length: CALLS_AT_ONCE }, (_, index) => work(index)));
}

async function taken(store: TokenStore, key: string, milliseconds = LONG_LOCK_MS): Promise<Unlock> {
  const unlock = await store.lock(key, milliseconds);
  ok(unlock, 'a free lock was refused');
  return unlock;
}

async function released(lock: Promise<Unlock>) {
  await (
    await lock
  )();
}

/** Looks again until a short lock has expired. */
async function soon<T>(look: () => Promise<T | undefined>): Promise<T> {
  const limit = performance.now() + SHORT_LOCK_MS + LATE_MS;
  for (;;) {
    const found = await look();
    if (found) return found;
    ok(performance.now() < limit, 'the lock did not expire');
    await pause(5);
  }
}
