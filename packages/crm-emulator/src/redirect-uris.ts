/**
 * A redirect URI on this machine, which needs no registration: any port, any path, no fragment and no
 * user information.
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
