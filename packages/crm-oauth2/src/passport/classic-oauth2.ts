/** `strategy._oauth2`: what passport-oauth2-refresh and older code reach for. */
import type OAuth2Strategy = require('passport-oauth2');
import type { OAuth2Client } from '../client';
import { isOAuth2Error } from '../errors/oauth2-error';
import type { Agent } from '../wire/http';
import { asPassportError } from './errors';

type GetAccessToken = (
  code: string,
  params: Record<string, string>,
  done: (error: unknown, accessToken?: string, refreshToken?: string, params?: object) => void,
) => void;

/**
 * Sends the refreshes of `_oauth2` through our client, its GETs with the token in the header, and
 * keeps its secrets out of everything that prints a strategy.
 */
export function routeClassicRefreshes(
  oauth2: OAuth2Strategy['_oauth2'],
  client: Pick<OAuth2Client, 'refreshTokenGrant'>,
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
  Object.assign(oauth2, { getOAuthAccessToken: refreshing });
  oauth2.useAuthorizationHeaderforGET(true);
  if (agent) Object.assign(oauth2, { _agent: agent });
  // A client certificate's key is in the agent, and custom headers may hold a key too.
  for (const name of ['_clientSecret', '_agent', '_customHeaders']) hide(oauth2, name);
}

/** Takes a property out of `console.log`, `util.inspect` (also of hidden ones) and `JSON.stringify`. */
export function hide(target: object, name: string): void {
  let value: unknown = Reflect.get(target, name);
  Object.defineProperty(target, name, {
    get: () => value,
    // Passport works on copies (Object.create): a copy's own value stays with the copy.
    set(this: object, next: unknown) {
      if (this === target) value = next;
      else Object.defineProperty(this, name, { value: next, configurable: true, writable: true });
    },
    enumerable: false,
    configurable: true,
  });
}

/** The `oauth` package calls it `statusCode`, and so do users of passport-oauth2-refresh. */
function withStatusCode(error: unknown): unknown {
  return isOAuth2Error(error) ? Object.assign(error, { statusCode: error.status }) : error;
}
