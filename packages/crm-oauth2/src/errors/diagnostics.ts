/** Reports each step of a login to monitoring and to the terminal. */
import { createHash } from 'node:crypto';
import { channel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';

/**
 * One event of the channel `crm-oauth2`. It holds no code, token, verifier, secret, state or query.
 *
 * @example
 * diagnosticsChannel.subscribe('crm-oauth2', (event) => log.debug(event));
 */
export interface DiagnosticsEvent {
  /**
   * - `login.started`: the browser is sent to the provider.
   * - `login.returned`: the browser has come back.
   * - `login.warned`: the login goes on, without something that was asked for: see `code`.
   * - `request`: one request to the provider is over.
   * - `login.ended`: Passport has the outcome.
   */
  event: 'login.started' | 'login.returned' | 'login.warned' | 'request' | 'login.ended';
  /** The same for all events of one login, before and after the redirect; absent outside a login. */
  login?: string;
  provider: string;
  /** `request`: its HTTP method. */
  method?: string;
  host?: string;
  path?: string;
  /** `request`: the status of the answer. */
  status?: number;
  /** Milliseconds. `request`: from start to end. `login.ended`: since the browser came back. */
  duration?: number;
  /** `login.returned`: the names of the parameters that came with it. */
  parameters?: string[];
  /** `login.started`: the redirect URI that was sent. */
  redirectUri?: string;
  /** `login.ended`: the action of Passport that was called, such as `success` or `fail`. */
  outcome?: string;
  /** Of a failure or a warning: its `code`, `stage` and `hint`. */
  code?: string;
  stage?: string;
  hint?: string;
}

const events = channel('crm-oauth2');
const debug = debuglog('crm-oauth2');

/** True when an event would be read. Callers build an event only then. */
export function isObserved(): boolean {
  return events.hasSubscribers || debug.enabled;
}

/** Sends an event to the subscribers, and to the terminal with `NODE_DEBUG=crm-oauth2`. */
export function publish(event: DiagnosticsEvent): void {
  events.publish(Object.freeze(event));
  if (!debug.enabled) return;
  const { event: name, login = '-', provider, ...rest } = event;
  const details = Object.entries(rest)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  debug('%s %s %s %s', login, provider, name, details.join(' '));
}

/** The name of a login in events. It is a hash of the `state`, from which the `state` cannot be computed. */
export function loginId(state: string): string {
  return createHash('sha256').update(`crm-oauth2 login ${state}`).digest('base64url').slice(0, 10);
}
