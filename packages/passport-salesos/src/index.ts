/** Passport strategy `salesos`: log in with SalesOS. */
import type * as client from 'crm-oauth2';
import * as family from 'crm-oauth2/passport';
import type { SalesosProfile } from './profile';
import { salesos } from './provider';
import type { SalesosOptions } from './provider';

/**
 * @example
 * passport.use(
 *   new SalesosStrategy({ clientID, clientSecret, callbackURL }, (accessToken, refreshToken, profile, done) =>
 *     done(null, profile),
 *   ),
 * );
 */
class SalesosStrategy extends family.strategyFor(salesos) {}

declare namespace SalesosStrategy {
  export { SalesosStrategy, SalesosStrategy as Strategy, SalesosStrategy as default, salesos };
  export import AuthorizationError = family.AuthorizationError;
  export import TokenError = family.TokenError;
  export import InternalOAuthError = family.InternalOAuthError;
  export import CookieStateStore = family.CookieStateStore;
  export type Options = family.StrategyOptions<SalesosProfile> & SalesosOptions;
  export type Profile = SalesosProfile;
  export type TokenSet = client.TokenSet;
  export type Done = family.Done;
}

// The options of `passport.authenticate('salesos', { … })` beside Passport's own.
declare module 'passport' {
  interface AuthenticateOptions {
    callbackURL?: string;
    loginHint?: string;
    response?: family.PassportResponse;
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

family.publishStrategy(SalesosStrategy, { SalesosStrategy, salesos });
export = SalesosStrategy;
