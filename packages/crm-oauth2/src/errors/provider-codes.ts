/** The error codes that providers add to the shared ones. */

/** The codes of a table of remedies: its keys without those that name a stage. */
export type CodesOf<Table> = Exclude<keyof Table & string, `${string}.${string}`>;

/**
 * The codes of the providers in use. The package of a provider declares its own:
 *
 * @example
 * declare module 'crm-oauth2/provider' {
 *   interface ProviderErrorCodes extends Record<CodesOf<typeof hints>, unknown> {}
 * }
 */
export interface ProviderErrorCodes {}

/**
 * A code that a provider sent and no table lists. It reaches `error.code` as it came; compare it as a
 * string: `String(error.code) === 'its_word'`.
 */
export type UnlistedCode = Unlisted;

/** An enum, since no text compares with its members: a misspelt code does not compile. */
declare enum Unlisted {
  code = 'unlisted',
}

/** A code that a provider sent, for {@link Problem} and `tokenError`. */
export function providerCode(code: string): UnlistedCode {
  return code as UnlistedCode;
}
