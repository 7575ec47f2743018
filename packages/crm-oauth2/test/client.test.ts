import { expect } from 'chai';
import { generateKeyPairSync } from 'node:crypto';
import * as diagnosticsChannel from 'node:diagnostics_channel';
import * as http from 'node:http';
import https = require('node:https');
import type * as net from 'node:net';
import { inspect } from 'node:util';
import nock = require('nock');
import type { ValidatedAuthorizationResponse } from '../dist/protocol/authorization-response';
import { OAuth2Client } from '../dist/client';
import type { LoginRequest } from '../dist/client-login-request';
import type { ClientOptions } from '../dist/client-options';
import type { CallOptions } from '../dist/client-requests';
import { HINTS } from '../dist/errors/codes';
import type { DiagnosticsEvent } from '../dist/errors/diagnostics';
import { OAuth2Error, isOAuth2Error } from '../dist/errors/oauth2-error';
import { Problem } from '../dist/errors/problem';
import { providerCode } from '../dist/errors/provider-codes';
import type { IdTokenAlgorithm, IdTokenClaims } from '../dist/protocol/id-token';
import type { LoginAttempt } from '../dist/protocol/login-attempt';
import { codeChallenge } from '../dist/protocol/pkce';
import type { TokenSet } from '../dist/protocol/token-set';
import type { Provider, ProviderDescription } from '../dist/provider/description';
import { text } from '../dist/values/json';
import { Deadline } from '../dist/wire/deadline';
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
  provider: Provider<AcmeOptions> = acme,
): OAuth2Client<AcmeOptions> {
  return new OAuth2Client(provider, { ...CREDENTIALS, timeout: 2000, ...changes });
}

/** The attempt of a login that has begun. */
function begin(
  client: OAuth2Client<AcmeOptions>,
  request: Partial<LoginRequest> = {},
): LoginAttempt {
  return client.beginLogin({ redirectUri: CALLBACK, ...request }).attempt;
}

async function respond(
  client: OAuth2Client<AcmeOptions>,
  attempt: LoginAttempt = begin(client),
  code = CODE,
): Promise<ValidatedAuthorizationResponse> {
  return await client.validateAuthorizationResponse({ code, state: attempt.state }, () => attempt);
}

/** The option by which the calls of one login share a deadline. Applications cannot see it. */
function sharing(deadline: Deadline): CallOptions {
  const options: object = { deadline };
  return options;
}

