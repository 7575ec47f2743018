import * as base from 'crm-oauth2';
import { CookieStateStore, strategyFor } from 'crm-oauth2/passport';
import type * as door from 'crm-oauth2/passport';
import { salesforce } from './provider';
import type { SalesforceOptions } from './provider';
import type { SalesforceProfile } from './profile';

/**
 * Passport strategy `salesforce`: log in with Salesforce.
 *
 * @example
 * passport.use(
 *   new SalesforceStrategy({ clientID, clientSecret, callbackURL }, (accessToken, refreshToken, profile, done) =>
 *     done(null, profile),
 *   ),
 * );
 */
class SalesforceStrategy extends strategyFor(salesforce) {}

// What `passport.authenticate('salesforce', { … })` understands beside Passport's own options.
declare module 'passport' {
  interface AuthenticateOptions {
    callbackURL?: string;
    response?: door.LoginResponse;
    loginHint?: string;
    display?: 'page' | 'popup' | 'touch' | 'mobile';
    immediate?: boolean;
    ssoProvider?: string;
  }
}

declare namespace SalesforceStrategy {
  export {
    SalesforceStrategy,
    SalesforceStrategy as Strategy,
    SalesforceStrategy as default,
    salesforce,
    CookieStateStore,
  };
  export import AuthorizationError = base.AuthorizationError;
  export import TokenError = base.TokenError;
  export import InternalOAuthError = base.InternalOAuthError;
  export type Options = door.StrategyOptions<SalesforceProfile> & SalesforceOptions;
  export type Profile = SalesforceProfile;
  export type TokenSet = base.TokenSet;
  export type Done = door.Done;
}

const { AuthorizationError, TokenError, InternalOAuthError } = base;
// An own static each: `require('passport-salesforce-oauth2').Strategy` would otherwise be the one that is
// inherited from passport-oauth2.
Object.assign(SalesforceStrategy, {
  Strategy: SalesforceStrategy,
  default: SalesforceStrategy,
  SalesforceStrategy,
  salesforce,
  CookieStateStore,
  AuthorizationError,
  TokenError,
  InternalOAuthError,
});
// Never runs: Node's reader of CommonJS exports finds the names for `import { Strategy }` here.
0 &&
  (module.exports = {
    Strategy: undefined,
    SalesforceStrategy: undefined,
    salesforce: undefined,
    CookieStateStore: undefined,
    AuthorizationError: undefined,
    TokenError: undefined,
    InternalOAuthError: undefined,
  });
export = SalesforceStrategy;
