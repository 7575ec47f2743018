/** The CPU of a login as something grows, each point in units of the first point of its round. */
'use strict';
const { rotate } = require('../statistics');

/** @returns {Promise<Record<string, { x: number, ratios: number[] }[]>>} by what grows */
async function measureGrowth(stage, { rounds, logins, pending, tenants, keys }) {
  const salesos = stage.app('salesos');
  const salesloft = stage.app('salesloft');
  const { listen } = stage;
  const plain = await listen.call(stage, { https: false });
  const shared = await salesloft.mount(plain);
  // Hot before the first point, because all others are compared with it.
  await salesloft.run(shared, { logins: 5 * logins });
  const curves = {
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
      place,
      // Every tenant once at least, so that all have their keys.
      warmUp: async () => await salesos.run(place, { logins: Math.max(x, 5 * logins) }),
      run: async () => await salesos.run(place, { logins }),
    });
  }
  for (const x of keys) {
    const place = await salesos.mount(await stage.listen({ https: false, keys: x }));
    curves.keys.push({ x, run: async () => await salesos.run(place, { logins }) });
  }

  const results = {};
  for (const [name, points] of Object.entries(curves)) {
    const cpu = points.map(() => []);
    for (const { warmUp, run } of points) await (warmUp ?? run)();
    for (let round = 0; round < rounds; round += 1) {
      for (const point of rotate(points, round)) {
        cpu[points.indexOf(point)].push((await point.run()).cpu);
      }
    }
    results[name] = points.map(({ x }, index) => ({
      x,
      ratios: cpu[index].map((value, round) => value / cpu[0][round]),
    }));
  }
  salesos.stop();
  salesloft.stop();
  return results;
}

module.exports = { measureGrowth };
