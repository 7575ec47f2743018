/** The emulator's pages: the sign-in page, the start page, the error page and the form that posts a callback. */
import { createHash } from 'node:crypto';
import type { Endpoint, RegisteredClient } from './dialect.js';
import { Html, html } from './html.js';
import type { CompletePerson } from './people.js';
import { HTML_TYPE, type Reply } from './reply.js';

const STYLE = `
:root{color-scheme:light dark;--paper:#f4f2ee;--card:#fff;--ink:#1d1f24;--soft:#5a5f6b;--line:#d9d6cf;--accent:#2b5c4f;--accent-ink:#fff;--warn:#8a4b08;--warn-paper:#fdf3e3}
@media (prefers-color-scheme:dark){:root{--paper:#17191d;--card:#20232a;--ink:#eceae6;--soft:#a6abb8;--line:#3a3f4a;--accent:#7fc4b0;--accent-ink:#10211c;--warn:#f0c078;--warn-paper:#33291a}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem 1rem;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{width:100%;max-width:30rem;background:var(--card);border:1px solid var(--line);border-radius:14px;overflow:hidden;box-shadow:0 8px 30px rgb(0 0 0/.06)}
.notice{margin:0;padding:.6rem 1.5rem;background:var(--warn-paper);color:var(--warn);font-size:.875rem;font-weight:600}
.body{padding:1.25rem 1.5rem 1.5rem}
h1{margin:0 0 .25rem;font-size:1.4rem;line-height:1.25;letter-spacing:-.01em}
p{margin:0 0 1rem}.soft{color:var(--soft);font-size:.9rem}
code{font:.9em ui-monospace,monospace;overflow-wrap:anywhere}
ul{list-style:none;margin:0 0 .75rem;padding:0;display:grid;grid-template-columns:minmax(0,1fr);gap:.5rem}
button{font:inherit;cursor:pointer;border-radius:9px;border:1px solid var(--line);background:var(--card);color:var(--ink);min-height:48px;padding:.55rem .9rem;width:100%;text-align:left}
button:hover{border-color:var(--accent);background:color-mix(in srgb,var(--accent) 7%,var(--card))}
button:focus-visible,select:focus-visible,summary:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.hinted button{border-color:var(--accent);background:var(--accent);color:var(--accent-ink);font-weight:600}
.hinted button:hover{background:color-mix(in srgb,var(--accent) 90%,var(--ink))}
.person button{padding:.5rem .9rem 1.8rem}
.who{position:relative;margin:-1.75rem .95rem .55rem;color:var(--soft);font-size:.8125rem;line-height:1.2rem;white-space:nowrap;overflow:hidden;text-overflow:ellipsis;pointer-events:none}
.hinted .who{color:var(--accent-ink)}
.scopes{display:flex;flex-wrap:wrap;gap:.35rem;margin:0 0 1.1rem}
.scopes li{border:1px solid var(--line);border-radius:99px;padding:0 .6rem;font:.8125rem/1.6rem ui-monospace,monospace}
details{margin-top:1rem;border-top:1px solid var(--line);padding-top:.85rem}
summary{cursor:pointer;font-weight:600;min-height:28px}
label{display:block;margin:.5rem 0 .25rem;font-size:.9rem}
select{font:inherit;width:100%;min-height:44px;padding:.4rem .6rem;border:1px solid var(--line);border-radius:9px;background:var(--card);color:var(--ink)}
details .soft{margin:.5rem 0 0}
.deny{text-align:center;color:var(--soft)}
dl{display:grid;grid-template-columns:auto minmax(0,1fr);gap:.25rem 1rem;margin:0}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
.wide{max-width:52rem}.wide .body{padding:1.75rem 2rem 2rem}.wide .notice{padding-inline:2rem}
h2{margin:1.75rem 0 .5rem;padding-top:1.25rem;border-top:1px solid var(--line);font-size:1.05rem;line-height:1.3}
pre{margin:0 0 1rem;padding:.9rem 1.1rem;background:var(--paper);border:1px solid var(--line);border-radius:9px;line-height:1.6;overflow-x:auto}
pre:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.wide dl{grid-template-columns:10.5rem minmax(0,1fr);gap:0}
.wide dt,.wide dd{padding:.4rem 0}
.line{display:block}
.wide .endpoint{display:grid;grid-template-columns:6.5rem minmax(0,1fr);align-items:baseline}
.endpoint code{line-height:1.5}
.method{color:var(--accent);font:600 .8125rem/1.5 ui-monospace,monospace}
@media (max-width:40rem){.wide .body{padding:1.25rem 1.25rem 1.5rem}.wide .notice{padding-inline:1.25rem}.wide dl{grid-template-columns:minmax(0,1fr)}.wide dt{padding-bottom:0}.wide dd{padding-top:0}.wide .endpoint{grid-template-columns:minmax(0,1fr)}}
`;

