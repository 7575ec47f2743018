import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Context, EngineError, Provider } from 'oidc-provider/lib/provider.js';
import type { Dialect, Environment, Reply } from './dialect.js';
import { type CallbackParams, createEngine, resumeCookie, SIGN_IN_PATH } from './engine.js';
import { EngineRequest, readBody } from './engine-request.js';
import { Faults, merged } from './faults.js';
import { homePage, PAGE_HEADERS } from './pages.js';
import { reasonFor } from './reason.js';
import { continueSignIn, showSignIn } from './sign-in.js';
import type { Fault, RequestRecord } from './types.js';

/** An emulator may run for days. */
const REQUESTS_KEPT = 10_000;

/** One listening address. */
export interface Listener {
  server: Server;
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
  return { server, origin: `http://${name.includes(':') ? `[${name}]` : name}:${bound}` };
}

export async function stop({ server }: Listener): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  server.closeAllConnections();
  await closed;
}

/** One provider at its address: dialect in front, engine behind, faults in between. */
export class Origin {
  readonly requests: RequestRecord[] = [];
  readonly #faults = new Faults();
  readonly #dialect: Dialect;
  readonly #environment: Environment;
  readonly #engine: Provider;

  constructor(server: Server, dialect: Dialect, environment: Environment) {
    this.#dialect = dialect;
    this.#environment = environment;
    this.#engine = createEngine(dialect, environment, (params) => this.#patchCallback(params));
    this.#engine
      .use((context, next) => this.#record(context, next))
      .use((context, next) => this.#spoil(context, next))
      .use((context, next) => this.#route(context, next));
    const callback = this.#engine.callback();
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      void accept(request, response, callback);
    });
  }

  fault(fault: Fault): void {
    this.#faults.add(fault);
  }

  clearFaults(): void {
    this.#faults.clear();
  }

  async #record(context: Context, next: () => Promise<void>): Promise<void> {
    const headers = Object.fromEntries(
      Object.entries(context.headers).map(([name, value]) => [
        name,
        [value ?? ''].flat().join(', '),
      ]),
    );
    if (headers['authorization'])
      headers['authorization'] = headers['authorization'].split(' ', 1)[0]!;
    if (headers['cookie']) headers['cookie'] = 'not kept';
    const { method, path } = context;
    const record: RequestRecord = { method, path, at: Date.now(), headers, status: 0 };
    this.requests.push(record);
    if (this.requests.length > REQUESTS_KEPT) this.requests.shift();
    delete context.req.headers.cookie;
    try {
      await next();
    } finally {
      context.remove('set-cookie');
      if (context.respond !== false) record.status = context.status;
      else if (context.res.headersSent) record.status = context.res.statusCode;
    }
  }

