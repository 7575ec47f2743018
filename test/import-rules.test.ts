/** The arrows between the parts of the house: who may import whom. */
import { readFileSync, readdirSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, relative, sep } from 'node:path';
import { expect } from 'chai';

const ROOT = join(__dirname, '..');
const PROVIDERS = ['passport-salesloft', 'passport-salesos', 'passport-salesforce-oauth2'];
const FAMILY = [...PROVIDERS, 'crm-oauth2', 'crm-emulator'];

interface Source {
  /** From the root, with slashes. */
  path: string;
  /** Without comments. */
  code: string;
  imports: { from: string; typeOnly: boolean }[];
}

const IMPORT =
  /(?:^|[;{}\n])\s*(?:import|export)\s+(type\s+)?(?:[\w*{][^;'"]*?\bfrom\s*)?['"]([^'"]+)['"]|\bimport\s+(type\s+)?\w+\s*=\s*require\(\s*['"]([^'"]+)['"]\s*\)|\b(?:require|import)\(\s*['"]([^'"]+)['"]\s*\)/g;

function parse(path: string, text: string): Source {
  const code = text.replace(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*$/gm, '');
  const imports = [...code.matchAll(IMPORT)].map(([, type, from, required, own, call]) => ({
    from: from ?? own ?? call ?? '',
    typeOnly: type !== undefined || required !== undefined,
  }));
  return { path, code, imports };
}

function sourcesOf(folder: string): Source[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => {
      const file = join(ROOT, folder, name);
      return parse(relative(ROOT, file).split(sep).join('/'), readFileSync(file, 'utf8'));
    });
}

const sourcesOfPackage = (name: string) => sourcesOf(`packages/${name}/src`);

/** `crm-oauth2/passport` is of the package `crm-oauth2`. */
function packageOf(from: string): string {
  const [first = '', second = ''] = from.split('/');
  return first.startsWith('@') ? `${first}/${second}` : first;
}

/** The imports that a rule forbids, as `file ─▶ module`. */
function violations(
  sources: readonly Source[],
  forbids: (imported: { from: string; typeOnly: boolean }, source: Source) => boolean,
): string[] {
  return sources.flatMap((source) =>
    source.imports
      .filter((imported) => forbids(imported, source))
      .map(({ from }) => `${source.path} ─▶ ${from}`),
  );
}

