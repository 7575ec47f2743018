/** Salesforce's refusals, by their reason. */
import type { RefusalTable } from '../reasons.js';

const INVALID = 'invalid_request';
const NO_GRANT = 'invalid_grant';
const MISMATCH = ['redirect_uri_mismatch', 'redirect_uri must match configuration'] as const;
const UNKNOWN_CLIENT = ['invalid_client_id', 'client identifier invalid'] as const;

export const SALESFORCE_REFUSALS = {
  'authorize.client': [400, ...UNKNOWN_CLIENT],
  'authorize.redirect-uri': [400, ...MISMATCH],
  'authorize.missing': [302, INVALID, 'missing required parameter: {name}'],
  'authorize.repeated': [302, INVALID, 'parameters must not be repeated'],
  'authorize.no-challenge': [302, INVALID, 'missing required code challenge'],
  'authorize.challenge': [302, INVALID, 'invalid code challenge'],
  'authorize.challenge-method': [302, INVALID, 'invalid code challenge'],
  'authorize.response-type': [302, 'unsupported_response_type', 'response type not supported'],
  'authorize.login': [302, 'login_required', 'end-user authentication is required'],
  'authorize.immediate': [302, 'immediate_unsuccessful', 'immediate request was unsuccessful'],
  'authorize.scope': [302, 'invalid_scope', 'the requested scope is not allowed'],
  'authorize.denied': [302, 'access_denied', 'end-user denied authorization'],
  'authorize.inactive': [302, 'inactive_user', 'user is inactive'],
  client: [400, 'invalid_client', 'invalid client credentials'],
  'client.unknown': [400, ...UNKNOWN_CLIENT],
  'client.twice': [400, INVALID, 'only one client authentication method is allowed'],
  'parameter.missing': [400, INVALID, 'missing required parameter: {name}'],
  'parameter.repeated': [400, INVALID, 'parameters must not be repeated'],
  query: [400, INVALID, 'parameters are not allowed in the query'],
  'grant-type': [400, 'unsupported_grant_type', 'grant type not supported'],
  'scope-parameter': [400, INVALID, 'scope parameter not supported'],
  'client-credentials': [400, NO_GRANT, 'no client credentials user enabled'],
  code: [400, NO_GRANT, 'expired authorization code'],
  'code.unknown': [400, NO_GRANT, 'invalid authorization code'],
  'code.redirect-uri': [400, ...MISMATCH],
  'code.no-verifier': [400, NO_GRANT, 'invalid code verifier'],
  'code.verifier': [400, NO_GRANT, 'invalid code verifier'],
  'refresh-token': [400, NO_GRANT, 'expired access/refresh token'],
  inactive: [400, NO_GRANT, 'inactive user'],
  other: [400, INVALID, 'invalid request'],
} as const satisfies RefusalTable;
