import { createHmac } from 'node:crypto';
import { expect } from 'chai';
import {
  MemoryTokenStore,
  OAuth2Client,
  authorizedFetch,
  clientCredentials,
  userTokens,
} from 'crm-oauth2';
import type { JsonObject, TokenSet } from 'crm-oauth2';
import { completeLogin, rejection } from 'crm-oauth2/testing';
import nock from 'nock';
import { salesforce } from '../dist/provider';

const CREDENTIALS = { clientID: '3MVG9client', clientSecret: 'some consumer secret' };
const LOGIN = 'https://login.salesforce.com';
const INSTANCE = 'https://acme.my.salesforce.com';
const PATH = '/id/00DB0000000ToZ3MAK/005B0000005V71XIAS';
/** The same, in the short form. */
const SHORT_PATH = '/id/00DB0000000ToZ3/005B0000005V71X';
const OTHER_USER = '/id/00DB0000000ToZ3MAK/005x0000001S2b9AAC';
const OTHER_ORGANIZATION = '/id/00DB0000000ToZ4MAK/005B0000005V71XIAS';
const SUBJECT = '00DB0000000ToZ3MAK/005B0000005V71XIAS';
const TOKEN = '/services/oauth2/token';

const client = () => new OAuth2Client(salesforce, CREDENTIALS);

const sign = (id: string, issuedAt: string) =>
  createHmac('sha256', CREDENTIALS.clientSecret).update(`${id}${issuedAt}`).digest('base64');

/** A signed token response; `undefined` leaves a field out. */
function answer(fields: JsonObject = {}): JsonObject {
  const id = typeof fields.id === 'string' ? fields.id : LOGIN + PATH;
  const issuedAt = '1767225600123';
  return {
    access_token: 'access-1',
    refresh_token: 'refresh-1',
    instance_url: INSTANCE,
    token_type: 'Bearer',
    issued_at: issuedAt,
    signature: sign(id, issuedAt),
    id,
    ...fields,
  };
}

const tokenReply = (fields: JsonObject = {}) => nock(LOGIN).post(TOKEN).reply(200, answer(fields));

async function login(fields: JsonObject = {}): Promise<TokenSet> {
  tokenReply(fields);
  return await completeLogin(client());
}

async function refresh(fields: JsonObject): Promise<TokenSet> {
  const previous = await login();
  tokenReply({ access_token: 'access-2', refresh_token: undefined, ...fields });
  return await client().refreshTokenGrant('refresh-1', { previous });
}

