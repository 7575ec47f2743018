/** One login in its two halves. Both decide, and touch nothing of Passport; the strategy acts on their outcome. */
import type { OAuth2Client } from '../client';
import { isObserved, loginId, publish } from '../errors/diagnostics';
import { located } from '../errors/oauth2-error';
import type { Stage } from '../errors/oauth2-error';
import { Problem } from '../errors/problem';
import { extrasOf } from '../protocol/authorization-request';
import type { MissingAttempt } from '../protocol/authorization-response';
import type { LoginAttempt } from '../protocol/login-attempt';
import type { TokenSet } from '../protocol/token-set';
import type { Provider } from '../provider/description';
import type { Profile } from '../provider/standard-claims';
import type { Deadline } from '../wire/deadline';
import { missingAttempt } from './missing-attempt';
import type { RecentLogins } from './recent-logins';
import { resolveCallbackUrl, trustsProxy } from './request';
import type { PassportRequest, PassportResponse } from './request';
import type { StateStore } from './state-store';
import type { Request, Verify } from './verify';

/** The options of `passport.authenticate` that this family reads, beside the provider's extras. */
export interface AuthenticateOptions {
  scope?: string | readonly string[];
  /** The application's own state: comes back as `req.authInfo.state`, never travels in the URL. */
  state?: unknown;
  callbackURL?: string;
  /** The response, where the framework does not set `req.res`; for {@link CookieStateStore}. */
  response?: PassportResponse;
  /** Seconds since the person last signed in (OpenID Connect Core §3.1.2.1). */
  maxAge?: number;
  [extra: string]: unknown;
}

/** The outcome of one call of `authenticate`: exactly one of Passport's verbs. */
export type Outcome =
  | { verb: 'redirect'; url: string }
  | { verb: 'success'; user: unknown; info: object | undefined }
  | { verb: 'fail'; info: object; status?: number }
  | { verb: 'error'; error: unknown };

/** Set up once by a strategy, and shared by all its logins. */
export interface LoginSettings<Own extends object, P extends Profile> {
  client: OAuth2Client<Own, P>;
  callbackURL: string | undefined;
  trustProxy: boolean;
  stateStore: StateStore;
  begun: RecentLogins;
  completed: RecentLogins;
  skipUserProfile: unknown;
  verify: Verify<P>;
}

/** passport-oauth2's hooks, as a subclass may have overridden them. */
export interface LoginHooks {
  authorizationParams(options: AuthenticateOptions): object;
  tokenParams(options: AuthenticateOptions): object;
  parseErrorResponse?: (body: string, status: number) => Error | null;
  userProfile?: (tokens: TokenSet, deadline: Deadline) => Promise<unknown>;
}

/** One call of `authenticate`. */
export interface LoginCall {
  req: PassportRequest;
  options: AuthenticateOptions;
  deadline: Deadline;
}

/** Begins an attempt, keeps it, and sends the browser to the provider. */
export async function startLogin<Own extends object, P extends Profile>(
  settings: LoginSettings<Own, P>,
  hooks: LoginHooks,
  { req, options, deadline }: LoginCall,
): Promise<Outcome> {
  const { client, stateStore } = settings;
  return await at(client, 'authorize', async () => {
    const { url, attempt } = client.beginLogin({
      redirectUri: redirectUriOf(settings, req, options),
      scope: options.scope,
      extras: pick(options, Object.keys(extrasOf(client.provider))),
      parameters: { ...hooks.authorizationParams(options) },
      appState: options.state,
    });
    await deadline.wait(stateStore.begin(req, attempt, options.response));
    settings.begun.add(attempt.state, attempt.expiresAt);
    client.prepare(attempt);
    if (isObserved()) {
      const { host } = new URL(url);
      publish({
        event: 'login.started',
        login: loginId(attempt.state),
        provider: client.provider.name,
        host,
      });
    }
    return { verb: 'redirect', url };
  });
}

