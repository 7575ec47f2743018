/**
 * A strict provider in the words of Salesloft: every refresh rotates, and a refresh token that comes
 * twice ends the grant with all its tokens. It keeps a log of what it was asked, by whom.
 *
 * A token is `<kind>-<grant>-<generation>`: with nobody to guess one, a look-up costs nothing.
 */
'use strict';
const http = require('node:http');
const { setTimeout: sleep } = require('node:timers/promises');

const { ttl, revokeOld } = JSON.parse(process.argv[2]);
const LIFETIME = ttl * 1000;

/** No token of this age needs another one: the library renews at half life. */
const YOUNG = LIFETIME / 4;

/** Milliseconds from a token request to its answer; the rotation is somewhere between. */
const SLOWEST = 20;

/** @type {{ person: number, revokedAt: number, generations: Generation[] }[]} */
const grants = [];
/**
 * @typedef {object} Generation
 * @property {number} issuedAt
 * @property {string} by the worker that asked for it
 * @property {number} answeredAt when it was told, or would have been
 * @property {number} usedAt when the first one came with its token: it was in the store by then
 * @property {boolean} cutOff whoever wanted to refresh it was killed before it was
 */

/** The last grant of each person. */
const grantOf = new Map();

const log = {
  /** Refreshes that gave a new pair, and those among them of a generation that was cut off before. */
  accepted: 0,
  recovered: 0,
  /** Of a generation so young that nobody can have needed it. */
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

/** The moment of a token request at which the runner wants to be told, so as to kill its sender. */
let awaited;

/** A process takes some milliseconds to die: the request that it dies in waits for that. */
const DEATH = 200;

async function reach(moment, worker) {
  if (moment !== awaited) return;
  awaited = undefined;
  process.send({ answering: worker, moment });
  await sleep(DEATH);
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

/** A new grant, for a person who has none that is good. */
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
  const slow = 1 + Math.random() * (SLOWEST - 1);
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
  if (Date.now() - current.issuedAt < YOUNG) log.early += 1;
  const pair = issue(id, worker);
  await reach('rotated', worker);
  await sleep(slow - before);
  grant.generations[generation + 1].answeredAt = Date.now();
  if (res.destroyed) log.cutOffAfter += 1;
  return [200, pair];
}

/** `x-asked` and `x-given` say when the worker asked the library for this token, and got it. */
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
  const endsAt = Math.min(own.issuedAt + LIFETIME, grant.revokedAt);
  const isReplaced = revokeOld && next !== undefined;
  if (now < endsAt && !isReplaced) {
    log.good += 1;
    return [200, {}];
  }
  // Nobody but the one who has just refreshed can know that a token was replaced.
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
  // The sender was killed while it was still sending.
  answer(req, res).catch(() => res.destroy());
});
// A connection closed by us just as a worker writes to it would be a fault of this program.
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));

process.on('message', (message) => {
  if (message.await) awaited = message.await;
  if (message.tell) process.send({ log });
});
// Ctrl-C goes to everybody; the runner says when it is over.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => {
  server.close();
  server.closeAllConnections();
});
