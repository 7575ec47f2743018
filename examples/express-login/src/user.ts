/** The user of this application, and how a profile becomes one. */
import type { Profile, TokenSet } from 'passport-salesloft';

/** The person who is logged in. */
export interface User {
  provider: string;
  /** With `provider`, the key for your own table. Do not use an e-mail address: it may change owner. */
  id: string;
  displayName: string;
  email?: string;
  /** `undefined`: the provider does not say. */
  emailVerified?: boolean;
  photo?: string;
  /** The organization or team, where the provider has one. */
  organization?: string;
  /** The address that this login chose, in place of the usual one: a sandbox or a My Domain. */
  signedInAt?: string;
  /** Logs the person out at the provider, where it has such a page. No token is in it. */
  logoutURL?: string;
  /** When the access token ends, in epoch milliseconds. `undefined`: the provider does not say. */
  expiresAt?: number;
  /** The answer of the provider, to be shown by this example. Do not keep it. */
  raw: unknown;
}

/** The user object has no tokens, and so neither the session nor a page has any. */
export function toUser(
  profile: Omit<Profile, 'provider'> & { provider: string },
  { expiresAt, response, environment }: TokenSet,
  organization?: string,
): User {
  const { provider, id, displayName, emails, photos, _json: raw } = profile;
  const [email] = emails ?? [];
  return {
    provider,
    id,
    displayName: displayName || id,
    email: email?.value,
    emailVerified: email?.verified,
    // Salesforce sends a photo only to a request with an access token, and the browser has no token.
    photo: provider === 'salesforce' ? undefined : photos?.[0]?.value,
    organization,
    signedInAt: environment?.loginURL,
    // Salesforce sends no `expires_in`. The client assumes a lifetime, which this page does not show.
    expiresAt: response.expires_in === undefined ? undefined : expiresAt,
    raw,
  };
}
