/**
 * Builds the documentation as a site with search: `npm run docs` writes it to site/build/site. It fails on a
 * warning and on a dead link. VitePress and TypeDoc are installed by the first run, and by nothing else.
 * SITE_BASE is the path at which the site will be served, "/" by default.
 */
'use strict';
const {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} = require('node:fs');
const { join } = require('node:path');
const { addressesOf } = require('./manifests');
const { SUMMARY, navigation } = require('./navigation');
const { npm, run } = require('./npm');
const { PACKAGES, ROOT } = require('./packages');
const { brokenLinks } = require('./site-links');
const { placeOf, writePages } = require('./site-pages');

const TOOLS = join(ROOT, 'site');
const BUILD = join(TOOLS, 'build');
const PAGES = join(BUILD, 'pages');
const SITE = join(BUILD, 'site');

/** Lines of output that a build without a warning does not have. */
const WARNING = /\bwarn(?:ing)?\b|^\(!\)/im;

/** The doors of the packages, by the name that users import. */
function doors() {
  const doorsOf = ({ name, folder }) => {
    const { exports } = require(join(ROOT, folder, 'package.json'));
    return Object.keys(exports)
      .filter((door) => door !== './package.json')
      .map((door) => {
        const source = ['index.ts', `${door.slice(2)}/index.ts`][door === '.' ? 0 : 1];
        return { name: join(name, door), source: join(ROOT, folder, 'src', source) };
      });
  };
  return PACKAGES.flatMap(doorsOf);
}

async function install() {
  const installed = join(TOOLS, 'node_modules', '.package-lock.json');
  const lock = join(TOOLS, 'package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  console.log('Installing VitePress and TypeDoc (once)…');
  const { status, stderr } = await npm(['ci', '--no-audit', '--no-fund'], {
    cwd: TOOLS,
    minutes: 10,
  });
  if (status !== 0) throw new Error(`npm ci failed in site.\n${stderr}`);
}

/** Runs one of the two tools, and fails on its warnings too. */
async function build(what, script, parameters) {
  const { status, stdout, stderr } = await run(
    process.execPath,
    [join(TOOLS, 'node_modules', script), ...parameters],
    { cwd: TOOLS, minutes: 10, env: { ...process.env, NO_COLOR: '1' } },
  );
  const output = stdout + stderr;
  if (status !== 0 || WARNING.test(output)) throw new Error(`${what} warns or fails.\n${output}`);
}

async function buildReference() {
  const entries = doors();
  const paths = Object.fromEntries(entries.map(({ name, source }) => [name, [source]]));
  const tsconfig = join(BUILD, 'tsconfig.json');
  const options = join(BUILD, 'typedoc.json');
  const json = (file, value) => writeFileSync(file, JSON.stringify(value, null, 2));
  json(tsconfig, {
    extends: '../../tsconfig.json',
    compilerOptions: {
      composite: false,
      noEmit: true,
      paths,
      typeRoots: [join(ROOT, 'node_modules', '@types')],
    },
    include: PACKAGES.map(({ folder }) => join(ROOT, folder, 'src')),
    exclude: [],
    references: [],
    files: [],
  });
  json(options, {
    plugin: ['typedoc-plugin-markdown'],
    name: 'Reference',
    tsconfig,
    entryPoints: entries.map(({ source }) => source),
    out: join(PAGES, 'reference'),
    entryFileName: 'index',
    readme: 'none',
    hidePageHeader: true,
    hideBreadcrumbs: true,
    excludeInternal: true,
    excludePrivate: true,
    excludeExternals: true,
    sanitizeComments: true,
    disableGit: true,
    sourceLinkTemplate: addressesOf(ROOT).file('packages/{path}#L{line}', 'main'),
    // A type that only another type names is described where it is used.
    validation: { notExported: false, invalidLink: true, notDocumented: false },
    treatWarningsAsErrors: true,
  });
  await build('TypeDoc', 'typedoc/bin/typedoc', ['--options', options]);
  nameDoors(join(PAGES, 'reference'));
}

/** TypeDoc names a door after its source; readers know the name that they import. */
function nameDoors(folder) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.name !== 'index.md') continue;
    const file = join(entry.parentPath ?? entry.path, entry.name);
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace(/^(# |- \[)([\w-]+)\/src\b/gm, '$1$2'));
  }
}

async function buildSite(base) {
  const config = {
    base,
    summary: SUMMARY,
    repository: addressesOf(ROOT).web,
    groups: navigation(ROOT).map(({ title, pages }) => ({
      title,
      pages: pages.map((page) => ({ title: page.title, place: placeOf(page.path) })),
    })),
  };
  mkdirSync(join(PAGES, '.vitepress'), { recursive: true });
  writeFileSync(join(BUILD, 'site.json'), JSON.stringify(config, null, 2));
  const settings = JSON.stringify(join(__dirname, 'site-config.js'));
  writeFileSync(
    join(PAGES, '.vitepress', 'config.mjs'),
    `import { createRequire } from 'node:module';
export default createRequire(${settings})(${settings});
`,
  );
  await build('VitePress', 'vitepress/bin/vitepress.js', ['build', PAGES, '--outDir', SITE]);
}

async function main() {
  const base = process.env.SITE_BASE ?? '/';
  await install();
  rmSync(BUILD, { recursive: true, force: true });
  mkdirSync(BUILD, { recursive: true });
  writePages(ROOT, PAGES);
  await buildReference();
  await buildSite(base);
  const broken = brokenLinks(SITE, base);
  if (broken.length > 0) throw new Error(`Links of the site lead nowhere:\n${broken.join('\n')}`);
  console.log('The site is in site/build/site. To look at it: npm run docs:preview');
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
