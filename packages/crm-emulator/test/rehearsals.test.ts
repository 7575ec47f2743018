/** The failures that the sign-in page offers: by step, and only those that can happen after this sign-in. */
import { expect } from 'chai';
import { type Emulator, type NamedFault, startEmulator } from 'crm-emulator';
import { Client, get, offered, send } from './client.js';

describe('crm-emulator: rehearsals', () => {
  let emulator: Emulator;

  before(async function () {
    this.timeout(60_000);
    emulator = await startEmulator();
  });

  after(() => emulator.close());

  const groups = async (name: 'salesloft' | 'salesos' | 'salesforce', scope?: string) => {
    const page = await new Client(emulator, name).page(scope === undefined ? {} : { scope });
    return offered(page.html);
  };

  it('page — groups every named fault by its step, in the order of a login', async () => {
    const expected = {
      salesloft: ['Callback', 'Token endpoint', 'Profile', 'Refresh', 'API'],
      salesos: ['Callback', 'Token endpoint', 'ID Token', 'Key set', 'UserInfo', 'Refresh', 'API'],
      salesforce: [
        'Callback',
        'Token endpoint',
        'ID Token',
        'Key set',
        'Profile',
        'Refresh',
        'API',
      ],
    } as const;
    for (const [key, titles] of Object.entries(expected)) {
      const name = key as keyof typeof expected;
      const page = await groups(name);
      expect(Object.keys(page), name).to.deep.equal(titles);
      const labels = Object.values<NamedFault>(emulator[name].faults).map(({ label }) => label);
      expect(Object.values(page).flat()).to.have.members(labels);
      expect(new Set(labels), 'labels tell faults apart').to.have.lengthOf(labels.length);
    }
  });

  it('page — offers no ID Token, key or UserInfo to spoil without openid', async () => {
    expect(await groups('salesforce', 'id refresh_token')).to.have.all.keys(
      'Callback',
      'Token endpoint',
      'Profile',
      'Refresh',
      'API',
    );
    expect(await groups('salesos', 'offline_access')).to.not.have.any.keys(
      'ID Token',
      'Key set',
      'UserInfo',
    );
  });

  it('page — offers no refresh to spoil where no refresh token is issued', async () => {
    expect(await groups('salesos', 'openid')).not.to.have.property('Refresh');
    expect(await groups('salesforce', 'openid id')).not.to.have.property('Refresh');
    expect(await groups('salesloft')).to.have.property('Refresh');
  });

  it('a choice for the callback, the token endpoint or a refresh meets that step alone', async () => {
    const client = new Client(emulator, 'salesos');
    const { searchParams } = await client.callback(
      'Suri',
      {},
      'Callback says unauthorized: user is blocked',
    );
    expect(searchParams.get('error')).to.equal('unauthorized');
    const tokens = await client.login('Suri', {}, 'Refresh says invalid_grant: user is blocked');
    expect(tokens).to.have.property('refresh_token');
    expect((await client.refresh(tokens)).json).to.include({
      error_description: 'user is blocked',
    });
    // One of the token endpoint is for the code of this sign-in, not for a refresh in between.
    const { searchParams: chosen } = await client.callback(
      'Suri',
      {},
      'Token endpoint answers 502',
    );
    expect((await client.refresh(tokens)).status).to.equal(200);
    expect((await client.exchange(chosen.get('code'))).status).to.equal(502);
  });

  it('a choice after a refused sign-in is forgotten, and one that does not exist is ignored', async () => {
    const client = new Client(emulator, 'salesforce');
    const { url, html } = await client.page();
    const dario = /value="(\d+)"[^>]*>\s*Continue as Dario Plum/.exec(html)?.[1];
    await send(url, { form: { person: dario, fault: '9' } });
    const login = await client.login();
    expect((await get(String(login['id']), login['access_token'])).status).to.equal(200);
    const again = await client.page();
    const marta = /value="(\d+)"[^>]*>\s*Continue as Marta/.exec(again.html)?.[1];
    const { status } = await send(again.url, { form: { person: marta, fault: '9999' } });
    expect(status).to.equal(303);
  });
});
