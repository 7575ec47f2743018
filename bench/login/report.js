/** Tables for the terminal, and docs/performance.md with its pictures. */
'use strict';
const { execFileSync } = require('node:child_process');
const { mkdirSync, readFileSync, writeFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const os = require('node:os');
const { join } = require('node:path');
const prettier = require('prettier');
const { overFloor, ratios } = require('./parts/cpu');
const { everydayCase } = require('./parts/everyday');
const tenants = require('../tenants/report');
const { median, spread } = require('./statistics');
const { PEERS, SUBJECTS } = require('./subjects');
const { bars, curves } = require('./svg');

const root = join(__dirname, '..', '..');
const docs = join(root, 'docs');

const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
const whole = (value) => value.toFixed(0);
const range = ({ median: middle, low, high }, digits = 2) =>
  `${middle.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`;
const title = (subject) => SUBJECTS[subject].title;
const plain = (subject) =>
  title(subject)
    .replace(/[*`]/g, '')
    .replace('… with', 'openid-client with')
    .replace('… verified', 'by hand, ID Token,');

function goalSection(goals) {
  const several = goals.some(({ of }) => of);
  const head = [
    'Goal',
    'Limit',
    'Measured',
    'By hand',
    'Holds',
    ...(several ? ['Runs it held in'] : []),
  ];
  const held = goals.filter(({ holds }) => holds).length;
  const runs = goals.flatMap(({ of }) => (of ? [of.split(' of ').map(Number)] : []));
  const always = runs.filter(([times, all]) => times === all).length;
  const never = runs.filter(([times]) => times === 0).length;
  const counts = several
    ? `In the first run, which these figures show, ${held} of ${goals.length} goals hold. ${always} hold in every run that measured them, ${never} in none.`
    : `${held} of ${goals.length} goals hold.`;
  return `## Goals

${counts} "By hand" is the cost of the same login with a strategy that was written for the comparison and does nothing else. A
goal that it misses too is out of reach. CPU is measured over https, and over http where it says so: both must hold.

${table(
  head,
  goals.map(({ what, limit, measured, byHand = '', holds, of = '' }) => [
    what,
    limit,
    measured,
    byHand,
    holds ? 'yes' : '**no**',
    ...(several ? [of] : []),
  ]),
)}
`;
}

function cpuSection({ http, https }, pictures) {
  const reference = https.oauth2 ? 'oauth2' : 'idealProfile';
  const subjects = Object.keys(https).filter((subject) => subject !== 'floor');
  pictures['login-cpu.svg'] = bars(
    `CPU per login over the floor; ${plain(reference)} is 1`,
    subjects.map((subject) => {
      const ratio = spread(ratios(https, subject, reference));
      const { kind } = SUBJECTS[subject];
      return { label: plain(subject), kind, ...ratio, text: ratio.median.toFixed(2) };
    }),
  );
  const over = (results, subject, half) => median(overFloor(results, subject, half));
  const floor = https.floor.rounds;
  const rows = subjects.map((subject) => {
    const { requests, connections } = https[subject].perLogin;
    return [
      title(subject),
      requests.toFixed(2).replace(/\.00$/, ''),
      connections.toFixed(2),
      http ? whole(over(http, subject, 'cpu')) : '–',
      whole(over(https, subject, 'cpu')),
      whole(over(https, subject, 'start')),
      whole(over(https, subject, 'callback')),
      range(spread(ratios(https, subject, reference))),
      SUBJECTS[subject].checks,
    ];
  });
  return `## CPU per login

The figures are microseconds of the app's process above the floor. The floor is Express, express-session, and Passport
with a strategy that does nothing. It costs ${whole(median(floor.map(({ start }) => start)))} at the start and
${whole(median(floor.map(({ callback }) => callback)))} at the callback. The ratio is to ${plain(reference)}, with quartiles; over https, where
it does not say http.

![CPU per login over the floor](images/login-cpu.svg)

${table(
  [
    'Login with',
    'requests',
    'new connections',
    'over http',
    'over https',
    'start',
    'callback',
    'ratio',
    'checks',
  ],
  rows,
)}
`;
}

/** A typical login: some seconds after the one before, at a provider that keeps connections for a minute. */
const TYPICAL = { seconds: 10, keepAlive: 65 };

/** Our packages, each with the peer that its users come from. */
const INSTEAD_OF = { salesloft: 'oauth2', salesos: 'auth0', salesforce: 'forcedotcom' };

/** For readers who choose a library: what a person waits for, and what the checks cost. */
function gainSection({ everyday, https }) {
  const { seconds, keepAlive } = TYPICAL;
  const isTypical = (one) => one.seconds === seconds && one.keepAlive === keepAlive;
  const rows = Object.entries(INSTEAD_OF)
    .filter((pair) => pair.every((subject) => everyday[subject]?.idle.some(isTypical)))
    .map(([ours, peer]) => {
      const [here, there] = [ours, peer].map(
        (subject) => everydayCase(everyday[subject], keepAlive, seconds).ms,
      );
      return [title(ours), `${whole(here)} ms`, title(peer), `${whole(there)} ms`];
    });
  if (rows.length === 0) return '';
  const micros = https
    ? Object.keys(INSTEAD_OF).map((subject) => median(overFloor(https, subject)))
    : [];
  const cost = micros.length > 0 ? `${whole(Math.max(...micros) / 10) * 10} microseconds` : '';
  return `## What you gain

**People wait for less.** The callback of a typical login, ${seconds} seconds after the one before, at a provider 40 ms away:

${table(['With', 'the person waits', 'with', 'the person waits'], rows)}

The difference is the connection: it is open before the person comes back, and the keys are there. Directly after another
login, all libraries with as many requests are alike.

**The checks cost little.** \`state\`, PKCE, the nonce, the claims and both signatures are always on${
    cost && `, and a login takes at most ${cost} of the processor above a login that does nothing`
  }. A library that checks less needs less: [CPU per login](#cpu-per-login) has them all.

**Memory stays.** Abandoned logins, many tenants and long uptimes do not add up: each table has a bound.

`;
}

function everydaySection({ everyday, cold }, pictures) {
  const subjects = Object.keys(everyday);
  const cases = [];
  for (const { keepAlive, seconds } of everyday[subjects[0]].idle) {
    if (!cases.some((one) => one.keepAlive === keepAlive && one.seconds === seconds)) {
      cases.push({ keepAlive, seconds });
    }
  }
  cases.sort((a, b) => b.keepAlive - a.keepAlive || a.seconds - b.seconds);
  const hardest = cases.at(-1);
  pictures['login-everyday.svg'] = bars(
    `Callback after ${hardest.seconds} s of quiet, 40 ms away, closed after ${hardest.keepAlive} s: ms`,
    subjects.map((subject) => {
      const { keepAlive, seconds } = hardest;
      const times = everyday[subject].idle.filter(
        (one) => one.keepAlive === keepAlive && one.seconds === seconds,
      );
      const ms = spread(times.map((one) => one.ms));
      return { label: plain(subject), kind: SUBJECTS[subject].kind, ...ms, text: whole(ms.median) };
    }),
  );
  const rows = subjects.map((subject) => [
    title(subject),
    range(spread(everyday[subject].busy), 1),
    ...cases.map(({ keepAlive, seconds }) => {
      const { ms, requests, connections, resumed } = everydayCase(
        everyday[subject],
        keepAlive,
        seconds,
      );
      return `${whole(ms)} (${whole(requests)}, ${whole(connections)}, ${whole(resumed)})`;
    }),
  ]);
  return `## The everyday login

The figures are milliseconds of the callback over TLS, when a round trip takes 40 ms: directly after another login
(with quartiles), and after some seconds of quiet. The provider keeps idle connections for 65 s, or closes them after
3 s. The brackets hold three counts, for start and callback together: requests, new connections (each with a TLS
handshake), and connections that resumed a TLS session. The person is at the provider for 0.4 s.

![Callback after some quiet](images/login-everyday.svg)

${table(
  ['Login with', 'busy', ...cases.map((one) => `${one.seconds} s, kept ${one.keepAlive} s`)],
  rows,
)}

${
  cold
    ? `The first login of a process, and a later login:

${table(
  ['Login with', 'first', 'later'],
  Object.entries(cold).map(([subject, { first, warm }]) => [
    title(subject),
    range(spread(first), 0),
    range(spread(warm), 0),
  ]),
)}
`
    : ''
}`;
}

function throughputSection({ throughput }) {
  const subjects = Object.keys(throughput);
  const levels = Object.keys(throughput[subjects[0]]);
  return `## Many at a time

The figures are logins per second and, in brackets, the 50th and 99th percentile of the callback in milliseconds. They
are medians over rounds, over https, without added distance.

${table(
  ['Login with', ...levels.map((level) => `${level} at a time`)],
  subjects.map((subject) => [
    title(subject),
    ...levels.map((level) => {
      const { perSecond, p50, p99 } = throughput[subject][level];
      const digits = Number(level) < 16 ? 1 : 0;
      return `${whole(median(perSecond))} (${median(p50).toFixed(digits)}, ${median(p99).toFixed(digits)})`;
    }),
  ]),
)}
`;
}

function memorySection({ memory: { sessions, heap, refresh } }) {
  const subjects = Object.keys(sessions);
  return `## Memory

The first two columns are the session bytes of logins that were started and abandoned. The last one is the growth of the
heap by 10 000 logins in KiB, after the bounded tables have filled up. The growth of the floor is the noise of the
measure.

${table(
  ['Login with', '1 abandoned', '50 abandoned', 'heap per 10 000 logins'],
  subjects.map((subject) => [
    title(subject),
    sessions[subject][1],
    sessions[subject][50],
    heap[subject] ? whole(heap[subject].per10000 / 1024) : '–',
  ]),
)}

A thousand callers of \`userTokens\` for one person whose token has ended: ${Math.max(...refresh.map(({ requests }) => requests))} request,
${range(spread(refresh.map(({ ms }) => ms)), 0)} ms.
`;
}

function packageSection({ packages: { loading, installed } }) {
  return `## Loading and installing

Each package is loaded in fresh processes, in turns: milliseconds, CommonJS modules, and resident memory. The last two
columns are the installed packages and their KiB on disk, without \`@types\`; ours are packed as for publication.

${table(
  ['Package', 'ms', 'modules', 'memory, MiB', 'packages installed', 'KiB'],
  Object.entries(loading).map(([name, rounds]) => {
    const of = (what) => rounds.map((round) => round[what]);
    const modules = median(of('modules'));
    const { packages, kib } = installed[name] ?? {};
    return [
      name,
      range(spread(of('ms')), 1),
      modules === 0 ? 'ES modules' : whole(modules),
      (median(of('rss')) / 2 ** 20).toFixed(1),
      packages ?? '–',
      kib === undefined ? '–' : whole(kib),
    ];
  }),
)}
`;
}

function growthSection({ growth }, pictures) {
  const names = {
    pending: 'pending logins (Salesloft)',
    tenants: 'strategies (SalesOS)',
    keys: 'published keys (SalesOS)',
  };
  const lines = Object.entries(growth).map(([name, points]) => ({
    name,
    label: names[name].replace(/ \(.*/, ''),
    points: points.map(({ x, ratios: all }) => ({ x, y: median(all), all })),
  }));
  pictures['login-growth.svg'] = curves('CPU of a login as something grows; one of it is 1', lines);
  return `## Growth

The figures are the CPU of a whole login, with the floor, divided by the CPU of the same login with one of the things
that grow (median and quartiles).

![CPU of a login as something grows](images/login-growth.svg)

${table(
  ['What grows', 'how many: CPU'],
  lines.map(({ name, points }) => [
    names[name],
    points.map(({ x, all }) => `${x}: ${range(spread(all))}`).join(' · '),
  ]),
)}
`;
}

function versions() {
  const peers = Object.keys(JSON.parse(readFileSync(PEERS, 'utf8')).dependencies);
  const versionOf = (from, name) => {
    try {
      const folder = createRequire(from).resolve.paths(name)[0];
      return `${name} ${JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8')).version}`;
    } catch {
      return `${name} (not installed)`;
    }
  };
  return [
    ...['express', 'express-session', 'passport'].map((name) => versionOf(join(root, 'x'), name)),
    ...peers.map((name) => versionOf(PEERS, name)),
  ].join(', ');
}

function commit() {
  try {
    const git = (...parameters) =>
      execFileSync('git', parameters, {
        cwd: root,
        stdio: ['ignore', 'pipe', 'ignore'],
      }).toString();
    const changed =
      git('status', '--porcelain', '--', 'packages') === '' ? '' : ', and changes to it';
    return `, of commit ${git('rev-parse', '--short', 'HEAD').trim()}${changed}`;
  } catch {
    return '';
  }
}

/**
 * @param {object} data the figures, by part
 * @param {import('./goals').Goal[]} goals
 * @param {{ command: string, minutes: number, loadBefore: number, warmUp: number }} how `loadBefore`: the load of the machine before the run
 */
function compose(data, goals, { command, minutes, loadBefore, warmUp }) {
  const pictures = {};
  const machine = `${os.cpus().length} cores (${os.cpus()[0]?.model.trim() ?? 'unknown'}), ${os.type()}, Node ${process.version.slice(1)}; load before it began ${loadBefore.toFixed(1)}`;
  const text = `# Performance

<!-- Written by \`npm run bench\`. -->

This page compares the cost of a login with that of other libraries. All of them are measured in one run, in turns,
each in a process of its own, with a provider in another process. Compare the ratios, which are taken within a round:
absolute figures are those of one machine at one moment, and vary by half. Every login is proven before it is timed:
its profile must be the one that the provider has issued. Lower figures are better, except for logins per second.${
    command.includes('--quick')
      ? `

This was a quick run. Its batches are small and its apps hardly warm, so its CPU figures are rough.`
      : ''
  }

| | |
| --- | --- |
| Measured | ${new Date().toISOString().slice(0, 10)}, in ${minutes.toFixed(1)} minutes${commit()} |
| By | \`${command}\` |
| On | ${machine} |
| With | ${versions()} |

${data.everyday ? gainSection(data) : ''}${goalSection(goals)}
${data.https ? cpuSection(data, pictures) : ''}
${data.everyday ? everydaySection(data, pictures) : ''}
${data.throughput ? throughputSection(data) : ''}
${data.memory ? memorySection(data) : ''}
${data.packages ? packageSection(data) : ''}
${data.growth ? growthSection(data, pictures) : ''}
${tenants.latest()}
${readFileSync(join(__dirname, 'notes.md'), 'utf8')}
## How it is measured

Each library is set up as its own documentation says (\`bench/login/subjects.js\`). "By hand" is a strategy that was
written for the comparison: it checks everything and does nothing else, and so shows the limit. An app has served
${warmUp} logins${data.http ? ', half of them over http,' : ''} before its CPU is measured: \`process.cpuUsage()\` of
its process, around a batch of starts and around the batch of callbacks that follows. A proxy makes the distance: it
delays every byte by 20 ms each way, and lets a new connection wait for a round trip. Names are not looked up. ID Tokens
are signed before the callbacks are timed.
`;
  return { text, pictures };
}

async function write({ text, pictures }) {
  const options = await prettier.resolveConfig(__filename);
  const formatted = await prettier.format(text, { ...options, parser: 'markdown' });
  mkdirSync(join(docs, 'images'), { recursive: true });
  writeFileSync(join(docs, 'performance.md'), formatted);
  for (const [name, picture] of Object.entries(pictures)) {
    writeFileSync(join(docs, 'images', name), picture);
  }
}

/** Prints the tables of the page, which are readable in a terminal too. */
async function print({ text }) {
  const formatted = await prettier.format(text, { parser: 'markdown', printWidth: 100 });
  console.log(formatted.replace(/!\[.*\n\n/g, ''));
}

module.exports = { compose, print, write };
