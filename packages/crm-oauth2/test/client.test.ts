import { expect } from 'chai';
import { generateKeyPairSync } from 'node:crypto';
import * as http from 'node:http';
import { inspect } from 'node:util';
import nock = require('nock');
import type { ValidatedAuthorizationResponse } from '../dist/protocol/authorization-response';
import { OAuth2Client } from '../dist/client';
import type { ClientOptions } from '../dist/client';
import { Deadline } from '../dist/wire/deadline';
import { HINTS } from '../dist/errors/codes';
import {
  InternalOAuthError,
  Problem,
  TokenError,
  isOAuth2Error,
} from '../dist/errors/oauth2-error';
import type { OAuth2Error } from '../dist/errors/oauth2-error';
import { text } from '../dist/values/json';
import type { LoginAttempt } from '../dist/protocol/login-attempt';
import type { ProviderDescription } from '../dist/provider/description';
import type { TokenSet } from '../dist/protocol/token-set';
import {
  CALLBACK,
  CREDENTIALS,
  ORIGIN,
  SECRET,
  acme,
  acmeDescription,
  acmeWith,
  formOf,
  httpServer,
  mockTheNetwork,
  pause,
  rawServer,
  rejection,
  thrown,
  useRealSockets,
} from './support';
import type { AcmeOptions } from './support';

type Description = ProviderDescription<AcmeOptions>;

const TOKENS = {
  access_token: 'at-1',
  token_type: 'Bearer',
  expires_in: 60,
  refresh_token: 'rt-1',
};
const CODE = 'SplxlOBeZQQYbYS6WxSbIA';

function make(
  changes: Partial<ClientOptions & AcmeOptions> = {},
  provider: Description = acme,
): OAuth2Client<AcmeOptions> {
  return new OAuth2Client(provider, { ...CREDENTIALS, timeout: 2000, ...changes });
}

async function respond(
  client: OAuth2Client<AcmeOptions>,
  attempt: LoginAttempt = client.createLoginAttempt(),
  code = CODE,
): Promise<ValidatedAuthorizationResponse> {
  return await client.validateAuthorizationResponse({ code, state: attempt.state }, () => attempt);
}

/** Redeems the code of a login, and what was sent for it. */
async function redeem(
  client: OAuth2Client<AcmeOptions>,
  attempt: LoginAttempt = client.createLoginAttempt(),
  parameters?: Record<string, string>,
): Promise<TokenSet> {
  return await client.authorizationCodeGrant(await respond(client, attempt), {
    redirectUri: CALLBACK,
    parameters,
  });
}

interface Asked {
  body: Record<string, string>;
  headers: Record<string, string>;
  path: string;
}

/** Answers one POST, and remembers it. */
function answerPost(path: string, status = 200, reply: nock.Body = TOKENS): Asked[] {
  const asked: Asked[] = [];
  nock(ORIGIN)
    .post((uri) => uri.split('?')[0] === path)
    .reply(function (uri, body) {
      asked.push({ body: formOf(body), headers: this.req.headers, path: uri });
      return [status, reply];
    });
  return asked;
}

/** The error of a failed call, which must show no secret, however it is printed. */
async function failure(work: Promise<unknown>, ...secrets: string[]): Promise<OAuth2Error> {
  const error = await rejection(work);
  expect(isOAuth2Error(error), String(error)).to.equal(true);
  const printed = [
    error.message,
    error.stack,
    String(error),
    JSON.stringify(error),
    inspect(error, { depth: 10, showHidden: true }),
  ].join('\n');
  for (const secret of [SECRET, CODE, 'at-1', 'rt-1', ...secrets]) {
    expect(printed).not.to.include(secret);
  }
  expect(error.provider).to.equal('acme');
  return error;
}

