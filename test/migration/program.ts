/** The programs of the migration pages: a copy for the emulator, run in a process of its own. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Emulator } from 'crm-emulator';
import { Browser } from '../support/browser';
import { freePorts } from '../support/free-ports';
import { ROOT } from '../support/packages';

/** The first block of JavaScript under a heading of `docs/migrating/PAGE.md`. */
export function programOf(page: string, heading: string): string {
  const text = readFileSync(join(ROOT, 'docs', 'migrating', `${page}.md`), 'utf8');
  const [, section = ''] = text.split(`\n## ${heading}\n`);
  const [, code = ''] = /```js\n([^]*?)```/.exec(section.split('\n## ')[0] ?? '') ?? [];
  if (code === '') throw new Error(`${page}.md has no program under "${heading}"`);
  return code;
}

/** Replaces a text that must be there. */
function replaced(code: string, text: string, by: string): string {
  if (!code.includes(text)) throw new Error(`the program has no ${text}`);
  return code.replaceAll(text, by);
}

interface Running {
  origin: string;
  /** All that the program has printed. */
  output: () => string;
  close: () => Promise<void>;
}

/** Puts the emulator in place of the providers, and a port of this machine in place of 3000. */
export class MigrationPrograms {
  readonly #emulator: Emulator;
  readonly #apiKey: string;
  readonly #children = new Set<ChildProcess>();

  /** @param apiKey a key of Salesloft that the emulator knows */
  constructor(emulator: Emulator, apiKey: string) {
    this.#emulator = emulator;
    this.#apiKey = apiKey;
  }

  /** The program for the emulator. Where it has a table of users, these are in it. */
  #here(program: string, users: readonly (readonly [unknown, object])[]): string {
    const { salesloft, salesos, salesforce } = this.#emulator;
    const { clientID: _id, clientSecret: _secret, ...urls } = salesloft.options;
    let code = program
      .replaceAll('https://api.salesloft.com', salesloft.origin)
      .replaceAll('https://auth.play2sell.com', salesos.origin)
      .replaceAll(/https:\/\/(?:login|test)\.salesforce\.com/g, salesforce.origin)
      .replace(/SALESLOFT_CLIENT_SECRET,/, (found) => `${found} ...${JSON.stringify(urls)},`);
    // A program without loginURL means production.
    if (/SALESFORCE_CLIENT_SECRET/.test(code) && !code.includes(salesforce.origin)) {
      const loginURL = JSON.stringify(salesforce.origin);
      code = code.replace(
        /SALESFORCE_CLIENT_SECRET,/,
        (found) => `${found} loginURL: ${loginURL},`,
      );
    }
    return users.length === 0
      ? code
      : replaced(
          code,
          'const users = new Map();',
          `const users = new Map(${JSON.stringify(users)});`,
        );
  }

  #spawn(code: string): { child: ChildProcess; output: () => string } {
    const { salesloft, salesos, salesforce } = this.#emulator;
    const child = spawn(process.execPath, ['-'], {
      cwd: ROOT,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        ...process.env,
        SESSION_SECRET: 'of the tests',
        SALESLOFT_CLIENT_ID: salesloft.clientID,
        SALESLOFT_CLIENT_SECRET: salesloft.clientSecret,
        SALESLOFT_API_KEY: this.#apiKey,
        SALESOS_CLIENT_ID: salesos.clientID,
        SALESOS_CLIENT_SECRET: salesos.clientSecret,
        SALESFORCE_CLIENT_ID: salesforce.clientID,
        SALESFORCE_CLIENT_SECRET: salesforce.clientSecret,
        SALESFORCE_ORGANIZATION_ID: '00DLocalEmulatr',
      },
    });
    this.#children.add(child);
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        printed += chunk.toString();
      });
    }
    child.stdin?.end(code);
    return { child, output: () => printed };
  }

  /** Runs a program that ends by itself, and returns what it has printed. */
  async run(program: string): Promise<string> {
    const { child, output } = this.#spawn(this.#here(program, []));
    const [status] = (await once(child, 'close')) as [number | null];
    if (status !== 0) throw new Error(`the program ended with ${status}: ${output()}`);
    return output();
  }

  /** Starts a program that listens. */
  async start(
    program: string,
    users: readonly (readonly [unknown, object])[] = [],
  ): Promise<Running> {
    const port = await freePorts();
    let code = this.#here(program, users);
    code = replaced(code, 'localhost:3000', `127.0.0.1:${port}`);
    code = replaced(code, 'listen(3000,', `listen(${port}, '127.0.0.1',`);
    const { child, output } = this.#spawn(code);
    await new Promise<void>((resolve, reject) => {
      child.stdout?.on('data', () => {
        if (output().includes(`:${port}`)) resolve();
      });
      child.once('close', (status) => {
        reject(new Error(`the program ended with ${status}: ${output()}`));
      });
    });
    return { origin: `http://127.0.0.1:${port}`, output, close: async () => await end(child) };
  }

  /** Ends what is still running. */
  async close(): Promise<void> {
    await Promise.all([...this.#children].map(end));
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  await closed;
}

/** Signs in at the program's page, and returns the browser, the last page's URL and its JSON. */
export async function signIn(
  start: string,
  who: string,
  browser = new Browser(),
): Promise<{ browser: Browser; url: string; status: number | undefined; body: unknown }> {
  const { headers } = await browser.visit(start);
  const callback = await browser.signIn(headers.get('location') ?? '', who);
  const { url, response } = await browser.follow(callback);
  const text = await response?.text();
  const isJson = response?.headers.get('content-type')?.includes('json') ?? false;
  return {
    browser,
    url,
    status: response?.status,
    body: isJson ? (JSON.parse(text ?? 'null') as unknown) : text,
  };
}
