/** The start page: the ways to log in. */
import { html } from './html';
import type { Html } from './html';
import { glyph, layout, titleOf } from './layout';
import { PROVIDERS, TITLES } from './providers';
import type { ProviderName } from './providers';
import type { User } from './user';

/** Offers of the start page while the emulator plays a provider. */
export interface Samples {
  /** Makes an invitation, which serves once. */
  salesos?: () => { person: string; name: string; organization: string; invitation: string };
  /** Addresses to sign in at. */
  salesforce?: { sandbox?: string | undefined; myDomain?: string | undefined };
}

interface Home {
  user: User | undefined;
  emulated: readonly ProviderName[];
  /** The provider of the last login of this browser. */
  lastUsed: string | undefined;
  returnTo: string | undefined;
  /** The end of a logout; `undefined`: there was none. */
  loggedOut: string | undefined;
  /** The origin of the login links; empty for this host. */
  loginOrigin: string;
  samples: Samples;
}

/** By the query of the address at which a logout ends. */
const LOGGED_OUT = new Map([
  ['salesos', 'You are logged out here and at SalesOS.'],
  ['salesloft', 'You are logged out here, and this site can no longer use your Salesloft account.'],
  [
    'salesforce',
    'You are logged out here, and this site can no longer use your Salesforce account.',
  ],
  ['deleted', 'Your account is deleted, and this site has no access to your CRMs any more.'],
  [
    'deleted-unrevoked',
    'Your account is deleted. A CRM did not answer, so remove this site in the settings of your account there.',
  ],
  [
    'unrevoked',
    'You are logged out here. The provider did not answer, so remove this site in the settings of your account there.',
  ],
]);

export function homePage(home: Home): string {
  const { user, emulated, lastUsed, returnTo, loggedOut } = home;
  return layout(
    'Log in',
    user,
    html`<div class="start">
      <div class="card">
        ${
          loggedOut !== undefined &&
          !user &&
          html`<p class="note" role="status">
            ${LOGGED_OUT.get(loggedOut) ?? 'You are logged out here.'}
          </p>`
        }
        <h1>${user ? 'Log in as another person' : 'Log in'}</h1>
        ${
          user
            ? html`<p class="lead">
                You are logged in as <strong>${user.displayName}</strong> with ${titleOf(user)}.
                <a href="/profile">Show your connections</a>
              </p>`
            : html`<p class="lead">
                ${
                  returnTo === undefined
                    ? 'Use the account you already have at work.'
                    : 'Please log in to see that page. Use the account you already have at work.'
                }
              </p>`
        }
        <nav aria-label="Log in">
          <ul class="logins">
            ${PROVIDERS.map(
              (name) =>
                html`<li>
                  ${loginButton(home, name, `Log in with ${TITLES[name]}`)}
                  ${name === lastUsed && html`<span class="tag">Last used</span>`}
                </li>`,
            )}
          </ul>
          ${salesforceElsewhere(home)}
        </nav>
      </div>
      ${emulated.length > 0 && emulatorNote(home)}
    </div>`,
  );
}

/** For people who do not sign in at the usual address. A form, so that it works without a script. */
function salesforceElsewhere(home: Home): Html {
  const { loginOrigin, returnTo, samples } = home;
  const { sandbox = 'https://test.salesforce.com', myDomain } = samples.salesforce ?? {};
  return html`<details>
    <summary>Use a sandbox or My Domain</summary>
    <div class="elsewhere">
      ${loginButton(home, 'salesforce', 'Log in to a sandbox', { loginURL: sandbox })}
      <form action="${loginOrigin}/auth/salesforce">
        <label for="loginURL">My Domain, or any page of your org</label>
        <div class="field">
          <input
            id="loginURL"
            name="loginURL"
            inputmode="url"
            autocapitalize="none"
            spellcheck="false"
            placeholder="acme.my.salesforce.com"
            value="${myDomain}"
            required
          />
          <button class="button">Continue</button>
        </div>
        ${
          returnTo !== undefined &&
          html`<input type="hidden" name="returnTo" value="${returnTo}" />`
        }
      </form>
    </div>
  </details>`;
}

function emulatorNote(home: Home): Html {
  const titles = home.emulated.map((name) => TITLES[name]);
  const invited = home.samples.salesos?.();
  return html`<div class="aside">
    <h2>Emulated: ${new Intl.ListFormat('en-GB').format(titles)}</h2>
    <p>
      A local emulator with invented people plays them, because no credentials are set. Put yours
      into <code>examples/express-login/.env</code> and start again.
    </p>
    ${invited && invitationNote(home, invited)}
  </div>`;
}

function invitationNote(
  home: Home,
  { person, name, organization, invitation }: ReturnType<NonNullable<Samples['salesos']>>,
): Html {
  const link = loginLink(home, 'salesos', { organization, invitation });
  return html`<p>
    ${person} is invited to <code>${name}</code>.
    <a href="${link}" rel="nofollow">Open the invitation link</a>
  </p>`;
}

function loginButton(
  home: Home,
  name: ProviderName,
  text: string,
  query?: Record<string, string>,
): Html {
  return html`<a class="button" href="${loginLink(home, name, query)}" rel="nofollow"
    >${glyph(name)}<span>${text}</span></a
  >`;
}

function loginLink(
  { loginOrigin, returnTo }: Home,
  name: ProviderName,
  query: Record<string, string> = {},
): string {
  const search = new URLSearchParams(returnTo === undefined ? query : { ...query, returnTo });
  const text = search.toString();
  return `${loginOrigin}/auth/${name}${text && `?${text}`}`;
}
