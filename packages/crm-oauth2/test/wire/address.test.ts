import { expect } from 'chai';
import { addressOf, isSameServer } from '../../dist/wire/address';

describe('the address of a URL', () => {
  it('has the parts that a request needs', () => {
    expect(addressOf(new URL('https://api.acme.test/v2/me?x=1#end'))).to.deep.equal({
      href: 'https://api.acme.test/v2/me?x=1#end',
      protocol: 'https:',
      hostname: 'api.acme.test',
      port: undefined,
      host: 'api.acme.test',
      origin: 'https://api.acme.test',
      path: '/v2/me?x=1',
      server: 'api.acme.test:443',
    });
  });

  it('has no brackets around an IPv6 address, and names the port of each server', () => {
    for (const [url, hostname, port, host, server] of [
      ['http://[::1]:8080/', '::1', 8080, '[::1]:8080', '::1:8080'],
      ['http://127.0.0.1', '127.0.0.1', undefined, '127.0.0.1', '127.0.0.1:80'],
      ['https://acme.test:80', 'acme.test', 80, 'acme.test:80', 'acme.test:80'],
    ] as const) {
      expect(addressOf(new URL(url)), url).to.include({ hostname, host, server });
      expect(addressOf(new URL(url)).port, url).to.equal(port);
    }
  });

  it('is cut out once, and again when the URL has changed', () => {
    const url = new URL('https://acme.test/a');
    const before = addressOf(url);
    expect(addressOf(url)).to.equal(before);
    url.hostname = 'other.test';
    expect(addressOf(url)).to.include({ host: 'other.test', server: 'other.test:443' });
  });

  it('RFC 6454 §5 — is of the same server with the same protocol, host and port', () => {
    const own = new URL('https://acme.test/a');
    const isSame = (url: string) => isSameServer(own, new URL(url));
    expect(['https://acme.test:443/b', 'https://ACME.test'].map(isSame)).to.deep.equal([
      true,
      true,
    ]);
    const others = ['http://acme.test', 'https://acme.test:444', 'https://a.acme.test'];
    expect(others.map(isSame)).to.deep.equal([false, false, false]);
  });
});
