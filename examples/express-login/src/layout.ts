/** The frame of every page, and the small parts that several pages share. */
import { html } from './html';
import type { Html } from './html';
import { TITLES } from './providers';
import type { ProviderName } from './providers';
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
        <script src="/comfort.js" defer></script>
      </head>
      <body>
        <a class="skip" href="#content">Skip to the content</a>
        <header class="bar">
          <a class="home" href="/">Express login example</a>
          ${user && accountMenu(user)}
        </header>
        <main id="content" tabindex="-1">${body}</main>
        <footer>
          An example application. Not affiliated with or endorsed by Salesloft, SalesOS or
          Salesforce.
        </footer>
      </body>
    </html>`.text
  }\n`;
}

/** Opens and closes without a script. */
function accountMenu({ displayName }: User): Html {
  return html`<details class="menu">
    <summary class="me">${displayName}</summary>
    <div class="items">
      <a href="/profile">Connections</a>
      <form method="post" action="/logout"><button>Log out</button></form>
      <a href="/profile#delete">Delete account</a>
    </div>
  </details>`;
}

/** A square with two letters, drawn by the style sheet: the marks of the providers are their own. */
export function glyph(provider: ProviderName): Html {
  return html`<span class="glyph ${provider}" aria-hidden="true"></span>`;
}

export function titleOf({ provider }: { provider: string }): string {
  return TITLES[provider as ProviderName] ?? provider;
}

/** "Zoë Ångström" → "ZÅ" */
export function initials(name: string): string {
  const words = name.split(/\s+/).filter(Boolean);
  const [first = '', last = ''] = [words[0], words.length > 1 ? words.at(-1) : ''];
  return [first, last]
    .map((word) => /\p{L}\p{M}*/u.exec(word)?.[0] ?? '')
    .join('')
    .toUpperCase();
}

/** "in 2 hours, 29 November 2026 at 08:00 UTC" */
export function timeOf(date: Date, now: Date): Html {
  const text = new Intl.DateTimeFormat('en-GB', {
    dateStyle: 'long',
    timeStyle: 'short',
    timeZone: 'UTC',
  }).format(date);
  return html`${distance(date, now)}, <time datetime="${date.toISOString()}">${text} UTC</time>`;
}

const UNITS = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
] as const;

/** "in 2 hours", "3 minutes ago" */
function distance(date: Date, now: Date): string {
  const seconds = (date.getTime() - now.getTime()) / 1000;
  const [unit, length] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? [];
  if (unit === undefined) return seconds > 0 ? 'in a moment' : 'just now';
  return new Intl.RelativeTimeFormat('en-GB').format(Math.round(seconds / length), unit);
}

/** Hints name options and parameters in backticks. */
export function withCode(text: string): Html[] {
  return text
    .split('`')
    .map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : html`${part}`));
}
