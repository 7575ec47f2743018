import { expect } from 'chai';
import { Problem } from 'crm-oauth2/provider';
import type { Json, JsonObject, TokenSet } from 'crm-oauth2/provider';
import { mapProfile } from '../dist/profile';

/** AspNet.Security.OAuth.Providers, test/…/Salesforce/bundle.json: the shape of 2010. */
const ALAN = {
  id: 'https://yourInstance.salesforce.com/id/00Dx0000001T0zk/005x0000001S2b9',
  asserted_user: true,
  user_id: '005x0000001S2b9',
  organization_id: '00Dx0000001T0zk',
  username: 'alanvan',
  nick_name: 'admin1.2777578168398293E12foofoofoofoo',
  display_name: 'Alan Van',
  email: 'admin@2060747062579699.com',
  status: { created_date: null, body: null },
  photos: {
    picture: 'https://yourInstance.salesforce.com/profilephoto/005/F',
    thumbnail: 'https://yourInstance.salesforce.com/profilephoto/005/T',
  },
  urls: {
    rest: 'https://yourInstance.salesforce.com/services/data/v{version}/',
    users: 'https://yourInstance.salesforce.com/services/data/v{version}/chatter/users',
  },
  active: true,
  user_type: 'STANDARD',
  language: 'en_US',
  locale: 'en_US',
  utcOffset: -28800000,
  last_modified_date: '2010-06-28T20:54:09.000+0000',
};

/** SalesforceMobileSDK-Android, libs/test/…/auth/OAuth2Test.java: the current shape. */
const WOLFGANG = {
  id: 'https://login.salesforce.com/id/00DB0000000ToZ3MAK/005B0000005V71XIAS',
  asserted_user: true,
  user_id: '005B0000005V71XIAS',
  organization_id: '00DB0000000ToZ3MAK',
  username: 'wmathurin@gs0.mobilesdk.com',
  nick_name: 'wmathurin',
  display_name: 'Wolfgang Mathurin',
  email: 'wmathurin@salesforce.com',
  email_verified: true,
  first_name: 'Wolfgang',
  last_name: 'Mathurin',
  timezone: 'America/Los_Angeles',
  photos: {
    picture: 'https://mobilesdk.file.force.com/profilephoto/005/F',
    thumbnail: 'https://mobilesdk.file.force.com/profilephoto/005/T',
  },
  addr_street: null,
  addr_city: null,
  addr_state: null,
  addr_country: null,
  addr_zip: null,
  mobile_phone: null,
  mobile_phone_verified: false,
  is_lightning_login_user: false,
  status: { created_date: null, body: null },
  urls: {
    enterprise: 'https://mobilesdk.my.salesforce.com/services/Soap/c/{version}/00DB0000000ToZ3',
    rest: 'https://mobilesdk.my.salesforce.com/services/data/v{version}/',
    custom_domain: 'https://mobilesdk.my.salesforce.com',
  },
  active: true,
  user_type: 'STANDARD',
  language: 'en_US',
  locale: 'en_US',
  utcOffset: -28800000,
  last_modified_date: '2019-08-27T00:26:52Z',
  is_app_installed: true,
};

/** SalesforceMobileSDK-iOS, test fixtures: with extras, and wrong suffixes. */
const TEST_USER = {
  id: 'https://test.salesforce.com/id/00DS0000000IDdtWAH/005S0000004y9JkCAF',
  asserted_user: true,
  user_id: '005S0000004y9JkCAF',
  organization_id: '00DS0000000IDdtWAH',
  username: 'testuser@fake.salesforce.org',
  nick_name: 'testuser',
  display_name: 'Test User',
  email: 'testuser@salesforce.nonexistentemail',
  first_name: 'Test',
  last_name: 'User',
  addr_street: '123 Test User Ln',
  addr_city: 'Testville',
  addr_state: 'CA',
  addr_country: 'US',
  addr_zip: '94105',
  mobile_phone: '+1 4155551234',
  active: true,
  user_type: 'STANDARD',
  custom_attributes: { TestAttribute1: 'TestVal1', TestAttribute2: 'TestVal2' },
  mobile_policy: { pin_length: '4', screen_lock: '10' },
};

function tokensOf(response: JsonObject = {}): TokenSet {
  return { accessToken: '00D!1', tokenType: 'Bearer', response };
}

