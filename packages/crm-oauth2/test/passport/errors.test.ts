/** The errors of a client, as Passport gets them. */
import { inspect } from 'node:util';
import { expect } from 'chai';
import nock = require('nock');
import OAuth2Strategy = require('passport-oauth2');
import { OAuth2Client } from '../../dist/client';
import { OAuth2Error, isOAuth2Error } from '../../dist/errors/oauth2-error';
import * as door from '../../dist/passport';
import { asPassportError } from '../../dist/passport/errors';
import { completeLogin } from '../../dist/testing';
import { ORIGIN, SECRET, acme, mockTheNetwork, rejection } from '../support';
import { AcmeStrategy, OPTIONS, callback, run, start } from './support';
import type { Outcome } from './support';

const { callbackURL: _callbackURL, ...CLIENT_OPTIONS } = OPTIONS;

type ClassName = 'AuthorizationError' | 'TokenError' | 'InternalOAuthError';

interface Kind {
  title: string;
  className: ClassName;
  code: string;
  /** The parameters of the callback, beside `state`. */
  parameters?: object;
  /** Lets the provider answer one login. */
  answer?: () => void;
}

const token = () => nock(ORIGIN).post('/token');
const profile = () => {
  token().reply(200, { access_token: 'at-zoe' });
  return nock(ORIGIN).get('/me');
};

const KINDS: Kind[] = [
  {
    title: 'RFC 6749 §4.1.2.1 — a fault in the authorization response',
    className: 'AuthorizationError',
    code: 'server_error',
    parameters: {
      error: 'server_error',
      error_description: 'out of order',
      error_uri: 'https://acme.test/help',
    },
  },
  {
    title: 'RFC 6749 §4.1.2.1 — a code that only this provider has',
    className: 'AuthorizationError',
    code: 'acme_is_closed',
    parameters: { error: 'acme_is_closed' },
  },
  {
    title: 'RFC 6749 §5.2 — an error of the token endpoint',
    className: 'TokenError',
    code: 'invalid_grant',
    answer: () => {
      const error_uri = 'https://acme.test/help';
      token().reply(400, { error: 'invalid_grant', error_description: 'too late', error_uri });
    },
  },
  {
    title: 'RFC 6749 §5.2 — client credentials that are wrong',
    className: 'TokenError',
    code: 'invalid_client',
    answer: () => {
      token().reply(401, { error: 'invalid_client' });
    },
  },
  {
    title: 'RFC 6585 §4 — a rate limit',
    className: 'InternalOAuthError',
    code: 'rate_limited',
    answer: () => {
      token().reply(429, 'slowly', { 'retry-after': '17' });
    },
  },
  {
    title: 'a web page in place of tokens',
    className: 'InternalOAuthError',
    code: 'unexpected_content_type',
    answer: () => {
      token().reply(200, '<html>', { 'content-type': 'text/html' });
    },
  },
  {
    title: 'a connection that breaks, with its cause',
    className: 'InternalOAuthError',
    code: 'connection_failed',
    answer: () => {
      token().replyWithError(Object.assign(new Error('reset'), { code: 'ECONNRESET' }));
    },
  },
  {
    title: 'a profile that is out of order',
    className: 'InternalOAuthError',
    code: 'provider_unavailable',
    answer: () => {
      profile().reply(503);
    },
  },
  {
    title: 'a profile without a person',
    className: 'InternalOAuthError',
    code: 'invalid_profile',
    answer: () => {
      profile().reply(200, {});
    },
  },
];

const FIELDS = [
  'code',
  'provider',
  'stage',
  'host',
  'hint',
  'message',
  'retryAfterSeconds',
  'refusal',
  'uri',
  'reportedIn',
] as const;

const fieldsOf = (error: OAuth2Error) =>
  Object.fromEntries(FIELDS.map((name) => [name, error[name]]));

/** A cause that can be compared. */
const causeOf = ({ cause }: OAuth2Error) =>
  cause instanceof Error
    ? { name: cause.name, message: cause.message, code: Reflect.get(cause, 'code') as unknown }
    : cause;

