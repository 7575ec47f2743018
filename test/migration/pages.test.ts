/** The migration pages: each "after" program signs a person in, and finds the account that an old id names. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Script } from 'node:vm';
import { expect } from 'chai';
import { startEmulator } from 'crm-emulator';
import type { Emulator } from 'crm-emulator';
import { MemoryTokenStore, OAuth2Client, userTokens } from 'crm-oauth2';
import type { UserTokens } from 'crm-oauth2';
import { rejection } from 'crm-oauth2/testing';
import { salesforce } from 'passport-salesforce-oauth2';
import { Strategy } from 'passport-salesos';
import { Browser } from '../support/browser';
import { ROOT } from '../support/packages';
import { run } from '../support/pages';
import { MigrationPrograms, programOf, signIn } from './program';

const FOLDER = join(ROOT, 'docs', 'migrating');
const PAGES = readdirSync(FOLDER).map((name) => name.replace(/\.md$/, ''));
const WHO = 'Suri';
const API_KEY = `ak${'7'.repeat(64)}`;

/** Of the person at the emulator. */
const ORG = '00DLocalEmulatrMIA';
const USER = '005Le0000048204IAA';
const SUBJECT = 'auth0|5e4d55e1d2128b66a0d4f0e3';
const NUMBER = 48_204;

interface Case {
  page: string;
  /** Where a login starts. */
  path: string;
  /** The id that the old package gave to this person when the "before" program ran here. */
  oldId: (origin: string) => unknown;
  newId: string;
  /** The answer of the program beside the members of the old account. */
  more?: (emulator: Emulator) => object;
  /** The answer to a person who refuses. */
  refused?: { status: number; body: unknown };
}

const CASES: readonly Case[] = [
  {
    page: 'passport-forcedotcom',
    path: '/auth/forcedotcom',
    oldId: () => `${ORG.slice(0, 15)}/${USER.slice(0, 15)}`,
    newId: `${ORG}/${USER}`,
    more: ({ salesforce: { origin } }) => ({ instanceUrl: origin }),
  },
  {
    page: 'passport-salesforce',
    path: '/force/authorize',
    oldId: () => USER,
    newId: `${ORG}/${USER}`,
  },
  {
    page: 'passport-salesforce-oauth2',
    path: '/auth/salesforce',
    oldId: () => USER,
    newId: `${ORG}/${USER}`,
    more: () => ({ email: 'suri@example.com' }),
  },
  {
    page: 'passport-auth0',
    path: '/login',
    oldId: () => SUBJECT,
    newId: SUBJECT,
    more: ({ salesos }) => ({ picture: `${salesos.origin}/photos/${NUMBER}.svg` }),
  },
  {
    page: 'passport-oauth2',
    path: '/auth/salesloft',
    oldId: () => NUMBER,
    newId: String(NUMBER),
  },
  {
    page: 'salesforce-oauth2',
    path: '/login',
    oldId: (origin) => `${origin}/id/${ORG}/${USER}`,
    newId: `${ORG}/${USER}`,
    more: ({ salesforce: { origin } }) => ({ instanceUrl: origin }),
    refused: { status: 401, body: 'The login failed (access_denied).' },
  },
  {
    page: 'jsforce',
    path: '/oauth2/auth',
    oldId: () => USER,
    newId: `${ORG}/${USER}`,
  },
];

/** The part of the options of jsforce's `Connection` that the page uses. */
interface ConnectionOptions {
  accessToken: string;
  instanceUrl: string;
  refreshFn: (
    connection: { accessToken: string },
    done: (error: unknown, token: string) => void,
  ) => void;
}

/** The names in the source of passport-auth0 1.4.5, and those that passport-oauth2 takes of its options. */
const AUTH0: Readonly<Record<string, string>> = {
  'Options of the constructor':
    'domain clientID clientSecret callbackURL customHeaders expectedIssuer authorizationURL tokenURL userInfoURL apiUrl state maxAge leeway passReqToCallback scope scopeSeparator skipUserProfile sessionKey store pkce proxy',
  'Options of authenticate':
    'scope connection connection_scope audience prompt login_hint acr_values nonce max_age state callbackURL',
  Profile:
    'displayName id user_id provider name.familyName name.givenName emails picture locale nickname gender identities _json _raw',
};

/** Options of passport-auth0 that have another name here, or none. */
const AUTH0_REFUSED = {
  domain: 'auth.play2sell.com',
  expectedIssuer: 'https://auth.play2sell.com/',
  apiUrl: 'https://auth.play2sell.com/api',
  state: false,
  maxAge: 60,
  leeway: 5,
};

