/** Salesloft's dialect. */
import { randomBytes } from 'node:crypto';
import { authenticateClient } from '../client-authentication.js';
import type {
  AccountRules,
  AuthorizationRules,
  Dialect,
  Environment,
  ProviderFacts,
  Refusal,
  TokenRules,
} from '../dialect.js';
import { isCodeChallengeMissing, missingParameter, type TokenErrors } from '../engine-errors.js';
import type { EngineRequest } from '../engine-request.js';
import { HTML_TYPE, oauthError, type Reply } from '../reply.js';
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

const missingMessage = (name: string) => `Missing required parameter: ${name}.`;

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
    ...accountRules(environment),
    ...AUTHORIZATION_RULES,
    ...TOKEN_RULES,
  };
}

function facts(environment: Environment): ProviderFacts {
  const { origin, options } = environment;
  return {
    name: 'salesloft',
    title: 'Salesloft',
    issuer: origin,
    paths: { authorize: '/oauth/authorize', token: '/oauth/token' },
    pkce: 'allowed',
    scopes: SCOPES,
    rotatesRefreshTokens: true,
    lifetimeSeconds: {
      accessToken: options.accessTokenTTL ?? 7_200,
      idToken: options.idTokenTTL ?? 600,
      code: options.codeTTL ?? 600,
    },
    claims: {},
    audiences: {},
    faults: SALESLOFT_FAULTS,
    signedFaults: [],
    routes: [
      ...salesloftApi(environment),
      {
        methods: ['POST'],
        path: /^\/oauth\/revoke$/,
        handle: ({ request }) => revoke(request, environment),
      },
      {
        // The real host serves a single-page application, which answers every metadata URL with 200.
        methods: ['GET'],
        path: /^\/\.well-known\//,
        handle: () => ({ status: 200, type: HTML_TYPE, body: SINGLE_PAGE_APPLICATION }),
      },
    ],
    endpoints: [
      { name: 'Authorization', methods: 'GET', path: '/oauth/authorize' },
      { name: 'Token', methods: 'POST', path: '/oauth/token' },
      { name: 'Profile', methods: 'GET', path: '/v2/me.json' },
      { name: 'Revocation', methods: 'POST', path: '/oauth/revoke' },
      { name: 'API: cadence export', methods: 'GET', path: '/v2/cadence_exports/:id.json' },
      { name: 'API: cadence import', methods: 'POST', path: '/v2/cadence_imports.json' },
    ],
    strategyOptions: salesloftOptions(origin),
    steps: [
      [/^\/oauth\/authorize$/, 'authorize'],
      [/^\/oauth\/token$/, 'token'],
      [/^\/oauth\/revoke$/, 'revoke'],
      [/^\/v2\/me(\.json)?$/, 'profile', 'api'],
      [/^\/v2\//, 'api'],
    ],
  };
}

const SINGLE_PAGE_APPLICATION =
  '<!doctype html><title>Local emulator of Salesloft</title><div id="app"></div>';

function accountRules({ people }: Environment): AccountRules {
  return {
    accountIdOf: ({ number }) => String(number),
    personOf: (accountId) => people.byNumber(Number(accountId)),
    claimsOf: () => ({}),
    // An inactive person may sign in: the profile then says `active: false`.
    checkSignIn: () => undefined,
  };
}

const AUTHORIZATION_RULES: AuthorizationRules = {
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
  checkAuthorizationRequest: ({ scope = '' }) =>
    areAllKnown(scope.split(' '), SCOPES) ? undefined : refusal('invalid_scope'),
  denied: refusal('access_denied'),
  unknownClient: refusal('invalid_client'),
  wrongRedirectUri: {
    error: 'invalid_redirect_uri',
    description: 'The redirect URI is malformed or does not match the registered one.',
  },
  authorizationResponse({ iss: _iss, ...payload }, { oidc }) {
    const { error, error_description: engineDescription = '', state } = payload;
    if (error) {
      const { error: code, description } = authorizationError(error, engineDescription);
      return { error: code, error_description: description, state };
    }
    return {
      code: payload['code'],
      context: randomBytes(9).toString('base64url'),
      scope: oidc?.params?.['scope'],
      state,
    };
  },
};

/** Translates the engine's refusal of an authorization request. */
function authorizationError(error: string, description: string): Refusal {
  const missing = missingParameter(description);
  if (missing) return { error: 'invalid_request', description: missingMessage(missing) };
  if (/code_challenge_method/.test(description)) return refusal('invalid_code_challenge_method');
  if (isCodeChallengeMissing(description)) {
    return { error: 'invalid_request', description: 'Code challenge is required.' };
  }
  return error in ENGINE_WORDS ? refusal(error as ErrorCode) : { error, description };
}

function refusal(error: ErrorCode): Refusal {
  return { error, description: ENGINE_WORDS[error] };
}

const TOKEN_RULES: TokenRules = {
  issuesRefreshToken: () => true,
  tokenRequest(request, url) {
    if (SECRET_PARAMETERS.some((name) => url.searchParams.has(name))) {
      return { reply: tokenRefusal('invalid_request') };
    }
    if (!request.fields) {
      return { reply: tokenRefusal('invalid_request', missingMessage('grant_type')) };
    }
    const { context: _context, ...form } = request.fields;
    // A code has the scopes of its grant; those of the request are ignored. A refresh may narrow them.
    if (form['grant_type'] === 'authorization_code') delete form['scope'];
    if (form['grant_type'] === 'client_credentials') form['scope'] ||= REGISTERED_SCOPE;
    const scopes = [form['scope'] ?? ''].flat().join(' ').split(' ').filter(Boolean);
    return areAllKnown(scopes, SCOPES) ? { form } : { reply: tokenRefusal('invalid_scope') };
  },
  tokenResponse(body, { issued }) {
    return {
      access_token: body['access_token'],
      token_type: 'Bearer',
      expires_in: body['expires_in'],
      ...(body['refresh_token'] !== undefined && { refresh_token: body['refresh_token'] }),
      scope: issued.scope ?? '',
      created_at: Math.floor(Date.now() / 1000),
    };
  },
  tokenError: ({ kind, name }) => {
    const [error, description] = TOKEN_ERRORS[kind];
    return tokenRefusal(error, name ? missingMessage(name) : description);
  },
};

const TWO_METHODS = 'The request must not use more than one mechanism for client authentication.';

/** The words are the engine's own unless a row has others. */
const TOKEN_ERRORS: TokenErrors<readonly [error: ErrorCode, description?: string]> = {
  'client-unknown': ['invalid_client'],
  'client-secret': ['invalid_client'],
  'client-missing': ['invalid_client'],
  'client-twice': ['invalid_request', TWO_METHODS],
  'parameter-missing': ['invalid_request'],
  'parameter-repeated': ['invalid_request'],
  'grant-type-unsupported': ['unsupported_grant_type'],
  'grant-type-not-allowed': ['unauthorized_client'],
  'code-unknown': ['invalid_grant'],
  'code-expired': ['invalid_grant'],
  'code-used': ['invalid_grant'],
  'redirect-uri-differs': ['invalid_grant'],
  'verifier-missing': ['invalid_request', missingMessage('code_verifier')],
  'verifier-wrong': ['invalid_grant'],
  'refresh-token-unknown': ['invalid_grant'],
  'refresh-token-expired': ['invalid_grant'],
  'refresh-token-used': ['invalid_grant'],
  'person-inactive': ['invalid_grant'],
  scope: ['invalid_scope'],
  audience: ['invalid_request'],
  other: ['invalid_request'],
};

/** Salesloft's framework, Doorkeeper, adds a challenge to 401. */
function tokenRefusal(error: ErrorCode, description: string = ENGINE_WORDS[error]): Reply {
  if (error !== 'invalid_client') return oauthError(400, error, description);
  const challenge = `Bearer realm="Doorkeeper", error="${error}", error_description="${description}"`;
  const headers = { 'www-authenticate': challenge };
  return { ...oauthError(401, error, description), headers };
}

/** RFC 7009: one record holds both tokens, so that revoking either one revokes both. */
function revoke(request: EngineRequest, { clients, store }: Environment): Reply {
  const client = authenticateClient(request, clients);
  if (client === 'twice') return tokenRefusal('invalid_request', TWO_METHODS);
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
  return { status: 200, body: {} };
}
