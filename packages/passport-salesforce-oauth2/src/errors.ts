/** The errors of Salesforce: their meanings, and the remedies. */
import type { CodesOf, Meaning } from 'crm-oauth2/provider';

const NOT_INSTALLED =
  'The app is not installed in this organization. Since September 2025 Salesforce lets an organization use only apps that its administrator has installed: Setup > Connected Apps OAuth Usage > Install, or Setup > External Client Apps.';
const BLOCKED =
  'An administrator has blocked the app in this organization. Setup > Connected Apps OAuth Usage shows it, and unblocks it.';
const NOT_GIVEN =
  'An administrator must give the person access to the app, by a profile or a permission set.';
const OUTAGE = 'Salesforce has a fault. Try again later; https://status.salesforce.com says more.';
const POLICY =
  'A policy of the app, or of the organization, forbids this login. Its administrator can change the policy in the app: Manage > Edit Policies.';
const REGISTER =
  'Register `callbackURL` in the app, character by character: Setup > External Client App Manager > the app > Settings > OAuth Settings > Callback URL; of a connected app, Setup > App Manager > the app > Edit. Salesforce takes up to ten minutes to apply it.';

/** Remedies by code, or by step and code. */
export const hints = {
  // The person and the organization
  immediate_unsuccessful:
    'Salesforce needs to ask the person. Start the login without `immediate`.',
  inactive_user:
    'The person is frozen or deactivated in Salesforce. Their administrator can activate them; until then each login and each refresh fails.',
  inactive_org: 'The Salesforce organization is locked. Its administrator can say why.',
  ip_restricted:
    'The address is outside the IP ranges of the profile, or of the app. An administrator can add it, or relax "IP Relaxation" in the policies of the app. A refresh comes from the address of this server.',
  login_hours:
    'The profile of the person allows no login at this hour. Try again within its login hours, or ask an administrator to extend them.',
  app_not_approved:
    'The person has not approved the app, or has revoked the approval. Start the login again and allow the access; if the app admits only pre-authorized people, an administrator must add the person.',
  rate_limit_exceeded: 'The person logged in too often within the hour. Wait, then try again.',
  invalid_session_level:
    'The organization asks for a stronger login, such as a second factor. Start the login again, and complete it.',

  // The app in the organization
  invalid_app_access: NOT_GIVEN,
  OAUTH_APP_ACCESS_DENIED: NOT_GIVEN,
  OAUTH_APP_BLOCKED: BLOCKED,
  app_blocked: BLOCKED,
  OAUTH_EC_APP_NOT_FOUND: NOT_INSTALLED,
  app_not_found: NOT_INSTALLED,
  app_not_installed: NOT_INSTALLED,
  OAUTH_AUTHORIZATION_BLOCKED:
    'The external client app is local to another organization. Set its distribution state to Packaged and install its package in this organization, or log in to the organization of the app.',
  OAUTH_APPROVAL_ERROR_GENERIC:
    'Salesforce does not say why. Most often the app is not installed in this organization: its administrator installs it at Setup > Connected Apps OAuth Usage. Otherwise a policy of the app forbids it, or its PKCE setting does not fit; the login history of the person says more.',
  invalid_distribution_state:
    'The external client app is packaged, or local to another organization. Set its distribution state to what this organization needs, or install its package here.',
  ecapp_policy_not_found:
    'The external client app has no policies in this organization. Its administrator sets them: Setup > External Client App Manager > the app > Policies.',
  oauth_policy_not_found:
    'The app has no OAuth policies in this organization. Its administrator sets them at the app: Policies > OAuth Policies.',
  oauth_flow_disabled:
    'This OAuth flow is turned off: for the app (Settings > OAuth Settings > Flow Enablement), or for the organization (Setup > OAuth and OpenID Connect Settings).',
  unauthorized_client: POLICY,
  'client_credentials.unauthorized_client':
    'Enable the client credentials flow on the app, and give it a Run-As user.',

  // The settings of the client
  invalid_client_id:
    'Salesforce does not know the consumer key. Compare it with the app, wait ten minutes after creating the app, and install the app in the organization.',
  invalid_client: "The consumer secret is wrong. Copy it again from the app's OAuth settings.",
  invalid_basic_auth_header:
    'The client authentication is malformed. Compare `clientID` and `clientSecret` with the app.',
  redirect_uri_mismatch: REGISTER,
  redirect_uri_missing: REGISTER,
  invalid_scope: 'Select the scopes on the app, or ask for fewer.',
  'revoke.unsupported_token_type':
    'Salesforce revokes access tokens and refresh tokens. Pass one of them, of this organization.',

  login_url_not_allowed:
    'A login may choose https://login.salesforce.com, https://test.salesforce.com for a sandbox, or the My Domain of an organization, such as https://NAME.my.salesforce.com. The application lists other addresses, such as Experience Cloud sites, in `allowedLoginURLs`.',

  // Codes and refresh tokens
  'client_credentials.invalid_grant':
    'Salesforce gives no token to the app itself. Set `loginURL` to the My Domain, enable the flow on the app, and give it a Run-As user.',
  invalid_grant:
    'The code is used up or expired, or the organization signs in elsewhere: set `loginURL` to its My Domain, or to https://test.salesforce.com for a sandbox. For other words, look at the login history of the person in Setup.',
  refresh_token_missing:
    'The scope "refresh_token" is not among the scopes of the app, or a policy of the app ends its refresh tokens at once. Select the scope at Setup > External Client App Manager > the app > Settings > OAuth Settings (of a connected app: Setup > App Manager > the app > Edit), and look at Policies > OAuth Policies > Refresh Token Policy. Then start the login again.',
  'refresh.invalid_grant':
    'The refresh token is used up, expired or revoked, or of another host: refresh where the person logged in. Otherwise the person must log in again.',
  token_request_in_progress:
    'Salesforce is answering another request with this refresh token. Wait a second, then read the stored tokens again: they have probably been renewed.',

  // Outages
  login_error: OUTAGE,
  system_down: OUTAGE,
  service_unavailable: OUTAGE,
  unknown_error: OUTAGE,

  // Answers
  unexpected_redirect:
    'This host is not the one the organization signs in at. Set `loginURL` to its My Domain, or to https://test.salesforce.com for a sandbox.',
  unexpected_content_type:
    'A Salesforce page answered instead of its OAuth service. Set `loginURL` to the My Domain, not to a Lightning or Setup address.',
  signature_missing:
    'Salesforce signs every answer of this flow. Do not trust this one; check what sits between this server and Salesforce.',
  signature_mismatch:
    'The answer was not signed with this consumer secret. Check that `clientSecret` belongs to `clientID`; otherwise do not trust this answer.',
  identity_url_missing: 'The token response names no person. Check `tokenURL`.',
  insufficient_scope: 'Add the scope `id` to the app and to the login.',
  'api.insufficient_scope':
    'Add the scope `api` to the app and to the login. If it is there already, ask an administrator whether the person has API access.',
  'api.unexpected_content_type':
    'A page of Salesforce answered in place of its API. Let `baseURL` follow the tokens: ({ response }) => response.instance_url.',
  'api.unexpected_redirect':
    'The organization has probably moved to another host. Let `baseURL` follow the tokens: ({ response }) => response.instance_url.',
  'api.rate_limited':
    'The organization has used up its API requests of the last 24 hours (Setup > Company Information shows them), or runs too many long ones at once. `onRateLimit` tells how many are left: send fewer, or use the Bulk API.',
  API_DISABLED_FOR_ORG:
    'The edition of the organization has no API, or the person lacks the permission "API Enabled". An administrator can add it.',
  insufficient_access:
    'The person may not see or change this record, object or field, whatever the scopes of the app. Their administrator can share it, or give them the permission.',
  expired_password:
    'The password of the person has expired. The person must sign in to Salesforce and set a new one.',
  not_asserted:
    'The access token belongs to another person than the profile. Do not trust this answer.',
} as const;

