/**
 * `npm run bench`: the cost of a login, compared with other libraries. `-- --quick` takes two minutes
 * instead of fifteen. `-- --runs 3` measures every goal twice more, and tells the verdicts of all runs.
 * `-- --part cpu` measures one part (cpu, everyday, throughput, memory, packages, growth), and
 * `--only salesloft,oauth2Checked` some subjects; neither writes the page.
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { describeCores } from '../cores';
import { installPeers, isPeerInstalled } from '../peers';
import { PEERS } from '../places';
import type { Figures, Part } from './figures';
import { judge } from './goals';
import type { Goal } from './goals';
import { measureCpu, openApps } from './parts/cpu';
import { measureCold, measureEveryday } from './parts/everyday';
import type { EverydayResults } from './parts/everyday';
import { measureGrowth } from './parts/growth';
import { measureHeap, measureRefresh, measureSessions } from './parts/memory';
import type { HeapResult } from './parts/memory';
import {
  makeEmptyPackage,
  measureInstalled,
  measureLoading,
  measurePeerInstalled,
} from './parts/packages';
import type { Installed } from './parts/packages';
import { measureThroughput } from './parts/throughput';
import { AGAIN, FULL, IDEALS, OURS, QUICK } from './plans';
import type { Plan } from './plans';
import { caution, compose, print, write } from './report';
import { Stage } from './stage';
import { SUBJECTS } from './subjects';
import type { SubjectName } from './subjects';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    runs: { type: 'string', default: '1' },
    part: { type: 'string' },
    only: { type: 'string' },
  },
});
const MOST_RUNS = 20;
const runs = Math.max(1, Math.min(MOST_RUNS, Number(values.runs) || 1));
const only = values.only?.split(',');
const wants = (part: Part) => values.part === undefined || values.part === part;
const began = Date.now();
const [loadBefore = 0] = loadavg();
const say = (what: string) =>
  console.error(`${((Date.now() - began) / 1000).toFixed(0).padStart(4)} s  ${what}`);

function subjectsOf(plan: Plan): SubjectName[] {
  return plan.subjects.filter((subject) => {
    const { kind, package: name = '' } = SUBJECTS[subject];
    const isAsked = only === undefined || subject === 'floor' || only.includes(subject);
    return isAsked && (kind !== 'peer' || isPeerInstalled(name));
  });
}

const packagesOf = (subjects: readonly SubjectName[]) => [
  ...new Set(subjects.flatMap((name) => SUBJECTS[name].package ?? [])),
];

/** First, while few processes run, because it measures milliseconds. */
async function measureWaiting(stage: Stage, subjects: SubjectName[], plan: Plan): Promise<Figures> {
  say('the everyday login');
  const isMeasured = (subject: SubjectName) => plan.everyday.subjects.includes(subject);
  const everyday: EverydayResults = new Map();
  for (const group of plan.groups) {
    const apps = group.subjects.filter(
      (subject) => subjects.includes(subject) && isMeasured(subject) && !everyday.has(subject),
    );
    const results = await measureEveryday(stage, apps, plan.everyday);
    for (const [subject, result] of results) everyday.set(subject, result);
  }
  say('the first login of a process');
  const there = (names: readonly SubjectName[]) => names.filter((one) => subjects.includes(one));
  const cases = [
    ...there(OURS).map((subject) => ({ subject, isWarmed: true })),
    ...there([...OURS, ...IDEALS, 'oauth2Checked', 'floor']).map((subject) => ({
      subject,
      isWarmed: false,
    })),
  ];
  return { everyday, cold: await measureCold(stage, cases, plan.cold) };
}

/** Adds what one group shows to the figures of the groups before. */
async function measureGroup(
  stage: Stage,
  { number, isShown }: { number: number; isShown?: true },
  subjects: readonly SubjectName[],
  plan: Plan,
  figures: Figures,
): Promise<void> {
  say(`${subjects.length} apps: proving every login, and running hot`);
  const apps = await openApps(stage, subjects, plan);
  if (wants('cpu')) {
    say('CPU');
    const { rounds, logins } = plan.cpu;
    const how = { logins, rounds: isShown ? Math.ceil(rounds / 3) : rounds };
    if (plan.isHttpMeasured) {
      figures.http = await measureCpu(apps, 'http', how, number, figures.http);
    }
    figures.https = await measureCpu(apps, 'https', how, number, figures.https);
  }
  const taking = apps.filter(({ subject }) => plan.throughput.subjects.includes(subject));
  if (wants('throughput') && taking.length > 1 && !isShown) {
    say('many at a time');
    const before = figures.throughput;
    figures.throughput = await measureThroughput(taking, plan.throughput, number, before);
  }
  if (wants('memory')) {
    const kept = apps.filter(({ subject }) => SUBJECTS[subject].package !== undefined);
    const sessions = await measureSessions(kept, [1, 50]);
    figures.memory ??= { sessions: new Map(), refresh: [], heap: new Map() };
    for (const [subject, size] of sessions) figures.memory.sessions.set(subject, size);
  }
  for (const { app } of apps) app.stop();
}

