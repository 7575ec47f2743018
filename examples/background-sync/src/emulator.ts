/** For development only: the emulator plays both providers, and its people sign in by `fetch`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { userTokens } from 'crm-oauth2';
import type { OAuth2Client, TokenSet, TokenStore } from 'crm-oauth2';
import { clientsOf } from './accounts';
import type { Job, Person } from './accounts';

/** Short, so that tokens are refreshed while the example runs. */
const ACCESS_TOKEN_SECONDS = 4;

const DELETE_MS = 1000;

const PEOPLE: Person[] = [
  { provider: 'salesloft', key: 'Marta Quill' },
  { provider: 'salesloft', key: 'Tobias Fenn' },
  { provider: 'salesos', key: 'Suri' },
  { provider: 'salesos', key: 'Marta Quill' },
];

export async function emulate(
  store: TokenStore,
): Promise<Pick<Job, 'providers' | 'people'> & { end: () => Promise<void> }> {
  // An ES module, and loaded only here: with credentials of your own it is not needed.
  const { startEmulator } = await import('crm-emulator');
  const emulator = await startEmulator({ accessTokenTTL: ACCESS_TOKEN_SECONDS });
  const { salesloft, salesos } = emulator;
  const providers = {
    salesloft: { options: salesloft.options, baseURL: `${salesloft.origin}/v2` },
    salesos: {
      options: { ...salesos.options, scope: ['openid', 'offline_access', 'leads:read'] },
      baseURL: `${salesos.origin}/v1`,
    },
  };
  const clients = clientsOf({ providers });
  const accounts = PEOPLE.map(({ provider, key }) => ({
    tokens: userTokens(clients[provider], { store, key }),
    login: async () => await logIn(clients[provider], key),
  }));
  const loggedIn = accounts.map(async ({ tokens, login }) => tokens.save(await login()));
  await Promise.all(loggedIn).catch(async (error: unknown) => {
    await emulator.close();
    throw error;
  });
  return {
    providers,
    people: PEOPLE,
    end: async () => {
      const deleted = Promise.allSettled(accounts.map(({ tokens }) => tokens.delete()));
      // Redis may be away.
      await Promise.race([deleted, sleep(DELETE_MS, undefined, { ref: false })]);
      await emulator.close();
    },
  };
}

async function logIn(client: OAuth2Client, name: string): Promise<TokenSet> {
  const { url, attempt } = client.beginLogin({ redirectUri: 'http://localhost:3000/callback' });
  const query = Object.fromEntries(new URL(await continueAs(name, url)).searchParams);
  const response = await client.validateAuthorizationResponse(query, () => attempt);
  return await client.authorizationCodeGrant(response);
}

/** Presses the person's button on the emulator's page. A real provider asks for a password. */
async function continueAs(name: string, authorizationURL: string): Promise<string> {
  const page = await fetch(authorizationURL);
  const [, person = ''] =
    new RegExp(`value="(\\d+)"[^>]*>\\s*Continue as ${name}`).exec(await page.text()) ?? [];
  const body = new URLSearchParams({ person });
  const step = await fetch(page.url, { method: 'POST', body, redirect: 'manual' });
  const next = new URL(step.headers.get('location') ?? '', page.url);
  const done = await fetch(next, { redirect: 'manual' });
  return done.headers.get('location') ?? '';
}
