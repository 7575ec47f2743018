/** The store in memory, and the faults that the checks for any store notice. */
import { AssertionError } from 'node:assert';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { tokenStoreChecks } from '../../dist/testing/token-store-checks';
import { MemoryTokenStore } from '../../dist/index';
import type { StoredValue, TokenStore, Unlock } from '../../dist/index';

/** The data that two views share. */
interface Shared {
  values: Map<string, StoredValue>;
  locks: Map<string, { endsAt: number }>;
  writes: number;
}

/** Passes every check; a broken store differs from it in one operation. */
class SharedStore implements TokenStore {
  constructor(readonly shared: Shared) {}

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
    const version = String(this.shared.writes);
    this.shared.values.set(key, { value, version });
    return version;
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

type Store = new (shared: Shared) => TokenStore;

/** Each: the fault, a store that has it, and the check that must notice. */
const BROKEN: [string, Store, string][] = [
  [
    'writes whatever the version',
    class extends SharedStore {
      override async set(key: string, value: string) {
        return await Promise.resolve(this.write(key, value));
      }
    },
    'set — refuses an old version, and leaves the value alone',
  ],
  [
    'creates what is there',
    class extends SharedStore {
      override async set(key: string, value: string, version?: string) {
        if (version === undefined) return this.write(key, value);
        return await super.set(key, value, version);
      }
    },
    'set — without a version, creates only',
  ],
  [
    'looks in one step, and writes in another',
    class extends SharedStore {
      override async set(key: string, value: string, version?: string) {
        if (this.shared.values.get(key)?.version !== version) return undefined;
        await turn();
        return this.write(key, value);
      }
    },
    'set — of many writers at once, lets one through',
  ],
  [
    'takes the value for its version',
    class extends SharedStore {
      override write(key: string, value: string) {
        this.shared.values.set(key, { value, version: `v${value}` });
        return `v${value}`;
      }
    },
    'set — notices a value that was changed, and changed back',
  ],
  [
    'counts versions for each key anew',
    class extends SharedStore {
      override write(key: string, value: string) {
        const version = String(Number(this.shared.values.get(key)?.version ?? 0) + 1);
        this.shared.values.set(key, { value, version });
        return version;
      }
    },
    'set — refuses the version of a key deleted since',
  ],
  [
    'names another version when it reads',
    class extends SharedStore {
      override async get(key: string) {
        const stored = await super.get(key);
        return stored && { ...stored, version: `"${stored.version}"` };
      }
    },
    'set — with the version that was read, replaces',
  ],
  [
    'trims',
    class extends SharedStore {
      override write(key: string, value: string) {
        return super.write(key, value.trim());
      }
    },
    'get — reads any text as it was written',
  ],
  [
    'writes Latin-1',
    class extends SharedStore {
      override write(key: string, value: string) {
        return super.write(key, Buffer.from(value, 'latin1').toString('latin1'));
      }
    },
    'get — reads any text as it was written',
  ],
  [
    'takes an empty value for a missing one',
    class extends SharedStore {
      override async get(key: string) {
        const stored = await super.get(key);
        return stored?.value ? stored : undefined;
      }
    },
    'get — reads any text as it was written',
  ],
  [
    'finds null',
    class extends SharedStore {
      override async get(key: string) {
        return (await super.get(key)) ?? (null as unknown as undefined);
      }
    },
    'get — finds nothing under a new key',
  ],
  [
    'has keys of any case',
    class extends SharedStore {
      override async get(key: string) {
        return await super.get(key.toLowerCase());
      }
      override async set(key: string, value: string, version?: string) {
        return await super.set(key.toLowerCase(), value, version);
      }
    },
    'keys — are told apart, also by case, space and accent',
  ],
  [
    'cannot delete a missing key',
    class extends SharedStore {
      override async delete(key: string) {
        if (!this.shared.values.has(key)) throw new AssertionError({ message: 'no such row' });
        await super.delete(key);
      }
    },
    'delete — removes the key, also a second time',
  ],
  [
    'has locks of its own in each process',
    class extends SharedStore {
      constructor(shared: Shared) {
        super({ ...shared, locks: new Map() });
      }
      override write(key: string, value: string) {
        const version = `${Math.random()}`;
        this.shared.values.set(key, { value, version });
        return version;
      }
    },
    'lock — is held by one at a time',
  ],
  [
    'lets the holder lock again',
    class extends SharedStore {
      readonly #own = new Set<string>();
      override async lock(key: string, milliseconds: number) {
        if (this.#own.has(key)) return this.take(key, milliseconds);
        const unlock = await super.lock(key, milliseconds);
        if (unlock) this.#own.add(key);
        return unlock;
      }
    },
    'lock — is held by one at a time',
  ],
  [
    'looks at a lock in one step, and takes it in another',
    class extends SharedStore {
      override async lock(key: string, milliseconds: number) {
        if (this.isHeld(key)) return undefined;
        await turn();
        return this.take(key, milliseconds);
      }
    },
    'lock — of many callers at once, goes to one',
  ],
  [
    'lets many take over a lock that has ended',
    class extends SharedStore {
      override async lock(key: string, milliseconds: number) {
        if (this.isHeld(key)) return undefined;
        if (this.shared.locks.has(key)) await turn();
        return this.take(key, milliseconds);
      }
    },
    'lock — of many callers at once, goes to one',
  ],
  [
    'has one lock for all keys',
    class extends SharedStore {
      override async lock(key: string, milliseconds: number) {
        return await super.lock(key.slice(0, 'token store check '.length + 36), milliseconds);
      }
    },
    'lock — leaves other keys alone',
  ],
  [
    'deletes the lock with the value',
    class extends SharedStore {
      override async delete(key: string) {
        await super.delete(key);
        this.shared.locks.delete(key);
      }
    },
    'lock — and value of a key leave each other alone',
  ],
  [
    'never lets a lock expire',
    class extends SharedStore {
      override async lock(key: string) {
        return await super.lock(key, Infinity);
      }
    },
    'lock — expires after its time, and not before',
  ],
  [
    'lets a lock expire too early',
    class extends SharedStore {
      override async lock(key: string, milliseconds: number) {
        return await super.lock(key, milliseconds / 1000);
      }
    },
    'lock — expires after its time, and not before',
  ],
  [
    'releases the lock of any holder',
    class extends SharedStore {
      override take(key: string, milliseconds: number) {
        super.take(key, milliseconds);
        return async () => {
          this.shared.locks.delete(key);
          await turn();
        };
      }
    },
    'unlock — after its time, leaves the lock of the next holder alone',
  ],
  [
    'releases the lock of any holder before its own would expire',
    class extends SharedStore {
      override take(key: string, milliseconds: number) {
        super.take(key, milliseconds);
        const endsAt = performance.now() + milliseconds;
        return async () => {
          if (performance.now() < endsAt) this.shared.locks.delete(key);
          await turn();
        };
      }
    },
    'unlock — a second time, does nothing',
  ],
];

/** The titles of the checks that a store does not pass. */
async function failures(StoreClass: Store): Promise<string[]> {
  const shared: Shared = { values: new Map(), locks: new Map(), writes: 0 };
  const checks = tokenStoreChecks(() => new StoreClass(shared));
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
    expect(await failures(SharedStore)).to.deep.equal([]);
  });

  for (const [what, StoreClass, title] of BROKEN) {
    it(`a store that ${what} — fails at "${title}"`, async () => {
      expect(await failures(StoreClass)).to.include(title);
    });
  }

  it('every check — fails for one of these stores', () => {
    const titles = tokenStoreChecks(() => new MemoryTokenStore()).map(({ title }) => title);
    expect([...new Set(BROKEN.map(([, , title]) => title))]).to.have.members(titles);
  });

  it('a check — leaves nothing behind', async () => {
    const shared: Shared = { values: new Map(), locks: new Map(), writes: 0 };
    for (const { run } of tokenStoreChecks(() => new SharedStore(shared))) await run();
    expect([...shared.values.keys(), ...shared.locks.keys()]).to.deep.equal([]);
  });
});
