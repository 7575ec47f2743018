import { expect } from 'chai';
import { inspect } from 'node:util';
import OAuth2Strategy = require('passport-oauth2');
import {
  AuthorizationError,
  InternalOAuthError,
  Problem,
  TokenError,
  bareCause,
  describe as describeProblem,
  hintFor,
  isOAuth2Error,
  located,
  quote,
} from '../../dist/errors/oauth2-error';
import type { OAuth2Error, Stage } from '../../dist/errors/oauth2-error';
import { HINTS } from '../../dist/errors/codes';
import { rejection } from '../support';

const WHERE = { provider: 'acme', stage: 'token' as Stage, host: 'acme.test' };

function described(problem: Problem, hints = {}): OAuth2Error {
  return describeProblem(problem, WHERE, hints) as OAuth2Error;
}

describe('errors', () => {
  describe('the three classes of passport-oauth2', () => {
    it('RFC 6749 §5.2 — an error of the token endpoint is a TokenError', () => {
      const error = described(
        new Problem('invalid_grant', 'invalid_grant: used up', {
          from: 'token response',
          status: 403,
          uri: 'https://acme.test/help',
        }),
      );
      expect(error).to.be.instanceOf(TokenError);
      expect(error).to.be.instanceOf(OAuth2Strategy.TokenError);
      expect(error).to.be.instanceOf(Error);
      expect(error).to.include({
        name: 'TokenError',
        message: 'acme: invalid_grant: used up',
        code: 'invalid_grant',
        uri: 'https://acme.test/help',
        status: 403,
        provider: 'acme',
        stage: 'token',
        host: 'acme.test',
        hint: HINTS.invalid_grant,
      });
    });

    it('RFC 6749 §4.1.2.1 — an error of the authorization response is an AuthorizationError', () => {
      const error = described(
        new Problem('access_denied', 'access_denied', {
          from: 'authorization response',
          refusal: 401,
        }),
      );
      expect(error).to.be.instanceOf(AuthorizationError);
      expect(error).to.be.instanceOf(OAuth2Strategy.AuthorizationError);
      expect(error).to.include({
        name: 'AuthorizationError',
        message: 'acme: access_denied',
        code: 'access_denied',
        refusal: 401,
        provider: 'acme',
      });
    });

    it('anything else is an InternalOAuthError with its cause', () => {
      const cause = new Error('underneath');
      const error = described(
        new Problem('timeout', 'not finished within 5 ms', { cause, retryAfterSeconds: 3 }),
      );
      expect(error).to.be.instanceOf(InternalOAuthError);
      expect(error).to.be.instanceOf(OAuth2Strategy.InternalOAuthError);
      expect(error).to.include({
        name: 'InternalOAuthError',
        message: 'acme: not finished within 5 ms',
        code: 'timeout',
        cause,
        oauthError: cause,
        retryAfterSeconds: 3,
      });
    });

    it('shows no row for what is not known', () => {
      const error = described(new Problem('no_such_code', 'x'));
      for (const key of ['status', 'hint', 'retryAfterSeconds', 'refusal', 'cause']) {
        expect(error).not.to.have.property(key);
      }
    });

    it('does not enumerate the cause, as of any error', () => {
      const cause = new Error('y');
      const error = described(new Problem('timeout', 'x', { cause }));
      expect(Object.keys(error)).not.to.include('cause');
      // As by `new Error(message, { cause })`: whoever passes the error on may change it.
      expect(Object.getOwnPropertyDescriptor(error, 'cause')).to.deep.equal({
        value: cause,
        configurable: true,
        enumerable: false,
        writable: true,
      });
    });
  });

  for (const from of ['token response', 'authorization response', undefined] as const) {
    it(`says the message in the first line of the stack (${from ?? 'neither response'})`, () => {
      const error = described(new Problem('some_code', 'what went wrong', { from }));
      expect(error.stack?.split('\n')[0]).to.equal(`${error.name}: acme: what went wrong`);
      expect(error.stack?.split('\n')[1]).to.match(/^ +at /);
    });
  }

  it('a problem says what it is, and has no details of its own accord', () => {
    const problem = new Problem('some_code', 'what went wrong');
    expect(problem).to.be.instanceOf(Error);
    expect(String(problem)).to.equal('Problem: what went wrong');
    expect(problem.code).to.equal('some_code');
    expect(problem.details).to.deep.equal({});
  });

  it('is told from any other value', () => {
    for (const from of ['token response', 'authorization response', undefined] as const) {
      expect(isOAuth2Error(described(new Problem('timeout', 'x', { from })))).to.equal(true);
    }
    expect(isOAuth2Error(new Problem('timeout', 'x'))).to.equal(false);
    expect(isOAuth2Error(new OAuth2Strategy.TokenError('x', 'x'))).to.equal(false);
    expect(isOAuth2Error(undefined)).to.equal(false);
  });

  it('passes anything that is no problem through untouched', () => {
    for (const value of [new TypeError('a bug'), 'text', undefined, null]) {
      expect(describeProblem(value, WHERE)).to.equal(value);
    }
  });

  describe('located', () => {
    const provider = { name: 'acme', hints: { own_code: 'Own remedy.' } };

    it('returns what the step returns', async () => {
      expect(await located({ provider, stage: 'token' }, () => 7)).to.equal(7);
    });

    it('says where a problem happened', async () => {
      const error = await rejection(
        located({ provider, stage: 'profile', host: 'acme.test:8443' }, () => {
          throw new Problem('own_code', 'x');
        }),
      );
      expect(error).to.be.instanceOf(InternalOAuthError);
      expect(error).to.include({
        provider: 'acme',
        stage: 'profile',
        host: 'acme.test:8443',
        hint: 'Own remedy.',
      });
    });

    it('leaves an error that was already located as it is', async () => {
      const inner = described(new Problem('timeout', 'x'));
      const error = await rejection(
        located({ provider, stage: 'verify' }, () => Promise.reject(inner)),
      );
      expect(error).to.equal(inner);
      expect(error.stage).to.equal('token');
    });
  });

  describe('hints', () => {
    it("come from the problem, then the provider, then everybody's table", () => {
      const hints = { timeout: 'Of the provider.' };
      const own = new Problem('timeout', 'x', { hint: 'Own.' });
      expect(hintFor(own, 'token', hints)).to.equal('Own.');
      expect(hintFor(new Problem('timeout', 'x'), 'token', hints)).to.equal('Of the provider.');
      expect(hintFor(new Problem('timeout', 'x'), 'token')).to.equal(HINTS.timeout);
    });

    it('say another thing where the same code means another thing', () => {
      const used = new Problem('invalid_grant', 'x');
      expect(hintFor(used, 'token')).to.equal(HINTS.invalid_grant);
      expect(hintFor(used, 'refresh')).to.equal(HINTS['refresh.invalid_grant']);
      const hints = { 'refresh.invalid_grant': 'Of the provider, for a refresh.' };
      expect(hintFor(used, 'refresh', hints)).to.equal('Of the provider, for a refresh.');
      expect(hintFor(used, 'token', hints)).to.equal(HINTS.invalid_grant);
    });

    for (const name of ['constructor', '__proto__', 'toString']) {
      it(`are none for a code called ${name}`, () => {
        expect(hintFor(new Problem(name, 'x'), 'token', {})).to.equal(undefined);
      });
    }

    it('are frozen', () => {
      expect(Object.isFrozen(HINTS)).to.equal(true);
    });
  });

  describe('bareCause', () => {
    it('RFC 9700 §4.3 — keeps no control character of a foreign text', () => {
      const bare = bareCause(new Error('header "a\r\n[FATAL] owned\u001b[2J"'));
      expect(bare.message).to.equal('header "a [FATAL] owned [2J"');
      expect(bare.stack?.split('\n')[0]).to.equal('Error: header "a [FATAL] owned [2J"');
    });

    it('keeps what helps and drops raw bytes and claims', () => {
      const error = Object.assign(new TypeError('Parse Error'), {
        code: 'HPE_INVALID_CONSTANT',
        errno: -1,
        syscall: 'read',
        hostname: 'acme.test',
        claim: 'aud',
        reason: 'check_failed',
        rawPacket: Buffer.from('access_token=topsecret'),
        payload: { sub: 'topsecret' },
        config: { data: 'topsecret' },
        cause: new Error('topsecret'),
      });
      const bare = bareCause(error);
      expect(bare).to.include({
        name: 'TypeError',
        message: 'Parse Error',
        stack: error.stack,
        code: 'HPE_INVALID_CONSTANT',
        errno: -1,
        syscall: 'read',
        hostname: 'acme.test',
        claim: 'aud',
        reason: 'check_failed',
      });
      for (const key of ['rawPacket', 'payload', 'config', 'cause']) {
        expect(bare).not.to.have.property(key);
      }
      expect(inspect(bare, { depth: 9, showHidden: true })).not.to.include('topsecret');
    });

    it('drops fields that are objects, whatever their names', () => {
      const bare = bareCause(Object.assign(new Error('x'), { reason: { token: 'topsecret' } }));
      expect(bare).not.to.have.property('reason');
    });

    it('does without the stack of an error that has none', () => {
      const bare = bareCause(Object.assign(new Error('x'), { stack: undefined }));
      expect(bare.message).to.equal('x');
      expect(bare.stack?.split('\n')[0]).to.equal('Error: x');
    });

    it('makes an error of anything else', () => {
      expect(bareCause('text')).to.be.instanceOf(Error).with.property('message', 'text');
    });
  });

  describe('quote', () => {
    const cases: [string, string, (string | undefined)[], string][] = [
      ['keeps plain words', 'used up', [], 'used up'],
      ['removes marks of direction', 'abc\u202edef\u2066', [], 'abc def'],
      ['redacts every occurrence', 'a-b-a', ['a'], '[redacted]-b-[redacted]'],
      ['redacts an encoded occurrence', 'x=a%2Fb', ['a/b'], 'x=[redacted]'],
      ['redacts an occurrence that JSON escapes', 'x="a\\/b"', ['a/b'], 'x="[redacted]"'],
      ['redacts an occurrence of JSON’s \\u', 'x="a\\u003D\\u003d"', ['a=='], 'x="[redacted]"'],
      ['redacts a newline that JSON escapes', 'x="a\\n"', ['a\n'], 'x="[redacted]"'],
      ['leaves nothing of an escaped u', 'x="\\u0061\\u0055"', ['aU'], 'x="[redacted]"'],
      ['leaves nothing of an encoded %', 'x=a%25', ['a%'], 'x=[redacted]'],
      ['redacts a space that comes back as +', 'x=a+b%20c', ['a b c'], 'x=[redacted]'],
      ['takes a + for a space only', 'a+b', ['a-b'], 'a+b'],
      ['knows no pattern in a secret', 'axb a.b', ['a.b'], 'axb [redacted]'],
      ['knows no pattern in its replacement', '$& x', ['x'], '$& [redacted]'],
      ['ignores absent and empty secrets', 'abc', ['', undefined], 'abc'],
      ['makes one space of control characters', 'a\r\n\t\u0085\u2029b', [], 'a b'],
      ['trims', ' \n a \u0000', [], 'a'],
      ['is short', 'x'.repeat(301), [], `${'x'.repeat(300)}…`],
      [
        'redacts before it shortens',
        'y'.repeat(295) + 'secret-value',
        ['secret-value'],
        `${'y'.repeat(295)}[reda…`,
      ],
      [
        'redacts the longer of two secrets whole',
        'key-123456',
        ['key', 'key-123456'],
        '[redacted]',
      ],
    ];
    for (const [title, text, secrets, expected] of cases) {
      it(title, () => expect(quote(text, secrets)).to.equal(expected));
    }

    it('survives a secret that cannot be encoded', () => {
      expect(quote('a \ud800 b', ['\ud800'])).to.equal('a [redacted] b');
    });
  });
});
