/** The example application over HTTP, without a browser. */
import { expect } from 'chai';
import { ConfigError, readConfig } from '../../examples/express-login/dist/config';
import { completeProviders } from '../../examples/express-login/dist/emulator';
import { startExample } from './example';
import type { Example } from './example';
import { Visitor } from './visitor';

describe('example over HTTP', () => {
  let example: Example;
  before(async () => {
    example = await startExample();
  });
  after(async () => {
    await example.close();
  });

  const ask = (path: string, init: RequestInit = {}) =>
    fetch(example.baseURL + path, { redirect: 'manual', ...init });

  it('/healthz — says ok, and starts no session', async () => {
    const response = await ask('/healthz');
    expect(response.status).to.equal(200);
    expect(await response.text()).to.equal('ok');
    expect(response.headers.get('set-cookie')).to.equal(null);
  });

  it('/ — offers one plain link for each provider, and says that they are emulated', async () => {
    const response = await ask('/');
    expect(response.status).to.equal(200);
    expect(response.headers.get('set-cookie')).to.equal(null);
    const page = await response.text();
    for (const name of ['salesloft', 'salesos', 'salesforce']) {
      expect(page).to.contain(`href="/auth/${name}"`);
    }
    expect(page).to.contain('Emulated: Salesloft, SalesOS and Salesforce');
  });

  it('/ — opened by another name of this host, links to the host of the callback', async () => {
    const response = await fetch(example.baseURL.replace('localhost', '127.0.0.1'));
    expect(await response.text()).to.contain(`href="${example.baseURL}/auth/salesos"`);
  });

  it('/ — escapes what the query brings', async () => {
    const page = await (await ask(`/?returnTo=${encodeURIComponent('"><script>')}`)).text();
    expect(page).not.to.contain('<script>');
  });

  it('a refused login — is tried again at the same sandbox, for the same page', async () => {
    const { sandbox } = example.emulator.salesforce;
    const asked = { returnTo: '/profile?tab=2', loginURL: sandbox?.origin ?? '' };
    const page = await new Visitor(example).logIn('salesforce', 'Deny', asked);
    expect(page.status).to.equal(401);
    const [, link = ''] = /href="(\/auth\/salesforce[^"]*)"/.exec(page.html) ?? [];
    const { searchParams } = new URL(link.replaceAll('&amp;', '&'), example.baseURL);
    expect(Object.fromEntries(searchParams)).to.deep.equal(asked);
  });

  it('headers — a tight policy on every page, and no name of the server', async () => {
    for (const path of ['/', '/nowhere', '/style.css', '/auth/salesloft/callback?state=a&code=b']) {
      const { headers } = await ask(path);
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy, path).to.contain("default-src 'none'").and.contain("form-action 'self'");
      expect(policy, path).not.to.match(/unsafe|\*|http: /);
      expect(headers.get('x-powered-by'), path).to.equal(null);
      expect(headers.get('x-content-type-options'), path).to.equal('nosniff');
    }
  });

  it('headers — pictures may come from the emulated providers', async () => {
    const { headers } = await ask('/');
    const images = /img-src ([^;]*)/.exec(headers.get('content-security-policy') ?? '')?.[1];
    const { salesloft, salesos, salesforce } = example.emulator;
    for (const { origin } of [salesloft, salesos, salesforce]) {
      expect(images?.split(' ')).to.include(origin);
    }
  });

  it('pages — are not cached', async () => {
    for (const path of ['/', '/profile', '/auth/salesos', '/nowhere']) {
      expect((await ask(path)).headers.get('cache-control'), path).to.equal('no-store');
    }
  });

  it('/auth/:provider — redirects with state and an S256 challenge', async () => {
    for (const name of ['salesloft', 'salesos', 'salesforce'] as const) {
      const response = await ask(`/auth/${name}`);
      expect(response.status, name).to.equal(302);
      const location = new URL(response.headers.get('location') ?? '');
      expect(location.origin).to.equal(example.emulator[name].origin);
      expect(location.searchParams.get('code_challenge_method')).to.equal('S256');
      expect(location.searchParams.get('state')).to.match(/^[\w-]{22,}$/);
      expect(location.searchParams.get('redirect_uri')).to.equal(
        `${example.baseURL}/auth/${name}/callback`,
      );
    }
  });

  it('/auth/:provider — does not know other providers', async () => {
    for (const path of ['/auth/acme', '/auth/acme/callback', '/auth/toString', '/auth/__proto__']) {
      const response = await ask(path);
      expect(response.status, path).to.equal(404);
      expect(await response.text(), path).to.contain('Page not found');
    }
  });

  it('/auth/:provider/callback — without a login answers 403, with the next step', async () => {
    const response = await ask('/auth/salesforce/callback?code=c0de-abc&state=st4te-def');
    expect(response.status).to.equal(403);
    const page = await response.text();
    expect(page).to.contain('cookie_missing').and.contain('Try again with Salesforce');
    expect(page).not.to.contain('c0de').and.not.to.contain('st4te');
  });

  it('/auth/:provider — too many logins from one address are put off', async () => {
    const own = await startExample({ showLogins: false });
    try {
      const begin = () => fetch(`${own.baseURL}/auth/salesloft`, { redirect: 'manual' });
      let response = await begin();
      for (let count = 1; response.status === 302 && count < 400; count += 1) {
        await response.arrayBuffer();
        response = await begin();
      }
      expect(response.status).to.equal(429);
      const minutes = Math.ceil(Number(response.headers.get('retry-after')) / 60);
      expect(minutes).to.be.within(2, 5);
      expect(await response.text()).to.contain(`Please come back in ${minutes} minutes`);
      expect((await fetch(own.baseURL)).status).to.equal(200);
    } finally {
      await own.close();
    }
  });

  it('/profile — redirects to the start page without a login', async () => {
    const response = await ask('/profile');
    expect(response.status).to.equal(302);
    expect(response.headers.get('location')).to.equal('/?returnTo=/profile');
  });

  it('unknown or malformed address — is an error page without a stack', async () => {
    for (const path of ['/nowhere', '/auth/%E0%A4%A', '/%E0%A4%A']) {
      const response = await ask(path);
      expect(response.status, path).to.equal(404);
      expect(await response.text(), path)
        .to.contain('<h1>')
        .and.not.to.match(/ at .*\.js:/);
    }
  });

  describe('POST /logout', () => {
    const logout = (headers: Record<string, string>) => ask('/logout', { method: 'POST', headers });

    it('of another origin — is refused', async () => {
      const foreign: Record<string, string>[] = [
        { origin: 'https://evil.example' },
        { origin: 'null' },
        { 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'same-site' },
        { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' },
      ];
      for (const headers of foreign) {
        expect((await logout(headers)).status, JSON.stringify(headers)).to.equal(403);
      }
    });

    it('of this origin — leads back to the start page', async () => {
      const response = await logout({ origin: example.baseURL, 'sec-fetch-site': 'same-origin' });
      expect(response.status).to.equal(303);
      expect(response.headers.get('location')).to.equal('/?loggedOut');
    });

    it('as a GET — does not exist, so that a picture cannot log a person out', async () => {
      expect((await ask('/logout')).status).to.equal(404);
    });
  });
});

