/** The three strategies. The caller passes the credentials, of the real provider or of the emulator. */
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
  salesforce: Credentials & { loginURL?: string };
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

  passport.use(
    new SalesloftStrategy({
      ...options.salesloft,
      callbackURL: `${baseURL}/auth/salesloft/callback`,
      // Salesloft signs in deactivated people too. The other two refuse them.
      verify: ({ profile, tokens }) =>
        profile.active === false ? false : toUser(profile, tokens, profile.teamId),
    }),
  );

  passport.use(
    new SalesosStrategy({
      ...options.salesos,
      callbackURL: `${baseURL}/auth/salesos/callback`,
      verify: ({ profile, tokens }) => toUser(profile, tokens, profile.organizationId),
    }),
  );

  passport.use(
    new SalesforceStrategy({
      ...options.salesforce,
      callbackURL: `${baseURL}/auth/salesforce/callback`,
      verify: ({ profile, tokens }) => toUser(profile, tokens, profile.organizationId),
    }),
  );

  // This demo keeps the whole user in the session. A real application has a table of users with a
  // unique key over (provider, id): `verify` finds or creates the row, and the session keeps its key.
  passport.serializeUser((user, done) => done(null, user));
  passport.deserializeUser<User>((user, done) => done(null, user));

  return passport;
}
