/** The public types of the package: options, faults, people and the running emulator. */

/** The three providers that the emulator plays. */
export type ProviderName = 'salesloft' | 'salesos' | 'salesforce';

/**
 * The request that a fault is for. `callback` is the answer to the browser after the sign-in page; a
 * fault of `token` also meets refreshes, one of `refresh` meets nothing else.
 */
export type Step =
  | 'authorize'
  | 'callback'
  | 'token'
  | 'refresh'
  | 'profile'
  | 'jwks'
  | 'userinfo'
  | 'api'
  | 'revoke';

interface FaultTarget {
  /** The request that goes wrong. */
  step: Step;
  /** How many matching requests go wrong. Default 1; `Infinity`: all, until the faults are cleared. */
  times?: number;
}

type Content = { body?: unknown; headers?: Record<string, string> };

/** Faults of the connection. */
export type WireFault = FaultTarget &
  (
    | { kind: 'slow'; delayMs: number }
    /** As `slow`, but the request has its effect at once: a code is redeemed, a refresh token rotated. */
    | { kind: 'late'; delayMs: number }
    | { kind: 'silent' }
    | { kind: 'drip'; intervalMs?: number }
    | { kind: 'reset' }
    | { kind: 'reset-after-headers' }
    | { kind: 'cut' }
    | { kind: 'endless' }
    | { kind: 'huge'; bytes?: number }
    | { kind: 'gzip'; bytes?: number }
  );

/** Faults of the answer: a wrong body, status or header. */
export type AnswerFault = FaultTarget &
  (
    | { kind: 'html'; status?: number; title?: string }
    | ({ kind: 'status'; status: number; retryAfter?: number | string } & Content)
    | { kind: 'redirect'; location: string; status?: number }
    | { kind: 'wrong-content-type'; contentType?: string }
    | { kind: 'empty' }
    | { kind: 'not-json' }
    | { kind: 'json'; body: unknown; status?: number }
    /**
     * Merged into the JSON body, one level deep; `undefined` or `null` removes a field. At the steps
     * `callback` and `authorize`: merged into the callback's parameters.
     */
    | { kind: 'patch'; merge: Record<string, unknown> }
  );

/** Faults of the token response that take the signer, or what was granted. */
export type TokenFault = { step: 'token'; times?: number } & (
  | { kind: 'wrong-signature' }
  /** The scopes that allow a refresh token are not granted, although they were asked for. */
  | { kind: 'not-offline' }
  | {
      kind: 'id-token';
      alg?: 'none' | 'HS256' | 'unknown-kid' | 'no-kid' | 'bad-signature' | 'embedded-jwk';
      /** Merged into the claims before signing; `undefined` or `null` removes a claim. */
      claims?: Record<string, unknown>;
    }
);

/** Faults of the redirect back to the application: its parameters are lost, or come in the fragment. */
export interface CallbackFault {
  step: 'callback';
  kind: 'no-parameters' | 'fragment';
  times?: number;
}

export type Fault = WireFault | AnswerFault | TokenFault | CallbackFault;

/** A fault that has a name, in the words of its provider where it is a refusal. */
export interface NamedFault {
  /** The text on the sign-in page. */
  readonly label: string;
  readonly fault: Fault;
}

/** Changes to a fault that is queued by its name. */
export interface FaultChanges {
  times?: number;
  /** For faults that come late. */
  delayMs?: number;
  /** For faults with a status. */
  retryAfter?: number | string;
}

/** One request that reached an origin. Queries, bodies and credentials are not kept. */
export interface RequestRecord {
  method: string;
  path: string;
  /** Epoch milliseconds. */
  at: number;
  /** Names in lower case. Of `authorization` only the scheme is kept, of `cookie` nothing. */
  headers: Record<string, string>;
  /** 0 until the request is answered; stays 0 when a fault leaves it unanswered. */
  status: number;
  /** The error that the answer names. */
  error?: string;
}

