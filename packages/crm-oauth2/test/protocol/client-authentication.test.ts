import { expect } from 'chai';
import { authenticateClient } from '../../dist/protocol/client-authentication';

const ID = 's6BhdRkqt3';
const SECRET = '7Fjfp0ZBr1KtDRbnfVdmIw';

/** The two halves of a Basic header, decoded as RFC 6749 §2.3.1 asks of the server. */
function halvesOf(header: string | undefined): string[] {
  const [scheme, pair = ''] = (header ?? '').split(' ');
  expect(scheme).to.equal('Basic');
  return Buffer.from(pair, 'base64')
    .toString()
    .split(':')
    .map((half) => decodeURIComponent(half.replaceAll('+', ' ')));
}

describe('client authentication', () => {
  describe('client_secret_basic', () => {
    it('RFC 6749 §2.3.1 — sends the header of the example, and nothing in the body', () => {
      const { headers, fields } = authenticateClient('client_secret_basic', {
        clientID: ID,
        clientSecret: SECRET,
      });
      expect(headers).to.deep.equal({
        authorization: 'Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3',
      });
      expect(fields).to.deep.equal({});
    });

    it('RFC 6749 Appendix B — encodes both halves as the example does', () => {
      const { headers } = authenticateClient('client_secret_basic', {
        clientID: ' %&+£€',
        clientSecret: '€£+&% ',
      });
      const pair = headers.authorization?.slice('Basic '.length) ?? '';
      expect(Buffer.from(pair, 'base64').toString()).to.equal(
        '+%25%26%2B%C2%A3%E2%82%AC:%E2%82%AC%C2%A3%2B%26%25+',
      );
    });

    for (const [title, text] of [
      ['a space', 'a b'],
      ['a plus', 'a+b'],
      ['a percent sign', '100%25'],
      ['a colon', 'a:b:c'],
      ['an umlaut', 'schlüssel'],
      ['an emoji', '🔑'],
      ['signs of a form', 'a=b&c=d'],
      ['signs that URLs keep', "!'()*~-._/"],
      ['a line feed', 'a\nb'],
    ] as const) {
      it(`RFC 6749 §2.3.1 — keeps ${title} in either half`, () => {
        const credentials = { clientID: `id ${text}`, clientSecret: `secret ${text}` };
        const { headers } = authenticateClient('client_secret_basic', credentials);
        expect(halvesOf(headers.authorization)).to.deep.equal([`id ${text}`, `secret ${text}`]);
      });
    }

    it('names as secrets the text, its encoded form and the pair', () => {
      const { secrets } = authenticateClient('client_secret_basic', {
        clientID: 'client 1',
        clientSecret: 'a b:ü',
      });
      expect(secrets).to.deep.equal([
        'a b:ü',
        'a+b%3A%C3%BC',
        Buffer.from('client+1:a+b%3A%C3%BC').toString('base64'),
      ]);
    });
  });

  describe('client_secret_post', () => {
    it('RFC 6749 §2.3.1 — sends both in the body as they are, and no header', () => {
      const clientSecret = 'a b+%:ü';
      expect(
        authenticateClient('client_secret_post', { clientID: ID, clientSecret }),
      ).to.deep.equal({
        headers: {},
        fields: { client_id: ID, client_secret: clientSecret },
        secrets: [clientSecret],
      });
    });
  });

  describe('a public client', () => {
    for (const method of ['client_secret_basic', 'client_secret_post', 'none'] as const) {
      it(`RFC 6749 §3.2.1 — names itself in the body, also where the method is ${method}`, () => {
        expect(authenticateClient(method, { clientID: ID })).to.deep.equal({
          headers: {},
          fields: { client_id: ID },
          secrets: [],
        });
      });
    }

    it('RFC 6749 §2.1 — sends no secret where the provider takes none', () => {
      const authentication = authenticateClient('none', { clientID: ID, clientSecret: SECRET });
      expect(JSON.stringify(authentication)).not.to.include(SECRET);
    });
  });
});
