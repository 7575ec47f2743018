/** The parts of SalesOS, an Auth0 tenant, that its endpoints share. */
import type { Environment } from '../dialect.js';
import type { KeyRing } from '../keys.js';
import type { People } from '../people.js';
import type { Organizations } from './salesos-organizations.js';

export interface Tenant extends Environment {
  /** Auth0's issuers end in a slash. */
  issuer: string;
  keys: KeyRing;
  people: People;
  organizations: Organizations;
}
