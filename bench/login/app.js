/** The app that is measured: Express, express-session, Passport and one subject, in one process. */
'use strict';
const express = require('express');
const session = require('express-session');
const passport = require('passport');
const { SessionStore, cpu, heap, show } = require('./app-parts');
const { serve } = require('./rpc');
const { SUBJECTS } = require('./subjects');

const subject = SUBJECTS[process.argv[2]];
const CLIENT = { clientID: 'bench', clientSecret: 'the secret of bench' };

const store = new SessionStore();
const app = express();
if (!subject.middleware) {
  app.use(session({ secret: 'bench', store, resave: false, saveUninitialized: false }));
  app.use(passport.session());
  passport.serializeUser((user, done) => done(null, user.id));
  passport.deserializeUser((id, done) => done(null, { id }));
}

/** One entry for each {@link mount}: a thousand of them are found as quickly as one. */
const mounts = [];
app.use('/:mount', (req, res, next) => mounts[req.params.mount](req, res, next));
app.use((error, req, res, _next) => res.status(500).end(`error: ${error.stack}`));

const server = app.listen(0, '127.0.0.1');
// A browser may be left alone for as long as the others are measured.
server.keepAliveTimeout = 0;
const listening = new Promise((resolve) => {
  server.on('listening', () => resolve(server.address().port));
});

async function mount(origin) {
  const name = String(mounts.length);
  const baseURL = `http://127.0.0.1:${await listening}/${name}`;
  const options = { ...CLIENT, origin, baseURL };
  const router = express.Router();
  mounts.push(router);
  if (subject.middleware) {
    router.use(subject.middleware(options));
    router.get('/', (req, res) => show(res, req.oidc.user.sub));
    return;
  }
  const { baseURL: _baseURL, ...own } = options;
  const strategy = await subject.strategy({ ...own, callbackURL: `${baseURL}/callback` });
  passport.use(name, strategy);
  const login = passport.authenticate(name, subject.authenticate ?? {});
  router.get('/login', login);
  router.get('/callback', login, (req, res) => show(res, req.user.id));
}

serve({
  mount: async ({ origin, count = 1 }) => {
    for (let made = 0; made < count; made += 1) await mount(origin);
    return { port: await listening, last: mounts.length - 1 };
  },
  cpu,
  heap,
  forgetSessions: () => store.clear(),
  sessionBytes: () => store.bytes(),
  /** Many callers of one person's tokens, which have just ended. */
  refresh: async ({ origin, callers }) => {
    const { MemoryTokenStore, userTokens } = require('crm-oauth2');
    const { client } = subject.strategy({ ...CLIENT, origin, callbackURL: `${origin}/callback` });
    const source = userTokens(client, { store: new MemoryTokenStore(), key: 'zoe' });
    const ended = { accessToken: 'old', refreshToken: 'old', tokenType: 'Bearer' };
    await source.save({ ...ended, expiresAt: Date.now() - 1000, response: {} });
    const began = performance.now();
    const tokens = await Promise.all(
      Array.from({ length: callers }, async () => await source.getAccessToken()),
    );
    return { different: new Set(tokens).size, ms: performance.now() - began };
  },
});
