/**
 * Shared by these tests: a small described provider, servers that are always closed,
 * and the error of a promise that must reject.
 */
import * as http from 'node:http';
import * as net from 'node:net';
import type { AddressInfo } from 'node:net';
import nock = require('nock');
import type { OAuth2Error } from '../dist/index';
import { Problem, defineProvider, isJsonObject } from '../dist/provider/index';
import type { Profile, Provider, ProviderDescription } from '../dist/provider/index';

export interface AcmeOptions {
  authorizationURL?: string;
  tokenURL?: string;
  userInfoURL?: string;
  revocationURL?: string;
  issuer?: string;
  region?: string;
  fancy?: boolean;
}

export const ORIGIN = 'https://acme.test';
export const SECRET = 's3cret-of-the-client';
export const CREDENTIALS = { clientID: 'client-1', clientSecret: SECRET } as const;
export const CALLBACK = 'https://app.test/auth/acme/callback';

/** A provider without ID Tokens; tests change one fact at a time. */
export const acmeDescription: ProviderDescription<AcmeOptions> = {
  name: 'acme',
  title: 'Acme',
  options: {
    authorizationURL: 'url',
    tokenURL: 'url',
    userInfoURL: 'url',
    revocationURL: 'url',
    issuer: 'string',
    region: 'string',
    fancy: 'boolean',
  },
  endpoints: (options) => ({
    authorizationEndpoint: options.authorizationURL ?? `${ORIGIN}/authorize`,
    tokenEndpoint: options.tokenURL ?? `${ORIGIN}/token`,
    userInfoEndpoint: options.userInfoURL ?? `${ORIGIN}/me`,
    revocationEndpoint: options.revocationURL ?? `${ORIGIN}/revoke`,
    jwksUri: `${ORIGIN}/keys`,
    issuer: options.issuer ?? `${ORIGIN}/`,
  }),
  scope: ['read'],
  authorizationParameters: {
    prompt: 'prompt',
    loginHint: 'login_hint',
    maxAge: 'max_age',
    organization: 'organization',
  },
  refusals: ['account_locked'],
  hints: { invalid_grant: 'Acme says: sign in again.' },
  mapProfile: (json, { raw }): Profile => {
    if (!isJsonObject(json) || typeof json.sub !== 'string') {
      throw new Problem('invalid_profile', 'the profile has no sub');
    }
    return {
      provider: 'acme',
      id: json.sub,
      displayName: typeof json.name === 'string' ? json.name : '',
      _raw: raw,
      _json: json,
    };
  },
};

export const acme = defineProvider(acmeDescription);

export function acmeWith(
  changes: Partial<ProviderDescription<AcmeOptions>>,
): Provider<AcmeOptions> {
  return defineProvider({ ...acmeDescription, ...changes });
}

/** The error of a promise that must reject; its fields are those of this family's errors. */
export async function rejection(work: Promise<unknown>): Promise<OAuth2Error> {
  let value: unknown;
  try {
    value = await work;
  } catch (error) {
    return error as OAuth2Error;
  }
  throw new Error(`should have been refused, but gave ${JSON.stringify(value)}`);
}

/** The error of a function that must throw. */
export function thrown(work: () => unknown): Problem {
  let value: unknown;
  try {
    value = work();
  } catch (error) {
    return error as Problem;
  }
  throw new Error(`should have been refused, but gave ${JSON.stringify(value)}`);
}

const servers = new Map<net.Server, Set<net.Socket>>();

async function listen(server: net.Server): Promise<number> {
  const sockets = new Set<net.Socket>();
  servers.set(server, sockets);
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** A loopback server that speaks HTTP; its origin. */
export async function httpServer(
  handler: http.RequestListener,
  server: http.Server = http.createServer(),
): Promise<string> {
  server.on('request', handler);
  return `http://127.0.0.1:${await listen(server)}`;
}

/** A loopback server that speaks whatever the handler writes; its origin. */
export async function rawServer(handler: (socket: net.Socket) => void): Promise<string> {
  const server = net.createServer((socket) => {
    handler(socket);
    // Read, so that the other side's end is noticed.
    socket.resume();
  });
  return `http://127.0.0.1:${await listen(server)}`;
}

/** A loopback server of any kind; its port. */
export async function portOf(server: net.Server): Promise<number> {
  return await listen(server);
}

/** A port on which nothing listens. */
export async function freePort(): Promise<number> {
  const server = net.createServer();
  const port = await listen(server);
  await closeServers();
  return port;
}

/** Open connections of all servers. */
export function openSockets(): number {
  return [...servers.values()].reduce((sum, sockets) => sum + sockets.size, 0);
}

export async function closeServers(): Promise<void> {
  const closing = [...servers].map(([server, sockets]) => {
    for (const socket of sockets) socket.destroy();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  servers.clear();
  await Promise.all(closing);
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

// nock takes hold of node:http as soon as it is loaded; it lets go until a test asks for it.
nock.restore();

/** Hooks of a suite whose provider is nock'd: nothing else is asked, and no mock is left over. */
export function mockTheNetwork(): void {
  beforeEach(() => {
    if (!nock.isActive()) nock.activate();
    nock.disableNetConnect();
  });
  afterEach(() => {
    nock.cleanAll();
    nock.enableNetConnect();
    nock.restore();
  });
}

/** Hooks of a suite that needs real sockets. */
export function useRealSockets(): void {
  afterEach(closeServers);
}

/** One request as nock hands it over, with its form or JSON body as an object. */
export function formOf(body: unknown): Record<string, string> {
  if (typeof body === 'string') return Object.fromEntries(new URLSearchParams(body));
  return body as Record<string, string>;
}
