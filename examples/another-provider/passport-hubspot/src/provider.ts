/** HubSpot: its facts, each with its source. */
import { defineProvider, text } from 'crm-oauth2/provider';
import { mapProfile } from './profile';
import type { HubSpotProfile } from './profile';

/** Options of HubSpot beside the common ones. */
export interface HubSpotOptions {
  /** For a test server. */
  apiURL?: string;
}

/**
 * HubSpot, OAuth v1: opaque tokens of 1800 seconds. Checked 2026-11. HubSpot ends v1 on 2027-02-16; its
 * successor wants the token in the body of a POST, which a profile request cannot send.
 *
 * @see https://developers.hubspot.com/docs/api-reference/legacy/authentication/oauth-tokens/v1/guide
 * @see https://developers.hubspot.com/changelog/v1-oauth-api-deprecation
 */
export const hubspot = defineProvider<HubSpotOptions, HubSpotProfile>({
  name: 'hubspot',
  title: 'HubSpot',
  options: { apiURL: 'url' },
  endpoints: ({ apiURL = 'https://api.hubapi.com' }) => ({
    authorizationEndpoint: 'https://app.hubspot.com/oauth/authorize',
    tokenEndpoint: `${apiURL}/oauth/v1/token`,
    userInfoEndpoint: `${apiURL}/oauth/v1/access-tokens`,
  }),
  // An app may ask for more. The quickstart begins with this one.
  // https://developers.hubspot.com/docs/apps/legacy-apps/authentication/oauth-quickstart-guide
  scope: ['oauth'],
  authorizationParameters: { optionalScope: 'optional_scope' },
  // Errors have "status" and "message". The client reads "error", which HubSpot now adds, by itself.
  // https://developers.hubspot.com/changelog/new-oauth-v3-api-endpoints-and-standardized-error-responses
  // https://github.com/HGData/mk-node-hubspot/issues/87
  tokenError: ({ status, message }) =>
    status === 'BAD_AUTH_CODE' || status === 'BAD_REFRESH_TOKEN'
      ? { code: 'invalid_grant', description: text(message) }
      : undefined,
  // https://developers.hubspot.com/docs/api-reference/legacy/authentication/oauth-tokens/v1/get-oauth-token-metadata
  profileRequest: ({ accessToken }, { endpoints }) => ({
    url: `${endpoints.userInfoEndpoint}/${encodeURIComponent(accessToken)}`,
    tokenIn: 'path',
  }),
  mapProfile,
});
