/** Reads the environment at the start, and refuses wrong values by the name of their variable. */
import type { ProviderOptions } from './strategies';

export interface Config {
  port: number;
  /** `undefined`: `http://localhost` and the port. */
  baseURL: string | undefined;
  /** `undefined`: a random one, so that sessions end with the process. */
  sessionSecret: string | undefined;
  /** The first of the emulator's ports. */
  emulatorPort: number;
  /** Providers without credentials are absent. The emulator plays them. */
  providers: Partial<ProviderOptions>;
}

/** A variable is missing or wrong. The message is for the person who sets it. */
export class ConfigError extends Error {}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws {ConfigError} naming the variable */
export function readConfig(env: Environment): Config {
  const config: Config = {
    port: port(env, 'PORT', 3000),
    baseURL: url(env, 'BASE_URL')?.origin,
    sessionSecret: value(env, 'SESSION_SECRET'),
    emulatorPort: port(env, 'EMULATOR_PORT', 4000),
    providers: {
      salesloft: credentials(env, 'SALESLOFT'),
      salesos: credentials(env, 'SALESOS', { issuer: url(env, 'SALESOS_ISSUER')?.href }),
      salesforce: credentials(env, 'SALESFORCE', {
        loginURL: url(env, 'SALESFORCE_LOGIN_URL')?.href,
      }),
    },
  };
  if (env.NODE_ENV === 'production') refuseDevelopmentDefaults(config);
  return config;
}

/** The emulator signs in every visitor as any person, and a cookie sent over http can be read on the way. */
function refuseDevelopmentDefaults({ baseURL, sessionSecret, providers }: Config): void {
  const missing = Object.entries(providers)
    .filter(([, options]) => options === undefined)
    .map(([name]) => `${name.toUpperCase()}_CLIENT_ID`);
  if (!sessionSecret) missing.push('SESSION_SECRET');
  if (!baseURL?.startsWith('https:')) missing.push('BASE_URL (an https address)');
  if (missing.length > 0) {
    throw new ConfigError(`NODE_ENV is production, and missing: ${missing.join(', ')}`);
  }
}

/** One of the two is set: an error, not a request for the emulator. */
function credentials(
  env: Environment,
  prefix: string,
  extra: { issuer?: string; loginURL?: string } = {},
) {
  const id = `${prefix}_CLIENT_ID`;
  const secret = `${prefix}_CLIENT_SECRET`;
  const clientID = value(env, id);
  const clientSecret = value(env, secret);
  // Unset options are left out: strategies refuse a secret that is present and undefined.
  const given = Object.fromEntries(Object.entries(extra).filter(([, text]) => text !== undefined));
  if (clientID && clientSecret) return { clientID, clientSecret, ...given };
  if (clientID || clientSecret || Object.keys(given).length > 0) {
    throw new ConfigError(
      `${clientID ? secret : id} is missing. Set ${id} and ${secret}, or nothing that begins with ${prefix}_ to use the emulator`,
    );
  }
  return undefined;
}

function port(env: Environment, name: string, fallback: number): number {
  const text = value(env, name) ?? String(fallback);
  const number = Number(text);
  if (!/^\d+$/.test(text) || number > 65_535) {
    throw new ConfigError(`${name} must be a port number, not "${text}"`);
  }
  return number;
}

function url(env: Environment, name: string): URL | undefined {
  const text = value(env, name);
  if (text === undefined) return undefined;
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new ConfigError(`${name} must be an address such as https://example.com, not "${text}"`);
  }
  return new URL(text);
}

/** A variable that is empty, as in a copy of .env.example, counts as not set. */
function value(env: Environment, name: string): string | undefined {
  return env[name]?.trim() || undefined;
}
