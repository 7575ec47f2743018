/**
 * Proves that rotating refresh tokens survive many processes, and processes that are killed:
 * `npm run prove:rotation`. docs/rotation.md explains the promise and the figures.
 *
 * A provider, a Redis and the workers run on this machine, each a process of its own. This process kills
 * workers, starts others in their place, signs people in, and keeps the accounts.
 */
'use strict';
const { fork, spawn } = require('node:child_process');
const { once } = require('node:events');
const { mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');
const { parseArgs } = require('node:util');
const { connect } = require('./library');

const DEFAULTS = { seconds: '60', workers: '8', keys: '1000', ttl: '2', rate: '200' };

/** The timeout of the library's client. The lock of a killed worker lasts five seconds more. */
const TIMEOUT_MS = 2000;

/** The range of the pause between two kills. */
const KILL_AFTER_MS = [500, 2000];

/** A kill that waits for its moment in a token request gives up after this time. */
const MOMENT_LIMIT_MS = 3000;
const MOMENTS = ['received', 'rotated', 'answered'];

const START_LIMIT_MS = 10_000;
/** A call of a worker may wait for two locks. */
const STOP_LIMIT_MS = 40_000;

const stop = new AbortController();
const children = new Set();
const pause = async (milliseconds) => await sleep(milliseconds, undefined, { signal: stop.signal });
const between = ([from, to]) => from + Math.random() * (to - from);
const pick = (list) => list[Math.floor(Math.random() * list.length)];

function settings() {
  const text = { type: 'string' };
  const { values } = parseArgs({
    options: {
      ...Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, text])),
      'revoke-old': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const number = (name) => {
    const value = Number(values[name] ?? DEFAULTS[name]);
    if (Number.isInteger(value) && value >= 1 && value <= 1_000_000) return value;
    throw new TypeError(`--${name} must be a whole number from 1 to a million`);
  };
  const numbers = Object.keys(DEFAULTS).map((name) => [name, number(name)]);
  return { ...Object.fromEntries(numbers), revokeOld: values['revoke-old'], json: values.json };
}

/** Makes sure that a child ends with this program. */
function own(child) {
  children.add(child);
  child.once('exit', () => children.delete(child));
  child.on('error', () => child.pid === undefined && children.delete(child));
  return child;
}

function killAll() {
  for (const child of children) child.kill('SIGKILL');
}

const program = (name, options) => own(fork(join(__dirname, name), [JSON.stringify(options)]));

async function ended(child) {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

async function within(limit, what, work) {
  const late = new AbortController();
  const timeout = sleep(limit, undefined, { signal: AbortSignal.any([late.signal, stop.signal]) });
  try {
    return await Promise.race([
      work,
      timeout.then(() => {
        throw new Error(`${what}: not within ${limit} ms`);
      }),
    ]);
  } finally {
    late.abort();
    timeout.catch(() => undefined);
  }
}

/** Starts a Redis that listens on a socket in its folder, and on no port. */
async function startRedis(folder) {
  const path = join(folder, 'redis.sock');
  const options = ['--port', '0', '--unixsocket', path, '--dir', folder, '--save', ''];
  const redis = own(spawn('redis-server', options, { stdio: ['ignore', 'pipe', 'inherit'] }));
  const ready = (async () => {
    redis.stdout.setEncoding('utf8');
    for await (const text of redis.stdout.iterator({ destroyOnReturn: false })) {
      if (/ready to accept connections/i.test(text)) break;
    }
  })();
  const failed = once(redis, 'exit').then(() => {
    throw new Error('redis-server has ended');
  });
  failed.catch(() => undefined);
  await within(START_LIMIT_MS, 'redis-server', Promise.race([ready, failed]));
  redis.stdout.resume();
  return path;
}

/** @returns its origin, a way to wait for a moment in a token request, and a way to get its log */
async function startProvider({ ttl, revokeOld }) {
  const provider = program('provider.js', { ttl, revokeOld });
  const next = async (limit, is) => {
    let found;
    const answer = new Promise((resolve) => {
      found = (message) => is(message) && resolve(message);
      provider.on('message', found);
    });
    try {
      return await within(limit, 'provider', answer);
    } finally {
      provider.off('message', found);
    }
  };
  const { port } = await next(START_LIMIT_MS, (message) => message.port);
  return {
    origin: `http://127.0.0.1:${port}`,
    moment: async (name) => {
      provider.send({ await: name });
      return (await next(MOMENT_LIMIT_MS, ({ moment }) => moment === name)).answering;
    },
    log: async () => {
      provider.send({ tell: true });
      return (await next(STOP_LIMIT_MS, (message) => message.log)).log;
    },
    end: async () => {
      provider.disconnect();
      await within(STOP_LIMIT_MS, 'provider', ended(provider));
    },
  };
}

/** The people, who are signed in at the beginning, and again when their grant is lost. */
class People {
  /** People who were told to sign in although their grant had not ended. */
  wronged = 0;
  again = 0;
  #origin;
  #library;
  #lifetime;
  #signing = new Map();

  constructor(origin, library, ttl) {
    this.#origin = origin;
    this.#library = library;
    this.#lifetime = ttl * 1000;
  }

  async signIn(person) {
    const expiresAt = Date.now() + this.#lifetime;
    const response = await fetch(`${this.#origin}/sign-in`, {
      method: 'POST',
      body: JSON.stringify({ person }),
    });
    const json = await response.json();
    // Another worker reported it before, and the person has signed in again since.
    if (!response.ok) return json.hasLost;
    await this.#library.tokensOf(person).save({
      accessToken: json.access_token,
      refreshToken: json.refresh_token,
      tokenType: 'Bearer',
      expiresAt,
      response: {},
    });
    return undefined;
  }

  signInAgain(person) {
    if (this.#signing.has(person)) return;
    const signing = this.signIn(person)
      .then((hasLost) => {
        if (hasLost === undefined) this.again += 1;
        else if (!hasLost) this.wronged += 1;
      })
      .catch((error) => stop.abort(error))
      .finally(() => this.#signing.delete(person));
    this.#signing.set(person, signing);
  }

  async settled() {
    await Promise.all(this.#signing.values());
  }
}

/** The workers, and their reports. */
class Workers {
  /** When each was killed, by name. A worker that replaces another one has a name of its own. */
  killed = new Map();
  killedAtMoment = 0;
  calls = 0;
  skipped = 0;
  unanswered = 0;
  latencies = [];
  errors = {};
  persons = new Set();
  #options;
  #people;
  #running = new Map();
  #started = 0;
  #isOver = false;

  constructor(options, people) {
    this.#options = options;
    this.#people = people;
  }

  get names() {
    return [...this.#running.keys()];
  }

  start() {
    if (stop.signal.aborted) return;
    this.#started += 1;
    const name = `worker-${this.#started}`;
    const child = program('worker.js', { ...this.#options, name });
    this.#running.set(name, child);
    child.on('message', ({ report }) => this.#add(report));
    child.once('exit', (code) => {
      this.#running.delete(name);
      if (this.killed.has(name)) {
        if (!this.#isOver) this.start();
      } else if (!this.#isOver || code !== 0) {
        stop.abort(new Error(`${name} has ended by itself`));
      }
    });
  }

  kill(name, isMoment) {
    const child = this.#running.get(name);
    if (!child || this.killed.has(name)) return;
    this.killed.set(name, Date.now());
    if (isMoment) this.killedAtMoment += 1;
    child.kill('SIGKILL');
  }

  /** Lets the workers finish their calls, and end. */
  async end() {
    this.#isOver = true;
    const running = [...this.#running.values()];
    for (const child of running) child.send({ end: true }, () => undefined);
    await within(STOP_LIMIT_MS, 'workers', Promise.all(running.map(ended)));
  }

  #add({ calls, skipped, unanswered, latencies, errors, persons }) {
    this.calls += calls;
    this.skipped += skipped;
    this.unanswered += unanswered;
    for (const latency of latencies) this.latencies.push(latency);
    for (const person of persons) this.persons.add(person);
    for (const { code, person } of errors) {
      this.errors[code] = (this.errors[code] ?? 0) + 1;
      if (code === 'reauthorization_required') this.#people.signInAgain(person);
    }
  }
}

/** Kills at random times. Every second kill waits for a moment in a token request. */
async function killUntil(end, workers, provider) {
  for (let round = 0; ; round += 1) {
    const wait = between(KILL_AFTER_MS);
    if (Date.now() + wait >= end) break;
    await pause(wait);
    if (round % 2 === 0) {
      workers.kill(pick(workers.names), false);
    } else {
      const worker = await provider.moment(pick(MOMENTS)).catch(() => undefined);
      stop.signal.throwIfAborted();
      workers.kill(worker, true);
    }
  }
  await pause(Math.max(0, end - Date.now()));
}

/** Asks for the tokens of all people once more, after the workers, and counts the good and the lost ones. */
async function askForAll(origin, library, keys) {
  const found = { good: 0, lost: 0, wrong: 0 };
  const waiting = Array.from({ length: keys }, (_, person) => person);
  const ask = async () => {
    for (let person = waiting.pop(); person !== undefined; person = waiting.pop()) {
      stop.signal.throwIfAborted();
      try {
        const token = await library.tokensOf(person).getAccessToken();
        const now = String(Date.now());
        const headers = { authorization: `Bearer ${token}`, 'x-asked': now, 'x-given': now };
        const response = await fetch(`${origin}/api`, { headers });
        found[response.ok ? 'good' : 'wrong'] += 1;
      } catch (error) {
        found[error.code === 'reauthorization_required' ? 'lost' : 'wrong'] += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: 100 }, ask));
  return found;
}

/**
 * True for a pair that only a killed worker had: it was killed before it can have stored the answer, and
 * no token of that pair was ever used.
 */
function isExplained({ first, answeredAt, isUsed, at }, killed) {
  const killedAt = killed.get(first) ?? Infinity;
  return !isUsed && killedAt < at && killedAt < answeredAt + TIMEOUT_MS;
}

const percentile = (sorted, part) =>
  Math.round((sorted[Math.floor((sorted.length - 1) * part)] ?? 0) * 10) / 10;

function accounts({ seconds }, { underLoad, log, workers, people, atTheEnd }) {
  const sorted = Float64Array.from(workers.latencies).toSorted();
  const explained = log.replays.filter((replay) => isExplained(replay, workers.killed)).length;
  const unexplained = log.replays.length - explained;
  const {
    reauthorization_required: told = 0,
    lock_timeout: gaveUp = 0,
    ...failed
  } = workers.errors;
  const wrong = {
    'generations refreshed twice, and grants lost, without an explanation': unexplained,
    'generations refreshed long before their time': log.early,
    'dead tokens handed out': log.dead,
    'older tokens handed out after newer ones': log.stale,
    'calls that ended with 401': workers.unanswered,
    'calls that failed, and not for a lock': Object.values(failed).reduce((a, b) => a + b, 0),
    'people told to sign in without need': people.wronged,
    'keys without a good token at the end, and not lost': atTheEnd.wrong,
    'keys lost at the end, and not at the provider': Math.max(
      0,
      atTheEnd.lost - (log.replays.length - people.again),
    ),
  };
  return {
    killed: workers.killed.size,
    killedInTokenRequests: workers.killedAtMoment,
    calls: workers.calls,
    callsPerSecond: Math.round(workers.calls / seconds),
    notBegun: workers.skipped,
    keysUsed: workers.persons.size,
    latency: {
      p50: percentile(sorted, 0.5),
      p99: percentile(sorted, 0.99),
      max: percentile(sorted, 1),
    },
    refreshes: log.accepted,
    refreshesPerSecond: Math.round(underLoad.accepted / seconds),
    refreshRequests: log.accepted + log.replays.length,
    refreshesPerGeneration: (log.accepted + unexplained) / log.accepted,
    early: log.early,
    cutOff: { before: log.cutOffBefore, after: log.cutOffAfter, recovered: log.recovered },
    grantsLost: { all: log.replays.length, explained, unexplained },
    signedInAgain: people.again,
    told,
    gaveUp,
    failed,
    requests: {
      good: log.good,
      dead: log.dead,
      older: log.stale,
      diedOnTheWay: log.diedOnTheWay,
      unanswered: workers.unanswered,
    },
    atTheEnd,
    wrong: Object.entries(wrong).filter(([, count]) => count > 0),
  };
}

function print({ seconds, workers, keys, ttl, revokeOld }, figures) {
  const { latency, cutOff, grantsLost, requests, atTheEnd } = figures;
  const rows = [
    ['Workers killed', figures.killed, `in a token request: ${figures.killedInTokenRequests}`],
    ['Calls', figures.calls, `a second: ${figures.callsPerSecond}, keys: ${figures.keysUsed}`],
    ['getAccessToken, p50', `${latency.p50} ms`, `p99: ${latency.p99} ms, max: ${latency.max} ms`],
    ['Generations refreshed', figures.refreshes, `a second: ${figures.refreshesPerSecond}`],
    ['  refresh requests', figures.refreshRequests, `after a kill: ${grantsLost.explained}`],
    ['  per generation', figures.refreshesPerGeneration, 'without those'],
    ['  before their time', figures.early, ''],
    ['Cut off before rotation', cutOff.before, `generations refreshed later: ${cutOff.recovered}`],
    ['  after it', cutOff.after, ''],
    ['Grants lost', grantsLost.all, `killed between answer and write: ${grantsLost.explained}`],
    ['  unexplained', grantsLost.unexplained, ''],
    ['Good tokens', requests.good, `died on the way: ${requests.diedOnTheWay}`],
    ['  dead ones handed out', requests.dead, ''],
    ['  older than one in use', requests.older, ''],
    ['  401 in the end', requests.unanswered, ''],
    ['Calls told to sign in', figures.told, `people who did: ${figures.signedInAgain}`],
    ['  that gave up a lock', figures.gaveUp, ''],
    ['  that failed otherwise', JSON.stringify(figures.failed), `not begun: ${figures.notBegun}`],
    ['Keys good at the end', atTheEnd.good, `lost: ${atTheEnd.lost}, wrong: ${atTheEnd.wrong}`],
  ];
  const old = revokeOld ? 'dead with the next one' : 'good to their end';
  console.log(`${workers} workers, ${keys} keys, ${seconds} s; tokens of ${ttl} s, ${old}\n`);
  for (const [what, figure, more] of rows) {
    console.log(`${what.padEnd(26)}${String(figure).padStart(9)}   ${more}`.trimEnd());
  }
  console.log(figures.wrong.length === 0 ? '\nAll is accounted for.' : '\nWrong:');
  for (const [what, count] of figures.wrong) console.log(`  ${count} ${what}`);
}

async function prove(options, folder) {
  const { seconds, keys, ttl, rate } = options;
  const redis = await startRedis(folder);
  const provider = await startProvider(options);
  const where = { origin: provider.origin, redis, timeout: TIMEOUT_MS };
  const library = await connect(where, 'runner');
  const people = new People(where.origin, library, ttl);
  for (let person = 0; person < keys; person += 1) await people.signIn(person);

  const workers = new Workers({ where, keys, rate: rate / options.workers }, people);
  for (let count = 0; count < options.workers; count += 1) workers.start();
  await killUntil(Date.now() + seconds * 1000, workers, provider);
  const underLoad = await provider.log();
  await workers.end();
  await people.settled();
  const atTheEnd = await askForAll(where.origin, library, keys);
  const log = await provider.log();
  await library.close();
  await provider.end();
  return accounts(options, { underLoad, log, workers, people, atTheEnd });
}

async function main() {
  const options = settings();
  const folder = mkdtempSync(join(tmpdir(), 'rotation-'));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => stop.abort(new Error(`stopped by ${signal}`)));
  }
  process.once('exit', killAll);
  const stopped = once(stop.signal, 'abort').then(() => {
    throw stop.signal.reason;
  });
  try {
    const figures = await Promise.race([prove(options, folder), stopped]);
    if (options.json) console.log(JSON.stringify(figures));
    else print(options, figures);
    process.exitCode = figures.wrong.length === 0 ? 0 : 1;
  } finally {
    stop.abort();
    killAll();
    await Promise.all([...children].map(ended));
    rmSync(folder, { recursive: true, force: true });
  }
}

main().catch((error) => {
  console.error(error.code === 'ENOENT' ? 'redis-server is not installed.' : error.message);
  process.exit(1);
});
