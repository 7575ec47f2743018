/** Log in with Salesforce: a Next route handler, with iron-session. It is Next's file app/[[...path]]/route.js. */
import { MemoryTokenStore, userTokens } from 'crm-oauth2';
import { getIronSession } from 'iron-session';
import { CookieStateStore, Strategy, loginHandler } from 'passport-salesforce-oauth2';

const { BASE_URL = 'http://localhost:3000', SESSION_SECRET } = process.env;
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

// In a page or a server action: getIronSession(await cookies(), options)
const options = {
  cookieName: 'user',
  password: SESSION_SECRET,
  cookieOptions: { sameSite: 'lax', secure },
};
const escape = (text = '') => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
const page = (status, body) =>
  new Response(body, { status, headers: { 'content-type': 'text/html; charset=utf-8' } });
const redirectHome = () => new Response(null, { status: 303, headers: { location: '/' } });

const login = loginHandler(strategy, {
  success: async ({ user, request }) => {
    const response = redirectHome();
    const session = await getIronSession(request, response, options);
    session.user = user;
    await session.save();
    return response;
  },
  // The person refused, or the login was lost on its way.
  failure: ({ info, status }) =>
    page(
      status,
      `<h1>You are not logged in</h1><p>${escape(info.message)}</p>
       <p>For the developer: ${escape(info.hint)}</p><a href="/auth/salesforce">Try again</a>`,
    ),
  error: ({ error }) => {
    console.error(error); // code, stage, host, hint and cause, without any secret
    return page(502, `<h1>That failed</h1><p>${escape(error.code)}</p><a href="/">Go back</a>`);
  },
});

async function home(request) {
  const { user } = await getIronSession(request, new Response(), options);
  return page(
    200,
    user
      ? `<p>Signed in as ${escape(user.name)}.</p>
         <form method="post" action="/logout"><button>Log out</button></form>`
      : '<a href="/auth/salesforce">Log in with Salesforce</a>',
  );
}

async function logout(request) {
  const response = redirectHome();
  const session = await getIronSession(request, response, options);
  const { user } = session;
  session.destroy();
  if (user) await tokensOf(user).revoke().catch(console.error);
  return response;
}

// Most applications have a file for each, and tokens in Redis or PostgreSQL.
const routes = {
  'GET /': home,
  'GET /auth/salesforce': login,
  'GET /auth/salesforce/callback': login,
  'POST /logout': logout,
};
const route = (request) => {
  const handle = routes[`${request.method} ${new URL(request.url).pathname}`];
  return handle ? handle(request) : page(404, 'Not found');
};
export { route as GET, route as POST };
