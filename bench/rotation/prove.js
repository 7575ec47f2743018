/**
 * Proves that rotating refresh tokens survive many processes, and processes that are killed:
 * `npm run prove:rotation`. docs/internals/rotation.md explains the promise, the statuses and the figures.
 *
 * A provider, a Redis and the workers run on this machine, each a process of its own. This process makes
 * trouble, signs people in, and keeps the accounts.
 */
'use strict';
const { once } = require('node:events');
const { mkdirSync, mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');
const { BUSY_PART, STATUS, accounts } = require('./accounts');
const { copyLibrary } = require('./copy');
const { overlap } = require('./judge');
const { Journal, RUNNER, readJournals } = require('./journal');
const { Lateness } = require('./lateness');
const { connect } = require('./library');
const { LOCK_MS, TIMEOUT_MS, settings } = require('./options');
const { noticeAll } = require('./mutants');
const { People, askForAll } = require('./people');
const { print } = require('./print');
const { Provider, endAll, killAll, stop } = require('./processes');
const { Redis } = require('./redis');
const { PAUSE_MS, meetingsOf, trouble } = require('./trouble');
const { Workers } = require('./workers');

/** A pair that has just been answered is in the store after this time. */
const STORED_MS = 300;

const startedAt = Date.now();

/** When this process did not run. */
const stalls = [];
const lateness = new Lateness((from, to) => stalls.push({ from, to }));

async function prove(options, folder) {
  const { seconds, keys, ttl, rate } = options;
  const library = copyLibrary(folder, options.mutant);
  const [journals, pauses] = ['journals', 'pauses'].map((name) => join(folder, name));
  for (const path of [journals, pauses]) mkdirSync(path);
  const redis = new Redis(folder);
  await redis.start();
  await redis.watch();
  const provider = await Provider.start({ ...options, timeout: TIMEOUT_MS });
  const { tokens, api } = provider;
  const where = { tokens, api, redis: redis.path, timeout: TIMEOUT_MS, folder: library };
  Object.assign(where, { journals, pauses });
  // The mutant is in the workers only.
  const ownFolder = options.mutant === undefined ? library : __dirname;
  const own = await connect({ ...where, folder: ownFolder }, RUNNER, new Journal(journals, RUNNER));
  const people = new People(api, own, ttl);
  const all = keys + meetingsOf(options);

  const workers = new Workers(
    { where, keys, rate: rate / options.workers, pauseMs: PAUSE_MS },
    (person) => people.signInAgain(person),
  );
  const ends = await people.signInAll(all);
  await workers.startAll(options.workers);
  const beganAt = Date.now();
  const end = beganAt + seconds * 1000;
  provider.calmAt(end);
  const meeting = { ends: ends.slice(keys), first: keys };
  await trouble(end, options, { workers, provider, redis, ...meeting });

  const underLoad = (await provider.log()).accepted;
  await provider.drain();
  await sleep(STORED_MS);
  await workers.end(options.isBrief);
  await people.settled();
  const locksRemovedAt = Date.now();
  // Every worker has ended, and no request is under way: there is nothing to wait for.
  await redis.removeLocks(
    [...readJournals(journals).values()].flatMap(({ locks }) => locks.filter((one) => one.isHeld)),
  );
  const atTheEnd = await askForAll(api, own, all, options.isBrief ? 0 : LOCK_MS + STORED_MS);
  const log = await provider.log();
  const evidence = {
    timeout: TIMEOUT_MS,
    lock: LOCK_MS,
    beganAt,
    endedAt: Date.now(),
    underLoad,
    locksRemovedAt,
    log,
    killed: workers.killed,
    killedAtMoment: workers.killedAtMoment,
    journals: readJournals(journals),
    outages: redis.outages,
    redisStalls: redis.stalls,
    ownStalls: stalls,
    ownDelay: lateness.delay,
    isClockSet: lateness.isClockSet || log.isClockSet,
    people: { wronged: people.wronged, again: people.again },
    atTheEnd,
  };
  await own.close();
  await redis.end();
  await provider.end();
  return accounts(options, evidence);
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
    process.exitCode = figures.status;
  } finally {
    await endAll();
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv.includes('--mutants')) {
  process.exitCode = noticeAll();
} else {
  main().catch((error) => {
    console.error(error.code === 'ENOENT' ? 'redis-server is not installed.' : error.message);
    const part = overlap(stalls, startedAt, Date.now()) / (Date.now() - startedAt);
    process.exit(error.isLate && part > BUSY_PART ? STATUS['too busy'] : STATUS.wrong);
  });
}
