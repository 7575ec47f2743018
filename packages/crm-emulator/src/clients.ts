/** The registered clients of each provider, and how one authenticates. The first secrets are public: they protect nothing. */
import { timingSafeEqual } from 'node:crypto';
import type { EngineRequest } from './engine-request.js';
import type { ClientReason } from './reasons.js';
import type { ClientRegistration, EmulatorOptions, ProviderName } from './types.js';

export type RegisteredClient = Omit<ClientRegistration, 'provider'>;

/** The registered clients of one provider, by their id. */
export type Clients = ReadonlyMap<string, RegisteredClient>;

/** The client of each provider that `options` name. */
const FIRST: Readonly<Record<ProviderName, RegisteredClient>> = {
  salesloft: {
    clientID: 'salesloft-client',
    clientSecret: 'salesloft-secret-for-local-use-only',
  },
  salesos: { clientID: 'salesos-client', clientSecret: 'salesos-secret-for-local-use-only' },
  salesforce: {
    clientID: '3MVG9-salesforce-client',
    clientSecret: 'salesforce-secret-for-local-use-only',
  },
};

/** The first client, and those that `options.clients` adds. */
export function registeredClients(name: ProviderName, { clients = [] }: EmulatorOptions) {
  const client = FIRST[name];
  const registered = new Map([[client.clientID, client]]);
  for (const [index, { provider, ...added }] of clients.entries()) {
    if (!Object.hasOwn(FIRST, provider)) {
      throw new TypeError(
        `clients[${index}].provider: must be one of ${Object.keys(FIRST).join()}`,
      );
    }
    if (!added.clientID || !added.clientSecret) {
      throw new TypeError(`clients[${index}]: clientID and clientSecret must not be empty`);
    }
    if (provider !== name) continue;
    if (registered.has(added.clientID)) {
      throw new TypeError(`clients[${index}].clientID: "${added.clientID}" is registered already`);
    }
    registered.set(added.clientID, added);
  }
  return { client, clients: registered as Clients };
}

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
