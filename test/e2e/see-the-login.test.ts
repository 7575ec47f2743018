/** The page "See the login" of the example: the diagram of the last login, without a secret, and off in production. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request as requestTo } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { expect } from 'chai';
import { PLACES } from '../../examples/express-login/dist/see-the-login/messages';
import { LoginSteps } from '../../examples/express-login/dist/see-the-login/steps';
import type { Step } from '../../examples/express-login/dist/see-the-login/steps';
import { startExample } from './example';
import type { Example } from './example';
import { Visitor } from './visitor';
import type { Provider } from './visitor';

const PAGE = '/see-the-login';

/** The messages of each login, in their order. The keys are fetched in the background, at some moment; SalesOS' profile is in its ID Token. */
const MESSAGES: Record<Provider, string[]> = {
  salesloft: [
    'GET /auth/salesloft',
    '302 to HOST',
    'GET /oauth/authorize',
    'GET /auth/salesloft/callback',
    'POST /oauth/token',
    'GET /v2/me.json',
    '302 to /profile',
  ],
  salesos: [
    'GET /auth/salesos',
    '302 to HOST',
    'GET /authorize',
    'GET /auth/salesos/callback',
    'POST /oauth/token',
    '302 to /profile',
  ],
  salesforce: [
    'GET /auth/salesforce',
    '302 to HOST',
    'GET /services/oauth2/authorize',
    'GET /auth/salesforce/callback',
    'POST /services/oauth2/token',
    'GET /id/ORGANIZATION/USER',
    '302 to /profile',
  ],
};

