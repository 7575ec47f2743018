import { expect } from 'chai';
import { createHash, createPrivateKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { JWTPayload } from 'jose';
import nock = require('nock');
import { Deadline } from '../../dist/wire/deadline';
import { Problem } from '../../dist/errors/oauth2-error';
import { HttpClient } from '../../dist/wire/http';
import type { HttpResponse } from '../../dist/wire/http';
import { createIdTokenVerifier } from '../../dist/protocol/id-token';
import type { ExpectedIdToken, IdTokenVerifier } from '../../dist/protocol/id-token';
import { mockTheNetwork, pause, rejection } from '../support';

const ISSUER = 'https://acme.test/';
const CLIENT = 'client-1';
const ACCESS_TOKEN = 'jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y';
const EXPECTED: ExpectedIdToken = {
  issuers: [ISSUER],
  clientID: CLIENT,
  nonce: 'nonce-1',
  accessToken: ACCESS_TOKEN,
};

const now = () => Math.floor(Date.now() / 1000);

function rsa(): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync('rsa', { modulusLength: 2048 });
}

describe('ID Token', () => {
  mockTheNetwork();

  let first: ReturnType<typeof rsa>;
  let second: ReturnType<typeof rsa>;
  before(() => {
    first = rsa();
    second = rsa();
  });

  function jwk(pair: { publicKey: KeyObject }, kid?: string): Record<string, unknown> {
    return { ...pair.publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' };
  }

  /** Answers the keys once for each list. */
  function publish(...lists: unknown[][]): void {
    for (const keys of lists) nock('https://acme.test').get('/keys').reply(200, { keys });
  }

  function verifier(clockTolerance = 60): IdTokenVerifier {
    const http = new HttpClient();
    return createIdTokenVerifier(
      'https://acme.test/keys',
      (url) => http.send({ method: 'GET', url, headers: {} }, new Deadline(1000)),
      clockTolerance,
    );
  }

  function claims(changes: Record<string, unknown> = {}): JWTPayload {
    const payload = {
      iss: ISSUER,
      sub: 'auth0|zoe',
      aud: CLIENT,
      iat: now(),
      exp: now() + 300,
      nonce: 'nonce-1',
      ...changes,
    };
    return Object.fromEntries(Object.entries(payload).filter(([, value]) => value !== undefined));
  }

  function encode(value: unknown): string {
    return Buffer.from(JSON.stringify(value)).toString('base64url');
  }

  async function sign(
    payload: JWTPayload = claims(),
    header: Record<string, unknown> = {},
    key: KeyObject = first.privateKey,
  ): Promise<string> {
    const { CompactSign } = await import('jose');
    const protectedHeader = { alg: 'RS256', kid: 'key-1', ...header };
    return await new CompactSign(Buffer.from(JSON.stringify(payload)))
      .setProtectedHeader(
        Object.fromEntries(
          Object.entries(protectedHeader).filter(([, value]) => value !== undefined),
        ) as { alg: string },
      )
      .sign(key);
  }

  /** The problem with a token, whose secrets it must not show. */
  async function problemWith(
    token: string,
    expected: Partial<ExpectedIdToken> = {},
    verify = verifier(),
  ): Promise<Problem> {
    const problem: unknown = await rejection(verify(token, { ...EXPECTED, ...expected }));
    expect(problem).to.be.instanceOf(Problem);
    const { stack, message, details } = problem as Problem;
    for (const secret of [ACCESS_TOKEN, 'nonce-1', token || ACCESS_TOKEN]) {
      expect(`${stack} ${message} ${JSON.stringify(details)}`).not.to.include(secret);
    }
    return problem as Problem;
  }

  const realNow = Date.now;
  afterEach(() => {
    Date.now = realNow;
  });

  describe('accepts', () => {
    beforeEach(() => publish([jwk(first, 'key-1')]));

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
      expect((await verifier(60)(token, EXPECTED)).sub).to.equal('auth0|zoe');
    });

    it('OIDC Core §3.1.3.7 item 11 — any nonce when none was sent (a refresh)', async () => {
      const token = await sign(claims({ nonce: 'another' }));
      expect((await verifier()(token, { ...EXPECTED, nonce: undefined })).sub).to.equal(
        'auth0|zoe',
      );
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
      expect((await verifier(5)(token, { ...EXPECTED, maxAge: 120 })).sub).to.equal('auth0|zoe');
    });

    it('OIDC Core §10.1 — a token without kid while there is one key', async () => {
      const token = await sign(claims(), { kid: undefined });
      expect((await verifier()(token, EXPECTED)).sub).to.equal('auth0|zoe');
    });

    for (const [organization, claim] of [
      ['org_1', { org_id: 'org_1' }],
      ['org_Ab1', { org_id: 'org_Ab1' }],
      ['Acme-Sales', { org_name: 'acme-sales' }],
    ] as const) {
      it(`the organization that was asked for: ${organization}`, async () => {
        const token = await sign(claims(claim));
        const verified = await verifier()(token, { ...EXPECTED, organization });
        expect(verified).to.include(claim);
      });
    }
  });

  describe('refuses claims', () => {
    beforeEach(() => publish([jwk(first, 'key-1')]));

    const cases: [string, Record<string, unknown>, string, Partial<ExpectedIdToken>?][] = [
      ['item 2 — another iss', { iss: 'https://evil.test/' }, 'id_token_issuer'],
      ['item 2 — iss without its slash', { iss: 'https://acme.test' }, 'id_token_issuer'],
      ['item 2 — no iss', { iss: undefined }, 'id_token_issuer'],
      ['item 2 — a list of iss', { iss: [ISSUER] }, 'id_token_issuer'],
      ['item 2 — no issuer known', {}, 'id_token_issuer', { issuers: [] }],
      ['item 3 — another aud', { aud: 'client-2' }, 'id_token_audience'],
      ['item 3 — no aud', { aud: undefined }, 'id_token_audience'],
      ['item 3 — no audience at all', { aud: [] }, 'id_token_audience'],
      ['item 4 — several audiences without azp', { aud: [CLIENT, 'api'] }, 'id_token_audience'],
      [
        'item 5 — several audiences, azp another client',
        { aud: [CLIENT, 'client-2'], azp: 'client-2' },
        'id_token_audience',
      ],
      ['item 5 — one audience, azp another client', { azp: 'client-2' }, 'id_token_audience'],
      ['item 5 — an azp that is no text', { azp: [CLIENT] }, 'id_token_audience'],
      ['item 9 — exp in the past', { exp: now() - 120 }, 'id_token_expired'],
      ['§2 — no exp', { exp: undefined }, 'id_token_claim'],
      ['§2 — an exp that is no number', { exp: 'never' }, 'id_token_claim'],
      ['§2 — no iat', { iat: undefined }, 'id_token_claim'],
      ['§2 — an iat that is no number', { iat: '0' }, 'id_token_claim'],
      ['item 10 — iat in the future', { iat: now() + 120 }, 'id_token_not_yet_valid'],
      ['RFC 7519 §4.1.5 — nbf in the future', { nbf: now() + 120 }, 'id_token_not_yet_valid'],
      ['§2 — no sub', { sub: undefined }, 'id_token_claim'],
      ['§2 — an empty sub', { sub: '' }, 'id_token_claim'],
      ['§2 — a sub that is no text', { sub: 7 }, 'id_token_claim'],
      ['item 11 — another nonce', { nonce: 'nonce-2' }, 'id_token_nonce'],
      ['item 11 — no nonce', { nonce: undefined }, 'id_token_nonce'],
      [
        '§3.1.3.8 — another at_hash',
        { at_hash: '77QmUPtjPfzWtF2AnpK9RA' },
        'id_token_access_token',
      ],
      ['§3.1.3.8 — an empty at_hash', { at_hash: '' }, 'id_token_access_token'],
      ['§3.1.3.8 — an at_hash that is no text', { at_hash: null }, 'id_token_access_token'],
      [
        'item 13 — auth_time before max_age',
        { auth_time: now() - 300 },
        'id_token_auth_time',
        { maxAge: 120 },
      ],
      ['item 13 — no auth_time', {}, 'id_token_auth_time', { maxAge: 120 }],
      [
        'item 13 — an auth_time that is no number',
        { auth_time: `${now()}` },
        'id_token_auth_time',
        { maxAge: 120 },
      ],
      [
        'another organization',
        { org_id: 'org_2' },
        'id_token_organization',
        { organization: 'org_1' },
      ],
      ['no organization', {}, 'id_token_organization', { organization: 'org_1' }],
      [
        'an organization by name for one by id',
        { org_name: 'org_1' },
        'id_token_organization',
        { organization: 'org_1' },
      ],
      [
        'another organization by name',
        { org_name: 'other' },
        'id_token_organization',
        { organization: 'acme' },
      ],
    ];
    for (const [title, changes, code, expected] of cases) {
      it(`OIDC Core §3.1.3.7 ${title}: ${code}`, async () => {
        expect((await problemWith(await sign(claims(changes)), expected)).code).to.equal(code);
      });
    }
  });

  describe('to the second', () => {
    beforeEach(() => publish([jwk(first, 'key-1')], [jwk(first, 'key-1')]));

    const cases: [string, (late: number) => object, Partial<ExpectedIdToken>, string][] = [
      [
        'item 10 — an iat that the tolerance still covers',
        (late) => ({ iat: now() + 60 + late }),
        {},
        'id_token_not_yet_valid',
      ],
      [
        'item 13 — an auth_time that max_age and the tolerance still cover',
        (late) => ({ auth_time: now() - 120 - 60 - late }),
        { maxAge: 120 },
        'id_token_auth_time',
      ],
    ];
    for (const [title, changes, expected, code] of cases) {
      it(`OIDC Core §3.1.3.7 ${title}, and none beyond`, async () => {
        const moment = now() * 1000;
        Date.now = () => moment;
        const token = await sign(claims({ ...changes(0) }));
        expect((await verifier(60)(token, { ...EXPECTED, ...expected })).sub).to.equal('auth0|zoe');
        const beyond = await sign(claims({ ...changes(1) }));
        expect((await problemWith(beyond, expected, verifier(60))).code).to.equal(code);
      });
    }
  });

  describe('says in words', () => {
    const words: [string, Record<string, unknown>, Partial<ExpectedIdToken>?][] = [
      ['"sub" is missing', { sub: '' }],
      ['"azp" is another client', { azp: 'client-2' }],
      ['"iat" lies in the future', { iat: now() + 120 }],
      ['"nonce" is not the one of this login', { nonce: 'nonce-2' }],
      ['"auth_time" is older than max_age allows', { auth_time: 1 }, { maxAge: 120 }],
      ['"at_hash" is of another access token', { at_hash: 'x' }],
      ['it is of another organization', { org_id: 'org_2' }, { organization: 'org_1' }],
      ['unexpected "iss" claim value', { iss: 'https://evil.test/' }],
      ['missing required "exp" claim', { exp: undefined }],
    ];
    for (const [why, changes, expected] of words) {
      it(`that ${why}`, async () => {
        publish([jwk(first, 'key-1')]);
        const { message, details } = await problemWith(await sign(claims(changes)), expected);
        expect(message).to.equal(`the ID Token is refused: ${why}`);
        expect(Object.keys(details)).to.deep.equal(why.includes(' claim') ? ['cause'] : []);
      });
    }

    it('that the keys are unavailable, and why', async () => {
      nock('https://acme.test').get('/keys').reply(200, '<html>');
      const { message, details } = await problemWith(await sign());
      expect(message).to.equal('the signing keys are unavailable: the answer is not valid JSON');
      expect(details.cause).to.be.instanceOf(Error).with.property('name', 'Problem');
    });

    it('that the key is unusable, and why', async () => {
      publish([{ kty: 'RSA', kid: 'key-1', n: '!!', e: 'AQAB' }]);
      const { message, details } = await problemWith(await sign());
      expect(message).to.equal('the signing key is unusable');
      expect(details.cause).to.be.instanceOf(Error);
    });
  });

  describe('refuses signatures', () => {
    it('RFC 8725 §3.1 — alg none', async () => {
      publish([jwk(first, 'key-1')]);
      for (const alg of ['none', 'None', 'NONE']) {
        const token = `${encode({ alg, kid: 'key-1' })}.${encode(claims())}.`;
        const { code } = await problemWith(token);
        expect(code).to.equal('id_token_algorithm');
      }
    });

    it('RFC 8725 §2.1 — HS256 with the public key as its secret', async () => {
      publish([jwk(first, 'key-1')]);
      const { SignJWT } = await import('jose');
      const pem = first.publicKey.export({ type: 'spki', format: 'pem' });
      const token = await new SignJWT(claims())
        .setProtectedHeader({ alg: 'HS256', kid: 'key-1' })
        .sign(Buffer.from(pem));
      expect((await problemWith(token)).code).to.equal('id_token_algorithm');
    });

    for (const alg of ['RS384', 'RS512', 'PS256']) {
      it(`RFC 8725 §3.1 — ${alg}, although the key could`, async () => {
        publish([jwk(first, 'key-1')]);
        expect((await problemWith(await sign(claims(), { alg }))).code).to.equal(
          'id_token_algorithm',
        );
      });
    }

    it('RFC 7515 §5.2 — another key under the same kid', async () => {
      publish([jwk(second, 'key-1')]);
      expect((await problemWith(await sign())).code).to.equal('id_token_signature');
    });

    it('RFC 7515 §5.2 — claims changed after signing', async () => {
      publish([jwk(first, 'key-1')]);
      const [header, , signature] = (await sign()).split('.');
      const token = `${header}.${encode(claims({ sub: 'auth0|admin' }))}.${signature}`;
      expect((await problemWith(token)).code).to.equal('id_token_signature');
    });

    it('RFC 7515 §5.2 — no signature', async () => {
      publish([jwk(first, 'key-1')]);
      const [header, payload] = (await sign()).split('.');
      expect((await problemWith(`${header}.${payload}.`)).code).to.equal('id_token_signature');
    });

    it('an unknown kid', async () => {
      publish([jwk(first, 'key-1')]);
      const token = await sign(claims(), { kid: 'key-9' });
      expect((await problemWith(token)).code).to.equal('id_token_unknown_key');
    });

    it('no kid among several keys', async () => {
      publish([jwk(first, 'key-1'), jwk(second, 'key-2')]);
      const token = await sign(claims(), { kid: undefined });
      expect((await problemWith(token)).code).to.equal('id_token_unknown_key');
    });

    it('a key that is not for signatures', async () => {
      publish([{ ...jwk(first, 'key-1'), use: 'enc' }]);
      expect((await problemWith(await sign())).code).to.equal('id_token_unknown_key');
    });

    it('RFC 8725 §3.10 — believes no key embedded in the header, and asks no jku', async () => {
      publish([jwk(first, 'key-1')]);
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

    it('RFC 7515 §4.1.11 — a crit header that nobody understands', async () => {
      publish([jwk(first, 'key-1')]);
      const [, payload, signature] = (await sign()).split('.');
      const header = encode({ alg: 'RS256', kid: 'key-1', crit: ['x'], x: 1 });
      expect((await problemWith(`${header}.${payload}.${signature}`)).code).to.equal(
        'id_token_malformed',
      );
    });

    it('RFC 9700 §4.3 — a crit header that forges a line of the log', async () => {
      publish([jwk(first, 'key-1')]);
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
      ['whose header is no JSON', `${Buffer.from('x').toString('base64url')}.e30.AA`],
    ] as const) {
      it(`RFC 7519 §7.2 — a token that is ${title}`, async () => {
        expect((await problemWith(token)).code).to.equal('id_token_malformed');
      });
    }

    it('RFC 7519 §7.2 — claims that are no object', async () => {
      publish([jwk(first, 'key-1')]);
      const token = await sign(['x'] as unknown as JWTPayload);
      expect((await problemWith(token)).code).to.equal('id_token_malformed');
    });

    let kept: IdTokenVerifier | undefined;
    beforeEach(() => {
      kept = undefined;
    });
    function shared(): IdTokenVerifier {
      kept ??= verifier();
      return kept;
    }
  });

  describe('keys', () => {
    it('are asked for once for many tokens', async () => {
      let requests = 0;
      nock('https://acme.test')
        .get('/keys')
        .times(9)
        .reply(200, () => {
          requests += 1;
          return { keys: [jwk(first, 'key-1')] };
        });
      const verify = verifier();
      const token = await sign();
      await Promise.all(Array.from({ length: 5 }, () => verify(token, EXPECTED)));
      await verify(await sign(), EXPECTED);
      expect(requests).to.equal(1);
    });

    describe('that are asked for ahead', () => {
      const requests: (true | undefined)[] = [];
      let answer: () => Promise<HttpResponse>;
      const published = (): Promise<HttpResponse> => {
        const body = JSON.stringify({ keys: [jwk(first, 'key-1')] });
        return Promise.resolve({ status: 200, headers: {}, body });
      };
      const make = () =>
        createIdTokenVerifier(
          'https://acme.test/keys',
          async (_url, isAhead) => {
            requests.push(isAhead);
            return await answer();
          },
          60,
        );
      const { now: realTime } = performance;
      beforeEach(() => {
        requests.length = 0;
        answer = published;
      });
      afterEach(() => {
        performance.now = realTime;
      });
      /** Past the time in which nobody asks twice. */
      const later = () => {
        performance.now = () => realTime.call(performance) + 5001;
        const date = Date.now() + 5001;
        Date.now = () => date;
      };

      it('come once, and nobody waits for them', async () => {
        const verify = make();
        await verify.fetchAhead();
        expect(requests).to.deep.equal([true]);
        later();
        await verify.fetchAhead();
        expect(await verify(await sign(), EXPECTED)).to.include({ sub: 'auth0|zoe' });
        expect(requests).to.deep.equal([true]);
      });

      it('are not asked for by ten thousand starts while there are none', async () => {
        answer = () => Promise.reject(new Problem('connection_refused', 'nobody is there'));
        const verify = make();
        const starts = Array.from({ length: 10_000 }, () => verify.fetchAhead());
        const results = await Promise.allSettled(starts);
        expect(results.filter(({ status }) => status === 'rejected')).to.have.length(1);
        await verify.fetchAhead();
        expect(requests).to.deep.equal([true]);
        later();
        answer = published;
        await verify.fetchAhead();
        expect(requests).to.deep.equal([true, true]);
      });

      it('are asked for again by a login that needs them, which is waited for', async () => {
        answer = () => Promise.reject(new Problem('connection_refused', 'nobody is there'));
        const verify = make();
        await verify.fetchAhead().catch(() => {});
        answer = published;
        expect(await verify(await sign(), EXPECTED)).to.include({ sub: 'auth0|zoe' });
        expect(requests).to.deep.equal([true, undefined]);
      });

      it('are asked for again by a login that has waited for them with others, and in vain', async () => {
        let fail: ((problem: Problem) => void) | undefined;
        answer = () => new Promise((_resolve, reject) => (fail = reject));
        const verify = make();
        const ahead = verify.fetchAhead().catch(() => {});
        await pause(20);
        const verified = verify(await sign(), EXPECTED);
        await pause(20);
        expect(requests).to.deep.equal([true]);
        answer = published;
        fail?.(new Problem('timeout', 'its own deadline, not that of the login'));
        await ahead;
        expect(await verified).to.include({ sub: 'auth0|zoe' });
        expect(requests).to.deep.equal([true, undefined]);
      });

      it('are asked for again by a login that has waited for another one to get them', async () => {
        let fail: ((problem: Problem) => void) | undefined;
        answer = () => new Promise((_resolve, reject) => (fail = reject));
        const verify = make();
        const beginner = problemWith(await sign(), {}, verify);
        await pause(20);
        const joined = verify(await sign(), EXPECTED);
        await pause(20);
        expect(requests).to.deep.equal([undefined]);
        answer = published;
        fail?.(new Problem('timeout', 'the deadline of the first'));
        expect((await beginner).code).to.equal('timeout');
        expect(await joined).to.include({ sub: 'auth0|zoe' });
        expect(requests).to.deep.equal([undefined, undefined]);
      });

      it('are asked for once by a login that comes when others have given up', async () => {
        answer = () => Promise.reject(new Problem('connection_refused', 'nobody is there'));
        const verify = make();
        await verify.fetchAhead().catch(() => {});
        expect((await problemWith(await sign(), {}, verify)).code).to.equal('keys_unavailable');
        expect(requests).to.deep.equal([true, undefined]);
      });

      it('are not asked for a third time', async () => {
        const fails: ((problem: Problem) => void)[] = [];
        answer = () => new Promise((_resolve, reject) => fails.push(reject));
        const verify = make();
        const ahead = verify.fetchAhead().catch(() => {});
        await pause(20);
        const refused = problemWith(await sign(), {}, verify);
        await pause(20);
        fails[0]?.(new Problem('timeout', 'the first'));
        await ahead;
        await pause(20);
        fails[1]?.(new Problem('connection_refused', 'the second'));
        expect((await refused).message).to.contain('the second');
        expect(requests).to.deep.equal([true, undefined]);
      });
    });

    it('are too late by the name of a timeout', async () => {
      const late = () => Promise.reject(new Problem('timeout', 'no answer in time'));
      const verify = createIdTokenVerifier('https://acme.test/keys', late, 60);
      const problem = await problemWith(await sign(), {}, verify);
      expect(problem.code).to.equal('timeout');
      expect(problem.message).to.equal('the signing keys are unavailable: no answer in time');
    });

    it('are asked for again for a new kid, when the provider has rotated them', async () => {
      publish([jwk(first, 'key-1')], [jwk(second, 'key-2')]);
      const verify = verifier();
      await verify(await sign(), EXPECTED);
      Date.now = () => realNow() + 31_000;
      const token = await sign(claims(), { kid: 'key-2' }, second.privateKey);
      expect((await verify(token, EXPECTED)).sub).to.equal('auth0|zoe');
      expect(nock.isDone()).to.equal(true);
    });

    it('are not asked for again for each forged kid', async () => {
      publish([jwk(first, 'key-1')]);
      const verify = verifier();
      await verify(await sign(), EXPECTED);
      for (const kid of ['forged-1', 'forged-2']) {
        const token = await sign(claims(), { kid }, second.privateKey);
        // A second request would be refused by nock, as keys_unavailable.
        expect((await problemWith(token, {}, verify)).code).to.equal('id_token_unknown_key');
      }
    });

    for (const [title, reply] of [
      ['answers 500', (scope: nock.Interceptor) => scope.reply(500, 'down')],
      ['answers 404', (scope: nock.Interceptor) => scope.reply(404, 'no')],
      [
        'redirects',
        (scope: nock.Interceptor) => scope.reply(302, '', { location: 'https://evil.test' }),
      ],
      ['answers no JSON', (scope: nock.Interceptor) => scope.reply(200, '<html>')],
      ['answers no key set', (scope: nock.Interceptor) => scope.reply(200, { keys: 'none' })],
      ['answers a list', (scope: nock.Interceptor) => scope.reply(200, '[]')],
      [
        'cannot be reached',
        (scope: nock.Interceptor) =>
          scope.replyWithError(Object.assign(new Error('x'), { code: 'ECONNREFUSED' })),
      ],
    ] as const) {
      it(`are unavailable when their endpoint ${title}`, async () => {
        reply(nock('https://acme.test').get('/keys'));
        expect((await problemWith(await sign())).code).to.equal('keys_unavailable');
      });
    }

    it('are unavailable when asking for them is broken off', async () => {
      const broken = createIdTokenVerifier(
        'https://acme.test/keys',
        () => Promise.reject(new DOMException('too late', 'TimeoutError')),
        60,
      );
      expect((await problemWith(await sign(), {}, broken)).code).to.equal('keys_unavailable');
    });

    for (const [title, key] of [
      ['broken', { kty: 'RSA', kid: 'key-1', n: '!!', e: 'AQAB' }],
      ['incomplete', { kty: 'RSA', kid: 'key-1', e: 'AQAB' }],
    ] as const) {
      it(`are unavailable when the one that is needed is ${title}`, async () => {
        publish([key]);
        expect((await problemWith(await sign())).code).to.equal('keys_unavailable');
      });
    }

    it('RFC 7518 §3.3 — are unavailable when the one that is needed is too short', async () => {
      const short = generateKeyPairSync('rsa', { modulusLength: 1024 });
      publish([jwk(short, 'key-1')]);
      expect((await problemWith(await sign())).code).to.equal('keys_unavailable');
    });

    it('are asked for again after they were unavailable', async () => {
      nock('https://acme.test').get('/keys').reply(503);
      publish([jwk(first, 'key-1')]);
      const verify = verifier();
      expect((await problemWith(await sign(), {}, verify)).code).to.equal('keys_unavailable');
      expect((await verify(await sign(), EXPECTED)).sub).to.equal('auth0|zoe');
    });

    it('say how long to wait when the provider does', async () => {
      nock('https://acme.test').get('/keys').reply(429, '', { 'retry-after': '9' });
      const problem = await problemWith(await sign());
      expect(problem.code).to.equal('keys_unavailable');
      expect(problem.details).to.include({ status: 429, retryAfterSeconds: 9 });
    });

    it('of private parts are never printed', async () => {
      publish([first.privateKey.export({ format: 'jwk' })]);
      const { d } = createPrivateKey(
        first.privateKey.export({ type: 'pkcs8', format: 'pem' }),
      ).export({ format: 'jwk' });
      const problem = await problemWith(await sign(claims(), { kid: undefined }));
      expect(problem.stack).not.to.include(d);
    });
  });
});
