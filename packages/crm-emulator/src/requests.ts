/** The record of a request, which holds no secret: for tests, the start page and the terminal. */
import type { Context } from 'oidc-provider/lib/provider.js';
import type { RequestRecord } from './types.js';
import { isObject, parseJson } from './values.js';

/** Limits the memory of an emulator that runs for days. */
const MAX_RECORDED_REQUESTS = 10_000;
const MAX_ERROR_LENGTH = 64;

export function record(requests: RequestRecord[], context: Context): RequestRecord {
  const { method, path } = context;
  const made = { method, path, at: Date.now(), headers: recordedHeaders(context), status: 0 };
  requests.push(made);
  if (requests.length > MAX_RECORDED_REQUESTS) requests.shift();
  return made;
}

/** Adds the answer to a record. The status stays 0 when a fault leaves the request unanswered. */
export function complete(made: RequestRecord, context: Context): void {
  const { res, status } = context;
  if (context.respond !== false) made.status = status;
  else if (res.headersSent) made.status = res.statusCode;
  const error = errorOf(context);
  if (error) made.error = error.slice(0, MAX_ERROR_LENGTH);
}

/** The path without the id of a pending sign-in, which would let its reader finish it. */
export function shownPath({ path }: RequestRecord): string {
  return path.replace(/\/(sign-in|authorize)\/.+/, '/$1/…');
}

/** The error of an answer, as its provider writes it: in the callback, in JSON or as one word of text. */
function errorOf({ res, status, body, state }: Context): string | undefined {
  const location = res.getHeader('location');
  if (typeof location === 'string') {
    return URL.parse(location, 'http://localhost')?.searchParams.get('error') ?? undefined;
  }
  if (status < 400) return undefined;
  if (typeof state['page'] === 'string') return state['page'];
  const value = typeof body === 'string' && /^[[{]/.test(body) ? parseJson(body) : body;
  const [first]: unknown[] = [value].flat();
  if (typeof first === 'string') return /^\w+$/.test(first) ? first : undefined;
  if (!isObject(first)) return undefined;
  const { error, errorCode } = first;
  const code = errorCode ?? (isObject(error) ? error['code'] : error);
  return typeof code === 'string' ? code : undefined;
}

/** Headers that hold no secret: the scheme of `authorization` only, and no cookie. */
function recordedHeaders(context: Context): Record<string, string> {
  const headers = Object.fromEntries(
    Object.entries(context.headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')]),
  );
  const { authorization, cookie } = headers;
  if (authorization) headers['authorization'] = authorization.split(' ', 1)[0]!;
  if (cookie) headers['cookie'] = 'not kept';
  return headers;
}
