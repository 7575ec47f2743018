/** The addresses that people write as `loginURL`, and those that are made of them. */
import { expect } from 'chai';
import { loginOrigin, requireLoginHost } from '../dist/login-origin';

const ACME = 'https://acme.my.salesforce.com';
const UAT = 'https://acme--uat.sandbox.my.salesforce.com';
const DEV = 'https://acme-dev-ed.develop.my.salesforce.com';
const SITE = 'https://acme.my.site.com/customers';
const CUSTOM = 'https://login.acme.example';

/** The address, and every way to write it. */
const understood: Record<string, readonly string[]> = {
  'https://login.salesforce.com': [
    'https://login.salesforce.com',
    'https://LOGIN.salesforce.com:443//',
    ' https://login.salesforce.com/\n',
    'https://login.salesforce.com/services/oauth2/authorize?response_type=code',
    'https://login.salesforce.com?startURL=%2Fhome',
    'https://login.salesforce.com/.well-known/openid-configuration',
  ],
  'https://test.salesforce.com': ['https://test.salesforce.com/services/oauth2/token'],
  'https://na14.salesforce.com': ['https://na14.salesforce.com/005/o'],
  'https://usa1024s.salesforce.com': ['https://usa1024s.salesforce.com/'],
  [ACME]: [
    `${ACME}/services/oauth2`,
    `${ACME}/services/oauth2/token/`,
    `${ACME}/?ec=302&startURL=%2Fvisualforce%2Fsession`,
    `${ACME}/secur/frontdoor.jsp?sid=00Dxx!AQ`,
    `${ACME}/one/one.app#/home`,
    `${ACME}/setup/forcecomHomepage.apexp`,
    'https://acme.lightning.force.com',
    'https://acme.lightning.force.com:443/lightning/setup/SetupOneHome/home?x=1#y',
    'https://ACME.Lightning.Force.com/lightning/page/home',
    'https://acme.my.salesforce-setup.com/lightning/setup/OauthSettings/home',
    'https://acme.builder.salesforce-experience.com/sfsites/picasso',
    'https://acme.file.force.com/servlet/x',
    'https://acme--c.vf.force.com/apex/Page',
    'https://acme--billing.vf.force.com',
    'https://acme--c.eu5.visualforce.com',
    'https://acme--c.na85.visual.force.com/apex/Page',
    'https://acme--c.documentforce.com/servlet',
    'https://acme--c.container.force.com',
  ],
  [UAT]: [
    `${UAT}/home/home.jsp`,
    'https://acme--uat.sandbox.lightning.force.com',
    'https://acme--uat.sandbox.my.salesforce-setup.com/',
    'https://acme--uat.sandbox.file.force.com',
    'https://acme--uat.sandbox.builder.salesforce-experience.com',
    'https://acme--uat--c.sandbox.vf.force.com',
    'https://acme--uat--c.sandbox.visualforce.com/apex/Page',
  ],
  [DEV]: [
    'https://acme-dev-ed.develop.lightning.force.com/lightning/o/Account/list',
    'https://acme-dev-ed.develop.my.salesforce-setup.com',
    'https://acme-dev-ed--c.develop.vf.force.com',
  ],
  // Labels that only look like the name of an instance.
  'https://acme.sandbox2.my.salesforce.com': ['https://acme.sandbox2.lightning.force.com'],
  'https://acme.eu5x.my.salesforce.com': ['https://acme.eu5x.lightning.force.com'],
  'https://acme.scratch.my.salesforce.com': ['https://acme.scratch.lightning.force.com'],
  'https://acme--uat.my.salesforce.com': ['https://acme--uat--c.cs10.visual.force.com/apex/Page'],
  'https://acme.my.salesforce.mil': [
    'https://acme.lightning.crmforce.mil/lightning',
    'https://acme--c.vf.crmforce.mil',
    'https://acme.my.salesforce.mil/services',
  ],
  'https://acme--uat.sandbox.my.salesforce.mil': [
    'https://acme--uat.sandbox.lightning.crmforce.mil',
  ],
  'https://acme--uat.sandbox.my.sfcrmproducts.cn': [
    'https://acme--uat.sandbox.lightning.sfcrmapps.cn',
  ],
  'https://acme.my.sfcrmproducts.cn': [
    'https://acme.lightning.sfcrmapps.cn',
    'https://acme--c.vf.sfcrmapps.cn',
  ],
  'https://acme.my-salesforce.com': ['https://acme.my-lightning.com/lightning/page/home'],
  [SITE]: [
    SITE,
    `${SITE}//`,
    `${SITE}/login?startURL=%2Fcustomers%2Fs`,
    `${SITE}/s/login/?language=en_US`,
    `${SITE}/s`,
    `${SITE}/services/oauth2/authorize`,
    `${SITE}/.well-known/openid-configuration`,
    `${SITE}/id/keys`,
    `${SITE}/id/00Dxx0000001gPLEAY/005xx000001SwiUAAS`,
    `${SITE}?`,
  ],
  'https://acme.my.site.com/customersvforcesite': [
    'https://acme.my.site.com/customersvforcesite/services/oauth2/token',
    'https://acme.my.site.com/customersvforcesite/login',
  ],
  'https://acme.my.site.com': ['https://acme.my.site.com/s/'],
  [CUSTOM]: [CUSTOM, `${CUSTOM}/`, `${CUSTOM}/services/oauth2/token`, `${CUSTOM}/login`],
  [`${CUSTOM}:8443/portal/sales`]: [`${CUSTOM}:8443/portal/sales/s/login`],
  'http://127.0.0.1:4002': ['http://127.0.0.1:4002/', 'http://127.0.0.1:4002/services/oauth2'],
  // No page of Salesforce, though it looks like one.
  'https://acme.lightning.force.com.evil.com/lightning/page': [
    'https://acme.lightning.force.com.evil.com/lightning/page',
  ],
  'https://acme.lightning.force.company': ['https://acme.lightning.force.company'],
  'https://evil.com/https://acme.lightning.force.com': [
    'https://evil.com/https://acme.lightning.force.com/',
  ],
  'https://www.salesforce.company': ['https://www.salesforce.company'],
  'https://evilsalesforce.com': ['https://evilsalesforce.com'],
};

