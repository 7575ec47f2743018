/** The package's entry: starts the three providers. */
import { registeredClients } from './clients.js';
import type { Dialect, Environment } from './dialect.js';
import { createSalesforce, salesforceOptions } from './dialects/salesforce.js';
import type { SalesforceFaultName } from './dialects/salesforce-faults.js';
import { createSalesloft, salesloftOptions } from './dialects/salesloft.js';
import type { SalesloftFaultName } from './dialects/salesloft-faults.js';
import { createSalesos, salesosOptions } from './dialects/salesos.js';
import type { SalesosFaultName } from './dialects/salesos-faults.js';
import { Organizations } from './dialects/salesos-organizations.js';
import { KeyRing } from './keys.js';
import { listen, type Listener, Origin, stop } from './origin.js';
import { People } from './people.js';
import { salesforcePorts } from './salesforce-origins.js';
import { Store } from './store.js';
import type {
  EmulatorOptions,
  Inviting,
  KeyRotation,
  MovableOrg,
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

/** Where people log in to Salesforce: a production org, a sandbox or a My Domain. */
type SalesforceLogin = ProviderEmulator<SalesforceOptions, SalesforceFaultName> & KeyRotation;

export interface Emulator {
  readonly salesloft: ProviderEmulator<SalesloftOptions, SalesloftFaultName>;
  readonly salesos: ProviderEmulator<SalesosOptions, SalesosFaultName> & KeyRotation & Inviting;
  readonly salesforce: SalesforceLogin &
    MovableOrg & {
      /** Undefined unless `origins` asks for it. */
      readonly sandbox: SalesforceLogin | undefined;
      /** Undefined unless `origins` asks for it. */
      readonly myDomain: SalesforceLogin | undefined;
    };
  /** Closes every socket at once. */
  close(): Promise<void>;
}

/** The people of each org have the same ids, but the ids of the orgs differ. */
const ORGS = {
  sandbox: { label: 'sandbox', organization: '00DSandboxEmulr' },
  myDomain: { label: 'My Domain', organization: '00DMyDomainEmul' },
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
  let next = port;
  const nextPort = () => (port === 0 ? 0 : next++);
  const ports = [nextPort(), nextPort()] as const;
  const { login, org, issuer, sandbox, myDomain } = salesforcePorts(options, nextPort);

  const listeners: Listener[] = [];
  const open = async (at: number) => {
    const listener = await listen(host, at);
    listeners.push(listener);
    return listener;
  };
  const openIfAsked = (at: number | 'org' | undefined) =>
    typeof at === 'number' ? open(at) : Promise.resolve(undefined);
  const listening = [
    open(ports[0]),
    open(ports[1]),
    open(login),
    openIfAsked(org),
    openIfAsked(issuer),
    openIfAsked(sandbox),
    openIfAsked(myDomain),
  ] as const;
  try {
    const [atSalesloft, atSalesos, atLogin, atOrg, atIssuer, atSandbox, atMyDomain] =
      await Promise.all(listening);
    const salesloft = startSalesloft(atSalesloft, options);
    const [salesos, salesforce] = await Promise.all([
      startSalesos(atSalesos, options),
      startSalesforce(
        { login: atLogin, org: atOrg, issuer: issuer === 'org' ? atOrg : atIssuer },
        { sandbox: atSandbox, myDomain: atMyDomain },
        options,
        listeners,
      ),
    ]);
    return {
      salesloft,
      salesos,
      salesforce,
      async close() {
        const { sandbox: inSandbox, myDomain: inMyDomain } = salesforce;
        for (const one of [salesloft, salesos, salesforce, inSandbox, inMyDomain]) {
          one?.clearFaults();
        }
        await Promise.all(listeners.map(stop));
      },
    };
  } catch (error) {
    await Promise.allSettled(listening);
    await Promise.all(listeners.map(stop));
    throw error;
  }
}

function startSalesloft(at: Listener, options: EmulatorOptions): Emulator['salesloft'] {
  // Salesloft refuses a used refresh token, but does not revoke the tokens that replaced it.
  const store = new Store(['RefreshToken']);
  const salesloft = start('salesloft', createSalesloft, { at, options, store });
  return toProviderEmulator(salesloft, salesloftOptions(salesloft.origin));
}

async function startSalesos(at: Listener, options: EmulatorOptions): Promise<Emulator['salesos']> {
  const people = new People(options.people);
  const organizations = new Organizations(options, people);
  const salesos = await startSigned(
    'salesos',
    (environment, keys) => createSalesos(environment, keys, organizations),
    { at, options, people },
  );
  return {
    ...withKeys(salesos, toProviderEmulator(salesos, salesosOptions(salesos.origin))),
    organizations: organizations.all,
    invite: (person, organization) => organizations.invite(person, organization),
  };
}

type Part = Listener | undefined;

/** @param orgs the listeners of further orgs, each with tokens and keys of its own */
async function startSalesforce(
  at: { login: Listener; org: Part; issuer: Part },
  orgs: Record<keyof typeof ORGS, Part>,
  options: EmulatorOptions,
  listeners: Listener[],
): Promise<Emulator['salesforce']> {
  const { login, org = login, issuer = login } = at;
  const origins = { login: login.origin, org: org.origin, issuer: issuer.origin };
  const startOrg = async (name: keyof typeof orgs) => {
    const listener = orgs[name];
    if (!listener) return undefined;
    const { label, organization } = ORGS[name];
    const people = new People(options.people, organization);
    const started = { at: listener, options, people, label };
    return toSalesforceLogin(await startSigned('salesforce', createSalesforce, started));
  };
  const [salesforce, sandbox, myDomain] = await Promise.all([
    startSigned('salesforce', createSalesforce, { at: login, options, origins }),
    startOrg('sandbox'),
    startOrg('myDomain'),
  ]);
  for (const listener of new Set([org, issuer])) {
    if (listener !== login) salesforce.running.attach(listener);
  }
  return {
    ...toSalesforceLogin(salesforce),
    sandbox,
    myDomain,
    get origins() {
      return {
        ...salesforce.origins,
        sandbox: sandbox?.origin,
        ...(myDomain && { myDomain: myDomain.origin }),
      };
    },
    async moveOrg() {
      const listener = await listen(login.host, 0);
      listeners.push(listener);
      return moveOrg(salesforce, listener, listeners);
    },
  };
}

interface Start {
  at: Listener;
  options: EmulatorOptions;
  origins?: Environment['origins'];
  people?: People;
  store?: Store;
  label?: string;
}

function start(
  name: ProviderName,
  create: (environment: Environment) => Dialect,
  { at, options, origins, label, people = new People(options.people), store = new Store() }: Start,
) {
  const { origin } = at;
  const environment = {
    origin,
    label,
    origins: origins ?? { login: origin, org: origin, issuer: origin },
    ...registeredClients(name, options),
    people,
    store,
    options,
  };
  const described = create(environment);
  const dialect = { ...described, pkce: pkceOf(options, name) ?? described.pkce };
  return { ...environment, dialect, running: new Origin(at, dialect, environment) };
}

/** The keys of an issuer that has an origin of its own are published there alone. */
async function startSigned(
  name: ProviderName,
  create: (environment: Environment, keys: KeyRing, otherKeys: KeyRing) => Dialect,
  settings: Start,
) {
  const { origins, at } = settings;
  const keys = await KeyRing.create();
  const otherKeys = origins && origins.issuer !== at.origin ? await KeyRing.create() : keys;
  return { ...start(name, (environment) => create(environment, keys, otherKeys), settings), keys };
}

/** Gives the org the address of `listener`, and closes its old one unless people log in there. */
async function moveOrg(
  { origins, running }: Running,
  listener: Listener,
  listeners: readonly Listener[],
): Promise<string> {
  const { org: old, issuer, login } = origins;
  running.attach(listener);
  origins.org = listener.origin;
  const closing = listeners.find(({ origin }) => origin === old && origin !== login);
  if (closing && issuer === old) origins.issuer = listener.origin;
  if (closing) await stop(closing);
  return listener.origin;
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
    setActive: (person, active) => running.setActive(person, active),
  };
  return provider;
}

function toSalesforceLogin(salesforce: Running & { keys: KeyRing }): SalesforceLogin {
  return withKeys(salesforce, toProviderEmulator(salesforce, salesforceOptions(salesforce.origin)));
}

function withKeys<Provider extends object>({ keys }: { keys: KeyRing }, provider: Provider) {
  return {
    ...provider,
    rotateKeys: ({ retireOld = false }: { retireOld?: boolean } = {}) => keys.rotate(retireOld),
  };
}

function pkceOf({ pkce, tolerant }: EmulatorOptions, name: ProviderName): Pkce | undefined {
  const asked = typeof pkce === 'string' ? pkce : pkce?.[name];
  return asked ?? (tolerant === true ? 'allowed' : undefined);
}
