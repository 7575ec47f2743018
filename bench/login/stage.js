/** Starts the processes of a measurement: a subject's app, its listener at the provider, the distance between them. */
'use strict';
const { execFileSync } = require('node:child_process');
const { mkdtempSync, readFileSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { Connection, each, finish, start } = require('./browser');
const { Child } = require('./rpc');

const here = (name) => join(__dirname, name);

/** Owns the processes and the folder of a run, and removes them at its end. */
class Stage {
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'crm-login-bench-'));
    this.certificate = join(this.folder, 'certificate.pem');
    const key = join(this.folder, 'key.pem');
    const request =
      'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=bench -days 2 -addext subjectAltName=IP:127.0.0.1';
    execFileSync('openssl', [...request.split(' '), '-keyout', key, '-out', this.certificate], {
      stdio: 'ignore',
    });
    this.tls = { key: readFileSync(key, 'utf8'), cert: readFileSync(this.certificate, 'utf8') };
    this.provider = new Child(here('provider.js'));
    this.proxy = new Child(here('proxy.js'));
  }

  /** @param {string} subject */
  app(subject, execArgv = []) {
    return new App(this, subject, execArgv);
  }

  /** A new listener, so that its requests are counted apart. */
  async listen({ https = true, keepAlive = 65_000, keys = 1, rtt = 0 } = {}) {
    const tls = https ? this.tls : undefined;
    const port = await this.provider.call('listen', { tls, keepAlive, keys });
    const shown =
      rtt === 0 ? port : await this.proxy.call('listen', { target: port, delay: rtt / 2 });
    return { port, origin: `http${https ? 's' : ''}://127.0.0.1:${shown}` };
  }

  close() {
    Child.stopAll();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const now = () => performance.now();
const wait = async (ms) =>
  await new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

class App {
  #stage;
  #child;
  #connections = [];
  #free = [];

  constructor(stage, subject, execArgv) {
    this.#stage = stage;
    this.subject = subject;
    this.#child = new Child(here('app.js'), [subject], {
      env: { NODE_EXTRA_CA_CERTS: stage.certificate },
      execArgv,
    });
  }

  async call(name, parameters) {
    return await this.#child.call(name, parameters);
  }

  /** Mounts one strategy, or several, for a listener. */
  async mount(listener, count = 1) {
    const { port, last } = await this.call('mount', { origin: listener.origin, count });
    this.port = port;
    return { mount: last - count + 1, count, port: listener.port };
  }

  /** Connections as of `concurrency` browsers. */
  connections(concurrency) {
    while (this.#connections.length < concurrency) {
      this.#connections.push(new Connection(this.port));
    }
    return this.#connections.slice(0, concurrency);
  }

  /**
   * Runs logins in two halves: first all people are sent away, then all come back.
   *
   * @param {{ mount: number, count: number, port: number }} place
   * @param {{ logins: number, concurrency?: number, pending?: number }} load `pending`: logins that
   * the session already waits for
   */
  async run(place, { logins, concurrency = 8, pending = 0 }) {
    const connections = this.connections(concurrency);
    const at = (index) => place.mount + (index % place.count);
    const cookies = [];
    if (pending > 0) {
      await each(connections, logins, async (connection, index) => {
        for (let made = 0; made < pending; made += 1) {
          cookies[index] = (await start(connection, at(index), cookies[index])).cookie;
        }
      });
    }
    const begun = [];
    const latencies = [];
    const startCpu = await this.#measure(async () => {
      await each(connections, logins, async (connection, index) => {
        const began = now();
        begun[index] = await start(connection, at(index), cookies[index]);
        latencies[index] = { start: now() - began };
      });
    });
    const codes = begun.map(({ code }) => code);
    await this.#stage.provider.call('sign', { port: place.port, codes });
    const callbackCpu = await this.#measure(async () => {
      await each(connections, logins, async (connection, index) => {
        const began = now();
        await finish(connection, at(index), begun[index]);
        latencies[index].callback = now() - began;
      });
    });
    return {
      start: startCpu.cpu / logins,
      callback: callbackCpu.cpu / logins,
      cpu: (startCpu.cpu + callbackCpu.cpu) / logins,
      perSecond: (1000 * logins) / (startCpu.ms + callbackCpu.ms),
      latencies: latencies.map(({ callback }) => callback),
    };
  }

  async #measure(act) {
    const before = await this.call('cpu');
    const began = now();
    await act();
    const ms = now() - began;
    return { ms, cpu: (await this.call('cpu')) - before };
  }

  /**
   * Runs one login of a person who stays `pause` ms at the provider, and returns the milliseconds of
   * the callback. Several may be under way.
   */
  async login(place, pause) {
    const connection = this.#free.pop() ?? new Connection(this.port);
    const begun = await start(connection, place.mount);
    await this.#stage.provider.call('sign', { port: place.port, codes: [begun.code] });
    await wait(pause);
    const began = now();
    await finish(connection, place.mount, begun);
    const ms = now() - began;
    this.#free.push(connection);
    return ms;
  }

  /** Starts logins in one session, and abandons them. */
  async abandon(place, starts) {
    const [connection] = this.connections(1);
    let cookie = '';
    for (let made = 0; made < starts; made += 1) {
      ({ cookie } = await start(connection, place.mount, cookie));
    }
  }

  /** The counts of the provider for one listener. */
  async counts({ port }) {
    return await this.#stage.provider.call('counts', { port });
  }

  stop() {
    for (const connection of [...this.#connections, ...this.#free]) connection.close();
    this.#child.stop();
  }
}

module.exports = { Stage, wait };
