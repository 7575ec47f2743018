/**
 * Makes of each published package what it loads: one file a door. Forty small files are good to read,
 * and cost an application that starts more than all they do. Runs after the compiler, which has checked
 * the types and written the declarations.
 */
'use strict';
const { readFileSync, readdirSync, writeFileSync } = require('node:fs');
const { join, sep } = require('node:path');
const { build } = require('esbuild');
const { ROOT, STRATEGIES } = require('./packages');

const CORE = 'packages/crm-oauth2';

/** The functions of jose that the core uses. */
const JOSE = [
  'CompactEncrypt',
  'SignJWT',
  'compactDecrypt',
  'createLocalJWKSet',
  'exportJWK',
  'generateKeyPair',
];

async function bundle(folder, source, outfile, options = {}) {
  const file = join(ROOT, folder, 'lib', outfile);
  const { metafile } = await build({
    stdin: { contents: source, resolveDir: join(ROOT, folder, 'src'), loader: 'ts' },
    outfile: file,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'cjs',
    target: 'node20.19',
    // As `require`, which every loader of CommonJS knows; Jest's does not know import().
    supported: { 'dynamic-import': false },
    // Decides how ES modules see what is required; TypeScript's own rule for these packages.
    tsconfigRaw: { compilerOptions: { esModuleInterop: true } },
    logLevel: 'warning',
    ...options,
  });
  if (!options.minify) exportValues(file);
  announce(file);
  if (metafile) writeLicences(file, metafile.inputs);
}

/** esbuild's own note of the names, of which one line is left: see {@link announce}. */
const ANNOTATION = /\n\/\/ Annotate the CommonJS export names[^]*$/;

const GETTERS =
  /^__export\((stdin_exports), (\{\n[^]*?\n\})\);\nmodule\.exports = __toCommonJS\(\1\);\n/m;

/** esbuild exports getters, which take time at the start and at each use. Here nothing exported changes. */
function exportValues(file) {
  const text = readFileSync(file, 'utf8').replace(ANNOTATION, '\n');
  const [all = '', , names = ''] = GETTERS.exec(text) ?? [];
  const rest = text.replace(all, '');
  if (rest.includes('module.exports = __toCommonJS')) {
    throw new Error(`${file} exports in another way than scripts/bundle.js knows`);
  }
  const end = `module.exports = ${names.replaceAll(': () => ', ': ')};
Object.defineProperty(module.exports, '__esModule', { value: true });
`;
  if (names !== '') writeFileSync(file, rest + end);
}

/** Node's reader of CommonJS finds the names for `import { Strategy }` in a line that never runs. */
function announce(file) {
  const names = Object.keys(require(file)).filter((name) => /^(?!default$)[A-Za-z]\w*$/.test(name));
  const text = readFileSync(file, 'utf8').replace(ANNOTATION, '\n');
  writeFileSync(file, `${text}0 && (module.exports = { ${names.join(', ')} });\n`);
}

/** A door that has some of the names of `core.js`, so that each class exists once. */
function window(door) {
  const file = join(ROOT, CORE, 'lib', `${door}.js`);
  writeFileSync(file, `'use strict';\nmodule.exports = { ...require('./core.js').${door}Door };\n`);
  announce(file);
}

/**
 * A door takes from `core.js` all that it imports from outside its folder: each name once, when it loads.
 * The search among two hundred names, at each use, would take longer than most functions do.
 */
const outsideIsCore = (folder) => ({
  name: 'outside-is-core',
  setup({ onResolve, onLoad }) {
    const from = join(ROOT, CORE, 'lib');
    const own = join(ROOT, CORE, 'src', folder);
    onResolve({ filter: /^\./ }, ({ path, resolveDir, importer, namespace }) => {
      if (namespace === 'core') return { path, external: true };
      const isOwn = importer === '<stdin>' || join(resolveDir, path).startsWith(own);
      return isOwn ? undefined : { path: 'core.js', namespace: 'core' };
    });
    onLoad({ filter: /^/, namespace: 'core' }, () => {
      const names = Object.keys(require(join(from, 'core.js')));
      const contents = `export const { ${names.join(', ')} } = require('./core.js');`;
      return { contents, resolveDir: from };
    });
  },
});

