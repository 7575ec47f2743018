/** The store in memory, and the faults that the checks for any store notice. */
import { AssertionError } from 'node:assert';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { tokenStoreChecks } from '../../dist/testing/token-store-checks';
import { MemoryTokenStore } from '../../dist/index';
import type { StoredValue, TokenStore, Unlock } from '../../dist/index';
import { rejection } from '../support';

/** The data that two views share. */
interface Shared {
  values: Map<string, StoredValue>;
  locks: Map<string, { endsAt: number }>;
  writes: number;
}

/** Passes every check; a broken store differs from it in one operation. */
class SharedStore implements TokenStore {
  constructor(readonly shared: Shared = { values: new Map(), locks: new Map(), writes: 0 }) {}

  async get(key: string): Promise<StoredValue | undefined> {
    return await Promise.resolve(this.shared.values.get(key));
  }
  async set(key: string, value: string, version?: string): Promise<string | undefined> {
    await turn();
    if (this.shared.values.get(key)?.version !== version) return undefined;
    return this.write(key, value);
  }
  write(key: string, value: string): string {
    this.shared.writes += 1;
    return put(this.shared, key, value, String(this.shared.writes));
  }
  async delete(key: string): Promise<void> {
    await turn();
    this.shared.values.delete(key);
  }
  async lock(key: string, milliseconds: number): Promise<Unlock | undefined> {
    await turn();
    if (this.isHeld(key)) return undefined;
    return this.take(key, milliseconds);
  }
  isHeld(key: string): boolean {
    const held = this.shared.locks.get(key);
    return held !== undefined && held.endsAt > performance.now();
  }
  take(key: string, milliseconds: number): Unlock {
    const lock = { endsAt: performance.now() + milliseconds };
    this.shared.locks.set(key, lock);
    return async () => {
      await turn();
      if (this.shared.locks.get(key) === lock) this.shared.locks.delete(key);
    };
  }
}

/** The operations that differ in a broken store. `right` is a right store over the same data. */
type Fault = (right: SharedStore) => Partial<SharedStore>;

