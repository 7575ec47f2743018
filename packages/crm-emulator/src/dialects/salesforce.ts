import { createHmac } from 'node:crypto';
import { authenticateClient } from '../client-authentication.js';
import type { Dialect, Environment, Refusal, Reply, RouteContext } from '../dialect.js';
import { merged } from '../faults.js';
import { atHash, claimsOf, type KeyRing } from '../keys.js';
import type { Resident } from '../people.js';
import type { Reason } from '../reason.js';
import { idTokenRehearsals, wireRehearsals } from '../rehearsals.js';
import { textOf } from '../text.js';
import type { TokenFault } from '../types.js';
import { identityRoutes } from './salesforce-identity.js';
import { refreshTokenValue, sessionOf, storedSession, wrapSession } from './salesforce-tokens.js';

export const SCOPES = [
  'openid',
  'id',
  'profile',
  'email',
  'address',
  'phone',
  'api',
  'chatter_api',
  'full',
  'web',
  'visualforce',
  'lightning',
  'content',
  'custom_permissions',
  'refresh_token',
  'offline_access',
] as const;

/** What the app is assigned, and gets when it asks for nothing in particular. */
const ASSIGNED = 'openid id profile email address phone api web refresh_token';

const CODE = /^aPrx(.+)==$/;
const REFRESH_PREFIX = '5Aep861.';
const FORM = 'application/x-www-form-urlencoded';

/** The options of a strategy, beside the client. */
export function salesforceAt(origin: string) {
  return { loginURL: origin };
}

