/** Salesloft: its facts, each with its source. */
import { defineProvider, wholeNumber } from 'crm-oauth2/provider';
import type { CodesOf } from 'crm-oauth2/provider';
import { hints, meanings } from './errors';
import { mapProfile } from './profile';
import type { SalesloftProfile } from './profile';

/** Options of Salesloft beside the common ones; needed only for a test server. */
export interface SalesloftOptions {
  /** The authorization endpoint. Default: `https://accounts.salesloft.com/oauth/authorize`. */
  authorizationURL?: string;
  /** The token endpoint; the revocation endpoint is beside it. Default: `https://accounts.salesloft.com/oauth/token`. */
  tokenURL?: string;
  /** The address of the profile. Default: `https://api.salesloft.com/v2/me.json`. */
  profileURL?: string;
}

const DEFAULTS = {
  authorizationURL: 'https://accounts.salesloft.com/oauth/authorize',
  tokenURL: 'https://accounts.salesloft.com/oauth/token',
  profileURL: 'https://api.salesloft.com/v2/me.json',
};

/** Hosts of which these paths are known; a test server has its own. */
const OWN_HOST = /^(?:(?:accounts|api|app|developers?|www)\.)?salesloft\.com$/;
const OWN_URLS = {
  authorizationURL: /^https:\/\/accounts\.salesloft\.com\/\w+\/authorize$/,
  tokenURL: /^https:\/\/accounts\.salesloft\.com\/\w+\/token$/,
  profileURL: /^https:\/\/api\.salesloft\.com\/.+\/me(?:\.json)?$/,
};

/** @throws {TypeError} for the address of a page, or the root of the API: no login can work with it */
function refuseOtherPaths(urls: typeof DEFAULTS): void {
  for (const name of ['authorizationURL', 'tokenURL', 'profileURL'] as const) {
    const { hostname, origin, pathname } = new URL(urls[name]);
    if (OWN_HOST.test(hostname) && !OWN_URLS[name].test(origin + pathname)) {
      throw new TypeError(
        `Salesloft: option "${name}" is another address of Salesloft; write ${DEFAULTS[name]}`,
      );
    }
  }
}

const MINUTE_MS = 60_000;

declare module 'crm-oauth2/provider' {
  interface ProviderErrorCodes extends Record<CodesOf<typeof hints>, unknown> {}
}

/**
 * Salesloft: OAuth 2.0 with opaque tokens of 7200 seconds, and refresh tokens that rotate with every
 * use. One environment serves every customer. Checked 2026-08.
 *
 * @see https://developers.salesloft.com/docs/platform/api-basics/oauth-authentication/
 */
export const salesloft = defineProvider<SalesloftOptions, SalesloftProfile>({
  name: 'salesloft',
  title: 'Salesloft',
  options: { authorizationURL: 'url', tokenURL: 'url', profileURL: 'url' },
  endpoints: (options) => {
    const urls = { ...DEFAULTS, ...options };
    refuseOtherPaths(urls);
    return {
      authorizationEndpoint: urls.authorizationURL,
      tokenEndpoint: urls.tokenURL,
      userInfoEndpoint: urls.profileURL,
      // Not in the developer pages; advertised by mcp.salesloft.com for these same endpoints.
      revocationEndpoint: new URL('/oauth/revoke', urls.tokenURL).href,
      // RFC 9207 `iss` is not advertised; one that comes must name this server.
      issuer: new URL(urls.authorizationURL).origin,
    };
  },
  // Scopes are chosen when the app is registered; a request without any gets those.
  scope: [],
  // The documentation recommends a JSON body after `invalid_grant`.
  tokenRequestFormat: 'json',
  // Not documented; sent only when the application asks for them.
  authorizationParameters: { prompt: 'prompt', loginHint: 'login_hint' },
  meanings,
  hints,
  organizationsOf: ({ profile }) => (profile?.teamId === undefined ? [] : [profile.teamId]),
  readOrganization: (entry) => (/^[1-9]\d*$/.test(entry) ? entry : undefined),
  // https://developers.salesloft.com/docs/platform/api-basics/rate-limits/
  rateLimit: (header) => {
    const remaining = wholeNumber(header('x-ratelimit-remaining-minute'));
    // The budget is one of each minute, by the clock of Salesloft.
    const now = Date.parse(header('date') ?? '') || Date.now();
    const untilNextMinute = MINUTE_MS - (now % MINUTE_MS);
    return {
      remaining,
      cost: wholeNumber(header('x-ratelimit-endpoint-cost')),
      resetsAt: remaining === undefined ? undefined : Date.now() + untilNextMinute,
    };
  },
  mapProfile,
});
