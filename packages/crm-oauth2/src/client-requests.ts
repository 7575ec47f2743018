/** The requests of one client: each is sent at the right endpoint, by its deadline, and judged. */
import type { OutgoingHttpHeaders } from 'node:http';
import { TIMEOUT_RANGE_MS } from './client-options';
import type { ClientSettings } from './client-options';
import { withRedirectUri } from './errors/meanings';
import type { Vocabulary } from './errors/meanings';
import { described, located } from './errors/oauth2-error';
import type { Stage } from './errors/oauth2-error';
import { Problem, isProblem } from './errors/problem';
import { redact } from './errors/redaction';
import { authenticateClient } from './protocol/client-authentication';
import type { ClientAuthentication } from './protocol/client-authentication';
import type { Environment } from './protocol/login-attempt';
import { fetchWithToken } from './protocol/profile-request';
import type { ProfileRequest } from './protocol/profile-request';
import {
  buildTokenRequest,
  processTokenError,
  processTokenResponse,
} from './protocol/token-endpoint';
import { KeySets } from './protocol/signing-keys';
import type { SigningKeys } from './protocol/signing-keys';
import type { TokenSet } from './protocol/token-set';
import type { Endpoints, GrantType, Provider } from './provider/description';
import type { Profile } from './provider/standard-claims';
import { ownField, ownFields } from './values/json';
import { LruMap } from './values/lru-map';
import { checkAgent, checkHeaders, optionalNumber, requireEndpoint } from './values/options';
import { addressOf, isSameServer } from './wire/address';
import { isSuccess } from './wire/answers';
import { Deadline } from './wire/deadline';
import { HttpClient } from './wire/http';
import type { Agent, HttpRequest, HttpResponse } from './wire/http';
import { observed } from './wire/observed';

/** Options of every call that asks the provider. */
export interface CallOptions {
  /** Milliseconds for this call; default: {@link ClientOptions.timeout}. */
  timeout?: number;
  /** @internal Shares one deadline among the calls of a login. */
  deadline?: Deadline;
}

/** Options of a call about one token. */
export interface TokenCallOptions extends CallOptions {
  /** RFC 7009 §2.1, RFC 7662 §2.1. */
  tokenTypeHint?: 'access_token' | 'refresh_token';
  /** The tokens it came with: an organization's own host is asked, if it has one. */
  tokens?: TokenSet;
}

/** Options of a token request. */
export interface GrantOptions extends CallOptions {
  /** Further parameters by wire name; those of the protocol cannot be overridden. */
  parameters?: Readonly<Record<string, string>>;
}

/** Options of one token request, all of them present: `grant` reads its fields without another check. */
export interface TimedGrantOptions {
  deadline: Deadline;
  parameters: GrantOptions['parameters'];
  parseErrorResponse: ParseErrorResponse | undefined;
}

/** The agent and the headers that older code sets on `_oauth2`; an agent of `null` takes the client's own connections. */
export interface Transport {
  agent?: Agent | null;
  customHeaders?: Readonly<OutgoingHttpHeaders>;
}

/** The step runs here; it corrects the host when it goes elsewhere. */
interface Place {
  host: string;
}

/** Judges an error body before the client does; `null` leaves it to the client. */
export type ParseErrorResponse = (body: string, status: number) => Error | null;

/** The host is gone, or is not the one of the organization any more. */
const MOVED: readonly string[] = [
  'dns_error',
  'connection_refused',
  'tls_error',
  'unexpected_redirect',
  'unexpected_status',
];

/** The connection failed before the answer, or in the middle of it. */
export const CUT_OFF: readonly string[] = ['connection_failed', 'incomplete_response'];

/** Parsed endpoints that are kept. */
const MAX_URLS = 1000;

/** The parts that the clients of one strategy share, those of its environments and of its tenants. */
export class Shared {
  readonly http: HttpClient;
  readonly keySets = new KeySets();
  /** Judged at each request, because older code changes the object itself. */
  customHeaders: Readonly<OutgoingHttpHeaders>;
  readonly #urls = new LruMap<string, URL>(MAX_URLS);

  constructor({ agent, headers }: Pick<ClientSettings<object>, 'agent' | 'headers'>) {
    this.http = new HttpClient(agent);
    this.customHeaders = headers;
  }

