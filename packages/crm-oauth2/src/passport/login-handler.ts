/** A login as a function of a `Request`: for runtimes that speak the Fetch API, without Passport and session. */
import { isOAuth2Error, located } from '../errors/oauth2-error';
import { Problem, isProblem } from '../errors/problem';
import { ownFields } from '../values/json';
import { refuseUnknownOptions } from '../values/options';
import { Deadline } from '../wire/deadline';
import type { AuthenticateOptions } from './authenticate-options';
import { asPassportError } from './errors';
import type { LoginInfo } from './passport-types';
import { callbackParameters, isRecord } from './request';
import type { PassportRequest, PassportResponse } from './request';

/** The part of a strategy that a handler needs. A strategy for tenants may have no client of its own. */
export interface HandledStrategy {
  name?: string;
  authenticate(req: PassportRequest, options?: AuthenticateOptions): unknown;
}

/** The argument of `success`. */
export interface LoginSuccess<User = unknown> {
  /** The user, as verify returned it. */
  user: User;
  /** Passport's `req.authInfo`, with all that verify passed to `done`. */
  info: Readonly<LoginInfo & Record<string, unknown>>;
  request: Request;
}

/** The argument of `failure`: the person or the browser caused it. */
export interface LoginFailure {
  info: Readonly<Record<string, unknown> & { message?: string; code?: string; hint?: string }>;
  /** 400 to 599; 401 when verify refused the person. */
  status: number;
  request: Request;
}

/** The argument of `error`. */
export interface LoginError {
  error: unknown;
  request: Request;
}

export interface LoginHandlerOptions<User = unknown> {
  /** The answer to a person who has signed in: mostly a redirect, with a cookie of the application. */
  success: (outcome: LoginSuccess<User>) => Response | Promise<Response>;
  /** The answer to a refused login. Default: its status, with message and hint as plain text. */
  failure?: (outcome: LoginFailure) => Response | Promise<Response>;
  /** The answer to a login that went wrong. Default: the handler rejects with the error. */
  error?: (outcome: LoginError) => Response | Promise<Response>;
  /** The options of this login, or a function that makes them of the request, within ten seconds. */
  authenticate?:
    | AuthenticateOptions
    | ((request: Request) => AuthenticateOptions | Promise<AuthenticateOptions>);
}

/** The verb that the strategy called, and its arguments. */
type Outcome =
  | { verb: 'redirect'; url: string; status: unknown }
  | { verb: 'success'; user: unknown; info: unknown }
  | { verb: 'fail'; info: unknown; status: unknown }
  | { verb: 'error'; error: unknown };

const OWNER = 'loginHandler';
const CALLBACKS = ['success', 'failure', 'error'] as const;

/**
 * A handler that starts the login, and finishes it when the request is the provider's answer: at one
 * route or at two. The strategy needs a store without a session, such as `CookieStateStore`.
 *
 * @throws {TypeError} naming the option that is missing, unknown or wrong
 * @example
 * export const GET = loginHandler(strategy, {
 *   success: async ({ user }) => await signedIn(user),
 * });
 */
export function loginHandler<User = unknown>(
  strategy: HandledStrategy,
  options: LoginHandlerOptions<User>,
): (request: Request) => Promise<Response> {
  const judged = judge(strategy, options);
  return async (request) => {
    const { response, cookies } = standIn();
    const provider = { name: strategy.name ?? OWNER, hints: {} };
    const outcome = await located({ provider, stage: 'authorize' }, () =>
      run(strategy, request, response, judged.authenticate),
    ).catch(refusalOrError);
    return withCookies(await answer(outcome, request, judged), cookies());
  };
}

