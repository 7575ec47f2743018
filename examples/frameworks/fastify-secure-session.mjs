/** Log in with Salesforce: Fastify 5, with @fastify/secure-session: all of the session is in its cookie. */
import formbody from '@fastify/formbody';
import { Authenticator } from '@fastify/passport';
import secureSession from '@fastify/secure-session';
import { MemoryTokenStore, userTokens } from 'crm-oauth2';
import Fastify from 'fastify';
import { Strategy } from 'passport-salesforce-oauth2';

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
// @fastify/passport empties the session at each login. Logins that other tabs have begun stay.
const passport = new Authenticator({ clearSessionIgnoreFields: ['oauth2:salesforce'] });
passport.use(strategy);
passport.registerUserSerializer(async (user) => user);
passport.registerUserDeserializer(async (user) => user);

const escape = (text = '') => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
const html = (reply, status, text) => reply.code(status).type('text/html').send(text);

const app = Fastify({ logger: { level: 'warn' }, trustProxy: secure });
app.register(formbody); // for the form that logs out
app.register(secureSession, {
  secret: SESSION_SECRET, // 32 characters or more
  salt: 'frameworks-login', // 16 characters of your own
  cookie: { path: '/', httpOnly: true, sameSite: 'lax', secure },
});
app.register(passport.initialize());
app.register(passport.secureSession());

app.get('/', ({ user }, reply) =>
  html(
    reply,
    200,
    user
      ? `<p>Signed in as ${escape(user.name)}.</p>
         <form method="post" action="/logout"><button>Log out</button></form>`
      : '<a href="/auth/salesforce">Log in with Salesforce</a>',
  ),
);

app.get('/auth/salesforce', passport.authenticate('salesforce'));

app.get(
  '/auth/salesforce/callback',
  passport.authenticate('salesforce', async (request, reply, error, user, info, status) => {
    if (error) throw error;
    if (user) {
      await request.logIn(user);
      return reply.redirect('/');
    }
    // The person refused, or the login was lost on its way.
    return html(
      reply,
      status ?? 401,
      `<h1>You are not logged in</h1><p>${escape(info?.message)}</p>
       <p>For the developer: ${escape(info?.hint)}</p><a href="/auth/salesforce">Try again</a>`,
    );
  }),
);

app.post('/logout', async (request, reply) => {
  const { user } = request;
  await request.logOut();
  if (user) await tokensOf(user).revoke().catch(console.error);
  return reply.redirect('/', 303);
});

app.setErrorHandler((error, request, reply) => {
  request.log.error(error); // code, stage, host, hint and cause, without any secret
  return html(
    reply,
    502,
    `<h1>That failed</h1><p>${escape(error.code)}</p><a href="/">Go back</a>`,
  );
});

await app.listen({ port: PORT });
console.log(`Open ${BASE_URL}`);
