/** The CPU of a login as something grows, each point in units of the first point of its round. */
import type { Stage } from '../stage';
import { rotate } from '../statistics';

export interface GrowthPlan {
  rounds: number;
  logins: number;
  pending: number[];
  tenants: number[];
  keys: number[];
}

export type Growing = 'pending' | 'tenants' | 'keys';

export interface GrowthPoint {
  x: number;
  ratios: number[];
}

export type GrowthResults = Map<Growing, GrowthPoint[]>;

interface Point {
  x: number;
  warmUp?: () => Promise<unknown>;
  run: () => Promise<{ cpu: number }>;
}

export async function measureGrowth(
  stage: Stage,
  { rounds, logins, pending, tenants, keys }: GrowthPlan,
): Promise<GrowthResults> {
  const salesos = stage.app('salesos');
  const salesloft = stage.app('salesloft');
  const plain = await stage.listen({ https: false });
  const shared = await salesloft.mount(plain);
  // Hot before the first point, because all others are compared with it.
  await salesloft.run(shared, { logins: 5 * logins });
  const curves: Record<Growing, Point[]> = {
    pending: pending.map((x) => ({
      x,
      run: async () => await salesloft.run(shared, { logins, pending: x - 1 }),
    })),
    tenants: [],
    keys: [],
  };
  for (const x of tenants) {
    const place = await salesos.mount(plain, x);
    curves.tenants.push({
      x,
      // Every tenant once at least, so that all have their keys.
      warmUp: async () => await salesos.run(place, { logins: Math.max(x, 5 * logins) }),
      run: async () => await salesos.run(place, { logins }),
    });
  }
  for (const x of keys) {
    const place = await salesos.mount(await stage.listen({ https: false, keys: x }));
    curves.keys.push({ x, run: async () => await salesos.run(place, { logins }) });
  }

  const results: GrowthResults = new Map();
  for (const name of Object.keys(curves) as Growing[]) {
    results.set(name, await measureCurve(curves[name], rounds));
  }
  salesos.stop();
  salesloft.stop();
  return results;
}

async function measureCurve(points: readonly Point[], rounds: number): Promise<GrowthPoint[]> {
  const cpu = new Map(points.map((point) => [point, [] as number[]]));
  for (const { warmUp, run } of points) await (warmUp ?? run)();
  for (let round = 0; round < rounds; round += 1) {
    for (const point of rotate(points, round)) cpu.get(point)?.push((await point.run()).cpu);
  }
  const [first = []] = cpu.values();
  return [...cpu].map(([{ x }, values]) => ({
    x,
    ratios: values.map((value, round) => value / (first[round] ?? NaN)),
  }));
}
