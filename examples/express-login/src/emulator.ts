/** For development only: the emulator plays the providers that have no credentials, in this process. */
import type { Emulator } from 'crm-emulator';
import type { AppOptions } from './app';
import type { Config } from './config';
import { PROVIDERS } from './strategies';
import type { ProviderName } from './strategies';

/** The options of the application that depend on who plays the providers. */
export type Played = Required<Pick<AppOptions, 'providers' | 'emulated' | 'samples'>>;

/** Each provider has a port. Salesforce has two more: a sandbox and a My Domain. */
const PORTS = PROVIDERS.length + 2;

/** Adds the providers that the configuration leaves out. Starts the emulator only if there are any. */
export async function completeProviders(
  config: Config,
): Promise<Played & { close(): Promise<void> }> {
  const { salesloft, salesos, salesforce } = config.providers;
  if (salesloft && salesos && salesforce) {
    const providers = { salesloft, salesos, salesforce };
    return { providers, emulated: {}, samples: {}, close: () => Promise.resolve() };
  }
  const emulator = await start(config);
  const { providers, emulated, samples } = playedBy(emulator);
  return {
    providers: {
      salesloft: salesloft ?? providers.salesloft,
      salesos: salesos ?? providers.salesos,
      salesforce: salesforce ?? providers.salesforce,
    },
    emulated: without(emulated, config.providers),
    samples: without(samples, config.providers),
    close: () => emulator.close(),
  };
}

/** An emulator in the place of all three. */
export function playedBy({ salesloft, salesos, salesforce }: Emulator): Played {
  const { sandbox, myDomain } = salesforce;
  const others = [sandbox, myDomain].flatMap((org) => (org ? [org.origin] : []));
  return {
    providers: {
      salesloft: salesloft.options,
      salesos: salesos.options,
      salesforce: { ...salesforce.options, allowedLoginURLs: others },
    },
    emulated: {
      salesloft: salesloft.origin,
      salesos: salesos.origin,
      salesforce: salesforce.origin,
    },
    samples: {
      salesos: () => {
        const [person, name] = ['Suri', 'pine-street-cycles'];
        const { organization, invitation } = salesos.invite(person, name);
        return { person, name, organization, invitation };
      },
      salesforce: { sandbox: sandbox?.origin, myDomain: myDomain?.origin },
    },
  };
}

function without<Values extends { [Name in ProviderName]?: unknown }>(
  values: Values,
  real: Config['providers'],
): Values {
  const emulated = Object.entries(values).filter(([name]) => !real[name as ProviderName]);
  return Object.fromEntries(emulated) as Values;
}

async function start({ port: own, baseURL, emulatorPort }: Config): Promise<Emulator> {
  // An ES module, and loaded only here: with all credentials of your own it is not needed.
  const { startEmulator } = await import('crm-emulator');
  const options = {
    // Callback URLs on this machine need no registration.
    callbackURLs: baseURL ? PROVIDERS.map((name) => `${baseURL}/auth/${name}/callback`) : [],
    logoutURLs: baseURL ? [`${baseURL}/?loggedOut=salesos`] : [],
    origins: { sandbox: true, myDomain: true },
  };
  // The application listens after the emulator, so the emulator must leave its port free.
  const taken = own >= emulatorPort && own < emulatorPort + PORTS;
  try {
    return await startEmulator({ port: taken ? 0 : emulatorPort, ...options });
  } catch (error) {
    if (Reflect.get(Object(error), 'code') !== 'EADDRINUSE') throw error;
    return await startEmulator({ port: 0, ...options });
  }
}
