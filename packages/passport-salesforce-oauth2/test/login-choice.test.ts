/** The addresses that one login may choose, and those that it may not. */
import { expect } from 'chai';
import type { Problem } from 'crm-oauth2/provider';
import { judgeLoginURL } from '../dist/login-choice';
import { salesforce } from '../dist/provider';

const ACME = 'https://acme.my.salesforce.com';
const SITE = 'https://acme.my.site.com/customers';
const LOCAL = 'http://127.0.0.1:4002';
const OTHER =
  'is neither a login host nor a My Domain of Salesforce, and not among "allowedLoginURLs"';
const PLAIN = `must name its host in plain letters: write ${ACME}`;

function refusalOf(value: unknown, options = {}): Problem {
  try {
    judgeLoginURL(value, options);
  } catch (error) {
    return error as Problem;
  }
  throw new Error(`${String(value)} was allowed`);
}

const chosen: Record<string, readonly string[]> = {
  'https://login.salesforce.com': [
    'https://login.salesforce.com',
    'https://LOGIN.salesforce.com:443//',
    ' https://login.salesforce.com/services/oauth2/authorize?x=1\n',
  ],
  'https://test.salesforce.com': ['https://test.salesforce.com?startURL=%2F'],
  [ACME]: [
    ACME,
    // As people type it.
    'acme.my.salesforce.com',
    ' ACME.my.salesforce.com/lightning/page?x=1 ',
    'acme.lightning.force.com/',
    `${ACME}/one/one.app#/home`,
    `${ACME}/services/apexrest/evil`,
    'https://acme.lightning.force.com/lightning/setup/SetupOneHome/home',
    'https://acme.my.salesforce-setup.com',
    'https://acme--c.vf.force.com/apex/Page',
  ],
  'https://acme--uat.sandbox.my.salesforce.com': [
    'https://acme--uat.sandbox.my.salesforce.com',
    'https://acme--uat.sandbox.lightning.force.com',
  ],
  'https://acme.my.salesforce.mil': ['https://acme.lightning.crmforce.mil/lightning'],
  'https://acme.my.sfcrmproducts.cn': ['https://acme.my.sfcrmproducts.cn/'],
  'https://acme.my-salesforce.com': ['https://acme.my-lightning.com'],
};

/** The fault that follows the quoted address. */
const refused: Record<string, [quoted: string, fault: string]> = {
  'https://evil.example': ['https://evil.example/', OTHER],
  'https://evil-my.salesforce.com.evil.com': ['https://evil-my.salesforce.com.evil.com/', OTHER],
  'https://my.salesforce.com': [
    'https://my.salesforce.com/',
    'is an address at which no one signs in',
  ],
  'https://evilmy-salesforce.com': ['https://evilmy-salesforce.com/', OTHER],
  'https://evil.mysalesforce.com': ['https://evil.mysalesforce.com/', OTHER],
  'https://na12.salesforce.com': ['https://na12.salesforce.com/', OTHER],
  'https://acme.database.com': ['https://acme.database.com/', OTHER],
  'https://login.salesforce.mil': ['https://login.salesforce.mil/', OTHER],
  [SITE]: [SITE, OTHER],
  'https://x.my.site.com/services/apexrest': ['https://x.my.site.com/services/apexrest', OTHER],
  [LOCAL]: [`${LOCAL}/`, OTHER],
  'http://login.salesforce.com': [
    'http://login.salesforce.com/',
    'must be https; write https://login.salesforce.com',
  ],
  'http://evil.example/x': ['http://evil.example/x', 'must be https'],
  'https://login.salesforce.com@evil.example': ['https://evil.example/', 'must have no user info'],
  'https://jane:secret@acme.my.salesforce.com/x?sid=1': [
    `${ACME}/x`,
    `must have no user info; write ${ACME}`,
  ],
  'https://@acme.my.salesforce.com': [`${ACME}/`, PLAIN],
  'https://acme.my.salesforce.com:8443': [`${ACME}:8443/`, `must have no port; write ${ACME}`],
  'https://acme.my.salesforce.com.': [
    `${ACME}./`,
    `must not end its host with a dot; write ${ACME}`,
  ],
  'https://acme.my.salesforce%2Ecom': [`${ACME}/`, PLAIN],
  'https://acme.my.sales\tforce.com': [`${ACME}/`, PLAIN],
  'https://acme.my.sales\nforce.com/x': [`${ACME}/x`, PLAIN],
  'https:\\\\acme.my.salesforce.com': [`${ACME}/`, PLAIN],
  'https://acme.my.salesforce.com\\@evil.example': [`${ACME}/@evil.example`, PLAIN],
  'https:acme.my.salesforce.com': [`${ACME}/`, PLAIN],
  'https:////acme.my.salesforce.com': [`${ACME}/`, PLAIN],
  'https://acme\u3002my.salesforce.com': [`${ACME}/`, PLAIN],
  'https://acme.my.\uff53alesforce.com': [`${ACME}/`, PLAIN],
  'https://login.s\u0430lesforce.com': ['https://login.xn--slesforce-0yh.com/', OTHER],
  'https://xn--e1afmkfd.my.salesforce.com': ['https://xn--e1afmkfd.my.salesforce.com/', OTHER],
  'https://-acme.my.salesforce.com': ['https://-acme.my.salesforce.com/', OTHER],
  'https://acme-.my.salesforce.com': ['https://acme-.my.salesforce.com/', OTHER],
  'https://a_b.my.salesforce.com': ['https://a_b.my.salesforce.com/', OTHER],
  'https://.my.salesforce.com': ['https://.my.salesforce.com/', OTHER],
  'https://--c.vf.force.com': ['https://--c.vf.force.com/', OTHER],
};

