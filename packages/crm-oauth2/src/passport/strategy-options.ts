/** The options of a strategy: their types, and how the constructor judges them. */
import { CLIENT_OPTIONS, TIMEOUT_RANGE_MS } from '../client-options';
import type { ClientOptions } from '../client-options';
import { adviceOnExtras } from '../protocol/authorization-request';
import type { Provider } from '../provider/description';
import type { Profile } from '../provider/standard-claims';
import { ownFields } from '../values/json';
import {
  optionalNumber,
  refuseUnknownOptions,
  requireBoolean,
  requireCallbackUrl,
  requireString,
  requireStrings,
} from '../values/options';
import { FRAMEWORK_OPTIONS } from './authenticate-options';
import type { TenantResolver } from './registrations';
import { requireStateStore } from './state-store';
import type { StateStore } from './state-store';
import { classicVerify, typedVerify } from './verify';
import type { AnyVerifyFunction, Request, TypedVerify, Verify } from './verify';

/** The options of passport-oauth2, and ours; the provider's own come beside them. */
export interface StrategyOptions<
  P extends Profile = Profile,
  Own extends object = object,
> extends ClientOptions {
  /**
   * Absolute, or relative to the request; or a function of the request that gives one of them.
   * Registered at the provider, character by character. Default: that of `authenticate`.
   */
  callbackURL?: string | ((req: Request) => string | Promise<string>);
  /** Credentials and other options for each tenant of the application, in place of these. Default: none. */
  tenant?: TenantResolver<Own>;
  /**
   * Admits people of these organizations only; others are refused (`organization_not_allowed`). Salesforce:
   * organization ids. SalesOS: ids or names. Salesloft: team ids. Default: everyone.
   */
  allowedOrganizations?: readonly string[];
  /**
   * Names of extras that the link which starts a login may carry in its query, there under their wire
   * names. For SalesOS, `['organization', 'invitation']` makes invitation links work. Default: none.
   */
  extrasFromQuery?: readonly string[];
  /** Passes the request to verify as its first argument. Default: `false`. */
  passReqToCallback?: boolean;
  /** Believe `x-forwarded-proto` and `-host` when a relative `callbackURL` is resolved. Default: `false`. */
  proxy?: boolean;
  /** The property of the session with the pending logins. Default: `oauth2:` and the provider's name. */
  sessionKey?: string;
  /** Where pending logins wait, for example a `CookieStateStore`. Default: the session. */
  store?: StateStore;
  /** `true`: no profile request, and verify gets `undefined`. Default: `false`. */
  skipUserProfile?: boolean | SkipUserProfile;
  /** Milliseconds for verify, from its call on. Default: those of `timeout`. */
  verifyTimeout?: number;
  /** One typed object in place of the classic verify function. Default: the second argument. */
  verify?: TypedVerify<P>;
  /** A random value in the URL of each login. It cannot be turned off. Default: `true`. */
  state?: true;
  /** PKCE (RFC 7636). It cannot be turned off. Default: `S256`. */
  pkce?: true | 'S256';
  /** Stands between scopes. Default: a space. */
  scopeSeparator?: ' ';
}

/** With a tenant, each login has its credentials from there. */
export type OrTenant<Options extends { clientID: string; tenant?: unknown }> =
  | Options
  | (Omit<Options, 'clientID' | 'tenant'> & { clientID?: string } & Required<
        Pick<Options, 'tenant'>
      >);

/** The provider's own options. Those of the environment may be functions of the request. */
export type OwnOptions<Own extends object, Chosen extends keyof Own = never> = Omit<Own, Chosen> & {
  [Name in Chosen]?: Own[Name] | ((req: Request) => Own[Name] | Promise<Own[Name]>);
};

/** passport-oauth2's rules: a function, or one that calls back. */
export type SkipUserProfile =
  (() => boolean) | ((accessToken: string, done: (error: unknown, skip?: boolean) => void) => void);

type Check = (owner: string, name: string, value: unknown) => void;

/** Refuses any other value than these. */
function only(allowed: readonly unknown[], rule: string): Check {
  return (owner, name, value) => {
    if (!allowed.includes(value)) throw new TypeError(`${owner}: option "${name}" ${rule}`);
  };
}

/** Members of the session in express-session, Passport, connect-flash, Fastify, Koa and cookie-session. */
const SESSION_MEMBERS = [
  'cookie id req regenerate save reload destroy touch resetMaxAge passport flash messages returnTo',
  'sessionId encryptedSessionId get set delete data options changed isModified isSaved',
  'isNew isChanged isPopulated populated maxAge length inspect toJSON commit manuallyCommit externalKey',
].flatMap((names) => names.split(' '));

/** How each option that a client does not know is judged, when it is given. */
const STRATEGY_OPTIONS: Readonly<
  Record<Exclude<keyof StrategyOptions, keyof ClientOptions>, Check>
