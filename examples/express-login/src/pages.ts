/** The pages: functions from data to HTML. No request, no session, no token gets here. */
import { explain } from './failures';
import type { Failure } from './failures';
import { html } from './html';
import type { Html } from './html';
import { TITLES } from './strategies';
import type { ProviderName } from './strategies';
import type { User } from './user';

export function layout(title: string, user: User | undefined, body: Html): string {
  return `<!doctype html>\n${
    html`<html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · Express login example</title>
        <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/style.css" />
      </head>
      <body>
        <header class="bar">
          <a class="home" href="/">Express login example</a>
          ${user && html`<a class="me" href="/profile">${user.displayName}</a>`}
        </header>
        <main>${body}</main>
        <footer>
          An example application. Not affiliated with or endorsed by Salesloft, SalesOS or
          Salesforce.
        </footer>
      </body>
    </html>`.text
  }\n`;
}

export function profilePage(user: User): string {
  const { displayName, email, emailVerified, photo, id, organization, signedInAt } = user;
  const { expiresAt, raw } = user;
  return layout(
    'Profile',
    user,
    html`<div class="card">
      <div class="person">
        <span class="avatar" aria-hidden="true">
          ${initials(displayName)}
          ${photo && html`<img src="${photo}" alt="" referrerpolicy="no-referrer" />`}
        </span>
        <div>
          <h1>${displayName}</h1>
          <p class="lead">Logged in with ${titleOf(user)}</p>
        </div>
      </div>
      <dl class="facts">
        <div>
          <dt>E-mail</dt>
          <dd>
            ${email ?? unknown('none')}
            ${
              email !== undefined &&
              html`<span class="${emailVerified ? 'tag good' : 'tag'}"
                >${
                  emailVerified === undefined
                    ? 'not told whether verified'
                    : emailVerified
                      ? 'verified'
                      : 'not verified'
                }</span
              >`
            }
          </dd>
        </div>
        <div>
          <dt>Id</dt>
          <dd><code>${id}</code></dd>
        </div>
        <div>
          <dt>${user.provider === 'salesloft' ? 'Team' : 'Organization'}</dt>
          <dd>
            ${organization === undefined ? unknown('none') : html`<code>${organization}</code>`}
          </dd>
        </div>
        <div>
          <dt>Provider</dt>
          <dd>
            ${titleOf(user)}${signedInAt !== undefined && html`, at <code>${signedInAt}</code>`}
          </dd>
        </div>
        <div>
          <dt>Access token ends</dt>
          <dd>
            ${expiresAt === undefined ? unknown('not told by the provider') : timeOf(expiresAt)}
          </dd>
        </div>
      </dl>
      <details>
        <summary>Show what ${titleOf(user)} sent</summary>
        <pre tabindex="0">${JSON.stringify(raw, null, 2)}</pre>
      </details>
      <form class="actions" method="post" action="/logout">
        <button class="button">Log out</button>
        <button class="button" formaction="/logout/provider">
          ${user.logoutURL === undefined ? 'Log out and revoke access' : `Log out of ${titleOf(user)} too`}
        </button>
      </form>
    </div>`,
  );
}

/**
 * A person, a policy or this site said no (401, 403), or the provider failed (502). Code, reason and next
 * step help the people who fix it. In production, log them, and show the heading and the way back.
 */
export function failurePage(
  provider: ProviderName,
  status: number,
  failure: Failure,
  user: User | undefined,
): string {
  const title = TITLES[provider];
  const { code, message, hint } = failure;
  const { heading, lead, who, tryAgain } = explain(title, status, failure);
  const action = (isFirst: boolean, href: string, text: string) =>
    html`<a class="${isFirst ? 'button strong' : 'button'}" href="${href}" rel="nofollow"
      >${text}</a
    >`;
  const again = action(tryAgain, `/auth/${provider}`, `Try again with ${title}`);
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
          <dd><code>${code ?? 'refused'}</code></dd>
        </div>
      </dl>
    </div>`,
  );
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
        <a class="button strong" href="/profile">Go to your profile</a>
      </p>
    </div>`,
  );
}

export function notFoundPage(user?: User): string {
  return plainPage('Page not found', 'There is nothing at this address.', user);
}

export function tooManyPage(): string {
  return plainPage('Too many logins', 'Please wait a few minutes, then try again.');
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

function plainPage(heading: string, lead: string, user?: User): string {
  return layout(
    heading,
    user,
    html`<div class="card narrow">
      <h1>${heading}</h1>
      <p class="lead">${lead}</p>
      <p class="actions"><a class="button strong" href="/">Back to the start page</a></p>
    </div>`,
  );
}

const unknown = (text: string) => html`<span class="unknown">${text}</span>`;

export function titleOf({ provider }: User): string {
  return TITLES[provider as ProviderName] ?? provider;
}

/** "Zoë Ångström" → "ZÅ" */
function initials(name: string): string {
  const words = name.split(/\s+/).filter(Boolean);
  const [first = '', last = ''] = [words[0], words.length > 1 ? words.at(-1) : ''];
  return [first, last]
    .map((word) => /\p{L}\p{M}*/u.exec(word)?.[0] ?? '')
    .join('')
    .toUpperCase();
}

function timeOf(epochMs: number): Html {
  const date = new Date(epochMs);
  const text = new Intl.DateTimeFormat('en-GB', {
    dateStyle: 'long',
    timeStyle: 'short',
    timeZone: 'UTC',
  }).format(date);
  return html`<time datetime="${date.toISOString()}">${text} UTC</time>`;
}

/** Hints name options and parameters in backticks. */
function withCode(text: string): Html[] {
  return text
    .split('`')
    .map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : html`${part}`));
}