  async #spoil(context: Context, next: () => Promise<void>): Promise<void> {
    const steps = this.#dialect.stepsOf(context.method, context.path);
    const fault =
      steps.length > 0
        ? this.#faults.take(steps, ({ step, kind }) => step !== 'authorize' || kind !== 'patch')
        : undefined;
    return fault ? this.#faults.apply(fault, context, next) : next();
  }

  async #route(context: Context, next: () => Promise<void>): Promise<void> {
    const { method, path } = context;
    const { paths } = this.#dialect;
    if (path === paths.authorize && method === 'GET') return this.#authorize(context, next);
    if (path.startsWith(`${paths.authorize}/`) && method === 'GET') {
      context.req.headers.cookie = resumeCookie(
        this.#dialect,
        path.slice(paths.authorize.length + 1),
      );
      return next();
    }
    if (path === paths.token && method === 'POST') return this.#token(context, next);
    if (path.startsWith(`${SIGN_IN_PATH}/`)) return this.#signIn(context);
    if (path === '/' && method === 'GET') return send(context, this.#home());

    const request = context.req as EngineRequest;
    const url = new URL(context.url, this.#environment.origin);
    for (const { path: pattern, methods, handle } of this.#dialect.routes) {
      const match = pattern.exec(path);
      if (match && methods.includes(method)) {
        return send(context, await handle({ request, method, url, match }));
      }
    }
    send(context, { status: 404, body: { error: 'Not found' } });
  }

  async #authorize(context: Context, next: () => Promise<void>): Promise<void> {
    const asked = new URLSearchParams(context.querystring);
    const single = Object.fromEntries([...asked].toReversed());
    // A hint about who was signed in is of no use to a page that asks every time.
    delete single['id_token_hint'];
    const { response_mode: mode, ...wanted } = this.#dialect.authorizationRequest(single);
    const query = new URLSearchParams({
      ...wanted,
      response_mode: mode === 'form_post' ? 'emulator_form_post' : 'emulator_query',
      prompt: wanted['prompt']?.split(' ').includes('none') ? 'none' : 'login consent',
    });
    // A repeated parameter is for the engine to refuse.
    for (const name of new Set(asked.keys())) {
      if (asked.getAll(name).length > 1) query.append(name, '');
    }
    context.querystring = query.toString();
    await next();
  }

  async #token(context: Context, next: () => Promise<void>): Promise<void> {
    const dialect = this.#dialect;
    const request = context.req as EngineRequest;
    const asked = dialect.tokenRequest(request, new URL(context.url, this.#environment.origin));
    context.set('cache-control', 'no-store');
    if ('reply' in asked) return send(context, asked.reply);
    request.setForm(asked.form);
    request.headers.accept = 'application/json';
    context.querystring = '';
    await next();

    const { oidc, body, state } = context;
    const issued = oidc?.entities.AccessToken ?? oidc?.entities.ClientCredentials;
    if (context.status === 200 && issued) {
      const person = issued.accountId ? dialect.personOf(issued.accountId) : undefined;
      const grantType = [asked.form['grant_type']].flat()[0] ?? '';
      context.body = await dialect.tokenResponse(body as Record<string, unknown>, {
        person,
        grantType,
        issued,
        fault: state['fault'],
      });
      return;
    }
    const error = state['error'] as EngineError | undefined;
    if (!error || context.status >= 500) return;
    context.remove('www-authenticate');
    const reason = reasonFor({
      error: error.error,
      description: error.error_description ?? '',
      detail: error.error_detail ?? '',
    });
    send(context, dialect.tokenError(reason, request));
  }

  async #signIn(context: Context): Promise<void> {
    const uid = context.path.slice(SIGN_IN_PATH.length + 1);
    const pending = await this.#engine.Interaction.find(uid);
    const place = { dialect: this.#dialect, environment: this.#environment, path: context.path };
    if (context.method === 'GET') return send(context, showSignIn(place, pending));
    if (context.method !== 'POST') return send(context, { status: 405 });
    const { fields } = context.req as EngineRequest;
    const { reply, fault } = await continueSignIn(place, pending, fields ?? {});
    this.#faults.rehearse(fault);
    send(context, reply);
  }

  #home(): Reply {
    const { origin, client, options, people } = this.#environment;
    const { name, title, endpoints, whereabouts } = this.#dialect;
    const page = homePage({
      name,
      title,
      origin,
      endpoints,
      client,
      options: { clientID: client.id, clientSecret: client.secret, ...whereabouts },
      callbackURLs: options.callbackURLs ?? [],
      people: people.all,
    });
    return { status: 200, type: 'text/html; charset=utf-8', headers: PAGE_HEADERS, body: page };
  }

  #patchCallback(params: CallbackParams): CallbackParams {
    const fault = this.#faults.take(['authorize'], ({ kind }) => kind === 'patch');
    if (fault?.kind !== 'patch') return params;
    const patched = Object.entries(merged(params, fault.merge));
    return Object.fromEntries(
      patched.map(([name, value]) => [
        name,
        typeof value === 'string' ? value : JSON.stringify(value),
      ]),
    );
  }
}

async function accept(
  request: IncomingMessage,
  response: ServerResponse,
  callback: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<void> {
  try {
    const body = await readBody(request);
    if (!body) {
      response.writeHead(413, { connection: 'close' }).end();
      return;
    }
    await callback(new EngineRequest(request, body), response);
  } catch {
    // The client went away while it was still sending.
    response.destroy();
  }
}

function send(context: Context, { status, body, headers = {}, type }: Reply): void {
  context.status = status;
  context.body = body ?? '';
  if (type) context.set('content-type', type);
  else if (typeof body === 'object') context.set('content-type', 'application/json; charset=utf-8');
  for (const [name, value] of Object.entries(headers)) context.set(name, value);
}
