/** PostgresTokenStore with the package `pg` and a real server, which several processes share, and which fails. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { PostgresTokenStore } from 'crm-oauth2';
import { tokenStoreChecks } from 'crm-oauth2/testing';
import { Client, Pool } from 'pg';
import type { PoolConfig } from 'pg';
import { blocks, run } from './support/pages';
import { PostgresServer, describeWithPostgres } from './support/postgres';
import type { RefreshingSettings, Task } from './support/refreshing-process';
import { PERSON, SECRET, TOKENS, codeOf, personIn } from './support/stored-person';

const START_LIMIT_MS = 60_000;

const CLEAR = 'DELETE FROM crm_oauth2_tokens; DELETE FROM crm_oauth2_token_locks';

const poolOf = (config: PoolConfig) =>
  new Pool(config).on('error', () => {
    // An application would log it; the pool connects again.
  });

const storeOver = (client: Pool | Client) => new PostgresTokenStore({ client, secrets: [SECRET] });

/** A provider that rotates refresh tokens, and takes each of them once. */
class Rotation {
  readonly asked: string[] = [];
  /** Runs when a request has arrived, before it is answered. */
  meanwhile: () => Promise<unknown> = async () => await sleep(50);
  #generation = 0;
  readonly #server = createServer((req, res) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of req) chunks.push(chunk as Buffer);
      const { refresh_token: token } = JSON.parse(Buffer.concat(chunks).toString()) as {
        refresh_token: string;
      };
      this.asked.push(token);
      const isCurrent = token === this.refreshToken;
      this.#generation += isCurrent ? 1 : 0;
      const { accessToken, refreshToken } = this;
      await this.meanwhile();
      const answer = isCurrent
        ? { access_token: accessToken, refresh_token: refreshToken, token_type: 'Bearer' }
        : { error: 'invalid_grant' };
      res.writeHead(isCurrent ? 200 : 400, { 'content-type': 'application/json' });
      res.end(JSON.stringify({ ...answer, expires_in: 7200 }));
    })();
  });

  get accessToken(): string {
    return `access-${this.#generation}`;
  }

  get refreshToken(): string {
    return `refresh-${this.#generation}`;
  }

  /** The present pair, whose access token has ended. */
  get ended() {
    const { accessToken, refreshToken } = this;
    return { ...TOKENS, accessToken, refreshToken, expiresAt: Date.now() - 1000 };
  }

  async start(): Promise<string> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/token`;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

describeWithPostgres('postgres', () => {
  const server = new PostgresServer();
  let one: Pool;
  let other: Pool;

  before(async function () {
    this.timeout(START_LIMIT_MS);
    await server.start();
    one = poolOf(server.address);
    other = poolOf(server.address);
    await one.query(PostgresTokenStore.schema());
  });
  afterEach(async () => {
    await one.query(CLEAR);
  });
  after(async () => {
    await one?.end();
    await other?.end();
    await server.close();
  });

  describe('the store', () => {
    let opened = 0;
    for (const { title, run: check } of tokenStoreChecks(() => {
      opened += 1;
      return storeOver(opened % 2 ? one : other);
    })) {
      it(title, check);
    }
  });

  describe('the store, in serializable transactions', () => {
    let strict: Pool;
    before(() => {
      strict = poolOf({
        ...server.address,
        options: '-c default_transaction_isolation=serializable',
      });
    });
    after(async () => {
      await strict?.end();
    });
    for (const { title, run: check } of tokenStoreChecks(() => storeOver(strict))) it(title, check);
  });

  it('docs/token-stores.md — shows how to keep tokens', async () => {
    const [code = ''] = blocks('docs/token-stores.md', 'PostgreSQL');
    const { host, user, database } = server.address;
    const env = {
      DATABASE_URL: `postgresql://${user}@/${database}?host=${host}`,
      TOKEN_SECRET: SECRET,
    };
    const scope = { process: { env }, log: () => undefined };
    const { store, pool } = (await run(code, '{ store, pool }', scope)) as {
      store: PostgresTokenStore;
      pool: Pool;
    };
    await personIn(store).save(TOKENS);
    expect(await personIn(storeOver(one)).getAccessToken()).to.equal(TOKENS.accessToken);
    await pool.end();
  });

  it('schema — is created once by processes that start together', async () => {
    const text = PostgresTokenStore.schema('together_');
    const starts = Array.from({ length: 16 }, (_, index) => (index % 2 ? one : other).query(text));
    await Promise.all(starts);
    const { rows } = await one.query(
      "SELECT tablename FROM pg_tables WHERE tablename LIKE 'together%'",
    );
    expect(rows).to.have.length(2);
  });

  it('expired locks — of many stores that clean at once, are removed without a wait', async () => {
    await one.query(`
      INSERT INTO crm_oauth2_token_locks (name, holder, ends_at)
      SELECT 'abandoned-' || n, gen_random_uuid(), clock_timestamp() FROM generate_series(1, 900) AS n`);
    const work = Array.from({ length: 20 }, async (_, index) => {
      await (
        await storeOver(index % 2 ? one : other).lock(`key-${index}`, 10_000)
      )?.();
    });
    await Promise.all(work);
    const { rows } = await one.query('SELECT name FROM crm_oauth2_token_locks');
    expect(rows).to.deep.equal([]);
  });

  describe('several processes', () => {
    const PROCESSES = 4;
    const ROUNDS = 5;
    const CALLS = 5;
    const provider = new Rotation();
    let tokenURL = '';
    const processes: ChildProcess[] = [];

    before(async () => {
      tokenURL = await provider.start();
      const settings: RefreshingSettings = { database: server.address, tokenURL };
      for (let index = 0; index < PROCESSES; index += 1) {
        const program = join(__dirname, 'support/refreshing-process.js');
        processes.push(fork(program, [JSON.stringify(settings)]));
      }
    });
    after(async () => {
      for (const child of processes) child.kill('SIGKILL');
      await provider.close();
    });

    /** The answer of a process to one task. */
    async function ask(child: ChildProcess, task: Task): Promise<unknown> {
      const answered = once(child, 'message');
      child.send(task);
      const [{ answer, error }] = (await answered) as [{ answer?: unknown; error?: string }];
      if (error !== undefined) throw new Error(error);
      return answer;
    }

    it('refresh the tokens of one person — once per generation', async function () {
      this.timeout(START_LIMIT_MS);
      for (let round = 1; round <= ROUNDS; round += 1) {
        await personIn(storeOver(one)).save(provider.ended);
        const asked = processes.map(async (child) => await ask(child, { ask: CALLS }));
        const answers = (await Promise.all(asked)).flat();
        expect(answers).to.deep.equal(Array(PROCESSES * CALLS).fill(`access-${round}`));
        expect(provider.asked).to.deep.equal(
          Array.from({ length: round }, (_, index) => `refresh-${index}`),
        );
      }
    });

    it('that hold a lock and are killed — keep it for its time, and no longer', async () => {
      const child = processes[0]!;
      expect(await ask(child, { lock: START_LIMIT_MS })).to.equal(true);
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
      const store = storeOver(other);
      expect(await store.lock(PERSON, 10_000)).to.equal(undefined);
      await one.query('UPDATE crm_oauth2_token_locks SET ends_at = clock_timestamp()');
      expect(await store.lock(PERSON, 10_000)).to.be.a('function');
    });
  });
});