describe('imports', () => {
  it('rules — see every form of import', () => {
    const text = [
      "import { a } from './a';",
      "import type { b } from 'b';",
      'import c, {\n  d,\n} from "c";',
      "import e = require('e');",
      "import type f = require('f');",
      "export { g } from '../g';",
      "export type * from 'h';",
      "import 'i';",
      "const j = await import('j');",
      "const k = require('k/l');",
      "// import m from 'm';",
      "/** import n from 'n'; */",
      "const url = 'https://o.example'; import p from 'p';",
    ].join('\n');
    const { imports } = parse('x.ts', text);
    expect(imports.filter(({ typeOnly }) => !typeOnly).map(({ from }) => from)).to.deep.equal([
      './a',
      'c',
      'e',
      '../g',
      'i',
      'j',
      'k/l',
      'p',
    ]);
    expect(imports.filter(({ typeOnly }) => typeOnly).map(({ from }) => from)).to.deep.equal([
      'b',
      'f',
      'h',
    ]);
  });

  it('rules — look at every package', () => {
    for (const name of FAMILY) expect(sourcesOfPackage(name).length).to.be.at.least(3);
    const emulator = violations(sourcesOfPackage('crm-emulator'), () => true);
    expect(emulator).to.include('packages/crm-emulator/src/origin.ts ─▶ node:http');
  });

  it('arrows — providers never import each other, and only the doors of crm-oauth2', () => {
    for (const name of PROVIDERS) {
      const found = violations(sourcesOfPackage(name), ({ from }) => {
        if (from.startsWith('.')) return from.startsWith('..');
        return from !== 'crm-oauth2' && from !== 'crm-oauth2/passport' && !from.startsWith('node:');
      });
      expect(found).to.deep.equal([]);
    }
  });

  it('arrows — crm-oauth2 imports none of the others, and names no provider', () => {
    const sources = sourcesOfPackage('crm-oauth2');
    expect(violations(sources, ({ from }) => FAMILY.includes(packageOf(from)))).to.deep.equal([]);
    const naming = sources.filter(({ code }) => /salesloft|salesos|salesforce|auth0/i.test(code));
    expect(naming.map(({ path }) => path)).to.deep.equal([]);
  });

  it('arrows — only passport/ knows requests, sessions and Passport', () => {
    const outside = sourcesOfPackage('crm-oauth2').filter(
      ({ path }) => !path.includes('/src/passport/'),
    );
    // Passport apps test errors with instanceof: those three classes are the one exception.
    const found = violations(
      outside,
      ({ from }, { path }) =>
        from.includes('passport') &&
        !(from === 'passport-oauth2' && path === 'packages/crm-oauth2/src/errors/oauth2-error.ts'),
    );
    expect(found).to.deep.equal([]);
    const withoutTexts = (code: string) => code.replace(/'[^'\n]*'|"[^"\n]*"/g, "''");
    const knowing = outside.filter(({ code }) => /\breq\b|\bsession\b/.test(withoutTexts(code)));
    expect(knowing.map(({ path }) => path)).to.deep.equal([]);
  });

  it('arrows — only connections.ts and http.ts open one, and authorized-fetch.ts for the application', () => {
    const sources = ['crm-oauth2', ...PROVIDERS].flatMap(sourcesOfPackage);
    const found = violations(
      sources,
      ({ from, typeOnly }) =>
        !typeOnly && /^(?:node:)?(?:https?|http2|net|tls|dgram|dns|undici)(?:\/|$)/.test(from),
    );
    expect([...new Set(found)].toSorted()).to.deep.equal([
      'packages/crm-oauth2/src/wire/connections.ts ─▶ node:http',
      'packages/crm-oauth2/src/wire/connections.ts ─▶ node:https',
      'packages/crm-oauth2/src/wire/connections.ts ─▶ node:net',
      'packages/crm-oauth2/src/wire/http.ts ─▶ node:http',
      'packages/crm-oauth2/src/wire/http.ts ─▶ node:https',
    ]);
    const fetching = sources.filter(({ code }) =>
      /(?<![.\w])fetch\(|\.fetch\b|\bWebSocket\(/.test(code),
    );
    expect(fetching.map(({ path }) => path)).to.deep.equal([
      'packages/crm-oauth2/src/tokens/authorized-fetch.ts',
    ]);
  });

  it('arrows — the emulator imports none of the others, and none of them imports it', () => {
    const own = violations(
      sourcesOfPackage('crm-emulator'),
      ({ from }) => FAMILY.includes(packageOf(from)) || from.includes('passport'),
    );
    expect(own).to.deep.equal([]);
    const others = ['crm-oauth2', ...PROVIDERS].flatMap(sourcesOfPackage);
    expect(violations(others, ({ from }) => packageOf(from) === 'crm-emulator')).to.deep.equal([]);
  });

  it('arrows — the examples use what is published, by its door', () => {
    const examples = readdirSync(join(ROOT, 'examples'));
    expect(examples).to.include.members(['background-sync', 'cadence-transfer', 'express-login']);
    const sources = examples.flatMap((name) => sourcesOf(`examples/${name}/src`));
    const found = violations(sources, ({ from }) =>
      FAMILY.includes(packageOf(from))
        ? from.includes('/') && from !== 'crm-oauth2/passport'
        : from.includes('packages/'),
    );
    expect(found).to.deep.equal([]);
  });

  for (const name of FAMILY) {
    it(`packages — ${name} declares what it imports, and imports what it declares`, () => {
      const text = readFileSync(join(ROOT, 'packages', name, 'package.json'), 'utf8');
      const { dependencies = {} } = JSON.parse(text) as { dependencies?: Record<string, string> };
      const imported = sourcesOfPackage(name).flatMap(({ imports }) => imports);
      const packages = new Set(
        imported
          .map(({ from }) => from)
          .filter((from) => !from.startsWith('.') && !from.startsWith('node:'))
          .map(packageOf),
      );
      expect([...packages].filter((one) => builtinModules.includes(one))).to.deep.equal([]);
      expect([...packages].filter((one) => !(one in dependencies))).to.deep.equal([]);
      const unused = Object.keys(dependencies).filter(
        (one) => !packages.has(one) && !one.startsWith('@types/') && one !== 'passport-oauth2',
      );
      expect(unused).to.deep.equal([]);
    });
  }
});