describe('errors at the Passport door', () => {
  mockTheNetwork();

  /** The error of a client that was never near Passport. */
  async function errorOfClient({ parameters, answer }: Kind): Promise<OAuth2Error> {
    answer?.();
    const client = new OAuth2Client(acme, CLIENT_OPTIONS);
    const login = async () => {
      const begun = { callback: { ...(parameters && { code: undefined }), ...parameters } };
      return await client.fetchProfile(await completeLogin(client, begun));
    };
    const error = await rejection(login());
    expect(error).to.be.instanceOf(OAuth2Error);
    return error;
  }

  /** The outcome of the same login through a strategy. */
  async function outcomeOf({ parameters, answer }: Kind): Promise<Outcome> {
    answer?.();
    const strategy = new AcmeStrategy({ ...OPTIONS, verify: () => ({}) });
    const session = {};
    const { state } = await start(strategy, session);
    return await run(strategy, callback(session, { ...(parameters ?? { code: 'code-1' }), state }));
  }

  for (const kind of KINDS) {
    const { title, className, code } = kind;

    it(`${title}: ${className}, with all that the client says`, async () => {
      const expected = await errorOfClient(kind);
      const { verb, values } = await outcomeOf(kind);
      expect(verb).to.equal('error');
      const error = values[0] as OAuth2Error;
      expect(error).to.be.instanceOf(OAuth2Strategy[className]);
      expect(error).to.be.instanceOf(door[className]);
      expect(error.name).to.equal(className);
      expect(isOAuth2Error(error)).to.equal(true);
      expect(error.code).to.equal(code);
      expect(fieldsOf(error)).to.deep.equal(fieldsOf(expected));
      expect(causeOf(error)).to.deep.equal(causeOf(expected));
      if (className !== 'AuthorizationError') expect(error.status).to.equal(expected.status);
    });

    it(`${title}: the stack tells the name, the message, and where it was noticed`, async () => {
      const { values } = await outcomeOf(kind);
      const { stack = '', message } = values[0] as Error;
      const [first, ...frames] = stack.split('\n');
      expect(first).to.equal(`${className}: ${message}`);
      expect(frames.length).to.be.above(0);
      expect(frames.join('\n'))
        .to.match(/^ +at .+/)
        .and.not.include('OAuth2Error:');
      expect(inspect(values[0])).to.match(new RegExp(`^${className}: acme: `));
    });
  }

  for (const [error, status] of [
    ['server_error', 502],
    ['temporarily_unavailable', 503],
    ['acme_is_closed', 500],
  ] as const) {
    it(`passport-oauth2 — ${error} in the authorization response has the status ${status}`, async () => {
      const [kind] = KINDS as [Kind];
      const { values } = await outcomeOf({ ...kind, parameters: { error } });
      expect(values[0]).to.include({ code: error, status });
    });
  }

  it('passport-oauth2 — the cause is the oauthError too', async () => {
    const kind = KINDS.find(({ code }) => code === 'connection_failed') as Kind;
    const { values } = await outcomeOf(kind);
    const { cause } = values[0] as Error;
    expect(cause).to.be.instanceOf(Error);
    expect(values[0]).to.have.property('oauthError', cause);
    expect(Object.keys(values[0] as object)).not.to.include('cause');
  });

  describe('passport-oauth2 — the oauthError', () => {
    const errorAfter = async (status: number, body: object | string) => {
      token().reply(status, body);
      const { values } = await outcomeOf({ title: '', className: 'TokenError', code: '' });
      return values[0] as OAuth2Error & { oauthError: { statusCode: number; data?: string } };
    };

    it('holds the status and the error of the provider, by their wire names', async () => {
      const error_uri = 'https://acme.test/help';
      const body = { error: 'invalid_grant', error_description: 'too late', error_uri };
      const { oauthError } = await errorAfter(400, { ...body, access_token: 'at-zoe' });
      expect(oauthError.statusCode).to.equal(400);
      expect(JSON.parse(oauthError.data ?? '')).to.deep.equal(body);
    });

    it('holds no code, secret or token that the provider repeats, and never the body', async () => {
      const words = `code-1 and ${SECRET} were sent`;
      const echo = await errorAfter(401, { error: 'invalid_client', error_description: words });
      expect(echo.oauthError.data).to.include('[redacted] and [redacted] were sent');
      const page = await errorAfter(502, '<html>code-1</html>');
      expect(page.oauthError).to.deep.equal({ statusCode: 502 });
    });

    it('holds no data of an answer with the status 200', async () => {
      const { oauthError, code } = await errorAfter(200, { error: 'invalid_grant' });
      expect(code).to.equal('invalid_grant');
      expect(oauthError).to.deep.equal({ statusCode: 200 });
    });

    it('passport-oauth2-refresh — data and statusCode are on the error of a refresh', async () => {
      token().reply(400, { error: 'invalid_grant' });
      const strategy = new AcmeStrategy({ ...OPTIONS, verify: () => ({}) });
      const oauth2 = Reflect.get(strategy, '_oauth2') as OAuth2Strategy['_oauth2'];
      const error = await new Promise<unknown>((resolve) => {
        oauth2.getOAuthAccessToken('rt-1', { grant_type: 'refresh_token' }, resolve);
      });
      expect(error).to.include({ statusCode: 400, data: '{"error":"invalid_grant"}' });
    });
  });

  for (const [error, status] of [
    ['access_denied', 401],
    ['account_locked', 401],
  ] as const) {
    it(`Passport — a refusal is fail, not an error: ${error}`, async () => {
      const kind = { ...(KINDS as [Kind])[0], parameters: { error } };
      const { code, hint, message, refusal } = await errorOfClient(kind);
      expect(refusal).to.equal(status);
      expect(await outcomeOf(kind)).to.deep.equal({
        verb: 'fail',
        values: [{ code, hint, message }, status],
      });
    });
  }

  it('an error of a hook that calls super is of the same three classes', async () => {
    profile().reply(503);
    class Sub extends AcmeStrategy {
      override userProfile(
        accessToken: string,
        done: (error?: unknown, profile?: never) => void,
      ): void {
        super.userProfile(accessToken, (error) => done(error));
      }
    }
    const session = {};
    const strategy = new Sub({ ...OPTIONS, verify: () => ({}) });
    const { state } = await start(strategy, session);
    const { values } = await run(strategy, callback(session, { code: 'code-1', state }));
    expect(values[0]).to.be.instanceOf(OAuth2Strategy.InternalOAuthError);
    expect(values[0]).to.include({ code: 'provider_unavailable', stage: 'profile' });
  });

  it('an error of a client that verify asks is of the same three classes', async () => {
    token().reply(200, { access_token: 'at-zoe' });
    nock(ORIGIN).get('/me').reply(200, { sub: 'zoe' });
    token().reply(400, { error: 'invalid_grant' });
    const client = new OAuth2Client(acme, CLIENT_OPTIONS);
    const strategy = new AcmeStrategy({
      ...OPTIONS,
      verify: async () => await client.refreshTokenGrant('rt-ended'),
    });
    const session = {};
    const { state } = await start(strategy, session);
    const { verb, values } = await run(strategy, callback(session, { code: 'code-1', state }));
    expect(verb).to.equal('error');
    expect(values[0]).to.be.instanceOf(OAuth2Strategy.TokenError);
    expect(values[0]).to.include({ code: 'invalid_grant', stage: 'refresh' });
  });

  describe('translation', () => {
    const cause = new Error('underneath');
    const errorWith = (fields: object) => new OAuth2Error('acme: too late', fields);
    const fields = { code: 'timeout', provider: 'acme', stage: 'token', host: 'acme.test', cause };

    it('keeps the very cause', () => {
      const translated = asPassportError(errorWith(fields));
      expect(translated).to.have.property('cause', cause);
      expect(Object.getOwnPropertyDescriptor(translated, 'cause')?.enumerable).to.equal(false);
    });

    it('keeps the frames of the stack, which tell where the problem was noticed', () => {
      const error = errorWith(fields);
      error.stack = 'OAuth2Error: acme: too late\n    at theCheck (check.js:1:1)';
      const translated = asPassportError(error);
      expect(translated).to.have.property(
        'stack',
        'InternalOAuthError: acme: too late\n    at theCheck (check.js:1:1)',
      );
      const property = Object.getOwnPropertyDescriptor(translated, 'stack');
      expect(property).to.include({ enumerable: false, writable: true, configurable: true });
    });

    it('translates an error whose stack was taken away', () => {
      const error = errorWith(fields);
      delete error.stack;
      expect(asPassportError(error)).to.be.instanceOf(OAuth2Strategy.InternalOAuthError);
    });

    for (const [status, data] of [
      [299, undefined],
      [300, '{"error":"invalid_grant"}'],
    ] as const) {
      it(`passport-oauth2 — the oauthError of the status ${status} ${data ? 'has' : 'has no'} data`, () => {
        const reported = { error: 'invalid_grant' };
        const error = errorWith({ code: 'invalid_grant', status, reported });
        const { oauthError } = asPassportError(error) as { oauthError: { data?: string } };
        expect(oauthError.data).to.equal(data);
      });
    }

    it('leaves out the fields that the error does not have', () => {
      const translated = asPassportError(errorWith({ code: 'timeout' }));
      expect(translated).not.to.have.any.keys('host', 'hint', 'refusal', 'retryAfterSeconds');
    });

    it('translates once: an error of the door stays as it is', () => {
      const once = asPassportError(errorWith(fields));
      expect(asPassportError(once)).to.equal(once);
    });

    const foreign: unknown = Reflect.construct(OAuth2Strategy.TokenError, ['of another strategy']);
    for (const value of [new Error('a bug'), new TypeError('an option'), foreign, 'text', null]) {
      it(`leaves alone what is not ours: ${String(value)}`, () => {
        expect(asPassportError(value)).to.equal(value);
        expect(isOAuth2Error(value)).to.equal(false);
      });
    }
  });
});
