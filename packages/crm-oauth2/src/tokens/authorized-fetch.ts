/** Sends the application's requests to a provider's API, with a token that stays good. */
import { finished } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { HINTS } from '../errors/codes';
import type { HintTable } from '../errors/codes';
import { located } from '../errors/oauth2-error';
import { Problem, isProblem } from '../errors/problem';
import { quote } from '../errors/redaction';
import { refused } from '../protocol/profile-request';
import type { RateLimit } from '../provider/description';
import { optionalNumber, refuseUnknownOptions, requireEndpoint } from '../values/options';
import { parseJson, retryAfterSeconds } from '../wire/answers';
import { connectionProblem } from '../wire/http';
import { callLimit } from './call-limit';
import type { CallLimit } from './call-limit';
import type { TokenSource } from './token-source';

export interface AuthorizedFetchOptions {
  /** Where the API is: `https://api.salesloft.com/v2`. No other origin ever gets the token. */
  baseURL: string;
  /**
   * Milliseconds for one call: every attempt, the pauses between them, and the answer's body.
   * Default: 30 000.
   */
  timeout?: number;
  /**
   * Called after each answer in which the provider says how often the API may still be asked. An
   * error that it throws becomes a warning of the process, and the answer is returned all the same.
   */
  onRateLimit?: (limit: RateLimit) => void;
  /** The provider of the API, when the source does not know it: `salesloft`, for an API key. */
  provider?: TokenSource['provider'];
  /** In place of the platform's `fetch`: behind a corporate proxy, for instance. */
  fetch?: typeof globalThis.fetch;
}

const OPTIONS = ['baseURL', 'timeout', 'onRateLimit', 'provider', 'fetch'];

/** The options of `fetch`, and `json`: a value to send as JSON. */
export type AuthorizedInit = RequestInit & { json?: unknown };

export interface AuthorizedFetch {
  /**
   * As `fetch`: every answer of the API is a `Response`. A URL without a scheme is under `baseURL`,
   * with or without a slash in front.
   *
   * @throws {OAuth2Error} `timeout`, `dns_error`, `tls_error`, `connection_refused`,
   * `connection_failed`, and the errors of the token source; the reason of your `signal`, as it is
   * @throws {TypeError} for a `Request`, and where `fetch` itself throws one
   */
  (url: string | URL, init?: AuthorizedInit): Promise<Response>;
  /**
   * The answer, parsed.
   *
   * @throws {OAuth2Error} also `invalid_token` (401), `insufficient_scope` (403), `rate_limited` (429),
   * `provider_unavailable` (5xx), `unexpected_status`, `unexpected_content_type`, `invalid_json`; each
   * with its `status` and `hint`, and with method and path in its message, never the query
   */
  json<T = unknown>(url: string | URL, init?: AuthorizedInit): Promise<T>;
}

/** RFC 9110 §9.2.2: a repeated request has the effect of one. `fetch` itself refuses TRACE. */
const IDEMPOTENT_METHODS = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'];

/** One call asks this often, at most, when the API puts it off. */
const MAX_ATTEMPTS = 4;

/** A shorter value of the query, in characters, is a word like any other: `true`, `name`. */
const LONGEST_WORD = 5;

/** The pause after the first attempt is at most twice as long, when the API names no time. */
const BACKOFF_MS = 500;

/**
 * A `fetch` for one API. The token goes in the `Authorization` header, to that origin only. After a
 * 401 the request is sent once more with another token. After 429 and 503 it is sent up to three more
 * times, when repeating it is safe, after the time that the API asks for.
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
    const call = new Call(api, input, init);
    const response = await call.send();
    releaseAfterBody(response, call.limit.release);
    return response;
  };

  const json = async <T>(input: string | URL, init: AuthorizedInit = {}): Promise<T> => {
    const headers = new Headers(init.headers);
    if (!headers.has('accept')) headers.set('accept', 'application/json');
    const call = new Call(api, input, { ...init, headers });
    const response = await call.send();
    return (await call.parse(response)) as T;
  };
  return Object.assign(request, { json });
}

type Api = ReturnType<typeof apiOf>;

/** The source and the options, judged: all that is the same for every call. */
function apiOf(source: TokenSource, options: AuthorizedFetchOptions) {
  const owner = 'authorizedFetch';
  refuseUnknownOptions(owner, options, OPTIONS);
  const base = new URL(requireEndpoint(owner, 'baseURL', options.baseURL));
  if (base.href.includes('?')) throw new TypeError(`${owner}: option "baseURL" must have no query`);
  const timeout = optionalNumber(owner, 'timeout', options.timeout, 30_000, [1, 3_600_000]);
  const provider = options.provider ?? source.provider ?? { name: base.host, hints: {} };
  return { source, base, timeout, provider, options };
}

