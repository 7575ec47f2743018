import { createHash } from 'node:crypto';
import type { OutgoingHttpHeaders } from 'node:http';
import { buildAuthorizationUrl } from './protocol/authorization-request';
import { validateAuthorizationResponse } from './protocol/authorization-response';
import type {
  MissingAttempt,
  ValidatedAuthorizationResponse,
} from './protocol/authorization-response';
import { Deadline } from './wire/deadline';
import { isObserved, publish } from './errors/diagnostics';
import { Problem, isOAuth2Error, located, redact } from './errors/oauth2-error';
import type { Stage } from './errors/oauth2-error';
import { fetchWithToken } from './protocol/profile-request';
import { HttpClient } from './wire/http';
import type { Agent, HttpRequest, HttpResponse } from './wire/http';
import { createIdTokenVerifier } from './protocol/id-token';
import type { IdTokenVerifier } from './protocol/id-token';
import { isJsonObject, known, parseJson } from './values/json';
import type { JsonObject } from './values/json';
import { createLoginAttempt } from './protocol/login-attempt';
import type { LoginAttempt } from './protocol/login-attempt';
import {
  checkAgent,
  checkHeaders,
  checkProviderOptions,
  optionalNumber,
  optionalSecret,
  refuseUnknownOptions,
  requireEndpoint,
  requireString,
  scopeList,
} from './values/options';
import type {
  Endpoints,
  GrantType,
  Profile,
  ProviderDescription,
  SlotContext,
} from './provider/description';
import {
  buildTokenRequest,
  isSuccess,
  processTokenError,
  processTokenResponse,
} from './protocol/token-endpoint';
import type { TokenSet } from './protocol/token-set';

/** The options every client takes, whatever the provider. */
export interface ClientOptions {
  clientID: string;
  /** Absent for a public client, which relies on PKCE alone. */
  clientSecret?: string;
  /** Asked for in place of the provider's default scopes. */
  scope?: string | readonly string[];
  /** Milliseconds for a whole exchange, every request of it together; default 10 000. */
  timeout?: number;
  /** Used for every request: corporate proxy, client certificate, private authority. */
  agent?: Agent;
  /** Seconds the provider's clock and ours may differ; default 60. */
  clockTolerance?: number;
  /**
   * Seconds an access token is taken to live when the provider does not say; default: the provider's
   * usual lifetime, if it has one.
   */
  assumedLifetime?: number;
  /** Sent with every request; cannot replace the headers of the protocol. */
  customHeaders?: Readonly<OutgoingHttpHeaders>;
}

/** The names of {@link ClientOptions}. */
export const CLIENT_OPTIONS = [
  'clientID',
  'clientSecret',
  'scope',
  'timeout',
  'agent',
  'clockTolerance',
  'assumedLifetime',
  'customHeaders',
] as const satisfies readonly (keyof ClientOptions)[];

/** Options of every call that asks the provider. */
export interface CallOptions {
  /** Share one deadline among several calls; by default each call has {@link ClientOptions.timeout}. */
  deadline?: Deadline;
}

/** Options of a call about one token. */
export interface TokenCallOptions extends CallOptions {
  tokenTypeHint?: 'access_token' | 'refresh_token';
  tokens?: TokenSet;
}

/** A refreshed ID Token proves nothing then, and nothing against it is proven either. */
const UNPROVEN: readonly string[] = [
  'keys_unavailable',
  'timeout',
  'id_token_expired',
  'id_token_not_yet_valid',
];

/** What one login asks for; the same goes to `createLoginAttempt` and `buildAuthorizationUrl`. */
export interface AuthorizationParameters {
  redirectUri: string;
  scope?: string | readonly string[];
  /** Typed extras of the provider: `{ prompt: 'login', loginHint: 'zoe@example.com' }`. */
  extras?: Readonly<Record<string, unknown>>;
  /** Any other parameter, by its wire name. */
  parameters?: Readonly<Record<string, unknown>>;
}

/**
 * One provider's OAuth 2.0 client: one method per grant. It needs neither Passport, nor a request,
 * nor a session, so that a background job refreshes with the very code a login runs through.
 *
 * Every method rejects with an {@link OAuth2Error} whose `code` is listed in `docs/errors.md`.
 *
 * @example
 * const client = new OAuth2Client(salesloft, { clientID, clientSecret });
 * const tokens = await client.refreshTokenGrant(refreshToken);
 */
