/** The parts of the apps that are measured: where sessions are kept, what is shown, what is counted. */
'use strict';
const session = require('express-session');

/** Keeps the latest sessions only, so that the heap shows what the subject keeps. */
class SessionStore extends session.Store {
  #sessions = new Map();

  get(id, done) {
    const text = this.#sessions.get(id);
    setImmediate(() => done(null, text && JSON.parse(text)));
  }

  set(id, value, done) {
    this.#sessions.set(id, JSON.stringify(value));
    if (this.#sessions.size > 2000) this.#sessions.delete(this.#sessions.keys().next().value);
    if (done) setImmediate(() => done());
  }

  destroy(id, done) {
    this.#sessions.delete(id);
    if (done) setImmediate(() => done());
  }

  /** Bytes of the only session, beside its cookie. */
  bytes() {
    const [text = '{}'] = this.#sessions.values();
    const { cookie: _cookie, ...rest } = JSON.parse(text);
    return JSON.stringify(rest).length - '{}'.length;
  }

  clear() {
    this.#sessions.clear();
  }
}

/** With its length, so that the browser need not know chunks. */
const show = (res, id) => res.set('content-length', String(Buffer.byteLength(id))).end(id);

/** Microseconds of this process so far. */
function cpu() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Bytes in use after garbage collection, which needs `--expose-gc`. */
async function heap() {
  for (let round = 0; round < 4; round += 1) {
    globalThis.gc();
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
  return process.memoryUsage().heapUsed;
}

module.exports = { SessionStore, cpu, heap, show };
