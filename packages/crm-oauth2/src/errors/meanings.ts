/** From the words of a provider to a problem: its code, its remedy, and whether a person is refused. */
import { HINTS } from './codes';
import type { ErrorCode, HintTable } from './codes';
import type { Stage } from './oauth2-error';
import { Problem } from './problem';
import type { ProblemDetails } from './problem';
import { quote, redact } from './redaction';

/** One row: words of the provider, and what they mean. The first row that fits decides. */
export interface Meaning {
  /** The `error` of an OAuth answer, or an API's own code, or several; case, and `-` for `_`, do not matter. */
  readonly error?: string | readonly string[];
  /** Found in the words beside it. Without it the `error` alone decides. */
  readonly says?: RegExp;
  /** The stages in which the row holds. Default: all. */
  readonly stages?: readonly Stage[];
  /** Default: the `error` itself. */
  readonly code?: ErrorCode;
  /** The remedy, where the words have another one than the code. */
  readonly hint?: string;
}

/** An error as a provider reports it, and the step in which it did. */
export interface Reported {
  error?: string | undefined;
  description?: string | undefined;
  stage: Stage;
}

/** The row for an error, where the provider's table has one. */
export function meaningOf(
  meanings: readonly Meaning[],
  { error = '', description = '', stage }: Reported,
): Meaning | undefined {
  return meanings.find(
    (row) =>
      (row.error === undefined ||
        [row.error].flat().some((one) => folded(one) === folded(error))) &&
      // Not `test`, which begins where a flag `g` stopped.
      description.search(row.says ?? '') >= 0 &&
      (row.stages === undefined || row.stages.includes(stage)),
  );
}

/** The part of a description by which the provider's errors are read. */
export interface Vocabulary {
  readonly meanings?: readonly Meaning[];
  readonly refusals?: readonly string[];
  readonly hints?: HintTable;
}

/** Codes by which a person or a browser refuses (RFC 6749 §4.1.2.1, OIDC Core §3.1.2.6). */
const REFUSALS: readonly string[] = [
  'access_denied',
  'login_required',
  'consent_required',
  'interaction_required',
  'account_selection_required',
  'unmet_authentication_requirements',
];

/** Fewer characters stand in a word by chance. */
const SHORTEST_SECRET = 4;

/** The steps in which a person waits: a refusal there is an answer to the person. */
const LOGIN: readonly Stage[] = ['authorize', 'token', 'profile'];

/** The status of Passport's `fail`, for a code by which a person is refused during a login. */
export function refusalOf(
  code: ErrorCode,
  stage: Stage,
  { refusals = [] }: Vocabulary,
): { refusal?: 401 } {
  const isRefusal = LOGIN.includes(stage) && [...REFUSALS, ...refusals].includes(code);
  return isRefusal ? { refusal: 401 } : {};
}

/**
 * The problem of an error that a provider reported. Its `error` becomes the code only if it is a word,
 * and none of the secrets.
 *
 * @param reported.otherwise the code of an `error` that is not a word
 * @param secrets what was sent, so that a provider's echo of it never reaches a message
 */
export function reportedProblem(
  reported: Reported & { error: string; otherwise: ErrorCode },
  vocabulary: Vocabulary,
  secrets: readonly (string | undefined)[],
  details: ProblemDetails,
): Problem {
  const { error, description, stage, otherwise } = reported;
  const { meanings = [], refusals = [], hints = {} } = vocabulary;
  const longSecrets = secrets.filter((secret = '') => secret.length >= SHORTEST_SECRET);
  const isWord =
    /^[\w.-]{1,64}$/.test(error) &&
    !secrets.includes(error) &&
    redact(error, longSecrets) === error;
  const word = isWord ? error : otherwise;
  const meaning = meaningOf(meanings, { error: word, description, stage });
  const listed = [...REFUSALS, ...refusals, ...Object.keys(hints), ...Object.keys(HINTS)];
  const spelled = listed.find((name) => folded(name) === folded(word)) ?? word;
  const code = meaning?.code ?? (spelled as ErrorCode);
  const words = quote(description ?? (isWord ? '' : error), secrets);
  const own = folded(code) === folded(word) ? '' : ` (${word})`;
  return new Problem(code, `${code}${words && `: ${words}`}${own}`, {
    hint: meaning?.hint,
    reported: { error: word, error_description: words || undefined, error_uri: details.uri },
    ...refusalOf(code, stage, vocabulary),
    ...details,
  });
}

/** Names the redirect URI that the provider did not accept, so that it can be compared with the registered one. */
export function withRedirectUri(problem: Problem, redirectUri: string | undefined): Problem {
  const isAbout = problem.code === 'redirect_uri_mismatch' && redirectUri !== undefined;
  if (isAbout) problem.message += `; sent: ${redirectUri}`;
  return problem;
}

/** Salesforce spells `access-denied` in its documentation, and `OAUTH_APP_BLOCKED` on its pages. */
function folded(error: string): string {
  return error.replaceAll('-', '_').toLowerCase();
}
