/** The hosts that may receive an access token. */

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

export function isSameOrigin(a: URL, b: URL): boolean {
  return a.origin === b.origin;
}

/** Compares the host as it is: the URL class has put it in lower case, and an IDN in ASCII form. */
export function isSalesforceHost(url: URL): boolean {
  return (
    url.protocol === 'https:' &&
    url.username === '' &&
    url.password === '' &&
    url.port === '' &&
    SUFFIXES.some((suffix) => url.hostname.endsWith(suffix))
  );
}

export function isIdentityHost(url: URL, endpoints: { tokenEndpoint: string }): boolean {
  return (
    isSalesforceHost(url) ||
    (url.username === '' &&
      url.password === '' &&
      isSameOrigin(url, new URL(endpoints.tokenEndpoint)))
  );
}
