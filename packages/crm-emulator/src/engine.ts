/** Sets up oidc-provider as the OAuth 2.0 engine of one provider: codes, grants, PKCE and refresh tokens. */
import { generateKeyPairSync } from 'node:crypto';
import * as errors from 'oidc-provider/lib/helpers/errors.js';
import { type Context, type EngineError, Provider } from 'oidc-provider/lib/provider.js';
import type { Callback, Dialect, Environment, RegisteredClient } from './dialect.js';
import { pathOf } from './endpoints.js';
import { isLoopback } from './guards.js';
import { errorPage, formPostPage, pageReply } from './pages.js';
import { authorizationReason, inactive, refusalFor, type Params, type Refusal } from './reasons.js';
import { send } from './reply.js';
import { signInIsOver } from './sign-in.js';
import type { Store } from './store.js';
import type { EmulatorOptions } from './types.js';
import { areAllKnown } from './values.js';

const YEAR_SECONDS = 365 * 24 * 3_600;
const SIGN_IN_SECONDS = 3_600;

/** The page where the browser chooses who signs in. */
export const SIGN_IN_PATH = '/emulator/sign-in';

/** A request parameter that only the engine knows: its validation calls the dialect's own check. */
const CHECK_PARAMETER = 'emulator';

export function createEngine(
  dialect: Dialect,
  environment: Environment,
  spoilCallback: (callback: Callback) => Callback,
): Provider {
  const { clients, options, store } = environment;
  const callbackURLs = options.callbackURLs ?? [];
  const engine = new Provider(dialect.issuer, {
    adapter: (model: string) => store.adapter(model),
    // The engine's signatures never leave the emulator: the dialect signs each token again.
    jwks: { keys: [createEngineKey()] },
    clients: [...clients.values()].map(clientMetadata),
    ...authorizationSettings(dialect, store),
    ...tokenSettings(dialect, options),
    ...accountSettings(dialect),
    loadExistingGrant: (context: Context) => grantEverything(engine, context, dialect),
  });
  engine.Client.prototype.redirectUriAllowed = function isRegistered(uri) {
    const own = clients.get(this.clientId)?.callbackURLs;
    return own ? own.includes(uri) : callbackURLs.includes(uri) || isLoopback(uri);
  };
  handleErrors(engine);
  registerResponseModes(engine, ({ iss: _iss, error, error_description, ...payload }, context) => {
    const { error: code, description } = refusalOf(dialect, context, { error, error_description });
    const response = error ? { error: code, error_description: description, ...payload } : payload;
    return spoilCallback({ params: dialect.authorizationResponse(response, context) });
  });
  return engine;
}

function clientMetadata({ id, secret }: RegisteredClient) {
  return {
    client_id: id,
    client_secret: secret,
    // The engine requires one, and asks `redirectUriAllowed`.
    redirect_uris: ['http://localhost/callback'],
    response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    token_endpoint_auth_method: 'client_secret_post',
    id_token_signed_response_alg: 'ES256',
  };
}

function authorizationSettings(dialect: Dialect, store: Store) {
  return {
    routes: {
      authorization: pathOf(dialect.endpoints, 'authorize'),
      token: pathOf(dialect.endpoints, 'token'),
    },
    scopes: [...dialect.scopes],
    responseTypes: ['code'],
    pkce: { required: () => dialect.pkce === 'required' },
    allowOmittingSingleRegisteredRedirectUri: false,
    extraParams: {
      ...Object.fromEntries((dialect.extraParameters ?? []).map((name) => [name, undefined])),
      [CHECK_PARAMETER]: (context: Context) => {
        const refusal = checkRequest(dialect, context);
        if (refusal) throw new errors.CustomOIDCProviderError(refusal.error, refusal.description);
      },
    },
    interactions: {
      url: (_context: Context, { uid }: { uid: string }) => `${SIGN_IN_PATH}/${uid}`,
    },
    cookies: { names: cookieNames(dialect) },
    renderError: (context: Context, failure: Record<string, string>, thrown: EngineError) => {
      rememberError(context, thrown);
      if (thrown instanceof errors.SessionNotFound) {
        return send(context, signInIsOver(dialect, store, context.path.split('/').at(-1)!));
      }
      const { error, description } = refusalOf(dialect, context, failure);
      context.state['page'] = error;
      send(context, pageReply(400, errorPage(dialect.title, error, description)));
    },
  };
}

