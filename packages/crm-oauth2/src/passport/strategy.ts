import OAuth2Strategy = require('passport-oauth2');
import { isAuthorizationResponse } from '../protocol/authorization-response';
import { CLIENT_OPTIONS, OAuth2Client } from '../client';
import type { ClientOptions } from '../client';
import { Deadline } from '../wire/deadline';
import { isObserved, publish } from '../errors/diagnostics';
import { TokenError, describe, isOAuth2Error } from '../errors/oauth2-error';
import type { Agent } from '../wire/http';
import { refuseUnknownOptions, requireBoolean, requireString } from '../values/options';
import type { Profile, ProviderDescription } from '../provider/description';
import { processTokenError } from '../protocol/token-endpoint';
import type { TokenSet } from '../protocol/token-set';
import { RecentLogins } from './recent-logins';
import { finishLogin, startLogin } from './login';
import type { AuthenticateOptions, LoginHooks, LoginSettings, Outcome } from './login';
import { callbackParameters } from './request';
import type { LoginRequest } from './request';
import { SessionStateStore } from './session-state-store';
import { requireStateStore } from './state-store';
import type { StateStore } from './state-store';
import { classicVerify, typedVerify } from './verify';
import type {
  AnyVerifyFunction,
  TypedVerify,
  Verify,
  VerifyFunction,
  VerifyFunctionWithParams,
  VerifyFunctionWithRequest,
  VerifyFunctionWithRequestAndParams,
} from './verify';

/** The options of passport-oauth2, and ours; the provider's own come beside them. */
export interface StrategyOptions<P extends Profile = Profile> extends ClientOptions {
  /** Absolute, or relative to the request. Registered at the provider, character by character. */
  callbackURL?: string;
  /** Passes the request to verify as its first argument. */
  passReqToCallback?: boolean;
  /** Believe `x-forwarded-proto` and `-host` when a relative `callbackURL` is resolved. */
  proxy?: boolean;
  /** Where in the session pending logins are kept; default `oauth2:` and the provider's name. */
  sessionKey?: string;
  /** Keeps pending logins elsewhere than in the session. */
  store?: StateStore;
  /** No profile request; verify gets `undefined`. */
  skipUserProfile?: boolean | SkipUserProfile;
  /** One typed object in place of the classic verify function. */
  verify?: TypedVerify<P>;
  /** Always on. */
  state?: true;
  /** Always on, with S256. */
  pkce?: true | 'S256';
  /** Always a space. */
  scopeSeparator?: ' ';
}

type SkipUserProfile =
  (() => boolean) | ((accessToken: string, done: (error: unknown, skip?: boolean) => void) => void);

const STRATEGY_OPTIONS = [
  'callbackURL',
  'passReqToCallback',
  'proxy',
  'sessionKey',
  'store',
  'skipUserProfile',
  'verify',
  'state',
  'pkce',
  'scopeSeparator',
] as const satisfies readonly (keyof StrategyOptions)[];

/** Passport's verbs, bound to the request they were made for. */
type Actions = Pick<OAuth2Strategy, 'success' | 'fail' | 'redirect' | 'error'>;

/** What the constructor set up. */
const SETTINGS = Symbol('login settings');

/** Where `userProfile` finds the login it is called for. */
const LOGIN = Symbol('login');

interface Login {
  tokens: TokenSet;
  deadline?: Deadline;
}

// Without statics: otherwise the declarations of subclasses would inherit passport-oauth2's
// `Strategy` and clash with their own.
const Base: new (
  options: OAuth2Strategy.StrategyOptions,
  verify: OAuth2Strategy.VerifyFunction,
) => OAuth2Strategy = OAuth2Strategy;

/**
 * The Passport door: a strategy for a described provider. It keeps Passport's and passport-oauth2's
 * handshakes (verbs, options, `_oauth2`, subclass hooks) and leaves the protocol to its client.
 *
 * A login starts in {@link authenticate}.
 */
export abstract class ProviderStrategy<
  Own extends object = object,
  P extends Profile = Profile,
