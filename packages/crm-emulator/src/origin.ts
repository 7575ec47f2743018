/** One provider at its own address: records each request, applies faults, then asks dialect or engine. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Context, EngineError, Provider } from 'oidc-provider/lib/provider.js';
import type { Callback, Dialect, Environment } from './dialect.js';
import { createEngine, resumeCookie, SIGN_IN_PATH } from './engine.js';
import { tokenErrorReason } from './engine-errors.js';
import { EngineRequest, readBody } from './engine-request.js';
import { callbackAfter, Faults, isOfCallback } from './faults.js';
import { checkFault, namedFault } from './named-faults.js';
import { pageReply, startPage } from './pages.js';
import { isOwnHost } from './own-host.js';
import { type Reply, send, TEXT_TYPE } from './reply.js';
import { continueSignIn, showSignIn } from './sign-in.js';
import { acceptLongVerifier, tolerate } from './tolerant.js';
import type { Fault, FaultChanges, RequestRecord, Step, TokenFault } from './types.js';
import { scopesOf } from './values.js';

/** Limits the memory of an emulator that runs for days. */
const MAX_RECORDED_REQUESTS = 10_000;

export interface Listener {
  server: Server;
  /** The address or name that the server listens on. */
  host: string;
  origin: string;
}

export async function listen(host: string, port: number): Promise<Listener> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return { server, host, origin: `http://${name.includes(':') ? `[${name}]` : name}:${bound}` };
}

export async function stop({ server }: Listener): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  server.closeAllConnections();
  await closed;
}

type EngineCallback = ReturnType<Provider['callback']>;

export class Origin {
  readonly requests: RequestRecord[] = [];
  readonly #faults = new Faults();
  readonly #dialect: Dialect;
  readonly #environment: Environment;
  readonly #engine: Provider;
  readonly #callback: EngineCallback;

  constructor(listener: Listener, dialect: Dialect, environment: Environment) {
    this.#dialect = dialect;
    this.#environment = environment;
    this.#engine = createEngine(dialect, environment, (callback) => this.#spoilCallback(callback));
    this.#engine
      .use((context, next) => this.#record(context, next))
      .use((context, next) => this.#applyFault(context, next))
      .use((context, next) => this.#route(context, next));
    this.#callback = this.#engine.callback();
    this.attach(listener);
  }

  /** Answers the requests of one more address. */
  attach(listener: Listener): void {
    listener.server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      void this.#accept(request, response, listener);
    });
  }

  async #accept(
    request: IncomingMessage,
    response: ServerResponse,
    { host, origin }: Listener,
  ): Promise<void> {
    try {
      if (!isOwnHost(request, host)) {
        response.writeHead(421, { connection: 'close', 'content-type': TEXT_TYPE });
        response.end('Misdirected Request: the Host header is not that of the emulator.\n');
        return;
      }
      const body = await readBody(request);
      if (!body) {
        response.writeHead(413, { connection: 'close' }).end();
        return;
      }
      const readable = new EngineRequest(request, body, origin);
      if (this.#environment.options.tolerant) tolerate(readable, this.#dialect.paths);
      await this.#callback(readable, response);
    } catch {
      // The client left while it was still sending.
      response.destroy();
    }
  }

  setActive(name: string, active: boolean): void {
    const { people, store } = this.#environment;
    const person = people.byHint(name);
    if (!person) throw new TypeError(`setActive: there is no person "${name}"`);
    person.active = active;
    if (!active) store.endSessions(this.#dialect.accountIdOf(person));
  }

  fault(fault: Fault): void {
    checkFault(this.#dialect, fault);
    this.#faults.add(fault);
  }

  fail(name: string, changes?: FaultChanges): void {
    this.#faults.add(namedFault(this.#dialect, name, changes));
  }

  clearFaults(): void {
    this.#faults.clear();
  }

  async #record(context: Context, next: () => Promise<void>): Promise<void> {
    const { method, path } = context;
    const headers = recordedHeaders(context);
    const record: RequestRecord = { method, path, at: Date.now(), headers, status: 0 };
    this.requests.push(record);
    if (this.requests.length > MAX_RECORDED_REQUESTS) this.requests.shift();
    // The engine must not find a sign-in by a cookie of the browser: `#resume` alone sets one.
    delete context.req.headers.cookie;
    try {
      await next();
    } finally {
      context.remove('set-cookie');
      if (context.respond !== false) record.status = context.status;
      else if (context.res.headersSent) record.status = context.res.statusCode;
    }
  }

  async #applyFault(context: Context, next: () => Promise<void>): Promise<void> {
    // A fault of the callback's parameters waits until there is a callback: see `#spoilCallback`.
    const fault = this.#faults.take(this.#stepsOf(context), (one) => !isOfCallback(one));
    return fault ? this.#faults.apply(fault, context, next) : next();
  }

  #stepsOf({ path, req }: Context): readonly Step[] {
    const { paths, steps } = this.#dialect;
    if (path.startsWith(`${paths.authorize}/`)) return ['callback'];
    const [, ...found] = steps.find(([pattern]) => pattern.test(path)) ?? [];
    const isRefresh = (req as EngineRequest).fields?.['grant_type'] === 'refresh_token';
    return found[0] === 'token' && isRefresh ? ['refresh', 'token'] : found;
  }

