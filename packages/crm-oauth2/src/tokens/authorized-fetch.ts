/**
 * Requests to a provider's API with a token that stays good. The login's own requests go through
 * `http.ts`; these are the application's, of any size, so they are the platform's `fetch`.
 */
import { finished } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { refused } from '../protocol/profile-request';
import { Deadline } from '../wire/deadline';
import { Problem, located, quote } from '../errors/oauth2-error';
import { connectionProblem } from '../wire/http';
import { parseJson } from '../values/json';
import { optionalNumber, refuseUnknownOptions, requireEndpoint } from '../values/options';
import type { RateLimit } from '../provider/description';
import { retryAfterSeconds } from '../protocol/token-endpoint';
import type { TokenSource } from './token-source';

export interface AuthorizedFetchOptions {
  /** Where the API is: `https://api.salesloft.com/v2`. No other origin ever gets the token. */
  baseURL: string;
  /**
   * Milliseconds for one call: every attempt, the waiting between them, and the answer's body;
   * default 30 000.
   */
  timeout?: number;
  /**
   * Told after each answer how often the API may still be asked, when the provider says. What it
   * throws becomes a warning of the process: the answer is not lost for it.
   */
  onRateLimit?: (limit: RateLimit) => void;
  /** Whose API it is, when the source does not know: `salesloft`, for an API key. */
  provider?: TokenSource['provider'];
  /** In place of the platform's `fetch`: behind a corporate proxy, for instance. */
  fetch?: typeof globalThis.fetch;
}

const OPTIONS = [
  'baseURL',
  'timeout',
  'onRateLimit',
  'provider',
  'fetch',
] as const satisfies readonly (keyof AuthorizedFetchOptions)[];

/** What `fetch` takes, and `json`: a value to send as JSON. */
export type AuthorizedInit = RequestInit & { json?: unknown };

export interface AuthorizedFetch {
  /**
   * As `fetch`: whatever the API answers is a `Response`. A URL without a scheme is under `baseURL`,
   * with or without a slash in front.
   *
   * @throws {InternalOAuthError} `timeout`, `dns_error`, `tls_error`, `connection_refused`,
   * `connection_failed`, and what the token source throws; the reason of your `signal`, as it is
   * @throws {TypeError} for a `Request`, and for what `fetch` does not take either
   */
  (url: string | URL, init?: AuthorizedInit): Promise<Response>;
  /**
   * The answer, parsed.
   *
   * @throws {InternalOAuthError} also `invalid_token` (401), `insufficient_scope` (403),
   * `rate_limited` (429), `provider_unavailable` (5xx), `unexpected_status`,
   * `unexpected_content_type`, `invalid_json`; each with its `status` and `hint`, and with method and
   * path in its message, never the query
   */
  json<T = unknown>(url: string | URL, init?: AuthorizedInit): Promise<T>;
}

/** RFC 9110 §9.2.2: asking twice is asking once. `fetch` itself refuses TRACE. */
const IDEMPOTENT = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'];

/** How often one call asks, at most, when it is told to come later. */
const MAX_ATTEMPTS = 4;

/**
 * A `fetch` for one API: the token goes in the `Authorization` header, to that origin only. A 401
 * gets the request one more try with another token, 429 and 503 up to three more, when repeating it
 * is safe, after the time the API asks for.
 *
 * @throws {TypeError} unless `baseURL` is https (or http on a loopback host); for an unknown option
 * @example
 * const api = authorizedFetch(source, { baseURL: 'https://api.salesloft.com/v2' });
 * const { data } = await api.json('me.json');
 */
