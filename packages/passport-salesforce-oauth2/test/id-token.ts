import { createHash, createHmac, generateKeyPairSync, sign } from 'node:crypto';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const KID = 'key-1';

/** What the provider publishes. */
export const JWKS = {
  keys: [{ ...publicKey.export({ format: 'jwk' }), kid: KID, use: 'sig', alg: 'RS256' }],
};

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A JWT, signed as its header says; `alg: 'none'` leaves the signature empty. */
export function signJwt(claims: object, header: { alg?: string; kid?: string } = {}): string {
  const { alg = 'RS256', ...rest } = header;
  const input = `${encode({ alg, typ: 'JWT', kid: KID, ...rest })}.${encode(claims)}`;
  const signature = {
    RS256: () => sign('sha256', Buffer.from(input), privateKey).toString('base64url'),
    HS256: () =>
      createHmac('sha256', publicKey.export({ type: 'spki', format: 'pem' }))
        .update(input)
        .digest('base64url'),
    none: () => '',
  }[alg];
  if (!signature) throw new TypeError(`alg: ${alg}`);
  return `${input}.${signature()}`;
}

/** OpenID Connect Core §3.1.3.6. */
export function atHash(accessToken: string): string {
  return createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url');
}
