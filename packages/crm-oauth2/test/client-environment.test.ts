/** Environments: one client, whose logins choose where they are, and whose tokens find the way back. */
import { expect } from 'chai';
import { setTimeout as pause } from 'node:timers/promises';
import { inspect } from 'node:util';
import nock = require('nock');
import { OAuth2Client } from '../dist/client';
import type { ClientOptions } from '../dist/client-options';
import type { LoginRequest } from '../dist/client-login-request';
import { OAuth2Error } from '../dist/errors/oauth2-error';
import type { LoginAttempt } from '../dist/protocol/login-attempt';
import type { TokenSet } from '../dist/protocol/token-set';
import type { Provider } from '../dist/provider/description';
import { claims, jwk, rsaKeys, sign } from './protocol/support';
import { REGION_REFUSED, originOf, regions, regionsWith } from './regions';
import type { RegionOptions, RegionProfile } from './regions';
import {
  CALLBACK,
  CREDENTIALS,
  ORIGIN,
  SECRET,
  formOf,
  mockTheNetwork,
  rejection,
  thrown,
} from './support';

type Client = OAuth2Client<RegionOptions, RegionProfile>;

const EU = { region: 'eu' } as const;
const TOKENS_EU: TokenSet = {
  accessToken: 'at-0',
  refreshToken: 'rt-0',
  tokenType: 'Bearer',
  environment: EU,
  response: { kept: 'field' },
};

function make(
  options: Partial<ClientOptions & RegionOptions> = {},
  provider: Provider<RegionOptions, RegionProfile> = regions,
): Client {
  return new OAuth2Client(provider, { ...CREDENTIALS, timeout: 2000, ...options });
}

function begin(client: Client, request: Partial<LoginRequest> = {}): LoginAttempt {
  return client.beginLogin({ redirectUri: CALLBACK, ...request }).attempt;
}

async function redeem(client: Client, attempt: LoginAttempt): Promise<TokenSet> {
  const parameters = { code: 'code-1', state: attempt.state };
  const response = await client.validateAuthorizationResponse(parameters, () => attempt);
  return await client.authorizationCodeGrant(response, { parameters: { extra: '1' } });
}

interface Asked {
  host: string;
  path: string;
  form: Record<string, string>;
  authorization: string | undefined;
}

/** Answers every request at one origin, and nowhere else. */
function answerAt(origin: string, answer: object = {}): Asked[] {
  const asked: Asked[] = [];
  const body = { access_token: 'at-1', sub: 'zoe', active: true, ...answer };
  const reply = function (this: nock.ReplyFnContext, uri: string, sent: unknown) {
    const { host, authorization } = this.req.headers;
    asked.push({ host: host ?? '', path: uri, form: formOf(sent), authorization });
    return [200, body] as const;
  };
  nock(origin).persist().post(/.*/).reply(reply);
  nock(origin).persist().get(/.*/).reply(reply);
  return asked;
}

/** Each method that gets tokens, and where it asks. */
const METHODS: [string, string, (client: Client, tokens: TokenSet) => Promise<unknown>][] = [
  [
    'refreshTokenGrant',
    '/token',
    async (client, previous) =>
      await client.refreshTokenGrant('rt-0', { previous, parameters: { extra: '1' } }),
  ],
  [
    'revokeToken',
    '/revoke',
    async (client, tokens) =>
      await client.revokeToken('rt-0', { tokens, tokenTypeHint: 'refresh_token' }),
  ],
  [
    'introspectToken',
    '/introspect',
    async (client, tokens) =>
      await client.introspectToken('at-0', { tokens, tokenTypeHint: 'access_token' }),
  ],
  ['fetchProfile', '/me', async (client, tokens) => await client.fetchProfile(tokens)],
];

/** The step that each of them takes. */
const STAGES: Record<string, string> = {
  refreshTokenGrant: 'refresh',
  revokeToken: 'revoke',
  introspectToken: 'introspect',
  fetchProfile: 'profile',
};

