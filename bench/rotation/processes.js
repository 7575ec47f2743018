/** The processes of a run: each ends with this program, and each wait for one has an end. */
'use strict';
const { fork } = require('node:child_process');
const { once } = require('node:events');
const { join } = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

const START_LIMIT_MS = 60_000;
/** A call of a worker may wait for two locks, on a machine that is busy. */
const STOP_LIMIT_MS = 60_000;
/** A kill that waits for its moment in a token request gives up after this time. */
const MOMENT_LIMIT_MS = 3000;

/** Aborted at the end of the run, with the reason if it ends early. */
const stop = new AbortController();
const children = new Set();

const pause = async (milliseconds) => await sleep(milliseconds, undefined, { signal: stop.signal });

/** Makes sure that a child ends with this program. */
function own(child) {
  children.add(child);
  child.once('exit', () => children.delete(child));
  child.on('error', () => child.pid === undefined && children.delete(child));
  return child;
}

const program = (name, options) => own(fork(join(__dirname, name), [JSON.stringify(options)]));

async function ended(child) {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

function killAll() {
  for (const child of children) child.kill('SIGKILL');
}

async function endAll() {
  stop.abort();
  killAll();
  await Promise.all([...children].map(ended));
}

async function within(limit, title, work) {
  const late = new AbortController();
  const timeout = sleep(limit, undefined, { signal: AbortSignal.any([late.signal, stop.signal]) });
  try {
    return await Promise.race([
      work,
      timeout.then(() => {
        throw Object.assign(new Error(`${title}: not within ${limit} ms`), { isLate: true });
      }),
    ]);
  } finally {
    late.abort();
    timeout.catch(() => undefined);
  }
}

/** The process of `provider.js`. */
class Provider {
  #child;

  static async start(options) {
    const provider = new Provider(program('provider.js', options));
    const { tokens, api } = await provider.#next(START_LIMIT_MS, (message) => message.tokens);
    return Object.assign(provider, { tokens, api });
  }

  constructor(child) {
    this.#child = child;
  }

  /** @returns the worker whose token request is at this moment */
  async moment(name) {
    this.#child.send({ await: name });
    return (await this.#next(MOMENT_LIMIT_MS, ({ moment }) => moment === name)).answering;
  }

  /** From this time on no refresh meets a fault. */
  calmAt(time) {
    this.#child.send({ calmAt: time });
  }

  async drain() {
    this.#child.send({ drain: true });
    await this.#next(STOP_LIMIT_MS, (message) => message.drained);
  }

  async log() {
    this.#child.send({ tell: true });
    return (await this.#next(STOP_LIMIT_MS, (message) => message.log)).log;
  }

  async end() {
    this.#child.disconnect();
    await within(STOP_LIMIT_MS, 'provider', ended(this.#child));
  }

  async #next(limit, is) {
    let found;
    const answer = new Promise((resolve) => {
      found = (message) => is(message) && resolve(message);
      this.#child.on('message', found);
    });
    try {
      return await within(limit, 'provider', answer);
    } finally {
      this.#child.off('message', found);
    }
  }
}

module.exports = {
  Provider,
  START_LIMIT_MS,
  STOP_LIMIT_MS,
  endAll,
  ended,
  killAll,
  own,
  pause,
  program,
  stop,
  within,
};