export function authorizedFetch(
  source: TokenSource,
  options: AuthorizedFetchOptions,
): AuthorizedFetch {
  const owner = 'authorizedFetch';
  refuseUnknownOptions(owner, options, OPTIONS);
  const base = new URL(requireEndpoint(owner, 'baseURL', options.baseURL));
  if (base.href.includes('?')) throw new TypeError(`${owner}: option "baseURL" must have no query`);
  const timeout = optionalNumber(owner, 'timeout', options.timeout, 30_000, [1, 3_600_000]);
  const provider = options.provider ?? source.provider ?? { name: base.host, hints: {} };

  const send = async (input: string | URL, init: AuthorizedInit = {}) => {
    const url = resolve(base, input);
    const { json, ...rest } = init;
    const method = (init.method ?? 'GET').toUpperCase();
    const headers = new Headers(init.headers);
    let body = init.body;
    if (json !== undefined) {
      body = JSON.stringify(json);
      if (!headers.has('content-type')) headers.set('content-type', 'application/json');
    }
    const deadline = new Deadline(timeout);
    const { signal, release } = endOf(timeout, init.signal);
    const at = { provider, stage: 'api', host: url.host } as const;
    /** Ends early when the time is over, or with the caller's own reason. */
    const step = <T>(work: () => Promise<T>) =>
      located(at, async () => {
        try {
          return await unlessAborted(signal, work);
        } catch (error) {
          // No step comes after one that fails.
          release();
          if (!signal.aborted) throw error;
          throw signal.reason === init.signal?.reason ? signal.reason : deadline.problem();
        }
      });
    /** The first one, and the one that came after a 401. */
    const tokens: string[] = [];
    const authorize = async () => {
      const [rejected] = tokens;
      const token = await step(async () => {
        const next = await source.getAccessToken(rejected ? { rejected } : undefined);
        // The platform's own complaint would quote it.
        if (!/^[\x21-\x7e]+$/.test(next)) throw new TypeError(`${owner}: the token is not usable`);
        return next;
      });
      headers.set('authorization', `Bearer ${token}`);
      tokens.push(token);
    };
    if (url.origin === base.origin) await authorize();

    // For messages: a query may hold what belongs in no log.
    const asked = `${method} ${url.pathname}`;
    for (let attempt = 1; ; attempt += 1) {
      const fetch = options.fetch ?? globalThis.fetch;
      const response = await step(() =>
        fetch(url, { ...rest, method, headers, body: body ?? null, signal }).catch(rethrow),
      );
      const answer = { response, asked, tokens, at, step, release };
      // Where a redirect has led, nobody has seen the token.
      if (new URL(response.url || url).origin !== base.origin) return answer;
      const rateLimit = provider.rateLimit?.((name) => response.headers.get(name) ?? undefined);
      if (rateLimit && isKnown(rateLimit)) tell(options.onRateLimit, rateLimit);
      if (!isRepeatable(body)) return answer;

      // A host that led here by a redirect was given no token, and gets none.
      if (response.status === 401 && tokens.length === 1) {
        await authorize().catch(async (error: unknown) => {
          await discard(response);
          throw error;
        });
        if (tokens[0] === tokens[1]) return answer;
        await discard(response);
      } else {
        const wait = delay(method, response, rateLimit, attempt);
        if (wait === undefined || wait >= deadline.remaining()) return answer;
        await discard(response);
        await step(() => pause(wait, undefined, { signal }));
      }
    }
  };

  const request = async (input: string | URL, init?: AuthorizedInit) => {
    const { response, release } = await send(input, init);
    const { body } = response;
    // A body may still be read, and has until the timeout. This neither locks nor wraps it; the types
    // know only Node's own streams.
    if (body instanceof ReadableStream) finished(body as unknown as NodeJS.ReadableStream, release);
    else if (!body) release();
    return response;
  };

  const json = async <T>(input: string | URL, init: AuthorizedInit = {}): Promise<T> => {
    const headers = new Headers(init.headers);
    if (!headers.has('accept')) headers.set('accept', 'application/json');
    const call = await send(input, { ...init, headers });
    const { response, asked, tokens, at, step, release } = call;
    const body = await step(() => response.text().catch(rethrow)).finally(release);
    return await located(at, () => {
      try {
        return parsed(response, body, tokens.at(-1)) as T;
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        const message = `${quote(asked, tokens)}: ${error.message}`;
        throw new Problem(error.code, message, error.details);
      }
    });
  };
  return Object.assign(request, { json });
}

