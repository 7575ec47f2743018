/** The parts of the apps that are measured: where sessions are kept, what is shown, what is counted. */
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:net';
import express from 'express';
import type { ErrorRequestHandler, Express, RequestHandler, Response } from 'express';
import session from 'express-session';
import passport from 'passport';

/** Only the latest are kept, so that the heap shows what the subject keeps. */
const MOST_SESSIONS = 2000;

export interface Person {
  id: string;
}

export class SessionStore extends session.Store {
  readonly #sessions = new Map<string, string>();

  override get(
    id: string,
    done: (error: unknown, data?: session.SessionData | null) => void,
  ): void {
    const text = this.#sessions.get(id);
    setImmediate(() => done(null, text ? (JSON.parse(text) as session.SessionData) : undefined));
  }

  override set(id: string, value: session.SessionData, done?: (error?: unknown) => void): void {
    this.#sessions.set(id, JSON.stringify(value));
    if (this.#sessions.size > MOST_SESSIONS) {
      const [oldest = ''] = this.#sessions.keys();
      this.#sessions.delete(oldest);
    }
    if (done) setImmediate(() => done());
  }

  override destroy(id: string, done?: (error?: unknown) => void): void {
    this.#sessions.delete(id);
    if (done) setImmediate(() => done());
  }

  /** Bytes of the only session, beside its cookie. */
  bytes(): number {
    const [text = '{}'] = this.#sessions.values();
    const { cookie: _cookie, ...rest } = JSON.parse(text) as Record<string, unknown>;
    return JSON.stringify(rest).length - '{}'.length;
  }

  override clear(): void {
    this.#sessions.clear();
  }
}

/** An app with sessions and Passport, unless the subject has its own. */
export function createApp(store: SessionStore, hasOwnSessions = false): Express {
  const app = express();
  if (hasOwnSessions) return app;
  app.use(session({ secret: 'bench', store, resave: false, saveUninitialized: false }));
  app.use(passport.session());
  passport.serializeUser((user, done) => done(null, (user as Person).id));
  passport.deserializeUser((id: string, done) => done(null, { id }));
  return app;
}

/** Passes each request to the handler that its first part of the path names. */
export function passOn(app: Express, find: (mount: string) => RequestHandler | undefined): void {
  app.use('/:mount', (req, res, next) => find(req.params.mount)?.(req, res, next));
  const showError: ErrorRequestHandler = (error: Error, _req, res, _next) => {
    res.status(500).end(`error: ${error.stack}`);
  };
  app.use(showError);
}

/** Listens until the process ends. @returns the port */
export async function listen(app: Express): Promise<number> {
  const server = app.listen(0, '127.0.0.1');
  // A browser may be left alone for as long as the others are measured.
  server.keepAliveTimeout = 0;
  server.headersTimeout = 0;
  server.requestTimeout = 0;
  return await portOf(server);
}

export async function portOf(server: Server): Promise<number> {
  if (!server.listening) {
    await new Promise((resolve) => {
      server.once('listening', resolve);
    });
  }
  return (server.address() as AddressInfo).port;
}

/** With its length, so that the browser need not know chunks. */
export function show(res: Response, id: string): void {
  res.set('content-length', String(Buffer.byteLength(id))).end(id);
}

export const idOf = (user: Express.User | undefined): string => (user as Person).id;

/** Microseconds of this process so far. */
export function cpu(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Bytes in use after garbage collection, which needs `--expose-gc`. */
export async function heap(): Promise<number> {
  for (let round = 0; round < 4; round += 1) {
    globalThis.gc?.();
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
  return process.memoryUsage().heapUsed;
}
