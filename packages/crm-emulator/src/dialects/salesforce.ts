/** Salesforce's dialect. */
import { createHmac } from 'node:crypto';
import { authenticateClient } from '../client-authentication.js';
import type { Dialect, Environment } from '../dialect.js';
import { type Endpoint, endpointsOf, type Handler, metadataOf } from '../endpoints.js';
import { FORM_TYPE } from '../engine-request.js';
import { atHash, type KeyRing } from '../keys.js';
import { loggedOutPage, pageReply } from '../pages.js';
import { type Refused, type RefusalTable, refusalFor, wordsOf } from '../reasons.js';
import { HTML_TYPE, oauthError, ok, type Reply } from '../reply.js';
import { salesforceFaults } from './salesforce-faults.js';
import { salesforceApi } from './salesforce-api.js';
import { identity, userInfo, userInfoOf } from './salesforce-identity.js';
import * as wire from './salesforce-tokens.js';

const SCOPES = [
  ...'openid id profile email address phone api chatter_api full web visualforce'.split(' '),
  ...'lightning content custom_permissions refresh_token offline_access'.split(' '),
];

/** The scopes that the app is assigned. It gets them when it asks for none. */
const ASSIGNED_SCOPE = 'openid id profile email address phone api web refresh_token';

/** The claims of ID Tokens where the app includes standard claims. */
const STANDARD_CLAIMS = {
  profile: [
    'name',
    'given_name',
    'family_name',
    'nickname',
    'preferred_username',
    'picture',
    'profile',
    'zoneinfo',
    'locale',
    'updated_at',
  ],
  email: ['email', 'email_verified'],
};

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
    misdirected: servedBy(environment),
    ...AUTHORIZATION_RULES,
    ...tokenRules(environment, keys),
  };
}

function facts(environment: Environment, keysAt: (origin: string) => KeyRing) {
  const { origin, origins, options, label } = environment;
  const title = label ? `Salesforce ${label}` : 'Salesforce';
  const oauth2 = '/services/oauth2';
  const published: Handler = ({ request: { arrivedAt } }) => ok(keysAt(arrivedAt).jwks);
  const metadata: Handler = ({ request }) => ok(discovery(request.arrivedAt, origins, endpoints));
  const endpoints: readonly Endpoint[] = endpointsOf([
    ['Discovery', 'GET', '/.well-known/openid-configuration', [], metadata],
    ['Authorization', 'GET', `${oauth2}/authorize`, 'authorize'],
    ['Token', 'POST', `${oauth2}/token`, 'token'],
    ['Keys', 'GET', '/id/keys', 'jwks', published],
    ['Identity URL', 'GET, POST', '/id/:organization/:user', 'profile', identity(environment)],
    ['UserInfo', 'GET, POST', `${oauth2}/userinfo`, 'userinfo', userInfo(environment)],
    ['Revocation', 'POST, GET', `${oauth2}/revoke`, 'revoke', revoke(environment)],
    ['Introspection', 'POST', `${oauth2}/introspect`, [], introspect(environment)],
    // Salesforce ignores `post_logout_redirect_uri`: an app sets its logout page in Setup.
    ['Logout', 'GET, POST', LOGOUT_PATH, [], () => pageReply(200, loggedOutPage(title))],
    ...salesforceApi(environment),
  ]);
  return {
    name: 'salesforce',
    title,
    issuer: origin,
    pkce: 'required',
    scopes: SCOPES,
    rotatesRefreshTokens: options.refreshTokenRotation?.salesforce ?? false,
    lifetimeSeconds: { accessToken: 7_200, idToken: 120, code: 900 },
    claims: options.standardClaims ? STANDARD_CLAIMS : { profile: [], email: [] },
    faults: salesforceFaults(() => origins.org),
    revokes: { AccessToken: 'token', RefreshToken: 'grant' },
    signedFaults: ['wrong-signature', 'id-token', 'not-offline'],
    refusals: SALESFORCE_REFUSALS,
    endpoints,
    strategyOptions: salesforceOptions(origin),
    claimsOf: (person) => userInfoOf(environment, person),
    accountIdOf: (person) => wire.identityURL(environment, person),
    personOf: (accountId) => wire.personOfIdentity(environment, accountId),
  } satisfies Partial<Dialect>;
}

/** Which origin serves what, where the login host, the org and the issuer are not one. */
const servedBy =
  ({ origins }: Environment): NonNullable<Dialect['misdirected']> =>
  ({ pathname: path, search }, arrivedAt) => {
    if (arrivedAt === origins.org) return undefined;
    if (arrivedAt !== origins.login) {
      return /^\/(id\/keys|\.well-known\/.+)$/.test(path) ? undefined : NO_LONGER_HERE;
    }
    if (path.startsWith('/services/data') || path === LOGOUT_PATH) return NO_LONGER_HERE;
    return /^\/id\/\w+\/\w+$/.test(path)
      ? { status: 302, headers: { location: origins.org + path + search } }
      : undefined;
  };

/** Of an org only: a host where several orgs log in has no logout. */
const LOGOUT_PATH = '/services/auth/idp/oidc/logout';

const NO_LONGER_HERE: Reply = {
  status: 404,
  type: HTML_TYPE,
  body: '<!doctype html><title>URL No Longer Exists</title>',
};

