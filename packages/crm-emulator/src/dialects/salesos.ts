/** SalesOS's dialect. */
import { authenticateClient } from '../client-authentication.js';
import { type Dialect, type Environment, NO_SCOPE, type TokenResponseContext } from '../dialect.js';
import { type Endpoint, endpointsOf, type Handler, metadataOf } from '../endpoints.js';
import { atHash, type KeyRing } from '../keys.js';
import { photo } from '../photo.js';
import { type Refused, type RefusalTable, wordsOf } from '../reasons.js';
import { oauthError, ok } from '../reply.js';
import { scopesOf } from '../values.js';
import { leadsApi } from './salesos-api.js';
import { SALESOS_FAULTS } from './salesos-faults.js';
import * as identity from './salesos-identity.js';
import { keepSignIn, LOGOUT_PATH, logOut, organizationOf, sidOf } from './salesos-logout.js';
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
  return { issuer: identity.issuerOf(origin) };
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

function facts(environment: Environment, keys: KeyRing) {
  const { origin, people } = environment;
  const headers = { 'cache-control': 'public, max-age=15' };
  const published: Handler = () => ({ ...ok(keys.jwks), headers });
  const metadata: Handler = () => ok(discovery(environment, endpoints));
  const userInfo = identity.userInfo(environment, keys);
  const endpoints: readonly Endpoint[] = endpointsOf([
    ['Discovery', 'GET', '/.well-known/openid-configuration', [], metadata],
    ['Authorization', 'GET', '/authorize', 'authorize'],
    ['Token', 'POST', '/oauth/token', 'token'],
    ['Keys', 'GET', '/.well-known/jwks.json', 'jwks', published],
    ['UserInfo', 'GET, POST', '/userinfo', ['userinfo', 'profile'], userInfo],
    ['Photo', 'GET, HEAD', '/photos/:number.svg', [], photo(people)],
    ['Revocation', 'POST', '/oauth/revoke', 'revoke', revoke(environment)],
    ['Logout', 'GET, POST', LOGOUT_PATH, [], logOut(environment, keys)],
    ['API: leads', 'GET, POST', '/v1/leads', 'api', leadsApi(environment, keys, AUDIENCE)],
    ['', '', '/v1/*', 'api'],
  ]);
  return {
    name: 'salesos',
    title: 'SalesOS',
    issuer: identity.issuerOf(origin),
    pkce: 'allowed',
    scopes: [...OIDC_SCOPES, NO_SCOPE],
    rotatesRefreshTokens: environment.options.refreshTokenRotation?.salesos ?? true,
    lifetimeSeconds: { accessToken: 86_400, idToken: 36_000, code: 600 },
    claims: identity.CLAIMS_BY_SCOPE,
    audiences: { [AUDIENCE]: [...OIDC_SCOPES, ...API_SCOPES] },
    faults: SALESOS_FAULTS,
    revokes: { RefreshToken: 'token' },
    signedFaults: ['id-token', 'not-offline'],
    refusals: SALESOS_REFUSALS,
    endpoints,
    strategyOptions: salesosOptions(origin),
  } satisfies Partial<Dialect>;
}

function accountRules({ origin, people, store }: Environment, organizations: Organizations) {
  return {
    accountIdOf: identity.subjectOf,
    personOf: (accountId) => identity.personOfSubject(people, accountId),
    claimsOf: (person) => identity.claimsOf(person, origin),
    admit: (person, params) => organizations.admit(person, params),
    signedIn: (grantId, { organization }) =>
      keepSignIn(store, grantId, organizations.find(organization)?.id),
  } satisfies Partial<Dialect>;
}

function authorizationRules({ origin, options }: Environment, organizations: Organizations) {
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
    authorizationResponse: (payload) => ({
      ...payload,
      ...(options.sendIss && { iss: identity.issuerOf(origin) }),
    }),
  } satisfies Partial<Dialect>;
}

function tokenRules(environment: Environment, keys: KeyRing, organizations: Organizations) {
  const { origin, store } = environment;
  return {
    issuesRefreshToken: (scopes) => scopes.has('offline_access'),
    tokenRequest({ fields }) {
      if (!fields) return { reason: 'parameter.missing', name: 'grant_type' };
      const { audience, ...form } = fields;
      if (form['grant_type'] === 'client_credentials') {
        if (typeof audience !== 'string') return { reason: 'parameter.missing', name: 'audience' };
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
      const scopes = scopesOf(issued.scope);
      scopes.delete(NO_SCOPE);
      const scope = [...scopes].join(' ');
      const { grantId } = issued;
      const organization = grantId && organizations.claimsOf(organizationOf(store, grantId));
      const claims = accessTokenClaims(environment, issued, scope, grantType, expiresIn);
      const accessToken = issued.aud
        ? await keys.sign({ ...claims, ...organization })
        : body.access_token;
      if (issued.aud) store.issuedAs(issued.jti, accessToken);
      const idClaims = {
        iss: identity.issuerOf(origin),
        at_hash: atHash(accessToken),
        ...(grantId && { sid: sidOf(grantId) }),
        ...organization,
      };
      return {
        access_token: accessToken,
        ...(refreshToken && { refresh_token: REFRESH_TOKEN_PREFIX + refreshToken }),
        ...(idToken && { id_token: await keys.signIdToken(idToken, idClaims, fault) }),
        ...(scope && { scope }),
        expires_in: expiresIn,
        token_type: 'Bearer',
      };
    },
  } satisfies Partial<Dialect>;
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
    iss: identity.issuerOf(origin),
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

const MISSING = 'Missing required parameter: {name}';
const INVALID = 'invalid_request';

export const SALESOS_REFUSALS: RefusalTable = {
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
};

/** RFC 7009, for refresh tokens only: an access token lives until it expires. */
const revoke =
  ({ clients, store }: Environment): Handler =>
  ({ request }) => {
    const client = authenticateClient(request, clients);
    const refuse = (refused: Refused) => oauthError(...wordsOf(SALESOS_REFUSALS, refused)!);
    // Each failure of the client has the same answer here.
    if (typeof client === 'string') return refuse({ reason: 'client.unknown' });
    const token = request.fields?.['token'];
    if (typeof token !== 'string') return refuse({ reason: 'parameter.missing', name: 'token' });
    const id = token.replace(REFRESH_TOKEN_PREFIX, '');
    const isOwn = store.find('RefreshToken', id)?.['clientId'] === client.id;
    if (isOwn) store.destroy('RefreshToken', id);
    return ok('');
  };

const PROTOCOL_CLAIMS = ['aud', 'exp', 'iat', 'iss', 'sid', 'sub'];

function discovery({ origin, options }: Environment, endpoints: readonly Endpoint[]) {
  const { profile, email } = identity.CLAIMS_BY_SCOPE;
  return {
    issuer: identity.issuerOf(origin),
    ...metadataOf(endpoints, () => origin),
    scopes_supported: OIDC_SCOPES,
    response_types_supported: ['code'],
    response_modes_supported: ['query', 'form_post'],
    code_challenge_methods_supported: ['S256'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    claims_supported: [...PROTOCOL_CLAIMS, ...profile, ...email],
    ...(options.sendIss && { authorization_response_iss_parameter_supported: true }),
  };
}