> extends Base {
  /** The same client without Passport: refresh, revoke, client credentials. */
  readonly client: OAuth2Client<Own, P>;
  // Not #private, since Passport calls a strategy through Object.create(strategy); and no plain
  // name, which a subclass might use for itself.
  readonly [SETTINGS]: LoginSettings<Own, P>;

  /** @throws {TypeError} naming the option that is missing, unknown or wrong */
  constructor(
    provider: ProviderDescription<Own, P>,
    options: StrategyOptions<P> & Own,
    verify?: AnyVerifyFunction<P>,
  ) {
    const owner = provider.title;
    const ownNames = Object.keys(provider.options);
    checkStrategyOptions(owner, options, [...CLIENT_OPTIONS, ...STRATEGY_OPTIONS, ...ownNames]);
    const call = chooseVerify(owner, options, verify);
    const client = new OAuth2Client(provider, pick(options, [...CLIENT_OPTIONS, ...ownNames]));
    const sessionKey = options.sessionKey ?? `oauth2:${provider.name}`;

    super(
      {
        authorizationURL: client.endpoints.authorizationEndpoint,
        tokenURL: client.endpoints.tokenEndpoint,
        clientID: client.clientID,
        clientSecret: options.clientSecret ?? '',
        callbackURL: options.callbackURL,
        customHeaders: options.customHeaders && { ...options.customHeaders },
        scope: [...client.scopes()],
        sessionKey,
      },
      (verify ?? options.verify) as OAuth2Strategy.VerifyFunction,
    );
    this.name = provider.name;
    this.client = client;
    this[SETTINGS] = {
      client,
      callbackURL: options.callbackURL,
      trustProxy: options.proxy === true,
      stateStore:
        options.store === undefined
          ? new SessionStateStore(sessionKey)
          : requireStateStore(owner, options.store),
      begun: new RecentLogins(),
      completed: new RecentLogins(),
      skipUserProfile: options.skipUserProfile,
      verify: call,
    };
    adopt(this._oauth2, client, options.agent);
  }

  /**
   * Starts a login, or finishes it when the request is the provider's answer.
   *
   * The verbs are taken off `this` before anything is awaited: Passport puts them on the very
   * instance it is given, and a second request would replace them meanwhile. The outcome is
   * decided first and acted upon afterwards, so that there is exactly one.
   */
  override authenticate(req: LoginRequest, options: AuthenticateOptions = {}): void {
    const actions: Actions = {
      success: this.success.bind(this),
      fail: this.fail.bind(this),
      redirect: this.redirect.bind(this),
      error: this.error.bind(this),
    };
    const parameters = callbackParameters(req);
    const login = typeof parameters.state === 'string' ? parameters.state : undefined;
    const call = { req, options, deadline: new Deadline(this.client.timeout, login) };
    const hooks = overriddenHooks(this);
    const step = isAuthorizationResponse(parameters)
      ? finishLogin(this[SETTINGS], hooks, call, parameters)
      : startLogin(this[SETTINGS], hooks, call);
    void step.catch(failure).then((outcome) => {
      try {
        report(this.name, outcome, call.deadline);
        act(outcome, actions);
      } catch (error) {
        // A verb that throws, say a custom callback with a bug, has not answered the request. One that
        // throws again leaves nobody to tell: the application's own uncaught exception.
        process.nextTick(() => actions.error(asError(error)));
      }
    });
  }

  /**
   * The profile for an access token: passport-oauth2's hook. An override that calls it through
   * `super` during a login gets the whole token response taken into account.
   */
  override userProfile(accessToken: string, done: (error?: unknown, profile?: P) => void): void {
    const login = Reflect.get(this, LOGIN) as Login | undefined;
    const tokens = login?.tokens ?? { accessToken, tokenType: 'Bearer', response: {} };
    this.client.fetchProfile(tokens, { deadline: login?.deadline }).then(
      (profile) => process.nextTick(done, null, profile),
      (error: unknown) => process.nextTick(done, error),
    );
  }

  /** passport-oauth2's hook: a token endpoint's error body as an error, or `null`. */
  override parseErrorResponse(body: string, status: number): Error | null {
    const headers = { 'content-type': 'application/json' };
    const problem = processTokenError({ status, headers, body }, []);
    const where = { provider: this.client.provider.name, stage: 'token' as const };
    const error = describe(problem, where, this.client.provider.hints);
    return error instanceof TokenError ? error : null;
  }
}

