/** The tokens of one grant, in the form in which this family hands them on. */
import type { JsonObject } from '../values/json';
import type { IdTokenClaims } from './id-token';
import type { Environment } from './login-attempt';

/** Frozen: a refresh gives a new set. */
export interface TokenSet {
  readonly accessToken: string;
  readonly refreshToken?: string;
  readonly idToken?: string;
  /** `Bearer`. */
  readonly tokenType: string;
  /**
   * When the access token ends, in epoch milliseconds. Where the provider does not say, it is what
   * {@link ClientOptions.assumedLifetime} assumes, and the API's 401 is the truth.
   */
  readonly expiresAt?: number;
  /** The granted scopes, space separated, when the provider says. */
  readonly scope?: string;
  /** The claims of the ID Token, once it is verified. */
  readonly claims?: IdTokenClaims;
  /** The person the tokens are for, as in `profile.id`, where the token response says. */
  readonly subject?: string;
  /** `sid` of the ID Token: the person's session at the provider, for a logout there. */
  readonly sid?: string;
  /**
   * The options that the login chose. Wherever the tokens are passed on, the client asks this
   * environment: for a refresh, a revocation, an introspection, the profile.
   */
  readonly environment?: Environment;
  /**
   * The token response as sent. After a refresh it keeps the fields that only the earlier response
   * had. Read from a store, it lacks the tokens.
   */
  readonly response: Readonly<JsonObject>;
}
