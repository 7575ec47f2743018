import { expect } from 'chai';
import type { Stage } from '../../dist/errors/oauth2-error';
import { providerCode } from '../../dist/errors/provider-codes';
import { authenticateClient } from '../../dist/protocol/client-authentication';
import {
  buildTokenRequest,
  processIntrospection,
  processRevocation,
  processTokenError,
  processTokenResponse,
  replaceTokens,
} from '../../dist/protocol/token-endpoint';
import type { ReportedError } from '../../dist/protocol/token-endpoint';
import type { TokenSet } from '../../dist/protocol/token-set';
import { text } from '../../dist/values/json';
import type { JsonObject } from '../../dist/values/json';
import type { HttpResponse } from '../../dist/wire/http';
import { thrown } from '../support';

const SECRET = 'a b!c/d+e&f=é~(g)';
const CREDENTIALS = { clientID: 'client 1', clientSecret: SECRET };
const POST = authenticateClient('client_secret_post', CREDENTIALS);
const BASIC = authenticateClient('client_secret_basic', CREDENTIALS);
const PUBLIC = authenticateClient('client_secret_post', { clientID: 'client-1' });

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
      const { headers, body } = buildTokenRequest('form', POST, {
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
      const { headers, body } = buildTokenRequest('json', POST, { grant_type: 'x' });
      expect(JSON.parse(body)).to.deep.equal({
        grant_type: 'x',
        client_id: 'client 1',
        client_secret: SECRET,
      });
      expect(headers['content-type']).to.equal('application/json');
      expect(headers['content-length']).to.equal(String(body.length + 1));
    });

    const formats = ['form', 'json'] as const;
    const fieldsOf = (format: 'form' | 'json', body: string): unknown =>
      format === 'json' ? JSON.parse(body) : Object.fromEntries(new URLSearchParams(body));

    it('RFC 6749 §2.3.1 — lets no parameter replace the credentials', () => {
      for (const format of formats) {
        const { body } = buildTokenRequest(format, POST, { client_id: 'x', client_secret: 'y' });
        expect(fieldsOf(format, body)).to.deep.equal({
          client_id: 'client 1',
          client_secret: SECRET,
        });
      }
    });

    for (const format of formats) {
      it(`RFC 6749 §2.1 — of a public client sends no secret, also not one of a parameter (${format})`, () => {
        const { headers, body } = buildTokenRequest(format, PUBLIC, {
          client_secret: 'smuggled',
          code: undefined,
        });
        expect(fieldsOf(format, body)).to.deep.equal({ client_id: 'client-1' });
        expect(headers).not.to.have.property('authorization');
      });

      it(`RFC 6749 §2.3 — authenticates by the header alone, whatever a parameter says (${format})`, () => {
        const { headers, body } = buildTokenRequest(format, BASIC, {
          grant_type: 'x',
          client_id: 'x',
          client_secret: 'y',
        });
        expect(fieldsOf(format, body)).to.deep.equal({ grant_type: 'x' });
        expect(headers).to.include(BASIC.headers);
        expect(headers['content-length']).to.equal(String(Buffer.byteLength(body)));
      });
    }
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

    it('names only the fields that came', () => {
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
        expect(problem.message).to.equal('the access token is not a bearer token');
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
        expect(problem.message).to.equal('the token response is not a JSON object');
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
          reportedIn: 'token response',
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
      [
        'the status again, as a gateway names it',
        answer(401, { statusCode: 401, error: 'Unauthorized', message: 'no route' }),
        'unexpected_status',
      ],
      ['the same without more words', answer(403, { error: 'Forbidden' }), 'unexpected_status'],
      ['the same of a bad request', answer(400, { error: 'Bad Request' }), 'unexpected_status'],
      ['the same of a wrong path', answer(404, { error: 'Not Found' }), 'unexpected_status'],
      ['429, whatever the body says', answer(429, { error: 'access_denied' }), 'rate_limited'],
      ['429 with a web page', answer(429, 'slow down', HTML), 'rate_limited'],
    ];
    for (const [title, response, code] of statuses) {
      it(`is judged by the status where the body does not say: ${title}`, () => {
        const problem = processTokenError(response, []);
        expect(problem.code).to.equal(code);
        expect(problem.details.status).to.equal(response.status);
        expect(problem.details.reportedIn).to.equal(undefined);
      });
    }

    for (const error of [
      'invalid_request',
      'invalid_client',
      'invalid_grant',
      'unauthorized_client',
      'unsupported_grant_type',
      'invalid_scope',
      'access_denied',
      'unsupported_response_type',
      'server_error',
      'temporarily_unavailable',
    ]) {
      it(`RFC 6749 §5.2 — ${error} is believed of a server that fails, too`, () => {
        const problem = processTokenError(answer(500, { error }), []);
        expect(problem.code).to.equal(error);
        expect(problem.details).to.include({ reportedIn: 'token response', status: 500 });
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

    describe("in the provider's own words", () => {
      const asked: Readonly<JsonObject>[] = [];
      /** Reads bodies such as `{ status: 'BAD_REFRESH_TOKEN', message: 'refresh token is expired' }`. */
      const readError = (body: Readonly<JsonObject>): ReportedError | undefined => {
        asked.push(body);
        if (body.status === 'BAD_REFRESH_TOKEN') {
          return { code: 'invalid_grant', description: text(body.message) };
        }
        if (body.error_description === 'user is locked') {
          return { code: providerCode('account_locked'), description: 'user is locked' };
        }
        return body.status === 'LATER' ? { code: 'rate_limited', retryAfterSeconds: 7 } : undefined;
      };
      beforeEach(() => {
        asked.length = 0;
      });

      it('is read where RFC 6749 §5.2 knows no error in the body', () => {
        const body = { status: 'BAD_REFRESH_TOKEN', message: 'refresh token is expired' };
        const problem = processTokenError(answer(400, body), [], { tokenError: readError });
        expect(asked).to.deep.equal([body]);
        expect(problem.code).to.equal('invalid_grant');
        expect(problem.message).to.equal('invalid_grant: refresh token is expired');
        expect(problem.details).to.include({ reportedIn: 'token response', status: 400 });
      });

      it('is read before the standard error, and keeps the link', () => {
        const body = {
          error: 'invalid_grant',
          error_description: 'user is locked',
          error_uri: 'https://acme.test/errors/1',
        };
        const problem = processTokenError(answer(400, body), [], { tokenError: readError });
        expect(problem.code).to.equal('account_locked');
        expect(problem.message).to.equal('account_locked: user is locked');
        expect(problem.details.uri).to.equal('https://acme.test/errors/1');
      });

      it('says nothing more than its code without a description', () => {
        const problem = processTokenError(answer(400, { status: 'LATER' }), [], {
          tokenError: readError,
        });
        expect(problem.message).to.equal('rate_limited');
      });

      it('tells how long to wait, before the header does', () => {
        const headers = { 'retry-after': '30' };
        const own = processTokenError(answer(400, { status: 'LATER' }, headers), [], {
          tokenError: readError,
        });
        expect(own.details.retryAfterSeconds).to.equal(7);
        const body = { status: 'BAD_REFRESH_TOKEN', message: 'x' };
        const other = processTokenError(answer(400, body, headers), [], { tokenError: readError });
        // The header does not say that the provider left the refresh token unused.
        expect(other.details.retryAfterSeconds).to.equal(undefined);
        const busy = { error: 'temporarily_unavailable' };
        const outage = processTokenError(answer(500, busy, headers), [], { tokenError: readError });
        expect(outage.details.retryAfterSeconds).to.equal(30);
      });

      for (const [title, word] of [
        ['a secret', SECRET],
        ['a secret in another case', SECRET.toUpperCase()],
        ['control characters', 'line1\nFAKE LOG LINE'],
        ['a text of 65 characters', 'x'.repeat(65)],
      ] as const) {
        it(`never becomes the code when it is ${title}`, () => {
          const read = (): ReportedError => ({ code: providerCode(word) });
          const problem = processTokenError(answer(400, { any: 1 }), [SECRET], {
            tokenError: read,
          });
          expect(problem.code).to.equal('invalid_request');
          expect(problem.message).not.to.match(/s3cret-of-the-client|\n/i);
        });
      }

      it('shows no secret, and no control character', () => {
        const body = { status: 'BAD_REFRESH_TOKEN', message: `${SECRET}\r\n2026 ERROR` };
        const problem = processTokenError(answer(400, body), [SECRET], { tokenError: readError });
        expect(problem.message).to.equal('invalid_grant: [redacted] 2026 ERROR');
      });

      it('is read from a form too', () => {
        const type = { 'content-type': 'application/x-www-form-urlencoded' };
        const body = 'status=BAD_REFRESH_TOKEN&message=used+up';
        const problem = processTokenError(answer(400, body, type), [], { tokenError: readError });
        expect(problem.message).to.equal('invalid_grant: used up');
      });

      const left: [string, number, unknown, string][] = [
        ['a standard error', 400, { error: 'invalid_scope' }, 'invalid_scope'],
        ['free text', 400, { error: 'Bad thing!' }, 'invalid_request'],
        ['JSON without an error', 400, { status: 'OTHER' }, 'unexpected_status'],
        ['an outage in words of the RFC', 503, { error: 'server_error' }, 'server_error'],
      ];
      for (const [title, status, body, code] of left) {
        it(`is left to the standard where the slot does not know it: ${title}`, () => {
          expect(
            processTokenError(answer(status, body), [], { tokenError: readError }).code,
          ).to.equal(code);
          expect(asked).to.deep.equal([body]);
        });
      }

      const never: [string, HttpResponse, string][] = [
        ['429', answer(429, { status: 'BAD_REFRESH_TOKEN' }), 'rate_limited'],
        ['an outage', answer(500, { status: 'BAD_REFRESH_TOKEN' }), 'provider_unavailable'],
        ['a web page', answer(400, '<h1>', HTML), 'unexpected_status'],
        ['broken JSON', answer(502, '{"status":'), 'provider_unavailable'],
        ['a JSON list', answer(400, [{ status: 'BAD_REFRESH_TOKEN' }]), 'unexpected_status'],
        ['null', answer(400, 'null'), 'unexpected_status'],
      ];
      for (const [title, response, code] of never) {
        it(`is looked for in a JSON object that is not an outage: ${title}`, () => {
          expect(processTokenError(response, [], { tokenError: readError }).code).to.equal(code);
          expect(asked).to.deep.equal([]);
        });
      }

      it('is read from an error that comes with success', () => {
        const body = { error: 'x', error_description: 'user is locked' };
        const response = answer(200, body);
        const problem = thrown(() =>
          processTokenResponse(response, 0, [], { vocabulary: { tokenError: readError } }),
        );
        expect(problem.code).to.equal('account_locked');
      });
    });

    describe('that refuses a person', () => {
      const vocabulary = {
        refusals: ['user_inactive'],
        meanings: [
          { says: /inactive/, code: providerCode('user_inactive'), hint: 'Activate.' },
          { error: 'access_denied', says: /^Unauthorized$/, code: 'invalid_client' },
        ],
      } as const;
      const refusal = (error: string, description: string, stage?: Stage) =>
        processTokenError(
          answer(403, { error, error_description: description }),
          [],
          vocabulary,
          stage,
        );

      it('is a refusal at a login, with the words and their remedy', () => {
        const problem = refusal('invalid_grant', 'inactive user');
        expect(problem.code).to.equal('user_inactive');
        expect(problem.message).to.equal('user_inactive: inactive user (invalid_grant)');
        expect(problem.details).to.include({
          refusal: 401,
          hint: 'Activate.',
          reportedIn: 'token response',
        });
      });

      it('is an ordinary error elsewhere', () => {
        for (const stage of ['refresh', 'client_credentials', 'revoke', 'introspect'] as const) {
          const problem = refusal('invalid_grant', 'inactive user', stage);
          expect(problem.code).to.equal('user_inactive');
          expect(problem.details.refusal).to.equal(undefined);
        }
      });

      it('is a refusal by the shared codes, unless the words mean the client', () => {
        expect(refusal('access_denied', 'by a rule').details.refusal).to.equal(401);
        const client = refusal('access_denied', 'Unauthorized');
        expect(client.code).to.equal('invalid_client');
        expect(client.details.refusal).to.equal(undefined);
      });
    });

    it('keeps the words of an outage, and of a limit', () => {
      const words = { error: 'too_many_requests', error_description: 'Try in 5 s' };
      expect(processTokenError(answer(429, words), []).message).to.equal(
        'asked too often (429): Try in 5 s',
      );
      expect(processTokenError(answer(503, { message: SECRET }), [SECRET]).message).to.equal(
        'the provider failed (503): [redacted]',
      );
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

      for (const [secret, error, code] of [
        ['code-4711', 'bad_code-4711', 'invalid_request'],
        ['abcd', 'xabcdx', 'invalid_request'],
        ['abc', 'abc', 'invalid_request'],
        ['abc', 'xabcx', 'xabcx'],
        [undefined, 'undefined', 'undefined'],
      ] as const) {
        it(`become a code only when they are short, by chance: ${secret} in ${error}`, () => {
          expect(processTokenError(answer(400, { error }), [secret]).code).to.equal(code);
        });
      }

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

  describe('tokens that replace others', () => {
    const previous: TokenSet = {
      accessToken: 'at-1',
      refreshToken: 'rt-1',
      idToken: 'e.y.1',
      tokenType: 'Bearer',
      expiresAt: 1000,
      scope: 'read',
      subject: 'zoe',
      response: {
        access_token: 'at-1',
        refresh_token: 'rt-1',
        id_token: 'e.y.1',
        expires_in: 60,
        scope: 'read',
        instance_url: 'https://zoe.acme.test',
      },
    };
    const next: TokenSet = {
      accessToken: 'at-2',
      tokenType: 'Bearer',
      response: { access_token: 'at-2' },
    };

    it('RFC 6749 §6 — keep scope, subject and the rest of the response', () => {
      const tokens = replaceTokens(previous, next);
      expect(tokens).to.deep.equal({
        accessToken: 'at-2',
        tokenType: 'Bearer',
        scope: 'read',
        subject: 'zoe',
        response: {
          access_token: 'at-2',
          scope: 'read',
          instance_url: 'https://zoe.acme.test',
        },
      });
      expect(Object.isFrozen(tokens)).to.equal(true);
      expect(Object.isFrozen(tokens.response)).to.equal(true);
    });

    it('RFC 6749 §6 — take what the answer says', () => {
      const response = {
        access_token: 'at-2',
        refresh_token: 'rt-2',
        id_token: 'e.y.2',
        expires_in: 5,
        scope: 'write',
        instance_url: 'https://other.acme.test',
      };
      const answered: TokenSet = {
        accessToken: 'at-2',
        refreshToken: 'rt-2',
        idToken: 'e.y.2',
        tokenType: 'Bearer',
        expiresAt: 2000,
        scope: 'write',
        subject: 'zoe',
        response,
      };
      expect(replaceTokens(previous, answered)).to.deep.equal(answered);
    });

    it('change neither set', () => {
      const copies = structuredClone([previous, next]);
      replaceTokens(previous, next);
      expect([previous, next]).to.deep.equal(copies);
    });

    it('OIDC Core §12.2 — are refused when they are for another person', () => {
      const problem = thrown(() => replaceTokens(previous, { ...next, subject: 'eve' }));
      expect(problem.code).to.equal('subject_mismatch');
      expect(problem.message).to.equal('the refreshed tokens are of another person');
    });

    it('OIDC Core §12.2 — name a person where the previous ones named none', () => {
      const { subject: _, ...unnamed } = previous;
      expect(replaceTokens(unnamed, { ...next, subject: 'eve' }).subject).to.equal('eve');
      expect(replaceTokens(unnamed, next)).not.to.have.property('subject');
    });
  });

  describe('an answer about a token', () => {
    const meanings = [
      { error: 'invalid_request', stages: ['revoke'], code: 'unsupported_token_type' },
      { error: 'invalid_request', stages: ['introspect'], code: 'insufficient_scope' },
    ] as const;
    const refusal = answer(400, { error: 'invalid_request' });

    it('RFC 7009 §2.2.1 — that refuses is read as one of revocation', () => {
      const problem = thrown(() => processRevocation(refusal, [], { meanings }));
      expect(problem.code).to.equal('unsupported_token_type');
    });

    it('RFC 7662 §2.3 — that refuses is read as one of introspection', () => {
      const problem = thrown(() => processIntrospection(refusal, [], { meanings }));
      expect(problem.code).to.equal('insufficient_scope');
    });

    it('RFC 7662 §2.2 — that leaves out whether it is active is refused, and says so', () => {
      const problem = thrown(() => processIntrospection(answer(200, { exp: 7 }), [], {}));
      expect(problem.code).to.equal('invalid_token_response');
      expect(problem.message).to.equal('the answer does not say whether it is active');
    });
  });
});
