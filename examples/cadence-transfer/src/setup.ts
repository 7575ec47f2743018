/** Who is asked, and where tokens are kept: from the environment, or all of it emulated. */
import { parseArgs } from 'node:util';
import { MemoryTokenStore, RedisTokenStore } from 'crm-oauth2';
import type { ClientOptions, TokenStore } from 'crm-oauth2';
import { createClient } from 'redis';
import { emulate } from './emulator';
import { visitInBrowser } from './sign-in';

export interface Instance {
  options: ClientOptions & { authorizationURL?: string; tokenURL?: string };
  /** Of its API. */
  baseURL: string;
}

/** Takes a person to a URL; gives the one they came back to. */
export type Visit = (url: string, callbackURL: string) => Promise<string>;

export interface Setup {
  cadence: number;
  from: Instance;
  to: Instance;
  callbackURL: string;
  visit: Visit;
  store: TokenStore;
  close: () => Promise<void>;
}

/** Something is missing or wrong. The message is for the person who starts this. */
export class ConfigError extends Error {}

const VARIABLES = ['FROM_CLIENT_ID', 'FROM_CLIENT_SECRET', 'TO_CLIENT_ID', 'TO_CLIENT_SECRET'];
const API = 'https://api.salesloft.com/v2';

type Environment = Readonly<Record<string, string | undefined>>;

function parameters(): string[] {
  try {
    return parseArgs({ allowPositionals: true }).positionals;
  } catch {
    throw new ConfigError(
      'Usage: node examples/cadence-transfer/dist/transfer.js [number of the cadence]',
    );
  }
}

/** @throws {ConfigError} */
export async function setUp(env: Environment): Promise<Setup> {
  const cadence = cadenceOf(parameters());
  const missing = VARIABLES.filter((name) => !env[name]);
  const callbackURL = env.CALLBACK_URL || 'http://localhost:3000/callback';
  if (missing.length === VARIABLES.length) {
    return { cadence: cadence ?? 42, callbackURL, ...(await emulate()) };
  }
  if (missing.length > 0) {
    throw new ConfigError(`${missing.join(', ')}: set all of ${VARIABLES.join(', ')}, or none`);
  }
  if (cadence === undefined) throw new ConfigError('Which cadence? Give its number.');
  return {
    cadence,
    from: instance(env, 'FROM'),
    to: instance(env, 'TO'),
    callbackURL,
    visit: visitInBrowser,
    ...(await storeOf(env)),
  };
}

function cadenceOf([number]: string[]): number | undefined {
  if (number === undefined || /^\d+$/.test(number)) return number ? Number(number) : undefined;
  throw new ConfigError(`A cadence has a number, not "${number}"`);
}

function instance(env: Environment, prefix: 'FROM' | 'TO'): Instance {
  const clientID = env[`${prefix}_CLIENT_ID`] ?? '';
  const clientSecret = env[`${prefix}_CLIENT_SECRET`] ?? '';
  return { options: { clientID, clientSecret }, baseURL: API };
}

/** In memory somebody signs in at every run; in Redis, once. */
async function storeOf({ REDIS_URL, TOKEN_SECRET }: Environment) {
  if (!REDIS_URL)
    return { store: new MemoryTokenStore(), close: async () => await Promise.resolve() };
  if (!TOKEN_SECRET) throw new ConfigError('TOKEN_SECRET is missing: it encrypts what is in Redis');
  const client = createClient({ url: REDIS_URL, socket: { reconnectStrategy: false } });
  await client
    .on('error', () => undefined)
    .connect()
    .catch(() => {
      throw new ConfigError(`Redis does not answer at ${new URL(REDIS_URL).host}`);
    });
  const store = new RedisTokenStore({ client, secrets: [TOKEN_SECRET] });
  return { store, close: async () => await client.close() };
}
