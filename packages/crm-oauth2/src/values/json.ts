import { Problem, quote } from '../errors/oauth2-error';

export type Json = string | number | boolean | null | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json | undefined;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A non-empty string, or nothing: how providers' optional texts are read. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A count in a header, or nothing. */
export function wholeNumber(value: string | undefined): number | undefined {
  return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}

/** Leaves out what is not known, so that a profile has no keys with `undefined` in them. */
export function known<T extends object>(fields: T): T {
  const rest: Partial<T> = {};
  for (const name of Object.keys(fields) as (keyof T)[]) {
    if (fields[name] !== undefined) rest[name] = fields[name];
  }
  return rest as T;
}

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;

/**
 * @throws {Problem} `unexpected_content_type` for a web page, `invalid_json` for text that is none
 */
export function parseJson(body: string, contentType: string | undefined): Json {
  if (!JSON_TYPE.test(contentType ?? '')) {
    const type = quote(contentType?.split(';')[0]?.slice(0, 60) ?? '') || 'no content type';
    throw new Problem('unexpected_content_type', `expected JSON, received ${type}`);
  }
  try {
    return JSON.parse(body) as Json;
  } catch {
    // The parser's own message quotes the text, which may hold a token: it is no cause to keep.
    throw new Problem('invalid_json', 'the answer is not valid JSON');
  }
}
