/** The organization that a person signed in to, and the scope that brings a refresh token. */
import { expect } from 'chai';
import type { IdTokenClaims, JsonObject } from 'crm-oauth2/provider';
import { salesos } from '../dist/provider';

function organizationsOf(claims?: JsonObject) {
  const tokens = { accessToken: 'access-1', tokenType: 'Bearer', response: { org_id: 'org_9' } };
  const own = claims && { claims: claims as IdTokenClaims };
  return salesos.organizationsOf?.({ tokens: { ...tokens, ...own } });
}

describe('SalesOS organizations', () => {
  for (const [claims, organizations] of [
    [{ org_id: 'org_Ab1' }, ['org_Ab1']],
    [{ org_id: 'org_Ab1', org_name: 'acme' }, ['org_Ab1', 'acme']],
    [{ org_name: 'Acme-Sales' }, ['acme-sales']],
    [{ org_name: 'org' }, ['org']],
    [{ org_name: 'org_Ab1' }, []],
    [{ org_name: 'ORG_ab1' }, []],
    [{ org_id: 'org_1', org_name: 'org_1' }, ['org_1']],
    [{ org_id: 'acme' }, []],
    [{ org_id: 'acme', org_name: 'acme' }, ['acme']],
    [{ org_id: 'ORG_ab1' }, []],
    [{ org_id: ['org_1'], org_name: { name: 'acme' } }, []],
    [{ org_id: '', org_name: '' }, []],
    [{}, []],
    [undefined, []],
  ] as const) {
    it(`salesos 5.1 — ${JSON.stringify(claims)} names ${JSON.stringify(organizations)}`, () => {
      expect(organizationsOf(claims as unknown as JsonObject)).to.deep.equal(organizations);
    });
  }

  for (const [entry, organization] of [
    ['org_Ab1', 'org_Ab1'],
    ['acme', 'acme'],
    ['Acme-Sales_2', 'acme-sales_2'],
    ['org', 'org'],
    ['ORG_ab1', undefined],
    ['org_Ab-1', undefined],
    ['org_Ab1 ', undefined],
    ['org_', undefined],
    ['Acme Sales', undefined],
    ['acme\n', undefined],
    ['', undefined],
  ] as const) {
    it(`salesos 5.1 — the entry ${JSON.stringify(entry)} means ${organization ?? 'none'}`, () => {
      expect(salesos.readOrganization?.(entry)).to.equal(organization);
    });
  }

  it('salesos 2.1 — offline_access brings a refresh token', () => {
    expect(salesos.offlineScopes).to.deep.equal(['offline_access']);
    expect(salesos.hints.refresh_token_missing).to.contain('Allow Offline Access');
  });
});
