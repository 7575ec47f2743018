/** The errors of Salesloft: their meanings, and the remedies. */
import type { Meaning } from 'crm-oauth2/provider';

/** Remedies by code, or by step and code. */
export const hints = {
  access_denied:
    'The person, or an administrator of their Salesloft team, refused the app. Start the login again from its button; if the team forbids the app, ask its administrator.',
  invalid_token:
    'Salesloft does not accept the access token. Refresh it, or have the person log in again.',
  'api.invalid_token':
    'Salesloft refuses the access token, and a newer one too. Check that `baseURL` is https://api.salesloft.com/v2, and have the person log in again.',
  insufficient_scope:
    'Salesloft refuses the profile. Check the permissions of the app in the developer portal.',
  'api.insufficient_scope':
    'Salesloft refuses the request: the app, or the person, lacks a permission. Check the scopes of the app in the developer portal, then sign in again.',
  'api key.invalid_token':
    'Salesloft refuses the API key. Compare it with Your Applications > API Keys, where it may have been replaced, and check that `baseURL` is https://api.salesloft.com/v2.',
  'api key.insufficient_scope':
    'Salesloft refuses the request: the person whose API key this is lacks a permission. Ask an administrator of the Salesloft team.',
  invalid_client:
    'Client id or secret is wrong. Copy both from Salesloft > Your Applications > OAuth Applications.',
  invalid_grant:
    'Salesloft has one text for all reasons: the code is used up or expired, or its client, `callbackURL` or PKCE verifier differs. Start the login again from its button; if it lasts, compare `callbackURL` with the app.',
  'client_credentials.invalid_grant':
    'Salesloft gives no token to the app itself. Only private apps get one: an administrator of the Salesloft team enables the grant in the app.',
  refresh_token_missing:
    'Salesloft sends a refresh token with each login of a person, whatever the scopes. Check that `tokenURL` is https://accounts.salesloft.com/oauth/token, and that nothing between this server and Salesloft changes the answer.',
  'refresh.invalid_grant':
    'The refresh token is used up or revoked: each refresh replaces it, so use the newest. Otherwise the person must log in again.',
  redirect_uri_mismatch:
    'Register `callbackURL` in the app, character by character: Salesloft > Your Applications > OAuth Applications > the app > Redirect URI.',
  invalid_code_challenge_method:
    'Salesloft refuses the PKCE method of the request. Check that nothing between this server and Salesloft changes it.',
  invalid_scope:
    'A scope is not registered for the app. Compare `scope` with the app in the developer portal, or leave it out.',
  unauthorized_client:
    'The app is not allowed to use this grant. Use the login of a person, or ask Salesloft to enable the grant.',
  'revoke.unauthorized_client':
    'The token belongs to another app, or the client secret is wrong. Revoke it with the app that it was issued to.',
  rate_limited:
    'All apps of a Salesloft team share 600 cost points a minute. Wait for the next minute, then try again.',
} as const;

export const meanings: readonly Meaning[] = [
  { error: 'invalid_redirect_uri', code: 'redirect_uri_mismatch' },
];
