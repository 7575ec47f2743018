import { authenticateClient, bearerToken } from '../client-authentication.js';
import type { Dialect, Environment, Refusal, Reply } from '../dialect.js';
import type { EngineRequest } from '../engine-request.js';
import { merged } from '../faults.js';
import { atHash, claimsOf, type KeyRing } from '../keys.js';
import type { Resident } from '../people.js';
import { photoRoute, photoURL } from '../photo.js';
import type { Reason } from '../reason.js';
import { idTokenRehearsals, wireRehearsals } from '../rehearsals.js';
import { NO_SCOPE } from '../sign-in.js';
import { scopesOf, textOf } from '../text.js';
import type { TokenFault } from '../types.js';
import { leadsRoutes } from './salesos-api.js';

/** The API that access tokens are for. */
export const AUDIENCE = 'https://api.play2sell.com';

const API_SCOPES = [
  'leads:read',
  'leads:write',
  'deals:read',
  'deals:write',
  'users:read',
  'users:write',
  'reports:read',
  'webhooks:manage',
] as const;

const OIDC_SCOPES = ['openid', 'profile', 'email', 'offline_access'] as const;

/** Opaque refresh tokens look like this. */
const REFRESH_PREFIX = 'v1.';

const CLAIMS = {
  profile: ['name', 'given_name', 'family_name', 'nickname', 'picture', 'updated_at'],
  email: ['email', 'email_verified'],
} as const;

/** The options of a strategy, beside the client. */
export function salesosAt(origin: string) {
  return { issuer: `${origin}/` };
}

