/** Reads `loginURL`: an address that people copy from their browser becomes the one that answers OAuth. */
import { isLoopback } from 'crm-oauth2/provider';
import { hasSalesforceName } from './hosts';
import { parseUrl } from './ids';

/**
 * Hosts of pages, whose `/token` answers with a web page, and the My Domain of the same org. Where
 * `true` stands, the host names a package too: `acme--c`.
 *
 * @see https://github.com/forcedotcom/sfdx-core (src/util/sfdcUrl.ts), read 2026-08
 */
const PAGES: readonly (readonly [suffix: string, myDomain: string, namesPackage: boolean])[] = [
  ['.lightning.force.com', '.my.salesforce.com', false],
  ['.my.salesforce-setup.com', '.my.salesforce.com', false],
  ['.file.force.com', '.my.salesforce.com', false],
  ['.builder.salesforce-experience.com', '.my.salesforce.com', false],
  ['.vf.force.com', '.my.salesforce.com', true],
  ['.visual.force.com', '.my.salesforce.com', true],
  ['.visualforce.com', '.my.salesforce.com', true],
  ['.container.force.com', '.my.salesforce.com', true],
  ['.documentforce.com', '.my.salesforce.com', true],
  ['.lightning.crmforce.mil', '.my.salesforce.mil', false],
  ['.vf.crmforce.mil', '.my.salesforce.mil', true],
  ['.lightning.sfcrmapps.cn', '.my.sfcrmproducts.cn', false],
  ['.vf.sfcrmapps.cn', '.my.sfcrmproducts.cn', true],
  ['.my-lightning.com', '.my-salesforce.com', false],
];

/** The name of an instance, such as `eu5`: a My Domain has none. Other labels, such as `sandbox`, it has. */
const INSTANCE = /^[a-z]{2,4}\d+s?$/;

/** Directly under salesforce.com, only `login`, `test` and the instances sign people in. */
const NO_LOGIN = /^(?!(?:login|test|[a-z]{2,4}\d+s?)\.)(?:[\w-]+\.)?salesforce\.com$/;

/** Where pages and endpoints begin, below the path of a site. */
const SITE_PAGE =
  /\/(?:services|\.well-known|id\/(?:keys|00D\w+)|s|secur|apex|idp|login|SiteLogin|CommunitiesLogin)(?:\/.*)?$/i;

/** Characters. People paste an address with its query; a longer one would take seconds to read. */
export const MAX_LENGTH = 4096;

const USUAL =
  'https://login.salesforce.com, https://test.salesforce.com for a sandbox, or the My Domain, such as https://NAME.my.salesforce.com';
const NOT_ABSOLUTE = { fault: 'must be an absolute URL', right: USUAL };

/** An address that can never work: the reason, and what to write in its place. */
export interface UnusableAddress {
  /** Continues the sentence that names the option. */
  fault: string;
  right: string;
}

/** {@link loginOrigin} without the exception. */
export function readLoginAddress(text: string): string | UnusableAddress {
  if (text.length > MAX_LENGTH) return { fault: 'is too long', right: USUAL };
  const hasScheme = /^\s*https?:/i.test(text);
  const url = parseUrl(hasScheme ? text : `https://${text.trim()}`);
  if (url === undefined) return NOT_ABSOLUTE;
  const { protocol, pathname, username, password } = url;
  const hostname = url.hostname.replace(/(?<!\.)\.+$/, '');
  const isLocal = isLoopback(hostname);
  if (!isLocal && !hostname.includes('.')) return NOT_ABSOLUTE;
  const isSalesforce = hasSalesforceName(hostname);
  const port = isSalesforce ? '' : url.port && `:${url.port}`;
  const fault =
    (!hasScheme && NOT_ABSOLUTE.fault) ||
    (username + password !== '' && 'must have no user info') ||
    (protocol === 'http:' && !isLocal && 'must be https') ||
    (hostname !== url.hostname && 'must not end its host with a dot') ||
    (isSalesforce && url.port !== '' && 'must have no port');
  if (fault) {
    const scheme = isLocal ? 'http' : 'https';
    const right = readLoginAddress(`${scheme}://${hostname}${port}${pathname}`);
    return typeof right === 'string' ? { fault, right } : right;
  }
  for (const [suffix, myDomain, namesPackage] of PAGES) {
    if (!hostname.endsWith(suffix)) continue;
    const [first = '', ...labels] = hostname.slice(0, -suffix.length).split('.');
    const org = namesPackage ? first.replace(/--\w+$/, '') : first;
    const kept = labels.filter((label) => !INSTANCE.test(label));
    return `https://${[org, ...kept].join('.')}${myDomain}`;
  }
  if (NO_LOGIN.test(hostname)) {
    return { fault: 'is an address at which no one signs in', right: USUAL };
  }
  const hasRootOnly = isSalesforce && !hostname.endsWith('.my.site.com');
  return (
    url.origin + (hasRootOnly ? '' : pathname.replace(SITE_PAGE, '').replace(/(?<!\/)\/+$/, ''))
  );
}

/**
 * The address that every endpoint is derived from. Of any page of an org, it is the My Domain; a site
 * and a custom domain keep their path.
 *
 * @param text the option, as the application has it
 * @returns without a slash at its end
 * @throws {TypeError} for an address that can never work, with what to write in its place; it repeats
 * no query, since a copied one may hold a session
 */
export function loginOrigin(text: string, name = 'loginURL'): string {
  const read = readLoginAddress(text);
  if (typeof read === 'string') return read;
  throw unusable(name, read.fault, read.right);
}

/** @throws {TypeError} when an endpoint is at a host that {@link loginOrigin} refuses, or that has pages only */
export function requireLoginHost(name: string, endpoint: string): void {
  const { origin, pathname } = new URL(endpoint);
  const right = loginOrigin(origin, name);
  if (right !== origin) throw unusable(name, 'is at a host of pages', right + pathname);
}

function unusable(name: string, fault: string, right: string): TypeError {
  return new TypeError(`Salesforce: option "${name}" ${fault}; write ${right}`);
}
