import { expect } from 'chai';
import { LOGIN_ATTEMPT_LIFETIME, createLoginAttempt } from '../../dist/protocol/login-attempt';

describe('login attempt', () => {
  it('RFC 9700 §2.1.1 — has a state and a verifier of its own each time', () => {
    const attempts = Array.from({ length: 50 }, () =>
      createLoginAttempt({ client: 'c', idToken: true }),
    );
    for (const key of ['state', 'codeVerifier', 'nonce'] as const) {
      expect(new Set(attempts.map((attempt) => attempt[key])).size, key).to.equal(50);
    }
    const [first] = attempts;
    expect(first?.state).to.match(/^[\w-]{32}$/);
    expect(first?.codeVerifier).to.match(/^[\w-]{43}$/);
    expect(first?.nonce).to.match(/^[\w-]{32}$/);
  });

  it('lives for ten minutes', () => {
    const before = Date.now();
    const { expiresAt } = createLoginAttempt({ client: 'c', idToken: false });
    expect(LOGIN_ATTEMPT_LIFETIME).to.equal(600_000);
    expect(expiresAt).to.be.within(before + 600_000, Date.now() + 600_000);
  });

  it('OIDC Core §3.1.2.1 — has a nonce only for an ID Token, and no keys without values', () => {
    const attempt = createLoginAttempt({ client: 'c', idToken: false, appState: undefined });
    expect(Object.keys(attempt)).to.have.members(['state', 'codeVerifier', 'client', 'expiresAt']);
  });

  it('keeps what the caller decides', () => {
    const details = {
      client: 'c',
      redirectUri: 'https://app.test/cb',
      maxAge: 0,
      organization: 'org_1',
      appState: null,
    };
    expect(createLoginAttempt({ ...details, idToken: false })).to.include(details);
  });
});
