/**
 * ID Token validation (OpenID Connect Core §3.1.3.7), in its order. jose does the cryptography.
 */
import { createHash } from 'node:crypto';
import type { JWTPayload, RemoteJWKSet } from 'jose' with { 'resolution-mode': 'import' };
import { Problem, bareCause } from '../errors/oauth2-error';
import type { HttpResponse } from '../wire/http';
import { loadJose } from '../values/jose';
import { parseJson } from '../values/json';
import { isSuccess, statusProblem } from './token-endpoint';

/** The verified claims; `sub` and `iss` are always there. */
export interface IdTokenClaims extends JWTPayload {
  iss: string;
  sub: string;
}

/** What one ID Token must match. */
export interface ExpectedIdToken {
  issuers: readonly string[];
  clientID: string;
  /** The one sent with the authorization request; absent after a refresh. */
  nonce?: string;
  /** For `at_hash` (§3.1.3.6). */
  accessToken: string;
  /** `max_age` of the authorization request, in seconds. */
  maxAge?: number;
  /** Auth0's `organization` of the authorization request: an `org_…` id, or a name. */
  organization?: string;
}

export interface IdTokenVerifier {
  (idToken: string, expected: ExpectedIdToken): Promise<IdTokenClaims>;
  /** Fetches the keys before they are needed, unless they are there. */
  fetchAhead(this: void): Promise<void>;
}

/** Milliseconds before the provider's keys are asked for again, when those that are there will not do. */
const COOLDOWN = 5000;

/** jose's words for what we name ourselves. */
const CODES: Readonly<Record<string, string>> = {
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'id_token_signature',
  ERR_JOSE_ALG_NOT_ALLOWED: 'id_token_algorithm',
  ERR_JWKS_NO_MATCHING_KEY: 'id_token_unknown_key',
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: 'id_token_unknown_key',
  ERR_JWKS_INVALID: 'keys_unavailable',
  ERR_JWKS_TIMEOUT: 'keys_unavailable',
  ERR_JWT_EXPIRED: 'id_token_expired',
  ERR_JWS_INVALID: 'id_token_malformed',
  ERR_JWT_INVALID: 'id_token_malformed',
};
const CLAIM_CODES: Readonly<Record<string, string>> = {
  iss: 'id_token_issuer',
  aud: 'id_token_audience',
  nbf: 'id_token_not_yet_valid',
};

/**
 * @param jwksUri where the provider publishes its keys
 * @param fetchKeys asks for them; every request of the package goes through one place
 * @param clockTolerance seconds our clock and theirs may differ
 */
export function createIdTokenVerifier(
  jwksUri: string,
  fetchKeys: (url: URL, isAhead?: true) => Promise<HttpResponse>,
  clockTolerance: number,
): IdTokenVerifier {
  let keys: RemoteJWKSet | undefined;
  let isAhead: true | undefined;
  let isFetching = false;
  let askedAheadAt = Number.NEGATIVE_INFINITY;

  const load = async () => {
    const jose = await loadJose();
    // Cached for ten minutes; an unknown `kid` fetches again, so that keys rotate without a restart,
    // but seldom, so that forged tokens cannot make us flood the provider.
    keys ??= jose.createRemoteJWKSet(new URL(jwksUri), {
      [jose.customFetch]: async (url) => {
        isFetching = true;
        const response = await fetchKeys(new URL(url), isAhead).finally(() => {
          isFetching = false;
        });
        if (!isSuccess(response)) throw statusProblem(response);
        const json = parseJson(response.body, 'application/json');
        return { status: 200, json: () => Promise.resolve(json) } as Response;
      },
      cooldownDuration: COOLDOWN,
      // The deadline of our own request comes first.
      timeoutDuration: 2 ** 31 - 1,
    });
    return { jose, keys };
  };

  const verify = async (idToken: string, expected: ExpectedIdToken) => {
    const loaded = await load();
    const payload = async () => {
      const verified = await loaded.jose.jwtVerify(idToken, loaded.keys, {
        algorithms: ['RS256'],
        issuer: [...expected.issuers],
        audience: expected.clientID,
        requiredClaims: ['sub', 'exp', 'iat'],
        clockTolerance,
      });
      return verified.payload;
    };
    const hadBegun = isFetching;
    let claims: JWTPayload;
    try {
      claims = await payload().catch((error: unknown) => {
        // Somebody else was fetching them, by an earlier deadline than this login's: asked for anew, once.
        if (hadBegun && error instanceof Problem) return payload();
        throw error;
      });
    } catch (error) {
      throw verificationProblem(error);
    }
    return checkClaims(claims, expected, clockTolerance);
  };

  const fetchAhead = async () => {
    // However many logins start while the provider has no keys for us.
    if (keys?.fresh || performance.now() - askedAheadAt < COOLDOWN) return;
    askedAheadAt = performance.now();
    const { keys: remote } = await load();
    isAhead = true;
    const fetching = remote.reload();
    isAhead = undefined;
    await fetching;
  };
  return Object.assign(verify, { fetchAhead });
}

