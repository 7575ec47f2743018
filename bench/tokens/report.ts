/** The section "Stored tokens" of docs/performance.md, which `npm run bench` copies from figures.md. */
import os from 'node:os';
import { join } from 'node:path';
import { describeCores } from '../cores';
import type { Cores } from '../cores';
import { median, spread, verdictOf } from '../login/statistics';
import type { Spread, Verdict } from '../login/statistics';
import { BENCH } from '../places';
import { format, grouped, range, table, whole, writeSection } from '../tables';
import type { Cost, Plan, Refresher, Use } from './app';

export const FIGURES = join(BENCH, 'tokens', 'figures.md');

export interface Uses {
  concurrency: number;
  /** Of each round. */
  costs: Map<Use, Cost[]>;
}

export type Calls = Uses;

export interface Refreshed {
  by: Refresher;
  ms: number[];
  /** Of refresh requests that reached the provider. */
  requests: number[];
}

export interface Crowd {
  people: number;
  /** Seconds. */
  storing: number;
  costs: Cost[];
  /** Bytes before the uses and after them. */
  heap: [before: number, after: number];
}

export interface Figures {
  uses: Uses[];
  calls: Calls;
  callers: number;
  refreshes: Refreshed[];
  crowds: Crowd[];
  planned: Plan & { records: number; people: number };
  minutes: number;
  loadBefore: number;
  cores: Cores | undefined;
}

const TOKEN_LIMIT = 1.5;
const CACHED_LIMIT_MICROSECONDS = 5;
/** The heap of a plan is flat when it grows by less than this. */
const FLAT_MIB = 4;

const USES: Record<Use, string> = {
  get: 'a bare `GET` of the client of Redis',
  token: '`getAccessToken()`, Redis, sealed',
  'token made anew': '… with a `userTokens()` made for each use',
  cached: '… with `cache: 60`',
  anyone: '',
  'google headers': 'google-auth-library, `getRequestHeaders()`, in memory',
  call: '`authorizedFetch`, `cache: 60`',
  'google call': 'google-auth-library, `request()`',
  'jsforce call': 'jsforce, `request()`',
};

const REFRESHERS: Record<Refresher, string> = {
  redis: '`userTokens`, Redis',
  memory: '`userTokens`, memory',
  google: 'google-auth-library, `getAccessToken()`',
  jsforce: 'jsforce, `request()`',
};

const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
const cpuOf = (costs: readonly Cost[] = []) => costs.map(({ cpu }) => cpu);
const rate = (costs: readonly Cost[]) =>
  grouped(Math.round(median(costs.map((one) => one.perSecond))));
const SHOWN: Record<Verdict, string> = { met: 'met', missed: '**missed**', open: 'open' };

/** In units of a bare GET of the same round. */
function overGet({ costs }: Uses, use: Use): Spread {
  const gets = cpuOf(costs.get('get'));
  return spread(cpuOf(costs.get(use)).map((value, round) => value / (gets[round] ?? NaN)));
}

function goalTable({ uses, planned }: Figures): string {
  const rows: string[][] = [];
  for (const one of uses) {
    const ratio = overGet(one, 'token');
    rows.push([
      `CPU of \`getAccessToken()\`, fresh, Redis, sealed, ${one.concurrency} at a time, against a bare \`GET\``,
      `≤ ${TOKEN_LIMIT} ×`,
      `${range(ratio)} ×`,
      SHOWN[verdictOf(ratio, TOKEN_LIMIT)],
    ]);
  }
  const [first] = uses;
  const cached = spread(cpuOf(first?.costs.get('cached')));
  rows.push([
    'CPU of `getAccessToken()` with `cache`',
    `≤ ${CACHED_LIMIT_MICROSECONDS} µs`,
    `${range(cached)} µs`,
    SHOWN[verdictOf(cached, CACHED_LIMIT_MICROSECONDS)],
  ]);
  const growth = growthOf(planned.heaps);
  rows.push([
    `A refresh plan over ${grouped(planned.records)} records`,
    'memory flat',
    `${mib(growth)} MiB more at most`,
    growth < FLAT_MIB * 2 ** 20 ? SHOWN.met : SHOWN.missed,
  ]);
  return table(['Goal', 'Limit', 'Measured', 'Verdict'], rows);
}

