/** Salesloft's dialect. */
import { randomBytes } from 'node:crypto';
import { authenticateClient } from '../client-authentication.js';
import type { Dialect, Environment } from '../dialect.js';
import { endpointsOf, type Handler } from '../endpoints.js';
import { type RefusalTable, type Words, wordsOf } from '../reasons.js';
import { HTML_TYPE, oauthError, ok, type Reply } from '../reply.js';
import { areAllKnown } from '../values.js';
import { salesloftApi } from './salesloft-api.js';
import { SALESLOFT_FAULTS } from './salesloft-faults.js';
import { ENGINE_WORDS, type ErrorCode } from './salesloft-words.js';

const SCOPES = [
  ...'accounts:read accounts:write people:read people:write opportunities:read'.split(' '),
  ...'activities:read calls:read conversations:read emails:read meetings:read'.split(' '),
  ...'tasks:read tasks:write notes:read notes:write team:read cadences:read'.split(' '),
  ...'cadences:write'.split(' '),
];

/** The scopes that the application is registered for. It gets them when it asks for none. */
const REGISTERED_SCOPE = 'accounts:read people:read team:read cadences:read cadences:write';

/** RFC 6749 §2.3.1: refused in the query, where they would end up in logs. */
const SECRET_PARAMETERS = ['client_secret', 'code', 'code_verifier', 'refresh_token', 'token'];

/** The options, beside the client, that point a strategy at this origin. */
export function salesloftOptions(origin: string) {
  return {
    authorizationURL: `${origin}/oauth/authorize`,
    tokenURL: `${origin}/oauth/token`,
    profileURL: `${origin}/v2/me.json`,
  };
}

/** Salesloft: plain OAuth 2.0 with opaque tokens, and a JSON API that says who the user is. */
export function createSalesloft(environment: Environment): Dialect {
  return {
    ...facts(environment),
    ...AUTHORIZATION_RULES,
    ...TOKEN_RULES,
  };
}

function facts(environment: Environment) {
  const { origin, people } = environment;
  return {
    name: 'salesloft',
    title: 'Salesloft',
    issuer: origin,
    pkce: 'allowed',
    scopes: SCOPES,
    rotatesRefreshTokens: true,
    lifetimeSeconds: { accessToken: 7_200, idToken: 600, code: 600 },
    faults: SALESLOFT_FAULTS,
    revokes: { AccessToken: 'grant', RefreshToken: 'grant', ClientCredentials: 'token' },
    refusals: SALESLOFT_REFUSALS,
    endpoints: endpointsOf([
      ['Authorization', 'GET', '/oauth/authorize', 'authorize'],
      ['Token', 'POST', '/oauth/token', 'token'],
      ['Revocation', 'POST', '/oauth/revoke', 'revoke', revoke(environment)],
      ...salesloftApi(environment),
      // The real host serves a single-page application, which answers every metadata URL with 200.
      [
        '',
        'GET',
        '/.well-known/*',
        [],
        () => ({ status: 200, type: HTML_TYPE, body: APPLICATION }),
      ],
    ]),
    strategyOptions: salesloftOptions(origin),
    accountIdOf: ({ number }) => String(number),
    personOf: (accountId) => people.byNumber(Number(accountId)),
  } satisfies Partial<Dialect>;
}

const APPLICATION = '<!doctype html><title>Local emulator of Salesloft</title><div id="app"></div>';

const AUTHORIZATION_RULES = {
  authorizationRequest({ nonce: _nonce, response_mode: _mode, ...query }) {
    return {
      ...query,
      scope: query['scope'] || REGISTERED_SCOPE,
      // RFC 7636 §4.3: without a method the challenge is a plain one, which is then refused.
      ...(query['code_challenge'] && {
        code_challenge_method: query['code_challenge_method'] ?? 'plain',
      }),
    };
  },
  authorizationResponse(payload, { oidc }) {
    if (payload['error']) return payload;
    const context = randomBytes(9).toString('base64url');
    return { ...payload, context, scope: oidc?.params?.['scope'] };
  },
} satisfies Partial<Dialect>;

const TOKEN_RULES = {
  issuesRefreshToken: () => true,
  tokenRequest(request, url) {
    if (SECRET_PARAMETERS.some((name) => url.searchParams.has(name))) return { reason: 'query' };
    if (!request.fields) return { reason: 'parameter.missing', name: 'grant_type' };
    const { context: _context, ...form } = request.fields;
    // A code has the scopes of its grant; those of the request are ignored. A refresh may narrow them.
    if (form['grant_type'] === 'authorization_code') delete form['scope'];
    if (form['grant_type'] === 'client_credentials') form['scope'] ||= REGISTERED_SCOPE;
    const scopes = [form['scope'] ?? ''].flat().join(' ').split(' ').filter(Boolean);
    return areAllKnown(scopes, SCOPES) ? { form } : { reason: 'scope' };
  },
  tokenResponse(body, { issued }) {
    return {
      access_token: body.access_token,
      token_type: 'Bearer',
      expires_in: body.expires_in,
      ...(body.refresh_token && { refresh_token: body.refresh_token }),
      scope: issued.scope ?? '',
      created_at: Math.floor(Date.now() / 1000),
    };
  },
  tokenError,
} satisfies Partial<Dialect>;

const says = (status: number, error: ErrorCode, words: string = ENGINE_WORDS[error]): Words => [
  status,
  error,
  words,
];

const MISSING = 'Missing required parameter: {name}.';

/** An inactive person may sign in: the profile then says `active: false`. */
export const SALESLOFT_REFUSALS: RefusalTable = {
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
};

/** Salesloft's framework, Doorkeeper, adds a challenge to 401. */
function tokenError([status, error, description]: Words): Reply {
  const challenge = `Bearer realm="Doorkeeper", error="${error}", error_description="${description}"`;
  const headers: Record<string, string> = status === 401 ? { 'www-authenticate': challenge } : {};
  return { ...oauthError(status, error, description), headers };
}

/** RFC 7009: one record holds both tokens, so that revoking either one revokes both. */
const revoke =
  ({ clients, store }: Environment): Handler =>
  ({ request }) => {
    const client = authenticateClient(request, clients);
    if (client === 'client.twice')
      return tokenError(wordsOf(SALESLOFT_REFUSALS, { reason: client })!);
    const token = String(request.fields?.['token'] ?? '');
    const entry = ['AccessToken', 'RefreshToken', 'ClientCredentials']
      .map((model) => store.find(model, token))
      .find(Boolean);
    // RFC 7009 §2.1: the token must be of this client.
    if (typeof client === 'string' || (entry && entry['clientId'] !== client.id)) {
      return oauthError(403, 'unauthorized_client', 'You are not authorized to revoke this token');
    }
    if (entry) store.revokeGrant(entry['grantId']);
    store.destroy('ClientCredentials', token);
    return ok({});
  };
