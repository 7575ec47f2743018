/** One provider at its own address: records each request, applies faults, then asks dialect or engine. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Context, Provider } from 'oidc-provider/lib/provider.js';
import { authenticateClient } from './client-authentication.js';
import type { Callback, Dialect, EngineTokens, Environment } from './dialect.js';
import { createEngine, resumeCookie, SIGN_IN_PATH } from './engine.js';
import { type Endpoint, pathOf } from './endpoints.js';
import { EngineRequest, readBody } from './engine-request.js';
import { callbackAfter, Faults, isOfCallback } from './faults.js';
import { checkFault, namedFault } from './named-faults.js';
import { overview } from './overview.js';
import { FAVICON, FAVICON_HEADERS, FAVICON_PATH, pageReply } from './pages.js';
import { CONTROL_PATH, controlRefusal, isOwnHost } from './guards.js';
import { formRefusal, type Refused, tokenReason, wordsOf } from './reasons.js';
import { oauthError, type Reply, send, TEXT_TYPE } from './reply.js';
import { complete, record } from './requests.js';
import { continueSignIn, showSignIn } from './sign-in.js';
import type { State } from './state.js';
import { acceptLongVerifier, tolerate } from './tolerant.js';
import type { Fault, FaultChanges, RequestRecord, Step, TokenFault } from './types.js';
import { scopesOf, textOf } from './values.js';

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

  constructor(
    listener: Listener,
    dialect: Dialect,
    environment: Environment,
    private readonly state: State,
  ) {
    this.#dialect = dialect;
    this.#environment = environment;
    this.#engine = createEngine(dialect, environment, (callback) => this.#spoilCallback(callback));
    this.#engine
      .use((context, next) => this.#record(context, next))
      .use((context, next) => this.#applyFault(context, next))
      // No answer leaves before what it says is kept.
      .use((_context, next) => next().then(() => this.state.flush()))
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
      if (request.url === FAVICON_PATH) {
        response.writeHead(200, FAVICON_HEADERS).end(FAVICON);
        return;
      }
      const body = await readBody(request);
      if (!body) {
        response.writeHead(413, { connection: 'close' }).end();
        return;
      }
      const readable = new EngineRequest(request, body, origin);
      if (this.#environment.options.tolerant) tolerate(readable, this.#dialect.endpoints);
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
    const fault = namedFault(this.#dialect, name, changes);
    this.#faults.add(fault, this.#dialect.faults[name]!.label);
  }

  clearFaults(): void {
    this.#faults.clear();
  }

  async #record(context: Context, next: () => Promise<void>): Promise<void> {
    const request = record(this.requests, context);
    // The engine must not find a sign-in by a cookie of the browser: `#route` alone sets one.
    delete context.req.headers.cookie;
    try {
      await next();
    } finally {
      context.remove('set-cookie');
      complete(request, context);
      const { origin, options } = this.#environment;
      const { name, title } = this.#dialect;
      options.onRequest?.(request, { name, title, origin });
    }
  }

  async #applyFault(context: Context, next: () => Promise<void>): Promise<void> {
    // A fault of the callback's parameters waits until there is a callback: see `#spoilCallback`.
    const fault = this.#faults.take(this.#stepsOf(context), (one) => !isOfCallback(one));
    return fault ? this.#faults.apply(fault, context, next) : next();
  }

  #stepsOf({ path, req }: Context): readonly Step[] {
    const { endpoints } = this.#dialect;
    if (path.startsWith(`${pathOf(endpoints, 'authorize')}/`)) return ['callback'];
    const { steps = [] } = endpoints.find(({ pattern }) => pattern.test(path)) ?? {};
    const isRefresh = (req as EngineRequest).fields?.['grant_type'] === 'refresh_token';
    return steps[0] === 'token' && isRefresh ? ['refresh', 'token'] : steps;
  }

  async #route(context: Context, next: () => Promise<void>): Promise<void> {
    const { method, path } = context;
    const request = context.req as EngineRequest;
    const url = new URL(context.url, this.#environment.origin);
    const misdirected = this.#dialect.misdirected?.(url, request.arrivedAt);
    if (misdirected) return send(context, misdirected);
    if (path === '/' && method === 'GET') return send(context, this.#overview());
    if (path === CONTROL_PATH) return send(context, this.#control(context));
    if (path.startsWith(`${SIGN_IN_PATH}/`)) return this.#signIn(context);
    const resumed = `${pathOf(this.#dialect.endpoints, 'authorize')}/`;
    if (path.startsWith(resumed) && method === 'GET') {
      context.req.headers.cookie = resumeCookie(this.#dialect, path.slice(resumed.length));
      return next();
    }
    const answers = ({ methods, pattern }: Endpoint) =>
      methods.includes(method) && pattern.test(path);
    const endpoint = this.#dialect.endpoints.find(answers);
    if (!endpoint) return send(context, { status: 404, body: { error: 'Not found' } });
    const { handle, pattern, steps } = endpoint;
    if (handle)
      return send(context, await handle({ request, method, url, match: pattern.exec(path)! }));
    return steps[0] === 'token' ? this.#token(context, next) : this.#authorize(context, next);
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
    // RFC 6749 §3.1: refused once the client and the redirect URI are known to be good.
    context.state['isRepeated'] = new Set(asked.keys()).size < asked.size;
    context.querystring = query.toString();
    await next();
  }

  async #token(context: Context, next: () => Promise<void>): Promise<void> {
    const dialect = this.#dialect;
    const { clients, options, store, origin } = this.#environment;
    const request = context.req as EngineRequest;
    const asked = dialect.tokenRequest(request, new URL(context.url, origin));
    context.set('cache-control', 'no-store');
    if ('reason' in asked) return this.#refuse(context, asked);
    const { form } = asked;
    const refused = formRefusal(form, authenticateClient(request, clients));
    if (refused) return this.#refuse(context, refused);
    if (options.tolerant) acceptLongVerifier(form, store);
    const { code, refresh_token: refreshToken } = form;
    const stored = code
      ? store.find('AuthorizationCode', String(code))
      : store.find('RefreshToken', String(refreshToken));
    const before = stored && { ...stored };
    request.setForm(form);
    request.headers.accept = 'application/json';
    context.querystring = '';
    await next();

    const { oidc, body, state } = context;
    const issued = oidc?.entities.AccessToken ?? oidc?.entities.ClientCredentials;
    if (context.status === 200 && issued) {
      const person = issued.accountId ? dialect.personOf(issued.accountId) : undefined;
      const grantType = String(form['grant_type']);
      const fault = state['fault'] as TokenFault | undefined;
      const tokens = body as EngineTokens;
      if (grantType === 'refresh_token' && !dialect.rotatesRefreshTokens)
        delete tokens.refresh_token;
      const response = await dialect.tokenResponse(tokens, { person, grantType, issued, fault });
      context.body = fault?.kind === 'not-offline' ? withoutOffline(response) : response;
      return;
    }
    if (!state['error'] || context.status >= 500) return;
    context.remove('www-authenticate');
    const own = before?.['clientId'] === oidc?.client?.clientId ? before : undefined;
    const person = own && dialect.personOf(String(own['accountId']));
    const reason = tokenReason(state['error'], form, own, person?.active ?? false);
    return this.#refuse(context, { reason, name: textOf(request.fields?.['audience']) });
  }

  #refuse(context: Context, refused: Refused): void {
    const { refusals, tokenError = (words) => oauthError(...words) } = this.#dialect;
    send(context, tokenError(wordsOf(refusals, refused)!));
  }

  async #signIn(context: Context): Promise<void> {
    const { path, method } = context;
    const uid = path.slice(SIGN_IN_PATH.length + 1);
    const pending = await this.#engine.Interaction.find(uid);
    const signIn = { dialect: this.#dialect, environment: this.#environment, uid };
    if (method === 'GET') return send(context, showSignIn(signIn, path, pending));
    if (method !== 'POST') return send(context, { status: 405 });
    const { fields } = context.req as EngineRequest;
    const { reply, fault } = await continueSignIn(signIn, pending, fields ?? {});
    this.#faults.rehearse(fault);
    send(context, reply);
  }

  #overview(): Reply {
    const { requests } = this;
    const { queued } = this.#faults;
    return pageReply(200, overview(this.#dialect, this.#environment, { requests, queued }));
  }

  /** The buttons of the start page. */
  #control(context: Context): Reply {
    const request = context.req as EngineRequest;
    const refusal = controlRefusal(context.method, request);
    if (refusal) return refusal;
    const { expire, revoke, fail, clear } = request.fields ?? {};
    const { store } = this.#environment;
    const token = store.tokens.find(({ handle }) => handle === (expire ?? revoke));
    if (token && expire) store.expire(token);
    else if (token) store.revoke(token, this.#dialect.revokes[token.model]);
    else if (clear) this.clearFaults();
    else if (Object.hasOwn(this.#dialect.faults, String(fail))) this.fail(String(fail));
    const section = (fail ?? clear) ? 'failures' : 'tokens';
    return { status: 303, headers: { location: `/#${section}`, 'cache-control': 'no-store' } };
  }

  #spoilCallback(callback: Callback): Callback {
    const fault = this.#faults.take(['callback', 'authorize'], isOfCallback);
    return fault ? callbackAfter(fault, callback) : callback;
  }
}

/** The token response to a client that must not have a refresh token (RFC 6749 §5.1). */
function withoutOffline(tokens: { scope?: unknown; refresh_token?: unknown }) {
  const { refresh_token: _token, ...response } = tokens;
  const scopes = scopesOf(response.scope);
  for (const scope of ['offline_access', 'refresh_token']) scopes.delete(scope);
  return { ...response, scope: [...scopes].join(' ') };
}
