/** A problem as a check states it: a code and a sentence, with no idea of who asked. */
import type { ApiError } from './api-errors';
import type { ErrorCode } from './codes';

/** Fields of a problem that reach the `OAuth2Error` made of it. */
export interface ProblemDetails {
  /** The HTTP status of the provider's answer, when there was one. */
  status?: number;
  /** The remedy, in plain words. A problem may have its own in place of the one of the tables. */
  hint?: string;
  /** How long to wait before the same request is sent again, in seconds (RFC 9110 §10.2.3). */
  retryAfterSeconds?: number;
  /** Set when the person or the browser caused it: the status to answer with. */
  refusal?: 400 | 401 | 403;
  /** The API's own code, where it has one: `UNABLE_TO_LOCK_ROW`. */
  apiCode?: string;
  /** The entries of the list, when the API reports several errors, or names fields; 20 at most. */
  apiErrors?: readonly ApiError[];
  /** RFC 6749 §4.1.2.1 and §5.2: a page of the provider that explains its error. */
  uri?: string;
  /** Set when the provider itself reported the error, and where. */
  reportedIn?: 'authorization response' | 'token response';
  /** The provider's error by its wire names, redacted. Not enumerable: the message says the same. */
  reported?: {
    readonly [Name in 'error' | 'error_description' | 'error_uri']?: string | undefined;
  };
  /** The failure underneath; it must not hold anything that was sent or received. */
  cause?: unknown;
}

/**
 * Thrown by checks, and by the slots of a provider description. The client adds provider, stage and
 * host, and rejects with an `OAuth2Error`.
 *
 * @param code stable code, listed in `docs/errors.md`
 * @param message one sentence without any value that was sent or received
 */
export class Problem extends Error {
  readonly code: ErrorCode;
  readonly details: ProblemDetails;

  constructor(code: ErrorCode, message: string, details: ProblemDetails = {}) {
    super(message);
    this.name = 'Problem';
    this.code = code;
    this.details = details;
  }
}

/** On the prototype of every problem. Two copies of this package share it. */
const BRAND = Symbol.for('crm-oauth2.problem');
Object.defineProperty(Problem.prototype, BRAND, { value: true });

export function isProblem(value: unknown): value is Problem {
  return value instanceof Error && Reflect.get(value, BRAND) === true;
}
