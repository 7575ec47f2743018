/** The refusals of the providers, in their words: a person is told of some, the application of the others. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { isOAuth2Error } from 'crm-oauth2';
import SalesforceStrategy from 'passport-salesforce-oauth2';
import SalesloftStrategy from 'passport-salesloft';
import SalesosStrategy from 'passport-salesos';
import { expectVerb, requestFor, run } from './support/passport-run';
import type { RunnableStrategy } from './support/passport-run';

const CALLBACK = 'https://app.example/auth/callback';

/** The token endpoint of all three: it says the same until it is told otherwise. */
const endpoint = createServer((_request, response) => {
  const { status, body } = refusal;
  const isPage = typeof body === 'string';
  response.writeHead(status, { 'content-type': isPage ? 'text/html' : 'application/json' });
  response.end(isPage ? body : JSON.stringify(body));
});
let refusal: { status: number; body: object | string } = { status: 400, body: {} };

function answerWith(error: string, error_description: string, status = 400): void {
  refusal = { status, body: { error, error_description } };
}

const options = () => ({
  clientID: 'client-1',
  clientSecret: 'secret-1',
  callbackURL: CALLBACK,
  tokenURL: `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/token`,
  verify: () => ({ id: 1 }),
});

const STRATEGIES = {
  salesforce: () => new SalesforceStrategy(options()),
  salesloft: () => new SalesloftStrategy(options()),
  salesos: () => new SalesosStrategy(options()),
};
type Name = keyof typeof STRATEGIES;

/** A login that ends with these words: in the browser, or at the token endpoint. */
async function login(name: Name, leg: 'callback' | 'token', error: string, words: string) {
  if (leg === 'token') answerWith(error, words, 403);
  return await comeBack(
    STRATEGIES[name](),
    leg === 'token' ? { code: 'code-of-this-login' } : { error, error_description: words },
  );
}

/** Begins a login, and comes back with these parameters. */
async function comeBack(strategy: RunnableStrategy, parameters: Readonly<Record<string, string>>) {
  const session = {};
  const { url } = expectVerb(
    await run(strategy, requestFor('https://app.example/auth', session)),
    'redirect',
  );
  const answer = new URL(CALLBACK);
  const state = new URL(url).searchParams.get('state') ?? '';
  answer.search = String(new URLSearchParams({ state, ...parameters }));
  return await run(strategy, requestFor(answer.href, session));
}

/**
 * People who may not log in: the callback and the token endpoint both say so. The columns are a title, the
 * `error`, its words, our code, and a part of the hint.
 */
