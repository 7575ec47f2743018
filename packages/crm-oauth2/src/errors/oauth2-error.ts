/**
 * Errors: what a caller catches, and the one value every check throws.
 *
 * Checks and transports throw a {@link Problem}: a code, a sentence, a remedy, no idea of who asked.
 * The client knows provider, stage and host; {@link describe} joins the two into one of the three
 * classes that Passport apps already test with `instanceof`.
 */
import OAuth2Strategy = require('passport-oauth2');
import { HINTS } from './codes';

/** The step of a login, or of a token's later life, in which something failed. */
export type Stage =
  | 'authorize'
  | 'token'
  | 'id_token'
  | 'profile'
  | 'verify'
  | 'refresh'
  | 'client_credentials'
  | 'revoke'
  | 'introspect'
  | 'store'
  | 'api';

/** What every error of this family carries beside `name`, `message` and `stack`. */
export interface ErrorDetails {
  /** Stable; listed with cause and remedy in `docs/errors.md`. */
  code: string;
  /** `salesloft`, `salesos` or `salesforce`. */
  provider: string;
  stage: Stage;
  /** The host that was asked, with its port when it is not the default one. */
  host?: string;
  /** The HTTP status of the provider's answer, when there was one. */
  status?: number;
  /** What to do about it, in plain words. */
  hint?: string;
  /** How long the provider asks us to wait, in seconds (RFC 9110 §10.2.3). */
  retryAfterSeconds?: number;
  /** Set when a person or a browser refused, rather than something broke: the status to answer. */
  refusal?: 401 | 403;
  /** What went wrong underneath; never holds what was sent or received. */
  cause?: unknown;
}

type Where = Pick<ErrorDetails, 'provider' | 'stage' | 'host'>;

interface ProblemDetails extends Pick<
  ErrorDetails,
  'status' | 'hint' | 'retryAfterSeconds' | 'refusal' | 'cause'
> {
  /** RFC 6749 §4.1.2.1 and §5.2: a link of the provider that explains the error. */
  uri?: string;
  /** The provider's own `error`: from its token endpoint, or from the authorization response. */
  from?: 'token response' | 'authorization response';
}

/**
 * Something is wrong, said where it was noticed. Slots of a provider description throw it too.
 *
 * @param code stable code, a key of `docs/errors.md`
 * @param message one sentence without any value that was sent or received
 */
export class Problem extends Error {
  readonly code: string;
  readonly details: ProblemDetails;

  constructor(code: string, message: string, details: ProblemDetails = {}) {
    super(message);
    this.name = 'Problem';
    this.code = code;
    this.details = details;
  }
}

/** Assigns only what is known, so that a printed error shows no row of `undefined`. */
function assign(error: Error, details: Partial<ErrorDetails>): void {
  for (const [key, value] of Object.entries(details)) {
    if (value !== undefined && key !== 'cause') Object.assign(error, { [key]: value });
  }
  if (details.cause !== undefined) {
    Object.defineProperty(error, 'cause', {
      value: details.cause,
      configurable: true,
      writable: true,
    });
  }
  // passport-oauth2 takes the stack before it sets the message, so its first line says only "Error".
  Error.captureStackTrace(error, describe);
}

export interface AuthorizationError extends ErrorDetails {}
/** The provider answered the authorization request with an error (RFC 6749 §4.1.2.1). */
export class AuthorizationError extends OAuth2Strategy.AuthorizationError {
  declare code: string;
  declare status: number;
}

export interface TokenError extends ErrorDetails {}
/** The token endpoint answered with an error (RFC 6749 §5.2); `code` is its `error`. */
export class TokenError extends OAuth2Strategy.TokenError {
  declare code: string;
  declare status: number;
}

export interface InternalOAuthError extends ErrorDetails {}
/** No usable answer, or one that did not pass a check; `code` says which. */
export class InternalOAuthError extends OAuth2Strategy.InternalOAuthError {}

/** Any error this family rejects with. */
export type OAuth2Error = AuthorizationError | TokenError | InternalOAuthError;

/** Tells this family's errors from any other value that was thrown. */
export function isOAuth2Error(value: unknown): value is OAuth2Error {
  return (
    value instanceof AuthorizationError ||
    value instanceof TokenError ||
    value instanceof InternalOAuthError
  );
}

/**
 * Joins a problem with where it happened. Anything that is no problem (a bug, an error of the
 * application's own hook) passes through untouched.
 */
