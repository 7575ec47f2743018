/** Sends the application's requests to a provider's API, with a token that stays good. */
import type { TokenSet } from '../protocol/token-set';
import type { RateLimit } from '../provider/description';
import { optionalNumber, refuseUnknownOptions, requireEndpoint } from '../values/options';
import { ApiCall } from './api-call';
import type { Api, ApiInit } from './api-call';
import type { TokenSource } from './token-source';

export interface AuthorizedFetchOptions {
  /**
   * Where the API is: `https://api.salesloft.com/v2`. No other origin ever gets the token. A function
   * is asked before each request, so that it follows an organization whose tokens name a new host:
   * `({ response }) => `${response.instance_url}/services/data/v62.0``.
   */
  baseURL: string | ((tokens: TokenSet) => string);
  /**
   * Milliseconds until the answer must have begun: every attempt, and the pauses between them. The
   * platform's `fetch` itself waits five minutes at most. Default: 30 000.
   */
  timeout?: number;
  /**
   * Milliseconds to wait for the next byte of an answer that has begun. A long download may take
   * longer. The platform's `fetch` itself waits five minutes at most. Default: 30 000.
   */
  bodyTimeout?: number;
  /** Bytes, after decompression, that `.json` reads at most. Default: 64 MiB. */
  maxResponseBytes?: number;
  /**
   * Called after each answer in which the provider says how often the API may still be asked. An
   * error that it throws becomes a warning of the process, and the answer is returned all the same.
   */
  onRateLimit?: (limit: RateLimit) => void;
  /** The provider of the API, when the source does not know it: `salesloft`, for an API key. */
  provider?: TokenSource['provider'];
  /** In place of the platform's `fetch`: behind a corporate proxy, for instance. */
  fetch?: typeof fetch;
}

const OPTIONS = [
  'baseURL',
  'timeout',
  'bodyTimeout',
  'maxResponseBytes',
  'onRateLimit',
  'provider',
  'fetch',
];

export type AuthorizedInit = ApiInit;

export interface AuthorizedFetch {
  /**
   * As `fetch`: every answer of the API is a `Response`. A URL without a scheme is under `baseURL`,
   * with or without a slash in front.
   *
   * @throws {OAuth2Error} `timeout`, `dns_error`, `tls_error`, `connection_refused`,
   * `connection_failed`, and the errors of the token source; `incomplete_response`, while the body is
   * read; the reason of your `signal`, as it is
   * @throws {TypeError} for a `Request`, and where `fetch` itself throws one
   */
  (url: string | URL, init?: AuthorizedInit): Promise<Response>;
  /**
   * The answer, parsed.
   *
   * @throws {OAuth2Error} also `invalid_token` (401), `insufficient_scope` (403), `rate_limited` (429),
   * `provider_unavailable` (5xx), `unexpected_status`, `unexpected_content_type`, `invalid_json`,
   * `response_too_large`; each with its `status`, `apiCode`, `apiErrors` and `hint`, and with method and
   * path in its message, never the query
   */
  json<T = unknown>(url: string | URL, init?: AuthorizedInit): Promise<T>;
}

/** The longest time of a timer of the platform, in milliseconds. */
const MAX_TIMEOUT_MS = 2_147_483_647;

const MAX_RESPONSE_BYTES = 64 * 1024 * 1024;

/**
 * A `fetch` for one API. The token goes in the `Authorization` header, to that origin only, also when
 * the API redirects. After a 401 the request is sent once more with another token. After 429 and 503 it
 * is sent up to three more times, when repeating it is safe, after the time that the API asks for.
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
  const api = apiOf(source, options);

  const request = async (input: string | URL, init?: AuthorizedInit) => {
    const call = new ApiCall(api, input, init);
    return call.guard(await call.send());
  };

  const json = async <T>(input: string | URL, init: AuthorizedInit = {}): Promise<T> => {
    const headers = new Headers(init.headers);
    if (!headers.has('accept')) headers.set('accept', 'application/json');
    const call = new ApiCall(api, input, { ...init, headers });
    const response = await call.send();
    return (await call.parse(response)) as T;
  };
  return Object.assign(request, { json });
}

const OWNER = 'authorizedFetch';

/** @throws {TypeError} naming the option that is unknown or wrong */
function apiOf(source: TokenSource, options: AuthorizedFetchOptions): Api {
  refuseUnknownOptions(OWNER, options, OPTIONS);
  const { baseURL, onRateLimit, fetch } = options;
  const followsTokens = typeof baseURL === 'function';
  if (followsTokens && !source.getTokens) {
    throw new TypeError(`${OWNER}: option "baseURL" may be a function only for a source of tokens`);
  }
  const base = followsTokens ? undefined : judgeBase(baseURL);
  const number = (
    name: 'timeout' | 'bodyTimeout' | 'maxResponseBytes',
    fallback: number,
    max: number,
  ) => optionalNumber(OWNER, name, options[name], fallback, [1, max]);
  return {
    source,
    base,
    baseOf: (tokens) => base ?? judgeBase((baseURL as (tokens: TokenSet) => string)(tokens)),
    timeout: number('timeout', 30_000, MAX_TIMEOUT_MS),
    bodyTimeout: number('bodyTimeout', 30_000, MAX_TIMEOUT_MS),
    maxResponseBytes: number('maxResponseBytes', MAX_RESPONSE_BYTES, Number.MAX_SAFE_INTEGER),
    provider: options.provider ?? source.provider ?? { name: base?.host ?? OWNER, hints: {} },
    fetch,
    onRateLimit,
  };
}

function judgeBase(baseURL: string): URL {
  const base = new URL(requireEndpoint(OWNER, 'baseURL', baseURL));
  if (base.href.includes('?')) throw new TypeError(`${OWNER}: option "baseURL" must have no query`);
  return base;
}
