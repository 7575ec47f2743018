/** The base class of the strategies: Passport calls `authenticate` to start and to finish a login. */
import OAuth2Strategy = require('passport-oauth2');
import { OAuth2Client } from '../client';
import { CLIENT_OPTIONS } from '../client-options';
import { isObserved, publish } from '../errors/diagnostics';
import { describe, isOAuth2Error, located } from '../errors/oauth2-error';
import { processTokenError } from '../protocol/token-endpoint';
import type { TokenSet } from '../protocol/token-set';
import type { Provider } from '../provider/description';
import type { Profile } from '../provider/standard-claims';
import { ownFields, text } from '../values/json';
import { requireString } from '../values/options';
import { Deadline } from '../wire/deadline';
import { authenticateOptionsCheck } from './authenticate-options';
import type { AuthenticateOptions } from './authenticate-options';
import { hide, refuseGrants, routeClassicRefreshes } from './classic-oauth2';
import { TokenError, asPassportError } from './errors';
import { calledBack } from './called-back';
import { runLogin } from './login';
import { askedOf } from './login-finish';
import type { Login, LoginHooks, LoginSettings, Outcome } from './login-parts';
import { judgeOrganizations } from './organizations';
import { RecentLogins } from './recent-logins';
import { callbackParameters } from './request';
import type { PassportRequest } from './request';
import { SessionStateStore } from './session-state-store';
import { Registrations } from './registrations';
import type { TenantResolver } from './registrations';
import {
  OWN_OPTIONS,
  choosersOf,
  chooseVerify,
  extrasOfLinks,
  judgeStrategyOptions,
  pick,
} from './strategy-options';
import type { OrTenant, StrategyOptions } from './strategy-options';
import type { AnyVerifyFunction } from './verify';

// Passport calls a strategy through Object.create(strategy), which has no #private fields. A subclass
// might use a plain name for itself. So the keys are symbols.
/** The settings that the constructor made. */
const SETTINGS = Symbol('login settings');
/** The login that `userProfile` is called for: a {@link ProfileCall}. */
const LOGIN = Symbol('login');

