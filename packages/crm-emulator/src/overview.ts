/** The start page of an origin: how to connect an application, and everything that has happened here. */
import type { EmulatedProvider } from './dialect.js';
import type { Faults } from './faults.js';
import { CONTROL_PATH } from './guards.js';
import { type Html, markup } from './html.js';
import { TITLES } from './named-faults.js';
import { aboutPerson, page } from './pages.js';
import type { Reply } from './reply.js';
import { shownPath } from './requests.js';
import type { ListedToken } from './store.js';
import type { RequestRecord } from './types.js';

const MAX_SHOWN = 15;

type Queue = Faults['queued'];

export function overview(
  provider: EmulatedProvider,
  requests: readonly RequestRecord[],
  queued: Queue,
): Reply {
  const { title, origin } = provider;
  const content = markup`<h1>${title}, emulated</h1>
    <p class="soft">At <code>${origin}</code>, without an account and without a network.</p>
    <nav aria-label="On this page">
      <a href="#app">Sign in from an app</a> <a href="#people">People</a>
      <a href="#clients">Clients</a> <a href="#endpoints">Endpoints</a>
      <a href="#requests">Requests</a> <a href="#tokens">Tokens</a>
      <a href="#failures">Failures</a> <a href="/">Reload</a>
    </nav>
    <div class="columns">
      <div>${application(provider)} ${people(provider)} ${clients(provider)} ${endpoints(provider)}</div>
      <div>${lastRequests(requests)} ${tokens(provider)} ${failures(provider, queued)}</div>
    </div>`;
  return page(title, 'Start', content, 'wide');
}

function application({ name, client, strategyOptions }: EmulatedProvider): Html {
  const { clientID, clientSecret } = client;
  const options = Object.entries({ clientID, clientSecret, ...strategyOptions });
  const lines = options.map(([option, value]) => `  ${option}: '${value}',`);
  return markup`<h2 id="app">Sign in from an app</h2>
    <p>Spread these options into the strategy, beside a <code>callbackURL</code> of your own:</p>
    <pre tabindex="0"><code>${['{', ...lines, '}'].join('\n')}</code></pre>
    <p class="soft">In a test that called <code>startEmulator()</code> they are
      <code>emulator.${name}.options</code>. Then open the login of your app: the page it leads to
      asks who signs in.</p>`;
}

function people({ people: { all } }: EmulatedProvider): Html {
  const item = (person: (typeof all)[number]) =>
    markup`<li><span>${person.name}</span> <span class="soft">${aboutPerson(person)}</span></li>`;
  return markup`<h2 id="people">People</h2><ul class="list">${all.map(item)}</ul>`;
}

/** Shows no secret but that of the first client, which is the same in each emulator. */
function clients({ client: first, clients: registered, options }: EmulatedProvider): Html {
  const { callbackURLs = [] } = options;
  const lines = (urls: readonly string[]) =>
    urls.map((url) => markup`<code class="line">${url}</code>`);
  const items = [...registered.values()].map(
    ({ clientID, callbackURLs: own }) => markup`<li><code>${clientID}</code>
      <span class="soft">secret ${
        clientID === first.clientID ? markup`<code>${first.clientSecret}</code>` : 'not shown'
      }</span>
      ${own && markup`<span class="soft">only ${lines(own)}</span>`}</li>`,
  );
  const register = markup`Register others with <code>--callback</code> or <code>callbackURLs</code>.`;
  return markup`<h2 id="clients">Registered clients</h2>
    <ul class="list">${items}</ul>
    <p class="soft">Callback URLs: all on this machine, with any port and path:
      <code>localhost</code>, <code>*.localhost</code>, <code>127.0.0.1</code>, <code>[::1]</code>.
      ${callbackURLs.length === 0 ? register : 'Also registered:'} ${lines(callbackURLs)}</p>`;
}

function endpoints({ endpoints: all, origin }: EmulatedProvider): Html {
  const items = all.map(
    ({ name, methods, path }) =>
      name !== '' &&
      markup`<li><span><span class="method">${methods.join(', ')}</span>
        <code>${origin}${path}</code></span> <span class="soft">${name}</span></li>`,
  );
  return markup`<h2 id="endpoints">Endpoints</h2><ul class="list">${items}</ul>`;
}

