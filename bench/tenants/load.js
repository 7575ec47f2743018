/** Logins of many tenants, each of which is checked: its tenant or environment, its client and its person. */
'use strict';
const { join } = require('node:path');
const { Connection, each, start } = require('../login/browser');
const { Child } = require('../login/rpc');

const CONNECTIONS = 16;

/** Whose login the page must say that it was. */
const EXPECTED = {
  single: () => '-',
  tenants: (index) => String(index),
  environments: (index, origins) => origins[index],
};

/** One process with an app, and its provider in another. */
class Place {
  #app = new Child(join(__dirname, 'app.js'), [], { execArgv: ['--expose-gc'] });
  #provider = new Child(join(__dirname, '..', 'login', 'provider.js'));
  #connections = [];
  #subjects = new Map();

  async open(ports) {
    const opened = await this.#provider.call('listen', { keepAlive: 65_000, ports });
    this.port = opened[0];
    this.origins = opened.map((port) => `http://127.0.0.1:${port}`);
    return this;
  }

  /** @param {{ name: string, provider: string, kind: string, count: number }} subject */
  async mount(subject) {
    const port = await this.#app.call('mount', { ...subject, origins: this.origins });
    this.#subjects.set(subject.name, { ...subject, next: 0 });
    while (this.#connections.length < CONNECTIONS) this.#connections.push(new Connection(port));
  }

  /** Sends people away: each to the next tenant in turn. */
  async #start(subject, count, cookies = []) {
    const first = subject.next;
    subject.next += count;
    const begun = [];
    await each(this.#connections, count, async (connection, at) => {
      const index = (first + at) % subject.count;
      begun[at] = {
        ...(await start(connection, `${subject.name}/${index}`, cookies[at])),
        owner: EXPECTED[subject.kind](index, this.origins),
      };
    });
    return begun;
  }

  async #sign(begun) {
    const codes = begun.map(({ code }) => code);
    await this.#provider.call('sign', { port: this.port, codes });
  }

  /** The CPU of starts and callbacks, in microseconds a login. */
  async measure(name, logins) {
    const subject = this.#subjects.get(name);
    let begun;
    const starts = await this.#cpuOf(async () => {
      begun = await this.#start(subject, logins);
    });
    await this.#sign(begun);
    const callbacks = await this.#cpuOf(async () => {
      await each(this.#connections, logins, async (connection, at) => {
        await finish(connection, begun[at]);
      });
    });
    return (starts + callbacks) / logins;
  }

  async #cpuOf(act) {
    const before = await this.#app.call('cpu');
    await act();
    return (await this.#app.call('cpu')) - before;
  }

  /**
   * Logins that interleave: each browser has two of different tenants under way, and they come back in
   * mixed order. Every fiftieth answer is tried in another browser first, where it must be refused.
   */
  async interleave(name, logins) {
    const subject = this.#subjects.get(name);
    let refused = 0;
    for (let done = 0; done < logins; done += 500) {
      const first = await this.#start(subject, 250);
      const cookies = first.map(({ cookie }) => cookie);
      // So that no browser has one tenant twice.
      subject.next += 100;
      const second = await this.#start(subject, 250, cookies);
      if (second.some(({ owner }, at) => owner === first[at].owner))
        throw new Error('one tenant twice');
      await this.#sign([...first, ...second]);
      const browsers = first.map((one, at) => ({
        cookie: cookies[at],
        logins: at % 2 === 0 ? [one, second[at]] : [second[at], one],
      }));
      for (const turn of [0, 1]) {
        await each(this.#connections, browsers.length, async (connection, at) => {
          // 101 and 250 have no common factor: neighbours at the start are far apart here.
          const browser = browsers[(at * 101) % browsers.length];
          const other = browsers[(at * 101 + 1) % browsers.length];
          if (at % 50 === 0) {
            const { status } = await connection.get(browser.logins[turn].back, other.cookie);
            if (status !== 403) throw new Error(`a foreign answer ends with ${status}`);
            refused += 1;
          }
          const login = { ...browser.logins[turn], cookie: browser.cookie };
          browser.cookie = await finish(connection, login);
        });
      }
    }
    return refused;
  }

  /** Bytes of heap, and connections from the app to the provider. */
  async gauges() {
    const { open } = await this.#provider.call('counts', { port: this.port });
    return { heap: await this.#app.call('heap'), open };
  }

  close() {
    for (const connection of this.#connections) connection.close();
    this.#app.stop();
    this.#provider.stop();
  }
}

/** Brings one person back. The provider has checked the client; the page names the tenant and the person. */
async function finish(connection, { n, back, cookie, owner }) {
  const { status, body, cookies } = await connection.get(back, cookie);
  const [shown, id = ''] = body.split(' ');
  if (status !== 200 || shown !== owner || !id.includes(n)) {
    throw new Error(`a login of ${owner} as ${n} ends with ${status}: ${body}`);
  }
  return cookies.join('; ') || cookie;
}

module.exports = { Place };