interface ProfileCall {
  client: OAuth2Client;
  tokens: TokenSet;
  deadline: Deadline;
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
    givenOptions: OrTenant<StrategyOptions<P, Own> & Own>,
    verify?: AnyVerifyFunction<P>,
  ) {
    const options = judgeStrategyOptions(provider, givenOptions);
    const { title, name } = provider;
    const call = chooseVerify(title, options, verify);
    const given = pick(options, [...CLIENT_OPTIONS, ...Object.keys(provider.options)]);
    const choosers = choosersOf(provider, given);
    const clientOptions = Object.fromEntries(
      Object.entries(given).filter(([option]) => !(option in choosers)),
    );
    const { tenant, callbackURL, customHeaders } = options;
    const hasOwnClient = tenant === undefined || options.clientID !== undefined;
    const placeholder = hasOwnClient ? {} : { clientID: TENANTS_ONLY };
    const client = new OAuth2Client(provider, { ...clientOptions, ...placeholder } as never);
    const { sessionKey = `oauth2:${name}` } = options;
    const registration = ownFields({
      client,
      callbackURL,
      allowedOrganizations: judgeOrganizations(title, provider, options.allowedOrganizations),
      offline: options.offline,
    });

    super(
      ownFields({
        authorizationURL: client.endpoints.authorizationEndpoint,
        tokenURL: client.endpoints.tokenEndpoint,
        clientID: client.clientID,
        clientSecret: options.clientSecret ?? '',
        callbackURL: typeof callbackURL === 'string' ? callbackURL : undefined,
        customHeaders: customHeaders && { ...customHeaders },
        scope: [...client.scopes()],
        sessionKey,
      }),
      (verify ?? options.verify) as OAuth2Strategy.VerifyFunction,
    );
    this.name = name;
    this.client = client;
    if (!hasOwnClient) hideClient(this);
    const settings: LoginSettings = {
      client,
      callbackURL,
      proxy: options.proxy,
      skipUserProfile: options.skipUserProfile,
      verifyTimeout: options.verifyTimeout,
      choosers,
      linkExtras: extrasOfLinks(provider, options.extrasFromQuery),
      registrations: new Registrations(registration, clientOptions, tenant as TenantResolver),
      verify: call,
      store: options.store ?? new SessionStateStore(sessionKey),
      begun: new RecentLogins(),
      completed: new RecentLogins(),
      begunAt: {},
      checkOptions: authenticateOptionsCheck(provider, OWN_OPTIONS),
    };
    Object.defineProperty(this, SETTINGS, { value: settings });
    routeClassicRefreshes(this._oauth2, client, options.agent);
    if (!hasOwnClient) refuseGrants(this._oauth2, () => noClientHere(provider));
    hide(this, '_oauth2');
  }

  /**
   * Starts a login, or finishes it when the request is the provider's answer.
   *
   * Passport sets its verbs (`success`, `fail`, …) on a strategy for each request. An application may
   * pass the instance itself to Passport: a second request then replaces the verbs of the first. So
   * this method reads the verbs before the first await. The login decides on one outcome, and only
   * then is a verb called.
   */
  override authenticate(req: PassportRequest, options: AuthenticateOptions = {}): void {
    const { success, fail, redirect, error } = this;
    const verbs = { success, fail, redirect, error };
    const act = ({ verb, values }: Outcome) => void Reflect.apply(verbs[verb], this, values);
    const parameters = ownFields(callbackParameters(req));
    const settings = Reflect.get(this, SETTINGS) as LoginSettings;
    const deadline = new Deadline(settings.client.timeout, text(parameters.state));
    const hooks = hooksOf(this, options);
    const own = ownFields(options);
    const login: Login = { settings, hooks, req, options: own, deadline, attempt: undefined };
    void settle(this.name, login, parameters, act);
  }

  /**
   * The profile for an access token: passport-oauth2's hook. During a login, an override that calls
   * `super.userProfile` gets the profile made from the whole token response, with its ID Token.
   */
  override userProfile(accessToken: string, done: (error?: unknown, profile?: P) => void): void {
    const login = Reflect.get(this, LOGIN) as ProfileCall | undefined;
    const { client, tokens, deadline } = login ?? {
      client: this.client,
      tokens: { accessToken, tokenType: 'Bearer', response: {} },
      deadline: undefined,
    };
    client.fetchProfile(tokens, { deadline }).then(
      (profile) => process.nextTick(done, null, profile as P),
      (error: unknown) => process.nextTick(done, asPassportError(error)),
    );
  }

  /**
   * The client of a tenant, for everything after the login: refreshes, revocation, the API. The option
   * `tenant` is asked for the key, with a request that has no address.
   *
   * @throws {OAuth2Error} `tenant_unknown`, `tenant_mismatch`, `tenant_timeout`, and the errors of `tenant`
   * @throws {TypeError} without the option `tenant`, and without a key
   */
  async clientFor(key: string): Promise<OAuth2Client<Own, P>> {
    const { client, registrations } = Reflect.get(this, SETTINGS) as LoginSettings;
    const { provider, timeout } = client;
    requireString(provider.title, 'key', key);
    const found = await located({ provider, stage: 'authorize' }, () =>
      registrations.find({ headers: {} }, new Deadline(timeout), key),
    );
    if (found.tenant !== undefined) return found.client as OAuth2Client<Own, P>;
    throw new TypeError(`${provider.title}: clientFor(key) needs the option "tenant"`);
  }

  /** passport-oauth2's hook: a token endpoint's error body as an error, or `null`. */
  override parseErrorResponse(body: string, status: number): Error | null {
    const { provider } = (Reflect.get(this, SETTINGS) as LoginSettings).client;
    const headers = { 'content-type': 'application/json' };
    const problem = processTokenError({ status, headers, body }, [], provider);
    const error = asPassportError(describe(problem, { provider, stage: 'token' }));
    return error instanceof TokenError ? error : null;
  }
}

