/** From the words of a provider to the code of an error: a table of the provider, read here. */
import type { ErrorCode } from './codes';
import type { Stage } from './oauth2-error';

/** One row: words of the provider, and what they mean. The first row that fits decides. */
export interface Meaning {
  /** The `error` of an OAuth answer, or an API's own code; case, and `-` for `_`, do not matter. */
  readonly error?: string;
  /** Found in the words beside it. Without it the `error` alone decides. */
  readonly says?: RegExp;
  /** The stages in which the row holds. Default: all. */
  readonly stages?: readonly Stage[];
  readonly code: ErrorCode;
}

/** An error as a provider reports it, and the step in which it did. */
export interface Reported {
  error?: string | undefined;
  description?: string | undefined;
  stage: Stage;
}

/** What a provider means by an error, where its table says so. */
export function meaningOf(
  meanings: readonly Meaning[],
  { error = '', description = '', stage }: Reported,
): ErrorCode | undefined {
  return meanings.find(
    (row) =>
      (row.error === undefined || folded(row.error) === folded(error)) &&
      (row.says === undefined || row.says.test(description)) &&
      (row.stages === undefined || row.stages.includes(stage)),
  )?.code;
}

/** Salesforce spells `access-denied` in its documentation, and `OAUTH_APP_BLOCKED` on its pages. */
function folded(error: string): string {
  return error.replaceAll('-', '_').toLowerCase();
}
