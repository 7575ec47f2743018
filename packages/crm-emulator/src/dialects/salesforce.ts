/** Salesforce's dialect. */
import { createHmac } from 'node:crypto';
import { authenticateClient } from '../client-authentication.js';
import type {
  AccountRules,
  AuthorizationRules,
  Dialect,
  Environment,
  ProviderFacts,
  Refusal,
  RouteContext,
  TokenRules,
} from '../dialect.js';
import { isCodeChallengeMissing, missingParameter, type TokenErrors } from '../engine-errors.js';
import { FORM_TYPE } from '../engine-request.js';
import { atHash, type KeyRing } from '../keys.js';
import { loggedOutPage, pageReply } from '../pages.js';
import { HTML_TYPE, oauthError, type Reply } from '../reply.js';
import { areAllKnown } from '../values.js';
import { salesforceFaults } from './salesforce-faults.js';
import { salesforceApi } from './salesforce-api.js';
import { identityRoutes } from './salesforce-identity.js';
import {
  identityURL,
  personOfIdentity,
  sessionOf,
  unwrapAccessToken,
  unwrapCode,
  unwrapRefreshToken,
  wrapAccessToken,
  wrapCode,
  wrapRefreshToken,
} from './salesforce-tokens.js';

const SCOPES = [
  ...'openid id profile email address phone api chatter_api full web visualforce'.split(' '),
  ...'lightning content custom_permissions refresh_token offline_access'.split(' '),
];

/** The scopes that the app is assigned. It gets them when it asks for none. */
const ASSIGNED_SCOPE = 'openid id profile email address phone api web refresh_token';

/** The options, beside the client, that point a strategy at this origin. */
export function salesforceOptions(origin: string) {
  return { loginURL: origin };
}

/** Salesforce: OAuth 2.0 with an identity URL, a signed token response, and OpenID Connect on request. */
export function createSalesforce(
  environment: Environment,
  keys: KeyRing,
  otherKeys: KeyRing,
): Dialect {
  const keysAt = (origin: string) => (origin === environment.origins.issuer ? keys : otherKeys);
  return {
    ...facts(environment, keysAt),
    ...servedBy(environment),
    ...accountRules(environment),
    ...AUTHORIZATION_RULES,
    ...tokenRules(environment, keys),
  };
}

