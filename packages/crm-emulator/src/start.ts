/** Starts providers: opens their ports, reads the state that was kept, and puts their parts together. */
import { registeredClients } from './clients.js';
import type { Dialect, Environment } from './dialect.js';
import { createSalesforce } from './dialects/salesforce.js';
import type { SalesforceFaultName } from './dialects/salesforce-faults.js';
import { createSalesloft } from './dialects/salesloft.js';
import type { SalesloftFaultName } from './dialects/salesloft-faults.js';
import { createSalesos } from './dialects/salesos.js';
import type { SalesosFaultName } from './dialects/salesos-faults.js';
import { KeyRing } from './keys.js';
import { listen, type Listener, Origin, stop } from './origin.js';
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
  sandbox: { title: 'Salesforce sandbox', organization: '00DSandboxEmulr' },
  myDomain: { title: 'Salesforce My Domain', organization: '00DMyDomainEmul' },
} as const;

/** The parts of one emulator that its providers share. */
interface Shared {
  options: EmulatorOptions;
  state: State;
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
  const shared: Shared = { options, state, listeners: [], running: [] };
  const close = async () => {
    for (const { faults } of shared.running) faults.clear();
    await Promise.all(shared.listeners.map(stop));
    await state.flush();
  };
  try {
    const at = await openAll(ports, shared);
    const [salesloft, salesos, salesforce] = await Promise.all([
      at.salesloft && startAt(at.salesloft, 'salesloft', createSalesloft, shared),
      at.salesos && startAt(at.salesos, 'salesos', createSalesos, shared),
      at.login && startSalesforce(at.login, at, shared),
    ]);
    return { salesloft: salesloft?.emulated, salesos: salesos?.emulated, salesforce, close };
  } catch (error) {
    await Promise.all(shared.listeners.map(stop));
    throw error;
  }
}

type Listeners = Partial<Record<Part, Listener>>;

async function openAll(ports: Ports, { options, state, listeners }: Shared): Promise<Listeners> {
  const at: Listeners = {};
  for (const [part, port] of Object.entries(ports)) {
    const listener = await listen(options.host ?? '127.0.0.1', port);
    listeners.push(listener);
    at[part as Part] = listener;
    state.ports[part] = Number(new URL(listener.origin).port);
  }
  state.changed();
  return at;
}

async function startSalesforce(
  login: Listener,
  at: Listeners,
  shared: Shared,
): Promise<Emulator['salesforce']> {
  const { options, listeners } = shared;
  const { org = login } = at;
  const issuer = isIssuerOrg(options) ? org : (at.issuer ?? login);
  const origins = { login: login.origin, org: org.origin, issuer: issuer.origin };
  const startOrg = async (name: keyof typeof ORGS) => {
    const create = (environment: Environment) => createSalesforce(environment, ORGS[name]);
    return at[name] && (await startAt(at[name], 'salesforce', create, shared, name)).emulated;
  };
  const createProduction = (environment: Environment) => createSalesforce(environment, { origins });
  const [{ emulated, running }, sandbox, myDomain] = await Promise.all([
    startAt(login, 'salesforce', createProduction, shared),
    startOrg('sandbox'),
    startOrg('myDomain'),
  ]);
  for (const listener of new Set([org, issuer])) {
    if (listener !== login) running.attach(listener);
  }
  return {
    ...emulated,
    sandbox,
    myDomain,
    get origins() {
      const own = { ...origins, sandbox: sandbox?.origin };
      return { ...own, ...(myDomain && { myDomain: myDomain.origin }) };
    },
    async moveOrg() {
      const listener = await listen(login.host, 0);
      listeners.push(listener);
      running.attach(listener);
      const { org: old, issuer: issuing } = origins;
      origins.org = listener.origin;
      // The old address closes, unless people log in there.
      const closing = listeners.find(({ origin }) => origin === old && origin !== login.origin);
      if (closing && issuing === old) origins.issuer = listener.origin;
      if (closing) await stop(closing);
      return listener.origin;
    },
  };
}

/** @param part what the state calls this provider */
async function startAt<Described extends Dialect>(
  listener: Listener,
  name: ProviderName,
  create: (environment: Environment) => Described | Promise<Described>,
  { options, state, running: all }: Shared,
  part: string = name,
) {
  const { origin } = listener;
  const environment: Environment = {
    origin,
    ...registeredClients(name, options),
    store: new Store(state, part),
    options,
    createKeys: (of) => KeyRing.create(state, of === undefined ? part : `${part}.${of}`),
  };
  const dialect = await create(environment);
  const provider = { ...environment, ...dialect, pkce: pkceOf(options, name) ?? dialect.pkce };
  const running = new Origin(provider, state);
  running.attach(listener);
  all.push(running);
  return { running, emulated: emulatedBy(running, provider, dialect) };
}

/** The object that a caller of `startEmulator` gets for one provider. */
function emulatedBy<Described extends Dialect>(
  running: Origin,
  { origin, client }: Environment,
  { faults, members, strategyOptions }: Described,
) {
  const { clientID, clientSecret } = client;
  type Options = Described['strategyOptions'] & Pick<typeof client, 'clientID' | 'clientSecret'>;
  const provider: ProviderEmulator<Options, keyof Described['faults'] & string> = {
    origin,
    clientID,
    clientSecret,
    options: { clientID, clientSecret, ...strategyOptions },
    requests: running.requests,
    faults,
    fault: (fault) => running.faults.add(fault),
    fail: (name, changes) => running.faults.addNamed(name, changes),
    clearFaults: () => running.faults.clear(),
    setActive: (person, active) => running.setActive(person, active),
  };
  return { ...provider, ...(members as Described['members']) };
}

function pkceOf({ pkce, tolerant }: EmulatorOptions, name: ProviderName): Pkce | undefined {
  const asked = typeof pkce === 'string' ? pkce : pkce?.[name];
  return asked ?? (tolerant === true ? 'allowed' : undefined);
}
