/** The accounts of a run: its figures, the faults that it found, and its exit status. */
import { RUNNER, nameOf } from './journal';
import type { CallFact, Delay, Evidence, Span } from './evidence';
import { INEXACT_MS, Judge, group, overlap } from './judge';
import type { Loss, Promptness } from './judge';
import type { Settings } from './options';

export const STATUS = { proved: 0, wrong: 1, 'too little': 2, 'too busy': 3 } as const;
type Verdict = keyof typeof STATUS;

/** Less than this proves nothing, whatever the options. */
const LEAST = { calls: 50, refreshes: 20, kills: 2, contended: 3 };

/** Of the calls and kills that the options lead to expect, at least this part. */
const LEAST_PART = 1 / 4;
const MS_BETWEEN_KILLS = 1500;

/** A longer run must meet every fault of the provider, kill Redis, and hold up a worker. */
const LONG_SECONDS = 20;

/** A process that did not run for this part of the time was on a machine that is too busy. */
export const BUSY_PART = 0.1;

/** The errors that a fault of the provider, and an absence of Redis, may bring to a caller. */
const PROVIDER_CODES = [
  'timeout',
  'connection_failed',
  'incomplete_response',
  'provider_unavailable',
  'temporarily_unavailable',
  'unexpected_status',
  'unexpected_content_type',
];
const STORE_CODES = ['store_unavailable', 'store_timeout'];

/** A client that was looking for Redis finds it again within this time. */
const BACK_MS = 3000;

/** The options that a verdict depends on. */
type Asked = Pick<Settings, 'seconds' | 'workers' | 'keys' | 'rate' | 'isBrief'>;

export type Figures = ReturnType<typeof accounts>;

export function accounts(options: Asked, evidence: Evidence) {
  const judge = new Judge(evidence);
  const { losses, explained } = judgeLosses(judge, evidence);
  const writes = judgeWrites(judge, evidence);
  const calls = judgeCalls(options, judge, evidence);
  const dead = judgeDead(judge, evidence, explained);
  const happened = countAll(evidence, calls);
  const { log, atTheEnd, people } = evidence;
  const isEndBusy = stalledAtTheEnd(evidence) > BUSY_PART;
  const wrong = named({
    'generations refreshed twice, and grants lost, without an explanation': losses.unexplained,
    'grants lost beyond the requests under way at a kill': losses.beyondKills,
    'new pairs that were not stored at once': writes.late,
    'locks that two workers had at once': judge.sharedLocks(),
    'generations refreshed long before their time': log.early,
    'dead tokens handed out': dead.wrong,
    'older tokens handed out after newer ones': log.stale,
    'calls that ended with 401': calls.unanswered,
    'calls that failed, or gave up a lock, without a reason': calls.wrong,
    'people told to sign in without need': people.wronged,
    'keys without a good token at the end, and not lost': isEndBusy ? 0 : atTheEnd.wrong,
    'keys lost at the end, and not at the provider': Math.max(
      0,
      atTheEnd.lost - (log.replays.length - people.again),
    ),
  });
  const busy = named({
    'grants lost, with a process that did not run': losses.busy,
    'new pairs stored late, by a process that did not run for a part of that time': writes.busy,
    'dead tokens handed out by a process that did not run': dead.busy,
    'calls that failed in a process that did not run': calls.busy,
    'keys without a good token at the end, asked for by a process that did not run': isEndBusy
      ? atTheEnd.wrong
      : 0,
    'clock that was set meanwhile': evidence.isClockSet ? 1 : 0,
  });
  const tooLittle = (Object.entries(floors(options)) as [Happening, number][]).filter(
    ([what, least]) => happened[what] < least,
  );
  const stalled = stalledPart(evidence);
  const isSlowed = stalled.most > BUSY_PART && mayReach(options);
  const verdict = verdictOf({ wrong, busy, tooLittle, isSlowed });
  return {
    status: STATUS[verdict],
    verdict,
    wrong,
    busy,
    tooLittle: tooLittle.map(([what, least]) => [what, happened[what], least] as const),
    happened,
    stalled,
    delay: delays(evidence),
    ...figures(options, evidence, { losses, writes, calls, dead }),
  };
}

const named = (counts: Record<string, number>) =>
  Object.entries(counts).filter(([, count]) => count > 0);

