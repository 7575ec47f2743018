/**
 * `npm run bench`: the cost of a login, compared with other libraries. `-- --quick` takes two minutes
 * instead of fifteen. `-- --runs 5` measures every goal four times more, six minutes each, and counts how
 * often it held. `-- --part cpu` measures one part (cpu, everyday, throughput, memory, packages, growth)
 * and writes no page.
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
const {
  makeEmptyPackage,
  measureInstalled,
  measureLoading,
  measurePeerInstalled,
} = require('./parts/packages');
const { measureThroughput } = require('./parts/throughput');
const { compose, print, write } = require('./report');
const { Stage } = require('./stage');
const { PEERS, SUBJECTS } = require('./subjects');

const OURS = ['salesloft', 'salesos', 'salesforce'];
const IDEALS = ['idealProfile', 'idealIdToken'];
const PROFILE_PEERS = ['oauth2', 'auth0', 'google'];
const ID_TOKEN_PEERS = ['openidconnect', 'openidClient', 'openidClientSigned'];
/** The subjects that appear in no goal. */
const OTHERS = ['forcedotcom', 'openidClient', 'expressOpenid', 'oauth2Checked'];

const FULL = {
  leaveOut: [],
  warmUp: 3000,
  https: { rounds: 15, logins: 300 },
  http: { rounds: 11, logins: 300 },
  everyday: { idle: [5, 10, 30, 60], samples: 3, warm: 25, hot: 400 },
  cold: { samples: 5 },
  throughput: {
    subjects: [...OURS, ...IDEALS, ...PROFILE_PEERS, ...ID_TOKEN_PEERS, 'forcedotcom'],
    rounds: 5,
    levels: [
      { concurrency: 1, logins: 100 },
      { concurrency: 16, logins: 256 },
      { concurrency: 64, logins: 384 },
      { concurrency: 256, logins: 768 },
    ],
  },
  heap: { fill: 20_000, logins: 10_000, step: 10_000 },
  peerHeap: { fill: 2000, logins: 4000, step: 4000 },
  longHeap: { fill: 20_000, logins: 100_000, step: 10_000 },
  installed: OURS,
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
  leaveOut: [...OTHERS, 'google'],
  warmUp: 400,
  https: { rounds: 9, logins: 120 },
  everyday: {
    peers: ['oauth2', 'openidconnect', 'openidClientSigned'],
    idle: [6],
    samples: 3,
    warm: 8,
    hot: 100,
  },
  cold: { samples: 3 },
  throughput: {
    subjects: [...OURS, 'oauth2', 'auth0', 'openidconnect'],
    rounds: 2,
    levels: [
      { concurrency: 1, logins: 20 },
      { concurrency: 16, logins: 64 },
      { concurrency: 64, logins: 96 },
      { concurrency: 256, logins: 256 },
    ],
  },
  longHeap: { fill: 18_000, logins: 10_000, step: 5000 },
  installed: ['salesloft'],
  loading: { rounds: 5 },
  growth: {
    rounds: 3,
    logins: 60,
    pending: [1, 4, 10],
    tenants: [1, 100, 1000],
    keys: [1, 10, 100],
  },
};

/** Every goal once more, as thoroughly, and only the goals. */
const AGAIN = {
  ...FULL,
  leaveOut: OTHERS,
  everyday: { ...FULL.everyday, peers: [], idle: [5, 30] },
  throughput: {
    ...FULL.throughput,
    subjects: FULL.throughput.subjects.filter((subject) => !OTHERS.includes(subject)),
  },
  heap: undefined,
  longHeap: QUICK.longHeap,
  installed: QUICK.installed,
  growth: undefined,
};

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    runs: { type: 'string', default: '1' },
    part: { type: 'string' },
  },
});
const runs = Math.max(1, Math.min(20, Number(values.runs) || 1));
const wants = (part) => values.part === undefined || values.part === part;
const began = Date.now();
const [loadBefore] = loadavg();
const say = (what) =>
  console.error(`${((Date.now() - began) / 1000).toFixed(0).padStart(4)} s  ${what}`);

/** Installs the peers in a folder with a lock of its own, apart from the published packages. */
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
    console.error('The peers could not be installed. Only our packages are measured.');
  }
}

function isInstalled({ kind, package: name }) {
  if (kind !== 'peer') return true;
  const folder = join(dirname(PEERS), 'node_modules', name);
  if (!existsSync(folder)) console.error(`${name} is not installed, and left out.`);
  return existsSync(folder);
}

async function measureMemory(stage, apps) {
  say('memory');
  const sessions = await measureSessions(
    apps.filter(({ subject }) => SUBJECTS[subject].kind === 'ours' || SUBJECTS[subject].package),
    [1, 50],
  );
  return { sessions, refresh: await measureRefresh(stage, 1000) };
}

