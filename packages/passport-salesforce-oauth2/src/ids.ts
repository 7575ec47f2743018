/** Salesforce's record ids, and the identity URL that is made of them. */

/** The organization and the user of an identity URL, and the URL itself. */
export interface Identity {
  url: URL;
  organizationId: string;
  userId: string;
}

/** `/id/ORG/USER`, under the path of a site at most. */
const PATH =
  /^(?:\/[\w-]+)*\/id\/(00D[0-9A-Za-z]{12}(?:[0-9A-Za-z]{3})?)\/(005[0-9A-Za-z]{12}(?:[0-9A-Za-z]{3})?)$/;

/** @returns `undefined` for anything else than an identity URL */
export function parseIdentityUrl(id: unknown): Identity | undefined {
  const url = parseUrl(id);
  const [, organizationId, userId] = PATH.exec(url?.pathname ?? '') ?? [];
  return url && organizationId && userId ? { url, organizationId, userId } : undefined;
}

/** One pass, unlike `canParse` and the constructor: an answer is full of them. */
export function parseUrl(value: unknown): URL | undefined {
  if (typeof value !== 'string') return undefined;
  try {
    return new URL(value);
  } catch {
    return undefined;
  }
}

const SUFFIX = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345';

/**
 * A record id in its form of 18 characters. The last three say which of the first 15 are upper
 * case; published ones are sometimes wrong, so they are always computed.
 *
 * @param id 15 or 18 letters and digits
 */
export function to18(id: string): string {
  const id15 = id.slice(0, 15);
  const suffix = [0, 5, 10].map((start) => {
    let bits = 0;
    for (let bit = 0; bit < 5; bit += 1) {
      const character = id15.charAt(start + bit);
      if (character >= 'A' && character <= 'Z') bits += 2 ** bit;
    }
    return SUFFIX.charAt(bits);
  });
  return id15 + suffix.join('');
}

/**
 * An organization id as a person writes it, in its form of 18 characters.
 *
 * @returns `undefined` for another text, and where the last three characters do not fit the first 15
 */
export function readOrganizationId(entry: string): string | undefined {
  if (!/^00D(?:[0-9A-Za-z]{12}|[0-9A-Za-z]{15})$/.test(entry)) return undefined;
  const id = to18(entry);
  return id.startsWith(entry) ? id : undefined;
}

/** Same organization and same user; the first 15 characters count, case-sensitively. */
export function sameIds(a: Omit<Identity, 'url'>, b: Omit<Identity, 'url'>): boolean {
  return isSameId(a.organizationId, b.organizationId) && isSameId(a.userId, b.userId);
}

function isSameId(a: string, b: string): boolean {
  return a.slice(0, 15) === b.slice(0, 15);
}
