/** A Salesforce org, and the form of its tokens and codes, which wrap those of the engine. */
import type { Stored } from 'oidc-provider/lib/provider.js';
import type { Environment } from '../dialect.js';
import type { KeyRing } from '../keys.js';
import type { CompletePerson, People } from '../people.js';
import type { Store } from '../store.js';
import { scopesOf } from '../values.js';

/** Where people log in, where the API is, and who signs ID Tokens. The org can move. */
export type Origins = Record<'login' | 'org' | 'issuer', string>;

export interface Org extends Environment {
  origins: Origins;
  people: People;
  /** The keys of the issuer. */
  keys: KeyRing;
  /** The keys that the origins other than the issuer publish. */
  otherKeys: KeyRing;
}

const REFRESH_TOKEN_PREFIX = '5Aep861.';

/** An access token is a session: the 15-character organization id, `!`, and the secret part. */
export function wrapAccessToken({ organizationId }: CompletePerson, engineToken: string): string {
  return `${organizationId.slice(0, 15)}!AQEA.${engineToken}`;
}

export function unwrapAccessToken(token: string): string | undefined {
  return /^00D\w{12}!AQEA\.(.+)$/.exec(token)?.[1];
}

/** The live session behind an access token. */
export function sessionOf(
  store: Store,
  token: string,
): { entry: Stored; scopes: ReadonlySet<string> } | undefined {
  const entry = store.findLive('AccessToken', unwrapAccessToken(token) ?? '');
  return entry && { entry, scopes: scopesOf(entry['scope']) };
}

export const wrapRefreshToken = (engineToken: string): string => REFRESH_TOKEN_PREFIX + engineToken;

/** A value without the prefix becomes one that the engine does not know. */
export function unwrapRefreshToken(token: string): string {
  return token.startsWith(REFRESH_TOKEN_PREFIX)
    ? token.slice(REFRESH_TOKEN_PREFIX.length)
    : 'no-refresh-token';
}

/** Codes end in `==`, so that a client which does not encode them is noticed. */
export const wrapCode = (engineCode: string): string => `aPrx${engineCode}==`;

export const unwrapCode = (code: string): string => /^aPrx(.+)==$/.exec(code)?.[1] ?? 'no-code';
