/** The sections of docs/performance.md about waiting, memory and packages. */
import { range, table, whole } from '../tables';
import type { Figures } from './figures';
import { overFloor } from './parts/cpu';
import { everydayCase, samplesOf } from './parts/everyday';
import type { ColdResult, EverydayResults } from './parts/everyday';
import { median, spread } from './statistics';
import { SUBJECTS } from './subjects';
import type { SubjectName } from './subjects';
import { bars } from './svg';

/** Pictures by their file names. */
export type Pictures = Map<string, string>;

export const title = (subject: SubjectName): string => SUBJECTS[subject].title;
export const plain = (subject: SubjectName): string => title(subject).replace(/[*`]/g, '');

/** A typical login: some seconds after the one before, at a provider that keeps connections for a minute. */
const TYPICAL = { seconds: [10, 5], keepAlive: 65 };

/** Our packages, each with the peer that its users come from. */
const INSTEAD_OF: [SubjectName, SubjectName][] = [
  ['salesloft', 'oauth2Checked'],
  ['salesos', 'auth0'],
  ['salesforce', 'forcedotcom'],
  ['salesforceIdToken', 'forcedotcom'],
];

/** For readers who choose a library: how long a person waits, and what the checks cost. */
export function gainSection({ everyday, https }: Figures): string {
  if (!everyday) return '';
  const { keepAlive } = TYPICAL;
  const measured = [...everyday.values()].flatMap(({ idle }) => idle.map((one) => one.seconds));
  const seconds = TYPICAL.seconds.find((one) => measured.includes(one)) ?? measured[0];
  const rows = INSTEAD_OF.flatMap(([ours, peer]) => {
    const [here, there] = [everyday.get(ours), everyday.get(peer)];
    if (!here || !there || seconds === undefined) return [];
    const [own, other] = [here, there].map((one) => everydayCase(one, keepAlive, seconds).ms);
    return [[title(ours), `${whole(own ?? NaN)} ms`, title(peer), `${whole(other ?? NaN)} ms`]];
  });
  if (rows.length === 0) return '';
  const costs = https ? INSTEAD_OF.map(([ours]) => median(overFloor(https, ours))) : [];
  const most = Math.max(...costs.filter((value) => !Number.isNaN(value)));
  const cost =
    most > 0
      ? `, and a login takes at most ${whole(Math.ceil(most / 10) * 10)} microseconds of the processor above a login that does nothing`
      : '';
  return `## What you gain

**People wait for less.** The callback of a typical login, ${seconds} seconds after the one before, at a provider 40 ms away:

${table(['With', 'the person waits', 'with', 'the person waits'], rows)}

The difference is the connection: it is open before the person comes back, and the keys are there. Directly after another
login, all libraries with as many requests are alike.

**The checks cost little.** \`state\`, PKCE, the nonce, the claims and both signatures are always on${cost}. A library that
checks less needs less: [CPU per login](#cpu-per-login) has them all.

**Memory stays.** Abandoned logins, many tenants and long uptimes do not add up: each table has a bound.
`;
}

interface Case {
  keepAlive: number;
  seconds: number;
}

function casesOf(everyday: EverydayResults): Case[] {
  const cases = new Map<string, Case>();
  for (const { idle } of everyday.values()) {
    for (const { keepAlive, seconds } of idle) {
      cases.set(`${keepAlive} ${seconds}`, { keepAlive, seconds });
    }
  }
  return [...cases.values()].toSorted((a, b) => b.keepAlive - a.keepAlive || a.seconds - b.seconds);
}

export function everydaySection({ everyday, cold }: Figures, pictures: Pictures): string {
  if (!everyday) return '';
  const cases = casesOf(everyday);
  const hardest = cases.at(-1) ?? { keepAlive: 0, seconds: 0 };
  const all = [...everyday];
  pictures.set(
    'login-everyday.svg',
    bars(
      `Callback after ${hardest.seconds} s of quiet, 40 ms away, closed after ${hardest.keepAlive} s: ms`,
      all.map(([subject, result]) => {
        const samples = samplesOf(result, hardest.keepAlive, hardest.seconds);
        const ms = spread(samples.map((one) => one.ms).filter((one) => one < Infinity));
        return {
          label: plain(subject),
          kind: SUBJECTS[subject].kind,
          ...ms,
          text: whole(ms.median),
        };
      }),
    ),
  );
  const rows = all.map(([subject, result]) => [
    title(subject),
    range(spread(result.busy), 1),
    ...cases.map(({ keepAlive, seconds }) => {
      const one = everydayCase(result, keepAlive, seconds);
      const counts = [one.requests, one.connections, one.resumed].map(whole).join(', ');
      return `${whole(one.ms)} (${counts})${one.failed > 0 ? `, ${one.failed} failed` : ''}`;
    }),
  ]);
  return `## The everyday login

The figures are milliseconds of the callback over TLS, when a round trip takes 40 ms: directly after another login
(with quartiles), and after some seconds of quiet. The provider keeps idle connections for 65 s, or closes them after
3 s. The brackets hold three counts, for start and callback together: requests, new connections (each with a TLS
handshake), and connections that resumed a TLS session. The person is at the provider for 0.4 s. A login fails when its
library sends a request on a connection that the provider is closing.

![Callback after some quiet](images/login-everyday.svg)

${table(
  ['Login with', 'busy', ...cases.map((one) => `${one.seconds} s, kept ${one.keepAlive} s`)],
  rows,
)}
${cold ? coldTable(cold) : ''}`;
}

function coldTable(cold: readonly ColdResult[]): string {
  const subjects = [...new Set(cold.map(({ subject }) => subject))];
  return `
The first login of a process; the first one after \`client.warm()\`, where there is such a call; and a later login, in
milliseconds. The floor shows how much of a first login Express, the session and Passport take, whose code runs for the
first time too:

${table(
  ['Login with', 'first', 'first after `warm()`', 'later'],
  subjects.map((subject) => {
    const find = (isWarmed: boolean) =>
      cold.find((one) => one.subject === subject && one.isWarmed === isWarmed);
    const shown = (values: number[] | undefined) => (values ? range(spread(values), 0) : '–');
    const plainStart = find(false);
    return [
      title(subject),
      shown(plainStart?.first),
      shown(find(true)?.first),
      shown(plainStart?.later ?? find(true)?.later),
    ];
  }),
)}
`;
}

export function memorySection({ memory }: Figures): string {
  if (!memory) return '';
  const { sessions, heap, refresh } = memory;
  return `## Memory

The first two columns are the session bytes of logins that were started and abandoned. The last one is the growth of the
heap by 10 000 logins in KiB, after the bounded tables have filled up. The growth of the floor is the noise of the
measure.

${table(
  ['Login with', '1 abandoned', '50 abandoned', 'heap per 10 000 logins'],
  [...sessions].map(([subject, bytes]) => {
    const growth = heap.get(subject);
    return [
      title(subject),
      bytes.get(1) ?? '–',
      bytes.get(50) ?? '–',
      growth ? whole(growth.per10000 / 1024) : '–',
    ];
  }),
)}

A thousand callers of \`userTokens\` for one person whose token has ended: ${Math.max(...refresh.map(({ requests }) => requests))} request,
${range(spread(refresh.map(({ ms }) => ms)), 0)} ms.
`;
}

export function packageSection({ packages }: Figures): string {
  if (!packages) return '';
  const { loading, installed } = packages;
  return `## Loading and installing

Each package is loaded in fresh processes, in turns: milliseconds, CommonJS modules, and resident memory. The last two
columns are the installed packages and their KiB on disk, without \`@types\`; ours are packed as for publication.

${table(
  ['Package', 'ms', 'modules', 'memory, MiB', 'packages installed', 'KiB'],
  [...loading].map(([name, rounds]) => {
    const modules = median(rounds.map((round) => round.modules));
    const size = installed.get(name);
    return [
      name,
      range(spread(rounds.map((round) => round.ms)), 1),
      modules === 0 ? 'ES modules' : whole(modules),
      (median(rounds.map((round) => round.rss)) / 2 ** 20).toFixed(1),
      size?.packages ?? '–',
      size ? whole(size.kib) : '–',
    ];
  }),
)}
`;
}
