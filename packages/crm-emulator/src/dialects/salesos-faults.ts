/** SalesOS's faults: name, step, answer. */
import { answers, faultsOf, neverAccepts, NO_REFRESH_TOKEN, type Row } from '../named-faults.js';
import { problem } from './salesos-api.js';
import { SALESOS_REFUSALS as REFUSALS } from './salesos-refusals.js';

const BLOCKED = 'user is blocked';
const DENIED = 'Access to this application is restricted.';
const NO_SERVICE = 'Service not found: https://wrong.example';
const UNAVAILABLE = [
  503,
  'temporarily_unavailable',
  'The service is temporarily unavailable',
] as const;
const STRANGER =
  'user auth0|0123456789abcdef01234567 is not part of the org_Local0Emulator00 organization';
const GRANT_TYPE = "Grant type 'authorization_code' not allowed for the client.";

/** Auth0 answers 403 where its documents say 400. */
const REFUSED = {
  blocked: REFUSALS.inactive,
  unauthorized: [401, 'unauthorized', BLOCKED],
  'access-denied': [401, 'access_denied', 'Unauthorized'],
  'denied-by-action': [403, 'access_denied', DENIED],
  'mfa-required': [403, 'mfa_required', 'Multifactor authentication required'],
  'unauthorized-client': [403, 'unauthorized_client', GRANT_TYPE],
  'invalid-client': REFUSALS.client,
  unavailable: UNAVAILABLE,
} as const;

const MINUTE_SECONDS = 60;

/** Auth0 tells in a header of its own when its limit ends, in epoch seconds. */
const rateLimit = (body: unknown): Row => [
  'answers 429: the rate limit is reached',
  () => ({
    kind: 'status',
    status: 429,
    body,
    headers: {
      'x-ratelimit-limit': '10',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': String(Math.floor(Date.now() / 1000) + MINUTE_SECONDS),
    },
  }),
];

const TOO_MANY = rateLimit({
  error: 'too_many_requests',
  error_description: 'Rate limit exceeded. Please retry after some time.',
});

const FIELD_ERRORS = [{ field: 'email', message: 'is invalid' }];

export const SALESOS_FAULTS = faultsOf({
  callback: {
    'other-iss': [
      'names another issuer in iss',
      { kind: 'patch', merge: { iss: 'https://evil.example/' } },
    ],
    blocked: REFUSALS['authorize.inactive'],
    'email-unverified': [302, 'unauthorized', 'Please verify your email before logging in.'],
    'denied-by-action': [302, 'access_denied', DENIED],
    'unauthorized-by-action': [302, 'unauthorized', DENIED],
    'organization-required': [
      302,
      'invalid_request',
      'parameter organization is required for this client',
    ],
    'organization-invalid': [302, 'invalid_request', 'parameter organization is invalid'],
    'not-in-organization': [302, 'access_denied', STRANGER],
    'service-not-found': [302, 'access_denied', NO_SERVICE],
    'unauthorized-client': [302, 'unauthorized_client', 'The client may not use this connection'],
    'consent-required': [302, 'consent_required', 'Consent required'],
    'interaction-required': [302, 'interaction_required', 'Multifactor authentication required'],
    'server-error': [302, 'server_error', 'An unexpected error occurred'],
    unavailable: UNAVAILABLE,
  },
  token: {
    'invalid-grant': REFUSALS.code,
    'service-not-found': [403, 'access_denied', NO_SERVICE],
    'rate-limit': TOO_MANY,
    ...REFUSED,
    'no-refresh-token': NO_REFRESH_TOKEN,
  },
  'id-token': {},
  jwks: {},
  userinfo: { 'rate-limit': TOO_MANY },
  refresh: {
    'invalid-grant': REFUSALS['refresh-token'],
    'rate-limit': TOO_MANY,
    ...REFUSED,
  },
  api: {
    'field-errors': answers(
      400,
      'errors by field',
      problem('VALIDATION_ERROR', 'The lead is not valid', FIELD_ERRORS),
    ),
    forbidden: answers(403, 'the scope is missing', problem('FORBIDDEN', 'Token lacks the scope')),
    'rate-limit': rateLimit(problem('RATE_LIMITED', 'Too many requests')),
    'never-accepted': neverAccepts(problem('UNAUTHORIZED', 'Token is missing or invalid')),
  },
});

export type SalesosFaultName = keyof typeof SALESOS_FAULTS;
