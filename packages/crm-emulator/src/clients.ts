/** The registered clients of each provider. Their secrets are public: they protect nothing. */
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
