import { expect } from 'chai';
import nock = require('nock');
import { OAuth2Client, clientCredentials, staticToken } from '../../dist/index';
import type { TokenSource } from '../../dist/index';
import { CREDENTIALS, ORIGIN, acme, mockTheNetwork, formOf, rejection } from '../support';
import { HOUR, atAnotherTime, skipping } from './support';

describe('static token', () => {
  it('salesloft 2.3 — is the key, also after a 401', async () => {
    const source = staticToken('ak_123');
    expect(await source.getAccessToken()).to.equal('ak_123');
    expect(await source.getAccessToken({ rejected: 'ak_123' })).to.equal('ak_123');
    expect(source).not.to.have.property('provider');
    expect(source.kind).to.equal('api key');
    expect(source).to.be.frozen;
  });

  const wrong: [string, unknown][] = [
    ['was not set', undefined],
    ['is empty', ''],
    ['is not a text', 5],
    ['ends in a newline, as a file does', 'ak_123\n'],
    ['has a space before it', ' ak_123'],
    ['is in quotes that are not ASCII', '“ak_123”'],
    ['would make another header', 'ak_123\r\nx: y'],
    ['has a control character', 'ak\u007f'],
  ];
  for (const [title, key] of wrong) {
    it(`TypeError — a key that ${title}, which the message does not quote`, () => {
      expect(() => staticToken(key as string))
        .to.throw(TypeError, /^staticToken: (option "apiKey"|the key) /)
        .with.property('message')
        .that.does.not.include('ak_');
    });
  }
});

