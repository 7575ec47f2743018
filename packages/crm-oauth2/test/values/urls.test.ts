import { expect } from 'chai';
import { parseUrl } from '../../dist/values/urls';

describe('parseUrl', () => {
  it('parses an absolute URL', () => {
    expect(parseUrl('https://acme.example/id?a=b#c')?.href).to.equal(
      'https://acme.example/id?a=b#c',
    );
  });

  it('gives nothing for a text that is not an absolute URL, and for another value', () => {
    const others = [
      '',
      '/id',
      'acme.example',
      'https://',
      new URL('https://acme.example'),
      1,
      null,
    ];
    expect(others.map((value) => parseUrl(value))).to.deep.equal(others.map(() => undefined));
  });

  it('parses an address once, so that a login that asks again gets the same URL', () => {
    const url = parseUrl('https://once.example/');
    expect(parseUrl('https://once.example/')).to.equal(url);
    expect(parseUrl('https://once.example')).not.to.equal(url);
  });

  it('CWE-770 — keeps no address of more than 500 characters, and a thousand at most', () => {
    const base = 'https://long.example/';
    const longest = base + 'a'.repeat(500 - base.length);
    expect(parseUrl(longest)).to.equal(parseUrl(longest));
    expect(parseUrl(`${longest}a`)).not.to.equal(parseUrl(`${longest}a`));

    const first = parseUrl('https://first.example/');
    for (let count = 1; count < 1000; count += 1) parseUrl(`https://many.example/${count}`);
    expect(parseUrl('https://first.example/')).to.equal(first);
    for (let count = 1; count <= 1000; count += 1) parseUrl(`https://more.example/${count}`);
    expect(parseUrl('https://first.example/')).not.to.equal(first);
  });
});
