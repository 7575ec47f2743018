/** Passport strategy `salesforce`: log in with Salesforce. */
import type * as client from 'crm-oauth2';
import * as family from 'crm-oauth2/passport';
import type { SalesforceProfile } from './profile';
import { salesforce } from './provider';
import type { SalesforceOptions } from './provider';

/**
 * @example
 * passport.use(
 *   new SalesforceStrategy({ clientID, clientSecret, callbackURL }, (accessToken, refreshToken, profile, done) =>
 *     done(null, profile),
 *   ),
 * );
 */
class SalesforceStrategy extends family.strategyFor(salesforce) {}

declare namespace SalesforceStrategy {
  export {
    SalesforceStrategy,
    SalesforceStrategy as Strategy,
    SalesforceStrategy as default,
    salesforce,
  };
  export import AuthorizationError = family.AuthorizationError;
  export import TokenError = family.TokenError;
  export import InternalOAuthError = family.InternalOAuthError;
  export import CookieStateStore = family.CookieStateStore;
  export type Options = family.StrategyOptions<SalesforceProfile> & SalesforceOptions;
  export type Profile = SalesforceProfile;
  export type TokenSet = client.TokenSet;
  export type Done = family.Done;
}

// The options of `passport.authenticate('salesforce', { … })` beside Passport's own.
declare module 'passport' {
  interface AuthenticateOptions {
    callbackURL?: string;
    loginHint?: string;
    response?: family.PassportResponse;
    display?: 'page' | 'popup' | 'touch' | 'mobile';
    immediate?: boolean;
    ssoProvider?: string;
  }
}

family.publishStrategy(SalesforceStrategy, { SalesforceStrategy, salesforce });
export = SalesforceStrategy;
