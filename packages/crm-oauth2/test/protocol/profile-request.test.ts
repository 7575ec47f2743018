import { expect } from 'chai';
import { providerCode } from '../../dist/errors/provider-codes';
import { Problem } from '../../dist/errors/problem';
import { fetchWithToken } from '../../dist/protocol/profile-request';
import type { ProfileRequest } from '../../dist/protocol/profile-request';
import type { HttpRequest, HttpResponse } from '../../dist/wire/http';
import { rejection } from '../support';

const TOKEN = 'topsecret-token-1';

/** A network of prepared answers by URL, and what it was asked. */
function ask(
  url: string,
  answers: Record<string, Partial<HttpResponse>>,
  trusts?: (url: URL) => boolean,
  { tokenIn, token = TOKEN }: Pick<ProfileRequest, 'tokenIn'> & { token?: string } = {},
) {
  const asked: HttpRequest[] = [];
  const hosts: string[] = [];
  const response = fetchWithToken({ url: new URL(url), trusts, tokenIn }, token, {
    send: (request) => {
      asked.push(request);
      const answer = answers[request.url.href];
      if (!answer) return Promise.reject(new Error(`must not be asked: ${request.url.href}`));
      return Promise.resolve({ status: 200, headers: {}, body: '', ...answer });
    },
    isOwn: (candidate) => candidate.origin === 'https://acme.test',
    at: (candidate) => hosts.push(candidate.host),
  });
  return { response, asked, hosts };
}

async function problemOf(work: Promise<unknown>, token = TOKEN): Promise<Problem> {
  const problem: unknown = await rejection(work);
  expect(problem).to.be.instanceOf(Problem);
  const { stack, details } = problem as Problem;
  expect(`${stack} ${JSON.stringify(details)}`).not.to.include(token);
  return problem as Problem;
}

function redirect(location: string, status = 302): Partial<HttpResponse> {
  return { status, headers: { location } };
}

const json = { 'content-type': 'application/json' };
const trustAcme = (url: URL) => /(^|\.)acme\.test$/.test(url.hostname);

