/** Which organization signed in, offline access, the redirect URI and the logout, against the emulator. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect } from 'chai';
import { startEmulator } from 'crm-emulator';
import type { Emulator } from 'crm-emulator';
import type { DiagnosticsEvent, Profile, TokenSet } from 'crm-oauth2';
import type { VerifyContext } from 'crm-oauth2/passport';
import SalesforceStrategy from 'passport-salesforce-oauth2';
import SalesloftStrategy from 'passport-salesloft';
import SalesosStrategy from 'passport-salesos';
import { Browser } from '../support/browser';
import { expectVerb, requestFor, run } from '../support/passport-run';
import type { Outcome, RunnableStrategy } from '../support/passport-run';

const START = 'http://127.0.0.1:3000/auth';
const CALLBACK = `${START}/callback`;

/** The org of everyone but Kay Lund, and hers. */
const OWN = '00DLocalEmulatrMIA';
const FOREIGN = '00Dxx0000001gPFEAY';
const OWN_TEAM = '111800';
const FOREIGN_TEAM = '42';

interface Settings {
  allowedOrganizations?: readonly string[];
  offline?: boolean;
  scope?: readonly string[];
  skipUserProfile?: boolean;
  extrasFromQuery?: readonly string[];
}

describe('organizations', () => {
  let emulator: Emulator;
  before(async () => {
    emulator = await startEmulator({
      origins: { myDomain: true },
      people: [
        { name: 'Ida Berg', admin: true },
        {
          name: 'Kay Lund',
          organizationId: FOREIGN.slice(0, 15),
          teamId: Number(FOREIGN_TEAM),
          organizations: ['pine-street-cycles'],
        },
      ],
    });
  });
  afterEach(() => {
    for (const name of ['salesloft', 'salesos', 'salesforce'] as const) {
      emulator[name].clearFaults();
    }
  });
  after(() => emulator.close());

  const verify = ({ tokens, profile, warnings }: VerifyContext<Profile | undefined>) => ({
    tokens,
    profile: profile!,
    warnings,
  });
  type User = ReturnType<typeof verify>;

  const create = {
    salesloft: (settings: Settings = {}) => {
      const { options } = emulator.salesloft;
      return new SalesloftStrategy({ ...options, callbackURL: CALLBACK, verify, ...settings });
    },
    salesos: (settings: Settings = {}) => {
      const { options } = emulator.salesos;
      return new SalesosStrategy({ ...options, callbackURL: CALLBACK, verify, ...settings });
    },
    salesforce: (settings: Settings = {}) => {
      const { options } = emulator.salesforce;
      return new SalesforceStrategy({ ...options, callbackURL: CALLBACK, verify, ...settings });
    },
  };

  /** Signs in and comes back; `spoil` may change what the session keeps meanwhile. */
  async function attempt(
    strategy: RunnableStrategy,
    who: string,
    {
      options = {},
      query = '',
      spoil = () => undefined,
    }: {
      options?: object;
      query?: string;
      spoil?: (session: Record<string, unknown>) => void;
    } = {},
  ): Promise<Outcome> {
    const session: Record<string, unknown> = {};
    const start = await run(strategy, requestFor(START + query, session), options);
    const callback = await new Browser().signIn(expectVerb(start, 'redirect').url, who);
    spoil(session);
    return await run(strategy, requestFor(callback, session));
  }

  const userOf = (outcome: Outcome) => expectVerb(outcome, 'success').user as User;

  describe('allowedOrganizations', () => {
    const isRefused = (outcome: Outcome, named: string) => {
      const { info, status } = expectVerb(outcome, 'fail');
      expect(status).to.equal(403);
      expect(info).to.include({ code: 'organization_not_allowed' });
      expect(info).to.have.property('message').that.includes(named);
    };

    for (const [name, own, foreign] of [
      ['salesforce', OWN, FOREIGN],
      ['salesforce', OWN.slice(0, 15), FOREIGN.slice(0, 15)],
      ['salesloft', OWN_TEAM, FOREIGN_TEAM],
    ] as const) {
      const named = name === 'salesforce' ? FOREIGN : FOREIGN_TEAM;

      it(`${name} — admits ${own}, and names the organization of others`, async () => {
        const strategy = create[name]({ allowedOrganizations: [own] });
        expect(userOf(await attempt(strategy, 'Ida Berg')).profile.displayName).to.equal(
          'Ida Berg',
        );
        isRefused(await attempt(strategy, 'Kay Lund'), named);
      });

      it(`${name} — admits both with ${own} and ${foreign}`, async () => {
        const strategy = create[name]({ allowedOrganizations: [own, foreign] });
        for (const who of ['Ida Berg', 'Kay Lund']) {
          expect(userOf(await attempt(strategy, who)).profile.displayName).to.equal(who);
        }
      });
    }

    it('salesforce — compares the letters of an id as they are', async () => {
      const other = OWN.slice(0, 15).replace('Emulatr', 'eMULATR');
      isRefused(
        await attempt(create.salesforce({ allowedOrganizations: [other] }), 'Ida Berg'),
        OWN,
      );
    });

    it('salesforce — refuses without a profile too', async () => {
      const settings = { allowedOrganizations: [OWN], skipUserProfile: true };
      const strategy = create.salesforce(settings);
      isRefused(await attempt(strategy, 'Kay Lund'), FOREIGN);
      expect(userOf(await attempt(strategy, 'Ida Berg')).tokens.subject).to.include(OWN);
    });

    it('salesos — admits members by id and by name, and refuses another organization', async () => {
      const [bakery, cycles] = emulator.salesos.organizations;
      for (const allowed of [bakery!.id, bakery!.name]) {
        const strategy = create.salesos({ allowedOrganizations: [allowed] });
        const own = { options: { organization: bakery!.id } };
        const { tokens } = userOf(await attempt(strategy, 'Ida Berg', own));
        expect(tokens.claims).to.include({ org_id: bakery!.id, org_name: bakery!.name });
        const foreign = { options: { organization: cycles!.name } };
        isRefused(await attempt(strategy, 'Kay Lund', foreign), cycles!.name);
        // Without `organization`, Auth0 signs people in to none.
        isRefused(await attempt(strategy, 'Ida Berg'), 'no organization');
      }
    });
  });

  describe('salesos — organization and invitation', () => {
    it('refuses a person who is not a member', async () => {
      const options = { organization: 'pine-street-cycles' };
      const { info, status } = expectVerb(
        await attempt(create.salesos(), 'Ida Berg', { options }),
        'fail',
      );
      expect(status).to.equal(401);
      expect(info).to.include({ code: 'not_a_member' });
    });

    it('an invitation link signs its person in to the organization, once', async () => {
      const { invitation, organization } = emulator.salesos.invite(
        'Ida Berg',
        'pine-street-cycles',
      );
      const query = `?${new URLSearchParams({ invitation, organization }).toString()}`;
      const strategy = create.salesos({ extrasFromQuery: ['invitation', 'organization'] });
      const { tokens } = userOf(await attempt(strategy, 'Ida Berg', { query }));
      expect(tokens.claims).to.include({ org_id: organization });
      const { info } = expectVerb(await attempt(strategy, 'Ida Berg', { query }), 'fail');
      expect(info).to.include({ code: 'invalid_invitation' });
    });

    it('the query of a link says nothing where the application has not asked for it', async () => {
      const strategy = create.salesos();
      const start = requestFor(`${START}?organization=org_x&invitation=y`, {});
      const { url } = expectVerb(await run(strategy, start), 'redirect');
      const { searchParams } = new URL(url);
      expect([...searchParams.keys()]).to.not.include.members(['organization', 'invitation']);
    });

    it('an ID Token of another organization is refused', async () => {
      const claims = { org_id: 'org_Other0Emulator00' };
      emulator.salesos.fault({ step: 'token', kind: 'id-token', claims });
      const options = { organization: 'org_Local0Emulator00' };
      const { info } = expectVerb(await attempt(create.salesos(), 'Ida Berg', { options }), 'fail');
      expect(info).to.include({ code: 'id_token_organization' });
    });
  });

  describe('offline', () => {
    /** The warnings that are published while `act` runs. */
    async function warningsDuring(act: () => Promise<unknown>): Promise<DiagnosticsEvent[]> {
      const events: DiagnosticsEvent[] = [];
      const listen = (event: unknown) => void events.push(event as DiagnosticsEvent);
      subscribe('crm-oauth2', listen);
      try {
        await act();
      } finally {
        unsubscribe('crm-oauth2', listen);
      }
      return events.filter(({ event }) => event === 'login.warned');
    }

    for (const name of ['salesos', 'salesforce'] as const) {
      it(`${name} — gets a refresh token with it, and none without`, async () => {
        const { tokens, warnings } = userOf(
          await attempt(create[name]({ offline: true }), 'Ida Berg'),
        );
        expect(tokens.refreshToken).to.be.a('string');
        expect(warnings).to.equal(undefined);
        const without = userOf(await attempt(create[name](), 'Ida Berg'));
        expect(without.tokens).not.to.have.property('refreshToken');
        expect(without.warnings).to.equal(undefined);
      });

      it(`${name} — warns when none comes, in the outcome and as an event, and signs in`, async () => {
        let outcome: Outcome | undefined;
        emulator[name].fault({ step: 'token', kind: 'not-offline' });
        const events = await warningsDuring(async () => {
          outcome = await attempt(create[name]({ offline: true }), 'Ida Berg');
        });
        const { info } = expectVerb(outcome!, 'success');
        const { warnings } = userOf(outcome!);
        expect(warnings).to.have.lengthOf(1);
        expect(info).to.deep.equal({ warnings });
        const { code, message, hint } = warnings![0]!;
        expect(code).to.equal('refresh_token_missing');
        expect(message).to.match(new RegExp(`^${name}: the scope \\w+ was not granted$`));
        expect(hint).to.be.a('string').and.not.be.equal('');
        expect(events.map(({ code: told, hint: why }) => [told, why])).to.deep.equal([
          [code, hint],
        ]);
        expect(JSON.stringify(events)).not.to.include(userOf(outcome!).tokens.accessToken);
      });
    }

    it('salesloft — always gets one', async () => {
      const { tokens, warnings } = userOf(
        await attempt(create.salesloft({ offline: true }), 'Ida Berg'),
      );
      expect(tokens.refreshToken).to.be.a('string');
      expect(warnings).to.equal(undefined);
    });
  });

  describe('redirect_uri_mismatch', () => {
    const REPORTED = {
      salesloft: ['invalid_redirect_uri', 'The redirect URI is malformed or does not match.'],
      salesforce: ['redirect_uri_mismatch', 'redirect_uri must match configuration'],
    } as const;

    for (const name of ['salesloft', 'salesforce'] as const) {
      it(`${name} — names the URI that was sent, when the answer reports it`, async () => {
        const [error, error_description] = REPORTED[name];
        const merge = { error, error_description, code: null };
        emulator[name].fault({ step: 'callback', kind: 'patch', merge });
        const outcome = expectVerb(await attempt(create[name](), 'Ida Berg'), 'error');
        expect(outcome.error).to.include({ code: 'redirect_uri_mismatch' });
        expect(outcome.error).to.have.property('message').that.includes(CALLBACK);
      });
    }

    it('salesforce — names the URI that was sent, when the token endpoint refuses it', async () => {
      const sent = `${START}/elsewhere`;
      const spoil = (session: Record<string, unknown>) => {
        const [pending] = session['oauth2:salesforce'] as Record<string, unknown>[];
        pending!.redirectUri = sent;
      };
      const outcome = await attempt(create.salesforce(), 'Ida Berg', { spoil });
      const { error } = expectVerb(outcome, 'error');
      expect(error).to.include({ code: 'redirect_uri_mismatch', stage: 'token' });
      expect(error).to.have.property('message').that.includes(`sent: ${sent}`);
      expect(error).to.have.property('hint').that.includes('Setup');
    });

    it('salesos — names the URI that was sent, when the token endpoint refuses it', async () => {
      const error_description = 'The redirect URI is wrong.';
      const body = { error: 'invalid_grant', error_description };
      emulator.salesos.fault({ step: 'token', kind: 'json', status: 403, body });
      const { error } = expectVerb(await attempt(create.salesos(), 'Ida Berg'), 'error');
      expect(error).to.include({ code: 'redirect_uri_mismatch', stage: 'token' });
      expect(error).to.have.property('message').that.includes(`sent: ${CALLBACK}`);
      expect(error).to.have.property('hint').that.includes('Allowed Callback URLs');
    });
  });

  describe('logout', () => {
    const login = async (strategy: RunnableStrategy, options: object = {}): Promise<TokenSet> =>
      userOf(await attempt(strategy, 'Ida Berg', { options })).tokens;

    it('salesos — OpenID Connect RP-Initiated Logout §2, by a link without a token, and by a form', async () => {
      const { client } = create.salesos();
      const home = 'http://127.0.0.1:3000/bye';
      for (const how of ['link', 'form']) {
        const tokens = await login(create.salesos());
        const { accessToken, idToken = '' } = tokens;
        const request = { tokens, postLogoutRedirectUri: home, state: 's1' };
        const url = client.buildEndSessionUrl(request);
        expect(url).not.to.include(accessToken).and.not.include(idToken);
        expect(url).to.include('logout_hint=').and.include('client_id=');
        const form = client.buildEndSessionForm({ ...request, idToken });
        const post = { method: 'POST', body: new URLSearchParams({ ...form?.fields }) };
        const { headers } = await new Browser().visit(
          (how === 'link' ? url : form?.action) ?? '',
          how === 'link' ? {} : post,
        );
        expect(headers.get('location')).to.equal(`${home}?state=s1`);
      }
    });

    it('salesforce — at the My Domain that the person signed in at', async () => {
      const { options } = emulator.salesforce;
      const loginURL = emulator.salesforce.myDomain?.origin ?? '';
      const strategy = new SalesforceStrategy({
        ...options,
        callbackURL: CALLBACK,
        allowedLoginURLs: [loginURL],
        verify,
      });
      const tokens = await login(strategy, { loginURL });
      const url = strategy.client.buildEndSessionUrl({ tokens }) ?? '';
      expect(new URL(url).origin).to.equal(loginURL);
      expect((await new Browser().visit(url)).status).to.equal(200);
    });

    it('salesloft — has none: its tokens are revoked', async () => {
      const strategy = create.salesloft();
      const tokens = await login(strategy);
      expect(strategy.client.buildEndSessionUrl({ tokens })).to.equal(undefined);
      await strategy.client.revokeToken(tokens.refreshToken!, { tokens });
    });
  });
});