function facts(environment: Environment, keysAt: (origin: string) => KeyRing): ProviderFacts {
  const { origin, origins, options, label } = environment;
  const title = label ? `Salesforce ${label}` : 'Salesforce';
  return {
    name: 'salesforce',
    title,
    issuer: origin,
    paths: { authorize: '/services/oauth2/authorize', token: '/services/oauth2/token' },
    pkce: 'required',
    scopes: SCOPES,
    rotatesRefreshTokens: options.refreshTokenRotation?.salesforce ?? false,
    lifetimeSeconds: {
      accessToken: options.accessTokenTTL ?? 7_200,
      idToken: options.idTokenTTL ?? 120,
      code: options.codeTTL ?? 900,
    },
    claims: { profile: [], email: [] },
    audiences: {},
    faults: salesforceFaults(() => origins.org),
    signedFaults: ['wrong-signature', 'id-token', 'not-offline'],
    routes: [
      ...identityRoutes(environment),
      ...salesforceApi(environment),
      {
        methods: ['GET'],
        path: /^\/\.well-known\/openid-configuration$/,
        handle: ({ request }) => ({ status: 200, body: discovery(request.arrivedAt, origins) }),
      },
      {
        methods: ['GET'],
        path: /^\/id\/keys$/,
        handle: ({ request }) => ({ status: 200, body: keysAt(request.arrivedAt).jwks }),
      },
      {
        methods: ['GET', 'POST'],
        path: /^\/services\/oauth2\/revoke$/,
        handle: (context) => revoke(context, environment),
      },
      {
        methods: ['POST'],
        path: /^\/services\/oauth2\/introspect$/,
        handle: (context) => introspect(context, environment),
      },
      {
        // Salesforce ignores `post_logout_redirect_uri`: an app sets its logout page in Setup.
        methods: ['GET', 'POST'],
        path: /^\/services\/auth\/idp\/oidc\/logout$/,
        handle: () => pageReply(200, loggedOutPage(title)),
      },
    ],
    endpoints: [
      { name: 'Discovery', methods: 'GET', path: '/.well-known/openid-configuration' },
      { name: 'Authorization', methods: 'GET', path: '/services/oauth2/authorize' },
      { name: 'Token', methods: 'POST', path: '/services/oauth2/token' },
      { name: 'Keys', methods: 'GET', path: '/id/keys' },
      { name: 'Identity URL', methods: 'GET, POST', path: '/id/:organization/:user' },
      { name: 'UserInfo', methods: 'GET, POST', path: '/services/oauth2/userinfo' },
      { name: 'Revocation', methods: 'POST, GET', path: '/services/oauth2/revoke' },
      { name: 'Introspection', methods: 'POST', path: '/services/oauth2/introspect' },
      { name: 'Logout', methods: 'GET, POST', path: LOGOUT_PATH },
      { name: 'API: versions', methods: 'GET', path: '/services/data' },
    ],
    strategyOptions: salesforceOptions(origin),
    steps: [
      [/^\/services\/oauth2\/authorize$/, 'authorize'],
      [/^\/services\/oauth2\/token$/, 'token'],
      [/^\/services\/oauth2\/revoke$/, 'revoke'],
      [/^\/services\/oauth2\/userinfo$/, 'userinfo'],
      [/^\/id\/keys$/, 'jwks'],
      [/^\/id\//, 'profile'],
      [/^\/services\/data\//, 'api'],
    ],
  };
}

/** Which origin serves what, where the login host, the org and the issuer are not one. */
function servedBy({ origins }: Environment): Pick<ProviderFacts, 'misdirected'> {
  return {
    misdirected({ pathname: path, search }, arrivedAt) {
      if (arrivedAt === origins.org) return undefined;
      if (arrivedAt !== origins.login) {
        return /^\/(id\/keys|\.well-known\/.+)$/.test(path) ? undefined : NO_LONGER_HERE;
      }
      if (path.startsWith('/services/data') || path === LOGOUT_PATH) return NO_LONGER_HERE;
      return /^\/id\/\w+\/\w+$/.test(path)
        ? { status: 302, headers: { location: origins.org + path + search } }
        : undefined;
    },
  };
}

/** Of an org only: a host where several orgs log in has no logout. */
const LOGOUT_PATH = '/services/auth/idp/oidc/logout';

const NO_LONGER_HERE: Reply = {
  status: 404,
  type: HTML_TYPE,
  body: '<!doctype html><title>URL No Longer Exists</title>',
};

function accountRules(environment: Environment): AccountRules {
  return {
    accountIdOf: (person) => identityURL(environment, person),
    personOf: (accountId) => personOfIdentity(environment, accountId),
    claimsOf: () => ({}),
    checkSignIn: ({ active }) =>
      active ? undefined : { error: 'inactive_user', description: 'user is inactive' },
  };
}

/**
 * Marks a request with `immediate=true`, which the engine does not know. The mark travels in `ui_locales`,
 * a parameter that the engine keeps and the emulator does not use.
 */
const IMMEDIATE_MARK = 'x-immediate';

const AUTHORIZATION_RULES: AuthorizationRules = {
  authorizationRequest({ immediate, response_mode: _mode, nonce, ...query }) {
    const scope = query['scope'] || ASSIGNED_SCOPE;
    return {
      ...query,
      scope,
      ...(nonce && scope.split(' ').includes('openid') && { nonce }),
      ...(query['code_challenge'] && {
        code_challenge_method: query['code_challenge_method'] ?? 'S256',
      }),
      ...(immediate === 'true' && { prompt: 'none', ui_locales: IMMEDIATE_MARK }),
    };
  },
  checkAuthorizationRequest: ({ scope = '' }) =>
    areAllKnown(scope.split(' '), SCOPES)
      ? undefined
      : { error: 'invalid_scope', description: 'the requested scope is not allowed' },
  denied: { error: 'access_denied', description: 'end-user denied authorization' },
  unknownClient: { error: 'invalid_client_id', description: 'client identifier invalid' },
  wrongRedirectUri: {
    error: 'redirect_uri_mismatch',
    description: 'redirect_uri must match configuration',
  },
  authorizationResponse({ iss: _iss, ...payload }, { oidc }) {
    const { error, error_description: engineDescription = '', code, state } = payload;
    if (!error) return { code: wrapCode(code ?? ''), state };
    const isImmediate = oidc?.params?.['ui_locales'] === IMMEDIATE_MARK;
    const refusal = authorizationError(error, engineDescription, isImmediate);
    return { error: refusal.error, error_description: refusal.description, state };
  },
};

/** Translates the engine's refusal of an authorization request. */
function authorizationError(error: string, description: string, isImmediate: boolean): Refusal {
  const missing = missingParameter(description);
  if (missing) {
    return { error: 'invalid_request', description: `missing required parameter: ${missing}` };
  }
  if (isCodeChallengeMissing(description)) {
    return { error: 'invalid_request', description: 'missing required code challenge' };
  }
  if (/code_challenge/.test(description)) {
    return { error: 'invalid_request', description: 'invalid code challenge' };
  }
  if (error === 'unsupported_response_type') {
    return { error, description: 'response type not supported' };
  }
  if (error === 'login_required') {
    return isImmediate
      ? { error: 'immediate_unsuccessful', description: 'immediate request was unsuccessful' }
      : { error, description: 'end-user authentication is required' };
  }
  return { error, description };
}

function tokenRules(environment: Environment, keys: KeyRing): TokenRules {
  const { origins, clients, options } = environment;
  return {
    issuesRefreshToken: (scopes) => scopes.has('refresh_token') || scopes.has('offline_access'),
    tokenRequest(request, url) {
      const { fields, mediaType } = request;
      if (url.search !== '') {
        return { reply: badRequest('invalid_request', 'parameters are not allowed in the query') };
      }
      if (mediaType !== FORM_TYPE || !fields || !fields['grant_type']) {
        return { reply: badRequest('unsupported_grant_type', 'grant type not supported') };
      }
      if (fields['scope'] !== undefined) {
        return { reply: badRequest('invalid_request', 'scope parameter not supported') };
      }
      if (fields['grant_type'] === 'client_credentials') {
        return { reply: badRequest('invalid_grant', 'no client credentials user enabled') };
      }
      const { code, refresh_token: refreshToken } = fields;
      return {
        form: {
          ...fields,
          ...(typeof code === 'string' && { code: unwrapCode(code) }),
          ...(typeof refreshToken === 'string' && {
            refresh_token: unwrapRefreshToken(refreshToken),
          }),
        },
      };
    },
    async tokenResponse(body, { person, grantType, issued, fault }) {
      const { id_token: idToken, refresh_token: refreshToken } = body;
      const accessToken = wrapAccessToken(person!, String(body['access_token']));
      const id = identityURL(environment, person!);
      const issuedAt = String(Date.now());
      const { secret } = clients.get(issued.clientId)!;
      const isRenewed =
        grantType !== 'refresh_token' || options.refreshTokenRotation?.salesforce === true;
      return {
        access_token: accessToken,
        ...(typeof refreshToken === 'string' &&
          isRenewed && { refresh_token: wrapRefreshToken(refreshToken) }),
        signature: createHmac(
          'sha256',
          fault?.kind === 'wrong-signature' ? `not-${secret}` : secret,
        )
          .update(id + issuedAt)
          .digest('base64'),
        scope: issued.scope ?? '',
        ...(typeof idToken === 'string' && {
          id_token: await keys.signIdToken(
            idToken,
            { iss: origins.issuer, at_hash: atHash(accessToken) },
            fault,
          ),
        }),
        instance_url: origins.org,
        id,
        token_type: 'Bearer',
        issued_at: issuedAt,
      };
    },
    tokenError({ kind, name }) {
      const [error, description] = TOKEN_ERRORS[kind];
      return badRequest(error, description + name);
    },
  };
}

const CLIENT_WRONG = ['invalid_client', 'invalid client credentials'] as const;
const CODE_EXPIRED = ['invalid_grant', 'expired authorization code'] as const;
const NO_GRANT_TYPE = ['unsupported_grant_type', 'grant type not supported'] as const;
const REFRESH_TOKEN_EXPIRED = ['invalid_grant', 'expired access/refresh token'] as const;
const VERIFIER_WRONG = ['invalid_grant', 'invalid code verifier'] as const;
const BAD_REQUEST = ['invalid_request', 'invalid request'] as const;

const TOKEN_ERRORS: TokenErrors<readonly [error: string, description: string]> = {
  'client-unknown': ['invalid_client_id', 'client identifier invalid'],
  'client-secret': CLIENT_WRONG,
  'client-missing': CLIENT_WRONG,
  'client-twice': ['invalid_request', 'only one client authentication method is allowed'],
  'parameter-missing': ['invalid_request', 'missing required parameter: '],
  'parameter-repeated': ['invalid_request', 'parameters must not be repeated'],
  'grant-type-unsupported': NO_GRANT_TYPE,
  'grant-type-not-allowed': NO_GRANT_TYPE,
  'code-unknown': ['invalid_grant', 'invalid authorization code'],
  'code-expired': CODE_EXPIRED,
  'code-used': CODE_EXPIRED,
  'redirect-uri-differs': ['redirect_uri_mismatch', 'redirect_uri must match configuration'],
  'verifier-missing': VERIFIER_WRONG,
  'verifier-wrong': VERIFIER_WRONG,
  'refresh-token-unknown': REFRESH_TOKEN_EXPIRED,
  'refresh-token-expired': REFRESH_TOKEN_EXPIRED,
  'refresh-token-used': REFRESH_TOKEN_EXPIRED,
  'person-inactive': ['invalid_grant', 'inactive user'],
  scope: BAD_REQUEST,
  audience: BAD_REQUEST,
  other: BAD_REQUEST,
};

/** Revoking a refresh token revokes its sessions too; revoking an access token ends that session only. */
function revoke({ method, request, url }: RouteContext, { store }: Environment): Reply {
  const token = method === 'GET' ? url.searchParams.get('token') : request.fields?.['token'];
  if (typeof token !== 'string') {
    return badRequest('unsupported_token_type', 'this token type is not supported');
  }
  const refreshToken = store.findLive('RefreshToken', unwrapRefreshToken(token));
  if (refreshToken) {
    store.revokeGrant(refreshToken['grantId']);
    return { status: 200, body: '' };
  }
  const accessToken = unwrapAccessToken(token);
  if (!accessToken || !store.findLive('AccessToken', accessToken)) {
    return badRequest('invalid_token', 'invalid token: the token is unknown or was revoked');
  }
  store.destroy('AccessToken', accessToken);
  return { status: 200, body: '' };
}

/** RFC 7662. */
function introspect({ request }: RouteContext, environment: Environment): Reply {
  const { clients, store } = environment;
  const client = authenticateClient(request, clients);
  if (client === 'unknown') return badRequest('invalid_client_id', 'client identifier invalid');
  if (typeof client === 'string') return badRequest('invalid_client', 'invalid client credentials');
  const token = request.fields?.['token'];
  if (typeof token !== 'string') {
    return badRequest('invalid_request', 'missing required parameter: token');
  }
  const session = sessionOf(environment, token);
  const entry = session?.entry ?? store.findLive('RefreshToken', unwrapRefreshToken(token));
  const person = personOfIdentity(environment, entry?.['accountId']);
  if (!entry || !person || entry['clientId'] !== client.id) {
    return { status: 200, body: { active: false } };
  }
  return {
    status: 200,
    body: {
      active: true,
      scope: entry['scope'],
      client_id: client.id,
      username: person.username,
      sub: identityURL(environment, person),
      token_type: session ? 'access_token' : 'refresh_token',
      exp: entry['exp'],
      iat: entry['iat'],
      nbf: entry['iat'],
    },
  };
}

function badRequest(error: string, description: string): Reply {
  return oauthError(400, error, description);
}

function discovery(issuer: string, { login, org }: Environment['origins']) {
  const oauth2 = `${issuer === org ? org : login}/services/oauth2`;
  return {
    issuer,
    authorization_endpoint: `${oauth2}/authorize`,
    token_endpoint: `${oauth2}/token`,
    revocation_endpoint: `${oauth2}/revoke`,
    introspection_endpoint: `${oauth2}/introspect`,
    userinfo_endpoint: `${oauth2}/userinfo`,
    ...(issuer === org && { end_session_endpoint: org + LOGOUT_PATH }),
    jwks_uri: `${issuer}/id/keys`,
    scopes_supported: SCOPES,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    display_values_supported: ['page', 'popup', 'touch'],
    token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
    claims_supported: ['sub', 'iss', 'aud', 'exp', 'iat', 'nonce', 'at_hash'],
  };
}
