/** Keeps tokens in Redis, encrypted, for several processes and machines. */
import { randomUUID } from 'node:crypto';
import { SealedValues } from './sealed-values';
import type { StoredValue, TokenStore, Unlock } from './token-store';

/** The part that is used of a client of the package `redis` (4 to 6). You connect and close it. */
export interface RedisClient {
  get(key: string): Promise<string | null>;
  del(key: string): Promise<number>;
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

/** The part that is used of a client of the package `ioredis` (4 and 5). */
export interface IoredisClient {
  get(key: string): Promise<string | null>;
  del(key: string): Promise<number>;
  eval(script: string, numberOfKeys: number, ...keysAndValues: string[]): Promise<unknown>;
  defineCommand: unknown;
}

export interface RedisTokenStoreOptions {
  client: RedisClient | IoredisClient;
  /** Each of at least 32 characters; see {@link SealedValues} for how to change them. */
  secrets: readonly string[];
  /** In front of every name in Redis; default `crm-oauth2:`. Deployments with other secrets need another. */
  prefix?: string;
}

/** `GET` and `SET` in one step: Redis runs a script alone. An empty argument stands for a missing key. */
const SET_IF_UNCHANGED = `
local now = redis.call('GET', KEYS[1])
if (now or '') ~= ARGV[2] then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
return 1`;

/** A script, because the options of `set` differ between clients. An unknown option would take no lock. */
const LOCK = `
return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])`;

/** Compares the holder, because an expired lock may have another one. */
const UNLOCK = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`;

/**
 * Values are encrypted, and names are hashes. A lock has a random value and expires, and only its
 * holder releases it.
 *
 * For one Redis, or a cluster. With replicas, a failover may lose the last write, as Redis documents.
 *
 * @example
 * const store = new RedisTokenStore({ client: await createClient().connect(), secrets: [secret] });
 */
export class RedisTokenStore implements TokenStore {
  readonly #client: RedisClient | IoredisClient;
  readonly #values: SealedValues;
  readonly #prefix: string;

  /** @throws {TypeError} without a client that returns promises, or when a secret is too short */
  constructor({ client, secrets, prefix = 'crm-oauth2:' }: RedisTokenStoreOptions) {
    if (!returnsPromises(Object(client) as object)) {
      throw new TypeError(
        'RedisTokenStore: option "client" must be a client of the package "redis" (4 or later, without its legacy mode) or "ioredis"',
      );
    }
    this.#client = client;
    this.#values = new SealedValues(secrets);
    this.#prefix = prefix;
  }

  async get(key: string): Promise<StoredValue | undefined> {
    const sealed = await this.#client.get(this.#name('tokens', key));
    if (sealed === null) return undefined;
    // A sealed value is its own version, because no two sealings are alike.
    return { value: await this.#values.open(key, sealed), version: sealed };
  }

  async set(key: string, value: string, version: string | undefined): Promise<string | undefined> {
    const sealed = await this.#values.seal(key, value);
    const name = this.#name('tokens', key);
    const written = await this.#run(SET_IF_UNCHANGED, name, sealed, version ?? '');
    return written === 1 ? sealed : undefined;
  }

  async delete(key: string): Promise<void> {
    await this.#client.del(this.#name('tokens', key));
  }

  async lock(key: string, milliseconds: number): Promise<Unlock | undefined> {
    const name = this.#name('lock', key);
    const holder = randomUUID();
    // Redis takes whole milliseconds only.
    const taken = await this.#run(LOCK, name, holder, String(Math.ceil(milliseconds)));
    if (taken === null) return undefined;
    return async () => {
      await this.#run(UNLOCK, name, holder);
    };
  }

  async #run(script: string, name: string, ...values: string[]): Promise<unknown> {
    const client = this.#client;
    return await ('defineCommand' in client
      ? client.eval(script, 1, name, ...values)
      : client.eval(script, { keys: [name], arguments: values }));
  }

  #name(kind: 'tokens' | 'lock', key: string): string {
    return `${this.#prefix}${kind}:${this.#values.nameOf(key)}`;
  }
}

/** Clients of `redis` up to 3, and those of a legacy mode, take a callback instead. They have no `connect`. */
function returnsPromises(client: object): boolean {
  const has = (name: string) => typeof Reflect.get(client, name) === 'function';
  const isLegacy = (has('sendCommand') || has('send_command')) && !has('connect');
  const options: unknown = Reflect.get(client, 'options');
  const { legacyMode } = Object(options) as { legacyMode?: unknown };
  return ['get', 'del', 'eval'].every(has) && !isLegacy && legacyMode !== true;
}
