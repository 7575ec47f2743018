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
  /** For CPU and many logins at a time. */
  groups: readonly Group[];
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

/** Subjects that are compared, whose apps are alive at the same time, in the order of their turns. */
export interface Group {
  subjects: readonly SubjectName[];
  /** Of no goal: a third of the rounds is enough. */
  isShown?: true;
}

const GROUPS: readonly Group[] = [
  { subjects: ['floor', 'oauth2Checked', 'salesloft', 'idealProfile'] },
  { subjects: ['floor', 'openidClientSigned', 'salesos', 'idealIdToken', 'auth0'] },
  {
    subjects: [
      'floor',
      'oauth2Checked',
      'salesforceIdToken',
      'idealSalesforceIdToken',
      'openidClientSigned',
    ],
  },
  { subjects: ['floor', 'forcedotcom', 'salesforce', 'idealSalesforce', 'forcedotcomChecked'] },
  {
    subjects: ['floor', 'oauth2Checked', 'oauth2', 'google', 'openidconnect'],
    isShown: true,
  },
  {
    subjects: ['floor', 'oauth2Checked', 'openidClient', 'idealJose', 'expressOpenid'],
    isShown: true,
  },
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
  groups: GROUPS,
  warmUp: 1600,
  isHttpMeasured: true,
  cpu: { rounds: 10, logins: 100 },
  everyday: {
    subjects: SUBJECT_NAMES.filter(isWaitedFor),
    idle: [5, 10],
    samples: 3,
    busy: 15,
    hot: 100,
  },
  cold: { samples: 4 },
  throughput: {
    subjects: RATED,
    rounds: 4,
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
  groups: GROUPS.filter(({ isShown }) => !isShown),
  warmUp: 200,
  isHttpMeasured: false,
  cpu: { rounds: 3, logins: 60 },
  everyday: {
    subjects: ['salesloft', 'salesforceIdToken', 'salesos', 'salesforce', 'oauth2Checked', 'auth0'],
    idle: [4],
    samples: 2,
    busy: 3,
    hot: 20,
  },
  cold: { samples: 1 },
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
  groups: GROUPS.filter(({ isShown }) => !isShown),
  everyday: {
    ...FULL.everyday,
    subjects: SUBJECT_NAMES.filter((subject) => SUBJECTS[subject].kind === 'ours'),
  },
  heap: [],
  installed: [],
  growth: undefined,
};
