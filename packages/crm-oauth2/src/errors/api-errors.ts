/** Reads what an API says about an error, in whichever shape it says so. */
import { isJsonObject, text, withoutUndefined } from '../values/json';
import type { JsonObject } from '../values/json';
import { quote, redact } from './redaction';

/** One error of an API, in its own words. */
export interface ApiError {
  /** The API's own code: `REQUIRED_FIELD_MISSING`. */
  readonly code?: string;
  /** The field it is about; several are separated by commas. */
  readonly field?: string;
  readonly message?: string;
}

/** An answer, as far as its errors are read. */
interface Answer {
  readonly headers: { readonly 'content-type'?: string; readonly 'www-authenticate'?: string };
  readonly body: string;
}

type Secrets = readonly (string | undefined)[];

/** More entries of a list are left out. */
const MAX_ERRORS = 20;

/** Lists lie this deep, at most, in the answers of the providers. */
const MAX_DEPTH = 8;

/** A word may be the code of an API. */
const isWord = (value: string) => /^[\w.-]{1,64}$/.test(value);

/** Markup is searched up to here, in characters. */
const MARKUP_LENGTH = 65_536;

/** Characters of a page's title. */
const MAX_TITLE_LENGTH = 80;

/** Of RFC 6750, most APIs, Bulk API 1.0, SOAP, RFC 9457, legacy Auth0, Salesloft, RFC 9457 without a detail. */
const WORDS = [
  'error_description',
  'message',
  'exceptionMessage',
  'faultstring',
  'detail',
  'description',
  'error',
  'title',
];

/** Where an answer keeps further errors; `body` and `result` are those of Salesforce's composite APIs. */
const LISTS = ['errors', 'message', 'details', 'compositeResponse', 'results', 'result', 'body'];

/**
 * The words of an error, its code, and the entries of its lists. All are quoted.
 *
 * @param secrets what was sent, so that an echo of it is left out
 */
export function readApiError(
  answer: Answer,
  secrets: Secrets = [],
): { readonly words: string; readonly code?: string; readonly errors?: readonly ApiError[] } {
  const challenge = quoted(inChallenge(answer.headers['www-authenticate']), secrets);
  let first: ApiError = {};
  const errors: ApiError[] = [];
  for (const { isListed, ...found } of inBody(answer, secrets)) {
    const error = quoted(found, secrets);
    if (Object.keys(first).length === 0) first = error;
    if (isListed) errors.push(error);
    if (errors.length === MAX_ERRORS) break;
  }
  const { code, field, message } = { ...challenge, ...first };
  const isOfField = code === undefined && field !== undefined && message !== undefined;
  const words = isOfField ? `${field}: ${message}` : message;
  const list = errors.length > 0 ? errors : undefined;
  return withoutUndefined({ words: words ?? code ?? '', code, errors: list });
}

function quoted({ code, field, message }: ApiError, secrets: Secrets): ApiError {
  return withoutUndefined<ApiError>({
    code: code && isWord(code) && redact(code, secrets) === code ? code : undefined,
    field: field && quote(field, secrets),
    message: message && quote(message, secrets),
  });
}

type Found = ApiError & { isListed?: boolean };

function* inBody({ headers, body }: Answer, secrets: Secrets): Generator<Found> {
  const json = parsed(body);
  const start = body.trimStart().slice(0, 1);
  if (json !== undefined) yield* inJson(json, {}, MAX_DEPTH);
  else if (start === '<') {
    const page = pageOf(body, headers['content-type'], secrets, visibleText(body));
    yield { message: page, ...ownError(inXml(body)) };
  } else if (!['', '[', '{'].includes(start)) yield { code: body.trim(), message: body };
}

