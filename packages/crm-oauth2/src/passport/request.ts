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

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** A form that a parser has read; express.raw leaves bytes. */
export function isForm(body: unknown): body is Record<string, unknown> {
  return isRecord(body) && !(body instanceof Uint8Array);
}

/** The parameters of a callback: the query, or the form of `response_mode=form_post`. */
export function callbackParameters(req: PassportRequest): Readonly<Record<string, unknown>> {
  if (req.method === 'POST' && isForm(req.body)) return req.body;
  // Read once: Express 5 parses it each time.
  const { query } = req;
  if (isRecord(query)) return query;
  const [, ...rest] = (req.url ?? '').split('?');
  const parameters = new Map<string, string | string[]>();
  for (const [name, value] of new URLSearchParams(rest.join('?'))) {
    const earlier = parameters.get(name);
    if (Array.isArray(earlier)) earlier.push(value);
    else parameters.set(name, earlier === undefined ? value : [earlier, value]);
  }
  return Object.fromEntries(parameters);
}

/** The path of an absolute URL. The URL class would take longer than the rest of the question. */
const PATH_OF_URL = /^[a-z][a-z\d+.-]*:\/\/[^/?#]*([^?#]*)/i;

/**
 * The path of a request beside that of a redirect URI:
 * - `callback`: the answer comes here. It is the path of the URI, or its ending, because a proxy may take
 *   a prefix away.
 * - `below`: a router may give it to the same handler.
 */
export type Place = 'callback' | 'below' | 'elsewhere';

export function placeOf(req: PassportRequest, redirectUri: string): Place {
  const path = normalized((req.originalUrl ?? req.url)?.split('?', 1)[0]);
  const expected = normalized(PATH_OF_URL.exec(redirectUri)?.[1]);
  if (path === expected || (path.startsWith('/') && expected.endsWith(path))) return 'callback';
  return expected !== '' && path.startsWith(`${expected}/`) ? 'below' : 'elsewhere';
}

/** `true` when the answer to this redirect URI comes to the path of this request. */
export function isAtCallback(req: PassportRequest, redirectUri: string): boolean {
  return placeOf(req, redirectUri) === 'callback';
}

/** A path that nothing needs to be done to: most are. */
const NORMAL_PATH = /^(?:\/[a-z\d._-]+)+$/;

/** Routers ignore case and a slash at the end, and decode parts; proxies write two slashes for one. */
function normalized(path = ''): string {
  if (NORMAL_PATH.test(path)) return path;
  const plain = path.replace(/\/+/g, '/').replace(/\/$/, '');
  try {
    return decodeURIComponent(plain).toLowerCase();
  } catch {
    return plain.toLowerCase();
  }
}

/** Of a `callbackURL` that was judged: others are paths. */
const ABSOLUTE = /^https?:\/\//i;

/** How browsers say that they fetch a page ahead, or for a preview. */
const PURPOSES = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'];
const AHEAD = /\b(prefetch|preview)\b/i;

/**
 * `true` for a request that shows the person nothing: of a browser that fetches ahead, or of a scanner of
 * links. The request of the person follows.
 */
export function isAhead({ method = '', headers }: PassportRequest): boolean {
  const says = (name: string) => headers[name] !== undefined && AHEAD.test(String(headers[name]));
  return method === 'HEAD' || method === 'OPTIONS' || PURPOSES.some(says);
}

/**
 * A relative `callbackURL` made absolute with the request it is used in.
 *
 * @param trustProxy believe `x-forwarded-*`; by default, as far as the application told Express
 * @throws {Problem} `callback_url_unresolvable`
 */
export function resolveCallbackUrl(
  req: PassportRequest,
  callbackUrl: string,
  trustProxy = false,
): string {
  if (ABSOLUTE.test(callbackUrl)) return callbackUrl;
  const trusted = trustProxy || trustsProxy(req);
  // The first value: proxies append to these headers.
  const forwarded = (name: string) =>
    trusted ? req.headers[`x-forwarded-${name}`]?.toString().split(',')[0]?.trim() : undefined;
  const encrypted = isRecord(req.socket) && req.socket.encrypted === true;
  const protocol = forwarded('proto') ?? req.protocol ?? (encrypted ? 'https' : 'http');
  const host = forwarded('host') ?? req.headers.host;
  const base = `${protocol}://${host}${req.originalUrl ?? req.url ?? '/'}`;
  if (host === undefined || !URL.canParse(callbackUrl, base)) {
    throw new Problem('callback_url_unresolvable', 'the relative callbackURL cannot be resolved');
  }
  return new URL(callbackUrl, base).href;
}

/** `true` when Express believes the machine that sent this request, by the setting `trust proxy`. */
function trustsProxy(req: PassportRequest): boolean {
  const app: unknown = Reflect.get(req, 'app'); // Express' own is a function
  const get: unknown = Reflect.get(Object(app), 'get');
  if (typeof get !== 'function') return false;
  // Express makes this function of an address, a list, a number or a function of the application.
  const trusts: unknown = Reflect.apply(get, app, ['trust proxy fn']);
  const address: unknown = Reflect.get(Object(req.socket), 'remoteAddress');
  return typeof trusts === 'function' && Boolean(Reflect.apply(trusts, app, [address, 0]));
}
