/** Several providers in one application, with sessions that Passport renews at each login. */
import { expect } from 'chai';
import { startEmulator } from 'crm-emulator';
import type { Emulator } from 'crm-emulator';
import SalesforceStrategy from 'passport-salesforce-oauth2';
import SalesloftStrategy from 'passport-salesloft';
import SalesosStrategy from 'passport-salesos';
import { Browser } from '../support/browser';
import { startApp } from '../support/express-app';
import type { RunningApp } from '../support/express-app';

describe('providers together', () => {
  let emulator: Emulator;
  let app: RunningApp;
  let clients: { close(): void }[];
  before(async () => {
    emulator = await startEmulator({ port: 0 });
    const verify = ({ profile }: { profile: { provider: string; displayName: string } }) => ({
      provider: profile.provider,
      displayName: profile.displayName,
    });
    const salesloft = new SalesloftStrategy({
      ...emulator.salesloft.options,
      callbackURL: '/auth/callback',
      verify,
    });
    const salesos = new SalesosStrategy({
      ...emulator.salesos.options,
      callbackURL: '/auth/salesos/callback',
      verify,
    });
    const salesforce = new SalesforceStrategy({
      ...emulator.salesforce.options,
      callbackURL: '/auth/salesforce/callback',
      verify,
    });
    clients = [salesloft.client, salesos.client, salesforce.client];
    app = await startApp('salesloft', salesloft, { others: { salesos, salesforce } });
  });
  after(async () => {
    await app.close();
    for (const client of clients) client.close();
    await emulator.close();
  });

  /** Begins a login, and signs in at the provider. The callback is not visited yet. */
  async function begin(browser: Browser, path: string, who: string): Promise<string> {
    const { headers } = await browser.visit(app.origin + path);
    return await new Browser().signIn(headers.get('location') ?? '', who);
  }

  it('Passport — a login at one provider keeps the pending logins at the others', async () => {
    const browser = new Browser();
    const callbacks: [string, string, string][] = [];
    for (const [provider, path, who] of [
      ['salesloft', '/auth', 'Marta Quill'],
      ['salesos', '/auth/salesos', 'Zoë Ångström'],
      ['salesforce', '/auth/salesforce', 'Tobias Fenn'],
      ['salesos', '/auth/salesos', 'Suri'],
      ['salesloft', '/auth', 'Suri'],
    ] as const) {
      callbacks.push([provider, await begin(browser, path, who), who]);
    }
    const sessions = new Set<string>();
    for (const [provider, callback, displayName] of callbacks) {
      const response = await browser.visit(callback);
      expect(response.status, await response.clone().text()).to.equal(200);
      expect(await response.json()).to.have.deep.property('user', { provider, displayName });
      for (const cookie of response.headers.getSetCookie())
        sessions.add(cookie.split(';')[0] ?? '');
      const me: unknown = await (await browser.visit(`${app.origin}/me`)).json();
      expect(me).to.deep.equal({ user: { provider, displayName } });
    }
    // Each login got a session of its own (Passport's answer to session fixation).
    expect(sessions.size).to.equal(callbacks.length);
  });

  it('RFC 6749 §10.12 — none takes the answer of another', async () => {
    const browser = new Browser();
    const callback = new URL(await begin(browser, '/auth', 'Marta Quill'));
    await begin(browser, '/auth/salesos', 'Marta Quill');
    const astray = await browser.visit(`${app.origin}/auth/salesos/callback${callback.search}`);
    expect(astray.status).to.equal(403);
    expect((await browser.visit(callback.href)).status).to.equal(200);
  });
});
