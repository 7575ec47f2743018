/** Salesforce's faults: name, step, answer. */
import { answers, faultsOf, neverAccepts, NO_REFRESH_TOKEN } from '../named-faults.js';
import type { Words } from '../reasons.js';
import { errors } from './salesforce-api.js';
import { SALESFORCE_REFUSALS as REFUSALS } from './salesforce-refusals.js';

const NOT_INSTALLED = 'External client app is not installed in this org';
const NOT_APPROVED = 'user is not admin approved to access this app';
const BLOCKED = 'this app is blocked by admin';

/** Refusals of a person, an app or an org that the callback and the token endpoint can say. */
const EITHER_LEG = {
  'app-blocked': [400, 'app_blocked', BLOCKED],
  'app-not-found': [400, 'app_not_found', NOT_INSTALLED],
  'flow-disabled': [400, 'oauth_flow_disabled', 'OAuth flow is disabled'],
  'user-inactive': [400, 'inactive_user', 'user is inactive'],
  'org-inactive': [400, 'inactive_org', 'organization is inactive'],
  'rate-limit': [400, 'rate_limit_exceeded', 'login rate exceeded'],
  unauthorized: [400, 'unauthorized_client', 'client is not authorized'],
} as const;

const invalidGrant = (description: string): Words => [400, 'invalid_grant', description];

const REFUSED = {
  'authentication-failure': invalidGrant('authentication failure'),
  'inactive-user': REFUSALS.inactive,
  'inactive-organization': invalidGrant('inactive organization'),
  'ip-restricted': invalidGrant('ip restricted'),
  'login-hours': invalidGrant('invalid login hours'),
  'not-approved': invalidGrant("user hasn't approved this consumer"),
  'expired-token': REFUSALS['refresh-token'],
  ...EITHER_LEG,
};

const LIMIT = errors('REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.');
const LOCKED = 'unable to obtain exclusive access to this record';
const MISSING = 'Required fields are missing: [LastName]';
const DISABLED = 'The REST API is not enabled for this Organization.';

/** @param org tells where the org is when a fault is queued, because it can move */
export const salesforceFaults = (org: () => string) =>
  faultsOf(
    {
      callback: {
        'iss-of-org': ['names the org in iss', () => ({ kind: 'patch', merge: { iss: org() } })],
        ...EITHER_LEG,
        'access-denied': [302, 'access-denied', 'end-user denied authorization'],
        'invalid-app-access': [302, 'invalid_app_access', NOT_APPROVED],
        'approval-error': [
          302,
          'OAUTH_APPROVAL_ERROR_GENERIC',
          'An unexpected error has occured during authentication. Please try again.',
        ],
        'app-blocked-by-admin': [302, 'OAUTH_APP_BLOCKED', BLOCKED],
        'app-access-denied': [302, 'OAUTH_APP_ACCESS_DENIED', NOT_APPROVED],
        'app-not-installed': [302, 'OAUTH_EC_APP_NOT_FOUND', NOT_INSTALLED],
        'server-error': [302, 'server_error', 'an unexpected error has occurred'],
        unavailable: [302, 'service_unavailable', 'the service is unavailable'],
      },
      token: {
        'expired-code': REFUSALS.code,
        'invalid-code': REFUSALS['code.unknown'],
        'wrong-verifier': REFUSALS['code.verifier'],
        ...REFUSED,
        'wrong-signature': ['signs its response wrongly', { kind: 'wrong-signature' }],
        'no-refresh-token': NO_REFRESH_TOKEN,
      },
      'id-token': {},
      jwks: {},
      profile: {
        'bad-token': answers(403, 'the token is not accepted', 'Bad_OAuth_Token'),
        'no-access': answers(403, 'access is denied', 'No_Access'),
        inactive: answers(404, 'the user is inactive', 'Inactive'),
      },
      refresh: REFUSED,
      api: {
        'daily-limit': answers(403, 'the daily limit is reached', LIMIT),
        'locked-row': answers(
          400,
          'the record is locked',
          errors('UNABLE_TO_LOCK_ROW', LOCKED, []),
        ),
        'field-errors': answers(
          400,
          'a field is missing',
          errors('REQUIRED_FIELD_MISSING', MISSING, ['LastName']),
        ),
        disabled: answers(403, 'the org has no API', errors('API_DISABLED_FOR_ORG', DISABLED)),
        'never-accepted': neverAccepts(errors('INVALID_SESSION_ID', 'Session expired or invalid')),
      },
    },
    { profile: 'Identity URL' },
  );

export type SalesforceFaultName = keyof ReturnType<typeof salesforceFaults>;
