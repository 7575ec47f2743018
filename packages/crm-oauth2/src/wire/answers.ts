/** How every answer is judged, whatever was asked: its status, its content type, its JSON. */
import { pageOf, readApiError } from '../errors/api-errors';
import type { ErrorCode } from '../errors/codes';
import { Problem } from '../errors/problem';
import { isTooDeep } from '../values/json';
import type { Json } from '../values/json';
import type { HttpResponse } from './http';

type Answer = Pick<HttpResponse, 'body' | 'headers'>;
type Secrets = readonly (string | undefined)[];

export function isSuccess({ status }: Pick<HttpResponse, 'status'>): boolean {
  return status >= 200 && status < 300;
}

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;

/**
 * @param secrets what was sent, so that an echo of it reaches no message
 * @throws {Problem} `unexpected_content_type` for a web page, `invalid_json` for text that does not parse
 * or nests too deep
 */
export function parseJson(
  body: string,
  contentType: string | undefined,
  secrets: Secrets = [],
): Json {
  if (!JSON_TYPE.test(contentType ?? '')) {
    const came = pageOf(body, contentType, secrets) || 'no content type';
    throw new Problem('unexpected_content_type', `expected JSON, received ${came}`);
  }
  const json = parsed(body, secrets);
  if (isTooDeep(json)) throw new Problem('invalid_json', 'the answer nests too deep');
  return json;
}

function parsed(body: string, secrets: Secrets): Json {
  try {
    return JSON.parse(body) as Json;
  } catch {
    // The parser's own message quotes the text, which may hold a token. It is not kept as a cause.
    const page = pageOf(body, undefined, secrets);
    throw new Problem('invalid_json', `the answer is not valid JSON${page && `: ${page}`}`);
  }
}

/** The JSON of an answer. @throws {Problem} as {@link parseJson} */
export function jsonOf({ body, headers }: Answer, secrets: Secrets = []): Json {
  return parseJson(body, headers['content-type'], secrets);
}

/** The three date forms of RFC 9110 §5.6.7. `Date.parse` alone makes a date of `-5` too. */
const HTTP_DATE = /^[A-Z][a-z]{2,8},? [\w :-]{10,30}$/;

/** Epoch milliseconds. The oldest form names no zone, and means GMT. */
function httpDate(value = ''): number {
  return HTTP_DATE.test(value) ? Date.parse(value.replace(/(?: GMT)?$/, ' GMT')) : Number.NaN;
}

/** Seconds in `Retry-After`, from either of its forms (RFC 9110 §10.2.3). */
export function retryAfterSeconds({ headers }: Pick<HttpResponse, 'headers'>): number | undefined {
  const value = headers['retry-after'];
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value);
  const date = httpDate(value);
  if (Number.isNaN(date)) return undefined;
  // The provider's own clock, where the answer tells it (RFC 9110 §6.6.1): ours may be wrong.
  const now = httpDate(headers.date) || Date.now();
  return Math.max(0, Math.ceil((date - now) / 1000));
}

/**
 * The problem of a status that is not a success. Judged before the body is believed, since outages
 * answer with web pages. The message names what came.
 */
export function statusProblem(response: HttpResponse, secrets: Secrets = []): Problem {
  const { status } = response;
  const [code, sentence] = meaningOfStatus(status);
  const { words } = readApiError(response, secrets);
  return new Problem(code, words === '' ? sentence : `${sentence}: ${words}`, {
    status,
    retryAfterSeconds: retryAfterSeconds(response),
  });
}

function meaningOfStatus(status: number): readonly [ErrorCode, string] {
  if (status === 429) return ['rate_limited', 'asked too often (429)'];
  if (status >= 500) return ['provider_unavailable', `the provider failed (${status})`];
  // RFC 9110 §15.4.5: 304 leads nowhere.
  if (status >= 300 && status < 400 && status !== 304) {
    return ['unexpected_redirect', `answered with a redirect (${status})`];
  }
  return ['unexpected_status', `answered with status ${status}`];
}
