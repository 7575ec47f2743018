/** A strategy whose logins choose a region or a tenant, and a provider that answers all of them. */
import nock = require('nock');
import { strategyFor } from '../../dist/passport';
import type { AuthenticateOptions, PassportRequest } from '../../dist/passport';
import { CALLBACK, ORIGIN, formOf } from '../support';
import { regions } from '../regions';
import { callback, run, start } from './support';
import type { AcmeStrategy, Outcome } from './support';

class RegionStrategy extends strategyFor(regions) {}

/** Answers with what it was told, so that a test can compare. */
const verify = ({ profile, ...rest }: { profile?: { id: string } }) => ({ ...rest, profile });

export function make(options: object): AcmeStrategy {
  const all = { callbackURL: CALLBACK, timeout: 2000, verify, ...options };
  return Reflect.construct(RegionStrategy, [all]) as AcmeStrategy;
}

/** Answers one login; the token request that came. */
export function answer({
  origin = ORIGIN,
  tokens = {},
  profile = {},
}: { origin?: string; tokens?: object; profile?: object } = {}): Record<string, string>[] {
  const asked: Record<string, string>[] = [];
  nock(origin)
    .post('/token')
    .reply(function (_uri, body) {
      asked.push(formOf(body));
      return [200, { access_token: 'at-1', refresh_token: 'rt-1', ...tokens }];
    });
  nock(origin)
    .get('/me')
    .reply(200, { sub: 'zoe', name: 'Zoe', ...profile });
  return asked;
}

/** Finishes a login that was begun in a session. */
export async function finish(
  strategy: AcmeStrategy,
  session: object,
  state: string,
  parts: object = {},
): Promise<Outcome> {
  const req: PassportRequest = { ...callback(session, { code: 'code-1', state }), ...parts };
  return await run(strategy, req);
}

/** A whole login that succeeds: the user, and `req.authInfo`. */
export async function signIn(
  strategy: AcmeStrategy,
  options?: AuthenticateOptions,
): Promise<{ user: Record<string, unknown>; info: Record<string, unknown> }> {
  const session = {};
  const { state } = await start(strategy, session, options);
  const { verb, values } = await finish(strategy, session, state);
  if (verb !== 'success') throw Object.assign(new Error(verb), { info: values[0] });
  const [user, info] = values as Record<string, unknown>[];
  return { user: user ?? {}, info: info ?? {} };
}

/** The code and the status of a `fail`. */
export function refusalOf({ verb, values }: Outcome): {
  code: unknown;
  message: unknown;
  status: unknown;
} {
  const [info, status] = values as [Record<string, unknown>, unknown];
  if (verb !== 'fail') throw Object.assign(new Error(verb), { values });
  return { code: info.code, message: info.message, status };
}

/** The value that was given to `error`. */
export function errorOf({ verb, values }: Outcome): Error & { code?: string; stage?: string } {
  if (verb !== 'error') throw Object.assign(new Error(verb), { values });
  return values[0] as Error;
}

/** The pending login that was begun last in a session. */
export function pendingIn(session: object): Record<string, unknown> {
  const logins = Reflect.get(session, 'oauth2:acme') as Record<string, unknown>[] | undefined;
  return logins?.at(-1) ?? {};
}
