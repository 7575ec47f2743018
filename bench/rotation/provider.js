/**
 * A strict provider that speaks like Salesloft: every refresh rotates, and a refresh token that comes
 * twice ends the grant with all its tokens. It logs each request and the worker that sent it.
 *
 * A token is `<kind>-<grant>-<generation>`, so that a look-up costs nothing. Nothing here guesses tokens.
 */
'use strict';
const http = require('node:http');
const { setTimeout: sleep } = require('node:timers/promises');

const { ttl, revokeOld } = JSON.parse(process.argv[2]);
const LIFETIME_MS = ttl * 1000;

/** A token of this age needs no refresh: the library refreshes at half life. */
const YOUNG_MS = LIFETIME_MS / 4;

/** The longest time from a token request to its answer. The rotation happens somewhere between. */
const SLOWEST_MS = 20;

/** @type {{ person: number, revokedAt: number, generations: Generation[] }[]} */
const grants = [];
/**
 * @typedef {object} Generation
 * @property {number} issuedAt
 * @property {string} by the worker that asked for it
 * @property {number} answeredAt when it was sent, or would have been
 * @property {number} usedAt when the first one came with its token: it was in the store by then
 * @property {boolean} cutOff true if the worker that wanted to refresh it was killed before that
 */

/** The last grant of each person. */
const grantOf = new Map();

const log = {
  /** Refreshes that gave a new pair, and those among them of a generation that was cut off before. */
  accepted: 0,
  recovered: 0,
  /** Refreshes of a generation so young that they were not needed. */
  early: 0,
  /** Refresh requests whose sender was gone before the rotation, and before the answer. */
  cutOffBefore: 0,
  cutOffAfter: 0,
  /** Refreshes with a refresh token of a grant that had ended. */
  ofEndedGrant: 0,
  /** @type {object[]} each refresh token that came twice, which ends its grant */
  replays: [],
  /** API requests, by what the token was. */
  good: 0,
  dead: 0,
  diedOnTheWay: 0,
  /** Those with an older token than one that was in use before it was asked for. */
  stale: 0,
};

/** The moment of a token request at which the runner wants to kill the sender. */
let awaited;

/** A killed process ends some milliseconds later. Its request waits for that. */
const DEATH_MS = 200;

async function reach(moment, worker) {
  if (moment !== awaited) return;
  awaited = undefined;
  process.send({ answering: worker, moment });
  await sleep(DEATH_MS);
}

/** @returns the grant and the number of the generation, from a token */
function read(token = '') {
  const [, grant, generation] = /-(\d+)-(\d+)$/.exec(token) ?? [];
  return { grant: grants[grant], id: Number(grant), generation: Number(generation) };
}

function issue(id, by) {
  const { generations } = grants[id];
  const generation = {
    issuedAt: Date.now(),
    by,
    answeredAt: Infinity,
    usedAt: Infinity,
    cutOff: false,
  };
  generations.push(generation);
  const name = `${id}-${generations.length - 1}`;
  return {
    access_token: `at-${name}`,
    refresh_token: `rt-${name}`,
    token_type: 'bearer',
    expires_in: ttl,
  };
}

/** A new grant, for a person who has no good one. */
function signIn({ person }) {
  const last = grantOf.get(person);
  if (last !== undefined && grants[last].revokedAt === Infinity) {
    return [
      409,
      { hasLost: grants.some((grant) => grant.person === person && grant.revokedAt < Infinity) },
    ];
  }
  const id = grants.push({ person, revokedAt: Infinity, generations: [] }) - 1;
  grantOf.set(person, id);
  return [200, issue(id, 'sign-in')];
}

async function refresh({ refresh_token: token }, worker, res) {
  await reach('received', worker);
  const slow = 1 + Math.random() * (SLOWEST_MS - 1);
  const before = Math.random() * slow;
  await sleep(before);
  const { grant, id, generation } = read(token);
  const current = grant?.generations[generation];
  if (!current) return [400, { error: 'invalid_grant' }];
  if (res.destroyed) {
    log.cutOffBefore += 1;
    current.cutOff = true;
    return undefined;
  }
  if (grant.revokedAt < Infinity) {
    log.ofEndedGrant += 1;
    return [400, { error: 'invalid_grant' }];
  }
  const next = grant.generations[generation + 1];
  if (next) {
    grant.revokedAt = Date.now();
    log.replays.push({
      at: grant.revokedAt,
      first: next.by,
      answeredAt: next.answeredAt,
      isUsed: next.usedAt < Infinity || grant.generations.length > generation + 2,
    });
    return [400, { error: 'invalid_grant' }];
  }
  log.accepted += 1;
  if (current.cutOff) log.recovered += 1;
  if (Date.now() - current.issuedAt < YOUNG_MS) log.early += 1;
  const pair = issue(id, worker);
  await reach('rotated', worker);
  await sleep(slow - before);
  grant.generations[generation + 1].answeredAt = Date.now();
  if (res.destroyed) log.cutOffAfter += 1;
  return [200, pair];
}

/** `x-asked` and `x-given` are the times at which the worker asked the library for this token, and got it. */
function api(headers) {
  const { grant, generation } = read(headers.authorization);
  const asked = Number(headers['x-asked']);
  const given = Number(headers['x-given']);
  const now = Date.now();
  const own = grant.generations[generation];
  const next = grant.generations[generation + 1];
  own.usedAt = Math.min(own.usedAt, now);
  const isStale = next !== undefined && asked > next.usedAt;
  if (isStale) log.stale += 1;
  const endsAt = Math.min(own.issuedAt + LIFETIME_MS, grant.revokedAt);
  const isReplaced = revokeOld && next !== undefined;
  if (now < endsAt && !isReplaced) {
    log.good += 1;
    return [200, {}];
  }
  // Only the worker that has just refreshed can know that the token was replaced.
  if (given >= endsAt || (isReplaced && isStale)) log.dead += 1;
  else log.diedOnTheWay += 1;
  return [401, { error: 'invalid_token' }];
}

async function answer(req, res) {
  let body = '';
  for await (const chunk of req) body += chunk;
  const worker = req.headers['x-worker'];
  let result;
  if (req.url === '/api') result = api(req.headers);
  else if (req.url === '/sign-in') result = signIn(JSON.parse(body));
  else result = await refresh(JSON.parse(body), worker, res);
  if (!result || res.destroyed) return;
  const [status, json] = result;
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
  if (req.url === '/token') await reach('answered', worker);
}

const server = http.createServer((req, res) => {
  // The sender was killed while it was sending.
  answer(req, res).catch(() => res.destroy());
});
// Closing a connection while a worker writes to it would be a fault of this program.
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));

process.on('message', (message) => {
  if (message.await) awaited = message.await;
  if (message.tell) process.send({ log });
});
// Ctrl-C reaches every process. The runner decides when they end.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => {
  server.close();
  server.closeAllConnections();
});
