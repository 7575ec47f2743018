/** "See the login", for developers: what the last login of each browser sent and received. A folder to leave behind. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { join } from 'node:path';
import type { DiagnosticsEvent } from 'crm-oauth2';
import { Router } from 'express';
import type { Request, Response } from 'express';
import type { Kysely } from 'kysely';
import { cookieOf } from '../cookies';
import type { Logger } from '../log';
import type { Tables } from '../tables';
import { PLACES } from './messages';
import { loginPage } from './page';
import { LoginSteps } from './steps';
import type { Step } from './steps';

const PATH = '/see-the-login';
/** Names the last login of a browser. Only this page gets it. */
const COOKIE = 'see-the-login';
const HERE = 'http://here.invalid';
const MAX_HOST_LENGTH = 100;
const TEXT = { 'Content-Type': 'text/plain; charset=utf-8' };

/** One request of a browser, which a login may begin or end in. */
interface Exchange {
  note(event: DiagnosticsEvent): void;
}

const exchanges = new AsyncLocalStorage<Exchange>();

/** Subscribed for as long as the process runs: the events come from the library, in the request of their login. */
export function noteEvent(event: unknown): void {
  exchanges.getStore()?.note(event as DiagnosticsEvent);
}

/** To leave it out, remove this folder, and the line of `server.ts` that calls this. */
export function seeTheLogin(db: Kysely<Tables>, log: Logger): Router {
  const steps = new LoginSteps(db, log);
  // Once, also with several applications in a process.
  unsubscribe('crm-oauth2', noteEvent);
  subscribe('crm-oauth2', noteEvent);
  const router = Router();

  router.get(PATH, (req, res, next) => {
    steps.of(cookieOf(req, COOKIE)).then((login) => {
      res.send(loginPage({ login, user: req.user, now: new Date() }));
    }, next);
  });

  // The code beside each step. In your application, link to your repository.
  router.get(`${PATH}/code/:place`, (req, res, next) => {
    const place = Object.entries(PLACES).find(([name]) => name === req.params.place);
    if (!place) return next();
    const [, { file }] = place;
    const root = join(__dirname, '../../../..');
    return res.sendFile(file, { root, headers: TEXT }, (error) => error && next());
  });

  router.use((req, res, next) => {
    // The pages link there.
    res.locals.seeTheLogin = PATH;
    exchanges.run(watch(req, res, steps), next);
  });
  return router;
}

/** Notes the requests to the provider, and at its end the request of the browser itself. */
function watch(req: Request, res: Response, steps: LoginSteps): Exchange {
  const at = Date.now();
  const { method, path } = req;
  const host = (req.get('host') ?? '').slice(0, MAX_HOST_LENGTH);
  const told: Pick<Step, 'provider' | 'outcome' | 'code' | 'warnings'> = { provider: '' };
  let login: string | undefined;

  res.once('close', () => {
    if (login === undefined) return;
    const names = Object.keys({ ...req.query, ...(req.body as object | undefined) });
    const status = res.headersSent ? res.statusCode : undefined;
    const location = res.getHeader('location');
    const leadsTo = location === undefined ? undefined : placeOf(String(location), host);
    const own = { from: 'browser', method, host, path, names: namesIn(names) } as const;
    steps.keep(login, { at, ...own, ...told, status, leadsTo, duration: Date.now() - at });
  });

  const note: Exchange['note'] = (event) => {
    if (event.event === 'request') {
      const own = event.login ?? login;
      // Requests outside a login, such as refreshes, are of no interest here.
      if (own !== undefined) steps.keep(own, stepOf(event));
      return;
    }
    // A login that fails before it has a state gets a name of its own.
    const name: string = event.login ?? login ?? randomUUID();
    if (name !== login && !res.headersSent) {
      const options = { httpOnly: true, sameSite: 'lax', secure: req.secure, path: PATH } as const;
      res.cookie(COOKIE, name, options);
    }
    login = name;
    const { provider, code, outcome } = event;
    told.provider = provider;
    if (event.event === 'login.warned' && code) told.warnings = [...(told.warnings ?? []), code];
    if (event.event === 'login.ended') Object.assign(told, { outcome, code });
  };
  return { note };
}

/** A request to the provider, which is over. */
function stepOf(event: DiagnosticsEvent): Step {
  const { provider, method = '', host = '', path = '', status, code, duration = 0 } = event;
  const { parameters: names = [] } = event;
  const at = Date.now() - duration;
  return { at, from: 'application', provider, method, host, path, names, status, code, duration };
}

/** Where a redirect leads, with the names of its parameters. Their values are never kept. */
function placeOf(url: string, host: string): Step['leadsTo'] {
  // A Host header may be anything, so it is not parsed.
  if (!URL.canParse(url, HERE)) return undefined;
  const { origin, host: to, pathname: path, searchParams } = new URL(url, HERE);
  return { host: origin === HERE ? host : to, path, names: namesIn([...searchParams.keys()]) };
}

/** A text that a link brought in as a name may be anything: only names of the usual form are kept. */
function namesIn(names: readonly string[]): string[] {
  return names.filter((name) => /^[\w.-]{1,40}$/.test(name)).slice(0, 30);
}
