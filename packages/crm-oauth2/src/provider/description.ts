/** The description of a provider: its facts, and pure functions for its oddities. It cannot skip a check. */
import type { HintTable } from '../errors/codes';
import type { Meaning } from '../errors/meanings';
import type {
  ClientAuthenticationMethod,
  ClientCredentials,
} from '../protocol/client-authentication';
import { ID_TOKEN_ALGORITHMS } from '../protocol/id-token';
import type { IdTokenAlgorithm, IdTokenClaims } from '../protocol/id-token';
import type { ProfileRequest } from '../protocol/profile-request';
import type { ReportedError } from '../protocol/token-endpoint';
import type { TokenSet } from '../protocol/token-set';
import { withoutUndefined } from '../values/json';
import type { Json, JsonObject } from '../values/json';
import type { OptionKind } from '../values/options';
import { mapStandardClaims, namesPerson } from './standard-claims';
import type { Profile } from './standard-claims';

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
  /** OpenID Connect RP-Initiated Logout §2. */
  endSessionEndpoint?: string;
  /** RFC 9207 §3: every authorization response has `iss`, so that one without it is refused. */
  authorizationResponseIssParameterSupported?: boolean;
}

/** The grants of RFC 6749 §4.1, §6 and §4.4, as `grant_type` spells them. */
export type GrantType = 'authorization_code' | 'refresh_token' | 'client_credentials';

/** How often an API may still be asked; each field where the provider says. */
export interface RateLimit {
  /** Requests or points in all. */
  limit?: number | undefined;
  /** Those of them that are left. */
  remaining?: number | undefined;
  /** The price of this request. */
  cost?: number | undefined;
  /** Epoch milliseconds at which `remaining` is `limit` again. */
  resetsAt?: number | undefined;
}

/** The facts and the options, for a slot. It sees neither the browser's request nor the network. */
export interface SlotContext<Options> {
  /** Name of the provider. */
  provider: string;
  options: Readonly<Options & ClientCredentials>;
  endpoints: Readonly<Endpoints>;
}

/**
 * Judges the value that one login chooses for an option. It may come from a visitor.
 *
 * @returns the value in the form in which it is kept
 * @throws {Problem} with `refusal`, for a value that is not allowed
 */
export type JudgeChoice<Options> = (value: unknown, options: Readonly<Options>) => string;

/** The context of `mapProfile`. */
export interface ProfileContext<Options = object> extends SlotContext<Options> {
  /** The text that the answer was read from. */
  raw: string;
  /** Tells whether `json` is the answer to `profileRequest`, or the claims of the ID Token where nothing was asked. */
  source: 'answer' | 'id_token';
  tokens: TokenSet;
  /** The claims of the verified ID Token. */
  claims?: IdTokenClaims;
}

/**
 * `defineProvider` fills in the defaults named here.
 *
 * @typeParam Options the provider's own options, beside the common ones
 * @typeParam P its profile
 */
