/** The registered clients of each provider. Their secrets are public: they protect nothing. */
import type { RegisteredClient } from './dialect.js';
import type { EmulatorOptions, ProviderName } from './types.js';

/** The client of each provider that `options` name. */
const FIRST: Readonly<Record<ProviderName, RegisteredClient>> = {
  salesloft: { id: 'salesloft-client', secret: 'salesloft-secret-for-local-use-only' },
  salesos: { id: 'salesos-client', secret: 'salesos-secret-for-local-use-only' },
  salesforce: { id: '3MVG9-salesforce-client', secret: 'salesforce-secret-for-local-use-only' },
};

/** The clients of one provider by their id: the first one, and those that `options.clients` adds. */
export function registeredClients(name: ProviderName, { clients = [] }: EmulatorOptions) {
  const first = FIRST[name];
  const registered = new Map([[first.id, first]]);
  for (const [index, { provider, clientID, clientSecret, callbackURLs }] of clients.entries()) {
    if (!Object.hasOwn(FIRST, provider)) {
      throw new TypeError(
        `clients[${index}].provider: must be one of ${Object.keys(FIRST).join()}`,
      );
    }
    if (!clientID || !clientSecret) {
      throw new TypeError(`clients[${index}]: clientID and clientSecret must not be empty`);
    }
    if (provider !== name) continue;
    if (registered.has(clientID)) {
      throw new TypeError(`clients[${index}].clientID: "${clientID}" is registered already`);
    }
    registered.set(clientID, { id: clientID, secret: clientSecret, callbackURLs });
  }
  return { client: first, clients: registered as ReadonlyMap<string, RegisteredClient> };
}
