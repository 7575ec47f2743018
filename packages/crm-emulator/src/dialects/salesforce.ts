/** Salesforce's dialect. */
import { createHmac } from 'node:crypto';
import { authenticateClient } from '../clients.js';
import type { Dialect, Environment } from '../dialect.js';
import { type Endpoint, endpointsOf, type Handler, metadataOf } from '../endpoints.js';
import { FORM_TYPE } from '../engine-request.js';
import { atHash } from '../keys.js';
import { loggedOutPage } from '../pages.js';
import { People } from '../people.js';
import { refusalFor, refusalReply } from '../reasons.js';
import { HTML_TYPE, oauthError, ok, redirect, type Reply } from '../reply.js';
import type { Revocable } from '../store.js';
import { salesforceFaults } from './salesforce-faults.js';
import { salesforceApi } from './salesforce-api.js';
import { identity, userInfo, userInfoOf } from './salesforce-identity.js';
import { SALESFORCE_REFUSALS } from './salesforce-refusals.js';
import * as wire from './salesforce-org.js';
import type { Org, Origins } from './salesforce-org.js';

const SCOPES = [
  ...'openid id profile email address phone api chatter_api full web visualforce'.split(' '),
  ...'lightning content custom_permissions refresh_token offline_access'.split(' '),
];

/** The scopes that the app is assigned. It gets them when it asks for none. */
const ASSIGNED_SCOPE = 'openid id profile email address phone api web refresh_token';

/** The claims of ID Tokens where the app includes standard claims. */
const STANDARD_CLAIMS = {
  profile: [
    ...'name given_name family_name nickname preferred_username picture profile'.split(' '),
    ...'zoneinfo locale updated_at'.split(' '),
  ],
  email: ['email', 'email_verified'],
};

/** Revoking a refresh token revokes its sessions too; revoking an access token ends that session only. */
const REVOKES: Revocable = { AccessToken: 'token', RefreshToken: 'grant' };

interface Setting {
  /** Default: one origin is all of them. */
  origins?: Origins;
  title?: string;
  /** The org of every person. */
  organization?: string;
}

/** Salesforce: OAuth 2.0 with an identity URL, a signed token response, and OpenID Connect on request. */
export async function createSalesforce(
  environment: Environment,
  { origins: own, title = 'Salesforce', organization }: Setting = {},
) {
  const { origin, options } = environment;
  const origins = own ?? { login: origin, org: origin, issuer: origin };
  const identityURL = (ids: Record<'organizationId' | 'userId', string>) =>
    `${origin}/id/${ids.organizationId}/${ids.userId}`;
  const people = new People(options.people, identityURL, organization);
  const keys = await environment.createKeys();
  // The keys of an issuer that has an origin of its own are published there alone.
  const otherKeys = origins.issuer === origin ? keys : await environment.createKeys('login');
  const org: Org = { ...environment, origins, people, keys, otherKeys };
  return {
    ...facts(org, title),
    claimsOf: (person) => userInfoOf(org, person),
    extraParameters: ['immediate'],
    authorizationRequest: (query) => ({
      ...(query['code_challenge'] && { code_challenge_method: 'S256' }),
      ...query,
    }),
    // The emulator asks at every request who signs in.
    checkAuthorizationRequest: ({ immediate }) =>
      immediate === 'true'
        ? refusalFor(SALESFORCE_REFUSALS, { reason: 'authorize.immediate' })
        : undefined,
    authorizationResponse: ({ code, ...payload }) => ({
      ...(code !== undefined && { code: wire.wrapCode(code) }),
      ...payload,
    }),
    ...tokenRules(org),
    members: { rotateKeys: keys.rotateKeys },
  } satisfies Dialect;
}

function facts(org: Org, title: string) {
  const { origin, origins, options, people, keys, otherKeys } = org;
  const oauth2 = '/services/oauth2';
  const published: Handler = ({ request: { arrivedAt } }) =>
    ok((arrivedAt === origins.issuer ? keys : otherKeys).jwks);
  const metadata: Handler = ({ request }) => ok(discovery(request.arrivedAt, origins, endpoints));
  const endpoints: readonly Endpoint[] = endpointsOf([
    ['Discovery', 'GET', '/.well-known/openid-configuration', [], metadata],
    ['Authorization', 'GET', `${oauth2}/authorize`, 'authorize'],
    ['Token', 'POST', `${oauth2}/token`, 'token'],
    ['Keys', 'GET', '/id/keys', 'jwks', published],
    ['Identity URL', 'GET, POST', '/id/:organization/:user', 'profile', identity(org)],
    ['UserInfo', 'GET, POST', `${oauth2}/userinfo`, 'userinfo', userInfo(org)],
    ['Revocation', 'POST, GET', `${oauth2}/revoke`, 'revoke', revoke(org)],
    ['Introspection', 'POST', `${oauth2}/introspect`, [], introspect(org)],
    // Salesforce ignores `post_logout_redirect_uri`: an app sets its logout page in Setup.
    ['Logout', 'GET, POST', LOGOUT_PATH, [], () => loggedOutPage(title)],
    ...salesforceApi(org.store),
  ]);
  return {
    name: 'salesforce',
    title,
    issuer: origin,
    pkce: 'required',
    scopes: SCOPES,
    defaultScope: ASSIGNED_SCOPE,
    rotatesRefreshTokens: options.refreshTokenRotation?.salesforce ?? false,
    lifetimeSeconds: { accessToken: 7_200, idToken: 120, code: 900 },
    people,
    claims: options.standardClaims ? STANDARD_CLAIMS : { profile: [], email: [] },
    faults: salesforceFaults(() => origins.org),
    revokes: REVOKES,
    signedFaults: ['wrong-signature', 'id-token', 'not-offline'],
    refusals: SALESFORCE_REFUSALS,
    endpoints,
    misdirected: servedBy(origins),
    strategyOptions: { loginURL: origin },
  } satisfies Partial<Dialect>;
}

