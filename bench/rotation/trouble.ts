/** The troubles of a run: workers are killed or stand still, Redis is killed, and several workers want one token. */
import type { Moment } from './library';
import { LOCK_MS } from './options';
import type { Settings } from './options';
import { pause, stop } from './processes';
import type { Provider } from './processes';
import type { Redis } from './redis';
import type { Workers } from './workers';

type Range = readonly [least: number, most: number];

/** The range of the pause between two kills of workers. */
const KILL_AFTER_MS: Range = [500, 1800];
const MOMENTS = ['received', 'rotated', 'answered'] as const;

/** The range of the time between two kills of Redis, and of the time for which it is away. */
const REDIS_AFTER_MS: Range = [8000, 14_000];
const REDIS_AWAY_MS: Range = [200, 1200];

/** A worker that stands still does so until its lock has passed to another worker. */
export const PAUSE_MS = LOCK_MS + 2500;
const PAUSE_MOMENTS: readonly Moment[] = ['read', 'begun', 'read', 'locked'];
/** Between two workers that stand still, and after the last one, so that its effects are seen. */
const PAUSE_AFTER_MS = 1000;
const PAUSE_MARGIN_MS = 3500;
/** The others ask for the token when the lock has ended, and again when the worker goes on. */
const LOCK_ENDED_MS = 100;
const GOES_ON_MS = 500;

/** While the others take a token over, no worker and no Redis is killed: that would end the trial. */
const truce = { from: Infinity, until: 0 };
const isTruce = () => Date.now() >= truce.from && Date.now() < truce.until;

/** Between two meetings. */
const MEETING_EVERY_MS = 400;
/** The next meeting of a person, in lives of a token: a token past half its life, and one that has ended. */
const MEETING_LIVES = { stale: 0.65, ended: 1.15 };

const between = ([from, to]: Range) => from + Math.random() * (to - from);
const pick = <T>(list: readonly T[]) => list[Math.floor(Math.random() * list.length)] as T;

/** The number of people who meet: each has a meeting when the token needs it, and there is always one. */
export function meetingsOf({ ttl }: Pick<Settings, 'ttl'>): number {
  const each = (ttl * 1000 * (MEETING_LIVES.stale + MEETING_LIVES.ended)) / 2;
  return Math.min(400, Math.ceil(each / MEETING_EVERY_MS));
}

/** Kills workers at random times. Every second kill waits for a moment in a token request. */
async function killWorkers(end: number, workers: Workers, provider: Provider): Promise<void> {
  for (let round = 0; ; round += 1) {
    const wait = between(KILL_AFTER_MS);
    if (Date.now() + wait >= end) return;
    await pause(wait);
    if (isTruce()) continue;
    if (round % 2 === 0) {
      if (workers.names.length > 0) workers.kill(pick(workers.names), false);
    } else {
      const worker = await provider.moment(pick(MOMENTS)).catch(() => undefined);
      stop.signal.throwIfAborted();
      if (worker !== undefined && !isTruce()) workers.kill(worker, true);
    }
  }
}

async function killRedis(end: number, seconds: number, redis: Redis): Promise<void> {
  let wait = Math.min(seconds * 500, REDIS_AFTER_MS[0]);
  for (;;) {
    if (Date.now() + wait + REDIS_AWAY_MS[1] >= end) return;
    await pause(wait);
    wait = PAUSE_AFTER_MS;
    if (isTruce()) continue;
    await redis.interrupt(between(REDIS_AWAY_MS));
    wait = between(REDIS_AFTER_MS);
  }
}

/**
 * Lets workers stand still, one at a time, while they hold a lock. When the lock has ended, the others take
 * the token over; then the worker goes on.
 */
async function pauseWorkers(end: number, workers: Workers): Promise<void> {
  for (let round = 0; Date.now() + PAUSE_MS + PAUSE_MARGIN_MS < end; round += 1) {
    await pause(PAUSE_AFTER_MS);
    const paused = await workers.pauseOne(PAUSE_MOMENTS[round % PAUSE_MOMENTS.length] ?? 'read');
    if (!paused) continue;
    const { person, until } = paused;
    truce.from = until - PAUSE_MS + LOCK_MS - GOES_ON_MS;
    truce.until = until + GOES_ON_MS;
    await pause(LOCK_MS + LOCK_ENDED_MS);
    workers.meet(person);
    await pause(Math.max(0, until + GOES_ON_MS - Date.now()));
    workers.meet(person);
  }
}

/** People whose tokens all workers want at the same moment. */
interface Meetings {
  /** When the token of each of these people ends. */
  ends: number[];
  /** The key of the first of them. */
  first: number;
}

/** Lets all workers ask for one token at the moment when it needs a refresh. */
async function meet(
  end: number,
  { ttl }: Settings,
  workers: Workers,
  { ends, first }: Meetings,
): Promise<void> {
  const kinds = ['stale', 'ended'] as const;
  const meetings = ends.map((at, index) => ({
    person: first + index,
    kind: kinds[index % 2] ?? 'stale',
    at,
  }));
  while (Date.now() + MEETING_EVERY_MS < end) {
    await pause(MEETING_EVERY_MS);
    const now = Date.now();
    const next = meetings.reduce((one, other) => (other.at < one.at ? other : one));
    if (next.at > now) continue;
    workers.meet(next.person);
    next.at = now + ttl * 1000 * MEETING_LIVES[next.kind];
  }
}

interface Troubled extends Meetings {
  workers: Workers;
  provider: Provider;
  redis: Redis;
}

/** Makes trouble until the end of the load. */
export async function trouble(
  end: number,
  options: Settings,
  { workers, provider, redis, ...meetings }: Troubled,
): Promise<void> {
  await Promise.all([
    killWorkers(end, workers, provider),
    killRedis(end, options.seconds, redis),
    ...(options.isBrief ? [] : [pauseWorkers(end, workers)]),
    meet(end, options, workers, meetings),
    pause(Math.max(0, end - Date.now())),
  ]);
}
