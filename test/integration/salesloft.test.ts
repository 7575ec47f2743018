import { expect } from 'chai';
import { rejection } from 'crm-oauth2/testing';
import SalesloftStrategy from 'passport-salesloft';
import { describeProvider } from '../describe-provider';

describeProvider(
  'salesloft',
  {
    create: (emulator, settings) =>
      new SalesloftStrategy({ ...emulator.salesloft.options, ...settings }),
    requestsPerLogin: 2,
    keys: false,
    refresh: { rotates: true },
    clientCredentials: true,
    profile: { step: 'profile', redirected: 'unexpected_redirect' },
  },
  ({ emulator, create, login, failure }) => {
    it('salesloft 5.2 — fills guid, team and the other extras', async () => {
      const { profile } = await login(create());
      expect(profile).to.include({ active: true, timeZone: 'Europe/Lisbon', teamAdmin: true });
      expect(profile)
        .to.have.property('guid')
        .that.matches(/^[0-9a-f-]{36}$/);
      expect(profile).to.have.property('teamId').that.matches(/^\d+$/);
    });

    it('salesloft 5.1 — lets a deactivated user in, and says so', async () => {
      const { profile } = await login(create(), 'Dario Plum');
      expect(profile).to.include({ displayName: 'Dario Plum', active: false });
    });

    it('salesloft 4.2 — counts expiry from the request', async () => {
      const before = Date.now();
      const { tokens } = await login(create());
      expect(tokens.expiresAt).to.be.within(before + 7_200_000, Date.now() + 7_200_000);
    });

    for (const body of [{}, { data: null }, { data: [] }, { data: { name: 'Nobody' } }]) {
      it(`salesloft 5.2 — refuses ${JSON.stringify(body)} as a profile`, async () => {
        emulator().salesloft.fault({ step: 'profile', kind: 'json', body });
        expect(await failure(create())).to.include({ code: 'invalid_profile', stage: 'profile' });
      });
    }

    it('salesloft 9 — revokes an access token, and the profile is gone', async () => {
      const strategy = create();
      const { tokens } = await login(strategy);
      await strategy.client.revokeToken(tokens.accessToken);
      expect(await rejection(strategy.client.fetchProfile(tokens))).to.include({
        code: 'invalid_token',
        stage: 'profile',
        status: 401,
      });
    });

    it('salesloft 4.4 — reads the administrator behind a token for the app', async () => {
      const { client } = create();
      const tokens = await client.clientCredentialsGrant();
      expect((await client.fetchProfile(tokens)).displayName).to.equal('Marta Quill');
    });
  },
);
