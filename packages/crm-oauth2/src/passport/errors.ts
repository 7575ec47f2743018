/** Errors at the Passport door: passport-oauth2's three classes, which applications test by `instanceof`. */
import OAuth2Strategy = require('passport-oauth2');
import type { ErrorCode } from '../errors/codes';
import { assignFields, brand, isOAuth2Error } from '../errors/oauth2-error';
import type { OAuth2Error } from '../errors/oauth2-error';

/** The fields of {@link OAuth2Error}, which each of the three classes has too. */
type Fields = Pick<OAuth2Error, Exclude<keyof OAuth2Error, keyof Error>>;

export interface AuthorizationError extends Fields {}
/** The provider answered the authorization request with an error (RFC 6749 §4.1.2.1). */
export class AuthorizationError extends OAuth2Strategy.AuthorizationError {
  declare code: ErrorCode;
  declare status: number;
  declare uri?: string;
  /** `{ statusCode, data }` where the provider answered, else the cause. */
  declare oauthError?: unknown;
}

export interface TokenError extends Fields {}
/** The token endpoint answered with an error (RFC 6749 §5.2); `code` is its `error`. */
export class TokenError extends OAuth2Strategy.TokenError {
  declare code: ErrorCode;
  declare status: number;
  declare uri?: string;
  /** `{ statusCode, data }` where the provider answered, else the cause. */
  declare oauthError?: unknown;
}

export interface InternalOAuthError extends Fields {}
/** There was no usable answer, or one that did not pass a check; `code` says which. */
export class InternalOAuthError extends OAuth2Strategy.InternalOAuthError {}

for (const errorClass of [AuthorizationError, TokenError, InternalOAuthError]) brand(errorClass);

/**
 * passport-oauth2's field, as its users log it: the status and the provider's error. Never the body
 * itself: it may repeat a code or a token.
 */
function oauthErrorOf({ status, reported, cause }: OAuth2Error): unknown {
  if (status === undefined) return cause;
  const data = status > 299 && reported ? JSON.stringify(reported) : undefined;
  return { statusCode: status, ...(data !== undefined && { data }) };
}

/** The error of a client as one of the three classes. Any other value stays as it is. */
export function asPassportError(error: unknown): unknown {
  if (!isOAuth2Error(error) || error.name !== 'OAuth2Error') return error;
  const { message, code, uri, status, reportedIn, cause } = error;
  const translated =
    reportedIn === 'token response'
      ? new TokenError(message, code, uri, status)
      : reportedIn === 'authorization response'
        ? new AuthorizationError(message, code, uri)
        : new InternalOAuthError(message, cause);
  assignFields(translated, { ...(error as object), cause, oauthError: oauthErrorOf(error) });
  const stack = error.stack?.replace(error.name, translated.name);
  Object.defineProperty(translated, 'stack', { value: stack, configurable: true, writable: true });
  return translated;
}
