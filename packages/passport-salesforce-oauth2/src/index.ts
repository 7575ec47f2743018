/** Passport strategy `salesforce`: log in with Salesforce. */
import type * as client from 'crm-oauth2';
import * as family from 'crm-oauth2/passport';
import { legacyIds } from './legacy-ids';
import type * as legacy from './legacy-ids';
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
class SalesforceStrategy extends family.strategyFor<
  SalesforceOptions,
  SalesforceProfile,
  'loginURL'
>(salesforce) {}

declare namespace SalesforceStrategy {
  export {
    SalesforceStrategy,
    SalesforceStrategy as Strategy,
    SalesforceStrategy as default,
    salesforce,
    legacyIds,
  };
  export import AuthorizationError = family.AuthorizationError;
  export import TokenError = family.TokenError;
  export import InternalOAuthError = family.InternalOAuthError;
  export import CookieStateStore = family.CookieStateStore;
  export import loginHandler = family.loginHandler;
  export type LegacyPackage = legacy.LegacyPackage;
  export type Options = family.Options<SalesforceOptions, SalesforceProfile, 'loginURL'>;
  export type OptionsWithRequest = family.OptionsWithRequest<
    SalesforceOptions,
    SalesforceProfile,
    'loginURL'
  >;
  export type OptionsWithVerify = family.OptionsWithVerify<
    SalesforceOptions,
    SalesforceProfile,
    'loginURL'
  >;
  export type Profile = SalesforceProfile;
  export type TokenSet = client.TokenSet;
  export type Done = family.Done;
  export type ErrorCode = client.ErrorCode;
  export type VerifyFunction<P extends SalesforceProfile | undefined = SalesforceProfile> =
    family.VerifyFunction<P>;
  export type VerifyFunctionWithParams<
    P extends SalesforceProfile | undefined = SalesforceProfile,
  > = family.VerifyFunctionWithParams<P>;
  export type VerifyFunctionWithRequest<
    P extends SalesforceProfile | undefined = SalesforceProfile,
  > = family.VerifyFunctionWithRequest<P>;
  export type VerifyFunctionWithRequestAndParams<
    P extends SalesforceProfile | undefined = SalesforceProfile,
  > = family.VerifyFunctionWithRequestAndParams<P>;
  export type TypedVerify<P extends SalesforceProfile | undefined = SalesforceProfile> =
    family.TypedVerify<P>;
  export type VerifyContext<P extends SalesforceProfile | undefined = SalesforceProfile> =
    family.VerifyContext<P>;
  export type VerifiedUser = family.VerifiedUser;
  export type StateStore = family.StateStore;
  export type AuthenticateOptions = LoginOptions;
}

/** The options of `passport.authenticate('salesforce', { … })`. */
interface LoginOptions
  extends
    family.LoginOptions,
    family.MaxAgeOptions,
    family.PromptOptions<'login' | 'consent' | 'select_account'> {
  /**
   * Where this person signs in: `https://test.salesforce.com`, `https://NAME.my.salesforce.com`, or one
   * of `allowedLoginURLs`. Every endpoint of this login follows it. Default: that of the constructor.
   */
  loginURL?: string | undefined;
  /** The form of the login page. Default: `page`. */
  display?: 'page' | 'popup' | 'touch' | 'mobile' | undefined;
  /** `true`: ask the person nothing, and fail if something must be asked. Default: `false`. */
  immediate?: boolean | undefined;
  /** Developer name of the single sign-on provider that signs the person in. Default: the login page. */
  ssoProvider?: string | undefined;
}

declare module 'crm-oauth2/passport' {
  interface Strategies {
    salesforce: [SalesforceStrategy, LoginOptions];
  }
}

family.publishStrategy(SalesforceStrategy, { SalesforceStrategy, salesforce, legacyIds });
export = SalesforceStrategy;
