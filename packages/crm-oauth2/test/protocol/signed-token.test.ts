import { expect } from 'chai';
import { constants, createPublicKey, generateKeyPairSync, sign as signBytes } from 'node:crypto';
import type { SignKeyObjectInput } from 'node:crypto';
import { Problem } from '../../dist/errors/problem';
import {
  SIGNATURE_ALGORITHMS,
  algorithmOf,
  isSignedBy,
  readSignedToken,
} from '../../dist/protocol/signed-token';
import type { SignatureAlgorithm } from '../../dist/protocol/signed-token';
import { claims, encode, jwk, rsaKeys, sign } from './support';
import type { KeyPair } from './support';

const ALGORITHMS = Object.keys(SIGNATURE_ALGORITHMS) as SignatureAlgorithm[];

/** One pair for each kind of key. */
const PAIRS: Readonly<Record<string, KeyPair>> = {
  RS: rsaKeys(),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ES384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  ES512: generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  Ed: generateKeyPairSync('ed25519'),
};
const pairOf = (algorithm: SignatureAlgorithm) =>
  (PAIRS[algorithm] ?? PAIRS[algorithm.slice(0, 2)] ?? PAIRS.RS) as KeyPair;

/** How a login verifies: `true`, `false`, or the code of a problem, `key` where the key does not fit. */
async function ours(token: string, pair: KeyPair, algorithm: SignatureAlgorithm) {
  const { createLocalJWKSet } = await import('jose');
  try {
    const read = readSignedToken(token);
    const alg = algorithmOf(read, ALGORITHMS);
    const find = createLocalJWKSet({ keys: [jwk(pair, 'key-1', algorithm)] });
    const key = await find(read.header as never).catch(() => undefined);
    return key ? isSignedBy(read, alg, key) : 'key';
  } catch (error) {
    return error instanceof Problem ? error.code : 'unusable';
  }
}

/** The same question to jose. */
async function oracle(token: string, pair: KeyPair, algorithm: SignatureAlgorithm) {
  const { createLocalJWKSet, jwtVerify } = await import('jose');
  const find = createLocalJWKSet({ keys: [jwk(pair, 'key-1', algorithm)] });
  return await jwtVerify(token, find, { algorithms: ALGORITHMS }).then(
    () => true,
    () => false,
  );
}

/** Both accept the token, or both refuse it. @returns whether they accept it */
async function judged(token: string, pair: KeyPair, algorithm: SignatureAlgorithm) {
  const accepts = (await ours(token, pair, algorithm)) === true;
  expect(accepts, token).to.equal(await oracle(token, pair, algorithm));
  return accepts;
}

/** The token with one bit of a part turned. */
function turned(token: string, part: number, bit: number): string {
  const parts = token.split('.').map((text) => Buffer.from(text, 'base64url'));
  const bytes = parts[part] as Buffer;
  const at = (bit >> 3) % bytes.length;
  bytes[at] = (bytes[at] as number) ^ (1 << (bit & 7));
  return parts.map((one) => one.toString('base64url')).join('.');
}

/** The parts of the first token of which the first byte of the signature is as wanted. */
async function partsOf(make: () => Promise<string>, isWanted: (first?: number) => boolean) {
  for (let tries = 0; tries < 10_000; tries += 1) {
    const [header = '', payload = '', signature = ''] = (await make()).split('.');
    const bytes = Buffer.from(signature, 'base64url');
    if (isWanted(bytes[0])) return [header, payload, bytes] as const;
  }
  throw new Error('no signature is as wanted');
}