const PEOPLE = {
  salesos: `
    a blocked person | unauthorized | user is blocked | unauthorized | has blocked the person
    a blocked person, as a denial | access_denied | user is blocked | access_denied | has blocked the person
    a person whose address is not verified | unauthorized | Please verify your email before logging in. | email_not_verified | open the link
    a person denied by an Action | unauthorized | Access is restricted. | unauthorized | a rule of SalesOS
    a person denied by an Action, as a denial | access_denied | Access is restricted. | access_denied | a rule
    a person who denies | access_denied | The user denied the authorization request | access_denied | Start it again
    a person outside the organization | access_denied | user auth0|1 is not part of the org_1 organization | not_a_member | Invite
    a person of no organization | access_denied | client requires organization membership, but user does not belong to any organization | not_a_member | Invite
    a person without an organization | invalid_request | parameter organization is required for this client | organization_required | Pass \`organization\`
    a person with an old invitation | invalid_request | invitation not found or already used | invalid_invitation | new one
    a person locked out | too_many_attempts | Your account has been blocked after multiple consecutive login attempts. | too_many_attempts | Wait
    a person who needs a second factor | mfa_required | Multifactor authentication required | mfa_required | second factor
    a person whose address is not verified, as an Action names it | access_denied | error_email_unverified | email_not_verified | open the link
    a person who must confirm an address | access_denied | Please confirm your email address. | email_not_verified | open the link
    a person whose address is not verified, in Portuguese | access_denied | Por favor, verifique seu e-mail antes de fazer login. | email_not_verified | open the link
    the same, in Spanish | unauthorized | Por favor verifica tu correo | email_not_verified | open the link
    the same, in French | access_denied | Veuillez vérifier votre adresse e-mail | email_not_verified | open the link
    a blocked person, in Portuguese | unauthorized | Usuário bloqueado | unauthorized | has blocked the person
    a blocked person, whose account it is | access_denied | A sua conta foi bloqueada. | access_denied | has blocked the person
    a person outside the organization, in Portuguese | unauthorized | Você não faz parte desta organização | not_a_member | Invite
  `,
  salesforce: `
    an inactive person | inactive_user | user is inactive | inactive_user | activate them
    an inactive person, as a grant | invalid_grant | inactive user | inactive_user | activate them
    a locked organization | inactive_org | organization is inactive | inactive_org | locked
    a locked organization, as a grant | invalid_grant | inactive organization | inactive_org | locked
    a person at a foreign address | invalid_grant | ip restricted | ip_restricted | IP ranges
    a person at a foreign address, or at night | invalid_grant | IP restricted or invalid login hours | ip_restricted | or the profile allows
    a person at night | invalid_grant | invalid login hours | login_hours | at this hour
    a person who has not approved | invalid_grant | user hasn't approved this consumer | app_not_approved | allow the access
    a person who logs in too often | rate_limit_exceeded | login rate exceeded | rate_limit_exceeded | Wait
    a person without access to the app | invalid_app_access | user is not admin approved to access this app | invalid_app_access | permission set
    the same, as the login page spells it | OAUTH_APP_ACCESS_DENIED | user is not admin approved to access this app | OAUTH_APP_ACCESS_DENIED | permission set
    the same, as a client without rights | unauthorized_client | user is not admin approved to access this app | invalid_app_access | permission set
    an organization that blocks the app | OAUTH_APP_BLOCKED | this app is blocked by admin | OAUTH_APP_BLOCKED | unblocks
    the same, in small letters | app_blocked | this app is blocked by admin | app_blocked | unblocks
    the same, with hyphens | oauth-app-blocked | this app is blocked by admin | OAUTH_APP_BLOCKED | unblocks
    an organization without the app | OAUTH_EC_APP_NOT_FOUND | External client app is not installed in this org | OAUTH_EC_APP_NOT_FOUND | Install
    the same, in small letters | app_not_found | External client app is not installed in this org | app_not_found | Install
    an organization that does not say why | OAUTH_APPROVAL_ERROR_GENERIC | An unexpected error has occurred | OAUTH_APPROVAL_ERROR_GENERIC | not installed.*PKCE
    an organization that the app does not belong to | OAUTH_AUTHORIZATION_BLOCKED | Cross-org OAuth flows are not supported for this external client app | OAUTH_AUTHORIZATION_BLOCKED | distribution state
    a person who logs in too often, in capitals | LOGIN_RATE_EXCEEDED | x | rate_limit_exceeded | Wait
    an organization that must install the app | invalid_grant | app must be installed into org | app_not_installed | Install
    a person who denies | access-denied | end-user denied authorization | access_denied | Start it again
  `,
  salesloft: `
    a person who denies, or whose team does | access_denied | The resource owner or authorization server denied the request. | access_denied | administrator
  `,
} as const;

/** Faults of the application, the organization or the provider, and the legs that say so. */
const FAULTS = {
  salesos: `
    an unknown audience | both | access_denied | Service not found: https://wrong.example | unknown_audience | \`audience\`
    a wrong secret, at an old tenant | token | access_denied | Unauthorized | invalid_client | secret is wrong
    a wrong secret | token | invalid_client | Client authentication failed | invalid_client | secret is wrong
    a grant that is off | both | unauthorized_client | Grant type 'authorization_code' not allowed for the client. | unauthorized_client | not allowed to use this grant
    an app without the API | both | access_denied | Client is not authorized to access "https://api.play2sell.com". | unauthorized_client | tpc_
    an unknown organization | both | invalid_request | parameter organization is invalid | invalid_organization | org_
    an organization that is not written as an id | both | invalid_request | authorization request parameter organization must be an organization id | invalid_organization | org_
    an organization that does not exist | both | invalid_request | organization not found | invalid_organization | org_
    an app without organizations | both | invalid_request | parameter organization is not allowed for this client | invalid_organization | Leave
    a connection that is off | callback | access_denied | the connection was disabled | unknown_connection | Compare
    an app without connections | callback | invalid_request | no connections enabled for the client | unknown_connection | enable one
    an unknown app | both | invalid_request | Unknown client: client-1 | invalid_client | Client id
    an unknown app, in other words | token | unauthorized_client | Unauthorized or unknown client | invalid_client | Client id
    too many requests | callback | too_many_requests | Too many requests | rate_limited | Wait
    another response type | callback | unsupported_response_type | no | unsupported_response_type | code flow
    a third-party app | both | invalid_request | OIDC is not supported for third-party clients | unsupported_third_party | first-party app
    an Action that fails | both | extensibility_error | Script failed | extensibility_error | Action
    a code that was used | token | invalid_grant | Invalid authorization code | invalid_grant | used up
    another verifier | token | invalid_grant | Failed to verify code verifier | invalid_grant | PKCE verifier
  `,
  salesforce: `
    a flow that is off | both | oauth_flow_disabled | OAuth flow is disabled | oauth_flow_disabled | Flow Enablement
    an app without policies | both | ecapp_policy_not_found | no | ecapp_policy_not_found | Policies
    an app of another distribution | both | invalid_distribution_state | no | invalid_distribution_state | distribution state
    an unknown app | both | invalid_client_id | client identifier invalid | invalid_client_id | consumer key
    a wrong secret | token | invalid_client | invalid client credentials | invalid_client | consumer secret
    another callback | token | redirect_uri_mismatch | redirect_uri must match configuration | redirect_uri_mismatch | Register
    a failure | both | login_error | x | login_error | Try again later
    an outage | both | system_down | x | system_down | Try again later
    maintenance | both | service_unavailable | x | service_unavailable | Try again later
    an old code | token | invalid_grant | expired authorization code | invalid_grant | 15 minutes
    a code from elsewhere | token | invalid_grant | invalid authorization code | invalid_grant | encoded it twice
    another host | token | invalid_grant | authentication failure | invalid_grant | \`loginURL\` to the My Domain
    another verifier | token | invalid_grant | invalid code verifier | invalid_grant | PKCE verifier
    other words | token | invalid_grant | activation secret invalid | invalid_grant | used up or expired.*login history
  `,
  salesloft: `
    a code that was used | token | invalid_grant | The provided authorization grant is invalid, expired, revoked. | invalid_grant | used up
    a scope of another app | both | invalid_scope | The requested scope is invalid, unknown, or malformed. | invalid_scope | developer portal
  `,
} as const;

