/** Door `.`: use a client and its tokens. No Passport, no Express, no session. */
export { OAuth2Client } from './client';
export type { ClientOptions } from './client-options';
export type {
  CallOptions,
  GrantOptions,
  ParseErrorResponse,
  TokenCallOptions,
} from './client-requests';
export type { LoginRequest } from './client-login-request';
export type { ApiError } from './errors/api-errors';
export type { ErrorCode } from './errors/codes';
export type { DiagnosticsEvent } from './errors/diagnostics';
export { OAuth2Error, isOAuth2Error } from './errors/oauth2-error';
export type { Stage } from './errors/oauth2-error';
export type {
  MissingAttempt,
  ValidatedAuthorizationResponse,
} from './protocol/authorization-response';
export type {
  EndSessionForm,
  EndSessionFormRequest,
  EndSessionRequest,
} from './protocol/end-session';
export type { IdTokenClaims } from './protocol/id-token';
export type { Environment, LoginAttempt } from './protocol/login-attempt';
export type { TokenSet } from './protocol/token-set';
export type { Endpoints, Provider, RateLimit } from './provider/description';
export type { Profile } from './provider/standard-claims';
export { authorizedFetch } from './tokens/authorized-fetch';
export type {
  AuthorizedFetch,
  AuthorizedFetchOptions,
  AuthorizedInit,
} from './tokens/authorized-fetch';
export { planRefreshes } from './tokens/refresh-plan';
export type { PlannedRefresh, RefreshPlanOptions } from './tokens/refresh-plan';
export { PostgresTokenStore } from './tokens/postgres-token-store';
export type { PostgresClient, PostgresTokenStoreOptions } from './tokens/postgres-token-store';
export { RedisTokenStore } from './tokens/redis-token-store';
export type {
  IoredisClient,
  RedisClient,
  RedisTokenStoreOptions,
} from './tokens/redis-token-store';
export { SealedValues } from './tokens/sealed-values';
export { clientCredentials, staticToken } from './tokens/token-source';
export type { ClientCredentialsOptions, GetTokenOptions, TokenSource } from './tokens/token-source';
export { MemoryTokenStore } from './tokens/token-store';
export type { StoredValue, TokenStore, Unlock } from './tokens/token-store';
export { UserTokens, userTokens } from './tokens/user-tokens';
export type { UserTokensOptions } from './tokens/user-tokens';
export type { Json, JsonObject } from './values/json';
export type { Agent } from './wire/http';
