/** Decides which addresses are of this machine, and which requests come from the emulator's own pages. */
import type { IncomingMessage } from 'node:http';
import { plainText, type Reply } from './reply.js';

export const CONTROL_PATH = '/emulator/control';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const LOOPBACK_ADDRESS = /^(::1|(::ffff:)?127(\.\d{1,3}){3})$/;

/**
 * RFC 8252 §7.3: a redirect URI of this machine counts as registered with any port. The emulator accepts
 * any path too, and refuses fragments (RFC 6749 §3.1.2) and user information.
 */
export function isLoopback(uri: string): boolean {
  const url = URL.parse(uri);
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) return false;
  if (uri.includes('#') || url.username || url.password) return false;
  return url.hostname.endsWith('.localhost') || LOOPBACK.test(url.hostname);
}

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

/**
 * The refusal of a request to a control that the start page has not sent from this machine. A browser names
 * the page that sends a form in at least one of two headers, and lets no page change them.
 */
export function controlRefusal(
  method: string,
  { headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>,
): Reply | undefined {
  if (method !== 'POST') return plainText(405, 'Use POST.\n');
  if (!LOOPBACK_ADDRESS.test(socket.remoteAddress ?? '')) {
    return plainText(403, 'Only this machine may control the emulator.\n');
  }
  const { origin, 'sec-fetch-site': site } = headers;
  const isNamed = origin !== undefined || site !== undefined;
  const isOwn = origin === undefined || origin === `http://${headers.host}`;
  return isNamed && isOwn && (site === undefined || site === 'same-origin')
    ? undefined
    : plainText(403, 'Only the start page may control the emulator.\n');
}
