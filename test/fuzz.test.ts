/**
 * Answers of a provider with random bytes, broken JSON, wrong types and odd headers. The outcome is always
 * a value of the right shape, or a `Problem`. `FC_SEED` and `FC_RUNS` choose others, and more of them.
 */
import { generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { expect } from 'chai';
import type { Json, JsonObject, Profile, Provider, TokenSet } from 'crm-oauth2';
import * as fc from 'fast-check';
import { salesforce } from 'passport-salesforce-oauth2';
import { salesloft } from 'passport-salesloft';
import { salesos } from 'passport-salesos';
import type { Problem } from '../packages/crm-oauth2/dist/errors/problem';
import { createIdTokenVerifier } from '../packages/crm-oauth2/dist/protocol/id-token';
import type { ExpectedIdToken } from '../packages/crm-oauth2/dist/protocol/id-token';
import { KeySets } from '../packages/crm-oauth2/dist/protocol/signing-keys';
import { fetchWithToken } from '../packages/crm-oauth2/dist/protocol/profile-request';
import {
  processTokenError,
  processTokenResponse,
} from '../packages/crm-oauth2/dist/protocol/token-endpoint';
import { parseJson, statusProblem } from '../packages/crm-oauth2/dist/wire/answers';
import type { HttpResponse } from '../packages/crm-oauth2/dist/wire/http';
import { checkSignature } from '../packages/passport-salesforce-oauth2/dist/signature';

const RUNS = Number(process.env.FC_RUNS ?? 300);
const SETTINGS = { seed: Number(process.env.FC_SEED ?? 20260802), numRuns: RUNS };
const SECRETS = ['s3cret-of-the-client', 'code-that-was-sent'];

function isProblem(error: unknown): error is Problem {
  return error instanceof Error && error.name === 'Problem';
}

/** The value, or the problem. Any other exception is a bug. */
function attempt<T>(work: () => T): { value: T } | { problem: Problem } {
  try {
    return { value: work() };
  } catch (error) {
    if (isProblem(error)) return { problem: sound(error) };
    throw error;
  }
}

async function attemptAsync<T>(
  work: () => Promise<T>,
): Promise<{ value: T } | { problem: Problem }> {
  try {
    return { value: await work() };
  } catch (error) {
    if (isProblem(error)) return { problem: sound(error) };
    throw error;
  }
}

/** Expects a problem that may be shown and logged: without secrets and control characters. */
function sound(problem: Problem): Problem {
  expect(problem.code).to.match(/^[\w.-]{1,64}$/);
  expect(problem.message).to.match(/^\P{Cc}+$/u);
  expect(problem.message.length).to.be.below(500);
  const shown = `${problem.stack} ${JSON.stringify(problem.details)}`;
  for (const secret of SECRETS) expect(shown).not.to.include(secret);
  return problem;
}

const text = (constraints: fc.StringConstraints = {}) =>
  fc.string({ unit: 'binary', ...constraints });
const wrong = fc.oneof(
  fc.jsonValue(),
  text(),
  fc.constantFrom<Json>(null, '', [], {}, true, false, 0, -1, 1e308, 9e15 + 0.5, '0', 'null'),
  fc.constantFrom<Json>({ toString: 'x', length: 1 }, ['x'], { __proto__: null }, '\u0000\r\nX: y'),
);
const TRAPS = [
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
];

/** An object whose fields are each left out, of a wrong type, or as they should be. */
function fieldsOf(good: Readonly<Record<string, Json>>): fc.Arbitrary<string> {
  const model = Object.fromEntries(
    Object.entries(good).map(([name, value]) => [
      name,
      fc.oneof({ weight: 3, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: wrong }),
    ]),
  );
  const object = fc.record(model, { requiredKeys: [] });
  const more = fc.dictionary(fc.oneof(text(), fc.constant('__proto__')), fc.jsonValue());
  return fc.tuple(object, more).map(([fields, others]) => {
    const entries = [...Object.entries(others), ...Object.entries(fields)];
    return JSON.stringify(Object.fromEntries(entries));
  });
}

/** Bodies made of a good one: cut, changed, doubled, spliced with other text. And bodies without JSON. */
function bodiesOf(good: Readonly<Record<string, Json>>): fc.Arbitrary<string> {
  const whole = JSON.stringify(good);
  const deep = 10_000;
  return fc.oneof(
    { weight: 6, arbitrary: fieldsOf(good) },
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('utf8')),
    fc.nat(whole.length).map((at) => whole.slice(0, at)),
    fc
      .tuple(fc.nat(whole.length), text({ maxLength: 4 }))
      .map(([at, part]) => whole.slice(0, at) + part + whole.slice(at + part.length)),
    fc.jsonValue().map((value) => JSON.stringify(value)),
    fc.constantFrom(
      ...TRAPS,
      ...TRAPS.map((trap) => whole.slice(0, -1) + trap.replace('{', ',')),
      '['.repeat(deep) + ']'.repeat(deep),
      '{"a":'.repeat(deep) + '1' + '}'.repeat(deep),
      '['.repeat(deep),
      whole.replace('{', `{"x":${'9'.repeat(5000)},`),
      whole.replace('{', '{"x":1e999,"y":-1e-999,'),
      `${whole}${whole}`,
      `\ufeff${whole}`,
      '',
      'null',
      '<!doctype html><title>Down</title>',
    ),
  );
}

