/**
 * Door 2: what a Passport strategy is made of.
 */
export { CookieStateStore } from './cookie-state-store';
export type { CookieStateStoreOptions } from './cookie-state-store';
export type { LoginRequest, LoginResponse } from './request';
export { SessionStateStore } from './session-state-store';
export type { StateStore } from './state-store';
export { ProviderStrategy } from './strategy';
export type { AuthenticateOptions, StrategyOptions } from './strategy';
export type {
  Done,
  TypedVerify,
  VerifyContext,
  VerifyFunction,
  VerifyFunctionWithRequest,
} from './verify';
