/** The types of the door for `require`, which has the same names as the module. */
import type * as Emulator from '../dist/index.js' with { 'resolution-mode': 'import' };

export declare const startEmulator: typeof Emulator.startEmulator;
export declare const PEOPLE: typeof Emulator.PEOPLE;
export declare const REFUSALS: typeof Emulator.REFUSALS;
export type * from '../dist/index.js' with { 'resolution-mode': 'import' };
