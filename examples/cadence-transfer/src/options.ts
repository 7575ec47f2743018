/** Reads the command line: the number of the cadence. */
import { parseArgs } from 'node:util';

export const USAGE = `Usage: node examples/cadence-transfer/dist/transfer.js [NUMBER]

Copies a cadence from one Salesloft instance to another. Without credentials the emulator plays both instances.

  NUMBER   the cadence, as in its address in Salesloft: …/cadences/NUMBER
           (required with credentials of your own, otherwise 42)
  --help   shows this text

Credentials of your own: copy examples/cadence-transfer/.env.example to .env beside it, fill it in, and run
node --env-file=examples/cadence-transfer/.env examples/cadence-transfer/dist/transfer.js NUMBER`;

/** An argument is missing or wrong. The message is for the person who starts the example. */
export class UsageError extends Error {}

export interface Options {
  help: boolean;
  cadence?: number;
}

/** @throws {UsageError} */
export function readOptions(words: string[]): Options {
  const { values, positionals } = parse(words);
  const { help = false } = values;
  const [number, extra] = positionals;
  if (help || number === undefined) return { help };
  if (extra !== undefined) throw new UsageError(`One cadence at a time: "${extra}" is too many`);
  if (/^\d{1,15}$/.test(number)) return { help, cadence: Number(number) };
  throw new UsageError(`A cadence has a number, not "${number}"`);
}

function parse(args: string[]) {
  const options = { help: { type: 'boolean', short: 'h' } } as const;
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    // The first sentence names the argument.
    throw new UsageError(String(Reflect.get(Object(error), 'message')).split(/[.\n]/)[0]);
  }
}
