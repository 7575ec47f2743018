/** The OAuth 2.0 client of one provider, without Passport: one method per grant. */
import { judgeClientOptions, judgeEnvironment } from './client-options';
import type { ClientOptions, ClientSettings } from './client-options';
import { profileOf } from './client-profile';
import { CUT_OFF, ClientRequests, Shared } from './client-requests';
import type {
  CallOptions,
  GrantOptions,
  ParseErrorResponse,
  Relations,
  TimedGrantOptions,
  TokenCallOptions,
  Transport,
} from './client-requests';
import { ClientTokens } from './client-tokens';
import { described, isOAuth2Error } from './errors/oauth2-error';
import type { OAuth2Error, Stage } from './errors/oauth2-error';
import { Problem } from './errors/problem';
import { extraParameters, judgeLoginRequest } from './client-login-request';
import type { LoginRequest } from './client-login-request';
import { buildAuthorizationRequest } from './protocol/authorization-request';
import { validateAuthorizationResponse } from './protocol/authorization-response';
import type {
  ExpectedAuthorizationResponse,
  MissingAttempt,
  PendingLogins,
  ValidatedAuthorizationResponse,
} from './protocol/authorization-response';
import { buildEndSessionForm, buildEndSessionUrl } from './protocol/end-session';
import type {
  EndSessionForm,
  EndSessionFormRequest,
  EndSessionRequest,
} from './protocol/end-session';
import { LOGIN_ATTEMPT_LIFETIME_MS, fingerprintOf, questionsOf } from './protocol/login-attempt';
import type { Environment, LoginAttempt } from './protocol/login-attempt';
import { randomTexts } from './protocol/pkce';
import { processIntrospection, processRevocation, replaceTokens } from './protocol/token-endpoint';
import type { Introspection } from './protocol/token-endpoint';
import type { TokenSet } from './protocol/token-set';
import type { Endpoints, Provider } from './provider/description';
import type { Profile } from './provider/standard-claims';
import { ownField, ownFields, withoutUndefined } from './values/json';
import { LruMap } from './values/lru-map';
import { requireCallbackUrl, scopeList } from './values/options';
import type { Deadline } from './wire/deadline';

/** Clients of environments that are kept. A forgotten one is made again. */
const MAX_ENVIRONMENTS = 1000;

/** A refreshed ID Token that cannot be checked just now: the tokens are kept, without claims. */
const UNCHECKED: readonly string[] = [
  'keys_unavailable',
  'timeout',
  'id_token_expired',
  'id_token_not_yet_valid',
];

/**
 * It needs neither Passport nor a session: a background job refreshes with the very code that a login
 * runs through. Each method rejects with an {@link OAuth2Error}, whose `code` `docs/errors.md` lists.
 *
 * @example
 * const client = new OAuth2Client(salesloft, { clientID, clientSecret });
 * const tokens = await client.refreshTokenGrant(refreshToken);
 */
export class OAuth2Client<Options extends object = object, P extends Profile = Profile> {
  readonly provider: Provider<Options, P>;
  readonly endpoints: Readonly<Endpoints>;
  readonly clientID: string;
  /** Milliseconds. */
  readonly timeout: number;
  /** Names this client at this provider: a login begun by another one is refused. */
  readonly fingerprint: string;
  /** The options that a login chose, for a client of {@link forEnvironment}. */
  readonly environment: Environment | undefined;
  /** The key of the tenant, for a client of `clientFor`. Its people are told from those of other tenants. */
  readonly tenant: string | undefined;
  readonly #settings: ClientSettings<Options>;
  readonly #usualScopes: readonly string[];
  readonly #requests: ClientRequests<Options, P>;
  readonly #tokens: ClientTokens<Options, P>;
  readonly #relations: Relations<OAuth2Client<Options, P>>;

