/** A value as text, if it is text. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** RFC 6749 §3.3: scopes are separated by spaces. */
export function scopesOf(value: unknown): Set<string> {
  return new Set(textOf(value).split(' ').filter(Boolean));
}
