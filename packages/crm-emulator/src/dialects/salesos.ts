/** SalesOS's dialect. */
import { authenticateClient } from '../clients.js';
import { type Dialect, type Environment, NO_SCOPE, type TokenResponseContext } from '../dialect.js';
import { type Endpoint, endpointsOf, type Handler, metadataOf } from '../endpoints.js';
import { atHash } from '../keys.js';
import { People } from '../people.js';
import { photo } from '../photo.js';
import { refusalReply } from '../reasons.js';
import { ok } from '../reply.js';
import type { Revocable } from '../store.js';
import { scopesOf } from '../values.js';
import { leadsApi } from './salesos-api.js';
import { SALESOS_FAULTS } from './salesos-faults.js';
import { CLAIMS_BY_SCOPE, claimsOf, userInfo } from './salesos-identity.js';
import { keepSignIn, LOGOUT_PATH, logOut, organizationOf, sidOf } from './salesos-logout.js';
import { SALESOS_REFUSALS } from './salesos-refusals.js';
import { Organizations, type Tenant } from './salesos-tenant.js';

/** The API that access tokens are for. */
const AUDIENCE = 'https://api.play2sell.com';

const API_SCOPES = [
  ...'leads:read leads:write deals:read deals:write users:read users:write'.split(' '),
  ...'reports:read webhooks:manage'.split(' '),
];

const OIDC_SCOPES = ['openid', 'profile', 'email', 'offline_access'] as const;

const REFRESH_TOKEN_PREFIX = 'v1.';

/** RFC 7009, for refresh tokens only: an access token lives until it expires. */
const REVOKES: Revocable = { RefreshToken: 'token' };

/** SalesOS: an Auth0 tenant, that is, OpenID Connect with an `audience` for access tokens. */
export async function createSalesos(environment: Environment) {
  const { origin, options, store } = environment;
  const people = new People(options.people, ({ hex }) => `auth0|${hex}`);
  const organizations = new Organizations(options, people);
  const keys = await environment.createKeys();
  const issuer = `${origin}/`;
  const tenant: Tenant = { ...environment, issuer, keys, people, organizations };
  return {
    ...facts(tenant),
    claimsOf: (person) => claimsOf(person, origin),
    admit: (person, params) => organizations.admit(person, params),
    signedIn: (grantId, { organization }) =>
      keepSignIn(store, grantId, organizations.find(organization)?.id),
    extraParameters: ['organization', 'invitation'],
    checkAuthorizationRequest: (params) => organizations.checkRequest(params),
    authorizationRequest: ({ audience, scope, ...query }) => ({
      ...query,
      // The engine requires a scope that it knows; SalesOS does not.
      scope: [...scopesOf(scope), NO_SCOPE].join(' '),
      ...(audience && { resource: audience }),
    }),
    authorizationResponse: (payload) => ({ ...payload, ...(options.sendIss && { iss: issuer }) }),
    ...tokenRules(tenant),
    members: {
      rotateKeys: keys.rotateKeys,
      organizations: organizations.all,
      invite: (person: string, organization: string) => organizations.invite(person, organization),
    },
  } satisfies Dialect;
}

function facts(tenant: Tenant) {
  const { issuer, keys, options, people } = tenant;
  const headers = { 'cache-control': 'public, max-age=15' };
  const published: Handler = () => ({ ...ok(keys.jwks), headers });
  const metadata: Handler = () => ok(discovery(tenant, endpoints));
  const endpoints: readonly Endpoint[] = endpointsOf([
    ['Discovery', 'GET', '/.well-known/openid-configuration', [], metadata],
    ['Authorization', 'GET', '/authorize', 'authorize'],
    ['Token', 'POST', '/oauth/token', 'token'],
    ['Keys', 'GET', '/.well-known/jwks.json', 'jwks', published],
    ['UserInfo', 'GET, POST', '/userinfo', ['userinfo', 'profile'], userInfo(tenant)],
    ['Photo', 'GET, HEAD', '/photos/:number.svg', [], photo(people)],
    ['Revocation', 'POST', '/oauth/revoke', 'revoke', revoke(tenant)],
    ['Logout', 'GET, POST', LOGOUT_PATH, [], logOut(tenant)],
    ['API: leads', 'GET, POST', '/v1/leads', 'api', leadsApi(tenant, AUDIENCE)],
    ['', '', '/v1/*', 'api'],
  ]);
  return {
    name: 'salesos',
    title: 'SalesOS',
    issuer,
    pkce: 'allowed',
    scopes: [...OIDC_SCOPES, NO_SCOPE],
    postsForms: true,
    rotatesRefreshTokens: options.refreshTokenRotation?.salesos ?? true,
    lifetimeSeconds: { accessToken: 86_400, idToken: 36_000, code: 600 },
    people,
    claims: CLAIMS_BY_SCOPE,
    audiences: { [AUDIENCE]: [...OIDC_SCOPES, ...API_SCOPES] },
    faults: SALESOS_FAULTS,
    revokes: REVOKES,
    signedFaults: ['id-token', 'not-offline'],
    refusals: SALESOS_REFUSALS,
    endpoints,
    strategyOptions: { issuer },
  } satisfies Partial<Dialect>;
}

