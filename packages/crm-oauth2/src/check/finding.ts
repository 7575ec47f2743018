/** One sentence of the report: what is right or wrong, and where to mend it. */
import { isOAuth2Error } from '../errors/oauth2-error';

/** `note` is advice, and `unknown` is a question that the provider did not answer. */
export type Verdict = 'right' | 'wrong' | 'unknown' | 'note';

/** The parts of a set-up that are checked, in the order of the report. */
export type Part =
  | 'variables'
  | 'callback'
  | 'reachable'
  | 'clock'
  | 'discovery'
  | 'keys'
  | 'authorization'
  | 'client'
  | 'login';

/** One result. No field holds a secret. */
export interface Finding {
  readonly part: Part;
  readonly verdict: Verdict;
  readonly says: string;
  /** Where to mend it. */
  readonly mend?: string | undefined;
  /** The code of the error behind it, as `docs/errors.md` lists it. */
  readonly code?: string | undefined;
  readonly host?: string | undefined;
}

/** Makes the findings of one part. */
export function findingsOf(part: Part) {
  const of =
    (verdict: Verdict) =>
    (says: string, rest: Pick<Finding, 'mend' | 'code' | 'host'> = {}): Finding => ({
      part,
      verdict,
      says,
      ...rest,
    });
  return { right: of('right'), wrong: of('wrong'), unknown: of('unknown'), note: of('note') };
}

/** True for an answer that came and was not read: a browser can read more. */
export function isUnread(error: unknown): boolean {
  return isOAuth2Error(error) && UNREAD.includes(error.code);
}

const UNREAD: readonly string[] = ['unexpected_content_encoding', 'response_too_large'];

/** A failure in the words of a finding. Any other error is a fault of this program, and is thrown on. */
export function failureOf(error: unknown): {
  words: string;
  rest: Pick<Finding, 'mend' | 'code' | 'host'>;
} {
  if (!isOAuth2Error(error)) throw error;
  const { code, host, hint } = error;
  // `salesloft: the host name could not be resolved`
  const words = error.message.replace(`${error.provider}: `, '');
  return { words, rest: { code, host, mend: remedyAlone(hint) } };
}

/** A sentence that names a fault, in place of a remedy. */
const NAMES_FAULT = /\b(?:is|are|was|does|do|did|could|has|have|failed|names|refuses)\b/;

/** A remedy often begins by naming the fault, which the finding has named already. */
export function remedyAlone(hint: string | undefined): string | undefined {
  const [first = '', ...rest] = hint?.split(/(?<=\.) (?=[A-Z])/) ?? [];
  return rest.length > 0 && NAMES_FAULT.test(first) ? rest.join(' ') : hint;
}
