import { generateKeyPairSync } from 'node:crypto';
import { CustomOIDCProviderError, InvalidTarget } from 'oidc-provider/lib/helpers/errors.js';
import { type Context, type EngineError, Provider } from 'oidc-provider/lib/provider.js';
import type { Dialect, Environment, Refusal } from './dialect.js';
import { errorPage, formPostPage, sendPage } from './pages.js';
import { isLoopback } from './redirect-uris.js';

const YEAR = 365 * 24 * 3_600;
const SIGN_IN_SECONDS = 3_600;

/** Where the engine sends the browser to choose who signs in. */
export const SIGN_IN_PATH = '/emulator/sign-in';

/** A request parameter of our own, which makes the engine call the dialect's checks. */
const CHECKED = 'emulator';

/** What the browser brings back to the application. */
export type CallbackParams = Record<string, string | undefined>;

/** Builds the OAuth 2.0 engine of one provider: codes, grants, PKCE, refresh, client authentication. */
export function createEngine(
  dialect: Dialect,
  environment: Environment,
  patchCallback: (params: CallbackParams) => CallbackParams,
): Provider {
  const { client, options, store } = environment;
  const registered = options.callbackURLs ?? [];
  const provider = new Provider(dialect.issuer, {
    adapter: (model: string) => store.adapter(model),
    // The engine's own signatures never leave the emulator: dialects sign what goes out.
    jwks: { keys: [engineKey()] },
    clients: [
      {
        client_id: client.id,
        client_secret: client.secret,
        redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback', ...registered],
        response_types: ['code'],
        grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
        token_endpoint_auth_method: 'client_secret_post',
        id_token_signed_response_alg: 'ES256',
      },
    ],
    scopes: [...dialect.scopes],
    claims: { openid: ['sub'], ...dialect.claims },
    conformIdTokenClaims: false,
    routes: { authorization: dialect.paths.authorize, token: dialect.paths.token },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        useGrantedResource: () => true,
        getResourceServerInfo: (_context: Context, audience: string) => {
          const scopes = dialect.audiences[audience];
          if (!scopes) throw new InvalidTarget(`Service not found: ${audience}`);
          return { audience, scope: scopes.join(' '), accessTokenFormat: 'opaque' };
        },
      },
    },
    pkce: { required: () => dialect.pkce === 'required' },
    responseTypes: ['code'],
    allowOmittingSingleRegisteredRedirectUri: false,
    rotateRefreshToken: () => dialect.rotatesRefreshTokens,
    issueRefreshToken: (_context: Context, _client: unknown, code: { scopes: Set<string> }) =>
      dialect.issuesRefreshToken(code.scopes),
    expiresWithSession: () => false,
    ttl: {
      AccessToken: dialect.ttl.accessToken,
      ClientCredentials: dialect.ttl.accessToken,
      AuthorizationCode: dialect.ttl.code,
      IdToken: dialect.ttl.idToken,
      RefreshToken: YEAR,
      Grant: YEAR,
      Session: SIGN_IN_SECONDS,
      Interaction: SIGN_IN_SECONDS,
    },
    extraParams: {
      [CHECKED]: (context: Context) => {
        const refusal = dialect.checkAuthorizationRequest?.(context.oidc?.params ?? {});
        if (refusal) throw new CustomOIDCProviderError(refusal.error, refusal.description);
      },
    },
    interactions: {
      url: (_context: Context, { uid }: { uid: string }) => `${SIGN_IN_PATH}/${uid}`,
    },
    cookies: { names: cookieNames(dialect) },
    findAccount: (_context: Context, accountId: string) => {
      const person = dialect.personOf(accountId);
      return (
        person && { accountId, claims: () => ({ sub: accountId, ...dialect.claimsOf(person) }) }
      );
    },
    loadExistingGrant: (context: Context) => consent(provider, context, dialect),
    renderError: (context: Context, failure: Record<string, string>) => {
      const { error, description } = pageError(dialect, failure);
      sendPage(context, 400, errorPage(dialect.title, error, description));
    },
  });

  provider.Client.prototype.redirectUriAllowed = (uri) =>
    registered.includes(uri) || isLoopback(uri);
  provider.on('error', (error) => {
    // Sockets that faults and clients break are no failures.
    if (!('code' in error)) console.error('crm-emulator:', error);
  });
  provider.on('grant.error', rememberError);
  provider.on('authorization.error', rememberError);
  provider.on('server_error', (_context, error) => console.error('crm-emulator:', error));

  const respond = (context: Context, payload: Record<string, string>) =>
    patchCallback(dialect.authorizationResponse(payload, context));
  provider.registerResponseMode('emulator_query', (context, redirectUri, payload) => {
    const url = new URL(redirectUri);
    for (const [name, value] of Object.entries(respond(context, payload))) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    context.status = 302;
    context.redirect(url.href);
  });
  provider.registerResponseMode('emulator_form_post', (context, redirectUri, payload) => {
    sendPage(context, 200, formPostPage(redirectUri, respond(context, payload)));
  });
  return provider;
}

/** The cookie that carries a pending sign-in from the page to the engine; it never reaches a browser. */
export function resumeCookie(dialect: Dialect, uid: string): string {
  return `${cookieNames(dialect).resume}=${uid}`;
}

function cookieNames({ name }: Dialect) {
  return {
    session: `${name}_emulator_session`,
    interaction: `${name}_emulator_sign_in`,
    resume: `${name}_emulator_resume`,
  };
}

function pageError(dialect: Dialect, failure: Record<string, string>): Refusal {
  const { error = 'invalid_request', error_description: description = '' } = failure;
  if (error === 'invalid_client') return dialect.unknownClient;
  if (error === 'invalid_redirect_uri') return dialect.wrongRedirectUri;
  return { error, description };
}

function rememberError(context: Context, error: EngineError): void {
  context.state['error'] = error;
}

/** Whoever signs in consents to everything that was asked. */
async function consent(provider: Provider, context: Context, dialect: Dialect) {
  const { oidc } = context;
  const accountId = oidc?.session?.accountId;
  if (!oidc?.client || !accountId) return undefined;
  const grant = new provider.Grant({ accountId, clientId: oidc.client.clientId });
  grant.addOIDCScope([...oidc.requestParamOIDCScopes].join(' '));
  for (const audience of Object.keys(oidc.resourceServers)) {
    const offered = dialect.audiences[audience] ?? [];
    const granted = offered.filter((scope) => oidc.requestParamScopes.has(scope));
    grant.addResourceScope(audience, granted.join(' '));
  }
  await grant.save();
  return grant;
}

function engineKey() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256', kid: 'engine' };
}
