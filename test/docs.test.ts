/**
 * What the documents say is so: generated pages are current, links lead somewhere, every option is
 * in a table, every code has a remedy.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { expect } from 'chai';
import { salesforce } from 'passport-salesforce-oauth2';
import { salesloft } from 'passport-salesloft';
import { salesos } from 'passport-salesos';

const root = join(__dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

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

describe('documents', () => {
  it('docs/errors.md and docs/providers.md — are what the code says', () => {
    execFileSync(process.execPath, ['scripts/docs.js', '--check'], { cwd: root, stdio: 'pipe' });
  });

  it('links — lead to files and headings that exist', () => {
    const broken: string[] = [];
    for (const file of filesUnder(root, '.md')) {
      const prose = readFileSync(file, 'utf8').replace(/```[^]*?```/g, '');
      for (const [, target = ''] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        const [path = '', fragment] = target.split('#');
        const to = path === '' ? file : join(dirname(file), path);
        const page = existsSync(to) && statSync(to).isDirectory() ? join(to, 'README.md') : to;
        const found =
          existsSync(page) && (fragment === undefined || anchors(page).includes(fragment));
        if (!found) broken.push(`${relative(root, file)} → ${target}`);
      }
    }
    expect(broken).to.deep.equal([]);
  });

  for (const [name, provider] of Object.entries({
    'passport-salesloft': salesloft,
    'passport-salesos': salesos,
    'passport-salesforce-oauth2': salesforce,
  })) {
    it(`packages/${name}/README.md — names every option and extra of the provider`, () => {
      const text = read(`packages/${name}/README.md`);
      const names = [
        ...Object.keys(provider.options),
        ...Object.keys(provider.authorizationParameters),
      ];
      expect(names.filter((option) => !text.includes(`\`${option}\``))).to.deep.equal([]);
    });
  }

  it('code that is thrown — has a remedy', () => {
    const codes = new Set<string>();
    for (const file of filesUnder(join(root, 'packages'), '.ts')) {
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

  it('scripts/break-checks.js — knows where each check stands', () => {
    const { findAll } = createRequire(__filename)('../scripts/break-checks.js') as {
      findAll: () => number;
    };
    expect(findAll()).to.be.greaterThan(40);
  });

  it('package-lock.json — names no registry', () => {
    expect(read('package-lock.json')).to.not.match(/"resolved": "https?:/);
  });
});
