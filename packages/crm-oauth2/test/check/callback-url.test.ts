/** The form of the callback URL. */
import { expect } from 'chai';
import { checkCallbackUrl } from '../../dist/check/callback-url';

const check = (url: string | undefined) =>
  checkCallbackUrl(url, 'ACME_CALLBACK_URL', '/auth/acme/callback');

describe('callback URL of a set-up', () => {
  for (const url of [
    'https://app.test/auth/acme/callback',
    'http://localhost:3000/auth/acme/callback',
    'http://127.0.0.1/cb',
    'http://[::1]:3000/cb',
    'https://app.test/cb?tenant=1',
  ]) {
    it(`RFC 6749 §3.1.2 — ${url} has the right form`, () => {
      expect(check(url)).to.deep.equal([
        {
          part: 'callback',
          verdict: 'right',
          says: `The callback URL ${url} has the right form.`,
        },
      ]);
    });
  }

  for (const [url, says] of [
    [
      'http://app.test/cb',
      'The callback URL http://app.test/cb is plain http. Codes may go over http to this machine only.',
    ],
    [
      'https://app.test/cb#done',
      'ACME_CALLBACK_URL must have no fragment; leave out "#" and the rest.',
    ],
    [
      'https://app.test/undefined/cb',
      'ACME_CALLBACK_URL has a part "undefined": a variable was probably not set.',
    ],
    [
      'app.test/cb',
      'ACME_CALLBACK_URL must be an absolute URL, such as "https://app.test/cb", or a path that begins with one slash.',
    ],
    [
      'https://app.test/cb?state=1&code=2',
      'The callback URL has a parameter "code", "state", which the answer of the provider has too.',
    ],
  ] as const) {
    it(`RFC 6749 §3.1.2 — refuses ${url}`, () => {
      const [finding, ...more] = check(url);
      expect(finding).to.include({ part: 'callback', verdict: 'wrong', says });
      expect(more).to.deep.equal([]);
    });
  }

  it('remedies — say where to write https, and how to name a parameter', () => {
    expect(check('http://app.test/cb')[0]?.mend).to.equal(
      'Write https, in ACME_CALLBACK_URL and in the app at the provider.',
    );
    expect(check('https://app.test/cb?iss=1')[0]?.mend).to.equal(
      'Give the parameter another name, or leave it out.',
    );
  });

  it('missing — is not checked, and the usual one is shown', () => {
    expect(check(undefined)).to.deep.equal([
      {
        part: 'callback',
        verdict: 'unknown',
        says: 'ACME_CALLBACK_URL is not set, so the callback URL is not checked.',
        mend: 'Set it, or pass --callback URL, such as http://localhost:3000/auth/acme/callback.',
      },
    ]);
  });

  it('a path — is resolved with each request', () => {
    const [finding, ...more] = check('/auth/acme/callback');
    expect(finding).to.include({ verdict: 'note' });
    expect(finding?.mend).to.contain('--callback');
    expect(more).to.deep.equal([]);
  });

  it('no path — is right, with advice', () => {
    const found = check('https://app.test');
    expect(found.map(({ verdict }) => verdict)).to.deep.equal(['right', 'note']);
    expect(found[1]).to.deep.include({
      says: 'The callback URL has no path.',
      mend: 'Give the callback a route of its own, such as /auth/acme/callback.',
    });
  });
});