describe('migration pages', function () {
  this.timeout(30_000);
  let emulator: Emulator;
  let programs: MigrationPrograms;
  before(async () => {
    emulator = await startEmulator({ apiKeys: [API_KEY] });
    programs = new MigrationPrograms(emulator, API_KEY);
  });
  after(async () => {
    await programs?.close();
    await emulator?.close();
  });

  for (const { page, path, oldId, newId, more, refused } of CASES) {
    it(`${page} — signs in, and keeps the account of an old id under the new one`, async () => {
      const id = oldId(emulator.salesforce.origin);
      const old = { id, name: 'The name of before', since: 2019 };
      const app = await programs.start(programOf(page, 'After'), [[id, old]]);
      const { url, body, browser } = await signIn(app.origin + path, WHO);
      expect(url, app.output()).to.equal(`${app.origin}/`);
      const { logoutURL: _, ...user } = body as { logoutURL?: string };
      expect(user).to.deep.equal({ ...old, ...more?.(emulator), id: newId });

      const again = await signIn(app.origin + path, WHO, browser);
      expect(again.body).to.include({ id: newId, since: 2019 });

      const { status, body: refusal } = await signIn(app.origin + path, 'deny');
      expect({ status, body: refusal }).to.deep.equal(refused ?? { status: 200, body: null });
      await app.close();
    });
  }

  it('passport-salesforce — the page has a reason to name the organization: sandboxes', async () => {
    const withSandbox = await startEmulator({ origins: { sandbox: true } });
    const sandbox = { ...emulator, salesforce: withSandbox.salesforce.sandbox } as Emulator;
    const there = new MigrationPrograms(sandbox, API_KEY);
    try {
      const accounts = [[USER, { id: USER, since: 2019 }]] as const;
      const program = programOf('passport-salesforce', 'After');
      const careless = program.replace(/^ *allowedOrganizations: .*$/m, '');
      expect(careless).not.to.equal(program);
      const taken = await there.start(careless, accounts);
      const stranger = await signIn(`${taken.origin}/force/authorize`, WHO);
      expect(stranger.body).to.include({ since: 2019 });

      const app = await there.start(program, accounts);
      const { url, body } = await signIn(`${app.origin}/force/authorize`, WHO);
      expect({ url, body }).to.deep.equal({ url: `${app.origin}/`, body: null });
    } finally {
      await there.close();
      await withSandbox.close();
    }
  });

  it('jsforce — asks the API with the tokens of the person', async () => {
    const app = await programs.start(programOf('jsforce', 'After'));
    const { browser } = await signIn(`${app.origin}/oauth2/auth`, WHO);
    const answer = await browser.visit(`${app.origin}/accounts`);
    expect(await answer.json()).to.deep.equal(['Harbour Bakery']);
    const stranger = await new Browser().visit(`${app.origin}/accounts`);
    expect(stranger.headers.get('location')).to.equal('/oauth2/auth');
    await app.close();
  });

  it('jsforce — gets its tokens from here, and another one for a token that was refused', async () => {
    class Connection {
      constructor(readonly options: ConnectionOptions) {}
    }
    const code = programOf('jsforce', 'Keep jsforce for the API');
    const connectionOf = (await run(code, 'connectionOf', { jsforce: { Connection } })) as (
      person: UserTokens,
    ) => Promise<Connection>;

    const { options, origin } = emulator.salesforce;
    const client = new OAuth2Client(salesforce, { ...options, offline: true });
    const { url, attempt } = client.beginLogin({ redirectUri: 'http://localhost:3000/callback' });
    const callback = new URL(await new Browser().signIn(url, WHO));
    const query = Object.fromEntries(callback.searchParams);
    const response = await client.validateAuthorizationResponse(query, () => attempt);
    const tokens = await client.authorizationCodeGrant(response);
    const person = userTokens(client, { store: new MemoryTokenStore(), key: WHO });
    await person.save(tokens);

    const { accessToken, instanceUrl, refreshFn } = (await connectionOf(person)).options;
    expect({ accessToken, instanceUrl }).to.deep.equal({
      accessToken: tokens.accessToken,
      instanceUrl: origin,
    });
    const refresh = promisify(refreshFn);
    const { accessToken: refreshed } = await person.refresh();
    expect(refreshed).not.to.equal(accessToken);
    expect(await refresh({ accessToken })).to.equal(refreshed);
    await person.delete();
    expect(await rejection(refresh({ accessToken: 'gone' }))).to.have.property('code');
  });

  it('passport-auth0 — logs out at the provider', async () => {
    const app = await programs.start(programOf('passport-auth0', 'After'));
    const { browser } = await signIn(`${app.origin}/login`, WHO);
    const { headers } = await browser.visit(`${app.origin}/logout`, { method: 'POST' });
    const logout = new URL(headers.get('location') ?? '');
    expect(logout.origin).to.equal(emulator.salesos.origin);
    expect(logout.searchParams.get('post_logout_redirect_uri')).to.equal(`${app.origin}/`);
    const { url, response } = await browser.follow(logout.href);
    expect(url).to.equal(`${app.origin}/`);
    expect(await response?.json()).to.equal(null);
    await app.close();
  });

  it('passport-auth0 — lists every option and every profile field of that package', () => {
    const text = readFileSync(join(FOLDER, 'passport-auth0.md'), 'utf8');
    for (const [heading, names] of Object.entries(AUTH0)) {
      const [, section = ''] = text.split(`\n## ${heading}\n`);
      const rows = [...(section.split('\n## ')[0] ?? '').matchAll(/^\| (.+?) +\| (.+?) +\|$/gm)];
      const theirs = rows.map(([, first = '']) => first).join(' ');
      const listed = new Set([...theirs.matchAll(/`([\w.]+)/g)].map(([, name]) => name));
      const missing = names.split(' ').filter((name) => !listed.has(name));
      expect(missing, heading).to.deep.equal([]);
    }
  });

  it('passport-auth0 — the names that it gives for the options are options here', () => {
    const credentials = { clientID: 'a', clientSecret: 'b', callbackURL: 'https://app.example/cb' };
    const verify = () => false;
    const options = {
      ...credentials,
      issuer: 'https://auth.play2sell.com/',
      authorizationURL: 'https://auth.play2sell.com/authorize',
      tokenURL: 'https://auth.play2sell.com/oauth/token',
      userInfoURL: 'https://auth.play2sell.com/userinfo',
      userInfo: true,
      scope: 'openid profile',
      clockTolerance: 60,
      customHeaders: {},
      skipUserProfile: false,
      proxy: false,
      sessionKey: 'login',
    };
    expect(() => new Strategy(options, verify)).not.to.throw();
    for (const [name, value] of Object.entries(AUTH0_REFUSED)) {
      const refused = { ...credentials, [name]: value };
      expect(() => new Strategy(refused, verify), name).to.throw(TypeError, name);
    }
  });

  it('axios — signs in, and asks the API for the person and for the app', async () => {
    const app = await programs.start(programOf('axios', 'After'));
    const { body, browser } = await signIn(`${app.origin}/login`, WHO);
    expect(body, app.output()).to.deep.equal({ id: String(NUMBER), name: WHO });
    const read = async (path: string) => await (await browser.visit(app.origin + path)).json();
    expect(await read('/me')).to.deep.equal({ name: WHO });
    const administrator = { name: 'Marta Quill', email: 'marta.quill@example.com' };
    expect(await read('/service')).to.deep.equal(administrator);
    await app.close();
  });

  describe('salesloft-api-keys', () => {
    for (const heading of ['After, step by step', 'After, for the app itself']) {
      it(`${heading} — says who it is`, async () => {
        const output = await programs.run(programOf('salesloft-api-keys', heading));
        expect(output).to.equal('Authenticated as: Marta Quill (marta.quill@example.com)\n');
      });
    }

    it('After, for each person — signs in, and asks the API', async () => {
      const app = await programs.start(programOf('salesloft-api-keys', 'After, for each person'));
      const { body } = await signIn(`${app.origin}/auth/salesloft`, WHO);
      expect(body, app.output()).to.deep.equal({ id: String(NUMBER), name: WHO });
      await app.close();
    });
  });

  it('every page — has the same parts, a "before" that parses, and a line in the index', () => {
    const index = readFileSync(join(ROOT, 'docs', 'migrating.md'), 'utf8');
    expect(PAGES).to.have.lengthOf(9);
    for (const page of PAGES) {
      const text = readFileSync(join(FOLDER, `${page}.md`), 'utf8');
      const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
      for (const part of [/^Before$/, /^After/, /^Your accounts/, /ptions/, /^Behaviour$/]) {
        expect(
          headings.some((heading) => part.test(heading ?? '')),
          `${page}: ${part}`,
        ).to.equal(true);
      }
      expect(text, page).to.match(/^## .*[Pp]rofile$|^The profile of a person: /m);
      expect(() => new Script(programOf(page, 'Before'), { filename: page })).not.to.throw();
      expect(index, page).to.contain(`](migrating/${page}.md)`);
    }
  });
});
