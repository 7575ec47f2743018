/** One login in its two halves. Both decide, and touch nothing of Passport; the strategy acts on their outcome. */
import { isAuthorizationResponse } from '../protocol/authorization-response';
import { finishLogin } from './login-finish';
import type { Login, Outcome } from './login-parts';
import { startLogin } from './login-start';
import { isAtCallback } from './request';

/** Starts a login, or finishes it when the request is the provider's answer. */
export function runLogin(
  login: Login,
  parameters: Readonly<Record<string, unknown>>,
): Promise<Outcome> {
  login.settings.checkOptions(login.options, login.hooks.readOptions);
  const step = isAnswer(login, parameters) ? finishLogin : startLogin;
  return step(login, parameters);
}

/** At another path than that of the callback, a `state` by itself is one of the application. */
function isAnswer(
  { req, options, settings: { callbackURL } }: Login,
  parameters: Readonly<Record<string, unknown>>,
): boolean {
  if (!isAuthorizationResponse(parameters)) return false;
  const url = options.callbackURL ?? callbackURL;
  const hasMore = parameters.code !== undefined || parameters.error !== undefined;
  if (hasMore || url === undefined) return true;
  // Only the path counts.
  if (typeof url === 'function') return true;
  const base = 'http://localhost';
  return URL.canParse(url, base) && isAtCallback(req, new URL(url, base).href);
}
