/** The second half of a login: the answer of the provider becomes tokens, a profile and a user. */
import type { OAuth2Client } from '../client';
import { HINTS } from '../errors/codes';
import { isObserved, publish } from '../errors/diagnostics';
import { located } from '../errors/oauth2-error';
import { Problem } from '../errors/problem';
import type { MissingAttempt } from '../protocol/authorization-response';
import type { LoginAttempt } from '../protocol/login-attempt';
import type { TokenSet } from '../protocol/token-set';
import type { Profile } from '../provider/standard-claims';
import { withoutUndefined } from '../values/json';
import { Deadline } from '../wire/deadline';
import { calledBack } from './called-back';
import type { Login, Outcome } from './login-parts';
import { missingAttempt } from './missing-attempt';
import { requireOrganization } from './organizations';
import type { LoginInfo, LoginWarning } from './passport-types';
import type { Registrations } from './registrations';
import { isAhead } from './request';
import { responseOf } from './response';
import type { StrategyOptions } from './strategy-options';
import type { Request } from './verify';

/** Takes the attempt, validates the response, redeems the code, gets the profile, verifies. */
export async function finishLogin(
  login: Login,
  parameters: Readonly<Record<string, unknown>>,
): Promise<Outcome> {
  const { settings, hooks, deadline, req } = login;
  const { provider } = settings.client;
  if (isObserved()) {
    publish({
      event: 'login.returned',
      login: deadline.login,
      provider: provider.name,
      parameters: Object.keys(parameters).filter((name) => /^[\w-]{1,40}$/.test(name)),
    });
  }
  let found!: Awaited<ReturnType<Registrations['of']>>;
  const response = await settings.client.validateAuthorizationResponse(
    parameters,
    (state) => takeAttempt(login, state),
    async (attempt) => {
      login.attempt = attempt;
      found = await settings.registrations.of(attempt, req, deadline);
      return found.client.expectedResponse();
    },
  );
  const { client, registration } = found;
  const tokens = await client.authorizationCodeGrant(response, {
    deadline,
    parameters: { ...hooks.tokenParams() },
    parseErrorResponse: hooks.parseErrorResponse,
  });
  const warning = registration.offline ? missingRefreshToken(client, tokens) : undefined;
  if (warning && isObserved()) {
    const { code, hint } = warning;
    const { login: name } = deadline;
    publish({ event: 'login.warned', login: name, provider: provider.name, code, hint });
  }
  const profile = await located({ provider, stage: 'profile' }, async () => {
    const skips = await deadline.wait(isSkipped(settings.skipUserProfile, tokens.accessToken));
    const loading = skips ? undefined : hooks.loadProfile(client, tokens, deadline);
    const loaded = (await loading) as Profile;
    requireOrganization(provider, registration.allowedOrganizations, { tokens, profile: loaded });
    return loaded;
  });
  const { appState: state, returnTo, tenant } = response.attempt;
  const told = withoutUndefined({ state, returnTo, tenant, warnings: warning && [warning] });
  const { user, info } = await located({ provider, stage: 'verify' }, () =>
    settings.verify(
      { tokens, profile, req: req as Request, ...told, state },
      new Deadline(settings.verifyTimeout ?? client.timeout),
    ),
  );
  if (user) return { verb: 'success', values: [user, withTold(info, told)] };
  const why = info ?? (user === undefined ? NOTHING : {});
  const asked = askedOf(login);
  const isPlain = Object.keys(asked).length === 0;
  return { verb: 'fail', values: [isPlain ? why : (withTold(why, asked) as object), undefined] };
}

/** The scope was not granted, where the provider says which were. */
function missingRefreshToken(
  { provider }: OAuth2Client,
  { refreshToken, scope }: TokenSet,
): LoginWarning | undefined {
  if (refreshToken !== undefined) return undefined;
  const granted = scope?.split(' ');
  const refused = provider.offlineScopes.filter((name) => granted?.includes(name) === false);
  const words =
    refused.length > 0
      ? `the scope ${refused.join(', ')} was not granted`
      : 'no refresh token came';
  const code = 'refresh_token_missing';
  const hint = provider.hints[code] ?? HINTS[code];
  return { code, message: `${provider.name}: ${words}`, hint };
}

/** The info of `done()`, which is a refusal in Passport, and mostly a slip. */
const NOTHING = {
  message: 'the verify function called done without a user',
  code: 'verify_returned_nothing',
  hint: HINTS.verify_returned_nothing,
};

/** passport-oauth2's rule for the state: it joins an `info` that is an object, and leaves others alone. */
function withTold(info: object | undefined, told: object): object | undefined {
  if (info !== undefined && (typeof info !== 'object' || info === null)) return info;
  const copy = Object.create(Object.getPrototypeOf(info ?? {}) as object | null) as object;
  return Object.assign(copy, info, told);
}

/**
 * Takes an attempt from its store, and never the same one twice.
 *
 * @throws {Problem} naming the reason why there is none
 */
async function takeAttempt(login: Login, state: string): Promise<LoginAttempt> {
  const { req, options, deadline } = login;
  const { store, begun, completed } = login.settings;
  if (isAhead(req)) {
    throw new Problem('callback_ahead', 'the callback was fetched ahead of the person', {
      refusal: 403,
    });
  }
  const missing = (reason: MissingAttempt) => missingAttempt(req, reason, begun.has(state));
  if (completed.has(state)) throw missing('already_completed');
  // An application's own store may return `undefined` in place of a reason.
  const response = responseOf(req, options.response);
  const taken = await deadline.wait(store.take(req, state, response));
  const attempt = taken ?? 'state_unknown';
  if (typeof attempt === 'string') throw missing(attempt);
  if (completed.has(state)) throw missing('already_completed');
  completed.add(state, attempt.expiresAt);
  return attempt;
}

/** passport-oauth2's rules: a flag, a function, or a function that calls back. */
function isSkipped(skip: StrategyOptions['skipUserProfile'], accessToken: string): unknown {
  if (typeof skip !== 'function') return skip;
  if (skip.length < 2) return Reflect.apply(skip, undefined, [accessToken]);
  return calledBack((done) => void Reflect.apply(skip, undefined, [accessToken, done]));
}

/** Of a login that has failed: what a page needs that offers to try again. */
export function askedOf({
  attempt,
}: Login): Pick<LoginInfo, 'returnTo' | 'tenant' | 'environment'> {
  if (attempt === undefined) return {};
  const { returnTo, tenant, environment } = attempt;
  return withoutUndefined({ returnTo, tenant, environment });
}
