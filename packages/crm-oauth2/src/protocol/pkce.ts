/** The random values of a login, and the code challenge (RFC 7636). */
import { hash, randomBytes } from 'node:crypto';

/**
 * Random texts for one login, drawn at once, since the draw costs more than the bytes: `state` and
 * `nonce` of 192 bits in 32 characters (RFC 6749 §10.10 asks for 160), and a code verifier of 256 bits
 * in 43 (RFC 7636 §4.1).
 */
export function randomTexts(): { state: string; nonce: string; codeVerifier: string } {
  const random = randomBytes(80);
  return {
    state: random.toString('base64url', 0, 24),
    nonce: random.toString('base64url', 24, 48),
    codeVerifier: random.toString('base64url', 48),
  };
}

/** `BASE64URL(SHA256(ASCII(code_verifier)))` (RFC 7636 §4.2). */
export function codeChallenge(codeVerifier: string): string {
  return hash('sha256', codeVerifier, 'base64url');
}