const locations = fc.oneof(
  fc.webUrl(),
  text(),
  fc.constantFrom('/', '//evil.test', 'https://evil.test', 'http://login.salesforce.com', '\\\\x'),
);
const header = fc.oneof(
  { weight: 6, arbitrary: fc.constant('application/json') },
  fc.constantFrom('application/json; charset=utf-8', 'APPLICATION/JSON', 'text/html', ''),
  fc.constantFrom('application/x-www-form-urlencoded', 'application/problem+json', 'json'),
  fc.string({ maxLength: 200 }),
);
const headers = fc.record(
  { 'content-type': header, 'retry-after': fc.oneof(text(), fc.nat().map(String)) },
  { requiredKeys: [] },
);
const status = fc.oneof(fc.constantFrom(200, 400, 401, 403, 429, 500, 503), fc.nat(999));

function answersOf(good: Readonly<Record<string, Json>>): fc.Arbitrary<HttpResponse> {
  return fc.record({ status, headers, body: bodiesOf(good) });
}

const IDENTITY = 'https://login.salesforce.com/id/00Dd0000000dsWLEAY/005d0000000b8kWAAQ';
const ISSUED_AT = '1332093834282';
const TOKENS: Record<string, Record<string, Json>> = {
  salesloft: {
    access_token: 'at-1',
    refresh_token: 'rt-1',
    token_type: 'bearer',
    expires_in: 7200,
    created_at: 1,
  },
  salesos: {
    access_token: 'at-1',
    id_token: 'a.b.c',
    token_type: 'Bearer',
    expires_in: '86400',
    scope: 'openid',
  },
  salesforce: {
    access_token: '00D!at',
    instance_url: 'https://acme.my.salesforce.com',
    id: IDENTITY,
    issued_at: ISSUED_AT,
    signature: 'tDZZRHgqtJWXw1cEjyuazDNkonKuIYT2EYnJrC7zbc8=',
    token_type: 'Bearer',
  },
};
const PROFILES: Record<string, Record<string, Json>> = {
  salesloft: {
    data: {
      id: 7,
      guid: 'g',
      name: 'Zoë',
      first_name: 'Zoë',
      last_name: 'Å',
      email: 'z@x.test',
      team: { id: 3 },
      job_role: 'ae',
      active: true,
      time_zone: 'UTC',
      team_admin: false,
    },
  },
  salesos: {
    sub: 'auth0|zoe',
    name: 'Zoë',
    nickname: 'zoe',
    given_name: 'Zoë',
    family_name: 'Å',
    email: 'z@x.test',
    email_verified: true,
    picture: 'https://x.test/p',
    org_id: 'org_1',
  },
  salesforce: {
    organization_id: '00Dd0000000dsWLEAY',
    user_id: '005d0000000b8kWAAQ',
    asserted_user: true,
    username: 'zoe',
    display_name: 'Zoë',
    email: 'z@x.test',
    photos: { picture: 'https://x.test/p' },
    urls: { rest: 'https://x.test' },
    active: true,
    first_name: 'Zoë',
    last_name: 'Å',
    language: 'sv',
    locale: 'sv_SE',
    timezone: 'UTC',
  },
};
const CREDENTIALS = { clientID: 'client-1', clientSecret: 's3cret-of-the-client' };
/** The two slots that read the answers of a provider. */
function slotsOf<Options extends object, P extends Profile>(provider: Provider<Options, P>) {
  const options = CREDENTIALS as typeof CREDENTIALS & Options;
  const context = { provider: provider.name, options, endpoints: provider.endpoints(options) };
  return {
    mapProfile: (
      json: Json,
      raw: string,
      tokens: TokenSet,
      source: 'answer' | 'id_token',
    ): Profile => provider.mapProfile(json, { ...context, raw, source, tokens }),
    request: (tokens: TokenSet) => provider.profileRequest(tokens, context),
  };
}

