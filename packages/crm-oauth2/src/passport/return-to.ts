/** Where the application sends the person after the login. */

/** Characters. A pending login, which may be a cookie, has a copy. */
const MAX_LENGTH = 1024;

/**
 * The path, query and fragment of an address of the application itself; `undefined` for any other, to
 * which a link of a stranger must not lead (RFC 9700 §4.11).
 *
 * @param value a path, or an absolute URL. It may come from a visitor
 * @param redirectUri of the login: its origin is the one that browsers see
 */
export function ownPath(value: unknown, redirectUri: string): string | undefined {
  if (typeof value !== 'string' || value.length > MAX_LENGTH) return undefined;
  if (!URL.canParse(value, redirectUri)) return undefined;
  const own = new URL(redirectUri);
  const { origin, pathname, search, hash, username, password } = new URL(value, redirectUri);
  // As a redirect, a path that begins with two slashes would lead to another host.
  const isOwn = origin === own.origin && !pathname.startsWith('//') && username + password === '';
  return isOwn ? pathname + search + hash : undefined;
}
