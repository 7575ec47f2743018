/** Each failed login that the emulator can play, and the page of the example that a person sees then. */
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

export const TITLES = {
  salesloft: 'Salesloft',
  salesos: 'SalesOS',
  salesforce: 'Salesforce',
} as const;
export const NAMES = Object.keys(TITLES) as Provider[];

export interface Refusal {
  fault: string;
  status: number;
  heading: string;
  fixer: string;
  /** The buttons, the prominent one first. */
  buttons: string[];
}

export function refusalsOf(provider: Provider): Refusal[] {
  return TABLE[provider]
    .trim()
    .split('\n')
    .map((row) => {
      const [fault = '', status, heading = '', fixer = '', first] = row
        .split('|')
        .map((column) => column.trim());
      const buttons = [`Try again with ${TITLES[provider]}`, 'Log in another way'];
      return {
        fault,
        status: Number(status),
        heading,
        fixer,
        buttons: first === 'again' ? buttons : buttons.toReversed(),
      };
    });
}
