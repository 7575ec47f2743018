/** The requests of one client: each is sent at the right endpoint, by its deadline, and judged. */
import { TIMEOUT_RANGE_MS } from './client-options';
import type { ClientSettings } from './client-options';
import { located } from './errors/oauth2-error';
import type { Stage } from './errors/oauth2-error';
import { redact } from './errors/redaction';
import { authenticateClient } from './protocol/client-authentication';
import type { ClientAuthentication } from './protocol/client-authentication';
import { fetchWithToken } from './protocol/profile-request';
import type { ProfileRequest } from './protocol/profile-request';
import {
  buildTokenRequest,
  processTokenError,
  processTokenResponse,
} from './protocol/token-endpoint';
import type { TokenSet } from './protocol/token-set';
import type { GrantType, Provider } from './provider/description';
import type { Profile } from './provider/standard-claims';
import type { Json } from './values/json';
import { optionalNumber } from './values/options';
import { isSuccess, jsonOf } from './wire/answers';
import { Deadline } from './wire/deadline';
import { HttpClient } from './wire/http';
import type { HttpRequest, HttpResponse } from './wire/http';
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

/** The step runs here; it corrects the host when it goes elsewhere. */
interface Place {
  host: string;
}

/** Judges an error body before the client does; `null` leaves it to the client. */
export type ParseErrorResponse = (body: string, status: number) => Error | null;

/** Knows a client's provider, credentials, endpoints and connections, and nothing of a login. */
export class ClientRequests<Options extends object, P extends Profile> {
  readonly #provider: Provider<Options, P>;
  readonly #settings: ClientSettings<Options>;
  readonly #authentication: ClientAuthentication;
  readonly #http: HttpClient;
  /** The endpoints, parsed once. */
  readonly #urls: ReadonlyMap<string, URL>;
  /** The hosts of every login. */
  readonly #loginHosts: readonly URL[];
  /** The host of the last profiles: an organization's own, which only its tokens name. */
  #profileHost: URL | undefined;
  #lastProfileHost: string | undefined;

