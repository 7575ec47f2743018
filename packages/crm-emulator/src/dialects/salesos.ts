/** SalesOS's dialect. */
import { authenticateClient } from '../client-authentication.js';
import {
  type AccountRules,
  type AuthorizationRules,
  type Dialect,
  type Environment,
  NO_SCOPE,
  type ProviderFacts,
  type Refusal,
  type TokenResponseContext,
  type TokenRules,
} from '../dialect.js';
import { isCodeChallengeMissing, missingParameter, type TokenErrors } from '../engine-errors.js';
import type { EngineRequest } from '../engine-request.js';
import { atHash, type KeyRing } from '../keys.js';
import { photoRoute } from '../photo.js';
import { oauthError, type Reply } from '../reply.js';
import { textOf } from '../values.js';
import { leadsRoutes } from './salesos-api.js';
import { SALESOS_FAULTS } from './salesos-faults.js';
import {
  CLAIMS_BY_SCOPE,
  claimsOf,
  issuerOf,
  personOfSubject,
  subjectOf,
  userInfo,
} from './salesos-identity.js';
import { keepSignIn, LOGOUT_PATH, logoutRoute, organizationOf, sidOf } from './salesos-logout.js';
import type { Organizations } from './salesos-organizations.js';

/** The API that access tokens are for. */
const AUDIENCE = 'https://api.play2sell.com';

const API_SCOPES = [
  ...'leads:read leads:write deals:read deals:write users:read users:write'.split(' '),
  ...'reports:read webhooks:manage'.split(' '),
];

const OIDC_SCOPES = ['openid', 'profile', 'email', 'offline_access'] as const;

const REFRESH_TOKEN_PREFIX = 'v1.';

/** The options, beside the client, that point a strategy at this origin. */
export function salesosOptions(origin: string) {
  return { issuer: issuerOf(origin) };
}

/** SalesOS: an Auth0 tenant, that is, OpenID Connect with an `audience` for access tokens. */
export function createSalesos(
  environment: Environment,
  keys: KeyRing,
  organizations: Organizations,
): Dialect {
  return {
    ...facts(environment, keys),
    ...accountRules(environment, organizations),
    ...authorizationRules(environment, organizations),
    ...tokenRules(environment, keys, organizations),
  };
}

