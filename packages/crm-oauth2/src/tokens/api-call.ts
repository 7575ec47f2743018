/** One call of an API: a request with a token, sent until its answer is worth returning. */
import { setTimeout as pause } from 'node:timers/promises';
import { HINTS } from '../errors/codes';
import type { HintTable } from '../errors/codes';
import { located } from '../errors/oauth2-error';
import { Problem, isProblem } from '../errors/problem';
import { quote } from '../errors/redaction';
import { refused } from '../protocol/profile-request';
import type { TokenSet } from '../protocol/token-set';
import type { RateLimit } from '../provider/description';
import { parseJson, retryAfterSeconds } from '../wire/answers';
import { connectionProblem } from '../wire/http';
import { AnswerBody, withBody } from './answer-body';
import { callLimit } from './call-limit';
import type { CallLimit } from './call-limit';
import { isPlainHttp, isStream, redirectOf } from './redirects';
import type { ApiRequest } from './redirects';
import type { TokenSource } from './token-source';

/** RFC 9110 §9.2.2: a repeated request has the effect of one. `fetch` itself refuses TRACE. */
const IDEMPOTENT_METHODS = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'];

/** One call asks this often, at most, when the API puts it off. */
const MAX_ATTEMPTS = 4;

/** A shorter value of the query, in characters, is a word like any other: `true`, `name`. */
const LONGEST_WORD = 5;

/** One attempt follows this many redirects. */
const MAX_REDIRECTS = 5;

/** An error is read up to here, in bytes. */
const MAX_ERROR_BYTES = 256 * 1024;

/** A connection that had been kept for too long, in the words of Node and of its `fetch`. */
const STALE: readonly unknown[] = ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'];

/** Mistakes of the application for which the platform's `fetch` sends nothing. */
const MISTAKES: readonly unknown[] = [
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
];

/** The pause after the first attempt is at most twice as long, when the API names no time. */
const BACKOFF_MS = 500;

/** The options of `fetch`, and `json`: a value to send as JSON. */
export type ApiInit = RequestInit & { json?: unknown };

/** The source and the options, judged: all that is the same for every call. */
export interface Api {
  source: TokenSource;
  /** Absent where the tokens name it. */
  base: URL | undefined;
  baseOf: (tokens: TokenSet) => URL;
  timeout: number;
  bodyTimeout: number;
  maxResponseBytes: number;
  provider: NonNullable<TokenSource['provider']>;
  fetch: typeof globalThis.fetch | undefined;
  onRateLimit: ((limit: RateLimit) => void) | undefined;
}

/** Made for one call; `send` first, then `guard` or `parse`. */
export class ApiCall {
  readonly limit: CallLimit;
  readonly #api: Api;
  readonly #input: unknown;
  readonly #where: { provider: Api['provider']; stage: 'api'; host?: string };
  /** Unknown until the tokens have named it. */
  #base: URL | undefined;
  #url: URL | undefined;
  /** The caller's options with a body, and with headers of our own that take the token. */
  readonly #init: ApiRequest['init'];
  /** The first token, and the one that came after a 401. */
  readonly #tokens: string[] = [];
  /** The last request: after redirects, another one than the first. */
  #sent: ApiRequest | undefined;
  /** The remedy, when this call knows it better than the tables. */
  #hint: string | undefined;
  #retryAfterSeconds: number | undefined;

  constructor(api: Api, input: unknown, { json, ...init }: ApiInit = {}) {
    this.#api = api;
    this.#input = input;
    this.#where = { provider: api.provider, stage: 'api' };
    if (api.base) this.#goTo(api.base);
    const headers = new Headers(init.headers);
    let body = init.body ?? null;
    if (json !== undefined) {
      body = JSON.stringify(json);
      if (!headers.has('content-type')) headers.set('content-type', 'application/json');
    }
    // `fetch` counts the bytes itself. It stands still when an application has counted too few.
    if (!isStream(body)) headers.delete('content-length');
    this.limit = callLimit(api.timeout, init.signal);
    const method = (init.method ?? 'GET').toUpperCase();
    this.#init = { ...init, method, headers, body, signal: this.limit.signal };
  }

