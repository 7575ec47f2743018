/**
 * `npm run bench`: what a login costs, beside what others cost. `-- --quick` takes two minutes instead
 * of fifteen, `-- --runs 5` repeats the CPU part and says how often each goal held, `-- --part cpu`
 * measures one part (cpu, everyday, throughput, memory, packages, growth) and writes nothing.
 */
'use strict';
const { execFileSync } = require('node:child_process');
const { existsSync } = require('node:fs');
const { loadavg } = require('node:os');
const { dirname, join } = require('node:path');
const { parseArgs } = require('node:util');
const { judge } = require('./goals');
const { measureCpu, openApps } = require('./parts/cpu');
const { measureCold, measureEveryday } = require('./parts/everyday');
const { measureGrowth } = require('./parts/growth');
const { measureHeap, measureRefresh, measureSessions } = require('./parts/memory');
const { measureInstalled, measureLoading, measurePeerInstalled } = require('./parts/packages');
const { measureThroughput } = require('./parts/throughput');
const { compose, print, write } = require('./report');
const { Stage } = require('./stage');
const { PEERS, SUBJECTS } = require('./subjects');

const FULL = {
  warmUp: 1000,
  https: { rounds: 15, logins: 300 },
  http: { rounds: 7, logins: 200 },
  everyday: { idle: [5, 10, 30, 60], samples: 3, warm: 25, hot: 400 },
  cold: { samples: 5 },
  throughput: {
    rounds: 5,
    levels: [
      { concurrency: 1, logins: 100 },
      { concurrency: 16, logins: 256 },
      { concurrency: 64, logins: 384 },
      { concurrency: 256, logins: 768 },
    ],
  },
  heap: { fill: 10_000, logins: 10_000, step: 5000 },
  longHeap: { fill: 10_000, logins: 100_000, step: 10_000 },
  loading: { rounds: 21 },
  growth: {
    rounds: 7,
    logins: 200,
    pending: [1, 2, 4, 7, 10],
    tenants: [1, 100, 1000],
    keys: [1, 10, 100],
  },
};

const QUICK = {
  warmUp: 300,
  https: { rounds: 7, logins: 100 },
  http: { rounds: 3, logins: 60 },
  everyday: { idle: [6], samples: 3, warm: 10, hot: 150 },
  cold: { samples: 3 },
  throughput: {
    rounds: 2,
    levels: [
      { concurrency: 1, logins: 30 },
      { concurrency: 16, logins: 96 },
      { concurrency: 64, logins: 128 },
      { concurrency: 256, logins: 256 },
    ],
  },
  heap: undefined,
  longHeap: { fill: 10_000, logins: 10_000, step: 5000 },
  loading: { rounds: 5 },
  growth: {
    rounds: 3,
    logins: 60,
    pending: [1, 4, 10],
    tenants: [1, 100, 1000],
    keys: [1, 10, 100],
  },
};

const OURS = ['salesloft', 'salesos', 'salesforce'];
const IDEALS = ['idealProfile', 'idealIdToken'];
const PROFILE_PEERS = ['oauth2', 'google', 'auth0'];

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    runs: { type: 'string', default: '1' },
    part: { type: 'string' },
  },
});
const plan = values.quick ? QUICK : FULL;
const runs = Math.max(1, Math.min(20, Number(values.runs) || 1));
const wants = (part) => values.part === undefined || values.part === part;
const began = Date.now();
const [loadBefore] = loadavg();
const say = (what) =>
  console.error(`${((Date.now() - began) / 1000).toFixed(0).padStart(4)} s  ${what}`);

/** In a folder of their own, with their own lock: they are no part of what we publish. */
function installPeers() {
  const folder = dirname(PEERS);
  const installed = join(folder, 'node_modules', '.package-lock.json');
  if (existsSync(installed)) return;
  const npm = process.env.npm_execpath;
  say('installing the peers (once)');
  try {
    execFileSync(
      npm ? process.execPath : 'npm',
      [
        ...(npm ? [npm] : []),
        'ci',
        '--no-workspaces',
        '--no-audit',
        '--no-fund',
        '--loglevel=error',
      ],
      { cwd: folder, stdio: 'inherit' },
    );
  } catch {
    console.error('The peers could not be installed; ours are measured alone.');
  }
}

function isInstalled({ kind, package: name }) {
  if (kind !== 'peer') return true;
  const folder = join(dirname(PEERS), 'node_modules', name);
  if (!existsSync(folder)) console.error(`${name} is not installed, and left out.`);
  return existsSync(folder);
}

