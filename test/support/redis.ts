/** A real Redis, for one suite: on a free port of this machine, in a folder of its own. */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from './free-ports';

const REMEDY = 'Install it: apt-get install redis-server.';
const isInstalled = spawnSync('redis-server', ['--version']).status === 0;

/** Skips the suite if there is no Redis. In CI it fails, since a skipped test would hide a failure. */
export function describeWithRedis(title: string, suite: (this: Mocha.Suite) => void): void {
  if (isInstalled || process.env.CI) describe(title, suite);
  else describe.skip(`${title} — skipped: there is no redis-server. ${REMEDY}`, suite);
}

export class RedisServer {
  #process: ChildProcess | undefined;
  #port = 0;
  #folder = '';

  /** @param keeps true if the data outlives {@link kill} */
  constructor(readonly keeps = false) {}

  get url(): string {
    return `redis://127.0.0.1:${this.#port}`;
  }

  /** Starts it, or starts it again after {@link kill}, on the same port. */
  async start(): Promise<void> {
    if (!isInstalled) throw new Error(`There is no redis-server. ${REMEDY}`);
    this.#port ||= await freePorts();
    this.#folder ||= await mkdtemp(join(tmpdir(), 'crm-login-redis-'));
    const keeping = ['--save', '', '--appendonly', this.keeps ? 'yes' : 'no'];
    const server = spawn(
      'redis-server',
      ['--bind', '127.0.0.1', '--port', `${this.#port}`, '--dir', this.#folder, ...keeping],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    this.#process = server;
    // Also when the tests end early.
    process.once('exit', this.#killNow);
    let said = '';
    for await (const text of server.stdout.iterator({ destroyOnReturn: false })) {
      said += String(text);
      if (said.includes('Ready to accept connections')) break;
    }
    if (!said.includes('Ready')) throw new Error(`redis-server did not start: ${said}`);
    server.stdout.resume();
  }

  /** Stops answering until {@link resume}. Connections stay open. */
  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  /** Ends it at once, as when a machine fails. */
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

  readonly #killNow = () => {
    this.#process?.kill('SIGKILL');
  };
}
