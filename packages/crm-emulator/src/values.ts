/** Small helpers for values whose type is not known yet: text, lists of scopes, JSON objects. */

/** The value if it is text, otherwise an empty string. */
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** RFC 6749 §3.3: scopes are separated by spaces. */
export function scopesOf(value: unknown): Set<string> {
  return new Set(textOf(value).split(' ').filter(Boolean));
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value)
  );
}

/** Copies `fields` with `changes` applied; a change to `undefined` or `null` removes the field. */
export function merged<T>(
  fields: Record<string, T>,
  changes: Record<string, unknown>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries({ ...fields, ...changes }).filter(
      ([, value]) => value !== undefined && value !== null,
    ),
  );
}

/** The value of a JSON text, or undefined when it is not one. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
