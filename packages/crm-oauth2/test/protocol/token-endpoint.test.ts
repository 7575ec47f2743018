import { expect } from 'chai';
import type { HttpResponse } from '../../dist/wire/http';
import {
  buildTokenRequest,
  isSuccess,
  processTokenError,
  processTokenResponse,
  retryAfterSeconds,
  statusProblem,
} from '../../dist/protocol/token-endpoint';
import { thrown } from '../support';

const SECRET = 'a b!c/d+e&f=é~(g)';
const CREDENTIALS = { clientID: 'client 1', clientSecret: SECRET };

function answer(status: number, body: unknown, headers: Record<string, string> = {}): HttpResponse {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  };
}

const HTML = { 'content-type': 'text/html; charset=utf-8' };

describe('token endpoint', () => {
  describe('the request', () => {
    it('RFC 6749 §4.1.3 — is a form with the credentials in its body', () => {
      const { headers, body } = buildTokenRequest('form', CREDENTIALS, {
        grant_type: 'authorization_code',
        code: 'a=b&c',
      });
      expect(Object.fromEntries(new URLSearchParams(body))).to.deep.equal({
        grant_type: 'authorization_code',
        code: 'a=b&c',
        client_id: 'client 1',
        client_secret: SECRET,
      });
      expect(headers).to.deep.equal({
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': String(body.length),
      });
    });

    it('is JSON where the provider wants it, its length counted in bytes', () => {
      const { headers, body } = buildTokenRequest('json', CREDENTIALS, { grant_type: 'x' });
      expect(JSON.parse(body)).to.deep.equal({
        grant_type: 'x',
        client_id: 'client 1',
        client_secret: SECRET,
      });
      expect(headers['content-type']).to.equal('application/json');
      expect(headers['content-length']).to.equal(String(body.length + 1));
    });

    for (const format of ['form', 'json'] as const) {
      it(`RFC 6749 §2.1 — of a public client sends no secret, also not one of a parameter (${format})`, () => {
        const { body } = buildTokenRequest(
          format,
          { clientID: 'client-1' },
          { client_secret: 'smuggled', code: undefined },
        );
        const fields: unknown =
          format === 'json' ? JSON.parse(body) : Object.fromEntries(new URLSearchParams(body));
        expect(fields).to.deep.equal({ client_id: 'client-1' });
      });
    }

    it('RFC 6749 §2.3.1 — lets no parameter replace the credentials', () => {
      const { body } = buildTokenRequest('json', CREDENTIALS, {
        client_id: 'x',
        client_secret: 'y',
      });
      expect(JSON.parse(body)).to.include({ client_id: 'client 1', client_secret: SECRET });
    });
  });

  describe('a token response', () => {
    it('RFC 6749 §5.1 — becomes a frozen token set', () => {
      const response = {
        access_token: '2YotnFZFEjr1zCsicMWpAA',
        token_type: 'example-is-Bearer'.slice(11),
        expires_in: 3600,
        refresh_token: 'tGzv3JOkF0XG5Qx2TlKWIA',
        scope: 'a b',
        id_token: 'e.y.J',
        example_parameter: 'example_value',
      };
      const tokens = processTokenResponse(answer(200, response), 1_000_000);
      expect(tokens).to.deep.equal({
        accessToken: '2YotnFZFEjr1zCsicMWpAA',
        refreshToken: 'tGzv3JOkF0XG5Qx2TlKWIA',
        idToken: 'e.y.J',
        tokenType: 'Bearer',
        expiresAt: 4_600_000,
        scope: 'a b',
        response,
      });
      expect(Object.isFrozen(tokens)).to.equal(true);
      expect(Object.isFrozen(tokens.response)).to.equal(true);
    });

    it('has no keys for what did not come', () => {
      const response = { access_token: 't', refresh_token: '', scope: null, id_token: 7 };
      const tokens = processTokenResponse(answer(200, response), 0);
      expect(Object.keys(tokens)).to.have.members(['accessToken', 'tokenType', 'response']);
    });

    for (const tokenType of ['Bearer', 'bearer', 'BEARER', 'bEaReR', undefined, null]) {
      it(`RFC 6749 §5.1 — accepts the token_type ${tokenType}`, () => {
        const tokens = processTokenResponse(
          answer(200, { access_token: 't', token_type: tokenType }),
          0,
        );
        expect(tokens.tokenType).to.equal('Bearer');
      });
    }

    for (const tokenType of ['mac', 'DPoP', '', 7, ['Bearer'], {}]) {
      it(`RFC 6749 §7.1 — refuses the token_type ${JSON.stringify(tokenType)}`, () => {
        const response = answer(200, { access_token: 't', token_type: tokenType });
        const problem = thrown(() => processTokenResponse(response, 0));
        expect(problem.code).to.equal('unsupported_token_type');
        expect(problem.message).to.equal('the access token is no bearer token');
      });
    }

    const lifetimes: [unknown, number | undefined][] = [
      [1e308, undefined],
      [7200, 7_201_000],
      ['7200', 7_201_000],
      [0, 1000],
      [-1, undefined],
      ['-1', undefined],
      ['soon', undefined],
      ['', undefined],
      [null, undefined],
      [undefined, undefined],
      [true, undefined],
      [[], undefined],
      [{}, undefined],
      ['Infinity', undefined],
    ];
    for (const [seconds, expiresAt] of lifetimes) {
      it(`RFC 6749 §5.1 — reads expires_in ${JSON.stringify(seconds)} as ${expiresAt}`, () => {
        const response = answer(200, { access_token: 't', expires_in: seconds });
        expect(processTokenResponse(response, 1000).expiresAt).to.equal(expiresAt);
      });
    }

    const assumed: [string, unknown, number | undefined][] = [
      ['nothing', undefined, 601_000],
      ['null', null, 601_000],
      ['3600', 3600, 3_601_000],
      ['0', 0, 1000],
      ['what cannot be understood', 'soon', undefined],
    ];
    for (const [title, seconds, expiresAt] of assumed) {
      it(`RFC 6749 §5.1 — an assumed lifetime beside ${title} as expires_in gives ${expiresAt}`, () => {
        const response = answer(200, { access_token: 't', expires_in: seconds });
        expect(
          processTokenResponse(response, 1000, [], { assumedLifetime: 600 }).expiresAt,
        ).to.equal(expiresAt);
      });
    }

    it('RFC 6750 §2.1 — takes every visible character in an access_token', () => {
      const token = Array.from({ length: 94 }, (_, at) => String.fromCharCode(0x21 + at)).join('');
      const tokens = processTokenResponse(answer(200, { access_token: token }), 0);
      expect(tokens.accessToken).to.equal(token);
    });

    const unusable: [string, unknown][] = [
      ['missing', undefined],
      ['empty', ''],
      ['a number', 7],
      ['a list', ['t']],
      ['with a space', 'a b'],
      ['with a line break', 't\r\nX-Injected: 1'],
      ['with a control character', 't\u0000'],
      ['with DEL', 't\u007f'],
      ['beyond ASCII', 'tökén'],
    ];
    for (const [title, token] of unusable) {
      it(`RFC 6750 §2.1 — refuses an access_token that is ${title}`, () => {
        const problem = thrown(() => processTokenResponse(answer(200, { access_token: token }), 0));
        expect(problem.code).to.equal('invalid_token_response');
        expect(problem.message).to.equal('the token response has no usable access_token');
      });
    }

    for (const body of ['[]', '"token"', 'null', '7']) {
      it(`refuses ${body} as a token response`, () => {
        const problem = thrown(() => processTokenResponse(answer(200, body), 0));
        expect(problem.code).to.equal('invalid_token_response');
        expect(problem.message).to.equal('the token response is no JSON object');
      });
    }

    it('is a token response, whatever error stands beside the token', () => {
      const response = answer(200, { access_token: 't', error: 'invalid_grant' });
      expect(processTokenResponse(response, 0).accessToken).to.equal('t');
    });

    it('understands an error that comes with success, and repeats no secret of it', () => {
      const body = { error: 'invalid_grant', error_description: 'code c0de is used up' };
      const problem = thrown(() => processTokenResponse(answer(200, body), 0, ['c0de']));
      expect(problem.code).to.equal('invalid_grant');
      expect(problem.message).to.equal('invalid_grant: code [redacted] is used up');
    });

    it('refuses a web page, also one that holds JSON', () => {
      const page = answer(200, { access_token: 't' }, HTML);
      expect(thrown(() => processTokenResponse(page, 0)).code).to.equal('unexpected_content_type');
    });

    it('refuses broken JSON without quoting it', () => {
      const broken = answer(200, '{"access_token":"topsecret"');
      const problem = thrown(() => processTokenResponse(broken, 0));
      expect(problem.code).to.equal('invalid_json');
      expect(`${problem.stack} ${String(problem.cause)}`).not.to.include('topsecret');
    });
  });

  describe('an error of the token endpoint', () => {
    for (const status of [200, 400, 401, 403, 500]) {
      it(`RFC 6749 §5.2 — is judged by its error, not by the status ${status}`, () => {
        const problem = processTokenError(
          answer(status, {
            error: 'invalid_grant',
            error_description: 'used up',
            error_uri: 'https://acme.test/errors/1',
          }),
          [],
        );
        expect(problem.code).to.equal('invalid_grant');
        expect(problem.message).to.equal('invalid_grant: used up');
        expect(problem.details).to.include({
          from: 'token response',
          status,
          uri: 'https://acme.test/errors/1',
        });
      });
    }

    it('RFC 6749 §5.2 — needs no description', () => {
      const problem = processTokenError(answer(401, { error: 'invalid_client' }), []);
      expect(problem.message).to.equal('invalid_client');
    });

    it('takes free text in error for invalid_request, and keeps the words', () => {
      const problem = processTokenError(answer(400, { error: 'Invalid code given!' }), []);
      expect(problem.code).to.equal('invalid_request');
      expect(problem.message).to.equal('invalid_request: Invalid code given!');
    });

    const statuses: [string, HttpResponse, string][] = [
      ['a web page with 400', answer(400, '<h1>Bad</h1>', HTML), 'unexpected_status'],
      ['a web page with 503', answer(503, '<h1>Down</h1>', HTML), 'provider_unavailable'],
      ['an empty 500', { status: 500, headers: {}, body: '' }, 'provider_unavailable'],
      [
        'a redirect',
        { status: 302, headers: { location: '/login' }, body: '' },
        'unexpected_redirect',
      ],
      ['JSON without error', answer(400, { message: 'no' }), 'unexpected_status'],
      ['JSON with an empty error', answer(400, { error: '' }), 'unexpected_status'],
      ['JSON with an error object', answer(400, { error: { code: 1 } }), 'unexpected_status'],
      ['a JSON list', answer(400, ['invalid_grant']), 'unexpected_status'],
      ['broken JSON', answer(502, '{"error":'), 'provider_unavailable'],
      [
        'a failure of the server, in words of no RFC',
        answer(500, { error: 'Internal Server Error' }),
        'provider_unavailable',
      ],
      ['429, whatever the body says', answer(429, { error: 'access_denied' }), 'rate_limited'],
      ['429 with a web page', answer(429, 'slow down', HTML), 'rate_limited'],
    ];
    for (const [title, response, code] of statuses) {
      it(`is judged by the status where the body does not say: ${title}`, () => {
        const problem = processTokenError(response, []);
        expect(problem.code).to.equal(code);
        expect(problem.details.status).to.equal(response.status);
        expect(problem.details.from).to.equal(undefined);
      });
    }

    for (const error of [
      'invalid_request',
      'invalid_client',
      'invalid_grant',
      'unauthorized_client',
      'unsupported_grant_type',
      'invalid_scope',
      'server_error',
      'temporarily_unavailable',
    ]) {
      it(`RFC 6749 §5.2 — ${error} is believed of a server that fails, too`, () => {
        const problem = processTokenError(answer(500, { error }), []);
        expect(problem.code).to.equal(error);
        expect(problem.details).to.include({ from: 'token response', status: 500 });
      });
    }

    it("keeps the provider's own error, unless the server fails", () => {
      const body = { error: 'org.limit-exceeded', error_description: 'no more' };
      const problem = processTokenError(answer(499, body), []);
      expect(problem.code).to.equal('org.limit-exceeded');
      expect(problem.message).to.equal('org.limit-exceeded: no more');
      expect(processTokenError(answer(500, body), []).code).to.equal('provider_unavailable');
    });

    const codes: [string, string, boolean][] = [
      ['64 characters', 'x'.repeat(64), true],
      ['65 characters', 'x'.repeat(65), false],
      ['a space in front', ' invalid_grant', false],
      ['a space behind', 'invalid_grant ', false],
    ];
    for (const [title, error, isCode] of codes) {
      it(`RFC 6749 §5.2 — an error of ${title} is ${isCode ? 'a code' : 'free text'}`, () => {
        const problem = processTokenError(answer(400, { error }), []);
        expect(problem.code).to.equal(isCode ? error : 'invalid_request');
      });
    }

    it('has no link when none came', () => {
      const problem = processTokenError(answer(400, { error: 'invalid_grant' }), []);
      expect(problem.details.uri).to.equal(undefined);
    });

    describe('as a form', () => {
      const FORM = 'application/x-www-form-urlencoded';
      const body = 'error=unsupported_token_type&error_description=not+this+one';

      for (const type of [FORM, `${FORM};charset=UTF-8`]) {
        it(`is read like JSON: ${type}`, () => {
          const problem = processTokenError(answer(400, body, { 'content-type': type }), []);
          expect(problem.message).to.equal('unsupported_token_type: not this one');
        });
      }

      for (const type of [`text/plain; was=${FORM}`, 'application/json', 'text/html']) {
        it(`is not read when it says it is something else: ${type}`, () => {
          const problem = processTokenError(answer(400, body, { 'content-type': type }), []);
          expect(problem.code).to.equal('unexpected_status');
        });
      }

      it('is not read when it does not say what it is', () => {
        const problem = processTokenError({ status: 400, headers: {}, body }, []);
        expect(problem.code).to.equal('unexpected_status');
      });
    });

    describe("by the provider's own code", () => {
      const asked: [string, string][] = [];
      const codeOf = (error: string, description: string) => {
        asked.push([error, description]);
        return description === 'user is locked' ? 'account_locked' : undefined;
      };
      beforeEach(() => {
        asked.length = 0;
      });

      it('is renamed, and keeps the words', () => {
        const body = { error: 'invalid_grant', error_description: 'user is locked' };
        const problem = processTokenError(answer(400, body), [], codeOf);
        expect(asked).to.deep.equal([['invalid_grant', 'user is locked']]);
        expect(problem.code).to.equal('account_locked');
        expect(problem.message).to.equal('account_locked: user is locked');
      });

      it('keeps its error as the words when there are no others', () => {
        const problem = processTokenError(answer(400, { error: 'invalid_grant' }), [], () => 'own');
        expect(problem.message).to.equal('own: invalid_grant');
      });

      it('stays what it is when the provider has no code for it', () => {
        const problem = processTokenError(answer(400, { error: 'invalid_grant' }), [], codeOf);
        expect(asked).to.deep.equal([['invalid_grant', '']]);
        expect(problem.code).to.equal('invalid_grant');
        expect(problem.message).to.equal('invalid_grant');
      });

      it('is not asked about free text, a secret, or an outage', () => {
        const body = (error: string) => ({ error, error_description: 'user is locked' });
        const outcomes = [
          processTokenError(answer(400, body('user is locked')), [], codeOf),
          processTokenError(answer(400, body('c0de')), ['c0de'], codeOf),
          processTokenError(answer(500, body('UNKNOWN_EXCEPTION')), [], codeOf),
          processTokenError(answer(429, body('invalid_grant')), [], codeOf),
        ];
        expect(asked).to.deep.equal([]);
        expect(outcomes.map(({ code }) => code)).to.deep.equal([
          'invalid_request',
          'invalid_request',
          'provider_unavailable',
          'rate_limited',
        ]);
      });
    });

    it('RFC 9110 §10.2.3 — carries Retry-After', () => {
      const limited = processTokenError(answer(429, {}, { 'retry-after': '30' }), []);
      expect(limited.details.retryAfterSeconds).to.equal(30);
      const busy = processTokenError(
        answer(503, { error: 'temporarily_unavailable' }, { 'retry-after': '5' }),
        [],
      );
      expect(busy.code).to.equal('temporarily_unavailable');
      expect(busy.details.retryAfterSeconds).to.equal(5);
    });

    describe('echoes of secrets', () => {
      const form = new URLSearchParams({ secret: SECRET }).toString().slice('secret='.length);
      const echoes: [string, string][] = [
        ['as sent', SECRET],
        ['percent-encoded', encodeURIComponent(SECRET)],
        [
          'percent-encoded in lower case',
          encodeURIComponent(SECRET).replace(/%../g, (hex) => hex.toLowerCase()),
        ],
        ['form-encoded', form],
        ['as JSON', JSON.stringify('q"uo\\te').slice(1, -1)],
      ];
      for (const [title, echo] of echoes) {
        it(`are redacted when they come ${title}`, () => {
          const problem = processTokenError(
            answer(400, {
              error: 'invalid_client',
              error_description: `your secret=${echo}&x`,
              error_uri: `https://acme.test/?s=${echo}`,
            }),
            [undefined, '', SECRET, 'q"uo\\te'],
          );
          expect(problem.message).to.equal('invalid_client: your secret=[redacted]&x');
          expect(problem.details.uri).to.equal('https://acme.test/?s=[redacted]');
        });
      }

      it('are redacted in free text of error', () => {
        const problem = processTokenError(answer(400, { error: `bad code ${SECRET}` }), [SECRET]);
        expect(problem.message).to.equal('invalid_request: bad code [redacted]');
      });

      it('never become the code', () => {
        const problem = processTokenError(answer(400, { error: 'code-4711' }), ['code-4711']);
        expect(problem.code).to.equal('invalid_request');
        expect(problem.message).to.equal('invalid_request: [redacted]');
      });
    });

    it('puts no control character into the message', () => {
      const problem = processTokenError(
        answer(400, { error: 'invalid_grant', error_description: 'one\r\n2026 ERROR two\u0007' }),
        [],
      );
      expect(problem.message).to.equal('invalid_grant: one 2026 ERROR two');
    });
  });

  describe('statusProblem', () => {
    for (const [status, code, message] of [
      [199, 'unexpected_status', 'answered with status 199'],
      [300, 'unexpected_redirect', 'answered with a redirect (300)'],
      [302, 'unexpected_redirect', 'answered with a redirect (302)'],
      [304, 'unexpected_redirect', 'answered with a redirect (304)'],
      [399, 'unexpected_redirect', 'answered with a redirect (399)'],
      [400, 'unexpected_status', 'answered with status 400'],
      [404, 'unexpected_status', 'answered with status 404'],
      [429, 'rate_limited', 'asked too often (429)'],
      [499, 'unexpected_status', 'answered with status 499'],
      [500, 'provider_unavailable', 'the provider failed (500)'],
      [599, 'provider_unavailable', 'the provider failed (599)'],
    ] as const) {
      it(`names ${status} ${code}, and repeats status and Retry-After`, () => {
        const problem = statusProblem({ status, headers: { 'retry-after': '7' }, body: '' });
        expect(problem.code).to.equal(code);
        expect(problem.message).to.equal(message);
        expect(problem.details).to.deep.equal({ status, retryAfterSeconds: 7 });
      });
    }
  });

  describe('retryAfterSeconds', () => {
    const at = (value: string | undefined) =>
      retryAfterSeconds({ headers: { 'retry-after': value } });

    it('RFC 9110 §10.2.3 — reads seconds', () => {
      expect(at('120')).to.equal(120);
      expect(at('0')).to.equal(0);
      expect(at('999999999')).to.equal(999_999_999);
      expect(at('9999999999')).to.equal(undefined);
    });

    describe('RFC 9110 §5.6.7 — reads a date', () => {
      const realNow = Date.now;
      const realZone = process.env.TZ;
      beforeEach(() => {
        Date.now = () => Date.UTC(1994, 10, 6, 8, 47, 37, 500);
        // Anywhere but where the local time is GMT.
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
          expect(at(date)).to.equal(120);
        });
      }

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
        it(`and nothing like it: ${value}`, () => {
          expect(at(value)).to.equal(undefined);
        });
      }
    });

    it('reads a date that has passed as no wait at all', () => {
      expect(at('Wed, 21 Oct 2015 07:28:00 GMT')).to.equal(0);
    });

    it('knows nothing from anything else', () => {
      expect(at(undefined)).to.equal(undefined);
      for (const value of ['soon', 'soon 5', '-5', '1.5', '5 minutes', '5 ', 's5', '']) {
        expect(at(value), value).to.equal(undefined);
      }
    });
  });

  it('counts 200 to 299 as success', () => {
    const success = [199, 200, 204, 299, 300].map((status) =>
      isSuccess({ status, headers: {}, body: '' }),
    );
    expect(success).to.deep.equal([false, true, true, true, false]);
  });
});
