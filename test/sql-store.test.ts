/** The SQL store of docs/token-stores.md, as it is written there, in PostgreSQL. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileFunction } from 'node:vm';
import { PGlite } from '@electric-sql/pglite';
import { expect } from 'chai';
import type { TokenStore } from 'crm-oauth2';
import { tokenStoreChecks } from 'crm-oauth2/testing';

const PAGE = join(__dirname, '..', 'docs', 'token-stores.md');
const SECRETS = ['a secret of the store, of 32 characters and more'];

type Store = new (pool: Pick<PGlite, 'query'>, secrets: readonly string[]) => TokenStore;

/** The only block of the page in this language with this text. */
function blockOf(language: string, text: string): string {
  const blocks = [...readFileSync(PAGE, 'utf8').matchAll(/^```(\w+)\n([^]*?)^```$/gm)]
    .filter(([, name, code]) => name === language && code?.includes(text))
    .map(([, , code = '']) => code);
  expect(blocks, text).to.have.length(1);
  return blocks[0]!;
}

const code = `${blockOf('js', 'class SqlTokenStore')}\nreturn SqlTokenStore;`;
const SqlTokenStore = compileFunction(code, ['require'], { filename: PAGE })(require) as Store;

describe('SQL store of docs/token-stores.md', () => {
  let database: PGlite;

  before(async function () {
    this.timeout(60_000);
    database = await PGlite.create();
    await database.exec(blockOf('sql', 'CREATE TABLE tokens'));
  });
  afterEach(async () => {
    await database.exec('DELETE FROM tokens; DELETE FROM token_locks');
  });
  after(async () => {
    await database?.close();
  });

  for (const { title, run } of tokenStoreChecks(() => new SqlTokenStore(database, SECRETS))) {
    it(title, run);
  }

  it('tables — show neither keys nor values', async () => {
    const store = new SqlTokenStore(database, SECRETS);
    await store.set('person-48201', 'access-token', undefined);
    await store.lock('person-48201', 10_000);
    const { rows } = await database.query('SELECT * FROM tokens JOIN token_locks USING (name)');
    expect(rows).to.have.length(1);
    expect(JSON.stringify(rows)).not.to.match(/48201|access-token/);
  });

  it('get — refuses a value of another key', async () => {
    const store = new SqlTokenStore(database, SECRETS);
    await store.set('anna', 'token of anna', undefined);
    await store.set('bert', 'token of bert', undefined);
    await database.query(
      'UPDATE tokens SET sealed = other.sealed FROM tokens other WHERE tokens.name <> other.name',
    );
    const error = await store.get('bert').catch((reason: unknown) => reason);
    expect(error).to.include({ code: 'store_corrupt' });
  });
});
