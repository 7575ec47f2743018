/** Figures for Prometheus: logins and refreshes by outcome, and the time that the providers take. */
import type { DiagnosticsEvent } from 'crm-oauth2';
import type { RequestHandler } from 'express';
import { Counter, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

export class Metrics {
  readonly #registry = new Registry();
  readonly #logins = new Counter({
    name: 'logins_total',
    help: 'Logins that have come back from the provider, by how they ended.',
    labelNames: ['provider', 'outcome', 'code'],
    registers: [this.#registry],
  });
  readonly #refreshes = new Counter({
    name: 'token_refreshes_total',
    help: 'Refresh tokens that were sent, by the answer.',
    labelNames: ['provider', 'outcome'],
    registers: [this.#registry],
  });
  readonly #requests = new Histogram({
    name: 'provider_request_seconds',
    help: 'Requests to a provider, from start to end.',
    labelNames: ['provider', 'outcome'],
    registers: [this.#registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
  }

  count({ event, provider, login, path, status, code, outcome, duration = 0 }: DiagnosticsEvent) {
    if (event === 'login.ended') {
      this.#logins.inc({ provider, outcome, code: code ?? '' });
    } else if (event === 'request') {
      const answer = outcomeOf(status);
      this.#requests.observe({ provider, outcome: answer }, duration / 1000);
      // Outside a login, this application asks the token endpoint for nothing else.
      const isRefresh = login === undefined && path?.endsWith('/token');
      if (isRefresh) this.#refreshes.inc({ provider, outcome: answer });
    }
  }

  /**
   * `/metrics`, for this machine, or for a scraper with the token. A request that a proxy passes on comes from
   * this machine too, and is refused.
   */
  handler(token: string | undefined): RequestHandler {
    return (req, res, next) => {
      const isLocal =
        /^(::ffff:)?127\.|^::1$/.test(req.socket.remoteAddress ?? '') &&
        req.headers['x-forwarded-for'] === undefined;
      const isAllowed =
        token === undefined ? isLocal : req.get('authorization') === `Bearer ${token}`;
      if (!isAllowed) {
        res.status(403).type('text').send('Not from here.');
        return;
      }
      this.#registry.metrics().then((text) => {
        res.type(this.#registry.contentType).send(text);
      }, next);
    };
  }
}

function outcomeOf(status: number | undefined): string {
  if (status === undefined) return 'no answer';
  if (status < 400) return 'ok';
  return status < 500 ? 'refused' : 'failed';
}
