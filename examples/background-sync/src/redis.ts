/** The connection to Redis, which every process of this example needs, and the watch over it. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'redis';
import type { RedisClientType } from 'redis';

const CONNECT_MS = 5000;
const LONGEST_RECONNECT_PAUSE_MS = 1000;
const ASK_EVERY_MS = 500;
/** A Redis that is restarted answers again within this time. */
const LONGEST_SILENCE_MS = 5000;
export const LONGEST_SILENCE_SECONDS = LONGEST_SILENCE_MS / 1000;

export type Redis = Awaited<ReturnType<typeof connect>>;

/**
 * @param stop ends the attempt
 * @throws when Redis does not answer now. A connection that is lost later is made again.
 */
export async function connect(url: string, stop: AbortSignal = new AbortController().signal) {
  let hasConnected = false;
  const reconnectStrategy = (retries: number) =>
    hasConnected && Math.min(50 * 2 ** retries, LONGEST_RECONNECT_PAUSE_MS);
  const client = createClient({
    url,
    socket: { reconnectStrategy, connectTimeout: CONNECT_MS },
    // While Redis is away a command fails at once. Without this it waits, however long Redis is away.
    disableOfflineQueue: true,
  });
  // The client needs a listener. Each command rejects by itself.
  client.on('error', () => undefined);
  const end = AbortSignal.any([stop, AbortSignal.timeout(CONNECT_MS)]);
  end.throwIfAborted();
  const ended = once(end, 'abort').then(() => {
    stop.throwIfAborted();
    throw new Error('Redis does not answer');
  });
  try {
    await Promise.race([client.connect(), ended]);
  } catch (error) {
    disconnect(client);
    throw error;
  }
  hasConnected = true;
  return client;
}

/** Waits for no answer, which may never come. */
export function disconnect(client: Pick<RedisClientType, 'once' | 'destroy'>): void {
  // A connection that is just being made is there after `destroy`.
  client.once('connect', () => client.destroy());
  client.destroy();
}

/**
 * Returns when Redis has been silent for {@link LONGEST_SILENCE_SECONDS}, or at the end of `stop`.
 *
 * Asks Redis twice a second whether it is there. A connection that stays open proves nothing: the machine
 * behind it may be gone.
 *
 * @param say told when Redis stops answering, and when it answers again
 * @returns true when Redis is silent at that time
 */
export async function watch(
  client: Redis,
  stop: AbortSignal,
  say: (isSilent: boolean) => void,
): Promise<boolean> {
  let answeredAt = Date.now();
  let isSilent = false;
  while (!stop.aborted) {
    // oxlint-disable-next-line no-await-in-loop -- one question after the other
    const hasAnswered = await Promise.race([
      client.ping().then(
        () => true,
        () => false,
      ),
      pause(2 * ASK_EVERY_MS, stop).then(() => false),
    ]);
    if (stop.aborted) break;
    if (hasAnswered) answeredAt = Date.now();
    if (isSilent === hasAnswered) say(!hasAnswered);
    isSilent = !hasAnswered;
    if (Date.now() - answeredAt > LONGEST_SILENCE_MS) return true;
    // oxlint-disable-next-line no-await-in-loop -- a pause
    await pause(ASK_EVERY_MS, stop);
  }
  return isSilent;
}

/** Ends early, and without an error, at the end of `stop`. */
export async function pause(milliseconds: number, stop: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal: stop }).catch(() => undefined);
}
