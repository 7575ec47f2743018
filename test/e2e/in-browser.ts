/** The set-up of a suite that visits the example in a browser. Needs chromium. */
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { launchBrowser, newPerson, startExample } from './example';
import type { Example } from './example';

export interface Visit {
  /** Undefined before the hooks of the suite have run. */
  example: Example;
  /** Opens the browser of a person who has never been here, in place of the one before. */
  newPage(options?: BrowserContextOptions): Promise<Page>;
}

/** Registers the hooks: one browser and one example for the suite, whose logged failures are not printed. */
export function visitExample(): Visit {
  const visit = { newPage } as Visit;
  let browser: Browser | undefined;
  let person: BrowserContext | undefined;
  const { error } = console;

  async function newPage(options?: BrowserContextOptions): Promise<Page> {
    await person?.close();
    person = await newPerson(browser!, options);
    return await person.newPage();
  }

  before(async function () {
    browser = await launchBrowser(this);
    visit.example = await startExample();
  });
  beforeEach(() => {
    // Failures are rehearsed, and logged.
    console.error = () => undefined;
  });
  afterEach(() => {
    console.error = error;
  });
  after(async () => {
    await browser?.close();
    await visit.example?.close();
  });
  return visit;
}
