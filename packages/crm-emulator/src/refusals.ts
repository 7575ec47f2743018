import type { ProviderName } from './types.js';

/** One thing the emulator refuses, where it is written down, and what it answers. */
export interface RefusalEntry {
  section: string;
  what: string;
  /** The answer of each provider that can be asked: an error code, and where it is shown. */
  words: Partial<Record<ProviderName, string>>;
}

/** Everything the emulator refuses. Each entry is proved by a test of the same title. */
export const REFUSALS: readonly RefusalEntry[] = [
  {
    section: 'RFC 6749 §4.1.2.1',
    what: 'shows a page, and redirects nowhere, when the client is unknown',
    words: {
      salesloft: 'page: invalid_client',
      salesos: 'page: Unknown client',
      salesforce: 'page: invalid_client_id, client identifier invalid',
    },
  },
  {
    section: 'RFC 6749 §3.1.2.4',
    what: 'shows a page, and redirects nowhere, when the redirect URI is not registered',
    words: {
      salesloft: 'page: invalid_redirect_uri',
      salesos: 'page: Callback URL mismatch',
      salesforce: 'page: redirect_uri_mismatch, redirect_uri must match configuration',
    },
  },
  {
    section: 'RFC 6749 §3.1',
    what: 'refuses a repeated parameter of the authorization request',
    words: each('callback: invalid_request'),
  },
  {
    section: 'RFC 6749 §3.1.1',
    what: 'refuses a response type other than code',
    words: each('callback: unsupported_response_type'),
  },
  {
    section: 'RFC 6749 §3.3',
    what: 'refuses an unknown scope (Salesloft, Salesforce)',
    words: {
      salesloft: 'callback: invalid_scope',
      salesforce: 'callback: invalid_scope, the requested scope is not allowed',
    },
  },
  {
    section: 'Auth0',
    what: 'refuses an unknown audience',
    words: { salesos: 'callback: access_denied, Service not found: …' },
  },
  {
    section: 'RFC 7636 §4.4.1',
    what: 'refuses a request without a code challenge where one is required',
    words: {
      salesloft: 'callback: invalid_request, Code challenge is required.',
      salesos: 'callback: invalid_request, Parameter code_challenge is required',
      salesforce: 'callback: invalid_request, missing required code challenge',
    },
  },
  {
    section: 'RFC 7636 §4.3',
    what: 'refuses the plain code challenge method',
    words: {
      salesloft: 'callback: invalid_code_challenge_method',
      salesos: 'callback: invalid_request',
      salesforce: 'callback: invalid_request, invalid code challenge',
    },
  },
  {
    section: 'OIDC Core §3.1.2.6',
    what: 'refuses prompt=none, since nobody is ever signed in already',
    words: each('callback: login_required'),
  },
  {
    section: 'Salesforce',
    what: 'refuses immediate=true',
    words: { salesforce: 'callback: immediate_unsuccessful' },
  },
  {
    section: 'RFC 6749 §4.1.2.1',
    what: 'says access_denied when the person denies',
    words: {
      salesloft:
        'callback: access_denied, The resource owner or authorization server denied the request.',
      salesos: 'callback: access_denied, The user denied the authorization request',
      salesforce: 'callback: access_denied, end-user denied authorization',
    },
  },
  {
    section: 'Provider policy',
    what: 'refuses an inactive person (SalesOS, Salesforce)',
    words: {
      salesos: 'callback: access_denied, user is blocked',
      salesforce: 'callback: inactive_user, user is inactive',
    },
  },
  {
    section: 'RFC 6749 §4.1.2',
    what: 'refuses a code that was used, and revokes what it gave',
    words: {
      salesloft: '400 invalid_grant',
      salesos: '403 invalid_grant, Invalid authorization code',
      salesforce: '400 invalid_grant, expired authorization code',
    },
  },
  {
    section: 'RFC 6749 §4.1.2',
    what: 'refuses a code that has expired',
    words: {
      salesloft: '400 invalid_grant',
      salesos: '403 invalid_grant, Invalid authorization code',
      salesforce: '400 invalid_grant, expired authorization code',
    },
  },
  {
    section: 'RFC 6749 §5.2',
    what: 'refuses an invented code',
    words: {
      salesloft: '400 invalid_grant',
      salesos: '403 invalid_grant, Invalid authorization code',
      salesforce: '400 invalid_grant, invalid authorization code',
    },
  },
  {
    section: 'RFC 6749 §4.1.3',
    what: 'refuses another redirect URI than that of the authorization request',
    words: {
      salesloft: '400 invalid_grant',
      salesos: '403 invalid_grant, Invalid authorization code',
      salesforce: '400 redirect_uri_mismatch, redirect_uri must match configuration',
    },
  },
  {
    section: 'RFC 7636 §4.6',
    what: 'refuses a wrong code verifier',
    words: {
      salesloft: '400 invalid_grant',
      salesos: '403 invalid_grant, Invalid authorization code',
      salesforce: '400 invalid_grant, invalid code verifier',
    },
  },
  {
    section: 'RFC 7636 §4.6',
    what: 'refuses a missing code verifier when a challenge was sent',
    words: {
      salesloft: '400 invalid_request, Missing required parameter: code_verifier.',
      salesos: '403 invalid_grant, Invalid authorization code',
      salesforce: '400 invalid_grant, invalid code verifier',
    },
  },
  {
    section: 'RFC 6749 §2.3.1',
    what: 'refuses a wrong client secret',
    words: {
      salesloft: '401 invalid_client',
      salesos: '401 invalid_client, Client authentication failed',
      salesforce: '400 invalid_client, invalid client credentials',
    },
  },
  {
    section: 'RFC 6749 §2.3.1',
    what: 'refuses an unknown client at the token endpoint',
    words: {
      salesloft: '401 invalid_client',
      salesos: '401 invalid_client, Client authentication failed',
      salesforce: '400 invalid_client_id, client identifier invalid',
    },
  },
  {
    section: 'RFC 6749 §2.3',
    what: 'refuses two client authentication methods at once',
    words: each('400 invalid_request'),
  },
  {
    section: 'RFC 6749 §5.2',
    what: 'refuses an unknown grant type',
    words: each('400 unsupported_grant_type'),
  },
  {
    section: 'RFC 6749 §5.2',
    what: 'names the parameter that is missing',
    words: each('400 invalid_request, …redirect_uri'),
  },
  {
    section: 'RFC 6749 §3.2',
    what: 'refuses GET at the token endpoint',
    words: each('404'),
  },
  {
    section: 'RFC 6749 §2.3.1',
    what: 'refuses credentials and codes in the query of a token request (Salesloft, Salesforce)',
    words: { salesloft: '400 invalid_request', salesforce: '400 invalid_request' },
  },
  {
    section: 'Salesforce',
    what: 'refuses a JSON body at the token endpoint',
    words: { salesforce: '400 unsupported_grant_type, grant type not supported' },
  },
  {
    section: 'Salesforce',
    what: 'refuses a scope in any token request',
    words: { salesforce: '400 invalid_request, scope parameter not supported' },
  },
  {
    section: 'RFC 6749 §4.4',
    what: 'refuses client credentials without an audience (SalesOS), or at all (Salesforce)',
    words: {
      salesos: '400 invalid_request, Missing required parameter: audience',
      salesforce: '400 invalid_grant, no client credentials user enabled',
    },
  },
  {
    section: 'RFC 9700 §4.14.2',
    what: 'refuses a refresh token that was rotated away',
    words: {
      salesloft: '400 invalid_grant',
      salesos: '403 invalid_grant, Unknown or invalid refresh token.',
      salesforce: '400 invalid_grant, expired access/refresh token',
    },
  },
  {
    section: 'RFC 9700 §4.14.2',
    what: 'revokes the live refresh token when an old one is replayed (SalesOS, Salesforce)',
    words: {
      salesos: '403 invalid_grant, Unknown or invalid refresh token.',
      salesforce: '400 invalid_grant, expired access/refresh token',
    },
  },
  {
    section: 'RFC 7009 §2.1',
    what: 'refuses to revoke for a client that is not authenticated (Salesloft, SalesOS)',
    words: { salesloft: '403 unauthorized_client', salesos: '401 invalid_client' },
  },
  {
    section: 'RFC 7009 §2.2',
    what: 'refuses to revoke an unknown token (Salesforce)',
    words: { salesforce: '400 invalid_token' },
  },
  {
    section: 'RFC 6750 §3',
    what: 'refuses a profile request without a token, or with an invalid one',
    words: {
      salesloft: '401, a JSON body with error',
      salesos: '401 invalid_token',
      salesforce: '403 Missing_OAuth_Token, or Bad_OAuth_Token, as plain text',
    },
  },
  {
    section: 'RFC 9700 §4.3.2',
    what: 'refuses an access token in a URL',
    words: { salesloft: '401', salesos: '401 invalid_token', salesforce: '403 Bad_OAuth_Token' },
  },
  {
    section: 'RFC 6750 §3.1',
    what: 'refuses an access token that has expired',
    words: { salesloft: '401', salesos: '401 invalid_token', salesforce: '403 Bad_OAuth_Token' },
  },
  {
    section: 'Salesforce',
    what: 'refuses the identity of another person, organization or nobody',
    words: { salesforce: '403 No_Access, 403 Wrong_Org, 404 Bad_Id' },
  },
  {
    section: 'RFC 6750 §3.1',
    what: 'refuses an API call without the scope (Salesloft, SalesOS)',
    words: { salesloft: '403', salesos: '403 FORBIDDEN' },
  },
  {
    section: 'Salesloft',
    what: 'refuses an API key that is not listed',
    words: { salesloft: '401' },
  },
  {
    section: 'Salesloft',
    what: 'refuses a cadence import that is not valid',
    words: { salesloft: '422, errors by field' },
  },
  {
    section: 'SalesOS',
    what: 'refuses a lead without a name',
    words: { salesos: '400 VALIDATION_ERROR' },
  },
];

function each(words: string): Record<ProviderName, string> {
  return { salesloft: words, salesos: words, salesforce: words };
}
