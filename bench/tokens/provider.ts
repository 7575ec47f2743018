/** The provider of stored tokens, in a process of its own: refreshes, and an API that refuses old tokens. */
import http from 'node:http';
import type { IncomingMessage } from 'node:http';
import { portOf } from '../login/app-parts';
import { serve } from '../login/rpc';

/** An access token that has ended. */
export const ENDED = 'ended';
/** A refresh takes so long at a provider that is near. */
const REFRESH_MS = 20;

const counts = { refreshes: 0, calls: 0 };

function answer(req: IncomingMessage, origin: string): [status: number, json: object] {
  if (req.method === 'POST') {
    counts.refreshes += 1;
    const tokens = {
      access_token: `at-${counts.refreshes}`,
      refresh_token: 'rt',
      expires_in: 7200,
    };
    return [
      200,
      { ...tokens, token_type: 'Bearer', instance_url: origin, id: `${origin}/id/00D/005` },
    ];
  }
  counts.calls += 1;
  if (req.headers.authorization === `Bearer ${ENDED}`)
    return [401, [{ errorCode: 'INVALID_SESSION_ID' }]];
  return [200, { data: { id: 7 } }];
}

const server = http.createServer((req, res) => {
  req.resume();
  req.on('end', () => {
    const [status, json] = answer(req, `http://${req.headers.host}`);
    const body = JSON.stringify(json);
    setTimeout(
      () => {
        res.writeHead(status, {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        });
        res.end(body);
      },
      req.method === 'POST' ? REFRESH_MS : 0,
    );
  });
});
server.keepAliveTimeout = 65_000;
server.listen(0, '127.0.0.1');

const handlers = {
  port: async () => await portOf(server),
  counts: () => ({ ...counts }),
};

export type TokenProviderHandlers = typeof handlers;

serve(handlers);