/** As after a login: the token response names the very person. */
function map(json: Json, response: JsonObject = { id: Reflect.get(Object(json), 'id') as Json }) {
  return mapProfile(json, {
    raw: JSON.stringify(json),
    source: 'answer',
    tokens: tokensOf(response),
  });
}

/** The sentence of each refusal. */
const MESSAGES: Readonly<Record<string, string>> = {
  invalid_profile: 'the profile has no usable organization_id and user_id',
  not_asserted: 'the profile is not asserted for this access token',
  subject_mismatch: 'the profile is of another person than "id"',
};

function refusal(json: Json, code: string, response?: JsonObject): void {
  expect(() => map(json, response))
    .to.throw(Problem)
    .that.includes({ code, message: MESSAGES[code] });
}

describe('Salesforce profile', () => {
  it('salesforce 10.7 — maps the shape of 2010, without first name, last name and email_verified', () => {
    expect(map(ALAN)).to.deep.equal({
      provider: 'salesforce',
      id: '00Dx0000001T0zkEAC/005x0000001S2b9AAC',
      displayName: 'Alan Van',
      username: 'alanvan',
      emails: [{ value: 'admin@2060747062579699.com' }],
      photos: [
        { value: 'https://yourInstance.salesforce.com/profilephoto/005/F' },
        { value: 'https://yourInstance.salesforce.com/profilephoto/005/T' },
      ],
      organizationId: '00Dx0000001T0zkEAC',
      userId: '005x0000001S2b9AAC',
      urls: ALAN.urls,
      userType: 'STANDARD',
      active: true,
      language: 'en_US',
      locale: 'en_US',
      _raw: JSON.stringify(ALAN),
      _json: ALAN,
    });
  });

  it('salesforce 10.8 — maps the current shape', () => {
    const response = { id: WOLFGANG.id, instance_url: 'https://mobilesdk.my.salesforce.com' };
    expect(map(WOLFGANG, response)).to.deep.equal({
      provider: 'salesforce',
      id: '00DB0000000ToZ3MAK/005B0000005V71XIAS',
      displayName: 'Wolfgang Mathurin',
      username: 'wmathurin@gs0.mobilesdk.com',
      name: { givenName: 'Wolfgang', familyName: 'Mathurin' },
      emails: [{ value: 'wmathurin@salesforce.com', verified: true }],
      photos: [
        { value: 'https://mobilesdk.file.force.com/profilephoto/005/F' },
        { value: 'https://mobilesdk.file.force.com/profilephoto/005/T' },
      ],
      organizationId: '00DB0000000ToZ3MAK',
      userId: '005B0000005V71XIAS',
      instanceUrl: 'https://mobilesdk.my.salesforce.com',
      urls: WOLFGANG.urls,
      userType: 'STANDARD',
      active: true,
      language: 'en_US',
      locale: 'en_US',
      timeZone: 'America/Los_Angeles',
      _raw: JSON.stringify(WOLFGANG),
      _json: WOLFGANG,
    });
  });

  it('salesforce 10.9 — maps the fixture with extras, and corrects its suffixes', () => {
    const profile = map(TEST_USER);
    expect(profile).to.deep.include({
      id: '00DS0000000IDdtMAG/005S0000004y9JkIAI',
      organizationId: '00DS0000000IDdtMAG',
      userId: '005S0000004y9JkIAI',
      displayName: 'Test User',
      name: { givenName: 'Test', familyName: 'User' },
      emails: [{ value: 'testuser@salesforce.nonexistentemail' }],
    });
    expect(profile).not.to.have.any.keys('urls', 'photos', 'instanceUrl');
    expect(profile._json).to.have.property('custom_attributes');
  });

  it('salesforce 5.5 — has one id for the 15 and the 18 characters of a person', () => {
    const short = {
      ...WOLFGANG,
      organization_id: '00DB0000000ToZ3',
      user_id: '005B0000005V71X',
    };
    expect(map(short).id).to.equal(map(WOLFGANG).id);
  });

  it('salesforce 5.5 — has the same id whichever host answered', () => {
    const moved = { ...WOLFGANG, id: WOLFGANG.id.replace('login', 'mobilesdk.my') };
    expect(map(moved).id).to.equal(map(WOLFGANG).id);
  });

  const asserted: (Json | undefined)[] = [false, undefined, null, 'true', 1];
  for (const value of asserted) {
    it(`salesforce 5.1 — refuses asserted_user ${JSON.stringify(value)}`, () => {
      refusal({ ...WOLFGANG, asserted_user: value }, 'not_asserted');
    });
  }

  it('salesforce 5.1 — refuses the identity of another person or organization', () => {
    const response = { id: WOLFGANG.id };
    refusal({ ...WOLFGANG, user_id: '005x0000001S2b9AAC' }, 'subject_mismatch', response);
    refusal({ ...WOLFGANG, organization_id: '00Dx0000001T0zk' }, 'subject_mismatch', response);
    refusal({ ...WOLFGANG, user_id: '005b0000005v71x' }, 'subject_mismatch', response);
  });

  const unusable: [string, Json][] = [
    ['null', null],
    ['a list', [WOLFGANG]],
    ['a text', 'Bad_OAuth_Token'],
    ['nothing', {}],
    ['no user_id', { ...WOLFGANG, user_id: undefined }],
    ['no organization_id', { ...WOLFGANG, organization_id: undefined }],
    ['a user_id that is a number', { ...WOLFGANG, user_id: 5 }],
    ['a user_id of another kind', { ...WOLFGANG, user_id: '003B0000005V71X' }],
    ['an organization_id of another kind', { ...WOLFGANG, organization_id: '001B0000000ToZ3' }],
    ['a user_id of 16 characters', { ...WOLFGANG, user_id: '005B0000005V71XI' }],
    ['a user_id of 14 characters', { ...WOLFGANG, user_id: '005B0000005V71' }],
    ['a user_id of 19 characters', { ...WOLFGANG, user_id: '005B0000005V71XIASx' }],
    ['a user_id that begins with a line', { ...WOLFGANG, user_id: '005\n05B0000005V71X' }],
    ['a user_id that ends with a line', { ...WOLFGANG, user_id: '005B0000005V71X\n' }],
    ['a text before the user_id', { ...WOLFGANG, user_id: 'x005B0000005V71X' }],
    ['a text before the organization_id', { ...WOLFGANG, organization_id: 'x00DB0000000ToZ3' }],
    [
      'an organization_id of 19 characters',
      { ...WOLFGANG, organization_id: '00DB0000000ToZ3MAKx' },
    ],
    ['a user_id in a list', { ...WOLFGANG, user_id: ['005B0000005V71X'] }],
    ['punctuation in the user_id', { ...WOLFGANG, user_id: '005B0000005V71/' }],
  ];
  for (const [what, json] of unusable) {
    it(`salesforce 5.2 — refuses an answer with ${what}`, () => {
      refusal(json, 'invalid_profile', {});
    });
  }

  const names: [JsonObject, string, object | undefined][] = [
    [{ first_name: null, last_name: null }, 'Wolfgang Mathurin', undefined],
    [{ first_name: null }, 'Wolfgang Mathurin', { familyName: 'Mathurin' }],
    [
      { display_name: null },
      'Wolfgang Mathurin',
      { givenName: 'Wolfgang', familyName: 'Mathurin' },
    ],
    [{ display_name: null, first_name: null }, 'Mathurin', { familyName: 'Mathurin' }],
    [
      { display_name: '', first_name: null, last_name: null },
      'wmathurin@gs0.mobilesdk.com',
      undefined,
    ],
    [{ display_name: null, last_name: null }, 'Wolfgang', { givenName: 'Wolfgang' }],
    [{ display_name: null, first_name: null, last_name: null, username: null }, '', undefined],
  ];
  for (const [fields, displayName, name] of names) {
    it(`salesforce 5.2 — tolerates ${JSON.stringify(fields)}`, () => {
      const profile = map({ ...WOLFGANG, ...fields });
      expect(profile.displayName).to.equal(displayName);
      expect(profile.name).to.deep.equal(name);
    });
  }

  it('salesforce 5.2 — leaves out what is of another kind', () => {
    const odd = {
      username: 7,
      email_verified: 'true',
      active: 'true',
      user_type: 1,
      language: ['en_US'],
      locale: {},
      timezone: null,
      photos: 'https://mobilesdk.file.force.com/profilephoto/005/F',
    };
    const response = { id: WOLFGANG.id, instance_url: 5 };
    const profile = map({ ...WOLFGANG, ...odd }, response);
    expect(profile.emails).to.deep.equal([{ value: 'wmathurin@salesforce.com' }]);
    expect(profile).not.to.have.any.keys(
      'username',
      'active',
      'userType',
      'language',
      'locale',
      'timeZone',
      'photos',
      'instanceUrl',
    );
  });

  it('salesforce 5.2 — says that a person is not active', () => {
    expect(map({ ...WOLFGANG, active: false }).active).to.equal(false);
  });

  it('salesforce 5.2 — takes the one photo that there is', () => {
    const { thumbnail } = WOLFGANG.photos;
    for (const picture of [undefined, null, '', 5]) {
      expect(map({ ...WOLFGANG, photos: { picture, thumbnail } }).photos).to.deep.equal([
        { value: thumbnail },
      ]);
    }
  });

  it('salesforce 5.4 — takes the names of the identity URL before those of UserInfo', () => {
    const both = {
      ...WOLFGANG,
      given_name: 'W.',
      family_name: 'M.',
      name: 'W. M.',
      preferred_username: 'wm',
      zoneinfo: 'Europe/Berlin',
      picture: 'https://mobilesdk.file.force.com/profilephoto/005/X',
    };
    const { _raw, _json, ...profile } = map(both);
    const { _raw: raw, _json: json, ...expected } = map(WOLFGANG);
    expect(profile).to.deep.equal(expected);
    expect([_raw, _json]).not.to.deep.equal([raw, json]);
  });

  it('salesforce 5.2 — tolerates missing urls and members of them', () => {
    expect(map({ ...WOLFGANG, urls: undefined })).not.to.have.property('urls');
    for (const urls of [null, 'https://acme.my.salesforce.com', ['x'], { rest: null }]) {
      expect(map({ ...WOLFGANG, urls })).not.to.have.property('urls');
    }
    expect(map({ ...WOLFGANG, urls: {} })).not.to.have.property('urls');
    const { rest } = WOLFGANG.urls;
    expect(map({ ...WOLFGANG, urls: { rest, users: null } }).urls).to.deep.equal({ rest });
  });

  it('salesforce 5.5 — has no emails without an address, and never takes the username for one', () => {
    for (const email of [undefined, null, '']) {
      expect(map({ ...WOLFGANG, email })).not.to.have.property('emails');
    }
  });

  it('salesforce 5.5 — says verified false when Salesforce does', () => {
    expect(map({ ...WOLFGANG, email_verified: false }).emails).to.deep.equal([
      { value: 'wmathurin@salesforce.com', verified: false },
    ]);
  });

  it('salesforce 5.5 — puts no token into the addresses of photos', () => {
    for (const { value } of map(WOLFGANG).photos ?? []) {
      expect(new URL(value).search).to.equal('');
    }
    expect(map({ ...WOLFGANG, photos: { picture: null } })).not.to.have.property('photos');
  });

  it('salesforce 5.4 — maps UserInfo, which spells its fields otherwise', () => {
    const userInfo = {
      sub: WOLFGANG.id,
      user_id: WOLFGANG.user_id,
      organization_id: WOLFGANG.organization_id,
      preferred_username: 'wmathurin@gs0.mobilesdk.com',
      nickname: 'wmathurin',
      name: 'Wolfgang Mathurin',
      email: 'wmathurin@salesforce.com',
      email_verified: true,
      given_name: 'Wolfgang',
      family_name: 'Mathurin',
      zoneinfo: 'America/Los_Angeles',
      picture: 'https://mobilesdk.file.force.com/profilephoto/005/F',
      active: true,
      user_type: 'STANDARD',
      updated_at: '2019-08-27T00:26:52Z',
    };
    expect(map(userInfo, {})).to.deep.include({
      id: '00DB0000000ToZ3MAK/005B0000005V71XIAS',
      displayName: 'Wolfgang Mathurin',
      username: 'wmathurin@gs0.mobilesdk.com',
      name: { givenName: 'Wolfgang', familyName: 'Mathurin' },
      emails: [{ value: 'wmathurin@salesforce.com', verified: true }],
      photos: [{ value: 'https://mobilesdk.file.force.com/profilephoto/005/F' }],
      timeZone: 'America/Los_Angeles',
    });
  });
});