describe('example: see the login', () => {
  let example: Example;
  let visitor: Visitor;
  const { error } = console;

  before(async () => {
    example = await startExample();
  });
  after(async () => {
    await example.close();
  });
  beforeEach(() => {
    visitor = new Visitor(example);
    console.error = () => undefined;
  });
  afterEach(() => {
    console.error = error;
  });

  const seen = async () => {
    const page = await visitor.visit(PAGE);
    const titles = [...page.html.matchAll(/<code\s*>([A-Z]+ \/[^<]*|\d{3} [^<]*)<\/code\s*>/g)];
    const numbers = [...page.html.matchAll(/<text class="digit"[^>]*>(\d+)</g)].map(([, n]) => n);
    return { ...page, titles: titles.map(([, title]) => String(title)), numbers };
  };

  const stored = async () => {
    const { rows } = await example.database.client.query(
      'SELECT login, step FROM login_steps ORDER BY at, id',
      [],
    );
    return rows as { login: string; step: string }[];
  };

  for (const [provider, messages] of Object.entries(MESSAGES) as [Provider, string[]][]) {
    it(`${provider} — shows each request once, in its order, as a diagram and as a list`, async () => {
      await visitor.logIn(provider);
      const { status, html, titles, numbers } = await seen();
      expect(status).to.equal(200);
      const { host } = new URL(example.emulator[provider].origin);
      const named = titles.map((title) =>
        title.replace(host, 'HOST').replace(/\/id\/00D\w+\/005\w+/, '/id/ORGANIZATION/USER'),
      );
      expect(named.filter((title) => !/keys|jwks/.test(title))).to.deep.equal(messages);
      expect(numbers).to.deep.equal(titles.map((_, index) => String(index + 1)));
      expect(html).to.contain('Succeeded').and.contain('code=•••').and.contain('state=•••');
      expect(html).to.match(/answered 200, \d+ ms/);
    });

    it(`${provider} — neither the page nor the table holds a secret`, async () => {
      const begun = await visitor.visit(`/auth/${provider}?returnTo=/profile%3Fprivate=yes`);
      const authorization = new URL(begun.location ?? '');
      const cookie = visitor.cookie;
      await visitor.signIn(authorization.href, 'Suri');
      const { html } = await seen();
      const steps = JSON.stringify(await stored());
      const connection = await example.database.db
        .selectFrom('connections')
        .selectAll()
        .where('provider', '=', provider)
        .executeTakeFirstOrThrow();
      const tokens = await example.logins.tokensOf(connection).getTokens();
      const { clientSecret, clientID } = example.emulator[provider];
      const values = [
        ...authorization.searchParams.values(),
        ...new URL(visitor.callback).searchParams.values(),
        // The pending login, encrypted; the other cookie names the login.
        ...cookie.split(/[=;]/).filter((text) => text.length > 100),
        tokens.accessToken,
        tokens.refreshToken ?? 'none',
        tokens.idToken ?? 'none',
        clientSecret,
        clientID,
        'private',
      ].filter((value) => value.length > 8 && value !== 'offline_access');
      expect(values.length).to.be.greaterThan(7);
      for (const text of [html, steps]) {
        expect(values.filter((value) => text.includes(value))).to.deep.equal([]);
        // A verifier, a token or a code has at least so many characters.
        expect(text).not.to.match(/[\w-]{36,}|eyJ/);
      }
    });
  }

  it('no login — says so; the login of another browser is not shown', async () => {
    await new Visitor(example).logIn('salesos');
    const { html } = await seen();
    expect(html).to.contain('has not begun a login').and.not.contain('<svg');
  });

  it('login that is not finished — waits for the browser', async () => {
    await visitor.visit('/auth/salesforce');
    const { html } = await seen();
    expect(html).to.contain('Not finished').and.contain('has not come back so far');
  });

  it('refused — the failure page leads there, and the code is shown', async () => {
    expect((await visitor.logIn('salesforce', 'Deny')).html).to.contain(`href="${PAGE}"`);
    const { html, titles } = await seen();
    expect(html).to.contain('Failed: access_denied').and.contain('error=•••');
    expect(titles.at(-1)).to.equal('401 with a page');
  });

  it('provider out of order — shows the request that failed', async () => {
    example.emulator.salesloft.fault({ step: 'token', kind: 'status', status: 503 });
    expect((await visitor.logIn('salesloft')).html).to.contain(`href="${PAGE}"`);
    const { html, titles } = await seen();
    expect(html).to.match(/answered 503, \d+ ms/);
    expect(html).to.contain('Failed: provider_unavailable');
    expect(titles.slice(-2)).to.deep.equal(['POST /oauth/token', '502 with a page']);
  });

  it('login that cannot begin, and a callback without a state — are seen too', async () => {
    await visitor.visit('/auth/salesforce?loginURL=evil.example');
    expect((await seen()).titles).to.deep.equal(['GET /auth/salesforce', '400 with a page']);
    await visitor.visit('/auth/salesos/callback?code=of-another-login');
    const { html, titles } = await seen();
    expect(titles).to.deep.equal(['GET /auth/salesos/callback', '403 with a page']);
    expect(html).not.to.contain('of-another-login');
  });

  it('connecting one more CRM — is a login too', async () => {
    await visitor.logIn('salesloft', 'Zoë Ångström');
    await visitor.connect('salesos', 'Zoë Ångström');
    const { titles } = await seen();
    expect(titles[0]).to.equal('POST /connections/salesos');
    expect(titles.at(-1)).to.equal('302 to /profile');
  });

  it('two logins at the same moment — keep their steps apart', async () => {
    const others = [new Visitor(example), new Visitor(example)] as const;
    await Promise.all([others[0].logIn('salesloft'), others[1].logIn('salesforce')]);
    const pages = await Promise.all(others.map((other) => other.visit(PAGE)));
    expect(pages[0]?.html).to.contain('GET /v2/me').and.not.contain('/services/oauth2');
    expect(pages[1]?.html).to.contain('/services/oauth2').and.not.contain('/v2/me');
  });

  it('parameters with odd names — are left out', async () => {
    const odd = encodeURIComponent('<script>eyJhbGciOiJub25lIn0.e30.');
    await visitor.visit(`/auth/salesos?${odd}=1&returnTo=/`);
    const { html } = await seen();
    expect(html).to.contain('returnTo=•••').and.not.contain('&lt;script').and.not.contain('eyJ');
  });

  it('request with an odd Host or an odd target — is answered, and seen', async () => {
    const { hostname, port } = new URL(example.baseURL);
    for (const [path, host] of [
      ['/auth/salesloft', 'a b'],
      ['http://x:99999/auth/salesloft', 'x'],
    ] as const) {
      const asked = requestTo({ hostname, port, path, headers: { host } });
      const [answer] = (await once(asked.end(), 'response')) as [IncomingMessage];
      answer.resume();
      expect(answer.statusCode, host).to.equal(302);
      const set = answer.headers['set-cookie'] ?? [];
      const headers = { cookie: String(/see-the-login=[\w-]+/.exec(set.join())) };
      const page = await (await fetch(example.baseURL + PAGE, { headers })).text();
      expect(page, host).to.contain('GET /auth/salesloft<').and.contain('Not finished');
    }
  });

  it('refresh of tokens — adds nothing', async () => {
    await visitor.logIn('salesloft');
    const before = (await seen()).titles;
    const { html } = await visitor.visit('/profile');
    await visitor.post(/\/connections\/[\w-]+\/refresh/.exec(html)?.[0] ?? '');
    expect((await seen()).titles).to.deep.equal(before);
  });

  it('connections — lead there', async () => {
    await visitor.logIn('salesloft');
    expect((await visitor.visit('/profile')).html).to.contain(`href="${PAGE}"`);
  });

  it('switched off, as in production — there is no page, no link, no cookie and no table', async () => {
    const off = await startExample({ showLogins: false });
    try {
      const other = new Visitor(off);
      expect((await other.logIn('salesos', 'Deny')).html).not.to.contain(PAGE);
      await other.logIn('salesos');
      expect((await other.visit('/profile')).html).not.to.contain(PAGE);
      expect(other.cookie).not.to.contain('see-the-login');
      for (const path of [PAGE, `${PAGE}/code/token`]) {
        expect((await other.visit(path)).status).to.equal(404);
      }
      const { rows } = await off.database.client.query(
        "SELECT to_regclass('login_steps') AS it",
        [],
      );
      expect(rows).to.deep.equal([{ it: null }]);
    } finally {
      await off.close();
    }
  });

  describe('places in the code', () => {
    it('each — is a file of the repository that has the words', async () => {
      for (const [name, { file, find }] of Object.entries(PLACES)) {
        expect(readFileSync(file, 'utf8'), file).to.contain(find);
        const response = await fetch(`${example.baseURL}${PAGE}/code/${name}`);
        expect(response.headers.get('content-type')).to.equal('text/plain; charset=utf-8');
        expect(await response.text()).to.equal(readFileSync(file, 'utf8'));
      }
    });

    it('others — are not served', async () => {
      for (const name of ['constructor', '__proto__', '..%2f..%2fpackage.json', '%00']) {
        const response = await fetch(`${example.baseURL}${PAGE}/code/${name}`);
        expect(response.status, name).to.equal(404);
      }
    });
  });

  describe('steps', () => {
    const step = (at: number): Step => ({
      at,
      from: 'application',
      provider: 'salesos',
      method: 'GET',
      host: 'auth.example',
      path: '/userinfo',
      names: [],
      status: 200,
      duration: 1,
    });

    it('many — only the latest are kept, and of one login the first', async () => {
      const steps = new LoginSteps(example.database.db, example.log);
      for (let login = 0; login < 25; login += 1) {
        for (let count = 0; count < 100; count += 1) steps.keep(`login ${login}`, step(Date.now()));
        expect(await steps.of(`login ${login}`)).to.have.length(60);
      }
      expect(await stored()).to.have.length(2000);
      expect(await steps.of('login 4')).to.deep.equal([]);
    });

    it('older than a day — are removed', async () => {
      const steps = new LoginSteps(example.database.db, example.log);
      steps.keep('old', step(Date.now() - 25 * 3_600_000));
      steps.keep('new', step(Date.now()));
      expect(await steps.of('new')).to.have.length(1);
      expect(await steps.of('old')).to.deep.equal([]);
    });
  });
});
