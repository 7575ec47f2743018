import type { Interaction } from 'oidc-provider/lib/provider.js';
import type { Dialect, Environment, Refusal, Reply } from './dialect.js';
import type { Fields } from './engine-request.js';
import { errorPage, PAGE_HEADERS, signInPage } from './pages.js';
import type { Fault } from './types.js';

interface Place {
  dialect: Dialect;
  environment: Environment;
  path: string;
}

/** Asks who signs in. */
export function showSignIn({ dialect, environment, path }: Place, pending?: Interaction): Reply {
  if (!pending) return expired(dialect);
  const { client_id, redirect_uri = '', scope = '', login_hint } = pending.params;
  const { people } = environment;
  return page(
    200,
    signInPage({
      title: dialect.title,
      action: path,
      clientID: client_id ?? '',
      redirectHost: new URL(redirect_uri).host,
      scopes: scope.split(' ').filter((name) => dialect.scopes.includes(name) && name !== NO_SCOPE),
      people: people.all,
      hinted: people.byHint(login_hint),
      rehearsals: dialect.rehearsals,
    }),
  );
}

/** Stands for "no scope at all" inside the engine, which wants at least one. */
export const NO_SCOPE = 'emulator:none';

/** Takes the answer, and sends the browser on to the engine, which sends it back to the application. */
export async function continueSignIn(
  { dialect, environment }: Place,
  pending: Interaction | undefined,
  fields: Fields,
): Promise<{ reply: Reply; fault?: Fault | undefined }> {
  if (!pending) return { reply: expired(dialect) };
  const person = environment.people.byNumber(Number(fields['person']));
  const denied = fields['deny'] !== undefined;
  if (!person && !denied) {
    const text = 'Nobody was chosen.';
    return { reply: page(400, errorPage(dialect.title, 'invalid_request', text)) };
  }
  const refusal = denied || !person ? dialect.denied : dialect.checkSignIn(person);
  pending.result = refusal
    ? toError(refusal)
    : { login: { accountId: dialect.accountIdOf(person!), remember: false }, consent: {} };
  await pending.save(pending.exp - Math.floor(Date.now() / 1000));

  const chosen = fields['fault'];
  const fault = chosen && !refusal ? dialect.rehearsals[Number(chosen)]?.fault : undefined;
  const location = new URL(pending.returnTo).pathname;
  return { reply: { status: 303, headers: { location, 'cache-control': 'no-store' } }, fault };
}

function toError({ error, description }: Refusal) {
  return { error, error_description: description };
}

function expired({ title }: Dialect): Reply {
  return page(
    400,
    errorPage(title, 'invalid_request', 'This sign-in has expired or was finished.'),
  );
}

function page(status: number, body: string): Reply {
  return { status, body, type: 'text/html; charset=utf-8', headers: PAGE_HEADERS };
}
