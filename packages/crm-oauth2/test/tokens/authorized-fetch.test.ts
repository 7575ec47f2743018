/** `authorizedFetch` over real sockets, because the platform's `fetch` is a part of it. */
import type { IncomingHttpHeaders, RequestListener } from 'node:http';
import * as https from 'node:https';
import { Readable } from 'node:stream';
import { text as readText } from 'node:stream/consumers';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { getEventListeners } from 'node:events';
import { OAuth2Error, authorizedFetch, clientCredentials, staticToken } from '../../dist/index';
import type {
  AuthorizedFetchOptions,
  GetTokenOptions,
  RateLimit,
  TokenSet,
  TokenSource,
} from '../../dist/index';
import {
  freePort,
  httpServer as anyServer,
  pause,
  portOf,
  rawServer,
  rejection,
  thrown,
  useRealSockets,
} from '../support';
import { FOREVER, pausesOf } from './support';
import { TEST_ONLY_CERTIFICATE, TEST_ONLY_KEY } from '../fixtures/tls';

const TOKEN = 'token-of-a-person';
const AT_ONCE = { 'retry-after': '0' };

/** Answers that are neither finished nor given up. The spare connections of undici do not count. */
let open = 0;

async function httpServer(handler: RequestListener): Promise<string> {
  return await anyServer((request, response) => {
    open += 1;
    response.on('close', () => (open -= 1));
    handler(request, response);
  });
}

async function expectNothingOpen(): Promise<void> {
  const rounds = Array.from({ length: 25 });
  for (const _ of rounds) if (open > 0) await pause(20);
  expect(open).to.equal(0);
}

interface Seen {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

interface Answer {
  status?: number;
  headers?: Record<string, string>;
  /** A text as it is, anything else as JSON. */
  body?: unknown;
}

/** A server that notes every request and answers as it is told, the last answer again and again. */
async function api(...answers: (Answer | ((seen: Seen) => Answer))[]) {
  const seen: Seen[] = [];
  const origin = await httpServer((request, response) => {
    void readText(request).then((body) => {
      const { method = '', url: path = '', headers } = request;
      const one = { method, path, headers, body };
      const next = answers[Math.min(seen.length, answers.length - 1)] ?? {};
      seen.push(one);
      const answer = typeof next === 'function' ? next(one) : next;
      const isText = typeof answer.body === 'string' || answer.body === undefined;
      response.writeHead(answer.status ?? 200, {
        'content-type': isText ? 'text/plain' : 'application/json',
        ...answer.headers,
      });
      response.end(isText ? answer.body : JSON.stringify(answer.body));
    });
  });
  return { origin, seen };
}

/** A server whose answers begin, and never end. */
const stalling = (status: number, meanwhile?: () => void) =>
  httpServer((_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).write('{');
    meanwhile?.();
  });

/** A source that goes on to its next token when one is rejected, and a list of its calls. */
function tokens(...values: string[]) {
  const asked: unknown[] = [];
  const source: TokenSource = {
    getAccessToken: async (options) => {
      asked.push(options);
      if (options?.rejected === values[0] && values.length > 1) values.shift();
      return await Promise.resolve(values[0] ?? '');
    },
  };
  return { source, asked };
}

/** A source that never answers. */
const SILENT: TokenSource = { getAccessToken: FOREVER };

const make = (
  baseURL: AuthorizedFetchOptions['baseURL'],
  options: Partial<AuthorizedFetchOptions> = {},
  source: TokenSource = staticToken(TOKEN),
) => authorizedFetch(source, { baseURL, ...options });

/** The reason of a promise that must reject; it need not be an error. */
const reasonOf = async (work: Promise<unknown>): Promise<unknown> => {
  const NOTHING = Symbol('nothing');
  const reason: unknown = await work.then(
    () => NOTHING,
    (error: unknown) => error,
  );
  expect(reason).not.to.equal(NOTHING);
  return reason;
};

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

