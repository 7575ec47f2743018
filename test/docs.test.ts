/** The documents agree with the code: generated pages, links, options, error codes. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect } from 'chai';
import { PACKAGES, ROOT, STRATEGIES, exportsOf } from './support/packages';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

interface Target {
  folder: string;
  path: string;
}

function filesUnder(folder: string, ending: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    if (['node_modules', 'dist', 'build', 'coverage', '.git'].includes(name)) return [];
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return filesUnder(path, ending);
    return name.endsWith(ending) ? [path] : [];
  });
}

/** The anchor GitHub gives a heading. */
const anchor = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const anchors = (path: string) =>
  [...readFileSync(path, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    anchor(heading ?? ''),
  );

/** Commands that fetch a package of this repository from the registry, where another author may own the name. */
const unpublished = (text: string) => {
  const names = PACKAGES.map(({ name }) => name).join('|');
  const command = String.raw`(?:npx(?! --no\b)|(?:npm|pnpm|yarn|bun) (?:install|i|add|ci|exec))`;
  const pattern = new RegExp(String.raw`\b${command}(?: [\w@^~./-]+)*? (?:${names})(?![\w-])`, 'g');
  return [...text.matchAll(pattern)].map(([found]) => found);
};

describe('documents', () => {
  it('docs/errors.md and docs/providers.md — are what the code says', () => {
    execFileSync(process.execPath, ['scripts/docs.js', '--check'], { cwd: ROOT, stdio: 'pipe' });
  });

  it('links — lead to files and headings that exist', () => {
    const broken: string[] = [];
    for (const file of filesUnder(ROOT, '.md')) {
      const prose = readFileSync(file, 'utf8').replace(/```[^]*?```/g, '');
      for (const [, target = ''] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        const [path = '', fragment] = target.split('#');
        const to = path === '' ? file : join(dirname(file), path);
        const page = existsSync(to) && statSync(to).isDirectory() ? join(to, 'README.md') : to;
        const found =
          existsSync(page) && (fragment === undefined || anchors(page).includes(fragment));
        if (!found) broken.push(`${relative(ROOT, file)} → ${target}`);
      }
    }
    expect(broken).to.deep.equal([]);
  });

  it('npm install and npx — name no package of ours until they are published', () => {
    if (!read('README.md').includes('not in the registry yet')) return;
    const found = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: ROOT })
      .toString()
      .split('\n')
      .filter((path) => /\.(?:md|ts|js|mjs)$|\.env\.example$/.test(path))
      .filter((path) => !/^(?:test|scripts|site)\/|\/test\//.test(path))
      .filter((path) => existsSync(join(ROOT, path)))
      .flatMap((path) => unpublished(read(path)).map((command) => `${path}: ${command}`));
    expect(found, 'show the tarball, or `npx --no --`').to.deep.equal([]);
  });

  it('npm install and npx — a name is noticed, and a tarball is not', () => {
    const text = `
      npm install express passport-salesloft@1
      npx crm-emulator --env, npx --yes crm-oauth2 check
      npm install ./*.tgz, npx --no -- crm-emulator, npm install express redis
      npm install ./crm-oauth2-0.1.0.tgz`;
    expect(unpublished(text)).to.deep.equal([
      'npm install express passport-salesloft',
      'npx crm-emulator',
      'npx --yes crm-oauth2',
    ]);
  });

  for (const strategy of STRATEGIES) {
    it(`${strategy.folder}/README.md — names every option and extra of the provider`, () => {
      const { options, authorizationParameters } = exportsOf(strategy).provider;
      const names = [...Object.keys(options), ...Object.keys(authorizationParameters)];
      const text = read(`${strategy.folder}/README.md`);
      expect(names.filter((name) => !text.includes(`\`${name}\``))).to.deep.equal([]);
    });
  }

  it('error codes — each code that is thrown has a remedy', () => {
    const codes = new Set<string>();
    for (const file of filesUnder(join(ROOT, 'packages'), '.ts')) {
      if (!/packages\/(crm-oauth2|passport-[\w-]+)\/src\//.test(file)) continue;
      const source = readFileSync(file, 'utf8');
      for (const [, code] of source.matchAll(/(?:new Problem|refuse)\(\s*'([a-z_]+)'/g)) {
        codes.add(code ?? '');
      }
    }
    const documented = read('docs/errors.md');
    expect(codes.size).to.be.greaterThan(30);
    expect([...codes].filter((code) => !documented.includes(`\`${code}\``))).to.deep.equal([]);
  });

  it('docs/troubleshooting.md — leads to codes that docs/errors.md lists', () => {
    const documented = read('docs/errors.md');
    const rows = [...read('docs/troubleshooting.md').matchAll(/^\|([^|]+)\|([^|]+)\|[^|]+\|$/gm)];
    const codes = rows.flatMap(([, , column = '']) =>
      [...column.matchAll(/`(\w+)`/g)].map(([, code = '']) => code),
    );
    expect(codes.length).to.be.greaterThan(40);
    expect(codes.filter((code) => !documented.includes(`\`${code}\``))).to.deep.equal([]);
  });

  it('scripts/mutate.js — takes every file that holds a check, with tests that exist', () => {
    const { targets, testsOf } = require('../scripts/mutate.js') as {
      targets: () => Target[];
      testsOf: (target: Target) => string[];
    };
    const found = targets();
    expect(found.map(({ path }) => path)).to.include.members([
      'packages/crm-oauth2/src/client.ts',
      'packages/crm-oauth2/src/protocol/authorization-response.ts',
      ...STRATEGIES.map(({ folder }) => `${folder}/src/provider.ts`),
    ]);
    // A file without tests of its own path is tested by its whole package: only those that have no check.
    const untested = found.filter((target) => testsOf(target).some((test) => test.includes('*')));
    expect(untested.map(({ path }) => path)).to.deep.equal(
      STRATEGIES.map(({ folder }) => `${folder}/src/index.ts`),
    );
  });

  it('package-lock.json — names no registry', () => {
    expect(read('package-lock.json')).to.not.match(/"resolved": "https?:/);
  });
});