export interface ProviderDescription<Options extends object = object, P extends Profile = Profile> {
  /** Strategy name, and `profile.provider`. */
  readonly name: string;
  /** The name people know: `Salesloft`. */
  readonly title: string;
  /** The provider's own options. A `url` is https, or http on a loopback host. Default: none. */
  readonly options?: Readonly<Record<keyof Options & string, OptionKind>>;
  endpoints(options: Readonly<Options>): Endpoints;
  /** Asked for when the application names no `scope`. Default: none. */
  readonly scope?: readonly string[];
  /** The encoding of token requests. Default: `form` (RFC 6749 §4.1.3). */
  readonly tokenRequestFormat?: 'json' | 'form';
  /** `false` where the token endpoint refuses a `scope` parameter. Default: `true`. */
  readonly scopeInTokenRequests?: boolean;
  /** How the client proves who it is (RFC 6749 §2.3.1). Default: `client_secret_post`. */
  readonly clientAuthentication?: ClientAuthenticationMethod;
  /**
   * `required`: `openid` is always asked for, and a login without an ID Token fails.
   * `when present`: verified if one comes. `none`: the provider has none. Default: `none`.
   */
  readonly idToken?: 'required' | 'when present' | 'none';
  /** The algorithms its ID Tokens are signed with, asymmetric ones only. Default: `RS256`. */
  readonly idTokenAlgorithms?: readonly IdTokenAlgorithm[];
  /** Typed extras of `authenticate`: our name → the wire name. Default: none. */
  readonly authorizationParameters?: Readonly<Record<string, string>>;
  /**
   * Wire names of questions that the ID Token must answer. The login keeps each question, and
   * `checkIdToken` compares it. Default: none. (`max_age` is always compared.)
   */
  readonly boundParameters?: readonly string[];
  /**
   * Codes by which a person is refused, beside those of the RFCs. A login then ends as `fail`, whether
   * the callback or the token endpoint said so.
   */
  readonly refusals?: readonly string[];
  /** The provider's words that mean another thing than its `error`; the first row that fits decides. */
  readonly meanings?: readonly Meaning[];
  /** Scopes that bring a refresh token, asked for under `offline: true`. Default: it needs none. */
  readonly offlineScopes?: readonly string[];
  /**
   * Own options that each login may choose, such as the host of an organization, with the judge of each.
   * The login keeps the choice, and its tokens do. Default: none.
   */
  readonly environment?: Readonly<
    Partial<Record<keyof Options & string, JudgeChoice<NoInfer<Options>>>>
  >;
  /** Remedies for the provider's own codes, and for shared codes where it has a better one. */
  readonly hints?: HintTable;
  /** Seconds an access token is taken to live when the token response does not say. */
  readonly assumedLifetime?: number;
  /** Seconds a refresh token lives: without being used, and from the login on. */
  readonly refreshTokenLifetime?: Readonly<{ idle?: number; absolute?: number }>;

  /** Parameters that the provider wants in every request of a kind, such as Auth0's `audience`. */
  requestParameters?(
    request: 'authorization' | GrantType,
    context: SlotContext<Options>,
  ): Readonly<Record<string, string>>;
  /** Reads an error of the token endpoint in words that RFC 6749 §5.2 does not know. */
  tokenError?(body: Readonly<JsonObject>): ReportedError | undefined;
  /** A check of the token response beyond RFC 6749, such as a signature. @throws {Problem} */
  checkTokenResponse?(
    response: JsonObject,
    context: SlotContext<Options> & { grantType: GrantType },
  ): void;
  /**
   * Fields of a token response that name a host to which the token must not go. A login with one is
   * refused (`untrusted_host`). A refresh leaves them out, so that no token is lost and the host of
   * the earlier response stays. Default: none.
   */
  untrustedFields?(
    response: Readonly<JsonObject>,
    context: SlotContext<Options>,
  ): readonly string[];
  /** Issuers an ID Token may name. Default: the configured one. */
  idTokenIssuers?(response: JsonObject, context: SlotContext<Options>): readonly string[];
  /** Where one of these issuers publishes its keys. Default: `jwksUri`. */
  keysOf?(issuer: string, context: SlotContext<Options>): string | undefined;
  /**
   * Judges an `iss` of the authorization response that is not the configured issuer. One that is
   * trusted must be among the `idTokenIssuers` of the token response. Default: none is.
   */
  trustsIssuer?(iss: string, context: SlotContext<Options>): boolean;
  /** Compares the ID Token with what the login asked: see `boundParameters`. @throws {Problem} */
  checkIdToken?(claims: IdTokenClaims, asked: Readonly<Record<string, string>>): void;
  /**
   * The person the tokens are for: the same text as `profile.id`. Default: the ID Token's `sub`.
   *
   * @throws {Problem} when the response and the claims name two people
   */
  subject?(tokens: TokenSet): string | undefined;
  /** The endpoints of the tokens' own organization, when it has its own host. @throws {Problem} */
  organizationEndpoints?(
    response: Readonly<JsonObject>,
    context: SlotContext<Options>,
  ): Partial<Endpoints>;
  /**
   * Where the profile is. `undefined`: the ID Token has it already. Default: the UserInfo endpoint,
   * unless the ID Token names the person.
   *
   * @throws {Problem} when the token response names no place that may be asked
   */
  profileRequest?(tokens: TokenSet, context: SlotContext<Options>): ProfileRequest | undefined;
  /**
   * Theirs → ours; pure. Default: standard claims, by {@link mapStandardClaims}.
   *
   * @throws {Problem} `invalid_profile` and the like
   */
  mapProfile?(json: Json, context: ProfileContext<Options>): P;
  /**
   * The names of the organization that the person signed in from: one, or an id and a name. See
   * `allowedOrganizations`. `profile` is absent under `skipUserProfile`.
   */
  organizationsOf?(login: Readonly<{ tokens: TokenSet; profile?: P }>): readonly string[];
  /** An entry of `allowedOrganizations` in the form of `organizationsOf`; `undefined` when it can match none. */
  readOrganization?(entry: string): string | undefined;
  /** Reads the headers of an API answer that say how often the API may still be asked. */
  rateLimit?(header: (name: string) => string | undefined): RateLimit;
}