/** Which origin serves what, where the login host, the org and the issuer are not one. */
const servedBy =
  (origins: Origins): NonNullable<Dialect['misdirected']> =>
  ({ pathname: path, search }, arrivedAt) => {
    if (arrivedAt === origins.org) return undefined;
    if (arrivedAt !== origins.login) {
      return /^\/(id\/keys|\.well-known\/.+)$/.test(path) ? undefined : NO_LONGER_HERE;
    }
    if (path.startsWith('/services/data') || path === LOGOUT_PATH) return NO_LONGER_HERE;
    return /^\/id\/\w+\/\w+$/.test(path) ? redirect(302, origins.org + path + search) : undefined;
  };

/** Of an org only: a host where several orgs log in has no logout. */
const LOGOUT_PATH = '/services/auth/idp/oidc/logout';

const NO_LONGER_HERE: Reply = {
  status: 404,
  type: HTML_TYPE,
  body: '<!doctype html><title>URL No Longer Exists</title>',
};

function tokenRules({ clients, keys, origins }: Org) {
  return {
    issuesRefreshToken: (scopes) => scopes.has('refresh_token') || scopes.has('offline_access'),
    tokenRequest({ fields, mediaType }, url) {
      if (url.search !== '') return { reason: 'query' };
      if (mediaType !== FORM_TYPE || !fields?.['grant_type']) return { reason: 'grant-type' };
      if (fields['scope'] !== undefined) return { reason: 'scope-parameter' };
      if (fields['grant_type'] === 'client_credentials') return { reason: 'client-credentials' };
      const form = { ...fields };
      const { code, refresh_token: refreshToken } = fields;
      if (typeof code === 'string') form['code'] = wire.unwrapCode(code);
      if (typeof refreshToken === 'string')
        form['refresh_token'] = wire.unwrapRefreshToken(refreshToken);
      return { form };
    },
    async tokenResponse(body, { person, issued, fault }) {
      const { id_token: idToken, refresh_token: refreshToken } = body;
      const accessToken = wire.wrapAccessToken(person!, body.access_token);
      const id = person!.subject;
      const issuedAt = String(Date.now());
      const { clientSecret } = clients.get(issued.clientId)!;
      const signer = createHmac(
        'sha256',
        fault?.kind === 'wrong-signature' ? 'wrong' : clientSecret,
      );
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

const revoke =
  ({ store }: Org): Handler =>
  ({ method, request, url }) => {
    const id = method === 'GET' ? url.searchParams.get('token') : request.fields?.['token'];
    if (typeof id !== 'string') {
      return oauthError(400, 'unsupported_token_type', 'this token type is not supported');
    }
    const token = store.findToken(
      REVOKES,
      wire.unwrapAccessToken(id) ?? wire.unwrapRefreshToken(id),
    );
    if (!token || !store.findLive(token.model, token.id)) {
      return oauthError(400, 'invalid_token', 'invalid token: the token is unknown or was revoked');
    }
    store.revoke(token, REVOKES);
    return ok('');
  };

/** RFC 7662. */
const introspect =
  ({ clients, people, store }: Org): Handler =>
  ({ request }) => {
    const client = authenticateClient(request, clients);
    if (typeof client === 'string') {
      const reason = client === 'client.unknown' ? client : 'client.secret';
      return refusalReply(SALESFORCE_REFUSALS, { reason });
    }
    const token = request.fields?.['token'];
    if (typeof token !== 'string')
      return refusalReply(SALESFORCE_REFUSALS, { reason: 'parameter.missing', name: 'token' });
    const session = wire.sessionOf(store, token);
    const entry = session?.entry ?? store.findLive('RefreshToken', wire.unwrapRefreshToken(token));
    const person = people.bySubject(entry?.accountId);
    if (!entry || !person || entry.clientId !== client.clientID) return ok({ active: false });
    return ok({
      active: true,
      scope: entry['scope'],
      client_id: client.clientID,
      username: person.username,
      sub: person.subject,
      token_type: session ? 'access_token' : 'refresh_token',
      exp: entry.exp,
      iat: entry.iat,
      nbf: entry.iat,
    });
  };

function discovery(issuer: string, { login, org }: Origins, endpoints: readonly Endpoint[]) {
  const host = issuer === org ? org : login;
  const own = new Map([
    ['Keys', issuer],
    ['Logout', issuer === org ? org : undefined],
  ]);
  return {
    issuer,
    ...metadataOf(endpoints, (name) => (own.has(name) ? own.get(name) : host)),
    scopes_supported: SCOPES,
    display_values_supported: ['page', 'popup', 'touch'],
    token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
    claims_supported: ['sub', 'iss', 'aud', 'exp', 'iat', 'nonce', 'at_hash'],
  };
}
