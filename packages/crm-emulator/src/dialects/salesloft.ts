import { randomBytes } from 'node:crypto';
import { authenticateClient } from '../client-authentication.js';
import type { Dialect, Environment, Refusal, Reply } from '../dialect.js';
import type { EngineRequest } from '../engine-request.js';
import type { Reason } from '../reason.js';
import { wireRehearsals } from '../rehearsals.js';
import { salesloftApi } from './salesloft-api.js';

export const SCOPES = [
  'accounts:read',
  'accounts:write',
  'people:read',
  'people:write',
  'opportunities:read',
  'activities:read',
  'calls:read',
  'conversations:read',
  'emails:read',
  'meetings:read',
  'tasks:read',
  'tasks:write',
  'notes:read',
  'notes:write',
  'team:read',
  'cadences:read',
  'cadences:write',
] as const;

/** What the application is registered for, and gets when it asks for nothing in particular. */
const REGISTERED = 'accounts:read people:read team:read cadences:read cadences:write';

const ERRORS = {
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
} as const;

type ErrorCode = keyof typeof ERRORS;

/** Parameters that would end up in logs if they travelled in a URL. */
const SECRET_PARAMETERS = ['client_secret', 'code', 'code_verifier', 'refresh_token', 'token'];

const missing = (name: string) => `Missing required parameter: ${name}.`;

/** The options of a strategy, beside the client. */
export function salesloftAt(origin: string) {
  return {
    authorizationURL: `${origin}/oauth/authorize`,
    tokenURL: `${origin}/oauth/token`,
    profileURL: `${origin}/v2/me.json`,
  };
}