/** The same for those that build a logout. */
const LOGOUTS: [string, (client: Client, tokens: TokenSet) => string | undefined][] = [
  ['buildEndSessionUrl', (client, tokens) => client.buildEndSessionUrl({ tokens })],
  [
    'buildEndSessionForm',
    (client, tokens) => client.buildEndSessionForm({ tokens, idToken: 'id-1' })?.action,
  ],
];

/** Clients of one family: the one that the application made, and one of an environment of it. */
const PLACES: [string, (home: Client) => Client][] = [
  ['from home', (home) => home],
  ['from a sibling', (home) => home.forEnvironment({ region: 'us' })],
  ['from the environment itself', (home) => home.forEnvironment(EU)],
];

describe('client of an environment', () => {
  mockTheNetwork();

  describe('forEnvironment', () => {
    it('has the endpoints of the environment, and the credentials and options of the client', () => {
      const home = make({ scope: 'write' });
      const client = home.forEnvironment(EU);
      expect(client.endpoints.tokenEndpoint).to.equal(`${originOf('eu')}/token`);
      expect(client.endpoints.issuer).to.equal(`${originOf('eu')}/`);
      expect(client.clientID).to.equal('client-1');
      expect(client.timeout).to.equal(2000);
      expect(client.scopes()).to.deep.equal(['write']);
      expect(client.environment).to.deep.equal(EU);
      expect(client.environment).to.be.frozen;
      expect(home.environment).to.equal(undefined);
      expect(home.endpoints.tokenEndpoint).to.equal(`${ORIGIN}/token`);
      expect(client.fingerprint).not.to.equal(home.fingerprint);
    });

    it('is made once, however the value is written, and from whichever client', () => {
      const home = make();
      const client = home.forEnvironment(EU);
      expect(home.forEnvironment({ region: ' EU ' })).to.equal(client);
      expect(client.forEnvironment(EU)).to.equal(client);
      expect(home.forEnvironment({ region: 'us' }).forEnvironment(EU)).to.equal(client);
      expect(home.forEnvironment({ region: 'us' })).not.to.equal(client);
      expect(home.forEnvironment({ region: 'eu', zone: undefined })).to.equal(client);
      expect(home.forEnvironment({ zone: 'z', region: 'eu' })).to.equal(
        home.forEnvironment({ region: 'eu', zone: 'z' }),
      );
    });

    it('adds to the options of the client, and not to those of another environment', () => {
      const home = make({ region: 'us', zone: 'z' });
      const client = home.forEnvironment({ zone: 'y' });
      expect(client.endpoints.issuer).to.equal(`${originOf('us')}/`);
      expect(client.environment).to.deep.equal({ zone: 'y' });
      expect(client.forEnvironment(EU).environment).to.deep.equal(EU);
    });

    it('is the client itself where nothing is chosen', () => {
      const home = make();
      for (const choice of [{}, { region: undefined }, undefined, null]) {
        for (const client of [home, home.forEnvironment(EU)]) {
          expect(client.forEnvironment(choice as never)).to.equal(home);
        }
      }
    });

    for (const name of [
      'clientID',
      'clientSecret',
      'tokenURL',
      'allowedRegions',
      'regoin',
      'toString',
    ]) {
      it(`refuses the name ${name}, which a login may not choose`, () => {
        const error: unknown = thrown(() => make().forEnvironment({ [name]: 'x' }));
        expect(error).to.be.instanceOf(TypeError);
        expect((error as Error).message).to.include(`Acme: unknown option "${name}"`);
      });
    }

    for (const region of ['evil.test', '', 'e', 7, null, ['eu'], { toString: () => 'eu' }, true]) {
      it(`refuses a value, as the judge says: ${inspect(region)}`, () => {
        const error: unknown = thrown(() => make().forEnvironment({ region }));
        expect(error).to.be.instanceOf(OAuth2Error);
        expect(error).to.include({
          code: REGION_REFUSED,
          stage: 'authorize',
          provider: 'acme',
          refusal: 400,
          message: 'acme: the region is not allowed',
        });
      });
    }

    it('asks the judge with the options of the client, also from an environment', () => {
      const home = make({ allowedRegions: ['eu'] });
      const client = home.forEnvironment(EU);
      for (const one of [home, client]) {
        expect(one.forEnvironment(EU)).to.equal(client);
        expect(
          Reflect.get(
            thrown(() => one.forEnvironment({ region: 'us' })),
            'code',
          ),
        ).to.equal(REGION_REFUSED);
      }
    });

    it('is unknown to a provider without environments', () => {
      const error = thrown(() => make({}, regionsWith({ environment: {} })).forEnvironment(EU));
      expect(error.message).to.include('unknown option "region"');
    });

    it('CWE-770 — keeps a thousand environments, those that were used last', () => {
      const home = make();
      const of = (number: number) => home.forEnvironment({ region: `r${number}` });
      const [first, second] = [of(0), of(1)];
      for (let number = 2; number < 1000; number += 1) of(number);
      expect([of(0), of(1)]).to.deep.equal([first, second]);
      for (let number = 1000; number < 3000; number += 1) {
        of(number);
        expect(of(0)).to.equal(first);
      }
      expect(of(1)).not.to.equal(second);
    });

    it('an environment that was forgotten still answers, and finds its way', async () => {
      const home = make();
      const client = home.forEnvironment(EU);
      for (let number = 0; number < 2000; number += 1)
        home.forEnvironment({ region: `r${number}` });
      expect(home.forEnvironment(EU)).not.to.equal(client);
      const asked = answerAt(originOf('eu'));
      await client.refreshTokenGrant('rt-0', { previous: TOKENS_EU });
      await redeem(client, begin(client));
      expect(asked.map(({ path }) => path)).to.deep.equal(['/token', '/token']);
    });
  });

  describe('clients of two registrations', () => {
    /** As a strategy does for a tenant. */
    const register = (home: Client, clientID: string, clientSecret: string, binding = '') => {
      const options = { clientID, clientSecret, timeout: 2000 };
      return Reflect.apply(Reflect.get(home, 'sibling') as () => Client, home, [
        options,
        'tenant-1',
        binding,
      ]);
    };

    it('RFC 6749 §2.3.1 — share no client of an environment, also with the same client id', async () => {
      const home = make();
      const old = register(home, 'client-a', 'secret-old');
      const now = register(home, 'client-a', 'secret-new');
      expect(old.fingerprint).to.equal(now.fingerprint);
      const asked = answerAt(originOf('eu'));
      for (const client of [old, now, old, now]) {
        await client.refreshTokenGrant('rt-0', { previous: TOKENS_EU });
      }
      expect(asked.map(({ form }) => form.client_secret)).to.deep.equal([
        'secret-old',
        'secret-new',
        'secret-old',
        'secret-new',
      ]);
    });

    it('RFC 9700 §4.4 — have fingerprints of their own: by client id, address and callback', () => {
      const home = make();
      const prints = [
        home,
        home.forEnvironment(EU),
        register(home, 'client-1', SECRET),
        register(home, 'client-1', SECRET, CALLBACK),
        register(home, 'client-1', SECRET, CALLBACK).forEnvironment(EU),
        register(home, 'client-a', SECRET),
        make({ region: 'us' }),
      ].map(({ fingerprint }) => fingerprint);
      expect(new Set(prints).size).to.equal(prints.length);
      expect(make().fingerprint).to.equal(home.fingerprint);
      expect(make({ region: 'eu' }).fingerprint).to.equal(home.forEnvironment(EU).fingerprint);
    });
  });

  describe('a login', () => {
    it('RFC 6749 §4.1.1 — begins at its environment, which the attempt names', () => {
      const home = make();
      const { url, attempt } = home.forEnvironment(EU).beginLogin({ redirectUri: CALLBACK });
      expect(new URL(url).origin).to.equal(originOf('eu'));
      expect(attempt.environment).to.deep.equal(EU);
      expect(JSON.stringify(attempt)).not.to.include(SECRET);
      expect(begin(home)).not.to.have.property('environment');
    });

    for (const [where, clientOf] of PLACES) {
      it(`RFC 6749 §4.1.3 — ends at its environment, ${where}`, async () => {
        const home = make();
        // As JSON, because a store has written it.
        const attempt = JSON.parse(JSON.stringify(begin(home.forEnvironment(EU)))) as LoginAttempt;
        const asked = answerAt(originOf('eu'));
        const tokens = await redeem(clientOf(home), attempt);
        expect(tokens.environment).to.deep.equal(EU);
        expect(tokens).to.be.frozen;
        expect(asked).to.have.lengthOf(1);
        expect(asked[0]).to.include({ host: 'eu.acme.test', path: '/token' });
        expect(asked[0]?.form).to.include({ code: 'code-1', extra: '1', client_secret: SECRET });
      });
    }

    it('ends in another process, whose client has never seen the environment', async () => {
      const attempt = begin(make().forEnvironment(EU));
      const asked = answerAt(originOf('eu'));
      expect((await redeem(make(), attempt)).environment).to.deep.equal(EU);
      expect(asked).to.have.lengthOf(1);
    });

    it('RFC 9700 §4.4 — the issuer of its own environment answers, and no other', async () => {
      const client = make();
      const answerWith = async (iss: string) => {
        const attempt = begin(client.forEnvironment(EU));
        const parameters = { code: 'code-1', state: attempt.state, iss };
        return await client.validateAuthorizationResponse(parameters, () => attempt);
      };
      expect((await answerWith(`${originOf('eu')}/`)).code).to.equal('code-1');
      for (const iss of [`${ORIGIN}/`, `${originOf('us')}/`]) {
        expect((await rejection(answerWith(iss))).code).to.equal('issuer_mismatch');
      }
    });

    it('RFC 9700 §4.4 — an attempt whose environment was changed is refused', async () => {
      const client = make();
      for (const environment of [{ region: 'us' }, undefined]) {
        const { environment: _, ...rest } = begin(client.forEnvironment(EU));
        const attempt: LoginAttempt = environment ? { ...rest, environment } : rest;
        const error = await rejection(redeem(client, attempt));
        expect(error).to.include({ code: 'state_of_another_client', refusal: 403 });
      }
    });

    it('a failure names the host of its environment', async () => {
      const client = make();
      nock(originOf('eu')).post('/token').reply(400, { error: 'invalid_grant' });
      const error = await rejection(redeem(client, begin(client.forEnvironment(EU))));
      expect(error).to.include({ code: 'invalid_grant', host: 'eu.acme.test', stage: 'token' });
    });

    it('OIDC Core §10.1.1 — two environments of one key set fetch it once', async () => {
      const keys = rsaKeys();
      let fetched = 0;
      nock(ORIGIN)
        .persist()
        .get('/keys')
        .reply(() => {
          fetched += 1;
          return [200, { keys: [jwk(keys, 'key-1')] }];
        });
      const home = make({}, regionsWith({ idToken: 'when present', scope: ['openid'] }));
      for (const region of ['eu', 'us']) {
        const client = home.forEnvironment({ region });
        const attempt = begin(client);
        const issuer = `${originOf(region)}/`;
        const idToken = await sign(keys.privateKey, claims({ iss: issuer, nonce: attempt.nonce }));
        answerAt(originOf(region), { id_token: idToken, sub: undefined });
        const tokens = await redeem(home, attempt);
        expect(tokens.claims?.iss).to.equal(issuer);
        expect(tokens.environment).to.deep.equal({ region });
      }
      expect(fetched).to.equal(1);
    });

    it('CWE-400 — asks no server ahead that a stranger may have chosen, until a login ends there', async () => {
      const keys = rsaKeys();
      const asked: string[] = [];
      const endpoints = (options: RegionOptions) => ({
        ...regions.endpoints(options),
        jwksUri: `${originOf(options.region)}/keys`,
      });
      for (const region of [undefined, 'eu', 'r1', 'r2', 'r3']) {
        nock(originOf(region))
          .persist()
          .get('/keys')
          .reply(function () {
            asked.push(String(this.req.headers.host));
            return [200, { keys: [jwk(keys, 'key-1')] }];
          });
      }
      const home = make({}, regionsWith({ endpoints, idToken: 'when present', scope: ['openid'] }));
      const prepare = async (client: Client, attempt = begin(client)) => {
        client.prepare(attempt);
        await pause(30);
        return attempt;
      };
      const eu = home.forEnvironment(EU);
      for (const region of ['r1', 'r2', 'r3']) await prepare(home.forEnvironment({ region }));
      const attempt = await prepare(eu);
      expect(asked).to.deep.equal([]);
      await prepare(home);
      expect(asked).to.deep.equal(['acme.test']);
      const idToken = await sign(
        keys.privateKey,
        claims({ iss: `${originOf('eu')}/`, nonce: attempt.nonce }),
      );
      nock(originOf('eu')).post('/token').reply(200, { access_token: 'at-1', id_token: idToken });
      await redeem(home, attempt);
      expect(asked).to.deep.equal(['acme.test', 'eu.acme.test']);
      const now = Date.now();
      const clock = Date.now;
      // The keys are old.
      Date.now = () => now + 660_000;
      try {
        await prepare(eu);
      } finally {
        Date.now = clock;
      }
      expect(asked).to.deep.equal(['acme.test', 'eu.acme.test', 'eu.acme.test']);
    });
  });

  describe('tokens', () => {
    for (const [where, clientOf] of PLACES) {
      for (const [method, path, call] of METHODS) {
        it(`${method} asks their environment, ${where}`, async () => {
          const asked = answerAt(originOf('eu'));
          await call(clientOf(make()), TOKENS_EU);
          expect(asked.map(({ host, path: at }) => host + at)).to.deep.equal([
            `eu.acme.test${path}`,
          ]);
        });
      }

      for (const [method, call] of LOGOUTS) {
        it(`${method} leads to their environment, ${where}`, () => {
          const url = new URL(call(clientOf(make()), TOKENS_EU) ?? '');
          expect(url.origin + url.pathname).to.equal(`${originOf('eu')}/logout`);
        });
      }
    }

    it('without an environment are asked about at home', async () => {
      const { environment: _, ...tokens } = TOKENS_EU;
      const asked = answerAt(ORIGIN);
      for (const [, , call] of METHODS) await call(make(), tokens);
      expect(asked.map(({ path }) => path)).to.deep.equal(METHODS.map(([, path]) => path));
      for (const [, call] of LOGOUTS)
        expect(call(make(), tokens)).to.match(/^https:\/\/acme\.test/);
    });

    it('RFC 6749 §6 — keep their environment over a refresh, and the options of the call', async () => {
      const asked = answerAt(originOf('eu'), { sub: undefined });
      const next = await make().refreshTokenGrant('rt-0', {
        previous: TOKENS_EU,
        parameters: { extra: '1' },
        scope: 'read',
      });
      expect(next.environment).to.deep.equal(EU);
      expect(next.refreshToken).to.equal('rt-0');
      expect(next.response).to.include({ kept: 'field', access_token: 'at-1' });
      expect(asked[0]?.form).to.include({ extra: '1', scope: 'read', refresh_token: 'rt-0' });
    });

    it('RFC 7009 §2.1 — are named with their hint there', async () => {
      const asked = answerAt(originOf('eu'));
      const client = make();
      for (const [, , call] of METHODS.slice(1, 3)) await call(client, TOKENS_EU);
      expect(asked.map(({ form }) => form.token_type_hint)).to.deep.equal([
        'refresh_token',
        'access_token',
      ]);
    });

    it('of the app itself name the environment of the client that asked', async () => {
      answerAt(originOf('eu'));
      const tokens = await make().forEnvironment(EU).clientCredentialsGrant();
      expect(tokens.environment).to.deep.equal(EU);
    });

    it('of a client without an environment name none', async () => {
      answerAt(ORIGIN);
      expect(await make().refreshTokenGrant('rt-0')).not.to.have.property('environment');
      expect(await redeem(make(), begin(make()))).not.to.have.property('environment');
    });

    for (const [method, , call] of METHODS) {
      it(`${method}: an environment that was allowed once is refused before any request`, async () => {
        const client = make({ allowedRegions: ['us'] });
        for (const one of [client, client.forEnvironment({ region: 'us' })]) {
          const error = await rejection(call(one, TOKENS_EU));
          expect(error).to.be.instanceOf(OAuth2Error);
          expect(error).to.include({ code: REGION_REFUSED, stage: STAGES[method] });
        }
      });

      for (const environment of [
        { evil: 'x' },
        { region: 'eu', clientSecret: 'x' },
        { region: 'eu', tokenURL: 'https://evil.test' },
        'eu',
        ['eu'],
        JSON.parse('{"__proto__":"x"}') as object,
      ]) {
        it(`${method}: an environment that a store has forged is not asked: ${JSON.stringify(environment)}`, async () => {
          const forged = { ...TOKENS_EU, environment: environment as never };
          const error: unknown = await rejection(call(make(), forged));
          expect(error).to.be.instanceOf(TypeError);
          expect((error as Error).message).to.include('Acme: unknown option');
        });
      }

      for (const region of ['evil.test', '//evil.test', 'eu.evil.test', 7, {}]) {
        it(`${method}: a region that a store has forged is not asked: ${JSON.stringify(region)}`, async () => {
          const forged = { ...TOKENS_EU, environment: { region } as never };
          expect((await rejection(call(make(), forged))).code).to.equal(REGION_REFUSED);
        });
      }

      it(`CWE-1321 — ${method}: a polluted prototype lends no environment`, async () => {
        const { environment: _, ...tokens } = TOKENS_EU;
        const asked = answerAt(ORIGIN);
        const client = make();
        Reflect.set(Object.prototype, 'environment', EU);
        try {
          await call(client, tokens);
          if (method !== 'refreshTokenGrant') {
            Reflect.set(Object.prototype, 'tokens', TOKENS_EU);
            await client.revokeToken('rt-0', {});
            await client.introspectToken('rt-0', {});
          }
          expect(make().environment).to.equal(undefined);
        } finally {
          for (const name of ['environment', 'tokens']) {
            Reflect.deleteProperty(Object.prototype, name);
          }
        }
        expect(asked.every(({ host }) => host === 'acme.test')).to.equal(true);
      });
    }

    it('CWE-1321 — a polluted prototype lends no host of an organization', async () => {
      const client = make({}, regionsWith({ organizationEndpoints: () => ({}) }));
      const polluted = ['revocationEndpoint', 'introspectionEndpoint', 'endSessionEndpoint'];
      const asked = answerAt(ORIGIN);
      const tokens = { ...TOKENS_EU, environment: undefined };
      for (const name of polluted) Reflect.set(Object.prototype, name, 'https://evil.test/x');
      try {
        await client.revokeToken('rt-0', { tokens });
        await client.introspectToken('rt-0', { tokens });
        expect(client.buildEndSessionUrl({ tokens })).to.include(`${ORIGIN}/logout?`);
      } finally {
        for (const name of polluted) Reflect.deleteProperty(Object.prototype, name);
      }
      expect(asked.map(({ host }) => host)).to.deep.equal(['acme.test', 'acme.test']);
    });

    for (const [method, call] of LOGOUTS) {
      it(`${method}: an environment that was allowed once is refused`, () => {
        const error: unknown = thrown(() => call(make({ allowedRegions: ['us'] }), TOKENS_EU));
        expect(error).to.be.instanceOf(OAuth2Error);
        expect(error).to.include({ code: REGION_REFUSED, stage: 'logout' });
      });
    }
  });

  describe('a logout', () => {
    it('RP-Initiated Logout §2 — names the session of the ID Token, also after a refresh', async () => {
      const keys = rsaKeys();
      nock(ORIGIN)
        .get('/keys')
        .reply(200, { keys: [jwk(keys, 'key-1')] });
      const home = make({}, regionsWith({ idToken: 'when present', scope: ['openid'] }));
      const attempt = begin(home.forEnvironment(EU));
      const fields = { iss: `${originOf('eu')}/`, nonce: attempt.nonce, sid: 'session-1' };
      const idToken = await sign(keys.privateKey, claims(fields));
      nock(originOf('eu')).post('/token').reply(200, { access_token: 'at-1', id_token: idToken });
      const tokens = await redeem(home, attempt);
      expect(tokens.sid).to.equal('session-1');
      answerAt(originOf('eu'));
      const next = await home.refreshTokenGrant('rt-0', { previous: tokens });
      expect(next.sid).to.equal('session-1');
      const url = new URL(home.buildEndSessionUrl({ tokens: next }) ?? '');
      expect(url.origin).to.equal(originOf('eu'));
      expect(url.searchParams.get('logout_hint')).to.equal('session-1');
      expect(url.searchParams.get('client_id')).to.equal('client-1');
    });

    it('knows no session where no ID Token names one', async () => {
      answerAt(ORIGIN, { sid: 'session-of-the-response' });
      expect(await redeem(make(), begin(make()))).not.to.have.property('sid');
    });

    it('leads to the organization of the tokens, where it has a host of its own', () => {
      const own = 'https://own.acme.test/logout';
      const provider = regionsWith({
        organizationEndpoints: ({ kept }, { endpoints }) =>
          kept === 'field' && endpoints.issuer === `${originOf('eu')}/`
            ? { endSessionEndpoint: own }
            : {},
      });
      for (const [, call] of LOGOUTS) {
        expect(call(make({}, provider), TOKENS_EU)).to.match(/^https:\/\/own\.acme\.test\/logout/);
        expect(call(make({}, provider), { ...TOKENS_EU, response: {} })).to.include(originOf('eu'));
      }
      expect(make({}, provider).buildEndSessionUrl()).to.match(/^https:\/\/acme\.test\/logout\?/);
    });

    it('is none where the provider has none', () => {
      const provider = regionsWith({
        endpoints: (options) => {
          const { endSessionEndpoint: _, ...others } = regions.endpoints(options);
          return others;
        },
      });
      for (const [, call] of LOGOUTS)
        expect(call(make({}, provider), TOKENS_EU)).to.equal(undefined);
    });
  });

  describe('offline', () => {
    for (const [title, options, call, scopes] of [
      ['adds the scopes of the provider', {}, undefined, 'read offline refresh'],
      ['adds them to those of the options', { scope: 'write' }, undefined, 'write offline refresh'],
      ['adds them to those of the call', {}, ['x'], 'x offline refresh'],
      ['adds each once', { scope: ['offline', 'write'] }, undefined, 'offline write refresh'],
      ['adds each once to those of the call', {}, 'refresh x offline', 'refresh x offline'],
      ['adds them to none', { scope: [] }, undefined, 'offline refresh'],
    ] as [string, object, string | undefined, string][]) {
      it(`${title}: ${scopes}`, () => {
        const client = make({ offline: true, ...options });
        expect(client.scopes(call).join(' ')).to.equal(scopes);
        const { url } = client
          .forEnvironment(EU)
          .beginLogin({ redirectUri: CALLBACK, scope: call });
        expect(new URL(url).searchParams.get('scope')).to.equal(scopes);
      });
    }

    it('adds none when it is off', () => {
      for (const offline of [false, undefined]) {
        expect(make({ offline }).scopes()).to.deep.equal(['read']);
      }
    });

    it('OIDC Core §3.1.2.1 — leaves openid the first', () => {
      const client = make({ offline: true }, regionsWith({ idToken: 'required' }));
      expect(client.scopes()).to.deep.equal(['openid', 'read', 'offline', 'refresh']);
    });

    it('adds none where the provider needs none', () => {
      const client = make({ offline: true }, regionsWith({ offlineScopes: [] }));
      expect(client.scopes()).to.deep.equal(['read']);
    });

    it('RFC 6749 §6 — adds none to a refresh, or to a token of the app itself', async () => {
      const asked = answerAt(ORIGIN);
      const client = make({ offline: true });
      await client.refreshTokenGrant('rt-0', { scope: 'read' });
      await client.refreshTokenGrant('rt-0');
      await client.clientCredentialsGrant({ scope: 'read' });
      expect(asked.map(({ form }) => form.scope)).to.deep.equal(['read', undefined, 'read']);
    });

    for (const offline of ['true', 1, null]) {
      it(`is true or false, and not ${JSON.stringify(offline)}`, () => {
        const error: unknown = thrown(() => make({ offline: offline as never }));
        expect(error).to.be.instanceOf(TypeError);
        expect((error as Error).message).to.include('option "offline" must be true or false');
      });
    }
  });
});