/** SalesOS: an Auth0 tenant, which is OpenID Connect with an `audience` of its own. */
export function createSalesos(environment: Environment, keys: KeyRing): Dialect {
  const { origin, people, client, store, options } = environment;
  const issuer = `${origin}/`;
  const userinfo = `${origin}/userinfo`;

  return {
    name: 'salesos',
    title: 'SalesOS',
    issuer,
    paths: { authorize: '/authorize', token: '/oauth/token' },
    pkce: 'allowed',
    scopes: [...OIDC_SCOPES, NO_SCOPE],
    rotatesRefreshTokens: options.refreshTokenRotation?.salesos ?? true,
    ttl: {
      accessToken: options.accessTokenTTL ?? 86_400,
      idToken: options.idTokenTTL ?? 36_000,
      code: options.codeTTL ?? 600,
    },
    claims: CLAIMS,
    audiences: { [AUDIENCE]: [...OIDC_SCOPES, ...API_SCOPES] },
    rehearsals: [
      ...idTokenRehearsals(),
      ...wireRehearsals('token', 'Token endpoint'),
      ...wireRehearsals('jwks', 'Key set'),
      ...wireRehearsals('userinfo', 'UserInfo'),
    ],
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
        handle: ({ request }) => userInfo(request),
      },
      {
        methods: ['POST'],
        path: /^\/oauth\/revoke$/,
        handle: ({ request }) => revoke(request),
      },
    ],

    endpoints: [
      { name: 'Discovery', methods: 'GET', path: '/.well-known/openid-configuration' },
      { name: 'Authorization', methods: 'GET', path: '/authorize' },
      { name: 'Token', methods: 'POST', path: '/oauth/token' },
      { name: 'Keys', methods: 'GET', path: '/.well-known/jwks.json' },
      { name: 'UserInfo', methods: 'GET, POST', path: '/userinfo' },
      { name: 'Photo', methods: 'GET', path: '/photos/:number.svg' },
      { name: 'Revocation', methods: 'POST', path: '/oauth/revoke' },
      { name: 'API: leads', methods: 'GET, POST', path: '/v1/leads' },
    ],
    whereabouts: salesosAt(origin),

    stepsOf(_method, path) {
      if (path === '/authorize') return ['authorize'];
      if (path === '/oauth/token') return ['token'];
      if (path === '/oauth/revoke') return ['revoke'];
      if (path === '/userinfo') return ['userinfo', 'profile'];
      if (path === '/.well-known/jwks.json') return ['jwks'];
      return path.startsWith('/v1/') ? ['api'] : [];
    },
    accountIdOf: ({ hex }) => `auth0|${hex}`,
    personOf,
    claimsOf: (person) => claimsOfPerson(person, origin),
    issuesRefreshToken: (scopes) => scopes.has('offline_access'),

    authorizationRequest({ audience, nonce, ...query }) {
      const scopes = (query['scope'] ?? '').split(' ').filter(Boolean);
      return {
        ...query,
        // The engine wants a scope it knows; none at all is fine here.
        scope: [...scopes, NO_SCOPE].join(' '),
        ...(nonce && scopes.includes('openid') && { nonce }),
        ...(audience && { resource: audience }),
      };
    },
    checkSignIn: ({ active }) =>
      active ? undefined : { error: 'access_denied', description: 'user is blocked' },
    denied: { error: 'access_denied', description: 'The user denied the authorization request' },
    unknownClient: { error: 'invalid_request', description: 'Unknown client' },
    wrongRedirectUri: {
      error: 'Callback URL mismatch',
      description: 'The provided redirect_uri is not in the list of allowed callback URLs.',
    },
    authorizationResponse({ iss: _iss, ...payload }, { oidc }) {
      const { error, error_description: description = '', state } = payload;
      const iss = options.sendIss ? issuer : undefined;
      if (!error) return { code: payload['code'], state, iss };
      const said = inWords({ error, description }, oidc?.params ?? {});
      return { error: said.error, error_description: said.description, state, iss };
    },

    tokenRequest(request) {
      if (!request.fields) {
        return { reply: problem(400, 'invalid_request', 'Missing required parameter: grant_type') };
      }
      const { audience, ...form } = request.fields;
      if (form['grant_type'] === 'client_credentials') {
        if (typeof audience !== 'string') {
          return { reply: problem(400, 'invalid_request', 'Missing required parameter: audience') };
        }
        form['resource'] = audience;
        form['scope'] ||= API_SCOPES.join(' ');
      } else if (typeof form['refresh_token'] === 'string') {
        form['refresh_token'] = form['refresh_token'].replace(REFRESH_PREFIX, '');
        if (form['scope']) form['scope'] = [form['scope'], NO_SCOPE].flat().join(' ');
      } else {
        delete form['scope'];
      }
      return { form };
    },
    async tokenResponse(body, { issued, grantType, fault }) {
      const lie = fault as TokenFault | undefined;
      const now = Math.floor(Date.now() / 1000);
      const scope = (issued.scope ?? '')
        .split(' ')
        .filter((name) => name !== NO_SCOPE)
        .join(' ');
      const machine = issued.accountId === undefined;
      const openid = scope.split(' ').includes('openid');
      const access = issued.aud
        ? await keys.sign({
            iss: issuer,
            sub: issued.accountId ?? `${client.id}@clients`,
            aud: openid ? [issued.aud, userinfo] : issued.aud,
            iat: now,
            exp: now + Number(body['expires_in']),
            scope,
            azp: client.id,
            ...(machine && { gty: 'client-credentials' }),
            ...(grantType === 'refresh_token' && { gty: 'refresh_token' }),
          })
        : String(body['access_token']);

      const idLie = lie?.kind === 'id-token' ? lie : undefined;
      const { id_token: idToken, refresh_token: refresh } = body;
      const renewed =
        grantType !== 'refresh_token' || (options.refreshTokenRotation?.salesos ?? true);
      return {
        access_token: access,
        ...(typeof refresh === 'string' && renewed && { refresh_token: REFRESH_PREFIX + refresh }),
        ...(typeof idToken === 'string' && {
          id_token: await keys.sign(
            merged(
              { ...claimsOf(idToken), iss: issuer, at_hash: atHash(access) },
              idLie?.claims ?? {},
            ),
            idLie,
          ),
        }),
        ...(scope && { scope }),
        expires_in: body['expires_in'],
        token_type: 'Bearer',
      };
    },
    tokenError,
  };

  function personOf(accountId: string): Resident | undefined {
    return people.all.find(({ hex }) => accountId === `auth0|${hex}`);
  }

  async function userInfo(request: EngineRequest): Promise<Reply> {
    const token = bearerToken(request) ?? '';
    const held = store.findLive('AccessToken', token);
    const claims = held
      ? { sub: held['accountId'], scope: held['scope'] }
      : await keys.verify(token, issuer, userinfo).catch(() => undefined);
    const person = personOf(textOf(claims?.['sub']));
    const scopes = scopesOf(claims?.['scope']);
    if (!person || !scopes.has('openid')) {
      const description = 'The access token is invalid or has expired';
      return {
        ...problem(401, 'invalid_token', description),
        headers: {
          'www-authenticate': `Bearer error="invalid_token", error_description="${description}"`,
        },
      };
    }
    const wanted = Object.entries(CLAIMS).flatMap(([scope, names]) =>
      scopes.has(scope) ? names : [],
    );
    const known = claimsOfPerson(person, origin);
    return {
      status: 200,
      body: {
        sub: claims?.['sub'],
        ...Object.fromEntries(
          wanted.filter((name) => name in known).map((name) => [name, known[name]]),
        ),
      },
    };
  }

  /** Refresh tokens only: access tokens live until they expire. */
  function revoke(request: EngineRequest): Reply {
    if (authenticateClient(request, client) !== 'authenticated') {
      return problem(401, 'invalid_client', 'Client authentication failed');
    }
    const token = request.fields?.['token'];
    if (typeof token !== 'string') {
      return problem(400, 'invalid_request', 'Missing required parameter: token');
    }
    store.destroy('RefreshToken', token.replace(REFRESH_PREFIX, ''));
    return { status: 200, body: '' };
  }
}