/** Takes the attempt, validates the response, redeems the code, gets the profile, verifies. */
export async function finishLogin<Own extends object, P extends Profile>(
  settings: LoginSettings<Own, P>,
  hooks: LoginHooks,
  { req, options, deadline }: LoginCall,
  parameters: Readonly<Record<string, unknown>>,
): Promise<Outcome> {
  const { client, verify } = settings;
  if (isObserved()) {
    publish({
      event: 'login.returned',
      login: deadline.login,
      provider: client.provider.name,
      parameters: Object.keys(parameters).filter((name) => /^[\w-]{1,40}$/.test(name)),
    });
  }
  const response = await client.validateAuthorizationResponse(parameters, (state) =>
    takeAttempt(settings, { req, options, deadline }, state),
  );
  const tokens = await client.authorizationCodeGrant(response, {
    deadline,
    parameters: { ...hooks.tokenParams(options) },
    parseErrorResponse: hooks.parseErrorResponse,
  });
  const profile = await loadProfile(settings, hooks, tokens, deadline);
  const { appState: state } = response.attempt;
  const { user, info } = await at(client, 'verify', () =>
    verify({ tokens, profile: profile as P, req: req as Request, state }, deadline),
  );
  if (!user) return { verb: 'fail', info: info ?? {} };
  return { verb: 'success', user, info: withState(info, state) };
}

/** A copy with the named fields. */
function pick(options: object, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([name]) => names.includes(name)));
}

/** passport-oauth2's rule: the state joins an `info` that is an object, and leaves others alone. */
function withState(info: object | undefined, state: unknown): object | undefined {
  if (info !== undefined && (typeof info !== 'object' || info === null)) return info;
  const copy = Object.create(Object.getPrototypeOf(info ?? {}) as object | null) as object;
  return Object.assign(copy, info, state !== undefined && { state });
}

/**
 * Takes an attempt from its store, and never the same one twice.
 *
 * @throws {Problem} naming the reason why there is none
 */
async function takeAttempt(
  {
    begun,
    completed,
    stateStore,
  }: Pick<LoginSettings<object, Profile>, 'begun' | 'completed' | 'stateStore'>,
  { req, options, deadline }: LoginCall,
  state: string,
): Promise<LoginAttempt> {
  const missing = (reason: MissingAttempt) => missingAttempt(req, reason, begun.has(state));
  if (completed.has(state)) throw missing('already_completed');
  // An application's own store may return `undefined` in place of a reason.
  const taken = await deadline.wait(stateStore.take(req, state, options.response));
  const attempt = taken ?? 'state_unknown';
  if (typeof attempt === 'string') throw missing(attempt);
  if (completed.has(state)) throw missing('already_completed');
  completed.add(state, attempt.expiresAt);
  return attempt;
}

async function loadProfile<Own extends object, P extends Profile>(
  { client, skipUserProfile }: LoginSettings<Own, P>,
  hooks: LoginHooks,
  tokens: TokenSet,
  deadline: Deadline,
): Promise<unknown> {
  if (typeof skipUserProfile === 'function') {
    const skip = await at(client, 'profile', () =>
      deadline.wait(skips(skipUserProfile, tokens.accessToken)),
    );
    if (skip) return undefined;
  } else if (skipUserProfile) return undefined;
  if (!hooks.userProfile) return await client.fetchProfile(tokens, { deadline });
  const load = hooks.userProfile;
  return await at(client, 'profile', () => deadline.wait(load(tokens, deadline)));
}

/** passport-oauth2's rules: a function, or one that calls back. */
// oxlint-disable-next-line typescript/no-unsafe-function-type -- the application's, whatever its type
async function skips(skipUserProfile: Function, accessToken: string): Promise<boolean> {
  if (skipUserProfile.length < 2) {
    return Boolean(await Reflect.apply(skipUserProfile, undefined, [accessToken]));
  }
  return await new Promise((resolve, reject) => {
    const done = (error: unknown, skip?: unknown) =>
      error ? reject(error) : resolve(Boolean(skip));
    Reflect.apply(skipUserProfile, undefined, [accessToken, done]);
  });
}

/** @throws {Problem} `callback_url_missing`, `callback_url_unresolvable` */
function redirectUriOf(
  settings: { callbackURL: string | undefined; trustProxy: boolean },
  req: PassportRequest,
  options: AuthenticateOptions,
): string {
  const callbackURL = options.callbackURL ?? settings.callbackURL;
  if (!callbackURL) throw new Problem('callback_url_missing', 'there is no callbackURL');
  return resolveCallbackUrl(req, callbackURL, () => settings.trustProxy || trustsProxy(req));
}

function at<T>(
  { provider }: { provider: Pick<Provider, 'name' | 'hints'> },
  stage: Stage,
  step: () => T | Promise<T>,
): Promise<T> {
  return located({ provider, stage }, step);
}
