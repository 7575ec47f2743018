/**
 * The app that is measured: one strategy for one tenant, others for many tenants or environments, side by
 * side in one process. Each has one callback route.
 */
'use strict';
const express = require('express');
const session = require('express-session');
const passport = require('passport');
const { SessionStore, cpu, heap, show } = require('../login/app-parts');
const { serve } = require('../login/rpc');

const STRATEGIES = {
  salesloft: (options, origin) =>
    new (require('passport-salesloft').Strategy)({
      ...options,
      authorizationURL: `${origin}/oauth/authorize`,
      tokenURL: `${origin}/oauth/token`,
      profileURL: `${origin}/v2/me.json`,
    }),
  salesos: (options, origin) =>
    new (require('passport-salesos').Strategy)({ ...options, issuer: `${origin}/` }),
  salesforce: (options, origin) =>
    new (require('passport-salesforce-oauth2').Strategy)({ loginURL: origin, ...options }),
};

const store = new SessionStore();
const app = express();
app.use(session({ secret: 'bench', store, resave: false, saveUninitialized: false }));
app.use(passport.session());
passport.serializeUser((user, done) => done(null, user.id));
passport.deserializeUser((id, done) => done(null, { id }));

const mounts = new Map();
app.use('/:mount', (req, res, next) => mounts.get(req.params.mount)(req, res, next));
app.use((error, req, res, _next) => res.status(500).end(`error: ${error.stack}`));

const server = app.listen(0, '127.0.0.1');
server.keepAliveTimeout = 0;
const listening = new Promise((resolve) => {
  server.on('listening', () => resolve(server.address().port));
});

const clientOf = (index) => {
  const clientID = `client-${index}`;
  return { clientID, clientSecret: `the secret of ${clientID}` };
};

/** The number of the tenant, or of the environment, is the part of the path before `/login`. */
const indexOf = (req) => Number(req.url.split('/')[1]);

/** The options in which the three kinds differ. */
const KINDS = {
  single: () => clientOf(0),
  /** New objects, as from a database. */
  tenants: ({ count }) => ({
    tenant: (req, boundKey) => {
      const index = boundKey === undefined ? indexOf(req) : Number(boundKey);
      const tenant = { key: String(index), ...clientOf(index) };
      return Promise.resolve(index < count ? tenant : undefined);
    },
  }),
  environments: ({ origins }) => ({
    ...clientOf(0),
    allowedLoginURLs: origins,
    loginURL: (req) => origins[indexOf(req)],
  }),
};

serve({
  async mount({ name, provider, kind, origins, count }) {
    const port = await listening;
    const options = {
      callbackURL: `http://127.0.0.1:${port}/${name}/callback`,
      // Whose login it was, as the page will say it.
      verify: ({ tokens, profile, tenant }) => ({
        id: `${tenant ?? tokens.environment?.loginURL ?? '-'} ${profile.id}`,
      }),
      ...KINDS[kind]({ count, origins }),
    };
    passport.use(name, STRATEGIES[provider](options, origins[0]));
    const login = passport.authenticate(name);
    const router = express.Router();
    router.get('/callback', login, (req, res) => show(res, req.user.id));
    router.get('/:index/login', login);
    mounts.set(name, router);
    return port;
  },
  cpu,
  heap,
});
