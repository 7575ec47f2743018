/** The figures of a run, by part. A part that was not measured is missing. */
import type { CpuResults } from './parts/cpu';
import type { ColdResult, EverydayResults } from './parts/everyday';
import type { GrowthResults } from './parts/growth';
import type { HeapResult, RefreshResult, SessionResults } from './parts/memory';
import type { Installed, LoadingResults } from './parts/packages';
import type { ThroughputResults } from './parts/throughput';
import type { SubjectName } from './subjects';

export interface Figures {
  http?: CpuResults;
  https?: CpuResults;
  everyday?: EverydayResults;
  cold?: ColdResult[];
  throughput?: ThroughputResults;
  memory?: {
    sessions: SessionResults;
    refresh: RefreshResult[];
    heap: Map<SubjectName, HeapResult>;
  };
  packages?: { installed: Map<string, Installed>; loading: LoadingResults };
  growth?: GrowthResults;
}

export type Part = 'cpu' | 'everyday' | 'throughput' | 'memory' | 'packages' | 'growth';
