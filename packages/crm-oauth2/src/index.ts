/**
 * Door 1: the client. No Passport, no Express, no session.
 */
export type {
  MissingAttempt,
  ValidatedAuthorizationResponse,
} from './protocol/authorization-response';
export { OAuth2Client } from './client';
export type {
  AuthorizationParameters,
  CallOptions,
  ClientOptions,
  TokenCallOptions,
} from './client';
export { Deadline } from './wire/deadline';
export type { DiagnosticsEvent } from './errors/diagnostics';
export {
  AuthorizationError,
  InternalOAuthError,
  Problem,
  TokenError,
  isOAuth2Error,
} from './errors/oauth2-error';
export type { ErrorDetails, HintTable, OAuth2Error, Stage } from './errors/oauth2-error';
export type { Agent } from './wire/http';
export type { IdTokenClaims } from './protocol/id-token';
export { isJsonObject, known, text, wholeNumber } from './values/json';
export type { Json, JsonObject } from './values/json';
export { LOGIN_ATTEMPT_LIFETIME } from './protocol/login-attempt';
export type { LoginAttempt } from './protocol/login-attempt';
export { isLoopback } from './values/options';
export { defineProvider } from './provider/description';
export type {
  ClientCredentials,
  Endpoints,
  GrantType,
  OptionKind,
  Profile,
  ProfileRequest,
  ProviderDescription,
  RateLimit,
  SlotContext,
} from './provider/description';
export type { TokenSet } from './protocol/token-set';
export { authorizedFetch } from './tokens/authorized-fetch';
export type {
  AuthorizedFetch,
  AuthorizedFetchOptions,
  AuthorizedInit,
} from './tokens/authorized-fetch';
export { planRefreshes } from './tokens/refresh-plan';
export type { PlannedRefresh, RefreshPlanOptions } from './tokens/refresh-plan';
export { RedisTokenStore } from './tokens/redis-token-store';
export type { RedisClient, RedisTokenStoreOptions } from './tokens/redis-token-store';
export { SealedValues } from './tokens/sealed-values';
export { clientCredentials, staticToken } from './tokens/token-source';
export type { ClientCredentialsOptions, GetTokenOptions, TokenSource } from './tokens/token-source';
export { MemoryTokenStore } from './tokens/token-store';
export type { StoredValue, TokenStore, Unlock } from './tokens/token-store';
export { UserTokens, userTokens } from './tokens/user-tokens';
export type { RefreshClient, UserTokensOptions } from './tokens/user-tokens';
