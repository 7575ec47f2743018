/** The types that describe one provider: its facts, and where it differs from the engine. */
import type { Context, Issued } from 'oidc-provider/lib/provider.js';
import type { Clients, RegisteredClient } from './clients.js';
import type { Endpoint } from './endpoints.js';
import type { EngineRequest, Fields } from './engine-request.js';
import type { KeyRing } from './keys.js';
import type { FaultTable } from './named-faults.js';
import type { CompletePerson, People } from './people.js';
import type { Params, Refusal, RefusalTable, Refused, Words } from './reasons.js';
import type { Reply } from './reply.js';
import type { Revocable, Store } from './store.js';
import type { EmulatorOptions, Pkce, ProviderName, TokenFault } from './types.js';

/** The parts that a dialect is built on. */
export interface Environment {
  origin: string;
  /** The client that `options` name. */
  client: RegisteredClient;
  clients: Clients;
  store: Store;
  options: EmulatorOptions;
  /** @param part tells apart the key rings of one provider */
  createKeys(part?: string): Promise<KeyRing>;
}

/** The parameters that the browser brings back to the application, and their place in the URL. */
export interface Callback {
  params: Params;
  isInFragment?: boolean;
}

/** The engine's token response (RFC 6749 §5.1). */
export interface EngineTokens {
  access_token: string;
  refresh_token?: string | undefined;
  id_token?: string;
  expires_in: number;
}

export interface TokenResponseContext {
  /** Undefined when the client acts for itself. */
  person: CompletePerson | undefined;
  grantType: string;
  issued: Issued;
  fault: TokenFault | undefined;
}

/** How one provider differs from the engine, and from the other two. */
export interface Dialect {
  readonly name: ProviderName;
  readonly title: string;
  readonly issuer: string;
  readonly pkce: Pkce;
  readonly scopes: readonly string[];
  /** The scopes of an application that asks for none. */
  readonly defaultScope?: string;
  /** Sends the callback as a form, if the application asks for it. */
  readonly postsForms?: boolean;
  readonly rotatesRefreshTokens: boolean;
  /** Unless the options say otherwise. */
  readonly lifetimeSeconds: { accessToken: number; idToken: number; code: number };
  readonly people: People;
  /** OpenID Connect claims, by scope. */
  readonly claims?: Readonly<Record<string, readonly string[]>>;
  /** Identifiers of the APIs (resources) a client can ask an access token for, with their scopes. */
  readonly audiences?: Readonly<Record<string, readonly string[]>>;
  /** The faults with a name. */
  readonly faults: FaultTable;
  /** The faults of the token response that this provider's signer can make. */
  readonly signedFaults?: readonly TokenFault['kind'][];
  /** In the order of a login. */
  readonly endpoints: readonly Endpoint[];
  readonly refusals: RefusalTable;
  readonly revokes: Revocable;
  /** A used refresh token is forgotten: a replay revokes nothing. */
  readonly forgetsUsedRefreshTokens?: boolean;
  /** Answers a request for a path that this origin does not serve. */
  misdirected?(url: URL, arrivedAt: string): Reply | undefined;
  /** The options, beside the client, that point a strategy at this origin. */
  readonly strategyOptions: Readonly<Record<string, string>>;
  /** The members that only this provider has, for a caller of `startEmulator`. */
  readonly members?: object;

  // How it describes a person to a client.
  claimsOf?(person: CompletePerson): Record<string, unknown>;
  /** Refuses a person who may not answer this authorization request. */
  admit?(person: CompletePerson, params: Params): Refusal | undefined;
  /** Called when a person has signed in: codes and tokens of this sign-in have this `grantId`. */
  signedIn?(grantId: string, params: Params): void;

  // How it reads an authorization request, and writes the response (RFC 6749 §4.1.1, §4.1.2).
  /** Translates the application's request into one that the engine understands. */
  authorizationRequest?(query: Record<string, string>): Record<string, string>;
  /** The parameters that the engine does not know, but keeps for the dialect. */
  readonly extraParameters?: readonly string[];
  /** Called once the client and the redirect URI are known to be good. */
  checkAuthorizationRequest?(params: Params): Refusal | undefined;
  /** Changes the response: a code and its state, or a refusal in the provider's words. */
  authorizationResponse(payload: Params, context: Context): Params;

  // How it reads a token request, and writes the response (RFC 6749 §4.1.3, §5).
  issuesRefreshToken(scopes: ReadonlySet<string>): boolean;
  /** Returns a refusal, or the form that the engine is to read. */
  tokenRequest(request: EngineRequest, url: URL): Refused | { form: Fields };
  /** Changes the engine's response, which has a refresh token only when that is a new one. */
  tokenResponse(body: EngineTokens, context: TokenResponseContext): object | Promise<object>;
  /** Default: the status, and a body with the error and its words. */
  tokenError?(words: Words): Reply;
}

/** One provider, put together. */
export type EmulatedProvider = Environment & Dialect;

/** Stands for "no scope" inside the engine, which requires at least one. */
export const NO_SCOPE = 'emulator:none';
