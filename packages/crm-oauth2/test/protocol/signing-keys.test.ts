import { expect } from 'chai';
import { createPrivateKey } from 'node:crypto';
import type { JWTPayload } from 'jose';
import nock = require('nock');
import { Problem } from '../../dist/errors/problem';
import type { HttpResponse } from '../../dist/wire/http';
import { mockTheNetwork, pause } from '../support';
import {
  EXPECTED,
  ISSUER,
  claims,
  jwk,
  problemWith,
  publishKeys,
  rsaKeys,
  sign as signWith,
  verifier,
} from './support';
import type { KeyPair } from './support';

describe('signing keys', () => {
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

  it('are kept for ten minutes, to the millisecond', async () => {
    const moment = Date.now();
    Date.now = () => moment;
    publishKeys([jwk(first, 'key-1')]);
    const verify = verifier();
    await verify(await sign(), EXPECTED);
    publishKeys([jwk(first, 'key-1')]);
    Date.now = () => moment + 599_999;
    await verify(await sign(), EXPECTED);
    expect(nock.isDone()).to.equal(false);
    Date.now = () => moment + 600_000;
    await verify(await sign(), EXPECTED);
    expect(nock.isDone()).to.equal(true);
  });

  it('are not kept when the clock has been set back, however long it takes to catch up', async () => {
    publishKeys([jwk(first, 'key-1')], [jwk(second, 'key-2')]);
    const verify = verifier();
    const token = await sign();
    await verify(token, EXPECTED);
    Date.now = () => realNow() - 10_000;
    expect((await problemWith(token, {}, verify)).code).to.equal('id_token_unknown_key');
  });

  it('no longer count once the provider has withdrawn them, after ten minutes', async () => {
    publishKeys([jwk(first, 'key-1')], [jwk(second, 'key-2')]);
    const verify = verifier();
    await verify(await sign(), EXPECTED);
    Date.now = () => realNow() + 600_000;
    expect((await problemWith(await sign(), {}, verify)).code).to.equal('id_token_unknown_key');
  });

  it('of ten minutes ago are not used when new ones cannot be fetched', async () => {
    publishKeys([jwk(first, 'key-1')]);
    const verify = verifier();
    await verify(await sign(), EXPECTED);
    Date.now = () => realNow() + 600_000;
    nock('https://acme.test').get('/keys').reply(503);
    expect((await problemWith(await sign(), {}, verify)).code).to.equal('keys_unavailable');
  });

  it('are asked for again for an unknown kid after five seconds, to the millisecond', async () => {
    const moment = Date.now();
    Date.now = () => moment;
    publishKeys([jwk(first, 'key-1')]);
    const verify = verifier();
    await verify(await sign(), EXPECTED);
    publishKeys([jwk(first, 'key-1'), jwk(second, 'key-2')]);
    const token = await sign(claims(), { kid: 'key-2' }, second.privateKey);
    Date.now = () => moment + 4999;
    expect((await problemWith(token, {}, verify)).code).to.equal('id_token_unknown_key');
    Date.now = () => moment + 5000;
    expect((await verify(token, EXPECTED)).sub).to.equal('auth0|zoe');
  });

  it('are asked for once by many logins that all name a new kid', async () => {
    publishKeys([jwk(first, 'key-1')], [jwk(second, 'key-2')]);
    const verify = verifier();
    await verify(await sign(), EXPECTED);
    Date.now = () => realNow() + 31_000;
    const token = await sign(claims(), { kid: 'key-2' }, second.privateKey);
    // A third request would be refused by nock, as keys_unavailable.
    const verified = await Promise.all(Array.from({ length: 5 }, () => verify(token, EXPECTED)));
    expect(verified.map(({ sub }) => sub)).to.deep.equal(Array(5).fill('auth0|zoe'));
  });

  describe('that are asked for ahead', () => {
    const requests: (true | undefined)[] = [];
    let answer: () => Promise<HttpResponse>;
    const published = (): Promise<HttpResponse> => {
      const body = JSON.stringify({ keys: [jwk(first, 'key-1')] });
      return Promise.resolve({ status: 200, headers: {}, body });
    };
    const make = () =>
      verifier({
        fetchKeys: async ({ isBackground }) => {
          requests.push(isBackground);
          return await answer();
        },
      });
    beforeEach(() => {
      requests.length = 0;
      answer = published;
    });
    /** Past the time in which the keys are not asked for twice. */
    const later = () => {
      const date = Date.now() + 5001;
      Date.now = () => date;
    };

    it('come once, and no login waits for them', async () => {
      const verify = make();
      await verify.fetchAhead();
      expect(requests).to.deep.equal([true]);
      later();
      await verify.fetchAhead();
      expect(await verify(await sign(), EXPECTED)).to.include({ sub: 'auth0|zoe' });
      expect(requests).to.deep.equal([true]);
    });

    for (const [what, early] of [
      ['no key yet', []],
      ['the key before', [{ kid: 'key-0' }]],
    ] as const) {
      it(`hold ${what}: the first login gets the one that its token names`, async () => {
        const keys = early.map(({ kid }) => jwk(second, kid));
        answer = () =>
          Promise.resolve({ status: 200, headers: {}, body: JSON.stringify({ keys }) });
        const verify = make();
        await verify.fetchAhead();
        answer = published;
        expect(await verify(await sign(), EXPECTED)).to.include({ sub: 'auth0|zoe' });
        expect(requests).to.deep.equal([true, undefined]);
        // From here on, the keys are those that a login asked for.
        const forged = await sign(claims(), { kid: 'forged' }, second.privateKey);
        expect((await problemWith(forged, {}, verify)).code).to.equal('id_token_unknown_key');
        expect(requests).to.deep.equal([true, undefined]);
      });
    }

    it('are asked for once more by many logins that all miss the same key', async () => {
      answer = () => Promise.resolve({ status: 200, headers: {}, body: '{"keys":[]}' });
      const verify = make();
      await verify.fetchAhead();
      answer = published;
      const token = await sign();
      await Promise.all(Array.from({ length: 5 }, () => verify(token, EXPECTED)));
      expect(requests).to.deep.equal([true, undefined]);
    });

    it('are asked for again when the clock has been set back', async () => {
      const moment = Date.now();
      const verify = make();
      await verify.fetchAhead();
      Date.now = () => moment - 3_600_000;
      await verify.fetchAhead();
      expect(requests).to.deep.equal([true, true]);
    });

    it('are not asked for by ten thousand starts while there are none', async () => {
      answer = () => Promise.reject(new Problem('connection_refused', 'nothing listens there'));
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
      answer = () => Promise.reject(new Problem('connection_refused', 'nothing listens there'));
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
      answer = () => Promise.reject(new Problem('connection_refused', 'nothing listens there'));
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

  describe('of several issuers', () => {
    const asked: (string | undefined)[] = [];
    const verify = () => {
      asked.length = 0;
      return verifier({
        fetchKeys: ({ jwksUri }) => {
          asked.push(jwksUri);
          const keys = [jwk(jwksUri === 'https://b.test/keys' ? second : first, 'key-1')];
          return Promise.resolve({ status: 200, headers: {}, body: JSON.stringify({ keys }) });
        },
      });
    };
    const several = {
      ...EXPECTED,
      issuers: [ISSUER, 'https://b.test'],
      keysOf: (issuer: string) => (issuer === ISSUER ? undefined : `${issuer}/keys`),
    };
    const ofB = (key = second.privateKey) => sign(claims({ iss: 'https://b.test' }), {}, key);

    it('are asked for where the issuer of the token publishes them, and kept apart', async () => {
      const verified = verify();
      for (const token of [await sign(), await ofB(), await sign(), await ofB()]) {
        await verified(token, several);
      }
      expect(asked).to.deep.equal([undefined, 'https://b.test/keys']);
    });

    it('RFC 8725 §3.8 — verify the tokens of that issuer only', async () => {
      const stolen = await problemWith(await ofB(first.privateKey), several, verify());
      expect(stolen.code).to.equal('id_token_signature');
      const posed = await problemWith(
        await sign(claims(), {}, second.privateKey),
        several,
        verify(),
      );
      expect(posed.code).to.equal('id_token_signature');
    });

    it('are never asked for where an issuer that is not expected says', async () => {
      const problem = await problemWith(
        await sign(claims({ iss: 'https://evil.test' })),
        several,
        verify(),
      );
      expect(problem.code).to.equal('id_token_issuer');
      expect(asked).to.deep.equal([undefined]);
    });

    it('are kept for five hundred issuers, and those that were used longest ago are forgotten', async () => {
      const verified = verify();
      const loginOf = async (number: number) => {
        const iss = `https://org-${number}.test`;
        const keysOf = () => `${iss}/keys`;
        await verified(await sign(claims({ iss })), { ...EXPECTED, issuers: [iss], keysOf });
      };
      for (let number = 0; number < 500; number += 1) await loginOf(number);
      for (let number = 0; number < 500; number += 1) await loginOf(number);
      expect(asked).to.have.length(500);
      for (let number = 500; number < 1500; number += 1) {
        await loginOf(number);
        await loginOf(0);
      }
      expect(asked).to.have.length(1500);
      await loginOf(1);
      expect(asked).to.have.length(1501);
    });
  });

  it('RFC 7517 §5 — are imported with the key set where it is fetched ahead, at most ten', async () => {
    const { subtle } = globalThis.crypto;
    const own = subtle.importKey.bind(subtle);
    let imports = 0;
    subtle.importKey = ((...how: Parameters<typeof own>) => {
      imports += 1;
      return own(...how);
    }) as typeof own;
    try {
      const keys = Array.from({ length: 12 }, (_, index) => jwk(first, `key-${index}`));
      publishKeys([{ kty: 'RSA', kid: 'broken', alg: 'RS256', n: '!!', e: 'AQAB' }, ...keys]);
      const verify = verifier();
      await verify.fetchAhead();
      // One of them is broken, which a login with another key does not meet.
      expect(imports).to.equal(10);
      expect((await verify(await sign(), EXPECTED)).sub).to.equal('auth0|zoe');
      expect(imports).to.equal(10);
    } finally {
      Reflect.deleteProperty(subtle, 'importKey');
    }
  });

  it('are too late by the name of a timeout', async () => {
    const late = () => Promise.reject(new Problem('timeout', 'no answer in time'));
    const verify = verifier({ fetchKeys: late });
    const problem = await problemWith(await sign(), {}, verify);
    expect(problem.code).to.equal('timeout');
    expect(problem.message).to.equal('the signing keys are unavailable: no answer in time');
  });

  it('are asked for again for a new kid, when the provider has rotated them', async () => {
    publishKeys([jwk(first, 'key-1')], [jwk(second, 'key-2')]);
    const verify = verifier();
    await verify(await sign(), EXPECTED);
    Date.now = () => realNow() + 31_000;
    const token = await sign(claims(), { kid: 'key-2' }, second.privateKey);
    expect((await verify(token, EXPECTED)).sub).to.equal('auth0|zoe');
    expect(nock.isDone()).to.equal(true);
  });

  it('are not asked for again for each forged kid', async () => {
    publishKeys([jwk(first, 'key-1')]);
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
    ['answers a web page', (scope: nock.Interceptor) => scope.reply(200, '<html>')],
    [
      'answers something else than a key set',
      (scope: nock.Interceptor) => scope.reply(200, { keys: 'none' }),
    ],
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
    const broken = verifier({
      fetchKeys: () => Promise.reject(new DOMException('too late', 'TimeoutError')),
    });
    expect((await problemWith(await sign(), {}, broken)).code).to.equal('keys_unavailable');
  });

  for (const [title, key] of [
    ['broken', { kty: 'RSA', kid: 'key-1', n: '!!', e: 'AQAB' }],
    ['incomplete', { kty: 'RSA', kid: 'key-1', e: 'AQAB' }],
  ] as const) {
    it(`are unavailable when the one that is needed is ${title}`, async () => {
      publishKeys([key]);
      expect((await problemWith(await sign())).code).to.equal('keys_unavailable');
    });
  }

  it('RFC 7518 §3.3 — are unavailable when the one that is needed is too short', async () => {
    const short = rsaKeys(1024);
    publishKeys([jwk(short, 'key-1')]);
    expect((await problemWith(await sign())).code).to.equal('keys_unavailable');
  });

  it('are asked for again after they were unavailable', async () => {
    nock('https://acme.test').get('/keys').reply(503);
    publishKeys([jwk(first, 'key-1')]);
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
    publishKeys([first.privateKey.export({ format: 'jwk' })]);
    const { d } = createPrivateKey(
      first.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    ).export({ format: 'jwk' });
    const problem = await problemWith(await sign(claims(), { kid: undefined }));
    expect(problem.stack).not.to.include(d);
  });
});
