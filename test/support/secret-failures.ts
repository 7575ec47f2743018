/**
 * Logins and refreshes that fail in every way that a provider can cause. Its answers repeat each secret
 * that it was sent, or has just made.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LoginAttempt } from 'crm-oauth2';
import SalesforceStrategy from 'passport-salesforce-oauth2';
import SalesloftStrategy from 'passport-salesloft';
import SalesosStrategy from 'passport-salesos';

export const PLANTED = {
  clientSecret: 'planted-client-secret/+=',
  code: 'planted-code/+== with space',
  accessToken: 'planted-access-token',
  refreshToken: 'planted-refresh-token',
  idToken: 'planted.id.token',
  appState: 'planted-app-state',
};

/** Sends one answer; `body` is what came in, `echo` its values in one line. */
type Behaviour = (
  req: IncomingMessage,
  res: ServerResponse,
  words: { body: string; echo: string },
) => void;

const json = (res: ServerResponse, status: number, value: unknown) => {
  res.writeHead(status, { 'content-type': 'application/json' });
  res.end(JSON.stringify(value));
};
const TOKENS = {
  access_token: PLANTED.accessToken,
  refresh_token: PLANTED.refreshToken,
  token_type: 'Bearer',
};

/** Answers of the token endpoint. */
const AT_TOKEN: Record<string, Behaviour> = {
  'an error with everything in its description': (_req, res, { body, echo }) =>
    json(res, 400, { error: 'invalid_grant', error_description: `${echo} ${body}` }),
  'an error with everything in its uri': (_req, res, { echo }) =>
    json(res, 400, { error: 'invalid_grant', error_uri: `https://x.test/?${echo}` }),
  'an error that is the echo': (_req, res, { echo }) => json(res, 400, { error: echo }),
  'an error with success': (_req, res, { echo }) =>
    json(res, 200, { error: 'invalid_grant', error_description: echo }),
  'a web page': (_req, res, { body, echo }) => {
    res.writeHead(200, { 'content-type': 'text/html' });
    res.end(`<p>${echo} ${body}</p>`);
  },
  'an outage': (_req, res, { echo }) => json(res, 500, { error: echo, error_description: echo }),
  'a rate limit': (_req, res, { echo }) => {
    res.writeHead(429, { 'content-type': 'text/plain', 'retry-after': '1' });
    res.end(echo);
  },
  'a redirect': (_req, res, { echo }) => {
    res.writeHead(302, { location: `https://x.test/?${encodeURIComponent(echo)}` });
    res.end();
  },
  'JSON that breaks off': (_req, res, { echo }) => {
    res.writeHead(200, { 'content-type': 'application/json' });
    res.end(`{"access_token":"${echo}`);
  },
  'another kind of token': (_req, res) => json(res, 200, { ...TOKENS, token_type: 'mac' }),
  'an unusable token': (_req, res, { echo }) => json(res, 200, { ...TOKENS, access_token: echo }),
  'an answer that is not HTTP': (_req, res, { echo }) => {
    res.socket?.end(`HTTP/1.1 200 ${echo}\r\nbad header ${echo}\r\n\r\n${JSON.stringify(TOKENS)}`);
  },
  'half an answer': (_req, res, { echo }) => {
    res.writeHead(200, { 'content-type': 'application/json', 'content-length': '9999' });
    res.write(`{"access_token":"${echo}"`, () => res.destroy());
  },
  'a compressed answer': (_req, res, { echo }) => {
    res.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
    res.end(echo);
  },
  'an unusable ID Token': (_req, res) => json(res, 200, { ...TOKENS, id_token: PLANTED.idToken }),
  silence: () => {},
};

/** Answers to the profile request, after a good token response. */
const AT_PROFILE: Record<string, Behaviour> = {
  'a refusal': (req, res) =>
    json(res, 401, { error: `bad ${req.headers.authorization}`, error_description: TOKENS }),
  'a refusal in plain text': (req, res) => {
    res.writeHead(403, { 'content-type': 'text/plain' });
    res.end(req.headers.authorization);
  },
  'an unusable profile': (_req, res, { echo }) => json(res, 200, { data: echo, echo }),
  'a redirect of the profile': (_req, res, { echo }) => {
    res.writeHead(302, { location: `http://x.test/${encodeURIComponent(echo)}` });
    res.end();
  },
};

export interface Failure {
  title: string;
  /** An error, or the challenge of a refusal. */
  reason: unknown;
}

