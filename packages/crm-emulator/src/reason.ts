/** Why the engine refused a token request: its own words, sorted. */
export type Reason =
  | { kind: 'client-unknown' | 'client-secret' | 'client-missing' | 'client-twice' }
  | { kind: 'parameter-missing'; names: string[] }
  | { kind: 'parameter-repeated' }
  | { kind: 'grant-type-unsupported' | 'grant-type-not-allowed' }
  | { kind: 'code-unknown' | 'code-expired' | 'code-used' | 'redirect-uri-differs' }
  | { kind: 'verifier-missing' | 'verifier-wrong' }
  | { kind: 'refresh-token-unknown' | 'refresh-token-expired' | 'refresh-token-used' }
  | { kind: 'scope' | 'audience' | 'other' };

interface Refused {
  error: string;
  description: string;
  detail: string;
}

const WORDS: readonly [RegExp, Reason['kind']][] = [
  [/client not found/, 'client-unknown'],
  [/invalid secret|mechanism does not match/, 'client-secret'],
  [/only be provided using one mechanism/, 'client-twice'],
  [/no client authentication mechanism|authorization header|client_id mismatch/, 'client-missing'],
  [/must not be provided twice/, 'parameter-repeated'],
  [/grant type is not allowed/, 'grant-type-not-allowed'],
  [/unsupported grant_type/, 'grant-type-unsupported'],
  [/code_verifier must be provided/, 'verifier-missing'],
  [/code_verifier/, 'verifier-wrong'],
  [/redirect_uri mismatch/, 'redirect-uri-differs'],
  [/authorization code is expired/, 'code-expired'],
  [/authorization code already consumed/, 'code-used'],
  [/authorization code|grant not found/, 'code-unknown'],
  [/refresh token is expired/, 'refresh-token-expired'],
  [/refresh token already used/, 'refresh-token-used'],
  [/refresh token missing requested/, 'scope'],
  [/refresh token/, 'refresh-token-unknown'],
];

export function reasonFor({ error, description, detail }: Refused): Reason {
  const words = `${description} ${detail}`;
  const missing = /missing required parameters? (.+)/.exec(description);
  if (missing?.[1]) {
    return {
      kind: 'parameter-missing',
      names: [...missing[1].matchAll(/'(\w+)'/g)].map(([, name]) => name ?? ''),
    };
  }
  const known = WORDS.find(([pattern]) => pattern.test(words));
  if (known) return { kind: known[1] } as Reason;
  if (error === 'invalid_target') return { kind: 'audience' };
  if (error === 'invalid_scope') return { kind: 'scope' };
  return { kind: 'other' };
}