describe('RFC 7515 §5.2 — a signed token, judged as jose judges it', () => {
  for (const algorithm of ALGORITHMS) {
    const pair = pairOf(algorithm);
    const token = () => sign(pair.privateKey, claims(), { alg: algorithm });

    it(`${algorithm} — accepts its own signature, and none with a bit turned`, async () => {
      const good = await token();
      expect(await judged(good, pair, algorithm)).to.equal(true);
      for (const part of [0, 1, 2]) {
        for (let bit = 0; bit < 640; bit += 37) {
          expect(await judged(turned(good, part, bit), pair, algorithm)).to.equal(false);
        }
      }
    });

    it(`${algorithm} — accepts no signature that is cut off, lengthened, empty or of zeros`, async () => {
      // See RFC 8017 below.
      const [header, payload, bytes] = await partsOf(token, (first) => first !== 0);
      for (const wrong of [
        bytes.subarray(1),
        bytes.subarray(0, -1),
        Buffer.concat([bytes, Buffer.alloc(1)]),
        Buffer.alloc(0),
        Buffer.alloc(bytes.length),
        Buffer.concat([bytes, bytes]),
      ]) {
        const forged = `${header}.${payload}.${wrong.toString('base64url')}`;
        expect(await judged(forged, pair, algorithm)).to.equal(false);
      }
    });

    it(`${algorithm} — accepts no signature of another key, or by another algorithm`, async () => {
      for (const other of ALGORITHMS) {
        const forged = await sign(pairOf(other).privateKey, claims(), { alg: other });
        const [, payload, signature] = forged.split('.');
        const renamed = `${encode({ alg: algorithm, kid: 'key-1' })}.${payload}.${signature}`;
        const isSame = other === algorithm;
        expect(await judged(renamed, pair, algorithm), other).to.equal(isSame);
        // Under its own name, against a key that is published for this algorithm.
        expect(await judged(forged, pair, algorithm), other).to.equal(isSame);
      }
    });
  }

  /** Signed as no library would. */
  function signedBy(pair: KeyPair, alg: string, hash: string, how: Partial<SignKeyObjectInput>) {
    const signed = `${encode({ alg, kid: 'key-1' })}.${encode(claims())}`;
    const signature = signBytes(hash, Buffer.from(signed), { key: pair.privateKey, ...how });
    return `${signed}.${signature.toString('base64url')}`;
  }

  it('RFC 7518 §3.5 — a PSS signature has a salt as long as its hash', async () => {
    const pair = pairOf('PS256');
    const salted = (saltLength: number) =>
      signedBy(pair, 'PS256', 'sha256', { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
    expect(await judged(salted(32), pair, 'PS256')).to.equal(true);
    for (const length of [0, 20, 31, 33, 64, 222]) {
      expect(await judged(salted(length), pair, 'PS256'), String(length)).to.equal(false);
    }
  });

  it('RFC 8017 §8.1.2, §8.2.2 — an RSA signature is as long as the modulus', async () => {
    const pair = pairOf('PS256');
    const how = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
    const make = () => Promise.resolve(signedBy(pair, 'PS256', 'sha256', how));
    const [header, payload, bytes] = await partsOf(make, (first) => first === 0);
    const verdict = (signature: Buffer) =>
      ours(`${header}.${payload}.${signature.toString('base64url')}`, pair, 'PS256');
    expect(await verdict(bytes)).to.equal(true);
    // OpenSSL takes it for the same number, and so does jose.
    expect(await verdict(bytes.subarray(1))).to.equal(false);
  });

  it('RFC 7518 §3.4 — an elliptic signature is not in the form of OpenSSL', async () => {
    const pair = pairOf('ES256');
    const how = (dsaEncoding: 'der' | 'ieee-p1363') =>
      signedBy(pair, 'ES256', 'sha256', { dsaEncoding });
    expect(await judged(how('ieee-p1363'), pair, 'ES256')).to.equal(true);
    expect(await judged(how('der'), pair, 'ES256')).to.equal(false);
  });

  it('RFC 7518 §3.3 — an RSA key of fewer than 2048 bits is not used', async () => {
    const [short, enough] = [rsaKeys(2040), rsaKeys(2048)];
    const token = signedBy(short, 'RS256', 'sha256', {});
    expect(await ours(token, short, 'RS256')).to.equal('unusable');
    expect(await judged(token, short, 'RS256')).to.equal(false);
    const good = signedBy(enough, 'RS256', 'sha256', {});
    expect(await judged(good, enough, 'RS256')).to.equal(true);
    const { subtle } = globalThis.crypto;
    const how = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
    const spki = createPublicKey(short.publicKey.export({ type: 'spki', format: 'pem' }));
    const key = await subtle.importKey('jwk', spki.export({ format: 'jwk' }), how, true, [
      'verify',
    ]);
    expect(() => isSignedBy(readSignedToken(token), 'RS256', key)).to.throw(
      TypeError,
      'an RSA key of 2040 bits is too short',
    );
  });

  const pair = pairOf('RS256');
  const header = encode({ alg: 'RS256', kid: 'key-1' });
  const utf8 = Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]).toString('base64url');
  const bom = Buffer.from('\ufeff{}').toString('base64url');
  const malformed: [string, string, RegExp][] = [
    ['of no part', '', /three parts$/],
    ['of two parts', `${header}.e30`, /three parts$/],
    ['of four parts', `${header}.e30.AA.AA`, /three parts$/],
    ['of five parts, encrypted', `${header}.AA.AA.AA.AA`, /three parts$/],
    ['with an empty header', '.e30.AA', /three parts$/],
    ['without claims', `${header}..AA`, /three parts$/],
    ['with a space', `${header} .e30.AA`, /three parts$/],
    ['with a line break at its end', `${header}.e30.AA\n`, /three parts$/],
    ['in base64 with padding', `${header}.e30=.AA`, /three parts$/],
    ['with the other alphabet of base64', `${header}.e30.+/`, /three parts$/],
    ['with a header that is not JSON', 'eA.e30.AA', /its header is not a JSON object$/],
    ['with a header that is a list', `${encode([])}.e30.AA`, /its header is not a JSON object$/],
    ['with a header of null', `${encode(null)}.e30.AA`, /its header is not a JSON object$/],
    ['with claims that are a text', `${header}.${encode('x')}.AA`, /its payload is not a JSON/],
    ['with claims of other bytes than UTF-8', `${header}.${utf8}.AA`, /its payload is not a JSON/],
    ['with a mark of byte order', `${header}.${bom}.AA`, /its payload is not a JSON object$/],
    ['without an algorithm', `${encode({ kid: 'key-1' })}.e30.AA`, /names no algorithm$/],
    ['with a list of algorithms', `${encode({ alg: ['RS256'] })}.e30.AA`, /names no algorithm$/],
    ['with an empty crit', `${encode({ alg: 'RS256', crit: [] })}.e30.AA`, /"crit" names/],
    ['with a crit of null', `${encode({ alg: 'RS256', crit: null })}.e30.AA`, /"crit" names/],
    [
      'with a crit of several extensions, one of them not a name',
      `${encode({ alg: 'RS256', crit: ['exp', 7, 'b64'] })}.e30.AA`,
      /: exp b64$/,
    ],
    [
      'with an unencoded payload',
      `${encode({ alg: 'RS256', b64: false, crit: ['b64'] })}.e30.AA`,
      /"crit" names an extension that is not known: b64$/,
    ],
  ];
  for (const [title, token, words] of malformed) {
    it(`RFC 7519 §7.2 — refuses a token ${title}: id_token_malformed`, async () => {
      expect(await ours(token, pair, 'RS256')).to.equal('id_token_malformed');
      expect(await judged(token, pair, 'RS256')).to.equal(false);
      const read = () => algorithmOf(readSignedToken(token), ALGORITHMS);
      expect(read).to.throw(Problem, words);
    });
  }

  it('RFC 8725 §3.1 — names the algorithm that came, and those that may come', () => {
    const token = (alg: string) => readSignedToken(`${encode({ alg })}.e30.AA`);
    for (const alg of ['none', 'HS256', 'toString', '__proto__', 'rs256', 'RS256 ']) {
      expect(() => algorithmOf(token(alg), ['RS256', 'ES256'])).to.throw(
        Problem,
        `the ID Token is refused: "alg" is "${alg.trim()}`,
      );
    }
    expect(algorithmOf(token('ES256'), ['RS256', 'ES256'])).to.equal('ES256');
    expect(() => algorithmOf(token('PS256'), ['RS256', 'ES256'])).to.throw(
      '"alg" is "PS256", expected "RS256" or "ES256"',
    );
  });
});
