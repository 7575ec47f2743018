/**
 * HubSpot's documented answers, with the fields that a login needs. Checked 2026-11.
 *
 * @see https://developers.hubspot.com/docs/api-reference/legacy/authentication/oauth-tokens/v1/get-oauth-token-metadata
 * @see https://developers.hubspot.com/changelog/additional-details-returned-when-generating-oauth-access-tokens
 * @see https://nango.dev/blog/hubspot-oauth-bad-refresh-token
 */
export const CLIENT = { clientID: 'client-1', clientSecret: 'secret-of-client-1' };
export const TOKEN = 'CJSP5qf1KhICAQEYs-gDIIGOBii1hQIyGQAf3xBKmlwHjX7OIpuIFEavB2-qYAGQsF4';

const SHARED = { token_type: 'bearer', hub_id: 62515, scopes: ['oauth'], expires_in: 1800 };
export const TOKENS = { ...SHARED, access_token: TOKEN, refresh_token: 'na1-ab12-cd34-ef56' };
export const ANSWER = { ...SHARED, token: TOKEN, user: 'zoe@example.com', user_id: 123 };
export const DEAD = { status: 'BAD_REFRESH_TOKEN', message: 'missing or invalid refresh token' };
