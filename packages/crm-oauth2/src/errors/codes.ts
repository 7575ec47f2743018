/** The codes that every provider shares, each with its remedy; `docs/errors.md` is printed from them. */
import type { CodesOf, ProviderErrorCodes, UnlistedCode } from './provider-codes';

/** Remedies by code, or by `stage.code` where the same code has another remedy in another step. */
export type HintTable = Readonly<Record<string, string>>;

export const HINTS = {
  // The way there and back
  timeout:
    'The provider did not finish in time. Try again; if it lasts, look at the network between this server and the host named, or raise the `timeout` option (milliseconds).',
  dns_error:
    'The host name could not be resolved. Check the URL options and the DNS of this server.',
  tls_error:
    'The TLS connection failed. Behind a corporate proxy or a private certificate authority, pass an `agent` with its `ca`.',
  connection_refused:
    'Nothing answers on that host and port. Check the URL options; for the emulator, check that it runs.',
  connection_failed:
    'The connection failed before an answer came. Try again; behind a corporate proxy pass an `agent`.',
  incomplete_response: 'The connection closed in the middle of the answer. Start the login again.',
  response_too_large:
    'The answer is too large to come from a provider; another server probably sent it. Check the URL options.',
  unexpected_redirect:
    'The provider redirected where it must not. The host is probably the wrong one for this account; check the URL options.',
  unexpected_content_type:
    'The answer is not JSON, usually a web page. The host or path is probably wrong; check the URL options.',
  unexpected_content_encoding:
    'The answer is compressed although none was asked for. Check what sits between this server and the provider.',
  invalid_json:
    'The answer is labelled as JSON, but is not valid JSON, or nests too deep. Try again, then ask the provider.',
  rate_limited: 'Too many requests in a short time. Wait for `retryAfterSeconds`, then try again.',
  provider_unavailable: 'The provider has a fault. Try again later.',
  unexpected_status:
    'The provider, or a firewall or proxy before it, answered with a status that no login expects. Look at `status` and at the message, and check the URL options.',
  agent_unusable:
    'The `agent` option does not fit the URL: an https.Agent for https:, an http.Agent for http:.',

  // The authorization response
  repeated_parameter:
    'The callback was called with a parameter twice. Start the login again from its button.',
  parameter_too_long:
    'The callback was called with an oversized parameter. Start the login again from its button.',
  state_missing:
    'The callback was called without `state`. Start the login again from its button; if it lasts, look for a proxy that drops or rewrites parameters, and for a page of the application that has a parameter `code` or `error` of its own.',
  state_unknown:
    'This browser has no pending login for that `state`: it was started in another browser, or the session was lost. Start the login again from its button.',
  already_completed:
    'The callback was opened a second time, by a reload, the back button or a double click. The first one counted: if you are not signed in, start the login again from its button.',
  callback_ahead:
    'A browser has fetched the callback ahead, or a scanner of links has looked at it. The login still waits: the request of the person finishes it. Let no service before the application ask for the callback itself.',
  state_expired: 'The login took longer than ten minutes. Start it again from its button.',
  state_of_another_client:
    'The pending login belongs to another client or another callback. Use the same strategy and options on both routes.',
  cookie_missing:
    'No cookie came back. Start the login at the same host name as `callbackURL` (localhost and 127.0.0.1 are two), let the session cookie be set before the redirect, and use no `Secure` cookie over plain http.',
  'cookie_missing.strict':
    'No cookie came back, although the browser comes from the provider: the session cookie is probably `SameSite=Strict`. Use `SameSite=Lax`; otherwise start the login at the same host name as `callbackURL`.',
  'cookie_missing.proxy':
    'No cookie came back. A proxy ends TLS, and the framework does not know: it takes the request for plain http and sets no `Secure` cookie. In Express: app.set("trust proxy", 1).',
  'cookie_missing.form_post':
    'No cookie came back with the form that the provider posts, because browsers hold back `SameSite=Lax` cookies there. Leave `response_mode` alone, or use `SameSite=None; Secure`.',
  session_empty:
    'The cookie came back, but its session is empty: it was lost in a restart (a session store in memory), belongs to another process, or was not saved before the redirect. Use a session store that all processes share.',
  other_browser:
    'This server began that login, but in another browser, a private window, or a session that has been replaced since. Start the login again from its button, in this browser. Tabs that start at the same moment may each get a session of their own, or overwrite one another through several processes; `CookieStateStore` keeps them apart.',
  session_missing:
    'There is no session on the request. Mount the session middleware before Passport. Where there is none, such as in a `loginHandler`, give the strategy `store: new CookieStateStore({ secrets })`.',
  callback_without_parameters:
    'The provider has sent the browser back, but its answer was lost on the way: a proxy or a rewrite drops the query, or the answer is in the fragment (`response_mode=fragment`) or in a form that was posted to another address. Let the query reach this route unchanged.',
  form_not_parsed:
    'The provider has posted its answer as a form, and nothing has read it. Mount express.urlencoded({ extended: false }) before Passport, or leave `response_mode` alone. In a `loginHandler`, leave the body of the request unread.',
  iss_missing:
    'The provider promises to name itself in each answer, and this one does not (mix-up). Start the login again from its button; if it lasts, look for a proxy that drops parameters of the callback.',
  issuer_mismatch:
    'The answer comes from another authorization server than the one that was asked (mix-up). Start the login again from its button.',
  code_missing:
    'The callback was called without `code`. Start the login again from its button; if it lasts, look for a proxy that drops or rewrites parameters.',
  access_denied:
    'The person, or a policy of the provider, refused the login. Start it again from its button; if a policy refuses it, ask an administrator.',
  login_required:
    'The person is not signed in at the provider. Start the login without `prompt: "none"`.',
  consent_required:
    'The person must give the app consent at the provider. Start the login without `prompt: "none"`.',
  interaction_required:
    'The provider must show the person a page. Start the login without `prompt: "none"`.',
  account_selection_required:
    'The person must choose an account at the provider. Start the login without `prompt: "none"`.',
  unmet_authentication_requirements:
    'The person did not sign in as strongly as the login asks. Start it again, and complete every step; otherwise ask for less in `acrValues`.',

  // The token response (RFC 6749 §5.2)
  invalid_request:
    'The provider found the request malformed. Compare the options with the app registered at the provider.',
  invalid_client: "Client id or secret is wrong. Copy both again from the provider's admin pages.",
  invalid_grant:
    'The code is used up, expired, or of another client or callback. Start the login again from its button.',
  'refresh.invalid_grant':
    'The refresh token is used up, expired, revoked, or of another client. The person must log in again.',
  'client_credentials.invalid_grant':
    'The provider gives no token to the app itself. Enable the grant for the app in its admin pages.',
  unauthorized_client:
    "The app is not allowed to use this grant. Enable it in the provider's admin pages.",
  unsupported_grant_type:
    "The provider does not know this grant for the app. Enable it in the provider's admin pages.",
  unsupported_response_type:
    "The app is not allowed to use the code flow. Enable it in the provider's admin pages.",
  invalid_scope:
    'A scope is unknown or not granted to the app. Compare `scope` with the app registered at the provider.',
  server_error: 'The provider has a fault. Try again later.',
  temporarily_unavailable: 'The provider is overloaded or under maintenance. Try again later.',
  invalid_token_response: 'The token endpoint answered without a usable token. Check `tokenURL`.',
  unsupported_token_type:
    'Only bearer tokens are supported (RFC 6750). Turn sender-constrained tokens off for this app.',

  // The ID Token (OpenID Connect Core §3.1.3.7)
  id_token_missing:
    '`openid` was asked for, yet no ID Token came. Check that the app is allowed to use OpenID Connect.',
  id_token_malformed: 'The ID Token is not a signed JWT. Check the URL options.',
  id_token_algorithm:
    'The ID Token is signed with an algorithm that this provider does not use. Set the app to RS256 at the provider, or to one of `idTokenAlgorithms`.',
  id_token_unknown_key:
    'The key that signed the ID Token is not published. Just after the provider has changed its keys, try again in a few seconds; otherwise check `jwksURL` or `issuer`.',
  id_token_signature:
    'The signature of the ID Token is wrong. Do not trust this answer; check what sits between this server and the provider.',
  id_token_issuer:
    'The ID Token comes from another issuer. `issuer` (or `loginURL`) must be the very host people sign in at.',
  id_token_audience: 'The ID Token was made for another client. Check `clientID`.',
  id_token_expired: 'The ID Token has expired. Check the clock of this server.',
  id_token_not_yet_valid: 'The ID Token comes from the future. Check the clock of this server.',
  id_token_nonce: 'The ID Token belongs to another login. Start the login again from its button.',
  id_token_access_token:
    'The ID Token belongs to another access token (`at_hash`). Do not trust this answer.',
  id_token_auth_time:
    'The person signed in longer ago than `maxAge` allows. Start the login again.',
  id_token_claim:
    'A claim that every ID Token has is missing or of the wrong type. Check the URL options.',
  keys_unavailable: "The provider's signing keys could not be fetched. Try again; check `jwksURL`.",

  // The discovery document
  'discover.issuer_mismatch':
    'The discovery document names another issuer. Pass the issuer exactly as the provider spells it, with or without a slash at its end.',
  invalid_discovery_document:
    'The discovery document is not usable, and the message of the error says why. Check the issuer; if it is right, report the fault to the provider.',

  // The profile
  invalid_profile:
    'The profile has no id, or not the shape that the provider documents. Check the URL options; if they are right, ask the provider.',
  invalid_token:
    'The provider does not accept the access token for the profile. Check the scopes of the app.',
  insufficient_scope:
    'The access token lacks a scope for the profile. Check the scopes of the app.',
  token_in_url:
    'The description of the provider puts the access token into a URL. Send it in the header, or set `tokenIn: "path"` if the API takes it nowhere else.',
  subject_mismatch:
    'The profile belongs to another person than the ID Token. Do not trust this answer.',
  untrusted_host:
    'The answer names a host that must not receive a token. Do not trust this answer; check the URL options.',

  // Tokens that are kept
  reauthorization_required:
    'The tokens are gone, or the provider no longer accepts them. The person must sign in again: send them through the login, and save the new tokens under the same key.',
  store_unavailable:
    'The token store failed. Look at `cause`, and check the connection to the store. If new tokens are not stored yet, this process offers them to the store again for a minute.',
  store_timeout:
    'The token store did not answer in time. Look at its load, and at the connection to it. If new tokens are not stored yet, this process offers them to the store again for a minute.',
  store_corrupt:
    'The value that the store holds under this key cannot be read: it was sealed with another secret, belongs to another key, or was written by another program. Check `secrets`; otherwise delete the key and have the person sign in again.',
  lock_timeout:
    'Another process kept the lock of these tokens. Try again; if it lasts, look for a worker that is stuck.',
  'refresh.timeout':
    'The provider did not answer the refresh in time. `userTokens` goes on waiting, and stores the new tokens when they come: ask again later, with the same key. Do not send a refresh token yourself again: it may be used up.',
  'refresh.incomplete_response':
    'The connection closed in the middle of the answer, which may have held new tokens. The refresh token is tried again once the access token has ended; if the provider refuses it then, the person must sign in again.',
  'refresh.subject_mismatch':
    'The provider answered with the tokens of another person. Do not use them; have the person sign in again.',
  'introspect.invalid_token_response':
    'The introspection endpoint answered without `active`. Check the URL options.',
  'api.invalid_token':
    'The API refuses the access token, and a newer one too. Check that the app may use this API, and that `baseURL` is the API of this provider.',
  'api.insufficient_scope':
    'The access token lacks a permission that this request needs. Add the scope to the app and to the login, then sign in again.',
  'api.incomplete_response':
    'The answer broke off, or stood still. Send the request again if it may be repeated; for an API that pauses for long, raise `bodyTimeout` (milliseconds).',
  'api.response_too_large':
    'The answer is larger than `maxResponseBytes`. Ask for less in one request, or read `response.body` piece by piece; otherwise raise the option.',
  'api.unexpected_redirect':
    'The API redirected where the request cannot be repeated, or too often. Check `baseURL`: its host may be the wrong one for this account.',
  'invalid_token.stream':
    'The API has refused the access token, and there is a new one now. The body was a stream, which cannot be sent twice: send the request again with a new stream.',
  'api key.invalid_token':
    'The API refuses the key. Compare it with the one in the admin pages of the provider, where it may have been replaced, and check that `baseURL` is the API of this provider.',
  'api key.insufficient_scope':
    'The API key lacks a permission that this request needs. Give the key, or its owner, that permission in the admin pages of the provider.',
  'app.invalid_token':
    'The API refuses the token of the app, and a newer one too. Check that the app itself may use this API (its scopes, its `audience`), and that `baseURL` is the API of this provider.',
  'app.insufficient_scope':
    'The token of the app lacks a permission that this request needs. Add the scope to the app and to `clientCredentials`.',
  'api.rate_limited':
    'Too many API requests in a short time. Wait for `retryAfterSeconds`, and send fewer.',
  'api.unexpected_status':
    'The API refused the request. Look at `status`, `apiCode` and `apiErrors`, and compare the request with the documentation of the API.',

  // The application
  verify_timeout:
    'The verify function did not finish in time. Check that every path calls `done` or returns the user, and look for a slow query; otherwise raise the `verifyTimeout` option (milliseconds). The function may still be at work: `signal` tells it to stop.',
  verify_returned_nothing:
    'The verify function gave no user. Return the user, or pass it to `done(null, user)`; to refuse, give false.',
  tenant_unknown:
    'No tenant belongs to this request: the function `tenant` found none. Check the address that the login was begun at, and that the tenant still exists.',
  tenant_mismatch:
    'The function `tenant` names another tenant at the callback than at the start. When it gets `boundKey`, it must give the tenant of that key. Where a tenant has a `callbackURL` of its own, the answer must come to its path, which no proxy may replace.',
  tenant_changed:
    'The client id, an endpoint or the `callbackURL` of the tenant has changed since the login began. Start the login again from its button.',
  tenant_timeout:
    'The function `tenant` did not finish in time. Look for a slow query, or a promise that never settles.',
  organization_not_allowed:
    'The person signed in from an organization that this application does not admit. Add the organization to `allowedOrganizations`, or let the person sign in with an account of one that is listed.',
  refresh_token_missing:
    'A refresh token was asked for, and none came: the app may not have one, the scope was not granted, or the person consented before it was asked for. When the access token ends, the person must sign in again.',
  return_to_refused:
    'The address for after the login is not one of this application, and was left out. Pass a path, such as `/reports`.',
  redirect_uri_mismatch:
    'The provider does not know the redirect URI that the message shows. Register it in the app, character by character, or correct `callbackURL`.',
  callback_url_unresolvable:
    "A relative `callbackURL` needs the request's Host header. Configure an absolute one.",
  callback_url_missing: 'Pass `callbackURL` to the strategy or to `authenticate`.',
  state_too_large:
    'A cookie holds about 2 KB of application state. Pass less to `authenticate`, or keep pending logins in the session.',
  response_missing:
    'CookieStateStore needs the response. Express and koa-passport have it on the request; elsewhere pass `{ response }` to `authenticate`: the `reply` of Fastify, the `ctx` of Koa, or the response of `node:http`.',
} as const satisfies HintTable;

/** Every `code` of an error. A union: editors complete it, and a misspelt case does not compile. */
// oxlint-disable-next-line typescript/no-redundant-type-constituents -- providers add to the interface
export type ErrorCode = CodesOf<typeof HINTS> | keyof ProviderErrorCodes | UnlistedCode;