/** Runs every failure with each strategy. */
export async function driveEveryFailure(): Promise<{ failures: Failure[]; secrets: string[] }> {
  const secrets = Object.values(PLANTED);
  const failures: Failure[] = [];
  let atToken: Behaviour | undefined;
  let atProfile: Behaviour | undefined;

  const server = createServer((req, res) => {
    let body = '';
    req.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    req.on('end', () => {
      const echo = wordsOf(req, body).join(' ');
      const isToken = req.method === 'POST';
      const behave = isToken ? atToken : atProfile;
      if (behave) behave(req, res, { body, echo });
      else json(res, 200, { ...TOKENS, id: `${origin}/id/00D000000000001/005000000000001` });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const common = {
    clientSecret: PLANTED.clientSecret,
    callbackURL: 'http://localhost/cb',
    timeout: 200,
  };
  const verify = () => {
    throw new Error('never reached');
  };
  const strategies = [
    new SalesloftStrategy(
      {
        ...common,
        clientID: 'client',
        authorizationURL: `${origin}/authorize`,
        tokenURL: `${origin}/token`,
        profileURL: `${origin}/me`,
      },
      verify,
    ),
    new SalesosStrategy({ ...common, clientID: 'client', issuer: `${origin}/` }, verify),
    // A public client: without a signature the answer gets as far as the profile.
    new SalesforceStrategy(
      { callbackURL: common.callbackURL, timeout: 200, clientID: 'client', loginURL: origin },
      verify,
    ),
    new SalesforceStrategy({ ...common, clientID: 'client', loginURL: origin }, verify),
  ];

  try {
    for (const strategy of strategies) {
      const cases = [
        ...Object.entries(AT_TOKEN).map(([title, behave]) => ({
          title,
          token: behave,
          profile: undefined,
        })),
        ...Object.entries(AT_PROFILE).map(([title, behave]) => ({
          title,
          token: undefined,
          profile: behave,
        })),
      ];
      for (const { title, token, profile } of cases) {
        atToken = token;
        atProfile = profile;
        const session = {};
        const { url } = await outcome(strategy, { session }, { state: PLANTED.appState });
        const state = new URL(String(url)).searchParams.get('state') ?? '';
        const [pending = []] = Object.values(session) as LoginAttempt[][];
        const attempt = pending.find((one) => one.state === state);
        if (!attempt) throw new Error('the session has no pending login');
        secrets.push(state, attempt.codeVerifier, attempt.nonce ?? state);
        const back = { session, query: { code: PLANTED.code, state } };
        const { reason } = await outcome(strategy, back);
        failures.push({ title: `${strategy.name}: ${title}`, reason });
        // The same callback again, and one with the provider's own words.
        failures.push({
          title: `${strategy.name}: once more`,
          reason: (await outcome(strategy, back)).reason,
        });
        const again = await outcome(strategy, { session });
        const other = new URL(String(again.url)).searchParams.get('state') ?? '';
        secrets.push(other);
        const words = { error: 'server_error', error_description: `${other} ${PLANTED.code}` };
        failures.push({
          title: `${strategy.name}: an error at the callback`,
          reason: (
            await outcome(strategy, {
              session,
              query: { ...words, code: PLANTED.code, state: other, error_uri: other },
            })
          ).reason,
        });
        const refreshed = await strategy.client.refreshTokenGrant(PLANTED.refreshToken).then(
          () => undefined,
          (error: unknown) => error,
        );
        if (refreshed)
          failures.push({ title: `${strategy.name}: refresh, ${title}`, reason: refreshed });
        const revoked = await strategy.client.revokeToken(PLANTED.refreshToken).then(
          () => undefined,
          (error: unknown) => error,
        );
        if (revoked)
          failures.push({ title: `${strategy.name}: revoke, ${title}`, reason: revoked });
      }
      strategy.client.close();
    }
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  return { failures, secrets: [...new Set(secrets)].filter((secret) => secret !== '') };
}

/** The values that a request sent: those of the body, and the bearer token. */
function wordsOf(req: IncomingMessage, body: string): string[] {
  const bearer = req.headers.authorization ?? '';
  const values = body.startsWith('{')
    ? Object.values(JSON.parse(body) as Record<string, string>)
    : [...new URLSearchParams(body).values()];
  return [...values, bearer];
}

interface Runnable {
  authenticate(req: object, options?: object): void;
}

/** Calls `authenticate` once, and returns its outcome. */
function outcome(
  strategy: object,
  request: object,
  options?: object,
): Promise<{ url?: string; reason?: unknown }> {
  return new Promise((resolve) => {
    const login = Object.create(strategy, {
      redirect: { value: (url: string) => resolve({ url }) },
      fail: { value: (challenge: unknown) => resolve({ reason: challenge }) },
      error: { value: (error: unknown) => resolve({ reason: error }) },
      success: { value: () => resolve({ reason: new Error('let in') }) },
    }) as Runnable;
    login.authenticate({ method: 'GET', url: '/', headers: {}, query: {}, ...request }, options);
  });
}
