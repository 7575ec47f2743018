/** The signing keys of an issuer, and the ID Tokens they sign: right ones, and wrong ones for faults. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type JsonWebKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { promisify } from 'node:util';
import { type JWK, jwtVerify, type JWTPayload, type JWTVerifyOptions, SignJWT } from 'jose';
import type { State } from './state.js';
import type { TokenFault } from './types.js';
import { merged } from './values.js';

const generate = promisify(generateKeyPair);

type IdTokenFault = Extract<TokenFault, { kind: 'id-token' }>;

interface SigningKey {
  kid: string;
  privateKey: KeyObject;
  publicKey: KeyObject;
  jwk: JWK;
}

async function createKey(): Promise<SigningKey> {
  const { privateKey } = await generate('rsa', { modulusLength: 2048 });
  return toSigningKey(privateKey, randomBytes(12).toString('base64url'));
}

function toSigningKey(privateKey: KeyObject, kid: string): SigningKey {
  const publicKey = createPublicKey(privateKey);
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' } as JWK;
  return { kid, privateKey, publicKey, jwk };
}

/** The signing keys of one issuer: the first one signs, all of them are published. */
export class KeyRing {
  #keys: SigningKey[] = [];

  private constructor(private readonly changed: () => void) {}

  /** Those that were kept, or two new ones, as providers publish the current key and the next. */
  static async create(state: State, name: string): Promise<KeyRing> {
    const ring = new KeyRing(() => state.changed());
    const kept = state.keep('keys', name, () => ring.#exported());
    ring.#keys = kept
      ? kept.map(({ kid = '', ...jwk }) =>
          toSigningKey(createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' }), kid),
        )
      : await Promise.all([createKey(), createKey()]);
    state.changed();
    return ring;
  }

  #exported(): JWK[] {
    return this.#keys.map(({ privateKey, kid }) => ({
      ...privateKey.export({ format: 'jwk' }),
      kid,
    }));
  }

  async rotate(retireOld = false): Promise<void> {
    const [old, ...others] = this.#keys;
    this.#keys = [await createKey(), ...(retireOld || !old ? [] : [old]), ...others];
    this.changed();
  }

  get jwks(): { keys: JWK[] } {
    return { keys: this.#keys.map(({ jwk }) => jwk) };
  }

  async sign(claims: JWTPayload, fault?: IdTokenFault): Promise<string> {
    const key = this.#keys[0]!;
    const { kid } = key;
    const rs256 = (header: Record<string, unknown>, signingKey = key.privateKey) =>
      new SignJWT(claims)
        .setProtectedHeader({ ...header, alg: 'RS256', typ: 'JWT' })
        .sign(signingKey);

    switch (fault?.alg) {
      case 'none':
        return `${encode({ alg: 'none', typ: 'JWT', kid })}.${encode(claims)}.`;
      case 'HS256':
        return new SignJWT(claims)
          .setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid })
          .sign(Buffer.from(key.publicKey.export({ type: 'spki', format: 'pem' })));
      case 'unknown-kid':
        return rs256({ kid: 'no-such-key' });
      case 'no-kid':
        return rs256({});
      case 'bad-signature':
        return withBrokenSignature(await rs256({ kid }));
      case 'embedded-jwk': {
        const unpublished = await createKey();
        return rs256({ kid: unpublished.kid, jwk: unpublished.jwk }, unpublished.privateKey);
      }
      case undefined:
      default:
        return rs256({ kid });
    }
  }

  /** Signs the engine's ID Token again, with `claims` and those of a fault in place of the engine's. */
  async signIdToken(engineToken: string, claims: JWTPayload, fault?: TokenFault): Promise<string> {
    const idTokenFault = fault?.kind === 'id-token' ? fault : undefined;
    const right = { ...decodeClaims(engineToken), ...claims };
    return this.sign(merged(right, idTokenFault?.claims ?? {}), idTokenFault);
  }

  /** Reads an ID Token that one of these keys signed, also when it has expired. */
  async read(token: string, issuer: string): Promise<JWTPayload | undefined> {
    return this.#verify(token, { issuer, currentDate: new Date(0) }).catch(() => undefined);
  }

  /** Verifies a token that one of these keys signed. */
  async verify(token: string, issuer: string, audience: string): Promise<JWTPayload> {
    return this.#verify(token, { issuer, audience });
  }

  async #verify(token: string, options: JWTVerifyOptions): Promise<JWTPayload> {
    const { payload } = await jwtVerify(
      token,
      ({ kid }) => {
        const key = this.#keys.find((candidate) => candidate.kid === kid);
        if (!key) throw new Error('unknown signing key');
        return key.publicKey;
      },
      { ...options, algorithms: ['RS256'] },
    );
    return payload;
  }
}

/** OIDC Core §3.1.3.6: `at_hash` is the left half of the access token's hash. */
export function atHash(accessToken: string): string {
  return createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url');
}

/** Reads claims without a check of the signature: the token comes from the engine. */
function decodeClaims(token: string): JWTPayload {
  const [, payload = ''] = token.split('.');
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as JWTPayload;
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function withBrokenSignature(token: string): string {
  const dot = token.lastIndexOf('.');
  const signature = Buffer.from(token.slice(dot + 1), 'base64url');
  signature.writeUInt8(signature.readUInt8(0) ^ 0xff, 0);
  return `${token.slice(0, dot)}.${signature.toString('base64url')}`;
}
