/** Decides which redirect URIs need no registration. */

/**
 * RFC 8252 §7.3: a redirect URI of this machine counts as registered with any port. The emulator accepts
 * any path too, and refuses fragments (RFC 6749 §3.1.2) and user information.
 */
export function isLoopback(uri: string): boolean {
  const url = URL.parse(uri);
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) return false;
  if (uri.includes('#') || url.username || url.password) return false;
  return (
    url.hostname === 'localhost' ||
    url.hostname.endsWith('.localhost') ||
    url.hostname === '[::1]' ||
    /^127(\.\d{1,3}){3}$/.test(url.hostname)
  );
}