  /**
   * @param relations internal: what this client shares with the others of its strategy
   * @throws {TypeError} naming the option that is missing, unknown or wrong
   */
  constructor(
    provider: Provider<Options, P>,
    options: ClientOptions & Options,
    relations: Partial<Relations<OAuth2Client<Options, P>>> = {},
  ) {
    const settings = judgeClientOptions(provider, options);
    const { context } = settings;
    const { environment, tenant, binding, home = this, ...related } = ownFields(relations);
    const { shared = new Shared(settings), environments = new LruMap(MAX_ENVIRONMENTS) } = related;
    this.provider = provider;
    this.endpoints = context.endpoints;
    this.clientID = context.options.clientID;
    this.timeout = settings.timeoutMs;
    this.environment = environment;
    this.tenant = tenant;
    this.fingerprint = fingerprintOf(provider.name, this.clientID, this.endpoints, binding);
    this.#settings = settings;
    this.#usualScopes = Object.freeze(this.#scopesWith(undefined));
    this.#requests = new ClientRequests(provider, settings, shared);
    this.#tokens = new ClientTokens(provider, settings, this.#requests, environment);
    this.#relations = { shared, environments, home, tenant, binding };
  }

  /**
   * The client of one environment: for Salesforce, where an organization signs in. It has the same
   * credentials, connections and keys. The attempts and tokens of its logins name the environment, so
   * that every client of this provider finds the way back to it.
   *
   * @param choice by option name, such as `{ loginURL: 'https://acme.my.salesforce.com' }`. A visitor may
   * have chosen it: the provider's description says which values are allowed
   * @throws {OAuth2Error} `login_url_not_allowed`
   */
  forEnvironment(choice: Readonly<Record<string, unknown>>): OAuth2Client<Options, P> {
    return this.#forEnvironment(choice, 'authorize');
  }