/** A fault that no stall explains is a fault on a busy machine too. */
function verdictOf({
  wrong,
  busy,
  tooLittle,
  isSlowed,
}: {
  wrong: unknown[];
  busy: unknown[];
  tooLittle: unknown[];
  isSlowed: boolean;
}): Verdict {
  if (wrong.length > 0) return 'wrong';
  if (busy.length > 0) return 'too busy';
  if (tooLittle.length === 0) return 'proved';
  return isSlowed ? 'too busy' : 'too little';
}

/** True if a machine that is idle reaches the floors with these options. */
function mayReach({ seconds, workers, rate }: Asked): boolean {
  return (
    rate * seconds >= LEAST.calls &&
    workers >= 2 &&
    seconds * 1000 >= LEAST.kills * MS_BETWEEN_KILLS
  );
}

/** How much must have happened. */
type Happening =
  | keyof typeof LEAST
  | 'kills of Redis'
  | 'faults of the provider'
  | 'kinds of these faults'
  | 'workers that stood still';

function floors({ seconds, workers, rate, isBrief }: Asked): Record<Happening, number> {
  const part = (expected: number) => Math.floor(expected * LEAST_PART);
  const isLong = seconds >= LONG_SECONDS;
  return {
    calls: Math.max(LEAST.calls, part(rate * seconds)),
    refreshes: Math.max(LEAST.refreshes, seconds * Math.min(workers, 2)),
    kills: Math.max(LEAST.kills, part((seconds * 1000) / MS_BETWEEN_KILLS)),
    contended: Math.max(LEAST.contended, Math.floor(seconds / 2)),
    'kills of Redis': 1,
    'faults of the provider': isBrief ? 1 : seconds / 4,
    'kinds of these faults': isLong ? 7 : 1,
    'workers that stood still': isLong ? 1 : 0,
  };
}

function countAll(
  { log, killed, outages, journals }: Evidence,
  calls: { answered: number },
): Record<Happening, number> {
  return {
    calls: calls.answered,
    refreshes: log.accepted,
    kills: killed.size,
    contended: contended({ log, journals }),
    'kills of Redis': outages.length,
    'faults of the provider': log.faults.length,
    'kinds of these faults': new Set(log.faults.map(({ kind }) => kind)).size,
    'workers that stood still': [...journals.values()].flatMap(({ pauses }) => pauses).length,
  };
}

/** Generations that at least two workers wanted before they had been issued, and got. */
function contended({ log, journals }: Pick<Evidence, 'log' | 'journals'>): number {
  const wanted = new Map<string, Set<string>>();
  for (const [worker, { tokens }] of journals) {
    for (const { asked, grant, generation } of tokens) {
      const pair = log.grants[grant]?.generations[generation];
      if (!pair || generation === 0 || asked > pair.issuedAt) continue;
      const name = nameOf(grant, generation);
      wanted.set(name, (wanted.get(name) ?? new Set()).add(worker));
    }
  }
  return [...wanted.values()].filter(({ size }) => size >= 2).length;
}

function judgeLosses(judge: Judge, { log, killed }: Evidence) {
  const none: Record<Loss, number> = {
    killed: 0,
    held: 0,
    unanswered: 0,
    busy: 0,
    unexplained: 0,
  };
  const found = { all: log.replays.length, ...none };
  const byKill = new Map<string, number>();
  const explained = new Set<number>();
  for (const replay of log.replays) {
    const verdict = judge.loss(replay);
    found[verdict] += 1;
    if (verdict !== 'unexplained') explained.add(replay.grant);
    if (verdict !== 'killed') continue;
    const by = log.grants[replay.grant]?.generations[replay.generation]?.by ?? '';
    byKill.set(by, (byKill.get(by) ?? 0) + 1);
  }
  const beyond = [...byKill].map(([name, count]) => count - judge.underWay(name));
  const losses = {
    ...found,
    mostByOneKill: Math.max(0, ...byKill.values()),
    beyondKills: beyond.reduce((sum, count) => sum + Math.max(0, count), 0),
    underWayAtKills: [...killed.keys()].reduce((sum, name) => sum + judge.underWay(name), 0),
  };
  return { losses, explained };
}

