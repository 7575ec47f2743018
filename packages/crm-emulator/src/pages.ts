/** The look of the emulator's pages, and all of them but the start page. */
import { createHash } from 'node:crypto';
import { Html, markup } from './html.js';
import type { CompletePerson } from './people.js';
import type { Params, Refusal } from './reasons.js';
import { HTML_TYPE, type Reply } from './reply.js';

const STYLE = `
:root{color-scheme:light dark;--paper:#f4f2ee;--card:#fff;--ink:#1d1f24;--soft:#5a5f6b;--line:#d9d6cf;--edge:#8d8a82;--accent:#2b5c4f;--accent-ink:#fff;--warn:#8a4b08;--warn-paper:#fdf3e3}
@media (prefers-color-scheme:dark){:root{--paper:#17191d;--card:#20232a;--ink:#eceae6;--soft:#a6abb8;--line:#3a3f4a;--edge:#757c8a;--accent:#7fc4b0;--accent-ink:#10211c;--warn:#f0c078;--warn-paper:#33291a}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem 1rem;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{width:100%;max-width:30rem;background:var(--card);border:1px solid var(--line);border-radius:14px;overflow:hidden;box-shadow:0 8px 30px rgb(0 0 0/.06)}
.notice{margin:0;padding:.6rem 1.5rem;background:var(--warn-paper);color:var(--warn);font-size:.875rem;font-weight:600}
.body{padding:1.25rem 1.5rem 1.5rem}
h1{margin:0 0 .25rem;font-size:1.4rem;line-height:1.25;letter-spacing:-.01em}
p{margin:0 0 1rem}.soft{color:var(--soft);font-size:.9rem}
code{font:.9em ui-monospace,monospace;overflow-wrap:anywhere}
ul{list-style:none;margin:0 0 .75rem;padding:0;display:grid;grid-template-columns:minmax(0,1fr);gap:.5rem}
button{font:inherit;cursor:pointer;border-radius:9px;border:1px solid var(--edge);background:var(--card);color:var(--ink);min-height:48px;padding:.55rem .9rem;width:100%;text-align:left}
button:hover{border-color:var(--accent);background:color-mix(in srgb,var(--accent) 7%,var(--card))}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
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
select{font:inherit;width:100%;min-height:44px;padding:.4rem .6rem;border:1px solid var(--edge);border-radius:9px;background:var(--card);color:var(--ink)}
details .soft{margin:.5rem 0 0}
.deny{text-align:center;color:var(--soft)}
dl{display:grid;grid-template-columns:auto minmax(0,1fr);gap:.25rem 1rem;margin:0}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
.wide{max-width:76rem}.wide .body{padding:1.75rem 2rem 2rem}.wide .notice{padding-inline:2rem}
h2{margin:1.75rem 0 .5rem;padding-top:1.25rem;border-top:1px solid var(--line);font-size:1.05rem;line-height:1.3;scroll-margin-top:1rem}
pre{margin:0 0 1rem;padding:.9rem 1.1rem;background:var(--paper);border:1px solid var(--line);border-radius:9px;line-height:1.6;overflow-x:auto}
a{color:var(--accent);text-underline-offset:.2em}
nav{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;font-size:.9rem}
nav a{display:inline-flex;align-items:center;min-height:44px}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.columns{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:0 2.5rem}
.line{display:block}
.method{color:var(--accent);font:600 .8125rem/1.5 ui-monospace,monospace}
.list{gap:0}
.list li{display:flex;flex-wrap:wrap;align-items:baseline;gap:.1rem .75rem;padding:.45rem 0;border-bottom:1px solid var(--line)}
.list li:last-child{border-bottom:0}
.list li>:first-child{flex:1 1 8rem;min-width:0;overflow-wrap:anywhere}
.list .soft{font-size:.8125rem}
.bad{color:var(--warn)}
.list li.row{align-items:center;gap:.5rem}
.row{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center}
.row select{flex:1 1 12rem;width:auto;min-width:0}
.row button{width:auto;min-height:44px;padding:.3rem .8rem;font-size:.875rem;text-align:center}
.list code{font-size:.8125rem}.home{margin:1rem 0 0}
.go{display:inline-block;padding:.65rem 1.1rem;border-radius:9px;background:var(--accent);color:var(--accent-ink);font-weight:600;text-decoration:none}
@media (max-width:60rem){.columns{grid-template-columns:minmax(0,1fr)}}
@media (max-width:40rem){.wide .body{padding:1.25rem 1.25rem 1.5rem}.wide .notice{padding-inline:1.25rem}.list li>:first-child{flex-basis:100%}}
`;

