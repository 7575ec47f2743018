/**
 * Where an access token comes from: a key that is simply there, the app's own account, or a person
 * who once signed in. Whoever sends requests needs to know no more than {@link TokenSource}.
 */
import type { OAuth2Client } from '../client';
import { requireString } from '../values/options';
import type { ProviderDescription } from '../provider/description';
import type { TokenSet } from '../protocol/token-set';
import { isAlive, isFresh } from './freshness';

export interface GetTokenOptions {
  /**
   * An access token that the API has just answered with 401. Another one is fetched, unless there is
   * one already; a source that has no other returns the same again.
   */
  rejected?: string;
}

/** What is used of a provider's description. */
type ProviderFacts = Pick<ProviderDescription, 'name' | 'hints' | 'rateLimit'>;

export interface TokenSource {
  /** An access token that is good now. Nobody needs to keep it: ask again for the next request. */
  getAccessToken(options?: GetTokenOptions): Promise<string>;
  /** Whose tokens these are; known of all but a {@link staticToken}. */
  readonly provider?: ProviderFacts;
}

/**
 * A token that never changes: a Salesloft API key, or a SalesOS key.
 *
 * @throws {TypeError} when it is empty, as a variable is that was not set
 * @example
 * const source = staticToken(process.env.SALESLOFT_API_KEY);
 */
export function staticToken(apiKey: string | undefined): TokenSource {
  const token = requireString('staticToken', 'apiKey', apiKey);
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new TypeError(
      'staticToken: the key must be visible ASCII, without spaces or a newline around it',
    );
  }
  return Object.freeze({ getAccessToken: async () => await Promise.resolve(token) });
}

export interface ClientCredentialsOptions {
  scope?: string | readonly string[];
  /** Further parameters by wire name, such as another `audience`. */
  parameters?: Readonly<Record<string, string>>;
}

/** How long a token that is still good is used before the provider is asked again, after it failed. */
const PAUSE_AFTER_FAILURE = 30_000;

/**
 * Tokens of the app itself (RFC 6749 §4.4), for jobs that act for nobody: one request, shared by all
 * who ask at once, and kept in memory until five minutes before it ends.
 *
 * While a kept token is good, a failure to get the next one is nobody's error.
 *
 * @example
 * const source = clientCredentials(new OAuth2Client(salesos, { clientID, clientSecret }));
 */
export function clientCredentials(
  client: Pick<OAuth2Client, 'clientCredentialsGrant'> & { readonly provider: ProviderFacts },
  options: ClientCredentialsOptions = {},
): TokenSource {
  let kept: { tokens: TokenSet; since: number } | undefined;
  let asking: Promise<TokenSet> | undefined;
  let failedAt = Number.NEGATIVE_INFINITY;

  const ask = async () => {
    try {
      const tokens = await client.clientCredentialsGrant(options);
      kept = { tokens, since: Date.now() };
      return tokens;
    } catch (error) {
      failedAt = performance.now();
      throw error;
    } finally {
      asking = undefined;
    }
  };

  const getAccessToken = async ({ rejected }: GetTokenOptions = {}) => {
    if (kept && isFresh(kept, rejected)) return kept.tokens.accessToken;
    const fallback = kept && isAlive(kept, rejected) ? kept.tokens : undefined;
    if (fallback && performance.now() - failedAt < PAUSE_AFTER_FAILURE) return fallback.accessToken;
    asking ??= ask();
    const { accessToken } = await asking.catch((error: unknown) => {
      if (fallback) return fallback;
      throw error;
    });
    return accessToken;
  };
  return Object.freeze({ getAccessToken, provider: client.provider });
}
