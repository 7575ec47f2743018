/** The types of `passport.authenticate` and `passport.authorize` for the strategies. Nothing runs here. */
import type { AuthenticateCallback as Callback } from './passport-types';

/**
 * The strategies by their names: the class of each, and its options of `authenticate`. The package of a
 * strategy adds its own here, which types `passport.authenticate` and `passport.authorize` for it.
 *
 * @example
 * declare module 'crm-oauth2/passport' {
 *   interface Strategies {
 *     acme: [AcmeStrategy, LoginOptions];
 *   }
 * }
 */
export interface Strategies {}

/** The name of a strategy of the family, or an instance. */
export type NameOrInstance = {
  [Name in keyof Strategies]: Strategies[Name] extends [infer Instance, unknown]
    ? Name | Instance
    : never;
}[keyof Strategies];

/** The options of `authenticate` of the strategy with this name or class. */
export type LoginOptionsOf<Strategy> = {
  [Name in keyof Strategies]: Strategies[Name] extends [infer Instance, infer Options]
    ? Strategy extends Name | Instance
      ? Options
      : never
    : never;
}[keyof Strategies];

/**
 * A strategy's options, and what an application has added to those of Passport. Of several strategies,
 * the options that all of them have.
 */
export type Beside<Passport, Own> = Omit<Passport, keyof Own> & Pick<Own, keyof Own>;

/** No other names than these. An overload with it leaves other names to the compiler's own refusal. */
export type OnlyNames<Options, Names extends PropertyKey> = {
  [Name in Exclude<keyof Options, Names>]: never;
};

/** The result of `authenticate` for an option with a value that is none of the strategy's. */
export interface OptionRefused {
  readonly error: 'an option has a value that this strategy does not take';
}

/**
 * The result of the last overload of the family. TypeScript tries Passport's own overload next, which
 * takes any text as `prompt`. This overload comes first, and gives a value that a router refuses, unless
 * the options are the strategy's, or a variable of Passport's own type.
 */
export type Judged<Options, Own, Passport, Result> = Options extends Own
  ? Result
  : Passport extends Options
    ? Result
    : OptionRefused;

// Overloads for the family, so that the options of other strategies stay theirs. `AuthorizeOptions` are
// Passport's own.
declare module 'passport' {
  interface Authenticator<InitializeRet, AuthenticateRet, AuthorizeRet, AuthorizeOptions> {
    authenticate<Strategy extends NameOrInstance>(
      strategy: Strategy,
      options: Beside<AuthorizeOptions, LoginOptionsOf<Strategy>>,
      callback?: Callback,
    ): AuthenticateRet;
    /** @deprecated An option has a value that this strategy does not take. */
    authenticate<Strategy extends NameOrInstance, Options extends AuthorizeOptions>(
      strategy: Strategy,
      options: Options & OnlyNames<Options, keyof AuthorizeOptions>,
      callback?: Callback,
    ): Judged<
      Options,
      Beside<AuthorizeOptions, LoginOptionsOf<Strategy>>,
      AuthorizeOptions,
      AuthenticateRet
    >;
    authorize<Strategy extends NameOrInstance>(
      strategy: Strategy,
      options: Beside<AuthorizeOptions, LoginOptionsOf<Strategy>>,
      callback?: Callback,
    ): AuthorizeRet;
    /** @deprecated An option has a value that this strategy does not take. */
    authorize<Strategy extends NameOrInstance, Options extends AuthorizeOptions>(
      strategy: Strategy,
      options: Options & OnlyNames<Options, keyof AuthorizeOptions>,
      callback?: Callback,
    ): Judged<
      Options,
      Beside<AuthorizeOptions, LoginOptionsOf<Strategy>>,
      AuthorizeOptions,
      AuthorizeRet
    >;
  }
}
