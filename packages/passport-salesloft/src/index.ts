/** Passport strategy `salesloft`: log in with Salesloft. */
import type * as client from 'crm-oauth2';
import * as family from 'crm-oauth2/passport';
import type { SalesloftProfile } from './profile';
import { salesloft } from './provider';
import type { SalesloftOptions } from './provider';

/**
 * @example
 * passport.use(
 *   new SalesloftStrategy({ clientID, clientSecret, callbackURL }, (accessToken, refreshToken, profile, done) =>
 *     done(null, profile),
 *   ),
 * );
 */
class SalesloftStrategy extends family.strategyFor(salesloft) {}

declare namespace SalesloftStrategy {
  export {
    SalesloftStrategy,
    SalesloftStrategy as Strategy,
    SalesloftStrategy as default,
    salesloft,
  };
  export import AuthorizationError = family.AuthorizationError;
  export import TokenError = family.TokenError;
  export import InternalOAuthError = family.InternalOAuthError;
  export import CookieStateStore = family.CookieStateStore;
  export type Options = family.StrategyOptions<SalesloftProfile> & SalesloftOptions;
  export type Profile = SalesloftProfile;
  export type TokenSet = client.TokenSet;
  export type Done = family.Done;
}

// The options of `passport.authenticate('salesloft', { … })` beside Passport's own.
declare module 'passport' {
  interface AuthenticateOptions {
    callbackURL?: string;
    loginHint?: string;
    response?: family.PassportResponse;
  }
}

family.publishStrategy(SalesloftStrategy, { SalesloftStrategy, salesloft });
export = SalesloftStrategy;
