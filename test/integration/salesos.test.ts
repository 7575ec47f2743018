import { expect } from 'chai';
import { startEmulator } from 'crm-emulator';
import type { TokenFault } from 'crm-emulator';
import SalesosStrategy from 'passport-salesos';
import { CALLBACK, describeProvider, expectSilence } from '../describe-provider';
import { Browser } from '../support/browser';
import { expectVerb, requestFor, run } from '../support/passport-run';

type IdTokenFault = Omit<Extract<TokenFault, { kind: 'id-token' }>, 'step' | 'kind' | 'times'>;

const HOUR = 3_600;

describeProvider(
  'salesos',
  {
    create: (emulator, settings) =>
      new SalesosStrategy({ ...emulator.salesos.options, ...settings }),
    requestsPerLogin: 1,
    keys: true,
    refresh: { scope: ['openid', 'profile', 'email', 'offline_access'], rotates: true },
    clientCredentials: true,
    profile: {
      step: 'userinfo',
      settings: { userInfo: true },
      redirected: 'unexpected_redirect',
    },
  },
  ({ emulator, create, begin, finish, attempt, login, failure }) => {
    const now = Math.floor(Date.now() / 1000);
    const lies: [string, IdTokenFault, string][] = [
      ['is not signed (alg none)', { alg: 'none' }, 'id_token_algorithm'],
      ['is signed with the public key (HS256)', { alg: 'HS256' }, 'id_token_algorithm'],
      ['names an unknown key', { alg: 'unknown-kid' }, 'id_token_unknown_key'],
      ['names no key, of two', { alg: 'no-kid' }, 'id_token_unknown_key'],
      ['brings its own key', { alg: 'embedded-jwk' }, 'id_token_unknown_key'],
      ['has a bad signature', { alg: 'bad-signature' }, 'id_token_signature'],
      ['has another nonce', { claims: { nonce: 'another' } }, 'id_token_nonce'],
      ['has no nonce', { claims: { nonce: null } }, 'id_token_nonce'],
      ['is of another issuer', { claims: { iss: 'https://evil.example/' } }, 'id_token_issuer'],
      ['is for another client', { claims: { aud: 'another-client' } }, 'id_token_audience'],
      [
        'is for several clients, and does not say for which',
        { claims: { aud: ['salesos-client', 'another-client'] } },
        'id_token_audience',
      ],
      [
        'was issued to another client',
        { claims: { aud: ['salesos-client', 'another-client'], azp: 'another-client' } },
        'id_token_audience',
      ],
      ['has expired', { claims: { exp: now - HOUR, iat: now - 2 * HOUR } }, 'id_token_expired'],
      ['never expires', { claims: { exp: null } }, 'id_token_claim'],
      ['comes from the future', { claims: { iat: now + HOUR } }, 'id_token_not_yet_valid'],
      ['has no subject', { claims: { sub: null } }, 'id_token_claim'],
      [
        'belongs to another access token',
        { claims: { at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' } },
        'id_token_access_token',
      ],
    ];
    for (const [what, lie, code] of lies) {
      it(`OIDC Core §3.1.3.7 — refuses an ID Token that ${what}`, async () => {
        emulator().salesos.fault({ step: 'token', kind: 'id-token', ...lie });
        const error = await failure(create());
        expect(error).to.include({ code, provider: 'salesos', stage: 'id_token' });
        expect(error.hint).to.be.a('string');
        expectSilence(error, [emulator().salesos.clientSecret, 'marta.quill']);
      });
    }

    it('salesos 1.1 — refuses the issuer without its trailing slash', async () => {
      const iss = emulator().salesos.origin;
      emulator().salesos.fault({ step: 'token', kind: 'id-token', claims: { iss } });
      expect(await failure(create())).to.include({ code: 'id_token_issuer' });
    });

    it('salesos 8 — fails when no ID Token comes, and names the likely cause', async () => {
      emulator().salesos.fault({ step: 'token', kind: 'patch', merge: { id_token: null } });
      const error = await failure(create());
      expect(error).to.include({ code: 'id_token_missing', stage: 'id_token' });
      expect(error.hint).to.contain('tpc_');
    });

    it('OIDC Core §5.3.2 — refuses UserInfo of another person', async () => {
      emulator().salesos.fault({
        step: 'userinfo',
        kind: 'patch',
        merge: { sub: 'auth0|somebody-else' },
      });
      expect(await failure(create({ userInfo: true }))).to.include({
        code: 'subject_mismatch',
        stage: 'profile',
      });
    });

    it('salesos 5.3 — has the whole sub for an id, and says what is not verified', async () => {
      const { profile, tokens } = await login(create(), 'Zoë Ångström');
      expect(profile.id)
        .to.match(/^auth0\|[0-9a-f]{24}$/)
        .and.equal(tokens.claims?.sub);
      expect(profile).to.include({ connection: 'auth0' });
      expect(profile.emails).to.deep.equal([
        { value: 'zoe.angstrom@example.com', verified: false },
      ]);
      expect(profile.photos?.[0]?.value).to.match(/^https?:\/\/\S+$/);
    });

    it('salesos 5.1 — asks UserInfo only when the claims say nothing', async () => {
      const strategy = create({ scope: ['openid'] });
      await attempt(strategy, 'Marta Quill');
      const paths = async (one: typeof strategy) =>
        (await attempt(one, 'Marta Quill')).requests
          .map(({ path }) => path)
          .filter((path) => path !== '/.well-known/jwks.json');
      expect(await paths(strategy)).to.deep.equal(['/oauth/token', '/userinfo']);
      expect(await paths(create({ userInfo: true }))).to.deep.equal(['/oauth/token', '/userinfo']);
      expect(await paths(create())).to.deep.equal(['/oauth/token']);
    });

    it('salesos 4.2 — gets no refresh token without offline_access, and logs in', async () => {
      expect((await login(create())).tokens).not.to.have.property('refreshToken');
    });

    it('salesos 2 — fails the login when the person must be asked despite prompt none', async () => {
      const strategy = create();
      const session = {};
      const url = await begin(strategy, session, { prompt: 'none' });
      const callback = await new Browser().signIn(url, 'not asked');
      const { info, status } = expectVerb(await finish(strategy, callback, session), 'fail');
      expect(status).to.equal(401);
      expect(info).to.include({ code: 'login_required' });
    });

    it('salesos 7.3 — fails the login of a blocked person', async () => {
      const { outcome } = await attempt(create(), 'Dario Plum');
      expect(expectVerb(outcome, 'fail').status).to.equal(401);
    });

    it('OIDC Core §10.1.1 — verifies with a new key after the provider has rotated', async () => {
      const strategy = create();
      await login(strategy);
      await emulator().salesos.rotateKeys();
      expect((await login(strategy)).profile.displayName).to.equal('Marta Quill');
      // The keys that a login asked for are not asked for again at once.
      await emulator().salesos.rotateKeys();
      expect(await failure(strategy)).to.include({ code: 'id_token_unknown_key' });
      expect((await login(create())).profile.displayName).to.equal('Marta Quill');
    });

    describe('with other settings of the tenant', () => {
      it('RFC 6749 §6 — keeps the refresh token of a tenant that does not rotate', async () => {
        const still = await startEmulator({ refreshTokenRotation: { salesos: false } });
        const strategy = new SalesosStrategy(
          {
            ...still.salesos.options,
            callbackURL: CALLBACK,
            scope: 'openid profile email offline_access',
          },
          (_access, refreshToken, _profile, done) => done(null, { refreshToken }),
        );
        try {
          const session = {};
          const start = await run(strategy, requestFor('http://127.0.0.1:3000/auth', session));
          const url = expectVerb(start, 'redirect').url;
          const callback = await new Browser().signIn(url, 'Suri');
          const outcome = await run(strategy, requestFor(callback, session));
          const { refreshToken } = expectVerb(outcome, 'success').user as { refreshToken: string };
          const fresh = await strategy.client.refreshTokenGrant(refreshToken);
          expect(fresh.response).not.to.have.property('refresh_token');
          expect(fresh.refreshToken).to.equal(refreshToken);
        } finally {
          strategy.client.close();
          await still.close();
        }
      });

      it('RFC 9207 §2 — accepts the iss of a tenant that sends it', async () => {
        const sending = await startEmulator({ sendIss: true });
        const verify = ({ profile }: { profile: { displayName: string } }) => profile.displayName;
        const strategy = new SalesosStrategy({
          ...sending.salesos.options,
          callbackURL: CALLBACK,
          verify,
        });
        try {
          const session = {};
          const start = await run(strategy, requestFor('http://127.0.0.1:3000/auth', session));
          const callback = await new Browser().signIn(expectVerb(start, 'redirect').url, 'Suri');
          expect(new URL(callback).searchParams.get('iss')).to.equal(
            sending.salesos.options.issuer,
          );
          const outcome = await run(strategy, requestFor(callback, session));
          expect(expectVerb(outcome, 'success').user).to.equal('Suri');
        } finally {
          strategy.client.close();
          await sending.close();
        }
      });
    });
  },
);
