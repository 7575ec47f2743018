/** `strategy._oauth2`: what passport-oauth2-refresh and older code reach for. */
import type OAuth2Strategy = require('passport-oauth2');
import type { OutgoingHttpHeaders } from 'node:http';
import type { OAuth2Client } from '../client';
import { isOAuth2Error } from '../errors/oauth2-error';
import type { OAuth2Error } from '../errors/oauth2-error';
import type { Agent } from '../wire/http';
import { asPassportError } from './errors';

type GetAccessToken = (
  code: string,
  params: Record<string, string>,
  done: (error: unknown, accessToken?: string, refreshToken?: string, params?: object) => void,
) => void;

/**
 * Sends the refreshes of `_oauth2` through our client, and its GETs with the token in the header. An
 * agent or headers that it is given hold for the client too. Keeps its secrets out of everything that
 * prints a strategy.
 */
export function routeClassicRefreshes(
  oauth2: OAuth2Strategy['_oauth2'],
  client: Pick<OAuth2Client, 'refreshTokenGrant' | 'useTransport'>,
  agent: Agent | undefined,
): void {
  const original = oauth2.getOAuthAccessToken as GetAccessToken;
  const refreshing: GetAccessToken = function (this: unknown, code, params, done) {
    const { grant_type: grantType, scope, ...parameters } = params ?? {};
    if (grantType !== 'refresh_token') {
      Reflect.apply(original, this, [code, params, done]);
      return;
    }
    // Called back outside the promise, so that an error of the callback is not a lost rejection.
    client.refreshTokenGrant(code, { scope, parameters }).then(
      ({ accessToken, refreshToken, response }) =>
        process.nextTick(done, null, accessToken, refreshToken, { ...response }),
      (error: unknown) => process.nextTick(done, withStatusCode(asPassportError(error))),
    );
  };
  Object.assign(oauth2, { getOAuthAccessToken: refreshing, _agent: agent });
  oauth2.useAuthorizationHeaderforGET(true);
  // A client certificate's key is in the agent, and custom headers may hold a key too.
  hide(oauth2, '_clientSecret');
  hide(oauth2, '_agent', (set) =>
    client.useTransport({ agent: (set as Agent | undefined) || null }),
  );
  const useHeaders = (set: unknown) =>
    client.useTransport({ customHeaders: set as OutgoingHttpHeaders });
  useHeaders(hide(oauth2, '_customHeaders', useHeaders));
}

/** For a strategy whose logins have the client of a tenant each: `_oauth2` has one set of credentials. */
export function refuseGrants(oauth2: OAuth2Strategy['_oauth2'], refusal: () => Error): void {
  const refused: GetAccessToken = (_code, _params, done) => process.nextTick(done, refusal());
  Object.assign(oauth2, { getOAuthAccessToken: refused, _clientId: '' });
}

/**
 * Takes a property out of `console.log`, `util.inspect` (also of hidden ones) and `JSON.stringify`.
 *
 * @param onSet called with each new value; it throws to refuse one
 * @returns the value
 */
export function hide(target: object, name: string, onSet?: (next: unknown) => void): unknown {
  let value: unknown = Reflect.get(target, name);
  Object.defineProperty(target, name, {
    get: () => value,
    // Passport works on copies (Object.create): a copy's own value stays with the copy.
    set(this: object, next: unknown) {
      if (this === target) {
        onSet?.(next);
        value = next;
      } else Object.defineProperty(this, name, { value: next, configurable: true, writable: true });
    },
    enumerable: false,
    configurable: true,
  });
  return value;
}

/** As the `oauth` package has it, for users of passport-oauth2-refresh: `statusCode`, and `data`. */
function withStatusCode(error: unknown): unknown {
  if (!isOAuth2Error(error)) return error;
  const { status, oauthError } = error as OAuth2Error & { oauthError?: { data?: unknown } };
  return Object.assign(error, {
    statusCode: status,
    data: oauthError?.data,
  });
}
