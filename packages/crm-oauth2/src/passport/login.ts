/** One login in its two halves. Both decide, and touch nothing of Passport; the strategy acts on their outcome. */
import type { OAuth2Client } from '../client';
import type { ParseErrorResponse } from '../client-requests';
import { HINTS } from '../errors/codes';
import { isObserved, loginId, publish } from '../errors/diagnostics';
import { located } from '../errors/oauth2-error';
import { Problem } from '../errors/problem';
import { extrasOf } from '../protocol/authorization-request';
import { isAuthorizationResponse } from '../protocol/authorization-response';
import type { MissingAttempt } from '../protocol/authorization-response';
import { isPending } from '../protocol/login-attempt';
import type { LoginAttempt } from '../protocol/login-attempt';
import type { TokenSet } from '../protocol/token-set';
import type { Profile } from '../provider/standard-claims';
import { requireCallbackUrl, requireJson } from '../values/options';
import { Deadline } from '../wire/deadline';
import type { AuthenticateOptions, AuthenticateOptionsCheck } from './authenticate-options';
import { calledBack } from './called-back';
import { lostAnswer } from './lost-answer';
import { missingAttempt } from './missing-attempt';
import type { RecentLogins } from './recent-logins';
import { isAhead, isAtCallback, isBelowCallback, resolveCallbackUrl } from './request';
import type { PassportRequest } from './request';
import type { StateStore } from './state-store';
import { pick } from './strategy-options';
import type { StrategyOptions } from './strategy-options';
import type { Request, Verify } from './verify';

/** The outcome of one call of `authenticate`: exactly one of Passport's verbs, and its arguments. */
export type Outcome =
  | { verb: 'redirect'; values: [url: string] }
  | { verb: 'success'; values: [user: unknown, info: object | undefined] }
  | { verb: 'fail'; values: [info: object, status: number | undefined] }
  | { verb: 'error'; values: [error: unknown] };

/** Set up once by a strategy, and shared by all its logins. */
export interface LoginSettings extends Pick<
  StrategyOptions,
  'callbackURL' | 'proxy' | 'skipUserProfile' | 'verifyTimeout'
> {
  client: OAuth2Client;
  store: StateStore;
  begun: RecentLogins;
  completed: RecentLogins;
  /** Where logins were begun so far: at the path of their callback, or at another. */
  begunAt: { callback?: true; elsewhere?: true };
  checkOptions: AuthenticateOptionsCheck;
  verify: Verify;
}

/** passport-oauth2's hooks, as a subclass may have overridden them. */
export interface LoginHooks {
  authorizationParams(): object;
  tokenParams(): object;
  /** A subclass overrides one of the two, and may read options of its own. */
  readOptions: boolean;
  parseErrorResponse?: ParseErrorResponse;
  loadProfile(tokens: TokenSet, deadline: Deadline): Promise<unknown>;
}

/** One call of `authenticate`. */
interface Login extends LoginSettings {
  hooks: LoginHooks;
  req: PassportRequest;
  options: AuthenticateOptions;
  deadline: Deadline;
}

/** Starts a login, or finishes it when the request is the provider's answer. */
export async function runLogin(
  login: Login,
  parameters: Readonly<Record<string, unknown>>,
): Promise<Outcome> {
  login.checkOptions(login.options, login.hooks.readOptions);
  const step = isAnswer(login, parameters) ? finishLogin : startLogin;
  return await step(login, parameters);
}

/** At another path than that of the callback, a `state` by itself is one of the application. */
function isAnswer(
  { req, options, callbackURL }: Login,
  parameters: Readonly<Record<string, unknown>>,
): boolean {
  if (!isAuthorizationResponse(parameters)) return false;
  const url = options.callbackURL ?? callbackURL;
  const hasMore = parameters.code !== undefined || parameters.error !== undefined;
  if (hasMore || url === undefined) return true;
  // Only the path counts.
  const base = 'http://localhost';
  return URL.canParse(url, base) && isAtCallback(req, new URL(url, base).href);
}

/** Begins an attempt, keeps it, and sends the browser to the provider. */
async function startLogin(
  login: Login,
  parameters: Readonly<Record<string, unknown>>,
): Promise<Outcome> {
  const { client, req, options } = login;
  const { provider } = client;
  return await located({ provider, stage: 'authorize' }, async () => {
    const callbackURL =
      options.callbackURL === undefined
        ? login.callbackURL
        : requireCallbackUrl(provider.title, 'callbackURL', options.callbackURL, true);
    const redirectUri = callbackURL && resolveCallbackUrl(req, callbackURL, login.proxy);
    const isAt = redirectUri !== undefined && isAtCallback(req, redirectUri);
    if (isAt || !redirectUri) await refuseLostAnswer(login, parameters, redirectUri);
    if (!redirectUri) throw new Problem('callback_url_missing', 'there is no callbackURL');
    if (options.state !== undefined) requireJson(provider.title, 'state', options.state);
    const { url, attempt } = client.beginLogin({
      redirectUri,
      scope: options.scope,
      extras: pick(options, Object.keys(extrasOf(provider))),
      parameters: { ...login.hooks.authorizationParams() },
      appState: options.state,
    });
    const sameRoute = isAt || isBelowCallback(req, redirectUri);
    const kept = sameRoute ? { ...attempt, sameRoute } : attempt;
    await login.deadline.wait(login.store.begin(req, kept, options.response));
    login.begunAt[sameRoute ? 'callback' : 'elsewhere'] = true;
    login.begun.add(attempt.state, attempt.expiresAt);
    client.prepare(attempt);
    if (isObserved()) {
      const { host } = new URL(url);
      const name = loginId(attempt.state);
      publish({ event: 'login.started', login: name, provider: provider.name, host });
    }
    return { verb: 'redirect', values: [url] };
  });
}