/** By the check that must notice: the stores that it must notice. */
const BROKEN: Record<string, Record<string, Fault>> = {
  'get — finds nothing under a new key': {
    'finds null': (right) => ({
      get: async (key) => (await right.get(key)) ?? (null as unknown as undefined),
    }),
  },
  'get — reads any text as it was written': {
    trims: (right) => ({ write: (key, value) => right.write(key, value.trim()) }),
    'writes Latin-1': (right) => ({
      write: (key, value) => right.write(key, Buffer.from(value, 'latin1').toString('latin1')),
    }),
    'takes an empty value for a missing one': (right) => ({
      get: async (key) => {
        const stored = await right.get(key);
        return stored?.value ? stored : undefined;
      },
    }),
  },
  'keys — are told apart, also by case, space and accent': {
    'has keys of any case': (right) => ({
      get: (key) => right.get(key.toLowerCase()),
      set: (key, value, version) => right.set(key.toLowerCase(), value, version),
    }),
  },
  'set — without a version, creates only': {
    'creates what is there': (right) => ({
      set: async (key, value, version) =>
        version === undefined ? right.write(key, value) : await right.set(key, value, version),
    }),
  },
  'set — with the version that was read, replaces': {
    'names another version when it reads': (right) => ({
      get: async (key) => {
        const stored = await right.get(key);
        return stored && { ...stored, version: `"${stored.version}"` };
      },
    }),
  },
  'set — refuses an old version, and leaves the value alone': {
    'writes whatever the version': (right) => ({
      set: async (key, value) => await Promise.resolve(right.write(key, value)),
    }),
  },
  'set — notices a value that was changed, and changed back': {
    'takes the value for its version': ({ shared }) => ({
      write: (key, value) => put(shared, key, value, `v${value}`),
    }),
  },
  'set — refuses the version of a key deleted since': {
    'counts versions for each key anew': ({ shared }) => ({
      write: (key, value) => {
        const version = Number(shared.values.get(key)?.version ?? 0) + 1;
        return put(shared, key, value, String(version));
      },
    }),
  },
  'set — of many writers at once, lets one through': {
    'looks in one step, and writes in another': (right) => ({
      set: async (key, value, version) => {
        if (right.shared.values.get(key)?.version !== version) return undefined;
        await turn();
        return right.write(key, value);
      },
    }),
  },
  'delete — removes the key, also a second time': {
    'deletes nothing': () => ({ delete: () => Promise.resolve() }),
    'cannot delete a missing key': (right) => ({
      delete: async (key) => {
        if (!right.shared.values.has(key)) throw new AssertionError({ message: 'no such row' });
        await right.delete(key);
      },
    }),
  },
  'lock — is held by one at a time': {
    'has locks of its own in each process': ({ shared }) => ({
      shared: { ...shared, locks: new Map() },
      write: (key, value) => put(shared, key, value, `${Math.random()}`),
    }),
    'lets the holder lock again': (right) => {
      const own = new Set<string>();
      return {
        lock: async (key, milliseconds) => {
          if (own.has(key)) return right.take(key, milliseconds);
          const unlock = await right.lock(key, milliseconds);
          if (unlock) own.add(key);
          return unlock;
        },
      };
    },
  },
  'lock — of many callers at once, goes to one': {
    'looks at a lock in one step, and takes it in another': (right) => ({
      lock: async (key, milliseconds) => {
        if (right.isHeld(key)) return undefined;
        await turn();
        return right.take(key, milliseconds);
      },
    }),
    'lets many take over a lock that has ended': (right) => ({
      lock: async (key, milliseconds) => {
        if (right.isHeld(key)) return undefined;
        if (right.shared.locks.has(key)) await turn();
        return right.take(key, milliseconds);
      },
    }),
  },
  'lock — leaves other keys alone': {
    'has one lock for all keys': (right) => ({
      lock: (key, milliseconds) =>
        right.lock(key.slice(0, 'token store check '.length + 36), milliseconds),
    }),
  },
  'lock — and value of a key leave each other alone': {
    'deletes the lock with the value': (right) => ({
      delete: async (key) => {
        await right.delete(key);
        right.shared.locks.delete(key);
      },
    }),
  },
  'lock — expires after its time, and not before': {
    'never lets a lock expire': (right) => ({ lock: (key) => right.lock(key, Infinity) }),
    'lets a lock expire too early': (right) => ({
      lock: (key, milliseconds) => right.lock(key, milliseconds / 1000),
    }),
  },
  'unlock — after its time, leaves the lock of the next holder alone': {
    'releases the lock of any holder': (right) => ({
      take: (key, milliseconds) => {
        right.take(key, milliseconds);
        return async () => {
          right.shared.locks.delete(key);
          await turn();
        };
      },
    }),
  },
  'unlock — a second time, does nothing': {
    'releases the lock of any holder before its own would expire': (right) => ({
      take: (key, milliseconds) => {
        right.take(key, milliseconds);
        const endsAt = performance.now() + milliseconds;
        return async () => {
          if (performance.now() < endsAt) right.shared.locks.delete(key);
          await turn();
        };
      },
    }),
  },
};

function put(shared: Shared, key: string, value: string, version: string): string {
  shared.values.set(key, { value, version });
  return version;
}

/** The titles of the checks that a store does not pass. */
async function failures(fault: Fault): Promise<string[]> {
  const { shared } = new SharedStore();
  const right = new SharedStore(shared);
  const checks = tokenStoreChecks(() => Object.assign(new SharedStore(shared), fault(right)));
  const failed = await Promise.all(
    checks.map(async ({ title, run }) => {
      try {
        await run();
        return [];
      } catch (error) {
        expect(error).to.be.instanceOf(AssertionError);
        return [title];
      }
    }),
  );
  return failed.flat();
}

describe('MemoryTokenStore', () => {
  const store = new MemoryTokenStore();
  for (const { title, run } of tokenStoreChecks(() => store)) it(title, run);

  it('get — returns a copy, which can be changed without harm', async () => {
    await store.set('key', 'value', undefined);
    Object.assign((await store.get('key'))!, { value: 'changed' });
    expect((await store.get('key'))?.value).to.equal('value');
  });

  it('two stores — share nothing', async () => {
    const other = new MemoryTokenStore();
    expect(await other.get('key')).to.equal(undefined);
    await store.lock('key', 100);
    expect(await other.lock('key', 100)).to.be.a('function');
  });
});

