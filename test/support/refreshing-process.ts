/** A process of its own that asks for one person's tokens, with a store in PostgreSQL. */
import { PostgresTokenStore } from 'crm-oauth2';
import { Pool } from 'pg';
import type { PoolConfig } from 'pg';
import { PERSON, SECRET, personIn } from './stored-person';

/** The argument of the program, as JSON. */
export interface RefreshingSettings {
  database: PoolConfig;
  tokenURL: string;
}

/** Ask so often at once, or take the lock for so many milliseconds and keep it. */
export type Task = { ask: number } | { lock: number };

async function work(store: PostgresTokenStore, tokenURL: string, task: Task): Promise<unknown> {
  if ('lock' in task) return (await store.lock(PERSON, task.lock)) !== undefined;
  return await Promise.all(
    Array.from(
      { length: task.ask },
      async () => await personIn(store, { tokenURL }).getAccessToken(),
    ),
  );
}

function main({ database, tokenURL }: RefreshingSettings): void {
  const pool = new Pool({ ...database, max: 3 });
  const store = new PostgresTokenStore({ client: pool, secrets: [SECRET] });
  process.on('message', (task: Task) => {
    void work(store, tokenURL, task).then(
      (answer) => process.send?.({ answer }),
      (error: unknown) => process.send?.({ error: String(error) }),
    );
  });
  // The test has ended, or has died.
  process.on('disconnect', () => process.exit());
}

if (require.main === module) main(JSON.parse(process.argv[2] ?? '') as RefreshingSettings);
