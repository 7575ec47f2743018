/** The rate limit of logins, counted in the database, so that all instances count together. */
import { createHash } from 'node:crypto';
import type { RequestHandler } from 'express';
import { rateLimit } from 'express-rate-limit';
import type { ClientRateLimitInfo, Store } from 'express-rate-limit';
import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import { tooManyPage } from './pages';
import type { Tables } from './tables';

const WINDOW_MS = 5 * 60 * 1000;
const REQUESTS = 300;

export function limitLogins(db: Kysely<Tables>): RequestHandler {
  return rateLimit({
    windowMs: WINDOW_MS,
    limit: REQUESTS,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    store: new DatabaseCounts(db),
    handler: (_req, res, _next, { statusCode }) => {
      const seconds = Number(res.get('Retry-After'));
      res.status(statusCode).send(tooManyPage(seconds));
    },
  });
}

class DatabaseCounts implements Store {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  /** One statement: two instances that count at once both count. */
  async increment(address: string): Promise<ClientRateLimitInfo> {
    const end = new Date(Date.now() + WINDOW_MS);
    const { hits, ends_at: resetTime } = await this.#db
      .insertInto('rate_limits')
      .values({ name: hashOf(address), hits: 1, ends_at: end })
      .onConflict((conflict) =>
        conflict.column('name').doUpdateSet({
          hits: sql`CASE WHEN rate_limits.ends_at <= now() THEN 1 ELSE rate_limits.hits + 1 END`,
          ends_at: sql`CASE WHEN rate_limits.ends_at <= now() THEN excluded.ends_at ELSE rate_limits.ends_at END`,
        }),
      )
      .returning(['hits', 'ends_at'])
      .executeTakeFirstOrThrow();
    return { totalHits: hits, resetTime };
  }

  async decrement(address: string): Promise<void> {
    await this.#db
      .updateTable('rate_limits')
      .set({ hits: sql`hits - 1` })
      .where('name', '=', hashOf(address))
      .execute();
  }

  async resetKey(address: string): Promise<void> {
    await this.#db.deleteFrom('rate_limits').where('name', '=', hashOf(address)).execute();
  }
}

export async function removeOldCounts(db: Kysely<Tables>): Promise<void> {
  await db.deleteFrom('rate_limits').where('ends_at', '<', new Date()).execute();
}

/** The table keeps no addresses of people. */
function hashOf(address: string): string {
  return createHash('sha256').update(`rate limit ${address}`).digest('base64url');
}
