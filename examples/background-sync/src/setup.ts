/** Reads the command line and the environment: the people, the store, and how long to run. */
import { randomBytes, randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { RedisTokenStore } from 'crm-oauth2';
import type { ClientOptions, TokenStore } from 'crm-oauth2';
import type { Job, Person } from './accounts';
import { emulate } from './emulator';
import { connect } from './redis';

export interface Setup {
  job: Job;
  store: TokenStore;
  workers: number;
  seconds: number;
  close: () => Promise<void>;
}

/** An option is missing or wrong. The message is for the person who starts the example. */
export class ConfigError extends Error {}

type Environment = Readonly<Record<string, string | undefined>>;

function parameters() {
  try {
    const options = { workers: { type: 'string' }, seconds: { type: 'string' } } as const;
    return parseArgs({ options }).values;
  } catch {
    throw new ConfigError(
      'Usage: node examples/background-sync/dist/sync.js [--workers N] [--seconds N]',
    );
  }
}

/** @throws {ConfigError} */
export async function setUp(env: Environment): Promise<Setup> {
  const values = parameters();
  const workers = number('--workers', values.workers, 4);
  const seconds = number('--seconds', values.seconds, 10);
  const redisURL = env.REDIS_URL || 'redis://127.0.0.1:6379';
  const own = ownOf(env);
  const client = await connect(redisURL).catch((error: unknown) => {
    const why = String(Reflect.get(Object(error), 'code') ?? 'no answer');
    throw new ConfigError(
      `Redis does not answer at ${new URL(redisURL).host} (${why}). Start it (redis-server), or set REDIS_URL.`,
    );
  });
  // The emulator's people end with this process, and so may the secret of their tokens.
  const secret = own?.secret ?? randomBytes(32).toString('hex');
  const prefix = own ? 'crm-oauth2:' : `background-sync:${randomUUID()}:`;
  const store = new RedisTokenStore({ client, secrets: [secret], prefix });
  const emulated = async () =>
    await emulate(store).catch(async (error: unknown) => {
      await client.close();
      throw error;
    });
  const { providers, people, end } = own ?? (await emulated());
  return {
    job: { redisURL, secret, prefix, providers, people },
    store,
    workers,
    seconds,
    close: async () => {
      await end();
      await client.close();
    },
  };
}

const VARIABLES = [
  'SALESLOFT_CLIENT_ID',
  'SALESLOFT_CLIENT_SECRET',
  'SALESOS_CLIENT_ID',
  'SALESOS_CLIENT_SECRET',
  'PEOPLE',
  'TOKEN_SECRET',
] as const;

/** With all variables set, the real providers. With none, `undefined`: the emulator plays them. */
function ownOf(env: Environment) {
  const missing = VARIABLES.filter((name) => !env[name]);
  if (missing.length === VARIABLES.length) return undefined;
  if (missing.length > 0) {
    throw new ConfigError(`${missing.join(', ')}: set all of ${VARIABLES.join(', ')}, or none`);
  }
  const options = (prefix: 'SALESLOFT' | 'SALESOS'): ClientOptions => ({
    clientID: env[`${prefix}_CLIENT_ID`] ?? '',
    clientSecret: env[`${prefix}_CLIENT_SECRET`] ?? '',
  });
  return {
    secret: env.TOKEN_SECRET,
    providers: {
      salesloft: { options: options('SALESLOFT'), baseURL: 'https://api.salesloft.com/v2' },
      salesos: { options: options('SALESOS'), baseURL: 'https://api.play2sell.com/v1' },
    },
    people: (env.PEOPLE ?? '').trim().split(/\s+/).map(personOf),
    end: async () => await Promise.resolve(),
  };
}

function personOf(text: string): Person {
  const [, provider, key = ''] = /^(salesloft|salesos):(.+)$/.exec(text) ?? [];
  if (provider === 'salesloft' || provider === 'salesos') return { provider, key };
  throw new ConfigError(
    `PEOPLE must be such as "salesloft:48201 salesos:auth0|6553", not "${text}"`,
  );
}

function number(name: string, value: string | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  if (/^[1-9]\d{0,5}$/.test(value)) return Number(value);
  throw new ConfigError(`${name} must be a whole number, not "${value}"`);
}
