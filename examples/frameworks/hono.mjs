/** Log in with Salesforce: Hono, with `loginHandler` and a JWT in a cookie, without Passport. */
import { serve } from '@hono/node-server';
import { MemoryTokenStore, userTokens } from 'crm-oauth2';
import { Hono } from 'hono';
import { deleteCookie, generateCookie, getCookie } from 'hono/cookie';
import { html } from 'hono/html';
import { sign, verify } from 'hono/jwt';
import { CookieStateStore, Strategy, loginHandler } from 'passport-salesforce-oauth2';

const { PORT = 3000, BASE_URL = `http://localhost:${PORT}`, SESSION_SECRET } = process.env;
const secure = BASE_URL.startsWith('https:');

const store = new MemoryTokenStore(); // one process, until it ends; Redis or PostgreSQL keep tokens
const tokensOf = ({ id }) => userTokens(strategy.client, { store, key: id });
const strategy = new Strategy({
  clientID: process.env.SALESFORCE_CLIENT_ID,
  clientSecret: process.env.SALESFORCE_CLIENT_SECRET,
  loginURL: process.env.SALESFORCE_LOGIN_URL, // such as https://test.salesforce.com
  callbackURL: `${BASE_URL}/auth/salesforce/callback`,
  store: new CookieStateStore({ secrets: [SESSION_SECRET], secure }), // 32 characters or more
  verify: async ({ profile, tokens }) => {
    await tokensOf(profile).save(tokens);
    return { id: profile.id, name: profile.displayName };
  },
});

// The person stays signed in by a JWT in a cookie.
const maxAge = 8 * 60 * 60; // seconds
const cookieOptions = { path: '/', httpOnly: true, sameSite: 'Lax', secure, maxAge };
const userOf = (c) =>
  verify(getCookie(c, 'user') ?? '', SESSION_SECRET, 'HS256').then(
    ({ user }) => user,
    () => undefined,
  );

const page = async (status, body) =>
  new Response(await body, { status, headers: { 'content-type': 'text/html; charset=utf-8' } });

const login = loginHandler(strategy, {
  success: async ({ user }) => {
    const exp = Math.floor(Date.now() / 1000) + maxAge;
    const cookie = generateCookie('user', await sign({ user, exp }, SESSION_SECRET), cookieOptions);
    return new Response(null, { status: 303, headers: { location: '/', 'set-cookie': cookie } });
  },
  // The person refused, or the login was lost on its way.
  failure: ({ info, status }) =>
    page(
      status,
      html`<h1>You are not logged in</h1>
        <p>${info.message}</p>
        <p>For the developer: ${info.hint}</p>
        <a href="/auth/salesforce">Try again</a>`,
    ),
});

const app = new Hono();
app.get('/', async (c) => {
  const user = await userOf(c);
  return c.html(
    user
      ? html`<p>Signed in as ${user.name}.</p>
          <form method="post" action="/logout"><button>Log out</button></form>`
      : html`<a href="/auth/salesforce">Log in with Salesforce</a>`,
  );
});
app.get('/auth/salesforce', (c) => login(c.req.raw));
app.get('/auth/salesforce/callback', (c) => login(c.req.raw));
app.post('/logout', async (c) => {
  const user = await userOf(c);
  deleteCookie(c, 'user', cookieOptions);
  if (user) await tokensOf(user).revoke().catch(console.error);
  return c.redirect('/', 303);
});
app.onError((error) => {
  console.error(error); // code, stage, host, hint and cause, without any secret
  return page(
    502,
    html`<h1>That failed</h1>
      <p>${error.code}</p>
      <a href="/">Go back</a>`,
  );
});

serve({ fetch: app.fetch, port: Number(PORT) }, () => console.log(`Open ${BASE_URL}`));
