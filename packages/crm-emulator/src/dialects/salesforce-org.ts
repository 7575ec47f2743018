/** The parts of Salesforce, a production org, a sandbox or a My Domain, that its endpoints share. */
import type { Environment } from '../dialect.js';
import type { KeyRing } from '../keys.js';
import type { People } from '../people.js';

/** Where people log in, where the API is, and who signs ID Tokens. The org can move. */
export type Origins = Record<'login' | 'org' | 'issuer', string>;

export interface Org extends Environment {
  origins: Origins;
  people: People;
  /** The keys of the issuer. */
  keys: KeyRing;
  /** The keys that the origins other than the issuer publish. */
  otherKeys: KeyRing;
}
