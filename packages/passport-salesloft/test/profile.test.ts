import { expect } from 'chai';
import { Problem } from 'crm-oauth2/provider';
import type { Json, JsonObject } from 'crm-oauth2/provider';
import { mapProfile } from '../dist/profile';

/** github.com/jiminny/oauth2-salesloft, test/data/resource_owner.json */
const FRANKLIN = {
  id: 1,
  guid: '9cc6da15-d403-4f5b-aeed-c4b8463cf9ae',
  created_at: '2019-01-01T00:00:00.000000-05:00',
  name: 'Benjamin Franklin',
  first_name: 'Benjamin',
  last_name: 'Franklin',
  email: 'fake@salesloft.com',
  active: true,
  team_admin: true,
  local_dial_enabled: true,
  click_to_call_enabled: true,
  email_client_configured: true,
  crm_connected: true,
  phone_client: { id: 1 },
  phone_number_assignment: {
    id: 1,
    _href: 'https://api.salesloft.com/v2/phone_number_assignments/1',
  },
  group: { id: 1, _href: 'https://api.salesloft.com/v2/groups/1' },
  team: { id: 1, _href: 'https://api.salesloft.com/v2/team' },
};

/** github.com/amp-labs/connectors, providers/salesloft/test/read-list-users.json */
const INT_USER = {
  id: 49067,
  guid: '0863ed13-7120-479b-8650-206a3679e2fb',
  created_at: '2024-02-20T20:03:20.996772-05:00',
  updated_at: '2024-04-27T07:18:23.531659-04:00',
  name: 'Int User',
  first_name: 'Int',
  last_name: 'User',
  email: 'somebody@withampersand.com',
  time_zone: 'US/Eastern',
  locale_utc_offset: -240,
  slack_username: 'somebody',
  active: true,
  team_admin: true,
  local_dial_enabled: false,
  crm_connected: false,
  phone_client: { id: 46885 },
  phone_number_assignment: null,
  group: null,
  team: { id: 111855, _href: 'https://api.salesloft.com/v2/team' },
  role: { id: 'Admin' },
  external_feature_flags: { ma_enabled: true, ma_dev_qa_tools: false },
};

function map(json: Json) {
  return mapProfile(json, { raw: JSON.stringify(json) });
}

function mapData(data: JsonObject) {
  return map({ data: { id: 1, ...data } });
}

describe('Salesloft profile', () => {
  it('salesloft 5.3 V1 — maps every known field, and nothing else', () => {
    const json = { data: FRANKLIN };
    expect(map(json)).to.deep.equal({
      provider: 'salesloft',
      id: '1',
      displayName: 'Benjamin Franklin',
      name: { givenName: 'Benjamin', familyName: 'Franklin' },
      emails: [{ value: 'fake@salesloft.com' }],
      guid: '9cc6da15-d403-4f5b-aeed-c4b8463cf9ae',
      teamId: '1',
      active: true,
      teamAdmin: true,
      _raw: JSON.stringify(json),
      _json: json,
    });
  });

  it('salesloft 5.3 V2 — maps the shape of 2024, with its nulls', () => {
    const json = { data: INT_USER };
    expect(map(json)).to.deep.equal({
      provider: 'salesloft',
      id: '49067',
      displayName: 'Int User',
      name: { givenName: 'Int', familyName: 'User' },
      emails: [{ value: 'somebody@withampersand.com' }],
      guid: '0863ed13-7120-479b-8650-206a3679e2fb',
      teamId: '111855',
      active: true,
      timeZone: 'US/Eastern',
      teamAdmin: true,
      _raw: JSON.stringify(json),
      _json: json,
    });
  });

  it('salesloft 5.2 — keeps the text as it came, and the envelope', () => {
    const raw = '{ "data": { "id": 7, "unknown_field": [1] } }';
    const profile = mapProfile(JSON.parse(raw) as Json, { raw });
    expect(profile._raw).to.equal(raw);
    expect(profile._json).to.deep.equal({ data: { id: 7, unknown_field: [1] } });
  });

  const unusable: [string, Json][] = [
    ['no data', {}],
    ['data null', { data: null }],
    ['data a list', { data: [FRANKLIN] }],
    ['data a string', { data: 'Jane' }],
    ['no envelope', FRANKLIN],
    ['a list', [{ data: FRANKLIN }]],
    ['null', null],
    ['a string', 'data'],
    ['no id', { data: { name: 'Jane Smith' } }],
    ['id null', { data: { id: null } }],
    ['id an empty string', { data: { id: '' } }],
    ['id a fraction', { data: { id: 1.5 } }],
    ['id beyond what a number holds', { data: { id: 9007199254740992 } }],
    ['id a boolean', { data: { id: true } }],
    ['id an object', { data: { id: { id: 1 } } }],
  ];
  for (const [what, json] of unusable) {
    it(`salesloft 5.2 — refuses an answer with 200 and ${what}`, () => {
      expect(() => map(json))
        .to.throw(Problem)
        .with.property('code', 'invalid_profile');
    });
  }

  it('salesloft 5.2 — takes an id that is a string as it is', () => {
    expect(mapData({ id: '0049067' }).id).to.equal('0049067');
    expect(mapData({ id: Number.MAX_SAFE_INTEGER }).id).to.equal('9007199254740991');
  });

  it('salesloft 5.2 — has no emails without an address, and never says verified', () => {
    for (const email of [undefined, null, '', 5]) {
      expect(mapData({ email })).not.to.have.property('emails');
    }
    expect(mapData({ email: 'a@example.com', email_verified: true }).emails).to.deep.equal([
      { value: 'a@example.com' },
    ]);
  });

  it('salesloft 5.1 — has neither photos nor a username', () => {
    const profile = mapData({ slack_username: 'somebody', picture: 'https://example.com/p.png' });
    expect(profile).not.to.have.any.keys('photos', 'username');
  });

  const names: [JsonObject, string, object | undefined][] = [
    [
      { name: 'Zoë Ångström', first_name: 'Zoë', last_name: 'Ångström' },
      'Zoë Ångström',
      { givenName: 'Zoë', familyName: 'Ångström' },
    ],
    [
      { first_name: 'Jane', last_name: 'Smith' },
      'Jane Smith',
      { givenName: 'Jane', familyName: 'Smith' },
    ],
    [{ name: '', last_name: 'Suri', first_name: null }, 'Suri', { familyName: 'Suri' }],
    [{ first_name: 'Suri', last_name: '' }, 'Suri', { givenName: 'Suri' }],
    [{ name: 'Only Whole' }, 'Only Whole', undefined],
    [{}, '', undefined],
  ];
  for (const [fields, displayName, name] of names) {
    it(`salesloft 5.2 — reads ${JSON.stringify(fields)} as "${displayName}"`, () => {
      const profile = mapData(fields);
      expect(profile.displayName).to.equal(displayName);
      expect(profile.name).to.deep.equal(name);
    });
  }

  it('salesloft 5.1 — reads job role, deactivated users and a team id that is a string', () => {
    const profile = mapData({ job_role: 'SDR', active: false, team: { id: 'team-1' } });
    expect(profile).to.include({ jobRole: 'SDR', active: false, teamId: 'team-1' });
  });

  it('salesloft 5.1 — leaves out extras of another type than documented', () => {
    const profile = mapData({ guid: 4, team: 'x', job_role: null, active: 'yes', team_admin: 1 });
    expect(profile).to.have.all.keys('provider', 'id', 'displayName', '_raw', '_json');
  });
});
