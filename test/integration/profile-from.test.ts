/** Salesforce's profile from the ID Token, against the emulator: what is asked, and what the profile is. */
import { expect } from 'chai';
import { startEmulator } from 'crm-emulator';
import type { Emulator } from 'crm-emulator';
import { OAuth2Client } from 'crm-oauth2';
import SalesforceStrategy from 'passport-salesforce-oauth2';
import { Browser } from '../support/browser';

const REDIRECT_URI = 'http://127.0.0.1:3000/auth/callback';
const PEOPLE = ['Marta Quill', 'Zoë Ångström', 'Tobias Fenn', 'Suri'];

describe('Salesforce profile from the ID Token', () => {
  for (const standardClaims of [true, false]) {
    describe(standardClaims ? 'of an app with standard claims' : 'of an app without them', () => {
      let emulator: Emulator;
      before(async () => {
        emulator = await startEmulator({ standardClaims });
      });
      after(() => emulator.close());

      /** A whole login, and the paths that it asked for, keys apart. */
      async function login(profileFrom: 'id_token' | 'identity_url', who: string) {
        const { salesforce } = emulator;
        const { clientID, clientSecret, loginURL } = salesforce.options;
        const options = { clientID, clientSecret, loginURL, profileFrom };
        const client = new OAuth2Client(SalesforceStrategy.salesforce, options);
        try {
          const { url, attempt } = client.beginLogin({ redirectUri: REDIRECT_URI });
          const callback = new URL(await new Browser().signIn(url, who));
          const mark = salesforce.requests.length;
          const answer = Object.fromEntries(callback.searchParams);
          const response = await client.validateAuthorizationResponse(answer, () => attempt);
          const tokens = await client.authorizationCodeGrant(response);
          const profile = await client.fetchProfile(tokens);
          const paths = salesforce.requests
            .slice(mark)
            .map(({ path }) => path)
            .filter((path) => path !== '/id/keys');
          return { profile, paths };
        } finally {
          client.close();
        }
      }

      for (const who of PEOPLE) {
        it(`salesforce 5.4 — ${who} has the same profile, and ${standardClaims ? 'one request less' : 'the identity URL is asked'}`, async () => {
          const usual = await login('identity_url', who);
          const { profile, paths } = await login('id_token', who);
          for (const name of ['id', 'displayName', 'username', 'emails', 'name'] as const) {
            expect(profile[name], name).to.deep.equal(usual.profile[name]);
          }
          expect(paths[0]).to.equal('/services/oauth2/token');
          const hasAsked = !standardClaims || usual.profile.emails === undefined;
          expect(paths).to.have.lengthOf(hasAsked ? 2 : 1);
        });
      }
    });
  }
});