const PROVIDERS = {
  salesloft: slotsOf(salesloft),
  salesos: slotsOf(salesos),
  salesforce: slotsOf(salesforce),
};

const optionalText = (value: unknown) => value === undefined || typeof value === 'string';

function expectTokens(tokens: TokenSet): void {
  expect(tokens.accessToken).to.match(/^[\x21-\x7e]+$/);
  expect(tokens.tokenType).to.equal('Bearer');
  for (const value of [tokens.refreshToken, tokens.idToken, tokens.scope]) {
    expect(optionalText(value) && value !== '').to.equal(true);
  }
  expect(Number.isFinite(tokens.expiresAt ?? 0)).to.equal(true);
  expect(Object.isFrozen(tokens)).to.equal(true);
}

function expectProfile(profile: Profile, name: string): void {
  expect(profile.provider).to.equal(name);
  expect(profile.id).to.be.a('string').that.is.not.empty;
  expect(profile.displayName).to.be.a('string');
  expect(optionalText(profile.username)).to.equal(true);
  for (const part of Object.values(profile.name ?? {})) expect(part).to.be.a('string');
  for (const { value, verified } of profile.emails ?? []) {
    expect(value).to.be.a('string').that.is.not.empty;
    expect(verified === undefined || typeof verified === 'boolean').to.equal(true);
  }
  for (const { value } of profile.photos ?? []) expect(value).to.be.a('string').that.is.not.empty;
}

