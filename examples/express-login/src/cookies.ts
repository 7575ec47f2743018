/** Reads a cookie of this application. */
import type { Request } from 'express';

/** Only values of letters, digits, `-` and `_`, which need no decoding. */
export function cookieOf({ headers }: Request, name: string): string | undefined {
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim().split('='));
  const [, value = ''] = pairs.find(([key]) => key === name) ?? [];
  return /^[\w-]{1,64}$/.test(value) ? value : undefined;
}
