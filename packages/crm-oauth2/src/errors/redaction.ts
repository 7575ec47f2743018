/** Keeps secrets and control characters out of messages, causes and events. */
import { echoesOf, endOfAny } from './echoes';

/**
 * A copy of an error of the platform that is safe to keep: Node hangs raw response bytes on parse
 * errors, which do not belong in a log.
 */
export function bareCause(error: unknown, secrets: readonly (string | undefined)[] = []): Error {
  const source = error instanceof Error ? error : new Error(String(error));
  // The message may quote what a stranger has written.
  const copy = new Error(quote(source.message, secrets));
  copy.name = source.name;
  if (source.stack !== undefined) {
    copy.stack = source.stack.replace(source.message, () => copy.message);
  }
  for (const key of ['code', 'errno', 'syscall', 'hostname', 'claim', 'reason'] as const) {
    const value: unknown = Reflect.get(source, key);
    if (typeof value === 'string' || typeof value === 'number')
      Object.assign(copy, { [key]: value });
  }
  return copy;
}

/**
 * A text without the secrets we sent, in whatever encoding they come back.
 *
 * @param enough characters, white space aside, after which the rest is left out
 */
export function redact(
  text: string,
  secrets: readonly (string | undefined)[],
  enough = Infinity,
): string {
  const wanted = [...new Set(secrets)].map((secret = '') => echoesOf(secret));
  let safe = '';
  let shown = 0;
  for (let at = 0; at < text.length && shown <= enough;) {
    const end = endOfAny(text, at, wanted);
    const next = end > at ? '[redacted]' : text.charAt(at);
    safe += next;
    shown += next.trim().length;
    at = Math.max(end, at + 1);
  }
  return safe;
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
  const safe = redact(text, secrets, limit).replace(controls, ' ').trim();
  return safe.length > limit ? `${safe.slice(0, limit)}…` : safe;
}
