/** The example application with an emulator beside it, both on free ports, and a browser to visit it. */
import { unsubscribe } from 'node:diagnostics_channel';
import { createServer } from 'node:http';
import type { Agent } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Emulator, EmulatorOptions } from 'crm-emulator';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { Accounts } from '../../examples/express-login/dist/accounts';
import { createApp } from '../../examples/express-login/dist/app';
import type { Database } from '../../examples/express-login/dist/database';
import { playedBy } from '../../examples/express-login/dist/emulator';
import { createLog } from '../../examples/express-login/dist/log';
import type { Logger } from '../../examples/express-login/dist/log';
import { noteEvent, seeTheLogin } from '../../examples/express-login/dist/see-the-login';
import { createPassport } from '../../examples/express-login/dist/strategies';
import type { Logins } from '../../examples/express-login/dist/strategies';
import { CHROMIUM, needChromium } from '../support/chromium';
import { newDatabase } from './database';

export interface Example {
  /** `http://localhost` and the port. */
  baseURL: string;
  emulator: Emulator;
  database: Database;
  accounts: Accounts;
  logins: Logins;
  log: Logger;
  close(): Promise<void>;
}

interface OwnOptions {
  /** Of the strategies, in place of their own. */
  timeout?: number;
  agent?: Agent;
  /** Of the application. */
  showLogins?: boolean;
}

export async function startExample({
  timeout,
  agent,
  showLogins = true,
  ...options
}: EmulatorOptions & OwnOptions = {}): Promise<Example> {
  const { startEmulator } = await import('crm-emulator');
  const origins = { sandbox: true, myDomain: true };
  const emulator = await startEmulator({ port: 0, origins, ...options });
  const database = await newDatabase();
  const own = { ...(timeout !== undefined && { timeout }), ...(agent && { agent }) };
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const baseURL = `http://localhost:${(server.address() as AddressInfo).port}`;
  const { providers: emulated, ...played } = playedBy(emulator);
  const providers = {
    salesloft: { ...emulated.salesloft, ...own },
    salesos: { ...emulated.salesos, ...own },
    salesforce: { ...emulated.salesforce, ...own },
  };
  const secrets = { session: 'a secret for tests only', token: 'for tests only, too: '.repeat(2) };
  const accounts = new Accounts(database.db);
  const { client } = database;
  const logins = createPassport(providers, { baseURL, secrets, accounts, client });
  const log = createLog('error', {
    write: (line) => console.error((JSON.parse(line) as { msg: string }).msg),
  });
  server.on(
    'request',
    createApp({
      ...played,
      baseURL,
      database,
      secrets,
      accounts,
      logins,
      log,
      providers,
      forDevelopers: showLogins ? seeTheLogin(database.db, log) : undefined,
    }),
  );
  return {
    baseURL,
    emulator,
    database,
    accounts,
    logins,
    log,
    async close() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      server.closeAllConnections();
      unsubscribe('crm-oauth2', noteEvent);
      await Promise.all([closed, emulator.close()]);
      await database.close();
    },
  };
}

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Needs chromium: see {@link needChromium}. */
export async function launchBrowser(suite: Mocha.Context): Promise<Browser> {
  needChromium(suite);
  return await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

/** The browser of one person: with its own cookies, and without access to other machines. */
export async function newPerson(
  browser: Browser,
  options?: BrowserContextOptions,
): Promise<BrowserContext> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(8000);
  await context.route(
    ({ hostname }) => hostname !== 'localhost' && hostname !== '127.0.0.1',
    (route) => route.abort(),
  );
  return context;
}

/** Goes from the start page to the provider's sign-in page. */
export async function startLogin(page: Page, { baseURL }: Example, provider: string) {
  await page.goto(baseURL);
  await page.getByRole('link', { name: `Log in with ${provider}`, exact: true }).click();
  await page.getByRole('heading', { name: 'Who is signing in?' }).waitFor();
}

/** Chooses on the provider's sign-in page, and waits for the next page of the application. */
export async function answer(page: Page, { baseURL }: Example, button: string) {
  const back = page.waitForResponse(
    (response) =>
      response.url().startsWith(baseURL) &&
      response.request().isNavigationRequest() &&
      response.status() !== 302,
  );
  await page.getByRole('button', { name: button, exact: true }).click();
  const response = await back;
  await page.waitForLoadState();
  return response;
}

/** The value beside a term in the page's list of facts. */
export async function fact(page: Page, term: string): Promise<string> {
  const row = page.locator('dl > div').filter({ has: page.getByText(term, { exact: true }) });
  // Folded parts have no inner text.
  return ((await row.locator('dd').textContent()) ?? '').replace(/\s+/g, ' ').trim();
}

export async function heading(page: Page): Promise<string> {
  return await page.getByRole('heading', { level: 1 }).innerText();
}
