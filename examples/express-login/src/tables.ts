/** The columns of the tables, for the types of the queries. */
import type { Generated } from 'kysely';

/** The tables, as `migrations.ts` makes them. The tokens are in two more, which belong to the token store. */
export interface Tables {
  /** A person of this application. */
  accounts: {
    id: Generated<string>;
    display_name: string;
    created_at: Generated<Date>;
  };
  /** A person at a CRM, who belongs to one account. */
  connections: {
    id: Generated<string>;
    account_id: string;
    provider: string;
    /** With `provider`, unique. */
    person_id: string;
    display_name: string;
    email: string | null;
    /** `null`: the provider does not say. */
    email_verified: boolean | null;
    photo: string | null;
    organization: string | null;
    /** The address that the login chose, in place of the usual one: a sandbox or a My Domain. */
    environment: string | null;
    connected_at: Generated<Date>;
    /** The end of the access token; `null`: the provider does not say. */
    access_until: Date | null;
    has_refresh_token: boolean;
    used_at: Date | null;
    /** The last call or refresh, if it failed. */
    error_code: string | null;
    error_message: string | null;
    error_hint: string | null;
    error_at: Date | null;
  };
  /** By a hash of the address. */
  rate_limits: { name: string; hits: number; ends_at: Date };
  /** The migrations that have run. */
  migrations: { name: string };
  sessions: {
    /** A hash, so that a reader of the table cannot use a session. */
    id: string;
    data: string;
    expires_at: Date;
  };
}
