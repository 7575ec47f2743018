/**
 * Properties that hold for every input, tried with random ones. `FC_SEED` and `FC_RUNS` choose others, and
 * more of them.
 */
import { expect } from 'chai';
import * as fc from 'fast-check';
import {
  isAuthorizationResponse,
  validateAuthorizationResponse,
} from '../packages/crm-oauth2/dist/protocol/authorization-response';
import type { Problem } from '../packages/crm-oauth2/dist/errors/problem';
import { quote, redact } from '../packages/crm-oauth2/dist/errors/redaction';
import { CookieStateStore } from '../packages/crm-oauth2/dist/passport/cookie-state-store';
import { callbackParameters } from '../packages/crm-oauth2/dist/passport/request';
import type { PassportResponse } from '../packages/crm-oauth2/dist/passport/request';
import { SessionStateStore } from '../packages/crm-oauth2/dist/passport/session-state-store';
import { buildAuthorizationRequest } from '../packages/crm-oauth2/dist/protocol/authorization-request';
import { authenticateClient } from '../packages/crm-oauth2/dist/protocol/client-authentication';
import type { LoginAttempt } from '../packages/crm-oauth2/dist/protocol/login-attempt';
import { codeChallenge, randomTexts } from '../packages/crm-oauth2/dist/protocol/pkce';
import { buildTokenRequest } from '../packages/crm-oauth2/dist/protocol/token-endpoint';
import {
  checkHeaders,
  isLoopback,
  nearestName,
  refuseUnknownOptions,
  requireBoolean,
  requireEndpoint,
  scopeList,
} from '../packages/crm-oauth2/dist/values/options';
import { retryAfterSeconds } from '../packages/crm-oauth2/dist/wire/answers';
import {
  isIdentityHost,
  isSalesforceHost,
} from '../packages/passport-salesforce-oauth2/dist/hosts';
import { parseIdentityUrl, sameIds, to18 } from '../packages/passport-salesforce-oauth2/dist/ids';
import { judgeLoginURL } from '../packages/passport-salesforce-oauth2/dist/login-choice';

const RUNS = Number(process.env.FC_RUNS ?? 200);
const SETTINGS = { seed: Number(process.env.FC_SEED ?? 20260801), numRuns: RUNS };

function always<T>(input: fc.Arbitrary<T>, holds: (value: T) => void): void {
  fc.assert(fc.property(input, holds), SETTINGS);
}

async function alwaysAsync<T>(
  input: fc.Arbitrary<T>,
  holds: (value: T) => Promise<void>,
  numRuns = RUNS,
): Promise<void> {
  await fc.assert(fc.asyncProperty(input, holds), { ...SETTINGS, numRuns });
}

function isProblem(error: unknown): error is Problem {
  return error instanceof Error && error.name === 'Problem';
}

/** Any text of Unicode, without lone surrogates, which a provider cannot send. */
const text = (constraints: fc.StringConstraints = {}) =>
  fc.string({ unit: 'binary', ...constraints });
const oneOf = (...values: string[]) => fc.constantFrom(...values);

