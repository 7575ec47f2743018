/**
 * Requests to a provider's API with a token that stays good. The login's own requests go through
 * `http.ts`; these are the application's, of any size, so they are the platform's `fetch`.
 */
import { refused } from '../bearer-request';
import { Deadline } from '../deadline';
import { Problem, bareCause, located } from '../errors';
import type { HttpResponse } from '../http';
import { parseJson } from '../json';
import { optionalNumber, requireEndpoint } from '../options';
import type { RateLimit } from '../provider';
import { retryAfterSeconds } from '../token-endpoint';
import type { TokenSource } from './token-source';

export interface AuthorizedFetchOptions {
  /** Where the API is: `https://api.salesloft.com/v2`. No other origin ever gets the token. */
  baseURL: string;
  /**
   * Milliseconds for one call: every attempt, the waiting between them, and the answer's body;
   * default 30 000.
   */
  timeout?: number;
  /** Told after each answer how often the API may still be asked, when the provider says. */
  onRateLimit?: (limit: RateLimit) => void;
  /** Whose API it is, when the source does not know: `salesloft`, for an API key. */
  provider?: TokenSource['provider'];
  /** In place of the platform's `fetch`: behind a corporate proxy, for instance. */
  fetch?: typeof globalThis.fetch;
}

/** What `fetch` takes, and `json`: a value to send as JSON. */
export type AuthorizedInit = RequestInit & { json?: unknown };

export interface AuthorizedFetch {
  /**
   * As `fetch`: whatever the API answers is a `Response`. A URL without a scheme is under `baseURL`,
   * with or without a slash in front.
   *
   * @throws {InternalOAuthError} `timeout`, `connection_failed`, and what the token source throws
   */
  (url: string | URL, init?: AuthorizedInit): Promise<Response>;
  /**
   * The answer, parsed.
   *
   * @throws {InternalOAuthError} also `invalid_token` (401), `insufficient_scope` (403),
   * `rate_limited` (429), `provider_unavailable` (5xx), `unexpected_status`,
   * `unexpected_content_type`, `invalid_json`; each with its `status` and `hint`
   */
  json<T = unknown>(url: string | URL, init?: AuthorizedInit): Promise<T>;
}

/** RFC 9110 §9.2.2: asking twice is asking once. */
const IDEMPOTENT = ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'];

/** How often one call asks, at most, when it is told to come later. */
const MAX_ATTEMPTS = 4;

/**
 * A `fetch` for one API: the token goes in the `Authorization` header, to that origin only. A 401
 * gets the request one more try with another token, 429 and 503 up to three more, when repeating it
 * is safe, after the time the API asks for.
 *
 * @throws {TypeError} unless `baseURL` is https (or http on a loopback host)
 * @example
 * const api = authorizedFetch(source, { baseURL: 'https://api.salesloft.com/v2' });
 * const { data } = await api.json('me.json');
 */
export function authorizedFetch(
  source: TokenSource,
  options: AuthorizedFetchOptions,
): AuthorizedFetch {
  const owner = 'authorizedFetch';
  const base = new URL(requireEndpoint(owner, 'baseURL', options.baseURL));
  if (base.search !== '') throw new TypeError(`${owner}: option "baseURL" must have no query`);
  const timeout = optionalNumber(owner, 'timeout', options.timeout, 30_000, [1, 3_600_000]);
  const provider = options.provider ?? source.provider ?? { name: base.host, hints: {} };

  const request = async (input: string | URL, init: AuthorizedInit = {}): Promise<Response> => {
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
    const limit = AbortSignal.timeout(timeout);
    const signal = init.signal ? AbortSignal.any([init.signal, limit]) : limit;
    const isOwn = url.origin === base.origin;
    let token = isOwn ? await source.getAccessToken() : undefined;
    let isRenewed = false;

    for (let attempt = 1; ; attempt += 1) {
      if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
      const fetch = options.fetch ?? globalThis.fetch;
      const response = await located({ provider, stage: 'api', host: url.host }, async () => {
        try {
          return await fetch(url, { ...rest, method, headers, body: body ?? null, signal });
        } catch (error) {
          // Who has aborted it knows why.
          throw init.signal?.aborted ? error : connectionProblem(error);
        }
      });
      if (!isOwn) return response;
      const rateLimit = provider.rateLimit?.((name) => response.headers.get(name) ?? undefined);
      if (rateLimit && isKnown(rateLimit)) options.onRateLimit?.(rateLimit);
      if (!isRepeatable(body)) return response;

      if (response.status === 401 && token !== undefined && !isRenewed) {
        isRenewed = true;
        const other = await source.getAccessToken({ rejected: token });
        if (other === token) return response;
        token = other;
      } else {
        const wait = delay(method, response, rateLimit, attempt);
        if (wait === undefined || wait >= deadline.remaining()) return response;
        await pause(wait, signal);
      }
      // An unread body keeps its connection.
      await response.body?.cancel();
    }
  };

  const json = async <T>(input: string | URL, init: AuthorizedInit = {}): Promise<T> => {
    const headers = new Headers(init.headers);
    if (!headers.has('accept')) headers.set('accept', 'application/json');
    const response = await request(input, { ...init, headers });
    const { host } = resolve(base, input);
    return await located({ provider, stage: 'api', host }, async () => {
      const answer = await read(response);
      if (!response.ok) throw refused('the request', answer);
      if (answer.body === '') return undefined as T;
      return parseJson(answer.body, answer.headers['content-type']) as T;
    });
  };
  return Object.assign(request, { json });
}

/** Under the base, as people write paths; a URL with a scheme is what it says. */
function resolve(base: URL, input: string | URL): URL {
  const text = String(input);
  if (input instanceof URL || /^[a-z][a-z\d+.-]*:/i.test(text)) return new URL(text);
  return new URL(`${base.href.replace(/\/+$/, '')}/${text.replace(/^\/+/, '')}`);
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
  const seconds = retryAfterSeconds(answerOf(response));
  if (seconds !== undefined) return seconds * 1000;
  if (limit?.remaining === 0 && limit.resetsAt !== undefined) {
    return Math.max(0, limit.resetsAt - Date.now());
  }
  // Full jitter, so that those who were refused together do not come again together.
  return Math.random() * 500 * 2 ** attempt;
}

function answerOf(response: Response, body = ''): HttpResponse {
  return { status: response.status, headers: Object.fromEntries(response.headers), body };
}

async function read(response: Response): Promise<HttpResponse> {
  try {
    return answerOf(response, await response.text());
  } catch (error) {
    throw connectionProblem(error);
  }
}

function connectionProblem(error: unknown): Problem {
  if (Reflect.get(Object(error), 'name') === 'TimeoutError') {
    return new Problem('timeout', 'the API did not answer in time');
  }
  const cause: unknown = Reflect.get(Object(error), 'cause') ?? error;
  const code: unknown = Reflect.get(Object(cause), 'code') ?? Reflect.get(Object(cause), 'name');
  return new Problem('connection_failed', `the connection failed (${String(code)})`, {
    cause: bareCause(cause),
  });
}

/** @throws the signal's reason, when that comes first */
async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((done, reject) => {
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      done();
    }, milliseconds);
    function stop() {
      clearTimeout(timer);
      reject(signal.reason as Error);
    }
    signal.addEventListener('abort', stop, { once: true });
  });
}
