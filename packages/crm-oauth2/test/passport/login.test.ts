/** Questions of a login that its ID Token must answer: they are checked, or the login does not begin. */
import { expect } from 'chai';
import nock = require('nock');
import { strategyFor } from '../../dist/passport';
import type { AuthenticateOptions } from '../../dist/passport';
import { Problem, providerCode } from '../../dist/provider';
import type { ProviderDescription } from '../../dist/provider';
import { ORIGIN, acmeDescription, acmeWith, mockTheNetwork } from '../support';
import type { AcmeOptions } from '../support';
import { OPTIONS, callback, request, run, start } from './support';
import type { AcmeStrategy, Outcome } from './support';

let publicKeys: object;
let sign: (claims: Record<string, unknown>) => Promise<string>;
const verify = ({ profile }: { profile: { id: string } }) => ({ id: profile.id });

const OPENID: Partial<ProviderDescription<AcmeOptions>> = {
  endpoints: (options) => ({ ...acmeDescription.endpoints(options), jwksUri: `${ORIGIN}/keys` }),
  scope: ['openid', 'read'],
  idToken: 'when present',
  boundParameters: ['organization'],
  checkIdToken: (claims, { organization }) => {
    if (claims.org_id !== organization) {
      throw new Problem(providerCode('wrong_organization'), 'the ID Token is of another one');
    }
  },
};

/** How an application asks: on the strategy, or in the call of `authenticate`. */
interface Way {
  description?: Partial<ProviderDescription<AcmeOptions>>;
  strategyOptions?: object;
  hook?: object;
  options?: AuthenticateOptions;
}

function make({ description = {}, strategyOptions = {}, hook = {} }: Way): AcmeStrategy {
  class Asking extends strategyFor(acmeWith({ ...OPENID, ...description })) {
    override authorizationParams(): object {
      return hook;
    }
  }
  return new Asking({ ...OPTIONS, ...strategyOptions, verify });
}

const WAYS: [string, Way][] = [
  ['the options of authenticate', { options: { maxAge: 60, organization: 'org_1' } }],
  ['authorizationParams()', { hook: { max_age: 60, organization: 'org_1' } }],
  ['authorizationParams(), as text', { hook: { max_age: '60', organization: 'org_1' } }],
  [
    'the authorization endpoint',
    {
      strategyOptions: {
        authorizationURL: `${ORIGIN}/authorize?max_age=60&organization=org_1`,
      },
    },
  ],
  [
    'the description',
    {
      description: { requestParameters: () => ({ max_age: '60', organization: 'org_1' }) },
    },
  ],
];

const secondsAgo = (seconds: number) => Math.floor(Date.now() / 1000) - seconds;

