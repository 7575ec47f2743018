/** The options of `npm run prove:rotation`, and the times that all its processes share. */
'use strict';
const { parseArgs } = require('node:util');
const { MUTANTS } = require('./copy');

const DEFAULTS = { seconds: '60', workers: '6', keys: '500', ttl: '8', rate: '60' };

/** The timeout of the library's client. */
const TIMEOUT_MS = 2000;

/** A lock lasts this long: the library adds five seconds to the timeout. */
const LOCK_MS = TIMEOUT_MS + 5000;

/** A token lives several timeouts, so that a machine that stalls for one does not end it. */
const SHORTEST_TTL_SECONDS = 6;

/** A shorter run ends without waiting for locks, and holds no worker up for longer than a lock. */
const BRIEF_SECONDS = 20;

function settings() {
  const text = { type: 'string' };
  const flag = { type: 'boolean', default: false };
  const { values } = parseArgs({
    options: {
      ...Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, text])),
      mutant: text,
      'revoke-old': flag,
      json: flag,
    },
  });
  const number = (name, least = 1) => {
    const value = Number(values[name] ?? DEFAULTS[name]);
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

module.exports = { LOCK_MS, TIMEOUT_MS, settings };
