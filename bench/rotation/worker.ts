/** One process of an application: takes tokens of random people, and calls the API with them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setInterval as every, setTimeout as sleep } from 'node:timers/promises';
import type { TokenSource } from 'crm-oauth2';
import { BEAT_NOTE_MS, Journal } from './journal';
import { Lateness } from './lateness';
import { connect, read } from './library';
import type { Library, Moment, Where } from './library';

export interface WorkerOptions {
  where: Where;
  name: string;
  /** Calls a second. */
  rate: number;
  keys: number;
  pauseMs: number;
}

/** A worker that stands still. */
export interface Paused {
  name: string;
  person: number;
  until: number;
}

export interface WorkerMessage {
  ready?: true;
  /** A person who must sign in again. */
  lost?: number;
  paused?: Paused;
}

export interface WorkerOrder {
  end?: true;
  /** Ask for the token of this person, at this time. */
  meet?: number;
  at?: number;
  /** Stand still at a moment of a refresh; null takes the order back. */
  pause?: { moment: Moment; number: number } | null;
}

const send = (message: WorkerMessage, sent?: () => void) =>
  process.send?.(message, undefined, undefined, sent);

const { where, name, rate, keys, pauseMs } = JSON.parse(process.argv[2] ?? '') as WorkerOptions;

/** Between two batches of calls. */
const TICK_MS = 10;

/** Between two notes of the event loop's delay. */
const DELAY_NOTE_MS = 1000;

/** Calls under way, including those that wait for the lock of a killed worker. */
const MAX_CALLS = 400;

/** Calls that a pause of this process leaves due are begun up to this time, and dropped beyond it. */
const CATCH_UP_SECONDS = 0.5;

/** Half of the calls are about a few people, the same in every worker, so that the workers compete. */
const CROWD = Math.min(10, keys);
const CROWD_LASTS_MS = 2000;

const journal = new Journal(where.journals, name);
let notedAt = 0;
const lateness = new Lateness(
  (from, to) => journal.write('stall', from, to),
  (at) => {
    if (at < notedAt + BEAT_NOTE_MS) return;
    notedAt = at;
    journal.write('beat', at);
  },
);

/**
 * An order to stand still at a moment of a refresh. The first worker that gets there obeys. The people who
 * meet have keys beyond `keys`.
 */
let order: WorkerOrder['pause'] = null;

async function reach(moment: Moment, person: number): Promise<void> {
  if (!order || moment !== order.moment || person < keys) return;
  const { number } = order;
  order = null;
  if (!isFirst(number)) return;
  const from = Date.now();
  journal.write('pause', from, from + pauseMs, person);
  await new Promise<void>((resolve) => {
    send({ paused: { name, person, until: from + pauseMs } }, resolve);
  });
  // The whole thread waits: no timer runs, and no answer is read.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, from + pauseMs - Date.now());
  lateness.leaveOut();
}

function isFirst(number: number): boolean {
  try {
    writeFileSync(join(where.pauses, String(number)), name, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function choose(): number {
  if (Math.random() < 0.5) return Math.floor(Math.random() * keys);
  const member = Math.floor(Math.random() * CROWD);
  return (Math.floor(Date.now() / CROWD_LASTS_MS) * CROWD + member) % keys;
}

async function call(library: Library, person: number): Promise<void> {
  const tokens = library.tokensOf(person);
  const began = Date.now();
  let headers: Record<string, string> = {};
  const source: TokenSource = {
    getAccessToken: async (options) => {
      const asked = Date.now();
      const token = await tokens.getAccessToken(options);
      const given = Date.now();
      const { grant, generation } = read(token);
      journal.write('token', asked, given, grant, generation);
      headers = { 'x-worker': name, 'x-asked': String(asked), 'x-given': String(given) };
      return token;
    },
  };
  const api = library.authorizedFetch(source, {
    fetch: async (url, init) => {
      const all = new Headers(init?.headers);
      for (const [header, value] of Object.entries(headers)) all.set(header, value);
      return await fetch(url, { ...init, headers: all });
    },
  });
  try {
    const response = await api('/api');
    await response.arrayBuffer();
    journal.write('call', began, Date.now(), person, null, response.status);
  } catch (error) {
    const { code = (error as Error).message } = error as { code?: string };
    journal.write('call', began, Date.now(), person, code, null);
    if (code === 'reauthorization_required' && process.connected) send({ lost: person });
  }
}

async function main(): Promise<void> {
  const stop = new AbortController();
  const connecting = connect(where, name, journal, reach);
  const running = new Set<Promise<void>>();
  const begin = (person: number) => {
    if (running.size >= MAX_CALLS) {
      journal.write('skip');
      return;
    }
    const one = connecting
      .then((library) => call(library, person))
      .finally(() => running.delete(one));
    running.add(one);
  };
  process.on('disconnect', () => process.exit());
  process.on('message', ({ end, meet, at = 0, pause }: WorkerOrder) => {
    if (end) stop.abort();
    if (pause !== undefined) order = pause;
    if (meet === undefined || stop.signal.aborted) return;
    void sleep(Math.max(0, at - Date.now())).then(() => begin(meet));
  });
  const library = await connecting;
  send({ ready: true });
  setInterval(() => journal.write('delay', lateness.delay), DELAY_NOTE_MS).unref();
  const most = Math.max(1, rate * CATCH_UP_SECONDS);
  let due = Math.random();
  let last = performance.now();
  try {
    for await (const _ of every(TICK_MS, undefined, { signal: stop.signal })) {
      const now = performance.now();
      due = Math.min(due + ((now - last) * rate) / 1000, most);
      last = now;
      for (; due >= 1; due -= 1) begin(choose());
    }
  } catch (error) {
    if ((error as Error).name !== 'AbortError') throw error;
  }
  await Promise.all(running);
  await library.close();
  process.disconnect();
}

// Ctrl-C reaches every process. The runner decides when they end.
process.on('SIGINT', () => undefined);
void main();