const SUBMIT_SCRIPT = 'document.forms[0].submit()';

// Built without `html`, because the hashes of the policy cover every character between the tags.
const STYLE_ELEMENT = new Html(`<style>${STYLE}</style>`);
const SUBMIT_ELEMENT = new Html(`<script>${SUBMIT_SCRIPT}</script>`);

function sourceHash(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

/**
 * Without `form-action`, because browsers apply it to redirects as well, and the answer to the sign-in form
 * redirects to the application.
 */
const POLICY = [
  "default-src 'none'",
  `style-src ${sourceHash(STYLE)}`,
  `script-src ${sourceHash(SUBMIT_SCRIPT)}`,
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

const PAGE_HEADERS: Record<string, string> = {
  'content-security-policy': POLICY,
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

export function pageReply(status: number, page: string): Reply {
  return { status, body: page, type: HTML_TYPE, headers: PAGE_HEADERS };
}

function document(title: string, notice: string, body: Html, width?: 'wide'): string {
  return `<!doctype html>\n${
    html`<html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        ${STYLE_ELEMENT}
      </head>
      <body>
        <main class="${width ?? 'narrow'}">
          <p class="notice">${notice}</p>
          <div class="body">${body}</div>
        </main>
      </body>
    </html>`.text
  }\n`;
}

const noticeOf = (title: string) => `Local emulator of ${title}. For development only.`;

const HEADING = 'Who is signing in?';

/** The failures that the page offers, by the step they belong to. */
export type Rehearsals = Readonly<Record<string, readonly { label: string; value: number }[]>>;

export interface SignInPage {
  title: string;
  /** Where the form is posted to. */
  action: string;
  clientID: string;
  redirectHost: string;
  scopes: readonly string[];
  people: readonly CompletePerson[];
  /** The person of the `login_hint`, who comes first. */
  hinted: CompletePerson | undefined;
  rehearsals: Rehearsals;
}

export function signInPage(signIn: SignInPage): string {
  const { title, hinted, scopes } = signIn;
  const people = hinted
    ? [hinted, ...signIn.people.filter((person) => person !== hinted)]
    : signIn.people;
  return document(
    `Sign in: local emulator of ${title}`,
    noticeOf(title),
    html`<h1>${HEADING}</h1>
      <p class="soft">
        <code>${signIn.clientID}</code> asks you to sign in. The answer goes to
        <code>${signIn.redirectHost}</code>${scopes.length > 0 ? ', for these scopes:' : '.'}
      </p>
      ${
        scopes.length > 0 &&
        html`<ul class="scopes" aria-label="Scopes">
          ${scopes.map((scope) => html`<li>${scope}</li>`)}
        </ul>`
      }
      <form method="post" action="${signIn.action}">
        <ul>
          ${people.map(
            (person) =>
              html`<li class="${person === hinted ? 'person hinted' : 'person'}">
                <button
                  name="person"
                  value="${person.number}"
                  aria-describedby="about-${person.number}"
                >
                  Continue as ${person.name}
                </button>
                <p class="who" id="about-${person.number}">${aboutPerson(person)}</p>
              </li>`,
          )}
        </ul>
        <button class="deny" name="deny" value="1">Deny</button>
        <details>
          <summary>Rehearse a failure</summary>
          <label for="fault">Choose a failure that happens once, after this sign-in</label>
          <select id="fault" name="fault">
            <option value="">Nothing</option>
            ${Object.entries(signIn.rehearsals).map(
              ([step, rehearsals]) =>
                html`<optgroup label="${step}">
                  ${rehearsals.map(({ label, value }) => html`<option value="${value}">${label}</option>`)}
                </optgroup>`,
            )}
          </select>
          <p class="soft">
            A request fails only if the application makes it. An application that has the keys
            already does not ask for them, and may ask again when a connection breaks.
          </p>
        </details>
      </form>`,
  );
}

function aboutPerson({ email, jobRole, admin, active }: CompletePerson): string {
  return [!active && 'inactive', admin && 'administrator', jobRole, email ?? 'no e-mail address']
    .filter(Boolean)
    .join(' · ');
}

/** Shown after a logout that names no page of the application. */
export function loggedOutPage(title: string): string {
  return document(
    `Logged out: local emulator of ${title}`,
    noticeOf(title),
    html`<h1>You are logged out</h1>
      <p class="soft">You can close this window.</p>`,
  );
}

/** Asks whether to log out, when the request does not tell a session of this emulator. */
export function confirmLogoutPage(
  title: string,
  action: string,
  params: Record<string, string | undefined>,
): string {
  return document(
    `Log out: local emulator of ${title}`,
    noticeOf(title),
    html`<h1>Do you want to log out?</h1>
      <form method="post" action="${action}">
        ${hiddenFields(params)}<button>Log out</button>
      </form>`,
  );
}

function hiddenFields(params: Record<string, string | undefined>): Html[] {
  return Object.entries(params)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`);
}

/** Shown instead of a redirect to the application (RFC 6749 §4.1.2.1). */
export function errorPage(title: string, error: string, description: string): string {
  return document(
    `Error: local emulator of ${title}`,
    noticeOf(title),
    html`<h1>This request was refused</h1>
      <p class="soft">
        The browser is not sent back to the application. That takes a known client, a registered
        redirect URI and a sign-in that is still open.
      </p>
      <dl>
        <dt>error</dt>
        <dd><code>${error}</code></dd>
        <dt>description</dt>
        <dd>${description}</dd>
      </dl>`,
  );
}

/** OAuth 2.0 Form Post Response Mode §2: the parameters are sent by a form that submits itself. */
export function formPostPage(action: string, params: Record<string, string | undefined>): string {
  return document(
    'Back to the application',
    'Local emulator. For development only.',
    html`<form method="post" action="${action}">
        ${hiddenFields(params)}
        <button>Back to the application</button>
      </form>
      ${SUBMIT_ELEMENT}`,
  );
}

export interface StartPage {
  name: string;
  title: string;
  origin: string;
  endpoints: readonly Endpoint[];
  client: RegisteredClient;
  /** The options to give to a strategy. */
  options: Readonly<Record<string, string>>;
  /** Registered redirect URIs; those of this machine need no registration. */
  callbackURLs: readonly string[];
  people: readonly CompletePerson[];
}

/** The page at `/` of an origin: everything that a developer needs to connect an application. */
export function startPage(page: StartPage): string {
  const { name, title, origin, endpoints, client, options, callbackURLs, people } = page;
  const entries = Object.entries(options).map(([option, value]) => `  ${option}: '${value}',`);
  return document(
    `Local emulator of ${title}`,
    noticeOf(title),
    html`<h1>${title}, emulated</h1>
      <p class="soft">At <code>${origin}</code>, without an account and without a network.</p>

      <h2>Sign in from an app</h2>
      <p>Spread these options into the strategy, beside a <code>callbackURL</code> of your own:</p>
      <pre tabindex="0"><code>${['{', ...entries, '}'].join('\n')}</code></pre>
      <p>
        In a test that called <code>startEmulator()</code> they are
        <code>emulator.${name}.options</code>. Then open the login of your app: the page it leads to
        asks who signs in
        (${new Intl.ListFormat('en-GB', { type: 'disjunction' }).format(
          people.map((person) => person.name),
        )}).
      </p>

      <h2>The registered client</h2>
      <dl>
        <dt>Client id</dt>
        <dd><code>${client.id}</code></dd>
        <dt>Client secret</dt>
        <dd><code>${client.secret}</code></dd>
        <dt>Callback URLs</dt>
        <dd>
          All on this machine, with any port and path: <code>localhost</code>,
          <code>*.localhost</code>, <code>127.0.0.1</code>, <code>[::1]</code>.
          ${
            callbackURLs.length === 0
              ? html`Register others with <code>--callback</code> or <code>callbackURLs</code>.`
              : 'Also registered:'
          }
          ${callbackURLs.map((url) => html`<code class="line">${url}</code>`)}
        </dd>
      </dl>

      <h2>Endpoints</h2>
      <dl>
        ${endpoints.map(
          ({ name: endpoint, methods, path }) =>
            html`<dt>${endpoint}</dt>
              <dd class="endpoint">
                <span class="method">${methods}</span> <code>${origin}${path}</code>
              </dd>`,
        )}
      </dl>`,
    'wide',
  );
}