/** Salesforce: OAuth 2.0 with an identity URL, a signed token response, and OpenID Connect on request. */
export function createSalesforce(environment: Environment, keys: KeyRing): Dialect {
  const { origin, people, client, store, options } = environment;
  const rotates = options.refreshTokenRotation?.salesforce ?? false;
  const identityURL = ({ organizationId, userId }: Resident) =>
    `${origin}/id/${organizationId}/${userId}`;
  const personOf = (accountId: string) =>
    people.all.find((person) => identityURL(person) === accountId);

  return {
    name: 'salesforce',
    title: 'Salesforce',
    issuer: origin,
    paths: { authorize: '/services/oauth2/authorize', token: '/services/oauth2/token' },
    pkce: 'required',
    scopes: SCOPES,
    rotatesRefreshTokens: rotates,
    ttl: {
      accessToken: options.accessTokenTTL ?? 7_200,
      idToken: options.idTokenTTL ?? 120,
      code: options.codeTTL ?? 900,
    },
    claims: { profile: [], email: [] },
    audiences: {},
    rehearsals: [
      {
        label: 'Token response is signed wrongly',
        fault: { step: 'token', kind: 'wrong-signature' },
      },
      ...idTokenRehearsals(),
      ...wireRehearsals('token', 'Token endpoint'),
      ...wireRehearsals('profile', 'Identity URL'),
      ...wireRehearsals('jwks', 'Key set'),
    ],
    routes: [
      ...identityRoutes(environment),
      {
        methods: ['GET'],
        path: /^\/\.well-known\/openid-configuration$/,
        handle: () => ({ status: 200, body: discovery(origin) }),
      },
      { methods: ['GET'], path: /^\/id\/keys$/, handle: () => ({ status: 200, body: keys.jwks }) },
      { methods: ['GET', 'POST'], path: /^\/services\/oauth2\/revoke$/, handle: revoke },
      { methods: ['POST'], path: /^\/services\/oauth2\/introspect$/, handle: introspect },
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
    ],
    whereabouts: salesforceAt(origin),

    stepsOf(_method, path) {
      if (path === '/services/oauth2/authorize') return ['authorize'];
      if (path === '/services/oauth2/token') return ['token'];
      if (path === '/services/oauth2/revoke') return ['revoke'];
      if (path === '/services/oauth2/userinfo') return ['userinfo'];
      if (path === '/id/keys') return ['jwks'];
      return path.startsWith('/id/') ? ['profile'] : [];
    },
    accountIdOf: identityURL,
    personOf,
    claimsOf: () => ({}),
    issuesRefreshToken: (scopes) => scopes.has('refresh_token') || scopes.has('offline_access'),

    authorizationRequest({ immediate, response_mode: _mode, nonce, ...query }) {
      const scope = query['scope'] || ASSIGNED;
      return {
        ...query,
        scope,
        ...(nonce && scope.split(' ').includes('openid') && { nonce }),
        ...(query['code_challenge'] && {
          code_challenge_method: query['code_challenge_method'] ?? 'S256',
        }),
        ...(immediate === 'true' && { prompt: 'none', ui_locales: IMMEDIATE }),
      };
    },
    checkAuthorizationRequest({ scope = '' }) {
      const known: readonly string[] = SCOPES;
      return scope.split(' ').every((name) => known.includes(name))
        ? undefined
        : { error: 'invalid_scope', description: 'the requested scope is not allowed' };
    },
    checkSignIn: ({ active }) =>
      active ? undefined : { error: 'inactive_user', description: 'user is inactive' },
    denied: { error: 'access_denied', description: 'end-user denied authorization' },
    unknownClient: { error: 'invalid_client_id', description: 'client identifier invalid' },
    wrongRedirectUri: {
      error: 'redirect_uri_mismatch',
      description: 'redirect_uri must match configuration',
    },
    authorizationResponse({ iss: _iss, ...payload }, { oidc }) {
      const { error, error_description: description = '', code, state } = payload;
      if (!error) return { code: `aPrx${code ?? ''}==`, state };
      const said = inWords({ error, description }, oidc?.params ?? {});
      return { error: said.error, error_description: said.description, state };
    },

    tokenRequest(request, url) {
      const { fields, mediaType } = request;
      if (url.search !== '') {
        return { reply: problem('invalid_request', 'parameters are not allowed in the query') };
      }
      if (mediaType !== FORM || !fields || !fields['grant_type']) {
        return { reply: problem('unsupported_grant_type', 'grant type not supported') };
      }
      if (fields['scope'] !== undefined) {
        return { reply: problem('invalid_request', 'scope parameter not supported') };
      }
      if (fields['grant_type'] === 'client_credentials') {
        return { reply: problem('invalid_grant', 'no client credentials user enabled') };
      }
      const form = { ...fields };
      if (typeof form['code'] === 'string')
        form['code'] = CODE.exec(form['code'])?.[1] ?? 'no-code';
      if (typeof form['refresh_token'] === 'string') {
        form['refresh_token'] = refreshTokenValue(form['refresh_token'], REFRESH_PREFIX);
      }
      return { form };
    },
    async tokenResponse(body, { person, grantType, issued, fault }) {
      const lie = fault as TokenFault | undefined;
      const idLie = lie?.kind === 'id-token' ? lie : undefined;
      const { id_token: idToken, refresh_token: refresh } = body;
      const access = wrapSession(person!, String(body['access_token']));
      const id = identityURL(person!);
      const issuedAt = String(Date.now());
      const secret = lie?.kind === 'wrong-signature' ? `not-${client.secret}` : client.secret;
      const renewed = grantType !== 'refresh_token' || rotates;
      return {
        access_token: access,
        ...(typeof refresh === 'string' && renewed && { refresh_token: REFRESH_PREFIX + refresh }),
        signature: createHmac('sha256', secret)
          .update(id + issuedAt)
          .digest('base64'),
        scope: issued.scope ?? '',
        ...(typeof idToken === 'string' && {
          id_token: await keys.sign(
            merged(
              { ...claimsOf(idToken), iss: origin, at_hash: atHash(access) },
              idLie?.claims ?? {},
            ),
            idLie,
          ),
        }),
        instance_url: origin,
        id,
        token_type: 'Bearer',
        issued_at: issuedAt,
      };
    },
    tokenError,
  };

  /** Either token. A refresh token takes its sessions with it; a session goes alone. */
  function revoke({ method, request, url }: RouteContext): Reply {
    const token = method === 'GET' ? url.searchParams.get('token') : request.fields?.['token'];
    if (typeof token !== 'string') {
      return problem('unsupported_token_type', 'this token type is not supported');
    }
    const refresh = store.findLive('RefreshToken', refreshTokenValue(token, REFRESH_PREFIX));
    if (refresh) {
      store.revokeGrant(refresh['grantId']);
      return { status: 200, body: '' };
    }
    const session = storedSession(token);
    if (!session || !store.findLive('AccessToken', session)) {
      return problem('invalid_token', 'invalid token: the token is unknown or was revoked');
    }
    store.destroy('AccessToken', session);
    return { status: 200, body: '' };
  }

  function introspect({ request }: RouteContext): Reply {
    const { fields } = request;
    switch (authenticateClient(request, client)) {
      case 'authenticated':
        break;
      case 'unknown':
        return problem('invalid_client_id', 'client identifier invalid');
      case 'none':
      case 'twice':
      case 'wrong-secret':
        return problem('invalid_client', 'invalid client credentials');
    }
    const token = fields?.['token'];
    if (typeof token !== 'string') {
      return problem('invalid_request', 'missing required parameter: token');
    }
    const session = sessionOf(environment, token);
    const entry =
      session?.entry ?? store.findLive('RefreshToken', refreshTokenValue(token, REFRESH_PREFIX));
    const person = personOf(textOf(entry?.['accountId']));
    if (!entry || !person) return { status: 200, body: { active: false } };
    return {
      status: 200,
      body: {
        active: true,
        scope: entry['scope'],
        client_id: client.id,
        username: person.username,
        sub: identityURL(person),
        token_type: session ? 'access_token' : 'refresh_token',
        exp: entry['exp'],
        iat: entry['iat'],
        nbf: entry['iat'],
      },
    };
  }
}