/** Salesloft: plain OAuth 2.0 with opaque tokens, and a JSON API that says who the user is. */
export function createSalesloft(environment: Environment): Dialect {
  const { origin, people, client, store, options } = environment;

  return {
    name: 'salesloft',
    title: 'Salesloft',
    issuer: origin,
    paths: { authorize: '/oauth/authorize', token: '/oauth/token' },
    pkce: 'allowed',
    scopes: SCOPES,
    rotatesRefreshTokens: true,
    ttl: {
      accessToken: options.accessTokenTTL ?? 7_200,
      idToken: options.idTokenTTL ?? 600,
      code: options.codeTTL ?? 600,
    },
    claims: {},
    audiences: {},
    rehearsals: [
      ...wireRehearsals('token', 'Token endpoint'),
      ...wireRehearsals('profile', 'Profile'),
      {
        label: 'Profile has no data',
        fault: { step: 'profile', kind: 'json', body: {} },
      },
    ],
    routes: [
      ...salesloftApi(environment),
      {
        methods: ['POST'],
        path: /^\/oauth\/revoke$/,
        handle: ({ request }) => revoke(request),
      },
      {
        // The real host serves a single-page application: unknown metadata is a web page, with 200.
        methods: ['GET'],
        path: /^\/\.well-known\//,
        handle: () => ({
          status: 200,
          type: 'text/html; charset=utf-8',
          body: '<!doctype html><title>Local emulator of Salesloft</title><div id="app"></div>',
        }),
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
    whereabouts: salesloftAt(origin),

    stepsOf(_method, path) {
      if (path === '/oauth/authorize') return ['authorize'];
      if (path === '/oauth/token') return ['token'];
      if (path === '/oauth/revoke') return ['revoke'];
      if (/^\/v2\/me(\.json)?$/.test(path)) return ['profile', 'api'];
      return path.startsWith('/v2/') ? ['api'] : [];
    },
    accountIdOf: ({ number }) => String(number),
    personOf: (accountId) => people.byNumber(Number(accountId)),
    claimsOf: () => ({}),
    issuesRefreshToken: () => true,

    authorizationRequest({ nonce: _nonce, response_mode: _mode, ...query }) {
      return {
        ...query,
        scope: query['scope'] || REGISTERED,
        // Without a method the challenge would be a plain one, which is refused.
        ...(query['code_challenge'] && {
          code_challenge_method: query['code_challenge_method'] ?? 'plain',
        }),
      };
    },
    checkAuthorizationRequest({ scope = '' }) {
      const known: readonly string[] = SCOPES;
      return scope.split(' ').every((name) => known.includes(name))
        ? undefined
        : refusal('invalid_scope');
    },
    checkSignIn: () => undefined,
    denied: refusal('access_denied'),
    unknownClient: refusal('invalid_client'),
    wrongRedirectUri: {
      error: 'invalid_redirect_uri',
      description: 'The redirect URI is malformed or does not match the registered one.',
    },
    authorizationResponse({ iss: _iss, ...payload }, { oidc }) {
      const { error, error_description: description = '', state } = payload;
      if (error) {
        const said = inWords(error, description);
        return { error: said.error, error_description: said.description, state };
      }
      return {
        code: payload['code'],
        context: randomBytes(9).toString('base64url'),
        scope: oidc?.params?.['scope'],
        state,
      };
    },

    tokenRequest(request, url) {
      if (SECRET_PARAMETERS.some((name) => url.searchParams.has(name))) {
        return { reply: problem('invalid_request') };
      }
      if (!request.fields) return { reply: problem('invalid_request', missing('grant_type')) };
      const { context: _context, ...form } = request.fields;
      // A code exchange inherits the scopes of the grant; what is asked here is ignored.
      if (form['grant_type'] !== 'client_credentials') delete form['scope'];
      else form['scope'] ||= REGISTERED;
      const scopes = [form['scope'] ?? ''].flat().join(' ').split(' ').filter(Boolean);
      const known: readonly string[] = SCOPES;
      return scopes.every((name) => known.includes(name))
        ? { form }
        : { reply: problem('invalid_scope') };
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
    tokenError,
  };

  function revoke(request: EngineRequest): Reply {
    const authentication = authenticateClient(request, client);
    if (authentication === 'twice') return problem('invalid_request', TWICE);
    if (authentication !== 'authenticated') {
      return {
        status: 403,
        body: {
          error: 'unauthorized_client',
          error_description: 'You are not authorized to revoke this token',
        },
      };
    }
    const token = String(request.fields?.['token'] ?? '');
    // One record holds both tokens: whichever is revoked, both are.
    const entry = ['AccessToken', 'RefreshToken', 'ClientCredentials']
      .map((model) => store.find(model, token))
      .find(Boolean);
    if (entry) store.revokeGrant(entry['grantId']);
    store.destroy('ClientCredentials', token);
    return { status: 200, body: {} };
  }
}

const TWICE = 'The request must not use more than one mechanism for client authentication.';

function refusal(error: ErrorCode): Refusal {
  return { error, description: ERRORS[error] };
}

/** The engine's refusal of an authorization request, in Salesloft's words. */
function inWords(error: string, description: string): Refusal {
  const absent = /missing required parameter\w* '(\w+)'/.exec(description)?.[1];
  if (absent) return { error: 'invalid_request', description: missing(absent) };
  if (/code_challenge_method/.test(description)) return refusal('invalid_code_challenge_method');
  if (/policy requires PKCE/.test(description)) {
    return { error: 'invalid_request', description: 'Code challenge is required.' };
  }
  return error in ERRORS ? refusal(error as ErrorCode) : { error, description };
}

function tokenError(reason: Reason): Reply {
  switch (reason.kind) {
    case 'client-unknown':
    case 'client-secret':
    case 'client-missing':
      return problem('invalid_client');
    case 'client-twice':
      return problem('invalid_request', TWICE);
    case 'parameter-missing':
      return problem('invalid_request', missing(reason.names[0] ?? ''));
    case 'verifier-missing':
      return problem('invalid_request', missing('code_verifier'));
    case 'grant-type-unsupported':
      return problem('unsupported_grant_type');
    case 'grant-type-not-allowed':
      return problem('unauthorized_client');
    case 'scope':
      return problem('invalid_scope');
    case 'parameter-repeated':
    case 'audience':
    case 'other':
      return problem('invalid_request');
    case 'code-unknown':
    case 'code-expired':
    case 'code-used':
    case 'redirect-uri-differs':
    case 'verifier-wrong':
    case 'refresh-token-unknown':
    case 'refresh-token-expired':
    case 'refresh-token-used':
    default:
      return problem('invalid_grant');
  }
}

function problem(error: ErrorCode, description: string = ERRORS[error]): Reply {
  const body = { error, error_description: description };
  if (error !== 'invalid_client') return { status: 400, body };
  const challenge = `Bearer realm="Doorkeeper", error="${error}", error_description="${description}"`;
  return { status: 401, body, headers: { 'www-authenticate': challenge } };
}
