/**
 * Publishes each package that the registry does not have in this version. A run that broke off may be
 * repeated. Further arguments go to npm: `--dry-run`, `--tag next`.
 */
'use strict';
const { npm } = require('./npm');
const { readManifest } = require('./manifests');
const { inTemporaryFolder, stage } = require('./pack');

const MINUTES = 5;

/** The packages, each one after those that it needs. */
function inOrder(root, packages) {
  const names = new Set(packages.map(({ name }) => name));
  const needs = new Map(
    packages.map(({ name, folder }) => {
      const { dependencies = {} } = readManifest(root, folder);
      return [name, Object.keys(dependencies).filter((one) => names.has(one))];
    }),
  );
  const ordered = [];
  const add = (one, above = []) => {
    if (above.includes(one.name)) throw new Error(`${one.name} needs itself.`);
    if (ordered.includes(one)) return;
    for (const name of needs.get(one.name)) {
      add(
        packages.find((other) => other.name === name),
        [...above, one.name],
      );
    }
    ordered.push(one);
  };
  for (const one of packages) add(one);
  return ordered;
}

/** @param ask runs npm; the tests have one that answers from a list */
async function publish({ root, packages, parameters = [], ask = npm, say = console.log }) {
  const outcome = parameters.includes('--dry-run') ? 'would be published' : 'is published';
  await inTemporaryFolder(async (folder) => {
    const staged = await stage(root, inOrder(root, packages), folder);
    for (const { name } of inOrder(root, packages)) {
      const { version, staged: cwd } = staged.find((one) => one.name === name);
      const found = await ask(['view', `${name}@${version}`, 'version'], { cwd: folder });
      if (found.status === 0 && found.stdout.trim() !== '') {
        say(`${name} ${version} is published already.`);
        continue;
      }
      const done = await ask(['publish', ...parameters], { cwd, minutes: MINUTES });
      if (done.status !== 0) throw new Error(`npm did not publish ${name}.\n${done.stderr}`);
      say(`${name} ${version} ${outcome}.`);
    }
  });
}

module.exports = { publish };

if (require.main === module) {
  const { ROOT, PACKAGES } = require('./packages');
  publish({ root: ROOT, packages: PACKAGES, parameters: process.argv.slice(2) }).catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
