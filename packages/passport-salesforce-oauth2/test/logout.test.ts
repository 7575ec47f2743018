/** Where Salesforce ends the session of a person. */
import { expect } from 'chai';
import { OAuth2Client } from 'crm-oauth2';
import { salesforce } from '../dist/provider';

const PATH = '/services/auth/idp/oidc/logout';
const ACME = 'https://acme.my.salesforce.com';
const SITE = 'https://acme.my.site.com/customers';

const OPTIONS = { clientID: '3MVG9client', clientSecret: 'some consumer secret' };

const endpointsAt = (loginURL: string) =>
  new OAuth2Client(salesforce, { ...OPTIONS, loginURL }).endpoints;

/** The endpoint of the tokens' own organization, as their response names it. */
function ownLogout(loginURL: string, response: Record<string, string>) {
  const context = { provider: 'salesforce', options: OPTIONS, endpoints: endpointsAt(loginURL) };
  return salesforce.organizationEndpoints?.(response, context).endSessionEndpoint;
}

describe('Salesforce logout', () => {
  for (const base of [
    ACME,
    'https://acme--uat.sandbox.my.salesforce.com',
    'https://acme.my.salesforce.mil',
    'https://acme.my.sfcrmproducts.cn',
    SITE,
    'https://login.acme.example',
    'http://127.0.0.1:4002',
    'http://localhost:4002',
  ]) {
    it(`salesforce 9 — is at ${base}`, () => {
      expect(endpointsAt(base).endSessionEndpoint).to.equal(base + PATH);
    });
  }

  for (const base of [
    'https://login.salesforce.com',
    'https://test.salesforce.com',
    'https://na14.salesforce.com',
    'https://login.database.com',
  ]) {
    it(`salesforce 9 — is not at ${base}, and there at the host of the tokens`, () => {
      expect(endpointsAt(base)).not.to.have.property('endSessionEndpoint');
      expect(ownLogout(base, { instance_url: ACME })).to.equal(ACME + PATH);
      expect(ownLogout(base, { instance_url: 'https://na14.salesforce.com' })).to.equal(undefined);
      expect(ownLogout(base, {})).to.equal(undefined);
    });
  }

  it('salesforce 9 — moves with the organization, from one My Domain to another', () => {
    const moved = 'https://acme-group.my.salesforce.com';
    expect(ownLogout(ACME, { instance_url: moved })).to.equal(moved + PATH);
    const org = 'http://127.0.0.1:4003';
    expect(ownLogout('http://127.0.0.1:4002', { instance_url: org })).to.equal(org + PATH);
  });

  it('salesforce 9 — stays at the site that the person signed in at', () => {
    for (const site of [SITE, 'https://login.acme.example']) {
      expect(ownLogout(site, { instance_url: ACME })).to.equal(undefined);
    }
  });
});
