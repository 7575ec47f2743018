/**
 * The library under proof, as an application uses it: a client, a store in Redis, a key for each person.
 * A journal notes when each lock was taken, and when the write of each new pair began and ended.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type * as Core from 'crm-oauth2';
import type {
  AuthorizedFetchOptions,
  RedisClient,
  TokenSource,
  TokenStore,
  UserTokens,
} from 'crm-oauth2';
import type * as Salesloft from 'passport-salesloft';
import type * as Redis from 'redis';
import type { Journal } from './journal';

/** The client of the package `redis`, without its modules, which take most of the time to start a worker. */
const { createClient } = createRequire(require.resolve('redis'))('@redis/client') as Pick<
  typeof Redis,
  'createClient'
>;

/** For invented tokens, in a Redis that ends with the run. */
const SECRETS = ['a secret of 32 characters or more'];

/** Pauses between two attempts to reach a Redis that is away. */
const RECONNECT_MS = 100;

/** Where the processes of a run find each other. */
export interface Where {
  /** The origins of the provider's token endpoint, and of its API. */
  tokens: string;
  api: string;
  /** The socket of Redis. */
  redis: string;
  /** Milliseconds. */
  timeout: number;
  /** The folder whose `node_modules` has the library. */
  folder: string;
  journals: string;
  pauses: string;
}

export type Moment = 'locked' | 'read' | 'begun';
/** May hold the process up. */
type Reach = (moment: Moment, person: number) => Promise<void>;

/** The parameters of a command, as it is sent. */
type Note = (script: unknown, options: { keys: string[]; arguments: string[] }) => void;
type StoreOf = (note: Note) => TokenStore;

export interface Library {
  authorizedFetch(
    source: TokenSource,
    options: Partial<AuthorizedFetchOptions>,
  ): Core.AuthorizedFetch;
  tokensOf(person: number): UserTokens;
  close(): Promise<void>;
}

const personOf = (key: string) => Number(/person-(\d+)/.exec(key)?.[1]);

/** @returns the grant and the number of the generation, from an access token */
export function read(token: string): { grant: number; generation: number } {
  const [, grant, generation] = /-(\d+)-(\d+)$/.exec(token) ?? [];
  return { grant: Number(grant), generation: Number(generation) };
}

/** A client of Redis that notes each command as it is sent. */
function notingClient(redis: RedisClient, note: Note): RedisClient {
  return new Proxy(redis, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...parameters: unknown[]) => {
        (note as (...all: unknown[]) => void)(...parameters);
        return Reflect.apply(value, target, parameters) as unknown;
      };
    },
  });
}

/**
 * @param storeOf makes a store with a client that calls its parameter as each command is sent
 * @param reach is told the moments of a refresh
 */
function observedStore(storeOf: StoreOf, journal: Journal, reach: Reach): TokenStore {
  const plain = storeOf(() => undefined);
  /** The keys that have just been locked: the next read is under the lock. */
  const locked = new Set<string>();
  return {
    async get(key) {
      const isUnderLock = locked.delete(key);
      const stored = await plain.get(key);
      if (isUnderLock) await reach('read', personOf(key));
      return stored;
    },
    async set(key, value, version) {
      const { accessToken, refresh } = JSON.parse(value) as {
        accessToken: string;
        refresh?: string;
      };
      if (refresh !== undefined) {
        const next = await plain.set(key, value, version);
        if (next !== undefined && refresh === 'begun') await reach('begun', personOf(key));
        return next;
      }
      const { grant, generation } = read(accessToken);
      const note = () => journal.write('sent', Date.now(), grant, generation);
      const next = await storeOf(note).set(key, value, version);
      if (next !== undefined) journal.write('stored', Date.now(), grant, generation);
      return next;
    },
    delete: async (key) => await plain.delete(key),
    async lock(key, milliseconds) {
      const askedAt = Date.now();
      let sent: { keys: string[]; arguments: string[] } | undefined;
      const store = storeOf((_script, options) => (sent ??= options));
      const unlock = await store.lock(key, milliseconds);
      if (!unlock) return undefined;
      const [name = ''] = sent?.keys ?? [];
      const [holder = ''] = sent?.arguments ?? [];
      journal.write('lock', askedAt, Date.now(), personOf(key), name, holder);
      await reach('locked', personOf(key));
      locked.add(key);
      return async () => {
        journal.write('unlock', Date.now(), holder);
        await unlock();
        journal.write('unlocked', holder);
      };
    },
  };
}

/** @param worker goes with each token request, so that the provider knows who asked */
export async function connect(
  where: Where,
  worker: string,
  journal: Journal,
  reach: Reach = async () => {},
): Promise<Library> {
  const load = createRequire(join(where.folder, 'index.js'));
  const { OAuth2Client, RedisTokenStore, authorizedFetch, userTokens } = load(
    'crm-oauth2',
  ) as typeof Core;
  const { salesloft } = load('passport-salesloft') as typeof Salesloft;
  const client = new OAuth2Client(salesloft, {
    clientID: 'client-1',
    clientSecret: 'secret-1',
    authorizationURL: `${where.tokens}/authorize`,
    tokenURL: `${where.tokens}/token`,
    profileURL: `${where.api}/api`,
    customHeaders: { 'x-worker': worker },
    timeout: where.timeout,
  });
  const redis = createClient({
    socket: { path: where.redis, tls: false, reconnectStrategy: () => RECONNECT_MS },
  });
  // The client connects again by itself. Calls that fail meanwhile are counted.
  redis.on('error', () => undefined);
  await redis.connect();
  const storeOf: StoreOf = (note) =>
    new RedisTokenStore({ client: notingClient(redis, note), secrets: SECRETS });
  const store = observedStore(storeOf, journal, reach);
  return {
    authorizedFetch: (source, options) =>
      authorizedFetch({ provider: salesloft, ...source }, { baseURL: where.api, ...options }),
    tokensOf: (person) => userTokens(client, { store, key: `person-${person}` }),
    close: async () => {
      client.close();
      await redis.close();
    },
  };
}
