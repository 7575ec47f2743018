/** The options of a strategy: their types, and how the constructor judges them. */
import { CLIENT_OPTIONS } from '../client-options';
import type { ClientOptions } from '../client-options';
import type { Provider } from '../provider/description';
import type { Profile } from '../provider/standard-claims';
import { refuseUnknownOptions, requireBoolean, requireString } from '../values/options';
import type { StateStore } from './state-store';
import { classicVerify, typedVerify } from './verify';
import type { AnyVerifyFunction, TypedVerify, Verify } from './verify';

/** The options of passport-oauth2, and ours; the provider's own come beside them. */
export interface StrategyOptions<P extends Profile = Profile> extends ClientOptions {
  /** Absolute, or relative to the request. Registered at the provider, character by character. */
  callbackURL?: string;
  /** Passes the request to verify as its first argument. Default: `false`. */
  passReqToCallback?: boolean;
  /** Believe `x-forwarded-proto` and `-host` when a relative `callbackURL` is resolved. */
  proxy?: boolean;
  /** The session key of pending logins; default `oauth2:` and the provider's name. */
  sessionKey?: string;
  /** Keeps pending logins elsewhere than in the session. */
  store?: StateStore;
  /** No profile request; verify gets `undefined`. */
  skipUserProfile?: boolean | SkipUserProfile;
  /** One typed object in place of the classic verify function. */
  verify?: TypedVerify<P>;
  /** Always on. */
  state?: true;
  /** Always on, with S256. */
  pkce?: true | 'S256';
  /** Always a space. */
  scopeSeparator?: ' ';
}

/** passport-oauth2's rules: a function, or one that calls back. */
export type SkipUserProfile =
  (() => boolean) | ((accessToken: string, done: (error: unknown, skip?: boolean) => void) => void);

const STRATEGY_OPTIONS = [
  'callbackURL',
  'passReqToCallback',
  'proxy',
  'sessionKey',
  'store',
  'skipUserProfile',
  'verify',
  'state',
  'pkce',
  'scopeSeparator',
] as const satisfies readonly (keyof StrategyOptions)[];

/**
 * Judges the options that a client does not know.
 *
 * @throws {TypeError} naming the option that is unknown or wrong
 */
export function checkStrategyOptions(owner: string, options: object, own: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`${owner}: the first argument must be the options`);
  }
  refuseUnknownOptions(owner, options, [...CLIENT_OPTIONS, ...STRATEGY_OPTIONS, ...own]);
  const given = options as Readonly<Record<string, unknown>>;
  if (given.state !== undefined && given.state !== true) {
    throw new TypeError(
      `${owner}: option "state" cannot be turned off: without it an attacker can sign your users in to an account of the attacker (RFC 9700 §4.7). Pass the application's own state to authenticate()`,
    );
  }
  if (given.pkce !== undefined && given.pkce !== true && given.pkce !== 'S256') {
    throw new TypeError(
      `${owner}: option "pkce" cannot be turned off or weakened: it makes a stolen code useless (RFC 9700 §2.1.1)`,
    );
  }
  if (given.scopeSeparator !== undefined && given.scopeSeparator !== ' ') {
    throw new TypeError(`${owner}: option "scopeSeparator" must be a space (RFC 6749 §3.3)`);
  }
  for (const name of ['callbackURL', 'sessionKey']) {
    if (given[name] !== undefined) requireString(owner, name, given[name]);
  }
  for (const name of ['passReqToCallback', 'proxy', 'skipUserProfile']) {
    if (name === 'skipUserProfile' && typeof given[name] === 'function') continue;
    requireBoolean(owner, name, given[name]);
  }
}

/** The verify function in one form, whichever the application has. @throws {TypeError} */
export function chooseVerify<P extends Profile>(
  owner: string,
  options: StrategyOptions<P>,
  verify: unknown,
): Verify<P> {
  const typed: unknown = options.verify;
  if (typed !== undefined && verify !== undefined) {
    throw new TypeError(`${owner}: pass verify as the second argument or as an option, not both`);
  }
  if (typeof typed === 'function') return typedVerify(typed as TypedVerify<P>);
  if (typeof verify === 'function') {
    return classicVerify(verify as AnyVerifyFunction<P>, options.passReqToCallback === true);
  }
  throw new TypeError(`${owner}: a verify function is required`);
}

/** The options that the client takes, the provider's own included. */
export function clientOptionsOf<Own extends object, P extends Profile>(
  provider: Provider<Own, P>,
  options: StrategyOptions<P> & Own,
): ClientOptions & Own {
  const names: readonly string[] = [...CLIENT_OPTIONS, ...Object.keys(provider.options)];
  const entries = Object.entries(options).filter(([name]) => names.includes(name));
  return Object.fromEntries(entries) as unknown as ClientOptions & Own;
}
