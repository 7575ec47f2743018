/** Reads the environment: the two instances, and where tokens are kept. Without credentials both are emulated. */
import { MemoryTokenStore, RedisTokenStore } from 'crm-oauth2';
import type { ClientOptions, TokenStore } from 'crm-oauth2';
import { createClient } from 'redis';
import { ConfigError } from './config-error';
import { emulate } from './emulator';
import { UsageError } from './options';
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
  isEmulated: boolean;
  close: () => Promise<void>;
}

const VARIABLES = ['FROM_CLIENT_ID', 'FROM_CLIENT_SECRET', 'TO_CLIENT_ID', 'TO_CLIENT_SECRET'];
const API = 'https://api.salesloft.com/v2';

const SECRET_CHARACTERS = 32;
const CONNECT_MS = 5000;

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws {ConfigError | UsageError} */
export async function setUp(env: Environment, cadence: number | undefined): Promise<Setup> {
  const missing = VARIABLES.filter((name) => !env[name]);
  const callbackURL = callbackOf(env);
  if (missing.length === VARIABLES.length) {
    return { cadence: cadence ?? 42, callbackURL, isEmulated: true, ...(await emulate()) };
  }
  if (missing.length > 0) {
    throw new ConfigError(
      `${missing.join(', ')} missing. Set all of ${VARIABLES.join(', ')}; or none, for the emulator.`,
    );
  }
  if (cadence === undefined) throw new UsageError('Which cadence? Give its number.');
  return {
    cadence,
    from: instanceOf(env, 'FROM'),
    to: instanceOf(env, 'TO'),
    callbackURL,
    visit: visitInBrowser,
    isEmulated: false,
    ...(await storeOf(env)),
  };
}

function callbackOf({ CALLBACK_URL }: Environment): string {
  const callbackURL = CALLBACK_URL || 'http://localhost:3000/callback';
  const { protocol, hostname } = URL.canParse(callbackURL)
    ? new URL(callbackURL)
    : { protocol: '', hostname: '' };
  if (protocol === 'http:' && ['localhost', '127.0.0.1'].includes(hostname)) return callbackURL;
  throw new ConfigError(
    `CALLBACK_URL must be an address of this machine, such as http://localhost:3000/callback, not "${callbackURL}"`,
  );
}

function instanceOf(env: Environment, prefix: 'FROM' | 'TO'): Instance {
  const clientID = env[`${prefix}_CLIENT_ID`] ?? '';
  const clientSecret = env[`${prefix}_CLIENT_SECRET`] ?? '';
  return { options: { clientID, clientSecret }, baseURL: API };
}

/** With Redis a person signs in once, without it at every run. */
async function storeOf({ REDIS_URL, TOKEN_SECRET = '' }: Environment) {
  if (!REDIS_URL) {
    return { store: new MemoryTokenStore(), close: async () => await Promise.resolve() };
  }
  if (TOKEN_SECRET.length < SECRET_CHARACTERS) {
    throw new ConfigError(
      `TOKEN_SECRET must have at least ${SECRET_CHARACTERS} characters: it encrypts the tokens in Redis`,
    );
  }
  // The URL may hold a password, so the message does not show it.
  if (!/^rediss?:\/\/./.test(REDIS_URL) || !URL.canParse(REDIS_URL)) {
    throw new ConfigError('REDIS_URL must be such as redis://127.0.0.1:6379');
  }
  const socket = { reconnectStrategy: false, connectTimeout: CONNECT_MS } as const;
  const client = createClient({ url: REDIS_URL, socket });
  // The client needs a listener. Each command rejects by itself.
  client.on('error', () => undefined);
  const timer = setTimeout(() => client.destroy(), CONNECT_MS);
  try {
    await client.connect();
  } catch {
    throw new ConfigError(
      `Redis does not answer at ${new URL(REDIS_URL).host}. Start it (redis-server), or leave REDIS_URL empty and sign in at every run.`,
    );
  } finally {
    clearTimeout(timer);
  }
  const store = new RedisTokenStore({ client, secrets: [TOKEN_SECRET] });
  // Waits for no answer, which may never come.
  const close = async () => await Promise.resolve(client.destroy());
  return { store, close };
}
