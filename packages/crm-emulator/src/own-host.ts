/** Decides which `Host` headers are the emulator's own, so that no web page reaches it by DNS rebinding. */
import type { IncomingMessage } from 'node:http';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/**
 * A page of another site can point its own name at this machine, and would then be of the same origin as
 * the emulator. Its requests still carry that name: only names of this machine are answered, with the port.
 */
export function isOwnHost({ headers, socket }: IncomingMessage, listeningAt: string): boolean {
  const url = URL.parse(`http://${headers.host ?? ''}`);
  if (!url || url.host !== headers.host?.toLowerCase()) return false;
  // A browser leaves the port of the scheme out.
  if ((url.port || '80') !== String(socket.localPort)) return false;
  const own = [listeningAt, socket.localAddress?.replace(/^::ffff:/, '')].map(hostname);
  return LOOPBACK.test(url.hostname) || own.includes(url.hostname);
}

const hostname = (address = '') => (address.includes(':') ? `[${address}]` : address.toLowerCase());
