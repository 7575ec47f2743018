/** The whole way of a person, by the keyboard alone and without JavaScript, at each provider. Needs chromium. */
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { heading } from './example';
import { visitExample } from './in-browser';
import { byKeyboard, byMouse } from './walk';
import type { Walker } from './walk';

const WALKS = [
  { provider: 'Salesloft', other: 'Salesforce', call: 'List cadences', who: 'Marta Quill' },
  { provider: 'SalesOS', other: 'Salesloft', call: 'List leads', who: 'Zoë Ångström' },
  { provider: 'Salesforce', other: 'SalesOS', call: 'Show API limits', who: 'Tobias Fenn' },
] as const;

const WAYS = [
  { name: 'by the keyboard alone', by: byKeyboard, javaScriptEnabled: true },
  { name: 'by the mouse, without JavaScript', by: byMouse, javaScriptEnabled: false },
] as const;

describe('example: the whole way', function () {
  this.timeout(120_000);
  const visit = visitExample();
  let page: Page;

  beforeEach(async () => {
    await visit.example.database.db.deleteFrom('accounts').execute();
  });

  const shows = async (name: RegExp | string) =>
    await page.getByRole('heading', { level: 1, name }).waitFor();
  const says = async (text: string) =>
    await page.getByRole('status').filter({ hasText: text }).waitFor();

  /** Chooses at the provider, and comes back. */
  async function signIn(walker: Walker, who: string) {
    await shows('Who is signing in?');
    await walker.choose(`Continue as ${who}`);
  }

  async function walk(walker: Walker, { provider, other, call, who }: (typeof WALKS)[number]) {
    await walker.choose(`Log in with ${provider}`);
    await signIn(walker, who);
    await shows(who);

    await walker.choose(`Connect ${other}`);
    await signIn(walker, 'Suri');
    await says('Connected');

    await walker.choose(call);
    if (provider === 'SalesOS') {
      const allow = `Allow “${call}” at ${provider}`;
      await page.getByRole('button', { name: allow }).waitFor();
      await walker.choose(allow);
      await signIn(walker, who);
      await says('Connected');
      await walker.choose(call);
    }
    await shows(call);
    await walker.choose('Back to your connections');
    await shows(who);

    await walker.choose('Disconnect');
    await says('Disconnected');
    await walker.choose('Log out');
    await says('You are logged out here.');
    await page.goto(`${visit.example.baseURL}/profile`);
    expect(await heading(page)).to.equal('Log in');
  }

  it('by the keyboard — notices a focus that is not seen, and a button that Tab does not reach', async () => {
    page = await visit.newPage();
    await page.setContent('<button style="outline: none">Go</button>');
    expect(await byKeyboard(page).choose('Go').catch(String)).to.contain('no outline');
    await page.setContent('<button tabindex="-1">Stay</button>');
    expect(await byKeyboard(page).choose('Stay').catch(String)).to.contain(
      'does not lead to "Stay"',
    );
  });

  for (const { name, by, javaScriptEnabled } of WAYS) {
    for (const one of WALKS) {
      it(`${one.provider}, ${name} — signs in, connects, calls, disconnects, signs out`, async () => {
        page = await visit.newPage({ javaScriptEnabled });
        await page.goto(visit.example.baseURL);
        await walk(by(page), one);
      });
    }
  }
});
