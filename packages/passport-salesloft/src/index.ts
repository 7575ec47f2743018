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
  export import loginHandler = family.loginHandler;
  export type Options = family.Options<SalesloftOptions, SalesloftProfile>;
  export type OptionsWithRequest = family.OptionsWithRequest<SalesloftOptions, SalesloftProfile>;
  export type OptionsWithVerify = family.OptionsWithVerify<SalesloftOptions, SalesloftProfile>;
  export type Profile = SalesloftProfile;
  export type TokenSet = client.TokenSet;
  export type Done = family.Done;
  export type ErrorCode = client.ErrorCode;
  export type VerifyFunction<P extends SalesloftProfile | undefined = SalesloftProfile> =
    family.VerifyFunction<P>;
  export type VerifyFunctionWithParams<P extends SalesloftProfile | undefined = SalesloftProfile> =
    family.VerifyFunctionWithParams<P>;
  export type VerifyFunctionWithRequest<P extends SalesloftProfile | undefined = SalesloftProfile> =
    family.VerifyFunctionWithRequest<P>;
  export type VerifyFunctionWithRequestAndParams<
    P extends SalesloftProfile | undefined = SalesloftProfile,
  > = family.VerifyFunctionWithRequestAndParams<P>;
  export type TypedVerify<P extends SalesloftProfile | undefined = SalesloftProfile> =
    family.TypedVerify<P>;
  export type VerifyContext<P extends SalesloftProfile | undefined = SalesloftProfile> =
    family.VerifyContext<P>;
  export type VerifiedUser = family.VerifiedUser;
  export type StateStore = family.StateStore;
  export type AuthenticateOptions = LoginOptions;
}

/** The options of `passport.authenticate('salesloft', { … })`. Salesloft documents no word of `prompt`. */
interface LoginOptions
  extends
    family.LoginOptions,
    family.PromptOptions<'none' | 'login' | 'consent' | 'select_account'> {}

declare module 'crm-oauth2/passport' {
  interface Strategies {
    salesloft: [SalesloftStrategy, LoginOptions];
  }
}

family.publishStrategy(SalesloftStrategy, { SalesloftStrategy, salesloft });
export = SalesloftStrategy;
