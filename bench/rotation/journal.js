/**
 * The journal of one process. Each line is written at once to a file, and so outlives the process when it
 * is killed.
 */
'use strict';
const { openSync, readFileSync, readdirSync, writeSync } = require('node:fs');
const { join } = require('node:path');

/** The name of the process that makes the trouble, among those of the workers. */
const RUNNER = 'runner';

/** Between two notes that a process runs. */
const BEAT_NOTE_MS = 100;

class Journal {
  #file;

  constructor(folder, name) {
    this.#file = openSync(join(folder, name), 'a');
  }

  /**
   * @param {'beat' | 'stall' | 'pause' | 'delay' | 'lock' | 'unlock' | 'unlocked' | 'sent' | 'stored' | 'token' | 'call' | 'skip'} kind
   * @param {unknown[]} facts
   */
  write(kind, ...facts) {
    writeSync(this.#file, `${JSON.stringify([kind, ...facts])}\n`);
  }
}

const nameOf = (grant, generation) => `${grant}-${generation}`;

/** The facts of one journal. Times are epoch milliseconds, spans have `from` and `to`. */
function read(text) {
  const facts = {
    lastBeat: 0,
    stalls: [],
    pauses: [],
    delay: { p99: 0, max: 0 },
    locks: [],
    sent: new Map(),
    stored: new Map(),
    tokens: [],
    calls: [],
    skipped: 0,
  };
  const lockOf = (holder) => facts.locks.findLast((one) => one.holder === holder);
  const readers = {
    beat: (at) => (facts.lastBeat = at),
    stall: (from, to) => facts.stalls.push({ from, to }),
    pause: (from, to, person) => facts.pauses.push({ from, to, person }),
    delay: (delay) => (facts.delay = delay),
    lock: (askedAt, grantedAt, person, name, holder) =>
      facts.locks.push({ askedAt, grantedAt, person, name, holder, until: Infinity, isHeld: true }),
    unlock: (at, holder) => (lockOf(holder).until = at),
    unlocked: (holder) => (lockOf(holder).isHeld = false),
    sent: (at, grant, generation) => {
      const name = nameOf(grant, generation);
      if (!facts.sent.has(name)) facts.sent.set(name, at);
    },
    stored: (at, grant, generation) => facts.stored.set(nameOf(grant, generation), at),
    token: (asked, given, grant, generation) =>
      facts.tokens.push({ asked, given, grant, generation }),
    call: (from, to, person, code, status) => facts.calls.push({ from, to, person, code, status }),
    skip: () => (facts.skipped += 1),
  };
  const lines = text.split('\n');
  // The last one is empty, or was cut off by a kill.
  for (const line of lines.slice(0, -1)) {
    const [kind, ...rest] = JSON.parse(line);
    readers[kind](...rest);
  }
  return facts;
}

/** The journals of a folder, by the names of the processes. */
function readJournals(folder) {
  return new Map(
    readdirSync(folder).map((name) => [name, read(readFileSync(join(folder, name), 'utf8'))]),
  );
}

module.exports = { BEAT_NOTE_MS, Journal, RUNNER, nameOf, readJournals };
