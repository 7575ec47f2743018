/** The page of connections over HTTP: linking, calls, refreshes, disconnecting, and the end of an account. */
import { expect } from 'chai';
import { startExample } from './example';
import type { Example } from './example';
import { Visitor } from './visitor';
import type { Provider, Shown } from './visitor';

const NAMES: Provider[] = ['salesloft', 'salesos', 'salesforce'];

describe('example: connections', () => {
  let example: Example;
  let visitor: Visitor;
  let logged: string[];
  const { error } = console;

  beforeEach(async () => {
    example = await startExample();
    visitor = new Visitor(example);
    logged = [];
    console.error = (...values: unknown[]) => logged.push(values.join(' '));
  });
  afterEach(async () => {
    console.error = error;
    await example.close();
  });

  const profile = () => visitor.visit('/profile');

  /** The part of the page that is about one provider. */
  const rowOf = ({ html }: Shown, provider: Provider): string => {
    const rows = html.split('<section').slice(1);
    return rows.find((row) => row.includes(`glyph ${provider}`)) ?? '';
  };

  const idOf = (page: Shown, provider: Provider): string =>
    /\/connections\/([\w-]{36})\//.exec(rowOf(page, provider))?.[1] ?? '';

  const act = async (provider: Provider, action: string) =>
    await visitor.post(`/connections/${idOf(await profile(), provider)}/${action}`);

  const countOf = async (table: 'accounts' | 'connections' | 'sessions') => {
    const rows = await example.database.db.selectFrom(table).select('id').execute();
    return rows.length;
  };

  const revocations = (provider: Provider) =>
    example.emulator[provider].requests.filter(({ path }) => path.endsWith('/revoke')).length;

  describe('linking', () => {
    it('three CRMs, three persons — are one account, and each of them signs in to it', async () => {
      await visitor.logIn('salesloft', 'Marta Quill');
      for (const [provider, who] of [
        ['salesos', 'Suri'],
        ['salesforce', 'Tobias Fenn'],
      ] as const) {
        expect((await visitor.connect(provider, who)).location).to.equal('/profile?done=connected');
      }
      expect(await countOf('accounts')).to.equal(1);
      const page = await profile();
      expect(page.heading).to.equal('Marta Quill');
      for (const who of ['as Marta Quill', 'as Suri', 'as Tobias Fenn'])
        expect(page.html).to.contain(who);

      visitor = new Visitor(example);
      await visitor.logIn('salesforce', 'Tobias Fenn');
      expect(await countOf('accounts')).to.equal(1);
      expect((await profile()).html)
        .to.contain('as Marta Quill')
        .and.contain('as Suri');
    });

    it('login while signed in — is another account, also with the same e-mail address', async () => {
      await visitor.logIn('salesloft', 'Suri');
      await visitor.logIn('salesos', 'Suri');
      expect(await countOf('accounts')).to.equal(2);
      expect(rowOf(await profile(), 'salesloft')).to.contain('Not connected');
    });

    it('connection of another account — is said, and nothing moves', async () => {
      await new Visitor(example).logIn('salesos', 'Suri');
      await visitor.logIn('salesloft', 'Marta Quill');
      const page = await visitor.connect('salesos', 'Suri');
      expect([page.status, page.heading]).to.deep.equal([
        409,
        'This connection belongs to another account',
      ]);
      expect(rowOf(await profile(), 'salesos')).to.contain('Not connected');
      const other = new Visitor(example);
      await other.logIn('salesos', 'Suri');
      expect((await other.visit('/profile')).html).not.to.contain('Marta Quill');
    });

    it('without a login — begins none', async () => {
      expect((await visitor.post('/connections/salesos')).location).to.equal('/?returnTo=/profile');
    });

    it('after a logout, or as another account — ends without a link', async () => {
      for (const meanwhile of [
        () => visitor.post('/logout'),
        () => visitor.logIn('salesloft', 'Tobias Fenn'),
      ]) {
        await visitor.logIn('salesloft', 'Marta Quill');
        const begun = await visitor.post('/connections/salesos');
        await meanwhile();
        const page = await visitor.signIn(begun.location ?? '', 'Suri');
        expect([page.status, page.heading]).to.deep.equal([409, 'You are not signed in as before']);
      }
      expect(await countOf('connections')).to.equal(2);
    });

    it('callback of another browser — links nothing there', async () => {
      await visitor.logIn('salesloft', 'Marta Quill');
      const begun = await visitor.post('/connections/salesos');
      const victim = new Visitor(example);
      await victim.logIn('salesforce', 'Suri');
      const page = await victim.signIn(begun.location ?? '', 'Marta Quill');
      expect(page.status).to.equal(403);
      expect(await countOf('connections')).to.equal(2);
    });

    it('refused by the provider — leaves the account as it was', async () => {
      await visitor.logIn('salesloft', 'Marta Quill');
      expect((await visitor.connect('salesos', 'Deny')).status).to.equal(401);
      expect((await profile()).heading).to.equal('Marta Quill');
      expect(await countOf('connections')).to.equal(1);
    });

    it('production and sandbox of Salesforce — are two connections', async () => {
      await visitor.logIn('salesforce', 'Suri');
      const { origin } = example.emulator.salesforce.sandbox!;
      await visitor.connect('salesforce', 'Suri', { loginURL: origin });
      expect(await countOf('connections')).to.equal(2);
      expect((await profile()).html).to.contain(`at <code>${origin}</code>`);
    });

    it('two first logins of one person at once — make one account', async () => {
      await Promise.all([1, 2, 3, 4].map(() => new Visitor(example).logIn('salesos', 'Suri')));
      expect([await countOf('accounts'), await countOf('connections')]).to.deep.equal([1, 1]);
    });
  });

  describe('calls', () => {
    it('each CRM — answers with the tokens that are kept', async () => {
      await visitor.logIn('salesloft');
      await visitor.connect('salesforce');
      const cadence = await act('salesloft', 'calls/cadence');
      expect([cadence.status, cadence.facts]).to.deep.equal([
        200,
        { Cadence: 'Cadence 1', 'Days with steps': '1' },
      ]);
      expect((await act('salesloft', 'calls/me')).facts['Name']).to.equal('Suri');
      expect((await act('salesforce', 'calls/limits')).facts['DailyApiRequests']).to.match(
        / of 15000 left$/,
      );
      expect((await act('salesforce', 'calls/account')).facts).to.have.property('Harbour Bakery');
      expect(rowOf(await profile(), 'salesloft')).to.match(/Last used<\/dt>\s*<dd>\s*just now/);
    });

    it('SalesOS without the scope — shows the 403 and its remedy, which helps', async () => {
      await visitor.logIn('salesos');
      expect((await act('salesos', 'calls/leads')).location).to.match(/^\/profile\?done=failed#/);
      const row = rowOf(await profile(), 'salesos');
      expect(row).to.contain('insufficient_scope').and.contain('Allow “List leads” at SalesOS');
      expect((await visitor.connect('salesos', 'Suri', { call: 'leads' })).location).to.contain(
        'connected',
      );
      expect((await act('salesos', 'calls/leads')).facts).to.deep.equal({
        'Harbour Bakery': 'new',
        'Pine Street Cycles': 'contacted',
      });
      expect(rowOf(await profile(), 'salesos')).not.to.contain('insufficient_scope');
    });

    it('grant that the provider has ended — asks to connect again, which helps', async () => {
      await visitor.logIn('salesloft');
      example.emulator.salesloft.setActive('Suri', false);
      await act('salesloft', 'refresh');
      expect(rowOf(await profile(), 'salesloft'))
        .to.contain('Connect again')
        .and.contain('reauthorization_required');
      example.emulator.salesloft.setActive('Suri', true);
      await visitor.connect('salesloft');
      expect((await act('salesloft', 'calls/me')).status).to.equal(200);
    });

    it('unknown call, connection or provider — does nothing', async () => {
      await visitor.logIn('salesloft');
      expect((await act('salesloft', 'calls/constructor')).location).to.equal('/profile');
      for (const path of [
        'acme',
        '__proto__',
        'x/refresh',
        `${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(12)}/refresh`,
      ]) {
        expect((await visitor.post(`/connections/${path}`)).status, path).to.equal(404);
      }
    });
  });

  describe('other people', () => {
    it('connection of another account — cannot be used, refreshed or removed', async () => {
      await visitor.logIn('salesloft', 'Marta Quill');
      const id = idOf(await profile(), 'salesloft');
      const other = new Visitor(example);
      await other.logIn('salesos', 'Suri');
      for (const action of ['refresh', 'calls/me', 'disconnect', 'logout']) {
        expect((await other.post(`/connections/${id}/${action}`)).status, action).to.equal(404);
      }
      expect(await countOf('connections')).to.equal(2);
    });

    it('form of another site — does nothing', async () => {
      await visitor.logIn('salesloft', 'Marta Quill');
      const id = idOf(await profile(), 'salesloft');
      const headers = { origin: 'https://evil.example', cookie: visitor.cookie };
      for (const path of [
        '/connections/salesos',
        `/connections/${id}/refresh`,
        '/account/delete',
      ]) {
        const response = await fetch(example.baseURL + path, { method: 'POST', headers });
        expect(response.status, path).to.equal(403);
      }
      expect(await countOf('accounts')).to.equal(1);
    });
  });

  describe('disconnecting', () => {
    it('one of two — revokes at the provider, and forgets it', async () => {
      await visitor.logIn('salesloft', 'Marta Quill');
      await visitor.connect('salesos', 'Suri');
      expect((await act('salesos', 'disconnect')).location).to.equal('/profile?done=disconnected');
      expect(revocations('salesos')).to.equal(1);
      expect(rowOf(await profile(), 'salesos')).to.contain('Not connected');
      // The person is a stranger again.
      const other = new Visitor(example);
      await other.logIn('salesos', 'Suri');
      expect((await other.visit('/profile')).html).not.to.contain('Marta Quill');
    });

    it('the only one — stays', async () => {
      await visitor.logIn('salesloft', 'Marta Quill');
      const page = await act('salesloft', 'disconnect');
      expect([page.status, page.heading]).to.deep.equal([409, 'This is your only connection']);
      expect(revocations('salesloft')).to.equal(0);
    });

    it('two at once — leave one', async () => {
      await visitor.logIn('salesloft', 'Marta Quill');
      await visitor.connect('salesos', 'Suri');
      await Promise.all([act('salesloft', 'disconnect'), act('salesos', 'disconnect')]);
      expect(await countOf('connections')).to.equal(1);
    });

    it('provider out of order — keeps the connection and its tokens, so that it can be tried again', async () => {
      await visitor.logIn('salesloft', 'Marta Quill');
      await visitor.connect('salesforce', 'Suri');
      example.emulator.salesforce.fault({ step: 'revoke', kind: 'status', status: 503 });
      expect((await act('salesforce', 'disconnect')).location).to.match(/done=failed/);
      expect(rowOf(await profile(), 'salesforce')).to.contain('provider_unavailable');
      expect((await act('salesforce', 'disconnect')).location).to.match(/done=disconnected/);
    });
  });

  describe('deleting the account', () => {
    it('revokes everywhere, forgets everything, and ends every session', async () => {
      await visitor.logIn('salesloft', 'Marta Quill');
      for (const provider of ['salesos', 'salesforce'] as const)
        await visitor.connect(provider, 'Suri');
      const elsewhere = new Visitor(example);
      await elsewhere.logIn('salesos', 'Suri');
      expect((await visitor.post('/account/delete')).location).to.equal('/?loggedOut=deleted');
      expect([await countOf('accounts'), await countOf('connections')]).to.deep.equal([0, 0]);
      expect(NAMES.map(revocations)).to.deep.equal([1, 1, 1]);
      expect((await elsewhere.visit('/profile')).location).to.equal('/?returnTo=/profile');
      const { rows } = await example.database.client.query(
        'SELECT name FROM crm_oauth2_tokens',
        [],
      );
      expect(rows).to.deep.equal([]);
    });

    it('provider out of order — deletes all the same, and says so', async () => {
      await visitor.logIn('salesforce', 'Suri');
      example.emulator.salesforce.fault({ step: 'revoke', kind: 'status', status: 503 });
      expect((await visitor.post('/account/delete')).location).to.equal(
        '/?loggedOut=deleted-unrevoked',
      );
      expect((await visitor.visit('/?loggedOut=deleted-unrevoked')).html).to.contain(
        'did not answer',
      );
      expect(await countOf('accounts')).to.equal(0);
    });
  });

  it('pages, cookies and logs — hold no token', async () => {
    await visitor.logIn('salesloft');
    for (const provider of ['salesos', 'salesforce'] as const) await visitor.connect(provider);
    const { html } = await profile();
    expect(html + logged.join('')).not.to.match(/eyJ|access_token|refresh_token|logout_hint/);
    const cookies = visitor.cookie.split('; ').toSorted();
    expect(cookies.join('\n')).to.match(
      /^express-login=s%3A[\w-]{32}\.[\w%]+\nlast-used=salesloft\nsee-the-login=[\w-]{10}$/,
    );
  });
});
