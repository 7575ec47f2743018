/** `/profile`, the page of connections, and `POST /connections/PROVIDER`, which links one more. */
import express, { Router } from 'express';
import type { RequestHandler } from 'express';
import type { Accounts } from './accounts';
import { callOf } from './api-calls';
import { connectionsPage } from './connections-page';
import { addressOf, outcome, textOf } from './login';
import { isProvider } from './providers';
import type { LoginState, Logins } from './strategies';

export function connectionRoutes(logins: Logins, accounts: Accounts): Router {
  const router = Router();

  router.get('/profile', (req, res, next) => {
    const { user } = req;
    if (!user) return res.redirect('/?returnTo=/profile');
    const { logins: seen = {} } = req.session;
    const done = textOf(req.query.done);
    return accounts.connections(user).then((connections) => {
      const { seeTheLogin } = res.locals;
      const now = new Date();
      res.send(connectionsPage({ user, connections, logins: seen, done, now, seeTheLogin }));
    }, next);
  });

  router.use('/connections', express.urlencoded({ extended: false, limit: '4kb' }));

  router.post('/connections/:provider', (req, res, next) => {
    const { provider } = req.params;
    if (!isProvider(provider)) return next('route');
    if (!req.user) return res.redirect(303, '/?returnTo=/profile');
    const { loginURL, call } = (req.body ?? {}) as Record<string, unknown>;
    const { scope } = callOf(provider, call) ?? {};
    // The state says for which account: the session of the callback must be of the same.
    const state: LoginState = { linkTo: req.user.id };
    const options = {
      state,
      ...(scope !== undefined && { scope }),
      ...(provider === 'salesforce' && { loginURL: addressOf(textOf(loginURL)) }),
    };
    const done = outcome(provider, req, res, next);
    // The types of one name serve for all three.
    const name = provider as 'salesforce';
    const begin = logins.passport.authenticate(name, options, done) as RequestHandler;
    return begin(req, res, next);
  });

  return router;
}
