/** `POST /logout` and `POST /logout/provider`: the end of a login here, or here and at the provider. */
import { isOAuth2Error } from 'crm-oauth2';
import { Router } from 'express';
import type { RequestHandler } from 'express';
import { errorPage } from './pages';
import type { createPassport } from './strategies';
import type { User } from './user';

export function logoutRoutes({ revoke }: ReturnType<typeof createPassport>): Router {
  /** Says where the browser goes once the person is logged out here. */
  type Leave = (user: User | undefined) => Promise<string>;

  const here: Leave = () => Promise.resolve('/?loggedOut');
  const atProvider: Leave = async (user) => {
    if (!user) return '/?loggedOut';
    try {
      await revoke(user);
      return user.logoutURL ?? `/?loggedOut=${user.provider}`;
    } catch (error) {
      if (!isOAuth2Error(error)) throw error;
      console.error(`logout failed: ${error.code}: ${error.message}`);
      return '/?loggedOut=unrevoked';
    }
  };

  const logOut =
    (leave: Leave): RequestHandler =>
    (req, res, next) => {
      const { user } = req;
      // The session ends first, whatever the provider answers.
      req.logout((error) => {
        if (error) next(error);
        else leave(user).then((url) => res.redirect(303, url), next);
      });
    };

  return Router()
    .post('/', onlyFromHere, logOut(here))
    .post('/provider', onlyFromHere, logOut(atProvider));
}

/**
 * Against cross-site request forgery: browsers tell where a POST comes from. A request without these
 * headers does not come from a browser, and carries only the cookies that its sender already has.
 */
const onlyFromHere: RequestHandler = (req, res, next) => {
  const site = req.get('sec-fetch-site');
  const origin = req.get('origin');
  const sameHost =
    origin === undefined || (URL.canParse(origin) && new URL(origin).host === req.get('host'));
  if (sameHost && (site === undefined || site === 'same-origin')) next();
  else res.status(403).send(errorPage(403, req.user));
};
