/** The signing keys of an issuer, and the ID Tokens they sign: right ones, and wrong ones for faults. */
import { createHash, createPublicKey, randomBytes } from 'node:crypto';
import * as jose from 'jose';
import type { State } from './state.js';
import type { KeyRotation, TokenFault } from './types.js';
import { merged } from './values.js';

type IdTokenFault = Extract<TokenFault, { kind: 'id-token' }>;

async function createKey(): Promise<jose.JWK> {
  const { privateKey } = await jose.generateKeyPair('RS256', { extractable: true });
  return { ...(await jose.exportJWK(privateKey)), kid: randomBytes(12).toString('base64url') };
}

function publicPart({ kty, n, e, kid }: jose.JWK): jose.JWK {
  return { kty, n, e, kid, use: 'sig', alg: 'RS256' };
}

/** The signing keys of one issuer: the first one signs, all of them are published. */
export class KeyRing {
  private constructor(
    private keys: readonly jose.JWK[],
    private readonly changed: () => void,
  ) {}

  /** Those that were kept, or two new ones, as providers publish the current key and the next. */
  static async create(state: State, name: string): Promise<KeyRing> {
    const kept = state.keep('keys', name, () => ring.keys);
    const ring: KeyRing = new KeyRing(kept ?? [], () => state.changed());
    if (!kept) ring.keys = await Promise.all([createKey(), createKey()]);
    state.changed();
    return ring;
  }

  readonly rotateKeys: KeyRotation['rotateKeys'] = async ({ retireOld = false } = {}) => {
    this.keys = [await createKey(), ...this.keys.slice(retireOld ? 1 : 0)];
    this.changed();
  };

  get jwks(): { keys: jose.JWK[] } {
    return { keys: this.keys.map(publicPart) };
  }

  async sign(claims: jose.JWTPayload, alg?: IdTokenFault['alg']): Promise<string> {
    const key = this.keys[0]!;
    const { kid } = key;
    const sign = (header: Partial<jose.JWTHeaderParameters>, signer: jose.JWK | Uint8Array = key) =>
      new jose.SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT', ...header })
        .sign(signer);

    switch (alg) {
      case 'none':
        return `${encode({ alg: 'none', typ: 'JWT', kid })}.${encode(claims)}.`;
      case 'HS256': {
        const publicKey = createPublicKey({ key: publicPart(key), format: 'jwk' });
        const secret = publicKey.export({ type: 'spki', format: 'pem' });
        return sign({ alg: 'HS256', kid }, Buffer.from(secret));
      }
      case 'unknown-kid':
        return sign({ kid: 'no-such-key' });
      case 'no-kid':
        return sign({});
      case 'bad-signature':
        return withBrokenSignature(await sign({ kid }));
      case 'embedded-jwk': {
        const unpublished = await createKey();
        return sign({ kid: unpublished.kid, jwk: publicPart(unpublished) }, unpublished);
      }
      case undefined:
      default:
        return sign({ kid });
    }
  }

  /** Signs the engine's ID Token again, with `claims` and those of a fault in place of the engine's. */
  async signIdToken(engineToken: string, claims: jose.JWTPayload, fault?: TokenFault) {
    const { alg, claims: wrong = {} } = fault?.kind === 'id-token' ? fault : {};
    return this.sign(merged({ ...jose.decodeJwt(engineToken), ...claims }, wrong), alg);
  }

  /** The claims of a token that one of these keys signed, and that passes these checks. */
  async claimsOf(token: string, checks: jose.JWTVerifyOptions) {
    try {
      const options = { ...checks, algorithms: ['RS256'] };
      return (await jose.jwtVerify(token, jose.createLocalJWKSet(this.jwks), options)).payload;
    } catch {
      return undefined;
    }
  }
}

/** OIDC Core §3.1.3.6: `at_hash` is the left half of the access token's hash. */
export function atHash(accessToken: string): string {
  return createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url');
}

const encode = (part: object) => jose.base64url.encode(JSON.stringify(part));

function withBrokenSignature(token: string): string {
  const dot = token.lastIndexOf('.');
  const signature = jose.base64url.decode(token.slice(dot + 1));
  signature[0]! ^= 0xff;
  return `${token.slice(0, dot)}.${jose.base64url.encode(signature)}`;
}
