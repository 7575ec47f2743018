/** The organization that a person signed in from, and the scope that brings a refresh token. */
import { expect } from 'chai';
import type { Json, TokenSet } from 'crm-oauth2/provider';
import { salesforce } from '../dist/provider';

const ORG = '00Dd0000000dsWLEAY';
const USER = '005d0000000b8kWAAQ';

const tokensOf = (id: Json): TokenSet => ({
  accessToken: '00D!AQ',
  tokenType: 'Bearer',
  response: { id },
});
const organizationsOf = (id: Json) => salesforce.organizationsOf?.({ tokens: tokensOf(id) });

describe('Salesforce organizations', () => {
  for (const org of [ORG, ORG.slice(0, 15), `${ORG.slice(0, 15)}XXX`]) {
    it(`salesforce 5.5 — ${org} is the organization ${ORG}, without a profile`, () => {
      for (const host of ['https://login.salesforce.com', 'https://acme.my.site.com/customers']) {
        expect(organizationsOf(`${host}/id/${org}/${USER}`)).to.deep.equal([ORG]);
      }
    });
  }

  it('salesforce 5.5 — is found in an identity URL alone', () => {
    for (const id of [null, ORG, `https://login.salesforce.com/id/${USER}/${ORG}`]) {
      expect(organizationsOf(id)).to.deep.equal([]);
    }
  });

  it('salesforce 5.5 — an entry of 15 characters is the one of 18, and a wrong one is none', () => {
    expect(salesforce.readOrganization?.(ORG.slice(0, 15))).to.equal(ORG);
    expect(salesforce.readOrganization?.(ORG)).to.equal(ORG);
    expect(salesforce.readOrganization?.('00DS0000000IDdtWAH')).to.equal(undefined);
    expect(salesforce.readOrganization?.('Acme')).to.equal(undefined);
  });

  it('salesforce 2.1 — refresh_token brings a refresh token', () => {
    expect(salesforce.offlineScopes).to.deep.equal(['refresh_token']);
    expect(salesforce.hints.refresh_token_missing).to.contain('Refresh Token Policy');
  });
});
