/** Reads the credentials of a request: the client's (RFC 6749 §2.3.1) and the bearer token (RFC 6750 §2.1). */
import { timingSafeEqual } from 'node:crypto';
import type { RegisteredClient } from './dialect.js';
import type { EngineRequest } from './engine-request.js';
import type { ClientReason } from './reasons.js';

/** RFC 6749 §2.3.1: HTTP Basic or the body, but not both. */
export function authenticateClient(
  request: EngineRequest,
  clients: ReadonlyMap<string, RegisteredClient>,
): RegisteredClient | ClientReason {
  const { client_id: id, client_secret: secret } = request.fields ?? {};
  const basic = /^basic ([a-z0-9+/=]+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (basic && secret) return 'client.twice';
  if (basic) {
    const [basicId = '', basicSecret = ''] = Buffer.from(basic, 'base64').toString().split(':');
    const named = decodeForm(basicId);
    if (id !== undefined && id !== named) return 'client.missing';
    return check(named, decodeForm(basicSecret), clients);
  }
  if (typeof id !== 'string' || typeof secret !== 'string') return 'client.missing';
  return check(id, secret, clients);
}

function check(id: string, secret: string, clients: ReadonlyMap<string, RegisteredClient>) {
  const client = clients.get(id);
  if (!client) return 'client.unknown';
  const given = Buffer.from(secret);
  const expected = Buffer.from(client.secret);
  const same = given.length === expected.length && timingSafeEqual(given, expected);
  return same ? client : 'client.secret';
}

/** RFC 6749 §2.3.1: both halves of HTTP Basic are form-encoded first. */
function decodeForm(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return '';
  }
}

/** The token of the `Authorization` header; a token in the query or the body does not count. */
export function bearerToken(request: EngineRequest): string | undefined {
  return /^bearer ([\w.~+/!=-]+)$/i.exec(request.headers.authorization ?? '')?.[1];
}
