/** One provider at its own address: records each request, applies faults, then asks dialect or engine. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Context, Provider } from 'oidc-provider/lib/provider.js';
import { authenticateClient } from './clients.js';
import type { EmulatedProvider, EngineTokens } from './dialect.js';
import { createEngine, RESUME_COOKIE } from './engine.js';
import { type Endpoint, pathOf } from './endpoints.js';
import { EngineRequest, readBody } from './engine-request.js';
import { Faults } from './faults.js';
import { overview } from './overview.js';
import { FAVICON, FAVICON_HEADERS, FAVICON_PATH } from './pages.js';
import { CONTROL_PATH, controlRefusal, isOwnHost } from './guards.js';
import { formRefusal, type Refused, tokenReason, wordsOf } from './reasons.js';
import { NOT_FOUND, oauthError, redirect, type Reply, send, TEXT_TYPE } from './reply.js';
import { complete, record } from './requests.js';
import { continueSignIn, SIGN_IN_PATH, signInIsOver, signInPage } from './sign-in.js';
import type { State } from './state.js';
import { acceptLongVerifier, tolerate } from './tolerant.js';
import type { RequestRecord, Step, TokenFault } from './types.js';
import { scopesOf, textOf } from './values.js';

export interface Listener {
  server: Server;
  /** The address or name that the server listens on. */
  host: string;
  origin: string;
}

export async function listen(host: string, port: number): Promise<Listener> {
  const server = createServer().listen(port, host);
  await once(server, 'listening');
  const { port: bound } = server.address() as AddressInfo;
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return { server, host, origin: `http://${name.includes(':') ? `[${name}]` : name}:${bound}` };
}

export async function stop({ server }: Listener): Promise<void> {
  const closed = once(server.close(), 'close');
  server.closeAllConnections();
  await closed;
}

export class Origin {
  readonly requests: RequestRecord[] = [];
  readonly faults: Faults;
  readonly #provider: EmulatedProvider;
  readonly #engine: Provider;
  readonly #callback: ReturnType<Provider['callback']>;

