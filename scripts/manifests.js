/**
 * Writes `repository`, `homepage` and `bugs` of each published package from `repository` of the root's
 * package.json, the one place that knows the address. `--check` fails when a manifest differs.
 */
'use strict';
const { readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

/** The form that npm gives an address, which the registry compares with the address of the workflow. */
const FORM = /^git\+(https:\/\/[^\s/]+\/\S+)\.git$/;

const readManifest = (root, folder) =>
  JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));

/** The addresses that follow from the one in package.json. */
function addressesOf(root) {
  const { url = '' } = readManifest(root, '.').repository ?? {};
  const [, web] = FORM.exec(url) ?? [];
  if (web === undefined) {
    throw new Error(
      '"repository.url" of package.json does not look like git+https://HOST/PATH.git.',
    );
  }
  return {
    url,
    web,
    /** A name under .invalid leads nowhere (RFC 2606 §2). */
    isPlaceholder: new URL(web).hostname.endsWith('.invalid'),
    /** @param ref a tag or a branch */
    file: (path, ref) => `${web}/blob/${ref}/${path}`,
    folder: (path, ref) => `${web}/tree/${ref}/${path}`,
    image: (path, ref) => `${web}/raw/${ref}/${path}`,
  };
}

function fieldsOf(root, folder) {
  const address = addressesOf(root);
  return {
    homepage: `${address.folder(folder, 'main')}#readme`,
    bugs: { url: `${address.web}/issues` },
    repository: { type: 'git', url: address.url, directory: folder },
  };
}

/** The manifest with the three fields behind its licence. */
function withFields(manifest, fields) {
  const others = Object.entries(manifest).filter(([name]) => !(name in fields));
  const place = others.findIndex(([name]) => name === 'license') + 1;
  return Object.fromEntries(others.toSpliced(place, 0, ...Object.entries(fields)));
}

/** The manifests that differ from the address in package.json: `{ file, text }`. */
function staleManifests(root, packages) {
  return packages
    .map(({ folder }) => ({
      file: `${folder}/package.json`,
      text: `${JSON.stringify(withFields(readManifest(root, folder), fieldsOf(root, folder)), null, 2)}\n`,
    }))
    .filter(({ file, text }) => readFileSync(join(root, file), 'utf8') !== text);
}

function main(isCheck) {
  const { ROOT, PACKAGES } = require('./packages');
  for (const { file, text } of staleManifests(ROOT, PACKAGES)) {
    if (!isCheck) writeFileSync(join(ROOT, file), text);
    else {
      console.error(`${file} does not have the address in package.json. Run: npm run manifests`);
      process.exitCode = 1;
    }
  }
}

module.exports = { addressesOf, readManifest, staleManifests };

if (require.main === module) main(process.argv.includes('--check'));
