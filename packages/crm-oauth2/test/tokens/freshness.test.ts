import { expect } from 'chai';
import type { TokenSet } from '../../dist/index';
import { isFresh, isUsable } from '../../dist/tokens/freshness';

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

  it('RFC 6750 §3.1 — judges a token by the clock when another one was refused', () => {
    expect(isFresh(dated(10_000, 60 * MINUTE), NOW, 'another')).to.equal(true);
    expect(isUsable(dated(10_000, 60 * MINUTE), NOW, 'another')).to.equal(true);
  });
});
