/** The error that callers catch, and how a problem becomes one. */
import { HINTS } from './codes';
import type { ErrorCode, HintTable } from './codes';
import { isProblem } from './problem';
import type { ProblemDetails } from './problem';

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
  | 'logout'
  | 'discover'
  | 'store'
  | 'api';

/** The provider, the step and the host that a problem is about. */
interface Where {
  provider: { readonly name: string; readonly hints: HintTable };
  stage: Stage;
  host?: string;
}

/** On the prototype of every error of the family. Two copies of this package share it. */
const BRAND = Symbol.for('crm-oauth2.error');

export interface OAuth2Error extends Readonly<ProblemDetails> {}

/**
 * Any failure of this family, outside Passport. No code, token, secret or verifier is in any field.
 *
 * @example
 * client.refreshTokenGrant(refreshToken).catch((error) => {
 *   if (isOAuth2Error(error) && error.code === 'invalid_grant') return signInAgain();
 *   throw error;
 * });
 */
export class OAuth2Error extends Error {
  /** Stable; `docs/errors.md` lists each with its cause and remedy. */
  declare readonly code: ErrorCode;
  /** Name of the provider: `salesloft`, `salesos`, `salesforce`. */
  declare readonly provider: string;
  declare readonly stage: Stage;
  /** The host that was asked, with its port when it is not the default one. */
  declare readonly host?: string;
  declare readonly cause?: unknown;

  /** @internal Applications catch this error, they do not make it. */
  constructor(message: string, fields: object = {}) {
    super(message);
    assignFields(this, fields);
  }
}
Object.defineProperty(OAuth2Error.prototype, 'name', {
  value: 'OAuth2Error',
  configurable: true,
  writable: true,
});
brand(OAuth2Error);

/** Marks a class of errors as one of the family. */
export function brand(errorClass: new (...parameters: never[]) => Error): void {
  Object.defineProperty(errorClass.prototype, BRAND, { value: true });
}

/**
 * Tells the errors of this family from any other value: {@link OAuth2Error}, and the three classes
 * that the Passport door throws in its place.
 */
export function isOAuth2Error(value: unknown): value is OAuth2Error {
  return value instanceof Error && Reflect.get(value, BRAND) === true;
}

/** Assigns the defined fields only, so that a printed error shows no row of `undefined`. */
export function assignFields(error: Error, fields: object): void {
  for (const [name, value] of Object.entries(fields) as [string, unknown][]) {
    if (value === undefined) continue;
    // As the platform has it: a cause is not enumerable.
    const enumerable = name !== 'cause' && name !== 'reported';
    Object.defineProperty(error, name, { value, enumerable, configurable: true, writable: true });
  }
}

/** Adds to a problem where it happened. Any other error (a bug, a hook's own) stays as it is. */
export function describe(error: unknown, { provider, stage, host }: Where): unknown {
  if (!isProblem(error)) return error;
  const { code, details } = error;
  const full = new OAuth2Error(`${provider.name}: ${error.message}`, {
    code,
    provider: provider.name,
    stage,
    host,
    ...details,
    hint: details.hint ?? hintFor(code, stage, provider.hints),
  });
  // The stack of the check, where the problem was found.
  const [, ...frames] = (error.stack ?? '').split('\n    at ');
  full.stack = [`${full.name}: ${full.message}`, ...frames].join('\n    at ');
  return full;
}

/** The remedy: the provider's own, else the shared one; by stage first: `refresh.invalid_grant`. */
function hintFor(code: string, stage: Stage, hints: HintTable): string | undefined {
  const keys = [`${stage}.${code}`, code];
  for (const table of [hints, HINTS as HintTable]) {
    const key = keys.find((candidate) => Object.hasOwn(table, candidate));
    if (key !== undefined) return table[key];
  }
  return undefined;
}

/**
 * Runs one step. A problem it meets is thrown as an {@link OAuth2Error}.
 *
 * @param where handed to the step, which may correct the host on its way
 */
export async function located<W extends Where, T>(
  where: W,
  step: (where: W) => T | Promise<T>,
): Promise<T> {
  try {
    return await step(where);
  } catch (error) {
    throw describe(error, where);
  }
}

/** The same for a step that asks no one. */
export function described<T>(where: Where, step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw describe(error, where);
  }
}
