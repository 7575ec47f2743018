/** The base class of the strategies: Passport calls `authenticate` to start and to finish a login. */
import OAuth2Strategy = require('passport-oauth2');
import { OAuth2Client } from '../client';
import { isObserved, publish } from '../errors/diagnostics';
import { describe, isOAuth2Error } from '../errors/oauth2-error';
import { isAuthorizationResponse } from '../protocol/authorization-response';
import { processTokenError } from '../protocol/token-endpoint';
import type { TokenSet } from '../protocol/token-set';
import type { Provider } from '../provider/description';
import type { Profile } from '../provider/standard-claims';
import { Deadline } from '../wire/deadline';
import { hide, routeClassicRefreshes } from './classic-oauth2';
import { TokenError, asPassportError } from './errors';
import { finishLogin, startLogin } from './login';
import type { AuthenticateOptions, LoginHooks, LoginSettings, Outcome } from './login';
import { RecentLogins } from './recent-logins';
import { callbackParameters } from './request';
import type { PassportRequest } from './request';
import { SessionStateStore } from './session-state-store';
import { requireStateStore } from './state-store';
import { checkStrategyOptions, chooseVerify, clientOptionsOf } from './strategy-options';
import type { StrategyOptions } from './strategy-options';
import type {
  AnyVerifyFunction,
  TypedVerify,
  VerifyFunction,
  VerifyFunctionWithParams,
  VerifyFunctionWithRequest,
  VerifyFunctionWithRequestAndParams,
} from './verify';

/** Passport's verbs, bound to the request they were made for. */
type Actions = Pick<OAuth2Strategy, 'success' | 'fail' | 'redirect' | 'error'>;

// Passport calls a strategy through Object.create(strategy), which has no #private fields. A subclass
// might use a plain name for itself. So the keys are symbols.
/** The settings that the constructor made. */
const SETTINGS = Symbol('login settings');
/** The login that `userProfile` is called for. */
const LOGIN = Symbol('login');

interface Login {
  tokens: TokenSet;
  deadline?: Deadline;
}

// This type leaves out the static members. With them, the declarations of subclasses would inherit
// passport-oauth2's `Strategy`, and clash with their own.
const Base: new (
  options: OAuth2Strategy.StrategyOptions,
  verify: OAuth2Strategy.VerifyFunction,
) => OAuth2Strategy = OAuth2Strategy;

/**
 * A strategy for a described provider. It keeps the interface of Passport and passport-oauth2 (verbs,
 * options, `_oauth2`, subclass hooks). Its client handles the protocol.
 */
export abstract class ProviderStrategy<
  Own extends object = object,
  P extends Profile = Profile,
> extends Base {
  /** The same client without Passport: refresh, revoke, client credentials. */
  readonly client: OAuth2Client<Own, P>;

  /** @throws {TypeError} naming the option that is missing, unknown or wrong */
  constructor(
    provider: Provider<Own, P>,
    options: StrategyOptions<P> & Own,
    verify?: AnyVerifyFunction<P>,
  ) {
    const owner = provider.title;
    checkStrategyOptions(owner, options, Object.keys(provider.options));
    const call = chooseVerify(owner, options, verify);
    const client = new OAuth2Client(provider, clientOptionsOf(provider, options));
    const { callbackURL, sessionKey = `oauth2:${provider.name}`, store, customHeaders } = options;

    super(
      {
        authorizationURL: client.endpoints.authorizationEndpoint,
        tokenURL: client.endpoints.tokenEndpoint,
        clientID: client.clientID,
        clientSecret: options.clientSecret ?? '',
        callbackURL,
        customHeaders: customHeaders && { ...customHeaders },
        scope: [...client.scopes()],
        sessionKey,
      },
      (verify ?? options.verify) as OAuth2Strategy.VerifyFunction,
    );
    this.name = provider.name;
    this.client = client;
    const settings: LoginSettings<Own, P> = {
      client,
      callbackURL,
      trustProxy: options.proxy === true,
      stateStore:
        store === undefined ? new SessionStateStore(sessionKey) : requireStateStore(owner, store),
      begun: new RecentLogins(),
      completed: new RecentLogins(),
      skipUserProfile: options.skipUserProfile,
      verify: call,
    };
    Object.defineProperty(this, SETTINGS, { value: settings });
    routeClassicRefreshes(this._oauth2, client, options.agent);
    hide(this, '_oauth2');
  }

  /**
   * Starts a login, or finishes it when the request is the provider's answer.
   *
   * Passport sets its verbs (`success`, `fail`, …) on a strategy for each request. An application may
   * pass the instance itself to Passport: a second request then replaces the verbs of the first. So
   * this method binds the verbs before the first await. The login decides on one outcome, and only
   * then is a verb called.
   */
  override authenticate(req: PassportRequest, options: AuthenticateOptions = {}): void {
    const actions: Actions = {
      success: this.success.bind(this),
      fail: this.fail.bind(this),
      redirect: this.redirect.bind(this),
      error: this.error.bind(this),
    };
    const parameters = callbackParameters(req);
    const login = typeof parameters.state === 'string' ? parameters.state : undefined;
    const call = { req, options, deadline: new Deadline(this.client.timeout, login) };
    const settings = Reflect.get(this, SETTINGS) as LoginSettings<Own, P>;
    const step = isAuthorizationResponse(parameters)
      ? finishLogin(settings, hooksOf(this), call, parameters)
      : startLogin(settings, hooksOf(this), call);
    void step.catch(outcomeOf).then((outcome) => {
      try {
        report(this.name, outcome, call.deadline);
        act(outcome, actions);
      } catch (error) {
        // A verb throws when the application's callback has a bug. The request is then unanswered, and
        // `error` answers it. If `error` throws too, the application gets an uncaught exception.
        process.nextTick(() => actions.error(asError(error)));
      }
    });
  }

  /**
   * The profile for an access token: passport-oauth2's hook. During a login, an override that calls
   * `super.userProfile` gets the profile made from the whole token response, with its ID Token.
   */
  override userProfile(accessToken: string, done: (error?: unknown, profile?: P) => void): void {
    const login = Reflect.get(this, LOGIN) as Login | undefined;
    const tokens = login?.tokens ?? { accessToken, tokenType: 'Bearer', response: {} };
    this.client.fetchProfile(tokens, { deadline: login?.deadline }).then(
      (profile) => process.nextTick(done, null, profile),
      (error: unknown) => process.nextTick(done, asPassportError(error)),
    );
  }

  /** passport-oauth2's hook: a token endpoint's error body as an error, or `null`. */
  override parseErrorResponse(body: string, status: number): Error | null {
    const { provider } = this.client;
    const headers = { 'content-type': 'application/json' };
    const problem = processTokenError({ status, headers, body }, [], provider.tokenError);
    const error = asPassportError(describe(problem, { provider, stage: 'token' }));
    return error instanceof TokenError ? error : null;
  }
}