/** Runs two at a time: the heap at the end counts, and not the time. */
async function measureHeaps(stage, subjects, plan) {
  say('heap');
  const heap = {};
  const one = async (subject, load) => {
    heap[subject] = { ...(await measureHeap(stage, subject, load)), logins: load.logins };
  };
  if (!plan.heap) {
    await one('salesloft', plan.longHeap);
    return heap;
  }
  // Of the peers, those of a quick run: they have no tables that fill up.
  const others = subjects.filter(
    (name) =>
      name !== 'salesos' && SUBJECTS[name].kind !== 'ideal' && !QUICK.leaveOut.includes(name),
  );
  const inTurn = async () => {
    for (let next = others.shift(); next !== undefined; next = others.shift()) {
      await one(next, SUBJECTS[next].kind === 'ours' ? plan.heap : plan.peerHeap);
    }
  };
  await Promise.all([one('salesos', plan.longHeap), inTurn()]);
  return heap;
}

const packagesOf = (subjects) => [...new Set(subjects.map((name) => SUBJECTS[name].package))];

async function measureInstallation(stage, peers, plan) {
  say('installing ours as published');
  const installed = {};
  for (const name of packagesOf(peers)) installed[name] = measurePeerInstalled(name);
  for (const name of packagesOf(plan.installed)) {
    installed[name] = await measureInstalled(stage, name);
  }
  return installed;
}

async function measure(stage, plan) {
  const subjects = Object.keys(SUBJECTS).filter(
    (subject) => !plan.leaveOut.includes(subject) && isInstalled(SUBJECTS[subject]),
  );
  const there = (names) => names.filter((name) => subjects.includes(name));
  const peers = subjects.filter((subject) => SUBJECTS[subject].kind === 'peer');
  const data = {};

  // First, while few processes run, because it measures milliseconds.
  if (wants('everyday')) {
    say('the everyday login');
    // With its checks on, passport-oauth2 opens the same connections as without.
    const compared = plan.everyday.peers ?? peers.filter((name) => name !== 'oauth2Checked');
    const all = there([...OURS, ...IDEALS, ...compared]);
    data.everyday = await measureEveryday(stage, all, plan.everyday);
    say('the first login of a process');
    data.cold = await measureCold(stage, there([...OURS, ...IDEALS, 'oauth2']), plan.cold);
  }

  if (['cpu', 'throughput', 'memory'].some(wants)) {
    say('proving every login');
    const apps = await openApps(stage, subjects, plan);
    if (wants('cpu')) {
      say('CPU');
      data.https = await measureCpu(apps, { protocol: 'https', ...plan.https });
      if (plan.http) data.http = await measureCpu(apps, { protocol: 'http', ...plan.http });
    }
    if (wants('throughput')) {
      say('many at a time');
      data.throughput = await measureThroughput(
        apps.filter(({ subject }) => plan.throughput.subjects.includes(subject)),
        plan.throughput,
      );
    }
    if (wants('memory')) data.memory = await measureMemory(stage, apps);
    for (const { app } of apps) app.stop();
  }
  // Both measure other things than time.
  const [heap, installed] = await Promise.all([
    wants('memory') ? measureHeaps(stage, subjects, plan) : undefined,
    wants('packages') ? measureInstallation(stage, peers, plan) : undefined,
  ]);
  if (heap) data.memory.heap = heap;
  if (installed) {
    say('loading');
    const loaded = [
      ...packagesOf(OURS).map((name) => ({ name, from: __filename })),
      ...(peers.includes('oauth2') ? [makeEmptyPackage(stage)] : []),
      ...packagesOf(peers).map((name) => ({ name, from: PEERS })),
    ];
    data.packages = { installed, loading: await measureLoading(loaded, plan.loading) };
  }
  if (wants('growth') && plan.growth) {
    say('growth');
    data.growth = await measureGrowth(stage, plan.growth);
  }
  return data;
}

/** The goals of the first run, each with the number of runs in which it held. */
function counted([first, ...others]) {
  if (others.length === 0) return first;
  return first.map((goal) => {
    const all = [goal, ...others.flat().filter(({ what }) => what === goal.what)];
    return { ...goal, of: `${all.filter(({ holds }) => holds).length} of ${all.length}` };
  });
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
    const plan = values.quick ? QUICK : FULL;
    const data = await measure(stage, plan);
    const goals = [judge(data)];
    for (let run = 2; run <= runs; run += 1) {
      say(`run ${run} of ${runs}`);
      goals.push(judge(await measure(stage, plan === FULL ? AGAIN : plan)));
    }
    const asked = process.argv.slice(2).join(' ');
    const report = compose(data, counted(goals), {
      command: `npm run bench${asked && ` -- ${asked}`}`,
      loadBefore,
      warmUp: plan.warmUp,
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
