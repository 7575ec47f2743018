/** The page "See the login": the messages as a sequence diagram, and as a list with words and links. */
import { html } from '../html';
import type { Html } from '../html';
import { layout, timeOf, titleOf } from '../layout';
import type { User } from '../user';
import { diagramOf } from './diagram';
import { PLACES, masked, messagesOf } from './messages';
import type { Message, PlaceName } from './messages';
import type { Step } from './steps';

interface Data {
  /** Empty: this browser has not begun a login, or its steps are removed already. */
  login: readonly Step[];
  user: User | undefined;
  now: Date;
}

export function loginPage({ login, user, now }: Data): string {
  const [first] = login;
  if (!first) return emptyPage(user);
  const title = titleOf(first);
  const messages = messagesOf(login);
  const lifelines = ['Browser', 'This application', title] as const;
  return layout(
    'See the login',
    user,
    html`<div class="seen">
      <div class="intro">
        <h1>See the login</h1>
        <p class="lead">
          The last login of this browser: with ${title}, ${timeOf(new Date(first.at), now)}. The
          names of parameters are shown, and their values never. The page
          ${codeLink('whole', 'A login, step by step')} explains it. In production there is no such
          page.
        </p>
        <p>${endOf(login)}</p>
      </div>
      <div class="card diagram">${diagramOf(lifelines, messages)}</div>
      <ol class="messages">
        ${messages.map((message) => item(message, lifelines))}
      </ol>
    </div>`,
  );
}

/** How the login ended. The last end counts: a person may open the callback again. */
function endOf(login: readonly Step[]): Html {
  const { outcome, code } = login.findLast((step) => step.outcome !== undefined) ?? {};
  if (outcome === 'success') return html`<span class="tag good">Succeeded</span>`;
  if (outcome === undefined) return html`<span class="tag">Not finished</span>`;
  return html`<span class="tag bad">Failed: ${code ?? 'refused by this application'}</span>`;
}

function item(
  { from, to, kind, title, details, names, answer, words, place }: Message,
  lifelines: readonly string[],
): Html {
  return html`<li class="${kind}">
    <p class="way">${lifelines[from]} → ${lifelines[to]}</p>
    <p>
      <code>${title}</code>
      <span class="soft">${details}${answer !== undefined && html`, answered ${answer}`}</span>
    </p>
    ${names.length > 0 && html`<p class="soft"><code>${masked(names)}</code></p>`}
    <p>${words}</p>
    <p class="place">${codeLink(place, PLACES[place].file)}</p>
  </li>`;
}

function codeLink(place: PlaceName, text: string): Html {
  // Browsers that know text fragments scroll there.
  const fragment = `#:~:text=${encodeURIComponent(PLACES[place].find)}`;
  return html`<a href="/see-the-login/code/${place}${fragment}">${text}</a>`;
}

function emptyPage(user: User | undefined): string {
  return layout(
    'See the login',
    user,
    html`<div class="card narrow">
      <h1>See the login</h1>
      <p class="lead">
        This browser has not begun a login within the last day. Log in, and come back to see the
        requests.
      </p>
      <p class="actions"><a class="button strong" href="/">Log in</a></p>
    </div>`,
  );
}
