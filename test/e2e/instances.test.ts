/** Two instances of the example behind a balancer, with PostgreSQL: many people sign in while one instance is killed. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request as requestTo } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import type { Emulator } from 'crm-emulator';
import { Client } from 'pg';
import { PostgresServer, describeWithPostgres } from '../support/postgres';
import { Visitor } from './visitor';

const CLIENTS = 200;

/** So many sign in at the same time. */
const AT_ONCE = 20;

/** The example as a process, which can be killed and started again at its port. */
class Instance {
  #child: ChildProcess | undefined;
  #output = '';

  constructor(
    readonly env: NodeJS.ProcessEnv,
    readonly program = 'server',
    public port = 0,
  ) {}

  async start(): Promise<void> {
    const file = resolve(`examples/express-login/dist/${this.program}.js`);
    this.#output = '';
    const child = spawn(process.execPath, [file], {
      env: { ...this.env, PORT: String(this.port) },
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    }
    while (!this.#output.includes('Ctrl+C')) {
      if (child.exitCode !== null) throw new Error(`It did not start: ${this.#output}`);
      await wait(50);
    }
  }

  get output(): string {
    return this.#output;
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
}

/** Passes requests on to the instances in turn. A refused connection is tried at the next one. */
class Balancer {
  readonly server: Server;
  ports: number[] = [];
  #turn = 0;

  constructor() {
    this.server = createServer((req, res) => this.#pass(req, res, 2));
  }

  #pass(req: IncomingMessage, res: ServerResponse, attempts: number): void {
    this.#turn += 1;
    const port = this.ports[this.#turn % this.ports.length];
    const { method, url: path, headers } = req;
    const passed = requestTo({ host: '127.0.0.1', port, method, path, headers, agent: false });
    passed.on('response', (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(res);
      answer.on('error', () => res.destroy());
    });
    passed.on('error', (error) => {
      const isRefused = Reflect.get(error, 'code') === 'ECONNREFUSED';
      if (isRefused && attempts > 0) this.#pass(req, res, attempts - 1);
      else res.destroy();
    });
    req.pipe(passed);
  }
}

describeWithPostgres('example: instances', function () {
  this.timeout(300_000);
  const postgres = new PostgresServer();
  const balancer = new Balancer();
  const people = Array.from({ length: CLIENTS }, (_, index) => ({
    name: `Client ${String(index + 1).padStart(3, '0')}`,
  }));
  let emulator: Emulator;
  let baseURL = '';
  let instances: Instance[] = [];
  let env: NodeJS.ProcessEnv = {};

  before(async () => {
    await postgres.start();
    const { startEmulator } = await import('crm-emulator');
    emulator = await startEmulator({ people });
    balancer.server.listen(0, '127.0.0.1');
    await once(balancer.server, 'listening');
    const { port: balanced } = balancer.server.address() as AddressInfo;
    baseURL = `http://localhost:${balanced}`;
    const { salesloft, salesos, salesforce } = emulator;
    env = {
      PATH: process.env.PATH,
      BASE_URL: baseURL,
      DATABASE_URL: `postgres://postgres@localhost/postgres?host=${encodeURIComponent(postgres.address.host)}`,
      SESSION_SECRET: 'the same for all instances of the test',
      TOKEN_SECRET: 'the same for all instances of the test',
      LOG_LEVEL: 'debug',
      METRICS_TOKEN: 'only scrapers of the test know this one',
      PROXIES: '1',
      SALESLOFT_CLIENT_ID: salesloft.clientID,
      SALESLOFT_CLIENT_SECRET: salesloft.clientSecret,
      SALESLOFT_AUTHORIZATION_URL: salesloft.options.authorizationURL,
      SALESLOFT_TOKEN_URL: salesloft.options.tokenURL,
      SALESLOFT_PROFILE_URL: salesloft.options.profileURL,
      SALESOS_CLIENT_ID: salesos.clientID,
      SALESOS_CLIENT_SECRET: salesos.clientSecret,
      SALESOS_ISSUER: salesos.options.issuer,
      SALESFORCE_CLIENT_ID: salesforce.clientID,
      SALESFORCE_CLIENT_SECRET: salesforce.clientSecret,
      SALESFORCE_LOGIN_URL: salesforce.options.loginURL,
    };
    const ports = await Promise.all([freePort(), freePort()]);
    balancer.ports = ports;
    instances = ports.map((port) => new Instance(env, 'server', port));
    // Together, so that both run the migrations.
    await Promise.all(instances.map((instance) => instance.start()));
  });
  after(async () => {
    await Promise.all(instances.map((instance) => instance.end('SIGKILL')));
    balancer.server.close();
    balancer.server.closeAllConnections();
    await emulator?.close();
    await postgres.close();
  });

  const query = async (text: string): Promise<Record<string, unknown>[]> => {
    const client = new Client(postgres.address);
    await client.connect();
    const { rows } = await client.query<Record<string, unknown>>(text);
    await client.end();
    return rows;
  };

  /** Begins the login until it ends: the requests of an instance that is killed get no answer. */
  async function signIn(visitor: Visitor, name: string): Promise<number> {
    for (let attempt = 1; attempt <= 10; attempt += 1) {
      try {
        const { location } = await visitor.logIn('salesos', name);
        if (location === '/profile') return attempt;
      } catch {
        await wait(100);
      }
    }
    throw new Error(`${name} did not get in`);
  }

  it(`${CLIENTS} people sign in while an instance is killed and started again — each ends as itself`, async () => {
    const [first] = instances;
    const visitors = people.map(
      ({ name }, index) =>
        [name, new Visitor({ baseURL }, { 'x-forwarded-for': `192.0.2.${index}` })] as const,
    );
    let done = 0;
    let attempts = 0;
    let restart: Promise<void> | undefined;
    const waiting = visitors.values();
    const lanes = Array.from({ length: AT_ONCE }, async () => {
      for (const [name, visitor] of waiting) {
        const own = await signIn(visitor, name);
        attempts += own;
        done += 1;
        if (done >= CLIENTS / 4) restart ??= first!.end('SIGKILL').then(() => first!.start());
      }
    });
    await Promise.all(lanes);
    await restart;
    const wrong: string[] = [];
    for (const [name, visitor] of visitors) {
      const { heading } = await visitor.visit('/profile');
      if (heading !== name) wrong.push(`${name}: ${heading}`);
    }
    expect(wrong).to.deep.equal([]);
    const [counts] = await query(
      'SELECT (SELECT count(*)::int FROM accounts) AS accounts, (SELECT count(*)::int FROM connections) AS connections',
    );
    expect(counts).to.deep.equal({ accounts: CLIENTS, connections: CLIENTS });
    console.log(`      ${CLIENTS} people, ${attempts} logins begun, 1 instance killed`);
  });

  it('tabs of one browser that start at the same moment — all finish', async () => {
    const visitor = new Visitor({ baseURL }, { 'x-forwarded-for': '192.0.2.201' });
    const begun = await Promise.all(
      Array.from({ length: 8 }, () => visitor.visit('/auth/salesforce')),
    );
    const ended = await Promise.all(
      begun.map(({ location }) => visitor.signIn(location ?? '', 'Client 007')),
    );
    expect(ended.map(({ location }) => location)).to.deep.equal(Array(8).fill('/profile'));
  });

  it('login that begins at one and ends at the other — is seen whole', async () => {
    const [first, second] = instances;
    balancer.ports = [second!.port];
    const visitor = new Visitor(
      { baseURL: `http://127.0.0.1:${first!.port}` },
      { 'x-forwarded-for': '192.0.2.205' },
    );
    try {
      expect((await visitor.logIn('salesforce', 'Client 011')).location).to.equal('/profile');
    } finally {
      balancer.ports = instances.map(({ port }) => port);
    }
    let html = '';
    // The other instance may still be writing.
    for (let tries = 0; !html.includes('Succeeded') && tries < 100; tries += 1) {
      ({ html } = await visitor.visit('/see-the-login'));
      await wait(50);
    }
    for (const part of [
      'GET /auth/salesforce<',
      'GET /services/oauth2/authorize',
      'GET /auth/salesforce/callback',
      'POST /services/oauth2/token',
      '302 to /profile',
    ]) {
      expect(html).to.contain(part);
    }
  });

  it('refresh at both instances at once — the grant stays good', async () => {
    const visitor = new Visitor({ baseURL }, { 'x-forwarded-for': '192.0.2.202' });
    await visitor.logIn('salesloft', 'Client 008');
    const { html } = await visitor.visit('/profile');
    const [path = ''] = /\/connections\/[\w-]+\/refresh/.exec(html) ?? [];
    for (let round = 0; round < 5; round += 1) {
      const ends = await Promise.all(Array.from({ length: 4 }, () => visitor.post(path)));
      for (const { location } of ends) expect(location).to.match(/done=refreshed/);
    }
    const { status } = await visitor.post(path.replace('refresh', 'calls/me'));
    expect(status).to.equal(200);
  });

  it('worker — uses each refresh token that would end, once for each run', async () => {
    const visitor = new Visitor({ baseURL }, { 'x-forwarded-for': '192.0.2.203' });
    for (const name of ['Client 009', 'Client 010']) await visitor.logIn('salesforce', name);
    const [{ count } = {}] = await query(
      "SELECT count(*)::int FROM connections WHERE provider = 'salesforce'",
    );
    const asked = () =>
      emulator.salesforce.requests.filter(({ path }) => path.endsWith('/token')).length;
    const before = asked();
    // Those of Salesforce end after thirty days without use.
    const own = { ...env, LOG_LEVEL: 'info', REFRESH_EARLY_DAYS: '31' };
    const workers = [1, 2, 3].map(() => new Instance(own, 'worker'));
    const output = () => workers.map((worker) => worker.output).join('');
    try {
      await Promise.all(workers.map((worker) => worker.start()));
      while (!output().includes('work done')) await wait(50);
    } finally {
      await Promise.all(workers.map((worker) => worker.end('SIGTERM')));
    }
    const runs = [...output().matchAll(/"refreshes":(\d+)/g)].map(([, number]) => Number(number));
    // One was whole when all were told to end; another may have begun after it, and ends early.
    expect(Math.max(...runs)).to.equal(count);
    expect(asked() - before).to.equal(runs.reduce((sum, number) => sum + number, 0));
  });

  it('rate limit — is counted by both together', async () => {
    const statuses: number[] = [];
    const headers = { 'x-forwarded-for': '192.0.2.250' };
    for (let count = 0; count < 320; count += 1) {
      const response = await fetch(`${baseURL}/auth/salesos`, { redirect: 'manual', headers });
      await response.arrayBuffer();
      statuses.push(response.status);
    }
    expect(statuses.filter((status) => status === 302)).to.have.length(300);
    expect(statuses.at(-1)).to.equal(429);
  });

  it('metrics — tell logins by outcome to a scraper with the token, and nothing to others', async () => {
    const [first, second] = instances;
    const headers = { authorization: `Bearer ${env.METRICS_TOKEN}` };
    const pages = [first, second].map(async (instance) => {
      const url = `http://127.0.0.1:${instance!.port}/metrics`;
      expect((await fetch(url)).status).to.equal(403);
      return await (await fetch(url, { headers })).text();
    });
    const text = (await Promise.all(pages)).join('\n');
    expect(text).to.match(/logins_total\{provider="salesos",outcome="success",code=""\} \d+/);
    expect(text).to.match(/token_refreshes_total\{provider="salesloft",outcome="ok"\} \d+/);
  });

  it('database that goes away — makes both unready, and comes back', async () => {
    const ready = async () => (await fetch(`http://127.0.0.1:${instances[1]!.port}/readyz`)).status;
    expect(await ready()).to.equal(200);
    await postgres.kill();
    expect(await ready()).to.equal(503);
    await postgres.start();
    for (let tries = 0; (await ready()) !== 200 && tries < 50; tries += 1) await wait(100);
    expect(await ready()).to.equal(200);
  });

  it('logs — are lines of JSON, that tell each login and no secret', () => {
    const lines = instances
      .flatMap(({ output }) => output.split('\n'))
      .filter((line) => line.startsWith('{'));
    const logs = lines.map((line) => JSON.parse(line) as { msg: string; provider: string });
    expect(logs.filter(({ msg }) => msg === 'login.ended').length).to.be.greaterThan(100);
    const { salesloft, salesos, salesforce } = emulator;
    const secrets = [salesloft, salesos, salesforce].map(({ clientSecret }) => clientSecret);
    for (const secret of [...secrets, 'eyJ', 'v1.', 'code=', 'state=', 'password']) {
      expect(
        lines.filter((line) => line.includes(secret)),
        secret,
      ).to.deep.equal([]);
    }
  });

  it('SIGTERM — answers the request that is under way, then ends', async () => {
    const [, second] = instances;
    const visitor = new Visitor({ baseURL }, { 'x-forwarded-for': '192.0.2.204' });
    await visitor.logIn('salesos', 'Client 010');
    const slow = requestTo({
      host: '127.0.0.1',
      port: second!.port,
      path: '/connections/salesforce',
      method: 'POST',
      headers: {
        cookie: visitor.cookie,
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': 'loginURL=%20'.length,
      },
    });
    slow.write('loginURL');
    const answered = once(slow, 'response');
    await wait(500);
    const ended = second!.end('SIGTERM');
    await wait(500);
    slow.end('=%20');
    const [response] = (await answered) as [IncomingMessage];
    response.resume();
    expect(response.statusCode).to.equal(302);
    await ended;
    const refused = await fetch(`http://127.0.0.1:${second!.port}/healthz`).catch(() => 'refused');
    expect(refused).to.equal('refused');
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
