/** The package's entry: starts the three providers. */
import type { Dialect, Environment } from './dialect.js';
import { createSalesforce, salesforceOptions } from './dialects/salesforce.js';
import type { SalesforceFaultName } from './dialects/salesforce-faults.js';
import { createSalesloft, salesloftOptions } from './dialects/salesloft.js';
import type { SalesloftFaultName } from './dialects/salesloft-faults.js';
import { createSalesos, salesosOptions } from './dialects/salesos.js';
import type { SalesosFaultName } from './dialects/salesos-faults.js';
import { KeyRing } from './keys.js';
import { listen, type Listener, Origin, stop } from './origin.js';
import { People } from './people.js';
import { Store } from './store.js';
import type {
  EmulatorOptions,
  KeyRotation,
  Pkce,
  ProviderEmulator,
  ProviderName,
  SalesforceOptions,
  SalesloftOptions,
  SalesosOptions,
} from './types.js';

export { PEOPLE } from './people.js';
export { REFUSALS, type RefusalEntry } from './refusals.js';
export type * from './types.js';
export type { SalesforceFaultName, SalesloftFaultName, SalesosFaultName };

export interface Emulator {
  readonly salesloft: ProviderEmulator<SalesloftOptions, SalesloftFaultName>;
  readonly salesos: ProviderEmulator<SalesosOptions, SalesosFaultName> & KeyRotation;
  readonly salesforce: ProviderEmulator<SalesforceOptions, SalesforceFaultName> & KeyRotation;
  /** Closes every socket at once. */
  close(): Promise<void>;
}

/** The registered client of each provider. The secrets are public: they protect nothing. */
const CLIENTS = {
  salesloft: { id: 'salesloft-client', secret: 'salesloft-secret-for-local-use-only' },
  salesos: { id: 'salesos-client', secret: 'salesos-secret-for-local-use-only' },
  salesforce: { id: '3MVG9-salesforce-client', secret: 'salesforce-secret-for-local-use-only' },
} as const;

/**
 * Starts the three providers, each at its own origin on this machine, for development and tests only.
 *
 * @throws {TypeError} for an option with an unusable value
 * @throws {Error} of `node:net` when it cannot listen, for example `EADDRINUSE`
 *
 * @example
 * const emulator = await startEmulator({ port: 0 });
 * passport.use(new Strategy({ ...emulator.salesloft.options, callbackURL }, verify));
 * await emulator.close();
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const { port = 0, host = '127.0.0.1' } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65_533) {
    throw new TypeError('port: must be a whole number from 0 to 65533');
  }
  const people = new People(options.people);
  const listenAt = (index: number) => listen(host, port === 0 ? 0 : port + index);
  const listening = [listenAt(0), listenAt(1), listenAt(2)] as const;
  try {
    const listeners = await Promise.all(listening);
    // Salesloft refuses a used refresh token, but does not revoke the tokens that replaced it.
    const store = new Store(['RefreshToken']);
    const salesloft = start('salesloft', createSalesloft, listeners[0], store);
    const [salesos, salesforce] = await Promise.all([
      startSigned('salesos', createSalesos, listeners[1]),
      startSigned('salesforce', createSalesforce, listeners[2]),
    ]);
    return {
      salesloft: toProviderEmulator(salesloft, salesloftOptions(salesloft.origin)),
      salesos: withKeys(salesos, toProviderEmulator(salesos, salesosOptions(salesos.origin))),
      salesforce: withKeys(
        salesforce,
        toProviderEmulator(salesforce, salesforceOptions(salesforce.origin)),
      ),
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
    const createWithKeys = (environment: Environment) => create(environment, keys);
    return { ...start(name, createWithKeys, listener, new Store()), keys };
  }

  function start(
    name: ProviderName,
    create: (environment: Environment) => Dialect,
    { server, origin }: Listener,
    store: Store,
  ) {
    const environment = { origin, client: CLIENTS[name], people, store, options };
    const described = create(environment);
    const dialect = { ...described, pkce: pkceOf(options, name) ?? described.pkce };
    return { ...environment, dialect, running: new Origin(server, dialect, environment) };
  }
}

type Running = Environment & { dialect: Dialect; running: Origin };

/** The object that a caller of `startEmulator` gets for one provider. */
function toProviderEmulator<Extra extends object, Name extends string>(
  { origin, client, dialect, running }: Running,
  extra: Extra,
) {
  const credentials = { clientID: client.id, clientSecret: client.secret };
  const provider: ProviderEmulator<Extra & typeof credentials, Name> = {
    origin,
    ...credentials,
    options: { ...credentials, ...extra },
    requests: running.requests,
    faults: dialect.faults,
    fault: (fault) => running.fault(fault),
    fail: (name, changes) => running.fail(name, changes),
    clearFaults: () => running.clearFaults(),
  };
  return provider;
}

function withKeys<Provider extends object>({ keys }: { keys: KeyRing }, provider: Provider) {
  return {
    ...provider,
    rotateKeys: ({ retireOld = false }: { retireOld?: boolean } = {}) => keys.rotate(retireOld),
  };
}

function pkceOf({ pkce }: EmulatorOptions, name: ProviderName): Pkce | undefined {
  return typeof pkce === 'string' ? pkce : pkce?.[name];
}
