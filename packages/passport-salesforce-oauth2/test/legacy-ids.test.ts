import { expect } from 'chai';
import type { JsonObject, TokenSet } from 'crm-oauth2/provider';
import { legacyIds } from '../dist/legacy-ids';
import type { LegacyPackage } from '../dist/legacy-ids';
import { mapProfile } from '../dist/profile';

const ORG = '00DB0000000ToZ3MAK';
const USER = '005B0000005V71XIAS';
const ORG_15 = '00DB0000000ToZ3';
const USER_15 = '005B0000005V71X';
const PATH = `/id/${ORG}/${USER}`;
const PATH_15 = `/id/${ORG_15}/${USER_15}`;

/** SalesforceMobileSDK-Android, OAuth2Test.java: the current shape of an identity. */
const IDENTITY = {
  id: `https://login.salesforce.com${PATH}`,
  asserted_user: true,
  user_id: USER,
  organization_id: ORG,
  username: 'wmathurin@gs0.mobilesdk.com',
  display_name: 'Wolfgang Mathurin',
};

function profileOf(json: JsonObject, source: 'identity' | 'id_token' = 'identity') {
  const tokens = { response: {} } as TokenSet;
  return mapProfile(json, { raw: JSON.stringify(json), tokens, source: source as never });
}

describe('Salesforce legacyIds', () => {
  const cases: [LegacyPackage, string[]][] = [
    ['passport-forcedotcom', [`${ORG}/${USER}`, `${ORG_15}/${USER_15}`]],
    [
      'passport-salesforce',
      [
        USER,
        `https://login.salesforce.com${PATH}`,
        `https://test.salesforce.com${PATH}`,
        USER_15,
        `https://login.salesforce.com${PATH_15}`,
        `https://test.salesforce.com${PATH_15}`,
      ],
    ],
    ['passport-salesforce-oauth2', [USER, USER_15]],
    [
      'salesforce-oauth2',
      [
        `https://login.salesforce.com${PATH}`,
        `https://test.salesforce.com${PATH}`,
        `https://login.salesforce.com${PATH_15}`,
        `https://test.salesforce.com${PATH_15}`,
      ],
    ],
    [
      'jsforce',
      [
        USER,
        `https://login.salesforce.com${PATH}`,
        `https://test.salesforce.com${PATH}`,
        USER_15,
        `https://login.salesforce.com${PATH_15}`,
        `https://test.salesforce.com${PATH_15}`,
      ],
    ],
  ];
  for (const [from, ids] of cases) {
    it(`${from} — gives its ids, those of 18 characters first`, () => {
      expect(legacyIds(profileOf(IDENTITY), from)).to.deep.equal(ids);
    });
  }

  it('begins with the ids as they came, where Salesforce sent 15 characters', () => {
    const json = { ...IDENTITY, id: undefined, user_id: USER_15, organization_id: ORG_15 };
    const ids = legacyIds(profileOf(json), 'passport-forcedotcom');
    expect(ids).to.deep.equal([`${ORG_15}/${USER_15}`, `${ORG}/${USER}`]);
  });

  it('keeps a suffix as it came, right or wrong', () => {
    const json = { ...IDENTITY, user_id: `${USER_15}CAF` };
    const ids = legacyIds(profileOf(json), 'passport-salesforce-oauth2');
    expect(ids).to.deep.equal([USER, `${USER_15}CAF`, USER_15]);
  });

  it('gives the identity URL as it came: the host of a site, and its path', () => {
    const id = `https://acme.my.site.com/portal${PATH}`;
    const [first, ...others] = legacyIds(profileOf({ ...IDENTITY, id }), 'salesforce-oauth2');
    expect(first).to.equal(id);
    expect(others).to.include(`https://login.salesforce.com${PATH}`);
  });

  it('reads the identity URL from the subject of UserInfo and of an ID Token', () => {
    const sub = `https://acme.my.salesforce.com${PATH}`;
    const { id: _, ...userInfo } = { ...IDENTITY, sub };
    expect(legacyIds(profileOf(userInfo), 'passport-salesforce')).to.include(sub);
    const claims = { sub, name: 'Wolfgang Mathurin', email: 'wmathurin@salesforce.com' };
    const profile = profileOf(claims, 'id_token');
    expect(legacyIds(profile, 'jsforce')).to.include(sub).and.include(USER);
  });

  it('leaves out an identity URL and ids of another person', () => {
    const other = '005B0000005V71YIAS';
    const profile = profileOf(IDENTITY);
    const tampered = {
      ...profile,
      _json: { id: `https://login.salesforce.com/id/${ORG}/${other}`, user_id: other },
    };
    const packages: LegacyPackage[] = ['passport-salesforce', 'salesforce-oauth2', 'jsforce'];
    for (const from of packages) {
      expect(legacyIds(tampered, from).join(' ')).not.to.contain('5V71Y');
    }
    const sent = { organization_id: ORG, user_id: other };
    const ids = legacyIds({ ...profile, _json: sent }, 'passport-forcedotcom');
    expect(ids).to.deep.equal([`${ORG}/${USER}`, `${ORG_15}/${USER_15}`]);
  });

  it('takes no id that is not a text', () => {
    const profile = { ...profileOf(IDENTITY), _json: { organization_id: 7, user_id: USER } };
    expect(legacyIds(profile, 'passport-salesforce-oauth2')).to.deep.equal([USER, USER_15]);
    const swapped = { ...profile, _json: { organization_id: ORG, user_id: null } };
    expect(legacyIds(swapped, 'passport-salesforce-oauth2')).to.deep.equal([USER, USER_15]);
  });

  it('refuses a package that it does not know, and names those that it knows', () => {
    for (const from of ['passport-google', 'constructor', '']) {
      expect(() => legacyIds(profileOf(IDENTITY), from as LegacyPackage)).to.throw(
        TypeError,
        'passport-forcedotcom, passport-salesforce, passport-salesforce-oauth2, salesforce-oauth2, jsforce',
      );
    }
  });
});
