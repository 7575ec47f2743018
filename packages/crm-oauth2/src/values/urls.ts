/** Addresses as URLs. One login asks about the same few again and again. */
import { LruMap } from './lru-map';

/** Longer ones than this are parsed each time: a stranger may have written them. */
const MAX_KEPT_LENGTH = 500;

const PARSED = new LruMap<string, Readonly<URL>>(1000);

/**
 * Parses an address once, and remembers it.
 *
 * @returns the URL, which others get too: make a copy to change it. `undefined` for anything else than an
 * absolute URL
 */
export function parseUrl(value: unknown): Readonly<URL> | undefined {
  if (typeof value !== 'string') return undefined;
  const known = PARSED.get(value);
  if (known) return known;
  try {
    const url = new URL(value);
    if (value.length <= MAX_KEPT_LENGTH) PARSED.set(value, url);
    return url;
  } catch {
    return undefined;
  }
}