/** Where a request went. */
export interface ProviderPlace {
  name: ProviderName;
  /** As on the pages: "Salesforce sandbox". */
  title: string;
  origin: string;
}

/** A person who can sign in. Fields that are left out get a default, some of them derived from the name. */
export interface Person {
  name: string;
  /** `null`: the person has no first name. */
  firstName?: string | null;
  lastName?: string;
  /** `null`: the person has no e-mail address. */
  email?: string | null;
  emailVerified?: boolean;
  active?: boolean;
  admin?: boolean;
  jobRole?: string;
  timeZone?: string;
  locale?: string;
  /** `false`: the Salesforce identity response has no `urls`. */
  urls?: boolean;
  /** Salesforce: the id of the org, 15 or 18 characters. A sandbox and a My Domain keep their own. */
  organizationId?: string;
  /** Salesloft: the id of the team. */
  teamId?: number;
  /** SalesOS: the ids or names of the organizations of this person. Default: the first organization. */
  organizations?: string[];
}

/** An organization of SalesOS. */
export interface Organization {
  /** `org_` and letters or digits. */
  id: string;
  /** In lower case. */
  name: string;
}

/** One more client of a provider. */
export interface ClientRegistration {
  provider: ProviderName;
  clientID: string;
  clientSecret: string;
  /** The only redirect URIs of this client. Default: those of every client without a list. */
  callbackURLs?: string[] | undefined;
}

export interface EmulatorOptions {
  /** 0, the default: a free port for each provider. N: the ports N, N + 1 and N + 2. */
  port?: number;
  /** The address to listen on, and the host of every origin. Default `127.0.0.1`. */
  host?: string;
  /** Redirect URIs to register. Those of this machine (loopback) always count as registered. */
  callbackURLs?: string[];
  /** Clients to register beside the one that `options` name. A code or token belongs to one client. */
  clients?: ClientRegistration[];
  /** Seconds. Default: Salesloft 7 200, SalesOS 86 400, Salesforce 7 200. */
  accessTokenTTL?: number | undefined;
  /** Seconds. Default: SalesOS 36 000, Salesforce 120. */
  idTokenTTL?: number;
  /** Seconds. Default: Salesloft and SalesOS 600, Salesforce 900. */
  codeTTL?: number;
  /** Default: SalesOS rotates, Salesforce does not. Salesloft always rotates. */
  refreshTokenRotation?: { salesos?: boolean; salesforce?: boolean };
  /** Salesforce only: ID Tokens have the standard claims too, as an app may choose in Setup. Default: no. */
  standardClaims?: boolean | undefined;
  /**
   * Default: required at Salesforce, allowed at the other two and in the tolerant mode. A challenge that
   * was sent is always checked.
   */
  pkce?: Pkce | Partial<Record<ProviderName, Pkce>>;
  /** Replaces the list of people who can sign in. */
  people?: Person[] | undefined;
  /** SalesOS only: adds the `iss` parameter of RFC 9207 to the callback. */
  sendIss?: boolean;
  /** SalesOS only: the organizations. Default: `harbour-bakery`, and `pine-street-cycles` without a member. */
  organizations?: readonly Organization[] | undefined;
  /** SalesOS only: takes a name for an `organization`, and sends `org_name`. Default true. */
  organizationNames?: boolean;
  /** SalesOS only: where the browser may go after a logout. URLs of this machine always count as allowed. */
  logoutURLs?: string[];
  /**
   * Salesforce only: origins of their own for the org, the issuer of ID Tokens, a sandbox and a My Domain.
   * `true`: the org, which is also the issuer, and a sandbox. Default: one origin is all of them, and
   * there is neither a sandbox nor a My Domain.
   */
  origins?: boolean | SalesforceOriginChoices;
  /**
   * Accepts what the real services tolerate: access tokens and client credentials in a query, and code
   * verifiers above 128 characters. For a comparison or a migration only.
   */
  tolerant?: boolean;
  /**
   * A file that keeps ports, keys and everything issued, so that tokens survive a restart. Only its owner
   * may read it. Made when it is missing.
   */
  state?: string | undefined;
  /** Called when a request was answered, or left unanswered. */
  onRequest?: ((request: RequestRecord, provider: ProviderPlace) => void) | undefined;
  /** Salesloft only: the keys (`ak` and 64 hexadecimal digits) that its API accepts. */
  apiKeys?: string[];
}

