/** The page of connections: a row for each CRM, its state, and its actions as forms. Functions from data to HTML. */
import type { Connection } from './accounts';
import { API_CALLS } from './api-calls';
import { html } from './html';
import type { Html } from './html';
import { glyph, initials, layout, timeOf, titleOf, withCode } from './layout';
import { PROVIDERS, TITLES } from './providers';
import type { ProviderName } from './providers';
import type { Login, User } from './user';

interface Data {
  user: User;
  connections: readonly Connection[];
  /** Kept in the session, by the id of the connection. */
  logins: Readonly<Record<string, Login>>;
  /** The end of an action; `undefined`: there was none. */
  done: string | undefined;
  now: Date;
  /** The page that shows the last login, for developers. */
  seeTheLogin?: string | undefined;
}

/** By the query of the address at which an action ends. */
const DONE = new Map([
  ['connected', 'Connected. You can log in with it from now on.'],
  ['refreshed', 'Refreshed: the tokens are new.'],
  ['disconnected', 'Disconnected. This site has no access there any more.'],
]);

export function connectionsPage(data: Data): string {
  const { user, connections, logins, done, seeTheLogin } = data;
  const current = connections.find(({ id }) => id === user.connection) ?? connections[0];
  const note = done === undefined ? undefined : DONE.get(done);
  return layout(
    'Connections',
    user,
    html`<div class="connections">
      <div class="person">
        <span class="avatar" aria-hidden="true">
          ${initials(user.displayName)}
          ${
            typeof current?.photo === 'string' &&
            html`<img src="${current.photo}" alt="" referrerpolicy="no-referrer" />`
          }
        </span>
        <div>
          <h1>${user.displayName}</h1>
          <p class="lead">Logged in with ${titleOf(user)}</p>
        </div>
      </div>
      <div class="rows">
        ${note !== undefined && html`<p class="note" role="status">${note}</p>`}
        ${PROVIDERS.flatMap((provider) => rowsOf(provider, data))} ${connectAnother(connections)}
      </div>
      <div class="account">
        <form class="actions" method="post" action="/logout">
          <button class="button">Log out</button>
          <button class="button" formaction="/logout/provider">
            ${
              logins[user.connection]?.logoutURL === undefined
                ? 'Log out and revoke access'
                : `Log out of ${titleOf(user)} too`
            }
          </button>
        </form>
        ${seeTheLogin !== undefined && html`<p><a href="${seeTheLogin}">See the login</a>: what was sent and received</p>`}
        ${deletion()}
      </div>
    </div>`,
  );
}

function rowsOf(provider: ProviderName, data: Data): Html[] {
  const own = data.connections.filter((connection) => connection.provider === provider);
  if (own.length > 0) return own.map((connection) => row(connection, data));
  return [
    html`<section class="card row" aria-labelledby="${provider}">
      <form class="title" method="post" action="/connections/${provider}">
        ${glyph(provider)}
        <div>
          <h2 id="${provider}">${TITLES[provider]}</h2>
          <p class="lead">Not connected</p>
        </div>
        <button class="button">Connect ${TITLES[provider]}</button>
      </form>
    </section>`,
  ];
}

function row(connection: Connection, { logins, connections, now }: Data): Html {
  const { id, display_name: name } = connection;
  const login = logins[id];
  const state = stateOf(connection, now);
  const isOnly = connections.length === 1;
  return html`<section class="card row" id="${id}" aria-labelledby="title-${id}">
    <div class="title">
      ${glyph(connection.provider as ProviderName)}
      <div>
        <h2 id="title-${id}">${titleOf(connection)}</h2>
        <p class="lead">as ${name}</p>
      </div>
      <span class="tag ${state.kind}">${state.words}</span>
    </div>
    ${problem(connection, now)} ${facts(connection, now)} ${actions(connection, login, isOnly)}
    ${
      login !== undefined &&
      html`<details>
        <summary>Show what ${titleOf(connection)} sent</summary>
        <pre tabindex="0">${JSON.stringify(login.raw, null, 2)}</pre>
      </details>`
    }
  </section>`;
}

function stateOf(
  { error_code: code, access_until: until, has_refresh_token: lasts }: Connection,
  now: Date,
) {
  const isOver = until !== null && until < now && !lasts;
  if (code === 'reauthorization_required' || isOver) return { kind: 'bad', words: 'Connect again' };
  if (code !== null) return { kind: 'bad', words: 'Last call failed' };
  return { kind: 'good', words: 'Connected' };
}

/** The last failure, and its remedy. */
function problem(connection: Connection, now: Date): Html | false {
  const { error_code: code, error_message: message, error_hint: hint, error_at: at } = connection;
  if (code === null || at === null) return false;
  return html`<div class="problem">
    <p><strong>${hint === null ? 'Try again later.' : withCode(hint)}</strong></p>
    <p><code>${code}</code> ${message}, ${timeOf(at, now)}</p>
  </div>`;
}

