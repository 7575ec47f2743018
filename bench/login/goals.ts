/** The goals, and the measured figures, which are not rounded in our favour. */
import type { Figures } from './figures';
import { ratios } from './parts/cpu';
import type { CpuResults, Protocol } from './parts/cpu';
import { RTT_MS, samplesOf } from './parts/everyday';
import type { ColdResult, EverydayResults } from './parts/everyday';
import { EMPTY } from './parts/packages';
import type { LoadingResults } from './parts/packages';
import type { ThroughputResults } from './parts/throughput';
import { median, spread, together, verdictOf } from './statistics';
import type { Spread, Verdict } from './statistics';
import { SUBJECTS } from './subjects';
import type { SubjectName } from './subjects';

export interface Goal {
  what: string;
  limit: string;
  measured: string;
  /** The same figure of the strategy by hand, which shows if the limit can be reached. */
  byHand: string;
  verdict: Verdict;
  /** The verdicts of all runs, when there were several. */
  runs?: Verdict[];
}

export const OURS = ['salesloft', 'salesos', 'salesforce', 'salesforceIdToken'] as const;
export type Own = (typeof OURS)[number];

export const NAMES: Record<Own, string> = {
  salesloft: 'Salesloft',
  salesos: 'SalesOS',
  salesforce: 'Salesforce',
  salesforceIdToken: 'Salesforce in one round trip',
};

export const BY_HAND: Record<Own, SubjectName> = {
  salesloft: 'idealProfile',
  salesos: 'idealIdToken',
  salesforce: 'idealSalesforce',
  salesforceIdToken: 'idealSalesforceIdToken',
};

/**
 * The Passport strategies with the same checks on, as far as there are any: no peer of Salesforce can check
 * a signature, so its peer has the checks that it offers.
 */
export const SAME_CHECKS: Record<Own, SubjectName> = {
  salesloft: 'oauth2Checked',
  salesos: 'openidClientSigned',
  salesforce: 'forcedotcomChecked',
  salesforceIdToken: 'openidClientSigned',
};

interface CpuGoal {
  own: Own;
  reference: SubjectName;
  http: number;
  https: number;
}

const CPU_GOALS: CpuGoal[] = [
  { own: 'salesloft', reference: 'oauth2Checked', http: 0.9, https: 1 },
  { own: 'salesos', reference: 'auth0', http: 0.9, https: 0.9 },
  { own: 'salesos', reference: 'openidClientSigned', http: 0.45, https: 0.45 },
  { own: 'salesforce', reference: 'forcedotcom', http: 1.3, https: 1.3 },
  { own: 'salesforceIdToken', reference: 'oauth2Checked', http: 1, https: 1 },
  ...OURS.map((own) => ({ own, reference: BY_HAND[own], http: 1.3, https: 1.3 })),
];

const EVERYDAY_LIMIT = 1.1;
const ONE_ROUND_TRIP_LIMIT_MS = 48;
const WARMED_LIMIT = 1.15;
const COLD_LIMIT_MS = 130;
const LOADING_LIMIT = 1.1;
/** Logins per second against the peer, by the number of people at a time. */
const RATE_LIMITS = new Map([
  [1, 1.2],
  [16, 1],
  [64, 1],
]);
const RATE_BY_HAND_LIMIT = 0.95;

const plainTitle = (subject: SubjectName) => SUBJECTS[subject].title;
const times = ({ median: middle, low, high }: Spread) =>
  `${middle.toFixed(2)} × (${low.toFixed(2)}–${high.toFixed(2)})`;
const milliseconds = ({ median: middle, low, high }: Spread) =>
  `${middle.toFixed(1)} ms (${low.toFixed(1)}–${high.toFixed(1)})`;

/** CPU over http and https: both must hold. */
function cpuGoals({ http, https }: { http?: CpuResults; https?: CpuResults }): Goal[] {
  const measured = (['http', 'https'] as const).flatMap((protocol) => {
    const results = { http, https }[protocol];
    return results ? [{ protocol, results }] : [];
  });
  const areThere = (own: SubjectName, reference: SubjectName) =>
    measured.every(({ results }) => ratios(results, own, reference).length > 0);
  return CPU_GOALS.filter(({ own, reference }) => areThere(own, reference)).map((goal) => {
    const { own, reference } = goal;
    const of = (subject: SubjectName) =>
      measured.map(({ protocol, results }) => ({
        protocol,
        ratio: spread(ratios(results, subject, reference)),
      }));
    const shown = (list: { protocol: Protocol; ratio: Spread }[]) =>
      list.map(({ protocol, ratio }) => `${protocol} ${times(ratio)}`).join('; ');
    const all = of(own);
    const byHand = BY_HAND[own];
    return {
      what: `${NAMES[own]}: CPU over the floor, against ${plainTitle(reference)}`,
      limit:
        goal.http === goal.https
          ? `≤ ${goal.http} ×`
          : `≤ ${goal.http} × http, ≤ ${goal.https} × https`,
      measured: shown(all),
      byHand: reference === byHand || !areThere(byHand, reference) ? '' : shown(of(byHand)),
      verdict: together(all.map(({ protocol, ratio }) => verdictOf(ratio, goal[protocol]))),
    };
  });
}

