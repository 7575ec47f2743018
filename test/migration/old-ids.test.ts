/** The ids that older packages gave to two people, and the new profiles of the same people after a real login. */
import { expect } from 'chai';
import { startEmulator } from 'crm-emulator';
import type { Emulator } from 'crm-emulator';
import { OAuth2Client } from 'crm-oauth2';
import type { Profile } from 'crm-oauth2';
import { legacyIds as idsAtSalesforce, salesforce } from 'passport-salesforce-oauth2';
import type { LegacyPackage } from 'passport-salesforce-oauth2';
import { legacyIds as idsAtSalesos, salesos } from 'passport-salesos';
import { Browser } from '../support/browser';

/** Profiles as the published packages made them of the emulator's answers; ORIGIN is that of the emulator. */
const PROFILES = [
  {
    who: 'Suri',
    'passport-forcedotcom': {
      provider: 'forcedotcom',
      id: '00DLocalEmulatrMIA/005Le0000048204IAA',
    },
    'passport-salesforce': {
      sub: 'ORIGIN/id/00DLocalEmulatrMIA/005Le0000048204IAA',
      user_id: '005Le0000048204IAA',
      organization_id: '00DLocalEmulatrMIA',
    },
    'passport-salesforce-oauth2': {
      provider: 'salesforce',
      id: '005Le0000048204IAA',
      organization_id: '00DLocalEmulatrMIA',
    },
    'salesforce-oauth2': { id: 'ORIGIN/id/00DLocalEmulatrMIA/005Le0000048204IAA' },
    jsforce: {
      id: '005Le0000048204IAA',
      organizationId: '00DLocalEmulatrMIA',
      url: 'ORIGIN/id/00DLocalEmulatrMIA/005Le0000048204IAA',
    },
    'passport-auth0': {
      id: 'auth0|5e4d55e1d2128b66a0d4f0e3',
      user_id: 'auth0|5e4d55e1d2128b66a0d4f0e3',
      provider: 'auth0',
    },
  },
  {
    who: 'Zoë Ångström',
    'passport-forcedotcom': {
      provider: 'forcedotcom',
      id: '00DLocalEmulatrMIA/005Le0000048202IAA',
    },
    'passport-salesforce': {
      sub: 'ORIGIN/id/00DLocalEmulatrMIA/005Le0000048202IAA',
      user_id: '005Le0000048202IAA',
      organization_id: '00DLocalEmulatrMIA',
    },
    'passport-salesforce-oauth2': {
      provider: 'salesforce',
      id: '005Le0000048202IAA',
      organization_id: '00DLocalEmulatrMIA',
    },
    'salesforce-oauth2': { id: 'ORIGIN/id/00DLocalEmulatrMIA/005Le0000048202IAA' },
    jsforce: {
      id: '005Le0000048202IAA',
      organizationId: '00DLocalEmulatrMIA',
      url: 'ORIGIN/id/00DLocalEmulatrMIA/005Le0000048202IAA',
    },
    'passport-auth0': {
      id: 'auth0|0c63290a53ee6434539580a6',
      user_id: 'auth0|0c63290a53ee6434539580a6',
      provider: 'auth0',
    },
  },
] as const;

/** The members by which applications keyed their accounts. */
const KEYS = ['id', 'user_id', 'sub', 'url'] as const;

const PACKAGES: readonly LegacyPackage[] = [
  'passport-forcedotcom',
  'passport-salesforce',
  'passport-salesforce-oauth2',
  'salesforce-oauth2',
  'jsforce',
];

async function profileOf<Options extends object, P extends Profile>(
  client: OAuth2Client<Options, P>,
  who: string,
): Promise<P> {
  const { url, attempt } = client.beginLogin({ redirectUri: 'http://localhost:3000/callback' });
  const callback = new URL(await new Browser().signIn(url, who));
  const query = Object.fromEntries(callback.searchParams);
  const response = await client.validateAuthorizationResponse(query, () => attempt);
  return await client.fetchProfile(await client.authorizationCodeGrant(response));
}

function keysOf(profile: Readonly<Record<string, string>>, origin: string): string[] {
  return KEYS.flatMap((name) => profile[name]?.replace('ORIGIN', origin) ?? []);
}

describe('old id → new id', () => {
  let emulator: Emulator;
  before(async () => {
    emulator = await startEmulator({ standardClaims: true });
  });
  after(async () => await emulator.close());

  for (const { who, 'passport-auth0': auth0, ...atSalesforce } of PROFILES) {
    for (const profileFrom of ['identity_url', 'id_token'] as const) {
      it(`Salesforce, profileFrom: ${profileFrom} — finds each old account of ${who}`, async () => {
        const { options, origin } = emulator.salesforce;
        const profile = await profileOf(
          new OAuth2Client(salesforce, { ...options, profileFrom }),
          who,
        );
        for (const from of PACKAGES) {
          const keys = keysOf(atSalesforce[from], origin);
          expect(keys, from).not.to.deep.equal([]);
          expect(idsAtSalesforce(profile, from), from).to.include.members(keys);
        }
        expect(profile.id).to.equal(atSalesforce['passport-forcedotcom'].id);
      });
    }

    it(`SalesOS — finds each old account of ${who}`, async () => {
      const profile = await profileOf(new OAuth2Client(salesos, emulator.salesos.options), who);
      expect(idsAtSalesos(profile, 'passport-auth0')).to.include.members(keysOf(auth0, ''));
      expect(profile.connection).to.equal(auth0.provider);
    });
  }

  it('Salesforce — finds no account of another person', async () => {
    const client = new OAuth2Client(salesforce, emulator.salesforce.options);
    const profile = await profileOf(client, 'Suri');
    const [, { who: _, 'passport-auth0': _auth0, ...others }] = PROFILES;
    for (const from of PACKAGES) {
      for (const key of keysOf(others[from], emulator.salesforce.origin)) {
        expect(idsAtSalesforce(profile, from), from).not.to.include(key);
      }
    }
  });
});