function verificationProblem(error: unknown): Problem {
  if (error instanceof Problem) {
    const code = error.code === 'timeout' ? error.code : 'keys_unavailable';
    return new Problem(code, `the signing keys are unavailable: ${error.message}`, {
      ...error.details,
      cause: bareCause(error),
    });
  }
  const code: unknown = Reflect.get(Object(error), 'code');
  if (typeof code !== 'string') {
    // Not jose's own words: the platform could not use the key that was published.
    return new Problem('keys_unavailable', 'the signing key is unusable', {
      cause: bareCause(error),
    });
  }
  const claim: unknown = Reflect.get(Object(error), 'claim');
  const own =
    CODES[code] ??
    (code === 'ERR_JWT_CLAIM_VALIDATION_FAILED'
      ? (CLAIM_CODES[String(claim)] ?? 'id_token_claim')
      : 'id_token_malformed');
  const cause = bareCause(error);
  return new Problem(own, `the ID Token is refused: ${cause.message}`, { cause });
}

/** What §3.1.3.7 asks beyond signature, `iss`, `aud` and `exp`. */
function checkClaims(
  claims: JWTPayload,
  expected: ExpectedIdToken,
  clockTolerance: number,
): IdTokenClaims {
  const refuse = (code: string, why: string) =>
    new Problem(code, `the ID Token is refused: ${why}`);
  const { sub, iat = 0, azp, nonce, at_hash: atHash, auth_time: authTime } = claims;
  const now = Math.floor(Date.now() / 1000);

  if (typeof sub !== 'string' || sub === '') throw refuse('id_token_claim', '"sub" is missing');
  // Items 4 and 5: a token for several audiences must say that it was issued to us.
  const manyAudiences = Array.isArray(claims.aud) && claims.aud.length > 1;
  if ((manyAudiences || azp !== undefined) && azp !== expected.clientID) {
    throw refuse('id_token_audience', '"azp" is another client');
  }
  // Item 10: not from the future.
  if (iat > now + clockTolerance) {
    throw refuse('id_token_not_yet_valid', '"iat" lies in the future');
  }
  // Item 11.
  if (expected.nonce !== undefined && nonce !== expected.nonce) {
    throw refuse('id_token_nonce', '"nonce" is not the one of this login');
  }
  // Item 13.
  if (expected.maxAge !== undefined) {
    const latest = now - expected.maxAge - clockTolerance;
    if (typeof authTime !== 'number' || authTime < latest) {
      throw refuse('id_token_auth_time', '"auth_time" is older than max_age allows');
    }
  }
  // §3.1.3.8: optional in the code flow, binding when there.
  if (atHash !== undefined && atHash !== leftHalfHash(expected.accessToken)) {
    throw refuse('id_token_access_token', '"at_hash" is of another access token');
  }
  if (expected.organization !== undefined) {
    const wanted = expected.organization;
    const claim = wanted.startsWith('org_') ? claims.org_id : claims.org_name;
    if (claim !== (wanted.startsWith('org_') ? wanted : wanted.toLowerCase())) {
      throw refuse('id_token_organization', 'it is of another organization');
    }
  }
  // Its "iss" is one of the issuers: jose has compared it.
  return Object.freeze({ ...claims, sub } as IdTokenClaims);
}

/**
 * OpenID Connect Core §3.1.3.6: the left half of the hash the signing algorithm uses.
 *
 * @param accessToken ASCII, as every one is that the token endpoint's answer is believed for
 */
function leftHalfHash(accessToken: string): string {
  const hash = createHash('sha256').update(accessToken).digest();
  return hash.subarray(0, hash.length / 2).toString('base64url');
}
