/** Log in with Salesforce: Koa 3, with koa-passport and koa-session. */
import Router from '@koa/router';
import { MemoryTokenStore, userTokens } from 'crm-oauth2';
import Koa from 'koa';
import passport from 'koa-passport';
import session from 'koa-session';
import { CookieStateStore, Strategy } from 'passport-salesforce-oauth2';

const { PORT = 3000, BASE_URL = `http://localhost:${PORT}`, SESSION_SECRET } = process.env;
const secure = BASE_URL.startsWith('https:');

const store = new MemoryTokenStore(); // one process, until it ends; Redis or PostgreSQL keep tokens
const tokensOf = ({ id }) => userTokens(strategy.client, { store, key: id });
const strategy = new Strategy({
  clientID: process.env.SALESFORCE_CLIENT_ID,
  clientSecret: process.env.SALESFORCE_CLIENT_SECRET,
  loginURL: process.env.SALESFORCE_LOGIN_URL, // such as https://test.salesforce.com
  callbackURL: `${BASE_URL}/auth/salesforce/callback`,
  // Encrypted. The cookie of koa-session is only signed, and too small for several pending logins.
  store: new CookieStateStore({ secrets: [SESSION_SECRET], secure }), // 32 characters or more
  verify: async ({ profile, tokens }) => {
    await tokensOf(profile).save(tokens);
    return { id: profile.id, name: profile.displayName };
  },
});
passport.use(strategy);
passport.serializeUser((user, done) => done(null, user));
passport.deserializeUser((user, done) => done(null, user));

const escape = (text = '') => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

const app = new Koa({ proxy: secure });
app.keys = [SESSION_SECRET];
app.use(async (ctx, next) => {
  try {
    await next();
  } catch (error) {
    console.error(error); // code, stage, host, hint and cause, without any secret
    ctx.status = 502;
    ctx.body = `<h1>That failed</h1><p>${escape(error.code)}</p><a href="/">Go back</a>`;
  }
});
app.use(session({ sameSite: 'lax', secure }, app));
app.use(passport.initialize());
app.use(passport.session());

const router = new Router();
router.get('/', (ctx) => {
  const { user } = ctx.state;
  ctx.body = user
    ? `<p>Signed in as ${escape(user.name)}.</p>
       <form method="post" action="/logout"><button>Log out</button></form>`
    : '<a href="/auth/salesforce">Log in with Salesforce</a>';
});

router.get('/auth/salesforce', passport.authenticate('salesforce'));

router.get('/auth/salesforce/callback', (ctx, next) =>
  passport.authenticate('salesforce', async (error, user, info, status) => {
    if (error) throw error;
    if (user) {
      await ctx.login(user);
      ctx.redirect('/');
    } else {
      // The person refused, or the login was lost on its way.
      ctx.status = status ?? 401;
      ctx.body = `<h1>You are not logged in</h1><p>${escape(info?.message)}</p>
        <p>For the developer: ${escape(info?.hint)}</p><a href="/auth/salesforce">Try again</a>`;
    }
  })(ctx, next),
);

router.post('/logout', async (ctx) => {
  const { user } = ctx.state;
  await ctx.logout();
  if (user) await tokensOf(user).revoke().catch(console.error);
  ctx.status = 303;
  ctx.redirect('/');
});

app.use(router.routes());
app.listen(PORT, () => console.log(`Open ${BASE_URL}`));