export function describe(problem: unknown, where: Where, hints: HintTable = {}): unknown {
  if (!(problem instanceof Problem)) return problem;
  const { code, details } = problem;
  const message = `${where.provider}: ${problem.message}`;
  const error =
    details.from === 'token response'
      ? new TokenError(message, code, details.uri, details.status)
      : details.from === 'authorization response'
        ? new AuthorizationError(message, code, details.uri)
        : new InternalOAuthError(message, details.cause);
  assign(error, {
    code,
    ...where,
    status: details.status,
    hint: hintFor(problem, where.stage, hints),
    retryAfterSeconds: details.retryAfterSeconds,
    refusal: details.refusal,
    cause: details.cause,
  });
  return error;
}

type LocatedWhere = Omit<Where, 'provider'> & { provider: { name: string; hints: HintTable } };

/**
 * Runs one step; a problem it meets is thrown as an error that says where it happened.
 *
 * @param where handed to the step, which may correct it on its way
 */
export async function located<W extends LocatedWhere, T>(
  where: W,
  step: (where: W) => T | Promise<T>,
): Promise<T> {
  try {
    return await step(where);
  } catch (error) {
    const { provider, ...rest } = where;
    throw describe(error, { ...rest, provider: provider.name }, provider.hints);
  }
}

/** Remedies by `code`, or by `stage.code`; a provider's own table wins over the shared one. */
export type HintTable = Readonly<Record<string, string>>;

/** The remedy for a problem: its own, else the provider's, else the one every provider shares. */
export function hintFor(problem: Problem, stage: Stage, hints: HintTable = {}): string | undefined {
  // The same code may want another remedy in another step: `refresh.invalid_grant`.
  const own = (table: HintTable) =>
    [`${stage}.${problem.code}`, problem.code]
      .filter((key) => Object.hasOwn(table, key))
      .map((key) => table[key])[0];
  return problem.details.hint ?? own(hints) ?? own(HINTS);
}

/**
 * A copy of an error of the platform that is safe to keep: Node hangs raw response bytes on parse
 * errors, and jose hangs the claims on its own; neither belongs in a log.
 */
export function bareCause(error: unknown, secrets: readonly (string | undefined)[] = []): Error {
  const source = error instanceof Error ? error : new Error(String(error));
  // jose quotes names from the header of a token that anybody may have written.
  const copy = new Error(quote(source.message, secrets));
  copy.name = source.name;
  if (source.stack !== undefined) copy.stack = source.stack.replace(source.message, copy.message);
  for (const key of ['code', 'errno', 'syscall', 'hostname', 'claim', 'reason'] as const) {
    const value: unknown = Reflect.get(source, key);
    if (typeof value === 'string' || typeof value === 'number')
      Object.assign(copy, { [key]: value });
  }
  return copy;
}

/** A text without the secrets we sent, in whatever encoding they come back. */
export function redact(text: string, secrets: readonly (string | undefined)[]): string {
  // The longest first: one secret may begin with another.
  const longestFirst = secrets.toSorted((a = '', b = '') => b.length - a.length);
  return longestFirst.reduce<string>(
    (safe, secret) => (secret ? safe.replace(echoOf(secret), '[redacted]') : safe),
    text,
  );
}

/**
 * Makes a provider's words fit for a message: without the secrets we sent it, without control
 * characters and marks of direction (log injection), and short.
 */
export function quote(text: string, secrets: readonly (string | undefined)[] = []): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  const controls = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]+/g;
  const safe = redact(text, secrets).replace(controls, ' ').trim();
  return safe.length > 300 ? `${safe.slice(0, 300)}…` : safe;
}

/** A secret as a provider may echo it: each character as sent, percent-encoded, or JSON-escaped. */
function echoOf(secret: string): RegExp {
  const characters = Array.from(secret, (character) => {
    const plain = character.replace(
      /[^]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
    // Gson writes `=` so, and .NET `+`: an override may parse the body itself. The longest form
    // first, since `u` and `%` begin one as well.
    const escaped = plain.replaceAll('\\', '\\\\');
    const encoded = Buffer.from(character).toString('hex').replace(/../g, '%$&');
    const forms = [escaped, encoded, `\\\\?${plain}`];
    if (character === ' ') forms.push('\\+');
    // A secret that was read with the newline of its file comes back as `\n`.
    if (character < ' ') forms.push(JSON.stringify(character).slice(1, -1).replace('\\', '\\\\'));
    return `(?:${forms.join('|')})`;
  });
  return new RegExp(characters.join(''), 'gi');
}
