/**
 * The journal of one process. Each line is written at once to a file, and so outlives the process when it
 * is killed.
 */
import { openSync, readFileSync, readdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Delay, JournalFacts } from './evidence';

/** The name of the process that makes the trouble, among those of the workers. */
export const RUNNER = 'runner';

/** Between two notes that a process runs. */
export const BEAT_NOTE_MS = 100;

/** The lines of a journal: the kind, and its facts. Times are epoch milliseconds. */
interface Facts {
  beat: [at: number];
  stall: [from: number, to: number];
  pause: [from: number, to: number, person: number];
  delay: [delay: Delay];
  lock: [askedAt: number, grantedAt: number, person: number, name: string, holder: string];
  unlock: [at: number, holder: string];
  unlocked: [holder: string];
  sent: [at: number, grant: number, generation: number];
  stored: [at: number, grant: number, generation: number];
  token: [asked: number, given: number, grant: number, generation: number];
  call: [from: number, to: number, person: number, code: string | null, status: number | null];
  skip: [];
}
type Kind = keyof Facts;
type Readers = { [K in Kind]: (...facts: Facts[K]) => void };

export class Journal {
  readonly #file: number;

  constructor(folder: string, name: string) {
    this.#file = openSync(join(folder, name), 'a');
  }

  write<K extends Kind>(kind: K, ...facts: Facts[K]): void {
    writeSync(this.#file, `${JSON.stringify([kind, ...facts])}\n`);
  }
}

export const nameOf = (grant: number, generation: number): string => `${grant}-${generation}`;

/** The facts of one journal. */
function read(text: string): JournalFacts {
  const facts: JournalFacts = {
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
  const lockOf = (holder: string) => facts.locks.findLast((one) => one.holder === holder);
  const readers: Readers = {
    beat: (at) => (facts.lastBeat = at),
    stall: (from, to) => facts.stalls.push({ from, to }),
    pause: (from, to, person) => facts.pauses.push({ from, to, person }),
    delay: (delay) => (facts.delay = delay),
    lock: (askedAt, grantedAt, person, name, holder) =>
      facts.locks.push({ askedAt, grantedAt, person, name, holder, until: Infinity, isHeld: true }),
    unlock: (at, holder) => {
      Object.assign(lockOf(holder) ?? {}, { until: at });
    },
    unlocked: (holder) => {
      Object.assign(lockOf(holder) ?? {}, { isHeld: false });
    },
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
    const [kind, ...rest] = JSON.parse(line) as [Kind, ...never[]];
    readers[kind](...rest);
  }
  return facts;
}

/** The journals of a folder, by the names of the processes. */
export function readJournals(folder: string): Map<string, JournalFacts> {
  return new Map(
    readdirSync(folder).map((name) => [name, read(readFileSync(join(folder, name), 'utf8'))]),
  );
}
