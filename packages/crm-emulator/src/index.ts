/** The package's entry: starts the three providers. */
import { type Emulator, PROVIDERS, start } from './start.js';
import type { EmulatorOptions } from './types.js';

export { PEOPLE } from './people.js';
export { REFUSALS, type RefusalEntry } from './refusals.js';
export type { Emulator } from './start.js';
export type * from './types.js';
export type { SalesforceFaultName } from './dialects/salesforce-faults.js';
export type { SalesloftFaultName } from './dialects/salesloft-faults.js';
export type { SalesosFaultName } from './dialects/salesos-faults.js';

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
  return (await start(options, PROVIDERS)) as Emulator;
}