function everydayGoals(everyday: EverydayResults): Goal[] {
  const goals: Goal[] = [];
  const oneTrip = everyday.get('salesforceIdToken');
  const byHand = everyday.get(BY_HAND.salesforceIdToken);
  if (oneTrip) {
    const busy = spread(oneTrip.busy);
    goals.push({
      what: `Salesforce: callback with ${RTT_MS} ms per round trip, in one round trip`,
      limit: `≤ ${ONE_ROUND_TRIP_LIMIT_MS} ms`,
      measured: milliseconds(busy),
      byHand: byHand ? milliseconds(spread(byHand.busy)) : '',
      verdict: verdictOf(busy, ONE_ROUND_TRIP_LIMIT_MS),
    });
  }
  for (const own of OURS) {
    const result = everyday.get(own);
    if (!result) continue;
    const busy = median(result.busy);
    const seconds = [...new Set(result.idle.map((one) => one.seconds))];
    const samples = seconds.flatMap((one) => samplesOf(result, 65, one));
    const ratio = spread(samples.map(({ ms }) => ms / busy));
    goals.push({
      what: `${NAMES[own]}: callback after ${seconds.join(', ')} s of quiet (kept connections), against the busy one`,
      limit: `≤ ${EVERYDAY_LIMIT} ×`,
      measured: times(ratio),
      byHand: '',
      verdict: verdictOf(ratio, EVERYDAY_LIMIT),
    });
  }
  return goals;
}

function coldGoals(cold: readonly ColdResult[]): Goal[] {
  const find = (subject: SubjectName, isWarmed: boolean) =>
    cold.find((one) => one.subject === subject && one.isWarmed === isWarmed);
  return OURS.flatMap((own) => {
    const goals: Goal[] = [];
    const warmed = find(own, true);
    if (warmed) {
      const later = median(warmed.later);
      const ratio = spread(warmed.first.map((ms) => ms / later));
      goals.push({
        what: `${NAMES[own]}: first callback of a process after \`client.warm()\`, against a later one`,
        limit: `≤ ${WARMED_LIMIT} ×`,
        measured: `${times(ratio)}, ${median(warmed.first).toFixed(0)} ms`,
        byHand: '',
        verdict: verdictOf(ratio, WARMED_LIMIT),
      });
    }
    const plain = find(own, false);
    if (plain) {
      const byHand = find(BY_HAND[own], false);
      const first = spread(plain.first);
      goals.push({
        what: `${NAMES[own]}: first callback of a process without it`,
        limit: `≤ ${COLD_LIMIT_MS} ms`,
        measured: milliseconds(first),
        byHand: byHand ? milliseconds(spread(byHand.first)) : '',
        verdict: verdictOf(first, COLD_LIMIT_MS),
      });
    }
    return goals;
  });
}

function throughputGoals(throughput: ThroughputResults): Goal[] {
  const rates = (subject: SubjectName, people: number) =>
    throughput.get(subject)?.get(people)?.perSecond;
  const against = (own: Map<number, number>, other: Map<number, number>) =>
    spread(
      [...own].map(([round, value]) => value / (other.get(round) ?? NaN)).filter(Number.isFinite),
    );
  return OURS.flatMap((own) =>
    [...RATE_LIMITS].flatMap(([people, limit]) => {
      const [ours, peer, byHand] = [own, SAME_CHECKS[own], BY_HAND[own]].map((subject) =>
        rates(subject, people),
      );
      const goals: Goal[] = [];
      if (ours && peer) {
        const ratio = against(ours, peer);
        goals.push({
          what: `${NAMES[own]}: logins per second, ${people} at a time, against ${plainTitle(SAME_CHECKS[own])}`,
          limit: `≥ ${limit} ×`,
          measured: times(ratio),
          byHand: byHand ? times(against(byHand, peer)) : '',
          verdict: verdictOf(ratio, limit, true),
        });
      }
      if (ours && byHand && people > 1) {
        const ratio = against(ours, byHand);
        goals.push({
          what: `${NAMES[own]}: logins per second, ${people} at a time, against ${plainTitle(BY_HAND[own])}`,
          limit: `≥ ${RATE_BY_HAND_LIMIT} ×`,
          measured: times(ratio),
          byHand: '',
          verdict: verdictOf(ratio, RATE_BY_HAND_LIMIT, true),
        });
      }
      return goals;
    }),
  );
}

function loadingGoals(loading: LoadingResults): Goal[] {
  const empty = loading.get(EMPTY);
  if (!empty) return [];
  return ['passport-salesloft', 'passport-salesos', 'passport-salesforce-oauth2'].map((name) => {
    const own = loading.get(name) ?? [];
    const ratio = spread(own.map(({ ms }, round) => ms / (empty[round]?.ms ?? NaN)));
    return {
      what: `\`require('${name}')\`: time, against an empty package with \`exports\` over passport-oauth2`,
      limit: `≤ ${LOADING_LIMIT} ×`,
      measured: times(ratio),
      byHand: '',
      verdict: verdictOf(ratio, LOADING_LIMIT),
    };
  });
}

/** The goals of the parts that were measured. */
export function judge({ http, https, everyday, cold, throughput, packages }: Figures): Goal[] {
  return [
    ...(https ? cpuGoals({ http, https }) : []),
    ...(throughput ? throughputGoals(throughput) : []),
    ...(everyday ? everydayGoals(everyday) : []),
    ...(cold ? coldGoals(cold) : []),
    ...(packages ? loadingGoals(packages.loading) : []),
  ];
}
