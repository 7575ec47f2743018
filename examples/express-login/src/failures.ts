/** A failed login in words for the person at the browser: a heading, the one who can fix it, the first step. */

/** Each can fix a failed login: the name, the advice to the person, and whether to try again comes first. */
const FIXERS = {
  person: {
    who: 'You',
    lead: 'You can fix this yourself: take the next step, then try again.',
    tryAgain: true,
  },
  personWhoTyped: {
    who: 'You',
    lead: 'Compare the address with that of your organization, and enter it again.',
    tryAgain: false,
  },
  personOrAdministrator: {
    who: 'You, or an administrator of your organization if a rule refused it',
    lead: 'You refused it at {provider}, or a rule of your organization did. Nothing was shared with this site.',
    tryAgain: true,
  },
  administrator: {
    who: 'An administrator of your organization at {provider}',
    lead: 'Trying again will not help yet. Please show this page to an administrator of your organization.',
    tryAgain: false,
  },
  operator: {
    who: 'The operator of this site',
    lead: 'You did nothing wrong. Until the operator of this site has fixed it, log in another way.',
    tryAgain: false,
  },
  operatorOfAccounts: {
    who: 'The operator of this site',
    lead: 'You signed in at {provider}, but this site does not accept the account: it may be deactivated there.',
    tryAgain: false,
  },
  operatorOfOrganizations: {
    who: 'The operator of this site',
    lead: 'You signed in at {provider}, but this site is for other organizations. Use an account of one of them.',
    tryAgain: false,
  },
  operatorOrAdministrator: {
    who: 'The operator of this site, or an administrator of your organization at {provider}',
    lead: 'You did nothing wrong. Please show this page to the operator of this site, or to your administrator.',
    tryAgain: false,
  },
  operatorIfItLasts: {
    who: 'The operator of this site, if it happens again',
    lead: 'This site got no answer from {provider} that it can accept. Please try again.',
    tryAgain: true,
  },
  provider: {
    who: '{provider}; usually it passes by itself',
    lead: 'You did nothing wrong. Please wait {wait}, then try again.',
    tryAgain: true,
  },
} as const;

type Row = readonly [fixer: keyof typeof FIXERS, heading: string];

/** A strategy's account of a failed login. Without a code, your own `verify` refused. */
export interface Failure {
  code?: string;
  message?: string;
  hint?: string;
  /** The provider asks us to wait this long. */
  retryAfterSeconds?: number;
  /** Of the login that failed: the next one is begun with the same. */
  returnTo?: string;
  environment?: Readonly<Record<string, string>>;
}

const ONE_MORE_STEP: Row = ['person', '{provider} needs one more step from you'];
const NEW_PASSWORD: Row = ['person', 'You need a new password at {provider}'];
const TOO_OFTEN: Row = ['person', 'Too many logins in a short time'];
const NO_ACCESS: Row = ['administrator', 'Your organization has not given you this app'];
const BLOCKED: Row = ['administrator', 'Your organization has blocked this app'];
const NOT_INSTALLED: Row = ['administrator', 'Your organization has not installed this app'];
const NOT_SET_UP: Row = ['operator', 'This site is not set up correctly for {provider}'];
const NOT_ALLOWED: Row = [
  'operatorOrAdministrator',
  '{provider} does not let this site log you in',
];
const LOST: Row = ['operatorIfItLasts', 'The answer of {provider} was lost on the way'];
const UNAVAILABLE: Row = ['provider', '{provider} is not available right now'];

