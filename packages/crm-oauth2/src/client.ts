/** The OAuth 2.0 client of one provider, without Passport: one method per grant. */
import { hash } from 'node:crypto';
import { judgeClientOptions } from './client-options';
import type { ClientOptions, ClientSettings } from './client-options';
import { ClientRequests } from './client-requests';
import type {
  CallOptions,
  GrantOptions,
  ParseErrorResponse,
  TokenCallOptions,
  Transport,
} from './client-requests';
import { isOAuth2Error } from './errors/oauth2-error';
import { Problem } from './errors/problem';
import {
  adviceOnExtras,
  buildAuthorizationRequest,
  extrasOf,
} from './protocol/authorization-request';
import { validateAuthorizationResponse } from './protocol/authorization-response';
import type {
  MissingAttempt,
  ValidatedAuthorizationResponse,
} from './protocol/authorization-response';
import { createIdTokenVerifier } from './protocol/id-token';
import type { IdTokenVerifier } from './protocol/id-token';
import { LOGIN_ATTEMPT_LIFETIME_MS, questionsOf } from './protocol/login-attempt';
import type { LoginAttempt } from './protocol/login-attempt';
import { randomTexts } from './protocol/pkce';
import { processTokenError, replaceTokens } from './protocol/token-endpoint';
import type { TokenSet } from './protocol/token-set';
import type { Endpoints, Provider } from './provider/description';
import type { Profile } from './provider/standard-claims';
import { isJsonObject, ownFields, text, withoutUndefined } from './values/json';
import type { Json, JsonObject } from './values/json';
import {
  checkExtra,
  refuseUnknownOptions,
  requireCallbackUrl,
  requireEndpoint,
  scopeList,
} from './values/options';
import { isSuccess, jsonOf } from './wire/answers';
import type { Deadline } from './wire/deadline';

/** The request for one login. */
export interface LoginRequest {
  /** Absolute. Registered at the provider, character by character. */
  redirectUri: string;
  /** Default: the scopes of the client. */
  scope?: string | readonly string[];
  /** Typed extras of the provider: `{ prompt: 'login', loginHint: 'zoe@example.com' }`. */
  extras?: Readonly<Record<string, unknown>>;
  /** Any other parameter, by its wire name; those of the protocol cannot be overridden. */
  parameters?: Readonly<Record<string, unknown>>;
  /** The application's own state: kept with the attempt, never in the URL. */
  appState?: unknown;
}

const REQUEST_FIELDS = [
  'redirectUri',
  'scope',
  'extras',
  'parameters',
  'appState',
] as const satisfies readonly (keyof LoginRequest)[];

/** A refreshed ID Token that cannot be checked just now: the tokens are kept, without claims. */
const UNCHECKED: readonly string[] = [
  'keys_unavailable',
  'timeout',
  'id_token_expired',
  'id_token_not_yet_valid',
];

/** The connection failed before the answer, or in the middle of it. */
const CUT_OFF: readonly string[] = ['connection_failed', 'incomplete_response'];