const USUAL =
  'https://login.salesforce.com, https://test.salesforce.com for a sandbox, or the My Domain, such as https://NAME.my.salesforce.com';

/** The fault, and the address to write. */
const refused: Record<string, [fault: string, right: string]> = {
  'acme.my.salesforce.com': ['must be an absolute URL', ACME],
  'acme.my.salesforce.com:443/services': ['must be an absolute URL', ACME],
  '//acme.lightning.force.com/x?sid=1': ['must be an absolute URL', ACME],
  '  //acme.my.salesforce.com': ['must be an absolute URL', ACME],
  'acme.my.salesforce.com//home': ['must be an absolute URL', ACME],
  'acme.my.salesforce.com..': ['must be an absolute URL', ACME],
  'login.acme.example/portal': ['must be an absolute URL', `${CUSTOM}/portal`],
  'login.acme.example/portal?next=https://a.test': ['must be an absolute URL', `${CUSTOM}/portal`],
  'localhost:4002': ['must be an absolute URL', 'http://localhost:4002'],
  acme: ['must be an absolute URL', USUAL],
  'https://acme': ['must be an absolute URL', USUAL],
  'https://': ['must be an absolute URL', USUAL],
  'javascript:alert(1)': ['must be an absolute URL', USUAL],
  'http://login.salesforce.com': ['must be https', 'https://login.salesforce.com'],
  'http://acme.lightning.force.com/x': ['must be https', ACME],
  'http://login.acme.example/portal': ['must be https', `${CUSTOM}/portal`],
  'https://zoe:secret@acme.my.salesforce.com': ['must have no user info', ACME],
  'https://acme.my.salesforce.com.': ['must not end its host with a dot', ACME],
  'https://acme.my.salesforce.com:8443/x': ['must have no port', ACME],
  'https://acme.my.site.com:8443/customers': ['must have no port', SITE],
  'https://www.salesforce.com': ['is an address at which no one signs in', USUAL],
  'https://salesforce.com/': ['is an address at which no one signs in', USUAL],
  'https://help.salesforce.com/s/articleView': ['is an address at which no one signs in', USUAL],
  'https://developer.salesforce.com/docs': ['is an address at which no one signs in', USUAL],
  'https://trailhead.salesforce.com': ['is an address at which no one signs in', USUAL],
  'https://api.salesforce.com': ['is an address at which no one signs in', USUAL],
  'https://acme.salesforce.com': ['is an address at which no one signs in', USUAL],
};

