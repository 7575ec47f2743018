/** The packages as npm would publish them, and projects that use them as an application does. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { PACKAGES, ROOT } from '../support/packages';
import type { Package } from '../support/packages';

const execute = promisify(execFile);

export interface Packed {
  name: string;
  /** Absolute. */
  tarball: string;
  /** With slashes, relative to the package. */
  files: string[];
}

type Staged = Omit<Packed, 'tarball'>;

const release = require('../../scripts/pack.js') as {
  stage: (root: string, packages: readonly Package[], into: string) => Promise<Staged[]>;
  pack: (staged: readonly Staged[], destination: string) => Promise<Packed[]>;
};

export async function temporaryFolder(): Promise<string> {
  return await mkdtemp(join(tmpdir(), 'crm-login-'));
}

/** Packs every package into a folder as a release does, without asking a registry. */
export async function pack(folder: string): Promise<Packed[]> {
  return await release.pack(await release.stage(ROOT, PACKAGES, join(folder, 'staged')), folder);
}

/** Makes a project whose `node_modules` has the packed packages, and links to what they need. */
export async function createProject(
  folder: string,
  packed: readonly Packed[],
  thirdParty: readonly string[],
): Promise<void> {
  for (const { name, tarball } of packed) {
    const target = join(folder, 'node_modules', name);
    await mkdir(target, { recursive: true });
    await execute('tar', ['-xzf', tarball, '-C', target, '--strip-components=1']);
  }
  for (const name of thirdParty) {
    const link = join(folder, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(ROOT, 'node_modules', name), link, 'junction');
  }
}

export async function remove(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

export interface Finished {
  status: number;
  output: string;
}

/** Runs a script to its end, and returns its output, on failure too. */
export async function runNode(folder: string, parameters: string[]): Promise<Finished> {
  try {
    const { stdout, stderr } = await execute(process.execPath, parameters, { cwd: folder });
    return { status: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { status: code, output: stdout + stderr };
  }
}

/** Writes a script into the project, runs it, and reads the JSON it prints. */
export async function evaluate(folder: string, file: string, code: string): Promise<unknown> {
  await writeFile(join(folder, file), code);
  const { status, output } = await runNode(folder, ['--no-warnings', file]);
  if (status !== 0) throw new Error(output);
  return JSON.parse(output);
}

/** Type-checks files of the project with the compiler of this repository. */
export async function typeCheck(
  folder: string,
  files: Record<string, string>,
  compilerOptions: Record<string, unknown>,
): Promise<Finished> {
  for (const [file, code] of Object.entries(files)) await writeFile(join(folder, file), code);
  const config = {
    compilerOptions: {
      target: 'es2022',
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      types: ['node'],
      ...compilerOptions,
    },
    files: Object.keys(files),
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  return await runNode(folder, [tsc, '-p', '.']);
}
