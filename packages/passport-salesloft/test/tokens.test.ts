import { expect } from 'chai';
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

  it('salesloft 4.2 — refresh tokens have no known end, and every answer says how long it lives', () => {
    expect(salesloft.refreshTokenLifetime).to.equal(undefined);
    expect(salesloft.assumedLifetime).to.equal(undefined);
  });
});
