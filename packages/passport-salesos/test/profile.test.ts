import { expect } from 'chai';
import { Problem } from 'crm-oauth2/provider';
import type { IdTokenClaims, Json, JsonObject } from 'crm-oauth2/provider';
import { mapProfile } from '../dist/profile';
import { salesos } from '../dist/provider';

const ISSUER = 'https://auth.play2sell.com/';

/** auth0-java, src/test/resources/auth/user_info.json */
const AUTH0_JAVA = {
  email_verified: false,
  email: 'test.account@userinfo.com',
  clientID: 'q2hnj2iu...',
  updated_at: '2016-12-05T15:15:40.545Z',
  name: 'test.account@userinfo.com',
  picture: 'https://s.gravatar.com/avatar/dummy.png',
  user_id: 'auth0|58454...',
  nickname: 'test.account',
  identities: [
    {
      user_id: '58454...',
      provider: 'auth0',
      connection: 'Username-Password-Authentication',
      isSocial: false,
    },
  ],
  created_at: '2016-12-05T11:16:59.640Z',
  sub: 'auth0|58454...',
};

/** auth0.com/docs/api/authentication, Get User Info */
const AUTH0_DOCS = {
  sub: 'auth0|507f1f77bcf86cd799439011',
  name: 'Jane Doe',
  given_name: 'Jane',
  family_name: 'Doe',
  nickname: 'jane',
  email: 'jane.doe@example.com',
  email_verified: true,
  picture: 'https://s.gravatar.com/avatar/abc123.png',
  updated_at: '2023-11-15T14:30:00.000Z',
};

/** passport-auth0, test/fixtures/auth0-oidc-example-profile.json */
const PASSPORT_AUTH0 = {
  sub: '__test_provider__|__test_user_id__',
  given_name: '__test_given_name__',
  family_name: '__test_family_name__',
  nickname: '__test_nickname__',
  picture: 'https://example.com/__test_picture__.png',
  locale: 'en',
  identities: [{ provider: '__test_provider__', user_id: '__test_user_id__' }],
};

function map(json: Json, claims?: IdTokenClaims) {
  return mapProfile(json, {
    provider: 'salesos',
    options: { clientID: 'client-1' },
    endpoints: salesos.endpoints({}),
    raw: JSON.stringify(json),
    source: 'id_token',
    tokens: { accessToken: 'access-1', tokenType: 'Bearer', response: {} },
    claims,
  });
}

function mapClaims(fields: JsonObject) {
  return map({ sub: 'auth0|1', ...fields });
}

