/** Signs in with other people's libraries, so that apps which use them can be compared and migrated. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { startEmulator } from 'crm-emulator';
import type { Emulator } from 'crm-emulator';
import { Browser } from '../support/browser';
import { startApp } from '../support/express-app';
import { ROOT } from '../support/packages';

const PEERS = join(ROOT, 'test', 'peers');
const CALLBACK = 'http://127.0.0.1:3000/auth/callback';
const WHO = 'Marta Quill';
const INSTALL_LIMIT_MS = 300_000;

const load = createRequire(join(PEERS, 'package.json'));

/** The part of each library that is called here. No library is a dependency, so its own types are not here. */
interface SalesforceTokens {
  access_token: string;
  refresh_token: string;
  id: string;
}
interface Jsforce {
  OAuth2: new (options: object) => { getAuthorizationUrl(parameters: object): string };
  Connection: new (options: object) => {
    accessToken: string;
    refreshToken: string;
    oauth2: { refreshToken(token: string): Promise<SalesforceTokens> };
    authorize(code: string): Promise<{ organizationId: string }>;
    identity(): Promise<{ display_name: string }>;
  };
}
type Done<T> = (error: unknown, result: T) => void;
interface SalesforceOAuth2 {
  getAuthorizationUrl(options: object): string;
  authenticate(options: object, done: Done<SalesforceTokens>): void;
  refresh(options: object, done: Done<SalesforceTokens>): void;
}
interface SimpleToken {
  token: { access_token: string };
  refresh(): Promise<SimpleToken>;
}
interface SimpleOAuth2 {
  AuthorizationCode: new (options: object) => {
    authorizeURL(parameters: object): string;
    getToken(parameters: object): Promise<SimpleToken>;
  };
}
type Verify = (...parameters: never[]) => void;
type StrategyClass = new (options: object, verify: Verify) => object;
interface OpenidClient {
  discovery(
    issuer: URL,
    id: string,
    secret: string,
    auth: undefined,
    rest: object,
  ): Promise<object>;
  allowInsecureRequests: unknown;
  randomPKCECodeVerifier(): string;
  calculatePKCECodeChallenge(verifier: string): Promise<string>;
  buildAuthorizationUrl(config: object, parameters: object): URL;
  authorizationCodeGrant(
    config: object,
    callback: URL,
    checks: object,
  ): Promise<{ refresh_token: string; claims(): { name: string } }>;
  refreshTokenGrant(config: object, token: string): Promise<{ access_token: string }>;
}

async function called<T>(call: (done: Done<T>) => void): Promise<T> {
  return await new Promise((resolve, reject) => {
    call((error, result) => (error ? reject(new Error(JSON.stringify(error))) : resolve(result)));
  });
}

/** Signs in, and returns the parameters that the browser brings back. */
async function comeBack(authorizationUrl: string): Promise<URLSearchParams> {
  return new URL(await new Browser().signIn(authorizationUrl, WHO)).searchParams;
}

/** Signs in through an Express app with a strategy of another package. */
async function signInWith(strategy: object, options: object = {}): Promise<unknown> {
  const app = await startApp('other', Object.assign(strategy, { name: 'other' }), {
    start: options,
  });
  try {
    const browser = new Browser();
    const start = await browser.visit(`${app.origin}/auth`);
    const provider = start.headers.get('location') ?? '';
    const back = new URL(await browser.signIn(provider, WHO));
    const answer = await browser.visit(`${app.origin}/auth/callback${back.search}`);
    return await answer.json();
  } finally {
    await app.close();
  }
}

