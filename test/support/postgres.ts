/** A real PostgreSQL, for one suite: at a socket in a folder of its own, and at no port. */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const REMEDY = 'Install it: apt-get install postgresql.';

/** Debian keeps the programs of each version in a folder, and none of them in the path. */
const DEBIAN = '/usr/lib/postgresql';

/** PostgreSQL refuses to run as root. */
const NOBODY = 65_534;

const PORT = 5432;

function findPrograms(): string | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).map(Number) : [];
  const newestFirst = versions.toSorted((a, b) => b - a);
  const folders = [...newestFirst.map((version) => join(DEBIAN, String(version), 'bin')), ''];
  return folders.find((folder) => spawnSync(join(folder, 'initdb'), ['--version']).status === 0);
}

const PROGRAMS = findPrograms();

/** Skips the suite if there is no PostgreSQL. In CI it fails, since a skipped test would hide a failure. */
export function describeWithPostgres(title: string, suite: (this: Mocha.Suite) => void): void {
  if (PROGRAMS !== undefined || process.env.CI) describe(title, suite);
  else describe.skip(`${title} — skipped: there is no PostgreSQL server. ${REMEDY}`, suite);
}

export class PostgresServer {
  #process: ChildProcess | undefined;
  #folder = '';

  /** The options of a client of the package `pg`. */
  get address() {
    return { host: this.#folder, port: PORT, user: 'postgres', database: 'postgres' };
  }

  /** Starts it, or starts it again after {@link kill}, with the same data. */
  async start(): Promise<void> {
    if (PROGRAMS === undefined) throw new Error(`There is no PostgreSQL server. ${REMEDY}`);
    if (this.#folder === '') this.#create(PROGRAMS);
    const settings = {
      listen_addresses: '',
      unix_socket_directories: this.#folder,
      port: PORT,
      // The data outlives the server, and need not outlive the machine.
      fsync: 'off',
      max_connections: 50,
      shared_buffers: '8MB',
    };
    const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const server = spawn(join(PROGRAMS, 'postgres'), ['-D', this.#data, ...options], {
      ...this.#unprivileged,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#process = server;
    // Also when the tests end early.
    process.once('exit', this.#killNow);
    let said = '';
    for await (const text of server.stderr.iterator({ destroyOnReturn: false })) {
      said += String(text);
      if (said.includes('ready to accept connections')) break;
    }
    if (!said.includes('ready')) throw new Error(`PostgreSQL did not start: ${said}`);
    server.stderr.resume();
  }

  /** Ends it at once and without a checkpoint, as when a machine fails. */
  async kill(): Promise<void> {
    const server = this.#process;
    if (!server) return;
    const exited = once(server, 'exit');
    this.#killNow();
    await exited;
    this.#process = undefined;
    process.removeListener('exit', this.#killNow);
  }

  async close(): Promise<void> {
    await this.kill();
    if (this.#folder !== '') await rm(this.#folder, { recursive: true });
  }

  #create(programs: string): void {
    this.#folder = mkdtempSync(join(tmpdir(), 'crm-login-postgres-'));
    if (this.#isRoot) chownSync(this.#folder, NOBODY, NOBODY);
    const options = ['--username=postgres', '--auth=trust', '--locale=C', '--encoding=UTF8'];
    const { status, stderr } = spawnSync(
      join(programs, 'initdb'),
      ['-D', this.#data, '--no-sync', ...options],
      this.#unprivileged,
    );
    if (status !== 0) throw new Error(`initdb failed: ${String(stderr)}`);
  }

  get #data(): string {
    return join(this.#folder, 'data');
  }

  get #isRoot(): boolean {
    return process.getuid?.() === 0;
  }

  get #unprivileged(): SpawnOptions {
    const user = this.#isRoot ? { uid: NOBODY, gid: NOBODY } : {};
    return { ...user, cwd: this.#folder };
  }

  /** The server ends its processes itself, which SIGKILL would leave behind. */
  readonly #killNow = () => {
    this.#process?.kill('SIGQUIT');
  };
}
