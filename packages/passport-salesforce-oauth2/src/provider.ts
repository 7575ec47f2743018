/** Salesforce: its facts, each with its source. */
import { Problem, defineProvider, isLoopback, text } from 'crm-oauth2/provider';
import type { CodesOf, Endpoints } from 'crm-oauth2/provider';
import { hints, meanings, refusals } from './errors';
import { parseIdentityUrl, parseUrl, readOrganizationId, sameIds, to18 } from './ids';
import type { Identity } from './ids';
import { hasSalesforceName, isIdentityHost, isSameOwner } from './hosts';
import { DEFAULT_LOGIN_URL, ENDPOINT_OPTIONS, isMyDomain, judgeLoginURL } from './login-choice';
import { loginOrigin, requireLoginHost } from './login-origin';
import { mapProfile, saysEnough } from './profile';
import type { SalesforceProfile } from './profile';
import { checkSignature } from './signature';

/** Options of Salesforce beside the common ones. */
export interface SalesforceOptions {
  /**
   * Where people sign in; every endpoint is derived from it. `https://test.salesforce.com` for a
   * sandbox, `https://NAME.my.salesforce.com` for a My Domain, or an Experience Cloud site. Of any
   * page of an org, the My Domain is taken. Default: `https://login.salesforce.com`.
   */
  loginURL?: string;
  /**
   * Addresses that one login may choose beside those of Salesforce itself (login, test and each My
   * Domain): Experience Cloud sites, custom domains, an emulator. Compared exactly, but for slashes at
   * the end. Default: none.
   */
  allowedLoginURLs?: readonly string[];
  /**
   * `'id_token'`: the verified ID Token makes the profile where it has `name` and `email`, and the login
   * takes one request less. For that, the app includes standard claims in ID Tokens (Setup); an ID
   * Token that lacks them, and a client without a secret, take the identity URL. Default: `'identity_url'`.
   */
  profileFrom?: 'identity_url' | 'id_token';
  /** The authorization endpoint. Default: at `loginURL`. */
  authorizationURL?: string;
  /** The token endpoint; the endpoints of revocation and introspection are beside it. Default: at `loginURL`. */
  tokenURL?: string;
  /** The UserInfo endpoint. Default: at `loginURL`. */
  userInfoURL?: string;
  /** The keys of ID Tokens. Default: at `loginURL`. */
  jwksURL?: string;
}

declare module 'crm-oauth2/provider' {
  interface ProviderErrorCodes extends Record<CodesOf<typeof hints>, unknown> {}
}

/**
 * Salesforce: OAuth 2.0 whose token response is signed with the consumer secret and names the
 * person by an identity URL, with OpenID Connect on top. Checked 2026-08.
 *
 * @see https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_web_server_flow.htm
 * @see https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_using_openid.htm
 */
