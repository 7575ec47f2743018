/** Each option that is refused, and the message that names it. */
import { Agent } from 'node:http';
import * as https from 'node:https';
import { expect } from 'chai';
import {
  adviceOn,
  checkAgent,
  checkExtra,
  checkHeaders,
  checkProviderOptions,
  isLoopback,
  nearestName,
  optionalNumber,
  optionalSecret,
  refuseUnknownOptions,
  requireBoolean,
  requireCallbackUrl,
  requireEndpoint,
  requireJson,
  requireString,
  requireStrings,
  scopeList,
} from '../../dist/values/options';
import { FOREIGN_NAMES } from '../../dist/values/foreign-names';
import { thrown } from '../support';

function refusal(work: () => unknown): string {
  const error: unknown = thrown(work);
  expect(error).to.be.instanceOf(TypeError);
  return (error as TypeError).message;
}

describe('options', () => {
  describe('unknown names', () => {
    const known = ['clientID', 'clientSecret', 'callbackURL', 'scope', 'timeout'];
    for (const [name, meant] of [
      ['clientId', 'clientID'],
      ['clientsecret', 'clientSecret'],
      ['callbackUrl', 'callbackURL'],
      ['callback', 'callbackURL'],
      ['scopes', 'scope'],
      ['timeOut', 'timeout'],
      ['tiemout', 'timeout'],
      ['client-secret', 'clientSecret'],
      ['consumer_key', 'clientID'],
      ['consumerSecret', 'clientSecret'],
      ['redirectUri', 'callbackURL'],
    ] as const) {
      it(`are reported with the nearest known name: ${name}`, () => {
        const message = refusal(() => refuseUnknownOptions('Acme', { [name]: 1 }, known));
        expect(message).to.equal(`Acme: unknown option "${name}"; did you mean "${meant}"?`);
      });
    }

    it('are reported with all known names when none is similar', () => {
      const message = refusal(() => refuseUnknownOptions('Acme', { zzzzzzzzzzzz: 1 }, known));
      expect(message).to.equal(`Acme: unknown option "zzzzzzzzzzzz". Known: ${known.join(', ')}`);
    });

    for (const [name, message] of [
      ['domain', 'unknown option "domain"; did you mean "issuer"? (a whole URL, with https://)'],
      ['checks', 'unknown option "checks"; state, PKCE and nonce are always on; leave it out'],
      ['login_hint', 'unknown option "login_hint"; say it later'],
    ] as const) {
      it(`of another library are told in our words: ${name}`, () => {
        const elsewhere = { loginHint: 'say it later' };
        const refuse = () =>
          refuseUnknownOptions('Acme', { [name]: 1 }, ['issuer', 'loginURL'], () => elsewhere);
        expect(refusal(refuse)).to.equal(`Acme: ${message}`);
      });
    }

    it('of another library mean the option that is known here', () => {
      const { names } = FOREIGN_NAMES.find(({ ours }) => ours?.includes('loginURL')) ?? {};
      const message = refusal(() =>
        refuseUnknownOptions('Acme', { [`${names?.[0]}`]: 1 }, ['scope', 'loginURL']),
      );
      expect(message).to.include('did you mean "loginURL"?');
    });

    it('mean the nearest of several that are near', () => {
      expect(nearestName('timeoutt', ['timeoutsx', 'timeouts'])).to.equal('timeouts');
      expect(nearestName('timeoutt', ['timeouts', 'timeoutsx'])).to.equal('timeouts');
    });

    it('may be one slip away when they are short, and no more', () => {
      expect(nearestName('id', ['ids'])).to.equal('ids');
      expect(nearestName('id', ['idea'])).to.equal(undefined);
      expect(nearestName('ab', ['xa'])).to.equal(undefined);
    });

    it('may be a slip away for every four letters', () => {
      expect(nearestName('allowdOrganisaton', ['allowedOrganizations'])).to.equal(
        'allowedOrganizations',
      );
      expect(nearestName('abcdefgh', ['badcfehg'])).to.equal(undefined);
    });

    it('are compared when they have 64 letters at most', () => {
      const long = 'a'.repeat(64);
      expect(nearestName(`${long.slice(1)}b`, [long])).to.equal(long);
      expect(nearestName(`${long}b`, [long])).to.equal(undefined);
    });

    it('that differ by their marks alone are found at any length', () => {
      const advice = { ['a'.repeat(70)]: 'the same' };
      expect(adviceOn('a_'.repeat(70), advice)).to.equal('the same');
      expect(adviceOn('b_'.repeat(70), advice)).to.equal(undefined);
    });

    it('are in one row of the table each', () => {
      const all = FOREIGN_NAMES.flatMap(({ names }) => names.map((name) => name.toLowerCase()));
      expect(new Set(all).size).to.equal(all.length);
      for (const { ours, note } of FOREIGN_NAMES) expect(ours ?? note).not.to.equal(undefined);
    });

    it('that are far from all others get no suggestion: prompt is not proxy', () => {
      const names = ['proxy', 'scope', 'store', 'state'];
      for (const name of ['prompt', 'sort', 'stones', 'x']) {
        expect(nearestName(name, names), name).to.equal(undefined);
      }
    });

    it('are refused with the value undefined as well, and so are names of Object.prototype', () => {
      refusal(() => refuseUnknownOptions('Acme', { clientId: undefined }, known));
      refusal(() => refuseUnknownOptions('Acme', { constructor: 1 }, known));
    });

    it('never quote a value', () => {
      const message = refusal(() => refuseUnknownOptions('Acme', { secret: 'topsecret' }, known));
      expect(message).not.to.include('topsecret');
    });

    it('have no nearest name when there are no known names', () => {
      expect(nearestName('x', [])).to.equal(undefined);
    });
  });

  describe('endpoints', () => {
    for (const url of [
      'https://acme.test/token',
      'https://acme.test:8443/token?tenant=1',
      'http://localhost:3000/token',
      'http://127.0.0.1/token',
      'http://127.1.2.3:80/token',
      'http://[::1]:3000/token',
      'https://127.0.0.1.evil.test/',
    ]) {
      it(`accept ${url} as it is`, () => {
        expect(requireEndpoint('Acme', 'tokenURL', url)).to.equal(url);
      });
    }

    for (const url of [
      'http://acme.test/token',
      'http://127.0.0.1.evil.test/',
      'http://localhost.evil.test/',
      'http://evil.test/?localhost',
      'http://evil-localhost/',
      'http://128.0.0.1/',
      'http://0.0.0.0/',
      'http://[::2]/',
      'http://[::ffff:127.0.0.1]/',
      'ftp://localhost/',
      'javascript:alert(1)',
      'file:///etc/passwd',
    ]) {
      it(`RFC 6749 §3.1.2.1 — must be https: ${url}`, () => {
        expect(refusal(() => requireEndpoint('Acme', 'tokenURL', url))).to.equal(
          'Acme: option "tokenURL" must be https (http is accepted for localhost, 127.0.0.0/8 and [::1] only)',
        );
      });
    }

    for (const url of [
      'https://user@acme.test/',
      'https://user:pass@acme.test/',
      'https://:pass@acme.test/',
      'https://acme.test/#here',
      'http://localhost@evil.test/',
      'http://127.0.0.1:80@evil.test/',
    ]) {
      it(`RFC 6749 §3.1 — have neither user info nor a fragment: ${url}`, () => {
        expect(refusal(() => requireEndpoint('Acme', 'tokenURL', url))).to.equal(
          'Acme: option "tokenURL" must have neither user info nor a fragment',
        );
      });
    }

    for (const value of [
      '',
      '/token',
      'acme',
      'acme.test/a token',
      undefined,
      null,
      7,
      new URL('https://a.test'),
    ]) {
      it(`are absolute URLs, as text: ${String(value)} (${typeof value})`, () => {
        expect(refusal(() => requireEndpoint('Acme', 'tokenURL', value))).to.equal(
          'Acme: option "tokenURL" must be an absolute URL',
        );
      });
    }

    for (const [value, url] of [
      ['acme.test/token', 'https://acme.test/token'],
      ['acme.test:8443/token?tenant=1', 'https://acme.test:8443/token'],
      ['//acme.test', 'https://acme.test'],
      ['localhost:4000/token', 'http://localhost:4000/token'],
      ['127.0.0.1:4000', 'http://127.0.0.1:4000'],
    ] as const) {
      it(`that lack their scheme are refused with what to write: ${value}`, () => {
        expect(refusal(() => requireEndpoint('Acme', 'tokenURL', value))).to.equal(
          `Acme: option "tokenURL" must be an absolute URL: write ${url}`,
        );
      });
    }

    it('may be loopback hosts, and no others that look alike', () => {
      const hosts = ['localhost', '127.0.0.1', '127.255.255.254', '[::1]'];
      expect(hosts.every(isLoopback)).to.equal(true);
      const others = [
        'localhost.test',
        '127.0.0.1.test',
        'x127.0.0.1',
        '1270.0.0.1',
        '10.0.0.1',
        '',
      ];
      expect(others.some(isLoopback)).to.equal(false);
    });
  });

  describe('options of a provider', () => {
    const kinds = { tokenURL: 'url', tenant: 'string', fancy: 'boolean' } as const;

    it('are accepted when they are of their kind, or absent', () => {
      checkProviderOptions('Acme', {}, kinds);
      checkProviderOptions('Acme', { tenant: undefined }, kinds);
      checkProviderOptions(
        'Acme',
        { tokenURL: 'https://a.test', tenant: 'x', fancy: false },
        kinds,
      );
    });

    for (const [options, message] of [
      [{ tokenURL: 'http://a.test' }, 'option "tokenURL" must be https'],
      [{ tokenURL: 7 }, 'option "tokenURL" must be an absolute URL'],
      [{ tenant: '' }, 'option "tenant" must be a non-empty string'],
      [{ tenant: 7 }, 'option "tenant" must be a non-empty string'],
      [{ tenant: null }, 'option "tenant" must be a non-empty string'],
      [{ fancy: 'yes' }, 'option "fancy" must be a boolean'],
    ] as const) {
      it(`are refused by name: ${JSON.stringify(options)}`, () => {
        expect(refusal(() => checkProviderOptions('Acme', options, kinds))).to.include(
          `Acme: ${message}`,
        );
      });
    }
  });

  it('a required string must not be empty', () => {
    expect(requireString('Acme', 'clientID', 'x')).to.equal('x');
    for (const value of [undefined, null, '', 7, ['x']]) {
      expect(refusal(() => requireString('Acme', 'clientID', value))).to.equal(
        'Acme: option "clientID" is required and must be a non-empty string',
      );
    }
  });

  it('RFC 6749 §2.1 — makes a public client only without the option clientSecret', () => {
    expect(optionalSecret('Acme', { clientSecret: 'x' })).to.equal('x');
    expect(optionalSecret('Acme', {})).to.equal(undefined);
    for (const clientSecret of [undefined, null, '', 7, ['x']]) {
      expect(refusal(() => optionalSecret('Acme', { clientSecret }))).to.equal(
        'Acme: option "clientSecret" must be a non-empty string; leave it out for a public client',
      );
    }
  });

  it('a boolean must be true, false or absent', () => {
    for (const value of [true, false, undefined]) requireBoolean('Acme', 'proxy', value);
    for (const value of [null, 0, 1, '', 'true', {}]) {
      expect(refusal(() => requireBoolean('Acme', 'proxy', value))).to.equal(
        'Acme: option "proxy" must be true or false',
      );
    }
  });

  it('a number must lie within its bounds', () => {
    expect(optionalNumber('Acme', 'timeout', undefined, 10, [1, 20])).to.equal(10);
    expect(optionalNumber('Acme', 'timeout', 1, 10, [1, 20])).to.equal(1);
    expect(optionalNumber('Acme', 'timeout', 20, 10, [1, 20])).to.equal(20);
    for (const value of [0, 21, Number.NaN, Infinity, '5', null, true]) {
      expect(refusal(() => optionalNumber('Acme', 'timeout', value, 10, [1, 20]))).to.equal(
        'Acme: option "timeout" must be a number from 1 to 20',
      );
    }
  });

  describe('scope', () => {
    const lists: [unknown, string[] | undefined][] = [
      [undefined, undefined],
      [[], []],
      ['', []],
      ['a', ['a']],
      ['a b', ['a', 'b']],
      ['  a   b ', ['a', 'b']],
      [
        ['a', 'b'],
        ['a', 'b'],
      ],
      [['a', '', 'a'], ['a']],
      [['https://acme.test/read:all'], ['https://acme.test/read:all']],
    ];
    for (const [value, expected] of lists) {
      it(`RFC 6749 §3.3 — reads ${JSON.stringify(value)}`, () => {
        expect(scopeList('Acme', value)).to.deep.equal(expected);
      });
    }

    for (const value of [
      'a,b',
      ['a,b'],
      ['a b'],
      ['a"'],
      ['a\\b'],
      ['ä'],
      ['a\nb'],
      [7],
      [null],
      7,
      null,
      {},
    ]) {
      it(`RFC 6749 §3.3 — refuses ${JSON.stringify(value)}`, () => {
        expect(refusal(() => scopeList('Acme', value))).to.equal(
          'Acme: option "scope" must be an array of scopes, or a string of them with spaces between',
        );
      });
    }

    it('does not change the list of the caller', () => {
      const scope = Object.freeze(['a', 'a', '']);
      expect(scopeList('Acme', scope)).to.deep.equal(['a']);
    });
  });

  describe('agent', () => {
    it('may be absent, of node:http, of node:https, or an object with the same method', () => {
      const alike = { addRequest: () => undefined } as unknown as Agent;
      for (const agent of [undefined, new Agent(), new https.Agent(), alike]) {
        expect(checkAgent('Acme', agent)).to.equal(agent);
      }
    });

    for (const value of [{}, 'http://proxy.test', null]) {
      it(`must not be ${JSON.stringify(value)}`, () => {
        expect(refusal(() => checkAgent('Acme', value as unknown as Agent))).to.equal(
          'Acme: option "agent" must be an http.Agent or https.Agent',
        );
      });
    }
  });

  describe('customHeaders', () => {
    it('are copied in lower case', () => {
      const headers = { 'X-Trace': '1', 'User-Agent': 'app' };
      const copy = checkHeaders('Acme', headers);
      expect(copy).to.deep.equal({ 'x-trace': '1', 'user-agent': 'app' });
      expect(Object.isFrozen(copy)).to.equal(true);
      expect(headers).to.deep.equal({ 'X-Trace': '1', 'User-Agent': 'app' });
    });

    it('may be absent', () => {
      expect(checkHeaders('Acme', undefined)).to.deep.equal({});
    });

    for (const name of [
      'Authorization',
      'accept',
      'Accept-Encoding',
      'Connection',
      'Content-Type',
      'CONTENT-LENGTH',
      'expect',
      'Host',
      'Transfer-Encoding',
    ]) {
      it(`must not set ${name}`, () => {
        expect(refusal(() => checkHeaders('Acme', { [name]: 'x' }))).to.equal(
          `Acme: option "customHeaders" must not set ${name}`,
        );
      });
    }

    for (const value of [null, 'x', 7]) {
      it(`must be an object, not ${value}`, () => {
        expect(refusal(() => checkHeaders('Acme', value))).to.equal(
          'Acme: option "customHeaders" must be an object',
        );
      });
    }
  });

  describe('extras of a login', () => {
    for (const value of [undefined, null, '', 'login', true, false, [], ['a', 'b']]) {
      it(`may be ${JSON.stringify(value)}`, () => {
        expect(() => checkExtra('Acme', 'prompt', value)).not.to.throw();
      });
    }

    for (const value of [7, {}, ['a', 7], [undefined], () => 'login']) {
      it(`are not ${JSON.stringify(value) ?? 'a function'}`, () => {
        expect(refusal(() => checkExtra('Acme', 'prompt', value))).to.equal(
          'Acme: option "prompt" must be a string, true or false, or an array of strings',
        );
      });
    }
  });

  describe('lists of strings', () => {
    it('are arrays of them', () => {
      expect(requireStrings('Acme', 'hosts', ['a', 'b'])).to.deep.equal(['a', 'b']);
      expect(() =>
        checkProviderOptions('Acme', { hosts: ['a'] }, { hosts: 'strings' }),
      ).not.to.throw();
    });

    for (const [value, rule] of [
      ['a', 'must be an array of strings'],
      [{ 0: 'a' }, 'must be an array of strings'],
      [['a', ''], 'is required and must be a non-empty string'],
      [['a', 7], 'is required and must be a non-empty string'],
    ] as const) {
      it(`are not ${JSON.stringify(value)}`, () => {
        const message = `Acme: option "hosts" ${rule}`;
        expect(refusal(() => requireStrings('Acme', 'hosts', value))).to.equal(message);
        const check = () => checkProviderOptions('Acme', { hosts: value }, { hosts: 'strings' });
        expect(refusal(check)).to.equal(message);
      });
    }
  });

  describe('callbackURL, when it is not absolute', () => {
    const USUAL = 'https://app.example.com/auth/callback';
    for (const [text, example] of [
      ['app.acme.example/auth', 'https://app.acme.example/auth'],
      ['app.acme.example:8443/auth', 'https://app.acme.example:8443/auth'],
      ['localhost:3000/auth', 'http://localhost:3000/auth'],
      ['127.0.0.1:3000/auth', 'http://127.0.0.1:3000/auth'],
      ['//cdn.acme.example/auth', USUAL],
      ['app.acme.example/auth?next=1', USUAL],
      ['auth', USUAL],
    ] as const) {
      it(`RFC 6749 §3.1.2 — says what to write in place of ${text}`, () => {
        const rule = `must be an absolute URL, such as "${example}"`;
        const require = (mayBeRelative: boolean) => () =>
          requireCallbackUrl('Acme', 'callbackURL', text, mayBeRelative);
        expect(refusal(require(false))).to.equal(`Acme: option "callbackURL" ${rule}`);
        expect(refusal(require(true))).to.equal(
          `Acme: option "callbackURL" ${rule}, or a path that begins with one slash`,
        );
      });
    }
  });

  describe('state of the application', () => {
    class Cart {
      items = 1;
    }
    for (const value of [{}, Object.create(null), [], null, { cart: new Cart() }, [{}, 'x']]) {
      it(`may be ${JSON.stringify(value)}`, () => {
        expect(() => requireJson('Acme', 'state', value)).not.to.throw();
      });
    }

    for (const [what, value] of [
      ['a Map', new Map([['a', 1]])],
      ['an Error', new Error('x')],
      ['a function', { act: () => 1 }],
      ['a symbol', { kind: Symbol('x') }],
      ['a BigInt', { count: 1n }],
    ] as const) {
      it(`holds no ${what.slice(what.indexOf(' ') + 1)}: JSON would lose it`, () => {
        const error = thrown(() => requireJson('Acme', 'state', { inner: value }));
        expect(error).to.be.instanceOf(TypeError);
        expect((error as TypeError).message).to.equal(
          'Acme: option "state" must be data that JSON can hold: no function, class, BigInt or object that contains itself',
        );
        expect((error as TypeError).cause).to.be.instanceOf(TypeError);
        expect(((error as TypeError).cause as TypeError).message).to.equal(
          'JSON would leave it out',
        );
      });
    }
  });
});