  constructor(provider: Provider<Options, P>, settings: ClientSettings<Options>) {
    const { endpoints } = settings.context;
    this.#provider = provider;
    this.#settings = settings;
    this.#authentication = authenticateClient(provider.clientAuthentication, settings.credentials);
    this.#http = new HttpClient(settings.agent);
    const urls = Object.values(endpoints) as (string | undefined)[];
    this.#urls = new Map(
      urls.filter((url) => url !== undefined).map((url) => [url, new URL(url)] as const),
    );
    this.#loginHosts = [endpoints.tokenEndpoint, endpoints.userInfoEndpoint]
      .filter((url) => url !== undefined)
      .map((url) => this.url(url));
  }

  /** One token request: asked, judged, checked by the provider's own rule. */
  async grant(
    grantType: GrantType,
    stage: Stage,
    request: {
      deadline: Deadline;
      protocol: Record<string, string | undefined>;
      parameters?: Readonly<Record<string, string>>;
      parseErrorResponse?: ParseErrorResponse;
    },
  ): Promise<TokenSet> {
    const provider = this.#provider;
    const { context, assumedLifetimeSeconds } = this.#settings;
    const { endpoints } = context;
    const { protocol } = request;
    const readError = provider.tokenError;
    return await this.at(stage, endpoints.tokenEndpoint, async () => {
      const requestedAt = Date.now();
      const message = buildTokenRequest(provider.tokenRequestFormat, this.#authentication, {
        ...provider.requestParameters?.(grantType, context),
        ...request.parameters,
        grant_type: grantType,
        ...protocol,
      });
      const url = this.url(endpoints.tokenEndpoint);
      const response = await this.send({ method: 'POST', url, ...message }, request.deadline);
      const { code, code_verifier: verifier, refresh_token: refreshToken } = protocol;
      const secrets = [...this.#authentication.secrets, code, verifier, refreshToken];
      if (!isSuccess(response)) {
        const own = hookedError(request.parseErrorResponse, response, secrets);
        throw own ?? processTokenError(response, secrets, readError);
      }
      const tokens = processTokenResponse(response, requestedAt, secrets, {
        assumedLifetime: assumedLifetimeSeconds,
        readError,
      });
      provider.checkTokenResponse?.(tokens.response, { ...context, grantType });
      return tokens;
    });
  }

  /** A request about one token (RFC 7009 §2.1, RFC 7662 §2.1), at the host that knows it. */
  async askAboutToken<T>(
    stage: 'revoke' | 'introspect',
    token: string,
    options: TokenCallOptions,
    judge: (response: HttpResponse, secrets: readonly (string | undefined)[]) => T,
  ): Promise<T> {
    const [name, word] =
      stage === 'revoke'
        ? (['revocationEndpoint', 'revocation'] as const)
        : (['introspectionEndpoint', 'introspection'] as const);
    const provider = this.#provider;
    const { context } = this.#settings;
    const configured = context.endpoints[name];
    if (configured === undefined) {
      throw new TypeError(`${provider.title} has no ${word} endpoint`);
    }
    const { tokens, tokenTypeHint } = options;
    return await this.at(stage, configured, async (where) => {
      const own = tokens && provider.organizationEndpoints?.(tokens.response, context)?.[name];
      const url = this.url(own ?? configured);
      where.host = url.host;
      // Both RFCs know the form encoding only, also where token requests are JSON.
      const message = buildTokenRequest('form', this.#authentication, {
        token,
        token_type_hint: tokenTypeHint,
      });
      const request = { method: 'POST', url, ...message } as const;
      const response = await this.send(request, this.deadline(options));
      return judge(response, [token, ...this.#authentication.secrets]);
    });
  }

  /** Asks for the profile, and remembers the host of an organization that two logins in a row had. */
  async askProfile(
    request: ProfileRequest,
    tokens: TokenSet,
    deadline: Deadline,
    place: Place,
  ): Promise<[json: Json, raw: string]> {
    const url = this.url(request.url);
    const response = await fetchWithToken({ ...request, url }, tokens.accessToken, {
      send: (message) => this.send(message, deadline),
      isOwn: ({ origin }) => this.#loginHosts.some((own) => own.origin === origin),
      at: (asked) => {
        place.host = asked.host;
        this.#profileHost = this.#lastProfileHost === asked.host ? asked : undefined;
        this.#lastProfileHost = asked.host;
      },
    });
    return [jsonOf(response), response.body];
  }

  /** Opens a connection to each host that the next login will ask. */
  openConnections(): void {
    for (const url of this.#loginHosts) this.#http.open(url);
    if (this.#profileHost) this.#http.open(this.#profileHost);
  }

  close(): void {
    this.#http.close();
  }

  deadline(options: CallOptions): Deadline {
    const { timeoutMs } = this.#settings;
    const { title } = this.#provider;
    return (
      options.deadline ??
      new Deadline(optionalNumber(title, 'timeout', options.timeout, timeoutMs, TIMEOUT_RANGE_MS))
    );
  }

  send(request: HttpRequest, deadline = this.deadline({})): Promise<HttpResponse> {
    const headers = {
      'user-agent': 'crm-oauth2',
      ...this.#settings.headers,
      ...request.headers,
    };
    return observed(this.#provider.name, request, deadline, () =>
      this.#http.send({ ...request, headers }, deadline),
    );
  }

  url(endpoint: string | URL): URL {
    return typeof endpoint === 'string'
      ? (this.#urls.get(endpoint) ?? new URL(endpoint))
      : endpoint;
  }

  /** Runs one step at an endpoint, or wherever the step says it has gone. */
  at<T>(stage: Stage, endpoint: string, step: (place: Place) => T | Promise<T>): Promise<T> {
    return located({ provider: this.#provider, stage, host: this.url(endpoint).host }, step);
  }
}

/**
 * passport-oauth2's hook. It sees no secret that the provider echoes. When it throws, over a web page
 * for instance, the error is judged here, as in passport-oauth2.
 */
function hookedError(
  parse: ((body: string, status: number) => Error | null) | undefined,
  response: HttpResponse,
  secrets: readonly (string | undefined)[],
): Error | null | undefined {
  try {
    return parse?.(redact(response.body, secrets), response.status);
  } catch {
    return null;
  }
}
