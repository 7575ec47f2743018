/**
 * What a login does, step by step, for people and for monitoring: without a subscriber it costs one
 * comparison. No event holds a code, a token, a verifier, a secret, a state, or a query.
 */
import { createHash } from 'node:crypto';
import { channel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';

/**
 * One event of the channel `crm-oauth2`.
 *
 * @example
 * diagnosticsChannel.subscribe('crm-oauth2', (event) => log.debug(event));
 */
export interface DiagnosticsEvent {
  /**
   * `login.started`: the browser is sent away. `login.returned`: it came back. `request`: one request
   * to the provider is over. `login.ended`: Passport was told.
   */
  event: 'login.started' | 'login.returned' | 'request' | 'login.ended';
  /** The same for all events of one login, in both of its halves; absent outside of one. */
  login?: string;
  provider: string;
  /** `request`: what was asked. */
  method?: string;
  host?: string;
  path?: string;
  /** `request`: the answer's status. */
  status?: number;
  /** Milliseconds: of the request, or since the browser came back. */
  duration?: number;
  /** `login.returned`: the names of the parameters. */
  parameters?: string[];
  /** `login.ended`: Passport's verb. */
  outcome?: string;
  /** Of a failure: as on the error. */
  code?: string;
  stage?: string;
  hint?: string;
}

const events = channel('crm-oauth2');
const debug = debuglog('crm-oauth2');

/** Whether anybody listens, so that nothing is put together for nobody. */
export function isObserved(): boolean {
  return events.hasSubscribers || debug.enabled;
}

/** Tells subscribers, and with `NODE_DEBUG=crm-oauth2` the terminal. */
export function publish(event: DiagnosticsEvent): void {
  if (events.hasSubscribers) events.publish(Object.freeze(event));
  if (!debug.enabled) return;
  const { event: name, login = '-', provider, ...rest } = event;
  const details = Object.entries(rest)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  debug('%s %s %s %s', login, provider, name, details.join(' '));
}

/** The name of a login in events: from its `state`, which cannot be told from it. */
export function loginId(state: string): string {
  return createHash('sha256').update(`crm-oauth2 login ${state}`).digest('base64url').slice(0, 10);
}
