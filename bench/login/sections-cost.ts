/** The sections of docs/performance.md about goals, CPU, many logins at a time, and growth. */
import { range, table, whole } from '../tables';
import type { Figures } from './figures';
import type { Goal } from './goals';
import { overFloor, ratios } from './parts/cpu';
import type { CpuResults } from './parts/cpu';
import type { Growing } from './parts/growth';
import { plain, title } from './sections-use';
import type { Pictures } from './sections-use';
import { median, spread } from './statistics';
import type { Verdict } from './statistics';
import { SUBJECTS, SUBJECT_NAMES } from './subjects';
import type { SubjectName } from './subjects';
import { bars, curves } from './svg';

const SHOWN: Record<Verdict, string> = { met: 'met', missed: '**missed**', open: 'open' };

const count = (verdicts: readonly Verdict[], verdict: Verdict) =>
  verdicts.filter((one) => one === verdict).length;

const summary = (verdicts: readonly Verdict[]) =>
  `${count(verdicts, 'met')} met, ${count(verdicts, 'missed')} missed, ${count(verdicts, 'open')} open`;

export function goalSection(goals: readonly Goal[]): string {
  const several = goals.some(({ runs }) => runs);
  const head = ['Goal', 'Limit', 'Measured', 'By hand', 'Verdict'];
  const inAll = goals.filter(({ runs }) => runs?.every((one) => one === 'met')).length;
  return `## Goals

Of ${goals.length} goals: ${summary(goals.map(({ verdict }) => verdict))}${
    several ? ` in the first run, which these figures show; ${inAll} are met in every run` : ''
  }. The brackets hold the
quartiles. A goal is met, or missed, when both quartiles are on that side of its limit, and open when the limit is between
them. "By hand" is the same login with a strategy that was written for the comparison, checks as much, and does nothing
else: it shows if a limit can be reached. CPU is measured over http and https: both must hold.

${table(
  [...head, ...(several ? ['All runs'] : [])],
  goals.map(({ what, limit, measured, byHand, verdict, runs }) => [
    what,
    limit,
    measured,
    byHand,
    SHOWN[verdict],
    ...(several ? [summary(runs ?? [verdict])] : []),
  ]),
)}
`;
}

/** The subject whose cost is 1 in the pictures: the peer that the goals name. */
const referenceOf = (results: CpuResults): SubjectName =>
  results.has('oauth2Checked') ? 'oauth2Checked' : 'idealProfile';

export function cpuSection({ http, https }: Figures, pictures: Pictures): string {
  if (!https) return '';
  const reference = referenceOf(https);
  const subjects = SUBJECT_NAMES.filter((subject) => subject !== 'floor' && https.has(subject));
  pictures.set(
    'login-cpu.svg',
    bars(
      'CPU per login over the floor, in microseconds',
      subjects.map((subject) => {
        const cost = spread(overFloor(https, subject));
        const { kind } = SUBJECTS[subject];
        return { label: plain(subject), kind, ...cost, text: whole(cost.median) };
      }),
    ),
  );
  const floor = [...(https.get('floor')?.rounds.values() ?? [])];
  const ofFloor = (half: 'start' | 'callback') => whole(median(floor.map((round) => round[half])));
  const over = (results: CpuResults, subject: SubjectName) =>
    range(spread(overFloor(results, subject)), 0);
  const against = (results: CpuResults, subject: SubjectName) => {
    const found = ratios(results, subject, reference);
    return found.length > 0 ? range(spread(found)) : '–';
  };
  const rows = subjects.map((subject) => {
    const { requests, connections } = https.get(subject)?.perLogin ?? {
      requests: NaN,
      connections: NaN,
    };
    return [
      title(subject),
      requests.toFixed(2).replace(/\.00$/, ''),
      connections.toFixed(2),
      http ? over(http, subject) : '–',
      over(https, subject),
      whole(median(overFloor(https, subject, 'start'))),
      whole(median(overFloor(https, subject, 'callback'))),
      against(https, subject),
      SUBJECTS[subject].checks,
    ];
  });
  return `## CPU per login

The figures are microseconds of the app's process above the floor, with quartiles. The floor is Express, express-session,
and Passport with a strategy that does nothing. It costs ${ofFloor('start')} at the start and ${ofFloor('callback')} at the
callback. The ratio is to ${title(reference)}, for those that were alive beside it; over https, where it does not say
http. A peer that checks less than ours is shown here, and compared only where a goal names it.

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

export function throughputSection({ throughput }: Figures): string {
  if (!throughput) return '';
  const [levels = new Map<number, unknown>()] = throughput.values();
  const people = [...levels.keys()];
  return `## Many at a time

The figures are logins per second and, in brackets, the 50th and 99th percentile of the callback in milliseconds. They
are medians over rounds, over https, without added distance.

${table(
  ['Login with', ...people.map((level) => `${level} at a time`)],
  [...throughput].map(([subject, results]) => [
    title(subject),
    ...people.map((level) => {
      const {
        perSecond = new Map<number, number>(),
        p50 = [],
        p99 = [],
      } = results.get(level) ?? {};
      const digits = level < 16 ? 1 : 0;
      return `${whole(median([...perSecond.values()]))} (${median(p50).toFixed(digits)}, ${median(p99).toFixed(digits)})`;
    }),
  ]),
)}
`;
}

const GROWING: Record<Growing, string> = {
  pending: 'pending logins (Salesloft)',
  tenants: 'strategies (SalesOS)',
  keys: 'published keys (SalesOS)',
};

export function growthSection({ growth }: Figures, pictures: Pictures): string {
  if (!growth) return '';
  const lines = [...growth].map(([name, points]) => ({
    label: GROWING[name].replace(/ \(.*/, ''),
    points: points.map(({ x, ratios: all }) => ({ x, y: median(all) })),
  }));
  pictures.set(
    'login-growth.svg',
    curves('CPU of a login as something grows; one of it is 1', lines),
  );
  return `## Growth

The figures are the CPU of a whole login, with the floor, divided by the CPU of the same login with one of the things
that grow (median and quartiles).

![CPU of a login as something grows](images/login-growth.svg)

${table(
  ['Growing number of', 'how many: CPU'],
  [...growth].map(([name, points]) => [
    GROWING[name],
    points.map(({ x, ratios: all }) => `${x}: ${range(spread(all))}`).join(' · '),
  ]),
)}
`;
}
