/** The errors of SalesOS, which are those of Auth0: their meanings, and the remedies. */
import type { CodesOf, Meaning } from 'crm-oauth2/provider';

const BLOCKED =
  'SalesOS has blocked the person. An administrator of SalesOS can say why, and unblock them.';

/** Remedies by code, or by step and code. */
export const hints = {
  // The person
  unauthorized:
    'SalesOS refuses the person: they are blocked, their e-mail address is not verified, or a rule of SalesOS denies them. Its words say which; an administrator of SalesOS can change it.',
  access_denied:
    'The person, or a rule of SalesOS, refused the login. Start it again from its button; if a rule refuses it, ask an administrator of SalesOS.',
  'client_credentials.access_denied':
    'SalesOS gives no token to the app itself. Check `audience`, and that the API client is allowed to use it.',
  email_not_verified:
    'The e-mail address of the person is not verified. The person must open the link in the e-mail of SalesOS, then log in again.',
  not_a_member:
    'The person is not a member of the organization that was asked for. Invite them to it, or pass another `organization`.',
  organization_required:
    'SalesOS asks people to log in to an organization. Pass `organization` to `authenticate`: its id, or its name if SalesOS allows names.',
  invalid_organization:
    'SalesOS does not know the organization, or it is not enabled for the app. Compare `organization` with its id: org_…',
  invalid_invitation:
    'The invitation is used up, expired, or of another organization. Ask for a new one.',
  too_many_attempts:
    'SalesOS has locked the person out after too many attempts. Wait, or follow the link in the e-mail that it sent.',
  password_leaked:
    'The password of the person is known from a leak, and SalesOS refuses it. The person must set a new one.',
  mfa_required:
    'SalesOS asks for a second factor, which only a login in the browser can give. Send the person through the login.',
  id_token_organization:
    'The person signed in to another organization than `organization` asks for. Start the login again, and let the person choose that organization.',

  // The settings of the app
  unknown_audience:
    'SalesOS has no API with this `audience`. Compare the option with the identifier of the API: https://api.play2sell.com',
  unknown_connection:
    'SalesOS does not know the connection, or it is not enabled for the app. Compare `connection`, or leave it out; if the app has no connection, ask SalesOS to enable one.',
  invalid_client: 'Client id or secret is wrong. Copy both from Admin > Integrations > API Keys.',
  unauthorized_client:
    'The app is not allowed to use this grant, connection or API. Ask SalesOS to enable it for the app; an app whose client id begins with tpc_ needs a grant for each API.',
  unsupported_third_party:
    'Auth0 counts the app as third-party (its client id begins with tpc_), and refuses this to it. Ask SalesOS for a first-party app.',
  extensibility_error:
    'An Action of SalesOS failed during the login. Try again; if it lasts, report the time of the login to SalesOS.',
  id_token_missing:
    'SalesOS sent no ID Token. If the client id begins with tpc_, Auth0 counts the app as third-party and gives it no OpenID Connect: ask SalesOS for a first-party app.',
  id_token_issuer:
    'The ID Token comes from another issuer. `issuer` is the domain people sign in at, which is the custom one: https://auth.play2sell.com/',
  'api.insufficient_scope':
    'The token lacks a scope, such as leads:read. Add it to the API client in Admin > Integrations > API Keys, then get a new token.',

  // Codes and refresh tokens
  invalid_grant:
    'The code is used up, expired, or of another login: its client, `callbackURL` or PKCE verifier differs. Start the login again from its button.',
  redirect_uri_mismatch:
    'The two halves of the login have different callback URLs, or SalesOS does not know this one. Use the same strategy and options on both routes, and ask SalesOS to register the URL, character by character: in Auth0, Applications > the app > Settings > Allowed Callback URLs.',
  'client_credentials.invalid_grant':
    'SalesOS gives no token to the app itself. Ask SalesOS to enable the grant for the API client.',
  refresh_token_missing:
    'The API does not allow offline access, or the app lacks the grant for refresh tokens. Ask SalesOS to turn on both: in Auth0, Applications > APIs > the API of `audience` > Settings > Allow Offline Access, and Applications > the app > Settings > Advanced Settings > Grant Types > Refresh Token. Then start the login again.',
  'refresh.invalid_grant':
    'The refresh token is used up, expired or revoked, or it was sent twice, and Auth0 has ended its whole family. The person must log in again.',
} as const;

