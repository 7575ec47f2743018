import { expect } from 'chai';
import type { JsonObject } from 'crm-oauth2/provider';
import { legacyIds } from '../dist/legacy-ids';
import { mapProfile } from '../dist/profile';
import { salesos } from '../dist/provider';

function profileOf(json: JsonObject) {
  return mapProfile(json, {
    provider: 'salesos',
    options: { clientID: 'client-1' },
    endpoints: salesos.endpoints({}),
    raw: JSON.stringify(json),
    source: 'id_token',
  } as never);
}

describe('SalesOS legacyIds', () => {
  it('passport-auth0 — gives the whole subject', () => {
    const profile = profileOf({ sub: 'google-oauth2|103547991597142817347', name: 'Jane Doe' });
    const ids = ['google-oauth2|103547991597142817347'];
    expect(legacyIds(profile, 'passport-auth0')).to.deep.equal(ids);
    expect(profile.connection).to.equal('google-oauth2');
  });

  it('passport-auth0 — gives the claim user_id first, as an older tenant sends it', () => {
    const old = { user_id: 'auth0|58454', sub: 'auth0|58454' };
    expect(legacyIds(profileOf(old), 'passport-auth0')).to.deep.equal(['auth0|58454']);
    const own = { user_id: 'crm-17', sub: 'auth0|58454' };
    expect(legacyIds(profileOf(own), 'passport-auth0')).to.deep.equal(['crm-17', 'auth0|58454']);
  });

  it('passport-auth0 — takes no user_id that is not a text', () => {
    for (const user_id of [17, '', null]) {
      const profile = profileOf({ user_id, sub: 'auth0|58454' });
      expect(legacyIds(profile, 'passport-auth0')).to.deep.equal(['auth0|58454']);
    }
  });

  it('refuses a package that it does not know', () => {
    const profile = profileOf({ sub: 'auth0|58454' });
    expect(() => legacyIds(profile, 'auth0' as never)).to.throw(TypeError, 'passport-auth0');
  });
});
