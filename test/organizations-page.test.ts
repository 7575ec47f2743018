/** The code of docs/organizations.md, run against the emulator as it is written there. */
import { once } from 'node:events';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { startEmulator } from 'crm-emulator';
import type { Emulator } from 'crm-emulator';
import { MemoryTokenStore, userTokens } from 'crm-oauth2';
import { rejection } from 'crm-oauth2/testing';
import express from 'express';
import type { RequestHandler } from 'express';
import session from 'express-session';
import { Passport } from 'passport';
import SalesforceStrategy from 'passport-salesforce-oauth2';
import SalesloftStrategy from 'passport-salesloft';
import SalesosStrategy from 'passport-salesos';
import { Browser } from './support/browser';
import { freePorts } from './support/free-ports';
import { blocks, run } from './support/pages';

const PAGE = 'docs/organizations.md';
const HOST = 'https://app.example.com';

/** The id of a person, as the verify function of a block keeps it. */
interface User {
  id: string;
  tenant?: string;
}

describe('page — Many organizations', () => {
  let emulator: Emulator;
  let end: (() => Promise<void>) | undefined;

  before(async () => {
    emulator = await startEmulator({
      origins: { sandbox: true, myDomain: true },
      clients: ['acme', 'globex'].map((name) => ({
        provider: 'salesloft',
        clientID: `client-of-${name}`,
        clientSecret: `secret-of-${name}`,
      })),
    });
  });
  afterEach(async () => {
    await end?.();
    end = undefined;
  });
  after(() => emulator.close());

  /** An application with a session, and the code of a section in it, at an origin of this machine. */
  async function appWith(
    heading: string,
    scopeAt: (origin: string) => Record<string, unknown>,
    result = 'undefined',
  ) {
    const port = await freePorts();
    const origin = `http://127.0.0.1:${port}`;
    const passport = new Passport();
    passport.serializeUser((user, done) => done(null, user));
    passport.deserializeUser((user: Express.User, done) => done(null, user));
    const app = express();
    app.use(session({ secret: 'test only', resave: false, saveUninitialized: false }));
    app.use(passport.session());
    const [code = ''] = blocks(PAGE, heading);
    const scope = { app, passport, ...scopeAt(origin) };
    const value = await run(code.replaceAll(HOST, origin), result, scope);
    // The routes that the section leaves out.
    app.get(/^\/auth\/(\w+)/, (req, res, next) => {
      const finish = (
        error: unknown,
        user: Express.User | false,
        info: object,
        status?: number,
      ) => {
        if (error) return next(error);
        if (!user) return res.status(status ?? 401).json(info);
        req.logIn(user, (problem) => (problem ? next(problem) : res.json(user)));
      };
      const handler: unknown = passport.authenticate(req.params[0] ?? '', finish as never);
      (handler as RequestHandler)(req, res, next);
    });
    app.use((req, res) => {
      res.json(req.user ?? null);
    });
    const server = app.listen(port, '127.0.0.1');
    await once(server, 'listening');
    end = async () => {
      server.closeAllConnections();
      await promisify(server.close.bind(server))();
    };
    return { origin, value };
  }

  /** The page on which a login ends, and the user that it shows. */
  async function logIn(start: string, who = 'Suri', browser = new Browser()) {
    const { headers } = await browser.visit(start);
    const location = headers.get('location') ?? '';
    const { url, response } = await browser.follow(await browser.signIn(location, who));
    const text = (await response?.text()) ?? '';
    return { at: location, url, response, text };
  }

  const userOf = ({ text }: { text: string }) => JSON.parse(text) as User;

  it('Let each login choose where to sign in — signs in at three places', async () => {
    const { sandbox, myDomain, options } = emulator.salesforce;
    const origins = [sandbox?.origin ?? '', myDomain?.origin ?? ''];
    const { clientID, clientSecret } = options;
    const { origin } = await appWith('Let each login choose where to sign in', (at) => ({
      options: {
        clientID,
        clientSecret,
        callbackURL: `${at}/auth/salesforce/callback`,
        allowedLoginURLs: origins,
      },
      verify: (_access: string, _refresh: string, { id }: User) => ({ id }),
    }));
    const ids = new Set<string>();
    for (const loginURL of origins) {
      const done = await logIn(
        `${origin}/auth/salesforce?${String(new URLSearchParams({ loginURL }))}`,
      );
      expect(new URL(done.at).origin).to.equal(loginURL);
      ids.add(userOf(done).id);
    }
    expect(ids.size).to.equal(2);
    const refused = await new Browser().visit(
      `${origin}/auth/salesforce?loginURL=https://evil.example`,
    );
    expect(refused.status).to.equal(400);
  });

  it('Let each login choose where to sign in — lists other addresses', async () => {
    const [, code = ''] = blocks(PAGE, 'Let each login choose where to sign in');
    const options = { clientID: 'a', clientSecret: 'b', callbackURL: `${HOST}/cb` };
    const scope = { Strategy: SalesforceStrategy, options, verify: () => ({ id: '1' }) };
    expect(await run(code, 'allowedLoginURLs.length', scope)).to.equal(2);
  });

  it('Use the tokens later — asks where the person signed in', async () => {
    const { sandbox, options } = emulator.salesforce;
    const loginURL = sandbox?.origin ?? '';
    const strategy = new SalesforceStrategy({
      ...options,
      offline: true,
      allowedLoginURLs: [loginURL],
      verify: () => ({ id: '1' }),
    });
    const { client } = strategy;
    const redirectUri = 'http://localhost:3000/callback';
    const { url, attempt } = client.forEnvironment({ loginURL }).beginLogin({ redirectUri });
    const answer = new URL(await new Browser().signIn(url, 'Suri')).searchParams;
    const query = Object.fromEntries(answer);
    const response = await client.validateAuthorizationResponse(query, () => attempt);
    const tokens = await client.authorizationCodeGrant(response);
    const [code = ''] = blocks(PAGE, 'Use the tokens later');
    const before = emulator.salesforce.requests.length;
    const profile = await run(code, 'profile', { strategy, tokens });
    expect(profile).to.include({ displayName: 'Suri' });
    expect(emulator.salesforce.requests).to.have.lengthOf(before);
    expect(sandbox?.requests.map(({ path }) => path)).to.include('/services/oauth2/revoke');
  });

  it('Give each tenant its own app — signs in two tenants on one callback route', async () => {
    const { authorizationURL, tokenURL, profileURL } = emulator.salesloft.options;
    const urls = { authorizationURL, tokenURL, profileURL };
    class Strategy extends SalesloftStrategy {
      constructor(options: SalesloftStrategy.Options) {
        super({ ...options, ...urls } as never, undefined as never);
      }
    }
    const tenants = {
      find: async (key: string) =>
        await Promise.resolve(
          ['acme', 'globex'].includes(key)
            ? { key, clientID: `client-of-${key}`, clientSecret: `secret-of-${key}` }
            : undefined,
        ),
    };
    const heading = 'Give each tenant its own app';
    const { origin, value } = await appWith(heading, () => ({ Strategy, tenants }), 'strategy');
    for (const tenant of ['acme', 'globex']) {
      const done = await logIn(`${origin}/${tenant}/auth`);
      expect(new URL(done.at).searchParams.get('client_id')).to.equal(`client-of-${tenant}`);
      const user = userOf(done);
      expect(user.tenant).to.equal(tenant);

      const store = new MemoryTokenStore();
      const client = await (value as InstanceType<typeof Strategy>).clientFor(tenant);
      const kept = userTokens(client, { store, key: user.id });
      await kept.save({ accessToken: 'access-1', expiresAt: Date.now() + 3_600_000 });
      const [, later = ''] = blocks(PAGE, heading);
      const scope = { strategy: value, user, store, userTokens };
      expect(await run(later, 'tokens.accessToken', scope)).to.equal('access-1');
    }
    expect((await new Browser().visit(`${origin}/initech/auth`)).status).to.equal(403);
  });

  it('Admit certain organizations — refuses the others', async () => {
    const { origin } = await appWith('Admit certain organizations', (at) => ({
      Strategy: SalesforceStrategy,
      options: { ...emulator.salesforce.options, callbackURL: `${at}/auth/salesforce/callback` },
      verify: () => ({ id: '1' }),
    }));
    const { response, text } = await logIn(`${origin}/auth/salesforce`);
    expect(response?.status).to.equal(403);
    expect(text)
      .to.match(/"code":"organization_not_allowed"/)
      .and.match(/organization 00D\w{15}\b/);
  });

  it('Accept invitations — makes the person a member', async () => {
    const { origin } = await appWith('Accept invitations', (at) => ({
      Strategy: SalesosStrategy,
      options: { ...emulator.salesos.options, callbackURL: `${at}/auth/salesos/callback` },
      verify: (_access: string, _refresh: string, profile: object) => profile,
    }));
    const { organization, ...invitation } = emulator.salesos.invite('Suri', 'pine-street-cycles');
    const link = new URLSearchParams({ organization, ...invitation });
    const done = await logIn(`${origin}/auth/salesos?${String(link)}`);
    expect(userOf(done)).to.include({ organizationId: organization });
  });

  it('Ask for a refresh token — warns when none comes', async () => {
    const warnings: string[] = [];
    const { origin } = await appWith('Ask for a refresh token', (at) => ({
      Strategy: SalesforceStrategy,
      options: { ...emulator.salesforce.options, callbackURL: `${at}/auth/salesforce/callback` },
      verify: (_access: string, refresh: string | undefined) => ({ id: '1', refresh }),
      log: { warn: (message: string) => void warnings.push(message) },
    }));
    const done = await logIn(`${origin}/auth/salesforce`);
    expect(userOf(done)).to.have.property('refresh').that.is.a('string');
    expect(warnings).to.deep.equal([]);
    emulator.salesforce.fail('token-no-refresh-token');
    expect(userOf(await logIn(`${origin}/auth/salesforce`))).to.deep.equal({ id: '1' });
    expect(warnings).to.deep.equal(['salesforce: the scope refresh_token was not granted']);
  });

  it('Return to a page — leads to pages of the application alone', async () => {
    const heading = 'Return to a page';
    const strategyAt = (at: string) => {
      const callbackURL = `${at}/auth/salesloft/callback`;
      const options = { ...emulator.salesloft.options, callbackURL };
      return new SalesloftStrategy(options, (_access, _refresh, { id }) => ({ id }));
    };
    const scopeAt = (at: string) => ({ strategy: strategyAt(at) });
    const { origin } = await appWith(heading, scopeAt, 'passport.use(strategy)');
    for (const [returnTo, page] of [
      ['/reports?year=2026', '/reports?year=2026'],
      ['https://evil.example/', '/'],
      ['', '/'],
    ] as const) {
      const query = new URLSearchParams(returnTo && { returnTo });
      const { url } = await logIn(`${origin}/auth/salesloft?${String(query)}`);
      expect(url).to.equal(`${origin}${page}`);
    }
  });

  it('Choose the callback URL — takes a host of the list', async () => {
    const { origin } = await appWith('Choose the callback URL', () => ({
      Strategy: SalesloftStrategy,
      clientID: 'a',
      clientSecret: 'b',
      verify: () => ({ id: '1' }),
    }));
    const { headers } = await new Browser().visit(`${origin}/auth/salesloft`);
    const { searchParams } = new URL(headers.get('location') ?? '');
    expect(searchParams.get('redirect_uri')).to.equal(
      'https://app.example.com/auth/salesloft/callback',
    );
  });

  it('Log out at the provider — revokes, and ends the session there', async () => {
    const store = new MemoryTokenStore();
    const errors: unknown[] = [];
    const scopeAt = (at: string) => ({
      Strategy: SalesosStrategy,
      options: { ...emulator.salesos.options, callbackURL: `${at}/auth/salesos/callback` },
      store,
      userTokens,
      log: { error: (error: unknown) => void errors.push(error) },
    });
    const heading = 'Log out at the provider';
    const { origin, value } = await appWith(heading, scopeAt, 'passport.use(strategy), strategy');
    const browser = new Browser();
    const { id } = userOf(await logIn(`${origin}/auth/salesos`, 'Suri', browser));
    const out = await browser.visit(`${origin}/logout`, { method: 'POST' });
    expect(out.status).to.equal(303);
    const url = new URL(out.headers.get('location') ?? '');
    expect(url.origin + url.pathname).to.equal(`${emulator.salesos.origin}/oidc/logout`);
    expect([...url.searchParams.keys()]).to.have.members([
      'client_id',
      'logout_hint',
      'post_logout_redirect_uri',
    ]);
    expect(errors).to.deep.equal([]);
    const { client } = value as SalesosStrategy;
    const gone = await rejection(userTokens(client, { store, key: id }).getTokens());
    expect(gone.code).to.equal('reauthorization_required');
    expect(emulator.salesos.requests.map(({ path }) => path)).to.include('/oauth/revoke');
  });
});
