import type { Dialect, Environment } from './dialect.js';
import { createSalesforce, salesforceAt } from './dialects/salesforce.js';
import { createSalesloft, salesloftAt } from './dialects/salesloft.js';
import { createSalesos, salesosAt } from './dialects/salesos.js';
import { KeyRing } from './keys.js';
import { listen, type Listener, Origin, stop } from './origin.js';
import { People } from './people.js';
import { Store } from './store.js';
import type { Emulator, EmulatorOptions, Pkce, ProviderEmulator, ProviderName } from './types.js';

export { PEOPLE } from './people.js';
export { REFUSALS, type RefusalEntry } from './refusals.js';
export type * from './types.js';

/** The registered client of each provider. The secrets protect nothing. */
const CLIENTS = {
  salesloft: { id: 'salesloft-client', secret: 'salesloft-secret-for-local-use-only' },
  salesos: { id: 'salesos-client', secret: 'salesos-secret-for-local-use-only' },
  salesforce: { id: '3MVG9-salesforce-client', secret: 'salesforce-secret-for-local-use-only' },
} as const;

const DEFAULT_PKCE = { salesloft: 'allowed', salesos: 'allowed', salesforce: 'required' } as const;

/**
 * Starts the three providers, each at its own origin on this machine, for development and tests.
 *
 * @example
 * const emulator = await startEmulator({ port: 0 });
 * passport.use(new Strategy({ ...emulator.salesloft.options, callbackURL }, verify));
 * await emulator.close();
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const { port = 0, host = '127.0.0.1' } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65_533) {
    throw new TypeError('port: a whole number from 0 to 65533');
  }
  const people = new People(options.people);
  const at = (index: number) => listen(host, port === 0 ? 0 : port + index);
  const listening = [at(0), at(1), at(2)] as const;
  try {
    const listeners = await Promise.all(listening);
    // A used refresh token is forgotten: replaying it is refused, and harms no other token.
    const store = new Store(['RefreshToken']);
    const salesloft = start('salesloft', createSalesloft, listeners[0], store);
    const [salesos, salesforce] = await Promise.all([
      startSigned('salesos', createSalesos, listeners[1]),
      startSigned('salesforce', createSalesforce, listeners[2]),
    ]);
    return {
      salesloft: surface(salesloft, salesloftAt(salesloft.origin)),
      salesos: withKeys(salesos, surface(salesos, salesosAt(salesos.origin))),
      salesforce: withKeys(salesforce, surface(salesforce, salesforceAt(salesforce.origin))),
      async close() {
        for (const { running } of [salesloft, salesos, salesforce]) running.clearFaults();
        await Promise.all(listeners.map(stop));
      },
    };
  } catch (error) {
    await Promise.allSettled(listening.map(async (listener) => stop(await listener)));
    throw error;
  }

  async function startSigned(
    name: ProviderName,
    create: (environment: Environment, keys: KeyRing) => Dialect,
    listener: Listener,
  ) {
    const keys = await KeyRing.create();
    const signed = (environment: Environment) => create(environment, keys);
    return { ...start(name, signed, listener, new Store()), keys };
  }

  function start(
    name: ProviderName,
    create: (environment: Environment) => Dialect,
    { server, origin }: Listener,
    store: Store,
  ) {
    const environment = { origin, client: CLIENTS[name], people, store, options };
    const dialect = { ...create(environment), pkce: pkceOf(options, name) };
    return { ...environment, running: new Origin(server, dialect, environment) };
  }
}

type Running = Environment & { running: Origin };

function surface<Extra extends object>({ origin, client, running }: Running, extra: Extra) {
  const credentials = { clientID: client.id, clientSecret: client.secret };
  const provider: ProviderEmulator<Extra & typeof credentials> = {
    origin,
    ...credentials,
    options: { ...credentials, ...extra },
    requests: running.requests,
    fault: (fault) => running.fault(fault),
    clearFaults: () => running.clearFaults(),
  };
  return provider;
}

function withKeys<Surface extends object>({ keys }: { keys: KeyRing }, provider: Surface) {
  return {
    ...provider,
    rotateKeys: ({ retireOld = false }: { retireOld?: boolean } = {}) => keys.rotate(retireOld),
  };
}

function pkceOf({ pkce }: EmulatorOptions, name: ProviderName): Pkce {
  return (typeof pkce === 'string' ? pkce : pkce?.[name]) ?? DEFAULT_PKCE[name];
}
