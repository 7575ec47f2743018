/** Sources of access tokens: an API key, the app's own account, or a person who once signed in. */
import type { OAuth2Client } from '../client';
import type { TokenSet } from '../protocol/token-set';
import type { Provider } from '../provider/description';
import { requireString } from '../values/options';
import { countRefusals, isFresh, isUsable } from './freshness';
import { pauseForApp, unlessRefused } from './refused-clients';
import type { DatedTokens } from './freshness';

export interface GetTokenOptions {
  /**
   * An access token that the API has just answered with 401. Another one is fetched, unless there is
   * one already. A source that has no other returns the same again.
   */
  rejected?: string;
}

/** The part of a provider's description that requests with its tokens need. */
type ProviderFacts = Pick<Provider, 'name' | 'hints' | 'rateLimit'> &
  Partial<Pick<Provider, 'meanings'>>;

/** Returns a valid access token when asked. {@link authorizedFetch} uses any source. */
export interface TokenSource {
  /** An access token that is good now. Do not keep it: ask again for the next request. */
  getAccessToken(options?: GetTokenOptions): Promise<string>;
  /** The same, with the rest of the tokens. A {@link staticToken} has no rest. */
  getTokens?(options?: GetTokenOptions): Promise<TokenSet>;
  /** The provider of the tokens; every source but a {@link staticToken} knows it. */
  readonly provider?: ProviderFacts;
  /** Whose token it is: the remedies of an API's errors differ. */
  readonly kind?: 'api key' | 'app' | 'person';
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
  const getAccessToken = async () => await Promise.resolve(token);
  return Object.freeze({ getAccessToken, kind: 'api key' });
}

export interface ClientCredentialsOptions {
  scope?: string | readonly string[];
  /** Further parameters by wire name, such as another `audience`. */
  parameters?: Readonly<Record<string, string>>;
}

/** A usable token is returned for this long after a failed request, before the provider is asked again. */
const PAUSE_AFTER_FAILURE_MS = 30_000;

/**
 * Tokens of the app itself (RFC 6749 §4.4), for jobs that act for no person. All callers share one
 * request. The token is kept in memory until five minutes before it ends.
 *
 * While the kept token is usable, a failure to get the next one is not an error.
 *
 * @example
 * const source = clientCredentials(new OAuth2Client(salesos, { clientID, clientSecret }));
 */
export function clientCredentials(
  client: Pick<OAuth2Client, 'clientCredentialsGrant'> & { readonly provider: ProviderFacts },
  options: ClientCredentialsOptions = {},
): TokenSource {
  let current: DatedTokens | undefined;
  let request: Promise<TokenSet> | undefined;
  let failedAt = Number.NEGATIVE_INFINITY;

  const requestTokens = async (rejected?: string) => {
    try {
      const grant = () => client.clientCredentialsGrant(options);
      const tokens = await unlessRefused(source, pauseForApp, grant);
      const now = Date.now();
      current = { tokens, since: now, refusals: current && countRefusals(current, now, rejected) };
      return tokens;
    } catch (error) {
      failedAt = performance.now();
      throw error;
    } finally {
      request = undefined;
    }
  };

  const getTokens = async ({ rejected }: GetTokenOptions = {}) => {
    const now = Date.now();
    if (current && isFresh(current, now, rejected)) return current.tokens;
    const usable = current && isUsable(current, now, rejected) ? current.tokens : undefined;
    const hasJustFailed = performance.now() - failedAt < PAUSE_AFTER_FAILURE_MS;
    if (usable && hasJustFailed) return usable;
    request ??= requestTokens(rejected);
    return await request.catch((error: unknown) => {
      if (usable) return usable;
      throw error;
    });
  };
  const getAccessToken = async (asked?: GetTokenOptions) => (await getTokens(asked)).accessToken;
  const { provider } = client;
  const source = Object.freeze({ getAccessToken, getTokens, provider, kind: 'app' } as const);
  return source;
}
