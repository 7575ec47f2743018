/** One of several processes that use the same tokens and know only the store. */
import { RedisTokenStore, isOAuth2Error } from 'crm-oauth2';
import { accountsOf } from './accounts';
import type { Account, Job } from './accounts';
import { connect, disconnect, pause } from './redis';

/** A worker tells its parent each thing that it has done. */
export type Message =
  | { event: 'ready' }
  | { event: 'answer' | 'refresh'; person: string }
  | { event: 'failure'; person?: string; code?: string; text: string };

const stop = new AbortController();

// Ctrl+C reaches every process of a terminal. A worker waits for the message of its parent, and
// finishes the request that it has begun: a refresh whose answer is lost would cost the person's tokens.
process.on('SIGINT', () => undefined).on('SIGTERM', () => undefined);
process.on('disconnect', () => stop.abort());
process.on('message', (message: Job | 'stop') => {
  if (message === 'stop') stop.abort();
  // Messages arrive in order, so the parent has all of them before the connection to it ends.
  else void work(message).catch(tellUnlessStopped).finally(leave);
});

async function work({ redisURL, secret, prefix, pauseMs, ...job }: Job): Promise<void> {
  const client = await connect(redisURL, stop.signal);
  const store = new RedisTokenStore({ client, secrets: [secret], prefix });
  const accounts = accountsOf(job, store, (person) => tell({ event: 'refresh', person }));
  tell({ event: 'ready' });
  await Promise.all(accounts.map((account) => keepFetching(account, pauseMs)));
  disconnect(client);
}

async function keepFetching({ label, fetch }: Account, pauseMs: number): Promise<void> {
  while (!stop.signal.aborted) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- one request after the other
      await fetch();
      tell({ event: 'answer', person: label });
    } catch (error) {
      tellFailure(error, label);
    }
    // Workers that were started together drift apart.
    // oxlint-disable-next-line no-await-in-loop -- a pause
    await pause(pauseMs * (0.5 + Math.random()), stop.signal);
  }
}

/** A worker that is stopped while it connects to Redis has begun nothing. */
function tellUnlessStopped(error: unknown): void {
  if (error !== stop.signal.reason) tellFailure(error);
}

function tellFailure(error: unknown, person?: string): void {
  const text = error instanceof Error ? error.message : String(error);
  if (!isOAuth2Error(error)) return tell({ event: 'failure', person, text });
  const { code, cause, hint = '' } = error;
  const because = cause instanceof Error ? ` (${cause.message})` : '';
  return tell({ event: 'failure', person, code, text: `${text}${because}. ${hint}` });
}

/** Without a parent, there is no reader. */
function tell(message: Message, then: () => void = () => undefined): void {
  if (process.connected) process.send?.(message, then);
}

function leave(): void {
  if (process.connected) process.disconnect();
}