/** Values whose address a message cannot repeat. */
const unreadable: Record<string, string> = {
  '': 'loginURL must be an absolute URL',
  'javascript:alert(1)': 'loginURL must be an absolute URL',
  'data:text/html,x': 'loginURL must be an absolute URL',
  '//acme.my.salesforce.com': `loginURL must be an absolute URL; write ${ACME}`,
  'acme.my.salesforce.com?sid=1': `loginURL must be an absolute URL; write ${ACME}`,
  'https://': 'loginURL must be an absolute URL',
  undefined: 'loginURL must be an absolute URL',
};

describe('loginURL of one login', () => {
  for (const [address, written] of Object.entries(chosen)) {
    for (const text of written) {
      it(`salesforce 1.2 — ${JSON.stringify(text)} chooses ${address}`, () => {
        expect(judgeLoginURL(text, {})).to.equal(address);
      });
    }
  }

  for (const [text, [quoted, fault]] of Object.entries(refused)) {
    it(`salesforce 1.3 — refuses ${JSON.stringify(text)}`, () => {
      const { code, message, details } = refusalOf(text);
      expect({ code, message, details }).to.deep.equal({
        code: 'login_url_not_allowed',
        message: `loginURL "${quoted}" ${fault}`,
        details: { refusal: 400 },
      });
    });
  }

  for (const [text, message] of Object.entries(unreadable)) {
    it(`salesforce 1.3 — refuses ${JSON.stringify(text)} without repeating it`, () => {
      expect(refusalOf(text)).to.deep.include({ code: 'login_url_not_allowed', message });
    });
  }

  it('refuses all but strings, without a look at their text', () => {
    let reads = 0;
    const turning = { toString: () => (reads++ > 0 ? 'https://evil.example' : ACME) };
    const changed = Object.assign(new URL(ACME), turning);
    const values = [undefined, null, 7, true, [ACME], { href: ACME }, turning, changed];
    for (const value of [...values, new String(ACME), Symbol('x'), () => ACME]) {
      const message = 'loginURL must be a string';
      expect(refusalOf(value)).to.deep.include({ code: 'login_url_not_allowed', message });
    }
    expect(reads).to.equal(0);
  });

  it('CWE-1333 — refuses a long address at once, and repeats 100 characters at most', () => {
    const begun = performance.now();
    for (const [start, one] of [
      [ACME, '/'],
      ['https://', 'a.'],
      ['https://', '-'],
    ] as const) {
      const short = `${start}${one.repeat(4000 / one.length)}x`;
      expect(refusalOf(short.padEnd(4097, 'x')).message).to.equal('loginURL is too long');
      if (start !== ACME) expect(refusalOf(short).message.length).to.be.below(220);
    }
    const long = `https://evil.example/${'x'.repeat(79)}`;
    expect(refusalOf(long).message).to.equal(`loginURL "${long}" ${OTHER}`);
    expect(refusalOf(`${long}y`).message).to.equal(`loginURL "${long}…" ${OTHER}`);
    expect(performance.now() - begun).to.be.below(2000);
  });

  describe('allowedLoginURLs', () => {
    const allowedLoginURLs = [`${SITE}/`, 'https://login.acme.example/portal/login', LOCAL];

    it('allows exactly the entries, but for slashes at the end', () => {
      for (const [text, address] of [
        [SITE, SITE],
        [`${SITE}//`, SITE],
        ['https://login.acme.example/portal', 'https://login.acme.example/portal'],
        ['https://login.acme.example/portal/login', 'https://login.acme.example/portal'],
        [`${LOCAL}/`, LOCAL],
      ] as const) {
        expect(judgeLoginURL(text, { allowedLoginURLs }), text).to.equal(address);
      }
    });

    for (const text of [
      `${SITE}/s`,
      `${SITE}?x=1`,
      `${SITE}#`,
      ` ${SITE}`,
      'https://acme.my.site.com',
      'https://acme.my.site.com/Customers',
      'https://ACME.my.site.com/customers',
      'https://acme.my.site.com:443/customers',
      'https://acme.my.site.com/x/../customers',
      'https://login.acme.example',
      'http://127.0.0.1:4003',
      'http://localhost:4002',
    ]) {
      it(`refuses ${JSON.stringify(text)} beside them`, () => {
        expect(refusalOf(text, { allowedLoginURLs }).code).to.equal('login_url_not_allowed');
      });
    }

    it('allows the address of the constructor', () => {
      const loginURL = 'http://127.0.0.1:4002/services/oauth2/';
      for (const text of [LOCAL, `${LOCAL}/`, loginURL]) {
        expect(judgeLoginURL(text, { loginURL }), text).to.equal(LOCAL);
      }
      expect(refusalOf(LOCAL, { loginURL: SITE }).message).to.equal(
        `loginURL "${LOCAL}/" ${OTHER}`,
      );
    });

    it('is judged by the constructor, which names the entry', () => {
      const wrong = [SITE, 'http://login.acme.example'];
      expect(() => salesforce.endpoints({ allowedLoginURLs: wrong }))
        .to.throw(TypeError)
        .with.property(
          'message',
          'Salesforce: option "allowedLoginURLs[1]" must be https; write https://login.acme.example',
        );
      expect(() => salesforce.endpoints({ allowedLoginURLs })).not.to.throw();
    });
  });

  for (const name of ['authorizationURL', 'tokenURL', 'userInfoURL', 'jwksURL'] as const) {
    it(`allows no other host beside a ${name} of its own`, () => {
      const options = { [name]: 'https://login.salesforce.com/x', allowedLoginURLs: [SITE] };
      expect(judgeLoginURL('https://login.salesforce.com/', options)).to.equal(
        'https://login.salesforce.com',
      );
      expect(judgeLoginURL(ACME, { ...options, loginURL: ACME })).to.equal(ACME);
      for (const text of [ACME, SITE]) {
        expect(refusalOf(text, options)).to.deep.include({
          code: 'login_url_not_allowed',
          message: `loginURL "${text}${text === ACME ? '/' : ''}" cannot be chosen by a login, since "${name}" does not follow it`,
        });
      }
    });
  }

  it('is the judge of the environment, which each login may choose', () => {
    expect(salesforce.environment).to.deep.equal({ loginURL: judgeLoginURL });
  });
});