describe('authorizedFetch', () => {
  useRealSockets();

  describe('options', () => {
    for (const [baseURL, words] of [
      ['http://api.example.com', 'https'],
      ['ftp://127.0.0.1', 'https'],
      ['https://user:secret@api.example.com', 'user info'],
      ['https://api.example.com/v2?key=1', 'query'],
      ['https://api.example.com/v2?', 'query'],
      ['https://api.example.com/v2#top', 'fragment'],
      ['/v2', 'absolute'],
      [undefined, 'absolute'],
    ] as const) {
      it(`baseURL — refuses ${baseURL}`, () => {
        const error = thrown(() => make(baseURL as string));
        expect(error).to.be.instanceOf(TypeError);
        expect(error.message).to.contain('authorizedFetch: option "baseURL"').and.contain(words);
      });
    }

    for (const name of ['timeout', 'bodyTimeout', 'maxResponseBytes'] as const) {
      it(`${name} — must be a number`, () => {
        for (const value of [0, -1, Number.NaN, '5' as unknown as number, 2 ** 53]) {
          const error = thrown(() => make('https://a.example', { [name]: value }));
          expect(error).to.be.instanceOf(TypeError);
          expect(error.message).to.contain(`authorizedFetch: option "${name}"`);
        }
      });
    }

    it('timeout — may be as long as a timer of the platform', () => {
      make('https://a.example', { timeout: 2 ** 31 - 1, bodyTimeout: 2 ** 31 - 1 });
      expect(thrown(() => make('https://a.example', { timeout: 2 ** 31 }))).to.be.an('error');
    });

    it('baseURL — as a function needs a source that has more than an access token', () => {
      const error = thrown(() => make(() => 'https://a.example'));
      expect(error).to.be.instanceOf(TypeError);
      expect(error.message).to.contain('option "baseURL" may be a function only');
    });

    it('unknown — is refused with the nearest known name', () => {
      for (const [options, words] of [
        [{ timeOut: 5000 }, 'unknown option "timeOut"; did you mean "timeout"?'],
        [{ baseURL: undefined, baseUrl: 'x' }, 'unknown option "baseUrl"; did you mean "baseURL"?'],
        [{ onratelimit: () => {} }, 'unknown option "onratelimit"; did you mean "onRateLimit"?'],
        [{ zzzzzzzzzzzz: 1 }, 'Known: baseURL, timeout, bodyTimeout,'],
      ] as const) {
        const error = thrown(() => make('https://a.example', options as object));
        expect(error).to.be.instanceOf(TypeError);
        expect(error.message)
          .to.match(/^authorizedFetch: unknown option/)
          .and.contain(words);
      }
    });

    it('fetch — replaces the platform’s', async () => {
      const asked: unknown[] = [];
      const fetch: typeof globalThis.fetch = async (url, init) => {
        asked.push([url, new Headers(init?.headers).get('authorization')]);
        return await Promise.resolve(Response.json({ ok: true }));
      };
      expect(await make('https://api.example.com', { fetch }).json('me')).to.deep.equal({
        ok: true,
      });
      expect(asked).to.deep.equal([[new URL('https://api.example.com/me'), `Bearer ${TOKEN}`]]);
    });
  });

  describe('where a request goes', () => {
    for (const [base, path, expected] of [
      ['', 'me.json', '/me.json'],
      ['', '/me.json', '/me.json'],
      ['/', 'me.json', '/me.json'],
      ['/v2', 'me.json', '/v2/me.json'],
      ['/v2', '/me.json', '/v2/me.json'],
      ['/v2/', 'me.json', '/v2/me.json'],
      ['/v2/', '//me.json', '/v2/me.json'],
      ['/v2//', 'me.json', '/v2/me.json'],
      ['/v2', 'people/id:7', '/v2/people/id:7'],
      ['/v2', '', '/v2/'],
      ['/v2', 'people?page=2#x', '/v2/people?page=2'],
      ['/v2', '//evil.example/me', '/v2/evil.example/me'],
      ['/v2', '\\\\evil.example\\me', '/v2///evil.example/me'],
      ['/v2', '/\\evil.example', '/v2//evil.example'],
      ['/v2', '@evil.example/me', '/v2/@evil.example/me'],
      ['/v2', '.evil.example', '/v2/.evil.example'],
      ['/v2', '../../../v1/leads', '/v1/leads'],
      ['/v2', '\t//evil.example', '/v2///evil.example'],
    ] as const) {
      it(`${JSON.stringify(path)} under "${base}" — asks ${expected}, with the token`, async () => {
        const { origin, seen } = await api({});
        expect((await make(origin + base)(path)).status).to.equal(200);
        expect(seen).to.have.length(1);
        expect(seen[0]).to.include({ path: expected });
        expect(seen[0]?.headers.authorization).to.equal(`Bearer ${TOKEN}`);
      });
    }

    it('URL — of the same origin, as text or object, gets the token', async () => {
      const { origin, seen } = await api({});
      const request = make(`${origin}/v2`);
      await request(`${origin}/elsewhere`);
      await request(new URL(`${origin}/object`));
      await request(`${origin.toUpperCase()}/upper`);
      expect(seen.map(({ path, headers }) => [path, headers.authorization])).to.deep.equal([
        ['/elsewhere', `Bearer ${TOKEN}`],
        ['/object', `Bearer ${TOKEN}`],
        ['/upper', `Bearer ${TOKEN}`],
      ]);
    });

    it('URL — of another port or host gets no token, and the source is not asked', async () => {
      const own = await api({});
      const other = await api({ status: 401 });
      const { source, asked } = tokens(TOKEN, 'another');
      const request = make(own.origin, {}, source);
      const { port } = new URL(own.origin);
      for (const url of [other.origin, `http://localhost:${port}/x`, `http:127.0.0.2:${port}`]) {
        await request(url).catch(() => undefined);
      }
      expect(asked).to.deep.equal([]);
      for (const { headers } of [...own.seen, ...other.seen]) {
        expect(headers).not.to.have.property('authorization');
      }
      expect(other.seen).to.have.length(1);
    });

    it('redirect — to another origin leaves the token behind, within the origin keeps it', async () => {
      const other = await api({ status: 401, headers: AT_ONCE });
      const own = await api(
        { status: 302, headers: { location: '/there' } },
        { status: 307, headers: { location: `${other.origin}/stolen` } },
      );
      const { source, asked } = tokens(TOKEN, 'another');
      const limits: RateLimit[] = [];
      const response = await make(
        own.origin,
        { onRateLimit: (one) => limits.push(one) },
        source,
      )('a');
      expect(response.status).to.equal(401);
      expect(own.seen.map(({ path }) => path)).to.deep.equal(['/a', '/there']);
      for (const { headers } of own.seen) expect(headers.authorization).to.equal(`Bearer ${TOKEN}`);
      expect(other.seen).to.have.length(1);
      expect(other.seen[0]?.headers).not.to.have.property('authorization');
      // The 401 of another origin does not judge the token.
      expect(asked).to.deep.equal([undefined]);
    });

    it('redirect — from another origin to the API: a 401 there sends no token to the other', async () => {
      const own = await api({ status: 401 });
      const other = await api({ status: 302, headers: { location: `${own.origin}/me` } });
      const { source, asked } = tokens(TOKEN, 'another');
      expect((await make(own.origin, {}, source)(other.origin)).status).to.equal(401);
      expect(asked).to.deep.equal([]);
      expect(own.seen).to.have.length(1);
      expect(other.seen).to.have.length(1);
    });

    describe('redirect, also with a `fetch` that would follow it with the token', () => {
      /** As a `fetch` that sends every header wherever a redirect leads. */
      const careless: typeof globalThis.fetch = async (input, init) => {
        if (init?.redirect === 'manual') return await globalThis.fetch(input, init);
        const response = await globalThis.fetch(input, { ...init, redirect: 'manual' });
        const location = response.headers.get('location');
        return location === null ? response : await careless(location, init);
      };

      for (const status of [301, 302, 303, 307, 308]) {
        it(`${status} — another origin gets no token, no cookie and no body`, async () => {
          const other = await api({ body: 'other' });
          const location = `${other.origin}/there`;
          const own = await api({ status, headers: { location }, body: 'moved' });
          const request = make(own.origin, { fetch: careless });
          const headers = { cookie: 'a=1', 'x-own': 'kept' };
          const got = await request('x', { headers });
          expect(await got.text()).to.equal('other');
          expect(got).to.include({ url: location, redirected: true });
          const posted = await request('x', { method: 'POST', body: 's3cret' });
          const isKept = status >= 307;
          expect(await posted.text()).to.equal(isKept ? 'moved' : 'other');
          expect(other.seen).to.have.length(isKept ? 1 : 2);
          for (const { method, headers: sent, body } of other.seen) {
            expect(sent).to.not.have.any.keys('authorization', 'cookie', 'content-type');
            expect([method, body]).to.deep.equal(['GET', '']);
          }
          expect(other.seen[0]?.headers).to.include({ 'x-own': 'kept' });
        });

        it(`${status} — within the origin keeps the token, and RFC 9110 §15.4 says what else`, async () => {
          const { origin, seen } = await api({ status, headers: { location: '/y' } }, {});
          await make(`${origin}/v2`, { fetch: careless })('x', { method: 'POST', json: { a: 1 } });
          const isKept = status >= 307;
          expect(seen[1]).to.include({
            method: isKept ? 'POST' : 'GET',
            path: '/y',
            body: isKept ? '{"a":1}' : '',
          });
          expect(seen[1]?.headers.authorization).to.equal(`Bearer ${TOKEN}`);
          expect(seen[1]?.headers['content-type']).to.equal(
            isKept ? 'application/json' : undefined,
          );
        });
      }

      for (const [method, status, next] of [
        ['HEAD', 303, 'HEAD'],
        ['PUT', 303, 'GET'],
        ['PUT', 302, 'PUT'],
        ['DELETE', 301, 'DELETE'],
      ] as const) {
        it(`RFC 9110 §15.4 — a ${method} becomes a ${next} after ${status}`, async () => {
          const { origin, seen } = await api({ status, headers: { location: '/y' } }, {});
          await make(origin)('x', { method });
          expect(seen.map((one) => one.method)).to.deep.equal([method, next]);
        });
      }

      it('RFC 9110 §15.4 — a GET stays as it is after 303', async () => {
        const { origin, seen } = await api({ status: 303, headers: { location: '/y' } }, {});
        const headers = { 'content-type': 'application/vnd.acme+json' };
        await make(origin)('x', { headers });
        for (const one of seen) {
          expect(one.method).to.equal('GET');
          expect(one.headers).to.include(headers);
        }
        expect(seen).to.have.lengthOf(2);
      });

      for (const [what, location] of [
        ['no place', undefined],
        ['a broken place', 'http://['],
        ['a place that is not http', 'ftp://127.0.0.1/x'],
        ['a place with user info', 'https://user:word@127.0.0.1/x'],
      ] as const) {
        it(`that names ${what} is the answer`, async () => {
          const headers: Answer['headers'] = location === undefined ? {} : { location };
          const { origin, seen } = await api({ status: 302, headers, body: 'moved' });
          const response = await make(origin)('x');
          expect(response.status).to.equal(302);
          expect(await response.text()).to.equal('moved');
          expect(seen).to.have.length(1);
        });
      }

      it('that has a stream to send again is the answer', async () => {
        const { origin, seen } = await api({ status: 307, headers: { location: '/y' } });
        const body = new Blob(['stream']).stream() as ReadableStream;
        const init = { method: 'POST', body, duplex: 'half' } as const;
        expect((await make(origin)('x', init)).status).to.equal(307);
        expect(seen).to.have.length(1);
      });

      it('that comes again and again is the answer after five', async () => {
        const { origin, seen } = await api({ status: 302, headers: { location: '/y' } });
        expect((await make(origin)('x')).status).to.equal(302);
        expect(seen).to.have.length(6);
        expect(await rejection(make(origin).json('x'))).to.include({ code: 'unexpected_redirect' });
      });

      it('that returns from another origin has no token', async () => {
        const other = await api((seen) => ({
          status: 302,
          headers: { location: `http://${seen.path.slice(1)}/back` },
        }));
        const own = await api(({ path, headers: { host = '' } }) =>
          path === '/back'
            ? { status: 401 }
            : { status: 302, headers: { location: `${other.origin}/${host}` } },
        );
        const { source, asked } = tokens(TOKEN, 'another');
        expect((await make(own.origin, {}, source)('x')).status).to.equal(401);
        expect(own.seen.map(({ headers }) => headers.authorization)).to.deep.equal([
          `Bearer ${TOKEN}`,
          undefined,
        ]);
        // That 401 judges no token.
        expect(asked).to.deep.equal([undefined]);
      });

      it('forbidden by the caller is unexpected_redirect', async () => {
        const { origin, seen } = await api({ status: 302, headers: { location: '/y' } });
        const error = await rejection(make(origin)('x', { redirect: 'error' }));
        expect(error).to.include({ code: 'unexpected_redirect', stage: 'api' });
        expect(seen).to.have.length(1);
      });
    });

    it('authorization — of the caller is replaced for the API, and kept for other origins', async () => {
      const { origin, seen } = await api({});
      const other = await api({});
      const headers = { Authorization: 'Basic own', 'X-Own': 'kept' };
      await make(origin)('me', { headers });
      await make(origin)(other.origin, { headers });
      expect(seen[0]?.headers).to.include({ authorization: `Bearer ${TOKEN}`, 'x-own': 'kept' });
      expect(other.seen[0]?.headers).to.include({ authorization: 'Basic own' });
      expect(headers).to.deep.equal({ Authorization: 'Basic own', 'X-Own': 'kept' });
    });

    const NO_URL = 'authorizedFetch: the first argument must be a string or a URL';
    const NO_API = 'authorizedFetch: the URL must be http or https, without user info';
    for (const [what, input, message] of [
      ['a Request', new Request('https://api.example.com/me'), NO_URL],
      ['nothing', undefined, NO_URL],
      ['a number', 5, NO_URL],
      ['a URL with user info', 'https://user:s3cret-word@api.example.com/me', NO_API],
      ['a URL with a user', 'https://s3cret-word@api.example.com/me', NO_API],
      ['a URL with a password', 'https://:s3cret-word@api.example.com/me', NO_API],
      ['a URL that is not http', 'ftp://api.example.com/me', NO_API],
      ['a URL of a protocol that ends like http', 'shttp://api.example.com/me', NO_API],
      ['a path that reads as a scheme', 'people:search', NO_API],
      ['a broken URL', 'https://', 'Invalid URL'],
    ] as const) {
      it(`argument — refuses ${what}`, async () => {
        const error = await reasonOf(make('https://api.example.com')(input as string));
        expect(error).to.be.instanceOf(TypeError).with.property('message', message);
      });
    }
  });

  describe('body', () => {
    it('json — is sent as JSON, null included; undefined leaves the body alone', async () => {
      const { origin, seen } = await api({});
      const request = make(origin);
      await request('a', { method: 'post', json: { name: 'Zoë' } });
      await request('b', { method: 'POST', json: null });
      await request('c', { method: 'POST', json: undefined, body: 'text' });
      await request('d', {
        method: 'patch',
        json: [1],
        headers: { 'content-type': 'application/vnd.acme+json' },
      });
      expect(
        seen.map(({ method, headers, body }) => [method, headers['content-type'], body]),
      ).to.deep.equal([
        ['POST', 'application/json', '{"name":"Zoë"}'],
        ['POST', 'application/json', 'null'],
        ['POST', 'text/plain;charset=UTF-8', 'text'],
        ['PATCH', 'application/vnd.acme+json', '[1]'],
      ]);
    });

    it('mistakes of the caller — are reported in the platform’s words, not as a failed network', async () => {
      const request = make('https://api.example.com');
      for (const init of [
        { body: 'x' },
        { method: 'POST', headers: { 'bad header': 'x' } },
        { method: 'CONNECT' },
      ]) {
        const error = await reasonOf(request('me', init));
        expect(error).to.be.instanceOf(TypeError);
        expect(error).not.to.be.instanceOf(OAuth2Error);
      }
    });

    it('content-length — is counted anew where an application has counted wrong', async () => {
      for (const length of ['1', '100', 'unknown']) {
        const { origin, seen } = await api({});
        const headers = { 'content-length': length };
        await make(origin)('a', { method: 'PUT', json: { name: 'Zoë' }, headers });
        await make(origin)('a', { method: 'POST', body: new Blob(['Zoë']), headers });
        expect(seen.map(({ body }) => body)).to.deep.equal(['{"name":"Zoë"}', 'Zoë']);
      }
    });

    it('content-length — of a stream of another length is a mistake of the caller', async () => {
      const { origin } = await api({});
      for (const [length, words] of [
        ['100', 'does not match'],
        ['unknown', 'content-length'],
      ] as const) {
        const body = new Blob(['stream']).stream() as ReadableStream;
        const headers = { 'content-length': length };
        const init = { method: 'PUT', body, duplex: 'half', headers } as const;
        const error = await reasonOf(make(origin)('a', init));
        expect(error).to.be.instanceOf(TypeError);
        expect(String(error)).to.include('authorizedFetch: fetch refuses').and.include(words);
      }
    });

    it('token — that cannot stand in a header is refused, and not quoted', async () => {
      for (const token of ['s3cret\nword', 's3cret word', '']) {
        const source = { getAccessToken: async () => await Promise.resolve(token) };
        const error = await reasonOf(make('https://api.example.com', {}, source)('me'));
        expect(String(error)).to.equal('TypeError: authorizedFetch: the token is not usable');
      }
    });
  });

  describe('401', () => {
    it('RFC 6750 §3.1 — asks once more with another token, and returns the second 401', async () => {
      const { origin, seen } = await api({ status: 401, body: 'no' });
      const { source, asked } = tokens('first', 'second', 'third');
      const response = await make(origin, {}, source)('me');
      expect(response.status).to.equal(401);
      expect(await response.text()).to.equal('no');
      expect(asked).to.deep.equal([undefined, { rejected: 'first' }]);
      expect(seen.map(({ headers }) => headers.authorization)).to.deep.equal([
        'Bearer first',
        'Bearer second',
      ]);
    });

    it('same token — from the source is not sent again: the 401 is returned, unread', async () => {
      const { origin, seen } = await api({ status: 401, body: 'no' });
      const response = await make(origin)('me');
      expect(response.status).to.equal(401);
      expect(await response.text()).to.equal('no');
      expect(seen).to.have.length(1);
    });

    it('source — its error is thrown, and no connection stays open', async () => {
      const origin = await stalling(401);
      const fault = new Error('of the source');
      const source: TokenSource = {
        getAccessToken: async (options) => {
          if (options?.rejected) throw fault;
          return await Promise.resolve(TOKEN);
        },
      };
      expect(await reasonOf(make(origin, {}, source)('me'))).to.equal(fault);
      await expectNothingOpen();
    });

    const form = new FormData();
    form.set('name', 'Zoë');
    const bodies: [string, RequestInit & { json?: unknown }][] = [
      ['string', { body: 'name=1' }],
      ['URLSearchParams', { body: new URLSearchParams({ name: '1' }) }],
      ['Uint8Array', { body: new TextEncoder().encode('bytes') }],
      ['ArrayBuffer', { body: new TextEncoder().encode('buffer').buffer }],
      ['Blob', { body: new Blob(['blob'], { type: 'text/csv' }) }],
      ['FormData', { body: form }],
      ['json', { json: { name: 1 } }],
    ];
    for (const [what, init] of bodies) {
      it(`body — a POST of ${what} is sent again as it was`, async () => {
        const { origin, seen } = await api({ status: 401 }, { body: 'done' });
        const { source } = tokens('first', 'second');
        const response = await make(origin, {}, source)('x', { method: 'POST', ...init });
        expect(await response.text()).to.equal('done');
        // The boundary of a form is new each time.
        const [first, second] = seen.map(({ method, headers, body }) => [
          method,
          headers['content-type']?.replace(/boundary=.*/, ''),
          body.replace(/formdata-undici-\d+/g, ''),
        ]);
        expect(first?.[2]).not.to.equal('');
        expect(second).to.deep.equal(first);
      });
    }

    it('body — null counts as absent, and the request is sent again', async () => {
      const { origin, seen } = await api({ status: 401 }, { body: 'done' });
      const { source } = tokens('first', 'second');
      const response = await make(origin, {}, source)('x', { method: 'DELETE', body: null });
      expect(await response.text()).to.equal('done');
      expect(seen).to.have.length(2);
    });

    const streams: [string, () => unknown][] = [
      ['ReadableStream', () => new Blob(['stream']).stream()],
      ['Readable', () => Readable.from(['stream'])],
      [
        'async generator',
        async function* generate() {
          yield await Promise.resolve(new TextEncoder().encode('stream'));
        },
      ],
    ];
    for (const [what, stream] of streams) {
      it(`body — a ${what} is sent once, and every answer is returned`, async () => {
        for (const status of [401, 429, 503]) {
          const { origin, seen } = await api({ status, headers: AT_ONCE });
          const { source, asked } = tokens('first', 'second');
          const init = { method: 'PUT', body: stream() as ReadableStream, duplex: 'half' } as const;
          expect((await make(origin, {}, source)('x', init)).status).to.equal(status);
          expect(seen.map(({ body }) => body)).to.deep.equal(['stream']);
          // RFC 6750 §3.1: the next call gets the token that came after the 401.
          expect(asked).to.deep.equal(
            status === 401 ? [undefined, { rejected: 'first' }] : [undefined],
          );
        }
      });
    }

    it('body — that cannot be sent again is the remedy of the 401', async () => {
      const { origin } = await api({ status: 401 });
      const upload = () => {
        const body = new Blob(['stream']).stream() as ReadableStream;
        return { method: 'POST', body, duplex: 'half' } as const;
      };
      const { source } = tokens('first', 'second');
      const error = await rejection(make(origin, {}, source).json('x', upload()));
      expect(error).to.include({ code: 'invalid_token', status: 401 });
      expect(error.hint).to.contain('cannot be sent twice');
      // Without another token, the remedy is the usual one.
      const { hint } = await rejection(make(origin).json('x', upload()));
      expect(hint).to.contain('refuses the key');
    });

    const meanings = [
      { error: 'Bad_OAuth_Token', stages: ['api'], code: 'invalid_token' },
    ] as const;
    const provider = { name: 'acme', hints: {}, meanings };
    for (const [what, refusal, times] of [
      ['whose words mean it', { status: 403, body: 'Bad_OAuth_Token' }, 2],
      ['of RFC 6750 §3', { status: 403, body: { error: 'invalid_token' } }, 2],
      [
        'whose header says it',
        {
          status: 403,
          headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
          body: 'no way!',
        },
        2,
      ],
      ['of another reason', { status: 403, body: 'No_Access' }, 1],
      ['without a word', { status: 403 }, 1],
      ['by 400, as of the Bulk API', { status: 400, body: 'Bad_OAuth_Token' }, 2],
      ['by another status', { status: 404, body: 'Bad_OAuth_Token' }, 1],
    ] as [string, Answer, number][]) {
      it(`a token refused by an answer ${what} is replaced ${times === 2 ? 'once' : 'never'}`, async () => {
        const { origin, seen } = await api(refusal);
        const { source, asked } = tokens('first', 'second', 'third');
        const response = await make(origin, { provider }, source)('x');
        expect(response.status).to.equal(refusal.status);
        const body = typeof refusal.body === 'object' ? JSON.stringify(refusal.body) : refusal.body;
        expect(await response.text()).to.equal(body ?? '');
        expect([seen.length, asked.length]).to.deep.equal([times, times]);
        await expectNothingOpen();
      });
    }
  });

  describe('an organization that moves', () => {
    /** Tokens that name the API's host, and the next ones another. */
    function moving(...hosts: string[]) {
      const getTokens = async ({ rejected }: GetTokenOptions = {}) => {
        if (rejected !== undefined) hosts.shift();
        const [host = ''] = hosts;
        const response = { instance_url: host };
        return await Promise.resolve({
          accessToken: `token-${host}`,
          tokenType: 'Bearer',
          response,
        });
      };
      const getAccessToken = async () => (await getTokens()).accessToken;
      return { getTokens, getAccessToken };
    }
    const baseURL = ({ response }: TokenSet) => `${response.instance_url as string}/v62`;

    it('baseURL — that is a function is asked for each request, and follows a refresh', async () => {
      const old = await api({ body: 'old' }, { status: 401 });
      const next = await api({ body: 'new' });
      const request = make(baseURL, {}, moving(old.origin, next.origin));
      expect(await (await request('x')).text()).to.equal('old');
      expect(await (await request('x')).text()).to.equal('new');
      expect(await (await request('x')).text()).to.equal('new');
      expect(next.seen.map(({ path, headers }) => [path, headers.authorization])).to.deep.equal([
        ['/v62/x', `Bearer token-${next.origin}`],
        ['/v62/x', `Bearer token-${next.origin}`],
      ]);
    });

    it('error — names the new host', async () => {
      const old = await api({ status: 401 });
      const next = await api({ status: 404 });
      const error = await rejection(make(baseURL, {}, moving(old.origin, next.origin)).json('x'));
      expect(error).to.include({ status: 404, host: new URL(next.origin).host });
    });

    it('old host — gets no token of the new one', async () => {
      const old = await api({ status: 401 });
      const next = await api({});
      await make(baseURL, {}, moving(old.origin, next.origin))(`${old.origin}/x`);
      expect(old.seen.map(({ headers }) => headers.authorization)).to.deep.equal([
        `Bearer token-${old.origin}`,
        undefined,
      ]);
      expect(next.seen).to.deep.equal([]);
    });

    for (const [host, words] of [
      ['http://api.example.com', 'https'],
      ['', 'absolute'],
    ] as const) {
      it(`host — "${host}" gets no token`, async () => {
        const error = await reasonOf(make(baseURL, {}, moving(host))('x'));
        expect(error).to.be.instanceOf(TypeError);
        expect(String(error)).to.contain(words);
      });
    }
  });

  describe('429 and 503', () => {
    for (const status of [429, 503]) {
      for (const [what, retryAfter] of [
        ['seconds', '0'],
        ['a date', new Date(0).toUTCString()],
        ['nothing', undefined],
        ['nonsense', 'soon'],
      ] as const) {
        it(`${status} with ${what} in Retry-After — asks again`, async () => {
          const headers: Answer['headers'] =
            retryAfter === undefined ? {} : { 'retry-after': retryAfter };
          const { origin, seen } = await api({ status, headers }, { body: 'done' });
          const pauses = await pausesOf(async () => {
            expect(await (await make(origin)('x')).text()).to.equal('done');
          });
          expect(pauses).to.deep.equal([0]);
          expect(seen).to.have.length(2);
        });
      }
    }

    it('RFC 9110 §10.2.3 — waits as long as the API asks for, within the timeout', async () => {
      for (const [retryAfter, least, most] of [
        ['7', 7000, 7000],
        [new Date(Date.now() + 9000).toUTCString(), 6000, 10_000],
      ] as const) {
        const headers = { 'retry-after': retryAfter };
        const { origin, seen } = await api({ status: 429, headers }, {});
        const pauses = await pausesOf(async () => {
          expect((await make(origin)('x')).status).to.equal(200);
        });
        expect(seen).to.have.length(2);
        expect(pauses).to.have.length(1);
        expect(pauses[0]).to.be.within(least, most);
      }
    });

    it('attempts — are four at most', async () => {
      const { origin, seen } = await api({ status: 503, headers: AT_ONCE });
      expect((await make(origin)('x')).status).to.equal(503);
      expect(seen).to.have.length(4);
    });

    it('attempts — are spread out: full jitter, over a time that doubles', async () => {
      const { origin } = await api({ status: 503 });
      const pauses = await pausesOf(() => make(origin)('x'), 0.5);
      expect(pauses).to.deep.equal([500, 1000, 2000]);
    });

    it('other statuses — are answers', async () => {
      for (const status of [200, 204, 400, 403, 404, 409, 500, 502, 504]) {
        const { origin, seen } = await api({ status, headers: AT_ONCE });
        expect((await make(origin)('x')).status).to.equal(status);
        expect(seen).to.have.length(1);
      }
    });

    for (const [method, times] of [
      ['GET', 4],
      ['head', 4],
      ['OPTIONS', 4],
      ['put', 4],
      ['DELETE', 4],
      ['POST', 1],
      ['PATCH', 1],
      ['QUERY', 1],
    ] as const) {
      it(`RFC 9110 §9.2.2 — ${method} is asked ${times === 1 ? 'once' : 'again'}`, async () => {
        const { origin, seen } = await api({ status: 429, headers: AT_ONCE });
        expect((await make(origin)('x', { method })).status).to.equal(429);
        expect(seen).to.have.length(times);
      });
    }

    it('wait — longer than the time left returns the answer at once, with its body', async () => {
      for (const retryAfter of ['60', new Date(Date.now() + 3_600_000).toUTCString()]) {
        const answer = { status: 429, headers: { 'retry-after': retryAfter }, body: 'later' };
        const { origin, seen } = await api(answer);
        const response = await make(origin, { timeout: 5000 })('x');
        expect(await response.text()).to.equal('later');
        expect(seen).to.have.length(1);
      }
    });

    it('wait — of no time returns the answer when the timeout has passed', async () => {
      const fetch = async () => {
        // Nothing else runs meanwhile, not even a timer.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
        return await Promise.resolve(new Response(null, { status: 429, headers: AT_ONCE }));
      };
      const response = await make('https://api.example.com', { timeout: 1, fetch })('x');
      expect(response.status).to.equal(429);
    });

    it('401 and 429 — may meet in one call', async () => {
      const busy = { status: 429, headers: AT_ONCE };
      const { origin, seen } = await api(busy, { status: 401 }, busy, { body: 'done' });
      const { source, asked } = tokens('first', 'second');
      expect(await (await make(origin, {}, source)('x')).text()).to.equal('done');
      expect(asked).to.have.length(2);
      expect(seen.map(({ headers }) => headers.authorization)).to.deep.equal([
        'Bearer first',
        'Bearer first',
        'Bearer second',
        'Bearer second',
      ]);
    });

    it('bodies — that never end are given up before the request is repeated', async () => {
      let asked = 0;
      const origin = await httpServer((_request, response) => {
        asked += 1;
        if (asked === 3) response.end('done');
        else response.writeHead(asked === 1 ? 503 : 401, { 'retry-after': '0' }).write('x');
      });
      const { source } = tokens('first', 'second');
      expect(await (await make(origin, {}, source)('x')).text()).to.equal('done');
      await expectNothingOpen();
    });

    it('bodies — unread ones free their connections', async () => {
      const body = 'x'.repeat(300_000);
      const busy = { status: 429, headers: AT_ONCE, body };
      const { origin, seen } = await api(({ path }) => {
        const round = seen.filter((one) => one.path === path).length;
        return round === 1 ? busy : round === 2 ? { status: 401, body } : { body: 'done' };
      });
      const call = async (number: number) => {
        const { source } = tokens('first', 'second');
        return await (await make(origin, {}, source)(`${number}`)).text();
      };
      const answers = await Promise.all(Array.from({ length: 50 }, (_, number) => call(number)));
      expect(new Set(answers)).to.deep.equal(new Set(['done']));
      expect(seen).to.have.length(150);
      await expectNothingOpen();
    });
  });

  describe('rate limits', () => {
    const provider = {
      name: 'acme',
      hints: {},
      rateLimit: (header: (name: string) => string | undefined): RateLimit => ({
        remaining: header('x-remaining') === undefined ? undefined : Number(header('x-remaining')),
        resetsAt: header('x-reset') === undefined ? undefined : Number(header('x-reset')),
      }),
    };

    it('onRateLimit — is called after every answer that names a limit', async () => {
      const told: RateLimit[] = [];
      const { origin } = await api(
        { status: 429, headers: { 'retry-after': '0', 'x-remaining': '0' } },
        { headers: { 'x-remaining': '7' } },
        {},
      );
      const request = make(origin, { provider, onRateLimit: (limit) => told.push(limit) });
      await request('x');
      await request('x');
      expect(told.map(({ remaining }) => remaining)).to.deep.equal([0, 7]);
    });

    it('onRateLimit — that throws becomes a warning, and the answer is returned', async () => {
      const { origin } = await api({ headers: { 'x-remaining': '7' }, body: 'done' });
      const faults = [new Error('of the observer'), 'a text'];
      for (const fault of faults) {
        const warned = new Promise<Error>((resolve) => {
          process.once('warning', resolve);
        });
        const request = make(origin, {
          provider,
          onRateLimit: () => {
            throw fault;
          },
        });
        expect(await (await request('x')).text()).to.equal('done');
        expect((await warned).message).to.contain(fault instanceof Error ? fault.message : fault);
      }
    });

    it('429 — without Retry-After waits until the limit is reset', async () => {
      const { origin, seen } = await api(
        { status: 429, headers: { 'x-remaining': '0', 'x-reset': String(Date.now() - 1000) } },
        { status: 429, headers: { 'x-remaining': '0', 'x-reset': String(Date.now() + 60_000) } },
      );
      expect((await make(origin, { provider, timeout: 5000 })('x')).status).to.equal(429);
      expect(seen).to.have.length(2);
    });

    it('429 — with a budget that comes back within the timeout is asked again then', async () => {
      const headers = { 'x-remaining': '3', 'x-reset': String(Date.now() + 40_000) };
      const { origin, seen } = await api({ status: 429, headers }, {});
      const pauses = await pausesOf(async () => {
        expect((await make(origin, { provider, timeout: 90_000 })('x')).status).to.equal(200);
      });
      expect(seen).to.have.length(2);
      expect(pauses[0]).to.be.within(30_000, 40_000);
    });

    for (const [what, status, headers, seconds] of [
      ['the reset', 429, { 'x-reset': 'in a minute' }, 60],
      ['Retry-After', 429, { 'x-reset': 'in a minute', 'retry-after': '70' }, 70],
      ['nothing', 429, {}, undefined],
      ['the reset of a used budget', 503, { 'x-remaining': '0', 'x-reset': '9e15' }, 1e12],
      ['the reset of a good budget', 503, { 'x-remaining': '9', 'x-reset': '9e15' }, undefined],
      ['the reset', 404, { 'x-remaining': '0', 'x-reset': '9e15' }, undefined],
    ] as [string, number, Record<string, string>, number | undefined][]) {
      it(`retryAfterSeconds — after a ${status} that names ${what} is ${seconds}`, async () => {
        const entries = Object.entries(headers).map(([name, value]) => [
          name,
          value === 'in a minute' ? String(Date.now() + 60_000) : value,
        ]);
        const { origin } = await api({ status, headers: Object.fromEntries(entries) as never });
        const init = { method: 'POST' };
        const error = await rejection(make(origin, { provider, timeout: 5000 }).json('x', init));
        if (seconds === undefined) expect(error.retryAfterSeconds).to.equal(undefined);
        else expect(error.retryAfterSeconds).to.be.within(seconds / 2, seconds * 9);
      });
    }

    it('429 — that names no time of reset is followed by the usual pause', async () => {
      const { origin } = await api({ status: 429, headers: { 'x-remaining': '0' } }, {});
      const pauses = await pausesOf(async () => {
        expect((await make(origin, { provider })('x')).status).to.equal(200);
      }, 0.5);
      expect(pauses).to.deep.equal([500]);
    });
  });

  describe('an end', () => {
    const mine = new Error('of the caller');

    it('signal — aborted before gives the caller’s reason, and sends nothing', async () => {
      const { origin, seen } = await api({});
      const { source, asked } = tokens(TOKEN);
      const signal = AbortSignal.abort(mine);
      expect(await reasonOf(make(origin, {}, source)('x', { signal }))).to.equal(mine);
      expect(await reasonOf(make(origin, {}, source).json('x', { signal }))).to.equal(mine);
      expect([...seen, ...asked]).to.deep.equal([]);
    });

    it('signal — aborted while a token is fetched gives the caller’s reason', async () => {
      const controller = new AbortController();
      const work = make('https://api.example.com', {}, SILENT)('x', { signal: controller.signal });
      controller.abort(mine);
      expect(await reasonOf(work)).to.equal(mine);
    });

    it('signal — aborted during the request gives the caller’s reason, of any type', async () => {
      for (const reason of [mine, 'a text', undefined]) {
        const controller = new AbortController();
        const origin = await httpServer(() => controller.abort(reason));
        const got = await reasonOf(make(origin)('x', { signal: controller.signal }));
        expect(got).to.equal(controller.signal.reason);
      }
    });

    it('signal — aborted during the wait ends it at once', async () => {
      const controller = new AbortController();
      const { origin, seen } = await api(() => {
        setTimeout(() => controller.abort(mine), 20);
        return { status: 429, headers: { 'retry-after': '20' } };
      });
      const began = performance.now();
      expect(await reasonOf(make(origin)('x', { signal: controller.signal }))).to.equal(mine);
      expect(performance.now() - began).to.be.below(5000);
      expect(seen).to.have.length(1);
    });

    it('signal — aborted while `.json` reads gives the caller’s reason', async () => {
      const controller = new AbortController();
      const origin = await stalling(200, () => setTimeout(() => controller.abort(mine), 20));
      expect(await reasonOf(make(origin).json('x', { signal: controller.signal }))).to.equal(mine);
    });

    it('signal — aborted while the caller reads gives the caller’s reason', async () => {
      const controller = new AbortController();
      const origin = await stalling(200);
      const reading = (await make(origin)('x', { signal: controller.signal })).text();
      controller.abort(mine);
      expect(await reasonOf(reading)).to.equal(mine);
      await expectNothingOpen();
    });

    const expectTimeout = (error: unknown, host?: string) => {
      expect(error).to.be.instanceOf(OAuth2Error);
      expect(error).to.include({ code: 'timeout', stage: 'api', ...(host && { host }) });
      expect(error).to.have.property('hint').that.contains('timeout');
    };

    it('timeout — of a silent server, with or without a signal, leaves no connection', async () => {
      const origin = await httpServer(() => undefined);
      const request = make(origin, { timeout: 50 });
      const { signal } = new AbortController();
      for (const work of [request('x'), request('x', { signal }), request.json('x')]) {
        expectTimeout(await rejection(work), new URL(origin).host);
      }
      await expectNothingOpen();
    });

    it('timeout — of a body that stops half-way, while `.json` reads, leaves no connection', async () => {
      const origin = await stalling(200);
      const error = await rejection(make(origin, { bodyTimeout: 50 }).json('x'));
      expect(error).to.include({ code: 'incomplete_response', stage: 'api' });
      expect(error.message).to.contain('no byte of the answer came within 50 ms');
      expect(error.hint).to.contain('bodyTimeout');
      await expectNothingOpen();
    });

    it('timeout — does not end a download whose bytes keep coming', async () => {
      const origin = await httpServer((_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' }).write('"');
        let sent = 0;
        const timer = setInterval(() => {
          sent += 1;
          response.write('x');
          if (sent < 10) return;
          clearInterval(timer);
          response.end('"');
        }, 50);
      });
      const request = make(origin, { timeout: 250, bodyTimeout: 5000 });
      expect(await (await request('x')).json()).to.equal('xxxxxxxxxx');
      expect(await request.json('x')).to.equal('xxxxxxxxxx');
    });

    it('bodyTimeout — does not run while the caller does not read', async () => {
      const origin = await httpServer((_request, response) => response.end('x'.repeat(400_000)));
      const { body } = await make(origin, { bodyTimeout: 100 })('x');
      await pause(300);
      expect(await readText(body as ReadableStream)).to.have.length(400_000);
    });

    it('body — dropped unread by the application frees its connection', async () => {
      const origin = await httpServer((_request, response) => {
        response.write('x'.repeat(400_000));
      });
      await make(origin, { bodyTimeout: 60_000 })('x');
      for (const _ of Array.from({ length: 100 })) {
        if (open === 0) break;
        collectGarbage();
        await pause(20);
      }
      expect(open).to.equal(0);
    });

    it('status — of no standard is an answer all the same', async () => {
      const { origin } = await api({ status: 999, body: 'odd' });
      const response = await make(origin)('x');
      expect(response.status).to.equal(999);
      expect(await response.text()).to.equal('odd');
    });

    it('body — that is read piece by piece keeps status, headers and URL of its answer', async () => {
      const headers = { 'x-own': 'kept' };
      const { origin } = await api({ status: 404, headers, body: 'done' });
      const response = await make(origin)('x');
      expect(response).to.include({ status: 404, statusText: 'Not Found', url: `${origin}/x` });
      expect(response).to.include({ ok: false, redirected: false, type: 'basic' });
      expect(response.headers.get('x-own')).to.equal('kept');
    });

    it('bodyTimeout — of a body that the caller reads is incomplete_response, also beside a signal', async () => {
      const origin = await stalling(200);
      for (const init of [{}, { signal: new AbortController().signal }]) {
        const response = await make(origin, { bodyTimeout: 300 })('x', init);
        // Node 20 collects a signal of AbortSignal.any that only the body still needs.
        collectGarbage();
        const error = await rejection(response.text());
        expect(error).to.be.instanceOf(OAuth2Error);
        expect(error).to.include({ code: 'incomplete_response', host: new URL(origin).host });
      }
      await expectNothingOpen();
    });

    it('timeout — of a source that never answers', async () => {
      const request = make('https://api.example.com', { timeout: 30 }, SILENT);
      expectTimeout(await rejection(request('x')), 'api.example.com');
    });

    it('timeout — covers a slow source too', async () => {
      const { origin } = await api(() => ({ status: 503, headers: AT_ONCE }));
      const getAccessToken = async () => {
        await pause(40);
        return TOKEN;
      };
      const request = make(origin, { timeout: 30 }, { getAccessToken });
      expectTimeout(await rejection(request('x')));
    });

    describe('signal that outlives the call', () => {
      let { signal } = new AbortController();
      beforeEach(() => ({ signal } = new AbortController()));
      const held = () => getEventListeners(signal, 'abort').length;

      it('unread body — that is small releases it', async () => {
        const { origin } = await api({ body: 'unread' });
        const answers: Response[] = [];
        for (let round = 0; round < 5; round += 1)
          answers.push(await make(origin)('x', { signal }));
        for (let round = 0; round < 50 && held() > 0; round += 1) await pause(20);
        expect(held()).to.equal(0);
        expect(await answers[0]?.text()).to.equal('unread');
      });

      it('answer — that is parsed, or has no body, releases it at once', async () => {
        const { origin } = await api({});
        const request = make(origin, { timeout: 60_000 });
        for (let round = 0; round < 20; round += 1) await request.json('x', { signal });
        for (let round = 0; round < 20; round += 1) await request('x', { signal, method: 'HEAD' });
        expect(held()).to.equal(0);
      });

      for (const [what, finish] of [
        ['read', async (response) => await response.text()],
        ['read in part', async ({ body }) => await body?.values().return?.()],
        ['cancelled', async ({ body }) => await body?.cancel()],
      ] as [string, (response: Response) => Promise<unknown>][]) {
        it(`body — that was ${what} releases it`, async () => {
          const { origin } = await api({ body: 'x'.repeat(400_000) });
          const response = await make(origin, { timeout: 60_000 })('x', { signal });
          expect(held()).to.equal(1);
          await finish(response);
          await pause(0);
          expect(held()).to.equal(0);
        });
      }

      it('body — that breaks off releases it', async () => {
        let breakOff = () => {};
        const origin = await httpServer((_request, response) => {
          response.writeHead(200, { 'content-length': '9' }).write('x');
          breakOff = () => response.destroy();
        });
        const response = await make(origin, { timeout: 60_000 })('x', { signal });
        expect(held()).to.equal(1);
        breakOff();
        const error = await rejection(response.text());
        expect(error).to.be.instanceOf(OAuth2Error).with.property('code', 'incomplete_response');
        await pause(0);
        expect(held()).to.equal(0);
      });

      it('body — that was read from a clone can still be read', async () => {
        const { origin } = await api({ body: 'done' });
        const response = await make(origin)('x', { signal });
        expect(await response.clone().text()).to.equal('done');
        await pause(0);
        expect(held()).to.equal(0);
        expect(await response.text()).to.equal('done');
      });

      it('body — of another type, from another `fetch`, releases it, and is returned as it is', async () => {
        const answer = Object.defineProperty(new Response('x'), 'body', { value: {} });
        const fetch = async () => await Promise.resolve(answer);
        expect(await make('https://a.example', { fetch })('x', { signal })).to.equal(answer);
        expect(held()).to.equal(0);
      });

      it('failure — of the network, of the source, of the token releases it', async () => {
        const closed = make(`http://127.0.0.1:${await freePort()}`);
        await reasonOf(closed('x', { signal }));
        await reasonOf(closed.json('x', { signal }));
        for (const getAccessToken of [
          async () => await Promise.reject(new Error('none')),
          async () => await Promise.resolve('not usable'),
        ]) {
          await reasonOf(make('https://a.example', {}, { getAccessToken })('x', { signal }));
        }
        expect(held()).to.equal(0);
      });
    });

    it('signal — given to `fetch` keeps no listener of finished steps', async () => {
      const signals: AbortSignal[] = [];
      const fetch: typeof globalThis.fetch = async (_url, init) => {
        if (init?.signal) signals.push(init.signal);
        const status = signals.length < 3 ? 503 : 200;
        return await Promise.resolve(new Response('x', { status, headers: AT_ONCE }));
      };
      await make('https://api.example.com', { fetch })('x');
      expect(signals).to.have.length(3);
      for (const signal of signals) expect(getEventListeners(signal, 'abort')).to.have.length(0);
    });

    it('signal — given to `fetch` is not aborted after the answer was read', async () => {
      const signals: AbortSignal[] = [];
      const fetch: typeof globalThis.fetch = async (_url, init) => {
        if (init?.signal) signals.push(init.signal);
        return await Promise.resolve(Response.json({}));
      };
      const request = make('https://api.example.com', { fetch, timeout: 50 });
      await request.json('x');
      await (await request('x')).text();
      await pause(80);
      expect(signals.map(({ aborted }) => aborted)).to.deep.equal([false, false]);
    });

    it('connection — refused, with its cause', async () => {
      const origin = `http://127.0.0.1:${await freePort()}`;
      const error = await rejection(make(origin)('x'));
      expect(error).to.be.instanceOf(OAuth2Error);
      expect(error).to.include({
        code: 'connection_refused',
        stage: 'api',
        host: new URL(origin).host,
      });
      expect(error.cause).to.have.property('code', 'ECONNREFUSED');
      expect(error.hint).to.be.a('string');
    });

    it('connection — to an unknown certificate is tls_error', async () => {
      const server = https.createServer({ key: TEST_ONLY_KEY, cert: TEST_ONLY_CERTIFICATE });
      const error = await rejection(make(`https://127.0.0.1:${await portOf(server)}`)('x'));
      expect(error).to.include({ code: 'tls_error', stage: 'api' });
      expect(error.hint).to.contain('certificate authority');
    });

    for (const [code, failure] of [
      ['ENOTFOUND', 'dns_error'],
      ['EAI_AGAIN', 'dns_error'],
      ['UND_ERR_CONNECT_TIMEOUT', 'connection_failed'],
      ['UND_ERR_HEADERS_TIMEOUT', 'timeout'],
    ] as const) {
      it(`connection — that fails with ${code} is ${failure}`, async () => {
        const cause = Object.assign(new Error('why'), { code });
        const fetch = async () => await Promise.reject(new TypeError('fetch failed', { cause }));
        const error = await rejection(make('https://api.example.com', { fetch })('x'));
        expect(error).to.include({ code: failure, stage: 'api', host: 'api.example.com' });
        if (failure !== 'timeout') expect(error.cause).to.have.property('code', code);
      });
    }

    it('connection — reset before and while answering, with its cause', async () => {
      let attempts = 0;
      const before = await rawServer((socket) => {
        socket.once('data', () => {
          attempts += 1;
          socket.destroy();
        });
      });
      expect(await rejection(make(before)('x'))).to.include({ code: 'connection_failed' });
      expect(attempts).to.equal(2);
      const during = await httpServer((_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '9' });
        response.write('{', () => response.destroy());
      });
      const error = await rejection(make(during).json('x'));
      expect(error).to.include({ stage: 'api', provider: new URL(during).host });
      expect(error.code).to.equal('incomplete_response');
      expect(error.message).to.contain('the connection was closed before the answer was whole');
      // The socket's own error, which fetch hangs under a "terminated" of its own.
      expect(error.cause).to.be.instanceOf(Error).with.property('code', 'UND_ERR_SOCKET');
      expect(inspect(error, { depth: 9 })).not.to.contain(TOKEN);
    });

    const stream = () => new Blob(['x']).stream() as ReadableStream;
    for (const [method, body, times] of [
      ['GET', undefined, 2],
      ['HEAD', undefined, 2],
      ['PUT', () => 'x', 2],
      ['DELETE', undefined, 2],
      ['POST', () => 'x', 1],
      ['PATCH', () => 'x', 1],
      ['PUT', stream, 1],
    ] as const) {
      it(`RFC 9110 §9.2.2 — a ${method} that meets the end of a kept connection is sent ${times === 2 ? 'again' : 'once'}`, async () => {
        let attempts = 0;
        const fetch: typeof globalThis.fetch = async () => {
          attempts += 1;
          const cause = Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' });
          if (attempts === 1) throw new TypeError('fetch failed', { cause });
          return await Promise.resolve(new Response('done'));
        };
        const init = { method, ...(body && { body: body() }) };
        const work = make('https://api.example.com', { fetch })('x', init);
        if (times === 2) expect(await (await work).text()).to.equal('done');
        else expect(await rejection(work)).to.include({ code: 'connection_failed' });
        expect(attempts).to.equal(times);
      });
    }

    it('connection — kept, and closed by the API at the next request, is replaced', async () => {
      const asked: number[] = [];
      const origin = await rawServer((socket) => {
        let requests = 0;
        socket.on('data', () => {
          requests += 1;
          asked.push(requests);
          if (requests > 1) socket.destroy();
          else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
        });
      });
      const request = make(origin);
      expect(await (await request('x')).text()).to.equal('ok');
      await pause(20);
      expect(await (await request('x')).text()).to.equal('ok');
      expect(asked).to.deep.equal([1, 2, 1]);
    });

    it('connection — that fails while an answer is discarded changes nothing', async () => {
      let asked = 0;
      const origin = await httpServer((_request, response) => {
        asked += 1;
        if (asked > 1) {
          response.end('done');
        } else {
          response.writeHead(503, { 'retry-after': '0', 'content-length': '9' });
          response.write('x', () => response.destroy());
        }
      });
      expect(await (await make(origin)('x')).text()).to.equal('done');
    });
  });

  describe('json', () => {
    const provider = {
      name: 'acme',
      hints: { 'api.insufficient_scope': 'Ask Acme for the scope.' },
    };

    it('200 — is parsed, and JSON is asked for unless the caller sets another type', async () => {
      const { origin, seen } = await api({ body: { data: [1] } });
      const request = make(origin);
      expect(await request.json<{ data: number[] }>('x')).to.deep.equal({ data: [1] });
      await request.json('x', { headers: { Accept: 'application/vnd.acme+json' } });
      expect(seen.map(({ headers }) => headers.accept)).to.deep.equal([
        'application/json',
        'application/vnd.acme+json',
      ]);
    });

    it('204, and 200 without a body — are undefined', async () => {
      for (const status of [204, 200]) {
        const { origin } = await api({ status });
        expect(await make(origin).json('x', { method: 'DELETE' })).to.equal(undefined);
      }
    });

    for (const [status, code, words] of [
      [400, 'unexpected_status', 'refused with status 400: It says why'],
      [401, 'invalid_token', 'refused with status 401: It says why'],
      [403, 'insufficient_scope', 'refused with status 403: It says why'],
      [404, 'unexpected_status', 'refused with status 404: It says why'],
      [422, 'unexpected_status', 'refused with status 422: It says why'],
      [429, 'rate_limited', '429'],
      [500, 'provider_unavailable', '500'],
    ] as const) {
      it(`${status} — is ${code}, with status, stage, host and hint`, async () => {
        const headers = { 'retry-after': '60' };
        const { origin } = await api({ status, headers, body: { error: 'It says why' } });
        const error = await rejection(make(origin, { provider, timeout: 5000 }).json('x'));
        expect(error).to.be.instanceOf(OAuth2Error);
        expect(error).to.include({
          code,
          status,
          provider: 'acme',
          stage: 'api',
          host: new URL(origin).host,
          retryAfterSeconds: 60,
        });
        expect(error.message).to.contain(words);
        expect(error.hint).to.be.a('string').and.not.equal('');
        if (status === 403) expect(error.hint).to.equal('Ask Acme for the scope.');
      });
    }

    it('message — names method and path, and nothing of the query', async () => {
      const { origin } = await api(
        { status: 404, body: { message: 'No such person' } },
        { status: 429, headers: { 'retry-after': '60' } },
        { status: 302, headers: { location: '/' } },
        { headers: { 'content-type': 'text/html' }, body: '<html></html>' },
        { headers: { 'content-type': 'application/json' }, body: '{' },
      );
      const request = make(`${origin}/v2`, { provider, timeout: 5000 });
      for (const words of [
        'the request was refused with status 404: No such person',
        'asked too often (429)',
        'answered with a redirect (302)',
        'expected JSON, received text/html',
        'the answer is not valid JSON',
      ]) {
        const init = { method: 'put', redirect: 'manual' } as const;
        const error = await rejection(request.json('people/7?code=s3cret-word#s3cret-word', init));
        expect(error.message).to.equal(`acme: PUT /v2/people/7: ${words}`);
        expect(inspect(error, { depth: 9 })).not.to.contain('s3cret-word');
      }
    });

    it('message — of a path that holds a token, the first or the second one, has it redacted', async () => {
      const { origin } = await api({ status: 401 }, { status: 404 });
      const { source } = tokens('first-token', 'second-token');
      const error = await rejection(
        make(origin, { provider }, source).json('sessions/first-token/second-token'),
      );
      expect(error.message).to.equal(
        'acme: GET /sessions/[redacted]/[redacted]: the request was refused with status 404',
      );
    });

    it('fetch — that returns something else than a Response is a TypeError', async () => {
      const answer = { ok: true, status: 200, text: async () => await Promise.resolve('{}') };
      const fetch = (async () => await Promise.resolve(answer)) as never;
      const error = await reasonOf(make('https://a.example', { fetch }).json('x'));
      expect(error).to.be.instanceOf(TypeError);
    });

    for (const [shape, body] of [
      ['{error_description}', { error: 'denied', error_description: 'It says why' }],
      ['{error}', { error: 'It says why' }],
      ['{error:{message}}', { error: { code: 'FORBIDDEN', message: 'It says why' } }],
      ['{message}', { message: 'It says why' }],
      ['[{message,errorCode}]', [{ message: 'It says why', errorCode: 'NOT_FOUND' }]],
      ['a short text', 'It says why'],
    ] as const) {
      it(`words — of the shape ${shape} are in the message`, async () => {
        const { origin } = await api({ status: 403, body });
        const error = await rejection(make(origin).json('x'));
        expect(error.message).to.match(/: It says why$/);
      });
    }

    it('words — that echo a token, the first or the second one, are redacted', async () => {
      for (const status of [401, 403]) {
        const { origin } = await api(({ headers }) => ({
          status,
          body: { error: { message: `No such session: ${headers.authorization}` } },
        }));
        const { source } = tokens('first-token', 'second-token');
        const error = await rejection(make(origin, {}, source).json('x'));
        expect(error.message).to.contain('No such session: Bearer [redacted]');
        expect(inspect(error, { depth: 9 })).not.to.match(/first-token|second-token/);
      }
    });

    const LOCKED = { errorCode: 'UNABLE_TO_LOCK_ROW', message: 'unable to lock', fields: ['Id'] };
    for (const status of [400, 403, 422, 429, 500, 503]) {
      it(`a person reads the API’s own code, words and fields of a ${status} in the error`, async () => {
        const { origin } = await api({ status, headers: { 'retry-after': '60' }, body: [LOCKED] });
        const error = await rejection(make(origin, { timeout: 5000 }).json('x'));
        expect(error).to.include({ status, apiCode: 'UNABLE_TO_LOCK_ROW' });
        expect(error.apiErrors).to.deep.equal([
          { code: 'UNABLE_TO_LOCK_ROW', field: 'Id', message: 'unable to lock' },
        ]);
        expect(error.message).to.match(/: unable to lock$/);
      });
    }

    const sources: [string, (origin: string) => TokenSource, Record<number, RegExp>][] = [
      ['API key', () => staticToken(TOKEN), { 401: /refuses the key/, 403: /API key lacks/ }],
      [
        'token of the app',
        () => clientCredentials({ provider, clientCredentialsGrant: FOREVER }),
        { 401: /token of the app/, 403: /Ask Acme/ },
      ],
      ['token of a person', () => tokens(TOKEN).source, { 401: /newer one too/, 403: /Ask Acme/ }],
    ];
    for (const [whose, sourceOf, hints] of sources) {
      for (const status of [401, 403]) {
        it(`a refused ${whose} (${status}) has a remedy that fits it`, async () => {
          const { origin } = await api({ status });
          const known = sourceOf(origin);
          const source = { ...known, getAccessToken: async () => await Promise.resolve(TOKEN) };
          const own = known.kind === 'api key' ? { ...provider, hints: {} } : provider;
          const error = await rejection(make(origin, { provider: own }, source).json('x'));
          expect(error.hint).to.match(hints[status] ?? /never/);
        });
      }
    }

    it('a provider’s remedy for API keys comes first', async () => {
      const hints = { 'api key.invalid_token': 'Look under Keys.', invalid_token: 'Refresh it.' };
      const { origin } = await api({ status: 401 });
      const error = await rejection(make(origin, { provider: { name: 'acme', hints } }).json('x'));
      expect(error.hint).to.equal('Look under Keys.');
    });

    it('an API that echoes the query shows none of its values', async () => {
      const { origin } = await api(({ path }) => {
        const url = new URL(path, 'http://a');
        const q = url.searchParams.get('q') ?? '';
        return {
          status: 400,
          body: [{ errorCode: 'MALFORMED_QUERY', message: `${q} | ${q.slice(-30)} | ${path}` }],
        };
      });
      const q = encodeURIComponent("SELECT Id FROM Contact WHERE Email = 'ana@acme.test'");
      const error = await rejection(make(origin).json(`query?q=${q}&key=p4ssword&n=5`));
      expect(inspect(error, { depth: 9 })).not.to.match(/ana@acme|ana%40acme|p4ssword/);
      expect(error).to.include({ apiCode: 'MALFORMED_QUERY' });
      expect(error.message).to.contain("= '[redacted]'");
    });

    it('CWE-1333 — a query of 100 000 characters with quotes takes no time', async () => {
      const fetch = () => Promise.resolve(Response.json({ message: 'Bad query' }, { status: 400 }));
      const q = encodeURIComponent(`'${"\\'".repeat(50_000)}`);
      const begun = performance.now();
      const error = await rejection(make('http://127.0.0.1:9', { fetch }).json(`query?q=${q}`));
      expect(error.message).to.contain('Bad query');
      expect(performance.now() - begun).to.be.below(3000);
    });

    for (const [what, answer, code] of [
      [
        'a web page',
        { headers: { 'content-type': 'text/html' }, body: '<html></html>' },
        'unexpected_content_type',
      ],
      [
        'broken JSON',
        { headers: { 'content-type': 'application/json' }, body: '{"a":' },
        'invalid_json',
      ],
      [
        'a web page as an error',
        { status: 403, headers: { 'content-type': 'text/html' }, body: '<html></html>' },
        'unexpected_status',
      ],
      [
        'broken JSON as an error',
        { status: 404, headers: { 'content-type': 'application/json' }, body: '{' },
        'unexpected_status',
      ],
      ['an empty error', { status: 401 }, 'invalid_token'],
    ] as const) {
      it(`${what} — is ${code}`, async () => {
        const { origin } = await api(answer);
        const error = await rejection(make(origin).json('x'));
        expect(error).to.include({ code, stage: 'api', provider: new URL(origin).host });
        expect(error.message).not.to.contain('<html>');
      });
    }

    it('compressed answer — that unfolds to more than maxResponseBytes ends early', async () => {
      const bomb = gzipSync(Buffer.alloc(60_000_000, ' '));
      const origin = await httpServer((_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
        response.end(bomb);
      });
      const before = process.memoryUsage().arrayBuffers;
      const error = await rejection(make(origin, { maxResponseBytes: 1_000_000 }).json('x'));
      expect(error).to.include({ code: 'response_too_large', stage: 'api' });
      expect(error.message).to.contain('exceeds 1000000 bytes');
      expect(error.hint).to.contain('maxResponseBytes');
      expect(process.memoryUsage().arrayBuffers - before).to.be.below(30_000_000);
      await expectNothingOpen();
    });

    it('answer — of maxResponseBytes is read, and one byte more is not', async () => {
      const { origin } = await api({ body: ['12345678'] });
      const size = '["12345678"]'.length;
      expect(await make(origin, { maxResponseBytes: size }).json('x')).to.deep.equal(['12345678']);
      const error = await rejection(make(origin, { maxResponseBytes: size - 1 }).json('x'));
      expect(error).to.include({ code: 'response_too_large' });
    });

    it('error — whose words break off, or stand still, keeps its code', async () => {
      for (const end of [true, false]) {
        const origin = await httpServer((_request, response) => {
          response.writeHead(502, { 'content-type': 'application/json', 'content-length': '9' });
          response.write('{', () => end && response.destroy());
        });
        const error = await rejection(make(origin, { bodyTimeout: 50 }).json('x'));
        expect(error).to.include({ code: 'provider_unavailable', status: 502 });
      }
      await expectNothingOpen();
    });

    it('error — that is large keeps its code, and is not read to its end', async () => {
      const origin = await httpServer((_request, response) => {
        response.writeHead(403, { 'content-type': 'text/plain' });
        response.write('x'.repeat(1_000_000));
      });
      const error = await rejection(make(origin).json('x'));
      expect(error).to.include({ code: 'insufficient_scope', status: 403 });
      await expectNothingOpen();
    });

    it('large answer — is read whole', async () => {
      const { origin } = await api({ body: { text: 'x'.repeat(3_000_000) } });
      const { text } = await make(origin).json<{ text: string }>('x');
      expect(text).to.have.length(3_000_000);
    });

    it('redirect — followed by hand is unexpected_redirect', async () => {
      const { origin } = await api({ status: 302, headers: { location: '/x' } });
      const error = await rejection(make(origin).json('x', { redirect: 'manual' }));
      expect(error).to.include({ code: 'unexpected_redirect', status: 302 });
    });
  });

  it('connections — are kept: ten calls in a row use one or two', async () => {
    const sockets = new Set<unknown>();
    const origin = await httpServer((request, response) => {
      sockets.add(request.socket);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
    const request = make(origin);
    for (let round = 0; round < 10; round += 1) await request.json('x');
    expect(sockets.size).to.be.at.most(2);
  });
});