function facts(environment: Environment, keys: KeyRing): ProviderFacts {
  const { origin, people, options } = environment;
  const issuer = issuerOf(origin);
  return {
    name: 'salesos',
    title: 'SalesOS',
    issuer,
    paths: { authorize: '/authorize', token: '/oauth/token' },
    pkce: 'allowed',
    scopes: [...OIDC_SCOPES, NO_SCOPE],
    rotatesRefreshTokens: rotatesRefreshTokens(environment),
    lifetimeSeconds: {
      accessToken: options.accessTokenTTL ?? 86_400,
      idToken: options.idTokenTTL ?? 36_000,
      code: options.codeTTL ?? 600,
    },
    claims: CLAIMS_BY_SCOPE,
    audiences: { [AUDIENCE]: [...OIDC_SCOPES, ...API_SCOPES] },
    faults: SALESOS_FAULTS,
    signedFaults: ['id-token', 'not-offline'],
    routes: [
      ...leadsRoutes(keys, issuer, AUDIENCE),
      photoRoute(people),
      {
        methods: ['GET'],
        path: /^\/\.well-known\/openid-configuration$/,
        handle: () => ({ status: 200, body: discovery(origin, options.sendIss ?? false) }),
      },
      {
        methods: ['GET'],
        path: /^\/\.well-known\/jwks\.json$/,
        handle: () => ({
          status: 200,
          body: keys.jwks,
          headers: { 'cache-control': 'public, max-age=15' },
        }),
      },
      {
        methods: ['GET', 'POST'],
        path: /^\/userinfo$/,
        handle: ({ request }) => userInfo(request, environment, keys),
      },
      {
        methods: ['POST'],
        path: /^\/oauth\/revoke$/,
        handle: ({ request }) => revoke(request, environment),
      },
      logoutRoute(environment, keys),
    ],
    endpoints: [
      { name: 'Discovery', methods: 'GET', path: '/.well-known/openid-configuration' },
      { name: 'Authorization', methods: 'GET', path: '/authorize' },
      { name: 'Token', methods: 'POST', path: '/oauth/token' },
      { name: 'Keys', methods: 'GET', path: '/.well-known/jwks.json' },
      { name: 'UserInfo', methods: 'GET, POST', path: '/userinfo' },
      { name: 'Photo', methods: 'GET', path: '/photos/:number.svg' },
      { name: 'Revocation', methods: 'POST', path: '/oauth/revoke' },
      { name: 'Logout', methods: 'GET, POST', path: LOGOUT_PATH },
      { name: 'API: leads', methods: 'GET, POST', path: '/v1/leads' },
    ],
    strategyOptions: salesosOptions(origin),
    steps: [
      [/^\/authorize$/, 'authorize'],
      [/^\/oauth\/token$/, 'token'],
      [/^\/oauth\/revoke$/, 'revoke'],
      [/^\/userinfo$/, 'userinfo', 'profile'],
      [/^\/\.well-known\/jwks\.json$/, 'jwks'],
      [/^\/v1\//, 'api'],
    ],
  };
}

function rotatesRefreshTokens({ options }: Environment): boolean {
  return options.refreshTokenRotation?.salesos ?? true;
}

function accountRules(
  { origin, people, store }: Environment,
  organizations: Organizations,
): AccountRules {
  return {
    accountIdOf: subjectOf,
    personOf: (accountId) => personOfSubject(people, accountId),
    claimsOf: (person) => claimsOf(person, origin),
    checkSignIn: (person, params = {}) =>
      person.active
        ? organizations.admit(person, params)
        : { error: 'unauthorized', description: 'user is blocked' },
    signedIn: (grantId, { organization }) =>
      keepSignIn(store, grantId, organizations.find(organization)?.id),
  };
}

function authorizationRules(
  { origin, options }: Environment,
  organizations: Organizations,
): AuthorizationRules {
  return {
    extraParameters: ['organization', 'invitation'],
    checkAuthorizationRequest: (params) => organizations.checkRequest(params),
    authorizationRequest({ audience, nonce, ...query }) {
      const scopes = (query['scope'] ?? '').split(' ').filter(Boolean);
      return {
        ...query,
        // The engine requires a scope that it knows; SalesOS does not.
        scope: [...scopes, NO_SCOPE].join(' '),
        ...(nonce && scopes.includes('openid') && { nonce }),
        ...(audience && { resource: audience }),
      };
    },
    denied: { error: 'access_denied', description: 'The user denied the authorization request' },
    unknownClient: { error: 'invalid_request', description: 'Unknown client' },
    wrongRedirectUri: {
      error: 'Callback URL mismatch',
      description: 'The provided redirect_uri is not in the list of allowed callback URLs.',
    },
    authorizationResponse({ iss: _iss, ...payload }, { oidc }) {
      const { error, error_description: engineDescription = '', state } = payload;
      const iss = options.sendIss ? issuerOf(origin) : undefined;
      if (!error) return { code: payload['code'], state, iss };
      const refusal = authorizationError(error, engineDescription, oidc?.params ?? {});
      return { error: refusal.error, error_description: refusal.description, state, iss };
    },
  };
}

/** Translates the engine's refusal of an authorization request. */
function authorizationError(
  error: string,
  description: string,
  { resource = '', response_type: responseType = '' }: Record<string, string | undefined>,
): Refusal {
  const missing = missingParameter(description);
  if (missing) {
    return { error: 'invalid_request', description: `Missing required parameter: ${missing}` };
  }
  if (isCodeChallengeMissing(description)) {
    return { error, description: 'Parameter code_challenge is required' };
  }
  switch (error) {
    case 'invalid_target':
      return { error: 'access_denied', description: `Service not found: ${resource}` };
    case 'login_required':
      return { error, description: 'The user is not logged in' };
    case 'unsupported_response_type':
      return { error, description: `Unsupported response type: ${responseType}` };
    default:
      return { error, description };
  }
}

function tokenRules(
  environment: Environment,
  keys: KeyRing,
  organizations: Organizations,
): TokenRules {
  const { origin, store } = environment;
  return {
    issuesRefreshToken: (scopes) => scopes.has('offline_access'),
    tokenRequest({ fields }) {
      if (!fields) {
        return {
          reply: oauthError(400, 'invalid_request', 'Missing required parameter: grant_type'),
        };
      }
      const { audience, ...form } = fields;
      if (form['grant_type'] === 'client_credentials') {
        if (typeof audience !== 'string') {
          return {
            reply: oauthError(400, 'invalid_request', 'Missing required parameter: audience'),
          };
        }
        form['resource'] = audience;
        form['scope'] ||= API_SCOPES.join(' ');
      } else if (typeof form['refresh_token'] === 'string') {
        form['refresh_token'] = form['refresh_token'].replace(REFRESH_TOKEN_PREFIX, '');
        if (form['scope']) form['scope'] = [form['scope'], NO_SCOPE].flat().join(' ');
      } else {
        delete form['scope'];
      }
      return { form };
    },
    async tokenResponse(body, { issued, grantType, fault }) {
      const { id_token: idToken, refresh_token: refreshToken, expires_in: expiresIn } = body;
      const scope = (issued.scope ?? '')
        .split(' ')
        .filter((name) => name !== NO_SCOPE)
        .join(' ');
      const { grantId } = issued;
      const organization = grantId && organizations.claimsOf(organizationOf(store, grantId));
      const accessToken = issued.aud
        ? await keys.sign({
            ...accessTokenClaims(environment, issued, scope, grantType, expiresIn),
            ...organization,
          })
        : String(body['access_token']);
      const isRenewed = grantType !== 'refresh_token' || rotatesRefreshTokens(environment);
      return {
        access_token: accessToken,
        ...(typeof refreshToken === 'string' &&
          isRenewed && { refresh_token: REFRESH_TOKEN_PREFIX + refreshToken }),
        ...(typeof idToken === 'string' && {
          id_token: await keys.signIdToken(
            idToken,
            {
              iss: issuerOf(origin),
              at_hash: atHash(accessToken),
              ...(grantId && { sid: sidOf(grantId) }),
              ...organization,
            },
            fault,
          ),
        }),
        ...(scope && { scope }),
        expires_in: expiresIn,
        token_type: 'Bearer',
      };
    },
    tokenError({ kind, name }, { fields }) {
      const [status, error, description] = TOKEN_ERRORS[kind];
      const audience = kind === 'audience' ? textOf(fields?.['audience']) : '';
      return oauthError(status, error, description + name + audience);
    },
  };
}

/** An access token for an audience is a JWT. With the scope `openid` it is for UserInfo too. */
function accessTokenClaims(
  { origin }: Environment,
  issued: TokenResponseContext['issued'],
  scope: string,
  grantType: string,
  expiresIn: unknown,
): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000);
  const isForUserInfo = scope.split(' ').includes('openid');
  return {
    iss: issuerOf(origin),
    sub: issued.accountId ?? `${issued.clientId}@clients`,
    aud: isForUserInfo ? [issued.aud, `${origin}/userinfo`] : issued.aud,
    iat: now,
    exp: now + Number(expiresIn),
    scope,
    azp: issued.clientId,
    ...(issued.accountId === undefined && { gty: 'client-credentials' }),
    ...(grantType === 'refresh_token' && { gty: 'refresh_token' }),
  };
}

