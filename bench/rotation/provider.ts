/**
 * A strict provider that speaks like Salesloft: every refresh rotates, and a refresh token that comes
 * twice ends the grant with all its tokens. It logs each request and the worker that sent it. Now and then
 * it is slow, answers with an error, or closes a connection.
 *
 * A token is `<kind>-<grant>-<generation>`, so that a look-up costs nothing. Nothing here guesses tokens.
 */
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  IncomingHttpHeaders,
  IncomingMessage,
  OutgoingHttpHeaders,
  Server,
  ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Generation, Grant, ProviderLog } from './evidence';
import { Lateness } from './lateness';

export interface ProviderOptions {
  /** Seconds that a token lives. */
  ttl: number;
  /** Milliseconds of the client. */
  timeout: number;
  keys: number;
  /** An access token ends when the next one is issued. */
  revokeOld: boolean;
}

export interface ProviderOrder {
  /** Tell which worker's token request is at this moment. */
  await?: string;
  /** No fault begins from this time on. */
  calmAt?: number;
  drain?: true;
  tell?: true;
}

export interface ProviderMessage {
  origins?: { tokens: string; api: string };
  moment?: string;
  answering?: string;
  drained?: true;
  log?: ProviderLog;
}

/** Status, content, headers. Nothing where the connection was closed. */
type Result = [status: number, content: string | object, headers?: OutgoingHttpHeaders] | undefined;

const send = (message: ProviderMessage) => process.send?.(message);

const { ttl, timeout, keys, revokeOld } = JSON.parse(process.argv[2] ?? '') as ProviderOptions;
const LIFETIME_MS = ttl * 1000;

/** A token of this age needs no refresh: the library refreshes at half life. */
const YOUNG_MS = LIFETIME_MS / 4;

/** The longest time from a token request to its answer. The rotation happens somewhere between. */
const SLOWEST_MS = 20;

/** A slow answer takes these parts of the client's timeout; a late one comes when the client has gone. */
const SLOW = [0.8, 0.9] as const;
const LATE = [1.1, 1.3] as const;

/** An idle connection for token requests is closed after this time, which is announced to no client. */
const IDLE_MS = 500;

/** Every so many refreshes meet a fault, each kind in turn. */
const FAULT_EVERY = 15;
const FAULTS = [
  'slow',
  'late',
  '502',
  '503',
  'closed',
  '502 after rotation',
  'cut after rotation',
] as const;
type Fault = (typeof FAULTS)[number];

/** Of the refreshes for which several workers meet, every so many are slow. */
const SLOW_MEETING_EVERY = 3;

/** A killed process ends some milliseconds later. Its request waits for that. */
const DEATH_MS = 200;

const grants: Grant[] = [];

/** The last grant of each person. */
const grantOf = new Map<number, number>();