async function measureMemory(stage, apps, subjects) {
  const data = { sessions: {}, heap: {} };
  say('memory');
  data.sessions = await measureSessions(
    apps.filter(({ subject }) => SUBJECTS[subject].kind !== 'ideal' && SUBJECTS[subject].strategy),
    [1, 50],
  );
  const heap = async (subject, load) => {
    data.heap[subject] = { ...(await measureHeap(stage, subject, load)), logins: load.logins };
  };
  data.refresh = await measureRefresh(stage, 1000);
  if (!plan.heap) {
    await heap('salesloft', plan.longHeap);
    return data;
  }
  // Two at a time: only what is left counts, not how long it took.
  const others = subjects.filter((name) => name !== 'salesos' && SUBJECTS[name].kind !== 'ideal');
  const inTurn = async () => {
    for (let next = others.shift(); next !== undefined; next = others.shift()) {
      await heap(next, plan.heap);
    }
  };
  await Promise.all([heap('salesos', plan.longHeap), inTurn()]);
  return data;
}

async function measurePackages(stage, peers) {
  const names = [...new Set(peers.map((subject) => SUBJECTS[subject].package))];
  const own = OURS.map((subject) => SUBJECTS[subject].package);
  const installed = {};
  for (const name of names) installed[name] = measurePeerInstalled(name);
  for (const name of values.quick ? own.slice(0, 1) : own) {
    installed[name] = await measureInstalled(stage, name);
  }
  say('loading');
  const loading = await measureLoading(
    [
      ...own.map((name) => ({ name, isPeer: false })),
      ...names.map((name) => ({ name, isPeer: true })),
    ],
    plan.loading,
  );
  return { loading, installed };
}

async function measure(stage) {
  const subjects = Object.keys(SUBJECTS).filter((subject) => isInstalled(SUBJECTS[subject]));
  const there = (names) => names.filter((name) => subjects.includes(name));
  const peers = subjects.filter((subject) => SUBJECTS[subject].kind === 'peer');
  const data = {};

  // First, while few processes are there: it is about milliseconds.
  if (wants('everyday')) {
    say('the everyday login');
    const compared = values.quick
      ? [...PROFILE_PEERS.slice(0, 1), 'openidconnect', 'openidClientSigned']
      : peers;
    const all = there([...OURS, ...IDEALS, ...compared]);
    data.everyday = await measureEveryday(stage, all, plan.everyday);
    say('the first login of a process');
    data.cold = await measureCold(stage, there([...OURS, ...IDEALS, 'oauth2']), plan.cold);
  }

  if (['cpu', 'throughput', 'memory'].some(wants)) {
    say('proving every login');
    const apps = await openApps(stage, subjects, plan);
    if (wants('cpu')) {
      data.https = [];
      data.http = [];
      for (let run = 1; run <= runs; run += 1) {
        say(`CPU, run ${run} of ${runs}`);
        data.https.push(await measureCpu(apps, { protocol: 'https', ...plan.https }));
        data.http.push(await measureCpu(apps, { protocol: 'http', ...plan.http }));
      }
    }
    if (wants('throughput')) {
      say('many at a time');
      const compared = ['openidconnect', 'openidClient', 'openidClientSigned', 'forcedotcom'];
      const all = there(
        values.quick
          ? [...OURS, ...PROFILE_PEERS.slice(0, 2), 'openidconnect']
          : [...OURS, ...IDEALS, ...PROFILE_PEERS, ...compared],
      );
      data.throughput = await measureThroughput(
        apps.filter(({ subject }) => all.includes(subject)),
        plan.throughput,
      );
    }
    if (wants('memory')) data.memory = await measureMemory(stage, apps, subjects);
    for (const { app } of apps) app.stop();
  }
  if (wants('packages')) {
    say('installing ours as published');
    data.packages = await measurePackages(stage, peers);
  }
  if (wants('growth')) {
    say('growth');
    data.growth = await measureGrowth(stage, plan.growth);
  }
  return data;
}

async function main() {
  installPeers();
  const stage = new Stage();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.once(signal, () => {
      stage.close();
      process.exit(1);
    });
  }
  try {
    const data = await measure(stage);
    const asked = process.argv.slice(2).join(' ');
    const report = compose(data, judge(data), {
      command: `npm run bench${asked && ` -- ${asked}`}`,
      loadBefore,
      minutes: (Date.now() - began) / 60_000,
    });
    await print(report);
    if (values.part === undefined) await write(report);
  } finally {
    stage.close();
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
