/** The application, without a port: it takes its configuration as a parameter, so that tests can start it too. */
import { join } from 'node:path';
import express from 'express';
import type { ErrorRequestHandler, Express, RequestHandler } from 'express';
import session from 'express-session';
import helmet from 'helmet';
// The three packages export the same error classes.
import { AuthorizationError, InternalOAuthError, TokenError } from 'passport-salesloft';
import type { Accounts } from './accounts';
import { connectionActions } from './connection-actions';
import { connectionRoutes } from './connections';
import { cookieOf } from './cookies';
import type { Database } from './database';
import type { Failure } from './failures';
import { healthRoutes } from './health';
import { homePage } from './home';
import type { Samples } from './home';
import type { Logger } from './log';
import { LAST_USED, loginRoutes } from './login';
import { logoutRoutes } from './logout';
import type { Metrics } from './metrics';
import { errorPage, failurePage, notFoundPage } from './pages';
import { PROVIDERS } from './providers';
import type { ProviderName } from './providers';
import { onlyFromHere } from './same-origin';
import { limitLogins } from './rate-limit';
import type { Secrets } from './secrets';
import { DatabaseSessions } from './sessions';
import type { Logins, ProviderOptions } from './strategies';

export interface AppOptions {
  /** The origin browsers see, `https://app.example.com`; callback URLs are built from it. */
  baseURL: string;
  secrets: Secrets;
  database: Database;
  accounts: Accounts;
  logins: Logins;
  log: Logger;
  metrics?: Metrics;
  /** Opens `/metrics` to other machines. */
  metricsToken?: string | undefined;
  /** True once the process is about to end. */
  isStopping?: () => boolean;
  /** How many proxies stand in front. */
  proxies?: number;
  providers: ProviderOptions;
  /** The providers that the emulator plays, with their origins: the pages name them and show their photos. */
  emulated: Partial<Record<ProviderName, string>>;
  /** Pages for developers. They see every request, with its session. */
  forDevelopers?: RequestHandler | undefined;
  /** Other values for the forms and links of the start page, while the emulator plays. */
  samples?: Samples;
}

const TEXT = { 'Content-Type': 'text/plain; charset=utf-8' };
const HOUR_MS = 60 * 60 * 1000;

export function createApp({
  baseURL,
  secrets,
  database: { db },
  accounts,
  logins,
  log,
  metrics,
  metricsToken,
  isStopping = () => false,
  proxies = baseURL.startsWith('https:') ? 1 : 0,
  providers,
  emulated,
  samples = {},
  forDevelopers,
}: AppOptions): Express {
  const secure = baseURL.startsWith('https:');
  const emulatedNames = PROVIDERS.filter((name) => emulated[name]);
  const app = express();

  // This server speaks plain http. With an https BASE_URL, a proxy in front of it ends TLS.
  app.set('trust proxy', proxies);

  const { allowedLoginURLs = [] } = providers.salesforce;
  app.use(secureHeaders(Object.values(emulated), [baseURL, ...allowedLoginURLs]));
  app.use(healthRoutes(db, isStopping));
  if (metrics) app.get('/metrics', metrics.handler(metricsToken));
  app.use(express.static(join(__dirname, '../public')));
  // The failure pages link to it. In your application, link to a page of your own.
  app.get('/errors', (_req, res) => {
    res.sendFile(join(__dirname, '../../../docs/errors.md'), { headers: TEXT });
  });
  app.use(notCached);
  app.use(
    session({
      store: new DatabaseSessions(db),
      name: 'express-login',
      secret: secrets.session,
      resave: false,
      saveUninitialized: false,
      cookie: { httpOnly: true, sameSite: 'lax', secure, maxAge: 8 * HOUR_MS },
    }),
  );
  app.use(logins.passport.session());
  app.use(onlyFromHere);
  if (forDevelopers) app.use(forDevelopers);

  app.get('/', (req, res) => {
    const { returnTo, loggedOut } = req.query;
    res.send(
      homePage({
        user: req.user,
        emulated: emulatedNames,
        lastUsed: cookieOf(req, LAST_USED),
        // A login ends at baseURL, and finds its cookie only if it began there. A page opened at
        // 127.0.0.1 therefore links to localhost, if that is the host of baseURL.
        loginOrigin: req.get('host') === new URL(baseURL).host ? '' : baseURL,
        returnTo: typeof returnTo === 'string' ? returnTo : undefined,
        loggedOut: typeof loggedOut === 'string' ? loggedOut : undefined,
        samples,
      }),
    );
  });

  app.use('/auth', limitLogins(db), loginRoutes(logins));

  app.use(connectionRoutes(logins, accounts));
  app.use(connectionActions({ logins, accounts, emulated, log }));
  app.use('/logout', logoutRoutes(logins, accounts, log));

  app.use((req, res) => void res.status(404).send(notFoundPage(req.user)));
  app.use(handleErrors(log));
  return app;
}

const notCached: RequestHandler = (_req, res, next) => {
  res.set('Cache-Control', 'no-store');
  next();
};

function secureHeaders(
  emulators: readonly string[],
  loginOrigins: readonly string[],
): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        // The provider decides where its profile photos are.
        imgSrc: ["'self'", 'https:', 'data:', ...emulators],
        // Browsers hold the redirects after a form to this list too. A login and a logout may pass
        // through the sign-in service of any organization.
        formAction: ["'self'", 'https:', ...emulators, ...loginOrigins],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    // "no-referrer" would make browsers send `Origin: null` with our own logout form.
    referrerPolicy: { policy: 'same-origin' },
  });
}

/** Answers with a page. The stack stays in the log. */
const handleErrors =
  (log: Logger): ErrorRequestHandler =>
  (error: unknown, req, res, next) => {
    if (res.headersSent) {
      next(error);
      return;
    }
    if (isProviderFault(error)) {
      // Message and code of these errors contain neither tokens nor secrets.
      log.error(`login failed: ${error.code}: ${error.message}`);
      const { seeTheLogin: seen } = res.locals;
      res.status(502).send(failurePage(error.provider, 502, error, req.user, seen));
      return;
    }
    const status = Number(Reflect.get(Object(error), 'status')) || 500;
    if (status >= 500) log.error({ err: error }, 'request failed');
    res.status(status).send(errorPage(status, req.user));
  };

/** Recognizes the errors of the strategies, which name their provider and a code. */
function isProviderFault(
  error: unknown,
): error is Error & Failure & { code: string; provider: ProviderName } {
  return (
    [AuthorizationError, TokenError, InternalOAuthError].some((type) => error instanceof type) &&
    typeof Reflect.get(Object(error), 'code') === 'string'
  );
}