describe('tokenStoreChecks', () => {
  it('a right store — passes every check', async () => {
    expect(await failures(() => ({}))).to.deep.equal([]);
  });

  for (const [title, stores] of Object.entries(BROKEN)) {
    for (const [what, fault] of Object.entries(stores)) {
      it(`a store that ${what} — fails at "${title}"`, async () => {
        expect(await failures(fault)).to.include(title);
      });
    }
  }

  it('every check — fails for one of these stores', () => {
    const titles = tokenStoreChecks(() => new MemoryTokenStore()).map(({ title }) => title);
    expect(Object.keys(BROKEN)).to.have.members(titles);
  });

  it('a check — leaves nothing behind', async () => {
    const { shared } = new SharedStore();
    for (const { run } of tokenStoreChecks(() => new SharedStore(shared))) await run();
    expect([...shared.values.keys(), ...shared.locks.keys()]).to.deep.equal([]);
  });

  const TAKES_NOTHING: Fault = () => ({ set: () => Promise.resolve(undefined) });
  const LOCKS_NOTHING: Fault = () => ({ lock: () => Promise.resolve(undefined) });
  const [EXPIRY, TEXT] = [
    'lock — expires after its time, and not before',
    'get — reads any text as it was written',
  ];
  const messages: [message: string, title: string, fault: Fault | undefined][] = [
    [
      'a new key was refused',
      'keys — are told apart, also by case, space and accent',
      TAKES_NOTHING,
    ],
    ['the value was not written', TEXT, TAKES_NOTHING],
    [
      'get and set name different versions',
      TEXT,
      BROKEN['set — with the version that was read, replaces']?.[
        'names another version when it reads'
      ],
    ],
    ['a free lock was refused', 'lock — is held by one at a time', LOCKS_NOTHING],
    ['no caller got a free lock', 'lock — of many callers at once, goes to one', LOCKS_NOTHING],
    ['the lock expired before its time', EXPIRY, BROKEN[EXPIRY]?.['lets a lock expire too early']],
    ['the lock did not expire', EXPIRY, BROKEN[EXPIRY]?.['never lets a lock expire']],
  ];
  for (const [message, title, fault] of messages) {
    it(`a failure — says: ${message}`, async () => {
      const { shared } = new SharedStore();
      const open = () => Object.assign(new SharedStore(shared), fault?.(new SharedStore(shared)));
      const check = tokenStoreChecks(open).find((each) => each.title === title);
      const error = await rejection(check?.run() ?? Promise.resolve());
      expect(error.message.split('\n')[0]).to.equal(message);
    });
  }

  for (const [title, name] of [
    ['set — of many writers at once, lets one through', 'set'],
    ['lock — of many callers at once, goes to one', 'lock'],
  ] as const) {
    it(`"${title}" — uses both views alike`, async () => {
      const { shared } = new SharedStore();
      const calls: number[] = [];
      const open = () => {
        const view = new SharedStore(shared);
        const index = calls.push(0) - 1;
        const { [name]: act } = view as unknown as Record<string, (...all: unknown[]) => unknown>;
        const counting = (...all: unknown[]) => {
          calls[index] = (calls[index] ?? 0) + 1;
          return act?.apply(view, all);
        };
        return Object.assign(view, { [name]: counting });
      };
      await tokenStoreChecks(open)
        .find((each) => each.title === title)
        ?.run();
      const [one = 0, other = 0] = calls;
      expect(one).to.be.above(25);
      expect(Math.abs(one - other)).to.be.below(2);
    });
  }

  it('every check of a write — writes a text that would be missed', async () => {
    const { shared } = new SharedStore();
    const written: string[] = [];
    const open = () => {
      const view = new SharedStore(shared);
      const write = (key: string, value: string) => {
        written.push(value);
        return SharedStore.prototype.write.call(view, key, value);
      };
      const set = async (key: string, value: string, version?: string) => {
        written.push(value);
        return await SharedStore.prototype.set.call(view, key, value, version);
      };
      return Object.assign(view, { set, write });
    };
    for (const { title, run } of tokenStoreChecks(open)) if (title !== TEXT) await run();
    expect(written).to.have.lengthOf.above(100);
    expect(written).not.to.include('');
  });
});
