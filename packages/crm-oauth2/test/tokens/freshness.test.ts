import { expect } from 'chai';
import type { TokenSet } from '../../dist/index';
import { countRefusals, isFresh, isUsable } from '../../dist/tokens/freshness';

const MINUTE = 60_000;
const NOW = 1_750_000_000_000;

/** Tokens of this age that live so long; for ever, when the provider names no end. */
function dated(age: number, lifetime?: number) {
  const since = NOW - age;
  const tokens: TokenSet = {
    accessToken: 'access',
    tokenType: 'Bearer',
    response: {},
    ...(lifetime !== undefined && { expiresAt: since + lifetime }),
  };
  return { tokens, since };
}

describe('freshness', () => {
  const fresh: [string, number, number | undefined, boolean][] = [
    ['an hour, until five minutes are left', 55 * MINUTE - 1, 60 * MINUTE, true],
    ['an hour, when five minutes are left', 55 * MINUTE, 60 * MINUTE, false],
    ['ten minutes, just before half of it', 5 * MINUTE - 1, 10 * MINUTE, true],
    ['ten minutes, at half of it', 5 * MINUTE, 10 * MINUTE, false],
    ['a minute, just before half of it', 30_000 - 1, MINUTE, true],
    ['a minute, at half of it', 30_000, MINUTE, false],
    ['no time at all', 0, 0, false],
    ['less than no time', 0, -1, false],
    ['for ever', 1e12, undefined, true],
    ['an hour, with a clock set back by five minutes', -5 * MINUTE, 60 * MINUTE, true],
    ['an hour, with a clock set back by more', -5 * MINUTE - 1, 60 * MINUTE, false],
    ['for ever, with a clock set back by more', -5 * MINUTE - 1, undefined, false],
  ];
  for (const [title, age, lifetime, expected] of fresh) {
    it(`RFC 6749 §5.1 — ${expected ? 'keeps' : 'replaces'} a token that lives ${title}`, () => {
      expect(isFresh(dated(age, lifetime), NOW)).to.equal(expected);
    });
  }

  const usable: [string, number, number | undefined, boolean][] = [
    ['an hour, until ten seconds are left', 60 * MINUTE - 10_001, 60 * MINUTE, true],
    ['an hour, when ten seconds are left', 60 * MINUTE - 10_000, 60 * MINUTE, false],
    ['ten seconds, just before the last', 8999, 10_000, true],
    ['ten seconds, at the last', 9000, 10_000, false],
    ['no time at all', 0, 0, false],
    ['for ever', 1e12, undefined, true],
    [
      'an hour, with a clock set back by more than five minutes',
      -5 * MINUTE - 1,
      60 * MINUTE,
      false,
    ],
  ];
  for (const [title, age, lifetime, expected] of usable) {
    it(`RFC 6749 §5.1 — ${expected ? 'still uses' : 'no longer uses'} a token that lives ${title}`, () => {
      expect(isUsable(dated(age, lifetime), NOW)).to.equal(expected);
    });
  }

  const refused: [string, number, number | undefined, boolean][] = [
    ['five seconds old', 5000, 60 * MINUTE, true],
    ['older', 5001, 60 * MINUTE, false],
    ['half of its eight seconds old', 4000, 8000, false],
    ['younger than half of its eight seconds', 3999, 8000, true],
    ['older, and lives for ever', 5001, undefined, false],
    ['of a clock that was five seconds ahead', -5000, 60 * MINUTE, true],
    ['of a clock that was further ahead', -5001, 60 * MINUTE, false],
  ];
  for (const [title, age, lifetime, expected] of refused) {
    it(`RFC 6750 §3.1 — ${expected ? 'keeps' : 'replaces'} a refused token that is ${title}`, () => {
      expect(isFresh(dated(age, lifetime), NOW, 'access')).to.equal(expected);
      expect(isUsable(dated(age, lifetime), NOW, 'access')).to.equal(false);
    });
  }

  for (const [refusals, minutes] of [
    [1, 1],
    [2, 2],
    [3, 4],
    [7, 60],
    [50, 60],
  ] as const) {
    it(`RFC 6750 §3.1 — after ${refusals} tokens that were never good, keeps the next one for ${minutes} minutes`, () => {
      const kept = (age: number) => isFresh({ ...dated(age), refusals }, NOW, 'access');
      expect([kept(minutes * MINUTE), kept(minutes * MINUTE + 1)]).to.deep.equal([true, false]);
    });
  }

  const counts: [string, number | undefined, number, string, number | undefined][] = [
    ['none, when another one was refused', 3, MINUTE, 'another', undefined],
    ['the first', undefined, MINUTE, 'access', 1],
    ['the first of a login that had lasted', undefined, 20 * MINUTE, 'access', 1],
    ['one more', 1, 10 * MINUTE, 'access', 2],
    ['the first again, after one that lasted', 1, 10 * MINUTE + 1, 'access', 1],
    ['one more, after a long patience', 5, 32 * MINUTE, 'access', 6],
    ['the first again, after more than twice the patience', 5, 32 * MINUTE + 1, 'access', 1],
  ];
  for (const [title, refusals, age, rejected, expected] of counts) {
    it(`RFC 6750 §3.1 — counts refusals of new tokens: ${title}`, () => {
      const tokens = { ...dated(age), ...(refusals !== undefined && { refusals }) };
      expect(countRefusals(tokens, NOW, rejected)).to.equal(expected);
    });
  }

  for (const seconds of [0, '0']) {
    it(`RFC 6749 §5.1 — a token with expires_in ${JSON.stringify(seconds)} is kept for five seconds`, () => {
      const judge = (age: number) => {
        const { tokens, since } = dated(age, 0);
        const ended = { tokens: { ...tokens, response: { expires_in: seconds } }, since };
        return [isFresh(ended, NOW), isUsable(ended, NOW)];
      };
      expect([4999, 5000, 8999, 9000].map((age) => judge(age))).to.deep.equal([
        [true, true],
        [false, true],
        [false, true],
        [false, false],
      ]);
    });
  }

  it('RFC 6750 §3.1 — judges a token by the clock when another one was refused', () => {
    expect(isFresh(dated(10_000, 60 * MINUTE), NOW, 'another')).to.equal(true);
    expect(isUsable(dated(10_000, 60 * MINUTE), NOW, 'another')).to.equal(true);
  });
});
