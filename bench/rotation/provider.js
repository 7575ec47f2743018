/**
 * A strict provider that speaks like Salesloft: every refresh rotates, and a refresh token that comes
 * twice ends the grant with all its tokens. It logs each request and the worker that sent it. Now and then
 * it is slow, answers with an error, or closes a connection.
 *
 * A token is `<kind>-<grant>-<generation>`, so that a look-up costs nothing. Nothing here guesses tokens.
 */
'use strict';
const http = require('node:http');
const { setTimeout: sleep } = require('node:timers/promises');
const { Lateness } = require('./lateness');

const { ttl, timeout, keys, revokeOld } = JSON.parse(process.argv[2]);
const LIFETIME_MS = ttl * 1000;

/** A token of this age needs no refresh: the library refreshes at half life. */
const YOUNG_MS = LIFETIME_MS / 4;

/** The longest time from a token request to its answer. The rotation happens somewhere between. */
const SLOWEST_MS = 20;

/** A slow answer takes these parts of the client's timeout; a late one comes when the client has gone. */
const SLOW = [0.8, 0.9];
const LATE = [1.1, 1.3];

/** An idle connection for token requests is closed after this time, which is announced to no client. */
const IDLE_MS = 500;

/** Every so many refreshes meet a fault, each kind in turn. */
const FAULT_EVERY = 15;
const FAULTS = ['slow', 'late', '502', '503', 'closed', '502 after rotation', 'cut after rotation'];

/** Of the refreshes for which several workers meet, every so many are slow. */
const SLOW_MEETING_EVERY = 3;

/** A killed process ends some milliseconds later. Its request waits for that. */
const DEATH_MS = 200;

/** @type {{ person: number, revokedAt: number, generations: Generation[] }[]} */
const grants = [];
/**
 * @typedef {object} Generation
 * @property {string} by the worker that asked for it
 * @property {number} receivedAt when its request came
 * @property {number} issuedAt
 * @property {number | null} answeredAt when it was sent; null for an answer that never left
 * @property {number} lifetime milliseconds
 * @property {string} [fault]
 * @property {number | null} usedAt when the first request came with its token: it was in the store by then
 * @property {boolean} cutOff true if the worker that wanted to refresh it was killed before that
 */

/** The last grant of each person. */
const grantOf = new Map();

const log = {
  grants,
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
  /** Each refresh token that came twice, which ends its grant: the generation that it had given. */
  replays: [],
  /** Each fault: its kind, its person, and when its request came. */
  faults: [],
  closedIdle: 0,
  /** API requests, by what the token was. */
  good: 0,
  dead: [],
  diedOnTheWay: 0,
  /** Those with an older token than one that was in use before it was asked for. */
  stale: 0,
  stalls: [],
  delay: { p99: 0, max: 0 },
  isClockSet: false,
};

const lateness = new Lateness((from, to) => log.stalls.push({ from, to }));

/** No fault begins from this time on, and those that take long end before it. */
let calmAt = Infinity;
let refreshes = 0;
let meetings = 0;
/** Answers that are held back. */
const underWay = new Set();

/** The moment of a token request at which the runner wants to kill the sender. */
let awaited;

async function reach(moment, worker) {
  if (moment !== awaited) return;
  awaited = undefined;
  process.send({ answering: worker, moment });
  await sleep(DEATH_MS);
}

const between = ([from, to]) => from + Math.random() * (to - from);

/** The fault that a refresh of this person meets. People who meet have keys beyond `keys`. */
function faultFor(person) {
  const now = Date.now();
  if (now >= calmAt) return undefined;
  let kind;
  if (person >= keys) {
    meetings += 1;
    if (meetings % SLOW_MEETING_EVERY === 0) kind = 'slow';
  } else {
    refreshes += 1;
    if (refreshes % FAULT_EVERY === 0) kind = FAULTS[(refreshes / FAULT_EVERY) % FAULTS.length];
  }
  const isLong = kind === 'slow' || kind === 'late';
  if (kind === undefined || (isLong && now + LATE[1] * timeout >= calmAt)) return undefined;
  log.faults.push({ kind, person, at: now });
  return kind;
}

/** @returns the grant and the number of the generation, from a token */
function read(token = '') {
  const [, grant, generation] = /-(\d+)-(\d+)$/.exec(token) ?? [];
  return { grant: grants[grant], id: Number(grant), generation: Number(generation) };
}

function issue(id, by, { receivedAt = Date.now(), lifetime = LIFETIME_MS, fault } = {}) {
  const { generations } = grants[id];
  const generation = {
    by,
    receivedAt,
    issuedAt: Date.now(),
    answeredAt: null,
    lifetime,
    fault,
    usedAt: null,
    cutOff: false,
  };
  generations.push(generation);
  const name = `${id}-${generations.length - 1}`;
  return {
    access_token: `at-${name}`,
    refresh_token: `rt-${name}`,
    token_type: 'bearer',
    expires_in: lifetime / 1000,
  };
}

/** A new grant, for a person who has no good one. */
function signIn({ person, lifetime }) {
  const last = grantOf.get(person);
  if (last !== undefined && grants[last].revokedAt === null) {
    return [
      409,
      { hasLost: grants.some((grant) => grant.person === person && grant.revokedAt !== null) },
    ];
  }
  const id = grants.push({ person, revokedAt: null, generations: [] }) - 1;
  grantOf.set(person, id);
  return [200, issue(id, 'sign-in', { lifetime })];
}

/** The answers and ends of a request at which the provider does not look. */
function refuse(fault, req) {
  if (fault === '502') return [502, 'Bad Gateway'];
  if (fault === '503') return [503, 'Service Unavailable', { 'retry-after': '1' }];
  if (fault === 'closed') req.socket.resetAndDestroy();
  return undefined;
}

