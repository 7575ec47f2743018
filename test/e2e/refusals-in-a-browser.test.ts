/** Each failed login that the emulator can play, in a real browser. Needs chromium. */
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { answer, heading, startLogin } from './example';
import { visitExample } from './in-browser';
import { NAMES, TITLES, refusalsOf } from './refusal-table';

describe('example in a browser: refusals and accidents', function () {
  this.timeout(30_000);
  const visit = visitExample();
  let page: Page;

  before(async () => {
    page = await visit.newPage();
  });

  for (const provider of NAMES) {
    for (const { fault, status, heading: words, buttons } of refusalsOf(provider)) {
      it(`${provider} ${fault} — ${status}, "${words}", and the way on`, async () => {
        const { example } = visit;
        const emulator: { fail(name: string): void; clearFaults(): void } =
          example.emulator[provider];
        await startLogin(page, example, TITLES[provider]);
        emulator.fail(fault);
        try {
          const response = await answer(page, example, 'Continue as Suri');
          expect(response.status()).to.equal(status);
          expect(await heading(page)).to.equal(words);
          expect(await page.locator('.actions a').allInnerTexts()).to.deep.equal(buttons);
          expect(await page.locator('.actions a.strong').allInnerTexts()).to.deep.equal([
            buttons[0],
          ]);
          await page.getByText('For the developer of this site').click();
          expect(await page.locator('details dd').first().isVisible()).to.equal(true);
        } finally {
          emulator.clearFaults();
        }
      });
    }
  }
});