  async send(): Promise<Response> {
    return await this.#located(async () => {
      // Another origin gets no token, even when it redirects to the API.
      if (this.#url?.origin === this.#base?.origin) await this.#authorize();
      for (let attempt = 1; ; attempt += 1) {
        const response = await this.#ask();
        if (await this.#mayRepeat(response, attempt)) continue;
        this.limit.answered();
        return response;
      }
    });
  }

  /** The answer, with a body whose reading ends. */
  guard(response: Response): Response {
    const { body } = response;
    // A response of the platform has a status below 600, unless it comes from the network.
    if (body instanceof ReadableStream && response.status < 600) {
      return withBody(response, this.#bodyOf(body), (step) => this.#located(step));
    }
    this.limit.release();
    return response;
  }

  /** Reads the body, and judges the answer. */
  async parse(response: Response): Promise<unknown> {
    return await this.#located(async () => {
      const headers = Object.fromEntries(response.headers);
      const { status, ok } = response;
      try {
        const { text, isWhole } = await this.#textOf(response);
        if (!ok) throw this.#refused({ status, headers, body: text });
        if (!isWhole) throw tooLarge(this.#api.maxResponseBytes);
        if (text === '') return undefined;
        return parseJson(text, headers['content-type'], this.#secrets);
      } catch (error) {
        if (!isProblem(error)) throw error;
        // Without the query, which may hold what belongs in no log.
        const asked = quote(`${this.#init.method} ${this.#url?.pathname}`, this.#tokens);
        throw new Problem(error.code, `${asked}: ${error.message}`, {
          ...error.details,
          hint: this.#hint ?? error.details.hint ?? this.#remedy(error.code),
          retryAfterSeconds: error.details.retryAfterSeconds ?? this.#retryAfterSeconds,
        });
      }
    });
  }

  async #textOf({ body, ok }: Response): Promise<{ text: string; isWhole: boolean }> {
    if (body) {
      const { maxResponseBytes } = this.#api;
      const reading = this.#bodyOf(body).text(ok ? maxResponseBytes : MAX_ERROR_BYTES);
      // The status of an error says enough, also when its words break off.
      return await reading.catch((error: unknown) => {
        if (ok || !isProblem(error)) throw error;
        return { text: '', isWhole: false };
      });
    }
    this.limit.release();
    return { text: '', isWhole: true };
  }

  #bodyOf(body: ReadableStream<Uint8Array>): AnswerBody {
    const { limit } = this;
    const { bodyTimeout } = this.#api;
    return new AnswerBody(body, (step) => limit.awaitBytes(bodyTimeout, step), limit.release);
  }

  #refused(answer: { status: number; headers: Record<string, string>; body: string }): Problem {
    const { meanings } = this.#api.provider;
    return refused('the request', answer, this.#secrets, { meanings, stage: 'api' });
  }

  /** No message repeats these. */
  get #secrets(): string[] {
    return [...this.#tokens, ...(this.#url ? valuesOf(this.#url) : [])];
  }

