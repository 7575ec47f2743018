/** ID Token validation (OpenID Connect Core §3.1.3.7), every check in its order. */
import { hash } from 'node:crypto';
import type { ErrorCode } from '../errors/codes';
import { Problem, isProblem } from '../errors/problem';
import { bareCause, quote } from '../errors/redaction';
import { isTooDeep } from '../values/json';
import type { LoginAttempt } from './login-attempt';
import { SIGNATURE_ALGORITHMS, algorithmOf, isSignedBy, readSignedToken } from './signed-token';
import type { SignatureAlgorithm, SignedToken } from './signed-token';
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

/** The signature algorithms a description may name. */
export const ID_TOKEN_ALGORITHMS = Object.keys(
  SIGNATURE_ALGORITHMS,
) as readonly SignatureAlgorithm[];

export type IdTokenAlgorithm = SignatureAlgorithm;

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

/** Our codes, by those of jose, which finds the key. */
const KEY_CODES: Readonly<Record<string, ErrorCode>> = {
  ERR_JWKS_NO_MATCHING_KEY: 'id_token_unknown_key',
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: 'id_token_unknown_key',
};

/**
 * @param settings.algorithms those that the provider signs with
 * @param settings.clockToleranceSeconds how much our clock and theirs may differ
 */
export function createIdTokenVerifier(settings: {
  algorithms: readonly IdTokenAlgorithm[];
  clockToleranceSeconds: number;
}) {
  return async (idToken: string, expected: ExpectedIdToken): Promise<IdTokenClaims> => {
    const token = readSignedToken(idToken);
    const algorithm = algorithmOf(token, settings.algorithms);
    await verifySignature(token, algorithm, expected);
    const { typ = 'JWT' } = token.header;
    // RFC 8725 §3.11: an access token (`at+jwt`) or a logout token can be signed with the same key.
    if (typeof typ !== 'string' || !/^(?:application\/)?jwt$/i.test(typ)) {
      throw new Problem('id_token_malformed', 'the token is of another kind than an ID Token');
    }
    const { payload } = token;
    if (isTooDeep(payload)) throw new Problem('id_token_malformed', 'the ID Token nests too deep');
    return checkClaims(payload, expected, algorithm, settings.clockToleranceSeconds);
  };
}

/** RFC 7515 §5.2. @throws {Problem} */
async function verifySignature(
  token: SignedToken,
  algorithm: IdTokenAlgorithm,
  expected: ExpectedIdToken,
): Promise<void> {
  const unproven: JwtClaims = token.payload;
  // Its keys must prove that the token is of this issuer.
  const issuer = expected.issuers.find((known) => known === unproven.iss);
  let isSigned: boolean;
  try {
    const key = await expected.keysOf(issuer).find(token.header);
    isSigned = isSignedBy(token, algorithm, key);
  } catch (error) {
    throw keyProblem(error, unproven, expected);
  }
  if (isSigned) return;
  const words = 'the ID Token is refused: its signature is wrong';
  throw new Problem('id_token_signature', `${words}${notProven(unproven, expected)}`);
}

function keyProblem(error: unknown, unproven: JwtClaims, expected: ExpectedIdToken): Problem {
  const cause = bareCause(error);
  if (isProblem(error)) {
    const code = error.code === 'timeout' ? error.code : 'keys_unavailable';
    const message = `the signing keys are unavailable: ${error.message}`;
    return new Problem(code, message, { ...error.details, cause });
  }
  const code = KEY_CODES[String(Reflect.get(cause, 'code'))];
  // Otherwise the platform cannot use the key that was published, or must not.
  if (code === undefined) {
    return new Problem('keys_unavailable', 'the signing key is unusable', { cause });
  }
  const words = `no published key is the one that it names${notProven(unproven, expected)}`;
  return new Problem(code, `the ID Token is refused: ${words}`, { cause });
}

/** `iss` and `aud`, where they are not the expected ones (items 2 and 3). */
function mismatches({ iss, aud }: JwtClaims, expected: ExpectedIdToken): Mismatches {
  const { issuers, clientID } = expected;
  return {
    iss: issuers.some((known) => known === iss)
      ? undefined
      : `"iss" is ${came(iss, expected)}, expected "${[...new Set(issuers)].join('" or "')}"`,
    aud: [aud].flat().includes(clientID)
      ? undefined
      : `"aud" is ${came(aud, expected)}, expected "${clientID}"`,
  };
}

interface Mismatches {
  iss: string | undefined;
  aud: string | undefined;
}

/** They may explain why no key or signature fits. */
function notProven(claims: JwtClaims, expected: ExpectedIdToken): string {
  const { iss, aud } = mismatches(claims, expected);
  const words = [claims.iss && iss, claims.aud && aud].filter(Boolean);
  return words.length === 0 ? '' : ` (unproven: ${words.join('; ')})`;
}

/** The texts of a claim, which its token may not prove. */
function came(claim: unknown, { accessToken }: ExpectedIdToken): string {
  if (claim === undefined) return 'missing';
  const texts = [claim].flat().filter((one) => typeof one === 'string');
  return `"${quote(texts.join(' '), [accessToken], MAX_UNPROVEN_LENGTH)}"`;
}

/** The checks of §3.1.3.7 beyond the signature. */
function checkClaims(
  claims: JwtClaims,
  expected: ExpectedIdToken,
  algorithm: IdTokenAlgorithm,
  clockToleranceSeconds: number,
): IdTokenClaims {
  const refuse = (code: ErrorCode, why: string) =>
    new Problem(code, `the ID Token is refused: ${why}`);
  const { sub, exp, iat, nbf, azp, nonce, at_hash: atHash, auth_time: authTime } = claims;
  const { login } = expected;
  const now = Math.floor(Date.now() / 1000);
  const { iss, aud } = mismatches(claims, expected);

  // Items 2 and 3.
  if (iss !== undefined) throw refuse('id_token_issuer', iss);
  if (aud !== undefined) throw refuse('id_token_audience', aud);
  if (typeof sub !== 'string' || sub === '') throw refuse('id_token_claim', '"sub" is missing');
  // Items 4 and 5: a token for several audiences must say that it was issued to us.
  const manyAudiences = Array.isArray(claims.aud) && claims.aud.length > 1;
  if ((manyAudiences || azp !== undefined) && azp !== expected.clientID) {
    throw refuse(
      'id_token_audience',
      `"azp" is ${came(azp, expected)}, expected "${expected.clientID}"`,
    );
  }
  // Item 9.
  if (typeof exp !== 'number') throw refuse('id_token_claim', '"exp" is missing');
  if (exp <= now - clockToleranceSeconds) throw refuse('id_token_expired', '"exp" has passed');
  // RFC 7519 §4.1.5.
  if (nbf !== undefined && (typeof nbf !== 'number' || nbf > now + clockToleranceSeconds)) {
    throw refuse('id_token_not_yet_valid', '"nbf" lies in the future');
  }
  // Item 10: not from the future.
  if (typeof iat !== 'number') throw refuse('id_token_claim', '"iat" is missing');
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
  return Object.freeze({ ...claims, sub } as IdTokenClaims);
}

/**
 * §3.1.3.6: the left half of the hash that the signing algorithm uses.
 *
 * @param accessToken ASCII, as every one that the token response is believed for
 */
function leftHalfHash(accessToken: string, algorithm: IdTokenAlgorithm): string {
  const { hash: name } = SIGNATURE_ALGORITHMS[algorithm];
  const whole = hash(name ?? 'sha512', accessToken, 'buffer');
  return whole.toString('base64url', 0, whole.length / 2);
}