describe('loginURL', () => {
  for (const [address, written] of Object.entries(understood)) {
    for (const text of written) {
      it(`salesforce 1.2 — ${JSON.stringify(text)} means ${address}`, () => {
        expect(loginOrigin(text)).to.equal(address);
      });
    }
    it(`salesforce 1.2 — ${address} means itself`, () => {
      expect(loginOrigin(address)).to.equal(address);
    });
  }

  for (const [text, [fault, right]] of Object.entries(refused)) {
    it(`salesforce 1.2 — ${text} is refused with what to write`, () => {
      expect(() => loginOrigin(text))
        .to.throw(TypeError)
        .with.property('message', `Salesforce: option "loginURL" ${fault}; write ${right}`);
    });
  }

  for (const [title, text] of [
    ['slashes', `${CUSTOM}${'/'.repeat(50_000)}x`],
    ['dots', `https://a${'.'.repeat(50_000)}b.test`],
  ] as const) {
    it(`CWE-1333 — refuses an address of 50 000 ${title} at once`, () => {
      const begun = performance.now();
      expect(() => loginOrigin(text)).to.throw(
        TypeError,
        `Salesforce: option "loginURL" is too long; write ${USUAL}`,
      );
      expect(performance.now() - begun).to.be.below(1000);
    });
  }

  it('takes an address of 4096 characters', () => {
    expect(loginOrigin(`${ACME}/?startURL=`.padEnd(4096, 'x'))).to.equal(ACME);
    expect(() => loginOrigin(`${ACME}/?startURL=`.padEnd(4097, 'x'))).to.throw('too long');
  });

  it('repeats no query, which may hold a session', () => {
    expect(() => loginOrigin('acme.my.salesforce.com/secur/frontdoor.jsp?sid=00D!AQ')).to.throw(
      TypeError,
      /^(?!.*00D!AQ)/,
    );
  });

  for (const [url, message] of [
    [
      'https://acme.lightning.force.com/services/oauth2/token',
      `is at a host of pages; write ${ACME}/services/oauth2/token`,
    ],
    ['https://www.salesforce.com/token', `is an address at which no one signs in; write ${USUAL}`],
    [`${ACME}:8443/token`, `must have no port; write ${ACME}`],
    ['https://www.salesforce.com:8443', `is an address at which no one signs in; write ${USUAL}`],
  ] as const) {
    it(`salesforce 1.2 — an endpoint at ${url} is refused with what to write`, () => {
      expect(() => requireLoginHost('tokenURL', url)).to.throw(
        TypeError,
        `Salesforce: option "tokenURL" ${message}`,
      );
    });
  }

  it('salesforce 1.2 — an endpoint is taken at any host that may answer', () => {
    for (const host of ['https://login.salesforce.com', SITE, `${CUSTOM}:8443`]) {
      expect(() => requireLoginHost('tokenURL', `${host}/services/oauth2/token`)).not.to.throw();
    }
    expect(() => requireLoginHost('tokenURL', 'http://127.0.0.1:4002/token')).not.to.throw();
  });
});
