/** Shows the sign-in page, and turns its answer into the result of a pending sign-in. */
import type { Interaction } from 'oidc-provider/lib/provider.js';
import { type Dialect, type Environment, NO_SCOPE } from './dialect.js';
import type { Fields } from './engine-request.js';
import { canHappen, STEP_TITLES } from './named-faults.js';
import { errorPage, pageReply, type Rehearsals, signInPage } from './pages.js';
import type { Reply } from './reply.js';
import type { Fault } from './types.js';
import { scopesOf } from './values.js';

interface SignInContext {
  dialect: Dialect;
  environment: Environment;
  path: string;
}

/** Asks who signs in. */
export function showSignIn(
  { dialect, environment, path }: SignInContext,
  pending?: Interaction,
): Reply {
  if (!pending) return refuse(dialect, EXPIRED);
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
  { dialect, environment }: SignInContext,
  pending: Interaction | undefined,
  fields: Fields,
): Promise<{ reply: Reply; fault?: Fault | undefined }> {
  if (!pending) return { reply: refuse(dialect, EXPIRED) };
  const person = environment.people.byNumber(Number(fields['person']));
  const denied = fields['deny'] !== undefined;
  if (!person && !denied) return { reply: refuse(dialect, 'No person was chosen.') };
  const refusal = denied || !person ? dialect.denied : dialect.checkSignIn(person, pending.params);
  pending.result = refusal
    ? { error: refusal.error, error_description: refusal.description }
    : { login: { accountId: dialect.accountIdOf(person!), remember: false }, consent: {} };
  await pending.save(pending.exp - Math.floor(Date.now() / 1000));

  const chosen = fields['fault'];
  const fault =
    chosen && !refusal ? Object.values(dialect.faults)[Number(chosen)]?.fault : undefined;
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

const EXPIRED = 'This sign-in has expired or was finished.';

function refuse({ title }: Dialect, description: string): Reply {
  return pageReply(400, errorPage(title, 'invalid_request', description));
}