describe('fuzz', () => {
  afterEach(() => {
    expect(Reflect.get({}, 'polluted')).to.equal(undefined);
    expect(Object.keys(Object.prototype)).to.deep.equal([]);
  });

  for (const [name, provider] of Object.entries(PROVIDERS)) {
    const tokensOf = (response: HttpResponse) => processTokenResponse(response, 1_000, SECRETS);

    it(`RFC 6749 §5 — ${name}: any answer of the token endpoint is tokens or a problem`, () => {
      fc.assert(
        fc.property(answersOf(TOKENS[name] ?? {}), (response) => {
          const outcome = attempt(() => tokensOf(response));
          if ('value' in outcome) expectTokens(outcome.value);
          sound(processTokenError(response, SECRETS));
          sound(statusProblem(response));
        }),
        SETTINGS,
      );
    });

    it(`RFC 6749 §5.2 — ${name}: any error of the token endpoint is a problem without our secrets`, () => {
      const error = {
        error: 'invalid_grant',
        error_description: `expired ${SECRETS.join(' ')}`,
        error_uri: `https://x.test/${SECRETS[1]}`,
      };
      fc.assert(
        fc.property(answersOf(error), (response) => {
          sound(processTokenError(response, SECRETS));
          const outcome = attempt(() => tokensOf(response));
          if ('value' in outcome) expectTokens(outcome.value);
        }),
        SETTINGS,
      );
    });

    it(`profile — ${name}: any answer is a profile or a problem`, () => {
      const tokens = tokensOf({
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(TOKENS[name]),
      });
      const inner = PROFILES[name]?.data;
      const bodies = inner
        ? fc.oneof(
            bodiesOf(PROFILES[name] ?? {}),
            fieldsOf(inner as JsonObject as Record<string, Json>).map((data) => `{"data":${data}}`),
          )
        : bodiesOf(PROFILES[name] ?? {});
      fc.assert(
        fc.property(bodies, fc.constantFrom('answer', 'id_token'), (body, source) => {
          const outcome = attempt(() =>
            provider.mapProfile(parseJson(body, 'application/json'), body, tokens, source),
          );
          if ('value' in outcome) expectProfile(outcome.value, name);
        }),
        SETTINGS,
      );
    });

    it(`profile — ${name}: any token response names a place that may be asked, or is a problem`, async () => {
      await fc.assert(
        fc.asyncProperty(fieldsOf(TOKENS[name] ?? {}), locations, async (body, location) => {
          const tokens = attempt(() =>
            tokensOf({ status: 200, headers: { 'content-type': 'application/json' }, body }),
          );
          if ('problem' in tokens) return;
          const request = attempt(() => provider.request(tokens.value));
          if ('problem' in request || request.value === undefined) return;
          const asked: URL[] = [];
          await attemptAsync(() =>
            fetchWithToken(
              { ...request.value, url: new URL(request.value?.url ?? '') },
              tokens.value.accessToken,
              {
                send: ({ url }) => {
                  asked.push(url);
                  return Promise.resolve({
                    status: 302,
                    headers: { location },
                    body: '',
                  });
                },
                isOwn: (url) =>
                  /^(login\.salesforce|api\.salesloft|auth\.play2sell)\.com$/.test(url.host),
                at: () => {},
              },
            ),
          );
          for (const url of asked) {
            expect(url.protocol).to.equal('https:');
            expect(url.host).to.match(/(\.salesforce|\.salesloft|\.play2sell)\.com$/);
          }
        }),
        SETTINGS,
      );
    });
  }

  it('salesforce 6 — any signature is right or a problem', () => {
    fc.assert(
      fc.property(fieldsOf(TOKENS.salesforce ?? {}), text({ minLength: 1 }), (body, secret) => {
        const response = JSON.parse(body) as JsonObject;
        for (const consumerSecret of [secret, 'some consumer secret']) {
          const outcome = attempt(() => checkSignature(response, consumerSecret));
          if ('problem' in outcome) continue;
          expect(consumerSecret).to.equal('some consumer secret');
          const { id, issued_at: issuedAt } = response;
          expect({ id, issuedAt }).to.deep.equal({ id: IDENTITY, issuedAt: ISSUED_AT });
        }
      }),
      SETTINGS,
    );
  });

  describe('status', () => {
    const answer = (code: number, body = '', type = 'application/json'): HttpResponse => ({
      status: code,
      headers: { 'content-type': type, 'retry-after': '7' },
      body,
    });

    it('RFC 9110 §15 — every status has its meaning', () => {
      for (let code = 100; code < 600; code += 1) {
        const expected =
          code === 429
            ? 'rate_limited'
            : code >= 500
              ? 'provider_unavailable'
              : code >= 300 && code < 400 && code !== 304
                ? 'unexpected_redirect'
                : 'unexpected_status';
        const problem = sound(statusProblem(answer(code)));
        expect(problem.code).to.equal(expected);
        expect(problem.message).to.include(`${code}`);
        expect(problem.details).to.include({ status: code, retryAfterSeconds: 7 });
      }
    });

    const SAID = [
      'invalid_request',
      'invalid_client',
      'invalid_grant',
      'unauthorized_client',
      'unsupported_grant_type',
      'invalid_scope',
      'server_error',
      'temporarily_unavailable',
    ];

    it('RFC 6749 §5.2 — its errors are believed at any status, other words not in an outage', () => {
      const form = 'application/x-www-form-urlencoded; charset=utf-8';
      for (const error of SAID) {
        for (const code of [400, 401, 403, 500, 503]) {
          const bodies = [
            answer(code, JSON.stringify({ error })),
            answer(code, `error=${error}`, form),
          ];
          for (const response of bodies) {
            const { code: read, message } = sound(processTokenError(response, []));
            expect({ read, message }).to.deep.equal({ read: error, message: error });
          }
        }
        expect(processTokenError(answer(429, JSON.stringify({ error })), []).code).to.equal(
          'rate_limited',
        );
      }
      for (const error of ['boom', 'invalid_grant ', ' invalid_grant', 'x'.repeat(65)]) {
        const body = JSON.stringify({ error });
        expect(processTokenError(answer(500, body), []).code).to.equal('provider_unavailable');
        expect(processTokenError(answer(400, body), []).code).to.equal(
          error === 'boom' ? 'boom' : 'invalid_request',
        );
      }
    });

    it('RFC 6749 §5.1 — accepts an access token beside an error', () => {
      const body = JSON.stringify({ access_token: 'at-1', error: 'none' });
      expect(processTokenResponse(answer(200, body), 0).accessToken).to.equal('at-1');
    });

    it('RFC 6750 §3.1 — follows a location only with a status of 3xx', async () => {
      for (let code = 100; code < 600; code += 1) {
        const asked: string[] = [];
        const outcome = await attemptAsync(() =>
          fetchWithToken({ url: new URL('https://x.test/1'), trusts: () => true }, 'at-1', {
            send: ({ url }) => {
              asked.push(url.pathname);
              const first = url.pathname === '/1';
              const body = code % 2 ? 'about at-1!\n' : '!about at-1';
              const moved = { status: code, headers: { location: '/2' }, body };
              return Promise.resolve(first ? moved : answer(200));
            },
            isOwn: () => true,
            at: () => {},
          }),
        );
        const follows = code >= 300 && code < 400;
        expect(asked).to.deep.equal(follows ? ['/1', '/2'] : ['/1']);
        expect('value' in outcome).to.equal(follows || (code >= 200 && code < 300));
        if ('value' in outcome) continue;
        const { code: read, message } = outcome.problem;
        const meaning = statusProblem(answer(code));
        if (code === 401) expect(read).to.equal('invalid_token');
        else if (code === 403) expect(read).to.equal('insufficient_scope');
        else expect(read).to.equal(meaning.code);
        if (meaning.code !== 'unexpected_status') expect(message).to.include(meaning.message);
        // The token that the body repeats is left out.
        expect(message).not.to.include('at-1');
      }
    });
  });

  describe('ID Token', () => {
    const ISSUER = 'https://acme.test/';
    const EXPECTED: Omit<ExpectedIdToken, 'keysOf'> = {
      issuers: [ISSUER],
      clientID: 'client-1',
      accessToken: 'at-1',
      login: { nonce: 'nonce-1' },
    };
    const at = () => Math.floor(Date.now() / 1000);
    const claims = () => ({
      iss: ISSUER,
      sub: 'auth0|zoe',
      aud: 'client-1',
      nonce: 'nonce-1',
      iat: at(),
      exp: at() + 300,
    });
    let keys: { publicKey: KeyObject; privateKey: KeyObject };
    let jwks: Record<string, Json>;
    before(() => {
      keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
      const jwk = keys.publicKey.export({ format: 'jwk' }) as Record<string, Json>;
      jwks = { keys: [{ ...jwk, kid: 'key-1', use: 'sig', alg: 'RS256' }] };
    });

    const json = { 'content-type': 'application/json' };
    const verifierFor = (answer: () => HttpResponse) => {
      const keySets = new KeySets();
      const keysOf = () => keySets.at(ISSUER, () => Promise.resolve(answer()));
      const verify = createIdTokenVerifier({ algorithms: ['RS256'], clockToleranceSeconds: 60 });
      return (token: string, expected: typeof EXPECTED) => verify(token, { ...expected, keysOf });
    };
    const verifier = () =>
      verifierFor(() => ({ status: 200, headers: json, body: JSON.stringify(jwks) }));

    async function sign(payload: string): Promise<string> {
      const { CompactSign } = await import('jose');
      return await new CompactSign(Buffer.from(payload))
        .setProtectedHeader({ alg: 'RS256', kid: 'key-1' })
        .sign(keys.privateKey);
    }

    it('OIDC Core §3.1.3.7 — any signed claims are verified ones or a problem', async () => {
      const verify = verifier();
      const good = { ...claims(), azp: 'client-1', at_hash: 'x', auth_time: at(), org_id: 'org_1' };
      await fc.assert(
        fc.asyncProperty(
          fc.oneof({ weight: 5, arbitrary: fieldsOf(good) }, bodiesOf(good)),
          fc.record({ maxAge: fc.constantFrom(0, 100) }, { requiredKeys: [] }),
          async (body, more) => {
            const token = await sign(body);
            const login = { nonce: 'nonce-1', ...more };
            const outcome = await attemptAsync(() => verify(token, { ...EXPECTED, login }));
            if ('problem' in outcome) {
              expect(outcome.problem.message).to.match(/: \S+/);
              expect(outcome.problem.code).to.match(/^id_token_\w+$/);
              return;
            }
            const { iss, sub, nonce } = outcome.value;
            expect({ iss, nonce }).to.deep.equal({ iss: ISSUER, nonce: 'nonce-1' });
            expect(sub).to.be.a('string').that.is.not.empty;
          },
        ),
        SETTINGS,
      );
    });

    it('RFC 7515 §5.2 — a changed token is the same bytes or a problem', async () => {
      const verify = verifier();
      const token = await sign(JSON.stringify(claims()));
      const change = fc.oneof(
        text(),
        fc.nat(token.length).map((end) => token.slice(0, end)),
        fc
          .tuple(fc.nat(token.length), fc.oneof(text({ maxLength: 3 }), fc.base64String()))
          .map(([place, part]) => token.slice(0, place) + part + token.slice(place + part.length)),
      );
      const bytes = (whole: string) =>
        whole.split('.').map((part) => Buffer.from(part, 'base64url').toString('hex'));
      await fc.assert(
        fc.asyncProperty(change, async (changed) => {
          const outcome = await attemptAsync(() => verify(changed, EXPECTED));
          // Only bits that base64url leaves unused may differ.
          if ('value' in outcome) expect(bytes(changed)).to.deep.equal(bytes(token));
        }),
        SETTINGS,
      );
    });

    it('RFC 7517 §5 — any key set verifies the token or is a problem', async () => {
      const token = await sign(JSON.stringify(claims()));
      const [key = {}] = jwks.keys as Record<string, Json>[];
      const keySets = fc.oneof(
        bodiesOf(jwks),
        fc.array(fieldsOf(key), { maxLength: 3 }).map((list) => `{"keys":[${list.join(',')}]}`),
      );
      await fc.assert(
        fc.asyncProperty(keySets, status, headers, async (body, code, sent) => {
          const verify = verifierFor(() => ({ status: code, headers: sent, body }));
          const outcome = await attemptAsync(() => verify(token, EXPECTED));
          if ('value' in outcome) expect(outcome.value.sub).to.equal('auth0|zoe');
        }),
        SETTINGS,
      );
    });

    describe('at the edge', () => {
      const realNow = Date.now;
      beforeEach(() => {
        const now = realNow();
        Date.now = () => now;
      });
      afterEach(() => {
        Date.now = realNow;
      });

      const cases: [string, () => object, ExpectedIdToken['login']?, string?][] = [
        ['item 4 — one audience in a list needs no azp', () => ({ aud: ['client-1'] })],
        ['item 10 — iat as late as the tolerance', () => ({ iat: at() + 60 })],
        [
          'item 10 — iat a second later',
          () => ({ iat: at() + 61 }),
          undefined,
          'id_token_not_yet_valid',
        ],
        [
          'item 13 — auth_time as old as max_age and tolerance',
          () => ({ auth_time: at() - 160 }),
          { maxAge: 100 },
        ],
        [
          'item 13 — auth_time a second older',
          () => ({ auth_time: at() - 161 }),
          { maxAge: 100 },
          'id_token_auth_time',
        ],
      ];
      for (const [title, changes, asked, code] of cases) {
        it(`OIDC Core §3.1.3.7 ${title}: ${code ?? 'accepted'}`, async () => {
          const token = await sign(JSON.stringify({ ...claims(), ...changes() }));
          const expected = { ...EXPECTED, login: { ...EXPECTED.login, ...asked } };
          const outcome = await attemptAsync(() => verifier()(token, expected));
          expect('problem' in outcome ? outcome.problem.code : undefined).to.equal(code);
        });
      }
    });

    describe('organization of SalesOS', () => {
      const cases: [string, JsonObject, string, string?][] = [
        ['an id with capitals', { org_id: 'org_aB' }, 'org_aB'],
        ['an id in other letters', { org_id: 'org_ab' }, 'org_aB', 'id_token_organization'],
        ['a name that ends like an id begins', { org_name: 'my_org_' }, 'My_org_'],
      ];
      for (const [title, named, organization, code] of cases) {
        it(`salesos 5.2 — ${title}: ${code ?? 'accepted'}`, () => {
          const verified = { ...claims(), ...named };
          const outcome = attempt(() => salesos.checkIdToken?.(verified, { organization }));
          expect('problem' in outcome ? outcome.problem.code : undefined).to.equal(code);
        });
      }

      it('salesos 5.2 — any claims are of the organization or a problem', () => {
        const name = fc.oneof(fc.constantFrom('org_1', 'org_2', 'acme', 'Acme', ''), text());
        const good = { org_id: 'org_1', org_name: 'acme' };
        fc.assert(
          fc.property(fieldsOf(good), name, (body, organization) => {
            const { org_id: id, org_name: ownName } = JSON.parse(body) as JsonObject;
            const verified = { ...claims(), org_id: id, org_name: ownName };
            const outcome = attempt(() => salesos.checkIdToken?.(verified, { organization }));
            const isAsked = organization.startsWith('org_')
              ? id === organization
              : ownName === organization.toLowerCase();
            expect('value' in outcome).to.equal(isAsked);
          }),
          SETTINGS,
        );
      });
    });
  });
});
