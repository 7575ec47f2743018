/** Salesloft's refusals, by their reason. */
import type { RefusalTable, Words } from '../reasons.js';

/** The error descriptions of Salesloft's engine family, Doorkeeper. */
const ENGINE_WORDS = {
  invalid_grant:
    'The provided authorization grant is invalid, expired, revoked, does not match the redirection URI used in the authorization request, or was issued to another client.',
  invalid_client:
    'Client authentication failed due to unknown client, no client authentication included, or unsupported authentication method.',
  unsupported_grant_type:
    'The authorization grant type is not supported by the authorization server.',
  unauthorized_client: 'The client is not authorized to perform this request using this method.',
  invalid_scope: 'The requested scope is invalid, unknown, or malformed.',
  invalid_request:
    'The request is missing a required parameter, includes an unsupported parameter value, or is otherwise malformed.',
  access_denied: 'The resource owner or authorization server denied the request.',
  unsupported_response_type: 'The authorization server does not support this response type.',
  invalid_code_challenge_method: 'The code_challenge_method must be S256.',
  login_required: 'The authorization server requires end-user authentication.',
  server_error:
    'The authorization server encountered an unexpected condition which prevented it from fulfilling the request.',
  temporarily_unavailable:
    'The authorization server is currently unable to handle the request due to a temporary overloading or maintenance of the server.',
} as const;

type ErrorCode = keyof typeof ENGINE_WORDS;

export const says = (
  status: number,
  error: ErrorCode,
  words: string = ENGINE_WORDS[error],
): Words => [status, error, words];

const MISSING = 'Missing required parameter: {name}.';

/** An inactive person may sign in: the profile then says `active: false`. */
export const SALESLOFT_REFUSALS = {
  'authorize.other': says(302, 'invalid_request'),
  'authorize.repeated': says(302, 'invalid_request'),
  'authorize.challenge': says(302, 'invalid_request'),
  'authorize.client': says(400, 'invalid_client'),
  'authorize.redirect-uri': [
    400,
    'invalid_redirect_uri',
    'The redirect URI is malformed or does not match the registered one.',
  ],
  'authorize.missing': says(302, 'invalid_request', MISSING),
  'authorize.no-challenge': says(302, 'invalid_request', 'Code challenge is required.'),
  'authorize.challenge-method': says(302, 'invalid_code_challenge_method'),
  'authorize.response-type': says(302, 'unsupported_response_type'),
  'authorize.login': says(302, 'login_required'),
  'authorize.scope': says(302, 'invalid_scope'),
  'authorize.denied': says(302, 'access_denied'),
  client: says(401, 'invalid_client'),
  'client.twice': says(
    400,
    'invalid_request',
    'The request must not use more than one mechanism for client authentication.',
  ),
  'parameter.missing': says(400, 'invalid_request', MISSING),
  'grant-type': says(400, 'unsupported_grant_type'),
  code: says(400, 'invalid_grant'),
  'code.no-verifier': says(400, 'invalid_request', MISSING.replace('{name}', 'code_verifier')),
  'refresh-token': says(400, 'invalid_grant'),
  inactive: says(400, 'invalid_grant'),
  scope: says(400, 'invalid_scope'),
  other: says(400, 'invalid_request'),
} as const satisfies RefusalTable;
