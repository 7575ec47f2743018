/** A copy of this checkout in a temporary folder, with a `node_modules` of links. */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { ROOT } from './packages';

/** Where each command of a clone finds the programs of its packages. */
const BIN = join('node_modules', '.bin');

/** The result of a command. */
export interface Ran {
  status: number | null;
  /** Both streams. */
  output: string;
}

/** Runs a command line in a clone, as npm would. */
export function runIn(folder: string, command: string): Ran {
  const { status, stdout, stderr } = spawnSync(command, {
    cwd: folder,
    shell: true,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, PATH: `${join(folder, BIN)}${delimiter}${process.env.PATH ?? ''}` },
  });
  return { status, output: stdout + stderr };
}

const linesOf = (folder: string, command: string) =>
  runIn(folder, command)
    .output.split('\n')
    .filter((line) => line !== '');

/** Copies the files of the checkout, and the outputs of its builds, so that a clone builds in no time. */
export function cloneCheckout(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'crm-login-clone-')));
  const files = linesOf(ROOT, 'git ls-files --cached --others --exclude-standard');
  for (const file of files.filter((name) => existsSync(join(ROOT, name)))) copy(folder, file);
  const ignored = 'git ls-files --others --ignored --exclude-standard --directory';
  for (const name of linesOf(ROOT, ignored)) {
    if (/(?:\b(?:dist|lib|build)\/|\.tsbuildinfo)$/.test(name) && !name.includes('node_modules')) {
      copy(folder, name);
    }
  }
  linkModules(folder);
  // The index remembers how the copy was.
  runIn(folder, 'git init --quiet && git add --all');
  return folder;
}

/** Keeps the times of files, by which the compiler decides what to build. */
function copy(folder: string, name: string): void {
  const target = join(folder, name);
  mkdirSync(dirname(target), { recursive: true });
  cpSync(join(ROOT, name), target, { recursive: true, preserveTimestamps: true });
}

/** Third-party packages are those of the checkout, the family's packages are those of the clone. */
function linkModules(folder: string): void {
  const modules = join(ROOT, 'node_modules');
  const names = readdirSync(modules).flatMap((name) =>
    name.startsWith('@') ? readdirSync(join(modules, name)).map((one) => `${name}/${one}`) : [name],
  );
  for (const name of names) {
    const real = realpathSync(join(modules, name));
    if (!real.startsWith(modules)) linkPackage(folder, name, real.replace(ROOT, folder));
    // npm wrote it at the end of the installation.
    else if (name === '.package-lock.json') copyFileSync(real, join(folder, 'node_modules', name));
    else linkPackage(folder, name, real);
  }
}

function linkPackage(folder: string, name: string, target: string): void {
  const link = join(folder, 'node_modules', name);
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(target, link, 'junction');
}

/** Installs a package that was added to a clone, as npm does with a workspace. */
export function installPackage(folder: string, path: string): void {
  const manifest = readFileSync(join(folder, path, 'package.json'), 'utf8');
  linkPackage(folder, (JSON.parse(manifest) as { name: string }).name, join(folder, path));
}

/** The files of a clone that differ from those that were copied. */
export function changedFiles(folder: string): string[] {
  return [
    ...linesOf(folder, 'git diff --name-only'),
    ...linesOf(folder, 'git ls-files --others --exclude-standard'),
  ].toSorted();
}