function lastRequests(all: readonly RequestRecord[]): Html {
  const shown = all.filter(({ path }) => path !== '/' && path !== CONTROL_PATH).slice(-MAX_SHOWN);
  const items = shown.toReversed().map(
    (request) => markup`<li>
      <span><span class="method">${request.method}</span> <code>${shownPath(request)}</code></span>
      ${request.error !== undefined && markup`<code class="bad">${request.error}</code>`}
      <code>${request.status === 0 ? 'no answer' : request.status}</code>
      <span class="soft">${ago(request.at / 1000)}</span></li>`,
  );
  return markup`<h2 id="requests">Last requests</h2>
    ${items.length === 0 ? markup`<p class="soft">None yet.</p>` : markup`<ul class="list">${items}</ul>`}`;
}

const MODEL_TITLES: Readonly<Record<ListedToken['model'], string>> = {
  AccessToken: 'Access token',
  RefreshToken: 'Refresh token',
  ClientCredentials: "The client's own token",
};

function tokens({ people: known, revokes, store }: EmulatedProvider): Html {
  const all = store.tokens;
  const items = all.slice(0, MAX_SHOWN).map(({ handle, model, entry }) => {
    const { accountId, clientId, iat = 0, exp = 0 } = entry;
    const holder = known.bySubject(accountId)?.name ?? clientId;
    const button = (action: string, text: string) =>
      markup`<button name="${action}" value="${handle}">${text}<span class="unseen">:
        ${MODEL_TITLES[model]} of ${holder}</span></button>`;
    const isOver = exp <= Date.now() / 1000;
    const end = isOver ? markup`<span class="bad">expired</span>` : `expires ${ahead(exp)}`;
    return markup`<li class="row">
      <span>${MODEL_TITLES[model]}
        <span class="line soft">${holder} · issued ${ago(iat)} · ${end}</span></span>
      ${!isOver && button('expire', 'Expire now')}
      ${revokes[model] !== undefined && button('revoke', 'Revoke')}</li>`;
  });
  const older = all.length - items.length;
  return markup`<h2 id="tokens">Tokens</h2>
    ${all.length === 0 && markup`<p class="soft">None yet. They appear after a sign-in.</p>`}
    <form method="post" action="${CONTROL_PATH}"><ul class="list">${items}</ul></form>
    ${older > 0 && markup`<p class="soft">And ${older} older ones.</p>`}`;
}

function failures({ faults }: EmulatedProvider, queued: Queue): Html {
  const items = Object.entries(TITLES).flatMap(([step, title]) =>
    queued
      .filter(({ fault }) => fault.step === step)
      .map(
        ({ label, left }) => markup`<li><span>${label}</span> <span class="soft">${title},
          ${left === Infinity ? 'until cleared' : left === 1 ? 'once' : `${left} times`}</span></li>`,
      ),
  );
  const choices = Object.entries(faults).map(
    ([name, { label }]) => markup`<option value="${name}">${label}</option>`,
  );
  const none = markup`<p class="soft">None: each request is answered as it should be.</p>`;
  return markup`<h2 id="failures">Queued failures</h2>
    ${items.length === 0 ? none : markup`<ul class="list">${items}</ul>`}
    <form method="post" action="${CONTROL_PATH}" class="row">
      <select name="fail" aria-label="Failure">${choices}</select> <button>Queue</button>
      ${items.length > 0 && markup`<button name="clear" value="1">Clear all</button>`}
    </form>`;
}

const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
] as const;

/** A time in its largest unit: "2 h". */
function span(seconds: number): string {
  const [unit, length] = UNITS.find(([, size]) => Math.round(seconds) >= size) ?? ['s', 1];
  return `${Math.max(0, Math.round(seconds / length))} ${unit}`;
}

const ago = (epochSeconds: number) => `${span(Date.now() / 1000 - epochSeconds)} ago`;
const ahead = (epochSeconds: number) => `in ${span(epochSeconds - Date.now() / 1000)}`;
