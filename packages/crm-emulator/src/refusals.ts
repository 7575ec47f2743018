/** The list of everything that the emulator refuses; the README and the tests build on it. */
import type { ProviderName } from './types.js';

export interface RefusalEntry {
  /** The specification or the provider that demands the refusal. */
  section: string;
  /** A sentence without its subject, the emulator; also the title of the test that proves it. */
  behaviour: string;
  /** The answer of each provider to which the entry applies: where it is shown, and the error. */
  answers: Partial<Record<ProviderName, string>>;
}

/** Everything that the emulator refuses. A test of the same title proves each entry. */
export const REFUSALS: readonly RefusalEntry[] = [
  {
    section: 'RFC 6749 §4.1.2.1',
    behaviour: 'shows a page, and redirects nowhere, when the client is unknown',
    answers: {
      salesloft: 'page: invalid_client',
      salesos: 'page: Unknown client',
      salesforce: 'page: invalid_client_id, client identifier invalid',
    },
  },
  {
    section: 'RFC 6749 §3.1.2.4',
    behaviour: 'shows a page, and redirects nowhere, when the redirect URI is not registered',
    answers: {
      salesloft: 'page: invalid_redirect_uri',
      salesos: 'page: Callback URL mismatch',
      salesforce: 'page: redirect_uri_mismatch, redirect_uri must match configuration',
    },
  },
  {
    section: 'RFC 6749 §3.1',
    behaviour: 'refuses a repeated parameter of the authorization request',
    answers: each('callback: invalid_request'),
  },
  {
    section: 'RFC 6749 §3.1.1',
    behaviour: 'refuses a response type other than code',
    answers: each('callback: unsupported_response_type'),
  },
  {
    section: 'RFC 6749 §3.3',
    behaviour: 'refuses an unknown scope (Salesloft, Salesforce)',
    answers: {
      salesloft: 'callback: invalid_scope',
      salesforce: 'callback: invalid_scope, the requested scope is not allowed',
    },
  },
  {
    section: 'Auth0',
    behaviour: 'refuses an unknown audience',
    answers: { salesos: 'callback: access_denied, Service not found: …' },
  },
  {
    section: 'Auth0',
    behaviour: 'refuses an unknown organization, and a person who is not a member (SalesOS)',
    answers: {
      salesos:
        'callback: invalid_request, parameter organization is invalid; access_denied, user … is not part of the … organization',
    },
  },
  {
    section: 'Auth0',
    behaviour: 'refuses an invitation of another person, and one that was used (SalesOS)',
    answers: {
      salesos:
        'callback: access_denied, the specified account is not allowed to accept the current invitation; invalid_request',
    },
  },
  {
    section: 'RP-Initiated Logout §3',
    behaviour: 'refuses to go to a URI that is not allowed, after a logout (SalesOS)',
    answers: { salesos: 'page: invalid_request' },
  },
  {
    section: 'RFC 7636 §4.4.1',
    behaviour: 'refuses a request without a code challenge where one is required',
    answers: {
      salesloft: 'callback: invalid_request, Code challenge is required.',
      salesos: 'callback: invalid_request, Parameter code_challenge is required',
      salesforce: 'callback: invalid_request, missing required code challenge',
    },
  },
  {
    section: 'RFC 7636 §4.3',
    behaviour: 'refuses the plain code challenge method',
    answers: {
      salesloft: 'callback: invalid_code_challenge_method',
      salesos: 'callback: invalid_request',
      salesforce: 'callback: invalid_request, invalid code challenge',
    },
  },
  {
    section: 'OIDC Core §3.1.2.6',
    behaviour: 'refuses prompt=none, because it asks at every request who signs in',
    answers: each('callback: login_required'),
  },
  {
    section: 'Salesforce',
    behaviour: 'refuses immediate=true',
    answers: { salesforce: 'callback: immediate_unsuccessful' },
  },
  {
    section: 'RFC 6749 §4.1.2.1',
    behaviour: 'says access_denied when the person denies',
    answers: {
      salesloft:
        'callback: access_denied, The resource owner or authorization server denied the request.',
      salesos: 'callback: access_denied, The user denied the authorization request',
      salesforce: 'callback: access_denied, end-user denied authorization',
    },
  },
  {
    section: 'Provider policy',
    behaviour: 'refuses an inactive person (SalesOS, Salesforce)',
    answers: {
      salesos: 'callback: unauthorized, user is blocked',
      salesforce: 'callback: inactive_user, user is inactive',
    },
  },
  {
    section: 'RFC 6749 §4.1.2',
    behaviour: 'refuses a code that was used, and revokes the tokens it gave',
    answers: {
      salesloft: '400 invalid_grant',
      salesos: '403 invalid_grant, Invalid authorization code',
      salesforce: '400 invalid_grant, expired authorization code',
    },
  },
  {
    section: 'RFC 6749 §4.1.2',
    behaviour: 'refuses a code that has expired',
    answers: {
      salesloft: '400 invalid_grant',
      salesos: '403 invalid_grant, Invalid authorization code',
      salesforce: '400 invalid_grant, expired authorization code',
    },
  },
  {
    section: 'RFC 6749 §5.2',
    behaviour: 'refuses an invented code',
    answers: {
      salesloft: '400 invalid_grant',
      salesos: '403 invalid_grant, Invalid authorization code',
      salesforce: '400 invalid_grant, invalid authorization code',
    },
  },
  {
    section: 'RFC 6749 §5.2',
    behaviour: 'refuses a code and a refresh token of another client',
    answers: {
      salesloft: '400 invalid_grant',
      salesos: '403 invalid_grant',
      salesforce: '400 invalid_grant',
    },
  },
  {
    section: 'RFC 6749 §4.1.3',
    behaviour: 'refuses a redirect URI other than that of the authorization request',
    answers: {
      salesloft: '400 invalid_grant',
      salesos: '403 invalid_grant, Invalid authorization code',
      salesforce: '400 redirect_uri_mismatch, redirect_uri must match configuration',
    },
  },
  {
    section: 'RFC 7636 §4.6',
    behaviour: 'refuses a wrong code verifier',
    answers: {
      salesloft: '400 invalid_grant',
      salesos: '403 invalid_grant, Invalid authorization code',
      salesforce: '400 invalid_grant, invalid code verifier',
    },
  },
  {
    section: 'RFC 7636 §4.6',
    behaviour: 'refuses a missing code verifier when a challenge was sent',
    answers: {
      salesloft: '400 invalid_request, Missing required parameter: code_verifier.',
      salesos: '403 invalid_grant, Invalid authorization code',
      salesforce: '400 invalid_grant, invalid code verifier',
    },
  },
  {
    section: 'RFC 6749 §2.3.1',
    behaviour: 'refuses a wrong client secret',
    answers: {
      salesloft: '401 invalid_client',
      salesos: '401 invalid_client, Client authentication failed',
      salesforce: '400 invalid_client, invalid client credentials',
    },
  },
  {
    section: 'RFC 6749 §2.3.1',
    behaviour: 'refuses an unknown client at the token endpoint',
    answers: {
      salesloft: '401 invalid_client',
      salesos: '401 invalid_client, Client authentication failed',
      salesforce: '400 invalid_client_id, client identifier invalid',
    },
  },
  {
    section: 'RFC 6749 §2.3',
    behaviour: 'refuses two client authentication methods at once',
    answers: each('400 invalid_request'),
  },
  {
    section: 'RFC 6749 §5.2',
    behaviour: 'refuses an unknown grant type',
    answers: each('400 unsupported_grant_type'),
  },
  {
    section: 'RFC 6749 §5.2',
    behaviour: 'names the parameter that is missing',
    answers: each('400 invalid_request, …redirect_uri'),
  },
  {
    section: 'RFC 6749 §3.2',
    behaviour: 'refuses GET at the token endpoint',
    answers: each('404'),
  },
  {
    section: 'RFC 6749 §2.3.1',
    behaviour:
      'refuses credentials and codes in the query of a token request (Salesloft, Salesforce)',
    answers: { salesloft: '400 invalid_request', salesforce: '400 invalid_request' },
  },
  {
    section: 'Salesforce',
    behaviour: 'refuses a JSON body at the token endpoint',
    answers: { salesforce: '400 unsupported_grant_type, grant type not supported' },
  },
  {
    section: 'Salesforce',
    behaviour: 'refuses a scope in any token request',
    answers: { salesforce: '400 invalid_request, scope parameter not supported' },
  },
  {
    section: 'RFC 6749 §4.4',
    behaviour: 'refuses client credentials without an audience (SalesOS), or at all (Salesforce)',
    answers: {
      salesos: '400 invalid_request, Missing required parameter: audience',
      salesforce: '400 invalid_grant, no client credentials user enabled',
    },
  },
  {
    section: 'RFC 9700 §4.14.2',
    behaviour: 'refuses a refresh token that a refresh has replaced',
    answers: {
      salesloft: '400 invalid_grant',
      salesos: '403 invalid_grant, Unknown or invalid refresh token.',
      salesforce: '400 invalid_grant, expired access/refresh token',
    },
  },
  {
    section: 'RFC 9700 §4.14.2',
    behaviour: 'revokes the live refresh token when an old one is replayed (SalesOS, Salesforce)',
    answers: {
      salesos: '403 invalid_grant, Unknown or invalid refresh token.',
      salesforce: '400 invalid_grant, expired access/refresh token',
    },
  },
  {
    section: 'RFC 6749 §6',
    behaviour: 'refuses a refresh with a wider scope than was granted (Salesloft, SalesOS)',
    answers: { salesloft: '400 invalid_scope', salesos: '403 invalid_scope' },
  },
  {
    section: 'Provider policy',
    behaviour: 'refuses a refresh of a person who was deactivated',
    answers: {
      salesloft: '400 invalid_grant',
      salesos: '403 invalid_grant, user is blocked',
      salesforce: '400 invalid_grant, inactive user',
    },
  },
  {
    section: 'RFC 7009 §2.1',
    behaviour: 'refuses to revoke for a client that is not authenticated (Salesloft, SalesOS)',
    answers: { salesloft: '403 unauthorized_client', salesos: '401 invalid_client' },
  },
  {
    section: 'RFC 7009 §2.2',
    behaviour: 'refuses to revoke an unknown token (Salesforce)',
    answers: { salesforce: '400 invalid_token' },
  },
  {
    section: 'RFC 6750 §3',
    behaviour: 'refuses a profile request without a token, or with an invalid one',
    answers: {
      salesloft: '401, a JSON body with error',
      salesos: '401 invalid_token',
      salesforce: '403 Missing_OAuth_Token, or Bad_OAuth_Token, as plain text',
    },
  },
  {
    section: 'RFC 9700 §4.3.2',
    behaviour: 'refuses an access token in a URL',
    answers: { salesloft: '401', salesos: '401 invalid_token', salesforce: '403 Bad_OAuth_Token' },
  },
  {
    section: 'RFC 6750 §3.1',
    behaviour: 'refuses an access token that has expired',
    answers: { salesloft: '401', salesos: '401 invalid_token', salesforce: '403 Bad_OAuth_Token' },
  },
  {
    section: 'Salesforce',
    behaviour: 'refuses the identity of another person, another organization or an unknown user',
    answers: { salesforce: '403 No_Access, 403 Wrong_Org, 404 Bad_Id' },
  },
  {
    section: 'RFC 6750 §3.1',
    behaviour: 'refuses an API call without the scope (Salesloft, SalesOS)',
    answers: { salesloft: '403', salesos: '403 FORBIDDEN' },
  },
  {
    section: 'Salesloft',
    behaviour: 'refuses an API key that is not listed',
    answers: { salesloft: '401' },
  },
  {
    section: 'Salesloft',
    behaviour: 'refuses a cadence import that is not valid',
    answers: { salesloft: '422, errors by field' },
  },
  {
    section: 'SalesOS',
    behaviour: 'refuses a lead without a name',
    answers: { salesos: '400 VALIDATION_ERROR' },
  },
  {
    section: 'RFC 9110 §7.4',
    behaviour: 'refuses a Host that is not its own',
    answers: each('421, as plain text'),
  },
];

function each(answer: string): Record<ProviderName, string> {
  return { salesloft: answer, salesos: answer, salesforce: answer };
}
