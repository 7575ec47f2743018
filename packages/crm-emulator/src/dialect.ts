/** The types that describe one provider: its facts, and where it differs from the engine. */
import type { Context, OidcContext } from 'oidc-provider/lib/provider.js';
import type { TokenErrorReason } from './engine-errors.js';
import type { EngineRequest, Fields } from './engine-request.js';
import type { FaultTable, StepPath } from './named-faults.js';
import type { CompletePerson, People } from './people.js';
import type { Reply } from './reply.js';
import type { Store } from './store.js';
import type { EmulatorOptions, Pkce, ProviderName, TokenFault } from './types.js';

export interface RegisteredClient {
  id: string;
  secret: string;
  /** The only redirect URIs of this client. */
  callbackURLs?: readonly string[] | undefined;
}

/** The parts of a running provider that its dialect needs. */
export interface Environment {
  origin: string;
  /** Tells apart, on the pages, the orgs of one provider. */
  label?: string | undefined;
  /** Salesforce's parts may have other origins, and its org can move. */
  origins: { login: string; org: string; issuer: string };
  /** The client that `options` name. */
  client: RegisteredClient;
  /** Every registered client, by its id. */
  clients: ReadonlyMap<string, RegisteredClient>;
  people: People;
  store: Store;
  options: EmulatorOptions;
}

/** The `error` and `error_description` of an authorization response or of a page. */
export interface Refusal {
  error: string;
  description: string;
}

/** The parameters of an authorization request. */
export type Params = Readonly<Record<string, string | undefined>>;

/** The parameters that the browser brings back to the application, and their place in the URL. */
export interface Callback {
  params: Record<string, string | undefined>;
  isInFragment?: boolean;
}

/** An endpoint that the dialect answers without the engine. */
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
  /** Undefined when the client acts for itself. */
  person: CompletePerson | undefined;
  grantType: string;
  issued: NonNullable<OidcContext['entities']['AccessToken']>;
  fault: TokenFault | undefined;
}

/** One line of the start page. */
export interface Endpoint {
  name: string;
  methods: string;
  path: string;
}

/** The part of a dialect that is plain values. */
export interface ProviderFacts {
  readonly name: ProviderName;
  readonly title: string;
  readonly issuer: string;
  readonly paths: { readonly authorize: string; readonly token: string };
  readonly pkce: Pkce;
  readonly scopes: readonly string[];
  readonly rotatesRefreshTokens: boolean;
  readonly lifetimeSeconds: { accessToken: number; idToken: number; code: number };
  /** OpenID Connect claims, by scope. */
  readonly claims: Readonly<Record<string, readonly string[]>>;
  /** Identifiers of the APIs (resources) a client can ask an access token for, with their scopes. */
  readonly audiences: Readonly<Record<string, readonly string[]>>;
  /** The faults with a name. */
  readonly faults: FaultTable;
  /** The faults of the token response that this provider's signer can make. */
  readonly signedFaults: readonly TokenFault['kind'][];
  readonly routes: readonly Route[];
  /** Listed on the start page, in the order of a login. */
  readonly endpoints: readonly Endpoint[];
  /** Answers a request for a path that this origin does not serve. */
  misdirected?(url: URL, arrivedAt: string): Reply | undefined;
  /** The options, beside the client, that point a strategy at this origin. */
  readonly strategyOptions: Readonly<Record<string, string>>;
  /** The steps, for faults, that a request belongs to: the first path that matches counts. */
  readonly steps: readonly StepPath[];
}

/** How a dialect names people, and tells a client about them. */
export interface AccountRules {
  accountIdOf(person: CompletePerson): string;
  personOf(accountId: string): CompletePerson | undefined;
  claimsOf(person: CompletePerson): Record<string, unknown>;
  /**
   * Refuses a person who must not sign in, for example one whose account is blocked.
   *
   * @param params those of the authorization request, while the person signs in
   */
  checkSignIn(person: CompletePerson, params?: Params): Refusal | undefined;
  /** Called when a person has signed in: codes and tokens of this sign-in have this `grantId`. */
  signedIn?(grantId: string, params: Params): void;
}

/** How a dialect reads an authorization request, and writes the response (RFC 6749 §4.1.1, §4.1.2). */
export interface AuthorizationRules {
  /** Translates the application's request into one that the engine understands. */
  authorizationRequest(query: Record<string, string>): Record<string, string>;
  /** The parameters that the engine does not know, but keeps for the dialect. */
  readonly extraParameters?: readonly string[];
  /** Called once the client and the redirect URI are known to be good. */
  checkAuthorizationRequest?(params: Params): Refusal | undefined;
  /** Sent to the application when the person chooses Deny. */
  readonly denied: Refusal;
  /** Shown on a page, because the redirect URI cannot be trusted. */
  readonly unknownClient: Refusal;
  readonly wrongRedirectUri: Refusal;
  /** Translates the engine's response into the provider's words. */
  authorizationResponse(
    payload: Record<string, string>,
    context: Context,
  ): Record<string, string | undefined>;
}

/** How a dialect reads a token request, and writes the response (RFC 6749 §4.1.3, §5). */
export interface TokenRules {
  issuesRefreshToken(scopes: ReadonlySet<string>): boolean;
  /** Returns a refusal, or the form that the engine is to read. */
  tokenRequest(request: EngineRequest, url: URL): { reply: Reply } | { form: Fields };
  tokenResponse(
    body: Record<string, unknown>,
    context: TokenResponseContext,
  ): Record<string, unknown> | Promise<Record<string, unknown>>;
  tokenError(reason: TokenErrorReason, request: EngineRequest): Reply;
}

/** How one provider differs from the engine, and from the other two. */
export interface Dialect extends ProviderFacts, AccountRules, AuthorizationRules, TokenRules {}

/** Stands for "no scope" inside the engine, which requires at least one. */
export const NO_SCOPE = 'emulator:none';
