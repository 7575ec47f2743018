/** Accounts and their connections: found, made, linked and removed. */
import { sql } from 'kysely';
import type { Kysely, Selectable } from 'kysely';
import type { Tables } from './tables';
import type { ProviderName } from './providers';
import type { Person, User } from './user';

export type Connection = Selectable<Tables['connections']>;

/** A login or a change that the rules of the accounts refuse. */
export class AccountProblem extends Error {
  constructor(readonly code: 'connection_taken' | 'link_signed_out' | 'last_connection') {
    super(code);
  }
}

type NewTokens = Pick<Connection, 'access_until' | 'has_refresh_token'>;

/** A login or a new grant makes earlier failures unimportant. */
const NO_ERROR = { error_code: null, error_message: null, error_hint: null, error_at: null };

const isId = (text: string) => /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(text);

export class Accounts {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  /** The account of a person at a CRM. The first login of the person makes it. */
  async signIn(person: Person, tokens: NewTokens): Promise<User> {
    const found = await this.#update(person, tokens);
    const connection = found ?? (await this.#create(person, tokens));
    const { account_id: id, display_name: displayName } = connection;
    await this.#db
      .updateTable('accounts')
      .set({ display_name: displayName })
      .where('id', '=', id)
      .execute();
    return toUser(connection, displayName);
  }

  /**
   * Adds a person at a CRM to an account. Never by an e-mail address: the owner of an
   * address at one CRM may be another person than its owner at the other.
   *
   * @throws {AccountProblem} `connection_taken`
   */
  async link(account: User, person: Person, tokens: NewTokens): Promise<User> {
    const changes = { ...person, ...tokens, ...NO_ERROR, connected_at: new Date() };
    const connection = await this.#db
      .insertInto('connections')
      .values({ ...changes, account_id: account.id })
      .onConflict((conflict) =>
        conflict
          .columns(['provider', 'person_id'])
          .doUpdateSet(changes)
          .where('connections.account_id', '=', account.id),
      )
      .returningAll()
      .executeTakeFirst();
    if (!connection) throw new AccountProblem('connection_taken');
    return toUser(connection, account.displayName);
  }

  /** The user of a session; nothing once the account is deleted. */
  async find({ id, connection, provider }: Omit<User, 'displayName'>): Promise<User | undefined> {
    const account = await this.#db
      .selectFrom('accounts')
      .select('display_name')
      .where('id', '=', id)
      .executeTakeFirst();
    return account && { id, connection, provider, displayName: account.display_name };
  }

  async connections(account: User): Promise<Connection[]> {
    return await this.#db
      .selectFrom('connections')
      .selectAll()
      .where('account_id', '=', account.id)
      .orderBy('connected_at')
      .execute();
  }

  /** The connections of all accounts at one CRM that have a refresh token. */
  async refreshable(provider: ProviderName): Promise<Connection[]> {
    return await this.#db
      .selectFrom('connections')
      .selectAll()
      .where('provider', '=', provider)
      .where('has_refresh_token', '=', true)
      .execute();
  }

  /** One connection of this account; nothing for those of other accounts. */
  async connection(account: User, id: string): Promise<Connection | undefined> {
    if (!isId(id)) return undefined;
    return await this.#db
      .selectFrom('connections')
      .selectAll()
      .where('account_id', '=', account.id)
      .where('id', '=', id)
      .executeTakeFirst();
  }

  /** @throws {AccountProblem} `last_connection`: an account without one could never be entered again */
  async remove(account: User, id: string): Promise<void> {
    await this.#db.transaction().execute(async (transaction) => {
      // Two requests at once wait here for each other.
      await transaction
        .selectFrom('accounts')
        .select('id')
        .where('id', '=', account.id)
        .forUpdate()
        .execute();
      const others = await transaction
        .selectFrom('connections')
        .select('id')
        .where('account_id', '=', account.id)
        .where('id', '!=', id)
        .execute();
      if (others.length === 0) throw new AccountProblem('last_connection');
      await transaction
        .deleteFrom('connections')
        .where('account_id', '=', account.id)
        .where('id', '=', id)
        .execute();
    });
  }

  /** With all connections. The sessions of the account end with it, since their user is no longer found. */
  async delete(account: User): Promise<void> {
    await this.#db.deleteFrom('accounts').where('id', '=', account.id).execute();
  }

  async noteUse({ id }: Connection, tokens: NewTokens): Promise<void> {
    await this.#note(id, { ...tokens, ...NO_ERROR, used_at: new Date() });
  }

  async noteTokens({ id }: Pick<Connection, 'id'>, tokens: NewTokens): Promise<void> {
    await this.#note(id, { ...tokens, ...NO_ERROR });
  }

  /** This site has no access any more, until the person connects it again. */
  async noteRevoked({ id }: Connection): Promise<void> {
    await this.#note(id, {
      access_until: null,
      has_refresh_token: false,
      error_code: 'reauthorization_required',
      error_message: 'this site has given its access back',
      error_hint: 'Connect it again.',
      error_at: new Date(),
    });
  }

  async noteError(
    { id }: Pick<Connection, 'id'>,
    error: { code?: string; message: string; hint?: string | undefined },
  ) {
    await this.#note(id, {
      error_code: error.code ?? 'error',
      error_message: error.message,
      error_hint: error.hint ?? null,
      error_at: new Date(),
    });
  }

  async #note(id: string, changes: Partial<Connection>): Promise<void> {
    await this.#db.updateTable('connections').set(changes).where('id', '=', id).execute();
  }

  async #update(person: Person, tokens: NewTokens): Promise<Connection | undefined> {
    return await this.#db
      .updateTable('connections')
      .set({ ...person, ...tokens, ...NO_ERROR, connected_at: new Date() })
      .where('provider', '=', person.provider)
      .where('person_id', '=', person.person_id)
      .returningAll()
      .executeTakeFirst();
  }

  async #create(person: Person, tokens: NewTokens): Promise<Connection> {
    return await this.#db.transaction().execute(async (transaction) => {
      const { id } = await transaction
        .insertInto('accounts')
        .values({ display_name: person.display_name })
        .returning('id')
        .executeTakeFirstOrThrow();
      const connection = await transaction
        .insertInto('connections')
        .values({ ...person, ...tokens, account_id: id })
        // Another first login of the same person, at the same moment, came before this one.
        .onConflict((conflict) =>
          conflict.columns(['provider', 'person_id']).doUpdateSet({
            display_name: sql`excluded.display_name`,
          }),
        )
        .returningAll()
        .executeTakeFirstOrThrow();
      if (connection.account_id !== id) {
        await transaction.deleteFrom('accounts').where('id', '=', id).execute();
      }
      return connection;
    });
  }
}

function toUser(
  { account_id: id, id: connection, provider }: Connection,
  displayName: string,
): User {
  return { id, connection, provider: provider as ProviderName, displayName };
}
