/** `POST /logout` and `POST /logout/provider`: the end of a login here, or here and at the provider. */
import { isOAuth2Error } from 'crm-oauth2';
import { Router } from 'express';
import type { Request, RequestHandler } from 'express';
import type { Accounts } from './accounts';
import { revokeTokens } from './disconnect';
import type { Logger } from './log';
import type { Logins } from './strategies';

/** Says where the browser goes once the person is logged out here. */
type Leave = (person: Pick<Request, 'user' | 'session'>) => Promise<string>;

export function logoutRoutes(logins: Logins, accounts: Accounts, log: Logger): Router {
  const here: Leave = () => Promise.resolve('/?loggedOut');

  const atProvider: Leave = async ({ user, session }) => {
    if (!user) return '/?loggedOut';
    const { logoutURL } = session.logins?.[user.connection] ?? {};
    const connection = await accounts.connection(user, user.connection);
    try {
      if (connection) await revokeTokens(connection, logins, accounts);
      return logoutURL ?? `/?loggedOut=${user.provider}`;
    } catch (error) {
      if (!isOAuth2Error(error)) throw error;
      log.error(`logout failed: ${error.code}: ${error.message}`);
      return '/?loggedOut=unrevoked';
    }
  };

  const logOut =
    (leave: Leave): RequestHandler =>
    (req, res, next) => {
      const { user, session } = req;
      // The session ends first, whatever the provider answers.
      req.logout((error) => {
        if (error) next(error);
        else leave({ user, session }).then((url) => res.redirect(303, url), next);
      });
    };

  return Router().post('/', logOut(here)).post('/provider', logOut(atProvider));
}
