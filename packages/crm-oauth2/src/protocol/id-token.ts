/** ID Token validation (OpenID Connect Core §3.1.3.7), in its order; jose does the cryptography. */
import { createHash } from 'node:crypto';
import type { ErrorCode } from '../errors/codes';
import { Problem, isProblem } from '../errors/problem';
import { bareCause, quote } from '../errors/redaction';
import { loadJose } from '../values/jose';
import { isTooDeep } from '../values/json';
import type { LoginAttempt } from './login-attempt';
import type { SigningKeys } from './signing-keys';

/** The claims of a JWT (RFC 7519 §4.1). */
interface JwtClaims {
  iss?: string;
  sub?: string;
  aud?: string | string[];
  /** Epoch seconds, as `nbf` and `iat`. */
  exp?: number;
  nbf?: number;
  iat?: number;
  jti?: string;
  [claim: string]: unknown;
}

/** The verified claims; `sub` and `iss` are always there. */
export interface IdTokenClaims extends JwtClaims {
  iss: string;
  sub: string;
}

/** The signature algorithms a description may name: asymmetric ones (RFC 7518 §3.1, RFC 9864). */
export const ID_TOKEN_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

export type IdTokenAlgorithm = (typeof ID_TOKEN_ALGORITHMS)[number];

/** The values that one ID Token must match. */
export interface ExpectedIdToken {
  issuers: readonly string[];
  /** The keys of one of the issuers; without an issuer, those of the endpoints. */
  keysOf: (issuer?: string) => Pick<SigningKeys, 'find'>;
  clientID: string;
  /** For `at_hash` (§3.1.3.6). */
  accessToken: string;
  /**
   * The login that asked for the token; absent after a refresh. Without a `nonce`, the token must not
   * name one either.
   */
  login?: Pick<LoginAttempt, 'nonce' | 'maxAge'>;
}

export type IdTokenVerifier = ReturnType<typeof createIdTokenVerifier>;

/** Characters of a claim that a message quotes. */
const MAX_UNPROVEN_LENGTH = 100;

/** Our codes, by the claim that jose refuses, or else by the code of its error. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'id_token_signature',
  ERR_JOSE_ALG_NOT_ALLOWED: 'id_token_algorithm',
  ERR_JWKS_NO_MATCHING_KEY: 'id_token_unknown_key',
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: 'id_token_unknown_key',
  ERR_JWKS_INVALID: 'keys_unavailable',
  ERR_JWT_EXPIRED: 'id_token_expired',
  ERR_JWS_INVALID: 'id_token_malformed',
  ERR_JWT_INVALID: 'id_token_malformed',
  ERR_JWT_CLAIM_VALIDATION_FAILED: 'id_token_claim',
  iss: 'id_token_issuer',
  aud: 'id_token_audience',
  nbf: 'id_token_not_yet_valid',
};

/**
 * @param settings.algorithms those that the provider signs with
 * @param settings.clockToleranceSeconds how much our clock and theirs may differ
 */
export function createIdTokenVerifier(settings: {
  algorithms: readonly IdTokenAlgorithm[];
  clockToleranceSeconds: number;
}) {
  const { clockToleranceSeconds: clockTolerance } = settings;
  return async (idToken: string, expected: ExpectedIdToken): Promise<IdTokenClaims> => {
    const { decodeJwt, jwtVerify } = await loadJose();
    const unproven = unprovenClaims(() => decodeJwt(idToken));
    // Its keys must prove that the token is of this issuer.
    const issuer = expected.issuers.find((known) => known === unproven.iss);
    const { find } = expected.keysOf(issuer);
    const { payload, protectedHeader } = await jwtVerify(idToken, find, {
      algorithms: [...settings.algorithms],
      issuer: issuer ?? [...expected.issuers],
      audience: expected.clientID,
      requiredClaims: ['sub', 'exp', 'iat'],
      clockTolerance,
    }).catch((error: unknown) => {
      throw verificationProblem(error, unproven, expected);
    });
    const { alg, typ = 'JWT' } = protectedHeader;
    // RFC 8725 §3.11: an access token (`at+jwt`) or a logout token can be signed with the same key.
    if (!/^(?:application\/)?jwt$/i.test(typ)) {
      throw new Problem('id_token_malformed', 'the token is of another kind than an ID Token');
    }
    if (isTooDeep(payload)) throw new Problem('id_token_malformed', 'the ID Token nests too deep');
    return checkClaims(payload, expected, alg, clockTolerance);
  };
}

function unprovenClaims(decode: () => JwtClaims): JwtClaims {
  try {
    return decode();
  } catch {
    // The verification tells what is wrong.
    return {};
  }
}

