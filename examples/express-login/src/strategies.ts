/** The three strategies. The caller passes the credentials, of the real provider or of the emulator. */
import { PostgresTokenStore, userTokens } from 'crm-oauth2';
import type { PostgresClient, TokenSet, UserTokens } from 'crm-oauth2';
import type { Request } from 'express';
import { Passport } from 'passport';
import { Strategy as SalesforceStrategy } from 'passport-salesforce-oauth2';
import { CookieStateStore, Strategy as SalesloftStrategy } from 'passport-salesloft';
import { Strategy as SalesosStrategy } from 'passport-salesos';
import { AccountProblem } from './accounts';
import type { Accounts } from './accounts';
import type { ProviderName } from './providers';
import { deriveSecret } from './secrets';
import type { Secrets } from './secrets';
import { toPerson, tokenFacts } from './user';
import type { Login, Person, User } from './user';

interface Credentials {
  clientID: string;
  clientSecret: string;
}

export interface ProviderOptions {
  salesloft: Credentials & { authorizationURL?: string; tokenURL?: string; profileURL?: string };
  salesos: Credentials & { issuer?: string };
  salesforce: Credentials & { loginURL?: string; allowedLoginURLs?: readonly string[] };
}

/** The application's own state of a login: it waits in the cookie of the pending login, encrypted. */
export interface LoginState {
  /** The account that asked to be linked. */
  linkTo?: string;
}

/** The user of a login, and what the session keeps of it. */
export interface SignedIn extends User {
  login: Login;
  isLinked: boolean;
}

interface Parts {
  baseURL: string;
  secrets: Secrets;
  accounts: Accounts;
  client: PostgresClient;
}

/** Finds or makes the account of a login, or links it, and keeps the tokens. */
type Admit = (login: Admission) => Promise<SignedIn>;

export function createPassport(
  options: ProviderOptions,
  { baseURL, secrets, accounts, client }: Parts,
) {
  const passport = new Passport();
  const tokenStore = new PostgresTokenStore({ client, secrets: [secrets.token] });
  const common = {
    // Pending logins wait in encrypted cookies, one each: tabs that start at the same moment all finish,
    // and a login that begins at one instance may end at another.
    store: new CookieStateStore({
      secrets: [deriveSecret(secrets.session, 'pending logins')],
      secure: baseURL.startsWith('https:'),
    }),
    // Refresh tokens, for access that lasts.
    offline: true,
  };

  const admit: Admit = async ({ person, tokens, req, state, login }) => {
    const { linkTo } = (state ?? {}) as LoginState;
    const { user: current } = req;
    // Another account, or none, may be signed in by now.
    if (linkTo !== undefined && current?.id !== linkTo) throw new AccountProblem('link_signed_out');
    const facts = tokenFacts(tokens);
    const isLinked = linkTo !== undefined && current !== undefined;
    const user = isLinked
      ? await accounts.link(current, person, facts)
      : await accounts.signIn(person, facts);
    await tokensOf(person).save(tokens);
    return { ...user, login, isLinked };
  };

  const strategies = {
    salesloft: salesloftStrategy({ ...options.salesloft, ...common }, baseURL, admit),
    salesos: salesosStrategy({ ...options.salesos, ...common }, baseURL, admit),
    salesforce: salesforceStrategy({ ...options.salesforce, ...common }, baseURL, admit),
  };
  for (const strategy of Object.values(strategies)) passport.use(strategy);

  /** The tokens of one person at a CRM, which are refreshed when they need it. */
  function tokensOf({
    provider,
    person_id: key,
  }: Pick<Person, 'provider' | 'person_id'>): UserTokens {
    return userTokens(strategies[provider as ProviderName].client, { store: tokenStore, key });
  }

  // The session keeps the keys. Everything else is read from the database at each request.
  passport.serializeUser(({ id, connection, provider }, done) =>
    done(null, { id, connection, provider }),
  );
  passport.deserializeUser<Omit<User, 'displayName'>>((keys, done) => {
    accounts.find(keys).then((user) => done(null, user ?? false), done);
  });

  return { passport, strategies, tokenStore, tokensOf };
}

/** The options of all three strategies. */
interface Common {
  store: CookieStateStore;
  offline: boolean;
}

function salesloftStrategy(
  options: ProviderOptions['salesloft'] & Common,
  baseURL: string,
  admit: Admit,
) {
  return new SalesloftStrategy({
    ...options,
    callbackURL: `${baseURL}/auth/salesloft/callback`,
    verify: async ({ profile, tokens, req, state }) => {
      // Salesloft signs in deactivated people too. The other two refuse them.
      if (profile.active === false) return false;
      const person = toPerson(profile, tokens, profile.teamId);
      return await admit({ person, tokens, req, state, login: { raw: profile._json } });
    },
  });
}

function salesosStrategy(
  options: ProviderOptions['salesos'] & Common,
  baseURL: string,
  admit: Admit,
) {
  const strategy: SalesosStrategy = new SalesosStrategy({
    ...options,
    callbackURL: `${baseURL}/auth/salesos/callback`,
    // Invitation links: /auth/salesos?organization=…&invitation=…
    extrasFromQuery: ['organization', 'invitation'],
    verify: async ({ profile, tokens, req, state }) => {
      const person = toPerson(profile, tokens, profile.organizationId);
      const logoutURL = strategy.client.buildEndSessionUrl({
        tokens,
        postLogoutRedirectUri: `${baseURL}/?loggedOut=salesos`,
      });
      return await admit({ person, tokens, req, state, login: { raw: profile._json, logoutURL } });
    },
  });
  return strategy;
}

function salesforceStrategy(
  options: ProviderOptions['salesforce'] & Common,
  baseURL: string,
  admit: Admit,
) {
  const strategy: SalesforceStrategy = new SalesforceStrategy({
    ...options,
    callbackURL: `${baseURL}/auth/salesforce/callback`,
    // The default, and `api` for the calls of the page of connections.
    scope: 'openid id profile email api',
    verify: async ({ profile, tokens, req, state }) => {
      const person = toPerson(profile, tokens, profile.organizationId);
      // Only the My Domain of an organization has one.
      const logoutURL = strategy.client.buildEndSessionUrl({ tokens });
      return await admit({ person, tokens, req, state, login: { raw: profile._json, logoutURL } });
    },
  });
  return strategy;
}

export type Logins = ReturnType<typeof createPassport>;

interface Admission {
  person: Person;
  tokens: TokenSet;
  req: Request;
  state: unknown;
  login: Login;
}
