/** Keeps tokens in PostgreSQL, encrypted, for several processes and machines. */
import { randomUUID } from 'node:crypto';
import { SealedValues } from './sealed-values';
import type { StoredValue, TokenStore, Unlock } from './token-store';

/**
 * The part that is used of a `Pool` of the package `pg` (8), or of a `PGlite`. You make it and end it.
 * A single `Client` makes one query at a time, and must not be inside a transaction: other processes
 * would not see its locks.
 */
export interface PostgresClient {
  query(text: string, values: unknown[]): Promise<{ rows: unknown[] }>;
}

export interface PostgresTokenStoreOptions {
  client: PostgresClient;
  /** Each of at least 32 characters; see {@link SealedValues} for how to change them. */
  secrets: readonly string[];
  /**
   * In front of the names of both tables; default `crm_oauth2_`. With a schema: `auth.crm_oauth2_`.
   * Deployments with other secrets need another.
   */
  prefix?: string;
}

const DEFAULT_PREFIX = 'crm_oauth2_';

/** A schema, and letters that need no folding. PostgreSQL cuts a name off after 63 bytes. */
const PREFIX = /^(?:(?<schema>[a-z_][a-z\d_]{0,62})\.)?(?<start>(?:[a-z_][a-z\d_]{0,39})?)$/;

/** A number of our own, for the lock under which the tables are created. */
const SCHEMA_LOCK = 1_668_443_503;

/** Pause between two removals of expired locks by one store. */
const CLEANING_PAUSE_MS = 60_000;

/** Expired locks that are removed at once. */
const CLEANED_AT_ONCE = 100;

/**
 * Another transaction came first, and PostgreSQL asks for the same query again. This happens where
 * `default_transaction_isolation` is stricter than `read committed`.
 */
const SERIALIZATION_FAILURE = '40001';

/** Attempts at one query. The second one sees the writes before which the first one failed. */
const ATTEMPTS = 5;

/**
 * Values are encrypted, and names are hashes. A lock is a row that ends by the clock of the database,
 * and only its holder removes it. No connection is kept between two queries, and each query is one
 * transaction, so that a pooler such as PgBouncer may stand between.
 *
 * Create the tables first, see {@link PostgresTokenStore.schema}.
 *
 * @example
 * const store = new PostgresTokenStore({ client: new Pool(), secrets: [secret] });
 */
export class PostgresTokenStore implements TokenStore {
  readonly #client: PostgresClient;
  readonly #values: SealedValues;
  readonly #sql: ReturnType<typeof statements>;
  #nextCleaning = 0;

  /** @throws {TypeError} without a client, when a secret is too short, or for a prefix of other letters */
  constructor({ client, secrets, prefix = DEFAULT_PREFIX }: PostgresTokenStoreOptions) {
    if (typeof Reflect.get(Object(client) as object, 'query') !== 'function') {
      throw new TypeError(
        'PostgresTokenStore: option "client" must be a Pool of the package "pg", or a PGlite',
      );
    }
    this.#client = client;
    this.#values = new SealedValues(secrets);
    this.#sql = statements(tablesOf(prefix));
  }

  /**
   * One statement that creates both tables unless they exist, for a migration or for the start of the
   * application. Several processes may run it at once.
   *
   * @param prefix as in the constructor
   * @throws {TypeError} for a prefix of other letters
   */
  static schema(prefix = DEFAULT_PREFIX): string {
    const { tokens, locks } = tablesOf(prefix);
    // Without turns, IF NOT EXISTS fails in one of two processes that start together. Under another
    // collation than "C", an upgrade of the operating system may break the indexes.
    return `DO $schema$
BEGIN
  PERFORM pg_advisory_xact_lock(${SCHEMA_LOCK});
  CREATE TABLE IF NOT EXISTS ${tokens} (
    name text COLLATE "C" PRIMARY KEY,
    sealed text NOT NULL
  );
  CREATE TABLE IF NOT EXISTS ${locks} (
    name text COLLATE "C" PRIMARY KEY,
    holder uuid NOT NULL,
    ends_at timestamptz NOT NULL
  );
END
$schema$;`;
  }

