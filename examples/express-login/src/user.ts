import type { Profile, TokenSet } from 'passport-salesloft';

/** Who is logged in, as this application sees them. */
export interface User {
  provider: string;
  /** With `provider`, the key for your own table. Never the e-mail address: it changes hands. */
  id: string;
  displayName: string;
  email?: string;
  /** Undefined: the provider does not say. */
  emailVerified?: boolean;
  photo?: string;
  /** The organization or team, where the provider has one. */
  organization?: string;
  /** When the access token ends, in epoch milliseconds. Undefined: the provider does not say. */
  expiresAt?: number;
  /** What the provider answered; here to be looked at, not to be kept. */
  raw: unknown;
}

declare global {
  namespace Express {
    interface User extends LoggedInUser {}
  }
}
type LoggedInUser = User;

/** The tokens stay out: keep them (encrypted) only if you call the provider's API later. */
export function toUser(
  profile: Omit<Profile, 'provider'> & { provider: string },
  { expiresAt, response }: TokenSet,
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
    // Salesforce hands out its photos to holders of a token only; a browser has none.
    photo: provider === 'salesforce' ? undefined : photos?.[0]?.value,
    organization,
    // Salesforce does not say; what the client assumes in its place is no fact to show.
    expiresAt: response.expires_in === undefined ? undefined : expiresAt,
    raw,
  };
}
