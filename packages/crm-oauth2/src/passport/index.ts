/** Door `./passport`: mount a strategy. */
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
export { SessionStateStore } from './session-state-store';
export type { Tenant, TenantResolver } from './registrations';
export type { StateStore } from './state-store';
export { ProviderStrategy, strategyFor } from './strategy';
export type { StrategyClass } from './strategy';
export type { OrTenant, OwnOptions, SkipUserProfile, StrategyOptions } from './strategy-options';
export type {
  Done,
  TypedVerify,
  VerifyContext,
  VerifyFunction,
  VerifyFunctionWithParams,
  VerifyFunctionWithRequest,
  VerifyFunctionWithRequestAndParams,
} from './verify';
