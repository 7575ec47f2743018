/**
 * Door 1: the client. No Passport, no Express, no session.
 */
export type { MissingAttempt, ValidatedAuthorizationResponse } from './authorization-response';
export { OAuth2Client } from './client';
export type { AuthorizationParameters, CallOptions, ClientOptions } from './client';
export { Deadline } from './deadline';
export type { DiagnosticsEvent } from './diagnostics';
export {
  AuthorizationError,
  InternalOAuthError,
  Problem,
  TokenError,
  isOAuth2Error,
} from './errors';
export type { ErrorDetails, HintTable, OAuth2Error, Stage } from './errors';
export type { Agent } from './http';
export type { IdTokenClaims } from './id-token';
export { isJsonObject, known, text } from './json';
export type { Json, JsonObject } from './json';
export { LOGIN_ATTEMPT_LIFETIME } from './login-attempt';
export type { LoginAttempt } from './login-attempt';
export { isLoopback } from './options';
export { defineProvider } from './provider';
export type {
  ClientCredentials,
  Endpoints,
  GrantType,
  OptionKind,
  Profile,
  ProfileRequest,
  ProviderDescription,
  SlotContext,
} from './provider';
export type { TokenSet } from './token-set';
