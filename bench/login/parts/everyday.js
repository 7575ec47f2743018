/**
 * The time of the callback over TLS, when a round trip to the provider takes 40 ms: directly after another
 * login, after some quiet, and as the first of a process. Each subject has one process. Each sample has a
 * listener, a distance and a strategy of its own, so that all may wait at the same time.
 */
'use strict';
const { wait } = require('../stage');
const { median } = require('../statistics');

const RTT_MS = 40;
/** The person is at the provider for so long, which is enough to open a connection. */
const PAUSE_MS = 400;
/** Between the starts of two samples, so that they do not overlap. */
const STEP_MS = 60;

const difference = (after, before) =>
  Object.fromEntries(Object.keys(after).map((name) => [name, after[name] - before[name]]));

/**
 * @param {string[]} subjects
 * @param {{ idle: number[], samples: number, warm: number, hot: number }} plan
 */
async function measureEveryday(stage, subjects, { idle, samples, warm, hot }) {
  const apps = await Promise.all(
    subjects.map(async (subject) => {
      const app = stage.app(subject);
      const near = await app.mount(await stage.listen());
      const busy = await app.mount(await stage.listen({ rtt: RTT_MS }));
      const slots = [];
      for (const keepAlive of [65, 3]) {
        for (const seconds of idle) {
          for (let sample = 0; sample < samples; sample += 1) {
            const listener = await stage.listen({ rtt: RTT_MS, keepAlive: keepAlive * 1000 });
            slots.push({ keepAlive, seconds, place: await app.mount(listener) });
          }
        }
      }
      return { subject, app, near, busy, slots };
    }),
  );
  for (const { app, near } of apps) await app.run(near, { logins: hot });

  const results = {};
  for (const { subject, app, busy } of apps) {
    const times = [];
    for (let login = 0; login < warm + 2; login += 1) times.push(await app.login(busy, 30));
    results[subject] = { busy: times.slice(2), idle: [] };
  }

  // In turns, so that the samples of one subject do not follow each other.
  const turns = apps
    .flatMap(({ subject, app, slots }) => slots.map((slot, turn) => ({ subject, app, slot, turn })))
    .toSorted((a, b) => a.turn - b.turn);
  const inTurn = async (act) =>
    await Promise.all(
      turns.map(async (turn, index) => {
        await wait(index * STEP_MS);
        await act(turn);
      }),
    );
  // The first login of a strategy takes longer, and would disturb the measured ones.
  await inTurn(async ({ app, slot }) => await app.login(slot.place, 100));
  await inTurn(async ({ subject, app, slot }) => {
    await app.login(slot.place, 100);
    await wait(slot.seconds * 1000);
    const before = await app.counts(slot.place);
    const ms = await app.login(slot.place, PAUSE_MS);
    const counts = difference(await app.counts(slot.place), before);
    const { keepAlive, seconds } = slot;
    results[subject].idle.push({ keepAlive, seconds, ms, ...counts });
  });
  for (const { app } of apps) app.stop();
  return results;
}

/** The medians of the samples of one case. */
function everydayCase(result, keepAlive, seconds) {
  const samples = result.idle.filter(
    (sample) => sample.keepAlive === keepAlive && sample.seconds === seconds,
  );
  const of = (name) => median(samples.map((sample) => sample[name]));
  return {
    ms: of('ms'),
    requests: of('requests'),
    connections: of('connections'),
    resumed: of('resumed'),
  };
}

/** The first login of a process, and the second. */
async function measureCold(stage, subjects, { samples }) {
  const apps = [];
  for (let sample = 0; sample < samples; sample += 1) {
    for (const subject of subjects) {
      const app = stage.app(subject);
      apps.push({ subject, app, place: await app.mount(await stage.listen({ rtt: RTT_MS })) });
    }
  }
  const results = Object.fromEntries(subjects.map((subject) => [subject, { first: [], warm: [] }]));
  await Promise.all(
    apps.map(async ({ subject, app, place }, index) => {
      await wait(index * 150);
      results[subject].first.push(await app.login(place, PAUSE_MS));
      for (let login = 0; login < 3; login += 1) await app.login(place, 50);
      results[subject].warm.push(await app.login(place, 50));
    }),
  );
  for (const { app } of apps) app.stop();
  return results;
}

module.exports = { RTT_MS, everydayCase, measureCold, measureEveryday };
