/** The options of `npm run prove:rotation`, and the times that all its processes share. */
import { parseArgs } from 'node:util';
import { MUTANTS } from './copy';

/** The timeout of the library's client. */
export const TIMEOUT_MS = 2000;

/** A lock lasts this long: the library adds five seconds to the timeout. */
export const LOCK_MS = TIMEOUT_MS + 5000;

/** A token lives several timeouts, so that a machine that stalls for one does not end it. */
const SHORTEST_TTL_SECONDS = 6;

/** A shorter run ends without waiting for locks, and holds no worker up for longer than a lock. */
const BRIEF_SECONDS = 20;

export interface Settings {
  seconds: number;
  workers: number;
  keys: number;
  /** Seconds that a token lives. */
  ttl: number;
  /** Calls a second. */
  rate: number;
  mutant: string | undefined;
  isBrief: boolean;
  revokeOld: boolean;
  json: boolean;
}

export function settings(): Settings {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '60' },
      workers: { type: 'string', default: '6' },
      keys: { type: 'string', default: '500' },
      ttl: { type: 'string', default: '8' },
      rate: { type: 'string', default: '60' },
      mutant: { type: 'string' },
      'revoke-old': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const number = (name: 'seconds' | 'workers' | 'keys' | 'ttl' | 'rate', least = 1) => {
    const value = Number(values[name]);
    if (Number.isInteger(value) && value >= least && value <= 1_000_000) return value;
    throw new TypeError(`--${name} must be a whole number from ${least} to a million`);
  };
  const { mutant } = values;
  if (mutant !== undefined && !(mutant in MUTANTS)) {
    throw new TypeError(`--mutant must be one of ${Object.keys(MUTANTS).join(', ')}`);
  }
  const seconds = number('seconds');
  return {
    seconds,
    workers: number('workers'),
    keys: number('keys'),
    ttl: number('ttl', SHORTEST_TTL_SECONDS),
    rate: number('rate'),
    mutant,
    isBrief: seconds < BRIEF_SECONDS,
    revokeOld: values['revoke-old'],
    json: values.json,
  };
}
