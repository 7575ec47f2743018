/** `strategy._oauth2`: it works as older code expects, and nothing that prints a strategy shows a secret. */
import { Console } from 'node:console';
import { Agent as HttpAgent } from 'node:http';
import { Agent } from 'node:https';
import { PassThrough } from 'node:stream';
import { format, inspect } from 'node:util';
import { expect } from 'chai';
import nock = require('nock');
import OAuth2Strategy = require('passport-oauth2');
import { Passport } from 'passport';
import { hide, routeClassicRefreshes } from '../../dist/passport/classic-oauth2';
import { CookieStateStore, TokenError } from '../../dist/passport';
import {
  ORIGIN,
  SECRET,
  closeServers,
  formOf,
  httpServer,
  mockTheNetwork,
  rejection,
} from '../support';
import { AcmeStrategy, OPTIONS } from './support';

const HEADER = 'key-of-a-gateway';
const AGENT_KEY = '-----BEGIN PRIVATE KEY----- of a client certificate';
const PASSPHRASE = 'passphrase-of-the-private-key';
const COOKIE_SECRET = 'a cookie secret of at least 32 characters';
const SECRETS = [SECRET, HEADER, AGENT_KEY, PASSPHRASE, COOKIE_SECRET];

const agent = new Agent({ key: AGENT_KEY, passphrase: PASSPHRASE });

function make(): AcmeStrategy {
  return new AcmeStrategy({
    ...OPTIONS,
    agent,
    customHeaders: { 'X-Gateway-Key': HEADER },
    store: new CookieStateStore({ secrets: [COOKIE_SECRET] }),
    verify: () => false,
  });
}

/** It is protected in the types only. */
function oauth2Of(strategy: AcmeStrategy): OAuth2Strategy['_oauth2'] {
  return Reflect.get(strategy, '_oauth2') as OAuth2Strategy['_oauth2'];
}

function passportWith(strategy: AcmeStrategy): unknown {
  const passport = new Passport();
  passport.use(strategy);
  return passport;
}

const PRINTERS: [string, (value: unknown) => string][] = [
  [
    'console.log',
    (value) => {
      const stream = new PassThrough();
      new Console(stream).log(value);
      return String(stream.read());
    },
  ],
  ['util.inspect', (value) => inspect(value)],
  ['util.inspect of depth 10', (value) => inspect(value, { depth: 10 })],
  [
    'util.inspect of depth 10 with hidden properties',
    (value) => inspect(value, { showHidden: true, depth: 10 }),
  ],
  ['util.format %o', (value) => format('%o', value)],
  ['JSON.stringify', (value) => JSON.stringify(value)],
];

const PRINTED: [string, (strategy: AcmeStrategy) => unknown][] = [
  ['a strategy', (strategy) => strategy],
  ['the strategy of one request', (strategy) => Object.create(strategy) as unknown],
  ['strategy._oauth2', oauth2Of],
  ['a Passport that uses it', passportWith],
  ['its client', ({ client }) => client],
];

