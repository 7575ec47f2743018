/** Where the application sends the person after the login. */

/** Characters, before and after the address is encoded. A pending login, which may be a cookie, has a copy. */
const MAX_LENGTH = 1024;

/**
 * As a redirect, a path that begins with two slashes would lead to another host. A proxy or a router may
 * decode the second one, and redirect in its turn.
 */
const SECOND_SLASH = /^\/(?:\/|%2f|%5c)/i;

/**
 * The path, query and fragment of an address of the application itself; `undefined` for any other, to
 * which a link of a stranger must not lead (RFC 9700 §4.11).
 *
 * @param value a path, or an absolute URL. It may come from a visitor
 * @param redirectUri of the login: its origin is the one that browsers see
 */
export function ownPath(value: unknown, redirectUri: string): string | undefined {
  // An empty value would be the address of the callback itself.
  if (typeof value !== 'string' || value === '' || value.length > MAX_LENGTH) return undefined;
  const own = new URL(redirectUri);
  if (!URL.canParse(value, own.origin)) return undefined;
  const url = new URL(value, own.origin);
  // A `blob:` URL has the origin of the URL within it, and that URL for a path.
  if (url.origin !== own.origin || url.protocol !== own.protocol) return undefined;
  if (url.username !== '' || url.password !== '') return undefined;
  const path = url.pathname + url.search + url.hash;
  return SECOND_SLASH.test(path) || path.length > MAX_LENGTH ? undefined : path;
}
