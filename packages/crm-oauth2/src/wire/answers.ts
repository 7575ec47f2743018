/** How every answer is judged, whatever was asked: its status, its content type, its JSON. */
import { Problem } from '../errors/problem';
import { quote } from '../errors/redaction';
import type { Json } from '../values/json';
import type { HttpResponse } from './http';

export function isSuccess({ status }: Pick<HttpResponse, 'status'>): boolean {
  return status >= 200 && status < 300;
}

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;

/** @throws {Problem} `unexpected_content_type` for a web page, `invalid_json` for text that does not parse */
export function parseJson(body: string, contentType: string | undefined): Json {
  if (!JSON_TYPE.test(contentType ?? '')) {
    const type = quote(contentType?.split(';')[0]?.slice(0, 60) ?? '') || 'no content type';
    throw new Problem('unexpected_content_type', `expected JSON, received ${type}`);
  }
  try {
    return JSON.parse(body) as Json;
  } catch {
    // The parser's own message quotes the text, which may hold a token. It is not kept as a cause.
    throw new Problem('invalid_json', 'the answer is not valid JSON');
  }
}

/** The JSON of an answer. @throws {Problem} as {@link parseJson} */
export function jsonOf({ body, headers }: Pick<HttpResponse, 'body' | 'headers'>): Json {
  return parseJson(body, headers['content-type']);
}

/** The three date forms of RFC 9110 §5.6.7. `Date.parse` alone makes a date of `-5` too. */
const HTTP_DATE = /^[A-Z][a-z]{2,8},? [\w :-]{10,30}$/;

/** Seconds in `Retry-After`, from either of its forms (RFC 9110 §10.2.3). */
export function retryAfterSeconds({ headers }: Pick<HttpResponse, 'headers'>): number | undefined {
  const value = headers['retry-after'];
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value);
  // The oldest form names no zone, and means GMT.
  const date = HTTP_DATE.test(value) ? Date.parse(value.replace(/(?: GMT)?$/, ' GMT')) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - Date.now()) / 1000));
}

/**
 * The problem of a status that is not a success. Judged before the body is believed, since outages
 * answer with web pages.
 */
export function statusProblem(response: Pick<HttpResponse, 'status' | 'headers'>): Problem {
  const { status } = response;
  const details = { status, retryAfterSeconds: retryAfterSeconds(response) };
  if (status === 429) return new Problem('rate_limited', 'asked too often (429)', details);
  if (status >= 500) {
    return new Problem('provider_unavailable', `the provider failed (${status})`, details);
  }
  if (status >= 300 && status < 400) {
    return new Problem('unexpected_redirect', `answered with a redirect (${status})`, details);
  }
  return new Problem('unexpected_status', `answered with status ${status}`, details);
}
