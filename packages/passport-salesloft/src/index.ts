import * as base from 'crm-oauth2';
import { CookieStateStore, strategyFor } from 'crm-oauth2/passport';
import type * as door from 'crm-oauth2/passport';
import { salesloft } from './provider';
import type { SalesloftOptions } from './provider';
import type { SalesloftProfile } from './profile';

/**
 * Passport strategy `salesloft`: log in with Salesloft.
 *
 * @example
 * passport.use(
 *   new SalesloftStrategy({ clientID, clientSecret, callbackURL }, (accessToken, refreshToken, profile, done) =>
 *     done(null, profile),
 *   ),
 * );
 */
class SalesloftStrategy extends strategyFor(salesloft) {}

// What `passport.authenticate('salesloft', { … })` understands beside Passport's own options.
declare module 'passport' {
  interface AuthenticateOptions {
    callbackURL?: string;
    loginHint?: string;
    response?: door.LoginResponse;
  }
}

declare namespace SalesloftStrategy {
  export {
    SalesloftStrategy,
    SalesloftStrategy as Strategy,
    SalesloftStrategy as default,
    salesloft,
    CookieStateStore,
  };
  export import AuthorizationError = base.AuthorizationError;
  export import TokenError = base.TokenError;
  export import InternalOAuthError = base.InternalOAuthError;
  export type Options = door.StrategyOptions<SalesloftProfile> & SalesloftOptions;
  export type Profile = SalesloftProfile;
  export type TokenSet = base.TokenSet;
  export type Done = door.Done;
}

const { AuthorizationError, TokenError, InternalOAuthError } = base;
// An own static each: `require('passport-salesloft').Strategy` would otherwise be the one that is
// inherited from passport-oauth2.
Object.assign(SalesloftStrategy, {
  Strategy: SalesloftStrategy,
  default: SalesloftStrategy,
  SalesloftStrategy,
  salesloft,
  CookieStateStore,
  AuthorizationError,
  TokenError,
  InternalOAuthError,
});
// Never runs: Node's reader of CommonJS exports finds the names for `import { Strategy }` here.
0 &&
  (module.exports = {
    Strategy: undefined,
    SalesloftStrategy: undefined,
    salesloft: undefined,
    CookieStateStore: undefined,
    AuthorizationError: undefined,
    TokenError: undefined,
    InternalOAuthError: undefined,
  });
export = SalesloftStrategy;
