/**
 * A Redis that is killed and started again, with the same data: it writes each command to its file before
 * it answers, so that no acknowledged write is lost.
 */
'use strict';
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { join } = require('node:path');
const { createClient } = require('redis');
const { START_LIMIT_MS, ended, own, pause, within } = require('./processes');

/** Between two pings. One that takes longer than the limit counts as a stall of Redis. */
const PING_EVERY_MS = 50;
const SLOW_PING_MS = 50;

class Redis {
  /** When it was away, from the kill until it was ready again. */
  outages = [];
  stalls = [];
  /** It listens on a socket in its folder, and on no port. */
  path;
  #folder;
  #process;
  #client;
  #pinging;

  constructor(folder) {
    this.#folder = folder;
    this.path = join(folder, 'redis.sock');
  }

  async start() {
    const files = ['--dir', this.#folder, '--save', '', '--appendonly', 'yes'];
    const options = ['--port', '0', '--unixsocket', this.path, '--appendfsync', 'no', ...files];
    const redis = own(spawn('redis-server', options, { stdio: ['ignore', 'pipe', 'inherit'] }));
    this.#process = redis;
    const ready = (async () => {
      redis.stdout.setEncoding('utf8');
      for await (const text of redis.stdout.iterator({ destroyOnReturn: false })) {
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
  async interrupt(milliseconds) {
    const outage = { from: Date.now(), to: Infinity };
    this.outages.push(outage);
    this.#process.kill('SIGKILL');
    await ended(this.#process);
    await pause(milliseconds);
    await this.start();
    outage.to = Date.now();
  }

  /** Measures how fast it answers, until the end. */
  async watch() {
    this.#client = createClient({ socket: { path: this.path, reconnectStrategy: () => 50 } });
    this.#client.on('error', () => undefined);
    await this.#client.connect();
    this.#pinging = setInterval(() => void this.#ping(), PING_EVERY_MS);
  }

  async #ping() {
    const from = Date.now();
    await this.#client.ping().catch(() => undefined);
    const to = Date.now();
    if (to - from > SLOW_PING_MS) this.stalls.push({ from, to });
  }

  /** Removes the locks of processes that have ended, unless they have passed to another holder. */
  async removeLocks(locks) {
    const script = `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end`;
    for (const { name, holder } of locks) {
      await this.#client.eval(script, { keys: [name], arguments: [holder] });
    }
  }

  async end() {
    clearInterval(this.#pinging);
    await this.#client.close();
  }
}

module.exports = { Redis };
