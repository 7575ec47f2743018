/** A real Redis on a local port, without persistence, in a folder that ends with it. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { portOf } from '../login/app-parts';

const START_LIMIT_MS = 30_000;

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  const port = await portOf(server);
  server.close();
  await once(server, 'close');
  return port;
}

export class Redis {
  readonly #folder = mkdtempSync(join(tmpdir(), 'crm-login-bench-redis-'));
  #process: ChildProcess | undefined;
  port = 0;

  async start(): Promise<this> {
    this.port = await freePort();
    const options = ['--bind', '127.0.0.1', '--port', String(this.port), '--dir', this.#folder];
    const redis = spawn('redis-server', [...options, '--save', '', '--appendonly', 'no'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#process = redis;
    const failed = once(redis, 'exit').then((): never => {
      throw new Error('redis-server has ended');
    });
    failed.catch(() => undefined);
    const ready = (async () => {
      for await (const text of redis.stdout.iterator({ destroyOnReturn: false })) {
        if (/ready to accept connections/i.test(String(text))) return;
      }
    })();
    const late = AbortSignal.timeout(START_LIMIT_MS);
    const isLate = once(late, 'abort').then((): never => {
      throw new Error('redis-server does not start');
    });
    isLate.catch(() => undefined);
    await Promise.race([ready, failed, isLate]);
    redis.stdout.resume();
    return this;
  }

  close(): void {
    this.#process?.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