/** RFC 6750 §3. Some APIs explain an error there, and send no body. */
function inChallenge(header = ''): ApiError {
  const parameters = header.matchAll(/\b(error|error_description)="([^"]{1,300})"/g);
  const entries = Array.from(parameters, ([, name = '', value = '']) => [name, value] as const);
  return ownError(Object.fromEntries(entries));
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** @param place what is known of an entry from where it stands */
function* inJson(value: unknown, place: Found, depth: number): Generator<Found> {
  if (depth === 0) return;
  if (Array.isArray(value)) {
    for (const item of value) yield* inJson(item, { ...place, isListed: true }, depth - 1);
  } else if (isJsonObject(value)) {
    // An object in `error` says more than what is beside it.
    if (typeof value.error === 'object') yield* inJson(value.error, place, depth - 1);
    const own = ownError(value);
    if (own.code !== undefined || own.message !== undefined) yield { ...place, ...own };
    for (const name of LISTS) {
      if (typeof value[name] === 'object') yield* inJson(value[name], place, depth - 1);
    }
    // `{ errors: { email: ['is taken'] } }`
    for (const [field, messages] of Object.entries(Object(value.errors) as JsonObject)) {
      const isOfField = isJsonObject(value.errors) && !isJsonObject(messages);
      if (isOfField) yield* inJson(messages, { field, isListed: true }, depth - 1);
    }
  } else if (text(value) !== undefined) {
    yield { ...place, message: value as string };
  }
}

function ownError(value: Readonly<JsonObject>): ApiError {
  const { errorCode, exceptionCode, faultcode, code, statusCode, error, field, fields } = value;
  const codes = [errorCode, exceptionCode, faultcode, code, text(statusCode), error];
  return withoutUndefined<ApiError>({
    code: codes
      .filter((one) => text(one) ?? Number.isFinite(one))
      .map(String)
      .find(isWord),
    field: text(field) ?? text(Array.isArray(fields) ? fields.map(text).join(', ') : fields),
    message: WORDS.map((name) => text(value[name])).find((words) => words !== undefined),
  });
}

/** The fields of an error in XML: of Salesforce's Bulk API 1.0, of its REST API, and of SOAP. */
function inXml(body: string): JsonObject {
  const fields = body
    .slice(0, MARKUP_LENGTH)
    .matchAll(
      /<(?:\w{1,20}:)?(errorCode|exceptionCode|exceptionMessage|faultcode|faultstring|message)>([^<]{1,1000})</g,
    );
  // SOAP 1.1 §4.4.1: a fault's code is in a namespace.
  const entries = Array.from(fields, ([, name = '', value = '']) => [
    name,
    name === 'faultcode' ? value.replace(/^\w+:/, '') : withoutEntities(value),
  ]);
  // The first of a name counts.
  return Object.fromEntries(entries.toReversed()) as JsonObject;
}

/**
 * The media type of what came in place of JSON and, for a web page, its title.
 *
 * @param untitled what stands for the title of a page without one
 */
export function pageOf(
  body: string,
  contentType = '',
  secrets: Secrets = [],
  untitled = '',
): string {
  const type = quote(contentType.split(';')[0] ?? '', secrets).slice(0, 60);
  const [, title = ''] =
    /<title[^>]{0,200}>([^<]{1,500})/i.exec(body.slice(0, MARKUP_LENGTH)) ?? [];
  const words = quote(withoutEntities(title.trim() || untitled), secrets, MAX_TITLE_LENGTH);
  return words === '' ? type : `${type} "${words}"`.trim();
}

/** The text of a page, without its scripts and styles: pages about an outage often have no title. */
function visibleText(markup: string): string {
  const [start = '', ...others] = markup.slice(0, MARKUP_LENGTH).split(/<(?:script|style)\b/i);
  // Each part begins with its closing tag.
  const after = others.map((part) => part.split(/<(?=\/(?:script|style)\b)/i)[1] ?? '>');
  const visible = [start, ...after].join('<');
  return visible
    .replace(/<[^<>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};

/** Markup escapes what it echoes, a secret too, which would not be recognized. */
function withoutEntities(markup: string): string {
  return markup.replace(/&(?:#(\d{1,5})|#x([\da-f]{1,4})|(\w{2,4}));/gi, (entity, ...groups) => {
    const [decimal, hex, name] = groups as (string | undefined)[];
    if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? entity;
    return String.fromCharCode(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16));
  });
}
