/** A cell of the table: one tool in one version, and the steps in which it is tried. */
import type { Workbench } from './workbench';

export interface Tried {
  /** Exact, as installed. */
  version: string;
  /** By name: each rejects when it fails. They run one after the other. */
  steps: Readonly<Record<string, () => Promise<void>>>;
}

export interface Cell {
  /** The name for the command line. */
  id: string;
  group: string;
  title: string;
  /** For the page: what a person has to know. */
  remark?: string;
  /** By step: why it cannot work, when the tool is the reason. The command does not fail for them. */
  known?: Readonly<Record<string, string>>;
  prepare: (workbench: Workbench) => Promise<Tried>;
}
