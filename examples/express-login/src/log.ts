/** The log: a line of JSON for each event, to standard output. No line holds a token, a code or a secret. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { DiagnosticsEvent } from 'crm-oauth2';
import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import type { Metrics } from './metrics';

export type { Logger } from 'pino';

export function createLog(level: string, stream?: DestinationStream): Logger {
  // Errors of the library hold no secret; their causes are left out, because other code made them.
  const err = (error: Error & { code?: unknown }) => ({
    type: error.name,
    code: error.code,
    message: error.message,
    stack: error.stack,
  });
  const options = { level, base: null, serializers: { err } };
  return stream ? pino(options, stream) : pino(options);
}

/**
 * Writes down how each login ends, and counts it. The events come from the diagnostics channel of the
 * library, which tells about every strategy of the process.
 *
 * @returns ends it
 */
export function observeLogins(log: Logger, metrics: Metrics): () => void {
  const observe = (message: unknown) => {
    const event = message as DiagnosticsEvent;
    metrics.count(event);
    const { event: name, ...details } = event;
    if (name === 'request') log.debug(details, name);
    else if (name === 'login.warned') log.warn(details, name);
    else log.info(details, name);
  };
  subscribe('crm-oauth2', observe);
  return () => void unsubscribe('crm-oauth2', observe);
}
