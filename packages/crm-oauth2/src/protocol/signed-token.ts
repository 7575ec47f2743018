/** A signed token in its compact form (RFC 7515 §7.1): how it is read, and how its signature is verified. */
import { KeyObject, constants, verify } from 'node:crypto';
import type { VerifyKeyObjectInput, webcrypto } from 'node:crypto';
import { Problem } from '../errors/problem';
import { quote } from '../errors/redaction';
import { isJsonObject, ownFields } from '../values/json';
import type { JsonObject } from '../values/json';

const PSS = {
  padding: constants.RSA_PKCS1_PSS_PADDING,
  saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
};
/** RFC 7518 §3.4: both numbers of the signature side by side, not as OpenSSL writes them. */
const ECDSA = { dsaEncoding: 'ieee-p1363' } as const;

/** The asymmetric algorithms, by name (RFC 7518 §3.1, RFC 9864): hash, and how Node is told of the rest. */
export const SIGNATURE_ALGORITHMS = {
  RS256: { hash: 'sha256' },
  RS384: { hash: 'sha384' },
  RS512: { hash: 'sha512' },
  PS256: { hash: 'sha256', ...PSS },
  PS384: { hash: 'sha384', ...PSS },
  PS512: { hash: 'sha512', ...PSS },
  ES256: { hash: 'sha256', ...ECDSA },
  ES384: { hash: 'sha384', ...ECDSA },
  ES512: { hash: 'sha512', ...ECDSA },
  // Ed25519 hashes by itself, with SHA-512 (RFC 8032 §5.1).
  EdDSA: { hash: null },
  Ed25519: { hash: null },
} as const satisfies Record<string, Omit<VerifyKeyObjectInput, 'key'> & { hash: string | null }>;

export type SignatureAlgorithm = keyof typeof SIGNATURE_ALGORITHMS;

/** RFC 7518 §3.3: shorter RSA keys must not be used. */
const MIN_RSA_BITS = 2048;

/** A token whose parts are well-formed. Until it is verified, a stranger may have written them. */
export interface SignedToken {
  readonly header: Readonly<JsonObject>;
  readonly payload: Readonly<JsonObject>;
  /** The bytes that are signed. */
  readonly signed: Buffer;
  readonly signature: Buffer;
}

const PARTS = /^([\w-]+)\.([\w-]+)\.([\w-]*)$/;

/**
 * Reads a token, and believes nothing of it.
 *
 * @throws {Problem} `id_token_malformed`
 */
export function readSignedToken(token: string): SignedToken {
  const parts = PARTS.exec(token);
  if (parts === null) throw malformed('it is not a signed token of three parts');
  const [, header = '', payload = '', signature = ''] = parts;
  return {
    header: objectIn(header, 'header'),
    payload: objectIn(payload, 'payload'),
    signed: Buffer.from(`${header}.${payload}`),
    signature: Buffer.from(signature, 'base64url'),
  };
}

function malformed(why: string): Problem {
  return new Problem('id_token_malformed', `the ID Token is refused: ${why}`);
}

/** RFC 7519 §7.2: the parts are UTF-8. Other bytes are refused, and not replaced. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function objectIn(part: string, name: string): JsonObject {
  try {
    const value: unknown = JSON.parse(UTF8.decode(Buffer.from(part, 'base64url')));
    if (isJsonObject(value)) return ownFields(value);
  } catch {
    // The parser's own message quotes the text.
  }
  throw malformed(`its ${name} is not a JSON object`);
}

/**
 * The algorithm that a token names, when it may be used.
 *
 * @param allowed those that the provider signs with: RFC 8725 §3.1
 * @throws {Problem} `id_token_malformed`, `id_token_algorithm`
 */
export function algorithmOf(
  { header }: SignedToken,
  allowed: readonly SignatureAlgorithm[],
): SignatureAlgorithm {
  const { alg, crit } = header;
  // RFC 7515 §4.1.11: what is critical must be understood, and nothing is.
  if (crit !== undefined) {
    const names = [crit].flat().filter((name) => typeof name === 'string');
    throw malformed(`"crit" names an extension that is not known: ${quote(names.join(' '))}`);
  }
  if (typeof alg !== 'string') throw malformed('its header names no algorithm');
  const algorithm = allowed.find((name) => name === alg);
  if (algorithm !== undefined) return algorithm;
  const words = `"alg" is "${quote(alg)}", expected "${allowed.join('" or "')}"`;
  throw new Problem('id_token_algorithm', `the ID Token is refused: ${words}`);
}

/**
 * Verifies the signature (RFC 7515 §5.2). By `node:crypto`, since WebCrypto verifies on another thread, and
 * the way there costs several times as much as the work.
 *
 * @param key made for this algorithm
 * @throws {TypeError} for a key that must not be used, or cannot
 */
export function isSignedBy(
  { signed, signature }: SignedToken,
  algorithm: SignatureAlgorithm,
  key: webcrypto.CryptoKey,
): boolean {
  const keyObject = KeyObject.from(key);
  const { modulusLength } = keyObject.asymmetricKeyDetails ?? {};
  if (modulusLength !== undefined) {
    if (modulusLength < MIN_RSA_BITS) {
      throw new TypeError(`an RSA key of ${modulusLength} bits is too short`);
    }
    // RFC 8017 §8.1.2 and §8.2.2. OpenSSL also accepts a PSS signature without the zero bytes at its front.
    if (signature.length !== Math.ceil(modulusLength / 8)) return false;
  }
  const { hash, ...how } = SIGNATURE_ALGORITHMS[algorithm];
  return verify(hash, signed, ownFields({ key: keyObject, ...how }), signature);
}
