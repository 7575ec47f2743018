import { expect } from 'chai';
import { constants, createHash, generateKeyPairSync } from 'node:crypto';
import type { JWTPayload } from 'jose';
import nock = require('nock');
import { ID_TOKEN_ALGORITHMS } from '../../dist/protocol/id-token';
import type { IdTokenAlgorithm } from '../../dist/protocol/id-token';
import { mockTheNetwork } from '../support';
import {
  ACCESS_TOKEN,
  CLIENT,
  EXPECTED,
  ISSUER,
  NONCE,
  claims,
  encode,
  jwk,
  now,
  problemWith,
  publishKeys,
  rsaKeys,
  sign as signWith,
  verifier,
} from './support';
import type { Expected, KeyPair } from './support';

/** Changes of a good token's claims. Times are computed when the test runs, not when the file loads. */
type Changes = Record<string, unknown> | (() => Record<string, unknown>);
const changed = (changes: Changes) => claims(typeof changes === 'function' ? changes() : changes);

/** After a refresh. */
const { login: _, ...WITHOUT_LOGIN } = EXPECTED;

describe('ID Token', () => {
  mockTheNetwork();

  let first: KeyPair;
  let second: KeyPair;
  before(() => {
    first = rsaKeys();
    second = rsaKeys();
  });

  async function sign(
    payload?: JWTPayload,
    header?: Record<string, unknown>,
    key = first.privateKey,
  ): Promise<string> {
    return await signWith(key, payload, header);
  }

  const realNow = Date.now;
  afterEach(() => {
    Date.now = realNow;
  });

  describe('accepts', () => {
    beforeEach(() => publishKeys([jwk(first, 'key-1')]));

    it('OIDC Core §3.1.3.7 — a good token, and freezes its claims', async () => {
      const payload = claims({ name: 'Zoë', email: 'zoe@example.com' });
      const verified = await verifier()(await sign(payload), EXPECTED);
      expect(verified).to.deep.equal(payload);
      expect(Object.isFrozen(verified)).to.equal(true);
    });

    it('OIDC Core §3.1.3.7 — any of the issuers a provider names', async () => {
      const issuers = ['https://other.test', ISSUER];
      expect((await verifier()(await sign(), { ...EXPECTED, issuers })).iss).to.equal(ISSUER);
    });

    it('OIDC Core §3.1.3.7 item 4 — several audiences with an azp that is us', async () => {
      const token = await sign(claims({ aud: ['api', CLIENT], azp: CLIENT }));
      expect((await verifier()(token, EXPECTED)).azp).to.equal(CLIENT);
    });

    it('OIDC Core §3.1.3.7 item 5 — one audience with an azp that is us', async () => {
      const token = await sign(claims({ aud: [CLIENT], azp: CLIENT }));
      expect((await verifier()(token, EXPECTED)).azp).to.equal(CLIENT);
    });

    it('OIDC Core §3.1.3.7 item 4 — one audience in a list, without azp', async () => {
      const token = await sign(claims({ aud: [CLIENT] }));
      expect((await verifier()(token, EXPECTED)).sub).to.equal('auth0|zoe');
    });

    it('OIDC Core §3.1.3.7 — clocks that differ within the tolerance', async () => {
      const token = await sign(claims({ exp: now() - 30, iat: now() + 30 }));
      expect((await verifier()(token, EXPECTED)).sub).to.equal('auth0|zoe');
    });

    it('RFC 7519 §4.1.5 — an nbf that has passed, or that the tolerance covers', async () => {
      for (const nbf of [now() - 300, now() + 30]) {
        expect((await verifier()(await sign(claims({ nbf })), EXPECTED)).nbf).to.equal(nbf);
        nock.cleanAll();
        publishKeys([jwk(first, 'key-1')]);
      }
    });

    for (const nonce of [NONCE, 'another', undefined]) {
      it(`OIDC Core §12.2 — any nonce after a refresh: ${nonce}`, async () => {
        const token = await sign(claims({ nonce }));
        expect((await verifier()(token, WITHOUT_LOGIN)).nonce).to.equal(nonce);
      });
    }

    it('OIDC Core §3.1.3.7 item 11 — a token without a nonce when none was sent', async () => {
      const token = await sign(claims({ nonce: undefined }));
      const verified = await verifier()(token, { ...EXPECTED, login: {} });
      expect(verified).not.to.have.property('nonce');
    });

    it('OIDC Core A.3 — the at_hash of the access token', async () => {
      const half = createHash('sha256').update(ACCESS_TOKEN).digest().subarray(0, 16);
      // The value of the specification's own example.
      expect(half.toString('base64url')).to.equal('77QmUPtjPfzWtF2AnpK9RQ');
      const token = await sign(claims({ at_hash: '77QmUPtjPfzWtF2AnpK9RQ' }));
      expect((await verifier()(token, EXPECTED)).at_hash).to.equal('77QmUPtjPfzWtF2AnpK9RQ');
    });

    it('OIDC Core §3.1.3.7 item 13 — an auth_time within max_age', async () => {
      const token = await sign(claims({ auth_time: now() - 100 }));
      expect(
        (
          await verifier({ clockToleranceSeconds: 5 })(token, {
            ...EXPECTED,
            login: { nonce: NONCE, maxAge: 120 },
          })
        ).sub,
      ).to.equal('auth0|zoe');
    });

    it('OIDC Core §10.1 — a token without kid while there is one key', async () => {
      const token = await sign(claims(), { kid: undefined });
      expect((await verifier()(token, EXPECTED)).sub).to.equal('auth0|zoe');
    });
  });

  describe('refuses claims', () => {
    beforeEach(() => publishKeys([jwk(first, 'key-1')]));

    const cases: [string, Changes, string, Partial<Expected>?][] = [
      ['item 2 — another iss', { iss: 'https://evil.test/' }, 'id_token_issuer'],
      ['item 2 — iss without its slash', { iss: 'https://acme.test' }, 'id_token_issuer'],
      ['item 2 — no iss', { iss: undefined }, 'id_token_issuer'],
      ['item 2 — a list of iss', { iss: [ISSUER] }, 'id_token_issuer'],
      ['item 2 — no issuer known', {}, 'id_token_issuer', { issuers: [] }],
      ['item 3 — another aud', { aud: 'client-2' }, 'id_token_audience'],
      ['item 3 — no aud', { aud: undefined }, 'id_token_audience'],
      ['item 3 — an empty list of audiences', { aud: [] }, 'id_token_audience'],
      ['item 4 — several audiences without azp', { aud: [CLIENT, 'api'] }, 'id_token_audience'],
      [
        'item 5 — several audiences, azp another client',
        { aud: [CLIENT, 'client-2'], azp: 'client-2' },
        'id_token_audience',
      ],
      ['item 5 — one audience, azp another client', { azp: 'client-2' }, 'id_token_audience'],
      ['item 5 — an azp that is not text', { azp: [CLIENT] }, 'id_token_audience'],
      ['item 9 — exp in the past', () => ({ exp: now() - 120 }), 'id_token_expired'],
      ['§2 — no exp', { exp: undefined }, 'id_token_claim'],
      ['§2 — an exp that is not a number', { exp: 'never' }, 'id_token_claim'],
      ['§2 — no iat', { iat: undefined }, 'id_token_claim'],
      ['§2 — an iat that is not a number', { iat: '0' }, 'id_token_claim'],
      ['item 10 — iat in the future', () => ({ iat: now() + 120 }), 'id_token_not_yet_valid'],
      [
        'RFC 7519 §4.1.5 — nbf in the future',
        () => ({ nbf: now() + 120 }),
        'id_token_not_yet_valid',
      ],
      ['RFC 7519 §4.1.5 — an nbf that is not a number', { nbf: '0' }, 'id_token_not_yet_valid'],
      ['§2 — no sub', { sub: undefined }, 'id_token_claim'],
      ['§2 — an empty sub', { sub: '' }, 'id_token_claim'],
      ['§2 — a sub that is not text', { sub: 7 }, 'id_token_claim'],
      ['item 11 — another nonce', { nonce: 'nonce-2' }, 'id_token_nonce'],
      ['item 11 — no nonce', { nonce: undefined }, 'id_token_nonce'],
      ['item 11 — a nonce that is not text', { nonce: [NONCE] }, 'id_token_nonce'],
      ['item 11 — a nonce although none was sent', {}, 'id_token_nonce', { login: {} }],
      [
        'item 11 — an empty nonce although none was sent',
        { nonce: '' },
        'id_token_nonce',
        { login: {} },
      ],
      [
        'item 11 — a nonce of null although none was sent',
        { nonce: null },
        'id_token_nonce',
        { login: {} },
      ],
      [
        '§3.1.3.8 — another at_hash',
        { at_hash: '77QmUPtjPfzWtF2AnpK9RA' },
        'id_token_access_token',
      ],
      ['§3.1.3.8 — an empty at_hash', { at_hash: '' }, 'id_token_access_token'],
      ['§3.1.3.8 — an at_hash that is not text', { at_hash: null }, 'id_token_access_token'],
      [
        'item 13 — auth_time before max_age',
        () => ({ auth_time: now() - 300 }),
        'id_token_auth_time',
        { login: { nonce: NONCE, maxAge: 120 } },
      ],
      [
        'item 13 — no auth_time',
        {},
        'id_token_auth_time',
        { login: { nonce: NONCE, maxAge: 120 } },
      ],
      [
        'item 13 — an auth_time that is not a number',
        () => ({ auth_time: `${now()}` }),
        'id_token_auth_time',
        { login: { nonce: NONCE, maxAge: 120 } },
      ],
    ];
    for (const [title, changes, code, expected] of cases) {
      it(`OIDC Core §3.1.3.7 ${title}: ${code}`, async () => {
        expect((await problemWith(await sign(changed(changes)), expected)).code).to.equal(code);
      });
    }
  });

  describe('CWE-1321 — while Object.prototype is polluted', () => {
    beforeEach(() => publishKeys([jwk(first, 'key-1')]));
    const whilePolluted = async <T>(name: string, value: unknown, work: () => Promise<T>) => {
      Reflect.defineProperty(Object.prototype, name, { value, configurable: true });
      try {
        return await work();
      } finally {
        Reflect.deleteProperty(Object.prototype, name);
      }
    };

    const claimsByName: [string, () => unknown, string][] = [
      ['iss', () => ISSUER, 'id_token_issuer'],
      ['aud', () => CLIENT, 'id_token_audience'],
      ['sub', () => 'auth0|admin', 'id_token_claim'],
      ['exp', () => now() + 300, 'id_token_claim'],
      ['iat', () => now(), 'id_token_claim'],
      ['nonce', () => NONCE, 'id_token_nonce'],
    ];
    for (const [name, value, code] of claimsByName) {
      it(`lends a token no "${name}": ${code}`, async () => {
        const token = await sign(claims({ [name]: undefined }));
        const { code: came } = await whilePolluted(name, value(), () => problemWith(token));
        expect(came).to.equal(code);
      });
    }

    it('lends a header no "alg": id_token_malformed', async () => {
      const [, payload, signature] = (await sign()).split('.');
      const token = `${encode({ kid: 'key-1' })}.${payload}.${signature}`;
      const { code } = await whilePolluted('alg', 'RS256', () => problemWith(token));
      expect(code).to.equal('id_token_malformed');
    });

    it('lends the verification no padding', async () => {
      const token = await sign();
      const { RSA_PKCS1_PSS_PADDING: padding } = constants;
      const verified = await whilePolluted('padding', padding, () => verifier()(token, EXPECTED));
      expect(verified.sub).to.equal('auth0|zoe');
    });
  });

  it('OIDC Core §2 — refuses a token without an issuer also where an issuer is an empty text', async () => {
    publishKeys([jwk(first, 'key-1')]);
    const token = await sign(claims({ iss: undefined }));
    expect((await problemWith(token, { issuers: ['', ISSUER] })).code).to.equal('id_token_issuer');
  });

  for (const typ of [
    'at+jwt',
    'logout+jwt',
    'secevent+jwt',
    'application/at+jwt',
    'jwt+at',
    'JWS',
    '',
    7,
    ['JWT'],
  ]) {
    it(`RFC 8725 §3.11 — refuses a token of another kind: typ ${JSON.stringify(typ)}`, async () => {
      publishKeys([jwk(first, 'key-1')]);
      const token = await sign(claims(), { typ });
      const { code, message } = await problemWith(token);
      expect(code).to.equal('id_token_malformed');
      expect(message).to.equal('the token is of another kind than an ID Token');
    });
  }

  for (const typ of ['JWT', 'jwt', 'application/jwt', undefined]) {
    it(`RFC 7519 §5.1 — accepts typ ${typ}`, async () => {
      publishKeys([jwk(first, 'key-1')]);
      const token = await sign(claims(), { typ });
      expect(await verifier()(token, EXPECTED)).to.include({ sub: 'auth0|zoe' });
    });
  }

  it('OIDC Core §2 — refuses claims that nest too deep: id_token_malformed', async () => {
    publishKeys([jwk(first, 'key-1')], [jwk(first, 'key-1')]);
    const nested = (levels: number): unknown =>
      JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`);
    const verified = await verifier()(await sign(claims({ roles: nested(99) })), EXPECTED);
    expect(verified.roles).to.deep.equal(nested(99));
    const problem = await problemWith(await sign(claims({ roles: nested(100) })));
    expect(problem).to.include({
      code: 'id_token_malformed',
      message: 'the ID Token nests too deep',
    });
  });

  describe('to the second', () => {
    beforeEach(() => publishKeys([jwk(first, 'key-1')], [jwk(first, 'key-1')]));

    const cases: [string, (late: number) => object, Partial<Expected>, string][] = [
      [
        'item 9 — an exp that the tolerance still covers',
        (late) => ({ exp: now() - 59 - late }),
        {},
        'id_token_expired',
      ],
      [
        'RFC 7519 §4.1.5 — an nbf that the tolerance still covers',
        (late) => ({ nbf: now() + 60 + late }),
        {},
        'id_token_not_yet_valid',
      ],
      [
        'item 10 — an iat that the tolerance still covers',
        (late) => ({ iat: now() + 60 + late }),
        {},
        'id_token_not_yet_valid',
      ],
      [
        'item 13 — an auth_time that max_age and the tolerance still cover',
        (late) => ({ auth_time: now() - 120 - 60 - late }),
        { login: { nonce: NONCE, maxAge: 120 } },
        'id_token_auth_time',
      ],
    ];
    for (const [title, changes, expected, code] of cases) {
      it(`OIDC Core §3.1.3.7 ${title}, and none beyond`, async () => {
        const moment = now() * 1000;
        Date.now = () => moment;
        const token = await sign(claims({ ...changes(0) }));
        expect((await verifier()(token, { ...EXPECTED, ...expected })).sub).to.equal('auth0|zoe');
        const beyond = await sign(claims({ ...changes(1) }));
        expect((await problemWith(beyond, expected, verifier())).code).to.equal(code);
      });
    }
  });

  describe('tells the reason', () => {
    const words: [string, Changes, Partial<Expected>?][] = [
      ['"sub" is missing', { sub: '' }],
      ['"azp" is "client-2", expected "client-1"', { azp: 'client-2' }],
      ['"azp" is "", expected "client-1"', { azp: { deep: 'client-1' } }],
      ['"iat" lies in the future', () => ({ iat: now() + 120 })],
      ['"nonce" is not the one of this login', { nonce: 'nonce-2' }],
      [
        '"auth_time" is older than max_age allows',
        { auth_time: 1 },
        { login: { nonce: NONCE, maxAge: 120 } },
      ],
      ['"at_hash" is of another access token', { at_hash: 'x' }],
      [
        '"iss" is "https://evil.test/", expected "https://acme.test/" or "https://b.test"',
        { iss: 'https://evil.test/' },
        { issuers: [ISSUER, 'https://b.test', ISSUER] },
      ],
      [`"iss" is "${'x'.repeat(100)}…", expected "https://acme.test/"`, { iss: 'x'.repeat(999) }],
      ['"iss" is "", expected "https://acme.test/"', { iss: 7 }],
      ['"iss" is missing, expected "https://acme.test/"', { iss: undefined }],
      ['"aud" is missing, expected "client-1"', { aud: undefined }],
      [
        '"aud" is "client-2 [redacted]", expected "client-1"',
        { aud: ['client-2', EXPECTED.accessToken] },
      ],
      ['"exp" is missing', { exp: undefined }],
      ['"exp" has passed', { exp: 1 }],
      ['"nbf" lies in the future', () => ({ nbf: now() + 120 })],
      ['"iat" is missing', { iat: undefined }],
    ];
    for (const [why, changes, expected] of words) {
      it(`in words: ${why}`, async () => {
        publishKeys([jwk(first, 'key-1')]);
        const { message, details } = await problemWith(await sign(changed(changes)), expected);
        expect(message).to.equal(`the ID Token is refused: ${why}`);
        expect(details).to.deep.equal({});
      });
    }

    it('and the issuer and audience that came, also where no key or signature fits', async () => {
      const elsewhere = claims({ iss: 'https://evil.test/', aud: 'client-2' });
      const came =
        'unproven: "iss" is "https://evil.test/", expected "https://acme.test/"; "aud" is "client-2", expected "client-1"';
      publishKeys([jwk(first, 'key-2')], [jwk(first, 'key-2')]);
      const unknown = await problemWith(await sign(elsewhere));
      expect(unknown.code).to.equal('id_token_unknown_key');
      expect(unknown.message).to.include(came);
      nock.cleanAll();
      publishKeys([jwk(second, 'key-1')]);
      const forged = await problemWith(await sign(elsewhere));
      expect(forged.code).to.equal('id_token_signature');
      expect(forged.message).to.include(came);
    });

    it('of the signature, or of the key, alone where issuer and audience are right', async () => {
      publishKeys([jwk(first, 'key-2')]);
      const { message, details } = await problemWith(await sign());
      expect(message).to.equal(
        'the ID Token is refused: no published key is the one that it names',
      );
      expect(details.cause).to.be.instanceOf(Error);
      nock.cleanAll();
      publishKeys([jwk(second, 'key-1')]);
      const forged = await problemWith(await sign());
      expect(forged.message).to.equal('the ID Token is refused: its signature is wrong');
      expect(forged.details).to.deep.equal({});
      nock.cleanAll();
      publishKeys([jwk(second, 'key-1')]);
      const elsewhere = await problemWith(await sign(claims({ aud: 'client-2' })));
      expect(elsewhere.message).to.equal(
        'the ID Token is refused: its signature is wrong (unproven: "aud" is "client-2", expected "client-1")',
      );
    });

    it('for keys that are unavailable', async () => {
      nock('https://acme.test').get('/keys').reply(200, '<html>');
      const { message, details } = await problemWith(await sign());
      expect(message).to.equal('the signing keys are unavailable: the answer is not valid JSON');
      expect(details.cause).to.be.instanceOf(Error).with.property('name', 'Problem');
    });

    it('for a key that is unusable', async () => {
      publishKeys([{ kty: 'RSA', kid: 'key-1', n: '!!', e: 'AQAB' }]);
      const { message, details } = await problemWith(await sign());
      expect(message).to.equal('the signing key is unusable');
      expect(details.cause).to.be.instanceOf(Error);
    });
  });

  describe('algorithms', () => {
    const KEYS: Readonly<Record<string, () => KeyPair>> = {
      RS: () => first,
      PS: () => first,
      ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
      ES384: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
      ES512: () => generateKeyPairSync('ec', { namedCurve: 'P-521' }),
      Ed: () => generateKeyPairSync('ed25519'),
    };
    const keysFor = (algorithm: IdTokenAlgorithm): KeyPair =>
      (KEYS[algorithm] ?? KEYS[algorithm.slice(0, 2)] ?? KEYS.RS)?.() ?? first;

    /** The hash of each algorithm: RFC 7518 §3.1, and RFC 8032 §5.1 for Ed25519. */
    const HASHES = {
      RS256: 'sha256',
      RS384: 'sha384',
      RS512: 'sha512',
      PS256: 'sha256',
      PS384: 'sha384',
      PS512: 'sha512',
      ES256: 'sha256',
      ES384: 'sha384',
      ES512: 'sha512',
      EdDSA: 'sha512',
      Ed25519: 'sha512',
    } as const satisfies Record<IdTokenAlgorithm, string>;
    const atHash = (hash: string): string => {
      const digest = createHash(hash).update(ACCESS_TOKEN).digest();
      return digest.subarray(0, digest.length / 2).toString('base64url');
    };

    it('RFC 8725 §3.1 — are asymmetric, every one', () => {
      expect(ID_TOKEN_ALGORITHMS).to.have.members(Object.keys(HASHES));
    });

    for (const algorithm of ID_TOKEN_ALGORITHMS) {
      const header = { alg: algorithm };
      const right = HASHES[algorithm];

      it(`OIDC Core §3.1.3.6 — ${algorithm} signs in, with the at_hash of ${right}`, async () => {
        const pair = keysFor(algorithm);
        publishKeys([jwk(pair, 'key-1', algorithm)]);
        const token = await sign(claims({ at_hash: atHash(right) }), header, pair.privateKey);
        const verified = await verifier({ algorithms: [algorithm] })(token, EXPECTED);
        expect(verified.sub).to.equal('auth0|zoe');
      });

      it(`OIDC Core §3.1.3.6 — ${algorithm} refuses the at_hash of another hash`, async () => {
        const pair = keysFor(algorithm);
        const verify = verifier({ algorithms: [algorithm] });
        publishKeys([jwk(pair, 'key-1', algorithm)]);
        for (const hash of ['sha256', 'sha384', 'sha512'].filter((name) => name !== right)) {
          const token = await sign(claims({ at_hash: atHash(hash) }), header, pair.privateKey);
          expect((await problemWith(token, {}, verify)).code).to.equal('id_token_access_token');
        }
      });

      it(`RFC 8725 §3.1 — ${algorithm} is refused where the description names the others`, async () => {
        const pair = keysFor(algorithm);
        publishKeys([jwk(pair, 'key-1', algorithm)]);
        const algorithms = ID_TOKEN_ALGORITHMS.filter((name) => name !== algorithm);
        const token = await sign(claims(), header, pair.privateKey);
        const { code } = await problemWith(token, {}, verifier({ algorithms }));
        expect(code).to.equal('id_token_algorithm');
      });
    }

    it('RFC 8725 §3.1 — of several that are named, each signs in', async () => {
      const elliptic = keysFor('ES256');
      publishKeys([jwk(first, 'key-1'), jwk(elliptic, 'key-2', 'ES256')]);
      const verify = verifier({ algorithms: ['RS256', 'ES256'] });
      expect((await verify(await sign(), EXPECTED)).sub).to.equal('auth0|zoe');
      const header = { alg: 'ES256', kid: 'key-2' };
      const token = await sign(claims(), header, elliptic.privateKey);
      expect((await verify(token, EXPECTED)).sub).to.equal('auth0|zoe');
    });

    it('RFC 8725 §2.1 — the key of another algorithm verifies nothing', async () => {
      publishKeys([jwk(first, 'key-1', 'RS256')]);
      const token = await sign(claims(), { alg: 'PS256' });
      const verify = verifier({ algorithms: ['RS256', 'PS256'] });
      expect((await problemWith(token, {}, verify)).code).to.equal('id_token_unknown_key');
    });
  });

  describe('refuses signatures', () => {
    it('RFC 8725 §3.1 — alg none', async () => {
      publishKeys([jwk(first, 'key-1')]);
      for (const alg of ['none', 'None', 'NONE']) {
        const token = `${encode({ alg, kid: 'key-1' })}.${encode(claims())}.`;
        const { code } = await problemWith(token);
        expect(code).to.equal('id_token_algorithm');
      }
    });

    it('RFC 8725 §2.1 — HS256 with the public key as its secret', async () => {
      publishKeys([jwk(first, 'key-1')]);
      const { SignJWT } = await import('jose');
      const pem = first.publicKey.export({ type: 'spki', format: 'pem' });
      const token = await new SignJWT(claims())
        .setProtectedHeader({ alg: 'HS256', kid: 'key-1' })
        .sign(Buffer.from(pem));
      expect((await problemWith(token)).code).to.equal('id_token_algorithm');
    });

    for (const alg of ['RS384', 'RS512', 'PS256']) {
      it(`RFC 8725 §3.1 — ${alg}, although the key could`, async () => {
        publishKeys([jwk(first, 'key-1')]);
        expect((await problemWith(await sign(claims(), { alg }))).code).to.equal(
          'id_token_algorithm',
        );
      });
    }

    it('RFC 7515 §5.2 — another key under the same kid', async () => {
      publishKeys([jwk(second, 'key-1')]);
      expect((await problemWith(await sign())).code).to.equal('id_token_signature');
    });

    it('RFC 7515 §5.2 — claims changed after signing', async () => {
      publishKeys([jwk(first, 'key-1')]);
      const [header, , signature] = (await sign()).split('.');
      const token = `${header}.${encode(claims({ sub: 'auth0|admin' }))}.${signature}`;
      expect((await problemWith(token)).code).to.equal('id_token_signature');
    });

    it('RFC 7515 §5.2 — no signature', async () => {
      publishKeys([jwk(first, 'key-1')]);
      const [header, payload] = (await sign()).split('.');
      expect((await problemWith(`${header}.${payload}.`)).code).to.equal('id_token_signature');
    });

    it('an unknown kid', async () => {
      publishKeys([jwk(first, 'key-1')]);
      const token = await sign(claims(), { kid: 'key-9' });
      expect((await problemWith(token)).code).to.equal('id_token_unknown_key');
    });

    it('no kid among several keys', async () => {
      publishKeys([jwk(first, 'key-1'), jwk(second, 'key-2')]);
      const token = await sign(claims(), { kid: undefined });
      expect((await problemWith(token)).code).to.equal('id_token_unknown_key');
    });

    it('a key that is not for signatures', async () => {
      publishKeys([{ ...jwk(first, 'key-1'), use: 'enc' }]);
      expect((await problemWith(await sign())).code).to.equal('id_token_unknown_key');
    });

    it('RFC 8725 §3.10 — believes no key embedded in the header, and asks no jku', async () => {
      publishKeys([jwk(first, 'key-1')]);
      const elsewhere = nock('https://evil.test')
        .get('/keys')
        .reply(200, { keys: [jwk(second, 'k')] });
      const own = { ...jwk(second, 'key-1'), d: undefined };
      for (const header of [
        { jwk: own },
        { jwk: own, kid: undefined },
        { jku: 'https://evil.test/keys', kid: 'key-1' },
      ]) {
        const token = await sign(claims(), header, second.privateKey);
        // Another verifier each time would ask for the keys each time.
        expect((await problemWith(token, {}, shared())).code).to.equal('id_token_signature');
      }
      expect(elsewhere.isDone()).to.equal(false);
    });

    it('RFC 7515 §4.1.11 — a crit header that names an unknown extension', async () => {
      publishKeys([jwk(first, 'key-1')]);
      const [, payload, signature] = (await sign()).split('.');
      const header = encode({ alg: 'RS256', kid: 'key-1', crit: ['x'], x: 1 });
      expect((await problemWith(`${header}.${payload}.${signature}`)).code).to.equal(
        'id_token_malformed',
      );
    });

    it('RFC 9700 §4.3 — a crit header that forges a line of the log', async () => {
      publishKeys([jwk(first, 'key-1')]);
      const [, payload, signature] = (await sign()).split('.');
      const name = 'x\r\n[FATAL] owned\u001b[2J';
      const header = encode({ alg: 'RS256', kid: 'key-1', crit: [name], [name]: 1 });
      const problem = await problemWith(`${header}.${payload}.${signature}`);
      expect(problem.message).to.include('owned');
      const printed = `${problem.message} ${String(problem.details.cause)}`;
      for (const control of ['\r', '\n', '\u001b']) expect(printed).not.to.include(control);
    });

    for (const [title, token] of [
      ['empty', ''],
      ['of one part', 'abc'],
      ['of two parts', 'a.b'],
      ['of four parts', 'a.b.c.d'],
      ['encrypted', 'a.b.c.d.e'],
      ['of broken base64', '!!.!!.!!'],
      ['with a header that is not JSON', `${Buffer.from('x').toString('base64url')}.e30.AA`],
    ] as const) {
      it(`RFC 7519 §7.2 — a token that is ${title}`, async () => {
        expect((await problemWith(token)).code).to.equal('id_token_malformed');
      });
    }

    it('RFC 7519 §7.2 — claims that are not an object', async () => {
      publishKeys([jwk(first, 'key-1')]);
      const token = await sign(['x'] as unknown as JWTPayload);
      expect((await problemWith(token)).code).to.equal('id_token_malformed');
    });

    let kept: ReturnType<typeof verifier> | undefined;
    beforeEach(() => {
      kept = undefined;
    });
    function shared(): ReturnType<typeof verifier> {
      kept ??= verifier();
      return kept;
    }
  });
});