/** Stands for the client id where only tenants have one. It never reaches a provider. */
const TENANTS_ONLY = 'given by the tenant';

function noClientHere({ title }: Provider): TypeError {
  return new TypeError(`${title}: every login has the client of its tenant; call clientFor(key)`);
}

function hideClient(strategy: { readonly client: OAuth2Client }): void {
  const { provider } = strategy.client;
  const get = (): never => {
    throw noClientHere(provider);
  };
  Object.defineProperty(strategy, 'client', { get, enumerable: false });
}

/** passport-oauth2's hooks. An error body and a profile go through a subclass only if it overrides them. */
function hooksOf(strategy: ProviderStrategy, options: AuthenticateOptions): LoginHooks {
  const { parseErrorResponse, userProfile, authorizationParams, tokenParams } =
    ProviderStrategy.prototype;
  return {
    authorizationParams: () => strategy.authorizationParams(options),
    tokenParams: () => strategy.tokenParams(options),
    readOptions:
      strategy.authorizationParams !== authorizationParams || strategy.tokenParams !== tokenParams,
    parseErrorResponse:
      strategy.parseErrorResponse === parseErrorResponse
        ? undefined
        : (body, status) => strategy.parseErrorResponse(body, status),
    loadProfile: (client, tokens, deadline) => {
      if (strategy.userProfile === userProfile) return client.fetchProfile(tokens, { deadline });
      const value = { client, tokens, deadline };
      const copy = Object.create(strategy, { [LOGIN]: { value } }) as typeof strategy;
      return deadline.wait(calledBack((done) => copy.userProfile(tokens.accessToken, done)));
    },
  };
}

/** Runs a login, and acts on its outcome. */
async function settle(
  provider: string,
  login: Login,
  parameters: Readonly<Record<string, unknown>>,
  act: (outcome: Outcome) => void,
): Promise<void> {
  let outcome: Outcome;
  try {
    outcome = await runLogin(login, parameters);
  } catch (reason) {
    outcome = failure(reason, login);
  }
  try {
    report(provider, outcome, login.deadline);
    act(outcome);
  } catch (reason) {
    // A verb throws when the application's callback has a bug. The request is then unanswered, and
    // `error` answers it. If `error` throws too, the application gets an uncaught exception.
    process.nextTick(act, { verb: 'error', values: [asError(reason)] });
  }
}

/** `fail` when the person or the browser caused it, `error` otherwise. */
function failure(error: unknown, login: Login): Outcome {
  if (!isOAuth2Error(error) || error.refusal === undefined) {
    return { verb: 'error', values: [asError(asPassportError(error))] };
  }
  const { message, code, hint, refusal } = error;
  return { verb: 'fail', values: [{ message, code, hint, ...askedOf(login) }, refusal] };
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
function report(provider: string, { verb, values }: Outcome, deadline: Deadline): void {
  if (verb === 'redirect' || !isObserved()) return;
  const error = Object(verb !== 'success' && values[0]) as Record<string, unknown>;
  publish({
    event: 'login.ended',
    login: deadline.login,
    provider,
    outcome: verb,
    code: text(error.code),
    stage: text(error.stage),
    hint: text(error.hint),
    duration: deadline.elapsed(),
  });
}

/** The strategy class of a described provider. `strategyFor` gives its constructor the forms of verify. */
export function makeStrategy<Own extends object, P extends Profile>(
  provider: Provider<Own, P>,
): new (options: object, verify?: AnyVerifyFunction<P>) => ProviderStrategy<Own, P> {
  return class extends ProviderStrategy<Own, P> {
    constructor(options: object, verify?: AnyVerifyFunction<P>) {
      super(provider, options as StrategyOptions<P, Own> & Own, verify);
    }
  };
}
