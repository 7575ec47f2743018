/** The sign-in page, and what its answer makes of a pending sign-in. */
import type { Interaction } from 'oidc-provider/lib/provider.js';
import { type EmulatedProvider, NO_SCOPE } from './dialect.js';
import type { Fields } from './engine-request.js';
import { type Html, markup } from './html.js';
import { canHappen, TITLES } from './named-faults.js';
import { aboutPerson, errorPage, page, START_PAGE_LINK } from './pages.js';
import type { CompletePerson } from './people.js';
import { inactive, refusalFor } from './reasons.js';
import { redirect, type Reply } from './reply.js';
import type { NamedFault } from './types.js';
import { scopesOf, textOf } from './values.js';

/** The page where the browser chooses who signs in. */
export const SIGN_IN_PATH = '/emulator/sign-in';

/** Remembers where a sign-in led to, for a person who goes back to its page. */
const FINISHED_MODEL = 'FinishedSignIn';
const REMEMBER_SECONDS = 24 * 3_600;

const HEADING = 'Who is signing in?';

/** Asks who signs in. The person of the `login_hint` comes first. */
export function signInPage(provider: EmulatedProvider, { uid, params }: Interaction): Reply {
  const { people, scopes: known, title } = provider;
  const { client_id, redirect_uri, scope, login_hint } = params;
  const asked = scopesOf(scope);
  const scopes = [...asked].filter((name) => known.includes(name) && name !== NO_SCOPE);
  const hinted = people.byHint(login_hint);
  const others = people.all.filter((person) => person !== hinted);
  const item = (person: CompletePerson) => markup`
    <li class="${person === hinted ? 'person hinted' : 'person'}">
      <button name="person" value="${person.number}" aria-describedby="about-${person.number}">
        Continue as ${person.name}</button>
      <p class="who" id="about-${person.number}">${aboutPerson(person)}</p>
    </li>`;
  const content = markup`<h1>${HEADING}</h1>
    <p class="soft"><code>${client_id}</code> asks you to sign in. The answer goes to
      <code>${new URL(redirect_uri!).host}</code>${scopes.length > 0 ? ', for these scopes:' : '.'}</p>
    ${
      scopes.length > 0 &&
      markup`<ul class="scopes" aria-label="Scopes">
      ${scopes.map((name) => markup`<li>${name}</li>`)}</ul>`
    }
    <form method="post" action="${SIGN_IN_PATH}/${uid}">
      <ul>${hinted && item(hinted)}${others.map(item)}</ul>
      <button class="deny" name="deny" value="1">Deny</button>
      <details>
        <summary>Rehearse a failure</summary>
        <label for="fault">Choose a failure that happens once, after this sign-in</label>
        <select id="fault" name="fault">
          <option value="">Nothing</option>
          ${rehearsals(provider, asked)}
        </select>
        <p class="soft">A request fails only if the application makes it. An application that has the
          keys already does not ask for them, and may ask again when a connection breaks.</p>
      </details>
    </form>`;
  return page(title, 'Sign in', content);
}

/** The named faults that can happen after a sign-in for these scopes, by the step they belong to. */
function rehearsals(provider: EmulatedProvider, scopes: ReadonlySet<string>): Html[] {
  const groups: Record<string, Html[]> = {};
  for (const [index, { label, fault }] of Object.values(provider.faults).entries()) {
    if (!canHappen(fault, scopes, provider.issuesRefreshToken(scopes))) continue;
    const title = TITLES[fault.kind === 'id-token' ? 'id-token' : fault.step];
    (groups[title] ??= []).push(markup`<option value="${index}">${label}</option>`);
  }
  return Object.entries(groups).map(
    ([title, options]) => markup`<optgroup label="${title}">${options}</optgroup>`,
  );
}

/** Stores the choice, and redirects to the engine, which redirects to the application. */
export async function continueSignIn(
  provider: EmulatedProvider,
  pending: Interaction,
  fields: Fields,
): Promise<{ reply: Reply; fault?: NamedFault | undefined }> {
  const { people, refusals, store, title } = provider;
  const person = people.byNumber(Number(fields['person']));
  const denied = fields['deny'] !== undefined;
  if (!person && !denied) {
    const refusal = { error: 'invalid_request', error_description: 'No person was chosen.' };
    return { reply: errorPage(title, refusal) };
  }
  const refusal =
    denied || !person
      ? refusalFor(refusals, { reason: 'authorize.denied' })
      : (inactive(refusals, person) ?? provider.admit?.(person, pending.params));
  pending.result = refusal ?? {
    login: { accountId: person!.subject, remember: false },
    consent: {},
  };
  const now = Math.floor(Date.now() / 1000);
  await pending.save(pending.exp - now);
  const home = new URL('/', pending.params['redirect_uri']).href;
  store.save(FINISHED_MODEL, pending.uid, { home, exp: now + REMEMBER_SECONDS });

  const chosen = fields['fault'];
  const fault = chosen && !refusal ? Object.values(provider.faults)[Number(chosen)] : undefined;
  return { reply: redirect(303, new URL(pending.returnTo).pathname), fault };
}

/** Shown to a person who goes back to a sign-in that was answered, or comes too late. */
export function signInIsOver({ title, store }: EmulatedProvider, uid: string): Reply {
  const home = textOf(store.find(FINISHED_MODEL, uid)?.['home']);
  const why = home
    ? 'It was answered, and each is answered once.'
    : 'It was answered, or came too late.';
  const content = markup`<h1>This sign-in is over</h1>
    <p class="soft">${why} The application can begin another one.</p>
    ${home !== '' && markup`<p><a class="go" href="${home}">Go to ${new URL(home).host}</a></p>`}
    ${START_PAGE_LINK}`;
  return { ...page(title, 'Finished', content), status: 410 };
}