const DEFAULTS = {
  options: {},
  scope: [],
  tokenRequestFormat: 'form',
  scopeInTokenRequests: true,
  clientAuthentication: 'client_secret_post',
  idToken: 'none',
  idTokenAlgorithms: ['RS256'],
  authorizationParameters: {},
  boundParameters: [],
  refusals: [],
  meanings: [],
  offlineScopes: [],
  environment: {},
  hints: {},
  subject: ({ claims }) => claims?.sub,
  profileRequest: ({ claims }, { endpoints: { userInfoEndpoint: url } }) =>
    url === undefined || namesPerson(claims) ? undefined : { url },
  mapProfile: mapStandardClaims,
} as const satisfies Partial<ProviderDescription>;

/** A described provider, ready for a client: made by {@link defineProvider}, and frozen. */
export type Provider<
  Options extends object = object,
  P extends Profile = Profile,
> = ProviderDescription<Options, P> &
  Required<Pick<ProviderDescription<Options, P>, keyof typeof DEFAULTS>> & {
    /** Our name → the wire name: `authorizationParameters`, and `maxAge`, which every provider has. */
    readonly extras: Readonly<Record<string, string>>;
  };

/**
 * Fills in the defaults, and freezes the description, so that an application cannot change a provider
 * for other users of it.
 *
 * @throws {TypeError} for an ID Token algorithm that is symmetric, `none` or unknown, and for
 * `boundParameters` without `checkIdToken`, or the other way round
 * @example
 * export const acme = defineProvider<AcmeOptions, AcmeProfile>({ name: 'acme', title: 'Acme', … });
 */
export function defineProvider<Options extends object = object, P extends Profile = Profile>(
  description: ProviderDescription<Options, P>,
): Provider<Options, P> {
  const described = { ...DEFAULTS, ...withoutUndefined(description) } as Omit<
    Provider<Options, P>,
    'extras'
  >;
  // Where there is no ID Token to obey `max_age`, a login with it is refused (OpenID Connect Core §3.1.2.1).
  const extras = { maxAge: 'max_age', ...described.authorizationParameters };
  const provider: Provider<Options, P> = { ...described, extras };
  // An HMAC key would be the client secret; with `none` there is no signature (RFC 8725 §3.1, §3.2).
  const refused = provider.idTokenAlgorithms.find((name) => !ID_TOKEN_ALGORITHMS.includes(name));
  if (refused !== undefined || provider.idTokenAlgorithms.length === 0) {
    throw new TypeError(
      `${provider.title}: idTokenAlgorithms must name asymmetric algorithms, of ${ID_TOKEN_ALGORITHMS.join(', ')}`,
    );
  }
  if (provider.boundParameters.length > 0 !== (provider.checkIdToken !== undefined)) {
    throw new TypeError(
      `${provider.title}: checkIdToken compares the boundParameters; describe both or neither`,
    );
  }
  for (const value of Object.values(provider)) if (typeof value === 'object') Object.freeze(value);
  return Object.freeze(provider);
}
