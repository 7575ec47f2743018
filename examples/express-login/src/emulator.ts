/** For development only: providers without credentials are played by the emulator, in this process. */
import type { Emulator } from 'crm-emulator';
import type { Config } from './config';
import { PROVIDERS } from './strategies';
import type { ProviderName, ProviderOptions } from './strategies';

export interface CompletedProviders {
  providers: ProviderOptions;
  /** Where each emulated provider listens. */
  emulated: Partial<Record<ProviderName, string>>;
  close(): Promise<void>;
}

/** Adds what the configuration leaves out; starts nothing when it leaves out nothing. */
export async function completeProviders(config: Config): Promise<CompletedProviders> {
  const { salesloft, salesos, salesforce } = config.providers;
  if (salesloft && salesos && salesforce) {
    const providers = { salesloft, salesos, salesforce };
    return { providers, emulated: {}, close: () => Promise.resolve() };
  }
  const emulator = await start(config);
  return {
    providers: {
      salesloft: salesloft ?? emulator.salesloft.options,
      salesos: salesos ?? emulator.salesos.options,
      salesforce: salesforce ?? emulator.salesforce.options,
    },
    emulated: {
      ...(!salesloft && { salesloft: emulator.salesloft.origin }),
      ...(!salesos && { salesos: emulator.salesos.origin }),
      ...(!salesforce && { salesforce: emulator.salesforce.origin }),
    },
    close: () => emulator.close(),
  };
}

async function start({ port: own, baseURL, emulatorPort }: Config): Promise<Emulator> {
  // An ES module, and loaded only here: an application with all its credentials never needs it.
  const { startEmulator } = await import('crm-emulator');
  // Those on this machine need no registration.
  const callbackURLs = baseURL ? PROVIDERS.map((name) => `${baseURL}/auth/${name}/callback`) : [];
  // The application listens after the emulator, and must find its own port free.
  const taken = own >= emulatorPort && own < emulatorPort + PROVIDERS.length;
  try {
    return await startEmulator({ port: taken ? 0 : emulatorPort, callbackURLs });
  } catch (error) {
    if (Reflect.get(Object(error), 'code') !== 'EADDRINUSE') throw error;
    return await startEmulator({ port: 0, callbackURLs });
  }
}