describe('profile request', () => {
  it('RFC 6750 §2.1 — sends the token in the Authorization header, never in the URL', async () => {
    const { response, asked, hosts } = ask('https://acme.test/me', {
      'https://acme.test/me': { body: 'hello' },
    });
    expect((await response).body).to.equal('hello');
    expect(asked).to.have.lengthOf(1);
    expect(asked[0]?.method).to.equal('GET');
    expect(asked[0]?.url.href).to.equal('https://acme.test/me');
    expect(asked[0]?.headers).to.deep.equal({
      accept: 'application/json',
      authorization: `Bearer ${TOKEN}`,
    });
    expect(asked[0]?.secrets).to.equal(undefined);
    expect(hosts).to.deep.equal(['acme.test']);
  });

  it('RFC 6750 §5.2 — asks no foreign host', async () => {
    const { response, asked } = ask('https://evil.test/me', {});
    const problem = await problemOf(response);
    expect(problem.code).to.equal('untrusted_host');
    expect(problem.message).to.equal('the access token must not go to evil.test');
    expect(asked).to.deep.equal([]);
  });

  it('asks a host the provider trusts', async () => {
    const { response } = ask(
      'https://na1.acme.test/me',
      { 'https://na1.acme.test/me': {} },
      trustAcme,
    );
    expect((await response).status).to.equal(200);
  });

  describe('a token in the URL', () => {
    /** Signs of real tokens: base64, JWT, and the `!` of Salesforce. */
    const AWKWARD = '00D5e!AQ.x+y/z=~_-(0)*';
    const form = new URLSearchParams({ t: AWKWARD }).toString().slice('t='.length);
    const lowerCase = (text: string) => text.replace(/%../g, (hex) => hex.toLowerCase());
    const everyCharacter = Buffer.from(AWKWARD).toString('hex').replace(/../g, '%$&');

    const spellings: [string, string, string][] = [
      ['in the path', TOKEN, `/tokens/${TOKEN}`],
      ['in the path, between others', TOKEN, `/tokens/v1.${TOKEN}.json/person`],
      ['in the query', TOKEN, `/me?access_token=${TOKEN}`],
      ['in a later parameter', TOKEN, `/me?a=1&x=${TOKEN}&b=2`],
      ['as it is', AWKWARD, `/tokens/${AWKWARD}`],
      ['percent-encoded in the path', AWKWARD, `/tokens/${encodeURIComponent(AWKWARD)}`],
      ['percent-encoded in the query', AWKWARD, `/me?t=${encodeURIComponent(AWKWARD)}`],
      ['form-encoded in the query', AWKWARD, `/me?t=${form}`],
      ['percent-encoded in lower case', AWKWARD, `/me?t=${lowerCase(encodeURIComponent(AWKWARD))}`],
      ['percent-encoded in every character', AWKWARD, `/me?t=${everyCharacter}`],
    ];
    for (const [title, token, path] of spellings) {
      it(`RFC 6750 §5.3 — is refused before anything is sent: ${title}`, async () => {
        const { response, asked, hosts } = ask(`https://acme.test${path}`, {}, undefined, {
          token,
        });
        const problem = await problemOf(response, token);
        expect(problem.code).to.equal('token_in_url');
        expect(problem.message).to.equal('the access token must not travel in a URL');
        expect(asked).to.deep.equal([]);
        expect(hosts).to.deep.equal([]);
      });

      it(`RFC 6750 §5.3 — is refused after a redirect: ${title}`, async () => {
        const { response, asked } = ask(
          'https://acme.test/me',
          { 'https://acme.test/me': redirect(`https://na1.acme.test${path}`) },
          trustAcme,
          { token },
        );
        expect((await problemOf(response, token)).code).to.equal('token_in_url');
        expect(asked.map(({ url }) => url.href)).to.deep.equal(['https://acme.test/me']);
      });
    }

    it('RFC 6750 §5.3 — is refused as a label of a trusted host, which is asked for by its name', async () => {
      const location = `https://${TOKEN}.acme.test/me`;
      const { response, asked, hosts } = ask(
        'https://acme.test/me',
        { 'https://acme.test/me': redirect(location) },
        trustAcme,
      );
      expect((await problemOf(response)).code).to.equal('token_in_url');
      expect(asked).to.have.lengthOf(1);
      expect(hosts).to.deep.equal(['acme.test']);
    });

    it('is not told in the name of a host that must not receive it', async () => {
      const { response } = ask(`https://${TOKEN.toUpperCase()}.evil.test/me`, {});
      const { message } = await problemOf(response);
      expect(message).to.equal('the access token must not go to [redacted].evil.test');
    });

    it('counts less than a host that must not receive a token', async () => {
      const { response } = ask(`https://evil.test/${TOKEN}`, {});
      expect((await problemOf(response)).code).to.equal('untrusted_host');
    });

    it('is not seen in an address that only begins like it', async () => {
      const url = `https://acme.test/${TOKEN.slice(0, -1)}`;
      const { response } = ask(url, { [url]: { body: 'profile' } });
      expect((await response).body).to.equal('profile');
    });

    it('is told from a short text, which an address may have by chance', async () => {
      const short = 'x'.repeat(15);
      const url = `https://acme.test/${short}/me`;
      const { response } = ask(url, { [url]: { body: 'profile' } }, undefined, { token: short });
      expect((await response).body).to.equal('profile');
      const long = 'x'.repeat(16);
      const refused = ask(`https://acme.test/${long}/me`, {}, undefined, { token: long });
      expect((await problemOf(refused.response, long)).code).to.equal('token_in_url');
    });
  });

  describe('a token that the API takes in its path', () => {
    const url = `https://acme.test/access-tokens/${TOKEN}`;
    const inPath = { tokenIn: 'path' } as const;

    it('is sent there, without the Authorization header', async () => {
      const { response, asked, hosts } = ask(url, { [url]: { body: 'me' } }, undefined, inPath);
      expect((await response).body).to.equal('me');
      expect(asked[0]?.url.href).to.equal(url);
      expect(asked[0]?.headers).to.deep.equal({ accept: 'application/json' });
      expect(asked[0]?.secrets).to.deep.equal([TOKEN]);
      expect(hosts).to.deep.equal(['acme.test']);
    });

    it('RFC 6750 §5.2 — goes to no foreign host', async () => {
      const { response, asked } = ask(`https://evil.test/${TOKEN}`, {}, undefined, inPath);
      expect((await problemOf(response)).code).to.equal('untrusted_host');
      expect(asked).to.deep.equal([]);
    });

    it('RFC 6750 §5.3 — goes nowhere over plain http', async () => {
      const plain = `http://na1.acme.test/${TOKEN}`;
      const { response, asked } = ask(plain, {}, trustAcme, inPath);
      expect((await problemOf(response)).code).to.equal('untrusted_host');
      expect(asked).to.deep.equal([]);
    });

    it('gets no header after a redirect either', async () => {
      const next = `https://na1.acme.test/access-tokens/${TOKEN}`;
      const answers = { [url]: redirect(next), [next]: { body: 'me' } };
      const { response, asked } = ask(url, answers, trustAcme, inPath);
      expect((await response).body).to.equal('me');
      expect(asked.map(({ headers }) => headers)).to.deep.equal([
        { accept: 'application/json' },
        { accept: 'application/json' },
      ]);
    });

    it('is not repeated in the error of an API that echoes the path', async () => {
      const body = JSON.stringify({ message: `GET /access-tokens/${TOKEN} failed` });
      const answers = { [url]: { status: 404, body, headers: json } };
      const { response } = ask(url, answers, undefined, inPath);
      expect((await problemOf(response)).message).to.equal(
        'the profile was refused with status 404: GET /access-tokens/[redacted] failed',
      );
    });
  });

  describe('redirects', () => {
    it('are not followed without trusts, not even to the same host', async () => {
      const { response, asked } = ask('https://acme.test/me', {
        'https://acme.test/me': redirect('https://acme.test/me2'),
      });
      expect((await problemOf(response)).code).to.equal('unexpected_redirect');
      expect(asked).to.have.lengthOf(1);
    });

    for (const status of [300, 301, 302, 303, 307, 308, 399]) {
      it(`are followed by hand with trusts (${status}), relative ones included`, async () => {
        const { response, asked, hosts } = ask(
          'https://acme.test/me',
          {
            'https://acme.test/me': redirect('https://na1.acme.test/id/1', status),
            'https://na1.acme.test/id/1': redirect('../id/2?x=1', status),
            'https://na1.acme.test/id/2?x=1': { body: 'profile' },
          },
          trustAcme,
        );
        expect((await response).body).to.equal('profile');
        expect(asked.map(({ headers }) => headers.authorization)).to.deep.equal([
          `Bearer ${TOKEN}`,
          `Bearer ${TOKEN}`,
          `Bearer ${TOKEN}`,
        ]);
        expect(hosts).to.deep.equal(['acme.test', 'na1.acme.test', 'na1.acme.test']);
      });
    }

    for (const [title, location] of [
      ['a foreign host', 'https://evil.test/me'],
      ['a host that only ends alike', 'https://evilacme.test/me'],
      ['a host in the user info', 'https://acme.test@evil.test/me'],
      ['a foreign host without a scheme', '//evil.test/me'],
      ['plain http', 'http://acme.test/me'],
      ['plain http on a trusted host', 'http://na1.acme.test/me'],
    ] as const) {
      it(`RFC 6750 §5.3 — never take the token to ${title}`, async () => {
        const { response, asked } = ask(
          'https://acme.test/me',
          { 'https://acme.test/me': redirect(location) },
          trustAcme,
        );
        expect((await problemOf(response)).code).to.equal('untrusted_host');
        expect(asked.map(({ url }) => url.href)).to.deep.equal(['https://acme.test/me']);
      });
    }

    it('may lead to plain http on a trusted loopback host', async () => {
      const { response } = ask(
        'http://127.0.0.1:4000/me',
        {
          'http://127.0.0.1:4000/me': redirect('http://localhost:4000/me'),
          'http://localhost:4000/me': { body: 'profile' },
        },
        () => true,
      );
      expect((await response).body).to.equal('profile');
    });

    it('are judged by the provider on the configured host too', async () => {
      const { response, asked } = ask(
        'https://acme.test/id/1',
        { 'https://acme.test/id/1': redirect('/id/2') },
        (url) => url.pathname === '/id/1',
      );
      expect((await problemOf(response)).code).to.equal('untrusted_host');
      expect(asked.map(({ url }) => url.pathname)).to.deep.equal(['/id/1']);
    });

    it('judge each hop, not only the first', async () => {
      const { response, asked } = ask(
        'https://acme.test/me',
        {
          'https://acme.test/me': redirect('https://na1.acme.test/me'),
          'https://na1.acme.test/me': redirect('https://evil.test/me'),
        },
        trustAcme,
      );
      expect((await problemOf(response)).code).to.equal('untrusted_host');
      expect(asked).to.have.lengthOf(2);
    });

    it('end after three', async () => {
      const { response, asked } = ask(
        'https://acme.test/me',
        { 'https://acme.test/me': redirect('/me') },
        trustAcme,
      );
      const problem = await problemOf(response);
      expect(problem.code).to.equal('unexpected_redirect');
      expect(problem.message).to.equal('the profile request was redirected too often');
      expect(asked).to.have.lengthOf(4);
    });

    for (const [status, code] of [
      [199, 'unexpected_status'],
      [400, 'unexpected_status'],
      [401, 'invalid_token'],
      [500, 'provider_unavailable'],
    ] as const) {
      it(`RFC 9110 §10.2.2 — are none, whatever Location says beside ${status}`, async () => {
        const { response, asked } = ask(
          'https://acme.test/me',
          { 'https://acme.test/me': redirect('https://na1.acme.test/me', status) },
          trustAcme,
        );
        expect((await problemOf(response)).code).to.equal(code);
        expect(asked).to.have.lengthOf(1);
      });
    }

    it('need a target', async () => {
      for (const headers of [{}, { location: 'http://[' }]) {
        const { response } = ask(
          'https://acme.test/me',
          { 'https://acme.test/me': { status: 302, headers } },
          trustAcme,
        );
        expect((await problemOf(response)).code).to.equal('unexpected_redirect');
      }
    });
  });

  describe('refusals', () => {
    const cases: [number, string, Record<string, string>, string, string][] = [
      [401, '{"error_description":"expired"}', json, 'invalid_token', ': expired'],
      [401, '{"error":"invalid_token"}', json, 'invalid_token', ': invalid_token'],
      [401, '', {}, 'invalid_token', ''],
      [
        403,
        'Bad_OAuth_Token',
        { 'content-type': 'text/html' },
        'insufficient_scope',
        ': Bad_OAuth_Token',
      ],
      [
        403,
        '<h1>No</h1>',
        { 'content-type': 'text/html' },
        'unexpected_status',
        ': text/html "No"',
      ],
      [403, '["x"]', json, 'insufficient_scope', ': x'],
      [404, '{"error":7}', json, 'unexpected_status', ': 7'],
      [404, '7', json, 'unexpected_status', ''],
      [404, 'null', json, 'unexpected_status', ''],
      [404, '[null]', json, 'unexpected_status', ''],
      [404, '[]', json, 'unexpected_status', ''],
      [400, '[{"message":"Session expired"},{}]', json, 'unexpected_status', ': Session expired'],
      [400, '{"error":{"message":"inner"},"message":"m"}', json, 'unexpected_status', ': inner'],
      [400, '{"error":"e","message":"m"}', json, 'unexpected_status', ': m'],
      [400, '{"error_description":"d","error":"e"}', json, 'unexpected_status', ': d'],
      [400, '{"error_description":"","error":"e"}', json, 'unexpected_status', ': e'],
      [400, '{"error":{},"message":"m"}', json, 'unexpected_status', ': m'],
      [400, 'a'.repeat(60), {}, 'unexpected_status', `: ${'a'.repeat(60)}`],
      [400, 'a'.repeat(301), {}, 'unexpected_status', `: ${'a'.repeat(300)}…`],
      [400, '!bad', {}, 'unexpected_status', ': !bad'],
      [400, 'bad!', {}, 'unexpected_status', ': bad!'],
      [400, '{"message":', json, 'unexpected_status', ''],
      [
        401,
        `{"error":"token ${TOKEN} is bad"}`,
        json,
        'invalid_token',
        ': token [redacted] is bad',
      ],
    ];
    for (const [status, body, headers, code, words] of cases) {
      it(`RFC 6750 §3.1 — ${status} with ${body || 'nothing'} is ${code}`, async () => {
        const { response } = ask('https://acme.test/me', {
          'https://acme.test/me': { status, body, headers },
        });
        const problem = await problemOf(response);
        expect(problem.code).to.equal(code);
        expect(problem.message).to.equal(`the profile was refused with status ${status}${words}`);
        expect(problem.details).to.include({ status });
      });
    }

    it('refuse a person by the words of the provider', async () => {
      const vocabulary = {
        refusals: ['inactive_user'],
        meanings: [{ error: 'Inactive', stages: ['profile'], code: providerCode('inactive_user') }],
      } as const;
      const response = fetchWithToken({ url: new URL('https://acme.test/me') }, TOKEN, {
        send: () => Promise.resolve({ status: 404, headers: {}, body: 'Inactive' }),
        isOwn: () => true,
        at: () => {},
        vocabulary,
      });
      const { code, details } = await problemOf(response);
      expect(code).to.equal('inactive_user');
      expect(details.refusal).to.equal(401);
    });

    it('RFC 9110 §10.2.3 — carry Retry-After', async () => {
      const { response } = ask('https://acme.test/me', {
        'https://acme.test/me': { status: 403, headers: { 'retry-after': '7' } },
      });
      const { details } = await problemOf(response);
      expect(details).to.deep.equal({ status: 403, retryAfterSeconds: 7 });
    });

    it('name 429 and 5xx by status, with Retry-After', async () => {
      const limited = ask('https://acme.test/me', {
        'https://acme.test/me': { status: 429, headers: { 'retry-after': '7' } },
      });
      const problem = await problemOf(limited.response);
      expect(problem.code).to.equal('rate_limited');
      expect(problem.message).to.equal('asked too often (429)');
      expect(problem.details.retryAfterSeconds).to.equal(7);
      const down = ask('https://acme.test/me', { 'https://acme.test/me': { status: 503 } });
      expect((await problemOf(down.response)).code).to.equal('provider_unavailable');
    });
  });
});
