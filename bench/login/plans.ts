/** How much a run measures: which subjects, how many rounds of how many logins. */
import { BY_HAND, OURS, SAME_CHECKS } from './goals';
import type { CpuPlan } from './parts/cpu';
import type { EverydayPlan } from './parts/everyday';
import type { GrowthPlan } from './parts/growth';
import type { HeapPlan } from './parts/memory';
import type { ThroughputPlan } from './parts/throughput';
import { SUBJECTS, SUBJECT_NAMES } from './subjects';
import type { SubjectName } from './subjects';

export { OURS };

export interface Plan {
  subjects: readonly SubjectName[];
  /** Logins before CPU is measured. */
  warmUp: number;
  isHttpMeasured: boolean;
  cpu: CpuPlan;
  everyday: EverydayPlan & { subjects: readonly SubjectName[] };
  cold: { samples: number };
  throughput: ThroughputPlan;
  heap: (HeapPlan & { subject: SubjectName })[];
  /** Packages of ours that are packed and installed. */
  installed: string[];
  loading: { rounds: number };
  growth?: GrowthPlan;
}

export const IDEALS: readonly SubjectName[] = OURS.map((own) => BY_HAND[own]);

/** The subjects in the order of their turns: those that a goal compares are neighbours. */
export const COMPARED: readonly SubjectName[] = [
  'floor',
  'oauth2Checked',
  'salesloft',
  'idealProfile',
  'salesforceIdToken',
  'idealSalesforceIdToken',
  'openidClientSigned',
  'salesos',
  'idealIdToken',
  'auth0',
  'forcedotcom',
  'salesforce',
  'idealSalesforce',
  'forcedotcomChecked',
  'oauth2',
  'google',
  'openidconnect',
  'openidClient',
  'idealJose',
  'expressOpenid',
];

/** The subjects whose CPU appears in no goal: they are shown. */
const SHOWN: SubjectName[] = [
  'oauth2',
  'google',
  'openidconnect',
  'openidClient',
  'forcedotcomChecked',
  'idealJose',
  'expressOpenid',
];

const isWaitedFor = (subject: SubjectName) =>
  subject !== 'floor' &&
  // With its checks on, a peer opens the same connections as without.
  !['oauth2', 'forcedotcomChecked', 'openidClient', 'idealJose'].includes(subject);

const RATED: SubjectName[] = [
  ...new Set<SubjectName>([...OURS, ...IDEALS, ...OURS.map((own) => SAME_CHECKS[own])]),
];

export const FULL: Plan = {
  subjects: SUBJECT_NAMES,
  warmUp: 2000,
  isHttpMeasured: true,
  cpu: { rounds: 10, logins: 100, shown: SHOWN, shownEvery: 3 },
  everyday: {
    subjects: SUBJECT_NAMES.filter(isWaitedFor),
    idle: [5, 10, 30],
    samples: 3,
    busy: 15,
    hot: 300,
  },
  cold: { samples: 5 },
  throughput: {
    subjects: [...RATED, 'auth0', 'openidconnect'],
    rounds: 5,
    levels: [
      { concurrency: 1, logins: 60 },
      { concurrency: 16, logins: 128 },
      { concurrency: 64, logins: 256 },
    ],
  },
  heap: [{ subject: 'salesforceIdToken', fill: 20_000, logins: 5000, step: 5000 }],
  installed: ['passport-salesloft', 'passport-salesos', 'passport-salesforce-oauth2'],
  loading: { rounds: 15 },
  growth: {
    rounds: 3,
    logins: 100,
    pending: [1, 4, 10],
    tenants: [1, 100, 1000],
    keys: [1, 10, 100],
  },
};

const QUICK_SUBJECTS: SubjectName[] = [
  'floor',
  'oauth2Checked',
  'salesloft',
  'idealProfile',
  'salesforceIdToken',
  'idealSalesforceIdToken',
  'salesos',
  'idealIdToken',
  'auth0',
  'salesforce',
  'idealSalesforce',
  'forcedotcom',
];

export const QUICK: Plan = {
  subjects: QUICK_SUBJECTS,
  warmUp: 200,
  isHttpMeasured: false,
  cpu: { rounds: 5, logins: 80, shown: [], shownEvery: 1 },
  everyday: {
    subjects: ['salesloft', 'salesforceIdToken', 'salesos', 'salesforce', 'oauth2Checked', 'auth0'],
    idle: [6],
    samples: 3,
    busy: 5,
    hot: 40,
  },
  cold: { samples: 2 },
  throughput: {
    subjects: ['oauth2Checked', 'salesloft', 'idealProfile'],
    rounds: 2,
    levels: [
      { concurrency: 1, logins: 40 },
      { concurrency: 16, logins: 64 },
      { concurrency: 64, logins: 128 },
    ],
  },
  heap: [],
  installed: [],
  loading: { rounds: 3 },
};

/** Every goal once more, as thoroughly, and only the goals. */
export const AGAIN: Plan = {
  ...FULL,
  subjects: SUBJECT_NAMES.filter((subject) => !SHOWN.includes(subject) || RATED.includes(subject)),
  everyday: {
    ...FULL.everyday,
    subjects: SUBJECT_NAMES.filter((subject) => SUBJECTS[subject].kind === 'ours'),
  },
  heap: [],
  installed: [],
  growth: undefined,
};