export class OAuth2Client<Options extends object = object, P extends Profile = Profile> {
  readonly provider: ProviderDescription<Options, P>;
  readonly endpoints: Readonly<Endpoints>;
  readonly clientID: string;
  /** Milliseconds. */
  readonly timeout: number;
  /** Names this client at this provider: a login begun by another one is refused. */
  readonly fingerprint: string;
  readonly #context: SlotContext<Options>;
  readonly #scope: readonly string[];
  readonly #headers: Readonly<OutgoingHttpHeaders>;
  readonly #http: HttpClient;
  readonly #verifyIdToken: IdTokenVerifier | undefined;
  /** The endpoints, parsed once. */
  readonly #urls = new Map<string, URL>();
  readonly #hosts: readonly URL[];
  readonly #ownOrigins: ReadonlySet<string>;
  readonly #assumedLifetime: number | undefined;
  /** Where the last profiles came from: an organization's own host, which only its tokens name. */
  #profileHost: URL | undefined;
  #lastProfileHost: string | undefined;

  /** @throws {TypeError} naming the option that is missing, unknown or wrong */
  constructor(provider: ProviderDescription<Options, P>, options: ClientOptions & Options) {
    const owner = provider.title;
    refuseUnknownOptions(owner, options, [...CLIENT_OPTIONS, ...Object.keys(provider.options)]);
    checkProviderOptions(owner, options, provider.options);
    const clientSecret = optionalSecret(owner, options);

    this.provider = provider;
    this.clientID = requireString(owner, 'clientID', options.clientID);
    this.timeout = optionalNumber(owner, 'timeout', options.timeout, 10_000, [1, 600_000]);
    this.endpoints = Object.freeze(provider.endpoints(options));
    for (const [name, url] of Object.entries(this.endpoints)) {
      if (url !== undefined) this.#urls.set(url, new URL(requireEndpoint(owner, name, url)));
    }
    this.#context = Object.freeze({
      options: Object.freeze({ ...options, clientSecret }),
      endpoints: this.endpoints,
    });
    this.#scope = scopeList(owner, options.scope) ?? provider.scope;
    this.#headers = checkHeaders(owner, options.customHeaders);
    this.#http = new HttpClient(checkAgent(owner, options.agent));
    this.fingerprint = createHash('sha256')
      .update(JSON.stringify([provider.name, this.endpoints.tokenEndpoint, this.clientID]))
      .digest('base64url')
      .slice(0, 22);
    const clockTolerance = optionalNumber(
      owner,
      'clockTolerance',
      options.clockTolerance,
      60,
      [0, 600],
    );
    this.#assumedLifetime =
      options.assumedLifetime === undefined
        ? provider.assumedLifetime
        : optionalNumber(owner, 'assumedLifetime', options.assumedLifetime, 0, [1, 31_536_000]);
    const { jwksUri, tokenEndpoint, userInfoEndpoint } = this.endpoints;
    if (jwksUri !== undefined && provider.idToken !== 'none') {
      this.#verifyIdToken = createIdTokenVerifier(
        jwksUri,
        (url, isAhead) =>
          this.#send({ method: 'GET', url, headers: { accept: 'application/json' }, isAhead }),
        clockTolerance,
      );
    }
    this.#hosts = [tokenEndpoint, userInfoEndpoint]
      .filter((url) => url !== undefined)
      .map((url) => this.#url(url));
    this.#ownOrigins = new Set(this.#hosts.map(({ origin }) => origin));
  }

  /**
   * The scopes that will be asked for. A provider whose login rests on the ID Token always gets
   * `openid` (OpenID Connect Core §3.1.2.1).
   */
  scopes(scope?: string | readonly string[]): readonly string[] {
    const scopes = scopeList(this.provider.title, scope) ?? this.#scope;
    return this.provider.idToken === 'required' && !scopes.includes('openid')
      ? ['openid', ...scopes]
      : scopes;
  }

  /**
   * Begins a login: random `state`, code verifier and, for OpenID Connect, `nonce`. What is asked of
   * the ID Token (`max_age`, `organization`) is kept with it, and checked when the token comes.
   *
   * @throws {TypeError} when `maxAge` is no whole number of seconds, or `organization` no text
   */
  createLoginAttempt(
    request: Partial<AuthorizationParameters> & { appState?: unknown } = {},
  ): LoginAttempt {
    const { redirectUri, scope, appState } = request;
    const idToken = this.provider.idToken !== 'none' && this.scopes(scope).includes('openid');
    const asked = this.#extraParameters(request);
    return createLoginAttempt({
      client: this.fingerprint,
      redirectUri,
      appState,
      idToken,
      maxAge: idToken ? seconds(this.provider.title, asked.max_age) : undefined,
      organization: idToken ? organization(this.provider.title, asked.organization) : undefined,
    });
  }

  /**
   * The authorization request as a URL (RFC 6749 §4.1.1, RFC 7636 §4.3). Protocol parameters
   * cannot be overridden.
   */
  buildAuthorizationUrl(request: AuthorizationParameters & { attempt: LoginAttempt }): string {
    return buildAuthorizationUrl({
      authorizationEndpoint: this.#url(this.endpoints.authorizationEndpoint),
      clientID: this.clientID,
      redirectUri: request.redirectUri,
      scope: this.scopes(request.scope),
      attempt: request.attempt,
      parameters: this.#extraParameters(request),
    });
  }

  /**
   * Checks what the browser brought back: single-valued parameters, `state`, `iss`, `error`, `code`.
   *
   * @param parameters the callback's query or form
   * @param take removes and returns the attempt of a `state`, from wherever it was kept
   */
  async validateAuthorizationResponse(
    parameters: Readonly<Record<string, unknown>>,
    take: (state: string) => LoginAttempt | MissingAttempt | Promise<LoginAttempt | MissingAttempt>,
  ): Promise<ValidatedAuthorizationResponse> {
    return await this.#at('authorize', this.endpoints.authorizationEndpoint, () =>
      validateAuthorizationResponse(parameters, {
        take,
        client: this.fingerprint,
        issuer: this.endpoints.issuer,
        refusals: this.provider.refusals,
      }),
    );
  }

  /**
   * Redeems a code (RFC 6749 §4.1.3, RFC 7636 §4.5), and validates the ID Token that comes with it.
   * Sent once: a code whose fate is unknown is never sent again.
   *
   * @param response made by {@link validateAuthorizationResponse}
   */
  async authorizationCodeGrant(
    response: ValidatedAuthorizationResponse,
    options: CallOptions & {
      /** The one that was sent, when the attempt does not hold it. */
      redirectUri?: string;
      /** Further parameters by wire name; those of the protocol cannot be overridden. */
      parameters?: Readonly<Record<string, string>>;
      /** Judges an error body, without our secrets in it, before we do; `null` leaves it to us. */
      parseErrorResponse?: (body: string, status: number) => Error | null;
    },
  ): Promise<TokenSet> {
    const { attempt, code } = response;
    const deadline = options.deadline ?? new Deadline(this.timeout);
    const tokens = await this.#grant('authorization_code', 'token', {
      ...options,
      deadline,
      protocol: {
        code,
        redirect_uri: attempt.redirectUri ?? options.redirectUri,
        code_verifier: attempt.codeVerifier,
      },
    });
    return await this.#withClaims(tokens, deadline, attempt);
  }

  /**
   * Refreshes (RFC 6749 §6). The old refresh token is kept only if no new one came.
   * Sent once: a rotating refresh token whose fate is unknown must not be replayed. A new ID Token
   * is verified (OpenID Connect Core §12.2), but keys that cannot be fetched just then, or a clock that
   * is wrong, are no reason to lose a refresh token that has come: the tokens are returned without
   * `claims`.
   *
   * @param options.scope a narrower scope; ignored where the provider refuses the parameter
   * @param options.previous the tokens that are refreshed: what the answer leaves out is kept from
   * them, and an answer for another person is refused (`subject_mismatch`)
   */
  async refreshTokenGrant(
    refreshToken: string,
    options: CallOptions & {
      scope?: string | readonly string[];
      /** Further parameters by wire name. */
      parameters?: Readonly<Record<string, string>>;
      previous?: TokenSet;
    } = {},
  ): Promise<TokenSet> {
    const { previous } = options;
    const deadline = options.deadline ?? new Deadline(this.timeout);
    const tokens = await this.#grant('refresh_token', 'refresh', {
      deadline,
      parameters: options.parameters,
      protocol: { refresh_token: refreshToken, scope: this.#scopeParameter(options.scope) },
    });
    const kept = Object.freeze({ ...tokens, refreshToken: tokens.refreshToken ?? refreshToken });
    const verified = await this.#withClaims(kept, deadline).catch((error: unknown) => {
      const code = isOAuth2Error(error) ? error.code : '';
      if (UNPROVEN.includes(code)) return this.#withSubject(kept);
      throw error;
    });
    if (previous === undefined) return verified;
    return await this.#at('refresh', this.endpoints.tokenEndpoint, () =>
      succeed(previous, verified),
    );
  }

  /** A token for the app itself (RFC 6749 §4.4); no person, and no refresh token. */
  async clientCredentialsGrant(
    options: CallOptions & {
      scope?: string | readonly string[];
      /** Further parameters by wire name, such as another `audience`. */
      parameters?: Readonly<Record<string, string>>;
    } = {},
  ): Promise<TokenSet> {
    const tokens = await this.#grant('client_credentials', 'client_credentials', {
      ...options,
      protocol: { scope: this.#scopeParameter(options.scope) },
    });
    return this.#withSubject(tokens);
  }

  /**
   * Revokes a token (RFC 7009). A token the provider does not know is revoked already (§2.2).
   *
   * @param options.tokenTypeHint RFC 7009 §2.1
   * @param options.tokens the tokens it came with: an organization's own host is asked, if it has one
   */
  async revokeToken(token: string, options: TokenCallOptions = {}): Promise<void> {
    await this.#askAboutToken('revoke', 'revocationEndpoint', token, options, (response) => {
      if (isSuccess(response)) return;
      const problem = processTokenError(response, [token, this.#context.options.clientSecret]);
      if (problem.code !== 'invalid_token') throw problem;
    });
  }

  /**
   * What the provider knows about a token (RFC 7662): above all whether it is `active`, and `exp`.
   *
   * @param options.tokenTypeHint RFC 7662 §2.1
   * @param options.tokens the tokens it came with: an organization's own host is asked, if it has one
   * @throws {TypeError} where the provider has no introspection endpoint
   */
  async introspectToken(
    token: string,
    options: TokenCallOptions = {},
  ): Promise<Readonly<JsonObject & { active: boolean }>> {
    return await this.#askAboutToken(
      'introspect',
      'introspectionEndpoint',
      token,
      options,
      (response) => {
        if (!isSuccess(response)) {
          throw processTokenError(response, [token, this.#context.options.clientSecret]);
        }
        const json = parseJson(response.body, response.headers['content-type']);
        if (isJsonObject(json) && typeof json.active === 'boolean') {
          return Object.freeze({ ...json, active: json.active });
        }
        throw new Problem('invalid_token_response', 'the answer does not say whether it is active');
      },
    );
  }

  /**
   * The person's profile: from the verified ID Token where it says enough, else asked for with the
   * access token in the `Authorization` header, at a host that may have it.
   */
  async fetchProfile(tokens: TokenSet, options: CallOptions = {}): Promise<P> {
    const deadline = options.deadline ?? new Deadline(this.timeout);
    const fallback = this.endpoints.userInfoEndpoint ?? this.endpoints.tokenEndpoint;
    return await this.#at('profile', fallback, async (where) => {
      const request = this.provider.profileRequest(tokens, this.#context);
      const { claims } = tokens;
      const context = { ...this.#context, tokens, claims };
      if (request === undefined) {
        const json = { ...claims } as Parameters<typeof this.provider.mapProfile>[0];
        return withId(this.provider.mapProfile(json, { ...context, raw: JSON.stringify(json) }));
      }
      const url = this.#url(request.url);
      const response = await fetchWithToken({ ...request, url }, tokens.accessToken, {
        send: (message) => this.#send(message, deadline),
        isOwn: ({ origin }) => this.#ownOrigins.has(origin),
        at: (asked) => {
          where.host = asked.host;
          // Twice in a row: where each organization has a host of its own, the next is another one.
          this.#profileHost = this.#lastProfileHost === asked.host ? asked : undefined;
          this.#lastProfileHost = asked.host;
        },
      });
      const json = parseJson(response.body, response.headers['content-type']);
      // OpenID Connect Core §5.3.2: the answer must be about the person of the ID Token.
      if (claims && isJsonObject(json) && json.sub !== undefined && json.sub !== claims.sub) {
        throw new Problem('subject_mismatch', 'the profile is of another person');
      }
      return withId(this.provider.mapProfile(json, { ...context, raw: response.body }));
    });
  }

  /**
   * Makes ready, while a person is away at the provider, what their return will need: a connection to
   * each host that will be asked, and the keys that ID Tokens are signed with. Neither waits nor fails;
   * does nothing that is done already.
   */
  prepare(attempt: LoginAttempt): void {
    for (const url of this.#hosts) this.#http.open(url);
    if (this.#profileHost) this.#http.open(this.#profileHost);
    if (attempt.nonce === undefined) return;
    // A failure is met, and told, when the keys are needed.
    this.#verifyIdToken?.fetchAhead().catch(() => undefined);
  }

  /**
   * Closes idle connections, and the others after their answers. A process may end without it: idle ones
   * do not keep it alive.
   */
  close(): void {
    this.#http.close();
  }

  /** A request about one token (RFC 7009 §2.1, RFC 7662 §2.1), at the host that knows it. */
  async #askAboutToken<T>(
    stage: Stage,
    name: 'revocationEndpoint' | 'introspectionEndpoint',
    token: string,
    options: TokenCallOptions,
    judge: (response: HttpResponse) => T,
  ): Promise<T> {
    const configured = this.endpoints[name];
    if (configured === undefined) {
      throw new TypeError(
        `${this.provider.title} has no ${stage === 'revoke' ? 'revocation' : 'introspection'} endpoint`,
      );
    }
    return await this.#at(stage, configured, async (where) => {
      const own =
        options.tokens &&
        this.provider.organizationEndpoints?.(options.tokens.response, this.#context);
      const url = this.#url(own?.[name] ?? configured);
      where.host = url.host;
      const response = await this.#send(
        {
          method: 'POST',
          url,
          // Both RFCs know the form encoding only, also where token requests are JSON.
          ...buildTokenRequest('form', this.#context.options, {
            token,
            token_type_hint: options.tokenTypeHint,
          }),
        },
        options.deadline,
      );
      return judge(response);
    });
  }

  /** One token request: asked, judged, checked by the provider's own rule. */
  async #grant(
    grantType: GrantType,
    stage: Stage,
    request: CallOptions & {
      protocol: Record<string, string | undefined>;
      parameters?: Readonly<Record<string, string>>;
      parseErrorResponse?: (body: string, status: number) => Error | null;
    },
  ): Promise<TokenSet> {
    const { provider, endpoints } = this;
    const { options } = this.#context;
    return await this.#at(stage, endpoints.tokenEndpoint, async () => {
      const requestedAt = Date.now();
      const response = await this.#send(
        {
          method: 'POST',
          url: this.#url(endpoints.tokenEndpoint),
          ...buildTokenRequest(provider.tokenRequestFormat, options, {
            ...provider.requestParameters?.(grantType, this.#context),
            ...request.parameters,
            grant_type: grantType,
            ...request.protocol,
          }),
        },
        request.deadline,
      );
      const { code, code_verifier: verifier, refresh_token: refreshToken } = request.protocol;
      const secrets = [options.clientSecret, code, verifier, refreshToken];
      if (!isSuccess(response)) {
        const own = ownError(request.parseErrorResponse, response, secrets);
        throw own ?? processTokenError(response, secrets, provider.tokenErrorCode);
      }
      const tokens = processTokenResponse(response, requestedAt, secrets, {
        assumedLifetime: this.#assumedLifetime,
        codeOf: provider.tokenErrorCode,
      });
      provider.checkTokenResponse?.(tokens.response, { ...this.#context, grantType });
      return tokens;
    });
  }

  /** Verifies the ID Token of a token response, when there is one, and adds its claims. */
  async #withClaims(
    tokens: TokenSet,
    deadline: Deadline,
    attempt?: LoginAttempt,
  ): Promise<TokenSet> {
    const { provider, endpoints } = this;
    const verify = this.#verifyIdToken;
    const isMissing = tokens.idToken === undefined || verify === undefined;
    if (isMissing && !(attempt && provider.idToken === 'required'))
      return this.#withSubject(tokens);
    return await this.#at('id_token', endpoints.jwksUri ?? endpoints.tokenEndpoint, async () => {
      if (tokens.idToken === undefined || verify === undefined) {
        throw new Problem('id_token_missing', 'the token response has no ID Token');
      }
      const issuers =
        provider.idTokenIssuers?.(tokens.response, this.#context) ??
        [endpoints.issuer].filter((issuer) => issuer !== undefined);
      const claims = await deadline.wait(
        verify(tokens.idToken, {
          issuers,
          clientID: this.clientID,
          accessToken: tokens.accessToken,
          nonce: attempt?.nonce,
          maxAge: attempt?.maxAge,
          organization: attempt?.organization,
        }),
      );
      return this.#withSubject({ ...tokens, claims });
    });
  }

  #withSubject(tokens: TokenSet): TokenSet {
    const subject = this.provider.subject?.(tokens);
    return Object.freeze(subject === undefined ? tokens : { ...tokens, subject });
  }

  /** Everything beside the protocol's own, by wire name: the provider's, the hook's, the extras. */
  #extraParameters(request: Partial<AuthorizationParameters>): Record<string, unknown> {
    const { requestParameters, authorizationParameters } = this.provider;
    const parameters: Record<string, unknown> = {
      ...requestParameters?.('authorization', this.#context),
      ...request.parameters,
    };
    for (const [name, wireName] of Object.entries(authorizationParameters)) {
      const value = request.extras?.[name];
      if (value !== undefined) parameters[wireName] = value;
    }
    return parameters;
  }

  #scopeParameter(scope: string | readonly string[] | undefined): string | undefined {
    const scopes = scopeList(this.provider.title, scope);
    if (!scopes || scopes.length === 0 || !this.provider.scopeInTokenRequests) return undefined;
    return scopes.join(' ');
  }

  async #send(request: HttpRequest, deadline = new Deadline(this.timeout)): Promise<HttpResponse> {
    const headers = { 'user-agent': 'crm-oauth2', ...this.#headers, ...request.headers };
    const sent = this.#http.send({ ...request, headers }, deadline);
    if (!isObserved()) return await sent;

    const began = performance.now();
    const tell = (result: { status?: number; code?: string }) =>
      publish({
        event: 'request',
        login: deadline.login,
        provider: this.provider.name,
        method: request.method,
        host: request.url.host,
        path: request.url.pathname,
        duration: Math.round(performance.now() - began),
        ...result,
      });
    sent.then(
      ({ status }) => tell({ status }),
      (error: unknown) => tell({ code: error instanceof Problem ? error.code : 'unexpected' }),
    );
    return await sent;
  }

  #url(endpoint: string | URL): URL {
    return typeof endpoint === 'string'
      ? (this.#urls.get(endpoint) ?? new URL(endpoint))
      : endpoint;
  }

  /** Runs one step at an endpoint, or wherever the step says it has gone. */
  #at<T>(
    stage: Stage,
    endpoint: string,
    step: (where: { host: string }) => T | Promise<T>,
  ): Promise<T> {
    return located({ provider: this.provider, stage, host: this.#url(endpoint).host }, step);
  }
}

/**
 * passport-oauth2's hook. It sees no secret that the provider echoes, and what it throws, over a web
 * page for instance, leaves the judgement to us, as in passport-oauth2.
 */
function ownError(
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

/**
 * The tokens that replace others: what a refresh leaves out is as it was, and whom they are for too.
 *
 * @throws {Problem} `subject_mismatch` (OpenID Connect Core §12.2, for its part: the same `sub`)
 */
function succeed(previous: TokenSet, next: TokenSet): TokenSet {
  const { subject = previous.subject, scope = previous.scope } = next;
  if (previous.subject !== undefined && subject !== previous.subject) {
    throw new Problem('subject_mismatch', 'the refreshed tokens are of another person');
  }
  const response: JsonObject = { ...previous.response, ...next.response };
  // Of the one before, what belonged to its tokens ends with them.
  for (const name of ['refresh_token', 'id_token', 'expires_in']) {
    if (next.response[name] === undefined) delete response[name];
  }
  return Object.freeze(
    known<TokenSet>({ ...next, scope, subject, response: Object.freeze(response) }),
  );
}

/** Applications key accounts by `id`: without one, everybody would be the same person. */
function withId<P extends Profile>(profile: P): P {
  const id: unknown = profile.id;
  if (typeof id === 'string' && id !== '') return profile;
  throw new Problem('invalid_profile', 'the profile has no id');
}

/** Auth0's `organization`, which is checked too: nothing but text can be. */
function organization(owner: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string' && value !== '') return value;
  throw new TypeError(`${owner}: "organization" must be a non-empty string`);
}

/** `max_age` as a number (OpenID Connect Core §3.1.2.1): what is asked for must be checkable. */
function seconds(owner: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number;
  throw new TypeError(`${owner}: "maxAge" must be a whole number of seconds`);
}
