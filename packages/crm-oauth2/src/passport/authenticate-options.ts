/** The options of `passport.authenticate`: their type, and how their names are judged. */
import { CLIENT_OPTIONS } from '../client-options';
import { quote } from '../errors/redaction';
import { adviceOnExtras } from '../protocol/authorization-request';
import type { Provider } from '../provider/description';
import { adviceOn, didYouMean } from '../values/options';
import type { Advice } from '../values/options';
import type { LoginOptions, MaxAgeOptions } from './passport-types';

/** The options of `passport.authenticate` that this family reads, beside the provider's extras. */
export interface AuthenticateOptions extends LoginOptions, MaxAgeOptions {
  [extra: string]: unknown;
}

const OWN = ['scope', 'state', 'callbackURL', 'returnTo', 'response'];

/** Read by Passport, NestJS, Fastify and Koa themselves. */
export const FRAMEWORK_OPTIONS = [
  'session',
  'successRedirect',
  'successReturnToOrRedirect',
  'successMessage',
  'successFlash',
  'failureRedirect',
  'failureMessage',
  'failureFlash',
  'failWithError',
  'assignProperty',
  'userProperty',
  'authInfo',
  'keepSessionInfo',
  'pauseStream',
  'badRequestMessage',
  'passReqToCallback',
  'compat',
  'key',
  // NestJS
  'property',
  'defaultStrategy',
  'callback',
] as const;

/** A name is warned of once. Names that come from requests must not fill the memory. */
const MAX_WARNINGS = 20;

/** @param mayReadOthers `true` where a subclass reads the options in its hooks */
export type AuthenticateOptionsCheck = (
  options: AuthenticateOptions,
  mayReadOthers: boolean,
) => void;

/**
 * The check of one strategy. A name that means another one is refused, because the login would lack
 * what it asks for. A name that means nothing here is warned of.
 *
 * @param strategyOptions those that are the strategy's own, beside the client's
 */
export function authenticateOptionsCheck(
  provider: Provider,
  strategyOptions: readonly string[],
): AuthenticateOptionsCheck {
  const extras = provider.extras;
  const chosen = Object.keys(provider.environment);
  const known = [...OWN, ...FRAMEWORK_OPTIONS, ...Object.keys(extras), ...chosen];
  const constructed = [...CLIENT_OPTIONS, ...strategyOptions, ...Object.keys(provider.options)];
  const advice: Advice = {
    ...Object.fromEntries(constructed.map((name) => [name, `pass "${name}" to the constructor`])),
    ...adviceOnExtras(extras, (name) => `did you mean "${name}"?`),
    ...didYouMean(known),
  };
  const warned = new Set<string>();
  return (options, mayReadOthers) => {
    for (const name of Object.keys(options)) {
      if (known.includes(name)) continue;
      const quoted = `${provider.title}: authenticate() does not know the option "${quote(name)}"`;
      const meant = adviceOn(name, advice);
      if (meant !== undefined) throw new TypeError(`${quoted}; ${meant}`);
      if (mayReadOthers || warned.has(name) || warned.size >= MAX_WARNINGS) continue;
      warned.add(name);
      process.emitWarning(`${quoted}, and ignores it`, { code: 'CRM_OAUTH2_UNKNOWN_OPTION' });
    }
  };
}
