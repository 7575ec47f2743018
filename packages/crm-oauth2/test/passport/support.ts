/** A strategy for the small provider, and a Passport that only records what it is told. */
import nock = require('nock');
import type { LoginAttempt } from '../../dist/protocol/login-attempt';
import { strategyFor } from '../../dist/passport';
import type { AuthenticateOptions, PassportRequest } from '../../dist/passport';
import { CALLBACK, CREDENTIALS, ORIGIN, acme } from '../support';

export class AcmeStrategy extends strategyFor(acme) {}

export const OPTIONS = { ...CREDENTIALS, callbackURL: CALLBACK, timeout: 2000 };

export type Verb = 'success' | 'fail' | 'redirect' | 'pass' | 'error';
export interface Outcome {
  verb: Verb;
  values: unknown[];
}

const VERBS: readonly Verb[] = ['success', 'fail', 'redirect', 'pass', 'error'];

/** Calls `authenticate` as Passport does; refuses anything but exactly one outcome. */
export function run(
  strategy: AcmeStrategy,
  req: object,
  options?: AuthenticateOptions,
): Promise<Outcome> {
  const own = Object.create(strategy) as AcmeStrategy;
  return runOn(own, req, options);
}

/** The same on this very instance, as Passport does when it is given one instead of a name. */
export function runOn(
  strategy: AcmeStrategy,
  req: object,
  options?: AuthenticateOptions,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const outcomes: Outcome[] = [];
    const settle = () => {
      const [first] = outcomes;
      if (first && outcomes.length === 1) resolve(first);
      else reject(new Error(`outcomes: ${outcomes.map(({ verb }) => verb).join(', ')}`));
    };
    for (const verb of VERBS) {
      Reflect.set(strategy, verb, (...values: unknown[]) => {
        outcomes.push({ verb, values });
        // A second outcome would come soon after the first.
        if (outcomes.length === 1) setTimeout(settle, 10);
      });
    }
    strategy.authenticate(req as PassportRequest, options);
  });
}

export function request(
  parts: object = {},
): PassportRequest & { session?: Record<string, unknown> } {
  return { method: 'GET', url: '/auth/acme', headers: {}, query: {}, session: {}, ...parts };
}

/** Starts a login in a session, and returns the authorization request. */
export async function start(
  strategy: AcmeStrategy,
  session: object,
  options?: AuthenticateOptions,
): Promise<{ url: URL; state: string }> {
  const { verb, values } = await run(strategy, request({ session }), options);
  if (verb !== 'redirect') throw values[0] as Error;
  const url = new URL(values[0] as string);
  return { url, state: url.searchParams.get('state') ?? '' };
}

/** The request with which a browser comes back. */
export function callback(session: object, query: object): PassportRequest {
  return request({ session, query, url: '/auth/acme/callback' });
}

/** Answers one token request and one profile request. */
export function answerLogin(person = 'zoe', response: object = {}): void {
  nock(ORIGIN)
    .post('/token')
    .reply(200, { access_token: `at-${person}`, refresh_token: `rt-${person}`, ...response });
  nock(ORIGIN, { reqheaders: { authorization: `Bearer at-${person}` } })
    .get('/me')
    .reply(200, { sub: person, name: person });
}

/** A whole login; its outcome. */
export async function login(
  strategy: AcmeStrategy,
  options?: AuthenticateOptions,
  req: object = {},
): Promise<Outcome> {
  const session = {};
  const { state } = await start(strategy, session, options);
  return await run(strategy, { ...callback(session, { code: 'code-1', state }), ...req });
}

export function attemptOf(changes: Partial<LoginAttempt> = {}): LoginAttempt {
  return {
    state: 'state-1',
    codeVerifier: 'verifier-in-clear',
    client: 'fingerprint-1',
    redirectUri: CALLBACK,
    expiresAt: Date.now() + 600_000,
    ...changes,
  };
}