  constructor(provider: EmulatedProvider, state: State) {
    this.faults = new Faults(provider);
    this.#provider = provider;
    this.#engine = createEngine(provider, (callback) => this.faults.spoilCallback(callback));
    this.#engine
      .use((context, next) => this.#record(context, next))
      .use((context, next) => this.faults.spoil(this.#stepsOf(context), context, next))
      // No answer leaves before what it says is kept.
      .use((_context, next) => next().then(() => state.flush()))
      .use((context, next) => this.#route(context, next));
    this.#callback = this.#engine.callback();
  }

  /** Answers the requests that reach this address. */
  attach(listener: Listener): void {
    listener.server.on('request', (request, response) => {
      this.#accept(request, response, listener).catch(() => {
        // The client left while it was still sending.
        response.destroy();
      });
    });
  }

  async #accept(request: IncomingMessage, response: ServerResponse, at: Listener): Promise<void> {
    if (!isOwnHost(request, at.host)) {
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
    const readable = new EngineRequest(request, body, at.origin);
    if (this.#provider.options.tolerant) tolerate(readable, this.#provider.endpoints);
    await this.#callback(readable, response);
  }

  setActive(name: string, active: boolean): void {
    const { people, store } = this.#provider;
    const person = people.byHint(name);
    if (!person) throw new TypeError(`setActive: there is no person "${name}"`);
    person.active = active;
    if (!active) store.endSessions(person.subject);
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
      const { name, title, origin, options } = this.#provider;
      options.onRequest?.(request, { name, title, origin });
    }
  }

  #stepsOf({ path, req }: Context): readonly Step[] {
    const { endpoints } = this.#provider;
    if (path.startsWith(`${pathOf(endpoints, 'authorize')}/`)) return ['callback'];
    const { steps = [] } = endpoints.find(({ pattern }) => pattern.test(path)) ?? {};
    const isRefresh = (req as EngineRequest).fields?.['grant_type'] === 'refresh_token';
    return steps[0] === 'token' && isRefresh ? ['refresh', 'token'] : steps;
  }

  async #route(context: Context, next: () => Promise<void>): Promise<void> {
    const { method, path } = context;
    const { endpoints, misdirected, origin } = this.#provider;
    const request = context.req as EngineRequest;
    const url = new URL(context.url, origin);
    const elsewhere = misdirected?.(url, request.arrivedAt);
    if (elsewhere) return send(context, elsewhere);
    if (path === '/' && method === 'GET') {
      return send(context, overview(this.#provider, this.requests, this.faults.queued));
    }
    if (path === CONTROL_PATH) return send(context, this.#control(request));
    if (path.startsWith(`${SIGN_IN_PATH}/`))
      return send(context, await this.#signIn(request, path));
    const resumed = `${pathOf(endpoints, 'authorize')}/`;
    if (path.startsWith(resumed) && method === 'GET') {
      request.headers.cookie = `${RESUME_COOKIE}=${path.slice(resumed.length)}`;
      return next();
    }
    const answers = ({ methods, pattern }: Endpoint) =>
      methods.includes(method) && pattern.test(path);
    const endpoint = endpoints.find(answers);
    if (!endpoint) return send(context, NOT_FOUND);
    const { handle, pattern, steps } = endpoint;
    if (handle)
      return send(context, await handle({ request, method, url, match: pattern.exec(path)! }));
    return steps[0] === 'token' ? this.#token(context, next) : this.#authorize(context, next);
  }

  async #authorize(context: Context, next: () => Promise<void>): Promise<void> {
    const { authorizationRequest, defaultScope = '', postsForms } = this.#provider;
    const asked = new URLSearchParams(context.querystring);
    // Of a repeated parameter the first value counts here.
    const { response_mode: mode, nonce, ...single } = Object.fromEntries([...asked].toReversed());
    // The emulator asks at every request: a hint about an earlier sign-in has no meaning here.
    delete single['id_token_hint'];
    single['scope'] ||= defaultScope;
    if (nonce && scopesOf(single['scope']).has('openid')) single['nonce'] = nonce;
    const query = new URLSearchParams({
      ...(authorizationRequest?.(single) ?? single),
      response_mode: postsForms && mode === 'form_post' ? 'emulator_form_post' : 'emulator_query',
      prompt: scopesOf(single['prompt']).has('none') ? 'none' : 'login consent',
    });
    // RFC 6749 §3.1: refused once the client and the redirect URI are known to be good.
    context.state['isRepeated'] = new Set(asked.keys()).size < asked.size;
    context.querystring = query.toString();
    await next();
  }

  async #token(context: Context, next: () => Promise<void>): Promise<void> {
    const provider = this.#provider;
    const { clients, options, store, origin } = provider;
    const request = context.req as EngineRequest;
    const asked = provider.tokenRequest(request, new URL(context.url, origin));
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

    const { oidc, state } = context;
    const issued = oidc?.entities.AccessToken ?? oidc?.entities.ClientCredentials;
    if (context.status === 200 && issued) {
      const person = provider.people.bySubject(issued.accountId);
      const grantType = String(form['grant_type']);
      const fault = state['fault'] as TokenFault | undefined;
      const tokens = context.body as EngineTokens;
      if (grantType === 'refresh_token' && !provider.rotatesRefreshTokens)
        delete tokens.refresh_token;
      const response = await provider.tokenResponse(tokens, { person, grantType, issued, fault });
      context.body = fault?.kind === 'not-offline' ? withoutOffline(response) : response;
      return;
    }
    if (!state['error'] || context.status >= 500) return;
    context.remove('www-authenticate');
    const own = before?.clientId === oidc?.client?.clientId ? before : undefined;
    const isActive = provider.people.bySubject(own?.accountId)?.active ?? false;
    const reason = tokenReason(state['error'], form, own, isActive);
    return this.#refuse(context, { reason, name: textOf(request.fields?.['audience']) });
  }

  #refuse(context: Context, refused: Refused): void {
    const { refusals, tokenError = (words) => oauthError(...words) } = this.#provider;
    send(context, tokenError(wordsOf(refusals, refused)!));
  }

  async #signIn({ method, fields = {} }: EngineRequest, path: string): Promise<Reply> {
    const uid = path.slice(SIGN_IN_PATH.length + 1);
    const pending = await this.#engine.Interaction.find(uid);
    if (method !== 'GET' && method !== 'POST') return { status: 405 };
    if (!pending) return signInIsOver(this.#provider, uid);
    if (method === 'GET') return signInPage(this.#provider, pending);
    const { reply, fault } = await continueSignIn(this.#provider, pending, fields);
    this.faults.rehearse(fault);
    return reply;
  }

  /** The buttons of the start page. */
  #control(request: EngineRequest): Reply {
    const { method = '', fields = {} } = request;
    const refusal = controlRefusal(method, request);
    if (refusal) return refusal;
    const { expire, revoke, fail, clear } = fields;
    const { store, revokes, faults } = this.#provider;
    const token = store.tokens.find(({ handle }) => handle === (expire ?? revoke));
    if (token && expire) store.expire(token);
    else if (token) store.revoke(token, revokes);
    else if (clear) this.faults.clear();
    else if (Object.hasOwn(faults, String(fail))) this.faults.addNamed(String(fail));
    return redirect(303, `/#${(fail ?? clear) ? 'failures' : 'tokens'}`);
  }
}

/** The token response to a client that must not have a refresh token (RFC 6749 §5.1). */
function withoutOffline(tokens: { scope?: unknown; refresh_token?: unknown }) {
  const { refresh_token: _token, ...response } = tokens;
  const scopes = scopesOf(response.scope);
  for (const scope of ['offline_access', 'refresh_token']) scopes.delete(scope);
  return { ...response, scope: [...scopes].join(' ') };
}
