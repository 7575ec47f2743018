/** Door `./provider`: describe a provider. */
export type { ErrorCode, HintTable } from '../errors/codes';
export type { Meaning } from '../errors/meanings';
export * from '../errors/provider-codes';
export { Problem } from '../errors/problem';
export type { ProblemDetails } from '../errors/problem';
export type {
  ClientAuthenticationMethod,
  ClientCredentials,
} from '../protocol/client-authentication';
export type { IdTokenAlgorithm, IdTokenClaims } from '../protocol/id-token';
export type { ProfileRequest } from '../protocol/profile-request';
export type { ReportedError } from '../protocol/token-endpoint';
export type { TokenSet } from '../protocol/token-set';
export { isJsonObject, text, wholeNumber, withoutUndefined } from '../values/json';
export type { Json, JsonObject } from '../values/json';
export { isLoopback } from '../values/options';
export type { OptionKind } from '../values/options';
export * from './description';
export * from './discover';
export * from './standard-claims';
