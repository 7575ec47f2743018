/** Each refusal and each accident of a login in the example application, and the page that a person sees then. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { FAILURES } from '../../examples/express-login/dist/failures';
import { startExample } from './example';
import type { Example } from './example';
import { NAMES, TITLES, refusalsOf } from './refusal-table';
import { Visitor } from './visitor';

describe('example: refusals and accidents', () => {
  let example: Example;
  let logged: string[];
  const { error } = console;

  before(async () => {
    example = await startExample();
  });
  after(async () => {
    await example.close();
  });
  beforeEach(() => {
    logged = [];
    console.error = (...values: unknown[]) => logged.push(values.join(' '));
  });
  afterEach(() => {
    console.error = error;
    for (const name of NAMES) example.emulator[name].clearFaults();
  });

  for (const provider of NAMES) {
    for (const { fault, status, heading, fixer, buttons } of refusalsOf(provider)) {
      it(`${provider} ${fault} — ${status}, "${heading}"`, async () => {
        const emulator: { fail(name: string): void } = example.emulator[provider];
        emulator.fail(fault);
        const page = await new Visitor(example).logIn(provider);
        expect(page.status).to.equal(status);
        expect(page.heading).to.equal(heading);
        expect(page.facts['Can be fixed by']).to.match(fixerOf(fixer, TITLES[provider]));
        expect(page.buttons).to.deep.equal(buttons);
        expect(page.strong).to.deep.equal([buttons[0]]);
        expect(page.facts['Next step']).to.match(/^.{20,}$/);
        expect(page.heading + page.lead).not.to.match(/_|\{|undefined/);
        // A refusal is not a fault: it stays out of the log of errors.
        expect(logged).to.have.length(status === 502 ? 1 : 0);
        expect(page.html + logged.join('')).not.to.contain(example.emulator[provider].clientSecret);
      });
    }

    it(`${provider} Deny — a login that the person cancels can be tried again`, async () => {
      const visitor = new Visitor(example);
      const page = await visitor.logIn(provider, 'Deny');
      expect([page.status, page.heading]).to.deep.equal([
        401,
        'The login was cancelled or not allowed',
      ]);
      expect(page.lead).to.match(/^You refused it at .*Nothing was shared with this site\.$/);
      expect(page.strong).to.deep.equal([`Try again with ${TITLES[provider]}`]);
      expect((await visitor.logIn(provider)).location).to.equal('/profile');
    });

    it(`${provider} Retry-After — says how long to wait`, async () => {
      for (const [retryAfter, words] of [
        [7, '7 seconds'],
        [3590, '60 minutes'],
      ] as const) {
        example.emulator[provider].fail('token-503-retry', { retryAfter });
        const { lead } = await new Visitor(example).logIn(provider);
        expect(lead).to.contain(`Please wait ${words}, then try again`);
      }
    });

    it(`${provider} error of no table — is a page by its status, whatever its name`, async () => {
      for (const name of ['constructor', '__proto__', 'some_new_word']) {
        const merge = { code: null, error: name };
        example.emulator[provider].fault({ step: 'callback', kind: 'patch', merge });
        const page = await new Visitor(example).logIn(provider);
        expect([page.status, page.heading]).to.deep.equal([
          502,
          `${TITLES[provider]} could not complete the login`,
        ]);
      }
    });
  }

  it('Dario Plum — is refused by two providers, and by this site where the provider lets him in', async () => {
    const headings = await Promise.all(
      NAMES.map(async (name) => {
        const { status, heading, strong } = await new Visitor(example).logIn(name, 'Dario Plum');
        expect(status).to.equal(401);
        expect(strong).to.deep.equal(['Log in another way']);
        return heading;
      }),
    );
    expect(headings).to.deep.equal([
      'This site does not let this account in',
      'SalesOS does not let you in',
      'Your account is not active',
    ]);
  });

  it('provider slower than the timeout — says that it did not answer in time', async function () {
    this.timeout(30_000);
    const hurried = await startExample({ timeout: 300 });
    try {
      for (const name of NAMES) {
        hurried.emulator[name].fail('token-slow', { delayMs: 20_000 });
        const page = await new Visitor(hurried).logIn(name);
        expect([page.status, page.heading]).to.deep.equal([
          502,
          `${TITLES[name]} did not answer in time`,
        ]);
        expect(page.strong).to.deep.equal([`Try again with ${TITLES[name]}`]);
      }
    } finally {
      await hurried.close();
    }
  });

  it('organization with My Domain — logs in, with the org and the issuer elsewhere', async function () {
    this.timeout(30_000);
    const apart = await startExample({ origins: true });
    try {
      expect((await new Visitor(apart).logIn('salesforce')).location).to.equal('/profile');
    } finally {
      await apart.close();
    }
  });

  it('table of the example — names codes that exist', () => {
    const documented = readFileSync('docs/errors.md', 'utf8');
    for (const code of Object.keys(FAILURES)) expect(documented).to.contain(`| \`${code}\` `);
  });
});

function fixerOf(fixer: string, title: string): RegExp {
  if (fixer === 'administrator') {
    return new RegExp(`^An administrator of your organization at ${title}$`);
  }
  if (fixer.startsWith('operator'))
    return new RegExp(`^The ${fixer.replace('operator', 'operator of this site')}`);
  return new RegExp(fixer === 'You' ? '^You$' : `^${fixer}`);
}
