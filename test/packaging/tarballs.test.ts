/** The packages as published: their files, manifests and doors. */
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, posix, sep } from 'node:path';
import { expect } from 'chai';
import { PACKAGES, ROOT, STRATEGIES } from '../support/packages';
import { createProject, pack, remove, runNode, temporaryFolder } from './project';
import type { Packed } from './project';

interface PackageJson {
  name: string;
  version: string;
  license: string;
  type: string;
  main: string;
  types: string;
  exports: Record<string, string | Record<string, string>>;
  typesVersions?: Record<string, Record<string, string[]>>;
  engines: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies?: Record<string, string>;
  scripts?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  peerDependenciesMeta?: Record<string, { optional: boolean }>;
  bin?: Record<string, string>;
  sideEffects: boolean;
}

const NAMES = PACKAGES.map(({ name }) => name);

/** An ES module that is published with its sources, and the only one with a command. */
const EMULATOR = 'crm-emulator';

describe('packages as published', () => {
  let folder: string;
  let packed: Packed[];
  const filesOf = (name: string) => packed.find((one) => one.name === name)?.files ?? [];
  const read = (name: string, file: string) =>
    readFile(join(folder, 'node_modules', name, file), 'utf8');
  const manifest = async (name: string) =>
    JSON.parse(await read(name, 'package.json')) as PackageJson;

  before(async function () {
    this.timeout(60_000);
    folder = await temporaryFolder();
    packed = await pack(folder);
    await createProject(folder, packed, []);
  });
  after(() => remove(folder));

  for (const { name, folder: home } of PACKAGES) {
    describe(name, () => {
      const isBundled = name !== EMULATOR;
      const main = isBundled ? 'lib/index.js' : 'dist/index.js';

      it('files — has its code, its types, README.md, LICENSE and package.json only', () => {
        const files = filesOf(name);
        expect(files).to.include.members([
          'package.json',
          'README.md',
          'LICENSE',
          main,
          'dist/index.d.ts',
        ]);
        const others = files.filter(
          (file) =>
            !/^(?:package\.json|README\.md|LICENSE)$/.test(file) &&
            !(
              isBundled
                ? /^(?:lib\/\w+\.js(?:\.LICENSES\.txt)?|dist\/.+\.d\.ts)$/
                : /^(?:bin|dist|lib|src|types)\/.+$/
            ).test(file),
        );
        expect(others).to.deep.equal([]);
        expect(files.filter((file) => /\btests?\b|\bbuild\b|tsbuildinfo/.test(file))).to.deep.equal(
          [],
        );
      });

      it('files — has the output of each source, and no older output', () => {
        const sources = readdirSync(join(ROOT, home, 'src'), {
          recursive: true,
          encoding: 'utf8',
        })
          .map((file) => file.split(sep).join('/'))
          .filter((file) => file.endsWith('.ts'));
        const files = filesOf(name);
        if (!isBundled) expect(files).to.include.members(sources.map((file) => `src/${file}`));
        const suffixes = isBundled ? ['.d.ts'] : ['.js', '.js.map', '.d.ts', '.d.ts.map'];
        const expected = sources
          .filter((file) => !file.endsWith('.d.ts'))
          .flatMap((file) => suffixes.map((suffix) => `dist/${file.replace(/\.ts$/, suffix)}`));
        const built = files.filter((file) => file.startsWith('dist/'));
        expect(built, 'delete dist, and build again').to.have.members(expected);
      });

      it('files — has source maps that lead to files of the package', async () => {
        const files = filesOf(name);
        for (const map of files.filter((file) => file.endsWith('.map'))) {
          const { sources } = JSON.parse(await read(name, map)) as { sources: string[] };
          for (const source of sources) {
            expect(files).to.include(posix.join(posix.dirname(map), source));
          }
        }
      });

      it('files — names no source map that is not packed', async () => {
        const files = filesOf(name);
        for (const file of files.filter((one) => /\.(?:[cm]?js|d\.[cm]?ts)$/.test(one))) {
          const [, map] = /^\/\/# sourceMappingURL=(.+)$/m.exec(await read(name, file)) ?? [];
          if (map) expect(files, file).to.include(posix.join(posix.dirname(file), map));
        }
      });

      it('package.json — names types first, files that exist, Node versions and a licence', async () => {
        const json = await manifest(name);
        expect(json.name).to.equal(name);
        expect(json.license).to.equal('MIT');
        expect(json.sideEffects).to.equal(false);
        expect(json.engines).to.deep.equal({ node: '^20.19.0 || ^22.12.0 || >=24.0.0' });
        expect(json.type).to.equal(name === EMULATOR ? 'module' : 'commonjs');
        const files = filesOf(name);
        for (const [door, target] of Object.entries(json.exports)) {
          if (typeof target === 'string') {
            expect(`${door} ${target}`).to.equal('./package.json ./package.json');
            continue;
          }
          // The emulator has one for `import`, and one for `require`.
          const ways = 'import' in target ? Object.values(target) : [target];
          for (const way of ways as unknown as Record<string, string>[]) {
            expect(Object.keys(way)).to.deep.equal(['types', 'default']);
            for (const file of Object.values(way)) expect(files).to.include(file.slice(2));
          }
        }
        expect([json.main, json.types].map((file) => file.slice(2))).to.deep.equal([
          main,
          'dist/index.d.ts',
        ]);
      });

      it('package.json — has no install scripts, and needs no private package', async () => {
        const json = await manifest(name);
        expect(json).not.to.have.any.keys('scripts', 'private');
        // Built in.
        const built = name === 'crm-oauth2' ? ['jose'] : [];
        expect(Object.keys(json.devDependencies ?? {})).to.deep.equal(built);
        const { version } = json;
        for (const [dependency, range] of Object.entries(json.dependencies)) {
          // The emulator's engine speaks in words that the tests know of one version.
          expect(range).to.match(dependency === 'oidc-provider' ? /^\d/ : /^\^\d/);
          if (NAMES.includes(dependency)) {
            expect(range).to.equal(`^${version}`);
          }
        }
      });

      it('publint — finds no problem', async () => {
        const publint = join(ROOT, 'node_modules', 'publint', 'src', 'cli.js');
        const tarball = packed.find((one) => one.name === name)?.tarball ?? '';
        const { status, output } = await runNode(folder, [publint, 'run', tarball, '--strict']);
        expect(status, output).to.equal(0);
        expect(output).to.contain('All good!');
      });
    });
  }

  for (const { name } of STRATEGIES) {
    it(`package.json — ${name} takes Passport as an optional peer`, async () => {
      const json = await manifest(name);
      expect(json.peerDependencies).to.deep.equal({ passport: '>=0.6 <1' });
      expect(json.peerDependenciesMeta).to.deep.equal({ passport: { optional: true } });
      expect(json.dependencies).not.to.have.any.keys('passport', EMULATOR);
    });
  }

  it('package.json — crm-oauth2 has a door per reader, and needs no Passport', async () => {
    const json = await manifest('crm-oauth2');
    const doors = ['passport', 'provider', 'testing'];
    expect(json.exports).to.have.all.keys(
      '.',
      ...doors.map((door) => `./${door}`),
      './package.json',
    );
    // For `moduleResolution: node10`, which reads no exports.
    expect(json.typesVersions).to.deep.equal({
      '*': Object.fromEntries(doors.map((door) => [door, [`./dist/${door}/index.d.ts`]])),
    });
    expect(filesOf('crm-oauth2')).to.include.members(
      doors.map((door) => `dist/${door}/index.d.ts`),
    );
    expect(json).not.to.have.any.keys('peerDependencies');
    expect(json.dependencies).not.to.have.any.keys('passport');
  });

  it('package.json — crm-emulator has its command, which begins with a line for the shell', async () => {
    const json = await manifest(EMULATOR);
    expect(json.bin).to.deep.equal({ 'crm-emulator': './bin/crm-emulator.js' });
    expect(await read(EMULATOR, 'bin/crm-emulator.js')).to.match(/^#!\/usr\/bin\/env node\n/);
  });

  it('package.json — all have one version', async () => {
    const versions = await Promise.all(NAMES.map(async (name) => (await manifest(name)).version));
    expect(new Set(versions).size).to.equal(1);
  });
});
