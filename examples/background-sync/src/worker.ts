/** One of several processes that use the same tokens and know only the store. */
import { setTimeout as sleep } from 'node:timers/promises';
import { RedisTokenStore, isOAuth2Error } from 'crm-oauth2';
import { accountsOf } from './accounts';
import type { Account, Job } from './accounts';
import { connect } from './redis';

export interface Report {
  /** How many answers, by person. */
  fetched: Record<string, number>;
  refreshes: Record<string, number>;
  errors: string[];
}

const over = new AbortController();
const { signal } = over;
const report: Report = { fetched: {}, refreshes: {}, errors: [] };

// Ctrl+C reaches every process of a terminal. A worker waits for the message of its parent, and
// finishes the request that it has begun: a refresh whose answer is lost would cost the person's tokens.
process.on('SIGINT', () => undefined).on('SIGTERM', () => undefined);
process.on('disconnect', () => over.abort());
process.on('message', (message: Job | 'stop') => {
  if (message === 'stop') over.abort();
  else void work(message).catch(note).finally(end);
});

async function work({ redisURL, secret, prefix, ...job }: Job): Promise<void> {
  const client = await connect(redisURL);
  const store = new RedisTokenStore({ client, secrets: [secret], prefix });
  const accounts = accountsOf(job, store);
  process.send?.(report);
  await Promise.all(accounts.map(keepFetching));
  for (const { label, refreshes } of accounts) report.refreshes[label] = refreshes();
  await client.close();
}

async function keepFetching({ label, fetch }: Account): Promise<void> {
  report.fetched[label] = 0;
  while (!signal.aborted) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- one request after the other
      await fetch();
      report.fetched[label] += 1;
    } catch (error) {
      note(error);
    }
    // oxlint-disable-next-line no-await-in-loop -- a pause
    await sleep(50 + Math.random() * 200, undefined, { signal }).catch(() => undefined);
  }
}

function note(error: unknown): void {
  const hint = isOAuth2Error(error) ? error.hint : undefined;
  report.errors.push([error instanceof Error ? error.message : String(error), hint].join(' '));
}

function end(): void {
  if (process.connected) process.send?.(report, () => process.disconnect());
}
