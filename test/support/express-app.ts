/** A plain Express 5 app with sessions and Passport, on a real port. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import session from 'express-session';
import { Passport } from 'passport';
import type { AuthenticateOptions, Strategy } from 'passport';
import { isCoded } from './codes';

export interface RunningApp {
  origin: string;
  close(): Promise<void>;
}

/**
 * `/auth` starts a login, `/auth/callback` finishes it and answers with the user and `authInfo`,
 * `/me` says who the session belongs to.
 *
 * @param sessions `false`: no session at all, neither for pending logins nor for the user
 */
export async function startApp(
  name: string,
  strategy: object,
  { sessions = true, start = {} }: { sessions?: boolean; start?: object } = {},
): Promise<RunningApp> {
  const passport = new Passport();
  passport.use(strategy as Strategy);
  passport.serializeUser((user, done) => done(null, user));
  passport.deserializeUser((user: Express.User, done) => done(null, user));

  const app = express();
  if (sessions) {
    app.use(session({ secret: 'test only', resave: false, saveUninitialized: false }));
    app.use(passport.session());
  }
  const options = { session: sessions };
  const authenticate = (more: object = {}) =>
    passport.authenticate(name, { ...options, ...more } as AuthenticateOptions) as RequestHandler;
  app.get('/auth', authenticate(start));
  app.get('/auth/callback', authenticate(), (req: Request, res: Response) => {
    res.json({ user: req.user, info: req.authInfo });
  });
  app.get('/me', (req: Request, res: Response) => {
    res.json({ user: req.user ?? null });
  });
  app.use((error: unknown, _req: Request, res: Response, _next: NextFunction) => {
    res.status(500).json({ code: isCoded(error) ? error.code : String(error) });
  });

  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
