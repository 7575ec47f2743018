import type { IdTokenClaims } from './id-token';
import type { JsonObject } from '../values/json';

/** The tokens of one grant. Frozen: who refreshes gets a new one. */
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
  /** Whom the tokens are for, as in `profile.id`, where the token response says. */
  readonly subject?: string;
  /**
   * The token response as sent. After a refresh also what it left out and the one before had; read
   * from a store, without the tokens.
   */
  readonly response: Readonly<JsonObject>;
}