function claimsOfPerson(person: Resident, origin: string): Record<string, unknown> {
  const { email, emailVerified, firstName, lastName, name, handle } = person;
  return {
    name,
    ...(firstName !== null && { given_name: firstName }),
    ...(lastName && { family_name: lastName }),
    nickname: handle,
    picture: photoURL(origin, person),
    updated_at: '2026-08-01T09:30:00.000Z',
    ...(email && { email, email_verified: emailVerified }),
  };
}

function inWords(refusal: Refusal, params: Record<string, string | undefined>): Refusal {
  const { error, description } = refusal;
  const absent = /missing required parameter\w* '(\w+)'/.exec(description)?.[1];
  if (absent)
    return { error: 'invalid_request', description: `Missing required parameter: ${absent}` };
  switch (error) {
    case 'invalid_target':
      return {
        error: 'access_denied',
        description: `Service not found: ${params['resource'] ?? ''}`,
      };
    case 'login_required':
      return { error, description: 'The user is not logged in' };
    case 'unsupported_response_type':
      return { error, description: `Unsupported response type: ${params['response_type'] ?? ''}` };
    default:
      if (/policy requires PKCE/.test(description)) {
        return { error, description: 'Parameter code_challenge is required' };
      }
      return refusal;
  }
}

function tokenError(reason: Reason, request: EngineRequest): Reply {
  const audience = String(request.fields?.['audience'] ?? '');
  switch (reason.kind) {
    case 'client-unknown':
    case 'client-secret':
    case 'client-missing':
      return problem(401, 'invalid_client', 'Client authentication failed');
    case 'client-twice':
      return problem(400, 'invalid_request', 'Only one client authentication method can be used');
    case 'parameter-missing':
      return problem(
        400,
        'invalid_request',
        `Missing required parameter: ${reason.names[0] ?? ''}`,
      );
    case 'parameter-repeated':
      return problem(400, 'invalid_request', 'Parameters must not be repeated');
    case 'grant-type-unsupported':
      return problem(400, 'unsupported_grant_type', 'Grant type not supported');
    case 'grant-type-not-allowed':
      return problem(403, 'unauthorized_client', 'Grant type not allowed for the client.');
    case 'refresh-token-unknown':
    case 'refresh-token-expired':
    case 'refresh-token-used':
      return problem(403, 'invalid_grant', 'Unknown or invalid refresh token.');
    case 'scope':
      return problem(403, 'invalid_scope', 'The requested scope is wider than the granted one');
    case 'audience':
      return problem(403, 'access_denied', `Service not found: ${audience}`);
    case 'other':
      return problem(400, 'invalid_request', 'Bad request');
    case 'code-unknown':
    case 'code-expired':
    case 'code-used':
    case 'redirect-uri-differs':
    case 'verifier-missing':
    case 'verifier-wrong':
    default:
      return problem(403, 'invalid_grant', 'Invalid authorization code');
  }
}

function problem(status: number, error: string, description: string): Reply {
  return { status, body: { error, error_description: description } };
}

function discovery(origin: string, iss: boolean): Record<string, unknown> {
  return {
    issuer: `${origin}/`,
    authorization_endpoint: `${origin}/authorize`,
    token_endpoint: `${origin}/oauth/token`,
    userinfo_endpoint: `${origin}/userinfo`,
    jwks_uri: `${origin}/.well-known/jwks.json`,
    revocation_endpoint: `${origin}/oauth/revoke`,
    scopes_supported: OIDC_SCOPES,
    response_types_supported: ['code'],
    response_modes_supported: ['query', 'form_post'],
    code_challenge_methods_supported: ['S256'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    claims_supported: ['aud', 'exp', 'iat', 'iss', 'sub', ...CLAIMS.profile, ...CLAIMS.email],
    ...(iss && { authorization_response_iss_parameter_supported: true }),
  };
}
