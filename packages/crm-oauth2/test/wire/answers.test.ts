/** How the JSON, the status and `Retry-After` of any answer are judged. */
import { expect } from 'chai';
import {
  isSuccess,
  jsonOf,
  parseJson,
  retryAfterSeconds,
  statusProblem,
} from '../../dist/wire/answers';
import { thrown } from '../support';

describe('answers', () => {
  describe('json', () => {
    for (const type of [
      'application/json',
      'application/json; charset=utf-8',
      'Application/JSON;charset=UTF-8',
      'application/jwk-set+json',
      'application/problem+json ; x=y',
    ]) {
      it(`RFC 8259 §11 — reads ${type}`, () => {
        expect(parseJson('{"a":[1]}', type)).to.deep.equal({ a: [1] });
      });
    }

    for (const type of [
      undefined,
      '',
      'text/html',
      'text/json',
      'application/jsonp',
      'xapplication/json',
    ]) {
      it(`refuses the content type ${type}`, () => {
        expect(thrown(() => parseJson('{}', type)).code).to.equal('unexpected_content_type');
      });
    }

    it('names the content type that came, shortened and without control characters', () => {
      expect(thrown(() => parseJson('', 'text/\u009b2Jx\u202e')).message).to.equal(
        'expected JSON, received text/ 2Jx',
      );
      expect(thrown(() => parseJson('', 'text/html; charset=utf-8')).message).to.equal(
        'expected JSON, received text/html',
      );
      expect(thrown(() => parseJson('', `text/${'x'.repeat(99)}`)).message.length).to.be.below(100);
      expect(thrown(() => parseJson('', undefined)).message).to.include('no content type');
    });

    for (const body of ['', '{', '<html>', "{'a':1}", 'undefined']) {
      it(`refuses ${JSON.stringify(body)} without quoting it`, () => {
        const problem = thrown(() => parseJson(body, 'application/json'));
        expect(problem.code).to.equal('invalid_json');
        expect(problem.message).to.equal('the answer is not valid JSON');
        expect(problem.details.cause).to.equal(undefined);
      });
    }

    it('refuses what nests so deep that a reader could overflow the stack', () => {
      const nested = (levels: number) => `{"a":${'['.repeat(levels)}${']'.repeat(levels)}}`;
      const problem = thrown(() => parseJson(nested(100), 'application/json'));
      expect(problem.code).to.equal('invalid_json');
      expect(problem.message).to.equal('the answer nests too deep');
      expect(thrown(() => parseJson(nested(400_000), 'application/json')).code).to.equal(
        'invalid_json',
      );
      expect(JSON.stringify(parseJson(nested(99), 'application/json'))).to.equal(nested(99));
    });

    it('makes no prototype of a key called __proto__', () => {
      const json = parseJson('{"__proto__":{"admin":true}}', 'application/json');
      expect(Reflect.get(Object(json), 'admin')).to.equal(undefined);
    });

    it('is read from the body of an answer, by its content type', () => {
      const headers = { 'content-type': 'application/json' };
      expect(jsonOf({ body: '[1]', headers })).to.deep.equal([1]);
      const page = { body: '[1]', headers: { 'content-type': 'text/html' } };
      expect(thrown(() => jsonOf(page)).code).to.equal('unexpected_content_type');
    });
  });

  it('count as success from 200 to 299', () => {
    const success = [199, 200, 204, 299, 300].map((status) => isSuccess({ status }));
    expect(success).to.deep.equal([false, true, true, true, false]);
  });

  describe('statusProblem', () => {
    for (const [status, code, message] of [
      [199, 'unexpected_status', 'answered with status 199'],
      [300, 'unexpected_redirect', 'answered with a redirect (300)'],
      [302, 'unexpected_redirect', 'answered with a redirect (302)'],
      [304, 'unexpected_status', 'answered with status 304'],
      [399, 'unexpected_redirect', 'answered with a redirect (399)'],
      [400, 'unexpected_status', 'answered with status 400'],
      [404, 'unexpected_status', 'answered with status 404'],
      [429, 'rate_limited', 'asked too often (429)'],
      [499, 'unexpected_status', 'answered with status 499'],
      [500, 'provider_unavailable', 'the provider failed (500)'],
      [599, 'provider_unavailable', 'the provider failed (599)'],
    ] as const) {
      it(`names ${status} ${code}, and keeps status and Retry-After`, () => {
        const problem = statusProblem({ status, headers: { 'retry-after': '7' }, body: '' });
        expect(problem.code).to.equal(code);
        expect(problem.message).to.equal(message);
        expect(problem.details).to.deep.equal({ status, retryAfterSeconds: 7 });
      });
    }
  });

  describe('name the answer that came', () => {
    const HTML = 'text/html; charset=utf-8';
    const page = (title: string) => `<!doctype html><head><title lang="en">${title}</title></head>`;
    const SECRET = 'a&b<c>"d"';
    for (const [title, status, type, body, words] of [
      ['a page by its title', 403, HTML, page('Request blocked'), 'text/html "Request blocked"'],
      ['a page of an outage', 502, HTML, page('502 Bad Gateway'), 'text/html "502 Bad Gateway"'],
      ['a page without a title by its text', 404, HTML, '<h1>No</h1>', 'text/html "No"'],
      ['a page that says no type', 404, undefined, page('No'), '"No"'],
      [
        'a title of 81 characters',
        400,
        HTML,
        page('x'.repeat(81)),
        `text/html "${'x'.repeat(80)}…"`,
      ],
      [
        'entities of a title',
        400,
        HTML,
        page('a &amp; &#98; &#x63; &bogus;'),
        'text/html "a & b c &bogus;"',
      ],
      ['a title of two lines', 400, HTML, page('one\r\ntwo'), 'text/html "one two"'],
      [
        'a title with a secret',
        400,
        HTML,
        page(`Bad a&amp;b&lt;c&gt;&quot;d&#34;`),
        'text/html "Bad [redacted]"',
      ],
      ['a short text', 400, undefined, 'Bad_OAuth_Token', 'Bad_OAuth_Token'],
      ['a plain text', 503, 'text/plain', 'upstream error: reset!', 'upstream error: reset!'],
      ['a secret in a plain text', 400, 'text/plain', `no ${SECRET}`, 'no [redacted]'],
      [
        'an OAuth error',
        429,
        'application/json',
        '{"error":"e","error_description":"Slow"}',
        'Slow',
      ],
      [
        'a message',
        500,
        'application/json',
        '{"error":"e","message":"Out of order"}',
        'Out of order',
      ],
      ['a message inside', 400, 'application/json', '{"error":{"code":"X","message":"In"}}', 'In'],
      ['a list', 400, 'application/json', '[{"errorCode":"X","message":"Locked"}]', 'Locked'],
      ['a list inside', 400, 'application/json', '{"errors":[{"message":"First"}]}', 'First'],
      ['a problem of RFC 9457', 400, 'application/problem+json', '{"title":"T","detail":"D"}', 'D'],
      [
        'a secret in JSON',
        400,
        'application/json',
        JSON.stringify({ message: SECRET }),
        '[redacted]',
      ],
      [
        'a long text',
        400,
        'application/json',
        `{"message":"${'x'.repeat(301)}"}`,
        `${'x'.repeat(300)}…`,
      ],
    ] as const) {
      it(`in the message of a status: ${title}`, () => {
        const response = { status, headers: { 'content-type': type }, body };
        expect(statusProblem(response, [SECRET]).message).to.match(
          /^(asked|the prov|answered).*: ./,
        );
        expect(statusProblem(response, [SECRET]).message.replace(/^[^:]*: /, '')).to.equal(words);
      });
    }

    for (const [title, type, body] of [
      ['nothing', undefined, ''],
      ['broken JSON', 'application/json', '{"message":'],
      ['JSON without words', 'application/json', '{"ok":false}'],
    ] as const) {
      it(`by the status alone: ${title}`, () => {
        const response = { status: 400, headers: { 'content-type': type }, body };
        expect(statusProblem(response).message).to.equal('answered with status 400');
      });
    }

    it('in place of JSON that its type promises', () => {
      expect(thrown(() => parseJson(page('Sign in'), 'application/json')).message).to.equal(
        'the answer is not valid JSON: "Sign in"',
      );
    });

    it('in place of JSON, without the secrets in its content type', () => {
      const answer = { headers: { 'content-type': `text/${'x'.repeat(50)}secret-1` }, body: '' };
      expect(thrown(() => jsonOf(answer, ['secret-1'])).message).to.match(/text\/x{50}\[reda$/);
    });

    it('in place of JSON, without the secrets', () => {
      const answer = { headers: { 'content-type': HTML }, body: page('Login a&amp;b') };
      expect(thrown(() => jsonOf(answer, ['a&b'])).message).to.equal(
        'expected JSON, received text/html "Login [redacted]"',
      );
    });
  });

  describe('retryAfterSeconds', () => {
    const read = (value: string | undefined) =>
      retryAfterSeconds({ headers: { 'retry-after': value } });

    it('RFC 9110 §10.2.3 — reads seconds', () => {
      expect(read('120')).to.equal(120);
      expect(read('0')).to.equal(0);
      expect(read('999999999')).to.equal(999_999_999);
      expect(read('9999999999')).to.equal(undefined);
    });

    describe('RFC 9110 §5.6.7 — reads a date', () => {
      const realNow = Date.now;
      const realZone = process.env.TZ;
      beforeEach(() => {
        Date.now = () => Date.UTC(1994, 10, 6, 8, 47, 37, 500);
        // A zone whose local time is not GMT.
        process.env.TZ = 'America/New_York';
      });
      afterEach(() => {
        Date.now = realNow;
        if (realZone === undefined) delete process.env.TZ;
        else process.env.TZ = realZone;
      });

      for (const [title, date] of [
        ['as it is written today', 'Sun, 06 Nov 1994 08:49:37 GMT'],
        ['of RFC 850', 'Sunday, 06-Nov-94 08:49:37 GMT'],
        ['of RFC 850, with the longest day', 'Wednesday, 06-Nov-94 08:49:37 GMT'],
        ['of asctime, which means GMT', 'Sun Nov  6 08:49:37 1994'],
      ] as const) {
        it(`${title}, and rounds up`, () => {
          expect(read(date)).to.equal(120);
        });
      }

      it('RFC 9110 §6.6.1 — on the clock of the provider, which the answer tells', () => {
        const at = (date: string) =>
          retryAfterSeconds({ headers: { 'retry-after': 'Sun, 06 Nov 1994 08:49:37 GMT', date } });
        // Ours is an hour behind, and an hour ahead.
        Date.now = () => Date.UTC(1994, 10, 6, 7, 49, 7);
        expect(at('Sun, 06 Nov 1994 08:49:07 GMT')).to.equal(30);
        Date.now = () => Date.UTC(1994, 10, 6, 9, 49, 7);
        expect(at('Sun, 06 Nov 1994 08:49:07 GMT')).to.equal(30);
        Date.now = () => Date.UTC(1994, 10, 6, 8, 49, 30);
        expect(at('today')).to.equal(7);
        expect(at('')).to.equal(7);
      });

      for (const value of [
        '1994-11-06T08:49:37Z',
        'xSun, 06 Nov 1994 08:49:37 GMT',
        ' Sun, 06 Nov 1994 08:49:37 GMT',
        'Sun, 06 Nov 1994 08:49:37 GMT (soon)',
        'Sun, 06 Nov 1994 08:49:37 +0100',
        'Sun, 99 Nov 1994 08:49:37 GMT',
        'Su, 06 Nov 1994 08:49:37 GMT',
        'Nov 1994',
      ]) {
        it(`but not from ${value}`, () => {
          expect(read(value)).to.equal(undefined);
        });
      }
    });

    it('reads a date that has passed as zero seconds', () => {
      expect(read('Wed, 21 Oct 2015 07:28:00 GMT')).to.equal(0);
    });

    it('ignores any other value', () => {
      expect(read(undefined)).to.equal(undefined);
      for (const value of ['soon', 'soon 5', '-5', '1.5', '5 minutes', '5 ', 's5', '']) {
        expect(read(value), value).to.equal(undefined);
      }
    });
  });
});
