/** For development only: the emulator plays the providers that have no credentials, in this process. */
import type * as CrmEmulator from 'crm-emulator';
import type { Emulator } from 'crm-emulator';
import type { AppOptions } from './app';
import type { Config } from './config';
import { PROVIDERS } from './providers';
import type { ProviderName } from './providers';

/** The options of the application that depend on who plays the providers. */
export type Played = Required<Pick<AppOptions, 'providers' | 'emulated' | 'samples'>>;

/** Each provider has a port. Salesforce has two more: a sandbox and a My Domain. */
const PORTS = PROVIDERS.length + 2;

/**
 * Adds the providers that the configuration leaves out. Starts the emulator only if there are any.
 *
 * @param state the file that keeps its tokens over a restart
 */
export async function completeProviders(
  config: Config,
  state?: string,
): Promise<Played & { close(): Promise<void> }> {
  const { salesloft, salesos, salesforce } = config.providers;
  if (salesloft && salesos && salesforce) {
    const providers = { salesloft, salesos, salesforce };
    return {
      providers,
      emulated: elsewhere(config.providers),
      samples: {},
      close: () => Promise.resolve(),
    };
  }
  const emulator = await start(config, state);
  const { providers, emulated, samples } = playedBy(emulator);
  return {
    providers: {
      salesloft: salesloft ?? providers.salesloft,
      salesos: salesos ?? providers.salesos,
      salesforce: salesforce ?? providers.salesforce,
    },
    emulated: { ...without(emulated, config.providers), ...elsewhere(config.providers) },
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

/** An emulator that runs by itself counts too: its credentials are those of `crm-emulator --env`. */
function elsewhere({ salesloft, salesos, salesforce }: Config['providers']): Played['emulated'] {
  const urls = {
    salesloft: salesloft?.authorizationURL,
    salesos: salesos?.issuer,
    salesforce: salesforce?.loginURL,
  };
  const origins = Object.entries(urls).flatMap(([name, url]) => {
    const { protocol, origin } = new URL(url ?? 'https://real.invalid');
    return protocol === 'http:' ? [[name, origin]] : [];
  });
  return Object.fromEntries(origins) as Played['emulated'];
}

async function start(
  { port: own, baseURL, emulatorPort }: Config,
  state: string | undefined,
): Promise<Emulator> {
  // Loaded only here: with all credentials of your own it is not needed. `require` loads one file,
  // `import` some three hundred.
  const { startEmulator } = require('crm-emulator') as typeof CrmEmulator;
  const options = {
    // Callback URLs on this machine need no registration.
    callbackURLs: baseURL ? PROVIDERS.map((name) => `${baseURL}/auth/${name}/callback`) : [],
    logoutURLs: baseURL ? [`${baseURL}/?loggedOut=salesos`] : [],
    origins: { sandbox: true, myDomain: true },
    // With its ports and keys, so that tokens and logins outlive this process.
    state,
  };
  // The application listens after the emulator, so the emulator must leave its port free.
  const taken = own >= emulatorPort && own < emulatorPort + PORTS;
  const attempts = [
    { ...options, port: taken ? 0 : emulatorPort },
    // The ports that the state names, or free ones.
    { ...options, port: 0 },
    // Another process has the ports of the state. Its tokens are not for this one.
    { ...options, port: 0, state: undefined },
  ];
  let failure: unknown;
  for (const attempt of attempts) {
    try {
      return await startEmulator(attempt);
    } catch (error) {
      const isPort = Reflect.get(Object(error), 'code') === 'EADDRINUSE';
      if (!isPort && !(error instanceof TypeError)) throw error;
      failure = error;
    }
  }
  throw failure;
}