/** Marks a request that asked for `immediate=true`, which the engine does not know. */
const IMMEDIATE = 'x-immediate';

function inWords(refusal: Refusal, params: Record<string, string | undefined>): Refusal {
  const { error, description } = refusal;
  const absent = /missing required parameter\w* '(\w+)'/.exec(description)?.[1];
  if (absent)
    return { error: 'invalid_request', description: `missing required parameter: ${absent}` };
  if (/policy requires PKCE/.test(description)) {
    return { error: 'invalid_request', description: 'missing required code challenge' };
  }
  if (/code_challenge/.test(description)) {
    return { error: 'invalid_request', description: 'invalid code challenge' };
  }
  if (error === 'unsupported_response_type')
    return { error, description: 'response type not supported' };
  if (error === 'login_required') {
    return params['ui_locales'] === IMMEDIATE
      ? { error: 'immediate_unsuccessful', description: 'immediate request was unsuccessful' }
      : { error, description: 'end-user authentication is required' };
  }
  return refusal;
}

function tokenError(reason: Reason): Reply {
  switch (reason.kind) {
    case 'client-unknown':
      return problem('invalid_client_id', 'client identifier invalid');
    case 'client-secret':
    case 'client-missing':
      return problem('invalid_client', 'invalid client credentials');
    case 'client-twice':
      return problem('invalid_request', 'only one client authentication method is allowed');
    case 'parameter-missing':
      return problem('invalid_request', `missing required parameter: ${reason.names[0] ?? ''}`);
    case 'parameter-repeated':
      return problem('invalid_request', 'parameters must not be repeated');
    case 'grant-type-unsupported':
    case 'grant-type-not-allowed':
      return problem('unsupported_grant_type', 'grant type not supported');
    case 'code-expired':
    case 'code-used':
      return problem('invalid_grant', 'expired authorization code');
    case 'redirect-uri-differs':
      return problem('redirect_uri_mismatch', 'redirect_uri must match configuration');
    case 'verifier-missing':
    case 'verifier-wrong':
      return problem('invalid_grant', 'invalid code verifier');
    case 'refresh-token-unknown':
    case 'refresh-token-expired':
    case 'refresh-token-used':
      return problem('invalid_grant', 'expired access/refresh token');
    case 'code-unknown':
      return problem('invalid_grant', 'invalid authorization code');
    case 'scope':
    case 'audience':
    case 'other':
    default:
      return problem('invalid_request', 'invalid request');
  }
}

function problem(error: string, description: string): Reply {
  return { status: 400, body: { error, error_description: description } };
}

function discovery(origin: string): Record<string, unknown> {
  const oauth2 = `${origin}/services/oauth2`;
  return {
    issuer: origin,
    authorization_endpoint: `${oauth2}/authorize`,
    token_endpoint: `${oauth2}/token`,
    revocation_endpoint: `${oauth2}/revoke`,
    introspection_endpoint: `${oauth2}/introspect`,
    userinfo_endpoint: `${oauth2}/userinfo`,
    jwks_uri: `${origin}/id/keys`,
    scopes_supported: SCOPES,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    display_values_supported: ['page', 'popup', 'touch'],
    token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
    claims_supported: ['sub', 'iss', 'aud', 'exp', 'iat', 'nonce', 'at_hash'],
  };
}
