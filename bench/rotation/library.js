/** The library under proof, as an application uses it: a client, a store in Redis, a key for each person. */
'use strict';
const { OAuth2Client, RedisTokenStore, userTokens } = require('crm-oauth2');
const { salesloft } = require('passport-salesloft');
const { createClient } = require('redis');

/** For invented tokens, in a Redis that ends with the run. */
const SECRETS = ['a secret of 32 characters or more'];

/**
 * @param {{ origin: string, redis: string, timeout: number }} where
 * @param {string} worker goes with each token request, so that the provider knows who asked
 */
async function connect({ origin, redis: path, timeout }, worker) {
  const client = new OAuth2Client(salesloft, {
    clientID: 'client-1',
    clientSecret: 'secret-1',
    authorizationURL: `${origin}/authorize`,
    tokenURL: `${origin}/token`,
    profileURL: `${origin}/api`,
    customHeaders: { 'x-worker': worker },
    timeout,
  });
  const redis = createClient({ socket: { path } });
  // The client connects again by itself. Calls that fail meanwhile are counted.
  redis.on('error', () => undefined);
  await redis.connect();
  const store = new RedisTokenStore({ client: redis, secrets: SECRETS });
  return {
    /** Counts the calls of all processes. */
    count: async () => await redis.incr('count'),
    tokensOf: (person) => userTokens(client, { store, key: `person-${person}` }),
    close: async () => {
      client.close();
      await redis.close();
    },
  };
}

module.exports = { connect };