/** Single pairs may be late on a busy machine. Where most of them are, the library is late. */
function judgeWrites(judge: Judge, { log }: Evidence): Record<Promptness, number> {
  const found = { prompt: 0, stalled: 0, busy: 0, late: 0 };
  let ofWorkers = 0;
  log.grants.forEach(({ generations }, grant) => {
    // The first one came with the login.
    for (let generation = 1; generation < generations.length; generation += 1) {
      found[judge.write(grant, generation)] += 1;
      if (generations[generation]?.by !== RUNNER) ofWorkers += 1;
    }
  });
  const isMostLate = found.busy + found.late > ofWorkers / 2;
  return isMostLate ? { ...found, busy: 0, late: found.busy + found.late } : found;
}

/** A worker cannot know that a grant was lost, or that it stood still with a token in its hand. */
function judgeDead(judge: Judge, { log, journals }: Evidence, explained: Set<number>) {
  const found = { wrong: 0, busy: 0, held: 0, ofLostGrants: 0 };
  for (const { grant, generation, isEnded, given, by } of log.dead) {
    const { issuedAt = NaN, lifetime = NaN } = log.grants[grant]?.generations[generation] ?? {};
    const stalled = overlap(judge.stalls(by), issuedAt, given);
    const pauses = journals.get(by)?.pauses ?? [];
    if (!isEnded && explained.has(grant)) found.ofLostGrants += 1;
    else if (overlap(pauses, issuedAt, given) > 0) found.held += 1;
    else if (isEnded && stalled > lifetime / 20) found.busy += 1;
    else found.wrong += 1;
  }
  return found;
}

function judgeCalls({ keys }: Asked, judge: Judge, evidence: Evidence) {
  const { journals, log, lock, redisStalls } = evidence;
  const found = { answered: 0, unanswered: 0, wrong: 0, busy: 0, skipped: 0 };
  const errors: Record<string, number> = {};
  const reasons = reasonsOf(evidence);
  const persons = new Set<number>();
  for (const [worker, journal] of journals) {
    found.skipped += journal.skipped;
    for (const one of journal.calls) {
      const { code, person, status, from, to } = one;
      if (person < keys) persons.add(person);
      if (code === null) {
        found.answered += 1;
        const hasLost = log.grants.some((grant) => grant.person === person && grant.revokedAt);
        if (status !== 200 && !hasLost) found.unanswered += 1;
        continue;
      }
      errors[code] = (errors[code] ?? 0) + 1;
      // The people who were told so count elsewhere.
      if (code === 'reauthorization_required' || reasons(one)) continue;
      const spans = [...judge.stalls(worker), ...log.stalls, ...redisStalls];
      const isBusy = overlap(spans, from - lock, to) > 0;
      found[isBusy ? 'busy' : 'wrong'] += 1;
    }
  }
  return { ...found, errors, persons: persons.size };
}

/** @returns a function that tells whether a fault that this program made can have failed a call */
function reasonsOf({
  log,
  lock,
  outages,
  journals,
  killed,
}: Evidence): (call: CallFact) => boolean {
  const faults = group(log.faults);
  const dead = [...killed.keys()].flatMap((name) => journals.get(name)?.locks ?? []);
  const deadLocks = group(dead.filter(({ isHeld }) => isHeld));
  const pauses = [...journals.values()].flatMap((journal) => journal.pauses);
  const isNear = ({ from, to }: Span, [begin, end]: [number, number]) =>
    from < end + INEXACT_MS && to > begin - INEXACT_MS;
  const awayNear = (call: CallFact, more: number) =>
    outages.some((outage) => isNear(call, [outage.from, outage.to + more]));
  const faultNear = (call: CallFact) =>
    (faults.get(call.person) ?? []).some(({ at }) => isNear(call, [at, at + lock + BACK_MS]));
  const lockNear = (call: CallFact) =>
    (deadLocks.get(call.person) ?? []).some(({ askedAt }) =>
      isNear(call, [askedAt, askedAt + lock]),
    );
  const pauseNear = (call: CallFact) =>
    pauses.some(({ from, to }) => isNear(call, [from, to + lock + BACK_MS]));
  return (call) => {
    const code = call.code ?? '';
    if (PROVIDER_CODES.includes(code)) return faultNear(call) || pauseNear(call);
    if (STORE_CODES.includes(code)) return awayNear(call, BACK_MS) || pauseNear(call);
    if (code !== 'lock_timeout') return false;
    return faultNear(call) || lockNear(call) || pauseNear(call) || awayNear(call, lock);
  };
}

