/** Reads the command line: how many workers, and for how long. */
import { parseArgs } from 'node:util';

const MOST_WORKERS = 64;
const MOST_SECONDS = 86_400;

export const USAGE = `Usage: node examples/background-sync/dist/sync.js [--workers N] [--seconds N]

Several worker processes fetch data with the tokens of several people, and keep these tokens fresh, over one
Redis. Without credentials the emulator plays Salesloft and SalesOS, so that only Redis is needed.

  --workers N   how many processes, at most ${MOST_WORKERS} (default 4)
  --seconds N   how long they work, at most ${MOST_SECONDS} (default 10); Ctrl+C ends them earlier
  --help        shows this text

REDIS_URL names the Redis (default redis://127.0.0.1:6379). Your own app and people: see .env.example.`;

/** An argument is wrong. The message is for the person who starts the example. */
export class UsageError extends Error {}

export interface Options {
  help: boolean;
  workers: number;
  seconds: number;
}

/** @throws {UsageError} */
export function readOptions(words: string[]): Options {
  const { help = false, workers, seconds } = parse(words);
  return {
    help,
    workers: number('--workers', workers, 4, MOST_WORKERS),
    seconds: number('--seconds', seconds, 10, MOST_SECONDS),
  };
}

function parse(args: string[]) {
  const options = {
    help: { type: 'boolean', short: 'h' },
    workers: { type: 'string' },
    seconds: { type: 'string' },
  } as const;
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    // The first sentence names the argument.
    throw new UsageError(String(Reflect.get(Object(error), 'message')).split(/[.\n]/)[0]);
  }
}

function number(name: string, value: string | undefined, fallback: number, most: number): number {
  if (value === undefined) return fallback;
  const count = /^\d{1,9}$/.test(value) ? Number(value) : 0;
  if (count >= 1 && count <= most) return count;
  throw new UsageError(`${name} must be a whole number from 1 to ${most}, not "${value}"`);
}
