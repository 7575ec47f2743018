/** The packages as npm would publish them, and projects that use them as an application does. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { PACKAGES, ROOT } from '../support/packages';

const execute = promisify(execFile);

export interface Packed {
  name: string;
  /** Absolute. */
  tarball: string;
  /** With slashes, relative to the package. */
  files: string[];
}

export async function temporaryFolder(): Promise<string> {
  return await mkdtemp(join(tmpdir(), 'crm-login-'));
}

/** Runs the npm that runs this test, or the one in the path. */
async function npm(parameters: string[]): Promise<string> {
  const script = process.env.npm_execpath;
  const [file, first] =
    script !== undefined && existsSync(script) && /\.[cm]?js$/.test(script)
      ? [process.execPath, [script]]
      : ['npm', []];
  const { stdout } = await execute(file, [...first, ...parameters], {
    cwd: ROOT,
    shell: file === 'npm' && process.platform === 'win32',
    maxBuffer: 16 * 1024 * 1024,
  });
  return stdout;
}

/** Packs every package into a folder, without asking a registry. */
export async function pack(folder: string): Promise<Packed[]> {
  const json = await npm([
    'pack',
    ...PACKAGES.map(({ name }) => `--workspace=${name}`),
    `--pack-destination=${folder}`,
    '--json',
    '--offline',
    '--ignore-scripts',
    '--loglevel=error',
    '--update-notifier=false',
  ]);
  const packed = JSON.parse(json) as {
    name: string;
    filename: string;
    files: { path: string }[];
  }[];
  return packed.map(({ name, filename, files }) => ({
    name,
    tarball: join(folder, filename),
    files: files.map(({ path }) => path),
  }));
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
