/** SalesOS's faults: name, step, answer. */
import * as named from '../named-faults.js';

const { answers, at, brings, neverAccepts, says } = named;

const BLOCKED = 'user is blocked';
const DENIED = 'Access to this application is restricted.';
const NO_SERVICE = 'Service not found: https://wrong.example';
const UNAVAILABLE = 'The service is temporarily unavailable';
const PERSON = 'user auth0|0123456789abcdef01234567';
const GRANT_TYPE = "Grant type 'authorization_code' not allowed for the client.";

/** Auth0 answers 403 where its documents say 400. */
const REFUSED = {
  blocked: says(403, 'invalid_grant', BLOCKED),
  unauthorized: says(401, 'unauthorized', BLOCKED),
  'access-denied': says(401, 'access_denied', 'Unauthorized'),
  'denied-by-action': says(403, 'access_denied', DENIED),
  'mfa-required': says(403, 'mfa_required', 'Multifactor authentication required'),
  'unauthorized-client': says(403, 'unauthorized_client', GRANT_TYPE),
  'invalid-client': says(401, 'invalid_client', 'Client authentication failed'),
  unavailable: says(503, 'temporarily_unavailable', UNAVAILABLE),
};

const MINUTE_SECONDS = 60;

/** Auth0 tells in a header of its own when its limit ends, in epoch seconds. */
const rateLimit = (body: unknown): named.Row => [
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

const problem = (code: string, message: string, details?: object[]) => ({
  error: { code, message, ...(details && { details }) },
  meta: {},
});

const FIELD_ERRORS = [{ field: 'email', message: 'is invalid' }];

export const SALESOS_FAULTS = {
  ...at('callback', {
    ...named.CALLBACK_WIRE,
    'other-iss': [
      'names another issuer in iss',
      { kind: 'patch', merge: { iss: 'https://evil.example/' } },
    ],
    blocked: brings('unauthorized', BLOCKED),
    'email-unverified': brings('unauthorized', 'Please verify your email before logging in.'),
    'denied-by-action': brings('access_denied', DENIED),
    'unauthorized-by-action': brings('unauthorized', DENIED),
    'organization-required': brings(
      'invalid_request',
      'parameter organization is required for this client',
    ),
    'organization-invalid': brings('invalid_request', 'parameter organization is invalid'),
    'not-in-organization': brings(
      'access_denied',
      `${PERSON} is not part of the org_Local0Emulator00 organization`,
    ),
    'service-not-found': brings('access_denied', NO_SERVICE),
    'unauthorized-client': brings('unauthorized_client', 'The client may not use this connection'),
    'consent-required': brings('consent_required', 'Consent required'),
    'interaction-required': brings('interaction_required', 'Multifactor authentication required'),
    'server-error': brings('server_error', 'An unexpected error occurred'),
    unavailable: brings('temporarily_unavailable', UNAVAILABLE),
  }),
  ...at('token', {
    'invalid-grant': says(403, 'invalid_grant', 'Invalid authorization code'),
    'service-not-found': says(403, 'access_denied', NO_SERVICE),
    'rate-limit': TOO_MANY,
    ...REFUSED,
    ...named.NO_REFRESH_TOKEN,
    ...named.TOKEN_WIRE,
  }),
  ...named.ID_TOKENS,
  ...at('jwks', named.WIRE),
  ...at('userinfo', { 'rate-limit': TOO_MANY, ...named.WIRE }),
  ...at('refresh', {
    'invalid-grant': says(403, 'invalid_grant', 'Unknown or invalid refresh token.'),
    'rate-limit': TOO_MANY,
    ...REFUSED,
    ...named.TOKEN_WIRE,
  }),
  ...at('api', {
    'field-errors': answers(
      400,
      'errors by field',
      problem('VALIDATION_ERROR', 'The lead is not valid', FIELD_ERRORS),
    ),
    forbidden: answers(403, 'the scope is missing', problem('FORBIDDEN', 'Token lacks the scope')),
    'rate-limit': rateLimit(problem('RATE_LIMITED', 'Too many requests')),
    'never-accepted': neverAccepts(problem('UNAUTHORIZED', 'Token is missing or invalid')),
    ...named.WIRE,
  }),
} as const satisfies named.FaultTable;

export type SalesosFaultName = keyof typeof SALESOS_FAULTS;