/** Refreshes: `invalid_grant` alone says that the refresh token has ended. */
const REFRESHES = {
  salesos: `
    of a blocked person | invalid_grant | user is blocked | unauthorized | has blocked the person
    of a removed person | invalid_grant | The refresh_token was generated for a user who does not exist anymore. | invalid_grant | removed the person
    with a used token | invalid_grant | Unknown or invalid refresh token. | invalid_grant | whole family
    with a wrong secret | access_denied | Unauthorized | invalid_client | secret is wrong
    that needs a second factor | mfa_required | Multifactor authentication required | mfa_required | through the login
  `,
  salesforce: `
    of an inactive person | invalid_grant | inactive user | inactive_user | activate them
    from a foreign address | invalid_grant | ip restricted | ip_restricted | address of this server
    at night | invalid_grant | invalid login hours | login_hours | at this hour
    in a locked organization | invalid_grant | inactive organization | inactive_org | locked
    after the approval was revoked | invalid_grant | user hasn't approved this consumer | invalid_grant | log in again, and allow
    with a used token | invalid_grant | expired access/refresh token | invalid_grant | must log in again
    at another host | invalid_grant | authentication failure | invalid_grant | \`loginURL\`
    of a blocked app | app_blocked | this app is blocked by admin | app_blocked | unblocks
  `,
  salesloft: `
    with a used token | invalid_grant | The provided authorization grant is invalid, expired, revoked. | invalid_grant | use the newest
  `,
} as const;

function* rowsOf(table: Readonly<Record<Name, string>>) {
  for (const [name, rows] of Object.entries(table) as [Name, string][]) {
    for (const row of rows.trim().split('\n')) yield [name, ...row.trim().split(' | ')] as const;
  }
}

