/** Adds a provider to a copy of this checkout, as one folder, and expects every tool to find it. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { changedFiles, cloneCheckout, installPackage, runIn } from './support/clone';

const MODEL = 'packages/passport-salesloft';
const ADDED = 'packages/passport-zenith';

/** The compiled tests of the new provider, and those of the whole repository that look at each provider. */
const TESTS = [`"${ADDED}/build/**/*.test.js"`, 'build/import-rules.test.js', 'build/docs.test.js'];

const renamed = (text: string) =>
  text
    .replaceAll('Salesloft', 'Zenith')
    .replaceAll('salesloft', 'zenith')
    // The page about the application is outside of the folder: the README keeps that of the model.
    .replaceAll('create-the-application/zenith.md', 'create-the-application/salesloft.md');

describe('a provider is a folder', function () {
  this.timeout(120_000);
  let folder: string;
  const read = (path: string) => readFileSync(join(folder, path), 'utf8');

  function passes(command: string): string {
    const { status, output } = runIn(folder, command);
    expect(status, `${command}\n${output}`).to.equal(0);
    return output;
  }

  before(() => {
    folder = cloneCheckout();
    const files = passes(`git ls-files ${MODEL}`).trim().split('\n');
    expect(files).to.include(`${MODEL}/src/provider.ts`);
    for (const file of files) {
      const target = join(folder, renamed(file));
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, renamed(read(file)));
    }
    installPackage(folder, ADDED);
    // Tables and lines are shorter with the shorter name.
    passes(`prettier --write ${ADDED}`);
  });
  after(() => {
    if (folder) rmSync(folder, { recursive: true });
  });

  it('npm run build — compiles and bundles it', () => {
    passes('node scripts/prepare.js');
    expect(passes(`node -p "require('./${ADDED}').name"`)).to.equal('ZenithStrategy\n');
  });

  it('npm run docs — lists its facts', () => {
    passes('node scripts/docs.js');
    expect(read('docs/providers.md')).to.contain('## Zenith\n').and.contain('`zenith`');
    expect(read('docs/errors.md')).to.contain('## Zenith\n');
  });

  it('npm run lint — accepts it', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: { lint: string } };
    for (const step of scripts.lint.split(' && ')) {
      // The other files are not the matter of this test.
      const takesPaths = /^(?:oxlint|prettier|node scripts\/check-prose)\b/.test(step);
      passes(takesPaths ? `${step.replace(/ \.$/, '')} ${ADDED}` : step);
    }
  });

  it('npm test — runs its tests, and the rules for every provider', () => {
    const { require } = JSON.parse(read('.mocharc.json')) as { require: string[] };
    const hooks = require.map((file) => `--require ${file}`).join(' ');
    const output = passes(`mocha --no-config ${hooks} --timeout 20000 ${TESTS.join(' ')}`);
    expect(output).to.contain(`${ADDED}/README.md — names every option and extra of the provider`);
    expect(output).to.contain('packages — passport-zenith declares what it imports');
  });

  it('git status — no other file has changed, but for the pages that are written from the code', () => {
    const others = changedFiles(folder).filter((path) => !path.startsWith(`${ADDED}/`));
    expect(others).to.deep.equal(['docs/errors.md', 'docs/providers.md']);
  });
});
