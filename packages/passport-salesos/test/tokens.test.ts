import { expect } from 'chai';
import { salesos } from '../dist/provider';

const rateLimit = (headers: Record<string, string>) => salesos.rateLimit?.((name) => headers[name]);

describe("SalesOS tokens' later life", () => {
  it('salesos 8 — how often it may be asked, and from when on again', () => {
    expect(
      rateLimit({
        'x-ratelimit-limit': '10',
        'x-ratelimit-remaining': '7',
        'x-ratelimit-reset': '1767225600',
      }),
    ).to.deep.equal({ limit: 10, remaining: 7, resetsAt: 1_767_225_600_000 });
  });

  for (const value of ['', '-1', '1.5', 'many', '9'.repeat(16)]) {
    it(`salesos 8 — no figure is better than ${JSON.stringify(value)}`, () => {
      const limit = rateLimit({
        'x-ratelimit-limit': value,
        'x-ratelimit-remaining': value,
        'x-ratelimit-reset': value,
      });
      expect(Object.values(limit ?? {}).filter((figure) => figure !== undefined)).to.be.empty;
    });
  }

  it('salesos 4.2 — a refresh token ends thirty days after the login', () => {
    expect(salesos.refreshTokenLifetime).to.deep.equal({ absolute: 30 * 86_400 });
  });
});
