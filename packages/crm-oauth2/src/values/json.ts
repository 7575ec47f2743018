/** JSON as it comes from a provider: its types, and how optional fields are read. */

export type Json = string | number | boolean | null | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json | undefined;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Real answers nest less than twenty levels. */
const MAX_LEVELS = 100;

/** Tells whether a value nests so deep that `JSON.stringify`, or any other reader of it, may overflow the stack. */
export function isTooDeep(value: unknown): boolean {
  return isDeeperThan(MAX_LEVELS, value);
}

function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) return value.some((inner) => isDeeperThan(levels - 1, inner));
  // Quicker than a list of the values. A polluted `Object.prototype` lends names, which are left out.
  for (const name in value) {
    const inner = (value as Record<string, unknown>)[name];
    if (typeof inner !== 'object' || !Object.hasOwn(value, name)) continue;
    if (isDeeperThan(levels - 1, inner)) return true;
  }
  return false;
}

/** Freezes a value and all that it holds. */
export function deepFrozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFrozen(inner);
  }
  return value;
}

/** A non-empty string, else `undefined`: how the optional texts of a provider are read. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The whole number in a header, else `undefined`. */
export function wholeNumber(value = ''): number | undefined {
  return /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}

/** Makes objects that inherit nothing. Node reads them faster than those of `Object.create(null)`. */
const Fields = function () {} as unknown as { new (): object; prototype: object };
Fields.prototype = Object.freeze(Object.create(null) as object);

/**
 * A copy that inherits nothing: a polluted `Object.prototype` adds no field to it.
 *
 * @param others copied over it in order: a later field wins, also one that is `undefined`
 */
export function ownFields<T extends object>(fields: T, ...others: (Partial<T> | undefined)[]): T {
  // Node takes several times longer for a literal that has fields after a spread.
  return Object.assign(new Fields(), fields, ...others) as T;
}

/** One field of an object, when it is the object's own: see {@link ownFields}. */
export function ownField<T extends object, Name extends keyof T>(
  fields: T,
  name: Name,
): T[Name] | undefined {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

const PLAIN_FIELD = { enumerable: true, configurable: true, writable: true } as const;

/** A copy without the fields that are `undefined`, so that a profile has no empty keys. */
export function withoutUndefined<T extends object>(fields: T): T {
  const rest: Partial<T> = {};
  for (const name of Object.keys(fields) as (keyof T)[]) {
    const value = fields[name];
    if (value === undefined) continue;
    // By an assignment it would become the prototype.
    if (name === '__proto__') Object.defineProperty(rest, name, { ...PLAIN_FIELD, value });
    else rest[name] = value;
  }
  return rest as T;
}
