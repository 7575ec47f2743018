/** ID Tokens for the tests of this folder: keys, signed tokens, and the problem with a token. */
import { generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { expect } from 'chai';
import type { JWTPayload } from 'jose';
import nock = require('nock');
import { Problem } from '../../dist/errors/problem';
import { createIdTokenVerifier } from '../../dist/protocol/id-token';
import type { ExpectedIdToken } from '../../dist/protocol/id-token';
import { KeySets } from '../../dist/protocol/signing-keys';
import type { FetchKeys } from '../../dist/protocol/signing-keys';
import { Deadline } from '../../dist/wire/deadline';
import { HttpClient } from '../../dist/wire/http';
import { rejection } from '../support';

export const ISSUER = 'https://acme.test/';
export const CLIENT = 'client-1';
const KEYS = 'https://acme.test/keys';
export const ACCESS_TOKEN = 'jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y';
export const NONCE = 'nonce-1';
export const EXPECTED: Expected = {
  issuers: [ISSUER],
  clientID: CLIENT,
  accessToken: ACCESS_TOKEN,
  login: { nonce: NONCE },
};

export interface KeyPair {
  publicKey: KeyObject;
  privateKey: KeyObject;
}

export function rsaKeys(modulusLength = 2048): KeyPair {
  return generateKeyPairSync('rsa', { modulusLength });
}

/** A key as a provider publishes it. */
export function jwk({ publicKey }: KeyPair, kid?: string, alg = 'RS256'): Record<string, unknown> {
  return { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg };
}

/** Answers the key set once for each list. */
export function publishKeys(...lists: unknown[][]): void {
  for (const keys of lists) nock('https://acme.test').get('/keys').reply(200, { keys });
}

/** The request for keys, and where: nothing for those of {@link publishKeys}. */
export type FetchKeysOf = (request: {
  isBackground?: true;
  jwksUri: string | undefined;
}) => ReturnType<FetchKeys>;

/** With the address of an issuer's keys, in place of the keys. */
export type Expected = Omit<ExpectedIdToken, 'keysOf'> & {
  keysOf?: (issuer: string) => string | undefined;
};

/** A verifier as a client has it, which asks for the keys where {@link publishKeys} answers. */
export function verifier({
  fetchKeys = askForKeys,
  ...settings
}: Partial<Parameters<typeof createIdTokenVerifier>[0]> & { fetchKeys?: FetchKeysOf } = {}) {
  const sets = new KeySets();
  const at = (jwksUri?: string) =>
    sets.at(jwksUri ?? KEYS, (request) => fetchKeys({ ...request, jwksUri }));
  const verify = createIdTokenVerifier({
    algorithms: ['RS256'],
    clockToleranceSeconds: 60,
    ...settings,
  });
  const verifyAt = async (idToken: string, { keysOf, ...expected }: Expected) =>
    await verify(idToken, { ...expected, keysOf: (issuer) => at(issuer && keysOf?.(issuer)) });
  return Object.assign(verifyAt, { fetchAhead: async () => await at().fetchAhead() });
}

const http = new HttpClient();
const askForKeys: FetchKeysOf = () =>
  http.send({ method: 'GET', url: new URL(KEYS), headers: {} }, new Deadline(1000));

/** Epoch seconds. */
export const now = () => Math.floor(Date.now() / 1000);

function defined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The claims of a good token, with changes; `undefined` leaves a claim out. */
export function claims(changes: Record<string, unknown> = {}): JWTPayload {
  return defined({
    iss: ISSUER,
    sub: 'auth0|zoe',
    aud: CLIENT,
    iat: now(),
    exp: now() + 300,
    nonce: NONCE,
    ...changes,
  });
}

/** Signs whatever it is given, also what no provider would. */
export async function sign(
  key: KeyObject,
  payload: JWTPayload = claims(),
  header: Record<string, unknown> = {},
): Promise<string> {
  const { CompactSign } = await import('jose');
  return await new CompactSign(Buffer.from(JSON.stringify(payload)))
    .setProtectedHeader(defined({ alg: 'RS256', kid: 'key-1', ...header }) as { alg: string })
    .sign(key);
}

/** One part of a token that no library would make. */
export function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** The problem with a token, whose secrets it must not show. */
export async function problemWith(
  token: string,
  expected: Partial<Expected> = {},
  verify = verifier(),
): Promise<Problem> {
  const problem: unknown = await rejection(verify(token, { ...EXPECTED, ...expected }));
  expect(problem).to.be.instanceOf(Problem);
  const { stack, message, details } = problem as Problem;
  for (const secret of [ACCESS_TOKEN, NONCE, token || ACCESS_TOKEN]) {
    expect(`${stack} ${message} ${JSON.stringify(details)}`).not.to.include(secret);
  }
  return problem as Problem;
}