describe('a strategy keeps its secret', () => {
  it('Passport — keeps what a copy for one request sets away from the strategy', () => {
    const strategy = make();
    const own = oauth2Of(strategy);
    const copy = Object.create(strategy) as AcmeStrategy;
    Reflect.set(copy, '_oauth2', { tenant: 1 });
    expect(oauth2Of(copy)).to.deep.equal({ tenant: 1 });
    expect(oauth2Of(strategy)).to.equal(own);
    expect(oauth2Of(Object.create(strategy) as AcmeStrategy)).to.equal(own);
  });

  for (const [how, print] of PRINTERS) {
    for (const [what, of] of PRINTED) {
      it(`from ${how} of ${what}`, () => {
        const printed = print(of(make()));
        for (const secret of SECRETS) expect(printed).not.to.include(secret);
      });
    }
  }

  it('prints the client id, which is not a secret', () => {
    const strategy = make();
    for (const print of [
      (value: unknown) => inspect(value, { showHidden: true, depth: 10 }),
      (value: unknown) => JSON.stringify(value),
    ]) {
      for (const value of [strategy, oauth2Of(strategy), passportWith(strategy), strategy.client]) {
        expect(print(value)).to.include('client-1');
      }
    }
  });

  it('hides another secret, agent or header that older code sets', () => {
    const strategy = make();
    const oauth2 = oauth2Of(strategy);
    Reflect.set(oauth2, '_clientSecret', 'a-second-secret');
    oauth2.setAgent(new Agent({ passphrase: 'a-second-passphrase' }));
    Reflect.set(oauth2, '_customHeaders', { 'X-Gateway-Key': 'a-second-key' });
    expect(Reflect.get(oauth2, '_clientSecret')).to.equal('a-second-secret');
    for (const [, print] of PRINTERS) {
      expect(`${print(strategy)} ${print(oauth2)}`).not.to.include('a-second');
    }
  });

  it('passport-oauth2 — gives _oauth2 to code that reads it', () => {
    const strategy = make();
    const oauth2 = oauth2Of(strategy);
    expect(Reflect.get(oauth2, '_clientSecret')).to.equal(SECRET);
    expect(Reflect.get(oauth2, '_customHeaders')).to.deep.include({ 'X-Gateway-Key': HEADER });
    expect(Reflect.get(oauth2, '_agent')).to.equal(agent);
    expect('_oauth2' in strategy).to.equal(true);
    expect(Reflect.get(Object.create(strategy) as object, '_oauth2')).to.equal(oauth2);
  });

  it('passport-oauth2 — lets a subclass put another _oauth2 in its place', () => {
    const strategy = make();
    const other = {};
    Reflect.set(strategy, '_oauth2', other);
    expect(oauth2Of(strategy)).to.equal(other);
    expect(Object.keys(strategy)).not.to.include('_oauth2');
  });

  it('passport-oauth2 — leaves other grants to the package `oauth`', () => {
    const calls: unknown[] = [];
    const oauth2 = {
      getOAuthAccessToken(this: unknown, ...parameters: unknown[]) {
        calls.push([this, parameters]);
      },
      useAuthorizationHeaderforGET: () => {},
    };
    const client = {
      refreshTokenGrant: () => Promise.reject(new Error('not a refresh')),
      useTransport: () => {},
    };
    routeClassicRefreshes(oauth2 as never, client, undefined);
    const parameters = ['a-code', { grant_type: 'authorization_code' }, () => {}];
    oauth2.getOAuthAccessToken(...parameters);
    expect(calls).to.deep.equal([[oauth2, parameters]]);
  });

  describe('an agent or headers that older code sets', () => {
    mockTheNetwork();
    const headersOf = async (strategy: AcmeStrategy) => {
      let seen: Record<string, unknown> = {};
      nock(ORIGIN)
        .post('/token')
        .reply(200, function () {
          seen = { ...this.req.headers };
          return { access_token: 'at-new' };
        });
      await strategy.client.refreshTokenGrant('rt-old');
      return seen;
    };

    it('_customHeaders hold for the requests of the client, set anew or changed in place', async () => {
      const strategy = make();
      const oauth2 = oauth2Of(strategy);
      expect(await headersOf(strategy)).to.include({ 'x-gateway-key': HEADER });
      Reflect.set(Reflect.get(oauth2, '_customHeaders') as object, 'X-Tenant', 'seven');
      expect(await headersOf(strategy)).to.include({
        'x-gateway-key': HEADER,
        'x-tenant': 'seven',
      });
      Reflect.set(oauth2, '_customHeaders', { 'X-Other': '1' });
      const headers = await headersOf(strategy);
      expect(headers).to.include({ 'x-other': '1' });
      expect(headers).not.to.have.any.keys('x-tenant', 'x-gateway-key');
    });

    it('_customHeaders cannot replace the headers of the protocol', async () => {
      const strategy = make();
      const oauth2 = oauth2Of(strategy);
      const set = () => Reflect.set(oauth2, '_customHeaders', { Authorization: 'x' });
      expect(set).to.throw(TypeError, 'Acme: option "customHeaders" must not set Authorization');
      Reflect.set(Reflect.get(oauth2, '_customHeaders') as object, 'Content-Type', 'text/plain');
      const error = await rejection(strategy.client.refreshTokenGrant('rt-old'));
      expect(error).to.be.instanceOf(TypeError);
    });

    it('setAgent refuses a value that is not an agent', () => {
      const set = () => oauth2Of(make()).setAgent({ ca: 'x' } as never);
      expect(set).to.throw(TypeError, 'Acme: option "agent" must be');
    });
  });

  it('setAgent — its agent makes the connections of the client, until it is taken away', async () => {
    const origin = await httpServer((_req, res) => {
      res.setHeader('content-type', 'application/json');
      res.end(JSON.stringify({ access_token: 'at-new' }));
    });
    const strategy = new AcmeStrategy({ ...OPTIONS, tokenURL: `${origin}/token`, verify: () => 0 });
    const own = new HttpAgent();
    let connections = 0;
    const { createConnection } = own;
    own.createConnection = (...all: Parameters<typeof createConnection>) => {
      connections += 1;
      return createConnection.apply(own, all);
    };
    try {
      await strategy.client.refreshTokenGrant('rt-old');
      expect(connections).to.equal(0);
      oauth2Of(strategy).setAgent(own);
      await strategy.client.refreshTokenGrant('rt-old');
      expect(connections).to.equal(1);
      oauth2Of(strategy).setAgent(false);
      await strategy.client.refreshTokenGrant('rt-old');
      expect(connections).to.equal(1);
    } finally {
      own.destroy();
      strategy.client.close();
      await closeServers();
    }
  });

  it('hide — keeps the value, and takes it out of the keys', () => {
    const target = { shown: 1, hidden: 2 };
    hide(target, 'hidden');
    expect(target.hidden).to.equal(2);
    expect(Object.keys(target)).to.deep.equal(['shown']);
    target.hidden = 3;
    expect(target.hidden).to.equal(3);
    expect({ ...target }).to.deep.equal({ shown: 1 });
    // A copy may set, change and delete a value of its own.
    const copy = Object.create(target) as Partial<typeof target>;
    copy.hidden = 4;
    copy.hidden = 5;
    expect([copy.hidden, target.hidden]).to.deep.equal([5, 3]);
    delete copy.hidden;
    expect(copy.hidden).to.equal(3);
    expect(Object.getOwnPropertyDescriptor(target, 'hidden')?.configurable).to.equal(true);
  });

  describe('passport-oauth2-refresh', () => {
    mockTheNetwork();

    interface AuthTokenRefresh {
      use(strategy: object): void;
      requestNewAccessToken(
        name: string,
        refreshToken: string,
        done: (...values: unknown[]) => void,
      ): void;
    }
    const { AuthTokenRefresh: Refresh } = require('passport-oauth2-refresh') as {
      AuthTokenRefresh: new () => AuthTokenRefresh;
    };

    function refresh(
      refreshToken: string,
      strategy = new AcmeStrategy({ ...OPTIONS, verify: () => false }),
    ): Promise<unknown[]> {
      const tokens = new Refresh();
      tokens.use(strategy);
      return new Promise((resolve) => {
        tokens.requestNewAccessToken('acme', refreshToken, (...values) => resolve(values));
      });
    }

    it('refreshes with the secret that is not shown', async () => {
      const bodies: Record<string, string>[] = [];
      nock(ORIGIN)
        .post('/token', (body) => bodies.push(formOf(body)) > 0)
        .reply(200, { access_token: 'at-2', refresh_token: 'rt-2' });
      expect((await refresh('rt-1')).slice(0, 3)).to.deep.equal([null, 'at-2', 'rt-2']);
      expect(bodies[0]).to.include({ refresh_token: 'rt-1', client_secret: SECRET });
    });

    it('tells a refusal by an error of the door, with its status', async () => {
      nock(ORIGIN).post('/token').reply(400, { error: 'invalid_grant' });
      const [error] = await refresh('rt-1');
      expect(error).to.be.instanceOf(TokenError);
      expect(error).to.be.instanceOf(OAuth2Strategy.TokenError);
      expect(error).to.include({ code: 'invalid_grant', stage: 'refresh', statusCode: 400 });
    });

    it('tells a token endpoint that does not answer, without status and data', async () => {
      nock(ORIGIN).post('/token').delay(500).reply(200);
      const strategy = new AcmeStrategy({ ...OPTIONS, timeout: 20, verify: () => false });
      const [error] = await refresh('rt-1', strategy);
      expect(error).to.include({ code: 'timeout', statusCode: undefined, data: undefined });
    });

    it('tells a wrong header as the client throws it', async () => {
      const strategy = new AcmeStrategy({ ...OPTIONS, verify: () => false });
      Reflect.set(Reflect.get(oauth2Of(strategy), '_customHeaders') as object, 'Host', 'x');
      const [error] = await refresh('rt-1', strategy);
      expect(error).to.be.instanceOf(TypeError);
      expect(error).not.to.have.any.keys('statusCode', 'data');
    });
  });
});
