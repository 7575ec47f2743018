/** A login without a framework: send the person away, wait for the callback, redeem the code. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { OAuth2Client, Profile, TokenSet } from 'crm-oauth2';
import { ConfigError } from './config-error';

/** Takes a person to a URL, and returns the URL of the callback they come back to. */
export type Visit = (url: string, callbackURL: string) => Promise<string>;

/** A login that is begun is good for ten minutes. */
const SIGN_IN_MS = 600_000;

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
export async function visitInBrowser(
  url: string,
  callbackURL: string,
  limitMs = SIGN_IN_MS,
): Promise<string> {
  const { hostname, port, pathname } = new URL(callbackURL);
  const server = createServer().listen(Number(port || 80), hostname);
  let timer: NodeJS.Timeout | undefined;
  try {
    await once(server, 'listening').catch((error: unknown) => {
      throw new ConfigError(
        `Cannot listen at ${callbackURL} (${String(Reflect.get(Object(error), 'code'))}). End the program that uses the port, or set CALLBACK_URL, and register it in the app.`,
      );
    });
    console.log(`Open this page and sign in where the cadence goes:\n${url}`);
    return await new Promise((resolve, reject) => {
      const late = new ConfigError('The sign-in took longer than ten minutes. Start again.');
      timer = setTimeout(() => reject(late), limitMs);
      server.on('request', ({ url: path = '' }: IncomingMessage, response: ServerResponse) => {
        const back = new URL(path, callbackURL);
        const isCallback = back.pathname === pathname;
        response.writeHead(isCallback ? 200 : 404, { connection: 'close' });
        response.end(isCallback ? 'Close this page, and go on in the terminal.' : 'Not found');
        if (isCallback) resolve(back.href);
      });
    });
  } finally {
    clearTimeout(timer);
    server.close();
    server.closeIdleConnections();
  }
}
