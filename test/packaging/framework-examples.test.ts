/** The programs of examples/frameworks: each runs as a process, and a browser logs in to it. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { startEmulator } from 'crm-emulator';
import type { Emulator } from 'crm-emulator';
import { Browser } from '../support/browser';
import { freePorts } from '../support/free-ports';
import { ROOT } from '../support/packages';

const EXAMPLES = join(ROOT, 'examples', 'frameworks');
const INSTALL_LIMIT_MS = 300_000;
const START_LIMIT_MS = 120_000;
/** Browsers drop a larger cookie. */
const MAX_COOKIE_BYTES = 4096;

interface Runner {
  PROGRAMS: Readonly<Record<string, { main: string }>>;
  install(): void;
  createProject(name: string): string;
}
const { PROGRAMS, install, createProject } = require(join(EXAMPLES, 'run.js')) as Runner;

const PEOPLE = [{ name: 'Suri' }, { name: 'Marta Quill' }, { name: 'Ada & Bo' }];

/** The programs, as people copy them: the file that runs them is not one. */
const FILES = readdirSync(EXAMPLES, { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => /\.(?:m?js|ts)$/.test(file) && file !== 'run.js');

/** A page as a browser shows it: some programs escape signs by number, others by name. */
async function page(response: Response | undefined): Promise<{ status: number; html: string }> {
  return { status: response?.status ?? 0, html: (await response?.text()) ?? '' };
}

/** Waits until a process has printed a text. */
async function printed(
  child: ChildProcess,
  text: string,
  onOutput: (chunk: string) => void,
): Promise<void> {
  let output = '';
  await new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      onOutput(chunk.toString());
      if (output.includes(text)) resolve();
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${output}`)));
  });
}

async function end(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill();
  await exited;
}

describe('examples/frameworks', () => {
  let emulator: Emulator;

  before('install the frameworks', async function () {
    this.timeout(INSTALL_LIMIT_MS);
    install();
    emulator = await startEmulator({ people: PEOPLE });
  });
  after(async () => {
    await emulator?.close();
  });
  afterEach(() => {
    emulator.salesforce.clearFaults();
  });

  for (const [name, { main }] of Object.entries(PROGRAMS)) {
    describe(name, function () {
      this.timeout(30_000);
      let folder: string | undefined;
      let child: ChildProcess;
      let origin: string;
      let output = '';

      before('start the program', async function () {
        this.timeout(START_LIMIT_MS);
        const port = await freePorts();
        origin = `http://localhost:${port}`;
        folder = createProject(name);
        const { clientID, clientSecret, loginURL } = emulator.salesforce.options;
        child = spawn(process.execPath, [main], {
          cwd: folder,
          env: {
            ...process.env,
            PORT: String(port),
            BASE_URL: origin,
            SESSION_SECRET: 's'.repeat(32),
            SALESFORCE_CLIENT_ID: clientID,
            SALESFORCE_CLIENT_SECRET: clientSecret,
            SALESFORCE_LOGIN_URL: loginURL,
          },
          stdio: ['ignore', 'pipe', 'pipe'],
        });
        await printed(child, `Open ${origin}`, (chunk) => (output += chunk));
      });
      after(async () => {
        await end(child);
        if (folder) rmSync(folder, { recursive: true, force: true });
      });

      const home = async (browser: Browser) => (await page(await browser.visit(`${origin}/`))).html;
      const begin = async (browser: Browser): Promise<string> => {
        const { status, headers } = await browser.visit(`${origin}/auth/salesforce`);
        expect(status).to.equal(302);
        return headers.get('location') ?? '';
      };
      /** A login, up to the callback, which is not visited. */
      const callbackOf = async (browser: Browser, who: string) =>
        await new Browser().signIn(await begin(browser), who);
      const logIn = async (browser: Browser, who: string): Promise<string> => {
        const { url, response } = await browser.follow(await callbackOf(browser, who));
        expect(url).to.equal(`${origin}/`);
        return (await page(response)).html;
      };
      const logOut = async (browser: Browser) => {
        const form = { method: 'POST', body: new URLSearchParams() };
        const { status, headers } = await browser.visit(`${origin}/logout`, form);
        expect(status).to.equal(303);
        expect(new URL(headers.get('location') ?? '', origin).href).to.equal(`${origin}/`);
      };
      const revocations = () =>
        emulator.salesforce.requests.filter(({ path }) => path.endsWith('/revoke'));

      it('login — leads from the link to the page of the person', async () => {
        const browser = new Browser();
        expect(await home(browser)).to.include('href="/auth/salesforce"');
        expect(await logIn(browser, 'Suri')).to.include('Signed in as Suri.');
        expect(await home(browser)).to.include('Signed in as Suri.');
        expect(await home(new Browser())).not.to.include('Suri');
      });

      it('login — shows a name as text, and sets cookies that no script and no other site has', async () => {
        const browser = new Browser();
        const started = await browser.visit(`${origin}/auth/salesforce`);
        const location = started.headers.get('location') ?? '';
        const finished = await browser.visit(await new Browser().signIn(location, 'Ada &#38; Bo'));
        const cookies = [started, finished].flatMap(({ headers }) => headers.getSetCookie());
        expect(cookies).not.to.be.empty;
        for (const cookie of cookies) {
          expect(cookie)
            .to.match(/; httponly/i)
            .and.match(/; samesite=lax/i);
        }
        const pending = started.headers
          .getSetCookie()
          .find((cookie) => cookie.includes('crm-login.'));
        if (pending !== undefined) {
          const [own] = pending.split('=', 1);
          const gone = cookies.filter((cookie) => cookie.startsWith(`${own}=;`));
          expect(gone.join()).to.include('Max-Age=0');
        }
        expect(await home(browser)).to.match(/Signed in as Ada &(?:amp|#38); Bo\./);
      });

      it('denial — is a page with status 401, and the hint for the developer', async () => {
        const browser = new Browser();
        const response = await browser.visit(await callbackOf(browser, 'deny'));
        expect(response.headers.get('content-type')).to.match(/^text\/html/);
        const { status, html } = await page(response);
        expect(status).to.equal(401);
        expect(html).to.include('You are not logged in').and.include('access_denied');
        expect(html)
          .to.match(/For the developer: \w[^<]{20,}/)
          .and.include('Try again');
        expect(await home(browser)).to.include('href="/auth/salesforce"');
      });

      it('lost state — explains that no cookie came back', async () => {
        const callback = await callbackOf(new Browser(), 'Suri');
        const { status, html } = await page(await new Browser().visit(callback));
        expect(status).to.equal(403);
        expect(html).to.include('the browser sent no cookie back');
        expect(html).to.match(/For the developer: [^<]*cookie/);
      });

      it('lost state — explains that the login was finished already', async () => {
        const browser = new Browser();
        const callback = await callbackOf(browser, 'Suri');
        await browser.visit(callback);
        const { status, html } = await page(await browser.visit(callback));
        expect(status).to.equal(403);
        expect(html).to.include('this login was finished already');
        expect(await home(browser)).to.include('Signed in as Suri.');
      });

      it('two tabs — both finish, in any order', async () => {
        const browser = new Browser();
        const first = await begin(browser);
        const second = await begin(browser);
        for (const [location, who] of [
          [second, 'Marta Quill'],
          [first, 'Suri'],
        ] as const) {
          const callback = await new Browser().signIn(location, who);
          const { response } = await browser.follow(callback);
          expect((await page(response)).html).to.include(`Signed in as ${who}.`);
        }
      });

      it('ten tabs — the last one finishes, and no cookie is larger than browsers take', async () => {
        const browser = new Browser();
        for (let tab = 1; tab < 10; tab++) {
          const { headers } = await browser.visit(`${origin}/auth/salesforce`);
          const sizes = headers.getSetCookie().map(({ length }) => length);
          expect(Math.max(0, ...sizes)).to.be.at.most(MAX_COOKIE_BYTES);
        }
        expect(await logIn(browser, 'Suri')).to.include('Signed in as Suri.');
      });

      it('logout — ends the login here, and revokes the tokens at the provider', async () => {
        const browser = new Browser();
        await logIn(browser, 'Suri');
        const before = revocations().length;
        await logOut(browser);
        expect(await home(browser)).to.include('href="/auth/salesforce"');
        expect(
          revocations()
            .slice(before)
            .map(({ status }) => status),
        ).to.deep.equal([200]);
        expect(await logIn(browser, 'Suri')).to.include('Signed in as Suri.');
      });

      it('logout — ends the login here, also while the provider is away', async () => {
        const browser = new Browser();
        await logIn(browser, 'Suri');
        emulator.salesforce.fault({ step: 'revoke', kind: 'status', status: 503 });
        await logOut(browser);
        expect(await home(browser)).to.include('href="/auth/salesforce"');
      });

      it('fault — is a page with status 502, and the log has the reason without a secret', async () => {
        emulator.salesforce.fault({ step: 'token', kind: 'status', status: 500 });
        const browser = new Browser();
        const callback = await callbackOf(browser, 'Suri');
        const { status, html } = await page(await browser.visit(callback));
        expect(status).to.equal(502);
        expect(html).to.include('provider_unavailable');
        expect(output).to.include('provider_unavailable');
        expect(output).not.to.include(emulator.salesforce.clientSecret);
        expect(output).not.to.include(new URL(callback).searchParams.get('code'));
      });
    });
  }

  it('run.js — plays Salesforce where there are no credentials', async function () {
    this.timeout(START_LIMIT_MS);
    const port = await freePorts();
    const child = spawn(process.execPath, [join(EXAMPLES, 'run.js'), 'hono'], {
      env: { ...process.env, PORT: String(port), SALESFORCE_CLIENT_ID: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    try {
      const origin = `http://localhost:${port}`;
      await printed(child, `Open ${origin}`, () => undefined);
      const browser = new Browser();
      const { headers } = await browser.visit(`${origin}/auth/salesforce`);
      const callback = await new Browser().signIn(headers.get('location') ?? '', 'Suri');
      const { response } = await browser.follow(callback);
      expect((await page(response)).html).to.include('Signed in as Suri.');
    } finally {
      await end(child);
    }
  });

  it('docs/frameworks.md — shows each file as it is', () => {
    const text = readFileSync(join(ROOT, 'docs', 'frameworks.md'), 'utf8');
    const shown = [...text.matchAll(/^```(?:js|ts)\n([^]*?)^```$/gm)].map(([, code]) => code);
    const missing = FILES.filter(
      (file) => !shown.includes(readFileSync(join(EXAMPLES, file), 'utf8')),
    );
    expect(FILES.length).to.be.greaterThan(10);
    expect(missing).to.deep.equal([]);
  });
});
