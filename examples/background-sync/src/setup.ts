/** Reads the environment: the people, their providers, and the store of their tokens. */
import { randomBytes, randomUUID } from 'node:crypto';
import { RedisTokenStore } from 'crm-oauth2';
import type { ClientOptions, TokenStore } from 'crm-oauth2';
import type { Job, Person } from './accounts';
import { emulate } from './emulator';
import { connect, disconnect } from './redis';
import type { Redis } from './redis';

export interface Setup {
  job: Job;
  /** The host and port of Redis, for messages. */
  redisHost: string;
  redis: Redis;
  store: TokenStore;
  isEmulated: boolean;
  close: () => Promise<void>;
}

/** A variable is missing or wrong. The message is for the person who starts the example. */
export class ConfigError extends Error {}

type Environment = Readonly<Record<string, string | undefined>>;

const SECRET_CHARACTERS = 32;

/** Milliseconds between two requests of one worker for one person; the emulator may be asked often. */
const PAUSE_MS = 5000;
const EMULATOR_PAUSE_MS = 150;

/**
 * @param stop ends the wait for Redis
 * @throws {ConfigError}
 */
export async function setUp(env: Environment, stop: AbortSignal): Promise<Setup> {
  const own = ownOf(env);
  const redisURL = env.REDIS_URL || 'redis://127.0.0.1:6379';
  const redisHost = hostOf(redisURL);
  const redis = await connect(redisURL, stop).catch((error: unknown) => {
    stop.throwIfAborted();
    throw new ConfigError(
      `Redis does not answer at ${redisHost} (${reasonOf(error)}). Start it (redis-server), or set REDIS_URL.`,
    );
  });
  // The emulator's people end with this process, and so may the secret of their tokens.
  const secret = own?.secret ?? randomBytes(SECRET_CHARACTERS).toString('hex');
  const prefix = own ? 'crm-oauth2:' : `background-sync:${randomUUID()}:`;
  const store = new RedisTokenStore({ client: redis, secrets: [secret], prefix });
  const emulated = async () =>
    await emulate(store).catch((error: unknown) => {
      disconnect(redis);
      throw error;
    });
  const { providers, people, end } = own ?? (await emulated());
  const pauseMs = own ? PAUSE_MS : EMULATOR_PAUSE_MS;
  return {
    job: { redisURL, secret, prefix, providers, people, pauseMs },
    redisHost,
    redis,
    store,
    isEmulated: !own,
    close: async () => {
      await end();
      disconnect(redis);
    },
  };
}

function hostOf(redisURL: string): string {
  // The URL may hold a password, so the message does not show it.
  if (!URL.canParse(redisURL)) throw new ConfigError('REDIS_URL must be such as redis://host:6379');
  const { protocol, host } = new URL(redisURL);
  if (['redis:', 'rediss:'].includes(protocol) && host !== '') return host;
  throw new ConfigError('REDIS_URL must begin with redis:// or rediss://, and name a host');
}

/** The code of a failed connection, or the first word of an answer, such as WRONGPASS. */
function reasonOf(error: unknown): string {
  const { code, message } = Object(error) as { code?: unknown; message?: unknown };
  if (typeof code === 'string') return code;
  return /^[A-Z]{4,}/.exec(String(message))?.[0] ?? 'no answer';
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
    throw new ConfigError(
      `${missing.join(', ')} missing. Set all of ${VARIABLES.join(', ')}; or none, for the emulator.`,
    );
  }
  const { TOKEN_SECRET: secret = '', PEOPLE: people = '' } = env;
  if (secret.length < SECRET_CHARACTERS) {
    throw new ConfigError(
      `TOKEN_SECRET must have at least ${SECRET_CHARACTERS} characters: the secret of your web app's token store.`,
    );
  }
  const options = (prefix: 'SALESLOFT' | 'SALESOS'): ClientOptions => ({
    clientID: env[`${prefix}_CLIENT_ID`] ?? '',
    clientSecret: env[`${prefix}_CLIENT_SECRET`] ?? '',
  });
  return {
    secret,
    providers: {
      salesloft: { options: options('SALESLOFT'), baseURL: 'https://api.salesloft.com/v2' },
      salesos: { options: options('SALESOS'), baseURL: 'https://api.play2sell.com/v1' },
    },
    people: people.trim().split(/\s+/).map(personOf),
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
