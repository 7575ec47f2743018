/** Salesloft's dialect. */
import { randomBytes } from 'node:crypto';
import { authenticateClient } from '../clients.js';
import type { Dialect, Environment } from '../dialect.js';
import { endpointsOf, type Handler } from '../endpoints.js';
import { People } from '../people.js';
import { wordsOf } from '../reasons.js';
import { HTML_TYPE, oauthError, ok, type Reply } from '../reply.js';
import type { Revocable } from '../store.js';
import { scopesOf } from '../values.js';
import { salesloftApi } from './salesloft-api.js';
import { SALESLOFT_FAULTS } from './salesloft-faults.js';
import { SALESLOFT_REFUSALS } from './salesloft-refusals.js';

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

/** RFC 7009: one record holds both tokens, so that revoking either one revokes both. */
const REVOKES: Revocable = {
  AccessToken: 'grant',
  RefreshToken: 'grant',
  ClientCredentials: 'token',
};

/** Salesloft: plain OAuth 2.0 with opaque tokens, and a JSON API that says who the user is. */
export function createSalesloft(environment: Environment) {
  const { origin, options } = environment;
  const people = new People(options.people, ({ number }) => String(number));
  return {
    name: 'salesloft',
    title: 'Salesloft',
    issuer: origin,
    pkce: 'allowed',
    scopes: SCOPES,
    defaultScope: REGISTERED_SCOPE,
    rotatesRefreshTokens: true,
    forgetsUsedRefreshTokens: true,
    lifetimeSeconds: { accessToken: 7_200, idToken: 600, code: 600 },
    people,
    faults: SALESLOFT_FAULTS,
    revokes: REVOKES,
    refusals: SALESLOFT_REFUSALS,
    endpoints: endpointsOf([
      ['Authorization', 'GET', '/oauth/authorize', 'authorize'],
      ['Token', 'POST', '/oauth/token', 'token'],
      ['Revocation', 'POST', '/oauth/revoke', 'revoke', revoke(environment)],
      ...salesloftApi(environment, people),
      ['', 'GET', '/.well-known/*', [], () => APPLICATION],
    ]),
    strategyOptions: {
      authorizationURL: `${origin}/oauth/authorize`,
      tokenURL: `${origin}/oauth/token`,
      profileURL: `${origin}/v2/me.json`,
    },
    issuesRefreshToken: () => true,
    ...WIRE,
  } satisfies Dialect;
}

/** The real host serves a single-page application, which answers every metadata URL with 200. */
const APPLICATION: Reply = {
  status: 200,
  type: HTML_TYPE,
  body: '<!doctype html><title>Local emulator of Salesloft</title><div id="app"></div>',
};

const WIRE = {
  authorizationResponse(payload, { oidc }) {
    if (payload['error']) return payload;
    const context = randomBytes(9).toString('base64url');
    return { ...payload, context, scope: oidc?.params?.['scope'] };
  },
  tokenRequest({ fields }, url) {
    if (SECRET_PARAMETERS.some((name) => url.searchParams.has(name))) return { reason: 'query' };
    if (!fields) return { reason: 'parameter.missing', name: 'grant_type' };
    const { context: _context, ...form } = fields;
    // A code has the scopes of its grant; those of the request are ignored. A refresh may narrow them.
    if (form['grant_type'] === 'authorization_code') delete form['scope'];
    if (form['grant_type'] === 'client_credentials') form['scope'] ||= REGISTERED_SCOPE;
    const scopes = scopesOf([form['scope'] ?? ''].flat().join(' '));
    return [...scopes].every((scope) => SCOPES.includes(scope)) ? { form } : { reason: 'scope' };
  },
  tokenResponse(body, { issued }) {
    return {
      access_token: body.access_token,
      token_type: 'Bearer',
      expires_in: body.expires_in,
      ...(body.refresh_token && { refresh_token: body.refresh_token }),
      scope: issued.scope ?? '',
      created_at: Math.floor(Date.now() / 1000),
    };
  },
  /** Salesloft's framework, Doorkeeper, adds a challenge to 401. */
  tokenError([status, error, description]) {
    const challenge = `Bearer realm="Doorkeeper", error="${error}", error_description="${description}"`;
    const headers: Record<string, string> = status === 401 ? { 'www-authenticate': challenge } : {};
    return { ...oauthError(status, error, description), headers };
  },
} satisfies Partial<Dialect>;

const revoke =
  ({ clients, store }: Environment): Handler =>
  ({ request }) => {
    const client = authenticateClient(request, clients);
    if (client === 'client.twice')
      return WIRE.tokenError(wordsOf(SALESLOFT_REFUSALS, { reason: client })!);
    const token = store.findToken(REVOKES, request.fields?.['token']);
    // RFC 7009 §2.1: the token must be of this client.
    if (typeof client === 'string' || (token && token.entry.clientId !== client.clientID)) {
      return oauthError(403, 'unauthorized_client', 'You are not authorized to revoke this token');
    }
    if (token) store.revoke(token, REVOKES);
    return ok({});
  };
