/** Judges the `loginURL` that one login chooses, since a visitor may have written it. */
import { Problem } from 'crm-oauth2/provider';
import { parseUrl } from './ids';
import { MAX_LENGTH, loginOrigin, readLoginAddress } from './login-origin';

/** Options for endpoints of their own, which do not follow `loginURL`. */
export const ENDPOINT_OPTIONS = ['authorizationURL', 'tokenURL', 'userInfoURL', 'jwksURL'] as const;

export const DEFAULT_LOGIN_URL = 'https://login.salesforce.com';

/** The options that decide which addresses a login may choose. */
export type ChoiceOptions = Readonly<
  { [Name in 'loginURL' | (typeof ENDPOINT_OPTIONS)[number]]?: string } & {
    allowedLoginURLs?: readonly string[];
  }
>;

/** The origin of one organization, at which Salesforce alone answers. */
const MY_DOMAIN =
  /^https:\/\/(?:(?!-|xn--)[a-z\d-]{1,63}(?<!-)\.){1,8}(?:my\.salesforce\.com|my\.salesforce\.mil|my\.sfcrmproducts\.cn|my-salesforce\.com)$/;

export function isMyDomain(origin: string): boolean {
  return MY_DOMAIN.test(origin);
}

/**
 * True where Salesforce alone answers. A site under `.my.site.com` runs code of its customer, and an
 * instance such as `na12` serves many organizations.
 */
function isOwnOrigin(origin: string): boolean {
  return isMyDomain(origin) || /^https:\/\/(?:login|test)\.salesforce\.com$/.test(origin);
}

/** A host as it reads: without user info, escapes, line feeds, and letters of other scripts. */
const PLAIN_HOST = /^https:\/\/[a-z\d.-]+(?::443)?(?:[/?#]|$)/i;

/** As people type it: `acme.my.salesforce.com`. */
const BARE_HOST = /^\s*[a-z\d-]+(?:\.[a-z\d-]+)+(?:\/|\s*$)/i;

/** Characters of an address that a message repeats. */
const MAX_QUOTED = 100;

/**
 * The address that a login may choose: login, test or a My Domain of Salesforce, of any page of an org
 * its My Domain, and what the application lists.
 *
 * @param value read once; only a string is an address
 * @returns an origin without a path, or the listed address
 * @throws {Problem} `login_url_not_allowed`
 */
export function judgeLoginURL(value: unknown, options: ChoiceOptions): string {
  if (typeof value !== 'string') throw refusal('must be a string');
  if (value.length > MAX_LENGTH) throw refusal('is too long');
  const address = BARE_HOST.test(value) ? `https://${value.trim()}` : value;
  const read = readLoginAddress(address);
  const isOwn = typeof read === 'string' && isOwnOrigin(read) && PLAIN_HOST.test(address.trim());
  const chosen = isOwn ? read : listed(value, options);
  if (chosen === undefined) throw refusal(faultOf(read), value);
  const apart = ENDPOINT_OPTIONS.find((name) => options[name] !== undefined);
  if (apart !== undefined && chosen !== loginOrigin(options.loginURL ?? DEFAULT_LOGIN_URL)) {
    throw refusal(`cannot be chosen by a login, since "${apart}" does not follow it`, value);
  }
  return chosen;
}

/** By the options of a client: the listed addresses, each in its own form and in the one it is asked at. */
const LISTS = new WeakMap<ChoiceOptions, ReadonlyMap<string, string>>();

/** The entry that the value repeats, character by character, but for slashes at its end. */
function listed(value: string, options: ChoiceOptions): string | undefined {
  const list = LISTS.get(options) ?? listOf(options);
  LISTS.set(options, list);
  return list.get(withoutSlashes(value));
}

function listOf({ loginURL = DEFAULT_LOGIN_URL, allowedLoginURLs = [] }: ChoiceOptions) {
  const list = new Map<string, string>();
  for (const entry of [loginURL, ...allowedLoginURLs]) {
    const origin = loginOrigin(entry);
    for (const text of [withoutSlashes(entry), origin]) {
      if (!list.has(text)) list.set(text, origin);
    }
  }
  return list;
}

function withoutSlashes(text: string): string {
  return text.replace(/(?<!\/)\/+$/, '');
}

function faultOf(read: ReturnType<typeof readLoginAddress>): string {
  if (typeof read === 'string') {
    return isOwnOrigin(read)
      ? `must name its host in plain letters: write ${read}`
      : 'is neither a login host nor a My Domain of Salesforce, and not among "allowedLoginURLs"';
  }
  const { fault, right } = read;
  return isOwnOrigin(right) ? `${fault}; write ${right}` : fault;
}

/** @param value repeated without its query and user info, which may hold a session or a password */
function refusal(fault: string, value?: string): Problem {
  const url = parseUrl(value);
  const isWeb = url?.protocol === 'https:' || url?.protocol === 'http:';
  const address = isWeb ? `${url.origin}${url.pathname}` : '';
  const short = address.length > MAX_QUOTED ? `${address.slice(0, MAX_QUOTED)}…` : address;
  const quoted = short && ` "${short}"`;
  return new Problem('login_url_not_allowed', `loginURL${quoted} ${fault}`, { refusal: 400 });
}
