/** Answers as data, and the one function that writes them to a response. */
import type { Context } from 'oidc-provider/lib/provider.js';

export const JSON_TYPE = 'application/json; charset=utf-8';
export const HTML_TYPE = 'text/html; charset=utf-8';
export const TEXT_TYPE = 'text/plain; charset=utf-8';

/** An answer. A string or a buffer is sent unchanged, any other body as JSON. */
export interface Reply {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
  /** The `content-type`; JSON when left out and the body is an object. */
  type?: string;
}

export function send(context: Context, { status, body, headers = {}, type }: Reply): void {
  context.status = status;
  context.body = body ?? '';
  if (type) context.set('content-type', type);
  else if (typeof body === 'object') context.set('content-type', JSON_TYPE);
  for (const [name, value] of Object.entries(headers)) context.set(name, value);
}

export const ok = (body: unknown): Reply => ({ status: 200, body });

export function plainText(status: number, body: string): Reply {
  return { status, body, type: TEXT_TYPE };
}

export const NOT_FOUND: Reply = { status: 404, body: { error: 'Not found' } };

/** A redirect that no cache keeps. */
export function redirect(status: 302 | 303, location: string): Reply {
  return { status, headers: { location, 'cache-control': 'no-store' } };
}

/** The error body of RFC 6749 §5.2. */
export function oauthError(status: number, error: string, error_description: string): Reply {
  return { status, body: { error, error_description } };
}