/** The hooks as this strategy has them; those that nobody has overridden are not called at all. */
function overriddenHooks<Own extends object, P extends Profile>(
  strategy: ProviderStrategy<Own, P>,
): LoginHooks {
  const own: object = ProviderStrategy.prototype;
  const isOverridden = (hook: 'parseErrorResponse' | 'userProfile') =>
    strategy[hook] !== Reflect.get(own, hook);
  return {
    authorizationParams: (options) => strategy.authorizationParams(options),
    tokenParams: (options) => strategy.tokenParams(options),
    ...(isOverridden('parseErrorResponse') && {
      parseErrorResponse: (body, status) => strategy.parseErrorResponse(body, status),
    }),
    ...(isOverridden('userProfile') && {
      userProfile: (tokens, deadline) =>
        new Promise((resolve, reject) => {
          const done = (error?: unknown, profile?: unknown) =>
            error ? reject(error) : resolve(profile);
          const login = Object.create(strategy, {
            [LOGIN]: { value: { tokens, deadline } satisfies Login },
          }) as typeof strategy;
          // An override may be async: its rejection counts, its value does not.
          Promise.resolve(login.userProfile(tokens.accessToken, done)).catch(reject);
        }),
    }),
  };
}

type TypedOptions<Own, P extends Profile, WithRequest extends boolean> = Omit<
  StrategyOptions<P>,
  'verify' | 'passReqToCallback'
> &
  Own &
  (WithRequest extends true ? { passReqToCallback: true } : { passReqToCallback?: false });

/** The ways to construct a strategy, told apart so that the arguments of verify are typed. */
export interface StrategyClass<Own extends object, P extends Profile> {
  new (options: TypedOptions<Own, P, false>, verify: VerifyFunction<P>): ProviderStrategy<Own, P>;
  new (
    options: TypedOptions<Own, P, false>,
    verify: VerifyFunctionWithParams<P>,
  ): ProviderStrategy<Own, P>;
  new (
    options: TypedOptions<Own, P, true>,
    verify: VerifyFunctionWithRequest<P>,
  ): ProviderStrategy<Own, P>;
  new (
    options: TypedOptions<Own, P, true>,
    verify: VerifyFunctionWithRequestAndParams<P>,
  ): ProviderStrategy<Own, P>;
  new (options: TypedOptions<Own, P, false> & { verify: TypedVerify<P> }): ProviderStrategy<Own, P>;
}

/**
 * The strategy class of a described provider, to be extended under the provider's name.
 *
 * @example
 * class AcmeStrategy extends strategyFor(acme) {}
 */
export function strategyFor<Own extends object, P extends Profile>(
  provider: ProviderDescription<Own, P>,
): StrategyClass<Own, P> {
  return class extends ProviderStrategy<Own, P> {
    constructor(options: StrategyOptions<P> & Own, verify?: AnyVerifyFunction<P>) {
      super(provider, options, verify);
    }
  };
}

/**
 * An application may reject with anything. Passport hands it to `next`, which takes nothing, and the
 * words `route` and `router`, for leave to go on: as if the person were logged in.
 */
function asError(reason: unknown): unknown {
  return typeof reason === 'object' && reason !== null
    ? reason
    : new Error(`the login failed with ${String(reason)}, which is no error`);
}

/** What a person or a browser did is `fail`; everything else is `error`. */
function failure(error: unknown): Outcome {
  if (!isOAuth2Error(error) || error.refusal === undefined) return { verb: 'error', error };
  const { message, code, hint, refusal } = error;
  return { verb: 'fail', info: { message, code, hint }, status: refusal };
}

/** Tells how a login ended; a redirect is only its beginning. */
function report(provider: string, outcome: Outcome, deadline: Deadline): void {
  if (outcome.verb === 'redirect' || !isObserved()) return;
  const failed: unknown =
    outcome.verb === 'fail' ? outcome.info : outcome.verb === 'error' && outcome.error;
  const word = (name: string): string | undefined => {
    const value: unknown = Reflect.get(Object(failed), name);
    return typeof value === 'string' ? value : undefined;
  };
  publish({
    event: 'login.ended',
    login: deadline.login,
    provider,
    outcome: outcome.verb,
    code: word('code'),
    stage: word('stage'),
    hint: word('hint'),
    duration: deadline.elapsed(),
  });
}

