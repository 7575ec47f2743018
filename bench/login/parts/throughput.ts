/** Logins per second, and the time of a callback, with many people at a time. */
import { quantile, rotate } from '../statistics';
import type { SubjectName } from '../subjects';
import { roundOf } from './cpu';
import type { OpenApp } from './cpu';

export interface ThroughputPlan {
  subjects: readonly SubjectName[];
  rounds: number;
  levels: { concurrency: number; logins: number }[];
}

export interface ThroughputResult {
  /** By the number of the round. */
  perSecond: Map<number, number>;
  /** Milliseconds of the callback. */
  p50: number[];
  p99: number[];
}

/** By subject, and by the number of people at a time. */
export type ThroughputResults = Map<SubjectName, Map<number, ThroughputResult>>;

const nothing = (): ThroughputResult => ({ perSecond: new Map(), p50: [], p99: [] });

/** @param results of the groups before, which those of this one are added to */
export async function measureThroughput(
  apps: readonly OpenApp[],
  { rounds, levels }: Omit<ThroughputPlan, 'subjects'>,
  group: number,
  results: ThroughputResults = new Map(),
): Promise<ThroughputResults> {
  for (const { subject } of apps.filter((one) => !results.has(one.subject))) {
    results.set(subject, new Map(levels.map(({ concurrency }) => [concurrency, nothing()])));
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const { concurrency, logins } of levels) {
      for (const { subject, app, https } of rotate(apps, round)) {
        // Opens a connection for each person before the clock runs.
        await app.run(https, { logins: concurrency, concurrency });
        const { perSecond, latencies } = await app.run(https, { logins, concurrency });
        const result = results.get(subject)?.get(concurrency);
        result?.perSecond.set(roundOf(group, round), perSecond);
        result?.p50.push(quantile(latencies, 0.5));
        result?.p99.push(quantile(latencies, 0.99));
      }
    }
  }
  return results;
}
