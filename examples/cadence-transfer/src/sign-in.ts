/** A login without a framework: away, back, and tokens for the code. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { OAuth2Client, Profile, TokenSet } from 'crm-oauth2';
import type { Visit } from './setup';

export async function signIn<Options extends object, P extends Profile>(
  client: OAuth2Client<Options, P>,
  redirectUri: string,
  visit: Visit,
): Promise<TokenSet> {
  const attempt = client.createLoginAttempt({ redirectUri });
  const callback = await visit(client.buildAuthorizationUrl({ redirectUri, attempt }), redirectUri);
  const query = Object.fromEntries(new URL(callback).searchParams);
  const response = await client.validateAuthorizationResponse(query, () => attempt);
  return await client.authorizationCodeGrant(response, {});
}

/** Waits at the callback URL, which is on this machine (RFC 8252 §7.3), for a browser to come back. */
export async function visitInBrowser(url: string, callbackURL: string): Promise<string> {
  const { hostname, port, pathname } = new URL(callbackURL);
  const server = createServer().listen(Number(port || 80), hostname);
  try {
    await once(server, 'listening');
    console.log(`Open this page and sign in where the cadence goes:\n${url}`);
    return await new Promise((resolve) => {
      server.on('request', ({ url: path = '' }: IncomingMessage, response: ServerResponse) => {
        const back = new URL(path, callbackURL);
        const isCallback = back.pathname === pathname;
        response.writeHead(isCallback ? 200 : 404, { connection: 'close' });
        response.end(isCallback ? 'Thank you. You can close this page.' : 'Not found');
        if (isCallback) resolve(back.href);
      });
    });
  } finally {
    server.close();
  }
}