/** Codes by which Salesforce, or an administrator, refuses the person. */
export const refusals = [
  'immediate_unsuccessful',
  'inactive_user',
  'inactive_org',
  'ip_restricted',
  'login_hours',
  'app_not_approved',
  'rate_limit_exceeded',
  'invalid_session_level',
  'invalid_app_access',
  'OAUTH_APP_ACCESS_DENIED',
  'OAUTH_APP_BLOCKED',
  'app_blocked',
  'OAUTH_EC_APP_NOT_FOUND',
  'app_not_found',
  'app_not_installed',
  'OAUTH_AUTHORIZATION_BLOCKED',
  'OAUTH_APPROVAL_ERROR_GENERIC',
] as const satisfies readonly CodesOf<typeof hints>[];

/** The codes of the APIs: REST, Bulk 1.0, and the texts of the identity service. */
const API_CODES = {
  invalid_token: ['INVALID_SESSION_ID', 'InvalidSessionId', 'INVALID_AUTH_HEADER'],
  rate_limited: ['REQUEST_LIMIT_EXCEEDED', 'ExceededQuota'],
  insufficient_access: [
    'INSUFFICIENT_ACCESS',
    'INSUFFICIENT_ACCESS_OR_READONLY',
    'INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY',
    'TXN_SECURITY_NO_ACCESS',
  ],
  expired_password: ['INVALID_OPERATION_WITH_EXPIRED_PASSWORD'],
  API_DISABLED_FOR_ORG: ['API_DISABLED_FOR_ORG'],
  provider_unavailable: [
    'API_CURRENTLY_DISABLED',
    'SERVER_UNAVAILABLE',
    'TXN_SECURITY_METERING_ERROR',
  ],
} as const;