export const salesforce = defineProvider<SalesforceOptions, SalesforceProfile>({
  name: 'salesforce',
  title: 'Salesforce',
  options: {
    loginURL: 'string',
    allowedLoginURLs: 'strings',
    profileFrom: 'string',
    authorizationURL: 'url',
    tokenURL: 'url',
    userInfoURL: 'url',
    jwksURL: 'url',
  },
  endpoints: (options) => {
    const { loginURL = DEFAULT_LOGIN_URL, allowedLoginURLs = [] } = options;
    const { authorizationURL, tokenURL, userInfoURL, jwksURL } = options;
    const base = loginOrigin(loginURL);
    requireProfileSource(options.profileFrom);
    for (const [at, entry] of allowedLoginURLs.entries()) {
      loginOrigin(entry, `allowedLoginURLs[${at}]`);
    }
    for (const name of ENDPOINT_OPTIONS) {
      if (options[name] !== undefined) requireLoginHost(name, options[name]);
    }
    const tokenEndpoint = tokenURL ?? `${base}/services/oauth2/token`;
    return {
      issuer: base,
      authorizationEndpoint: authorizationURL ?? `${base}/services/oauth2/authorize`,
      tokenEndpoint,
      userInfoEndpoint: userInfoURL ?? `${base}/services/oauth2/userinfo`,
      jwksUri: jwksURL ?? `${base}/id/keys`,
      // Beside the token endpoint, which may be another host's.
      revocationEndpoint: new URL('revoke', tokenEndpoint).href,
      introspectionEndpoint: new URL('introspect', tokenEndpoint).href,
      ...logoutAt(base),
    };
  },
  environment: { loginURL: judgeLoginURL },
  scope: ['openid', 'id', 'profile', 'email'],
  offlineScopes: ['refresh_token'],
  // Answered by 400 "scope parameter not supported", on a refresh too.
  scopeInTokenRequests: false,
  idToken: 'when present',
  authorizationParameters: {
    prompt: 'prompt',
    loginHint: 'login_hint',
    display: 'display',
    immediate: 'immediate',
    ssoProvider: 'sso_provider',
  },
  refusals,
  meanings,
  hints,
  // An org behind login.salesforce.com issues under its own My Domain: the host of `id`, which the
  // signature covers, or of `instance_url`. Its ID Token must name the person of `id`: see `subject`.
  idTokenIssuers: (response, { endpoints }) => {
    const identity = parseIdentityUrl(response.id);
    const hosts = identity ? [identity.url, parseUrl(response.instance_url)] : [];
    const trusted = hosts.filter((url) => url && isIdentityHost(url, endpoints)) as URL[];
    return [endpoints.issuer ?? '', ...trusted.map(({ origin }) => origin)];
  },
  keysOf: (issuer, { options, endpoints }) =>
    issuer === endpoints.issuer ? undefined : (options.jwksURL ?? `${issuer}/id/keys`),
  trustsIssuer: (iss, { endpoints }) => {
    const url = parseUrl(iss);
    // A code may go to Salesforce, whichever org names itself. Another server would get it too late
    // to be refused, so a custom domain is compared only.
    return url?.origin === iss && isSameOwner(url, new URL(endpoints.tokenEndpoint));
  },
  // No `expires_in`: a token is a session, which ends after two hours of rest unless the org says
  // otherwise (15 minutes to 24 hours).
  assumedLifetime: 7200,
  // The preset for apps that several organizations use, since 2026.
  refreshTokenLifetime: { idle: 30 * 86_400 },
  subject: ({ response, claims }) => {
    const identity = parseIdentityUrl(response.id);
    if (identity && claims && !isSamePerson(claims.sub, identity)) {
      throw new Problem(
        'subject_mismatch',
        'the ID Token is of another person than the identity URL',
      );
    }
    return identity && `${to18(identity.organizationId)}/${to18(identity.userId)}`;
  },
  organizationsOf: ({ tokens }) => {
    const id = parseIdentityUrl(tokens.response.id)?.organizationId;
    return id === undefined ? [] : [to18(id)];
  },
  readOrganization: readOrganizationId,
  // login.salesforce.com may refuse tokens of an org that signs in at its My Domain only.
  organizationEndpoints: (response, { endpoints }) => {
    if (response.instance_url === undefined) return {};
    const { origin } = instanceOf(response.instance_url, endpoints);
    return {
      revocationEndpoint: `${origin}/services/oauth2/revoke`,
      introspectionEndpoint: `${origin}/services/oauth2/introspect`,
      // The person of a site has a session there, and none at the host of the APIs.
      ...(isSite(endpoints.issuer ?? '') ? {} : logoutAt(origin)),
    };
  },
  // Said while another process refreshes with the same token, which is then not used up by this one.
  tokenError: ({ error_description: words }) => {
    const description = text(words) ?? '';
    return /already being processed/i.test(description)
      ? { code: 'token_request_in_progress', description, retryAfterSeconds: 0.5 }
      : undefined;
  },
  rateLimit: (header) => {
    // `per-app-api-usage` is another figure.
    const [, used, limit] =
      /(?:^|[;,\s])api-usage=(\d+)\/(\d+)/.exec(header('sforce-limit-info') ?? '') ?? [];
    if (used === undefined || limit === undefined) return {};
    return { limit: Number(limit), remaining: Math.max(0, Number(limit) - Number(used)) };
  },
  checkTokenResponse: (response, { options, grantType }) => {
    const login = grantType === 'authorization_code';
    if (options.clientSecret !== undefined && (login || response.signature !== undefined)) {
      checkSignature(response, options.clientSecret);
    }
    if (login && typeof response.id !== 'string') {
      throw new Problem('identity_url_missing', 'the token response has no "id"');
    }
  },
  // Applications send the token to the host of either.
  untrustedFields: (response, { endpoints }) =>
    ['instance_url', 'api_instance_url'].filter((name) => {
      const url = parseUrl(response[name]);
      return response[name] !== undefined && !(url && isIdentityHost(url, endpoints));
    }),
  profileRequest: ({ response, claims }, { options, endpoints }) => {
    // The secret has proved the token response, whose `id` the ID Token must name: see `subject`.
    const isProved = options.clientSecret !== undefined && response.id !== undefined;
    if (options.profileFrom === 'id_token' && isProved && saysEnough(claims)) return undefined;
    const isTrustedHost = (url: URL) => isIdentityHost(url, endpoints);
    // Only without a login, when all there is is an access token.
    if (response.id === undefined) {
      return { url: endpoints.userInfoEndpoint ?? '', trusts: isTrustedHost };
    }

    const identity = parseIdentityUrl(response.id);
    if (!identity || !isTrustedHost(identity.url)) {
      throw new Problem('untrusted_host', 'the identity URL is not one of Salesforce');
    }
    const url = atInstance(identity, response.instance_url, endpoints);
    url.search = '?format=json&version=latest';
    return {
      url,
      // A redirect may lead to another host of Salesforce, to the same person's identity only.
      trusts: (target) => isTrustedHost(target) && isSamePerson(target.href, identity),
    };
  },
  mapProfile,
});