describeWithPostgres('postgres that fails', function () {
  this.timeout(START_LIMIT_MS);
  const SOON = 300;
  const server = new PostgresServer();
  let pool: Pool;
  let observer: Client;

  before(async () => {
    await server.start();
    const setUp = new Client(server.address);
    await setUp.connect();
    await setUp.query(PostgresTokenStore.schema());
    await setUp.end();
  });
  beforeEach(async () => {
    pool = poolOf(server.address);
    observer = await observe();
  });
  afterEach(async () => {
    await pool.query(CLEAR);
    await pool.end();
    await observer.end();
  });
  after(async () => {
    await server.close();
  });

  async function observe(): Promise<Client> {
    const client = new Client(server.address);
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  async function startAgain(): Promise<void> {
    await server.start();
    await observer.end().catch(() => undefined);
    observer = await observe();
  }

  /** No statement of the store is answered until the other transaction ends. */
  const holdUp = async () =>
    await observer.query('BEGIN; LOCK TABLE crm_oauth2_tokens IN ACCESS EXCLUSIVE MODE');

  const tokens = (timeout?: number) =>
    personIn(storeOver(pool), timeout === undefined ? {} : { timeout });

  it('stopped — fails at once, and goes on once PostgreSQL is back', async () => {
    await tokens().save(TOKENS);
    await server.kill();
    expect(await codeOf(tokens().getAccessToken())).to.equal('store_unavailable');
    expect(await codeOf(tokens().refresh())).to.equal('store_unavailable');
    expect(await codeOf(tokens().save(TOKENS))).to.equal('store_unavailable');
    await startAgain();
    expect(await tokens().getAccessToken()).to.equal(TOKENS.accessToken);
    await tokens().save({ ...TOKENS, accessToken: 'later' });
    expect(await tokens().getAccessToken()).to.equal('later');
  });

  it('stopped while it is asked — fails, and says why', async () => {
    await tokens().save(TOKENS);
    await holdUp();
    const asked = tokens().getAccessToken();
    const refused = codeOf(asked);
    await sleep(SOON);
    await server.kill();
    expect(await refused).to.equal('store_unavailable');
    expect(await asked.catch((error: Error) => error.cause)).to.be.instanceOf(Error);
    await startAgain();
    expect(await tokens().getAccessToken()).to.equal(TOKENS.accessToken);
  });

  it('silent — fails in time, and goes on once PostgreSQL answers', async () => {
    await tokens().save(TOKENS);
    await holdUp();
    const start = performance.now();
    expect(await codeOf(tokens(SOON).getAccessToken())).to.equal('store_timeout');
    expect(performance.now() - start).to.be.below(SOON + 4000);
    await observer.query('COMMIT');
    expect(await tokens().getAccessToken()).to.equal(TOKENS.accessToken);
  });

  it('every connection in use — fails in time, and goes on once one is free', async () => {
    const small = poolOf({ ...server.address, max: 1 });
    const used = await small.connect();
    const person = personIn(storeOver(small), { timeout: SOON });
    expect(await codeOf(person.save(TOKENS))).to.equal('store_timeout');
    used.release();
    await person.save(TOKENS);
    expect(await person.getAccessToken()).to.equal(TOKENS.accessToken);
    await small.end();
  });

  it('stopped during a refresh — stores the new pair once PostgreSQL is back', async () => {
    const provider = new Rotation();
    try {
      const person = personIn(storeOver(pool), { tokenURL: await provider.start(), timeout: 1000 });
      await person.save(provider.ended);
      provider.meanwhile = async () => await server.kill();
      expect(await codeOf(person.getAccessToken())).to.match(/^store_(?:timeout|unavailable)$/);
      await startAgain();
      expect(await person.getAccessToken()).to.equal('access-1');
      // Another process, which has nothing but the store.
      expect(await personIn(storeOver(observer)).getAccessToken()).to.equal('access-1');
      expect(provider.asked).to.deep.equal(['refresh-0']);
    } finally {
      await provider.close();
    }
  });

  it('a lock — survives a crash of PostgreSQL', async () => {
    const store = storeOver(pool);
    const unlock = await store.lock(PERSON, START_LIMIT_MS);
    await server.kill();
    await startAgain();
    expect(await store.lock(PERSON, START_LIMIT_MS)).to.equal(undefined);
    await unlock?.();
    expect(await store.lock(PERSON, START_LIMIT_MS)).to.be.a('function');
  });
});
