/** The actions on a connection: call, refresh, sign out, disconnect; and the end of the account. */
import { isOAuth2Error } from 'crm-oauth2';
import { Router } from 'express';
import type { Request, RequestHandler, Response } from 'express';
import { AccountProblem } from './accounts';
import type { Accounts, Connection } from './accounts';
import { apiOf, callOf } from './api-calls';
import { resultPage } from './connections-page';
import { revokeTokens } from './disconnect';
import type { Logger } from './log';
import { accountProblemPage, notFoundPage } from './pages';
import type { ProviderName } from './providers';
import type { Logins } from './strategies';
import { tokenFacts } from './user';
import type { User } from './user';

export interface Parts {
  logins: Logins;
  accounts: Accounts;
  log: Logger;
  /** The origins of providers that are emulated. */
  emulated: Partial<Record<ProviderName, string>>;
}

interface Found {
  user: User;
  connection: Connection;
  req: Request;
  res: Response;
}

export function connectionActions(parts: Parts): Router {
  const router = Router();
  const { logins, accounts, emulated } = parts;
  const action = (path: string, run: (found: Found) => Promise<void>) =>
    router.post(`/connections/:id/${path}`, onOwnConnection(parts, run));

  action('refresh', async ({ connection, res }) => {
    const tokens = await logins.tokensOf(connection).refresh();
    await accounts.noteTokens(connection, tokenFacts(tokens));
    res.redirect(303, `/profile?done=refreshed#${connection.id}`);
  });

  action('calls/:call', async ({ user, connection, req, res }) => {
    const provider = connection.provider as ProviderName;
    const call = callOf(provider, req.params.call);
    if (!call) {
      res.redirect(303, '/profile');
      return;
    }
    const tokens = logins.tokensOf(connection);
    // Refreshes the tokens first if they are old, and once more if the API refuses them.
    const rows = await call.run(apiOf(provider, tokens, emulated));
    await accounts.noteUse(connection, tokenFacts(await tokens.getTokens()));
    res.send(resultPage(user, connection, call.label, rows));
  });

  action('logout', ({ connection, req, res }) => {
    const { logoutURL } = req.session.logins?.[connection.id] ?? {};
    res.redirect(303, logoutURL ?? '/profile');
    return Promise.resolve();
  });

  action('disconnect', async ({ user, connection, res }) => {
    if ((await accounts.connections(user)).length === 1) {
      throw new AccountProblem('last_connection');
    }
    await revokeTokens(connection, logins, accounts);
    await accounts.remove(user, connection.id);
    res.redirect(303, '/profile?done=disconnected');
  });

  router.post('/account/delete', (req, res, next) => {
    const { user } = req;
    if (!user) return res.redirect(303, '/');
    const end = (wasRevoked: boolean) =>
      req.logout((error) => {
        if (error) next(error);
        else res.redirect(303, `/?loggedOut=${wasRevoked ? 'deleted' : 'deleted-unrevoked'}`);
      });
    return deleteAccount(user, parts).then(end, next);
  });

  return router;
}

/** Finds the connection of the address, if it is one of the account. A failure of the CRM is kept with it. */
function onOwnConnection(
  { accounts, log }: Parts,
  run: (found: Found) => Promise<void>,
): RequestHandler<{ id: string }> {
  const handle = async (req: Request<{ id: string }>, res: Response) => {
    const { user } = req;
    if (!user) {
      res.redirect(303, '/?returnTo=/profile');
      return;
    }
    const connection = await accounts.connection(user, req.params.id);
    if (!connection) {
      res.status(404).send(notFoundPage(user));
      return;
    }
    try {
      await run({ user, connection, req, res });
    } catch (error) {
      if (error instanceof AccountProblem) {
        res.status(409).send(accountProblemPage(error.code, connection.provider, user));
        return;
      }
      if (!isOAuth2Error(error)) throw error;
      // The page says what failed, and the remedy.
      log.error(`${connection.provider} failed: ${error.code}: ${error.message}`);
      await accounts.noteError(connection, error);
      res.redirect(303, `/profile?done=failed#${connection.id}`);
    }
  };
  return (req, res, next) => {
    handle(req, res).catch(next);
  };
}

/** @returns whether every provider has taken its access back */
async function deleteAccount(user: User, { logins, accounts, log }: Parts): Promise<boolean> {
  let wasRevoked = true;
  for (const connection of await accounts.connections(user)) {
    try {
      await revokeTokens(connection, logins, accounts);
    } catch (error) {
      if (!isOAuth2Error(error)) throw error;
      log.error(`${connection.provider} failed: ${error.code}: ${error.message}`);
      wasRevoked = false;
      // The account goes all the same, and its tokens with it.
      await logins.tokensOf(connection).delete();
    }
  }
  await accounts.delete(user);
  return wasRevoked;
}
