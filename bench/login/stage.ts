/** Starts the processes of a measurement: a subject's app, its listener at the provider, the distance between them. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { moveToOwnCore } from '../cores';
import type { Cores } from '../cores';
import type { AppHandlers } from './app';
import { Connection, each, finish, start } from './browser';
import type { Begun } from './browser';
import type { Counts, ProviderHandlers, Tls } from './provider';
import type { ProxyHandlers } from './proxy';
import { Child } from './rpc';
import type { SubjectName } from './subjects';

const here = (name: string) => join(__dirname, name);

/** The provider as one subject sees it. */
export interface Listener {
  port: number;
  origin: string;
}

export interface ListenerOptions {
  https?: boolean;
  /** Milliseconds. */
  keepAlive?: number;
  keys?: number;
  /** Milliseconds of a round trip. */
  rtt?: number;
}

/** The strategies of an app that talk to one listener. */
export interface Place {
  /** The name of the first one. */
  mount: number;
  count: number;
  port: number;
}

export interface Load {
  logins: number;
  concurrency?: number;
  /** Logins that the session already waits for. */
  pending?: number;
}

/** CPU in microseconds per login. */
export interface Costs {
  start: number;
  callback: number;
  cpu: number;
}

export interface LoadResult extends Costs {
  perSecond: number;
  /** Milliseconds of each callback. */
  latencies: number[];
}

/** Owns the processes and the folder of a run, and removes them at its end. */
export class Stage {
  readonly folder = mkdtempSync(join(tmpdir(), 'crm-login-bench-'));
  readonly certificate = join(this.folder, 'certificate.pem');
  readonly cores: Cores | undefined = moveToOwnCore();
  readonly provider: Child<ProviderHandlers>;
  readonly #proxy: Child<ProxyHandlers>;
  readonly #tls: Tls;

  constructor() {
    const key = join(this.folder, 'key.pem');
    const request =
      'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=bench -days 2 -addext subjectAltName=IP:127.0.0.1';
    execFileSync('openssl', [...request.split(' '), '-keyout', key, '-out', this.certificate], {
      stdio: 'ignore',
    });
    this.#tls = { key: readFileSync(key, 'utf8'), cert: readFileSync(this.certificate, 'utf8') };
    this.provider = new Child(here('provider.js'));
    this.#proxy = new Child(here('proxy.js'));
  }

  app(subject: SubjectName, execArgv: string[] = []): App {
    return new App(this, subject, execArgv);
  }

  /** A new listener, so that its requests are counted apart. */
  async listen({
    https = true,
    keepAlive = 65_000,
    keys = 1,
    rtt = 0,
  }: ListenerOptions = {}): Promise<Listener> {
    const tls = https ? this.#tls : undefined;
    const [port = 0] = await this.provider.call('listen', { tls, keepAlive, keys });
    const shown =
      rtt === 0 ? port : await this.#proxy.call('listen', { target: port, delay: rtt / 2 });
    return { port, origin: `http${https ? 's' : ''}://127.0.0.1:${shown}` };
  }

  close(): void {
    Child.stopAll();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const now = () => performance.now();

export const wait = async (ms: number): Promise<void> =>
  await new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

export class App {
  readonly subject: SubjectName;
  readonly #stage: Stage;
  readonly #child: Child<AppHandlers>;
  readonly #connections: Connection[] = [];
  readonly #free: Connection[] = [];
  #port = 0;

  constructor(stage: Stage, subject: SubjectName, execArgv: string[]) {
    this.#stage = stage;
    this.subject = subject;
    this.#child = new Child(here('app.js'), [subject], {
      env: { NODE_EXTRA_CA_CERTS: stage.certificate },
      execArgv,
      core: stage.cores?.app,
    });
  }

  get call(): Child<AppHandlers>['call'] {
    return this.#child.call.bind(this.#child);
  }

  /** Mounts one strategy, or several, for a listener. */
  async mount(listener: Listener, count = 1): Promise<Place> {
    const { port, last } = await this.#child.call('mount', { origin: listener.origin, count });
    this.#port = port;
    return { mount: last - count + 1, count, port: listener.port };
  }

  /** Connections as of `concurrency` browsers. */
  #browsers(concurrency: number): Connection[] {
    while (this.#connections.length < concurrency) {
      this.#connections.push(new Connection(this.#port));
    }
    return this.#connections.slice(0, concurrency);
  }

  /** Runs logins in two halves: first all people are sent away, then all come back. */
  async run(place: Place, { logins, concurrency = 8, pending = 0 }: Load): Promise<LoadResult> {
    const connections = this.#browsers(concurrency);
    const at = (index: number) => place.mount + (index % place.count);
    const cookies: string[] = [];
    if (pending > 0) {
      await each(connections, logins, async (connection, index) => {
        for (let made = 0; made < pending; made += 1) {
          cookies[index] = (await start(connection, at(index), cookies[index])).cookie;
        }
      });
    }
    const begun: Begun[] = [];
    const startCpu = await this.#measure(async () => {
      await each(connections, logins, async (connection, index) => {
        begun[index] = await start(connection, at(index), cookies[index]);
      });
    });
    await this.#sign(place, begun);
    const latencies: number[] = [];
    const callbackCpu = await this.#measure(async () => {
      await each(connections, logins, async (connection, index) => {
        const began = now();
        await finish(connection, at(index), begun[index] as Begun);
        latencies[index] = now() - began;
      });
    });
    return {
      start: startCpu.cpu / logins,
      callback: callbackCpu.cpu / logins,
      cpu: (startCpu.cpu + callbackCpu.cpu) / logins,
      perSecond: (1000 * logins) / (startCpu.ms + callbackCpu.ms),
      latencies,
    };
  }

  async #sign({ port }: Place, begun: readonly Begun[]): Promise<void> {
    await this.#stage.provider.call('sign', { port, codes: begun.map(({ code }) => code) });
  }

  async #measure(act: () => Promise<void>): Promise<{ ms: number; cpu: number }> {
    const before = await this.#child.call('cpu');
    const began = now();
    await act();
    const ms = now() - began;
    return { ms, cpu: (await this.#child.call('cpu')) - before };
  }

  /**
   * Runs one login of a person who stays `pause` ms at the provider, and returns the milliseconds of
   * the callback. Several may be under way.
   */
  async login(place: Place, pause: number): Promise<number> {
    const connection = this.#free.pop() ?? new Connection(this.#port);
    const begun = await start(connection, place.mount);
    await this.#sign(place, [begun]);
    await wait(pause);
    const began = now();
    await finish(connection, place.mount, begun);
    const ms = now() - began;
    this.#free.push(connection);
    return ms;
  }

  /** Starts logins in one session, and abandons them. */
  async abandon(place: Place, starts: number): Promise<void> {
    const [connection] = this.#browsers(1) as [Connection];
    let cookie = '';
    for (let made = 0; made < starts; made += 1) {
      ({ cookie } = await start(connection, place.mount, cookie));
    }
  }

  /** The counts of the provider for one listener. */
  async counts({ port }: { port: number }): Promise<Counts> {
    return await this.#stage.provider.call('counts', { port });
  }

  stop(): void {
    for (const connection of [...this.#connections, ...this.#free]) connection.close();
    this.#child.stop();
  }
}
