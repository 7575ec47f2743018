/** Pages of a sentence or two: failures, and the end of a way. No request, no session, no token gets here. */
import { explain } from './failures';
import type { Failure } from './failures';
import { html } from './html';
import type { Html } from './html';
import { layout, titleOf, withCode } from './layout';
import { TITLES } from './providers';
import type { ProviderName } from './providers';
import type { User } from './user';

const START = { to: '/', text: 'Back to the start page' };

/**
 * A person, a policy or this site said no (401, 403), or the provider failed (502). Code, reason and next
 * step help the people who fix it. In production, log them, and show the heading and the way back.
 */
export function failurePage(
  provider: ProviderName,
  status: number,
  failure: Failure,
  user: User | undefined,
  seeTheLogin?: string,
): string {
  const title = TITLES[provider];
  const { heading, lead, who, tryAgain } = explain(title, status, failure);
  const action = (isFirst: boolean, href: string, text: string) =>
    html`<a class="${isFirst ? 'button strong' : 'button'}" href="${href}" rel="nofollow"
      >${text}</a
    >`;
  const { returnTo, environment } = failure;
  const query = new URLSearchParams({ ...(returnTo && { returnTo }), ...environment }).toString();
  const start = `/auth/${provider}${query && `?${query}`}`;
  const again = action(tryAgain, start, `Try again with ${title}`);
  const another = action(!tryAgain, '/', 'Log in another way');
  return layout(
    heading,
    user,
    html`<div class="card">
      <h1>${heading}</h1>
      <p class="lead">${lead}</p>
      <p class="actions">${tryAgain ? [again, another] : [another, again]}</p>
      <dl class="facts">
        <div>
          <dt>Can be fixed by</dt>
          <dd>${who}</dd>
        </div>
      </dl>
      ${forDevelopers(failure, seeTheLogin)}
    </div>`,
  );
}

/** Folded, because it says nothing to the person. In production, log it, and leave this part out. */
function forDevelopers({ code, message, hint }: Failure, seeTheLogin?: string): Html {
  const known = code ?? 'refused';
  return html`<details>
    <summary>For the developer of this site</summary>
    <dl class="facts">
      <div>
        <dt>Next step</dt>
        <dd>
          ${withCode(hint ?? 'Log in with another account, or ask the operator of this site.')}
        </dd>
      </div>
      <div>
        <dt>Reason</dt>
        <dd>${message ?? 'This site refused the account.'}</dd>
      </div>
      <div>
        <dt>Code</dt>
        <dd><code>${known}</code></dd>
      </div>
    </dl>
    ${code !== undefined && html`<p><a href="/errors">All codes: docs/errors.md</a></p>`}
    ${seeTheLogin !== undefined && html`<p><a href="${seeTheLogin}">See the login: what was sent and received</a></p>`}
  </details>`;
}

export function alreadyLoggedInPage(user: User): string {
  return layout(
    'You are already signed in',
    user,
    html`<div class="card narrow">
      <h1>You are already signed in</h1>
      <p class="lead">
        This login is over, and you are signed in as
        <strong>${user.displayName}</strong> with ${titleOf(user)}. Nothing is lost.
      </p>
      <p class="actions">
        <a class="button strong" href="/profile">Go to your connections</a>
      </p>
    </div>`,
  );
}

export function notFoundPage(user?: User): string {
  return plainPage('Page not found', 'There is nothing at this address.', user);
}

/** @param retryAfterSeconds what the header `Retry-After` tells programs */
export function tooManyPage(retryAfterSeconds: number): string {
  const minutes = Math.max(1, Math.ceil(retryAfterSeconds / 60));
  const wait = minutes === 1 ? 'a minute' : `${minutes} minutes`;
  return plainPage('Too many logins', `Please come back in ${wait}, and try again.`);
}

export function errorPage(status: number, user?: User): string {
  if (status === 403) {
    return plainPage(
      'Not from here',
      'This request came from another site. Nothing was done.',
      user,
    );
  }
  return status < 500
    ? plainPage('This request is malformed', 'Please go back to the start page.', user)
    : plainPage('Something broke', 'You did nothing wrong. Please try again later.', user);
}

function plainPage(heading: string, lead: string, user?: User, way = START): string {
  return layout(
    heading,
    user,
    html`<div class="card narrow">
      <h1>${heading}</h1>
      <p class="lead">${lead}</p>
      <p class="actions"><a class="button strong" href="${way.to}">${way.text}</a></p>
    </div>`,
  );
}

/** In words, for the two ways in which a link fails, and for the connection that must stay. */
const PROBLEMS = {
  connection_taken: {
    heading: 'This connection belongs to another account',
    lead: 'You signed in at {provider} as a person who has an account of this site already. Log in with that person to use it, or sign in at {provider} as another one. Nothing was changed.',
  },
  link_signed_out: {
    heading: 'You are not signed in as before',
    lead: 'You asked to connect {provider}, and have signed out or changed the account since. Nothing was connected. Log in, then connect it again.',
  },
  last_connection: {
    heading: 'This is your only connection',
    lead: 'Without {provider} you could not log in any more. Connect another CRM first, or delete your account.',
  },
} as const;

export function accountProblemPage(
  code: keyof typeof PROBLEMS,
  provider: string,
  user: User | undefined,
): string {
  const { heading, lead } = PROBLEMS[code];
  const words = lead.replaceAll('{provider}', titleOf({ provider }));
  const way = user ? { to: '/profile', text: 'Back to your connections' } : START;
  return plainPage(heading, words, user, way);
}
