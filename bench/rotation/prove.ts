/**
 * Proves that rotating refresh tokens survive many processes, and processes that are killed:
 * `npm run prove:rotation`. docs/internals/rotation.md explains the promise, the statuses and the figures.
 *
 * A provider, a Redis and the workers run on this machine, each a process of its own. This process makes
 * trouble, signs people in, and keeps the accounts.
 */
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BUSY_PART, STATUS, accounts } from './accounts';
import type { Figures } from './accounts';
import { copyLibrary } from './copy';
import type { Evidence, Span } from './evidence';
import { overlap } from './judge';
import { Journal, RUNNER, readJournals } from './journal';
import { Lateness } from './lateness';
import { connect } from './library';
import type { Where } from './library';
import { LOCK_MS, TIMEOUT_MS, settings } from './options';
import type { Settings } from './options';
import { noticeAll } from './mutants';
import { People, askForAll } from './people';
import { print } from './print';
import { LateError, Provider, endAll, killAll, stop } from './processes';
import { Redis } from './redis';
import { PAUSE_MS, meetingsOf, trouble } from './trouble';
import { Workers } from './workers';

/** A pair that has just been answered is in the store after this time. */
const STORED_MS = 300;

const startedAt = Date.now();

/** When this process did not run. */
const stalls: Span[] = [];
const lateness = new Lateness((from, to) => stalls.push({ from, to }));

async function prove(options: Settings, folder: string): Promise<Figures> {
  const { seconds, keys, ttl, rate } = options;
  const library = copyLibrary(folder, options.mutant);
  const [journals, pauses] = [join(folder, 'journals'), join(folder, 'pauses')];
  for (const path of [journals, pauses]) mkdirSync(path);
  const redis = new Redis(folder);
  await redis.start();
  await redis.watch();
  const provider = await Provider.start({ ...options, timeout: TIMEOUT_MS });
  const { tokens, api } = provider;
  const places = { tokens, api, redis: redis.path, folder: library, journals, pauses };
  const where: Where = { ...places, timeout: TIMEOUT_MS };
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
  const evidence: Evidence = {
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

async function main(): Promise<void> {
  const options = settings();
  const folder = mkdtempSync(join(tmpdir(), 'rotation-'));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => stop.abort(new Error(`stopped by ${signal}`)));
  }
  process.once('exit', killAll);
  const stopped = once(stop.signal, 'abort').then((): never => {
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
  main().catch((error: NodeJS.ErrnoException) => {
    console.error(error.code === 'ENOENT' ? 'redis-server is not installed.' : error.message);
    const part = overlap(stalls, startedAt, Date.now()) / (Date.now() - startedAt);
    process.exit(
      error instanceof LateError && part > BUSY_PART ? STATUS['too busy'] : STATUS.wrong,
    );
  });
}