  /** Where the remedy depends on whose token it is, and the provider has none of its own for APIs. */
  #remedy(code: string): string | undefined {
    const { source, provider } = this.#api;
    const key = `${source.kind}.${code}`;
    const isShared = provider.hints[`api.${code}`] === undefined;
    return provider.hints[key] ?? (isShared ? (HINTS as HintTable)[key] : undefined);
  }

  /** Puts a token into the request: another one, when the API has refused the first. */
  async #authorize(): Promise<void> {
    const token = await this.limit.run(async () => {
      const next = await this.#nextToken();
      // The platform would quote the token in its own error.
      if (/^[\x21-\x7e]+$/.test(next)) return next;
      throw new TypeError('authorizedFetch: the token is not usable');
    });
    const { headers } = this.#init;
    if (this.#url?.origin === this.#base?.origin) headers.set('authorization', `Bearer ${token}`);
    // The organization has moved since the first token: this URL is not of its API any more.
    else if (this.#tokens.length > 0) headers.delete('authorization');
    this.#tokens.push(token);
  }

  async #nextToken(): Promise<string> {
    const { source, base, baseOf } = this.#api;
    const [rejected] = this.#tokens;
    const options = rejected === undefined ? undefined : { rejected };
    if (base !== undefined || !source.getTokens) return await source.getAccessToken(options);
    const tokens = await source.getTokens(options);
    this.#goTo(baseOf(tokens));
    return tokens.accessToken;
  }

  #goTo(base: URL): void {
    this.#base = base;
    this.#url = resolve(base, this.#input);
    this.#where.host = this.#url.host;
  }

  /** One attempt: the request, and those that its redirects lead to. */
  async #ask(): Promise<Response> {
    let next: ApiRequest = { url: this.#url as URL, init: this.#init };
    for (let hops = 0; ; hops += 1) {
      const request = next;
      this.#sent = request;
      const response = await this.limit.run(() => this.#fetch(request));
      const { redirect = 'follow' } = request.init;
      const target = redirect === 'manual' ? undefined : redirectOf(response, request);
      if (target && redirect === 'error') {
        throw new Problem('unexpected_redirect', `answered with a redirect (${response.status})`);
      }
      if (!target || hops === MAX_REDIRECTS) {
        return hops === 0
          ? response
          : Object.defineProperty(response, 'redirected', { value: true });
      }
      await discard(response);
      next = target;
    }
  }

  async #fetch({ url, init }: ApiRequest): Promise<Response> {
    const fetch = this.#api.fetch ?? globalThis.fetch;
    // `redirectOf` decides what another origin gets: an application's own `fetch` may give it the token.
    const options = { ...init, redirect: 'manual' } as const;
    const once = async () => await fetch(url, options).catch(rethrow);
    try {
      return await once();
    } catch (error) {
      const cause = isProblem(error) ? error.details.cause : undefined;
      const isStale = STALE.includes(Reflect.get(Object(cause), 'code'));
      if (!isStale || !this.#isRepeatable) throw error;
      return await once();
    }
  }

  /** RFC 9110 §9.2.2: a repeated request has the effect of one. A stream cannot be read again. */
  get #isRepeatable(): boolean {
    return IDEMPOTENT_METHODS.includes(this.#init.method) && !isStream(this.#init.body);
  }

  /** Prepares the next attempt, when there is to be one: it has another token, or the wait is over. */
  async #mayRepeat(response: Response, attempt: number): Promise<boolean> {
    // The answer of another origin does not judge the token.
    const origin = new URL(response.url || (this.#sent?.url ?? '')).origin;
    if (origin !== this.#base?.origin) return false;
    const rateLimit = this.#tellRateLimit(response);
    if (await this.#refusesToken(response)) return await this.#replaceToken(response);

    const delay = this.#delayBeforeRepeat(response, attempt, rateLimit);
    if (delay >= this.limit.deadline.remaining()) return false;
    await discard(response);
    await this.limit.run(() => pause(delay, undefined, { signal: this.limit.signal }));
    return true;
  }

  /** True when the first token is refused: by 401, or by 400 or 403 in words that mean the same. */
  async #refusesToken(response: Response): Promise<boolean> {
    const { status } = response;
    const hadToken = this.#sent?.init.headers.has('authorization') === true;
    if (this.#tokens.length !== 1 || !hadToken) return false;
    if (![400, 403].includes(status) || !response.body) return status === 401;
    // The caller may still read the answer itself.
    const { body } = response.clone();
    const copy = new AnswerBody(
      body as ReadableStream<Uint8Array>,
      this.limit.run,
      () => undefined,
    );
    const { text } = await copy.text(MAX_ERROR_BYTES);
    const headers = Object.fromEntries(response.headers);
    return this.#refused({ status, headers, body: text }).code === 'invalid_token';
  }

  /**
   * RFC 6750 §3.1: the client may ask for a new access token and repeat the request. A stream was sent
   * already, and the new token serves the next call.
   */
  async #replaceToken(response: Response): Promise<boolean> {
    try {
      await this.#authorize();
    } catch (error) {
      await discard(response);
      throw error;
    }
    if (this.#tokens[0] === this.#tokens[1]) return false;
    if (isStream(this.#init.body)) {
      this.#hint = HINTS['invalid_token.stream'];
      return false;
    }
    await discard(response);
    return true;
  }

  /** Milliseconds to wait before the next attempt; infinite when there is to be none. */
  #delayBeforeRepeat(response: Response, attempt: number, limit?: RateLimit): number {
    const { status } = response;
    if (status !== 429 && status !== 503) return Infinity;
    // Full jitter, so that callers that were put off together do not come again together.
    const jitter = Math.random() * BACKOFF_MS * 2 ** attempt;
    const asked = retryAfterSeconds({ headers: Object.fromEntries(response.headers) });
    const isUsedUp = status === 429 || limit?.remaining === 0;
    const untilReset =
      isUsedUp && limit?.resetsAt !== undefined
        ? Math.max(0, limit.resetsAt - Date.now())
        : undefined;
    this.#retryAfterSeconds = asked ?? (untilReset && Math.ceil(untilReset / 1000));
    if (!this.#isRepeatable || attempt >= MAX_ATTEMPTS) return Infinity;
    return asked === undefined ? (untilReset ?? 0) + jitter : asked * 1000;
  }

  #tellRateLimit({ headers }: Response): RateLimit | undefined {
    const rateLimit = this.#api.provider.rateLimit?.((name) => headers.get(name) ?? undefined);
    const isKnown = Object.values(rateLimit ?? {}).some((value) => value !== undefined);
    if (rateLimit && isKnown) void tell(this.#api.onRateLimit, rateLimit);
    return rateLimit;
  }

  async #located<T>(step: () => Promise<T>): Promise<T> {
    return await located(this.#where, step);
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
  if (isPlainHttp(url)) return url;
  throw new TypeError('authorizedFetch: the URL must be http or https, without user info');
}

/** The values of the query, and the texts that are quoted in them: an API may echo either in an error. */
function valuesOf({ searchParams }: URL): string[] {
  const values = [...searchParams.values()];
  return [...values, ...values.flatMap(literalsOf)].filter(({ length }) => length > LONGEST_WORD);
}

/** The texts between two quotes. Each character is read once, also where no second quote comes. */
function literalsOf(value: string): string[] {
  const parts = value.match(/'|(?:[^'\\]|\\[^])+/g) ?? [];
  return parts.filter((_, index) => parts[index - 1] === "'" && parts[index + 1] === "'");
}

/** Gives up a body, because an unread one keeps its connection. */
async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => undefined);
}

function tooLarge(maximum: number): Problem {
  return new Problem('response_too_large', `the answer exceeds ${maximum} bytes`);
}

/** An error of the application's observer, which may be async, becomes a warning. */
async function tell(onRateLimit: Api['onRateLimit'], limit: RateLimit) {
  try {
    await (onRateLimit?.(limit) as unknown);
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : String(error));
  }
}

/** The platform's `fetch` says only `fetch failed`, and has the reason as `cause`. */
function rethrow(error: unknown): never {
  const cause: unknown = Reflect.get(Object(error), 'cause');
  if (Reflect.get(Object(cause), 'code') === 'UND_ERR_HEADERS_TIMEOUT') {
    throw new Problem('timeout', 'the platform waited five minutes for the answer');
  }
  // Without a cause it is a mistake of the caller: a GET with a body, for instance.
  if (error instanceof TypeError && cause === undefined) throw error;
  if (MISTAKES.includes(Reflect.get(Object(cause), 'code'))) {
    const { message } = cause as Error;
    throw new TypeError(`authorizedFetch: fetch refuses the request: ${quote(message)}`);
  }
  throw connectionProblem((cause ?? error) as NodeJS.ErrnoException);
}
