/** The three providers the emulator stands in for. */
export type ProviderName = 'salesloft' | 'salesos' | 'salesforce';

/** The requests a fault can be aimed at. */
export type Step = 'authorize' | 'token' | 'profile' | 'jwks' | 'userinfo' | 'api' | 'revoke';

interface Aimed {
  /** Which request misbehaves. */
  step: Step;
  /** How many matching requests misbehave before things are well again. Default 1. */
  times?: number;
}

/** Faults of the wire: what the socket does. */
export type WireFault = Aimed &
  (
    | { kind: 'slow'; delayMs: number }
    | { kind: 'silent' }
    | { kind: 'drip'; intervalMs?: number }
    | { kind: 'reset' }
    | { kind: 'reset-after-headers' }
    | { kind: 'cut' }
    | { kind: 'endless' }
    | { kind: 'huge'; bytes?: number }
    | { kind: 'gzip'; bytes?: number }
  );

/** Faults of the answer: another body, status or header than the right one. */
export type AnswerFault = Aimed &
  (
    | { kind: 'html' }
    | { kind: 'status'; status: number; retryAfter?: number | string; body?: unknown }
    | { kind: 'redirect'; location: string; status?: number }
    | { kind: 'wrong-content-type'; contentType?: string }
    | { kind: 'empty' }
    | { kind: 'not-json' }
    | { kind: 'json'; body: unknown; status?: number }
    /** Shallow-merged into the JSON body; `undefined` or `null` removes a field. At step `authorize`: into the callback's parameters. */
    | { kind: 'patch'; merge: Record<string, unknown> }
  );

/** Lies of the token response, signed as convincingly as the lie allows. */
export type TokenFault = { step: 'token'; times?: number } & (
  | { kind: 'wrong-signature' }
  | {
      kind: 'id-token';
      alg?: 'none' | 'HS256' | 'unknown-kid' | 'no-kid' | 'bad-signature' | 'embedded-jwk';
      /** Merged into the claims before signing; `undefined` or `null` removes a claim. */
      claims?: Record<string, unknown>;
    }
);

export type Fault = WireFault | AnswerFault | TokenFault;

/** One request that reached an origin. Queries, bodies and credentials are not kept. */
export interface RequestRecord {
  method: string;
  path: string;
  /** Epoch milliseconds. */
  at: number;
  /** Lower-case names; `authorization` holds the scheme only, `cookie` nothing of use. */
  headers: Record<string, string>;
  /** 0 until answered, and for ever if a fault leaves the request unanswered. */
  status: number;
}

/** Somebody who can sign in. What is left out is derived from the name. */
export interface Person {
  name: string;
  /** `null`: has no first name. */
  firstName?: string | null;
  lastName?: string;
  /** `null`: has no e-mail address. */
  email?: string | null;
  emailVerified?: boolean;
  active?: boolean;
  admin?: boolean;
  jobRole?: string;
  timeZone?: string;
  locale?: string;
  /** `false`: the Salesforce identity response has no `urls`. */
  urls?: boolean;
}

export interface EmulatorOptions {
  /** 0, the default: a free port for each provider. N: N, N + 1 and N + 2. */
  port?: number;
  /** The address to listen on, and the host of every origin. Default `127.0.0.1`. */
  host?: string;
  /** Registered redirect URIs beyond the loopback ones, which are always taken as registered. */
  callbackURLs?: string[];
  accessTokenTTL?: number;
  idTokenTTL?: number;
  codeTTL?: number;
  /** Salesloft always rotates. SalesOS rotates, Salesforce does not, unless told otherwise. */
  refreshTokenRotation?: { salesos?: boolean; salesforce?: boolean };
  /** Default: required at Salesforce, allowed at the other two. Enforced whenever a challenge was sent. */
  pkce?: Pkce | Partial<Record<ProviderName, Pkce>>;
  /** Replaces the list of people. */
  people?: Person[];
  /** SalesOS only: send the `iss` parameter of RFC 9207 with the callback. */
  sendIss?: boolean;
  /** Salesloft only: API keys (`ak` and 64 hexadecimal digits) the API accepts. */
  apiKeys?: string[];
}

export type Pkce = 'allowed' | 'required';

/** One provider, running. */
export interface ProviderEmulator<Options> {
  readonly origin: string;
  readonly clientID: string;
  readonly clientSecret: string;
  /** What to spread into the strategy's options. */
  readonly options: Options;
  /** Every request that reached this origin, oldest first; the last 10 000. */
  readonly requests: RequestRecord[];
  /** Queues a fault. */
  fault(fault: Fault): void;
  /** Forgets queued faults and ends the ones at work. */
  clearFaults(): void;
}

export interface KeyRotation {
  /** Makes a new signing key current. The old one stays published unless `retireOld`. */
  rotateKeys(options?: { retireOld?: boolean }): Promise<void>;
}

interface Credentials {
  clientID: string;
  clientSecret: string;
}

export interface SalesloftOptions extends Credentials {
  authorizationURL: string;
  tokenURL: string;
  profileURL: string;
}

export interface SalesosOptions extends Credentials {
  issuer: string;
}

export interface SalesforceOptions extends Credentials {
  loginURL: string;
}

export interface Emulator {
  readonly salesloft: ProviderEmulator<SalesloftOptions>;
  readonly salesos: ProviderEmulator<SalesosOptions> & KeyRotation;
  readonly salesforce: ProviderEmulator<SalesforceOptions> & KeyRotation;
  /** Closes every socket at once. */
  close(): Promise<void>;
}
