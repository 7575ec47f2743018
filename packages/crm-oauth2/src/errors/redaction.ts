/** Keeps secrets and control characters out of messages, causes and events. */

/**
 * A copy of an error of the platform that is safe to keep: Node hangs raw response bytes on parse
 * errors, and jose hangs the claims on its own; neither belongs in a log.
 */
export function bareCause(error: unknown, secrets: readonly (string | undefined)[] = []): Error {
  const source = error instanceof Error ? error : new Error(String(error));
  // jose quotes names from the header of a token that a stranger may have written.
  const copy = new Error(quote(source.message, secrets));
  copy.name = source.name;
  if (source.stack !== undefined) copy.stack = source.stack.replace(source.message, copy.message);
  for (const key of ['code', 'errno', 'syscall', 'hostname', 'claim', 'reason'] as const) {
    const value: unknown = Reflect.get(source, key);
    if (typeof value === 'string' || typeof value === 'number')
      Object.assign(copy, { [key]: value });
  }
  return copy;
}

/** A text without the secrets we sent, in whatever encoding they come back. */
export function redact(text: string, secrets: readonly (string | undefined)[]): string {
  // The longest first: one secret may begin with another.
  const longestFirst = secrets.toSorted((a = '', b = '') => b.length - a.length);
  return longestFirst.reduce<string>(
    (safe, secret = '') =>
      piecesOf(secret).reduce((rest, piece) => rest.replace(echoOf(piece), '[redacted]'), safe),
    text,
  );
}

/** Characters of a secret in one pattern. The platform refuses a pattern of some thousand. */
const PIECE_LENGTH = 1000;

/** A short secret as it is, a long one in equal pieces, so that none is a word by itself. */
function piecesOf(secret: string): readonly string[] {
  const length = Math.ceil(secret.length / Math.ceil(secret.length / PIECE_LENGTH));
  return secret.match(new RegExp(`[^]{1,${length || 1}}`, 'gu')) ?? [];
}

/**
 * Makes a provider's words fit for a message: without the secrets we sent it, without control
 * characters and marks of direction (log injection), and short.
 *
 * @param limit characters
 */
export function quote(
  text: string,
  secrets: readonly (string | undefined)[] = [],
  limit = 300,
): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  const controls = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]+/g;
  const safe = redact(text, secrets).replace(controls, ' ').trim();
  return safe.length > limit ? `${safe.slice(0, limit)}…` : safe;
}

/** A secret as a provider may echo it: each character as sent, percent-encoded, or JSON-escaped. */
function echoOf(secret: string): RegExp {
  const characters = Array.from(secret, (character) => {
    const plain = character.replace(
      /[^]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
    // Gson writes `=` so, and .NET `+`: an override may parse the body itself. The longest form
    // first, since `u` and `%` begin one as well.
    const escaped = plain.replaceAll('\\', '\\\\');
    const encoded = Buffer.from(character).toString('hex').replace(/../g, '%$&');
    const forms = [escaped, encoded, `\\\\?${plain}`];
    if (character === ' ') forms.push('\\+');
    // A secret that was read with the newline of its file comes back as `\n`.
    if (character < ' ') forms.push(JSON.stringify(character).slice(1, -1).replace('\\', '\\\\'));
    return `(?:${forms.join('|')})`;
  });
  return new RegExp(characters.join(''), 'gi');
}
