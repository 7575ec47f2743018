/** The memory that logins leave in the heap, and abandoned logins in the session. */
import type { Stage } from '../stage';
import type { SubjectName } from '../subjects';
import type { OpenApp } from './cpu';

export interface HeapPlan {
  /** Logins that fill the bounded tables. After that a login should leave nothing. */
  fill: number;
  logins: number;
  step: number;
}

export interface HeapResult {
  logins: number;
  /** Bytes, after each step. */
  heap: number[];
  per10000: number;
}

/** Bytes of the session by the number of abandoned logins. */
export type SessionResults = Map<SubjectName, Map<number, number>>;

export interface RefreshResult {
  /** The number of access tokens that the callers got. */
  different: number;
  ms: number;
  requests: number;
}

export async function measureHeap(
  stage: Stage,
  subject: SubjectName,
  { fill, logins, step }: HeapPlan,
): Promise<HeapResult> {
  const app = stage.app(subject, ['--expose-gc']);
  const place = await app.mount(await stage.listen({ https: false }));
  const load = { logins: 500, concurrency: 16 };
  const run = async (count: number) => {
    for (let done = 0; done < count; done += load.logins) await app.run(place, load);
  };
  await run(fill);
  const first = await app.call('heap');
  const heap = [first];
  for (let done = 0; done < logins; done += step) {
    await run(step);
    heap.push(await app.call('heap'));
  }
  app.stop();
  return { logins, heap, per10000: (((heap.at(-1) ?? NaN) - first) / logins) * 10_000 };
}

export async function measureSessions(
  apps: readonly OpenApp[],
  counts: readonly number[],
): Promise<SessionResults> {
  const results: SessionResults = new Map();
  for (const { subject, app, http } of apps) {
    const bytes = new Map<number, number>();
    results.set(subject, bytes);
    for (const count of counts) {
      await app.call('forgetSessions');
      await app.abandon(http, count);
      bytes.set(count, await app.call('sessionBytes'));
    }
  }
  return results;
}

/** The time of one refresh for many callers. */
export async function measureRefresh(stage: Stage, callers: number): Promise<RefreshResult[]> {
  const app = stage.app('salesloft');
  const results: RefreshResult[] = [];
  for (let round = 0; round < 5; round += 1) {
    const listener = await stage.listen();
    const { different, ms } = await app.call('refresh', { origin: listener.origin, callers });
    results.push({ different, ms, requests: (await app.counts(listener)).requests });
  }
  app.stop();
  return results;
}
