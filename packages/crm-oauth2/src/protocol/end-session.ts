/** Logout at the provider: the address, or the form, that the browser is sent to (OpenID Connect RP-Initiated Logout 1.0 §2). */
import { ownFields } from '../values/json';
import {
  checkProviderOptions,
  refuseUnknownOptions,
  requireCallbackUrl,
  requireString,
  requireStrings,
} from '../values/options';
import type { TokenSet } from './token-set';

/** A logout at the provider; without any field the provider asks the person. */
export interface EndSessionRequest {
  /** The tokens of the login that ends. They are not sent: the session id of their ID Token is. */
  tokens?: Pick<TokenSet, 'sid' | 'environment'> & { response?: TokenSet['response'] };
  /** Names the session or the person. Default: `sid` of the tokens' ID Token. */
  logoutHint?: string;
  /** Where the browser returns to; registered at the provider, apart from the callback URLs. */
  postLogoutRedirectUri?: string;
  /** Comes back in the query of `postLogoutRedirectUri`. */
  state?: string;
  /** Languages of the provider's pages, such as `pt-BR`, the best first. */
  uiLocales?: string | readonly string[];
}

/** A logout that shows the provider its own ID Token. It may then end the session without a question. */
export interface EndSessionFormRequest extends EndSessionRequest {
  idToken: string;
}

/** A form with `method="post"`, for a page that submits it. */
export interface EndSessionForm {
  action: string;
  /** The hidden inputs, by name. One is the ID Token: write the page for this browser alone. */
  fields: Readonly<Record<string, string>>;
}

const KNOWN = ['tokens', 'logoutHint', 'postLogoutRedirectUri', 'state', 'uiLocales'] as const;

/** Neither stands beside ours in the query of an endpoint. */
const PARAMETERS = [
  'id_token_hint',
  'client_id',
  'logout_hint',
  'post_logout_redirect_uri',
  'state',
  'ui_locales',
];

/** §2: an ID Token in a URL would reach histories and logs. */
const TOKEN_IN_URL = 'a token does not belong in a URL: use buildEndSessionForm';

/**
 * The address that ends the person's session at the provider, for a redirect. It holds no token.
 *
 * @throws {TypeError} for an option that is unknown or of the wrong kind
 */
export function buildEndSessionUrl(
  endpoint: string,
  clientID: string,
  request: EndSessionRequest = {},
): string {
  const owner = 'buildEndSessionUrl';
  refuseUnknownOptions(owner, request, KNOWN, () => ({
    idToken: TOKEN_IN_URL,
    idTokenHint: TOKEN_IN_URL,
  }));
  const url = withoutParameters(endpoint);
  const fields = fieldsOf(owner, clientID, request);
  for (const [name, value] of Object.entries(fields)) url.searchParams.set(name, value);
  return url.href;
}

/**
 * The same as a form, which also carries the ID Token.
 *
 * @throws {TypeError} for an option that is unknown or of the wrong kind
 */
export function buildEndSessionForm(
  endpoint: string,
  clientID: string,
  request: EndSessionFormRequest,
): EndSessionForm {
  const owner = 'buildEndSessionForm';
  refuseUnknownOptions(owner, request, [...KNOWN, 'idToken']);
  const idToken = requireString(owner, 'idToken', ownFields(request).idToken);
  const fields = { id_token_hint: idToken, ...fieldsOf(owner, clientID, request) };
  return { action: withoutParameters(endpoint).href, fields };
}

function fieldsOf(
  owner: string,
  clientID: string,
  request: EndSessionRequest,
): Record<string, string> {
  const own = ownFields(request);
  checkProviderOptions(owner, own, { logoutHint: 'string', state: 'string' });
  const { tokens, postLogoutRedirectUri: uri, uiLocales, state } = own;
  const logoutHint = own.logoutHint ?? (tokens && ownFields(tokens).sid);
  return {
    client_id: clientID,
    ...(logoutHint !== undefined && { logout_hint: logoutHint }),
    ...(uri !== undefined && {
      post_logout_redirect_uri: requireCallbackUrl(owner, 'postLogoutRedirectUri', uri, false),
    }),
    ...(state !== undefined && { state }),
    ...(uiLocales !== undefined && { ui_locales: localesOf(owner, uiLocales) }),
  };
}

function localesOf(owner: string, locales: string | readonly string[]): string {
  const list = typeof locales === 'string' ? [locales] : locales;
  return requireStrings(owner, 'uiLocales', list).join(' ');
}

function withoutParameters(endpoint: string): URL {
  const url = new URL(endpoint);
  for (const name of PARAMETERS) url.searchParams.delete(name);
  return url;
}
