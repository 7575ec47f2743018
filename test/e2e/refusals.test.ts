/** Each refusal and each accident of a login in the example application, and the page that a person sees then. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { FAILURES } from '../../examples/express-login/dist/failures';
import { startExample } from './example';
import type { Example } from './example';
import { Visitor } from './visitor';
import type { Provider } from './visitor';

/** The columns: fault of the emulator | status | heading | who can fix it | first button. */
const TABLE = {
  salesloft: `
    callback-access-denied | 401 | The login was cancelled or not allowed | You, or an administrator | again
    callback-unauthorized | 502 | Salesloft does not let this site log you in | operator, or an administrator | another
    callback-invalid-scope | 502 | This site is not set up correctly for Salesloft | operator | another
    callback-server-error | 502 | Salesloft is not available right now | Salesloft | again
    callback-no-parameters | 403 | The answer of Salesloft was lost on the way | operator | again
    callback-fragment | 403 | The answer of Salesloft was lost on the way | operator | again
    token-invalid-client | 502 | This site is not set up correctly for Salesloft | operator | another
    token-unauthorized | 502 | Salesloft does not let this site log you in | operator, or an administrator | another
    token-invalid-grant | 502 | Salesloft could not complete the login | operator | again
    token-unavailable | 502 | Salesloft is not available right now | Salesloft | again
    token-503-retry | 502 | Salesloft is not available right now | Salesloft | again
    token-firewall | 502 | Salesloft could not complete the login | operator | again
    token-html | 502 | Salesloft could not complete the login | operator | again
    token-reset | 502 | Salesloft could not complete the login | operator | again
    profile-minute-budget | 502 | Salesloft is not available right now | Salesloft | again
    profile-firewall | 502 | Salesloft could not complete the login | operator | again`,
  salesos: `
    callback-blocked | 401 | SalesOS does not let you in | administrator | another
    callback-unauthorized-by-action | 401 | SalesOS does not let you in | administrator | another
    callback-email-unverified | 401 | Your e-mail address is not verified | You | again
    callback-denied-by-action | 401 | The login was cancelled or not allowed | You, or an administrator | again
    callback-organization-required | 401 | This site is not set up correctly for SalesOS | operator | another
    callback-organization-invalid | 502 | This site is not set up correctly for SalesOS | operator | another
    callback-not-in-organization | 401 | You are not a member of the organization | administrator | another
    callback-service-not-found | 502 | This site is not set up correctly for SalesOS | operator | another
    callback-unauthorized-client | 502 | SalesOS does not let this site log you in | operator, or an administrator | another
    callback-consent-required | 401 | SalesOS needs one more step from you | You | again
    callback-interaction-required | 401 | SalesOS needs one more step from you | You | again
    callback-unavailable | 502 | SalesOS is not available right now | SalesOS | again
    callback-other-iss | 403 | This login could not be finished | operator | again
    callback-no-parameters | 403 | The answer of SalesOS was lost on the way | operator | again
    token-blocked | 401 | SalesOS does not let you in | administrator | another
    token-unauthorized | 401 | SalesOS does not let you in | administrator | another
    token-denied-by-action | 401 | The login was cancelled or not allowed | You, or an administrator | again
    token-mfa-required | 401 | SalesOS needs one more step from you | You | again
    token-service-not-found | 502 | This site is not set up correctly for SalesOS | operator | another
    token-access-denied | 502 | This site is not set up correctly for SalesOS | operator | another
    token-unauthorized-client | 502 | SalesOS does not let this site log you in | operator, or an administrator | another
    token-503-retry | 502 | SalesOS is not available right now | SalesOS | again
    token-rate-limit | 502 | SalesOS is not available right now | SalesOS | again
    token-firewall | 502 | SalesOS could not complete the login | operator | again
    id-token-bad-signature | 502 | SalesOS could not complete the login | operator | again`,
  salesforce: `
    callback-access-denied | 401 | The login was cancelled or not allowed | You, or an administrator | again
    callback-user-inactive | 401 | Your account is not active | administrator | another
    callback-org-inactive | 401 | Your organization is locked | administrator | another
    callback-app-not-found | 401 | Your organization has not installed this app | administrator | another
    callback-app-not-installed | 401 | Your organization has not installed this app | administrator | another
    callback-app-blocked | 401 | Your organization has blocked this app | administrator | another
    callback-app-blocked-by-admin | 401 | Your organization has blocked this app | administrator | another
    callback-invalid-app-access | 401 | Your organization has not given you this app | administrator | another
    callback-app-access-denied | 401 | Your organization has not given you this app | administrator | another
    callback-approval-error | 401 | Salesforce did not approve this app | administrator | another
    callback-rate-limit | 401 | Too many logins in a short time | You | again
    callback-flow-disabled | 502 | Salesforce does not let this site log you in | operator, or an administrator | another
    callback-unauthorized | 502 | Salesforce does not let this site log you in | operator, or an administrator | another
    callback-unavailable | 502 | Salesforce is not available right now | Salesforce | again
    callback-no-parameters | 403 | The answer of Salesforce was lost on the way | operator | again
    token-user-inactive | 401 | Your account is not active | administrator | another
    token-inactive-user | 401 | Your account is not active | administrator | another
    token-org-inactive | 401 | Your organization is locked | administrator | another
    token-inactive-organization | 401 | Your organization is locked | administrator | another
    token-ip-restricted | 401 | You may not log in from this network | administrator | another
    token-login-hours | 401 | You may not log in at this hour | administrator | another
    token-not-approved | 401 | You have not allowed the access yet | You | again
    token-app-not-found | 401 | Your organization has not installed this app | administrator | another
    token-app-blocked | 401 | Your organization has blocked this app | administrator | another
    token-rate-limit | 401 | Too many logins in a short time | You | again
    token-flow-disabled | 502 | Salesforce does not let this site log you in | operator, or an administrator | another
    token-unauthorized | 502 | Salesforce does not let this site log you in | operator, or an administrator | another
    token-expired-code | 502 | Salesforce could not complete the login | operator | again
    token-authentication-failure | 502 | Salesforce could not complete the login | operator | again
    token-wrong-signature | 502 | Salesforce could not complete the login | operator | again
    token-503-retry | 502 | Salesforce is not available right now | Salesforce | again
    token-firewall | 502 | Salesforce could not complete the login | operator | again
    profile-inactive | 401 | Your account is not active | administrator | another
    profile-firewall | 502 | Salesforce could not complete the login | operator | again`,
} as const;

