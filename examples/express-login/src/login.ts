/** `/auth/PROVIDER` and `/auth/PROVIDER/callback`: a login from its link to its outcome. */
import { Router } from 'express';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { AccountProblem } from './accounts';
import type { Failure } from './failures';
import { accountProblemPage, alreadyLoggedInPage, failurePage } from './pages';
import type { ProviderName } from './providers';
import type { Logins, SignedIn } from './strategies';

/** After a refusal, the reason. After a success, the page to show now: a path of this site. */
type Info = Failure;

/** The cookie that names the provider of the last login of this browser. */
export const LAST_USED = 'last-used';
const YEAR_MS = 365 * 24 * 3_600_000;

/** The codes of a callback whose login is over, or began in another browser. */
const LOGIN_IS_OVER = ['already_completed', 'state_unknown', 'state_expired', 'other_browser'];

export function loginRoutes({ passport }: Logins): Router {
  const router = Router();

  // One handler for both routes: the strategy recognizes an answer of the provider.
  const route = (name: ProviderName, begin: (req: Request, done: Outcome) => unknown) =>
    router.get([`/${name}`, `/${name}/callback`], (req, res, next) => {
      const handle = begin(req, outcome(name, req, res, next)) as RequestHandler;
      handle(req, res, next);
    });

  route('salesloft', (req, done) =>
    passport.authenticate('salesloft', { returnTo: textOf(req.query.returnTo) }, done),
  );
  route('salesos', (req, done) =>
    passport.authenticate('salesos', { returnTo: textOf(req.query.returnTo) }, done),
  );
  route('salesforce', (req, done) => {
    const { returnTo, loginURL } = req.query;
    const options = { returnTo: textOf(returnTo), loginURL: addressOf(textOf(loginURL)) };
    return passport.authenticate('salesforce', options, done);
  });
  return router;
}

type Outcome = ReturnType<typeof outcome>;

/** The end of a login, which Passport calls: a redirect, or a page that says why there is none. */
export function outcome(provider: ProviderName, req: Request, res: Response, next: NextFunction) {
  return (error: unknown, user?: SignedIn | false | null, info?: Info, status = 401) => {
    if (error instanceof AccountProblem) {
      return res.status(409).send(accountProblemPage(error.code, provider, req.user));
    }
    if (error) return next(error);
    if (user) return enter(user, info?.returnTo, req, res, next);
    // A reload, the back button or a bookmark repeats a callback. The page then says who is signed in.
    const page =
      req.user && info?.code !== undefined && LOGIN_IS_OVER.includes(info.code)
        ? alreadyLoggedInPage(req.user)
        : failurePage(provider, status, info ?? {}, req.user, res.locals.seeTheLogin);
    res.status(status).send(page);
  };
}

function enter(
  { login, isLinked, ...user }: SignedIn,
  returnTo: string | undefined,
  req: Request,
  res: Response,
  next: NextFunction,
): void {
  if (isLinked) {
    // The person is signed in already, and stays so.
    req.session.logins = { ...req.session.logins, [user.connection]: login };
    res.redirect('/profile?done=connected');
    return;
  }
  // So that the start page can mark the button that the person knows.
  const { secure } = req;
  res.cookie(LAST_USED, user.provider, {
    httpOnly: true,
    sameSite: 'lax',
    secure,
    maxAge: YEAR_MS,
  });
  // With a new session, so that the id of the earlier one is useless.
  req.logIn(user, (problem) => {
    if (problem) {
      next(problem);
      return;
    }
    req.session.logins = { [user.connection]: login };
    res.redirect(returnTo ?? '/profile');
  });
}

/** A field of a query or a form. One that is empty or repeated counts as absent. */
export function textOf(field: unknown): string | undefined {
  return typeof field === 'string' && field.trim() !== '' ? field.trim() : undefined;
}

/** People may type a host alone. The strategy decides whether a login may go there. */
export function addressOf(text: string | undefined): string | undefined {
  return text === undefined || /^https?:\/\//i.test(text) ? text : `https://${text}`;
}
