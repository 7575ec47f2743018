/** `/auth/:provider` and `/auth/:provider/callback`: a login from its link to its outcome. */
import { Router } from 'express';
import type { RequestHandler } from 'express';
import type { Failure } from './failures';
import { alreadyLoggedInPage, failurePage } from './pages';
import { TITLES } from './strategies';
import type { ProviderName, createPassport } from './strategies';

/** After a refusal, the reason. After a success, the `state` that the login started with. */
interface Info extends Failure {
  state?: unknown;
}

/** The codes of a callback whose login is over, or began in another browser. */
const LOGIN_IS_OVER = ['already_completed', 'state_unknown', 'state_expired', 'other_browser'];

export function loginRoutes(passport: ReturnType<typeof createPassport>, baseURL: string): Router {
  const login: RequestHandler<{ provider: string }> = (req, res, next) => {
    const { provider } = req.params;
    if (!isProvider(provider)) return next();

    // One handler for both routes: the strategy recognizes an answer of the provider.
    const handle = passport.authenticate(
      provider,
      { state: localPath(req.query.returnTo, baseURL) },
      (error: unknown, user?: Express.User | false | null, info?: Info, status = 401) => {
        if (error) return next(error);
        if (user) {
          return req.logIn(user, (problem) =>
            problem ? next(problem) : res.redirect(localPath(info?.state, baseURL)),
          );
        }
        // A reload, the back button or a bookmark repeats a callback. The page then says who is signed in.
        const page =
          req.user && info?.code !== undefined && LOGIN_IS_OVER.includes(info.code)
            ? alreadyLoggedInPage(req.user)
            : failurePage(provider, status, info ?? {}, req.user);
        res.status(status).send(page);
      },
    ) as RequestHandler;
    handle(req, res, next);
  };

  return Router().get('/:provider', login).get('/:provider/callback', login);
}

function isProvider(name: string): name is ProviderName {
  return Object.hasOwn(TITLES, name);
}

/** The page after the login: always a path of this site, so that a link cannot redirect elsewhere. */
function localPath(wanted: unknown, baseURL: string): string {
  if (typeof wanted === 'string' && wanted.startsWith('/') && URL.canParse(wanted, baseURL)) {
    // Browsers parse "/\host" and "/<tab>/host" as another site, and so does the URL class.
    const { origin, pathname, search } = new URL(wanted, baseURL);
    if (origin === new URL(baseURL).origin && !pathname.startsWith('//')) return pathname + search;
  }
  return '/profile';
}