export type Pkce = 'allowed' | 'required';

/** `true`: an origin of its own; a number: the port of it. */
export interface SalesforceOriginChoices {
  /** Where people log in; it has an origin of its own in any case. */
  login?: boolean | number;
  /** The API and the identity URL: `instance_url`. */
  org?: boolean | number;
  /** The `iss` and the keys of ID Tokens. `'org'`: those of the org, as with My Domain. */
  issuer?: boolean | number | 'org';
  /** A second place to log in, with an org, tokens and keys of its own. */
  sandbox?: boolean | number;
  /** A third one, of another org. */
  myDomain?: boolean | number;
}

export interface SalesforceOrigins {
  readonly login: string;
  readonly org: string;
  readonly issuer: string;
  /** Undefined unless it was asked for. */
  readonly sandbox?: string | undefined;
  /** Missing unless it was asked for. */
  readonly myDomain?: string;
}

/** One provider, running. */
export interface ProviderEmulator<Options, Name extends string = string> {
  readonly origin: string;
  readonly clientID: string;
  readonly clientSecret: string;
  /** Spread these into the options of a strategy. */
  readonly options: Options;
  /** The last 10 000 requests that reached this origin, oldest first. */
  readonly requests: RequestRecord[];
  /** The faults that have a name, by that name. */
  readonly faults: Readonly<Record<Name, NamedFault>>;
  /**
   * Queues a fault for the next matching request.
   *
   * @throws {TypeError} when this provider cannot have it
   */
  fault(fault: Fault): void;
  /**
   * Queues the fault of this name.
   *
   * @throws {TypeError} when this provider has no such fault, or the fault no such field to change
   */
  fail(name: Name, changes?: FaultChanges): void;
  /** Forgets queued faults, and ends requests that a fault keeps open. */
  clearFaults(): void;
  /**
   * Deactivates a person, by name or e-mail address, or makes the person active again. The sessions of a
   * person who was deactivated end, and a refresh is refused in the provider's words.
   *
   * @throws {TypeError} for an unknown person
   */
  setActive(person: string, active: boolean): void;
}

export interface KeyRotation {
  /** Starts to sign with a new key. The old key stays published unless `retireOld` is true. */
  rotateKeys(options?: { retireOld?: boolean }): Promise<void>;
}

export interface Inviting {
  readonly organizations: readonly Organization[];
  /**
   * Invites a person, by name or e-mail address, to an organization, by id or name.
   *
   * @returns the parameters of the invitation link
   * @throws {TypeError} when either is unknown
   */
  invite(person: string, organization: string): Invitation;
}

/** As in the link that SalesOS mails: `organization_name` is not for the authorization request. */
export type Invitation = Record<'invitation' | 'organization' | 'organization_name', string>;

export interface MovableOrg {
  /** Where the parts of Salesforce are now. */
  readonly origins: SalesforceOrigins;
  /**
   * Moves the org to a new origin, which each later token response names as `instance_url`. The old one
   * answers API calls no longer.
   *
   * @returns the new origin
   */
  moveOrg(): Promise<string>;
}

type Credentials = Record<'clientID' | 'clientSecret', string>;

export type SalesloftOptions = Credentials &
  Record<'authorizationURL' | 'tokenURL' | 'profileURL', string>;
export type SalesosOptions = Credentials & { issuer: string };
export type SalesforceOptions = Credentials & { loginURL: string };
