/** The page "Test your login": its files, run as they are by each runner that it names. Needs chromium. */
import { readFileSync } from 'node:fs';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { CHROMIUM, needChromium } from '../support/chromium';
import { ROOT } from '../support/packages';
import { createProject, pack, remove, runNode, temporaryFolder } from './project';
import { RUNNERS, installRunners } from './runners';

const PAGE = readFileSync(join(ROOT, 'docs', 'test-your-login.md'), 'utf8');

/** The files of the page: a name in backticks, and its program. */
const FILES = [...PAGE.matchAll(/^`([\w.-]+\.js)`\n\n```js\n([^]*?)```/gm)].map(
  ([, name = '', code = '']) => ({ name, code }),
);

const inRunners = (...path: string[]) => join(RUNNERS, 'node_modules', ...path);

describe('the page "Test your login"', function () {
  this.timeout(120_000);
  let folder: string;

  before('install the runners', async function () {
    this.timeout(300_000);
    installRunners();
    folder = await temporaryFolder();
    await createProject(folder, await pack(folder), [
      'express',
      'express-session',
      'jose',
      'oidc-provider',
      'passport',
      'passport-oauth2',
    ]);
    await symlink(
      inRunners('@playwright'),
      join(folder, 'node_modules', '@playwright'),
      'junction',
    );
    await symlink(inRunners('vitest'), join(folder, 'node_modules', 'vitest'), 'junction');
    await writeFile(join(folder, 'package.json'), '{}');
    for (const { name, code } of FILES) await writeFile(join(folder, name), code);
  });
  after(() => remove(folder));

  const passes = async (parameters: string[], summary: RegExp) => {
    const { status, output } = await runNode(folder, parameters);
    expect(status, output).to.equal(0);
    expect(output).to.match(summary);
  };

  it('has the files that it speaks of', () => {
    expect(FILES.map(({ name }) => name)).to.deep.equal([
      'app.js',
      'log-in.js',
      'login.spec.js',
      'login.test.js',
      'login.pw.js',
    ]);
  });

  it('mocha — passes', async () => {
    const mocha = join(ROOT, 'node_modules', 'mocha', 'bin', 'mocha.js');
    await passes([mocha, '--no-config', '--timeout=60000', '--exit', 'login.spec.js'], /3 passing/);
  });

  it('node:test — passes with the line that the page names', async () => {
    const [, line = ''] = /one line more: `([^`]+)`/.exec(PAGE) ?? [];
    const suite = FILES.find(({ name }) => name === 'login.spec.js')?.code ?? '';
    await writeFile(join(folder, 'login.node.js'), `${line}\n${suite}`);
    await passes(['--test', 'login.node.js'], /pass 3/);
  });

  it('Jest — passes without a flag', async () => {
    const jest = inRunners('jest', 'bin', 'jest.js');
    await passes(
      [jest, '--ci', '--testTimeout=60000', '--forceExit', `--rootDir=${folder}`, 'login.test.js'],
      /Tests: +3 passed/,
    );
  });

  it('Vitest — passes with --globals', async () => {
    const vitest = inRunners('vitest', 'vitest.mjs');
    await passes(
      [
        vitest,
        'run',
        '--globals',
        ...['hook', 'test'].map((kind) => `--${kind}Timeout=60000`),
        'login.test.js',
      ],
      /3 passed/,
    );
  });

  it('Playwright — passes in a browser', async function () {
    needChromium(this);
    const launchOptions = { executablePath: CHROMIUM, args: ['--no-sandbox'] };
    const config = {
      testMatch: '*.pw.js',
      workers: 1,
      reporter: 'list',
      timeout: 60_000,
      use: { launchOptions },
    };
    await writeFile(
      join(folder, 'playwright.config.js'),
      `module.exports = ${JSON.stringify(config)};`,
    );
    await passes([inRunners('@playwright', 'test', 'cli.js'), 'test'], /2 passed/);
  });
});