  /** The clients of many tenants have the same endpoints. */
  parse(endpoint: string): URL {
    const url = this.#urls.get(endpoint) ?? new URL(endpoint);
    this.#urls.set(endpoint, url);
    return url;
  }
}

/** The part of a client in the clients of its strategy. */
export interface Relations<Client> {
  shared: Shared;
  /** The client that the application made. */
  home: Client;
  /** The clients that logins have asked for, by their environment. */
  environments: LruMap<string, Client>;
  environment?: Environment;
  tenant: string | undefined;
  /** Becomes a part of the fingerprint. */
  binding: string | undefined;
}

/** Knows a client's provider, credentials, endpoints and connections, and nothing of a login. */
export class ClientRequests<Options extends object, P extends Profile> {
  readonly #shared: Shared;
  readonly #provider: Provider<Options, P>;
  readonly #settings: ClientSettings<Options>;
  readonly #authentication: ClientAuthentication;
  /** The endpoints, parsed once. */
  readonly #urls: ReadonlyMap<string, URL>;
  /** The hosts of every login. */
  readonly #loginHosts: readonly URL[];
  /** The host of the last profiles: an organization's own, which only its tokens name. */
  #profileHost: URL | undefined;
  #lastProfileHost: string | undefined;

  constructor(provider: Provider<Options, P>, settings: ClientSettings<Options>, shared: Shared) {
    const { context } = settings;
    const { tokenEndpoint, userInfoEndpoint = tokenEndpoint } = context.endpoints;
    this.#provider = provider;
    this.#settings = settings;
    this.#authentication = authenticateClient(provider.clientAuthentication, context.options);
    this.#shared = shared;
    const urls = Object.values(context.endpoints).filter((url) => typeof url === 'string');
    this.#urls = new Map(urls.map((url) => [url, shared.parse(url)]));
    const hosts = [tokenEndpoint, userInfoEndpoint].map((url) => this.url(url));
    this.#loginHosts = [...new Map(hosts.map((url) => [addressOf(url).origin, url])).values()];
  }