function facts(connection: Connection, now: Date): Html {
  const { provider, email, email_verified: verified, organization, environment } = connection;
  const { access_until: until, has_refresh_token: lasts, used_at: used } = connection;
  const tag =
    verified === null ? 'not told whether verified' : verified ? 'verified' : 'not verified';
  const fact = (term: string, value: Html | string) =>
    html`<div>
      <dt>${term}</dt>
      <dd>${value}</dd>
    </div>`;
  return html`<dl class="facts">
    ${fact('E-mail', email === null ? unknown('none') : html`${email} <span class="${verified ? 'tag good' : 'tag'}">${tag}</span>`)}
    ${fact('Id', html`<code>${connection.person_id}</code>`)}
    ${fact(
      provider === 'salesloft' ? 'Team' : 'Organization',
      organization === null ? unknown('none') : html`<code>${organization}</code>`,
    )}
    ${fact('Provider', html`${titleOf(connection)}${environment !== null && html`, at <code>${environment}</code>`}`)}
    ${fact('Access token ends', until === null ? unknown('not told by the provider') : timeOf(until, now))}
    ${fact('Refresh token', lasts ? 'kept, encrypted' : unknown('none: connect again when the access ends'))}
    ${fact('Last used', used === null ? unknown('not yet') : timeOf(used, now))}
  </dl>`;
}

function actions(connection: Connection, login: Login | undefined, isOnly: boolean): Html {
  const { id, provider, has_refresh_token: lasts, error_code: code } = connection;
  const calls = Object.entries(API_CALLS[provider as ProviderName]);
  const post = (path: string, text: string) =>
    html`<button class="button small" formaction="/connections/${id}/${path}">${text}</button>`;
  const more = calls.filter(
    ([, { scope }]) => scope !== undefined && code === 'insufficient_scope',
  );
  return html`<form class="actions" method="post" action="/connections/${provider}">
    ${connection.environment !== null && html`<input type="hidden" name="loginURL" value="${connection.environment}" />`}
    ${more.map(
      ([name, { label }]) =>
        html`<button class="button small strong" name="call" value="${name}">
          Allow “${label}” at ${titleOf(connection)}
        </button>`,
    )}
    ${calls.map(([name, { label }]) => post(`calls/${name}`, label))}
    ${lasts && post('refresh', 'Refresh now')}
    <button class="button small">Connect again</button>
    ${login?.logoutURL !== undefined && post('logout', `Sign out at ${titleOf(connection)}`)}
    ${!isOnly && post('disconnect', 'Disconnect')}
  </form>`;
}

/** Another person or organization at a CRM that is connected already. */
function connectAnother(connections: readonly Connection[]): Html {
  const connected = PROVIDERS.filter((name) =>
    connections.some(({ provider }) => provider === name),
  );
  return html`<details>
    <summary>Connect another person or organization</summary>
    <form class="elsewhere" method="post" action="/connections/salesforce">
      <div class="actions">
        ${connected.map(
          (name) =>
            html`<button class="button" formaction="/connections/${name}" formnovalidate>
              Another ${TITLES[name]}
            </button>`,
        )}
      </div>
      <label for="loginURL">Salesforce: a sandbox or My Domain</label>
      <div class="field">
        <input
          id="loginURL"
          name="loginURL"
          inputmode="url"
          autocapitalize="none"
          spellcheck="false"
          placeholder="acme.my.salesforce.com"
          required
        />
        <button class="button">Connect</button>
      </div>
    </form>
  </details>`;
}

/** Folded, so that it takes two steps. */
function deletion(): Html {
  return html`<details>
    <summary>Delete my account</summary>
    <form class="elsewhere" id="delete" method="post" action="/account/delete">
      <p>
        This site gives its access to every CRM back, and forgets you. Nothing changes in the CRMs.
      </p>
      <button class="button danger">Delete my account now</button>
    </form>
  </details>`;
}

/** The answer of an API. */
export function resultPage(
  user: User,
  connection: Connection,
  label: string,
  rows: readonly [name: string, value: string][],
): string {
  return layout(
    label,
    user,
    html`<div class="card">
      <div class="title">
        ${glyph(connection.provider as ProviderName)}
        <div>
          <h1>${label}</h1>
          <p class="lead">${titleOf(connection)} answered, as ${connection.display_name}</p>
        </div>
      </div>
      <dl class="facts">
        ${rows.map(
          ([name, value]) =>
            html`<div>
              <dt>${name}</dt>
              <dd>${value}</dd>
            </div>`,
        )}
      </dl>
      <p class="actions">
        <a class="button strong" href="/profile#${connection.id}">Back to your connections</a>
      </p>
    </div>`,
  );
}

const unknown = (text: string) => html`<span class="unknown">${text}</span>`;
