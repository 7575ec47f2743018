/** The app that is measured: Express, express-session, Passport and one subject, in one process. */
import { setFlagsFromString } from 'node:v8';
import express from 'express';
import type { Request } from 'express';
import passport from 'passport';
import { MemoryTokenStore, OAuth2Client, userTokens } from 'crm-oauth2';
import { SessionStore, cpu, createApp, heap, idOf, listen, passOn, show } from './app-parts';
import { serve } from './rpc';
import { SUBJECTS } from './subjects';
import type { SubjectName } from './subjects';

// V8 compiles a function for good when it has run for long. With less to wait for, all apps are as fast
// after two thousand logins as they will be: otherwise the compiler's own time would be measured.
setFlagsFromString('--interrupt-budget=10000');

const subject = SUBJECTS[process.argv[2] as SubjectName];
const CLIENT = { clientID: 'bench', clientSecret: 'the secret of bench' };

const store = new SessionStore();
const app = createApp(store, subject.middleware !== undefined);

/** One entry for each {@link mount}: a thousand of them are found as quickly as one. */
const mounts: express.Router[] = [];
passOn(app, (name) => mounts[Number(name)]);
const listening = listen(app);

const strategies: passport.Strategy[] = [];

/** The client of a strategy of ours. */
function clientOf(strategy: unknown): OAuth2Client {
  const { client } = Object(strategy) as { client?: unknown };
  if (client instanceof OAuth2Client) return client as OAuth2Client;
  throw new TypeError('only our strategies have a client');
}

async function mount(origin: string): Promise<void> {
  const name = String(mounts.length);
  const baseURL = `http://127.0.0.1:${await listening}/${name}`;
  const router = express.Router();
  mounts.push(router);
  if (subject.middleware) {
    router.use(subject.middleware({ ...CLIENT, origin, baseURL }));
    router.get('/', (req, res) => {
      show(res, (req as Request & { oidc: { user: { sub: string } } }).oidc.user.sub);
    });
    return;
  }
  const options = { ...CLIENT, origin, callbackURL: `${baseURL}/callback` };
  const strategy = await subject.strategy(options);
  strategies.push(strategy);
  passport.use(name, strategy);
  const login = passport.authenticate(name, subject.authenticate ?? {}) as express.RequestHandler;
  router.get('/login', login);
  router.get('/callback', login, (req, res) => show(res, idOf(req.user)));
}

const handlers = {
  mount: async ({ origin, count = 1 }: { origin: string; count?: number }) => {
    for (let made = 0; made < count; made += 1) await mount(origin);
    return { port: await listening, last: mounts.length - 1 };
  },
  /** As an application does that makes its strategies ready when it starts. */
  warm: async () => {
    for (const strategy of strategies) await clientOf(strategy).warm();
  },
  cpu,
  heap,
  forgetSessions: () => store.clear(),
  sessionBytes: () => store.bytes(),
  /** Many callers of one person's tokens, which have just ended. */
  refresh: async ({ origin, callers }: { origin: string; callers: number }) => {
    if (!subject.strategy) throw new TypeError('a middleware has no tokens');
    const options = { ...CLIENT, origin, callbackURL: `${origin}/callback` };
    const client = clientOf(await subject.strategy(options));
    const source = userTokens(client, { store: new MemoryTokenStore(), key: 'zoe' });
    const ended = { accessToken: 'old', refreshToken: 'old', tokenType: 'Bearer' };
    await source.save({ ...ended, expiresAt: Date.now() - 1000, response: {} });
    const began = performance.now();
    const tokens = await Promise.all(
      Array.from({ length: callers }, async () => await source.getAccessToken()),
    );
    return { different: new Set(tokens).size, ms: performance.now() - began };
  },
};

export type AppHandlers = typeof handlers;

serve(handlers);