  async #route(context: Context, next: () => Promise<void>): Promise<void> {
    const { method, path } = context;
    const { paths } = this.#dialect;
    const request = context.req as EngineRequest;
    const url = new URL(context.url, this.#environment.origin);
    const misdirected = this.#dialect.misdirected?.(url, request.arrivedAt);
    if (misdirected) return send(context, misdirected);
    if (path === paths.authorize && method === 'GET') return this.#authorize(context, next);
    if (path.startsWith(`${paths.authorize}/`) && method === 'GET')
      return this.#resume(context, next);
    if (path === paths.token && method === 'POST') return this.#token(context, next);
    if (path.startsWith(`${SIGN_IN_PATH}/`)) return this.#signIn(context);
    if (path === '/' && method === 'GET') return send(context, this.#startPage());

    for (const { path: pattern, methods, handle } of this.#dialect.routes) {
      const match = pattern.exec(path);
      if (match && methods.includes(method)) {
        return send(context, await handle({ request, method, url, match }));
      }
    }
    send(context, { status: 404, body: { error: 'Not found' } });
  }

  /** Continues an authorization request after the sign-in page. */
  async #resume(context: Context, next: () => Promise<void>): Promise<void> {
    const uid = context.path.slice(this.#dialect.paths.authorize.length + 1);
    context.req.headers.cookie = resumeCookie(this.#dialect, uid);
    await next();
  }

  async #authorize(context: Context, next: () => Promise<void>): Promise<void> {
    const asked = new URLSearchParams(context.querystring);
    // Of a repeated parameter the first value counts here.
    const single = Object.fromEntries([...asked].toReversed());
    // The emulator asks at every request: a hint about an earlier sign-in has no meaning here.
    delete single['id_token_hint'];
    const { response_mode: mode, ...translated } = this.#dialect.authorizationRequest(single);
    const query = new URLSearchParams({
      ...translated,
      response_mode: mode === 'form_post' ? 'emulator_form_post' : 'emulator_query',
      prompt: translated['prompt']?.split(' ').includes('none') ? 'none' : 'login consent',
    });
    // Repeats what was repeated, so that the engine refuses it (RFC 6749 §3.1).
    for (const name of new Set(asked.keys())) {
      if (asked.getAll(name).length > 1) query.append(name, '');
    }
    context.querystring = query.toString();
    await next();
  }

  async #token(context: Context, next: () => Promise<void>): Promise<void> {
    const dialect = this.#dialect;
    const request = context.req as EngineRequest;
    const outcome = dialect.tokenRequest(request, new URL(context.url, this.#environment.origin));
    context.set('cache-control', 'no-store');
    if ('reply' in outcome) return send(context, outcome.reply);
    if (this.#environment.options.tolerant) {
      acceptLongVerifier(outcome.form, this.#environment.store);
    }
    request.setForm(outcome.form);
    request.headers.accept = 'application/json';
    context.querystring = '';
    await next();

    const { oidc, body, state } = context;
    const grantType = [outcome.form['grant_type']].flat()[0] ?? '';
    const issued = oidc?.entities.AccessToken ?? oidc?.entities.ClientCredentials;
    if (context.status === 200 && issued) {
      const person = issued.accountId ? dialect.personOf(issued.accountId) : undefined;
      const fault = state['fault'] as TokenFault | undefined;
      const response = await dialect.tokenResponse(body as Record<string, unknown>, {
        person,
        grantType,
        issued,
        fault,
      });
      context.body = fault?.kind === 'not-offline' ? withoutOffline(response) : response;
      return;
    }
    const error = state['error'] as EngineError | undefined;
    if (!error || context.status >= 500) return;
    context.remove('www-authenticate');
    const reason = tokenErrorReason({
      error: error.error,
      description: error.error_description ?? '',
      detail: error.error_detail ?? '',
      grantType,
    });
    send(context, dialect.tokenError(reason, request));
  }

  async #signIn(context: Context): Promise<void> {
    const uid = context.path.slice(SIGN_IN_PATH.length + 1);
    const pending = await this.#engine.Interaction.find(uid);
    const signIn = { dialect: this.#dialect, environment: this.#environment, path: context.path };
    if (context.method === 'GET') return send(context, showSignIn(signIn, pending));
    if (context.method !== 'POST') return send(context, { status: 405 });
    const { fields } = context.req as EngineRequest;
    const { reply, fault } = await continueSignIn(signIn, pending, fields ?? {});
    this.#faults.rehearse(fault);
    send(context, reply);
  }

  #startPage(): Reply {
    const { origin, client, options, people } = this.#environment;
    const { name, title, endpoints, strategyOptions } = this.#dialect;
    const page = startPage({
      name,
      title,
      origin,
      endpoints,
      client,
      options: { clientID: client.id, clientSecret: client.secret, ...strategyOptions },
      callbackURLs: options.callbackURLs ?? [],
      people: people.all,
    });
    return pageReply(200, page);
  }

  #spoilCallback(callback: Callback): Callback {
    const fault = this.#faults.take(['callback', 'authorize'], isOfCallback);
    return fault ? callbackAfter(fault, callback) : callback;
  }
}

/** The token response to a client that must not have a refresh token (RFC 6749 §5.1). */
function withoutOffline({ refresh_token: _token, ...response }: Record<string, unknown>) {
  const scopes = scopesOf(response['scope']);
  for (const scope of ['offline_access', 'refresh_token']) scopes.delete(scope);
  return { ...response, scope: [...scopes].join(' ') };
}

/** Headers that hold no secret: the scheme of `authorization` only, and no cookie. */
function recordedHeaders(context: Context): Record<string, string> {
  const headers = Object.fromEntries(
    Object.entries(context.headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')]),
  );
  const { authorization, cookie } = headers;
  if (authorization) headers['authorization'] = authorization.split(' ', 1)[0]!;
  if (cookie) headers['cookie'] = 'not kept';
  return headers;
}
