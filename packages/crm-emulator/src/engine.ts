/** Sets up oidc-provider as the OAuth 2.0 engine of one provider: codes, grants, PKCE and refresh tokens. */
import { generateKeyPairSync } from 'node:crypto';
import * as errors from 'oidc-provider/lib/helpers/errors.js';
import { type Context, Provider } from 'oidc-provider/lib/provider.js';
import type { RegisteredClient } from './clients.js';
import type { Callback, EmulatedProvider } from './dialect.js';
import { pathOf } from './endpoints.js';
import { isLoopback } from './guards.js';
import { errorPage, formPostPage } from './pages.js';
import { authorizationReason, inactive, refusalFor, type Refusal } from './reasons.js';
import { send } from './reply.js';
import { SIGN_IN_PATH, signInIsOver } from './sign-in.js';

const YEAR_SECONDS = 365 * 24 * 3_600;
const SIGN_IN_SECONDS = 3_600;

/** The engine finds a pending sign-in again by this cookie. It never reaches a browser. */
export const RESUME_COOKIE = 'emulator_resume';

/** A request parameter that only the engine knows: its validation calls the dialect's own check. */
const CHECK_PARAMETER = 'emulator';

export function createEngine(
  provider: EmulatedProvider,
  spoilCallback: (callback: Callback) => Callback,
): Provider {
  const { clients, store, options } = provider;
  const callbackURLs = options.callbackURLs ?? [];
  const engine = new Provider(provider.issuer, {
    adapter: (model: string) => {
      const isForgotten = model === 'RefreshToken' && provider.forgetsUsedRefreshTokens === true;
      return store.adapter(model, isForgotten);
    },
    // The engine's signatures never leave the emulator: the dialect signs each token again.
    jwks: { keys: [createEngineKey()] },
    clients: [...clients.values()].map(clientMetadata),
    ...authorizationSettings(provider),
    ...tokenSettings(provider),
    ...accountSettings(provider),
    loadExistingGrant: (context: Context) => grantEverything(engine, context, provider),
  });
  engine.Client.prototype.redirectUriAllowed = function isRegistered(uri) {
    const own = clients.get(this.clientId)?.callbackURLs;
    return own ? own.includes(uri) : callbackURLs.includes(uri) || isLoopback(uri);
  };
  handleErrors(engine);
  registerResponseModes(engine, ({ iss: _iss, error, error_description, ...payload }, context) => {
    const refusal = error ? refusalOf(provider, context, { error, error_description }) : undefined;
    const params = provider.authorizationResponse({ ...refusal, ...payload }, context);
    return spoilCallback({ params });
  });
  return engine;
}

function clientMetadata({ clientID, clientSecret }: RegisteredClient) {
  return {
    client_id: clientID,
    client_secret: clientSecret,
    // The engine requires one, and asks `redirectUriAllowed`.
    redirect_uris: ['http://localhost/callback'],
    response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    token_endpoint_auth_method: 'client_secret_post',
    id_token_signed_response_alg: 'ES256',
  };
}

function authorizationSettings(provider: EmulatedProvider) {
  const { endpoints, extraParameters = [], pkce, scopes, title } = provider;
  return {
    routes: { authorization: pathOf(endpoints, 'authorize'), token: pathOf(endpoints, 'token') },
    scopes: [...scopes],
    responseTypes: ['code'],
    pkce: { required: () => pkce === 'required' },
    allowOmittingSingleRegisteredRedirectUri: false,
    extraParams: {
      ...Object.fromEntries(extraParameters.map((parameter) => [parameter, undefined])),
      [CHECK_PARAMETER]: (context: Context) => {
        const refusal = checkRequest(provider, context);
        if (!refusal) return;
        throw new errors.CustomOIDCProviderError(refusal.error, refusal.error_description);
      },
    },
    interactions: {
      url: (_context: Context, { uid }: { uid: string }) => `${SIGN_IN_PATH}/${uid}`,
    },
    cookies: { names: { resume: RESUME_COOKIE } },
    renderError: (context: Context, failure: Partial<Refusal>, thrown: Error) => {
      rememberError(context, thrown);
      if (thrown instanceof errors.SessionNotFound) {
        return send(context, signInIsOver(provider, context.path.split('/').at(-1)!));
      }
      const refusal = refusalOf(provider, context, failure);
      context.state['page'] = refusal.error;
      send(context, errorPage(title, refusal));
    },
  };
}

