import { expect } from 'chai';
import { authorizedFetch, staticToken } from 'crm-oauth2';
import { rejection } from 'crm-oauth2/testing';
import { salesloft } from '../dist/provider';

const rateLimit = (headers: Record<string, string>) =>
  salesloft.rateLimit?.((name) => headers[name]);

describe("Salesloft tokens' later life", () => {
  it('salesloft 8 — points left in this minute, and what a request cost', () => {
    expect(
      rateLimit({ 'x-ratelimit-remaining-minute': '597', 'x-ratelimit-endpoint-cost': '3' }),
    ).to.deep.include({ remaining: 597, cost: 3 });
  });

  it('salesloft 8 — the points come back with the next minute of Salesloft’s clock', () => {
    const headers = { 'x-ratelimit-remaining-minute': '0' };
    const { resetsAt = 0 } = rateLimit(headers) ?? {};
    expect(resetsAt - Date.now()).to.be.within(-1000, 60_000);
    const date = 'Sun, 29 Nov 2026 01:02:48 GMT';
    const { resetsAt: byServer = 0 } = rateLimit({ ...headers, date }) ?? {};
    expect(byServer - Date.now()).to.be.within(11_000, 12_000);
    expect(rateLimit({ date })?.resetsAt).to.equal(undefined);
  });

  for (const value of ['', '-1', '1.5', 'many', '9'.repeat(16)]) {
    it(`salesloft 8 — no figure is better than ${JSON.stringify(value)}`, () => {
      const limit = rateLimit({
        'x-ratelimit-remaining-minute': value,
        'x-ratelimit-endpoint-cost': value,
      });
      expect(limit?.remaining).to.equal(undefined);
      expect(limit?.cost).to.equal(undefined);
    });
  }

  for (const [source, hint] of [
    [staticToken('ak_1'), /key/],
    [{ getAccessToken: async () => await Promise.resolve('one') }, /log in again/],
  ] as const) {
    it(`a refused token is not said to need a refresh, which was tried: ${hint.source}`, async () => {
      const fetch = async () => await Promise.resolve(new Response('', { status: 401 }));
      const api = authorizedFetch(source, {
        baseURL: 'https://a.example',
        provider: salesloft,
        fetch,
      });
      const error = await rejection(api.json('x'));
      expect(error).to.include({ code: 'invalid_token', provider: 'salesloft' });
      expect(error.hint)
        .to.match(hint)
        .and.not.match(/refresh/i);
    });
  }

  it('salesloft 4.2 — refresh tokens have no known end, and every answer says how long it lives', () => {
    expect(salesloft.refreshTokenLifetime).to.equal(undefined);
    expect(salesloft.assumedLifetime).to.equal(undefined);
  });
});