const log: ProviderLog = {
  grants,
  accepted: 0,
  recovered: 0,
  early: 0,
  cutOffBefore: 0,
  cutOffAfter: 0,
  ofEndedGrant: 0,
  replays: [],
  faults: [],
  closedIdle: 0,
  good: 0,
  dead: [],
  diedOnTheWay: 0,
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
const underWay = new Set<Generation>();

/** The moment of a token request at which the runner wants to kill the sender. */
let awaited: string | undefined;

async function reach(moment: string, worker: string): Promise<void> {
  if (moment !== awaited) return;
  awaited = undefined;
  send({ answering: worker, moment });
  await sleep(DEATH_MS);
}

const between = ([from, to]: readonly [number, number]) => from + Math.random() * (to - from);

/** The fault that a refresh of this person meets. People who meet have keys beyond `keys`. */
function faultFor(person: number): Fault | undefined {
  const now = Date.now();
  if (now >= calmAt) return undefined;
  let kind: Fault | undefined;
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
function read(token = ''): { grant: Grant | undefined; id: number; generation: number } {
  const [, grant, generation] = /-(\d+)-(\d+)$/.exec(token) ?? [];
  const id = Number(grant);
  return { grant: grants[id], id, generation: Number(generation) };
}

interface Issued {
  receivedAt?: number;
  lifetime?: number;
  fault?: Fault | undefined;
}

function issue(
  id: number,
  by: string,
  { receivedAt = Date.now(), lifetime = LIFETIME_MS, fault }: Issued = {},
): object {
  const generations = grants[id]?.generations ?? [];
  const generation: Generation = {
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
function signIn({ person, lifetime }: { person: number; lifetime: number }): Result {
  const last = grantOf.get(person);
  if (last !== undefined && grants[last]?.revokedAt === null) {
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
function refuse(fault: Fault, req: IncomingMessage): Result {
  if (fault === '502') return [502, 'Bad Gateway'];
  if (fault === '503') return [503, 'Service Unavailable', { 'retry-after': '1' }];
  if (fault === 'closed') req.socket.resetAndDestroy();
  return undefined;
}

/** Ends the grant of a refresh token that came twice. */
function endGrant(grant: Grant, id: number, generation: number, receivedAt: number): Result {
  grant.revokedAt = Date.now();
  const next = grant.generations[generation + 1];
  log.replays.push({
    grant: id,
    generation: generation + 1,
    receivedAt,
    isUsed: typeof next?.usedAt === 'number' || grant.generations.length > generation + 2,
  });
  return [400, { error: 'invalid_grant' }];
}

async function refresh(
  { refresh_token: token }: { refresh_token?: string },
  req: IncomingMessage,
  res: ServerResponse,
): Promise<Result> {
  const worker = workerOf(req.headers);
  const receivedAt = Date.now();
  const { grant, id, generation } = read(token);
  const current = grant?.generations[generation];
  if (!grant || !current) return [400, { error: 'invalid_grant' }];
  const fault = faultFor(grant.person);
  if (fault === '502' || fault === '503' || fault === 'closed') return refuse(fault, req);

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
  if (grant.generations[generation + 1]) {
    return endGrant(grant, id, generation, receivedAt);
  }
  log.accepted += 1;
  if (current.cutOff) log.recovered += 1;
  const isYoung = Date.now() - current.issuedAt < Math.min(YOUNG_MS, current.lifetime / 4);
  if (isYoung) log.early += 1;
  const pair = issue(id, worker, { receivedAt, fault });
  await reach('rotated', worker);
  const issued = grant.generations[generation + 1];
  return issued && (await answerRotated(pair, issued, normal - before, req, res));
}

/** Answers with the new pair, sooner or later, or never. */
async function answerRotated(
  pair: object,
  generation: Generation,
  normal: number,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<Result> {
  const { fault } = generation;
  if (fault === '502 after rotation') return [502, 'Bad Gateway'];
  if (fault === 'cut after rotation') {
    req.socket.resetAndDestroy();
    return undefined;
  }
  const part = { slow: SLOW, late: LATE }[fault ?? ''];
  underWay.add(generation);
  await sleep(part ? between(part) * timeout : normal);
  underWay.delete(generation);
  generation.answeredAt = Date.now();
  if (res.destroyed) log.cutOffAfter += 1;
  return [200, pair];
}

/** `x-asked` and `x-given` are the times at which the worker asked the library for this token, and got it. */
const workerOf = (headers: IncomingHttpHeaders) => String(headers['x-worker']);

function callApi(headers: IncomingHttpHeaders): Result {
  const { grant, id, generation } = read(headers.authorization);
  const asked = Number(headers['x-asked']);
  const given = Number(headers['x-given']);
  const now = Date.now();
  const own = grant?.generations[generation];
  if (!grant || !own) return [401, { error: 'invalid_token' }];
  const next = grant.generations[generation + 1];
  own.usedAt ??= now;
  const isStale = asked > (next?.usedAt ?? Infinity);
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
  if (isDead) log.dead.push({ grant: id, generation, isEnded, given, by: workerOf(headers) });
  else log.diedOnTheWay += 1;
  return [401, { error: 'invalid_token' }];
}

async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
  let body = '';
  for await (const chunk of req as AsyncIterable<Buffer>) body += chunk.toString();
  const parsed = (body === '' ? {} : JSON.parse(body)) as never;
  let result: Result;
  if (req.url === '/api') result = callApi(req.headers);
  else if (req.url === '/sign-in') result = signIn(parsed);
  else result = await refresh(parsed, req, res);
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
  if (req.url === '/token') await reach('answered', workerOf(req.headers));
}

/** @param idle milliseconds after which an idle connection is closed; 0 for never */
async function listen(idle: number): Promise<Server> {
  const server = http.createServer((req, res) => {
    // The sender was killed while it was sending.
    answer(req, res).catch(() => res.destroy());
  });
  server.keepAliveTimeout = idle;
  server.on('timeout', (socket: Socket) => {
    log.closedIdle += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return server;
}

/** Waits until every answer that was held back has left. */
async function drained(): Promise<void> {
  while (underWay.size > 0) await sleep(SLOWEST_MS);
}

async function main(): Promise<void> {
  // The requests of the runner and of the API meet no fault.
  const servers = [await listen(IDLE_MS), await listen(0)];
  const [tokens = '', api = ''] = servers.map(
    (server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  );
  process.on('message', (message: ProviderOrder) => {
    if (message.await) awaited = message.await;
    if (message.calmAt) ({ calmAt } = message);
    if (message.drain) void drained().then(() => send({ drained: true }));
    if (message.tell) {
      const { delay, isClockSet } = lateness;
      send({ log: { ...log, delay, isClockSet } });
    }
  });
  process.on('disconnect', () => {
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
  });
  send({ origins: { tokens, api } });
}

// Ctrl-C reaches every process. The runner decides when they end.
process.on('SIGINT', () => undefined);
void main();
