/** A database for each example of a test: a schema of its own, in one PostgreSQL that this process embeds. */
import { PGlite } from '@electric-sql/pglite';
import { useDatabase } from '../../examples/express-login/dist/database';
import type { Database } from '../../examples/express-login/dist/database';
import { EmbeddedPool } from '../../examples/express-login/dist/embedded';

let shared: Promise<EmbeddedPool> | undefined;
let count = 0;

function sharedPool(): Promise<EmbeddedPool> {
  shared ??= PGlite.create().then((database) => new EmbeddedPool(database));
  return shared;
}

before(async function () {
  // It takes five seconds of CPU time.
  this.timeout(60_000);
  await sharedPool();
});

after(async () => {
  await (await shared)?.end();
});

/** One connection for all of them, on which each looks at its own schema. */
class SchemaPool extends EmbeddedPool {
  constructor(
    readonly pool: EmbeddedPool,
    readonly schema: string,
  ) {
    super({ query: () => Promise.reject(new Error('unused')), close: () => Promise.resolve() });
  }

  override async connect() {
    const connection = await this.pool.connect();
    await connection.query(`SET search_path TO ${this.schema}`);
    return connection;
  }

  override end(): Promise<void> {
    return Promise.resolve();
  }
}

export async function newDatabase(): Promise<Database> {
  const pool = await sharedPool();
  count += 1;
  const schema = `example_${count}`;
  await pool.query(`CREATE SCHEMA ${schema}`, []);
  return await useDatabase(new SchemaPool(pool, schema));
}
