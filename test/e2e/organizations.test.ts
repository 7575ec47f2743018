/** The example application over HTTP: sandboxes and My Domains, invitations, and logout at the provider. */
import { Agent } from 'node:https';
import { expect } from 'chai';
import { startExample } from './example';
import type { Example } from './example';
import { Visitor } from './visitor';
import type { Provider } from './visitor';

describe('example: organizations', () => {
  let example: Example;
  let visitor: Visitor;
  before(async () => {
    example = await startExample();
  });
  after(async () => {
    await example.close();
  });
  beforeEach(() => {
    visitor = new Visitor(example);
  });

  /** The three places at which one strategy signs people in. */
  function places() {
    const { salesforce } = example.emulator;
    return [salesforce, salesforce.sandbox!, salesforce.myDomain!];
  }

  const loginAt = (loginURL: string) =>
    visitor.visit(`/auth/salesforce?${new URLSearchParams({ loginURL }).toString()}`);

  describe('sandbox or My Domain', () => {
    it('start page — has a link and a form for them, that keep the page to return to', async () => {
      const { html } = await visitor.visit('/?returnTo=/profile%3Fa=b');
      const [, sandbox, myDomain] = places();
      const query = new URLSearchParams({ loginURL: sandbox!.origin, returnTo: '/profile?a=b' });
      expect(html).to.contain(
        `href="/auth/salesforce?${query.toString().replaceAll('&', '&amp;')}"`,
      );
      expect(html).to.contain('<form action="/auth/salesforce">');
      expect(html).to.contain(`value="${myDomain!.origin}"`);
      expect(html).to.contain('<input type="hidden" name="returnTo" value="/profile?a=b" />');
    });

    it('each of the three — signs in people of its own organization', async () => {
      const organizations: (string | undefined)[] = [];
      for (const { origin } of places()) {
        expect((await visitor.logIn('salesforce', 'Suri', { loginURL: origin })).location).to.equal(
          '/profile',
        );
        const { facts } = await visitor.visit('/profile');
        organizations.push(facts['Organization']);
        expect(facts['Provider']).to.equal(`Salesforce, at ${origin}`);
      }
      expect(new Set(organizations).size).to.equal(3);
    });

    it('no address, an empty or a repeated one — is the usual place', async () => {
      for (const query of ['', '?loginURL=', '?loginURL=%20', '?loginURL=a&loginURL=b']) {
        const { location } = await visitor.visit(`/auth/salesforce${query}`);
        expect(new URL(location!).origin, query).to.equal(places()[0]!.origin);
      }
    });

    it('host alone, or a page that was pasted — leads to its organization', async () => {
      // Connections that are opened ahead of an answer end at this machine.
      const own = await startExample({ agent: new Agent({ lookup: atThisMachine }) });
      visitor = new Visitor(own);
      try {
        for (const [typed, origin] of [
          ['acme.my.salesforce.com', 'https://acme.my.salesforce.com'],
          ['  ACME.my.salesforce.com/ ', 'https://acme.my.salesforce.com'],
          ['acme--uat.sandbox.my.salesforce.com', 'https://acme--uat.sandbox.my.salesforce.com'],
          [
            'https://acme.lightning.force.com/lightning/page/home',
            'https://acme.my.salesforce.com',
          ],
          ['acme.my.salesforce-setup.com/lightning/setup/home', 'https://acme.my.salesforce.com'],
          ['test.salesforce.com', 'https://test.salesforce.com'],
        ] as const) {
          const { status, location } = await loginAt(typed);
          expect(status, typed).to.equal(302);
          expect(location, typed).to.match(
            new RegExp(`^${origin.replaceAll('.', '\\.')}/services/oauth2/authorize\\?`),
          );
        }
      } finally {
        await own.close();
      }
    });

    for (const hostile of [
      'https://evil.example/',
      'login.salesforce.com.evil.example',
      'https://login.salesforce.com@evil.example/',
      'https://evil-my.salesforce.com.evil.example',
      'http://acme.my.salesforce.com',
      'https://acme.my.salesforce.com:8443',
      'https://acme.my.salesforce.com./',
      'https://acme.my.site.com/services/apexrest',
      '//acme.my.salesforce.com',
      'https:\\\\acme.my.salesforce.com',
      'https://acme.my.sаlesforce.com',
      'http://127.0.0.1:9/',
      'http://localhost/',
      'javascript:alert(1)',
      `https://${'a'.repeat(5000)}.my.salesforce.com`,
    ]) {
      it(`${hostile.slice(0, 50)} — is refused before anything is asked`, async () => {
        const asked = () => places().map(({ requests }) => requests.length);
        const before = asked();
        const page = await loginAt(hostile);
        expect([page.status, page.location]).to.deep.equal([400, null]);
        expect(page.heading).to.equal('This site cannot log you in at that address');
        expect(page.facts['Code']).to.equal('login_url_not_allowed');
        expect(page.facts['Can be fixed by']).to.equal('You');
        expect(page.facts['Next step']).to.contain('My Domain');
        expect(page.strong).to.deep.equal(['Log in another way']);
        expect(asked()).to.deep.equal(before);
      });
    }

    it('address of another site in a page — is escaped, and its query is left out', async () => {
      const { status, html } = await loginAt('https://evil.example/"><script>?sid=secret');
      expect(status).to.equal(400);
      expect(html).not.to.contain('<script>').and.not.to.contain('secret');
    });
  });

  describe('invitation', () => {
    it('link — makes its person a member, once', async () => {
      const { invitation, organization } = example.emulator.salesos.invite(
        'Marta Quill',
        'pine-street-cycles',
      );
      const invited = { invitation, organization };
      expect((await visitor.logIn('salesos', 'Marta Quill', invited)).location).to.equal(
        '/profile',
      );
      expect((await visitor.visit('/profile')).facts['Organization']).to.equal(organization);

      const again = await new Visitor(example).logIn('salesos', 'Marta Quill', invited);
      expect([again.status, again.heading]).to.deep.equal([
        401,
        'Your invitation is no longer valid',
      ]);
    });

    it('organization without an invitation — refuses a person who is not a member', async () => {
      const organization = 'pine-street-cycles';
      const page = await visitor.logIn('salesos', 'Tobias Fenn', { organization });
      expect([page.status, page.heading]).to.deep.equal([
        401,
        'You are not a member of the organization',
      ]);
      const own = await visitor.logIn('salesos', 'Tobias Fenn', { organization: 'harbour-bakery' });
      expect(own.location).to.equal('/profile');
    });

    it('start page — has a new link for each visitor', async () => {
      const links = await Promise.all(
        [1, 2].map(async () => /\/auth\/salesos\?[^"]+/.exec((await visitor.visit('/')).html)?.[0]),
      );
      expect(links[0]).to.match(/\?organization=org_\w+&amp;invitation=[\w-]{20,}$/);
      expect(links[0]).not.to.equal(links[1]);
    });

    it('query of a link — reaches no other provider', async () => {
      for (const name of ['salesloft', 'salesforce']) {
        const { location } = await visitor.visit(`/auth/${name}?organization=a&invitation=b`);
        expect(location, name).not.to.match(/organization|invitation/);
      }
    });
  });

  describe('logout at the provider', () => {
    const revocations = ({
      requests,
    }: {
      requests: readonly { path: string; status?: number }[];
    }) => requests.filter(({ path }) => path.endsWith('/revoke')).map(({ status }) => status);

    async function profileOf(provider: Provider, query = {}) {
      await visitor.logIn(provider, 'Suri', query);
      return await visitor.visit('/profile');
    }

    it('SalesOS — leads to its logout, with the session and the way back, and no token', async () => {
      expect((await profileOf('salesos')).html).to.contain('Log out of SalesOS too');
      const { status, location } = await visitor.post('/logout/provider');
      expect(status).to.equal(303);
      const { origin, pathname, searchParams } = new URL(location!);
      expect(origin + pathname).to.equal(`${example.emulator.salesos.origin}/oidc/logout`);
      expect([...searchParams.keys()].toSorted()).to.deep.equal([
        'client_id',
        'logout_hint',
        'post_logout_redirect_uri',
      ]);
      // The refresh token; access tokens of SalesOS just end.
      expect(revocations(example.emulator.salesos)).to.deep.equal([200]);
      const back = await fetch(location!, { redirect: 'manual' });
      expect(back.headers.get('location')).to.equal(`${example.baseURL}/?loggedOut=salesos`);
      expect((await visitor.visit('/?loggedOut=salesos')).html).to.contain(
        'You are logged out here and at SalesOS.',
      );
      expect((await visitor.visit('/profile')).location).to.equal('/?returnTo=/profile');
    });

    it('Salesloft — revokes, and says so', async () => {
      expect((await profileOf('salesloft')).html).to.contain('Log out and revoke access');
      expect((await visitor.post('/logout/provider')).location).to.equal('/?loggedOut=salesloft');
      expect(revocations(example.emulator.salesloft)).to.deep.equal([200]);
      expect((await visitor.visit('/?loggedOut=salesloft')).html).to.contain(
        'can no longer use your Salesloft account',
      );
    });

    it('Salesforce — revokes where the person signed in, and leads to the logout there', async () => {
      for (const place of places()) {
        const others = () =>
          places()
            .filter((other) => other !== place)
            .map(revocations);
        const before = [revocations(place), others()];
        await profileOf('salesforce', { loginURL: place.origin });
        const { location } = await visitor.post('/logout/provider');
        expect(new URL(location!).origin).to.equal(place.origin);
        expect(new URL(location!).pathname).to.equal('/services/auth/idp/oidc/logout');
        expect([revocations(place), others()]).to.deep.equal([[...before[0]!, 200], before[1]]);
      }
    });

    it('three organizations in one browser — the logout of one leaves the others their access', async () => {
      for (const { origin } of places()) await profileOf('salesforce', { loginURL: origin });
      const before = places().map((place) => revocations(place).length);
      await visitor.post('/logout/provider');
      const after = places().map((place) => revocations(place).length);
      expect(after).to.deep.equal([before[0], before[1], before[2]! + 1]);
    });

    it('provider out of order — logs out here all the same, says it, and logs no token', async () => {
      const logged: string[] = [];
      const { error } = console;
      console.error = (...values: unknown[]) => logged.push(values.join(' '));
      try {
        await profileOf('salesforce');
        example.emulator.salesforce.fault({ step: 'revoke', kind: 'status', status: 503 });
        const { location } = await visitor.post('/logout/provider');
        expect(location).to.equal('/?loggedOut=unrevoked');
      } finally {
        console.error = error;
      }
      expect((await visitor.visit('/?loggedOut=unrevoked')).html).to.contain(
        'The provider did not answer',
      );
      expect((await visitor.visit('/profile')).location).to.equal('/?returnTo=/profile');
      expect(logged).to.have.length(1);
      expect(logged[0]).to.match(/^logout failed: provider_unavailable: salesforce: /);
    });

    it('person who is not logged in — goes to the start page', async () => {
      expect((await visitor.post('/logout/provider')).location).to.equal('/?loggedOut');
    });

    it('another site, or a GET — ends no session', async () => {
      const url = `${example.baseURL}/logout/provider`;
      const headers = { origin: 'https://evil.example' };
      expect((await fetch(url, { method: 'POST', headers })).status).to.equal(403);
      expect((await fetch(url)).status).to.equal(404);
    });

    it('end of a logout that does not exist — is no more than a logout', async () => {
      for (const name of ['', 'constructor', '__proto__', '"><script>']) {
        const { html } = await visitor.visit(`/?loggedOut=${encodeURIComponent(name)}`);
        expect(html).to.contain('You are logged out here.').and.not.to.contain('<script>');
      }
    });
  });

  it('pages and cookies — hold no token, at any provider', async () => {
    for (const provider of ['salesloft', 'salesos', 'salesforce'] as const) {
      await visitor.logIn(provider);
      const { html } = await visitor.visit('/profile');
      expect(html).not.to.match(/eyJ|access_token|refresh_token|logout_hint/);
      const cookies = Object.fromEntries(
        visitor.cookie.split('; ').map((pair) => pair.split('=') as [string, string]),
      );
      const { 'express-login': session, ...others } = cookies;
      expect(session).to.match(/^s%3A[\w-]{32}\.[\w%]+$/);
      expect(others).to.have.all.keys('last-used', 'see-the-login');
      for (const value of Object.values(others)) expect(value).to.match(/^[\w-]{1,10}$/);
    }
  });
});

type Lookup = NonNullable<ConstructorParameters<typeof Agent>[0]>['lookup'];

const atThisMachine: Lookup = (_host, options, done) => {
  if (options.all) done(null, [{ address: '127.0.0.1', family: 4 }]);
  else done(null, '127.0.0.1', 4);
};
