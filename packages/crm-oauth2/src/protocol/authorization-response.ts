/** Every check on the callback, in order, in one function. */
import type { ErrorCode } from '../errors/codes';
import { reportedProblem, withRedirectUri } from '../errors/meanings';
import type { Vocabulary } from '../errors/meanings';
import { Problem, isProblem } from '../errors/problem';
import { quote } from '../errors/redaction';
import { ownFields } from '../values/json';
import { isPending } from './login-attempt';
import type { LoginAttempt } from './login-attempt';

/** RFC 6749 §4.1.2 and §4.1.2.1, RFC 9207 §2. Other parameters are ignored, as §4.1.2 asks. */
const PARAMETERS = ['code', 'state', 'iss', 'error', 'error_description', 'error_uri'] as const;
type ResponseParameters = Partial<Record<(typeof PARAMETERS)[number], string>>;

/** The sentence of each {@link MissingAttempt}. */
export const MISSING_ATTEMPT = {
  session_missing: 'there is no session to find the pending login in',
  state_unknown: 'no pending login has this state',
  state_expired: 'the pending login has expired',
  already_completed: 'this login was finished already',
} as const;

/** Why a store has no attempt for a `state`. */
export type MissingAttempt = keyof typeof MISSING_ATTEMPT;

/** Characters of one parameter. Real codes are shorter. */
const MAX_PARAMETER_LENGTH = 4096;

/** Characters of an issuer that a stranger may have written. */
const MAX_UNPROVEN_LENGTH = 100;

declare const validated: unique symbol;

/** An authorization response that passed every check; only `validateAuthorizationResponse` makes one. */
export interface ValidatedAuthorizationResponse {
  readonly code: string;
  readonly attempt: LoginAttempt;
  /** `iss`, where it is not the configured issuer: the token response must prove it. */
  readonly issuer?: string;
  readonly [validated]: true;
}

/** The facts that the answer to one attempt must match. */
export interface ExpectedAuthorizationResponse {
  /** {@link OAuth2Client.fingerprint}. */
  client: string;
  issuer?: string;
  /** `ProviderDescription.trustsIssuer` */
  trustsIssuer?: (iss: string) => boolean;
  /** RFC 9207 §3: the server says that every response of it names the issuer. */
  namesIssuer?: boolean;
}

/** The pending logins, and who judges the answer to each. */
export interface PendingLogins {
  /** Removes and returns the attempt of a `state`; called before anything else is believed. */
  take: (state: string) => LoginAttempt | MissingAttempt | Promise<LoginAttempt | MissingAttempt>;
  /** The client that began the attempt says. */
  expect: (
    attempt: LoginAttempt,
  ) => ExpectedAuthorizationResponse | Promise<ExpectedAuthorizationResponse>;
  /** The provider's own words. */
  vocabulary?: Vocabulary;
}

/** Tells an authorization response from a request that starts a login. */
export function isAuthorizationResponse(parameters: Readonly<Record<string, unknown>>): boolean {
  return ['code', 'error', 'state'].some((name) => parameters[name] !== undefined);
}

/**
 * @param parameters the callback's parameters, as the framework parsed them
 * @throws {Problem} with `refusal` 403 for a response that does not belong to a pending login of this
 * browser, 401 when the person refused, and without `refusal` when the provider reports a fault
 */
export async function validateAuthorizationResponse(
  parameters: Readonly<Record<string, unknown>>,
  pending: PendingLogins,
): Promise<ValidatedAuthorizationResponse> {
  const response = singleValued(parameters);
  const { attempt, issuer } = await ownAttempt(response, pending).catch((error: unknown) => {
    if (isProblem(error)) error.message += alsoReported(response);
    throw error;
  });
  if (response.error !== undefined) {
    throw withRedirectUri(reportedError(response, pending.vocabulary ?? {}), attempt.redirectUri);
  }
  if (!response.code) throw refuse('code_missing', 'the response has neither code nor error');
  const { code } = response;
  const checked = issuer === undefined ? { code, attempt } : { code, attempt, issuer };
  return checked as ValidatedAuthorizationResponse;
}

function refuse(code: ErrorCode, message: string): Problem {
  return new Problem(code, message, { refusal: 403 });
}

/** RFC 6749 §3.1: parameters must not be included more than once. */
function singleValued(parameters: Readonly<Record<string, unknown>>): ResponseParameters {
  const response: ResponseParameters = {};
  for (const name of PARAMETERS) {
    const value = singleValue(parameters, name);
    if (value !== undefined) response[name] = value;
  }
  return response;
}

/**
 * A parameter that a browser has brought.
 *
 * @throws {Problem} `repeated_parameter`, `parameter_too_long`
 */
export function singleValue(
  parameters: Readonly<Record<string, unknown>>,
  name: string,
): string | undefined {
  const value = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw refuse('repeated_parameter', `${name} is not one string`);
  if (value.length > MAX_PARAMETER_LENGTH) {
    throw refuse('parameter_too_long', `${name} is too long`);
  }
  return value;
}

/** RFC 6749 §10.12, RFC 9700 §4.7: the response answers a request of this browser, once. */
async function ownAttempt(
  { state, code, iss }: ResponseParameters,
  { take, expect }: PendingLogins,
): Promise<{ attempt: LoginAttempt; issuer: string | undefined }> {
  if (!state) throw refuse('state_missing', 'the response has no state');
  // A store that finds nothing may return `undefined` in place of a reason.
  const taken = (await take(state)) ?? 'state_unknown';
  if (typeof taken === 'string') throw refuse(taken, MISSING_ATTEMPT[taken]);
  const attempt = ownFields(taken);
  if (!isPending(attempt)) throw refuse('state_expired', MISSING_ATTEMPT.state_expired);
  if (attempt.state !== state) throw refuse('state_unknown', MISSING_ATTEMPT.state_unknown);
  const expected = await expect(attempt);
  if (attempt.client !== expected.client) {
    throw refuse('state_of_another_client', 'the pending login is of another client');
  }
  // RFC 9207 §2.4: where it is not promised, `iss` is optional. It must be the issuer when it comes.
  if (iss === undefined && expected.namesIssuer) {
    throw refuse('iss_missing', 'the response does not name its issuer');
  }
  if (iss !== undefined && iss !== expected.issuer && !expected.trustsIssuer?.(iss)) {
    const came = quote(iss, [code, state], MAX_UNPROVEN_LENGTH);
    const own = expected.issuer === undefined ? 'none is known' : `expected "${expected.issuer}"`;
    throw refuse('issuer_mismatch', `iss is "${came}" (unproven), ${own}`);
  }
  return { attempt, issuer: iss === expected.issuer ? undefined : iss };
}

/** Beside another fault, `error` may be a stranger's: only its word is told, and nothing follows from it. */
function alsoReported({ error = '', code, state }: ResponseParameters): string {
  const isWord = /^[\w.-]{1,64}$/.test(error) && ![code, state].includes(error);
  return isWord ? `; the answer also reported "${error}"` : '';
}

/** RFC 6749 §4.1.2.1. After `state`, because a stranger can forge an error too. */
function reportedError(
  { error = '', error_description, error_uri, code, state }: ResponseParameters,
  vocabulary: Vocabulary,
): Problem {
  const secrets = [code, state];
  return reportedProblem(
    {
      error,
      description: error_description,
      stage: 'authorize',
      otherwise: 'server_error',
    },
    vocabulary,
    secrets,
    {
      reportedIn: 'authorization response',
      uri: error_uri && quote(error_uri, secrets),
    },
  );
}
