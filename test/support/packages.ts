/** The packages of this repository, as scripts/packages.js finds them. */
import type { Provider } from 'crm-oauth2';

export interface Package {
  name: string;
  /** With slashes, from the root. */
  folder: string;
}

interface Packages {
  ROOT: string;
  PACKAGES: readonly Package[];
  STRATEGIES: readonly Package[];
  exportsOf: (strategy: Package) => { className: string; provider: Provider };
}

export const { ROOT, PACKAGES, STRATEGIES, exportsOf } =
  require('../../scripts/packages.js') as Packages;
