/**
 * A Redis that is killed and started again, with the same data: it writes each command to its file before
 * it answers, so that no acknowledged write is lost.
 */
import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { createClient } from 'redis';
import type { LockFact, Span } from './evidence';
import { START_LIMIT_MS, ended, own, pause, within } from './processes';

/** Between two pings. One that takes longer than the limit counts as a stall of Redis. */
const PING_EVERY_MS = 50;
const SLOW_PING_MS = 50;
const RECONNECT_MS = 50;

const clientAt = (path: string) =>
  createClient({ socket: { path, tls: false, reconnectStrategy: () => RECONNECT_MS } });

export class Redis {
  /** When it was away, from the kill until it was ready again. */
  readonly outages: Span[] = [];
  readonly stalls: Span[] = [];
  /** It listens on a socket in its folder, and on no port. */
  readonly path: string;
  readonly #folder: string;
  #process: ChildProcessByStdio<null, Readable, null> | undefined;
  #client: ReturnType<typeof clientAt> | undefined;
  #pinging: NodeJS.Timeout | undefined;

  constructor(folder: string) {
    this.#folder = folder;
    this.path = join(folder, 'redis.sock');
  }

  async start(): Promise<void> {
    const files = ['--dir', this.#folder, '--save', '', '--appendonly', 'yes'];
    const options = ['--port', '0', '--unixsocket', this.path, '--appendfsync', 'no', ...files];
    const redis = own(spawn('redis-server', options, { stdio: ['ignore', 'pipe', 'inherit'] }));
    this.#process = redis;
    const ready = (async () => {
      redis.stdout.setEncoding('utf8');
      for await (const text of redis.stdout.iterator({
        destroyOnReturn: false,
      }) as AsyncIterable<string>) {
        if (/ready to accept connections/i.test(text)) break;
      }
    })();
    const failed = once(redis, 'exit').then(() => {
      throw new Error('redis-server has ended');
    });
    failed.catch(() => undefined);
    await within(START_LIMIT_MS, 'redis-server', Promise.race([ready, failed]));
    redis.stdout.resume();
  }

  /** Kills it, and starts it again after some time. */
  async interrupt(milliseconds: number): Promise<void> {
    const outage = { from: Date.now(), to: Infinity };
    this.outages.push(outage);
    const running = this.#process;
    if (!running) return;
    running.kill('SIGKILL');
    await ended(running);
    await pause(milliseconds);
    await this.start();
    outage.to = Date.now();
  }

  /** Measures how fast it answers, until the end. */
  async watch(): Promise<void> {
    const client = clientAt(this.path);
    client.on('error', () => undefined);
    await client.connect();
    this.#client = client;
    this.#pinging = setInterval(() => void this.#ping(), PING_EVERY_MS);
  }

  async #ping(): Promise<void> {
    const from = Date.now();
    await this.#client?.ping().catch(() => undefined);
    const to = Date.now();
    if (to - from > SLOW_PING_MS) this.stalls.push({ from, to });
  }

  /** Removes the locks of processes that have ended, unless they have passed to another holder. */
  async removeLocks(locks: readonly LockFact[]): Promise<void> {
    const script = `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end`;
    for (const { name, holder } of locks) {
      await this.#client?.eval(script, { keys: [name], arguments: [holder] });
    }
  }

  async end(): Promise<void> {
    clearInterval(this.#pinging);
    await this.#client?.close();
  }
}
