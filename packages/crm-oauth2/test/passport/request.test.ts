import { expect } from 'chai';
import express = require('express');
import {
  callbackParameters,
  isAhead,
  isAtCallback,
  placeOf,
  resolveCallbackUrl,
} from '../../dist/passport/request';
import type { PassportRequest } from '../../dist/passport/request';
import { thrown } from '../support';

function request(parts: object): PassportRequest {
  return { headers: {}, ...parts };
}

describe('request', () => {
  describe('parameters of a callback', () => {
    const cases: [string, object, Record<string, unknown>][] = [
      ['the query of a GET', { method: 'GET', query: { a: '1' }, body: { a: '2' } }, { a: '1' }],
      ['the form of a POST', { method: 'POST', query: { a: '1' }, body: { a: '2' } }, { a: '2' }],
      ['the query of a POST without a form', { method: 'POST', query: { a: '1' } }, { a: '1' }],
      [
        'the query of a POST with text',
        { method: 'POST', query: { a: '1' }, body: 'a=2' },
        { a: '1' },
      ],
      ['the URL where no framework parsed it', { url: '/cb?a=1&b=%C3%AB+x' }, { a: '1', b: 'ë x' }],
      ['the URL where the query is text', { query: 'a=1', url: '/cb?a=2' }, { a: '2' }],
      ['a question mark in a value', { url: '/cb?a=1?2&b=3' }, { a: '1?2', b: '3' }],
      ['the URL where the query is null', { query: null, url: '/cb?a=2' }, { a: '2' }],
      ['no query', { url: '/cb' }, {}],
      ['an empty query', { url: '/cb?' }, {}],
      ['no URL', {}, {}],
    ];
    for (const [title, parts, expected] of cases) {
      it(`are read of ${title}`, () => {
        expect(callbackParameters(request(parts))).to.deep.equal(expected);
      });
    }

    it('RFC 6749 §3.1 — that are repeated in the URL are no longer one string', () => {
      const parameters = callbackParameters(request({ url: '/cb?code=a&code=b&state=s&code=c' }));
      expect(parameters.code).to.deep.equal(['a', 'b', 'c']);
      expect(parameters.state).to.equal('s');
    });

    it('CWE-674 — that are repeated often make no value too deep to write down', () => {
      const parameters = callbackParameters(request({ url: `/cb?${'a&'.repeat(32_000)}` }));
      expect(JSON.stringify(parameters)).to.have.lengthOf.above(64_000);
    });

    it('are own properties, whatever their names', () => {
      const parameters = callbackParameters(
        request({ url: '/cb?__proto__=x&constructor=y&hasOwnProperty=z&code=c' }),
      );
      expect(Object.keys(parameters)).to.deep.equal([
        '__proto__',
        'constructor',
        'hasOwnProperty',
        'code',
      ]);
      expect(parameters.constructor).to.equal('y');
      expect(Object.getPrototypeOf(parameters)).to.equal(Object.prototype);
    });
  });

  describe('the path of the callback', () => {
    const CALLBACK = 'https://app.test/auth/Acme/callback?x=1#y';

    const same: [string, object][] = [
      ['as it was sent', { url: '/auth/Acme/callback' }],
      ['with a query', { url: '/auth/Acme/callback?code=a?b' }],
      ['in another case', { url: '/AUTH/acme/callback' }],
      ['with a slash at the end', { url: '/auth/Acme/callback/' }],
      ['with two slashes for one', { url: '//auth//Acme/callback' }],
      ['with an encoded letter', { url: '/auth/%41cme/callback' }],
      ['without the prefix that a proxy took away', { url: '/callback' }],
      [
        'of the whole URL, where a router has cut its own off',
        { originalUrl: '/auth/acme/callback', url: '/x' },
      ],
    ];
    for (const [title, parts] of same) {
      it(`is the same ${title}`, () => {
        expect(isAtCallback(request(parts), CALLBACK)).to.equal(true);
        expect(placeOf(request(parts), CALLBACK)).to.equal('callback');
      });
    }

    const others: [string, object][] = [
      ['another path', { url: '/auth/acme' }],
      [
        'another path of which a router has cut the end off',
        { originalUrl: '/x', url: '/callback' },
      ],
      ['a part of a segment', { url: 'back' }],
      ['a longer path', { url: '/a/auth/acme/callback' }],
      ['a path that goes on in the same segment', { url: '/auth/acme/callbacks' }],
      ['a path that cannot be decoded', { url: '/auth/acme/%zz' }],
    ];
    for (const [title, parts] of others) {
      it(`is not ${title}`, () => {
        expect(isAtCallback(request(parts), CALLBACK)).to.equal(false);
        expect(placeOf(request(parts), CALLBACK)).to.equal('elsewhere');
      });
    }

    it('is one that cannot be decoded, in any case, where the redirect URI has it', () => {
      expect(isAtCallback(request({ url: '/%zz/CB' }), 'https://app.test/%ZZ/cb')).to.equal(true);
    });

    it('is the root for a redirect URI without a path, and for a request without a URL', () => {
      for (const parts of [{ url: '/' }, { url: '/?code=a' }, { url: '' }, {}]) {
        expect(isAtCallback(request(parts), 'https://app.test')).to.equal(true);
        expect(isAtCallback(request(parts), 'https://app.test/cb')).to.equal(false);
      }
      expect(isAtCallback(request({ url: '/' }), '/relative')).to.equal(true);
    });

    it('has paths below it', () => {
      const below = request({ url: '/auth/acme/callback/more' });
      expect(placeOf(below, CALLBACK)).to.equal('below');
      expect(isAtCallback(below, CALLBACK)).to.equal(false);
      expect(placeOf(request({ url: '/a/auth/acme/callback/b' }), CALLBACK)).to.equal('elsewhere');
      // Every path is below the root, which says nothing.
      expect(placeOf(request({ url: '/more' }), 'https://app.test/')).to.equal('elsewhere');
    });
  });

  describe('a request that shows the person nothing', () => {
    const cases: [string, object, boolean][] = [
      ['HEAD of a scanner', { method: 'HEAD' }, true],
      ['OPTIONS of a scanner', { method: 'OPTIONS' }, true],
      ['a prefetch', { method: 'GET', headers: { 'sec-purpose': 'prefetch;prerender' } }, true],
      ['a prefetch of old', { method: 'GET', headers: { purpose: 'prefetch' } }, true],
      ['a preview of Safari', { method: 'GET', headers: { 'x-purpose': 'preview' } }, true],
      ['a prefetch of Firefox', { method: 'GET', headers: { 'x-moz': 'Prefetch' } }, true],
      ['no other method', { method: 'GET' }, false],
      ['no POST', { method: 'POST' }, false],
      ['no request without a method', {}, false],
      ['no other purpose', { method: 'GET', headers: { purpose: 'prefetched' } }, false],
    ];
    for (const [title, parts, expected] of cases) {
      it(`is ${title}`, () => expect(isAhead(request(parts))).to.equal(expected));
    }
  });

  describe('the callback URL', () => {
    const headers = {
      host: 'app.test',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'pub.test',
    };
    const cases: [string, object, string, boolean, string][] = [
      ['absolute: as it is', { headers }, 'https://x.test/cb', true, 'https://x.test/cb'],
      ['absolute: not normalized', { headers }, 'https://X.test', true, 'https://X.test'],
      ['by Host', { headers: { host: 'app.test:3000' } }, '/cb', false, 'http://app.test:3000/cb'],
      [
        'by the protocol of the framework',
        { headers, protocol: 'https' },
        '/cb',
        false,
        'https://app.test/cb',
      ],
      [
        'by the socket',
        { headers, socket: { encrypted: true } },
        '/cb',
        false,
        'https://app.test/cb',
      ],
      ['without believing proxies', { headers }, '/cb', false, 'http://app.test/cb'],
      ['by proxies that are trusted', { headers }, '/cb', true, 'https://pub.test/cb'],
      [
        'by the first of several proxies',
        {
          headers: {
            host: 'a.test',
            'x-forwarded-proto': 'https, http',
            'x-forwarded-host': 'p.test , q.test',
          },
        },
        '/cb',
        true,
        'https://p.test/cb',
      ],
      [
        'by Host where the proxy says nothing',
        { headers: { host: 'a.test' } },
        '/cb',
        true,
        'http://a.test/cb',
      ],
      [
        'relative to the path',
        { headers, originalUrl: '/auth/acme?x=1', url: '/acme?x=1' },
        'acme/callback',
        false,
        'http://app.test/auth/acme/callback',
      ],
      [
        'relative to the URL of node:http',
        { headers, url: '/auth/acme' },
        'cb',
        false,
        'http://app.test/auth/cb',
      ],
    ];
    for (const [title, parts, url, trust, expected] of cases) {
      it(`is resolved ${title}`, () => {
        expect(resolveCallbackUrl(request(parts), url, trust)).to.equal(expected);
      });
    }

    for (const [title, parts] of [
      ['without Host', {}],
      ['with a Host that is none', { headers: { host: 'a b' } }],
    ] as const) {
      it(`cannot be resolved ${title}`, () => {
        expect(thrown(() => resolveCallbackUrl(request(parts), '/cb'))).to.include({
          code: 'callback_url_unresolvable',
          message: 'the relative callbackURL cannot be resolved',
        });
      });
    }
  });

  describe('a proxy is trusted as far as Express trusts it', () => {
    const urlFrom = (remoteAddress: string, parts: object) => {
      const headers = { host: 'app.test', 'x-forwarded-host': 'pub.test' };
      return resolveCallbackUrl(request({ headers, socket: { remoteAddress }, ...parts }), '/cb');
    };
    const trusts = (setting: unknown, remoteAddress = '10.0.0.7') => {
      const app = express();
      if (setting !== undefined) app.set('trust proxy', setting);
      return urlFrom(remoteAddress, { app }) === 'http://pub.test/cb';
    };

    const cases: [string, unknown, boolean][] = [
      ['not by default', undefined, false],
      ['true', true, true],
      ['false', false, false],
      ['a number of proxies', 1, true],
      ['its address', '10.0.0.7', true],
      ['its network', '10.0.0.0/8', true],
      ['another address', '10.0.0.8', false],
      ['the local machine only', 'loopback', false],
      ['a function that knows it', (address: string) => address === '10.0.0.7', true],
      ['a function that does not', (address: string) => address === '10.0.0.8', false],
    ];
    for (const [title, setting, expected] of cases) {
      it(`trust proxy: ${title}`, () => {
        expect(trusts(setting)).to.equal(expected);
      });
    }

    it('not where there is no Express', () => {
      for (const parts of [
        {},
        { app: { get: true } },
        { app: () => {} },
        { app: { get: () => 1 } },
      ]) {
        expect(urlFrom('10.0.0.7', parts)).to.equal('http://app.test/cb');
      }
    });
  });
});
