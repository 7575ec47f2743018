import type { Stored } from 'oidc-provider/lib/provider.js';
import type { Environment } from '../dialect.js';
import type { Resident } from '../people.js';
import { scopesOf } from '../text.js';

/** Access tokens are sessions: the 15-character organization id, `!`, and the secret part. */
export function wrapSession({ organizationId }: Resident, value: string): string {
  return `${organizationId.slice(0, 15)}!AQEA.${value}`;
}

export function storedSession(token: string): string | undefined {
  return /^00D\w{12}!AQEA\.(.+)$/.exec(token)?.[1];
}

/** The live session behind an access token. */
export function sessionOf(
  { store }: Environment,
  token: string,
): { entry: Stored; scopes: ReadonlySet<string> } | undefined {
  const value = storedSession(token);
  const entry = value === undefined ? undefined : store.findLive('AccessToken', value);
  return entry && { entry, scopes: scopesOf(entry['scope']) };
}

export function refreshTokenValue(token: string, prefix: string): string {
  return token.startsWith(prefix) ? token.slice(prefix.length) : 'no-refresh-token';
}
