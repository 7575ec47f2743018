/** For development only: the emulator plays the providers that have no credentials, in this process. */
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

/** Adds the providers that the configuration leaves out. Starts the emulator only if there are any. */
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
  // An ES module, and loaded only here: with all credentials of your own it is not needed.
  const { startEmulator } = await import('crm-emulator');
  // Callback URLs on this machine need no registration.
  const callbackURLs = baseURL ? PROVIDERS.map((name) => `${baseURL}/auth/${name}/callback`) : [];
  // The application listens after the emulator, so the emulator must leave its port free.
  const taken = own >= emulatorPort && own < emulatorPort + PROVIDERS.length;
  try {
    return await startEmulator({ port: taken ? 0 : emulatorPort, callbackURLs });
  } catch (error) {
    if (Reflect.get(Object(error), 'code') !== 'EADDRINUSE') throw error;
    return await startEmulator({ port: 0, callbackURLs });
  }
}