describe('client credentials', () => {
  mockTheNetwork();

  const asked: Record<string, string>[] = [];
  beforeEach(() => {
    asked.length = 0;
  });

  /** Answers the next request; with a number, by this status. */
  function answer(token: string | number, expiresIn = 3600, delay = 0): void {
    const isToken = typeof token === 'string';
    nock(ORIGIN)
      .post('/token', (body) => asked.push(formOf(body)) > 0)
      .delay(delay)
      .reply(
        isToken ? 200 : token,
        isToken ? { access_token: token, token_type: 'Bearer', expires_in: expiresIn } : '',
      );
  }

  const make = (options?: Parameters<typeof clientCredentials>[1]) =>
    clientCredentials(new OAuth2Client(acme, { ...CREDENTIALS, timeout: 500 }), options);

  const later = (shift: number, source: TokenSource, rejected?: string) =>
    atAnotherTime(shift, () => source.getAccessToken(rejected === undefined ? {} : { rejected }));

  it('RFC 6749 §4.4 — sends one request for all callers at once, with scope and parameters', async () => {
    answer('one', 3600, 20);
    const source = make({ scope: ['read', 'write'], parameters: { audience: 'api' } });
    const all = await Promise.all(Array.from({ length: 100 }, () => source.getAccessToken()));
    expect(new Set(all)).to.deep.equal(new Set(['one']));
    expect(asked).to.have.length(1);
    expect(asked[0]).to.include({
      grant_type: 'client_credentials',
      scope: 'read write',
      audience: 'api',
    });
    expect(source.provider).to.equal(acme);
    expect(source).to.be.frozen;
    expect(await source.getTokens?.()).to.include({ accessToken: 'one', tokenType: 'Bearer' });
  });

  it('RFC 6749 §4.4 — keeps a token until five minutes before its end', async () => {
    const source = make();
    answer('one');
    expect(await source.getAccessToken()).to.equal('one');
    expect(await later(HOUR - 310_000, source)).to.equal('one');
    answer('two');
    expect(await later(HOUR - 299_000, source)).to.equal('two');
    expect(asked).to.have.length(2);
  });

  it('RFC 6750 §3.1 — replaces a token that the API has refused, once', async () => {
    const source = make();
    answer('one');
    await source.getAccessToken();
    expect(await source.getAccessToken({ rejected: 'one' }), 'it has only just come').to.equal(
      'one',
    );
    answer('two', 3600, 20);
    const ask = () => source.getAccessToken({ rejected: 'one' });
    expect(await atAnotherTime(10_000, () => Promise.all([ask(), ask()]))).to.deep.equal([
      'two',
      'two',
    ]);
    expect(await later(20_000, source, 'one')).to.equal('two');
    expect(asked).to.have.length(2);
  });

  it('RFC 6750 §3.1 — replaces tokens that were never good ever less often', async () => {
    const source = make();
    answer('one');
    let held = await source.getAccessToken();
    for (const [minutes, expected] of [
      [1, 'two'],
      [1.9, 'two'],
      [2.1, 'three'],
      [4, 'three'],
      [4.2, 'four'],
    ] as const) {
      if (expected !== held) answer(expected);
      held = await later(minutes * 60_000, source, held);
      expect(held).to.equal(expected);
    }
  });

  it('provider_unavailable — is not reported while the token is usable, and not asked about again', async () => {
    const source = make();
    answer('one');
    await source.getAccessToken();
    answer(503);
    const soon = HOUR - 200_000;
    expect(await later(soon, source)).to.equal('one');
    answer('two');
    expect(await later(soon, source), 'asks no more for a while').to.equal('one');
    expect(asked).to.have.length(2);

    await skipping(async (skip) => {
      skip(30_001);
      expect(await later(soon, source)).to.equal('two');
    });
  });

  it('provider_unavailable — is reported without a usable token, and asked about again', async () => {
    const source = make();
    answer(503);
    expect(await rejection(source.getAccessToken())).to.include({
      code: 'provider_unavailable',
      stage: 'client_credentials',
      provider: 'acme',
    });
    answer('one');
    expect(await source.getAccessToken()).to.equal('one');
    answer(503);
    expect((await rejection(later(HOUR, source))).code).to.equal('provider_unavailable');
    answer(503);
    expect((await rejection(later(10_000, source, 'one'))).code).to.equal('provider_unavailable');
    expect(asked).to.have.length(4);
  });

  const refusals = [
    'invalid_client',
    'invalid_client_id',
    'unauthorized_client',
    'invalid_grant',
    'access_denied',
    'invalid_scope',
  ];
  for (const code of refusals) {
    it(`RFC 6749 §5.2 — ${code} is asked about once in half a minute`, async () => {
      const source = make();
      nock(ORIGIN).post('/token').reply(401, { error: code });
      for (let call = 0; call < 40; call += 1) {
        expect(await rejection(source.getAccessToken())).to.include({ code, status: 401 });
      }
      answer('another');
      expect(await make().getAccessToken()).to.equal('another');
      await skipping(async (skip) => {
        skip(29_000);
        expect(await rejection(source.getAccessToken())).to.include({ code });
        skip(1001);
        answer('one');
        expect(await source.getAccessToken()).to.equal('one');
      });
    });
  }

  it('RFC 9110 §10.2.3 — a provider that asks to wait is not asked earlier, and at most half a minute later', async () => {
    for (const [seconds, lasts] of [
      [7, 7],
      [7200, 30],
    ] as const) {
      const source = make();
      nock(ORIGIN)
        .post('/token')
        .reply(429, {}, { 'retry-after': String(seconds) });
      for (let call = 0; call < 40; call += 1) {
        expect(await rejection(source.getAccessToken())).to.include({
          code: 'rate_limited',
          retryAfterSeconds: seconds,
        });
      }
      await skipping(async (skip) => {
        skip(lasts * 1000 + 1);
        answer('one');
        expect(await source.getAccessToken()).to.equal('one');
      });
    }
  });

  it('temporarily_unavailable — says nothing of the next request', async () => {
    const source = make();
    nock(ORIGIN).post('/token').reply(503, { error: 'temporarily_unavailable' });
    expect(await rejection(source.getAccessToken())).to.include({
      code: 'temporarily_unavailable',
    });
    answer('one');
    expect(await source.getAccessToken()).to.equal('one');
  });

  it('a clock set back by hours — a new token is requested', async () => {
    const source = make();
    answer('one');
    await source.getAccessToken();
    answer('two');
    expect(await later(-2 * HOUR, source)).to.equal('two');
  });
});
