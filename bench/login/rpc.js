/** Calls between the runner and its processes, over the channel that `fork` opens. */
'use strict';
const { fork } = require('node:child_process');

/**
 * In a child: answers calls, and ends when the runner ends for any reason.
 *
 * @param {Record<string, (parameters: any) => unknown>} handlers
 */
function serve(handlers) {
  const answer = (message) => process.connected && process.send(message);
  process.on('message', ({ id, name, parameters }) => {
    (async () => await handlers[name](parameters ?? {}))().then(
      (result) => answer({ id, result }),
      (error) => answer({ id, error: String(error?.stack ?? error) }),
    );
  });
  process.on('disconnect', () => process.exit());
  // Ctrl-C reaches the whole group. The runner decides when its processes end.
  process.on('SIGINT', () => undefined);
}

/** In the runner: a process that answers calls. */
class Child {
  static #running = new Set();

  /** Ends the processes that still run. */
  static stopAll() {
    for (const child of Child.#running) child.stop();
  }

  #process;
  #calls = new Map();
  #last = 0;

  /**
   * @param {string} file
   * @param {string[]} [parameters]
   * @param {{ env?: Record<string, string>, execArgv?: string[] }} [options]
   */
  constructor(file, parameters = [], { env = {}, execArgv = [] } = {}) {
    this.#process = fork(file, parameters, {
      env: { ...process.env, NODE_ENV: 'production', ...env },
      execArgv,
      // Their output matters only when they fail, and then it comes as an error.
      stdio: ['ignore', 'ignore', process.env.BENCH_DEBUG ? 'inherit' : 'ignore', 'ipc'],
    });
    Child.#running.add(this);
    this.#process.on('message', ({ id, result, error }) => {
      const { resolve, reject } = this.#calls.get(id);
      this.#calls.delete(id);
      if (error === undefined) resolve(result);
      else reject(new Error(error));
    });
    this.#process.on('error', () => undefined);
    this.#process.on('exit', (code, signal) => {
      Child.#running.delete(this);
      for (const { reject } of this.#calls.values()) {
        reject(new Error(`${parameters[0] ?? file} ended (${signal ?? code})`));
      }
    });
  }

  /**
   * @param {string} name
   * @param {object} [parameters]
   * @returns {Promise<any>}
   */
  async call(name, parameters) {
    this.#last += 1;
    const id = this.#last;
    return await new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject });
      this.#process.send({ id, name, parameters }, (error) => error && reject(error));
    });
  }

  stop() {
    if (this.#process.connected) this.#process.disconnect();
  }
}

module.exports = { Child, serve };