/** Bytes of the heap at its highest, over its first look after the beginning. */
function growthOf([before = NaN, first = before, ...others]: readonly number[]): number {
  return Math.max(0, ...others.map((bytes) => bytes - first));
}

function usesTable({ uses }: Figures): string {
  const [first] = uses;
  const ways = [...(first?.costs.keys() ?? [])];
  return table(
    [
      'Use',
      ...uses.flatMap(({ concurrency }) => [
        `µs, ${concurrency} at a time`,
        '× a `GET`',
        'a second',
      ]),
    ],
    ways.map((use) => [
      USES[use],
      ...uses.flatMap((one) => [
        range(spread(cpuOf(one.costs.get(use))), 1),
        range(overGet(one, use)),
        rate(one.costs.get(use) ?? []),
      ]),
    ]),
  );
}

export async function compose(figures: Figures): Promise<string> {
  const { calls, callers, refreshes, crowds, planned, minutes, loadBefore, cores } = figures;
  const text = `## Stored tokens

\`npm run bench:tokens\` measured this on ${new Date().toISOString().slice(0, 10)} in ${minutes.toFixed(1)} minutes, on ${os.cpus().length} cores (${describeCores(cores)}) with Node ${process.version.slice(1)} and a
redis-server of this machine; load before it began ${loadBefore.toFixed(1)}. The figures are microseconds of the app's process, in turns,
with quartiles; ratios are taken within a round. A hundred people's tokens are used in turn.

${goalTable(figures)}

${usesTable(figures)}

google-auth-library and jsforce keep the tokens of one person in an object, and leave the storing to the application. One
call of an API near by, with the token, ${calls.concurrency} at a time:

${table(
  ['Call', 'µs', 'calls a second'],
  [...calls.costs].map(([use, costs]) => [USES[use], range(spread(cpuOf(costs)), 0), rate(costs)]),
)}

The token of one person has ended, and ${grouped(callers)} callers want it at the same moment; the provider takes 20 ms. With
jsforce, the API refuses the old token first. Refresh requests that reached the provider, and the time until the last
caller was served:

${table(
  ['Refreshed by', 'refresh requests', 'ms'],
  refreshes.map(({ by, ms, requests }) => [
    REFRESHERS[by],
    [...new Set(requests)].join(', '),
    range(spread(ms), 0),
  ]),
)}

The tokens of a person who is picked at random among all, 64 at a time, with a \`userTokens()\` for each use; and the heap of
the app, before and after ${crowds[0] ? grouped(crowds[0].costs.length) : 0} rounds:

${table(
  ['Stored people', 'stored a second', 'µs', 'uses a second', 'heap, MiB'],
  crowds.map(({ people, storing, costs, heap }, index) => [
    grouped(people),
    index === 0 ? '–' : grouped(Math.round((people - (crowds[0]?.people ?? 0)) / storing)),
    range(spread(cpuOf(costs)), 0),
    rate(costs),
    heap.map(mib).join(' · '),
  ]),
)}

A plan with \`dueBefore\` over ${grouped(planned.records)} records, of ${grouped(planned.people)} people whose keys come from a generator: ${whole(planned.seconds)} s,
${whole(planned.cpu)} µs a record, ${planned.due} due. The heap in MiB, at the beginning and after each 50 000 records: ${planned.heaps.map(mib).join(' · ')}.
`;
  return await format(text);
}

/** Replaces the section in the page. */
export const write = (text: string): void => writeSection('Stored tokens', text, FIGURES);