describe('example configuration', () => {
  it('no variable set — has a port, and leaves every provider to the emulator', () => {
    expect(readConfig({ SALESLOFT_CLIENT_ID: '', PORT: ' ' })).to.deep.equal({
      port: 3000,
      baseURL: undefined,
      host: undefined,
      logLevel: 'warn',
      metricsToken: undefined,
      refreshEarlyDays: 7,
      proxies: 0,
      sessionSecret: undefined,
      tokenSecret: undefined,
      databaseURL: undefined,
      dataFolder: undefined,
      showLogins: true,
      emulatorPort: 4000,
      providers: { salesloft: undefined, salesos: undefined, salesforce: undefined },
    });
  });

  it('one pair set — uses that provider itself', () => {
    const { salesforce, salesos } = readConfig({
      SALESFORCE_CLIENT_ID: 'id',
      SALESFORCE_CLIENT_SECRET: 'secret',
      SALESFORCE_LOGIN_URL: 'https://test.salesforce.com',
    }).providers;
    expect(salesos).to.equal(undefined);
    expect(salesforce).to.deep.equal({
      clientID: 'id',
      clientSecret: 'secret',
      loginURL: 'https://test.salesforce.com/',
    });
  });

  it('only the pairs set — leave every other option out', () => {
    const names = ['SALESLOFT', 'SALESOS', 'SALESFORCE'];
    const pairs = names.flatMap((name) => [
      [`${name}_CLIENT_ID`, 'id'],
      [`${name}_CLIENT_SECRET`, 'secret'],
    ]);
    const { providers } = readConfig(Object.fromEntries(pairs) as Record<string, string>);
    expect(Object.keys(providers)).to.have.length(3);
    for (const options of Object.values(providers)) {
      expect(options).to.deep.equal({ clientID: 'id', clientSecret: 'secret' });
    }
  });

  it('production — shows no login', () => {
    const names = ['SALESLOFT', 'SALESOS', 'SALESFORCE'];
    const pairs = names.flatMap((name) => [
      [`${name}_CLIENT_ID`, 'id'],
      [`${name}_CLIENT_SECRET`, 'secret'],
    ]);
    const secret = 'of thirty-two characters or more';
    const own = { SESSION_SECRET: secret, TOKEN_SECRET: secret, BASE_URL: 'https://app.example' };
    const env = { ...(Object.fromEntries(pairs) as Record<string, string>), ...own };
    expect(readConfig(env).showLogins).to.equal(true);
    expect(readConfig({ ...env, NODE_ENV: 'production' }).showLogins).to.equal(false);
  });

  it('options — of the environment and of the emulator are never undefined', async () => {
    const config = readConfig({ SALESOS_CLIENT_ID: 'id', SALESOS_CLIENT_SECRET: 'secret' });
    const { providers, emulated, samples, close } = await completeProviders({
      ...config,
      emulatorPort: 0,
    });
    await close();
    // The start page offers nothing that a real provider would refuse.
    expect(emulated).to.have.all.keys('salesloft', 'salesforce');
    expect(samples).to.have.all.keys('salesforce');
    expect(providers.salesforce.allowedLoginURLs).to.deep.equal(Object.values(samples.salesforce!));
    for (const options of Object.values(providers)) {
      expect(Object.values(options)).not.to.include(undefined);
    }
  });

  const mistakes: [string, Record<string, string>, string][] = [
    ['id without secret', { SALESLOFT_CLIENT_ID: 'a' }, 'SALESLOFT_CLIENT_SECRET is missing'],
    ['secret without id', { SALESOS_CLIENT_SECRET: 'a' }, 'SALESOS_CLIENT_ID is missing'],
    ['host without id', { SALESFORCE_LOGIN_URL: 'https://a.example' }, 'SALESFORCE_CLIENT_ID'],
    ['no port', { PORT: 'http' }, 'PORT must be a port number'],
    ['no address', { BASE_URL: 'app.example.com' }, 'BASE_URL must be an address'],
    ['short secret', { TOKEN_SECRET: 'short' }, 'TOKEN_SECRET must have at least 32 characters'],
    ['other database', { DATABASE_URL: 'mysql://a' }, 'DATABASE_URL must begin with postgres://'],
    ['no level', { LOG_LEVEL: 'loud' }, 'LOG_LEVEL must be one of'],
    ['no number of proxies', { PROXIES: 'yes' }, 'PROXIES must be a number'],
    ['no number of days', { REFRESH_EARLY_DAYS: '-1' }, 'REFRESH_EARLY_DAYS must be a number'],
    ['production without a sealing key', { NODE_ENV: 'production' }, 'TOKEN_SECRET'],
    ['production without a secret', { NODE_ENV: 'production' }, 'SESSION_SECRET'],
    ['production without credentials', { NODE_ENV: 'production' }, 'SALESLOFT_CLIENT_ID'],
  ];
  for (const [name, env, message] of mistakes) {
    it(`${name} — names the variable`, () => {
      expect(() => readConfig(env)).to.throw(ConfigError, message);
    });
  }
});
