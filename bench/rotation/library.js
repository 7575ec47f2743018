/**
 * The library under proof, as an application uses it: a client, a store in Redis, a key for each person.
 * A journal notes when each lock was taken, and when the write of each new pair began and ended.
 */
'use strict';
const { createRequire } = require('node:module');
const { join } = require('node:path');

/** The client of the package `redis`, without its modules, which take most of the time to start a worker. */
const { createClient } = createRequire(require.resolve('redis'))('@redis/client');

/** For invented tokens, in a Redis that ends with the run. */
const SECRETS = ['a secret of 32 characters or more'];

/** Pauses between two attempts to reach a Redis that is away. */
const RECONNECT_MS = 100;

const personOf = (key) => Number(/person-(\d+)/.exec(key)?.[1]);

/** @returns the grant and the number of the generation, from an access token */
function read(token) {
  const [, grant, generation] = /-(\d+)-(\d+)$/.exec(token) ?? [];
  return { grant: Number(grant), generation: Number(generation) };
}

/** A client of Redis that notes each command as it is sent. */
function notingClient(redis, note) {
  return new Proxy(redis, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...args) => {
        note(...args);
        return value.apply(target, args);
      };
    },
  });
}

/**
 * @param storeOf makes a store with a client that calls its parameter as each command is sent
 * @param reach is told the moments `locked`, `read` and `begun` of a refresh, and may hold the process up
 */
function observedStore(storeOf, journal, reach) {
  const plain = storeOf(() => undefined);
  /** The keys that have just been locked: the next read is under the lock. */
  const locked = new Set();
  const get = async (key) => {
    const isUnderLock = locked.delete(key);
    const stored = await plain.get(key);
    if (isUnderLock) await reach('read', personOf(key));
    return stored;
  };
  const write = async (key, value, version) => {
    const { accessToken, refresh } = JSON.parse(value);
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
  };
  const lock = async (key, milliseconds) => {
    const askedAt = Date.now();
    let sent;
    const store = storeOf((_script, options) => (sent ??= options));
    const unlock = await store.lock(key, milliseconds);
    if (!unlock) return undefined;
    const [name] = sent.keys;
    const [holder] = sent.arguments;
    journal.write('lock', askedAt, Date.now(), personOf(key), name, holder);
    await reach('locked', personOf(key));
    locked.add(key);
    return async () => {
      journal.write('unlock', Date.now(), holder);
      await unlock();
      journal.write('unlocked', holder);
    };
  };
  return {
    get,
    set: write,
    delete: async (key) => await plain.delete(key),
    lock,
  };
}

/**
 * @param {{ tokens: string, api: string, redis: string, timeout: number, folder: string }} where
 * @param {string} worker goes with each token request, so that the provider knows who asked
 */
async function connect(where, worker, journal, reach = () => Promise.resolve()) {
  const load = createRequire(join(where.folder, 'index.js'));
  const { OAuth2Client, RedisTokenStore, authorizedFetch, userTokens } = load('crm-oauth2');
  const { salesloft } = load('passport-salesloft');
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
    socket: { path: where.redis, reconnectStrategy: () => RECONNECT_MS },
  });
  // The client connects again by itself. Calls that fail meanwhile are counted.
  redis.on('error', () => undefined);
  await redis.connect();
  const storeOf = (note) =>
    new RedisTokenStore({ client: notingClient(redis, note), secrets: SECRETS });
  const store = observedStore(storeOf, journal, reach);
  return {
    redis,
    authorizedFetch: (source, options) =>
      authorizedFetch({ provider: salesloft, ...source }, { baseURL: where.api, ...options }),
    tokensOf: (person) => userTokens(client, { store, key: `person-${person}` }),
    close: async () => {
      client.close();
      await redis.close();
    },
  };
}

module.exports = { connect, read };
