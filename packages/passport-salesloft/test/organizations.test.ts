/** The team that a person signed in from, and the refresh token that needs no scope. */
import { expect } from 'chai';
import type { Json, TokenSet } from 'crm-oauth2/provider';
import { mapProfile } from '../dist/profile';
import { salesloft } from '../dist/provider';

const tokens: TokenSet = { accessToken: 'slat_1', tokenType: 'Bearer', response: { team: 3 } };

function organizationsOf(team: Json) {
  const profile = mapProfile({ data: { id: 49067, team } }, { raw: '' });
  return salesloft.organizationsOf?.({ tokens, profile });
}

describe('Salesloft teams', () => {
  it('salesloft 5.2 — the team of the profile is the organization', () => {
    expect(organizationsOf({ id: 111_855 })).to.deep.equal(['111855']);
    expect(organizationsOf({ id: '111855' })).to.deep.equal(['111855']);
  });

  it('salesloft 5.2 — a profile without a usable team, or none, names no organization', () => {
    // JSON rounds the last one: it may be the id of another team.
    for (const team of [null, 7, {}, { id: null }, { id: 1.5 }, { id: 2 ** 53 }]) {
      expect(organizationsOf(team), JSON.stringify(team)).to.deep.equal([]);
    }
    expect(salesloft.organizationsOf?.({ tokens })).to.deep.equal([]);
  });

  for (const [entry, team] of [
    ['111855', '111855'],
    ['7', '7'],
    ['0', undefined],
    ['0111855', undefined],
    ['-7', undefined],
    ['7.0', undefined],
    ['7\n', undefined],
    [' 7', undefined],
    ['Acme', undefined],
    ['', undefined],
  ] as const) {
    it(`salesloft 5.2 — the entry ${JSON.stringify(entry)} means ${team ?? 'none'}`, () => {
      expect(salesloft.readOrganization?.(entry)).to.equal(team);
    });
  }

  it('salesloft 4.3 — a refresh token needs no scope', () => {
    expect(salesloft.offlineScopes).to.deep.equal([]);
    expect(salesloft.hints.refresh_token_missing).to.contain('whatever the scopes');
  });
});
