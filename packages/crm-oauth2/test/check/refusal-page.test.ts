/** The answer to an authorization request, read without a person. */
import { expect } from 'chai';
import { comparable, readPage } from '../../dist/check/refusal-page';

const ASKED = new URL('https://id.acme.test/authorize?client_id=client-1');

const read = (status: number, { location = '', body = '' }, sent: string[] = []) =>
  readPage({ status, headers: location === '' ? {} : { location }, body }, ASKED, sent);

describe('page of an authorization request', () => {
  for (const [status, answer] of [
    [200, { body: '<h1>Sign in</h1>' }],
    [302, { location: '/sign-in?client_id=1' }],
    [303, { location: 'https://sso.acme.test/' }],
    [302, {}],
  ] as const) {
    it(`RFC 6749 §3.1 — ${status} ${JSON.stringify(answer)} asks a person`, () => {
      expect(read(status, answer)).to.deep.equal({ kind: 'asks', status, words: '' });
    });
  }

  it('RFC 6749 §4.1.2.1 — an error in the address refuses', () => {
    const location = 'https://app.test/cb?error=invalid_scope&error_description=no+such+scope';
    expect(read(302, { location })).to.deep.equal({
      kind: 'refuses',
      status: 302,
      error: 'invalid_scope',
      description: 'no such scope',
      words: 'invalid_scope no such scope',
    });
  });

  it('RFC 6749 §4.1.2.1 — so does one in the address of a page of the provider', () => {
    const page = read(302, { location: '/oops?error=invalid_client_id' });
    expect(page).to.include({ kind: 'refuses', error: 'invalid_client_id' });
    expect(page.description).to.equal(undefined);
  });

  for (const status of [400, 401, 403]) {
    it(`RFC 6749 §4.1.2.1 — a page of status ${status} refuses`, () => {
      expect(read(status, { body: '<h1>No</h1>' })).to.deep.equal({
        kind: 'refuses',
        status,
        words: '# No',
      });
    });
  }

  for (const status of [404, 405, 410]) {
    it(`RFC 9110 §15.5 — ${status} is not the page of a login`, () => {
      expect(read(status, { body: 'x' })).to.deep.equal({ kind: 'missing', status, words: '' });
    });
  }

  for (const status of [429, 500, 503]) {
    it(`a page of status ${status} — says nothing about the request`, () => {
      expect(read(status, { body: 'x' })).to.deep.equal({ kind: 'fails', status, words: '' });
    });
  }

  it('words — are those that a person sees, without what was sent', () => {
    const body =
      '<head><style>a{}</style><script>if (1 < 2) x()</script></head><p class="x">Unknown client-1 at\n\n<b>app</b> req-8f3a.</p>';
    expect(read(400, { body }, ['client-1']).words).to.equal('# Unknown [redacted] at app #');
  });

  it('words — end somewhere', () => {
    expect(read(400, { body: 'a'.repeat(200_000) }).words.length).to.be.below(70_000);
  });

  it('comparable — leaves out what was sent, numbers and ids', () => {
    const one = comparable('Client abc failed at 12:30 (r-77)', ['abc']);
    expect(one).to.equal(comparable('Client  xyz failed at 12:31 (r-78) ', ['xyz']));
    expect(one).to.not.equal(comparable('Client abc was found at 12:31 (r-78)', ['abc']));
  });
});
