import { hash, randomBytes } from 'node:crypto';

/** 192 random bits in 32 characters: `state` and `nonce` (RFC 6749 §10.10 asks for 160). */
export function randomToken(): string {
  return randomBytes(24).toString('base64url');
}

/** A code verifier of 256 random bits in 43 characters (RFC 7636 §4.1). */
export function createCodeVerifier(): string {
  return randomBytes(32).toString('base64url');
}

/** `BASE64URL(SHA256(ASCII(code_verifier)))` (RFC 7636 §4.2). */
export function codeChallenge(codeVerifier: string): string {
  return hash('sha256', codeVerifier, 'base64url');
}
