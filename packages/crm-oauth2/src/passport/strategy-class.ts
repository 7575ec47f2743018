/** The types of a strategy's constructor: its options, and the form of verify that fits them. */
import type { Profile } from '../provider/standard-claims';
import type { ProviderStrategy } from './strategy';
import type { OrTenant, OwnOptions, SkipUserProfile, StrategyOptions } from './strategy-options';
import type {
  TypedVerify,
  VerifyFunction,
  VerifyFunctionWithParams,
  VerifyFunctionWithRequest,
  VerifyFunctionWithRequestAndParams,
} from './verify';

/** The options that decide on the arguments of verify, and on their types. */
type Decisive = 'verify' | 'passReqToCallback' | 'skipUserProfile';

interface WithoutRequest {
  /** Passes the request to verify as its first argument. Default: `false`. */
  passReqToCallback?: false | undefined;
}
interface WithRequest {
  /** Passes the request to verify as its first argument. Default: `false`. */
  passReqToCallback: true;
}
interface WithProfile {
  /** `true`: no profile request, and verify gets `undefined`. Default: `false`. */
  skipUserProfile?: false | undefined;
}
interface WithoutProfile {
  /** `true`: no profile request, and verify gets `undefined`. Default: `false`. */
  skipUserProfile: true;
}
interface PerhapsWithProfile {
  /** Where it gives `true`, there is no profile request, and verify gets `undefined`. Default: `false`. */
  skipUserProfile?: boolean | SkipUserProfile | undefined;
}
interface WithVerify<P extends Profile | undefined> {
  /** One typed object in place of the classic verify function. Default: the second argument. */
  verify: TypedVerify<P>;
}

type OptionsFor<
  Own extends object,
  P extends Profile,
  Chosen extends keyof Own,
  Form extends object,
> = OrTenant<Omit<StrategyOptions<P, Own>, Decisive> & OwnOptions<Own, Chosen> & Form>;

/** The options beside a classic verify function. */
export type Options<
  Own extends object,
  P extends Profile = Profile,
  Chosen extends keyof Own = never,
> = OptionsFor<Own, P, Chosen, WithoutRequest & WithProfile>;

/** The options beside a classic verify function whose first argument is the request. */
export type OptionsWithRequest<
  Own extends object,
  P extends Profile = Profile,
  Chosen extends keyof Own = never,
> = OptionsFor<Own, P, Chosen, WithRequest & WithProfile>;

/** The options with a typed verify function among them. */
export type OptionsWithVerify<
  Own extends object,
  P extends Profile = Profile,
  Chosen extends keyof Own = never,
> = OptionsFor<Own, P, Chosen, WithoutRequest & WithProfile & WithVerify<P>>;

/**
 * One constructor signature for each form of verify, so that TypeScript infers its arguments. It tries
 * them in this order. Its message is about the last one with as many arguments, so the most usual ones
 * stand there again. `PassportStrategy` of NestJS knows the last seven.
 */
export interface StrategyClass<
  Own extends object,
  P extends Profile,
  Chosen extends keyof Own = never,
> {
  new (
    options: OptionsFor<Own, P, Chosen, WithoutRequest & WithoutProfile & WithVerify<undefined>>,
  ): ProviderStrategy<Own, P>;
  new (options: OptionsWithVerify<Own, P, Chosen>): ProviderStrategy<Own, P>;
  new (
    options: OptionsFor<
      Own,
      P,
      Chosen,
      WithoutRequest & PerhapsWithProfile & WithVerify<P | undefined>
    >,
  ): ProviderStrategy<Own, P>;
  new (
    options: OptionsFor<Own, P, Chosen, WithoutRequest & WithoutProfile>,
    verify: VerifyFunction<undefined>,
  ): ProviderStrategy<Own, P>;
  new (
    options: OptionsFor<Own, P, Chosen, WithRequest & WithoutProfile>,
    verify: VerifyFunctionWithRequest<undefined>,
  ): ProviderStrategy<Own, P>;
  new (
    options: OptionsWithRequest<Own, P, Chosen>,
    verify: VerifyFunctionWithRequest<P>,
  ): ProviderStrategy<Own, P>;
  new (options: Options<Own, P, Chosen>, verify: VerifyFunction<P>): ProviderStrategy<Own, P>;
  new (
    options: Options<Own, P, Chosen>,
    verify: VerifyFunctionWithParams<P>,
  ): ProviderStrategy<Own, P>;
  new (
    options: OptionsFor<Own, P, Chosen, WithoutRequest & PerhapsWithProfile>,
    verify: VerifyFunction<P | undefined>,
  ): ProviderStrategy<Own, P>;
  new (
    options: OptionsFor<Own, P, Chosen, WithRequest & PerhapsWithProfile>,
    verify: VerifyFunctionWithRequest<P | undefined>,
  ): ProviderStrategy<Own, P>;
  new (
    options: OptionsFor<Own, P, Chosen, WithoutRequest & WithoutProfile>,
    verify: VerifyFunctionWithParams<undefined>,
  ): ProviderStrategy<Own, P>;
  new (
    options: OptionsFor<Own, P, Chosen, WithRequest & WithoutProfile>,
    verify: VerifyFunctionWithRequestAndParams<undefined>,
  ): ProviderStrategy<Own, P>;
  new (
    options: OptionsFor<Own, P, Chosen, WithoutRequest & PerhapsWithProfile>,
    verify: VerifyFunctionWithParams<P | undefined>,
  ): ProviderStrategy<Own, P>;
  new (
    options: OptionsFor<Own, P, Chosen, WithRequest & PerhapsWithProfile>,
    verify: VerifyFunctionWithRequestAndParams<P | undefined>,
  ): ProviderStrategy<Own, P>;
  new (
    options: OptionsWithRequest<Own, P, Chosen>,
    verify: VerifyFunctionWithRequestAndParams<P>,
  ): ProviderStrategy<Own, P>;
  new (options: Options<Own, P, Chosen>, verify: VerifyFunction<P>): ProviderStrategy<Own, P>;
  new (options: OptionsWithVerify<Own, P, Chosen>): ProviderStrategy<Own, P>;
}
