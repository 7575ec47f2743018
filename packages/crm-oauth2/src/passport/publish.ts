/** Makes a strategy class the export of its package, for `require` and `import` alike. */
import { CookieStateStore } from './cookie-state-store';
import { AuthorizationError, InternalOAuthError, TokenError } from './errors';
import { loginHandler } from './login-handler';

/**
 * Puts the package's names on the class as own statics: `require('passport-acme')` is the class, and
 * `require('passport-acme').Strategy` is the class too, not the one inherited from passport-oauth2.
 *
 * @param names the class under its own name, and the description
 * @example
 * class AcmeStrategy extends strategyFor(acme) {}
 * publishStrategy(AcmeStrategy, { AcmeStrategy, acme });
 */
export function publishStrategy(strategy: object, names: Readonly<Record<string, object>>): void {
  const errors = { AuthorizationError, TokenError, InternalOAuthError };
  const shared = { ...errors, CookieStateStore, loginHandler };
  Object.assign(strategy, shared, names, { Strategy: strategy, default: strategy });
}
