/** The code of docs/accounts-and-linking.md, run against the emulator as it is written there. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { startEmulator } from 'crm-emulator';
import type { Emulator } from 'crm-emulator';
import express from 'express';
import session from 'express-session';
import { Passport } from 'passport';
import { Strategy as SalesforceStrategy } from 'passport-salesforce-oauth2';
import { Strategy as SalesloftStrategy } from 'passport-salesloft';
import { Browser } from './support/browser';
import { blocks, run } from './support/pages';

const PAGE = 'docs/accounts-and-linking.md';

describe('pages — Accounts and linking', () => {
  let emulator: Emulator;
  let server: Server;
  let origin: string;

  before(async () => {
    emulator = await startEmulator();
    const passport = new Passport();
    passport.serializeUser((user, done) => done(null, user));
    passport.deserializeUser<Express.User>((user, done) => done(null, user));
    const app = express();
    app.use(session({ secret: 'test only', resave: false, saveUninitialized: false }));
    app.use(passport.session());
    const options = (name: 'salesloft' | 'salesforce') => ({
      ...emulator[name].options,
      callbackURL: `/auth/${name}/callback`,
    });
    await run(blocks(PAGE, 'Log in, and link')[0] ?? '', 'undefined', {
      passport,
      app,
      SalesloftStrategy,
      SalesforceStrategy,
      salesloft: options('salesloft'),
      salesforce: options('salesforce'),
    });
    app.get('/', ({ user, query }, res) => {
      res.json({ user, failed: 'failed' in query });
    });
    server = app.listen(0);
    await once(server, 'listening');
    origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  });
  after(async () => {
    server.closeAllConnections();
    server.close();
    await emulator.close();
  });

  interface Home {
    user?: { id: string };
    failed: boolean;
  }

  /** Follows a login or a link to its end. */
  async function finish(browser: Browser, begun: Response, who: string): Promise<Home> {
    const callback = await browser.signIn(begun.headers.get('location') ?? '', who);
    const { response } = await browser.follow(callback);
    return (await response?.json()) as Home;
  }
  const logIn = async (browser: Browser, provider: string, who: string) =>
    await finish(browser, await browser.visit(`${origin}/auth/${provider}`), who);
  const link = async (browser: Browser, provider: string, who: string) =>
    await finish(
      browser,
      await browser.visit(`${origin}/connect/${provider}`, { method: 'POST' }),
      who,
    );

  it('a linked person enters the same account by either provider', async () => {
    const browser = new Browser();
    const { user } = await logIn(browser, 'salesloft', 'Suri');
    expect(await link(browser, 'salesforce', 'Suri')).to.deep.equal({ user, failed: false });
    expect((await logIn(new Browser(), 'salesforce', 'Suri')).user).to.deep.equal(user);
  });

  it('a person who has an account is not moved to another one', async () => {
    const owner = await logIn(new Browser(), 'salesforce', 'Marta Quill');
    const browser = new Browser();
    const { user } = await logIn(browser, 'salesloft', 'Zoë Ångström');
    expect(await link(browser, 'salesforce', 'Marta Quill')).to.deep.equal({ user, failed: true });
    const again = await logIn(new Browser(), 'salesforce', 'Marta Quill');
    expect(again.user).to.deep.equal(owner.user);
  });

  it('a link that comes back to another account is refused', async () => {
    const browser = new Browser();
    await logIn(browser, 'salesloft', 'Zoë Ångström');
    const begun = await browser.visit(`${origin}/connect/salesforce`, { method: 'POST' });
    const { user } = await logIn(browser, 'salesloft', 'Marta Quill');
    const { user: after, failed } = await finish(browser, begun, 'Tobias Fenn');
    expect(failed).to.equal(true);
    expect(after).to.deep.equal(user);
  });

  it('without a session, and for deactivated people, there is none', async () => {
    const browser = new Browser();
    const begun = await browser.visit(`${origin}/connect/salesforce`, { method: 'POST' });
    expect([begun.status, begun.headers.get('location')]).to.deep.equal([303, '/']);
    expect(await logIn(browser, 'salesloft', 'Dario Plum')).to.deep.equal({ failed: true });
  });
});
