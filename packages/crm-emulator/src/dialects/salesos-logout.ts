/** SalesOS's sign-ins, each with its `sid`, and its logout (OpenID Connect RP-Initiated Logout 1.0). */
import { createHash } from 'node:crypto';
import type { Handler } from '../endpoints.js';
import { formFields } from '../engine-request.js';
import { confirmLogoutPage, errorPage, loggedOutPage } from '../pages.js';
import { isLoopback } from '../guards.js';
import { redirect, type Reply } from '../reply.js';
import type { Store } from '../store.js';
import { textOf } from '../values.js';
import type { Params } from '../reasons.js';
import type { Tenant } from './salesos-tenant.js';

const MODEL = 'SignIn';
const SIGN_IN_SECONDS = 365 * 24 * 3_600;

/** The path of the logout endpoint. */
export const LOGOUT_PATH = '/oidc/logout';

/** The session id of the ID Tokens of one sign-in, which refreshes keep. */
export function sidOf(grantId: string): string {
  return createHash('sha256').update(grantId).digest('base64url').slice(0, 32);
}

export function keepSignIn(store: Store, grantId: string, organizationID?: string): void {
  const exp = Math.floor(Date.now() / 1000) + SIGN_IN_SECONDS;
  store.save(MODEL, sidOf(grantId), { organizationID, exp });
}

/** The organization that a person signed in to, also after the logout: refresh tokens live on. */
export function organizationOf(store: Store, grantId: string): unknown {
  return store.find(MODEL, sidOf(grantId))?.['organizationID'];
}

export const logOut =
  ({ clients, issuer, keys, store, options }: Tenant): Handler =>
  async ({ method, url, request }) => {
    const fields = method === 'GET' ? formFields(url.searchParams) : (request.fields ?? {});
    const asked: Params = Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [name, textOf(value) || undefined]),
    );
    const { id_token_hint: token, client_id: id, post_logout_redirect_uri: uri, state } = asked;
    // §2: an ID Token that has expired is a good hint too.
    const hint = token ? await keys.claimsOf(token, { issuer, currentDate: new Date(0) }) : {};
    if (!hint || (id && hint.aud !== undefined && hint.aud !== id)) {
      return refusal('Invalid id_token_hint');
    }
    const clientID = id ?? textOf(hint.aud);
    if (clientID && !clients.has(clientID)) return refusal('Unknown client');
    const sids = [hint['sid'], asked['logout_hint']].filter((sid) => sid !== undefined);
    if (new Set(sids).size > 1) return refusal('logout_hint and id_token_hint are of two sessions');
    if (uri && !options.logoutURLs?.includes(uri) && !isLoopback(uri)) {
      return refusal(
        `The "post_logout_redirect_uri" parameter "${uri}" is not defined as a valid URL in "Allowed Logout URLs".`,
      );
    }
    const sid = textOf(sids[0]);
    if (!store.findLive(MODEL, sid) && !asked['confirmed']) {
      return confirmLogoutPage(TITLE, LOGOUT_PATH, { ...asked, confirmed: '1' });
    }
    store.consume(MODEL, sid);
    if (!uri) return loggedOutPage(TITLE);
    const location = new URL(uri);
    if (state) location.searchParams.set('state', state);
    return redirect(302, location.href);
  };

const TITLE = 'SalesOS';

const refusal = (error_description: string): Reply =>
  errorPage(TITLE, { error: 'invalid_request', error_description });
