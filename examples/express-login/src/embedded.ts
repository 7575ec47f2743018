/** PostgreSQL inside this process, in a folder: for one process, with nothing to install. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { createServer, connect as connectTo } from 'node:net';
import type { Server } from 'node:net';
import { join, relative } from 'node:path';
import { ConfigError } from './config-error';

/** The part of a PGlite that is used. */
interface EmbeddedDatabase {
  query(text: string, values: unknown[]): Promise<{ rows: unknown[]; affectedRows?: number }>;
  close(): Promise<void>;
}

interface Answer<Row> {
  command: 'SELECT';
  rowCount: number;
  rows: Row[];
}

/**
 * A pool with one connection, for Kysely and for the token store. A transaction keeps the connection, so
 * that no other query gets into it.
 */
export class EmbeddedPool {
  readonly #database: EmbeddedDatabase;
  #free: Promise<void> = Promise.resolve();

  constructor(database: EmbeddedDatabase) {
    this.#database = database;
  }

  async connect() {
    const before = this.#free;
    let release!: () => void;
    this.#free = new Promise((resolve) => {
      release = resolve;
    });
    await before;
    return {
      release,
      query: async <Row>(text: unknown, values: readonly unknown[] = []): Promise<Answer<Row>> => {
        const answer = await this.#database.query(String(text), [...values]);
        const { affectedRows = 0 } = answer;
        const rows = answer.rows as Row[];
        // Kysely counts the rows of the commands that change some.
        return {
          command: String(text).trim().split(/\s/)[0]?.toUpperCase() as 'SELECT',
          rowCount: affectedRows,
          rows,
        };
      },
    };
  }

  async query(text: string, values: unknown[]): Promise<{ rows: unknown[] }> {
    const connection = await this.connect();
    try {
      return await connection.query(text, values);
    } finally {
      connection.release();
    }
  }

  async end(): Promise<void> {
    await this.connect();
    await this.#database.close();
  }
}

/** @throws {ConfigError} when another process has the folder open */
export async function openEmbedded(folder: string): Promise<EmbeddedPool> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const lock = await lockFolder(folder);
  // Loaded only here: with DATABASE_URL it is not needed.
  const { PGlite } = await import('@electric-sql/pglite');
  const pool = new EmbeddedPool(await PGlite.create({ dataDir: folder }));
  const end = pool.end.bind(pool);
  pool.end = async () => {
    await end();
    lock.close();
  };
  return pool;
}

/**
 * Two processes would destroy the files. A process that is killed gives its socket back, so that no lock
 * stays behind, as a file with its number would.
 */
async function lockFolder(folder: string, isSecondTry = false): Promise<Server> {
  const address = socketOf(folder);
  const lock = createServer((socket) => socket.destroy());
  try {
    await once(lock.listen(address), 'listening');
    return lock.unref();
  } catch (error) {
    if (Reflect.get(Object(error), 'code') !== 'EADDRINUSE') throw error;
    if (isSecondTry || (await isAnswered(address))) {
      throw new ConfigError(
        `Another process has the database in ${folder} open. End it, or set DATABASE_URL to a PostgreSQL server, which serves any number of processes.`,
      );
    }
    rmSync(address, { force: true });
    return await lockFolder(folder, true);
  }
}

/** The shorter name of the same file: the names of sockets have 100 characters or so. */
function socketOf(folder: string): string {
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 16);
  if (process.platform === 'win32') return `\\\\.\\pipe\\express-login-${name}`;
  const file = join(folder, '..', 'open.sock');
  const shorter = relative('', file);
  return shorter.length < file.length ? shorter : file;
}

async function isAnswered(address: string): Promise<boolean> {
  const socket = connectTo(address);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