const AUTHORIZATION_RULES = {
  extraParameters: ['immediate'],
  authorizationRequest({ response_mode: _mode, nonce, ...query }) {
    const scope = query['scope'] || ASSIGNED_SCOPE;
    return {
      ...query,
      scope,
      ...(nonce && scope.split(' ').includes('openid') && { nonce }),
      ...(query['code_challenge'] && {
        code_challenge_method: query['code_challenge_method'] ?? 'S256',
      }),
    };
  },
  // The emulator asks at every request who signs in.
  checkAuthorizationRequest: ({ immediate }) =>
    immediate === 'true'
      ? refusalFor(SALESFORCE_REFUSALS, { reason: 'authorize.immediate' })
      : undefined,
  authorizationResponse: ({ code, ...payload }) => ({
    ...(code !== undefined && { code: wire.wrapCode(code) }),
    ...payload,
  }),
} satisfies Partial<Dialect>;

function tokenRules(environment: Environment, keys: KeyRing) {
  const { origins, clients } = environment;
  return {
    issuesRefreshToken: (scopes) => scopes.has('refresh_token') || scopes.has('offline_access'),
    tokenRequest(request, url) {
      const { fields, mediaType } = request;
      if (url.search !== '') return { reason: 'query' };
      if (mediaType !== FORM_TYPE || !fields?.['grant_type']) return { reason: 'grant-type' };
      if (fields['scope'] !== undefined) return { reason: 'scope-parameter' };
      if (fields['grant_type'] === 'client_credentials') return { reason: 'client-credentials' };
      const { code, refresh_token: refreshToken } = fields;
      return {
        form: {
          ...fields,
          ...(typeof code === 'string' && { code: wire.unwrapCode(code) }),
          ...(typeof refreshToken === 'string' && {
            refresh_token: wire.unwrapRefreshToken(refreshToken),
          }),
        },
      };
    },
    async tokenResponse(body, { person, issued, fault }) {
      const { id_token: idToken, refresh_token: refreshToken } = body;
      const accessToken = wire.wrapAccessToken(person!, body.access_token);
      const id = wire.identityURL(environment, person!);
      const issuedAt = String(Date.now());
      const { secret } = clients.get(issued.clientId)!;
      const signer = createHmac('sha256', fault?.kind === 'wrong-signature' ? 'wrong' : secret);
      const claims = { iss: origins.issuer, at_hash: atHash(accessToken) };
      return {
        access_token: accessToken,
        ...(refreshToken && { refresh_token: wire.wrapRefreshToken(refreshToken) }),
        signature: signer.update(id + issuedAt).digest('base64'),
        scope: issued.scope ?? '',
        ...(idToken && { id_token: await keys.signIdToken(idToken, claims, fault) }),
        instance_url: origins.org,
        id,
        token_type: 'Bearer',
        issued_at: issuedAt,
      };
    },
  } satisfies Partial<Dialect>;
}

const INVALID = 'invalid_request';
const NO_GRANT = 'invalid_grant';
const MISMATCH = ['redirect_uri_mismatch', 'redirect_uri must match configuration'] as const;
const UNKNOWN_CLIENT = ['invalid_client_id', 'client identifier invalid'] as const;

export const SALESFORCE_REFUSALS: RefusalTable = {
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
};

const refuse = (refused: Refused) => oauthError(...wordsOf(SALESFORCE_REFUSALS, refused)!);

/** Revoking a refresh token revokes its sessions too; revoking an access token ends that session only. */
const revoke =
  ({ store }: Environment): Handler =>
  ({ method, request, url }) => {
    const token = method === 'GET' ? url.searchParams.get('token') : request.fields?.['token'];
    if (typeof token !== 'string') {
      return oauthError(400, 'unsupported_token_type', 'this token type is not supported');
    }
    const refreshToken = store.findLive('RefreshToken', wire.unwrapRefreshToken(token));
    if (refreshToken) {
      store.revokeGrant(refreshToken['grantId']);
      return ok('');
    }
    const accessToken = wire.unwrapAccessToken(token);
    if (!accessToken || !store.findLive('AccessToken', accessToken)) {
      return oauthError(400, 'invalid_token', 'invalid token: the token is unknown or was revoked');
    }
    store.destroy('AccessToken', accessToken);
    return ok('');
  };

/** RFC 7662. */
const introspect =
  (environment: Environment): Handler =>
  ({ request }) => {
    const { clients, store } = environment;
    const client = authenticateClient(request, clients);
    if (typeof client === 'string') {
      return refuse({ reason: client === 'client.unknown' ? client : 'client.secret' });
    }
    const token = request.fields?.['token'];
    if (typeof token !== 'string') return refuse({ reason: 'parameter.missing', name: 'token' });
    const session = wire.sessionOf(environment, token);
    const entry = session?.entry ?? store.findLive('RefreshToken', wire.unwrapRefreshToken(token));
    const person = wire.personOfIdentity(environment, entry?.['accountId']);
    if (!entry || !person || entry['clientId'] !== client.id) return ok({ active: false });
    const { scope, exp, iat } = entry;
    const { username } = person;
    const sub = wire.identityURL(environment, person);
    const token_type = session ? 'access_token' : 'refresh_token';
    return ok({
      active: true,
      scope,
      client_id: client.id,
      username,
      sub,
      token_type,
      exp,
      iat,
      nbf: iat,
    });
  };

function discovery(
  issuer: string,
  { login, org }: Environment['origins'],
  endpoints: readonly Endpoint[],
) {
  const host = issuer === org ? org : login;
  const own = new Map([
    ['Keys', issuer],
    ['Logout', issuer === org ? org : undefined],
  ]);
  return {
    issuer,
    ...metadataOf(endpoints, (name) => (own.has(name) ? own.get(name) : host)),
    scopes_supported: SCOPES,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    display_values_supported: ['page', 'popup', 'touch'],
    token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
    claims_supported: ['sub', 'iss', 'aud', 'exp', 'iat', 'nonce', 'at_hash'],
  };
}