/**
 * It needs neither Passport, nor a request, nor a session: a background job refreshes with the very
 * code that a login runs through. Each method rejects with an {@link OAuth2Error}, whose `code`
 * `docs/errors.md` lists.
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
  readonly #settings: ClientSettings<Options>;
  readonly #requests: ClientRequests<Options, P>;
  readonly #verifyIdToken: IdTokenVerifier | undefined;

  /** @throws {TypeError} naming the option that is missing, unknown or wrong */
  constructor(provider: Provider<Options, P>, options: ClientOptions & Options) {
    const settings = judgeClientOptions(provider, options);
    const { context, clockToleranceSeconds } = settings;
    const requests = new ClientRequests(provider, settings);
    this.provider = provider;
    this.endpoints = context.endpoints;
    this.clientID = context.options.clientID;
    this.timeout = settings.timeoutMs;
    const names = [provider.name, this.endpoints.tokenEndpoint, this.clientID];
    this.fingerprint = hash('sha256', JSON.stringify(names), 'base64url').slice(0, 22);
    this.#settings = settings;
    this.#requests = requests;
    const { jwksUri } = this.endpoints;
    if (jwksUri !== undefined && provider.idToken !== 'none') {
      const headers = { accept: 'application/json' };
      this.#verifyIdToken = createIdTokenVerifier({
        fetchKeys: ({ isBackground, jwksUri: uri = jwksUri }) => {
          const url = requests.url(requireEndpoint(provider.title, 'keysOf', uri));
          return requests.send({ method: 'GET', url, headers, isBackground });
        },
        algorithms: provider.idTokenAlgorithms,
        clockToleranceSeconds,
      });
    }
  }

  /**
   * The scopes that will be asked for. A provider whose login rests on the ID Token always gets
   * `openid` (OpenID Connect Core §3.1.2.1).
   */
  scopes(scope?: string | readonly string[]): readonly string[] {
    const scopes = scopeList(this.provider.title, scope) ?? this.#settings.scope;
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
    const request = ownFields(options);
    refuseUnknownOptions(provider.title, request, REQUEST_FIELDS, () => ({
      ...adviceOnExtras(extrasOf(provider), (name) => `pass "${name}" in extras`),
      callbackURL: 'did you mean "redirectUri"?',
      state: 'did you mean "appState"?',
    }));
    const { title } = provider;
    const redirectUri = requireCallbackUrl(title, 'redirectUri', request.redirectUri, false);
    const scope = this.scopes(request.scope);
    const asksIdToken = provider.idToken !== 'none' && scope.includes('openid');
    const { state, codeVerifier, ...texts } = randomTexts();
    const nonce = asksIdToken ? texts.nonce : undefined;
    const { url, query } = buildAuthorizationRequest({
      authorizationEndpoint: this.#requests.url(this.endpoints.authorizationEndpoint),
      clientID: this.clientID,
      redirectUri,
      scope,
      attempt: { state, codeVerifier, nonce },
      parameters: this.#extraParameters(request),
    });
    const attempt = withoutUndefined<LoginAttempt>({
      state,
      codeVerifier,
      nonce,
      client: this.fingerprint,
      redirectUri,
      expiresAt: Date.now() + LOGIN_ATTEMPT_LIFETIME_MS,
      appState: request.appState,
    });
    return { url, attempt: Object.assign(attempt, questionsOf(query, asksIdToken, provider)) };
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
    return await this.#requests.at('authorize', this.endpoints.authorizationEndpoint, () =>
      validateAuthorizationResponse(parameters, {
        take,
        client: this.fingerprint,
        issuer: this.endpoints.issuer,
        trustsIssuer: (iss) => this.provider.trustsIssuer?.(iss, this.#settings.context) ?? false,
        namesIssuer: this.endpoints.authorizationResponseIssParameterSupported,
        vocabulary: this.provider,
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
    options: GrantOptions & { parseErrorResponse?: ParseErrorResponse } = {},
  ): Promise<TokenSet> {
    const { attempt, code, issuer } = ownFields(response);
    const call = ownFields({ ...options, deadline: this.#requests.deadline(options) });
    const tokens = await this.#requests.grant('authorization_code', 'token', call, {
      code,
      redirect_uri: attempt.redirectUri,
      code_verifier: attempt.codeVerifier,
    });
    await this.#requests.at('token', this.endpoints.tokenEndpoint, () => {
      if (issuer === undefined || this.#issuersOf(tokens).includes(issuer)) return;
      const words = 'the tokens are of another authorization server than the one in iss';
      throw new Problem('issuer_mismatch', words, { refusal: 403 });
    });
    return await this.#withClaims(tokens, call.deadline, ownFields(attempt));
  }

  /**
   * Refreshes (RFC 6749 §6). The old refresh token is kept only if no new one came. Sent once: a
   * rotating refresh token whose fate is unknown must not be sent again. A new ID Token is verified
   * (OpenID Connect Core §12.2). When its keys cannot be fetched just then, or a clock is wrong, the
   * tokens are returned without `claims`, so that the new refresh token is not lost.
   *
   * @param options.scope a narrower scope; ignored where the provider refuses the parameter
   * @param options.previous the tokens that are refreshed: what the answer leaves out is kept from
   * them, and an answer for another person is refused (`subject_mismatch`)
   */
  async refreshTokenGrant(
    refreshToken: string,
    options: GrantOptions & { scope?: string | readonly string[]; previous?: TokenSet } = {},
  ): Promise<TokenSet> {
    const call = ownFields({ ...options, deadline: this.#requests.deadline(options) });
    const { previous, scope } = call;
    const protocol = { refresh_token: refreshToken, scope: this.#scopeParameter(scope) };
    const tokens = await this.#requests.grant('refresh_token', 'refresh', call, protocol);
    const kept = { refreshToken, ...tokens };
    const verified = await this.#withClaims(kept, call.deadline).catch((error: unknown) => {
      if (isOAuth2Error(error) && UNCHECKED.includes(error.code)) return this.#withSubject(kept);
      throw error;
    });
    if (previous === undefined) return verified;
    return await this.#requests.at('refresh', this.endpoints.tokenEndpoint, () =>
      replaceTokens(previous, verified),
    );
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
    const call = { ...options, deadline: this.#requests.deadline(options) };
    const ask = () => this.#requests.grant(stage, stage, call, protocol);
    const tokens = await ask().catch((error: unknown) => {
      if (isOAuth2Error(error) && CUT_OFF.includes(error.code)) return ask();
      throw error;
    });
    return this.#withSubject(tokens);
  }

  /** Revokes a token (RFC 7009). A token the provider does not know is revoked already (§2.2). */
  async revokeToken(token: string, options: TokenCallOptions = {}): Promise<void> {
    await this.#requests.askAbout('revocation', token, options, (response, secrets) => {
      if (isSuccess(response)) return;
      const problem = processTokenError(response, secrets, this.provider, 'revoke');
      if (problem.code !== 'invalid_token') throw problem;
    });
  }

  /**
   * Asks the provider about a token (RFC 7662): above all whether it is `active`, and `exp`.
   *
   * @throws {TypeError} where the provider has no introspection endpoint
   */
  async introspectToken(
    token: string,
    options: TokenCallOptions = {},
  ): Promise<Readonly<JsonObject & { active: boolean }>> {
    return await this.#requests.askAbout('introspection', token, options, (response, secrets) => {
      if (!isSuccess(response)) {
        throw processTokenError(response, secrets, this.provider, 'introspect');
      }
      const json = jsonOf(response, secrets);
      if (isJsonObject(json) && typeof json.active === 'boolean') {
        return Object.freeze({ ...json, active: json.active });
      }
      throw new Problem('invalid_token_response', 'the answer does not say whether it is active');
    });
  }

  /**
   * The person's profile: from the verified ID Token where it says enough, else asked for with the
   * access token in the `Authorization` header, at a host that may have it.
   */
  async fetchProfile(tokens: TokenSet, options: CallOptions = {}): Promise<P> {
    const { provider, endpoints } = this;
    const { context } = this.#settings;
    const own = ownFields(tokens);
    const { claims } = own;
    const endpoint = endpoints.userInfoEndpoint ?? endpoints.tokenEndpoint;
    return await this.#requests.at('profile', endpoint, async (place) => {
      const request = provider.profileRequest(own, context);
      const answer =
        request && (await this.#requests.askProfile(request, tokens.accessToken, options, place));
      const json = answer ? jsonOf(answer, [tokens.accessToken]) : ({ ...claims } as Json);
      const raw = answer?.body ?? JSON.stringify(claims ?? {});
      // OpenID Connect Core §5.3.2: the answer must be about the person of the ID Token.
      if (claims && isJsonObject(json) && json.sub !== undefined && json.sub !== claims.sub) {
        throw new Problem('subject_mismatch', 'the profile is of another person');
      }
      const profile = provider.mapProfile(json, { ...context, raw, tokens, claims });
      // Applications key accounts by `id`: without one, all people would share one account.
      if (text(profile.id) === undefined) {
        throw new Problem('invalid_profile', 'the profile has no id');
      }
      return profile;
    });
  }

  /**
   * Makes ready, while a person is away at the provider, what their return will need: a connection to
   * each host that will be asked, and the keys of ID Tokens. Returns at once, never fails, and does
   * nothing twice.
   */
  prepare(attempt: LoginAttempt): void {
    this.#requests.openConnections();
    // The login that needs the keys meets a failure, and tells it.
    if (attempt.nonce !== undefined) this.#verifyIdToken?.fetchAhead().catch(() => undefined);
  }

  /** @internal For what older code sets on `_oauth2`. @throws {TypeError} */
  useTransport(transport: Transport): void {
    this.#requests.useTransport(transport);
  }

  /**
   * Closes idle connections, and the others after their answers. A process can end without it: idle
   * connections do not keep it alive.
   */
  close(): void {
    this.#requests.http.close();
  }

  /**
   * Verifies the ID Token of a token response, and adds its claims. It may be missing only where the
   * provider need not send one, and the login asked nothing that it must answer.
   */
  async #withClaims(tokens: TokenSet, deadline: Deadline, login?: LoginAttempt): Promise<TokenSet> {
    const { provider, endpoints, clientID } = this;
    const verify = this.#verifyIdToken;
    const { idToken, accessToken } = tokens;
    const isNeeded =
      login !== undefined &&
      (provider.idToken === 'required' || login.maxAge !== undefined || login.asked !== undefined);
    if (!isNeeded && (idToken === undefined || verify === undefined)) {
      return this.#withSubject(tokens);
    }
    const keys = endpoints.jwksUri ?? endpoints.tokenEndpoint;
    return await this.#requests.at('id_token', keys, async (place) => {
      if (idToken === undefined || verify === undefined) {
        throw new Problem('id_token_missing', 'the token response has no ID Token');
      }
      const issuers = this.#issuersOf(tokens);
      const keysOf = (issuer: string) => {
        const uri = provider.keysOf?.(issuer, this.#settings.context);
        if (uri !== undefined) place.host = this.#requests.url(uri).host;
        return uri;
      };
      const expected = { issuers, keysOf, clientID, accessToken, login };
      const claims = await deadline.wait(verify(idToken, expected));
      if (login?.asked) provider.checkIdToken?.(claims, login.asked);
      return this.#withSubject({ ...tokens, claims });
    });
  }

  /** The issuers that these tokens may be of. */
  #issuersOf({ response }: TokenSet): readonly string[] {
    const { issuer } = this.endpoints;
    const own = this.provider.idTokenIssuers?.(response, this.#settings.context);
    return own ?? (issuer === undefined ? [] : [issuer]);
  }

  #withSubject(tokens: TokenSet): TokenSet {
    const subject = this.provider.subject(ownFields(tokens));
    return Object.freeze(subject === undefined ? tokens : { ...tokens, subject });
  }

  /** Everything beside the protocol's own, by wire name: the provider's, the hook's, the extras. */
  #extraParameters(request: LoginRequest): Record<string, unknown> {
    const { parameters } = request;
    const extras = ownFields(request.extras ?? {});
    const { title, boundParameters, requestParameters } = this.provider;
    const wireNames = extrasOf(this.provider);
    refuseUnknownOptions(title, extras, Object.keys(wireNames), () =>
      adviceOnExtras(wireNames, (name) => `did you mean "${name}"?`),
    );
    const merged: Record<string, unknown> = ownFields({
      ...requestParameters?.('authorization', this.#settings.context),
      ...parameters,
    });
    for (const [name, wireName] of Object.entries(wireNames)) {
      merged[wireName] = extras[name] ?? merged[wireName];
    }
    for (const name of ['max_age', ...boundParameters]) {
      const value = merged[name] ?? '';
      // Any other value could reach the URL in another form than the one that is checked, or not at all.
      if (typeof value === 'string' || (name === 'max_age' && typeof value === 'number')) continue;
      throw new TypeError(`${title}: "${name}" must be a string`);
    }
    for (const [name, value] of Object.entries(extras)) {
      if (name !== 'maxAge') checkExtra(title, name, value);
    }
    return merged;
  }

  #scopeParameter(scope: string | readonly string[] | undefined): string | undefined {
    const scopes = scopeList(this.provider.title, scope)?.join(' ');
    return this.provider.scopeInTokenRequests && scopes !== '' ? scopes : undefined;
  }
}
