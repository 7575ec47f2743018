/** A login without a framework: send the person away, wait for the callback, redeem the code. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { OAuth2Client, Profile, TokenSet } from 'crm-oauth2';

/** Takes a person to a URL, and returns the URL of the callback they come back to. */
export type Visit = (url: string, callbackURL: string) => Promise<string>;

export async function signIn<Options extends object, P extends Profile>(
  client: OAuth2Client<Options, P>,
  redirectUri: string,
  visit: Visit,
): Promise<TokenSet> {
  const { url, attempt } = client.beginLogin({ redirectUri });
  const callback = await visit(url, redirectUri);
  const query = Object.fromEntries(new URL(callback).searchParams);
  const response = await client.validateAuthorizationResponse(query, () => attempt);
  return await client.authorizationCodeGrant(response);
}

/** Prints the URL, and waits at the callback URL on this machine (RFC 8252 §7.3) for the browser. */
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
