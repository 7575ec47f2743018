/** Shows the sign-in page, and turns its answer into the result of a pending sign-in. */
import type { Interaction } from 'oidc-provider/lib/provider.js';
import { type Dialect, type Environment, NO_SCOPE } from './dialect.js';
import type { Fields } from './engine-request.js';
import { canHappen, STEP_TITLES } from './named-faults.js';
import { errorPage, overPage, pageReply, type Rehearsals, signInPage } from './pages.js';
import { inactive, refusalFor } from './reasons.js';
import type { Reply } from './reply.js';
import type { Store } from './store.js';
import type { NamedFault } from './types.js';
import { scopesOf, textOf } from './values.js';

interface SignInContext {
  dialect: Dialect;
  environment: Environment;
  uid: string;
}

/** Remembers where a sign-in led to, for a person who goes back to its page. */
const FINISHED_MODEL = 'FinishedSignIn';
const REMEMBER_SECONDS = 24 * 3_600;

/** Asks who signs in. */
export function showSignIn(
  { dialect, environment, uid }: SignInContext,
  path: string,
  pending?: Interaction,
): Reply {
  if (!pending) return signInIsOver(dialect, environment.store, uid);
  const { client_id, redirect_uri = '', scope = '', login_hint } = pending.params;
  const { people } = environment;
  const page = signInPage({
    title: dialect.title,
    action: path,
    clientID: client_id ?? '',
    redirectHost: new URL(redirect_uri).host,
    scopes: scope.split(' ').filter((name) => dialect.scopes.includes(name) && name !== NO_SCOPE),
    people: people.all,
    hinted: people.byHint(login_hint),
    rehearsals: rehearsalsFor(dialect, scopesOf(scope)),
  });
  return pageReply(200, page);
}

/** Stores the choice, and redirects to the engine, which redirects to the application. */
export async function continueSignIn(
  { dialect, environment, uid }: SignInContext,
  pending: Interaction | undefined,
  fields: Fields,
): Promise<{ reply: Reply; fault?: NamedFault | undefined }> {
  if (!pending) return { reply: signInIsOver(dialect, environment.store, uid) };
  const person = environment.people.byNumber(Number(fields['person']));
  const denied = fields['deny'] !== undefined;
  if (!person && !denied) {
    const page = errorPage(dialect.title, 'invalid_request', 'No person was chosen.');
    return { reply: pageReply(400, page) };
  }
  const refusal =
    denied || !person
      ? refusalFor(dialect.refusals, { reason: 'authorize.denied' })
      : (inactive(dialect.refusals, person) ?? dialect.admit?.(person, pending.params));
  pending.result = refusal
    ? { error: refusal.error, error_description: refusal.description }
    : { login: { accountId: dialect.accountIdOf(person!), remember: false }, consent: {} };
  const now = Math.floor(Date.now() / 1000);
  await pending.save(pending.exp - now);
  const home = new URL('/', pending.params['redirect_uri']).href;
  environment.store.save(FINISHED_MODEL, uid, { home, exp: now + REMEMBER_SECONDS });

  const chosen = fields['fault'];
  const fault = chosen && !refusal ? Object.values(dialect.faults)[Number(chosen)] : undefined;
  const location = new URL(pending.returnTo).pathname;
  return { reply: { status: 303, headers: { location, 'cache-control': 'no-store' } }, fault };
}

/** The named faults that can happen after a sign-in for these scopes, by the step they belong to. */
function rehearsalsFor(dialect: Dialect, scopes: ReadonlySet<string>): Rehearsals {
  const groups: Record<string, { label: string; value: number }[]> = {};
  for (const [value, { label, fault }] of Object.values(dialect.faults).entries()) {
    if (!canHappen(fault, scopes, (some) => dialect.issuesRefreshToken(some))) continue;
    const title = fault.kind === 'id-token' ? 'ID Token' : STEP_TITLES[fault.step];
    (groups[title] ??= []).push({ label, value });
  }
  return groups;
}

/** The answer to a person who goes back to a sign-in that was answered, or comes too late. */
export function signInIsOver({ title }: Dialect, store: Store, uid: string): Reply {
  const home = textOf(store.find(FINISHED_MODEL, uid)?.['home']);
  return pageReply(410, overPage(title, home || undefined));
}
