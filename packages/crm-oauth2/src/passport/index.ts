/** Door `./passport`: mount a strategy. */
import type { Provider } from '../provider/description';
import type { Profile } from '../provider/standard-claims';
import { makeStrategy } from './strategy';
import type { StrategyClass } from './strategy-class';

export type { AuthenticateOptions } from './authenticate-options';
export { CookieStateStore } from './cookie-state-store';
export type { CookieStateStoreOptions } from './cookie-state-store';
export { AuthorizationError, InternalOAuthError, TokenError } from './errors';
export { loginHandler } from './login-handler';
export type { LoginError, LoginFailure, LoginHandlerOptions, LoginSuccess } from './login-handler';
export { publishStrategy } from './publish';
export type * from './passport-overloads';
export type * from './passport-types';
export type { PassportRequest, PassportResponse } from './request';
export type { LoginResponse } from './response';
export { SessionStateStore } from './session-state-store';
export type { Tenant, TenantResolver } from './registrations';
export type { StateStore } from './state-store';
export { ProviderStrategy } from './strategy';
export type {
  Options,
  OptionsWithRequest,
  OptionsWithVerify,
  StrategyClass,
} from './strategy-class';
export type { OrTenant, OwnOptions, SkipUserProfile, StrategyOptions } from './strategy-options';
export type {
  Done,
  TypedVerify,
  VerifiedUser,
  VerifyContext,
  VerifyFunction,
  VerifyFunctionWithParams,
  VerifyFunctionWithRequest,
  VerifyFunctionWithRequestAndParams,
} from './verify';

/**
 * The strategy class of a described provider, to be extended under the provider's name.
 *
 * @typeParam Chosen the options of its environment
 * @example
 * class AcmeStrategy extends strategyFor(acme) {}
 */
export const strategyFor = makeStrategy as <
  Own extends object,
  P extends Profile,
  Chosen extends keyof Own = never,
>(
  provider: Provider<Own, P>,
) => StrategyClass<Own, P, Chosen>;
