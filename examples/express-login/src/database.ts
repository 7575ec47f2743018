/** The database: PostgreSQL where `DATABASE_URL` names one, else one that is embedded in this process. */
import { join } from 'node:path';
import { Kysely, PostgresDialect } from 'kysely';
import type { PostgresPool } from 'kysely';
import type { PostgresClient } from 'crm-oauth2';
import { Pool } from 'pg';
import { openEmbedded } from './embedded';
import type { EmbeddedPool } from './embedded';
import type { Logger } from './log';
import { migrate } from './migrations';
import type { Tables } from './tables';

export interface Database {
  /** For the application's own tables. */
  db: Kysely<Tables>;
  /** For the token store. */
  client: PostgresClient;
  close(): Promise<void>;
}

/** Longer than any query here takes; a server that does not answer must not hold a request. */
const TIMEOUT_MS = 10_000;

/** @param folder of the embedded database; `DATABASE_URL` makes it unused */
export async function openDatabase(
  url: string | undefined,
  folder: string,
  log: Logger,
): Promise<Database> {
  if (url === undefined) return await useDatabase(await openEmbedded(join(folder, 'database')));
  const pool = new Pool({
    connectionString: url,
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
  });
  // Without a listener, a connection that is lost while it is idle would end the process.
  pool.on('error', (error) => log.error(`database: ${error.message}`));
  return await useDatabase(pool);
}

/** Brings the tables up to date. */
export async function useDatabase(pool: Pool | EmbeddedPool): Promise<Database> {
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: pool as PostgresPool }) });
  try {
    await migrate(db);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return { db, client: pool, close: () => db.destroy() };
}
