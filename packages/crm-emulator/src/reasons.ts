/** Why a request is refused: read from the engine's error classes and from the request, not from messages. */
import * as errors from 'oidc-provider/lib/helpers/errors.js';
import type { Stored } from 'oidc-provider/lib/provider.js';
import type { Fields } from './engine-request.js';
import { oauthError, type Reply } from './reply.js';

/** The refusal in an authorization response (RFC 6749 §4.1.2.1), or on a page. */
export interface Refusal {
  error: string;
  error_description: string;
}

/** The parameters of an authorization request. */
export type Params = Readonly<Record<string, string | undefined>>;

export type ClientReason = `client.${'unknown' | 'secret' | 'missing' | 'twice'}`;

type AuthorizeReason =
  | `authorize.${'client' | 'redirect-uri' | 'missing' | 'repeated' | 'response-type' | 'scope'}`
  | `authorize.${'audience' | 'challenge' | 'no-challenge' | 'challenge-method' | 'login'}`
  | `authorize.${'immediate' | 'denied' | 'inactive' | 'other'}`;

export type Reason =
  | AuthorizeReason
  | ClientReason
  | `parameter.${'missing' | 'repeated'}`
  | `code.${'unknown' | 'expired' | 'used' | 'redirect-uri' | 'no-verifier' | 'verifier'}`
  | `refresh-token.${'unknown' | 'expired' | 'used'}`
  | 'grant-type'
  | 'client-credentials'
  | 'query'
  | 'scope-parameter'
  | 'inactive'
  | 'scope'
  | 'audience'
  | 'other';

type Group = 'client' | 'parameter' | 'code' | 'refresh-token';

/** The status (302: the callback says it; 400: a page does, or JSON), the error, and words that may hold `{name}`. */
export type Words = readonly [status: number, error: string, description: string];

/**
 * A provider's refusals. The row of a group stands for its reasons without a row, and `other` for any reason
 * of the token endpoint. The authorization endpoint does not refuse for a reason without a row.
 */
export type RefusalTable = Readonly<Partial<Record<Reason | Group, Words>> & { other: Words }>;

export interface Refused {
  reason: Reason;
  /** The parameter, or the value of one. */
  name?: string | undefined;
}

export function wordsOf(table: RefusalTable, { reason, name = '' }: Refused): Words | undefined {
  const [group = ''] = reason.split('.');
  const row = table[reason] ?? table[group as Group];
  const found = row ?? (group === 'authorize' ? undefined : table.other);
  return found && [found[0], found[1], found[2].replace('{name}', () => name)];
}

/** The refusal of an authorization request, if this provider has one for the reason. */
export function refusalFor(table: RefusalTable, refused: Refused): Refusal | undefined {
  const words = wordsOf(table, refused);
  return words && { error: words[1], error_description: words[2] };
}

/** The refusal of any other request. */
export const refusalReply = (table: RefusalTable, refused: Refused): Reply =>
  oauthError(...wordsOf(table, refused)!);

/** Refuses a person who must not sign in. At Salesloft an inactive person may. */
export const inactive = (table: RefusalTable, { active }: { active: boolean }) =>
  active ? undefined : refusalFor(table, { reason: 'authorize.inactive' });

/** RFC 7636 §4.2. */
const CODE_CHALLENGE = /^[\w.~-]{43,128}$/;

/** Undefined when the error is one that the emulator itself has thrown. */
export function authorizationReason(error: unknown, params: Params): Refused | undefined {
  if (error instanceof errors.InvalidClient) return { reason: 'authorize.client' };
  if (error instanceof errors.InvalidRedirectUri) return { reason: 'authorize.redirect-uri' };
  if (error instanceof errors.InvalidScope) return { reason: 'authorize.scope' };
  if (error instanceof errors.InvalidTarget)
    return { reason: 'authorize.audience', name: params['resource'] };
  if (error instanceof errors.LoginRequired) return { reason: 'authorize.login' };
  if (error instanceof errors.UnsupportedResponseType) {
    return { reason: 'authorize.response-type', name: params['response_type'] };
  }
  if (!(error instanceof errors.InvalidRequest)) return undefined;
  const missing = ['client_id', 'redirect_uri', 'response_type'].find((name) => !params[name]);
  if (missing) return { reason: 'authorize.missing', name: missing };
  const { code_challenge: challenge, code_challenge_method: method } = params;
  if (method ? method !== 'S256' : challenge) return { reason: 'authorize.challenge-method' };
  if (!challenge) return { reason: method ? 'authorize.challenge' : 'authorize.no-challenge' };
  return { reason: CODE_CHALLENGE.test(challenge) ? 'authorize.other' : 'authorize.challenge' };
}

/** RFC 6749 §4.1.3, §4.4.2, §6: the parameters that each grant needs. */
const REQUIRED = new Map([
  ['authorization_code', ['code', 'redirect_uri']],
  ['refresh_token', ['refresh_token']],
  ['client_credentials', []],
]);

/** Refuses a token request before the engine reads it. */
export function formRefusal(form: Fields, client: object | ClientReason): Refused | undefined {
  if (Object.values(form).some(Array.isArray)) return { reason: 'parameter.repeated' };
  if (typeof client === 'string') return { reason: client };
  if (!form['grant_type']) return { reason: 'parameter.missing', name: 'grant_type' };
  const required = REQUIRED.get(String(form['grant_type']));
  if (!required) return { reason: 'grant-type' };
  const missing = required.find((name) => !form[name]);
  return missing === undefined ? undefined : { reason: 'parameter.missing', name: missing };
}

/** @param stored the code or refresh token, as it was before the request, if it is one of this client */
export function tokenReason(
  error: unknown,
  form: Fields,
  stored: Stored | undefined,
  isActive: boolean,
): Reason {
  if (error instanceof errors.InvalidScope) return 'scope';
  if (error instanceof errors.InvalidTarget) return 'audience';
  // The engine refuses the form of a code verifier so, and the wrong value of it with a cause.
  if (error instanceof errors.InvalidRequest && form['code_verifier']) return 'code.verifier';
  if (!(error instanceof errors.InvalidGrant)) return 'other';
  const isRefresh = form['grant_type'] === 'refresh_token';
  const kind = isRefresh ? 'refresh-token' : 'code';
  if (!stored) return `${kind}.unknown`;
  if (Number(stored['exp']) <= Date.now() / 1000) return `${kind}.expired`;
  if (error.cause) return form['code_verifier'] ? 'code.verifier' : 'code.no-verifier';
  if (!isRefresh && stored['redirectUri'] !== form['redirect_uri']) return 'code.redirect-uri';
  if (isRefresh && !isActive) return 'inactive';
  if (stored['consumed'] !== undefined) return `${kind}.used`;
  return isActive ? `${kind}.unknown` : 'inactive';
}
