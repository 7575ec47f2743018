/** The calls of each API that the page of connections offers: their answers, and the requests that they are. */
import { expect } from 'chai';
import { startExample } from './example';
import type { Example } from './example';
import { Visitor } from './visitor';
import type { Provider, Shown } from './visitor';

describe('example: calls of the APIs', () => {
  let example: Example;
  let visitor: Visitor;

  before(async () => {
    example = await startExample();
  });
  beforeEach(() => {
    visitor = new Visitor(example);
  });
  after(() => example.close());

  const call = async (name: string): Promise<Shown> => {
    const { html } = await visitor.visit('/profile');
    const path = new RegExp(`/connections/[\\w-]{36}/calls/${name}(?=")`).exec(html)?.[0];
    return await visitor.post(path ?? '');
  };

  const requested = (provider: Provider) =>
    example.emulator[provider].requests.slice(-2).map(({ method, path }) => `${method} ${path}`);

  it('Salesloft — lists cadences with their state', async () => {
    await visitor.logIn('salesloft');
    const { status, heading, facts } = await call('cadences');
    expect([status, heading]).to.deep.equal([200, 'List cadences']);
    expect(Object.keys(facts)).to.have.length(10);
    expect(facts).to.include({ 'Cadence 1': 'active', 'Cadence 5': 'draft' });
    expect(requested('salesloft')).to.include('GET /v2/cadences.json');
  });

  it('Salesloft — exports a cadence, and imports a copy that is in the list then', async () => {
    await visitor.logIn('salesloft');
    expect((await call('cadence')).facts).to.deep.equal({
      Cadence: 'Cadence 1',
      'Days with steps': '1',
    });
    const copied = await call('import');
    expect(copied.facts).to.include({ 'Imported as': 'Copy of Cadence 1' });
    expect(copied.facts['Number']).to.match(/^90\d\d$/);
    expect(requested('salesloft')).to.deep.equal([
      'GET /v2/cadence_exports/1.json',
      'POST /v2/cadence_imports.json',
    ]);
    expect((await call('cadences')).facts).to.include({ 'Copy of Cadence 1': 'draft' });
    // The newest one with people on it, so that a copy is never copied.
    expect((await call('import')).facts).to.include({ 'Imported as': 'Copy of Cadence 1' });
  });

  it('Salesloft — a team without cadences is told so', async () => {
    await visitor.logIn('salesloft');
    const answer = { data: [], metadata: { paging: { next_page: null } } };
    for (const name of ['cadence', 'import']) {
      example.emulator.salesloft.fault({ step: 'api', kind: 'json', body: answer });
      expect((await call(name)).facts, name).to.deep.equal({ Cadences: 'none is active' });
    }
  });

  it('Salesforce — tells who the person is and what the limits leave, at the host of the organization', async () => {
    await visitor.logIn('salesforce', 'Marta Quill');
    expect((await call('me')).facts).to.deep.equal({
      Name: 'Marta Quill',
      Username: 'marta.quill@emulator.invalid',
      Organization: '00DLocalEmulatrMIA',
    });
    expect(requested('salesforce')).to.include('GET /services/oauth2/userinfo');
    expect((await call('limits')).facts['DailyApiRequests']).to.match(/^\d+ of 15000 left$/);
    expect((await call('account')).facts).to.have.property('Harbour Bakery');
  });

  it('SalesOS — without the scope the page says 403 and offers the login that helps', async () => {
    await visitor.logIn('salesos');
    const { error } = console;
    console.error = () => undefined;
    try {
      expect((await call('leads')).location).to.match(/^\/profile\?done=failed#/);
    } finally {
      console.error = error;
    }
    const { html } = await visitor.visit('/profile');
    expect(html).to.contain('insufficient_scope').and.contain('Allow “List leads” at SalesOS');
    await visitor.connect('salesos', 'Suri', { call: 'leads' });
    expect((await call('leads')).facts).to.include({ 'Harbour Bakery': 'new' });
  });
});