async function measureSpeed(
  stage: Stage,
  subjects: readonly SubjectName[],
  plan: Plan,
): Promise<Figures> {
  const figures: Figures = {};
  for (const [number, group] of plan.groups.entries()) {
    const there = group.subjects.filter((subject) => subjects.includes(subject));
    // The floor by itself is compared with nothing.
    if (there.length < 2) continue;
    await measureGroup(stage, { number, ...group }, there, plan, figures);
  }
  if (figures.memory) figures.memory.refresh = await measureRefresh(stage, 1000);
  return figures;
}

async function measureHeaps(
  stage: Stage,
  subjects: readonly SubjectName[],
  plan: Plan,
): Promise<Map<SubjectName, HeapResult>> {
  say('heap');
  const heaps = new Map<SubjectName, HeapResult>();
  for (const { subject, ...load } of plan.heap) {
    if (subjects.includes(subject)) heaps.set(subject, await measureHeap(stage, subject, load));
  }
  return heaps;
}

async function measureInstallation(
  stage: Stage,
  peers: readonly SubjectName[],
  plan: Plan,
): Promise<Map<string, Installed>> {
  say('installing ours as published');
  const installed = new Map<string, Installed>();
  for (const name of packagesOf(peers)) installed.set(name, measurePeerInstalled(name));
  for (const name of plan.installed) installed.set(name, await measureInstalled(stage, name));
  return installed;
}

async function measurePackages(
  stage: Stage,
  subjects: readonly SubjectName[],
  installed: Map<string, Installed>,
  plan: Plan,
): Promise<Figures> {
  say('loading');
  const peers = subjects.filter((subject) => SUBJECTS[subject].kind === 'peer');
  const loaded = [
    ...packagesOf(OURS).map((name) => ({ name, from: __filename })),
    ...(peers.length > 0 ? [makeEmptyPackage(stage)] : []),
    ...packagesOf(peers).map((name) => ({ name, from: PEERS })),
  ];
  const how = { ...plan.loading, core: stage.cores?.app };
  return { packages: { installed, loading: await measureLoading(loaded, how) } };
}

async function measure(stage: Stage, plan: Plan): Promise<Figures> {
  const subjects = subjectsOf(plan);
  const figures: Figures = wants('everyday') ? await measureWaiting(stage, subjects, plan) : {};
  const parts: Part[] = ['cpu', 'throughput', 'memory'];
  if (parts.some(wants)) {
    Object.assign(figures, await measureSpeed(stage, subjects, plan));
  }
  const peers = subjects.filter((subject) => SUBJECTS[subject].kind === 'peer');
  // Both measure other things than time.
  const [heap, installed] = await Promise.all([
    figures.memory ? measureHeaps(stage, subjects, plan) : undefined,
    wants('packages') ? measureInstallation(stage, peers, plan) : undefined,
  ]);
  if (figures.memory && heap) figures.memory.heap = heap;
  if (installed) {
    Object.assign(figures, await measurePackages(stage, subjects, installed, plan));
  }
  if (wants('growth') && plan.growth) {
    say('growth');
    figures.growth = await measureGrowth(stage, plan.growth);
  }
  return figures;
}

/** The goals of the first run, each with its verdicts in all runs. */
function withRuns([first = [], ...others]: Goal[][]): Goal[] {
  if (others.length === 0) return first;
  return first.map((goal) => {
    const same = others.flat().filter(({ what }) => what === goal.what);
    return { ...goal, runs: [goal, ...same].map(({ verdict }) => verdict) };
  });
}

async function main(): Promise<void> {
  installPeers(say);
  const stage = new Stage();
  say(describeCores(stage.cores));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.once(signal, () => {
      stage.close();
      process.exit(1);
    });
  }
  try {
    const plan = values.quick ? QUICK : FULL;
    const figures = await measure(stage, plan);
    const goals = [judge(figures)];
    for (let run = 2; run <= runs; run += 1) {
      say(`run ${run} of ${runs}`);
      goals.push(judge(await measure(stage, values.quick ? QUICK : AGAIN)));
    }
    const asked = process.argv.slice(2).join(' ');
    const report = compose(figures, withRuns(goals), {
      command: `npm run bench${asked && ` -- ${asked}`}`,
      isQuick: values.quick,
      loadBefore,
      warmUp: plan.warmUp,
      minutes: (Date.now() - began) / 60_000,
      cores: describeCores(stage.cores),
    });
    await print(report);
    const rough = caution({ isQuick: values.quick, loadBefore });
    if (rough !== '') say(rough);
    const isWhole = values.part === undefined && only === undefined;
    if (isWhole && !values.quick) await write(report);
    say(isWhole && !values.quick ? 'written to docs/performance.md' : 'done, nothing is written');
  } finally {
    stage.close();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
