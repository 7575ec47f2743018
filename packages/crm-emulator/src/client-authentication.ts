/** Reads the credentials of a request: the client's (RFC 6749 §2.3.1) and the bearer token (RFC 6750 §2.1). */
import { timingSafeEqual } from 'node:crypto';
import type { Clients, RegisteredClient } from './clients.js';
import type { EngineRequest } from './engine-request.js';
import type { ClientReason } from './reasons.js';

/** RFC 6749 §2.3.1: HTTP Basic or the body, but not both. */
export function authenticateClient(
  { fields = {}, headers }: EngineRequest,
  clients: Clients,
): RegisteredClient | ClientReason {
  let { client_id: id, client_secret: secret } = fields;
  const basic = /^basic ([a-z0-9+/=]+)$/i.exec(headers.authorization ?? '')?.[1];
  if (basic && secret) return 'client.twice';
  if (basic) {
    const [name, password] = Buffer.from(basic, 'base64').toString().split(':').map(decodeForm);
    if (id !== undefined && id !== name) return 'client.missing';
    [id, secret] = [name ?? '', password ?? ''];
  }
  if (typeof id !== 'string' || typeof secret !== 'string') return 'client.missing';
  const client = clients.get(id);
  if (!client) return 'client.unknown';
  const [given, expected] = [Buffer.from(secret), Buffer.from(client.clientSecret)];
  const isSame = given.length === expected.length && timingSafeEqual(given, expected);
  return isSame ? client : 'client.secret';
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
