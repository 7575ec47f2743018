/** The user of this application, and how a profile becomes a row of the table of connections. */
import type { Profile, TokenSet } from 'passport-salesloft';
import type { ProviderName } from './providers';

/** `req.user`: an account of this application, and the connection that the person signed in with. */
export interface User {
  /** Of the account. */
  id: string;
  displayName: string;
  connection: string;
  provider: ProviderName;
}

/** A person at a CRM, in the columns of the table of connections. */
export interface Person {
  provider: string;
  /** With `provider`, the key. Do not use an e-mail address: it may change owner. */
  person_id: string;
  display_name: string;
  email: string | null;
  email_verified: boolean | null;
  photo: string | null;
  organization: string | null;
  environment: string | null;
}

/** Kept of a login in the session: it belongs to this browser, and no token is in it. */
export interface Login {
  /** Logs the person out at the provider, where it has such a page. */
  logoutURL?: string | undefined;
  /** The answer of the provider, to be shown by this example. Do not keep it. */
  raw: unknown;
}

declare module 'express-session' {
  interface SessionData {
    /** By the id of the connection. */
    logins?: Record<string, Login>;
  }
}

export function toPerson(
  profile: Omit<Profile, 'provider'> & { provider: string },
  { environment }: TokenSet,
  organization?: string,
): Person {
  const { provider, id, displayName, emails, photos } = profile;
  const [email] = emails ?? [];
  return {
    provider,
    person_id: id,
    display_name: displayName || id,
    email: email?.value ?? null,
    email_verified: email?.verified ?? null,
    // Salesforce sends a photo only to a request with an access token, and the browser has no token.
    photo: provider === 'salesforce' ? null : (photos?.[0]?.value ?? null),
    organization: organization ?? null,
    environment: environment?.loginURL ?? null,
  };
}

/** Facts about tokens, in the columns of the table. The tokens themselves are in the token store. */
export function tokenFacts({ expiresAt, refreshToken, response }: TokenSet) {
  // Salesforce sends no `expires_in`. The client assumes a lifetime, which the page does not show.
  const isTold = response.expires_in !== undefined && expiresAt !== undefined;
  return {
    access_until: isTold ? new Date(expiresAt) : null,
    has_refresh_token: refreshToken !== undefined,
  };
}
