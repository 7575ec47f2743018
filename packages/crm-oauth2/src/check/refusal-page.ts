/** The answer to an authorization request, read without a person: a way to sign in, or a refusal. */
import { redact } from '../errors/redaction';
import type { HttpResponse } from '../wire/http';

/** Markup is read up to here, in characters. */
const MARKUP_LENGTH = 65_536;

/** RFC 9110 §15.5.5, §15.5.6, §15.5.11. */
const NOT_THERE = [404, 405, 410];

export interface Page {
  /** `asks` leads to a person; `fails` says nothing about the request; `missing`: there is no page. */
  kind: 'asks' | 'refuses' | 'fails' | 'missing';
  status: number;
  /** The `error` that comes back in an address, where one does. */
  error?: string | undefined;
  description?: string | undefined;
  /** The words of a refusal, to be compared with those of another. Not for people. */
  words: string;
}

/**
 * @param asked the address of the request
 * @param sent the values of this request alone, which a page may repeat
 */
export function readPage(response: HttpResponse, asked: URL, sent: readonly string[]): Page {
  const { status, headers, body } = response;
  const location = headers.location ?? '';
  if (status >= 300 && status < 400 && URL.canParse(location, asked.href)) {
    return readRedirect(new URL(location, asked), status, sent);
  }
  if (status < 400) return { kind: 'asks', status, words: '' };
  if (status === 429 || status >= 500) return { kind: 'fails', status, words: '' };
  if (NOT_THERE.includes(status)) return { kind: 'missing', status, words: '' };
  return { kind: 'refuses', status, words: comparable(`${status} ${visible(body)}`, sent) };
}

/** RFC 6749 §4.1.2.1 brings errors back to the application, and some providers to a page of their own. */
function readRedirect(target: URL, status: number, sent: readonly string[]): Page {
  const { searchParams } = target;
  const error = searchParams.get('error');
  if (error === null) return { kind: 'asks', status, words: '' };
  const description = searchParams.get('error_description') ?? undefined;
  const words = comparable(`${error} ${description}`, sent);
  return { kind: 'refuses', status, error, description, words };
}

/**
 * A text without the values that were sent, and without numbers and ids, which differ between any two
 * answers.
 */
export function comparable(text: string, sent: readonly string[]): string {
  const words = redact(text, sent).trim().split(/\s+/);
  return words.map((word) => (/\d/.test(word) ? '#' : word)).join(' ');
}

/** The text of a page, without scripts, styles and markup. */
function visible(body: string): string {
  return body
    .slice(0, MARKUP_LENGTH)
    .split(/<(?=(?:script|style)\b)/i)
    .map((part, index) => (index === 0 ? part : (part.split(/<\/(?:script|style)/i)[1] ?? '')))
    .join('<')
    .replaceAll(/<[^<>]*>/g, ' ');
}
