/** The hosts that may receive an access token. */
import { isLoopback } from 'crm-oauth2/provider';

/**
 * The domains under which only Salesforce assigns host names. The strategy trusts a host from the
 * token response only under these domains, or at the origin of the configured token endpoint. Each
 * suffix begins with a dot: without the dot, `evilcrmforce.mil` would pass for `crmforce.mil`.
 * `.force.com` is left out, because customers publish content under it.
 *
 * @see https://github.com/forcedotcom/sfdx-core (src/util/sfdcUrl.ts), read 2026-08
 */
const SUFFIXES = [
  '.salesforce.com',
  '.my.site.com',
  '.cloudforce.com',
  '.database.com',
  '.salesforce.mil',
  '.crmforce.mil',
  '.sfcrmproducts.cn',
  '.my-salesforce.com',
];

function hasUserInfo({ username, password }: URL): boolean {
  return username !== '' || password !== '';
}

/** True for a host name that only Salesforce can have assigned. */
export function hasSalesforceName(hostname: string): boolean {
  return SUFFIXES.some((suffix) => hostname.endsWith(suffix));
}

/** Compares the host as it is: the URL class has put it in lower case, and an IDN in ASCII form. */
export function isSalesforceHost(url: URL): boolean {
  const { origin, hostname } = url;
  // An origin leaves out the port only where it is the usual one.
  const isUsualPort = origin === `https://${hostname}`;
  return isUsualPort && !hasUserInfo(url) && hasSalesforceName(hostname);
}

/** Both at Salesforce, or two ports of one loopback host, as the origins of an emulator are. */
export function isSameOwner(a: URL, b: URL): boolean {
  if (isSalesforceHost(a)) return isSalesforceHost(b);
  const isSameHost = a.protocol === b.protocol && a.hostname === b.hostname;
  return isSameHost && isLoopback(a.hostname) && !hasUserInfo(a);
}

export function isIdentityHost(url: URL, endpoints: { tokenEndpoint: string }): boolean {
  if (isSalesforceHost(url)) return true;
  // The same origin, told without parsing the endpoint: the slash ends its host and port.
  if (endpoints.tokenEndpoint.startsWith(`${url.origin}/`)) return !hasUserInfo(url);
  const configured = new URL(endpoints.tokenEndpoint);
  return isSameOwner(url, configured) || (url.origin === configured.origin && !hasUserInfo(url));
}
