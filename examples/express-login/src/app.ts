/** The application, without a port: what it needs comes in, so that tests can start it too. */
import { join } from 'node:path';
import express from 'express';
import type { ErrorRequestHandler, Express, Request } from 'express';
import { rateLimit } from 'express-rate-limit';
import session from 'express-session';
import helmet from 'helmet';
// One family, one set of error classes: any of the three packages exports them.
import { AuthorizationError, InternalOAuthError, TokenError } from 'passport-salesloft';
import { loginRoutes } from './login';
import { errorPage, faultPage, homePage, notFoundPage, profilePage, tooManyPage } from './pages';
import type { Fault } from './pages';
import { PROVIDERS, createPassport } from './strategies';
import type { ProviderName, ProviderOptions } from './strategies';

export interface AppOptions {
  /** The origin browsers see, `https://app.example.com`; callback URLs are built from it. */
  baseURL: string;
  sessionSecret: string;
  providers: ProviderOptions;
  /** Providers the emulator stands in for, and where: the pages say so, and show its photos. */
  emulated: Partial<Record<ProviderName, string>>;
}

const HOUR = 60 * 60 * 1000;

export function createApp({ baseURL, sessionSecret, providers, emulated }: AppOptions): Express {
  const secure = baseURL.startsWith('https:');
  const passport = createPassport(baseURL, providers);
  const emulatedNames = PROVIDERS.filter((name) => emulated[name]);
  const app = express();

  // This server speaks plain http. With an https BASE_URL, one proxy in front of it ends TLS.
  if (secure) app.set('trust proxy', 1);

  app.use(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'none'"],
          styleSrc: ["'self'"],
          // Profile photos are wherever the provider keeps them.
          imgSrc: ["'self'", 'https:', 'data:', ...Object.values(emulated)],
          // Logout. Logins are links, so no provider needs to be named.
          formAction: ["'self'"],
          baseUri: ["'none'"],
          frameAncestors: ["'none'"],
        },
      },
      // "no-referrer" would make browsers send `Origin: null` with our own logout form.
      referrerPolicy: { policy: 'same-origin' },
    }),
  );
  app.get('/healthz', (_req, res) => void res.type('text').send('ok'));
  app.use(express.static(join(__dirname, '../public')));
  app.use((_req, res, next) => {
    res.set('Cache-Control', 'no-store');
    next();
  });
  app.use(
    session({
      // The default store lives in memory: for development only. It forgets everybody at a restart,
      // grows for ever and is not shared between processes. In production: connect-redis or alike.
      name: 'express-login',
      secret: sessionSecret,
      resave: false,
      saveUninitialized: false,
      cookie: { httpOnly: true, sameSite: 'lax', secure, maxAge: 8 * HOUR },
    }),
  );
  app.use(passport.session());

  app.get('/', (req, res) => {
    const { returnTo } = req.query;
    res.send(
      homePage({
        user: req.user,
        emulated: emulatedNames,
        // A login ends at baseURL and finds its cookie only if it began there: not so at 127.0.0.1
        // when baseURL says localhost.
        loginOrigin: req.get('host') === new URL(baseURL).host ? '' : baseURL,
        returnTo: typeof returnTo === 'string' ? returnTo : undefined,
        loggedOut: req.query.loggedOut !== undefined,
      }),
    );
  });

  app.use(
    '/auth',
    rateLimit({
      windowMs: HOUR / 12,
      limit: 300,
      standardHeaders: 'draft-8',
      legacyHeaders: false,
      handler: (_req, res, _next, { statusCode }) =>
        void res.status(statusCode).send(tooManyPage()),
    }),
    loginRoutes(passport, baseURL),
  );

  app.get('/profile', (req, res) => {
    if (req.user) res.send(profilePage(req.user));
    else res.redirect('/?returnTo=/profile');
  });

  app.post('/logout', (req, res, next) => {
    if (!isSameOrigin(req)) {
      res.status(403).send(errorPage(403, req.user));
      return;
    }
    req.logout((error) => (error ? next(error) : res.redirect(303, '/?loggedOut')));
  });

  app.use((req, res) => void res.status(404).send(notFoundPage(req.user)));
  app.use(handleError);
  return app;
}

/**
 * Cross-site request forgery: browsers say where a POST comes from. A request that says nothing is
 * no browser's, and carries nobody's cookie but its own.
 */
function isSameOrigin(req: Request): boolean {
  const site = req.get('sec-fetch-site');
  const origin = req.get('origin');
  const sameHost =
    origin === undefined || (URL.canParse(origin) && new URL(origin).host === req.get('host'));
  return sameHost && (site === undefined || site === 'same-origin');
}

/** The browser gets a page; the stack stays in the log. */
const handleError: ErrorRequestHandler = (error: unknown, req, res, next) => {
  if (res.headersSent) {
    next(error);
    return;
  }
  if (isProviderFault(error)) {
    // Neither the message nor the code of these errors ever holds a token or a secret.
    console.error(`login failed: ${error.code}: ${error.message}`);
    res.status(502).send(faultPage(error, req.user));
    return;
  }
  const status = Number(Reflect.get(Object(error), 'status')) || 500;
  if (status >= 500) console.error(error);
  res.status(status).send(errorPage(status, req.user));
};

/** Whether a strategy reported it: every error of the family names its provider and a code. */
function isProviderFault(error: unknown): error is Error & Fault {
  return (
    [AuthorizationError, TokenError, InternalOAuthError].some((type) => error instanceof type) &&
    typeof Reflect.get(Object(error), 'code') === 'string'
  );
}