/** passport-oauth2's hooks. The last two are present only when a subclass overrides them. */
function hooksOf<Own extends object, P extends Profile>(
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
          // An override may be async: its rejection fails the login, and its value is ignored.
          Promise.resolve(login.userProfile(tokens.accessToken, done)).catch(reject);
        }),
    }),
  };
}

/** `fail` when the person or the browser caused it, `error` otherwise. */
function outcomeOf(error: unknown): Outcome {
  if (!isOAuth2Error(error) || error.refusal === undefined) {
    return { verb: 'error', error: asError(asPassportError(error)) };
  }
  const { message, code, hint, refusal } = error;
  return { verb: 'fail', info: { message, code, hint }, status: refusal };
}

/**
 * An Error in place of a value that is not an object. Application code may reject with any value,
 * and Passport passes the value to Express' `next`. `undefined`, `'route'` and `'router'` are not
 * errors for `next`: it runs the handlers that follow, as if the person were logged in.
 */
function asError(reason: unknown): unknown {
  return typeof reason === 'object' && reason !== null
    ? reason
    : new Error(`the login failed with ${String(reason)}, which is not an error`);
}

/** Publishes how a login ended; a redirect is only its beginning. */
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
      actions.error(outcome.error);
      break;
  }
}

type OptionsWithVerifyArgument<Own, P extends Profile, WithRequest extends boolean> = Omit<
  StrategyOptions<P>,
  'verify' | 'passReqToCallback'
> &
  Own &
  (WithRequest extends true ? { passReqToCallback: true } : { passReqToCallback?: false });

/** One constructor signature for each form of verify, so that TypeScript checks its arguments. */
export interface StrategyClass<Own extends object, P extends Profile> {
  new (
    options: OptionsWithVerifyArgument<Own, P, false>,
    verify: VerifyFunction<P>,
  ): ProviderStrategy<Own, P>;
  new (
    options: OptionsWithVerifyArgument<Own, P, false>,
    verify: VerifyFunctionWithParams<P>,
  ): ProviderStrategy<Own, P>;
  new (
    options: OptionsWithVerifyArgument<Own, P, true>,
    verify: VerifyFunctionWithRequest<P>,
  ): ProviderStrategy<Own, P>;
  new (
    options: OptionsWithVerifyArgument<Own, P, true>,
    verify: VerifyFunctionWithRequestAndParams<P>,
  ): ProviderStrategy<Own, P>;
  new (
    options: OptionsWithVerifyArgument<Own, P, false> & { verify: TypedVerify<P> },
  ): ProviderStrategy<Own, P>;
}

/**
 * The strategy class of a described provider, to be extended under the provider's name.
 *
 * @example
 * class AcmeStrategy extends strategyFor(acme) {}
 */
export function strategyFor<Own extends object, P extends Profile>(
  provider: Provider<Own, P>,
): StrategyClass<Own, P> {
  return class extends ProviderStrategy<Own, P> {
    constructor(options: StrategyOptions<P> & Own, verify?: AnyVerifyFunction<P>) {
      super(provider, options, verify);
    }
  };
}