/** The part of the time for which each process did not run. */
function stalledPart({
  beganAt,
  endedAt,
  log,
  journals,
  ownStalls,
  redisStalls,
  outages,
}: Evidence) {
  const part = (spans: readonly Span[]) => overlap(spans, beganAt, endedAt) / (endedAt - beganAt);
  const workers = [...journals.values()].map(({ stalls }) => part(stalls));
  const awake = redisStalls.filter(({ from, to }) => overlap(outages, from, to) === 0);
  const parts = {
    workers: Math.max(0, ...workers),
    provider: part(log.stalls),
    runner: part(ownStalls),
    redis: part(awake),
  };
  const rounded = (value: number) => Math.round(value * 1000) / 1000;
  return {
    workers: rounded(parts.workers),
    provider: rounded(parts.provider),
    runner: rounded(parts.runner),
    redis: rounded(parts.redis),
    most: Math.max(...Object.values(parts)),
  };
}

function stalledAtTheEnd({
  locksRemovedAt,
  endedAt,
  ownStalls,
  redisStalls,
  log,
}: Evidence): number {
  const spans = [...ownStalls, ...redisStalls, ...log.stalls];
  return overlap(spans, locksRemovedAt, endedAt) / (endedAt - locksRemovedAt);
}

/** The delay of the event loop, of the worker with the longest. */
function delays({
  log,
  journals,
  ownDelay,
}: Evidence): Record<'workers' | 'provider' | 'runner', Delay> {
  const all = [...journals.values()].map(({ delay }) => delay);
  const most = (name: keyof Delay) => Math.max(0, ...all.map((delay) => delay[name]));
  return { workers: { p99: most('p99'), max: most('max') }, provider: log.delay, runner: ownDelay };
}

const percentile = (sorted: Float64Array, part: number) =>
  Math.round((sorted[Math.floor((sorted.length - 1) * part)] ?? 0) * 10) / 10;

interface Judged {
  losses: ReturnType<typeof judgeLosses>['losses'];
  writes: Record<Promptness, number>;
  calls: ReturnType<typeof judgeCalls>;
  dead: ReturnType<typeof judgeDead>;
}

function figures({ seconds }: Asked, evidence: Evidence, { losses, writes, calls, dead }: Judged) {
  const { log, journals, killed, killedAtMoment, underLoad, people, atTheEnd } = evidence;
  const times = [...journals.values()].flatMap(({ tokens }) =>
    tokens.map((one) => one.given - one.asked),
  );
  const sorted = Float64Array.from(times).toSorted();
  const { reauthorization_required: told = 0, lock_timeout: gaveUp = 0, ...failed } = calls.errors;
  const kinds: Record<string, number> = {};
  for (const { kind } of log.faults) kinds[kind] = (kinds[kind] ?? 0) + 1;
  return {
    killed: killed.size,
    killedInTokenRequests: killedAtMoment,
    faults: { ...kinds, 'closed when idle': log.closedIdle },
    calls: calls.answered,
    callsPerSecond: Math.round(calls.answered / seconds),
    notBegun: calls.skipped,
    keysUsed: calls.persons,
    latency: {
      p50: percentile(sorted, 0.5),
      p99: percentile(sorted, 0.99),
      max: percentile(sorted, 1),
    },
    refreshes: log.accepted,
    refreshesPerSecond: Math.round(underLoad / seconds),
    refreshRequests: log.accepted + log.replays.length,
    refreshesPerGeneration: (log.accepted + losses.unexplained) / (log.accepted || 1),
    early: log.early,
    cutOff: { before: log.cutOffBefore, after: log.cutOffAfter, recovered: log.recovered },
    grantsLost: losses,
    writes,
    signedInAgain: people.again,
    told,
    gaveUp,
    failed,
    requests: {
      good: log.good,
      dead: dead.wrong + dead.busy,
      ofLostGrants: dead.ofLostGrants,
      held: dead.held,
      older: log.stale,
      diedOnTheWay: log.diedOnTheWay,
      unanswered: calls.unanswered,
    },
    atTheEnd,
  };
}
