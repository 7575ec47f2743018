/** The cost of a package: to load it, and to install it. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { PEERS, ROOT } from '../../places';
import type { Loading } from '../load';
import type { Stage } from '../stage';
import { rotate } from '../statistics';

const run = promisify(execFile);

/** The limit of loading: a package with `exports`, like ours, that only loads passport-oauth2. */
export const EMPTY = 'an-empty-package';

/** A package, and a file that can load it. */
export interface Loaded {
  name: string;
  from: string;
}

export interface Installed {
  packages: number;
  kib: number;
}

export type LoadingResults = Map<string, Loading[]>;

export function makeEmptyPackage(stage: Stage): Loaded {
  const folder = join(stage.folder, 'node_modules', EMPTY);
  mkdirSync(folder, { recursive: true });
  const description = { name: EMPTY, version: '1.0.0', exports: { '.': './index.js' } };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(description));
  const base = createRequire(PEERS).resolve('passport-oauth2');
  writeFileSync(join(folder, 'index.js'), `module.exports = require(${JSON.stringify(base)});\n`);
  return { name: EMPTY, from: join(stage.folder, 'index.js') };
}

/** Loads each in a fresh process, in turns. */
export async function measureLoading(
  packages: readonly Loaded[],
  { rounds, core }: { rounds: number; core: number | undefined },
): Promise<LoadingResults> {
  const results: LoadingResults = new Map(packages.map(({ name }) => [name, []]));
  const [file = '', ...before] =
    core === undefined ? [process.execPath] : ['taskset', '-c', String(core), process.execPath];
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, from } of rotate(packages, round)) {
      const program = [...before, join(__dirname, '..', 'load.js'), from, name];
      const { stdout } = await run(file, program);
      results.get(name)?.push(JSON.parse(stdout) as Loading);
    }
  }
  return results;
}

function bytesUnder(folder: string): number {
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
function sizeOf(folders: Iterable<string>): Installed {
  const own = [...folders].filter((folder) => !/\/@types\/|\/undici-types$/.test(folder));
  return { packages: own.length, kib: own.reduce((sum, path) => sum + bytesUnder(path), 0) / 1024 };
}

/** The size of our package as it would be published: packed, and installed into an empty folder. */
export async function measureInstalled(stage: Stage, name: string): Promise<Installed> {
  const npm = process.env.npm_execpath;
  const folder = join(stage.folder, name);
  mkdirSync(folder, { recursive: true });
  const npmRun = async (parameters: string[], cwd: string) =>
    await run(npm ? process.execPath : 'npm', [...(npm ? [npm] : []), ...parameters], { cwd });
  const packed = await npmRun(
    ['pack', '--json', '--pack-destination', folder, '-w', 'crm-oauth2', '-w', name],
    ROOT,
  );
  const archives = Object.values(JSON.parse(packed.stdout) as object) as { filename: string }[];
  const files = archives.map(({ filename }) => `./${filename}`);
  await npmRun(['install', '--prefer-offline', '--no-audit', '--no-fund', ...files], folder);
  const lock = JSON.parse(
    readFileSync(join(folder, 'node_modules', '.package-lock.json'), 'utf8'),
  ) as { packages: object };
  return sizeOf(Object.keys(lock.packages).map((path) => join(folder, path)));
}

/** The size of a peer and its dependencies in the folder of the peers. */
export function measurePeerInstalled(name: string): Installed {
  const found = new Set<string>();
  const visit = (dependency: string, from: string) => {
    let folder = from;
    while (!existsSync(join(folder, 'node_modules', dependency, 'package.json'))) {
      if (folder === dirname(PEERS)) return;
      folder = dirname(folder);
    }
    const path = join(folder, 'node_modules', dependency);
    if (found.has(path)) return;
    found.add(path);
    const { dependencies = {} } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as {
      dependencies?: object;
    };
    for (const next of Object.keys(dependencies)) visit(next, path);
  };
  visit(name, dirname(PEERS));
  return sizeOf(found);
}
