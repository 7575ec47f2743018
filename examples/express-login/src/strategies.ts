/** The three strategies. The caller passes the credentials, of the real provider or of the emulator. */
import { MemoryTokenStore, userTokens } from 'crm-oauth2';
import { Passport } from 'passport';
import { Strategy as SalesforceStrategy } from 'passport-salesforce-oauth2';
import { Strategy as SalesloftStrategy } from 'passport-salesloft';
import { Strategy as SalesosStrategy } from 'passport-salesos';
import { toUser } from './user';
import type { User } from './user';

interface Credentials {
  clientID: string;
  clientSecret: string;
}

export interface ProviderOptions {
  salesloft: Credentials & { authorizationURL?: string; tokenURL?: string; profileURL?: string };
  salesos: Credentials & { issuer?: string };
  salesforce: Credentials & { loginURL?: string; allowedLoginURLs?: readonly string[] };
}

export type ProviderName = keyof ProviderOptions;

export const TITLES: Readonly<Record<ProviderName, string>> = {
  salesloft: 'Salesloft',
  salesos: 'SalesOS',
  salesforce: 'Salesforce',
};
export const PROVIDERS = Object.keys(TITLES) as ProviderName[];

export function createPassport(baseURL: string, options: ProviderOptions) {
  const passport = new Passport();
  // The tokens wait here for the logout that revokes them. They are in memory, as the sessions are.
  const store = new MemoryTokenStore();

  const salesloft: SalesloftStrategy = new SalesloftStrategy({
    ...options.salesloft,
    callbackURL: `${baseURL}/auth/salesloft/callback`,
    verify: async ({ profile, tokens }) => {
      // Salesloft signs in deactivated people too. The other two refuse them.
      if (profile.active === false) return false;
      await userTokens(salesloft.client, { store, key: profile.id }).save(tokens);
      return toUser(profile, tokens, profile.teamId);
    },
  });

  const salesos: SalesosStrategy = new SalesosStrategy({
    ...options.salesos,
    callbackURL: `${baseURL}/auth/salesos/callback`,
    // Invitation links: /auth/salesos?organization=…&invitation=…
    extrasFromQuery: ['organization', 'invitation'],
    verify: ({ profile, tokens }) => ({
      ...toUser(profile, tokens, profile.organizationId),
      logoutURL: salesos.client.buildEndSessionUrl({
        tokens,
        postLogoutRedirectUri: `${baseURL}/?loggedOut=salesos`,
      }),
    }),
  });

  const salesforce: SalesforceStrategy = new SalesforceStrategy({
    ...options.salesforce,
    callbackURL: `${baseURL}/auth/salesforce/callback`,
    verify: async ({ profile, tokens }) => {
      await userTokens(salesforce.client, { store, key: profile.id }).save(tokens);
      return {
        ...toUser(profile, tokens, profile.organizationId),
        // Only the My Domain of an organization has one.
        logoutURL: salesforce.client.buildEndSessionUrl({ tokens }),
      };
    },
  });

  passport.use(salesloft).use(salesos).use(salesforce);

  // This demo keeps the whole user in the session. A real application has a table of users with a
  // unique key over (provider, id): `verify` finds or creates the row, and the session keeps its key.
  passport.serializeUser((user, done) => done(null, user));
  passport.deserializeUser<User>((user, done) => done(null, user));

  /** Ends the access of this site to the account. Nothing is kept of SalesOS: its access tokens just end. */
  async function revoke({ provider, id: key }: User): Promise<void> {
    const strategy = [salesloft, salesforce].find(({ name }) => name === provider);
    if (strategy) await userTokens(strategy.client, { store, key }).revoke();
  }

  return { passport, revoke };
}
