/** The connection to Redis, which every process of this example needs. */
import { createClient } from 'redis';

/** @throws when Redis does not answer now. A connection that is lost later is made again. */
export async function connect(url: string) {
  let hasConnected = false;
  const reconnectStrategy = (retries: number) => hasConnected && Math.min(50 * 2 ** retries, 2000);
  const client = createClient({ url, socket: { reconnectStrategy, connectTimeout: 5000 } });
  // The client needs a listener. Each command rejects by itself.
  client.on('error', () => undefined);
  await client.connect();
  hasConnected = true;
  return client;
}
