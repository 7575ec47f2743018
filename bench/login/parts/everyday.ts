/**
 * The time of the callback over TLS, when a round trip to the provider takes 40 ms: directly after another
 * login, after some quiet, and as the first of a process. Each subject has one process. Each sample has a
 * listener, a distance and a strategy of its own, so that all may wait at the same time.
 */
import type { App, Place, Stage } from '../stage';
import { wait } from '../stage';
import { median } from '../statistics';
import type { SubjectName } from '../subjects';

export const RTT_MS = 40;
/** The person is at the provider for so long, which is enough to open a connection. */
const PAUSE_MS = 400;
/** Between the starts of two samples, so that they do not overlap. */
const STEP_MS = 60;

/** The provider closes idle connections after one of these times. */
export const KEPT_SECONDS = [65, 3] as const;

export interface EverydayPlan {
  /** Seconds of quiet. */
  idle: number[];
  samples: number;
  /** Logins that are measured directly after each other. */
  busy: number;
  /** Logins before anything is measured. */
  hot: number;
}

export interface Sample {
  keepAlive: number;
  /** Of quiet. */
  seconds: number;
  /** Infinity for a login that failed: some send their request on a connection that is about to close. */
  ms: number;
  requests: number;
  connections: number;
  resumed: number;
}

export interface EverydayResult {
  busy: number[];
  idle: Sample[];
}

export type EverydayResults = Map<SubjectName, EverydayResult>;

interface Slot {
  keepAlive: number;
  seconds: number;
  place: Place;
}

async function openSubject(stage: Stage, subject: SubjectName, { idle, samples }: EverydayPlan) {
  const app = stage.app(subject);
  const near = await app.mount(await stage.listen());
  const busy = await app.mount(await stage.listen({ rtt: RTT_MS }));
  const slots: Slot[] = [];
  for (const keepAlive of KEPT_SECONDS) {
    for (const seconds of idle) {
      for (let sample = 0; sample < samples; sample += 1) {
        const listener = await stage.listen({ rtt: RTT_MS, keepAlive: keepAlive * 1000 });
        slots.push({ keepAlive, seconds, place: await app.mount(listener) });
      }
    }
  }
  return { subject, app, near, busy, slots };
}

async function sampleAfterQuiet(app: App, { keepAlive, seconds, place }: Slot): Promise<Sample> {
  // It only opens the connection; it may fail as any other after the time since the first login.
  await app.login(place, 100).catch(() => undefined);
  await wait(seconds * 1000);
  const before = await app.counts(place);
  const ms = await app.login(place, PAUSE_MS).catch(() => Infinity);
  const after = await app.counts(place);
  return {
    keepAlive,
    seconds,
    ms,
    requests: after.requests - before.requests,
    connections: after.connections - before.connections,
    resumed: after.resumed - before.resumed,
  };
}

export async function measureEveryday(
  stage: Stage,
  subjects: readonly SubjectName[],
  plan: EverydayPlan,
): Promise<EverydayResults> {
  const apps = await Promise.all(
    subjects.map(async (subject) => await openSubject(stage, subject, plan)),
  );
  for (const { app, near } of apps) await app.run(near, { logins: plan.hot });

  const results: EverydayResults = new Map();
  for (const { subject } of apps) results.set(subject, { busy: [], idle: [] });
  for (let login = -2; login < plan.busy; login += 1) {
    for (const { subject, app, busy } of apps) {
      const ms = await app.login(busy, 10);
      if (login >= 0) results.get(subject)?.busy.push(ms);
    }
  }

  // In turns, so that the samples of one subject do not follow each other.
  const turns = apps
    .flatMap(({ subject, app, slots }) => slots.map((slot, turn) => ({ subject, app, slot, turn })))
    .toSorted((a, b) => a.turn - b.turn);
  const inTurn = async (act: (turn: (typeof turns)[number]) => Promise<unknown>) =>
    await Promise.all(
      turns.map(async (turn, index) => {
        await wait(index * STEP_MS);
        await act(turn);
      }),
    );
  // The first login of a strategy takes longer, and would disturb the measured ones.
  await inTurn(async ({ app, slot }) => await app.login(slot.place, 100));
  await inTurn(async ({ subject, app, slot }) => {
    const sample = await sampleAfterQuiet(app, slot);
    results.get(subject)?.idle.push(sample);
  });
  for (const { app } of apps) app.stop();
  return results;
}

/** The samples of one case. */
export const samplesOf = ({ idle }: EverydayResult, keepAlive: number, seconds: number): Sample[] =>
  idle.filter((sample) => sample.keepAlive === keepAlive && sample.seconds === seconds);

/** The medians of the samples of one case that did not fail, and the number of those that did. */
export function everydayCase(
  result: EverydayResult,
  keepAlive: number,
  seconds: number,
): Omit<Sample, 'keepAlive' | 'seconds'> & { failed: number } {
  const all = samplesOf(result, keepAlive, seconds);
  const samples = all.filter(({ ms }) => ms < Infinity);
  const of = (name: 'ms' | 'requests' | 'connections' | 'resumed') =>
    median(samples.map((sample) => sample[name]));
  return {
    ms: of('ms'),
    requests: of('requests'),
    connections: of('connections'),
    resumed: of('resumed'),
    failed: all.length - samples.length,
  };
}

export interface ColdResult {
  subject: SubjectName;
  /** `client.warm()` was awaited before the first login. */
  isWarmed: boolean;
  first: number[];
  /** A later login of the same process. */
  later: number[];
}

/** The first login of a process, without `client.warm()` and after it, and a later one. */
export async function measureCold(
  stage: Stage,
  cases: readonly { subject: SubjectName; isWarmed: boolean }[],
  { samples }: { samples: number },
): Promise<ColdResult[]> {
  const results: ColdResult[] = cases.map((one) => ({ ...one, first: [], later: [] }));
  // In rounds, so that the processes of a round, and not all, are alive.
  for (let sample = 0; sample < samples; sample += 1) {
    const apps = await Promise.all(
      results.map(async (result) => {
        const app = stage.app(result.subject);
        const place = await app.mount(await stage.listen({ rtt: RTT_MS }));
        return { result, app, place };
      }),
    );
    // One after the other: code that runs for the first time takes a core for so long that the next
    // login would wait for it.
    for (const { app, place, result } of apps) {
      if (result.isWarmed) await app.call('warm');
      result.first.push(await app.login(place, PAUSE_MS));
      for (let login = 0; login < 3; login += 1) await app.login(place, 20);
      result.later.push(await app.login(place, 20));
      app.stop();
    }
  }
  return results;
}