function act(outcome: Outcome, actions: Actions): void {
  switch (outcome.verb) {
    case 'redirect':
      actions.redirect(outcome.url);
      break;
    case 'success':
      actions.success(outcome.user as Express.User, outcome.info);
      break;
    case 'fail':
      actions.fail(outcome.info, outcome.status);
      break;
    case 'error':
      actions.error(asError(outcome.error));
      break;
  }
}

function checkStrategyOptions(owner: string, options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`${owner}: the first argument must be the options`);
  }
  refuseUnknownOptions(owner, options, known);
  const { state, pkce, scopeSeparator, callbackURL } = options as Readonly<Record<string, unknown>>;
  if (state !== undefined && state !== true) {
    throw new TypeError(
      `${owner}: option "state" cannot be turned off: without it anybody can log your users in to an account of theirs (RFC 9700 §4.7). The application's own state goes to authenticate()`,
    );
  }
  if (pkce !== undefined && pkce !== true && pkce !== 'S256') {
    throw new TypeError(
      `${owner}: option "pkce" cannot be turned off or weakened: it is what makes a stolen code useless (RFC 9700 §2.1.1)`,
    );
  }
  if (scopeSeparator !== undefined && scopeSeparator !== ' ') {
    throw new TypeError(`${owner}: option "scopeSeparator" must be a space (RFC 6749 §3.3)`);
  }
  if (callbackURL !== undefined) requireString(owner, 'callbackURL', callbackURL);
  const { sessionKey, passReqToCallback, proxy, skipUserProfile } = options as Readonly<
    Record<string, unknown>
  >;
  if (sessionKey !== undefined) requireString(owner, 'sessionKey', sessionKey);
  requireBoolean(owner, 'passReqToCallback', passReqToCallback);
  requireBoolean(owner, 'proxy', proxy);
  if (typeof skipUserProfile !== 'function') {
    requireBoolean(owner, 'skipUserProfile', skipUserProfile);
  }
}

function chooseVerify<P extends Profile>(
  owner: string,
  options: StrategyOptions<P>,
  verify: unknown,
): Verify<P> {
  const typed: unknown = options.verify;
  if (typed !== undefined && verify !== undefined) {
    throw new TypeError(`${owner}: pass verify as the second argument or as an option, not both`);
  }
  if (typeof typed === 'function') return typedVerify(typed as TypedVerify<P>);
  if (typeof verify === 'function') {
    return classicVerify(verify as AnyVerifyFunction<P>, options.passReqToCallback === true);
  }
  throw new TypeError(`${owner}: a verify function is required`);
}

/** A copy with the named options. */
function pick<T extends object>(options: T, names: readonly string[]): T {
  return Object.fromEntries(Object.entries(options).filter(([name]) => names.includes(name))) as T;
}

/** The `oauth` package calls it `statusCode`, and so do those who use passport-oauth2-refresh. */
function withStatusCode(error: unknown): unknown {
  return isOAuth2Error(error) ? Object.assign(error, { statusCode: error.status }) : error;
}

/**
 * `_oauth2` is what passport-oauth2-refresh and older code reach for. Its refreshes go through our
 * client, and its GETs carry the token in the header instead of the URL.
 */
function adopt(
  oauth2: OAuth2Strategy['_oauth2'],
  client: Pick<OAuth2Client, 'refreshTokenGrant'>,
  agent: Agent | undefined,
): void {
  type GetAccessToken = (
    code: string,
    params: Record<string, string>,
    done: (error: unknown, accessToken?: string, refreshToken?: string, params?: object) => void,
  ) => void;
  const original = oauth2.getOAuthAccessToken as GetAccessToken;
  const refreshing: GetAccessToken = function (this: unknown, code, params, done) {
    const { grant_type: grantType, scope, ...parameters } = params ?? {};
    if (grantType !== 'refresh_token') {
      Reflect.apply(original, this, [code, params, done]);
      return;
    }
    // Called back outside the promise, so that an error of the callback is not a lost rejection.
    client.refreshTokenGrant(code, { scope, parameters }).then(
      ({ accessToken, refreshToken, response }) =>
        process.nextTick(done, null, accessToken, refreshToken, { ...response }),
      (error: unknown) => process.nextTick(done, withStatusCode(error)),
    );
  };
  Object.assign(oauth2, { getOAuthAccessToken: refreshing });
  oauth2.useAuthorizationHeaderforGET(true);
  if (agent) Object.assign(oauth2, { _agent: agent });
}
