/** Plans which refresh tokens to use before they end, and when. */
import { isOAuth2Error } from '../errors/oauth2-error';
import type { OAuth2Error } from '../errors/oauth2-error';
import { userTokens } from './user-tokens';
import type { RefreshClient } from './user-tokens';
import type { TokenStore } from './token-store';

export interface RefreshPlanOptions {
  store: TokenStore;
  /** The keys of {@link userTokens}, from your user table. */
  keys: Iterable<string>;
  /** Seconds a refresh token lives, when your app differs from the provider's usual figures. */
  lifetime?: Readonly<{ idle?: number; absolute?: number }>;
}

export interface PlannedRefresh {
  key: string;
  /** Epoch ms: without a refresh, the tokens end then. Absent where an unused token does not end. */
  refreshBy?: number;
  /** Epoch ms: the person must sign in again by then. Absent where a grant has no such end. */
  signInBy?: number;
  /** No tokens are kept under this key. */
  missing?: true;
  /** `store_corrupt`: the stored value cannot be read. */
  error?: OAuth2Error;
}

/** This many keys are read at once. */
const READS_AT_ONCE = 50;

/**
 * Lists the tokens that must be refreshed, the most urgent first. Salesforce ends a refresh token of a
 * partner app after 30 days without use; a daily run keeps the grants of people who are away.
 *
 * @example
 * for (const { key, refreshBy = Infinity } of await planRefreshes(client, { store, keys })) {
 *   if (refreshBy > Date.now() + 7 * 86_400_000) continue;
 *   await userTokens(client, { store, key }).refresh().catch(log); // the loop goes on
 * }
 */
export async function planRefreshes(
  client: RefreshClient,
  { store, keys, lifetime = client.provider.refreshTokenLifetime }: RefreshPlanOptions,
): Promise<PlannedRefresh[]> {
  const { idle, absolute } = lifetime ?? {};
  const look = async (key: string): Promise<PlannedRefresh> => {
    try {
      const age = await userTokens(client, { store, key }).age();
      if (!age) return { key, missing: true };
      return {
        key,
        ...(idle !== undefined && { refreshBy: age.since + idle * 1000 }),
        ...(absolute !== undefined && { signInBy: age.signedInAt + absolute * 1000 }),
      };
    } catch (error) {
      // One record that cannot be read leaves the plan for all other people.
      if (!isOAuth2Error(error) || error.code !== 'store_corrupt') throw error;
      return { key, error };
    }
  };
  const all = [...keys];
  const plan: PlannedRefresh[] = [];
  for (let start = 0; start < all.length; start += READS_AT_ONCE) {
    // oxlint-disable-next-line no-await-in-loop -- so that a store is not flooded
    plan.push(...(await Promise.all(all.slice(start, start + READS_AT_ONCE).map(look))));
  }
  const end = ({ missing, error, refreshBy = Infinity, signInBy = Infinity }: PlannedRefresh) =>
    missing || error ? 0 : Math.min(refreshBy, signInBy);
  return plan.toSorted((a, b) => end(a) - end(b) || a.key.localeCompare(b.key));
}
