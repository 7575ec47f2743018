/** The parts of a URL that a request needs, cut out once. The URL class cuts them out anew at each reading. */

export interface Address {
  href: string;
  protocol: string;
  /** An IPv6 address without brackets, as an agent has it. */
  hostname: string;
  /** Absent where it is the usual one of the protocol. */
  port: number | undefined;
  /** Host and port, as in errors and events. */
  host: string;
  origin: string;
  /** The path with the query. */
  path: string;
  /** The name that the agents of this package give to the server. */
  server: string;
}

const addresses = new WeakMap<URL, Address>();

export function addressOf(url: URL): Address {
  const known = addresses.get(url);
  // A URL can be changed.
  if (known?.href === url.href) return known;
  const { href, protocol, host, origin } = url;
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port) || undefined;
  const address: Address = {
    href,
    protocol,
    hostname,
    port,
    host,
    origin,
    path: url.pathname + url.search,
    server: `${hostname}:${port ?? usualPort(protocol)}`,
  };
  addresses.set(url, address);
  return address;
}

export function usualPort(protocol: string): number {
  return protocol === 'https:' ? 443 : 80;
}

/** RFC 6454 §5: the same protocol, host and port. */
export function isSameServer(one: URL, other: URL): boolean {
  return addressOf(one).origin === addressOf(other).origin;
}
