/** SalesOS: its facts, each with its source. */
import { Problem, defineProvider, namesPerson, text, wholeNumber } from 'crm-oauth2/provider';
import type { CodesOf } from 'crm-oauth2/provider';
import { hints, meanings, refusals } from './errors';
import { mapProfile } from './profile';
import type { SalesosProfile } from './profile';

/** Options of SalesOS beside the common ones. */
export interface SalesosOptions {
  /**
   * The host people sign in at; of any page there, the host is taken. Every endpoint is derived from it.
   * Default: `https://auth.play2sell.com/`.
   */
  issuer?: string;
  /** The API that the access token is for. Default: `https://api.play2sell.com`. */
  audience?: string;
  /** The authorization endpoint. Default: at `issuer`. */
  authorizationURL?: string;
  /** The token endpoint; the revocation endpoint is at its host. Default: at `issuer`. */
  tokenURL?: string;
  /** The UserInfo endpoint. Default: at `issuer`. */
  userInfoURL?: string;
  /** The keys of ID Tokens. Default: at `issuer`. */
  jwksURL?: string;
  /** Ask `/userinfo` at every login, instead of only when the ID Token has no profile in it. Default: `false`. */
  userInfo?: boolean;
}

/** Hosts of SalesOS and of Auth0 that have pages or the API, and sign no one in. */
const NO_LOGIN = /^(?:(?:www|api|app|docs)\.)?play2sell\.com$|^(?:(?:www|manage)\.)?auth0\.com$/;

/**
 * Auth0 tenants issue at the root of their host, with a slash (RFC 8414 §2: compared as it is).
 *
 * @throws {TypeError} for a host that signs no one in
 */
function issuerOf(issuer: string): string {
  const { origin, hostname } = new URL(issuer);
  if (!NO_LOGIN.test(hostname)) return `${origin}/`;
  throw new TypeError(
    'SalesOS: option "issuer" is a host at which no one signs in; write https://auth.play2sell.com/',
  );
}

/** Auth0 begins each id so; names are in lower case. */
function isOrganizationId(organization: string): boolean {
  return organization.startsWith('org_');
}

/** A link may have asked for any text: only a name that Auth0 can have given is repeated. */
function shown(organization: string): string {
  return /^[\w -]{1,100}$/.test(organization) ? organization : 'another organization';
}

declare module 'crm-oauth2/provider' {
  interface ProviderErrorCodes extends Record<CodesOf<typeof hints>, unknown> {}
}

/**
 * SalesOS (Play2Sell): OpenID Connect by an Auth0 tenant on its own domain. Checked 2026-08.
 *
 * Newer pages of SalesOS describe API keys and signed requests for its data API; a login rests on
 * Auth0 alone and never asks that API.
 *
 * @see https://docs.play2sell.com/api/authentication
 * @see https://auth0.com/docs/api/authentication
 */
export const salesos = defineProvider<SalesosOptions, SalesosProfile>({
  name: 'salesos',
  title: 'SalesOS',
  options: {
    issuer: 'url',
    audience: 'string',
    authorizationURL: 'url',
    tokenURL: 'url',
    userInfoURL: 'url',
    jwksURL: 'url',
    userInfo: 'boolean',
  },
  endpoints: (options) => {
    const { issuer = 'https://auth.play2sell.com/', authorizationURL } = options;
    const { tokenURL, userInfoURL, jwksURL } = options;
    const base = issuerOf(issuer);
    const tokenEndpoint = tokenURL ?? `${base}oauth/token`;
    return {
      issuer: base,
      authorizationEndpoint: authorizationURL ?? `${base}authorize`,
      tokenEndpoint,
      userInfoEndpoint: userInfoURL ?? `${base}userinfo`,
      jwksUri: jwksURL ?? `${base}.well-known/jwks.json`,
      // Refresh tokens only: Auth0's access tokens live until they expire.
      revocationEndpoint: new URL('/oauth/revoke', tokenEndpoint).href,
      // Where the session is: at the host that the person signed in at.
      endSessionEndpoint: `${base}oidc/logout`,
    };
  },
  scope: ['openid', 'profile', 'email'],
  offlineScopes: ['offline_access'],
  tokenRequestFormat: 'json',
  idToken: 'required',
  authorizationParameters: {
    prompt: 'prompt',
    loginHint: 'login_hint',
    organization: 'organization',
    invitation: 'invitation',
    connection: 'connection',
    screenHint: 'screen_hint',
    uiLocales: 'ui_locales',
    acrValues: 'acr_values',
    audience: 'audience',
  },
  refusals,
  meanings,
  hints,
  requestParameters: (request, { options }): Readonly<Record<string, string>> =>
    request === 'authorization' || request === 'client_credentials'
      ? { audience: options.audience ?? 'https://api.play2sell.com' }
      : {},
  // Auth0's default with rotation, which a refresh does not extend.
  refreshTokenLifetime: { absolute: 30 * 86_400 },
  // https://auth0.com/docs/manage-users/organizations/using-tokens
  boundParameters: ['organization'],
  checkIdToken: (claims, { organization = '' }) => {
    // Auth0 writes names in lower case.
    const [claim, wanted] = isOrganizationId(organization)
      ? [claims.org_id, organization]
      : [claims.org_name, organization.toLowerCase()];
    if (claim !== wanted) {
      const [asked, came] = [organization, text(claim) ?? 'no organization'].map(shown);
      const words = `the login asked for ${asked}, and the ID Token is of ${came}`;
      throw new Problem('id_token_organization', words, { refusal: 403 });
    }
  },
  // The claims alone: `/userinfo` says no more. A name that looks like an id would pass for one.
  organizationsOf: ({ tokens: { claims } }) => {
    const id = text(claims?.org_id) ?? '';
    const name = text(claims?.org_name)?.toLowerCase();
    const names = name === undefined || isOrganizationId(name) ? [] : [name];
    return isOrganizationId(id) ? [id, ...names] : names;
  },
  readOrganization: (entry) => {
    if (isOrganizationId(entry)) return /^org_\w+$/.test(entry) ? entry : undefined;
    const name = entry.toLowerCase();
    return /^[\w-]+$/.test(name) && !isOrganizationId(name) ? name : undefined;
  },
  // https://auth0.com/docs/troubleshoot/customer-support/operational-policies/rate-limit-policy
  rateLimit: (header) => {
    const reset = wholeNumber(header('x-ratelimit-reset'));
    return {
      limit: wholeNumber(header('x-ratelimit-limit')),
      remaining: wholeNumber(header('x-ratelimit-remaining')),
      resetsAt: reset === undefined ? undefined : reset * 1000,
    };
  },
  profileRequest: ({ claims }, { options, endpoints }) =>
    options.userInfo || !namesPerson(claims)
      ? { url: endpoints.userInfoEndpoint ?? '' }
      : undefined,
  mapProfile,
});