const TITLES = { salesloft: 'Salesloft', salesos: 'SalesOS', salesforce: 'Salesforce' } as const;
const NAMES = Object.keys(TITLES) as Provider[];

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
    for (const row of TABLE[provider].trim().split('\n')) {
      const [fault = '', status, heading, fixer = '', first] = row.split('|').map((c) => c.trim());

      it(`${provider} ${fault} — ${status}, "${heading}"`, async () => {
        const emulator: { fail(name: string): void } = example.emulator[provider];
        emulator.fail(fault);
        const page = await new Visitor(example).logIn(provider);
        expect(page.status).to.equal(Number(status));
        expect(page.heading).to.equal(heading);
        expect(page.facts['Can be fixed by']).to.match(fixerOf(fixer, TITLES[provider]));
        const again = `Try again with ${TITLES[provider]}`;
        const buttons = [again, 'Log in another way'];
        expect(page.buttons).to.deep.equal(first === 'again' ? buttons : buttons.toReversed());
        expect(page.strong).to.deep.equal([buttons[first === 'again' ? 0 : 1]]);
        expect(page.facts['Next step']).to.match(/^.{20,}$/);
        expect(page.heading + page.lead).not.to.match(/_|\{|undefined/);
        // A refusal is not a fault: it stays out of the log of errors.
        expect(logged).to.have.length(Number(status) === 502 ? 1 : 0);
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
