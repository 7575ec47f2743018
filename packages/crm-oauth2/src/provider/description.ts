/**
 * What a provider must tell us. A description holds facts, each with its source, and a few pure
 * functions for what is odd about the provider; it contains no protocol and cannot skip a check.
 */
import type { HintTable } from '../errors/oauth2-error';
import type { IdTokenClaims } from '../protocol/id-token';
import type { Json, JsonObject } from '../values/json';
import type { TokenSet } from '../protocol/token-set';

/** Where to ask; the names are those of RFC 8414 §2 and OpenID Connect Discovery §3. */
export interface Endpoints {
  authorizationEndpoint: string;
  tokenEndpoint: string;
  userInfoEndpoint?: string;
  revocationEndpoint?: string;
  /** RFC 7662. */
  introspectionEndpoint?: string;
  /** Compared with `iss` in the authorization response (RFC 9207) and in the ID Token. */
  issuer?: string;
  jwksUri?: string;
}

/** Passport's normalized profile (Portable Contacts), as every strategy of the family fills it. */
export interface Profile {
  provider: string;
  /** Stable and unique at the provider: the key for your accounts. */
  id: string;
  displayName: string;
  username?: string;
  name?: { familyName?: string; givenName?: string; middleName?: string };
  /** `verified` only where the provider says so. An address is no key: never link accounts by it. */
  emails?: { value: string; verified?: boolean }[];
  photos?: { value: string }[];
  /** The text the profile was read from: the answer's body, or the ID Token's claims as JSON. */
  _raw: string;
  /** The same, parsed. */
  _json: JsonObject;
}

/** How to ask for the profile; `undefined` from the slot means that the ID Token already has it. */
export interface ProfileRequest {
  url: string | URL;
  /**
   * Hosts other than those of the endpoints that may receive the access token. When given,
   * redirects are followed by hand, and each target must pass.
   */
  trusts?: (url: URL) => boolean;
}

/** The grants of RFC 6749 §4.1, §6 and §4.4, as `grant_type` spells them. */
export type GrantType = 'authorization_code' | 'refresh_token' | 'client_credentials';

/** How often an API may still be asked; each field where the provider says. */
export interface RateLimit {
  /** Requests or points in all. */
  limit?: number | undefined;
  /** Of these, how many are left. */
  remaining?: number | undefined;
  /** What this request cost. */
  cost?: number | undefined;
  /** Epoch milliseconds at which `remaining` is `limit` again. */
  resetsAt?: number | undefined;
}

/** What a slot may look at: never the request of the browser, never the network. */
export interface SlotContext<Options> {
  options: Readonly<Options & ClientCredentials>;
  endpoints: Readonly<Endpoints>;
}

export interface ClientCredentials {
  clientID: string;
  clientSecret?: string;
}

/** The value an own option of a provider takes. */
export type OptionKind = 'url' | 'string' | 'boolean';

/**
 * @typeParam Options the provider's own options, beside the common ones
 * @typeParam P its profile
 */
export interface ProviderDescription<Options extends object = object, P extends Profile = Profile> {
  /** Strategy name, and `profile.provider`. */
  readonly name: string;
  /** For people: `Salesloft`. */
  readonly title: string;
  /** The provider's own options. A `url` is https, or http on a loopback host. */
  readonly options: Readonly<Record<keyof Options & string, OptionKind>>;
  readonly endpoints: (options: Readonly<Options>) => Endpoints;
  /** Asked for when the application names no `scope`. */
  readonly scope: readonly string[];
  /** The encoding of token requests. */
  readonly tokenRequestFormat: 'json' | 'form';
  /** `false` where the token endpoint refuses a `scope` parameter. */
  readonly scopeInTokenRequests: boolean;
  /**
   * `required`: `openid` is always asked for and a login without an ID Token fails.
   * `when present`: verified if one comes. `none`: the provider has none.
   */
  readonly idToken: 'required' | 'when present' | 'none';
  /** Typed extras of `authenticate`: our name → the wire name. */
  readonly authorizationParameters: Readonly<Record<string, string>>;
  /** Authorization errors by which a person or a browser refuses, beside those of the RFCs. */
  readonly refusals: readonly string[];
  /** Remedies for the provider's own codes. */
  readonly hints: HintTable;
  /** Parameters the provider wants in every request of a kind, such as Auth0's `audience`. */
  readonly requestParameters?: (
    request: 'authorization' | GrantType,
    context: SlotContext<Options>,
  ) => Readonly<Record<string, string>>;
  /** Seconds an access token is taken to live when the token response does not say. */
  readonly assumedLifetime?: number;
  /** Seconds a refresh token lives: without being used, and from the login on. */
  readonly refreshTokenLifetime?: Readonly<{ idle?: number; absolute?: number }>;
  /** Whom tokens are for, where the token response says: the same text as `profile.id`. */
  readonly subject?: (tokens: TokenSet) => string | undefined;
  /** Where the tokens' own organization answers, when that is another host. @throws {Problem} */
  readonly organizationEndpoints?: (
    response: Readonly<JsonObject>,
    context: SlotContext<Options>,
  ) => Partial<Endpoints>;
  /** A code of its own for what an `error` of the token endpoint means besides. */
  readonly tokenErrorCode?: (error: string, description: string) => string | undefined;
  /** What the headers of an API answer say about how often it may still be asked. */
  readonly rateLimit?: (header: (name: string) => string | undefined) => RateLimit;
  /** Issuers an ID Token may name, when the configured one is not the only one. */
  readonly idTokenIssuers?: (
    response: JsonObject,
    context: SlotContext<Options>,
  ) => readonly string[];
  /** A check of the token response beyond RFC 6749, such as a signature. @throws {Problem} */
  readonly checkTokenResponse?: (
    response: JsonObject,
    context: SlotContext<Options> & { grantType: GrantType },
  ) => void;
  /** @throws {Problem} when the token response names no place that may be asked */
  readonly profileRequest: (
    tokens: TokenSet,
    context: SlotContext<Options>,
  ) => ProfileRequest | undefined;
  /** Theirs → ours; pure. @throws {Problem} `invalid_profile` and the like */
  readonly mapProfile: (
    json: Json,
    context: SlotContext<Options> & { raw: string; tokens: TokenSet; claims?: IdTokenClaims },
  ) => P;
}

/**
 * Freezes a description, so that no application can bend a provider for everybody else.
 *
 * @example
 * export const acme = defineProvider<AcmeOptions, AcmeProfile>({ name: 'acme', title: 'Acme', … });
 */
export function defineProvider<Options extends object, P extends Profile>(
  description: ProviderDescription<Options, P>,
): ProviderDescription<Options, P> {
  const frozen = { ...description };
  for (const value of Object.values(frozen)) if (typeof value === 'object') Object.freeze(value);
  return Object.freeze(frozen);
}
