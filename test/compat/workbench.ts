/** Packs the packages, and makes projects that install them, in a temporary folder outside the repository. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pack } from '../packaging/project';
import type { Packed } from '../packaging/project';
import { run } from './process';
import type { Finished, RunOptions } from './process';
import { LOGGED_IN, programs } from './sources';
import type { Form } from './sources';

const INSTALL_LIMIT_MINUTES = 8;
const REASON_CHARACTERS = 300;

/** The installed packages that an application has besides those of this repository. */
export const APPLICATION = ['express@5', 'passport@0.7'];
const EMULATOR = 'crm-emulator';

/** A step that failed: what a person needs to see. */
export class StepFailed extends Error {}

/** A cell that cannot run on this machine. */
export class NotTried extends Error {}

/** The lines of an output that say why, without the paths of the temporary folder. */
function reasonIn(output: string, folder: string): string {
  const lines = output
    .replaceAll(folder, '')
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  const error = lines.findIndex((line) => /\berror\b|Error:|✖|✘/i.test(line));
  return lines.slice(Math.max(0, error)).join(' ').slice(0, REASON_CHARACTERS);
}

/** Fails when the program did. */
export function expectSuccess(finished: Finished, folder: string): Finished {
  if (finished.status === 0) return finished;
  throw new StepFailed(reasonIn(finished.output, folder) || `It ended with ${finished.status}.`);
}

/** Fails when the output does not show the three logins. */
export function expectLogins(finished: Finished, folder: string): void {
  const { stdout } = expectSuccess(finished, folder);
  if (!stdout.split('\n').some((line) => line.trim() === LOGGED_IN)) {
    throw new StepFailed(`The program printed no logins: ${reasonIn(finished.output, folder)}`);
  }
}

/** A folder with a package.json, like that of an application. */
export class Project {
  constructor(readonly folder: string) {}

  write(files: Readonly<Record<string, string>>): void {
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.folder, file)), { recursive: true });
      writeFileSync(join(this.folder, file), text);
    }
  }

  writePrograms(form: Form): void {
    this.write(programs(form));
  }

  async run(file: string, parameters: string[], options: Partial<RunOptions> = {}) {
    return await run(file, parameters, { cwd: this.folder, ...options });
  }

  /** @param parameters of Node, such as a file */
  async node(parameters: string[], options: Partial<RunOptions> = {}): Promise<Finished> {
    return await this.run(process.execPath, parameters, options);
  }

  /** A file of an installed package. */
  installed(path: string): string {
    return join(this.folder, 'node_modules', path);
  }

  versionOf(name: string): string {
    const text = readFileSync(this.installed(`${name}/package.json`), 'utf8');
    return (JSON.parse(text) as { version: string }).version;
  }

  /** @param scripts true for packages that fetch a program when they are installed */
  async install(specifiers: readonly string[], scripts = false): Promise<void> {
    const finished = await this.run(
      'npm',
      [
        'install',
        '--prefer-offline',
        '--no-audit',
        '--no-fund',
        '--update-notifier=false',
        '--loglevel=error',
        ...(scripts ? [] : ['--ignore-scripts']),
        ...specifiers,
      ],
      { minutes: INSTALL_LIMIT_MINUTES },
    );
    if (finished.status !== 0) {
      throw new NotTried(`npm cannot install it: ${reasonIn(finished.output, this.folder)}`);
    }
  }
}

export class Workbench {
  readonly #tools = new Map<string, Promise<Project>>();
  #provider: Promise<Project> | undefined;
  #projects = 0;

  private constructor(
    readonly folder: string,
    readonly packed: readonly Packed[],
  ) {}

  static async create(): Promise<Workbench> {
    const folder = mkdtempSync(join(tmpdir(), 'crm-login-compat-'));
    try {
      return new Workbench(folder, await pack(folder));
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  get tarballs(): string[] {
    return this.packed.map(({ tarball }) => tarball);
  }

  /** An empty project. */
  emptyProject(manifest: object = {}): Project {
    this.#projects += 1;
    const project = new Project(join(this.folder, `project-${this.#projects}`));
    project.write({ 'package.json': JSON.stringify({ private: true, ...manifest }) });
    return project;
  }

  /** A project with the packages, and further ones. */
  async project(
    specifiers: readonly string[],
    { manifest = {}, application = APPLICATION } = {},
  ): Promise<Project> {
    const project = this.emptyProject(manifest);
    await project.install([...this.tarballs, ...application, ...specifiers]);
    return project;
  }

  /** A project that has the emulator alone: a bundle that runs in it finds no other package of the family. */
  async providerProject(): Promise<Project> {
    this.#provider ??= (async () => {
      const project = this.emptyProject();
      await project.install(
        this.packed.filter(({ name }) => name === EMULATOR).map(({ tarball }) => tarball),
      );
      return project;
    })();
    return await this.#provider;
  }

  /** A project with one program, which its install script fetches. */
  async tool(specifier: string): Promise<Project> {
    const known = this.#tools.get(specifier);
    if (known) return await known;
    const made = (async () => {
      const project = this.emptyProject();
      await project.install([specifier], true);
      return project;
    })();
    this.#tools.set(specifier, made);
    return await made;
  }

  /** The path of a Node of another major version. */
  async node(major: string): Promise<string> {
    return (await this.tool(`node@${major}`)).installed('node/bin/node');
  }
}
