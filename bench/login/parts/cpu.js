/**
 * CPU of the app per login, start and callback apart, and the counts of the provider. Each round runs
 * every subject, and ratios are taken within a round, so that a busy moment of the machine affects all.
 */
'use strict';
const { rotate } = require('../statistics');

/**
 * Apps that have run hot, each with a place over http and one over https.
 *
 * @param {string[]} subjects
 */
async function openApps(stage, subjects, { warmUp, http: isHttpMeasured }) {
  const apps = subjects.map((subject) => ({ subject, app: stage.app(subject) }));
  for (const entry of apps) {
    for (const protocol of ['http', 'https']) {
      const listener = await stage.listen({ https: protocol === 'https' });
      entry[protocol] = await entry.app.mount(listener);
      // Proven before it is timed: the person who comes back is the one who was sent away.
      await entry.app.run(entry[protocol], { logins: 2 });
    }
  }
  for (const { app, http, https } of apps) {
    for (let done = 0; done < warmUp; done += 200) {
      const place = isHttpMeasured && done % 400 > 0 ? http : https;
      await app.run(place, { logins: 200, concurrency: 16 });
    }
  }
  return apps;
}

/** @returns {Promise<Record<string, { rounds: object[], perLogin: object }>>} by subject */
async function measureCpu(apps, { protocol, rounds, logins }) {
  const results = {};
  for (const { subject, app, [protocol]: place } of apps) {
    await app.run(place, { logins: 50 });
    results[subject] = { rounds: [], perLogin: { requests: 0, connections: 0 } };
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const { subject, app, [protocol]: place } of rotate(apps, round)) {
      // Opens the connections that were closed since its last turn.
      await app.run(place, { logins: 16 });
      const before = await app.counts(place);
      const { start, callback, cpu } = await app.run(place, { logins });
      const after = await app.counts(place);
      const { rounds: list, perLogin } = results[subject];
      list.push({ start, callback, cpu });
      for (const name of Object.keys(perLogin)) {
        perLogin[name] += (after[name] - before[name]) / (rounds * logins);
      }
    }
  }
  return results;
}

/** Microseconds over the floor, round by round. */
const overFloor = (results, subject, half = 'cpu') =>
  results[subject].rounds.map((round, index) => round[half] - results.floor.rounds[index][half]);

/** Over the floor, in units of another subject's, round by round. */
function ratios(results, subject, reference) {
  const theirs = overFloor(results, reference);
  return overFloor(results, subject).map((own, index) => own / theirs[index]);
}

module.exports = { measureCpu, openApps, overFloor, ratios };
