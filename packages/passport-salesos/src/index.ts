import * as base from 'crm-oauth2';
import { CookieStateStore, strategyFor } from 'crm-oauth2/passport';
import type * as door from 'crm-oauth2/passport';
import { salesos } from './provider';
import type { SalesosOptions } from './provider';
import type { SalesosProfile } from './profile';

/**
 * Passport strategy `salesos`: log in with SalesOS.
 *
 * @example
 * passport.use(
 *   new SalesosStrategy({ clientID, clientSecret, callbackURL }, (accessToken, refreshToken, profile, done) =>
 *     done(null, profile),
 *   ),
 * );
 */
class SalesosStrategy extends strategyFor(salesos) {}

// What `passport.authenticate('salesos', { … })` understands beside Passport's own options.
declare module 'passport' {
  interface AuthenticateOptions {
    callbackURL?: string;
    response?: door.LoginResponse;
    loginHint?: string;
    maxAge?: number;
    organization?: string;
    invitation?: string;
    connection?: string;
    screenHint?: string;
    uiLocales?: string | readonly string[];
    acrValues?: string | readonly string[];
    audience?: string;
  }
}

declare namespace SalesosStrategy {
  export {
    SalesosStrategy,
    SalesosStrategy as Strategy,
    SalesosStrategy as default,
    salesos,
    CookieStateStore,
  };
  export import AuthorizationError = base.AuthorizationError;
  export import TokenError = base.TokenError;
  export import InternalOAuthError = base.InternalOAuthError;
  export type Options = door.StrategyOptions<SalesosProfile> & SalesosOptions;
  export type Profile = SalesosProfile;
  export type TokenSet = base.TokenSet;
  export type Done = door.Done;
}

const { AuthorizationError, TokenError, InternalOAuthError } = base;
// An own static each: `require('passport-salesos').Strategy` would otherwise be the one that is
// inherited from passport-oauth2.
Object.assign(SalesosStrategy, {
  Strategy: SalesosStrategy,
  default: SalesosStrategy,
  SalesosStrategy,
  salesos,
  CookieStateStore,
  AuthorizationError,
  TokenError,
  InternalOAuthError,
});
// Never runs: Node's reader of CommonJS exports finds the names for `import { Strategy }` here.
0 &&
  (module.exports = {
    Strategy: undefined,
    SalesosStrategy: undefined,
    salesos: undefined,
    CookieStateStore: undefined,
    AuthorizationError: undefined,
    TokenError: undefined,
    InternalOAuthError: undefined,
  });
export = SalesosStrategy;
