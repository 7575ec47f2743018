/** Standard claims → Passport's profile (OpenID Connect Core §5.1). */
import { expect } from 'chai';
import { joined, mapStandardClaims, namesPerson } from '../../dist/provider/index';
import type { Json } from '../../dist/provider/index';
import { thrown } from '../support';

const PERSON = {
  sub: 'a|1',
  name: 'Zoë Ångström',
  given_name: 'Zoë',
  family_name: 'Ångström',
  middle_name: 'K',
  nickname: 'zoe',
  preferred_username: 'zoe.a',
  email: 'zoe@example.com',
  email_verified: true,
  picture: 'https://acme.test/zoe.png',
};
const map = (json: Json, claims?: object) =>
  mapStandardClaims(json, { provider: 'acme', raw: 'raw', claims: claims as never });

describe('standard claims', () => {
  it('OIDC Core §5.1 — become a profile; the id is the whole sub', () => {
    expect(map(PERSON)).to.deep.equal({
      provider: 'acme',
      id: 'a|1',
      displayName: 'Zoë Ångström',
      username: 'zoe',
      name: { givenName: 'Zoë', familyName: 'Ångström', middleName: 'K' },
      emails: [{ value: 'zoe@example.com', verified: true }],
      photos: [{ value: 'https://acme.test/zoe.png' }],
      _raw: 'raw',
      _json: PERSON,
    });
  });

  it('leave out what is missing, empty, or of another type', () => {
    const json = { sub: 's', name: '', email: 7, picture: null, email_verified: 'yes' };
    expect(map(json)).to.deep.equal({
      provider: 'acme',
      id: 's',
      displayName: '',
      _raw: 'raw',
      _json: json,
    });
  });

  it('OIDC Core §5.1 — name the person by the parts of the name, else by the username', () => {
    expect(map({ sub: 's', given_name: 'A', family_name: 'B' }).displayName).to.equal('A B');
    expect(map({ sub: 's', family_name: 'B' }).displayName).to.equal('B');
    expect(map({ sub: 's', preferred_username: 'ab' })).to.include({
      displayName: 'ab',
      username: 'ab',
    });
  });

  it('OIDC Core §5.7 — take address and flag from one source', () => {
    const claims = { sub: 's', email: 'old@example.com', email_verified: true };
    expect(map({ sub: 's', email: 'new@example.com' }, claims).emails).to.deep.equal([
      { value: 'new@example.com' },
    ]);
    expect(map({ sub: 's' }, claims).emails).to.deep.equal([
      { value: 'old@example.com', verified: true },
    ]);
  });

  it('OIDC Core §5.1 — take an address for verified only where the flag is true or false', () => {
    const emails = ['true', 1, null, false].map(
      (email_verified) => map({ sub: 's', email: 'zoe@example.com', email_verified }).emails?.[0],
    );
    const unknown = { value: 'zoe@example.com' };
    expect(emails).to.deep.equal([unknown, unknown, unknown, { ...unknown, verified: false }]);
  });

  it('OIDC Core §5.3.2 — are refused when the ID Token is of another person', () => {
    expect(thrown(() => map({ sub: 's' }, { sub: 't' }))).to.include({
      code: 'subject_mismatch',
      message: 'the profile is of another person',
    });
  });

  for (const json of [null, [], 'text', {}, { sub: '' }, { sub: 5 }] as Json[]) {
    it(`are refused without a sub: ${JSON.stringify(json)}`, () => {
      expect(thrown(() => map(json))).to.include({
        code: 'invalid_profile',
        message: 'the claims have no "sub"',
      });
    });
  }

  it('name a person, or only identify one', () => {
    expect(namesPerson(undefined)).to.equal(false);
    const identified = { iss: 'i', sub: 's', picture: 'x', name: '' };
    expect(namesPerson(identified)).to.equal(false);
    for (const name of ['name', 'nickname', 'given_name', 'family_name', 'email']) {
      expect(namesPerson({ ...identified, [name]: 'x' }), name).to.equal(true);
    }
  });

  it('join the parts of a name that are there', () => {
    expect(joined('A', undefined, '', 'B')).to.equal('A B');
    expect(joined()).to.equal('');
  });
});
