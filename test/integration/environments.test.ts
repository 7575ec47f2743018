/** One Salesforce strategy for production, a sandbox and a My Domain: each login stays at its own origin. */
import { expect } from 'chai';
import { startEmulator } from 'crm-emulator';
import type { Emulator } from 'crm-emulator';
import { MemoryTokenStore, userTokens } from 'crm-oauth2';
import type { TokenSet } from 'crm-oauth2';
import { CookieStateStore } from 'crm-oauth2/passport';
import type { StateStore } from 'crm-oauth2/passport';
import { rejection } from 'crm-oauth2/testing';
import type { Request } from 'express';
import SalesforceStrategy from 'passport-salesforce-oauth2';
import { Browser } from '../support/browser';
import { startApp } from '../support/express-app';
import type { RunningApp } from '../support/express-app';
import { expectVerb, requestFor, run } from '../support/passport-run';

const CALLBACK = 'http://127.0.0.1:3000/auth/callback';
const NAMES = ['production', 'sandbox', 'myDomain'] as const;
type Name = (typeof NAMES)[number];

/** The user of verify, as the app shows it. */
interface User {
  id: string;
  displayName: string;
  instanceUrl: string;
  environment?: Record<string, string>;
}

/** The options that a test may set beside those of {@link create}. */
interface Settings {
  clientID?: string;
  callbackURL?: string;
  store?: StateStore;
  allowedLoginURLs?: readonly string[];
  loginURL?: (req: Request) => string | undefined | Promise<string>;
}