describe('client', () => {
  describe('options', () => {
    const cases: [string, Record<string, unknown>, string][] = [
      ['clientID is missing', { clientID: undefined }, 'option "clientID" is required'],
      ['clientID is empty', { clientID: '' }, 'option "clientID" is required'],
      ['clientSecret is empty', { clientSecret: '' }, 'option "clientSecret" must be a non-empty'],
      ['clientSecret is a variable that was not set', { clientSecret: undefined }, 'leave it out'],
      ['an option is misspelt', { clientId: 'x' }, 'did you mean "clientID"?'],
      [
        'tokenURL is plain http',
        { tokenURL: 'http://acme.test' },
        'option "tokenURL" must be https',
      ],
      ['an own option is of another kind', { fancy: 'yes' }, 'option "fancy" must be a boolean'],
      ['timeout is zero', { timeout: 0 }, 'option "timeout" must be a number'],
      ['timeout is text', { timeout: '10' }, 'option "timeout" must be a number'],
      ['clockTolerance is negative', { clockTolerance: -1 }, 'option "clockTolerance" must be'],
      ['clockTolerance is an hour', { clockTolerance: 3600 }, 'option "clockTolerance" must be'],
      ['assumedLifetime is zero', { assumedLifetime: 0 }, 'option "assumedLifetime" must be'],
      ['assumedLifetime is text', { assumedLifetime: '60' }, 'option "assumedLifetime" must be'],
      ['scope is a number', { scope: 7 }, 'option "scope" must be'],
      [
        'customHeaders sets Authorization',
        { customHeaders: { Authorization: 'x' } },
        'Authorization',
      ],
    ];
    for (const [title, changes, message] of cases) {
      it(`throws a TypeError when ${title}`, () => {
        const error: unknown = thrown(() => make(changes));
        expect(error).to.be.instanceOf(TypeError);
        expect((error as Error).message).to.match(/^Acme: /);
        expect((error as Error).message).to.include(message);
        expect((error as Error).message).not.to.include(SECRET);
      });
    }

    it('takes numbers at the ends of their ranges', () => {
      for (const changes of [
        { clockTolerance: 0 },
        { clockTolerance: 600 },
        { timeout: 1 },
        { timeout: 600_000 },
        { assumedLifetime: 1 },
      ]) {
        expect(() => make(changes)).not.to.throw();
      }
    });

    it('judges also endpoints that a provider derives', () => {
      const provider = acmeWith({
        endpoints: () => ({
          authorizationEndpoint: 'https://a.test',
          tokenEndpoint: 'http://a.test',
        }),
      });
      expect(thrown(() => make({}, provider)).message).to.include('"tokenEndpoint" must be https');
    });

    it('changes nobody’s object, and needs none later', async () => {
      const customHeaders = Object.freeze({ 'X-Trace': '1' });
      const scope = Object.freeze(['read', 'write']);
      const options = Object.freeze({ ...CREDENTIALS, scope, customHeaders, tenant: 'seven' });
      const copy = structuredClone(options);
      const client = new OAuth2Client(acme, options);
      const attempt = client.createLoginAttempt();
      client.buildAuthorizationUrl({ attempt, redirectUri: CALLBACK });
      await respond(client, attempt);
      expect(options).to.deep.equal(copy);
    });

    it('has a fingerprint per provider, token endpoint and client id', () => {
      const fingerprints = [
        make(),
        make({ clientID: 'client-2' }),
        make({ tokenURL: `${ORIGIN}/other` }),
        make({}, acmeWith({ name: 'other' })),
      ].map(({ fingerprint }) => fingerprint);
      expect(new Set(fingerprints).size).to.equal(4);
      // It lies in every session that waits for a login.
      for (const fingerprint of fingerprints) expect(fingerprint).to.match(/^[\w-]{22}$/);
      expect(make({ scope: 'x', clientSecret: 'rotated' }).fingerprint).to.equal(fingerprints[0]);
    });
  });

  describe('the authorization request', () => {
    it('RFC 6749 §4.1.1 — is built of description, options, extras and attempt', () => {
      const provider = acmeWith({
        requestParameters: (request) => ({ audience: `for-${request}` }),
      });
      const client = make({ scope: ['read', 'write'] }, provider);
      const attempt = client.createLoginAttempt();
      const url = new URL(
        client.buildAuthorizationUrl({
          attempt,
          redirectUri: CALLBACK,
          extras: {
            prompt: ['login', 'consent'],
            loginHint: 'zoe@example.com',
            maxAge: 0,
            other: 'x',
          },
          parameters: { display: 'page', state: 'mine', client_id: 'mine' },
        }),
      );
      const { code_challenge: challenge, ...query } = Object.fromEntries(url.searchParams);
      expect(url.origin + url.pathname).to.equal(`${ORIGIN}/authorize`);
      expect(challenge).to.match(/^[\w-]{43}$/);
      expect(query).to.deep.equal({
        audience: 'for-authorization',
        display: 'page',
        prompt: 'login consent',
        login_hint: 'zoe@example.com',
        max_age: '0',
        response_type: 'code',
        client_id: 'client-1',
        redirect_uri: CALLBACK,
        scope: 'read write',
        state: attempt.state,
        code_challenge_method: 'S256',
      });
    });

    it('asks for the default scopes, those of the options, or those of the call', () => {
      expect(make().scopes()).to.deep.equal(['read']);
      expect(make({ scope: 'a b' }).scopes()).to.deep.equal(['a', 'b']);
      expect(make({ scope: 'a b' }).scopes('c')).to.deep.equal(['c']);
    });

    it('OIDC Core §3.1.2.1 — asks for openid, with a nonce, where the login rests on it', () => {
      const client = make({ scope: 'email' }, acmeWith({ idToken: 'required' }));
      expect(client.scopes()).to.deep.equal(['openid', 'email']);
      expect(client.scopes('email openid')).to.deep.equal(['email', 'openid']);
      expect(client.createLoginAttempt().nonce).to.match(/^[\w-]{32}$/);
    });

    it('OIDC Core §3.1.2.1 — sends a nonce only when openid is asked for', () => {
      const client = make({}, acmeWith({ idToken: 'when present' }));
      expect(client.createLoginAttempt().nonce).to.equal(undefined);
      expect(client.createLoginAttempt({ scope: 'openid read' }).nonce).to.be.a('string');
      expect(make().createLoginAttempt({ scope: 'openid' }).nonce).to.equal(undefined);
    });

    it('changes no attempt, and hides the verifier', () => {
      const client = make();
      const attempt = Object.freeze(
        client.createLoginAttempt({ appState: { returnTo: '/deals' } }),
      );
      const url = client.buildAuthorizationUrl({ attempt, redirectUri: CALLBACK });
      expect(url).not.to.include(attempt.codeVerifier);
      expect(url).not.to.include('deals');
    });
  });

  describe('the authorization response', () => {
    it('RFC 6749 §4.1.2.1 — tells a refusal with provider, stage, host and hint', async () => {
      const client = make();
      const attempt = client.createLoginAttempt();
      const error = await failure(
        client.validateAuthorizationResponse(
          { error: 'access_denied', error_description: 'Zoë said no', state: attempt.state },
          () => attempt,
        ),
      );
      expect(error).to.include({
        name: 'AuthorizationError',
        message: 'acme: access_denied: Zoë said no',
        code: 'access_denied',
        stage: 'authorize',
        host: 'acme.test',
        refusal: 401,
      });
      expect(error.hint).to.be.a('string');
    });

    it("knows the provider's own refusals", async () => {
      const client = make();
      const attempt = client.createLoginAttempt();
      const response = { error: 'account_locked', state: attempt.state };
      const error = await failure(client.validateAuthorizationResponse(response, () => attempt));
      expect(error).to.include({ code: 'account_locked', refusal: 401 });
    });

    it('RFC 9700 §4.4 — refuses an attempt of another client', async () => {
      const attempt = make({ clientID: 'client-2' }).createLoginAttempt();
      const error = await failure(respond(make(), attempt));
      expect(error).to.include({ code: 'state_of_another_client', refusal: 403 });
    });

    it('RFC 9207 §2.4 — refuses the iss of another issuer', async () => {
      const client = make();
      const attempt = client.createLoginAttempt();
      const response = { code: CODE, state: attempt.state, iss: 'https://evil.test/' };
      const error = await failure(client.validateAuthorizationResponse(response, () => attempt));
      expect(error).to.include({ code: 'issuer_mismatch', refusal: 403 });
    });
  });

  describe('grants', () => {
    mockTheNetwork();

    it('RFC 6749 §4.1.3, RFC 7636 §4.5 — redeems a code', async () => {
      const client = make({ customHeaders: { 'X-Trace': 'abc' } });
      const attempt = client.createLoginAttempt();
      const asked = answerPost('/token');
      const before = Date.now();
      const tokens = await redeem(client, attempt);
      expect(asked).to.have.lengthOf(1);
      expect(asked[0]?.path).to.equal('/token');
      expect(asked[0]?.body).to.deep.equal({
        grant_type: 'authorization_code',
        code: CODE,
        redirect_uri: CALLBACK,
        code_verifier: attempt.codeVerifier,
        client_id: 'client-1',
        client_secret: SECRET,
      });
      expect(asked[0]?.headers).to.include({
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded',
        'user-agent': 'crm-oauth2',
        'x-trace': 'abc',
      });
      expect(asked[0]?.headers).not.to.have.property('authorization');
      expect(tokens).to.deep.include({
        accessToken: 'at-1',
        refreshToken: 'rt-1',
        response: TOKENS,
      });
      expect(tokens.expiresAt).to.be.within(before + 60_000, Date.now() + 60_000);
      expect(Object.isFrozen(tokens)).to.equal(true);
    });

    it('redeems it as JSON where the provider wants that', async () => {
      const asked = answerPost('/token');
      await redeem(make({}, acmeWith({ tokenRequestFormat: 'json' })));
      expect(asked[0]?.headers['content-type']).to.equal('application/json');
      expect(asked[0]?.body).to.include({ code: CODE, client_secret: SECRET });
    });

    it('RFC 6749 §2.1 — sends no secret of a public client', async () => {
      const asked = answerPost('/token');
      const { clientID } = CREDENTIALS;
      await redeem(new OAuth2Client(acme, { clientID, timeout: 2000 }));
      expect(asked[0]?.body).to.include({ client_id: 'client-1' });
      expect(asked[0]?.body).not.to.have.property('client_secret');
    });

    it('RFC 6749 §4.1.3 — sends the redirect_uri the login began with', async () => {
      const client = make();
      const asked = answerPost('/token');
      await redeem(client, client.createLoginAttempt({ redirectUri: 'https://app.test/other' }));
      expect(asked[0]?.body.redirect_uri).to.equal('https://app.test/other');
    });

    it('lets no further parameter replace one of the protocol', async () => {
      const client = make(
        {},
        acmeWith({ requestParameters: () => ({ audience: 'a', code: 'b' }) }),
      );
      const attempt = client.createLoginAttempt();
      const asked = answerPost('/token');
      const names = [
        'grant_type',
        'code',
        'redirect_uri',
        'code_verifier',
        'client_id',
        'client_secret',
      ];
      await redeem(client, attempt, {
        ...Object.fromEntries(names.map((name) => [name, 'mine'])),
        resource: 'r',
      });
      expect(asked[0]?.body).to.deep.equal({
        audience: 'a',
        resource: 'r',
        grant_type: 'authorization_code',
        code: CODE,
        redirect_uri: CALLBACK,
        code_verifier: attempt.codeVerifier,
        client_id: 'client-1',
        client_secret: SECRET,
      });
    });

    it('RFC 6749 §5.2 — tells an error of the token endpoint', async () => {
      answerPost('/token', 403, {
        error: 'invalid_grant',
        error_description: `code ${CODE} of ${SECRET} is used up`,
      });
      const client = make();
      const attempt = client.createLoginAttempt();
      const error = await failure(redeem(client, attempt), attempt.codeVerifier, attempt.state);
      expect(error).to.be.instanceOf(TokenError);
      expect(error).to.include({
        message: 'acme: invalid_grant: code [redacted] of [redacted] is used up',
        code: 'invalid_grant',
        status: 403,
        stage: 'token',
        host: 'acme.test',
        hint: 'Acme says: sign in again.',
      });
    });

    it('redacts an echo of the verifier', async () => {
      const client = make();
      const attempt = client.createLoginAttempt();
      answerPost('/token', 400, { error: `bad verifier ${attempt.codeVerifier}` });
      const error = await failure(redeem(client, attempt), attempt.codeVerifier);
      expect(error.message).to.equal('acme: invalid_request: bad verifier [redacted]');
    });

    it('names the port of a host that has one', async () => {
      nock('https://acme.test:8443').post('/token').reply(500);
      const error = await failure(redeem(make({ tokenURL: 'https://acme.test:8443/token' })));
      expect(error).to.include({
        code: 'provider_unavailable',
        host: 'acme.test:8443',
        status: 500,
      });
    });

    it('does not follow a redirect of the token endpoint', async () => {
      nock(ORIGIN).post('/token').reply(307, '', { location: 'https://evil.test/token' });
      const evil = nock('https://evil.test').post('/token').reply(200, TOKENS);
      const error = await failure(redeem(make()));
      expect(error).to.include({ code: 'unexpected_redirect', status: 307 });
      expect(evil.isDone()).to.equal(false);
    });

    it("runs the provider's own check of a token response", async () => {
      const seen: unknown[] = [];
      const provider = acmeWith({
        checkTokenResponse: (response, { grantType, options }) => {
          seen.push(response, grantType, options.clientSecret);
          throw new Problem('own_check', 'the signature is wrong');
        },
      });
      answerPost('/token');
      const error = await failure(redeem(make({}, provider)));
      expect(error).to.include({ code: 'own_check', stage: 'token' });
      expect(seen).to.deep.equal([TOKENS, 'authorization_code', SECRET]);
    });

    it('lets parseErrorResponse judge first, and judges itself when that says null', async () => {
      const client = make();
      const own = new Error('own');
      answerPost('/token', 400, { error: 'invalid_grant' });
      const first = await rejection(
        client.authorizationCodeGrant(await respond(client), {
          redirectUri: CALLBACK,
          parseErrorResponse: () => own,
        }),
      );
      expect(first).to.equal(own);
      answerPost('/token', 400, { error: 'invalid_grant' });
      const second = await rejection(
        client.authorizationCodeGrant(await respond(client), {
          redirectUri: CALLBACK,
          parseErrorResponse: () => null,
        }),
      );
      expect(second).to.include({ code: 'invalid_grant' });
    });

    it('shows parseErrorResponse none of the secrets that the provider echoes', async () => {
      const client = make();
      const attempt = client.createLoginAttempt();
      const secrets = [CODE, attempt.codeVerifier, SECRET];
      const hex = (secret: string, before: string) =>
        secret.replace(/./g, (c) => before + c.charCodeAt(0).toString(16).padStart(2, '0'));
      const echoes = secrets.flatMap((secret) => [
        secret,
        hex(secret, '%'),
        hex(secret, '\\u00'),
        secret.toUpperCase(),
      ]);
      answerPost('/token', 400, echoes.join(' '));
      const seen: unknown[] = [];
      const error = await failure(
        client.authorizationCodeGrant(await respond(client, attempt), {
          redirectUri: CALLBACK,
          parseErrorResponse: (body, status) => {
            seen.push(body, status);
            return null;
          },
        }),
        ...echoes,
      );
      expect(seen).to.deep.equal([echoes.map(() => '[redacted]').join(' '), 400]);
      expect(error).to.include({ code: 'unexpected_status', status: 400 });
    });

    it('judges itself when parseErrorResponse throws, over a web page for instance', async () => {
      const client = make();
      for (const status of [400, 502]) {
        answerPost('/token', status, '<html>Sorry</html>');
        const error = await failure(
          client.authorizationCodeGrant(await respond(client), {
            redirectUri: CALLBACK,
            parseErrorResponse: (body) => JSON.parse(body) as Error,
          }),
        );
        expect(error).to.be.instanceOf(InternalOAuthError);
        expect(error).to.include({
          code: status === 502 ? 'provider_unavailable' : 'unexpected_status',
          stage: 'token',
          status,
        });
      }
    });

    describe('refresh', () => {
      it('RFC 6749 §6 — sends the refresh token, and a narrower scope', async () => {
        const asked = answerPost('/token', 200, { ...TOKENS, refresh_token: 'rt-2' });
        const tokens = await make().refreshTokenGrant('rt-1', {
          scope: ['read', 'x'],
          parameters: { audience: 'a', refresh_token: 'mine', grant_type: 'mine' },
        });
        expect(asked[0]?.body).to.deep.equal({
          audience: 'a',
          grant_type: 'refresh_token',
          refresh_token: 'rt-1',
          scope: 'read x',
          client_id: 'client-1',
          client_secret: SECRET,
        });
        expect(tokens.refreshToken).to.equal('rt-2');
        expect(Object.isFrozen(tokens)).to.equal(true);
      });

      for (const [title, response] of [
        ['none is returned', { access_token: 'at-2' }],
        ['an empty one is returned', { access_token: 'at-2', refresh_token: '' }],
      ] as const) {
        it(`RFC 6749 §6 — keeps the old refresh token only when ${title}`, async () => {
          answerPost('/token', 200, response);
          const tokens = await make().refreshTokenGrant('rt-1');
          expect(tokens).to.deep.include({ accessToken: 'at-2', refreshToken: 'rt-1', response });
        });
      }

      for (const [title, provider, option, lifetime] of [
        ['the provider’s usual one', acmeWith({ assumedLifetime: 50 }), {}, 50],
        ['that of the options', acmeWith({ assumedLifetime: 50 }), { assumedLifetime: 9 }, 9],
        ['none', acme, {}, undefined],
      ] as const) {
        it(`RFC 6749 §5.1 — without expires_in the lifetime is ${title}`, async () => {
          const now = Date.now();
          answerPost('/token', 200, { access_token: 'at-2' });
          const { expiresAt } = await make(option, provider).refreshTokenGrant('rt-1');
          if (lifetime === undefined) expect(expiresAt).to.equal(undefined);
          else expect(expiresAt).to.be.within(now + lifetime * 1000, Date.now() + lifetime * 1000);
        });
      }

      it('RFC 6749 §3.3 — sends no scope that is empty', async () => {
        const asked = answerPost('/token');
        await make().refreshTokenGrant('rt-1', { scope: [] });
        expect(asked[0]?.body).not.to.have.property('scope');
      });

      it('sends no scope of the options, and none where the provider refuses it', async () => {
        const first = answerPost('/token');
        await make({ scope: 'read' }).refreshTokenGrant('rt-1');
        expect(first[0]?.body).not.to.have.property('scope');
        const second = answerPost('/token');
        await make({}, acmeWith({ scopeInTokenRequests: false })).refreshTokenGrant('rt-1', {
          scope: 'read',
          parameters: { scope: 'smuggled' },
        });
        expect(second[0]?.body).not.to.have.property('scope');
      });

      it('RFC 6749 §5.2 — tells a refusal with stage refresh, and redacts the token', async () => {
        answerPost('/token', 400, { error: 'invalid_grant', error_description: 'rt-1 is revoked' });
        const error = await failure(make().refreshTokenGrant('rt-1'));
        expect(error).to.include({
          code: 'invalid_grant',
          stage: 'refresh',
          message: 'acme: invalid_grant: [redacted] is revoked',
        });
      });

      describe('of tokens that are known', () => {
        const previous: TokenSet = {
          accessToken: 'at-1',
          refreshToken: 'rt-1',
          tokenType: 'Bearer',
          scope: 'read',
          subject: 'zoe',
          response: { instance_url: 'https://zoe.acme.test', sub: 'zoe', scope: 'read' },
        };
        const withSubject = acmeWith({ subject: ({ response }) => text(response.sub) });
        const refresh = async (answer: object, provider = withSubject, from = previous) => {
          answerPost('/token', 200, { access_token: 'at-2', ...answer });
          return await make({}, provider).refreshTokenGrant('rt-1', { previous: from });
        };

        it('RFC 6749 §6 — what the answer leaves out is as it was', async () => {
          const tokens = await refresh({ refresh_token: 'rt-2' });
          expect(tokens).to.deep.equal({
            accessToken: 'at-2',
            refreshToken: 'rt-2',
            tokenType: 'Bearer',
            scope: 'read',
            subject: 'zoe',
            response: { ...previous.response, access_token: 'at-2', refresh_token: 'rt-2' },
          });
          expect(tokens).to.be.frozen;
          expect(tokens.response).to.be.frozen;
        });

        it('RFC 6749 §6 — what belonged to the tokens before ends with them', async () => {
          const response = { ...previous.response, ...TOKENS, id_token: 'x.y.z' };
          const tokens = await refresh({}, withSubject, { ...previous, response });
          expect(tokens.response).to.deep.equal({
            ...previous.response,
            token_type: 'Bearer',
            access_token: 'at-2',
          });
          const answer = { refresh_token: 'rt-2', expires_in: 7 };
          const renewed = await refresh(answer, withSubject, { ...previous, response });
          expect(renewed.response).to.include(answer).and.not.to.have.property('id_token');
        });

        it('RFC 6749 §6 — what the answer says is so now, the end not least', async () => {
          const from = { ...previous, expiresAt: 1 };
          const tokens = await refresh({ scope: 'write', sub: 'zoe' }, withSubject, from);
          expect(tokens).to.include({ scope: 'write', subject: 'zoe', refreshToken: 'rt-1' });
          expect(tokens).not.to.have.property('expiresAt');
          expect(tokens.response).to.include({ scope: 'write' });
        });

        it('OIDC Core §12.2 — another person is refused', async () => {
          const error = await failure(
            refresh({ sub: 'eve', refresh_token: 'rt-2' }),
            'at-2',
            'rt-2',
          );
          expect(error).to.include({
            code: 'subject_mismatch',
            stage: 'refresh',
            host: 'acme.test',
            message: 'acme: the refreshed tokens are of another person',
          });
          expect(error.hint).to.equal(HINTS['refresh.subject_mismatch']);
        });

        it('OIDC Core §12.2 — a person is taken where none was known', async () => {
          const { subject: _, ...others } = previous;
          expect((await refresh({ sub: 'eve' }, withSubject, others)).subject).to.equal('eve');
          expect(await refresh({ sub: 'eve' }, acme, others)).not.to.have.property('subject');
        });
      });
    });

    describe('client credentials', () => {
      it('RFC 6749 §4.4.2 — asks for a token for the app itself', async () => {
        const asked = answerPost('/token', 200, { access_token: 'at-app' });
        const tokens = await make().clientCredentialsGrant({
          scope: 'read',
          parameters: { audience: 'a' },
        });
        expect(asked[0]?.body).to.deep.equal({
          audience: 'a',
          grant_type: 'client_credentials',
          scope: 'read',
          client_id: 'client-1',
          client_secret: SECRET,
        });
        expect(tokens).to.deep.equal({
          accessToken: 'at-app',
          tokenType: 'Bearer',
          response: { access_token: 'at-app' },
        });
      });

      it('sends no scope where the provider refuses it', async () => {
        const asked = answerPost('/token');
        const client = make({}, acmeWith({ scopeInTokenRequests: false }));
        await client.clientCredentialsGrant({ scope: 'read' });
        expect(asked[0]?.body).not.to.have.property('scope');
      });

      it('tells a refusal with its own stage', async () => {
        answerPost('/token', 401, { error: 'unauthorized_client' });
        const error = await failure(make().clientCredentialsGrant());
        expect(error).to.include({ code: 'unauthorized_client', stage: 'client_credentials' });
      });
    });

    describe('revocation', () => {
      it('RFC 7009 §2.1 — sends a form, also where token requests are JSON', async () => {
        const asked = answerPost('/revoke', 200, '');
        const client = make({}, acmeWith({ tokenRequestFormat: 'json' }));
        await client.revokeToken('rt-1', { tokenTypeHint: 'refresh_token' });
        expect(asked[0]?.headers['content-type']).to.equal('application/x-www-form-urlencoded');
        expect(asked[0]?.path).to.equal('/revoke');
        expect(asked[0]?.body).to.deep.equal({
          token: 'rt-1',
          token_type_hint: 'refresh_token',
          client_id: 'client-1',
          client_secret: SECRET,
        });
      });

      it('RFC 7009 §2.2 — treats revoking an unknown token as success', async () => {
        answerPost('/revoke', 400, { error: 'invalid_token' });
        await make().revokeToken('rt-1');
      });

      for (const [status, body, code] of [
        [400, { error: 'unsupported_token_type' }, 'unsupported_token_type'],
        [401, { error: 'invalid_client', error_description: 'rt-1?' }, 'invalid_client'],
        [503, '', 'provider_unavailable'],
        [302, '', 'unexpected_redirect'],
      ] as const) {
        it(`RFC 7009 §2.2.1 — fails with ${code}`, async () => {
          answerPost('/revoke', status, body);
          const error = await failure(make().revokeToken('rt-1'));
          expect(error).to.include({ code, status, stage: 'revoke', host: 'acme.test' });
        });
      }

      it('needs an endpoint', async () => {
        const provider = acmeWith({
          endpoints: (options) => ({
            ...acmeDescription.endpoints(options),
            revocationEndpoint: undefined,
          }),
        });
        const error: unknown = await rejection(make({}, provider).revokeToken('rt-1'));
        expect(error)
          .to.be.instanceOf(TypeError)
          .with.property('message', 'Acme has no revocation endpoint');
      });

      it('needs no organization of the tokens it came with', async () => {
        const asked = answerPost('/revoke', 200, '');
        const tokens = { accessToken: 'at-1', tokenType: 'Bearer', response: {} };
        await make().revokeToken('rt-1', { tokens });
        expect(asked).to.have.length(1);
      });
    });

    describe('introspection', () => {
      const introspecting = (changes: Partial<Description> = {}) =>
        acmeWith({
          endpoints: (options) => ({
            ...acmeDescription.endpoints(options),
            introspectionEndpoint: `${ORIGIN}/introspect`,
          }),
          ...changes,
        });

      it('RFC 7662 §2.1 — sends a form, also where token requests are JSON', async () => {
        const asked = answerPost('/introspect', 200, { active: true, exp: 7, sub: 'zoe' });
        const provider = introspecting({ tokenRequestFormat: 'json' });
        const known = await make({}, provider).introspectToken('at-1', {
          tokenTypeHint: 'access_token',
        });
        expect(known).to.deep.equal({ active: true, exp: 7, sub: 'zoe' }).and.to.be.frozen;
        expect(asked[0]?.headers['content-type']).to.equal('application/x-www-form-urlencoded');
        expect(asked[0]?.body).to.deep.equal({
          token: 'at-1',
          token_type_hint: 'access_token',
          client_id: 'client-1',
          client_secret: SECRET,
        });
      });

      it('RFC 7662 §2.2 — says of an unknown token that it is not active', async () => {
        const asked = answerPost('/introspect', 200, { active: false });
        expect(await make({}, introspecting()).introspectToken('at-1')).to.deep.equal({
          active: false,
        });
        expect(asked[0]?.body).not.to.have.property('token_type_hint');
      });

      for (const [title, status, body, code] of [
        ['no JSON', 200, 'active', 'unexpected_content_type'],
        ['no object', 200, [], 'invalid_token_response'],
        ['no "active"', 200, { exp: 7 }, 'invalid_token_response'],
        ['"active" in words', 200, { active: 'true' }, 'invalid_token_response'],
        [
          'an error',
          401,
          { error: 'invalid_client', error_description: 'at-1?' },
          'invalid_client',
        ],
        ['an outage', 503, '', 'provider_unavailable'],
        ['a redirect', 302, '', 'unexpected_redirect'],
      ] as const) {
        it(`RFC 7662 §2.3 — refuses ${title}`, async () => {
          answerPost('/introspect', status, body as nock.Body);
          expect(await failure(make({}, introspecting()).introspectToken('at-1'))).to.include({
            code,
            stage: 'introspect',
            host: 'acme.test',
          });
        });
      }

      it('needs an endpoint', async () => {
        const error: unknown = await rejection(make().introspectToken('at-1'));
        expect(error)
          .to.be.instanceOf(TypeError)
          .with.property('message', 'Acme has no introspection endpoint');
      });

      it('RFC 9700 §4.9 — asks where the tokens belong, if the provider finds the place right', async () => {
        const provider = introspecting({
          organizationEndpoints: ({ instance_url: instance }) => {
            if (instance === undefined) return {};
            if (instance !== 'https://zoe.acme.test') throw new Problem('untrusted_host', 'no');
            return { introspectionEndpoint: `${instance}/i`, revocationEndpoint: `${instance}/r` };
          },
        });
        const client = make({}, provider);
        const of = (instance?: string) => ({
          tokens: {
            accessToken: 'at-1',
            tokenType: 'Bearer',
            response: instance === undefined ? {} : { instance_url: instance },
          },
        });
        nock('https://zoe.acme.test').post('/i').reply(200, { active: true }).post('/r').reply(500);
        expect(await client.introspectToken('at-1', of('https://zoe.acme.test'))).to.deep.equal({
          active: true,
        });
        expect(await failure(client.revokeToken('at-1', of('https://zoe.acme.test')))).to.include({
          code: 'provider_unavailable',
          host: 'zoe.acme.test',
        });
        for (const work of [
          client.introspectToken('at-1', of('https://evil.test')),
          client.revokeToken('at-1', of('https://evil.test')),
        ]) {
          expect(await failure(work)).to.include({ code: 'untrusted_host', host: 'acme.test' });
        }
        answerPost('/introspect', 200, { active: false });
        expect(await client.introspectToken('at-1', of())).to.deep.equal({ active: false });
      });
    });
  });

  describe('profile', () => {
    mockTheNetwork();
    const TOKEN_SET: TokenSet = { accessToken: 'at-1', tokenType: 'Bearer', response: {} };

    for (const id of [undefined, '', 7, null]) {
      it(`refuses a profile whose id is ${JSON.stringify(id)}: it would be everybody's`, async () => {
        nock(ORIGIN).get('/me').reply(200, { sub: '7' });
        const mapProfile = () => ({ id, provider: 'acme', displayName: '', _raw: '', _json: {} });
        const careless = acmeWith({ mapProfile } as unknown as Parameters<typeof acmeWith>[0]);
        const error = await failure(make({}, careless).fetchProfile(TOKEN_SET));
        expect(error).to.include({ code: 'invalid_profile', stage: 'profile' });
      });
    }

    it('RFC 6750 §2.1 — asks with the token in the header, and maps the answer', async () => {
      nock(ORIGIN, { reqheaders: { authorization: 'Bearer at-1', accept: 'application/json' } })
        .get('/me')
        .reply(200, '{"sub":"7","name":"Zoë"}', { 'content-type': 'application/json' });
      expect(await make().fetchProfile(TOKEN_SET)).to.deep.equal({
        provider: 'acme',
        id: '7',
        displayName: 'Zoë',
        _raw: '{"sub":"7","name":"Zoë"}',
        _json: { sub: '7', name: 'Zoë' },
      });
      expect(nock.isDone()).to.equal(true);
    });

    for (const sub of ['7', undefined]) {
      it(`OIDC Core §5.3.2 — takes UserInfo ${sub ? 'of the same sub' : 'without a sub'}`, async () => {
        nock(ORIGIN)
          .get('/me')
          .reply(200, JSON.stringify({ sub, id: '7' }), { 'content-type': 'application/json' });
        const seen: unknown[] = [];
        const provider = acmeWith({
          mapProfile: (_json, context) => {
            seen.push(context);
            return { provider: 'acme', id: '7', displayName: '', _raw: '', _json: {} };
          },
        });
        const tokens = { ...TOKEN_SET, claims: { iss: ORIGIN, sub: '7' } };
        expect(await make({ tenant: 'x' }, provider).fetchProfile(tokens)).to.include({ id: '7' });
        const { claims } = tokens;
        expect(seen[0]).to.deep.include({ tokens, claims, raw: JSON.stringify({ sub, id: '7' }) });
        expect(seen[0]).to.have.nested.property('options.tenant', 'x');
        expect(seen[0]).to.have.nested.property('endpoints.tokenEndpoint', `${ORIGIN}/token`);
      });
    }

    for (const [title, endpoint, host] of [
      ['the profile’s own', 'https://me.acme.test/me', 'me.acme.test'],
      ['the token endpoint’s, without one', undefined, 'acme.test'],
    ] as const) {
      it(`names the host before any was asked: ${title}`, async () => {
        const provider = acmeWith({
          endpoints: (options) => ({
            ...acmeDescription.endpoints(options),
            userInfoEndpoint: endpoint,
          }),
          profileRequest: () => {
            throw new Problem('untrusted_host', 'no');
          },
        });
        const error = await failure(make({}, provider).fetchProfile(TOKEN_SET));
        expect(error).to.include({ code: 'untrusted_host', host });
      });
    }

    it('OIDC Core §5.3.2 — rejects UserInfo whose sub differs from the ID Token', async () => {
      nock(ORIGIN).get('/me').reply(200, { sub: '8' });
      const claims = { iss: ORIGIN, sub: '7' };
      const error = await failure(make().fetchProfile({ ...TOKEN_SET, claims }));
      expect(error).to.include({ code: 'subject_mismatch', stage: 'profile', host: 'acme.test' });
    });

    it('asks nobody when the ID Token says enough', async () => {
      const client = make({}, acmeWith({ profileRequest: () => undefined }));
      const claims = { iss: ORIGIN, sub: '7', name: 'Zoë' };
      const profile = await client.fetchProfile({ ...TOKEN_SET, claims });
      expect(profile).to.deep.include({ id: '7', displayName: 'Zoë', _json: claims });
      expect(profile._raw).to.equal(JSON.stringify(claims));
    });

    for (const [title, reply, code] of [
      ['an unmapped shape', [200, { id: 7 }], 'invalid_profile'],
      ['a web page', [200, '<html>', { 'content-type': 'text/html' }], 'unexpected_content_type'],
      ['broken JSON', [200, '{', { 'content-type': 'application/json' }], 'invalid_json'],
      ['401', [401, {}], 'invalid_token'],
      ['403', [403, {}], 'insufficient_scope'],
      ['429', [429, {}], 'rate_limited'],
      ['500', [500, {}], 'provider_unavailable'],
    ] as const) {
      it(`refuses ${title}: ${code}`, async () => {
        nock(ORIGIN)
          .get('/me')
          .reply(...(reply as unknown as [number, nock.Body, Record<string, string>?]));
        const error = await failure(make().fetchProfile(TOKEN_SET));
        expect(error).to.be.instanceOf(InternalOAuthError);
        expect(error).to.include({ code, stage: 'profile' });
      });
    }

    it('RFC 6750 §5.2 — never asks a foreign host, neither first nor after a redirect', async () => {
      const evil = nock('https://evil.test').get('/me').twice().reply(200, { sub: '7' });
      const direct = acmeWith({ profileRequest: () => ({ url: 'https://evil.test/me' }) });
      expect(await failure(make({}, direct).fetchProfile(TOKEN_SET))).to.include({
        code: 'untrusted_host',
      });

      nock(ORIGIN).get('/me').reply(302, '', { location: 'https://evil.test/me' });
      const trusting = acmeWith({
        profileRequest: () => ({
          url: `${ORIGIN}/me`,
          trusts: (url) => url.hostname === 'acme.test',
        }),
      });
      const error = await failure(make({}, trusting).fetchProfile(TOKEN_SET));
      expect(error).to.include({ code: 'untrusted_host', host: 'acme.test' });
      expect(evil.pendingMocks()).to.have.lengthOf(1);
      expect(evil.isDone()).to.equal(false);
    });

    it('follows a redirect to a trusted host, and names that host when it fails', async () => {
      nock(ORIGIN).get('/me').reply(302, '', { location: 'https://na1.acme.test/me' });
      nock('https://na1.acme.test', { reqheaders: { authorization: 'Bearer at-1' } })
        .get('/me')
        .reply(403, {});
      const provider = acmeWith({
        profileRequest: () => ({ url: `${ORIGIN}/me`, trusts: () => true }),
      });
      const error = await failure(make({}, provider).fetchProfile(TOKEN_SET));
      expect(error).to.include({ code: 'insufficient_scope', host: 'na1.acme.test' });
    });

    it('follows none without trusts', async () => {
      nock(ORIGIN)
        .get('/me')
        .reply(302, '', { location: `${ORIGIN}/me2` });
      const error = await failure(make().fetchProfile(TOKEN_SET));
      expect(error).to.include({ code: 'unexpected_redirect', status: 302 });
    });

    it('shares the deadline of the grant before it', async () => {
      nock(ORIGIN).get('/me').reply(200, { sub: '7' });
      const deadline = new Deadline(20);
      while (deadline.remaining() > 0) await pause(5);
      const error = await failure(make({ timeout: 5000 }).fetchProfile(TOKEN_SET, { deadline }));
      expect(error.code).to.equal('timeout');
    });
  });

  describe('ID Token', () => {
    mockTheNetwork();
    const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const openid = (idToken: 'required' | 'when present') =>
      acmeWith({
        idToken,
        scope: ['openid'],
        endpoints: (options) => ({
          ...acmeDescription.endpoints(options),
          jwksUri: `${ORIGIN}/keys`,
        }),
      });

    /** @param clock seconds by which the provider's differs from ours */
    async function signed(claims: Record<string, unknown>, clock = 0): Promise<string> {
      const { SignJWT } = await import('jose');
      const now = Math.floor(Date.now() / 1000) + clock;
      return await new SignJWT({ iss: `${ORIGIN}/`, sub: '7', aud: 'client-1', ...claims })
        .setProtectedHeader({ alg: 'RS256' })
        .setIssuedAt(now)
        .setExpirationTime(now + 300)
        .sign(pair.privateKey);
    }

    function publish(): void {
      nock(ORIGIN, { reqheaders: { accept: 'application/json' } })
        .get('/keys')
        .reply(200, { keys: [pair.publicKey.export({ format: 'jwk' })] });
    }

    it('OIDC Core §3.1.3.7 — is verified, and its claims are in the token set', async () => {
      const client = make({}, openid('required'));
      const attempt = client.createLoginAttempt();
      answerPost('/token', 200, { ...TOKENS, id_token: await signed({ nonce: attempt.nonce }) });
      publish();
      const tokens = await redeem(client, attempt);
      expect(tokens.claims).to.include({ sub: '7', nonce: attempt.nonce });
      expect(Object.isFrozen(tokens)).to.equal(true);
    });

    it('OIDC Core §3.1.3.7 item 11 — is refused with the nonce of another login', async () => {
      const client = make({}, openid('required'));
      const nonce = client.createLoginAttempt().nonce;
      answerPost('/token', 200, { ...TOKENS, id_token: await signed({ nonce }) });
      publish();
      const error = await failure(redeem(client), String(nonce));
      expect(error).to.include({ code: 'id_token_nonce', stage: 'id_token', host: 'acme.test' });
    });

    for (const [title, asked, code] of [
      [
        'item 13 — without the auth_time that max_age asks for',
        { max_age: 60 },
        'id_token_auth_time',
      ],
      [
        'of another organization than the one asked for',
        { organization: 'org_1' },
        'id_token_organization',
      ],
    ] as const) {
      it(`OIDC Core §3.1.3.7 — is refused ${title}`, async () => {
        const client = make({}, openid('required'));
        const attempt = client.createLoginAttempt({ parameters: asked });
        const claims = { nonce: attempt.nonce, org_id: 'org_2' };
        answerPost('/token', 200, { ...TOKENS, id_token: await signed(claims) });
        publish();
        expect((await failure(redeem(client, attempt))).code).to.equal(code);
      });
    }

    for (const [title, request] of [
      ['as extras', { extras: { maxAge: 60, organization: 'org_1' } }],
      [
        'by wire name, as a hook adds them',
        { parameters: { max_age: '60', organization: 'org_1' } },
      ],
    ] as const) {
      it(`OIDC Core §3.1.2.1 — remembers what it asks of the ID Token, ${title}`, () => {
        const client = make({}, openid('required'));
        const attempt = client.createLoginAttempt(request);
        expect(attempt).to.include({ maxAge: 60, organization: 'org_1' });
        const url = new URL(
          client.buildAuthorizationUrl({ ...request, attempt, redirectUri: 'https://app.test/cb' }),
        );
        expect(url.searchParams.get('max_age')).to.equal('60');
        expect(url.searchParams.get('organization')).to.equal('org_1');
      });
    }

    for (const maxAge of [0, '0', 3600]) {
      it(`OIDC Core §3.1.2.1 — asks for a maxAge of ${JSON.stringify(maxAge)}`, () => {
        const attempt = make({}, openid('required')).createLoginAttempt({ extras: { maxAge } });
        expect(attempt).to.have.property('maxAge', Number(maxAge));
      });
    }

    for (const maxAge of ['abc', '', '60s', 's60', [60], Number.NaN, -1, 1.5, 2 ** 53]) {
      it(`OIDC Core §3.1.2.1 — asks for no maxAge that cannot be checked: ${JSON.stringify(maxAge)}`, () => {
        const client = make({}, openid('required'));
        expect(() => client.createLoginAttempt({ extras: { maxAge } })).to.throw(
          TypeError,
          '"maxAge" must be a whole number of seconds',
        );
      });
    }

    for (const organization of [['org_1'], '', 7, true, { id: 'org_1' }]) {
      it(`salesos 5.1 — asks for no organization that cannot be checked: ${JSON.stringify(organization)}`, () => {
        const client = make({}, openid('required'));
        expect(() => client.createLoginAttempt({ extras: { organization } })).to.throw(
          TypeError,
          '"organization" must be a non-empty string',
        );
      });
    }

    for (const organization of [undefined, null]) {
      it(`salesos 5.1 — asks for no organization where there is none: ${organization}`, () => {
        const client = make({}, openid('required'));
        const request = { extras: { organization }, redirectUri: 'https://app.test/cb' };
        const attempt = client.createLoginAttempt(request);
        expect(attempt).not.to.have.property('organization');
        const url = new URL(client.buildAuthorizationUrl({ ...request, attempt }));
        expect(url.searchParams.has('organization')).to.equal(false);
      });
    }

    it('OIDC Core §3.1.3.3 — must come where the login rests on it', async () => {
      answerPost('/token');
      const error = await failure(redeem(make({}, openid('required'))));
      expect(error).to.include({ code: 'id_token_missing', stage: 'id_token' });
    });

    it('OIDC Core §3.1.3.7 — without the provider’s keys there is none to rest on', async () => {
      const provider = acmeWith({ idToken: 'required', scope: ['openid'] });
      const client = make({}, provider);
      const attempt = client.createLoginAttempt();
      answerPost('/token', 200, { ...TOKENS, id_token: await signed({ nonce: attempt.nonce }) });
      const error = await failure(redeem(client, attempt));
      expect(error).to.include({ code: 'id_token_missing', host: 'acme.test' });
      expect(error.message).to.equal('acme: the token response has no ID Token');
    });

    for (const [title, provider] of [
      ['has none to verify by', acmeWith({ idToken: 'when present' })],
      ['has none at all', acmeWith({ ...openid('when present'), idToken: 'none' })],
    ] as const) {
      it(`an ID Token counts for nothing where the provider ${title}`, async () => {
        answerPost('/token', 200, { ...TOKENS, id_token: await signed({}) });
        expect(await redeem(make({}, provider))).not.to.have.property('claims');
      });
    }

    it('asks for the keys when a login starts that will have an ID Token', async () => {
      const client = make({}, openid('when present'));
      const { nonce, ...without } = client.createLoginAttempt();
      publish();
      client.prepare(without);
      await pause(30);
      expect(nock.isDone()).to.equal(false);
      client.prepare({ ...without, nonce });
      await pause(30);
      expect(nock.isDone()).to.equal(true);
      const attempt = make({}, openid('required')).createLoginAttempt();
      make({}, acmeWith({ idToken: 'required' })).prepare(attempt);
    });

    it('names the host of the keys', async () => {
      const provider = acmeWith({
        ...openid('required'),
        endpoints: (options) => ({
          ...acmeDescription.endpoints(options),
          jwksUri: 'https://keys.acme.test/keys',
        }),
      });
      nock('https://keys.acme.test').get('/keys').reply(503);
      const client = make({}, provider);
      const attempt = client.createLoginAttempt();
      answerPost('/token', 200, { ...TOKENS, id_token: await signed({ nonce: attempt.nonce }) });
      expect(await failure(redeem(client, attempt))).to.include({
        code: 'keys_unavailable',
        host: 'keys.acme.test',
      });
    });

    it('is verified when present, and may be absent', async () => {
      answerPost('/token');
      const client = make({}, openid('when present'));
      expect((await redeem(client)).claims).to.equal(undefined);
      answerPost('/token', 200, { ...TOKENS, id_token: await signed({ nonce: 'other' }) });
      publish();
      expect((await failure(redeem(client))).code).to.equal('id_token_nonce');
    });

    it('OIDC Core §12.2 — is verified after a refresh too, without a nonce', async () => {
      const client = make({}, openid('required'));
      answerPost('/token', 200, { access_token: 'at-2', id_token: await signed({}) });
      publish();
      const tokens = await client.refreshTokenGrant('rt-1');
      expect(tokens.claims?.sub).to.equal('7');
      expect(tokens.refreshToken).to.equal('rt-1');
      answerPost('/token', 200, { access_token: 'at-2', id_token: await signed({ aud: 'x' }) });
      expect((await failure(client.refreshTokenGrant('rt-1'))).code).to.equal('id_token_audience');
      answerPost('/token', 200, { access_token: 'at-3' });
      expect((await client.refreshTokenGrant('rt-1')).accessToken).to.equal('at-3');
    });

    const REFRESHED = { access_token: 'at-2', refresh_token: 'rt-2' };
    const outages: [string, () => unknown][] = [
      ['fails', () => nock(ORIGIN).get('/keys').reply(503)],
      ['is a web page', () => nock(ORIGIN).get('/keys').reply(200, '<html>')],
      ['is empty', () => nock(ORIGIN).get('/keys').reply(200, {})],
      ['has moved', () => nock(ORIGIN).get('/keys').reply(302, '', { location: '/other' })],
      [
        'cannot be reached',
        () =>
          nock(ORIGIN)
            .get('/keys')
            .replyWithError(Object.assign(new Error('x'), { code: 'ECONNREFUSED' })),
      ],
    ];
    for (const [title, breakKeys] of outages) {
      it(`RFC 6749 §6 — keeps the rotated refresh token when the key set ${title}`, async () => {
        const client = make({}, openid('required'));
        answerPost('/token', 200, { ...REFRESHED, id_token: await signed({}) });
        breakKeys();
        const tokens = await client.refreshTokenGrant('rt-1');
        expect(tokens).to.include({ accessToken: 'at-2', refreshToken: 'rt-2' });
        expect(tokens).not.to.have.property('claims');
        expect(Object.isFrozen(tokens)).to.equal(true);
        // The next one is verified again.
        answerPost('/token', 200, { ...REFRESHED, id_token: await signed({}) });
        publish();
        expect((await client.refreshTokenGrant('rt-2')).claims?.sub).to.equal('7');
      });

      it(`OIDC Core §3.1.3.7 — logs nobody in when the key set ${title}`, async () => {
        const client = make({}, openid('required'));
        const attempt = client.createLoginAttempt();
        answerPost('/token', 200, { ...TOKENS, id_token: await signed({ nonce: attempt.nonce }) });
        breakKeys();
        expect(await failure(redeem(client, attempt))).to.include({
          code: 'keys_unavailable',
          stage: 'id_token',
        });
      });
    }

    for (const [title, clock, code] of [
      ['behind', -3600, 'id_token_expired'],
      ['ahead', 3600, 'id_token_not_yet_valid'],
    ] as const) {
      it(`RFC 6749 §6 — keeps the rotated refresh token when the provider's clock is ${title}`, async () => {
        const client = make({}, openid('required'));
        answerPost('/token', 200, { ...REFRESHED, id_token: await signed({}, clock) });
        publish();
        const tokens = await client.refreshTokenGrant('rt-1');
        expect(tokens).to.include({ accessToken: 'at-2', refreshToken: 'rt-2' });
        expect(tokens).not.to.have.property('claims');
      });

      it(`OIDC Core §3.1.3.7 — logs nobody in when the provider's clock is ${title}`, async () => {
        const client = make({}, openid('required'));
        const attempt = client.createLoginAttempt();
        const idToken = await signed({ nonce: attempt.nonce }, clock);
        answerPost('/token', 200, { ...TOKENS, id_token: idToken });
        publish();
        expect((await failure(redeem(client, attempt))).code).to.equal(code);
      });
    }

    it('OIDC Core §12.2 — a refresh with a wrong signature or a foreign issuer is refused', async () => {
      const client = make({}, openid('required'));
      const [head, body] = (await signed({})).split('.');
      const [, , signature] = (await signed({ sub: '8' })).split('.');
      const idToken = `${head}.${body}.${signature}`;
      answerPost('/token', 200, { ...REFRESHED, id_token: idToken });
      publish();
      const forged = await failure(client.refreshTokenGrant('rt-1'), 'at-2', 'rt-2');
      expect(forged).to.include({ code: 'id_token_signature', stage: 'id_token' });
      const foreign = await signed({ iss: 'https://evil.test/' });
      answerPost('/token', 200, { ...REFRESHED, id_token: foreign });
      const error = await failure(client.refreshTokenGrant('rt-1'), 'at-2', 'rt-2');
      expect(error).to.include({ code: 'id_token_issuer', stage: 'id_token' });
    });

    it('RFC 8725 §3.1 — an unsigned ID Token of a refresh is refused, keys or no keys', async () => {
      const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
      const idToken = `${part({ alg: 'none' })}.${part({ iss: `${ORIGIN}/`, sub: '7' })}.`;
      answerPost('/token', 200, { ...REFRESHED, id_token: idToken });
      const error = await failure(make({}, openid('required')).refreshTokenGrant('rt-1'));
      expect(error.code).to.equal('id_token_algorithm');
    });

    it('asks the provider which issuers may sign', async () => {
      const provider = acmeWith({
        ...openid('when present'),
        idTokenIssuers: (response) => [text(response.instance) ?? ''],
      });
      const client = make({}, provider);
      answerPost('/token', 200, {
        ...TOKENS,
        instance: 'https://na1.acme.test',
        id_token: await signed({ iss: 'https://na1.acme.test', nonce: undefined }),
      });
      publish();
      const attempt = { ...client.createLoginAttempt(), nonce: undefined };
      expect((await redeem(client, attempt)).claims?.iss).to.equal('https://na1.acme.test');
    });
  });

  describe('on real sockets', () => {
    useRealSockets();
    const clients: OAuth2Client<AcmeOptions>[] = [];
    afterEach(() => {
      for (const client of clients.splice(0)) client.close();
    });

    function at(origin: string, timeout = 2000): OAuth2Client<AcmeOptions> {
      const client = make({
        tokenURL: `${origin}/token`,
        userInfoURL: `${origin}/me`,
        revocationURL: `${origin}/revoke`,
        timeout,
      });
      clients.push(client);
      return client;
    }

    it('RFC 6749 §4.1.2 — sends a code once, also when the kept connection breaks', async () => {
      const posts: string[] = [];
      const answer = JSON.stringify(TOKENS);
      const origin = await rawServer((socket) => {
        let requests = 0;
        socket.on('data', (data) => {
          posts.push(data.toString().split('\r\n')[0] ?? '');
          requests += 1;
          if (requests > 1) {
            socket.resetAndDestroy();
            return;
          }
          socket.write(
            `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${answer.length}\r\n\r\n${answer}`,
          );
        });
      });
      const client = at(origin);
      await redeem(client);
      expect((await failure(redeem(client))).code).to.equal('connection_failed');
      await client.refreshTokenGrant('rt-1');
      expect((await failure(client.refreshTokenGrant('rt-1'))).code).to.equal('connection_failed');
      await pause(20);
      expect(posts).to.deep.equal(Array.from({ length: 4 }, () => 'POST /token HTTP/1.1'));
    });

    it('ends within the timeout when nobody answers', async () => {
      const client = at(await rawServer(() => {}), 80);
      const { host } = new URL(client.endpoints.tokenEndpoint);
      expect(await failure(redeem(client))).to.include({ code: 'timeout', stage: 'token', host });
      expect(await failure(client.revokeToken('rt-1'))).to.include({
        code: 'timeout',
        stage: 'revoke',
      });
    });

    it('gives keys no more time than the login has', async () => {
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      const { SignJWT } = await import('jose');
      const token = await new SignJWT({}).setProtectedHeader({ alg: 'RS256' }).sign(privateKey);
      const origin = await httpServer((req, res) => {
        if (req.url !== '/token') return;
        res.setHeader('content-type', 'application/json');
        res.end(JSON.stringify({ ...TOKENS, id_token: token }));
      });
      const provider = acmeWith({
        idToken: 'required',
        endpoints: (options) => ({
          ...acmeDescription.endpoints(options),
          jwksUri: `${origin}/keys`,
        }),
      });
      const client = make({ tokenURL: `${origin}/token`, timeout: 150 }, provider);
      clients.push(client);
      const error = await failure(redeem(client));
      expect(error.stage).to.equal('id_token');
      expect(error.code).to.be.oneOf(['timeout', 'keys_unavailable']);
    });

    it('RFC 6749 §6 — keeps the rotated refresh token when the key set never answers', async () => {
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      const { SignJWT } = await import('jose');
      const token = await new SignJWT({}).setProtectedHeader({ alg: 'RS256' }).sign(privateKey);
      const origin = await httpServer((req, res) => {
        if (req.url !== '/token') return;
        res.setHeader('content-type', 'application/json');
        res.end(JSON.stringify({ access_token: 'at-2', refresh_token: 'rt-2', id_token: token }));
      });
      const provider = acmeWith({
        idToken: 'required',
        endpoints: (options) => ({
          ...acmeDescription.endpoints(options),
          jwksUri: `${origin}/keys`,
        }),
      });
      const client = make({ tokenURL: `${origin}/token`, timeout: 300 }, provider);
      clients.push(client);
      const tokens = await client.refreshTokenGrant('rt-1');
      expect(tokens).to.include({ accessToken: 'at-2', refreshToken: 'rt-2' });
      expect(tokens).not.to.have.property('claims');
    });

    it('RFC 6749 §6 — sends no code and no refresh token once the deadline is over', async () => {
      const posts: (string | undefined)[] = [];
      const server = http.createServer();
      let connections = 0;
      server.on('connection', () => (connections += 1));
      const origin = await httpServer((req, res) => {
        posts.push(req.url);
        res.setHeader('content-type', 'application/json');
        res.end(JSON.stringify(TOKENS));
      }, server);
      const client = at(origin);
      const deadline = new Deadline(0);
      const response = await respond(client);
      for (const call of [
        () => client.authorizationCodeGrant(response, { redirectUri: CALLBACK, deadline }),
        () => client.refreshTokenGrant('rt-1', { deadline }),
        () => client.clientCredentialsGrant({ deadline }),
        () => client.revokeToken('rt-1', { deadline }),
      ]) {
        expect((await failure(call())).code).to.equal('timeout');
      }
      // What was sent before this one would have arrived before it.
      await client.refreshTokenGrant('rt-1');
      expect(posts).to.deep.equal(['/token']);
      expect(connections).to.equal(1);
    });

    it('closes its idle connections', async () => {
      const origin = await httpServer((_req, res) => {
        res.setHeader('content-type', 'application/json');
        res.end(JSON.stringify(TOKENS));
      });
      const client = at(origin);
      await redeem(client);
      client.close();
      await redeem(client);
    });
  });
});
