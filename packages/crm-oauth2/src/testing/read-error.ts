/** An error of a provider as the client reads it, so that a provider can test each of its `meanings`. */
import type { ErrorCode } from '../errors/codes';
import { reportedProblem } from '../errors/meanings';
import type { Reported, Vocabulary } from '../errors/meanings';

/** The meaning of an error of a provider. */
export interface ErrorReading {
  code: ErrorCode;
  /** The remedy, where the row of `meanings` has one of its own. */
  hint: string | undefined;
  /** The status by which a login is refused, where the person is refused; a fault has none. */
  refusal: 400 | 401 | 403 | undefined;
}

/**
 * Reads an error by `meanings`, `refusals` and `hints` of a description.
 *
 * @param reported the `error`, the words beside it, and the step in which the provider says them
 * @example
 * readError(acme, { stage: 'refresh', error: 'invalid_grant', description: 'inactive user' }).code
 */
export function readError(
  vocabulary: Vocabulary,
  reported: Reported & { error: string },
): ErrorReading {
  const own = { ...reported, otherwise: 'unexpected_status' } as const;
  const { code, details } = reportedProblem(own, vocabulary, [], {});
  return { code, hint: details.hint, refusal: details.refusal };
}