const LEFT =
  'The organization may have moved to another host, if the path is right. Call `refresh` of its tokens, which name the new host, and let `baseURL` follow them: ({ response }) => response.instance_url.';

const apiMeanings = Object.entries(API_CODES).flatMap(([code, errors]) =>
  errors.map((error): Meaning => ({
    error,
    stages: ['api'],
    code: code as keyof typeof API_CODES,
  })),
);

/** At a refresh, `invalid_grant` means that the token has ended; these do not end it. */
export const meanings: readonly Meaning[] = [
  ...apiMeanings,
  { error: 'URL_NOT_RESET', stages: ['api'], hint: LEFT },
  { says: /\burl no longer exists\b/i, stages: ['api'], hint: LEFT },
  { error: 'Bad_OAuth_Token', stages: ['api', 'profile'], code: 'invalid_token' },
  { error: 'Missing_OAuth_Token', stages: ['api', 'profile'], code: 'invalid_token' },
  {
    says: /\b(inactive|frozen|deactivated) user\b|\buser is (inactive|frozen)/i,
    code: 'inactive_user',
  },
  { says: /\binactive org|\borgani[sz]ation is (inactive|locked)/i, code: 'inactive_org' },
  {
    says: /\bip restricted or\b.{0,20}\blogin hours\b/i,
    code: 'ip_restricted',
    hint: 'The address is outside the IP ranges of the profile or of the app, or the profile allows no login at this hour. An administrator can change either; a refresh comes from the address of this server.',
  },
  { says: /\bip\b.{0,20}\b(restricted|not allowed|range)/i, code: 'ip_restricted' },
  { says: /\blogin hours\b/i, code: 'login_hours' },
  { says: /\blogin rate exceeded|LOGIN_RATE_EXCEEDED/i, code: 'rate_limit_exceeded' },
  { error: 'LOGIN_RATE_EXCEEDED', code: 'rate_limit_exceeded' },
  {
    error: ['invalid_grant', 'unauthorized_client', 'access_denied'],
    says: /\bnot admin approved\b/i,
    code: 'invalid_app_access',
  },
  {
    error: ['invalid_grant', 'access_denied'],
    says: /\bapp\b.{0,20}\bblocked\b/i,
    code: 'app_blocked',
  },
  {
    error: ['invalid_grant', 'access_denied'],
    says: /\b(not|must be) installed\b/i,
    code: 'app_not_installed',
  },
  {
    error: 'invalid_grant',
    says: /\bhasn.?t approved\b|\bnot approved\b/i,
    stages: ['authorize', 'token'],
    code: 'app_not_approved',
  },
  {
    error: 'invalid_grant',
    says: /\bhasn.?t approved\b|\bnot approved\b/i,
    stages: ['refresh'],
    hint: 'The person, or an administrator, has revoked the approval of the app. The person must log in again, and allow the access.',
  },
  {
    error: 'invalid_grant',
    says: /^authentication failure/i,
    stages: ['authorize', 'token', 'refresh'],
    hint: 'This host does not sign the person in: set `loginURL` to the My Domain of the organization, or to https://test.salesforce.com for a sandbox. If the host is right, a login flow or a missing API permission of the person may be the reason; the login history in Setup says more.',
  },
  {
    error: 'invalid_grant',
    says: /^expired authorization code/i,
    hint: 'The code is older than 15 minutes, or was used already. Start the login again from its button.',
  },
  {
    error: 'invalid_grant',
    says: /^invalid authorization code/i,
    hint: 'Salesforce did not issue this code, or not at this host: something between the browser and this server may have encoded it twice, or `loginURL` and `tokenURL` are of two organizations. Start the login again from its button.',
  },
  {
    says: /\bcode[ _]verifier\b/i,
    stages: ['token'],
    hint: 'The code belongs to another login of this browser or server: its PKCE verifier differs. Start the login again from its button; if it lasts, look for sessions that are mixed up.',
  },
  {
    error: 'invalid_grant',
    says: /\bscopes? (defined|not)|\bvalid scopes\b/i,
    code: 'invalid_scope',
  },
  // The identity URL answers in one word.
  { error: 'Inactive', stages: ['profile'], code: 'inactive_user' },
  {
    error: 'Wrong_Org',
    stages: ['profile'],
    hint: 'The access token is of another organization than the identity URL. Do not trust this answer; check `tokenURL`.',
  },
  {
    error: 'No_Site_Endpoint',
    stages: ['profile'],
    hint: 'The Experience Cloud site has no identity service at this address. Set `loginURL` to the site, with its path, or to the My Domain.',
  },
];