/** Codes by which SalesOS refuses the person. */
export const refusals = [
  'unauthorized',
  'email_not_verified',
  'not_a_member',
  'organization_required',
  'invalid_invitation',
  'too_many_attempts',
  'password_leaked',
  'mfa_required',
] as const satisfies readonly CodesOf<typeof hints>[];

// Actions of the tenant choose their own words: SalesOS speaks Portuguese, and its people other languages.
// `\b` knows no letter with an accent, and counts `_` as a letter.
const BLOCKED_WORDS =
  /\b(user|account) (is|has been) blocked\b|\b(usu[aá]ri[oa]|conta|cuenta)\b.{0,20}\bbloquead[oa]/i;
const MAIL = 'e-?mail|correo';
const VERIFY = '(?:un)?v[eé]rif|confirm(?!ation)';
const UNVERIFIED_WORDS = new RegExp(
  `(?<![a-z])(?:(?:${VERIFY}).{0,40}(?<![a-z])(?:${MAIL})|(?:${MAIL})(?![a-z]).{0,40}(?:${VERIFY}))`,
  'i',
);

/** Auth0 says many things by one `error`. */
export const meanings: readonly Meaning[] = [
  { error: 'access_denied', says: /^service not found/i, code: 'unknown_audience' },
  {
    says: /\bthird[- ]party\b.{0,80}\bnot (supported|allowed)\b|\bnot (supported|allowed)\b.{0,80}\bthird[- ]party\b/i,
    code: 'unsupported_third_party',
  },
  {
    error: 'access_denied',
    says: /\bclient (is not authorized|has not been granted)\b/i,
    code: 'unauthorized_client',
  },
  { error: 'too_many_requests', code: 'rate_limited' },
  {
    error: ['invalid_request', 'unauthorized_client'],
    says: /\bunknown client\b/i,
    code: 'invalid_client',
  },
  // Old tenants say so of a wrong secret.
  {
    error: 'access_denied',
    says: /^unauthorized$/i,
    stages: ['token', 'refresh', 'client_credentials', 'revoke'],
    code: 'invalid_client',
  },
  {
    says: /\bnot (a )?(part|member) of\b.{0,80}\borgani[sz]ation\b|\bdoes not belong to any organi[sz]ation\b|n[ãa]o (faz parte|[ée] membro) .{0,40}organiza[çc][ãa]o/i,
    code: 'not_a_member',
  },
  { says: /\binvitation\b/i, code: 'invalid_invitation' },
  {
    says: /\borgani[sz]ation is required\b|\bmust (select|choose) an organi[sz]ation\b|\bno organi[sz]ation\b/i,
    code: 'organization_required',
  },
  {
    says: /\borgani[sz]ation is not (allowed|enabled)\b/i,
    code: 'invalid_organization',
    hint: 'SalesOS has not set up the app for organizations. Leave `organization` out, or ask SalesOS to set it up.',
  },
  {
    says: /\borgani[sz]ation (is invalid|is not in a valid|must be|(was )?not found|does not exist)\b|\b(invalid|unknown) organi[sz]ation\b/i,
    code: 'invalid_organization',
  },
  {
    says: /\bconnection\b.{0,60}\b(not (found|enabled)|disabled|does not exist|invalid)\b|\b(no|invalid|unknown) connections?\b/i,
    stages: ['authorize'],
    code: 'unknown_connection',
  },
  { says: UNVERIFIED_WORDS, code: 'email_not_verified' },
  { error: 'invalid_grant', says: BLOCKED_WORDS, code: 'unauthorized', hint: BLOCKED },
  { error: ['unauthorized', 'access_denied'], says: BLOCKED_WORDS, hint: BLOCKED },
  {
    error: 'invalid_grant',
    says: /\buser\b.{0,30}\b(doesn.?t|does not|no longer) exist/i,
    hint: 'SalesOS has removed the person. Remove their tokens too.',
  },
  {
    error: 'invalid_grant',
    says: /\bredirect[ _]uri\b/i,
    code: 'redirect_uri_mismatch',
  },
  {
    says: /\bcode[ _]verifier\b/i,
    stages: ['token'],
    hint: 'The code belongs to another login of this browser or server: its PKCE verifier differs. Start the login again from its button; if it lasts, look for sessions that are mixed up.',
  },
];
