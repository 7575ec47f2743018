/** The page "Getting started", followed to the letter with the packed packages. */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import { Browser } from '../support/browser';
import { freePorts } from '../support/free-ports';
import { ROOT } from '../support/packages';
import { createProject, pack, remove, temporaryFolder } from './project';

const PAGE = readFileSync(join(ROOT, 'docs', 'getting-started.md'), 'utf8');

/** Lines of own code that a first login may take. */
const MAX_LINES = 25;

/** The blocks of a language, in their order. */
const blocks = (language: string) =>
  [...PAGE.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, 'g'))].map(
    ([, code]) => code ?? '',
  );
const [APP = ''] = blocks('js');
const [CALLS = '', TYPES = ''] = blocks('diff');
const [DECLARATION = ''] = blocks('ts');

/** The file with the changed lines. An empty line stands between the places of a diff. */
function patched(file: string, diff: string): string {
  let result = file;
  for (const place of diff.trimEnd().split('\n\n')) {
    const lines = place.split('\n');
    const textOf = (marks: RegExp) =>
      lines.filter((line) => marks.test(line)).map((line) => `${line.slice(1)}\n`);
    const old = textOf(/^[ -]/).join('');
    expect(result.split(old), `in the file once: ${old}`).to.have.lengthOf(2);
    result = result.replace(old, () => textOf(/^[ +]/).join(''));
  }
  return result;
}

describe('the page "Getting started"', function () {
  this.timeout(120_000);
  let folder: string;
  let origin: string;
  const children: ChildProcess[] = [];

  function start(parameters: string[], output: 'pipe' | number = 'pipe'): ChildProcess {
    const child = spawn(process.execPath, parameters, {
      cwd: folder,
      env: { PATH: process.env.PATH },
      stdio: ['ignore', output, 'pipe'],
    });
    children.push(child);
    return child;
  }

  async function end(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  }

  /** Waits until something holds, for ten seconds at most. */
  async function until(holds: () => boolean): Promise<void> {
    for (let round = 0; round < 200 && !holds(); round += 1) await wait(50);
    expect(holds()).to.equal(true);
  }

  /** Starts `app.js` as the page says, at a free port. */
  async function startApp(code: string): Promise<ChildProcess> {
    await writeFile(join(folder, 'app.js'), code.replaceAll('http://localhost:3000', origin));
    const app = start(['--env-file=.env', 'app.js']);
    let output = '';
    for (const stream of [app.stdout, app.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
    }
    await until(() => output.includes(origin) || app.exitCode !== null);
    expect(app.exitCode, output).to.equal(null);
    return app;
  }

  async function logIn(browser: Browser): Promise<string> {
    const page = await (await browser.visit(`${origin}/`)).text();
    const [, path = ''] = /href="([^"]+)"/.exec(page) ?? [];
    const begun = await browser.visit(origin + path);
    const callback = await browser.signIn(begun.headers.get('location') ?? '', 'Zoë Ångström');
    const { response } = await browser.follow(callback);
    return (await response?.text()) ?? '';
  }

  before(async () => {
    folder = await temporaryFolder();
    await createProject(folder, await pack(folder), [
      'express',
      'express-session',
      'jose',
      'oidc-provider',
      'passport',
      'passport-oauth2',
      '@types/express',
      '@types/express-session',
      '@types/node',
      '@types/passport',
      '@types/passport-oauth2',
    ]);
    const port = await freePorts(2);
    origin = `http://localhost:${port + 1}`;
    const command = join('node_modules', 'crm-emulator', 'dist', 'cli.js');
    const env = join(folder, '.env');
    const file = openSync(env, 'w');
    start([command, '--only', 'salesloft', '--port', String(port), '--env'], file);
    await until(() => readFileSync(env, 'utf8').includes('Ctrl+C'));
  });
  after(async () => {
    await Promise.all(children.map(end));
    await remove(folder);
  });

  /** The page's port is taken by the reader's own app, perhaps. */
  const atPort = (code: string) => code.replace('listen(3000', `listen(${new URL(origin).port}`);

  it(`3 — the app has at most ${MAX_LINES} lines, and signs in`, async () => {
    const lines = APP.split('\n').filter((line) => line.trim() !== '');
    expect(lines.length).to.be.at.most(MAX_LINES);
    const app = await startApp(atPort(APP));
    expect(JSON.parse(await logIn(new Browser()))).to.include({ name: 'Zoë Ångström' });
    await end(app);
  });

  it('4 — with the changed lines, it calls the API', async () => {
    const app = await startApp(atPort(patched(APP, CALLS)));
    const browser = new Browser();
    await logIn(browser);
    const names = (await (await browser.visit(`${origin}/cadences`)).json()) as string[];
    expect(names).to.be.an('array').that.is.not.empty;
    await end(app);
  });

  it('5 — the same app in TypeScript compiles with what the page says', async () => {
    const imports = patched(patched(APP, CALLS), TYPES).replace(
      /^const (.+) = require\((.+)\);$/gm,
      (_line, names: string, from: string) => `import ${names} from ${from};`,
    );
    await writeFile(join(folder, 'app.mts'), `${imports}\n${DECLARATION}`);
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--skipLibCheck', 'false'];
    const { stdout, status } = spawnSync(process.execPath, [tsc, ...options, 'app.mts'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(stdout).to.equal('');
    expect(status).to.equal(0);
  });
});