describe('Salesforce environments', () => {
  let emulator: Emulator;
  let orgs: Record<Name, Emulator['salesforce'] | NonNullable<Emulator['salesforce']['sandbox']>>;
  let created: SalesforceStrategy[] = [];
  const grants = new Map<string, TokenSet>();

  before(async () => {
    emulator = await startEmulator({ origins: { sandbox: true, myDomain: true } });
    const { sandbox, myDomain } = emulator.salesforce;
    if (!sandbox || !myDomain) throw new Error('the emulator has no sandbox or My Domain');
    orgs = { production: emulator.salesforce, sandbox, myDomain };
  });
  afterEach(() => {
    for (const strategy of created) strategy.client.close();
    created = [];
  });
  after(() => emulator.close());

  /** As a new process makes it: nothing is shared but the options. */
  function create(settings: Settings = {}): SalesforceStrategy {
    const strategy = new SalesforceStrategy({
      ...emulator.salesforce.options,
      callbackURL: CALLBACK,
      offline: true,
      allowedLoginURLs: [orgs.sandbox.origin, orgs.myDomain.origin],
      verify: ({ tokens, profile }): User => {
        grants.set(profile.id, tokens);
        const { id, displayName, instanceUrl = '' } = profile;
        const { environment } = tokens;
        return { id, displayName, instanceUrl, ...(environment && { environment }) };
      },
      ...settings,
    });
    created.push(strategy);
    return strategy;
  }

  const loginURLOf = (name: unknown) => orgs[name as Name].options.loginURL;

  /** `METHOD /path` of the requests that reach each origin while `act` runs, keys apart. */
  async function askedDuring(act: () => Promise<unknown>): Promise<Record<Name, string[]>> {
    const marks = NAMES.map((name) => orgs[name].requests.length);
    await act();
    const asked = NAMES.map((name, index) => [
      name,
      orgs[name].requests
        .slice(marks[index])
        .map(({ method, path }) => `${method} ${path.replace(/^\/id\/.*/, '/id')}`)
        .filter((line) => line !== 'GET /id'),
    ]);
    return Object.fromEntries(asked) as Record<Name, string[]>;
  }

  const only = (name: Name, ...lines: string[]) => ({
    production: [],
    sandbox: [],
    myDomain: [],
    [name]: lines,
  });

  describe('three tabs of one browser', () => {
    let app: RunningApp;
    let users: Record<Name, User>;

    before(async () => {
      const strategy = create({ callbackURL: '/auth/callback' });
      app = await startApp('salesforce', strategy, {
        start: ({ query }) => (query.at ? { loginURL: loginURLOf(query.at) } : {}),
        // The callback has another answer than the start, which must not count.
        finish: () => ({ loginURL: orgs.production.options.loginURL }),
      });
      const browser = new Browser();
      const begun: Record<string, string> = {};
      for (const [name, who] of [
        ['production', 'Marta Quill'],
        ['sandbox', 'Zoë Ångström'],
        ['myDomain', 'Suri'],
      ] as const) {
        const query = name === 'production' ? '' : `?at=${name}`;
        const { headers } = await browser.visit(`${app.origin}/auth${query}`);
        const url = headers.get('location') ?? '';
        expect(new URL(url).origin).to.equal(orgs[name].origin);
        begun[name] = await new Browser().signIn(url, who);
      }
      users = {} as typeof users;
      for (const name of ['sandbox', 'myDomain', 'production'] as const) {
        const response = await browser.visit(begun[name] ?? '');
        expect(response.status, await response.clone().text()).to.equal(200);
        ({ user: users[name] } = (await response.json()) as { user: User });
      }
    });
    after(() => app.close());

    it('each profile is of its own origin', () => {
      expect(NAMES.map((name) => users[name].displayName)).to.deep.equal([
        'Marta Quill',
        'Zoë Ångström',
        'Suri',
      ]);
      for (const name of NAMES) expect(users[name].instanceUrl).to.equal(orgs[name].origin);
      expect(new Set(NAMES.map((name) => users[name].id.split('/')[0])).size).to.equal(3);
      expect(NAMES.map((name) => users[name].environment)).to.deep.equal([
        undefined,
        { loginURL: orgs.sandbox.origin },
        { loginURL: orgs.myDomain.origin },
      ]);
    });

    it('each code was redeemed at its own origin, once', () => {
      for (const name of NAMES) {
        const paths = orgs[name].requests.filter(({ method }) => method === 'POST');
        expect(paths.filter(({ path }) => path === '/services/oauth2/token')).to.have.lengthOf(1);
        expect(orgs[name].requests.some(({ path }) => path === '/id/keys')).to.equal(true);
      }
    });

    it('RFC 6749 §6 — a refresh token gets nothing at the origin of another', async () => {
      const { client } = create();
      for (const name of NAMES) {
        for (const other of NAMES) {
          const tokens = grants.get(users[name].id)!;
          const previous = { ...tokens, environment: { loginURL: orgs[other].origin } };
          const refreshed = client.refreshTokenGrant(tokens.refreshToken!, { previous });
          if (other === name) expect((await refreshed).subject).to.equal(tokens.subject);
          else expect(await rejection(refreshed)).to.include({ code: 'invalid_grant' });
        }
      }
    });

    it('each is refreshed, introspected and revoked at its own origin by another process', async () => {
      const store = new MemoryTokenStore();
      for (const name of NAMES) {
        const { id } = users[name];
        await userTokens(create().client, { store, key: id }).save(grants.get(id)!);
      }
      for (const name of NAMES.toReversed()) {
        const { client } = create();
        const person = userTokens(client, { store, key: users[name].id });
        const old = await person.getTokens();
        let tokens = old;
        expect(await askedDuring(async () => (tokens = await person.refresh()))).to.deep.equal(
          only(name, 'POST /services/oauth2/token'),
        );
        expect(tokens.accessToken).not.to.equal(old.accessToken);
        expect(tokens.environment).to.deep.equal(users[name].environment);
        expect(tokens.response.instance_url).to.equal(orgs[name].origin);
        const introspect = () => client.introspectToken(tokens.accessToken, { tokens });
        expect(await askedDuring(introspect)).to.deep.equal(
          only(name, 'POST /services/oauth2/introspect'),
        );
        expect((await introspect()).active).to.equal(true);
        expect((await client.fetchProfile(tokens)).instanceUrl).to.equal(orgs[name].origin);
        const logout = client.buildEndSessionUrl({ tokens }) ?? '';
        expect(new URL(logout).origin).to.equal(orgs[name].origin);
        expect(await askedDuring(() => person.revoke())).to.deep.equal(
          only(name, 'POST /services/oauth2/revoke'),
        );
        expect((await introspect()).active).to.equal(false);
        expect(await rejection(person.getTokens())).to.include({
          code: 'reauthorization_required',
        });
      }
    });
  });

  async function begin(
    strategy: SalesforceStrategy,
    session: Record<string, unknown>,
    options: object = {},
    url = 'http://127.0.0.1:3000/auth',
  ): Promise<string> {
    return expectVerb(await run(strategy, requestFor(url, session), options), 'redirect').url;
  }

  const signIn = (url: string, who = 'Marta Quill') => new Browser().signIn(url, who);

  describe('start and callback', () => {
    it('agree without a session: the cookie of the login names the environment', async () => {
      const store = new CookieStateStore({ secrets: ['s'.repeat(32)], secure: false });
      const start = ({ query }: { query: Record<string, unknown> }) => ({
        loginURL: loginURLOf(query.at),
      });
      const settings = { sessions: false, start };
      const first = await startApp(
        'salesforce',
        create({ store, callbackURL: CALLBACK }),
        settings,
      );
      const second = await startApp(
        'salesforce',
        create({ store, callbackURL: CALLBACK }),
        settings,
      );
      try {
        const { headers } = await fetch(`${first.origin}/auth?at=sandbox`, { redirect: 'manual' });
        const [cookie = ''] = (headers.get('set-cookie') ?? '').split(';');
        const { search } = new URL(await signIn(headers.get('location') ?? ''));
        const asked = await askedDuring(async () => {
          const back = await fetch(`${second.origin}/auth/callback${search}`, {
            headers: { cookie },
          });
          const { user } = (await back.json()) as { user: User };
          expect(user.instanceUrl).to.equal(orgs.sandbox.origin);
        });
        expect(asked.production).to.deep.equal([]);
      } finally {
        await first.close();
        await second.close();
      }
    });

    it('agree where the function of the request answers otherwise at the callback', async () => {
      let at: Name = 'sandbox';
      let calls = 0;
      const strategy = create({
        loginURL: async () => {
          calls += 1;
          return await Promise.resolve(loginURLOf(at));
        },
      });
      const session = {};
      const callback = await signIn(await begin(strategy, session));
      at = 'production';
      const outcome = expectVerb(await run(strategy, requestFor(callback, session)), 'success');
      expect((outcome.user as User).instanceUrl).to.equal(orgs.sandbox.origin);
      expect(calls).to.equal(1);
    });

    it('RFC 9700 §4.4 — a code of one origin goes to no other than that of its login', async () => {
      const strategy = create();
      const session = {};
      const at = async (name: Name) =>
        new URL(await signIn(await begin(strategy, session, { loginURL: loginURLOf(name) })));
      const [inSandbox, inMyDomain] = [await at('sandbox'), await at('myDomain')];
      const mixed = new URL(inMyDomain);
      mixed.searchParams.set('code', inSandbox.searchParams.get('code') ?? '');
      const asked = await askedDuring(async () => {
        const { error } = expectVerb(await run(strategy, requestFor(mixed.href, session)), 'error');
        expect(error).to.include({ code: 'invalid_grant', stage: 'token' });
      });
      expect(asked).to.deep.equal(only('myDomain', 'POST /services/oauth2/token'));
    });

    it('RFC 9207 §2.4 — tokens are of the origin that the answer names', async () => {
      const strategy = create();
      const session = {};
      const loginURL = orgs.sandbox.origin;
      const callback = new URL(await signIn(await begin(strategy, session, { loginURL })));
      callback.searchParams.set('iss', orgs.myDomain.origin);
      const asked = await askedDuring(async () => {
        const outcome = await run(strategy, requestFor(callback.href, session));
        const { info, status } = expectVerb(outcome, 'fail');
        expect(status).to.equal(403);
        expect(info).to.include({ code: 'issuer_mismatch' });
      });
      expect(asked).to.deep.equal(only('sandbox', 'POST /services/oauth2/token'));
    });

    it('an origin that is no longer allowed at the callback is refused before any request', async () => {
      const session = {};
      const url = await begin(create(), session, { loginURL: orgs.sandbox.origin });
      const callback = await signIn(url);
      const strategy = create({ allowedLoginURLs: [orgs.myDomain.origin] });
      const asked = await askedDuring(async () => {
        const outcome = await run(strategy, requestFor(callback, session));
        const { info, status } = expectVerb(outcome, 'fail');
        expect(status).to.equal(400);
        expect(info).to.include({ code: 'login_url_not_allowed' });
      });
      expect(Object.values(asked).flat()).to.deep.equal([]);
    });

    it('without a tenant, another client id takes no pending login of an environment', async () => {
      const session = {};
      const callback = await signIn(
        await begin(create(), session, { loginURL: orgs.sandbox.origin }),
      );
      const outcome = await run(
        create({ clientID: 'another-client' }),
        requestFor(callback, session),
      );
      const { info, status } = expectVerb(outcome, 'fail');
      expect(status).to.equal(403);
      expect(info).to.include({ code: 'state_of_another_client' });
    });
  });

  describe('the choice', () => {
    it('is of authenticate, else of the function, else of the default', async () => {
      const strategy = create({
        loginURL: (req) => {
          const at = new URL(req.url, CALLBACK).searchParams.get('at');
          return at === null ? undefined : loginURLOf(at);
        },
      });
      const startAt = async (query: string, options: object = {}) => {
        const url = `http://127.0.0.1:3000/auth${query}`;
        return new URL(await begin(strategy, {}, options, url)).origin;
      };
      expect(await startAt('')).to.equal('https://login.salesforce.com');
      expect(await startAt('?at=sandbox')).to.equal(orgs.sandbox.origin);
      const loginURL = orgs.myDomain.origin;
      expect(await startAt('?at=sandbox', { loginURL })).to.equal(orgs.myDomain.origin);
    });

    const pages = [
      ['https://acme.lightning.force.com/lightning/page/home?x=1#top', 'acme'],
      ['https://acme.my.salesforce.com/?ec=302', 'acme'],
      ['acme.my.salesforce.com', 'acme'],
      ['https://acme.my.salesforce-setup.com/lightning/setup/SetupOneHome/home', 'acme'],
      ['https://acme--c.vf.force.com/apex/page', 'acme'],
      [
        'https://acme--uat.sandbox.lightning.force.com/lightning/o/Account/list',
        'acme--uat.sandbox',
      ],
    ] as const;
    for (const [page, org] of pages) {
      it(`of the page ${page} is its My Domain`, async () => {
        const url = new URL(await begin(create(), {}, { loginURL: page }));
        expect(url.origin + url.pathname).to.equal(
          `https://${org}.my.salesforce.com/services/oauth2/authorize`,
        );
      });
    }

    it('is that of the options for an empty field', async () => {
      const url = await begin(create(), {}, { loginURL: '' });
      expect(new URL(url).origin).to.equal(orgs.production.origin);
    });

    it('takes a listed address with a slash at its end', async () => {
      const url = await begin(create(), {}, { loginURL: `${orgs.sandbox.origin}/` });
      expect(new URL(url).origin).to.equal(orgs.sandbox.origin);
    });

    const hostile = [
      'https://acme.my.salesforce.com.evil.example',
      'https://evil.example/acme.my.salesforce.com',
      'https://acme.my.salesforce.com@evil.example',
      'http://acme.my.salesforce.com',
      'https://acme.my.salesforce.com:8443',
      'https://acme.my.site.com/services/apexrest',
      'http://127.0.0.1:9',
      '//evil.example',
    ];
    for (const loginURL of hostile) {
      it(`refuses "${loginURL}" with 400, and nothing leaves`, async () => {
        const strategy = create();
        const session = {};
        const asked = await askedDuring(async () => {
          const outcome = await run(strategy, requestFor('http://127.0.0.1:3000/auth', session), {
            loginURL,
          });
          const { info, status } = expectVerb(outcome, 'fail');
          expect(status).to.equal(400);
          expect(info).to.include({ code: 'login_url_not_allowed' });
        });
        expect(Object.values(asked).flat()).to.deep.equal([]);
        expect(session).to.deep.equal({});
      });
    }
  });
});
