/** Passport strategy `salesos`: log in with SalesOS. */
import type * as client from 'crm-oauth2';
import * as family from 'crm-oauth2/passport';
import { legacyIds } from './legacy-ids';
import type * as legacy from './legacy-ids';
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
  export {
    SalesosStrategy,
    SalesosStrategy as Strategy,
    SalesosStrategy as default,
    salesos,
    legacyIds,
  };
  export import AuthorizationError = family.AuthorizationError;
  export import TokenError = family.TokenError;
  export import InternalOAuthError = family.InternalOAuthError;
  export import CookieStateStore = family.CookieStateStore;
  export import loginHandler = family.loginHandler;
  export type LegacyPackage = legacy.LegacyPackage;
  export type Options = family.Options<SalesosOptions, SalesosProfile>;
  export type OptionsWithRequest = family.OptionsWithRequest<SalesosOptions, SalesosProfile>;
  export type OptionsWithVerify = family.OptionsWithVerify<SalesosOptions, SalesosProfile>;
  export type Profile = SalesosProfile;
  export type TokenSet = client.TokenSet;
  export type Done = family.Done;
  export type ErrorCode = client.ErrorCode;
  export type VerifyFunction<P extends SalesosProfile | undefined = SalesosProfile> =
    family.VerifyFunction<P>;
  export type VerifyFunctionWithParams<P extends SalesosProfile | undefined = SalesosProfile> =
    family.VerifyFunctionWithParams<P>;
  export type VerifyFunctionWithRequest<P extends SalesosProfile | undefined = SalesosProfile> =
    family.VerifyFunctionWithRequest<P>;
  export type VerifyFunctionWithRequestAndParams<
    P extends SalesosProfile | undefined = SalesosProfile,
  > = family.VerifyFunctionWithRequestAndParams<P>;
  export type TypedVerify<P extends SalesosProfile | undefined = SalesosProfile> =
    family.TypedVerify<P>;
  export type VerifyContext<P extends SalesosProfile | undefined = SalesosProfile> =
    family.VerifyContext<P>;
  export type VerifiedUser = family.VerifiedUser;
  export type StateStore = family.StateStore;
  export type AuthenticateOptions = LoginOptions;
}

/** The options of `passport.authenticate('salesos', { … })`. */
interface LoginOptions
  extends
    family.LoginOptions,
    family.MaxAgeOptions,
    family.PromptOptions<'none' | 'login' | 'consent' | 'select_account'> {
  /**
   * Id (`org_…`) or name of the organization to sign in to; the ID Token must name the same one.
   * Default: the person chooses.
   */
  organization?: string | undefined;
  /** Ticket of an invitation to that `organization`, from the link in the e-mail. Default: none. */
  invitation?: string | undefined;
  /** Name of the Auth0 connection, in place of the choice on the login page. Default: none. */
  connection?: string | undefined;
  /** The page to begin with. Default: `login`. */
  screenHint?: 'login' | 'signup' | (string & {}) | undefined;
  /** Languages of the login page (BCP 47), the best one first. Default: those of the browser. */
  uiLocales?: string | readonly string[] | undefined;
  /** Classes of authentication that are asked for, the best one first. Default: none. */
  acrValues?: string | readonly string[] | undefined;
  /** The API that the access token is for. Default: that of the constructor. */
  audience?: string | undefined;
}

declare module 'crm-oauth2/passport' {
  interface Strategies {
    salesos: [SalesosStrategy, LoginOptions];
  }
}

family.publishStrategy(SalesosStrategy, { SalesosStrategy, salesos, legacyIds });
export = SalesosStrategy;