/** By the code of the error; docs/errors.md lists them all. */
export const FAILURES: Readonly<Record<string, Row>> = {
  access_denied: ['personOrAdministrator', 'The login was cancelled or not allowed'],

  email_not_verified: ['person', 'Your e-mail address is not verified'],
  app_not_approved: ['person', 'You have not allowed the access yet'],
  id_token_organization: ['person', 'You signed in to another organization'],
  tenant_changed: ['person', 'This login is out of date'],
  login_url_not_allowed: ['personWhoTyped', 'This site cannot log you in at that address'],
  login_required: ONE_MORE_STEP,
  consent_required: ONE_MORE_STEP,
  interaction_required: ONE_MORE_STEP,
  account_selection_required: ONE_MORE_STEP,
  unmet_authentication_requirements: ONE_MORE_STEP,
  mfa_required: ONE_MORE_STEP,
  invalid_session_level: ONE_MORE_STEP,
  immediate_unsuccessful: ONE_MORE_STEP,
  password_leaked: NEW_PASSWORD,
  expired_password: NEW_PASSWORD,
  too_many_attempts: TOO_OFTEN,
  rate_limit_exceeded: TOO_OFTEN,

  unauthorized: ['administrator', '{provider} does not let you in'],
  inactive_user: ['administrator', 'Your account is not active'],
  inactive_org: ['administrator', 'Your organization is locked'],
  not_a_member: ['administrator', 'You are not a member of the organization'],
  invalid_invitation: ['administrator', 'Your invitation is no longer valid'],
  login_hours: ['administrator', 'You may not log in at this hour'],
  ip_restricted: ['administrator', 'You may not log in from this network'],
  invalid_app_access: NO_ACCESS,
  OAUTH_APP_ACCESS_DENIED: NO_ACCESS,
  app_blocked: BLOCKED,
  OAUTH_APP_BLOCKED: BLOCKED,
  app_not_installed: NOT_INSTALLED,
  app_not_found: NOT_INSTALLED,
  OAUTH_EC_APP_NOT_FOUND: NOT_INSTALLED,
  OAUTH_APPROVAL_ERROR_GENERIC: ['administrator', '{provider} did not approve this app'],

  invalid_client: NOT_SET_UP,
  invalid_client_id: NOT_SET_UP,
  unsupported_third_party: NOT_SET_UP,
  invalid_scope: NOT_SET_UP,
  redirect_uri_mismatch: NOT_SET_UP,
  unknown_audience: NOT_SET_UP,
  unknown_connection: NOT_SET_UP,
  organization_required: NOT_SET_UP,
  invalid_organization: NOT_SET_UP,
  session_missing: NOT_SET_UP,
  tenant_mismatch: NOT_SET_UP,
  tenant_unknown: ['operator', 'This site does not know your organization'],
  organization_not_allowed: ['operatorOfOrganizations', 'This site is not for your organization'],

  unauthorized_client: NOT_ALLOWED,
  oauth_flow_disabled: NOT_ALLOWED,

  callback_without_parameters: LOST,
  form_not_parsed: LOST,
  tenant_timeout: ['operatorIfItLasts', 'This site took too long to begin the login'],

  timeout: ['provider', '{provider} did not answer in time'],
  provider_unavailable: UNAVAILABLE,
  rate_limited: UNAVAILABLE,
  server_error: UNAVAILABLE,
  temporarily_unavailable: UNAVAILABLE,
  service_unavailable: UNAVAILABLE,
};

/** @param title the name of the provider */
export function explain(title: string, status: number, { code, retryAfterSeconds }: Failure) {
  const [fixer, heading] = rowOf(status, code);
  const { who, lead, tryAgain } = FIXERS[fixer];
  const wait = retryAfterSeconds === undefined ? 'a moment' : durationOf(retryAfterSeconds);
  const fill = (text: string) => text.replaceAll('{provider}', title).replaceAll('{wait}', wait);
  return { heading: fill(heading), who: fill(who), lead: fill(lead), tryAgain };
}

function durationOf(seconds: number): string {
  return seconds < 120 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`;
}

/** A code that is not listed, such as a word of the provider, goes by its status. */
function rowOf(status: number, code: string | undefined): Row {
  if (code === undefined) return ['operatorOfAccounts', 'This site does not let this account in'];
  const row = Object.hasOwn(FAILURES, code) ? FAILURES[code] : undefined;
  if (row) return row;
  if (status === 401) return ['administrator', '{provider} refused the login'];
  if (status === 403) return ['operatorIfItLasts', 'This login could not be finished'];
  return ['operatorIfItLasts', '{provider} could not complete the login'];
}
