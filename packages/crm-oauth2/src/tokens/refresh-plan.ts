/** Plans which refresh tokens to use before they end, and when. */
import { isOAuth2Error } from '../errors/oauth2-error';
import type { OAuth2Error } from '../errors/oauth2-error';
import { userTokens } from './user-tokens';
import type { RefreshClient } from './user-tokens';
import type { TokenStore } from './token-store';

export interface RefreshPlanOptions {
  store: TokenStore;
  /** The keys of {@link userTokens}, from your user table. They are read one after the other, 50 ahead. */
  keys: Iterable<string> | AsyncIterable<string>;
  /**
   * Epoch ms: leaves out what ends later, so that the plan of a million people holds those alone who are
   * due. Default: none is left out.
   */
  dueBefore?: number;
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
 * const dueBefore = Date.now() + 7 * 86_400_000;
 * for (const { key, refreshBy } of await planRefreshes(client, { store, keys, dueBefore })) {
 *   if (refreshBy === undefined) continue; // the tokens are missing, or only a login brings new ones
 *   await userTokens(client, { store, key }).refresh().catch(log); // the loop goes on
 * }
 */
export async function planRefreshes(
  client: RefreshClient,
  { store, keys, dueBefore, lifetime = client.provider.refreshTokenLifetime }: RefreshPlanOptions,
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
  const end = ({ missing, error, refreshBy = Infinity, signInBy = Infinity }: PlannedRefresh) =>
    missing || error ? 0 : Math.min(refreshBy, signInBy);
  const plan: PlannedRefresh[] = [];
  let batch: string[] = [];
  const readBatch = async () => {
    const read = await Promise.all(batch.map(look));
    plan.push(...read.filter((planned) => dueBefore === undefined || end(planned) < dueBefore));
    batch = [];
  };
  for await (const key of keys) {
    batch.push(key);
    if (batch.length === READS_AT_ONCE) await readBatch();
  }
  await readBatch();
  return plan.toSorted((a, b) => end(a) - end(b) || a.key.localeCompare(b.key));
}
