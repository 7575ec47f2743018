import { expect } from 'chai';
import { codeChallenge, randomTexts } from '../../dist/protocol/pkce';

describe('pkce', () => {
  it('RFC 7636 §4.2 — derives the challenge of Appendix B from its verifier', () => {
    expect(codeChallenge('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk')).to.equal(
      'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    );
  });

  it('RFC 7636 §4.1 — makes verifiers of 43 unreserved characters', () => {
    for (let i = 0; i < 100; i += 1) {
      expect(randomTexts().codeVerifier).to.match(/^[A-Za-z0-9_-]{43}$/);
    }
  });

  it('RFC 6749 §10.10 — makes states and nonces of 32 characters, 192 bits', () => {
    for (let i = 0; i < 100; i += 1) {
      const { state, nonce } = randomTexts();
      expect(state).to.match(/^[A-Za-z0-9_-]{32}$/);
      expect(nonce).to.match(/^[A-Za-z0-9_-]{32}$/);
    }
  });

  it('RFC 7636 §7.1 — never makes the same text twice, nor one that is part of another', () => {
    const made = Array.from({ length: 1000 }, () => Object.values(randomTexts())).flat();
    expect(new Set(made).size).to.equal(3000);
    // Ten characters would repeat by chance once in 10^17 runs; a shared byte range would every time.
    expect(new Set(made.map((text) => text.slice(0, 10))).size).to.equal(3000);
    expect(new Set(made.map((text) => text.slice(-10))).size).to.equal(3000);
  });
});
