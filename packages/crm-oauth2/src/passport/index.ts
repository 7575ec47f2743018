/**
 * Door 2: what a Passport strategy is made of.
 */
export { CookieStateStore } from './cookie-state-store';
export type { CookieStateStoreOptions } from './cookie-state-store';
export type { LoginRequest, LoginResponse } from './request';
export { SessionStateStore } from './session-state-store';
export type { StateStore } from './state-store';
export { ProviderStrategy, strategyFor } from './strategy';
export type { AuthenticateOptions } from './login';
export type { StrategyClass, StrategyOptions } from './strategy';
export type {
  Done,
  TypedVerify,
  VerifyContext,
  VerifyFunction,
  VerifyFunctionWithParams,
  VerifyFunctionWithRequest,
  VerifyFunctionWithRequestAndParams,
} from './verify';
