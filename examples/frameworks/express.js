/** Log in with Salesforce: Express 4 or 5, with express-session. */
'use strict';
const { MemoryTokenStore, userTokens } = require('crm-oauth2');
const express = require('express');
const session = require('express-session');
const passport = require('passport');
const { Strategy } = require('passport-salesforce-oauth2');

const { PORT = 3000, BASE_URL = `http://localhost:${PORT}`, SESSION_SECRET } = process.env;
const secure = BASE_URL.startsWith('https:');

const store = new MemoryTokenStore(); // one process, until it ends; Redis or PostgreSQL keep tokens
const tokensOf = ({ id }) => userTokens(strategy.client, { store, key: id });
const strategy = new Strategy({
  clientID: process.env.SALESFORCE_CLIENT_ID,
  clientSecret: process.env.SALESFORCE_CLIENT_SECRET,
  loginURL: process.env.SALESFORCE_LOGIN_URL, // such as https://test.salesforce.com
  callbackURL: `${BASE_URL}/auth/salesforce/callback`,
  verify: async ({ profile, tokens }) => {
    await tokensOf(profile).save(tokens);
    return { id: profile.id, name: profile.displayName };
  },
});
passport.use(strategy);
// The whole user is kept, because it is small. Keep only the id of a larger one, and look it up.
passport.serializeUser((user, done) => done(null, user));
passport.deserializeUser((user, done) => done(null, user));

const escape = (text = '') => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

const app = express();
if (secure) app.set('trust proxy', 1); // the proxy that ends TLS
app.use(
  session({
    secret: SESSION_SECRET,
    resave: false,
    saveUninitialized: false,
    cookie: { sameSite: 'lax', secure },
  }),
);
app.use(passport.session());

app.get('/', ({ user }, res) => {
  res.send(
    user
      ? `<p>Signed in as ${escape(user.name)}.</p>
         <form method="post" action="/logout"><button>Log out</button></form>`
      : '<a href="/auth/salesforce">Log in with Salesforce</a>',
  );
});

app.get('/auth/salesforce', passport.authenticate('salesforce'));

app.get('/auth/salesforce/callback', (req, res, next) => {
  passport.authenticate('salesforce', (error, user, info, status) => {
    if (error) return next(error);
    if (user) return req.logIn(user, (failed) => (failed ? next(failed) : res.redirect('/')));
    // The person refused, or the login was lost on its way.
    res.status(status ?? 401).send(
      `<h1>You are not logged in</h1><p>${escape(info?.message)}</p>
       <p>For the developer: ${escape(info?.hint)}</p><a href="/auth/salesforce">Try again</a>`,
    );
  })(req, res, next);
});

app.post('/logout', (req, res, next) => {
  const { user } = req;
  req.logout((error) => {
    if (error) return next(error);
    const revoked = user ? tokensOf(user).revoke() : Promise.resolve();
    revoked.catch(console.error).finally(() => res.redirect(303, '/'));
  });
});

app.use((error, req, res, _next) => {
  console.error(error); // code, stage, host, hint and cause, without any secret
  res.status(502).send(`<h1>That failed</h1><p>${escape(error.code)}</p><a href="/">Go back</a>`);
});

app.listen(PORT, () => console.log(`Open ${BASE_URL}`));
