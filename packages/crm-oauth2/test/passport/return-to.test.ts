import { expect } from 'chai';
import * as fc from 'fast-check';
import { ownPath } from '../../dist/passport/return-to';
import { CALLBACK } from '../support';

const OWN = new URL(CALLBACK).origin;
const SETTINGS = { seed: Number(process.env.FC_SEED ?? 20261129), numRuns: 2000 };

/** Parts of addresses, and the marks by which their readers are misled. */
const PIECES = [
  '/',
  '//',
  '\\',
  '/\\',
  '..',
  '.',
  '%2e',
  '%2f',
  '%5c',
  '@',
  ':',
  '?',
  '#',
  '\t',
  '\n',
  '\r',
  ' ',
  '\u0000',
  'https:',
  'http:',
  'HTTPS://',
  'blob:',
  'javascript:',
  'data:',
  'file:///',
  'app.test',
  'app.test:443',
  'app.test.',
  'app.test.evil.test',
  'evil.test',
  'ａｐｐ.test',
  'user:pw@',
  OWN,
  'a',
  'é',
  '。',
];

const addresses = fc.oneof(
  fc.array(fc.constantFrom(...PIECES), { maxLength: 8 }).map((pieces) => pieces.join('')),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.webUrl({ withFragments: true, withQueryParameters: true }),
  fc.webPath().map((path) => `${OWN}${path}`),
);

describe('return to', () => {
  for (const [value, path] of [
    ['/reports', '/reports'],
    ['/reports?year=2026&x=//evil.test#top', '/reports?year=2026&x=//evil.test#top'],
    ['/', '/'],
    ['/a//b', '/a//b'],
    ['/a/../b', '/b'],
    ['/größe', '/gr%C3%B6%C3%9Fe'],
    ['/a%2F%5Cb', '/a%2F%5Cb'],
    ['\\reports', '/reports'],
    ['reports', '/reports'],
    [`${OWN}/reports`, '/reports'],
    ['HTTPS://APP.TEST:443/reports', '/reports'],
    [OWN, '/'],
    ['https:/reports', '/reports'],
  ] as const) {
    it(`takes ${JSON.stringify(value)} as ${path}`, () => {
      expect(ownPath(value, CALLBACK)).to.equal(path);
    });
  }

  for (const value of [
    '',
    'https://evil.test/reports',
    'https://app.test.evil.test/',
    'https://app.test./reports',
    'https://app.test:8443/reports',
    'http://app.test/reports',
    'https://app.test@evil.test/',
    'https://zoe@app.test/reports',
    'https://:pw@app.test/reports',
    'https://zoe:pw@app.test/reports',
    '//evil.test',
    '//evil.test/%2f..',
    '///evil.test',
    '/\\evil.test',
    '\\\\evil.test',
    '/\t/evil.test',
    '/%2Fevil.test',
    '/%5Cevil.test',
    '%2f%2fevil.test',
    `${OWN}/%5cevil.test`,
    '\n//evil.test',
    '/.//evil.test',
    '/a/..//evil.test',
    '/a/..\\/evil.test',
    '/%2e%2e//evil.test',
    `${OWN}//evil.test`,
    `${OWN}/a/..//evil.test`,
    `blob:${OWN}/reports`,
    `blob:${OWN}//evil.test`,
    'blob:https://zoe:pw@app.test/reports',
    'blob:https:app.test',
    'javascript:alert(1)',
    'data:text/html,x',
    'ftp://app.test/reports',
    'ws://app.test/reports',
    'wss://app.test/reports',
    'https://',
    'http://[::1',
    'mailto:zoe@app.test',
  ]) {
    it(`RFC 9700 §4.11 — refuses ${JSON.stringify(value)}`, () => {
      expect(ownPath(value, CALLBACK)).to.equal(undefined);
    });
  }

  for (const value of [
    undefined,
    null,
    7,
    true,
    ['/reports'],
    ['/reports', '/other'],
    { href: '/reports' },
    { toString: () => '/reports' },
    new URL('/reports', OWN),
    Symbol('/reports'),
  ]) {
    it(`refuses a value that is not a text: ${typeof value} ${JSON.stringify(value)}`, () => {
      expect(ownPath(value, CALLBACK)).to.equal(undefined);
    });
  }

  it('CWE-770 — takes 1024 characters, and no more', () => {
    const longest = `/${'a'.repeat(1023)}`;
    expect(ownPath(longest, CALLBACK)).to.equal(longest);
    expect(ownPath(`${longest}a`, CALLBACK)).to.equal(undefined);
    expect(ownPath(`${OWN}/${'a'.repeat(1010)}`, CALLBACK)).to.equal(undefined);
  });

  it('CWE-770 — counts the characters of the encoded address, which is longer', () => {
    expect(ownPath(`/${'é'.repeat(170)}`, CALLBACK)).to.have.lengthOf(1021);
    expect(ownPath(`/${'é'.repeat(171)}`, CALLBACK)).to.equal(undefined);
    expect(ownPath(`/?${'é'.repeat(171)}`, CALLBACK)).to.equal(undefined);
    expect(ownPath(`/#${'é'.repeat(171)}`, CALLBACK)).to.equal(undefined);
  });

  it('takes the origin of the callback, with its port, also on plain http', () => {
    const redirectUri = 'http://localhost:3000/cb';
    expect(ownPath('http://localhost:3000/reports', redirectUri)).to.equal('/reports');
    expect(ownPath('/reports', redirectUri)).to.equal('/reports');
    for (const value of [
      'http://localhost/reports',
      'https://localhost:3000/reports',
      'http://127.0.0.1:3000/reports',
    ]) {
      expect(ownPath(value, redirectUri), value).to.equal(undefined);
    }
  });

  it('RFC 9700 §4.11 — leads to no other host, whatever a stranger writes', () => {
    let taken = 0;
    fc.assert(
      fc.property(addresses, (value) => {
        const path = ownPath(value, CALLBACK);
        if (path === undefined) return;
        taken += 1;
        expect(path).to.match(/^\/(?![/\\])/);
        expect(path.split(/[?#]/, 1)[0]).not.to.include('\\');
        expect(path).not.to.match(/[\0-\x20\x7f-\uffff]/);
        expect(path.length).to.be.at.most(1024);
        for (const page of [CALLBACK, `${OWN}/`, `${OWN}/a/b/c?d#e`]) {
          const url = new URL(path, page);
          expect(url.origin).to.equal(OWN);
          expect(url.username + url.password).to.equal('');
          expect(ownPath(path, page), 'read again').to.equal(path);
        }
        // Readers that know no base, and those that take a backslash for a slash.
        expect(new URL(path.replaceAll('\\', '/'), OWN).origin).to.equal(OWN);
      }),
      SETTINGS,
    );
    expect(taken).to.be.above(200);
  });
});
