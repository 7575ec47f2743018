import { expect } from 'chai';
import { startEmulator } from 'crm-emulator';
import type { Emulator } from 'crm-emulator';
import { rejection } from 'crm-oauth2/testing';
import SalesforceStrategy from 'passport-salesforce-oauth2';
import { CALLBACK, describeProvider } from '../describe-provider';
import { Browser } from '../support/browser';
import { expectVerb, requestFor, run } from '../support/passport-run';

describeProvider(
  'salesforce',
  {
    create: (emulator, settings) =>
      new SalesforceStrategy({ ...emulator.salesforce.options, ...settings }),
    requestsPerLogin: 2,
    keys: true,
    refresh: { scope: ['openid', 'id', 'profile', 'email', 'refresh_token'], rotates: false },
    clientCredentials: false,
    profile: { step: 'profile', redirected: 'untrusted_host' },
  },
  ({ emulator, create, begin, finish, attempt, login, failure }) => {
    it('salesforce 5.5 — has org18/user18 for an id, and the extras', async () => {
      const { profile, tokens } = await login(create(), 'Zoë Ångström');
      expect(profile.id).to.match(/^00D\w{15}\/005\w{15}$/);
      expect(profile).to.include({
        instanceUrl: emulator().salesforce.origin,
        username: 'zoe.angstrom@emulator.invalid',
        userType: 'STANDARD',
        timeZone: 'Europe/Stockholm',
      });
      expect(profile.emails).to.deep.equal([
        { value: 'zoe.angstrom@example.com', verified: false },
      ]);
      expect(tokens.response).not.to.have.property('expires_in');
      expect(tokens.subject).to.equal(profile.id);
      expect(profile).to.have.nested.property('urls.custom_domain');
    });

    it('salesforce 5.2 — tolerates an identity without urls', async () => {
      expect((await login(create(), 'Tobias Fenn')).profile).not.to.have.property('urls');
    });

    it('salesforce 6 — refuses a wrong signature, and asks nothing further', async () => {
      emulator().salesforce.fault({ step: 'token', kind: 'wrong-signature' });
      const { outcome, requests } = await attempt(create(), 'Marta Quill');
      expect(expectVerb(outcome, 'error').error).to.include({
        code: 'signature_mismatch',
        stage: 'token',
      });
      expect(requests.map(({ path }) => path)).to.deep.equal(['/services/oauth2/token']);
    });

    it('salesforce 6 — refuses a signature that was left out or is over another id', async () => {
      const { salesforce } = emulator();
      salesforce.fault({ step: 'token', kind: 'patch', merge: { signature: null } });
      expect(await failure(create())).to.include({ code: 'signature_missing' });
      const id = `${salesforce.origin}/id/00DLocalEmulatrAAA/005Le0000048202AAA`;
      salesforce.fault({ step: 'token', kind: 'patch', merge: { id } });
      expect(await failure(create())).to.include({ code: 'signature_mismatch' });
    });

    const hostile = [
      'https://evil.example',
      'https://evilsalesforce.com',
      'https://salesforce.com.evil.test',
      'https://evilcrmforce.mil',
      'http://acme.my.salesforce.com',
      'http://127.0.0.2:9',
      'http://localhost',
      'https://acme.file.force.com',
      'file:///etc/passwd',
      'not a URL',
    ];
    for (const url of hostile) {
      it(`salesforce 1.3 — takes the token nowhere when instance_url is ${url}`, async () => {
        emulator().salesforce.fault({
          step: 'token',
          kind: 'patch',
          merge: { instance_url: url },
        });
        const strategy = create({ scope: ['id'] });
        const { outcome, requests } = await attempt(strategy, 'Marta Quill');
        expect(expectVerb(outcome, 'error').error).to.include({
          code: 'untrusted_host',
          provider: 'salesforce',
          stage: 'token',
        });
        expect(requests.map(({ path }) => path)).to.deep.equal(['/services/oauth2/token']);
      });
    }

    it('salesforce 5.3 — follows a redirect within the configured host', async () => {
      const { salesforce } = emulator();
      const { userId, organizationId } = (await login(create())).profile as unknown as Record<
        string,
        string
      >;
      const location = `/id/${organizationId}/${userId}?format=json`;
      salesforce.fault({ step: 'profile', kind: 'redirect', location });
      const { outcome, requests } = await attempt(create({ scope: ['id'] }), 'Marta Quill');
      expectVerb(outcome, 'success');
      expect(requests.map(({ status }) => status)).to.deep.equal([200, 302, 200]);
    });

    it('salesforce 5.1 — refuses an identity that is not asserted, or of another person', async () => {
      const { salesforce } = emulator();
      salesforce.fault({ step: 'profile', kind: 'patch', merge: { asserted_user: false } });
      expect(await failure(create())).to.include({ code: 'not_asserted', stage: 'profile' });
      salesforce.fault({
        step: 'profile',
        kind: 'patch',
        merge: { user_id: '005Le0000048299AAA' },
      });
      expect(await failure(create())).to.include({ code: 'subject_mismatch', stage: 'profile' });
    });

    it('salesforce 7.3 — says insufficient_scope when the app may not read the identity', async () => {
      const { outcome } = await attempt(create({ scope: ['openid'] }), 'Marta Quill');
      const { error } = expectVerb(outcome, 'error');
      expect(error).to.include({ code: 'insufficient_scope', stage: 'profile', status: 403 });
      expect((error as Error).message).to.contain('No_Access');
    });

    describe('with an org of its own origin', () => {
      let apart: Emulator;
      before(async () => {
        apart = await startEmulator({ origins: { org: true, issuer: 'org' } });
      });
      after(() => apart.close());

      it('salesforce 5.4 — believes the ID Token of the org, by the keys of the org', async () => {
        const strategy = new SalesforceStrategy(
          { ...apart.salesforce.options, callbackURL: CALLBACK },
          () => undefined,
        );
        const { login: loginHost, org } = apart.salesforce.origins;
        for (const iss of [undefined, org]) {
          const { client } = strategy;
          const begun = client.beginLogin({ redirectUri: CALLBACK });
          const browser = new Browser();
          const came = new URL(await browser.signIn(begun.url, 'Marta Quill'));
          const parameters = { ...Object.fromEntries(came.searchParams), ...(iss && { iss }) };
          const response = await client.validateAuthorizationResponse(
            parameters,
            () => begun.attempt,
          );
          const tokens = await client.authorizationCodeGrant(response);
          expect(tokens.claims?.iss).to.equal(org);
          expect(new URL(tokens.response.id as string).origin).to.equal(loginHost);
          expect((await client.fetchProfile(tokens)).id).to.equal(tokens.subject);
        }
      });
    });

    it('salesforce 5.4 — verifies an ID Token that comes, and works without one', async () => {
      const { salesforce } = emulator();
      salesforce.fault({ step: 'token', kind: 'id-token', alg: 'bad-signature' });
      expect(await failure(create())).to.include({
        code: 'id_token_signature',
        stage: 'id_token',
      });
      salesforce.fault({
        step: 'token',
        kind: 'id-token',
        claims: { iss: 'https://other.my.salesforce.com' },
      });
      expect(await failure(create())).to.include({ code: 'id_token_issuer' });
      salesforce.fault({
        step: 'token',
        kind: 'id-token',
        claims: { sub: `${salesforce.origin}/id/00DLocalEmulatrAAA/005Le0000048299AAA` },
      });
      expect(await failure(create())).to.include({ code: 'subject_mismatch' });
      expect((await login(create({ scope: ['id'] }))).tokens).not.to.have.property('claims');
    });

    it('salesforce 7.1 — fails when the person must be asked despite immediate', async () => {
      const strategy = create();
      const session = {};
      const url = await begin(strategy, session, { immediate: true });
      const callback = await new Browser().signIn(url, 'not asked');
      const { info, status } = expectVerb(await finish(strategy, callback, session), 'fail');
      expect(status).to.equal(401);
      expect(info).to.include({ code: 'immediate_unsuccessful' });
    });

    it('salesforce 7.1 — fails the login of a frozen person', async () => {
      const { info, status } = expectVerb((await attempt(create(), 'Dario Plum')).outcome, 'fail');
      expect(status).to.equal(401);
      expect(info).to.include({ code: 'inactive_user' });
    });

    it('salesforce 4.1 — reports client credentials that are not enabled', async () => {
      expect(await rejection(create().client.clientCredentialsGrant())).to.include({
        code: 'invalid_grant',
        stage: 'client_credentials',
      });
    });

    it('salesforce 9 — revokes an access token, and the identity is gone', async () => {
      const strategy = create();
      const { tokens } = await login(strategy);
      await strategy.client.revokeToken(tokens.accessToken);
      expect(await rejection(strategy.client.fetchProfile(tokens))).to.include({
        code: 'invalid_token',
        status: 403,
      });
    });

    it('salesforce 4.3 — takes the new refresh token of an app that rotates', async () => {
      const rotating = await startEmulator({ refreshTokenRotation: { salesforce: true } });
      const strategy = new SalesforceStrategy(
        { ...rotating.salesforce.options, callbackURL: CALLBACK, scope: 'id refresh_token' },
        (_access, refreshToken, _profile, done) => done(null, { refreshToken }),
      );
      try {
        const session = {};
        const start = await run(strategy, requestFor('http://127.0.0.1:3000/auth', session));
        const callback = await new Browser().signIn(expectVerb(start, 'redirect').url, 'Suri');
        const outcome = await run(strategy, requestFor(callback, session));
        const { refreshToken } = expectVerb(outcome, 'success').user as { refreshToken: string };
        const fresh = await strategy.client.refreshTokenGrant(refreshToken);
        expect(fresh.refreshToken).to.be.a('string').and.not.equal(refreshToken);
        expect(await rejection(strategy.client.refreshTokenGrant(refreshToken))).to.include({
          code: 'invalid_grant',
        });
        expect(
          await rejection(strategy.client.refreshTokenGrant(fresh.refreshToken ?? '')),
        ).to.include({ code: 'invalid_grant' });
      } finally {
        strategy.client.close();
        await rotating.close();
      }
    });
  },
);