function judge<User>(
  strategy: HandledStrategy,
  given: LoginHandlerOptions<User>,
): LoginHandlerOptions<User> {
  if (typeof Reflect.get(Object(strategy), 'authenticate') !== 'function') {
    throw new TypeError(`${OWNER}: the first argument must be a strategy`);
  }
  if (!isRecord(given)) throw new TypeError(`${OWNER}: the second argument must be the options`);
  const options = ownFields(given);
  refuseUnknownOptions(OWNER, options, [...CALLBACKS, 'authenticate']);
  for (const name of CALLBACKS) {
    const value: unknown = options[name];
    if (typeof value === 'function' || (value === undefined && name !== 'success')) continue;
    throw new TypeError(`${OWNER}: option "${name}" must be a function that returns a Response`);
  }
  const { authenticate } = options;
  if (authenticate === undefined || ['object', 'function'].includes(typeof authenticate)) {
    return options;
  }
  throw new TypeError(`${OWNER}: option "authenticate" must be an object, or a function`);
}

/** For all that comes before the strategy, which then has its own `timeout`. */
const PREPARATION_TIMEOUT_MS = 10_000;

/** Runs the strategy on a copy of it, as Passport does. */
async function run(
  strategy: HandledStrategy,
  request: Request,
  response: PassportResponse,
  given: LoginHandlerOptions['authenticate'],
): Promise<Outcome> {
  const deadline = new Deadline(PREPARATION_TIMEOUT_MS);
  const options =
    typeof given === 'function'
      ? await inTime(deadline, given(request), {
          hint: 'The function `authenticate` of the handler took too long. Look for a slow query, or a promise that never settles.',
        })
      : given;
  const req = await passportRequest(request, response, deadline);
  return await new Promise((resolve, reject) => {
    const copy = Object.assign(Object.create(strategy) as HandledStrategy, {
      success: (user: unknown, info: unknown) => resolve({ verb: 'success', user, info }),
      // As Passport has it, the status may come alone.
      fail: (info: unknown, status: unknown) =>
        resolve({ verb: 'fail', info, status: typeof info === 'number' ? info : status }),
      redirect: (url: string, status: unknown) => resolve({ verb: 'redirect', url, status }),
      error: (error: unknown) => resolve({ verb: 'error', error }),
      pass: () => reject(new Error(`${OWNER}: the strategy passed, and no other handler follows`)),
    });
    const all = { ...options, response: options?.response ?? response };
    // An override may be asynchronous.
    Promise.resolve(copy.authenticate(req, all)).catch(reject);
  });
}

/** Waits, and gives a problem of time its own remedy. */
async function inTime<T>(
  deadline: Deadline,
  work: T | Promise<T>,
  details: Problem['details'],
): Promise<T> {
  try {
    return await deadline.wait(work);
  } catch (error) {
    throw isProblem(error) && error.code === 'timeout'
      ? new Problem('timeout', error.message, details)
      : error;
  }
}

/** `fail` when the browser caused it, as in a strategy. */
function refusalOrError(error: unknown): Outcome {
  if (!isOAuth2Error(error) || error.refusal === undefined) {
    return { verb: 'error', error: asPassportError(error) };
  }
  const { message, code, hint, refusal: status } = error;
  return { verb: 'fail', info: { message, code, hint }, status };
}

async function passportRequest(
  request: Request,
  response: PassportResponse,
  deadline: Deadline,
): Promise<PassportRequest> {
  const { pathname, search, host, protocol } = new URL(request.url);
  const url = pathname + search;
  const { method } = request;
  return {
    method,
    url,
    originalUrl: url,
    headers: { host, ...Object.fromEntries(request.headers) },
    protocol: protocol.slice(0, -1),
    query: callbackParameters({ url, headers: {} }),
    body: method === 'POST' ? await readForm(request, deadline) : undefined,
    res: response,
  };
}

/** The answer of a provider has a few hundred bytes. */
const MAX_FORM_BYTES = 65_536;

