/** Refresh tokens that end when nobody uses them: which, and when. */
import { isOAuth2Error } from '../errors/oauth2-error';
import type { OAuth2Error } from '../errors/oauth2-error';
import { userTokens } from './user-tokens';
import type { RefreshClient } from './user-tokens';
import type { TokenStore } from './token-store';

export interface RefreshPlanOptions {
  store: TokenStore;
  /** The keys of {@link userTokens}; your user table has them. */
  keys: Iterable<string>;
  /** Seconds a refresh token lives, when the provider's usual figures are not those of your app. */
  lifetime?: Readonly<{ idle?: number; absolute?: number }>;
}

export interface PlannedRefresh {
  key: string;
  /** Epoch ms by which the tokens must be refreshed, lest they end; absent where idleness is allowed. */
  refreshBy?: number;
  /** Epoch ms by which the person must sign in again, whatever is done; absent without such an end. */
  signInBy?: number;
  /** Nothing is kept under this key. */
  missing?: true;
  /** What is kept under this key cannot be read: `store_corrupt`. */
  error?: OAuth2Error;
}

/** How many keys are read at once. */
const AT_ONCE = 50;

/**
 * Which tokens must be refreshed, and by when, the most urgent first. Salesforce ends a refresh token
 * of a partner app after 30 days without use; a run of this every day keeps the grants of people who
 * are away.
 *
 * @example
 * for (const { key, refreshBy = Infinity } of await planRefreshes(client, { store, keys })) {
 *   if (refreshBy > Date.now() + 7 * 86_400_000) continue;
 *   await userTokens(client, { store, key }).refresh().catch(log); // the others' turn comes all the same
 * }
 */
export async function planRefreshes(
  client: RefreshClient,
  { store, keys, lifetime = client.provider.refreshTokenLifetime }: RefreshPlanOptions,
): Promise<PlannedRefresh[]> {
  const { idle, absolute } = lifetime ?? {};
  const plan: PlannedRefresh[] = [];
  const look = async (key: string) => {
    try {
      const age = await userTokens(client, { store, key }).age();
      if (!age) plan.push({ key, missing: true });
      else {
        plan.push({
          key,
          ...(idle !== undefined && { refreshBy: age.since + idle * 1000 }),
          ...(absolute !== undefined && { signInBy: age.signedInAt + absolute * 1000 }),
        });
      }
    } catch (error) {
      // What cannot be read of one person is no reason to let the others' grants end.
      if (!isOAuth2Error(error) || error.code !== 'store_corrupt') throw error;
      plan.push({ key, error });
    }
  };
  const all = [...keys];
  for (let start = 0; start < all.length; start += AT_ONCE) {
    // oxlint-disable-next-line no-await-in-loop -- a store is not asked for everything at once
    await Promise.all(all.slice(start, start + AT_ONCE).map(look));
  }
  const end = ({ missing, error, refreshBy = Infinity, signInBy = Infinity }: PlannedRefresh) =>
    missing || error ? 0 : Math.min(refreshBy, signInBy);
  return plan.toSorted((a, b) => end(a) - end(b) || a.key.localeCompare(b.key));
}