function tokenRules(tenant: Tenant) {
  const { issuer, keys, organizations, store } = tenant;
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
    async tokenResponse(body, context) {
      const { issued, fault } = context;
      const { id_token: idToken, refresh_token: refreshToken, expires_in } = body;
      const scopes = scopesOf(issued.scope);
      scopes.delete(NO_SCOPE);
      const scope = [...scopes].join(' ');
      const { aud, grantId, jti } = issued;
      const organization = grantId && organizations.claimsOf(organizationOf(store, grantId));
      const claims = { ...accessTokenClaims(tenant, context, scope, expires_in), ...organization };
      const accessToken = aud ? await keys.sign(claims) : body.access_token;
      if (aud) store.issuedAs(jti, accessToken);
      const idClaims = {
        iss: issuer,
        at_hash: atHash(accessToken),
        ...(grantId && { sid: sidOf(grantId) }),
        ...organization,
      };
      return {
        access_token: accessToken,
        ...(refreshToken && { refresh_token: REFRESH_TOKEN_PREFIX + refreshToken }),
        ...(idToken && { id_token: await keys.signIdToken(idToken, idClaims, fault) }),
        ...(scope && { scope }),
        expires_in,
        token_type: 'Bearer',
      };
    },
  } satisfies Partial<Dialect>;
}

/** An access token for an audience is a JWT. With the scope `openid` it is for UserInfo too. */
function accessTokenClaims(
  { issuer, origin }: Tenant,
  { issued, grantType }: TokenResponseContext,
  scope: string,
  expiresInSeconds: number,
) {
  const { accountId, aud = '', clientId } = issued;
  const now = Math.floor(Date.now() / 1000);
  return {
    iss: issuer,
    sub: accountId ?? `${clientId}@clients`,
    aud: scopesOf(scope).has('openid') ? [aud, `${origin}/userinfo`] : aud,
    iat: now,
    exp: now + expiresInSeconds,
    scope,
    azp: clientId,
    ...(accountId === undefined && { gty: 'client-credentials' }),
    ...(grantType === 'refresh_token' && { gty: 'refresh_token' }),
  };
}

const revoke =
  ({ clients, store }: Tenant): Handler =>
  ({ request }) => {
    const client = authenticateClient(request, clients);
    // Each failure of the client has the same answer here.
    if (typeof client === 'string')
      return refusalReply(SALESOS_REFUSALS, { reason: 'client.unknown' });
    const id = request.fields?.['token'];
    if (typeof id !== 'string')
      return refusalReply(SALESOS_REFUSALS, { reason: 'parameter.missing', name: 'token' });
    const token = store.findToken(REVOKES, id.replace(REFRESH_TOKEN_PREFIX, ''));
    if (token?.entry.clientId === client.clientID) store.revoke(token, REVOKES);
    return ok('');
  };

const PROTOCOL_CLAIMS = ['aud', 'exp', 'iat', 'iss', 'sid', 'sub'];

function discovery({ issuer, origin, options }: Tenant, endpoints: readonly Endpoint[]) {
  const { profile, email } = CLAIMS_BY_SCOPE;
  return {
    issuer,
    ...metadataOf(endpoints, () => origin),
    scopes_supported: OIDC_SCOPES,
    response_modes_supported: ['query', 'form_post'],
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    claims_supported: [...PROTOCOL_CLAIMS, ...profile, ...email],
    ...(options.sendIss && { authorization_response_iss_parameter_supported: true }),
  };
}
