/** The handler of a Fetch API request: its options, what the strategy sees of the request, and each outcome. */
import { expect } from 'chai';
import nock = require('nock');
import { CookieStateStore, loginHandler } from '../../dist/passport';
import type {
  AuthenticateOptions,
  LoginFailure,
  LoginHandlerOptions,
  LoginSuccess,
  PassportRequest,
  PassportResponse,
} from '../../dist/passport';
import { CALLBACK, ORIGIN, mockTheNetwork, rejection, thrown } from '../support';
import { AcmeStrategy, OPTIONS, answerLogin } from './support';

const START = 'https://app.test/auth/acme';
const SECRETS = ['x'.repeat(32)];
const FORM = 'application/x-www-form-urlencoded';

interface Verbs {
  success: (...values: unknown[]) => void;
  fail: (...values: unknown[]) => void;
  redirect: (...values: unknown[]) => void;
  error: (error: unknown) => void;
  pass: () => void;
}
type Act = (verbs: Verbs, req: PassportRequest, options: AuthenticateOptions) => unknown;

function make(options: object = {}): AcmeStrategy {
  const store = new CookieStateStore({ secrets: SECRETS });
  const verify = ({ profile }: { profile: { id: string } }) => ({ id: profile.id });
  return Reflect.construct(AcmeStrategy, [{ ...OPTIONS, store, verify, ...options }]);
}

/** A strategy whose login is replaced, so that a test can call any verb, and see the request. */
function acting(act: Act): AcmeStrategy {
  class Acting extends AcmeStrategy {
    override authenticate(req: PassportRequest, options: AuthenticateOptions = {}): void {
      return act(this as unknown as Verbs, req, options) as never;
    }
  }
  return new Acting({ ...OPTIONS, verify: () => false });
}

const success = ({ user, info }: LoginSuccess) => Response.json({ user, info });

/** The values that a strategy was called with. */
async function seen(
  request: Request,
  options: Partial<LoginHandlerOptions> = {},
): Promise<{ req: PassportRequest; options: AuthenticateOptions }> {
  let call: { req: PassportRequest; options: AuthenticateOptions } | undefined;
  const strategy = acting((verbs, req, given) => {
    call = { req, options: given };
    verbs.success({});
  });
  await loginHandler(strategy, { success, ...options })(request);
  if (!call) throw new Error('the strategy was not called');
  return call;
}

/** The answer to a verb. */
async function answered(
  act: Act,
  options: Partial<LoginHandlerOptions> = {},
  request = new Request(START),
): Promise<Response> {
  return await loginHandler(acting(act), { success, ...options })(request);
}

/** The cookies of a response as a browser sends them back. */
function cookieOf(response: Response): string {
  return response.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
}

type Handler = (request: Request) => Promise<Response>;

/** Starts a login, and makes the callback of the browser that did. */
async function begun(handler: Handler): Promise<{ callback: string; cookie: string }> {
  const response = await handler(new Request(START));
  const state = new URL(response.headers.get('location') ?? '').searchParams.get('state');
  return { callback: `${CALLBACK}?code=code-1&state=${state}`, cookie: cookieOf(response) };
}

function post(
  body: RequestInit['body'],
  headers: RequestInit['headers'] = { 'content-type': FORM },
): Request {
  return new Request(CALLBACK, { method: 'POST', body, headers, duplex: 'half' });
}

/** Runs its timers a thousand times as fast. */
async function hurried<T>(work: () => Promise<T>): Promise<T> {
  const own = globalThis.setTimeout;
  const fast = (act: () => void, milliseconds = 0) => own(act, milliseconds / 1000);
  globalThis.setTimeout = fast as typeof own;
  try {
    return await work();
  } finally {
    globalThis.setTimeout = own;
  }
}

/** A form that arrives in these parts, and ends if it is said to. */
function streamed(parts: readonly Uint8Array[], ends: boolean, onCancel = () => {}) {
  return new ReadableStream<Uint8Array>({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
      if (ends) controller.close();
    },
    cancel: onCancel,
  });
}