/**
 * A callback that has lost its parameters must not start the next login: the browser would go in
 * circles. Without a `callbackURL`, the pending logins say where their answers come.
 *
 * @throws {Problem} `callback_without_parameters`, `form_not_parsed`
 */
async function refuseLostAnswer(
  { client, store, req, deadline, begunAt }: Login,
  parameters: Readonly<Record<string, unknown>>,
  redirectUri: string | undefined,
): Promise<void> {
  const isOurs = (attempt: LoginAttempt) =>
    attempt.client === client.fingerprint &&
    isPending(attempt) &&
    isAtCallback(req, attempt.redirectUri);
  const pending = ((await deadline.wait(store.pending?.(req))) ?? []).filter(isOurs);
  const uri = redirectUri ?? pending[0]?.redirectUri;
  if (uri === undefined) return;
  const code = lostAnswer({
    req,
    parameters,
    pending,
    ownOrigin: new URL(uri).origin,
    authorizationOrigin: new URL(client.endpoints.authorizationEndpoint).origin,
    beginsElsewhere: begunAt.elsewhere === true && begunAt.callback === undefined,
  });
  if (code === undefined) return;
  throw new Problem(code, 'the callback was called without the answer', { refusal: 403 });
}

/** Takes the attempt, validates the response, redeems the code, gets the profile, verifies. */
async function finishLogin(
  login: Login,
  parameters: Readonly<Record<string, unknown>>,
): Promise<Outcome> {
  const { client, hooks, deadline } = login;
  const { provider } = client;
  if (isObserved()) {
    publish({
      event: 'login.returned',
      login: deadline.login,
      provider: provider.name,
      parameters: Object.keys(parameters).filter((name) => /^[\w-]{1,40}$/.test(name)),
    });
  }
  const response = await client.validateAuthorizationResponse(parameters, (state) =>
    takeAttempt(login, state),
  );
  const tokens = await client.authorizationCodeGrant(response, {
    deadline,
    parameters: { ...hooks.tokenParams() },
    parseErrorResponse: hooks.parseErrorResponse,
  });
  const loaded = await located({ provider, stage: 'profile' }, () => loadProfile(login, tokens));
  const profile = loaded as Profile;
  const { appState: state } = response.attempt;
  const { user, info } = await located({ provider, stage: 'verify' }, () =>
    login.verify(
      { tokens, profile, req: login.req as Request, state },
      new Deadline(login.verifyTimeout ?? client.timeout),
    ),
  );
  if (user) return { verb: 'success', values: [user, withState(info, state)] };
  return { verb: 'fail', values: [info ?? (user === undefined ? NOTHING : {}), undefined] };
}

/** The info of `done()`, which is a refusal in Passport, and mostly a slip. */
const NOTHING = {
  message: 'the verify function called done without a user',
  code: 'verify_returned_nothing',
  hint: HINTS.verify_returned_nothing,
};

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
async function takeAttempt(login: Login, state: string): Promise<LoginAttempt> {
  const { req, begun, completed } = login;
  if (isAhead(req)) {
    throw new Problem('callback_ahead', 'the callback was fetched ahead of the person', {
      refusal: 403,
    });
  }
  const missing = (reason: MissingAttempt) => missingAttempt(req, reason, begun.has(state));
  if (completed.has(state)) throw missing('already_completed');
  // An application's own store may return `undefined` in place of a reason.
  const taken = await login.deadline.wait(login.store.take(req, state, login.options.response));
  const attempt = taken ?? 'state_unknown';
  if (typeof attempt === 'string') throw missing(attempt);
  if (completed.has(state)) throw missing('already_completed');
  completed.add(state, attempt.expiresAt);
  return attempt;
}

async function loadProfile(login: Login, tokens: TokenSet): Promise<unknown> {
  const { hooks, deadline, skipUserProfile } = login;
  const skips = await deadline.wait(isSkipped(skipUserProfile, tokens.accessToken));
  return skips ? undefined : await hooks.loadProfile(tokens, deadline);
}

/** passport-oauth2's rules: a flag, a function, or a function that calls back. */
function isSkipped(skip: StrategyOptions['skipUserProfile'], accessToken: string): unknown {
  if (typeof skip !== 'function') return skip;
  if (skip.length < 2) return Reflect.apply(skip, undefined, [accessToken]);
  return calledBack((done) => void Reflect.apply(skip, undefined, [accessToken, done]));
}
