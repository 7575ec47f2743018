import { expect } from 'chai';
import { isIdentityHost, isSalesforceHost } from '../dist/hosts';

const trusted = [
  'https://login.salesforce.com/x',
  'https://test.salesforce.com',
  'https://acme.my.salesforce.com',
  'https://acme--uat.sandbox.my.salesforce.com',
  'https://acme-dev-ed.develop.my.salesforce.com',
  'https://na14.salesforce.com',
  'https://gs1.salesforce.com',
  'https://acme.my.site.com/customers',
  'https://acme--uat.sandbox.my.site.com',
  'https://acme.cloudforce.com',
  'https://login.database.com',
  'https://acme.my.salesforce.mil',
  'https://acme.crmforce.mil',
  'https://acme.my.sfcrmproducts.cn',
  'https://acme.my-salesforce.com',
  'https://LOGIN.SALESFORCE.COM',
  'HTTPS://Acme.My.Salesforce.Com:443/',
];

const refused: [string, string][] = [
  ['a host that only ends alike', 'https://evilsalesforce.com'],
  ['a host that only begins alike', 'https://salesforce.com.evil.test'],
  ['a suffix without its dot', 'https://evilcrmforce.mil'],
  ['another suffix without its dot', 'https://evilmy-salesforce.com'],
  ['the registrable domain alone', 'https://salesforce.com'],
  ['my.site.com alone', 'https://my.site.com'],
  ['a site that is not under my.site.com', 'https://acme.site.com'],
  ['a host that ends like my.site.com', 'https://evilmy.site.com'],
  ['user info', 'https://jane@login.salesforce.com'],
  ['a password', 'https://jane:secret@login.salesforce.com'],
  ['a host dressed up as user info', 'https://login.salesforce.com@evil.test'],
  ['a backslash before the host', 'https://evil.test\\.salesforce.com'],
  ['another port', 'https://login.salesforce.com:8443'],
  ['a dot at the end', 'https://login.salesforce.com.'],
  ['plain http', 'http://login.salesforce.com'],
  ['plain http on port 443', 'http://login.salesforce.com:443'],
  ['another scheme', 'wss://login.salesforce.com'],
  ['a Cyrillic letter', 'https://login.s\u0430lesforce.com'],
  ['customer content', 'https://acme.file.force.com'],
  ['customer pages', 'https://acme.secure.force.com'],
  ['a Lightning page', 'https://acme.lightning.force.com'],
  ['a Visualforce page', 'https://acme--c.vf.force.com'],
  ['a Setup page', 'https://acme.my.salesforce-setup.com'],
  ['an address', 'https://127.0.0.1'],
  ['localhost', 'https://localhost'],
];

describe('Salesforce hosts', () => {
  for (const url of trusted) {
    it(`salesforce 1.3 — lets ${url} have the access token`, () => {
      expect(isSalesforceHost(new URL(url))).to.equal(true);
      expect(
        isIdentityHost(new URL(url), { tokenEndpoint: 'https://login.salesforce.com/t' }),
      ).to.equal(true);
    });
  }

  for (const [what, url] of refused) {
    it(`salesforce 1.3 — refuses ${what}: ${url}`, () => {
      expect(isSalesforceHost(new URL(url))).to.equal(false);
      expect(
        isIdentityHost(new URL(url), { tokenEndpoint: 'https://login.salesforce.com/t' }),
      ).to.equal(false);
    });
  }

  it('salesforce 1.3 — refuses other spaces that look like a dot', () => {
    // The URL class maps the ideographic full stop to a dot, which is then a real label boundary.
    expect(new URL('https://login\u3002salesforce.com').hostname).to.equal('login.salesforce.com');
    expect(isSalesforceHost(new URL('https://evil\u3002test'))).to.equal(false);
  });

  describe('the configured host', () => {
    const configured = { tokenEndpoint: 'https://login.acme.example:8443/services/oauth2/token' };
    const allows = (url: string) => isIdentityHost(new URL(url), configured);

    it('salesforce 1.3 — is trusted beside the list, exactly', () => {
      expect(allows('https://login.acme.example:8443/id/x')).to.equal(true);
      expect(allows('https://acme.my.salesforce.com/id/x')).to.equal(true);
    });

    for (const url of [
      'https://login.acme.example/id/x',
      'https://login.acme.example:9443/id/x',
      'http://login.acme.example:8443/id/x',
      'https://sub.login.acme.example:8443/id/x',
      'https://acme.example:8443/id/x',
      'https://login.acme.example.:8443/id/x',
      'https://jane@login.acme.example:8443/id/x',
      'https://:secret@login.acme.example:8443/id/x',
    ]) {
      it(`salesforce 1.3 — is not ${url}`, () => {
        expect(allows(url)).to.equal(false);
      });
    }
  });

  it('salesforce 1.3 — trusts another port of a loopback host only where that host is configured', () => {
    const local = { tokenEndpoint: 'http://127.0.0.1:4002/services/oauth2/token' };
    const allows = (url: string) => isIdentityHost(new URL(url), local);
    expect(allows('http://127.0.0.1:4003')).to.equal(true);
    for (const url of [
      'http://localhost:4003',
      'http://127.0.0.2:4003',
      'https://127.0.0.1:4003',
      'http://jane@127.0.0.1:4003',
      'ftp://127.0.0.1:4003',
      'http://10.0.0.1',
      'http://127.0.0.1.evil.test',
    ]) {
      expect(allows(url), url).to.equal(false);
    }
  });

  it('RFC 6454 §4 — compares scheme, host and port', () => {
    const same = (a: string, b: string) => isIdentityHost(new URL(a), { tokenEndpoint: b });
    expect(same('https://a.example/x', 'https://A.example:443/y?z')).to.equal(true);
    expect(same('https://a.example', 'http://a.example')).to.equal(false);
    expect(same('https://a.example', 'https://a.example:444')).to.equal(false);
    expect(same('https://a.example', 'https://b.example')).to.equal(false);
    expect(same('https://a.example', 'https://a.example.evil.test/x')).to.equal(false);
    expect(same('https://a.example', 'https://a.example:8443/x')).to.equal(false);
  });
});