  #forEnvironment(
    choice: Readonly<Record<string, unknown>>,
    stage: Stage,
  ): OAuth2Client<Options, P> {
    const { provider } = this;
    const { home, environments } = this.#relations;
    const { options: given } = home.#settings.context;
    return described({ provider, stage }, () => {
      const environment = judgeEnvironment(provider, ownFields(choice), given);
      if (Object.keys(environment).length === 0) return home;
      const key = JSON.stringify([home.fingerprint, environment]);
      const known = environments.get(key);
      // A client of the same tenant may have had another secret.
      if (known && known.#relations.home === home) return known;
      const options: ClientOptions & Options = { ...withoutUndefined(given), ...environment };
      const relations = { ...this.#relations, environment };
      const client = new OAuth2Client<Options, P>(provider, options, relations);
      environments.set(key, client);
      return client;
    });
  }

  /**
   * The scopes that will be asked for. A provider whose login rests on the ID Token always gets
   * `openid` (OpenID Connect Core §3.1.2.1).
   */
  scopes(scope?: string | readonly string[]): readonly string[] {
    return scope === undefined ? this.#usualScopes : this.#scopesWith(scope);
  }

  #scopesWith(scope: string | readonly string[] | undefined): readonly string[] {
    const { scope: usual, offlineScopes } = this.#settings;
    const asked = scopeList(this.provider.title, scope) ?? usual;
    const scopes = [...new Set([...asked, ...offlineScopes])];
    return this.provider.idToken === 'required' && !scopes.includes('openid')
      ? ['openid', ...scopes]
      : scopes;
  }

  /**
   * Begins a login: the authorization request as a URL (RFC 6749 §4.1.1, RFC 7636 §4.3), and the
   * attempt that its answer will be checked against. Keep the attempt where only this browser's
   * callback finds it, and send the browser to the URL.
   *
   * @throws {TypeError} for a question that cannot be checked, such as `max_age` without `openid`
   */
  beginLogin(options: LoginRequest): { url: string; attempt: LoginAttempt } {
    const { provider } = this;
    const request = judgeLoginRequest(provider, options);
    const uri = request.redirectUri;
    const redirectUri = requireCallbackUrl(provider.title, 'redirectUri', uri, false);
    const scope = this.scopes(request.scope);
    const asksIdToken = provider.idToken !== 'none' && scope.includes('openid');
    const random = randomTexts();
    const { state, codeVerifier } = random;
    const nonce = asksIdToken ? random.nonce : undefined;
    const { url, query } = buildAuthorizationRequest({
      authorizationEndpoint: this.#requests.url(this.endpoints.authorizationEndpoint),
      clientID: this.clientID,
      redirectUri,
      scope,
      attempt: { state, codeVerifier, nonce },
      parameters: extraParameters(provider, this.#settings, request),
    });
    const attempt: LoginAttempt = {
      state,
      codeVerifier,
      client: this.fingerprint,
      redirectUri,
      expiresAt: Date.now() + LOGIN_ATTEMPT_LIFETIME_MS,
    };
    const { appState } = request;
    const chosen = withoutUndefined({ nonce, appState, environment: this.environment });
    Object.assign(attempt, chosen, questionsOf(query, asksIdToken, provider));
    return { url, attempt };
  }

  /**
   * Checks what the browser brought back: single-valued parameters, `state`, `iss`, `error`, `code`.
   *
   * @param parameters the callback's query or form
   * @param take removes and returns the attempt of a `state`, from wherever it was kept
   * @param expect internal: the facts that the answer to an attempt must match. Default: those of this
   * client, in the environment of the attempt
   */
  validateAuthorizationResponse(
    parameters: Readonly<Record<string, unknown>>,
    take: (state: string) => LoginAttempt | MissingAttempt | Promise<LoginAttempt | MissingAttempt>,
    expect: PendingLogins['expect'] = (attempt) =>
      this.#of(attempt, 'authorize').expectedResponse(),
  ): Promise<ValidatedAuthorizationResponse> {
    const { provider: vocabulary, endpoints } = this;
    return this.#requests.at('authorize', endpoints.authorizationEndpoint, () =>
      validateAuthorizationResponse(parameters, { take, expect, vocabulary }),
    );
  }

  /** @internal The facts that the answer to a login of this client must match. */
  expectedResponse(): ExpectedAuthorizationResponse {
    const { provider, endpoints, fingerprint } = this;
    return {
      client: fingerprint,
      issuer: endpoints.issuer,
      trustsIssuer: (iss) => provider.trustsIssuer?.(iss, this.#settings.context) ?? false,
      namesIssuer: endpoints.authorizationResponseIssParameterSupported,
    };
  }

  /**
   * Redeems a code (RFC 6749 §4.1.3, RFC 7636 §4.5), and validates the ID Token that comes with it.
   * Sent once: a code whose fate is unknown is never sent again.
   *
   * @param response made by {@link validateAuthorizationResponse}
   */
  async authorizationCodeGrant(
    response: ValidatedAuthorizationResponse,
    options: GrantOptions & { parseErrorResponse?: ParseErrorResponse } = {},
  ): Promise<TokenSet> {
    const { attempt, code } = response;
    const issuer = ownField(response, 'issuer');
    const client = this.#of(attempt, 'token');
    if (client !== this) return await client.authorizationCodeGrant(response, options);
    const call = this.#timed(options);
    const tokens = await this.#requests.grant('authorization_code', 'token', call, {
      code,
      redirect_uri: attempt.redirectUri,
      code_verifier: attempt.codeVerifier,
    });
    if (issuer !== undefined) {
      await this.#requests.at('token', this.endpoints.tokenEndpoint, () => {
        if (this.#tokens.issuersOf(tokens).includes(issuer)) return;
        const words = 'the tokens are of another authorization server than the one in iss';
        throw new Problem('issuer_mismatch', words, { refusal: 403 });
      });
    }
    return await this.#tokens.withClaims(tokens, call.deadline, ownFields(attempt));
  }

  /**
   * Refreshes (RFC 6749 §6). The old refresh token is kept only if no new one came. Sent once: a
   * rotating refresh token whose fate is unknown must not be sent again. A new ID Token is verified
   * (OpenID Connect Core §12.2). When its keys cannot be fetched just then, or a clock is wrong, the
   * tokens are returned without `claims`, so that the new refresh token is not lost.
   *
   * @param options.scope a narrower scope; ignored where the provider refuses the parameter
   * @param options.previous the tokens that are refreshed: their environment is asked, what the answer
   * leaves out is kept from them, and an answer for another person is refused (`subject_mismatch`)
   */
  async refreshTokenGrant(
    refreshToken: string,
    options: GrantOptions & { scope?: string | readonly string[]; previous?: TokenSet } = {},
  ): Promise<TokenSet> {
    const { previous, scope } = ownFields(options);
    const client = this.#of(previous, 'refresh');
    if (client !== this) return await client.refreshTokenGrant(refreshToken, options);
    const call = this.#timed(options);
    const protocol = { refresh_token: refreshToken, scope: this.#scopeParameter(scope) };
    const tokens = await this.#requests.grant('refresh_token', 'refresh', call, protocol);
    const kept = { refreshToken, ...tokens };
    const verified = await this.#verifiedOrUnchecked(kept, call.deadline);
    if (previous === undefined) return verified;
    return await this.#requests.at('refresh', this.endpoints.tokenEndpoint, () =>
      replaceTokens(previous, verified),
    );
  }

  async #verifiedOrUnchecked(tokens: TokenSet, deadline: Deadline): Promise<TokenSet> {
    try {
      return await this.#tokens.withClaims(tokens, deadline);
    } catch (error) {
      if (isOAuth2Error(error) && UNCHECKED.includes(error.code)) {
        return this.#tokens.complete(tokens);
      }
      throw error;
    }
  }

  /**
   * A token for the app itself (RFC 6749 §4.4); no person, and no refresh token. It uses nothing up:
   * when the connection fails before the answer, it is asked for once more.
   */
  async clientCredentialsGrant(
    options: GrantOptions & { scope?: string | readonly string[] } = {},
  ): Promise<TokenSet> {
    const protocol = { scope: this.#scopeParameter(ownFields(options).scope) };
    const stage = 'client_credentials';
    const call = this.#timed(options);
    const ask = async () =>
      this.#tokens.complete(await this.#requests.grant(stage, stage, call, protocol));
    return await ask().catch((error: unknown) => {
      if (isOAuth2Error(error) && CUT_OFF.includes(error.code)) return ask();
      throw error;
    });
  }

  /** Revokes a token (RFC 7009). A token the provider does not know is revoked already (§2.2). */
  async revokeToken(token: string, options: TokenCallOptions = {}): Promise<void> {
    const client = this.#of(ownFields(options).tokens, 'revoke');
    if (client !== this) return await client.revokeToken(token, options);
    await this.#requests.askAbout('revocation', token, options, processRevocation);
  }

  /**
   * Asks the provider about a token (RFC 7662): above all whether it is `active`, and `exp`.
   *
   * @throws {TypeError} where the provider has no introspection endpoint
   */
  async introspectToken(token: string, options: TokenCallOptions = {}): Promise<Introspection> {
    const client = this.#of(ownFields(options).tokens, 'introspect');
    if (client !== this) return await client.introspectToken(token, options);
    return await this.#requests.askAbout('introspection', token, options, processIntrospection);
  }

  /**
   * The person's profile: from the verified ID Token where it says enough, else asked for with the
   * access token in the `Authorization` header, at a host that may have it.
   */
  async fetchProfile(tokens: TokenSet, options: CallOptions = {}): Promise<P> {
    const client = this.#of(tokens, 'profile');
    if (client !== this) return await client.fetchProfile(tokens, options);
    const { provider, endpoints } = this;
    const { context } = this.#settings;
    const own = ownFields(tokens);
    const { userInfoEndpoint = endpoints.tokenEndpoint } = endpoints;
    return await this.#requests.at('profile', userInfoEndpoint, async (place) => {
      const request = provider.profileRequest(own, context);
      const answer =
        request && (await this.#requests.askProfile(request, own.accessToken, options, place));
      return profileOf(provider, context, own, answer);
    });
  }

  /**
   * Logs the person out of the provider too, whose session would otherwise sign them in again without a
   * question: the address to send the browser to. No token is in it. Revoke the tokens beside it.
   *
   * @returns nothing where the provider, or the environment of the tokens, has no such logout
   * @throws {TypeError} for an option that is unknown or of the wrong kind
   * @see https://openid.net/specs/openid-connect-rpinitiated-1_0.html
   */
  buildEndSessionUrl(request: EndSessionRequest = {}): string | undefined {
    const { tokens } = ownFields(request);
    const endpoint = this.#of(tokens, 'logout').#requests.endSessionEndpoint(tokens);
    return endpoint && buildEndSessionUrl(endpoint, this.clientID, request);
  }

  /** The same as a form to post, which may hold the ID Token. @throws {TypeError} */
  buildEndSessionForm(request: EndSessionFormRequest): EndSessionForm | undefined {
    const { tokens } = ownFields(request);
    const endpoint = this.#of(tokens, 'logout').#requests.endSessionEndpoint(tokens);
    return endpoint === undefined
      ? undefined
      : buildEndSessionForm(endpoint, this.clientID, request);
  }

  /**
   * Makes ready what each login needs: a connection to each host, and the keys of ID Tokens. Call it when
   * the application starts, and the first login takes no longer than the others. It asks for nothing
   * that a login does not ask for. Where an `agent` makes the connections, only the keys are fetched.
   *
   * @returns nothing when all is ready within `timeout`, else the first problem. It never rejects, since
   * an application should start even while a provider is away
   */
  async warm(): Promise<OAuth2Error | undefined> {
    const { provider } = this;
    const needsKeys = provider.idToken !== 'none' && this.scopes().includes('openid');
    try {
      await this.#requests.makeReady(needsKeys);
      return undefined;
    } catch (error) {
      return error as OAuth2Error;
    }
  }

  /**
   * Makes ready, while a person is away, what their return needs: a connection to each host, and the keys
   * of ID Tokens. Returns at once, never fails, does nothing twice, and asks no server ahead that a
   * stranger may have chosen, unless a login has ended there.
   */
  prepare(attempt: LoginAttempt): void {
    this.#requests.openConnections();
    if (attempt.nonce !== undefined) this.#requests.fetchKeysAhead(this.environment !== undefined);
  }

  /** @internal For what older code sets on `_oauth2`. @throws {TypeError} */
  useTransport(transport: Transport): void {
    this.#requests.useTransport(transport);
  }

  /** Closes idle connections, and the others after their answers. A process can end without it. */
  close(): void {
    this.#relations.shared.http.close();
  }

  /** @internal A client with other options, over the same connections. @throws {TypeError} */
  sibling(options: ClientOptions & Options, tenant: string, binding: string) {
    const { shared, environments } = this.#relations;
    return new OAuth2Client(this.provider, options, { shared, environments, tenant, binding });
  }

  /** The client of the environment that an attempt or tokens name. */
  #of(named: { environment?: Environment | undefined } = {}, stage: Stage) {
    const environment = ownField(named, 'environment');
    return environment === undefined ? this : this.#forEnvironment(environment, stage);
  }

  /** Options of a grant, with the deadline of all its requests. */
  #timed(options: GrantOptions & { parseErrorResponse?: ParseErrorResponse }): TimedGrantOptions {
    return {
      deadline: this.#requests.deadline(options),
      parameters: ownField(options, 'parameters'),
      parseErrorResponse: ownField(options, 'parseErrorResponse'),
    };
  }

  #scopeParameter(scope: string | readonly string[] | undefined): string | undefined {
    const scopes = scopeList(this.provider.title, scope)?.join(' ');
    return this.provider.scopeInTokenRequests && scopes !== '' ? scopes : undefined;
  }
}