describe('SalesOS profile', () => {
  it('salesos 10.3 — maps the UserInfo of auth0-java', () => {
    expect(map(AUTH0_JAVA)).to.deep.equal({
      provider: 'salesos',
      id: 'auth0|58454...',
      displayName: 'test.account@userinfo.com',
      username: 'test.account',
      emails: [{ value: 'test.account@userinfo.com', verified: false }],
      photos: [{ value: 'https://s.gravatar.com/avatar/dummy.png' }],
      connection: 'auth0',
      _raw: JSON.stringify(AUTH0_JAVA),
      _json: AUTH0_JAVA,
    });
  });

  it("salesos 10.5 — maps the UserInfo of Auth0's reference", () => {
    expect(map(AUTH0_DOCS)).to.deep.equal({
      provider: 'salesos',
      id: 'auth0|507f1f77bcf86cd799439011',
      displayName: 'Jane Doe',
      username: 'jane',
      name: { givenName: 'Jane', familyName: 'Doe' },
      emails: [{ value: 'jane.doe@example.com', verified: true }],
      photos: [{ value: 'https://s.gravatar.com/avatar/abc123.png' }],
      connection: 'auth0',
      _raw: JSON.stringify(AUTH0_DOCS),
      _json: AUTH0_DOCS,
    });
  });

  it('salesos 10.2 — maps the ID Token sample of Auth0, once its claims are verified', () => {
    const claims: IdTokenClaims = {
      iss: ISSUER,
      sub: 'auth0|123456',
      aud: 'my_client_id',
      exp: 1311281970,
      iat: 1311280970,
      name: 'Jane Doe',
      given_name: 'Jane',
      family_name: 'Doe',
      gender: 'female',
      birthdate: '0000-10-31',
      email: 'janedoe@example.com',
      picture: 'http://example.com/janedoe/me.jpg',
    };
    const profile = map({ ...claims } as JsonObject, claims);
    expect(profile).to.deep.include({
      id: 'auth0|123456',
      displayName: 'Jane Doe',
      emails: [{ value: 'janedoe@example.com' }],
      photos: [{ value: 'http://example.com/janedoe/me.jpg' }],
      connection: 'auth0',
    });
    expect(profile._json).to.include({ gender: 'female', birthdate: '0000-10-31' });
  });

  it('salesos 10.7 — maps the fixture of passport-auth0; the name is put together', () => {
    expect(map(PASSPORT_AUTH0)).to.deep.include({
      id: '__test_provider__|__test_user_id__',
      displayName: '__test_given_name__ __test_family_name__',
      username: '__test_nickname__',
      connection: '__test_provider__',
    });
  });

  it('salesos 10.7 — refuses the sibling fixture, which has user_id in place of sub', () => {
    const { sub: _sub, ...rest } = PASSPORT_AUTH0;
    expect(() => map({ ...rest, user_id: 'auth0|1' }))
      .to.throw(Problem)
      .with.property('code', 'invalid_profile');
  });

  it('salesos 5.3 — keeps the whole sub as the id, and never splits it', () => {
    const subs: [string, string | undefined][] = [
      ['auth0|6553da60a54af58e29493993', 'auth0'],
      ['samlp|acme|jane@example.com', 'samlp'],
      ['no-bar', undefined],
      ['|leading', undefined],
      ['client-1@clients', undefined],
    ];
    for (const [sub, connection] of subs) {
      const profile = map({ sub });
      expect(profile.id).to.equal(sub);
      expect(profile.connection).to.equal(connection);
      expect(profile.provider).to.equal('salesos');
    }
  });

  it('salesos 5.3 — shows email_verified, true and false, and only when it is a boolean', () => {
    const email = 'a@example.com';
    const emails = (verified: Json | undefined) =>
      mapClaims({ email, email_verified: verified }).emails;
    expect(emails(true)).to.deep.equal([{ value: email, verified: true }]);
    expect(emails(false)).to.deep.equal([{ value: email, verified: false }]);
    expect(emails('true')).to.deep.equal([{ value: email }]);
    expect(emails(undefined)).to.deep.equal([{ value: email }]);
  });

  const VERIFIED = { email: 'a@example.com', email_verified: true };
  const UNVERIFIED = { email: 'a@example.com', email_verified: false };
  const sources: [string, JsonObject, JsonObject, object[] | undefined][] = [
    [
      'another address without a flag is not vouched for by the flag of the ID Token',
      VERIFIED,
      { email: 'b@example.com' },
      [{ value: 'b@example.com' }],
    ],
    [
      'another address whose flag is a text is not vouched for either',
      VERIFIED,
      { email: 'b@example.com', email_verified: 'true' },
      [{ value: 'b@example.com' }],
    ],
    [
      'another address brings its own flag',
      VERIFIED,
      { email: 'b@example.com', email_verified: false },
      [{ value: 'b@example.com', verified: false }],
    ],
    [
      'without an address, both are those of the ID Token',
      VERIFIED,
      {},
      [{ value: 'a@example.com', verified: true }],
    ],
    [
      'a flag alone does not vouch for the address of the ID Token',
      UNVERIFIED,
      { email_verified: true },
      [{ value: 'a@example.com', verified: false }],
    ],
    [
      'a flag alone does not vouch for an address without one',
      { email: 'a@example.com' },
      { email_verified: true },
      [{ value: 'a@example.com' }],
    ],
    [
      'an empty address counts as none',
      VERIFIED,
      { email: '', email_verified: false },
      [{ value: 'a@example.com', verified: true }],
    ],
    [
      'null counts as none',
      VERIFIED,
      { email: null, email_verified: null },
      [{ value: 'a@example.com', verified: true }],
    ],
    [
      'the flag of an ID Token without an address vouches for none',
      { email_verified: true },
      { email: 'b@example.com' },
      [{ value: 'b@example.com' }],
    ],
    ['no address in either is none', { email_verified: true }, { email_verified: true }, undefined],
  ];
  for (const [what, claims, userInfo, emails] of sources) {
    it(`OIDC Core §5.7 — address and flag from one source: ${what}`, () => {
      const profile = map(
        { sub: 'auth0|1', ...userInfo },
        { iss: ISSUER, sub: 'auth0|1', ...claims },
      );
      expect(profile.emails).to.deep.equal(emails);
    });
  }

  it('salesos 5.3 — has no emails without an address', () => {
    expect(mapClaims({ email_verified: true })).not.to.have.property('emails');
    expect(mapClaims({ email: '' })).not.to.have.property('emails');
    expect(mapClaims({ email: null })).not.to.have.property('emails');
  });

  for (const updatedAt of ['2023-11-15T14:30:00.000Z', 1700058600, null, { nested: true }]) {
    it(`salesos 5.2 — tolerates updated_at ${JSON.stringify(updatedAt)}`, () => {
      const profile = mapClaims({ name: 'Jane', updated_at: updatedAt });
      expect(profile.displayName).to.equal('Jane');
      expect(profile._json.updated_at).to.deep.equal(updatedAt);
    });
  }

  it('salesos 5.1 — passes custom claims through, and reads the organization', () => {
    const profile = mapClaims({ org_id: 'org_1', 'https://play2sell.com/role': 'manager' });
    expect(profile.organizationId).to.equal('org_1');
    expect(profile._json['https://play2sell.com/role']).to.equal('manager');
  });

  const names: [JsonObject, string][] = [
    [{ name: 'Zoë Ångström', given_name: 'Zoë' }, 'Zoë Ångström'],
    [{ given_name: 'Zoë', family_name: 'Ångström' }, 'Zoë Ångström'],
    [{ family_name: 'Suri', given_name: null }, 'Suri'],
    [{ nickname: 'zoe' }, 'zoe'],
    [{ preferred_username: 'zoe.a' }, 'zoe.a'],
    [{}, ''],
  ];
  for (const [fields, displayName] of names) {
    it(`salesos 5.3 — displays ${JSON.stringify(fields)} as "${displayName}"`, () => {
      expect(mapClaims(fields).displayName).to.equal(displayName);
    });
  }

  it('salesos 5.3 — reads the middle name', () => {
    expect(mapClaims({ middle_name: 'M', given_name: 'J' }).name).to.deep.equal({
      givenName: 'J',
      middleName: 'M',
    });
  });

  it('OIDC Core §5.3.2 — refuses UserInfo whose sub differs from the ID Token', () => {
    const claims = { iss: ISSUER, sub: 'auth0|1' };
    expect(() => map({ sub: 'auth0|2', name: 'Mallory' }, claims))
      .to.throw(Problem)
      .with.property('code', 'subject_mismatch');
  });

  it('salesos 5.2 — lays UserInfo over the claims of the ID Token', () => {
    const claims = { iss: ISSUER, sub: 'auth0|1', nickname: 'jane', org_id: 'org_1' };
    const profile = map({ sub: 'auth0|1', name: 'Jane Doe' }, claims);
    expect(profile).to.include({
      displayName: 'Jane Doe',
      username: 'jane',
      organizationId: 'org_1',
    });
    expect(profile._json).to.deep.equal({ sub: 'auth0|1', name: 'Jane Doe' });
  });

  for (const json of [null, [], 'auth0|1', {}, { sub: '' }, { sub: 5 }, { sub: null }] as Json[]) {
    it(`salesos 5.1 — refuses claims without a sub: ${JSON.stringify(json)}`, () => {
      expect(() => map(json))
        .to.throw(Problem)
        .with.property('code', 'invalid_profile');
    });
  }
});
