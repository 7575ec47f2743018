/** The steps of logins in a table, so that a login over two instances is whole. Bounded in number and in age. */
import { sql } from 'kysely';
import type { Generated, Kysely } from 'kysely';
import type { Logger } from '../log';
import type { Tables } from '../tables';

/** An address without a value: what is shown of a URL. */
export interface Target {
  host: string;
  path: string;
  /** Of the parameters. */
  names: string[];
}

/** One request, of the browser to this application or of this application to the provider. */
export interface Step extends Target {
  /** When it began, in milliseconds. */
  at: number;
  from: 'browser' | 'application';
  provider: string;
  method: string;
  /** Absent: there was no answer. */
  status?: number | undefined;
  /** Milliseconds. */
  duration: number;
  /** The redirect of the answer. */
  leadsTo?: Target | undefined;
  /** Where the login ended: the action of Passport, and the code of a failure. */
  outcome?: string | undefined;
  code?: string | undefined;
  warnings?: string[] | undefined;
}

interface StepTables extends Tables {
  login_steps: { id: Generated<string>; login: string; at: Date; step: string };
}

/** Of all logins together; a login has about eight. */
const MAX_STEPS = 2000;
const MAX_STEPS_OF_LOGIN = 60;
/** Not yet written, while the database is slow. */
const MAX_WAITING = 500;

export class LoginSteps {
  readonly #db: Kysely<StepTables>;
  readonly #log: Logger;
  #waiting: [login: string, step: Step][] = [];
  #written: Promise<void>;

  constructor(db: Kysely<Tables>, log: Logger) {
    this.#db = db.withTables<{ login_steps: StepTables['login_steps'] }>();
    this.#log = log;
    // Not a migration: only development has this table. Of two instances that make it at once, one fails.
    this.#written = sql`CREATE TABLE IF NOT EXISTS login_steps (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        login text NOT NULL,
        at timestamptz NOT NULL,
        step text NOT NULL
      )`
      .execute(this.#db)
      .then(
        () => undefined,
        () => undefined,
      );
  }

  keep(login: string, step: Step): void {
    if (this.#waiting.length >= MAX_WAITING) return;
    this.#waiting.push([login, step]);
    this.#written = this.#written
      .then(() => this.#write())
      .catch((error: unknown) => this.#log.warn({ err: error }, 'steps of a login are lost'));
  }

  /** In their order; none of a login that is not known. */
  async of(login: string | undefined): Promise<Step[]> {
    await this.#written;
    if (login === undefined) return [];
    const rows = await this.#db
      .selectFrom('login_steps')
      .select('step')
      .where('login', '=', login)
      .orderBy('at')
      .orderBy('id')
      .limit(MAX_STEPS_OF_LOGIN)
      .execute();
    return rows.map(({ step }) => JSON.parse(step) as Step);
  }

  /** Adds those that wait, and removes the oldest. */
  async #write(): Promise<void> {
    const waiting = this.#waiting.splice(0);
    if (waiting.length === 0) return;
    const rows = waiting.map(([login, step]) => {
      return { login, at: new Date(step.at), step: JSON.stringify(step) };
    });
    await this.#db.insertInto('login_steps').values(rows).execute();
    await sql`DELETE FROM login_steps WHERE at < now() - interval '1 day'
      OR id <= (SELECT max(id) FROM login_steps) - ${MAX_STEPS}`.execute(this.#db);
  }
}