/** Names an issuer and an audience that are not the expected ones, also where a key or signature failed. */
function named({ iss, aud }: JwtClaims, expected: ExpectedIdToken): string {
  const { issuers, clientID } = expected;
  const claims = [
    ...(iss !== undefined && !issuers.includes(iss)
      ? [`"iss" is ${came(iss, expected)}, expected "${[...new Set(issuers)].join('" or "')}"`]
      : []),
    ...(aud !== undefined && ![aud].flat().includes(clientID)
      ? [`"aud" is ${came(aud, expected)}, expected "${clientID}"`]
      : []),
  ];
  return claims.length === 0 ? '' : ` (unproven: ${claims.join('; ')})`;
}

/** The texts of a claim, which its token may not prove. */
function came(claim: unknown, { accessToken }: ExpectedIdToken): string {
  const texts = [claim].flat().filter((one) => typeof one === 'string');
  return `"${quote(texts.join(' '), [accessToken], MAX_UNPROVEN_LENGTH)}"`;
}

function verificationProblem(
  error: unknown,
  unproven: JwtClaims,
  expected: ExpectedIdToken,
): Problem {
  const cause = bareCause(error);
  if (isProblem(error)) {
    const code = error.code === 'timeout' ? error.code : 'keys_unavailable';
    const message = `the signing keys are unavailable: ${error.message}`;
    return new Problem(code, message, { ...error.details, cause });
  }
  const code: unknown = Reflect.get(cause, 'code');
  if (typeof code !== 'string') {
    // Not jose's own words: the platform could not use the key that was published.
    return new Problem('keys_unavailable', 'the signing key is unusable', { cause });
  }
  const claim = String(Reflect.get(cause, 'claim'));
  const own = CODES[claim] ?? CODES[code] ?? 'id_token_malformed';
  const words = `${cause.message}${named(unproven, expected)}`;
  return new Problem(own, `the ID Token is refused: ${words}`, { cause });
}

/** The checks of §3.1.3.7 beyond signature, `iss`, `aud` and `exp`. */
function checkClaims(
  claims: JwtClaims,
  expected: ExpectedIdToken,
  algorithm: string,
  clockToleranceSeconds: number,
): IdTokenClaims {
  const refuse = (code: ErrorCode, why: string) =>
    new Problem(code, `the ID Token is refused: ${why}`);
  const { sub, iat = 0, azp, nonce, at_hash: atHash, auth_time: authTime } = claims;
  const { login } = expected;
  const now = Math.floor(Date.now() / 1000);

  if (typeof sub !== 'string' || sub === '') throw refuse('id_token_claim', '"sub" is missing');
  // Items 4 and 5: a token for several audiences must say that it was issued to us.
  const manyAudiences = Array.isArray(claims.aud) && claims.aud.length > 1;
  if ((manyAudiences || azp !== undefined) && azp !== expected.clientID) {
    throw refuse(
      'id_token_audience',
      `"azp" is ${came(azp, expected)}, expected "${expected.clientID}"`,
    );
  }
  // Item 10: not from the future.
  if (iat > now + clockToleranceSeconds) {
    throw refuse('id_token_not_yet_valid', '"iat" lies in the future');
  }
  // Item 11, in both directions: a nonce that was not sent belongs to another login.
  if (login && nonce !== login.nonce) {
    throw refuse('id_token_nonce', '"nonce" is not the one of this login');
  }
  // Item 13.
  if (login?.maxAge !== undefined) {
    const latest = now - login.maxAge - clockToleranceSeconds;
    if (typeof authTime !== 'number' || authTime < latest) {
      throw refuse('id_token_auth_time', '"auth_time" is older than max_age allows');
    }
  }
  // §3.1.3.8: optional in the code flow, binding when there.
  if (atHash !== undefined && atHash !== leftHalfHash(expected.accessToken, algorithm)) {
    throw refuse('id_token_access_token', '"at_hash" is of another access token');
  }
  // jose has compared "iss" with the issuers.
  return Object.freeze({ ...claims, sub } as IdTokenClaims);
}

/**
 * §3.1.3.6: the left half of the hash that the signing algorithm uses. Ed25519 hashes with SHA-512
 * (RFC 8032 §5.1).
 *
 * @param accessToken ASCII, as every one that the token response is believed for
 */
function leftHalfHash(accessToken: string, algorithm: string): string {
  const bits = /^\w\w(\d{3})$/.exec(algorithm)?.[1] ?? '512';
  const hash = createHash(`sha${bits}`).update(accessToken).digest();
  return hash.subarray(0, hash.length / 2).toString('base64url');
}