describe('login', () => {
  before(async () => {
    const { SignJWT, exportJWK, generateKeyPair } = await import('jose');
    const { privateKey, publicKey } = await generateKeyPair('RS256');
    publicKeys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'key-1', alg: 'RS256' }] };
    sign = async (claims) =>
      await new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', kid: 'key-1' })
        .setIssuedAt()
        .setExpirationTime('5 min')
        .sign(privateKey);
  });
  mockTheNetwork();
  beforeEach(() => {
    nock(ORIGIN).persist().get('/keys').optionally().reply(200, publicKeys);
  });

  /** A login whose ID Token has these claims, if it has any. */
  async function login(way: Way, claims: object | undefined): Promise<Outcome> {
    const strategy = make(way);
    const session = {};
    const { state, url } = await start(strategy, session, way.options);
    const own = {
      iss: `${ORIGIN}/`,
      aud: 'client-1',
      sub: 'zoe',
      name: 'Zoë',
      nonce: url.searchParams.get('nonce'),
    };
    const idToken = claims && (await sign({ ...own, ...claims }));
    nock(ORIGIN).post('/token').reply(200, { access_token: 'at-zoe', id_token: idToken });
    nock(ORIGIN).get('/me').optionally().reply(200, { sub: 'zoe' });
    return await run(strategy, callback(session, { code: 'code-1', state }));
  }

  function expectFault(outcome: Outcome, code: string): void {
    expect(outcome.verb).to.equal('error');
    expect(outcome.values[0]).to.include({ name: 'InternalOAuthError', stage: 'id_token', code });
  }

  async function expectRefused(way: Way, message: RegExp): Promise<void> {
    const session = {};
    const { verb, values } = await run(make(way), request({ session }), way.options);
    expect(verb).to.equal('error');
    expect(values[0]).to.be.instanceOf(TypeError);
    expect((values[0] as Error).message).to.match(message);
    expect(session).to.deep.equal({});
  }

  for (const [title, way] of WAYS) {
    describe(`a question of ${title}`, () => {
      it('OIDC Core §3.1.2.1 — is asked, and kept with the attempt', async () => {
        const session: Record<string, unknown> = {};
        const { url } = await start(make(way), session, way.options);
        expect(Object.fromEntries(url.searchParams)).to.include({
          max_age: '60',
          organization: 'org_1',
        });
        const [pending] = session['oauth2:acme'] as object[];
        expect(pending).to.deep.include({ maxAge: 60, asked: { organization: 'org_1' } });
        expect(JSON.stringify(pending).length).to.be.at.most(400);
      });

      it('OIDC Core §3.1.3.7 — lets the person in whose ID Token answers it', async () => {
        const claims = { auth_time: secondsAgo(10), org_id: 'org_1' };
        const { verb, values } = await login(way, claims);
        expect(verb, String(values[0])).to.equal('success');
        expect(values[0]).to.deep.equal({ id: 'zoe' });
      });

      for (const [what, claims, code] of [
        ['says nothing of it', {}, 'id_token_auth_time'],
        [
          'names a sign-in of an hour ago',
          { auth_time: secondsAgo(3600), org_id: 'org_1' },
          'id_token_auth_time',
        ],
        ['names another organization', { org_id: 'org_2' }, 'wrong_organization'],
        ['names no organization', { org_id: undefined }, 'wrong_organization'],
      ] as [string, object, string][]) {
        it(`OIDC Core §3.1.3.7 — fails when the ID Token ${what}`, async () => {
          const fresh = code === 'wrong_organization' ? { auth_time: secondsAgo(10) } : {};
          expectFault(await login(way, { ...fresh, ...claims }), code);
        });
      }

      it('OIDC Core §3.1.3.3 — fails when no ID Token comes', async () => {
        expectFault(await login(way, undefined), 'id_token_missing');
      });

      it('OIDC Core §3.1.2.1 — is a TypeError without the scope openid', async () => {
        for (const scope of ['read', ['read'], '']) {
          const options = { ...way.options, scope };
          await expectRefused(
            { ...way, options },
            /^Acme: "max_age" is checked in the ID Token, and this login asks for none \(scope "openid"\)$/,
          );
        }
      });

      it('OIDC Core §2 — is a TypeError at a provider without ID Tokens', async () => {
        const description = { ...way.description, idToken: 'none' } as const;
        await expectRefused({ ...way, description }, /"max_age" is checked in the ID Token/);
      });
    });
  }

  for (const [title, way] of [
    ['options', { options: { organization: 'org_1', scope: 'read' } }],
    ['hook', { hook: { organization: 'org_1' }, options: { scope: 'read' } }],
  ] as [string, Way][]) {
    it(`a bound parameter alone is a TypeError without the scope openid (${title})`, async () => {
      await expectRefused(way, /^Acme: "organization" is checked in the ID Token/);
    });
  }

  for (const options of [{ maxAge: 60 }, { organization: 'org_1' }]) {
    it(`OIDC Core §3.1.3.3 — ${Object.keys(options).join()} alone needs an ID Token`, async () => {
      expectFault(await login({ options }, undefined), 'id_token_missing');
    });
  }

  it('asks nothing where there is no question', async () => {
    for (const way of [
      { options: { maxAge: undefined, organization: undefined } },
      { options: { maxAge: null, organization: null } as unknown as AuthenticateOptions },
      { hook: { max_age: undefined, organization: null } },
    ] as Way[]) {
      const session: Record<string, unknown> = {};
      const { url } = await start(make(way), session, way.options);
      expect(url.searchParams.has('max_age')).to.equal(false);
      expect(url.searchParams.has('organization')).to.equal(false);
      const [pending] = session['oauth2:acme'] as object[];
      expect(pending).not.to.have.any.keys('maxAge', 'asked');
    }
  });

  it('keeps the question that is sent when hook and options differ', async () => {
    const way: Way = {
      hook: { organization: 'org_of_the_hook' },
      options: { organization: 'org_of_the_options' },
    };
    const session: Record<string, unknown> = {};
    const { url } = await start(make(way), session, way.options);
    const [pending] = session['oauth2:acme'] as { asked: { organization: string } }[];
    expect(pending?.asked.organization).to.equal(url.searchParams.get('organization'));
  });

  it('OIDC Core §3.1.2.1 — takes max_age 0 for a question', async () => {
    const way: Way = { options: { maxAge: 0 } };
    expectFault(await login(way, { auth_time: secondsAgo(3600) }), 'id_token_auth_time');
    expect((await login(way, { auth_time: secondsAgo(1) })).verb).to.equal('success');
  });

  for (const value of ['soon', '', -1, 1.5, '60,70', [60, 70], true]) {
    it(`OIDC Core §3.1.2.1 — refuses max_age ${JSON.stringify(value)}`, async () => {
      await expectRefused({ hook: { max_age: value } }, /^Acme: "max_age" must be/);
      const options = { maxAge: value } as unknown as AuthenticateOptions;
      await expectRefused({ options }, /^Acme: "max_age" must be/);
    });
  }

  for (const value of ['', 7, true, ['org_1'], { id: 'org_1' }]) {
    it(`refuses a bound parameter that is ${JSON.stringify(value)}`, async () => {
      await expectRefused({ hook: { organization: value } }, /^Acme: "organization" must be/);
      const options = { organization: value } as unknown as AuthenticateOptions;
      await expectRefused({ options }, /^Acme: "organization" must be/);
    });
  }

  it('refuses a question that the authorization endpoint asks twice', async () => {
    const authorizationURL = `${ORIGIN}/authorize?organization=org_1&organization=org_2`;
    await expectRefused(
      { strategyOptions: { authorizationURL } },
      /^Acme: "organization" must be one non-empty value$/,
    );
  });
});
