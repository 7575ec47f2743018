/** A person whose tokens are in a store under test. */
import { OAuth2Client, isOAuth2Error, userTokens } from 'crm-oauth2';
import type { TokenSet, TokenStore, UserTokens } from 'crm-oauth2';
import { salesloft } from 'passport-salesloft';

export const SECRET = 'a secret of the store, of 32 characters and more';
export const PERSON = 'person-48201';

export const TOKENS: TokenSet = Object.freeze({
  accessToken: 'access-token-of-the-person',
  refreshToken: 'refresh-token-of-the-person',
  tokenType: 'Bearer',
  expiresAt: Date.now() + 3_600_000,
  scope: 'scope-of-the-person',
  response: { instance_url: 'https://instance.example' },
});

export interface PersonOptions {
  key?: string;
  /** Milliseconds for each answer of the store and of the provider. */
  timeout?: number;
  tokenURL?: string;
}

export function personIn(store: TokenStore, options: PersonOptions = {}): UserTokens {
  const { key = PERSON, timeout = 5000, ...urls } = options;
  const client = new OAuth2Client(salesloft, {
    clientID: 'id',
    clientSecret: 'secret',
    timeout,
    ...urls,
  });
  return userTokens(client, { store, key });
}

/** The code of an error of this family. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    (value) => new Error(`should have been refused, but gave ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (!isOAuth2Error(error)) throw error;
  return error.code;
}

/** Everything that a row shows, also after the decoding of what looks encoded. */
export function seenIn(rows: readonly unknown[]): string {
  const texts = JSON.stringify(rows);
  const parts = texts.split(/[^\w-]+/);
  const decoded = parts.flatMap((part) =>
    (['base64url', 'hex'] as const).map((encoding) => Buffer.from(part, encoding).toString()),
  );
  return [texts, ...decoded].join('\n');
}