const CLIENT_WRONG = [401, 'invalid_client', 'Client authentication failed'] as const;
const CODE_WRONG = [403, 'invalid_grant', 'Invalid authorization code'] as const;
const REFRESH_TOKEN_WRONG = [403, 'invalid_grant', 'Unknown or invalid refresh token.'] as const;

/** The words about a missing parameter or an unknown audience end in its name. */
const TOKEN_ERRORS: TokenErrors<readonly [status: number, error: string, description: string]> = {
  'client-unknown': CLIENT_WRONG,
  'client-secret': CLIENT_WRONG,
  'client-missing': CLIENT_WRONG,
  'client-twice': [400, 'invalid_request', 'Only one client authentication method can be used'],
  'parameter-missing': [400, 'invalid_request', 'Missing required parameter: '],
  'parameter-repeated': [400, 'invalid_request', 'Parameters must not be repeated'],
  'grant-type-unsupported': [400, 'unsupported_grant_type', 'Grant type not supported'],
  'grant-type-not-allowed': [403, 'unauthorized_client', 'Grant type not allowed for the client.'],
  'code-unknown': CODE_WRONG,
  'code-expired': CODE_WRONG,
  'code-used': CODE_WRONG,
  'redirect-uri-differs': CODE_WRONG,
  'verifier-missing': CODE_WRONG,
  'verifier-wrong': CODE_WRONG,
  'refresh-token-unknown': REFRESH_TOKEN_WRONG,
  'refresh-token-expired': REFRESH_TOKEN_WRONG,
  'refresh-token-used': REFRESH_TOKEN_WRONG,
  'person-inactive': [403, 'invalid_grant', 'user is blocked'],
  scope: [403, 'invalid_scope', 'The requested scope is wider than the granted one'],
  audience: [403, 'access_denied', 'Service not found: '],
  other: [400, 'invalid_request', 'Bad request'],
};

/** RFC 7009, for refresh tokens only: an access token lives until it expires. */
function revoke(request: EngineRequest, { clients, store }: Environment): Reply {
  const client = authenticateClient(request, clients);
  if (typeof client === 'string') {
    return oauthError(401, 'invalid_client', 'Client authentication failed');
  }
  const token = request.fields?.['token'];
  if (typeof token !== 'string') {
    return oauthError(400, 'invalid_request', 'Missing required parameter: token');
  }
  const id = token.replace(REFRESH_TOKEN_PREFIX, '');
  const isOwn = store.find('RefreshToken', id)?.['clientId'] === client.id;
  if (isOwn) store.destroy('RefreshToken', id);
  return { status: 200, body: '' };
}

function discovery(origin: string, sendsIss: boolean): Record<string, unknown> {
  return {
    issuer: issuerOf(origin),
    authorization_endpoint: `${origin}/authorize`,
    token_endpoint: `${origin}/oauth/token`,
    userinfo_endpoint: `${origin}/userinfo`,
    jwks_uri: `${origin}/.well-known/jwks.json`,
    revocation_endpoint: `${origin}/oauth/revoke`,
    end_session_endpoint: origin + LOGOUT_PATH,
    scopes_supported: OIDC_SCOPES,
    response_types_supported: ['code'],
    response_modes_supported: ['query', 'form_post'],
    code_challenge_methods_supported: ['S256'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    claims_supported: [
      'aud',
      'exp',
      'iat',
      'iss',
      'sid',
      'sub',
      ...CLAIMS_BY_SCOPE.profile,
      ...CLAIMS_BY_SCOPE.email,
    ],
    ...(sendsIss && { authorization_response_iss_parameter_supported: true }),
  };
}
