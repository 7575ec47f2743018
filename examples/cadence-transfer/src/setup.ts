/** Reads the environment: the two instances, and where tokens are kept. Without credentials both are emulated. */
import { parseArgs } from 'node:util';
import { MemoryTokenStore, RedisTokenStore } from 'crm-oauth2';
import type { ClientOptions, TokenStore } from 'crm-oauth2';
import { createClient } from 'redis';
import { emulate } from './emulator';
import { visitInBrowser } from './sign-in';
import type { Visit } from './sign-in';

export interface Instance {
  options: ClientOptions & { authorizationURL?: string; tokenURL?: string };
  /** The address of its API. */
  baseURL: string;
}

export interface Setup {
  cadence: number;
  from: Instance;
  to: Instance;
  callbackURL: string;
  visit: Visit;
  store: TokenStore;
  close: () => Promise<void>;
}

/** An option is missing or wrong. The message is for the person who starts the example. */
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
    from: instanceOf(env, 'FROM'),
    to: instanceOf(env, 'TO'),
    callbackURL,
    visit: visitInBrowser,
    ...(await storeOf(env)),
  };
}

function cadenceOf([number]: string[]): number | undefined {
  if (number === undefined || /^\d+$/.test(number)) return number ? Number(number) : undefined;
  throw new ConfigError(`A cadence has a number, not "${number}"`);
}

function instanceOf(env: Environment, prefix: 'FROM' | 'TO'): Instance {
  const clientID = env[`${prefix}_CLIENT_ID`] ?? '';
  const clientSecret = env[`${prefix}_CLIENT_SECRET`] ?? '';
  return { options: { clientID, clientSecret }, baseURL: API };
}

/** With Redis a person signs in once, without it at every run. */
async function storeOf({ REDIS_URL, TOKEN_SECRET }: Environment) {
  if (!REDIS_URL)
    return { store: new MemoryTokenStore(), close: async () => await Promise.resolve() };
  if (!TOKEN_SECRET)
    throw new ConfigError('TOKEN_SECRET is missing: it encrypts the tokens in Redis');
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
