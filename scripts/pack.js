/**
 * Packs the packages as they are published: `node scripts/pack.js FOLDER`. A README is read in node_modules
 * and on the registry's page too, so its links out of the package become addresses of the repository.
 */
'use strict';
const { copyFileSync, existsSync, mkdirSync, mkdtempSync } = require('node:fs');
const { readFileSync, rmSync, statSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { dirname, join, posix, resolve } = require('node:path');
const { addressesOf } = require('./manifests');
const { npm } = require('./npm');

/** A link has no effect in them. */
const CODE = /(^```[^]*?^```$|`[^`\n]+`)/m;

/** The targets of links, images, references and HTML. */
const TARGET = /(\]\(|^\[[^\]]+\]:\s+|\b(?:href|src)=")([^)\s">]+)/gm;

const IMAGE = /\.(?:gif|jpe?g|png|svg|webp)$/;

/** True for an address, and for a heading of the same page. */
const isWhole = (target) => /^(?:[a-z][a-z\d+.-]*:|\/\/|#)/i.test(target);

/** The address of a file or folder of the repository, at the tag of the version. */
function addressOf(root, path, version) {
  const addresses = addressesOf(root);
  const tag = `v${version}`;
  if (statSync(join(root, path)).isDirectory()) return addresses.folder(path, tag);
  return IMAGE.test(path) ? addresses.image(path, tag) : addresses.file(path, tag);
}

/**
 * A page whose links all work in the packed package.
 *
 * @param packed `{ folder, version, files }`: the files of the package, relative to its folder
 */
function withWholeLinks(root, page, { folder, version, files }) {
  const whole = (target) => {
    if (isWhole(target)) return target;
    const [path, fragment] = target.split('#');
    const inPackage = posix.normalize(path);
    if (files.includes(inPackage)) return target;
    const inRepository = posix.join(folder, path).replace(/\/$/, '');
    if (inRepository.startsWith('..') || !existsSync(join(root, inRepository))) {
      throw new Error(`${folder}/README.md leads to ${target}, which does not exist.`);
    }
    const address = addressOf(root, inRepository, version);
    return fragment === undefined ? address : `${address}#${fragment}`;
  };
  return page
    .split(CODE)
    .map((part, index) =>
      index % 2 === 1 ? part : part.replace(TARGET, (_, before, target) => before + whole(target)),
    )
    .join('');
}

/** The files that npm packs of each package: `{ name, version, folder, files }`. */
async function contentsOf(root, packages) {
  const { status, stdout, stderr } = await npm(
    [
      'pack',
      ...packages.map(({ name }) => `--workspace=${name}`),
      '--dry-run',
      '--json',
      '--offline',
      '--ignore-scripts',
    ],
    { cwd: root },
  );
  if (status !== 0) throw new Error(`npm pack failed.\n${stderr}`);
  return JSON.parse(stdout).map(({ name, version, files }) => ({
    name,
    version,
    folder: packages.find((one) => one.name === name).folder,
    files: files.map(({ path }) => path),
  }));
}

/** Writes the files of each package into a folder of its own: `{ name, version, files, staged }`. */
async function stage(root, packages, into) {
  const contents = await contentsOf(root, packages);
  return contents.map((content) => {
    const staged = join(into, content.name);
    for (const file of content.files) {
      const from = join(root, content.folder, file);
      const to = join(staged, file);
      mkdirSync(dirname(to), { recursive: true });
      if (file === 'README.md') {
        writeFileSync(to, withWholeLinks(root, readFileSync(from, 'utf8'), content));
      } else copyFileSync(from, to);
    }
    return { ...content, staged };
  });
}

/** Packs what {@link stage} wrote: each package gets its `tarball`. */
async function pack(staged, destination) {
  const packed = [];
  for (const one of staged) {
    const { status, stdout, stderr } = await npm(
      ['pack', '--json', '--offline', '--ignore-scripts', `--pack-destination=${destination}`],
      { cwd: one.staged },
    );
    if (status !== 0) throw new Error(`npm pack failed for ${one.name}.\n${stderr}`);
    packed.push({ ...one, tarball: join(destination, JSON.parse(stdout)[0].filename) });
  }
  return packed;
}

/** Calls `use` with the path of a new folder, which ends with it. */
async function inTemporaryFolder(use) {
  const folder = mkdtempSync(join(tmpdir(), 'crm-login-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main(destination) {
  const { ROOT, PACKAGES } = require('./packages');
  if (destination === undefined) throw new Error('Name a folder: npm run tarballs -- FOLDER');
  const into = resolve(process.env.INIT_CWD ?? '.', destination);
  mkdirSync(into, { recursive: true });
  await inTemporaryFolder(async (folder) => {
    const packed = await pack(await stage(ROOT, PACKAGES, folder), into);
    for (const { tarball } of packed) console.log(tarball);
  });
}

module.exports = { inTemporaryFolder, pack, stage, withWholeLinks };

if (require.main === module) {
  main(process.argv[2]).catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
