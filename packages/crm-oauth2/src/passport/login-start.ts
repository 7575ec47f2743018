/** The first half of a login: begins an attempt, keeps it, and sends the browser to the provider. */
import type { OAuth2Client } from '../client';
import { HINTS } from '../errors/codes';
import { isObserved, loginId, publish } from '../errors/diagnostics';
import { located } from '../errors/oauth2-error';
import { Problem } from '../errors/problem';
import { singleValue } from '../protocol/authorization-response';
import { isPending } from '../protocol/login-attempt';
import type { LoginAttempt } from '../protocol/login-attempt';
import { withoutUndefined } from '../values/json';
import { requireCallbackUrl, requireJson } from '../values/options';
import type { Login, Outcome } from './login-parts';
import { lostAnswer } from './lost-answer';
import type { Registration } from './registrations';
import { isAtCallback, placeOf, resolveCallbackUrl } from './request';
import type { PassportRequest } from './request';
import { responseOf } from './response';
import { ownPath } from './return-to';
import type { Chooser } from './strategy-options';
import type { Request } from './verify';

/** Begins an attempt, keeps it, and sends the browser to the provider. */
export function startLogin(
  login: Login,
  parameters: Readonly<Record<string, unknown>>,
): Promise<Outcome> {
  const { settings, req, options, deadline } = login;
  const { provider } = settings.client;
  return located({ provider, stage: 'authorize' }, async () => {
    const early = await redirectUriOf(login, settings.callbackURL);
    const earlyPlace = early === undefined ? undefined : placeOf(req, early);
    if (early === undefined || earlyPlace === 'callback') {
      await refuseLostAnswer(login, parameters, early);
    }
    const registration = await settings.registrations.find(req, deadline);
    const { callbackURL, tenant } = registration;
    const isOwn = callbackURL === settings.callbackURL;
    const redirectUri = isOwn ? early : await redirectUriOf(login, callbackURL);
    if (!redirectUri) throw new Problem('callback_url_missing', 'there is no callbackURL');
    const place = isOwn ? earlyPlace : placeOf(req, redirectUri);
    if (!isOwn && place === 'callback') {
      await refuseLostAnswer(login, parameters, redirectUri);
    }
    if (options.state !== undefined) requireJson(provider.title, 'state', options.state);
    const client = await inEnvironment(login, registration.client);
    const { url, attempt } = client.beginLogin({
      redirectUri,
      scope: options.scope,
      extras: extrasOf(login, parameters),
      parameters: { ...login.hooks.authorizationParams() },
      appState: options.state,
    });
    const returnTo = ownPath(options.returnTo, redirectUri);
    const isSame = place !== 'elsewhere';
    const sameRoute = isSame ? (true as const) : undefined;
    Object.assign(attempt, withoutUndefined({ tenant, returnTo, sameRoute }));
    const { state, expiresAt } = attempt;
    await deadline.wait(settings.store.begin(req, attempt, responseOf(req, options.response)));
    settings.begunAt[isSame ? 'callback' : 'elsewhere'] = true;
    settings.begun.add(state, expiresAt);
    client.prepare(attempt);
    if (isObserved()) {
      const { host } = new URL(url);
      const begun = { login: loginId(state), provider: provider.name };
      publish({ event: 'login.started', ...begun, host, redirectUri });
      if (options.returnTo !== undefined && returnTo === undefined) {
        const code = 'return_to_refused';
        publish({ event: 'login.warned', ...begun, code, hint: HINTS[code] });
      }
    }
    return { verb: 'redirect', values: [url] };
  });
}

/** The `callbackURL` of one login, made absolute. @throws {TypeError} for one that cannot be used */
async function redirectUriOf(
  { settings: { client, proxy }, options, req, deadline }: Login,
  callbackURL: Registration['callbackURL'],
): Promise<string | undefined> {
  const given: unknown = options.callbackURL ?? callbackURL;
  const url =
    typeof given === 'function' ? await deadline.wait(chosenBy(given as Chooser, req)) : given;
  if (url === undefined) return undefined;
  // Only the constructor has judged it already.
  const isJudged = options.callbackURL === undefined && url === callbackURL;
  const judged = isJudged
    ? url
    : requireCallbackUrl(client.provider.title, 'callbackURL', url, true);
  return resolveCallbackUrl(req, judged as string, proxy);
}

/** The client of the environment that `authenticate`, or a function of the request, has chosen. */
async function inEnvironment(login: Login, home: OAuth2Client): Promise<OAuth2Client> {
  const { options, settings, req, deadline } = login;
  const choice: Record<string, unknown> = {};
  for (const name of Object.keys(home.provider.environment)) {
    const chooser = settings.choosers[name];
    const value = options[name] ?? (chooser && (await deadline.wait(chosenBy(chooser, req))));
    // A form sends an empty field for no choice.
    if (value !== undefined && value !== null && value !== '') choice[name] = value;
  }
  return Object.keys(choice).length === 0 ? home : home.forEnvironment(choice);
}

/** Calls a function of the application; what it throws is a rejection. */
async function chosenBy(choose: Chooser, req: PassportRequest): Promise<unknown> {
  return await choose(req as Request);
}

/**
 * The extras of the link, and those of `authenticate`, which stand before them.
 *
 * @throws {Problem} for a parameter that is not one short string
 */
function extrasOf(
  { settings: { client, linkExtras }, options }: Login,
  parameters: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const extras: Record<string, unknown> = {};
  for (const [name, wireName] of linkExtras) {
    const value = singleValue(parameters, wireName);
    if (value !== undefined && value !== '') extras[name] = value;
  }
  for (const name of Object.keys(client.provider.extras)) {
    if (options[name] !== undefined) extras[name] = options[name];
  }
  return extras;
}

/**
 * A callback that has lost its parameters must not start the next login: the browser would go in
 * circles. Without a `callbackURL`, the pending logins say where their answers come.
 *
 * @throws {Problem} `callback_without_parameters`, `form_not_parsed`
 */
async function refuseLostAnswer(
  { settings: { client, store, begunAt }, req, deadline }: Login,
  parameters: Readonly<Record<string, unknown>>,
  redirectUri: string | undefined,
): Promise<void> {
  const isOurs = (attempt: LoginAttempt) =>
    (attempt.client === client.fingerprint || (attempt.tenant ?? attempt.environment)) &&
    isPending(attempt) &&
    isAtCallback(req, attempt.redirectUri);
  const pending = ((await deadline.wait(store.pending?.(req))) ?? []).filter(isOurs);
  const uri = redirectUri ?? pending[0]?.redirectUri;
  if (uri === undefined) return;
  const code = lostAnswer({
    req,
    parameters,
    pending,
    ownOrigin: new URL(uri).origin,
    authorizationOrigin: new URL(client.endpoints.authorizationEndpoint).origin,
    beginsElsewhere: begunAt.elsewhere === true && begunAt.callback === undefined,
  });
  if (code === undefined) return;
  throw new Problem(code, 'the callback was called without the answer', { refusal: 403 });
}