  /** One token request: asked, judged, checked by the provider's own rule. */
  grant(
    grantType: GrantType,
    stage: Stage,
    options: TimedGrantOptions,
    protocol: Readonly<Record<string, string | undefined>>,
  ): Promise<TokenSet> {
    const provider = this.#provider;
    const { context, assumedLifetimeSeconds: assumedLifetime } = this.#settings;
    const { tokenEndpoint } = context.endpoints;
    const { parameters, parseErrorResponse, deadline } = options;
    return this.at(stage, tokenEndpoint, async () => {
      const requestedAt = Date.now();
      const own = provider.requestParameters?.(grantType, context);
      const type = { grant_type: grantType };
      const { tokenRequestFormat: format } = provider;
      const sources = [own, parameters, type, protocol];
      const message = buildTokenRequest(format, this.#authentication, ...sources);
      const url = this.url(tokenEndpoint);
      // Of the grants, only this one uses up neither a code nor a refresh token.
      const isRepeatable = grantType === 'client_credentials';
      const sent = this.send({ method: 'POST', url, isRepeatable, ...message }, deadline);
      // The profile is asked for next, maybe at another host.
      if (grantType === 'authorization_code') {
        for (const host of this.#loginHosts) {
          if (!isSameServer(host, url)) this.#shared.http.open(host, url);
        }
      }
      const response = await sent;
      const { code, code_verifier: verifier, refresh_token: refreshToken } = protocol;
      const secrets = [...this.#authentication.secrets, code, verifier, refreshToken];
      if (!isSuccess(response)) {
        const hooked = hookedError(parseErrorResponse, response, secrets);
        throw (
          hooked ??
          withRedirectUri(
            processTokenError(response, secrets, provider, stage),
            protocol.redirect_uri,
          )
        );
      }
      const facts = { assumedLifetime, vocabulary: provider, stage };
      const tokens = processTokenResponse(response, requestedAt, secrets, facts);
      provider.checkTokenResponse?.(tokens.response, { ...context, grantType });
      const untrusted = provider.untrustedFields?.(tokens.response, context) ?? [];
      if (untrusted.length === 0) return tokens;
      if (grantType !== 'refresh_token') {
        const words = `the token response names a host that must not receive a token: ${untrusted.join(', ')}`;
        throw new Problem('untrusted_host', words);
      }
      const fields = Object.entries(tokens.response).filter(([name]) => !untrusted.includes(name));
      return { ...tokens, response: Object.freeze(Object.fromEntries(fields)) };
    });
  }

  /**
   * A request about one token (RFC 7009 §2.1, RFC 7662 §2.1), at its organization's own host. An
   * organization that has moved does not answer there any more, and the login host is asked.
   */
  async askAbout<T>(
    kind: 'revocation' | 'introspection',
    token: string,
    options: TokenCallOptions,
    judge: (
      response: HttpResponse,
      secrets: readonly (string | undefined)[],
      vocabulary: Vocabulary,
    ) => T,
  ): Promise<T> {
    const name = `${kind}Endpoint` as const;
    const stage = kind === 'revocation' ? 'revoke' : 'introspect';
    const provider = this.#provider;
    const { context } = this.#settings;
    const configured = context.endpoints[name];
    if (configured === undefined) throw new TypeError(`${provider.title} has no ${kind} endpoint`);
    const { tokens, tokenTypeHint } = ownFields(options);
    return await this.at(stage, configured, async (place) => {
      const own = tokens && this.#organizationEndpoints(tokens.response)[name];
      const deadline = this.deadline(options);
      // Both RFCs know the form encoding only, also where token requests are JSON.
      const fields = { token, token_type_hint: tokenTypeHint };
      const message = buildTokenRequest('form', this.#authentication, fields);
      // Asking about a token changes nothing, and a revoked token may be revoked again (RFC 7009 §2.2).
      const request = { method: 'POST', isRepeatable: true, ...message } as const;
      const ask = async (endpoint: string) => {
        const url = this.url(endpoint);
        place.host = addressOf(url).host;
        const response = await this.send({ ...request, url }, deadline);
        return judge(response, [token, ...this.#authentication.secrets], provider);
      };
      if (own === undefined) return await ask(configured);
      try {
        return await ask(own);
      } catch (error) {
        if (isProblem(error) && MOVED.includes(error.code)) return await ask(configured);
        throw error;
      }
    });
  }

  /** Where the person logs out: at the organization of the tokens, if it has its own host. */
  endSessionEndpoint(tokens: { response?: TokenSet['response'] } = {}): string | undefined {
    const own = described({ provider: this.#provider, stage: 'logout' }, () =>
      this.#organizationEndpoints(tokens.response),
    );
    return own.endSessionEndpoint ?? this.#settings.context.endpoints.endSessionEndpoint;
  }

  #organizationEndpoints(response: TokenSet['response'] = {}): Partial<Endpoints> {
    const { context } = this.#settings;
    return ownFields(this.#provider.organizationEndpoints?.(response, context) ?? {});
  }

  /** Asks for the profile, and remembers the host of an organization that two logins in a row had. */
  askProfile(
    request: ProfileRequest,
    accessToken: string,
    options: CallOptions,
    place: Place,
  ): Promise<HttpResponse> {
    const deadline = this.deadline(options);
    const url = this.url(request.url);
    return fetchWithToken({ ...request, url }, accessToken, {
      send: (message) => this.send(message, deadline),
      vocabulary: this.#provider,
      isOwn: (asked) => this.#loginHosts.some((own) => isSameServer(own, asked)),
      at: (asked) => {
        const { host } = addressOf(asked);
        place.host = host;
        this.#profileHost = this.#lastProfileHost === host ? asked : undefined;
        this.#lastProfileHost = host;
      },
    });
  }

  /**
   * An agent or headers in place of those of the options, for every later request.
   *
   * @throws {TypeError}
   */
  useTransport(transport: Transport): void {
    const { title } = this.#provider;
    const { agent, customHeaders } = ownFields(transport);
    if (agent !== undefined) this.#shared.http.useAgent(checkAgent(title, agent ?? undefined));
    if (customHeaders === undefined) return;
    checkHeaders(title, customHeaders);
    this.#shared.customHeaders = customHeaders;
  }

  /** Opens a connection to each host that the next login will ask. */
  openConnections(): void {
    const { http } = this.#shared;
    for (const url of this.#loginHosts) http.open(url);
    if (this.#profileHost) http.open(this.#profileHost);
  }

  /** Waits for a connection to each host of a login, and for the keys. @throws {OAuth2Error} */
  async makeReady(needsKeys: boolean): Promise<void> {
    const deadline = this.deadline({});
    const { jwksUri } = this.#settings.context.endpoints;
    const hosts = this.#loginHosts.map((url) =>
      this.at('token', url.href, () => this.#shared.http.connect(url, deadline)),
    );
    const keys =
      needsKeys && jwksUri !== undefined
        ? this.at('id_token', jwksUri, () => deadline.wait(this.keysAt(jwksUri).prepare()))
        : undefined;
    await Promise.all([...hosts, keys]);
  }

  /** @param onlyAgain leaves out the keys that no login has needed so far */
  fetchKeysAhead(onlyAgain: boolean): void {
    const { jwksUri } = this.#settings.context.endpoints;
    if (jwksUri === undefined || (onlyAgain && !this.#shared.keySets.has(jwksUri))) return;
    // The login that needs the keys meets a failure, and tells it.
    this.keysAt(jwksUri)
      .fetchAhead()
      .catch(() => undefined);
  }

  deadline(options: CallOptions): Deadline {
    const { timeoutMs: usual } = this.#settings;
    const { title } = this.#provider;
    const own = ownField(options, 'timeout');
    const timeout = optionalNumber(title, 'timeout', own, usual, TIMEOUT_RANGE_MS);
    return ownField(options, 'deadline') ?? new Deadline(timeout);
  }

  send(request: HttpRequest, deadline = this.deadline({})): Promise<HttpResponse> {
    const { title, name, rateLimit } = this.#provider;
    const custom = checkHeaders(title, this.#shared.customHeaders);
    // A plain object: interceptors such as nock 13 refuse any other.
    const headers = Object.assign({ 'user-agent': 'crm-oauth2' }, custom, request.headers);
    const sent = observed(name, request, deadline, () =>
      this.#shared.http.send({ ...request, headers }, deadline),
    );
    if (rateLimit === undefined) return sent;
    return sent.then((response) =>
      response.status === 429 ? this.#withRetryAfter(response) : response,
    );
  }

  /** A provider may tell the end of its used-up budget in headers of its own. */
  #withRetryAfter(response: HttpResponse): HttpResponse {
    const { headers } = response;
    const valueOf = (name: string) => [headers[name]].flat()[0];
    const { resetsAt } = this.#provider.rateLimit?.(valueOf) ?? {};
    if (headers['retry-after'] !== undefined || resetsAt === undefined) return response;
    const seconds = Math.max(0, Math.ceil((resetsAt - Date.now()) / 1000));
    return { ...response, headers: { ...headers, 'retry-after': String(seconds) } };
  }

  /** @param jwksUri where an issuer publishes its keys */
  keysAt(jwksUri: string): SigningKeys {
    return this.#shared.keySets.at(jwksUri, async (request) => {
      const url = this.url(requireEndpoint(this.#provider.title, 'keysOf', jwksUri));
      const headers = { accept: 'application/json' };
      return await this.send({ method: 'GET', url, headers, ...request });
    });
  }

  url(endpoint: string | URL): URL {
    return this.#urls.get(String(endpoint)) ?? new URL(endpoint);
  }

  /** Runs one step at an endpoint, or wherever the step says it has gone. */
  at<T>(stage: Stage, endpoint: string, step: (place: Place) => T | Promise<T>): Promise<T> {
    const { host } = addressOf(this.url(endpoint));
    return located({ provider: this.#provider, stage, host }, step);
  }
}

/**
 * passport-oauth2's hook. It sees no secret that the provider echoes. When it throws, over a web page
 * for instance, the error is judged here, as in passport-oauth2.
 */
function hookedError(
  parse: ParseErrorResponse | undefined,
  response: HttpResponse,
  secrets: readonly (string | undefined)[],
): Error | null | undefined {
  try {
    return parse?.(redact(response.body, secrets), response.status);
  } catch {
    return null;
  }
}