describe("other people's libraries sign in against the emulator", function () {
  this.timeout(20_000);
  let strict: Emulator;
  let tolerant: Emulator;

  before('install the libraries', async function () {
    this.timeout(INSTALL_LIMIT_MS);
    if (!existsSync(join(PEERS, 'node_modules', 'jsforce'))) {
      execFileSync('npm', ['ci', '--ignore-scripts', '--loglevel=error'], {
        cwd: PEERS,
        stdio: 'inherit',
        shell: process.platform === 'win32',
        timeout: INSTALL_LIMIT_MS,
      });
    }
    strict = await startEmulator();
    tolerant = await startEmulator({ tolerant: true });
  });
  after(async () => {
    await strict?.close();
    await tolerant?.close();
  });

  it('jsforce: authorizes with PKCE, asks for the identity, and refreshes', async () => {
    const { origin, clientID, clientSecret } = tolerant.salesforce;
    const { OAuth2, Connection } = load('jsforce') as Jsforce;
    const oauth2 = new OAuth2({
      loginUrl: origin,
      clientId: clientID,
      clientSecret,
      redirectUri: CALLBACK,
      useVerifier: true,
    });
    const url = oauth2.getAuthorizationUrl({ scope: 'api id refresh_token', state: 'a-state' });
    const connection = new Connection({ oauth2 });
    const person = await connection.authorize((await comeBack(url)).get('code') ?? '');
    expect(person.organizationId).to.match(/^00D/);
    expect((await connection.identity()).display_name).to.equal(WHO);
    const { accessToken, refreshToken } = connection;
    const refreshed = await connection.oauth2.refreshToken(refreshToken);
    expect(refreshed.access_token).to.be.a('string').and.not.equal(accessToken);
  });

  it('salesforce-oauth2: credentials in the query, a verified signature, and a refresh', async () => {
    const { origin, clientID: client_id, clientSecret: client_secret } = tolerant.salesforce;
    const library = load('salesforce-oauth2') as SalesforceOAuth2;
    const client = { base_url: origin, client_id, client_secret, redirect_uri: CALLBACK };
    const { client_secret: _, ...asked } = client;
    const url = library.getAuthorizationUrl({
      ...asked,
      scope: 'api id refresh_token',
      state: 'a-state',
    });
    const code = (await comeBack(url)).get('code') ?? '';
    const tokens = await called<SalesforceTokens>((done) => {
      library.authenticate({ ...client, code }, done);
    });
    expect(tokens.id).to.include('/id/00D');
    const { refresh_token } = tokens;
    const refreshed = await called<SalesforceTokens>((done) => {
      library.refresh({ ...client, refresh_token }, done);
    });
    expect(refreshed.access_token).to.be.a('string').and.not.equal(tokens.access_token);
  });

  it('passport-auth0: the profile of UserInfo', async () => {
    const { origin, clientID, clientSecret } = tolerant.salesos;
    const Auth0 = load('passport-auth0') as StrategyClass;
    const strategy = new Auth0(
      {
        domain: new URL(origin).host,
        expectedIssuer: `${origin}/`,
        authorizationURL: `${origin}/authorize`,
        tokenURL: `${origin}/oauth/token`,
        userInfoURL: `${origin}/userinfo`,
        clientID,
        clientSecret,
        callbackURL: CALLBACK,
      },
      (_access: string, _refresh: string, _extra: object, profile: object, done: Done<object>) => {
        done(null, profile);
      },
    );
    const answer = await signInWith(strategy, { scope: 'openid profile email' });
    expect(answer).to.have.nested.property('user.displayName', WHO);
  });

  it('openid-client: discovery, PKCE, a signed ID Token, and a refresh', async () => {
    const { origin, clientID, clientSecret } = strict.salesos;
    const library = (await import(
      pathToFileURL(load.resolve('openid-client')).href
    )) as OpenidClient;
    const config = await library.discovery(new URL(origin), clientID, clientSecret, undefined, {
      execute: [library.allowInsecureRequests],
    });
    const verifier = library.randomPKCECodeVerifier();
    const url = library.buildAuthorizationUrl(config, {
      redirect_uri: CALLBACK,
      scope: 'openid profile email offline_access',
      audience: 'https://api.play2sell.com',
      code_challenge: await library.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state: 'a-state',
    });
    const back = new URL(await new Browser().signIn(url.href, WHO));
    const tokens = await library.authorizationCodeGrant(config, back, {
      pkceCodeVerifier: verifier,
      expectedState: 'a-state',
    });
    expect(tokens.claims().name).to.equal(WHO);
    const refreshed = await library.refreshTokenGrant(config, tokens.refresh_token);
    expect(refreshed.access_token).to.be.a('string');
  });

  it('passport-oauth2: state and PKCE', async () => {
    const { options } = strict.salesloft;
    const OAuth2 = load('passport-oauth2') as StrategyClass;
    const strategy = new OAuth2(
      { ...options, callbackURL: CALLBACK, state: true, pkce: true },
      (accessToken: string, refreshToken: string, _profile: object, done: Done<object>) => {
        done(null, { hasTokens: accessToken !== '' && refreshToken !== '' });
      },
    );
    expect(await signInWith(strategy)).to.have.nested.property('user.hasTokens', true);
  });

  it('simple-oauth2: a code, and a refresh', async () => {
    const { origin, clientID, clientSecret } = strict.salesloft;
    const { AuthorizationCode } = load('simple-oauth2') as SimpleOAuth2;
    const client = new AuthorizationCode({
      client: { id: clientID, secret: clientSecret },
      auth: { tokenHost: origin, tokenPath: '/oauth/token', authorizePath: '/oauth/authorize' },
      options: { authorizationMethod: 'body' },
    });
    const redirect_uri = CALLBACK;
    const code = (await comeBack(client.authorizeURL({ redirect_uri, state: 'a-state' }))).get(
      'code',
    );
    const tokens = await client.getToken({ code, redirect_uri });
    const refreshed = await tokens.refresh();
    expect(refreshed.token.access_token).to.be.a('string').and.not.equal(tokens.token.access_token);
  });
});