describe('login handler', () => {
  describe('options', () => {
    const wrong: [string, unknown, string][] = [
      ['none', undefined, 'the second argument'],
      ['a function', success, 'the second argument'],
      ['no success', {}, 'option "success"'],
      ['success that is not a function', { success: true }, 'option "success"'],
      ['failure that is not a function', { success, failure: '/login' }, 'option "failure"'],
      ['error that is not a function', { success, error: null }, 'option "error"'],
      ['authenticate that is a name', { success, authenticate: 'acme' }, 'option "authenticate"'],
      ['a misspelt name', { success, failiure: success }, 'did you mean "failure"?'],
      ['a name of Passport', { success, successRedirect: '/' }, 'unknown option "successRedirect"'],
    ];
    for (const [title, options, words] of wrong) {
      it(`refuses ${title}`, () => {
        const error = thrown(() => loginHandler(make(), options as LoginHandlerOptions));
        expect(error).to.be.instanceOf(TypeError);
        expect(error.message)
          .to.match(/^loginHandler: /)
          .and.include(words);
      });
    }

    for (const strategy of [
      undefined,
      'acme',
      {},
      { authenticate: true, client: {} },
      { client: {} },
    ]) {
      it(`refuses ${JSON.stringify(strategy)} for a strategy`, () => {
        const error = thrown(() => loginHandler(strategy as unknown as AcmeStrategy, { success }));
        expect(error).to.be.instanceOf(TypeError);
        expect(error.message).to.include('the first argument must be a strategy');
      });
    }

    it('takes none from a polluted prototype', async () => {
      const prototype = Object.prototype as { failure?: unknown };
      prototype.failure = () => Response.json('polluted');
      try {
        const handler = loginHandler(
          acting(({ fail }) => fail({}, 403)),
          { success },
        );
        expect((await handler(new Request(START))).status).to.equal(403);
      } finally {
        delete prototype.failure;
      }
    });
  });

  describe('the request', () => {
    it('has the method, the path with its query, the headers and the scheme', async () => {
      const headers = { cookie: 'a=1; b=2', 'X-Own': 'yes', host: 'shop.test' };
      const { req } = await seen(new Request('https://app.test:8443/in?a=1&b=2&b=3', { headers }));
      expect(req).to.deep.include({
        method: 'GET',
        url: '/in?a=1&b=2&b=3',
        originalUrl: '/in?a=1&b=2&b=3',
        protocol: 'https',
        query: { a: '1', b: ['2', '3'] },
        headers: { cookie: 'a=1; b=2', 'x-own': 'yes', host: 'shop.test' },
        body: undefined,
      });
      expect(req).not.to.have.property('session');
    });

    it('takes the host of the URL, where there is no header', async () => {
      const { req } = await seen(new Request('http://app.test:8080/in'));
      expect(req).to.deep.include({ headers: { host: 'app.test:8080' }, protocol: 'http' });
    });

    it('has a response, at both of the places where a store looks for it', async () => {
      const { req, options } = await seen(new Request(START));
      expect(req.res).to.have.property('setHeader');
      expect(options.response).to.equal(req.res);
    });

    it('passes the options of authenticate on, and a response among them', async () => {
      const response = {} as PassportResponse;
      const { options } = await seen(new Request(START), {
        authenticate: { loginHint: 'zoe', response },
      });
      expect(options.loginHint).to.equal('zoe');
      expect(options.response).to.equal(response);
    });

    it('asks a function for them, with the request', async () => {
      const request = new Request(START);
      const asked: Request[] = [];
      const { options } = await seen(request, {
        authenticate: async (one) => {
          asked.push(one);
          return await Promise.resolve({ loginHint: 'zoe' });
        },
      });
      expect(options.loginHint).to.equal('zoe');
      expect(asked).to.deep.equal([request]);
    });

    it('reads a form, with a repeated field as a list', async () => {
      const { req } = await seen(post('a=1&b=%C3%BC&b=?&c=d?e'));
      expect(req.body).to.deep.equal({ a: '1', b: ['ü', '?'], c: 'd?e' });
    });

    it('reads a form whose characters are split between two parts', async () => {
      const bytes = Buffer.from('name=Zoë');
      const parts = [bytes.subarray(0, -1), bytes.subarray(-1)];
      const { req } = await seen(post(streamed(parts, true)));
      expect(req.body).to.deep.equal({ name: 'Zoë' });
    });

    for (const type of [`${FORM}; charset=UTF-8`, FORM.toUpperCase(), `${FORM} ; a=b`]) {
      it(`RFC 9110 §8.3.1 — reads ${type}`, async () => {
        expect((await seen(post('a=1', { 'content-type': type }))).req.body).to.deep.equal({
          a: '1',
        });
      });
    }

    for (const type of [
      'application/json',
      'multipart/form-data; boundary=x',
      `${FORM}x`,
      `x${FORM}`,
    ]) {
      it(`leaves ${type} to the application`, async () => {
        const request = post('{}', { 'content-type': type });
        expect((await seen(request)).req.body).to.equal(undefined);
        expect(request.bodyUsed).to.equal(false);
      });
    }

    it('leaves a body that is read already, locked or absent, and one of another method', async () => {
      const read = post('a=1');
      await read.text();
      const locked = post('a=1');
      locked.body?.getReader();
      const put = new Request(START, {
        method: 'PUT',
        body: 'a=1',
        headers: { 'content-type': FORM },
      });
      for (const request of [read, locked, post(null), put]) {
        expect((await seen(request)).req.body).to.equal(undefined);
      }
    });
  });

  describe('a form of a stranger', () => {
    const refusal = async (body: RequestInit['body']) => {
      let failure: LoginFailure | undefined;
      const handler = loginHandler(make(), {
        success,
        failure: (outcome) => {
          failure = outcome;
          return new Response(null, { status: outcome.status });
        },
      });
      await handler(post(body));
      return failure;
    };

    it('is read up to 64 KiB', async () => {
      const rest = 'x'.repeat(65_536 - 'a='.length);
      expect((await seen(post(`a=${rest}`))).req.body).to.deep.equal({ a: rest });
      const failure = await refusal(`a=${rest}x`);
      expect(failure).to.deep.include({ status: 400 });
      expect(failure?.info).to.include({
        code: 'parameter_too_long',
        message: 'acme: the form is larger than 65536 bytes',
      });
      expect(failure?.info.hint).to.include('Start the login again');
    });

    it('is let go once it is too large, although it never ends', async () => {
      let isCancelled = false;
      const endless = streamed([new Uint8Array(65_537)], false, () => {
        isCancelled = true;
      });
      expect((await refusal(endless))?.info.code).to.equal('parameter_too_long');
      expect(isCancelled).to.equal(true);
    });

    it('is let go when it does not end in time', async () => {
      let isCancelled = false;
      const stalled = streamed([Buffer.from('a=1')], false, () => {
        isCancelled = true;
        // Nor does it stop when it is told to.
        return new Promise<void>(() => {}) as never;
      });
      const failure = await hurried(() => refusal(stalled));
      expect(failure).to.deep.include({ status: 400 });
      expect(failure?.info).to.include({ code: 'timeout' });
      expect(failure?.info.hint).to.include('The browser did not send');
      expect(isCancelled).to.equal(true);
    });

    it('that breaks off is an error, and no login', async () => {
      const broken = new ReadableStream({
        pull(controller) {
          controller.error(new Error('aborted'));
        },
      });
      const handler = loginHandler(make(), { success });
      expect((await rejection(handler(post(broken)))).message).to.equal('aborted');
    });
  });

  describe('success', () => {
    it('gets the user, the info and the request', async () => {
      const request = new Request(START);
      const user = { id: 'zoe' };
      let outcome: LoginSuccess | undefined;
      const handler = loginHandler(
        acting((verbs) => verbs.success(user, { state: 7 })),
        {
          success: (one) => {
            outcome = one;
            return new Response('in');
          },
        },
      );
      expect(await (await handler(request)).text()).to.equal('in');
      expect(outcome).to.deep.equal({ user, info: { state: 7 }, request });
    });

    it('Passport — gets an object for an info that is a text, or is absent', async () => {
      for (const [info, expected] of [
        ['hello', { message: 'hello' }],
        [undefined, {}],
        [7, {}],
      ] as const) {
        const response = await answered((verbs) => verbs.success({}, info));
        expect(await response.json()).to.deep.equal({ user: {}, info: expected });
      }
    });

    it('rejects with what the function throws, and calls no other', async () => {
      const bug = new Error('a bug of the application');
      const other = () => {
        throw new Error('must not be called');
      };
      const handler = loginHandler(
        acting((verbs) => verbs.success({})),
        {
          success: () => Promise.reject(bug),
          failure: other,
          error: other,
        },
      );
      expect(await rejection(handler(new Request(START)))).to.equal(bug);
    });

    for (const value of [
      undefined,
      'signed in',
      {},
      { status: 200 },
      { status: '200', headers: {} },
    ]) {
      it(`must not return ${JSON.stringify(value)}`, async () => {
        const options = { success: () => value as never };
        const error = await rejection(answered((verbs) => verbs.success({}), options));
        expect(error).to.be.instanceOf(TypeError);
        expect(error.message).to.equal(
          'loginHandler: the function "success" must return a Response',
        );
      });
    }
  });

  describe('failure', () => {
    it('by default answers as plain text, which no cache keeps', async () => {
      const response = await answered((verbs) =>
        verbs.fail({ message: 'acme: denied', hint: 'Try <b>again</b>.', code: 'c' }, 403),
      );
      expect(response.status).to.equal(403);
      expect(await response.text()).to.equal('acme: denied\n\nTry <b>again</b>.');
      expect(response.headers.get('content-type')).to.equal('text/plain; charset=utf-8');
      expect(response.headers.get('cache-control')).to.equal('no-store');
      expect(response.headers.get('x-content-type-options')).to.equal('nosniff');
    });

    it('has words, and 401, for a refusal that has none', async () => {
      const response = await answered((verbs) => verbs.fail(undefined));
      expect(response.status).to.equal(401);
      expect(await response.text()).to.equal('The login was refused.');
    });

    const calls: [string, unknown[], Partial<LoginFailure>][] = [
      ['a text', ['no', 403], { info: { message: 'no' }, status: 403 }],
      ['a status alone', [429], { info: {}, status: 429 }],
      ['the highest status', [{}, 599], { info: {}, status: 599 }],
      ['a status that is none', [{}, 999], { info: {}, status: 401 }],
      ['a status that is a text', [{}, '403'], { info: {}, status: 401 }],
      ['a status of a success', [{}, 200], { info: {}, status: 401 }],
    ];
    for (const [title, values, expected] of calls) {
      it(`Passport — gets ${title}`, async () => {
        const request = new Request(START);
        let outcome: LoginFailure | undefined;
        const failure = (one: LoginFailure) => {
          outcome = one;
          return Response.redirect('https://app.test/login', 302);
        };
        const act: Act = (verbs) => verbs.fail(...values);
        const response = await answered(act, { failure }, request);
        expect(response.status).to.equal(302);
        expect(outcome).to.deep.equal({ ...expected, request });
      });
    }
  });

  for (const [name, act] of [
    ['failure', (verbs) => verbs.fail({})],
    ['error', (verbs) => verbs.error(new Error('down'))],
  ] as [string, Act][]) {
    it(`${name} — must return a Response too`, async () => {
      const error = await rejection(answered(act, { [name]: () => undefined as never }));
      expect(error.message).to.equal(`loginHandler: the function "${name}" must return a Response`);
    });
  }

  describe('error', () => {
    it('by default rejects with it', async () => {
      const bug = new Error('down');
      expect(await rejection(answered((verbs) => verbs.error(bug)))).to.equal(bug);
    });

    it('gets the error and the request', async () => {
      const bug = new Error('down');
      const request = new Request(START);
      let outcome: unknown;
      const error = (one: unknown) => {
        outcome = one;
        return new Response(null, { status: 502 });
      };
      const response = await answered((verbs) => verbs.error(bug), { error }, request);
      expect(response.status).to.equal(502);
      expect(outcome).to.deep.equal({ error: bug, request });
    });

    const bugs: [string, Act][] = [
      [
        'throws',
        () => {
          throw new Error('a bug');
        },
      ],
      ['rejects', async () => await Promise.reject(new Error('a bug'))],
    ];
    for (const [title, act] of bugs) {
      it(`comes of an override of authenticate that ${title}`, async () => {
        expect((await rejection(answered(act))).message).to.equal('a bug');
      });
    }

    it('comes of a strategy that passes', async () => {
      const error = await rejection(answered((verbs) => verbs.pass()));
      expect(error.message).to.include('the strategy passed');
    });

    it('comes of a function authenticate that throws, as it is', async () => {
      const bug = new Error('no tenant');
      const authenticate = () => Promise.reject(bug);
      const handler = loginHandler(make(), { success, authenticate });
      expect(await rejection(handler(new Request(START)))).to.equal(bug);
    });

    it('comes of a function authenticate that never answers, in the end', async () => {
      const authenticate = () => new Promise<never>(() => {});
      const handler = loginHandler(make(), { success, authenticate });
      const error = await hurried(() => rejection(handler(new Request(START))));
      expect(error).to.include({ name: 'InternalOAuthError', code: 'timeout', provider: 'acme' });
      expect(error.stage).to.equal('authorize');
      expect(error.hint).to.include('The function `authenticate`');
    });

    it('is session_missing, where the store needs a session', async () => {
      const handler = loginHandler(make({ store: undefined }), { success });
      const error = await rejection(handler(new Request(START)));
      expect(error.code).to.equal('session_missing');
      expect(error.hint).to.include('new CookieStateStore');
    });

    it('is the TypeError of an option that authenticate does not take', async () => {
      const handler = loginHandler(make(), { success, authenticate: { login_hint: 'zoe' } });
      expect(await rejection(handler(new Request(START)))).to.be.instanceOf(TypeError);
    });
  });

  describe('the redirect', () => {
    for (const [method, status] of [
      ['GET', 302],
      ['HEAD', 302],
      ['POST', 303],
    ] as const) {
      it(`RFC 9110 §15.4.4 — is ${status} after ${method}, and no cache keeps it`, async () => {
        const response = await loginHandler(make(), { success })(new Request(START, { method }));
        expect(response.status).to.equal(status);
        expect(response.headers.get('location')).to.match(/^https:\/\/acme\.test\/authorize\?/);
        expect(response.headers.get('cache-control')).to.equal('no-store');
        expect(response.headers.getSetCookie()).to.have.lengthOf(1);
        expect(await response.text()).to.equal('');
      });
    }

    it('Passport — has the status that a subclass gives it', async () => {
      for (const [status, expected] of [
        [307, 307],
        [200, 302],
        [400, 302],
      ]) {
        const response = await answered((verbs) => verbs.redirect('https://acme.test/', status));
        expect(response.status).to.equal(expected);
      }
    });
  });

  describe('cookies', () => {
    /** Sets two cookies as a store does. */
    const setting: Act = (verbs, { res }) => {
      const response = res as PassportResponse;
      response.setHeader('Set-Cookie', 'a=1');
      response.setHeader('set-cookie', [String(response.getHeader('SET-COOKIE')), 'b=2']);
      verbs.success({});
    };

    it('join those of the application, and its response keeps all else', async () => {
      const response = await answered(setting, {
        success: () => {
          const headers = new Headers({ 'x-own': 'yes', 'content-type': 'text/html' });
          headers.append('set-cookie', 'sid=1');
          headers.append('set-cookie', 'theme=dark');
          return new Response('<p>in', { status: 201, statusText: 'Made', headers });
        },
      });
      expect(response.headers.getSetCookie()).to.deep.equal(['sid=1', 'theme=dark', 'a=1', 'b=2']);
      expect(response).to.include({ status: 201, statusText: 'Made' });
      expect(response.headers.get('x-own')).to.equal('yes');
      expect(response.headers.get('content-type')).to.equal('text/html');
      expect(await response.text()).to.equal('<p>in');
    });

    it('Fetch §5.5 — join a response that is immutable', async () => {
      const response = await answered(setting, {
        success: () => Response.redirect('https://app.test/home', 303),
      });
      expect(response.status).to.equal(303);
      expect(response.headers.get('location')).to.equal('https://app.test/home');
      expect(response.headers.getSetCookie()).to.deep.equal(['a=1', 'b=2']);
    });

    it('of one person stay out of a response that everybody gets', async () => {
      const home = new Response(null, { status: 204 });
      const options = { success: () => home };
      for (const _person of ['zoe', 'suri']) {
        const response = await answered(setting, options);
        expect(response.headers.getSetCookie()).to.deep.equal(['a=1', 'b=2']);
      }
      expect(home.headers.getSetCookie()).to.deep.equal([]);
    });

    it('join the answers of failure and error too', async () => {
      for (const [verb, option] of [
        ['fail', 'failure'],
        ['error', 'error'],
      ] as const) {
        const act: Act = (verbs, { res }) => {
          (res as PassportResponse).setHeader('Set-Cookie', 'a=1');
          verbs[verb]({});
        };
        const response = await answered(act, { [option]: () => new Response('out') });
        expect(response.headers.getSetCookie()).to.deep.equal(['a=1']);
      }
    });

    it('leave a response alone where there are none', async () => {
      const own = new Response('in');
      expect(await answered((verbs) => verbs.success({}), { success: () => own })).to.equal(own);
    });
  });

  it('asks a strategy for no client, because one for tenants has none', async () => {
    const strategy = acting((verbs) => verbs.success({}));
    Object.defineProperty(strategy, 'client', {
      get: () => {
        throw new Error('there is no client');
      },
    });
    const handler = loginHandler(strategy, { success });
    expect((await handler(new Request(START))).status).to.equal(200);
  });

  it('counts the first outcome only', async () => {
    const calls: string[] = [];
    await answered(
      (verbs) => {
        verbs.success({});
        verbs.fail({}, 403);
        verbs.error(new Error('late'));
      },
      {
        success: () => {
          calls.push('success');
          return new Response();
        },
        failure: () => {
          calls.push('failure');
          return new Response();
        },
        error: () => {
          calls.push('error');
          return new Response();
        },
      },
    );
    expect(calls).to.deep.equal(['success']);
  });

  it('leaves the verbs off the strategy itself', async () => {
    const strategy = make();
    await loginHandler(strategy, { success })(new Request(START));
    for (const verb of ['success', 'fail', 'redirect', 'error', 'pass']) {
      expect(Object.hasOwn(strategy, verb), verb).to.equal(false);
    }
  });

  describe('a login', () => {
    mockTheNetwork();

    it('starts and ends at one handler, with nothing but the cookie between', async () => {
      const handler = loginHandler(make(), {
        success,
        authenticate: ({ url }) => ({ state: { from: new URL(url).pathname } }),
      });
      const { callback, cookie } = await begun(handler);
      answerLogin();
      const response = await handler(new Request(callback, { headers: { cookie } }));
      expect(await response.json()).to.deep.equal({
        user: { id: 'zoe' },
        info: { state: { from: '/auth/acme' } },
      });
      const [line, ...others] = response.headers.getSetCookie();
      expect(line).to.match(/^__Host-crm-login\.[^;]+=; Path=\/; Max-Age=0/);
      expect(others).to.deep.equal([]);
    });

    it('may end with the form that the provider posts', async () => {
      const handler = loginHandler(make(), { success });
      const { callback, cookie } = await begun(handler);
      answerLogin();
      const body = new URL(callback).searchParams;
      const response = await handler(
        new Request(CALLBACK, { method: 'POST', body, headers: { cookie } }),
      );
      expect(await response.json()).to.deep.include({ user: { id: 'zoe' } });
    });

    it('is refused without the cookie, and its answer says why', async () => {
      const handler = loginHandler(make(), { success });
      const { callback } = await begun(handler);
      const response = await handler(new Request(callback));
      expect(response.status).to.equal(403);
      expect(await response.text()).to.match(/no cookie back\n\nNo cookie came back\./);
    });

    it('fails when verify refuses the person, and the cookie goes', async () => {
      const handler = loginHandler(make({ verify: () => false }), { success });
      const { callback, cookie } = await begun(handler);
      answerLogin();
      const response = await handler(new Request(callback, { headers: { cookie } }));
      expect(response.status).to.equal(401);
      expect(response.headers.getSetCookie()[0]).to.include('Max-Age=0');
    });

    it('ends with the error of the provider', async () => {
      const handler = loginHandler(make(), { success });
      const { callback, cookie } = await begun(handler);
      nock(ORIGIN).post('/token').reply(500, 'down');
      const error = await rejection(handler(new Request(callback, { headers: { cookie } })));
      expect(error).to.include({ code: 'provider_unavailable', stage: 'token' });
    });

    it('makes a relative callbackURL absolute with the address of the request', async () => {
      const redirectUri = async (
        url: string,
        headers: RequestInit['headers'] = {},
        options: object = {},
      ) => {
        const strategy = make({ callbackURL: '/auth/acme/callback', ...options });
        const response = await loginHandler(strategy, { success })(new Request(url, { headers }));
        return new URL(response.headers.get('location') ?? '').searchParams.get('redirect_uri');
      };
      const path = '/auth/acme/callback';
      expect(await redirectUri('http://localhost:3000/in')).to.equal(
        `http://localhost:3000${path}`,
      );
      const forwarded = { host: 'app.test', 'x-forwarded-proto': 'https' };
      expect(await redirectUri('http://10.0.0.1/in', forwarded)).to.equal(`http://app.test${path}`);
      expect(await redirectUri('http://10.0.0.1/in', forwarded, { proxy: true })).to.equal(
        `https://app.test${path}`,
      );
    });

    it('goes through the hooks of a subclass', async () => {
      class Hooked extends AcmeStrategy {
        override authorizationParams({ audience }: { audience?: string }) {
          return { audience };
        }
        override userProfile(
          _accessToken: string,
          done: (error: unknown, profile?: never) => void,
        ) {
          done(null, { id: 'from the hook' } as never);
        }
      }
      const store = new CookieStateStore({ secrets: SECRETS });
      const strategy = new Hooked({ ...OPTIONS, store, verify: ({ profile }) => profile });
      const handler = loginHandler(strategy, { success, authenticate: { audience: 'the-api' } });
      const response = await handler(new Request(START));
      const url = new URL(response.headers.get('location') ?? '');
      expect(url.searchParams.get('audience')).to.equal('the-api');
      nock(ORIGIN).post('/token').reply(200, { access_token: 'at' });
      const state = url.searchParams.get('state');
      const headers = { cookie: cookieOf(response) };
      const ended = await handler(new Request(`${CALLBACK}?code=c&state=${state}`, { headers }));
      expect(await ended.json()).to.deep.include({ user: { id: 'from the hook' } });
    });
  });
});
