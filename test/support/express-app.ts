/** A plain Express 5 app with sessions and Passport, on a real port. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { isOAuth2Error } from 'crm-oauth2';
import express from 'express';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import session from 'express-session';
import { Passport } from 'passport';
import type { AuthenticateOptions, Strategy } from 'passport';

export interface RunningApp {
  origin: string;
  close(): Promise<void>;
}

/** Passport's custom callback, for one request. */
type Callback = (next: NextFunction) => (error: unknown, user?: unknown) => void;

interface AppSettings {
  /** `false`: no session at all, neither for pending logins nor for the user. */
  sessions?: boolean;
  /** Options of `authenticate` where a login starts, and where it is finished. */
  start?: object | ((req: Request) => object);
  finish?: object | ((req: Request) => object);
  /** Takes the outcome in place of Passport. */
  callback?: Callback;
  /** Express' own setting. */
  trustProxy?: boolean;
  /** Further strategies by name, each at `/auth/NAME` and `/auth/NAME/callback`. */
  others?: Readonly<Record<string, object>>;
}

/**
 * `/auth` starts a login, `/auth/callback` finishes it and answers with the user and `authInfo`,
 * `/me` says who the session belongs to.
 */
export async function startApp(
  name: string,
  strategy: object,
  { sessions = true, start = {}, finish = {}, callback, trustProxy, others = {} }: AppSettings = {},
): Promise<RunningApp> {
  const passport = new Passport();
  passport.use(strategy as Strategy);
  for (const other of Object.values(others)) passport.use(other as Strategy);
  passport.serializeUser((user, done) => done(null, user));
  passport.deserializeUser((user: Express.User, done) => done(null, user));

  const app = express();
  if (trustProxy !== undefined) app.set('trust proxy', trustProxy);
  if (sessions) {
    app.use(session({ secret: 'test only', resave: false, saveUninitialized: false }));
    app.use(passport.session());
  }
  const options = { session: sessions };
  const authenticate =
    (which: string, more: object | ((req: Request) => object), own?: Callback): RequestHandler =>
    (req, res, next) => {
      const chosen: unknown = typeof more === 'function' ? Reflect.apply(more, null, [req]) : more;
      const all = { ...options, ...(chosen as object) } as AuthenticateOptions;
      const handler: unknown = own
        ? passport.authenticate(which, all, own(next))
        : passport.authenticate(which, all);
      (handler as RequestHandler)(req, res, next);
    };
  const answer: RequestHandler = (req, res) => {
    res.json({ user: req.user, info: req.authInfo });
  };
  app.get('/auth', authenticate(name, start));
  app.get('/auth/callback', authenticate(name, finish, callback), answer);
  for (const other of Object.keys(others)) {
    app.get(`/auth/${other}`, authenticate(other, start));
    app.get(`/auth/${other}/callback`, authenticate(other, finish, callback), answer);
  }
  app.get('/me', (req: Request, res: Response) => {
    res.json({ user: req.user ?? null });
  });
  app.use((error: unknown, _req: Request, res: Response, _next: NextFunction) => {
    res.status(500).json({ code: isOAuth2Error(error) ? error.code : String(error) });
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
