/** The part of a request that the strategy reads, and how it is read in every framework. */
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { Problem } from '../errors/problem';

/**
 * The common ground of Express, Fastify, Koa and plain `node:http`. The strategy touches nothing else,
 * so that an adapter of a few lines serves any framework.
 */
export interface PassportRequest {
  method?: string;
  url?: string;
  originalUrl?: string;
  headers: IncomingHttpHeaders;
  query?: unknown;
  body?: unknown;
  session?: unknown;
  /** Express and Fastify: the scheme as the framework's own proxy setting sees it. */
  protocol?: string;
  socket?: unknown;
  /** Express sets it; only {@link CookieStateStore} needs it. */
  res?: unknown;
}

/** The part of a response that {@link CookieStateStore} uses. */
export type PassportResponse = Pick<ServerResponse, 'getHeader' | 'setHeader'>;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** The parameters of a callback: the query, or the form of `response_mode=form_post`. */
export function callbackParameters(req: PassportRequest): Readonly<Record<string, unknown>> {
  if (req.method === 'POST' && isRecord(req.body)) return req.body;
  // Read once: Express 5 parses it each time.
  const { query } = req;
  if (isRecord(query)) return query;
  const [, ...rest] = (req.url ?? '').split('?');
  const parameters: Record<string, unknown> = {};
  for (const [name, value] of new URLSearchParams(rest.join('?'))) {
    const earlier = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    Object.defineProperty(parameters, name, {
      value: earlier === undefined ? value : [earlier, value],
      configurable: true,
      enumerable: true,
      writable: true,
    });
  }
  return parameters;
}

/** The first value of a header that proxies append to. */
function first(value: string | string[] | undefined): string | undefined {
  return (Array.isArray(value) ? value[0] : value)?.split(',')[0]?.trim();
}

/**
 * A relative `callbackURL` made absolute with the request it is used in.
 *
 * @param trustProxy whether `x-forwarded-*` may be believed
 * @throws {Problem} `callback_url_unresolvable`
 */
export function resolveCallbackUrl(
  req: PassportRequest,
  callbackUrl: string,
  trustProxy: () => boolean,
): string {
  if (URL.canParse(callbackUrl)) return callbackUrl;
  const trusted = trustProxy();
  const forwarded = (name: string) =>
    trusted ? first(req.headers[`x-forwarded-${name}`]) : undefined;
  const encrypted = isRecord(req.socket) && req.socket.encrypted === true;
  const protocol = forwarded('proto') ?? req.protocol ?? (encrypted ? 'https' : 'http');
  const host = forwarded('host') ?? req.headers.host;
  const base = `${protocol}://${host}${req.originalUrl ?? req.url ?? '/'}`;
  if (host === undefined || !URL.canParse(callbackUrl, base)) {
    throw new Problem('callback_url_unresolvable', 'the relative callbackURL cannot be resolved');
  }
  return new URL(callbackUrl, base).href;
}

/** `true` when the application told Express that a proxy stands in front. */
export function trustsProxy(req: PassportRequest): boolean {
  const app: unknown = Reflect.get(req, 'app'); // Express' own is a function
  const get: unknown = Reflect.get(Object(app), 'get');
  return typeof get === 'function' && Boolean(Reflect.apply(get, app, ['trust proxy']));
}