describe('words of the providers', () => {
  before(async () => {
    await once(endpoint.listen(0, '127.0.0.1'), 'listening');
  });
  after(() => {
    endpoint.close();
    endpoint.closeAllConnections();
  });

  for (const leg of ['callback', 'token'] as const) {
    for (const [name, title, error = '', words = '', code, hint = '?'] of rowsOf(PEOPLE)) {
      it(`${name}, ${leg}: ${title} is refused with a page that says so, not with a 500`, async () => {
        const { info, status } = expectVerb(await login(name, leg, error, words), 'fail');
        expect(status).to.equal(401);
        expect(info).to.include({ code });
        const { message, hint: remedy } = info as { message: string; hint: string };
        expect(message).to.include(words);
        expect(remedy).to.match(new RegExp(hint));
      });
    }

    for (const [name, title, legs, error = '', words = '', code, hint = '?'] of rowsOf(FAULTS)) {
      if (legs !== 'both' && legs !== leg) continue;
      it(`${name}, ${leg}: ${title} is an error of the application, with its remedy`, async () => {
        const { error: found } = expectVerb(await login(name, leg, error, words), 'error');
        expect(found).to.include({ code });
        expect(found).to.have.property('message').that.includes(words);
        expect(found).to.have.property('hint').that.matches(new RegExp(hint));
        expect(found).not.to.have.property('refusal');
      });
    }
  }

  for (const [name, title, error = '', words = '', code, hint = '?'] of rowsOf(REFRESHES)) {
    it(`${name}: a refresh ${title} says why, to the application`, async () => {
      answerWith(error, words);
      const found: unknown = await STRATEGIES[name]()
        .client.refreshTokenGrant('refresh-1')
        .catch((reason: unknown) => reason);
      expect(isOAuth2Error(found)).to.equal(true);
      expect(found).to.include({ code, stage: 'refresh' });
      expect(found).to.have.property('hint').that.matches(new RegExp(hint));
      expect(found).not.to.have.property('refusal');
    });
  }

  it('a refused person is refused through the hook of a subclass, too', async () => {
    const asked: string[] = [];
    class Own extends SalesforceStrategy {
      override parseErrorResponse(body: string, status: number): Error | null {
        asked.push(body);
        return super.parseErrorResponse(body, status);
      }
    }
    answerWith('invalid_grant', 'inactive user');
    const outcome = await comeBack(new Own(options()), { code: 'code-of-this-login' });
    const { info, status } = expectVerb(outcome, 'fail');
    expect(status).to.equal(401);
    expect(info).to.include({ code: 'inactive_user' });
    expect(asked).to.have.lengthOf(1);
  });

  it('salesos: a person that an Action denies is refused also when the status is 500', async () => {
    answerWith('access_denied', 'Please verify your email before logging in.', 500);
    const outcome = await comeBack(STRATEGIES.salesos(), { code: 'code-of-this-login' });
    expect(expectVerb(outcome, 'fail').info).to.include({ code: 'email_not_verified' });
  });

  it('a gateway that names its status in JSON refuses no person, and its words are told', async () => {
    for (const [status, error] of [
      [401, 'Unauthorized'],
      [403, 'Forbidden'],
      [404, 'Not Found'],
    ] as const) {
      refusal = { status, body: { statusCode: status, error, message: 'no route' } };
      for (const create of Object.values(STRATEGIES)) {
        const outcome = await comeBack(create(), { code: 'code-of-this-login' });
        const { error: found } = expectVerb(outcome, 'error');
        expect(found).to.include({ code: 'unexpected_status', status });
        expect(String(found)).to.include('no route');
      }
    }
  });

  it('an error that came with a foreign state is named, and not believed', async () => {
    const parameters = {
      state: 'x'.repeat(32),
      error: 'unauthorized',
      error_description: 'call me',
    };
    const { info, status } = expectVerb(await comeBack(STRATEGIES.salesos(), parameters), 'fail');
    expect(status).to.equal(403);
    expect(info).to.include({ code: 'state_unknown' });
    const { message } = info as { message: string };
    expect(message).to.include('; the answer also reported "unauthorized"');
    expect(message).not.to.include('call me');
  });

  it('a page of a firewall is named by its title, without what it echoes', async () => {
    refusal = { status: 403, body: '<html><title>Blocked: code-of-this-login</title></html>' };
    for (const create of Object.values(STRATEGIES)) {
      const outcome = await comeBack(create(), { code: 'code-of-this-login' });
      const { error } = expectVerb(outcome, 'error');
      expect(error).to.include({ code: 'unexpected_status', status: 403 });
      expect(String(error)).to.include('status 403: text/html "Blocked: [redacted]"');
    }
  });

  for (const [name, create] of Object.entries(STRATEGIES)) {
    it(`${name}: every remedy is a sentence`, () => {
      const { hints, meanings } = create().client.provider;
      const remedies = [...Object.values(hints), ...meanings.flatMap(({ hint }) => hint ?? [])];
      for (const remedy of remedies) expect(remedy).to.match(/^[A-Z`].{20,}/);
    });
  }

  it('salesforce: the app itself is told to enable the flow', async () => {
    answerWith('invalid_grant', 'no client credentials user enabled');
    const found: unknown = await STRATEGIES.salesforce()
      .client.clientCredentialsGrant()
      .catch((reason: unknown) => reason);
    expect(found).to.include({ code: 'invalid_grant' });
    expect(found)
      .to.have.property('hint')
      .that.matches(/Run-As/);
  });

  it('salesos: the app itself is told of a wrong secret, of the API, and of the audience', async () => {
    for (const [words, code] of [
      ['Unauthorized', 'invalid_client'],
      ['Service not found: https://x.example', 'unknown_audience'],
      ['Client has not been granted scopes: leads:read', 'unauthorized_client'],
      ['by a rule', 'access_denied'],
    ] as const) {
      answerWith('access_denied', words, 401);
      const found: unknown = await STRATEGIES.salesos()
        .client.clientCredentialsGrant()
        .catch((reason: unknown) => reason);
      expect(found, words).to.include({ code });
      expect(found, words).not.to.have.property('refusal');
    }
  });
});
