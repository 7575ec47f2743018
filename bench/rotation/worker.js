/** One process of an application: takes tokens of random people, and calls the API with them. */
'use strict';
const { setInterval: every } = require('node:timers/promises');
const { authorizedFetch } = require('crm-oauth2');
const { salesloft } = require('passport-salesloft');
const { connect } = require('./library');

const { where, name, rate, keys } = JSON.parse(process.argv[2]);

/** Between two batches of calls, and between two reports. */
const TICK_MS = 10;
const REPORT_MS = 250;

/** Calls under way, including those that wait for the lock of a killed worker. */
const MAX_CALLS = 400;

/** Half of the calls are about a few people, the same in every worker, so that the workers compete. */
const CROWD = Math.min(10, keys);
const CROWD_LASTS_MS = 2000;

/** The other half takes all people in turn, across all workers. */
async function choose(library) {
  if (Math.random() < 0.5) return (await library.count()) % keys;
  const member = Math.floor(Math.random() * CROWD);
  return (Math.floor(Date.now() / CROWD_LASTS_MS) * CROWD + member) % keys;
}

let report;
function begin() {
  report = { calls: 0, skipped: 0, unanswered: 0, latencies: [], errors: [], persons: new Set() };
}
function send() {
  if (process.connected) process.send({ report: { ...report, persons: [...report.persons] } });
  begin();
}

async function call(library) {
  const person = await choose(library);
  report.persons.add(person);
  const tokens = library.tokensOf(person);
  let headers;
  const source = {
    provider: salesloft,
    getAccessToken: async (options) => {
      const asked = Date.now();
      const began = performance.now();
      const token = await tokens.getAccessToken(options);
      report.latencies.push(performance.now() - began);
      headers = { 'x-asked': String(asked), 'x-given': String(Date.now()) };
      return token;
    },
  };
  const api = authorizedFetch(source, {
    baseURL: where.origin,
    fetch: (url, init) => {
      for (const [header, value] of Object.entries(headers)) init.headers.set(header, value);
      return fetch(url, init);
    },
  });
  try {
    const response = await api('/api');
    await response.arrayBuffer();
    report.calls += 1;
    if (!response.ok) report.unanswered += 1;
  } catch (error) {
    report.errors.push({ person, code: error.code ?? error.message });
  }
}

async function main() {
  const library = await connect(where, name);
  const stop = new AbortController();
  process.on('message', () => stop.abort());
  process.on('disconnect', () => process.exit());
  begin();
  const reporting = setInterval(send, REPORT_MS);
  const running = new Set();
  let due = 0;
  let last = performance.now();
  try {
    for await (const _ of every(TICK_MS, undefined, { signal: stop.signal })) {
      const now = performance.now();
      // After a pause of this process, the missed calls are dropped.
      due = Math.min(due + ((now - last) * rate) / 1000, rate / 10);
      last = now;
      for (; due >= 1; due -= 1) {
        if (running.size >= MAX_CALLS) {
          report.skipped += 1;
          continue;
        }
        const one = call(library).finally(() => running.delete(one));
        running.add(one);
      }
    }
  } catch (error) {
    if (error.name !== 'AbortError') throw error;
  }
  await Promise.all(running);
  clearInterval(reporting);
  send();
  await library.close();
  process.disconnect();
}

// Ctrl-C reaches every process. The runner decides when they end.
process.on('SIGINT', () => undefined);
void main();
