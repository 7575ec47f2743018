/** Guards the controls of the start page, so that no other site and no other machine can use them. */
import type { EngineRequest } from './engine-request.js';
import { type Reply, TEXT_TYPE } from './reply.js';

export const CONTROL_PATH = '/emulator/control';

const LOOPBACK_ADDRESS = /^(::1|(::ffff:)?127(\.\d{1,3}){3})$/;

/**
 * The refusal of a request that the start page has not sent from this machine. A browser names the page
 * that sends a form in at least one of two headers, and lets no page change them.
 */
export function controlRefusal(
  method: string,
  { headers, socket }: Pick<EngineRequest, 'headers' | 'socket'>,
): Reply | undefined {
  if (method !== 'POST') return refuse(405, 'Use POST.');
  if (!LOOPBACK_ADDRESS.test(socket.remoteAddress ?? '')) {
    return refuse(403, 'Only this machine may control the emulator.');
  }
  const { origin, 'sec-fetch-site': site } = headers;
  const isNamed = origin !== undefined || site !== undefined;
  const isOwn = origin === undefined || origin === `http://${headers.host}`;
  return isNamed && isOwn && (site === undefined || site === 'same-origin')
    ? undefined
    : refuse(403, 'Only the start page may control the emulator.');
}

function refuse(status: number, body: string): Reply {
  return { status, type: TEXT_TYPE, body: `${body}\n` };
}
