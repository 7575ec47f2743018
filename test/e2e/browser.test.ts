/** The example application as a person sees it, in a real browser. Needs chromium. */
import { expect } from 'chai';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { accessibilityProblems, focus } from './accessibility';
import {
  answer,
  fact,
  heading,
  launchBrowser,
  newPerson,
  startExample,
  startLogin,
} from './example';
import type { Example } from './example';
import { Visitor } from './visitor';

describe('example in a browser', function () {
  this.timeout(30_000);
  let browser: Browser | undefined;
  let example: Example;
  let person: BrowserContext;
  let page: Page;

  before(async function () {
    browser = await launchBrowser(this);
    example = await startExample();
  });
  after(async () => {
    await browser?.close();
    await example?.close();
  });
  beforeEach(async () => {
    // Each test meets people that the application does not know.
    await example.database.db.deleteFrom('accounts').execute();
    person = await newPerson(browser!);
    page = await person.newPage();
  });
  afterEach(async () => {
    await person?.close();
  });

  async function logIn(provider: string, name: string, tab = page) {
    await startLogin(tab, example, provider);
    await answer(tab, example, `Continue as ${name}`);
  }

  describe('login', () => {
    it('Salesloft — shows name, e-mail, id, team and the end of the token', async () => {
      await logIn('Salesloft', 'Marta Quill');
      expect(page.url()).to.equal(`${example.baseURL}/profile`);
      expect(await heading(page)).to.equal('Marta Quill');
      expect(await fact(page, 'E-mail')).to.equal(
        'marta.quill@example.com not told whether verified',
      );
      expect(await fact(page, 'Id')).to.equal('48201');
      expect(await fact(page, 'Team')).to.match(/^\d+$/);
      expect(await fact(page, 'Access token ends')).to.match(/ UTC$/);
    });

    it('SalesOS — shows another person, and that the address is not verified', async () => {
      await logIn('SalesOS', 'Zoë Ångström');
      expect(await heading(page)).to.equal('Zoë Ångström');
      expect(await fact(page, 'E-mail')).to.equal('zoe.angstrom@example.com not verified');
      expect(await fact(page, 'Id')).to.match(/^auth0\|[0-9a-f]{24}$/);
      expect(await fact(page, 'Provider')).to.equal('SalesOS');
    });

    it('Salesforce — shows a third person by organization and user, without an end', async () => {
      await logIn('Salesforce', 'Suri');
      expect(await heading(page)).to.equal('Suri');
      expect(await fact(page, 'E-mail')).to.equal('suri@example.com verified');
      const organization = await fact(page, 'Organization');
      expect(organization).to.match(/^00D\w{15}$/);
      expect(await fact(page, 'Id')).to.match(new RegExp(`^${organization}/005\\w{15}$`));
      expect(await fact(page, 'Access token ends')).to.equal('not told by the provider');
    });

    it('profile — a person without an e-mail address is shown without one', async () => {
      await logIn('Salesforce', 'Tobias Fenn');
      expect(await heading(page)).to.equal('Tobias Fenn');
      expect(await fact(page, 'E-mail')).to.equal('none');
    });

    it('profile — shows the photo that SalesOS names', async () => {
      await logIn('SalesOS', 'Zoë Ångström');
      const { origin } = example.emulator.salesos;
      expect(await page.locator('.avatar img').getAttribute('src')).to.match(
        new RegExp(`^${origin}/photos/\\d+\\.svg$`),
      );
      expect(await photoWidth(page)).to.equal(96);
    });

    it('profile — Salesforce gives photos to tokens only, so shows initials', async () => {
      await logIn('Salesforce', 'Zoë Ångström');
      expect(await page.locator('.avatar').innerText()).to.equal('ZÅ');
      expect(await page.locator('.avatar img').count()).to.equal(0);
    });

    it('profile — shows initials where the photo does not load', async () => {
      await person.route('**/photos/**', (route) => route.abort());
      await logIn('SalesOS', 'Zoë Ångström');
      expect(await photoWidth(page)).to.equal(0);
      expect(await page.locator('.avatar').innerText()).to.equal('ZÅ');
      expect(await page.locator('.avatar img').getAttribute('alt')).to.equal('');
    });

    it('profile — shows what the provider sent on demand, and no token', async () => {
      await logIn('SalesOS', 'Marta Quill');
      expect(await page.locator('pre').isVisible()).to.equal(false);
      await page.getByText('Show what SalesOS sent').click();
      const sent = JSON.parse(await page.locator('pre').innerText()) as { email: string };
      expect(sent.email).to.equal('marta.quill@example.com');
      expect(await page.content()).not.to.match(/eyJ|access_token|refresh_token|id_token/);
    });

    it('browser — never leaves this machine, on any page of a login', async () => {
      const asked: string[] = [];
      person.on('request', (request) => asked.push(request.url()));
      for (const provider of ['Salesloft', 'SalesOS', 'Salesforce']) {
        await logIn(provider, 'Marta Quill');
        await page.waitForLoadState('networkidle');
        await startLogin(page, example, provider);
        await answer(page, example, 'Deny');
      }
      for (const { origin } of providersOf(example)) await page.goto(origin);
      await page.goto(`${example.baseURL}/nowhere`);
      const hosts = asked.filter((url) => !url.startsWith('data:')).map((url) => new URL(url));
      expect(hosts.map(({ pathname }) => pathname)).to.include('/profile');
      expect([...new Set(hosts.map(({ hostname }) => hostname))].toSorted()).to.deep.equal([
        '127.0.0.1',
        'localhost',
      ]);
    });

    it('session cookie — is out of reach of scripts and of cross-site requests', async () => {
      await logIn('Salesloft', 'Marta Quill');
      const cookies = await person.cookies(example.baseURL);
      expect(cookies.map(({ name }) => name).toSorted()).to.deep.equal([
        'express-login',
        'last-used',
      ]);
      for (const cookie of cookies) {
        expect(cookie).to.include({ httpOnly: true, sameSite: 'Lax', secure: false });
      }
    });

    it('session — gets a new id at login, so that an earlier id is useless', async () => {
      const session = async () =>
        (await person.cookies(example.baseURL)).find(({ name }) => name === 'express-login');
      await logIn('Salesloft', 'Marta Quill');
      const before = await session();
      await logIn('Salesloft', 'Marta Quill');
      const after = await session();
      expect(before?.value).to.be.a('string');
      expect(after?.value).not.to.equal(before?.value);
    });

    it('provider — sees no state of the application in the URL', async () => {
      const asked = page.waitForRequest(/\/oauth\/authorize\?/);
      await page.goto(`${example.baseURL}/auth/salesloft?returnTo=/profile?private=yes`);
      expect((await asked).url())
        .to.contain('state=')
        .and.not.to.contain('private');
    });
  });

  describe('return address', () => {
    it('page that needs a login — asks for it, and comes back to that page', async () => {
      await page.goto(`${example.baseURL}/profile`);
      expect(await page.locator('main').innerText()).to.contain('Please log in to see that page');
      await page.getByRole('link', { name: 'Log in with Salesloft' }).click();
      await answer(page, example, 'Continue as Suri');
      expect(page.url()).to.equal(`${example.baseURL}/profile`);
    });

    it('path of this site — is the page after the login', async () => {
      await page.goto(`${example.baseURL}/auth/salesos?returnTo=${encodeURIComponent('/?from=a')}`);
      await answer(page, example, 'Continue as Suri');
      expect(page.url()).to.equal(`${example.baseURL}/?from=a`);
    });

    for (const hostile of [
      'https://evil.example/',
      '//evil.example/',
      '/\\evil.example/',
      '/\t/evil.example/',
      '/.//evil.example/',
      'javascript:alert(1)',
    ]) {
      it(`another site, written ${JSON.stringify(hostile)} — is not followed`, async () => {
        const query = encodeURIComponent(hostile);
        await page.goto(`${example.baseURL}/auth/salesloft?returnTo=${query}`);
        await answer(page, example, 'Continue as Marta Quill');
        expect(page.url()).to.equal(`${example.baseURL}/profile`);
      });
    }
  });

  describe('several tabs', () => {
    it('two logins begun, then both finished — both succeed', async () => {
      const other = await person.newPage();
      await startLogin(page, example, 'Salesloft');
      await startLogin(other, example, 'Salesloft');

      await answer(page, example, 'Continue as Marta Quill');
      expect(await heading(page)).to.equal('Marta Quill');
      await answer(other, example, 'Continue as Zoë Ångström');
      expect(await heading(other)).to.equal('Zoë Ångström');

      await page.reload();
      expect(await heading(page)).to.equal('Zoë Ångström');
    });

    it('logins with two providers, finished in reverse order — both succeed', async () => {
      const other = await person.newPage();
      await startLogin(page, example, 'SalesOS');
      await startLogin(other, example, 'Salesforce');
      await answer(other, example, 'Continue as Suri');
      expect(await fact(other, 'Provider')).to.equal('Salesforce');
      await answer(page, example, 'Continue as Marta Quill');
      expect(await fact(page, 'Provider')).to.equal('SalesOS');
    });
  });

  describe('sandbox or My Domain', () => {
    const summary = () => page.getByText('Use a sandbox or My Domain');

    /** The places at which one strategy signs people in: the way there, and what the profile says. */
    function places() {
      const { salesforce } = example.emulator;
      const [sandbox, myDomain] = [salesforce.sandbox!.origin, salesforce.myDomain!.origin];
      return [
        {
          origin: salesforce.origin,
          start: (tab: Page) => startLogin(tab, example, 'Salesforce'),
          provider: 'Salesforce',
        },
        {
          origin: sandbox,
          start: (tab: Page) => elsewhere(tab, 'link', 'Log in to a sandbox'),
          provider: `Salesforce, at ${sandbox}`,
        },
        {
          origin: myDomain,
          start: (tab: Page) => elsewhere(tab, 'button', 'Continue'),
          provider: `Salesforce, at ${myDomain}`,
        },
      ];
    }

    async function elsewhere(tab: Page, role: 'link' | 'button', name: string) {
      await tab.goto(example.baseURL);
      await tab.getByText('Use a sandbox or My Domain').click();
      await tab.getByRole(role, { name, exact: true }).click();
      await tab.getByRole('heading', { name: 'Who is signing in?' }).waitFor();
    }

    it('three tabs begun at production, sandbox and My Domain, then finished — each is of its org', async () => {
      const tabs = [];
      for (const place of places()) {
        const tab = await person.newPage();
        await place.start(tab);
        expect(new URL(tab.url()).origin).to.equal(place.origin);
        tabs.push({ tab, ...place });
      }
      for (const { tab, provider } of tabs) {
        await answer(tab, example, 'Continue as Suri');
        expect(await fact(tab, 'Provider')).to.equal(provider);
      }
      // All three are on the screen now.
      const organizations = await Promise.all(tabs.map(({ tab }) => fact(tab, 'Organization')));
      expect(new Set(organizations).size).to.equal(3);
      const ids = await Promise.all(tabs.map(({ tab }) => fact(tab, 'Id')));
      for (const [at, id] of ids.entries())
        expect(id).to.match(new RegExp(`^${organizations[at]}/`));
    });

    it('without JavaScript — the form leads there, and back to the page that asked', async () => {
      await person.close();
      person = await newPerson(browser!, { javaScriptEnabled: false });
      page = await person.newPage();
      await page.goto(`${example.baseURL}/?returnTo=${encodeURIComponent('/?from=a')}`);
      await summary().click();
      await page.getByRole('button', { name: 'Continue', exact: true }).click();
      await answer(page, example, 'Continue as Suri');
      expect(page.url()).to.equal(`${example.baseURL}/?from=a`);
    });

    it('address of another site — says so, and stays here', async () => {
      await page.goto(example.baseURL);
      await summary().click();
      await page.getByLabel('My Domain').fill('login.salesforce.com.evil.example');
      const [response] = await Promise.all([
        page.waitForResponse(/\/auth\/salesforce\?/),
        page.getByRole('button', { name: 'Continue', exact: true }).click(),
      ]);
      expect(response.status()).to.equal(400);
      expect(await heading(page)).to.equal('This site cannot log you in at that address');
      expect(await fact(page, 'Code')).to.equal('login_url_not_allowed');
      expect(await primaryAction(page)).to.equal('Log in another way');
      await page.getByRole('link', { name: 'Log in another way' }).click();
      expect(await heading(page)).to.equal('Log in');
    });
  });

  describe('invitation', () => {
    const open = async () => {
      await page.goto(example.baseURL);
      await page.getByRole('link', { name: 'Open the invitation link' }).click();
    };

    it('link — signs its person in to the organization of the invitation', async () => {
      await open();
      await answer(page, example, 'Continue as Suri');
      const [, other] = example.emulator.salesos.organizations;
      expect(await fact(page, 'Organization')).to.equal(other!.id);
    });

    it('link of another person — is refused, in words', async () => {
      await open();
      const response = await answer(page, example, 'Continue as Marta Quill');
      expect(response.status()).to.equal(401);
      expect(await heading(page)).to.equal('Your invitation is no longer valid');
    });
  });

  describe('callback opened again', () => {
    async function callbackOfLogin(): Promise<string> {
      const request = page.waitForRequest(/\/callback\?/);
      await logIn('SalesOS', 'Marta Quill');
      return (await request).url();
    }

    it('by the person who is signed in — says so, and leads to the connections', async () => {
      const callback = await callbackOfLogin();
      await page.goto(callback);
      expect(await heading(page)).to.equal('You are already signed in');
      await page.reload();
      expect(await heading(page)).to.equal('You are already signed in');
      await page.getByRole('link', { name: 'Go to your connections' }).click();
      expect(await heading(page)).to.equal('Marta Quill');
    });

    it('with the back button — says so too', async () => {
      const callback = await callbackOfLogin();
      await page.goto(callback);
      await page.goto(`${example.baseURL}/profile`);
      await page.goBack();
      expect(await heading(page)).to.equal('You are already signed in');
    });

    it('of a login that another browser began — keeps the person signed in', async () => {
      await logIn('SalesOS', 'Marta Quill');
      const begun = await fetch(`${example.baseURL}/auth/salesos`, { redirect: 'manual' });
      const state = new URL(begun.headers.get('location') ?? '').searchParams.get('state') ?? '';
      await page.goto(`${example.baseURL}/auth/salesos/callback?code=a&state=${state}`);
      expect(await heading(page)).to.equal('You are already signed in');
    });

    it('by another browser — is refused, with the way to a new login', async () => {
      const callback = await callbackOfLogin();
      const stranger = await newPerson(browser!);
      const tab = await stranger.newPage();
      const response = await tab.goto(callback);
      expect(response?.status()).to.equal(403);
      expect(await fact(tab, 'Code')).to.equal('already_completed');
      await tab.getByRole('link', { name: 'Try again with SalesOS' }).click();
      await tab.getByRole('heading', { name: 'Who is signing in?' }).waitFor();
      await stranger.close();
    });
  });

  describe('failed login', () => {
    it('denied by the person — says who refused, and offers the way back', async () => {
      await startLogin(page, example, 'Salesforce');
      const response = await answer(page, example, 'Deny');
      expect(response.status()).to.equal(401);
      expect(await heading(page)).to.equal('The login was cancelled or not allowed');
      expect(await page.locator('.lead').innerText()).to.match(/^You refused it at Salesforce/);
      expect(await fact(page, 'Code')).to.equal('access_denied');
      expect(await fact(page, 'Next step')).to.contain('Start it again from its button');
      expect(await primaryAction(page)).to.equal('Try again with Salesforce');

      await page.getByRole('link', { name: 'Try again with Salesforce' }).click();
      await answer(page, example, 'Continue as Marta Quill');
      expect(await heading(page)).to.equal('Marta Quill');
    });

    it('refused by the provider — says so, and leads to another account first', async () => {
      await startLogin(page, example, 'Salesforce');
      const response = await answer(page, example, 'Continue as Dario Plum');
      expect(response.status()).to.equal(401);
      expect(await heading(page)).to.equal('Your account is not active');
      expect(await fact(page, 'Can be fixed by')).to.equal(
        'An administrator of your organization at Salesforce',
      );
      expect(await fact(page, 'Code')).to.equal('inactive_user');
      expect(await fact(page, 'Next step')).to.contain('administrator');
      expect(await primaryAction(page)).to.equal('Log in another way');
      expect(await page.locator('.actions a').allInnerTexts()).to.deep.equal([
        'Log in another way',
        'Try again with Salesforce',
      ]);
    });

    it('refused by the application — says so, and does not sign the person in', async () => {
      await startLogin(page, example, 'Salesloft');
      const response = await answer(page, example, 'Continue as Dario Plum');
      expect(response.status()).to.equal(401);
      expect(await heading(page)).to.equal('This site does not let this account in');
      expect(await page.locator('.lead').innerText()).to.contain('deactivated');
      expect(await fact(page, 'Next step')).to.contain('another account');
      expect(await primaryAction(page)).to.equal('Log in another way');
      await page.goto(`${example.baseURL}/profile`);
      expect(await heading(page)).not.to.equal('Dario Plum');
    });

    it('refused by the provider for a while — offers to try again first', async () => {
      const merge = { code: null, error: 'login_required' };
      example.emulator.salesos.fault({ step: 'authorize', kind: 'patch', merge });
      await startLogin(page, example, 'SalesOS');
      const response = await answer(page, example, 'Continue as Suri');
      expect(response.status()).to.equal(401);
      expect(await heading(page)).to.equal('SalesOS needs one more step from you');
      expect(await primaryAction(page)).to.equal('Try again with SalesOS');
    });

    it('app that is not installed — is for the administrator, and another way is open', async () => {
      example.emulator.salesforce.fail('token-app-not-found');
      await startLogin(page, example, 'Salesforce');
      const response = await answer(page, example, 'Continue as Suri');
      expect(response.status()).to.equal(401);
      expect(await heading(page)).to.equal('Your organization has not installed this app');
      expect(await fact(page, 'Can be fixed by')).to.contain('administrator');
      expect(await fact(page, 'Next step')).to.contain('Setup > Connected Apps OAuth Usage');
      expect(await primaryAction(page)).to.equal('Log in another way');
      await page.getByRole('link', { name: 'Log in another way' }).click();
      await page.getByRole('link', { name: 'Log in with SalesOS' }).click();
      await answer(page, example, 'Continue as Suri');
      expect(await heading(page)).to.equal('Suri');
    });

    it('callback that lost its parameters — says so, and a second try succeeds', async () => {
      example.emulator.salesos.fail('callback-no-parameters');
      await startLogin(page, example, 'SalesOS');
      const response = await answer(page, example, 'Continue as Suri');
      expect(response.status()).to.equal(403);
      expect(await heading(page)).to.equal('The answer of SalesOS was lost on the way');
      await page.getByRole('link', { name: 'Try again with SalesOS' }).click();
      await answer(page, example, 'Continue as Suri');
      expect(await heading(page)).to.equal('Suri');
    });

    it('provider that asks to wait — says how long', async () => {
      example.emulator.salesloft.fail('token-503-retry', { retryAfter: 30 });
      await startLogin(page, example, 'Salesloft');
      await whileLogging(async () => {
        await answer(page, example, 'Continue as Suri');
      });
      expect(await heading(page)).to.equal('Salesloft is not available right now');
      expect(await page.locator('.lead').innerText()).to.contain('wait 30 seconds');
      expect(await primaryAction(page)).to.equal('Try again with Salesloft');
    });

    it('answer that is not believed — says that this site does not accept it', async () => {
      await page.goto(`${example.baseURL}/auth/salesforce/callback?code=a&state=b`);
      expect(await heading(page)).to.equal('This login could not be finished');
      expect(await page.locator('.lead').innerText()).to.contain(
        'no answer from Salesforce that it can accept',
      );
      expect(await primaryAction(page)).to.equal('Try again with Salesforce');
    });

    it('provider out of order — shows code and hint, logs no secret', async () => {
      const { salesloft } = example.emulator;
      salesloft.fault({ step: 'token', kind: 'status', status: 500, body: {} });
      await startLogin(page, example, 'Salesloft');

      const logged = await whileLogging(async () => {
        const response = await answer(page, example, 'Continue as Marta Quill');
        expect(response.status()).to.equal(502);
      });
      expect(await heading(page)).to.equal('Salesloft is not available right now');
      expect(await fact(page, 'Code')).to.equal('provider_unavailable');
      expect(await fact(page, 'Next step')).to.contain('Try again later');
      expect(await page.content()).not.to.match(/ at .*\.[jt]s:\d+|node_modules/);

      const code = new URL(page.url()).searchParams.get('code') ?? '';
      expect(code).not.to.equal('');
      expect(logged).to.have.length(1);
      expect(logged[0]).to.contain('provider_unavailable').and.not.to.contain(code);
      expect(logged[0]).not.to.contain(salesloft.clientSecret);
    });

    it('wrong client secret — says where to find the right one', async () => {
      const body = { error: 'invalid_client' };
      example.emulator.salesloft.fault({ step: 'token', kind: 'json', status: 401, body });
      await startLogin(page, example, 'Salesloft');
      await whileLogging(async () => {
        const response = await answer(page, example, 'Continue as Marta Quill');
        expect(response.status()).to.equal(502);
      });
      expect(await fact(page, 'Code')).to.equal('invalid_client');
      expect(await fact(page, 'Next step')).to.contain('OAuth Applications');
      expect(await primaryAction(page)).to.equal('Log in another way');
    });

    it('second login denied — keeps the first person signed in', async () => {
      await logIn('Salesloft', 'Marta Quill');
      await startLogin(page, example, 'SalesOS');
      await answer(page, example, 'Deny');
      await page.goto(`${example.baseURL}/profile`);
      expect(await heading(page)).to.equal('Marta Quill');
    });
  });

  describe('connections', () => {
    const button = (name: string) => page.getByRole('button', { name, exact: true });
    const row = (provider: string) =>
      page.locator('section').filter({ has: page.getByRole('heading', { name: provider }) });

    for (const javaScriptEnabled of [true, false]) {
      it(`${javaScriptEnabled ? 'with' : 'without'} JavaScript — connects, calls, mends, disconnects, deletes`, async () => {
        await person.close();
        person = await newPerson(browser!, { javaScriptEnabled });
        page = await person.newPage();
        await logIn('SalesOS', 'Marta Quill');
        await button('Connect Salesforce').click();
        await answer(page, example, 'Continue as Tobias Fenn');
        expect(await page.getByRole('status').innerText()).to.contain('Connected');
        expect(await row('Salesforce').innerText()).to.contain('as Tobias Fenn');

        await whileLogging(async () => {
          await button('List leads').click();
          await page.getByText('insufficient_scope').waitFor();
        });
        await button('Allow “List leads” at SalesOS').click();
        await answer(page, example, 'Continue as Marta Quill');
        await button('List leads').click();
        expect(await heading(page)).to.equal('List leads');
        expect(await fact(page, 'Harbour Bakery')).to.equal('new');
        await page.getByRole('link', { name: 'Back to your connections' }).click();

        await row('Salesforce').getByRole('button', { name: 'Refresh now' }).click();
        expect(await page.getByRole('status').innerText()).to.contain('Refreshed');
        await row('Salesforce').getByRole('button', { name: 'Disconnect' }).click();
        expect(await page.getByRole('status').innerText()).to.contain('Disconnected');
        expect(await button('Disconnect').count()).to.equal(0);

        await page.getByText('Delete my account', { exact: true }).click();
        await button('Delete my account now').click();
        expect(await page.getByRole('status').innerText()).to.contain('Your account is deleted');
        await page.goto(`${example.baseURL}/profile`);
        expect(await heading(page)).to.equal('Log in');
      });
    }

    it('connection of another account — says so, in words', async () => {
      const other = new Visitor(example);
      await other.logIn('salesforce', 'Zoë Ångström');
      await logIn('SalesOS', 'Tobias Fenn');
      await button('Connect Salesforce').click();
      const response = await answer(page, example, 'Continue as Zoë Ångström');
      expect(response.status()).to.equal(409);
      expect(await heading(page)).to.equal('This connection belongs to another account');
    });
  });

  describe('header and start page', () => {
    const menu = () => page.locator('.menu');

    it('last used — marks the button of the last login, also after a logout', async () => {
      await page.goto(example.baseURL);
      expect(await page.getByText('Last used').count()).to.equal(0);
      for (const provider of ['Salesloft', 'SalesOS']) {
        await logIn(provider, 'Suri');
        await page.getByRole('button', { name: 'Log out', exact: true }).click();
        await page.getByRole('status').waitFor();
        const marked = page.locator('li', { hasText: 'Last used' });
        expect(await marked.getByRole('link').allInnerTexts()).to.deep.equal([
          `Log in with ${provider}`,
        ]);
      }
    });

    it('last used — a failed login and a cookie of other words mark nothing', async () => {
      await startLogin(page, example, 'SalesOS');
      await answer(page, example, 'Deny');
      await person.addCookies([{ name: 'last-used', value: '<b>', url: example.baseURL }]);
      await page.goto(example.baseURL);
      expect(await page.getByText('Last used').count()).to.equal(0);
    });

    for (const javaScriptEnabled of [true, false]) {
      it(`account menu ${javaScriptEnabled ? 'with' : 'without'} JavaScript — leads to connections and deletion, logs out`, async () => {
        await person.close();
        person = await newPerson(browser!, { javaScriptEnabled });
        page = await person.newPage();
        await logIn('SalesOS', 'Zoë Ångström');
        await page.goto(`${example.baseURL}/nowhere`);
        expect(await menu().getByRole('link', { name: 'Connections' }).isVisible()).to.equal(false);
        await menu().getByText('Zoë Ångström').click();
        await menu().getByRole('link', { name: 'Delete account' }).click();
        await page.waitForURL('**/profile#delete');
        await page.getByRole('button', { name: 'Delete my account now' }).waitFor();
        await menu().getByText('Zoë Ångström').click();
        await menu().getByRole('link', { name: 'Connections' }).click();
        await page.waitForURL('**/profile');
        await menu().getByText('Zoë Ångström').click();
        await menu().getByRole('button', { name: 'Log out' }).click();
        expect(await page.getByRole('status').innerText()).to.equal('You are logged out here.');
        expect(await menu().count()).to.equal(0);
      });
    }

    it('times — are in the zone of the visitor; without JavaScript in UTC', async () => {
      for (const [javaScriptEnabled, zone] of [
        [true, /^in 2 hours, \d+ \w+ \d{4} at \d\d:\d\d GMT\+5:45$/],
        [false, /^in 2 hours, \d+ \w+ \d{4} at \d\d:\d\d UTC$/],
      ] as const) {
        await person.close();
        person = await newPerson(browser!, { javaScriptEnabled, timezoneId: 'Asia/Kathmandu' });
        page = await person.newPage();
        await logIn('Salesloft', 'Marta Quill');
        expect(await fact(page, 'Access token ends')).to.match(zone);
      }
    });

    it('focus — is on the heading after a link of this site, and nowhere at first', async () => {
      const focused = async () => (await focus(page)).text;
      await page.goto(`${example.baseURL}/nowhere`);
      expect(await focused()).not.to.equal('Page not found');
      await page.getByRole('link', { name: 'Back to the start page' }).click();
      await page.waitForURL(`${example.baseURL}/`);
      expect(await focused()).to.equal('Log in');
      await page.reload();
      expect(await focused()).not.to.equal('Log in');
    });
  });

  describe('see the login', () => {
    it('after a login — the diagram with the width for it, else the list; links lead to the code', async () => {
      await logIn('Salesforce', 'Zoë Ångström');
      await page.getByRole('link', { name: 'See the login' }).click();
      expect(await heading(page)).to.equal('See the login');
      const diagram = page.getByRole('img', { name: 'Sequence diagram of the login' });
      expect(await diagram.isVisible()).to.equal(true);
      await page.setViewportSize({ width: 390, height: 844 });
      expect(await diagram.isVisible()).to.equal(false);
      const item = page.locator('.messages li', { hasText: 'POST /services/oauth2/token' });
      expect(await item.innerText()).to.match(/^This application → Salesforce\n/);
      await item.getByRole('link').click();
      await page.waitForURL('**/see-the-login/code/token**');
      expect(await page.content()).to.contain('function buildTokenRequest');
    });
  });

  describe('logout', () => {
    it('button — ends the session; the profile asks to log in again', async () => {
      await logIn('Salesloft', 'Marta Quill');
      await page.getByRole('button', { name: 'Log out', exact: true }).click();
      await page.getByRole('status').waitFor();
      expect(await page.getByRole('status').innerText()).to.equal('You are logged out here.');
      await page.goto(`${example.baseURL}/profile`);
      expect(await heading(page)).to.equal('Log in');
      await page.goBack();
      expect(await page.content()).not.to.contain('marta.quill@example.com');
    });

    it('of SalesOS too — ends the session there, and comes back', async () => {
      await logIn('SalesOS', 'Marta Quill');
      const asked = page.waitForRequest(/\/oidc\/logout\?/);
      await page.getByRole('button', { name: 'Log out of SalesOS too' }).click();
      const end = new URL((await asked).url());
      expect(end.origin).to.equal(example.emulator.salesos.origin);
      expect(end.href).not.to.match(/token|eyJ/);
      await page.getByRole('status').waitFor();
      expect(await page.getByRole('status').innerText()).to.equal(
        'You are logged out here and at SalesOS.',
      );
      // The session is over there: SalesOS asks before it ends one that it does not know.
      expect(await (await fetch(end)).text()).to.contain('<form');
      await page.goto(`${example.baseURL}/profile`);
      expect(await heading(page)).to.equal('Log in');
    });

    it('of Salesforce too — revokes, and ends on the page of the organization', async () => {
      await logIn('Salesforce', 'Marta Quill');
      const { origin, requests } = example.emulator.salesforce;
      await page.getByRole('button', { name: 'Log out of Salesforce too' }).click();
      await page.getByRole('heading', { name: 'You are logged out' }).waitFor();
      expect(new URL(page.url()).origin).to.equal(origin);
      const [revocation, logout] = requests.slice(-2);
      expect(revocation).to.include({ path: '/services/oauth2/revoke', status: 200 });
      expect(logout).to.include({ path: '/services/auth/idp/oidc/logout', status: 200 });
      await page.goto(`${example.baseURL}/profile`);
      expect(await heading(page)).to.equal('Log in');
    });

    it('of Salesloft, which has no logout — revokes, and says that the access is over', async () => {
      await logIn('Salesloft', 'Marta Quill');
      await page.getByRole('button', { name: 'Log out and revoke access' }).click();
      await page.getByRole('status').waitFor();
      expect(await page.getByRole('status').innerText()).to.contain(
        'can no longer use your Salesloft account',
      );
      expect(example.emulator.salesloft.requests.at(-1)).to.include({
        path: '/oauth/revoke',
        status: 200,
      });
    });

    it('form of another site — is refused, and the person stays logged in', async () => {
      await logIn('Salesloft', 'Marta Quill');
      const site = 'http://127.0.0.1:9/';
      await person.route(site, (route) =>
        route.fulfill({
          contentType: 'text/html',
          body: `<form method="post" action="${example.baseURL}/logout"><button>Win</button></form>`,
        }),
      );
      const tab = await person.newPage();
      await tab.goto(site);
      const answered = tab.waitForResponse(`${example.baseURL}/logout`);
      await tab.getByRole('button', { name: 'Win' }).click();
      expect((await answered).status()).to.equal(403);
      await page.reload();
      expect(await heading(page)).to.equal('Marta Quill');
    });
  });

  describe('accessibility', () => {
    const looks = [
      { width: 1280, height: 800, colorScheme: 'light' },
      { width: 390, height: 844, colorScheme: 'dark' },
    ] as const;
    for (const { width, height, colorScheme } of looks) {
      it(`every page, ${width} px, ${colorScheme} — names, targets, contrast, no overflow`, async () => {
        await person.close();
        person = await newPerson(browser!, { viewport: { width, height }, colorScheme });
        page = await person.newPage();
        const problems: Record<string, string[]> = {};
        const check = async (name: string) => {
          const found = await accessibilityProblems(page);
          if (found.length > 0) problems[name] = found;
        };
        await page.goto(example.baseURL);
        await check('start');
        await page.getByText('Use a sandbox or My Domain').click();
        await check('start, with the form');
        await page.getByLabel('My Domain').fill('evil.example');
        await page.getByRole('button', { name: 'Continue', exact: true }).click();
        await page.getByRole('heading', { name: 'This site cannot' }).waitFor();
        await page.waitForLoadState();
        await check('address that is not allowed');
        await page.goto(`${example.baseURL}/?loggedOut=unrevoked`);
        await check('logged out');
        await page.goto(`${example.baseURL}/nowhere`);
        await check('not found');
        await startLogin(page, example, 'SalesOS');
        await answer(page, example, 'Deny');
        await page.getByText('For the developer of this site').click();
        await check('refused');
        example.emulator.salesforce.fail('callback-approval-error');
        await startLogin(page, example, 'Salesforce');
        await answer(page, example, 'Continue as Suri');
        await check('refused by an administrator');
        await logIn('Salesforce', 'Zoë Ångström');
        await page.getByText('Show what Salesforce sent').click();
        await check('profile');
        await page.getByRole('button', { name: 'Connect SalesOS' }).click();
        await answer(page, example, 'Continue as Zoë Ångström');
        await whileLogging(async () => {
          await page.getByRole('button', { name: 'List leads' }).click();
          await page.getByText('insufficient_scope').waitFor();
        });
        await page.getByText('Connect another person or organization').click();
        await page.getByText('Delete my account', { exact: true }).click();
        await check('connections');
        await page.getByRole('button', { name: 'Show API limits' }).click();
        await page.getByRole('link', { name: 'Back to your connections' }).waitFor();
        await page.waitForLoadState();
        await check('answer of an API');
        await page.goto(`${example.baseURL}/auth/salesforce/callback?code=a&state=b`);
        await check('already signed in');
        await page.locator('.me').click();
        await check('account menu');
        await page.goto(`${example.baseURL}/see-the-login`);
        await check('see the login, failed');
        await logIn('SalesOS', 'Suri');
        await page.goto(`${example.baseURL}/see-the-login`);
        await check('see the login');
        await page.goto(example.baseURL);
        await check('start, signed in');
        for (const { origin } of providersOf(example)) {
          await page.goto(origin);
          await check(`start page of ${await page.title()}`);
        }
        expect(problems).to.deep.equal({});
      });
    }

    it('header at 360 px — one line each, side by side, with names of any length', async () => {
      await person.close();
      person = await newPerson(browser!, { viewport: { width: 360, height: 740 } });
      page = await person.newPage();
      await logIn('Salesforce', 'Tobias Fenn');
      const whole =
        'document.querySelector(".me").scrollWidth <= document.querySelector(".me").clientWidth';
      expect(await page.evaluate(whole)).to.equal(true);
      for (const name of [
        'Tobias Fenn',
        'Maximiliane-Alexandra von und zu Hohenlohe-Ingelfingen',
      ]) {
        await page.locator('.me').evaluate((link, text) => (link.innerText = text), name);
        const [home, me] = await Promise.all(
          ['.home', '.me'].map((link) => page.locator(link).boundingBox()),
        );
        expect([home?.height, me?.height], name).to.deep.equal([44, 44]);
        expect(home?.y, name).to.equal(me?.y);
        expect((home?.x ?? 0) + (home?.width ?? 360), name).to.be.lessThan(me?.x ?? 0);
        expect((me?.x ?? 0) + (me?.width ?? 360), name).to.be.lessThan(360);
      }
      expect(await accessibilityProblems(page)).to.deep.equal([]);
    });

    it('start page — has the three links, by role and name, in a named navigation', async () => {
      await page.goto(example.baseURL);
      const links = page.getByRole('navigation', { name: 'Log in' }).getByRole('link');
      expect(await links.allInnerTexts()).to.deep.equal([
        'Log in with Salesloft',
        'Log in with SalesOS',
        'Log in with Salesforce',
      ]);
    });

    it('keyboard — a whole login without a mouse, the focus always in sight', async () => {
      await page.goto(example.baseURL);
      let focused = { text: '', visible: true };
      for (let presses = 0; focused.text !== 'Log in with SalesOS' && presses < 9; presses += 1) {
        await page.keyboard.press('Tab');
        focused = await focus(page);
        expect(focused.visible, `focus on ${focused.text}`).to.equal(true);
      }
      await page.keyboard.press('Enter');
      await page.getByRole('button', { name: 'Continue as Suri' }).focus();
      await page.keyboard.press('Enter');
      await page.waitForURL('**/profile');
      expect(await heading(page)).to.equal('Suri');
    });

    it('browser console — stays silent: no policy is broken', async () => {
      const messages: string[] = [];
      page.on('console', (message) => messages.push(message.text()));
      page.on('pageerror', (error) => messages.push(error.message));
      await logIn('Salesforce', 'Marta Quill');
      await page.getByRole('button', { name: 'Log out of Salesforce too' }).click();
      await page.getByRole('heading', { name: 'You are logged out' }).waitFor();
      await page.goto(example.baseURL);
      await page.getByText('Use a sandbox or My Domain').click();
      await page.getByRole('button', { name: 'Continue', exact: true }).click();
      await answer(page, example, 'Continue as Suri');
      await page.getByRole('button', { name: 'Log out', exact: true }).click();
      await page.getByRole('status').waitFor();
      expect(messages).to.deep.equal([]);
    });
  });
});

/** How wide the photo really is; 0 if it did not load. */
async function photoWidth(page: Page): Promise<number> {
  return await page
    .locator('.avatar img')
    .evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth);
}

function providersOf({ emulator }: Example) {
  return [emulator.salesloft, emulator.salesos, emulator.salesforce];
}

/** The action that the page recommends. */
async function primaryAction(page: Page): Promise<string> {
  return await page.locator('.actions .strong').innerText();
}

/** Runs a step, and returns what the application logs meanwhile. */
async function whileLogging(step: () => Promise<void>): Promise<string[]> {
  const { error } = console;
  const lines: string[] = [];
  console.error = (...values: unknown[]) => lines.push(values.join(' '));
  try {
    await step();
  } finally {
    console.error = error;
  }
  return lines;
}
