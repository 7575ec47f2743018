/** Starts providers: opens their ports, reads the state that was kept, and puts their parts together. */
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
import { isIssuerOrg, type Part, type Ports, portsOf } from './ports.js';
import { State } from './state.js';
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

export const PROVIDERS = ['salesloft', 'salesos', 'salesforce'] as const;

/** The people of each org have the same ids, but the ids of the orgs differ. */
const ORGS = {
  sandbox: { label: 'sandbox', organization: '00DSandboxEmulr' },
  myDomain: { label: 'My Domain', organization: '00DMyDomainEmul' },
} as const;

/** The parts of one emulator that its providers share. */
interface Shared {
  options: EmulatorOptions;
  state: State;
  at: Partial<Record<Part, Listener>>;
  listeners: Listener[];
  /** Ends what faults keep open. */
  running: Origin[];
}

/** @param names the providers to start; the others stay undefined */
export async function start(
  options: EmulatorOptions,
  names: readonly ProviderName[],
): Promise<Partial<Emulator> & Pick<Emulator, 'close'>> {
  const state = new State(options.state);
  const ports = portsOf(options, names, state.ports);
  const shared: Shared = { options, state, at: {}, listeners: [], running: [] };
  const close = async () => {
    for (const one of shared.running) one.clearFaults();
    await Promise.all(shared.listeners.map(stop));
    await state.flush();
  };
  try {
    await openAll(ports, shared);
    const { salesloft, salesos, login } = shared.at;
    const [atSalesos, atSalesforce] = await Promise.all([
      salesos && startSalesos(salesos, shared),
      login && startSalesforce(login, shared),
    ]);
    return {
      ...(salesloft && { salesloft: startSalesloft(salesloft, shared) }),
      ...(atSalesos && { salesos: atSalesos }),
      ...(atSalesforce && { salesforce: atSalesforce }),
      close,
    };
  } catch (error) {
    await Promise.all(shared.listeners.map(stop));
    throw error;
  }
}

async function openAll(ports: Ports, { options, state, at, listeners }: Shared): Promise<void> {
  for (const [part, port] of Object.entries(ports)) {
    const listener = await listen(options.host ?? '127.0.0.1', port);
    listeners.push(listener);
    at[part as Part] = listener;
    state.ports[part] = Number(new URL(listener.origin).port);
  }
  state.changed();
}

function startSalesloft(at: Listener, shared: Shared): Emulator['salesloft'] {
  // Salesloft refuses a used refresh token, but does not revoke the tokens that replaced it.
  const store = new Store(shared.state, 'salesloft', ['RefreshToken']);
  const salesloft = startOne('salesloft', createSalesloft, at, shared, { store });
  return toProviderEmulator(salesloft, salesloftOptions(salesloft.origin));
}

async function startSalesos(at: Listener, shared: Shared): Promise<Emulator['salesos']> {
  const people = new People(shared.options.people);
  const organizations = new Organizations(shared.options, people);
  const keys = await KeyRing.create(shared.state, 'salesos');
  const create = (environment: Environment) => createSalesos(environment, keys, organizations);
  const salesos = startOne('salesos', create, at, shared, { people });
  return {
    ...toProviderEmulator(salesos, salesosOptions(salesos.origin)),
    ...rotating(keys),
    organizations: organizations.all,
    invite: (person, organization) => organizations.invite(person, organization),
  };
}

async function startSalesforce(login: Listener, shared: Shared): Promise<Emulator['salesforce']> {
  const { options, state, at, listeners } = shared;
  const { org = login } = at;
  const issuer = isIssuerOrg(options) ? org : (at.issuer ?? login);
  const startAt = async (listener: Listener, name: string, settings: Settings = {}) => {
    const { origin } = listener;
    const origins = settings.origins ?? { login: origin, org: origin, issuer: origin };
    const keys = await KeyRing.create(state, name);
    // The keys of an issuer that has an origin of its own are published there alone.
    const others = origins.issuer === origin ? keys : await KeyRing.create(state, `${name}.login`);
    const create = (environment: Environment) => createSalesforce(environment, keys, others);
    const store = new Store(state, name);
    const one = startOne('salesforce', create, listener, shared, { ...settings, origins, store });
    const emulated = toProviderEmulator(one, salesforceOptions(origin));
    return { ...one, emulated: { ...emulated, ...rotating(keys) } };
  };
  const startOrg = async (name: keyof typeof ORGS) => {
    const { label, organization } = ORGS[name];
    const people = new People(options.people, organization);
    return at[name] && (await startAt(at[name], name, { label, people })).emulated;
  };
  const origins = { login: login.origin, org: org.origin, issuer: issuer.origin };
  const [salesforce, sandbox, myDomain] = await Promise.all([
    startAt(login, 'salesforce', { origins }),
    startOrg('sandbox'),
    startOrg('myDomain'),
  ]);
  for (const listener of new Set([org, issuer])) {
    if (listener !== login) salesforce.running.attach(listener);
  }
  return {
    ...salesforce.emulated,
    sandbox,
    myDomain,
    get origins() {
      const own = { ...salesforce.origins, sandbox: sandbox?.origin };
      return { ...own, ...(myDomain && { myDomain: myDomain.origin }) };
    },
    async moveOrg() {
      const listener = await listen(login.host, 0);
      listeners.push(listener);
      return moveOrg(salesforce, listener, listeners);
    },
  };
}

/** The parts of an environment that a provider may have of its own. */
type Settings = Partial<Pick<Environment, 'label' | 'origins' | 'people' | 'store'>>;

function startOne(
  name: ProviderName,
  create: (environment: Environment) => Dialect,
  at: Listener,
  { options, state, running: all }: Shared,
  { origins, label, people, store }: Settings,
) {
  const { origin } = at;
  const environment: Environment = {
    origin,
    label,
    origins: origins ?? { login: origin, org: origin, issuer: origin },
    ...registeredClients(name, options),
    people: people ?? new People(options.people),
    store: store ?? new Store(state, name),
    options,
  };
  const described = create(environment);
  const dialect = { ...described, pkce: pkceOf(options, name) ?? described.pkce };
  const running = new Origin(at, dialect, environment, state);
  all.push(running);
  return { ...environment, dialect, running };
}

type Running = ReturnType<typeof startOne>;

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

const rotating = (keys: KeyRing): KeyRotation => ({
  rotateKeys: ({ retireOld = false } = {}) => keys.rotate(retireOld),
});

function pkceOf({ pkce, tolerant }: EmulatorOptions, name: ProviderName): Pkce | undefined {
  const asked = typeof pkce === 'string' ? pkce : pkce?.[name];
  return asked ?? (tolerant === true ? 'allowed' : undefined);
}
