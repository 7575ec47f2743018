/** The memory that logins leave in the heap, and abandoned logins in the session. */
'use strict';

/** Fills the bounded tables first. After that a login should leave nothing. */
async function measureHeap(stage, subject, { fill, logins, step }) {
  const app = stage.app(subject, ['--expose-gc']);
  const place = await app.mount(await stage.listen({ https: false }));
  const load = { logins: 500, concurrency: 16 };
  const run = async (count) => {
    for (let done = 0; done < count; done += load.logins) await app.run(place, load);
  };
  await run(fill);
  const heap = [await app.call('heap')];
  for (let done = 0; done < logins; done += step) {
    await run(step);
    heap.push(await app.call('heap'));
  }
  app.stop();
  return { heap, per10000: ((heap.at(-1) - heap[0]) / logins) * 10_000 };
}

async function measureSessions(apps, counts) {
  const results = {};
  for (const { subject, app, http } of apps) {
    results[subject] = {};
    for (const count of counts) {
      await app.call('forgetSessions');
      await app.abandon(http, count);
      results[subject][count] = await app.call('sessionBytes');
    }
  }
  return results;
}

/** The time of one refresh for many callers. */
async function measureRefresh(stage, callers) {
  const app = stage.app('salesloft');
  const results = [];
  for (let round = 0; round < 5; round += 1) {
    const listener = await stage.listen();
    const { different, ms } = await app.call('refresh', { origin: listener.origin, callers });
    results.push({ different, ms, requests: (await app.counts(listener)).requests });
  }
  app.stop();
  return results;
}

module.exports = { measureHeap, measureRefresh, measureSessions };
