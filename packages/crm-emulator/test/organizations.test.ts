/** Organizations of SalesOS, and people of other organizations at Salesloft and Salesforce. */
import { expect } from 'chai';
import { type Emulator, startEmulator } from 'crm-emulator';
import { claimsOf, Client, type Fields, get, refusedAt } from './client.js';

describe('crm-emulator: organizations', () => {
  let emulator: Emulator;
  let client: Client;

  before(async function () {
    this.timeout(60_000);
    emulator = await startEmulator({
      people: [
        { name: 'Ida Berg' },
        { name: 'Olu Reed', organizations: ['pine-street-cycles'] },
        { name: 'Kay Lund', organizations: [], teamId: 42, organizationId: '00Dxx0000001gPF' },
      ],
    });
    client = new Client(emulator, 'salesos');
  });

  after(() => emulator.close());

  const back = (who: string, changes: Fields) => client.signIn(who, changes);
  const refused = (changes: Fields) => refusedAt(client.authorizationURL(changes));

  describe('SalesOS', () => {
    it('organization — by id or name: org_id and org_name are in the ID Token and the access token, also of a refresh', async () => {
      const [{ id, name }] = emulator.salesos.organizations as [{ id: string; name: string }];
      for (const organization of [id, name]) {
        const tokens = await client.login('Ida Berg', { organization });
        const refreshed = (await client.refresh(tokens)).json;
        for (const token of [tokens, refreshed].flatMap((one) => [
          one['id_token'],
          one['access_token'],
        ])) {
          expect(claimsOf(token)).to.include({ org_id: id, org_name: name });
        }
      }
      const { id_token: without } = await client.login('Ida Berg');
      expect(claimsOf(without)).to.not.have.any.keys('org_id', 'org_name');
    });

    it('organization — one that is unknown, and a person who is not a member, are refused', async () => {
      expect(await refused({ organization: 'org_unknown' })).to.include({
        error: 'invalid_request',
        error_description: 'parameter organization is invalid',
        state: 'a-state',
      });
      const [, { id }] = emulator.salesos.organizations as [unknown, { id: string }];
      for (const who of ['Ida Berg', 'Kay Lund']) {
        const refusal = await back(who, { organization: id });
        expect(refusal).to.include({ error: 'access_denied' });
        expect(refusal['error_description']).to.match(
          new RegExp(String.raw`^user auth0\|\w+ is not part of the ${id} organization$`),
        );
      }
      expect(await back('Olu Reed', { organization: id })).to.have.property('code');
    });

    it('invitation — makes its person a member, and serves once', async () => {
      const { organization_name: _name, ...link } = emulator.salesos.invite(
        'Kay Lund',
        'harbour-bakery',
      );
      const { id_token: token } = await client.login('Kay Lund', link);
      expect(claimsOf(token)).to.include({ org_id: link.organization });
      expect(await refused(link)).to.include({
        error: 'invalid_request',
        error_description: 'invitation not found or already used',
      });
      const { organization } = link;
      expect(await back('Kay Lund', { organization })).to.have.property('code');
    });

    it('invitation — is refused without its organization, with another, and to another person, who uses it up', async () => {
      const { invitation, organization } = emulator.salesos.invite(
        'Ida Berg',
        'org_Other0Emulator00',
      );
      expect(await refused({ invitation })).to.include({ error: 'invalid_request' });
      expect(await refused({ invitation, organization: 'harbour-bakery' })).to.include({
        error: 'invalid_request',
      });
      expect(await back('Olu Reed', { invitation, organization })).to.include({
        error: 'access_denied',
        error_description: 'the specified account is not allowed to accept the current invitation',
      });
      expect(await refused({ invitation, organization })).to.include({
        error: 'invalid_request',
      });
      expect(() => emulator.salesos.invite('Nobody', 'harbour-bakery')).to.throw(TypeError);
      expect(() => emulator.salesos.invite('Ida Berg', 'nowhere')).to.throw(TypeError);
    });

    it('organizationNames: false — takes no name, and sends none', async function () {
      this.timeout(60_000);
      const organizations = [{ id: 'org_own', name: 'own' }];
      const other = await startEmulator({ organizations, organizationNames: false });
      try {
        client = new Client(other, 'salesos');
        expect(await refused({ organization: 'own' })).to.include({ error: 'invalid_request' });
        const { id_token: token } = await client.login('Suri', { organization: 'org_own' });
        expect(claimsOf(token)).to.include({ org_id: 'org_own' }).and.not.have.property('org_name');
      } finally {
        client = new Client(emulator, 'salesos');
        await other.close();
      }
    });
  });

  it('Salesloft — a person can be of another team', async () => {
    const teamOf = async (who: string) => {
      const { access_token: token } = await new Client(emulator, 'salesloft').login(who);
      const { json } = await get(`${emulator.salesloft.origin}/v2/me.json`, token);
      return (json['data'] as { team: { id: number } }).team.id;
    };
    expect([await teamOf('Ida Berg'), await teamOf('Kay Lund')]).to.deep.equal([111_800, 42]);
  });

  it('Salesforce — a person can be of another org, whose identities a token does not reach', async () => {
    const salesforce = new Client(emulator, 'salesforce');
    const [ida, kay] = [await salesforce.login('Ida Berg'), await salesforce.login('Kay Lund')];
    expect(String(kay['id'])).to.include('/id/00Dxx0000001gPFEAY/');
    expect((await get(String(kay['id']), kay['access_token'])).json).to.include({
      organization_id: '00Dxx0000001gPFEAY',
    });
    const foreign = await get(String(kay['id']), ida['access_token']);
    expect([foreign.status, foreign.text]).to.deep.equal([403, 'Wrong_Org']);
    const mixed = String(ida['id']).replace(/\w+$/, String(kay['id']).split('/').at(-1)!);
    expect((await get(mixed, ida['access_token'])).text).to.equal('Bad_Id');
  });

  it('refuses options that say something else', async () => {
    for (const wrong of [
      { organizations: [{ id: 'own', name: 'own' }] },
      { organizations: [{ id: 'org_own', name: 'Own' }] },
      { people: [{ name: 'Ida', organizations: ['unknown'] }] },
      { people: [{ name: 'Ida', organizationId: '005xx0000001gPF' }] },
    ]) {
      const error = await startEmulator(wrong).then(
        (started) => started.close(),
        (reason: Error) => reason,
      );
      expect(error).to.be.instanceOf(TypeError);
    }
  });
});
