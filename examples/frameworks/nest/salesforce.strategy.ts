/** The strategy of `AuthGuard('salesforce')`, and the tokens of the people who have logged in. */
import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { MemoryTokenStore, userTokens } from 'crm-oauth2';
import { Strategy } from 'passport-salesforce-oauth2';

const { PORT = '3000' } = process.env;
export const { BASE_URL = `http://localhost:${PORT}`, SESSION_SECRET = '' } = process.env;
export const secure = BASE_URL.startsWith('https:');
const { SALESFORCE_CLIENT_ID = '', SALESFORCE_CLIENT_SECRET = '' } = process.env;

/** What the session keeps. */
export interface Person {
  id: string;
  name: string;
}

@Injectable()
export class SalesforceStrategy extends PassportStrategy(Strategy, 'salesforce') {
  // One process, until it ends; Redis or PostgreSQL keep tokens.
  readonly #store = new MemoryTokenStore();

  constructor() {
    super({
      clientID: SALESFORCE_CLIENT_ID,
      clientSecret: SALESFORCE_CLIENT_SECRET,
      loginURL: process.env.SALESFORCE_LOGIN_URL, // such as https://test.salesforce.com
      callbackURL: `${BASE_URL}/auth/salesforce/callback`,
    });
  }

  async validate(
    accessToken: string,
    refreshToken: string | undefined,
    profile: Strategy.Profile,
  ): Promise<Person> {
    await this.tokensOf(profile).save({ accessToken, refreshToken });
    return { id: profile.id, name: profile.displayName };
  }

  tokensOf({ id }: Pick<Person, 'id'>) {
    return userTokens(this.client, { store: this.#store, key: id });
  }
}