  async get(key: string): Promise<StoredValue | undefined> {
    const [row] = await this.#query(this.#sql.get, this.#values.nameOf(key));
    if (row === undefined) return undefined;
    const sealed = String(Reflect.get(Object(row) as object, 'sealed'));
    // A sealed value is its own version, because no two sealings are alike.
    return { value: await this.#values.open(key, sealed), version: sealed };
  }

  async set(key: string, value: string, version: string | undefined): Promise<string | undefined> {
    const name = this.#values.nameOf(key);
    const sealed = await this.#values.seal(key, value);
    const written =
      version === undefined
        ? await this.#query(this.#sql.create, name, sealed)
        : await this.#query(this.#sql.replace, name, sealed, version);
    return written.length === 1 ? sealed : undefined;
  }

  async delete(key: string): Promise<void> {
    await this.#query(this.#sql.delete, this.#values.nameOf(key));
  }

  async lock(key: string, milliseconds: number): Promise<Unlock | undefined> {
    const name = this.#values.nameOf(key);
    const holder = randomUUID();
    const taken = await this.#query(this.#sql.lock, name, holder, milliseconds);
    if (taken.length === 0) return undefined;
    return async () => {
      await this.#query(this.#sql.unlock, name, holder);
      await this.#clean();
    };
  }

  /** The next holder of a lock replaces the row of a killed process. This removes those without a next one. */
  async #clean(): Promise<void> {
    const now = performance.now();
    if (now < this.#nextCleaning) return;
    this.#nextCleaning = now + CLEANING_PAUSE_MS;
    await this.#query(this.#sql.clean, CLEANED_AT_ONCE);
  }

  async #query(text: string, ...values: unknown[]): Promise<unknown[]> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const { rows } = await this.#client.query(text, values);
        if (Array.isArray(rows)) return rows;
        throw new TypeError('the client answers a query with something other than { rows }');
      } catch (error) {
        const code: unknown = Reflect.get(Object(error) as object, 'code');
        if (code !== SERIALIZATION_FAILURE || attempt === ATTEMPTS) throw error;
      }
    }
  }
}

interface Tables {
  tokens: string;
  locks: string;
}

/** The names are a part of each statement, and so they are quoted. */
function tablesOf(prefix: string): Tables {
  const { schema, start } = (typeof prefix === 'string' && PREFIX.exec(prefix)?.groups) || {};
  if (start === undefined) {
    throw new TypeError(
      'PostgresTokenStore: option "prefix" must be at most 40 small letters, digits and underscores, with a schema and a dot before them at most',
    );
  }
  const named = (name: string) => `${schema === undefined ? '' : `"${schema}".`}"${start}${name}"`;
  return { tokens: named('tokens'), locks: named('token_locks') };
}

const statements = ({ tokens, locks }: Tables) => ({
  get: `SELECT sealed FROM ${tokens} WHERE name = $1`,
  create: `
    INSERT INTO ${tokens} (name, sealed) VALUES ($1, $2)
    ON CONFLICT (name) DO NOTHING RETURNING name`,
  replace: `UPDATE ${tokens} SET sealed = $2 WHERE name = $1 AND sealed = $3 RETURNING name`,
  delete: `DELETE FROM ${tokens} WHERE name = $1`,
  // One caller takes over a lock whose time is over; the others see its new end.
  lock: `
    INSERT INTO ${locks} AS held (name, holder, ends_at)
    VALUES ($1, $2, clock_timestamp() + $3 * interval '1 millisecond')
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, ends_at = excluded.ends_at
    WHERE held.ends_at <= clock_timestamp()
    RETURNING name`,
  // Compares the holder, because an expired lock may have another one.
  unlock: `DELETE FROM ${locks} WHERE name = $1 AND holder = $2`,
  // Waits for no other process. The time is compared again with the row that is deleted, since another
  // process may have taken the lock meanwhile.
  clean: `
    DELETE FROM ${locks} WHERE ends_at <= clock_timestamp() AND name = ANY(ARRAY(
      SELECT name FROM ${locks} WHERE ends_at <= clock_timestamp()
      LIMIT $1 FOR UPDATE SKIP LOCKED))`,
});
