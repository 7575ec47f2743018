/** The cost of a package: to load it, and to install it. */
'use strict';
const { execFile } = require('node:child_process');
const {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  writeFileSync,
} = require('node:fs');
const { createRequire } = require('node:module');
const { dirname, join } = require('node:path');
const { promisify } = require('node:util');
const { PEERS } = require('../subjects');
const { rotate } = require('../statistics');

const run = promisify(execFile);
const root = join(__dirname, '..', '..', '..');

/** The limit of loading: a package with `exports`, like ours, that only loads passport-oauth2. */
const EMPTY = 'an-empty-package';

function makeEmptyPackage(stage) {
  const folder = join(stage.folder, 'node_modules', EMPTY);
  mkdirSync(folder, { recursive: true });
  const description = { name: EMPTY, version: '1.0.0', exports: { '.': './index.js' } };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(description));
  const base = createRequire(PEERS).resolve('passport-oauth2');
  writeFileSync(join(folder, 'index.js'), `module.exports = require(${JSON.stringify(base)});\n`);
  return { name: EMPTY, from: join(stage.folder, 'index.js') };
}

/**
 * Loads each in a fresh process, in turns.
 *
 * @param {{ name: string, from: string }[]} packages
 */
async function measureLoading(packages, { rounds }) {
  const results = Object.fromEntries(packages.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, from } of rotate(packages, round)) {
      const { stdout } = await run(process.execPath, [
        join(__dirname, '..', 'load.js'),
        from,
        name,
      ]);
      results[name].push(JSON.parse(stdout));
    }
  }
  return results;
}

function bytesUnder(folder) {
  let sum = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'node_modules') continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) sum += bytesUnder(path);
    else if (entry.isFile()) sum += statSync(path).size;
  }
  return sum;
}

/** Folders of packages, types aside (`undici-types` is a part of `@types/node`), as a count and KiB. */
function sizeOf(folders) {
  const own = [...folders].filter((folder) => !/\/@types\/|\/undici-types$/.test(folder));
  return { packages: own.length, kib: own.reduce((sum, path) => sum + bytesUnder(path), 0) / 1024 };
}

/** The size of our package as it would be published: packed, and installed into an empty folder. */
async function measureInstalled(stage, name) {
  const npm = process.env.npm_execpath;
  const folder = join(stage.folder, name);
  mkdirSync(folder, { recursive: true });
  const npmRun = async (parameters, cwd) =>
    await run(npm ? process.execPath : 'npm', [...(npm ? [npm] : []), ...parameters], { cwd });
  const packed = await npmRun(
    ['pack', '--json', '--pack-destination', folder, '-w', 'crm-oauth2', '-w', name],
    root,
  );
  const files = Object.values(JSON.parse(packed.stdout)).map(({ filename }) => `./${filename}`);
  await npmRun(['install', '--prefer-offline', '--no-audit', '--no-fund', ...files], folder);
  const lock = JSON.parse(readFileSync(join(folder, 'node_modules', '.package-lock.json'), 'utf8'));
  return sizeOf(Object.keys(lock.packages).map((path) => join(folder, path)));
}

/** The size of a peer and its dependencies in the folder of the peers. */
function measurePeerInstalled(name) {
  const found = new Set();
  const visit = (dependency, from) => {
    let folder = from;
    while (!existsSync(join(folder, 'node_modules', dependency, 'package.json'))) {
      if (folder === dirname(PEERS)) return;
      folder = dirname(folder);
    }
    const path = join(folder, 'node_modules', dependency);
    if (found.has(path)) return;
    found.add(path);
    const { dependencies = {} } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
    for (const next of Object.keys(dependencies)) visit(next, path);
  };
  visit(name, dirname(PEERS));
  return sizeOf(found);
}

module.exports = {
  EMPTY,
  makeEmptyPackage,
  measureInstalled,
  measureLoading,
  measurePeerInstalled,
};
