/** Keeps the tokens of every connection alive, and removes what is over: once an hour, by one process. */
import { isOAuth2Error, planRefreshes } from 'crm-oauth2';
import type { Kysely } from 'kysely';
import type { Accounts } from './accounts';
import type { Logger } from './log';
import { PROVIDERS } from './providers';
import type { ProviderName } from './providers';
import { removeOldCounts } from './rate-limit';
import { removeOldSessions } from './sessions';
import type { Logins } from './strategies';
import type { Tables } from './tables';
import { tokenFacts } from './user';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export interface Work {
  logins: Logins;
  accounts: Accounts;
  db: Kysely<Tables>;
  log: Logger;
  /** A refresh token is used when it has fewer days left. */
  refreshEarlyDays: number;
}

/**
 * Runs at once, and then each hour.
 *
 * @returns ends it, after the refresh that is under way
 */
export function startWork(work: Work): () => Promise<void> {
  const stopped = new AbortController();
  const run = () =>
    runOnce(work, stopped.signal).catch((error: unknown) => {
      work.log.error({ err: error }, 'work failed');
    });
  let running = run();
  const timer = setInterval(() => {
    running = running.then(run);
  }, HOUR_MS);
  return async () => {
    clearInterval(timer);
    stopped.abort();
    await running;
  };
}

/** @returns how many refreshes there were; nothing while another process is at it */
export async function runOnce(work: Work, signal?: AbortSignal): Promise<number | undefined> {
  const { logins, db, log } = work;
  const unlock = await logins.tokenStore.lock('express-login worker', HOUR_MS);
  if (!unlock) return undefined;
  try {
    await removeOldSessions(db);
    await removeOldCounts(db);
    let count = 0;
    for (const provider of PROVIDERS) count += await refreshAll(provider, work, signal);
    log.info({ refreshes: count }, 'work done');
    return count;
  } finally {
    await unlock();
  }
}

async function refreshAll(
  provider: ProviderName,
  { logins, accounts, log, refreshEarlyDays }: Work,
  signal?: AbortSignal,
): Promise<number> {
  const connections = new Map(
    (await accounts.refreshable(provider)).map((connection) => [connection.person_id, connection]),
  );
  const { client } = logins.strategies[provider];
  const dueBefore = Date.now() + refreshEarlyDays * DAY_MS;
  const plan = await planRefreshes(client, {
    store: logins.tokenStore,
    keys: connections.keys(),
    dueBefore,
  });
  let count = 0;
  // The plan also has tokens that only a login can replace.
  for (const { key, refreshBy = Infinity } of plan) {
    const connection = connections.get(key);
    if (!connection || refreshBy > dueBefore) continue;
    if (signal?.aborted) break;
    try {
      const tokens = await logins.tokensOf(connection).refresh();
      await accounts.noteTokens(connection, tokenFacts(tokens));
      count += 1;
    } catch (failure) {
      if (!isOAuth2Error(failure)) throw failure;
      // The others go on. The page of connections shows the remedy.
      log.warn({ provider, code: failure.code }, 'refresh failed');
      await accounts.noteError(connection, failure);
    }
  }
  return count;
}