/** @throws {Problem} for an error, and for what is no JSON */
function parsed(response: Response, body: string, token: string | undefined): unknown {
  const headers = Object.fromEntries(response.headers);
  if (!response.ok) throw refused('the request', { status: response.status, headers, body }, token);
  return body === '' ? undefined : parseJson(body, headers['content-type']);
}

/** Under the base, as people write paths; a URL with a scheme is what it says. */
function resolve(base: URL, input: unknown): URL {
  if (typeof input !== 'string' && !(input instanceof URL)) {
    throw new TypeError('authorizedFetch: the first argument must be a string or a URL');
  }
  const text = String(input);
  const url = /^[a-z][a-z\d+.-]*:/i.test(text)
    ? new URL(text)
    : new URL(`${base.href.replace(/\/+$/, '')}/${text.replace(/^\/+/, '')}`);
  const isHttp = ['http:', 'https:'].includes(url.protocol);
  if (isHttp && url.username === '' && url.password === '') return url;
  throw new TypeError('authorizedFetch: the URL must be http or https, without user info');
}

/**
 * Aborts when the time is over, or when the caller's signal does. By hand, because Node may collect
 * what `AbortSignal.any` gives while a body is still being read, which then never ends.
 *
 * @returns `release` lets go of the timer and of the caller's signal, which may live long. It aborts
 * nothing: a clone of the answer may still be read
 */
function endOf(
  timeout: number,
  callers?: AbortSignal | null,
): { signal: AbortSignal; release: () => void } {
  const end = new AbortController();
  const release = () => {
    clearTimeout(timer);
    callers?.removeEventListener('abort', follow);
  };
  const stop = (reason: unknown) => {
    release();
    end.abort(reason);
  };
  const follow = () => stop(callers?.reason);
  const late = () => stop(new DOMException(`not finished within ${timeout} ms`, 'TimeoutError'));
  const timer = setTimeout(late, timeout).unref();
  if (callers?.aborted) follow();
  else callers?.addEventListener('abort', follow);
  return { signal: end.signal, release };
}

/** A stream is gone once it is sent. */
function isRepeatable(body: unknown): boolean {
  return !(
    body instanceof ReadableStream ||
    (typeof body === 'object' && body !== null && Symbol.asyncIterator in body)
  );
}

function isKnown(limit: RateLimit): boolean {
  return Object.values(limit).some((value) => value !== undefined);
}

/** Milliseconds to wait before asking again; nothing when it is not to be asked again. */
function delay(
  method: string,
  response: Response,
  limit: RateLimit | undefined,
  attempt: number,
): number | undefined {
  const isBusy = response.status === 429 || response.status === 503;
  if (!isBusy || !IDEMPOTENT.includes(method) || attempt >= MAX_ATTEMPTS) return undefined;
  const seconds = retryAfterSeconds({ headers: Object.fromEntries(response.headers) });
  if (seconds !== undefined) return seconds * 1000;
  if (limit?.remaining === 0 && limit.resetsAt !== undefined) {
    return Math.max(0, limit.resetsAt - Date.now());
  }
  // Full jitter, so that those who were refused together do not come again together.
  return Math.random() * 500 * 2 ** attempt;
}

/** An unread body keeps its connection. */
async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => undefined);
}

/** A fault of the application's observer is not one of the request. */
function tell(onRateLimit: AuthorizedFetchOptions['onRateLimit'], limit: RateLimit): void {
  const warn = (error: unknown) =>
    process.emitWarning(error instanceof Error ? error : String(error));
  try {
    // An async one may reject instead.
    Promise.resolve(onRateLimit?.(limit) as unknown).catch(warn);
  } catch (error) {
    warn(error);
  }
}

/** What made the platform's `fetch` fail; it says `fetch failed`, and why in `cause`. */
function rethrow(error: unknown): never {
  const cause: unknown = Reflect.get(Object(error), 'cause');
  // Without a cause it was not the network: a GET with a body, for instance.
  if (error instanceof TypeError && cause === undefined) throw error;
  throw connectionProblem((cause ?? error) as NodeJS.ErrnoException);
}

/** @throws the signal's reason, when that comes first */
async function unlessAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason as Error);
    signal.addEventListener('abort', stop);
  });
  try {
    return await Promise.race([work(), aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