> = {
  callbackURL: (owner, name, value) => {
    if (typeof value !== 'function') requireCallbackUrl(owner, name, value, true);
  },
  tenant: (owner, name, value) => {
    if (typeof value === 'function') return;
    throw new TypeError(`${owner}: option "${name}" must be a function of the request`);
  },
  allowedOrganizations: () => undefined, // judged by the provider
  extrasFromQuery: (owner, name, value) => void requireStrings(owner, name, value),
  passReqToCallback: requireBoolean,
  proxy: requireBoolean,
  sessionKey: (owner, name, value) => {
    const key = requireString(owner, name, value);
    if (!SESSION_MEMBERS.includes(key) && !(key in Object.prototype)) return;
    throw new TypeError(`${owner}: option "${name}" is the name of a part of the session itself`);
  },
  store: (owner, _name, value) => void requireStateStore(owner, value),
  skipUserProfile: (owner, name, value) => {
    if (typeof value !== 'function') requireBoolean(owner, name, value);
  },
  verifyTimeout: (owner, name, value) =>
    void optionalNumber(owner, name, value, 0, TIMEOUT_RANGE_MS),
  verify: () => undefined,
  state: only(
    [true],
    "cannot be turned off: without it an attacker can sign your users in to an account of the attacker (RFC 9700 §4.7). Pass the application's own state to authenticate()",
  ),
  pkce: only(
    [true, 'S256'],
    'cannot be turned off or weakened: it makes a stolen code useless (RFC 9700 §2.1.1)',
  ),
  scopeSeparator: only([' '], 'must be a space (RFC 6749 §3.3)'),
};

/** The options that a client does not know. */
export const OWN_OPTIONS = Object.keys(STRATEGY_OPTIONS);

/**
 * The options that are the object's own: a polluted `Object.prototype` lends none.
 *
 * @throws {TypeError} naming the option that is unknown or wrong
 */
export function judgeStrategyOptions<T extends object>(provider: Provider, given: T): T {
  const owner = provider.title;
  if (typeof given !== 'object' || given === null) {
    throw new TypeError(`${owner}: the first argument must be the options`);
  }
  const options = ownFields(given);
  const known = [...CLIENT_OPTIONS, ...OWN_OPTIONS, ...Object.keys(provider.options)];
  const advise = (name: string) => `pass "${name}" to authenticate()`;
  refuseUnknownOptions(owner, options, known, () => ({
    ...Object.fromEntries(FRAMEWORK_OPTIONS.map((name) => [name, advise(name)])),
    ...adviceOnExtras(provider.extras, advise),
  }));
  for (const [name, check] of Object.entries(STRATEGY_OPTIONS)) {
    const value: unknown = Reflect.get(options, name);
    if (value !== undefined) check(owner, name, value);
  }
  return options;
}

/** The functions of the request among the options that a login may choose: see `environment`. */
export function choosersOf(provider: Provider, options: object): Readonly<Record<string, Chooser>> {
  const isChooser = ([name, value]: [string, unknown]) =>
    Object.hasOwn(provider.environment, name) && typeof value === 'function';
  const choosers = Object.fromEntries(Object.entries(options).filter(isChooser));
  return ownFields(choosers as Record<string, Chooser>);
}

export type Chooser = (req: Request) => unknown;

/**
 * The extras that a login link may carry: our name and the wire name of each.
 *
 * @throws {TypeError} for the name of no extra
 */
export function extrasOfLinks(
  provider: Provider,
  names: readonly string[] = [],
): readonly (readonly [name: string, wireName: string])[] {
  // How fresh a login must be is not for a link to say: `maxAge` is not among them.
  const { authorizationParameters: extras } = provider;
  return names.map((name) => {
    const wireName = Object.hasOwn(extras, name) ? extras[name] : undefined;
    if (wireName !== undefined) return [name, wireName];
    throw new TypeError(
      `${provider.title}: option "extrasFromQuery" has "${name}"; known: ${Object.keys(extras).join(', ')}`,
    );
  });
}

/** The verify function in one form, whichever the application has. @throws {TypeError} */
export function chooseVerify(
  owner: string,
  { verify: typed, passReqToCallback }: { verify?: unknown; passReqToCallback?: boolean },
  verify: unknown,
): Verify {
  if (typed !== undefined && verify !== undefined) {
    throw new TypeError(`${owner}: pass verify as the second argument or as an option, not both`);
  }
  if (typeof typed === 'function') return typedVerify(typed as TypedVerify);
  if (typeof verify === 'function') {
    return classicVerify(verify as AnyVerifyFunction, passReqToCallback === true);
  }
  throw new TypeError(`${owner}: a verify function is required`);
}

/** A copy with the named options. */
export function pick(options: object, names: readonly string[]): Record<string, unknown> {
  return ownFields(
    Object.fromEntries(Object.entries(options).filter(([name]) => names.includes(name))),
  );
}
