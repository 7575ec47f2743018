/** The end of this site's access to an account at a CRM. */
import type { Accounts, Connection } from './accounts';
import type { Logins } from './strategies';

/**
 * Ends the grant at the provider, and forgets the tokens.
 *
 * @throws {OAuth2Error} when the provider does not answer. The tokens are then kept, so that it can be asked
 * again
 */
export async function revokeTokens(
  connection: Connection,
  { tokensOf }: Pick<Logins, 'tokensOf'>,
  accounts: Accounts,
): Promise<void> {
  const tokens = tokensOf(connection);
  // SalesOS revokes refresh tokens only: its access tokens just end.
  if (connection.provider === 'salesos' && !connection.has_refresh_token) await tokens.delete();
  else await tokens.revoke();
  await accounts.noteRevoked(connection);
}
