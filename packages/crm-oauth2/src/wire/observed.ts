/** Tells subscribers of the diagnostics channel about each request, without what must stay secret. */
import { isObserved, publish } from '../errors/diagnostics';
import { isProblem } from '../errors/problem';
import { redact } from '../errors/redaction';
import type { Deadline } from './deadline';
import type { HttpRequest, HttpResponse } from './http';

/** Sends a request, and publishes the event `request` when it is over. */
export function observed(
  provider: string,
  { method, url, secrets = [] }: HttpRequest,
  deadline: Deadline,
  send: () => Promise<HttpResponse>,
): Promise<HttpResponse> {
  if (!isObserved()) return send();
  const began = performance.now();
  const tell = (result: { status?: number; code?: string }) =>
    publish({
      event: 'request',
      login: deadline.login,
      provider,
      method,
      host: url.host,
      path: redact(url.pathname, secrets),
      duration: Math.round(performance.now() - began),
      ...result,
    });
  const sent = send();
  sent.then(
    ({ status }) => tell({ status }),
    (error: unknown) => tell({ code: isProblem(error) ? error.code : 'unexpected' }),
  );
  return sent;
}
