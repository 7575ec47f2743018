/** Decides where a redirect of an API leads, and what is sent there. */

/** One request, ready for `fetch`. */
export interface ApiRequest {
  url: URL;
  init: RequestInit & { method: string; headers: Headers };
}

/** Headers that were meant for one origin. */
const OF_THE_ORIGIN = ['authorization', 'proxy-authorization', 'cookie'];
const OF_THE_BODY = ['content-type', 'content-length', 'content-encoding', 'content-language'];

/**
 * The request that a redirect asks for (RFC 9110 §15.4). Another origin gets neither the token nor a
 * body.
 *
 * @returns nothing when the answer is for the caller: no redirect, or none that may be followed
 */
export function redirectOf(
  { status, headers: answered }: Response,
  { url, init }: ApiRequest,
): ApiRequest | undefined {
  const location = answered.get('location');
  if (![301, 302, 303, 307, 308].includes(status) || location === null) return undefined;
  if (!URL.canParse(location, url.href)) return undefined;
  const target = new URL(location, url);
  if (!isPlainHttp(target)) return undefined;

  const { method } = init;
  const headers = new Headers(init.headers);
  const isSafe = method === 'GET' || method === 'HEAD';
  const becomesGet = (status === 303 && !isSafe) || (status < 303 && method === 'POST');
  const body = becomesGet ? null : init.body;
  if (becomesGet) for (const name of OF_THE_BODY) headers.delete(name);
  const isElsewhere = target.origin !== url.origin;
  if (isElsewhere) for (const name of OF_THE_ORIGIN) headers.delete(name);
  if (body && (isElsewhere || isStream(body))) return undefined;
  return { url: target, init: { ...init, method: becomesGet ? 'GET' : method, headers, body } };
}

/** True for http and https without user info, which would be another way to send a secret. */
export function isPlainHttp({ protocol, username, password }: URL): boolean {
  return ['http:', 'https:'].includes(protocol) && username === '' && password === '';
}

/** A stream is sent once: it cannot be read again. */
export function isStream(body: unknown): boolean {
  return Symbol.asyncIterator in Object(body);
}
