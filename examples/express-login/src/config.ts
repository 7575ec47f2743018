/** Reads the environment at the start, and refuses wrong values by the name of their variable. */
import { ConfigError } from './config-error';
import type { ProviderOptions } from './strategies';

export { ConfigError } from './config-error';

export interface Config {
  port: number;
  /** The address to listen on. `undefined`: this machine only while anything is emulated, else all. */
  host: string | undefined;
  /** As pino names them. */
  logLevel: string;
  /** A bearer token for `/metrics`. `undefined`: this machine alone may ask. */
  metricsToken: string | undefined;
  /** Refresh tokens are used when they have fewer days left. */
  refreshEarlyDays: number;
  /** How many proxies stand in front, whose `X-Forwarded-For` is believed. */
  proxies: number;
  /** `undefined`: `http://localhost` and the port. */
  baseURL: string | undefined;
  /** `undefined`: one that is made once, and kept in the data folder. */
  sessionSecret: string | undefined;
  /** The same. */
  tokenSecret: string | undefined;
  /** `undefined`: a database that is embedded in this process. */
  databaseURL: string | undefined;
  /** `undefined`: `.data` beside the example. */
  dataFolder: string | undefined;
  /** Shows developers the last login of their browser; never in production. */
  showLogins: boolean;
  /** The first of the emulator's ports. */
  emulatorPort: number;
  /** Providers without credentials are absent. The emulator plays them. */
  providers: Partial<ProviderOptions>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws {ConfigError} naming the variable */
export function readConfig(env: Environment): Config {
  const config: Config = {
    port: port(env, 'PORT', 3000),
    baseURL: url(env, 'BASE_URL')?.origin,
    host: value(env, 'HOST'),
    logLevel: logLevel(env),
    metricsToken: longSecret(env, 'METRICS_TOKEN'),
    refreshEarlyDays: days(env, 'REFRESH_EARLY_DAYS', 7),
    proxies: proxies(env),
    sessionSecret: value(env, 'SESSION_SECRET'),
    tokenSecret: longSecret(env, 'TOKEN_SECRET'),
    databaseURL: databaseURL(env),
    dataFolder: value(env, 'DATA_FOLDER'),
    showLogins: env.NODE_ENV !== 'production',
    emulatorPort: port(env, 'EMULATOR_PORT', 4000),
    providers: {
      salesloft: credentials(env, 'SALESLOFT', {
        // Of an emulator that runs elsewhere; Salesloft itself has no others.
        authorizationURL: url(env, 'SALESLOFT_AUTHORIZATION_URL')?.href,
        tokenURL: url(env, 'SALESLOFT_TOKEN_URL')?.href,
        profileURL: url(env, 'SALESLOFT_PROFILE_URL')?.href,
      }),
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
function refuseDevelopmentDefaults({
  baseURL,
  sessionSecret,
  tokenSecret,
  providers,
}: Config): void {
  const missing = Object.entries(providers)
    .filter(([, options]) => options === undefined)
    .map(([name]) => `${name.toUpperCase()}_CLIENT_ID`);
  if (!sessionSecret) missing.push('SESSION_SECRET');
  if (!tokenSecret) missing.push('TOKEN_SECRET');
  if (!baseURL?.startsWith('https:')) missing.push('BASE_URL (an https address)');
  if (missing.length > 0) {
    throw new ConfigError(`NODE_ENV is production, and missing: ${missing.join(', ')}`);
  }
}

/** One of the two is set: an error, not a request for the emulator. */
function credentials(
  env: Environment,
  prefix: string,
  extra: Readonly<Record<string, string | undefined>> = {},
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

const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

function logLevel(env: Environment): string {
  const level = value(env, 'LOG_LEVEL') ?? (env.NODE_ENV === 'production' ? 'info' : 'warn');
  if (LEVELS.includes(level)) return level;
  throw new ConfigError(`LOG_LEVEL must be one of ${LEVELS.join(', ')}`);
}

function days(env: Environment, name: string, fallback: number): number {
  const text = value(env, name) ?? String(fallback);
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new ConfigError(`${name} must be a number of days, not "${text}"`);
}

/** With an https address, one proxy in front ends TLS. */
function proxies(env: Environment): number {
  const text = value(env, 'PROXIES') ?? (url(env, 'BASE_URL')?.protocol === 'https:' ? '1' : '0');
  if (/^\d$/.test(text)) return Number(text);
  throw new ConfigError(`PROXIES must be a number from 0 to 9, not "${text}"`);
}

/** A key, or a token that opens something: a short one can be guessed. */
function longSecret(env: Environment, name: string): string | undefined {
  const text = value(env, name);
  if (text === undefined || text.length >= 32) return text;
  throw new ConfigError(
    `${name} must have at least 32 characters. Make one: openssl rand -base64 32`,
  );
}

function databaseURL(env: Environment): string | undefined {
  const text = value(env, 'DATABASE_URL');
  if (text === undefined || /^postgres(ql)?:\/\//.test(text)) return text;
  // The value is not repeated: it may hold a password.
  throw new ConfigError('DATABASE_URL must begin with postgres://');
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