/** The fields of a form; `undefined` for any other body, and for one that has been read already. */
async function readForm(request: Request, deadline: Deadline): Promise<unknown> {
  const type = request.headers.get('content-type') ?? '';
  const isFormType = /^application\/x-www-form-urlencoded\s*(;|$)/i.test(type);
  if (!isFormType || !request.body || request.bodyUsed || request.body.locked) return undefined;
  const reader = request.body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  const reading = async () => {
    const chunks: Uint8Array[] = [];
    let left = MAX_FORM_BYTES;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return Buffer.concat(chunks).toString();
      left -= value.byteLength;
      if (left < 0) {
        const rule = `the form is larger than ${MAX_FORM_BYTES} bytes`;
        throw new Problem('parameter_too_long', rule, { refusal: 400 });
      }
      chunks.push(value);
    }
  };
  try {
    const form = await inTime(deadline, reading(), {
      refusal: 400,
      hint: 'The browser did not send the whole form in time. Start the login again from its button.',
    });
    return callbackParameters({ url: `?${form}`, headers: {} });
  } finally {
    // The rest of a form that is refused. It may never come.
    reader.cancel().catch(() => undefined);
  }
}

/** A response that only holds headers, and the cookies that were set on it. */
function standIn(): { response: PassportResponse; cookies: () => string[] } {
  const headers = new Map<string, number | string | readonly string[]>();
  const response = {
    getHeader: (name: string) => headers.get(name.toLowerCase()),
    setHeader: (name: string, value: number | string | readonly string[]) => {
      headers.set(name.toLowerCase(), value);
      return response;
    },
  } as PassportResponse;
  const cookies = () => [headers.get('set-cookie') ?? []].flat().map(String);
  return { response, cookies };
}

async function answer<User>(
  outcome: Outcome,
  request: Request,
  { success, failure = refused, error: failed }: LoginHandlerOptions<User>,
): Promise<Response> {
  if (outcome.verb === 'redirect') return redirected(outcome, request);
  if (outcome.verb === 'success') {
    const user = outcome.user as User;
    return requireResponse('success', await success({ user, info: fields(outcome.info), request }));
  }
  if (outcome.verb === 'fail') {
    const status = statusWithin(outcome.status, 400, 599) ?? 401;
    const info = fields(outcome.info);
    return requireResponse('failure', await failure({ info, status, request }));
  }
  const { error } = outcome;
  if (!failed) throw error;
  return requireResponse('error', await failed({ error, request }));
}

/** A verify function may pass a text in place of an object, as in Passport. */
function fields(info: unknown): Readonly<Record<string, unknown>> {
  if (typeof info === 'string') return { message: info };
  return isRecord(info) ? info : {};
}

function statusWithin(status: unknown, min: number, max: number): number | undefined {
  const isIn = typeof status === 'number' && status >= min && status <= max;
  return isIn ? status : undefined;
}

/** RFC 9110 §15.4.4: after a POST, 303 makes every browser continue with GET, and forget the form. */
function redirected(
  { url, status }: Extract<Outcome, { verb: 'redirect' }>,
  { method }: Request,
): Response {
  return new Response(null, {
    status: statusWithin(status, 300, 399) ?? (method === 'GET' || method === 'HEAD' ? 302 : 303),
    headers: { location: url, 'cache-control': 'no-store' },
  });
}

/** The default of `failure`. */
function refused({ info, status }: LoginFailure): Response {
  const { message = 'The login was refused.', hint } = info;
  return new Response([message, hint].filter(Boolean).join('\n\n'), {
    status,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    },
  });
}

function requireResponse(name: string, response: Response): Response {
  // A framework may bring a class of its own.
  const { status, headers } = Object(response) as Partial<Response>;
  if (typeof status === 'number' && isRecord(headers)) return response;
  throw new TypeError(`${OWNER}: the function "${name}" must return a Response`);
}

/**
 * A copy with the cookies. The application's own response may be immutable (`Response.redirect`), or
 * one that it returns to everybody.
 */
function withCookies(response: Response, cookies: readonly string[]): Response {
  if (cookies.length === 0) return response;
  const headers = new Headers(response.headers);
  for (const cookie of cookies) headers.append('set-cookie', cookie);
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}
