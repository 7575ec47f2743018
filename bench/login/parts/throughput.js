/** Logins per second, and the time of a callback, with many people at a time. */
'use strict';
const { quantile, rotate } = require('../statistics');

async function measureThroughput(apps, { rounds, levels }) {
  const results = {};
  for (const { subject } of apps) {
    results[subject] = Object.fromEntries(
      levels.map(({ concurrency }) => [concurrency, { perSecond: [], p50: [], p99: [] }]),
    );
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const { concurrency, logins } of levels) {
      for (const { subject, app, https } of rotate(apps, round)) {
        // Opens a connection for each person before the clock runs.
        await app.run(https, { logins: concurrency, concurrency });
        const { perSecond, latencies } = await app.run(https, { logins, concurrency });
        const result = results[subject][concurrency];
        result.perSecond.push(perSecond);
        result.p50.push(quantile(latencies, 0.5));
        result.p99.push(quantile(latencies, 0.99));
      }
    }
  }
  return results;
}

module.exports = { measureThroughput };
