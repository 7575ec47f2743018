import { randomUUID } from 'node:crypto';
import { SealedValues } from './sealed-values';
import type { StoredValue, TokenStore, Unlock } from './token-store';

/** What is used of a client of the package `redis` (4 to 6): connected, and closed, by you. */
export interface RedisClient {
  get(key: string): Promise<string | null>;
  del(key: string): Promise<number>;
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

export interface RedisTokenStoreOptions {
  client: RedisClient;
  /** Each of at least 32 characters; see {@link SealedValues} for how to change them. */
  secrets: readonly string[];
  /** In front of every name in Redis; default `crm-oauth2:`. */
  prefix?: string;
}

/** `GET` and `SET` in one step (Redis runs a script alone). An empty argument: there is no such key. */
const SET_IF_UNCHANGED = `
local now = redis.call('GET', KEYS[1])
if (now or '') ~= ARGV[2] then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
return 1`;

/** A script, since the options of `set` differ between clients: one unknown would be no lock at all. */
const LOCK = `
return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])`;

/** Only the holder: after its time a lock may be somebody else's. */
const UNLOCK = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`;

/**
 * Tokens in Redis, for several processes and machines. Values are encrypted and names are hashes;
 * locks have a random value, end by themselves, and are released by their holder only.
 *
 * One Redis, or a cluster; with replicas, a failover may lose the last write, as Redis documents.
 *
 * @example
 * const store = new RedisTokenStore({ client: await createClient().connect(), secrets: [secret] });
 */
export class RedisTokenStore implements TokenStore {
  readonly #client: RedisClient;
  readonly #values: SealedValues;
  readonly #prefix: string;

  /** @throws {TypeError} without a client, or when a secret is too short */
  constructor({ client, secrets, prefix = 'crm-oauth2:' }: RedisTokenStoreOptions) {
    // ioredis has an `eval` too, with other arguments.
    const isForeign = typeof Reflect.get(Object(client), 'defineCommand') === 'function';
    if (isForeign || typeof Reflect.get(Object(client), 'eval') !== 'function') {
      throw new TypeError(
        'RedisTokenStore: option "client" must be a client of the package "redis"',
      );
    }
    this.#client = client;
    this.#values = new SealedValues(secrets);
    this.#prefix = prefix;
  }

  async get(key: string): Promise<StoredValue | undefined> {
    const sealed = await this.#client.get(this.#name('tokens', key));
    if (sealed === null) return undefined;
    // What was read is its own version: no two sealings are alike.
    return { value: await this.#values.open(key, sealed), version: sealed };
  }

  async set(key: string, value: string, version: string | undefined): Promise<string | undefined> {
    const sealed = await this.#values.seal(key, value);
    const written = await this.#client.eval(SET_IF_UNCHANGED, {
      keys: [this.#name('tokens', key)],
      arguments: [sealed, version ?? ''],
    });
    return written === 1 ? sealed : undefined;
  }

  async delete(key: string): Promise<void> {
    await this.#client.del(this.#name('tokens', key));
  }

  async lock(key: string, milliseconds: number): Promise<Unlock | undefined> {
    const name = this.#name('lock', key);
    const holder = randomUUID();
    const taken = await this.#client.eval(LOCK, {
      keys: [name],
      // Redis knows whole milliseconds only.
      arguments: [holder, String(Math.ceil(milliseconds))],
    });
    if (taken === null) return undefined;
    return async () => {
      await this.#client.eval(UNLOCK, { keys: [name], arguments: [holder] });
    };
  }

  #name(kind: 'tokens' | 'lock', key: string): string {
    return `${this.#prefix}${kind}:${this.#values.nameOf(key)}`;
  }
}
