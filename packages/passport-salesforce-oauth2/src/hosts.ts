/** The hosts that may receive an access token. */

/**
 * The domains that Salesforce alone hands out. The token response names hosts, and is believed only
 * for these and for the configured server. Each has its leading dot: without it `evilcrmforce.mil`
 * would pass. `.force.com` is left out, because customers publish content under it.
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

/** The URL class has already lower-cased the host, and turned an IDN into its ASCII form. */
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