const SUBMIT_SCRIPT = 'document.forms[0].submit()';

// Built without `markup`, because the hashes of the policy cover every character between the tags.
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
  "img-src 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

const PAGE_HEADERS: Record<string, string> = {
  'content-security-policy': POLICY,
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  // With `no-referrer` a browser would not name the page that sends the form of a control.
  'referrer-policy': 'same-origin',
  'cache-control': 'no-store',
};

export const FAVICON_PATH = '/favicon.ico';
export const FAVICON_HEADERS = {
  'content-type': 'image/svg+xml',
  'cache-control': 'public, max-age=86400',
  'content-security-policy': "default-src 'none'",
};
/** Two halves of a plug: the application and what it logs in to. */
export const FAVICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#2b5c4f"/><path d="M8 10v12h6a6 6 0 0 0 0-12zM24 10v12M24 13h-4M24 19h-4" fill="none" stroke="#fff" stroke-width="3" stroke-linejoin="round"/></svg>';

/** A page of one provider. */
export function page(title: string, about: string, content: Html, width?: 'wide'): Reply {
  const notice = `Local emulator of ${title}. For development only.`;
  return document(`${about}: local emulator of ${title}`, notice, content, width);
}

function document(title: string, notice: string, content: Html, width = 'narrow'): Reply {
  const { text } = markup`<html lang="en">
<head>
  <meta charset="utf-8" />
  <meta name="viewport" content="width=device-width, initial-scale=1" />
  <title>${title}</title>
  <link rel="icon" type="image/svg+xml" href="${FAVICON_PATH}" />
  ${STYLE_ELEMENT}
</head>
<body>
  <main class="${width}"><p class="notice">${notice}</p><div class="body">${content}</div></main>
</body>
</html>`;
  return {
    status: 200,
    type: HTML_TYPE,
    headers: PAGE_HEADERS,
    body: `<!doctype html>\n${text}\n`,
  };
}

/** The e-mail address comes early, because a narrow page cuts the end. */
export function aboutPerson({ email, jobRole, admin, active }: CompletePerson): string {
  return [!active && 'inactive', email ?? 'no e-mail address', admin && 'administrator', jobRole]
    .filter(Boolean)
    .join(' · ');
}

/** Shown after a logout that names no page of the application. */
export function loggedOutPage(title: string): Reply {
  return page(
    title,
    'Logged out',
    markup`<h1>You are logged out</h1><p class="soft">You can close this window.</p>`,
  );
}

/** Asks whether to log out, when the request does not tell a session of this emulator. */
export function confirmLogoutPage(title: string, action: string, params: Params): Reply {
  return page(
    title,
    'Log out',
    markup`<h1>Do you want to log out?</h1>
    <form method="post" action="${action}">${hiddenFields(params)}<button>Log out</button></form>`,
  );
}

function hiddenFields(params: Params): Html[] {
  return Object.entries(params)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => markup`<input type="hidden" name="${name}" value="${value}" />`);
}

export const START_PAGE_LINK = markup`<p class="soft home"><a href="/">Start page of the emulator</a></p>`;

/** Shown instead of a redirect to the application (RFC 6749 §4.1.2.1). */
export function errorPage(title: string, { error, error_description }: Refusal): Reply {
  const content = markup`<h1>This request was refused</h1>
    <p class="soft">The browser is not sent back to the application. That takes a known client, a
      registered redirect URI and a sign-in that is still open.</p>
    <dl>
      <dt>error</dt><dd><code>${error}</code></dd>
      <dt>description</dt><dd>${error_description}</dd>
    </dl>
    ${START_PAGE_LINK}`;
  return { ...page(title, 'Error', content), status: 400 };
}

/** OAuth 2.0 Form Post Response Mode §2: the parameters are sent by a form that submits itself. */
export function formPostPage(action: string, params: Params): Reply {
  return document(
    'Back to the application',
    'Local emulator. For development only.',
    markup`<form method="post" action="${action}">
      ${hiddenFields(params)}<button>Back to the application</button>
    </form>${SUBMIT_ELEMENT}`,
  );
}
