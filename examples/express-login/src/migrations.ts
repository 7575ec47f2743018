/** The tables, step by step. Each instance runs them at its start, and they take turns. */
import { PostgresTokenStore } from 'crm-oauth2';
import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import type { Tables } from './tables';

/** By name, in their order. Add new ones at the end, and change none that has run anywhere. */
const MIGRATIONS: Record<string, string[]> = {
  '0001 accounts, connections, sessions, tokens': [
    `CREATE TABLE accounts (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      display_name text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now()
    )`,
    `CREATE TABLE connections (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
      provider text NOT NULL,
      person_id text NOT NULL,
      display_name text NOT NULL,
      email text,
      email_verified boolean,
      photo text,
      organization text,
      environment text,
      connected_at timestamptz NOT NULL DEFAULT now(),
      access_until timestamptz,
      has_refresh_token boolean NOT NULL,
      used_at timestamptz,
      error_code text,
      error_message text,
      error_hint text,
      error_at timestamptz,
      UNIQUE (provider, person_id)
    )`,
    `CREATE INDEX connections_of_account ON connections (account_id)`,
    `CREATE TABLE sessions (
      id text PRIMARY KEY,
      data text NOT NULL,
      expires_at timestamptz NOT NULL
    )`,
    `CREATE INDEX sessions_by_end ON sessions (expires_at)`,
    PostgresTokenStore.schema(),
  ],
  '0002 rate limits': [
    `CREATE TABLE rate_limits (
      name text PRIMARY KEY,
      hits integer NOT NULL,
      ends_at timestamptz NOT NULL
    )`,
  ],
};

/** A number of our own, for the lock under which they run. */
const MIGRATION_LOCK = 1_207_318_417;

/** All in one transaction: an instance that fails, or is killed, leaves the database as it was. */
export async function migrate(db: Kysely<Tables>): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    await sql`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`.execute(transaction);
    await sql`CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY)`.execute(transaction);
    const rows = await transaction.selectFrom('migrations').select('name').execute();
    const names = new Set(rows.map(({ name }) => name));
    for (const [name, statements] of Object.entries(MIGRATIONS)) {
      if (names.has(name)) continue;
      for (const statement of statements) await sql.raw(statement).execute(transaction);
      await transaction.insertInto('migrations').values({ name }).execute();
    }
  });
}
