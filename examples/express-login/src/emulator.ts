/** For development only: providers without credentials are played by the emulator, in this process. */
import type { Emulator } from 'crm-emulator';
import { PROVIDERS } from './strategies';
import type { ProviderName, ProviderOptions } from './strategies';

export interface CompletedProviders {
  providers: ProviderOptions;
  /** Where each emulated provider listens. */
  emulated: Partial<Record<ProviderName, string>>;
  close(): Promise<void>;
}

/** Adds what the configuration leaves out; starts nothing when it leaves out nothing. */
export async function completeProviders(
  { salesloft, salesos, salesforce }: Partial<ProviderOptions>,
  { port, baseURL }: { port: number; baseURL: string },
): Promise<CompletedProviders> {
  if (salesloft && salesos && salesforce) {
    const providers = { salesloft, salesos, salesforce };
    return { providers, emulated: {}, close: () => Promise.resolve() };
  }
  const emulator = await start(port, baseURL);
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

async function start(port: number, baseURL: string): Promise<Emulator> {
  // An ES module, and loaded only here: an application with all its credentials never needs it.
  const { startEmulator } = await import('crm-emulator');
  const callbackURLs = PROVIDERS.map((name) => `${baseURL}/auth/${name}/callback`);
  try {
    return await startEmulator({ port, callbackURLs });
  } catch (error) {
    if (Reflect.get(Object(error), 'code') !== 'EADDRINUSE') throw error;
    return await startEmulator({ port: 0, callbackURLs });
  }
}
