/** Logs in with each strategy through Express and Passport, as an application does, at the emulator. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startEmulator } from 'crm-emulator';
import { MemoryTokenStore, SealedValues, userTokens } from 'crm-oauth2';
import type { TokenSet } from 'crm-oauth2';
import { CookieStateStore } from 'crm-oauth2/passport';
import express from 'express';
import type { RequestHandler } from 'express';
import passport from 'passport';
import SalesforceStrategy from 'passport-salesforce-oauth2';
import SalesloftStrategy from 'passport-salesloft';
import SalesosStrategy from 'passport-salesos';
import { Browser } from '../../support/browser';

const NAMES = ['salesloft', 'salesos', 'salesforce'];
const PERSON = 'Zoë Ångström';
const SECRETS = ['a secret of at least thirty-two characters'];

const store = new MemoryTokenStore();

type Client = Parameters<typeof userTokens>[0] & {
  refreshTokenGrant(refreshToken: string): Promise<TokenSet>;
};

/** The options that each strategy has besides those of its provider. */
function ownOptions(name: string, origin: string) {
  return {
    callbackURL: `${origin}/auth/${name}/callback`,
    offline: true,
    store: new CookieStateStore({ secrets: SECRETS, secure: false }),
  };
}

/** @returns for each strategy, its name, and the name of the person who logged in */
export async function logInEverywhere(): Promise<string[]> {
  const emulator = await startEmulator();
  const app = express();
  const server = createServer(app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const salesloft = new SalesloftStrategy({
    ...emulator.salesloft.options,
    ...ownOptions('salesloft', origin),
    verify: async ({ profile, tokens }) => {
      await userTokens(salesloft.client, { store, key: 'salesloft' }).save(tokens);
      return profile;
    },
  });
  const salesos = new SalesosStrategy({
    ...emulator.salesos.options,
    ...ownOptions('salesos', origin),
    verify: async ({ profile, tokens }) => {
      await userTokens(salesos.client, { store, key: 'salesos' }).save(tokens);
      return profile;
    },
  });
  const salesforce = new SalesforceStrategy({
    ...emulator.salesforce.options,
    ...ownOptions('salesforce', origin),
    verify: async ({ profile, tokens }) => {
      await userTokens(salesforce.client, { store, key: 'salesforce' }).save(tokens);
      return profile;
    },
  });
  for (const strategy of [salesloft, salesos, salesforce]) passport.use(strategy);
  for (const name of NAMES) {
    const authenticate = passport.authenticate(name, { session: false }) as RequestHandler;
    app.get(`/auth/${name}`, authenticate);
    app.get(`/auth/${name}/callback`, authenticate, (request, response) => {
      response.json(request.user);
    });
  }

  try {
    const found: string[] = [];
    for (const name of NAMES) found.push(`${name}: ${await logIn(`${origin}/auth/${name}`)}`);
    await refresh(salesloft.client, 'salesloft');
    await refresh(salesos.client, 'salesos');
    await refresh(salesforce.client, 'salesforce');
    await sealAndOpen();
    return found;
  } finally {
    for (const { client } of [salesloft, salesos, salesforce]) client.close();
    server.close();
    server.closeAllConnections();
    await emulator.close();
  }
}

/** @returns the name of the person */
async function logIn(url: string): Promise<string> {
  const browser = new Browser();
  const started = await browser.visit(url);
  const location = started.headers.get('location');
  if (location === null) throw new Error(`No redirect: ${await started.text()}`);
  const finished = await browser.visit(await new Browser().signIn(location, PERSON));
  const text = await finished.text();
  if (finished.status !== 200) throw new Error(text);
  return (JSON.parse(text) as { displayName: string }).displayName;
}

/** Refreshes the tokens that verify kept. */
async function refresh(client: Client, key: string): Promise<void> {
  const kept = await userTokens(client, { store, key }).getTokens();
  const { accessToken } = await client.refreshTokenGrant(kept.refreshToken ?? '');
  if (accessToken === kept.accessToken)
    throw new Error('The refreshed access token is the old one.');
}

/** Needs jose, as do the cookie of a pending login and the ID Token. */
async function sealAndOpen(): Promise<void> {
  const sealed = await new SealedValues(SECRETS).seal('key', 'value');
  if ((await new SealedValues(SECRETS).open('key', sealed)) !== 'value') {
    throw new Error('The sealed value is another one when it is opened.');
  }
}