/** A file of its own, loaded when it is first needed. */
const joseIsBuiltIn = {
  name: 'jose-is-built-in',
  setup({ onResolve }) {
    onResolve({ filter: /^jose$/ }, () => ({ path: './jose.js', external: true }));
  },
};

/** The functions that `values/jose.ts` lends (decision 20). */
async function bundleJose() {
  await bundle(CORE, `export { ${JOSE.join(', ')} } from 'jose';`, 'jose.js', builtIn);
}

/** The emulator is an ES module, and so are packages that it needs. This file is for `require`. */
async function bundleEmulator() {
  await bundle('packages/crm-emulator', "export * from './index';", 'index.cjs', builtIn);
}

/** Packages that become a part of the file. Their licences stand beside it. */
const builtIn = {
  packages: 'bundle',
  metafile: true,
};

/** @param inputs the files of a bundle, from the root */
function writeLicences(file, inputs) {
  const folders = new Set(
    Object.keys(inputs).flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []),
  );
  const texts = [...folders].toSorted().map((folder) => {
    const { name, version, license } = JSON.parse(
      readFileSync(join(ROOT, folder, 'package.json'), 'utf8'),
    );
    const own = readdirSync(join(ROOT, folder)).find((entry) => /^licen[cs]e\b/i.test(entry));
    // Some packages name their licence, and have no copy of it.
    const words = own ? readFileSync(join(ROOT, folder, own), 'utf8').trim() : license;
    return `${name} ${version}\n\n${words}\n`;
  });
  writeFileSync(`${file}.LICENSES.txt`, texts.join(`\n${'-'.repeat(72)}\n\n`));
}

/** The modules of the core: all but the doors, and the tokens' later life, which no login needs. */
function coreModules() {
  return readdirSync(join(ROOT, CORE, 'src'), { recursive: true, encoding: 'utf8' })
    .map((name) => name.split(sep).join('/'))
    .filter(
      (name) =>
        name.endsWith('.ts') && !/^(?:passport|testing|check|tokens)\/|index\.ts$/.test(name),
    )
    .map((name) => `./${name.slice(0, -'.ts'.length)}`);
}

/**
 * The command `crm-oauth2`, in files that no door loads: small, because every application installs them. It
 * may import the ES module of a strategy.
 */
async function bundleCommand() {
  await bundle(CORE, "export { main } from './check/index';", 'check.js', {
    plugins: [outsideIsCore('check')],
    supported: {},
    minify: true,
  });
  const lines = [
    '#!/usr/bin/env node',
    "'use strict';",
    "const { main } = require('./check.js');",
    'main(process.argv.slice(2)).then((status) => {',
    '  process.exitCode = status;',
    '});',
    '',
  ];
  const file = join(ROOT, CORE, 'lib', 'command.js');
  writeFileSync(file, lines.join('\n'), { mode: 0o755 });
}

async function main() {
  await bundleJose();
  await bundleEmulator();
  await bundle(
    CORE,
    [
      ...coreModules().map((name) => `export * from '${name}';`),
      "export * as providerDoor from './provider/index';",
    ].join('\n'),
    'core.js',
    { plugins: [joseIsBuiltIn] },
  );
  window('provider');
  await bundle(CORE, "export * from './index';", 'index.js', {
    plugins: [outsideIsCore('tokens')],
  });
  for (const door of ['passport', 'testing']) {
    await bundle(CORE, `export * from './${door}/index';`, `${door}.js`, {
      plugins: [outsideIsCore(door)],
    });
  }
  await bundleCommand();
  for (const { folder } of STRATEGIES) {
    await bundle(folder, "import s = require('./index'); export = s;", 'index.js');
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