/** @throws {TypeError} */
function requireProfileSource(profileFrom: unknown): void {
  if (profileFrom === undefined || profileFrom === 'identity_url' || profileFrom === 'id_token')
    return;
  throw new TypeError('Salesforce: option "profileFrom" must be "identity_url" or "id_token"');
}

/** The single logout of OpenID Connect; login, test and the hosts of instances have none. */
function logoutAt(base: string): Pick<Endpoints, 'endSessionEndpoint'> {
  const { origin, hostname } = new URL(base);
  const hasLogout = isMyDomain(origin) || isLoopback(hostname) || isSite(base);
  return hasLogout ? { endSessionEndpoint: `${base}/services/auth/idp/oidc/logout` } : {};
}

/** An Experience Cloud site, under its own domain or that of Salesforce. */
function isSite(base: string): boolean {
  const { hostname } = new URL(base);
  return (
    hostname.endsWith('.my.site.com') || !(isLoopback(hostname) || hasSalesforceName(hostname))
  );
}

function isSamePerson(id: string, identity: Identity): boolean {
  const other = parseIdentityUrl(id);
  return other !== undefined && sameIds(other, identity);
}

/**
 * The identity URL at the instance's host: login.salesforce.com may only redirect there, so it is
 * not asked. The path of a site stays behind with its host.
 */
function atInstance(identity: Identity, instanceUrl: unknown, endpoints: Endpoints): URL {
  const { url, organizationId, userId } = identity;
  const { origin } = instanceUrl === undefined ? url : instanceOf(instanceUrl, endpoints);
  return origin === url.origin ? new URL(url) : new URL(`/id/${organizationId}/${userId}`, origin);
}

/** @throws {Problem} `untrusted_host` */
function instanceOf(instanceUrl: unknown, endpoints: Endpoints): URL {
  const instance = parseUrl(instanceUrl);
  if (instance && isIdentityHost(instance, endpoints)) return instance;
  throw new Problem('untrusted_host', 'the instance URL is not one of Salesforce');
}
