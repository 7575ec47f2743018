/** The workers: started, killed, held up, and ended. */
'use strict';
const { START_LIMIT_MS, STOP_LIMIT_MS, ended, program, stop, within } = require('./processes');

/** A brief run kills the workers that still wait for a lock after this time at its end. */
const GRACE_MS = 1500;

/** An order to stand still is taken back after this time. */
const PAUSE_LIMIT_MS = 3000;

/** Between the message of a meeting and the meeting. */
const MEETING_NOTICE_MS = 60;

class Workers {
  /**
   * By name: when each was killed, and when it had ended. A worker that replaces another one has a name of
   * its own.
   */
  killed = new Map();
  killedAtMoment = 0;
  #options;
  #onLost;
  #running = new Map();
  /** Those that have connected. */
  #ready = new Set();
  #onReady = () => undefined;
  /** Until when a worker stands still. */
  #paused = new Map();
  #started = 0;
  #pauses = 0;
  #isOver = false;

  #onPaused = () => undefined;

  /** @param {(person: number) => void} onLost */
  constructor(options, onLost) {
    this.#options = options;
    this.#onLost = onLost;
  }

  /** Those that take part, and do not stand still. */
  get names() {
    const now = Date.now();
    return [...this.#ready].filter((name) => (this.#paused.get(name) ?? 0) < now);
  }

  /** Starts this many, and waits until they take part. */
  async startAll(count) {
    const ready = new Promise((resolve) => {
      this.#onReady = () => this.#ready.size >= count && resolve();
    });
    for (let started = 0; started < count; started += 1) this.#start();
    await within(START_LIMIT_MS, 'workers', ready);
  }

  #start() {
    if (stop.signal.aborted) return;
    this.#started += 1;
    const name = `worker-${this.#started}`;
    const child = program('worker.js', { ...this.#options, name });
    this.#running.set(name, child);
    child.on('message', ({ ready, lost, paused }) => {
      if (ready) this.#ready.add(name);
      if (ready) this.#onReady();
      if (lost !== undefined) this.#onLost(lost);
      if (paused === undefined) return;
      this.#paused.set(name, paused.until);
      this.#onPaused(paused);
    });
    child.once('exit', (code) => {
      this.#running.delete(name);
      this.#ready.delete(name);
      const death = this.killed.get(name);
      if (death) {
        death.endedAt = Date.now();
        if (!this.#isOver) this.#start();
      } else if (!this.#isOver || code !== 0) {
        stop.abort(new Error(`${name} has ended by itself`));
      }
    });
  }

  kill(name, isMoment) {
    const child = this.#running.get(name);
    if (!child || this.killed.has(name) || (this.#paused.get(name) ?? 0) > Date.now()) return;
    this.#ready.delete(name);
    this.killed.set(name, { at: Date.now(), endedAt: Infinity });
    if (isMoment) this.killedAtMoment += 1;
    child.kill('SIGKILL');
  }

  /** Lets all workers ask for one person's token at the same moment. */
  meet(person) {
    const at = Date.now() + MEETING_NOTICE_MS;
    for (const child of this.#running.values()) tell(child, { meet: person, at });
  }

  /**
   * Lets the first worker that refreshes at a meeting stand still at this moment of it.
   *
   * @returns {Promise<{ name: string, person: number, until: number } | undefined>}
   */
  async pauseOne(moment) {
    const order = (at) => {
      for (const child of this.#running.values()) tell(child, { pause: at });
    };
    this.#pauses += 1;
    const paused = new Promise((resolve) => (this.#onPaused = resolve));
    order({ moment, number: this.#pauses });
    const one = await within(PAUSE_LIMIT_MS, 'pause', paused).catch(() => undefined);
    stop.signal.throwIfAborted();
    order(null);
    return one;
  }

  /** Lets the workers finish their calls, and end. A brief run does not wait for locks. */
  async end(isBrief) {
    this.#isOver = true;
    const running = [...this.#running];
    for (const [, child] of running) tell(child, { end: true });
    const all = Promise.all(running.map(([, child]) => ended(child)));
    if (isBrief) {
      await within(GRACE_MS, 'workers', all).catch(() => undefined);
      stop.signal.throwIfAborted();
      for (const name of this.#running.keys()) this.kill(name, false);
    }
    await within(STOP_LIMIT_MS, 'workers', all);
  }
}

/** A worker that is about to end takes no message. */
function tell(child, message) {
  if (child?.connected) child.send(message, () => undefined);
}

module.exports = { Workers };
