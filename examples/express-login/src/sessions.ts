/** Sessions in the database: they outlive the process, and every instance knows them. */
import { createHash } from 'node:crypto';
import type { SessionData } from 'express-session';
import { Store } from 'express-session';
import type { Kysely } from 'kysely';
import type { Tables } from './tables';

type Done = (error?: unknown) => void;

/** A session whose end moves by less is not written again. */
const TOUCH_MS = 60_000;

export class DatabaseSessions extends Store {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    super();
    this.#db = db;
  }

  override get(id: string, done: (error: unknown, session?: SessionData | null) => void): void {
    this.#db
      .selectFrom('sessions')
      .select('data')
      .where('id', '=', hashOf(id))
      .where('expires_at', '>', new Date())
      .executeTakeFirst()
      .then((row) => done(null, row ? (JSON.parse(row.data) as SessionData) : null), done);
  }

  override set(id: string, session: SessionData, done: Done = () => undefined): void {
    const row = { data: JSON.stringify(session), expires_at: endOf(session) };
    this.#db
      .insertInto('sessions')
      .values({ id: hashOf(id), ...row })
      .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
      .execute()
      .then(() => done(), done);
  }

  override touch(id: string, session: SessionData, done: Done = () => undefined): void {
    const end = endOf(session);
    this.#db
      .updateTable('sessions')
      .set({ expires_at: end })
      .where('id', '=', hashOf(id))
      .where('expires_at', '<', new Date(end.getTime() - TOUCH_MS))
      .execute()
      .then(() => done(), done);
  }

  override destroy(id: string, done: Done = () => undefined): void {
    this.#db
      .deleteFrom('sessions')
      .where('id', '=', hashOf(id))
      .execute()
      .then(() => done(), done);
  }
}

/** Sessions that are over are never read. This removes them. */
export async function removeOldSessions(db: Kysely<Tables>): Promise<void> {
  await db.deleteFrom('sessions').where('expires_at', '<', new Date()).execute();
}

function hashOf(id: string): string {
  return createHash('sha256').update(id).digest('base64url');
}

function endOf({ cookie }: SessionData): Date {
  return cookie.expires ? new Date(cookie.expires) : new Date(Date.now() + (cookie.maxAge ?? 0));
}
