/** SalesOS's refusals, by their reason. */
import type { RefusalTable } from '../reasons.js';

const MISSING = 'Missing required parameter: {name}';
const INVALID = 'invalid_request';

export const SALESOS_REFUSALS = {
  'authorize.client': [400, INVALID, 'Unknown client'],
  'authorize.redirect-uri': [
    400,
    'Callback URL mismatch',
    'The provided redirect_uri is not in the list of allowed callback URLs.',
  ],
  'authorize.missing': [302, INVALID, MISSING],
  'authorize.repeated': [302, INVALID, 'Parameters must not be repeated'],
  'authorize.no-challenge': [302, INVALID, 'Parameter code_challenge is required'],
  'authorize.challenge': [302, INVALID, 'Parameter code_challenge is invalid'],
  'authorize.challenge-method': [302, INVALID, 'Parameter code_challenge_method must be S256'],
  'authorize.response-type': [
    302,
    'unsupported_response_type',
    'Unsupported response type: {name}',
  ],
  'authorize.login': [302, 'login_required', 'The user is not logged in'],
  'authorize.audience': [302, 'access_denied', 'Service not found: {name}'],
  'authorize.denied': [302, 'access_denied', 'The user denied the authorization request'],
  'authorize.inactive': [302, 'unauthorized', 'user is blocked'],
  client: [401, 'invalid_client', 'Client authentication failed'],
  'client.twice': [400, INVALID, 'Only one client authentication method can be used'],
  'parameter.missing': [400, INVALID, MISSING],
  'parameter.repeated': [400, INVALID, 'Parameters must not be repeated'],
  'grant-type': [400, 'unsupported_grant_type', 'Grant type not supported'],
  code: [403, 'invalid_grant', 'Invalid authorization code'],
  'refresh-token': [403, 'invalid_grant', 'Unknown or invalid refresh token.'],
  inactive: [403, 'invalid_grant', 'user is blocked'],
  scope: [403, 'invalid_scope', 'The requested scope is wider than the granted one'],
  audience: [403, 'access_denied', 'Service not found: {name}'],
  other: [400, INVALID, 'Bad request'],
} as const satisfies RefusalTable;
