/**
 * CPU of the app per login, start and callback apart, and the counts of the provider. Each round runs
 * every app that is alive, and ratios are taken within a round, so that a busy moment of the machine
 * affects all. Only apps that are compared are alive together: a system takes memory back from those that
 * wait, and the more code an app has, the longer it then takes to begin again.
 */
import type { App, Costs, Place, Stage } from '../stage';
import { rotate } from '../statistics';
import type { SubjectName } from '../subjects';

export type Protocol = 'http' | 'https';

/** An app with a place over http and one over https. */
export interface OpenApp {
  subject: SubjectName;
  app: App;
  http: Place;
  https: Place;
}

export interface CpuResult {
  /** By the number of the round. */
  rounds: Map<number, Costs>;
  perLogin: { requests: number; connections: number };
}

export type CpuResults = Map<SubjectName, CpuResult>;

export interface CpuPlan {
  rounds: number;
  logins: number;
}

/** A round is numbered by its group and its place there: subjects of several groups have rounds in each. */
export const roundOf = (group: number, round: number): number => group * 1000 + round;

/** Logins of a batch while an app runs hot. */
const BATCH = 200;

/** Apps that have run hot, all at the same code paths. */
export async function openApps(
  stage: Stage,
  subjects: readonly SubjectName[],
  { warmUp, isHttpMeasured }: { warmUp: number; isHttpMeasured: boolean },
): Promise<OpenApp[]> {
  const apps: OpenApp[] = [];
  for (const subject of subjects) {
    const app = stage.app(subject);
    const placeOf = async (https: boolean) => {
      const place = await app.mount(await stage.listen({ https }));
      // Proven before it is timed: the person who comes back is the one who was sent away.
      await app.run(place, { logins: 2 });
      return place;
    };
    apps.push({ subject, app, http: await placeOf(false), https: await placeOf(true) });
  }
  for (const { app, http, https } of apps) {
    for (let done = 0; done < warmUp; done += BATCH) {
      const place = isHttpMeasured && done % (2 * BATCH) > 0 ? http : https;
      await app.run(place, { logins: BATCH, concurrency: 16 });
    }
  }
  return apps;
}

/** @param results of the groups before, which those of this one are added to */
export async function measureCpu(
  apps: readonly OpenApp[],
  protocol: Protocol,
  { rounds, logins }: CpuPlan,
  group: number,
  results: CpuResults = new Map(),
): Promise<CpuResults> {
  for (const { subject, app, [protocol]: place } of apps) {
    await app.run(place, { logins: 50 });
    const { rounds: before = new Map<number, Costs>() } = results.get(subject) ?? {};
    results.set(subject, { rounds: before, perLogin: { requests: 0, connections: 0 } });
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const { subject, app, [protocol]: place } of rotate(apps, round)) {
      // Opens the connections that were closed since its last turn.
      await app.run(place, { logins: 16 });
      const before = await app.counts(place);
      const { start, callback, cpu } = await app.run(place, { logins });
      const after = await app.counts(place);
      const result = results.get(subject);
      if (!result) continue;
      result.rounds.set(roundOf(group, round), { start, callback, cpu });
      result.perLogin.requests += (after.requests - before.requests) / (rounds * logins);
      result.perLogin.connections += (after.connections - before.connections) / (rounds * logins);
    }
  }
  return results;
}

/** Microseconds over the floor, by the number of the round. */
function overFloorByRound(
  results: CpuResults,
  subject: SubjectName,
  half: keyof Costs,
): Map<number, number> {
  const floor = results.get('floor')?.rounds;
  return new Map(
    [...(results.get(subject)?.rounds ?? [])].map(([round, costs]) => [
      round,
      costs[half] - (floor?.get(round)?.[half] ?? NaN),
    ]),
  );
}

export function overFloor(
  results: CpuResults,
  subject: SubjectName,
  half: keyof Costs = 'cpu',
): number[] {
  return [...overFloorByRound(results, subject, half).values()];
}

/** Over the floor, in units of another subject's, in the rounds that both took part in. */
export function ratios(
  results: CpuResults,
  subject: SubjectName,
  reference: SubjectName,
): number[] {
  const theirs = overFloorByRound(results, reference, 'cpu');
  return [...overFloorByRound(results, subject, 'cpu')].flatMap(([round, own]) => {
    const other = theirs.get(round);
    return other === undefined ? [] : [own / other];
  });
}