function tokenSettings(provider: EmulatedProvider) {
  const { audiences, lifetimeSeconds: seconds, options } = provider;
  return {
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
          const scopes = audiences?.[audience];
          if (!scopes) throw new errors.InvalidTarget(`Service not found: ${audience}`);
          return { audience, scope: scopes.join(' '), accessTokenFormat: 'opaque' };
        },
      },
    },
    rotateRefreshToken: () => provider.rotatesRefreshTokens,
    issueRefreshToken: (_context: Context, _client: unknown, code: { scopes: Set<string> }) =>
      provider.issuesRefreshToken(code.scopes),
    expiresWithSession: () => false,
    ttl: {
      AccessToken: options.accessTokenTTL ?? seconds.accessToken,
      ClientCredentials: options.accessTokenTTL ?? seconds.accessToken,
      AuthorizationCode: options.codeTTL ?? seconds.code,
      IdToken: options.idTokenTTL ?? seconds.idToken,
      RefreshToken: YEAR_SECONDS,
      Grant: YEAR_SECONDS,
      Session: SIGN_IN_SECONDS,
      Interaction: SIGN_IN_SECONDS,
    },
  };
}

function accountSettings({ claims, claimsOf, people, refusals }: EmulatedProvider) {
  return {
    claims: { openid: ['sub'], ...claims },
    conformIdTokenClaims: false,
    findAccount: (_context: Context, accountId: string, token?: { kind: string }) => {
      const person = people.bySubject(accountId);
      if (!person) return undefined;
      // A person who was deactivated after the sign-in gets no tokens.
      const isRefresh = token?.kind === 'RefreshToken';
      if (isRefresh ? !person.active : inactive(refusals, person)) return undefined;
      return { accountId, claims: () => ({ sub: accountId, ...claimsOf?.(person) }) };
    },
  };
}

function handleErrors(engine: Provider): void {
  engine.on('error', (error) => {
    // An error with a code comes from a socket that a fault or the client broke: nothing to report.
    if (!('code' in error)) console.error('crm-emulator:', error);
  });
  engine.on('grant.error', rememberError);
  engine.on('authorization.error', rememberError);
  engine.on('server_error', (_context, error) => console.error('crm-emulator:', error));
}

function registerResponseModes(
  engine: Provider,
  callbackOf: (payload: Record<string, string>, context: Context) => Callback,
): void {
  for (const mode of ['emulator_query', 'emulator_form_post']) {
    engine.registerResponseMode(mode, (context, redirectUri, payload) => {
      const { params, isInFragment } = callbackOf(payload, context);
      if (mode === 'emulator_form_post' && !isInFragment) {
        return send(context, formPostPage(redirectUri, params));
      }
      const url = new URL(redirectUri);
      const place = isInFragment ? new URLSearchParams() : url.searchParams;
      for (const [name, value] of Object.entries(params)) {
        if (value !== undefined) place.set(name, value);
      }
      if (isInFragment) url.hash = place.toString();
      context.status = 302;
      context.redirect(url.href);
    });
  }
}

/** The refusal in the provider's words, or in those of the emulator or the engine. */
function refusalOf(
  { refusals }: EmulatedProvider,
  { state, oidc }: Context,
  { error = 'invalid_request', error_description = '' }: Partial<Refusal>,
): Refusal {
  const reason = authorizationReason(state['error'], oidc?.params ?? {});
  return (reason && refusalFor(refusals, reason)) ?? { error, error_description };
}

/** Checks an authorization request once its client and redirect URI are known to be good. */
function checkRequest(provider: EmulatedProvider, { state, oidc }: Context): Refusal | undefined {
  const { refusals, scopes } = provider;
  const params = oidc?.params ?? {};
  if (state['isRepeated']) return refusalFor(refusals, { reason: 'authorize.repeated' });
  const isKnown = (params['scope'] ?? '').split(' ').every((scope) => scopes.includes(scope));
  const unknownScope = isKnown ? undefined : refusalFor(refusals, { reason: 'authorize.scope' });
  return unknownScope ?? provider.checkAuthorizationRequest?.(params);
}

function rememberError(context: Context, error: Error): void {
  context.state['error'] = error;
}

/** The person who signs in consents to everything that the client asked for. */
async function grantEverything(engine: Provider, { oidc }: Context, provider: EmulatedProvider) {
  const accountId = oidc?.session?.accountId;
  if (!oidc?.client || !accountId) return undefined;
  const grant = new engine.Grant({ accountId, clientId: oidc.client.clientId });
  grant.addOIDCScope([...oidc.requestParamOIDCScopes].join(' '));
  for (const audience of Object.keys(oidc.resourceServers)) {
    const offered = provider.audiences?.[audience] ?? [];
    const granted = offered.filter((scope) => oidc.requestParamScopes.has(scope));
    grant.addResourceScope(audience, granted.join(' '));
  }
  const grantId = await grant.save();
  provider.signedIn?.(grantId, oidc.params ?? {});
  return grant;
}

function createEngineKey() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256', kid: 'engine' };
}