describe("Salesforce tokens' later life", () => {
  describe('whose they are', () => {
    for (const path of [PATH, SHORT_PATH]) {
      it(`salesforce 5.5 — is the id of the profile, of ${path}`, async () => {
        expect((await login({ id: LOGIN + path })).subject).to.equal(SUBJECT);
      });
    }

    it('salesforce 4.3 — is the same after a refresh, in whichever form, and at whichever host', async () => {
      for (const id of [LOGIN + PATH, LOGIN + SHORT_PATH, INSTANCE + PATH]) {
        expect(await refresh({ id })).to.include({
          accessToken: 'access-2',
          refreshToken: 'refresh-1',
          subject: SUBJECT,
        });
      }
    });

    it('salesforce 4.3 — is kept where a refresh does not say', async () => {
      const unsigned = { id: undefined, issued_at: undefined, signature: undefined };
      const tokens = await refresh(unsigned);
      expect(tokens.subject).to.equal(SUBJECT);
      expect(tokens.response).to.include({ id: LOGIN + PATH, instance_url: INSTANCE });
    });

    for (const [who, path] of [
      ['user', OTHER_USER],
      ['organization', OTHER_ORGANIZATION],
    ] as const) {
      it(`salesforce 4.3 — another ${who} on a refresh is refused`, async () => {
        for (const signature of [sign(LOGIN + path, '1767225600123'), undefined]) {
          const error = await rejection(refresh({ id: LOGIN + path, signature }));
          expect(error).to.include({
            code: 'subject_mismatch',
            stage: 'refresh',
            provider: 'salesforce',
            host: 'login.salesforce.com',
          });
          expect(error.hint).to.include('sign in again');
        }
      });
    }
  });

  describe('the signature of a refresh', () => {
    it('salesforce 6 — is checked when it comes', async () => {
      for (const fields of [
        { signature: sign(LOGIN + PATH, '1767225600124') },
        { signature: 'AAAA' },
        { id: LOGIN + OTHER_USER, signature: sign(LOGIN + PATH, '1767225600123') },
      ]) {
        expect(await rejection(refresh(fields))).to.include({
          code: 'signature_mismatch',
          stage: 'refresh',
        });
      }
      expect(await rejection(refresh({ issued_at: undefined }))).to.include({
        code: 'signature_missing',
      });
    });

    it('salesforce 6 — may be left out, as it is in some answers', async () => {
      expect((await refresh({ signature: undefined })).accessToken).to.equal('access-2');
    });
  });

  describe('how long they live', () => {
    it('salesforce 4.2 — two hours where the answer does not say', async () => {
      const before = Date.now();
      expect((await login()).expiresAt).to.be.within(before + 7_200_000, Date.now() + 7_200_000);
    });

    it('salesforce 4.2 — or what the organization has set', async () => {
      const before = Date.now();
      tokenReply();
      const own = new OAuth2Client(salesforce, { ...CREDENTIALS, assumedLifetime: 900 });
      expect((await completeLogin(own)).expiresAt).to.be.within(
        before + 900_000,
        Date.now() + 900_000,
      );
    });

    it('salesforce 4.3 — thirty days without use', () => {
      expect(salesforce.refreshTokenLifetime).to.deep.equal({ idle: 30 * 86_400 });
    });
  });

  describe('the host of the organization', () => {
    const REVOKE = '/services/oauth2/revoke';
    const INTROSPECT = '/services/oauth2/introspect';

    it('salesforce 9 — is asked to revoke, and to introspect', async () => {
      const tokens = await login();
      const asked: unknown[] = [];
      nock(INSTANCE)
        .post(REVOKE, (body) => asked.push(body) > 0)
        .reply(200)
        .post(INTROSPECT, (body) => asked.push(body) > 0)
        .reply(200, { active: true, exp: 1_767_229_200 });
      await client().revokeToken('refresh-1', { tokens, tokenTypeHint: 'refresh_token' });
      expect(
        await client().introspectToken('access-1', { tokens, tokenTypeHint: 'access_token' }),
      ).to.deep.equal({ active: true, exp: 1_767_229_200 });
      const credentials = { client_id: '3MVG9client', client_secret: 'some consumer secret' };
      expect(asked).to.deep.equal([
        { token: 'refresh-1', token_type_hint: 'refresh_token', ...credentials },
        { token: 'access-1', token_type_hint: 'access_token', ...credentials },
      ]);
    });

    it('salesforce 9 — is named by an error that it gives', async () => {
      nock(INSTANCE).post(REVOKE).reply(503);
      expect(await rejection(client().revokeToken('x', { tokens: await login() }))).to.include({
        code: 'provider_unavailable',
        stage: 'revoke',
        host: 'acme.my.salesforce.com',
      });
    });

    it('salesforce 9 — is the configured one where none is known', async () => {
      nock(LOGIN).post(REVOKE).times(2).reply(200);
      await client().revokeToken('refresh-1');
      await client().revokeToken('refresh-1', {
        tokens: await login({ instance_url: undefined }),
      });
    });

    const hostile: unknown[] = [
      'https://evil.example',
      'https://evilsalesforce.com',
      'https://acme.my.salesforce.com.evil.test',
      'https://acme.my.salesforce.com@evil.test',
      'https://user@acme.my.salesforce.com',
      'http://acme.my.salesforce.com',
      'https://acme.my.salesforce.com:8443',
      'https://acme.file.force.com',
      'not a URL',
      '',
      null,
      7,
    ];
    for (const url of hostile) {
      it(`salesforce 1.3 — gets no token and no secret when instance_url is ${JSON.stringify(url)}`, async () => {
        const fields = { instance_url: url as string };
        expect(await rejection(login(fields))).to.include({
          code: 'untrusted_host',
          stage: 'token',
        });
        // As they may come from a store.
        const tokens = { accessToken: 'access-1', tokenType: 'Bearer', response: fields };
        for (const [stage, work] of [
          ['revoke', client().revokeToken('refresh-1', { tokens })],
          ['introspect', client().introspectToken('access-1', { tokens })],
        ] as const) {
          expect(await rejection(work)).to.include({ code: 'untrusted_host', stage });
        }
      });
    }
  });

  describe('a refresh that is already being processed', () => {
    const busy = {
      error: 'invalid_grant',
      error_description: 'Token request is already being processed',
    };

    it('salesforce 4.3 — has a code of its own, and says what to do', async () => {
      for (const words of [busy.error_description, 'token request is ALREADY BEING PROCESSED.']) {
        nock(LOGIN)
          .post(TOKEN)
          .reply(400, { ...busy, error_description: words });
        const error = await rejection(client().refreshTokenGrant('refresh-1'));
        expect(error).to.include({
          code: 'token_request_in_progress',
          stage: 'refresh',
          status: 400,
        });
        expect(error.hint).to.match(/Wait a second/);
      }
    });

    it('salesforce 4.3 — any other invalid_grant means what it says', async () => {
      for (const words of ['expired access/refresh token', 'authentication failure', '']) {
        nock(LOGIN)
          .post(TOKEN)
          .reply(400, { ...busy, error_description: words });
        expect(await rejection(client().refreshTokenGrant('refresh-1'))).to.include({
          code: 'invalid_grant',
        });
      }
    });

    it('salesforce 4.3 — is waited for', async () => {
      const tokens = userTokens(client(), { store: new MemoryTokenStore(), key: SUBJECT });
      await tokens.save({ ...(await login()), expiresAt: Date.now() });
      nock(LOGIN).post(TOKEN).reply(400, busy);
      tokenReply({ access_token: 'access-2' });
      expect(await tokens.getAccessToken()).to.equal('access-2');
    });
  });

  describe('how often the API may be asked', () => {
    const limits: [string | undefined, object][] = [
      ['api-usage=18/5000', { limit: 5000, remaining: 4982 }],
      ['api-usage=25/5000; per-app-api-usage=17/250(appName=x)', { limit: 5000, remaining: 4975 }],
      ['per-app-api-usage=17/250(appName=x); api-usage=25/5000', { limit: 5000, remaining: 4975 }],
      ['api-usage=5001/5000', { limit: 5000, remaining: 0 }],
      ['per-app-api-usage=17/250(appName=x)', {}],
      ['api-usage=many', {}],
      ['', {}],
      [undefined, {}],
    ];
    for (const [value, expected] of limits) {
      it(`salesforce 8 — Sforce-Limit-Info: ${value}`, () => {
        const header = (name: string) => (name === 'sforce-limit-info' ? value : undefined);
        expect(salesforce.rateLimit?.(header)).to.deep.equal(expected);
      });
    }
  });

  describe('refused calls of the API', () => {
    const call = async (status: number, body: string, type = 'application/json') => {
      const answers = async () =>
        await Promise.resolve(new Response(body, { status, headers: { 'content-type': type } }));
      const app = { provider: salesforce, clientCredentialsGrant: login };
      const source = clientCredentials(app);
      const api = authorizedFetch(source, { baseURL: INSTANCE, fetch: answers });
      return await rejection(api.json('x', { method: 'POST' }));
    };
    for (const [status, errorCode, code, hint] of [
      [403, 'REQUEST_LIMIT_EXCEEDED', 'rate_limited', /24 hours/],
      [403, 'API_DISABLED_FOR_ORG', 'API_DISABLED_FOR_ORG', /edition/],
      [403, 'API_CURRENTLY_DISABLED', 'provider_unavailable', /later/],
      [401, 'INVALID_SESSION_ID', 'invalid_token', /token of the app/],
      [403, 'INSUFFICIENT_ACCESS', 'insufficient_access', /whatever the scopes/],
      [400, 'INSUFFICIENT_ACCESS_OR_READONLY', 'insufficient_access', /whatever the scopes/],
      [403, 'TXN_SECURITY_NO_ACCESS', 'insufficient_access', /administrator/],
      [403, 'INVALID_OPERATION_WITH_EXPIRED_PASSWORD', 'expired_password', /new one/],
      [503, 'SERVER_UNAVAILABLE', 'provider_unavailable', /later/],
      [400, 'INACTIVE_OWNER_OR_USER', 'unexpected_status', /documentation/],
      [403, 'FUNCTIONALITY_NOT_ENABLED', 'insufficient_scope', /scope `api`/],
    ] as const) {
      it(`${status} ${errorCode} — is ${code}, with the words of Salesforce`, async () => {
        const message = 'operation performed with inactive user';
        const error = await call(status, JSON.stringify([{ errorCode, message }]));
        expect(error).to.include({ code, status, apiCode: errorCode });
        expect(error.message).to.contain(message);
        expect(error.hint).to.match(hint);
      });
    }

    for (const [status, code] of [
      [200, 'unexpected_content_type'],
      [302, 'unexpected_redirect'],
    ] as const) {
      it(`${code} — of an API asks for a baseURL that follows the tokens`, async () => {
        const error = await call(status, '<title>Moved</title>', 'text/html');
        expect(error).to.include({ code, stage: 'api' });
        expect(error.hint).to.contain('response.instance_url');
      });
    }

    for (const [what, body, type] of [
      ['URL_NOT_RESET', '[{"errorCode":"URL_NOT_RESET","message":"x"}]', 'application/json'],
      ['its page', '<title>URL No Longer Exists</title>', 'text/html'],
    ] as const) {
      it(`404 — of a host that the organization has left, by ${what}, asks for the same`, async () => {
        const error = await call(404, body, type);
        expect(error).to.include({ code: 'unexpected_status', status: 404 });
        expect(error.hint)
          .to.contain('response.instance_url')
          .and.match(/refresh/);
      });
    }

    it('Bulk API 1.0 — has its own code for a session that has ended', async () => {
      const xml = '<error><exceptionCode>InvalidSessionId</exceptionCode></error>';
      const error = await call(400, xml, 'application/xml');
      expect(error).to.include({ code: 'invalid_token', apiCode: 'InvalidSessionId' });
    });

    it('Bad_OAuth_Token — with 403 is an invalid token', async () => {
      const error = await call(403, 'Bad_OAuth_Token', 'text/html');
      expect(error).to.include({ code: 'invalid_token', apiCode: 'Bad_OAuth_Token' });
    });
  });
});
