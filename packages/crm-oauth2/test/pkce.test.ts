import { expect } from 'chai';
import { codeChallenge, createCodeVerifier, randomToken } from '../dist/pkce';

describe('pkce', () => {
  it('RFC 7636 §4.2 — derives the challenge of Appendix B from its verifier', () => {
    expect(codeChallenge('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk')).to.equal(
      'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    );
  });

  it('RFC 7636 §4.1 — makes verifiers of 43 unreserved characters', () => {
    for (let i = 0; i < 100; i += 1) expect(createCodeVerifier()).to.match(/^[A-Za-z0-9_-]{43}$/);
  });

  it('RFC 6749 §10.10 — makes states of 32 characters, 192 bits', () => {
    for (let i = 0; i < 100; i += 1) expect(randomToken()).to.match(/^[A-Za-z0-9_-]{32}$/);
  });

  it('RFC 7636 §7.1 — never makes the same verifier or state twice', () => {
    const made = Array.from({ length: 1000 }, () => [createCodeVerifier(), randomToken()]).flat();
    expect(new Set(made).size).to.equal(2000);
  });
});
