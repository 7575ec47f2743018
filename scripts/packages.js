/** The packages of this repository, found by their folders: none is listed by hand. */
'use strict';
const { existsSync, readdirSync, readFileSync } = require('node:fs');
const { join } = require('node:path');

const ROOT = join(__dirname, '..');

/** Folders of workspaces, with slashes, relative to the root. */
const WORKSPACES = ['packages', 'examples', 'examples/another-provider'].flatMap((parent) =>
  existsSync(join(ROOT, parent))
    ? readdirSync(join(ROOT, parent))
        .map((name) => `${parent}/${name}`)
        .filter((folder) => existsSync(join(ROOT, folder, 'package.json')))
    : [],
);

const manifestOf = (folder) => JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'));

/** The published packages: `{ name, folder }`. */
const PACKAGES = WORKSPACES.filter((folder) => folder.startsWith('packages/')).map((folder) => ({
  name: manifestOf(folder).name,
  folder,
}));

/** Those of them that are a strategy. */
const STRATEGIES = PACKAGES.filter(({ name }) => name.startsWith('passport-'));

/** The exports of a strategy package: `{ className, provider }`; the package must be built. */
function exportsOf({ folder }) {
  const Strategy = require(join(ROOT, folder));
  const provider = Object.values(Strategy).find(
    (value) => typeof value === 'object' && typeof value.endpoints === 'function',
  );
  return { className: Strategy.name, provider };
}

/** The workspaces that `npm start` needs. */
const STARTED = [...PACKAGES.map(({ folder }) => folder), 'examples/express-login'];

const at = (folder) => (existsSync(join(ROOT, folder, 'tsconfig.json')) ? [folder] : []);

/** The TypeScript projects, in the order in which they are built. */
function projects() {
  const core = 'packages/crm-oauth2';
  const published = PACKAGES.map(({ folder }) => folder);
  const others = WORKSPACES.filter((folder) => !published.includes(folder));
  return [core, ...published.filter((folder) => folder !== core), ...others, 'bench', 'test']
    .flatMap(at)
    .concat(WORKSPACES.flatMap((folder) => at(`${folder}/test`)));
}

module.exports = { ROOT, PACKAGES, STARTED, STRATEGIES, exportsOf, projects };
