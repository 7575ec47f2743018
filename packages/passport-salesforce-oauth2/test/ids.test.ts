import { expect } from 'chai';
import { parseIdentityUrl, readOrganizationId, sameIds, to18 } from '../dist/ids';

const ORG = '00Dd0000000dsWLEAY';
const USER = '005d0000000b8kWAAQ';

describe('Salesforce ids', () => {
  const published: [string, string][] = [
    ['00Dd0000000dsWL', 'EAY'],
    ['005d0000000b8kW', 'AAQ'],
    ['00Dxx0000001gPL', 'EAY'],
    ['005xx000001SwiU', 'AAS'],
    ['00DB0000000ToZ3', 'MAK'],
    ['005B0000005V71X', 'IAS'],
    ['00Dx0000000BV7z', 'EAG'],
    ['005x00000012Q9P', 'AAU'],
    ['00D50000000IZ3Z', 'EAW'],
    ['00Dx0000001T0zk', 'EAC'],
    ['005x0000001S2b9', 'AAC'],
  ];
  for (const [id, suffix] of published) {
    it(`salesforce 5.5 — makes ${id} 18 characters with ${suffix}`, () => {
      expect(to18(id)).to.equal(id + suffix);
      expect(to18(id + suffix)).to.equal(id + suffix);
    });
  }

  const wrong: [string, string][] = [
    ['00DS0000000IDdtWAH', 'MAG'],
    ['005S0000004y9JkCAF', 'IAI'],
    ['00Dd0000000d45TEBQ', 'EAQ'],
    ['005d0000000fyGPCCY', 'AAY'],
  ];
  for (const [id, suffix] of wrong) {
    it(`salesforce 5.5 — corrects the published suffix of ${id} to ${suffix}`, () => {
      expect(to18(id)).to.equal(id.slice(0, 15) + suffix);
    });
  }

  it('salesforce 5.5 — knows the ends of the alphabet', () => {
    expect(to18('aaaaaaaaaaaaaaa')).to.equal('aaaaaaaaaaaaaaaAAA');
    expect(to18('AAAAAAAAAAAAAAA')).to.equal('AAAAAAAAAAAAAAA555');
    expect(to18('AaaaaAaaaaAaaaa')).to.equal('AaaaaAaaaaAaaaaBBB');
    expect(to18('aaaaAaaaaAaaaaA')).to.equal('aaaaAaaaaAaaaaAQQQ');
  });

  it('salesforce 5.5 — compares the first 15 characters, case-sensitively', () => {
    const ids = { organizationId: ORG, userId: USER };
    const short = { organizationId: ORG.slice(0, 15), userId: USER.slice(0, 15) };
    expect(sameIds(ids, short)).to.equal(true);
    expect(sameIds(short, ids)).to.equal(true);
    expect(sameIds(ids, { ...short, userId: `${short.userId}XXX` })).to.equal(true);
    expect(sameIds(ids, { ...short, userId: short.userId.toLowerCase() })).to.equal(false);
    expect(sameIds(ids, { ...short, organizationId: '00Dd0000000d45TEAQ' })).to.equal(false);
    expect(sameIds(ids, { ...short, userId: '005d0000000fyGPAAY' })).to.equal(false);
  });

  it('salesforce 5.5 — reads an organization in either form', () => {
    expect(readOrganizationId(ORG)).to.equal(ORG);
    expect(readOrganizationId(ORG.slice(0, 15))).to.equal(ORG);
  });

  for (const [what, entry] of [
    ['a wrong suffix', '00DS0000000IDdtWAH'],
    ['a suffix in lower case', `${ORG.slice(0, 15)}eay`],
    ['an id in lower case', ORG.toLowerCase()],
    ['14 characters', ORG.slice(0, 14)],
    ['16 characters', ORG.slice(0, 16)],
    ['17 characters', ORG.slice(0, 17)],
    ['19 characters', `${ORG}A`],
    ['a user', USER],
    ['white space', ` ${ORG}`],
    ['a line feed', `${ORG.slice(0, 15)}\n`],
    ['punctuation', '00Dd0000000ds!L'],
    ['a name', 'Acme'],
    ['nothing', ''],
  ] as const) {
    it(`salesforce 5.5 — reads no organization in ${what}`, () => {
      expect(readOrganizationId(entry)).to.equal(undefined);
    });
  }

  const good: [string, string, string][] = [
    [`https://login.salesforce.com/id/${ORG}/${USER}`, ORG, USER],
    ['https://x.example/id/00Dx0000000BV7z/005x00000012Q9P', '00Dx0000000BV7z', '005x00000012Q9P'],
    [`https://acme.my.site.com/customers/id/${ORG}/${USER}`, ORG, USER],
    [`https://acme.my.site.com/a/b-c/id/${ORG}/${USER}`, ORG, USER],
    [`https://test.salesforce.com/id/${ORG}/${USER}?format=json`, ORG, USER],
    [`http://127.0.0.1:4002/id/${ORG}/${USER}`, ORG, USER],
  ];
  for (const [url, organizationId, userId] of good) {
    it(`salesforce 1.3 — reads ${url}`, () => {
      const identity = parseIdentityUrl(url);
      expect(identity).to.include({ organizationId, userId });
      expect(identity?.url.href).to.equal(url);
    });
  }

  const bad: [string, unknown][] = [
    ['nothing', undefined],
    ['null', null],
    ['a number', 5],
    ['an object', { href: `https://login.salesforce.com/id/${ORG}/${USER}` }],
    ['a list of one', [`https://login.salesforce.com/id/${ORG}/${USER}`]],
    ['a URL object', new URL(`https://login.salesforce.com/id/${ORG}/${USER}`)],
    ['an empty text', ''],
    ['a path alone', `/id/${ORG}/${USER}`],
    ['no user', `https://login.salesforce.com/id/${ORG}`],
    ['user before organization', `https://login.salesforce.com/id/${USER}/${ORG}`],
    ['an organization of another kind', `https://login.salesforce.com/id/001d0000000dsWL/${USER}`],
    ['a user of another kind', `https://login.salesforce.com/id/${ORG}/00Ed0000000b8kWAAQ`],
    ['16 characters', `https://login.salesforce.com/id/${ORG.slice(0, 16)}/${USER}`],
    ['17 characters', `https://login.salesforce.com/id/${ORG}/${USER.slice(0, 17)}`],
    ['19 characters', `https://login.salesforce.com/id/${ORG}A/${USER}`],
    ['a slash at the end', `https://login.salesforce.com/id/${ORG}/${USER}/`],
    ['a further segment', `https://login.salesforce.com/id/${ORG}/${USER}/photo`],
    ['another endpoint', `https://login.salesforce.com/services/oauth2/userinfo`],
    ['an encoded slash', `https://login.salesforce.com/id/${ORG}%2F${USER}`],
    ['a prefix with odd characters', `https://login.salesforce.com/a@b/id/${ORG}/${USER}`],
    ['punctuation in an id', `https://login.salesforce.com/id/00Dd0000000ds!L/${USER}`],
    ['a line feed in an id', `https://login.salesforce.com/id/${ORG}/${USER}%0A`],
  ];
  for (const [what, id] of bad) {
    it(`salesforce 1.3 — finds no identity in ${what}`, () => {
      expect(parseIdentityUrl(id)).to.equal(undefined);
    });
  }
});
