/** Logins of many tenants, each of which is checked: its tenant or environment, its client and its person. */
import { join } from 'node:path';
import type { Cores } from '../cores';
import { Connection, each, start } from '../login/browser';
import type { Begun } from '../login/browser';
import type { ProviderHandlers } from '../login/provider';
import { Child } from '../login/rpc';
import type { Kind, Mounted, TenantHandlers } from './app';

const CONNECTIONS = 16;

/** Logins of two tenants in each browser, at a time. */
const BATCH = 500;
/** Between the two logins of a browser, so that it does not have one tenant twice. */
const APART = 100;
/** Every so many answers are tried in another browser first. */
const FOREIGN_EVERY = 50;

/** Whose login the page must say that it was. */
const EXPECTED: Record<Kind, (index: number, origins: readonly string[]) => string> = {
  single: () => '-',
  tenants: (index) => String(index),
  environments: (index, origins) => origins[index] ?? '',
};

interface Owned extends Begun {
  owner: string;
}

interface Subject extends Mounted {
  /** The tenant of the next login. */
  next: number;
}

/** One process with an app, and its provider in another. */
export class Place {
  readonly #app: Child<TenantHandlers>;
  readonly #provider = new Child<ProviderHandlers>(join(__dirname, '..', 'login', 'provider.js'));
  readonly #connections: Connection[] = [];
  readonly #subjects = new Map<string, Subject>();
  #port = 0;
  #origins: string[] = [];

  constructor(cores: Cores | undefined) {
    const file = join(__dirname, 'app.js');
    this.#app = new Child(file, [], { execArgv: ['--expose-gc'], core: cores?.app });
  }

  async open(ports: number): Promise<this> {
    const opened = await this.#provider.call('listen', { keepAlive: 65_000, ports });
    this.#port = opened[0] ?? 0;
    this.#origins = opened.map((port) => `http://127.0.0.1:${port}`);
    return this;
  }

  async mount(subject: Mounted): Promise<void> {
    const port = await this.#app.call('mount', { ...subject, origins: this.#origins });
    this.#subjects.set(subject.name, { ...subject, next: 0 });
    while (this.#connections.length < CONNECTIONS) this.#connections.push(new Connection(port));
  }

  #subject(name: string): Subject {
    const subject = this.#subjects.get(name);
    if (!subject) throw new Error(`"${name}" is not mounted`);
    return subject;
  }

  /** Sends people away: each to the next tenant in turn. */
  async #start(subject: Subject, count: number, cookies: string[] = []): Promise<Owned[]> {
    const first = subject.next;
    subject.next += count;
    const begun: Owned[] = [];
    await each(this.#connections, count, async (connection, at) => {
      const index = (first + at) % subject.count;
      begun[at] = {
        ...(await start(connection, `${subject.name}/${index}`, cookies[at])),
        owner: EXPECTED[subject.kind](index, this.#origins),
      };
    });
    return begun;
  }

  async #sign(begun: readonly Owned[]): Promise<void> {
    const codes = begun.map(({ code }) => code);
    await this.#provider.call('sign', { port: this.#port, codes });
  }

  /** The CPU of starts and callbacks, in microseconds a login. */
  async measure(name: string, logins: number): Promise<number> {
    const subject = this.#subject(name);
    let begun: Owned[] = [];
    const starts = await this.#cpuOf(async () => {
      begun = await this.#start(subject, logins);
    });
    await this.#sign(begun);
    const callbacks = await this.#cpuOf(async () => {
      await each(this.#connections, logins, async (connection, at) => {
        await finish(connection, begun[at] as Owned);
      });
    });
    return (starts + callbacks) / logins;
  }

  async #cpuOf(act: () => Promise<void>): Promise<number> {
    const before = await this.#app.call('cpu');
    await act();
    return (await this.#app.call('cpu')) - before;
  }

  /**
   * Logins that interleave: each browser has two of different tenants under way, and they come back in
   * mixed order. Every fiftieth answer is tried in another browser first, where it must be refused.
   *
   * @returns how many were refused
   */
  async interleave(name: string, logins: number): Promise<number> {
    const subject = this.#subject(name);
    let refused = 0;
    for (let done = 0; done < logins; done += BATCH) {
      const first = await this.#start(subject, BATCH / 2);
      subject.next += APART;
      const cookies = first.map(({ cookie }) => cookie);
      const second = await this.#start(subject, BATCH / 2, cookies);
      await this.#sign([...first, ...second]);
      const browsers = first.map((one, at) => {
        const other = second[at] as Owned;
        if (other.owner === one.owner) throw new Error('one tenant twice');
        return { cookie: one.cookie, logins: at % 2 === 0 ? [one, other] : [other, one] };
      });
      for (const turn of [0, 1]) refused += await this.#comeBack(browsers, turn);
    }
    return refused;
  }

  async #comeBack(browsers: Browser[], turn: number): Promise<number> {
    let refused = 0;
    const browserAt = (index: number) => browsers[index % browsers.length] as Browser;
    await each(this.#connections, browsers.length, async (connection, at) => {
      // 101 and 250 have no common factor: neighbours at the start are far apart here.
      const browser = browserAt(at * 101);
      const login = browser.logins[turn] as Owned;
      if (at % FOREIGN_EVERY === 0) {
        const { status } = await connection.get(login.back, browserAt(at * 101 + 1).cookie);
        if (status !== 403) throw new Error(`a foreign answer ends with ${status}`);
        refused += 1;
      }
      browser.cookie = await finish(connection, { ...login, cookie: browser.cookie });
    });
    return refused;
  }

  /** Bytes of heap, and connections from the app to the provider. */
  async gauges(): Promise<{ heap: number; open: number }> {
    const { open } = await this.#provider.call('counts', { port: this.#port });
    return { heap: await this.#app.call('heap'), open };
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
    this.#app.stop();
    this.#provider.stop();
  }
}

interface Browser {
  cookie: string;
  /** In the order in which they come back. */
  logins: Owned[];
}

/**
 * Brings one person back. The provider has checked the client; the page names the tenant and the person.
 *
 * @returns the cookie of the browser from now on
 */
async function finish(connection: Connection, { n, back, cookie, owner }: Owned): Promise<string> {
  const { status, body, cookies } = await connection.get(back, cookie);
  const [shown, id = ''] = body.split(' ');
  if (status !== 200 || shown !== owner || !id.includes(n)) {
    throw new Error(`a login of ${owner} as ${n} ends with ${status}: ${body}`);
  }
  return cookies.join('; ') || cookie;
}
