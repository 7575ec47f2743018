import type { Context, OidcContext } from 'oidc-provider/lib/provider.js';
import type { EngineRequest, Fields } from './engine-request.js';
import type { People, Resident } from './people.js';
import type { Reason } from './reason.js';
import type { Store } from './store.js';
import type { EmulatorOptions, Pkce, ProviderName, Step } from './types.js';

/** The one client each provider has registered. */
export interface Client {
  id: string;
  secret: string;
}

/** What a dialect is given. */
export interface Environment {
  origin: string;
  client: Client;
  people: People;
  store: Store;
  options: EmulatorOptions;
}

/** An answer, as data. A string body is sent as it is, anything else as JSON. */
export interface Reply {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
  type?: string;
}

export interface Refusal {
  error: string;
  description: string;
}

export interface Route {
  methods: readonly string[];
  path: RegExp;
  handle(context: RouteContext): Reply | Promise<Reply>;
}

export interface RouteContext {
  request: EngineRequest;
  method: string;
  url: URL;
  /** The groups of the route's path. */
  match: RegExpExecArray;
}

export interface TokenResponseContext {
  person: Resident | undefined;
  grantType: string;
  issued: NonNullable<OidcContext['entities']['AccessToken']>;
  fault: unknown;
}

/** A fault a person can choose on the sign-in page. */
export interface Rehearsal {
  label: string;
  fault: import('./types.js').Fault;
}

/** One address, for the start page. */
export interface Endpoint {
  name: string;
  methods: string;
  path: string;
}

/** How one provider differs from the engine, and from the other two. */
export interface Dialect {
  readonly name: ProviderName;
  readonly title: string;
  readonly issuer: string;
  readonly paths: { readonly authorize: string; readonly token: string };
  readonly pkce: Pkce;
  readonly scopes: readonly string[];
  readonly rotatesRefreshTokens: boolean;
  readonly ttl: { accessToken: number; idToken: number; code: number };
  /** OpenID Connect claims, by scope. */
  readonly claims: Readonly<Record<string, readonly string[]>>;
  /** Audience (resource) identifiers that access tokens can be asked for, with their scopes. */
  readonly audiences: Readonly<Record<string, readonly string[]>>;
  readonly rehearsals: readonly Rehearsal[];
  readonly routes: readonly Route[];
  /** What the start page lists, in the order of a login. */
  readonly endpoints: readonly Endpoint[];
  /** Where a strategy finds this provider: its options, beside the client. */
  readonly whereabouts: Readonly<Record<string, string>>;

  stepsOf(method: string, path: string): readonly Step[];
  accountIdOf(person: Resident): string;
  personOf(accountId: string): Resident | undefined;
  claimsOf(person: Resident): Record<string, unknown>;
  issuesRefreshToken(scopes: ReadonlySet<string>): boolean;

  /** What the engine is asked instead of what the application asked. */
  authorizationRequest(query: Record<string, string>): Record<string, string>;
  /** Refuses an authorization request whose client and redirect URI are good. */
  checkAuthorizationRequest?(params: Record<string, string | undefined>): Refusal | undefined;
  /** What a person meets instead of an answer: a blocked account, for one. */
  checkSignIn(person: Resident): Refusal | undefined;
  readonly denied: Refusal;
  /** Shown on a page, never sent to a redirect URI. */
  readonly unknownClient: Refusal;
  readonly wrongRedirectUri: Refusal;
  /** The callback's parameters, in the provider's words. */
  authorizationResponse(
    payload: Record<string, string>,
    context: Context,
  ): Record<string, string | undefined>;

  /** Refuses a token request, or says what the engine is asked. */
  tokenRequest(request: EngineRequest, url: URL): { reply: Reply } | { form: Fields };
  tokenResponse(
    body: Record<string, unknown>,
    context: TokenResponseContext,
  ): Record<string, unknown> | Promise<Record<string, unknown>>;
  tokenError(reason: Reason, request: EngineRequest): Reply;
}