/** One call: a request, sent until its answer is worth returning. */
class Call {
  readonly limit: CallLimit;
  readonly #api: Api;
  readonly #url: URL;
  /** The caller's options with a body, and with headers of our own that take the token. */
  readonly #init: RequestInit & { method: string; headers: Headers };
  /** The first token, and the one that came after a 401. */
  readonly #tokens: string[] = [];

  constructor(api: Api, input: unknown, { json, ...init }: AuthorizedInit = {}) {
    this.#api = api;
    this.#url = resolve(api.base, input);
    const headers = new Headers(init.headers);
    let body = init.body ?? null;
    if (json !== undefined) {
      body = JSON.stringify(json);
      if (!headers.has('content-type')) headers.set('content-type', 'application/json');
    }
    this.limit = callLimit(api.timeout, init.signal);
    const method = (init.method ?? 'GET').toUpperCase();
    this.#init = { ...init, method, headers, body, signal: this.limit.signal };
  }

  async send(): Promise<Response> {
    return await located(this.#where, async () => {
      // Another origin gets no token, even when it redirects to the API.
      if (this.#url.origin === this.#api.base.origin) await this.#authorize();
      for (let attempt = 1; ; attempt += 1) {
        const fetch = this.#api.options.fetch ?? globalThis.fetch;
        const response = await this.limit.run(() => fetch(this.#url, this.#init).catch(rethrow));
        if (!(await this.#mayRepeat(response, attempt))) return response;
      }
    });
  }

  /** Reads the body, and judges the answer. */
  async parse(response: Response): Promise<unknown> {
    return await located(this.#where, async () => {
      const { run, release } = this.limit;
      const body = await run(() => response.text().catch(rethrow)).finally(release);
      const headers = Object.fromEntries(response.headers);
      const { provider } = this.#api;
      const secrets = [...this.#tokens, ...valuesOf(this.#url)];
      try {
        if (response.ok && body === '') return undefined;
        if (response.ok) return parseJson(body, headers['content-type'], secrets);
        const answer = { status: response.status, headers, body };
        throw refused('the request', answer, secrets, { ...provider, stage: 'api' });
      } catch (error) {
        if (!isProblem(error)) throw error;
        // Without the query, which may hold what belongs in no log.
        const asked = quote(`${this.#init.method} ${this.#url.pathname}`, this.#tokens);
        throw new Problem(error.code, `${asked}: ${error.message}`, {
          ...error.details,
          hint: error.details.hint ?? this.#remedy(error.code),
        });
      }
    });
  }

  /** Where the remedy depends on whose token it is, and the provider has none of its own for APIs. */
  #remedy(code: string): string | undefined {
    const { source, provider } = this.#api;
    const key = `${source.kind}.${code}`;
    const isShared = provider.hints[`api.${code}`] === undefined;
    return provider.hints[key] ?? (isShared ? (HINTS as HintTable)[key] : undefined);
  }

  /** Puts a token into the request: another one, when the first was answered with 401. */
  async #authorize(): Promise<void> {
    const [rejected] = this.#tokens;
    const token = await this.limit.run(async () => {
      const next = await this.#api.source.getAccessToken(rejected ? { rejected } : undefined);
      // The platform would quote the token in its own error.
      if (/^[\x21-\x7e]+$/.test(next)) return next;
      throw new TypeError('authorizedFetch: the token is not usable');
    });
    this.#init.headers.set('authorization', `Bearer ${token}`);
    this.#tokens.push(token);
  }

  /** Prepares the next attempt, when there is to be one: it has another token, or the wait is over. */
  async #mayRepeat(response: Response, attempt: number): Promise<boolean> {
    // `fetch` takes the token off when it follows a redirect to another origin: that answer does not
    // judge the token.
    if (new URL(response.url || this.#url).origin !== this.#api.base.origin) return false;
    const rateLimit = this.#tellRateLimit(response);
    // A stream is sent once: it cannot be read again.
    if (Symbol.asyncIterator in Object(this.#init.body)) return false;

    if (response.status === 401 && this.#tokens.length === 1) {
      return await this.#replaceToken(response);
    }
    const delay = this.#delayBeforeRepeat(response, attempt, rateLimit);
    if (delay >= this.limit.deadline.remaining()) return false;
    await discard(response);
    await this.limit.run(() => pause(delay, undefined, { signal: this.limit.signal }));
    return true;
  }

  /** RFC 6750 §3.1: the client may ask for a new access token and repeat the request. */
  async #replaceToken(response: Response): Promise<boolean> {
    try {
      await this.#authorize();
    } catch (error) {
      await discard(response);
      throw error;
    }
    if (this.#tokens[0] === this.#tokens[1]) return false;
    await discard(response);
    return true;
  }

  /** Milliseconds to wait before the next attempt; infinite when there is to be none. */
  #delayBeforeRepeat(response: Response, attempt: number, limit?: RateLimit): number {
    const isPutOff = response.status === 429 || response.status === 503;
    const isIdempotent = IDEMPOTENT_METHODS.includes(this.#init.method);
    if (!isPutOff || !isIdempotent || attempt >= MAX_ATTEMPTS) return Infinity;
    const seconds = retryAfterSeconds({ headers: Object.fromEntries(response.headers) });
    if (seconds !== undefined) return seconds * 1000;
    if (limit?.remaining === 0 && limit.resetsAt !== undefined) {
      return Math.max(0, limit.resetsAt - Date.now());
    }
    // Full jitter, so that callers that were put off together do not come again together.
    return Math.random() * BACKOFF_MS * 2 ** attempt;
  }

  #tellRateLimit({ headers }: Response): RateLimit | undefined {
    const rateLimit = this.#api.provider.rateLimit?.((name) => headers.get(name) ?? undefined);
    const isKnown = Object.values(rateLimit ?? {}).some((value) => value !== undefined);
    if (rateLimit && isKnown) void tell(this.#api.options.onRateLimit, rateLimit);
    return rateLimit;
  }

  get #where() {
    return { provider: this.#api.provider, stage: 'api', host: this.#url.host } as const;
  }
}

/** A path is under the base; a URL with a scheme stays as it is. */
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

/** The values of the query, and the texts that are quoted in them: an API may echo either in an error. */
function valuesOf({ searchParams }: URL): string[] {
  const values = [...searchParams.values()];
  const literals = values.flatMap((value) => value.match(/(?<=')(?:[^'\\]|\\.)+(?=')/g) ?? []);
  return [...values, ...literals].filter(({ length }) => length > LONGEST_WORD);
}

/** Gives up a body, because an unread one keeps its connection. */
async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => undefined);
}

/** Lets go of the limit when the caller has read the body. */
function releaseAfterBody({ body }: Response, release: () => void): void {
  // `finished` neither locks nor wraps the body; the types know only Node's own streams.
  if (body instanceof ReadableStream) finished(body as unknown as NodeJS.ReadableStream, release);
  else if (!body) release();
}

/** An error of the application's observer, which may be async, becomes a warning. */
async function tell(onRateLimit: AuthorizedFetchOptions['onRateLimit'], limit: RateLimit) {
  try {
    await (onRateLimit?.(limit) as unknown);
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : String(error));
  }
}

/** The platform's `fetch` says only `fetch failed`, and has the reason as `cause`. */
function rethrow(error: unknown): never {
  const cause: unknown = Reflect.get(Object(error), 'cause');
  // Without a cause it is a mistake of the caller: a GET with a body, for instance.
  if (error instanceof TypeError && cause === undefined) throw error;
  throw connectionProblem((cause ?? error) as NodeJS.ErrnoException);
}
