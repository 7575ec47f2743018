/** Texts and causes as they come from outside, and what may be kept of them. */
import { expect } from 'chai';
import { inspect } from 'node:util';
import { bareCause, quote, redact } from '../../dist/errors/redaction';

describe('redaction in errors', () => {
  describe('bareCause', () => {
    it('RFC 9700 §4.3 — removes the control characters of a foreign text', () => {
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

    it('reads a message as text, not as a pattern, in the stack too', () => {
      const bare = bareCause(new Error('$& secret-value\n[FATAL]'), ['secret-value']);
      expect(bare.stack?.split('\n')[0]).to.equal('Error: $& [redacted] [FATAL]');
      expect(bare.stack).not.to.include('secret-value');
    });

    it('drops fields that hold objects, even under the names that are kept', () => {
      const bare = bareCause(Object.assign(new Error('x'), { reason: { token: 'topsecret' } }));
      expect(bare).not.to.have.property('reason');
    });

    it('copies an error that has no stack', () => {
      const bare = bareCause(Object.assign(new Error('x'), { stack: undefined }));
      expect(bare.message).to.equal('x');
      expect(bare.stack?.split('\n')[0]).to.equal('Error: x');
    });

    it('makes an error of any other value', () => {
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
      ['leaves nothing of a backslash at the end', 'x=a\\\\ y', ['a\\'], 'x=[redacted] y'],
      [
        'leaves nothing of an encoded backslash',
        '%5ca%5Cb \\u005ca',
        ['\\a\\b', '\\a'],
        '[redacted] [redacted]',
      ],
      ['reads a backslash before %5c', 'x=\\%5c', ['\\%5c'], 'x=[redacted]'],
      ['redacts a space that comes back as +', 'x=a+b%20c', ['a b c'], 'x=[redacted]'],
      ['reads a + as a space and as no other character', 'a+b', ['a-b'], 'a+b'],
      ['reads a secret as text, not as a pattern', 'axb a.b', ['a.b'], 'axb [redacted]'],
      ['writes its replacement as text, not as a pattern', '$& x', ['x'], '$& [redacted]'],
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

    it('redacts a secret that cannot be encoded', () => {
      expect(quote('a \ud800 b', ['\ud800'])).to.equal('a [redacted] b');
    });
  });

  describe('in time', () => {
    /** Milliseconds of computing time in which text is redacted that a stranger has made slow. */
    const LIMIT_MS = 3000;
    const inTime = (work: () => string) => {
      const begun = process.cpuUsage();
      const result = work();
      const { user, system } = process.cpuUsage(begun);
      expect((user + system) / 1000).to.be.below(LIMIT_MS);
      return result;
    };
    const long = (unit: string, length: number) => unit.repeat(length / unit.length);

    it('CWE-1333 — backslashes of a secret meet backslashes of a text', () => {
      const secret = `${'\\'.repeat(28)}b`;
      expect(inTime(() => quote('\\'.repeat(42), [secret]))).to.equal('\\'.repeat(42));
      expect(quote(`x${JSON.stringify(secret)}`, [secret])).to.equal('x"[redacted]"');
    });

    for (const unit of ['\\', 'a', 'u', '%', '%5c', '\\u005c', '\\%5c', ' ', '\n', '😀']) {
      it(`CWE-1333 — a code of 4096 characters: ${JSON.stringify(unit)}`, () => {
        const code = `${long(unit, 4090)}b`;
        for (const words of [long(unit, 4096), JSON.stringify(code), encodeURIComponent(code)]) {
          inTime(() => quote(words, [code, 'another-secret']));
        }
      });
    }

    it('CWE-1333 — a query of 100 000 characters is looked for in a text of as many', () => {
      const value = `${long('a', 999)}<`.repeat(100);
      inTime(() => quote(value.replaceAll('<', '&lt;'), [value]));
      const words = Array.from({ length: 5000 }, (_, index) => `word-${index}`);
      inTime(() => quote('word-x '.repeat(15_000), words));
    });
  });

  it('leaves out the rest after enough characters, white space aside', () => {
    expect(redact('a b c d e', [], 2)).to.equal('a b c');
    expect(redact('secret b c', ['secret'], 9)).to.equal('[redacted]');
  });

  it('redacts two secrets whole where one begins within the other', () => {
    expect(redact('xabcdefgx', ['abcde', 'cdefg'])).to.equal('x[redacted]x');
    expect(redact('xabcdefgx', ['abcdef', 'bcd', 'cdefg'])).to.equal('x[redacted]x');
  });

  it('secret — of any length is left out: a token of 20 000 characters does not fail', () => {
    for (const length of [999, 1000, 1001, 20_000]) {
      const secret = 'aZ9é'.repeat(length / 4 + 1).slice(0, length);
      expect(redact(`the token ${secret} is bad`, [secret])).to.match(
        /^the token (\[redacted\])+ is bad$/,
      );
    }
  });
});
