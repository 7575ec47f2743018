/** PostgresTokenStore in PGlite, which is PostgreSQL itself inside the process. */
import { PGlite } from '@electric-sql/pglite';
import { expect } from 'chai';
import { PostgresTokenStore } from 'crm-oauth2';
import type { PostgresClient, PostgresTokenStoreOptions } from 'crm-oauth2';
import { tokenStoreChecks } from 'crm-oauth2/testing';
import { PERSON, SECRET, TOKENS, codeOf, personIn, seenIn } from './support/stored-person';

const OTHER = 'another secret of the store, of 32 characters and more';

/** Answers as the package pg does when a stricter transaction has to be repeated. */
const conflict = () => Object.assign(new Error('could not serialize access'), { code: '40001' });

describe('pglite', () => {
  let database: PGlite;

  before(async function () {
    // The first start of a machine compiles PostgreSQL.
    this.timeout(60_000);
    database = await PGlite.create();
    await database.query(PostgresTokenStore.schema());
  });
  afterEach(async () => {
    await database.exec('DELETE FROM crm_oauth2_tokens; DELETE FROM crm_oauth2_token_locks');
  });
  after(async () => {
    await database?.close();
  });

  const storeWith = (options: Partial<PostgresTokenStoreOptions> = {}) =>
    new PostgresTokenStore({ client: database, secrets: [SECRET], ...options });

  const rowsOf = async (text: string, values: unknown[] = []) =>
    (await database.query<Record<string, unknown>>(text, values)).rows;

  const names = async () => {
    const rows = await rowsOf(`
      SELECT schemaname || '.' || tablename AS name FROM pg_tables
      WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`);
    return rows.map(({ name }) => name);
  };

  describe('the store', () => {
    for (const { title, run } of tokenStoreChecks(() => storeWith())) it(title, run);
  });

  describe('the tables', () => {
    it('schema — is one statement that changes nothing the second time', async () => {
      const store = storeWith();
      await store.set(PERSON, 'value', undefined);
      const unlock = await store.lock(PERSON, 10_000);
      await database.query(PostgresTokenStore.schema());
      expect((await store.get(PERSON))?.value).to.equal('value');
      expect(await store.lock(PERSON, 10_000)).to.equal(undefined);
      await unlock?.();
      expect(await names()).to.deep.equal([
        'public.crm_oauth2_token_locks',
        'public.crm_oauth2_tokens',
      ]);
    });

    it('schema — compares names by their bytes, in any version of the operating system', async () => {
      const rows = await rowsOf(`
        SELECT table_name, collation_name FROM information_schema.columns
        WHERE column_name = 'name' AND table_schema = 'public'`);
      expect(rows.map(({ collation_name: collation }) => collation)).to.deep.equal(['C', 'C']);
    });

    it('keys and values — contain no key, person, token or secret in the clear', async () => {
      const store = storeWith();
      await personIn(store).save(TOKENS);
      await store.lock(PERSON, 10_000);
      const rows = [
        ...(await rowsOf('SELECT * FROM crm_oauth2_tokens')),
        ...(await rowsOf('SELECT * FROM crm_oauth2_token_locks')),
      ];
      expect(rows).to.have.length(2);
      const seen = seenIn(rows);
      expect(seen).to.include('{"alg":"dir","enc":"A256GCM"}');
      for (const hidden of [
        PERSON,
        '48201',
        'token-of',
        'scope',
        'instance',
        'salesloft',
        SECRET,
      ]) {
        expect(seen).not.to.include(hidden);
      }
    });

    it('statements — are the same for every key, value and duration', async () => {
      const seen: [string, unknown[]][] = [];
      const noting: PostgresClient = {
        query: async (text, values) => {
          seen.push([text, values]);
          return await database.query(text, values);
        },
      };
      const rounds: string[][] = [];
      for (const hostile of [`'; DROP TABLE crm_oauth2_tokens; --`, `$1 "x" \\`]) {
        const store = storeWith({ client: noting });
        const version = await store.set(hostile, hostile, undefined);
        await store.set(hostile, `${hostile}!`, version);
        expect((await store.get(hostile))?.value).to.equal(`${hostile}!`);
        await (
          await store.lock(hostile, 80.5)
        )?.();
        await store.delete(hostile);
        rounds.push(seen.map(([text]) => text));
        for (const [text, values] of seen.splice(0)) {
          expect([text, ...values].join()).not.to.match(/DROP|"x"/);
        }
      }
      expect(rounds[0]).to.have.length(7);
      expect(rounds[1]).to.deep.equal(rounds[0]);
    });

    it('prefix — begins every name, and separates stores', async () => {
      await database.exec('CREATE SCHEMA auth; CREATE SCHEMA "user"');
      const before = await names();
      const own = ['', 'app_', 'auth.', 'auth.crm_2_', 'user.app_', 'x'.repeat(40)];
      for (const prefix of own) {
        await database.query(PostgresTokenStore.schema(prefix));
        const store = storeWith({ prefix });
        expect(await store.set(PERSON, prefix, undefined)).to.be.a('string');
        expect(await store.lock(PERSON, 10_000)).to.be.a('function');
      }
      for (const prefix of own) {
        expect((await storeWith({ prefix }).get(PERSON))?.value).to.equal(prefix);
      }
      expect((await names()).filter((name) => !before.includes(name))).to.have.members(
        own.flatMap((prefix) => {
          const full = prefix.includes('.') ? prefix : `public.${prefix}`;
          return [`${full}tokens`, `${full}token_locks`];
        }),
      );
    });

    for (const prefix of [
      'x"; DROP TABLE crm_oauth2_tokens; --',
      'Upper_',
      'é_',
      '1_',
      'a b',
      'a-',
      'a$',
      'a\n',
      'a.b.c_',
      '.a_',
      '1.a_',
      'x'.repeat(41),
      `${'x'.repeat(64)}.a_`,
      null,
      7,
      ['app_'],
    ]) {
      it(`prefix — refuses ${JSON.stringify(prefix).slice(0, 45)}`, () => {
        const message = 'PostgresTokenStore: option "prefix" must be';
        const wrong = prefix as string;
        expect(() => storeWith({ prefix: wrong })).to.throw(TypeError, message);
        expect(() => PostgresTokenStore.schema(wrong)).to.throw(TypeError, message);
      });
    }
  });

  describe('time', () => {
    it('a lock ends by the clock of the database, a value stays', async () => {
      const store = storeWith();
      await store.set(PERSON, 'value', undefined);
      await store.lock(PERSON, 9999.5);
      const [lock] = await rowsOf(`
        SELECT extract(epoch FROM ends_at - clock_timestamp()) * 1000 AS left
        FROM crm_oauth2_token_locks`);
      expect(Number(lock?.left)).to.be.within(1, 9999.5);
      await database.query('UPDATE crm_oauth2_token_locks SET ends_at = clock_timestamp()');
      expect(await store.lock(PERSON, 10_000)).to.be.a('function');
      expect((await store.get(PERSON))?.value).to.equal('value');
    });

    const abandon = async (count: number) => {
      await database.query(
        `INSERT INTO crm_oauth2_token_locks (name, holder, ends_at)
         SELECT 'abandoned-' || n, gen_random_uuid(), clock_timestamp() - interval '1 second'
         FROM generate_series(1, $1::integer) AS n`,
        [count],
      );
    };
    const locksLeft = async () => (await rowsOf('SELECT name FROM crm_oauth2_token_locks')).length;

    it('expired locks — are removed after a lock, a hundred at most', async () => {
      await abandon(150);
      await (
        await storeWith().lock(PERSON, 10_000)
      )?.();
      expect(await locksLeft()).to.equal(50);
      await (
        await storeWith().lock(PERSON, 10_000)
      )?.();
      expect(await locksLeft()).to.equal(0);
    });

    it('expired locks — are looked for once in a while by each store', async () => {
      const store = storeWith();
      await (
        await store.lock(PERSON, 10_000)
      )?.();
      await abandon(1);
      await (
        await store.lock(PERSON, 10_000)
      )?.();
      expect(await locksLeft()).to.equal(1);
    });

    it('locks that are held — are left alone', async () => {
      const store = storeWith();
      const unlock = await store.lock('held', 10_000);
      await abandon(1);
      await (
        await store.lock(PERSON, 10_000)
      )?.();
      expect(await locksLeft()).to.equal(1);
      expect(await store.lock('held', 10_000)).to.equal(undefined);
      await unlock?.();
    });
  });

  describe('a value that this store did not write', () => {
    it("another person's value — is refused, and left as it is", async () => {
      const store = storeWith();
      await personIn(store, { key: 'anna' }).save(TOKENS);
      await personIn(store, { key: 'bert' }).save(TOKENS);
      await database.query(`
        UPDATE crm_oauth2_tokens SET sealed = other.sealed
        FROM crm_oauth2_tokens other WHERE crm_oauth2_tokens.name <> other.name`);
      const swapped = await rowsOf('SELECT * FROM crm_oauth2_tokens ORDER BY name');
      for (const key of ['anna', 'bert']) {
        expect(await codeOf(personIn(store, { key }).getAccessToken())).to.equal('store_corrupt');
        expect(await codeOf(personIn(store, { key }).refresh())).to.equal('store_corrupt');
      }
      expect(await rowsOf('SELECT * FROM crm_oauth2_tokens ORDER BY name')).to.deep.equal(swapped);
    });

    for (const garbage of ['', 'garbage', '{"accessToken":"a"}', 'a.b.c.d.e', '\u0001\uFFFD']) {
      it(`${JSON.stringify(garbage)} — is refused, and left as it is until a login`, async () => {
        const tokens = personIn(storeWith());
        await tokens.save(TOKENS);
        await database.query('UPDATE crm_oauth2_tokens SET sealed = $1', [garbage]);
        expect(await codeOf(tokens.getAccessToken())).to.equal('store_corrupt');
        expect(await codeOf(tokens.refresh())).to.equal('store_corrupt');
        const [row] = await rowsOf('SELECT sealed FROM crm_oauth2_tokens');
        expect(row?.sealed).to.equal(garbage);
        await tokens.save(TOKENS);
        expect(await tokens.getAccessToken()).to.equal(TOKENS.accessToken);
      });
    }

    it('secrets — rotate: the new one last, then first, then alone', async () => {
      const [old, behind, front, alone] = [[OTHER], [OTHER, SECRET], [SECRET, OTHER], [SECRET]].map(
        (secrets) => personIn(storeWith({ secrets })),
      ) as [Person, Person, Person, Person];
      await old.save(TOKENS);
      expect(await behind.getAccessToken()).to.equal(TOKENS.accessToken);
      expect(await front.getAccessToken()).to.equal(TOKENS.accessToken);
      expect(await codeOf(alone.getAccessToken())).to.equal('store_corrupt');
      await front.save({ ...TOKENS, accessToken: 'written again' });
      for (const each of [behind, front, alone]) {
        expect(await each.getAccessToken()).to.equal('written again');
      }
      expect(await codeOf(old.getAccessToken())).to.equal('store_corrupt');
    });
  });

  describe('the client', () => {
    it('is refused without a method query', () => {
      for (const client of [undefined, null, {}, () => {}, { query: {} }, { query: 'SELECT' }]) {
        expect(() => storeWith({ client: client as PostgresClient })).to.throw(
          TypeError,
          'PostgresTokenStore: option "client" must be a Pool of the package "pg"',
        );
      }
      expect(() => storeWith({ secrets: ['short'] })).to.throw(TypeError, 'secrets');
    });

    for (const answer of [{}, { rows: 'text' }, [{ sealed: 'x' }], [[], []]]) {
      it(`that answers ${JSON.stringify(answer)} — is an unusable store`, async () => {
        const client = { query: async () => await Promise.resolve(answer) };
        const tokens = personIn(storeWith({ client: client as unknown as PostgresClient }));
        const asked = tokens.getAccessToken();
        expect(await codeOf(asked)).to.equal('store_unavailable');
        const cause = await asked.catch((error: Error) => error.cause);
        expect(cause).to.include({
          message: 'the client answers a query with something other than { rows }',
        });
      });
    }

    /** Fails this often, then answers. */
    const failing = (times: number, error: () => unknown) => {
      const client = {
        asked: 0,
        query: async (text: string, values: unknown[]) => {
          client.asked += 1;
          if (client.asked <= times) throw error();
          return await database.query(text, values);
        },
      };
      return client;
    };

    it('that has to repeat a transaction — is asked again, five times at most', async () => {
      const passing = failing(4, conflict);
      expect(await storeWith({ client: passing }).set(PERSON, 'a', undefined)).to.be.a('string');
      expect(passing.asked).to.equal(5);
      const stuck = failing(Infinity, conflict);
      const error = await storeWith({ client: stuck })
        .get(PERSON)
        .catch((reason: unknown) => reason);
      expect(error).to.include({ code: '40001' });
      expect(stuck.asked).to.equal(5);
    });

    it('that fails otherwise — is asked once', async () => {
      for (const reason of [
        new Error('gone'),
        Object.assign(new Error(), { code: '57P01' }),
        null,
      ]) {
        const client = failing(Infinity, () => reason);
        const error = await storeWith({ client })
          .get(PERSON)
          .catch((thrown: unknown) => thrown);
        expect(error).to.equal(reason);
        expect(client.asked).to.equal(1);
      }
    });

    it('without the tables — is an unusable store, and the cause says why', async () => {
      const asked = personIn(storeWith({ prefix: 'absent_' })).getAccessToken();
      expect(await codeOf(asked)).to.equal('store_unavailable');
      const cause = await asked.catch((error: Error) => error.cause);
      expect(cause).to.have.property('message').that.includes('"absent_tokens" does not exist');
    });
  });
});

type Person = ReturnType<typeof personIn>;
