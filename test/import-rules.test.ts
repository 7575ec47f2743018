/** The arrows between the parts of the house: which part may import which. */
import { readFileSync, readdirSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, posix, relative, sep } from 'node:path';
import { expect } from 'chai';
import { PACKAGES, ROOT, STRATEGIES } from './support/packages';

const FAMILY = PACKAGES.map(({ name }) => name);
const PROVIDERS = STRATEGIES.map(({ name }) => name);

/** The doors that the source of a provider may use. */
const DOORS = ['crm-oauth2', 'crm-oauth2/passport', 'crm-oauth2/provider'];

const LOWEST = ['values', 'errors'];
const PROTOCOL = ['protocol', 'wire', ...LOWEST];
const CLIENT = ['client', 'provider', ...PROTOCOL];
/** The storeys of crm-oauth2/src, and those that each of them may import from. */
const STOREYS: Readonly<Record<string, readonly string[]>> = {
  values: LOWEST,
  errors: LOWEST,
  wire: ['wire', ...LOWEST],
  protocol: PROTOCOL,
  provider: ['provider', ...PROTOCOL],
  client: CLIENT,
  tokens: ['tokens', ...CLIENT],
  passport: ['passport', ...CLIENT],
  testing: ['testing', 'tokens', ...CLIENT],
  check: ['check', ...CLIENT],
  // The first door.
  index: ['tokens', ...CLIENT],
};

interface Source {
  /** With slashes, from the root. */
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
    .filter((name) => name.endsWith('.ts') && !/node_modules|\bdist\b|\bbuild\b/.test(name))
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
    expect(PROVIDERS.length).to.be.at.least(3);
    for (const name of FAMILY) expect(sourcesOfPackage(name).length).to.be.at.least(2);
    const emulator = violations(sourcesOfPackage('crm-emulator'), () => true);
    expect(emulator).to.include('packages/crm-emulator/src/origin.ts ─▶ node:http');
  });

  it('arrows — a provider imports its own files, and the doors of crm-oauth2', () => {
    for (const name of PROVIDERS) {
      const found = violations(sourcesOfPackage(name), ({ from }) =>
        from.startsWith('.')
          ? from.startsWith('..')
          : !DOORS.includes(from) && !from.startsWith('node:'),
      );
      expect(found).to.deep.equal([]);
    }
  });

  it('arrows — the tests of a provider import its own files, and the doors of crm-oauth2', () => {
    for (const name of PROVIDERS) {
      const found = violations(sourcesOf(`packages/${name}/test`), ({ from }) =>
        from.startsWith('..')
          ? !from.startsWith('../dist/')
          : FAMILY.includes(packageOf(from)) && ![...DOORS, 'crm-oauth2/testing'].includes(from),
      );
      expect(found).to.deep.equal([]);
    }
  });

  it('arrows — a file of crm-oauth2 imports from its own storey, or from one below', () => {
    const storeyOf = (path: string) => {
      const [, name = ''] = /^packages\/crm-oauth2\/src\/([^/]+)/.exec(path) ?? [];
      return name.startsWith('client') ? 'client' : name.replace(/\.ts$/, '');
    };
    const found = violations(sourcesOfPackage('crm-oauth2'), ({ from }, { path }) => {
      if (!from.startsWith('.')) return false;
      const imported = storeyOf(posix.join(posix.dirname(path), from));
      return !STOREYS[storeyOf(path)]?.includes(imported);
    });
    expect(found).to.deep.equal([]);
  });

  it('arrows — crm-oauth2 imports none of the others, and names no provider', () => {
    const sources = sourcesOfPackage('crm-oauth2');
    expect(violations(sources, ({ from }) => FAMILY.includes(packageOf(from)))).to.deep.equal([]);
    // Auth0 is the vendor behind SalesOS.
    const names = [...PROVIDERS.map((name) => name.replace(/^passport-|-oauth2$/g, '')), 'auth0'];
    const naming = sources.filter(({ code }) => new RegExp(names.join('|'), 'i').test(code));
    expect(naming.map(({ path }) => path)).to.deep.equal([]);
  });

  it('arrows — only passport/ knows requests, sessions and Passport', () => {
    const outside = sourcesOfPackage('crm-oauth2').filter(
      ({ path }) => !path.includes('/src/passport/'),
    );
    const found = violations(outside, ({ from }) => from.includes('passport'));
    expect(found).to.deep.equal([]);
    const withoutTexts = (code: string) => code.replace(/'[^'\n]*'|"[^"\n]*"/g, "''");
    const knowing = outside.filter(({ code }) => /\breq\b|\bsession\b/.test(withoutTexts(code)));
    expect(knowing.map(({ path }) => path)).to.deep.equal([]);
  });

  it('arrows — only wire/connections.ts and wire/http.ts open a connection, and api-call.ts for the application', () => {
    // The provider checks start a server, which plays the provider. The set-up check waits for the answer
    // of a login at one, and passes Node's own agents to `wire/http.ts` behind a proxy.
    const sources = ['crm-oauth2', ...PROVIDERS]
      .flatMap(sourcesOfPackage)
      .filter(({ path }) => !/^packages\/crm-oauth2\/src\/(?:testing|check)\//.test(path));
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
      /(?<![.#\w])fetch\(|\.fetch\b|\bWebSocket\(/.test(code),
    );
    expect(fetching.map(({ path }) => path)).to.deep.equal([
      'packages/crm-oauth2/src/tokens/api-call.ts',
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
    const sources = sourcesOf('examples').filter(({ path }) => path.includes('/src/'));
    expect(sources.length).to.be.at.least(15);
    const found = violations(sources, ({ from }) =>
      FAMILY.includes(packageOf(from))
        ? from.includes('/') && !DOORS.includes(from)
        : from.includes('packages/'),
    );
    expect(found).to.deep.equal([]);
  });

  for (const name of FAMILY) {
    it(`packages — ${name} declares what it imports, and imports what it declares`, () => {
      const text = readFileSync(join(ROOT, 'packages', name, 'package.json'), 'utf8');
      const manifest = JSON.parse(text) as Record<string, Record<string, string> | undefined>;
      // Development needs what the bundle has built in.
      const { dependencies = {}, devDependencies = {} } = manifest;
      const imported = sourcesOfPackage(name).flatMap(({ imports }) => imports);
      const packages = new Set(
        imported
          .map(({ from }) => from)
          .filter((from) => !from.startsWith('.') && !from.startsWith('node:'))
          .map(packageOf),
      );
      expect([...packages].filter((one) => builtinModules.includes(one))).to.deep.equal([]);
      const declared = { ...dependencies, ...devDependencies };
      expect([...packages].filter((one) => !(one in declared))).to.deep.equal([]);
      const unused = Object.keys(declared).filter(
        (one) => !packages.has(one) && !one.startsWith('@types/') && one !== 'passport-oauth2',
      );
      expect(unused).to.deep.equal([]);
    });
  }
});
