/** axe-core on every page of the example and of the emulator, in four looks each. Needs chromium. */
import { expect } from 'chai';
import type { BrowserContext, Page } from 'playwright-core';
import { axeProblems, LOOKS } from './axe';
import { answer, heading, startLogin } from './example';
import type { Example } from './example';
import { visitExample } from './in-browser';
import { Visitor } from './visitor';

describe('axe on every page', function () {
  this.timeout(180_000);
  const visit = visitExample();
  let example: Example;
  let person: BrowserContext;
  let page: Page;

  beforeEach(async () => {
    ({ example } = visit);
    await example.database.db.deleteFrom('accounts').execute();
    page = await visit.newPage();
    person = page.context();
  });
  afterEach(() => {
    for (const one of origins()) one.clearFaults();
  });

  function origins() {
    const { salesloft, salesos, salesforce } = example.emulator;
    const { sandbox, myDomain } = salesforce;
    return [salesloft, salesos, salesforce, sandbox!, myDomain!];
  }

  async function logIn(provider: string, name: string) {
    await startLogin(page, example, provider);
    await answer(page, example, `Continue as ${name}`);
  }

  const button = (name: string) => page.getByRole('button', { name, exact: true });

  /** Opens what is folded, and looks. The heading tells that it is the page the test means. */
  async function check(expected: RegExp | string) {
    await page.evaluate(
      `document.querySelectorAll('main details').forEach((one) => (one.open = true))`,
    );
    expect(await heading(page)).to.match(new RegExp(expected));
    expect(await axeProblems(page), await heading(page)).to.deep.equal([]);
  }

  const at = async (path: string) => await page.goto(example.baseURL + path);

  it('finds what is wrong with a page', async () => {
    await page.setContent('<main><h1>Bad</h1><img src="x"><p style="color:#bbb">faint</p></main>');
    const found = await axeProblems(page);
    for (const rule of ['image-alt', 'color-contrast', 'html-has-lang', 'document-title']) {
      expect(
        found.filter((line) => line.includes(`: ${rule}: `)),
        rule,
      ).to.have.length(LOOKS.length);
    }
  });

  it('example, signed out — start page, its notes, no such page', async () => {
    await at('/');
    await check('Log in');
    await at('/?returnTo=/profile');
    await check('Log in');
    await at('/?loggedOut=deleted-unrevoked');
    await check('Log in');
    await at('/nothing');
    await check('Page not found');
  });

  it('example, signed in — connections, each state and note of them', async () => {
    await logIn('SalesOS', 'Zoë Ångström');
    await button('Connect Salesforce').click();
    await answer(page, example, 'Continue as Tobias Fenn');
    await button('Connect Salesloft').click();
    await answer(page, example, 'Continue as Marta Quill');
    await check('Zoë Ångström');
    await button('List leads').click();
    await page.getByText('insufficient_scope').waitFor();
    await check('Zoë Ångström');
    example.emulator.salesloft.setActive('Marta Quill', false);
    await page.locator('section', { hasText: 'Salesloft' }).getByText('Refresh now').click();
    await page.getByText('reauthorization_required').waitFor();
    await check('Zoë Ångström');
    example.emulator.salesloft.setActive('Marta Quill', true);
    await page.locator('section', { hasText: 'Salesforce' }).getByText('Disconnect').click();
    await page.getByRole('status').waitFor();
    await check('Zoë Ångström');
    await at('/');
    await check('Log in as another person');
    await at('/nothing');
    await check('Page not found');
  });

  it('example, signed in — the answer of each call', async () => {
    await logIn('Salesloft', 'Suri');
    await button('Connect Salesforce').click();
    await answer(page, example, 'Continue as Suri');
    for (const label of ['List cadences', 'Import a copy of it', 'Show API limits']) {
      await button(label).click();
      await page.getByRole('link', { name: 'Back to your connections' }).waitFor();
      await check(label);
      await at('/profile');
    }
  });

  it('example — the last login, one that failed too, and the account menu', async () => {
    await at('/see-the-login');
    await check('See the login');
    await startLogin(page, example, 'SalesOS');
    await answer(page, example, 'Deny');
    await at('/see-the-login');
    await check('See the login');
    await logIn('Salesforce', 'Marta Quill');
    await at('/see-the-login');
    await check('See the login');
    await at('/profile');
    await page.locator('header summary').click();
    await page.locator('header').getByRole('button', { name: 'Log out' }).waitFor();
    expect(await axeProblems(page)).to.deep.equal([]);
  });

  it('example — pages of a way that ends: taken, only one, signed out meanwhile, already signed in', async () => {
    await new Visitor(example).logIn('salesforce', 'Zoë Ångström');
    await logIn('SalesOS', 'Tobias Fenn');
    await button('Connect Salesforce').click();
    await answer(page, example, 'Continue as Zoë Ångström');
    await check('This connection belongs to another account');

    await at('/profile');
    await button('Connect Salesforce').click();
    const tab = await person.newPage();
    await tab.goto(`${example.baseURL}/profile`);
    await tab.getByRole('button', { name: 'Log out', exact: true }).click();
    await tab.getByRole('status').waitFor();
    await tab.close();
    await answer(page, example, 'Continue as Suri');
    await check('You are not signed in as before');

    await logIn('SalesOS', 'Tobias Fenn');
    await at('/auth/salesforce/callback?code=a&state=b');
    await check('You are already signed in');
    await at('/profile');
    await button('Connect Salesforce').click();
    await answer(page, example, 'Continue as Suri');
    const other = await person.newPage();
    await other.goto(`${example.baseURL}/profile`);
    await other.getByRole('button', { name: 'Disconnect', exact: true }).last().click();
    await other.getByRole('status').waitFor();
    await other.close();
    await button('Disconnect').first().click();
    await check('This is your only connection');
  });

  it('example — form of another site, and too many logins', async () => {
    const site = 'http://127.0.0.1:9/';
    const form = `<form method="post" action="${example.baseURL}/logout"><button>Win</button></form>`;
    await person.route(site, (route) => route.fulfill({ contentType: 'text/html', body: form }));
    await page.goto(site);
    await page.getByRole('button', { name: 'Win' }).click();
    await check('Not from here');
    await at('/auth/salesos');
    const { db } = example.database;
    await db.updateTable('rate_limits').set({ hits: 1_000_000 }).execute();
    await at('/auth/salesos');
    await check('Too many logins');
    await db.deleteFrom('rate_limits').execute();
  });

  it('example — failed logins: refused, lost, out of order, not allowed', async () => {
    await startLogin(page, example, 'Salesforce');
    await answer(page, example, 'Deny');
    await check('cancelled or not allowed');
    await startLogin(page, example, 'Salesforce');
    await answer(page, example, 'Continue as Dario Plum');
    await check('Your account is not active');
    await startLogin(page, example, 'Salesloft');
    await answer(page, example, 'Continue as Dario Plum');
    await check('does not let this account in');
    await at('/auth/salesforce/callback?code=a&state=b');
    await check('could not be finished');
    await at('/auth/salesforce?loginURL=evil.example');
    await check('cannot log you in at that address');
    example.emulator.salesos.fail('callback-no-parameters');
    await startLogin(page, example, 'SalesOS');
    await answer(page, example, 'Continue as Suri');
    await check('lost on the way');
    example.emulator.salesloft.fail('token-503-retry', { retryAfter: 30 });
    await startLogin(page, example, 'Salesloft');
    await answer(page, example, 'Continue as Suri');
    await check('not available right now');
    example.emulator.salesloft.fault({
      step: 'token',
      kind: 'json',
      status: 401,
      body: { error: 'invalid_client' },
    });
    await startLogin(page, example, 'Salesloft');
    await answer(page, example, 'Continue as Suri');
    await check('not set up correctly');
  });

  it('emulator — start pages, before and after a sign-in, with a queued failure', async () => {
    const [first, , , sandbox] = origins();
    for (const { origin } of [first!, sandbox!]) {
      await page.goto(origin);
      await check(', emulated$');
    }
    await logIn('Salesloft', 'Marta Quill');
    await logIn('SalesOS', 'Marta Quill');
    await logIn('Salesforce', 'Marta Quill');
    for (const one of origins().slice(0, 3)) {
      one.fault({ step: 'api', kind: 'status', status: 503 });
      await page.goto(one.origin);
      await check(', emulated$');
    }
  });

  it('emulator — sign-in pages, and the page of one that is over', async () => {
    for (const provider of ['Salesloft', 'SalesOS', 'Salesforce']) {
      await startLogin(page, example, provider);
      await check('Who is signing in');
      const signIn = page.url();
      await answer(page, example, 'Continue as Suri');
      await page.goto(signIn);
      await check('This sign-in is over');
    }
    await page.goto(`${example.baseURL}/auth/salesos?login_hint=suri`);
    await check('Who is signing in');
  });

  it('emulator — a refused request, and its logout', async () => {
    const { salesloft, salesos, salesforce } = example.emulator;
    await page.goto(`${salesloft.origin}/oauth/authorize?client_id=nobody`);
    await check('This request was refused');
    await page.goto(`${salesos.origin}/oidc/logout`);
    await check('Do you want to log out');
    await page.getByRole('button', { name: 'Log out' }).click();
    await check('You are logged out');
    await page.goto(`${salesforce.origin}/services/auth/idp/oidc/logout`);
    await check('You are logged out');
  });
});
