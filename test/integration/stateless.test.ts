/** Logins without a server session: two processes behind one address, which share only a secret. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { startEmulator } from 'crm-emulator';
import type { Emulator } from 'crm-emulator';
import { Browser } from '../support/browser';
import type { StatelessSettings } from '../support/stateless-process';

const PROGRAM = join(__dirname, '../support/stateless-process.js');
const SECRET = 'a secret of at least 32 characters';

/** The processes in the order in which they were started. */
const FIRST = 0;
const SECOND = 1;
const WITH_ANOTHER_SECRET = 2;

interface Process {
  child: ChildProcess;
  port: number;
}

async function startProcess(settings: StatelessSettings): Promise<Process> {
  const child = fork(PROGRAM, [JSON.stringify(settings)]);
  const [port] = (await once(child, 'message')) as [number];
  return { child, port };
}

/** One address for several processes; the test says which of them answers. */
class Balancer {
  readonly #server = createServer((req, res) => {
    const { method, url: path, headers } = req;
    const port = this.ports[this.#turn];
    const onward = httpRequest({ host: '127.0.0.1', port, method, path, headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(res);
    });
    onward.on('error', () => res.destroy());
    req.pipe(onward);
  });
  #turn = FIRST;
  origin = '';
  ports: readonly number[] = [];

  async start(): Promise<void> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    this.origin = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Sends the next requests to this process. */
  to(turn: number): void {
    this.#turn = turn;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

describe('stateless login in several processes', () => {
  let emulator: Emulator;
  let processes: Process[] = [];
  const balancer = new Balancer();

  before(async function () {
    this.timeout(60_000);
    emulator = await startEmulator({ port: 0 });
    const settings: StatelessSettings = {
      secret: SECRET,
      salesloft: emulator.salesloft.options,
      salesos: emulator.salesos.options,
      salesforce: emulator.salesforce.options,
    };
    const other = { ...settings, secret: `not ${SECRET}` };
    processes = await Promise.all([settings, settings, other].map(startProcess));
    balancer.ports = processes.map(({ port }) => port);
    await balancer.start();
  });
  beforeEach(() => balancer.to(FIRST));
  after(async () => {
    await balancer.close();
    for (const { child } of processes) {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    }
    await emulator.close();
  });

  const pidOf = (index: number) => processes[index]?.child.pid;

  /** Starts a login; the address at the provider. */
  async function begin(browser: Browser, name: string, tab?: string): Promise<string> {
    const query = tab === undefined ? '' : `?tab=${tab}`;
    const response = await browser.visit(`${balancer.origin}/auth/${name}${query}`);
    expect(response.status).to.equal(302);
    expect(response.headers.get('cache-control')).to.equal('no-store');
    expect(response.headers.getSetCookie()).to.have.lengthOf(1);
    return response.headers.get('location') ?? '';
  }

  const codeOf = async (response: Response) => ((await response.json()) as { code: string }).code;

  for (const name of ['salesloft', 'salesos', 'salesforce'] as const) {
    describe(name, () => {
      it('starts in one process, and ends in another', async () => {
        const browser = new Browser();
        const callback = await browser.signIn(await begin(browser, name), 'Zoë Ångström');
        balancer.to(SECOND);
        const response = await browser.visit(callback);
        expect(response.status).to.equal(200);
        expect(await response.json()).to.deep.equal({
          user: 'Zoë Ångström',
          process: pidOf(SECOND),
        });
        expect(response.headers.getSetCookie().join()).to.include('Max-Age=0');
      });

      it('keeps two tabs apart, in whatever order they come back', async () => {
        const browser = new Browser();
        const first = await begin(browser, name, 'first');
        balancer.to(SECOND);
        const second = await begin(browser, name, 'second');
        for (const [url, who, tab] of [
          [second, 'Suri', 'second'],
          [first, 'Marta Quill', 'first'],
        ] as const) {
          const callback = await new Browser().signIn(url, who);
          const response = await browser.visit(callback);
          expect(await response.json()).to.include({ user: who, tab });
        }
      });

      it('RFC 6749 §4.1.2.1 — answers a denial in plain text', async () => {
        const browser = new Browser();
        const callback = await browser.signIn(await begin(browser, name), 'deny');
        balancer.to(SECOND);
        const response = await browser.visit(callback);
        expect(response.status).to.equal(401);
        expect(response.headers.get('content-type')).to.equal('text/plain; charset=utf-8');
        expect(response.headers.getSetCookie().join()).to.include('Max-Age=0');
        expect(await response.text()).to.include(`${name}: `);
      });

      it('RFC 9700 §2.1 — ends once: in either process, also with a copy of the cookie', async () => {
        const browser = new Browser();
        const start = await browser.visit(`${balancer.origin}/auth/${name}`);
        const [cookie = ''] = (start.headers.getSetCookie()[0] ?? '').split(';');
        const callback = await browser.signIn(start.headers.get('location') ?? '', 'Suri');
        balancer.to(SECOND);
        expect((await browser.visit(callback)).status).to.equal(200);
        for (const process of [FIRST, SECOND]) {
          balancer.to(process);
          expect((await browser.visit(callback)).status).to.equal(403);
        }
        const copied = async () => await fetch(callback, { headers: { cookie } });
        balancer.to(SECOND);
        expect((await copied()).status).to.equal(403);
        // The process that did not finish it asks the provider, whose codes are single-use.
        balancer.to(FIRST);
        const response = await copied();
        expect(response.status).to.equal(502);
        expect(await codeOf(response)).to.equal('invalid_grant');
      });

      it('RFC 6749 §10.12 — ends in no other browser, though it has begun a login itself', async () => {
        const attacker = new Browser();
        const callback = await attacker.signIn(await begin(attacker, name), 'Marta Quill');
        const visitor = new Browser();
        balancer.to(SECOND);
        expect(await (await visitor.visit(callback)).text()).to.include('no cookie');
        await begin(visitor, name);
        const response = await visitor.visit(callback);
        expect(response.status).to.equal(403);
        expect((await attacker.visit(callback)).status).to.equal(200);
      });

      it('ends in no process that has another secret', async () => {
        const browser = new Browser();
        const callback = await browser.signIn(await begin(browser, name), 'Suri');
        balancer.to(WITH_ANOTHER_SECRET);
        expect((await browser.visit(callback)).status).to.equal(403);
      });
    });
  }

  it('OAuth 2.0 Form Post Response Mode §2 — ends with a form that comes in another process', async () => {
    const browser = new Browser();
    const start = await browser.visit(`${balancer.origin}/auth/salesos?posted`);
    const provider = new Browser();
    const page = await provider.follow(start.headers.get('location') ?? '');
    const person = /value="(\d+)"[^>]*>\s*Continue as Suri\s*</.exec(
      (await page.response?.text()) ?? '',
    )?.[1];
    const answer = await provider.follow(page.url, {
      method: 'POST',
      body: new URLSearchParams({ person: person ?? '' }),
    });
    const html = (await answer.response?.text()) ?? '';
    const body = new URLSearchParams();
    for (const [, field = '', value = ''] of html.matchAll(/name="([^"]*)" value="([^"]*)"/g)) {
      body.append(field, value);
    }
    expect([...body.keys()]).to.include.members(['code', 'state']);
    balancer.to(SECOND);
    const callback = `${balancer.origin}/auth/salesos/callback`;
    const response = await browser.visit(callback, { method: 'POST', body });
    expect(await response.json()).to.deep.equal({ user: 'Suri', process: pidOf(SECOND) });
  });
});
