/** Signs a person in at a strict OpenID provider, over real sockets. */
import { deepEqual } from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Profile } from 'crm-oauth2/provider';
import { providerChecks } from 'crm-oauth2/testing';
import express from 'express';
import session from 'express-session';
import { Passport } from 'passport';
import { acmeAt, acmeStrategy } from '../dist/index';

/** It has no types, and its entry prints a notice about the release of Node.js: parts of it are imported. */
const OIDC_PROVIDER: string = 'oidc-provider/lib';
const CLIENT = { clientID: 'client-1', clientSecret: 'secret: 100% of +client/1' };
const ZOE = { sub: 'zoe', name: 'Zoe Young', email: 'zoe@example.com', email_verified: true };

/** The sockets of a test, closed after it. */
const servers: Server[] = [];

async function listen(server: Server): Promise<string> {
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Acme ID: oidc-provider, which accepts PKCE, Basic authentication, ES256, and no other choice. */
async function startAcme(redirectUri: string): Promise<string> {
  const server = createServer();
  const issuer = await listen(server);
  const { Provider } = await import(`${OIDC_PROVIDER}/provider.js`);
  const { createMemoryAdapter } = await import(`${OIDC_PROVIDER}/adapters/memory_adapter.js`);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const client = {
    client_id: CLIENT.clientID,
    client_secret: CLIENT.clientSecret,
    redirect_uris: [redirectUri],
    token_endpoint_auth_method: 'client_secret_basic',
    id_token_signed_response_alg: 'ES256',
  };
  const provider = new Provider(issuer, {
    clients: [client],
    jwks: { keys: [privateKey.export({ format: 'jwk' })] },
    adapter: createMemoryAdapter(),
    ttl: { AccessToken: 60, Grant: 60, IdToken: 60, Interaction: 60, Session: 60 },
    cookies: { keys: ['cookie-key'] },
    claims: { profile: ['name'], email: ['email', 'email_verified'] },
    responseTypes: ['code'],
    clientAuthMethods: ['client_secret_basic'],
    enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
    pkce: { required: () => true },
    allowOmittingSingleRegisteredRedirectUri: false,
    features: { devInteractions: { enabled: false } },
    interactions: { url: () => '/sign-in' },
    findAccount: () => ({ accountId: ZOE.sub, claims: () => ZOE }),
    // Zoe consents to every scope.
    loadExistingGrant: async () => {
      const grant = new provider.Grant({ accountId: ZOE.sub, clientId: CLIENT.clientID });
      grant.addOIDCScope('openid profile email');
      await grant.save();
      return grant;
    },
  });
  server.on('request', (request, response) =>
    request.url === '/sign-in'
      ? provider.interactionFinished(request, response, { login: { accountId: ZOE.sub } })
      : provider.callback()(request, response),
  );
  return issuer;
}

/** A browser without a window: follows redirects, and keeps cookies. */
async function browse(url: string, cookies = new Map<string, string>()): Promise<Response> {
  const cookie = [...cookies].map((pair) => pair.join('=')).join('; ');
  const response = await fetch(url, { headers: { cookie }, redirect: 'manual' });
  for (const line of response.headers.getSetCookie()) {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    cookies.set(name, value);
  }
  const location = response.headers.get('location');
  return location ? browse(new URL(location, url).href, cookies) : response;
}

describe('Acme ID', () => {
  const endpoints = {
    issuer: 'https://id.acme.example',
    authorizationEndpoint: 'https://id.acme.example/auth',
    tokenEndpoint: 'https://id.acme.example/token',
    userInfoEndpoint: 'https://id.acme.example/me',
    jwksUri: 'https://id.acme.example/jwks',
  };
  const checks = providerChecks(acmeAt(endpoints), {
    options: CLIENT,
    tokenResponse: () => ({ access_token: 'token-of-zoe', token_type: 'Bearer', expires_in: 3600 }),
    idTokenClaims: { sub: ZOE.sub },
    profileAnswer: ZOE,
    profile: { id: ZOE.sub, displayName: ZOE.name },
  });
  for (const { title, run } of checks) it(title, run);

  it('acme — signs a person in', async () => {
    const app = express();
    const passport = new Passport();
    const callbackURL = `${await listen(createServer(app))}/login`;
    const Strategy = await acmeStrategy(await startAcme(callbackURL));
    passport.use(new Strategy({ ...CLIENT, callbackURL, verify: ({ profile }) => profile }));
    app.use(session({ secret: 'session-key', resave: false, saveUninitialized: false }));
    app.get('/login', passport.authenticate('acme', { session: false }), (request, response) => {
      response.json(request.user);
    });
    const profile = (await (await browse(callbackURL)).json()) as Profile;
    deepEqual([profile.provider, profile.id, profile.displayName], ['acme', 'zoe', 'Zoe Young']);
    deepEqual(profile.emails, [{ value: 'zoe@example.com', verified: true }]);
  });

  after(() => servers.forEach((server) => server.close()));
});