describe('properties', () => {
  describe('callback', () => {
    const KNOWN = ['code', 'state', 'iss', 'error', 'error_description', 'error_uri'] as const;
    const ISSUER = 'https://acme.test/';
    const ATTEMPT: LoginAttempt = {
      state: 'state-1',
      codeVerifier: 'verifier-1',
      client: 'fingerprint-1',
      redirectUri: 'https://app.test/back',
      // Read when it is used, since the tests before may take long.
      get expiresAt() {
        return Date.now() + 600_000;
      },
    };
    const likely: Record<(typeof KNOWN)[number], fc.Arbitrary<unknown>> = {
      code: oneOf('code-1', 'x'.repeat(4096)),
      state: fc.constant('state-1'),
      iss: fc.constant(ISSUER),
      error: oneOf('access_denied', 'access-denied', 'login_required', 'invalid_scope', 'locked'),
      error_description: text(),
      error_uri: fc.webUrl(),
    };
    const odd = fc.oneof(
      text(),
      fc.array(text()),
      fc.anything(),
      oneOf('', 'state-2', 'state-1 ', 'x'.repeat(4097)),
      fc.dictionary(text(), text()),
    );
    const parameters = fc
      .tuple(
        fc.dictionary(text(), fc.anything()),
        fc.record(
          {
            code: fc.oneof({ weight: 6, arbitrary: likely.code }, odd),
            state: fc.oneof({ weight: 9, arbitrary: likely.state }, odd),
            iss: fc.oneof({ weight: 4, arbitrary: likely.iss }, odd),
            error: fc.oneof({ weight: 4, arbitrary: likely.error }, odd),
            error_description: fc.oneof({ weight: 4, arbitrary: likely.error_description }, odd),
            error_uri: fc.oneof({ weight: 4, arbitrary: likely.error_uri }, odd),
          },
          { requiredKeys: ['state'] },
        ),
      )
      .map(([others, own]): Record<string, unknown> => ({ ...others, ...own }));

    async function outcome(given: Readonly<Record<string, unknown>>) {
      const taken: string[] = [];
      try {
        const response = await validateAuthorizationResponse(given, {
          take: (state) => {
            taken.push(state);
            return Promise.resolve(state === ATTEMPT.state ? ATTEMPT : 'state_unknown');
          },
          expect: () => ({ client: 'fingerprint-1', issuer: ISSUER }),
          vocabulary: { refusals: ['locked'] },
        });
        return { taken, response };
      } catch (error) {
        return { taken, error };
      }
    }

    const attemptAt = async (attempt: unknown, now?: number) => {
      const realNow = Date.now;
      if (now !== undefined) Date.now = () => now;
      try {
        return await validateAuthorizationResponse(
          { code: 'code-1', state: 'state-1' },
          {
            take: () => Promise.resolve(attempt as LoginAttempt),
            expect: () => ({ client: 'fingerprint-1' }),
          },
        );
      } catch (error) {
        if (isProblem(error)) return error;
        throw error;
      } finally {
        Date.now = realNow;
      }
    };

    it('RFC 6749 §10.12 — an attempt ends at its exact millisecond', async () => {
      const now = Date.now();
      // Ten minutes, and the minute by which clocks may differ.
      const longest = 660_000;
      const near = (edge: number) => fc.integer({ min: edge - 2, max: edge + 2 });
      await alwaysAsync(fc.oneof(near(0), near(longest), fc.integer()), async (left) => {
        const outcomeThen = await attemptAt({ ...ATTEMPT, expiresAt: now + left }, now);
        expect('code' in outcomeThen && outcomeThen.code).to.equal(
          left > 0 && left <= longest ? 'code-1' : 'state_expired',
        );
      });
    });

    it('RFC 6749 §10.12 — accepts only the attempt of this state and client', async () => {
      const near = (value: string) =>
        fc.oneof(fc.constant(value), text(), oneOf(`${value} `, value.toUpperCase(), ''));
      await alwaysAsync(
        fc.record({ state: near('state-1'), client: near('fingerprint-1') }),
        async ({ state, client }) => {
          const outcomeThen = await attemptAt({ ...ATTEMPT, state, client });
          const { code } = outcomeThen;
          if (isProblem(outcomeThen)) expect(outcomeThen.message).to.match(/\w+ \w+/);
          const expected =
            state !== 'state-1'
              ? 'state_unknown'
              : client !== 'fingerprint-1'
                ? 'state_of_another_client'
                : 'code-1';
          expect(code).to.equal(expected);
        },
      );
    });

    it('RFC 6749 §10.12 — each reason of a store that has no attempt is a refusal with a sentence', async () => {
      const reasons = ['session_missing', 'state_unknown', 'state_expired', 'already_completed'];
      for (const reason of reasons) {
        const problem = await attemptAt(reason);
        expect(problem.code).to.equal(reason);
        expect(isProblem(problem) && problem.details.refusal).to.equal(403);
        expect(isProblem(problem) && problem.message).to.match(/\w+ \w+/);
      }
    });

    const usable = (value: unknown) =>
      value === undefined || (typeof value === 'string' && value.length <= 4096);

    it('RFC 6749 §4.1.2 — any parameters: a response, a refusal, or the fault of the provider', async () => {
      await alwaysAsync(parameters, async (given) => {
        const { error, response } = await outcome(given);
        if (response) return;
        if (!isProblem(error)) throw error;
        const { refusal, reportedIn } = error.details;
        expect(refusal ?? reportedIn).to.be.oneOf([401, 403, 'authorization response']);
        expect(error.code).to.match(/^\w{1,64}$/);
        // A sentence, or the provider's own code.
        expect(error.message).to.match(reportedIn ? /^\w\P{Cc}*$/u : /^\w+ \P{Cc}+$/u);
      });
    });

    it('RFC 6749 §10.12 — a response is valid exactly with the right state, a code and no error', async () => {
      await alwaysAsync(parameters, async (given) => {
        const { response } = await outcome(given);
        const valid =
          KNOWN.every((name) => usable(given[name])) &&
          given.state === ATTEMPT.state &&
          typeof given.code === 'string' &&
          given.code !== '' &&
          given.error === undefined &&
          (given.iss === undefined || given.iss === ISSUER);
        expect(response !== undefined).to.equal(valid);
        if (!response) return;
        expect(response.code).to.equal(given.code);
        const { state, codeVerifier } = ATTEMPT;
        expect(response.attempt).to.include({ state, codeVerifier });
      });
    });

    it('RFC 6749 §3.1 — a repeated or over-long parameter takes no attempt', async () => {
      const list = fc.array(text(), { minLength: 2 });
      const object = fc.dictionary(text(), text());
      const bad = fc.oneof(list, object, fc.integer(), fc.boolean(), fc.constant(null));
      const long = fc.integer({ min: 4097, max: 9000 }).map((length) => 'a'.repeat(length));
      await alwaysAsync(
        fc.tuple(parameters, fc.constantFrom(...KNOWN), fc.oneof(bad, long)),
        async ([given, name, value]) => {
          const { taken, error } = await outcome({ ...given, [name]: value });
          expect(taken).to.deep.equal([]);
          expect(isProblem(error) && error.details.refusal).to.equal(403);
        },
      );
    });

    it('RFC 6749 §10.12 — another state takes at most itself, and is refused', async () => {
      await alwaysAsync(fc.tuple(parameters, text()), async ([given, state]) => {
        fc.pre(state !== ATTEMPT.state);
        const { taken, error } = await outcome({ ...given, state });
        expect(taken.filter((one) => one !== state)).to.deep.equal([]);
        expect(isProblem(error) && error.details.refusal).to.equal(403);
      });
    });

    it('RFC 6749 §4.1.2.1 — no words of the provider show code or state', async () => {
      const secret = fc.stringMatching(/^[\w.~-]{16,40}$/);
      await alwaysAsync(
        fc.tuple(secret, text(), text(), oneOf('error', 'error_description', 'error_uri')),
        async ([code, before, after, name]) => {
          const { error } = await outcome({
            error: 'server_error',
            code,
            state: ATTEMPT.state,
            [name]: `${before}${code}${after}`,
          });
          if (!isProblem(error)) throw new Error('was not refused');
          const shown = `${error.code} ${error.message} ${error.details.uri ?? ''}`;
          if (name !== 'error' || before + after === '') expect(shown).not.to.include(code);
        },
      );
    });

    it('RFC 6749 §4.1.2 — only code, error and state make a request a callback', () => {
      always(fc.dictionary(text(), fc.anything()), (given) => {
        const expected = ['code', 'error', 'state'].some((name) => given[name] !== undefined);
        expect(isAuthorizationResponse(given)).to.equal(expected);
      });
    });

    it('RFC 6749 §3.1 — a parameter that occurs twice in the URL never becomes one text', () => {
      const name = fc.oneof(fc.constantFrom(...KNOWN, '__proto__', 'toString'), text());
      always(fc.array(fc.tuple(name, text())), (pairs) => {
        const query = new URLSearchParams(pairs);
        const read = callbackParameters({
          method: 'GET',
          url: `/back?${query.toString()}`,
          headers: {},
        });
        expect(Object.getPrototypeOf(read)).to.equal(Object.prototype);
        for (const key of new Set(query.keys())) {
          const values = query.getAll(key);
          expect(Object.hasOwn(read, key)).to.equal(true);
          if (values.length === 1) expect(read[key]).to.equal(values[0]);
          else expect(read[key]).not.to.be.a('string');
        }
      });
    });
  });

  describe('authorization request', () => {
    it('RFC 6749 §4.1.1 — no extra parameter replaces one of the protocol', () => {
      const name = fc.oneof(
        text(),
        oneOf('state', 'client_id', 'redirect_uri', 'response_type', 'nonce', 'scope', 'request'),
        oneOf('code_challenge', 'code_challenge_method', 'request_uri'),
      );
      always(fc.dictionary(name, fc.anything()), (parameters) => {
        const { codeVerifier } = randomTexts();
        const { url, query } = buildAuthorizationRequest({
          authorizationEndpoint: new URL('https://acme.test/authorize?state=0&nonce=0'),
          clientID: 'client-1',
          redirectUri: 'https://app.test/back',
          scope: [],
          attempt: { state: 'state-1', codeVerifier },
          parameters,
        });
        expect([...new URL(url).searchParams]).to.deep.equal([...query]);
        const expected = {
          response_type: 'code',
          client_id: 'client-1',
          redirect_uri: 'https://app.test/back',
          state: 'state-1',
          code_challenge: codeChallenge(codeVerifier),
          code_challenge_method: 'S256',
        };
        for (const [key, value] of Object.entries(expected)) {
          expect(query.getAll(key)).to.deep.equal([value]);
        }
        for (const key of ['scope', 'nonce', 'request', 'request_uri']) {
          expect(query.has(key)).to.equal(false);
        }
      });
    });

    it('RFC 6749 §2.3.1 — both encodings of a token request decode to its parameters', () => {
      const fields = fc.dictionary(
        text({ minLength: 1 }).filter(
          (name) => name !== '__proto__' && !name.startsWith('client_'),
        ),
        fc.option(text(), { nil: undefined }),
      );
      always(fc.tuple(fields, fc.boolean()), ([given, json]) => {
        const credentials = { clientID: 'client-1', clientSecret: 'sécret & = +' };
        const client = authenticateClient('client_secret_post', credentials);
        const { body, headers } = buildTokenRequest(json ? 'json' : 'form', client, given);
        const read: unknown = json
          ? JSON.parse(body)
          : Object.fromEntries(new URLSearchParams(body));
        const known = Object.entries(given).filter(([, value]) => value !== undefined);
        expect(read).to.deep.equal({
          ...Object.fromEntries(known),
          client_id: 'client-1',
          client_secret: 'sécret & = +',
        });
        expect(headers['content-length']).to.equal(`${Buffer.byteLength(body)}`);
      });
    });
  });

  describe('hosts', () => {
    // A second copy, so that a slip in the list itself shows.
    const SUFFIXES = [
      'salesforce.com',
      'my.site.com',
      'cloudforce.com',
      'database.com',
      'salesforce.mil',
      'crmforce.mil',
      'sfcrmproducts.cn',
      'my-salesforce.com',
    ];
    const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/);
    const labels = fc.array(label, { minLength: 1, maxLength: 4 }).map((all) => all.join('.'));
    const suffix = fc.constantFrom(...SUFFIXES);
    const endpoints = { tokenEndpoint: 'https://login.salesforce.com/services/oauth2/token' };
    const path = fc.webPath();

    function both(href: string): boolean {
      const url = new URL(href);
      const trusted = isSalesforceHost(url);
      expect(isIdentityHost(url, endpoints)).to.equal(trusted);
      return trusted;
    }

    const anyUrl = fc.oneof(
      fc.webUrl({
        validSchemes: ['http', 'https', 'ftp', 'wss'],
        authoritySettings: { withPort: true, withUserInfo: true, withIPv4: true, withIPv6: true },
      }),
      fc
        .tuple(
          oneOf('https', 'https', 'https', 'http', 'wss'),
          oneOf('', '', '', 'jane@', 'jane:secret@', ':secret@', 'login.salesforce.com@'),
          fc.oneof(
            suffix,
            fc.tuple(labels, oneOf('.', '', '-'), suffix).map((parts) => parts.join('')),
            fc.tuple(suffix, labels).map((parts) => parts.join('.')),
          ),
          oneOf('', '', '', '.', ':443', ':80', ':8443'),
          path,
        )
        .map(([scheme, user, host, end, rest]) => `${scheme}://${user}${host}${end}${rest}`),
    );

    it('salesforce 1.3 — any URL: trusted exactly over https, bare, under a listed domain', () => {
      always(
        anyUrl.filter((url) => URL.canParse(url)),
        (href) => {
          const { protocol, username, password, port, hostname } = new URL(href);
          const expected =
            protocol === 'https:' &&
            username + password + port === '' &&
            SUFFIXES.some((one) => {
              const before = hostname.slice(0, -one.length - 1);
              return before !== '' && hostname === `${before}.${one}`;
            });
          expect(both(href)).to.equal(expected);
        },
      );
    });

    it('salesforce 1.3 — a trusted host is refused once anything about it is changed', () => {
      always(fc.tuple(labels, suffix, labels, path), ([name, domain, other, rest]) => {
        const host = `${name}.${domain}`;
        expect(both(`https://${host}${rest}`)).to.equal(true);
        expect(both(`https://${host.toUpperCase()}:443${rest}`)).to.equal(true);
        for (const changed of [
          `https://${host}.${other}.test${rest}`,
          `https://${host}.${rest}`,
          `https://${host}:8443${rest}`,
          `https://${other}@${host}${rest}`,
          `https://:${other}@${host}${rest}`,
          `https://${host}@${other}.test${rest}`,
          `https://${other}.test\\.${host}${rest}`,
          `https://${other}.test?.${host}`,
          `https://${other}.test#.${host}`,
          `http://${host}${rest}`,
          `http://${host}:443${rest}`,
        ]) {
          if (URL.canParse(changed)) expect(both(changed), changed).to.equal(false);
        }
      });
    });

    it('salesforce 1.3 — a domain without its dot is not trusted', () => {
      always(fc.tuple(label, suffix), ([name, domain]) => {
        const joined = new URL(`https://${name}${domain}`);
        fc.pre(!SUFFIXES.some((one) => joined.hostname.endsWith(`.${one}`)));
        expect(both(joined.href)).to.equal(false);
        expect(both(`https://${domain}`)).to.equal(false);
      });
    });

    it('salesforce 1.3 — trusts the exact origin of the configured host, without user info', () => {
      const configured = { tokenEndpoint: 'https://login.acme.example:8443/token' };
      always(fc.tuple(label, fc.integer({ min: 1, max: 65_535 }), path), ([name, port, rest]) => {
        const allows = (href: string) => isIdentityHost(new URL(href), configured);
        expect(allows(`https://login.acme.example:8443${rest}`)).to.equal(true);
        expect(allows(`https://login.acme.example:${port}${rest}`)).to.equal(port === 8443);
        expect(allows(`https://${name}.login.acme.example:8443${rest}`)).to.equal(false);
        expect(allows(`https://${name}@login.acme.example:8443${rest}`)).to.equal(false);
        expect(allows(`https://:${name}@login.acme.example:8443${rest}`)).to.equal(false);
      });
    });

    // A second copy of the addresses that a login may choose.
    const isOwnAddress = (address: string) => {
      const { origin, hostname } = new URL(address);
      const org =
        /^(.+)\.(?:my\.salesforce\.(?:com|mil)|my\.sfcrmproducts\.cn|my-salesforce\.com)$/.exec(
          hostname,
        )?.[1];
      const isPlain = (one: string) => /^[a-z0-9-]{1,63}$/.test(one) && !/^-|-$|^xn--/.test(one);
      return (
        origin === address &&
        address === `https://${hostname}` &&
        (hostname === 'login.salesforce.com' ||
          hostname === 'test.salesforce.com' ||
          (org !== undefined && org.split('.').every(isPlain)))
      );
    };
    const site = 'https://acme.my.site.com/customers';
    const choose = (value: unknown, options = {}): string | Problem => {
      try {
        return judgeLoginURL(value, options);
      } catch (error) {
        expect(isProblem(error) && error.code, String(error)).to.equal('login_url_not_allowed');
        const { message, details } = error as Problem;
        expect(details).to.deep.equal({ refusal: 400 });
        expect(message.length).to.be.below(900);
        expect(message).to.match(/^[\x20-\x7e…]*$/);
        return error as Problem;
      }
    };

    const goodHost = fc.oneof(
      oneOf('login.salesforce.com', 'test.salesforce.com', 'acme--uat.sandbox.my.salesforce.com'),
      fc
        .tuple(
          label.filter((one) => !one.startsWith('xn--')),
          oneOf('my.salesforce.com', 'my.salesforce.mil', 'my.sfcrmproducts.cn'),
        )
        .map((parts) => parts.join('.')),
    );
    const hostileAddress = fc
      .tuple(
        fc.oneof({ weight: 5, arbitrary: fc.constant('https://') }, oneOf('http://', '//', '')),
        oneOf(
          'https:',
          'https:/',
          'https:\\\\',
          'https://\t',
          'HTTPS://',
          'javascript:',
          ' https://',
        ),
        fc.boolean(),
        oneOf('', '', '', '@', ':@', 'jane@', 'a:b@', 'login.salesforce.com@', '\n', '%09'),
        fc.oneof(
          goodHost,
          fc.tuple(labels, oneOf('.', '-', '', '%2e', '\u3002', '\t', '_.', '..'), goodHost),
          fc.tuple(
            goodHost,
            oneOf('.', '', '-', '%00', '@', '\\@', '#@', '?@', '\n.', '/@'),
            labels,
          ),
          fc.tuple(labels, oneOf('.lightning.force.com', '.my.site.com', '.vf.force.com')),
          oneOf('na12.salesforce.com', 'login.s\u0430lesforce.com', 'xn--a.my.salesforce.com'),
          oneOf(
            '127.0.0.1:4002',
            'localhost',
            '[::1]',
            'login.\uff53alesforce.com',
            'my.salesforce.com',
          ),
        ),
        oneOf('', '', '', '.', '..', ':443', ':80', ':8443', ':', '%2F', '\\', '\r\n'),
        fc.oneof(
          path,
          oneOf('', '/services/apexrest', '?sid=00D!AQ', '#x', '/..//', '/'.repeat(5000)),
        ),
      )
      .map(([scheme, odd, isOdd, user, host, end, rest]) =>
        [isOdd ? odd : scheme, user, [host].flat().join(''), end, rest].join(''),
      );

    it('salesforce 1.3 — a hostile loginURL is refused, or means an origin of Salesforce alone', () => {
      let allowed = 0;
      const hostile = fc.oneof(
        { weight: 8, arbitrary: hostileAddress },
        anyUrl,
        text(),
        fc.anything(),
        fc.array(hostileAddress),
      );
      always(hostile, (value) => {
        const address = choose(value);
        if (typeof address !== 'string') {
          expect(address.message).not.to.include('00D!AQ');
          return;
        }
        allowed += 1;
        expect(isOwnAddress(address), address).to.equal(true);
        // The host that a browser would have asked, or the page of the same organization.
        const asked = new URL(String(value).trim()).hostname;
        const isPage = /\.(?:force\.com|my-lightning\.com|crmforce\.mil|sfcrmapps\.cn)$/.test(
          asked,
        );
        if (!isPage) expect(`https://${asked}`).to.equal(address);
        expect(choose(address)).to.equal(address);
      });
      expect(allowed).to.be.above(0);
    });

    it('salesforce 1.2 — each login host and My Domain may be chosen, with any path and query', () => {
      always(fc.tuple(goodHost, path, oneOf('', '?a=b', '#c')), ([host, rest, end]) => {
        expect(choose(`https://${host}${rest}${end}`)).to.equal(`https://${host}`);
      });
    });

    it('salesforce 1.3 — a listed address is chosen by its own text alone', () => {
      const near = fc
        .tuple(
          fc.nat(site.length),
          fc.nat(1),
          fc.oneof(text({ maxLength: 2 }), oneOf('/', '.', '%')),
        )
        .map(([at, cut, more]) => site.slice(0, at) + more + site.slice(at + cut));
      always(fc.oneof(near, hostileAddress, fc.anything()), (value) => {
        const address = choose(value, { allowedLoginURLs: [site] });
        if (typeof address !== 'string') return;
        if (address === site) expect(String(value).replace(/\/*$/, '')).to.equal(site);
        else expect(isOwnAddress(address), address).to.equal(true);
      });
      expect(choose(`${site}/`, { allowedLoginURLs: [site] })).to.equal(site);
    });

    it('salesforce 1.3 — a value whose text changes is refused unread', () => {
      always(fc.tuple(goodHost, hostileAddress), ([host, evil]) => {
        let reads = 0;
        const texts = () => (reads++ === 0 ? `https://${host}` : evil);
        const url = new URL(`https://${host}`);
        Object.defineProperty(url, 'href', { get: texts });
        const turning = { toString: texts, valueOf: texts, [Symbol.toPrimitive]: texts };
        for (const value of [Object.assign(url, { toString: texts }), turning, [turning]]) {
          expect(choose(value)).not.to.be.a('string');
        }
        expect(reads).to.equal(0);
      });
    });

    it('RFC 6750 §5.3 — an endpoint is https or loopback, without user info and fragment', () => {
      const url = fc.oneof(
        anyUrl,
        fc.webUrl({ validSchemes: ['http', 'https'], withFragments: true }),
        fc
          .tuple(
            oneOf('http', 'https', 'ws'),
            oneOf('localhost', '127.0.0.1', '127.9.8.7', '[::1]'),
          )
          .map(([scheme, host]) => `${scheme}://${host}:3000/token`),
        text(),
      );
      always(url, (value) => {
        let accepted = true;
        try {
          expect(requireEndpoint('Acme', 'tokenURL', value)).to.equal(value);
        } catch (error) {
          expect(error).to.be.instanceOf(TypeError);
          accepted = false;
        }
        const parsed = URL.canParse(value) ? new URL(value) : undefined;
        const expected =
          parsed !== undefined &&
          parsed.username + parsed.password + parsed.hash === '' &&
          (parsed.protocol === 'https:' ||
            (parsed.protocol === 'http:' &&
              (['localhost', '[::1]'].includes(parsed.hostname) ||
                /^127(\.\d+){3}$/.test(parsed.hostname))));
        expect(accepted).to.equal(expected);
      });
    });

    it('RFC 8252 §7.3 — a loopback host cannot be imitated', () => {
      always(fc.tuple(labels, oneOf('localhost', '127.0.0.1', '[::1]')), ([name, host]) => {
        expect(isLoopback(host)).to.equal(true);
        for (const other of [
          `${name}.${host}`,
          `${host}.${name}`,
          `${name}${host}`,
          `${host}${name}`,
        ]) {
          // `1` and `127.0.0.1` make no other name of this machine: dots alone decide.
          expect(isLoopback(other), other).to.equal(/^127(\.\d{1,3}){3}$/.test(other));
        }
      });
    });
  });

  describe('ids', () => {
    const tail = fc.stringMatching(/^[0-9A-Za-z]{12}$/);
    const id15 = fc.stringMatching(/^[0-9A-Za-z]{15}$/);

    it('salesforce 5.5 — the form of 18 characters stays the same', () => {
      always(fc.tuple(id15, fc.stringMatching(/^[0-9A-Za-z]{3}$/)), ([id, wrong]) => {
        const long = to18(id);
        expect(long).to.match(/^[0-9A-Za-z]{15}[A-Z0-5]{3}$/);
        expect(long.slice(0, 15)).to.equal(id);
        expect(to18(long)).to.equal(long);
        // Published suffixes are sometimes wrong, and are not believed.
        expect(to18(id + wrong)).to.equal(long);
      });
    });

    it('salesforce 5.5 — ids that differ in case only still differ in lower case', () => {
      always(fc.tuple(id15, fc.nat(14)), ([id, at]) => {
        const character = id.charAt(at);
        const swapped =
          character === character.toLowerCase() ? character.toUpperCase() : character.toLowerCase();
        fc.pre(swapped !== character);
        const other = id.slice(0, at) + swapped + id.slice(at + 1);
        expect(to18(other).toLowerCase()).not.to.equal(to18(id).toLowerCase());
      });
    });

    it('salesforce 5.5 — agrees with the published ids', () => {
      for (const published of ['00Dd0000000dsWLEAY', '005d0000000b8kWAAQ', '00DB0000000ToZ3MAK']) {
        expect(to18(published.slice(0, 15))).to.equal(published);
      }
    });

    it('salesforce 5.5 — the same person in either form, and only that person', () => {
      always(fc.tuple(id15, id15, id15), ([organizationId, userId, other]) => {
        const short = { organizationId, userId };
        const long = { organizationId: to18(organizationId), userId: to18(userId) };
        for (const [a, b] of [
          [short, short],
          [short, long],
          [long, short],
          [long, long],
        ] as const) {
          expect(sameIds(a, b)).to.equal(true);
          expect(sameIds(a, { ...b, userId: other })).to.equal(other === userId);
          expect(sameIds(a, { ...b, organizationId: other })).to.equal(other === organizationId);
          expect(sameIds({ ...a, userId: other }, b)).to.equal(other === userId);
        }
      });
    });

    const organization = fc.tuple(tail, fc.boolean()).map(([id, long]) => form(`00D${id}`, long));
    const user = fc.tuple(tail, fc.boolean()).map(([id, long]) => form(`005${id}`, long));
    const form = (id: string, long: boolean) => (long ? to18(id) : id);
    const origin = oneOf(
      'https://login.salesforce.com',
      'https://acme.my.salesforce.com',
      'http://127.0.0.1:4000',
    );

    it('salesforce 1.3 — an identity URL says both ids', () => {
      const site = fc.array(fc.stringMatching(/^[\w-]{1,9}$/), { maxLength: 3 });
      always(
        fc.tuple(origin, site, organization, user),
        ([base, parts, organizationId, userId]) => {
          const id = `${[base, ...parts].join('/')}/id/${organizationId}/${userId}`;
          const identity = parseIdentityUrl(id);
          expect(identity).to.deep.include({ organizationId, userId });
          expect(identity?.url.href).to.equal(id);
        },
      );
    });

    it('salesforce 1.3 — one character more or less in an id makes it another URL', () => {
      always(
        fc.tuple(origin, organization, user, oneOf('A', '0', '/', '-', '.', '%2F', '%00', ' ')),
        ([base, organizationId, userId, more]) => {
          for (const path of [
            `/id/${organizationId}/${userId}${more}${more === ' ' ? 'x' : ''}`,
            `/id/${organizationId}${more}/${userId}`,
            `/id/${more}${organizationId}/${userId}`,
            `/id/${organizationId.slice(0, -1)}/${userId}`,
            `/id/${organizationId}/${userId.slice(0, -1)}`,
            `/id/${userId}/${organizationId}`,
            `/${organizationId}/${userId}`,
          ]) {
            // A slash in front of an id makes an empty part of the path.
            expect(parseIdentityUrl(base + path), path).to.equal(undefined);
          }
        },
      );
    });

    it('salesforce 1.3 — refuses a value that only turns into an identity URL', () => {
      const id = `https://login.salesforce.com/id/00Dd0000000dsWLEAY/005d0000000b8kWAAQ`;
      for (const value of [[id], { toString: () => id }, new URL(id)]) {
        expect(parseIdentityUrl(value)).to.equal(undefined);
      }
    });

    it('salesforce 1.3 — reads any value without an exception', () => {
      always(fc.oneof(fc.anything(), fc.webUrl(), text()), (value) => {
        const identity = parseIdentityUrl(value);
        if (identity === undefined) return;
        expect(identity.organizationId).to.match(/^00D\w{12}(\w{3})?$/);
        expect(identity.userId).to.match(/^005\w{12}(\w{3})?$/);
      });
    });
  });

  describe('redaction', () => {
    const secret = fc
      .oneof(
        text({ minLength: 8, maxLength: 60 }),
        fc.string({ minLength: 8, maxLength: 60 }),
        fc.base64String({ minLength: 8, maxLength: 60 }),
        fc.stringMatching(/^[a-z\\"/%+=& ]{8,20}$/),
      )
      // No secret is a part of the mark that stands for it, or has control characters.
      .filter((value) => !'[redacted]'.includes(value) && !/\p{Cc}/u.test(value));
    const escapeAll = (value: string) =>
      value.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
    const percentAll = (value: string) => Buffer.from(value).toString('hex').replace(/../g, '%$&');
    const FORMS: Record<string, (value: string) => string> = {
      plain: (value) => value,
      'in capitals': (value) => value.replace(/[a-z]/g, (letter) => letter.toUpperCase()),
      'percent-encoded': encodeURIComponent,
      'percent-encoded in small letters': (value) =>
        encodeURIComponent(value).replace(/%../g, (code) => code.toLowerCase()),
      'percent-encoded throughout': percentAll,
      'form-encoded': (value) => new URLSearchParams([['', value]]).toString().slice(1),
      'JSON-escaped': (value) => JSON.stringify(value).slice(1, -1),
      'JSON-escaped throughout': escapeAll,
      'JSON-escaped with slashes': (value) =>
        JSON.stringify(value).slice(1, -1).replaceAll('/', '\\/'),
    };

    for (const [name, encode] of Object.entries(FORMS)) {
      it(`a secret that comes back ${name} is not in the words`, () => {
        always(fc.tuple(secret, text(), text()), ([value, before, after]) => {
          const echo = encode(value);
          const shown = quote(`${before}${echo}${after}`, [value]);
          expect(shown).not.to.include(echo);
          expect(shown).not.to.include(value);
        });
      });
    }

    it('several secrets, one within another, are all redacted', () => {
      always(fc.tuple(secret, secret, fc.boolean()), ([one, two, first]) => {
        const secrets = [one, undefined, one + two, ''];
        const shown = redact(`a ${one}${two} b ${one} c`, first ? secrets : secrets.toReversed());
        expect(shown).to.equal('a [redacted] b [redacted] c');
      });
    });

    it('a text of 300 characters stays whole, and a longer one is cut', () => {
      expect(quote('x'.repeat(300))).to.equal('x'.repeat(300));
      expect(quote('x'.repeat(301))).to.equal(`${'x'.repeat(300)}…`);
    });

    it('other text stays as it is, without control characters and short', () => {
      always(fc.tuple(text({ maxLength: 600 }), text({ minLength: 8 })), ([words, value]) => {
        const shown = quote(words, [`${value}never said`]);
        expect(shown).to.match(/^\P{Cc}*$/u);
        expect(shown).not.to.match(/[\u2028\u2029]/);
        expect(shown.length).to.be.at.most(301);
        if (/^[^\p{Cc}\s]{0,300}$/u.test(words)) expect(shown).to.equal(words);
      });
    });
  });

  describe('Retry-After', () => {
    const seconds = (value?: string) => retryAfterSeconds({ headers: { 'retry-after': value } });
    const almost = oneOf('x5', '5x', '5 s', '+5', '-5', ' 5', '5.5', '1e9', '0x10', '9'.repeat(30));

    it('RFC 9110 §10.2.3 — any value: nothing, or whole seconds that are not negative', () => {
      always(fc.oneof(text(), almost, fc.date().map(String), fc.float().map(String)), (value) => {
        const read = seconds(value);
        if (read === undefined) return;
        expect(Number.isSafeInteger(read) && read >= 0, `${value}: ${read}`).to.equal(true);
      });
    });

    it('RFC 9110 §10.2.3 — both of its forms are read', () => {
      always(fc.nat(999_999_999), (value) => {
        expect(seconds(`${value}`)).to.equal(value);
        const date = new Date(Date.now() + value * 1000);
        expect(seconds(date.toUTCString())).to.be.within(value - 2, value + 1);
      });
    });
  });

  describe('state stores', () => {
    const json = fc.oneof(
      fc.jsonValue(),
      fc.dictionary(fc.oneof(text(), oneOf('__proto__', 'constructor', 'state')), fc.jsonValue()),
    );
    const attempts = fc.array(json, { minLength: 1, maxLength: 8 }).map((states) =>
      states.map((appState, index): LoginAttempt => ({
        state: `state-${index}`,
        codeVerifier: randomTexts().codeVerifier,
        client: 'fingerprint-1',
        redirectUri: 'https://app.test/back',
        expiresAt: Date.now() + 600_000,
        appState,
      })),
    );
    const asJson = (value: unknown) => JSON.stringify(value);
    const shuffled = fc.tuple(attempts, fc.infiniteStream(fc.nat()));

    function inOrder(all: readonly LoginAttempt[], picks: Iterator<number>): LoginAttempt[] {
      const left = [...all];
      const order: LoginAttempt[] = [];
      while (left.length > 0) {
        const pick: unknown = picks.next().value;
        order.push(...left.splice(Number(pick) % left.length, 1));
      }
      return order;
    }

    it('session — every pending login comes back once, as it was, in any order', () => {
      always(shuffled, ([all, picks]) => {
        const store = new SessionStateStore('crm');
        let session: Record<string, unknown> = {};
        const request = () => {
          // A store keeps the session as JSON between two requests.
          session = JSON.parse(asJson(session)) as Record<string, unknown>;
          return { headers: {}, session };
        };
        for (const attempt of all) void store.begin(request(), attempt);
        for (const attempt of inOrder(all, picks)) {
          const taken = store.take(request(), attempt.state) as LoginAttempt;
          expect({ ...taken, appState: asJson(taken.appState) }).to.deep.equal({
            ...attempt,
            appState: asJson(attempt.appState),
          });
          expect(store.take(request(), attempt.state)).to.equal('state_unknown');
        }
        expect(session.crm).to.equal(undefined);
      });
    });

    it('session — an unknown state takes no login, with any value in the session', () => {
      const state = fc.oneof(text(), oneOf('__proto__', 'constructor', 'toString', 'state-1'));
      const rubbish = fc.oneof(json, fc.anything());
      always(fc.tuple(state, rubbish), ([wanted, stored]) => {
        const session: Record<string, unknown> = { crm: stored };
        const taken = new SessionStateStore('crm').take({ headers: {}, session }, wanted);
        expect(taken).to.equal('state_unknown');
        expect(session.crm).to.equal(stored);
      });
    });

    describe('session, when it is renewed', () => {
      const attempt = (state: string, expiresAt = Date.now() + 600_000): LoginAttempt => ({
        state,
        codeVerifier: 'verifier',
        client: 'fingerprint-1',
        redirectUri: 'https://app.test/back',
        expiresAt,
      });
      const store = new SessionStateStore('crm');
      /** A session with these pending logins, and the request that has it. */
      function requestWith(session: Record<string, unknown>, ...states: string[]) {
        const req: { headers: Record<string, string>; session?: unknown } = {
          headers: {},
          session,
        };
        for (const state of states) void store.begin(req, attempt(state));
        return req;
      }

      it('a value that is not an object does not pass for a session', () => {
        for (const session of [undefined, null, 0, '', 'session', true]) {
          expect(store.take({ headers: {}, session }, 'a')).to.equal('session_missing');
          expect(() => store.begin({ headers: {}, session }, attempt('a')))
            .to.throw(/\w+ \w+/)
            .with.property('code', 'session_missing');
        }
      });

      it('a login that has just expired is dropped', () => {
        const realNow = Date.now;
        const now = realNow();
        Date.now = () => now;
        try {
          const session: Record<string, unknown> = {};
          const req = requestWith(session);
          for (const [state, left] of [
            ['a', 0],
            ['b', 1],
            ['c', 2],
          ] as const) {
            void store.begin(req, attempt(state, now + left));
          }
          expect(session.crm).to.have.property('length', 2);
          expect(session).to.have.nested.property('crm[0].state', 'b');
        } finally {
          Date.now = realNow;
        }
      });

      it('a session without regenerate, or without other pending logins, stays as it is', () => {
        const without: Record<string, unknown> = {};
        store.take(requestWith(without, 'a', 'b'), 'a');
        expect(Object.getOwnPropertyNames(without)).to.deep.equal(['crm']);
        const regenerate = () => {};
        const alone: Record<string, unknown> = { regenerate };
        store.take(requestWith(alone, 'a'), 'a');
        expect(alone.regenerate).to.equal(regenerate);
      });

      it('pending logins move into the next session, and nowhere else', () => {
        const given: unknown[][] = [];
        let next: unknown;
        // A method of the library's class, as in express-session.
        const session = Object.create({
          regenerate: (...parameters: unknown[]) => {
            given.push(parameters);
            req.session = next;
            const last = parameters.at(-1);
            if (typeof last === 'function') Reflect.apply(last, undefined, ['done']);
          },
        }) as Record<string, unknown>;
        const req = requestWith(session, 'a', 'b');
        store.take(req, 'a');
        const descriptor = Object.getOwnPropertyDescriptor(session, 'regenerate');
        expect(descriptor).to.include({ configurable: true, writable: true, enumerable: false });
        const regenerate = session.regenerate as (...parameters: unknown[]) => void;

        regenerate('x', 1);
        expect(given).to.deep.equal([['x', 1]]);
        const results: unknown[] = [];
        regenerate((result: unknown) => results.push(result));
        expect(results).to.deep.equal(['done']);
        next = { fresh: true };
        regenerate(() => {});
        expect(next).to.have.nested.property('crm[0].state', 'b');

        // The same session again: a login that was taken meanwhile does not come back.
        req.session = session;
        store.take(req, 'b');
        next = session;
        regenerate(() => {});
        expect(session.crm).to.equal(undefined);
      });
    });

    /** One browser, which sends its cookies back. */
    class Jar {
      readonly cookies = new Map<string, string>();

      request() {
        const set = (_name: string, value: string | string[]) => {
          for (const line of [value].flat()) {
            const [pair = ''] = line.split(';');
            const at = pair.indexOf('=');
            if (line.includes('Max-Age=0')) this.cookies.delete(pair.slice(0, at));
            else this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
          }
        };
        const res = { getHeader: () => undefined, setHeader: set } as unknown as PassportResponse;
        const cookie = [...this.cookies].map((pair) => pair.join('=')).join('; ');
        return { headers: { cookie }, res };
      }
    }

    it('cookie — every pending login comes back once, as it was, in any order', async () => {
      const store = new CookieStateStore({ secrets: ['a secret of at least 32 characters'] });
      await alwaysAsync(
        shuffled,
        async ([all, picks]) => {
          const jar = new Jar();
          const kept: LoginAttempt[] = [];
          for (const attempt of all) {
            try {
              await store.begin(jar.request(), attempt);
              kept.push(attempt);
            } catch (error) {
              expect(isProblem(error) && error.code).to.equal('state_too_large');
              expect(asJson(attempt.appState).length).to.be.above(500);
            }
          }
          // All of them together are bounded: the oldest makes room.
          const held = (await store.pending(jar.request())).map(({ state }) => state);
          if (held.length < kept.length) expect(asJson(kept).length).to.be.above(4000);
          const left = kept.filter(({ state }) => held.includes(state));
          for (const attempt of inOrder(left, picks)) {
            const taken = (await store.take(jar.request(), attempt.state)) as LoginAttempt;
            expect({ ...taken, appState: asJson(taken.appState) }).to.deep.equal({
              ...attempt,
              appState: asJson(attempt.appState),
            });
            expect(await store.take(jar.request(), attempt.state)).to.equal('state_unknown');
          }
          expect(jar.cookies.size).to.equal(0);
        },
        Math.ceil(RUNS / 4),
      );
    });

    it('cookie — a changed, cut or made-up cookie holds no login', async () => {
      const store = new CookieStateStore({ secrets: ['a secret of at least 32 characters'] });
      const change = fc.oneof(
        text().map((value) => () => value),
        fc.nat().map((at) => (value: string) => value.slice(0, at % value.length)),
        fc.tuple(fc.nat(), oneOf('A', 'b', '.', '-')).map(([at, character]) => (value: string) => {
          const place = at % value.length;
          return value.slice(0, place) + character + value.slice(place + 1);
        }),
      );
      await alwaysAsync(
        change,
        async (tamper) => {
          const jar = new Jar();
          const attempt = {
            state: 'state-1',
            codeVerifier: randomTexts().codeVerifier,
            client: 'fingerprint-1',
            redirectUri: 'https://app.test/back',
            expiresAt: Date.now() + 600_000,
          };
          await store.begin(jar.request(), attempt);
          const [[name, value] = ['', '']] = jar.cookies;
          const changed = tamper(value);
          fc.pre(changed.trim() !== value && !/[;\s]/.test(changed));
          jar.cookies.set(name, changed);
          const taken = await store.take(jar.request(), 'state-1');
          // The last character of base64url may hold unused bits.
          if (typeof taken !== 'string')
            expect(Buffer.from(changed.split('.').at(-1) ?? '', 'base64url')).to.deep.equal(
              Buffer.from(value.split('.').at(-1) ?? '', 'base64url'),
            );
          else expect(taken).to.equal('state_unknown');
        },
        Math.ceil(RUNS / 4),
      );
    });
  });

  describe('options', () => {
    const KNOWN = ['clientID', 'clientSecret', 'callbackURL', 'scope', 'timeout', 'loginURL'];

    it('an unknown name is refused by name', () => {
      always(text(), (name) => {
        const options = Object.fromEntries([[name, 1]]);
        if (KNOWN.includes(name)) refuseUnknownOptions('Acme', options, KNOWN);
        else {
          expect(() => refuseUnknownOptions('Acme', options, KNOWN))
            .to.throw(TypeError)
            .with.property('message')
            .that.includes(`unknown option "${name}"`);
        }
      });
    });

    it('a typing mistake in a known name is recognized', () => {
      const slip = fc.tuple(fc.constantFrom(...KNOWN), fc.nat(), oneOf('drop', 'double', 'swap'));
      always(slip, ([name, place, kind]) => {
        const at = place % name.length;
        const [a, b, rest] = [name.slice(0, at), name.charAt(at), name.slice(at + 1)];
        const typed =
          kind === 'drop'
            ? a + rest
            : kind === 'double'
              ? a + b + b + rest
              : a + rest.charAt(0) + b + rest.slice(1);
        expect(nearestName(typed, KNOWN)).to.equal(name);
        expect(nearestName(typed.toUpperCase(), KNOWN)).to.equal(name);
      });
    });

    /** Insertions, deletions, replacements and swaps of neighbours, by their definition. */
    function edits(a: string, b: string): number {
      if (a === '' || b === '') return a.length + b.length;
      const [restA, restB] = [a.slice(1), b.slice(1)];
      const [first, second] = [a.charAt(0), a.charAt(1)];
      const same = first === b.charAt(0) ? edits(restA, restB) : Infinity;
      const isSwap = second !== '' && first === b.charAt(1) && second === b.charAt(0);
      const swapped = isSwap ? 1 + edits(a.slice(2), b.slice(2)) : Infinity;
      const edited = 1 + Math.min(edits(restA, b), edits(a, restB), edits(restA, restB));
      return Math.min(same, swapped, edited);
    }

    it('the nearest name is the one of the fewest edits, when most of it is right', () => {
      const word = fc.stringMatching(/^[abc]{1,5}$/);
      always(fc.tuple(word, fc.array(word, { minLength: 1, maxLength: 4 })), ([name, known]) => {
        const fewest = Math.min(...known.map((one) => edits(name, one)));
        const near = fewest <= Math.max(1, Math.floor(name.length / 4));
        expect(nearestName(name, known)).to.equal(
          near ? known.find((one) => edits(name, one) === fewest) : undefined,
        );
      });
    });

    it('a boolean option takes true, false or undefined', () => {
      always(fc.anything(), (value) => {
        const check = () => requireBoolean('Acme', 'flag', value);
        if (value === undefined || typeof value === 'boolean') check();
        else expect(check).to.throw(TypeError, 'Acme: option "flag" must be');
      });
    });

    it('RFC 9110 §7 — headers of the protocol cannot be set, in any case', () => {
      const reserved = oneOf(
        'accept',
        'accept-encoding',
        'authorization',
        'connection',
        'content-length',
        'content-type',
        'expect',
        'host',
        'transfer-encoding',
      );
      const other = fc.stringMatching(/^[Xx]-[\w-]{1,9}$/);
      always(fc.tuple(reserved, fc.nat(), fc.dictionary(other, text())), ([name, at, others]) => {
        const place = at % name.length;
        const spelt = name.slice(0, place) + name.slice(place).toUpperCase();
        expect(() => checkHeaders('Acme', { ...others, [spelt]: 'x' })).to.throw(TypeError, spelt);
        const lower = Object.entries(others).map(([key, value]) => [key.toLowerCase(), value]);
        const checked = checkHeaders('Acme', others);
        expect(checked).to.deep.equal(Object.fromEntries(lower));
        expect(Object.isFrozen(checked)).to.equal(true);
      });
    });

    it('RFC 6749 §3.3 — a scope list has tokens only, each once', () => {
      const value = fc.oneof(
        text(),
        fc.array(fc.oneof(text(), oneOf('openid', 'email', ''))),
        fc.array(oneOf('openid', 'email', 'api:read', '')).map((all) => all.join(' ')),
        fc.anything(),
      );
      always(value, (given) => {
        let scopes: readonly string[] | undefined;
        try {
          scopes = scopeList('Acme', given);
        } catch (error) {
          expect(error).to.be.instanceOf(TypeError);
          return;
        }
        if (scopes === undefined) {
          expect(given).to.equal(undefined);
          return;
        }
        expect([...new Set(scopes)]).to.deep.equal(scopes);
        for (const scope of scopes) expect(scope).to.match(/^[!#-+\--[\]-~]+$/);
        const asked = typeof given === 'string' ? given.split(' ') : (given as string[]);
        expect(new Set(scopes)).to.deep.equal(new Set(asked.filter((scope) => scope !== '')));
      });
    });
  });
});