function tokenSettings(dialect: Dialect, options: EmulatorOptions) {
  const { lifetimeSeconds: seconds } = dialect;
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
          const scopes = dialect.audiences?.[audience];
          if (!scopes) throw new errors.InvalidTarget(`Service not found: ${audience}`);
          return { audience, scope: scopes.join(' '), accessTokenFormat: 'opaque' };
        },
      },
    },
    rotateRefreshToken: () => dialect.rotatesRefreshTokens,
    issueRefreshToken: (_context: Context, _client: unknown, code: { scopes: Set<string> }) =>
      dialect.issuesRefreshToken(code.scopes),
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

function accountSettings(dialect: Dialect) {
  return {
    claims: { openid: ['sub'], ...dialect.claims },
    conformIdTokenClaims: false,
    findAccount: (_context: Context, accountId: string, token?: { kind: string }) => {
      const person = dialect.personOf(accountId);
      // A person who was deactivated after the sign-in gets no tokens.
      const isRefused =
        token?.kind === 'RefreshToken'
          ? !person?.active
          : person && inactive(dialect.refusals, person);
      if (!person || isRefused) return undefined;
      return { accountId, claims: () => ({ sub: accountId, ...dialect.claimsOf?.(person) }) };
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
  function redirect(context: Context, redirectUri: string, { params, isInFragment }: Callback) {
    const url = new URL(redirectUri);
    const place = isInFragment ? new URLSearchParams() : url.searchParams;
    for (const [name, value] of Object.entries(params)) {
      if (value !== undefined) place.set(name, value);
    }
    if (isInFragment) url.hash = place.toString();
    context.status = 302;
    context.redirect(url.href);
  }
  engine.registerResponseMode('emulator_query', (context, redirectUri, payload) =>
    redirect(context, redirectUri, callbackOf(payload, context)),
  );
  engine.registerResponseMode('emulator_form_post', (context, redirectUri, payload) => {
    const callback = callbackOf(payload, context);
    if (callback.isInFragment) return redirect(context, redirectUri, callback);
    send(context, pageReply(200, formPostPage(redirectUri, callback.params)));
  });
}

/** The cookie by which the engine finds a pending sign-in again. It never reaches a browser. */
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

/** The refusal in the provider's words, or in those of the emulator or the engine. */
function refusalOf(
  { refusals }: Dialect,
  { state, oidc }: Context,
  { error = 'invalid_request', error_description: description = '' }: Params,
): Refusal {
  const reason = authorizationReason(state['error'], oidc?.params ?? {});
  return (reason && refusalFor(refusals, reason)) ?? { error, description };
}

/** Checks an authorization request once its client and redirect URI are known to be good. */
function checkRequest(dialect: Dialect, { state, oidc }: Context): Refusal | undefined {
  const { refusals, scopes } = dialect;
  const params = oidc?.params ?? {};
  if (state['isRepeated']) return refusalFor(refusals, { reason: 'authorize.repeated' });
  const asked = (params['scope'] ?? '').split(' ');
  const unknownScope = areAllKnown(asked, scopes)
    ? undefined
    : refusalFor(refusals, { reason: 'authorize.scope' });
  return unknownScope ?? dialect.checkAuthorizationRequest?.(params);
}

function rememberError(context: Context, error: EngineError): void {
  context.state['error'] = error;
}

/** The person who signs in consents to everything that the client asked for. */
async function grantEverything(engine: Provider, context: Context, dialect: Dialect) {
  const { oidc } = context;
  const accountId = oidc?.session?.accountId;
  if (!oidc?.client || !accountId) return undefined;
  const grant = new engine.Grant({ accountId, clientId: oidc.client.clientId });
  grant.addOIDCScope([...oidc.requestParamOIDCScopes].join(' '));
  for (const audience of Object.keys(oidc.resourceServers)) {
    const offered = dialect.audiences?.[audience] ?? [];
    const granted = offered.filter((scope) => oidc.requestParamScopes.has(scope));
    grant.addResourceScope(audience, granted.join(' '));
  }
  const grantId = await grant.save();
  dialect.signedIn?.(grantId, oidc.params ?? {});
  return grant;
}

function createEngineKey() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256', kid: 'engine' };
}
