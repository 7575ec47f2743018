/** One real login of a person, on a local port. It opens no browser, and keeps no token. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { OAuth2Client } from '../client';
import type { LoginAttempt } from '../protocol/login-attempt';
import type { TokenSet } from '../protocol/token-set';
import type { Profile } from '../provider/standard-claims';

/** Bytes of a posted answer; real ones are below 20 000. */
const MAX_FORM_BYTES = 65_536;

/** Answers of another login, which do not end this one. */
const MAX_STRAYS = 100;

/** The login did not come to an answer. */
export class LoginError extends Error {}

/** Everything that one login brought. It holds tokens, and must be redacted before it is shown. */
export interface LoggedIn {
  /** The parameters of the callback. */
  callback: Readonly<Record<string, string>>;
  tokens: TokenSet;
  profile: Profile;
  /** Milliseconds from the answer to the profile. */
  took: number;
}

type Parameters = Record<string, string>;

/**
 * @param callbackURL http, on this machine, with its port
 * @param show gets the address that the person opens
 * @throws {OAuth2Error} of the login
 * @throws {LoginError} when the port is taken, or no answer comes in time
 */
export async function logInOnce(
  client: OAuth2Client,
  callbackURL: string,
  waitMs: number,
  show: (url: string) => void,
): Promise<LoggedIn> {
  const { url, attempt } = client.beginLogin({ redirectUri: callbackURL });
  const callback = await waitForAnswer(new URL(callbackURL), attempt, waitMs, () => show(url));
  const began = performance.now();
  const response = await client.validateAuthorizationResponse(callback, () => attempt);
  const tokens = await client.authorizationCodeGrant(response);
  const profile = await client.fetchProfile(tokens);
  return { callback, tokens, profile, took: Math.round(performance.now() - began) };
}

async function waitForAnswer(
  callback: URL,
  attempt: LoginAttempt,
  waitMs: number,
  listening: () => void,
): Promise<Parameters> {
  let strays = 0;
  let timer: NodeJS.Timeout | undefined;
  const server = createServer();
  try {
    return await new Promise<Parameters>((resolve, reject) => {
      const receive = async (request: IncomingMessage, response: ServerResponse) => {
        const parameters = await readParameters(request, callback);
        if (parameters === undefined) return reply(response, 404, 'Not found.');
        if (parameters.state !== attempt.state) {
          strays += 1;
          if (strays > MAX_STRAYS) reject(new LoginError('too many answers are of another login'));
          return reply(response, 400, 'This answer is of another login. Open the address again.');
        }
        reply(response, 200, 'The answer has arrived. You can close this page.');
        resolve(parameters);
      };
      server.on('request', (request, response) => {
        receive(request, response).catch(() => reply(response, 400, 'The request broke off.'));
      });
      server.on('error', ({ code }: NodeJS.ErrnoException) =>
        reject(new LoginError(`cannot listen at ${callback.host} (${code})`)),
      );
      timer = setTimeout(
        () => reject(new LoginError(`no answer came within ${waitMs / 1000} seconds`)),
        waitMs,
      );
      const host = callback.hostname.replaceAll(/[[\]]/g, '');
      server.listen(Number(callback.port) || 80, host, listening);
    });
  } finally {
    clearTimeout(timer);
    await close(server);
  }
}

/** The query of a GET or the form of a POST (`response_mode=form_post`) at the callback; else nothing. */
async function readParameters(
  request: IncomingMessage,
  callback: URL,
): Promise<Parameters | undefined> {
  const { method, url = '/' } = request;
  const asked = new URL(`${callback.origin}${url.startsWith('/') ? url : '/'}`);
  if (asked.pathname !== callback.pathname) return undefined;
  if (method === 'GET') return Object.fromEntries(asked.searchParams);
  if (method !== 'POST') return undefined;
  let form = '';
  for await (const chunk of request.setEncoding('utf8')) {
    form += String(chunk);
    if (form.length > MAX_FORM_BYTES) return undefined;
  }
  return Object.fromEntries(new URLSearchParams(form));
}

function reply(response: ServerResponse, status: number, words: string): void {
  if (response.headersSent) return;
  // The page must not stay in the history with the code in its address longer than it has to.
  const headers = {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    connection: 'close',
  };
  response.writeHead(status, headers).end(`${words}\n`);
}

/** Milliseconds that the last page has to be sent. */
const LAST_PAGE_MS = 1000;

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  const cut = setTimeout(() => server.closeAllConnections(), LAST_PAGE_MS);
  await new Promise((resolve) => server.close(resolve));
  clearTimeout(cut);
}