/** Redeems the code of a login. */
async function redeem(
  client: OAuth2Client<AcmeOptions>,
  attempt: LoginAttempt = begin(client),
  parameters?: Record<string, string>,
): Promise<TokenSet> {
  return await client.authorizationCodeGrant(await respond(client, attempt), { parameters });
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
  expect(error, String(error)).to.be.instanceOf(OAuth2Error);
  expect(isOAuth2Error(error)).to.equal(true);
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

/** The key that signs the ID Tokens of these tests. */
const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** A provider with ID Tokens. */
function openid(
  idToken: 'required' | 'when present',
  changes: Partial<Description> = {},
): Provider<AcmeOptions> {
  return acmeWith({
    idToken,
    scope: ['openid'],
    endpoints: (options) => ({
      ...acmeDescription.endpoints(options),
      jwksUri: `${ORIGIN}/keys`,
    }),
    ...changes,
  });
}

/** Epoch seconds. */
const seconds = () => Math.floor(Date.now() / 1000);

/** @param clock seconds by which the provider's clock differs from ours */
async function signed(claims: Record<string, unknown>, clock = 0): Promise<string> {
  const { SignJWT } = await import('jose');
  const now = seconds() + clock;
  return await new SignJWT({ iss: `${ORIGIN}/`, sub: '7', aud: 'client-1', ...claims })
    .setProtectedHeader({ alg: 'RS256' })
    .setIssuedAt(now)
    .setExpirationTime(now + 300)
    .sign(pair.privateKey);
}

/** Answers the request for the keys, once. */
function publish(keys: unknown[] = [pair.publicKey.export({ format: 'jwk' })]): void {
  nock(ORIGIN, { reqheaders: { accept: 'application/json' } })
    .get('/keys')
    .reply(200, { keys });
}

describe('client', () => {
  describe('the authorization request', () => {
    it('RFC 6749 §4.1.1 — is built of description, options, extras and attempt', () => {
      const provider = acmeWith({
        idToken: 'when present',
        requestParameters: (request) => ({ audience: `for-${request}` }),
      });
      const client = make({ scope: ['read', 'openid'] }, provider);
      const { url: href, attempt } = client.beginLogin({
        redirectUri: CALLBACK,
        extras: {
          prompt: ['login', 'consent'],
          loginHint: 'zoe@example.com',
          maxAge: 0,
        },
        parameters: { display: 'page', state: 'mine', client_id: 'mine', redirect_uri: 'mine' },
      });
      const url = new URL(href);
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
        scope: 'read openid',
        state: attempt.state,
        nonce: attempt.nonce,
        code_challenge_method: 'S256',
      });
    });

    it('refuses an extra that the provider does not have, and names the nearest one', () => {
      const error: unknown = thrown(() => begin(make(), { extras: { loginhint: 'zoe' } }));
      expect(error).to.be.instanceOf(TypeError);
      expect((error as Error).message).to.match(/^Acme: .*"loginhint".*did you mean "loginHint"/);
    });

    it('asks for the default scopes, those of the options, or those of the call', () => {
      expect(make().scopes()).to.deep.equal(['read']);
      expect(make({ scope: 'a b' }).scopes()).to.deep.equal(['a', 'b']);
      expect(make({ scope: 'a b' }).scopes('c')).to.deep.equal(['c']);
      const { url } = make({ scope: 'a b' }).beginLogin({ redirectUri: CALLBACK, scope: ['c'] });
      expect(new URL(url).searchParams.get('scope')).to.equal('c');
    });

    it('OIDC Core §3.1.2.1 — asks for openid, with a nonce, where the login rests on it', () => {
      const client = make({ scope: 'email' }, acmeWith({ idToken: 'required' }));
      expect(client.scopes()).to.deep.equal(['openid', 'email']);
      expect(client.scopes('email openid')).to.deep.equal(['email', 'openid']);
      expect(begin(client).nonce).to.match(/^[\w-]{32}$/);
    });

    it('OIDC Core §3.1.2.1 — sends a nonce only when openid is asked for', () => {
      const client = make({}, acmeWith({ idToken: 'when present' }));
      expect(begin(client)).not.to.have.property('nonce');
      expect(begin(client, { scope: 'openid read' }).nonce).to.be.a('string');
      expect(begin(make(), { scope: 'openid' })).not.to.have.property('nonce');
    });

    it('keeps the verifier and the application state out of the URL', () => {
      const request = Object.freeze({
        redirectUri: CALLBACK,
        appState: Object.freeze({ returnTo: '/deals' }),
      });
      const { url, attempt } = make().beginLogin(request);
      expect(attempt.appState).to.deep.equal({ returnTo: '/deals' });
      expect(url).not.to.include(attempt.codeVerifier);
      expect(url).not.to.include('deals');
    });
  });

  describe('one call begins a login', () => {
    mockTheNetwork();

    /** Each comparison of an ID Token: its person, and the questions of the login. */
    const compared: [sub: string, asked: object][] = [];
    beforeEach(() => {
      compared.length = 0;
    });

    /** A provider that compares the organization that was asked for. */
    function binding(changes: Partial<Description> = {}): Provider<AcmeOptions> {
      return openid('when present', {
        boundParameters: ['organization'],
        checkIdToken: (claims: IdTokenClaims, asked: Readonly<Record<string, string>>) => {
          compared.push([claims.sub, asked]);
          if (claims.org_id !== asked.organization) {
            throw new Problem(providerCode('other_organization'), 'it is of another organization');
          }
        },
        ...changes,
      });
    }

    it('gives the URL, and the attempt that its answer is checked against', () => {
      const client = make({}, openid('when present'));
      const before = Date.now();
      const { url, attempt } = client.beginLogin({ redirectUri: CALLBACK });
      const { searchParams } = new URL(url);
      const names = ['state', 'codeVerifier', 'nonce', 'client', 'redirectUri', 'expiresAt'];
      expect(attempt).to.have.all.keys(names);
      expect(attempt).to.include({ client: client.fingerprint, redirectUri: CALLBACK });
      expect(attempt.expiresAt).to.be.within(before + 600_000, Date.now() + 600_000);
      expect(searchParams.get('state')).to.equal(attempt.state);
      expect(searchParams.get('nonce')).to.equal(attempt.nonce);
      expect(searchParams.get('redirect_uri')).to.equal(CALLBACK);
      expect(searchParams.get('code_challenge')).to.equal(codeChallenge(attempt.codeVerifier));
    });

    it('gives each login random values of its own', () => {
      const client = make({}, openid('when present'));
      const attempts = Array.from({ length: 20 }, () => begin(client));
      const values = attempts.flatMap(({ state, nonce, codeVerifier }) => [
        state,
        nonce,
        codeVerifier,
      ]);
      expect(new Set(values).size).to.equal(60);
    });

    it('RFC 9700 §2.1.1 — has a state and a verifier of its own each time', () => {
      const client = make({}, openid('when present'));
      const attempts = Array.from({ length: 50 }, () => begin(client));
      for (const key of ['state', 'codeVerifier', 'nonce'] as const) {
        expect(new Set(attempts.map((attempt) => attempt[key])).size, key).to.equal(50);
      }
      const [first] = attempts;
      expect(first?.state).to.match(/^[\w-]{32}$/);
      expect(first?.codeVerifier).to.match(/^[\w-]{43}$/);
      expect(first?.nonce).to.match(/^[\w-]{32}$/);
    });

    it('OIDC Core §3.1.2.1 — has a nonce only for an ID Token', () => {
      const names = ['state', 'codeVerifier', 'client', 'redirectUri', 'expiresAt'];
      expect(begin(make())).to.have.all.keys(names);
      expect(begin(make({}, openid('when present')))).to.have.all.keys([...names, 'nonce']);
    });

    for (const appState of [null, false, 0, '', { toReturn: '/' }]) {
      it(`keeps the application's state: ${JSON.stringify(appState)}`, () => {
        expect(begin(make(), { appState }).appState).to.deep.equal(appState);
      });
    }

    it('keeps a pending login within 400 bytes, with every question', () => {
      const { attempt } = make({}, binding()).beginLogin({
        redirectUri: 'https://crm.app.example.com/auth/salesforce/callback',
        extras: { maxAge: 86_400, organization: 'org_2mXhGs4vKzLqRt7Y' },
      });
      expect(attempt).to.have.property('nonce');
      expect(Buffer.byteLength(JSON.stringify(attempt))).to.be.at.most(400);
    });

    it('finishes from the attempt as JSON, in another client of the same app', async () => {
      const request = { extras: { maxAge: 60, organization: 'org_1' } };
      const attempt = JSON.parse(
        JSON.stringify(begin(make({}, binding()), request)),
      ) as LoginAttempt;
      const asked = answerPost('/token', 200, {
        ...TOKENS,
        id_token: await signed({ nonce: attempt.nonce, org_id: 'org_1', auth_time: seconds() }),
      });
      publish();
      const tokens = await redeem(make({}, binding()), attempt);
      expect(tokens.claims).to.include({ org_id: 'org_1' });
      expect(asked[0]?.body.redirect_uri).to.equal(CALLBACK);
    });

    describe('without the scope openid', () => {
      for (const scope of ['read', []]) {
        it(`OIDC Core §3.1.2.1 — sends no nonce: ${JSON.stringify(scope)}`, () => {
          const client = make({}, openid('when present'));
          const parameters = { nonce: 'mine', scope: 'openid' };
          const { url, attempt } = client.beginLogin({ redirectUri: CALLBACK, scope, parameters });
          expect(attempt).not.to.have.property('nonce');
          expect(new URL(url).searchParams.has('nonce')).to.equal(false);
          expect(new URL(url).searchParams.get('scope')).not.to.equal('openid');
        });
      }

      for (const [title, nonce] of [
        ['another login', 'nonce-of-another-login'],
        ['no login', ''],
      ] as const) {
        it(`OIDC Core §3.1.3.7 item 11 — refuses an ID Token with the nonce of ${title}`, async () => {
          const client = make({}, openid('when present'));
          answerPost('/token', 200, { ...TOKENS, id_token: await signed({ nonce }) });
          publish();
          const error = await failure(redeem(client, begin(client, { scope: 'read' })));
          expect(error).to.include({ code: 'id_token_nonce', stage: 'id_token' });
        });
      }

      it('OIDC Core §3.1.3.7 item 11 — takes an ID Token without a nonce', async () => {
        const client = make({}, openid('when present'));
        answerPost('/token', 200, { ...TOKENS, id_token: await signed({}) });
        publish();
        const tokens = await redeem(client, begin(client, { scope: 'read' }));
        expect(tokens.claims?.sub).to.equal('7');
      });
    });

    /** Every way in which a question reaches the authorization request. */
    const ways: [
      string,
      (asked: Record<string, string>) => {
        options?: Partial<AcmeOptions>;
        description?: Partial<Description>;
        request?: Partial<LoginRequest>;
      },
    ][] = [
      [
        'as extras',
        ({ max_age: maxAge, organization }) => ({ request: { extras: { maxAge, organization } } }),
      ],
      ['by wire name, as a hook adds them', (asked) => ({ request: { parameters: asked } })],
      [
        'in the query of authorizationURL',
        (asked) => ({
          options: {
            authorizationURL: `${ORIGIN}/authorize?${new URLSearchParams(asked).toString()}`,
          },
        }),
      ],
      ['by the description', (asked) => ({ description: { requestParameters: () => asked } })],
    ];
    const questions: [string, Record<string, string>, Partial<LoginAttempt>][] = [
      ['max_age', { max_age: '60' }, { maxAge: 60 }],
      ['a bound parameter', { organization: 'org_1' }, { asked: { organization: 'org_1' } }],
    ];
    for (const [way, ask] of ways) {
      const start = (asked: Record<string, string>, changes: Partial<LoginRequest> = {}) => {
        const { options, description, request } = ask(asked);
        const client = make(options, binding(description));
        const { url, attempt } = client.beginLogin({
          redirectUri: CALLBACK,
          ...request,
          ...changes,
        });
        return { client, attempt, query: new URL(url).searchParams };
      };
      const answer = async (attempt: LoginAttempt, claims: Record<string, unknown>) => {
        const idToken = await signed({ nonce: attempt.nonce, ...claims });
        answerPost('/token', 200, { ...TOKENS, id_token: idToken });
        publish();
      };

      it(`OIDC Core §3.1.2.1 — keeps its questions to the ID Token, asked ${way}`, () => {
        const { attempt, query } = start({ max_age: '60', organization: 'org_1' });
        expect(attempt).to.deep.include({ maxAge: 60, asked: { organization: 'org_1' } });
        expect(query.getAll('max_age')).to.deep.equal(['60']);
        expect(query.getAll('organization')).to.deep.equal(['org_1']);
      });

      for (const [title, asked, kept] of questions) {
        it(`OIDC Core §3.1.2.1 — refuses ${title} without the scope openid, asked ${way}`, () => {
          const error: unknown = thrown(() => start(asked, { scope: 'read' }));
          expect(error).to.be.instanceOf(TypeError);
          expect((error as Error).message).to.match(
            /^Acme: "(max_age|organization)" is checked in the ID Token/,
          );
        });

        it(`OIDC Core §3.1.2.1 — fails when no ID Token answers ${title}, asked ${way}`, async () => {
          const { client, attempt } = start(asked);
          expect(attempt).to.deep.include(kept);
          answerPost('/token');
          const error = await failure(redeem(client, attempt));
          const message = 'acme: the token response has no ID Token';
          expect(error).to.include({ code: 'id_token_missing', stage: 'id_token', message });
        });
      }

      it(`OIDC Core §3.1.3.7 item 13 — refuses an auth_time before max_age, asked ${way}`, async () => {
        const { client, attempt } = start({ max_age: '60' });
        await answer(attempt, { auth_time: seconds() - 180 });
        expect(await failure(redeem(client, attempt))).to.include({ code: 'id_token_auth_time' });
      });

      it(`OIDC Core §3.1.3.7 item 13 — refuses an ID Token without auth_time, asked ${way}`, async () => {
        const { client, attempt } = start({ max_age: '60' });
        await answer(attempt, {});
        expect(await failure(redeem(client, attempt))).to.include({ code: 'id_token_auth_time' });
      });

      it(`CWE-1321 — a polluted prototype answers no question, asked ${way}`, async () => {
        const { client, attempt } = start({ organization: 'org_1' });
        await answer(attempt, {});
        Reflect.set(Object.prototype, 'org_id', 'org_1');
        try {
          expect(await failure(redeem(client, attempt))).to.include({ code: 'other_organization' });
        } finally {
          Reflect.deleteProperty(Object.prototype, 'org_id');
        }
      });

      it(`OIDC Core §3.1.3.7 — refuses the ID Token of another organization, asked ${way}`, async () => {
        const { client, attempt } = start({ organization: 'org_1' });
        await answer(attempt, { org_id: 'org_2' });
        expect(await failure(redeem(client, attempt))).to.include({
          code: 'other_organization',
          stage: 'id_token',
          host: 'acme.test',
        });
        expect(compared).to.deep.equal([['7', { organization: 'org_1' }]]);
      });

      it(`signs in when the ID Token answers every question, asked ${way}`, async () => {
        const { client, attempt } = start({ max_age: '60', organization: 'org_1' });
        await answer(attempt, { auth_time: seconds() - 30, org_id: 'org_1' });
        expect((await redeem(client, attempt)).claims).to.include({ org_id: 'org_1' });
        expect(compared).to.deep.equal([['7', { organization: 'org_1' }]]);
      });
    }

    it('compares nothing that was not asked', async () => {
      const client = make({}, binding());
      for (const request of [{}, { extras: { maxAge: 60 } }]) {
        const attempt = begin(client, request);
        answerPost('/token', 200, {
          ...TOKENS,
          id_token: await signed({ nonce: attempt.nonce, org_id: 'org_2', auth_time: seconds() }),
        });
        if (request.extras === undefined) publish();
        expect((await redeem(client, attempt)).claims).to.include({ org_id: 'org_2' });
      }
      expect(compared).to.deep.equal([]);
    });

    it('OIDC Core §3.1.2.1 — takes maxAge also where the description does not list it', () => {
      const provider = openid('when present', { authorizationParameters: {} });
      const { url, attempt } = make({}, provider).beginLogin({
        redirectUri: CALLBACK,
        extras: { maxAge: 60 },
      });
      expect(attempt.maxAge).to.equal(60);
      expect(new URL(url).searchParams.get('max_age')).to.equal('60');
    });

    it('OIDC Core §3.1.2.1 — refuses each question where the provider has no ID Tokens', () => {
      const provider = acmeWith({ boundParameters: ['organization'], checkIdToken: () => {} });
      for (const extras of [{ maxAge: 60 }, { organization: 'org_1' }]) {
        const error: unknown = thrown(() => begin(make({}, provider), { scope: 'openid', extras }));
        expect(error).to.be.instanceOf(TypeError);
      }
    });

    it('RFC 6749 §4.1.1 — refuses a login without redirectUri', () => {
      for (const redirectUri of [
        undefined,
        '',
        5,
        '/relative',
        'app.test/cb',
      ] as unknown as string[]) {
        expect(thrown(() => make({}, binding()).beginLogin({ redirectUri })).message).to.match(
          /"redirectUri" (?:is required|must be an absolute URL)/,
        );
      }
    });

    it('prefers an extra to a parameter, and both to the query of authorizationURL', () => {
      const client = make({ authorizationURL: `${ORIGIN}/authorize?max_age=1` }, binding());
      const parameters = { max_age: 2 };
      const asked = [{}, { parameters }, { parameters, extras: { maxAge: 3 } }].map((request) =>
        client.beginLogin({ redirectUri: CALLBACK, ...request }),
      );
      expect(asked.map(({ attempt }) => attempt.maxAge)).to.deep.equal([1, 2, 3]);
      expect(asked.map(({ url }) => new URL(url).searchParams.getAll('max_age'))).to.deep.equal([
        ['1'],
        ['2'],
        ['3'],
      ]);
    });

    it('RFC 6749 §3.1 — refuses a question that authorizationURL asks twice', () => {
      const authorizationURL = `${ORIGIN}/authorize?organization=org_1&organization=org_2`;
      const error: unknown = thrown(() => begin(make({ authorizationURL }, binding())));
      expect(error)
        .to.be.instanceOf(TypeError)
        .with.property('message', 'Acme: "organization" must be one non-empty value');
    });

    for (const [way, ask] of [
      ['as an extra', (value: unknown) => ({ extras: { maxAge: value, organization: value } })],
      [
        'by wire name',
        (value: unknown) => ({ parameters: { max_age: value, organization: value } }),
      ],
    ] as const) {
      const only = (name: 'extras' | 'parameters', request: object, keep: string) => ({
        [name]: { [keep]: Reflect.get(Reflect.get(request, name) as object, keep) as unknown },
      });
      const [name, maxAgeName] =
        way === 'as an extra'
          ? (['extras', 'maxAge'] as const)
          : (['parameters', 'max_age'] as const);
      const beginWith = (keep: string, value: unknown) =>
        make({}, binding()).beginLogin({
          redirectUri: CALLBACK,
          ...only(name, ask(value), keep),
        });

      for (const maxAge of [0, '0', 3600]) {
        it(`OIDC Core §3.1.2.1 — asks for a max_age of ${JSON.stringify(maxAge)}, ${way}`, () => {
          const { url, attempt } = beginWith(maxAgeName, maxAge);
          expect(attempt.maxAge).to.equal(Number(maxAge));
          expect(new URL(url).searchParams.get('max_age')).to.equal(String(maxAge));
        });
      }

      for (const maxAge of [
        'abc',
        '',
        '60s',
        's60',
        [60, 60],
        Number.NaN,
        -1,
        1.5,
        2 ** 53,
        true,
      ]) {
        it(`OIDC Core §3.1.2.1 — refuses a max_age that cannot be checked, ${way}: ${JSON.stringify(maxAge)}`, () => {
          expect(() => beginWith(maxAgeName, maxAge)).to.throw(
            TypeError,
            'Acme: "max_age" must be',
          );
        });
      }

      for (const [title, value] of [
        ['an object', { seconds: 60 }],
        ['a bigint', 60n],
        ['a function', () => 60],
        ['a symbol', Symbol('60')],
      ] as const) {
        it(`OIDC Core §3.1.2.1 — refuses a max_age that is ${title}, ${way}`, () => {
          expect(() => beginWith(maxAgeName, value)).to.throw(TypeError, 'must be');
        });
      }

      for (const organization of [['org_1'], '', 7, true, { id: 'org_1' }]) {
        it(`refuses a bound parameter that is not a string with text, ${way}: ${JSON.stringify(organization)}`, () => {
          expect(() => beginWith('organization', organization)).to.throw(
            TypeError,
            /^Acme: "organization" must be (a string|one non-empty value)$/,
          );
        });
      }

      for (const value of [undefined, null]) {
        it(`asks no question for ${value}, ${way}`, () => {
          for (const keep of [maxAgeName, 'organization']) {
            const { url, attempt } = beginWith(keep, value);
            expect(attempt).not.to.have.any.keys('maxAge', 'asked');
            expect(new URL(url).search).not.to.match(/max_age|organization/);
          }
        });
      }
    }
  });

  describe('the authorization response', () => {
    it('RFC 6749 §4.1.2.1 — tells a refusal with provider, stage, host and hint', async () => {
      const client = make();
      const attempt = begin(client);
      const error = await failure(
        client.validateAuthorizationResponse(
          { error: 'access_denied', error_description: 'Zoë said no', state: attempt.state },
          () => attempt,
        ),
      );
      expect(error).to.include({
        name: 'OAuth2Error',
        message: 'acme: access_denied: Zoë said no',
        code: 'access_denied',
        stage: 'authorize',
        host: 'acme.test',
        refusal: 401,
        reportedIn: 'authorization response',
      });
      expect(error.hint).to.equal(HINTS.access_denied);
    });

    it("knows the provider's own refusals", async () => {
      const client = make();
      const attempt = begin(client);
      const response = { error: 'account_locked', state: attempt.state };
      const error = await failure(client.validateAuthorizationResponse(response, () => attempt));
      expect(error).to.include({ code: 'account_locked', refusal: 401 });
    });

    it('RFC 9700 §4.4 — refuses an attempt of another client', async () => {
      const attempt = begin(make({ clientID: 'client-2' }));
      const error = await failure(respond(make(), attempt));
      expect(error).to.include({ code: 'state_of_another_client', refusal: 403 });
    });

    it('RFC 9207 §2.4 — refuses a response without iss where the endpoints promise it', async () => {
      const client = make(
        {},
        acmeWith({
          endpoints: (options) => ({
            ...acmeDescription.endpoints(options),
            authorizationResponseIssParameterSupported: true,
          }),
        }),
      );
      expect(await failure(respond(client))).to.include({ code: 'iss_missing', refusal: 403 });
    });

    it('RFC 9207 §2.4 — refuses the iss of another issuer', async () => {
      const client = make();
      const attempt = begin(client);
      const response = { code: CODE, state: attempt.state, iss: 'https://evil.test/' };
      const error = await failure(client.validateAuthorizationResponse(response, () => attempt));
      expect(error).to.include({ code: 'issuer_mismatch', refusal: 403 });
    });
  });

  describe('grants', () => {
    mockTheNetwork();

    it('a login with a host that must not receive the token fails, and a refresh leaves it out', async () => {
      const provider = acmeWith({
        untrustedFields: (response, { provider: name }) =>
          response.api === `https://${name}.test` ? [] : ['api', 'api_2'],
      });
      const client = make({}, provider);
      answerPost('/token', 200, { ...TOKENS, api: 'https://evil.test' });
      const refused = await failure(redeem(client));
      expect(refused).to.include({ code: 'untrusted_host', stage: 'token' });
      expect(refused.message).to.equal(
        'acme: the token response names a host that must not receive a token: api, api_2',
      );
      answerPost('/token', 200, { ...TOKENS, api: 'https://acme.test' });
      const previous = await redeem(client);
      answerPost('/token', 200, { access_token: 'at-2', team: 7, api: 'https://evil.test' });
      const { accessToken, response } = await client.refreshTokenGrant('rt-1', { previous });
      expect({ accessToken, api: response.api, team: response.team }).to.deep.equal({
        accessToken: 'at-2',
        api: 'https://acme.test',
        team: 7,
      });
      expect(response).to.be.frozen;
    });

    it('RFC 9207 §2.4 — an iss that the provider trusts must be one of the token response', async () => {
      const org = 'https://org.test';
      const provider = acmeWith({
        idTokenIssuers: (response) => [text(response.instance) ?? ''],
        trustsIssuer: (iss, context) => iss === org && context.provider === 'acme',
      });
      const client = make({}, provider);
      const login = async (fields: object) => {
        answerPost('/token', 200, { ...TOKENS, ...fields });
        const attempt = begin(client);
        const parameters = { code: CODE, state: attempt.state, iss: org };
        const response = await client.validateAuthorizationResponse(parameters, () => attempt);
        return await client.authorizationCodeGrant(response);
      };
      expect((await login({ instance: org })).accessToken).to.equal('at-1');
      expect(await failure(login({ instance: 'https://b.test' }))).to.include({
        code: 'issuer_mismatch',
        stage: 'token',
        refusal: 403,
      });
    });

    it('sends headers as a plain object, which is all that some interceptors take', async () => {
      const { request } = https;
      const sent: unknown[] = [];
      https.request = ((options: https.RequestOptions, ...rest: []) => {
        sent.push(Object.getPrototypeOf(options.headers));
        return request(options, ...rest);
      }) as typeof request;
      try {
        answerPost('/token');
        await redeem(make({ customHeaders: { 'X-Trace': 'abc' } }));
        expect(sent).to.have.lengthOf(1);
        expect(sent[0]).to.equal(Object.prototype);
      } finally {
        https.request = request;
      }
    });

    it('RFC 6749 §4.1.3, RFC 7636 §4.5 — redeems a code', async () => {
      const client = make({ customHeaders: { 'X-Trace': 'abc' } });
      const attempt = begin(client);
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
      await redeem(client, begin(client, { redirectUri: 'https://app.test/other' }));
      expect(asked[0]?.body.redirect_uri).to.equal('https://app.test/other');
    });

    it('lets no further parameter replace one of the protocol', async () => {
      const client = make(
        {},
        acmeWith({ requestParameters: () => ({ audience: 'a', code: 'b' }) }),
      );
      const attempt = begin(client);
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
      const attempt = begin(client);
      const error = await failure(redeem(client, attempt), attempt.codeVerifier, attempt.state);
      expect(error).to.include({
        message: 'acme: invalid_grant: code [redacted] of [redacted] is used up',
        code: 'invalid_grant',
        status: 403,
        stage: 'token',
        host: 'acme.test',
        hint: 'Acme says: sign in again.',
        reportedIn: 'token response',
      });
    });

    it('redacts an echo of the verifier', async () => {
      const client = make();
      const attempt = begin(client);
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
          throw new Problem(providerCode('own_check'), 'the signature is wrong');
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
          parseErrorResponse: () => own,
        }),
      );
      expect(first).to.equal(own);
      answerPost('/token', 400, { error: 'invalid_grant' });
      const second = await rejection(
        client.authorizationCodeGrant(await respond(client), {
          parseErrorResponse: () => null,
        }),
      );
      expect(second).to.include({ code: 'invalid_grant' });
    });

    it('shows parseErrorResponse none of the secrets that the provider echoes', async () => {
      const client = make();
      const attempt = begin(client);
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
            parseErrorResponse: (body) => JSON.parse(body) as Error,
          }),
        );
        expect(error).not.to.have.property('reportedIn');
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

        it('RFC 6749 §6 — fields that the answer leaves out stay as they were', async () => {
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

        it('RFC 6749 §6 — fields that belonged to the tokens before end with them', async () => {
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

        it('RFC 6749 §6 — the answer decides, also about the end of the token', async () => {
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

    describe('client_secret_basic', () => {
      const clientID = 'id: 1+1%';
      const clientSecret = `${SECRET} +%:ü`;
      // RFC 6749 §2.3.1, by hand: form-encoded halves, a colon, base64.
      const pairOf = Buffer.from(`id%3A+1%2B1%25:${SECRET}+%2B%25%3A%C3%BC`).toString('base64');
      const basic = (changes: Partial<Description> = {}) =>
        make(
          { clientID, clientSecret },
          acmeWith({
            clientAuthentication: 'client_secret_basic',
            endpoints: (options) => ({
              ...acmeDescription.endpoints(options),
              introspectionEndpoint: `${ORIGIN}/introspect`,
            }),
            ...changes,
          }),
        );

      for (const format of ['form', 'json'] as const) {
        it(`RFC 6749 §2.3.1 — redeems a code with the header, and without credentials in the body (${format})`, async () => {
          const client = basic({ tokenRequestFormat: format });
          const attempt = begin(client);
          const asked = answerPost('/token');
          expect((await redeem(client, attempt)).accessToken).to.equal('at-1');
          expect(asked[0]?.headers.authorization).to.equal(`Basic ${pairOf}`);
          expect(asked[0]?.body).to.deep.equal({
            grant_type: 'authorization_code',
            code: CODE,
            redirect_uri: CALLBACK,
            code_verifier: attempt.codeVerifier,
          });
        });
      }

      it('RFC 6749 §2.3.1 — names the client in the authorization request, unencoded', () => {
        const { url } = basic().beginLogin({ redirectUri: CALLBACK });
        expect(new URL(url).searchParams.get('client_id')).to.equal(clientID);
      });

      it('RFC 6749 §2.3 — authenticates every other request so, too', async () => {
        const client = basic();
        const token = answerPost('/token');
        await client.refreshTokenGrant('rt-1');
        const app = answerPost('/token');
        await client.clientCredentialsGrant();
        const revoke = answerPost('/revoke', 200, '');
        await client.revokeToken('rt-1');
        const introspect = answerPost('/introspect', 200, { active: true });
        await client.introspectToken('at-1');
        const asked = [...token, ...app, ...revoke, ...introspect];
        expect(asked).to.have.lengthOf(4);
        for (const { headers, body } of asked) {
          expect(headers.authorization).to.equal(`Basic ${pairOf}`);
          expect(body).not.to.have.any.keys('client_id', 'client_secret');
        }
      });

      it('RFC 6749 §2.3 — sends no second method of authentication, also not of a parameter', async () => {
        const client = basic();
        const asked = answerPost('/token');
        await redeem(client, begin(client), { client_id: 'mine', client_secret: 'mine' });
        expect(asked[0]?.body).not.to.have.any.keys('client_id', 'client_secret');
      });

      it('RFC 6749 §5.2 — redacts an echo of the secret, of its encoded form and of the header', async () => {
        const encoded = `${SECRET}+%2B%25%3A%C3%BC`;
        const client = basic();
        answerPost('/token', 401, {
          error: 'invalid_client',
          error_description: `${clientSecret} | ${encoded} | Basic ${pairOf}`,
        });
        const error = await failure(redeem(client), clientSecret, encoded, pairOf);
        expect(error.message).to.equal(
          'acme: invalid_client: [redacted] | [redacted] | Basic [redacted]',
        );
      });

      it('RFC 6749 §3.2.1 — names a public client in the body', async () => {
        const provider = acmeWith({ clientAuthentication: 'client_secret_basic' });
        const asked = answerPost('/token');
        await redeem(new OAuth2Client(provider, { clientID: 'client-1', timeout: 2000 }));
        expect(asked[0]?.headers).not.to.have.property('authorization');
        expect(asked[0]?.body).to.include({ client_id: 'client-1' });
        expect(asked[0]?.body).not.to.have.property('client_secret');
      });
    });

    describe('an error in words of the provider', () => {
      const provider = acmeWith({
        tokenError: ({ status, message }) =>
          status === 'BAD_REFRESH_TOKEN'
            ? { code: 'invalid_grant', description: text(message) }
            : undefined,
      });
      const BODY = { status: 'BAD_REFRESH_TOKEN', message: 'missing or expired: rt-1' };

      it('is read by the tokenError slot after a refresh, and redacted', async () => {
        answerPost('/token', 400, BODY);
        const error = await failure(make({}, provider).refreshTokenGrant('rt-1'));
        expect(error).to.include({
          message: 'acme: invalid_grant: missing or expired: [redacted]',
          code: 'invalid_grant',
          stage: 'refresh',
          status: 400,
          reportedIn: 'token response',
          hint: 'Acme says: sign in again.',
        });
      });

      it('is read by the tokenError slot after a code, also one that comes with success', async () => {
        const client = make({}, provider);
        const body = { ...BODY, message: 'used up' };
        for (const [status, reply] of [
          [400, body],
          [200, body],
          [200, { ...body, error: 'x' }],
        ] as const) {
          answerPost('/token', status, reply);
          expect(await failure(redeem(client))).to.include({
            message: 'acme: invalid_grant: used up',
            code: 'invalid_grant',
            stage: 'token',
            status,
          });
        }
      });

      it('is an outage with a status of 5xx: the grant lives on', async () => {
        answerPost('/token', 500, BODY);
        const error = await failure(make({}, provider).refreshTokenGrant('rt-1'));
        expect(error).to.include({ code: 'provider_unavailable', stage: 'refresh', status: 500 });
      });

      it('is judged by its status where the slot does not know it', async () => {
        answerPost('/token', 400, { status: 'OTHER' });
        const error = await failure(make({}, provider).refreshTokenGrant('rt-1'));
        expect(error).to.include({ code: 'unexpected_status', stage: 'refresh' });
        expect(error).not.to.have.property('reportedIn');
      });

      it('is judged by parseErrorResponse first', async () => {
        const client = make({}, provider);
        const own = new Error('own');
        answerPost('/token', 400, BODY);
        const response = await respond(client);
        const parseErrorResponse = () => own;
        expect(
          await rejection(client.authorizationCodeGrant(response, { parseErrorResponse })),
        ).to.equal(own);
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

      it('OpenID Connect RP-Initiated Logout §2 — is refused at a host that is not of the organization', () => {
        const provider = acmeWith({
          organizationEndpoints: () => {
            throw new Problem('untrusted_host', 'the instance is elsewhere');
          },
        });
        const tokens = { accessToken: 'at-1', tokenType: 'Bearer', response: {} };
        const error = thrown(() => make({}, provider).buildEndSessionUrl({ tokens }));
        expect(error).to.include({ code: 'untrusted_host', stage: 'logout', provider: 'acme' });
      });

      for (const [title, failing] of [
        ['has no address any more', 'ENOTFOUND'],
        ['refuses connections', 'ECONNREFUSED'],
        ['shows the certificate of another host', 'ERR_TLS_CERT_ALTNAME_INVALID'],
        ['is a page that points to the new one', 302],
        ['does not know the path', 404],
      ] as const) {
        it(`RFC 7009 §2 — when the organization has moved, and its old host ${title}, asks the login host`, async () => {
          const provider = acmeWith({
            organizationEndpoints: () => ({ revocationEndpoint: 'https://zoe.acme.test/r' }),
          });
          const old = nock('https://zoe.acme.test').post('/r');
          if (typeof failing === 'number') old.reply(failing);
          else old.replyWithError(Object.assign(new Error('gone'), { code: failing }));
          const asked = answerPost('/revoke', 200, '');
          const tokens = { accessToken: 'at-1', tokenType: 'Bearer', response: {} };
          await make({}, provider).revokeToken('rt-1', { tokens });
          expect(asked[0]?.body).to.include({ token: 'rt-1', client_secret: SECRET });
        });
      }
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
        expect(await make({ region: 'x' }, provider).fetchProfile(tokens)).to.include({ id: '7' });
        const { claims } = tokens;
        expect(seen[0]).to.deep.include({ tokens, claims, raw: JSON.stringify({ sub, id: '7' }) });
        expect(seen[0]).to.have.nested.property('options.region', 'x');
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

    it('sends no request when the ID Token says enough', async () => {
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
        expect(error).not.to.have.property('reportedIn');
        expect(error).to.include({ code, stage: 'profile' });
      });
    }

    it('RFC 9110 §10.2.3 — a budget in headers of the provider’s own says how long to wait', async () => {
      const provider = acmeWith({
        rateLimit: (header) => ({ resetsAt: Date.now() + Number(header('x-reset-in')) * 1000 }),
      });
      const client = make({}, provider);
      for (const [headers, wait] of [
        [{ 'x-reset-in': '17' }, 17],
        [{ 'x-reset-in': '-17' }, 0],
        [{ 'x-reset-in': '17', 'retry-after': '7' }, 7],
      ] as const) {
        for (const path of ['token', 'me']) {
          const mock = nock(ORIGIN);
          (path === 'me' ? mock.get('/me') : mock.post('/token')).reply(429, {}, headers);
        }
        for (const asked of [client.fetchProfile(TOKEN_SET), client.refreshTokenGrant('rt-1')]) {
          const fields = { code: 'rate_limited', retryAfterSeconds: wait };
          expect(await failure(asked)).to.include(fields);
        }
      }
      nock(ORIGIN).get('/me').reply(500, {}, { 'x-reset-in': '17' });
      expect(await failure(client.fetchProfile(TOKEN_SET))).not.to.have.property(
        'retryAfterSeconds',
      );
    });

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

    describe('of an API that takes the token in its path', () => {
      const token = 'AbC!0+9/x.y-z_~=1234';
      const tokens: TokenSet = { accessToken: token, tokenType: 'Bearer', response: {} };
      const inPath = (path: string, tokenIn?: 'path') =>
        make(
          {},
          acmeWith({
            profileRequest: ({ accessToken }) => ({
              url: `${ORIGIN}${path}${encodeURIComponent(accessToken)}`,
              tokenIn,
            }),
          }),
        );
      const events: DiagnosticsEvent[] = [];
      const listen = (event: unknown) => events.push(event as DiagnosticsEvent);
      beforeEach(() => {
        events.length = 0;
        diagnosticsChannel.subscribe('crm-oauth2', listen);
      });
      afterEach(() => {
        diagnosticsChannel.unsubscribe('crm-oauth2', listen);
      });
      /** Every spelling that the tests send or receive. */
      const spellings = [token, encodeURIComponent(token)];

      it('is asked without the Authorization header', async () => {
        const asked: Record<string, string>[] = [];
        nock(ORIGIN)
          .get(`/access-tokens/${encodeURIComponent(token)}`)
          .reply(200, function () {
            asked.push(this.req.headers);
            return { sub: '7' };
          });
        const profile = await inPath('/access-tokens/', 'path').fetchProfile(tokens);
        expect(profile.id).to.equal('7');
        expect(asked).to.have.lengthOf(1);
        expect(asked[0]).not.to.have.property('authorization');
      });

      for (const [title, status, code] of [
        ['when it answers', 200, undefined],
        ['when it refuses', 404, 'unexpected_status'],
      ] as const) {
        it(`RFC 9700 §4.3 — shows no token in the crm-oauth2 event ${title}`, async () => {
          nock(ORIGIN)
            .get(/^\/access-tokens\//)
            .reply(status, { sub: '7', message: `no ${token}, ${spellings[1]}` });
          const work = inPath('/access-tokens/', 'path').fetchProfile(tokens);
          if (code === undefined) await work;
          else expect((await failure(work, ...spellings)).code).to.equal(code);
          expect(events).to.have.lengthOf(1);
          expect(events[0]).to.include({
            event: 'request',
            host: 'acme.test',
            path: '/access-tokens/[redacted]',
            status,
          });
          for (const spelling of spellings) {
            expect(JSON.stringify(events)).not.to.include(spelling);
          }
        });
      }

      it('RFC 9700 §4.3 — shows no token in the crm-oauth2 event when no answer comes', async () => {
        nock(ORIGIN)
          .get(/^\/access-tokens\//)
          .replyWithError(Object.assign(new Error('x'), { code: 'ECONNREFUSED' }));
        const work = inPath('/access-tokens/', 'path').fetchProfile(tokens);
        expect((await failure(work, ...spellings)).code).to.equal('connection_refused');
        expect(events[0]).to.include({
          path: '/access-tokens/[redacted]',
          code: 'connection_refused',
        });
      });

      for (const path of ['/access-tokens/', '/me?access_token=']) {
        it(`RFC 6750 §5.3 — is not asked unless the description says so: ${path}`, async () => {
          const error = await failure(inPath(path).fetchProfile(tokens), ...spellings);
          expect(error).to.include({
            code: 'token_in_url',
            stage: 'profile',
            host: 'acme.test',
            hint: HINTS.token_in_url,
          });
          expect(events).to.deep.equal([]);
        });
      }
    });

    it('shares the deadline of the grant before it', async () => {
      nock(ORIGIN).get('/me').reply(200, { sub: '7' });
      const deadline = new Deadline(20);
      while (deadline.remaining() > 0) await pause(5);
      const error = await failure(
        make({ timeout: 5000 }).fetchProfile(TOKEN_SET, sharing(deadline)),
      );
      expect(error.code).to.equal('timeout');
    });
  });

  describe('ID Token', () => {
    mockTheNetwork();
    it('OIDC Core §3.1.3.7 — is verified, and its claims are in the token set', async () => {
      const client = make({}, openid('required'));
      const attempt = begin(client);
      answerPost('/token', 200, { ...TOKENS, id_token: await signed({ nonce: attempt.nonce }) });
      publish();
      const tokens = await redeem(client, attempt);
      expect(tokens.claims).to.include({ sub: '7', nonce: attempt.nonce });
      expect(Object.isFrozen(tokens)).to.equal(true);
    });

    it('OIDC Core §3.1.3.7 item 11 — is refused with the nonce of another login', async () => {
      const client = make({}, openid('required'));
      const { nonce } = begin(client);
      answerPost('/token', 200, { ...TOKENS, id_token: await signed({ nonce }) });
      publish();
      const error = await failure(redeem(client), String(nonce));
      expect(error).to.include({ code: 'id_token_nonce', stage: 'id_token', host: 'acme.test' });
    });

    for (const algorithm of [
      'ES256',
      'PS256',
      'RS512',
      'EdDSA',
      'Ed25519',
    ] as const satisfies IdTokenAlgorithm[]) {
      it(`OIDC Core §3.1.3.7 item 7 — signs in with ${algorithm} only where the description names it`, async () => {
        const { SignJWT, exportJWK, generateKeyPair } = await import('jose');
        const { privateKey, publicKey } = await generateKeyPair(algorithm);
        const key = { ...(await exportJWK(publicKey)), alg: algorithm };
        const start = async (changes: Partial<Description>) => {
          const client = make({}, openid('required', changes));
          const attempt = begin(client);
          const idToken = await new SignJWT({ nonce: attempt.nonce, sub: '7' })
            .setProtectedHeader({ alg: algorithm })
            .setIssuer(`${ORIGIN}/`)
            .setAudience('client-1')
            .setIssuedAt()
            .setExpirationTime('5m')
            .sign(privateKey);
          answerPost('/token', 200, { ...TOKENS, id_token: idToken });
          return redeem(client, attempt);
        };
        publish([key]);
        const tokens = await start({ idTokenAlgorithms: ['RS256', algorithm] });
        expect(tokens.claims?.sub).to.equal('7');
        expect((await failure(start({}))).code).to.equal('id_token_algorithm');
      });
    }

    it('OIDC Core §3.1.3.3 — must come where the login rests on it', async () => {
      answerPost('/token');
      const error = await failure(redeem(make({}, openid('required'))));
      expect(error).to.include({ code: 'id_token_missing', stage: 'id_token' });
    });

    for (const idToken of ['required', 'when present'] as const) {
      it(`OIDC Core §3.1.3.7 — refuses a provider whose ID Tokens cannot be verified: ${idToken}`, () => {
        const without = (name: 'jwksUri' | 'issuer') =>
          acmeWith({
            idToken,
            endpoints: (options) => ({ ...acme.endpoints(options), [name]: undefined }),
          });
        expect(() => make({}, without('jwksUri'))).to.throw(
          TypeError,
          '"jwksUri", which is missing',
        );
        expect(() => make({}, without('issuer'))).to.throw(TypeError, '"issuer", which is missing');
      });
    }

    it('an ID Token counts for nothing where the provider has none at all', async () => {
      const provider = acmeWith({ ...openid('when present'), idToken: 'none' });
      answerPost('/token', 200, { ...TOKENS, id_token: await signed({}) });
      expect(await redeem(make({}, provider))).not.to.have.property('claims');
    });

    it('asks for the keys when a login starts that will have an ID Token', async () => {
      const client = make({}, openid('when present'));
      const { nonce, ...without } = begin(client);
      publish();
      client.prepare(without);
      await pause(30);
      expect(nock.isDone()).to.equal(false);
      client.prepare({ ...without, nonce });
      await pause(30);
      expect(nock.isDone()).to.equal(true);
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
      const attempt = begin(client);
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

      it(`OIDC Core §3.1.3.7 — fails the login when the key set ${title}`, async () => {
        const client = make({}, openid('required'));
        const attempt = begin(client);
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

      it(`OIDC Core §3.1.3.7 — fails the login when the provider's clock is ${title}`, async () => {
        const client = make({}, openid('required'));
        const attempt = begin(client);
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

    it('asks for the keys of an organization where the provider says', async () => {
      const provider = acmeWith({
        ...openid('when present'),
        idTokenIssuers: () => ['https://org.test', 'https://plain.test'],
        keysOf: (issuer) => (issuer === 'https://org.test' ? `${issuer}/keys` : 'http://a.test/'),
      });
      const client = make({}, provider);
      const answerOf = async (iss: string) =>
        answerPost('/token', 200, {
          ...TOKENS,
          id_token: await signed({ iss, nonce: undefined }),
        });
      nock('https://org.test').get('/keys').reply(503);
      await answerOf('https://org.test');
      const attempt = () => begin(client, { scope: 'read' });
      expect(await failure(redeem(client, attempt()))).to.include({
        code: 'keys_unavailable',
        host: 'org.test',
      });
      await answerOf('https://plain.test');
      expect((await failure(redeem(client, attempt()))).code).to.equal('keys_unavailable');
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
      const attempt = begin(client, { scope: 'read' });
      expect((await redeem(client, attempt)).claims?.iss).to.equal('https://na1.acme.test');
    });
  });

  describe('while Object.prototype is polluted', () => {
    useRealSockets();
    const WORKS = {
      'a login': async (client: OAuth2Client<AcmeOptions>) => {
        const { url, attempt } = client.beginLogin({ redirectUri: CALLBACK });
        const tokens = await client.authorizationCodeGrant(await respond(client, attempt));
        const names = [...new URL(url).searchParams.keys()];
        return { names, attempt: Object.keys(attempt), tokens };
      },
      'a refresh': async (client: OAuth2Client<AcmeOptions>) =>
        await client.refreshTokenGrant('rt-1'),
      'client credentials': async (client: OAuth2Client<AcmeOptions>) =>
        await client.clientCredentialsGrant(),
      'a revocation': async (client: OAuth2Client<AcmeOptions>) => await client.revokeToken('rt-1'),
      'a profile': async (client: OAuth2Client<AcmeOptions>) =>
        await client.fetchProfile({ accessToken: 'at-1', tokenType: 'Bearer', response: {} }),
    };
    const POLLUTION = Object.entries({
      parameters: { scope: 'evil', audience: 'evil' },
      extras: { prompt: 'evil' },
      prompt: 'evil',
      max_age: 1,
      organization: 'evil',
      scope: 'evil',
      nonce: 'evil',
      appState: 'evil',
      previous: { subject: 'evil' },
      parseErrorResponse: () => new Error('evil'),
      tokens: { response: { evil: true } },
      tokenTypeHint: 'evil',
      claims: { sub: 'evil', name: 'Evil' },
    });
    for (const [what, work] of Object.entries(WORKS)) {
      it(`${what} is as it was: names and values are its own`, async () => {
        const asked: string[] = [];
        const origin = await httpServer((request, response) => {
          let body = '';
          request.on('data', (chunk: Buffer) => (body += chunk.toString()));
          request.on('end', () => {
            asked.push(`${request.url} ${request.headers.authorization} ${body}`);
            response.setHeader('content-type', 'application/json');
            response.end(JSON.stringify({ ...TOKENS, sub: '7' }));
          });
        });
        const client = make(
          {
            tokenURL: `${origin}/token`,
            userInfoURL: `${origin}/me`,
            revocationURL: `${origin}/revoke`,
          },
          acmeWith({
            profileRequest: ({ claims }) => (claims ? undefined : { url: `${origin}/me` }),
          }),
        );
        const trace = async () => {
          asked.length = 0;
          const outcome = await work(client);
          const printed = JSON.stringify({ outcome, asked });
          return printed.replace(/(?:code_verifier=|"expiresAt":)[\w-]+/g, '');
        };
        const expected = await trace();
        for (const [name, value] of POLLUTION) {
          Reflect.set(Object.prototype, name, value);
          try {
            expect(await trace(), name).to.equal(expected);
          } finally {
            Reflect.deleteProperty(Object.prototype, name);
          }
        }
        client.close();
      });
    }
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

    for (const [code, cut] of [
      ['connection_failed', (socket: net.Socket) => socket.destroy()],
      [
        'incomplete_response',
        (socket: net.Socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{'),
      ],
    ] as const) {
      it(`${code} — is asked for once more, because the grant uses nothing up`, async () => {
        const serverThatCuts = async (times: number) => {
          let requests = 0;
          const origin = await rawServer((socket) => {
            socket.on('data', () => {
              requests += 1;
              const head =
                'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 25';
              if (requests <= times) cut(socket);
              else socket.end(`${head}\r\n\r\n{"access_token":"at-app"}`);
            });
          });
          return { client: at(origin, 5000), count: () => requests };
        };
        const once = await serverThatCuts(1);
        expect(await once.client.clientCredentialsGrant()).to.include({ accessToken: 'at-app' });
        const always = await serverThatCuts(9);
        expect(await failure(always.client.clientCredentialsGrant())).to.include({ code });
        expect([once.count(), always.count()]).to.deep.equal([2, 2]);
      });
    }

    it('ends within the timeout when no answer comes', async () => {
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
        () => client.authorizationCodeGrant(response, sharing(deadline)),
        () => client.refreshTokenGrant('rt-1', sharing(deadline)),
        () => client.clientCredentialsGrant(sharing(deadline)),
        () => client.revokeToken('rt-1', sharing(deadline)),
      ]) {
        expect((await failure(call())).code).to.equal('timeout');
      }
      // A request that was sent before this one would have arrived before it.
      await client.refreshTokenGrant('rt-1');
      expect(posts).to.deep.equal(['/token']);
      expect(connections).to.equal(1);
    });

    describe('the timeout of one call', () => {
      const calls: [
        string,
        (client: OAuth2Client<AcmeOptions>, timeout: number) => Promise<unknown>,
      ][] = [
        [
          'token',
          async (client, timeout) =>
            await client.authorizationCodeGrant(await respond(client), { timeout }),
        ],
        ['refresh', (client, timeout) => client.refreshTokenGrant('rt-1', { timeout })],
        ['client_credentials', (client, timeout) => client.clientCredentialsGrant({ timeout })],
        ['revoke', (client, timeout) => client.revokeToken('rt-1', { timeout })],
        ['introspect', (client, timeout) => client.introspectToken('at-1', { timeout })],
        [
          'profile',
          (client, timeout) =>
            client.fetchProfile(
              { accessToken: 'at-1', tokenType: 'Bearer', response: {} },
              { timeout },
            ),
        ],
      ];
      const introspecting = (origin: string, timeout: number) => {
        const client = make(
          {
            tokenURL: `${origin}/token`,
            userInfoURL: `${origin}/me`,
            revocationURL: `${origin}/revoke`,
            timeout,
          },
          acmeWith({
            endpoints: (options) => ({
              ...acmeDescription.endpoints(options),
              introspectionEndpoint: `${origin}/introspect`,
            }),
          }),
        );
        clients.push(client);
        return client;
      };

      for (const [stage, call] of calls) {
        it(`ends that call sooner: ${stage}`, async () => {
          const client = introspecting(await rawServer(() => {}), 5000);
          const began = performance.now();
          const error = await failure(call(client, 60));
          expect(error).to.include({
            code: 'timeout',
            stage,
            message: 'acme: not finished within 60 ms',
          });
          expect(performance.now() - began).to.be.below(2000);
        });
      }

      for (const timeout of [Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, '60']) {
        it(`RFC 6749 §6 — sends no refresh token under a timeout that is out of range: ${timeout}`, async () => {
          let requests = 0;
          const origin = await httpServer((_req, res) => {
            requests += 1;
            res.setHeader('content-type', 'application/json');
            res.end(JSON.stringify(TOKENS));
          });
          const client = introspecting(origin, 2000);
          const options = { timeout: timeout as number };
          const error: unknown = await rejection(client.refreshTokenGrant('rt-1', options));
          expect(error).to.be.instanceOf(TypeError);
          expect((error as Error).message).to.include('"timeout" must be a number from 1 to');
          await pause(20);
          expect(requests).to.equal(0);
        });
      }

      it('lets that call take longer, and no other', async () => {
        const origin = await httpServer((_req, res) => {
          setTimeout(() => {
            res.setHeader('content-type', 'application/json');
            res.end(JSON.stringify({ ...TOKENS, active: true, sub: '7' }));
          }, 120);
        });
        const client = introspecting(origin, 60);
        for (const [, call] of calls) await call(client, 5000);
        expect((await failure(client.refreshTokenGrant('rt-1'))).code).to.equal('timeout');
      });
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
