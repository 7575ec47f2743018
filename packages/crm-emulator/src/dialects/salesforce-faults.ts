/** Salesforce's faults: name, step, answer. */
import * as named from '../named-faults.js';

const { answers, at, brings, neverAccepts, says } = named;

const NOT_INSTALLED = 'External client app is not installed in this org';
const NOT_APPROVED = 'user is not admin approved to access this app';
const BLOCKED = 'this app is blocked by admin';

/** Refusals of a person, an app or an org that the callback and the token endpoint can say. */
const EITHER_LEG = {
  'app-blocked': ['app_blocked', BLOCKED],
  'app-not-found': ['app_not_found', NOT_INSTALLED],
  'flow-disabled': ['oauth_flow_disabled', 'OAuth flow is disabled'],
  'user-inactive': ['inactive_user', 'user is inactive'],
  'org-inactive': ['inactive_org', 'organization is inactive'],
  'rate-limit': ['rate_limit_exceeded', 'login rate exceeded'],
  unauthorized: ['unauthorized_client', 'client is not authorized'],
} as const;

type Words = readonly [error: string, description: string];
const inEach = <Name extends string>(
  rows: Readonly<Record<Name, Words>>,
  toRow: (error: string, description: string) => named.Row,
) =>
  Object.fromEntries(
    Object.entries<Words>(rows).map(([name, words]) => [name, toRow(...words)]),
  ) as Record<Name, named.Row>;

const refused = (error: string, description: string) => says(400, error, description);
const invalidGrant = (description: string) => refused('invalid_grant', description);

const REFUSED = {
  'authentication-failure': invalidGrant('authentication failure'),
  'inactive-user': invalidGrant('inactive user'),
  'inactive-organization': invalidGrant('inactive organization'),
  'ip-restricted': invalidGrant('ip restricted'),
  'login-hours': invalidGrant('invalid login hours'),
  'not-approved': invalidGrant("user hasn't approved this consumer"),
  'expired-token': invalidGrant('expired access/refresh token'),
  ...inEach(EITHER_LEG, refused),
};

/** The REST API answers with an array of errors. */
const errors = (errorCode: string, message: string, fields?: string[]) => [
  { message, errorCode, ...(fields && { fields }) },
];

const STATIC_FAULTS = {
  ...at('callback', {
    ...named.CALLBACK_WIRE,
    ...inEach(EITHER_LEG, brings),
    'access-denied': brings('access-denied', 'end-user denied authorization'),
    'invalid-app-access': brings('invalid_app_access', NOT_APPROVED),
    'approval-error': brings(
      'OAUTH_APPROVAL_ERROR_GENERIC',
      'An unexpected error has occured during authentication. Please try again.',
    ),
    'app-blocked-by-admin': brings('OAUTH_APP_BLOCKED', BLOCKED),
    'app-access-denied': brings('OAUTH_APP_ACCESS_DENIED', NOT_APPROVED),
    'app-not-installed': brings('OAUTH_EC_APP_NOT_FOUND', NOT_INSTALLED),
    'server-error': brings('server_error', 'an unexpected error has occurred'),
    unavailable: brings('service_unavailable', 'the service is unavailable'),
  }),
  ...at('token', {
    'expired-code': invalidGrant('expired authorization code'),
    'invalid-code': invalidGrant('invalid authorization code'),
    'wrong-verifier': invalidGrant('invalid code verifier'),
    ...REFUSED,
    'wrong-signature': ['signs its response wrongly', { kind: 'wrong-signature' }],
    ...named.NO_REFRESH_TOKEN,
    ...named.TOKEN_WIRE,
  }),
  ...named.ID_TOKENS,
  ...at('jwks', named.WIRE),
  ...at(
    'profile',
    {
      'bad-token': answers(403, 'the token is not accepted', 'Bad_OAuth_Token'),
      'no-access': answers(403, 'access is denied', 'No_Access'),
      inactive: answers(404, 'the user is inactive', 'Inactive'),
      ...named.WIRE,
    },
    'Identity URL',
  ),
  ...at('refresh', { ...REFUSED, ...named.TOKEN_WIRE }),
  ...at('api', {
    'daily-limit': answers(
      403,
      'the daily limit is reached',
      errors('REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.'),
    ),
    'locked-row': answers(
      400,
      'the record is locked',
      errors('UNABLE_TO_LOCK_ROW', 'unable to obtain exclusive access to this record', []),
    ),
    'field-errors': answers(
      400,
      'a field is missing',
      errors('REQUIRED_FIELD_MISSING', 'Required fields are missing: [LastName]', ['LastName']),
    ),
    disabled: answers(
      403,
      'the org has no API',
      errors('API_DISABLED_FOR_ORG', 'The REST API is not enabled for this Organization.'),
    ),
    'never-accepted': neverAccepts(errors('INVALID_SESSION_ID', 'Session expired or invalid')),
    ...named.WIRE,
  }),
} as const satisfies named.FaultTable;

/** @param org tells where the org is when a fault is queued, because it can move */
export function salesforceFaults(org: () => string) {
  const issOfOrg: named.Row = [
    'names the org in iss',
    () => ({ kind: 'patch', merge: { iss: org() } }),
  ];
  return { ...at('callback', { 'iss-of-org': issOfOrg }), ...STATIC_FAULTS };
}

export type SalesforceFaultName = keyof ReturnType<typeof salesforceFaults>;
