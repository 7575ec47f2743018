import { createClient } from 'redis';

/** @throws when Redis cannot be reached now; later the connection is made again */
export async function connect(url: string) {
  let wasThere = false;
  const reconnectStrategy = (retries: number) => wasThere && Math.min(50 * 2 ** retries, 2000);
  const client = createClient({ url, socket: { reconnectStrategy, connectTimeout: 5000 } });
  // Each command fails by itself.
  client.on('error', () => undefined);
  await client.connect();
  wasThere = true;
  return client;
}