/** Ends the grant of a refresh token that came twice. */
function endGrant(id, generation, receivedAt) {
  const grant = grants[id];
  grant.revokedAt = Date.now();
  const next = grant.generations[generation + 1];
  log.replays.push({
    grant: id,
    generation: generation + 1,
    receivedAt,
    isUsed: next.usedAt !== null || grant.generations.length > generation + 2,
  });
  return [400, { error: 'invalid_grant' }];
}

async function refresh({ refresh_token: token }, req, res) {
  const worker = req.headers['x-worker'];
  const receivedAt = Date.now();
  const { grant, id, generation } = read(token);
  const current = grant?.generations[generation];
  if (!current) return [400, { error: 'invalid_grant' }];
  const fault = faultFor(grant.person);
  if (['502', '503', 'closed'].includes(fault)) return refuse(fault, req);

  await reach('received', worker);
  const normal = 1 + Math.random() * (SLOWEST_MS - 1);
  const before = Math.random() * normal;
  await sleep(before);
  if (res.destroyed) {
    log.cutOffBefore += 1;
    current.cutOff = true;
    return undefined;
  }
  if (grant.revokedAt !== null) {
    log.ofEndedGrant += 1;
    return [400, { error: 'invalid_grant' }];
  }
  if (grant.generations[generation + 1]) return endGrant(id, generation, receivedAt);
  log.accepted += 1;
  if (current.cutOff) log.recovered += 1;
  const isYoung = Date.now() - current.issuedAt < Math.min(YOUNG_MS, current.lifetime / 4);
  if (isYoung) log.early += 1;
  const pair = issue(id, worker, { receivedAt, fault });
  await reach('rotated', worker);
  return await answerRotated(pair, grant.generations[generation + 1], normal - before, req, res);
}

/** Answers with the new pair, sooner or later, or never. */
async function answerRotated(pair, generation, normal, req, res) {
  const { fault } = generation;
  if (fault === '502 after rotation') return [502, 'Bad Gateway'];
  if (fault === 'cut after rotation') {
    req.socket.resetAndDestroy();
    return undefined;
  }
  const part = { slow: SLOW, late: LATE }[fault];
  underWay.add(generation);
  await sleep(part ? between(part) * timeout : normal);
  underWay.delete(generation);
  generation.answeredAt = Date.now();
  if (res.destroyed) log.cutOffAfter += 1;
  return [200, pair];
}

/** `x-asked` and `x-given` are the times at which the worker asked the library for this token, and got it. */
function callApi(headers) {
  const { grant, id, generation } = read(headers.authorization);
  const asked = Number(headers['x-asked']);
  const given = Number(headers['x-given']);
  const now = Date.now();
  const own = grant.generations[generation];
  const next = grant.generations[generation + 1];
  own.usedAt ??= now;
  const isStale = (next?.usedAt ?? null) !== null && asked > next.usedAt;
  if (isStale) log.stale += 1;
  const endsAt = own.issuedAt + own.lifetime;
  const isReplaced = revokeOld && next !== undefined;
  if (now < endsAt && grant.revokedAt === null && !isReplaced) {
    log.good += 1;
    return [200, {}];
  }
  // Only the worker that has just refreshed can know that the token was replaced.
  const isEnded = given >= endsAt;
  const isDead = isEnded || given >= (grant.revokedAt ?? Infinity) || (isReplaced && isStale);
  if (isDead) log.dead.push({ grant: id, generation, isEnded, given, by: headers['x-worker'] });
  else log.diedOnTheWay += 1;
  return [401, { error: 'invalid_token' }];
}

async function answer(req, res) {
  let body = '';
  for await (const chunk of req) body += chunk;
  let result;
  if (req.url === '/api') result = callApi(req.headers);
  else if (req.url === '/sign-in') result = signIn(JSON.parse(body));
  else result = await refresh(JSON.parse(body), req, res);
  if (!result || res.destroyed) return;
  const [status, content, headers] = result;
  const isText = typeof content === 'string';
  res.writeHead(status, {
    'content-type': isText ? 'text/plain' : 'application/json',
    // In place of the header that Node adds, which would announce IDLE_MS.
    connection: 'keep-alive',
    ...headers,
  });
  res.end(isText ? content : JSON.stringify(content));
  if (req.url === '/token') await reach('answered', req.headers['x-worker']);
}

/** @param idle milliseconds after which an idle connection is closed; 0 for never */
async function listen(idle) {
  const server = http.createServer((req, res) => {
    // The sender was killed while it was sending.
    answer(req, res).catch(() => res.destroy());
  });
  server.keepAliveTimeout = idle;
  server.on('timeout', (socket) => {
    log.closedIdle += 1;
    socket.destroy();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** Waits until every answer that was held back has left. */
async function drained() {
  while (underWay.size > 0) await sleep(SLOWEST_MS);
}

async function main() {
  // The requests of the runner and of the API meet no fault.
  const servers = [await listen(IDLE_MS), await listen(0)];
  const [tokens, api] = servers.map((server) => `http://127.0.0.1:${server.address().port}`);
  process.on('message', (message) => {
    if (message.await) awaited = message.await;
    if (message.calmAt) ({ calmAt } = message);
    if (message.drain) void drained().then(() => process.send({ drained: true }));
    if (message.tell) {
      const { delay, isClockSet } = lateness;
      process.send({ log: { ...log, delay, isClockSet } });
    }
  });
  process.on('disconnect', () => {
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
  });
  process.send({ tokens, api });
}

// Ctrl-C reaches every process. The runner decides when they end.
process.on('SIGINT', () => undefined);
void main();
