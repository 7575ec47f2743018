/** Reads the engine's error messages, so that each provider can refuse in its own words. */

type Kind =
  | `client-${'unknown' | 'secret' | 'missing' | 'twice'}`
  | `parameter-${'missing' | 'repeated'}`
  | `grant-type-${'unsupported' | 'not-allowed'}`
  | `code-${'unknown' | 'expired' | 'used'}`
  | `verifier-${'missing' | 'wrong'}`
  | `refresh-token-${'unknown' | 'expired' | 'used'}`
  | 'redirect-uri-differs'
  | 'person-inactive'
  | 'scope'
  | 'audience'
  | 'other';

/** Why the engine refused a token request. */
export interface TokenErrorReason {
  kind: Kind;
  /** The parameter that is missing. */
  name: string;
}

/** A provider's words for each reason. */
export type TokenErrors<Words> = Readonly<Record<Kind, Words>>;

interface EngineRefusal {
  error: string;
  description: string;
  /** For developers only: the engine does not send it. */
  detail: string;
  grantType: string;
}

/** In order: a later pattern also matches messages of an earlier one. */
const MESSAGES: readonly [RegExp, Kind][] = [
  [/client not found/, 'client-unknown'],
  [/invalid secret|mechanism does not match/, 'client-secret'],
  [/only be provided using one mechanism/, 'client-twice'],
  [/no client authentication mechanism|authorization header|client_id mismatch/, 'client-missing'],
  [/must not be provided twice/, 'parameter-repeated'],
  [/grant type is not allowed/, 'grant-type-not-allowed'],
  [/unsupported grant_type/, 'grant-type-unsupported'],
  [/code_verifier must be provided/, 'verifier-missing'],
  [/code_verifier/, 'verifier-wrong'],
  [/referenced account not found/, 'person-inactive'],
  [/redirect_uri mismatch/, 'redirect-uri-differs'],
  [/refresh_token client mismatch/, 'refresh-token-unknown'],
  [/client mismatch/, 'code-unknown'],
  [/authorization code is expired/, 'code-expired'],
  [/authorization code already consumed/, 'code-used'],
  [/authorization code|grant not found/, 'code-unknown'],
  [/refresh token is expired/, 'refresh-token-expired'],
  [/refresh token already used/, 'refresh-token-used'],
  [/refresh token missing requested/, 'scope'],
  [/refresh token/, 'refresh-token-unknown'],
];

export function tokenErrorReason({
  error,
  description,
  detail,
  grantType,
}: EngineRefusal): TokenErrorReason {
  const name = missingParameter(description);
  if (name) return { kind: 'parameter-missing', name };
  const message = `${description} ${grantType} ${detail}`;
  const known = MESSAGES.find(([pattern]) => pattern.test(message))?.[1];
  const kind =
    error === 'invalid_target' ? 'audience' : error === 'invalid_scope' ? 'scope' : 'other';
  return { kind: known ?? kind, name: '' };
}

/** The first parameter that the engine misses, or undefined when it refused for another reason. */
export function missingParameter(description: string): string | undefined {
  return /missing required parameters? '(\w+)'/.exec(description)?.[1];
}

/** RFC 7636 §4.4.1: tells whether the engine refused because no code challenge was sent. */
export function isCodeChallengeMissing(description: string): boolean {
  return description.includes('policy requires PKCE');
}
